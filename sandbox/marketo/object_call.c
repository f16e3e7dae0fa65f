/* The calls about companies and sales persons: describe, read, sync, delete. Adobe: Lead Database,
 * Companies and Sales Persons. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "marketo/object.h"

enum { VALUES_MAX = 300, OWN_ID = -1, OWN_CREATED = -2, OWN_UPDATED = -3, UNKNOWN = -4 };

static const struct {
	const char *name, *display, *type;
	int column;
} own_fields[] = { { "id", "Id", "integer", OWN_ID },
		   { "createdAt", "Created At", "datetime", OWN_CREATED },
		   { "updatedAt", "Updated At", "datetime", OWN_UPDATED } };

static const char *key_name(enum object_kind kind)
{
	return kind == OBJECT_COMPANY ? "externalCompanyId" : "externalSalesPersonId";
}

/* The column of a field of such records; below 0: OWN_… or UNKNOWN. */
static int object_column(const struct marketo *m, enum object_kind kind, const char *name,
			 size_t len)
{
	const struct object_info *info = &object_infos[kind];
	char word[64];

	if (len >= sizeof(word))
		return UNKNOWN;
	memcpy(word, name, len);
	word[len] = '\0';
	if (strcmp(word, key_name(kind)) == 0)
		return info->key;
	for (size_t i = 0; i < sizeof(own_fields) / sizeof(own_fields[0]); i++)
		if (strcmp(own_fields[i].name, word) == 0)
			return own_fields[i].column;
	for (int i = 0; info->fields[i]; i++)
		if (strcmp(info->fields[i], word) == 0)
			return field_find(m, word, len) < 0 ? UNKNOWN : field_find(m, word, len);
	return UNKNOWN;
}

/* ---- describe ---- */

static void described_json(struct text *out, const char *name, const char *display,
			   const char *type, int length, bool updateable, bool crm)
{
	text_printf(out, "%s{\"name\":\"%s\",\"displayName\":",
		    out->data[out->len - 1] == '[' ? "" : ",", name);
	text_json_string(out, display, strlen(display));
	text_printf(out, ",\"dataType\":\"%s\"", type);
	if (length)
		text_printf(out, ",\"length\":%d", length);
	text_printf(out, ",\"updateable\":%s,\"crmManaged\":%s}", updateable ? "true" : "false",
		    crm ? "true" : "false");
}

static void objects_describe(struct call *call, enum object_kind kind)
{
	const struct object_info *info = &object_infos[kind];
	const struct marketo *m = call->m;
	const char *key = key_name(kind);
	struct text *out = call->out;

	text_printf(out,
		    ",\"result\":[{\"name\":\"%s\",\"displayName\":\"%s\",\"idField\":\"id\","
		    "\"dedupeFields\":[\"%s\"],\"searchableFields\":[[\"%s\"],[\"id\"],[\"%s\"]],"
		    "\"fields\":[",
		    kind == OBJECT_COMPANY ? "Company" : "SalesPerson", info->name, key, key,
		    info->search);
	described_json(out, key, m->fields.list[info->key].display, "string", info->key_length,
		       false, m->limits.crm_managed);
	for (size_t i = 0; i < sizeof(own_fields) / sizeof(own_fields[0]); i++)
		described_json(out, own_fields[i].name, own_fields[i].display, own_fields[i].type,
			       0, false, m->limits.crm_managed);
	for (int i = 0; info->fields[i]; i++) {
		int column = field_find(m, info->fields[i], strlen(info->fields[i]));

		if (column < 0)
			continue;
		described_json(out, info->fields[i], m->fields.list[column].display,
			       field_types[m->fields.list[column].type].name,
			       field_types[m->fields.list[column].type].length,
			       !m->limits.crm_managed, m->limits.crm_managed);
	}
	text_puts(out, "]}]");
	call->records = 1;
}

/* ---- schema ---- */

static const struct field *schema_field(const struct marketo *m, const char *name, size_t len)
{
	int column = object_column(m, OBJECT_COMPANY, name, len);

	return column >= 0 ? &m->fields.list[column] : NULL;
}

