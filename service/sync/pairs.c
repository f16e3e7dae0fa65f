/* Decide, write, note. The order matters: losing values are committed before anything is overwritten
 * (INV-NOTHING-SILENT); fingerprints are committed after the writes they describe, so that a crash
 * in between repeats the writes, which is harmless, instead of forgetting them (INV-INTERRUPT). */
#include "sync/pairs.h"

#include "base/clock.h"
#include "base/metric.h"
#include "sync/blame.h"
#include "sync/overwrite.h"

enum {
	PAIRS_ROUNDS_MAX = 8
}; /* of writing one record: conflicts read again, refused fields left out one by one */

static struct decide_input pairs_input(const struct step *s, const struct pair *p)
{
	return (struct decide_input){
		.mapping = s->mapping,
		.key = &s->engine->identity.key,
		.link = p->link,
		.seen = { p->seen[SIDE_MARKETO], p->seen[SIDE_DYNAMICS] },
		.restore = p->restore,
		.restore_count = p->restore_count,
		.cycle = (uint32_t)s->report->number,
		.now_s = clock_wall_ms() / 1000,
	};
}

/* The sync filter keeps the record out. A link that is only being made is made all the same, and
 * paused when it is complete. */
static bool pairs_is_filtered(const struct step *s, const struct pair *p)
{
	const struct record *record = p->seen[SIDE_DYNAMICS];

	return record && filter_verdict(&s->mapping->filter_rule, record->filter) != FILTER_TRAVELS;
}

/* Nobody has told the version of the record, as after a create in bulk: the update could name none,
 * and would cover what somebody else has written since. */
static bool pairs_is_blind(const struct pair *p)
{
	return !p->is_create && !p->seen[SIDE_DYNAMICS] && !p->link->version &&
	       p->plan.write_count[SIDE_DYNAMICS];
}

static void pairs_decide(const struct step *s, struct pair *p)
{
	struct decide_input in = pairs_input(s, p);

	if (p->link->state == LINK_LIVE && pairs_is_filtered(s, p))
		in.seen[SIDE_MARKETO] = in.seen[SIDE_DYNAMICS] = NULL; /* nothing travels */
	if (p->is_create)
		decide_create(&in, s->arena, &p->plan);
	else
		decide(&in, s->arena, &p->plan);
	p->plan.must_read[SIDE_DYNAMICS] |= pairs_is_blind(p);
}

static void pairs_drop(const struct step *s, struct pair *p, enum side target, uint16_t index,
		       const struct err *why)
{
	struct decide_input in = pairs_input(s, p);

	decide_drop(&in, &p->plan, target, index, why, s->arena);
}

/* Takes the writes into a side out of the plan without a refusal: they are due again later. */
static void pairs_postpone(const struct step *s, struct pair *p, enum side target)
{
	size_t refusals = p->plan.refusal_count;
	struct err later;

	(void)err_set(&later, ERR_RETRY_LATER, "postponed");
	pairs_drop(s, p, target, PARKED_WHOLE_RECORD, &later);
	p->plan.refusal_count = refusals;
	p->is_later = true;
}

void pairs_end_link(struct step *s, struct link *link, enum link_state state)
{
	link->state = state;
	link->is_stamp_due = state == LINK_DELETED_IN_DYNAMICS;
	ledger_link(s->ledger, link);
	if (state == LINK_DELETED_IN_DYNAMICS)
		ledger_tell(s->ledger, link, LINE_DELETED);
	/* The record may have changed while its person went: then it gets a new one. */
	if (state == LINK_DELETED_IN_MARKETO)
		ledger_dirty_record(s->ledger, link->table, &link->record_id);
	s->report->deleted++;
	s->engine->deletes++;
}

static void pairs_gone(struct step *s, struct pair *p, enum side side)
{
	p->is_over = true;
	pairs_end_link(s, p->link,
		       side == SIDE_MARKETO ? LINK_DELETED_IN_MARKETO : LINK_DELETED_IN_DYNAMICS);
}

/* Reads records of one table for the chosen pairs and attaches them; a record that is not there
 * ends its link. */
