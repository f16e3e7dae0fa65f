/* Commits of the state store in memory: all of a unit or nothing, in the order of the real one
 * (service/store/unit.c), under the same constraints. */
#include <stdlib.h>

#include "tests/sim/check.h"
#include "tests/sim/twin_store.h"

/* Rows gathered in the history's memory. */
#define STORE_ADD(s, t, rows, count, cap, ...)                                                     \
	do {                                                                                       \
		(t)->rows = arena_more(&(s)->memory, (t)->rows, (t)->count, &(t)->cap,             \
				       sizeof((t)->rows[0]));                                      \
		(t)->rows[(t)->count++] = __VA_ARGS__;                                             \
	} while (0)

struct stored_link stored_copy(struct sim *s, const struct link *l, int64_t state_at_ms)
{
	struct stored_link row = { .link = *l,
				   .is_stamp_due = l->is_stamp_due,
				   .state_at_ms = state_at_ms };

	for (int side = 0; side < SIDE_COUNT; side++) {
		row.link.fingerprint[side] =
			arena_array(&s->memory, l->slot_count, sizeof(uint64_t));
		if (l->slot_count)
			memcpy(row.link.fingerprint[side], l->fingerprint[side],
			       l->slot_count * sizeof(uint64_t));
	}
	row.link.events = arena_array(&s->memory, l->event_count, sizeof(*l->events));
	if (l->event_count)
		memcpy(row.link.events, l->events, l->event_count * sizeof(*l->events));
	row.link.parked = NULL;
	row.link.parked_count = 0;
	return row;
}

/* ---- links ---- */

static void commit_unpark(struct twin_store *t, enum table table, const struct guid *id, int target,
			  int slot)
{
	for (size_t i = 0; i < t->parked_count; i++) {
		const struct stored_parked *p = &t->parked[i];

		if (p->table == table && guid_equal(&p->record_id, id) &&
		    (target < 0 || ((int)p->parked.target == target && p->parked.slot == slot)))
			t->parked[i--] = t->parked[--t->parked_count];
	}
}

static void commit_forget(struct twin_store *t, const struct unit *u)
{
	for (size_t i = 0; i < u->forget_count; i++) {
		const struct link *l = u->forget[i];
		struct stored_link *row = stored_link(t, l->table, &l->record_id);

		if (!row || row->link.state != l->state)
			continue; /* somebody else has made something of it */
		commit_unpark(t, l->table, &l->record_id, -1, 0);
		*row = t->links[--t->link_count];
	}
}

static void commit_link(struct sim *s, const struct link *l)
{
	struct twin_store *t = s->store;
	struct stored_link *row = stored_link(t, l->table, &l->record_id);
	bool is_same = row && row->link.state == l->state && l->state != LINK_CLAIMED;

	if (!row)
		STORE_ADD(s, t, links, link_count, link_cap, stored_copy(s, l, s->now_ms));
	else
		*row = stored_copy(s, l, is_same ? row->state_at_ms : s->now_ms);
}

static bool commit_is_last(const struct unit *u, size_t at)
{
	for (size_t i = at + 1; i < u->link_count; i++) {
		if (u->links[i]->table == u->links[at]->table &&
		    guid_equal(&u->links[i]->record_id, &u->links[at]->record_id))
			return false;
	}
	return true;
}

/* Tombstones first; of several links for one record the last one counts. The real store's unique
 * index looks at every row as it is written. */
static bool commit_links(struct sim *s, const struct unit *u)
{
	for (int turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i < u->link_count; i++) {
			const struct link *l = u->links[i];
			bool is_tombstone = l->state == LINK_DELETED_IN_DYNAMICS ||
					    l->state == LINK_DELETED_IN_MARKETO;
			const struct stored_link *other;

			if (is_tombstone != (turn == 0) || !commit_is_last(u, i))
				continue;
			other = link_holds_person(l) ? stored_link_of(s->store, l->person_id)
						     : NULL;
			if (other && (other->link.table != l->table ||
				      !guid_equal(&other->link.record_id, &l->record_id)))
				return false;
			commit_link(s, l);
		}
	}
	return true;
}

static void commit_stamped(struct twin_store *t, const struct unit *u)
{
	for (size_t i = 0; i < u->stamped_count; i++) {
		const struct link *l = u->stamped[i];
		struct stored_link *row = stored_link(t, l->table, &l->record_id);

		struct stored_link *other = stored_link_of(t, l->person_id);

		if (row && row->link.person_id == l->person_id && row->link.state == l->state)
			row->is_stamp_due = false;
		/* The person belongs to another record by now: that one's stamp is due again. */
		if (other && other != row && link_is_bound(&other->link))
			other->is_stamp_due = true;
	}
}

