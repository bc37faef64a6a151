-- Beside a task's row, and changed without its version: what its container used as the last sample
-- has it (written often, for all that run in one transaction, and told by no event), and until when
-- its limits were extended. A row is there from the first of these on, and goes with its task's.
CREATE TABLE task_activity (
  task_id TEXT PRIMARY KEY REFERENCES tasks (task_id) ON DELETE CASCADE,
  sampled_at INTEGER,  -- null: no sample was taken
  cpu_ms INTEGER NOT NULL DEFAULT 0,
  peak_memory_bytes INTEGER NOT NULL DEFAULT 0,
  network_rx_bytes INTEGER NOT NULL DEFAULT 0,
  network_tx_bytes INTEGER NOT NULL DEFAULT 0,
  idle_until INTEGER,     -- not stopped for being idle before; null: as the service has it
  lifetime_until INTEGER  -- … for its age before
) STRICT, WITHOUT ROWID;
