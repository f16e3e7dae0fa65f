/* The Marketo side of remote.h from the outside: commands on standard input, one a line; lines of
 * answers on standard output, the last one "ok" or "err KIND CODE HINT FIELD". For scenarios of what
 * only the remote layer can show. Values are shown as fingerprints.
 *     MARKETO_URL=... MARKETO_CLIENT_ID=... MARKETO_CLIENT_SECRET=... marketo_probe */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/fingerprint.h"
#include "remote/marketo.h"

enum { PROBE_WORDS = 4, PROBE_IDS_MAX = 20000, PROBE_STAMP_PARTS = 5 };

static const struct fingerprint_key probe_key = { { 5 } };
static const struct call probe_call = { .lane = LANE_BACKFILL };

struct probe {
	struct remote remote;
	struct mapping *mapping; /* every field of a person that can be mapped */
	struct arena memory;     /* of the mapping */
	struct arena scratch;    /* of the command */
};

/* ---- a mapping of everything ---- */

static bool probe_is_stamp(struct str name)
{
	for (size_t i = 0; i < STAMP_FIELD_COUNT; i++) {
		if (str_equal(name, str_of(stamp_fields[i].name)))
			return true;
	}
	return false;
}

static enum err_kind probe_describe(struct probe *p, struct err *err)
{
	struct schema schemas[TABLE_COUNT] = { { .table = TABLE_PERSON } };
	struct field *fields = arena_array(&p->memory, MAPPING_FIELDS_MAX, sizeof(*fields));
	uint16_t *slots = arena_array(&p->memory, MAPPING_FIELDS_MAX, sizeof(*slots));
	uint16_t n = 0;
	enum err_kind kind = p->remote.ops->describe(p->remote.self, &probe_call, TABLE_PERSON,
						     &p->memory, &schemas[TABLE_PERSON], err);

	if (kind != ERR_NONE)
		return kind;
	for (size_t i = 0; i < schemas[TABLE_PERSON].column_count; i++) {
		const struct column *c = &schemas[TABLE_PERSON].columns[i];

		if (c->type == COLUMN_OTHER || str_equal(c->name, STR("id")) ||
		    probe_is_stamp(c->name) || n == MAPPING_FIELDS_MAX)
			continue;
		slots[n] = n;
		fields[n++] = (struct field){ .name = c->name.p,
					      .column = { c->name.p, c->name.p, c->name.p } };
	}
	schemas[TABLE_LEAD] = schemas[TABLE_CONTACT] = schemas[TABLE_PERSON];
	mapping_free(p->mapping);
	p->mapping =
		mapping_new(&(struct field_set){ .fields = fields, .count = n }, slots, schemas);
	return ERR_NONE;
}

/* ---- answers ---- */

static void probe_person(const struct probe *p, const struct record *r)
{
	char stamp[GUID_TEXT];

	guid_print(&r->record_id, stamp);
	printf("person %" PRId64 " %s %s %d ", r->person_id, stamp, table_name(r->stamp_table),
	       r->stamp_is_deleted);
	for (size_t i = 0; i < p->mapping->count; i++) {
		const struct value *v = &r->values[i];

		printf(",%016" PRIx64, v->kind == VALUE_UNSEEN ? 0 : fingerprint_of(&probe_key, v));
	}
	printf("\n");
}

static void probe_end(enum err_kind kind, const struct err *err)
{
	if (kind == ERR_NONE)
		printf("ok\n");
	else
		printf("err %s %s %" PRId64 " %s\n", err_kind_name(kind),
		       err->code[0] ? err->code : "-", err->retry_after_ms,
		       err->field[0] ? err->field : "-");
}

/* ---- commands ---- */

static enum err_kind probe_start(struct probe *p, const struct str *words, struct err *err)
{
	enum extract_filter filter = str_equal(words[1], STR("created")) ? EXTRACT_CREATED
									 : EXTRACT_UPDATED;
	int64_t from_s = 0, to_s = 0;
	struct str job = { NULL, 0 };
	enum err_kind kind;

