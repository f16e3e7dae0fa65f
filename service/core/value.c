/* Canonical values: making, comparing, printing. The only file that sees utf8proc; knows nothing of
 * fields or columns. */
#include "core/value.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <utf8proc.h>

#include "base/clock.h"
#include "base/mem.h"

enum {
	VALUE_DIGITS_MAX =
		400, /* of a number; a double has no more in front of or behind its point */
	VALUE_STACK_CODE_POINTS = 512
};

static const char value_replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

bool value_equal(const struct value *a, const struct value *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case VALUE_EMPTY:
		return true;
	case VALUE_BOOLEAN:
		return a->boolean == b->boolean;
	case VALUE_INTEGER:
	case VALUE_DATE:
	case VALUE_TIME:
		return a->number == b->number;
	case VALUE_DECIMAL:
	case VALUE_TEXT:
		return str_equal(a->text, b->text);
	case VALUE_UNSEEN:
	case VALUE_KIND_COUNT:
		break;
	}
	return false; /* what was not seen equals nothing */
}

bool value_is_blank(const struct value *v)
{
	return v->kind == VALUE_EMPTY || (v->kind == VALUE_BOOLEAN && !v->boolean);
}

/* ---- text ---- */

/* Unicode's White_Space beyond ASCII (PropList.txt). */
static bool value_is_wide_space(utf8proc_int32_t c)
{
	return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	       c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

static utf8proc_ssize_t value_code_point(struct str s, size_t at, utf8proc_int32_t *ret)
{
	return utf8proc_iterate((const utf8proc_uint8_t *)s.p + at, (utf8proc_ssize_t)(s.n - at),
				ret);
}

/* White space of any script off both ends of well-formed or broken UTF-8. */
static struct str value_trim(struct str s)
{
	utf8proc_int32_t c;

	for (;;) {
		utf8proc_ssize_t len;
		size_t at;

		s = str_trim(s);
		if (!s.n)
			return s;
		len = value_code_point(s, 0, &c);
		if (len > 0 && value_is_wide_space(c)) {
			s.p += len;
			s.n -= (size_t)len;
			continue;
		}
		at = s.n - 1;
		while (at && s.n - at < 4 && ((unsigned char)s.p[at] & 0xc0) == 0x80)
			at--;
		len = value_code_point(s, at, &c);
		if (len <= 0 || at + (size_t)len != s.n || !value_is_wide_space(c))
			return s;
		s.n = at;
	}
}

/* Printable ASCII and LF need nothing done. */
static bool value_is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= 0x80 || c == '\r' || c == '\0')
			return false;
	}
	return true;
}

/* Copies with line ends made LF and U+FFFD for bytes that are no UTF-8 and for NUL, which no
 * database column takes. *ret_high tells whether something may need composing: below U+0300
 * everything is NFC already. */
static struct str value_clean(struct arena *a, struct str s, bool *ret_high)
{
	char *out = arena_alloc(a, s.n * (sizeof(value_replacement) - 1) + 1);
	size_t n = 0, i = 0;

	*ret_high = false;
	while (i < s.n) {
		utf8proc_int32_t c;
		utf8proc_ssize_t len = value_code_point(s, i, &c);

		if (len <= 0 || c == 0) {
			memcpy(out + n, value_replacement, sizeof(value_replacement) - 1);
			n += sizeof(value_replacement) - 1;
			i++;
			continue;
		}
		if (c == '\r') {
			out[n++] = '\n';
			i += i + 1 < s.n && s.p[i + 1] == '\n' ? 2 : 1;
			continue;
		}
		memcpy(out + n, s.p + i, (size_t)len);
		n += (size_t)len;
		i += (size_t)len;
		*ret_high = *ret_high || c >= 0x300;
	}
	return (struct str){ out, n };
}

/* Unicode Normalisation Form C (UAX #15) of well-formed UTF-8. */
static struct str value_compose(struct arena *a, struct str s)
{
	const utf8proc_option_t form = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
	utf8proc_int32_t on_stack[VALUE_STACK_CODE_POINTS], *points = on_stack;
	const utf8proc_uint8_t *in = (const utf8proc_uint8_t *)s.p;
	utf8proc_ssize_t n = utf8proc_decompose(in, (utf8proc_ssize_t)s.n, NULL, 0, form);
	struct str composed;

	assert(n >= 0); /* it was cleaned */
	if (n >= VALUE_STACK_CODE_POINTS)
		points = mem_array((size_t)n + 1, sizeof(*points));
	n = utf8proc_decompose(in, (utf8proc_ssize_t)s.n, points, n, form);
	n = utf8proc_reencode(points, n, form);
	assert(n >= 0);
	composed = arena_str(a, (struct str){ (const char *)points, (size_t)n });
	if (points != on_stack)
		free(points);
	return composed;
}

