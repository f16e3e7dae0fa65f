/* Creates what Tandem needs in Marketo: fields and the custom activity type ("Adobe: Leads",
 * "Adobe: Custom Activities"). Every step looks first, so it can be run again and again. Must not
 * know the mapping. */
#include <strings.h>

#include "remote/marketo_parts.h"

enum { SETUP_FIELDS_MAX = 100 }; /* created in one call */

struct setup_field {
	const char *name, *display_name, *type;
	bool is_there, is_hidden;
	enum err_kind kind; /* of its creation */
	struct err err;
};

struct setup {
	struct marketo *marketo;
	const struct call *call;
	void (*say)(void *context, const char *line);
	void *context;
	struct arena memory; /* owned */
	struct setup_field *fields;
	size_t count;
	size_t next; /* result of the creation to come */
};

static void setup_say(struct setup *s, const char *what, const char *name, const char *how)
{
	s->say(s->context, arena_fmt(&s->memory, "%s %s: %s", what, name, how));
}

/* ---- fields ---- */

static struct setup_field *setup_find(struct setup *s, struct str name)
{
	for (size_t i = 0; i < s->count; i++) {
		if (str_equal_fold(str_of(s->fields[i].name), name))
			return &s->fields[i];
	}
	return NULL;
}

static void setup_want(struct setup *s, const char *name, const char *display_name,
		       const char *type)
{
	if (!setup_find(s, str_of(name)))
		s->fields[s->count++] = (struct setup_field){ .name = name,
							      .display_name = display_name,
							      .type = type };
}

static enum err_kind setup_field_seen(void *context, struct json_object *element, struct err *err)
{
	struct setup *s = context;
	struct setup_field *f;
	struct str name;

	(void)err;
	if (!json_get_string(element, "name", &name))
		return ERR_NONE;
	f = setup_find(s, name);
	if (f) {
		f->is_there = true;
		(void)json_get_bool(element, "isHidden", &f->is_hidden);
	}
	return ERR_NONE;
}

static enum err_kind setup_look_fields(struct setup *s, struct err *err)
{
	struct marketo_sink sink = { .element = setup_field_seen, .context = s };
	struct marketo_request r = { .timeout_ms = MARKETO_OTHER_MS,
				     .permission = "Read-Write Schema Custom Field",
				     .sink = &sink };
	struct buf path = { 0 };
	bool has_next = true;
	enum err_kind kind = ERR_NONE;

	buf_fmt(&path, "/rest/v1/leads/schema/fields.json?batchSize=%d", MARKETO_BATCH);
	while (kind == ERR_NONE && has_next) {
		r.path = buf_cstr(&path);
		kind = marketo_ask(s->marketo, s->call, &r, err);
		has_next = kind == ERR_NONE && marketo_has_next(&r);
		buf_clear(&path);
		buf_fmt(&path, "/rest/v1/leads/schema/fields.json?batchSize=%d&nextPageToken=",
			MARKETO_BATCH);
		buf_url(&path, buf_str(&r.answer.next_page_token));
	}
	marketo_request_release(&r);
	buf_release(&path);
	return kind;
}

static bool setup_is_missing(const struct setup_field *f)
{
	return !f->is_there;
}

/* Results come in the order of the fields sent, and name them as well. */
static enum err_kind setup_field_created(void *context, struct json_object *element,
					 struct err *err)
{
	struct setup *s = context;
	int64_t id = 0;
	bool was_created;

	while (s->next < s->count && !setup_is_missing(&s->fields[s->next]))
		s->next++;
	if (s->next == s->count)
		return err_set(err, ERR_RUBBISH, "Marketo answered for more fields than were sent");
	s->fields[s->next].kind =
		marketo_record_read(element, &id, &was_created, &s->fields[s->next].err);
	s->next++;
	return ERR_NONE;
}

static void setup_restart(void *context)
{
	struct setup *s = context;

	s->next = 0;
	for (size_t i = 0; i < s->count; i++)
		s->fields[i].kind = err_set(&s->fields[i].err, ERR_RUBBISH,
					    "Marketo did not answer for this field");
}

