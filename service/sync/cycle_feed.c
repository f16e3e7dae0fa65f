/* Marketo's feed in a cycle: who changed is marked, merges and deletions are followed; see
 * cycle_p.h. Reads no person. */
#include "sync/cycle_p.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/guard.h"
#include "sync/overwrite.h"

enum {
	FEED_NOTE_S = 3600,
	/* Marketo tells deletions for 14 days and field changes for 90 ("Adobe: Activities"); a day
	 * is taken off, because nobody says when its day ends. */
	FEED_DELETIONS_S = 13 * 86400,
	FEED_CHANGES_S = 89 * 86400,
	/* Events have been seen to turn up with dates more than an hour old; the usual overlap does
	 * not reach so far. */
	BACK_S = 90 * 60,
	BACKS_PER_SWEEP = 24,
	FEED_TEXT_MAX = 250,
};

static const char feed_read_at[] = "feed read";
static const char back_place[] = "look back";

static int64_t back_interval_s(const struct cycle *c)
{
	return c->e->settings.sweep_ms / 1000 / BACKS_PER_SWEEP;
}

/* What comes after a merge may be about the same persons: the store has to know of it first. */
static enum err_kind cycle_settle_merge(struct step *s, struct err *err)
{
	return s->ledger->unit.link_count ? ledger_commit(s->ledger, s->engine, true, err)
					  : ERR_NONE;
}

/* Merged persons: the winner takes the link over unless it has one of its own; then the loser's
 * record stays behind, reported, since records are never merged from here. */
static enum err_kind cycle_merged(struct step *s, int64_t loser, int64_t winner, struct err *err)
{
	const struct store *store = &s->engine->store;
	int64_t ids[2] = { loser, winner };
	struct link *links[2], told;
	struct err why;
	enum err_kind kind;

	kind = store->ops->links_by_person(store->self, ids, 2, s->arena, links, err);
	if (kind != ERR_NONE || !links[0] || !link_is_bound(links[0]))
		return kind;
	if (!link_is_taken(links[1])) {
		links[0]->person_id = winner;
		ledger_tell(s->ledger, links[0], LINE_PERSONS_MERGED);
		link_forget_side(links[0], SIDE_MARKETO);
		links[0]->is_stamp_due = true;
		ledger_link(s->ledger, links[0]);
		ledger_dirty_person(s->ledger, winner);
		return ERR_NONE;
	}
	(void)err_set(
		&why, ERR_REFUSED,
		"person %lld was merged into this person, and each had a record of its own; merge "
		"the two records in Dynamics as well",
		(long long)loser);
	(void)snprintf(why.code, sizeof(why.code), "MERGED");
	told = *links[0];
	told.person_id = winner; /* the other is there no more */
	ledger_error(s->ledger, &told, SIDE_DYNAMICS, "link", &why);
	pairs_end_link(s, links[0], LINK_DELETED_IN_MARKETO);
	return ERR_NONE;
}

static enum err_kind cycle_person_deleted(struct cycle *c, struct step *s, int64_t person_id,
					  struct err *err)
{
	const struct store *store = &s->engine->store;
	struct link *link;
	enum err_kind kind;

	kind = store->ops->links_by_person(store->self, &person_id, 1, s->arena, &link, err);
	if (kind != ERR_NONE || !link || !link_is_bound(link))
		return kind;
	pairs_end_link(s, link, LINK_DELETED_IN_MARKETO);
	return guard_deletes(c->e->deletes, c->deletes_max, err);
}

/* Is what the log tells just what was agreed on? Then it is our own write coming back, and the
 * person need not be read. Marketo cuts long texts in its log, so they tell nothing. */
static bool feed_is_echo(const struct cycle *c, const struct link *link,
			 const struct change *change)
{
	const struct mapping *m = c->shared->mapping;
	const struct value *now = &change->now;

	/* Something refused may be over now: whoever reads the person sees. */
	if (!link || link->state != LINK_LIVE || link->parked_count)
		return false;
	if (now->kind == VALUE_UNSEEN)
		return change->is_told;
	if (now->kind == VALUE_TEXT && now->text.n >= FEED_TEXT_MAX)
		return false;
	return fingerprint_of(&c->e->identity.key, now) ==
	       link_fingerprint(link, SIDE_MARKETO, m->fields[change->index].slot);
}

