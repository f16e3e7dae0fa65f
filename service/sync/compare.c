/* Comparing both sides; see compare.h. */
#include "sync/compare.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "sync/engine_p.h"
#include "sync/fields.h"

enum { COMPARE_CHUNK = 1000, COMPARE_LINES_MAX = 50 };

struct compare {
	struct engine *e;
	struct call call;
	const struct mapping *mapping;
	struct compare_result *result;
	void (*say)(void *context, const char *line);
	void *context;
	unsigned lines;
};

static void compare_say(struct compare *c, const struct record *record, int64_t person_id,
			const char *field, const char *text)
{
	char line[256], id[GUID_TEXT];

	if (c->lines++ >= COMPARE_LINES_MAX)
		return;
	guid_print(&record->record_id, id);
	(void)snprintf(line, sizeof(line), "%s %s, person %" PRId64 "%s%s: %s",
		       table_name(record->table), id, person_id, field[0] ? ", field " : "", field,
		       text);
	c->say(c->context, line);
}

static bool compare_is_parked(const struct link *link, uint16_t slot)
{
	for (size_t i = 0; i < link->parked_count; i++) {
		if (link->parked[i].slot == slot || link->parked[i].slot == PARKED_WHOLE_RECORD)
			return true;
	}
	return false;
}

static void compare_pair(struct compare *c, const struct link *link, const struct record *record,
			 const struct record *person)
{
	for (size_t i = 0; i < c->mapping->count; i++) {
		const struct mapped_field *f = &c->mapping->fields[i];
		bool is_two_way =
			mapping_writable(c->mapping, i, record->table, SIDE_MARKETO, false) &&
			mapping_writable(c->mapping, i, record->table, SIDE_DYNAMICS, false);

		if (!mapping_active(c->mapping, i, record->table))
			continue;
		if (value_equal(&record->values[i], &person->values[i])) {
			c->result->equal++;
		} else if (compare_is_parked(link, f->slot)) {
			c->result->parked++;
		} else if (!is_two_way) {
			c->result->one_way++;
		} else {
			c->result->different++;
			compare_say(c, record, link->person_id, f->field->name, "different");
		}
	}
}

/* Is there a known reason why this row has no person? */
static bool compare_is_left_out(struct compare *c, const struct record *record)
{
	struct list_query query = { .kind = LIST_ERRORS, .limit = 1, .state = STR("open") };
	struct rowset errors = { .rows = 0 };
	char id[GUID_TEXT];
	bool has_error = false;

	if (record->is_merged || (record->table == TABLE_LEAD && record->state == 1))
		return true;
	if (filter_verdict(&c->mapping->filter_rule, record->filter) == FILTER_STOPS)
		return true;
	guid_print(&record->record_id, id);
	query.record_id = str_of(id);
	if (c->e->store.ops->list(c->e->store.self, &query, &errors, NULL) == ERR_NONE)
		has_error = errors.rows > 0;
	arena_release(&errors.memory);
	return has_error;
}

static void compare_unlinked(struct compare *c, const struct record *record, const char *why)
{
	if (compare_is_left_out(c, record)) {
		c->result->left_out[record->table]++;
		return;
	}
	c->result->missing[record->table]++;
	compare_say(c, record, 0, "", why);
}

static enum err_kind compare_chunk(struct compare *c, const struct change *changes, size_t count,
				   struct arena *a, struct err *err)
{
	const struct remote *marketo = &c->e->remote[SIDE_MARKETO];
	struct guid *ids = arena_array(a, count, sizeof(*ids));
	struct link **links = arena_array(a, count, sizeof(struct link *));
	int64_t *persons = arena_array(a, count, sizeof(*persons));
	struct record **found = arena_array(a, count, sizeof(struct record *));
	size_t *which = arena_array(a, count, sizeof(*which));
	enum err_kind kind;
	size_t n = 0;

	if (!count)
		return ERR_NONE;
	for (size_t i = 0; i < count; i++)
		ids[i] = changes[i].record->record_id;
	c->result->rows[changes[0].record->table] += count;
	kind = c->e->store.ops->links_by_record(c->e->store.self, changes[0].record->table, ids,
						count, a, links, err);
	for (size_t i = 0; kind == ERR_NONE && i < count; i++) {
		if (links[i] && links[i]->state == LINK_PAUSED) {
			c->result->left_out[changes[i].record->table]++;
			continue;
		}
		if (!links[i] || links[i]->state != LINK_LIVE) {
			compare_unlinked(c, changes[i].record, "no person is linked");
			continue;
		}
		which[n] = i;
		persons[n++] = links[i]->person_id;
	}
	if (kind == ERR_NONE && n)
		kind = marketo->ops->read(marketo->self, &c->call, c->mapping, TABLE_PERSON,
					  persons, NULL, n, a, found, err);
	for (size_t i = 0; kind == ERR_NONE && i < n; i++) {
		const struct record *record = changes[which[i]].record;

		if (!found[i]) {
			compare_unlinked(c, record, "the linked person is not in Marketo");
			continue;
		}
		c->result->linked[record->table]++;
		compare_pair(c, links[which[i]], record, found[i]);
	}
	return kind;
}

static enum err_kind compare_page(struct compare *c, const struct change_page *page,
				  struct err *err)
{
	enum err_kind kind = ERR_NONE;

	for (size_t done = 0; kind == ERR_NONE && done < page->count; done += COMPARE_CHUNK) {
		size_t n = page->count - done < COMPARE_CHUNK ? page->count - done : COMPARE_CHUNK;
		struct arena arena = { .chunks = NULL };

		kind = compare_chunk(c, page->changes + done, n, &arena, err);
		arena_release(&arena);
	}
	return kind;
}

static enum err_kind compare_table(struct compare *c, enum table table, struct err *err)
{
	const struct remote *dynamics = &c->e->remote[SIDE_DYNAMICS];
	struct buf cursor = { .data = NULL };
	bool is_last = false;
	enum err_kind kind = ERR_NONE;

	while (!is_last && kind == ERR_NONE) {
		struct arena arena = { .chunks = NULL };
		struct change_page page = { .count = 0 };

		kind = dynamics->ops->changes(dynamics->self, &c->call, c->mapping, table,
					      buf_str(&cursor), &arena, &page, err);
		if (kind == ERR_NONE)
			kind = compare_page(c, &page, err);
		buf_clear(&cursor);
		buf_add(&cursor, page.cursor);
		is_last = page.is_last;
		arena_release(&arena);
	}
	buf_release(&cursor);
	return kind;
}

enum err_kind compare_run(struct engine *e, struct compare_result *ret,
			  void (*say)(void *context, const char *line), void *context,
			  struct err *err)
{
	struct compare c = { .e = e,
			     .call = { .lane = LANE_BACKFILL },
			     .result = ret,
			     .say = say,
			     .context = context };
	struct shared_mapping *shared;
	enum err_kind kind;

	*ret = (struct compare_result){ .equal = 0 };
	kind = fields_refresh(e, &c.call, true, err);
	if (kind != ERR_NONE)
		return kind;
	shared = fields_take(e);
	c.mapping = shared->mapping;
	for (int t = TABLE_LEAD; kind == ERR_NONE && t < TABLE_COUNT; t++)
		kind = compare_table(&c, (enum table)t, err);
	fields_drop(e, shared);
	return kind;
}

bool compare_agrees(const struct compare_result *r)
{
	return !r->different && !r->missing[TABLE_LEAD] && !r->missing[TABLE_CONTACT];
}
