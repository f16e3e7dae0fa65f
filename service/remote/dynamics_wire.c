/* Rows, column lists, filters and cursors; see dynamics_wire.h. The values of columns are in
 * dynamics_value.c. */
#include "remote/dynamics_wire.h"

#include "remote/json.h"

static const struct {
	const char *set, *id;
} tables[TABLE_COUNT] = {
	[TABLE_LEAD] = { "leads", "leadid" },
	[TABLE_CONTACT] = { "contacts", "contactid" },
};

/* The name of the row a look-up points to ("Microsoft Learn: Query data using the Web API, request
 * formatted values"). */
#define LABEL "@OData.Community.Display.V1.FormattedValue"

/* Read whatever is mapped. */
static const char *const always[] = { "versionnumber", "statecode", "merged", "_masterid_value" };

const char *dynamics_set_name(enum table t)
{
	return tables[t].set;
}

const char *dynamics_id_column(enum table t)
{
	return tables[t].id;
}

int64_t dynamics_version(struct str etag)
{
	int64_t version;

	if (str_starts(etag, STR("W/")))
		etag = (struct str){ etag.p + 2, etag.n - 2 };
	if (etag.n >= 2 && etag.p[0] == '"' && etag.p[etag.n - 1] == '"')
		etag = (struct str){ etag.p + 1, etag.n - 2 };
	return str_int64(etag, 1, INT64_MAX, &version) ? version : 0;
}

/* ---- projections ---- */

static bool is_selected(const struct buf *list, struct str name)
{
	struct str rest = buf_str(list);

	while (rest.n)
		if (str_equal(str_cut(&rest, ','), name))
			return true;
	return false;
}

static void select_column(struct buf *list, struct str name)
{
	if (is_selected(list, name))
		return;
	if (list->len)
		buf_char(list, ',');
	buf_url(list, name);
}

void dynamics_project(const struct mapping *m, enum table t, bool has_origin, struct arena *a,
		      struct dynamics_projection *ret)
{
	CLEANUP(buf_release) struct buf list = { 0 };

	*ret = (struct dynamics_projection){ .mapping = m, .table = t };
	ret->selection = m->selection[t] + has_origin;
	ret->names = arena_array(a, m->count ? m->count : 1, sizeof(*ret->names));
	for (size_t i = 0; i < m->count; i++) {
		const struct column *c = m->fields[i].column[t];

		if (!c)
			continue;
		if (c->type == COLUMN_LOOKUP) {
			const char *property = arena_fmt(a, "_" STR_FMT "_value", STR_ARG(c->name));

			select_column(&list, str_of(property));
			ret->names[i] = arena_fmt(a, "%s" LABEL, property);
			ret->has_labels = true;
			continue;
		}
		ret->names[i] = arena_text(a, c->name);
		select_column(&list, c->name);
	}
	if (m->filter[t]) {
		ret->filter = arena_text(a, m->filter[t]->name);
		select_column(&list, m->filter[t]->name);
	}
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		select_column(&list, str_of(always[i]));
	if (has_origin)
		select_column(&list, STR("_originatingleadid_value"));
	ret->select = arena_text(a, buf_str(&list));
}

/* ---- rows ---- */

static bool read_guid(struct json_object *row, const char *name, struct guid *ret)
{
	struct str text;

	return json_get_string(row, name, &text) && guid_parse(text, ret);
}

static enum filter_mark read_filter(const struct dynamics_projection *p, struct json_object *row)
{
	bool is_yes;

	if (!p->filter)
		return FILTER_ABSENT;
	if (!json_get_bool(row, p->filter, &is_yes))
		return FILTER_NULL;
	return is_yes ? FILTER_YES : FILTER_NO;
}

/* The name of a row comes as an annotation of the look-up, and does not come at all when the
 * look-up is empty. */
static bool is_empty_lookup(struct json_object *row, const char *name)
{
	struct str property = str_of(name);
	struct json_object *member;
	char text[160];

	if (!str_ends(property, STR(LABEL)))
		return false;
	(void)snprintf(text, sizeof(text), "%.*s", (int)(property.n - strlen(LABEL)), name);
	return json_object_object_get_ex(row, text, &member) && !member;
}

static bool is_choice(const struct column *c)
{
	return c->type == COLUMN_CHOICE || c->type == COLUMN_MULTI_CHOICE;
}

enum err_kind dynamics_row_read(const struct dynamics_projection *p, struct json_object *row,
				struct arena *a, struct record *ret, struct err *err)
{
	const struct mapping *m = p->mapping;
	struct json_object *member;
	struct str etag;
	int64_t number;

