/* HTTP to the remotes. One thread owns the curl multi handle; every other thread submits requests
 * and waits for them. Follows no redirect, keeps no cookie, speaks to the configured origin only
 * (INV-ORIGIN), plain http to loopback only. */
#ifndef REMOTE_HTTP_H
#define REMOTE_HTTP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/metric.h"
#include "core/quota.h"

struct http;

struct http *http_new(struct err *err); /* starts the thread; NULL with err */
void http_free(struct http *h); /* cancels what is under way (ERR_STOPPED), joins the thread */
void http_cancel_all(struct http *h); /* from now on every request ends with ERR_STOPPED at once */

/* One remote host with its budget. Requests to it wait for their turn by lane, then by arrival. */
struct http_origin;
struct http_origin *http_origin_new(struct http *h, const char *url,
				    const struct quota_limits *limits, enum metric calls,
				    enum metric call_errors, struct err *err);
void http_origin_free(struct http_origin *o);
const char *http_origin_text(const struct http_origin *o); /* "https://host:port", no path */
bool http_origin_owns(const struct http_origin *o,
		      struct str url); /* absolute URL with this very origin */
void http_origin_close(struct http_origin *o,
		       int64_t wait_ms); /* nothing is sent before that time has passed */
/* Its quota is used up: from now on every request to it, token end points too, ends with ERR_QUOTA
 * at once, until the wall clock shows that time. http_origin_reopen takes that back. Requests for
 * which the budget of the day has no turn end with ERR_QUOTA as well. */
void http_origin_shut(struct http_origin *o, int64_t until_wall_ms);
void http_origin_reopen(struct http_origin *o);
void http_origin_note_usage(struct http_origin *o, int64_t day, uint64_t all,
			    uint64_t ours); /* quota_note_usage */
void http_origin_look(struct http_origin *o, struct budget *ret);
void http_origin_set_concurrency(struct http_origin *o, uint32_t concurrent);
uint64_t http_origin_calls(const struct http_origin *o);

struct http_exchange {
	/* the request; everything is foreign and must live until the exchange is done */
	const char *method;
	const char *path; /* from the root of the origin: "/rest/v1/..." with query; or an absolute
			     URL it owns */
	const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
	struct str body;            /* sent when p is not NULL */
	enum lane lane;
	int64_t timeout_ms;  /* of the transfer itself, 0: 60 s */
	int64_t deadline_ms; /* clock_mono_ms() incl. waiting for its turn; 0: none */
	size_t answer_max;   /* bytes; 0: 64 MiB; more is ERR_RUBBISH */
	bool uncounted;      /* does not take from the budget (token end points) */
	/* the answer; owned, see http_exchange_release */
	enum err_kind kind; /* ERR_NONE whenever there was an HTTP answer, whatever its status */
	struct err err; /* RETRY_LATER: connection trouble, the outcome of a write is unknown when
			   was_sent */
	bool was_sent;  /* the request left completely, or may have */
	int status;
	int64_t started_ms,
		took_ms; /* the transfer, without waiting for its turn; clock_mono_ms() */
	struct buf body_in;
	char content_type[128], content_range[64], etag[64], location[256], entity_id[256];
	int64_t retry_after_ms; /* Retry-After in ms, -1 none */
	int dop_hint;           /* x-ms-dop-hint, 0 none */
	void *internal;
};

/* Sends all of them, in parallel as far as the budget allows, and returns when every one has an
 * outcome. */
void http_run(struct http_origin *o, struct http_exchange *exchanges, size_t count);
void http_exchange_release(struct http_exchange *x);

#endif
