/* Persons as rows of Marketo's files: extracted ones, and stamps to import ("Adobe: Bulk Lead
 * Extract", "Adobe: Bulk Lead Import"). Pure. */
#ifndef REMOTE_MARKETO_ROW_H
#define REMOTE_MARKETO_ROW_H

#include "base/buf.h"
#include "remote/remote.h"

/* Bytes of the row with the names of the columns at the beginning of a file; 0: text ends before
 * it does. */
enum err_kind marketo_header_read(struct str text, bool is_all, size_t *ret_bytes, struct err *err);

/* The whole rows at the beginning of text as persons, with the names that marketo_header_read
 * found. *ret_taken: their bytes. is_all: text goes to the end of the file. */
enum err_kind marketo_rows_read(struct str header, struct str text, bool is_all,
				const struct mapping *m, struct arena *a, struct record_list *ret,
				size_t *ret_taken, struct err *err);

/* A file that sets stamps by id. False: the writes are not what import_start takes. */
MUST_CHECK bool marketo_stamps_print(const struct write *writes, size_t count, struct buf *out);

/* The file of rows that an import did not take, the reason in their last cell. */
enum err_kind marketo_failures_read(struct str text, bool is_warning, struct arena *a,
				    struct import_failure_list *ret, struct err *err);

#endif
