/* The acts of a scene, one function each, and the words for their outcomes; see act.h. */
#include "act.h"

#include "tests/unit/unit.h"
#include "world.h"

static const struct call call = { .lane = LANE_CHANGES };

/* ---- words ---- */

static struct str word(struct str *rest)
{
	struct str w = str_cut(rest, ' ');

	*rest = str_trim(*rest);
	return w;
}

static enum table table_of(struct str *rest)
{
	struct str name = word(rest);
	enum table t = TABLE_PERSON;

	if (!str_equal(name, STR("person")) && !table_parse(name, &t))
		fail_msg("no such table: " STR_FMT, STR_ARG(name));
	return t;
}

static int64_t number_of(struct str text)
{
	int64_t n = 0;

	if (!str_int64(text, 0, INT64_MAX, &n))
		fail_msg("no number: " STR_FMT, STR_ARG(text));
	return n;
}

static struct guid guid_of(struct str text)
{
	struct guid g = { { 0 } };

	if (!guid_parse(text, &g))
		fail_msg("no GUID: " STR_FMT, STR_ARG(text));
	return g;
}

static void say_guid(struct stage *g, const struct guid *id)
{
	char text[GUID_TEXT];

	guid_print(id, text);
	buf_fmt(&g->out, " %s", text);
}

static void say_kind(struct stage *g, enum err_kind kind, const struct err *err)
{
	if (kind == ERR_NONE) {
		buf_text(&g->out, "ok");
		return;
	}
	buf_text(&g->out, err_kind_name(kind));
	if (err->code[0])
		buf_fmt(&g->out, " code=%s", err->code);
	if (err->field[0])
		buf_fmt(&g->out, " field=%s", err->field);
	if (err->http_status)
		buf_fmt(&g->out, " status=%d", err->http_status);
	if (err->retry_after_ms > 0)
		buf_fmt(&g->out, " retry=%lldms", (long long)err->retry_after_ms);
	buf_text(&g->said, err->text);
	buf_char(&g->said, '\n');
}

/* ERR_NONE is said by what follows. */
static bool say_failure(struct stage *g, enum err_kind kind, const struct err *err)
{
	if (kind == ERR_NONE)
		return false;
	say_kind(g, kind, err);
	buf_char(&g->out, '\n');
	return true;
}

static void say_value(struct stage *g, const struct value *v)
{
	static const char *const names[VALUE_KIND_COUNT] = {
		"unseen", "empty", "boolean", "integer", "decimal", "date", "time", "text",
	};

	buf_fmt(&g->out, " %s", names[v->kind]);
	if (v->kind == VALUE_UNSEEN || v->kind == VALUE_EMPTY)
		return;
	buf_char(&g->out, ' ');
	if (v->kind == VALUE_TEXT)
		buf_json(&g->out, v->text);
	else
		buf_add(&g->out, value_print(&g->memory, v));
}

static void say_values(struct stage *g, const struct record *r)
{
	struct str rest = g->scene->show;

	while (rest.n) {
		struct str name = word(&rest);
		int at = mapping_find(g->mapping, name);

		if (at < 0)
			fail_msg("no such field: " STR_FMT, STR_ARG(name));
		buf_fmt(&g->out, "  " STR_FMT, STR_ARG(name));
		say_value(g, &r->values[at]);
		buf_char(&g->out, '\n');
	}
}

static void say_record(struct stage *g, const struct record *r)
{
	if (r->table == TABLE_PERSON) {
		buf_fmt(&g->out, "person %lld", (long long)r->person_id);
		if (!guid_is_zero(&r->record_id)) {
			buf_fmt(&g->out, " is %s", table_name(r->stamp_table));
			say_guid(g, &r->record_id);
		}
		buf_text(&g->out, r->stamp_is_deleted ? " deleted" : "");
	} else {
		buf_text(&g->out, table_name(r->table));
		say_guid(g, &r->record_id);
		buf_fmt(&g->out, " version %lld state %d", (long long)r->version, r->state);
		buf_text(&g->out, r->has_unknown_option ? " unknown option" : "");
		if (r->is_merged) {
			buf_text(&g->out, " merged into");
			say_guid(g, &r->master_id);
		}
	}
	buf_char(&g->out, '\n');
	say_values(g, r);
}

/* ---- acts ---- */

