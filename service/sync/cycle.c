/* The cycle: feeds, decisions, writes, commits. Pages in, pages out: memory does not grow with
 * either database (INV-BOUNDED), and a cursor is committed with what it covers (INV-CURSOR-BEHIND).
 */
#include "sync/cycle.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "core/guard.h"
#include "sync/fields.h"
#include "sync/outbox.h"
#include "sync/overwrite.h"
#include "sync/records.h"
#include "sync/state.h"

enum {
	CYCLE_CHUNK = 1000,  /* records decided and committed together */
	CYCLE_DRAIN_MAX = 3, /* times the Marketo feed is read again after own writes */
	CYCLE_STALE_CLAIM_MS = 120 * 1000,
};

struct cycle {
	struct engine *e;
	struct call call;
	struct shared_mapping *shared;
	struct cycle_report *report;
	bool is_accepting;    /* an operator has seen why the sync halted: the guards let pass */
	uint64_t deletes_max; /* 0: no limit, this time */
	bool is_from_start;   /* the table's full scan began in this pass */
	uint64_t rows;        /* of it so far */
	bool has_scanned;     /* a full scan came to its end in this cycle */
};

/* A step with memory of its own; cycle_step_end releases it. */
struct cycle_step {
	struct step step;
	struct arena arena;
	struct ledger ledger;
};

static void cycle_step_begin(struct cycle *c, struct cycle_step *s)
{
	s->arena = (struct arena){ .chunks = NULL };
	s->ledger = (struct ledger){ .arena = &s->arena };
	s->step = (struct step){
		.engine = c->e,
		.call = &c->call,
		.mapping = c->shared->mapping,
		.arena = &s->arena,
		.ledger = &s->ledger,
		.report = c->report,
	};
}

/* Commits what the step noted. A step that failed before its first write leaves no trace (never half
 * a page); one that failed later is committed all the same: what was written must be remembered. */
static enum err_kind cycle_step_end(struct cycle *c, struct cycle_step *s, enum err_kind kind,
				    struct err *err)
{
	enum err_kind committed = ERR_NONE;
	struct err commit_err;

	if (kind == ERR_NONE)
		kind = guard_deletes(c->e->deletes, c->deletes_max, err);
	if (kind == ERR_NONE || s->step.has_written)
		committed = ledger_commit(&s->ledger, c->e, true, &commit_err);
	arena_release(&s->arena);
	state_publish(c->e, c->report);
	if (kind != ERR_NONE)
		return kind;
	if (committed != ERR_NONE)
		*err = commit_err;
	if (committed == ERR_NONE && stop_requested(c->e->stop))
		return err_set(err, ERR_STOPPED, "the service is ending");
	if (committed == ERR_NONE && !state_is_open(c->e))
		return err_set(err, ERR_STOPPED, "an operator paused the sync");
	return committed;
}

/* Merged persons: the winner takes the link over unless it has one of its own; then the loser's
 * record stays behind, reported, since records are never merged from here. */
static enum err_kind cycle_merged(struct step *s, int64_t loser, int64_t winner, struct err *err)
{
	const struct store *store = &s->engine->store;
	int64_t ids[2] = { loser, winner };
	struct link *links[2];
	struct err why;
	enum err_kind kind;

