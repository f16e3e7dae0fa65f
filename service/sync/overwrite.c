/* Own writes as the change log tells them; see overwrite.h. */
#include "sync/overwrite.h"

#include <stdlib.h>

#include "base/metric.h"

enum err_kind overwrite_keep(struct step *s, const struct pair *pairs, size_t count,
			     struct err *err)
{
	struct ledger early = { .arena = s->arena };

	for (size_t i = 0; i < count; i++) {
		const struct pair *p = &pairs[i];
		const struct record *person = p->seen[SIDE_MARKETO];

		if (p->is_over || !p->link->person_id || (p->is_create && !person))
			continue;
		for (size_t k = 0; k < p->plan.write_count[SIDE_MARKETO]; k++) {
			const struct field_write *w = &p->plan.write[SIDE_MARKETO][k];
			uint16_t slot = s->mapping->fields[w->index].slot;
			struct overwrite_row row = {
				.person_id = p->link->person_id,
				.slot = slot,
				.seen = link_fingerprint(p->link, SIDE_MARKETO, slot),
				.written = fingerprint_of(&s->engine->identity.key, &w->value),
			};

			if (person)
				row.seen = fingerprint_of(&s->engine->identity.key,
							  &person->values[w->index]);
			ledger_overwrite(&early, &row);
		}
	}
	return ledger_commit(&early, s->engine, true, err);
}

/* A write that replaced something else than it was meant to. */
struct covered {
	const struct change *change;
	const struct overwrite_row *row;
	bool is_doubtful; /* another entry of the page may have been our write: not put back */
};

struct overwrite {
	struct step *s;
	struct overwrite_row *rows; /* sorted */
	size_t row_count;
	struct covered *covered; /* in the order of persons */
	size_t covered_count;
	bool *is_checked; /* per row */
};

static int overwrite_order(const void *left, const void *right)
{
	const struct overwrite_row *a = left, *b = right;

	if (a->person_id != b->person_id)
		return (a->person_id > b->person_id) - (a->person_id < b->person_id);
	if (a->slot != b->slot)
		return (a->slot > b->slot) - (a->slot < b->slot);
	return (a->written > b->written) - (a->written < b->written);
}

static int covered_order(const void *left, const void *right)
{
	const struct covered *a = left, *b = right;

	return overwrite_order(a->row, b->row);
}

static uint64_t overwrite_fingerprint(const struct overwrite *o, const struct value *v)
{
	return fingerprint_of(&o->s->engine->identity.key, v);
}

static bool overwrite_tells(const struct change *c)
{
	return c->kind == CHANGE_EDITED && c->now.kind != VALUE_UNSEEN;
}

/* The rows of some persons, sorted. */
static enum err_kind overwrite_rows(struct overwrite *o, const int64_t *ids, size_t count,
				    struct err *err)
{
	const struct store *store = &o->s->engine->store;
	enum err_kind kind = ERR_NONE;

	if (count)
		kind = store->ops->overwrites(store->self, ids, count, o->s->arena, &o->rows,
					      &o->row_count, err);
	if (kind == ERR_NONE && o->row_count)
		qsort(o->rows, o->row_count, sizeof(*o->rows), overwrite_order);
	return kind;
}

static enum err_kind overwrite_load(struct overwrite *o, const struct change *changes, size_t count,
				    struct err *err)
{
	int64_t *ids = arena_array(o->s->arena, count, sizeof(*ids));
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		bool is_repeat = n && ids[n - 1] == changes[i].person_id;

		if (overwrite_tells(&changes[i]) && !is_repeat)
			ids[n++] = changes[i].person_id;
	}
	return overwrite_rows(o, ids, n, err);
}

/* The write of ours that left the field of a change with a value; NULL: none. */
static struct overwrite_row *overwrite_row_of(const struct overwrite *o, const struct change *c,
					      const struct value *v)
{
	struct overwrite_row key = { .person_id = c->person_id,
				     .slot = o->s->mapping->fields[c->index].slot,
				     .written = overwrite_fingerprint(o, v) };

	return bsearch(&key, o->rows, o->row_count, sizeof(*o->rows), overwrite_order);
}

/* The log has told of the write; true when it had before. */
static bool overwrite_confirm(struct overwrite *o, const struct overwrite_row *row)
{
	bool is_again = !row || o->is_checked[row - o->rows];

	if (is_again)
		return true;
	o->is_checked[row - o->rows] = true;
	ledger_checked(o->s->ledger, row);
	return false;
}

/* A change that a write of ours explains confirms it, or shows what it covered. When people wrote
 * the same value too, which of the entries is ours cannot be told: then the value is kept, no more.
 */
