/* What a column can hold. Knows no remote: both sides' columns are described in the same words. */
#include "core/schema.h"

#include <inttypes.h>

#include "base/clock.h"

const struct column *schema_find(const struct schema *s, struct str name)
{
	for (size_t i = 0; i < s->column_count; i++) {
		if (str_equal(s->columns[i].name, name))
			return &s->columns[i];
	}
	return NULL;
}

enum value_kind column_kind(const struct column *c)
{
	switch (c->type) {
	case COLUMN_TEXT:
	case COLUMN_CHOICE:
	case COLUMN_MULTI_CHOICE:
	case COLUMN_LOOKUP:
		return VALUE_TEXT;
	case COLUMN_BOOLEAN:
		return VALUE_BOOLEAN;
	case COLUMN_INTEGER:
		return VALUE_INTEGER;
	case COLUMN_DECIMAL:
		return VALUE_DECIMAL;
	case COLUMN_DATE:
		return VALUE_DATE;
	case COLUMN_TIME:
		return VALUE_TIME;
	case COLUMN_OTHER:
		break;
	}
	return VALUE_UNSEEN;
}

const struct option *column_option_by_label(const struct column *c, struct str label)
{
	for (size_t i = 0; i < c->option_count; i++) {
		if (str_equal_fold(c->options[i].label, label))
			return &c->options[i];
	}
	return NULL;
}

const struct option *column_option_by_value(const struct column *c, int32_t value)
{
	for (size_t i = 0; i < c->option_count; i++) {
		if (c->options[i].value == value)
			return &c->options[i];
	}
	return NULL;
}

/* Puts the column's name in front of the rule, and where callers look for the field to blame. */
static enum err_kind column_refuse(const struct column *c, struct err *err, const char *rule)
{
	if (!err)
		return ERR_REFUSED;
	(void)err_set(err, ERR_REFUSED, "%.80s %s", c->name.p ? c->name.p : "", rule);
	(void)snprintf(err->field, sizeof(err->field), STR_FMT, STR_ARG(c->name));
	return ERR_REFUSED;
}

static size_t column_length(const struct column *c, struct str text)
{
	switch (c->length_unit) {
	case LENGTH_CHARACTERS:
		return value_character_count(text);
	case LENGTH_UTF16:
		return value_utf16_length(text);
	case LENGTH_BYTES:
		break;
	}
	return text.n;
}

static bool column_is_ascii(struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		if ((unsigned char)text.p[i] >= 0x80)
			return false;
	}
	return true;
}

static enum err_kind column_holds_text(const struct column *c, struct str text, struct err *err)
{
	/* Dataverse counts UTF-16 units, which for most text are the characters a person counts. */
	const char *unit = c->length_unit == LENGTH_BYTES ? "bytes" : "characters";
	char rule[120];
	size_t length;

	if (c->is_ascii && !column_is_ascii(text))
		return column_refuse(c, err, "takes ASCII characters only");
	if (!c->length_max)
		return ERR_NONE;
	length = column_length(c, text);
	if (length <= c->length_max)
		return ERR_NONE;
	(void)snprintf(rule, sizeof(rule), "holds at most %" PRIu32 " %s, the value has %zu",
		       c->length_max, unit, length);
	return column_refuse(c, err, rule);
}

static void column_print_limit(const struct column *c, double limit, char *ret, size_t size)
{
	char text[CLOCK_TEXT];

	if (c->type == COLUMN_DATE) {
		clock_print_date((int64_t)limit, text);
		(void)snprintf(ret, size, "%s", text);
	} else if (c->type == COLUMN_TIME) {
		clock_print((int64_t)limit, text);
		(void)snprintf(ret, size, "%s", text);
	} else {
		(void)snprintf(ret, size, "%.15g", limit);
	}
}

static enum err_kind column_in_range(const struct column *c, double number, struct err *err)
{
	char min[40], max[40], rule[160];

