/* The part of a target behind the path: decoding and checking, one table of parameters. Knows no
 * HTTP library. */
#ifndef API_QUERY_H
#define API_QUERY_H

#include "api/problem.h"
#include "core/rowset.h"

/* Percent-decoding; false for a broken escape, a NUL or a control character. */
MUST_CHECK bool query_decode(struct str raw, struct arena *a, struct str *ret);

/* Reads the parameters of a list address into ret. allowed: bits of enum route_param. Texts live in
 * the arena. */
bool query_list(struct str raw, unsigned allowed, struct arena *a, struct list_query *ret,
		struct problem *problem);

/* Does an Accept header (NULL: none) prefer CSV over JSON? */
bool query_prefers_csv(const char *accept);

#endif
