/* Answers of OData batches: multipart/mixed parts that each hold an HTTP answer ("OASIS: OData 4.0
 * Protocol, Batch Requests", "Microsoft Learn: Execute batch operations using the Web API"). Pure
 * reading of text; knows nothing of what was asked. Parts are views into the text. */
#ifndef REMOTE_MULTIPART_H
#define REMOTE_MULTIPART_H

#include "base/str.h"

enum { MULTIPART_BOUNDARY_MAX = 70 }; /* RFC 2046, 5.1.1 */

struct multipart_level {
	struct str rest;
	char delimiter[MULTIPART_BOUNDARY_MAX + 3]; /* "--boundary" */
	bool is_open; /* the first delimiter has been passed and the last has not */
};

struct multipart {
	struct multipart_level outer, set; /* set: the change set being read */
	bool is_complete;                  /* the last delimiter was there */
};

struct multipart_part {
	int status;            /* 0: the part is no HTTP answer */
	bool is_in_set;        /* it belongs to a change set */
	struct str content_id; /* empty if none */
	struct str content_type, etag, body;
	int64_t retry_after_ms; /* -1 none */
};

/* False when the content type is not multipart/mixed with a boundary. */
MUST_CHECK bool multipart_start(struct multipart *m, struct str content_type, struct str body);

/* The next whole part; a part whose end was cut off is not handed out. Change sets are flattened. */
bool multipart_next(struct multipart *m, struct multipart_part *ret);

/* Value of a header in a block of header lines, name without case; empty if it is not there. */
struct str multipart_header(struct str block, struct str name);

#endif
