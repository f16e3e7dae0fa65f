/* The webhook sender: one call a person, no second try, and what its answer does to the person.
 * Adobe: Webhooks. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "marketo/caller.h"

/* Longer answers are cut in the log. */
enum { LOGGED_MAX = 65536 };

static const char *const encodings[] = {
	[ENCODING_NONE] = "none", [ENCODING_JSON] = "json", [ENCODING_FORM] = "form"
};
enum response_type { RESPONSE_NONE, RESPONSE_JSON, RESPONSE_XML };
static const char *const response_types[] = {
	[RESPONSE_NONE] = "none", [RESPONSE_JSON] = "json", [RESPONSE_XML] = "xml"
};
/* What an empty token may arrive as is not written down; the default is the first. */
static const struct {
	const char *name, *words;
} empties[] = { { "quotes", "\"\"" }, { "nothing", "" }, { "null", "null" } };

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* ---- a definition ---- */

/* Which of the words a member is, the first when it is absent; -1 for something else. */
static int word_read(struct json_object *webhook, const char *name, const char *const *words,
		     int count)
{
	if (!json_at(webhook, name))
		return 0;
	for (int i = 0; i < count; i++)
		if (is(words[i], json_words(webhook, name)))
			return i;
	return -1;
}

static const char *empty_words(struct json_object *webhook)
{
	if (!json_at(webhook, "empty"))
		return empties[0].words;
	for (size_t i = 0; i < sizeof(empties) / sizeof(empties[0]); i++)
		if (is(empties[i].name, json_words(webhook, "empty")))
			return empties[i].words;
	return NULL;
}

/* By SOAP name, as response mappings are made; the REST name does too. */
static int field_mapped(const struct marketo *m, const char *name)
{
	for (size_t i = 0; i < m->fields.count; i++)
		if (!(m->fields.list[i].flags & FIELD_HIDDEN) && *m->fields.list[i].soap &&
		    is(m->fields.list[i].soap, name))
			return (int)i;
	return field_find(m, name, strlen(name));
}

static void mappings_check(struct marketo *m, struct json_object *mappings, struct text *error)
{
	if (!json_object_is_type(mappings, json_type_object)) {
		text_puts(error, "mappings must be an object");
		return;
	}
	json_object_object_foreach (mappings, path, field) {
		int column = json_object_is_type(field, json_type_string)
				     ? field_mapped(m, json_object_get_string(field))
				     : -1;

		if (!path_is_legal(path))
			text_printf(error,
				    "'%s' is not a path: keys have letters, digits, dash, "
				    "underscore, colon and space",
				    path);
		else if (column < 0 || m->fields.list[column].flags & FIELD_READ_ONLY ||
			 column == COLUMN_ID)
			text_printf(error, "'%s' is mapped to no field that can be written", path);
		if (error->len)
			return;
	}
}

/* Texts with tokens: the names are checked, nothing is looked up. */
static void texts_check(struct marketo *m, struct json_object *definition,
			struct json_object *webhook, struct text *error)
{
	struct token_scope scope = { .m = m, .definition = definition, .empty = "" };
	struct json_object *headers = json_at(webhook, "headers");
	struct text url = { 0 }, template = { 0 }, words = { 0 };
	struct post_address address = { 0 };

	if (!tokens_expand(&scope, json_words(webhook, "url"), &url, error))
		; /* said */
	else if (!post_address_read(url.data ? url.data : "", &address))
		text_puts(error, "url must be an http address of this machine");
	else if (!template_parse(json_words(webhook, "template"), &template))
		text_puts(error,
			  "template: after a backslash only b, t, n, f, r, \\, \" and ' are legal");
	else
		tokens_expand(&scope, template.data ? template.data : "", &words, error);
	if (headers && !error->len) {
		json_object_object_foreach (headers, name, value) {
			if (error->len)
				break;
			if (!*name || strpbrk(name, " \t\r\n:") ||
			    !json_object_is_type(value, json_type_string))
				text_printf(error, "headers: '%s' is not a header", name);
			else
				tokens_expand(&scope, json_object_get_string(value), &words, error);
		}
	}
	post_address_free(&address);
	text_free(&url);
	text_free(&template);
	text_free(&words);
}

bool webhook_check(struct marketo *m, struct json_object *definition, struct text *error)
{
	static const char *const members[] = { "name",     "url",     "method",   "template",
					       "encoding", "headers", "mappings", "responseType",
					       "empty",    NULL };
	struct json_object *webhook = json_at(definition, "webhook");
	struct json_object *headers = json_at(webhook, "headers");
	const char *method = json_words(webhook, "method");
	int type;

	if (!members_known(webhook, members, "webhook", error))
		return false;
	type = word_read(webhook, "responseType", response_types, 3);
	if (!*json_words(webhook, "url"))
		text_puts(error, "a webhook has a url");
	else if (json_at(webhook, "method") && !is(method, "GET") && !is(method, "POST"))
		text_puts(error, "method must be GET or POST");
	else if (word_read(webhook, "encoding", encodings, 3) < 0)
		text_puts(error, "encoding must be none, json or form");
	else if (type < 0)
		text_puts(error, "responseType must be none, json or xml");
	else if (!empty_words(webhook))
		text_puts(error, "empty must be quotes, nothing or null");
	else if (headers && !json_object_is_type(headers, json_type_object))
		text_puts(error, "headers must be an object");
	else if (json_at(webhook, "mappings") && type == RESPONSE_NONE)
		text_puts(error, "mappings need a responseType");
	else if (json_at(webhook, "mappings"))
		mappings_check(m, json_at(webhook, "mappings"), error);
	if (!error->len)
		texts_check(m, definition, webhook, error);
	return !error->len;
}

