-- What a person can do about an error, in plain words; empty: nothing special.
ALTER TABLE error ADD COLUMN advice text NOT NULL DEFAULT '';
