-- When the containers were last seen alive: one row, written over, and no event.
CREATE TABLE heartbeat (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  boot_id TEXT NOT NULL,        -- the host's boot; empty: not known
  time INTEGER NOT NULL,
  since_boot INTEGER NOT NULL,  -- milliseconds
  -- The running tasks of which that does not hold, {"<task id>": [boot_id, time, since_boot]}:
  -- when they were last seen alive.
  missed TEXT NOT NULL
) STRICT;
