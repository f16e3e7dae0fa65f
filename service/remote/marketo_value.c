/* Persons between Marketo's JSON and canonical values; see marketo_value.h. Types and forms:
 * "Adobe: Field Types" and "Adobe: Leads". Must not know calls, batches or links. */
#include "remote/marketo_value.h"

#include "base/clock.h"

enum {
	MARKETO_STRING_LENGTH = 255,
	MARKETO_TEXT_BYTES = 30000,
};

/* ---- names ---- */

void marketo_change_fields(const struct mapping *m, struct buf *out)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct column *c = m->fields[i].column[TABLE_PERSON];

		if (!c || str_equal(c->name, STR("id")))
			continue;
		buf_text(out, out->len ? "," : "");
		buf_add(out, c->name);
	}
	if (!out->len)
		buf_text(out, "id");
}

void marketo_person_fields(const struct mapping *m, struct buf *out)
{
	/* What is never read is not asked for: the other stamp fields are for people and smart
	 * lists. */
	static const enum stamp_field stamp[] = { STAMP_ID, STAMP_TYPE, STAMP_IS_DELETED };

	marketo_change_fields(m, out);
	buf_text(out, ",id");
	for (size_t i = 0; i < ARRAY_LEN(stamp); i++)
		buf_fmt(out, ",%s", stamp_fields[stamp[i]].name);
}

/* ---- reading ---- */

/* json-c keeps the text of a number as it stood in the answer; no value ever passes through a
 * double. */
static struct str marketo_source(struct json_object *value)
{
	if (json_object_is_type(value, json_type_string))
		return (struct str){ json_object_get_string(value),
				     (size_t)json_object_get_string_len(value) };
	return str_of(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
}

struct value marketo_text_value(const struct str *text, const struct mapped_field *f,
				struct arena *a)
{
	struct value ret;

	/* A boolean that was never set reads as false or is missing. */
	if (!text)
		return f->kind == VALUE_BOOLEAN ? value_boolean(false)
						: (struct value){ .kind = VALUE_EMPTY };
	if (value_parse(a, f->kind, *text, f->scale, &ret, NULL) != ERR_NONE)
		return value_text(a, *text);
	return ret;
}

static struct value marketo_value_read(struct json_object *value, const struct mapped_field *f,
				       struct arena *a)
{
	const struct value unseen = { .kind = VALUE_UNSEEN };
	struct str text;

	switch (json_object_get_type(value)) {
	case json_type_null:
		return marketo_text_value(NULL, f, a);
	case json_type_boolean:
		if (f->kind == VALUE_BOOLEAN)
			return value_boolean(json_object_get_boolean(value));
		break;
	case json_type_string:
	case json_type_int:
	case json_type_double:
		break;
	case json_type_object:
	case json_type_array:
		return unseen;
	}
	text = marketo_source(value);
	return marketo_text_value(&text, f, a);
}

void marketo_stamp_set(struct record *r, struct str record_id, struct str type, bool is_deleted)
{
	if (!guid_parse(str_trim(record_id), &r->record_id))
		r->record_id = (struct guid){ { 0 } };
	if (!table_parse(str_trim(type), &r->stamp_table))
		r->stamp_table = TABLE_PERSON;
	r->stamp_is_deleted = is_deleted;
}

static void marketo_stamp_read(struct json_object *element, struct record *r)
{
	struct str record_id = { NULL, 0 }, type = { NULL, 0 };
	bool is_deleted = false;

	(void)json_get_string(element, stamp_fields[STAMP_ID].name, &record_id);
	(void)json_get_string(element, stamp_fields[STAMP_TYPE].name, &type);
	(void)json_get_bool(element, stamp_fields[STAMP_IS_DELETED].name, &is_deleted);
	marketo_stamp_set(r, record_id, type, is_deleted);
}

enum err_kind marketo_person_read(struct json_object *element, const struct mapping *m,
				  struct arena *a, struct record **ret, struct err *err)
{
	struct record *r;
	int64_t id = 0;