static size_t setup_fields_body(const struct setup *s, struct buf *out)
{
	size_t missing = 0;

	buf_text(out, "{\"input\":[");
	for (size_t i = 0; i < s->count && missing < SETUP_FIELDS_MAX; i++) {
		const struct setup_field *f = &s->fields[i];

		if (!setup_is_missing(f))
			continue;
		buf_text(out, missing++ ? ",{\"displayName\":" : "{\"displayName\":");
		buf_json(out, str_of(f->display_name ? f->display_name : f->name));
		buf_text(out, ",\"name\":");
		buf_json(out, str_of(f->name));
		buf_text(out, ",\"dataType\":");
		buf_json(out, str_of(f->type));
		buf_text(
			out,
			",\"description\":\"Kept by Tandem, the sync with Microsoft Dynamics 365\"}");
	}
	buf_text(out, "]}");
	return missing;
}

/* One line a field; the first failure is the failure of the whole. */
static enum err_kind setup_report(struct setup *s, struct err *err)
{
	enum err_kind kind = ERR_NONE;

	for (size_t i = 0; i < s->count; i++) {
		const struct setup_field *f = &s->fields[i];

		if (f->is_there && f->is_hidden)
			setup_say(
				s, "field", f->name,
				"is there but hidden: show it again in Marketo's field management");
		else if (f->is_there)
			setup_say(s, "field", f->name, "is there");
		else if (f->kind == ERR_NONE)
			setup_say(s, "field", f->name, "created");
		else
			setup_say(s, "field", f->name, f->err.text);
		if (!f->is_there && f->kind != ERR_NONE && kind == ERR_NONE) {
			kind = f->kind;
			if (err)
				*err = f->err;
		}
	}
	return kind;
}

static enum err_kind setup_fields(struct setup *s, struct err *err)
{
	struct marketo_sink sink = { setup_field_created, setup_restart, s };
	struct marketo_request r = { .path = "/rest/v1/leads/schema/fields.json",
				     .content_type = marketo_json,
				     .timeout_ms = MARKETO_OTHER_MS,
				     .is_once = true,
				     .permission = "Read-Write Schema Custom Field",
				     .sink = &sink };
	struct buf body = { 0 };
	enum err_kind kind = setup_look_fields(s, err);

	if (kind == ERR_NONE && setup_fields_body(s, &body) > 0) {
		r.body = buf_str(&body);
		kind = marketo_ask(s->marketo, s->call, &r, err);
	}
	if (kind == ERR_NONE)
		kind = setup_report(s, err);
	marketo_request_release(&r);
	buf_release(&body);
	return kind;
}

/* ---- the activity type ---- */

static enum err_kind setup_post(struct setup *s, const char *path, struct str body, struct err *err)
{
	struct marketo_request r = { .path = path,
				     .content_type = marketo_json,
				     .body = body,
				     .timeout_ms = MARKETO_OTHER_MS,
				     .is_once = true,
				     .permission = "Read-Write Activity Metadata" };
	enum err_kind kind = marketo_ask(s->marketo, s->call, &r, err);

	marketo_request_release(&r);
	return kind;
}

static enum err_kind setup_create_type(struct setup *s, struct err *err)
{
	struct buf body = { 0 };
	enum err_kind kind;

	buf_text(&body, "{\"apiName\":");
	buf_json(&body, str_of(marketo_activity_api_name));
	buf_text(
		&body,
		",\"name\":\"Microsoft Sync\",\"description\":\"Outcome of a sync with Microsoft Dynamics 365\","
		"\"triggerName\":\"Has Microsoft Sync\",\"filterName\":\"Had Microsoft Sync\","
		"\"primaryAttribute\":{\"apiName\":\"outcome\",\"name\":\"Outcome\",\"dataType\":\"string\"}}");
	kind = setup_post(s, "/rest/v1/activities/external/type.json", buf_str(&body), err);
	buf_release(&body);
	return kind;
}

static enum err_kind setup_attribute_seen(void *context, struct json_object *element,
					  struct err *err)
{
	struct json_object *list = json_get_array(element, "attributes");
	size_t count = list ? json_object_array_length(list) : 0;
	bool *is_there = context;
	struct str name;

