/* The file of a bulk extract: its rows, and handing it out whole or in parts. Adobe: Bulk Extract.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "marketo/bulk.h"

void file_cell(struct text *out, char delimiter, const char *bytes, size_t len)
{
	bool quoted = false;

	for (size_t i = 0; i < len && !quoted; i++)
		quoted = bytes[i] == delimiter || bytes[i] == '"' || bytes[i] == '\n' ||
			 bytes[i] == '\r';
	if (!quoted) {
		text_add(out, bytes, len);
		return;
	}
	text_puts(out, "\"");
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '"')
			text_puts(out, "\"");
		text_add(out, bytes + i, 1);
	}
	text_puts(out, "\"");
}

/* An empty value is the word null. */
static void cell_or_null(const struct job *job, struct text *out, const char *bytes, size_t len)
{
	if (len)
		file_cell(out, job->delimiter, bytes, len);
	else
		text_puts(out, "null");
}

static void header_write(struct job *job)
{
	for (size_t i = 0; i < job->column_count; i++) {
		text_add(&job->file, &job->delimiter, i ? 1 : 0);
		file_cell(&job->file, job->delimiter, job->headers[i], strlen(job->headers[i]));
	}
	text_puts(&job->file, "\n");
}

/* ---- people ---- */

static void lead_cell(struct marketo *m, struct job *job, uint32_t position, int column)
{
	const struct field *field = &m->fields.list[column];
	struct text shown = { 0 };
	const char *bytes;
	size_t len;

	if (!(field->flags & FIELD_DERIVED)) {
		bytes = person_get(m, position, column, &len);
		if (field->type == TYPE_BOOLEAN)
			text_puts(&job->file, len ? "true" : "false");
		else
			cell_or_null(job, &job->file, bytes, len);
		return;
	}
	if (column == COLUMN_FULL_NAME) {
		person_full_name(m, position, &shown);
	} else {
		person_field_json(m, position, column, &shown);
		if (shown.data[0] == '"') {
			memmove(shown.data, shown.data + 1, shown.len - 2);
			shown.len -= 2;
		}
	}
	cell_or_null(job, &job->file, shown.data, shown.len);
	text_free(&shown);
}

static bool lead_wanted(struct marketo *m, const struct job *job, uint32_t position)
{
	const struct person *p = &m->people.list[position];

	if (p->gone)
		return false;
	switch (job->filter) {
	case JOB_BY_CREATED:
		return p->created >= job->from && p->created <= job->to;
	case JOB_BY_UPDATED:
		return p->touched >= job->from && p->touched <= job->to;
	case JOB_BY_LIST:
		return list_has(list_by_id(m, job->list), position);
	}
	return false;
}

static void leads_write(struct marketo *m, struct job *job)
{
	for (uint32_t i = 0; i < m->people.count; i++) {
		if (!lead_wanted(m, job, i))
			continue;
		for (size_t k = 0; k < job->column_count; k++) {
			text_add(&job->file, &job->delimiter, k ? 1 : 0);
			lead_cell(m, job, i, job->columns[k]);
		}
		text_puts(&job->file, "\n");
		job->records++;
	}
}

/* ---- the change log ---- */

static bool event_wanted(const struct job *job, const struct event *e, int64_t now)
{
	if (e->date < job->from || e->date > job->to || e->type == ACTIVITY_DELETE ||
	    !activity_kept(e, now))
		return false;
	for (size_t i = 0; i < job->type_count; i++)
		if (job->types[i] == e->type)
			return true;
	return !job->type_count;
}

static bool primary_wanted(const struct job *job, struct json_object *activity)
{
	struct json_object *have;

	if (!job->primary)
		return true;
	if (!json_object_object_get_ex(activity,
				       job->primary_ids ? activity_columns[ACTIVITY_PRIMARY_ID]
							: activity_columns[ACTIVITY_PRIMARY],
				       &have))
		return false;
	for (size_t i = 0; i < json_object_array_length(job->primary); i++) {
		struct json_object *want = json_object_array_get_idx(job->primary, i);

		if (want && strcmp(json_object_get_string(want), json_object_get_string(have)) == 0)
			return true;
	}
	return false;
}

