/* Custom activity types, from draft to approved. Adobe: Lead Database, Custom Activities. */
#include <ctype.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "marketo/custom.h"

void custom_attribute_free(struct custom_attribute *a)
{
	free(a->api_name);
	free(a->name);
	free(a->description);
	free(a->type);
}

static void attribute_copy(const struct custom_attribute *from, struct custom_attribute *ret)
{
	ret->api_name = word_copy(from->api_name);
	ret->name = word_copy(from->name);
	ret->description = word_copy(from->description);
	ret->type = word_copy(from->type);
}

void custom_version_free(struct custom_version *v)
{
	free(v->name);
	free(v->description);
	free(v->trigger);
	free(v->filter);
	custom_attribute_free(&v->primary);
	for (int i = 0; i < v->count; i++)
		custom_attribute_free(&v->attributes[i]);
	*v = (struct custom_version){ 0 };
}

void custom_version_copy(const struct custom_version *from, struct custom_version *ret)
{
	ret->name = word_copy(from->name);
	ret->description = word_copy(from->description);
	ret->trigger = word_copy(from->trigger);
	ret->filter = word_copy(from->filter);
	attribute_copy(&from->primary, &ret->primary);
	ret->count = from->count;
	for (int i = 0; i < from->count; i++)
		attribute_copy(&from->attributes[i], &ret->attributes[i]);
}

void custom_free(struct marketo *m)
{
	for (int i = 0; i < m->custom.count; i++) {
		free(m->custom.list[i].api_name);
		custom_version_free(&m->custom.list[i].draft);
		custom_version_free(&m->custom.list[i].approved);
	}
	m->custom.count = 0;
	m->custom.made = 0;
}

const struct custom_type *custom_by_id(const struct marketo *m, uint32_t id)
{
	for (int i = 0; i < m->custom.count; i++)
		if (m->custom.list[i].id == id && m->custom.list[i].has_approved)
			return &m->custom.list[i];
	return NULL;
}

static struct custom_type *custom_by_name(struct marketo *m, const char *api_name)
{
	for (int i = 0; i < m->custom.count; i++)
		if (strcmp(m->custom.list[i].api_name, api_name) == 0)
			return &m->custom.list[i];
	return NULL;
}

/* ---- showing ---- */

static void add_words(struct text *out, const char *name, const char *value)
{
	text_puts(out, ",");
	text_json_key(out, name);
	text_json_string(out, value, strlen(value));
}

static void attribute_json(struct text *out, const struct custom_attribute *a)
{
	text_puts(out, "{\"apiName\":");
	text_json_string(out, a->api_name, strlen(a->api_name));
	add_words(out, "name", a->name);
	if (*a->description)
		add_words(out, "description", a->description);
	add_words(out, "dataType", a->type);
	text_puts(out, "}");
}

static const char *status_of(const struct custom_type *t)
{
	if (t->gone)
		return "deleted";
	if (!t->has_approved)
		return "draft";
	return t->has_draft ? "approved with draft" : "approved";
}

static void type_json(struct text *out, const struct custom_type *t, const struct custom_version *v,
		      bool attributes)
{
	text_printf(out, "{\"id\":%u,\"apiName\":\"%s\",\"status\":\"%s\"", t->id, t->api_name,
		    status_of(t));
	add_words(out, "name", v->name);
	add_words(out, "description", v->description);
	add_words(out, "triggerName", v->trigger);
	add_words(out, "filterName", v->filter);
	text_puts(out, ",\"createdAt\":\"");
	clock_print(out, t->created);
	text_puts(out, "\",\"updatedAt\":\"");
	clock_print(out, t->updated);
	text_puts(out, "\",\"primaryAttribute\":");
	attribute_json(out, &v->primary);
	if (attributes) {
		text_puts(out, ",\"attributes\":[");
		for (int i = 0; i < v->count; i++) {
			text_puts(out, i ? "," : "");
			attribute_json(out, &v->attributes[i]);
		}
		text_puts(out, "]");
	}
	text_puts(out, "}");
}

void custom_answer(struct call *call, const struct custom_type *t, bool draft)
{
	text_puts(call->out, ",\"result\":[");
	type_json(call->out, t, draft ? &t->draft : &t->approved, true);
	text_puts(call->out, "]");
	call->records = 1;
}

void custom_types_get(struct call *call)
{
	text_puts(call->out, ",\"result\":[");
	for (int i = 0; i < call->m->custom.count; i++, call->records++) {
		const struct custom_type *t = &call->m->custom.list[i];

		text_puts(call->out, i ? "," : "");
		type_json(call->out, t, t->has_approved ? &t->approved : &t->draft, false);
	}
	text_puts(call->out, "]");
}

/* In the list of all activity types attributes go by their names. */
static void listed_attribute(struct text *out, const struct custom_attribute *a)
{
	text_puts(out, "{\"name\":");
	text_json_string(out, a->name, strlen(a->name));
	add_words(out, "dataType", a->type);
	text_puts(out, "}");
}

void custom_types_add_json(const struct marketo *m, struct text *out)
{
	for (int i = 0; i < m->custom.count; i++) {
		const struct custom_type *t = &m->custom.list[i];

		if (!t->has_approved)
			continue;
		text_printf(out, ",{\"id\":%u", t->id);
		add_words(out, "name", t->approved.name);
		add_words(out, "description", t->approved.description);
		text_puts(out, ",\"primaryAttribute\":");
		listed_attribute(out, &t->approved.primary);
		text_puts(out, ",\"attributes\":[");
		for (int k = 0; k < t->approved.count; k++) {
			text_puts(out, k ? "," : "");
			listed_attribute(out, &t->approved.attributes[k]);
		}
		text_puts(out, "]}");
	}
}