static void overwrite_compare(struct overwrite *o, const struct change *c)
{
	struct overwrite_row *row;
	bool is_again;

	if (!overwrite_tells(c))
		return;
	if (c->was.kind != VALUE_UNSEEN)
		(void)overwrite_confirm(o, overwrite_row_of(o, c, &c->was)); /* it was there */
	row = overwrite_row_of(o, c, &c->now);
	if (!row)
		return;
	is_again = overwrite_confirm(o, row);
	if (c->was.kind != VALUE_UNSEEN && overwrite_fingerprint(o, &c->was) != row->seen)
		o->covered[o->covered_count++] =
			(struct covered){ .change = c, .row = row, .is_doubtful = is_again };
}

/* The edit and what covered it as a row; true when the edit is to be put back. */
static bool overwrite_report(struct overwrite *o, struct ledger *early, const struct covered *c,
			     const struct pair *p)
{
	const struct change *change = c->change;
	const struct field *field = o->s->mapping->fields[change->index].field;
	const struct record *person = p->seen[SIDE_MARKETO];
	struct collision collision = { .index = change->index,
				       .value = { change->was, change->now } };

	collision.winner =
		merge_covered(p->link->table, field, &change->was, &change->now, &collision.rule);
	ledger_collision(early, o->s->mapping, p->link, &collision);
	ledger_tell_collisions(o->s->ledger, o->s->mapping, p->link, &collision, 1);
	o->s->report->collided++;
	metric_add(METRIC_COLLISIONS, 1);
	return collision.winner == SIDE_MARKETO && person && !c->is_doubtful &&
	       p->link->state == LINK_LIVE &&
	       overwrite_fingerprint(o, &person->values[change->index]) == c->row->written;
}

/* The pairs of the persons concerned, as Marketo shows them now. */
static enum err_kind overwrite_pairs(struct overwrite *o, struct pair *pairs, size_t *ret_count,
				     struct err *err)
{
	struct step *s = o->s;
	const struct store *store = &s->engine->store;
	const struct remote *marketo = &s->engine->remote[SIDE_MARKETO];
	int64_t *ids = arena_array(s->arena, o->covered_count, sizeof(*ids));
	struct link **links = arena_array(s->arena, o->covered_count, sizeof(struct link *));
	struct record **found = arena_array(s->arena, o->covered_count, sizeof(struct record *));
	size_t n = 0, live = 0;
	enum err_kind kind;

	for (size_t i = 0; i < o->covered_count; i++) {
		if (!n || ids[n - 1] != o->covered[i].row->person_id)
			ids[n++] = o->covered[i].row->person_id;
	}
	kind = store->ops->links_by_person(store->self, ids, n, s->arena, links, err);
	for (size_t i = 0; kind == ERR_NONE && i < n; i++) {
		if (links[i]) {
			ids[live] = ids[i];
			pairs[live++].link = links[i];
		}
	}
	if (kind == ERR_NONE && live)
		kind = marketo->ops->read(marketo->self, s->call, s->mapping, TABLE_PERSON, ids,
					  NULL, live, s->arena, found, err);
	for (size_t i = 0; kind == ERR_NONE && i < live; i++) {
		s->report->read[TABLE_PERSON]++;
		pairs[i].seen[SIDE_MARKETO] = found[i];
	}
	*ret_count = live;
	return kind;
}

/* Records every covered edit and gathers, pair by pair, what is to be put back. Keeps the pairs
 * that have something. */
static enum err_kind overwrite_gather(struct overwrite *o, struct pair *pairs, size_t *count,
				      struct err *err)
{
	struct ledger early = { .arena = o->s->arena };
	size_t kept = 0, at = 0;

	for (size_t i = 0; i < *count; i++) {
		struct pair *p = &pairs[i];
		struct field_write *restore =
			arena_array(o->s->arena, o->covered_count, sizeof(*restore));

		for (; at < o->covered_count && o->covered[at].row->person_id <= p->link->person_id;
		     at++) {
			const struct covered *c = &o->covered[at];

			if (c->row->person_id == p->link->person_id &&
			    overwrite_report(o, &early, c, p))
				restore[p->restore_count++] =
					(struct field_write){ .index = c->change->index,
							      .value = c->change->was };
		}
		p->restore = restore;
		if (!p->restore_count)
			continue;
		/* Other entries of this page may be late ones: one more look when all is done. */
		ledger_dirty_person(o->s->ledger, p->link->person_id);
		pairs[kept++] = *p;
	}
	*count = kept;
	return ledger_commit(&early, o->s->engine, true, err);
}

enum err_kind overwrite_check(struct step *s, const struct change *changes, size_t count,
			      struct err *err)
{
	struct overwrite o = { .s = s };
	struct pair *pairs;
	size_t n = 0;
	enum err_kind kind = overwrite_load(&o, changes, count, err);