	if (!c->has_range || (number >= c->min && number <= c->max))
		return ERR_NONE;
	column_print_limit(c, c->min, min, sizeof(min));
	column_print_limit(c, c->max, max, sizeof(max));
	(void)snprintf(rule, sizeof(rule), "holds values from %s to %s only", min, max);
	return column_refuse(c, err, rule);
}

/* A number as text, dates excluded; false when it is none. */
static bool column_number_text(const struct value *v, char *ret, size_t size)
{
	if (v->kind == VALUE_INTEGER)
		return snprintf(ret, size, "%" PRId64, v->number) > 0;
	if (v->kind != VALUE_DECIMAL || v->text.n >= size)
		return false;
	if (v->text.n)
		memcpy(ret, v->text.p, v->text.n);
	ret[v->text.n] = '\0';
	return true;
}

static enum err_kind column_holds_number(const struct column *c, const struct value *v,
					 struct err *err)
{
	int scale = c->type == COLUMN_INTEGER ? 0 : c->scale;
	char text[1024], rule[80];
	const char *point;

	if (!column_number_text(v, text, sizeof(text)))
		return column_refuse(c, err, "holds numbers only");
	point = strchr(text, '.');
	if (point && scale == 0)
		return column_refuse(c, err, "holds whole numbers only");
	if (point && scale > 0 && strlen(point + 1) > (size_t)scale) {
		(void)snprintf(rule, sizeof(rule), "holds at most %d digits behind the point",
			       scale);
		return column_refuse(c, err, rule);
	}
	/* Limits come as doubles from the remotes; comparing as such is as exact as they are. */
	return column_in_range(c, strtod(text, NULL), err);
}

static enum err_kind column_holds_choice(const struct column *c, const struct value *v,
					 struct err *err)
{
	struct str rest = v->text;

	if (v->kind != VALUE_TEXT)
		return column_refuse(c, err, "takes the label of an option only");
	if (c->type == COLUMN_CHOICE)
		return column_option_by_label(c, v->text)
			       ? ERR_NONE
			       : column_refuse(c, err, "has no option with the label of the value");
	while (rest.n) {
		struct str part = str_trim(str_cut(&rest, ';'));

		if (part.n && !column_option_by_label(c, part))
			return column_refuse(c, err,
					     "has no option with one of the labels of the value");
	}
	return ERR_NONE;
}

static enum err_kind column_holds_print(const struct column *c, const struct value *v,
					struct err *err)
{
	CLEANUP(arena_release) struct arena a = { NULL, 0 };

	return column_holds_text(c, value_print(&a, v), err);
}

enum err_kind column_holds(const struct column *c, const struct value *v, struct err *err)
{
	if (v->kind == VALUE_EMPTY)
		return ERR_NONE;
	if (v->kind == VALUE_UNSEEN)
		return err_set(err, ERR_OURS, "a value that was not seen cannot be written");
	switch (c->type) {
	case COLUMN_TEXT:
		return v->kind == VALUE_TEXT ? column_holds_text(c, v->text, err)
					     : column_holds_print(c, v, err);
	case COLUMN_BOOLEAN:
		return v->kind == VALUE_BOOLEAN ? ERR_NONE
						: column_refuse(c, err, "holds true or false only");
	case COLUMN_INTEGER:
	case COLUMN_DECIMAL:
		return column_holds_number(c, v, err);
	case COLUMN_DATE:
		return v->kind == VALUE_DATE ? column_in_range(c, (double)v->number, err)
					     : column_refuse(c, err, "holds dates only");
	case COLUMN_TIME:
		return v->kind == VALUE_TIME ? column_in_range(c, (double)v->number, err)
					     : column_refuse(c, err, "holds times only");
	case COLUMN_CHOICE:
	case COLUMN_MULTI_CHOICE:
		return column_holds_choice(c, v, err);
	case COLUMN_LOOKUP:
		return column_refuse(c, err, "is a look-up, which is read only");
	case COLUMN_OTHER:
		break;
	}
	return column_refuse(c, err, "is of a type that is not synchronised");
}
