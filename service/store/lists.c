/* Lists for people, a page at a time, newest first. What columns a list has is said by its
 * statement alone: column 0 is the place the page went to, the others are shown under their alias;
 * "name:kind" shows a number by its name in the program. */
#include <inttypes.h>

#include "store/parts.h"

enum { LIST_LIMIT_MAX = 1000 };

static const struct {
	enum statement statement;
	char letter; /* begins a cursor, so that one of another list is recognised */
} lists[LIST_KIND_COUNT] = {
	[LIST_CYCLES] = { STATEMENT_LIST_CYCLES, 'c' },
	[LIST_ERRORS] = { STATEMENT_LIST_ERRORS, 'e' },
	[LIST_COLLISIONS] = { STATEMENT_LIST_COLLISIONS, 'k' },
	[LIST_FIELDS] = { STATEMENT_LIST_FIELDS, 'f' },
	[LIST_REQUESTS] = { STATEMENT_LIST_REQUESTS, 'r' },
};

static const char *name_of_table(int64_t n)
{
	return n >= 0 && n < TABLE_COUNT ? table_name((enum table)n) : NULL;
}

static const char *name_of_side(int64_t n)
{
	return n >= 0 && n < SIDE_COUNT ? side_name((enum side)n) : NULL;
}

/* By the side that was to be written. */
static const char *name_of_direction(int64_t n)
{
	return n == SIDE_MARKETO ? "Dynamics to Marketo" : "Marketo to Dynamics";
}

static const char *name_of_outcome(int64_t n)
{
	return n > 0 && n < OUTCOME_COUNT ? outcome_name((enum outcome)n) : NULL;
}

static const char *name_of_door(int64_t n)
{
	return n >= 0 && n < DOOR_COUNT ? door_name((enum door)n) : NULL;
}

static const char *name_of_cycle(int64_t n)
{
	return n >= 0 && n < CYCLE_RESULT_COUNT ? cycle_result_name((enum cycle_result)n) : NULL;
}

typedef const char *name_function(int64_t n);

static const struct {
	const char *kind;
	name_function *name;
} name_kinds[] = {
	{ "table", name_of_table },         { "side", name_of_side },
	{ "direction", name_of_direction }, { "outcome", name_of_outcome },
	{ "door", name_of_door },           { "cycle", name_of_cycle },
};

static name_function *name_kind(struct str kind)
{
	for (size_t i = 0; i < ARRAY_LEN(name_kinds); i++) {
		if (str_equal(kind, str_of(name_kinds[i].kind)))
			return name_kinds[i].name;
	}
	return NULL;
}

static const enum cell_type cell_types[] = {
	[ANSWER_TEXT] = CELL_TEXT,
	[ANSWER_NUMBER] = CELL_NUMBER,
	[ANSWER_BOOLEAN] = CELL_BOOLEAN,
	[ANSWER_TIME] = CELL_TIME,
};

static void list_column(const struct answer *answer, size_t column, struct rowset *ret)
{
	struct str kind = str_of(answer_name(answer, (int)column + 1));
	struct str name = str_cut(&kind, ':');
	name_function *name_of = name_kind(kind);

	ret->names[column] = arena_text(&ret->memory, name);
	ret->types[column] = name_of ? CELL_TEXT : cell_types[answer_kind(answer, (int)column + 1)];
	for (size_t row = 0; row < ret->rows; row++) {
		struct str *cell = &ret->cells[row * ret->columns + column];

		if (answer_null(answer, row, (int)column + 1))
			continue;
		if (name_of)
			*cell = str_of(name_of(answer_int(answer, row, (int)column + 1)));
		else
			*cell = answer_print(answer, row, (int)column + 1, &ret->memory);
	}
}

/* The statement was asked for one row more than the page holds, to know whether another page
 * follows. */
static void list_fill(const struct answer *answer, const struct list_query *query, size_t limit,
		      struct rowset *ret)
{
	*ret = (struct rowset){ .columns = (size_t)answer_columns(answer) - 1,
				.rows = answer_rows(answer) };
	if (ret->rows > limit) {
		ret->rows = limit;
		ret->next = str_of(arena_fmt(&ret->memory, "%c%" PRId64, lists[query->kind].letter,
					     answer_int(answer, limit - 1, 0)));
	}
	ret->names = arena_array(&ret->memory, ret->columns, sizeof(char *));
	ret->types = arena_array(&ret->memory, ret->columns, sizeof(enum cell_type));
	ret->cells = arena_array(&ret->memory, ret->rows * ret->columns, sizeof(struct str));
	for (size_t i = 0; i < ret->columns; i++)
		list_column(answer, i, ret);
}

static bool list_place(const struct list_query *query, int64_t *ret)
{
	struct str number = query->cursor;

	*ret = INT64_MAX;
	if (!number.n)
		return true;
	if (*number.p != lists[query->kind].letter)
		return false;
	number = (struct str){ number.p + 1, number.n - 1 };
	return str_int64(number, INT64_MIN, INT64_MAX, ret);
}

static enum err_kind list_check(const struct list_query *query, int64_t *ret_place,
				struct guid *ret_record, struct err *err)
{
	static const char *const states[] = { "", "open", "resolved", "all" };
	bool is_known = false;

	*ret_record = (struct guid){ { 0 } };
	if ((unsigned)query->kind >= LIST_KIND_COUNT || query->limit < 1 ||
	    query->limit > LIST_LIMIT_MAX)
		return err_set(err, ERR_INPUT, "limit must be between 1 and %d", LIST_LIMIT_MAX);
	if (!list_place(query, ret_place))
		return err_set(err, ERR_INPUT, "cursor is not one that this list gave out");
	if (query->record_id.n && !guid_parse(query->record_id, ret_record))
		return err_set(err, ERR_INPUT, "the record id is not a GUID");
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		is_known = is_known || str_equal(query->state, str_of(states[i]));
	if (!is_known)
		return err_set(err, ERR_INPUT, "state must be open, resolved or all");
	return ERR_NONE;
}

enum err_kind postgres_list(void *self, const struct list_query *query, struct rowset *ret,
			    struct err *err)
{
	struct postgres *p = self;
	struct params params = { 0 };
	struct answer answer = { 0 };
	struct guid record;
	int64_t place;
	enum err_kind kind = list_check(query, &place, &record, err);

	if (kind)
		return kind;
	params_int64(&params, (int64_t)query->limit + 1);
	params_int64(&params, place);
	params_int64(&params, query->person_id);
	params_guid(&params, &record);
	params_text(&params, query->field);
	params_text(&params, query->state);
	params_time(&params, query->since_s * 1000);
	params_time(&params, query->until_s * 1000);
	kind = db_ask(p->db, lists[query->kind].statement, &params, &answer, err);
	if (kind)
		return kind;
	list_fill(&answer, query, query->limit, ret);
	answer_release(&answer);
	return ERR_NONE;
}
