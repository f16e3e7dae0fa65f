/* Once a sweep: what changed in Marketo since the last one, from a file that Marketo makes, held
 * against what was agreed on. Costs a handful of calls however many persons changed, and sees what
 * the change log never told ("Adobe: Bulk Lead Extract"). Decides nothing: a person that differs is
 * marked, and read again like any other. */
#include "sync/cycle_p.h"

#include "base/clock.h"
#include "base/log.h"

/* When the last job was asked for, and its name while it is not done with. */
static const char extract_place[] = "extract";

enum {
	EXTRACT_MARGIN_S = 2 * 3600,    /* windows overlap: nobody says how late an update shows */
	EXTRACT_POLL_MS = 60 * 1000,    /* Marketo renews the state of a job once a minute */
	EXTRACT_AGAIN_MS = 3600 * 1000, /* after a job that could not be had */
};

static void extract_note(struct cycle_step *s, int64_t at_s, struct str job)
{
	ledger_place(&s->ledger, extract_place, cycle_place_text(&s->arena, at_s, job));
}

/* Not now: a file is a convenience, and no cycle fails for want of it. */
static void extract_later(struct cycle *c, int64_t pause_ms, const struct err *why)
{
	int64_t hint_ms = why->retry_after_ms;

	log_warn("extract_failed", LOG_ERR(why));
	c->e->extract.next_ms = clock_mono_ms() + (hint_ms > pause_ms ? hint_ms : pause_ms);
}

static bool extract_stops_cycle(enum err_kind kind)
{
	return kind == ERR_STOPPED || kind == ERR_STORE || kind == ERR_NOT_LEADER;
}

static enum err_kind extract_begin(struct cycle *c, struct cycle_step *s, int64_t at_s,
				   struct err *err)
{
	const struct remote *marketo = &c->e->remote[SIDE_MARKETO];
	int64_t now_s = clock_wall_ms() / 1000, from_s = at_s - EXTRACT_MARGIN_S;
	struct str job = { NULL, 0 };
	struct err why = { .retry_after_ms = -1 };
	enum err_kind kind;

	if (now_s - from_s > REMOTE_EXTRACT_MAX_S)
		from_s = now_s - REMOTE_EXTRACT_MAX_S;
	kind = marketo->ops->extract_start(marketo->self, &c->call, s->step.mapping,
					   EXTRACT_UPDATED, from_s, now_s, &s->arena, &job, &why);
	if (kind == ERR_RIGHTS) { /* not for us; asked again by the next sweep */
		log_info("extract_not_available", LOG_ERR(&why));
		extract_note(s, now_s, job);
		return ERR_NONE;
	}
	if (extract_stops_cycle(kind)) {
		*err = why;
		return kind;
	}
	if (kind != ERR_NONE) {
		extract_later(c, EXTRACT_AGAIN_MS, &why);
		return ERR_NONE;
	}
	c->e->extract.at = 0;
	extract_note(s, now_s, job);
	return ERR_NONE;
}

/* Does the person show anything else than was agreed on? */
static bool extract_differs(const struct cycle *c, const struct mapping *m, const struct link *link,
			    const struct record *person)
{
	for (size_t i = 0; i < m->count; i++) {
		uint64_t agreed = link_fingerprint(link, SIDE_MARKETO, m->fields[i].slot);
		const struct value *v = &person->values[i];

		if (agreed && v->kind != VALUE_UNSEEN && mapping_active(m, i, link->table) &&
		    fingerprint_of(&c->e->identity.key, v) != agreed)
			return true;
	}
	return false;
}

static enum err_kind extract_compare(struct cycle *c, struct cycle_step *s,
				     const struct record_list *persons, struct err *err)
{
	const struct store *store = &c->e->store;
	int64_t *ids = arena_array(&s->arena, persons->count + 1, sizeof(*ids));
	struct link **links = arena_array(&s->arena, persons->count + 1, sizeof(struct link *));
	enum err_kind kind;

	for (size_t i = 0; i < persons->count; i++)
		ids[i] = persons->records[i].person_id;
	kind = store->ops->links_by_person(store->self, ids, persons->count, &s->arena, links, err);
	for (size_t i = 0; kind == ERR_NONE && i < persons->count; i++) {
		if (links[i] && links[i]->state == LINK_LIVE &&
		    extract_differs(c, s->step.mapping, links[i], &persons->records[i]))
			ledger_dirty_person(&s->ledger, ids[i]);
	}
	return kind;
}

