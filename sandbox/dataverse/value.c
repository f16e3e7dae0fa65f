/* Values on their way in and out: JSON to the stored form with the vendor's checks, the stored form
 * to JSON, and what a person would see (Microsoft Learn: Web API types and operations). Knows no
 * requests. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataverse/dataverse.h"

#define FIRST_SECOND_OF_1753 (-6847804800LL)

double value_number(const char *bytes, size_t len)
{
	char number[64];

	snprintf(number, sizeof(number), "%.*s",
		 (int)(len < sizeof(number) ? len : sizeof(number) - 1), bytes);
	return strtod(number, NULL);
}

bool value_is_lookup(const struct column *c)
{
	return c->def->type == COLUMN_LOOKUP || c->def->type == COLUMN_CUSTOMER ||
	       c->def->type == COLUMN_OWNER;
}

static bool is_day(const struct column *c)
{
	return c->def->type == COLUMN_DATETIME && strcmp(c->def->behavior, "DateOnly") == 0;
}

const char *value_edm_type(const struct column *c)
{
	static const char *const types[COLUMN_TYPE_COUNT] = {
		[COLUMN_STRING] = "Edm.String",         [COLUMN_MEMO] = "Edm.String",
		[COLUMN_INTEGER] = "Edm.Int32",         [COLUMN_BIGINT] = "Edm.Int64",
		[COLUMN_DECIMAL] = "Edm.Decimal",       [COLUMN_DOUBLE] = "Edm.Double",
		[COLUMN_MONEY] = "Edm.Decimal",         [COLUMN_DATETIME] = "Edm.DateTimeOffset",
		[COLUMN_BOOLEAN] = "Edm.Boolean",       [COLUMN_PICKLIST] = "Edm.Int32",
		[COLUMN_MULTISELECT] = "Edm.String",    [COLUMN_STATE] = "Edm.Int32",
		[COLUMN_STATUS] = "Edm.Int32",          [COLUMN_LOOKUP] = "Edm.Guid",
		[COLUMN_CUSTOMER] = "Edm.Guid",         [COLUMN_OWNER] = "Edm.Guid",
		[COLUMN_UNIQUEIDENTIFIER] = "Edm.Guid", [COLUMN_IMAGE] = "Edm.Binary",
	};

	return is_day(c) ? "Edm.Date" : types[c->def->type];
}

static bool wrong_type(const struct table *t, const struct column *c, struct json_object *json,
		       struct failure *failure)
{
	return failure_set(
		failure, 400, PAYLOAD_ERROR,
		"Error identified in Payload provided by the user for Entity :'%s', For more information on this error "
		"please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ----> InnerException : "
		"Microsoft.OData.ODataException: Cannot convert the literal '%.200s' to the expected type '%s'.",
		t->def->set_name, json_object_get_string(json), value_edm_type(c));
}

static bool out_of_range(const struct table *t, const struct column *c, const char *code,
			 struct failure *failure)
{
	return failure_set(
		failure, 400, code,
		"A validation error occurred. The value of '%s' on record of type '%s' is outside the valid range.",
		c->def->name, t->def->logical_name);
}

static bool read_text(const struct table *t, const struct column *c, struct json_object *json,
		      struct text *ret, struct failure *failure)
{
	const char *bytes = json_object_get_string(json);
	size_t len = (size_t)json_object_get_string_len(json);

	if (!json_object_is_type(json, json_type_string))
		return wrong_type(t, c, json, failure);
	if (len > c->max_length && utf16_length(bytes, len) > c->max_length)
		return failure_set(
			failure, 400, "0x80044331",
			"A validation error occurred.  The length of the '%s' attribute of the '%s' entity exceeded the "
			"maximum allowed length of '%u'.",
			c->def->name, t->def->logical_name, c->max_length);
	text_add(ret, bytes, len);
	return true;
}

static bool read_integer(const struct table *t, const struct column *c, struct json_object *json,
			 struct text *ret, struct failure *failure)
{
	int64_t n;

	if (!json_object_is_type(json, json_type_int))
		return wrong_type(t, c, json, failure);
	n = json_object_get_int64(json);
	if (c->def->type == COLUMN_INTEGER && (n < INT32_MIN || n > INT32_MAX))
		return wrong_type(t, c, json, failure);
	if ((double)n < c->def->min || (double)n > c->def->max)
		return out_of_range(t, c, "0x8004432f", failure);
	text_printf(ret, "%lld", (long long)n);
	return true;
}

/* Rounded to the column's decimals; money is kept with four (Microsoft Learn: Money column
 * precision). */