static enum err_kind pairs_read(struct step *s, struct pair **chosen, size_t count,
				enum table table, struct err *err)
{
	const struct remote *remote = &s->engine->remote[table_side(table)];
	int64_t *persons = arena_array(s->arena, count, sizeof(*persons));
	struct guid *ids = arena_array(s->arena, count, sizeof(*ids));
	struct record **found = arena_array(s->arena, count, sizeof(struct record *));
	enum err_kind kind;

	if (!count)
		return ERR_NONE;
	for (size_t i = 0; i < count; i++) {
		persons[i] = chosen[i]->link->person_id;
		ids[i] = chosen[i]->link->record_id;
	}
	kind = remote->ops->read(remote->self, s->call, s->mapping, table, persons, ids, count,
				 s->arena, found, err);
	if (kind != ERR_NONE)
		return kind;
	s->report->read[table] += count;
	for (size_t i = 0; i < count; i++) {
		chosen[i]->seen[table_side(table)] = found[i];
		if (!found[i])
			pairs_gone(s, chosen[i], table_side(table));
	}
	return ERR_NONE;
}

/* Reads the sides that deciding asked for, of all pairs that asked, and decides those again. */
static enum err_kind pairs_read_missing(struct step *s, struct pair *pairs, size_t count,
					struct err *err)
{
	struct pair **chosen = arena_array(s->arena, count, sizeof(struct pair *));
	enum err_kind kind;

	for (int t = 0; t < TABLE_COUNT; t++) {
		enum side side = table_side((enum table)t);
		size_t n = 0;

		for (size_t i = 0; i < count; i++) {
			struct pair *p = &pairs[i];
			bool is_here = side == SIDE_MARKETO || p->link->table == (enum table)t;

			if (is_here && !p->is_over && !p->seen[side] && p->plan.must_read[side])
				chosen[n++] = p;
		}
		kind = pairs_read(s, chosen, n, (enum table)t, err);
		if (kind != ERR_NONE)
			return kind;
	}
	kind = overwrite_unkept(s, pairs, count, err);
	for (size_t i = 0; kind == ERR_NONE && i < count; i++) {
		const bool *must = pairs[i].plan.must_read;

		if (!pairs[i].is_over && (must[SIDE_MARKETO] || must[SIDE_DYNAMICS]))
			pairs_decide(s, &pairs[i]);
	}
	return kind;
}

static bool pairs_is_kept(const struct pair *p, const struct collision *c)
{
	for (size_t i = 0; i < p->kept_count; i++) {
		const struct collision *kept = &p->kept[i];

		if (kept->index == c->index &&
		    value_equal(&kept->value[SIDE_MARKETO], &c->value[SIDE_MARKETO]) &&
		    value_equal(&kept->value[SIDE_DYNAMICS], &c->value[SIDE_DYNAMICS]))
			return true;
	}
	return false;
}

/* Collisions go to the store before the first write; those of a second decision only when they are
 * new. */
static enum err_kind pairs_keep_losers(struct step *s, struct pair **pairs, size_t count,
				       struct err *err)
{
	struct ledger early = { .arena = s->arena };

	for (size_t i = 0; i < count; i++) {
		struct pair *p = pairs[i];

		for (size_t c = 0; !p->is_over && c < p->plan.collision_count; c++) {
			if (pairs_is_kept(p, &p->plan.collision[c]))
				continue;
			ledger_collision(&early, s->mapping, p->link, &p->plan.collision[c]);
			s->report->collided++;
			metric_add(METRIC_COLLISIONS, 1);
		}
		p->kept = p->plan.collision;
		p->kept_count = p->plan.collision_count;
	}
	return ledger_commit(&early, s->engine, true, err);
}

static bool pairs_wants_write(const struct step *s, const struct pair *p, enum side side)
{
	bool is_stamp_alone = side == SIDE_MARKETO && p->link->person_id && !p->is_create &&
			      !p->plan.write_count[side];

	if (p->is_over || (is_stamp_alone && s->leaves_stamps))
		return false;
	if (side == SIDE_MARKETO && p->link->is_stamp_due && !p->was_written[side])
		return p->link->person_id || (p->is_create && p->seen[SIDE_DYNAMICS]);
	if (p->is_create && !p->seen[side])
		return !p->was_written[side];
	return p->plan.write_count[side] > 0 && !p->was_written[side];
}

