/* SHA-256, whole and in pieces: the examples of FIPS 180-4. */
#include "core/checksum.h"
#include "tests/unit/unit.h"

static void examples(void **state)
{
	static const struct {
		const char *text, *sum;
	} rows[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t cut = 0; cut <= strlen(rows[i].text); cut++) {
			struct checksum *c = checksum_new();
			char sum[CHECKSUM_TEXT];

			checksum_add(c, (struct str){ rows[i].text, cut });
			checksum_add(c, str_of(rows[i].text + cut));
			checksum_print(c, sum);
			checksum_free(c);
			assert_string_equal(sum, rows[i].sum);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(examples) };

	return RUN(tests);
}
