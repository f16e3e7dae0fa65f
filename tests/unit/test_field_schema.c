/* The published schema of the field file says what the reader does: the same members, words,
 * defaults, names and limits; and the examples of its manual are good. What the reader takes is
 * learnt from what it says about mistakes. */
#include "config/field_file.h"

#include <json-c/json.h>
#include <regex.h>
#include <stdio.h>

#include "core/mapping.h"
#include "tests/unit/unit.h"

#define EMAIL "{\"marketo\": \"email\", \"lead\": \"emailaddress1\"}"

static enum err_kind read_text(const char *text, struct field_file *ret, struct buf *problems)
{
	return field_file_read("f", str_of(text), ret, problems);
}

static struct json_object *schema; /* of the whole file; the tests run in the root of the tree */

static int read_schema(void **state)
{
	(void)state;
	schema = json_object_from_file("docs/fields.schema.json");
	return schema ? 0 : -1;
}

static int forget_schema(void **state)
{
	(void)state;
	return json_object_put(schema) == 1 ? 0 : -1;
}

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, name, &value))
		fail_msg("the schema lacks %s", name);
	return value;
}

static bool has(struct json_object *object, const char *name)
{
	return json_object_object_get_ex(object, name, NULL);
}

/* The objects of the file: its schema, how messages call it, and a file around one. */
enum { PART_FILE, PART_FILTER, PART_FIELD, PART_CREATE, PART_COUNT };

static const struct part {
	const char *what, *before, *behind;
} parts[PART_COUNT] = {
	{ "the file", "{", "}" },
	{ "filter", "{\"filter\": {", "}}" },
	{ "a field", "{\"fields\": [{", "}]}" },
	{ "create", "{\"fields\": [{\"create\": {", "}}]}" },
};

static struct json_object *part_schema(int part)
{
	struct json_object *file = member(schema, "properties"),
			   *field = member(member(file, "fields"), "items");

	switch (part) {
	case PART_FILE:
		return schema;
	case PART_FILTER:
		return member(file, "filter");
	case PART_FIELD:
		return field;
	default:
		return member(member(field, "properties"), "create");
	}
}

/* What is told of a file that has nothing but these members in one object. */
static void told(int part, const char *members, struct buf *ret)
{
	struct buf text = { 0 };
	struct field_file f;

	buf_clear(ret);
	buf_fmt(&text, "%s%s%s", parts[part].before, members, parts[part].behind);
	(void)read_text(buf_cstr(&text), &f, ret);
	field_file_release(&f);
	buf_release(&text);
}

static void expect_told(const struct buf *lines, const struct buf *line)
{
	if (!strstr(buf_cstr(lines), buf_cstr(line)))
		fail_msg("the schema says\n%s\nthe reader\n%s", buf_cstr(line), buf_cstr(lines));
}

static void the_schema_has_the_readers_members(void **state)
{
	(void)state;
	for (int part = 0; part < PART_COUNT; part++) {
		struct json_object *properties = member(part_schema(part), "properties");
		struct buf lines = { 0 }, line = { 0 };
		const char *comma = "";

		assert_false(
			json_object_get_boolean(member(part_schema(part), "additionalProperties")));
		buf_fmt(&line, "f:1: \"qqqqqqqq\" is no member of %s, which has ",
			parts[part].what);
		json_object_object_foreach (properties, name, value) {
			(void)value;
			buf_fmt(&line, "%s%s", comma, name);
			comma = ", ";
		}
		buf_char(&line, '\n');
		told(part, "\"qqqqqqqq\": 1", &lines);
		expect_told(&lines, &line);
		buf_release(&lines);
		buf_release(&line);
	}
}

static void the_schema_requires_what_the_reader_does(void **state)
{
	(void)state;
	for (int part = 0; part < PART_COUNT; part++) {
		struct json_object *properties = member(part_schema(part), "properties"),
				   *required = NULL;
		struct buf lines = { 0 }, line = { 0 };

		(void)json_object_object_get_ex(part_schema(part), "required", &required);
		told(part, "", &lines);
		json_object_object_foreach (properties, name, value) {
			bool is_required = false;

			(void)value;
			for (size_t i = 0; required && i < json_object_array_length(required); i++)
				is_required |=
					strcmp(json_object_get_string(
						       json_object_array_get_idx(required, i)),
					       name) == 0;
			buf_clear(&line);
			buf_fmt(&line, "%s must have \"%s\"\n", parts[part].what, name);
			if ((strstr(buf_cstr(&lines), buf_cstr(&line)) != NULL) != is_required)
				fail_msg(
					"%s: the schema and the reader differ in whether %s must be "
					"there",
					parts[part].what, name);
		}
		buf_release(&lines);
		buf_release(&line);
	}
}