/* ---- a request ---- */

struct letter {
	struct post_address address;
	struct text headers, body;
	bool get, legal;
};

static void letter_free(struct letter *letter)
{
	post_address_free(&letter->address);
	text_free(&letter->headers);
	text_free(&letter->body);
}

static void header_add(struct letter *letter, const char *name, struct text *value)
{
	for (size_t i = 0; i < value->len; i++)
		if ((unsigned char)value->data[i] < ' ')
			value->data[i] = ' '; /* a line break would end the header */
	text_printf(&letter->headers, "%s: %s\r\n", name, value->data ? value->data : "");
}

/* Content-Type goes by the encoding where no header is given for it. */
static void headers_write(struct json_object *webhook, struct token_scope *scope,
			  enum token_encoding encoding, struct letter *letter)
{
	static const char *const types[] = { [ENCODING_JSON] = "application/json",
					     [ENCODING_FORM] =
						     "application/x-www-form-urlencoded" };
	struct json_object *headers = json_at(webhook, "headers");
	struct text value = { 0 };
	bool typed = letter->get || encoding == ENCODING_NONE;

	if (headers) {
		json_object_object_foreach (headers, name, words) {
			text_clear(&value);
			tokens_expand(scope, json_object_get_string(words), &value, NULL);
			header_add(letter, name, &value);
			typed = typed || strcasecmp(name, "Content-Type") == 0;
		}
	}
	if (!typed)
		text_printf(&letter->headers, "Content-Type: %s\r\n", types[encoding]);
	text_free(&value);
}

/* The address goes as it was typed: only the form encoding touches the tokens in it. */
static void letter_write(const struct run *r, uint32_t position, struct letter *letter)
{
	struct json_object *webhook = json_at(r->definition, "webhook");
	enum token_encoding encoding =
		(enum token_encoding)word_read(webhook, "encoding", encodings, 3);
	struct token_scope scope = { .m = r->m,
				     .definition = r->definition,
				     .run = r,
				     .position = position,
				     .empty = empty_words(webhook) };
	struct text url = { 0 }, template = { 0 };

	*letter = (struct letter){ .get = is(json_words(webhook, "method"), "GET") };
	scope.encoding = encoding == ENCODING_FORM ? ENCODING_FORM : ENCODING_NONE;
	tokens_expand(&scope, json_words(webhook, "url"), &url, NULL);
	letter->legal = post_address_read(url.data ? url.data : "", &letter->address);
	scope.encoding = ENCODING_NONE;
	headers_write(webhook, &scope, encoding, letter);
	scope.encoding = encoding;
	if (!letter->get && template_parse(json_words(webhook, "template"), &template) &&
	    template.data)
		tokens_expand(&scope, template.data, &letter->body, NULL);
	text_free(&url);
	text_free(&template);
}

/* ---- an answer ---- */

static void answer_map(struct run *r, struct run_person *person, const struct post_answer *answer)
{
	struct json_object *webhook = json_at(r->definition, "webhook");
	struct json_object *mappings = json_at(webhook, "mappings");
	bool xml = is(json_words(webhook, "responseType"), "xml"), sound;
	struct json_object *root = NULL;
	const struct campaign *campaign = &r->m->campaigns.list[r->campaign];
	struct text reason = { 0 }, words = { 0 };

	if (!mappings)
		return;
	root = xml ? xml_parse(answer->body.data) : json_tokener_parse(answer->body.data);
	if (!root)
		problem_add(&person->problems, "the answer is not %s", xml ? "XML" : "JSON");
	text_printf(&reason, "Changed by Smart Campaign %s%s%s action Call Webhook",
		    campaign->program, *campaign->program ? "." : "", campaign->name);
	json_object_object_foreach (mappings, path, field) {
		int column = field_mapped(r->m, json_object_get_string(field));
		struct json_object *value = NULL;

		if (column < 0 || !root)
			continue;
		if (!xml)
			value = json_object_get(path_in_json(root, path));
		else if (path_in_xml(answer->body.data, path, &words, &sound))
			value = json_object_new_string(words.data ? words.data : "");
		if (value)
			caller_write(r, person, "Marketo Flow Action", reason.data,
				     r->m->fields.list[column].name, value);
		json_object_put(value);
	}
	json_object_put(root);
	text_free(&reason);
	text_free(&words);
}

