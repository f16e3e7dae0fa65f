/* One value of a Dataverse column in JSON and as a canonical value; the value part of
 * dynamics_wire.h. A table by column type gives the two directions ("Microsoft Learn: Column data
 * types in Dataverse"). */
#include "base/clock.h"
#include "remote/dynamics_wire.h"

enum { OPTIONS_MAX = 64, SECONDS_A_DAY = 24 * 3600 };

/* ---- reading ---- */

static struct str text_of(struct json_object *json)
{
	return (struct str){ json_object_get_string(json),
			     (size_t)json_object_get_string_len(json) };
}

static bool is_number(struct json_object *json)
{
	return json_object_is_type(json, json_type_int) ||
	       json_object_is_type(json, json_type_double);
}

static bool read_text(struct arena *a, const struct column *c, int scale, struct json_object *json,
		      struct value *ret)
{
	(void)c;
	(void)scale;
	if (!json_object_is_type(json, json_type_string))
		return false;
	*ret = value_text(a, text_of(json));
	return true;
}

static bool read_boolean(struct arena *a, const struct column *c, int scale,
			 struct json_object *json, struct value *ret)
{
	(void)a;
	(void)c;
	(void)scale;
	if (!json_object_is_type(json, json_type_boolean))
		return false;
	*ret = value_boolean(json_object_get_boolean(json));
	return true;
}

static bool read_integer(struct arena *a, const struct column *c, int scale,
			 struct json_object *json, struct value *ret)
{
	(void)a;
	(void)c;
	(void)scale;
	if (!json_object_is_type(json, json_type_int))
		return false;
	*ret = value_integer(json_object_get_int64(json));
	return true;
}

/* By the number's own text: a binary fraction would turn 0.1 into something else. */
static bool read_decimal(struct arena *a, const struct column *c, int scale,
			 struct json_object *json, struct value *ret)
{
	struct str text;

	(void)c;
	if (!is_number(json))
		return false;
	text = str_of(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));
	return value_decimal(a, text, scale, ret, NULL) == ERR_NONE;
}

static bool read_date(struct arena *a, const struct column *c, int scale, struct json_object *json,
		      struct value *ret)
{
	int64_t days;

	(void)a;
	(void)c;
	(void)scale;
	if (!json_object_is_type(json, json_type_string) || !clock_parse_date(text_of(json), &days))
		return false;
	*ret = value_date(days);
	return true;
}

static bool read_time(struct arena *a, const struct column *c, int scale, struct json_object *json,
		      struct value *ret)
{
	int64_t seconds;

	(void)a;
	(void)c;
	(void)scale;
	if (!json_object_is_type(json, json_type_string) || !clock_parse(text_of(json), &seconds))
		return false;
	*ret = value_time(seconds);
	return true;
}

static const struct option *option_of(const struct column *c, int64_t number)
{
	if (number < INT32_MIN || number > INT32_MAX)
		return NULL;
	return column_option_by_value(c, (int32_t)number);
}

static bool read_choice(struct arena *a, const struct column *c, int scale,
			struct json_object *json, struct value *ret)
{
	const struct option *o;

	(void)scale;
	if (!json_object_is_type(json, json_type_int))
		return false;
	o = option_of(c, json_object_get_int64(json));
	if (!o)
		return false;
	*ret = value_text(a, o->label);
	return true;
}

static void sort_labels(struct str *labels, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		for (size_t j = i; j > 0 && str_compare(labels[j - 1], labels[j]) > 0; j--) {
			struct str swap = labels[j];

			labels[j] = labels[j - 1];
			labels[j - 1] = swap;
		}
	}
}

/* "1,3,7" */
static bool read_choices(struct arena *a, const struct column *c, int scale,
			 struct json_object *json, struct value *ret)
{
	CLEANUP(buf_release) struct buf joined = { 0 };
	struct str labels[OPTIONS_MAX], rest;
	size_t count = 0;

	(void)scale;
	if (!json_object_is_type(json, json_type_string))
		return false;
	rest = text_of(json);
	while (rest.n) {
		int64_t number;
		const struct option *o = NULL;

		if (str_int64(str_trim(str_cut(&rest, ',')), INT32_MIN, INT32_MAX, &number))
			o = option_of(c, number);
		if (!o || count == OPTIONS_MAX)
			return false;
		labels[count++] = o->label;
	}
	sort_labels(labels, count);
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_char(&joined, ';');
		buf_add(&joined, labels[i]);
	}
	*ret = value_text(a, buf_str(&joined));
	return true;
}

/* ---- writing; v is of the column's canonical kind and not empty ---- */

static bool write_text(struct arena *a, const struct column *c, const struct value *v,
		       struct buf *out)
{
	(void)a;
	(void)c;
	buf_json(out, v->text);
	return true;
}

static bool write_boolean(struct arena *a, const struct column *c, const struct value *v,
			  struct buf *out)
{
	(void)a;
	(void)c;
	buf_text(out, v->boolean ? "true" : "false");
	return true;
}

/* Canonical numbers are JSON numbers as they are. */
static bool write_number(struct arena *a, const struct column *c, const struct value *v,
			 struct buf *out)
{
	(void)c;
	buf_add(out, value_print(a, v));
	return true;
}

