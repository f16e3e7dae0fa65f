/* Growing text with a ceiling. */
#include "base/buf.h"

#include "tests/unit/unit.h"

static void grows_and_ends_with_a_nul(void **state)
{
	CLEANUP(buf_release) struct buf b = { .max = 0 };

	(void)state;
	assert_string_equal(buf_cstr(&b), "");
	for (int i = 0; i < 1000; i++)
		buf_fmt(&b, "%03d;", i);
	assert_int_equal(b.len, 4000);
	assert_int_equal(b.data[b.len], '\0');
	assert_memory_equal(b.data + 3996, "999;", 4);
	assert_false(b.full);
	buf_clear(&b);
	assert_string_equal(buf_cstr(&b), "");
	buf_text(&b, NULL);
	buf_char(&b, 'x');
	assert_str(buf_str(&b), "x");
}

static void stops_at_its_ceiling_and_remembers(void **state)
{
	CLEANUP(buf_release) struct buf b = { .max = 10 };

	(void)state;
	buf_text(&b, "12345");
	buf_text(&b, "67890");
	assert_false(b.full);
	buf_char(&b, '!');
	assert_true(b.full);
	assert_int_equal(b.len, 10);
	buf_clear(&b);
	assert_false(b.full);
	buf_text(&b, "12345678901");
	assert_true(b.full);
	buf_text(&b, "x"); /* nothing is added behind a gap */
	assert_int_equal(b.len, 0);
}

static void writes_json_strings(void **state)
{
	static const struct {
		struct str raw;
		const char *json;
	} cases[] = {
		{ { "plain", 5 }, "\"plain\"" },
		{ { "a\"b\\c\nd\re\tf", 11 }, "\"a\\\"b\\\\c\\nd\\re\\tf\"" },
		{ { "\0\x01\x1f", 3 }, "\"\\u0000\\u0001\\u001f\"" },
		{ { "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9 },
		  "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ { "\xff"
		    "a",
		    2 },
		  "\"\xef\xbf\xbd"
		  "a\"" },
		{ { "\xc0\xaf", 2 }, "\"\xef\xbf\xbd\xef\xbf\xbd\"" }, /* overlong */
		{ { "\xed\xa0\x80", 3 },
		  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },        /* surrogate */
		{ { "\xe2\x82", 2 }, "\"\xef\xbf\xbd\xef\xbf\xbd\"" }, /* cut */
		{ { "\xf4\x90\x80\x80", 4 },
		  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, /* beyond U+10FFFF */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(buf_release) struct buf b = { .max = 0 };

		buf_json(&b, cases[i].raw);
		assert_str(buf_str(&b), cases[i].json);
	}
}

static void percent_encodes(void **state)
{
	CLEANUP(buf_release) struct buf b = { .max = 0 };

	(void)state;
	buf_url(&b, (struct str){ "aZ9-._~ /?&=+\xc3\0", 15 });
	assert_str(buf_str(&b), "aZ9-._~%20%2F%3F%26%3D%2B%C3%00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_ends_with_a_nul),
		cmocka_unit_test(stops_at_its_ceiling_and_remembers),
		cmocka_unit_test(writes_json_strings),
		cmocka_unit_test(percent_encodes),
	};

	return RUN(tests);
}
