/* The front door of the imitated Marketo instance: routing, envelope, order of refusals.
 * What a call does is in the files named after its subject. */
#include "marketo/caller.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"

/* Adobe: REST API, limits: addresses of 8 KB (of the asset API 65 KB), bodies of 1 MB, 300
 * records. */
#define TARGET_MAX ((size_t)8192)
#define ASSET_TARGET_MAX ((size_t)65 * 1024)
#define BODY_MAX ((size_t)1024 * 1024)
#define UPLOAD_MAX (10 * BODY_MAX)            /* Adobe: Bulk Lead Import */
static _Thread_local int64_t records_carried; /* by the call just answered on this thread */

/* ---- parts of the call, for the handlers ---- */

void call_fail(struct call *call, int code, const char *fmt, ...)
{
	struct text message = { 0 };
	char buffer[600];
	va_list args;

	va_start(args, fmt);
	vsnprintf(buffer, sizeof(buffer), fmt, args);
	va_end(args);
	text_json_string(&message, buffer, strlen(buffer));
	call->error_code = code;
	call->records = 0;
	text_clear(call->out);
	text_printf(call->out, ",\"errors\":[{\"code\":\"%d\",\"message\":%s}]", code,
		    message.data);
	text_free(&message);
}

void call_unsupported(struct call *call, const char *what)
{
	call->plain = true;
	call->error_code = 501;
	call->response->status = 501;
	web_header(call->response, "Content-Type", "text/plain");
	text_clear(call->out);
	text_puts(call->out, what);
}

void skip_record(struct text *out, const char *list, int code, const char *fmt, ...)
{
	char buffer[600];
	va_list args;

	va_start(args, fmt);
	vsnprintf(buffer, sizeof(buffer), fmt, args);
	va_end(args);
	text_printf(out, "{\"status\":\"skipped\",\"%s\":[{\"code\":\"%d\",\"message\":", list,
		    code);
	text_json_string(out, buffer, strlen(buffer));
	text_puts(out, "}]}");
}

bool call_param(const struct call *call, const char *name, int nth, struct text *ret)
{
	if (call->form && web_param(call->form, name, nth, ret))
		return true;
	return web_param(call->request->query, name, nth, ret);
}

void call_each_value(const struct call *call, const char *name,
		     void (*visit)(void *, const char *value, size_t len), void *context)
{
	struct text values = { 0 };

	for (int nth = 0; call_param(call, name, nth, &values); nth++) {
		for (const char *at = values.data; *at;) {
			size_t len = strcspn(at, ",");

			if (len)
				visit(context, at, len);
			at += len;
			at += *at == ',';
		}
	}
	text_free(&values);
}

/* One of the values of a filter. */
struct wanted {
	const char *value;
	size_t values;
	bool met;
};

static void wanted_visit(void *context, const char *value, size_t len)
{
	struct wanted *w = context;

	w->values++;
	w->met = w->met || (strlen(w->value) == len && memcmp(w->value, value, len) == 0);
}

bool call_filter_passes(const struct call *call, const char *name, const char *value)
{
	struct wanted w = { .value = value };

	call_each_value(call, name, wanted_visit, &w);
	return !w.values || w.met;
}

size_t call_batch_size(struct call *call)
{
	struct text word = { 0 };
	size_t batch = BATCH_MAX;

	if (call_param(call, "batchSize", 0, &word)) {
		char *end;
		long wanted = strtol(word.data, &end, 10);

		batch = *end || wanted < 1 ? 0 : wanted > BATCH_MAX ? BATCH_MAX : (size_t)wanted;
		if (!batch)
			call_fail(call, 1003, "Invalid value for batchSize '%s'", word.data);
	}
	text_free(&word);
	return batch;
}

struct json_object *call_input(struct call *call)
{
	struct json_object *input;

	if (!json_object_object_get_ex(call->json, "input", &input) ||
	    !json_object_is_type(input, json_type_array)) {
		call_fail(call, 701, "input cannot be blank");
		return NULL;
	}
	if (!json_object_array_length(input)) {
		call_fail(call, 701, "input cannot be blank");
		return NULL;
	}
	if (json_object_array_length(input) > BATCH_MAX) {
		call_fail(call, 1003, "Number of input records %zu exceeds the limit %d",
			  json_object_array_length(input), BATCH_MAX);
		return NULL;
	}
	return input;
}

