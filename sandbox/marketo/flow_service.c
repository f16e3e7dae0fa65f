/* The services that are installed: looking them up, telling them, and the activity type each has. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "marketo/caller.h"

void services_free(struct marketo *m)
{
	for (size_t i = 0; i < m->callers->service_count; i++)
		json_object_put(m->callers->services[i]);
	free(m->callers->services);
	m->callers->services = NULL;
	m->callers->service_count = 0;
}

struct json_object *service_by_id(const struct marketo *m, int64_t id)
{
	return id >= 1 && (size_t)id <= m->callers->service_count ? m->callers->services[id - 1]
								  : NULL;
}

static void add_words(struct text *out, const char *name, const char *words)
{
	text_puts(out, ",");
	text_json_key(out, name);
	text_json_string(out, words, strlen(words));
}

void services_show(struct control_call *c)
{
	text_puts(c->out, "[");
	for (size_t i = 0; i < c->m->callers->service_count; i++) {
		struct json_object *service = c->m->callers->services[i];

		text_printf(c->out, "%s{\"id\":%zu,\"activityTypeId\":%zu", i ? "," : "", i + 1,
			    ACTIVITY_SERVICE_FROM + i);
		add_words(c->out, "name", json_words(service, "name"));
		add_words(c->out, "apiName", json_words(service, "apiName"));
		add_words(c->out, "url", json_words(service, "url"));
		text_puts(c->out, "}");
	}
	text_puts(c->out, "]");
}

bool flow_step_check(struct marketo *m, struct json_object *definition, struct text *error)
{
	static const char *const members[] = { "service", "attributes", NULL };
	struct json_object *step = json_at(definition, "flowStep"), *id, *service;

	if (!members_known(step, members, "flowStep", error))
		return false;
	id = json_at(step, "service");
	service = json_object_is_type(id, json_type_int)
			  ? service_by_id(m, json_object_get_int64(id))
			  : NULL;
	if (!service)
		text_puts(error, "flowStep: there is no such service");
	else
		flow_given_check(
			json_at(json_at(json_at(service, "definition"), "invocationPayloadDef"),
				"flowAttributes"),
			json_at(json_at(service, "picklists"), "flow"), json_at(step, "attributes"),
			error);
	return !error->len;
}

/* ---- activity types ---- */

static void attribute_listed(struct text *out, const char *name, const char *type)
{
	text_puts(out, "{\"name\":");
	text_json_string(out, name, strlen(name));
	text_printf(out, ",\"dataType\":\"%s\"}", type);
}

static void attributes_listed(struct text *out, struct json_object *attributes, const char *primary)
{
	size_t count = json_object_is_type(attributes, json_type_array)
			       ? json_object_array_length(attributes)
			       : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *one = json_object_array_get_idx(attributes, i);

		if (strcmp(json_words(one, "apiName"), primary) == 0)
			continue;
		attribute_listed(out, flow_display(one), json_words(one, "dataType"));
		text_puts(out, ",");
	}
}

static void type_listed(struct text *out, struct json_object *service, size_t at)
{
	struct json_object *definition = json_at(service, "definition");
	struct json_object *flow =
		json_at(json_at(definition, "invocationPayloadDef"), "flowAttributes");
	struct json_object *english = json_at(json_at(definition, "i18n"), "en_US");
	const char *primary = json_words(definition, "primaryAttribute");
	const char *trigger = json_words(english, "triggerName");

	text_printf(out, ",{\"id\":%zu", ACTIVITY_SERVICE_FROM + at);
	add_words(out, "name", *trigger ? trigger : json_words(english, "name"));
	add_words(out, "description", json_words(english, "description"));
	text_puts(out, ",\"primaryAttribute\":");
	attribute_listed(out, flow_display(flow_attribute(flow, primary)),
			 json_words(flow_attribute(flow, primary), "dataType"));
	text_puts(out, ",\"attributes\":[");
	attributes_listed(out, flow, primary);
	attributes_listed(out, json_at(json_at(definition, "callbackPayloadDef"), "attributes"),
			  primary);
	attribute_listed(out, "Success", "boolean");
	text_puts(out, ",");
	attribute_listed(out, "Reason", "string");
	text_puts(out, ",");
	attribute_listed(out, "Error Code", "string");
	text_puts(out, "]}");
}

void services_add_types(const struct marketo *m, struct text *out)
{
	for (size_t i = 0; i < m->callers->service_count; i++)
		type_listed(out, m->callers->services[i], i);
}
