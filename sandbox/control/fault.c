/* The list of fault rules. Shapes an error the way each imitated service does, but knows none of
 * their addresses. */
#include "control/fault.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rule {
	char *side, *method, *path, *user, *contains; /* NULL: any */
	int64_t nth, from, count;                     /* 0: not given; count 0: without end */
	double probability;                           /* negative: not given */
	int64_t seed;                                 /* of the chance; 0: not given */
	bool part;                                    /* for requests inside a batch only */
	struct fault_effect effect;
	char *source; /* the rule as it was given */
	int64_t matched, fired;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rule *rules;
static size_t rule_count;

enum member_kind {
	MEMBER_TEXT,
	MEMBER_NUMBER,
	MEMBER_SHARE,
	MEMBER_FLAG,
	MEMBER_DROP,
	MEMBER_EFFECT
};

struct member {
	const char *name;
	enum member_kind kind;
	size_t offset;
};

static const struct member effect_members[] = {
	{ "status", MEMBER_NUMBER, offsetof(struct fault_effect, status) },
	{ "code", MEMBER_TEXT, offsetof(struct fault_effect, code) },
	{ "message", MEMBER_TEXT, offsetof(struct fault_effect, message) },
	{ "body", MEMBER_TEXT, offsetof(struct fault_effect, body) },
	{ "contentType", MEMBER_TEXT, offsetof(struct fault_effect, content_type) },
	{ "retryAfter", MEMBER_NUMBER, offsetof(struct fault_effect, retry_after) },
	{ "delayMs", MEMBER_NUMBER, offsetof(struct fault_effect, delay_ms) },
	{ "delayAfterMs", MEMBER_NUMBER, offsetof(struct fault_effect, delay_after_ms) },
	{ "lateCommitSeconds", MEMBER_NUMBER, offsetof(struct fault_effect, late_commit_s) },
	{ "drop", MEMBER_DROP, offsetof(struct fault_effect, drop) },
	{ "cutBody", MEMBER_FLAG, offsetof(struct fault_effect, cut_body) },
	{ "afterEffect", MEMBER_FLAG, offsetof(struct fault_effect, after_effect) },
	{ 0 },
};

static const struct member rule_members[] = {
	{ "side", MEMBER_TEXT, offsetof(struct rule, side) },
	{ "method", MEMBER_TEXT, offsetof(struct rule, method) },
	{ "path", MEMBER_TEXT, offsetof(struct rule, path) },
	{ "user", MEMBER_TEXT, offsetof(struct rule, user) },
	{ "contains", MEMBER_TEXT, offsetof(struct rule, contains) },
	{ "nth", MEMBER_NUMBER, offsetof(struct rule, nth) },
	{ "from", MEMBER_NUMBER, offsetof(struct rule, from) },
	{ "count", MEMBER_NUMBER, offsetof(struct rule, count) },
	{ "probability", MEMBER_SHARE, offsetof(struct rule, probability) },
	{ "seed", MEMBER_NUMBER, offsetof(struct rule, seed) },
	{ "part", MEMBER_FLAG, offsetof(struct rule, part) },
	{ "effect", MEMBER_EFFECT, offsetof(struct rule, effect) },
	{ 0 },
};

void fault_effect_free(struct fault_effect *e)
{
	free(e->code);
	free(e->message);
	free(e->body);
	free(e->content_type);
	*e = (struct fault_effect){ 0 };
}

static void rule_free(struct rule *r)
{
	free(r->side);
	free(r->method);
	free(r->path);
	free(r->user);
	free(r->contains);
	free(r->source);
	fault_effect_free(&r->effect);
}

static void rules_free(struct rule *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rule_free(&list[i]);
	free(list);
}

static char *copy_of(const char *s)
{
	char *copy = s ? strdup(s) : NULL;

	if (s && !copy)
		abort();
	return copy;
}

static bool members_read(struct json_object *from, const struct member *members, void *into,
			 const char *what, struct text *error);

static bool drop_read(const char *word, enum fault_drop *ret)
{
	if (strcmp(word, "before") == 0)
		*ret = FAULT_DROP_BEFORE;
	else if (strcmp(word, "after") == 0)
		*ret = FAULT_DROP_AFTER;
	else
		return false;
	return true;
}

static bool member_read(struct json_object *value, const struct member *m, void *into,
			struct text *error)
{
	char *at = (char *)into + m->offset;
	enum json_type type = json_object_get_type(value);
	struct fault_effect *effect;

