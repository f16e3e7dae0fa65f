/* The callback of a flow step's service: who may send it, what it must hold, and what it does to
 * the people of its chunk. Adobe: Self-Service Flow Steps, callback; the refusals are those of the
 * published CFA-Swagger.yaml: 404 Not Found, 405 Invalid input; and 401, which it is seen to give.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "marketo/caller.h"

/* As long as the types string and text are. */
enum { CODE_BYTES = 255, REASON_BYTES = 2000 };

/* One callback while it is read. */
struct callback {
	struct run *run;
	struct chunk *chunk;
	size_t at; /* of the chunk */
	struct json_object *body;
	struct json_object *definition; /* callbackPayloadDef */
	size_t hint;                    /* where the next person is looked for first */
};

/* ---- values ---- */

static size_t whole_characters(const char *bytes, size_t len)
{
	while (len && ((unsigned char)bytes[len] & 0xc0) == 0x80)
		len--;
	return len;
}

/* A text cut to so many bytes. */
static struct json_object *cut_bytes(struct json_object *value, size_t most)
{
	const char *bytes = json_object_get_string(value);

	if (!most || (size_t)json_object_get_string_len(value) <= most)
		return json_object_get(value);
	return json_object_new_string_len(bytes, (int)whole_characters(bytes, most));
}

/* Cut to what a field of a person holds: characters, of long texts bytes. */
static struct json_object *cut_to_field(struct json_object *value, const struct field *field)
{
	size_t most = (size_t)field_types[field->type].length, at = 0;
	const char *bytes = json_object_get_string(value);

	if (!json_object_is_type(value, json_type_string) || !most)
		return json_object_get(value);
	if (field->type == TYPE_TEXT)
		return cut_bytes(value, most);
	for (; bytes[at] && most; most--) {
		at++;
		while (((unsigned char)bytes[at] & 0xc0) == 0x80)
			at++;
	}
	return cut_bytes(value, at);
}

/* "+5" is added to what the person has. */
static struct json_object *score_value(const struct run *r, const struct run_person *person,
				       int column, struct json_object *value)
{
	const char *words = json_object_get_string(value);
	long number = strtol(words, NULL, 10);
	uint32_t position;
	size_t len = 0;

	if ((*words == '+' || *words == '-') && json_object_is_type(value, json_type_string) &&
	    person_find(r->m, person->id, &position)) {
		const char *bytes = person_get(r->m, position, column, &len);
		char old[32];

		snprintf(old, sizeof(old), "%.*s", (int)len, bytes ? bytes : "");
		number += strtol(old, NULL, 10);
	}
	return json_object_new_int64(number);
}

/* ---- fields of the person ---- */

static struct json_object *field_declared(const struct callback *c, const char *name)
{
	struct json_object *fields = json_at(c->definition, "fields");
	size_t count =
		json_object_is_type(fields, json_type_array) ? json_object_array_length(fields) : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *field = json_object_array_get_idx(fields, i);

		if (strcmp(json_words(field, "serviceAttribute"), name) == 0)
			return field;
	}
	return NULL;
}

static void field_write(const struct callback *c, struct run_person *person, const char *mapped,
			const char *type, struct json_object *value)
{
	struct run *r = c->run;
	int column = field_find(r->m, mapped, strlen(mapped));
	char source[300], reason[100];
	struct json_object *fitting;

	if (column < 0) {
		problem_add(&person->problems, "the field '%s' is not active", mapped);
		return;
	}
	fitting = value && strcmp(type, "score") == 0
			  ? score_value(r, person, column, value)
			  : cut_to_field(value, &r->m->fields.list[column]);
	snprintf(source, sizeof(source), "%s (%lld)", json_words(r->service, "name"),
		 (long long)json_object_get_int64(
			 json_at(json_at(r->definition, "flowStep"), "service")));
	snprintf(reason, sizeof(reason), "Smart Campaign: %zu, Step Seq ID: 1",
		 FIRST_CAMPAIGN_ID + r->campaign);
	caller_write(r, person, source, reason, mapped, fitting);
	json_object_put(fitting);
}

/* What is not mapped is dropped; what is not declared, too, and told. */
static void field_take(const struct callback *c, struct run_person *person, const char *name,
		       struct json_object *value)
{
	struct json_object *declared = field_declared(c, name), *cut;
	const char *mapped = json_words(json_at(c->run->service, "callback"), name);
	bool own = json_object_get_boolean(json_at(c->definition, "userDrivenMapping"));
	const char *type = own ? "" : json_words(declared, "dataType"), *wrong = NULL;
	size_t most = 0;

