/* A query over a table: $filter, $orderby, $top, $count, in pages (Microsoft Learn: Query data
 * using the Web API). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataverse/query.h"

#define COUNT_MAX 5000

static void query_free(struct query *q)
{
	filter_free(q->filter);
	source_free(q);
}

/* --- the filter's names --- */

static bool alias(void *context, const char *name, struct text *ret)
{
	struct query *q = context;

	return call_option(q->call, name, ret) && ret->len;
}

static bool secured_in_query(struct query *q, const struct table *t, uint16_t column)
{
	if (value_readable(q->call, t, column))
		return true;
	return call_refuse(
		q->call, 403, "0x8004f506",
		"Caller user does not have read permissions to a %s secured field on entity %s. The requested "
		"operation could not be completed.",
		t->columns[column].def->label, t->def->logical_name);
}

/* The steps before the last slash of a name; takes them off the name. */
static bool read_path(struct query *q, const char **name, size_t *len, struct path *ret)
{
	const struct table *t = q->table;
	const char *slash;

	while ((slash = memchr(*name, '/', *len))) {
		size_t part = (size_t)(slash - *name);

		if (q->joins++ == JOINS_MAX)
			return join_too_many(q->call);
		if (!join_find(q->call, t, *name, part, &ret->steps[ret->count]))
			return false;
		t = ret->steps[ret->count++].table;
		*name += part + 1;
		*len -= part + 1;
	}
	return true;
}

/* A column by its name, perhaps of a related row; by_attribute: a lookup may be named bare. */
static bool find_column(struct query *q, const char *name, size_t len, bool by_attribute,
			uint32_t *ret)
{
	struct path path = { 0 };
	const struct table *t = q->table;
	uint16_t column;

	if (!read_path(q, &name, &len, &path))
		return false;
	if (path.count)
		t = path.steps[path.count - 1].table;
	column = table_column_of_wire(t, name, len);
	if (column == NO_COLUMN && by_attribute)
		column = table_column(t, name, len);
	if (column == NO_COLUMN)
		return call_refuse(
			q->call, 400, ODATA_ERROR,
			"Could not find a property named '%.*s' on type 'Microsoft.Dynamics.CRM.%s'.",
			(int)(len < 200 ? len : 200), name, t->def->logical_name);
	*ret = column;
	if (path.count) {
		q->paths[q->path_count++] = path;
		*ret |= (uint32_t)q->path_count << PATH_SHIFT;
	}
	return secured_in_query(q, t, column);
}

static bool bind(void *context, struct filter *f, struct failure *failure)
{
	struct query *q = context;
	const struct table *t;
	uint16_t column;

	(void)failure; /* the call's */
	if (!find_column(q, f->name, strlen(f->name), f->kind == FILTER_IN, &f->number))
		return false;
	column = query_column(q, f->number, NULL, &t, NULL);
	f->class = query_class_of(&t->columns[column]);
	return true;
}

static bool read_filter(struct query *q)
{
	struct filter_names names = { .alias = alias, .bind = bind, .context = q };
	struct text text = { 0 };
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
	struct order *order = &q->orders[q->order_count];
	const char *rest;

	while (name < len && at[name] != ' ')
		name++;
	rest = at + name + strspn(at + name, " ");
	len -= (size_t)(rest - at);
	while (len && rest[len - 1] == ' ')
		len--;
	if (len && !(len == 3 && memcmp(rest, "asc", 3) == 0) &&
	    !(len == 4 && memcmp(rest, "desc", 4) == 0))
		return call_refuse(q->call, 400, ODATA_ERROR,
				   "Syntax error in $orderby at '%.100s'.", rest);
	if (q->order_count == ORDERS_MAX)
		return call_refuse(q->call, 400, ODATA_ERROR, "Too many columns in $orderby.");
	q->order_count++;
	order->descending = len == 4;
	return find_column(q, at, name, false, &order->number);
}