/* ---- errors and parking ---- */

static void commit_resolve_error(struct twin_store *t, const struct resolved_row *r,
				 int64_t person_id)
{
	for (size_t i = 0; i < t->error_count; i++) {
		struct stored_error *e = &t->errors[i];
		bool is_of_person = guid_is_zero(&e->record_id) && person_id &&
				    e->person_id == person_id;
		bool is_of_record = !guid_is_zero(&r->record_id) && e->table == r->table &&
				    guid_equal(&e->record_id, &r->record_id);

		if (e->target == r->target && e->slot == r->slot && (is_of_person || is_of_record))
			e->is_resolved = true;
	}
}

static void commit_resolved(struct twin_store *t, const struct unit *u)
{
	for (size_t i = 0; i < u->resolved_count; i++) {
		const struct resolved_row *r = &u->resolved[i];
		const struct stored_link *row = stored_link(t, r->table, &r->record_id);

		commit_unpark(t, r->table, &r->record_id, (int)r->target, r->slot);
		commit_resolve_error(t, r, row ? row->link.person_id : 0);
	}
}

struct stored_error *stored_open_error(struct twin_store *t, const struct error_row *e)
{
	for (size_t i = 0; i < t->error_count; i++) {
		struct stored_error *row = &t->errors[i];
		bool is_subject = !guid_is_zero(&e->record_id) || row->person_id == e->person_id;

		if (!row->is_resolved && row->table == e->table && row->target == e->target &&
		    row->slot == e->slot && guid_equal(&row->record_id, &e->record_id) &&
		    is_subject)
			return row;
	}
	return NULL;
}

static void commit_park(struct sim *s, const struct error_row *e)
{
	commit_unpark(s->store, e->table, &e->record_id, (int)e->target, e->slot);
	STORE_ADD(s, s->store, parked, parked_count, parked_cap,
		  (struct stored_parked){
			  e->table, e->record_id, { e->slot, e->target, e->fingerprint } });
}

static void commit_errors(struct sim *s, const struct unit *u)
{
	struct twin_store *t = s->store;

	for (size_t i = 0; i < u->error_count; i++) {
		const struct error_row *e = &u->errors[i];
		struct stored_error *row = stored_open_error(t, e);

		s->has_frozen |= !strcmp(e->code, "BOUNCES");
		if (e->fingerprint && !guid_is_zero(&e->record_id))
			commit_park(s, e);
		if (row) {
			row->person_id = e->person_id ? e->person_id : row->person_id;
			row->field = word(e->field);
			row->code = word(e->code);
			row->step = s->step;
			continue;
		}
		s->errors++;
		sim_tell(s, "Tandem reports: %.*s", (int)e->message.n, e->message.p);
		STORE_ADD(s, t, errors, error_count, error_cap,
			  (struct stored_error){ .id = ++t->numbers,
						 .table = e->table,
						 .record_id = e->record_id,
						 .person_id = e->person_id,
						 .target = e->target,
						 .slot = e->slot,
						 .field = word(e->field),
						 .code = word(e->code),
						 .step = s->step });
	}
}

static const char *commit_word(struct sim *s, struct str text)
{
	return word(arena_text(&s->memory, text));
}

static void commit_collisions(struct sim *s, const struct unit *u)
{
	for (size_t i = 0; i < u->collision_count; i++) {
		const struct collision_row *c = &u->collisions[i];
		struct stored_collision row = { .table = c->table,
						.record_id = c->record_id,
						.person_id = c->person_id,
						.field = word(c->field),
						.rule = word(c->rule),
						.winner = c->winner,
						.step = s->step };

		for (int side = 0; side < SIDE_COUNT; side++)
			row.value[side] = commit_word(s, c->value[side]);
		STORE_ADD(s, s->store, collisions, collision_count, collision_cap, row);
		s->collisions++;
		sim_tell(s,
			 "Tandem keeps a collision in %s of person %lld: Marketo '%s', "
			 "Dynamics '%s', %s",
			 c->field, (long long)c->person_id, row.value[0] ? row.value[0] : "",
			 row.value[1] ? row.value[1] : "", c->rule);
	}
}

/* ---- overwrites, marks ---- */

