/* Links in and out, thousands at a time. */
#include <stdlib.h>

#include "base/mem.h"
#include "store/packing.h"
#include "store/parts.h"

enum { PARKED_BYTES = 14 }; /* target 2, slot 4, fingerprint 8; see LINK_COLUMNS in stmt.c */

static uint64_t big_endian(const char *p, size_t bytes)
{
	uint64_t n = 0;

	for (size_t i = 0; i < bytes; i++)
		n = n << 8 | (unsigned char)p[i];
	return n;
}

static void parked_read(struct str raw, struct link *ret, struct arena *a)
{
	ret->parked_count = raw.n / PARKED_BYTES;
	if (!ret->parked_count)
		return;
	ret->parked = arena_array(a, ret->parked_count, sizeof(*ret->parked));
	for (size_t i = 0; i < ret->parked_count; i++) {
		const char *p = raw.p + i * PARKED_BYTES;

		ret->parked[i] = (struct parked_write){
			.target = big_endian(p, 2) ? SIDE_DYNAMICS : SIDE_MARKETO,
			.slot = (uint16_t)big_endian(p + 2, 4),
			.fingerprint = big_endian(p + 6, 8),
		};
	}
}

/* One row of LINK_COLUMNS, which begin at column 1; NULL when it cannot be a link of ours. */
static struct link *link_read(const struct answer *answer, size_t row, struct arena *a)
{
	struct link *l = arena_alloc(a, sizeof(*l));

	*l = (struct link){
		.table = answer_int(answer, row, 1) == TABLE_CONTACT ? TABLE_CONTACT : TABLE_LEAD,
		.record_id = answer_guid(answer, row, 2),
		.person_id = answer_int(answer, row, 3),
		.state = (enum link_state)answer_int(answer, row, 4),
		.generation = (uint32_t)answer_int(answer, row, 5),
		.version = answer_int(answer, row, 6),
		.is_stamp_due = answer_bool(answer, row, 7),
		.is_stored = true,
	};
	parked_read(answer_bytes(answer, row, 11), l, a);
	if (l->state < LINK_STATE_COUNT &&
	    packing_read(answer_bytes(answer, row, 8), answer_bytes(answer, row, 9),
			 answer_null(answer, row, 9), l, a) &&
	    packing_read_events(answer_bytes(answer, row, 10), l, a))
		return l;
	return NULL;
}

static enum err_kind link_damaged(struct err *err)
{
	return err_set(err, ERR_STORE,
		       "a link in the database is damaged: its fingerprints cannot be read");
}

/* Column 0 tells which of the ids the row answers, from 1. */
static enum err_kind links_placed(struct answer *answer, size_t count, struct arena *a,
				  struct link **ret, struct err *err)
{
	enum err_kind kind = ERR_NONE;

	for (size_t i = 0; i < count; i++)
		ret[i] = NULL;
	for (size_t i = 0; i < answer_rows(answer) && !kind; i++) {
		int64_t n = answer_int(answer, i, 0);
		struct link *l = n >= 1 && (uint64_t)n <= count ? link_read(answer, i, a) : NULL;

		if (l)
			ret[n - 1] = l;
		else
			kind = link_damaged(err);
	}
	answer_release(answer);
	return kind;
}

static enum err_kind links_listed(struct answer *answer, struct arena *a, struct link ***ret,
				  size_t *ret_count, struct err *err)
{
	size_t count = answer_rows(answer);
	struct link **links = arena_array(a, count, sizeof(struct link *));
	enum err_kind kind = ERR_NONE;

	for (size_t i = 0; i < count && !kind; i++) {
		links[i] = link_read(answer, i, a);
		if (!links[i])
			kind = link_damaged(err);
	}
	answer_release(answer);
	if (kind)
		return kind;
	*ret = links;
	*ret_count = count;
	return ERR_NONE;
}

enum err_kind postgres_links_by_record(void *self, enum table table, const struct guid *ids,
				       size_t count, struct arena *a, struct link **ret,
				       struct err *err)
{
	struct postgres *p = self;
	struct params params = { 0 };
	struct answer answer = { 0 };
	struct buf *array;
	enum err_kind kind;