static bool write_date(struct arena *a, const struct column *c, const struct value *v,
		       struct buf *out)
{
	char text[CLOCK_TEXT];

	(void)a;
	(void)c;
	clock_print_date(v->number, text);
	buf_json(out, str_of(text));
	return true;
}

static bool write_time(struct arena *a, const struct column *c, const struct value *v,
		       struct buf *out)
{
	char text[CLOCK_TEXT];

	(void)a;
	(void)c;
	clock_print(v->number, text);
	buf_json(out, str_of(text));
	return true;
}

static bool write_choice(struct arena *a, const struct column *c, const struct value *v,
			 struct buf *out)
{
	const struct option *o = column_option_by_label(c, v->text);

	(void)a;
	if (!o)
		return false;
	buf_fmt(out, "%d", o->value);
	return true;
}

static bool write_choices(struct arena *a, const struct column *c, const struct value *v,
			  struct buf *out)
{
	struct str rest = v->text;
	const char *between = "";

	(void)a;
	buf_char(out, '"');
	while (rest.n) {
		const struct option *o = column_option_by_label(c, str_trim(str_cut(&rest, ';')));

		if (!o)
			return false;
		buf_fmt(out, "%s%d", between, o->value);
		between = ",";
	}
	buf_char(out, '"');
	return true;
}

static const struct {
	bool (*read)(struct arena *a, const struct column *c, int scale, struct json_object *json,
		     struct value *ret);
	bool (*write)(struct arena *a, const struct column *c, const struct value *v,
		      struct buf *out);
} types[] = {
	[COLUMN_TEXT] = { read_text, write_text },
	[COLUMN_BOOLEAN] = { read_boolean, write_boolean },
	[COLUMN_INTEGER] = { read_integer, write_number },
	[COLUMN_DECIMAL] = { read_decimal, write_number },
	[COLUMN_DATE] = { read_date, write_date },
	[COLUMN_TIME] = { read_time, write_time },
	[COLUMN_CHOICE] = { read_choice, write_choice },
	[COLUMN_MULTI_CHOICE] = { read_choices, write_choices },
	[COLUMN_LOOKUP] = { read_text, NULL },
	[COLUMN_OTHER] = { NULL, NULL },
};

struct value dynamics_value_read(struct arena *a, const struct mapped_field *field,
				 const struct column *column, struct json_object *json)
{
	struct value v = { .kind = VALUE_UNSEEN }, other = { .kind = VALUE_UNSEEN };

	if (!types[column->type].read)
		return v;
	if (!json)
		return field->kind == VALUE_BOOLEAN ? value_boolean(false)
						    : (struct value){ .kind = VALUE_EMPTY };
	if (!types[column->type].read(a, column, field->scale, json, &v))
		return (struct value){ .kind = VALUE_UNSEEN };
	if (v.kind == VALUE_EMPTY || v.kind == field->kind)
		return v;
	if (value_parse(a, field->kind, value_print(a, &v), field->scale, &other, NULL) != ERR_NONE)
		return (struct value){ .kind = VALUE_UNSEEN };
	return other;
}

static enum err_kind refuse(const struct column *column, const char *why, struct err *err)
{
	(void)err_set(err, ERR_REFUSED, STR_FMT " %s", STR_ARG(column->name), why);
	if (err)
		snprintf(err->field, sizeof(err->field), STR_FMT, STR_ARG(column->name));
	return ERR_REFUSED;
}

/* Dates and times stand for each other by the day they begin or lie in. */
static bool convert(struct arena *a, enum value_kind kind, int scale, const struct value *v,
		    struct value *ret)
{
	if (v->kind == kind) {
		*ret = *v;
		return true;
	}
	if (v->kind == VALUE_DATE && kind == VALUE_TIME) {
		*ret = value_time(v->number * SECONDS_A_DAY);
		return true;
	}
	if (v->kind == VALUE_TIME && kind == VALUE_DATE) {
		int64_t days = v->number / SECONDS_A_DAY;

		*ret = value_date(v->number % SECONDS_A_DAY < 0 ? days - 1 : days);
		return true;
	}
	return value_parse(a, kind, value_print(a, v), scale, ret, NULL) == ERR_NONE;
}

enum err_kind dynamics_value_write(struct arena *a, const struct column *column,
				   const struct value *v, struct buf *out, struct err *err)
{
	struct value own;

	if (v->kind == VALUE_UNSEEN || !types[column->type].write)
		return err_set(err, ERR_OURS, STR_FMT " cannot be written", STR_ARG(column->name));
	if (v->kind == VALUE_EMPTY) {
		buf_text(out, column->type == COLUMN_BOOLEAN ? "false" : "null");
		return ERR_NONE;
	}
	if (!convert(a, column_kind(column), column->scale, v, &own))
		return refuse(column, "is of another type in Dynamics", err);
	if (own.kind == VALUE_EMPTY) {
		buf_text(out, "null");
		return ERR_NONE;
	}
	if (!types[column->type].write(a, column, &own, out))
		return refuse(column, "has no such choice in Dynamics", err);
	return ERR_NONE;
}
