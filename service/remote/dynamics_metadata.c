/* Table definitions as Dataverse answers them, turned into columns; the pure part of
 * dynamics_schema.h: knows neither rights nor requests. */
#include "base/clock.h"
#include "remote/dynamics_schema.h"
#include "remote/json.h"

enum { OPTIONS_MAX = 10000 };

/* AttributeType of the query without a cast; what is not here is never mapped. Multi-select choices
 * are Virtual there and only their cast tells them apart. */
static const struct {
	const char *name;
	enum column_type type;
} type_rows[] = {
	{ "String", COLUMN_TEXT },     { "Memo", COLUMN_TEXT },
	{ "Boolean", COLUMN_BOOLEAN }, { "Integer", COLUMN_INTEGER },
	{ "BigInt", COLUMN_INTEGER },  { "Decimal", COLUMN_DECIMAL },
	{ "Double", COLUMN_DECIMAL },  { "Money", COLUMN_DECIMAL },
	{ "DateTime", COLUMN_TIME },   { "Picklist", COLUMN_CHOICE },
	{ "State", COLUMN_CHOICE },    { "Status", COLUMN_CHOICE },
	{ "Lookup", COLUMN_LOOKUP },   { "Customer", COLUMN_LOOKUP },
	{ "Owner", COLUMN_LOOKUP },    { "Uniqueidentifier", COLUMN_TEXT },
};

/* A name does not tell which row is meant, and ids are given by Dataverse. */
static bool is_read_only(enum column_type type, struct str name)
{
	return type == COLUMN_LOOKUP || str_equal(name, STR("Uniqueidentifier"));
}

typedef enum err_kind take_cast(struct json_object *row, int base_language, struct arena *a,
				struct column *c, struct err *err);

struct dynamics_cast {
	const char *name;
	const char *query; /* behind "...AttributeMetadata?" */
	take_cast *take;
};

static take_cast take_length, take_range, take_time, take_choices, take_many_choices;

#define SELECT_RANGE "$select=LogicalName,MinValue,MaxValue"
#define EXPAND_OPTIONS                                                                             \
	"$select=LogicalName&$expand=OptionSet($select=Options),GlobalOptionSet($select=Options)"

static const struct dynamics_cast casts[] = {
	{ "String", "$select=LogicalName,MaxLength", take_length },
	{ "Memo", "$select=LogicalName,MaxLength", take_length },
	{ "Integer", SELECT_RANGE, take_range },
	{ "BigInt", SELECT_RANGE, take_range },
	{ "Decimal", SELECT_RANGE ",Precision", take_range },
	{ "Double", SELECT_RANGE ",Precision", take_range },
	{ "Money", SELECT_RANGE ",Precision", take_range },
	{ "DateTime", "$select=LogicalName,Format,DateTimeBehavior", take_time },
	{ "Picklist", EXPAND_OPTIONS, take_choices },
	{ "State", EXPAND_OPTIONS, take_choices },
	{ "Status", EXPAND_OPTIONS, take_choices },
	{ "MultiSelectPicklist", EXPAND_OPTIONS, take_many_choices },
};
const size_t dynamics_cast_count = ARRAY_LEN(casts);

const struct dynamics_cast *dynamics_cast_at(size_t index)
{
	return &casts[index];
}

const char *dynamics_cast_name(const struct dynamics_cast *cast)
{
	return cast->name;
}

const char *dynamics_cast_query(const struct dynamics_cast *cast)
{
	return cast->query;
}

/* ---- the query without a cast ---- */

static enum column_type type_of(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(type_rows); i++)
		if (str_equal(name, str_of(type_rows[i].name)))
			return type_rows[i].type;
	return COLUMN_OTHER;
}

/* Companions of another column (its label, its pronunciation) are not columns of their own. */
static bool is_companion(struct json_object *row)
{
	struct str of;

	return json_get_string(row, "AttributeOf", &of) && of.n;
}

