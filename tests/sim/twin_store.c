/* The state store in memory: what is asked of it. What is written stands in twin_commit.c. Keeps
 * the rules of the real one's tables (migrations/): one link a record, one bound or claimed link a
 * person, one open request a person. Must not know the two remotes. */
#include "tests/sim/twin_store.h"

#include <stdio.h>
#include <stdlib.h>

struct twin_store *twin_store_new(struct sim *s)
{
	return arena_alloc(&s->memory, sizeof(struct twin_store));
}

/* ---- rows ---- */

bool link_holds_person(const struct link *l)
{
	return l->person_id && (link_is_bound(l) || l->state == LINK_CLAIMED);
}

struct stored_link *stored_link(struct twin_store *t, enum table table, const struct guid *id)
{
	for (size_t i = 0; i < t->link_count; i++) {
		struct link *l = &t->links[i].link;

		if (l->table == table && guid_equal(&l->record_id, id))
			return &t->links[i];
	}
	return NULL;
}

struct stored_link *stored_link_of(struct twin_store *t, int64_t person_id)
{
	for (size_t i = 0; i < t->link_count; i++) {
		if (t->links[i].link.person_id == person_id && link_holds_person(&t->links[i].link))
			return &t->links[i];
	}
	return NULL;
}

bool stored_is_dirty(const struct twin_store *t, enum table table, int64_t person_id,
		     const struct guid *record_id)
{
	for (size_t i = 0; i < t->dirty_count; i++) {
		const struct dirty *d = &t->dirty[i];

		if (d->table != table)
			continue;
		if (table == TABLE_PERSON ? d->person_id == person_id
					  : guid_equal(&d->record_id, record_id))
			return true;
	}
	return false;
}

bool stored_is_parked(const struct twin_store *t, const struct link *l, uint16_t slot)
{
	for (size_t i = 0; i < t->parked_count; i++) {
		const struct stored_parked *p = &t->parked[i];

		if (p->table == l->table && guid_equal(&p->record_id, &l->record_id) &&
		    (p->parked.slot == slot || p->parked.slot == PARKED_WHOLE_RECORD))
			return true;
	}
	return false;
}

bool stored_has_error(const struct twin_store *t, const struct thing *thing)
{
	for (size_t i = 0; i < t->error_count; i++) {
		const struct stored_error *e = &t->errors[i];

		if (e->is_resolved)
			continue;
		if (thing->table == TABLE_PERSON
			    ? e->person_id == thing->person_id
			    : e->table == thing->table &&
				      guid_equal(&e->record_id, &thing->record_id))
			return true;
	}
	return false;
}

/* ---- links out ---- */

static struct link *store_loaded(const struct twin_store *t, const struct stored_link *row,
				 struct arena *a)
{
	struct link *l = arena_alloc(a, sizeof(*l));

	*l = row->link;
	l->is_stored = true;
	l->is_stamp_due = row->is_stamp_due;
	for (int s = 0; s < SIDE_COUNT; s++) {
		l->fingerprint[s] = arena_array(a, l->slot_count, sizeof(uint64_t));
		if (l->slot_count)
			memcpy(l->fingerprint[s], row->link.fingerprint[s],
			       l->slot_count * sizeof(uint64_t));
	}
	l->events = arena_array(a, l->event_count, sizeof(*l->events));
	if (l->event_count)
		memcpy(l->events, row->link.events, l->event_count * sizeof(*l->events));
	l->parked = arena_array(a, t->parked_count, sizeof(*l->parked));
	l->parked_count = 0;
	for (size_t i = 0; i < t->parked_count; i++) {
		const struct stored_parked *p = &t->parked[i];

		if (p->table == l->table && guid_equal(&p->record_id, &l->record_id))
			l->parked[l->parked_count++] = p->parked;
	}
	return l;
}

static enum err_kind store_links_by_record(void *self, enum table table, const struct guid *ids,
					   size_t count, struct arena *a, struct link **ret,
					   struct err *err)
{
	struct port *p = self;
	enum err_kind kind = sim_call(p, CALL_STORE, err);