static void act_identify(struct stage *g)
{
	struct guid organisation = { { 0 } };
	struct err err = { .retry_after_ms = -1 };
	enum err_kind kind = g->remote.ops->identify(g->remote.self, &call, &organisation, &err);

	if (say_failure(g, kind, &err))
		return;
	buf_text(&g->out, "ok");
	if (str_starts(str_of(g->scene->name), STR("dynamics/")))
		say_guid(g, &organisation); /* Marketo's is made of the address, ours here */
	buf_char(&g->out, '\n');
}

static const char *type_name(enum column_type type)
{
	static const char *const names[] = { "text", "boolean", "integer",      "decimal", "date",
					     "time", "choice",  "multi-choice", "lookup",  "other" };

	return names[type];
}

static void say_column(struct stage *g, const struct column *c)
{
	buf_fmt(&g->out, "%s", type_name(c->type));
	if (c->length_max)
		buf_fmt(&g->out, " %u%s", c->length_max,
			c->length_unit == LENGTH_BYTES ? " bytes" : "");
	buf_text(&g->out, c->is_ascii ? " ascii" : "");
	if (c->has_range)
		buf_fmt(&g->out, " %.0f..%.0f", c->min, c->max);
	if (c->scale >= 0)
		buf_fmt(&g->out, " scale %d", c->scale);
	buf_fmt(&g->out, " %s%s%s", c->can_read ? "r" : "-", c->can_create ? "c" : "-",
		c->can_update ? "u" : "-");
	buf_text(&g->out, c->is_secured ? " secured" : "");
	for (size_t i = 0; i < c->option_count; i++) {
		buf_fmt(&g->out, " %d=", c->options[i].value);
		buf_json(&g->out, c->options[i].label);
	}
	buf_char(&g->out, '\n');
}

static void say_columns(struct stage *g, const struct schema *s)
{
	struct str rest = g->scene->show;

	while (rest.n) {
		struct str name = word(&rest);
		const struct column *c = schema_find(s, name);

		buf_fmt(&g->out, "  " STR_FMT " ", STR_ARG(name));
		if (c)
			say_column(g, c);
		else
			buf_text(&g->out, "is not there\n");
	}
}

static void act_describe(struct stage *g)
{
	struct str rest = g->scene->arguments;
	enum table t = table_of(&rest);
	struct schema s = { .table = t };
	struct err err = { .retry_after_ms = -1 };
	enum err_kind kind =
		g->remote.ops->describe(g->remote.self, &call, t, &g->memory, &s, &err);

	if (say_failure(g, kind, &err))
		return;
	buf_fmt(&g->out, "%zu columns\n", s.column_count);
	say_columns(g, &s);
}

static void act_rights(struct stage *g)
{
	struct schema schemas[] = { world_schema(TABLE_LEAD, &g->memory),
				    world_schema(TABLE_CONTACT, &g->memory) };
	bool has_changed = false;
	struct err err = { .retry_after_ms = -1 };
	enum err_kind kind = g->remote.ops->refresh_rights(g->remote.self, &call, schemas, 2,
							   &has_changed, &err);

	if (!say_failure(g, kind, &err))
		buf_text(&g->out, has_changed ? "changed\n" : "as before\n");
	say_columns(g, &schemas[1]);
}

static void say_change(struct stage *g, const struct change *c)
{
	bool is_person = !c->record && guid_is_zero(&c->record_id);

	switch (c->kind) {
	case CHANGE_EDITED:
		buf_text(&g->out, "edited ");
		if (c->record) {
			say_record(g, c->record);
			return;
		}
		buf_fmt(&g->out, "%lld", (long long)c->person_id);
		if (c->now.kind == VALUE_UNSEEN)
			break;
		buf_fmt(&g->out, " %s", g->mapping->fields[c->index].field->name);
		say_value(g, &c->was);
		buf_text(&g->out, " to");
		say_value(g, &c->now);
		break;
	case CHANGE_DELETED:
		buf_text(&g->out, "deleted");
		if (is_person)
			buf_fmt(&g->out, " %lld", (long long)c->person_id);
		else
			say_guid(g, &c->record_id);
		break;
	case CHANGE_MERGED:
		buf_fmt(&g->out, "merged %lld into %lld", (long long)c->person_id,
			(long long)c->winner_id);
		break;
	}
	buf_char(&g->out, '\n');
}

