/* The built-in field table holds together. */
#include "core/field.h"

#include "core/mapping.h"
#include "tests/unit/unit.h"

static const struct field *find(const char *name)
{
	for (size_t i = 0; i < field_set_default.count; i++) {
		if (strcmp(field_set_default.fields[i].name, name) == 0)
			return &field_set_default.fields[i];
	}
	return NULL;
}

static void no_name_and_no_column_comes_twice(void **state)
{
	(void)state;
	assert_true(field_set_default.count <= MAPPING_FIELDS_MAX);
	for (size_t i = 0; i < field_set_default.count; i++) {
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(field_set_default.fields[i].name,
						field_set_default.fields[k].name);
			for (int t = 0; t < TABLE_COUNT; t++) {
				const char *a = field_set_default.fields[i].column[t],
					   *b = field_set_default.fields[k].column[t];

				assert_false(a && b && strcmp(a, b) == 0);
			}
		}
	}
}

static void every_field_goes_somewhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < field_set_default.count; i++) {
		const struct field *f = &field_set_default.fields[i];

		assert_string_equal(f->name, f->column[TABLE_PERSON]);
		assert_true(f->column[TABLE_LEAD] || f->column[TABLE_CONTACT]);
		assert_true(!f->create_type == !f->display_name);
		assert_int_equal(f->winner, WINNER_BY_LINK);
		for (size_t s = 0; s < STAMP_FIELD_COUNT; s++)
			assert_string_not_equal(f->name, stamp_fields[s].name);
	}
}

static void fields_that_do_not_exist_in_marketo_are_created(void **state)
{
	(void)state;
	for (size_t i = 0; i < field_set_default.count; i++) {
		const struct field *f = &field_set_default.fields[i];
		bool is_ours = strncmp(f->name, "microsoft", 9) == 0 ||
			       strncmp(f->name, "msi", 3) == 0;

		assert_int_equal(f->create_type != NULL, is_ours);
	}
	for (size_t s = 0; s < STAMP_FIELD_COUNT; s++)
		assert_non_null(stamp_fields[s].name && stamp_fields[s].display_name
					? stamp_fields[s].type
					: NULL);
}

static void the_delicate_ones_are_as_they_must_be(void **state)
{
	static const char *const consent[] = { "doNotCall", "unsubscribed", "microsoftDoNotEmail",
					       "microsoftDoNotFax",
					       "microsoftDoNotSendMarketingMaterial" };
	static const char *const one_way[] = { "leadStatus", "microsoftStatusReason",
					       "microsoftCreatedDate" };
	static const char *const lead_only[] = { "company", "annualRevenue", "leadSource", "rating",
						 "microsoftTopic" };
	size_t consents = 0, one_ways = 0, lead_onlys = 0;

	(void)state;
	for (size_t i = 0; i < field_set_default.count; i++) {
		consents += field_set_default.fields[i].is_consent;
		one_ways += field_set_default.fields[i].direction != DIRECTION_BOTH;
		lead_onlys += !field_set_default.fields[i].column[TABLE_CONTACT];
	}
	assert_int_equal(consents, ARRAY_LEN(consent));
	assert_int_equal(one_ways, ARRAY_LEN(one_way));
	assert_int_equal(lead_onlys, ARRAY_LEN(lead_only));
	for (size_t i = 0; i < ARRAY_LEN(consent); i++)
		assert_true(find(consent[i])->is_consent);
	for (size_t i = 0; i < ARRAY_LEN(one_way); i++)
		assert_int_equal(find(one_way[i])->direction, DIRECTION_TO_MARKETO);
	for (size_t i = 0; i < ARRAY_LEN(lead_only); i++)
		assert_null(find(lead_only[i])->column[TABLE_CONTACT]);
	assert_string_equal(find("email")->column[TABLE_CONTACT], "emailaddress1");
	assert_string_equal(find("unsubscribed")->column[TABLE_LEAD], "donotbulkemail");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_name_and_no_column_comes_twice),
		cmocka_unit_test(every_field_goes_somewhere),
		cmocka_unit_test(fields_that_do_not_exist_in_marketo_are_created),
		cmocka_unit_test(the_delicate_ones_are_as_they_must_be),
	};

	return RUN(tests);
}
