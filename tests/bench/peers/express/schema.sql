-- What the peer keeps: the columns of the table that resmgr-agent writes to PostgreSQL, with the
-- indexes that its routes want.
CREATE TABLE tasks (
  id UUID PRIMARY KEY,
  user_id UUID NOT NULL,
  service_type VARCHAR NOT NULL,
  container_id VARCHAR,
  port INT,
  start_time TIMESTAMPTZ NOT NULL,
  stop_time TIMESTAMPTZ,
  duration INTERVAL,
  status VARCHAR NOT NULL,
  host VARCHAR NOT NULL,
  usage_hash VARCHAR
);
CREATE INDEX tasks_by_time ON tasks (start_time DESC, id DESC);
CREATE INDEX tasks_of_user ON tasks (user_id, start_time DESC, id DESC);