	if (!json_get_int64(element, "id", &id) || id <= 0)
		return err_set(err, ERR_RUBBISH, "a person without an id");
	r = arena_alloc(a, sizeof(*r));
	r->table = TABLE_PERSON;
	r->person_id = id;
	marketo_stamp_read(element, r);
	r->values = arena_array(a, m->count ? m->count : 1, sizeof(*r->values));
	for (size_t i = 0; i < m->count; i++) {
		const struct column *c = m->fields[i].column[TABLE_PERSON];
		struct json_object *value = NULL;

		if (!c)
			continue; /* VALUE_UNSEEN */
		/* The names of columns end with a NUL: mapping and schema live in arenas. */
		(void)json_object_object_get_ex(element, c->name.p, &value);
		r->values[i] = marketo_value_read(value, &m->fields[i], a);
	}
	*ret = r;
	return ERR_NONE;
}

/* The log shows texts for people: times without their zone, long texts perhaps not to their end.
 * Those tell nothing. */
enum { MARKETO_DISPLAY_MAX = 250 };

static struct value marketo_display_read(struct json_object *element, const char *member,
					 const struct mapped_field *f, struct arena *a)
{
	struct json_object *value = NULL;

	(void)json_object_object_get_ex(element, member, &value);
	if (f->kind == VALUE_TIME || f->kind == VALUE_DATE ||
	    (value && json_object_get_string_len(value) > MARKETO_DISPLAY_MAX))
		return (struct value){ .kind = VALUE_UNSEEN };
	return marketo_value_read(value, f, a);
}

bool marketo_field_change_read(struct json_object *element, const struct mapping *m,
			       struct arena *a, struct change *ret)
{
	struct str name;

