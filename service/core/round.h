/* How much of a long round is done at a time, so that all of it is done in time. Pure. */
#ifndef CORE_ROUND_H
#define CORE_ROUND_H

#include "base/defs.h"

/* How many of the parts a sweep takes on: since[] tells when each was last done, oldest first; all
 * of them are to be done within the period; sweeps come every interval. A quarter more than an even
 * share, so that a round ends before it must, and every part that would be late otherwise. */
size_t round_parts(const int64_t *since_s, size_t count, int64_t now_s, int64_t period_ms,
		   int64_t interval_ms);

#endif
