/* What may be called how often: the day's quota, the window, calls at once; and the calls that tell
 * the usage. Adobe: REST API, Marketo Engage Integration Best Practices and Error Codes. Always
 * counts; refuses only when told to. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "marketo/marketo.h"

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
	{ "exportSeconds", false, offsetof(struct limits, export_s), 0, 86400 },
	{ "importSeconds", false, offsetof(struct limits, import_s), 0, 86400 },
	{ "exportBytesPerDay", false, offsetof(struct limits, export_bytes_per_day), 0, INT64_MAX },
	{ "exportUpdatedAt", true, offsetof(struct limits, export_updated), 0, 0 },
	{ "exportFails", true, offsetof(struct limits, export_fails), 0, 0 },
	{ "exportLosesFile", true, offsetof(struct limits, export_loses_file), 0, 0 },
	{ "webhookSeconds", false, offsetof(struct limits, webhook_s), 1, 600 },
	{ "flowSeconds", false, offsetof(struct limits, flow_s), 0, 86400 },
	{ "otherCalls", false, offsetof(struct limits, other_calls), 0, INT64_MAX },
	{ "lookupLagSeconds", false, offsetof(struct limits, lookup_lag_s), 0, 86400 },
	{ "upsertRaceMs", false, offsetof(struct limits, upsert_race_ms), 0, 60000 },
	{ "leaveOutEmpty", true, offsetof(struct limits, leave_out_empty), 0, 0 },
	{ "unknownMembers", true, offsetof(struct limits, unknown_members), 0, 0 },
	{ "wrongTypeIs1001", true, offsetof(struct limits, wrong_type_1001), 0, 0 },
	{ "crmManaged", true, offsetof(struct limits, crm_managed), 0, 0 },
	{ "companyChangesLogged", true, offsetof(struct limits, company_logged), 0, 0 },
	{ "soapOnlyField", true, offsetof(struct limits, soap_only), 0, 0 },
	{ "otherExports", false, offsetof(struct limits, other_exports), 0, 1000 },
	{ "otherImports", false, offsetof(struct limits, other_imports), 0, 1000 },
	{ "pageTokenSeconds", false, offsetof(struct limits, page_token_s), 0, INT32_MAX },
	{ "activityIdsMissing", true, offsetof(struct limits, ids_missing), 0, 0 },
	{ "activityIdsRepeat", true, offsetof(struct limits, ids_repeat), 0, 0 },
	{ "longGuids", true, offsetof(struct limits, long_guids), 0, 0 },
	{ "tiesReversed", true, offsetof(struct limits, ties_reversed), 0, 0 },
	{ "repeatsLast", true, offsetof(struct limits, repeats_last), 0, 0 },
};

/* Adobe: REST API, limits: 50,000 calls a day, 100 in 20 seconds, 10 at once. */
void limits_default(struct limits *l)
{
	*l = (struct limits){ .per_day = 50000,
			      .per_window = 100,
			      .window_s = 20,
			      .concurrent = 10,
			      .token_s = 3600,
			      .scan_events = 20000,
			      .export_s = 30,
			      .import_s = 10,
			      .webhook_s = 30,
			      .flow_s = 60,
			      .export_bytes_per_day = (int64_t)500 * 1024 * 1024,
			      .export_updated = true };
}

