/* One exchange on one curl handle: setting the handle up, taking the answer in, judging the
 * outcome. Knows nothing of threads, queues and budgets (http.c). */
#ifndef REMOTE_HTTP_TRANSFER_H
#define REMOTE_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "remote/http.h"

struct http_transfer {
	struct http_exchange *exchange; /* foreign */
	CURL *easy;                     /* lent by the origin while the transfer runs */
	struct curl_slist *headers;     /* owned */
	char *url;                      /* owned */
	size_t body_sent;               /* bytes of the body that curl has fetched */
};

/* A handle with everything that never changes: redirects, cookies, protocols, TLS, compression. */
CURL *http_transfer_handle(bool is_plain);
/* False when curl refuses a part of the request; the exchange then has its outcome. */
MUST_CHECK bool http_transfer_start(struct http_transfer *t, const char *origin, int64_t now_ms);
void http_transfer_end(struct http_transfer *t, CURLcode code);
void http_transfer_release(struct http_transfer *t); /* not the handle */

#endif
