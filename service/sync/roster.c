/* A roster of Marketo's persons, made of bulk extract files; see roster.h. Decides nothing about
 * any of them. */
#include "sync/roster.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

/* "<the date the files end with> <stage> ...". Making: "making <from> <window> <window>", each
 * window that is under way as "<its beginning>:<job>", "-" for none; from is where the next one
 * begins. */
static const char roster_place[] = "roster";
static const char stage_making[] = "making", stage_ready[] = "ready", stage_none[] = "none";

enum {
	ROSTER_WINDOWS = 2, /* jobs at once: so many are processed by Marketo, for everybody */
	ROSTER_CALLS = 5,   /* a window takes about so many */
	ROSTER_POLL_MS = 60 * 1000,
	PERSONS_PER_CALL = 300,
	LOOKUPS = 2, /* by stamp and by e-mail */
};

struct window {
	int64_t from_s; /* 0: none */
	struct str job; /* empty: to be started */
};

struct roster {
	int64_t to_s, next_s;
	struct str stage;
	struct window windows[ROSTER_WINDOWS];
};

/* ---- its place ---- */

static struct window window_read(struct str text)
{
	struct window w = { .from_s = 0 };

	if (!str_int64(str_cut(&text, ':'), 1, INT64_MAX, &w.from_s))
		return (struct window){ .from_s = 0 };
	w.job = text;
	return w;
}

static enum err_kind roster_read(struct cycle *c, struct arena *a, struct roster *ret,
				 struct err *err)
{
	struct str rest;
	enum err_kind kind = cycle_place(c, roster_place, a, &ret->to_s, &rest, err);

	if (kind != ERR_NONE)
		return kind;
	ret->stage = str_cut(&rest, ' ');
	if (!str_int64(str_cut(&rest, ' '), 0, INT64_MAX, &ret->next_s))
		ret->next_s = ret->to_s + 1;
	for (int i = 0; i < ROSTER_WINDOWS; i++)
		ret->windows[i] = window_read(str_cut(&rest, ' '));
	return ERR_NONE;
}

static void roster_note(struct cycle_step *s, const struct roster *r)
{
	struct buf text = { 0 };

	buf_add(&text, r->stage);
	buf_fmt(&text, " %lld", (long long)r->next_s);
	for (int i = 0; i < ROSTER_WINDOWS; i++) {
		const struct window *w = &r->windows[i];

		if (w->from_s)
			buf_fmt(&text, " %lld:" STR_FMT, (long long)w->from_s, STR_ARG(w->job));
		else
			buf_text(&text, " -");
	}
	ledger_place(&s->ledger, roster_place,
		     cycle_place_text(&s->arena, r->to_s, buf_str(&text)));
	buf_release(&text);
}

static bool roster_is(const struct roster *r, const char *stage)
{
	return str_equal(r->stage, str_of(stage));
}

/* ---- who is in it ---- */

static uint64_t roster_hash(const struct engine *e, struct str text)
{
	const struct value v = { .kind = VALUE_TEXT, .text = text };

	return fingerprint_of(&e->identity.key, &v);
}

static void roster_take(struct step *s, const struct record *person)
{
	int at = s->mapping->email;
	char stamp[GUID_TEXT];

	if (!guid_is_zero(&person->record_id)) {
		guid_print(&person->record_id, stamp);
		ledger_roster(s->ledger, roster_hash(s->engine, str_of(stamp)));
	}
	if (at >= 0 && person->values[at].kind == VALUE_TEXT)
		ledger_roster(s->ledger,
			      roster_hash(s->engine,
					  arena_fold(s->arena, person->values[at].text)));
}

void roster_add(struct step *s, const struct record *person)
{
	if (s->engine->has_roster)
		roster_take(s, person);
}

enum err_kind roster_choose(struct step *s, struct str *values, size_t *count, struct err *err)
{
	const struct store *store = &s->engine->store;
	uint64_t *hashes;
	bool *is_there;
	size_t kept = 0;
	enum err_kind kind;

	if (!s->engine->has_roster || !*count)
		return ERR_NONE;
	hashes = arena_array(s->arena, *count, sizeof(*hashes));
	is_there = arena_array(s->arena, *count, sizeof(*is_there));
	for (size_t i = 0; i < *count; i++)
		hashes[i] = roster_hash(s->engine, values[i]);
	kind = store->ops->roster_among(store->self, hashes, *count, is_there, err);
	for (size_t i = 0; kind == ERR_NONE && i < *count; i++) {
		if (is_there[i])
			values[kept++] = values[i];
	}
	if (kind == ERR_NONE)
		*count = kept;
	return kind;
}

/* ---- making it ---- */

/* Files pay when the tables are large, nothing of them is linked yet, and the months to be asked
 * for are few. */
