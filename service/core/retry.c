/* Length of the pause before a repeat. Knows no clock and no source of chance. */
#include "core/retry.h"

int64_t retry_delay_ms(unsigned attempt, int64_t base_ms, int64_t max_ms, int64_t hint_ms,
		       uint32_t random)
{
	int64_t ceiling = base_ms > 0 ? base_ms : 1;
	int64_t delay;

	if (max_ms < 1)
		max_ms = 1;
	for (unsigned i = 1; i < attempt && ceiling < max_ms; i++) {
		if (__builtin_mul_overflow(ceiling, 2, &ceiling))
			ceiling = max_ms;
	}
	if (ceiling > max_ms)
		ceiling = max_ms;
	/* The lower half is certain, so that a repeat is never immediate; the upper half spreads
	 * callers apart. */
	delay = ceiling - ceiling / 2;
	delay += (int64_t)random % (ceiling / 2 + 1);
	return hint_ms > delay ? hint_ms : delay;
}
