/* One HTTP exchange as a handler sees it: what was asked, who asks, and the answer under way.
 * Handlers know no libmicrohttpd; server.c drives them. An exchange belongs to one thread of the
 * server; while it waits, only `outcome` is written by another, before exchange_wait_end. */
#ifndef API_EXCHANGE_H
#define API_EXCHANGE_H

#include "api/problem.h"
#include "api/route.h"
#include "base/arena.h"
#include "core/request.h"

struct MHD_Connection;

enum { EXCHANGE_HEADERS_MAX = 4, EXCHANGE_ID = 65, EXCHANGE_BODY_OUT_MAX = 16 * 1024 * 1024 };

enum exchange_state {
	EXCHANGE_NEW,     /* the request line was read */
	EXCHANGE_READING, /* the body is on its way */
	EXCHANGE_REFUSED, /* the answer is a problem, decided before the body was read */
	EXCHANGE_WAITING, /* suspended: nothing happens until exchange_wait_end */
	EXCHANGE_RESUMED, /* the wait is over: the handler tells what came of it */
	EXCHANGE_DONE     /* answered */
};

struct answer {
	unsigned status;
	const char *content_type; /* static text */
	struct buf body;
	struct answer_header {
		const char *name, *value; /* static, or in the exchange's memory */
	} headers[EXCHANGE_HEADERS_MAX];
	size_t header_count;
};

/* What a real-time call came to; see realtime.h. */
struct exchange_outcome {
	struct request request; /* its texts are not kept, except: */
	char reason[400];
	bool is_error;
	struct err err;
};

struct exchange {
	struct api_server *server;
	struct engine *engine;
	struct MHD_Connection *connection;
	enum exchange_state state;
	char *target;              /* path and query as they came; owned */
	struct str path, query;    /* path decoded, query as it came */
	const char *method;        /* lives as long as the connection waits for its answer */
	const struct route *route; /* NULL: none */
	int64_t id;                /* the {…} of the route's path */
	const char *caller;        /* name of the key; NULL without one */
	char request_id[EXCHANGE_ID];
	struct guid made_id; /* request_id when it was made here, else another one */
	struct buf body;
	size_t discarded; /* bytes of a body nobody wants */
	struct arena memory;
	struct answer answer;
	struct exchange_outcome *outcome; /* owned; only for real-time calls */
	int64_t started_ns;
};

const char *exchange_header(const struct exchange *x, const char *name); /* NULL: not sent */

/* The answer. Each replaces what was there. */
struct buf *exchange_json(struct exchange *x, unsigned status); /* the body to print into */
struct buf *exchange_text(struct exchange *x, unsigned status, const char *content_type);
void exchange_problem(struct exchange *x, const struct problem *p);
void exchange_fail(struct exchange *x,
		   const struct err *err); /* the problem of an error from below */
void exchange_add_header(struct exchange *x, const char *name, const char *value);

/* Suspends the exchange; to be called before the work is handed to another thread. False: the
 * server is stopping and the handler has to answer at once. Afterwards exactly one
 * exchange_wait_end must follow, from any thread, at any time; then the handler is called again,
 * with state EXCHANGE_RESUMED. */
MUST_CHECK bool exchange_wait_begin(struct exchange *x);
void exchange_wait_end(struct exchange *x);

#endif
