/* Marks for another look: persons and records, each with a number that rises with every mark. */
#include "store/parts.h"

static size_t count_side(const struct dirty *marks, size_t count, enum side side)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += table_side(marks[i].table) == side;
	return n;
}

/* Marks of persons or of records; seq may be left out. */
static void dirty_params(struct params *p, const struct dirty *marks, size_t count, enum side side,
			 bool with_seq)
{
	size_t n = count_side(marks, count, side);
	bool is_record = side == SIDE_DYNAMICS;
	struct buf *table = is_record ? params_array(p, ELEMENT_INT32, n) : NULL;
	struct buf *id = params_array(p, is_record ? ELEMENT_GUID : ELEMENT_INT64, n);
	struct buf *seq = with_seq ? params_array(p, ELEMENT_INT64, n) : NULL;

	for (size_t i = 0; i < count; i++) {
		if (table_side(marks[i].table) != side)
			continue;
		if (is_record) {
			array_int32(table, marks[i].table);
			array_guid(id, &marks[i].record_id);
		} else {
			array_int64(id, marks[i].person_id);
		}
		if (seq)
			array_int64(seq, marks[i].seq);
	}
}

static enum err_kind marks_put(struct session *s, const struct dirty *marks, size_t count,
			       bool is_clean, struct err *err)
{
	static const enum statement ids[SIDE_COUNT][2] = {
		[SIDE_MARKETO] = { STATEMENT_DIRTY_PERSONS_ADD, STATEMENT_DIRTY_PERSONS_CLEAN },
		[SIDE_DYNAMICS] = { STATEMENT_DIRTY_RECORDS_ADD, STATEMENT_DIRTY_RECORDS_CLEAN },
	};
	enum err_kind kind = ERR_NONE;

	for (int side = 0; side < SIDE_COUNT && !kind; side++) {
		struct params p = { 0 };

		if (!count_side(marks, count, (enum side)side))
			continue;
		dirty_params(&p, marks, count, (enum side)side, is_clean);
		kind = session_run(s, ids[side][is_clean], &p, NULL, err);
		params_release(&p);
	}
	return kind;
}

enum err_kind marks_write(struct session *s, const struct unit *unit, struct err *err)
{
	enum err_kind kind = marks_put(s, unit->clean, unit->clean_count, true, err);

	return kind ? kind : marks_put(s, unit->dirty, unit->dirty_count, false, err);
}

static struct dirty mark_read(const struct answer *answer, size_t row, enum side side)
{
	if (side == SIDE_MARKETO)
		return (struct dirty){ .table = TABLE_PERSON,
				       .person_id = answer_int(answer, row, 0),
				       .seq = answer_int(answer, row, 1) };
	return (struct dirty){ .table = answer_int(answer, row, 0) == TABLE_CONTACT ? TABLE_CONTACT
										    : TABLE_LEAD,
			       .record_id = answer_guid(answer, row, 1),
			       .seq = answer_int(answer, row, 2) };
}

enum err_kind postgres_dirty(void *self, enum side side, int64_t after, int64_t up_to, size_t limit,
			     struct arena *a, struct dirty **ret, size_t *ret_count,
			     struct err *err)
{
	struct postgres *p = self;
	struct params params = { 0 };
	struct answer answer = { 0 };
	enum err_kind kind;

	params_int64(&params, after);
	params_int64(&params, up_to);
	params_int64(&params, (int64_t)limit);
	kind = db_ask(p->db,
		      side == SIDE_MARKETO ? STATEMENT_DIRTY_PERSONS : STATEMENT_DIRTY_RECORDS,
		      &params, &answer, err);
	if (kind)
		return kind;
	*ret_count = answer_rows(&answer);
	*ret = arena_array(a, *ret_count, sizeof(struct dirty));
	for (size_t i = 0; i < *ret_count; i++)
		(*ret)[i] = mark_read(&answer, i, side);
	answer_release(&answer);
	return ERR_NONE;
}

enum err_kind postgres_dirty_high(void *self, int64_t *ret, struct err *err)
{
	struct postgres *p = self;
	struct answer answer = { 0 };
	enum err_kind kind = db_run(p->db, STATEMENT_DIRTY_HIGH, NULL, &answer, err);

	if (kind)
		return kind;
	*ret = answer_int(&answer, 0, 0);
	answer_release(&answer);
	return ERR_NONE;
}

/* Asks one question about each of the persons: the statement answers with the numbers, from 1, of
 * those it is true of, and a value. */
static enum err_kind marks_among(struct postgres *p, enum statement statement,
				 const int64_t *person_ids, size_t count, struct answer *answer,
				 struct err *err)
{
	struct params params = { 0 };
	struct buf *ids = params_array(&params, ELEMENT_INT64, count);

	for (size_t i = 0; i < count; i++)
		array_int64(ids, person_ids[i]);
	return db_ask(p->db, statement, &params, answer, err);
}

enum err_kind postgres_dirty_among(void *self, const int64_t *person_ids, size_t count,
				   int64_t *ret, struct err *err)
{
	struct answer answer = { 0 };
	enum err_kind kind;

	if (!count)
		return ERR_NONE;
	memset(ret, 0, count * sizeof(*ret));
	kind = marks_among(self, STATEMENT_DIRTY_AMONG, person_ids, count, &answer, err);
	if (kind)
		return kind;
	for (size_t i = 0; i < answer_rows(&answer); i++) {
		int64_t n = answer_int(&answer, i, 0);

		if (n >= 1 && (uint64_t)n <= count)
			ret[n - 1] = answer_int(&answer, i, 1);
	}
	answer_release(&answer);
	return ERR_NONE;
}

enum err_kind postgres_overwrites(void *self, const int64_t *person_ids, size_t count,
				  struct arena *a, struct overwrite_row **ret, size_t *ret_count,
				  struct err *err)
{
	struct answer answer = { 0 };
	enum err_kind kind;

	*ret = NULL;
	*ret_count = 0;
	if (!count)
		return ERR_NONE;
	kind = marks_among(self, STATEMENT_OVERWRITES, person_ids, count, &answer, err);
	if (kind)
		return kind;
	*ret_count = answer_rows(&answer);
	*ret = arena_array(a, *ret_count, sizeof(**ret));
	for (size_t i = 0; i < *ret_count; i++)
		(*ret)[i] = (struct overwrite_row){
			.person_id = answer_int(&answer, i, 0),
			.slot = (uint16_t)answer_int(&answer, i, 1),
			.seen = (uint64_t)answer_int(&answer, i, 2),
			.written = (uint64_t)answer_int(&answer, i, 3),
		};
	answer_release(&answer);
	return ERR_NONE;
}

enum err_kind postgres_requests_among(void *self, const int64_t *person_ids, size_t count,
				      bool *ret, struct err *err)
{
	struct answer answer = { 0 };
	enum err_kind kind;

	if (!count)
		return ERR_NONE;
	memset(ret, 0, count * sizeof(*ret));
	kind = marks_among(self, STATEMENT_REQUESTS_AMONG, person_ids, count, &answer, err);
	if (kind)
		return kind;
	for (size_t i = 0; i < answer_rows(&answer); i++) {
		int64_t n = answer_int(&answer, i, 0);

		if (n >= 1 && (uint64_t)n <= count)
			ret[n - 1] = true;
	}
	answer_release(&answer);
	return ERR_NONE;
}