	kind = store->ops->links_by_person(store->self, ids, 2, s->arena, links, err);
	if (kind != ERR_NONE || !links[0] || !link_is_bound(links[0]))
		return kind;
	if (!link_is_taken(links[1])) {
		links[0]->person_id = winner;
		link_forget_side(links[0], SIDE_MARKETO);
		links[0]->is_stamp_due = true;
		ledger_link(s->ledger, links[0]);
		ledger_dirty_person(s->ledger, winner);
		return ERR_NONE;
	}
	(void)err_set(
		&why, ERR_REFUSED,
		"this person was merged into person %lld, which has a record of its own; merge the "
		"two records in Dynamics as well",
		(long long)winner);
	ledger_error(s->ledger, links[0], SIDE_DYNAMICS, "link", &why);
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

static enum err_kind cycle_feed_page(struct cycle *c, struct cycle_step *s, struct str cursor,
				     bool *ret_is_last, struct err *err)
{
	const struct remote *marketo = &c->e->remote[SIDE_MARKETO];
	struct change_page page = { .count = 0 };
	enum err_kind kind;

	if (!cursor.n) {
		kind = marketo->ops->start_cursor(marketo->self, &c->call, &s->arena, &page.cursor,
						  err);
		page.is_last = true;
	} else {
		kind = marketo->ops->changes(marketo->self, &c->call, s->step.mapping, TABLE_PERSON,
					     cursor, &s->arena, &page, err);
	}
	for (size_t i = 0; kind == ERR_NONE && i < page.count; i++) {
		const struct change *change = &page.changes[i];
		bool is_repeat = i && page.changes[i - 1].kind == CHANGE_EDITED &&
				 page.changes[i - 1].person_id == change->person_id;

		if (change->kind == CHANGE_EDITED && !is_repeat)
			ledger_dirty_person(&s->ledger, change->person_id);
		else if (change->kind == CHANGE_EDITED)
			continue;
		else if (change->kind == CHANGE_DELETED)
			kind = cycle_person_deleted(c, &s->step, change->person_id, err);
		else
			kind = cycle_merged(&s->step, change->person_id, change->winner_id, err);
	}
	if (kind == ERR_NONE)
		kind = overwrite_check(&s->step, page.changes, page.count, err);
	if (kind != ERR_NONE)
		return kind;
	if (!str_equal(page.cursor, cursor))
		ledger_cursor(&s->ledger, TABLE_PERSON, page.cursor);
	*ret_is_last = page.is_last;
	return ERR_NONE;
}

/* Marketo's feed: ids of persons to look at are marked in the store, with the cursor, in one commit
 * a page. */
static enum err_kind cycle_feed(struct cycle *c, struct err *err)
{
	const struct store *store = &c->e->store;
	bool is_last = false;

	while (!is_last) {
		struct cycle_step s;
		struct str cursor;
		enum err_kind kind;

		cycle_step_begin(c, &s);
		kind = store->ops->cursor(store->self, table_name(TABLE_PERSON), &s.arena, &cursor,
					  err);
		if (kind == ERR_NONE)
			kind = cycle_feed_page(c, &s, cursor, &is_last, err);
		kind = cycle_step_end(c, &s, kind, err);
		if (kind != ERR_NONE)
			return kind;
	}
	return ERR_NONE;
}

/* Rows that are there, and the links of those that are not, taken through; of one table. */
static enum err_kind cycle_rows(struct cycle *c, struct step *s, struct link *const *gone,
				size_t gone_count, struct record *const *records, size_t count,
				bool is_full_scan, struct err *err)
{
	enum err_kind kind = records_deleted(s, gone, gone_count, err);

	if (kind == ERR_NONE)
		kind = guard_deletes(c->e->deletes, c->deletes_max, err);
	return kind != ERR_NONE ? kind : records_run(s, records, count, is_full_scan, err);
}

/* Splits a chunk of changes into rows and deletes. */
static enum err_kind cycle_changes(struct cycle *c, struct step *s, enum table table,
				   const struct change *changes, size_t count, bool is_full_scan,
				   struct err *err)
{
	const struct store *store = &s->engine->store;
	struct record **records = arena_array(s->arena, count, sizeof(struct record *));
	struct guid *gone = arena_array(s->arena, count, sizeof(*gone));
	struct link **links = arena_array(s->arena, count, sizeof(struct link *));
	size_t record_count = 0, gone_count = 0;
	enum err_kind kind = ERR_NONE;

