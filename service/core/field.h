/* The fields that can travel: names on the three tables, direction, winner. The built-in table is
 * the native connector's default mapping ("Default Dynamics Field Mapping", Adobe Experience
 * League). */
#ifndef CORE_FIELD_H
#define CORE_FIELD_H

#include "core/table.h"

enum direction { DIRECTION_BOTH, DIRECTION_TO_MARKETO, DIRECTION_TO_DYNAMICS };

enum winner {
	WINNER_BY_LINK,
	WINNER_MARKETO,
	WINNER_DYNAMICS
}; /* BY_LINK: lead Marketo, contact Dynamics */

struct field {
	const char *name; /* Marketo's REST name; the field's name everywhere in Tandem */
	const char
		*column[TABLE_COUNT]; /* names per table; NULL where the table has no such column */
	enum direction direction;
	enum winner winner;
	bool is_consent;          /* opt-outs only spread (INV-CONSENT) */
	const char *create_type;  /* Marketo data type `tandem setup` creates it with; NULL: a
				     standard Marketo field */
	const char *display_name; /* for creating it */
};

extern const struct field field_defaults[];
extern const size_t field_default_count;

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