	if (!str_int64(words[2], 0, INT64_MAX, &from_s) ||
	    !str_int64(words[3], 0, INT64_MAX, &to_s))
		return err_set(err, ERR_INPUT, "start created|updated FROM TO");
	kind = p->remote.ops->extract_start(p->remote.self, &probe_call, p->mapping, filter, from_s,
					    to_s, &p->scratch, &job, err);
	if (kind == ERR_NONE)
		printf("job " STR_FMT "\n", STR_ARG(job));
	return kind;
}

static enum err_kind probe_poll(struct probe *p, const struct str *words, struct err *err)
{
	struct extract_status s;
	enum err_kind kind =
		p->remote.ops->extract_poll(p->remote.self, &probe_call, words[1], &s, err);

	if (kind == ERR_NONE)
		printf("state %d %" PRIu64 " %" PRIu64 "\n", s.state, s.rows, s.bytes);
	return kind;
}

static enum err_kind probe_read(struct probe *p, const struct str *words, struct err *err)
{
	struct record_list list;
	int64_t from = 0;
	uint64_t at;
	bool is_last;
	enum err_kind kind;

	if (!str_int64(words[2], 0, INT64_MAX, &from))
		return err_set(err, ERR_INPUT, "read JOB AT");
	at = (uint64_t)from;
	kind = p->remote.ops->extract_read(p->remote.self, &probe_call, p->mapping, words[1], &at,
					   &p->scratch, &list, &is_last, err);
	if (kind != ERR_NONE)
		return kind;
	for (size_t i = 0; i < list.count; i++)
		probe_person(p, &list.records[i]);
	printf("at %" PRIu64 " %d\n", at, is_last);
	return ERR_NONE;
}

static enum err_kind probe_cancel(struct probe *p, const struct str *words, struct err *err)
{
	return p->remote.ops->extract_cancel(p->remote.self, &probe_call, words[1], err);
}

static enum err_kind probe_leads(struct probe *p, const struct str *words, struct err *err)
{
	int64_t *ids = arena_array(&p->scratch, PROBE_IDS_MAX, sizeof(*ids));
	struct record **records = arena_array(&p->scratch, PROBE_IDS_MAX, sizeof(*records));
	struct str rest = words[1];
	size_t n = 0;
	enum err_kind kind;

	while (rest.n && n < PROBE_IDS_MAX) {
		if (!str_int64(str_cut(&rest, ','), 1, INT64_MAX, &ids[n++]))
			return err_set(err, ERR_INPUT, "leads ID,ID,...");
	}
	kind = p->remote.ops->read(p->remote.self, &probe_call, p->mapping, TABLE_PERSON, ids, NULL,
				   n, &p->scratch, records, err);
	for (size_t i = 0; kind == ERR_NONE && i < n; i++) {
		if (records[i])
			probe_person(p, records[i]);
	}
	return kind;
}

static enum err_kind probe_oldest(struct probe *p, const struct str *words, struct err *err)
{
	bool is_sure;
	int64_t at_s;
	enum err_kind kind =
		p->remote.ops->oldest(p->remote.self, &probe_call, &at_s, &is_sure, err);

	(void)words;
	if (kind == ERR_NONE)
		printf("oldest %" PRId64 " %d\n", at_s, is_sure);
	return kind;
}

/* ID:GUID:lead|contact:0|1:status */
static bool probe_stamp(struct probe *p, struct str text, struct write *w)
{
	struct stamp *s = arena_alloc(&p->scratch, sizeof(*s));
	struct str part[PROBE_STAMP_PARTS];

	for (size_t i = 0; i < PROBE_STAMP_PARTS; i++)
		part[i] = str_cut(&text, ':');
	s->fields = (1u << STAMP_FIELD_COUNT) - 1;
	s->is_deleted = str_equal(part[3], STR("1"));
	s->status = arena_text(&p->scratch, part[4]);
	s->synced_at_s = 1788098709;
	*w = (struct write){ .operation = WRITE_UPDATE, .table = TABLE_PERSON, .stamp = s };
	return str_int64(part[0], 1, INT64_MAX, &w->person_id) &&
	       guid_parse(part[1], &s->record_id) && table_parse(part[2], &s->table);
}

