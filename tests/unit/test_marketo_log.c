/* What an entry of Marketo's change log tells of a field: values to compare with, or nothing. */
#include <stdio.h>

#include "remote/marketo_value.h"
#include "tests/unit/unit.h"

static struct column columns[] = {
	{ .name = { "email", 5 }, .type = COLUMN_TEXT },
	{ .name = { "doNotCall", 9 }, .type = COLUMN_BOOLEAN },
	{ .name = { "leadScore", 9 }, .type = COLUMN_INTEGER },
	{ .name = { "annualRevenue", 13 }, .type = COLUMN_DECIMAL },
	{ .name = { "dateOfBirth", 11 }, .type = COLUMN_DATE },
	{ .name = { "microsoftCreatedDate", 20 }, .type = COLUMN_TIME },
	{ .name = { "firstName", 9 }, .type = COLUMN_TEXT },
};
enum { EMAIL, DO_NOT_CALL, SCORE, REVENUE, BIRTH, CREATED, FIRST_NAME, FIELD_COUNT };
static const enum value_kind kinds[FIELD_COUNT] = { VALUE_TEXT,    VALUE_BOOLEAN, VALUE_INTEGER,
						    VALUE_DECIMAL, VALUE_DATE,    VALUE_TIME,
						    VALUE_TEXT };

static struct mapped_field mapped[FIELD_COUNT];

static struct mapping make_mapping(void)
{
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		mapped[i] = (struct mapped_field){ .kind = kinds[i], .scale = -1 };
		mapped[i].column[TABLE_PERSON] = &columns[i];
	}
	mapped[FIRST_NAME].column[TABLE_PERSON] = NULL; /* paused */
	return (struct mapping){ .fields = mapped, .count = FIELD_COUNT };
}

/* What the change log tells of one field. */
static bool told(const char *text, struct arena *a, struct change *ret)
{
	struct mapping m = make_mapping();
	struct json_object *o = json_tokener_parse(text);
	bool tells = marketo_field_change_read(o, &m, a, ret);

	json_object_put(o);
	return tells;
}

static void changes_of_fields_read(void **state)
{
	static const struct {
		const char *text;
		uint16_t index;
		enum value_kind was_kind, now_kind;
		const char *was, *now; /* as canonical text */
	} rows[] = {
		{ "{\"name\":\"email\",\"oldValue\":\" a@example.org\",\"newValue\":\"b@example.org\"}",
		  EMAIL, VALUE_TEXT, VALUE_TEXT, "a@example.org", "b@example.org" },
		{ "{\"id\":12,\"name\":\"doNotCall\",\"oldValue\":\"False\",\"newValue\":\"True\"}",
		  DO_NOT_CALL, VALUE_BOOLEAN, VALUE_BOOLEAN, "false", "true" },
		{ "{\"name\":\"doNotCall\",\"oldValue\":\"true\",\"newValue\":\"false\"}",
		  DO_NOT_CALL, VALUE_BOOLEAN, VALUE_BOOLEAN, "true", "false" },
		{ "{\"name\":\"doNotCall\",\"oldValue\":null,\"newValue\":true}", DO_NOT_CALL,
		  VALUE_BOOLEAN, VALUE_BOOLEAN, "false", "true" },
		{ "{\"name\":\"doNotCall\",\"newValue\":\"1\"}", DO_NOT_CALL, VALUE_BOOLEAN,
		  VALUE_BOOLEAN, "false", "true" },
		{ "{\"name\":\"email\",\"newValue\":\"new@example.org\"}", EMAIL, VALUE_EMPTY,
		  VALUE_TEXT, "", "new@example.org" },
		{ "{\"name\":\"email\",\"oldValue\":\"old@example.org\"}", EMAIL, VALUE_TEXT,
		  VALUE_EMPTY, "old@example.org", "" },
		{ "{\"name\":\"email\",\"oldValue\":\"x\",\"newValue\":\"  \"}", EMAIL, VALUE_TEXT,
		  VALUE_EMPTY, "x", "" },
		{ "{\"name\":\"leadScore\",\"oldValue\":\"7\",\"newValue\":\"12\"}", SCORE,
		  VALUE_INTEGER, VALUE_INTEGER, "7", "12" },
		{ "{\"name\":\"annualRevenue\",\"oldValue\":\"99.90\",\"newValue\":125000.50}",
		  REVENUE, VALUE_DECIMAL, VALUE_DECIMAL, "99.9", "125000.5" },
		/* of another kind, and told as what it is */
		{ "{\"name\":\"leadScore\",\"oldValue\":\"many\",\"newValue\":\"12\"}", SCORE,
		  VALUE_TEXT, VALUE_INTEGER, "many", "12" },
		/* what was cannot be read: what is still tells the write apart */
		{ "{\"name\":\"email\",\"oldValue\":[],\"newValue\":\"x\"}", EMAIL, VALUE_UNSEEN,
		  VALUE_TEXT, NULL, "x" },
	};
	struct arena a = { NULL, 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct change c = { .kind = CHANGE_EDITED };

		assert_true(told(rows[i].text, &a, &c));
		assert_int_equal(c.index, rows[i].index);
		assert_int_equal(c.was.kind, rows[i].was_kind);
		assert_int_equal(c.now.kind, rows[i].now_kind);
		if (rows[i].was)
			assert_str(value_print(&a, &c.was), rows[i].was);
		assert_str(value_print(&a, &c.now), rows[i].now);
	}
	arena_release(&a);
}

