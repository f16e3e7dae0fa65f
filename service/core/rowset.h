/* A list as named columns and rows, for people: what the store reports and the API prints as JSON
 * or CSV. */
#ifndef CORE_ROWSET_H
#define CORE_ROWSET_H

#include "base/arena.h"

enum cell_type {
	CELL_TEXT,
	CELL_NUMBER,
	CELL_BOOLEAN,
	CELL_TIME
}; /* times are RFC 3339 text, UTC */

struct rowset {
	struct arena memory; /* owns everything below; release it */
	const char **names;  /* camelCase, as they appear in answers */
	enum cell_type *types;
	size_t columns, rows;
	struct str *cells; /* rows * columns; p NULL: null */
	struct str next;   /* cursor of the next page; empty: this was the last */
};

/* An empty set of text columns with room for so many rows. names: foreign. */
void rowset_begin(struct rowset *r, const char *const *names, size_t columns, size_t rows_max);
/* Sets a cell of the row behind the last; the caller counts rows up. NULL: null. Copies. */
void rowset_set(struct rowset *r, size_t column, const char *text);

enum list_kind {
	LIST_CYCLES,
	LIST_ERRORS,
	LIST_COLLISIONS,
	LIST_FIELDS,
	LIST_REQUESTS,
	LIST_KIND_COUNT
};

struct list_query {
	enum list_kind kind;
	unsigned limit;           /* 1..1000 */
	struct str cursor;        /* from the page before; empty: first page */
	int64_t person_id;        /* 0: all */
	struct str record_id;     /* GUID text; empty: all */
	struct str field;         /* empty: all */
	struct str state;         /* errors: "open" (default), "resolved", "all" */
	int64_t since_s, until_s; /* 0: open */
};

#endif