static void print_decimal(struct text *ret, long double value, int precision, int shown)
{
	long double scale = 1;
	long long units;
	char digits[40];
	int len;

	for (int i = 0; i < precision; i++)
		scale *= 10;
	units = llroundl(fabsl(value) * scale);
	len = snprintf(digits, sizeof(digits), "%0*lld", precision + 1, units);
	if (value < 0 && units)
		text_puts(ret, "-");
	text_add(ret, digits, (size_t)(len - precision));
	if (shown)
		text_puts(ret, ".");
	text_add(ret, digits + len - precision, (size_t)precision);
	for (int i = precision; i < shown; i++)
		text_puts(ret, "0");
}

static void print_double(struct text *ret, double value, int precision)
{
	char digits[400];

	snprintf(digits, sizeof(digits), "%.*f", precision, value);
	if (strchr(digits, '.')) {
		size_t len = strlen(digits);

		while (digits[len - 1] == '0')
			digits[--len] = '\0';
		if (digits[len - 1] == '.')
			digits[len - 1] = '\0';
	}
	text_puts(ret, strcmp(digits, "-0") == 0 ? "0" : digits);
}

static bool read_number(const struct table *t, const struct column *c, struct json_object *json,
			struct text *ret, struct failure *failure)
{
	long double n;

	if (!json_object_is_type(json, json_type_int) &&
	    !json_object_is_type(json, json_type_double))
		return wrong_type(t, c, json, failure);
	n = strtold(json_object_get_string(json), NULL);
	if (n < (long double)c->def->min || n > (long double)c->def->max)
		return out_of_range(t, c, "0x80044330", failure);
	if (c->def->type == COLUMN_DOUBLE)
		print_double(ret, (double)n, c->def->precision);
	else
		print_decimal(ret, n, c->def->precision,
			      c->def->type == COLUMN_MONEY ? 4 : c->def->precision);
	return true;
}

static bool read_time(const struct table *t, const struct column *c, struct json_object *json,
		      struct text *ret, struct failure *failure)
{
	const char *bytes = json_object_get_string(json);
	size_t len = (size_t)json_object_get_string_len(json);
	char day[DATE_TEXT], time[TIME_TEXT];
	int64_t seconds = 0;
	bool good;

	if (!json_object_is_type(json, json_type_string))
		return wrong_type(t, c, json, failure);
	good = is_day(c) ? date_parse(bytes, len, day) : time_parse(bytes, len, &seconds);
	if (!good)
		return wrong_type(t, c, json, failure);
	if (is_day(c) ? strcmp(day, "1753-01-01") < 0 : seconds < FIRST_SECOND_OF_1753)
		return failure_set(
			failure, 400, "0x80040239",
			"DateTime is less than minumum value supported by CrmDateTime. Actual value: %.30s, Minimum value "
			"supported: 01/01/1753 00:00:00",
			bytes);
	if (!is_day(c))
		time_print(seconds, time);
	text_puts(ret, is_day(c) ? day : time);
	return true;
}

static const struct column_option *option_of(const struct column *c, long long value)
{
	for (const struct column_option *o = c->def->options; o && o->label; o++)
		if (o->value == value)
			return o;
	return NULL;
}

static bool bad_option(const struct table *t, const struct column *c, const char *value,
		       struct failure *failure)
{
	struct text accepted = { 0 };

	text_add(&accepted, "", 0);
	for (const struct column_option *o = c->def->options; o && o->label; o++)
		text_printf(&accepted, "%s%d", accepted.len ? "," : "", o->value);
	failure_set(
		failure, 400, "0x8004431a",
		"A validation error occurred. The value %s of '%s' on record of type '%s' is outside the valid range. "
		"Accepted Values: %s",
		value, c->def->name, t->def->logical_name, accepted.data);
	text_free(&accepted);
	return false;
}

static bool read_option(const struct table *t, const struct column *c, struct json_object *json,
			struct text *ret, struct failure *failure)
{
	if (!json_object_is_type(json, json_type_int))
		return wrong_type(t, c, json, failure);
	if (!option_of(c, json_object_get_int64(json)))
		return bad_option(t, c, json_object_get_string(json), failure);
	text_puts(ret, json_object_get_string(json));
	return true;
}

static bool read_options(const struct table *t, const struct column *c, struct json_object *json,
			 struct text *ret, struct failure *failure)
{
	const char *at = json_object_get_string(json);
	char *end;