	if (kind != ERR_NONE || !o.row_count)
		return kind;
	o.covered = arena_array(s->arena, count, sizeof(*o.covered));
	o.is_checked = arena_array(s->arena, o.row_count, sizeof(*o.is_checked));
	for (size_t i = 0; i < count; i++)
		overwrite_compare(&o, &changes[i]);
	if (!o.covered_count)
		return ERR_NONE;
	qsort(o.covered, o.covered_count, sizeof(*o.covered), covered_order);
	pairs = arena_array(s->arena, o.covered_count, sizeof(*pairs));
	kind = overwrite_pairs(&o, pairs, &n, err);
	if (kind == ERR_NONE && n)
		kind = overwrite_gather(&o, pairs, &n, err);
	if (kind == ERR_NONE && n)
		kind = pairs_run(s, pairs, n, err);
	return kind;
}

/* ---- writes that did not stick ---- */

/* Does the person show something else in a field than it was left with? */
static bool overwrite_differs(const struct step *s, const struct pair *p, size_t index)
{
	const struct value *v = &p->seen[SIDE_MARKETO]->values[index];
	uint64_t left = link_fingerprint(p->link, SIDE_MARKETO, s->mapping->fields[index].slot);

	return left && v->kind != VALUE_UNSEEN &&
	       mapping_active(s->mapping, index, p->link->table) &&
	       fingerprint_of(&s->engine->identity.key, v) != left;
}

static bool overwrite_may_lack(const struct step *s, const struct pair *p)
{
	if (p->is_over || p->restore_count || !p->seen[SIDE_MARKETO] || p->link->state != LINK_LIVE)
		return false;
	for (size_t i = 0; i < s->mapping->count; i++) {
		if (overwrite_differs(s, p, i))
			return true;
	}
	return false;
}

/* The field is as if the write had been refused: what was agreed before it, and the value parked. */
static void overwrite_park(struct step *s, struct pair *p, size_t index,
			   const struct overwrite_row *row)
{
	struct link *link = p->link;
	struct refusal refusal = { .index = (uint16_t)index,
				   .target = SIDE_MARKETO,
				   .fingerprint = row->written };
	struct plan told = { .refusal_count = 0 };
	struct parked_write *parked =
		arena_array(s->arena, link->parked_count + 1, sizeof(*parked));

	(void)err_set(
		&refusal.err, ERR_REFUSED,
		"Marketo reported the value as written, but shows what it showed before; a rule "
		"there may block updates of this field. It is left as it is until somebody "
		"changes it");
	(void)snprintf(refusal.err.code, sizeof(refusal.err.code), "NOT_KEPT");
	for (int side = 0; side < SIDE_COUNT; side++)
		link->fingerprint[side][row->slot] = row->seen;
	if (link->parked_count)
		memcpy(parked, link->parked, link->parked_count * sizeof(*parked));
	parked[link->parked_count++] = (struct parked_write){ .slot = row->slot,
							      .target = SIDE_MARKETO,
							      .fingerprint = row->written };
	link->parked = parked;
	p->is_unkept = true;
	plan_refuse(&told, &refusal, s->arena);
	ledger_refusals(s->ledger, s->mapping, link, &told, "update");
	ledger_checked(s->ledger, row);
	s->report->refused++;
	metric_add(METRIC_REFUSALS, 1);
}

enum err_kind overwrite_unkept(struct step *s, struct pair *pairs, size_t count, struct err *err)
{
	struct overwrite o = { .s = s };
	int64_t *ids = arena_array(s->arena, count, sizeof(*ids));
	size_t n = 0;
	enum err_kind kind;

	for (size_t i = 0; i < count; i++) {
		if (overwrite_may_lack(s, &pairs[i]))
			ids[n++] = pairs[i].link->person_id;
	}
	kind = overwrite_rows(&o, ids, n, err);
	for (size_t i = 0; kind == ERR_NONE && o.row_count && i < count; i++) {
		struct pair *p = &pairs[i];

		if (!overwrite_may_lack(s, p))
			continue;
		for (size_t k = 0; k < s->mapping->count; k++) {
			uint16_t slot = s->mapping->fields[k].slot;
			struct overwrite_row key = {
				.person_id = p->link->person_id,
				.slot = slot,
				.written = link_fingerprint(p->link, SIDE_MARKETO, slot),
			};
			const struct overwrite_row *row = bsearch(&key, o.rows, o.row_count,
								  sizeof(*o.rows), overwrite_order);

			if (row && overwrite_differs(s, p, k) &&
			    row->seen ==
				    overwrite_fingerprint(&o, &p->seen[SIDE_MARKETO]->values[k]))
				overwrite_park(s, p, k, row);
		}
	}
	return kind;
}