	for (size_t i = 0; kind == ERR_NONE && i < count; i++) {
		const struct stored_link *row = stored_link(p->sim->store, table, &ids[i]);

		ret[i] = row ? store_loaded(p->sim->store, row, a) : NULL;
	}
	return kind;
}

/* The bound or claimed one, else the tombstone of the highest generation. */
static const struct stored_link *store_best(struct twin_store *t, int64_t person_id)
{
	const struct stored_link *best = stored_link_of(t, person_id);

	for (size_t i = 0; !best && i < t->link_count; i++) {
		const struct stored_link *row = &t->links[i];

		if (row->link.person_id != person_id || !person_id)
			continue;
		for (size_t k = i; k < t->link_count; k++) {
			const struct stored_link *other = &t->links[k];

			if (other->link.person_id == person_id &&
			    (other->link.generation > row->link.generation ||
			     (other->link.generation == row->link.generation &&
			      other->state_at_ms > row->state_at_ms)))
				row = other;
		}
		best = row;
	}
	return best;
}

static enum err_kind store_links_by_person(void *self, const int64_t *ids, size_t count,
					   struct arena *a, struct link **ret, struct err *err)
{
	struct port *p = self;
	enum err_kind kind = sim_call(p, CALL_STORE, err);

	for (size_t i = 0; kind == ERR_NONE && i < count; i++) {
		const struct stored_link *row = store_best(p->sim->store, ids[i]);

		ret[i] = row ? store_loaded(p->sim->store, row, a) : NULL;
	}
	return kind;
}

/* A tombstone may be taken over, and by the cycle, whose claims have their stamp due, a claim that
 * knows no person yet. */
static bool store_is_held(const struct link *l, const struct link *wanted)
{
	bool is_unfinished = l->state == LINK_CLAIMED && !l->person_id && wanted->is_stamp_due;

	return link_is_taken(l) && !is_unfinished;
}

static enum err_kind store_claim(void *self, const struct link *const *links, size_t count,
				 bool *ret, struct err *err)
{
	struct port *p = self;
	struct sim *s = p->sim;
	struct twin_store *t = s->store;
	enum err_kind kind = sim_call(p, CALL_COMMIT, err);

	if (kind != ERR_NONE)
		return kind;
	for (size_t i = 0; i < count; i++) {
		const struct link *l = links[i];
		struct stored_link *row = stored_link(t, l->table, &l->record_id);
		bool is_due = l->is_stamp_due || (row && row->is_stamp_due);

		ret[i] = !(row && store_is_held(&row->link, l)) &&
			 !(l->person_id && stored_link_of(t, l->person_id));
		if (ret[i] && row) { /* in the place of a tombstone, or of an unfinished claim */
			*row = stored_copy(s, l, s->now_ms);
			row->is_stamp_due = is_due;
		}
		if (!ret[i] || row)
			continue;
		t->links = arena_more(&s->memory, t->links, t->link_count, &t->link_cap,
				      sizeof(*t->links));
		t->links[t->link_count++] = stored_copy(s, l, s->now_ms);
	}
	return s->crash_in >= 0 && !p->service ? sim_crash(p, err) : ERR_NONE;
}

static int store_record_order(const void *left, const void *right)
{
	const struct link *const *a = left, *const *b = right;

	return guid_compare(&(*a)->record_id, &(*b)->record_id);
}

static enum err_kind store_links_due(void *self, size_t limit, struct arena *a, struct link ***ret,
				     size_t *ret_count, struct err *err)
{
	struct port *p = self;
	struct twin_store *t = p->sim->store;
	enum err_kind kind = sim_call(p, CALL_STORE, err);

	if (kind != ERR_NONE)
		return kind;
	*ret = arena_array(a, t->link_count + 1, sizeof(struct link *));
	*ret_count = 0;
	for (size_t i = 0; i < t->link_count; i++) {
		if (t->links[i].is_stamp_due)
			(*ret)[(*ret_count)++] = store_loaded(t, &t->links[i], a);
	}
	if (*ret_count)
		qsort(*ret, *ret_count, sizeof(struct link *), store_record_order);
	if (*ret_count > limit)
		*ret_count = limit;
	return ERR_NONE;
}