	if (!json_object_is_type(json, json_type_string))
		return wrong_type(t, c, json, failure);
	for (; *at; at = *end ? end + 1 : end) {
		long long value = strtoll(at, &end, 10);

		if (end == at || (*end && *end != ','))
			return wrong_type(t, c, json, failure);
		if (!option_of(c, value))
			return bad_option(t, c, at, failure);
	}
	text_puts(ret, json_object_get_string(json));
	return true;
}

static bool read_guid(const struct table *t, const struct column *c, struct json_object *json,
		      struct text *ret, struct failure *failure)
{
	struct guid id;
	char text[GUID_TEXT];

	if (!json_object_is_type(json, json_type_string) ||
	    !guid_parse(json_object_get_string(json), (size_t)json_object_get_string_len(json),
			&id))
		return wrong_type(t, c, json, failure);
	guid_print(&id, text);
	text_puts(ret, text);
	return true;
}

bool value_read(const struct table *t, const struct column *c, struct json_object *json,
		struct text *ret, bool *ret_null, struct failure *failure)
{
	size_t start = ret->len;
	bool good = false;

	*ret_null = !json;
	if (!json)
		return true;
	switch (c->def->type) {
	case COLUMN_STRING:
	case COLUMN_MEMO:
		good = read_text(t, c, json, ret, failure);
		break;
	case COLUMN_INTEGER:
	case COLUMN_BIGINT:
		good = read_integer(t, c, json, ret, failure);
		break;
	case COLUMN_DECIMAL:
	case COLUMN_DOUBLE:
	case COLUMN_MONEY:
		good = read_number(t, c, json, ret, failure);
		break;
	case COLUMN_DATETIME:
		good = read_time(t, c, json, ret, failure);
		break;
	case COLUMN_BOOLEAN:
		good = json_object_is_type(json, json_type_boolean) ||
		       wrong_type(t, c, json, failure);
		text_puts(ret, json_object_get_boolean(json) ? "1" : "0");
		break;
	case COLUMN_PICKLIST:
	case COLUMN_STATE:
	case COLUMN_STATUS:
		good = read_option(t, c, json, ret, failure);
		break;
	case COLUMN_MULTISELECT:
		good = read_options(t, c, json, ret, failure);
		break;
	case COLUMN_UNIQUEIDENTIFIER:
		good = read_guid(t, c, json, ret, failure);
		break;
	case COLUMN_LOOKUP:
	case COLUMN_CUSTOMER:
	case COLUMN_OWNER:
	case COLUMN_IMAGE:
	case COLUMN_TYPE_COUNT:
		good = wrong_type(t, c, json, failure);
		break;
	}
	if (good && ret->len == start)
		*ret_null = true; /* an empty text is kept as no text */
	return good;
}

void value_write(struct text *out, const struct column *c, struct value v)
{
	if (!v.bytes) {
		text_add(out, "null", 4);
		return;
	}
	switch (c->def->type) {
	case COLUMN_INTEGER:
	case COLUMN_BIGINT:
	case COLUMN_DECIMAL:
	case COLUMN_DOUBLE:
	case COLUMN_MONEY:
	case COLUMN_PICKLIST:
	case COLUMN_STATE:
	case COLUMN_STATUS:
		text_add(out, v.bytes, v.len);
		return;
	case COLUMN_BOOLEAN:
		text_puts(out, *v.bytes == '1' ? "true" : "false");
		return;
	case COLUMN_LOOKUP:
	case COLUMN_CUSTOMER:
	case COLUMN_OWNER:
		text_json_string(out, v.bytes + 1, v.len - 1);
		return;
	case COLUMN_STRING:
	case COLUMN_MEMO:
	case COLUMN_DATETIME:
	case COLUMN_MULTISELECT:
	case COLUMN_UNIQUEIDENTIFIER:
	case COLUMN_IMAGE:
	case COLUMN_TYPE_COUNT:
		text_json_string(out, v.bytes, v.len);
		return;
	}
}

/* The nth part of a comma-separated list; "" when there is none. */
static void list_part(const char *list, int n, char *ret, size_t size)
{
	size_t len = strcspn(list, ",");

	for (; n > 0 && list[len]; n--) {
		list += len + 1;
		len = strcspn(list, ",");
	}
	snprintf(ret, size, "%.*s", n ? 0 : (int)len, list);
}

