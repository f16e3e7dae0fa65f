/* Identifiers, times and text without case. Knows nothing of tables, requests or users. */
#include "dataverse/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/index.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool guid_parse(const char *s, size_t len, struct guid *ret)
{
	size_t at = 0;

	if (len != GUID_LENGTH)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash) {
			if (s[i] != '-')
				return false;
			continue;
		}
		if (hex_value(s[i]) < 0 || hex_value(s[i + 1]) < 0)
			return false;
		ret->bytes[at++] = (uint8_t)(hex_value(s[i]) * 16 + hex_value(s[i + 1]));
		i++;
	}
	return true;
}

void guid_print(const struct guid *g, char ret[GUID_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	size_t at = 0;

	for (size_t i = 0; i < sizeof(g->bytes); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			ret[at++] = '-';
		ret[at++] = digits[g->bytes[i] >> 4];
		ret[at++] = digits[g->bytes[i] & 15];
	}
	ret[at] = '\0';
}

bool guid_equal(const struct guid *a, const struct guid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

struct guid guid_random(void)
{
	struct guid g;

	if (getrandom(g.bytes, sizeof(g.bytes), 0) != (ssize_t)sizeof(g.bytes)) {
		fputs("tandem-sandbox: no random numbers\n", stderr);
		abort();
	}
	g.bytes[6] = (uint8_t)((g.bytes[6] & 0x0f) | 0x40);
	g.bytes[8] = (uint8_t)((g.bytes[8] & 0x3f) | 0x80);
	return g;
}

struct guid guid_of_name(const char *kind, const char *name)
{
	struct guid g;
	struct text t = { 0 };

	for (uint32_t part = 0; part < 4; part++) {
		uint32_t hash;

		text_clear(&t);
		text_printf(&t, "%u/%s/%s", part, kind, name);
		hash = index_hash(t.data, t.len, false);
		memcpy(g.bytes + part * 4, &hash, sizeof(hash));
	}
	text_free(&t);
	g.bytes[6] = (uint8_t)((g.bytes[6] & 0x0f) | 0x50);
	g.bytes[8] = (uint8_t)((g.bytes[8] & 0x3f) | 0x80);
	return g;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar, by counting 400-year eras from March. */
int64_t days_of_date(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

void date_of_seconds(int64_t s, int *ret_year, int *ret_month, int *ret_day)
{
	int64_t days = (s >= 0 ? s : s - 86399) / 86400 + 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t day_of_era = days - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;

	*ret_day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	*ret_month = (int)(month < 10 ? month + 3 : month - 9);
	*ret_year = (int)(year_of_era + era * 400 + (*ret_month <= 2));
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/* Exactly `digits` decimal digits; moves past them. */
static bool take_number(const char **s, const char *end, int digits, int *ret)
{
	int n = 0;

	for (int i = 0; i < digits; i++, (*s)++) {
		if (*s >= end || **s < '0' || **s > '9')
			return false;
		n = n * 10 + (**s - '0');
	}
	*ret = n;
	return true;
}

static bool take_char(const char **s, const char *end, char c)
{
	if (*s >= end || **s != c)
		return false;
	(*s)++;
	return true;
}

static bool take_date(const char **s, const char *end, int *ret_year, int *ret_month, int *ret_day)
{
	return take_number(s, end, 4, ret_year) && take_char(s, end, '-') &&
	       take_number(s, end, 2, ret_month) && take_char(s, end, '-') &&
	       take_number(s, end, 2, ret_day) && *ret_month >= 1 && *ret_month <= 12 &&
	       *ret_day >= 1 && *ret_day <= days_in_month(*ret_year, *ret_month);
}

bool date_parse(const char *s, size_t len, char ret[DATE_TEXT])
{
	const char *at = s;
	int year, month, day;

	if (len != DATE_TEXT - 1 || !take_date(&at, s + len, &year, &month, &day))
		return false;
	memcpy(ret, s, len);
	ret[len] = '\0';
	return true;
}

/* Z, an offset, or nothing at all. */
static bool take_offset(const char **s, const char *end, int *ret_seconds)
{
	int hours, minutes;
	char sign;

	*ret_seconds = 0;
	if (*s == end)
		return true;
	sign = **s;
	(*s)++;
	if (sign == 'Z' || sign == 'z')
		return *s == end;
	if (sign != '+' && sign != '-')
		return false;
	if (!take_number(s, end, 2, &hours) || !take_char(s, end, ':') ||
	    !take_number(s, end, 2, &minutes))
		return false;
	*ret_seconds = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
	return *s == end && hours <= 14 && minutes <= 59;
}

bool time_parse(const char *s, size_t len, int64_t *ret_s)
{
	const char *end = s + len;
	int year, month, day, hour, minute, second = 0, offset;

	if (!take_date(&s, end, &year, &month, &day) ||
	    !(take_char(&s, end, 'T') || take_char(&s, end, 't')))
		return false;
	if (!take_number(&s, end, 2, &hour) || !take_char(&s, end, ':') ||
	    !take_number(&s, end, 2, &minute))
		return false;
	if (take_char(&s, end, ':') && !take_number(&s, end, 2, &second))
		return false;
	if (take_char(&s, end, '.'))
		while (s < end && *s >= '0' && *s <= '9')
			s++;
	if (!take_offset(&s, end, &offset) || hour > 23 || minute > 59 || second > 59)
		return false;
	*ret_s = days_of_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second -
		 offset;
	return true;
}

static void put_number(char *at, int digits, int n)
{
	for (int i = digits - 1; i >= 0; i--, n /= 10)
		at[i] = (char)('0' + n % 10);
}

void time_print(int64_t s, char ret[TIME_TEXT])
{
	int64_t of_day = ((s % 86400) + 86400) % 86400;
	int year, month, day;

	date_of_seconds(s, &year, &month, &day);
	memcpy(ret, "0000-00-00T00:00:00Z", TIME_TEXT);
	put_number(ret, 4, year);
	put_number(ret + 5, 2, month);
	put_number(ret + 8, 2, day);
	put_number(ret + 11, 2, (int)(of_day / 3600));
	put_number(ret + 14, 2, (int)(of_day / 60 % 60));
	put_number(ret + 17, 2, (int)(of_day % 60));
}

static uint32_t fold_point(uint32_t c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + 32 : c;
	if (c >= 0xc0 && c <= 0xde)
		return c == 0xd7 ? c : c + 32;
	if ((c >= 0x100 && c <= 0x12f) || (c >= 0x132 && c <= 0x137) || (c >= 0x14a && c <= 0x177))
		return c | 1;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return c & 1 ? c + 1 : c;
	if ((c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
		return c + 32;
	return c >= 0x400 && c <= 0x40f ? c + 80 : c;
}

/* Folding never changes how many bytes a character takes within the ranges above, save for bytes
 * that are no UTF-8. */
static void add_point(struct text *t, uint32_t c)
{
	char b[2] = { (char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f)) };

	if (c < 0x80)
		text_add(t, (const char[]){ (char)c }, 1);
	else
		text_add(t, b, 2);
}

void fold_text(struct text *t, const char *bytes, size_t len)
{
	text_add(t, "", 0);
	for (size_t i = 0; i < len;) {
		uint32_t c;
		size_t used = text_code_point(bytes + i, len - i, &c);

		if (used <= 2 && (used == 2 || c < 0x80))
			add_point(t, fold_point(c));
		else
			text_add(t, bytes + i, used);
		i += used;
	}
}

int fold_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t i = 0, j = 0;

	while (i < a_len && j < b_len) {
		uint32_t x, y;

		i += text_code_point(a + i, a_len - i, &x);
		j += text_code_point(b + j, b_len - j, &y);
		x = fold_point(x);
		y = fold_point(y);
		if (x != y)
			return x < y ? -1 : 1;
	}
	if (i < a_len)
		return 1;
	return j < b_len ? -1 : 0;
}

uint32_t fold_hash(const char *bytes, size_t len)
{
	char small[512];
	struct text t = { .data = small, .cap = sizeof(small) };
	uint32_t hash;

	if (len < sizeof(small)) {
		fold_text(&t, bytes, len);
		return index_hash(t.data, t.len, false);
	}
	t = (struct text){ 0 };
	fold_text(&t, bytes, len);
	hash = index_hash(t.data, t.len, false);
	text_free(&t);
	return hash;
}

size_t utf16_length(const char *bytes, size_t len)
{
	size_t units = 0;

	for (size_t i = 0; i < len; units++) {
		uint32_t c;

		i += text_code_point(bytes + i, len - i, &c);
		units += c > 0xffff;
	}
	return units;
}

size_t utf16_head(const char *bytes, size_t len, size_t units)
{
	size_t at = 0;

	while (at < len) {
		uint32_t c;
		size_t used = text_code_point(bytes + at, len - at, &c);
		size_t take = c > 0xffff ? 2 : 1;

		if (take > units)
			break;
		units -= take;
		at += used;
	}
	return at;
}