static enum err_kind store_claims_stale(void *self, int64_t older_than_ms, size_t limit,
					struct arena *a, struct link ***ret, size_t *ret_count,
					struct err *err)
{
	struct port *p = self;
	struct twin_store *t = p->sim->store;
	enum err_kind kind = sim_call(p, CALL_STORE, err);

	if (kind != ERR_NONE)
		return kind;
	*ret = arena_array(a, t->link_count + 1, sizeof(struct link *));
	*ret_count = 0;
	for (size_t i = 0; i < t->link_count && *ret_count < limit; i++) {
		if (t->links[i].link.state == LINK_CLAIMED &&
		    t->links[i].state_at_ms < p->sim->now_ms - older_than_ms)
			(*ret)[(*ret_count)++] = store_loaded(t, &t->links[i], a);
	}
	return ERR_NONE;
}

/* ---- marks ---- */

static int store_dirty_order(const void *left, const void *right)
{
	const struct dirty *a = left, *b = right;

	return (a->seq > b->seq) - (a->seq < b->seq);
}

static enum err_kind store_dirty(void *self, enum side side, int64_t after, int64_t up_to,
				 size_t limit, struct arena *a, struct dirty **ret,
				 size_t *ret_count, struct err *err)
{
	struct port *p = self;
	struct twin_store *t = p->sim->store;
	enum err_kind kind = sim_call(p, CALL_STORE, err);

	if (kind != ERR_NONE)
		return kind;
	*ret = arena_array(a, t->dirty_count + 1, sizeof(**ret));
	*ret_count = 0;
	for (size_t i = 0; i < t->dirty_count; i++) {
		const struct dirty *d = &t->dirty[i];

		if (table_side(d->table) == side && d->seq > after && d->seq <= up_to)
			(*ret)[(*ret_count)++] = *d;
	}
	if (*ret_count)
		qsort(*ret, *ret_count, sizeof(**ret), store_dirty_order);
	if (*ret_count > limit)
		*ret_count = limit;
	return ERR_NONE;
}

static enum err_kind store_dirty_high(void *self, int64_t *ret, struct err *err)
{
	struct port *p = self;
	enum err_kind kind = sim_call(p, CALL_STORE, err);

	*ret = 0;
	for (size_t i = 0; kind == ERR_NONE && i < p->sim->store->dirty_count; i++) {
		if (p->sim->store->dirty[i].seq > *ret)
			*ret = p->sim->store->dirty[i].seq;
	}
	return kind;
}

static enum err_kind store_dirty_among(void *self, const int64_t *person_ids, size_t count,
				       int64_t *ret, struct err *err)
{
	struct port *p = self;
	const struct twin_store *t = p->sim->store;
	enum err_kind kind = sim_call(p, CALL_STORE, err);

	for (size_t i = 0; kind == ERR_NONE && i < count; i++) {
		ret[i] = 0;
		for (size_t k = 0; k < t->dirty_count; k++) {
			if (t->dirty[k].table == TABLE_PERSON &&
			    t->dirty[k].person_id == person_ids[i])
				ret[i] = t->dirty[k].seq;
		}
	}
	return kind;
}

static enum err_kind store_overwrites(void *self, const int64_t *person_ids, size_t count,
				      struct arena *a, struct overwrite_row **ret,
				      size_t *ret_count, struct err *err)
{
	struct port *p = self;
	const struct twin_store *t = p->sim->store;
	enum err_kind kind = sim_call(p, CALL_STORE, err);

	*ret_count = 0;
	if (kind != ERR_NONE)
		return kind;
	*ret = arena_array(a, t->overwrite_count * (count + 1) + 1, sizeof(**ret));
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < t->overwrite_count; k++) {
			if (t->overwrites[k].person_id == person_ids[i])
				(*ret)[(*ret_count)++] = t->overwrites[k];
		}
	}
	return ERR_NONE;
}

/* ---- requests ---- */

