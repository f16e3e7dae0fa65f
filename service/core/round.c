/* Pacing of long rounds; see round.h. */
#include "core/round.h"

size_t round_parts(const int64_t *since_s, size_t count, int64_t now_s, int64_t period_ms,
		   int64_t interval_ms)
{
	/* In doubles: nothing here needs the last digit, and nothing overflows. */
	double even = (double)count * 1.25 * (double)interval_ms / (double)period_ms;
	int64_t late_s = now_s - period_ms / 1000 * 3 / 4;
	size_t parts = even >= (double)count ? count : (size_t)even + 1;

	while (parts < count && since_s[parts] <= late_s)
		parts++;
	return parts < count ? parts : count;
}