void companies_schema_field_get(struct call *call)
{
	const struct field *field = schema_field(call->m, call->word.data, call->word.len);

	if (!field) {
		call_fail(call, 1006, "Field '%s' not found", call->word.data);
		return;
	}
	text_puts(call->out, ",\"result\":[");
	field_schema_json(call->out, field);
	text_puts(call->out, "]");
	call->records = 1;
}

void companies_schema_fields_get(struct call *call)
{
	const struct object_info *info = &object_infos[OBJECT_COMPANY];
	size_t batch = call_batch_size(call), at;

	if (!batch || !call_page_start(call, PAGE_FIELDS, &at))
		return;
	text_puts(call->out, ",\"result\":[");
	for (; at < OBJECT_FIELDS_MAX && info->fields[at] && (size_t)call->records < batch; at++) {
		const char *name = info->fields[at];
		const struct field *field = schema_field(call->m, name, strlen(name));

		if (!field)
			continue;
		text_puts(call->out, call->records++ ? "," : "");
		field_schema_json(call->out, field);
	}
	text_puts(call->out, "]");
	if (at < OBJECT_FIELDS_MAX && info->fields[at])
		call_page_next(call, PAGE_FIELDS, at);
}

/* ---- reading ---- */

struct columns {
	struct call *call;
	enum object_kind kind;
	int list[OBJECT_FIELDS_MAX + 4];
	size_t count;
};

static void columns_add(struct columns *c, int column)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->list[i] == column)
			return;
	c->list[c->count++] = column;
}

static void columns_visit(void *context, const char *name, size_t len)
{
	struct columns *c = context;
	int column = object_column(c->call->m, c->kind, name, len);

	if (column == UNKNOWN)
		call_fail(c->call, 1006, "Field '%.*s' not found", (int)(len < 200 ? len : 200),
			  name);
	else
		columns_add(c, column);
}

static bool columns_read(struct columns *c)
{
	call_each_value(c->call, "fields", columns_visit, c);
	if (c->call->error_code)
		return false;
	columns_add(c, OWN_ID);
	columns_add(c, object_infos[c->kind].key);
	if (c->count > 2)
		return true;
	columns_add(c, OWN_CREATED);
	columns_add(c, OWN_UPDATED);
	return true;
}

static void value_write(const struct columns *c, const struct object *object, int column)
{
	const struct marketo *m = c->call->m;
	struct text *out = c->call->out;
	const char *bytes;
	size_t len;

	for (size_t i = 0; i < sizeof(own_fields) / sizeof(own_fields[0]); i++) {
		if (own_fields[i].column != column)
			continue;
		text_json_key(out, own_fields[i].name);
		if (column == OWN_ID) {
			text_printf(out, "%u", object_id(m, c->kind, object));
			return;
		}
		text_puts(out, "\"");
		clock_print(out, column == OWN_CREATED ? object->created : object->updated);
		text_puts(out, "\"");
		return;
	}
	text_json_key(out, m->fields.list[column].name);
	bytes = row_get(object->row, (uint16_t)column, &len);
	value_json(m->fields.list[column].type, bytes, bytes ? len : 0, out);
}

struct found {
	struct call *call;
	enum object_kind kind;
	int column;
	size_t values, count;
	uint32_t positions[VALUES_MAX + 1];
};

static void found_add(struct found *f, const struct object *object)
{
	uint32_t position = object_id(f->call->m, f->kind, object);

	for (size_t i = 0; i < f->count; i++)
		if (f->positions[i] == position)
			return;
	if (f->count <= VALUES_MAX)
		f->positions[f->count++] = position;
}

static void found_visit(void *context, const char *value, size_t len)
{
	struct found *f = context;
	const struct objects *all = &f->call->m->objects[f->kind];
	const struct object *object = NULL;

	if (++f->values > VALUES_MAX)
		return;
	if (f->column == OWN_ID)
		object = object_by_id(f->call->m, f->kind, strtoll(value, NULL, 10));
	else if (f->column == object_infos[f->kind].key)
		object = object_by_key(f->call->m, f->kind, value, len);
	else
		for (size_t i = 0; i < all->count; i++) {
			size_t have_len;
			const char *have =
				row_get(all->list[i].row, (uint16_t)f->column, &have_len);

			if (have && have_len == len && strncasecmp(have, value, len) == 0)
				found_add(f, &all->list[i]);
		}
	if (object)
		found_add(f, object);
}