static enum err_kind roster_pays(struct cycle *c, int64_t to_s, int64_t *ret_from_s, bool *ret,
				 struct err *err)
{
	const struct remote *marketo = &c->e->remote[SIDE_MARKETO],
			    *dynamics = &c->e->remote[SIDE_DYNAMICS];
	uint64_t rows[TABLE_COUNT] = { 0 }, all, windows;
	struct store_status status;
	bool is_sure = false;
	enum err_kind kind = dynamics->ops->count(dynamics->self, &c->call, rows, err);

	*ret = false;
	all = rows[TABLE_LEAD] + rows[TABLE_CONTACT];
	if (kind != ERR_NONE || all < c->e->settings.bulk_rows)
		return kind;
	kind = c->e->store.ops->status(c->e->store.self, &status, err);
	if (kind != ERR_NONE || status.links[TABLE_LEAD] + status.links[TABLE_CONTACT] > all / 2)
		return kind;
	kind = marketo->ops->oldest(marketo->self, &c->call, ret_from_s, &is_sure, err);
	if (kind != ERR_NONE)
		return kind;
	if (*ret_from_s > to_s) /* Marketo's clock may be ahead */
		*ret_from_s = to_s;
	windows = (uint64_t)(to_s - *ret_from_s) / REMOTE_EXTRACT_MAX_S + 1;
	*ret = is_sure && windows * ROSTER_CALLS * 2 < all / PERSONS_PER_CALL * LOOKUPS;
	return ERR_NONE;
}

/* Both tables are about to be read for the first time. */
static enum err_kind roster_is_due(struct cycle *c, struct arena *a, bool *ret, struct err *err)
{
	const struct store *store = &c->e->store;
	enum err_kind kind = ERR_NONE;

	*ret = c->e->settings.bulk_rows && c->e->remote[SIDE_MARKETO].ops->extract_start &&
	       c->e->remote[SIDE_DYNAMICS].ops->count;
	for (int t = TABLE_LEAD; *ret && kind == ERR_NONE && t < TABLE_COUNT; t++) {
		struct str cursor;

		kind = store->ops->cursor(store->self, table_name((enum table)t), a, &cursor, err);
		*ret = kind == ERR_NONE && !cursor.n;
	}
	return kind;
}

static enum err_kind roster_begin(struct cycle *c, struct cycle_step *s, struct roster *r,
				  struct err *err)
{
	int64_t from_s = 0;
	bool is_worth_it = false;
	enum err_kind kind = roster_is_due(c, &s->arena, &is_worth_it, err);

	if (kind != ERR_NONE || !is_worth_it)
		return kind;
	*r = (struct roster){ .to_s = clock_wall_ms() / 1000 };
	kind = roster_pays(c, r->to_s, &from_s, &is_worth_it, err);
	if (kind != ERR_NONE)
		return kind;
	r->next_s = from_s;
	r->stage = str_of(is_worth_it ? stage_making : stage_none);
	roster_note(s, r);
	if (is_worth_it)
		log_info("roster_begun", LOG_NUMBER("days", (r->to_s - from_s) / 86400));
	return ERR_NONE;
}

static int64_t window_end_s(const struct roster *r, const struct window *w)
{
	int64_t end_s = w->from_s + REMOTE_EXTRACT_MAX_S - 1;

	return end_s < r->to_s ? end_s : r->to_s;
}

static enum err_kind window_start(struct cycle *c, struct cycle_step *s, struct roster *r,
				  struct window *w, struct err *err)
{
	const struct remote *marketo = &c->e->remote[SIDE_MARKETO];

	if (!w->from_s && r->next_s <= r->to_s) { /* both ends belong to a window */
		w->from_s = r->next_s;
		r->next_s = window_end_s(r, w) + 1;
	}
	if (!w->from_s || w->job.n)
		return ERR_NONE;
	return marketo->ops->extract_start(marketo->self, &c->call, s->step.mapping,
					   EXTRACT_CREATED, w->from_s, window_end_s(r, w),
					   &s->arena, &w->job, err);
}

/* The whole file of a window, a piece a commit. */
static enum err_kind window_read_file(struct cycle *c, struct str job, struct err *err)
{
	const struct remote *marketo = &c->e->remote[SIDE_MARKETO];
	enum err_kind kind = ERR_NONE;
	uint64_t at = 0;
	bool is_last = false;

	while (kind == ERR_NONE && !is_last) {
		struct record_list persons = { .count = 0 };
		struct cycle_step s;

		cycle_step_begin(c, &s);
		kind = marketo->ops->extract_read(marketo->self, &c->call, s.step.mapping, job, &at,
						  &s.arena, &persons, &is_last, err);
		for (size_t i = 0; kind == ERR_NONE && i < persons.count; i++)
			roster_take(&s.step, &persons.records[i]);
		c->report->read[TABLE_PERSON] += persons.count;
		kind = cycle_step_end(c, &s, kind, err);
	}
	return kind;
}