	if (!count)
		return ERR_NONE;
	params_int64(&params, table);
	array = params_array(&params, ELEMENT_GUID, count);
	for (size_t i = 0; i < count; i++)
		array_guid(array, &ids[i]);
	kind = db_ask(p->db, STATEMENT_LINKS_BY_RECORD, &params, &answer, err);
	return kind ? kind : links_placed(&answer, count, a, ret, err);
}

enum err_kind postgres_links_by_person(void *self, const int64_t *ids, size_t count,
				       struct arena *a, struct link **ret, struct err *err)
{
	struct postgres *p = self;
	struct params params = { 0 };
	struct answer answer = { 0 };
	struct buf *array;
	enum err_kind kind;

	if (!count)
		return ERR_NONE;
	array = params_array(&params, ELEMENT_INT64, count);
	for (size_t i = 0; i < count; i++)
		array_int64(array, ids[i]);
	kind = db_ask(p->db, STATEMENT_LINKS_BY_PERSON, &params, &answer, err);
	return kind ? kind : links_placed(&answer, count, a, ret, err);
}

static enum err_kind links_due_after(struct postgres *p, const struct guid *after, size_t limit,
				     struct arena *a, struct link ***ret, size_t *ret_count,
				     struct err *err)
{
	struct params params = { 0 };
	struct answer answer = { 0 };
	enum err_kind kind;

	params_guid(&params, after);
	params_int64(&params, (int64_t)limit);
	kind = db_ask(p->db, STATEMENT_LINKS_DUE, &params, &answer, err);
	return kind ? kind : links_listed(&answer, a, ret, ret_count, err);
}

enum err_kind postgres_links_due(void *self, size_t limit, struct arena *a, struct link ***ret,
				 size_t *ret_count, struct err *err)
{
	static const struct guid first;
	struct postgres *p = self;
	struct guid after;
	enum err_kind kind;

	(void)pthread_mutex_lock(&p->due_lock);
	after = p->due_after;
	(void)pthread_mutex_unlock(&p->due_lock);
	kind = links_due_after(p, &after, limit, a, ret, ret_count, err);
	if (!kind && !*ret_count && !guid_is_zero(&after))
		kind = links_due_after(p, &first, limit, a, ret, ret_count, err);
	if (kind)
		return kind;
	after = *ret_count == limit && limit ? (*ret)[limit - 1]->record_id : first;
	(void)pthread_mutex_lock(&p->due_lock);
	p->due_after = after;
	(void)pthread_mutex_unlock(&p->due_lock);
	return ERR_NONE;
}

enum err_kind postgres_claims_stale(void *self, int64_t older_than_ms, size_t limit,
				    struct arena *a, struct link ***ret, size_t *ret_count,
				    struct err *err)
{
	struct postgres *p = self;
	struct params params = { 0 };
	struct answer answer = { 0 };
	enum err_kind kind;

	params_int64(&params, older_than_ms);
	params_int64(&params, (int64_t)limit);
	kind = db_ask(p->db, STATEMENT_CLAIMS_STALE, &params, &answer, err);
	return kind ? kind : links_listed(&answer, a, ret, ret_count, err);
}