	for (size_t i = 0; i < count; i++) {
		if (changes[i].kind == CHANGE_DELETED)
			gone[gone_count++] = changes[i].record_id;
		else
			records[record_count++] = changes[i].record;
	}
	if (gone_count)
		kind = store->ops->links_by_record(store->self, table, gone, gone_count, s->arena,
						   links, err);
	return kind != ERR_NONE ? kind
				: cycle_rows(c, s, links, gone_count, records, record_count,
					     is_full_scan, err);
}

/* A full reading tells no deletions: what it showed is noted, chunk by chunk, so that at its end
 * the links of everything else are looked at. */
static void cycle_scan(struct cycle *c, struct cycle_step *s, enum table table,
		       const struct change_page *page, size_t done, size_t n)
{
	struct scan_part *part = arena_alloc(&s->arena, sizeof(*part));
	struct guid *shown = arena_array(&s->arena, n, sizeof(*shown));

	part->table = table;
	part->is_begin = page->is_scan_start && !done;
	part->is_end = page->is_last && done + n == page->count;
	for (size_t i = 0; i < n; i++) {
		if (page->changes[done + i].kind != CHANGE_DELETED)
			shown[part->shown_count++] = page->changes[done + i].record_id;
	}
	part->shown = shown;
	s->ledger.unit.scan = part;
	c->has_scanned |= part->is_end;
}

/* One page, in chunks that are committed one by one; the cursor goes with the last. */
static enum err_kind cycle_page(struct cycle *c, enum table table, const struct change_page *page,
				struct err *err)
{
	size_t done = 0;

	do {
		size_t n = page->count - done < CYCLE_CHUNK ? page->count - done : CYCLE_CHUNK;
		struct cycle_step s;
		enum err_kind kind;

		cycle_step_begin(c, &s);
		kind = cycle_changes(c, &s.step, table, page->changes + done, n, page->is_full_scan,
				     err);
		if (kind == ERR_NONE && page->is_full_scan)
			cycle_scan(c, &s, table, page, done, n);
		done += n;
		if (kind == ERR_NONE && done == page->count)
			ledger_cursor(&s.ledger, table, page->cursor);
		kind = cycle_step_end(c, &s, kind, err);
		if (kind != ERR_NONE)
			return kind;
	} while (done < page->count);
	return ERR_NONE;
}

/* A first reading of a table that shows nothing although links exist is a mistake somewhere, not a
 * change (INV-NO-WIPE). */
static enum err_kind cycle_check_empty(struct cycle *c, enum table table,
				       const struct change_page *page, struct err *err)
{
	struct store_status status;
	enum err_kind kind;

	c->rows += page->count;
	if (c->is_accepting || !c->is_from_start || !page->is_full_scan || !page->is_last ||
	    c->rows)
		return ERR_NONE;
	kind = c->e->store.ops->status(c->e->store.self, &status, err);
	return kind != ERR_NONE ? kind
				: guard_empty(0, status.links[table], table_name(table), err);
}

static enum err_kind cycle_table_page(struct cycle *c, enum table table, bool *ret_is_last,
				      struct err *err)
{
	const struct remote *dynamics = &c->e->remote[SIDE_DYNAMICS];
	const struct store *store = &c->e->store;
	struct arena arena = { .chunks = NULL };
	struct change_page page = { .count = 0 };
	struct str cursor = { NULL, 0 };
	enum err_kind kind;

	kind = store->ops->cursor(store->self, table_name(table), &arena, &cursor, err);
	if (kind == ERR_NONE)
		kind = dynamics->ops->changes(dynamics->self, &c->call, c->shared->mapping, table,
					      cursor, &arena, &page, err);
	if (kind == ERR_EXPIRED)
		kind = dynamics->ops->changes(dynamics->self, &c->call, c->shared->mapping, table,
					      (struct str){ NULL, 0 }, &arena, &page, err);
	if (kind == ERR_NONE) {
		c->is_from_start |= page.is_scan_start;
		c->report->read[table] += page.count;
		c->report->is_full_scan |= page.is_full_scan;
		*ret_is_last = page.is_last;
		kind = cycle_check_empty(c, table, &page, err);
	}
	if (kind == ERR_NONE)
		kind = cycle_page(c, table, &page, err);
	arena_release(&arena);
	return kind;
}

/* A Dynamics table from its cursor to the end of its feed. */
static enum err_kind cycle_table(struct cycle *c, enum table table, struct err *err)
{
	bool is_last = false;

