/* Invocations of a flow step: a chunk of people a call, 201 expected. Adobe: Self-Service Flow
 * Steps, submitAsyncAction. The answer that counts is the callback: flow_callback.c. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "marketo/caller.h"

static struct json_object *invocation_of(const struct run *r)
{
	return json_at(json_at(r->service, "definition"), "invocationPayloadDef");
}

static bool wants(const struct run *r, const char *context)
{
	return json_object_get_boolean(json_at(invocation_of(r), context));
}

size_t chunk_people(const struct run *r, size_t chunk, size_t *ret_first)
{
	size_t left;

	*ret_first = chunk * r->chunk_size;
	left = r->count - *ret_first;
	return left < r->chunk_size ? left : r->chunk_size;
}

static void add_words(struct text *out, const char *name, const char *words)
{
	text_json_key(out, name);
	text_json_string(out, words, strlen(words));
}

static void add_json(struct text *out, struct json_object *value)
{
	text_puts(out, json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
}

/* ---- what is the same for everybody ---- */

static void campaign_write(const struct run *r, struct text *out)
{
	const struct campaign *campaign = &r->m->campaigns.list[r->campaign];

	text_printf(out, ",\"campaign\":{\"id\":%zu,", FIRST_CAMPAIGN_ID + r->campaign);
	add_words(out, "name", campaign->name);
	text_printf(out, ",\"type\":\"%s\",\"status\":\"%s\",",
		    campaign->batch ? "batch" : "trigger",
		    campaign->active ? "Active" : "Inactive");
	add_words(out, "workspaceName", campaign->workspace);
	text_puts(out, "}");
}

/* Empty when the campaign is in no program. */
static void program_write(const struct run *r, struct text *out)
{
	const char *program = r->m->campaigns.list[r->campaign].program;

	text_puts(out, ",\"program\":{");
	if (*program)
		add_words(out, "name", program);
	text_puts(out, "}");
}

static void tokens_write(const struct run *r, struct text *out)
{
	struct json_object *wanted = json_at(invocation_of(r), "myTokenContext");
	size_t count =
		json_object_is_type(wanted, json_type_array) ? json_object_array_length(wanted) : 0;

	if (!count)
		return;
	text_puts(out, ",\"myTokenContext\":{");
	for (size_t i = 0; i < count; i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(wanted, i));

		text_puts(out, i ? "," : "");
		add_words(out, name, json_words(json_at(r->definition, "tokens"), name));
	}
	text_puts(out, "}");
}

static void context_write(const struct run *r, struct text *out)
{
	struct json_object *global = json_at(r->service, "global");

	text_puts(out, "\"context\":{\"subscription\":{");
	add_words(out, "munchkinId", MARKETO_MUNCHKIN_ID);
	if (wants(r, "subscriptionContext"))
		text_printf(out, ",\"prefix\":\"sandbox\",\"crmSyncStatus\":\"%s\"",
			    r->m->limits.crm_managed ? "active" : "none");
	text_puts(out, "},\"admin\":");
	if (global)
		add_json(out, global);
	else
		text_puts(out, "{}");
	if (wants(r, "campaignContext"))
		campaign_write(r, out);
	if (wants(r, "programContext"))
		program_write(r, out);
	tokens_write(r, out);
	text_puts(out, "}");
}

/* ---- a person ---- */

static void fields_write(const struct run *r, uint32_t position, struct text *out)
{
	struct json_object *mapped = json_at(r->service, "invocation");

	text_printf(out, "\"objectContext\":{\"id\":%u", person_id(position));
	json_object_object_foreach (mapped, attribute, field) {
		const char *name = json_object_get_string(field);
		int column = field_find(r->m, name, strlen(name));

		if (column < 0)
			continue; /* hidden since */
		text_puts(out, ",");
		text_json_key(out, attribute);
		person_field_json(r->m, position, column, out);
	}
	text_puts(out, "}");
}

/* Every attribute is there; one without a value is an empty text, or null where it is no text. */
static void values_write(const struct run *r, struct text *out)
{
	struct json_object *attributes = json_at(invocation_of(r), "flowAttributes");
	struct json_object *given = json_at(json_at(r->definition, "flowStep"), "attributes");

	text_puts(out, ",\"flowStepContext\":{");
	for (size_t i = 0; i < json_object_array_length(attributes); i++) {
		struct json_object *one = json_object_array_get_idx(attributes, i);
		const char *name = json_words(one, "apiName"), *type = json_words(one, "dataType");
		struct json_object *value = json_at(given, name);

		text_puts(out, i ? "," : "");
		text_json_key(out, name);
		if (value)
			add_json(out, value);
		else
			text_puts(out, strcmp(type, "string") == 0 || strcmp(type, "text") == 0 ||
						       strcmp(type, "url") == 0 ||
						       strcmp(type, "email") == 0
					       ? "\"\""
					       : "null");
	}
	text_puts(out, "}");
}

static void person_write(const struct run *r, uint32_t position, struct text *out)
{
	text_puts(out, "{\"objectType\":\"lead\",");
	fields_write(r, position, out);
	values_write(r, out);
	if (wants(r, "triggerContext") && !r->m->campaigns.list[r->campaign].batch) {
		text_puts(out, ",\"triggeringContext\":{");
		add_words(out, "name", r->trigger_name);
		text_puts(out, ",");
		add_words(out, "triggerName", r->trigger_kind);
		text_puts(out, "}");
	}
	if (wants(r, "programMemberContext"))
		text_puts(out, ",\"programMemberContext\":{}"); /* nobody is a member of anything */
	text_puts(out, "}");
}

