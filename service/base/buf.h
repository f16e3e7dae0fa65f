/* A growing text with a ceiling. Adding never fails one by one: going over the ceiling sticks in
 * `full`, which is looked at once at the end. Memory ends as mem.h says. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

struct buf {
	char *data; /* owned; NUL behind len as soon as anything was added */
	size_t len, cap;
	size_t max; /* ceiling in bytes; 0 means BUF_MAX_DEFAULT */
	bool full;  /* something did not fit: the content is cut and must not be used */
};

enum { BUF_MAX_DEFAULT = 64 * 1024 * 1024 };

void buf_release(struct buf *b);
void buf_clear(struct buf *b); /* empties, keeps memory and ceiling */
void buf_add(struct buf *b, struct str s);
void buf_text(struct buf *b, const char *text); /* NULL adds nothing */
void buf_char(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_json(struct buf *b, struct str s); /* quoted and escaped JSON string; UTF-8 passes, broken
					       bytes become U+FFFD */
void buf_url(struct buf *b, struct str s);  /* percent-encoded, RFC 3986 unreserved kept */
struct str buf_str(const struct buf *b);    /* view until the next change */
const char *buf_cstr(const struct buf *b);  /* never NULL */

#endif