static struct stored_request *store_open_request(struct twin_store *t, int64_t person_id)
{
	for (size_t i = 0; i < t->request_count; i++) {
		if (t->requests[i].is_open && t->requests[i].request.person_id == person_id)
			return &t->requests[i];
	}
	return NULL;
}

static void store_request_answer(const struct stored_request *row, struct request *ret)
{
	ret->id = row->request.id;
	ret->sync_as = row->request.sync_as;
	ret->is_trigger = row->request.is_trigger;
	ret->outcome = row->request.outcome;
	ret->entity = row->request.entity;
	ret->record_id = row->request.record_id;
	ret->attempts = row->request.attempts;
	ret->created_ms = row->request.created_ms;
	ret->finished_ms = 0;
}

static enum err_kind store_request_add(void *self, struct request *requests, size_t count,
				       struct err *err)
{
	struct port *p = self;
	struct sim *s = p->sim;
	struct twin_store *t = s->store;
	enum err_kind kind = sim_call(p, CALL_COMMIT, err);

	for (size_t i = 0; kind == ERR_NONE && i < count; i++) {
		struct stored_request *row = store_open_request(t, requests[i].person_id);

		if (!row) {
			t->requests = arena_more(&s->memory, t->requests, t->request_count,
						 &t->request_cap, sizeof(*t->requests));
			row = &t->requests[t->request_count++];
			*row = (struct stored_request){ .request = requests[i],
							.number = ++t->numbers,
							.is_open = true };
			row->request.owner = arena_str(&s->memory, requests[i].owner);
			row->request.reason = (struct str){ NULL, 0 };
		}
		row->request.is_trigger |= requests[i].is_trigger;
		store_request_answer(row, &requests[i]);
	}
	return kind == ERR_NONE && s->crash_in >= 0 && !p->service ? sim_crash(p, err) : kind;
}

static int store_request_order(const void *left, const void *right)
{
	const struct stored_request *const *a = left, *const *b = right;

	if ((*a)->request.attempts != (*b)->request.attempts)
		return (*a)->request.attempts < (*b)->request.attempts ? -1 : 1;
	return ((*a)->number > (*b)->number) - ((*a)->number < (*b)->number);
}

static enum err_kind store_requests_open(void *self, size_t limit, struct arena *a,
					 struct request **ret, size_t *ret_count, struct err *err)
{
	struct port *p = self;
	struct twin_store *t = p->sim->store;
	struct stored_request **open =
		arena_array(a, t->request_count + 1, sizeof(struct stored_request *));
	enum err_kind kind = sim_call(p, CALL_STORE, err);
	size_t n = 0;

	for (size_t i = 0; i < t->request_count; i++) {
		if (t->requests[i].is_open)
			open[n++] = &t->requests[i];
	}
	if (kind != ERR_NONE)
		return kind;
	if (n)
		qsort(open, n, sizeof(struct stored_request *), store_request_order);
	*ret_count = n < limit ? n : limit;
	*ret = arena_array(a, *ret_count + 1, sizeof(**ret));
	for (size_t i = 0; i < *ret_count; i++)
		(*ret)[i] = open[i]->request;
	return ERR_NONE;
}

static enum err_kind store_requests_among(void *self, const int64_t *person_ids, size_t count,
					  bool *ret, struct err *err)
{
	struct port *p = self;
	enum err_kind kind = sim_call(p, CALL_STORE, err);

	for (size_t i = 0; kind == ERR_NONE && i < count; i++)
		ret[i] = store_open_request(p->sim->store, person_ids[i]) != NULL;
	return kind;
}

/* ---- single values ---- */

static enum err_kind store_identity(void *self, struct store_identity *ret, struct err *err)
{
	struct port *p = self;
	enum err_kind kind = sim_call(p, CALL_STORE, err);

	*ret = (struct store_identity){ .key = { { 42 } } };
	for (int side = 0; side < SIDE_COUNT; side++)
		ret->organisation[side] = p->sim->store->organisation[side];
	return kind;
}

