/* The round-trip table: for every pair of types a value leaves one side as JSON, becomes canonical,
 * is decided, leaves as the other side's JSON, is read back from there, and is the same again: or
 * its field is refused with a named rule. Prints TAP, a line for each pair of types. Works with the
 * readers, the writers and the rules as they are in the program; must not know how they work. */
#include <stdarg.h>
#include <stdio.h>

#include "core/decide.h"
#include "remote/dynamics_schema.h"
#include "remote/dynamics_wire.h"
#include "remote/marketo_value.h"
#include "tests/oracle/roundtrip.h"

static const struct fingerprint_key trip_key = { { 3 } };
static const struct field trip_field = { .name = "field", .column = { "field", "field", "field" } };
static const struct field_set trip_set = { .fields = &trip_field, .count = 1 };
static const uint16_t trip_slots[] = { 0 };

struct trip_world {
	struct arena arena;
	struct mapping *mapping;
	const struct type_pair *pair;
	const struct trip *trip;
	int mistakes;
};

/* ---- schemas, as the two describe themselves ---- */

static void trip_fail(struct trip_world *w, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void trip_fail(struct trip_world *w, const char *fmt, ...)
{
	va_list args;

	(void)printf("#   %s -> %s, %.120s: ", w->trip ? side_name(w->trip->from) : "types",
		     w->pair->dynamics, w->trip ? w->trip->raw : w->pair->marketo);
	va_start(args, fmt);
	(void)vprintf(fmt, args);
	va_end(args);
	(void)putchar('\n');
	w->mistakes++;
}

static struct json_object *trip_json(const char *text)
{
	struct json_tokener *t = json_tokener_new();
	struct json_object *ret = json_tokener_parse_ex(t, text, (int)strlen(text) + 1);

	if (json_tokener_get_error(t) != json_tokener_success)
		(void)printf("#   this is no JSON: %.200s\n", text);
	json_tokener_free(t);
	return ret;
}

static bool trip_marketo_schema(struct trip_world *w, struct schema *ret)
{
	struct json_object *row =
		trip_json(arena_fmt(&w->arena,
				    "{\"id\":7,\"dataType\":\"%s\"%s,\"rest\":{\"name\":\"field\","
				    "\"readOnly\":false}}",
				    w->pair->marketo, w->pair->marketo_more));
	bool is_read;

	ret->table = TABLE_PERSON;
	ret->columns = arena_array(&w->arena, 1, sizeof(*ret->columns));
	ret->column_count = 1;
	is_read = marketo_column_read(row, &w->arena, ret->columns);
	json_object_put(row);
	return is_read;
}

static bool trip_dynamics_schema(struct trip_world *w, enum table table, struct schema *ret)
{
	bool is_many = !strcmp(w->pair->dynamics, "MultiSelectPicklist");
	struct json_object *row = trip_json(arena_fmt(
		&w->arena,
		"{\"value\":[{\"LogicalName\":\"field\",\"AttributeType\":\"%s\","
		"\"MetadataId\":\"024a2ee3-0000-4000-8000-000000000001\","
		"\"IsValidForRead\":true,\"IsValidForCreate\":true,"
		"\"IsValidForUpdate\":%s}]}",
		is_many ? "Virtual" : w->pair->dynamics, w->pair->is_read_only ? "false" : "true"));
	struct err err = { .kind = ERR_NONE };
	enum err_kind kind = dynamics_schema_base(row, &w->arena, ret, &err);

	ret->table = table;
	json_object_put(row);
	for (size_t i = 0; kind == ERR_NONE && i < dynamics_cast_count; i++) {
		const struct dynamics_cast *cast = dynamics_cast_at(i);

		if (strcmp(dynamics_cast_name(cast), w->pair->dynamics) != 0)
			continue;
		row = trip_json(arena_fmt(&w->arena, "{\"value\":[{\"LogicalName\":\"field\"%s}]}",
					  w->pair->dynamics_more));
		kind = dynamics_schema_cast(cast, row, 1033, &w->arena, ret, &err);
		json_object_put(row);
	}
	if (kind != ERR_NONE)
		trip_fail(w, "the column cannot be described: %s", err.text);
	return kind == ERR_NONE;
}

static bool trip_map(struct trip_world *w)
{
	struct schema schemas[TABLE_COUNT] = { { .table = TABLE_PERSON } };

	if (!trip_marketo_schema(w, &schemas[TABLE_PERSON]) ||
	    !trip_dynamics_schema(w, TABLE_LEAD, &schemas[TABLE_LEAD]) ||
	    !trip_dynamics_schema(w, TABLE_CONTACT, &schemas[TABLE_CONTACT]))
		return false;
	w->mapping = mapping_new(&trip_set, trip_slots, schemas);
	return true;
}

/* ---- reading and writing as the program does ---- */

static struct value trip_read(struct trip_world *w, enum side side, const char *raw)
{
	struct json_object *element =
		trip_json(arena_fmt(&w->arena, "{\"id\":1042,\"field\":%s}", raw));
	struct record *person = NULL;
	struct json_object *field = NULL;
	struct value v = { .kind = VALUE_UNSEEN };

	(void)json_object_object_get_ex(element, "field", &field);
	if (side == SIDE_DYNAMICS)
		v = dynamics_value_read(&w->arena, &w->mapping->fields[0],
					w->mapping->fields[0].column[TABLE_CONTACT], field);
	else if (marketo_person_read(element, w->mapping, &w->arena, &person, NULL) == ERR_NONE)
		v = person->values[0];
	json_object_put(element);
	return v;
}

/* The JSON the write would send, without what surrounds it. */
static const char *trip_print(struct trip_world *w, enum side side, const struct value *v)
{
	static const char before[] = "{\"id\":1042,\"field\":";
	CLEANUP(buf_release) struct buf out = { 0 };
	struct field_write field = { .index = 0, .value = *v };
	struct write write = { .operation = WRITE_UPDATE,
			       .table = TABLE_PERSON,
			       .person_id = 1042,
			       .fields = &field,
			       .field_count = 1 };
	struct err err = { .kind = ERR_NONE };

	if (side == SIDE_DYNAMICS) {
		if (dynamics_value_write(&w->arena, w->mapping->fields[0].column[TABLE_CONTACT], v,
					 &out, &err) != ERR_NONE)
			return arena_fmt(&w->arena, "not written: %s", err.text);
		return arena_text(&w->arena, buf_str(&out));
	}
	marketo_person_print(&write, w->mapping, &out);
	return arena_text(&w->arena,
			  (struct str){ out.data + sizeof(before) - 1, out.len - sizeof(before) });
}

/* ---- one trip ---- */

/* A link of a contact and its two records, from one decision to the next. */
struct trip_link {
	struct link link;
	uint64_t fingerprint[SIDE_COUNT];
	struct value value[SIDE_COUNT];
	struct record record[SIDE_COUNT];
	struct plan plan;
};

static void trip_decide(struct trip_world *w, struct trip_link *l)
{
	struct decide_input in = {
		.mapping = w->mapping, .key = &trip_key, .link = &l->link, .cycle = 1, .now_s = 1
	};

	l->link.table = TABLE_CONTACT;
	l->link.slot_count = 1;
	for (int s = 0; s < SIDE_COUNT; s++) {
		l->link.fingerprint[s] = &l->fingerprint[s];
		l->record[s].values = &l->value[s];
		in.seen[s] = &l->record[s];
	}
	decide(&in, &w->arena, &l->plan);
}

static bool trip_refused(struct trip_world *w, const struct trip_link *l)
{
	const struct plan *p = &l->plan;
	const char *rule = p->refusal_count ? p->refusal[0].err.text : "nothing";

	if (p->write_count[0] || p->write_count[1])
		trip_fail(w, "was written, and should have been refused: %s", w->trip->rule);
	else if (!strstr(rule, w->trip->rule))
		trip_fail(w, "refused by \"%s\" instead of \"%s\"", rule, w->trip->rule);
	else if (strcmp(p->refusal[0].err.field, "field") != 0)
		trip_fail(w, "the refusal blames no field");
	return w->mistakes == 0;
}

/* What was sent is read back: it must be what the plan remembers, and nothing may follow. */
static void trip_back(struct trip_world *w, struct trip_link *l, const char *sent)
{
	enum side from = w->trip->from, to = side_other(from);
	struct value back = trip_read(w, to, sent);

	if (back.kind == VALUE_UNSEEN) {
		trip_fail(w, "%s cannot be read back", sent);
		return;
	}
	if (fingerprint_of(&trip_key, &back) != l->plan.fingerprint[to][0])
		trip_fail(w, "%s comes back as something else than was remembered", sent);
	if (!w->trip->is_respelled && !value_equal(&back, &l->value[from]))
		trip_fail(w, "%s comes back as another value", sent);
	for (int s = 0; s < SIDE_COUNT; s++)
		l->fingerprint[s] = l->plan.fingerprint[s][0];
	l->value[to] = back;
	trip_decide(w, l);
	if (l->plan.write_count[0] || l->plan.write_count[1] || l->plan.refusal_count)
		trip_fail(w, "our own write causes another (INV-NO-ECHO)");
	if (strcmp(trip_print(w, to, &back), sent) != 0)
		trip_fail(w, "%s is written differently the second time", sent);
}

static void trip_run(struct trip_world *w)
{
	enum side from = w->trip->from, to = side_other(from);
	struct trip_link l = { .link = { .state = LINK_LIVE } };
	const char *sent;

	l.value[from] = trip_read(w, from, w->trip->raw);
	l.value[to] = trip_read(w, to, "null");
	for (int s = 0; s < SIDE_COUNT; s++) { /* both have agreed on nothing so far */
		struct value nothing = trip_read(w, (enum side)s, "null");

		l.fingerprint[s] = fingerprint_of(&trip_key, &nothing);
	}
	if (l.value[from].kind == VALUE_UNSEEN) {
		trip_fail(w, "is not seen at all, and nobody is told");
		return;
	}
	trip_decide(w, &l);
	if (w->trip->rule) {
		(void)trip_refused(w, &l);
		return;
	}
	if (l.plan.refusal_count) {
		trip_fail(w, "refused: %s", l.plan.refusal[0].err.text);
		return;
	}
	if (!l.plan.write_count[to]) {
		if (strcmp(w->trip->sent, "nothing") != 0)
			trip_fail(w, "nothing was written instead of %s", w->trip->sent);
		return;
	}
	sent = trip_print(w, to, &l.plan.write[to][0].value);
	if (strcmp(sent, w->trip->sent) != 0)
		trip_fail(w, "writes %.200s instead of %s", sent, w->trip->sent);
	trip_back(w, &l, sent);
}

/* ---- a pair of types ---- */

static bool trip_paused(struct trip_world *w)
{
	const char *reason = w->mapping->paused_count ? w->mapping->paused[0].reason : "";

	if (mapping_active(w->mapping, 0, TABLE_CONTACT))
		trip_fail(w, "travels, and should be paused: %s", w->pair->paused);
	else if (!strstr(reason, w->pair->paused))
		trip_fail(w, "paused for \"%s\" instead of \"%s\"", reason, w->pair->paused);
	return w->mistakes == 0;
}

static bool trip_pair(const struct type_pair *pair, int number)
{
	struct trip_world w = { .pair = pair };
	size_t count = 0;

	if (!trip_map(&w)) {
		w.mistakes++;
	} else if (pair->paused) {
		(void)trip_paused(&w);
	} else if (!mapping_active(w.mapping, 0, TABLE_CONTACT)) {
		trip_fail(&w, "does not travel: %s",
			  w.mapping->paused_count ? w.mapping->paused[0].reason : "?");
	} else {
		for (; pair->trips[count].raw; count++) {
			w.trip = &pair->trips[count];
			trip_run(&w);
		}
	}
	(void)printf("%s %d - Marketo %s and Dynamics %s: %zu values\n",
		     w.mistakes || (!pair->paused && !count) ? "not ok" : "ok", number,
		     pair->marketo, pair->dynamics, count);
	mapping_free(w.mapping);
	arena_release(&w.arena);
	return w.mistakes == 0;
}

int main(void)
{
	struct err err;
	bool is_good = true;

	if (fingerprint_start(&err) != ERR_NONE) {
		(void)fprintf(stderr, "roundtrip: %s\n", err.text);
		return 1;
	}
	for (size_t i = 0; i < type_pair_count; i++)
		is_good = trip_pair(&type_pairs[i], (int)i + 1) && is_good;
	(void)printf("1..%zu\n", type_pair_count);
	return is_good ? 0 : 1;
}