	switch (m->kind) {
	case MEMBER_TEXT:
		if (type != json_type_string)
			return false;
		free(*(char **)at);
		*(char **)at = copy_of(json_object_get_string(value));
		return true;
	case MEMBER_NUMBER:
		if (type != json_type_int || json_object_get_int64(value) < 0)
			return false;
		*(int64_t *)at = json_object_get_int64(value);
		return true;
	case MEMBER_SHARE:
		if (type != json_type_int && type != json_type_double)
			return false;
		*(double *)at = json_object_get_double(value);
		return true;
	case MEMBER_FLAG:
		*(bool *)at = json_object_get_boolean(value);
		return type == json_type_boolean;
	case MEMBER_DROP:
		return type == json_type_string &&
		       drop_read(json_object_get_string(value), (enum fault_drop *)at);
	case MEMBER_EFFECT:
		effect = (struct fault_effect *)at;
		return members_read(value, effect_members, effect, "effect", error);
	}
	return false;
}

static bool members_read(struct json_object *from, const struct member *members, void *into,
			 const char *what, struct text *error)
{
	if (!json_object_is_type(from, json_type_object)) {
		text_printf(error, "%s must be an object", what);
		return false;
	}
	json_object_object_foreach (from, name, value) {
		const struct member *m = members;

		while (m->name && strcmp(m->name, name) != 0)
			m++;
		if (!m->name) {
			text_printf(error, "%s has no member '%s'", what, name);
			return false;
		}
		if (!member_read(value, m, into, error)) {
			if (!error->len)
				text_printf(error, "%s: '%s' has the wrong type or value", what,
					    name);
			return false;
		}
	}
	return true;
}

/* Of what an effect may be put together from. */
static void rule_check(const struct rule *rule, struct json_object *from, struct text *error)
{
	const struct fault_effect *e = &rule->effect;

	if (!json_object_object_get_ex(from, "effect", NULL))
		text_puts(error, "rule has no effect");
	else if (e->after_effect && !fault_answers(e))
		text_puts(error, "effect: 'afterEffect' needs a status, code or body");
	else if (rule->part && (!fault_answers(e) || e->delay_ms || e->delay_after_ms ||
				e->late_commit_s || e->drop || e->cut_body || e->after_effect))
		text_puts(error, "effect: a part of a batch can only be answered in its place");
}

static bool rule_read(struct json_object *from, struct rule *rule, struct text *error)
{
	*rule = (struct rule){ .probability = -1, .effect = { .retry_after = -1 } };
	if (!members_read(from, rule_members, rule, "rule", error))
		return false;
	rule->source = copy_of(json_object_to_json_string_ext(from, JSON_C_TO_STRING_PLAIN));
	rule_check(rule, from, error);
	return !error->len;
}

bool fault_set(const char *json, struct text *error)
{
	struct json_object *list = json_tokener_parse(json);
	size_t count, made = 0;
	struct rule *fresh;
	bool good = true;

	if (!json_object_is_type(list, json_type_array)) {
		text_puts(error, "the body must be a JSON list of rules");
		json_object_put(list);
		return false;
	}
	count = json_object_array_length(list);
	fresh = calloc(count + 1, sizeof(*fresh));
	if (!fresh)
		abort();
	while (good && made < count) {
		good = rule_read(json_object_array_get_idx(list, made), &fresh[made], error);
		made++;
	}
	json_object_put(list);
	if (!good) {
		rules_free(fresh, made);
		return false;
	}
	pthread_mutex_lock(&lock);
	rules_free(rules, rule_count);
	rules = fresh;
	rule_count = count;
	pthread_mutex_unlock(&lock);
	return true;
}

void fault_clear(void)
{
	pthread_mutex_lock(&lock);
	rules_free(rules, rule_count);
	rules = NULL;
	rule_count = 0;
	pthread_mutex_unlock(&lock);
}

void fault_json(struct text *out)
{
	text_puts(out, "[");
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < rule_count; i++)
		text_printf(out, "%s{\"rule\":%s,\"matched\":%" PRId64 ",\"fired\":%" PRId64 "}",
			    i ? "," : "", rules[i].source, rules[i].matched, rules[i].fired);
	pthread_mutex_unlock(&lock);
	text_puts(out, "]");
}

static bool rule_matches(const struct rule *r, const struct fault_call *call)
{
	return r->part == call->part && (!r->side || strcmp(r->side, call->side) == 0) &&
	       (!r->method || strcmp(r->method, call->method) == 0) &&
	       (!r->user || strcmp(r->user, call->user) == 0) &&
	       (!r->path || strncmp(r->path, call->request->path, strlen(r->path)) == 0) &&
	       (!r->contains || strstr(call->request->body, r->contains));
}

/* The same for the same seed, rule and call number in every run. */
static double chance(int64_t seed, size_t rule, int64_t matched)
{
	uint64_t z = (uint64_t)matched * 0x9e3779b97f4a7c15u +
		     (uint64_t)rule * 0xd1b54a32d192ed03u + (uint64_t)seed * 0x2545f4914f6cdd1du;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	return (double)(z >> 11) / 9007199254740992.0;
}

static bool rule_due(const struct rule *r, size_t position)
{
	if (r->nth && r->matched != r->nth)
		return false;
	if (r->from && r->matched < r->from)
		return false;
	if (r->count && r->matched >= (r->from ? r->from : 1) + r->count)
		return false;
	return r->probability < 0 || chance(r->seed, position, r->matched) < r->probability;
}

