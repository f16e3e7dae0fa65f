/* Changing custom activity types after they were made: names, attributes, drafts, deletion. Adobe:
 * Lead Database, Custom Activities. How one is made and approved is in custom.c. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "marketo/custom.h"

static bool in_use(const struct marketo *m, const struct custom_type *t)
{
	for (size_t i = 0; i < m->log.count; i++)
		if (m->log.events[i].type == t->id)
			return true;
	for (size_t i = 0; i < m->log.late_count; i++)
		if (m->log.late[i].event.type == t->id)
			return true;
	return false;
}

static void word_replace(char **word, const char *given)
{
	free(*word);
	*word = word_copy(given);
}

static void names_change(struct call *call, struct custom_version *next, bool frozen)
{
	const struct {
		const char *name;
		char **word;
		bool free_text;
	} members[] = { { "name", &next->name, false },
			{ "triggerName", &next->trigger, false },
			{ "filterName", &next->filter, false },
			{ "description", &next->description, true } };

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]) && !call->error_code; i++) {
		const char *given = json_member_text(call->json, members[i].name);

		if (!given || strcmp(given, *members[i].word) == 0)
			continue;
		if (!members[i].free_text && frozen)
			call_fail(call, 1003, "%s of a type in use cannot be changed",
				  members[i].name);
		else if (!members[i].free_text && !custom_name_is_legal(given, true))
			call_fail(call, 1003, "Invalid value for %s '%s'", members[i].name, given);
		else
			word_replace(members[i].word, given);
	}
}

static void primary_change(struct call *call, struct custom_version *next, bool frozen)
{
	struct custom_attribute given = { 0 };
	struct json_object *from;

	if (call->error_code || !json_object_object_get_ex(call->json, "primaryAttribute", &from) ||
	    !custom_attribute_read(call, from, &given))
		return;
	if (frozen) {
		call_fail(call, 1003, "primaryAttribute of a type in use cannot be changed");
		custom_attribute_free(&given);
		return;
	}
	custom_attribute_free(&next->primary);
	next->primary = given;
}

void custom_update_post(struct call *call)
{
	struct custom_type *t = custom_of_call(call);
	struct custom_version next = { 0 };
	bool frozen;

	if (!t)
		return;
	frozen = t->has_approved && in_use(call->m, t);
	custom_draft_begin(t, &next);
	names_change(call, &next, frozen);
	primary_change(call, &next, frozen);
	custom_draft_end(call, t, &next);
}

/* -1 after having failed the call. */
static int attribute_named(struct call *call, const struct custom_version *v,
			   struct json_object *from)
{
	const char *name = json_member_text(from, "apiName");

	for (int i = 0; name && i < v->count; i++)
		if (strcmp(v->attributes[i].api_name, name) == 0)
			return i;
	call_fail(call, name ? 1013 : 701, "Attribute '%s' not found", name ? name : "");
	return -1;
}

static void attribute_update(struct call *call, struct custom_version *v, struct json_object *from)
{
	int at = attribute_named(call, v, from);
	struct custom_attribute given = { 0 };

	if (at < 0 || !custom_attribute_read(call, from, &given))
		return;
	custom_attribute_free(&v->attributes[at]);
	v->attributes[at] = given;
}

static void attribute_delete(struct call *call, struct custom_version *v, struct json_object *from)
{
	int at = attribute_named(call, v, from);

	if (at < 0)
		return;
	custom_attribute_free(&v->attributes[at]);
	v->count--;
	memmove(v->attributes + at, v->attributes + at + 1,
		(size_t)(v->count - at) * sizeof(v->attributes[0]));
}

static bool has_attribute(const struct custom_version *v, const struct custom_attribute *a)
{
	if (strcasecmp(v->primary.api_name, a->api_name) == 0 ||
	    strcasecmp(v->primary.name, a->name) == 0)
		return true;
	for (int i = 0; i < v->count; i++)
		if (strcasecmp(v->attributes[i].api_name, a->api_name) == 0 ||
		    strcasecmp(v->attributes[i].name, a->name) == 0)
			return true;
	return false;
}

static void attribute_add(struct call *call, struct custom_version *v, struct json_object *from)
{
	struct custom_attribute a = { 0 };

	if (v->count == CUSTOM_ATTRIBUTES_MAX) {
		call_fail(call, 1028, "At most %d attributes are allowed", CUSTOM_ATTRIBUTES_MAX);
	} else if (!custom_attribute_read(call, from, &a)) {
		return;
	} else if (has_attribute(v, &a)) {
		call_fail(call, 1017, "Attribute '%s' already exists", a.api_name);
		custom_attribute_free(&a);
	} else {
		v->attributes[v->count++] = a;
	}
}

/* All or none. */
static void attributes_change(struct call *call,
			      void (*change)(struct call *, struct custom_version *,
					     struct json_object *))
{
	struct custom_type *t = custom_of_call(call);
	struct custom_version next = { 0 };
	struct json_object *list;

	if (!t)
		return;
	if (!json_object_object_get_ex(call->json, "attributes", &list) ||
	    !json_object_is_type(list, json_type_array) || !json_object_array_length(list)) {
		call_fail(call, 701, "attributes cannot be blank");
		return;
	}
	custom_draft_begin(t, &next);
	for (size_t i = 0; i < json_object_array_length(list) && !call->error_code; i++)
		change(call, &next, json_object_array_get_idx(list, i));
	custom_draft_end(call, t, &next);
}

void custom_attributes_post(struct call *call)
{
	attributes_change(call, attribute_add);
}

void custom_attributes_update_post(struct call *call)
{
	attributes_change(call, attribute_update);
}

void custom_attributes_delete_post(struct call *call)
{
	attributes_change(call, attribute_delete);
}

void custom_discard_post(struct call *call)
{
	struct custom_type *t = custom_of_call(call);

	if (!t)
		return;
	if (!t->has_draft || !t->has_approved) {
		call_fail(call, 1003,
			  "Custom activity type '%s' has no draft beside what is approved",
			  t->api_name);
		return;
	}
	custom_version_free(&t->draft);
	t->has_draft = false;
	t->updated = sandbox_now_s();
	custom_answer(call, t, false);
}

void custom_delete_post(struct call *call)
{
	struct custom_type *t = custom_of_call(call);
	struct custom_types *all = &call->m->custom;

	if (!t)
		return;
	if (in_use(call->m, t)) {
		call_fail(call, 1022, "Custom activity type '%s' is in use", t->api_name);
		return;
	}
	t->gone = true;
	custom_answer(call, t, t->has_draft);
	free(t->api_name);
	custom_version_free(&t->draft);
	custom_version_free(&t->approved);
	all->count--;
	memmove(t, t + 1, (size_t)(all->list + all->count - t) * sizeof(*t));
}