static struct overwrite_row *commit_overwrite(struct twin_store *t, const struct overwrite_row *o)
{
	for (size_t i = 0; i < t->overwrite_count; i++) {
		if (t->overwrites[i].person_id == o->person_id &&
		    t->overwrites[i].slot == o->slot && t->overwrites[i].written == o->written)
			return &t->overwrites[i];
	}
	return NULL;
}

static void commit_overwrites(struct sim *s, const struct unit *u)
{
	struct twin_store *t = s->store;

	for (size_t i = 0; i < u->checked_count; i++) {
		struct overwrite_row *row = commit_overwrite(t, &u->checked[i]);

		if (row)
			*row = t->overwrites[--t->overwrite_count];
	}
	for (size_t i = 0; i < u->overwrite_count; i++) {
		struct overwrite_row *row = commit_overwrite(t, &u->overwrites[i]);

		if (row)
			*row = u->overwrites[i];
		else
			STORE_ADD(s, t, overwrites, overwrite_count, overwrite_cap,
				  u->overwrites[i]);
	}
}

static bool commit_is_same(const struct dirty *a, const struct dirty *b)
{
	if (a->table != b->table)
		return false;
	return a->table == TABLE_PERSON ? a->person_id == b->person_id
					: guid_equal(&a->record_id, &b->record_id);
}

static void commit_mark(struct sim *s, const struct dirty *mark)
{
	struct twin_store *t = s->store;

	for (size_t i = 0; i < t->dirty_count; i++) {
		if (commit_is_same(&t->dirty[i], mark)) {
			t->dirty[i].seq = ++t->dirty_seq;
			return;
		}
	}
	STORE_ADD(s, t, dirty, dirty_count, dirty_cap, *mark);
	t->dirty[t->dirty_count - 1].seq = ++t->dirty_seq;
}

/* The links of what a full scan did not show, of those that were there when it began, are looked
 * at. */
static void commit_scan(struct sim *s, const struct scan_part *part)
{
	struct twin_store *t = s->store;
	struct stored_scan *scan;

	if (!part)
		return;
	scan = &t->scans[part->table];
	if (part->is_begin) {
		*scan = (struct stored_scan){ .is_open = false };
		for (size_t i = 0; i < t->link_count; i++)
			scan->is_open |= t->links[i].link.table == part->table &&
					 link_is_bound(&t->links[i].link);
	}
	for (size_t i = 0; scan->is_open && i < part->shown_count; i++)
		STORE_ADD(s, scan, shown, count, cap, part->shown[i]);
	if (!part->is_end)
		return;
	for (size_t i = 0; scan->is_open && i < t->link_count; i++) {
		const struct link *l = &t->links[i].link;
		bool is_shown = false;

		for (size_t k = 0; k < scan->count; k++)
			is_shown |= guid_equal(&scan->shown[k], &l->record_id);
		if (l->table == part->table && link_is_bound(l) && !is_shown)
			commit_mark(s, &(struct dirty){ .table = l->table,
							.record_id = l->record_id });
	}
	*scan = (struct stored_scan){ .is_open = false };
}

static void commit_marks(struct sim *s, const struct unit *u)
{
	struct twin_store *t = s->store;

	for (size_t i = 0; i < u->clean_count; i++) {
		for (size_t k = 0; k < t->dirty_count; k++) {
			if (commit_is_same(&t->dirty[k], &u->clean[i]) &&
			    t->dirty[k].seq == u->clean[i].seq)
				t->dirty[k--] = t->dirty[--t->dirty_count];
		}
	}
	for (size_t i = 0; i < u->dirty_count; i++)
		commit_mark(s, &u->dirty[i]);
}

/* ---- the rest ---- */

static void commit_requests(struct sim *s, const struct unit *u)
{
	struct twin_store *t = s->store;

	for (size_t i = 0; i < u->request_count; i++) {
		const struct request *r = &u->requests[i];

		for (size_t k = 0; k < t->request_count; k++) {
			struct stored_request *row = &t->requests[k];

			if (!row->is_open || !guid_equal(&row->request.id, &r->id))
				continue;
			row->request.outcome = r->outcome;
			row->request.entity = r->entity;
			row->request.record_id = r->record_id;
			row->request.attempts = r->attempts;
			row->request.finished_ms = r->finished_ms;
			row->is_open = r->finished_ms == 0;
		}
	}
}

static void commit_cursors(struct sim *s, const struct unit *u)
{
	for (size_t i = 0; i < u->cursor_count; i++) {
		for (int t = 0; t < TABLE_COUNT; t++) {
			const char *was = s->store->cursors[t];

			if (strcmp(u->cursors[i].name, table_name((enum table)t)) != 0)
				continue;
			s->store->cursors[t] = arena_text(&s->memory, u->cursors[i].text);
			check_cursor(s, (enum table)t, was, s->store->cursors[t]);
		}
	}
}

