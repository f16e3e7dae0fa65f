/* From a row to the one its lookup points to, by the name of a navigation property. */
#ifndef SANDBOX_DATAVERSE_JOIN_H
#define SANDBOX_DATAVERSE_JOIN_H

#include "dataverse/dataverse.h"

#define JOINS_MAX 15 /* of one query (Microsoft Learn: Join tables using OData) */

struct join {
	uint16_t column; /* the lookup */
	char target;     /* which of its targets, as stored */
	struct table *table;
};

/* Refuses names that are none, and tables the caller may not read. */
bool join_find(struct call *c, const struct table *t, const char *name, size_t len,
	       struct join *ret);
/* The row it leads to; NO_RECORD when there is none or the caller may not see it. */
uint32_t join_follow(const struct call *c, const struct table *t, const struct record *r,
		     const struct join *j);
bool join_too_many(struct call *c);

/* Up to a separator that stands outside parentheses. */
size_t option_length(const char *s, char separator);

#endif