static struct write pairs_write(const struct step *s, const struct pair *p, enum side side)
{
	struct write w = {
		.operation = p->is_create && !p->seen[side] ? WRITE_CREATE : WRITE_UPDATE,
		.table = side == SIDE_MARKETO ? TABLE_PERSON : p->link->table,
		.person_id = p->link->person_id,
		.record_id = p->link->record_id,
		.version = p->seen[SIDE_DYNAMICS] ? p->seen[SIDE_DYNAMICS]->version
						  : p->link->version,
		.fields = p->plan.write[side],
		.field_count = p->plan.write_count[side],
		.owner = p->owner,
	};

	if (side == SIDE_MARKETO && p->link->is_stamp_due) {
		struct stamp *stamp = arena_alloc(s->arena, sizeof(*stamp));

		*stamp = (struct stamp){
			.fields = (1U << STAMP_FIELD_COUNT) - 1,
			.record_id = p->link->record_id,
			.table = p->link->table,
			.status = w.operation == WRITE_CREATE ? "created" : "linked",
			.synced_at_s = clock_wall_ms() / 1000,
		};
		w.stamp = stamp;
	}
	return w;
}

static void pairs_done(struct step *s, struct pair *p, enum side side, const struct write *w,
		       const struct write_result *r)
{
	static const enum metric metrics[TABLE_COUNT][2] = {
		[TABLE_PERSON] = { METRIC_CREATED_PERSONS, METRIC_UPDATED_PERSONS },
		[TABLE_LEAD] = { METRIC_CREATED_LEADS, METRIC_UPDATED_LEADS },
		[TABLE_CONTACT] = { METRIC_CREATED_CONTACTS, METRIC_UPDATED_CONTACTS },
	};
	bool is_create = w->operation == WRITE_CREATE;

	p->was_written[side] = true;
	p->was_created[side] = is_create;
	if (side == SIDE_MARKETO) {
		p->link->is_stamp_due = false;
		if (is_create)
			p->link->person_id = r->person_id;
	} else {
		p->link->version = r->version;
		p->has_own_version = true;
		if (p->seen[SIDE_DYNAMICS])
			p->seen[SIDE_DYNAMICS]->version = r->version;
	}
	if (is_create)
		s->report->created[w->table]++;
	else
		s->report->updated[w->table]++;
	metric_add(metrics[w->table][!is_create], 1);
}

/* Our own GUID is there: an earlier try got through, perhaps with other values. Nothing counts as
 * agreed until the record has been looked at, so that neither what it holds nor what the person
 * shows now is taken for the other's change. */
static void pairs_found(struct step *s, struct pair *p, const struct write *w,
			const struct write_result *r)
{
	pairs_done(s, p, SIDE_DYNAMICS, w, r);
	p->link->version = 0;
	p->is_later = true;
	for (int side = 0; side < SIDE_COUNT; side++)
		memset(p->plan.fingerprint[side], 0,
		       p->plan.slot_count * sizeof(*p->plan.fingerprint[side]));
}

/* The blamed column as an index into the mapping, PARKED_WHOLE_RECORD when none of the written
 * fields is meant. */
static uint16_t pairs_blamed(const struct step *s, const struct pair *p, enum side side,
			     const char *column)
{
	enum table table = side == SIDE_MARKETO ? TABLE_PERSON : p->link->table;

	for (size_t i = 0; column[0] && i < p->plan.write_count[side]; i++) {
		uint16_t index = p->plan.write[side][i].index;
		const struct column *c = s->mapping->fields[index].column[table];

		if (c && str_equal_fold(c->name, str_of(column)))
			return index;
	}
	return PARKED_WHOLE_RECORD;
}

