/* Text by pointer and length, and strict reading of numbers. A view never owns what it shows. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <string.h>

#include "base/defs.h"

struct str {
	const char *p; /* may lack a NUL; NULL only when n is 0 */
	size_t n;
};

#define STR(literal) ((struct str){ "" literal "", sizeof(literal) - 1 })
#define STR_FMT "%.*s"
#define STR_ARG(s)                                                                                 \
	((int)((s).n > 4096 ? 4096 : (s).n)), ((s).p ? (s).p : "") /* bounded on purpose */

static inline struct str str_of(const char *text)
{
	return text ? (struct str){ text, strlen(text) } : (struct str){ NULL, 0 };
}

static inline bool str_equal(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_equal_fold(struct str a, struct str b); /* ASCII letters without case */
int str_compare(struct str a, struct str b);     /* bytes, then length */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
struct str str_trim(struct str s); /* ASCII white space off both ends */

/* Cuts the part before the first c off *rest and returns it; without c all of it, and *rest becomes
 * empty. */
struct str str_cut(struct str *rest, char c);

/* All of s must be one number in range; otherwise false and *ret untouched. */
MUST_CHECK bool str_int64(struct str s, int64_t min, int64_t max, int64_t *ret);
MUST_CHECK bool str_decimal_ms(struct str seconds,
			       int64_t *ret_ms); /* "1.5" -> 1500, not negative, at most a year */

#endif