void link_params(struct params *p, const struct link *const *links, size_t count)
{
	struct buf *table = params_array(p, ELEMENT_INT32, count),
		   *record = params_array(p, ELEMENT_GUID, count);
	struct buf *person = params_array(p, ELEMENT_INT64, count),
		   *state = params_array(p, ELEMENT_INT32, count);
	struct buf *generation = params_array(p, ELEMENT_INT32, count),
		   *version = params_array(p, ELEMENT_INT64, count);
	struct buf *stamp_due = params_array(p, ELEMENT_BOOL, count),
		   *marketo = params_array(p, ELEMENT_BYTES, count);
	struct buf *dynamics = params_array(p, ELEMENT_BYTES, count),
		   *events = params_array(p, ELEMENT_BYTES, count);
	struct buf packed[SIDE_COUNT] = { 0 }, packed_events = { 0 };

	for (size_t i = 0; i < count; i++) {
		const struct link *l = links[i];
		bool is_same;

		array_int32(table, l->table);
		array_guid(record, &l->record_id);
		array_int64(person, l->person_id);
		array_int32(state, l->state);
		array_int32(generation, l->generation);
		array_int64(version, l->version);
		array_bool(stamp_due, l->is_stamp_due);
		buf_clear(&packed[SIDE_MARKETO]);
		buf_clear(&packed[SIDE_DYNAMICS]);
		packing_write(l, &packed[SIDE_MARKETO], &packed[SIDE_DYNAMICS], &is_same);
		array_bytes(marketo, buf_str(&packed[SIDE_MARKETO]));
		if (is_same)
			array_null(dynamics);
		else
			array_bytes(dynamics, buf_str(&packed[SIDE_DYNAMICS]));
		buf_clear(&packed_events);
		packing_write_events(l, &packed_events);
		if (l->event_count)
			array_bytes(events, buf_str(&packed_events));
		else
			array_null(events);
	}
	buf_release(&packed_events);
	buf_release(&packed[SIDE_MARKETO]);
	buf_release(&packed[SIDE_DYNAMICS]);
}

struct claim_key {
	const struct link *link;
	size_t place;
};

int link_row_order(const struct link *a, const struct link *b)
{
	int order = guid_compare(&a->record_id, &b->record_id);

	return order ? order : (a->table > b->table) - (a->table < b->table);
}

int link_write_order(const void *left, const void *right)
{
	const struct link *const *a = left, *const *b = right;
	int order = ((*a)->person_id > (*b)->person_id) - ((*a)->person_id < (*b)->person_id);

	return order ? order : link_row_order(*a, *b);
}

static int claim_order(const void *left, const void *right)
{
	const struct claim_key *a = left, *b = right;
	int order = link_row_order(a->link, b->link);

	return order ? order : (a->place > b->place) - (a->place < b->place);
}

/* Finds the claim a returned row answers: of several for one record the one with its person. */
static void claim_won(const struct claim_key *keys, size_t count, const struct link *row, bool *ret)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (link_row_order(keys[middle].link, row) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < count && !link_row_order(keys[low].link, row); low++) {
		if (keys[low].link->person_id == row->person_id) {
			ret[keys[low].place] = true;
			return;
		}
	}
}

enum err_kind postgres_claim(void *self, const struct link *const *links, size_t count, bool *ret,
			     struct err *err)
{
	struct postgres *p = self;
	struct claim_key *keys CLEANUP(mem_freep) = NULL;
	const struct link **sorted CLEANUP(mem_freep) = NULL;
	struct params params = { 0 };
	struct answer answer = { 0 };
	enum err_kind kind;

	if (!count)
		return ERR_NONE;
	keys = mem_array(count, sizeof(*keys));
	sorted = mem_array(count, sizeof(struct link *));
	for (size_t i = 0; i < count; i++)
		keys[i] = (struct claim_key){ .link = links[i], .place = i };
	for (size_t i = 0; i < count; i++)
		sorted[i] = links[i];
	qsort(keys, count, sizeof(*keys), claim_order);
	qsort(sorted, count, sizeof(struct link *), link_write_order);
	link_params(&params, sorted, count);
	kind = db_ask(p->db, STATEMENT_LINKS_CLAIM, &params, &answer, err);
	if (kind)
		return kind;
	for (size_t i = 0; i < count; i++)
		ret[i] = false;
	for (size_t i = 0; i < answer_rows(&answer); i++) {
		const struct link row = {
			.table = (enum table)answer_int(&answer, i, 0),
			.record_id = answer_guid(&answer, i, 1),
			.person_id = answer_int(&answer, i, 2),
		};

		claim_won(keys, count, &row, ret);
	}
	answer_release(&answer);
	return ERR_NONE;
}