static enum err_kind window_poll(struct cycle *c, struct window *w, struct err *err)
{
	const struct remote *marketo = &c->e->remote[SIDE_MARKETO];
	struct extract_status status = { .state = EXTRACT_WAITING };
	enum err_kind kind = ERR_NONE;

	if (w->job.n)
		kind = marketo->ops->extract_poll(marketo->self, &c->call, w->job, &status, err);
	if (kind != ERR_NONE || status.state == EXTRACT_WAITING)
		return kind;
	if (status.state == EXTRACT_READY && status.rows)
		kind = window_read_file(c, w->job, err);
	/* One that failed, or whose file was damaged, is made again. */
	if (kind == ERR_EXPIRED || status.state != EXTRACT_READY) {
		w->job = (struct str){ NULL, 0 };
		return ERR_NONE;
	}
	if (kind == ERR_NONE)
		*w = (struct window){ .from_s = 0 };
	return kind;
}

static bool roster_is_made(const struct roster *r)
{
	for (int i = 0; i < ROSTER_WINDOWS; i++) {
		if (r->windows[i].from_s)
			return false;
	}
	return r->next_s > r->to_s;
}

static enum err_kind roster_make(struct cycle *c, struct cycle_step *s, struct roster *r,
				 struct err *err)
{
	struct err why = { .retry_after_ms = -1 };
	enum err_kind kind = ERR_NONE;

	if (clock_mono_ms() < c->e->roster_next_ms)
		return ERR_NONE;
	for (int i = 0; kind == ERR_NONE && i < ROSTER_WINDOWS; i++)
		kind = window_poll(c, &r->windows[i], &why);
	for (int i = 0; kind == ERR_NONE && i < ROSTER_WINDOWS; i++)
		kind = window_start(c, s, r, &r->windows[i], &why);
	if (kind == ERR_STOPPED || kind == ERR_STORE || kind == ERR_NOT_LEADER) {
		*err = why;
		return kind;
	}
	if (kind == ERR_THROTTLED) /* no free place: others use the files too */
		log_info("roster_waits", LOG_ERR(&why));
	else if (kind != ERR_NONE) {
		log_warn("roster_given_up", LOG_ERR(&why));
		r->stage = str_of(stage_none);
	}
	if (kind == ERR_NONE && roster_is_made(r)) {
		r->stage = str_of(stage_ready);
		log_info("roster_ready");
	}
	/* Marketo renews the state of a job once a minute. */
	c->e->roster_next_ms = clock_mono_ms() + (c->e->settings.interval_ms < ROSTER_POLL_MS
							  ? c->e->settings.interval_ms
							  : ROSTER_POLL_MS);
	roster_note(s, r);
	return ERR_NONE;
}

/* ---- its end ---- */

static enum err_kind roster_end(struct cycle *c, struct cycle_step *s, struct roster *r,
				struct err *err)
{
	struct store_status status;
	bool is_needed = false;
	enum err_kind kind = c->e->store.ops->status(c->e->store.self, &status, err);

	for (int t = TABLE_LEAD; kind == ERR_NONE && t < TABLE_COUNT; t++) {
		struct str cursor;

		kind = c->e->store.ops->cursor(c->e->store.self, table_name((enum table)t),
					       &s->arena, &cursor, err);
		is_needed |= kind == ERR_NONE && (!cursor.n || status.scans[t].is_open);
	}
	if (kind != ERR_NONE || is_needed)
		return kind;
	*r = (struct roster){ .to_s = r->to_s };
	roster_note(s, r);
	s->ledger.unit.is_roster_over = true;
	return ERR_NONE;
}

enum err_kind roster_prepare(struct cycle *c, bool *ret_is_waiting, struct err *err)
{
	enum lane lane = c->call.lane;
	struct roster r = { .to_s = 0 };
	struct cycle_step s;
	enum err_kind kind;

	cycle_step_begin(c, &s);
	c->call.lane = LANE_BACKFILL;
	kind = roster_read(c, &s.arena, &r, err);
	if (kind == ERR_NONE && !r.stage.n)
		kind = roster_begin(c, &s, &r, err);
	if (kind == ERR_NONE && roster_is(&r, stage_making))
		kind = roster_make(c, &s, &r, err);
	else if (kind == ERR_NONE && r.stage.n)
		kind = roster_end(c, &s, &r, err);
	*ret_is_waiting = kind == ERR_NONE && roster_is(&r, stage_making);
	c->e->has_roster = roster_is(&r, stage_ready);
	c->call.lane = lane;
	return cycle_step_end(c, &s, kind, err);
}
