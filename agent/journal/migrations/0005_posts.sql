-- The bytes that are sent to a destination for a task's record: here before they are first sent, so
-- that each try sends the same.
CREATE TABLE posts (
  sink TEXT NOT NULL,
  task_id TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (task_id, sink)
) STRICT, WITHOUT ROWID;

CREATE INDEX dead_letters_of_task ON dead_letters (task_id, sink, seq) WHERE task_id <> '';

-- The few events that concern no task, for who looks for the last one of a type.
CREATE INDEX events_of_journal ON events (type, seq) WHERE task_id IS NULL;
