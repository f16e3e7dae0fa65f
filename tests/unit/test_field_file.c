/* The field file: every mistake is told with its line, what is printed is read back the same, and
 * the published schema says what the reader does. */
#include "config/field_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/mapping.h"
#include "tests/unit/unit.h"

static enum err_kind read_text(const char *text, struct field_file *ret, struct buf *problems)
{
	return field_file_read("f", str_of(text), ret, problems);
}

/* What is told about a text. */
static void expect(const char *text, const char *lines, bool is_good)
{
	struct buf problems = { 0 };
	struct field_file f;
	enum err_kind kind = read_text(text, &f, &problems);

	if (strcmp(buf_cstr(&problems), lines) != 0 || (kind == ERR_NONE) != is_good ||
	    (f.mistakes == 0) != is_good)
		fail_msg("%s\ngave (kind %d)\n%s\ninstead of\n%s", text, kind, buf_cstr(&problems),
			 lines);
	field_file_release(&f);
	buf_release(&problems);
}

#define EMAIL "{\"marketo\": \"email\", \"lead\": \"emailaddress1\"}"
/* A file whose second line is one field more. */
#define FIELD(members) "{\"version\": 1, \"fields\": [" EMAIL ",\n{" members "}\n]}"
/* A file with more at its top, on the second line. */
#define TOP(members) "{\"version\": 1,\n" members ",\n\"fields\": [" EMAIL "]}"
#define COLUMN_RULE                                                                                \
	" must be null or the logical name of a column: a small letter, then small letters, "      \
	"digits and _, at most 79 characters\n"
#define FIELD_RULE                                                                                 \
	"marketo must be the REST name of a field: a letter, then letters, digits and _, at most " \
	"79 characters\n"
#define LABEL_RULE                                                                                 \
	"displayName must be 1 to 255 bytes of text without control characters, nor white space "  \
	"at its ends\n"
#define NO_COLUMN "a field must have \"lead\", \"contact\" or both\n"
#define CREATE(members) FIELD("\"marketo\": \"a\", \"lead\": \"a\",\n\"create\": {" members "}")

struct bad {
	const char *text, *lines;
};