static void pairs_refused(struct step *s, struct pair *p, enum side side,
			  const struct write_result *r)
{
	struct decide_input in = pairs_input(s, p);
	uint16_t index = pairs_blamed(s, p, side, r->err.field);

	if (r->is_company && decide_drop_company(&in, &p->plan, &r->err, s->arena))
		return;
	pairs_drop(s, p, side, index, &r->err);
	if (index != PARKED_WHOLE_RECORD)
		return; /* the rest of the record is sent in the next round */
	s->report->failed[side == SIDE_MARKETO ? TABLE_PERSON : p->link->table]++;
	if (p->is_create)
		p->is_over = true; /* nothing was created; the claim stays and waits for a change */
	else
		p->was_written[side] = true; /* nothing left to write there */
}

/* Deals with one result; true when the pair has to be written again in the next round. */
static bool pairs_result(struct step *s, struct pair *p, enum side side, const struct write *w,
			 const struct write_result *r, bool *ret_must_read)
{
	switch (r->kind) {
	case ERR_NONE:
		pairs_done(s, p, side, w, r);
		return false;
	case ERR_DUPLICATE:
		if (w->operation == WRITE_CREATE && side == SIDE_DYNAMICS) {
			pairs_found(s, p, w, r);
			return false;
		}
		pairs_refused(s, p, side, r);
		return pairs_wants_write(s, p, side);
	case ERR_CONFLICT:
		*ret_must_read = true;
		return true;
	case ERR_GONE:
		pairs_gone(s, p, side);
		/* An answer to a write alone: one look shows whether it is true. */
		ledger_dirty_record(s->ledger, p->link->table, &p->link->record_id);
		return false;
	case ERR_REFUSED:
	case ERR_RIGHTS:
	case ERR_INPUT:
	case ERR_OURS:
		pairs_refused(s, p, side, r);
		return pairs_wants_write(s, p, side);
	case ERR_RETRY_NOW:
	case ERR_RETRY_LATER:
	case ERR_THROTTLED:
	case ERR_QUOTA:
	case ERR_EXPIRED:
	case ERR_BROKEN:
	case ERR_RUBBISH:
	case ERR_STORE:
	case ERR_NOT_LEADER:
	case ERR_CONFIG:
	case ERR_STOPPED:
	case ERR_KIND_COUNT:
		pairs_postpone(s, p, side);
		return false;
	}
	return false;
}

/* Somebody wrote the records first: read them and decide again (Dynamics only; Marketo knows no
 * versions). */
static enum err_kind pairs_reread(struct step *s, struct pair **again, size_t count,
				  struct err *err)
{
	struct pair **chosen = arena_array(s->arena, count, sizeof(struct pair *));

	for (int t = TABLE_LEAD; t < TABLE_COUNT; t++) {
		enum err_kind kind;
		size_t n = 0;

		for (size_t i = 0; i < count; i++) {
			if (again[i]->link->table == (enum table)t)
				chosen[n++] = again[i];
		}
		kind = pairs_read(s, chosen, n, (enum table)t, err);
		if (kind != ERR_NONE)
			return kind;
	}
	for (size_t i = 0; i < count; i++) {
		if (again[i]->is_over)
			continue;
		pairs_decide(s, again[i]);
		/* A collision that only now came to light needs the person's value too. */
		if (again[i]->plan.must_read[SIDE_MARKETO])
			pairs_postpone(s, again[i], SIDE_DYNAMICS);
	}
	return pairs_keep_losers(s, again, count, err);
}

/* One round of writes of one table; pending shrinks to what goes into the next round. */
static enum err_kind pairs_write_round(struct step *s, enum side side, struct pair **pending,
				       size_t *count, struct err *err)
{
	const struct remote *remote = &s->engine->remote[side];
	struct write *writes = arena_array(s->arena, *count, sizeof(*writes));
	struct write_result *results = arena_array(s->arena, *count, sizeof(*results));
	struct pair **conflicts = arena_array(s->arena, *count, sizeof(struct pair *));
	size_t n = *count, again = 0, conflict_count = 0;
	enum err_kind kind;

	for (size_t i = 0; i < n; i++) {
		writes[i] = pairs_write(s, pending[i], side);
		results[i] = (struct write_result){ .kind = ERR_RETRY_LATER };
	}
	kind = remote->ops->write(remote->self, s->call, s->mapping, writes, n, results, err);
	kind = blame_call(s->engine, s->report->number > 0, kind, results, n, err);
	for (size_t i = 0; i < n; i++) {
		bool must_read = false;
		struct pair *p = pending[i];

		if (!pairs_result(s, p, side, &writes[i], &results[i], &must_read))
			continue;
		if (must_read)
			conflicts[conflict_count++] = p;
		pending[again++] = p;
	}
	*count = again;
	if (kind == ERR_NONE && conflict_count)
		kind = pairs_reread(s, conflicts, conflict_count, err);
	return kind;
}