/* The number of people in it. */
static size_t chunk_write(struct run *r, size_t at, struct text *out)
{
	size_t first, count = chunk_people(r, at, &first), written = 0;
	struct text address = { 0 };

	text_puts(out, "{");
	add_words(out, "token", r->chunks[at].token);
	text_puts(out, ",");
	add_words(out, "apiCallBackKey", MARKETO_CALLBACK_KEY);
	text_puts(out, ",");
	add_words(out, "batchid", r->batch_id);
	text_printf(&address, "http://%s%s", r->host, MARKETO_CALLBACK_PATH);
	text_printf(out, ",\"campaignId\":%zu,", FIRST_CAMPAIGN_ID + r->campaign);
	add_words(out, "callbackUrl", address.data);
	text_puts(out, ",");
	text_free(&address);
	context_write(r, out);
	text_puts(out, ",\"objectData\":[");
	for (size_t i = first; i < first + count; i++) {
		uint32_t position;

		if (r->people[i].outcome != OUTCOME_WAITING)
			continue;
		if (!person_find(r->m, r->people[i].id, &position)) {
			r->people[i].outcome = OUTCOME_UNKNOWN;
			continue;
		}
		text_puts(out, written++ ? "," : "");
		person_write(r, position, out);
	}
	text_puts(out, "]}");
	return written;
}

/* ---- sending ---- */

static void answer_note(struct chunk *chunk, enum post_result result,
			const struct post_answer *answer, int64_t us)
{
	struct text body = { 0 };

	text_add_utf8(&body, answer->body.data ? answer->body.data : "", answer->body.len);
	text_printf(&chunk->answers, "%s{\"status\":%d,\"milliseconds\":%" PRId64 ".%03d,\"body\":",
		    chunk->answers.len ? "," : "", result == POST_ANSWERED ? answer->status : 0,
		    us / 1000, (int)(us % 1000));
	text_json_string(&chunk->answers, body.data ? body.data : "", body.len);
	if (result != POST_ANSWERED)
		text_printf(&chunk->answers, ",\"error\":\"%s\"",
			    result == POST_TIMED_OUT ? "timeout" : "unreachable");
	text_puts(&chunk->answers, "}");
	text_free(&body);
}

/* One call, made without the lock; its status, 0 without one, negative when the run is void. */
static int chunk_post(struct run *r, size_t at, const struct text *body)
{
	struct chunk *chunk = &r->chunks[at];
	int64_t timeout_ms, started_us;
	struct post_answer answer;
	enum post_result result;
	int status;

	if (!call_open(r))
		return -1;
	timeout_ms = r->m->limits.webhook_s * 1000;
	started_us = clock_steady_us();
	if (!chunk->sent_us)
		chunk->sent_us = started_us;
	pthread_mutex_unlock(&r->m->lock);
	result = access_call(r->access, "POST", "/submitAsyncAction", body, true, timeout_ms,
			     &answer);
	pthread_mutex_lock(&r->m->lock);
	status = result == POST_ANSWERED ? answer.status : 0;
	if (call_close(r))
		answer_note(chunk, result, &answer, clock_steady_us() - started_us);
	else
		status = -1;
	post_answer_free(&answer);
	return status;
}

static void chunk_refuse(struct run *r, size_t at, int status)
{
	size_t first, count = chunk_people(r, at, &first);
	char code[16];

	snprintf(code, sizeof(code), "%d", status);
	for (size_t i = first; i < first + count; i++) {
		struct run_person *person = &r->people[i];

		if (person->outcome != OUTCOME_WAITING)
			continue;
		person->outcome = OUTCOME_REFUSED;
		person->http = status;
		person->us = clock_steady_us() - r->chunks[at].sent_us;
		person->error_code = word_copy(status ? code : "unreachable");
		person->reason = word_copy("the service did not take the call");
	}
	r->chunks[at].refused = true;
}

static void chunk_accept(struct run *r, size_t at)
{
	size_t first, count = chunk_people(r, at, &first);

	for (size_t i = first; i < first + count; i++)
		if (r->people[i].outcome != OUTCOME_UNKNOWN)
			r->people[i].http = 201;
	r->chunks[at].accepted = true;
}

void flow_send(struct run *r, size_t at)
{
	struct chunk *chunk = &r->chunks[at];
	struct text body = { 0 };
	int64_t again = r->resend;
	int status = 0, last;

	if (!chunk_write(r, at, &body)) {
		chunk->refused = true;
		piece_settled(r);
		text_free(&body);
		return;
	}
	do
		status = chunk_post(r, at, &body);
	while ((status == 429 || status >= 500) && again-- > 0);
	last = status;
	if (r->twice && status >= 0)
		last = chunk_post(r, at, &body);
	text_free(&body);
	if (status < 0 || last < 0)
		return;
	if (status == 201 || last == 201)
		chunk_accept(r, at);
	else if (!chunk->used)
		chunk_refuse(r, at, status);
	if (chunk->refused)
		piece_settled(r);
}
