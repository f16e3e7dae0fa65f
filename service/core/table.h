/* The two sides and the three tables. Rules are written once and indexed by side; records are named
 * by table. */
#ifndef CORE_TABLE_H
#define CORE_TABLE_H

#include "base/guid.h"
#include "base/str.h"

enum side { SIDE_MARKETO, SIDE_DYNAMICS, SIDE_COUNT };

/* person: a Marketo person. lead, contact: a Dynamics row; its table is its entity. */
enum table { TABLE_PERSON, TABLE_LEAD, TABLE_CONTACT, TABLE_COUNT };

static inline enum side side_other(enum side s)
{
	return s == SIDE_MARKETO ? SIDE_DYNAMICS : SIDE_MARKETO;
}

static inline enum side table_side(enum table t)
{
	return t == TABLE_PERSON ? SIDE_MARKETO : SIDE_DYNAMICS;
}

const char *side_name(enum side s);   /* "marketo", "dynamics" */
const char *table_name(enum table t); /* "person", "lead", "contact" */
MUST_CHECK bool table_parse(struct str name,
			    enum table *ret); /* "lead" or "contact" in any case; never person */

#endif
