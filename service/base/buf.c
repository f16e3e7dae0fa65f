/* Growing text; see buf.h. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .max = b->max };
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->full = false;
	if (b->data)
		b->data[0] = '\0';
}

/* Makes room for n more bytes and the NUL; false when the ceiling is in the way. */
static bool buf_room(struct buf *b, size_t n)
{
	size_t max = b->max ? b->max : BUF_MAX_DEFAULT;
	size_t cap = b->cap ? b->cap : 256;

	if (b->full || n > max || b->len > max - n) {
		b->full = true;
		return false;
	}
	if (b->len + n + 1 <= b->cap)
		return true;
	while (cap < b->len + n + 1)
		cap += cap / 2;
	b->data = mem_grow(b->data, cap, 1);
	b->cap = cap;
	return true;
}

void buf_add(struct buf *b, struct str s)
{
	if (!s.n || !buf_room(b, s.n))
		return;
	memcpy(b->data + b->len, s.p, s.n);
	b->len += s.n;
	b->data[b->len] = '\0';
}

void buf_text(struct buf *b, const char *text)
{
	buf_add(b, str_of(text));
}

void buf_char(struct buf *b, char c)
{
	buf_add(b, (struct str){ &c, 1 });
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list args, again;
	int n;

	va_start(args, fmt);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n > 0 && buf_room(b, (size_t)n)) {
		(void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

/* Length of the well-formed UTF-8 sequence at p, 0 if there is none (RFC 3629: no surrogates, no
 * overlong forms). */
static size_t buf_utf8_len(const unsigned char *p, size_t n)
{
	static const unsigned char first_min[] = { 0xe0, 0xa0, 0xf0, 0x90 };
	size_t len = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

	if (p[0] >= 0x80 && (p[0] < 0xc2 || p[0] > 0xf4))
		return 0;
	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	for (size_t i = 0; i < sizeof(first_min); i += 2) {
		if (p[0] == first_min[i] && p[1] < first_min[i + 1])
			return 0;
	}
	if ((p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

static void buf_json_escape(struct buf *b, unsigned char c)
{
	static const char shorts[] = "\"\"\\\\\nn\rr\tt";

	for (size_t i = 0; i + 1 < sizeof(shorts) - 1; i += 2) {
		if ((unsigned char)shorts[i] == c) {
			buf_char(b, '\\');
			buf_char(b, shorts[i + 1]);
			return;
		}
	}
	buf_fmt(b, "\\u%04x", c);
}

void buf_json(struct buf *b, struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t start = 0, i = 0;

	buf_char(b, '"');
	while (i < s.n) {
		size_t len = buf_utf8_len(p + i, s.n - i);

		if (len && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\') {
			i += len;
			continue;
		}
		buf_add(b, (struct str){ s.p + start, i - start });
		if (!len)
			buf_text(b, "\xef\xbf\xbd");
		else
			buf_json_escape(b, p[i]);
		start = ++i;
	}
	buf_add(b, (struct str){ s.p + start, s.n - start });
	buf_char(b, '"');
}

void buf_url(struct buf *b, struct str s)
{
	static const char kept[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] && strchr(kept, s.p[i]))
			buf_char(b, s.p[i]);
		else
			buf_fmt(b, "%%%02X", (unsigned char)s.p[i]);
	}
}

struct str buf_str(const struct buf *b)
{
	return (struct str){ b->data, b->len };
}

const char *buf_cstr(const struct buf *b)
{
	return b->data ? b->data : "";
}
