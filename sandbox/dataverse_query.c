/* A query over a table: $filter, $orderby, $top, $count, in pages (Microsoft Learn: Query data using the Web API).
 * Rows come from an index when the filter names one, from the log when they are ordered by version, else from a walk
 * over the table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataverse.h"
#include "dataverse_filter.h"

#define COUNT_MAX 5000
#define ORDERS_MAX 8

enum source { SOURCE_RECORDS, SOURCE_LIST, SOURCE_LOG_UP, SOURCE_LOG_DOWN };

struct order {
	uint16_t column;
	bool descending;
};

struct query {
	struct call *call;
	struct table *table;
	struct filter *filter;
	struct order orders[ORDERS_MAX];
	size_t order_count;
	enum source source;
	uint32_t *list;
	size_t list_len, list_cap;
	uint64_t at; /* next place of the source */
	const struct record *row; /* the one the filter is asked about */
	struct scratch scratch;
};

static void query_free(struct query *q)
{
	filter_free(q->filter);
	free(q->list);
}

/* --- the filter's names --- */

static bool alias(void *context, const char *name, struct text *ret)
{
	struct query *q = context;

	return call_option(q->call, name, ret) && ret->len;
}

static enum filter_class class_of(const struct column *c)
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

static bool secured_in_query(struct query *q, uint16_t column, struct failure *failure)
{
	if (value_readable(q->call, q->table, column))
		return true;
	return failure_set(failure, 403, "0x8004f506",
			   "Caller user does not have read permissions to a %s secured field on entity %s. The requested operation "
			   "could not be completed.",
			   q->table->columns[column].def->label, q->table->def->logical_name);
}

static bool bind(void *context, struct filter *f, struct failure *failure)
{
	struct query *q = context;
	uint16_t column = table_column_of_wire(q->table, f->name, strlen(f->name));

	if (column == NO_COLUMN && f->kind == FILTER_IN)
		column = table_column(q->table, f->name, strlen(f->name));
	if (column == NO_COLUMN)
		return failure_set(failure, 400, ODATA_ERROR,
				   "Could not find a property named '%.200s' on type 'Microsoft.Dynamics.CRM.%s'.", f->name,
				   q->table->def->logical_name);
	f->number = column;
	f->class = class_of(&q->table->columns[column]);
	return secured_in_query(q, column, failure);
}

static struct filter_value value_of(void *context, const struct filter *leaf)
{
	struct query *q = context;
	struct value v =
		record_value(&q->call->dataverse->store, q->table, q->row, (uint16_t)leaf->number, &q->scratch);

	if (v.bytes && value_is_lookup(&q->table->columns[leaf->number]))
		return (struct filter_value){v.bytes + 1, v.len - 1};
	return (struct filter_value){v.bytes, v.len};
}

static bool read_filter(struct query *q)
{
	struct filter_names names = {.alias = alias, .bind = bind, .context = q};
	struct text text = {0};
	bool good = true;

	if (call_option(q->call, "$filter", &text)) {
		q->filter = filter_parse(text.len ? text.data : "", &names, &q->call->failure);
		good = q->filter != NULL;
	}
	text_free(&text);
	return good;
}

/* --- $orderby --- */

static bool read_order(struct query *q, const char *at, size_t len)
{
	size_t name = 0;
	uint16_t column;
	const char *rest;

	while (name < len && at[name] != ' ')
		name++;
	column = table_column_of_wire(q->table, at, name);
	if (column == NO_COLUMN)
		return call_refuse(q->call, 400, ODATA_ERROR,
				   "Could not find a property named '%.*s' on type 'Microsoft.Dynamics.CRM.%s'.", (int)name, at,
				   q->table->def->logical_name);
	rest = at + name + strspn(at + name, " ");
	if (q->order_count == ORDERS_MAX)
		return call_refuse(q->call, 400, ODATA_ERROR, "Too many columns in $orderby.");
	q->orders[q->order_count].column = column;
	q->orders[q->order_count++].descending = strncmp(rest, "desc", 4) == 0;
	return secured_in_query(q, column, &q->call->failure);
}

static bool read_orders(struct query *q)
{
	struct text text = {0};
	bool good = true;

	if (call_option(q->call, "$orderby", &text) && text.len) {
		for (const char *at = text.data; good && *at;) {
			size_t len;

			at += strspn(at, ", ");
			len = strcspn(at, ",");
			good = !len || read_order(q, at, len);
			at += len;
		}
	}
	text_free(&text);
	return good;
}