	*ret = (struct record){ .table = p->table, .stamp_table = TABLE_PERSON };
	if (!json_object_is_type(row, json_type_object) ||
	    !read_guid(row, tables[p->table].id, &ret->record_id))
		return err_set(err, ERR_RUBBISH, "a row of %s came without its id",
			       tables[p->table].set);
	if (json_get_int64(row, "versionnumber", &number))
		ret->version = number;
	else if (json_get_string(row, "@odata.etag", &etag))
		ret->version = dynamics_version(etag);
	if (json_get_int64(row, "statecode", &number))
		ret->state = (int)number;
	(void)json_get_bool(row, "merged", &ret->is_merged);
	(void)read_guid(row, "_masterid_value", &ret->master_id);
	(void)read_guid(row, "_originatingleadid_value", &ret->origin_id);
	ret->filter = read_filter(p, row);
	ret->values = arena_array(a, m->count ? m->count : 1, sizeof(*ret->values));
	for (size_t i = 0; i < m->count; i++) {
		if (p->names[i] && json_object_object_get_ex(row, p->names[i], &member))
			ret->values[i] = dynamics_value_read(a, &m->fields[i],
							     m->fields[i].column[p->table], member);
		else if (p->names[i] && is_empty_lookup(row, p->names[i]))
			ret->values[i] = (struct value){ .kind = VALUE_EMPTY };
		else
			continue;
		if (ret->values[i].kind == VALUE_UNSEEN && is_choice(m->fields[i].column[p->table]))
			ret->has_unknown_option = true;
	}
	return ERR_NONE;
}

/* The id of a deleted entry is a bare GUID and it has no etag. */
bool dynamics_row_is_deleted(struct json_object *row)
{
	struct str context;

	return json_get_string(row, "@odata.context", &context) &&
	       str_ends(context, STR("/$deletedEntity"));
}

/* ---- filters ---- */

/* The list is JSON inside an OData literal, where an apostrophe would end the literal: it goes as
 * \u0027. */
void dynamics_filter_in(struct buf *out, const char *column, const struct str *values, size_t count)
{
	CLEANUP(buf_release) struct buf plain = { 0 };

	buf_fmt(&plain, "Microsoft.Dynamics.CRM.In(PropertyName='%s',PropertyValues=[", column);
	for (size_t i = 0; i < count; i++) {
		CLEANUP(buf_release) struct buf quoted = { 0 };
		struct str rest;

		buf_json(&quoted, values[i]);
		rest = buf_str(&quoted);
		if (i)
			buf_char(&plain, ',');
		while (memchr(rest.p ? rest.p : "", '\'', rest.n)) {
			buf_add(&plain, str_cut(&rest, '\''));
			buf_text(&plain, "\\u0027");
		}
		buf_add(&plain, rest);
	}
	buf_text(&plain, "])");
	buf_url(out, buf_str(&plain));
}

/* ---- cursors ---- */

static bool read_selection(struct str digits, uint64_t *ret)
{
	uint64_t selection = 0;

	if (digits.n != 16)
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		const char *all = "0123456789abcdef", *at = strchr(all, digits.p[i]);

		if (!at || !*at)
			return false;
		selection = selection << 4 | (uint64_t)(at - all);
	}
	*ret = selection;
	return true;
}

/* "@<version>" or "!<version>-<version>" or nothing. */
static bool read_guard(struct str text, struct dynamics_cursor *ret)
{
	struct str rest, first;

	if (!text.n)
		return true;
	rest = (struct str){ text.p + 1, text.n - 1 };
	first = str_cut(&rest, '-');
	ret->is_guarding = text.p[0] == '!';
	if ((text.p[0] != '@' && !ret->is_guarding) || !str_int64(first, 1, INT64_MAX, &ret->guard))
		return false;
	return ret->is_guarding ? str_int64(rest, ret->guard, INT64_MAX, &ret->guard_end) : !rest.n;
}

/* "<16 hex digits><scan><guard> <url>": scan is a + in the middle of a full scan, guard as above;
 * both may be absent. */
bool dynamics_cursor_read(struct str text, struct dynamics_cursor *ret)
{
	struct dynamics_cursor c = { .url = text };
	struct str head = str_cut(&c.url, ' '), guard;

	if (head.n < 16 || !c.url.n || !read_selection((struct str){ head.p, 16 }, &c.selection))
		return false;
	guard = (struct str){ head.p + 16, head.n - 16 };
	c.is_full_scan = str_starts(guard, STR("+"));
	if (c.is_full_scan)
		guard = (struct str){ guard.p + 1, guard.n - 1 };
	if (!read_guard(guard, &c))
		return false;
	*ret = c;
	return true;
}

struct str dynamics_cursor_print(struct arena *a, const struct dynamics_cursor *c)
{
	CLEANUP(buf_release) struct buf text = { 0 };

	buf_fmt(&text, "%016llx%s", (unsigned long long)c->selection, c->is_full_scan ? "+" : "");
	if (c->is_guarding)
		buf_fmt(&text, "!%lld-%lld", (long long)c->guard, (long long)c->guard_end);
	else if (c->guard)
		buf_fmt(&text, "@%lld", (long long)c->guard);
	buf_char(&text, ' ');
	buf_add(&text, c->url);
	return arena_str(a, buf_str(&text));
}