	if (!own && !declared)
		problem_add(&person->problems, "the field '%s' is not declared", name);
	if ((!own && !declared) || (own && !*mapped))
		return;
	if (value && !own)
		wrong = flow_value_wrong(type, value, &most);
	if (wrong) {
		problem_add(&person->problems, "the value of the field '%s' %s", name, wrong);
		return;
	}
	if (most)
		problem_add(&person->problems,
			    "the value of the field '%s' is longer than %zu bytes", name, most);
	cut = most ? cut_bytes(value, most) : json_object_get(value);
	if (*mapped)
		field_write(c, person, mapped, type, cut);
	json_object_put(cut);
}

/* ---- the activity ---- */

static void attribute_add(struct text *out, const char *name, struct json_object *value)
{
	if (!value ||
	    (json_object_is_type(value, json_type_string) && !json_object_get_string_len(value)))
		return; /* an empty attribute is left out */
	text_puts(out, out->data[out->len - 1] == '[' ? "{\"name\":" : ",{\"name\":");
	text_json_string(out, name, strlen(name));
	text_puts(out, ",\"value\":");
	text_puts(out, json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
	text_puts(out, "}");
}

static void attribute_words(struct text *out, const char *name, const char *words)
{
	struct json_object *value = json_object_new_string(words ? words : "");

	attribute_add(out, name, value);
	json_object_put(value);
}

/* Values of the flow step, the service's attributes, and how it went. */
static void activity_log(const struct callback *c, const struct run_person *person,
			 struct json_object *kept)
{
	struct run *r = c->run;
	struct json_object *definition = json_at(r->service, "definition");
	struct json_object *flow =
		json_at(json_at(definition, "invocationPayloadDef"), "flowAttributes");
	struct json_object *given = json_at(json_at(r->definition, "flowStep"), "attributes");
	struct json_object *returned = json_at(c->definition, "attributes");
	const char *primary = json_words(definition, "primaryAttribute");
	int64_t id = json_object_get_int64(json_at(json_at(r->definition, "flowStep"), "service"));
	struct text payload = { 0 };
	uint32_t position;

	if (!person_find(r->m, person->id, &position))
		return;
	text_puts(&payload, ",\"primaryAttributeValue\":");
	text_puts(&payload, json_at(given, primary)
				    ? json_object_to_json_string(json_at(given, primary))
				    : "\"\"");
	text_puts(&payload, ",\"attributes\":[");
	for (size_t i = 0; i < json_object_array_length(flow); i++) {
		struct json_object *one = json_object_array_get_idx(flow, i);
		const char *name = json_words(one, "apiName");

		if (strcmp(name, primary) != 0)
			attribute_add(&payload, flow_display(one), json_at(given, name));
	}
	if (kept) {
		json_object_object_foreach (kept, name, value)
			attribute_add(&payload, flow_display(flow_attribute(returned, name)),
				      value);
	}
	text_puts(&payload, payload.data[payload.len - 1] == '[' ? "" : ",");
	text_printf(&payload, "{\"name\":\"Success\",\"value\":%s}",
		    person->outcome == OUTCOME_SUCCEEDED ? "true" : "false");
	attribute_words(&payload, "Reason", person->reason);
	attribute_words(&payload, "Error Code", person->error_code);
	text_puts(&payload, "]");
	log_origin_set(&r->m->log, "", "", (uint32_t)(FIRST_CAMPAIGN_ID + r->campaign));
	log_other(r->m, person->id, ACTIVITY_SERVICE_FROM + (uint32_t)id - 1, sandbox_now_s(),
		  USER_NONE, &payload);
	r->m->log.origin = 0;
	text_free(&payload);
}

/* Keeps a text of at most so many bytes; none where there is none. */
static void words_keep(const char *words, size_t most, char **ret)
{
	size_t len = strlen(words);

	free(*ret);
	*ret = strndup(words, len > most ? whole_characters(words, most) : len);
	if (!*ret)
		abort();
}

static void words_take(struct run_person *person, const char *name, struct json_object *value,
		       size_t most, char **ret)
{
	if (!value)
		return;
	if (!json_object_is_type(value, json_type_string))
		problem_add(&person->problems, "activityData.%s is not a text", name);
	else
		words_keep(json_object_get_string(value), most, ret);
}

/* Whether it went well: said by success, which should be there. */
static void success_take(struct run_person *person, struct json_object *activity)
{
	struct json_object *success = json_at(activity, "success");
	bool good = json_object_get_boolean(success);

	words_take(person, "reason", json_at(activity, "reason"), REASON_BYTES, &person->reason);
	words_take(person, "errorCode", json_at(activity, "errorCode"), CODE_BYTES,
		   &person->error_code);
	if (!json_object_is_type(success, json_type_boolean)) {
		problem_add(&person->problems, "activityData.success is not a truth value");
		good = !person->error_code || !*person->error_code;
	}
	if (!good && (!person->error_code || !*person->error_code))
		problem_add(&person->problems, "a failure has no errorCode");
	person->outcome = good ? OUTCOME_SUCCEEDED : OUTCOME_FAILED;
}

/* The declared attributes that are what they should be. */
static struct json_object *attributes_take(const struct callback *c, struct run_person *person,
					   struct json_object *activity)
{
	static const char *const own[] = { "success", "reason", "errorCode" };
	struct json_object *declared = json_at(c->definition, "attributes");
	struct json_object *kept = json_object_new_object();

	json_object_object_foreach (activity, name, value) {
		struct json_object *attribute = flow_attribute(declared, name);
		const char *wrong;
		size_t most;
		bool always = false;

		for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
			always = always || strcmp(own[i], name) == 0;
		if (always || (attribute && !value))
			continue;
		if (!attribute) {
			problem_add(&person->problems, "the attribute '%s' is not declared", name);
			continue;
		}
		wrong = flow_value_wrong(json_words(attribute, "dataType"), value, &most);
		if (wrong)
			problem_add(&person->problems, "the value of the attribute '%s' %s", name,
				    wrong);
		if (most)
			problem_add(&person->problems,
				    "the value of the attribute '%s' is longer than %zu bytes",
				    name, most);
		if (!wrong)
			json_object_object_add(
				kept, name, most ? cut_bytes(value, most) : json_object_get(value));
	}
	return kept;
}

/* ---- people ---- */

/* Members of both; the element's own go before the defaults. */
static struct json_object *with_defaults(struct json_object *defaults, struct json_object *own)
{
	struct json_object *made = json_object_new_object();
	struct json_object *const layers[] = { defaults, own };

	for (size_t i = 0; i < 2; i++) {
		if (!json_object_is_type(layers[i], json_type_object))
			continue;
		json_object_object_foreach (layers[i], name, value)
			json_object_object_add(made, name, json_object_get(value));
	}
	return made;
}

static struct run_person *person_of(struct callback *c, int64_t id)
{
	size_t first, count = chunk_people(c->run, c->at, &first);

	for (size_t i = 0; i < count; i++) {
		size_t at = (c->hint + i) % count;

		if (c->run->people[first + at].id != id)
			continue;
		c->hint = at + 1;
		return &c->run->people[first + at];
	}
	return NULL;
}

static void person_take(struct callback *c, struct run_person *person, struct json_object *element)
{
	struct json_object *defaults = json_at(c->body, "defaultValues");
	struct json_object *activity = with_defaults(json_at(defaults, "activityDefaults"),
						     json_at(element, "activityData"));
	struct json_object *lead =
		with_defaults(json_at(defaults, "leadDefaults"), json_at(element, "leadData"));
	struct json_object *kept;

	free(person->error_code);
	free(person->reason);
	person->error_code = person->reason = NULL; /* of a refusal before */
	success_take(person, activity);
	kept = attributes_take(c, person, activity);
	json_object_object_foreach (lead, name, value)
		if (strcmp(name, "id") != 0)
			field_take(c, person, name, value);
	activity_log(c, person, kept);
	json_object_put(kept);
	json_object_put(activity);
	json_object_put(lead);
}

static void element_take(struct callback *c, size_t i, struct json_object *element, bool *answered)
{
	struct json_object *id = json_at(json_at(element, "leadData"), "id");
	struct run_person *person;
	size_t first;

	chunk_people(c->run, c->at, &first);
	if (!json_object_is_type(id, json_type_int)) {
		problem_add(&c->chunk->problems, "objectData[%zu] has no leadData.id", i);
		return;
	}
	person = person_of(c, json_object_get_int64(id));
	if (!person || person->outcome == OUTCOME_UNKNOWN)
		problem_add(&c->chunk->problems, "objectData[%zu]: %s is not in the chunk", i,
			    json_object_get_string(id));
	else if (answered[person - c->run->people - (ptrdiff_t)first])
		problem_add(&c->chunk->problems, "objectData[%zu]: %s was named before", i,
			    json_object_get_string(id));
	else {
		answered[person - c->run->people - (ptrdiff_t)first] = true;
		person_take(c, person, element);
	}
}

/* The whole chunk failed: objectData is not looked at. */
static void chunk_fail(struct callback *c, const char *code, const char *message)
{
	size_t first, count = chunk_people(c->run, c->at, &first);

	for (size_t i = first; i < first + count; i++) {
		struct run_person *person = &c->run->people[i];

		if (person->outcome == OUTCOME_UNKNOWN)
			continue;
		words_keep(code, CODE_BYTES, &person->error_code);
		words_keep(message, REASON_BYTES, &person->reason);
		person->outcome = OUTCOME_FAILED;
		activity_log(c, person, NULL);
	}
}

static void chunk_take(struct callback *c)
{
	struct json_object *list = json_at(c->body, "objectData");
	size_t first, count = chunk_people(c->run, c->at, &first);
	const char *code = json_words(c->body, "errorCode");
	bool *answered = calloc(count, sizeof(*answered));

	if (!answered)
		abort();
	c->chunk->used = true;
	c->chunk->answered_us = clock_steady_us();
	if (*code)
		chunk_fail(c, code, json_words(c->body, "errorMessage"));
	for (size_t i = 0; !*code && i < json_object_array_length(list); i++)
		element_take(c, i, json_object_array_get_idx(list, i), answered);
	for (size_t i = 0; i < count; i++) {
		struct run_person *person = &c->run->people[first + i];

		person->us = c->chunk->answered_us - c->chunk->sent_us;
		if (!*code && !answered[i] && person->outcome != OUTCOME_UNKNOWN)
			person->outcome = OUTCOME_LEFT_OUT;
	}
	free(answered);
	if (!c->chunk->refused)
		piece_settled(c->run);
}

/* ---- the call ---- */

static void refuse(struct web_response *response, int status, const char *reason)
{
	response->status = status;
	text_puts(&response->body, "{\"error\":");
	text_json_string(&response->body, reason, strlen(reason));
	text_puts(&response->body, "}");
}

/* What is wrong with the body, or NULL. */
static const char *body_wrong(const struct web_request *request, struct json_object *body)
{
	const char *type = request->header(request, "Content-Type");
	struct json_object *list = json_at(body, "objectData");

	if (!type || strncasecmp(type, "application/json", 16) != 0)
		return "the Content-Type must be application/json";
	if (!json_object_is_type(body, json_type_object))
		return "the body must be a JSON object";
	if (strcmp(json_words(body, "munchkinId"), MARKETO_MUNCHKIN_ID) != 0)
		return "munchkinId is not this instance's";
	if (!*json_words(body, "errorCode") && !json_object_is_type(list, json_type_array))
		return "objectData must be a list";
	return NULL;
}

struct token_search {
	const struct callers *callers;
	const char *token;
	const struct chunk_place *found;
};

static bool token_visit(void *context, uint32_t place)
{
	struct token_search *s = context;
	const struct chunk_place *at = &s->callers->places[place];

	if (strcmp(at->run->chunks[at->chunk].token, s->token) != 0)
		return true;
	s->found = at;
	return false;
}

static const struct chunk_place *token_find(const struct callers *callers, const char *token)
{
	struct token_search s = { .callers = callers, .token = token };

	index_find(&callers->by_token, index_hash(token, strlen(token), false), token_visit, &s);
	return s.found;
}

static void callback_take(struct marketo *m, const struct web_request *request, const char *token,
			  struct json_object *body, struct web_response *response)
{
	const struct chunk_place *place = token_find(m->callers, token);
	const char *wrong = body_wrong(request, body);
	struct callback c;

	if (!place || place->run->chunks[place->chunk].used) {
		refuse(response, 404, place ? "the token was used" : "there is no such token");
		return;
	}
	c = (struct callback){ .run = place->run,
			       .chunk = &place->run->chunks[place->chunk],
			       .at = place->chunk,
			       .body = body,
			       .definition = json_at(json_at(place->run->service, "definition"),
						     "callbackPayloadDef") };
	if (wrong) {
		problem_add(&c.chunk->problems, "a callback was refused: %s", wrong);
		refuse(response, 405, wrong);
		return;
	}
	chunk_take(&c);
	response->status = 202;
}

static struct json_object *body_parse(const struct web_request *request)
{
	struct json_tokener *tokener = json_tokener_new_ex(32);
	struct json_object *made;

	if (!tokener)
		abort();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	made = json_tokener_parse_ex(tokener, request->body, (int)request->body_len);
	json_tokener_free(tokener);
	return made;
}

void flow_callback(struct marketo *m, const struct web_request *request,
		   struct web_response *response)
{
	const char *key = request->header(request, "x-api-key");
	const char *token = request->header(request, "x-callback-token");
	struct json_object *body;

	web_header(response, "Content-Type", "application/json");
	if (strcmp(request->method, "POST") != 0) {
		refuse(response, 405, "a callback is a POST");
		return;
	}
	if (!key || !token || strcmp(key, MARKETO_CALLBACK_KEY) != 0) {
		refuse(response, 401, "x-api-key and x-callback-token are needed");
		return;
	}
	body = body_parse(request);
	pthread_mutex_lock(&m->lock);
	callback_take(m, request, token, body, response);
	json_object_put(body);
	pthread_mutex_unlock(&m->lock);
}