/* --- rows that match --- */

static bool matches(struct query *q, uint32_t record)
{
	q->row = &q->table->records[record];
	if (q->row->gone)
		return false;
	if (user_depth(q->call->user, q->table, RIGHT_READ) != DEPTH_GLOBAL && q->row->owner != q->call->user->id)
		return false;
	return !q->filter || filter_matches(q->filter, value_of, q);
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
static uint32_t next_match(struct query *q, uint64_t *ret_at)
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

	if (f->kind != FILTER_IN && (f->kind != FILTER_COMPARE || f->operator != FILTER_EQ))
		return false;
	for (size_t i = 0; i < f->value_count; i++)
		if (f->values[i].kind == LITERAL_NULL)
			return false;
	return f->number == t->id_column || f->number == t->email_column || f->number == t->key_column;
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
			table_find_text(q->table, (uint16_t)f->number, f->values[i].text.data, f->values[i].text.len, list_add, q);
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
	enum filter_class class = class_of(c);
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

static int compare_in_column(const struct query *q, const struct record *x, const struct record *y, uint16_t column)
{
	const struct column *c = &q->table->columns[column];
	const struct store *s = &q->call->dataverse->store;
	struct scratch x_scratch, y_scratch;

	if (c->home == HOME_ID)
		return memcmp(x->id.bytes, y->id.bytes, sizeof(x->id.bytes));
	if (c->home == HOME_VERSION || c->home == HOME_CREATED_ON || c->home == HOME_MODIFIED_ON) {
		int64_t a = plain_number(x, c->home), b = plain_number(y, c->home);

		return (a > b) - (a < b);
	}
	return compare_values(c, record_value(s, q->table, x, column, &x_scratch),
			      record_value(s, q->table, y, column, &y_scratch));
}

static int by_orders(const void *a, const void *b, void *context)
{
	const struct query *q = context;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	for (size_t i = 0; i < q->order_count; i++) {
		int order = compare_in_column(q, &q->table->records[x], &q->table->records[y], q->orders[i].column);

		if (order)
			return q->orders[i].descending ? -order : order;
	}
	return (x > y) - (x < y);
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
	if (f->kind != FILTER_COMPARE || q->table->columns[f->number].home != HOME_VERSION ||
	    (f->operator != FILTER_GT && f->operator != FILTER_GE) || f->values[0].number < 0)
		return 0;
	return (uint64_t)f->values[0].number;
}

static void list_all(struct query *q)
{
	uint64_t at;
	uint32_t record;

	q->at = 0;
	while ((record = next_match(q, &at)) != NO_RECORD)
		list_add(q, record);
}

static void choose_source(struct query *q, const struct page_position *position)
{
	bool by_version = q->order_count && q->table->columns[q->orders[0].column].home == HOME_VERSION;
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

/* --- the answer --- */

static bool options_offered(struct call *c)
{
	static const char *const offered[] = {"$select",    "$filter",     "$orderby", "$top", "$count",
					      "$skiptoken", "$deltatoken", "tag"};
	const char *at = c->request->query;

	while (*at) {
		size_t len = strcspn(at, "=&");
		struct text name = {0};
		bool known = false;

		text_url_decode(&name, at, len, true);
		for (size_t i = 0; i < sizeof(offered) / sizeof(offered[0]); i++)
			known |= strcmp(name.data, offered[i]) == 0;
		known |= *name.data == '@' || !*name.data;
		if (!known)
			call_refuse(c, 501, ODATA_ERROR, "The query option %.100s is not offered here.", name.data);
		text_free(&name);
		if (!known)
			return false;
		at += strcspn(at, "&");
		at += *at == '&';
	}
	return true;
}

static bool is_tracking(const struct call *c, const struct page_position *position)
{
	struct text token = {0};
	bool delta = call_option(c, "$deltatoken", &token);

	text_free(&token);
	return delta || position->tracking || c->prefer.track_changes;
}

static size_t count_all(struct query *q)
{
	uint64_t start = q->at, at;
	size_t count = 0;

	if (q->source == SOURCE_LIST)
		return q->list_len < COUNT_MAX ? q->list_len : COUNT_MAX;
	q->at = q->source == SOURCE_LOG_DOWN ? UINT64_MAX : q->source == SOURCE_LOG_UP;
	while (count < COUNT_MAX && next_match(q, &at) != NO_RECORD)
		count++;
	q->at = start;
	return count;
}

static void write_head(struct query *q, const struct projection *p)
{
	struct call *c = q->call;
	struct text *out = &c->response->body;
	struct text counted = {0};
	bool count = call_option(c, "$count", &counted) && counted.len && strcmp(counted.data, "true") == 0;

	text_free(&counted);
	call_json(c, 200);
	call_preferences_applied(c);
	text_printf(out, "{\"@odata.context\":\"%s$metadata#%s", c->root.data, q->table->def->set_name);
	select_context(p, q->table, out);
	text_puts(out, "\"");
	if (call_wants_annotation(c, "Microsoft.Dynamics.CRM.totalrecordcount"))
		text_printf(out, ",\"@Microsoft.Dynamics.CRM.totalrecordcount\":%lld",
			    count ? (long long)count_all(q) : -1LL);
	if (call_wants_annotation(c, "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"))
		text_printf(out, ",\"@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded\":%s",
			    count && count_all(q) == COUNT_MAX ? "true" : "false");
	if (call_wants_annotation(c, "Microsoft.Dynamics.CRM.globalmetadataversion"))
		text_printf(out, ",\"@Microsoft.Dynamics.CRM.globalmetadataversion\":\"%llu\"",
			    (unsigned long long)c->dataverse->metadata_version);
	if (count)
		text_printf(out, ",\"@odata.count\":%zu", count_all(q));
	text_puts(out, ",\"value\":[");
}

static void write_rows(struct query *q, const struct projection *p, const struct page_position *position, long top)
{
	struct call *c = q->call;
	struct text *out = &c->response->body;
	long limit = c->prefer.page_size || !top ? page_size(c) : top;
	uint32_t record;
	uint64_t at = 0;

	for (long i = 0; (record = next_match(q, &at)) != NO_RECORD && i < limit; i++) {
		if (i)
			text_add(out, ",", 1);
		select_write(c, q->table, record, p, out);
	}
	text_puts(out, "]");
	if (record != NO_RECORD && (c->prefer.page_size || !top)) {
		struct page_position next = {.page = position->page + 1, .version = position->version, .at = at};
		struct text link = {0};

		page_link(c, q->table, &next, &link);
		text_puts(out, ",\"@odata.nextLink\":");
		text_json_string(out, link.data, link.len);
		text_free(&link);
	}
	text_puts(out, "}");
}

static bool read_top(struct call *c, long *ret)
{
	struct text text = {0};
	char *end = NULL;

	*ret = 0;
	if (call_option(c, "$top", &text))
		*ret = text.len ? strtol(text.data, &end, 10) : -1;
	if (*ret < 0 || (end && *end))
		call_refuse(c, 400, ODATA_ERROR, "Invalid value for $top query option.");
	else if (end && *ret > page_size(c))
		*ret = page_size(c);
	text_free(&text);
	return *ret >= 0 && !(c->failure.status);
}

bool query_collection(struct call *c, struct table *t)
{
	struct query q = {.call = c, .table = t};
	struct page_position position;
	struct projection p;
	long top;
	bool good;

	if (!user_may(c->user, t, RIGHT_READ, &c->failure) || !page_read(c, &position))
		return false;
	if (is_tracking(c, &position))
		return delta_collection(c, t);
	good = options_offered(c) && select_parse(c, t, &p) && read_top(c, &top) && read_filter(&q) && read_orders(&q);
	if (good) {
		choose_source(&q, &position);
		write_head(&q, &p);
		write_rows(&q, &p, &position, top);
	}
	query_free(&q);
	return good;
}

/* text/plain with a byte order mark, as the vendor sends it */
bool query_count(struct call *c, struct table *t)
{
	struct query q = {.call = c, .table = t};
	struct page_position position = {.page = 1};
	bool good;

	if (!user_may(c->user, t, RIGHT_READ, &c->failure))
		return false;
	if (is_tracking(c, &position))
		return delta_count(c, t);
	good = options_offered(c) && read_filter(&q);
	if (good) {
		choose_source(&q, &position);
		c->response->status = 200;
		web_header(c->response, "OData-Version", "4.0");
		web_header(c->response, "Content-Type", "text/plain");
		text_printf(&c->response->body, "\xef\xbb\xbf%zu", count_all(&q));
	}
	query_free(&q);
	return good;
}