static const struct bad not_json[] = {
	{ "", "f:1: is empty\n" },
	{ " \n ", "f:1: is empty\n" },
	{ "{\"version\": 1,\n}", "f:2: is not JSON: unexpected character\n" },
	{ "{\"version\" 1}", "f:1: is not JSON: object property name separator ':' expected\n" },
	{ "{\n\"a\": [\r\n1\r2]}", "f:4: is not JSON: array value separator ',' expected\n" },
	{ "{\"a\": 1", "f:1: is not JSON: unexpected end of data\n" },
	{ "{\"a\": 1}\n{}", "f:2: is not JSON: unexpected character\n" },
	{ "{\n# what YAML takes\n\"a\": 1}",
	  "f:2: is not JSON: quoted object property name expected\n" },
	{ "{\n/* some take */\n\"a\": 1}",
	  "f:2: is not JSON: quoted object property name expected\n" },
	{ "{\na: 1}", "f:2: is not JSON: quoted object property name expected\n" },
	{ "version: 1", "f:1: is not JSON: unexpected character\n" },
	{ "{\"a\": &x 1}", "f:1: is not JSON: unexpected character\n" },
	{ "{\n'a': 1}", "f:2: is not JSON: strings stand in double quotes\n" },
	{ "{\"a\": 'b'}", "f:1: is not JSON: unexpected character\n" },
	{ "{\"a\": \"\\x41\"}", "f:1: is not JSON: invalid string sequence\n" },
	{ "{\"a\":\n\"b\n\"}", "f:2: is not JSON: a string ends on the line it begins on\n" },
	{ "\n\xff", "f:2: is not JSON: a character that is not UTF-8, or not in quotes\n" },
	{ "{\n\"a\": \"\xc3\x28\"}",
	  "f:2: is not JSON: a character that is not UTF-8, or not in quotes\n" },
	{ "\xef\xbb\xbf{}", "f:1: begins with a byte order mark: save it as UTF-8 without one\n" },
	{ "{\n\"a\": \"\x01\"}", "f:2: holds a control character: save it as UTF-8\n" },
	{ "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "f:1: is not JSON: nesting too deep\n" },
	{ "{\"a\"\n: 1}",
	  "f:2: is JSON that cannot be read here: did not find expected ',' or '}'\n" },
	{ "\n\n\t{\"a\":\n\"\\ud83d\\ude00\"}",
	  "f:4: is JSON that cannot be read here: found invalid Unicode character escape code\n" },
};

static const struct bad not_the_shape[] = {
	{ "[]", "f:1: the file must be an object\n" },
	{ "\t \n5", "f:2: the file must be an object\n" },
	{ "{}", "f:1: the file must have \"version\"\nf:1: the file must have \"fields\"\n" },
	{ TOP("\"version\": 1"), "f:2: \"version\" stands here twice, first on line 1\n" },
	{ "{\"version\":\n2, \"fields\": [" EMAIL "]}", "f:2: version must be 1\n" },
	{ "{\"version\":\n\"1\", \"fields\": [" EMAIL "]}", "f:2: version must be 1\n" },
	{ "{\"version\":\n1.0, \"fields\": [" EMAIL "]}", "f:2: version must be 1\n" },
	{ "{\"version\":\nNaN, \"fields\": [" EMAIL "]}", "f:2: version must be 1\n" },
	{ TOP("\"feilds\": []"),
	  "f:2: \"feilds\" is no member of the file, did you mean \"fields\"?\n" },
	{ TOP("\"Filter\": {}"),
	  "f:2: \"Filter\" is no member of the file, did you mean \"filter\"?\n" },
	{ TOP("\"owner\": 1"),
	  "f:2: \"owner\" is no member of the file, which has $schema, version, "
	  "filter, deletedInMarketo, fields\n" },
	{ TOP("\"\\u0000\\n\": 1"),
	  "f:2: \"\\u0000\\n\" is no member of the file, which has $schema, "
	  "version, filter, deletedInMarketo, fields\n" },
	{ TOP("\"$schema\": 1"), "f:2: $schema must be a string\n" },
	{ TOP("\"deletedInMarketo\": \"keep\""),
	  "f:2: deletedInMarketo must be \"recreate\" or \"leave\"\n" },
	{ TOP("\"deletedInMarketo\": null"),
	  "f:2: deletedInMarketo must be \"recreate\" or \"leave\"\n" },
	{ TOP("\"filter\": null"), "f:2: filter must be an object\n" },
	{ TOP("\"filter\": {\"column\":\n\"New_Sync\"}"), "f:3: column" COLUMN_RULE },
	{ TOP("\"filter\": {\"colum\": null}"),
	  "f:2: \"colum\" is no member of filter, did you mean \"column\"?\n" },
	{ TOP("\"filter\": {\"empty\": \"create\"}"),
	  "f:2: empty must be \"create-only\", \"sync\" or \"skip\"\n" },
	{ TOP("\"filter\": {\"setOnCreate\": \"yes\"}"),
	  "f:2: setOnCreate must be true or false\n" },
	{ TOP("\"filter\": {\"column\": null,\n\"empty\": \"sync\",\n\"setOnCreate\": false}"),
	  "f:3: empty has no meaning without a filter column\n"
	  "f:4: setOnCreate has no meaning without a filter column\n" },
	{ "{\"version\": 1,\n\"fields\":\n{}}", "f:3: fields must be a list of fields\n" },
	{ "{\"version\": 1,\n\"fields\":\n[]}", "f:3: fields must not be empty\n" },
	{ "{\"version\": 1, \"fields\": [" EMAIL ",\n[]]}", "f:2: a field must be an object\n" },
};

static const struct bad not_a_field[] = {
	{ FIELD("\"lead\": \"a\""), "f:2: a field must have \"marketo\"\n" },
	{ FIELD("\"marketo\": \"a\""), "f:2: " NO_COLUMN },
	{ FIELD("\"marketo\": \"a\", \"lead\": null, \"contact\": null"), "f:2: " NO_COLUMN },
	{ FIELD("\"marketo\": null, \"lead\": \"a\""), "f:2: " FIELD_RULE },
	{ FIELD("\"marketo\": \"\", \"lead\": \"a\""), "f:2: " FIELD_RULE },
	{ FIELD("\"marketo\": \"1a\", \"lead\": \"a\""), "f:2: " FIELD_RULE },
	{ FIELD("\"marketo\": \"Job Title\", \"lead\": \"a\""), "f:2: " FIELD_RULE },
	{ FIELD("\"marketo\": \"a\\u0000b\", \"lead\": \"a\""), "f:2: " FIELD_RULE },
	{ FIELD("\"marketo\": \"stra\xc3\x9f"
		"e\", \"lead\": \"a\""),
	  "f:2: " FIELD_RULE },
	{ FIELD("\"marketo\": \"a\", \"lead\": \"FirstName\""), "f:2: lead" COLUMN_RULE },
	{ FIELD("\"marketo\": \"a\", \"contact\": \"_ownerid_value\""),
	  "f:2: contact" COLUMN_RULE },
	{ FIELD("\"marketo\": \"a\", \"contact\": \"parent.name\""), "f:2: contact" COLUMN_RULE },
	{ FIELD("\"marketo\": \"a\", \"contact\": 5"), "f:2: contact" COLUMN_RULE },
	{ FIELD("\"marketo\": \"a\", \"lead\": \"a\",\n\"lead\": \"b\""),
	  "f:3: \"lead\" stands here twice, first on line 2\n" },
	{ FIELD("\"marketo\": \"a\", \"leads\": \"a\""),
	  "f:2: \"leads\" is no member of a field, did you mean \"lead\"?\nf:2: " NO_COLUMN },
	{ FIELD("\"marketo\": \"a\", \"lead\": \"a\", \"diretcion\": \"both\""),
	  "f:2: \"diretcion\" is no member of a field, did you mean \"direction\"?\n" },
	{ FIELD("\"marketo\": \"a\", \"lead\": \"a\", \"direction\": \"to-crm\""),
	  "f:2: direction must be \"both\", \"to-marketo\" or \"to-dynamics\"\n" },
	{ FIELD("\"marketo\": \"a\", \"lead\": \"a\", \"direction\": true"),
	  "f:2: direction must be \"both\", \"to-marketo\" or \"to-dynamics\"\n" },
	{ FIELD("\"marketo\": \"a\", \"lead\": \"a\", \"winner\": \"lead\""),
	  "f:2: winner must be \"by-link\", \"marketo\" or \"dynamics\"\n" },
	{ FIELD("\"marketo\": \"a\", \"lead\": \"a\", \"empty\": \"Stays\""),
	  "f:2: empty must be \"travels\" or \"stays\"\n" },
	{ FIELD("\"marketo\": \"a\", \"lead\": \"a\", \"consent\": \"true\""),
	  "f:2: consent must be true or false\n" },
	{ FIELD("\"marketo\": \"a\", \"lead\": \"a\", \"consent\": 1"),
	  "f:2: consent must be true or false\n" },
	{ FIELD("\"marketo\": \"a\", \"lead\": \"a\", \"create\": \"string\""),
	  "f:2: create must be an object\n" },
	{ CREATE(""), "f:3: create must have \"type\"\nf:3: create must have \"displayName\"\n" },
	{ CREATE("\"type\": \"text\",\n\"displayName\": \"A\""),
	  "f:3: type must be \"boolean\", \"currency\", \"date\", \"datetime\", \"email\", "
	  "\"float\", \"integer\", \"percent\", \"phone\", \"score\", \"string\" or \"url\"\n" },
	{ CREATE("\"type\": \"url\",\n\"displayName\": \"\""), "f:4: " LABEL_RULE },
	{ CREATE("\"type\": \"url\",\n\"displayName\": \"A \""), "f:4: " LABEL_RULE },
	{ CREATE("\"type\": \"url\",\n\"displayName\": \"A\\tB\""), "f:4: " LABEL_RULE },
	{ CREATE("\"type\": \"url\",\n\"displayName\": false"), "f:4: " LABEL_RULE },
	{ CREATE("\"type\": \"url\", \"displayName\": \"A\",\n\"length\": 10"),
	  "f:4: \"length\" is no member of create, which has type, displayName\n" },
};

static const struct bad no_sense[] = {
	{ FIELD("\"marketo\": \"Email\", \"contact\": \"a\""),
	  "f:2: field \"Email\" is used twice, first on line 1\n" },
	{ FIELD("\"marketo\": \"a\",\n\"lead\": \"emailaddress1\", \"contact\": \"emailaddress1\""),
	  "f:3: column of lead \"emailaddress1\" is used twice, first on line 1\n" },
	{ FIELD("\"marketo\": \"a\", \"contact\": \"x\"}, {\"marketo\": \"b\",\n\"contact\": \"x\""),
	  "f:3: column of contact \"x\" is used twice, first on line 2\n" },
	{ CREATE("\"type\": \"url\", \"displayName\": \"A\"}}, {\"marketo\": \"b\", \"lead\": \"b\",\n"
		 "\"create\": {\"type\": \"url\", \"displayName\": \"a\""),
	  "f:4: display name \"a\" is used twice, first on line 3\n" },
	{ FIELD("\"lead\": \"a\",\n\"marketo\": \"microsoftId\""),
	  "f:3: \"microsoftId\" is a field of Tandem's own, it cannot be mapped\n" },
	{ FIELD("\"marketo\": \"MICROSOFTSYNCEDAT\", \"lead\": \"a\""),
	  "f:2: \"MICROSOFTSYNCEDAT\" is a field of Tandem's own, it cannot be mapped\n" },
	{ FIELD("\"marketo\": \"a\", \"lead\": \"a\",\n\"contact\": \"new_synctomkto\""),
	  "f:3: \"new_synctomkto\" is the column of the filter, it cannot be mapped too\n" },
	{ TOP("\"filter\": {\"column\": \"emailaddress1\"}"),
	  "f:3: \"emailaddress1\" is the column of the filter, it cannot be mapped too\n" },
	{ FIELD("\"marketo\": \"a\", \"lead\": \"a\", \"direction\": \"to-marketo\",\n\"winner\": "
		"\"marketo\""),
	  "f:3: winner has no meaning for a field that goes one way\n" },
	{ FIELD("\"marketo\": \"a\", \"lead\": \"a\",\n\"consent\": true,\n\"direction\": "
		"\"to-dynamics\""),
	  "f:3: consent needs direction \"both\": an opt-out spreads either way\n" },
	{ FIELD("\"marketo\": \"a\", \"lead\": \"a\", \"consent\": true,\n\"winner\": \"dynamics\""),
	  "f:3: winner has no meaning for a consent field: the opt-out wins\n" },
	{ FIELD("\"marketo\": \"a\", \"lead\": \"a\", \"consent\": true, \"create\": {\n\"type\": "
		"\"string\", \"displayName\": \"A\"}"),
	  "f:3: type must be \"boolean\" for a consent field\n" },
	/* all at once, in the order of lines */
	{ "{\"version\": 2,\n\"fields\": [\n{\"marketo\": 1,\n\"lead\": \"A\",\n\"winner\": 1, \"x\": 1},"
	  "\n5\n], \"filter\": 1}",
	  "f:1: version must be 1\n"
	  "f:2: warning: no field is \"email\": nobody will be found by e-mail address\n"
	  "f:3: " FIELD_RULE "f:4: lead" COLUMN_RULE
	  "f:5: \"x\" is no member of a field, which has marketo, lead, contact, direction, winner, "
	  "empty, consent, create\n"
	  "f:5: winner must be \"by-link\", \"marketo\" or \"dynamics\"\n"
	  "f:6: a field must be an object\n"
	  "f:7: filter must be an object\n" },
};

static void every_mistake_is_told_with_its_line(void **state)
{
	static const struct {
		const struct bad *cases;
		size_t count;
	} tables[] = {
		{ not_json, ARRAY_LEN(not_json) },
		{ not_the_shape, ARRAY_LEN(not_the_shape) },
		{ not_a_field, ARRAY_LEN(not_a_field) },
		{ no_sense, ARRAY_LEN(no_sense) },
	};

	(void)state;
	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		for (size_t i = 0; i < tables[t].count; i++)
			expect(tables[t].cases[i].text, tables[t].cases[i].lines, false);
	}
}