/* A list of REST names; an empty one blocks nothing. */
static bool blocked_read(const struct marketo *m, struct limits *l, struct json_object *value)
{
	memset(l->blocked, 0, sizeof(l->blocked));
	if (!json_object_is_type(value, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		struct json_object *name = json_object_array_get_idx(value, i);
		int column = json_object_is_type(name, json_type_string)
				     ? field_find(m, json_object_get_string(name),
						  (size_t)json_object_get_string_len(name))
				     : -1;

		if (column < 0)
			return false;
		l->blocked[column] = true;
	}
	return true;
}

/* User to {"source", "reason", "campaign"}; null is the API again. */
static bool origins_read(struct marketo *m, struct limits *l, struct json_object *value)
{
	if (!json_object_is_type(value, json_type_object))
		return false;
	json_object_object_foreach (value, name, origin) {
		const char *source = json_member_text(origin, "source");
		const char *reason = json_member_text(origin, "reason");
		struct json_object *campaign = NULL;
		int user = 0;

		while (user < USER_COUNT && strcmp(marketo_users[user].name, name) != 0)
			user++;
		if (user == USER_COUNT || (origin && (!source || !reason)))
			return false;
		json_object_object_get_ex(origin, "campaign", &campaign);
		l->origins[user] = origin ? log_origin(&m->log, source, reason,
						       (uint32_t)json_object_get_int64(campaign))
					  : 0;
	}
	return true;
}

static bool limit_read(struct marketo *m, struct limits *l, const char *name,
		       struct json_object *value)
{
	if (strcmp(name, "blockedFields") == 0)
		return blocked_read(m, l, value);
	if (strcmp(name, "origins") == 0)
		return origins_read(m, l, value);
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

int64_t central_day(int64_t seconds)
{
	return (seconds + CENTRAL_SECONDS) / 86400;
}

/* Today's place is the first; days without calls take theirs too. */
static void turn_day(struct marketo *m)
{
	struct usage_day *days = m->usage.days;
	int64_t day = central_day(sandbox_now_s());

	if (days[0].day == day)
		return;
	days[0].others = m->limits.other_calls;
	m->limits.other_calls = 0;
	if (day - days[0].day >= USAGE_DAYS || day < days[0].day) {
		memset(days, 0, sizeof(m->usage.days));
		days[0].day = day;
	}
	while (days[0].day < day) {
		memmove(days + 1, days, (USAGE_DAYS - 1) * sizeof(*days));
		days[0] = (struct usage_day){ .day = days[1].day + 1 };
	}
	for (int i = 1; i < USAGE_DAYS; i++)
		days[i].day = day - i;
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
			good = limit_read(m, &wanted, name, value);
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

static int64_t day_total(const struct marketo *m, const struct usage_day *day)
{
	int64_t total = day == m->usage.days ? m->limits.other_calls : day->others;

	for (int i = 0; i < USER_COUNT; i++)
		total += day->by_user[i];
	return total;
}

int quota_begin(struct marketo *m, int user)
{
	struct usage *u = &m->usage;
	int64_t now_ms = sandbox_now_ms();
	int64_t *oldest = &u->window[u->window_next];
	bool window_full = *oldest && now_ms - *oldest < m->limits.window_s * 1000;

	turn_day(m);
	u->days[0].by_user[user]++;
	*oldest = now_ms;
	u->window_next = (u->window_next + 1) % (size_t)m->limits.per_window;
	u->in_flight++;
	if (!m->limits.enforce)
		return 0;
	if (day_total(m, &u->days[0]) > m->limits.per_day)
		return 607;
	if (window_full)
		return 606;
	return u->in_flight > m->limits.concurrent ? 615 : 0;
}

static void note_error(struct usage_day *today, int error_code)
{
	for (int i = 0; i < ERROR_KINDS_MAX; i++) {
		if (today->errors[i].count && today->errors[i].code != error_code)
			continue;
		today->errors[i].code = error_code;
		today->errors[i].count++;
		return;
	}
}

void quota_end(struct marketo *m, int error_code)
{
	m->usage.in_flight--;
	if (error_code)
		note_error(&m->usage.days[0], error_code);
}

/* Adobe: REST API, Error Codes: those marked as not counted against quota and rate. */
static bool is_free(int code)
{
	static const int codes[] = { 601, 602, 604, 605, 608 };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i] == code)
			return true;
	return false;
}

void quota_refused(struct marketo *m, int user, int code, bool counted)
{
	if (is_free(code) && counted && m->usage.days[0].by_user[user])
		m->usage.days[0].by_user[user]--;
	if (is_free(code))
		return;
	if (!counted) {
		quota_begin(m, user);
		m->usage.in_flight--;
	}
	note_error(&m->usage.days[0], code);
}

static void add_date(struct text *out, int64_t day)
{
	clock_print(out, day * 86400);
	out->len -= strlen("T00:00:00Z");
	out->data[out->len] = '\0';
}

static void usage_json(struct call *call, const struct usage_day *day)
{
	const char *comma = "";

	text_puts(call->out, "{\"date\":\"");
	add_date(call->out, day->day);
	text_printf(call->out, "\",\"total\":%" PRId64 ",\"users\":[", day_total(call->m, day));
	for (int i = 0; i < USER_COUNT; i++) {
		if (!day->by_user[i])
			continue;
		text_printf(call->out, "%s{\"userId\":\"%s\",\"count\":%" PRId64 "}", comma,
			    marketo_users[i].login, day->by_user[i]);
		comma = ",";
	}
	text_puts(call->out, "]}");
}

static void errors_json(struct call *call, const struct usage_day *day)
{
	int64_t total = 0;

	for (int i = 0; i < ERROR_KINDS_MAX; i++)
		total += day->errors[i].count;
	text_puts(call->out, "{\"date\":\"");
	add_date(call->out, day->day);
	text_printf(call->out, "\",\"total\":%" PRId64 ",\"errors\":[", total);
	for (int i = 0; i < ERROR_KINDS_MAX && day->errors[i].count; i++)
		text_printf(call->out, "%s{\"errorCode\":\"%d\",\"count\":%" PRId64 "}",
			    i ? "," : "", day->errors[i].code, day->errors[i].count);
	text_puts(call->out, "]}");
}

/* The newest day first. */
static void days_answer(struct call *call, int count,
			void (*show)(struct call *, const struct usage_day *))
{
	turn_day(call->m);
	text_puts(call->out, ",\"result\":[");
	for (int i = 0; i < count; i++) {
		text_puts(call->out, i ? "," : "");
		show(call, &call->m->usage.days[i]);
	}
	text_puts(call->out, "]");
}

void usage_get(struct call *call)
{
	days_answer(call, 1, usage_json);
}

void usage_week_get(struct call *call)
{
	days_answer(call, USAGE_DAYS, usage_json);
}

void usage_errors_get(struct call *call)
{
	days_answer(call, 1, errors_json);
}

void usage_errors_week_get(struct call *call)
{
	days_answer(call, USAGE_DAYS, errors_json);
}