void call_each_record(struct call *call, void (*serve)(struct call *, struct json_object *record))
{
	struct json_object *input = call_input(call);

	if (!input)
		return;
	text_puts(call->out, ",\"result\":[");
	for (size_t i = 0; i < json_object_array_length(input); i++, call->records++) {
		text_puts(call->out, i ? "," : "");
		serve(call, json_object_array_get_idx(input, i));
	}
	text_puts(call->out, "]");
}

const char *json_member_text(struct json_object *object, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

char *word_copy(const char *word)
{
	char *copy = strdup(word ? word : "");

	if (!copy)
		abort();
	return copy;
}

static bool is_identity(const struct web_request *request)
{
	return strcmp(request->path, "/identity/oauth/token") == 0;
}

/* ---- one call ---- */

static bool content_type_is(const struct web_request *request, const char *wanted)
{
	const char *type = request->header(request, "Content-Type");

	return type && strncasecmp(type, wanted, strlen(wanted)) == 0;
}

static struct json_object *body_parse(const struct web_request *request)
{
	struct json_tokener *tokener = json_tokener_new_ex(32);
	struct json_object *made;
	size_t rest;

	if (!tokener)
		abort();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8 |
						JSON_TOKENER_ALLOW_TRAILING_CHARS);
	made = json_tokener_parse_ex(tokener, request->body, (int)request->body_len);
	rest = json_tokener_get_parse_end(tokener);
	while (made && rest < request->body_len && strchr(" \t\r\n", request->body[rest]))
		rest++;
	if (!json_object_is_type(made, json_type_object) || rest != request->body_len) {
		json_object_put(made);
		made = NULL;
	}
	json_tokener_free(tokener);
	return made;
}

/* False after having failed the call. */
static bool body_take(struct call *call, const struct route *route)
{
	const struct web_request *request = call->request;
	bool form = content_type_is(request, "application/x-www-form-urlencoded");

	if (strcmp(request->method, "GET") == 0)
		return true;
	if (route->body == BODY_MULTIPART) {
		if (content_type_is(request, "multipart/form-data"))
			return true;
		call_fail(call, 612, "Invalid Content Type");
		return false;
	}
	if (route->body == BODY_NONE) {
		if (!form)
			call_fail(call, 612, "Invalid Content Type");
		call->form = request->body;
		return form;
	}
	if (route->body == BODY_OPTIONAL && form) {
		call->form = request->body;
		return true;
	}
	if (route->body == BODY_OPTIONAL && !request->body_len)
		return true;
	if (!content_type_is(request, "application/json")) {
		call_fail(call, 612, "Invalid Content Type");
		return false;
	}
	call->json = body_parse(request);
	if (!call->json)
		call_fail(call, 609, "Invalid JSON");
	return call->json;
}

static const struct {
	int code;
	const char *message;
} refusals[] = {
	{ 601, "Access token invalid" }, { 602, "Access token expired" },
	{ 603, "Access denied" },        { 605, "HTTP Method not supported" },
	{ 607, "Daily quota reached" },  { 610, "Requested resource not found" },
};

static void refuse(struct call *call, int code)
{
	const struct limits *l = &call->m->limits;

	if (code == 606)
		call_fail(call, 606,
			  "Max rate limit '%" PRId64 "' exceeded with in '%" PRId64 "' secs",
			  l->per_window, l->window_s);
	if (code == 615)
		call_fail(call, 615, "Concurrent access limit '%" PRId64 "' reached",
			  l->concurrent);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (refusals[i].code == code)
			call_fail(call, code, "%s", refusals[i].message);
}

void call_wait(struct marketo *m, int64_t ms)
{
	uint16_t origin = m->log.origin;

	if (!ms)
		return;
	m->log.origin = 0;
	pthread_mutex_unlock(&m->lock);
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 },
		  NULL);
	pthread_mutex_lock(&m->lock);
	m->log.origin = origin <= m->log.origin_count ? origin : 0; /* a reset forgets them */
}

