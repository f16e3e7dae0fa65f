/* $select, and a row as JSON with what comes unasked: the tag, the key, the currency beside money,
 * the composite beside address parts, annotations when wanted. Knows nothing of which rows are
 * wanted. */
#include <string.h>

#include "dataverse/join.h"

static bool in_projection(const struct projection *p, uint16_t column)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->columns[i] == column)
			return true;
	return false;
}

static void add_column(struct projection *p, uint16_t column)
{
	if (column != NO_COLUMN && !in_projection(p, column) &&
	    p->count < sizeof(p->columns) / sizeof(p->columns[0]))
		p->columns[p->count++] = column;
}

static void add_all(const struct table *t, struct projection *p)
{
	p->all = true;
	for (uint16_t i = 0; i < t->column_count; i++)
		if (!t->columns[i].dropped && (t->columns[i].def->valid & CAN_READ))
			add_column(p, i);
	p->named = p->count;
}

/* Members that arrive without being selected. */
static void add_unasked(const struct table *t, struct projection *p)
{
	for (size_t i = 0; i < p->named; i++) {
		const struct column_def *def = t->columns[p->columns[i]].def;
		char composite[32];

		if (def->type == COLUMN_MONEY)
			add_column(p, t->currency_column);
		if (strncmp(def->name, "address", 7) != 0 || def->name[8] != '_' ||
		    def->type != COLUMN_STRING)
			continue;
		memcpy(composite, def->name, 9);
		memcpy(composite + 9, "composite", sizeof("composite"));
		add_column(p, table_column(t, composite, strlen(composite)));
	}
	add_column(p, t->id_column);
}

bool select_parse_list(struct call *c, const struct table *t, const char *list,
		       struct projection *ret)
{
	const char *at;

	*ret = (struct projection){ 0 };
	if (!list || !*list || strcmp(list, "*") == 0) {
		add_all(t, ret);
		return true;
	}
	for (at = list; *at;) {
		size_t gap = strspn(at, ", "), len;
		uint16_t column;

		at += gap;
		len = strcspn(at, ", ");
		if (!len)
			break;
		column = table_column_of_wire(t, at, len);
		if (column == NO_COLUMN)
			return call_refuse(
				c, 400, ODATA_ERROR,
				"Could not find a property named '%.*s' on type 'Microsoft.Dynamics.CRM.%s'.",
				(int)len, at, t->def->logical_name);
		add_column(ret, column);
		at += len;
	}
	ret->named = ret->count;
	add_unasked(t, ret);
	return true;
}

/* A PATCH passes $expand over (Microsoft Learn: Update and delete table rows). */
bool select_parse(struct call *c, const struct table *t, struct projection *ret)
{
	struct text columns = { 0 }, expand = { 0 };
	int left = JOINS_MAX;
	bool good;

	call_option(c, "$select", &columns);
	if (strcmp(c->request->method, "PATCH") != 0)
		call_option(c, "$expand", &expand);
	good = select_parse_list(c, t, columns.data, ret) &&
	       expand_parse(c, t, expand.data, ret, &left);
	if (!good)
		select_free(ret);
	text_free(&columns);
	text_free(&expand);
	return good;
}

void select_free(struct projection *p)
{
	expand_free(p);
}

void select_context(const struct projection *p, const struct table *t, struct text *out)
{
	size_t named = p->all ? 0 : p->named;

	if (p->all && !p->expansion_count)
		return;
	text_puts(out, "(");
	for (size_t i = 0; i < named; i++)
		text_printf(out, "%s%s", i ? "," : "", t->columns[p->columns[i]].wire);
	expand_context(p, named > 0, out);
	text_puts(out, ")");
}

static void annotate(struct text *out, const struct column *column, const char *name,
		     const char *bytes, size_t len)
{
	text_printf(out, "\"%s@%s\":", column->wire, name);
	text_json_string(out, bytes, len);
	text_add(out, ",", 1);
}

static void write_annotations(struct call *c, const struct column *column, struct value v,
			      struct text *out)
{
	static const char formatted[] = "OData.Community.Display.V1.FormattedValue";
	static const char logical_name[] = "Microsoft.Dynamics.CRM.lookuplogicalname";
	static const char associated[] = "Microsoft.Dynamics.CRM.associatednavigationproperty";
	char target[64], navigation[64];
	struct guid id;

	if (call_wants_annotation(c, formatted)) {
		struct text label = { 0 };

		if (value_formatted(&c->dataverse->store, column, v, &label))
			annotate(out, column, formatted, label.data, label.len);
		text_free(&label);
	}
	if (!v.bytes || !value_is_lookup(column))
		return;
	value_lookup(column, v, target, navigation, sizeof(target), &id);
	if (navigation[0] && call_wants_annotation(c, associated))
		annotate(out, column, associated, navigation, strlen(navigation));
	if (call_wants_annotation(c, logical_name))
		annotate(out, column, logical_name, target, strlen(target));
}

/* The members of the row, from its tag on, without the braces. */
static void write_members(struct call *c, const struct table *t, const struct record *r,
			  const struct projection *p, struct text *out)
{
	bool annotated = call_wants_any_annotation(c);
	struct scratch scratch;

	text_printf(out, "\"@odata.etag\":\"W/\\\"%llu\\\"\"", (unsigned long long)r->version);
	for (size_t i = 0; i < p->count; i++) {
		const struct column *column = &t->columns[p->columns[i]];
		struct value v = record_value(&c->dataverse->store, t, r, p->columns[i], &scratch);

		if (column->secured && !value_readable(c, t, p->columns[i]))
			v = (struct value){ 0 };
		text_add(out, ",", 1);
		if (annotated)
			write_annotations(c, column, v, out);
		text_add(out, column->key, column->key_len);
		value_write(out, column, v);
	}
	expand_write(c, t, r, p, out);
}

void select_write(struct call *c, const struct table *t, uint32_t record,
		  const struct projection *p, struct text *out)
{
	text_add(out, "{", 1);
	write_members(c, t, &t->records[record], p, out);
	text_add(out, "}", 1);
}

void select_answer(struct call *c, const struct table *t, uint32_t record,
		   const struct projection *p, int status)
{
	struct text *out = &c->response->body;

	call_json(c, status);
	call_preferences_applied(c, false);
	web_header(c->response, "ETag", "W/\"%llu\"",
		   (unsigned long long)t->records[record].version);
	text_printf(out, "{\"@odata.context\":\"%s$metadata#%s", c->root.data, t->def->set_name);
	select_context(p, t, out);
	text_puts(out, "/$entity\",");
	if (call_wants_annotation(c, METADATA_VERSION))
		text_printf(out, "\"@" METADATA_VERSION "\":\"%llu\",",
			    (unsigned long long)c->dataverse->metadata_version);
	write_members(c, t, &t->records[record], p, out);
	text_puts(out, "}");
}