static void webhook_log(struct run *r, const struct run_person *person, const char *error_type)
{
	struct json_object *webhook = json_at(r->definition, "webhook");
	const char *name = *json_words(webhook, "name") ? json_words(webhook, "name")
							: json_words(webhook, "url");
	struct text payload = { 0 };
	uint32_t position;

	if (!person_find(r->m, person->id, &position))
		return;
	text_printf(&payload,
		    ",\"primaryAttributeValueId\":%zu,\"primaryAttributeValue\":", r->campaign + 1);
	text_json_string(&payload, name, strlen(name));
	text_puts(&payload, ",\"attributes\":[");
	if (*error_type) {
		text_puts(&payload, "{\"name\":\"Error Type\",\"value\":");
		text_json_string(&payload, error_type, strlen(error_type));
		text_puts(&payload, "}");
	}
	if (person->body && *person->body) {
		size_t len = strlen(person->body);

		for (len = len < LOGGED_MAX ? len : LOGGED_MAX; (person->body[len] & 0xc0) == 0x80;)
			len--; /* never inside a character */
		text_printf(&payload,
			    "%s{\"name\":\"Response\",\"value\":", *error_type ? "," : "");
		text_json_string(&payload, person->body, len);
		text_puts(&payload, "}");
	}
	text_puts(&payload, "]");
	log_origin_set(&r->m->log, "Marketo Flow Action", "",
		       (uint32_t)(FIRST_CAMPAIGN_ID + r->campaign));
	log_other(r->m, person->id, ACTIVITY_CALL_WEBHOOK, sandbox_now_s(), USER_NONE, &payload);
	r->m->log.origin = 0;
	text_free(&payload);
}

static void person_fail(struct run_person *person, enum outcome outcome, const char *code,
			const char *reason)
{
	person->outcome = outcome;
	person->error_code = word_copy(code);
	person->reason = word_copy(reason);
}

/* Adobe: Webhooks, Errors: 1000 and 1001 are Marketo's own; an error type is the words of the HTTP
 * status. */
static void answer_take(struct run *r, struct run_person *person, enum post_result result,
			const struct post_answer *answer)
{
	struct text reason = { 0 }, body = { 0 };
	char code[16];

	person->http = result == POST_ANSWERED ? answer->status : 0;
	text_add_utf8(&body, answer->body.data ? answer->body.data : "", answer->body.len);
	person->body = result == POST_ANSWERED ? word_copy(body.data) : NULL;
	post_answer_reason(answer, &reason);
	snprintf(code, sizeof(code), "%d", answer->status);
	if (result == POST_TIMED_OUT)
		person_fail(person, OUTCOME_FAILED, "timeout", "no answer in time");
	else if (result == POST_FAILED)
		person_fail(person, OUTCOME_FAILED, "unreachable", "the address does not answer");
	else if (!body.len)
		person_fail(person, OUTCOME_FAILED, "1001", "the answer has no body");
	else if (answer->status < 200 || answer->status > 299)
		person_fail(person, OUTCOME_FAILED, code, reason.len ? reason.data : "");
	else
		person->outcome = OUTCOME_SUCCEEDED;
	if (result != POST_ANSWERED || !body.len)
		webhook_log(r, person, person->error_code);
	else
		webhook_log(r, person, person->error_code ? person->reason : "");
	if (person->outcome == OUTCOME_SUCCEEDED)
		answer_map(r, person, answer);
	text_free(&reason);
	text_free(&body);
}

/* ---- a person ---- */

/* Sends with the lock let go; false when the run is void by now. */
static bool call_out(struct run *r, struct run_person *person, uint32_t position)
{
	int64_t timeout_ms = r->m->limits.webhook_s * 1000, started_us;
	struct post_answer answer = { 0 };
	enum post_result result = POST_FAILED;
	struct letter letter;
	bool valid;

	letter_write(r, position, &letter);
	started_us = clock_steady_us();
	pthread_mutex_unlock(&r->m->lock);
	if (letter.legal)
		result = post_send(&(struct post_request){ .method = letter.get ? "GET" : "POST",
							   .host = letter.address.host,
							   .port = letter.address.port,
							   .path = letter.address.path.data,
							   .headers = letter.headers.data,
							   .body = letter.get ? NULL
								   : letter.body.data
									   ? letter.body.data
									   : "",
							   .body_len = letter.body.len,
							   .timeout_ms = timeout_ms },
				   &answer);
	pthread_mutex_lock(&r->m->lock);
	person->us = clock_steady_us() - started_us;
	valid = call_close(r);
	if (valid)
		answer_take(r, person, result, &answer);
	post_answer_free(&answer);
	letter_free(&letter);
	return valid;
}

void webhook_send(struct run *r, size_t at)
{
	struct run_person *person = &r->people[at];
	uint32_t position;

	if (person->outcome == OUTCOME_WAITING && r->m->campaigns.list[r->campaign].batch) {
		person_fail(person, OUTCOME_SKIPPED, "1000",
			    "webhooks are called by trigger campaigns only");
		webhook_log(r, person, "1000");
	} else if (person->outcome == OUTCOME_WAITING) {
		if (!call_open(r))
			return;
		if (person_find(r->m, person->id, &position)) {
			if (!call_out(r, person, position))
				return;
		} else {
			person->outcome = OUTCOME_UNKNOWN;
			call_close(r);
		}
	}
	piece_settled(r);
}
