/* Answers of batches: the shapes Dataverse gives, cut ones, and ones it never should give. */
#include "remote/multipart.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

#define PART "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
#define TYPE STR("multipart/mixed; boundary=batchresponse_7a90")

static const char three_parts[] =
	"--batchresponse_7a90\r\n" PART "\r\n"
	"HTTP/1.1 204 No Content\r\nOData-Version: 4.0\r\nETag: W/\"7718123\"\r\n"
	"OData-EntityId: https://org.example/api/data/v9.2/contacts(5e8f1f3a-1111-4c2e-9a77-2d6f0b7f9c01)\r\n\r\n\r\n"
	"--batchresponse_7a90\r\n" PART "\r\n"
	"HTTP/1.1 400 Bad Request\r\nREQ_ID: 1c0b6a58\r\nContent-Type: application/json; odata.metadata=minimal\r\n\r\n"
	"{\"error\":{\"code\":\"0x80044331\",\"message\":\"--batchresponse_7a90 too long\"}}\r\n"
	"--batchresponse_7a90\r\n" PART "\r\n"
	"HTTP/1.1 429 Too Many Requests\r\nretry-after: 27\r\n\r\n{}\r\n"
	"--batchresponse_7a90--\r\n";

static const char change_set[] =
	"--b1\r\nContent-Type: multipart/mixed; boundary=changesetresponse_b2\r\n\r\n"
	"--changesetresponse_b2\r\n" PART "Content-ID: 2\r\n\r\n"
	"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\r\n{\"error\":{}}\r\n"
	"--changesetresponse_b2--\r\n"
	"--b1\r\n" PART "\r\nHTTP/1.1 200 OK\r\n\r\n{}\r\n"
	"--b1--\r\n";

static void parts_come_in_order(void **state)
{
	struct multipart m;
	struct multipart_part part;

	(void)state;
	assert_true(multipart_start(&m, TYPE, str_of(three_parts)));
	assert_true(multipart_next(&m, &part));
	assert_int_equal(part.status, 204);
	assert_str(part.etag, "W/\"7718123\"");
	assert_str(part.body, "");
	assert_int_equal(part.retry_after_ms, -1);
	assert_true(multipart_next(&m, &part));
	assert_int_equal(part.status, 400);
	assert_str(part.content_type, "application/json; odata.metadata=minimal");
	assert_str(
		part.body,
		"{\"error\":{\"code\":\"0x80044331\",\"message\":\"--batchresponse_7a90 too long\"}}");
	assert_true(multipart_next(&m, &part));
	assert_int_equal(part.status, 429);
	assert_int_equal(part.retry_after_ms, 27000);
	assert_false(multipart_next(&m, &part));
	assert_true(m.is_complete);
	assert_false(multipart_next(&m, &part));
}

static void change_sets_are_flattened(void **state)
{
	struct multipart m;
	struct multipart_part part;

	(void)state;
	assert_true(multipart_start(&m, STR("Multipart/Mixed; charset=x; boundary=\"b1\""),
				    str_of(change_set)));
	assert_true(multipart_next(&m, &part));
	assert_int_equal(part.status, 400);
	assert_true(part.is_in_set);
	assert_str(part.content_id, "2");
	assert_true(multipart_next(&m, &part));
	assert_int_equal(part.status, 200);
	assert_false(part.is_in_set);
	assert_false(multipart_next(&m, &part));
	assert_true(m.is_complete);
}

static size_t count_parts(struct str body, bool *ret_is_complete)
{
	struct multipart m;
	struct multipart_part part;
	size_t n = 0;

	assert_true(multipart_start(&m, TYPE, body));
	while (multipart_next(&m, &part))
		n++;
	*ret_is_complete = m.is_complete;
	return n;
}

/* Wherever an answer is cut, no part is handed out that is not there to its end. */
static void cut_answers_show_whole_parts_only(void **state)
{
	size_t length = strlen(three_parts), last = 0;
	bool is_complete = false;

	(void)state;
	for (size_t n = 0; n <= length; n++) {
		char *copy = strndup(three_parts, n); /* so that reading too far is noticed */
		size_t parts = count_parts((struct str){ copy, n }, &is_complete);

		free(copy);
		assert_true(parts >= last && parts <= 3);
		last = parts;
	}
	assert_int_equal(last, 3);
	assert_true(is_complete);
	assert_int_equal(count_parts((struct str){ three_parts, length - 30 }, &is_complete), 2);
	assert_false(is_complete);
}

static void other_content_types_are_no_batch(void **state)
{
	static const char *const types[] = { "",
					     "application/json; odata.metadata=minimal",
					     "text/html; boundary=x",
					     "multipart/mixed",
					     "multipart/mixed; boundary=",
					     "multipart/mixed; boundary=\"\"" };
	struct multipart m;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		assert_false(multipart_start(&m, str_of(types[i]), str_of(three_parts)));
	assert_false(multipart_start(&m,
				     STR("multipart/mixed; boundary="
					 "0123456789012345678901234567890123456789"
					 "0123456789012345678901234567890"),
				     STR("")));
}

static void rubbish_has_no_status(void **state)
{
	static const char *const bodies[] = {
		"--batchresponse_7a90\r\n\r\n\r\n--batchresponse_7a90--",
		"--batchresponse_7a90\r\n" PART "\r\nHTTP/1.1 abc\r\n\r\n--batchresponse_7a90--",
		"--batchresponse_7a90\r\n" PART
		"\r\nHTTP/1.1 99999 x\r\n\r\n--batchresponse_7a90--",
		"--batchresponse_7a90\n" PART "\n<html>200</html>\n--batchresponse_7a90--",
	};
	struct multipart m;
	struct multipart_part part;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		assert_true(multipart_start(&m, TYPE, str_of(bodies[i])));
		assert_true(multipart_next(&m, &part));
		assert_int_equal(part.status, 0);
		assert_false(multipart_next(&m, &part));
	}
}

static void a_longer_boundary_is_another_one(void **state)
{
	static const char body[] = "preamble\r\n--batchresponse_7a90\r\n" PART
				   "\r\nHTTP/1.1 200 OK\r\n\r\n"
				   "x\r\n--batchresponse_7a901\r\ny\r\n--batchresponse_7a90--";
	struct multipart m;
	struct multipart_part part;

	(void)state;
	assert_true(multipart_start(&m, TYPE, str_of(body)));
	assert_true(multipart_next(&m, &part));
	assert_str(part.body, "x\r\n--batchresponse_7a901\r\ny");
	assert_false(multipart_next(&m, &part));
}

static void headers_are_found_without_case(void **state)
{
	struct str block = STR("Content-Type: a/b\r\nRetry-After:5\r\n");

	(void)state;
	assert_str(multipart_header(block, STR("content-type")), "a/b");
	assert_str(multipart_header(block, STR("RETRY-AFTER")), "5");
	assert_str(multipart_header(block, STR("retry")), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_come_in_order),
		cmocka_unit_test(change_sets_are_flattened),
		cmocka_unit_test(cut_answers_show_whole_parts_only),
		cmocka_unit_test(other_content_types_are_no_batch),
		cmocka_unit_test(rubbish_has_no_status),
		cmocka_unit_test(a_longer_boundary_is_another_one),
		cmocka_unit_test(headers_are_found_without_case),
	};

	return RUN(tests);
}
