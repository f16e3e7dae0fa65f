/* The one table of statements. Parameters only, never text put together; whole units travel as
 * arrays. An alias "name:kind" in a list tells which of the program's names a number stands for
 * (lists.c). */
#include "store/stmt.h"

#define ZERO_GUID "'00000000-0000-0000-0000-000000000000'::uuid"

/* What link_read expects, in order. */
#define LINK_COLUMNS                                                                               \
	"l.entity, l.record_id, l.person_id, l.state, l.generation, l.version,"                    \
	" EXISTS (SELECT FROM stamp_due d"                                                         \
	"  WHERE d.record_id = l.record_id AND d.entity = l.entity),"                              \
	" l.marketo_fp, l.dynamics_fp, l.events,"                                                  \
	" (SELECT string_agg(int2send(p.target) || int4send(p.slot) || int8send(p.fingerprint),"   \
	"  '' ORDER BY p.target, p.slot) FROM parked p"                                            \
	"  WHERE p.record_id = l.record_id AND p.entity = l.entity)"

#define LINK_ARRAYS                                                                                \
	"unnest($1::int4[], $2::uuid[], $3::int8[], $4::int4[], $5::int4[], $6::int8[],"           \
	" $7::bool[], $8::bytea[], $9::bytea[], $10::bytea[]) AS i (entity, record_id, person_id," \
	" state, generation, version, stamp_due, marketo_fp, dynamics_fp, events)"

#define LINK_INSERT                                                                                \
	"INSERT INTO link (entity, record_id, person_id, state, generation, version,"              \
	" marketo_fp, dynamics_fp, events)"                                                        \
	" SELECT entity, record_id, nullif(person_id, 0), state, generation, version,"             \
	" marketo_fp, dynamics_fp, events FROM i"

/* In the order of the table: CYCLE_PUT takes excluded.* for them. */
#define CYCLE_COLUMNS                                                                              \
	"number, started_at, finished_at, result, reason, is_full_scan,"                           \
	" read_persons, read_leads, read_contacts,"                                                \
	" created_persons, created_leads, created_contacts,"                                       \
	" updated_persons, updated_leads, updated_contacts,"                                       \
	" equal_persons, equal_leads, equal_contacts,"                                             \
	" failed_persons, failed_leads, failed_contacts,"                                          \
	" linked, collided, refused, deleted, marketo_calls, dynamics_calls, verified, drifted, late"

/* Every list takes the same eight, used or not: limit, place, person, record, field, state, since,
 * until. */
enum { LIST_PARAMS = 8 };
static const unsigned list_types[LIST_PARAMS] = { 20, 20, 20, 2950, 25, 25, 1184, 1184 };
#define LIST_BY_PERSON "($3 = 0 OR person_id = $3)"
#define LIST_BY_RECORD "($4 = " ZERO_GUID " OR record_id = $4)"
/* Where the person's page is. */
#define PERSON_LINK " CASE WHEN person_id <> 0 THEN '/v1/persons/' || person_id END AS \"person\""
#define LIST_BY_FIELD "($5 = '' OR field = $5)"
#define LIST_SINCE(column) "($7 IS NULL OR " column " >= $7)"
#define LIST_UNTIL(column) "($8 IS NULL OR " column " < $8)"

/* A little at a time, so that no statement runs long: the caller repeats until nothing is left. */
#define CLEAN(table, column)                                                                       \
	"DELETE FROM " table " WHERE ctid = ANY (ARRAY(SELECT ctid FROM " table " WHERE " column   \
	" < now() - make_interval(days => $1::int8::int4) LIMIT 5000))"

#define WRITE(id, count, text) [STATEMENT_##id] = { .name = #id, .sql = text, .params = (count) }
/* A join with arrays: planned for their size and the table's as they are, not as they were when the
 * connection began. */
#define WRITE_PLANNED(id, count, text)                                                             \
	[STATEMENT_##id] = {                                                                       \
		.name = #id, .sql = text, .params = (count), .is_planned_each_time = true          \
	}