static enum err_kind probe_import(struct probe *p, const struct str *words, struct err *err)
{
	struct write *writes = arena_array(&p->scratch, PROBE_IDS_MAX, sizeof(*writes));
	struct str rest = words[1], job = { NULL, 0 };
	size_t n = 0;
	enum err_kind kind;

	while (rest.n && n < PROBE_IDS_MAX) {
		if (!probe_stamp(p, str_cut(&rest, ','), &writes[n++]))
			return err_set(err, ERR_INPUT, "import ID:GUID:TABLE:DELETED:STATUS,...");
	}
	kind = p->remote.ops->import_start(p->remote.self, &probe_call, writes, n, &p->scratch,
					   &job, err);
	if (kind == ERR_NONE)
		printf("job " STR_FMT "\n", STR_ARG(job));
	return kind;
}

/* The state; of a finished import also what failed. */
static enum err_kind probe_outcome(struct probe *p, const struct str *words, struct err *err)
{
	struct import_failure_list list = { .count = 0 };
	struct import_status s;
	enum err_kind kind =
		p->remote.ops->import_poll(p->remote.self, &probe_call, words[1], &s, err);

	if (kind == ERR_NONE)
		printf("state %d %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", s.state, s.processed,
		       s.failed, s.warnings);
	if (kind == ERR_NONE && s.state == IMPORT_DONE)
		kind = p->remote.ops->import_failures(p->remote.self, &probe_call, words[1], &s,
						      &p->scratch, &list, err);
	for (size_t i = 0; i < list.count; i++)
		printf("failure %" PRId64 " %d %s %s %s\n", list.failures[i].person_id,
		       list.failures[i].is_warning, err_kind_name(list.failures[i].err.kind),
		       list.failures[i].err.code, list.failures[i].err.field);
	return kind;
}

static void probe_say(void *context, const char *line)
{
	(void)context;
	printf("say %s\n", line);
}

static enum err_kind probe_setup(struct probe *p, const struct str *words, struct err *err)
{
	enum err_kind kind =
		p->remote.ops->setup(p->remote.self, &probe_call, NULL, 0, probe_say, NULL, err);

	(void)words;
	return kind == ERR_NONE ? probe_describe(p, err) : kind;
}

static const struct {
	const char *name;
	enum err_kind (*run)(struct probe *p, const struct str *words, struct err *err);
} probe_commands[] = {
	{ "setup", probe_setup },   { "start", probe_start },   { "poll", probe_poll },
	{ "read", probe_read },     { "cancel", probe_cancel }, { "leads", probe_leads },
	{ "oldest", probe_oldest }, { "import", probe_import }, { "outcome", probe_outcome },
};

static void probe_run(struct probe *p, struct str line)
{
	struct str words[PROBE_WORDS];
	struct err err = { .kind = ERR_NONE, .retry_after_ms = -1 };
	enum err_kind kind = err_set(&err, ERR_INPUT, "there is no such command");

	for (size_t i = 0; i < PROBE_WORDS; i++)
		words[i] = str_cut(&line, ' ');
	for (size_t i = 0; i < ARRAY_LEN(probe_commands); i++) {
		if (str_equal(words[0], str_of(probe_commands[i].name)))
			kind = probe_commands[i].run(p, words, &err);
	}
	probe_end(kind, &err);
	(void)fflush(stdout);
	arena_release(&p->scratch);
}

int main(void)
{
	const struct marketo_settings settings = { .url = getenv("MARKETO_URL"),
						   .client_id = getenv("MARKETO_CLIENT_ID"),
						   .client_secret = getenv("MARKETO_CLIENT_SECRET"),
						   .limits = { .concurrent = 5 } };
	struct probe p = { .mapping = NULL };
	struct err err = { .kind = ERR_NONE };
	struct http *http;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (fingerprint_start(&err) != ERR_NONE || !(http = http_new(&err)))
		return 2;
	if (marketo_new(http, &settings, &p.remote, &err) != ERR_NONE ||
	    probe_describe(&p, &err) != ERR_NONE) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	while ((n = getline(&line, &size, stdin)) > 0)
		probe_run(&p, str_trim((struct str){ line, (size_t)n }));
	free(line);
	p.remote.ops->free(p.remote.self);
	http_free(http);
	mapping_free(p.mapping);
	arena_release(&p.memory);
	return 0;
}