	if (!json_object_is_type(element, json_type_object) ||
	    !json_get_string(element, "name", &name))
		return false;
	for (size_t i = 0; i < m->count; i++) {
		const struct column *c = m->fields[i].column[TABLE_PERSON];

		if (!c || !str_equal(c->name, name))
			continue;
		ret->index = (uint16_t)i;
		ret->was = marketo_display_read(element, "oldValue", &m->fields[i], a);
		ret->now = marketo_display_read(element, "newValue", &m->fields[i], a);
		return ret->now.kind != VALUE_UNSEEN;
	}
	return false;
}

/* ---- writing ---- */

static void marketo_print_time(struct buf *out, int64_t seconds)
{
	char text[CLOCK_TEXT];

	clock_print(seconds, text);
	buf_json(out, str_of(text));
}

static void marketo_print_date(struct buf *out, int64_t days)
{
	char text[CLOCK_TEXT];

	clock_print_date(days, text);
	buf_json(out, str_of(text));
}

static void marketo_print_text(struct buf *out, const struct value *v)
{
	struct arena scratch = { NULL, 0 };

	buf_json(out, value_print(&scratch, v));
	arena_release(&scratch);
}

static int64_t marketo_day_of(int64_t seconds)
{
	return seconds / 86400 - (seconds % 86400 < 0);
}

static bool marketo_is_number(enum column_type type)
{
	return type == COLUMN_INTEGER || type == COLUMN_DECIMAL;
}

/* In the form the column wants; what does not fit it is sent as text and refused for this record
 * alone. */
static void marketo_value_print(const struct value *v, enum column_type type, struct buf *out)
{
	if (v->kind == VALUE_EMPTY)
		buf_text(out, "null");
	else if (v->kind == VALUE_BOOLEAN && type == COLUMN_BOOLEAN)
		buf_text(out, v->boolean ? "true" : "false");
	else if (v->kind == VALUE_INTEGER && marketo_is_number(type))
		buf_fmt(out, "%lld", (long long)v->number);
	else if (v->kind == VALUE_DECIMAL && marketo_is_number(type))
		buf_add(out, v->text);
	else if (v->kind == VALUE_TIME && type == COLUMN_DATE)
		marketo_print_date(out, marketo_day_of(v->number));
	else if (v->kind == VALUE_DATE && type == COLUMN_TIME)
		marketo_print_time(out, v->number * 86400);
	else if (v->kind == VALUE_TIME)
		marketo_print_time(out, v->number);
	else if (v->kind == VALUE_DATE)
		marketo_print_date(out, v->number);
	else
		marketo_print_text(out, v);
}

static void marketo_name_print(struct str name, struct buf *out)
{
	buf_char(out, ',');
	buf_json(out, name);
	buf_char(out, ':');
}

static void marketo_stamp_print(const struct stamp *s, struct buf *out)
{
	for (unsigned i = 0; i < STAMP_FIELD_COUNT; i++) {
		if (!(s->fields & 1u << i) || i == STAMP_ID)
			continue; /* the GUID comes first, as the key */
		marketo_name_print(str_of(stamp_fields[i].name), out);
		switch ((enum stamp_field)i) {
		case STAMP_TYPE:
			buf_json(out, s->table == TABLE_CONTACT ? STR("Contact") : STR("Lead"));
			break;
		case STAMP_IS_DELETED:
			buf_text(out, s->is_deleted ? "true" : "false");
			break;
		case STAMP_STATUS:
			buf_json(out, str_of(s->status));
			break;
		case STAMP_SYNCED_AT:
			marketo_print_time(out, s->synced_at_s);
			break;
		case STAMP_ID:
		case STAMP_FIELD_COUNT:
			break;
		}
	}
}

static void marketo_guid_print(const struct guid *g, struct buf *out)
{
	char text[GUID_TEXT];

	guid_print(g, text);
	buf_json(out, str_of(text));
}

void marketo_person_print(const struct write *w, const struct mapping *m, struct buf *out)
{
	if (w->operation == WRITE_CREATE) {
		buf_fmt(out, "{\"%s\":", stamp_fields[STAMP_ID].name);
		marketo_guid_print(&w->record_id, out);
	} else {
		buf_fmt(out, "{\"id\":%lld", (long long)w->person_id);
		if (w->stamp && w->stamp->fields & 1u << STAMP_ID) {
			buf_fmt(out, ",\"%s\":", stamp_fields[STAMP_ID].name);
			marketo_guid_print(&w->stamp->record_id, out);
		}
	}
	for (size_t i = 0; i < w->field_count; i++) {
		const struct field_write *f = &w->fields[i];
		const struct column *c = m->fields[f->index].column[TABLE_PERSON];

		marketo_name_print(c->name, out);
		marketo_value_print(&f->value, c->type, out);
	}
	if (w->stamp)
		marketo_stamp_print(w->stamp, out);
	buf_char(out, '}');
}

/* ---- describe ---- */

struct marketo_type {
	const char *name;
	enum column_type type;
	uint32_t length_max;
	enum length_unit length_unit;
	bool is_ascii;
};

static const struct marketo_type marketo_types[] = {
	{ "string", COLUMN_TEXT, MARKETO_STRING_LENGTH, LENGTH_CHARACTERS, false },
	{ "email", COLUMN_TEXT, MARKETO_STRING_LENGTH, LENGTH_CHARACTERS, true },
	{ "phone", COLUMN_TEXT, MARKETO_STRING_LENGTH, LENGTH_CHARACTERS, false },
	{ "url", COLUMN_TEXT, MARKETO_STRING_LENGTH, LENGTH_CHARACTERS, false },
	{ "text", COLUMN_TEXT, MARKETO_TEXT_BYTES, LENGTH_BYTES, false },
	{ "textarea", COLUMN_TEXT, MARKETO_TEXT_BYTES, LENGTH_BYTES, false },
	{ "integer", COLUMN_INTEGER, 0, LENGTH_CHARACTERS, false },
	{ "score", COLUMN_INTEGER, 0, LENGTH_CHARACTERS, false },
	{ "percent", COLUMN_INTEGER, 0, LENGTH_CHARACTERS, false },
	{ "float", COLUMN_DECIMAL, 0, LENGTH_CHARACTERS, false },
	{ "currency", COLUMN_DECIMAL, 0, LENGTH_CHARACTERS, false },
	{ "boolean", COLUMN_BOOLEAN, 0, LENGTH_CHARACTERS, false },
	{ "date", COLUMN_DATE, 0, LENGTH_CHARACTERS, false },
	{ "datetime", COLUMN_TIME, 0, LENGTH_CHARACTERS, false },
};

static void marketo_type_read(struct json_object *element, struct column *c)
{
	struct str name = { NULL, 0 };
	int64_t length = 0;

	c->type = COLUMN_OTHER; /* references, formulas, and whatever comes up later */
	c->scale = -1;
	(void)json_get_string(element, "dataType", &name);
	for (size_t i = 0; i < ARRAY_LEN(marketo_types); i++) {
		const struct marketo_type *t = &marketo_types[i];

		if (!str_equal(name, str_of(t->name)))
			continue;
		c->type = t->type;
		c->length_max = t->length_max;
		c->length_unit = t->length_unit;
		c->is_ascii = t->is_ascii;
	}
	if (c->type == COLUMN_TEXT && c->length_unit == LENGTH_CHARACTERS &&
	    json_get_int64(element, "length", &length) && length > 0 && length <= UINT32_MAX)
		c->length_max = (uint32_t)length;
	if (c->type == COLUMN_INTEGER) {
		c->has_range = true;
		c->min = INT32_MIN;
		c->max = INT32_MAX;
	}
}

bool marketo_column_read(struct json_object *element, struct arena *a, struct column *ret)
{
	struct json_object *rest = json_get_object(element, "rest");
	struct str name;
	bool is_read_only = false;

	if (!rest || !json_get_string(rest, "name", &name) || !name.n ||
	    memchr(name.p, '\0', name.n))
		return false;
	*ret = (struct column){ .name = arena_str(a, name), .can_read = true };
	if (json_get_string(element, "displayName", &name))
		ret->display_name = arena_str(a, name);
	marketo_type_read(element, ret);
	(void)json_get_int64(element, "id", &ret->vendor_id);
	(void)json_get_bool(rest, "readOnly", &is_read_only);
	/* describe lists id as writable; it is a key and never a value. */
	ret->can_create = ret->can_update = !is_read_only && !str_equal(ret->name, STR("id"));
	return true;
}
