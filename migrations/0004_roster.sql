-- Hashes of the e-mail addresses and stamps of all persons, while large tables are read for the first time.
CREATE TABLE roster (hash bigint PRIMARY KEY);
