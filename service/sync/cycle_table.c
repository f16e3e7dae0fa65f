/* A Dynamics table in a cycle: its feed page by page, chunk by chunk, each committed with the
 * cursor that covers it; see cycle_p.h. */
#include "sync/cycle_p.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/guard.h"
#include "sync/records.h"
#include "sync/stamps.h"
#include "sync/state.h"

/* Rows that are there, and the links of those that are not, taken through; of one table. */
enum err_kind cycle_rows(struct cycle *c, struct step *s, struct link *const *gone,
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

	s->leaves_stamps = is_full_scan && stamps_may_wait(c->e);
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
	part->total = c->scan_total;
	part->rows = n;
	for (size_t i = 0; i < n; i++) {
		if (page->changes[done + i].kind != CHANGE_DELETED)
			shown[part->shown_count++] = page->changes[done + i].record_id;
	}
	part->shown = shown;
	s->ledger.unit.scan = part;
	if (part->is_end)
		ledger_place(&s->ledger, cycle_scan_ended,
			     cycle_place_text(&s->arena, clock_wall_ms() / 1000,
					      (struct str){ NULL, 0 }));
	c->has_scanned |= part->is_end;
	state_note_backfill(c->e, table, n, part->is_end);
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

/* Reads a page. A reading from the start waits behind live changes (INV-BUDGET). */
static enum err_kind cycle_table_read(struct cycle *c, enum table table, struct arena *a,
				      struct change_page *ret, struct err *err)
{
	const struct remote *dynamics = &c->e->remote[SIDE_DYNAMICS];
	const struct store *store = &c->e->store;
	struct str cursor = { NULL, 0 };
	enum err_kind kind;

	kind = store->ops->cursor(store->self, table_name(table), a, &cursor, err);
	if (kind != ERR_NONE)
		return kind;
	c->call.lane = !cursor.n || state_is_backfilling(c->e, table) ? LANE_BACKFILL
								      : LANE_CHANGES;
	kind = dynamics->ops->changes(dynamics->self, &c->call, c->shared->mapping, table, cursor,
				      a, ret, err);
	if (kind == ERR_EXPIRED) {
		log_warn("cursor_expired", LOG_TEXT("table", table_name(table)));
		kind = dynamics->ops->changes(dynamics->self, &c->call, c->shared->mapping, table,
					      (struct str){ NULL, 0 }, a, ret, err);
	}
	return kind;
}

/* How many rows to expect, for those who watch. */
static enum err_kind cycle_count_rows(struct cycle *c, enum table table, struct err *err)
{
	const struct remote *dynamics = &c->e->remote[SIDE_DYNAMICS];
	uint64_t rows[TABLE_COUNT] = { 0 };
	enum err_kind kind = ERR_NONE;

	if (dynamics->ops->count)
		kind = dynamics->ops->count(dynamics->self, &c->call, rows, err);
	c->scan_total = rows[table];
	return kind;
}

/* *ret_is_over: nothing more of the table in this cycle. */
static enum err_kind cycle_table_page(struct cycle *c, enum table table, bool *ret_is_over,
				      struct err *err)
{
	struct arena arena = { .chunks = NULL };
	struct change_page page = { .count = 0 };
	enum err_kind kind = cycle_table_read(c, table, &arena, &page, err);

	if (kind == ERR_NONE) {
		c->is_from_start |= page.is_scan_start;
		if (page.is_scan_start)
			kind = cycle_count_rows(c, table, err);
	}
	if (kind == ERR_NONE) {
		c->report->read[table] += page.count;
		c->report->is_full_scan |= page.is_full_scan;
		kind = cycle_check_empty(c, table, &page, err);
	}
	if (kind == ERR_NONE)
		kind = cycle_page(c, table, &page, err);
	*ret_is_over = page.is_last ||
		       (kind == ERR_NONE && page.is_full_scan && cycle_makes_way(c));
	arena_release(&arena);
	return kind;
}

/* A Dynamics table from its cursor to the end of its feed. */
enum err_kind cycle_table(struct cycle *c, enum table table, struct err *err)
{
	enum err_kind kind = ERR_NONE;
	bool is_over = false;

	c->rows = 0;
	c->is_from_start = false;
	while (kind == ERR_NONE && !is_over)
		kind = cycle_table_page(c, table, &is_over, err);
	c->call.lane = LANE_CHANGES;
	return kind;
}
