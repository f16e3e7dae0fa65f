/* How a run is told, how its answers become values of people, and small helpers for reading
 * definitions. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "marketo/caller.h"

struct json_object *json_at(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, name, &value);
	return value;
}

const char *json_words(struct json_object *object, const char *name)
{
	struct json_object *value = json_at(object, name);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

void problem_add(struct text *list, const char *fmt, ...)
{
	char words[600];
	va_list args;

	va_start(args, fmt);
	vsnprintf(words, sizeof(words), fmt, args);
	va_end(args);
	text_puts(list, list->len ? "," : "");
	text_json_string(list, words, strlen(words));
}

bool members_known(struct json_object *object, const char *const *names, const char *what,
		   struct text *error)
{
	if (!json_object_is_type(object, json_type_object)) {
		text_printf(error, "%s must be an object", what);
		return false;
	}
	json_object_object_foreach (object, name, value) {
		size_t i = 0;

		(void)value;
		while (names[i] && strcmp(names[i], name) != 0)
			i++;
		if (names[i])
			continue;
		text_printf(error, "%s has no member '%s'", what, name);
		return false;
	}
	return true;
}

/* ---- values ---- */

/* One field at a time: a value that does not fit leaves the others alone. */
void caller_write(struct run *r, struct run_person *person, const char *source, const char *reason,
		  const char *field_name, struct json_object *value)
{
	struct marketo *m = r->m;
	struct json_object *record;
	struct text error = { 0 };
	struct draft *draft;
	uint32_t position;

	if (!person_find(m, person->id, &position)) {
		problem_add(&person->problems, "the person is gone");
		return;
	}
	record = json_object_new_object();
	draft = draft_new();
	json_object_object_add(record, field_name, json_object_get(value));
	if (!draft_read(m, draft, record, false, &error) &&
	    !draft_company_check(m, draft, &position, &error)) {
		log_origin_set(&m->log, source, reason,
			       (uint32_t)(FIRST_CAMPAIGN_ID + r->campaign));
		draft_update(m, draft, position, USER_NONE);
		m->log.origin = 0;
		text_puts(&person->fields, person->fields.len ? "," : "");
		text_json_key(&person->fields, field_name);
		person_field_json(m, position, field_find(m, field_name, strlen(field_name)),
				  &person->fields);
	} else {
		problem_add(&person->problems, "%s", error.data);
	}
	draft_free(draft);
	json_object_put(record);
	text_free(&error);
}

/* ---- the report ---- */

static const char *const outcome_words[OUTCOME_COUNT] = {
	[OUTCOME_WAITING] = "waiting",  [OUTCOME_SUCCEEDED] = "succeeded",
	[OUTCOME_FAILED] = "failed",    [OUTCOME_REFUSED] = "refused",
	[OUTCOME_LEFT_OUT] = "leftOut", [OUTCOME_NO_CALLBACK] = "noCallback",
	[OUTCOME_SKIPPED] = "skipped",  [OUTCOME_UNKNOWN] = "unknown",
};

static void add_words(struct text *out, const char *name, const char *words)
{
	if (!words)
		return;
	text_puts(out, ",");
	text_json_key(out, name);
	text_json_string(out, words, strlen(words));
}

static void add_milliseconds(struct text *out, int64_t us)
{
	if (us >= 0)
		text_printf(out, ",\"milliseconds\":%" PRId64 ".%03d", us / 1000, (int)(us % 1000));
}

/* Whether no callback for what was sent can come in time any more. */
static bool too_late(const struct run *r)
{
	return r->sent == r->pieces &&
	       clock_steady_us() >= r->sent_us + r->m->limits.flow_s * 1000000;
}

static enum outcome outcome_now(const struct run *r, const struct run_person *person)
{
	if (r->kind == CALL_FLOW && person->outcome == OUTCOME_WAITING && too_late(r))
		return OUTCOME_NO_CALLBACK;
	return person->outcome;
}

static void person_report(const struct run *r, size_t at, struct text *out)
{
	const struct run_person *person = &r->people[at];

	text_printf(out, "%s{\"id\":%u,\"status\":\"%s\"", at ? "," : "", person->id,
		    outcome_words[outcome_now(r, person)]);
	if (person->http)
		text_printf(out, ",\"http\":%d", person->http);
	add_milliseconds(out, person->us);
	add_words(out, "body", person->body);
	add_words(out, "errorCode", person->error_code);
	add_words(out, "reason", person->reason);
	text_puts(out, ",\"fields\":{");
	text_add(out, person->fields.data, person->fields.len);
	text_puts(out, "},\"problems\":[");
	text_add(out, person->problems.data, person->problems.len);
	text_puts(out, "]}");
}

static void chunk_report(const struct run *r, size_t at, struct text *out)
{
	const struct chunk *chunk = &r->chunks[at];
	size_t first, count = chunk_people(r, at, &first);

	text_printf(out, "%s{\"people\":%zu,\"accepted\":%s,\"answers\":[", at ? "," : "", count,
		    chunk->accepted ? "true" : "false");
	text_add(out, chunk->answers.data, chunk->answers.len);
	text_printf(out, "],\"callback\":%s", chunk->used ? "true" : "false");
	if (chunk->used)
		add_milliseconds(out, chunk->answered_us - chunk->sent_us);
	text_puts(out, ",\"problems\":[");
	text_add(out, chunk->problems.data, chunk->problems.len);
	text_puts(out, "]}");
}

void run_report(const struct run *r, struct text *out)
{
	size_t totals[OUTCOME_COUNT] = { 0 };
	bool over = run_is_over(r);
	int64_t ended_us = over ? r->ended_us : clock_steady_us();

	text_printf(out, "{\"run\":%zu,\"campaign\":%zu,\"finished\":%s,\"people\":[", r->number,
		    FIRST_CAMPAIGN_ID + r->campaign,
		    over || (r->kind == CALL_FLOW && too_late(r)) ? "true" : "false");
	for (size_t i = 0; i < r->count; i++) {
		person_report(r, i, out);
		totals[outcome_now(r, &r->people[i])]++;
	}
	text_printf(out, "],\"totals\":{\"people\":%zu", r->count);
	for (int i = 0; i < OUTCOME_COUNT; i++)
		text_printf(out, ",\"%s\":%zu", outcome_words[i], totals[i]);
	text_printf(out, "},\"mostOpen\":%d", r->most_open);
	add_milliseconds(out, ended_us - r->started_us);
	if (r->chunks) {
		text_printf(out, ",\"batchId\":\"%s\",\"chunks\":[", r->batch_id);
		for (size_t i = 0; i < r->pieces; i++)
			chunk_report(r, i, out);
		text_puts(out, "]");
	}
	text_puts(out, "}");
}
