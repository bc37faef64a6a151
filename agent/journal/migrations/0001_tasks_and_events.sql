-- Times are Unix milliseconds, UTC. Ids are UUIDs as lower-case text.

-- journal_id, created_at, and pruned_to: the sequence number up to which events were pruned.
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  time INTEGER NOT NULL,
  type TEXT NOT NULL,
  task_id TEXT,           -- null: it concerns no task
  user_id TEXT,           -- the task's owner
  details TEXT NOT NULL,  -- a JSON object
  task TEXT               -- the task's public row after it, a JSON object
) STRICT;
CREATE INDEX events_of_task ON events (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX events_of_user ON events (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE tasks (
  task_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  service_type TEXT NOT NULL,
  container_id TEXT NOT NULL,
  container_port INTEGER NOT NULL,
  host TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  start_time INTEGER,
  stop_time INTEGER,
  status TEXT NOT NULL,
  status_reason TEXT NOT NULL,
  precision TEXT NOT NULL,
  usage_hash TEXT NOT NULL,
  exit_code INTEGER,
  phase TEXT NOT NULL,
  version INTEGER NOT NULL,
  ended_by TEXT NOT NULL,
  failure TEXT NOT NULL,
  spec_hash TEXT NOT NULL,
  memory_bytes INTEGER NOT NULL,
  cpus REAL NOT NULL,
  cpu_ms INTEGER NOT NULL,
  peak_memory_bytes INTEGER NOT NULL,
  -- The last 12 digits from the end on, so that 'the id ends with' is a range.
  tail TEXT GENERATED ALWAYS AS (
    substr(task_id, -1, 1) || substr(task_id, -2, 1) || substr(task_id, -3, 1) ||
    substr(task_id, -4, 1) || substr(task_id, -5, 1) || substr(task_id, -6, 1) ||
    substr(task_id, -7, 1) || substr(task_id, -8, 1) || substr(task_id, -9, 1) ||
    substr(task_id, -10, 1) || substr(task_id, -11, 1) || substr(task_id, -12, 1)) VIRTUAL
) STRICT;

-- A list is a walk down one of these from a task id on. Their columns never change in a row, so
-- that an update leaves them alone.
CREATE UNIQUE INDEX tasks_by_id ON tasks (task_id);
CREATE INDEX tasks_of_user ON tasks (user_id, task_id);
CREATE INDEX tasks_of_service ON tasks (service_type, task_id);
CREATE INDEX tasks_of_user_and_service ON tasks (user_id, service_type, task_id);
CREATE INDEX tasks_by_tail ON tasks (tail);

-- The few rows of a kind among very many others. That of the active ones is what admission counts.
CREATE INDEX tasks_active ON tasks (task_id, service_type, status)
  WHERE status IN ('Starting', 'Running', 'Stopping');
CREATE INDEX tasks_active_of_user ON tasks (user_id, task_id, service_type, status)
  WHERE status IN ('Starting', 'Running', 'Stopping');
CREATE INDEX tasks_failed ON tasks (task_id, service_type) WHERE status = 'Error';
CREATE INDEX tasks_failed_of_user ON tasks (user_id, task_id, service_type)
  WHERE status = 'Error';
CREATE INDEX tasks_unsettled ON tasks (task_id) WHERE phase <> 'removed';

-- How many rows of `tasks` have each status, kept by each transaction that changes one.
CREATE TABLE task_counts (
  status TEXT PRIMARY KEY,
  tasks INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO task_counts
VALUES ('Starting', 0), ('Running', 0), ('Stopping', 0), ('Stopped', 0), ('Error', 0);

-- What an idempotency key of a principal stands for; it goes with its task.
CREATE TABLE idempotency (
  principal TEXT NOT NULL,
  key TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  task_id TEXT NOT NULL REFERENCES tasks (task_id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (principal, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (created_at);
CREATE INDEX idempotency_of_task ON idempotency (task_id);

-- The canonical record of each task whose container ran and ended. It outlives its task's row, and
-- is never pruned: no reference.
CREATE TABLE usage_records (
  task_id TEXT PRIMARY KEY,
  record TEXT NOT NULL,  -- the canonical bytes (RFC 8785)
  hash TEXT NOT NULL     -- lower-case hex SHA-256 of them
) STRICT;