static void a_text_of_many_bytes_is_quoted_in_part(void **state)
{
	struct buf text = { 0 }, lines = { 0 };

	(void)state;
	buf_text(&text, "{\"version\": 1, \"fields\": [" EMAIL "], \"");
	buf_text(&lines, "f:1: \"");
	for (int i = 0; i < 500; i++)
		buf_char(&text, 'q');
	for (int i = 0; i < 60; i++)
		buf_char(&lines, 'q');
	buf_text(&text, "\": 1}");
	buf_text(&lines, "\"... is no member of the file, which has $schema, version, filter, "
			 "deletedInMarketo, fields\n");
	expect(buf_cstr(&text), buf_cstr(&lines), false);
	buf_release(&text);
	buf_release(&lines);
}

static void warnings_leave_the_file_good(void **state)
{
	(void)state;
	expect("{\"version\": 1,\n\"fields\": [{\"marketo\": \"a\", \"lead\": \"a\"}]}",
	       "f:2: warning: no field is \"email\": nobody will be found by e-mail address\n",
	       true);
	expect(FIELD("\"marketo\": \"unsubscribed\", \"contact\": \"donotbulkemail\""),
	       "f:2: warning: this field is an opt-out: without \"consent\": true a collision may "
	       "take one back\n",
	       true);
	expect(FIELD("\"marketo\": \"mine\", \"contact\": \"donotphone\", \"direction\": "
		     "\"to-marketo\""),
	       "", true);
}

