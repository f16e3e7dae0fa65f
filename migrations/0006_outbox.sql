-- A line in an Activity Log cannot be taken back. tried_at and tries: when it was sent last and how often, while no answer
-- has told what became of it. It may have arrived.
ALTER TABLE outbox ADD COLUMN tried_at timestamptz, ADD COLUMN tries integer NOT NULL DEFAULT 0;
DROP INDEX outbox_waiting;
CREATE INDEX outbox_waiting ON outbox (tried_at NULLS FIRST, id) WHERE sent_at IS NULL;
