/* A growing text and the JSON and URL pieces written into it. Knows nothing of HTTP or of either
 * imitated service. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void text_room(struct text *t, size_t more)
{
	size_t cap = t->cap ? t->cap : 64;
	char *data;

	if (t->len + more + 1 <= t->cap)
		return;
	while (cap < t->len + more + 1)
		cap *= 2;
	data = realloc(t->data, cap);
	if (!data) {
		fputs("tandem-sandbox: out of memory\n", stderr);
		abort();
	}
	t->data = data;
	t->cap = cap;
}

void text_free(struct text *t)
{
	free(t->data);
	*t = (struct text){ 0 };
}

void text_clear(struct text *t)
{
	t->len = 0;
	if (t->data)
		t->data[0] = '\0';
}

void text_add(struct text *t, const char *bytes, size_t len)
{
	text_room(t, len);
	if (len)
		memcpy(t->data + t->len, bytes, len);
	t->len += len;
	t->data[t->len] = '\0';
}

void text_puts(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list args, again;
	int need;

	va_start(args, fmt);
	va_copy(again, args);
	need = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (need > 0) {
		text_room(t, (size_t)need);
		vsnprintf(t->data + t->len, (size_t)need + 1, fmt, again);
		t->len += (size_t)need;
	}
	va_end(again);
}

/* The two-character escapes of JSON; 0 where the general form is needed. */
static char short_escape(unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		return (char)c;
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	}
	return 0;
}

void text_json_string(struct text *t, const char *bytes, size_t len)
{
	size_t start = 0;

	if (!bytes) {
		text_add(t, "null", 4);
		return;
	}
	text_room(t, len + 2);
	text_add(t, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];
		char escape;

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		text_add(t, bytes + start, i - start);
		start = i + 1;
		escape = short_escape(c);
		if (escape)
			text_add(t, (const char[]){ '\\', escape }, 2);
		else
			text_printf(t, "\\u%04x", (unsigned int)c);
	}
	text_add(t, bytes + start, len - start);
	text_add(t, "\"", 1);
}

void text_json_key(struct text *t, const char *name)
{
	text_json_string(t, name, strlen(name));
	text_add(t, ":", 1);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

void text_url_decode(struct text *t, const char *bytes, size_t len, bool plus_is_space)
{
	text_room(t, len);
	for (size_t i = 0; i < len; i++) {
		char c = bytes[i];

		if (c == '%' && i + 2 < len && hex_digit(bytes[i + 1]) >= 0 &&
		    hex_digit(bytes[i + 2]) >= 0) {
			c = (char)(hex_digit(bytes[i + 1]) * 16 + hex_digit(bytes[i + 2]));
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		t->data[t->len++] = c;
	}
	t->data[t->len] = '\0';
}

static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.' || c == '~';
}

void text_url_encode(struct text *t, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (is_unreserved(c))
			text_add(t, bytes + i, 1);
		else
			text_printf(t, "%%%02X", (unsigned int)c);
	}
}

size_t text_code_point(const char *bytes, size_t len, uint32_t *ret)
{
	const unsigned char *b = (const unsigned char *)bytes;
	size_t need = b[0] < 0x80 ? 1 : b[0] >= 0xf0 ? 4 : b[0] >= 0xe0 ? 3 : b[0] >= 0xc2 ? 2 : 1;

	*ret = b[0];
	if (need == 1 || need > len)
		return 1;
	*ret = b[0] & (0x7fu >> need);
	for (size_t i = 1; i < need; i++)
		*ret = *ret << 6 | (b[i] & 0x3f);
	return need;
}

/* Bytes of the well-formed character at the start; 0 when there is none. */
static size_t character_length(const char *bytes, size_t len)
{
	uint32_t c;
	size_t used = text_code_point(bytes, len, &c);

	if (used == 1)
		return (unsigned char)*bytes < 0x80;
	for (size_t i = 1; i < used; i++)
		if (((unsigned char)bytes[i] & 0xc0) != 0x80)
			return 0;
	if (used == 3 && (c < 0x800 || (c >= 0xd800 && c <= 0xdfff)))
		return 0;
	return used == 4 && (c < 0x10000 || c > 0x10ffff) ? 0 : used;
}

bool text_is_utf8(const char *bytes, size_t len)
{
	size_t used;

	for (size_t i = 0; i < len; i += used) {
		used = character_length(bytes + i, len - i);
		if (!used)
			return false;
	}
	return true;
}

void text_add_utf8(struct text *t, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t used = character_length(bytes + i, len - i);

		text_add(t, used ? bytes + i : "?", used ? used : 1);
		i += used ? used : 1;
	}
}

size_t text_xml_entity(const char *bytes, size_t len, char *ret)
{
	static const struct {
		const char *entity;
		char is;
	} entities[] = { { "&amp;", '&' },
			 { "&lt;", '<' },
			 { "&gt;", '>' },
			 { "&quot;", '"' },
			 { "&apos;", '\'' } };

	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
		size_t used = strlen(entities[i].entity);

		if (len < used || memcmp(bytes, entities[i].entity, used) != 0)
			continue;
		*ret = entities[i].is;
		return used;
	}
	return 0;
}