static enum err_kind feed_links(struct cycle *c, struct cycle_step *s, const struct change *changes,
				size_t count, struct link **ret, struct err *err)
{
	const struct store *store = &c->e->store;
	int64_t *ids = arena_array(&s->arena, count, sizeof(*ids));

	for (size_t i = 0; i < count; i++)
		ids[i] = changes[i].kind == CHANGE_EDITED ? changes[i].person_id : 0;
	return store->ops->links_by_person(store->self, ids, count, &s->arena, ret, err);
}

/* What a page tells: persons to look at, those that are gone, and which writes of ours covered an
 * edit. */
static enum err_kind feed_take(struct cycle *c, struct cycle_step *s, const struct change *changes,
			       size_t count, struct err *err)
{
	struct link **links = arena_array(&s->arena, count, sizeof(struct link *));
	int64_t marked = 0;
	bool has_merged = false;
	enum err_kind kind = feed_links(c, s, changes, count, links, err);

	for (size_t i = 0; kind == ERR_NONE && i < count; i++) {
		const struct change *change = &changes[i];

		if (has_merged && change->kind != CHANGE_EDITED)
			kind = cycle_settle_merge(&s->step, err);
		if (kind != ERR_NONE)
			return kind;
		has_merged |= change->kind == CHANGE_MERGED;
		if (c->e->settings.sweep_ms && (!i || changes[i - 1].event != change->event))
			ledger_event(&s->ledger, change->event);
		if (change->kind == CHANGE_EDITED &&
		    (change->person_id == marked || feed_is_echo(c, links[i], change)))
			continue;
		if (change->kind == CHANGE_EDITED) {
			ledger_dirty_person(&s->ledger, change->person_id);
			marked = change->person_id;
		} else if (change->kind == CHANGE_DELETED) {
			kind = cycle_person_deleted(c, &s->step, change->person_id, err);
		} else {
			kind = cycle_merged(&s->step, change->person_id, change->winner_id, err);
		}
	}
	return kind != ERR_NONE ? kind : overwrite_check(&s->step, changes, count, err);
}

static enum err_kind feed_read(struct cycle *c, struct cycle_step *s, struct str cursor,
			       int64_t since_s, struct change_page *ret, struct err *err)
{
	const struct remote *marketo = &c->e->remote[SIDE_MARKETO];

	if (cursor.n)
		return marketo->ops->changes(marketo->self, &c->call, s->step.mapping, TABLE_PERSON,
					     cursor, &s->arena, ret, err);
	*ret = (struct change_page){ .is_last = true };
	return marketo->ops->start_cursor(marketo->self, &c->call, since_s, &s->arena, &ret->cursor,
					  err);
}

/* ---- the feed itself ---- */

static enum err_kind feed_page(struct cycle *c, struct cycle_step *s, bool *ret_is_last,
			       struct err *err)
{
	const struct store *store = &c->e->store;
	struct change_page page;
	struct str cursor;
	enum err_kind kind;

	kind = store->ops->cursor(store->self, table_name(TABLE_PERSON), &s->arena, &cursor, err);
	if (kind == ERR_NONE)
		kind = feed_read(c, s, cursor, 0, &page, err);
	if (kind == ERR_NONE)
		kind = feed_take(c, s, page.changes, page.count, err);
	if (kind != ERR_NONE)
		return kind;
	if (!str_equal(page.cursor, cursor))
		ledger_cursor(&s->ledger, TABLE_PERSON, page.cursor);
	*ret_is_last = page.is_last;
	return ERR_NONE;
}

/* Marketo forgets: what happened longer ago cannot be asked for any more, so nothing that was
 * proven counts, and all links are looked at again. Notes when the feed was read, once an hour. */
static enum err_kind feed_horizon(struct cycle *c, struct err *err)
{
	int64_t now_s = clock_wall_ms() / 1000, read_s = 0;
	struct cycle_step s;
	enum err_kind kind;

