/* Stamps and Activity Log lines; see outbox.h. Runs on the worker's and on the real-time thread. */
#include "sync/outbox.h"

#include "base/clock.h"
#include "base/log.h"
#include "sync/blame.h"
#include "sync/fields.h"
#include "sync/ledger.h"
#include "sync/stamps.h"
#include "sync/state.h"

enum {
	OUTBOX_BATCH = 300,
	OUTBOX_HALVINGS = 8,   /* of a batch, down to a single line */
	OUTBOX_CLOCKS_S = 300, /* by so much Marketo's clock may differ from ours */
};

struct stamp outbox_stamp(const struct link *link)
{
	bool is_deleted = link->state == LINK_DELETED_IN_DYNAMICS;

	return (struct stamp){
		.fields = (1U << STAMP_FIELD_COUNT) - 1,
		.record_id = link->record_id,
		.table = link->table,
		.is_deleted = is_deleted,
		.status = is_deleted ? "deleted in Dynamics" : "linked",
		.synced_at_s = clock_wall_ms() / 1000,
	};
}

/* One batch of stamps; *ret_more when there may be others and at least one of these was settled. */
static enum err_kind outbox_stamp_batch(struct engine *e, const struct call *call,
					const struct mapping *mapping, struct arena *a,
					bool *ret_more, struct cycle_report *report,
					struct err *err)
{
	const struct remote *marketo = &e->remote[SIDE_MARKETO];
	struct ledger ledger = { .arena = a };
	struct link **links = NULL;
	struct write_result *results;
	struct write *writes;
	size_t count = 0, settled = 0;
	enum err_kind kind, commit;

	kind = e->store.ops->links_due(e->store.self, OUTBOX_BATCH, a, &links, &count, err);
	if (kind != ERR_NONE || !count)
		return kind;
	writes = arena_array(a, count, sizeof(*writes));
	results = arena_array(a, count, sizeof(*results));
	for (size_t i = 0; i < count; i++) {
		struct stamp *stamp = arena_alloc(a, sizeof(*stamp));

		*stamp = outbox_stamp(links[i]);
		writes[i] = (struct write){ .operation = WRITE_UPDATE,
					    .table = TABLE_PERSON,
					    .person_id = links[i]->person_id,
					    .stamp = stamp };
		results[i].kind = ERR_RETRY_LATER;
	}
	kind = marketo->ops->write(marketo->self, call, mapping, writes, count, results, err);
	kind = blame_call(e, report != NULL, kind, results, count, err);
	for (size_t i = 0; i < count; i++) {
		bool is_gone = results[i].kind == ERR_GONE;
		bool is_refused = results[i].kind == ERR_REFUSED || results[i].kind == ERR_RIGHTS ||
				  results[i].kind == ERR_DUPLICATE || results[i].kind == ERR_OURS;

		if (results[i].kind != ERR_NONE && !is_gone && !is_refused)
			continue;
		if (is_refused)
			ledger_error(&ledger, links[i], SIDE_MARKETO, "link", &results[i].err);
		if (is_gone) /* the next look at this person ends the link */
			ledger_dirty_person(&ledger, links[i]->person_id);
		ledger_stamped(&ledger, links[i]);
		settled++;
		if (report && results[i].kind == ERR_NONE)
			report->updated[TABLE_PERSON]++;
	}
	*ret_more = settled > 0 && count == OUTBOX_BATCH;
	commit = ledger_commit(&ledger, e, report != NULL, err);
	return kind != ERR_NONE ? kind : commit;
}

enum err_kind outbox_stamps(struct engine *e, const struct call *call, struct cycle_report *report,
			    struct err *err)
{
	struct shared_mapping *shared = fields_take(e);
	enum err_kind kind = ERR_NONE;
	bool more = shared != NULL, is_busy = false;

	if (report) /* the worker's */
		kind = stamps_import(e, call, report, &is_busy, err);
	more = more && !is_busy;
	while (more && kind == ERR_NONE) {
		struct arena arena = { .chunks = NULL };

		more = false;
		kind = outbox_stamp_batch(e, call, shared->mapping, &arena, &more, report, err);
		arena_release(&arena);
	}
	fields_drop(e, shared);
	return kind;
}

static struct activity outbox_activity(struct arena *a, const struct outbox_row *row)
{
	struct activity activity = {
		.person_id = row->person_id,
		.at_s = row->at_s,
		.outcome = arena_text(a, row->outcome),
		.direction = arena_text(a, row->direction),
		.entity = arena_text(a, row->entity),
		.field = arena_text(a, row->field),
		.code = arena_text(a, row->code),
		.message = arena_text(a, row->message),
		.reference = arena_fmt(a, "tandem-%lld", (long long)row->id),
	};

	(void)snprintf(activity.record_id, sizeof(activity.record_id), STR_FMT,
		       STR_ARG(row->record_id));
	return activity;
}

/* Lines on their way to Marketo in one call. */
struct outbox_batch {
	struct engine *e;
	const struct call *call;
	struct arena *arena;
	struct outbox_row *rows; /* those that are still to be sent */
	size_t count;
	bool has_moved; /* some line is settled now */
};

static struct activity *outbox_print(const struct outbox_batch *b)
{
	struct activity *activities = arena_array(b->arena, b->count, sizeof(*activities));

	for (size_t i = 0; i < b->count; i++)
		activities[i] = outbox_activity(b->arena, &b->rows[i]);
	return activities;
}

/* How many of the lines go into one call: those that were tried equally often. A line that makes
 * calls fail is sent in ever smaller company, until it stands alone (INV-NO-HOSTAGE). */