	(void)err;
	for (size_t i = 0; i < count; i++) {
		if (!json_get_string(json_object_array_get_idx(list, i), "apiName", &name))
			continue;
		for (size_t k = 0; k < MARKETO_ATTRIBUTE_COUNT; k++)
			is_there[k] |= str_equal(name, str_of(marketo_attributes[k].api_name));
	}
	return ERR_NONE;
}

/* A draft may have been left half done: only the attributes it lacks are added. */
static enum err_kind setup_attributes(struct setup *s, struct err *err)
{
	bool is_there[MARKETO_ATTRIBUTE_COUNT] = { false };
	struct marketo_sink sink = { .element = setup_attribute_seen, .context = is_there };
	struct marketo_request r = { .timeout_ms = MARKETO_OTHER_MS,
				     .permission = "Read-Only Activity Metadata",
				     .sink = &sink };
	const char *comma = "";
	struct buf body = { 0 };
	enum err_kind kind;

	r.path = arena_fmt(&s->memory,
			   "/rest/v1/activities/external/type/%s/describe.json?draft=true",
			   marketo_activity_api_name);
	kind = marketo_ask(s->marketo, s->call, &r, err);
	marketo_request_release(&r);
	buf_text(&body, "{\"attributes\":[");
	for (size_t i = 0; i < MARKETO_ATTRIBUTE_COUNT; i++) {
		const struct marketo_attribute *a = &marketo_attributes[i];

		if (is_there[i])
			continue;
		buf_fmt(&body, "%s{\"apiName\":\"%s\",\"name\":\"%s\",\"dataType\":\"%s\"}", comma,
			a->api_name, a->name, a->type);
		comma = ",";
	}
	buf_text(&body, "]}");
	if (kind == ERR_NONE && comma[0])
		kind = setup_post(
			s,
			arena_fmt(&s->memory,
				  "/rest/v1/activities/external/type/%s/attributes/create.json",
				  marketo_activity_api_name),
			buf_str(&body), err);
	buf_release(&body);
	return kind;
}

static enum err_kind setup_activity(struct setup *s, struct err *err)
{
	struct marketo_activity_state state = { 0 };
	const char *approve = arena_fmt(&s->memory,
					"/rest/v1/activities/external/type/%s/approve.json",
					marketo_activity_api_name);
	bool is_new;
	enum err_kind kind = marketo_activity_look(s->marketo, s->call, &state, err);

	if (kind != ERR_NONE)
		return kind;
	if (state.is_approved) {
		setup_say(s, "activity type", marketo_activity_api_name, "is there");
		return ERR_NONE;
	}
	is_new = !state.is_there;
	if (is_new)
		kind = setup_create_type(s, err);
	if (kind == ERR_NONE)
		kind = setup_attributes(s, err);
	if (kind == ERR_NONE)
		kind = setup_post(s, approve, STR("{}"), err);
	if (kind == ERR_NONE)
		setup_say(s, "activity type", marketo_activity_api_name,
			  is_new ? "created" : "was a draft, now approved");
	return kind;
}

enum err_kind marketo_setup(void *self, const struct call *call, const struct field *fields,
			    size_t count, void (*say)(void *context, const char *line),
			    void *context, struct err *err)
{
	struct setup s = { .marketo = self, .call = call, .say = say, .context = context };
	enum err_kind kind;

	s.fields = arena_array(&s.memory, STAMP_FIELD_COUNT + count, sizeof(*s.fields));
	for (size_t i = 0; i < STAMP_FIELD_COUNT; i++)
		setup_want(&s, stamp_fields[i].name, stamp_fields[i].display_name,
			   stamp_fields[i].type);
	for (size_t i = 0; i < count; i++) {
		if (fields[i].create_type)
			setup_want(&s, fields[i].name, fields[i].display_name,
				   fields[i].create_type);
	}
	kind = setup_fields(&s, err);
	if (kind == ERR_NONE)
		kind = setup_activity(&s, err);
	arena_release(&s.memory);
	return kind;
}