/* A person that was read without the stamp of its live link gets it: somebody changed it, or an
 * older stamp was written late. */
static void pairs_check_stamps(struct pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct record *person = pairs[i].seen[SIDE_MARKETO];
		struct link *link = pairs[i].link;

		if (!person || pairs[i].is_over || link->state != LINK_LIVE)
			continue;
		if (person->stamp_is_deleted || person->stamp_table != link->table ||
		    !guid_equal(&person->record_id, &link->record_id))
			link->is_stamp_due = true;
	}
}

static enum err_kind pairs_write_table(struct step *s, struct pair *pairs, size_t count,
				       enum table table, struct err *err)
{
	enum side side = table_side(table);
	struct pair **pending = arena_array(s->arena, count, sizeof(struct pair *));
	enum err_kind kind = ERR_NONE;
	size_t n = 0;

	if (side == SIDE_MARKETO) {
		pairs_check_stamps(pairs, count);
		kind = overwrite_keep(s, pairs, count, err);
	}
	for (size_t i = 0; i < count; i++) {
		bool is_here = side == SIDE_MARKETO || pairs[i].link->table == table;

		if (is_here && pairs_wants_write(s, &pairs[i], side))
			pending[n++] = &pairs[i];
	}
	for (int round = 0; n && kind == ERR_NONE && round < PAIRS_ROUNDS_MAX; round++) {
		size_t kept = 0;

		kind = pairs_write_round(s, side, pending, &n, err);
		for (size_t i = 0; i < n; i++) {
			if (pairs_wants_write(s, pending[i], side))
				pending[kept++] = pending[i];
		}
		n = kept;
	}
	for (size_t i = 0; i < n; i++)
		pairs_postpone(s, pending[i], side);
	return kind;
}

/* Copies the plan's fingerprints into the link, which is about to be stored. */
static void pairs_remember(struct step *s, struct pair *p)
{
	link_reserve(p->link, p->plan.slot_count, s->arena);
	for (int side = 0; side < SIDE_COUNT; side++) {
		for (size_t i = 0; i < p->plan.slot_count; i++)
			p->link->fingerprint[side][i] = p->plan.fingerprint[side][i];
	}
	link_note_events(p->link, p->plan.event, p->plan.event_count, s->arena);
}

static void pairs_mark_later(struct step *s, const struct pair *p)
{
	if (p->link->person_id && p->link->state == LINK_LIVE)
		ledger_dirty_person(s->ledger, p->link->person_id);
	ledger_dirty_record(s->ledger, p->link->table, &p->link->record_id);
}

/* Is this version of the record news for the link? It is what the next write names in If-Match. */
static bool pairs_take_version(struct pair *p)
{
	const struct record *record = p->seen[SIDE_DYNAMICS];

	if (!record || !record->version || record->version == p->link->version)
		return false;
	if (!p->has_own_version)
		p->link->version = record->version;
	return true;
}

/* Nothing of what the source shows waits to be written any more: a refusal of the whole record is
 * over. */
static bool pairs_is_settled(const struct step *s, const struct pair *p, enum side source)
{
	const struct mapping *m = s->mapping;

	if (!p->seen[source] || p->is_later)
		return false;
	for (size_t i = 0; i < m->count; i++) {
		const struct value *v = &p->seen[source]->values[i];
		uint16_t slot = m->fields[i].slot;

		if (v->kind == VALUE_UNSEEN || !mapping_active(m, i, p->link->table))
			continue;
		if (fingerprint_of(&s->engine->identity.key, v) !=
			    p->plan.fingerprint[source][slot] ||
		    !p->plan.fingerprint[side_other(source)][slot])
			return false;
	}
	return true;
}