/* The list of name and value as an object. */
static struct json_object *attributes_object(struct json_object *list)
{
	struct json_object *made = json_object_new_object();

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		struct json_object *value = NULL;

		json_object_object_get_ex(item, "value", &value);
		json_object_object_add(made, json_member_text(item, "name"),
				       json_object_get(value));
	}
	return made;
}

static void activity_cell(struct job *job, struct json_object *activity, int column)
{
	struct json_object *value = NULL, *attributes;
	const char *shown;

	json_object_object_get_ex(activity, activity_columns[column], &value);
	if (column == ACTIVITY_ATTRIBUTES && value) {
		attributes = attributes_object(value);
		shown = json_object_to_json_string_ext(
			attributes, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
		cell_or_null(job, &job->file, shown, strlen(shown));
		json_object_put(attributes);
		return;
	}
	shown = value ? json_object_get_string(value) : "";
	cell_or_null(job, &job->file, shown, strlen(shown));
}

static void activities_write(struct marketo *m, struct job *job)
{
	struct text shown = { 0 };
	int64_t now = sandbox_now_s();

	log_settle(m);
	for (size_t i = log_first_since(&m->log, job->from); i < m->log.count; i++) {
		struct json_object *activity;

		if (!event_wanted(job, &m->log.events[i], now))
			continue;
		text_clear(&shown);
		activity_json(m, &m->log.events[i], &shown);
		activity = json_tokener_parse(shown.data);
		if (!activity)
			abort(); /* it was written a line above */
		if (primary_wanted(job, activity)) {
			for (size_t k = 0; k < job->column_count; k++) {
				text_add(&job->file, &job->delimiter, k ? 1 : 0);
				activity_cell(job, activity, job->columns[k]);
			}
			text_puts(&job->file, "\n");
			job->records++;
		}
		json_object_put(activity);
	}
	text_free(&shown);
}

void job_write(struct marketo *m, struct job *job)
{
	header_write(job);
	if (job->kind == JOB_LEADS)
		leads_write(m, job);
	else
		activities_write(m, job);
	job->size = job->file.len;
	sha256_hex(job->file.data, job->file.len, job->checksum);
}

/* ---- handing out ---- */

/* One range of bytes as RFC 9110 writes it; false when it lies outside. */
static bool range_read(const char *words, size_t len, size_t *ret_first, size_t *ret_last)
{
	char *end;
	unsigned long long first, last;

	if (strncmp(words, "bytes=", 6) != 0 || strchr(words, ',') || !len)
		return false;
	words += 6;
	if (*words == '-') {
		last = strtoull(words + 1, &end, 10);
		if (end == words + 1 || *end || !last)
			return false;
		*ret_first = last < len ? len - (size_t)last : 0;
		*ret_last = len - 1;
		return true;
	}
	first = strtoull(words, &end, 10);
	if (end == words || *end != '-' || first >= len)
		return false;
	words = end + 1;
	last = *words ? strtoull(words, &end, 10) : len - 1;
	if ((*words && *end) || last < first)
		return false;
	*ret_first = (size_t)first;
	*ret_last = last < len ? (size_t)last : len - 1;
	return true;
}

void file_answer(struct call *call, const char *bytes, size_t len, const char *type)
{
	const char *range = call->request->header(call->request, "Range");
	size_t first = 0, last = 0;

	call->plain = true;
	web_header(call->response, "Content-Type", "%s", type);
	web_header(call->response, "Accept-Ranges", "bytes");
	if (!range) {
		text_add(call->out, bytes, len);
		return;
	}
	if (!range_read(range, len, &first, &last)) {
		call->response->status = 416;
		web_header(call->response, "Content-Range", "bytes */%zu", len);
		return;
	}
	call->response->status = 206;
	web_header(call->response, "Content-Range", "bytes %zu-%zu/%zu", first, last, len);
	text_add(call->out, bytes + first, last - first + 1);
}
