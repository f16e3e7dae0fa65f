/* Create in Dynamics, at most once. The link row is claimed in the store with the GUID the record
 * will have before the first create is sent (INV-ONE-ROW); nothing that exists is updated here,
 * stamps apart (INV-NO-FORCE). */
#include "sync/requests_p.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "sync/fields.h"
#include "sync/match.h"
#include "sync/state.h"

void work_finish(struct batch *b, struct work *w, enum outcome outcome, const char *reason)
{
	w->is_done = true;
	w->request->outcome = outcome;
	w->request->reason = reason ? arena_str(b->s.arena, str_of(reason))
				    : (struct str){ NULL, 0 };
	if (w->link && outcome != OUTCOME_REJECTED) {
		w->request->entity = w->link->table;
		w->request->record_id = w->link->record_id;
	}
}

void work_postpone(struct batch *b, struct work *w, const struct err *err)
{
	w->is_done = true;
	w->request->outcome = OUTCOME_QUEUED;
	w->request->reason = arena_str(b->s.arena, str_of(err->text));
}

static void batch_postpone(struct batch *b, const struct err *err)
{
	for (size_t i = 0; i < b->count; i++) {
		if (!b->works[i].is_done)
			work_postpone(b, &b->works[i], err);
	}
}

/* Persons that are linked already: nothing to do, and nothing but the store was asked. */
static enum err_kind batch_find_links(struct batch *b, struct err *err)
{
	const struct store *store = &b->s.engine->store;
	int64_t *ids = arena_array(b->s.arena, b->count, sizeof(*ids));
	struct link **links = arena_array(b->s.arena, b->count, sizeof(struct link *));
	enum err_kind kind;

	for (size_t i = 0; i < b->count; i++)
		ids[i] = b->works[i].request->person_id;
	kind = store->ops->links_by_person(store->self, ids, b->count, b->s.arena, links, err);
	for (size_t i = 0; kind == ERR_NONE && i < b->count; i++) {
		b->works[i].link = links[i];
		if (links[i] && link_is_bound(links[i]))
			work_finish(b, &b->works[i], OUTCOME_EXISTS, NULL);
	}
	return kind;
}

void work_drop_claim(struct batch *b, struct work *w)
{
	if (w->link && w->link->state == LINK_CLAIMED)
		ledger_forget(&b->ledger, w->link);
	w->link = NULL;
}

static enum err_kind batch_read_persons(struct batch *b, struct err *err)
{
	const struct remote *marketo = &b->s.engine->remote[SIDE_MARKETO];
	int64_t *ids = arena_array(b->s.arena, b->count, sizeof(*ids));
	struct work **open = arena_array(b->s.arena, b->count, sizeof(struct work *));
	struct record **found = arena_array(b->s.arena, b->count, sizeof(struct record *));
	enum err_kind kind;
	size_t n = 0;

	for (size_t i = 0; i < b->count; i++) {
		if (!b->works[i].is_done) {
			ids[n] = b->works[i].request->person_id;
			open[n++] = &b->works[i];
		}
	}
	if (!n)
		return ERR_NONE;
	kind = marketo->ops->read(marketo->self, b->s.call, b->s.mapping, TABLE_PERSON, ids, NULL,
				  n, b->s.arena, found, err);
	for (size_t i = 0; kind == ERR_NONE && i < n; i++) {
		open[i]->person = found[i];
		b->s.report->read[TABLE_PERSON]++;
		if (found[i])
			continue;
		*open[i]->is_gone = true;
		work_drop_claim(b, open[i]);
		work_finish(b, open[i], OUTCOME_REJECTED, "there is no such person in Marketo");
	}
	return kind;
}

static void work_without_owner(struct batch *b, struct work *w, struct err *why)
{
	struct link none = { .table = w->request->sync_as, .person_id = w->request->person_id };

	(void)snprintf(why->code, sizeof(why->code), "OWNER");
	why->field[0] = '\0'; /* it was asked for with the request, and is no field that travels */
	ledger_error(&b->ledger, &none, SIDE_DYNAMICS, "create", why);
	work_drop_claim(b, w);
	work_finish(b, w, OUTCOME_REJECTED, why->text);
}

static void batch_find_owners(struct batch *b)
{
	const struct remote *dynamics = &b->s.engine->remote[SIDE_DYNAMICS];

	for (size_t i = 0; i < b->count; i++) {
		struct work *w = &b->works[i];
		struct err err;
		enum err_kind kind;

		if (w->is_done || w->candidates || !w->request->owner.n)
			continue;
		for (size_t k = 0; k < i && !w->has_owner; k++) {
			if (b->works[k].has_owner &&
			    str_equal(b->works[k].request->owner, w->request->owner)) {
				w->owner = b->works[k].owner;
				w->has_owner = true;
			}
		}
		if (w->has_owner)
			continue;
		kind = dynamics->ops->find_owner(dynamics->self, b->s.call, w->request->owner,
						 &w->owner, &err);
		w->has_owner = kind == ERR_NONE;
		if (kind == ERR_REFUSED)
			work_without_owner(b, w, &err);
		else if (kind != ERR_NONE)
			work_postpone(b, w, &err);
	}
}

