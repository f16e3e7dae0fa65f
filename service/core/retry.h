/* When to try again. Pure: chance and time are arguments. */
#ifndef CORE_RETRY_H
#define CORE_RETRY_H

#include "base/defs.h"

/* Pause before try `attempt` (1 is the first repeat): exponential from base_ms up to max_ms with
 * full jitter over the upper half; a hint from the remote (>= 0) wins when it is longer. random is
 * any 32-bit number. */
int64_t retry_delay_ms(unsigned attempt, int64_t base_ms, int64_t max_ms, int64_t hint_ms,
		       uint32_t random);

#endif
