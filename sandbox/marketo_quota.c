/* What may be called how often: the day's quota, the window, calls at once; and the calls that tell
 * the usage. Adobe: REST API, Marketo Engage Integration Best Practices and Error Codes. Always
 * counts; refuses only when told to. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stddef.h>
#include <string.h>

#include "clock.h"
#include "marketo.h"

#define CENTRAL_SECONDS                                                                            \
	(-6 * 3600) /* the day ends at midnight US Central; daylight saving left out */

static const struct {
	const char *name;
	bool flag;
	size_t offset;
	int64_t least, most;
} limit_members[] = {
	{ "enforce", true, offsetof(struct limits, enforce), 0, 0 },
	{ "queryToken", true, offsetof(struct limits, query_token), 0, 0 },
	{ "unknownLeadIsEmpty", true, offsetof(struct limits, unknown_is_empty), 0, 0 },
	{ "perDay", false, offsetof(struct limits, per_day), 0, INT64_MAX },
	{ "perWindow", false, offsetof(struct limits, per_window), 1, WINDOW_MAX },
	{ "windowSeconds", false, offsetof(struct limits, window_s), 1, 86400 },
	{ "concurrent", false, offsetof(struct limits, concurrent), 1, 1000000 },
	{ "tokenSeconds", false, offsetof(struct limits, token_s), 0, 86400 },
	{ "lateCommitSeconds", false, offsetof(struct limits, late_commit_s), 0, 86400 },
	{ "latencyMs", false, offsetof(struct limits, latency_ms), 0, 60000 },
	{ "scanEvents", false, offsetof(struct limits, scan_events), 1, 100000000 },
	{ "otherCalls", false, offsetof(struct limits, other_calls), 0, INT64_MAX },
};

/* Adobe: REST API, limits: 50,000 calls a day, 100 in 20 seconds, 10 at once. */
void limits_default(struct limits *l)
{
	*l = (struct limits){ .per_day = 50000,
			      .per_window = 100,
			      .window_s = 20,
			      .concurrent = 10,
			      .token_s = 3600,
			      .scan_events = 20000 };
}

static bool limit_read(struct limits *l, const char *name, struct json_object *value)
{
	for (size_t i = 0; i < sizeof(limit_members) / sizeof(limit_members[0]); i++) {
		char *at = (char *)l + limit_members[i].offset;
		int64_t number = json_object_get_int64(value);

		if (strcmp(limit_members[i].name, name) != 0)
			continue;
		if (limit_members[i].flag) {
			*(bool *)at = json_object_get_boolean(value);
			return json_object_is_type(value, json_type_boolean);
		}
		*(int64_t *)at = number;
		return json_object_is_type(value, json_type_int) &&
		       number >= limit_members[i].least && number <= limit_members[i].most;
	}
	return false;
}

static int64_t today(void)
{
	return (sandbox_now_s() + CENTRAL_SECONDS) / 86400;
}

static void turn_day(struct marketo *m)
{
	int64_t day = today();

	if (m->usage.day == day)
		return;
	m->usage.day = day;
	m->limits.other_calls = 0;
	memset(m->usage.by_user, 0, sizeof(m->usage.by_user));
	memset(m->usage.errors, 0, sizeof(m->usage.errors));
}

bool limits_read(struct marketo *m, const char *json, struct text *error)
{
	struct json_object *body = json_tokener_parse(json);
	bool good = json_object_is_type(body, json_type_object);
	struct limits wanted;

	turn_day(m); /* or the first call of the day would take otherCalls for yesterday's */
	wanted = m->limits;
	if (good) {
		json_object_object_foreach (body, name, value) {
			good = limit_read(&wanted, name, value);
			if (good)
				continue;
			text_printf(error, "marketo: limit '%s' is unknown or has a wrong value",
				    name);
			break;
		}
	}
	json_object_put(body);
	if (!good)
		return false;
	if (wanted.per_window != m->limits.per_window) {
		memset(m->usage.window, 0, sizeof(m->usage.window));
		m->usage.window_next = 0;
	}
	m->limits = wanted;
	tokens_shorten(m);
	return true;
}

static int64_t day_total(const struct marketo *m)
{
	int64_t total = m->limits.other_calls;

	for (int i = 0; i < USER_COUNT; i++)
		total += m->usage.by_user[i];
	return total;
}

int quota_begin(struct marketo *m, int user)
{
	struct usage *u = &m->usage;
	int64_t now_ms = sandbox_now_ms();
	int64_t *oldest = &u->window[u->window_next];
	bool window_full = *oldest && now_ms - *oldest < m->limits.window_s * 1000;

	turn_day(m);
	u->by_user[user]++;
	*oldest = now_ms;
	u->window_next = (u->window_next + 1) % (size_t)m->limits.per_window;
	u->in_flight++;
	if (!m->limits.enforce)
		return 0;
	if (day_total(m) > m->limits.per_day)
		return 607;
	if (window_full)
		return 606;
	return u->in_flight > m->limits.concurrent ? 615 : 0;
}

void quota_end(struct marketo *m, int error_code)
{
	m->usage.in_flight--;
	if (!error_code)
		return;
	for (int i = 0; i < ERROR_KINDS_MAX; i++) {
		if (m->usage.errors[i].count && m->usage.errors[i].code != error_code)
			continue;
		m->usage.errors[i].code = error_code;
		m->usage.errors[i].count++;
		return;
	}
}

static void add_date(struct text *out, int64_t day)
{
	clock_print(out, day * 86400);
	out->len -= strlen("T00:00:00Z");
	out->data[out->len] = '\0';
}

void usage_get(struct call *call)
{
	const char *comma = "";

	turn_day(call->m);
	text_puts(call->out, ",\"result\":[{\"date\":\"");
	add_date(call->out, call->m->usage.day);
	text_printf(call->out, "\",\"total\":%" PRId64 ",\"users\":[", day_total(call->m));
	for (int i = 0; i < USER_COUNT; i++) {
		if (!call->m->usage.by_user[i])
			continue;
		text_printf(call->out, "%s{\"userId\":\"%s\",\"count\":%" PRId64 "}", comma,
			    marketo_users[i].login, call->m->usage.by_user[i]);
		comma = ",";
	}
	text_puts(call->out, "]}]");
}

void usage_errors_get(struct call *call)
{
	const struct usage *u = &call->m->usage;
	int64_t total = 0;

	turn_day(call->m);
	for (int i = 0; i < ERROR_KINDS_MAX; i++)
		total += u->errors[i].count;
	text_puts(call->out, ",\"result\":[{\"date\":\"");
	add_date(call->out, u->day);
	text_printf(call->out, "\",\"total\":%" PRId64 ",\"errors\":[", total);
	for (int i = 0; i < ERROR_KINDS_MAX && u->errors[i].count; i++)
		text_printf(call->out, "%s{\"errorCode\":\"%d\",\"count\":%" PRId64 "}",
			    i ? "," : "", u->errors[i].code, u->errors[i].count);
	text_puts(call->out, "]}]");
}
