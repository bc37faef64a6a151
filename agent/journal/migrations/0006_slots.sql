-- Warm containers: made before anybody asks for them, each for one task. A row goes with its
-- container, or once a task that claimed it has taken that over.
CREATE TABLE slots (
  slot_id TEXT PRIMARY KEY,
  service_type TEXT NOT NULL,
  spec_hash TEXT NOT NULL,
  phase TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  task_id TEXT NOT NULL,       -- that claimed it; '': none did
  container_id TEXT NOT NULL,  -- '': not known yet
  image_id TEXT NOT NULL,      -- that its container was made from; '': not known
  started_at INTEGER,          -- the engine's own time
  memory_bytes INTEGER NOT NULL,
  cpus REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- Of a task that was given a warm container: the slot's id; when the container started, which was
-- before the task did; and what it had used by then.
ALTER TABLE tasks ADD COLUMN slot_id TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN container_started_at INTEGER;
ALTER TABLE tasks ADD COLUMN cpu_ms_before INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN network_rx_before INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN network_tx_before INTEGER NOT NULL DEFAULT 0;
