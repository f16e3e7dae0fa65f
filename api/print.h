/* Writing JSON straight into a buffer, and lists as JSON or CSV. Commas place themselves: a member
 * that does not follow an opening bracket gets one. name NULL: an element of an array. */
#ifndef API_PRINT_H
#define API_PRINT_H

#include "base/buf.h"
#include "core/rowset.h"

void print_open(struct buf *out, const char *name, char bracket);
void print_close(struct buf *out, char bracket);
void print_text(struct buf *out, const char *name, struct str text); /* text.p NULL prints null */
void print_text_or_null(struct buf *out, const char *name, struct str text); /* empty prints null */
void print_number(struct buf *out, const char *name, int64_t number);
void print_count(struct buf *out, const char *name, uint64_t count);
void print_boolean(struct buf *out, const char *name, bool value);
void print_null(struct buf *out, const char *name);
void print_time_ms(struct buf *out, const char *name, int64_t ms); /* 0 prints null */

void print_row(struct buf *out, const char *name, const struct rowset *rows, size_t row);
void print_rows(struct buf *out, const char *name, const struct rowset *rows);

/* RFC 4180 with a header row. A text cell that a spreadsheet would take for a formula gets an
 * apostrophe in front. */
void print_csv(struct buf *out, const struct rowset *rows);

#endif
