/* What POST /_sandbox/limits can change about the imitated environment: protection limits, token
 * life, metadata, rights on secured columns, plug-ins, duplicate rules, delta tokens. Members not
 * given stay as they are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataverse/dataverse.h"

#define DEFAULT_TRACKING_DAYS 7
#define PAGE_ROWS_MAX 5000

void settings_reset(struct dataverse *d)
{
	d->settings = (struct settings){ .token_seconds = 3599,
					 .dop_hint = 4,
					 .webhook_ms = 60000,
					 .page_rows = PAGE_ROWS_MAX,
					 .tracking_days = DEFAULT_TRACKING_DAYS };
	for (size_t i = 0; i < TABLE_COUNT; i++) /* rules that come published */
		d->settings.duplicate_rules[i] = d->store.tables[i].email_column != NO_COLUMN;
	d->metadata_version = 4839121;
	limiter_reset(d->limiter);
}

struct reading {
	struct dataverse *dataverse;
	struct limits limits;
	struct text *error;
};

static bool wrong(struct reading *r, const char *name, const char *why)
{
	text_printf(r->error, "dynamics.%s: %s", name, why);
	return false;
}

static bool read_number(struct reading *r, const char *name, struct json_object *value,
			int64_t *ret)
{
	double n = json_object_get_double(value);

	if (!json_object_is_type(value, json_type_int) &&
	    !json_object_is_type(value, json_type_double))
		return wrong(r, name, "must be a number");
	if (n < 0 || n > 1e12)
		return wrong(r, name, "is out of range");
	*ret = (int64_t)n;
	return true;
}

static bool read_limit(struct reading *r, const char *name, struct json_object *value)
{
	const struct {
		const char *name;
		int64_t *number;
	} numbers[] = { { "requests", &r->limits.requests },
			{ "executionMs", &r->limits.execution_ms },
			{ "concurrent", &r->limits.concurrent },
			{ "operationMs", &r->limits.operation_ms } };

	if (strcmp(name, "windowSeconds") == 0) {
		double seconds = json_object_get_double(value);

		if (seconds <= 0 || seconds > 86400)
			return wrong(r, name, "must be between 0 and 86400");
		r->limits.window_ms = (int64_t)(seconds * 1000);
		return true;
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(name, numbers[i].name) == 0)
			return read_number(r, name, value, numbers[i].number);
	if (!json_object_is_type(value, json_type_boolean))
		return wrong(r, name, "must be true or false");
	r->limits.enforce = json_object_get_boolean(value);
	return true;
}

static bool read_setting(struct reading *r, const char *name, struct json_object *value)
{
	struct settings *s = &r->dataverse->settings;
	int64_t n;

	if (!read_number(r, name, value, &n))
		return false;
	if (strcmp(name, "tokenSeconds") == 0)
		s->token_seconds = (int)n;
	else if (strcmp(name, "dopHint") == 0)
		s->dop_hint = (int)n;
	else
		s->tracking_days = (int)n;
	if (strcmp(name, "trackingDays") == 0)
		user_set_tracking_days(&r->dataverse->store, (int)n);
	return true;
}

static struct table *table_of(struct reading *r, const char *what, const char *name, size_t len)
{
	struct table *t = store_table_of_name(&r->dataverse->store, name, len);

	if (!t)
		wrong(r, what, "names an unknown table");
	return t;
}

/* Dropped columns are found too, so that a list can name one again. */
static struct column *column_of(struct reading *r, const char *what, struct table *t,
				const char *name)
{
	for (uint16_t i = 0; i < t->column_count; i++)
		if (strcmp(t->columns[i].def->name, name) == 0)
			return &t->columns[i];
	wrong(r, what, "names an unknown column");
	return NULL;
}

/* table.column */
static struct column *column_at(struct reading *r, const char *what, const char *path)
{
	const char *dot = strchr(path, '.');
	struct table *t = dot ? table_of(r, what, path, (size_t)(dot - path)) : NULL;

	if (!dot)
		wrong(r, what, "takes table.column");
	return t ? column_of(r, what, t, dot + 1) : NULL;
}

static bool each_column(struct reading *r, const char *what, struct json_object *tables,
			void (*visit)(struct reading *, struct table *, struct column *, void *),
			void *context)
{
	if (!json_object_is_type(tables, json_type_object))
		return wrong(r, what, "must be an object of lists of columns by table");
	json_object_object_foreach (tables, table, list) {
		struct table *t = table_of(r, what, table, strlen(table));

		if (!t || !json_object_is_type(list, json_type_array))
			return r->error->len ? false : wrong(r, what, "must be lists of columns");
		for (size_t i = 0; i < json_object_array_length(list); i++) {
			const char *name =
				json_object_get_string(json_object_array_get_idx(list, i));
			struct column *c = column_of(r, what, t, name ? name : "");

			if (!c)
				return false;
			visit(r, t, c, context);
		}
	}
	return true;
}

