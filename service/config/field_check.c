/* What makes no sense in a field file although every value alone is good: two fields on one column,
 * a winner where nothing can collide. Must not know how the file is written. */
#include <strings.h>

#include "config/field_parts.h"
#include "core/mapping.h"

static void check_direction(struct field_reader *r, const struct field *f,
			    const struct field_place *at)
{
	bool is_one_way = f->direction != DIRECTION_BOTH;

	if (f->is_consent && is_one_way)
		field_mistake(r, at->consent,
			      "consent needs direction \"both\": an opt-out spreads either way");
	if (f->winner == WINNER_BY_LINK)
		return;
	if (is_one_way)
		field_mistake(r, at->winner, "winner has no meaning for a field that goes one way");
	if (f->is_consent)
		field_mistake(r, at->winner,
			      "winner has no meaning for a consent field: the opt-out wins");
}

static void check_stamp(struct field_reader *r, const struct field *f, const struct field_place *at)
{
	for (size_t i = 0; i < STAMP_FIELD_COUNT; i++) {
		if (strcasecmp(f->name, stamp_fields[i].name) == 0)
			field_mistake(r, at->column[TABLE_PERSON],
				      "\"%s\" is a field of Tandem's own, it cannot be mapped",
				      f->name);
	}
}

static void check_filter_column(struct field_reader *r, const struct field *f,
				const struct field_place *at)
{
	const char *filter = r->file->set.filter.column;

	for (int t = TABLE_LEAD; filter && t < TABLE_COUNT; t++) {
		if (f->column[t] && strcmp(f->column[t], filter) == 0)
			field_mistake(r, at->column[t],
				      "\"%s\" is the column of the filter, it cannot be mapped too",
				      filter);
	}
}

/* A column that the built-in set holds for an opt-out. */
static bool check_is_opt_out(const struct field *f)
{
	for (size_t i = 0; i < field_set_default.count; i++) {
		const struct field *known = &field_set_default.fields[i];

		for (int t = 0; known->is_consent && t < TABLE_COUNT; t++) {
			if (f->column[t] && known->column[t] &&
			    strcmp(f->column[t], known->column[t]) == 0)
				return true;
		}
	}
	return false;
}

static void check_field(struct field_reader *r, const struct field *f, const struct field_place *at)
{
	check_direction(r, f, at);
	check_filter_column(r, f, at);
	if (f->is_consent && f->create_type && strcmp(f->create_type, "boolean") != 0)
		field_mistake(r, at->type, "type must be \"boolean\" for a consent field");
	if (!f->is_consent && f->direction == DIRECTION_BOTH && check_is_opt_out(f))
		field_warning(r, at->field,
			      "this field is an opt-out: without \"consent\": true a collision may "
			      "take one back");
	if (f->name)
		check_stamp(r, f, at);
}

/* What must not be there twice. Names that differ in the case of letters only are a slip. */
enum { TWICE_LABEL = TABLE_COUNT, TWICE_COUNT };

static const char *const check_twice_words[TWICE_COUNT] = {
	[TABLE_PERSON] = "field",
	[TABLE_LEAD] = "column of lead",
	[TABLE_CONTACT] = "column of contact",
	[TWICE_LABEL] = "display name",
};

static const char *check_part(const struct field *f, int part)
{
	return part == TWICE_LABEL ? f->display_name : f->column[part];
}

static size_t check_line(const struct field_place *at, int part)
{
	return part == TWICE_LABEL ? at->label : at->column[part];
}

static void check_twice(struct field_reader *r, size_t index, int part)
{
	const char *text = check_part(&r->fields[index], part);

	for (size_t i = 0; text && i < index; i++) {
		const char *other = check_part(&r->fields[i], part);

		if (!other || strcasecmp(text, other) != 0)
			continue;
		field_mistake(r, check_line(&r->places[index], part),
			      "%s \"%s\" is used twice, first on line %zu", check_twice_words[part],
			      text, check_line(&r->places[i], part));
		return;
	}
}

static void check_filter(struct field_reader *r)
{
	if (r->file->set.filter.column)
		return;
	if (r->filter_empty)
		field_mistake(r, r->filter_empty, "empty has no meaning without a filter column");
	if (r->filter_set)
		field_mistake(r, r->filter_set,
			      "setOnCreate has no meaning without a filter column");
}

static void check_list(struct field_reader *r)
{
	if (!r->count) {
		field_mistake(r, r->list, "fields must not be empty");
		return;
	}
	if (r->count > MAPPING_FIELDS_MAX)
		field_mistake(r, r->places[MAPPING_FIELDS_MAX].field,
			      "there are %zu fields, at most %d can be mapped", r->count,
			      MAPPING_FIELDS_MAX);
	for (size_t i = 0; i < r->count; i++) {
		if (r->fields[i].name && strcmp(r->fields[i].name, "email") == 0)
			return;
	}
	field_warning(r, r->list, "no field is \"email\": nobody will be found by e-mail address");
}

void field_check(struct field_reader *r)
{
	check_filter(r);
	if (r->list)
		check_list(r);
	for (size_t i = 0; i < r->count; i++) {
		check_field(r, &r->fields[i], &r->places[i]);
		for (int part = 0; part < TWICE_COUNT; part++)
			check_twice(r, i, part);
	}
}