/* ---- making a type ---- */

bool custom_name_is_legal(const char *name, bool spaces)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (!isalnum(c) && !(spaces && (c == ' ' || c == '_')))
			return false;
	}
	return len > 0 && len <= 255;
}

static bool type_is_legal(const char *type)
{
	static const char *const types[] = { "string",   "boolean", "integer",  "float",
					     "link",     "email",   "currency", "date",
					     "datetime", "phone",   "text" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return false;
}

bool custom_attribute_read(struct call *call, struct json_object *from,
			   struct custom_attribute *ret)
{
	const char *api_name = json_member_text(from, "apiName");
	const char *name = json_member_text(from, "name");
	const char *type = json_member_text(from, "dataType");

	if (!api_name || !name || !type)
		call_fail(call, 701, "apiName, name and dataType of an attribute cannot be blank");
	else if (!custom_name_is_legal(api_name, false) || !custom_name_is_legal(name, true))
		call_fail(call, 1003, "Invalid attribute name '%s'", api_name);
	else if (!type_is_legal(type))
		call_fail(call, 1003, "Invalid attribute dataType '%s'", type);
	if (call->error_code)
		return false;
	*ret = (struct custom_attribute){ word_copy(api_name), word_copy(name),
					  word_copy(json_member_text(from, "description")),
					  word_copy(type) };
	return true;
}

static bool names_are_free(const struct marketo *m, const char *api_name, const char *name)
{
	for (int i = 0; i < m->custom.count; i++) {
		const struct custom_type *t = &m->custom.list[i];

		if (strcasecmp(t->api_name, api_name) == 0 ||
		    (t->has_draft && strcasecmp(t->draft.name, name) == 0) ||
		    (t->has_approved && strcasecmp(t->approved.name, name) == 0))
			return false;
	}
	return true;
}

void custom_type_post(struct call *call)
{
	static const char *const needed[] = { "apiName", "name", "triggerName", "filterName" };
	struct custom_types *all = &call->m->custom;
	struct custom_attribute primary = { 0 };
	const char *words[4];
	struct json_object *from;
	struct custom_type *t;

	for (int i = 0; i < 4; i++) {
		words[i] = json_member_text(call->json, needed[i]);
		if (!words[i])
			call_fail(call, 701, "%s cannot be blank", needed[i]);
		else if (!custom_name_is_legal(words[i], i > 0))
			call_fail(call, 1003, "Invalid value for %s '%s'", needed[i], words[i]);
		if (call->error_code)
			return;
	}
	if (!names_are_free(call->m, words[0], words[1])) {
		call_fail(call, 1017, "Custom activity type '%s' already exists", words[0]);
		return;
	}
	if (all->count == CUSTOM_TYPES_MAX) {
		call_fail(call, 1027, "At most %d custom activity types are allowed",
			  CUSTOM_TYPES_MAX);
		return;
	}
	if (!json_object_object_get_ex(call->json, "primaryAttribute", &from)) {
		call_fail(call, 701, "primaryAttribute cannot be blank");
		return;
	}
	if (!custom_attribute_read(call, from, &primary))
		return;
	t = &all->list[all->count];
	*t = (struct custom_type){ .api_name = word_copy(words[0]),
				   .id = ACTIVITY_CUSTOM_FROM + all->made++,
				   .has_draft = true,
				   .created = sandbox_now_s(),
				   .updated = sandbox_now_s() };
	all->count++;
	t->draft = (struct custom_version){ word_copy(words[1]),
					    word_copy(json_member_text(call->json, "description")),
					    word_copy(words[2]), word_copy(words[3]),
					    .primary = primary };
	custom_answer(call, t, true);
}

struct custom_type *custom_of_call(struct call *call)
{
	struct custom_type *t = custom_by_name(call->m, call->word.data);

	if (!t)
		call_fail(call, 1013, "Custom activity type '%s' not found", call->word.data);
	return t;
}

void custom_draft_begin(const struct custom_type *t, struct custom_version *ret)
{
	custom_version_copy(t->has_draft ? &t->draft : &t->approved, ret);
}

void custom_draft_end(struct call *call, struct custom_type *t, struct custom_version *next)
{
	if (call->error_code) {
		custom_version_free(next);
		return;
	}
	custom_version_free(&t->draft);
	t->draft = *next;
	t->has_draft = true;
	t->updated = sandbox_now_s();
	custom_answer(call, t, true);
}

void custom_approve_post(struct call *call)
{
	struct custom_type *t = custom_of_call(call);

	if (!t)
		return;
	if (!t->has_draft) {
		call_fail(call, 1003, "Custom activity type '%s' has no draft", t->api_name);
		return;
	}
	custom_version_free(&t->approved);
	t->approved = t->draft;
	t->draft = (struct custom_version){ 0 };
	t->has_draft = false;
	t->has_approved = true;
	t->updated = sandbox_now_s();
	custom_answer(call, t, false);
}

void custom_describe_get(struct call *call)
{
	struct custom_type *t = custom_of_call(call);
	struct text word = { 0 };
	bool draft;

	if (!t)
		return;
	draft = call_param(call, "draft", 0, &word) && strcmp(word.data, "true") == 0;
	text_free(&word);
	if (draft ? !t->has_draft : !t->has_approved)
		draft = !draft;
	custom_answer(call, t, draft);
}