static void pairs_resolve(struct step *s, const struct pair *p)
{
	bool is_whole_over[SIDE_COUNT];

	if (p->plan.must_read[SIDE_MARKETO] || p->plan.must_read[SIDE_DYNAMICS])
		return; /* nothing was decided */
	for (int side = 0; side < SIDE_COUNT; side++)
		is_whole_over[side] = pairs_is_settled(s, p, side_other((enum side)side));
	ledger_resolve(s->ledger, p->link, &p->plan, is_whole_over);
}

static void pairs_note(struct step *s, struct pair *p)
{
	const char *operation = p->is_create ? "create" : "update";
	bool is_wrong = p->plan.refusal_count > 0;
	bool is_touched = p->was_written[SIDE_MARKETO] || p->was_written[SIDE_DYNAMICS];
	bool is_complete = p->link->person_id && (!p->is_create || is_touched);

	if (!p->is_over)
		pairs_resolve(s, p);
	if (is_wrong) {
		ledger_refusals(s->ledger, s->mapping, p->link, &p->plan, operation);
		s->report->refused += p->plan.refusal_count;
		metric_add(METRIC_REFUSALS, (int64_t)p->plan.refusal_count);
	}
	if (p->is_later)
		pairs_mark_later(s, p);
	if (p->is_over)
		return; /* a tombstone was noted when it ended; a refused create leaves its claim as
			   it is */
	pairs_remember(s, p);
	ledger_tell_collisions(s->ledger, s->mapping, p->link, p->plan.collision,
			       p->plan.collision_count);
	if (is_complete && p->link->state == LINK_CLAIMED) {
		p->link->state = LINK_LIVE;
		s->report->linked += !p->is_create;
		/* Whatever was reported about finding or making the counterpart is over. */
		if (!is_wrong)
			ledger_resolved(s->ledger, p->link, SIDE_MARKETO, PARKED_WHOLE_RECORD);
	}
	if (p->link->state == LINK_CLAIMED && p->link->is_stored)
		return; /* not made yet; by now another service may have made it live */
	if (p->link->state == LINK_LIVE && pairs_is_filtered(s, p)) {
		p->link->state = LINK_PAUSED;
		is_touched = true;
	}
	if (pairs_take_version(p) || p->is_resumed || p->is_unkept || p->plan.is_changed ||
	    is_touched || !p->link->is_stored || p->link->is_stamp_due)
		ledger_link(s->ledger, p->link);
	if (!is_touched && !p->is_later && !is_wrong)
		s->report->equal[p->seen[SIDE_DYNAMICS] ? p->link->table : TABLE_PERSON]++;
}

enum err_kind pairs_run(struct step *s, struct pair *pairs, size_t count, struct err *err)
{
	static const enum table order[] = { TABLE_CONTACT, TABLE_LEAD, TABLE_PERSON };
	struct pair **all = arena_array(s->arena, count, sizeof(struct pair *));
	enum err_kind kind = overwrite_unkept(s, pairs, count, err);

	if (kind != ERR_NONE)
		return kind;
	for (size_t i = 0; i < count; i++) {
		all[i] = &pairs[i];
		pairs_decide(s, &pairs[i]);
	}
	kind = pairs_read_missing(s, pairs, count, err);
	if (kind == ERR_NONE)
		kind = pairs_keep_losers(s, all, count, err);
	if (kind != ERR_NONE)
		return kind; /* nothing was written, so nothing has to be noted */
	s->has_written = true;
	for (size_t i = 0; kind == ERR_NONE && i < ARRAY_LEN(order); i++)
		kind = pairs_write_table(s, pairs, count, order[i], err);
	for (size_t i = 0; i < count; i++) {
		/* A side stopped answering before this pair's turn: its writes are due again. */
		for (int side = 0; kind != ERR_NONE && side < SIDE_COUNT; side++) {
			if (pairs_wants_write(s, &pairs[i], (enum side)side))
				pairs_postpone(s, &pairs[i], (enum side)side);
		}
		pairs_note(s, &pairs[i]);
	}
	return kind;
}