/* What may have to be undone. */
struct commit_saved {
	struct stored_link *links;
	size_t link_count;
	struct stored_parked *parked;
	size_t parked_count;
};

static void commit_save(struct sim *s, struct commit_saved *ret)
{
	const struct twin_store *t = s->store;

	*ret = (struct commit_saved){ .link_count = t->link_count,
				      .parked_count = t->parked_count };
	ret->links = arena_array(&s->memory, t->link_count, sizeof(*ret->links));
	ret->parked = arena_array(&s->memory, t->parked_count, sizeof(*ret->parked));
	if (t->link_count)
		memcpy(ret->links, t->links, t->link_count * sizeof(*ret->links));
	if (t->parked_count)
		memcpy(ret->parked, t->parked, t->parked_count * sizeof(*ret->parked));
}

static void commit_undo(struct twin_store *t, const struct commit_saved *saved)
{
	if (saved->link_count)
		memcpy(t->links, saved->links, saved->link_count * sizeof(*saved->links));
	if (saved->parked_count)
		memcpy(t->parked, saved->parked, saved->parked_count * sizeof(*saved->parked));
	t->link_count = saved->link_count;
	t->parked_count = saved->parked_count;
}

enum err_kind twin_commit(void *self, const struct unit *u, struct err *err)
{
	struct port *p = self;
	struct sim *s = p->sim;
	struct commit_saved saved = { .link_count = 0 };
	enum err_kind kind = sim_call(p, CALL_COMMIT, err);

	if (kind != ERR_NONE)
		return kind;
	if (u->is_fenced && (!p->fence || p->fence != s->store->fence))
		return err_set(err, ERR_NOT_LEADER, "another service runs the cycle now");
	/* What a cycle finds out counts only while its service leads; Activity Logs alone do not
	 * ask. */
	if (s->is_in_cycle && !s->is_in_requests && !s->nested && !u->is_fenced &&
	    !u->outbox_step_count && p->fence != s->store->fence)
		sim_broken(s, "INV-CURSOR-BEHIND", "a service that does not lead commits");
	s->step++;
	if (u->link_count || u->forget_count)
		commit_save(s, &saved);
	commit_forget(s->store, u);
	if (!commit_links(s, u)) {
		/* Two were at it at once; the index keeps the second out, who tries again. */
		commit_undo(s->store, &saved);
		sim_tell(s, "a commit is refused: it would give a person a second link");
		return err_set(err, ERR_STORE, "a second link for one person");
	}
	commit_stamped(s->store, u);
	commit_resolved(s->store, u);
	twin_outbox_commit(s, u);
	commit_errors(s, u);
	commit_collisions(s, u);
	commit_overwrites(s, u);
	commit_scan(s, u->scan);
	commit_marks(s, u);
	commit_requests(s, u);
	commit_cursors(s, u);
	for (size_t i = 0; i < u->link_count; i++)
		u->links[i]->is_stored = true;
	check_step(s);
	return s->crash_in >= 0 && !p->service ? sim_crash(p, err) : ERR_NONE;
}

bool twin_retry(struct sim *s, struct stored_error *e)
{
	struct twin_store *t = s->store;
	const struct stored_link *row = NULL;

	if (e->is_resolved)
		return false;
	if (!guid_is_zero(&e->record_id))
		row = stored_link(t, e->table, &e->record_id);
	else
		row = stored_link_of(t, e->person_id);
	for (size_t i = 0; i < t->parked_count; i++) {
		struct stored_parked *p = &t->parked[i];

		if (p->table == e->table && guid_equal(&p->record_id, &e->record_id) &&
		    p->parked.target == e->target && p->parked.slot == e->slot)
			p->parked.fingerprint = 0;
	}
	if (e->person_id)
		commit_mark(s, &(struct dirty){ .person_id = e->person_id });
	if (!guid_is_zero(&e->record_id) && e->table != TABLE_PERSON)
		commit_mark(s, &(struct dirty){ .table = e->table, .record_id = e->record_id });
	if (row) {
		if (row->link.person_id)
			commit_mark(s, &(struct dirty){ .person_id = row->link.person_id });
		commit_mark(s, &(struct dirty){ .table = row->link.table,
						.record_id = row->link.record_id });
	}
	return true;
}
