/* The cycle: feeds, decisions, writes, commits. Pages in, pages out: memory does not grow with
 * either database (INV-BOUNDED), and a cursor is committed with what it covers (INV-CURSOR-BEHIND).
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "core/guard.h"
#include "sync/cycle_p.h"
#include "sync/fields.h"
#include "sync/outbox.h"
#include "sync/roster.h"
#include "sync/state.h"
#include "sync/usage.h"

enum { CYCLE_DRAIN_MAX = 3 }; /* times the Marketo feed is read again after own writes */

const char cycle_scan_ended[] = "scan ended";

void cycle_step_begin(struct cycle *c, struct cycle_step *s)
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

enum err_kind cycle_step_end(struct cycle *c, struct cycle_step *s, enum err_kind kind,
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
	if (committed == ERR_NONE)
		usage_refresh(c->e, true);
	return committed;
}

bool cycle_makes_way(struct cycle *c)
{
	if (!c->slice_end_ms || clock_mono_ms() < c->slice_end_ms)
		return false;
	c->report->is_unfinished = true;
	return true;
}

enum err_kind cycle_place(struct cycle *c, const char *name, struct arena *a, int64_t *ret_at_s,
			  struct str *ret_rest, struct err *err)
{
	const struct store *store = &c->e->store;
	struct str text = { NULL, 0 };
	enum err_kind kind = store->ops->cursor(store->self, name, a, &text, err);

	*ret_at_s = 0;
	if (kind == ERR_NONE && !str_int64(str_cut(&text, ' '), 0, INT64_MAX, ret_at_s))
		text.n = 0;
	if (ret_rest)
		*ret_rest = text;
	return kind;
}

struct str cycle_place_text(struct arena *a, int64_t at_s, struct str rest)
{
	char *number = arena_fmt(a, "%lld ", (long long)at_s);
	size_t n = strlen(number);
	char *text = arena_alloc(a, n + rest.n + 1);

	memcpy(text, number, n);
	if (rest.n)
		memcpy(text + n, rest.p, rest.n);
	return (struct str){ text, n + rest.n };
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

/* Contacts first: a contact that a lead was qualified into takes the lead's link over before the
 * lead is seen. So no lead is read from the start while contacts still are. */
static enum err_kind cycle_tables(struct cycle *c, struct err *err)
{
	const struct store *store = &c->e->store;
	struct arena arena = { .chunks = NULL };
	struct str cursor = { NULL, 0 };
	bool is_waiting = false;
	enum err_kind kind = roster_prepare(c, &is_waiting, err);

	if (kind == ERR_NONE && is_waiting) {
		c->report->is_unfinished = c->report->is_waiting = true;
		return ERR_NONE;
	}
	/* Who has turned up since the roster was made comes first. */
	if (kind == ERR_NONE && c->e->has_roster)
		kind = cycle_marks(c, SIDE_MARKETO, err);
	if (kind == ERR_NONE)
		kind = cycle_table(c, TABLE_CONTACT, err);

	if (kind == ERR_NONE && c->report->is_unfinished)
		kind = store->ops->cursor(store->self, table_name(TABLE_LEAD), &arena, &cursor,
					  err);
	if (kind == ERR_NONE && (cursor.n || !c->report->is_unfinished))
		kind = cycle_table(c, TABLE_LEAD, err);
	arena_release(&arena);
	return kind;
}

static enum err_kind cycle_steps(struct cycle *c, struct err *err)
{
	enum err_kind kind;

	kind = cycle_stale_claims(c, err);
	if (kind == ERR_NONE)
		kind = cycle_feed(c, err);
	if (kind == ERR_NONE)
		kind = cycle_look_back(c, err);
	if (kind == ERR_NONE)
		kind = cycle_marks(c, SIDE_DYNAMICS, err);
	if (kind == ERR_NONE)
		kind = cycle_tables(c, err);
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
	if (kind == ERR_NONE)
		kind = cycle_extract(c, err);
	if (kind == ERR_NONE)
		kind = cycle_prove(c, err);
	return kind;
}

static void cycle_count_reads(const struct cycle_report *report)
{
	static const enum metric metrics[TABLE_COUNT] = { METRIC_READ_PERSONS, METRIC_READ_LEADS,
							  METRIC_READ_CONTACTS };

	for (int t = 0; t < TABLE_COUNT; t++)
		metric_add(metrics[t], (int64_t)report->read[t]);
	metric_add(METRIC_VERIFIED, (int64_t)report->verified);
	metric_add(METRIC_DRIFTED, (int64_t)report->drifted);
	metric_add(METRIC_LATE_EVENTS, (int64_t)report->late);
}

/* What only the store knows, for whoever watches; a cycle does not fail for it. */
static void cycle_show_proof(struct engine *e)
{
	static const enum metric done[TABLE_COUNT] = { METRIC_COUNT, METRIC_BACKFILL_LEADS,
						       METRIC_BACKFILL_CONTACTS };
	static const enum metric total[TABLE_COUNT] = { METRIC_COUNT, METRIC_BACKFILL_LEADS_TOTAL,
							METRIC_BACKFILL_CONTACTS_TOTAL };
	struct store_status status;
	struct err err;

	if (e->store.ops->status(e->store.self, &status, &err) != ERR_NONE) {
		log_warn("status_unread", LOG_ERR(&err));
		return;
	}
	metric_set(METRIC_PROVEN_SINCE, status.oldest_proof_s);
	metric_set(METRIC_VERIFY_PERIOD, e->settings.verify_ms / 1000);
	for (int t = TABLE_LEAD; t < TABLE_COUNT; t++) {
		metric_set(done[t], (int64_t)status.scans[t].done);
		metric_set(total[t], (int64_t)status.scans[t].total);
	}
}

enum err_kind cycle_run(struct engine *e, struct cycle_report *report, struct err *err)
{
	struct cycle c = { .e = e, .call = { .lane = LANE_CHANGES }, .report = report };
	uint64_t calls[SIDE_COUNT];
	enum err_kind kind;

	if (e->settings.slice_ms)
		c.slice_end_ms = clock_mono_ms() + e->settings.slice_ms;
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
	cycle_show_proof(e);
	for (int side = 0; side < SIDE_COUNT; side++)
		report->calls[side] =
			e->remote[side].ops->calls(e->remote[side].self) - calls[side];
	return kind;
}