static void route_serve(struct call *call, const struct route *route)
{
	struct marketo *m = call->m;

	m->log.origin = m->limits.origins[call->user];
	route->serve(call);
	m->log.origin = 0;
}

/* The order of refusals: token, route, limits, right, body. */
static void call_serve(struct call *call)
{
	struct marketo *m = call->m;
	const struct route *route;
	const char *lack;
	bool known;
	int code;

	imports_settle(m);
	bulk_settle(m);
	code = tokens_check(m, call->request, &call->user);

	if (code) {
		refuse(call, code);
		return;
	}
	route = route_find(call->request, &call->word, &known);
	if (!route && known) {
		refuse(call, 605);
		return;
	}
	/* Adobe: REST API, Performance: bulk addresses do not pack their answers. */
	call->response->unpacked = route && strncmp(route->path, "/bulk/", 6) == 0;
	lack = route ? NULL : route_lacking(call->request);
	if (lack) {
		call_unsupported(call, lack);
		return;
	}
	code = quota_begin(m, call->user);
	call_wait(m, m->limits.latency_ms);
	if (!code && !route)
		code = 610;
	if (!code && route->right && !(marketo_users[call->user].rights & route->right))
		code = 603;
	if (code)
		refuse(call, code);
	else if (body_take(call, route))
		route_serve(call, route);
	quota_end(m, call->error_code);
}

/* Writes a member nobody expects into every object. */
static void add_unknown_members(struct text *body)
{
	struct text out = { 0 };
	bool quoted = false;

	for (size_t i = 0; i < body->len; i++) {
		char c = body->data[i];

		if (quoted && c == '\\') {
			text_add(&out, body->data + i++, 2);
			continue;
		}
		quoted ^= c == '"';
		text_add(&out, &c, 1);
		if (c == '{' && !quoted)
			text_printf(&out, "\"addedLater\":{\"since\":\"2031-04-09\"}%s",
				    body->data[i + 1] == '}' ? "" : ",");
	}
	text_free(body);
	*body = out;
}

static void envelope(struct call *call, struct web_response *response)
{
	struct marketo *m = call->m;
	struct text out = { 0 };

	text_printf(&out, "{\"requestId\":\"%x#%" PRIx64 "\",\"success\":%s",
		    (unsigned int)(m->requests * 7919 % 0x10000), (uint64_t)sandbox_now_ms(),
		    call->error_code ? "false" : "true");
	if (m->requests++ % 3 == 2)
		text_puts(&out, ",\"warnings\":[]"); /* members that are not needed come and go */
	if (index_hash(call->request->path, strlen(call->request->path), false) % 3 == 0)
		text_puts(&out, ",\"servedFrom\":{\"zone\":\"a\",\"age\":0}"); /* as do others */
	text_add(&out, response->body.data, response->body.len);
	text_puts(&out, "}");
	text_free(&response->body);
	response->body = out;
	if (m->limits.unknown_members)
		add_unknown_members(&response->body);
	web_header(response, "Content-Type", "application/json;charset=UTF-8");
}

static void answer_plain(struct web_response *response, int status, const char *words)
{
	response->status = status;
	web_header(response, "Content-Type", "text/html");
	text_printf(&response->body, "<html><head><title>%d %s</title></head></html>", status,
		    words);
}

static void marketo_handle(void *self, const struct web_request *request,
			   struct web_response *response)
{
	struct marketo *m = self;
	struct call call = { .m = m, .request = request, .response = response, .user = USER_NONE };

	call.out = &response->body;
	records_carried = 0;
	response->status = 200;
	if (strcmp(request->path, MARKETO_CALLBACK_PATH) == 0) {
		flow_callback(m, request, response);
		return;
	}
	if (strlen(request->path) + strlen(request->query) + 1 >
	    (strncmp(request->path, "/rest/asset/", 12) == 0 ? ASSET_TARGET_MAX : TARGET_MAX)) {
		answer_plain(response, 414, "Request-URI Too Long");
		return;
	}
	if (request->body_len >
	    (content_type_is(request, "multipart/form-data") ? UPLOAD_MAX : BODY_MAX)) {
		answer_plain(response, 413, "Request Entity Too Large");
		return;
	}
	pthread_mutex_lock(&m->lock);
	if (is_identity(request)) {
		tokens_answer(m, request, response);
	} else {
		call_serve(&call);
		if (!call.plain)
			envelope(&call, response);
	}
	pthread_mutex_unlock(&m->lock);
	records_carried = call.records;
	json_object_put(call.json);
	text_free(&call.word);
}