#define READ(id, count, text)                                                                      \
	[STATEMENT_##id] = { .name = #id, .sql = text, .params = (count), .is_read = true }
#define LIST(id, text)                                                                             \
	[STATEMENT_LIST_##id] = { .name = "LIST_" #id,                                             \
				  .sql = text,                                                     \
				  .params = LIST_PARAMS,                                           \
				  .is_read = true,                                                 \
				  .is_planned_each_time = true,                                    \
				  .types = list_types }

const struct statement_row statements[STATEMENT_COUNT] = {
	WRITE(MIGRATION_TABLE, 0,
	      "CREATE TABLE IF NOT EXISTS migration"
	      " (number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL"
	      " DEFAULT now())"),
	WRITE(MIGRATION_LOCK, 1, "SELECT pg_advisory_xact_lock($1::int8)"),
	READ(MIGRATION_LAST, 0, "SELECT coalesce(max(number), 0) FROM migration"),
	WRITE(MIGRATION_DONE, 2,
	      "INSERT INTO migration (number, name) VALUES ($1::int8, $2::text)"),

	WRITE(LEADER_LOCK, 1, "SELECT pg_try_advisory_lock($1::int8)"),
	WRITE(LEADER_BEGIN, 0, "UPDATE leader SET fence = fence + 1 RETURNING fence"),
	READ(LEADER_ALIVE, 0, "SELECT fence FROM leader"),
	/* Shared: many commits at once, and a new leader waits until they are through. */
	WRITE(FENCE, 1, "SELECT 1 FROM leader WHERE fence = $1::int8 FOR SHARE"),

	READ(IDENTITY, 0,
	     "SELECT fingerprint_key, marketo_organisation, dynamics_organisation FROM control"),
	WRITE(IDENTITY_KEY, 1,
	      "UPDATE control SET fingerprint_key = $1::bytea WHERE fingerprint_key IS NULL"),
	WRITE(ORGANISATION_MARKETO, 1, "UPDATE control SET marketo_organisation = $1::uuid"),
	WRITE(ORGANISATION_DYNAMICS, 1, "UPDATE control SET dynamics_organisation = $1::uuid"),
	/* Who paused first, and when, stays through repeats. */
	WRITE(PAUSE, 2,
	      "UPDATE control SET is_paused = $1::bool, paused_by = CASE WHEN $1 THEN $2::text"
	      " ELSE '' END,"
	      " paused_at = CASE WHEN $1 THEN now() END WHERE is_paused <> $1"),
	READ(IS_PAUSED, 0, "SELECT is_paused FROM control"),

	READ(SLOTS, 1,
	     "SELECT i.n, f.slot FROM unnest($1::text[]) WITH ORDINALITY AS i (name, n) JOIN"
	     " field_slot f USING (name)"),
	WRITE(SLOTS_LOCK, 0, "LOCK TABLE field_slot IN SHARE ROW EXCLUSIVE MODE"),
	WRITE(SLOTS_ADD, 1,
	      "INSERT INTO field_slot (name, slot)"
	      " SELECT name, (SELECT coalesce(max(slot) + 1, 0) FROM field_slot) + row_number()"
	      " OVER (ORDER BY min(n)) - 1"
	      " FROM unnest($1::text[]) WITH ORDINALITY AS i (name, n)"
	      " WHERE NOT EXISTS (SELECT FROM field_slot f WHERE f.name = i.name) GROUP BY name"),
	READ(CURSOR, 1, "SELECT place FROM cursor WHERE name = $1::text"),
	READ(CURSOR_AGES, 0, "SELECT name, extract(epoch FROM now() - moved_at)::int8 FROM cursor"),
	WRITE(CURSORS_PUT, 2,
	      "INSERT INTO cursor (name, place)"
	      " SELECT DISTINCT ON (name) name, place"
	      " FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS i (name, place, n) ORDER"
	      " BY name, n DESC"
	      " ON CONFLICT (name) DO UPDATE SET place = excluded.place, moved_at = now()"),

	/* LATERAL and OFFSET 0 ask the index once for every id, whatever the planner thought of the
	 * table when the plan was made: that may have been when it was empty. */
	READ(LINKS_BY_RECORD, 2,
	     "SELECT i.n, " LINK_COLUMNS " FROM unnest($2::uuid[]) WITH ORDINALITY AS i (id, n)"
	     " CROSS JOIN LATERAL (SELECT * FROM link t WHERE t.record_id = i.id AND t.entity ="
	     " $1::int8 OFFSET 0) AS l"),
	/* The highest generation, so that the next one makes a GUID that was never used. */
	READ(LINKS_BY_PERSON, 1,
	     "SELECT i.n, " LINK_COLUMNS " FROM unnest($1::int8[]) WITH ORDINALITY AS i (id, n)"
	     " CROSS JOIN LATERAL (SELECT * FROM link t WHERE t.person_id = i.id AND t.state IN"
	     " (0, 1, 4) OFFSET 0) AS l"
	     " UNION ALL "
	     "SELECT i.n, " LINK_COLUMNS " FROM unnest($1::int8[]) WITH ORDINALITY AS i (id, n)"
	     " CROSS JOIN LATERAL (SELECT * FROM link t WHERE t.person_id = i.id AND t.state IN"
	     " (2, 3)"
	     " ORDER BY t.generation DESC, t.state_at DESC LIMIT 1) AS l"
	     " WHERE NOT EXISTS (SELECT FROM link o WHERE o.person_id = i.id AND o.state IN (0,"
	     " 1, 4))"),
	/* Without fingerprints: a stamp needs none, and many may be due. */
	READ(LINKS_DUE, 2,
	     "SELECT 1::int8, l.entity, l.record_id, l.person_id, l.state, l.generation, l.version,"
	     " true, ''::bytea, NULL::bytea, NULL::bytea, NULL::bytea FROM stamp_due s"
	     " JOIN link l ON l.record_id = s.record_id AND l.entity = s.entity"
	     " WHERE s.record_id > $1::uuid AND l.person_id IS NOT NULL AND (l.state IN (1, 4) OR"
	     " (l.state = 2 AND NOT EXISTS (SELECT FROM link o WHERE o.person_id = l.person_id"
	     "  AND o.state IN (0, 1, 4)))) ORDER BY s.record_id LIMIT $2::int8"),
	READ(CLAIMS_STALE, 2,
	     "SELECT 1::int8, " LINK_COLUMNS " FROM link l"
	     " WHERE l.state = 0 AND l.state_at < now() - $1::int8 * interval '1 millisecond'"
	     " ORDER BY l.state_at LIMIT $2::int8"),
	WRITE_PLANNED(
		LINKS_CLAIM, 10,
		"WITH i AS (SELECT * FROM " LINK_ARRAYS "), taken AS (UPDATE link l SET person_id ="
		" nullif(i.person_id, 0), state = i.state, generation = i.generation,"
		" version = i.version, marketo_fp = i.marketo_fp, dynamics_fp = i.dynamics_fp,"
		" events = i.events, state_at = now() FROM i WHERE l.record_id = i.record_id"
		"  AND l.entity = i.entity"
		/* A claim without a person is the cycle's own, which is making that person;
		   only the cycle's claims have their stamp due. */
		"  AND (l.state IN (2, 3) OR (l.state = 0 AND l.person_id IS NULL AND i.stamp_due))"
		"  AND NOT EXISTS (SELECT FROM link o"
		"   WHERE o.person_id = nullif(i.person_id, 0) AND o.state IN (0, 1, 4))"
		"  RETURNING l.entity, l.record_id, coalesce(l.person_id, 0) AS person_id),"
		" inserted AS (" LINK_INSERT
		"  ON CONFLICT DO NOTHING RETURNING entity, record_id, coalesce(person_id, 0) AS"
		" person_id),"
		" claimed AS (SELECT * FROM taken UNION ALL SELECT * FROM inserted),"
		" due AS (INSERT INTO stamp_due (entity, record_id) SELECT c.entity, c.record_id"
		" FROM claimed c"
		"  JOIN i ON i.record_id = c.record_id AND i.entity = c.entity AND i.person_id ="
		" c.person_id"
		"  WHERE i.stamp_due ON CONFLICT DO NOTHING)"
		" SELECT entity, record_id, person_id FROM claimed"),
	WRITE(LINKS_PUT, 10,
	      "WITH i AS (SELECT * FROM " LINK_ARRAYS "),"
	      " due AS (INSERT INTO stamp_due (entity, record_id) SELECT entity, record_id FROM"
	      " i WHERE stamp_due"
	      "  ON CONFLICT DO NOTHING),"
	      " not_due AS (DELETE FROM stamp_due WHERE ctid = ANY (ARRAY(SELECT d.place FROM i"
	      "  CROSS JOIN LATERAL (SELECT ctid AS place FROM stamp_due s WHERE s.record_id ="
	      " i.record_id"
	      "   AND s.entity = i.entity OFFSET 0) AS d WHERE NOT i.stamp_due))) " LINK_INSERT
	      " ON CONFLICT (record_id, entity) DO UPDATE SET person_id = excluded.person_id,"
	      " state = excluded.state,"
	      " generation = excluded.generation, version = excluded.version,"
	      " marketo_fp = excluded.marketo_fp, dynamics_fp = excluded.dynamics_fp,"
	      " events = excluded.events,"
	      " state_at = CASE WHEN link.state = excluded.state AND link.state <> 0 THEN"
	      " link.state_at ELSE now() END"),
	WRITE_PLANNED(
		LINKS_FORGET, 3,
		"WITH i AS (SELECT l.entity, l.record_id FROM unnest($1::int4[], $2::uuid[],"
		" $3::int4[]) AS i (entity, record_id, state) JOIN link l ON l.record_id ="
		" i.record_id AND l.entity = i.entity AND l.state = i.state),"
		" unparked AS (DELETE FROM parked p USING i WHERE p.record_id = i.record_id AND"
		" p.entity = i.entity),"
		" unstamped AS (DELETE FROM stamp_due d USING i WHERE d.record_id = i.record_id"
		" AND d.entity = i.entity)"
		" DELETE FROM link l USING i WHERE l.record_id = i.record_id AND l.entity ="
		" i.entity"),

	/* Not when the link has become another one since: then the stamp that was written is not
	   its stamp. And when the person has another link by now, it is looked at again: whoever
	   reads it sees the wrong stamp. */
	WRITE_PLANNED(LINKS_STAMPED, 4,
		      "WITH i AS (SELECT * FROM unnest($1::int4[], $2::uuid[], $3::int8[],"
		      " $4::int4[]) AS i (entity, record_id, person_id, state)),"
		      " again AS (INSERT INTO dirty_person (person_id, seq) SELECT person_id,"
		      " nextval('dirty_seq') FROM (SELECT DISTINCT i.person_id FROM i JOIN link o ON"
		      "  o.person_id = i.person_id AND o.state IN (0, 1, 4) AND (o.record_id <>"
		      "  i.record_id OR o.entity <> i.entity OR o.state <> i.state)) AS p"
		      " ON CONFLICT (person_id) DO UPDATE SET seq = excluded.seq)"
		      " DELETE FROM stamp_due d USING i JOIN link l ON l.record_id ="
		      " i.record_id AND l.entity = i.entity"
		      "  AND l.person_id = i.person_id AND l.state = i.state"
		      " WHERE d.record_id = i.record_id AND d.entity = i.entity"),

	READ(DIRTY_PERSONS, 3,
	     "SELECT person_id, seq FROM dirty_person WHERE seq > $1::int8 AND seq <= $2::int8"
	     " ORDER BY seq LIMIT $3::int8"),
	READ(DIRTY_RECORDS, 3,
	     "SELECT entity, record_id, seq FROM dirty_record WHERE seq > $1::int8 AND seq <="
	     " $2::int8"
	     " ORDER BY seq LIMIT $3::int8"),
	READ(DIRTY_HIGH, 0,
	     "SELECT greatest((SELECT max(seq) FROM dirty_person), (SELECT max(seq) FROM"
	     " dirty_record), 0)"),
	WRITE(SCAN_CLEAR, 1,
	      "WITH done AS (DELETE FROM scan WHERE entity = $1::int8)"
	      " DELETE FROM scan_shown WHERE entity = $1::int8"),
	WRITE(SCAN_BEGIN, 2,
	      "INSERT INTO scan (entity, total, is_marking) SELECT $1::int8, $2::int8, EXISTS"
	      " (SELECT FROM link WHERE entity = $1::int8 AND state IN (1, 4))"),
	WRITE(SCAN_SHOWN, 2,
	      "INSERT INTO scan_shown (entity, record_id) SELECT DISTINCT $1::int8, id"
	      " FROM unnest($2::uuid[]) AS i (id) WHERE EXISTS (SELECT FROM scan WHERE entity ="
	      " $1::int8 AND is_marking) ON CONFLICT DO NOTHING"),
	WRITE(SCAN_ROWS, 2, "UPDATE scan SET shown = shown + $2::int8 WHERE entity = $1::int8"),
	WRITE_PLANNED(
		SCAN_MARK, 1,
		"INSERT INTO dirty_record (entity, record_id, seq)"
		" SELECT l.entity, l.record_id, nextval('dirty_seq') FROM link l JOIN scan s ON"
		" s.entity = l.entity AND s.is_marking WHERE l.entity = $1::int8 AND l.state IN (1, 4)"
		" AND NOT"
		" EXISTS (SELECT FROM scan_shown v WHERE v.record_id = l.record_id AND v.entity"
		" = l.entity)"
		" ON CONFLICT (record_id, entity) DO UPDATE SET seq = excluded.seq"),
	WRITE(SCAN_PROVEN, 1,
	      "UPDATE proof p SET proven_at = s.began_at, began_at = NULL, place = NULL FROM scan s"
	      " WHERE s.entity = p.entity AND p.entity = $1::int8"),
	READ(PROOFS, 1,
	     "SELECT entity, slice, place, coalesce(proven_at, made_at) FROM proof"
	     " ORDER BY coalesce(proven_at, made_at), entity, slice LIMIT $1::int8"),
	READ(PROOF_LINKS, 4,
	     "SELECT record_id FROM link WHERE record_id > $2::uuid AND record_id <= $3::uuid AND"
	     " entity = $1::int8 AND state = 1 ORDER BY record_id LIMIT $4::int8"),
	/* A proof that was interrupted counts from when it began. */
	WRITE(PROOF_PUT, 4,
	      "UPDATE proof SET proven_at = CASE WHEN $4::bool THEN coalesce(began_at, now()) ELSE"
	      " proven_at END, began_at = CASE WHEN $4 THEN NULL ELSE coalesce(began_at, now()) END,"
	      " place = CASE WHEN $4 THEN NULL ELSE $3::uuid END"
	      " WHERE entity = $1::int8 AND slice = $2::int8"),
	WRITE(PROOF_DOUBT, 0,
	      "UPDATE proof SET proven_at = NULL, made_at = to_timestamp(0), began_at = NULL, place ="
	      " NULL"),
	READ(EVENTS_AMONG, 1,
	     "SELECT i.n FROM unnest($1::int8[]) WITH ORDINALITY AS i (hash, n)"
	     " WHERE EXISTS (SELECT FROM feed_event e WHERE e.hash = i.hash)"),
	WRITE(EVENTS_ADD, 1,
	      "INSERT INTO feed_event (hash) SELECT DISTINCT hash FROM unnest($1::int8[]) AS i (hash)"
	      " ON CONFLICT DO NOTHING"),
	READ(ROSTER_AMONG, 1,
	     "SELECT i.n FROM unnest($1::int8[]) WITH ORDINALITY AS i (hash, n)"
	     " WHERE EXISTS (SELECT FROM roster r WHERE r.hash = i.hash)"),
	WRITE(ROSTER_ADD, 1,
	      "INSERT INTO roster (hash) SELECT DISTINCT hash FROM unnest($1::int8[]) AS i (hash)"
	      " ON CONFLICT DO NOTHING"),
	WRITE(ROSTER_CLEAR, 0, "TRUNCATE roster"),
	READ(OVERWRITES, 1,
	     "SELECT o.person_id, o.slot, o.seen, o.written FROM unnest($1::int8[]) AS i (id)"
	     " CROSS JOIN LATERAL (SELECT * FROM overwrite t WHERE t.person_id = i.id OFFSET 0)"
	     " AS o"),
	WRITE(OVERWRITES_ADD, 4,
	      "INSERT INTO overwrite (person_id, slot, seen, written)"
	      " SELECT DISTINCT ON (person_id, slot, written) person_id, slot, seen, written"
	      " FROM unnest($1::int8[], $2::int4[], $3::int8[], $4::int8[]) AS i (person_id, slot,"
	      " seen, written)"
	      " ON CONFLICT (person_id, slot, written) DO UPDATE SET seen = excluded.seen, at ="
	      " now()"),
	WRITE(OVERWRITES_DONE, 3,
	      "DELETE FROM overwrite o USING unnest($1::int8[], $2::int4[], $3::int8[])"
	      " AS i (person_id, slot, written) WHERE o.person_id = i.person_id AND o.slot ="
	      " i.slot AND o.written = i.written"),
	READ(REQUESTS_AMONG, 1,
	     "SELECT i.n FROM unnest($1::int8[]) WITH ORDINALITY AS i (id, n)"
	     " WHERE EXISTS (SELECT FROM request r WHERE r.person_id = i.id"
	     " AND r.finished_at IS NULL)"),
	READ(DIRTY_AMONG, 1,
	     "SELECT i.n, d.seq FROM unnest($1::int8[]) WITH ORDINALITY AS i (id, n)"
	     " CROSS JOIN LATERAL (SELECT seq FROM dirty_person t WHERE t.person_id = i.id"
	     " OFFSET 0) AS d"),
	WRITE(DIRTY_PERSONS_ADD, 1,
	      "INSERT INTO dirty_person (person_id, seq)"
	      " SELECT id, nextval('dirty_seq') FROM (SELECT DISTINCT id FROM unnest($1::int8[])"
	      " AS i (id) ORDER BY id) AS i"
	      " ON CONFLICT (person_id) DO UPDATE SET seq = excluded.seq"),
	WRITE(DIRTY_RECORDS_ADD, 2,
	      "INSERT INTO dirty_record (entity, record_id, seq)"
	      " SELECT entity, id, nextval('dirty_seq') FROM"
	      " (SELECT DISTINCT id, entity FROM unnest($1::int4[], $2::uuid[]) AS i (entity,"
	      " id) ORDER BY id, entity) AS i"
	      " ON CONFLICT (record_id, entity) DO UPDATE SET seq = excluded.seq"),
	WRITE_PLANNED(
		DIRTY_PERSONS_CLEAN, 2,
		"DELETE FROM dirty_person d USING unnest($1::int8[], $2::int8[]) AS i (id, seq)"
		" WHERE d.person_id = i.id AND d.seq = i.seq"),
	WRITE_PLANNED(
		DIRTY_RECORDS_CLEAN, 3,
		"DELETE FROM dirty_record d USING unnest($1::int4[], $2::uuid[], $3::int8[]) AS"
		" i (entity, id, seq)"
		" WHERE d.record_id = i.id AND d.entity = i.entity AND d.seq = i.seq"),

	WRITE(COLLISIONS_ADD, 8,
	      "INSERT INTO collision (entity, record_id, person_id, field, rule, winner,"
	      " marketo_value, dynamics_value)"
	      " SELECT * FROM unnest($1::int4[], $2::uuid[], $3::int8[], $4::text[], $5::text[],"
	      " $6::int4[], $7::text[],"
	      " $8::text[])"),
	/* Which of them are open already, with the same code: a repeat is no news. */
	READ(ERRORS_KNOWN, 6,
	     "SELECT i.n FROM unnest($1::int4[], $2::uuid[], $3::int8[], $4::int4[], $5::int4[],"
	     " $6::text[]) WITH ORDINALITY AS i (entity, record_id, person_id, target, slot, code,"
	     " n)"
	     " WHERE EXISTS (SELECT FROM error e WHERE e.resolved_at IS NULL"
	     "  AND e.record_id = i.record_id AND e.entity = i.entity"
	     "  AND (CASE WHEN e.record_id = " ZERO_GUID " THEN e.person_id ELSE 0 END)"
	     "   = (CASE WHEN i.record_id = " ZERO_GUID " THEN i.person_id ELSE 0 END)"
	     "  AND e.target = i.target AND e.slot = i.slot AND e.code = i.code)"),
	WRITE(ERRORS_PUT, 12,
	      "WITH i AS (SELECT * FROM unnest($1::int4[], $2::uuid[], $3::int8[], $4::int4[],"
	      " $5::text[], $6::text[],"
	      "  $7::int4[], $8::int8[], $9::text[], $10::text[], $11::text[], $12::text[]) WITH"
	      " ORDINALITY"
	      "  AS i (entity, record_id, person_id, target, operation, field, slot,"
	      " fingerprint, kind, code, message, advice, n)),"
	      " parking AS (INSERT INTO parked (entity, record_id, target, slot, fingerprint)"
	      "  SELECT DISTINCT ON (record_id, entity, target, slot) entity, record_id, target,"
	      " slot, fingerprint"
	      "  FROM i WHERE fingerprint <> 0 AND record_id <> " ZERO_GUID
	      "  ORDER BY record_id, entity, target, slot, n DESC"
	      "  ON CONFLICT (record_id, entity, target, slot) DO UPDATE SET fingerprint ="
	      " excluded.fingerprint)"
	      " INSERT INTO error (entity, record_id, person_id, target, operation, field, slot,"
	      " kind, code, message, advice)"
	      " SELECT DISTINCT ON (record_id, entity, subject, target, slot) entity, record_id,"
	      "  max(person_id) OVER (PARTITION BY record_id, entity, subject, target, slot),"
	      "  target, operation, field, slot, kind, code, message, advice"
	      " FROM (SELECT *, CASE WHEN record_id = " ZERO_GUID
	      " THEN person_id ELSE 0 END AS subject FROM i) AS i"
	      " ORDER BY record_id, entity, subject, target, slot, n DESC"
	      " ON CONFLICT (record_id, entity, (CASE WHEN record_id = " ZERO_GUID
	      " THEN person_id ELSE 0 END), target, slot)"
	      " WHERE resolved_at IS NULL DO UPDATE SET attempts = error.attempts + 1, last_at ="
	      " now(),"
	      " person_id = CASE WHEN excluded.person_id = 0 THEN error.person_id ELSE"
	      " excluded.person_id END,"
	      " operation = excluded.operation, field = excluded.field, kind = excluded.kind,"
	      " code = excluded.code,"
	      " message = excluded.message, advice = excluded.advice"),
	/* What was refused while only the person was known is over when the person's record takes
	   the write. */
	WRITE_PLANNED(
		ERRORS_RESOLVE, 4,
		"WITH i AS (SELECT DISTINCT * FROM unnest($1::int4[], $2::uuid[], $3::int4[],"
		" $4::int4[])"
		"  AS i (entity, record_id, target, slot)),"
		" unparked AS (DELETE FROM parked p USING i WHERE p.record_id = i.record_id AND"
		" p.entity = i.entity"
		"  AND p.target = i.target AND p.slot = i.slot),"
		" of_person AS (UPDATE error e SET resolved_at = now() FROM i"
		"  JOIN link l ON l.record_id = i.record_id AND l.entity = i.entity"
		"  WHERE e.resolved_at IS NULL AND e.record_id = " ZERO_GUID
		" AND e.person_id = l.person_id"
		"  AND e.target = i.target AND e.slot = i.slot)"
		" UPDATE error e SET resolved_at = now() FROM i WHERE e.resolved_at IS NULL"
		"  AND e.record_id = i.record_id AND e.entity = i.entity AND e.target = i.target"
		" AND e.slot = i.slot"
		"  AND i.record_id <> " ZERO_GUID),
	WRITE_PLANNED(
		ERROR_RETRY, 1,
		"WITH e AS (SELECT * FROM error WHERE id = $1::int8 AND resolved_at IS NULL),"
		" halves AS (SELECT e.entity, e.record_id, e.person_id FROM e"
		"  UNION SELECT l.entity, l.record_id, l.person_id FROM e JOIN link l"
		"   ON l.record_id = e.record_id AND l.entity = e.entity"
		"  UNION SELECT l.entity, l.record_id, l.person_id FROM e JOIN link l"
		"   ON l.person_id = e.person_id AND l.state IN (0, 1) WHERE e.record_id ="
		" " ZERO_GUID "),"
		" unparked AS (UPDATE parked p SET fingerprint = 0 FROM e WHERE p.record_id ="
		" e.record_id AND p.entity = e.entity"
		"  AND p.target = e.target AND p.slot = e.slot),"
		" persons AS (INSERT INTO dirty_person (person_id, seq)"
		"  SELECT person_id, nextval('dirty_seq') FROM (SELECT DISTINCT person_id FROM"
		" halves WHERE person_id <> 0) AS p"
		"  ON CONFLICT (person_id) DO UPDATE SET seq = excluded.seq),"
		" records AS (INSERT INTO dirty_record (entity, record_id, seq)"
		"  SELECT entity, record_id, nextval('dirty_seq') FROM (SELECT DISTINCT entity,"
		" record_id FROM halves"
		"   WHERE record_id <> " ZERO_GUID " AND entity IN (1, 2)) AS r"
		"  ON CONFLICT (record_id, entity) DO UPDATE SET seq = excluded.seq)"
		" SELECT count(*) FROM e"),

	/* A repeat takes nothing but the greater hurry. */
	WRITE(REQUESTS_ADD, 14,
	      "INSERT INTO request (id, person_id, sync_as, owner, campaign_id, campaign_name,"
	      " is_trigger, door, outcome,"
	      " entity, record_id, reason, attempts, created_at)"
	      " SELECT id, person_id, sync_as, owner, campaign_id, campaign_name, is_trigger,"
	      " door, outcome,"
	      " entity, record_id, reason, attempts, coalesce(created_at, now())"
	      " FROM unnest($1::uuid[], $2::int8[], $3::int4[], $4::text[], $5::text[],"
	      " $6::text[], $7::bool[], $8::int4[],"
	      " $9::int4[], $10::int4[], $11::uuid[], $12::text[], $13::int4[], $14::timestamptz[])"
	      " AS i (id, person_id, sync_as, owner, campaign_id, campaign_name, is_trigger,"
	      " door, outcome,"
	      " entity, record_id, reason, attempts, created_at)"
	      " ON CONFLICT (person_id) WHERE finished_at IS NULL"
	      " DO UPDATE SET is_trigger = request.is_trigger OR excluded.is_trigger"
	      " RETURNING person_id, id, sync_as, is_trigger, outcome, entity, record_id,"
	      " attempts, created_at"),
	/* Those tried least first: one that always fails holds up nobody (INV-NO-HOSTAGE). */
	READ(REQUESTS_OPEN, 1,
	     "SELECT person_id, id, sync_as, is_trigger, outcome, entity, record_id, attempts,"
	     " created_at,"
	     " door, owner, campaign_id, campaign_name, reason"
	     " FROM request WHERE finished_at IS NULL ORDER BY attempts, number LIMIT $1::int8"),
	/* The first final outcome stays. */
	WRITE_PLANNED(REQUESTS_PUT, 7,
		      "UPDATE request r SET outcome = i.outcome, entity = i.entity, record_id ="
		      " i.record_id, reason = i.reason,"
		      " attempts = i.attempts, finished_at = i.finished_at"
		      " FROM unnest($1::uuid[], $2::int4[], $3::int4[], $4::uuid[], $5::text[],"
		      " $6::int4[], $7::timestamptz[])"
		      " AS i (id, outcome, entity, record_id, reason, attempts, finished_at)"
		      " WHERE r.id = i.id AND r.finished_at IS NULL"),

	READ(OUTBOX, 2,
	     "SELECT id, person_id, at, tries, outcome, direction, entity, record_id, field, code,"
	     " message"
	     " FROM outbox WHERE sent_at IS NULL AND (tried_at IS NULL"
	     "  OR tried_at <= now() - make_interval(secs => $1::int8 / 1000.0))"
	     " ORDER BY tried_at NULLS FIRST, id LIMIT $2::int8"),
	WRITE(OUTBOX_ADD, 9,
	      "INSERT INTO outbox (person_id, at, outcome, direction, entity, record_id, field,"
	      " code, message)"
	      " SELECT person_id, coalesce(at, now()), outcome, direction, entity, record_id,"
	      " field, code, message"
	      " FROM unnest($1::int8[], $2::timestamptz[], $3::text[], $4::text[], $5::text[],"
	      " $6::text[], $7::text[],"
	      " $8::text[], $9::text[]) AS i (person_id, at, outcome, direction, entity,"
	      " record_id, field, code, message)"),
	/* In the order of enum outbox_stage. */
	WRITE_PLANNED(
		OUTBOX_STEPS, 2,
		"UPDATE outbox o SET tried_at = CASE i.stage WHEN 0 THEN NULL WHEN 1 THEN now()"
		" ELSE o.tried_at END,"
		" tries = CASE i.stage WHEN 0 THEN 0 WHEN 1 THEN o.tries + 1 ELSE o.tries END,"
		" sent_at = CASE i.stage WHEN 2 THEN now() END"
		" FROM unnest($1::int8[], $2::int4[]) AS i (id, stage)"
		" WHERE o.id = i.id AND o.sent_at IS NULL"),

	WRITE(CYCLE_NUMBER, 0, "SELECT nextval('cycle_number')"),
	WRITE(CYCLE_PUT, 30,
	      "INSERT INTO cycle (" CYCLE_COLUMNS
	      ") VALUES ($1::int8, $2::timestamptz, $3::timestamptz, $4::int8, $5::text,"
	      " $6::bool, $7::int8, $8::int8, $9::int8, $10::int8, $11::int8, $12::int8,"
	      " $13::int8, $14::int8, $15::int8,"
	      " $16::int8, $17::int8, $18::int8, $19::int8, $20::int8, $21::int8, $22::int8,"
	      " $23::int8, $24::int8, $25::int8,"
	      " $26::int8, $27::int8, $28::int8, $29::int8, $30::int8)"
	      " ON CONFLICT (number) DO UPDATE SET (" CYCLE_COLUMNS ") = (SELECT excluded.*)"),
	READ(CYCLE_LAST, 0, "SELECT " CYCLE_COLUMNS " FROM cycle ORDER BY number DESC LIMIT 1"),

	READ(STATUS, 0,
	     "SELECT is_paused, paused_by, paused_at, (SELECT count(*) FROM error WHERE"
	     " resolved_at IS NULL),"
	     " (SELECT coalesce(sum(change), 0)::int8 FROM link_count WHERE entity = 1),"
	     " (SELECT coalesce(sum(change), 0)::int8 FROM link_count WHERE entity = 2) FROM"
	     " control"),
	/* Waiting to be made: of persons, the claims that have none; of records, the open requests.
	 */
	READ(STATUS_OBJECTS, 0,
	     "SELECT entity, sum(inserts)::int8, sum(updates)::int8, min(oldest) FROM ("
	     " SELECT 0::int8 AS entity, count(*) AS inserts, 0 AS updates, min(state_at) AS oldest"
	     "  FROM link WHERE state = 0 AND person_id IS NULL"
	     " UNION ALL SELECT 0, 0, count(*), min(marked_at) FROM dirty_person"
	     " UNION ALL SELECT sync_as, count(*), 0, min(created_at) FROM request WHERE"
	     " finished_at IS NULL GROUP BY sync_as"
	     " UNION ALL SELECT entity, 0, count(*), min(marked_at) FROM dirty_record GROUP BY"
	     " entity"
	     ") AS waiting GROUP BY entity"),
	READ(STATUS_HOUR, 0,
	     "SELECT coalesce(sum(created_persons), 0)::int8, coalesce(sum(updated_persons),"
	     " 0)::int8,"
	     " coalesce(sum(failed_persons), 0)::int8, coalesce(sum(created_leads), 0)::int8,"
	     " coalesce(sum(updated_leads), 0)::int8, coalesce(sum(failed_leads), 0)::int8,"
	     " coalesce(sum(created_contacts), 0)::int8, coalesce(sum(updated_contacts), 0)::int8,"
	     " coalesce(sum(failed_contacts), 0)::int8 FROM cycle"
	     " WHERE finished_at >= date_trunc('hour', now()) - interval '1 hour' AND"
	     " finished_at < date_trunc('hour', now())"),

	READ(STATUS_SCANS, 0, "SELECT entity, began_at, shown, total FROM scan"),
	READ(STATUS_PROOF, 0, "SELECT min(coalesce(proven_at, to_timestamp(0))) FROM proof"),

	LIST(CYCLES,
	     "SELECT number, number AS \"cycle\", started_at AS \"startedAt\", finished_at AS"
	     " \"finishedAt\","
	     " result AS \"result:cycle\", nullif(reason, '') AS \"reason\", is_full_scan AS"
	     " \"fullScan\","
	     " read_persons AS \"readPersons\", read_leads AS \"readLeads\", read_contacts AS"
	     " \"readContacts\","
	     " created_persons AS \"createdPersons\", created_leads AS \"createdLeads\","
	     " created_contacts AS \"createdContacts\","
	     " updated_persons AS \"updatedPersons\", updated_leads AS \"updatedLeads\","
	     " updated_contacts AS \"updatedContacts\","
	     " equal_persons AS \"equalPersons\", equal_leads AS \"equalLeads\", equal_contacts"
	     " AS \"equalContacts\","
	     " failed_persons AS \"failedPersons\", failed_leads AS \"failedLeads\","
	     " failed_contacts AS \"failedContacts\","
	     " linked, collided, refused, deleted, verified, drifted, late, marketo_calls AS \"marketoCalls\","
	     " dynamics_calls AS \"dynamicsCalls\","
	     " (extract(epoch FROM finished_at - started_at) * 1000)::int8 AS \"milliseconds\""
	     " FROM cycle WHERE number < $2 AND " LIST_SINCE("started_at") " AND " LIST_UNTIL(
		     "started_at") " ORDER BY number DESC LIMIT $1"),
	LIST(ERRORS,
	     "SELECT id, id AS \"id\", first_at AS \"time\", last_at AS \"lastTime\", entity AS"
	     " \"object:table\","
	     " nullif(record_id, " ZERO_GUID
	     ") AS \"recordId\", nullif(person_id, 0) AS \"personId\", operation,"
	     " target AS \"direction:direction\", nullif(field, '') AS \"field\", kind,"
	     " nullif(code, '') AS \"code\", message, nullif(advice, '') AS \"advice\","
	     " attempts, CASE WHEN resolved_at IS NULL THEN 'open' ELSE 'resolved' END AS"
	     " \"state\","
	     " resolved_at AS \"resolvedAt\","
	     " CASE WHEN resolved_at IS NOT NULL THEN 'written since, or no longer wanted'"
	     "  WHEN operation = 'link' THEN 'the person and the record were left as they are'"
	     "  WHEN field <> '' THEN 'this field was left as it is, the others were written'"
	     "  ELSE 'nothing of the record was written' END AS \"fate\"," PERSON_LINK
	     " FROM error WHERE id < $2 AND " LIST_BY_PERSON " AND " LIST_BY_RECORD
	     " AND " LIST_BY_FIELD
	     " AND CASE $6 WHEN 'all' THEN true WHEN 'resolved' THEN resolved_at IS NOT NULL"
	     " ELSE resolved_at IS NULL END"
	     " AND " LIST_SINCE("last_at") " AND " LIST_UNTIL(
		     "first_at") " ORDER BY id DESC LIMIT $1"),
	LIST(COLLISIONS,
	     "SELECT id, id AS \"id\", at AS \"time\", entity AS \"object:table\","
	     " nullif(record_id, " ZERO_GUID
	     ") AS \"recordId\", nullif(person_id, 0) AS \"personId\", field, rule,"
	     " winner AS \"winner:side\", marketo_value AS \"marketoValue\", dynamics_value AS"
	     " \"dynamicsValue\","
	     " CASE winner WHEN 0 THEN 'kept' ELSE 'overwritten' END AS \"marketoFate\","
	     " CASE winner WHEN 1 THEN 'kept' ELSE 'overwritten' END AS \"dynamicsFate\"," PERSON_LINK
	     " FROM collision WHERE id < $2 AND " LIST_BY_PERSON " AND " LIST_BY_RECORD
	     " AND " LIST_BY_FIELD
	     " AND " LIST_SINCE("at") " AND " LIST_UNTIL("at") " ORDER BY id DESC LIMIT $1"),
	LIST(FIELDS,
	     "SELECT -slot::int8, name, slot FROM field_slot WHERE -slot::int8 < $2 AND ($5 = ''"
	     " OR name = $5)"
	     " ORDER BY slot LIMIT $1"),
	LIST(REQUESTS,
	     "SELECT number, id AS \"id\", created_at AS \"time\", person_id AS \"personId\","
	     " sync_as AS \"syncAs:table\","
	     " nullif(coalesce(nullif(campaign_name, ''), campaign_id), '') AS \"campaign\","
	     " CASE WHEN is_trigger THEN 'trigger' ELSE 'batch' END AS \"type\", door AS"
	     " \"door:door\","
	     " outcome AS \"outcome:outcome\", nullif(entity, 0) AS \"entity:table\","
	     " nullif(record_id, " ZERO_GUID
	     ") AS \"recordId\", nullif(reason, '') AS \"reason\", attempts,"
	     " finished_at AS \"finishedAt\""
	     " FROM request WHERE number < $2 AND " LIST_BY_PERSON " AND " LIST_BY_RECORD
	     " AND " LIST_SINCE("created_at") " AND " LIST_UNTIL(
		     "created_at") " ORDER BY number DESC LIMIT $1"),

	WRITE(CLEAN_COLLISIONS, 1, CLEAN("collision", "at")),
	WRITE(CLEAN_ERRORS, 1, CLEAN("error", "resolved_at")),
	WRITE(CLEAN_REQUESTS, 1, CLEAN("request", "finished_at")),
	WRITE(CLEAN_OUTBOX, 1, CLEAN("outbox", "sent_at")),
	WRITE(CLEAN_CYCLES, 1, CLEAN("cycle", "started_at")),
	WRITE(CLEAN_OVERWRITES, 1, CLEAN("overwrite", "at")),
	/* Longer than a look back reaches. */
	WRITE(CLEAN_EVENTS, 0,
	      "DELETE FROM feed_event WHERE hash = ANY (ARRAY(SELECT hash FROM feed_event"
	      " WHERE at < now() - interval '3 hours' LIMIT 50000))"),
	/* Rows that another transaction is folding are left to it. */
	WRITE(FOLD_COUNTS, 0,
	      "WITH folded AS (DELETE FROM link_count WHERE ctid = ANY (ARRAY("
	      "  SELECT ctid FROM link_count FOR UPDATE SKIP LOCKED)) RETURNING entity, change)"
	      " INSERT INTO link_count (entity, change) SELECT entity, sum(change) FROM folded"
	      " GROUP BY entity"),
};