static void the_schema_has_the_readers_words(void **state)
{
	size_t seen = 0;

	(void)state;
	for (int part = 0; part < PART_COUNT; part++) {
		struct buf lines = { 0 }, line = { 0 }, members = { 0 };

		json_object_object_foreach (member(part_schema(part), "properties"), name, value) {
			struct json_object *words = NULL;

			if (!json_object_object_get_ex(value, "enum", &words))
				continue;
			buf_clear(&line);
			buf_clear(&members);
			buf_fmt(&members, "\"%s\": \"qqq\"", name);
			told(part, buf_cstr(&members), &lines);
			buf_fmt(&line, "f:1: %s must be ", name);
			for (size_t i = 0, n = json_object_array_length(words); i < n; i++)
				buf_fmt(&line, "%s\"%s\"",
					!i          ? ""
					: i + 1 < n ? ", "
						    : " or ",
					json_object_get_string(
						json_object_array_get_idx(words, i)));
			buf_char(&line, '\n');
			expect_told(&lines, &line);
			seen++;
		}
		buf_release(&members);
		buf_release(&lines);
		buf_release(&line);
	}
	assert_int_equal(seen, 6);
}

static void add_defaults(struct buf *out, int part)
{
	json_object_object_foreach (member(part_schema(part), "properties"), name, value) {
		if (!has(value, "default"))
			continue;
		buf_fmt(out, ", \"%s\": %s", name,
			json_object_to_json_string(member(value, "default")));
	}
}

/* A good text as it is printed after reading. */
static void print_back(const char *text, struct buf *ret)
{
	struct field_file f;

	if (read_text(text, &f, ret) != ERR_NONE)
		fail_msg("%s\n%s", text, buf_cstr(ret));
	buf_clear(ret);
	field_file_print(&f.set, ret);
	field_file_release(&f);
}

static void the_schema_has_the_readers_defaults(void **state)
{
	struct buf text = { 0 }, filter = { 0 }, field = { 0 };
	struct buf full = { 0 }, bare = { 0 };

	(void)state;
	add_defaults(&filter, PART_FILTER);
	add_defaults(&field, PART_FIELD);
	assert_non_null(strstr(buf_cstr(&field), "\"contact\": null"));
	buf_text(&text, "{\"version\": 1");
	add_defaults(&text, PART_FILE);
	buf_fmt(&text, ", \"filter\": {%s}, \"fields\": [" EMAIL ",", buf_cstr(&filter) + 2);
	buf_fmt(&text, "{\"marketo\": \"a\"%s}]}", buf_cstr(&field));
	/* a field without any column is none: give it one */
	memcpy(strstr(text.data, "\"lead\": null"), "\"lead\": \"aa\"", 12);
	print_back(buf_cstr(&text), &full);
	print_back("{\"version\": 1, \"fields\": [" EMAIL
		   ", {\"marketo\": \"a\", \"lead\": \"aa\"}]}",
		   &bare);
	assert_string_equal(buf_cstr(&full), buf_cstr(&bare));
	buf_release(&full);
	buf_release(&bare);
	buf_release(&text);
	buf_release(&filter);
	buf_release(&field);
}

static bool is_taken(const char *name, const char *value)
{
	struct buf text = { 0 }, problems = { 0 };
	struct field_file f;
	bool is_good;

	buf_fmt(&text, "{\"version\": 1, \"fields\": [" EMAIL ", {%s\"%s\": \"%s\"}]}",
		strcmp(name, "marketo") == 0 ? "\"contact\": \"a\", " : "\"marketo\": \"a\", ",
		name, value);
	is_good = read_text(buf_cstr(&text), &f, &problems) == ERR_NONE;
	field_file_release(&f);
	buf_release(&text);
	buf_release(&problems);
	return is_good;
}

