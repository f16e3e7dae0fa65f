/* Time as numbers: seconds or milliseconds since 1970-01-01T00:00:00Z, days since 1970-01-01.
 * Reading the clock is here; reading and printing times is pure and is here too. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/str.h"

int64_t clock_wall_ms(void); /* since 1970, may jump */
int64_t clock_mono_ms(void); /* for waiting and measuring */
int64_t clock_mono_ns(void);
int64_t clock_cpu_ms(void); /* processor time of this process */

enum { CLOCK_TEXT = 32 };

/* "2026-08-30T14:05:09Z" (seconds) and with ".123" (milliseconds). */
void clock_print(int64_t seconds, char ret[CLOCK_TEXT]);
void clock_print_ms(int64_t ms, char ret[CLOCK_TEXT]);
void clock_print_date(int64_t days, char ret[CLOCK_TEXT]); /* "2026-08-30" */

/* Takes "YYYY-MM-DDThh:mm:ss" with optional fraction (dropped) and zone Z, +hh:mm, +hhmm, "Z+0000"
 * or none (UTC), and a space instead of the T: every form the two remotes are known to write. */
MUST_CHECK bool clock_parse(struct str s, int64_t *ret_seconds);
MUST_CHECK bool clock_parse_date(struct str s, int64_t *ret_days); /* "YYYY-MM-DD", all of it */

#endif
