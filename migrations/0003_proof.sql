-- A table that is read from the start: how far it is, and whether links were in place when it began (then those it does not
-- show are looked at when it ends).
ALTER TABLE scan
	ADD COLUMN is_marking boolean NOT NULL DEFAULT true,
	ADD COLUMN shown bigint NOT NULL DEFAULT 0,
	ADD COLUMN total bigint NOT NULL DEFAULT 0;

-- When links were last proven equal. A slice holds the links whose record's id begins with that byte; place is how far its
-- proof under way has come. Apart from link, so that proving writes no link row.
CREATE TABLE proof (
	entity smallint NOT NULL CHECK (entity IN (1, 2)),
	slice smallint NOT NULL CHECK (slice BETWEEN 0 AND 255),
	made_at timestamptz NOT NULL DEFAULT now(),
	proven_at timestamptz,
	began_at timestamptz,
	place uuid,
	PRIMARY KEY (entity, slice)
);
INSERT INTO proof (entity, slice) SELECT entity, slice FROM unnest(ARRAY[1, 2]) AS e (entity), generate_series(0, 255) AS s (slice);

-- Events of Marketo's feed that were taken in, so that a look back tells the late ones. Kept for hours.
CREATE TABLE feed_event (
	hash bigint PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX feed_event_at ON feed_event (at);

ALTER TABLE cycle
	ADD COLUMN verified bigint NOT NULL DEFAULT 0,
	ADD COLUMN drifted bigint NOT NULL DEFAULT 0,
	ADD COLUMN late bigint NOT NULL DEFAULT 0;