	c->rows = 0;
	c->is_from_start = false;
	while (!is_last) {
		enum err_kind kind = cycle_table_page(c, table, &is_last, err);

		if (kind != ERR_NONE)
			return kind;
	}
	return ERR_NONE;
}

/* Records of one table that need another look: read now, then taken through like a page of the
 * feed. Their links are loaded first: one that a real-time call makes while we read is not ended
 * because its record was not there a moment ago. */
static enum err_kind cycle_look_again(struct cycle *c, struct step *s, enum table table,
				      const struct dirty *marks, size_t count, struct err *err)
{
	const struct remote *dynamics = &c->e->remote[SIDE_DYNAMICS];
	const struct store *store = &s->engine->store;
	struct guid *ids = arena_array(s->arena, count, sizeof(*ids));
	struct link **links = arena_array(s->arena, count, sizeof(struct link *));
	struct record **found = arena_array(s->arena, count, sizeof(struct record *));
	size_t n = 0, gone_count = 0, record_count = 0;
	enum err_kind kind;

	for (size_t i = 0; i < count; i++) {
		if (marks[i].table == table) {
			ledger_clean(s->ledger, &marks[i]);
			ids[n++] = marks[i].record_id;
		}
	}
	if (!n)
		return ERR_NONE;
	kind = store->ops->links_by_record(store->self, table, ids, n, s->arena, links, err);
	if (kind == ERR_NONE)
		kind = dynamics->ops->read(dynamics->self, &c->call, s->mapping, table, NULL, ids,
					   n, s->arena, found, err);
	if (kind != ERR_NONE)
		return kind;
	c->report->read[table] += n;
	for (size_t i = 0; i < n; i++) {
		if (found[i])
			found[record_count++] = found[i];
		else
			links[gone_count++] = links[i];
	}
	return cycle_rows(c, s, links, gone_count, found, record_count, false, err);
}

/* One batch of marks, each table in a step of its own, so that a failing one takes nothing of the
 * other along. */
static enum err_kind cycle_mark_batch(struct cycle *c, enum side side, const struct dirty *marks,
				      size_t count, struct err *err)
{
	enum err_kind kind = ERR_NONE;

	for (int t = 0; kind == ERR_NONE && t < TABLE_COUNT; t++) {
		struct cycle_step s;

		if (table_side((enum table)t) != side)
			continue;
		cycle_step_begin(c, &s);
		if (t == TABLE_PERSON)
			kind = records_persons(&s.step, marks, count, err);
		else
			kind = cycle_look_again(c, &s.step, (enum table)t, marks, count, err);
		kind = cycle_step_end(c, &s, kind, err);
	}
	return kind;
}

/* Works through the marks of a side that were there when it began. */
static enum err_kind cycle_marks(struct cycle *c, enum side side, struct err *err)
{
	const struct store *store = &c->e->store;
	int64_t after = 0, high = 0;
	size_t count = 1;
	enum err_kind kind;

	kind = store->ops->dirty_high(store->self, &high, err);
	while (kind == ERR_NONE && count) {
		struct arena arena = { .chunks = NULL };
		struct dirty *marks = NULL;

		count = 0;
		kind = store->ops->dirty(store->self, side, after, high, CYCLE_CHUNK, &arena,
					 &marks, &count, err);
		if (kind == ERR_NONE && count) {
			after = marks[count - 1].seq;
			kind = cycle_mark_batch(c, side, marks, count, err);
		}
		arena_release(&arena);
	}
	return kind;
}

/* Claims an earlier life left behind without a request that would take them up: look at their
 * records again. */
static enum err_kind cycle_stale_claims(struct cycle *c, struct err *err)
{
	const struct store *store = &c->e->store;
	struct cycle_step s;
	struct link **links = NULL;
	size_t count = 0;
	enum err_kind kind;

	cycle_step_begin(c, &s);
	kind = store->ops->claims_stale(store->self, CYCLE_STALE_CLAIM_MS, CYCLE_CHUNK, &s.arena,
					&links, &count, err);
	for (size_t i = 0; kind == ERR_NONE && i < count; i++) {
		if (!links[i]->parked_count)
			ledger_dirty_record(&s.ledger, links[i]->table, &links[i]->record_id);
	}
	return cycle_step_end(c, &s, kind, err);
}

static uint64_t cycle_person_writes(const struct cycle *c)
{
	return c->report->created[TABLE_PERSON] + c->report->updated[TABLE_PERSON];
}

/* Our own writes come back in Marketo's feed. Reading them now, while their number is known to be
 * small, lets the next cycle begin quiet (INV-NO-ECHO), and shows what Marketo made of new persons
 * (its durable unsubscribe, for one). */
static enum err_kind cycle_drain(struct cycle *c, struct err *err)
{
	enum err_kind kind = ERR_NONE;
	uint64_t written = 0;

