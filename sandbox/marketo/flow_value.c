/* Values that travel between Marketo and the service of a flow step, by the types a definition
 * declares (Adobe: Self-Service Flow Steps, Service Provider Interface). Knows no people. */
#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "marketo/caller.h"

enum { STRING_BYTES = 255, TEXT_BYTES = 2000 };

static bool is_word(struct json_object *value)
{
	return json_object_is_type(value, json_type_string);
}

static const char *boolean_wrong(struct json_object *value)
{
	return json_object_is_type(value, json_type_boolean) ? NULL : "is not a truth value";
}

static const char *integer_wrong(struct json_object *value)
{
	int64_t number = json_object_get_int64(value);

	return json_object_is_type(value, json_type_int) && number >= INT32_MIN &&
			       number <= INT32_MAX
		       ? NULL
		       : "is not a whole number of 32 bits";
}

static const char *float_wrong(struct json_object *value)
{
	return json_object_is_type(value, json_type_int) ||
			       json_object_is_type(value, json_type_double)
		       ? NULL
		       : "is not a number";
}

/* RFC 3339 */
static const char *date_wrong(struct json_object *value)
{
	int64_t seconds;

	return is_word(value) && json_object_get_string_len(value) == 10 &&
			       time_from_text(json_object_get_string(value), 10, &seconds)
		       ? NULL
		       : "is not a date like 2026-08-30";
}

static const char *datetime_wrong(struct json_object *value)
{
	const char *words = is_word(value) ? json_object_get_string(value) : "";
	size_t len = strlen(words);
	int64_t seconds;

	return len > 19 && words[10] == 'T' && strpbrk(words + 19, "Z+-") &&
			       time_from_text(words, len, &seconds)
		       ? NULL
		       : "is not a time like 2026-08-30T14:05:09Z";
}

static const char *words_wrong(struct json_object *value)
{
	return is_word(value) ? NULL : "is not a text";
}

static const char *email_wrong(struct json_object *value)
{
	struct text kept = { 0 };
	bool good = is_word(value) &&
		    value_from_text(TYPE_EMAIL, json_object_get_string(value),
				    (size_t)json_object_get_string_len(value), &kept);

	text_free(&kept);
	return good ? NULL : "is not an e-mail address";
}

/* "+5" and "-5" change a score, 5 sets it. */
static const char *score_wrong(struct json_object *value)
{
	const char *words = is_word(value) ? json_object_get_string(value) : "";
	char *end;
	long number = strtol(words, &end, 10);

	if (is_word(value) && *words && !*end && !strchr(" \t\n", *words) && number >= INT32_MIN &&
	    number <= INT32_MAX)
		return NULL;
	return integer_wrong(value) ? "is not a score like 5, \"+5\" or \"-5\"" : NULL;
}

static const struct {
	const char *name;
	const char *(*wrong)(struct json_object *);
	size_t most; /* bytes; 0: no limit */
} types[] = {
	{ "boolean", boolean_wrong, 0 },
	{ "integer", integer_wrong, 0 },
	{ "date", date_wrong, 0 },
	{ "datetime", datetime_wrong, 0 },
	{ "email", email_wrong, 0 },
	{ "float", float_wrong, 0 },
	{ "score", score_wrong, 0 },
	{ "string", words_wrong, STRING_BYTES },
	{ "url", words_wrong, STRING_BYTES },
	{ "text", words_wrong, TEXT_BYTES },
};

bool flow_type_known(const char *type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, type) == 0)
			return true;
	return false;
}

const char *flow_value_wrong(const char *type, struct json_object *value, size_t *ret_cut)
{
	*ret_cut = 0;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const char *wrong;

		if (strcmp(types[i].name, type) != 0)
			continue;
		wrong = types[i].wrong(value);
		if (!wrong && types[i].most &&
		    (size_t)json_object_get_string_len(value) > types[i].most)
			*ret_cut = types[i].most;
		return wrong;
	}
	return "is of an unknown type";
}

struct json_object *flow_attribute(struct json_object *attributes, const char *name)
{
	size_t count = json_object_is_type(attributes, json_type_array)
			       ? json_object_array_length(attributes)
			       : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *attribute = json_object_array_get_idx(attributes, i);

		if (strcmp(json_words(attribute, "apiName"), name) == 0)
			return attribute;
	}
	return NULL;
}

const char *flow_display(struct json_object *attribute)
{
	return json_words(json_at(json_at(attribute, "i18n"), "en_US"), "name");
}

static bool choice_known(struct json_object *choices, struct json_object *value)
{
	for (size_t i = 0; i < json_object_array_length(choices); i++)
		if (json_object_equal(json_object_array_get_idx(choices, i), value))
			return true;
	return false;
}

/* An empty text stands for no value. */
static void given_wrong(struct json_object *attribute, struct json_object *choices,
			struct json_object *value, struct text *error)
{
	const char *name = json_words(attribute, "apiName"), *wrong;
	struct json_object *known = json_at(choices, name);
	size_t cut;

	if (!value || (is_word(value) && !json_object_get_string_len(value)))
		return;
	wrong = flow_value_wrong(json_words(attribute, "dataType"), value, &cut);
	if (wrong)
		text_printf(error, "the value of '%s' %s", name, wrong);
	else if (cut)
		text_printf(error, "the value of '%s' is longer than %zu bytes", name, cut);
	else if (known && json_object_get_boolean(json_at(attribute, "enforcePicklistSelect")) &&
		 !choice_known(known, value))
		text_printf(error, "'%s' is not in the picklist of '%s'",
			    json_object_get_string(value), name);
}

bool flow_given_check(struct json_object *attributes, struct json_object *choices,
		      struct json_object *given, struct text *error)
{
	if (!given)
		return true;
	if (!json_object_is_type(given, json_type_object)) {
		text_puts(error, "values of attributes must be an object");
		return false;
	}
	json_object_object_foreach (given, name, value) {
		struct json_object *attribute = flow_attribute(attributes, name);

		if (attribute)
			given_wrong(attribute, choices, value, error);
		else
			text_printf(error, "the service has no attribute '%s'", name);
		if (error->len)
			return false;
	}
	return true;
}