/* One piece of the file. */
static enum err_kind extract_piece(struct cycle *c, struct cycle_step *s, int64_t at_s,
				   struct str job, bool *ret_is_over, struct err *err)
{
	const struct remote *marketo = &c->e->remote[SIDE_MARKETO];
	struct record_list persons = { .count = 0 };
	struct err why = { .retry_after_ms = -1 };
	bool is_last = false;
	enum err_kind kind;

	kind = marketo->ops->extract_read(marketo->self, &c->call, s->step.mapping, job,
					  &c->e->extract.at, &s->arena, &persons, &is_last, &why);
	if (extract_stops_cycle(kind)) {
		*err = why;
		return kind;
	}
	if (kind != ERR_NONE) {
		extract_later(c, EXTRACT_AGAIN_MS, &why);
		extract_note(s, at_s - EXTRACT_MARGIN_S, (struct str){ NULL, 0 });
		*ret_is_over = true;
		return ERR_NONE;
	}
	kind = extract_compare(c, s, &persons, err);
	if (kind == ERR_NONE && is_last) {
		extract_note(s, at_s, (struct str){ NULL, 0 });
		c->e->extract.at = 0;
	}
	*ret_is_over = is_last;
	return kind;
}

static enum err_kind extract_poll(struct cycle *c, struct cycle_step *s, int64_t at_s,
				  struct str job, bool *ret_is_ready, struct err *err)
{
	const struct remote *marketo = &c->e->remote[SIDE_MARKETO];
	struct extract_status status = { .state = EXTRACT_WAITING };
	struct err why = { .retry_after_ms = -1 };
	enum err_kind kind;

	c->e->extract.next_ms = clock_mono_ms() + (c->e->settings.sweep_ms < EXTRACT_POLL_MS
							   ? c->e->settings.sweep_ms
							   : EXTRACT_POLL_MS);
	kind = marketo->ops->extract_poll(marketo->self, &c->call, job, &status, &why);
	if (extract_stops_cycle(kind)) {
		*err = why;
		return kind;
	}
	*ret_is_ready = kind == ERR_NONE && status.state == EXTRACT_READY;
	if (kind != ERR_NONE)
		extract_later(c, EXTRACT_POLL_MS, &why);
	else if (status.state == EXTRACT_FAILED || status.state == EXTRACT_GONE)
		extract_note(s, at_s - EXTRACT_MARGIN_S, (struct str){ NULL, 0 });
	else if (*ret_is_ready && !status.rows)
		extract_note(s, at_s, (struct str){ NULL, 0 });
	*ret_is_ready = *ret_is_ready && status.rows;
	return ERR_NONE;
}

/* What is to be done now; *ret_is_over: nothing more in this cycle. */
static enum err_kind extract_step(struct cycle *c, struct cycle_step *s, bool *ret_is_over,
				  struct err *err)
{
	int64_t at_s = 0, now_s = clock_wall_ms() / 1000;
	struct str job = { NULL, 0 };
	bool is_ready = c->e->extract.at > 0;
	enum err_kind kind = cycle_place(c, extract_place, &s->arena, &at_s, &job, err);

	*ret_is_over = true;
	if (kind != ERR_NONE)
		return kind;
	if (!at_s) { /* what was changed before the first load came with it */
		extract_note(s, now_s, job);
		return ERR_NONE;
	}
	if (!job.n)
		return (now_s - at_s) * 1000 < c->e->settings.sweep_ms
			       ? ERR_NONE
			       : extract_begin(c, s, at_s, err);
	if (!is_ready)
		kind = extract_poll(c, s, at_s, job, &is_ready, err);
	if (kind == ERR_NONE && is_ready)
		kind = extract_piece(c, s, at_s, job, ret_is_over, err);
	return kind;
}

enum err_kind cycle_extract(struct cycle *c, struct err *err)
{
	const struct remote *marketo = &c->e->remote[SIDE_MARKETO];
	enum lane lane = c->call.lane;
	enum err_kind kind = ERR_NONE;
	bool is_over = !c->e->settings.sweep_ms || !marketo->ops->extract_start ||
		       clock_mono_ms() < c->e->extract.next_ms;

	c->call.lane = LANE_BACKFILL;
	while (kind == ERR_NONE && !is_over) {
		struct cycle_step s;

		cycle_step_begin(c, &s);
		kind = extract_step(c, &s, &is_over, err);
		kind = cycle_step_end(c, &s, kind, err);
		if (kind == ERR_NONE && !is_over && cycle_makes_way(c))
			break;
	}
	c->call.lane = lane;
	return kind;
}
