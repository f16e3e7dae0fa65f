-- The state store. Small numbers stand for the enums of the program, in their order there:
--   entity, object      0 person, 1 lead, 2 contact
--   side, target, winner 0 Marketo, 1 Dynamics
--   link.state          0 claimed, 1 live, 2 deleted in Dynamics, 3 deleted in Marketo
-- Values of people stand in collision and error rows only, and go after the retention time.

-- What this database belongs to, and what an operator asked for. One row.
CREATE TABLE control (
	only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
	fingerprint_key bytea CHECK (length(fingerprint_key) = 16),
	marketo_organisation uuid,
	dynamics_organisation uuid,
	is_paused boolean NOT NULL DEFAULT false,
	paused_by text NOT NULL DEFAULT '',
	paused_at timestamptz
);
INSERT INTO control DEFAULT VALUES;

-- Raised by every service that begins to lead; a cycle's transaction holds a share of the row while it writes. Apart from
-- control, so that pausing never waits for a commit.
CREATE TABLE leader (
	only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
	fence bigint NOT NULL DEFAULT 0
);
INSERT INTO leader DEFAULT VALUES;

-- Places in every link's fingerprints. Never reused.
CREATE TABLE field_slot (
	name text PRIMARY KEY,
	slot integer NOT NULL UNIQUE CHECK (slot BETWEEN 0 AND 65534)
);

CREATE TABLE cursor (
	name text PRIMARY KEY,
	place text NOT NULL,
	moved_at timestamptz NOT NULL DEFAULT now()
);

