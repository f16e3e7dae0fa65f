/* Marketo's person schema: describe, the only call that tells which fields can be written ("Adobe:
 * Leads"). Must not know the mapping. */
#include "remote/marketo_parts.h"
#include "remote/marketo_value.h"

struct schema_reading {
	struct arena *arena;
	struct column *columns;
	size_t count, cap;
};

static enum err_kind schema_element(void *context, struct json_object *element, struct err *err)
{
	struct schema_reading *s = context;
	struct column column;

	(void)err;
	if (!marketo_column_read(element, s->arena, &column))
		return ERR_NONE;
	if (s->count == s->cap) {
		struct column *old = s->columns;

		s->cap = s->cap ? s->cap * 2 : 256;
		s->columns = arena_array(s->arena, s->cap, sizeof(*s->columns));
		if (s->count)
			memcpy(s->columns, old, s->count * sizeof(*old));
	}
	s->columns[s->count++] = column;
	return ERR_NONE;
}

static void schema_restart(void *context)
{
	struct schema_reading *s = context;

	s->count = 0;
}

enum err_kind marketo_describe(void *self, const struct call *call, enum table table,
			       struct arena *a, struct schema *ret, struct err *err)
{
	struct schema_reading s = { .arena = a };
	struct marketo_sink sink = { schema_element, schema_restart, &s };
	struct marketo_request r = { .path = "/rest/v1/leads/describe.json",
				     .timeout_ms = MARKETO_OTHER_MS,
				     .permission = "Read-Only Lead",
				     .sink = &sink };
	enum err_kind kind;

	if (table != TABLE_PERSON)
		return err_set(err, ERR_OURS, "Marketo has no table %s", table_name(table));
	kind = marketo_ask(self, call, &r, err);
	marketo_request_release(&r);
	if (kind != ERR_NONE)
		return kind;
	if (!s.count)
		return err_set(err, ERR_RUBBISH, "Marketo describes a person without any field");
	*ret = (struct schema){ .table = TABLE_PERSON,
				.columns = s.columns,
				.column_count = s.count };
	return ERR_NONE;
}