/* False after having failed the call. */
static bool filter_read(struct found *f)
{
	struct call *call = f->call;
	const char *search = object_infos[f->kind].search;
	struct text name = { 0 };

	if (!call_param(call, "filterType", 0, &name) || !name.len) {
		call_fail(call, 701, "filterType cannot be blank");
	} else if (strcmp(name.data, "idField") == 0) {
		f->column = OWN_ID;
	} else if (strcmp(name.data, "dedupeFields") == 0) {
		f->column = object_infos[f->kind].key;
	} else {
		f->column = object_column(call->m, f->kind, name.data, name.len);
		if (f->column == UNKNOWN)
			call_fail(call, 1006, "Field '%s' not found", name.data);
		else if (f->column != OWN_ID && f->column != object_infos[f->kind].key &&
			 strcmp(name.data, search) != 0)
			call_fail(call, 1003, "Field '%s' is not searchable", name.data);
	}
	text_free(&name);
	if (call->error_code)
		return false;
	call_each_value(call, "filterValues", found_visit, f);
	if (!f->values)
		call_fail(call, 701, "filterValues cannot be blank");
	else if (f->values > VALUES_MAX)
		call_fail(call, 1003, "Number of filterValues exceeds the limit %d", VALUES_MAX);
	else if (f->count > VALUES_MAX)
		call_fail(call, 1003, "Too many results match the filter");
	return !call->error_code;
}

static void objects_get(struct call *call, enum object_kind kind)
{
	struct found f = { .call = call, .kind = kind };
	struct columns columns = { .call = call, .kind = kind };
	size_t at, batch;

	if (!filter_read(&f) || !columns_read(&columns) ||
	    !call_page_start(call, PAGE_RECORDS, &at))
		return;
	batch = call_batch_size(call);
	if (!batch)
		return;
	text_puts(call->out, ",\"result\":[");
	for (; at < f.count && (size_t)call->records < batch; at++, call->records++) {
		const struct object *object = object_by_id(call->m, kind, f.positions[at]);

		text_printf(call->out, "%s{\"seq\":%d", call->records ? "," : "",
			    (int)call->records);
		for (size_t i = 0; i < columns.count; i++) {
			text_puts(call->out, ",");
			value_write(&columns, object, columns.list[i]);
		}
		text_puts(call->out, "}");
	}
	text_puts(call->out, "]");
	if (at < f.count)
		call_page_next(call, PAGE_RECORDS, at);
}

/* ---- writing ---- */

enum action { ACTION_CREATE_OR_UPDATE, ACTION_CREATE_ONLY, ACTION_UPDATE_ONLY };

struct sync {
	struct call *call;
	enum object_kind kind;
	enum action action;
	bool by_id;
};

