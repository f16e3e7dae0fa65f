/* What people are told to do about each of Marketo's codes. */
#include <stdio.h>

#include "remote/marketo_wire.h"
#include "tests/unit/unit.h"

static enum err_kind record_read(const char *text, int64_t *id, bool *was_created, struct err *err)
{
	struct json_object *o = json_tokener_parse(text);
	enum err_kind kind = marketo_record_read(o, id, was_created, err);

	json_object_put(o);
	return kind;
}

/* Whoever reads of an error in Marketo is told what he can do. */
static void every_code_has_an_advice(void **state)
{
	static const char *const calls[] = { "500", "502", "600", "601",  "602",  "603",  "604",
					     "605", "606", "607", "608",  "609",  "610",  "611",
					     "612", "613", "614", "615",  "616",  "701",  "703",
					     "704", "713", "719", "1003", "1006", "1011", "1018" };
	static const char *const records[] = { "611",  "713",  "719",  "1001", "1002", "1003",
					       "1004", "1005", "1006", "1007", "1008", "1009",
					       "1010", "1011", "1018", "1021", "1036", "1049" };
	static const char *const jobs[] = { "1003", "1013", "1016", "1029", "1035" };
	char text[120];
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		CLEANUP(marketo_answer_release) struct marketo_answer a = { 0 };
		enum marketo_reaction reaction;

		(void)snprintf(text, sizeof(text),
			       "{\"success\":false,\"errors\":[{\"code\":\"%s\"}]}", calls[i]);
		assert_int_not_equal(marketo_answer_read(str_of(text), NULL, &a, &reaction, &err),
				     ERR_NONE);
		assert_string_equal(err.code, calls[i]);
		assert_true(err.advice && strlen(err.advice) > 10);
	}
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		err = (struct err){ .kind = ERR_OURS };
		(void)snprintf(err.code, sizeof(err.code), "%s", jobs[i]);
		(void)marketo_bulk_judge(&err);
		assert_true(err.advice && strlen(err.advice) > 10);
	}
	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		bool was_created;
		int64_t id;

		(void)snprintf(text, sizeof(text),
			       "{\"status\":\"skipped\",\"reasons\":[{\"code\":\"%s\"}]}",
			       records[i]);
		assert_int_not_equal(record_read(text, &id, &was_created, &err), ERR_NONE);
		assert_string_equal(err.code, records[i]);
		assert_true(err.advice && strlen(err.advice) > 10);
	}
	assert_int_equal(record_read("{\"status\":\"skipped\",\"reasons\":[{\"code\":\"9\"}]}",
				     &(int64_t){ 0 }, &(bool){ false }, &err),
			 ERR_REFUSED);
	assert_null(err.advice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_an_advice),
	};

	return RUN(tests);
}