	for (int i = 0; kind == ERR_NONE && i < CYCLE_DRAIN_MAX; i++) {
		if (cycle_person_writes(c) == written)
			break;
		written = cycle_person_writes(c);
		kind = cycle_feed(c, err);
		if (kind == ERR_NONE)
			kind = cycle_marks(c, SIDE_MARKETO, err);
	}
	return kind;
}

/* An operator who resumed a halted sync has seen the reason; then, and only then, deletes are not
 * counted and a table may be empty. */
static bool cycle_is_accepting(struct engine *e)
{
	bool is_accepting;

	(void)pthread_mutex_lock(&e->lock);
	is_accepting = e->is_accepting;
	e->is_accepting = false;
	(void)pthread_mutex_unlock(&e->lock);
	return is_accepting;
}

static enum err_kind cycle_steps(struct cycle *c, struct err *err)
{
	enum err_kind kind;

	kind = cycle_stale_claims(c, err);
	if (kind == ERR_NONE)
		kind = cycle_feed(c, err);
	if (kind == ERR_NONE)
		kind = cycle_marks(c, SIDE_DYNAMICS, err);
	/* Contacts first: a contact that a lead was qualified into takes the lead's link over
	 * before the lead is seen. */
	if (kind == ERR_NONE)
		kind = cycle_table(c, TABLE_CONTACT, err);
	if (kind == ERR_NONE)
		kind = cycle_table(c, TABLE_LEAD, err);
	if (kind == ERR_NONE && c->has_scanned)
		kind = cycle_marks(c, SIDE_DYNAMICS, err);
	if (kind == ERR_NONE)
		kind = cycle_marks(c, SIDE_MARKETO, err);
	if (kind == ERR_NONE)
		kind = realtime_work_open(c->e, &c->call, c->report, err);
	/* A create that an earlier life got through is looked at while it is fresh. */
	if (kind == ERR_NONE)
		kind = cycle_marks(c, SIDE_DYNAMICS, err);
	if (kind == ERR_NONE)
		kind = outbox_stamps(c->e, &c->call, c->report, err);
	if (kind == ERR_NONE)
		kind = outbox_activities(c->e, &c->call, err);
	if (kind == ERR_NONE)
		kind = cycle_drain(c, err);
	return kind;
}

static void cycle_count_reads(const struct cycle_report *report)
{
	static const enum metric metrics[TABLE_COUNT] = { METRIC_READ_PERSONS, METRIC_READ_LEADS,
							  METRIC_READ_CONTACTS };

	for (int t = 0; t < TABLE_COUNT; t++)
		metric_add(metrics[t], (int64_t)report->read[t]);
}

enum err_kind cycle_run(struct engine *e, struct cycle_report *report, struct err *err)
{
	struct cycle c = { .e = e, .call = { .lane = LANE_CHANGES }, .report = report };
	uint64_t calls[SIDE_COUNT];
	enum err_kind kind;

	c.is_accepting = cycle_is_accepting(e);
	c.deletes_max = c.is_accepting ? 0 : e->settings.max_deletes;
	for (int side = 0; side < SIDE_COUNT; side++)
		calls[side] = e->remote[side].ops->calls(e->remote[side].self);
	e->is_schema_fresh = e->is_schema_stale;
	kind = fields_refresh(e, &c.call, e->is_schema_stale, err);
	if (kind == ERR_NONE) {
		e->is_schema_stale = false;
		c.shared = fields_take(e);
		kind = cycle_steps(&c, err);
		fields_drop(e, c.shared);
	}
	if (kind == ERR_NONE)
		e->deletes = 0;
	cycle_count_reads(report);
	for (int side = 0; side < SIDE_COUNT; side++)
		report->calls[side] =
			e->remote[side].ops->calls(e->remote[side].self) - calls[side];
	return kind;
}