static size_t outbox_size(const struct outbox_row *rows, size_t count)
{
	unsigned tries = rows[0].tries, halvings = tries > 1 ? tries - 1 : 0;
	size_t most = (size_t)OUTBOX_BATCH >>
		      (halvings < OUTBOX_HALVINGS ? halvings : OUTBOX_HALVINGS);
	size_t n = 1;

	while (n < count && n < most && rows[n].tries == tries)
		n++;
	return n;
}

/* Lines of an earlier try whose answer was lost, with the connection or with the program: what
 * Marketo shows of them by now has arrived and is taken off the batch. */
static enum err_kind outbox_look(struct outbox_batch *b, struct err *err)
{
	const struct remote *marketo = &b->e->remote[SIDE_MARKETO];
	bool *found = arena_array(b->arena, b->count, sizeof(*found));
	struct ledger ledger = { .arena = b->arena };
	int64_t since_s = INT64_MAX;
	size_t left = 0;
	enum err_kind kind;

	/* Their dates are those of the events, which lie before any try. */
	for (size_t i = 0; i < b->count; i++)
		since_s = b->rows[i].at_s < since_s ? b->rows[i].at_s : since_s;
	kind = marketo->ops->find_activities(marketo->self, b->call, since_s - OUTBOX_CLOCKS_S,
					     outbox_print(b), b->count, found, err);
	if (kind != ERR_NONE)
		return kind;
	for (size_t i = 0; i < b->count; i++) {
		if (found[i])
			ledger_outbox_step(&ledger, b->rows[i].id, OUTBOX_SENT);
		else
			b->rows[left++] = b->rows[i];
	}
	log_info("activities_looked_for", LOG_NUMBER("lines", b->count),
		 LOG_NUMBER("found", b->count - left));
	b->has_moved = left < b->count;
	b->count = left;
	return ledger_commit(&ledger, b->e, true, err);
}

/* Before the call: should it end in the dark, the next one to come along knows. Only the service
 * that leads gets past this. */
static enum err_kind outbox_mark(struct outbox_batch *b, struct err *err)
{
	struct ledger ledger = { .arena = b->arena };

	for (size_t i = 0; i < b->count; i++)
		ledger_outbox_step(&ledger, b->rows[i].id, OUTBOX_TRIED);
	return ledger_commit(&ledger, b->e, true, err);
}

/* What an answer says of one line. is_told: the call as a whole worked. */
static void outbox_settle(struct outbox_batch *b, struct ledger *ledger,
			  const struct outbox_row *row, const struct write_result *r, bool is_told)
{
	/* The person is gone, or out of reach, or Marketo does not take the line: nobody is left to
	 * tell. */
	bool is_void = r->kind == ERR_REFUSED || r->kind == ERR_GONE ||
		       (is_told && r->kind == ERR_RIGHTS);
	bool is_over = is_void || r->kind == ERR_NONE;

	if (r->is_unknown)
		return; /* stays marked as tried */
	if (is_void)
		log_warn("activity_refused", LOG_NUMBER("person", row->person_id),
			 LOG_ERR(&r->err));
	b->has_moved |= is_over;
	ledger_outbox_step(ledger, row->id, is_over ? OUTBOX_SENT : OUTBOX_WAITING);
}

static enum err_kind outbox_send(struct outbox_batch *b, struct err *err)
{
	const struct remote *marketo = &b->e->remote[SIDE_MARKETO];
	struct write_result *results = arena_array(b->arena, b->count, sizeof(*results));
	struct ledger ledger = { .arena = b->arena };
	struct call call = *b->call;
	/* Over before anybody looks whether the lines have arrived. */
	int64_t deadline_ms = clock_mono_ms() + b->e->settings.activity_settle_ms;
	enum err_kind kind, commit;

	if (!call.deadline_ms || call.deadline_ms > deadline_ms)
		call.deadline_ms = deadline_ms;
	kind = marketo->ops->add_activities(marketo->self, &call, outbox_print(b), b->count,
					    results, err);
	for (size_t i = 0; i < b->count; i++)
		outbox_settle(b, &ledger, &b->rows[i], &results[i], kind == ERR_NONE);
	commit = ledger_commit(&ledger, b->e, false, kind == ERR_NONE ? err : NULL);
	return kind != ERR_NONE ? kind : commit;
}

static enum err_kind outbox_activity_batch(struct engine *e, const struct call *call,
					   struct arena *a, bool *ret_more, struct err *err)
{
	struct outbox_batch b = { .e = e, .call = call, .arena = a };
	enum err_kind kind;

	kind = e->store.ops->outbox(e->store.self, e->settings.activity_settle_ms, OUTBOX_BATCH, a,
				    &b.rows, &b.count, err);
	if (kind != ERR_NONE || !b.count)
		return kind;
	b.count = outbox_size(b.rows, b.count);
	if (b.rows[0].tries)
		kind = outbox_look(&b, err);
	if (kind == ERR_NONE && b.count)
		kind = outbox_mark(&b, err);
	if (kind == ERR_NONE && b.count)
		kind = outbox_send(&b, err);
	*ret_more = b.has_moved;
	return kind;
}

enum err_kind outbox_activities(struct engine *e, const struct call *call, struct err *err)
{
	enum err_kind kind = ERR_NONE;
	bool more = true;

	/* Lines cannot be taken back, so no two threads may send the same ones; another service on
	 * this database leaves them to the one that leads. */
	if (!state_is_leader(e) || pthread_mutex_trylock(&e->outbox_lock) != 0)
		return ERR_NONE;
	while (more && kind == ERR_NONE) {
		struct arena arena = { .chunks = NULL };

		more = false;
		kind = outbox_activity_batch(e, call, &arena, &more, err);
		arena_release(&arena);
	}
	(void)pthread_mutex_unlock(&e->outbox_lock);
	return kind;
}
