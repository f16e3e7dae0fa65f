/* Navigation properties as joins: which column and table a name means, and $expand (Microsoft
 * Learn: Join tables using OData). Knows nothing of where rows come from. */
#include "dataverse/join.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t option_length(const char *s, char separator)
{
	int depth = 0;
	size_t len = 0;

	for (; s[len] && (depth || s[len] != separator); len++)
		depth += (s[len] == '(') - (s[len] == ')');
	return len;
}

bool join_too_many(struct call *c)
{
	return call_refuse(c, 400, "0x8004430d",
			   "Number of link entities in query exceeded maximum limit.");
}

/* The comma-separated part at a place. */
static const char *part_at(const char *list, int place, size_t *ret_len)
{
	while (place-- > 0 && *list) {
		list += strcspn(list, ",");
		list += *list == ',';
	}
	*ret_len = strcspn(list, ",");
	return list;
}

static bool join_allowed(struct call *c, const struct table *t, const char *name, size_t len,
			 struct join *ret, const char *target, size_t target_len)
{
	ret->table = store_table_of_name(&c->dataverse->store, target, target_len);
	if (!ret->table)
		return call_refuse(c, 501, ODATA_ERROR, "Rows of '%.*s' are not offered here.",
				   (int)target_len, target);
	if (!value_readable(c, t, ret->column))
		return call_refuse(
			c, 403, "0x8004f506",
			"Caller user does not have read permissions to a %.*s secured field on entity %s. The "
			"requested operation could not be completed.",
			(int)len, name, t->def->logical_name);
	return user_may(c->user, ret->table, RIGHT_READ, &c->failure);
}

bool join_find(struct call *c, const struct table *t, const char *name, size_t len,
	       struct join *ret)
{
	for (uint16_t i = 0; i < t->column_count; i++) {
		const struct column_def *def = t->columns[i].def;
		int place;
		const char *target;
		size_t target_len;

		if (t->columns[i].dropped || (place = lookup_navigation(def, name, len)) < 0)
			continue;
		if (strchr(def->targets, ',') && !strchr(def->navigation, ','))
			return call_refuse(
				c, 501, ODATA_ERROR,
				"'%s' leads to rows of several tables, which is not offered here.",
				def->name);
		*ret = (struct join){ .column = i, .target = (char)('0' + place) };
		target = part_at(def->targets, place, &target_len);
		return join_allowed(c, t, name, len, ret, target, target_len);
	}
	return call_refuse(
		c, 400, ODATA_ERROR,
		"Could not find a property named '%.*s' on type 'Microsoft.Dynamics.CRM.%s'.",
		(int)(len < 200 ? len : 200), name, t->def->logical_name);
}

uint32_t join_follow(const struct call *c, const struct table *t, const struct record *r,
		     const struct join *j)
{
	struct scratch scratch;
	struct value v = record_value(&c->dataverse->store, t, r, j->column, &scratch);
	struct guid id;
	uint32_t record;

	if (!v.bytes || *v.bytes != j->target || !guid_parse(v.bytes + 1, v.len - 1, &id))
		return NO_RECORD;
	record = table_find(j->table, &id, false);
	if (record == NO_RECORD || user_depth(c->user, j->table, RIGHT_READ) == DEPTH_GLOBAL ||
	    j->table->records[record].owner == c->user->id)
		return record;
	return NO_RECORD;
}

/* --- $expand --- */

struct expansion {
	char name[64];
	struct join join;
	struct projection projection;
};

void expand_free(struct projection *p)
{
	for (size_t i = 0; i < p->expansion_count; i++)
		expand_free(&p->expansions[i].projection);
	free(p->expansions);
	p->expansions = NULL;
	p->expansion_count = 0;
}

/* $select and $expand between the parentheses; other options have no meaning for a single row. */
static bool read_options(struct call *c, const struct table *t, const char *at, const char *end,
			 struct projection *ret, int *left)
{
	char *select = NULL, *expand = NULL;
	bool good = true;

	while (good && at < end) {
		size_t len = option_length(at, ';');

		if (at + len > end)
			len = (size_t)(end - at);
		if (!select && strncmp(at, "$select=", 8) == 0)
			select = strndup(at + 8, len - 8);
		else if (!expand && strncmp(at, "$expand=", 8) == 0)
			expand = strndup(at + 8, len - 8);
		else
			good = call_refuse(
				c, 400, ODATA_ERROR,
				"The option '%.*s' cannot be used with a single-valued navigation property.",
				(int)(len < 100 ? len : 100), at);
		at += len + 1;
	}
	good = good && select_parse_list(c, t, select, ret) &&
	       expand_parse(c, t, expand, ret, left);
	free(select);
	free(expand);
	return good;
}

static bool read_expansion(struct call *c, const struct table *t, const char *at, size_t len,
			   struct expansion *e, int *left)
{
	size_t name_len = strcspn(at, "(,");
	const char *options = at + name_len;

	if (name_len > len)
		name_len = len;
	if (relation_named(at, name_len, t))
		return call_refuse(c, 501, ODATA_ERROR,
				   "Expanding the collection '%.*s' is not offered here.",
				   (int)name_len, at);
	if (!join_find(c, t, at, name_len, &e->join))
		return false;
	if ((*left)-- == 0)
		return join_too_many(c);
	snprintf(e->name, sizeof(e->name), "%.*s", (int)name_len, at);
	if (name_len == len)
		return read_options(c, e->join.table, "", "", &e->projection, left);
	if (at[len - 1] != ')')
		return call_refuse(c, 400, ODATA_ERROR, "Syntax error in $expand at '%.100s'.", at);
	return read_options(c, e->join.table, options + 1, at + len - 1, &e->projection, left);
}

bool expand_parse(struct call *c, const struct table *t, const char *list, struct projection *p,
		  int *left)
{
	while (list && *list) {
		struct expansion e = { 0 };
		size_t len;
		bool good;

		list += strspn(list, ", ");
		len = option_length(list, ',');
		good = !len || read_expansion(c, t, list, len, &e, left);
		if (!good) {
			expand_free(&e.projection);
			return false;
		}
		list += len;
		if (!len)
			break;
		p->expansions =
			realloc(p->expansions, (p->expansion_count + 1) * sizeof(*p->expansions));
		if (!p->expansions)
			abort();
		p->expansions[p->expansion_count++] = e;
	}
	return true;
}

void expand_context(const struct projection *p, bool comma, struct text *out)
{
	for (size_t i = 0; i < p->expansion_count; i++) {
		const struct expansion *e = &p->expansions[i];

		text_printf(out, "%s%s", comma || i ? "," : "", e->name);
		if (e->projection.all && !e->projection.expansion_count)
			text_puts(out, "()");
		else
			select_context(&e->projection, e->join.table, out);
	}
}

void expand_write(struct call *c, const struct table *t, const struct record *r,
		  const struct projection *p, struct text *out)
{
	for (size_t i = 0; i < p->expansion_count; i++) {
		const struct expansion *e = &p->expansions[i];
		uint32_t record = join_follow(c, t, r, &e->join);

		text_printf(out, ",\"%s\":", e->name);
		if (record == NO_RECORD)
			text_puts(out, "null");
		else
			select_write(c, e->join.table, record, &e->projection, out);
	}
}