/* ---- what is read ---- */

static void same_text(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a)
		assert_string_equal(a, b);
}

static void same_set(const struct field_set *a, const struct field_set *b)
{
	same_text(a->filter.column, b->filter.column);
	assert_int_equal(a->filter.null, b->filter.null);
	assert_int_equal(a->filter.is_set_on_create, b->filter.is_set_on_create);
	assert_int_equal(a->leaves_deleted, b->leaves_deleted);
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct field *f = &a->fields[i], *g = &b->fields[i];

		same_text(f->name, g->name);
		for (int t = 0; t < TABLE_COUNT; t++)
			same_text(f->column[t], g->column[t]);
		assert_int_equal(f->direction, g->direction);
		assert_int_equal(f->winner, g->winner);
		assert_int_equal(f->empty, g->empty);
		assert_int_equal(f->is_consent, g->is_consent);
		same_text(f->create_type, g->create_type);
		same_text(f->display_name, g->display_name);
	}
}

static const char everything[] =
	"\t{\"$schema\": \"https://example.org/fields.schema.json\", \"version\": 1,\r\n"
	"\t\"filter\": {\"column\": \"cr_send\", \"empty\": \"skip\", \"setOnCreate\": false},\r\n"
	"\t\"deletedInMarketo\": \"leave\",\r\n"
	"\t\"fields\": [\r\n"
	"\t{\"contact\": \"emailaddress1\", \"lead\": null, \"marketo\": \"email\", \"direction\": "
	"\"both\", \"winner\": \"dynamics\", \"empty\": \"stays\", \"consent\": false},\r\n"
	"\t{\"marketo\": \"Loyalty_1\", \"lead\": \"cr_loyalty\", \"direction\": \"to-marketo\", "
	"\"create\": {\"displayName\": \"Treue \\u00fc \\\"1\\\"\", \"type\": \"score\"}},\r\n"
	"\t{\"marketo\": \"score\", \"lead\": \"cr_score\", \"contact\": \"cr_score\", "
	"\"direction\": \"to-dynamics\"},\r\n"
	"\t{\"marketo\": \"noPost\", \"contact\": \"donotpostalmail\", \"consent\": true, "
	"\"create\": {\"type\": \"boolean\", \"displayName\": \"No Post\"}},\r\n"
	"\t{\"marketo\": \"title\", \"lead\": \"jobtitle\", \"winner\": \"marketo\"}]}\r\n";