-- Columns stand in the order that wastes no padding. marketo_fp holds 8 bytes a slot; dynamics_fp is null when the two
-- sides agree, else the whole side or only the slots that differ, whichever is shorter.
-- state_at (when the state was entered; of a claim: when it was last tried) is indexed, so nothing that changes with every
-- field edit may touch it: an edit must stay a heap-only update.
CREATE TABLE link (
	record_id uuid NOT NULL,
	person_id bigint,
	version bigint NOT NULL DEFAULT 0,
	state_at timestamptz NOT NULL DEFAULT now(),
	generation integer NOT NULL DEFAULT 0,
	entity smallint NOT NULL CHECK (entity IN (1, 2)),
	state smallint NOT NULL CHECK (state BETWEEN 0 AND 3),
	marketo_fp bytea NOT NULL DEFAULT '',
	dynamics_fp bytea,
	PRIMARY KEY (record_id, entity)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
-- Hashes do not compress: do not try.
ALTER TABLE link ALTER COLUMN marketo_fp SET STORAGE EXTERNAL, ALTER COLUMN dynamics_fp SET STORAGE EXTERNAL;
-- One person, one record (INV-ONE-ROW). A tombstone keeps its person, who may get a record again.
CREATE UNIQUE INDEX link_person ON link (person_id) WHERE state IN (0, 1) AND person_id IS NOT NULL;
CREATE INDEX link_person_tombstone ON link (person_id) WHERE state IN (2, 3) AND person_id IS NOT NULL;
CREATE INDEX link_claimed ON link (state_at) WHERE state = 0;

-- Links whose person does not carry their stamp yet. Apart from link, so that stamping rewrites no fingerprints.
CREATE TABLE stamp_due (
	record_id uuid NOT NULL,
	entity smallint NOT NULL CHECK (entity IN (1, 2)),
	PRIMARY KEY (record_id, entity)
);

-- How many links are live: the sum of all rows. A transaction adds a row of its own, so that none waits for another.
CREATE TABLE link_count (
	entity smallint NOT NULL,
	change bigint NOT NULL
);

CREATE FUNCTION link_count_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO link_count (entity, change)
	SELECT entity, count(*) FROM after_rows WHERE state = 1 GROUP BY entity;
	RETURN NULL;
END $$;

CREATE FUNCTION link_count_old() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO link_count (entity, change)
	SELECT entity, -count(*) FROM before_rows WHERE state = 1 GROUP BY entity;
	RETURN NULL;
END $$;

CREATE FUNCTION link_count_both() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO link_count (entity, change)
	SELECT entity, sum(change) FROM (
		SELECT entity, 1 AS change FROM after_rows WHERE state = 1
		UNION ALL
		SELECT entity, -1 FROM before_rows WHERE state = 1
	) AS changes GROUP BY entity HAVING sum(change) <> 0;
	RETURN NULL;
END $$;

CREATE TRIGGER link_count_insert AFTER INSERT ON link
	REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION link_count_new();
CREATE TRIGGER link_count_update AFTER UPDATE ON link
	REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
	FOR EACH STATEMENT EXECUTE FUNCTION link_count_both();
CREATE TRIGGER link_count_delete AFTER DELETE ON link
	REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION link_count_old();

-- Refused writes that wait for another value. Slot 65535: the whole record.
CREATE TABLE parked (
	record_id uuid NOT NULL,
	fingerprint bigint NOT NULL,
	slot integer NOT NULL CHECK (slot BETWEEN 0 AND 65535),
	entity smallint NOT NULL CHECK (entity BETWEEN 0 AND 2),
	target smallint NOT NULL CHECK (target IN (0, 1)),
	PRIMARY KEY (record_id, entity, target, slot)
);

-- What needs another look. seq tells a later mark from the one that was taken.
CREATE SEQUENCE dirty_seq;
CREATE TABLE dirty_person (
	person_id bigint PRIMARY KEY,
	seq bigint NOT NULL,
	marked_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dirty_person_seq ON dirty_person (seq);
CREATE TABLE dirty_record (
	record_id uuid NOT NULL,
	entity smallint NOT NULL CHECK (entity IN (1, 2)),
	seq bigint NOT NULL,
	marked_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (record_id, entity)
);
CREATE INDEX dirty_record_seq ON dirty_record (seq);

-- A field that changed on both sides. The loser's value lives here until the retention time has passed.
CREATE TABLE collision (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT now(),
	record_id uuid NOT NULL,
	person_id bigint NOT NULL,
	entity smallint NOT NULL CHECK (entity BETWEEN 0 AND 2),
	winner smallint NOT NULL CHECK (winner IN (0, 1)),
	field text NOT NULL,
	rule text NOT NULL,
	marketo_value text NOT NULL,
	dynamics_value text NOT NULL
);
CREATE INDEX collision_person ON collision (person_id, id);
CREATE INDEX collision_record ON collision (record_id, id);
CREATE INDEX collision_at ON collision (at);

-- What a remote refused. The zero record and person mean: none.
CREATE TABLE error (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	first_at timestamptz NOT NULL DEFAULT now(),
	last_at timestamptz NOT NULL DEFAULT now(),
	resolved_at timestamptz,
	record_id uuid NOT NULL,
	person_id bigint NOT NULL,
	attempts integer NOT NULL DEFAULT 1,
	slot integer NOT NULL CHECK (slot BETWEEN 0 AND 65535),
	entity smallint NOT NULL CHECK (entity BETWEEN 0 AND 2),
	target smallint NOT NULL CHECK (target IN (0, 1)),
	operation text NOT NULL,
	field text NOT NULL,
	kind text NOT NULL,
	code text NOT NULL,
	message text NOT NULL
);
-- One open row per record, or per person while there is no record, and target and slot.
CREATE UNIQUE INDEX error_open ON error (record_id, entity,
	(CASE WHEN record_id = '00000000-0000-0000-0000-000000000000' THEN person_id ELSE 0 END), target, slot)
	WHERE resolved_at IS NULL;
CREATE INDEX error_open_id ON error (id) WHERE resolved_at IS NULL;
CREATE INDEX error_person ON error (person_id, id);
CREATE INDEX error_record ON error (record_id, id);
CREATE INDEX error_resolved ON error (resolved_at) WHERE resolved_at IS NOT NULL;

-- Accepted real-time calls.
CREATE TABLE request (
	id uuid PRIMARY KEY,
	number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
	person_id bigint NOT NULL,
	created_at timestamptz NOT NULL,
	finished_at timestamptz,
	record_id uuid NOT NULL,
	attempts integer NOT NULL DEFAULT 0,
	sync_as smallint NOT NULL CHECK (sync_as IN (1, 2)),
	door smallint NOT NULL CHECK (door BETWEEN 0 AND 2),
	outcome smallint NOT NULL CHECK (outcome BETWEEN 0 AND 7),
	entity smallint NOT NULL CHECK (entity BETWEEN 0 AND 2),
	is_trigger boolean NOT NULL,
	owner text NOT NULL,
	campaign_id text NOT NULL,
	campaign_name text NOT NULL,
	reason text NOT NULL
);
CREATE UNIQUE INDEX request_open ON request (person_id) WHERE finished_at IS NULL;
CREATE INDEX request_person ON request (person_id, number);
CREATE INDEX request_finished ON request (finished_at) WHERE finished_at IS NOT NULL;

-- Activity Log lines on their way to Marketo.
CREATE TABLE outbox (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	person_id bigint NOT NULL,
	at timestamptz NOT NULL,
	sent_at timestamptz,
	outcome text NOT NULL,
	direction text NOT NULL,
	entity text NOT NULL,
	record_id text NOT NULL,
	field text NOT NULL,
	code text NOT NULL,
	message text NOT NULL
);
CREATE INDEX outbox_waiting ON outbox (id) WHERE sent_at IS NULL;
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;

CREATE SEQUENCE cycle_number;
CREATE TABLE cycle (
	number bigint PRIMARY KEY,
	started_at timestamptz NOT NULL,
	finished_at timestamptz,
	result smallint NOT NULL CHECK (result BETWEEN 0 AND 3),
	reason text NOT NULL,
	is_full_scan boolean NOT NULL,
	read_persons bigint NOT NULL,
	read_leads bigint NOT NULL,
	read_contacts bigint NOT NULL,
	created_persons bigint NOT NULL,
	created_leads bigint NOT NULL,
	created_contacts bigint NOT NULL,
	updated_persons bigint NOT NULL,
	updated_leads bigint NOT NULL,
	updated_contacts bigint NOT NULL,
	equal_persons bigint NOT NULL,
	equal_leads bigint NOT NULL,
	equal_contacts bigint NOT NULL,
	failed_persons bigint NOT NULL,
	failed_leads bigint NOT NULL,
	failed_contacts bigint NOT NULL,
	linked bigint NOT NULL,
	collided bigint NOT NULL,
	refused bigint NOT NULL,
	deleted bigint NOT NULL,
	marketo_calls bigint NOT NULL,
	dynamics_calls bigint NOT NULL
);
CREATE INDEX cycle_finished ON cycle (finished_at);
