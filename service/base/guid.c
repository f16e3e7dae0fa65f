/* Reading and printing GUIDs. */
#include "base/guid.h"

#include <stdio.h>

static int guid_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool guid_parse(struct str s, struct guid *ret)
{
	struct guid g;
	size_t at = 0;

	if (s.n == 38 && s.p[0] == '{' && s.p[37] == '}')
		s = (struct str){ s.p + 1, 36 };
	if (s.n != 36)
		return false;
	for (size_t i = 0; i < 36;) {
		int high, low;

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (s.p[i++] != '-')
				return false;
			continue;
		}
		high = guid_hex(s.p[i]);
		low = guid_hex(s.p[i + 1]);
		if (high < 0 || low < 0)
			return false;
		g.byte[at++] = (uint8_t)(high * 16 + low);
		i += 2;
	}
	*ret = g;
	return true;
}

void guid_print(const struct guid *g, char ret[GUID_TEXT])
{
	const uint8_t *b = g->byte;

	(void)snprintf(ret, GUID_TEXT,
		       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
		       b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		       b[13], b[14], b[15]);
}

bool guid_is_zero(const struct guid *g)
{
	static const struct guid zero;

	return guid_equal(g, &zero);
}

int guid_compare(const struct guid *a, const struct guid *b)
{
	return memcmp(a->byte, b->byte, sizeof(a->byte));
}
