/* The walker over large answers: what it hands out, and that it refuses everything that is not
 * exactly one object. */
#include "remote/json.h"

#include "base/buf.h"
#include "tests/unit/unit.h"

/* Writes down what the walker hands out: "name=value;" for members, "name[]=value;" for elements. */
static enum err_kind note(void *context, const char *array, const char *member,
			  struct json_object *value, struct err *err)
{
	struct buf *notes = context;

	(void)err;
	buf_fmt(notes, "%s%s=%s;", array ? array : member, array ? "[]" : "",
		json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
							      JSON_C_TO_STRING_NOSLASHESCAPE));
	return ERR_NONE;
}

static void expect_walk(const char *text, const char *notes_wanted)
{
	struct buf notes = { 0 };
	struct err err = { 0 };
	/* A copy without a NUL behind it: reading too far shows. */
	size_t n = strlen(text);
	char *copy = malloc(n);

	memcpy(copy, text, n);
	assert_int_equal(json_walk((struct str){ copy, n }, note, &notes, &err), ERR_NONE);
	assert_string_equal(buf_cstr(&notes), notes_wanted);
	free(copy);
	buf_release(&notes);
}

static void expect_rubbish(const char *text, size_t n)
{
	struct buf notes = { 0 };
	struct err err = { 0 };
	char *copy = malloc(n ? n : 1);

	memcpy(copy, text, n);
	assert_int_equal(json_walk((struct str){ copy, n }, note, &notes, &err), ERR_RUBBISH);
	assert_int_equal(err.kind, ERR_RUBBISH);
	free(copy);
	buf_release(&notes);
}

static void members_and_elements(void **state)
{
	(void)state;
	expect_walk("{}", "");
	expect_walk(" { } \r\n", "");
	expect_walk("{\"a\":1}", "a=1;");
	expect_walk("{\"a\":[]}", "");
	expect_walk("{\"a\":[ ]\t,\"b\":null}", "b=null;");
	expect_walk(
		"{\"v\":[{\"x\":1},{\"x\":[1,2]} , 3,\"s\",null,true],\"n\":{\"k\":[{}]}}",
		"v[]={\"x\":1};v[]={\"x\":[1,2]};v[]=3;v[]=\"s\";v[]=null;v[]=true;n={\"k\":[{}]};");
	expect_walk("{\"@odata.nextLink\":\"https://a.example.org/x?y=[1}\"}",
		    "@odata.nextLink=\"https://a.example.org/x?y=[1}\";");
	expect_walk("\xef\xbb\xbf{\"a\":false}", "a=false;");
}

static void strings_hide_structure(void **state)
{
	(void)state;
	expect_walk("{\"a\":[\"]}\",\"\\\"\",\"\\\\\",{\"b\":\"}\\\\\\\"]\"}],\"c\":\"{\"}",
		    "a[]=\"]}\";a[]=\"\\\"\";a[]=\"\\\\\";a[]={\"b\":\"}\\\\\\\"]\"};c=\"{\";");
}

static void numbers_keep_their_source(void **state)
{
	(void)state;
	expect_walk("{\"a\":[0.10,1e3,-5,12345678901234.123456789]}",
		    "a[]=0.10;a[]=1e3;a[]=-5;a[]=12345678901234.123456789;");
}