void value_lookup(const struct column *c, struct value v, char *target, char *navigation,
		  size_t size, struct guid *id)
{
	int which = v.bytes[0] - '0';

	list_part(c->def->targets, which, target, size);
	list_part(c->def->navigation, strchr(c->def->navigation, ',') ? which : 0, navigation,
		  size);
	guid_parse(v.bytes + 1, v.len - 1, id);
}

static bool format_lookup(const struct store *s, const struct column *c, struct value v,
			  struct text *out)
{
	char target[64], navigation[64];
	struct guid id;

	value_lookup(c, v, target, navigation, sizeof(target), &id);
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		const struct table *t = &s->tables[i];
		uint32_t record;
		struct scratch scratch;
		struct value name;

		if (strcmp(t->def->logical_name, target) != 0)
			continue;
		record = table_find(t, &id, false);
		if (record == NO_RECORD)
			return false;
		name = record_value(s, t, &t->records[record],
				    table_column(t, t->def->name_column,
						 strlen(t->def->name_column)),
				    &scratch);
		text_add(out, name.bytes ? name.bytes : "", name.len);
		return true;
	}
	return false;
}

static void format_thousands(const char *digits, size_t len, struct text *out)
{
	size_t whole = 0;

	if (len && *digits == '-') {
		text_puts(out, "-");
		digits++;
		len--;
	}
	while (whole < len && digits[whole] != '.')
		whole++;
	for (size_t i = 0; i < whole; i++) {
		if (i && (whole - i) % 3 == 0)
			text_puts(out, ",");
		text_add(out, digits + i, 1);
	}
	text_add(out, digits + whole, len - whole);
}

static void format_time(const struct column *c, struct value v, struct text *out)
{
	int year = 0, month = 0, day = 0, hour = 0, minute = 0;
	char bytes[TIME_TEXT];

	snprintf(bytes, sizeof(bytes), "%.*s", (int)v.len, v.bytes);
	sscanf(bytes, "%d-%d-%dT%d:%d", &year, &month, &day, &hour, &minute);
	text_printf(out, "%d/%d/%d", month, day, year);
	if (strcmp(c->def->format, "DateOnly") != 0)
		text_printf(out, " %d:%02d %s", hour % 12 ? hour % 12 : 12, minute,
			    hour < 12 ? "AM" : "PM");
}

bool value_formatted(const struct store *s, const struct column *c, struct value v,
		     struct text *out)
{
	const struct column_option *o;

	if (!v.bytes)
		return false;
	switch (c->def->type) {
	case COLUMN_BOOLEAN:
	case COLUMN_PICKLIST:
	case COLUMN_STATE:
	case COLUMN_STATUS:
		o = option_of(c, (long long)value_number(v.bytes, v.len));
		if (o)
			text_puts(out, o->label);
		return o != NULL;
	case COLUMN_INTEGER:
	case COLUMN_BIGINT:
	case COLUMN_DECIMAL:
	case COLUMN_DOUBLE:
		format_thousands(v.bytes, v.len, out);
		return true;
	case COLUMN_MONEY:
		text_puts(out, "$");
		format_thousands(v.bytes, v.len - 2, out);
		return true;
	case COLUMN_DATETIME:
		format_time(c, v, out);
		return true;
	case COLUMN_LOOKUP:
	case COLUMN_CUSTOMER:
	case COLUMN_OWNER:
		return format_lookup(s, c, v, out);
	case COLUMN_STRING:
	case COLUMN_MEMO:
	case COLUMN_MULTISELECT:
	case COLUMN_UNIQUEIDENTIFIER:
	case COLUMN_IMAGE:
	case COLUMN_TYPE_COUNT:
		return false;
	}
	return false;
}

bool value_readable(const struct call *c, const struct table *t, uint16_t column)
{
	if (!t->columns[column].secured)
		return true;
	return c->user->reads_secured &&
	       !(c->dataverse->settings.denied[t->table][column] & 1u << c->user->id);
}

bool value_changeable(const struct call *c, const struct table *t, uint16_t column)
{
	return value_readable(c, t, column) &&
	       (!t->columns[column].secured ||
		!(c->dataverse->settings.read_only[t->table][column] & 1u << c->user->id));
}

int lookup_navigation(const struct column_def *def, const char *name, size_t len)
{
	const char *at = def->navigation;

	for (int i = 0; at && *at; i++) {
		size_t part = strcspn(at, ",");

		if (part == len && strncmp(at, name, len) == 0)
			return i;
		at += part + (at[part] == ',');
	}
	return -1;
}
