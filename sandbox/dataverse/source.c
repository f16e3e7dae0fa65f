/* Where the rows of a query come from, and in which order. Knows no addresses and no JSON. */
#include <stdlib.h>
#include <string.h>

#include "dataverse/query.h"

enum filter_class query_class_of(const struct column *c)
{
	switch (c->def->type) {
	case COLUMN_INTEGER:
	case COLUMN_BIGINT:
	case COLUMN_DECIMAL:
	case COLUMN_DOUBLE:
	case COLUMN_MONEY:
	case COLUMN_PICKLIST:
	case COLUMN_STATE:
	case COLUMN_STATUS:
		return CLASS_NUMBER;
	case COLUMN_BOOLEAN:
		return CLASS_BOOLEAN;
	case COLUMN_DATETIME:
		return strcmp(c->def->behavior, "DateOnly") == 0 ? CLASS_DATE : CLASS_TIME;
	case COLUMN_LOOKUP:
	case COLUMN_CUSTOMER:
	case COLUMN_OWNER:
	case COLUMN_UNIQUEIDENTIFIER:
		return CLASS_GUID;
	case COLUMN_STRING:
	case COLUMN_MEMO:
	case COLUMN_MULTISELECT:
	case COLUMN_IMAGE:
	case COLUMN_TYPE_COUNT:
		return CLASS_TEXT;
	}
	return CLASS_TEXT;
}

uint16_t query_column(const struct query *q, uint32_t number, const struct record *row,
		      const struct table **ret_table, const struct record **ret_row)
{
	const struct path *path = number >> PATH_SHIFT ? &q->paths[(number >> PATH_SHIFT) - 1]
						       : NULL;
	const struct table *t = q->table;

	for (size_t i = 0; path && i < path->count; i++) {
		uint32_t record = row ? join_follow(q->call, t, row, &path->steps[i]) : NO_RECORD;

		t = path->steps[i].table;
		row = record == NO_RECORD ? NULL : &t->records[record];
	}
	if (ret_table)
		*ret_table = t;
	if (ret_row)
		*ret_row = row;
	return (uint16_t)(number & UINT16_MAX);
}

struct filter_value query_value(void *context, const struct filter *leaf)
{
	struct query *q = context;
	const struct table *t;
	const struct record *row;
	uint16_t column = query_column(q, leaf->number, q->row, &t, &row);
	struct value v = { 0 };

	if (row)
		v = record_value(&q->call->dataverse->store, t, row, column, &q->scratch);
	if (v.bytes && value_is_lookup(&t->columns[column]))
		return (struct filter_value){ v.bytes + 1, v.len - 1 };
	return (struct filter_value){ v.bytes, v.len };
}

static bool matches(struct query *q, uint32_t record)
{
	q->row = &q->table->records[record];
	if (q->row->gone)
		return false;
	if (user_depth(q->call->user, q->table, RIGHT_READ) != DEPTH_GLOBAL &&
	    q->row->owner != q->call->user->id)
		return false;
	if (q->link.table && join_follow(q->call, q->table, q->row, &q->link) != q->link_to)
		return false;
	return !q->filter || filter_matches(q->filter, query_value, q);
}

/* The next entry of the log that is still its row's latest. */
static uint32_t log_next(struct query *q, uint64_t *ret_at)
{
	const struct table *t = q->table;
	bool up = q->source == SOURCE_LOG_UP;
	size_t entry = up ? table_log_after(t, q->at - 1) : table_log_after(t, q->at);

	while (up ? entry < t->log_len : entry > 0) {
		const struct change *change = &t->log[up ? entry++ : --entry];

		if (t->records[change->record].version != change->version)
			continue;
		*ret_at = change->version;
		q->at = up ? change->version + 1 : change->version - 1;
		return change->record;
	}
	return NO_RECORD;
}

static uint32_t record_next(struct query *q, uint64_t *ret_at)
{
	if (q->at >= q->table->count)
		return NO_RECORD;
	*ret_at = q->at;
	return (uint32_t)q->at++;
}

/* The next matching row and the place it stands at; NO_RECORD at the end. */
uint32_t source_next(struct query *q, uint64_t *ret_at)
{
	uint32_t record;

	if (q->source == SOURCE_LIST) { /* holds matches only */
		if (q->at >= q->list_len)
			return NO_RECORD;
		*ret_at = q->at;
		return q->list[q->at++];
	}
	do {
		record = q->source == SOURCE_RECORDS ? record_next(q, ret_at) : log_next(q, ret_at);
	} while (record != NO_RECORD && !matches(q, record));
	return record;
}

static bool list_add(void *context, uint32_t record)
{
	struct query *q = context;

	if (q->list_len == q->list_cap) {
		q->list_cap = q->list_cap ? q->list_cap * 2 : 64;
		q->list = realloc(q->list, q->list_cap * sizeof(*q->list));
		if (!q->list)
			abort();
	}
	q->list[q->list_len++] = record;
	return true;
}

/* --- choosing the source --- */

static bool indexed(const struct query *q, const struct filter *f)
{
	const struct table *t = q->table;

	if (f->kind != FILTER_IN && (f->kind != FILTER_COMPARE || f->operator!= FILTER_EQ))
		return false;
	for (size_t i = 0; i < f->value_count; i++)
		if (f->values[i].kind == LITERAL_NULL)
			return false;
	return f->number == t->id_column || f->number == t->email_column ||
	       f->number == t->key_column;
}

/* Can every row the filter lets through be found by an index? */
static bool plannable(const struct query *q, const struct filter *f)
{
	if (f->kind == FILTER_AND)
		return plannable(q, f->left) || plannable(q, f->right);
	if (f->kind == FILTER_OR)
		return plannable(q, f->left) && plannable(q, f->right);
	return indexed(q, f);
}

