-- What sinks know of this journal and it of them. None of it is a copy of anything in `events`: a
-- letter outlives its event.

-- How far a sink has come. `digest` is that of the event `seq`. A row stays when its sink is
-- configured no more (`attached` = 0), so that it goes on from there; it pins nothing then.
CREATE TABLE cursors (
  sink TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,
  digest TEXT NOT NULL,
  attached INTEGER NOT NULL,
  moved_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a destination refused for good, byte for byte as it was sent.
CREATE TABLE dead_letters (
  sink TEXT NOT NULL,
  seq INTEGER NOT NULL,
  task_id TEXT NOT NULL,  -- '': it concerns no task
  time INTEGER NOT NULL,  -- the event's
  type TEXT NOT NULL,
  payload TEXT NOT NULL,
  reason TEXT NOT NULL,
  set_aside_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  due INTEGER NOT NULL,   -- 1: somebody wants it tried again
  PRIMARY KEY (sink, seq, task_id)
) STRICT;
CREATE INDEX dead_letters_due ON dead_letters (sink, seq) WHERE due = 1;

-- What a destination answered for a task's record, as it came.
CREATE TABLE receipts (
  sink TEXT NOT NULL,
  task_id TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (task_id, sink)
) STRICT, WITHOUT ROWID;
