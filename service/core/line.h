/* What a line in a person's Activity Log says, in words for marketers: a table of texts. Names
 * fields, never a value (INV-PRIVATE). */
#ifndef CORE_LINE_H
#define CORE_LINE_H

#include "core/table.h"

struct arena;
struct buf;

enum line_kind {
	LINE_REFUSED,        /* a field, or the whole record, was not taken */
	LINE_REJECTED,       /* the record that was asked for was not made */
	LINE_COLLISION,      /* both sides showed different values, one was kept */
	LINE_CREATED,        /* the record that was asked for was made */
	LINE_LINKED,         /* a record that was there was given to the person */
	LINE_DELETED,        /* the record was deleted in Dynamics */
	LINE_PERSONS_MERGED, /* the record came from a person that was merged into this one */
	LINE_RECORDS_MERGED, /* the record was merged into another, which took its place */
	LINE_QUALIFIED,      /* the lead became a contact */
	LINE_KIND_COUNT
};

struct line {
	enum line_kind kind;
	enum side target;            /* the side that was written, or refused to be */
	enum table table;            /* of the record */
	struct str fields;           /* by their displayed names; empty: the record as a whole */
	struct str code;             /* of the refusal */
	struct str why;              /* of the refusal: a sentence, with or without its dot */
	struct str kept[SIDE_COUNT]; /* of a collision: the fields whose value from there was kept */
};

/* Adds the n-th name (from 0) of a list of fields; after many, those that follow are left to
 * line_end_fields, which says how many there were. */
void line_add_field(struct buf *list, size_t n, struct str name);
void line_end_fields(struct buf *list, size_t count);

/* A word or two, and one or two sentences. Memory: static, arena. */
const char *line_outcome(const struct line *line);
struct str line_text(const struct line *line, struct arena *a);

#endif