static void secure(struct reading *r, struct table *t, struct column *c, void *context)
{
	(void)r;
	(void)t;
	(void)context;
	c->secured = true;
}

static bool read_secured(struct reading *r, const char *name, struct json_object *value)
{
	for (size_t i = 0; i < TABLE_COUNT; i++)
		for (uint16_t k = 0; k < r->dataverse->store.tables[i].column_count; k++)
			r->dataverse->store.tables[i].columns[k].secured = false;
	return each_column(r, name, value, secure, NULL);
}

static void deny(struct reading *r, struct table *t, struct column *c, void *context)
{
	const struct user *u = context;

	r->dataverse->settings.denied[t->table][c - t->columns] |= (uint8_t)(1u << u->id);
}

static void keep_from_writing(struct reading *r, struct table *t, struct column *c, void *context)
{
	const struct user *u = context;

	r->dataverse->settings.read_only[t->table][c - t->columns] |= (uint8_t)(1u << u->id);
}

static struct user *user_named(struct reading *r, const char *what, const char *name)
{
	for (size_t i = 0; i < USER_COUNT; i++)
		if (strcmp(dataverse_users[i].name, name) == 0)
			return (struct user *)(uintptr_t)&dataverse_users[i];
	wrong(r, what, "names an unknown user");
	return NULL;
}

static bool read_closed(struct reading *r, const char *name, struct json_object *value,
			void (*visit)(struct reading *, struct table *, struct column *, void *))
{
	if (!json_object_is_type(value, json_type_object))
		return wrong(r, name, "must be an object by user");
	json_object_object_foreach (value, user, tables) {
		struct user *found = user_named(r, name, user);

		if (!found || !each_column(r, name, tables, visit, found))
			return false;
	}
	return true;
}

static bool read_denied(struct reading *r, const char *name, struct json_object *value)
{
	memset(r->dataverse->settings.denied, 0, sizeof(r->dataverse->settings.denied));
	return read_closed(r, name, value, deny);
}

static bool read_read_only(struct reading *r, const char *name, struct json_object *value)
{
	memset(r->dataverse->settings.read_only, 0, sizeof(r->dataverse->settings.read_only));
	return read_closed(r, name, value, keep_from_writing);
}

static bool read_user_states(struct reading *r, const char *name, struct json_object *value)
{
	static const char *const states[] = { "enabled", "disabled", "roleless" };

	if (!json_object_is_type(value, json_type_object))
		return wrong(r, name, "must be an object by user");
	json_object_object_foreach (value, user, state) {
		const char *word = json_object_get_string(state);
		struct user *found = user_named(r, name, user);
		size_t i = 0;

		while (found && word && i < 3 && strcmp(states[i], word) != 0)
			i++;
		if (!found || !word || i == 3)
			return found ? wrong(r, name, "takes enabled, disabled or roleless")
				     : false;
		r->dataverse->settings.user_states[found->id] = (enum user_state)i;
		user_set_disabled(&r->dataverse->store, found, i == USER_DISABLED);
	}
	return true;
}

/* By user the number after AADSTS, 0 for none. */
static bool read_token_errors(struct reading *r, const char *name, struct json_object *value)
{
	memset(r->dataverse->settings.token_refusal, 0,
	       sizeof(r->dataverse->settings.token_refusal));
	if (!json_object_is_type(value, json_type_object))
		return wrong(r, name, "must be an object by user");
	json_object_object_foreach (value, user, code) {
		struct user *found = user_named(r, name, user);
		int64_t n = 0;

		if (!found || !read_number(r, name, code, &n))
			return false;
		if (n && !grant_code_known((int)n))
			return wrong(r, name, "takes numbers of errors the token endpoint knows");
		r->dataverse->settings.token_refusal[found->id] = (int)n;
	}
	return true;
}

struct member {
	const char *name;
	char *to;
	size_t size;
};

static bool copy_members(struct reading *r, const char *what, struct json_object *from,
			 const struct member *wanted, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct json_object *value;

		if (!json_object_object_get_ex(from, wanted[i].name, &value) ||
		    !json_object_is_type(value, json_type_string)) {
			text_printf(r->error, "dynamics.%s: needs the text \"%s\"", what,
				    wanted[i].name);
			return false;
		}
		snprintf(wanted[i].to, wanted[i].size, "%s", json_object_get_string(value));
	}
	return true;
}