static enum err_kind take_base(struct json_object *row, struct arena *a, struct column *c,
			       struct err *err)
{
	struct str name, type, id;

	if (!json_get_string(row, "LogicalName", &name) || !name.n ||
	    !json_get_string(row, "AttributeType", &type) ||
	    !json_get_string(row, "MetadataId", &id) || !guid_parse(id, &c->metadata_id) ||
	    !json_get_bool(row, "IsValidForRead", &c->can_read) ||
	    !json_get_bool(row, "IsValidForCreate", &c->can_create) ||
	    !json_get_bool(row, "IsValidForUpdate", &c->can_update))
		return err_set(err, ERR_RUBBISH, "the definition of a column came incomplete");
	(void)json_get_bool(row, "IsSecured", &c->is_secured);
	c->name = arena_str(a, name);
	c->type = type_of(type);
	c->length_unit = LENGTH_UTF16;
	c->scale = -1;
	if (is_companion(row))
		c->can_read = false;
	if (is_companion(row) || is_read_only(c->type, type))
		c->can_create = c->can_update = false;
	return ERR_NONE;
}

enum err_kind dynamics_schema_base(struct json_object *answer, struct arena *a, struct schema *ret,
				   struct err *err)
{
	struct json_object *rows = json_get_array(answer, "value");
	size_t count = rows ? json_object_array_length(rows) : 0;
	enum err_kind kind = ERR_NONE;

	if (!count)
		return err_set(err, ERR_RUBBISH, "the definition of a table came without columns");
	ret->columns = arena_array(a, count, sizeof(*ret->columns));
	ret->column_count = count;
	for (size_t i = 0; kind == ERR_NONE && i < count; i++)
		kind = take_base(json_object_array_get_idx(rows, i), a, &ret->columns[i], err);
	return kind;
}

/* ---- casts ---- */

static enum err_kind take_length(struct json_object *row, int base_language, struct arena *a,
				 struct column *c, struct err *err)
{
	int64_t length;

	(void)base_language;
	(void)a;
	(void)err;
	if (json_get_int64(row, "MaxLength", &length) && length > 0 && length <= UINT32_MAX)
		c->length_max = (uint32_t)length;
	return ERR_NONE;
}

static bool get_number(struct json_object *row, const char *name, double *ret)
{
	struct json_object *member;

	if (!json_object_object_get_ex(row, name, &member) ||
	    (!json_object_is_type(member, json_type_int) &&
	     !json_object_is_type(member, json_type_double)))
		return false;
	*ret = json_object_get_double(member);
	return true;
}

static enum err_kind take_range(struct json_object *row, int base_language, struct arena *a,
				struct column *c, struct err *err)
{
	int64_t precision;

	(void)base_language;
	(void)a;
	(void)err;
	c->has_range = get_number(row, "MinValue", &c->min) && get_number(row, "MaxValue", &c->max);
	if (c->type == COLUMN_DECIMAL && json_get_int64(row, "Precision", &precision) &&
	    precision >= 0 && precision <= 10)
		c->scale = (int)precision;
	return ERR_NONE;
}

/* How a time is shown (Format) does not matter on the wire, its behaviour does ("Microsoft Learn:
 * Behavior and format of the date and time column"). */
static enum err_kind take_time(struct json_object *row, int base_language, struct arena *a,
			       struct column *c, struct err *err)
{
	struct json_object *behavior = json_get_object(row, "DateTimeBehavior");
	struct str name;
	int64_t first = 0, last = 0;

	(void)base_language;
	(void)a;
	if (!clock_parse_date(STR("1753-01-01"), &first) ||
	    !clock_parse_date(STR("9999-12-31"), &last))
		return err_set(err, ERR_OURS, "the limits of dates cannot be read");
	if (behavior && json_get_string(behavior, "Value", &name) &&
	    str_equal(name, STR("DateOnly")))
		c->type = COLUMN_DATE;
	c->has_range = true;
	c->min = (double)first * (c->type == COLUMN_DATE ? 1 : 24 * 3600);
	c->max = c->type == COLUMN_DATE ? (double)last : (double)(last + 1) * 24 * 3600 - 1;
	return ERR_NONE;
}

