/* A query while it runs: what it asks and where its rows come from. */
#ifndef SANDBOX_DATAVERSE_QUERY_H
#define SANDBOX_DATAVERSE_QUERY_H

#include "dataverse/dataverse.h"
#include "dataverse/filter.h"
#include "dataverse/join.h"

#define ORDERS_MAX 8

enum source { SOURCE_RECORDS, SOURCE_LIST, SOURCE_LOG_UP, SOURCE_LOG_DOWN };

/* The way from a row to the one whose column a name like primarycontactid/fullname means. */
struct path {
	struct join steps[JOINS_MAX];
	size_t count;
};

struct order {
	uint32_t number;
	bool descending;
};

struct query {
	struct call *call;
	struct table *table;
	struct filter *filter;
	struct order orders[ORDERS_MAX];
	size_t order_count;
	struct path paths[JOINS_MAX];
	size_t path_count, joins;
	struct join link; /* rows whose lookup points to link_to; table NULL: any */
	uint32_t link_to;
	enum source source;
	uint32_t *list;
	size_t list_len, list_cap;
	uint64_t at;              /* next place of the source */
	const struct record *row; /* the one the filter is asked about */
	struct scratch scratch;
};

/* What a column is to a filter or an order. */
enum filter_class query_class_of(const struct column *c);
/* What a filter or an order calls a column: its number in the table, above it which path leads
 * there (0: none). ret_table and ret_row may be NULL; the row is NULL when the path ends before. */
#define PATH_SHIFT 16
uint16_t query_column(const struct query *q, uint32_t number, const struct record *row,
		      const struct table **ret_table, const struct record **ret_row);
/* The value of the row asked about, as filters compare it. */
struct filter_value query_value(void *context, const struct filter *leaf);

/* Where the rows come from: an index when the filter names one, the log when they are ordered by
 * version, else a walk over the table; sorted when another order is asked. Sets where a page
 * starts. */
void source_choose(struct query *q, const struct page_position *position);
/* The next matching row and the place it stands at; NO_RECORD at the end. */
uint32_t source_next(struct query *q, uint64_t *ret_at);
void source_free(struct query *q);

#endif