/* The table and the text column a plug-in is about. */
static bool text_column_exists(struct reading *r, const char *what, const char *table,
			       const char *name)
{
	struct table *t = table_of(r, what, table, strlen(table));
	struct column *c = t ? column_of(r, what, t, name) : NULL;

	if (c && c->def->type != COLUMN_STRING && c->def->type != COLUMN_MEMO)
		return wrong(r, what, "takes a text column");
	return c != NULL;
}

static bool read_reject(struct reading *r, const char *what, struct json_object *from)
{
	struct plugin *p = &r->dataverse->settings.plugin;
	const struct member wanted[] = { { "table", p->table, sizeof(p->table) },
					 { "column", p->column, sizeof(p->column) },
					 { "equals", p->equals, sizeof(p->equals) },
					 { "message", p->message, sizeof(p->message) } };

	struct json_object *status, *code;
	int64_t n = 400;

	if (!copy_members(r, what, from, wanted, sizeof(wanted) / sizeof(wanted[0])))
		return false;
	if (json_object_object_get_ex(from, "status", &status) &&
	    (!read_number(r, what, status, &n) || n < 400 || n > 599))
		return r->error->len ? false : wrong(r, what, "\"status\" is 400 to 599");
	snprintf(p->code, sizeof(p->code), "0x80040265");
	if (json_object_object_get_ex(from, "code", &code))
		snprintf(p->code, sizeof(p->code), "%s", json_object_get_string(code));
	p->status = (int)n;
	p->rejects = true;
	return true;
}

static bool read_rewrite(struct reading *r, const char *what, struct json_object *from)
{
	struct plugin_rewrite *p = &r->dataverse->settings.rewrite;
	char as[16];
	const struct member wanted[] = { { "table", p->table, sizeof(p->table) },
					 { "column", p->column, sizeof(p->column) },
					 { "as", as, sizeof(as) } };

	if (!copy_members(r, what, from, wanted, sizeof(wanted) / sizeof(wanted[0])) ||
	    !text_column_exists(r, what, p->table, p->column))
		return false;
	return plugin_change_named(as, p) || wrong(r, what, "\"as\" is one of trim, upper, lower");
}

static bool read_edit(struct reading *r, const char *what, struct json_object *from)
{
	struct plugin_edit *p = &r->dataverse->settings.edit;
	const struct member wanted[] = { { "table", p->table, sizeof(p->table) },
					 { "column", p->column, sizeof(p->column) },
					 { "value", p->value, sizeof(p->value) } };
	struct json_object *after;

	if (!copy_members(r, what, from, wanted, sizeof(wanted) / sizeof(wanted[0])) ||
	    !text_column_exists(r, what, p->table, p->column))
		return false;
	p->after_s = 0;
	if (json_object_object_get_ex(from, "afterSeconds", &after) &&
	    !read_number(r, what, after, &p->after_s))
		return false;
	p->on = true;
	return true;
}

static bool read_plugin(struct reading *r, const char *name, struct json_object *value)
{
	static const struct {
		const char *name, *what;
		bool (*read)(struct reading *r, const char *what, struct json_object *from);
	} kinds[] = { { "reject", "plugin.reject", read_reject },
		      { "rewrite", "plugin.rewrite", read_rewrite },
		      { "edit", "plugin.edit", read_edit } };
	struct settings *s = &r->dataverse->settings;
	struct json_object *from;

	s->plugin = (struct plugin){ 0 };
	s->rewrite = (struct plugin_rewrite){ 0 };
	s->edit = (struct plugin_edit){ 0 };
	if (!value)
		return true;
	if (!json_object_is_type(value, json_type_object))
		return wrong(r, name, "must be an object");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (json_object_object_get_ex(value, kinds[i].name, &from) && from &&
		    !kinds[i].read(r, kinds[i].what, from))
			return false;
	return true;
}

static bool read_duplicate_rules(struct reading *r, const char *name, struct json_object *value)
{
	bool *rules = r->dataverse->settings.duplicate_rules;

	if (!json_object_is_type(value, json_type_array))
		return wrong(r, name, "must be a list of tables");
	memset(rules, 0, sizeof(r->dataverse->settings.duplicate_rules));
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		const char *table = json_object_get_string(json_object_array_get_idx(value, i));
		struct table *t = table_of(r, name, table ? table : "", table ? strlen(table) : 0);

		if (!t || t->email_column == NO_COLUMN)
			return t ? wrong(r, name, "takes tables with an e-mail address") : false;
		rules[t->table] = true;
	}
	return true;
}

static bool read_webhook_time(struct reading *r, const char *name, struct json_object *value)
{
	double seconds = json_object_get_double(value);

	if (seconds <= 0 || seconds > 600)
		return wrong(r, name, "must be between 0 and 600");
	r->dataverse->settings.webhook_ms = (int)(seconds * 1000);
	return true;
}