static enum err_kind store_set_organisation(void *self, enum side side, const struct guid *id,
					    struct err *err)
{
	struct port *p = self;
	enum err_kind kind = sim_call(p, CALL_STORE, err);

	if (kind == ERR_NONE)
		p->sim->store->organisation[side] = *id;
	return kind;
}

/* Whoever asks leads: the other's connection has just gone. */
static enum err_kind store_lead(void *self, bool *ret_leading, struct err *err)
{
	struct port *p = self;
	enum err_kind kind = sim_call(p, CALL_STORE, err);

	if (kind != ERR_NONE)
		return kind;
	if (!p->fence || p->fence != p->sim->store->fence)
		p->fence = ++p->sim->store->fence;
	*ret_leading = true;
	return ERR_NONE;
}

static void store_resign(void *self)
{
	((struct port *)self)->fence = 0;
}

static enum err_kind store_slots(void *self, const struct field *fields, size_t count,
				 uint16_t *ret, struct err *err)
{
	enum err_kind kind = sim_call(self, CALL_STORE, err);

	for (size_t i = 0; kind == ERR_NONE && i < count; i++) {
		for (int f = 0; f < FIELD_COUNT; f++) {
			if (!strcmp(fields[i].name, word_fields[f].name))
				ret[i] = (uint16_t)(FIELD_COUNT - f); /* not the index */
		}
	}
	return kind;
}

static enum err_kind store_cursor(void *self, const char *name, struct arena *a, struct str *ret,
				  struct err *err)
{
	struct port *p = self;
	enum err_kind kind = sim_call(p, CALL_STORE, err);

	*ret = (struct str){ NULL, 0 };
	for (int t = 0; kind == ERR_NONE && t < TABLE_COUNT; t++) {
		if (!strcmp(name, table_name((enum table)t)) && p->sim->store->cursors[t])
			*ret = arena_str(a, str_of(p->sim->store->cursors[t]));
	}
	return kind;
}

static enum err_kind store_next_cycle_number(void *self, int64_t *ret, struct err *err)
{
	struct port *p = self;
	enum err_kind kind = sim_call(p, CALL_STORE, err);

	*ret = ++p->sim->store->cycle_number;
	return kind;
}

static enum err_kind store_is_paused(void *self, bool *ret, struct err *err)
{
	struct port *p = self;
	enum err_kind kind = sim_call(p, CALL_STORE, err);

	*ret = p->sim->store->is_paused;
	return kind;
}

static enum err_kind store_status(void *self, struct store_status *ret, struct err *err)
{
	struct port *p = self;
	const struct twin_store *t = p->sim->store;
	enum err_kind kind = sim_call(p, CALL_STORE, err);

	*ret = (struct store_status){ .is_paused = t->is_paused };
	for (size_t i = 0; i < t->link_count; i++)
		ret->links[t->links[i].link.table] += t->links[i].link.state == LINK_LIVE;
	return kind;
}

static enum err_kind store_clean_up(void *self, int64_t retention_days, struct err *err)
{
	(void)retention_days; /* no history is that long */
	return sim_call(self, CALL_STORE, err);
}

static void store_free(void *self)
{
	(void)self; /* the store outlives its services */
}

const struct store_ops twin_store_ops = {
	.identity = store_identity,
	.set_organisation = store_set_organisation,
	.lead = store_lead,
	.resign = store_resign,
	.slots = store_slots,
	.cursor = store_cursor,
	.links_by_record = store_links_by_record,
	.links_by_person = store_links_by_person,
	.claim = store_claim,
	.links_due = store_links_due,
	.claims_stale = store_claims_stale,
	.dirty = store_dirty,
	.dirty_high = store_dirty_high,
	.dirty_among = store_dirty_among,
	.overwrites = store_overwrites,
	.commit = twin_commit,
	.request_add = store_request_add,
	.requests_open = store_requests_open,
	.requests_among = store_requests_among,
	.outbox = twin_outbox,
	.next_cycle_number = store_next_cycle_number,
	.is_paused = store_is_paused,
	.status = store_status,
	.clean_up = store_clean_up,
	.free = store_free,
};