static const struct field everything_fields[] = {
	{ .name = "email",
	  .column = { "email", NULL, "emailaddress1" },
	  .winner = WINNER_DYNAMICS,
	  .empty = EMPTY_STAYS },
	{ .name = "Loyalty_1",
	  .column = { "Loyalty_1", "cr_loyalty", NULL },
	  .direction = DIRECTION_TO_MARKETO,
	  .create_type = "score",
	  .display_name = "Treue \xc3\xbc \"1\"" },
	{ .name = "score",
	  .column = { "score", "cr_score", "cr_score" },
	  .direction = DIRECTION_TO_DYNAMICS },
	{ .name = "noPost",
	  .column = { "noPost", NULL, "donotpostalmail" },
	  .is_consent = true,
	  .create_type = "boolean",
	  .display_name = "No Post" },
	{ .name = "title", .column = { "title", "jobtitle", NULL }, .winner = WINNER_MARKETO },
};

static const struct field_set everything_set = {
	.fields = everything_fields,
	.count = ARRAY_LEN(everything_fields),
	.filter = { .column = "cr_send", .null = FILTER_NULL_SKIP },
	.leaves_deleted = true,
};

static void read_good(const char *text, struct field_file *ret)
{
	struct buf problems = { 0 };

	if (read_text(text, ret, &problems) != ERR_NONE || problems.len)
		fail_msg("%s\n%s", text, buf_cstr(&problems));
	buf_release(&problems);
}

static void everything_is_read(void **state)
{
	struct field_file f;

	(void)state;
	read_good(everything, &f);
	same_set(&f.set, &everything_set);
	field_file_release(&f);
	field_file_release(&f);
}

