/* What a bulk extract is asked for: the body of its creation, checked. Adobe: Bulk Lead Extract,
 * Bulk Activity Extract. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "marketo/bulk.h"

enum { SPAN_MAX = 31 * 86400 };

const char *const activity_columns[ACTIVITY_COLUMN_COUNT] = {
	[ACTIVITY_GUID] = "marketoGUID",
	[ACTIVITY_LEAD] = "leadId",
	[ACTIVITY_DATE] = "activityDate",
	[ACTIVITY_TYPE] = "activityTypeId",
	[ACTIVITY_CAMPAIGN] = "campaignId",
	[ACTIVITY_PRIMARY_ID] = "primaryAttributeValueId",
	[ACTIVITY_PRIMARY] = "primaryAttributeValue",
	[ACTIVITY_ATTRIBUTES] = "attributes",
	[ACTIVITY_RESULT] = "actionResult",
};

static bool format_read(struct call *call, struct job *job)
{
	static const struct {
		const char *name;
		char delimiter;
	} formats[] = { { "CSV", ',' }, { "TSV", '\t' }, { "SSV", ';' } };
	struct json_object *value;
	const char *name = "CSV";

	if (json_object_object_get_ex(call->json, "format", &value) && value)
		name = json_object_get_string(value);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcasecmp(name, formats[i].name) != 0)
			continue;
		job->format = formats[i].name;
		job->delimiter = formats[i].delimiter;
		return true;
	}
	call_fail(call, 1003, "Invalid value for format '%s'", name);
	return false;
}

/* ---- columns ---- */

static int column_named(const struct marketo *m, enum job_kind kind, const char *name)
{
	if (kind == JOB_LEADS)
		return field_find(m, name, strlen(name));
	for (int i = 0; i < ACTIVITY_COLUMN_COUNT; i++)
		if (strcmp(activity_columns[i], name) == 0)
			return i;
	return -1;
}

static void column_add(struct job *job, int column, const char *name)
{
	job->columns[job->column_count] = column;
	job->headers[job->column_count++] = word_copy(name);
}

static bool columns_read(struct call *call, struct job *job)
{
	struct json_object *fields;

	if (!json_object_object_get_ex(call->json, "fields", &fields) || !fields) {
		if (job->kind == JOB_LEADS) {
			call_fail(call, 701, "fields cannot be blank");
			return false;
		}
		for (int i = 0; i < ACTIVITY_RESULT; i++)
			column_add(job, i, activity_columns[i]);
		return true;
	}
	if (!json_object_is_type(fields, json_type_array) || !json_object_array_length(fields) ||
	    json_object_array_length(fields) > FIELDS_MAX) {
		call_fail(call, 701, "fields cannot be blank");
		return false;
	}
	for (size_t i = 0; i < json_object_array_length(fields); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(fields, i));
		int column = name ? column_named(call->m, job->kind, name) : -1;

		if (column < 0) {
			call_fail(call, 1006, "Field '%s' not found", name ? name : "");
			return false;
		}
		column_add(job, column, name);
	}
	return true;
}

static bool headers_read(struct call *call, struct job *job)
{
	struct json_object *names;

	if (!json_object_object_get_ex(call->json, "columnHeaderNames", &names) || !names)
		return true;
	if (!json_object_is_type(names, json_type_object)) {
		call_fail(call, 1003, "Invalid value for columnHeaderNames");
		return false;
	}
	json_object_object_foreach (names, name, shown) {
		size_t at = 0;

		while (at < job->column_count && strcmp(job->headers[at], name) != 0)
			at++;
		if (at == job->column_count) {
			call_fail(call, 1003, "columnHeaderNames: '%s' is not among the fields",
				  name);
			return false;
		}
		free(job->headers[at]);
		job->headers[at] = word_copy(json_object_get_string(shown));
	}
	return true;
}

/* ---- filter ---- */

/* Seconds only: a fraction is refused. */
static bool instant_read(struct call *call, struct json_object *range, const char *name,
			 int64_t *ret)
{
	const char *word = json_member_text(range, name);

	if (!word || !*word)
		call_fail(call, 701, "%s cannot be blank", name);
	else if (strchr(word, '.') || !time_from_text(word, strlen(word), ret))
		call_fail(call, 704, "Invalid date format '%s'", word);
	return !call->error_code;
}

static bool range_read(struct call *call, struct job *job, struct json_object *range)
{
	if (!instant_read(call, range, "startAt", &job->from) ||
	    !instant_read(call, range, "endAt", &job->to))
		return false;
	if (job->to < job->from)
		call_fail(call, 1003, "endAt is before startAt");
	else if (job->to - job->from > SPAN_MAX)
		call_fail(call, 1003, "Date range exceeds 31 days");
	return !call->error_code;
}