static void the_schema_has_the_readers_names(void **state)
{
	static const char *const members[] = { "marketo", "lead", "contact" };
	static const char *const names[] = {
		"a",
		"Z",
		"_a",
		"1a",
		"a1",
		"a_",
		"aB",
		"",
		"a b",
		"a-b",
		"a.b",
		"\xc3\xa4",
		"a\xc3\xa4",
		/* 79, then 80 */
		"a123456789b123456789c123456789d123456789e123456789f123456789g123456789h12345678",
		"a123456789b123456789c123456789d123456789e123456789f123456789g123456789h123456789",
	};
	struct json_object *properties = member(part_schema(PART_FIELD), "properties");

	(void)state;
	for (size_t m = 0; m < ARRAY_LEN(members); m++) {
		regex_t pattern;

		assert_int_equal(regcomp(&pattern,
					 json_object_get_string(
						 member(member(properties, members[m]), "pattern")),
					 REG_EXTENDED | REG_NOSUB),
				 0);
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			bool is_schema = regexec(&pattern, names[i], 0, NULL, 0) == 0;

			if (is_schema != is_taken(members[m], names[i]))
				fail_msg("%s: the schema and the reader differ about \"%s\"",
					 members[m], names[i]);
		}
		regfree(&pattern);
	}
	assert_string_equal(
		json_object_get_string(member(member(properties, "lead"), "pattern")),
		json_object_get_string(
			member(member(member(part_schema(PART_FILTER), "properties"), "column"),
			       "pattern")));
}

static void the_schema_has_the_readers_limits(void **state)
{
	struct json_object *file = member(schema, "properties"), *fields = member(file, "fields"),
			   *label = member(member(part_schema(PART_CREATE), "properties"),
					   "displayName");

	(void)state;
	assert_int_equal(json_object_get_int(member(member(file, "version"), "const")), 1);
	assert_int_equal(json_object_get_int(member(fields, "minItems")), 1);
	assert_int_equal(json_object_get_int(member(fields, "maxItems")), MAPPING_FIELDS_MAX);
	assert_int_equal(json_object_get_int(member(label, "minLength")), 1);
	assert_int_equal(json_object_get_int(member(label, "maxLength")), FIELD_LABEL_MAX);
}

/* ---- the manual ---- */

static void read_manual(struct buf *ret)
{
	FILE *file = fopen("docs/fields.md", "re");
	char part[4096];
	size_t n;

	assert_non_null(file);
	while ((n = fread(part, 1, sizeof(part), file)) > 0)
		buf_add(ret, (struct str){ part, n });
	assert_int_equal(fclose(file), 0);
}

static void the_manual_names_every_member(void **state)
{
	struct buf manual = { 0 }, cell = { 0 };

	(void)state;
	read_manual(&manual);
	for (int part = 0; part < PART_COUNT; part++) {
		json_object_object_foreach (member(part_schema(part), "properties"), name, value) {
			(void)value;
			buf_clear(&cell);
			buf_fmt(&cell, "\n| `%s` |", name);
			if (!strstr(buf_cstr(&manual), buf_cstr(&cell)))
				fail_msg("docs/fields.md does not explain %s", name);
		}
	}
	buf_release(&manual);
	buf_release(&cell);
}

static void the_manuals_examples_are_good(void **state)
{
	struct buf manual = { 0 }, text = { 0 }, problems = { 0 };
	const char *at, *end;
	size_t seen = 0;

	(void)state;
	read_manual(&manual);
	for (at = buf_cstr(&manual); (at = strstr(at, "```json\n")) != NULL; at = end) {
		struct field_file f;

		at += strlen("```json\n");
		end = strstr(at, "```");
		assert_non_null(end);
		buf_clear(&text);
		buf_fmt(&text, "{\"version\": 1, \"fields\": [" EMAIL ",\n%.*s]}", (int)(end - at),
			at);
		if (read_text(buf_cstr(&text), &f, &problems) != ERR_NONE || problems.len)
			fail_msg("%s\n%s", buf_cstr(&text), buf_cstr(&problems));
		field_file_release(&f);
		end += strlen("```");
		seen++;
	}
	assert_int_equal(seen, 3);
	buf_release(&manual);
	buf_release(&text);
	buf_release(&problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_schema_has_the_readers_members),
		cmocka_unit_test(the_schema_requires_what_the_reader_does),
		cmocka_unit_test(the_schema_has_the_readers_words),
		cmocka_unit_test(the_schema_has_the_readers_defaults),
		cmocka_unit_test(the_schema_has_the_readers_names),
		cmocka_unit_test(the_schema_has_the_readers_limits),
		cmocka_unit_test(the_manual_names_every_member),
		cmocka_unit_test(the_manuals_examples_are_good),
	};

	return cmocka_run_group_tests_name(__FILE__, tests, read_schema, forget_schema);
}
