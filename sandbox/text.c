/* A growing text and the JSON and URL pieces written into it. Knows nothing of HTTP or of either
 * imitated service. */
#include "text.h"

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
