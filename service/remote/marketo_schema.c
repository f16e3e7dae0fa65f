/* Marketo's person schema: describe, the only call that tells which fields can be written ("Adobe:
 * Leads"), and which of them are the company's where a person belongs to one ("Adobe: Companies").
 * Must not know the mapping. */
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

/* ---- what is the company's ---- */

/* Where the role may not ask ("Adobe: Field List"). */
static const char *const schema_company_fields[] = {
	"company",           "site",
	"website",           "mainPhone",
	"annualRevenue",     "numberOfEmployees",
	"industry",          "sicCode",
	"billingStreet",     "billingCity",
	"billingState",      "billingCountry",
	"billingPostalCode", "mktoCompanyNotes",
};

static void schema_mark_company(struct schema_reading *s, struct str name)
{
	for (size_t i = 0; i < s->count; i++) {
		if (str_equal(s->columns[i].name, name))
			s->columns[i].is_company = true;
	}
}

/* Keys, dates and the owner are a person's own, although a company has them too. */
static enum err_kind schema_company(void *context, struct json_object *element, struct err *err)
{
	struct json_object *fields = json_get_array(element, "fields");
	size_t count = fields ? json_object_array_length(fields) : 0;

	(void)err;
	for (size_t i = 0; i < count; i++) {
		struct json_object *field = json_object_array_get_idx(fields, i);
		struct str name = { NULL, 0 };
		bool can_update = false;

		if (json_get_string(field, "name", &name) &&
		    json_get_bool(field, "updateable", &can_update) && can_update &&
		    !str_starts(name, STR("external")))
			schema_mark_company(context, name);
	}
	return ERR_NONE;
}

static enum err_kind schema_read_company(struct marketo *m, const struct call *call,
					 struct schema_reading *s, struct err *err)
{
	struct marketo_sink sink = { schema_company, NULL, s };
	struct marketo_request r = { .path = "/rest/v1/companies/describe.json",
				     .timeout_ms = MARKETO_OTHER_MS,
				     .permission = "Read-Only Company",
				     .sink = &sink };
	enum err_kind kind = marketo_ask(m, call, &r, err);

	marketo_request_release(&r);
	if (kind != ERR_RIGHTS)
		return kind;
	for (size_t i = 0; i < ARRAY_LEN(schema_company_fields); i++)
		schema_mark_company(s, str_of(schema_company_fields[i]));
	return ERR_NONE;
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
	kind = schema_read_company(self, call, &s, err);
	if (kind != ERR_NONE)
		return kind;
	*ret = (struct schema){ .table = TABLE_PERSON,
				.columns = s.columns,
				.column_count = s.count };
	return ERR_NONE;
}