static void plan(struct query *q, const struct filter *f)
{
	if (f->kind == FILTER_AND) {
		plan(q, plannable(q, f->left) ? f->left : f->right);
		return;
	}
	if (f->kind == FILTER_OR) {
		plan(q, f->left);
		plan(q, f->right);
		return;
	}
	for (size_t i = 0; i < f->value_count; i++) {
		struct guid id;
		uint32_t record;

		if (f->number != q->table->id_column) {
			table_find_text(q->table, (uint16_t)f->number, f->values[i].text.data,
					f->values[i].text.len, list_add, q);
			continue;
		}
		if (!guid_parse(f->values[i].text.data, f->values[i].text.len, &id))
			continue;
		record = table_find(q->table, &id, false);
		if (record != NO_RECORD)
			list_add(q, record);
	}
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Candidates of the index: in order, once each, and only those that match the whole filter. */
static void keep_matches(struct query *q)
{
	size_t kept = 0;

	if (q->list_len)
		qsort(q->list, q->list_len, sizeof(*q->list), by_number);
	for (size_t i = 0; i < q->list_len; i++)
		if ((!kept || q->list[kept - 1] != q->list[i]) && matches(q, q->list[i]))
			q->list[kept++] = q->list[i];
	q->list_len = kept;
}

static int compare_values(const struct column *c, struct value a, struct value b)
{
	enum filter_class class = query_class_of(c);
	size_t least;
	int order;

	if (!a.bytes || !b.bytes)
		return (a.bytes != NULL) - (b.bytes != NULL);
	if (class == CLASS_NUMBER) {
		double x = value_number(a.bytes, a.len), y = value_number(b.bytes, b.len);

		return (x > y) - (x < y);
	}
	if (class == CLASS_TEXT)
		return fold_compare(a.bytes, a.len, b.bytes, b.len);
	least = a.len < b.len ? a.len : b.len;
	order = memcmp(a.bytes, b.bytes, least);
	return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Columns kept as numbers compare without being printed. */
static int64_t plain_number(const struct record *r, enum column_home home)
{
	if (home == HOME_VERSION)
		return (int64_t)r->version;
	return home == HOME_CREATED_ON ? r->created_on : r->modified_on;
}

static int compare_in_column(const struct query *q, const struct record *x, const struct record *y,
			     uint32_t number)
{
	const struct table *t;
	uint16_t column = query_column(q, number, x, &t, &x);
	const struct column *c = &t->columns[column];
	const struct store *s = &q->call->dataverse->store;
	struct scratch x_scratch, y_scratch;

	query_column(q, number, y, NULL, &y);
	if (!x || !y)
		return (x != NULL) - (y != NULL);
	if (c->home == HOME_ID)
		return memcmp(x->id.bytes, y->id.bytes, sizeof(x->id.bytes));
	if (c->home == HOME_VERSION || c->home == HOME_CREATED_ON || c->home == HOME_MODIFIED_ON) {
		int64_t a = plain_number(x, c->home), b = plain_number(y, c->home);

		return (a > b) - (a < b);
	}
	return compare_values(c, record_value(s, t, x, column, &x_scratch),
			      record_value(s, t, y, column, &y_scratch));
}

static int by_orders(const void *a, const void *b, void *context)
{
	const struct query *q = context;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	for (size_t i = 0; i < q->order_count; i++) {
		int order = compare_in_column(q, &q->table->records[x], &q->table->records[y],
					      q->orders[i].number);

		if (order)
			return q->orders[i].descending ? -order : order;
	}
	return (x > y) - (x < y);
}

static bool is_version(const struct query *q, uint32_t number)
{
	return number < q->table->column_count && q->table->columns[number].home == HOME_VERSION;
}

/* A filter "versionnumber gt n" starts the walk over the log there. */
static uint64_t lowest_version(const struct query *q, const struct filter *f)
{
	uint64_t left, right;

	if (!f)
		return 0;
	if (f->kind == FILTER_AND) {
		left = lowest_version(q, f->left);
		right = lowest_version(q, f->right);
		return left > right ? left : right;
	}
	if (f->kind != FILTER_COMPARE || !is_version(q, f->number) ||
	    (f->operator!= FILTER_GT && f->operator!= FILTER_GE) || f->values[0].number < 0)
		return 0;
	return (uint64_t)f->values[0].number;
}

static void list_all(struct query *q)
{
	uint64_t at;
	uint32_t record;

	q->at = 0;
	while ((record = source_next(q, &at)) != NO_RECORD)
		list_add(q, record);
}

void source_choose(struct query *q, const struct page_position *position)
{
	bool by_version = q->order_count && is_version(q, q->orders[0].number);
	uint64_t lowest;

	q->source = SOURCE_RECORDS;
	q->at = position->page > 1 ? position->at : 0;
	if (q->filter && plannable(q, q->filter)) {
		plan(q, q->filter);
		keep_matches(q);
		q->source = SOURCE_LIST;
	} else if (by_version) {
		q->source = q->orders[0].descending ? SOURCE_LOG_DOWN : SOURCE_LOG_UP;
		lowest = lowest_version(q, q->filter);
		if (position->page == 1)
			q->at = q->orders[0].descending ? UINT64_MAX : lowest ? lowest : 1;
		return;
	} else if (q->order_count) {
		list_all(q);
		q->source = SOURCE_LIST;
		q->at = position->page > 1 ? position->at : 0;
	}
	if (q->order_count && q->list_len)
		qsort_r(q->list, q->list_len, sizeof(*q->list), by_orders, q);
}

void source_free(struct query *q)
{
	free(q->list);
}
