/* What the reader of the field file and its rules share. Private to this folder. */
#ifndef CONFIG_FIELD_PARTS_H
#define CONFIG_FIELD_PARTS_H

#include "config/field_file.h"

/* ---- the members and words of the file ---- */

struct field_member {
	const char *name;
	bool is_required;
};

struct field_shape {
	const char *what; /* how messages call such an object */
	const struct field_member *members;
	size_t count;
};

enum { FILE_SCHEMA, FILE_VERSION, FILE_FILTER, FILE_DELETED, FILE_FIELDS, FILE_MEMBERS };
enum { FILTER_COLUMN, FILTER_EMPTY, FILTER_SET, FILTER_MEMBERS };
enum {
	FIELD_MARKETO,
	FIELD_LEAD,
	FIELD_CONTACT,
	FIELD_DIRECTION,
	FIELD_WINNER,
	FIELD_EMPTY,
	FIELD_CONSENT,
	FIELD_CREATE,
	FIELD_MEMBERS
};
enum { CREATE_TYPE, CREATE_LABEL, CREATE_MEMBERS };

extern const struct field_shape field_file_shape, field_filter_shape, field_shape,
	field_create_shape;

/* Each in the order of its enum; NULL behind the last. */
extern const char *const field_direction_words[];
extern const char *const field_winner_words[];
extern const char *const field_empty_words[];
extern const char *const field_null_words[];
extern const char *const field_deleted_words[];
extern const char *const field_type_words[];

/* ---- reading ---- */

/* Where the parts of a field stand; 0: not given. */
struct field_place {
	size_t field, column[TABLE_COUNT], winner, consent, type, label;
};

struct field_remark {
	size_t line;   /* 0: the file as a whole */
	size_t number; /* keeps remarks on one line in order */
	const char *text;
};

struct field_reader {
	struct field_file *file;
	struct arena scratch;       /* ends with the reading: the tree, places, remarks */
	struct field *fields;       /* in the memory of the file; names that were wrong are NULL */
	struct field_place *places; /* one a field */
	size_t count;
	size_t list;                     /* line of the list of fields */
	size_t filter_empty, filter_set; /* lines */
	struct field_remark *remarks;
	size_t remark_count, remark_cap;
};

void field_mistake(struct field_reader *r, size_t line, const char *fmt, ...) PRINTF_LIKE(3, 4);
void field_warning(struct field_reader *r, size_t line, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* A line a remark, in the order of lines; name is how they begin. */
void field_remarks_print(struct field_reader *r, const char *name, struct buf *out);
/* What somebody wrote, fit to be shown: quoted, and not longer than a line. In scratch memory. */
const char *field_quote(struct field_reader *r, struct str text);

/* The rules that need more than one value. Fields that are incomplete are passed over. */
void field_check(struct field_reader *r);

#endif
