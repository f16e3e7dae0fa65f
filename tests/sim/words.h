/* The vocabulary of the simulated world: its fields, their columns on the three tables, and the few
 * words people type into them. Words are unique pointers, so that equal means the same pointer;
 * NULL is the empty word. Knows no history. */
#ifndef TESTS_SIM_WORDS_H
#define TESTS_SIM_WORDS_H

#include "core/mapping.h"

enum word_field {
	FIELD_EMAIL,
	FIELD_LAST,   /* text; short in Dynamics, rewritten by plug-ins */
	FIELD_UNSUB,  /* consent */
	FIELD_AMOUNT, /* text in Marketo, a decimal in Dynamics */
	FIELD_SOURCE, /* a choice in Dynamics with its own spelling; Dynamics wins */
	FIELD_STATUS, /* to Marketo only */
	FIELD_TOPIC,  /* leads only */
	FIELD_NICK,   /* an empty one overwrites nothing; Marketo wins */
	FIELD_SECRET, /* a secured column */
	FIELD_COUNT
};

enum { WORDS_MAX = 8 };

extern const struct field word_fields[FIELD_COUNT];

/* The one pointer for this text; NULL for "". */
const char *word(const char *text);
/* What people of a side may type into a field: number is taken round. */
const char *word_typed(enum word_field f, enum side side, unsigned number);
unsigned word_email_number(const char *email); /* 0: none of ours */
/* The word both sides mean by it. Written apart from the service's own rules. */
const char *word_meaning(enum word_field f, const char *value);
/* A number nobody can read: the field cannot be compared. */
bool word_is_unreadable(enum word_field f, const char *value);
bool word_is_blank(enum word_field f, const char *value);
const char *word_upper(const char *value);
const char *word_lower(const char *value);

#define WORD_FILTER "new_synctomkto"

#endif