struct value value_text(struct arena *a, struct str raw)
{
	struct value v = { .kind = VALUE_TEXT };
	struct str s = value_trim(raw);
	bool high;

	if (!s.n)
		return (struct value){ .kind = VALUE_EMPTY };
	if (value_is_plain(s)) {
		v.text = arena_str(a, s);
		return v;
	}
	s = value_clean(a, s, &high);
	v.text = high ? value_compose(a, s) : s;
	return v;
}

size_t value_utf16_length(struct str text)
{
	size_t n = value_character_count(text);

	for (size_t i = 0; i < text.n; i++)
		n += (unsigned char)text.p[i] >= 0xf0; /* four bytes: two units */
	return n;
}

size_t value_character_count(struct str text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	return n;
}

/* ---- the other kinds ---- */

struct value value_boolean(bool b)
{
	return (struct value){ .kind = VALUE_BOOLEAN, .boolean = b };
}

struct value value_integer(int64_t n)
{
	return (struct value){ .kind = VALUE_INTEGER, .number = n };
}

struct value value_date(int64_t days)
{
	return (struct value){ .kind = VALUE_DATE, .number = days };
}

struct value value_time(int64_t seconds)
{
	return (struct value){ .kind = VALUE_TIME, .number = seconds };
}

/* A number as its digits: 0.d1d2d3... times ten to the power of point. */
struct value_digits {
	char digit[VALUE_DIGITS_MAX];
	size_t n;
	int64_t point;
	bool is_negative;
};

/* Takes a run of digits; false when there is none or too many. */
static bool value_take_digits(struct str *s, struct value_digits *d)
{
	size_t before = s->n;

	while (s->n && s->p[0] >= '0' && s->p[0] <= '9') {
		if (d->n == sizeof(d->digit))
			return false;
		d->digit[d->n++] = s->p[0];
		s->p++;
		s->n--;
	}
	return s->n < before;
}

static bool value_skip(struct str *s, char c)
{
	if (!s->n || s->p[0] != c)
		return false;
	s->p++;
	s->n--;
	return true;
}

static bool value_read_digits(struct str s, struct value_digits *d)
{
	int64_t exponent = 0;

	d->is_negative = value_skip(&s, '-');
	if (!value_take_digits(&s, d))
		return false;
	d->point = (int64_t)d->n;
	if (value_skip(&s, '.') && !value_take_digits(&s, d))
		return false;
	if (value_skip(&s, 'e') || value_skip(&s, 'E')) {
		bool has_plus = value_skip(&s, '+');

		if ((has_plus && s.n && s.p[0] == '-') || !str_int64(s, -9999, 9999, &exponent))
			return false;
		s.n = 0;
	}
	d->point += exponent;
	return s.n == 0;
}

/* Takes zeros off both ends. */
static void value_strip_zeros(struct value_digits *d)
{
	size_t zeros = 0;

	while (zeros < d->n && d->digit[zeros] == '0')
		zeros++;
	memmove(d->digit, d->digit + zeros, d->n - zeros);
	d->n -= zeros;
	d->point -= (int64_t)zeros;
	while (d->n && d->digit[d->n - 1] == '0')
		d->n--;
}

/* Half away from zero. */
static void value_round(struct value_digits *d, int scale)
{
	int64_t kept = d->point + scale;
	bool is_up;

	if (kept >= (int64_t)d->n)
		return;
	if (kept < 0) {
		d->n = 0;
		return;
	}
	is_up = d->digit[kept] >= '5';
	d->n = (size_t)kept;
	if (!is_up)
		return;
	while (d->n && d->digit[d->n - 1] == '9')
		d->n--;
	if (d->n) {
		d->digit[d->n - 1]++;
		return;
	}
	d->digit[d->n++] = '1'; /* 0.99 becomes 1, 0.05 to one digit 0.1 */
	d->point++;
}

static struct str value_print_digits(struct arena *a, const struct value_digits *d)
{
	size_t whole = d->point > 0 ? (size_t)d->point : 0;
	size_t zeros = d->point < 0 ? (size_t)-d->point
				    : 0; /* between the point and the first digit */
	char *text = arena_alloc(a, d->n + whole + zeros + 4);
	size_t n = 0;

	if (!d->n)
		return arena_str(a, STR("0"));
	if (d->is_negative)
		text[n++] = '-';
	for (size_t i = 0; i < whole; i++)
		text[n++] = i < d->n ? d->digit[i] : '0';
	if (!whole)
		text[n++] = '0';
	if (whole >= d->n)
		return (struct str){ text, n };
	text[n++] = '.';
	for (size_t i = 0; i < zeros; i++)
		text[n++] = '0';
	memcpy(text + n, d->digit + whole, d->n - whole);
	return (struct str){ text, n + d->n - whole };
}

