/* Views on text and strict number reading. */
#include "base/str.h"

static char str_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_equal_fold(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (str_lower(a.p[i]) != str_lower(b.p[i]))
			return false;
	}
	return true;
}

int str_compare(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;

	if (order)
		return order;
	return (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n &&
	       (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

static bool str_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
	while (s.n && str_is_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && str_is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str str_cut(struct str *rest, char c)
{
	const char *at = rest->n ? memchr(rest->p, c, rest->n) : NULL;
	struct str head = *rest;

	if (!at) {
		*rest = (struct str){ NULL, 0 };
		return head;
	}
	head.n = (size_t)(at - rest->p);
	rest->p = at + 1;
	rest->n -= head.n + 1;
	return head;
}

bool str_int64(struct str s, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = s.n && s.p[0] == '-';
	int64_t value = 0;

	if (negative) {
		s.p++;
		s.n--;
	}
	if (!s.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int digit = s.p[i] - '0';

		if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, digit, &value))
			return false;
	}
	/* Gathered as a negative number, which has room for one more than the positive ones. */
	if (!negative && __builtin_sub_overflow(0, value, &value))
		return false;
	if (value < min || value > max)
		return false;
	*ret = value;
	return true;
}

bool str_decimal_ms(struct str seconds, int64_t *ret_ms)
{
	struct str fraction = seconds;
	struct str whole = str_cut(&fraction, '.');
	int64_t s = 0, thousandths = 0;
	const int64_t year_s = 366LL * 24 * 3600;

	if (!str_int64(whole, 0, year_s, &s))
		return false;
	if (fraction.n > 3)
		fraction.n = 3;
	if (fraction.n && !str_int64(fraction, 0, 999, &thousandths))
		return false;
	for (size_t n = fraction.n; n && n < 3; n++)
		thousandths *= 10;
	*ret_ms = s * 1000 + thousandths;
	return true;
}
