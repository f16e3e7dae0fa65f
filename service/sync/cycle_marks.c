/* What needs another look, whatever the feeds say: marked persons and records, and claims nobody
 * took up; see cycle_p.h. */
#include "sync/cycle_p.h"

#include "sync/records.h"

enum { CYCLE_STALE_CLAIM_MS = 120 * 1000 };

/* Read now, then taken through like a page of the feed. Their links are loaded first: one that a
 * real-time call makes while we read is not ended because its record was not there a moment ago. */
enum err_kind cycle_read_records(struct cycle *c, struct step *s, enum table table,
				 const struct guid *ids, size_t count, bool is_full_scan,
				 struct err *err)
{
	const struct remote *dynamics = &c->e->remote[SIDE_DYNAMICS];
	const struct store *store = &s->engine->store;
	struct link **links = arena_array(s->arena, count, sizeof(struct link *));
	struct record **found = arena_array(s->arena, count, sizeof(struct record *));
	size_t gone_count = 0, record_count = 0;
	enum err_kind kind;

	kind = store->ops->links_by_record(store->self, table, ids, count, s->arena, links, err);
	if (kind == ERR_NONE)
		kind = dynamics->ops->read(dynamics->self, &c->call, s->mapping, table, NULL, ids,
					   count, s->arena, found, err);
	if (kind != ERR_NONE)
		return kind;
	c->report->read[table] += count;
	for (size_t i = 0; i < count; i++) {
		if (found[i])
			found[record_count++] = found[i];
		else
			links[gone_count++] = links[i];
	}
	return cycle_rows(c, s, links, gone_count, found, record_count, is_full_scan, err);
}

/* Marked records of one table. */
static enum err_kind cycle_look_again(struct cycle *c, struct step *s, enum table table,
				      const struct dirty *marks, size_t count, struct err *err)
{
	struct guid *ids = arena_array(s->arena, count, sizeof(*ids));
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (marks[i].table == table) {
			ledger_clean(s->ledger, &marks[i]);
			ids[n++] = marks[i].record_id;
		}
	}
	return n ? cycle_read_records(c, s, table, ids, n, false, err) : ERR_NONE;
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
enum err_kind cycle_marks(struct cycle *c, enum side side, struct err *err)
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
enum err_kind cycle_stale_claims(struct cycle *c, struct err *err)
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