	cycle_step_begin(c, &s);
	kind = cycle_place(c, feed_read_at, &s.arena, &read_s, NULL, err);
	if (kind == ERR_NONE && now_s - read_s >= FEED_NOTE_S)
		ledger_place(&s.ledger, feed_read_at,
			     cycle_place_text(&s.arena, now_s, (struct str){ NULL, 0 }));
	if (kind == ERR_NONE && read_s && now_s - read_s >= FEED_DELETIONS_S) {
		log_warn("feed_gap", LOG_NUMBER("days", (now_s - read_s) / 86400));
		cycle_doubt(&s);
		if (now_s - read_s >= FEED_CHANGES_S)
			ledger_cursor(&s.ledger, TABLE_PERSON, (struct str){ "", 0 });
	}
	return cycle_step_end(c, &s, kind, err);
}

enum err_kind cycle_feed(struct cycle *c, struct err *err)
{
	enum err_kind kind = feed_horizon(c, err);
	bool is_last = false;

	while (kind == ERR_NONE && !is_last) {
		struct cycle_step s;

		cycle_step_begin(c, &s);
		kind = feed_page(c, &s, &is_last, err);
		kind = cycle_step_end(c, &s, kind, err);
	}
	return kind;
}

/* ---- the look back ---- */

/* Leaves the changes whose event was not taken in before; nameless ones cannot be told. */
static enum err_kind back_choose(struct cycle *c, struct cycle_step *s, struct change_page *page,
				 struct err *err)
{
	const struct store *store = &c->e->store;
	uint64_t *events = arena_array(&s->arena, page->count + 1, sizeof(*events));
	bool *is_known = arena_array(&s->arena, page->count + 1, sizeof(*is_known));
	size_t kept = 0;
	enum err_kind kind;

	for (size_t i = 0; i < page->count; i++)
		events[i] = page->changes[i].event;
	kind = store->ops->events_among(store->self, events, page->count, is_known, err);
	for (size_t i = 0; kind == ERR_NONE && i < page->count; i++) {
		if (is_known[i] || !events[i])
			continue;
		c->report->late += !kept || page->changes[kept - 1].event != events[i];
		page->changes[kept++] = page->changes[i];
	}
	page->count = kept;
	return kind;
}

static enum err_kind back_page(struct cycle *c, struct cycle_step *s, bool *ret_is_last,
			       struct err *err)
{
	int64_t now_s = clock_wall_ms() / 1000, at_s = 0, since_s = now_s - BACK_S, ended_s = 0;
	struct change_page page;
	struct str cursor;
	enum err_kind kind;

	kind = cycle_place(c, back_place, &s->arena, &at_s, &cursor, err);
	/* What a reading from the start wrote is known without asking page by page. */
	if (kind == ERR_NONE)
		kind = cycle_place(c, cycle_scan_ended, &s->arena, &ended_s, NULL, err);
	*ret_is_last = true;
	if (kind != ERR_NONE || (!cursor.n && at_s && now_s - at_s < back_interval_s(c)))
		return kind;
	if (at_s) {
		kind = feed_read(c, s, cursor, since_s > ended_s ? since_s : ended_s, &page, err);
		if (kind == ERR_EXPIRED) /* it begins anew next time */
			page = (struct change_page){ .is_last = true }, kind = ERR_NONE;
		*ret_is_last = page.is_last && cursor.n;
		if (kind == ERR_NONE)
			kind = back_choose(c, s, &page, err);
		if (kind == ERR_NONE)
			kind = feed_take(c, s, page.changes, page.count, err);
	} else {
		page = (struct change_page){ .is_last = true };
	}
	if (kind == ERR_NONE)
		ledger_place(&s->ledger, back_place,
			     cycle_place_text(&s->arena, *ret_is_last ? now_s : at_s,
					      *ret_is_last ? (struct str){ NULL, 0 }
							   : page.cursor));
	return kind;
}

enum err_kind cycle_look_back(struct cycle *c, struct err *err)
{
	enum err_kind kind = ERR_NONE;
	bool is_last = !c->e->settings.sweep_ms;

	while (kind == ERR_NONE && !is_last) {
		struct cycle_step s;

		cycle_step_begin(c, &s);
		kind = back_page(c, &s, &is_last, err);
		kind = cycle_step_end(c, &s, kind, err);
	}
	return kind;
}