/* The link this request is going to make. */
static struct link *work_new_link(const struct batch *b, const struct work *w)
{
	struct link *link = arena_alloc(b->s.arena, sizeof(*link));

	link->person_id = w->request->person_id;
	link->state = LINK_CLAIMED;
	link->generation = w->link ? w->link->generation + 1 : 1;
	if (w->found) {
		link->table = w->found->table;
		link->record_id = w->found->record_id;
		link->version = w->found->version;
	} else {
		link->table = w->request->sync_as;
		link->record_id = fingerprint_record_id(str_of(b->s.engine->settings.instance),
							link->person_id, link->generation);
	}
	return link;
}

static enum err_kind batch_claim(struct batch *b, struct err *err)
{
	const struct store *store = &b->s.engine->store;
	const struct link **wanted = arena_array(b->s.arena, b->count, sizeof(struct link *));
	struct work **owners = arena_array(b->s.arena, b->count, sizeof(struct work *));
	bool *is_claimed = arena_array(b->s.arena, b->count, sizeof(*is_claimed));
	enum err_kind kind;
	size_t n = 0;

	for (size_t i = 0; i < b->count; i++) {
		struct work *w = &b->works[i];

		if (w->is_done || (w->link && w->link->state == LINK_CLAIMED))
			continue;
		w->link = work_new_link(b, w);
		wanted[n] = w->link;
		owners[n++] = w;
	}
	if (!n)
		return ERR_NONE;
	kind = store->ops->claim(store->self, wanted, n, is_claimed, err);
	for (size_t i = 0; kind == ERR_NONE && i < n; i++) {
		struct err busy;

		owners[i]->link->is_stored = is_claimed[i];
		if (is_claimed[i])
			continue;
		owners[i]->link = NULL;
		(void)err_set(&busy, ERR_RETRY_LATER,
			      "the sync is linking this person or record at this moment");
		work_postpone(b, owners[i], &busy);
	}
	return kind;
}

/* Existing records are linked as they are; their fields are merged by the next cycle. */
static void batch_link(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		struct work *w = &b->works[i];
		bool is_stamped;

		if (w->is_done || !w->found)
			continue;
		is_stamped = !w->is_made && guid_equal(&w->person->record_id, &w->found->record_id);
		w->link->state = LINK_LIVE;
		w->link->is_stamp_due = true;
		ledger_link(&b->ledger, w->link);
		ledger_dirty_record(&b->ledger, w->link->table, &w->link->record_id);
		/* Whatever was reported about finding or making the record is over. */
		ledger_resolved(&b->ledger, w->link, SIDE_DYNAMICS, PARKED_WHOLE_RECORD);
		if (!is_stamped)
			ledger_tell(&b->ledger, w->link, w->is_made ? LINE_CREATED : LINE_LINKED);
		b->s.report->linked += !w->is_made;
		b->s.report->created[w->link->table] += w->is_made;
		work_finish(b, w,
			    w->is_made   ? OUTCOME_CREATED
			    : is_stamped ? OUTCOME_EXISTS
					 : OUTCOME_LINKED,
			    NULL);
	}
}

/* Says which fields were left out of a record that was created without them. */
static const char *work_left_out(const struct batch *b, const struct pair *p)
{
	struct buf text = { .max = 1000 };
	const char *copy;

	for (size_t i = 0; i < p->plan.refusal_count; i++) {
		const struct refusal *r = &p->plan.refusal[i];

		if (r->index != PARKED_WHOLE_RECORD)
			buf_fmt(&text, "%s%s (%s)", text.len ? "; " : "left out: ",
				b->s.mapping->fields[r->index].field->name, r->err.text);
	}
	copy = text.len ? arena_text(b->s.arena, buf_str(&text)) : NULL;
	buf_release(&text);
	return copy;
}

/* why: what kept the write from being done, when something did. */
static void work_created(struct batch *b, struct work *w, struct pair *p, const struct err *why)
{
	struct err later;

	if (p->was_created[SIDE_DYNAMICS]) {
		p->link->is_stamp_due = true;
		ledger_resolved(&b->ledger, p->link, SIDE_DYNAMICS, PARKED_WHOLE_RECORD);
		ledger_tell(&b->ledger, p->link, LINE_CREATED);
		work_finish(b, w, OUTCOME_CREATED, work_left_out(b, p));
	} else if (p->is_over) {
		const struct refusal *last =
			p->plan.refusal_count ? &p->plan.refusal[p->plan.refusal_count - 1] : NULL;

		ledger_forget(&b->ledger, p->link);
		work_finish(b, w, OUTCOME_REJECTED,
			    last ? last->err.text : "Dynamics refused the record");
	} else if (why) {
		work_postpone(b, w, why);
	} else {
		(void)err_set(&later, ERR_RETRY_LATER, "Dynamics did not answer in time");
		work_postpone(b, w, &later);
	}
}