static void not_one_object(void **state)
{
	static const char *const bad[] = {
		"[]",
		"1",
		"\"a\"",
		"null",
		"{",
		"{\"a\"",
		"{\"a\":",
		"{\"a\":1",
		"{\"a\":1,",
		"{\"a\":1,}",
		"{\"a\":[1,]}",
		"{\"a\":[1}",
		"{\"a\":[{\"b\":1]}",
		"{\"a\":[{\"b\":1}",
		"{\"a\":}",
		"{\"a\":[,]}",
		"{a:1}",
		"{\"a\":1} x",
		"{\"a\":1}{}",
		"{\"a\":tru}",
		"{\"a\":[1 2]}",
		"{\"a\":{]}",
		"{\"a\":01}",
		"{\"a\":'x'}",
		"<html><body>502 Bad Gateway</body></html>",
		"{\"a\":\"\\",
		"{\"a\":\"b",
		"{\"a\" 1}",
		"{\"a\":1 \"b\":2}",
		"{\"a\":\"x\"y}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		expect_rubbish(bad[i], strlen(bad[i]));
	expect_rubbish("", 0);
	expect_rubbish("{\"a\":\0}", 7);
}

static void every_cut_is_noticed(void **state)
{
	static const char text[] =
		"{\"requestId\":\"b7c1#19a4\",\"success\":true,\"result\":[{\"id\":90211,\"t\":\"a\\\"b\",\"n\":-1.5e3},"
		"{\"id\":90212,\"x\":[[],{}]}],\"moreResult\":false}";

	(void)state;
	for (size_t n = 0; n + 1 < sizeof(text) - 1; n++)
		expect_rubbish(text, n);
	expect_walk(
		text,
		"requestId=\"b7c1#19a4\";success=true;result[]={\"id\":90211,\"t\":\"a\\\"b\",\"n\":-1.5e3};"
		"result[]={\"id\":90212,\"x\":[[],{}]};moreResult=false;");
}

static void depth_has_a_ceiling(void **state)
{
	struct buf text = { 0 };

	(void)state;
	buf_text(&text, "{\"a\":{\"b\":");
	for (int i = 0; i < 100000; i++)
		buf_char(&text, '[');
	for (int i = 0; i < 100000; i++)
		buf_char(&text, ']');
	buf_text(&text, "}}");
	expect_rubbish(text.data, text.len);
	buf_release(&text);
}

static enum err_kind stop_at_two(void *context, const char *array, const char *member,
				 struct json_object *value, struct err *err)
{
	int *seen = context;

	(void)array;
	(void)member;
	(void)value;
	return ++*seen == 2 ? err_set(err, ERR_REFUSED, "enough") : ERR_NONE;
}

static void the_visitor_can_stop(void **state)
{
	struct err err = { 0 };
	int seen = 0;

	(void)state;
	assert_int_equal(json_walk(STR("{\"a\":[1,2,3,4]}"), stop_at_two, &seen, &err),
			 ERR_REFUSED);
	assert_int_equal(seen, 2);
	assert_string_equal(err.text, "enough");
}

static void members_by_type(void **state)
{
	struct json_object *o = json_tokener_parse(
		"{\"s\":\"text\",\"n\":42,\"ns\":\"-7\",\"b\":true,\"o\":{},\"a\":[],\"z\":null,\"d\":1.5,\"e\":\"\"}");
	struct str text = STR("untouched");
	int64_t number = 99;
	bool flag = false;

	(void)state;
	assert_false(json_get_string(o, "n", &text) || json_get_string(o, "z", &text) ||
		     json_get_string(o, "missing", &text));
	assert_true(str_equal(text, STR("untouched")));
	assert_true(json_get_string(o, "s", &text) && str_equal(text, STR("text")));
	assert_true(json_get_string(o, "e", &text) && text.n == 0);
	assert_false(json_get_int64(o, "s", &number) || json_get_int64(o, "b", &number) ||
		     json_get_int64(o, "d", &number));
	assert_int_equal(number, 99);
	assert_true(json_get_int64(o, "n", &number) && number == 42);
	assert_true(json_get_int64(o, "ns", &number) && number == -7);
	assert_false(json_get_bool(o, "n", &flag));
	assert_true(json_get_bool(o, "b", &flag) && flag);
	assert_non_null(json_get_object(o, "o"));
	assert_null(json_get_object(o, "a"));
	assert_non_null(json_get_array(o, "a"));
	assert_null(json_get_array(o, "z"));
	assert_null(json_get_array(NULL, "a"));
	json_object_put(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_and_elements),
		cmocka_unit_test(strings_hide_structure),
		cmocka_unit_test(numbers_keep_their_source),
		cmocka_unit_test(not_one_object),
		cmocka_unit_test(every_cut_is_noticed),
		cmocka_unit_test(depth_has_a_ceiling),
		cmocka_unit_test(the_visitor_can_stop),
		cmocka_unit_test(members_by_type),
	};

	return RUN(tests);
}