static void effect_copy(const struct fault_effect *from, struct fault_effect *ret)
{
	*ret = *from;
	ret->code = copy_of(from->code);
	ret->message = copy_of(from->message);
	ret->body = copy_of(from->body);
	ret->content_type = copy_of(from->content_type);
}

bool fault_find(const struct fault_call *call, struct fault_effect *ret)
{
	bool found = false;

	*ret = (struct fault_effect){ .retry_after = -1 };
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < rule_count; i++) {
		struct rule *r = &rules[i];

		if (!rule_matches(r, call))
			continue;
		r->matched++;
		if (found || !rule_due(r, i))
			continue;
		r->fired++;
		effect_copy(&r->effect, ret);
		found = true;
	}
	pthread_mutex_unlock(&lock);
	return found;
}

bool fault_answers(const struct fault_effect *e)
{
	return e->status || e->code || e->body;
}

/* Adobe: REST API, Error Codes: those that refuse a call as a whole, in words of their table. */
static const struct {
	const char *code, *message;
} marketo_messages[] = {
	{ "500", "Internal Server Error" },
	{ "502", "Bad Gateway" },
	{ "601", "Access token invalid" },
	{ "602", "Access token expired" },
	{ "603", "Access denied" },
	{ "604", "Request time-out" },
	{ "605", "HTTP Method not supported" },
	{ "606", "Max rate limit '100' exceeded with in '20' secs" },
	{ "607", "Daily quota reached" },
	{ "608", "API Temporarily Unavailable" },
	{ "609", "Invalid JSON" },
	{ "610", "Requested resource not found" },
	{ "611", "System error" },
	{ "612", "Invalid Content Type" },
	{ "613", "Invalid multipart request" },
	{ "614", "Invalid subscription" },
	{ "615", "Concurrent access limit '10' reached" },
	{ "616", "Invalid subscription type" },
	{ "701", "input cannot be blank" },
	{ "702", "No data found for a given search scenario" },
	{ "703", "The feature is not enabled for the subscription" },
	{ "704", "Invalid date format" },
	{ "709", "Business Rule Violation" },
	{ "710", "Parent Folder Not Found" },
	{ "711", "Incompatible Folder Type" },
	{ "712", "Merge to person account operation is invalid" },
	{ "713", "Transient error" },
	{ "714", "Unable to find the default record type" },
	{ "718", "ExternalSalesPersonID not found" },
	{ "719", "Lock wait timeout exception" },
	{ "1003", "Too many results match the filter" },
	{ "1016", "Too many imports queued" },
	{ "1029", "Too many jobs in queue" },
	{ "1035", "Unsupported filter type for target subscription" },
};

static const char *marketo_message(const char *code)
{
	for (size_t i = 0; i < sizeof(marketo_messages) / sizeof(marketo_messages[0]); i++)
		if (strcmp(marketo_messages[i].code, code) == 0)
			return marketo_messages[i].message;
	return "Error on order";
}

static void marketo_error(const struct fault_effect *e, struct text *out)
{
	const char *message = e->message ? e->message : marketo_message(e->code);

	text_puts(out, "{\"requestId\":\"fa17#0\",\"success\":false,\"errors\":[{\"code\":");
	text_json_string(out, e->code, strlen(e->code));
	text_puts(out, ",\"message\":");
	text_json_string(out, message, strlen(message));
	text_puts(out, "}]}");
}

static void dynamics_error(const struct fault_effect *e, struct text *out)
{
	const char *code = e->code ? e->code : "";
	const char *message = e->message ? e->message : "Error on order";

	text_puts(out, "{\"error\":{\"code\":");
	text_json_string(out, code, strlen(code));
	text_puts(out, ",\"message\":");
	text_json_string(out, message, strlen(message));
	text_puts(out, "}}");
}

void fault_answer(const struct fault_effect *e, const char *side, struct web_response *response)
{
	bool marketo = strcmp(side, "marketo") == 0;
	const char *type = marketo ? "application/json;charset=UTF-8"
				   : "application/json; odata.metadata=minimal";

	response->status = (int)e->status;
	if (!e->status)
		response->status = marketo || e->body ? 200 : 500;
	if (e->body) {
		type = "text/html";
		text_puts(&response->body, e->body);
	} else if (marketo && e->code) {
		marketo_error(e, &response->body);
	} else if (marketo) {
		type = "text/plain";
		text_puts(&response->body, e->message ? e->message : "Error on order");
	} else {
		web_header(response, "OData-Version", "4.0");
		dynamics_error(e, &response->body);
	}
	web_header(response, "Content-Type", "%s", e->content_type ? e->content_type : type);
	if (e->retry_after >= 0)
		web_header(response, "Retry-After", "%" PRId64, e->retry_after);
}
