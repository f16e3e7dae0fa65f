/* HTTP as both imitated services see it: a request whole in memory, an answer whole in memory.
 * Each connection has a thread of its own (libmicrohttpd), so a handler may sleep (a delay fault)
 * without harming its neighbours; the state of a side is guarded by that side's own lock. */
#ifndef SANDBOX_BASE_WEB_H
#define SANDBOX_BASE_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct web_request {
	const char *method;
	const char *path;  /* as sent, percent-encoding kept, without the query */
	const char *query; /* as sent, without the '?'; "" if there is none */
	const char *host;  /* Host header: every link handed out is built from it */
	const char *body;  /* NUL-terminated; "" if there is none */
	size_t body_len;
	/* The value of a header, NULL if absent; names compare without case. */
	const char *(*header)(const struct web_request *, const char *name);
	const void *header_data; /* belongs to whoever built the request (a $batch part builds its
				    own) */
};

enum web_cut {
	WEB_CUT_NONE,
	WEB_CUT_CONNECTION,
	WEB_CUT_BODY
}; /* how an answer is spoilt by a fault */

struct web_response {
	int status;
	struct text headers; /* "Name: value\r\n" lines, Content-Type among them */
	struct text body;
	bool unpacked;    /* not to be sent in gzip form, even when that is asked for */
	enum web_cut cut; /* WEB_CUT_CONNECTION: close without an answer; WEB_CUT_BODY: half of the
			     body, then close */
};

void web_header(struct web_response *r, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void web_response_free(struct web_response *r);

/* A value of a query or form body ("a=1&b=2"), percent-decoded into *ret (cleared first).
 * nth counts repeated names from 0. Returns false when there is none. */
bool web_param(const char *form, const char *name, int nth, struct text *ret);

typedef void web_handler(void *context, const struct web_request *, struct web_response *);

struct web_server;
/* Listens on 127.0.0.1 (port 0 picks a free one). NULL with a reason on stderr when it cannot. */
struct web_server *web_start(uint16_t port, size_t body_max, web_handler *handler, void *context);
uint16_t web_port(const struct web_server *);
void web_stop(struct web_server *);

#endif