static bool read_orders(struct query *q)
{
	struct text text = { 0 };
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

/* --- the answer --- */

/* $count is true or false. */
static bool read_count(struct call *c, bool *ret)
{
	struct text text = { 0 };
	bool given = call_option(c, "$count", &text), good;

	*ret = given && text.len && strcmp(text.data, "true") == 0;
	good = !given || *ret || (text.len && strcmp(text.data, "false") == 0);
	text_free(&text);
	return good || call_refuse(c, 400, ODATA_ERROR, "Invalid value for $count query option.");
}

static bool is_tracking(const struct call *c, const struct page_position *position)
{
	struct text token = { 0 };
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
	while (count < COUNT_MAX && source_next(q, &at) != NO_RECORD)
		count++;
	q->at = start;
	return count;
}

static void write_head(struct query *q, const struct projection *p, bool count)
{
	struct call *c = q->call;
	struct text *out = &c->response->body;

	call_json(c, 200);
	call_preferences_applied(c, true);
	text_printf(out, "{\"@odata.context\":\"%s$metadata#%s", c->root.data,
		    q->table->def->set_name);
	select_context(p, q->table, out);
	text_puts(out, "\"");
	if (call_wants_annotation(c, "Microsoft.Dynamics.CRM.totalrecordcount"))
		text_printf(out, ",\"@Microsoft.Dynamics.CRM.totalrecordcount\":%lld",
			    count ? (long long)count_all(q) : -1LL);
	if (call_wants_annotation(c, "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"))
		text_printf(out, ",\"@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded\":%s",
			    count && count_all(q) == COUNT_MAX ? "true" : "false");
	if (call_wants_annotation(c, METADATA_VERSION))
		text_printf(out, ",\"@" METADATA_VERSION "\":\"%llu\"",
			    (unsigned long long)c->dataverse->metadata_version);
	if (count)
		text_printf(out, ",\"@odata.count\":%zu", count_all(q));
	text_puts(out, ",\"value\":[");
}

static void write_rows(struct query *q, const struct projection *p,
		       const struct page_position *position, long top)
{
	struct call *c = q->call;
	struct text *out = &c->response->body;
	long limit = c->prefer.page_size || top < 0 ? page_size(c) : top;
	uint32_t record;
	uint64_t at = 0;

	for (long i = 0; (record = source_next(q, &at)) != NO_RECORD && i < limit; i++) {
		if (i)
			text_add(out, ",", 1);
		select_write(c, q->table, record, p, out);
	}
	text_puts(out, "]");
	if (record != NO_RECORD && (c->prefer.page_size || top < 0)) {
		struct page_position next = { .page = position->page + 1,
					      .version = position->version,
					      .at = at };
		struct text link = { 0 };

		page_link(c, &next, &link);
		text_puts(out, ",\"@odata.nextLink\":");
		text_json_string(out, link.data, link.len);
		text_free(&link);
	}
	text_puts(out, "}");
}

/* -1: not given. What the service does with more than a page is not published. */
static bool read_top(struct call *c, long *ret)
{
	struct text text = { 0 };
	bool given = call_option(c, "$top", &text), good = true;
	char *end = NULL;

	*ret = -1;
	if (given) {
		*ret = text.len ? strtol(text.data, &end, 10) : -1;
		good = end && !*end && *ret >= 0;
	}
	text_free(&text);
	if (!good)
		return call_refuse(c, 400, ODATA_ERROR, "Invalid value for $top query option.");
	return c->prefer.page_size || *ret <= page_size(c) ||
	       call_refuse(c, 501, ODATA_ERROR, "A $top of more than %d is not offered here.",
			   page_size(c));
}

/* Answers with a page; the query is prepared but for its options. */
static bool answer_page(struct query *q, const struct page_position *position)
{
	static const char *const offered[] = { "$select", "$filter", "$orderby",   "$top",
					       "$count",  "$expand", "$skiptoken", NULL };
	struct call *c = q->call;
	struct projection p = { 0 };
	bool good, count = false;
	long top;

	good = options_offered(c, offered) && select_parse(c, q->table, &p) && read_top(c, &top) &&
	       read_count(c, &count) && read_filter(q) && read_orders(q);
	if (good) {
		source_choose(q, position);
		write_head(q, &p, count);
		write_rows(q, &p, position, top);
	}
	select_free(&p);
	query_free(q);
	return good;
}

/* text/plain with a byte order mark, as the vendor sends it */
static bool answer_count(struct query *q)
{
	static const char *const offered[] = { "$filter", NULL };
	struct page_position position = { .page = 1 };
	struct call *c = q->call;
	bool good = options_offered(c, offered) && read_filter(q);

	if (good) {
		source_choose(q, &position);
		c->response->status = 200;
		web_header(c->response, "OData-Version", "4.0");
		web_header(c->response, "Content-Type", "text/plain");
		text_printf(&c->response->body, "\xef\xbb\xbf%zu", count_all(q));
	}
	query_free(q);
	return good;
}

bool query_collection(struct call *c, struct table *t)
{
	struct query q = { .call = c, .table = t };
	struct page_position position;

	if (!user_may(c->user, t, RIGHT_READ, &c->failure) || !page_read(c, &position))
		return false;
	return is_tracking(c, &position) ? delta_collection(c, t) : answer_page(&q, &position);
}

bool query_count(struct call *c, struct table *t)
{
	struct query q = { .call = c, .table = t };
	struct text token = { 0 };
	bool delta = call_option(c, "$deltatoken", &token);

	text_free(&token);
	if (!user_may(c->user, t, RIGHT_READ, &c->failure))
		return false;
	return delta ? delta_count(c, t) : answer_count(&q);
}

bool query_related(struct call *c, const struct relation *relation, uint32_t one, bool counting)
{
	struct query q = { .call = c,
			   .table = &c->dataverse->store.tables[relation->many],
			   .link_to = one };
	struct page_position position;

	if (!user_may(c->user, q.table, RIGHT_READ, &c->failure) || !page_read(c, &position) ||
	    !join_find(c, q.table, relation->navigation, strlen(relation->navigation), &q.link))
		return false;
	if (is_tracking(c, &position))
		return call_refuse(c, 501, ODATA_ERROR,
				   "Change tracking of the collection '%s' is not offered here.",
				   relation->name);
	return counting ? answer_count(&q) : answer_page(&q, &position);
}