static bool read_page_rows(struct reading *r, const char *name, struct json_object *value)
{
	int64_t n;

	if (!read_number(r, name, value, &n))
		return false;
	if (n < 1 || n > PAGE_ROWS_MAX)
		return wrong(r, name, "must be between 1 and 5000");
	r->dataverse->settings.page_rows = (int)n;
	return true;
}

static bool read_delta_token(struct reading *r, const char *name, struct json_object *value)
{
	const char *page = json_object_get_string(value);
	bool last = page && strcmp(page, "last") == 0;

	if (!last && (!page || strcmp(page, "first") != 0))
		return wrong(r, name, "must be \"first\" or \"last\"");
	r->dataverse->settings.delta_token_last = last;
	return true;
}

static bool read_lengths(struct reading *r, const char *name, struct json_object *value)
{
	if (!json_object_is_type(value, json_type_object))
		return wrong(r, name, "must be an object of lengths by table.column");
	json_object_object_foreach (value, path, length) {
		struct column *c = column_at(r, name, path);
		int64_t n = 0;

		if (!c || !read_number(r, name, length, &n))
			return false;
		c->max_length = (uint32_t)n;
	}
	return true;
}

/* The column people mark what takes part with. */
static bool read_filter_column(struct reading *r, const char *name, struct json_object *value)
{
	bool there = json_object_get_boolean(value);

	if (!json_object_is_type(value, json_type_boolean))
		return wrong(r, name, "must be true or false");
	for (size_t i = 0; i < TABLE_COUNT; i++)
		for (uint16_t k = 0; k < r->dataverse->store.tables[i].column_count; k++) {
			struct column *c = &r->dataverse->store.tables[i].columns[k];

			c->dropped = c->def->added_later ? !there : c->dropped;
		}
	r->dataverse->settings.filter_column = there;
	return true;
}

static bool read_dropped(struct reading *r, const char *name, struct json_object *value)
{
	if (!json_object_is_type(value, json_type_array))
		return wrong(r, name, "must be a list of table.column");
	for (size_t i = 0; i < TABLE_COUNT; i++)
		for (uint16_t k = 0; k < r->dataverse->store.tables[i].column_count; k++) {
			struct column *c = &r->dataverse->store.tables[i].columns[k];

			c->dropped = c->def->added_later && !r->dataverse->settings.filter_column;
		}
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		const char *path = json_object_get_string(json_object_array_get_idx(value, i));
		struct column *c = column_at(r, name, path ? path : "");

		if (!c)
			return false;
		c->dropped = true;
	}
	return true;
}

static const struct {
	const char *name;
	bool (*read)(struct reading *r, const char *name, struct json_object *value);
	bool metadata; /* the schema's version moves */
} members[] = {
	{ "enforce", read_limit, false },
	{ "requests", read_limit, false },
	{ "windowSeconds", read_limit, false },
	{ "executionMs", read_limit, false },
	{ "concurrent", read_limit, false },
	{ "operationMs", read_limit, false },
	{ "tokenSeconds", read_setting, false },
	{ "dopHint", read_setting, false },
	{ "trackingDays", read_setting, false },
	{ "secured", read_secured, true },
	{ "denied", read_denied, false },
	{ "readOnly", read_read_only, false },
	{ "users", read_user_states, false },
	{ "tokenErrors", read_token_errors, false },
	{ "plugin", read_plugin, false },
	{ "duplicateRules", read_duplicate_rules, false },
	{ "webhookSeconds", read_webhook_time, false },
	{ "pageRows", read_page_rows, false },
	{ "deltaToken", read_delta_token, false },
	{ "maxLength", read_lengths, true },
	{ "dropColumn", read_dropped, true },
	{ "filterColumn", read_filter_column, true },
};

static bool read_member(struct reading *r, const char *name, struct json_object *value)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (strcmp(members[i].name, name) != 0)
			continue;
		r->dataverse->metadata_version += members[i].metadata;
		return members[i].read(r, name, value);
	}
	return wrong(r, name, "is unknown");
}

bool settings_read(struct dataverse *d, const char *json, struct text *error)
{
	struct reading r = { .dataverse = d, .limits = limiter_limits(d->limiter), .error = error };
	struct json_object *body = json_tokener_parse(json);
	bool good = json_object_is_type(body, json_type_object);

	if (!good)
		text_puts(error, "dynamics: must be an object");
	if (good) {
		json_object_object_foreach (body, name, value)
			if (!read_member(&r, name, value)) {
				good = false;
				break;
			}
	}
	if (good)
		limiter_set(d->limiter, &r.limits);
	json_object_put(body);
	return good;
}