/* The address of a Dynamics cursor, with the origin of the scene. */
static void say_link(struct stage *g, struct str cursor)
{
	struct str url = str_of(g->url);

	(void)str_cut(&cursor, ' ');
	if (str_starts(cursor, url)) {
		buf_add(&g->out, g->scene->origin);
		cursor = (struct str){ cursor.p + url.n, cursor.n - url.n };
	}
	buf_add(&g->out, cursor);
}

/* Pages until the last one, or until an error. */
static void act_changes(struct stage *g)
{
	struct str rest = g->scene->arguments, cursor = { NULL, 0 };
	enum table t = table_of(&rest);
	struct err err = { .retry_after_ms = -1 };
	struct change_page page = { .is_last = false };
	enum err_kind kind = ERR_NONE;

	if (t == TABLE_PERSON)
		kind = g->remote.ops->start_cursor(g->remote.self, &call, 0, &g->memory, &cursor,
						   &err);
	while (kind == ERR_NONE && !page.is_last) {
		kind = g->remote.ops->changes(g->remote.self, &call, g->mapping, t, cursor,
					      &g->memory, &page, &err);
		if (kind != ERR_NONE)
			break;
		buf_fmt(&g->out, "page%s%s\n", page.is_full_scan ? ", full" : "",
			page.is_last ? ", last" : "");
		for (size_t i = 0; i < page.count; i++)
			say_change(g, &page.changes[i]);
		cursor = page.cursor;
	}
	if (say_failure(g, kind, &err) || t == TABLE_PERSON)
		return;
	buf_text(&g->out, "on from ");
	say_link(g, cursor);
	buf_char(&g->out, '\n');
}

static void act_read(struct stage *g)
{
	struct str rest = g->scene->arguments;
	enum table t = table_of(&rest);
	int64_t person_ids[SCENE_LIST_MAX];
	struct guid record_ids[SCENE_LIST_MAX];
	struct record *records[SCENE_LIST_MAX];
	struct err err = { .retry_after_ms = -1 };
	size_t n = 0;
	enum err_kind kind;

	for (; rest.n && n < SCENE_LIST_MAX; n++) {
		if (t == TABLE_PERSON)
			person_ids[n] = number_of(word(&rest));
		else
			record_ids[n] = guid_of(word(&rest));
	}
	kind = g->remote.ops->read(g->remote.self, &call, g->mapping, t, person_ids, record_ids, n,
				   &g->memory, records, &err);
	if (say_failure(g, kind, &err))
		return;
	for (size_t i = 0; i < n; i++) {
		if (records[i])
			say_record(g, records[i]);
		else
			buf_text(&g->out, "not there\n");
	}
}

static void act_find(struct stage *g)
{
	struct str rest = g->scene->arguments, values[SCENE_LIST_MAX];
	enum table t = table_of(&rest);
	bool is_stamp = str_equal(word(&rest), STR("stamp"));
	struct record_list found = { .count = 0 };
	struct err err = { .retry_after_ms = -1 };
	size_t n = 0;
	enum err_kind kind;

	for (; rest.n && n < SCENE_LIST_MAX; n++)
		values[n] = word(&rest);
	kind = g->remote.ops->find(g->remote.self, &call, g->mapping, t,
				   is_stamp ? LOOKUP_STAMP : LOOKUP_EMAIL, values, n, &g->memory,
				   &found, &err);
	if (say_failure(g, kind, &err))
		return;
	buf_fmt(&g->out, "%zu found\n", found.count);
	if (found.crowded_count)
		buf_fmt(&g->out, "%zu crowded\n", found.crowded_count);
	for (size_t i = 0; i < found.count; i++)
		say_record(g, &found.records[i]);
}

/* "create contact GUID title=CTO phone=", "update contact GUID@7718123 ...", "update person 90211
 * ..." */
