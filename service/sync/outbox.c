/* Stamps and Activity Log lines; see outbox.h. Runs on the worker's and on the real-time thread. */
#include "sync/outbox.h"

#include "base/clock.h"
#include "base/log.h"
#include "sync/blame.h"
#include "sync/fields.h"
#include "sync/ledger.h"
#include "sync/state.h"

enum { OUTBOX_BATCH = 300 };

static struct stamp outbox_stamp(const struct link *link)
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
	bool more = shared != NULL;

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

static enum err_kind outbox_activity_batch(struct engine *e, const struct call *call,
					   struct arena *a, bool *ret_more, struct err *err)
{
	const struct remote *marketo = &e->remote[SIDE_MARKETO];
	struct ledger ledger = { .arena = a };
	struct outbox_row *rows = NULL;
	struct write_result *results;
	struct activity *activities;
	size_t count = 0, told = 0;
	enum err_kind kind, commit;

	kind = e->store.ops->outbox(e->store.self, OUTBOX_BATCH, a, &rows, &count, err);
	if (kind != ERR_NONE || !count)
		return kind;
	activities = arena_array(a, count, sizeof(*activities));
	results = arena_array(a, count, sizeof(*results));
	for (size_t i = 0; i < count; i++) {
		activities[i] = outbox_activity(a, &rows[i]);
		results[i].kind = ERR_RETRY_LATER;
	}
	kind = marketo->ops->add_activities(marketo->self, call, activities, count, results, err);
	for (size_t i = 0; i < count; i++) {
		/* Refused or gone: the person is not there any more, and nobody is left to tell. */
		bool is_void = results[i].kind == ERR_REFUSED || results[i].kind == ERR_GONE;

		if (results[i].kind != ERR_NONE && !is_void)
			continue;
		if (is_void)
			log_warn("activity_refused", LOG_NUMBER("person", rows[i].person_id),
				 LOG_ERR(&results[i].err));
		ledger_sent(&ledger, rows[i].id);
		told++;
	}
	*ret_more = told > 0 && count == OUTBOX_BATCH;
	commit = ledger_commit(&ledger, e, false, err);
	return kind != ERR_NONE ? kind : commit;
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