/* ---- what the control addresses see ---- */

static const char *marketo_user_of(void *self, const struct web_request *request)
{
	struct marketo *m = self;
	int user;

	if (is_identity(request)) {
		user = tokens_client(request);
	} else {
		pthread_mutex_lock(&m->lock);
		user = tokens_user(m, request);
		pthread_mutex_unlock(&m->lock);
	}
	return user == USER_NONE ? "" : marketo_users[user].name;
}

static const char *marketo_endpoint_of(const struct web_request *request)
{
	struct text word = { 0 };
	bool known;
	const struct route *route = route_find(request, &word, &known);
	bool post = strcmp(request->method, "POST") == 0;

	text_free(&word);
	if (route)
		return route->name;
	if (is_identity(request))
		return post ? "POST /identity/oauth/token" : "GET /identity/oauth/token";
	if (post && strcmp(request->path, MARKETO_CALLBACK_PATH) == 0)
		return "POST " MARKETO_CALLBACK_PATH;
	return post ? "POST (unknown)" : "GET (unknown)";
}

static int64_t marketo_records_of(const struct web_request *request,
				  const struct web_response *response)
{
	(void)request;
	(void)response;
	return records_carried;
}

static void marketo_refused(void *self, const struct web_request *request, const char *code,
			    bool after_effect)
{
	struct marketo *m = self;
	int user;

	if (is_identity(request))
		return;
	pthread_mutex_lock(&m->lock);
	user = tokens_user(m, request);
	if (user != USER_NONE)
		quota_refused(m, user, atoi(code), after_effect);
	pthread_mutex_unlock(&m->lock);
}

static void marketo_load(void *self, const struct person_row *person)
{
	struct marketo *m = self;

	if (strcmp(person->where, "marketo") != 0 && strncmp(person->where, "both-", 5) != 0)
		return;
	pthread_mutex_lock(&m->lock);
	people_load(m, person);
	pthread_mutex_unlock(&m->lock);
}

static void marketo_reset(void *self)
{
	struct marketo *m = self;

	pthread_mutex_lock(&m->lock);
	int in_flight = m->usage.in_flight;

	people_free(m);
	fields_free(m);
	log_free(&m->log);
	custom_free(m);
	lists_free(m);
	campaigns_free(m);
	callers_reset(m);
	objects_free(m);
	bulk_free(m);
	imports_free(m);
	memset(&m->tokens, 0, sizeof(m->tokens));
	memset(&m->usage, 0, sizeof(m->usage));
	m->usage.in_flight = in_flight;
	m->world++;
	limits_default(&m->limits);
	fields_init(m);
	pthread_mutex_unlock(&m->lock);
}

static void marketo_users_json(void *self, struct text *out)
{
	(void)self;
	users_json(out);
}

static bool marketo_limits(void *self, const char *json, struct text *error)
{
	struct marketo *m = self;
	bool good;

	pthread_mutex_lock(&m->lock);
	good = limits_read(m, json, error);
	pthread_mutex_unlock(&m->lock);
	return good;
}

struct side marketo_side_new(void)
{
	static const struct side_ops ops = {
		.name = "marketo",
		.handle = marketo_handle,
		.user_of = marketo_user_of,
		.load = marketo_load,
		.reset = marketo_reset,
		.users_json = marketo_users_json,
		.limits = marketo_limits,
		.save = marketo_save,
		.restore = marketo_restore,
		.control = marketo_control,
		.refused = marketo_refused,
		.stop = callers_stop,
		.endpoint_of = marketo_endpoint_of,
		.records_of = marketo_records_of,
	};
	struct marketo *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	pthread_mutex_init(&m->lock, NULL);
	callers_init(m);
	limits_default(&m->limits);
	fields_init(m);
	return (struct side){ &ops, m };
}
