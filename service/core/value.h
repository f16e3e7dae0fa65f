/* A field's canonical value: what the two sides are compared by, and what is written in the other
 * side's form. Canonical means: text in Unicode NFC with LF line ends, trimmed, empty text = empty;
 * booleans (a missing one is false); numbers by value; dates as days, times as UTC seconds; option
 * sets by label; several options sorted and joined by ";". */
#ifndef CORE_VALUE_H
#define CORE_VALUE_H

#include "base/arena.h"
#include "base/err.h"

enum value_kind {
	VALUE_UNSEEN, /* this side did not show the field: not asked for, not readable */
	VALUE_EMPTY,  /* shown, without a value */
	VALUE_BOOLEAN,
	VALUE_INTEGER,
	VALUE_DECIMAL, /* text "-12.5": no exponent, no leading or trailing zeros, "0" for zero */
	VALUE_DATE,    /* number: days since 1970-01-01 */
	VALUE_TIME,    /* number: seconds since 1970-01-01T00:00:00Z */
	VALUE_TEXT,
	VALUE_KIND_COUNT
};

struct value {
	enum value_kind kind;
	bool boolean;
	int64_t number;  /* INTEGER, DATE, TIME */
	struct str text; /* DECIMAL, TEXT; memory of whoever made the value */
};

bool value_equal(const struct value *a, const struct value *b);
/* Empty, or a boolean that is false: what a fresh record shows without anybody having set it. */
bool value_is_blank(const struct value *v);

/* Makers: input as a remote wrote it, result in the arena. They fail with ERR_REFUSED naming the
 * rule when the text is not of the kind; the text itself is never quoted (INV-PRIVATE). */
struct value value_text(struct arena *a, struct str raw);
struct value value_boolean(bool b);
struct value value_integer(int64_t n);
struct value value_date(int64_t days);
struct value value_time(int64_t seconds);
/* raw: any JSON number or the same as text, exponent allowed; rounded half away from zero to scale
 * digits (-1: as it is). */
enum err_kind value_decimal(struct arena *a, struct str raw, int scale, struct value *ret,
			    struct err *err);
/* Reads text into the wanted kind, as for a Marketo text field that stands against a number column.
 */
enum err_kind value_parse(struct arena *a, enum value_kind kind, struct str raw, int scale,
			  struct value *ret, struct err *err);

/* The value as text for people: collision rows, errors, CSV. EMPTY prints "". */
struct str value_print(struct arena *a, const struct value *v);

size_t value_utf16_length(struct str text); /* UTF-16 code units, as Dataverse counts length */
size_t value_character_count(struct str text);

#endif