static bool list_read(struct call *call, struct job *job, const char *name,
		      struct json_object *value)
{
	bool by_id = strcmp(name, "staticListId") == 0;
	const char *word = json_object_get_string(value);
	struct static_list *list = by_id  ? list_by_id(call->m, json_object_get_int64(value))
				   : word ? list_by_name(call->m, word)
					  : NULL;

	job->filter = JOB_BY_LIST;
	if (!list)
		call_fail(call, 1013, "List '%s' not found", word ? word : "");
	else
		job->list = list_id(call->m, list);
	return list;
}

static bool lead_filter_read(struct call *call, struct job *job, const char *name,
			     struct json_object *value)
{
	bool starred = strcmp(name, "updatedAt") == 0 || strcmp(name, "smartListId") == 0 ||
		       strcmp(name, "smartListName") == 0;

	if (starred && !call->m->limits.export_updated) {
		call_fail(call, 1035, "Unsupported filter type for target subscription: %s", name);
		return false;
	}
	if (strncmp(name, "smartList", 9) == 0 && starred) {
		call_unsupported(call, "the sandbox has no smart lists to extract");
		return false;
	}
	if (strcmp(name, "staticListId") == 0 || strcmp(name, "staticListName") == 0)
		return list_read(call, job, name, value);
	if (!starred && strcmp(name, "createdAt") != 0) {
		call_fail(call, 1003, "Invalid filter '%s'", name);
		return false;
	}
	job->filter = starred ? JOB_BY_UPDATED : JOB_BY_CREATED;
	return range_read(call, job, value);
}

static bool types_read(struct call *call, struct job *job, struct json_object *types)
{
	size_t count = json_object_is_type(types, json_type_array) ? json_object_array_length(types)
								   : 0;

	if (!count || count > JOB_VALUES_MAX) {
		call_fail(call, 1003, "Invalid value for activityTypeIds");
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		int64_t type = json_object_get_int64(json_object_array_get_idx(types, i));

		if (type <= 0 || type > UINT32_MAX || type == ACTIVITY_DELETE) {
			call_fail(call, 1003, "Activity type '%lld' cannot be exported",
				  (long long)type);
			return false;
		}
		job->types[job->type_count++] = (uint32_t)type;
	}
	return true;
}

static bool primary_read(struct call *call, struct job *job, struct json_object *values, bool ids)
{
	size_t count =
		json_object_is_type(values, json_type_array) ? json_object_array_length(values) : 0;

	if (!count || count > JOB_VALUES_MAX || job->primary) {
		call_fail(call, 1003,
			  "One of primaryAttributeValueIds and primaryAttributeValues, with at "
			  "most %d members, is allowed",
			  JOB_VALUES_MAX);
		return false;
	}
	job->primary = json_object_get(values);
	job->primary_ids = ids;
	return true;
}

static bool activity_filter_read(struct call *call, struct job *job, const char *name,
				 struct json_object *value)
{
	if (strcmp(name, "createdAt") == 0)
		return range_read(call, job, value);
	if (strcmp(name, "activityTypeIds") == 0)
		return types_read(call, job, value);
	if (strcmp(name, "primaryAttributeValueIds") == 0)
		return primary_read(call, job, value, true);
	if (strcmp(name, "primaryAttributeValues") == 0)
		return primary_read(call, job, value, false);
	call_fail(call, 1003, "Invalid filter '%s'", name);
	return false;
}

static bool filter_read(struct call *call, struct job *job)
{
	struct json_object *filter;
	int members = 0;

	if (!json_object_object_get_ex(call->json, "filter", &filter) ||
	    !json_object_is_type(filter, json_type_object) || !json_object_object_length(filter)) {
		call_fail(call, 701, "filter cannot be blank");
		return false;
	}
	json_object_object_foreach (filter, name, value) {
		members++;
		if (job->kind == JOB_LEADS && members > 1) {
			call_fail(call, 1003, "Exactly one filter is allowed");
			return false;
		}
		if (!(job->kind == JOB_LEADS ? lead_filter_read(call, job, name, value)
					     : activity_filter_read(call, job, name, value)))
			return false;
	}
	if (job->kind == JOB_ACTIVITIES && !job->to)
		call_fail(call, 701, "createdAt cannot be blank");
	else if (job->primary && !job->type_count)
		call_fail(call, 1003, "activityTypeIds are needed with primary attributes");
	return !call->error_code;
}

bool job_read(struct call *call, struct job *job)
{
	return format_read(call, job) && columns_read(call, job) && headers_read(call, job) &&
	       filter_read(call, job);
}