static bool label_in(struct json_object *labels, int base_language, struct str *ret)
{
	struct json_object *user = json_get_object(labels, "UserLocalizedLabel"), *all;
	struct str first = STR("");
	int64_t language;

	if (user && json_get_string(user, "Label", ret))
		return true;
	all = json_get_array(labels, "LocalizedLabels");
	for (size_t i = 0; all && i < json_object_array_length(all); i++) {
		struct json_object *one = json_object_array_get_idx(all, i);
		struct str text;

		if (!json_get_string(one, "Label", &text))
			continue;
		if (json_get_int64(one, "LanguageCode", &language) && language == base_language) {
			*ret = text;
			return true;
		}
		if (!first.n)
			first = text;
	}
	*ret = first;
	return first.n > 0;
}

/* An option without any label cannot be written by label; it is left out, and rows that show it are
 * UNSEEN. */
static bool take_option(struct json_object *row, int base_language, struct arena *a,
			struct option *ret)
{
	struct json_object *labels = json_get_object(row, "Label");
	struct value text;
	struct str label;
	int64_t number;

	if (!labels || !json_get_int64(row, "Value", &number) || number < INT32_MIN ||
	    number > INT32_MAX || !label_in(labels, base_language, &label))
		return false;
	text = value_text(a, label);
	if (text.kind != VALUE_TEXT)
		return false;
	*ret = (struct option){ .value = (int32_t)number, .label = text.text };
	return true;
}

/* A choice whose list is not told cannot be understood, so it is left alone; no other column
 * suffers. */
static enum err_kind take_choices(struct json_object *row, int base_language, struct arena *a,
				  struct column *c, struct err *err)
{
	struct json_object *set = json_get_object(row, "OptionSet"), *options;
	size_t count;

	if (!set)
		set = json_get_object(row, "GlobalOptionSet");
	options = set ? json_get_array(set, "Options") : NULL;
	(void)err;
	if (!options || json_object_array_length(options) > OPTIONS_MAX) {
		c->type = COLUMN_OTHER;
		return ERR_NONE;
	}
	count = json_object_array_length(options);
	c->options = arena_array(a, count ? count : 1, sizeof(*c->options));
	c->option_count = 0;
	for (size_t i = 0; i < count; i++)
		if (take_option(json_object_array_get_idx(options, i), base_language, a,
				&c->options[c->option_count]))
			c->option_count++;
	return ERR_NONE;
}

static enum err_kind take_many_choices(struct json_object *row, int base_language, struct arena *a,
				       struct column *c, struct err *err)
{
	c->type = COLUMN_MULTI_CHOICE; /* unless its list is missing */
	return take_choices(row, base_language, a, c, err);
}

static struct column *find_column(struct schema *s, struct str name)
{
	for (size_t i = 0; i < s->column_count; i++)
		if (str_equal(s->columns[i].name, name))
			return &s->columns[i];
	return NULL;
}

enum err_kind dynamics_schema_cast(const struct dynamics_cast *cast, struct json_object *answer,
				   int base_language, struct arena *a, struct schema *schema,
				   struct err *err)
{
	struct json_object *rows = json_get_array(answer, "value");
	enum err_kind kind = ERR_NONE;

	if (!rows)
		return err_set(err, ERR_RUBBISH, "the definitions of %s columns came incomplete",
			       cast->name);
	for (size_t i = 0; kind == ERR_NONE && i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		struct column *c;
		struct str name;

		if (!json_get_string(row, "LogicalName", &name))
			return err_set(err, ERR_RUBBISH,
				       "the definition of a column came without its name");
		c = find_column(schema, name);
		if (c)
			kind = cast->take(row, base_language, a, c, err);
	}
	return kind;
}