static void what_is_left_out_has_its_default(void **state)
{
	const struct field fields[] = { { .name = "email",
					  .column = { "email", "emailaddress1", NULL } } };
	struct field_set set = { .fields = fields, .count = 1, .filter = field_set_default.filter };
	struct field_file f;

	(void)state;
	read_good("{\"version\":1,\"fields\":[" EMAIL "]}", &f);
	same_set(&f.set, &set);
	field_file_release(&f);
	read_good(TOP("\"filter\": {}"), &f);
	same_set(&f.set, &set);
	field_file_release(&f);
	read_good(TOP("\"filter\": {\"column\": null}"), &f);
	set.filter = (struct filter_rule){ .column = NULL };
	same_set(&f.set, &set);
	field_file_release(&f);
	read_good(TOP("\"filter\": {\"empty\": \"sync\"}"), &f);
	set.filter = field_set_default.filter;
	set.filter.null = FILTER_NULL_SYNC;
	same_set(&f.set, &set);
	field_file_release(&f);
}

static void what_is_printed_is_read_back_the_same(void **state)
{
	struct field_set no_filter = everything_set;
	const struct field_set *const sets[] = { &field_set_default, &everything_set, &no_filter };

	(void)state;
	no_filter.filter = (struct filter_rule){ .column = NULL };
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		struct buf text = { 0 };
		struct field_file f;

		field_file_print(sets[i], &text);
		read_good(buf_cstr(&text), &f);
		same_set(&f.set, sets[i]);
		field_file_release(&f);
		buf_release(&text);
	}
}

static void add_fields(struct buf *text, size_t count)
{
	buf_text(text, "{\"version\": 1, \"fields\": [" EMAIL);
	for (size_t i = 1; i < count; i++)
		buf_fmt(text, ",\n{\"marketo\": \"m%zu\", \"lead\": \"l%zu\"}", i, i);
	buf_text(text, "]}");
}

static void as_many_fields_as_can_be_mapped(void **state)
{
	struct buf text = { 0 };
	struct field_file f;

	(void)state;
	add_fields(&text, MAPPING_FIELDS_MAX);
	read_good(buf_cstr(&text), &f);
	assert_int_equal(f.set.count, MAPPING_FIELDS_MAX);
	field_file_release(&f);
	buf_clear(&text);
	add_fields(&text, MAPPING_FIELDS_MAX + 2);
	expect(buf_cstr(&text), "f:201: there are 202 fields, at most 200 can be mapped\n", false);
	buf_release(&text);
}

/* ---- files ---- */

static void write_file(const char *path, struct str text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text.p, 1, text.n, file), text.n);
	assert_int_equal(fclose(file), 0);
}

static void load(const char *path, enum err_kind kind, const char *lines)
{
	struct buf problems = { 0 }, expected = { 0 };
	struct field_file f;

	if (lines)
		buf_fmt(&expected, "%s%s", path, lines);
	assert_int_equal(field_file_load(path, &f, &problems), kind);
	assert_string_equal(buf_cstr(&problems), buf_cstr(&expected));
	if (kind == ERR_NONE)
		same_set(&f.set, &everything_set);
	field_file_release(&f);
	buf_release(&expected);
	buf_release(&problems);
}

static void files_are_read_or_told(void **state)
{
	char path[] = "/tmp/tandem_fields_XXXXXX";
	int fd = mkstemp(path);
	struct buf large = { 0 };

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	write_file(path, str_of(everything));
	load(path, ERR_NONE, NULL);
	buf_text(&large, everything);
	while (large.len < FIELD_FILE_MAX)
		buf_char(&large, ' ');
	write_file(path, buf_str(&large));
	load(path, ERR_NONE, NULL);
	buf_char(&large, ' ');
	write_file(path, buf_str(&large));
	load(path, ERR_CONFIG, ": is larger than 256 KiB\n");
	write_file(path, (struct str){ "{\n\0}", 4 });
	load(path, ERR_CONFIG, ":2: holds a control character: save it as UTF-8\n");
	(void)unlink(path);
	load(path, ERR_CONFIG, ": cannot be read: No such file or directory\n");
	load("/tmp", ERR_CONFIG, ": cannot be read: Is a directory\n");
	buf_release(&large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mistake_is_told_with_its_line),
		cmocka_unit_test(a_text_of_many_bytes_is_quoted_in_part),
		cmocka_unit_test(warnings_leave_the_file_good),
		cmocka_unit_test(everything_is_read),
		cmocka_unit_test(what_is_left_out_has_its_default),
		cmocka_unit_test(what_is_printed_is_read_back_the_same),
		cmocka_unit_test(as_many_fields_as_can_be_mapped),
		cmocka_unit_test(files_are_read_or_told),
	};

	return RUN(tests);
}