enum err_kind value_decimal(struct arena *a, struct str raw, int scale, struct value *ret,
			    struct err *err)
{
	struct value_digits d = { .n = 0 };

	if (!value_read_digits(value_trim(raw), &d))
		return err_set(err, ERR_REFUSED, "the value is not a number of at most %d digits",
			       VALUE_DIGITS_MAX);
	value_strip_zeros(&d);
	if (scale >= 0 && d.n) {
		value_round(&d, scale);
		value_strip_zeros(&d);
	}
	if (d.n && (d.point > VALUE_DIGITS_MAX || d.point < -VALUE_DIGITS_MAX))
		return err_set(err, ERR_REFUSED, "the value is a number of more than %d digits",
			       VALUE_DIGITS_MAX);
	*ret = (struct value){ .kind = VALUE_DECIMAL, .text = value_print_digits(a, &d) };
	return ERR_NONE;
}

static enum err_kind value_parse_boolean(struct str s, struct value *ret, struct err *err)
{
	static const struct {
		const char *text;
		bool boolean;
	} words[] = { { "true", true }, { "false", false }, { "1", true },
		      { "0", false },   { "yes", true },    { "no", false } };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (str_equal_fold(s, str_of(words[i].text))) {
			*ret = value_boolean(words[i].boolean);
			return ERR_NONE;
		}
	}
	return err_set(err, ERR_REFUSED, "the value is neither true nor false");
}

static enum err_kind value_parse_integer(struct str s, struct value *ret, struct err *err)
{
	CLEANUP(arena_release) struct arena a = { NULL, 0 };
	struct value decimal;
	int64_t n;
	enum err_kind kind = value_decimal(&a, s, -1, &decimal, err);

	if (kind)
		return kind;
	if (!str_int64(decimal.text, INT64_MIN, INT64_MAX, &n))
		return err_set(err, ERR_REFUSED, "the value is not a whole number of 64 bits");
	*ret = value_integer(n);
	return ERR_NONE;
}

enum err_kind value_parse(struct arena *a, enum value_kind kind, struct str raw, int scale,
			  struct value *ret, struct err *err)
{
	struct str s = value_trim(raw);
	int64_t number;

	if (!s.n) {
		*ret = kind == VALUE_BOOLEAN ? value_boolean(false)
					     : (struct value){ .kind = VALUE_EMPTY };
		return ERR_NONE;
	}
	switch (kind) {
	case VALUE_BOOLEAN:
		return value_parse_boolean(s, ret, err);
	case VALUE_INTEGER:
		if (!str_int64(s, INT64_MIN, INT64_MAX, &number))
			return value_parse_integer(s, ret, err);
		*ret = value_integer(number);
		return ERR_NONE;
	case VALUE_DECIMAL:
		return value_decimal(a, s, scale, ret, err);
	case VALUE_DATE:
		if (!clock_parse_date(s, &number))
			return err_set(err, ERR_REFUSED, "the value is not a date like 2026-08-30");
		*ret = value_date(number);
		return ERR_NONE;
	case VALUE_TIME:
		if (!clock_parse(s, &number))
			return err_set(err, ERR_REFUSED,
				       "the value is not a time like 2026-08-30T14:05:09Z");
		*ret = value_time(number);
		return ERR_NONE;
	case VALUE_TEXT:
		*ret = value_text(a, s);
		return ERR_NONE;
	case VALUE_UNSEEN:
	case VALUE_EMPTY:
	case VALUE_KIND_COUNT:
		break;
	}
	return err_set(err, ERR_OURS, "a value cannot be read as kind %d", (int)kind);
}

struct str value_print(struct arena *a, const struct value *v)
{
	char text[CLOCK_TEXT];

	switch (v->kind) {
	case VALUE_BOOLEAN:
		return v->boolean ? STR("true") : STR("false");
	case VALUE_INTEGER:
		return str_of(arena_fmt(a, "%" PRId64, v->number));
	case VALUE_DATE:
		clock_print_date(v->number, text);
		return arena_str(a, str_of(text));
	case VALUE_TIME:
		clock_print(v->number, text);
		return arena_str(a, str_of(text));
	case VALUE_DECIMAL:
	case VALUE_TEXT:
		return v->text;
	case VALUE_UNSEEN:
	case VALUE_EMPTY:
	case VALUE_KIND_COUNT:
		break;
	}
	return STR("");
}
