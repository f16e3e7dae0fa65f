/* Several queries in one request: as parts of a batch ("Microsoft Learn: Execute batch operations
 * using the Web API"). Knows how queries travel, not what they ask. Private to the dynamics_*
 * files. */
#ifndef REMOTE_DYNAMICS_QUERY_H
#define REMOTE_DYNAMICS_QUERY_H

#include "remote/dynamics_call.h"

struct dynamics_query {
	const char *path;  /* foreign */
	bool wants_labels; /* names of the rows that look-ups point to */
	bool is_answered;
};

/* Takes in the answer of a query, by its number; anything but ERR_NONE ends the asking with it. */
typedef enum err_kind dynamics_take(void *context, size_t query, struct str body, struct err *err);

/* Asks all of them, a hundred a request, as many requests side by side as Dataverse takes, one
 * group after the other (INV-BOUNDED). Answers are taken in no promised order. A query that is left
 * over alone travels as itself; so does one whose part was no success, and then its failure is that
 * of the whole. */
enum err_kind dynamics_ask(struct dynamics *d, const struct call *call,
			   struct dynamics_query *queries, size_t count, dynamics_take *take,
			   void *context, struct err *err);

/* ---- parts, for tests ---- */

/* Adds the query as a part of a batch. */
void dynamics_query_write(const struct dynamics_query *q, struct buf *out);

/* Takes in the successes among the parts of an answer; the n-th part answers the query numbers[n].
 * throttled gets the error of a part that service protection refused, and is left alone when there
 * is none. */
enum err_kind dynamics_query_take(struct str content_type, struct str body,
				  struct dynamics_query *queries, const size_t *numbers,
				  size_t count, dynamics_take *take, void *context,
				  struct err *throttled, struct err *err);

#endif
