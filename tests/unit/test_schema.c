/* What a column can hold. */
#include "core/schema.h"

#include "tests/unit/unit.h"

static struct option sources[] = { { 1, { "Web", 3 } }, { 7, { "Trade Show", 10 } } };

static struct value text(const char *s)
{
	return (struct value){ .kind = VALUE_TEXT, .text = str_of(s) };
}

static struct value decimal(const char *s)
{
	return (struct value){ .kind = VALUE_DECIMAL, .text = str_of(s) };
}

static void expect(const struct column *c, struct value v, const char *refusal)
{
	struct err err = { .kind = ERR_NONE };

	assert_int_equal(column_holds(c, &v, &err), refusal ? ERR_REFUSED : ERR_NONE);
	assert_int_equal(column_holds(c, &v, NULL), refusal ? ERR_REFUSED : ERR_NONE);
	if (!refusal)
		return;
	assert_string_equal(err.text, refusal);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_true(c->name.n == strlen(err.field) && memcmp(err.field, c->name.p, c->name.n) == 0);
}

static void text_has_a_length(void **state)
{
	struct column c = { .name = STR("lastname"), .type = COLUMN_TEXT, .length_max = 4 };
	const char *four =
		"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80x"; /* 4 characters, 5 units, 10 bytes */

	(void)state;
	expect(&c, text(four), NULL);
	expect(&c, text("12345"), "lastname holds at most 4 characters, the value has 5");
	c.length_unit = LENGTH_UTF16;
	expect(&c, text(four), "lastname holds at most 4 characters, the value has 5");
	c.length_unit = LENGTH_BYTES;
	c.length_max = 9;
	expect(&c, text(four), "lastname holds at most 9 bytes, the value has 10");
	c.length_max = 10;
	expect(&c, text(four), NULL);
	c.length_max = 0;
	expect(&c, text("however long it may be"), NULL);
}

static void text_holds_other_kinds_in_print(void **state)
{
	struct column c = { .name = STR("note"), .type = COLUMN_TEXT, .length_max = 10 };

	(void)state;
	expect(&c, value_date(0), NULL);
	expect(&c, value_time(0), "note holds at most 10 characters, the value has 20");
	expect(&c, value_boolean(true), NULL);
}

static void email_is_ascii(void **state)
{
	struct column c = { .name = STR("email"), .type = COLUMN_TEXT, .is_ascii = true };

	(void)state;
	expect(&c, text("a@example.org"), NULL);
	expect(&c, text("\xc3\xa4@example.org"), "email takes ASCII characters only");
}

static void numbers_have_ranges_and_scales(void **state)
{
	struct column c = { .name = STR("revenue"),
			    .type = COLUMN_DECIMAL,
			    .scale = 2,
			    .has_range = true,
			    .min = -100,
			    .max = 922337203685477 };

	(void)state;
	expect(&c, decimal("12.34"), NULL);
	expect(&c, decimal("-100"), NULL);
	expect(&c, value_integer(5), NULL);
	expect(&c, decimal("12.345"), "revenue holds at most 2 digits behind the point");
	expect(&c, decimal("-100.01"), "revenue holds values from -100 to 922337203685477 only");
	expect(&c, decimal("922337203685478"),
	       "revenue holds values from -100 to 922337203685477 only");
	expect(&c, text("12"), "revenue holds numbers only");
	c.scale = -1;
	expect(&c, decimal("0.123456789"), NULL);
	c.type = COLUMN_INTEGER;
	expect(&c, value_integer(-101), "revenue holds values from -100 to 922337203685477 only");
	expect(&c, decimal("1.5"), "revenue holds whole numbers only");
	expect(&c, decimal("7"), NULL);
	c.has_range = false;
	expect(&c, value_integer(INT64_MIN), NULL);
}

static void dates_have_a_first_day(void **state)
{
	struct column c = { .name = STR("birthdate"),
			    .type = COLUMN_DATE,
			    .has_range = true,
			    .min = -79257,
			    .max = 2932896 };

	(void)state;
	expect(&c, value_date(-79257), NULL);
	expect(&c, value_date(-79258), "birthdate holds values from 1753-01-01 to 9999-12-31 only");
	expect(&c, value_time(0), "birthdate holds dates only");
	c.type = COLUMN_TIME;
	c.min = -6847804800;
	c.max = 253402300799;
	expect(&c, value_time(-6847804800), NULL);
	expect(&c, value_time(-6847804801),
	       "birthdate holds values from 1753-01-01T00:00:00Z to 9999-12-31T23:59:59Z only");
	expect(&c, value_date(0), "birthdate holds times only");
}