static void changes_that_tell_nothing(void **state)
{
	static const char *const texts[] = {
		/* times and dates are shown in some zone or other */
		"{\"name\":\"dateOfBirth\",\"oldValue\":\"1980-02-28\",\"newValue\":\"1980-02-29\"}",
		"{\"name\":\"microsoftCreatedDate\",\"newValue\":\"2026-08-30 09:05:09\"}",
		"{\"name\":\"email\",\"newValue\":{\"a\":1}}",
		"{\"name\":\"firstName\",\"newValue\":\"paused\"}",
		"{\"name\":\"Email\",\"newValue\":\"other name\"}",
		"{\"name\":\"unknown\",\"newValue\":\"x\"}",
		"{\"newValue\":\"x\"}",
		"{\"name\":7,\"newValue\":\"x\"}",
		"{}",
		"[]",
		"7",
		"null",
	};
	struct arena a = { NULL, 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct change c = { .kind = CHANGE_EDITED };

		assert_false(told(texts[i], &a, &c));
	}
	arena_release(&a);
}

/* A text that may have been cut short for the log is no value to compare with. */
static void long_texts_of_the_change_log_tell_nothing(void **state)
{
	char fits[251] = "", cut[252] = "", text[600];
	struct arena a = { NULL, 0 };
	struct change c = { .kind = CHANGE_EDITED };

	(void)state;
	memset(fits, 'x', sizeof(fits) - 1);
	memset(cut, 'x', sizeof(cut) - 1);
	(void)snprintf(text, sizeof(text), "{\"name\":\"email\",\"newValue\":\"%s\"}", fits);
	assert_true(told(text, &a, &c));
	assert_int_equal(c.now.text.n, 250);
	(void)snprintf(text, sizeof(text), "{\"name\":\"email\",\"newValue\":\"%s\"}", cut);
	assert_false(told(text, &a, &c));
	(void)snprintf(text, sizeof(text),
		       "{\"name\":\"email\",\"oldValue\":\"%s\",\"newValue\":\"y\"}", cut);
	assert_true(told(text, &a, &c));
	assert_int_equal(c.was.kind, VALUE_UNSEEN);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_of_fields_read),
		cmocka_unit_test(changes_that_tell_nothing),
		cmocka_unit_test(long_texts_of_the_change_log_tell_nothing),
	};

	return RUN(tests);
}
