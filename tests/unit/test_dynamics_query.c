/* Queries as parts of a batch, and which of them an answer leaves open. */
#include "remote/dynamics_query.h"

#include <stdio.h>

#include "tests/unit/unit.h"

#define HEAD                                                                                       \
	"--batch_tandem\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
#define TYPE "multipart/mixed; boundary=b"
#define PART "--b\r\nContent-Type: application/http\r\n\r\n"
#define OK(text) PART "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" text "\r\n"
#define BAD(status, headers, code)                                                                 \
	PART "HTTP/1.1 " status " No\r\n" headers "Content-Type: application/json\r\n\r\n"         \
	     "{\"error\":{\"code\":\"" code "\",\"message\":\"no\"}}\r\n"
#define END "--b--\r\n"

struct taken {
	char text[100];
	enum err_kind kind;
};

static enum err_kind take(void *context, size_t query, struct str body, struct err *err)
{
	struct taken *taken = context;
	size_t n = strlen(taken->text);

	(void)snprintf(taken->text + n, sizeof(taken->text) - n, "%zu:" STR_FMT " ", query,
		       STR_ARG(str_trim(body)));
	return taken->kind == ERR_NONE ? ERR_NONE : err_set(err, taken->kind, "not this one");
}

static void queries_are_written(void **state)
{
	CLEANUP(buf_release) struct buf out = { 0 };
	struct dynamics_query plain = { .path = "/api/data/v9.2/leads?$select=a" };
	struct dynamics_query labels = { .path = "/api/data/v9.2/leads?$select=b",
					 .wants_labels = true };

	(void)state;
	dynamics_query_write(&plain, &out);
	dynamics_query_write(&labels, &out);
	assert_string_equal(buf_cstr(&out),
			    HEAD "GET /api/data/v9.2/leads?$select=a HTTP/1.1\r\n"
				 "Accept: application/json\r\n\r\n\r\n" HEAD
				 "GET /api/data/v9.2/leads?$select=b HTTP/1.1\r\n"
				 "Accept: application/json\r\nPrefer: odata.include-annotations="
				 "\"OData.Community.Display.V1.FormattedValue\"\r\n\r\n\r\n");
}

static const struct {
	const char *type, *body, *taken;
	bool is_open[4]; /* query 1 was not asked */
	bool is_throttled;
} rows[] = {
	{ TYPE, OK("[1]") OK("[2]") OK("[3]") END, "0:[1] 2:[2] 3:[3] ", { 0, 1, 0, 0 }, false },
	/* A failure is nothing to take, and shifts no other. */
	{ TYPE,
	  OK("[1]") BAD("500", "", "0x80040216") OK("[3]") END,
	  "0:[1] 3:[3] ",
	  { 0, 1, 1, 0 },
	  false },
	{ TYPE,
	  OK("[1]") BAD("429", "Retry-After: 7\r\n", "0x80072322") OK("[3]") END,
	  "0:[1] 3:[3] ",
	  { 0, 1, 1, 0 },
	  true },
	/* Ended early, cut, more than was asked, no parts at all. */
	{ TYPE, OK("[1]") BAD("403", "", "0x80040220") END, "0:[1] ", { 0, 1, 1, 1 }, false },
	{ TYPE, OK("[1]") PART "HTTP/1.1 200 OK\r\n\r\n[2", "0:[1] ", { 0, 1, 1, 1 }, false },
	{ TYPE,
	  OK("[1]") OK("[2]") OK("[3]") OK("[4]") END,
	  "0:[1] 2:[2] 3:[3] ",
	  { 0, 1, 0, 0 },
	  false },
	{ TYPE, END, "", { 1, 1, 1, 1 }, false },
	{ "application/json", "{}", "", { 1, 1, 1, 1 }, false },
};

static void answers_are_taken(void **state)
{
	static const size_t numbers[] = { 0, 2, 3 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dynamics_query queries[4] = { { .path = "/" } };
		struct taken taken = { .kind = ERR_NONE };
		struct err throttled = { .kind = ERR_NONE };

		assert_int_equal(dynamics_query_take(str_of(rows[i].type), str_of(rows[i].body),
						     queries, numbers, ARRAY_LEN(numbers), take,
						     &taken, &throttled, NULL),
				 ERR_NONE);
		assert_string_equal(taken.text, rows[i].taken);
		for (size_t q = 0; q < ARRAY_LEN(queries); q++)
			assert_int_equal(queries[q].is_answered, !rows[i].is_open[q]);
		assert_int_equal(throttled.kind, rows[i].is_throttled ? ERR_THROTTLED : ERR_NONE);
		if (rows[i].is_throttled)
			assert_int_equal(throttled.retry_after_ms, 7000);
	}
}

static void what_cannot_be_taken_ends_it(void **state)
{
	static const size_t numbers[] = { 0, 1 };
	struct dynamics_query queries[2] = { { .path = "/" } };
	struct taken taken = { .kind = ERR_RUBBISH };
	struct err throttled = { .kind = ERR_NONE }, err;

	(void)state;
	assert_int_equal(dynamics_query_take(STR(TYPE), STR(OK("[1]") OK("[2]") END), queries,
					     numbers, 2, take, &taken, &throttled, &err),
			 ERR_RUBBISH);
	assert_string_equal(taken.text, "0:[1] ");
	assert_string_equal(err.text, "not this one");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries_are_written),
		cmocka_unit_test(answers_are_taken),
		cmocka_unit_test(what_cannot_be_taken_ends_it),
	};

	return RUN(tests);
}
