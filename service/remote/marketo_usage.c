/* What Marketo has counted today, asked for now and then ("Adobe: Marketo Engage Integration Best
 * Practices", "Adobe: Usage"): the calls of all programs together, and those of our API user, which
 * tell what a life of Tandem before this one, or another beside it, has used. Must not know what
 * follows from it (core/quota.h). */
#include <stdatomic.h>
#include <strings.h>

#include "base/clock.h"
#include "remote/marketo_parts.h"

enum {
	USAGE_CALLS = 250, /* of ours between two looks */
	/* Between cycles a look is taken a little earlier, so that it never falls into a quiet
	 * cycle, which makes fewer calls than the difference. */
	USAGE_CALLS_BETWEEN = 240,
	USAGE_MS = 30 * 60 * 1000,
	USAGE_AGAIN_MS = 60 * 1000, /* while nothing is known of this day */
};

struct usage {
	struct marketo_token *token;
	char login[MARKETO_LOGIN_MAX];
	bool has_day;
	int64_t day, all, ours;
};

static void usage_restart(void *context)
{
	struct usage *u = context;

	u->has_day = false;
	u->day = u->all = u->ours = 0;
	marketo_token_login(u->token, u->login); /* of the token that has just been used */
}

static void usage_user(struct usage *u, struct json_object *user)
{
	struct str id = { NULL, 0 };
	int64_t count = 0;

	if (!json_get_string(user, "userId", &id) || !json_get_int64(user, "count", &count))
		return;
	if (id.n && id.n == strlen(u->login) && strncasecmp(id.p, u->login, id.n) == 0)
		u->ours = count;
}

/* One element, today's. */
static enum err_kind usage_element(void *context, struct json_object *element, struct err *err)
{
	struct usage *u = context;
	struct json_object *users = json_get_array(element, "users");
	struct str date = { NULL, 0 };

	(void)err;
	u->has_day = json_get_string(element, "date", &date) && clock_parse_date(date, &u->day) &&
		     json_get_int64(element, "total", &u->all) && u->all >= 0;
	for (size_t i = 0; users && i < json_object_array_length(users); i++)
		usage_user(u, json_object_array_get_idx(users, i));
	return ERR_NONE;
}

enum err_kind marketo_usage_ask(struct marketo *m, const struct call *call, struct err *err)
{
	struct usage u = { .token = m->token };
	struct marketo_sink sink = { .element = usage_element,
				     .restart = usage_restart,
				     .context = &u };
	struct marketo_request r = { .path = "/rest/v1/stats/usage.json",
				     .timeout_ms = MARKETO_OTHER_MS,
				     .sink = &sink };
	enum err_kind kind;

	atomic_store(&m->usage_asked_calls, http_origin_calls(m->origin) + 1);
	atomic_store(&m->usage_asked_ms, clock_mono_ms());
	kind = marketo_ask(m, call, &r, err);
	marketo_request_release(&r);
	if (kind == ERR_NONE && u.has_day)
		http_origin_note_usage(m->origin, u.day, (uint64_t)u.all,
				       u.ours > 0 ? (uint64_t)u.ours : 0);
	return kind;
}

enum err_kind marketo_refresh_budget(void *self, const struct call *call, bool is_in_cycle,
				     struct err *err)
{
	struct marketo *m = self;
	uint64_t calls_max = is_in_cycle ? USAGE_CALLS : USAGE_CALLS_BETWEEN;
	int64_t age_ms = clock_mono_ms() - atomic_load(&m->usage_asked_ms);
	struct remote_budget budget;
	bool is_due = http_origin_calls(m->origin) >=
		      atomic_load(&m->usage_asked_calls) + calls_max;

	marketo_budget(m, &budget);
	if (!is_in_cycle)
		is_due |= age_ms >= (budget.now.has_shared ? USAGE_MS : USAGE_AGAIN_MS);
	if (!is_due || budget.now.hold >= HOLD_DAY)
		return ERR_NONE;
	return marketo_usage_ask(m, call, err);
}

void marketo_budget(void *self, struct remote_budget *ret)
{
	struct marketo *m = self;

	http_origin_look(m->origin, &ret->now);
	remote_explain_budget(ret, "Marketo");
}

void marketo_reopen(void *self)
{
	struct marketo *m = self;

	http_origin_reopen(m->origin);
}