static void choices_take_labels(void **state)
{
	struct column c = { .name = STR("source"),
			    .type = COLUMN_CHOICE,
			    .options = sources,
			    .option_count = ARRAY_LEN(sources) };

	(void)state;
	expect(&c, text("trade show"), NULL);
	expect(&c, text("Radio"), "source has no option with the label of the value");
	expect(&c, text("Web;Trade Show"), "source has no option with the label of the value");
	expect(&c, value_integer(1), "source takes the label of an option only");
	c.type = COLUMN_MULTI_CHOICE;
	expect(&c, text("web; TRADE SHOW"), NULL);
	expect(&c, text("Web;;Trade Show;"), NULL);
	expect(&c, text("Web;Radio"), "source has no option with one of the labels of the value");
	assert_int_equal(column_option_by_label(&c, STR("WEB"))->value, 1);
	assert_null(column_option_by_label(&c, STR("We")));
	assert_str(column_option_by_value(&c, 7)->label, "Trade Show");
	assert_null(column_option_by_value(&c, 2));
}

static void empty_always_fits_and_other_kinds_do_not(void **state)
{
	static const enum value_kind kinds[] = {
		[COLUMN_TEXT] = VALUE_TEXT,       [COLUMN_BOOLEAN] = VALUE_BOOLEAN,
		[COLUMN_INTEGER] = VALUE_INTEGER, [COLUMN_DECIMAL] = VALUE_DECIMAL,
		[COLUMN_DATE] = VALUE_DATE,       [COLUMN_TIME] = VALUE_TIME,
		[COLUMN_CHOICE] = VALUE_TEXT,     [COLUMN_MULTI_CHOICE] = VALUE_TEXT,
		[COLUMN_LOOKUP] = VALUE_TEXT,     [COLUMN_OTHER] = VALUE_UNSEEN,
	};
	struct value unseen = { .kind = VALUE_UNSEEN };

	(void)state;
	for (int type = 0; type <= COLUMN_OTHER; type++) {
		struct column c = { .name = STR("c"),
				    .type = (enum column_type)type,
				    .length_max = 1,
				    .scale = 0 };

		expect(&c, (struct value){ .kind = VALUE_EMPTY }, NULL);
		assert_int_equal(column_holds(&c, &unseen, NULL), ERR_OURS);
		assert_int_equal(column_kind(&c), kinds[type]);
		if (type != COLUMN_TEXT && type != COLUMN_BOOLEAN) {
			struct value yes = value_boolean(true);

			assert_int_equal(column_holds(&c, &yes, NULL), ERR_REFUSED);
		}
	}
	expect(&(struct column){ .name = STR("c"), .type = COLUMN_BOOLEAN }, text("true"),
	       "c holds true or false only");
	expect(&(struct column){ .name = STR("c"), .type = COLUMN_BOOLEAN }, value_boolean(false),
	       NULL);
}

static void columns_are_found_by_exact_name(void **state)
{
	struct column columns[] = { { .name = STR("a") }, { .name = STR("b") } };
	struct schema s = { TABLE_LEAD, columns, 2 };

	(void)state;
	assert_ptr_equal(schema_find(&s, STR("b")), &columns[1]);
	assert_null(schema_find(&s, STR("B")));
	assert_null(schema_find(&s, STR("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_has_a_length),
		cmocka_unit_test(text_holds_other_kinds_in_print),
		cmocka_unit_test(email_is_ascii),
		cmocka_unit_test(numbers_have_ranges_and_scales),
		cmocka_unit_test(dates_have_a_first_day),
		cmocka_unit_test(choices_take_labels),
		cmocka_unit_test(empty_always_fits_and_other_kinds_do_not),
		cmocka_unit_test(columns_are_found_by_exact_name),
	};

	return RUN(tests);
}
