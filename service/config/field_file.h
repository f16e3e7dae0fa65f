/* The field file (TANDEM_FIELDS): which fields travel and how, in JSON, in place of the built-in
 * set. docs/fields.md is its manual, docs/fields.schema.json its schema; both say what this reader
 * takes. */
#ifndef CONFIG_FIELD_FILE_H
#define CONFIG_FIELD_FILE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/field.h"

enum {
	FIELD_FILE_MAX = 256 * 1024,
	FIELD_NAME_MAX = 79,  /* of a field or column: what an error has room for */
	FIELD_LABEL_MAX = 255 /* of a display name */
};

struct field_file {
	struct field_set set;
	struct arena memory; /* owns every name the set shows */
	size_t mistakes, warnings;
};

/* Reads the file into *ret (field_file_release frees it, also after an error). A line a mistake is
 * added to problems, "FILE:LINE: rule", in the order of lines; with any of them it returns
 * ERR_CONFIG and the set must not be used. Warnings, "FILE:LINE: warning: ...", leave it good. */
enum err_kind field_file_load(const char *path, struct field_file *ret, struct buf *problems);
/* The same for a text in memory, with a NUL behind it; name is how the lines begin. */
enum err_kind field_file_read(const char *name, struct str text, struct field_file *ret,
			      struct buf *problems);
void field_file_release(struct field_file *f);

/* The set as such a file. */
void field_file_print(const struct field_set *set, struct buf *out);

#endif