/* A word of the body out of a list of legal ones; -1 after having failed the call. */
static int word_read(struct call *call, const char *name, const char *const *words, int count)
{
	struct json_object *value;
	const char *word = json_member_text(call->json, name);

	if (!json_object_object_get_ex(call->json, name, &value) || !value)
		return 0;
	for (int i = 0; word && i < count; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	call_fail(call, 1003, "Invalid value for %s '%s'", name, json_object_get_string(value));
	return -1;
}

static const char *const action_words[] = { "createOrUpdate", "createOnly", "updateOnly" };
static const char *const key_words[] = { "dedupeFields", "idField" };

static void record_skip(struct call *call, size_t seq, int code, const char *message)
{
	text_printf(call->out, "{\"seq\":%zu,\"status\":\"skipped\",\"reasons\":[{\"code\":\"%d\"",
		    seq, code);
	text_puts(call->out, ",\"message\":");
	text_json_string(call->out, message, strlen(message));
	text_puts(call->out, "}]}");
}

static const char *record_key(enum object_kind kind, bool by_id, struct json_object *record)
{
	struct json_object *value;

	if (!json_object_is_type(record, json_type_object) ||
	    !json_object_object_get_ex(record, by_id ? "id" : key_name(kind), &value) || !value)
		return NULL;
	return json_object_get_string(value);
}

static struct object *record_find(const struct marketo *m, enum object_kind kind, bool by_id,
				  const char *key)
{
	return by_id ? object_by_id(m, kind, strtoll(key, NULL, 10))
		     : object_by_key(m, kind, key, strlen(key));
}

/* Whether an earlier record of the call has the key. */
static bool record_repeats(const struct sync *s, struct json_object *input, size_t seq,
			   const char *key)
{
	for (size_t i = 0; i < seq; i++) {
		const char *other =
			record_key(s->kind, s->by_id, json_object_array_get_idx(input, i));

		if (other && strcmp(other, key) == 0)
			return true;
	}
	return false;
}

/* Stores the value. A company's may be told as a change of everybody linked to it. */
static void value_store(const struct sync *s, struct object *object, int column,
			const struct text *kept)
{
	struct marketo *m = s->call->m;
	enum field_type type = m->fields.list[column].type;
	struct text before = { 0 }, after = { 0 };
	size_t len = 0, key_len, count = 0;
	const char *old = row_get(object->row, (uint16_t)column, &len);
	const char *key = row_get(object->row, (uint16_t)object_infos[s->kind].key, &key_len);
	bool same = kept->len == (old ? len : 0) && (!old || memcmp(old, kept->data, len) == 0);
	uint32_t *linked = NULL;

	value_display(type, old, old ? len : 0, &before);
	value_display(type, kept->data, kept->len, &after);
	if (!same && m->limits.company_logged && (m->fields.list[column].flags & FIELD_COMPANY))
		linked = people_all(m, COLUMN_EXTERNAL_COMPANY, key, key_len, &count);
	for (size_t i = 0; i < count; i++)
		log_value_change(m, person_id(linked[i]), column, s->call->user, &before, &after);
	object->row =
		row_set(object->row, (uint16_t)column, kept->len ? kept->data : NULL, kept->len);
	free(linked);
	text_free(&before);
	text_free(&after);
}

/* 0, or the code of the refusal. object NULL: a new one is only checked. */
static int member_apply(const struct sync *s, struct object *object, const char *name,
			struct json_object *value, struct text *error)
{
	const struct marketo *m = s->call->m;
	int column = object_column(m, s->kind, name, strlen(name));
	struct text kept = { 0 };
	int code = 0;

	if (column == UNKNOWN) {
		text_printf(error, "Field '%s' not found", name);
		return 1006;
	}
	if (column == OWN_CREATED || column == OWN_UPDATED || (column == OWN_ID && !s->by_id) ||
	    (column == object_infos[s->kind].key && s->by_id)) {
		text_printf(error, "Field '%s' is not updateable", name);
		return 1003;
	}
	if (column == OWN_ID || column == object_infos[s->kind].key)
		return 0;
	if (!value_from_json(&m->fields.list[column], value, &kept)) {
		text_printf(error, "Invalid value for field '%s' and value '%s'", name,
			    json_object_get_string(value));
		code = 1003;
	} else if (column == COLUMN_EXTERNAL_SALES_PERSON && kept.len &&
		   !object_by_key(m, OBJECT_SALES_PERSON, kept.data, kept.len)) {
		text_puts(error, "ExternalSalesPersonID not found");
		code = 718;
	} else if (object) {
		value_store(s, object, column, &kept);
	}
	text_free(&kept);
	return code;
}

static int members_apply(const struct sync *s, struct object *object, struct json_object *record,
			 struct text *error)
{
	json_object_object_foreach (record, name, value) {
		int code = member_apply(s, object, name, value, error);

		if (code)
			return code;
	}
	return 0;
}

/* 0, or the code of the refusal: before anything is changed. */
static int record_check(const struct sync *s, struct json_object *input, size_t seq,
			const char *key, struct text *error)
{
	const struct object *object;
	int code = 0;

	if (s->call->m->limits.crm_managed) {
		text_puts(error, "CRM enabled: the native sync owns these records");
		return 1018;
	}
	if (!key || !*key) {
		text_printf(error, "Value for required field '%s' not found",
			    s->by_id ? "id" : key_name(s->kind));
		return 1002;
	}
	object = record_find(s->call->m, s->kind, s->by_id, key);
	if (record_repeats(s, input, seq, key)) {
		code = 1036;
		text_puts(error, "Duplicate object found in input");
	} else if (!s->by_id && strlen(key) > (size_t)object_infos[s->kind].key_length) {
		code = 1003;
		text_printf(error, "Invalid value for field '%s'", key_name(s->kind));
	} else if (object && s->action == ACTION_CREATE_ONLY) {
		code = 1017;
		text_puts(error, "Object already exists");
	} else if (!object && (s->action == ACTION_UPDATE_ONLY || s->by_id)) {
		code = 1013;
		text_puts(error, "Object not found");
	}
	return code ? code : members_apply(s, NULL, json_object_array_get_idx(input, seq), error);
}

static void record_apply(const struct sync *s, struct json_object *input, size_t seq)
{
	struct json_object *record = json_object_array_get_idx(input, seq);
	const char *key = record_key(s->kind, s->by_id, record);
	struct marketo *m = s->call->m;
	struct text error = { 0 };
	struct object *object;
	int code = record_check(s, input, seq, key, &error);
	bool known;

	text_puts(s->call->out, seq ? "," : "");
	if (code) {
		record_skip(s->call, seq, code, error.data);
		text_free(&error);
		return;
	}
	object = record_find(m, s->kind, s->by_id, key);
	known = object;
	if (!known)
		object = object_add(m, s->kind, key, strlen(key));
	members_apply(s, object, record, &error);
	object->updated = sandbox_now_s();
	text_printf(s->call->out, "{\"seq\":%zu,\"status\":\"%s\",\"id\":%u}", seq,
		    known ? "updated" : "created", object_id(m, s->kind, object));
	text_free(&error);
}

static void objects_sync(struct call *call, enum object_kind kind)
{
	struct sync s = { .call = call, .kind = kind };
	struct json_object *input = call_input(call);
	int action = input ? word_read(call, "action", action_words, 3) : -1;
	int by = action < 0 ? -1 : word_read(call, "dedupeBy", key_words, 2);

	if (by < 0)
		return;
	s.action = (enum action)action;
	s.by_id = by;
	if (s.by_id && s.action == ACTION_CREATE_ONLY) {
		call_fail(call, 1003, "dedupeBy 'idField' is not allowed with action 'createOnly'");
		return;
	}
	text_puts(call->out, ",\"result\":[");
	for (size_t i = 0; i < json_object_array_length(input); i++, call->records++)
		record_apply(&s, input, i);
	text_puts(call->out, "]");
}

static void objects_delete(struct call *call, enum object_kind kind)
{
	struct json_object *input = call_input(call);
	int by = input ? word_read(call, "deleteBy", key_words, 2) : -1;

	if (by < 0)
		return;
	text_puts(call->out, ",\"result\":[");
	for (size_t i = 0; i < json_object_array_length(input); i++, call->records++) {
		const char *key = record_key(kind, by, json_object_array_get_idx(input, i));
		struct object *object = key ? record_find(call->m, kind, by, key) : NULL;

		text_puts(call->out, i ? "," : "");
		if (call->m->limits.crm_managed) {
			record_skip(call, i, 1018,
				    "CRM enabled: the native sync owns these records");
		} else if (!key) {
			record_skip(call, i, 1002, "Value for the key not found");
		} else if (!object) {
			record_skip(call, i, 1013, "Object not found");
		} else if (object_in_use(call->m, kind, object)) {
			record_skip(call, i, 1022, "Object in use");
		} else {
			text_printf(call->out, "{\"seq\":%zu,\"status\":\"deleted\",\"id\":%u}", i,
				    object_id(call->m, kind, object));
			object_remove(call->m, kind, object);
		}
	}
	text_puts(call->out, "]");
}

#define HANDLERS(of, kind)                                                                         \
	void of##_describe_get(struct call *call)                                                  \
	{                                                                                          \
		objects_describe(call, kind);                                                      \
	}                                                                                          \
	void of##_get(struct call *call)                                                           \
	{                                                                                          \
		objects_get(call, kind);                                                           \
	}                                                                                          \
	void of##_sync(struct call *call)                                                          \
	{                                                                                          \
		objects_sync(call, kind);                                                          \
	}                                                                                          \
	void of##_delete(struct call *call)                                                        \
	{                                                                                          \
		objects_delete(call, kind);                                                        \
	}

HANDLERS(companies, OBJECT_COMPANY)
HANDLERS(sales_persons, OBJECT_SALES_PERSON)