static void parse_write(struct stage *g, struct str text, struct write *w)
{
	struct field_write *all = arena_array(&g->memory, SCENE_LIST_MAX, sizeof(*all));
	bool is_create = str_equal(word(&text), STR("create"));
	struct str key;

	*w = (struct write){ .operation = is_create ? WRITE_CREATE : WRITE_UPDATE,
			     .table = table_of(&text),
			     .fields = all };
	key = word(&text);
	if (w->table == TABLE_PERSON && !is_create) {
		w->person_id = number_of(key);
	} else {
		w->record_id = guid_of(str_cut(&key, '@'));
		w->version = key.n ? number_of(key) : 0;
	}
	while (text.n) {
		struct str value = word(&text), name = str_cut(&value, '=');
		int at = mapping_find(g->mapping, name);
		struct field_write *f = &all[w->field_count++];

		if (at < 0)
			fail_msg("no such field: " STR_FMT, STR_ARG(name));
		f->index = (uint16_t)at;
		assert_int_equal(value_parse(&g->memory, g->mapping->fields[at].kind, value, -1,
					     &f->value, NULL),
				 ERR_NONE);
	}
}

static void say_results(struct stage *g, const struct write_result *results, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_fmt(&g->out, "%zu: ", i + 1);
		say_kind(g, results[i].kind, &results[i].err);
		if (results[i].kind == ERR_NONE && results[i].person_id)
			buf_fmt(&g->out, " person %lld", (long long)results[i].person_id);
		if (results[i].kind == ERR_NONE && results[i].version)
			buf_fmt(&g->out, " version %lld", (long long)results[i].version);
		buf_text(&g->out, results[i].was_created ? " created\n" : "\n");
	}
}

static void act_write(struct stage *g)
{
	struct write writes[SCENE_LIST_MAX];
	struct write_result results[SCENE_LIST_MAX];
	struct err err = { .retry_after_ms = -1 };
	enum err_kind kind;

	for (size_t i = 0; i < g->scene->write_count; i++)
		parse_write(g, g->scene->writes[i], &writes[i]);
	kind = g->remote.ops->write(g->remote.self, &call, g->mapping, writes,
				    g->scene->write_count, results, &err);
	(void)say_failure(g, kind, &err);
	say_results(g, results, g->scene->write_count);
}

/* "activities 90211 90212": one line for each of them. */
static void act_activities(struct stage *g)
{
	struct str rest = g->scene->arguments;
	struct activity all[SCENE_LIST_MAX];
	struct write_result results[SCENE_LIST_MAX];
	struct err err = { .retry_after_ms = -1 };
	size_t n = 0;
	enum err_kind kind;

	while (rest.n && n < SCENE_LIST_MAX)
		all[n++] = (struct activity){ .person_id = number_of(word(&rest)),
					      .at_s = 1788098730,
					      .outcome = "refused",
					      .direction = "Marketo to Dynamics",
					      .entity = "contact",
					      .field = "title",
					      .code = "0x80044331",
					      .message = "The text is too long.",
					      .reference = "1" };
	kind = g->remote.ops->add_activities(g->remote.self, &call, all, n, results, &err);
	(void)say_failure(g, kind, &err);
	say_results(g, results, n);
}

static void act_owner(struct stage *g)
{
	struct guid owner = { { 0 } };
	struct err err = { .retry_after_ms = -1 };
	enum err_kind kind =
		g->remote.ops->find_owner(g->remote.self, &call, g->scene->arguments, &owner, &err);

	if (say_failure(g, kind, &err))
		return;
	buf_text(&g->out, "ok");
	say_guid(g, &owner);
	buf_char(&g->out, '\n');
}

static void act_check(struct stage *g)
{
	struct check_list list = { .count = 0 };

	g->remote.ops->check(g->remote.self, &call, &list);
	for (size_t i = 0; i < list.count; i++)
		buf_fmt(&g->out, "%s: %s\n", list.lines[i].name,
			list.lines[i].is_ok ? "ok" : list.lines[i].advice);
}

void act(struct stage *g)
{
	static const struct {
		const char *name;
		void (*act)(struct stage *g);
	} acts[] = {
		{ "identify", act_identify },
		{ "describe", act_describe },
		{ "rights", act_rights },
		{ "changes", act_changes },
		{ "read", act_read },
		{ "find", act_find },
		{ "write", act_write },
		{ "owner", act_owner },
		{ "activities", act_activities },
		{ "check", act_check },
	};

	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		if (!str_equal(g->scene->act, str_of(acts[i].name)))
			continue;
		acts[i].act(g);
		return;
	}
	fail_msg("no such act: " STR_FMT, STR_ARG(g->scene->act));
}
