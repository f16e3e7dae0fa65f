/* Keyed hashes and derived identities. */
#include "core/fingerprint.h"

#include "tests/unit/unit.h"

static const struct fingerprint_key key = { { 1, 2, 3 } }, other_key = { { 1, 2, 4 } };

static int start(void **state)
{
	(void)state;
	return fingerprint_start(NULL) ? -1 : 0;
}

static struct value text(const char *s)
{
	return (struct value){ .kind = VALUE_TEXT, .text = str_of(s) };
}

static void different_values_have_different_fingerprints(void **state)
{
	struct value values[] = {
		{ .kind = VALUE_EMPTY },
		value_boolean(false),
		value_boolean(true),
		value_integer(0),
		value_integer(1),
		value_integer(-1),
		value_date(1),
		value_time(1),
		text("0"),
		text("1"),
		text("a"),
		text("A"),
		{ .kind = VALUE_DECIMAL, .text = STR("1") },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		assert_true(fingerprint_of(&key, &values[i]) != 0);
		assert_true(fingerprint_of(&key, &values[i]) == fingerprint_of(&key, &values[i]));
		assert_true(fingerprint_of(&key, &values[i]) !=
			    fingerprint_of(&other_key, &values[i]));
		for (size_t k = 0; k < i; k++)
			assert_true(fingerprint_of(&key, &values[i]) !=
				    fingerprint_of(&key, &values[k]));
	}
}

static void only_the_value_counts(void **state)
{
	struct value clean = value_boolean(false), littered = value_boolean(false);
	char bytes[3000];
	struct value longer = { .kind = VALUE_TEXT, .text = { bytes, sizeof(bytes) } };
	uint64_t whole;

	(void)state;
	littered.number = 99;
	littered.text = STR("left over");
	assert_true(fingerprint_of(&key, &clean) == fingerprint_of(&key, &littered));
	memset(bytes, 'x', sizeof(bytes));
	whole = fingerprint_of(&key, &longer);
	longer.text.n--;
	assert_true(fingerprint_of(&key, &longer) != whole);
	longer.text.n++;
	bytes[2999] = 'y';
	assert_true(fingerprint_of(&key, &longer) != whole);
}

/* Expected numbers come from an implementation of SipHash and BLAKE2b that is not libsodium. */
static void stored_fingerprints_stay_valid(void **state)
{
	struct value v = text("Erika"), empty = { .kind = VALUE_EMPTY }, no = value_boolean(false);

	(void)state;
	assert_true(fingerprint_of(&key, &v) == 0x52ae4bbc9bc650b7);
	assert_true(fingerprint_of(&key, &empty) == 0x9f6cb32d6eee14fa);
	assert_true(fingerprint_of(&key, &no) == 0x4b5be2615829d00f);
	assert_true(fingerprint_text(&key, STR("Erika")) != fingerprint_of(&key, &v));
}

static void record_ids_repeat_and_do_not_meet(void **state)
{
	struct guid g = fingerprint_record_id(STR("https://123-abc-456.mktorest.com"), 1042, 1);
	struct guid same = fingerprint_record_id(STR("https://123-abc-456.mktorest.com"), 1042, 1);
	struct guid others[] = {
		fingerprint_record_id(STR("https://123-abc-456.mktorest.com"), 1042, 2),
		fingerprint_record_id(STR("https://123-abc-456.mktorest.com"), 1043, 1),
		fingerprint_record_id(STR("https://123-abc-457.mktorest.com"), 1042, 1),
	};
	char print[GUID_TEXT];

	(void)state;
	assert_true(guid_equal(&g, &same));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(guid_equal(&g, &others[i]));
	guid_print(&g, print);
	assert_int_equal(print[14], '8');
	assert_non_null(strchr("89ab", print[19]));
	assert_string_equal(print, "7486b757-c8ff-80f2-bb63-a05b10497f34");
}

static void random_guids_are_version_4(void **state)
{
	struct guid a = fingerprint_random_guid(), b = fingerprint_random_guid();

	(void)state;
	assert_false(guid_equal(&a, &b));
	assert_int_equal(a.byte[6] >> 4, 4);
	assert_int_equal(a.byte[8] >> 6, 2);
}

static void secrets_compare(void **state)
{
	(void)state;
	assert_true(fingerprint_secret_equal(STR("key"), STR("key")));
	assert_false(fingerprint_secret_equal(STR("key"), STR("kez")));
	assert_false(fingerprint_secret_equal(STR("key"), STR("keys")));
	assert_true(fingerprint_secret_equal(STR(""), (struct str){ NULL, 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(different_values_have_different_fingerprints),
		cmocka_unit_test(only_the_value_counts),
		cmocka_unit_test(stored_fingerprints_stay_valid),
		cmocka_unit_test(record_ids_repeat_and_do_not_meet),
		cmocka_unit_test(random_guids_are_version_4),
		cmocka_unit_test(secrets_compare),
	};

	return cmocka_run_group_tests_name(__FILE__, tests, start, NULL);
}
