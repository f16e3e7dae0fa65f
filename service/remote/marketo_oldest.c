/* When the oldest person was created. Marketo cannot be asked for that, but its ids are given out
 * in order: whoever has the lowest is the oldest ("Adobe: Leads"). Must not know why anybody wants
 * to know. */
#include "base/clock.h"
#include "remote/marketo_parts.h"

enum {
	OLDEST_IDS = MARKETO_BATCH,
	OLDEST_SCAN_END = 1 + 21 * OLDEST_IDS, /* whoever is below is found for certain */
	OLDEST_BEGINNING_S = 1167609600,       /* 2007-01-01: there was no Marketo before */
};

/* 300 steps of this size lead from 301 to the end of 32 bits. */
static const double oldest_step = 1.0542;

struct oldest_search {
	int64_t lowest, at_s;     /* id and earliest creation of everybody seen so far; 0 nobody */
	int64_t found, created_s; /* the same of one call */
};

static enum err_kind oldest_element(void *context, struct json_object *element, struct err *err)
{
	struct oldest_search *s = context;
	struct str created = { NULL, 0 };
	int64_t id = 0, at_s;

	(void)json_get_string(element, "createdAt", &created);
	if (!json_get_int64(element, "id", &id) || id <= 0 || !clock_parse(created, &at_s))
		return err_set(err, ERR_RUBBISH, "a person without an id or a time of creation");
	if (!s->found || id < s->found)
		s->found = id;
	if (!s->created_s || at_s < s->created_s)
		s->created_s = at_s;
	return ERR_NONE;
}

static void oldest_restart(void *context)
{
	struct oldest_search *s = context;

	s->found = s->created_s = 0;
}

static enum err_kind oldest_ask(struct marketo *m, const struct call *call, struct oldest_search *s,
				const int64_t ids[OLDEST_IDS], struct err *err)
{
	CLEANUP(buf_release) struct buf body = { 0 };
	struct marketo_sink sink = { oldest_element, oldest_restart, s };
	struct marketo_request r = { .path = "/rest/v1/leads.json?_method=GET",
				     .content_type = marketo_form,
				     .timeout_ms = MARKETO_READ_MS,
				     .permission = "Read-Only Lead",
				     .sink = &sink };
	enum err_kind kind;

	buf_fmt(&body,
		"fields=id%%2CcreatedAt&batchSize=%d&filterType=id&filterValues=", MARKETO_BATCH);
	for (size_t i = 0; i < OLDEST_IDS; i++)
		buf_fmt(&body, "%s%lld", i ? "%2C" : "", (long long)ids[i]);
	r.body = buf_str(&body);
	kind = marketo_ask(m, call, &r, err);
	marketo_request_release(&r);
	if (kind != ERR_NONE)
		return kind;
	if (s->found && (!s->lowest || s->found < s->lowest))
		s->lowest = s->found;
	if (s->created_s && (!s->at_s || s->created_s < s->at_s))
		s->at_s = s->created_s;
	return ERR_NONE;
}

static enum err_kind oldest_ask_from(struct marketo *m, const struct call *call,
				     struct oldest_search *s, int64_t first, struct err *err)
{
	int64_t ids[OLDEST_IDS];

	for (size_t i = 0; i < OLDEST_IDS; i++)
		ids[i] = first + (int64_t)i;
	return oldest_ask(m, call, s, ids, err);
}

/* Ids far apart, for an idea of where they begin. */
static enum err_kind oldest_sample(struct marketo *m, const struct call *call,
				   struct oldest_search *s, struct err *err)
{
	int64_t ids[OLDEST_IDS];
	double id = OLDEST_IDS + 1;

	for (size_t i = 0; i < OLDEST_IDS; i++, id *= oldest_step)
		ids[i] = (int64_t)id;
	return oldest_ask(m, call, s, ids, err);
}

/* One id after the other up to the lowest found so far. */
static enum err_kind oldest_scan(struct marketo *m, const struct call *call,
				 struct oldest_search *s, struct err *err)
{
	enum err_kind kind = ERR_NONE;
	int64_t lowest = s->lowest ? s->lowest : INT64_MAX;

	for (int64_t first = OLDEST_IDS + 1;
	     kind == ERR_NONE && first < lowest && first < OLDEST_SCAN_END; first += OLDEST_IDS) {
		kind = oldest_ask_from(m, call, s, first, err);
		lowest = s->lowest ? s->lowest : INT64_MAX;
	}
	return kind;
}

/* Between what the sample found and the id before it, which nobody has; then next to what that
 * found. */
static enum err_kind oldest_narrow(struct marketo *m, const struct call *call,
				   struct oldest_search *s, struct err *err)
{
	int64_t ids[OLDEST_IDS];
	double before = (double)s->lowest / oldest_step;
	double step = ((double)s->lowest - before) / OLDEST_IDS;
	enum err_kind kind;

	for (size_t i = 0; i < OLDEST_IDS; i++)
		ids[i] = (int64_t)(before + step * (double)i);
	kind = oldest_ask(m, call, s, ids, err);
	return kind == ERR_NONE ? oldest_ask_from(m, call, s, s->lowest - OLDEST_IDS, err) : kind;
}

enum err_kind marketo_oldest(void *self, const struct call *call, int64_t *ret_s, bool *ret_is_sure,
			     struct err *err)
{
	struct oldest_search s = { .lowest = 0 };
	enum err_kind kind = oldest_ask_from(self, call, &s, 1, err);

	if (kind == ERR_NONE && !s.lowest) {
		kind = oldest_sample(self, call, &s, err);
		if (kind == ERR_NONE && s.lowest >= OLDEST_SCAN_END)
			kind = oldest_narrow(self, call, &s, err);
		else if (kind == ERR_NONE)
			kind = oldest_scan(self, call, &s, err);
	}
	*ret_is_sure = kind == ERR_NONE && s.lowest && s.lowest < OLDEST_SCAN_END;
	*ret_s = s.at_s ? s.at_s : OLDEST_BEGINNING_S;
	return kind;
}
