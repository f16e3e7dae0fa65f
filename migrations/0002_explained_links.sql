-- link.state gets 4, paused: the person and the record stay bound, nothing travels.
ALTER TABLE link DROP CONSTRAINT link_state_check, ADD CONSTRAINT link_state_check CHECK (state BETWEEN 0 AND 4);
DROP INDEX link_person;
CREATE UNIQUE INDEX link_person ON link (person_id) WHERE state IN (0, 1, 4) AND person_id IS NOT NULL;

-- The last write of each field that was written since the link was made, 12 bytes each; null: none.
ALTER TABLE link ADD COLUMN events bytea;
ALTER TABLE link ALTER COLUMN events SET STORAGE EXTERNAL;

-- What a write to Marketo replaced, as far as we knew. Kept until Marketo's change log has told what it really was.
CREATE TABLE overwrite (
	person_id bigint NOT NULL,
	written bigint NOT NULL,
	seen bigint NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	slot integer NOT NULL CHECK (slot BETWEEN 0 AND 65534),
	PRIMARY KEY (person_id, slot, written)
);
CREATE INDEX overwrite_at ON overwrite (at);

-- A full reading of a table tells no deletions: which rows it showed, so that the links of the others can be looked at when
-- it ends. A row in scan while one is under way that began with links in place.
CREATE TABLE scan (
	entity smallint PRIMARY KEY CHECK (entity IN (1, 2)),
	began_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE scan_shown (
	record_id uuid NOT NULL,
	entity smallint NOT NULL CHECK (entity IN (1, 2)),
	PRIMARY KEY (record_id, entity)
);
