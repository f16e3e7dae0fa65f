/* Activities written under a custom type. Adobe: Lead Database, Custom Activities.
 * What a type is and how one is made is in custom.c. */
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "marketo/marketo.h"

enum { ATTRIBUTE_BYTES_MAX = 65536 };

static const struct custom_attribute *attribute_find(const struct custom_version *v,
						     struct json_object *from)
{
	const char *api_name = json_member_text(from, "apiName");
	const char *name = json_member_text(from, "name");

	for (int i = 0; i < v->count; i++)
		if ((api_name && strcmp(v->attributes[i].api_name, api_name) == 0) ||
		    (!api_name && name && strcmp(v->attributes[i].name, name) == 0))
			return &v->attributes[i];
	return NULL;
}

/* A value in the form its attribute is shown in; false when it is of another type. */
static bool attribute_value(const char *type_name, struct json_object *value, struct text *out)
{
	struct field as = { .type = TYPE_TEXT };
	struct text kept = { 0 };
	bool good;

	if (strcmp(type_name, "text") == 0 || strcmp(type_name, "link") == 0) {
		good = json_object_is_type(value, json_type_string);
		text_json_string(out, good ? json_object_get_string(value) : "",
				 good ? (size_t)json_object_get_string_len(value) : 0);
		return good;
	}
	for (int i = 0; i < TYPE_COUNT; i++)
		if (strcmp(field_types[i].name, type_name) == 0)
			as.type = (enum field_type)i;
	good = value_from_json(&as, value, &kept);
	value_json(as.type, kept.len ? kept.data : NULL, kept.len, out);
	text_free(&kept);
	return good;
}

static bool is_empty(struct json_object *value)
{
	return !value ||
	       (json_object_is_type(value, json_type_string) && !json_object_get_string_len(value));
}

/* The five members every activity has. */
struct activity {
	int64_t lead, type, date;
	struct json_object *primary, *attributes;
};

/* The secondary attributes of one activity. 0 or the code of the refusal; blame is the attribute's
 * name then. */
static int attributes_read(const struct custom_version *v, const struct activity *activity,
			   struct text *out, const char **blame)
{
	struct json_object *list = activity->attributes;
	const char *comma = "";
	size_t bytes = strlen(json_object_get_string(activity->primary));

	if (bytes > ATTRIBUTE_BYTES_MAX)
		return 1049;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *from = json_object_array_get_idx(list, i);
		const struct custom_attribute *a = NULL;
		struct json_object *value = NULL;

		*blame = "attributes";
		if (!json_object_is_type(from, json_type_object))
			return 1003;
		a = attribute_find(v, from);
		*blame = json_member_text(from, "apiName") ? json_member_text(from, "apiName")
							   : "name";
		if (!a)
			return 1006;
		json_object_object_get_ex(from, "value", &value);
		if (is_empty(value))
			continue;
		bytes += strlen(json_object_get_string(value));
		if (bytes > ATTRIBUTE_BYTES_MAX)
			return 1049;
		text_printf(out, "%s{\"name\":", comma);
		text_json_string(out, a->name, strlen(a->name));
		text_puts(out, ",\"value\":");
		if (!attribute_value(a->type, value, out))
			return 1001;
		text_puts(out, "}");
		comma = ",";
	}
	return 0;
}

static const struct {
	int code;
	const char *message;
} attribute_refusals[] = {
	{ 1001, "Invalid value for attribute" },
	{ 1003, "Invalid value" },
	{ 1006, "Attribute not found" },
	{ 1049, "Activity attributes exceed 65536 bytes" },
};

static void refuse_attribute(struct call *call, int code, const char *blame)
{
	for (size_t i = 0; i < sizeof(attribute_refusals) / sizeof(attribute_refusals[0]); i++)
		if (attribute_refusals[i].code == code)
			skip_record(call->out, "errors", code, "%s: '%s'",
				    attribute_refusals[i].message, blame);
}

static const char *activity_read(struct json_object *from, struct activity *ret)
{
	const char *date = json_member_text(from, "activityDate");
	struct json_object *lead, *type;

	if (!json_object_object_get_ex(from, "leadId", &lead) || !lead)
		return "leadId";
	if (!json_object_object_get_ex(from, "activityTypeId", &type) || !type)
		return "activityTypeId";
	if (!date || !time_from_text(date, strlen(date), &ret->date) || ret->date < 0 ||
	    ret->date > UINT32_MAX)
		return "activityDate";
	if (!json_object_object_get_ex(from, "primaryAttributeValue", &ret->primary) ||
	    !ret->primary)
		return "primaryAttributeValue";
	if (!json_object_object_get_ex(from, "attributes", &ret->attributes) ||
	    !json_object_is_type(ret->attributes, json_type_array))
		return "attributes";
	ret->lead = json_object_get_int64(lead);
	ret->type = json_object_get_int64(type);
	return NULL;
}

/* Adds the payload of the log; false when the record was refused, which is then told. */
static bool activity_payload(struct call *call, const struct custom_type *t,
			     const struct activity *a, struct text *payload)
{
	const char *blame = t->approved.primary.api_name;
	int code;

	text_puts(payload, ",\"primaryAttributeValue\":");
	code = attribute_value(t->approved.primary.type, a->primary, payload) ? 0 : 1001;
	text_puts(payload, ",\"attributes\":[");
	if (!code)
		code = attributes_read(&t->approved, a, payload, &blame);
	text_puts(payload, "]");
	if (code)
		refuse_attribute(call, code, blame);
	return !code;
}

static void activity_add(struct call *call, struct json_object *from)
{
	struct activity a = { 0 };
	const char *missing = json_object_is_type(from, json_type_object) ? activity_read(from, &a)
									  : "leadId";
	const struct custom_type *t;
	struct text payload = { 0 };
	uint32_t position, id;

	if (record_ordered(call, "errors", from))
		return;
	if (missing) {
		skip_record(call->out, "errors", 1002, "Missing or invalid value for '%s'",
			    missing);
		return;
	}
	t = a.type >= ACTIVITY_CUSTOM_FROM && a.type <= UINT32_MAX
		    ? custom_by_id(call->m, (uint32_t)a.type)
		    : NULL;
	if (!t) {
		skip_record(call->out, "errors", 1013, "Activity type '%" PRId64 "' not found",
			    a.type);
		return;
	}
	if (!person_find(call->m, a.lead, &position)) {
		skip_record(call->out, "errors", 1004, "Lead not found");
		return;
	}
	if (activity_payload(call, t, &a, &payload)) {
		id = log_other(call->m, person_id(position), t->id, a.date, call->user, &payload);
		text_puts(call->out, "{");
		activity_ids_json(call->m, id, call->out);
		text_puts(call->out, ",\"status\":\"added\"}");
	}
	text_free(&payload);
}

void custom_activities_post(struct call *call)
{
	call_each_record(call, activity_add);
}