static void batch_create(struct batch *b)
{
	struct pair *pairs = arena_array(b->s.arena, b->count, sizeof(*pairs));
	struct work **owners = arena_array(b->s.arena, b->count, sizeof(struct work *));
	struct err err;
	enum err_kind kind;
	size_t n = 0;

	for (size_t i = 0; i < b->count; i++) {
		struct work *w = &b->works[i];

		if (w->is_done)
			continue;
		owners[n] = w;
		pairs[n++] = (struct pair){ .link = w->link,
					    .seen = { w->person, NULL },
					    .is_create = true,
					    .owner = w->has_owner ? &w->owner : NULL };
	}
	if (!n)
		return;
	kind = pairs_run(&b->s, pairs, n, &err);
	if (kind != ERR_NONE)
		log_warn("create_interrupted", LOG_ERR(&err));
	for (size_t i = 0; i < n; i++)
		work_created(b, owners[i], &pairs[i], kind != ERR_NONE ? &err : NULL);
}

static enum err_kind batch_steps(struct batch *b, struct err *err)
{
	enum err_kind kind = batch_read_persons(b, err);

	if (kind == ERR_NONE)
		kind = candidates_find(b, err);
	if (kind != ERR_NONE)
		return kind;
	batch_find_owners(b);
	kind = batch_claim(b, err);
	if (kind != ERR_NONE)
		return kind;
	batch_link(b);
	batch_create(b);
	return ERR_NONE;
}

static void batch_note_requests(struct batch *b)
{
	static const enum metric metrics[OUTCOME_COUNT] = {
		[OUTCOME_CREATED] = METRIC_REQUESTS_CREATED,
		[OUTCOME_LINKED] = METRIC_REQUESTS_LINKED,
		[OUTCOME_EXISTS] = METRIC_REQUESTS_EXISTS,
		[OUTCOME_QUEUED] = METRIC_REQUESTS_QUEUED,
		[OUTCOME_AMBIGUOUS] = METRIC_REQUESTS_AMBIGUOUS,
		[OUTCOME_REJECTED] = METRIC_REQUESTS_REJECTED,
		[OUTCOME_FAILED] = METRIC_REQUESTS_FAILED,
	};

	for (size_t i = 0; i < b->count; i++) {
		struct request *r = b->works[i].request;

		r->attempts++;
		r->finished_ms = outcome_is_final(r->outcome) ? clock_wall_ms() : 0;
		ledger_request(&b->ledger, r);
		metric_add(metrics[r->outcome], 1);
	}
}

/* The outcomes could not be committed: what was done is found again by its claims, so everybody is
 * told `queued`. */
static void batch_uncommitted(struct batch *b, const struct err *err)
{
	log_error("requests_not_committed", LOG_NUMBER("requests", b->count), LOG_ERR(err));
	for (size_t i = 0; i < b->count; i++) {
		if (b->works[i].request->outcome != OUTCOME_EXISTS && !*b->works[i].is_gone)
			work_postpone(b, &b->works[i], err);
	}
}

/* A batch campaign can wait; linked persons have been told `exists` by now. */
static void batch_leave_to_cycle(struct batch *b)
{
	struct err later;

	(void)err_set(&later, ERR_RETRY_LATER, "a batch campaign: done by the next cycle");
	for (size_t i = 0; i < b->count; i++) {
		if (!b->works[i].is_done && !b->works[i].request->is_trigger)
			work_postpone(b, &b->works[i], &later);
	}
}

void requests_run(struct engine *e, const struct call *call, bool is_cycle,
		  struct request *requests, size_t count, bool *is_gone, struct arena *arena,
		  struct cycle_report *report)
{
	struct shared_mapping *shared = fields_take(e);
	struct batch b = { .ledger = { .arena = arena }, .count = count };
	struct err err;
	enum err_kind kind;

	b.s = (struct step){ .engine = e,
			     .call = call,
			     .mapping = shared ? shared->mapping : NULL,
			     .arena = arena,
			     .ledger = &b.ledger,
			     .report = report };
	b.works = arena_array(arena, count, sizeof(*b.works));
	for (size_t i = 0; i < count; i++)
		b.works[i] = (struct work){ .request = &requests[i], .is_gone = &is_gone[i] };
	kind = batch_find_links(&b, &err);
	if (kind == ERR_NONE && !is_cycle)
		batch_leave_to_cycle(&b);
	if (kind == ERR_NONE && (!shared || !state_is_open(e)))
		kind = err_set(&err, ERR_STOPPED,
			       "the sync is paused or halted; the request is kept");
	if (kind == ERR_NONE)
		kind = batch_steps(&b, &err);
	if (kind != ERR_NONE)
		batch_postpone(&b, &err);
	batch_note_requests(&b);
	if (ledger_commit(&b.ledger, e, false, &err) != ERR_NONE)
		batch_uncommitted(&b, &err);
	fields_drop(e, shared);
}
