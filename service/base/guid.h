/* 128-bit identifiers as Dataverse writes them. Compared by value, so letter case never matters. */
#ifndef BASE_GUID_H
#define BASE_GUID_H

#include "base/str.h"

struct guid {
	uint8_t byte[16]; /* in the order they are printed */
};

enum { GUID_TEXT = 37 }; /* 36 characters and the NUL */

MUST_CHECK bool guid_parse(struct str s,
			   struct guid *ret); /* 8-4-4-4-12 hex, any case, optional braces */
void guid_print(const struct guid *g, char ret[GUID_TEXT]); /* lower case */
bool guid_is_zero(const struct guid *g);
int guid_compare(const struct guid *a, const struct guid *b);

static inline bool guid_equal(const struct guid *a, const struct guid *b)
{
	return memcmp(a->byte, b->byte, sizeof(a->byte)) == 0;
}

#endif
