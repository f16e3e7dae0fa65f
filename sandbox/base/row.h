/* One stored record, packed: only the columns that hold a value, one block of memory a record, no
 * tree. A column is a number the side gives it; a value is text in the form the side keeps (numbers
 * and times as text too). This is what lets two million people live in two GiB. */
#ifndef SANDBOX_BASE_ROW_H
#define SANDBOX_BASE_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct row; /* one malloc'd block; NULL is the record without any value */

/* The value of a column, not NUL-terminated; NULL when the column is empty. Valid until the row
 * changes. */
const char *row_get(const struct row *, uint16_t column, size_t *ret_len);

/* Sets (bytes NULL clears) a column; takes the row and gives back its successor. */
struct row *row_set(struct row *, uint16_t column, const char *bytes, size_t len);

/* Calls visit for every value in the order of columns. */
void row_each(const struct row *,
	      void (*visit)(void *, uint16_t column, const char *bytes, size_t len), void *context);
void row_free(struct row *);

#endif
