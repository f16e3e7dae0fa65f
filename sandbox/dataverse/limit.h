/* Service protection limits: requests, execution time and concurrency of each user over a sliding
 * window (Microsoft Learn: Service protection API limits). Counts always, refuses only when told
 * to. Has its own lock. */
#ifndef SANDBOX_DATAVERSE_LIMIT_H
#define SANDBOX_DATAVERSE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/web.h"
#include "dataverse/failure.h"

struct limits {
	bool enforce;
	int64_t requests, window_ms, execution_ms, concurrent;
	int64_t operation_ms; /* how long each operation takes; 0: as long as it takes */
};

struct limiter;

struct limiter *limiter_new(void);
void limiter_free(struct limiter *l);
/* Back to the vendor's defaults, nothing counted. */
void limiter_reset(struct limiter *l);
struct limits limiter_limits(struct limiter *l);
void limiter_set(struct limiter *l, const struct limits *limits);

/* A request comes in: counts it; refuses with 429 and the seconds to wait. A refused one must not
 * be ended. */
bool limiter_begin(struct limiter *l, int user, struct failure *failure, int *ret_retry_after);
/* May the next operation of a running batch still run? */
bool limiter_may_go_on(struct limiter *l, int user, struct failure *failure, int *ret_retry_after);
/* One operation ran; sleeps out the time operations are set to take. */
void limiter_operation(struct limiter *l, int user, int64_t took_us);
void limiter_end(struct limiter *l, int user);
/* x-ms-ratelimit-… headers. */
void limiter_headers(struct limiter *l, int user, struct web_response *response);

#endif
