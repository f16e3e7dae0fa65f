/* A growing text, and the one way the sandbox writes JSON.
 * An allocation that fails ends the program: a stand-in without memory has nothing useful to say. */
#ifndef SANDBOX_BASE_TEXT_H
#define SANDBOX_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *data; /* owned; always NUL-terminated once something was added, else NULL */
	size_t len, cap;
};

void text_free(struct text *t);
void text_clear(struct text *t); /* empty, keeps the memory */
void text_add(struct text *t, const char *bytes, size_t len);
void text_puts(struct text *t, const char *s);
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* JSON pieces. The caller writes the punctuation ("{", ",", ":"); these escape and quote. */
void text_json_string(struct text *t, const char *bytes, size_t len); /* bytes NULL writes null */
void text_json_key(struct text *t, const char *name);                 /* "name": */

/* application/x-www-form-urlencoded and URL pieces */
void text_url_decode(struct text *t, const char *bytes, size_t len, bool plus_is_space);
void text_url_encode(struct text *t, const char *bytes, size_t len);

/* UTF-8. One code point: a byte that starts none stands for itself; returns the bytes used. */
size_t text_code_point(const char *bytes, size_t len, uint32_t *ret);
bool text_is_utf8(const char *bytes, size_t len);
void text_add_utf8(struct text *t, const char *bytes, size_t len); /* a ? for every broken byte */

/* One of the five named entities of XML: what it stands for; the bytes used, 0 when there is none. */
size_t text_xml_entity(const char *bytes, size_t len, char *ret);

#endif
