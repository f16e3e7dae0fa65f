/* Requests inside a batch: who runs a batch asks here about each of them, and a fault may answer in
 * its place. Knows neither batches nor faults. */
#ifndef SANDBOX_BASE_PART_H
#define SANDBOX_BASE_PART_H

#include "base/web.h"

/* True when it has answered. */
typedef bool part_judge(void *context, const struct web_request *, struct web_response *);

/* For the call on this thread; NULL: nobody is asked. */
void part_judge_set(part_judge *, void *context);
bool part_judged(const struct web_request *, struct web_response *);

#endif
