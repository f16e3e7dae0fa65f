/* What shall travel: the fields with their names on the three tables, direction, winner, and which
 * records take part. The built-in set is the native connector's default mapping ("Default Dynamics
 * Field Mapping", Adobe Experience League); a field file takes its place. */
#ifndef CORE_FIELD_H
#define CORE_FIELD_H

#include "core/table.h"

enum direction { DIRECTION_BOTH, DIRECTION_TO_MARKETO, DIRECTION_TO_DYNAMICS };

enum winner {
	WINNER_BY_LINK,
	WINNER_MARKETO,
	WINNER_DYNAMICS
}; /* BY_LINK: lead Marketo, contact Dynamics */

/* What a value that becomes empty does to the other side. */
enum empty_rule {
	EMPTY_TRAVELS, /* emptying is a change like any other */
	EMPTY_STAYS    /* an empty value overwrites nothing */
};

struct field {
	const char *name; /* Marketo's REST name; the field's name everywhere in Tandem */
	const char
		*column[TABLE_COUNT]; /* names per table; NULL where the table has no such column */
	enum direction direction;
	enum winner winner;
	enum empty_rule empty;
	bool is_consent;          /* opt-outs only spread (INV-CONSENT) */
	const char *create_type;  /* Marketo data type `tandem setup` creates it with; NULL: a
				     standard Marketo field */
	const char *display_name; /* for creating it */
};

/* What a row means whose filter column has no value. */
enum filter_null {
	FILTER_NULL_CREATE_ONLY, /* it gets its person, later changes wait */
	FILTER_NULL_SYNC,
	FILTER_NULL_SKIP
};

/* The sync filter: a boolean column by which people in Dynamics say which rows take part ("Create a
 * Custom Dynamics Sync Filter", Adobe Experience League). A table without the column has none. */
struct filter_rule {
	const char *column; /* logical name; NULL: no filter */
	enum filter_null null;
	bool is_set_on_create; /* records made here get a yes, lest they be left out at once */
};

struct field_set {
	const struct field *fields;
	size_t count;
	struct filter_rule filter;
	bool leaves_deleted; /* a person deleted in Marketo stays away when its record changes */
};
extern const struct field_set field_set_default;

/* The stamp: Marketo fields Tandem owns. They are never mapped. */
enum stamp_field {
	STAMP_ID,
	STAMP_TYPE,
	STAMP_IS_DELETED,
	STAMP_STATUS,
	STAMP_SYNCED_AT,
	STAMP_FIELD_COUNT
};

struct stamp_definition {
	const char *name, *display_name, *type;
};
extern const struct stamp_definition stamp_fields[STAMP_FIELD_COUNT];

#endif
