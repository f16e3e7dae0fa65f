/* Memory by lifetime. */
#include "base/arena.h"

#include <stdalign.h>

#include "tests/unit/unit.h"

static void blocks_are_zeroed_aligned_and_apart(void **state)
{
	struct arena a = { NULL, 0 };
	unsigned char *blocks[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		size_t size = i * 37 % 1500;

		blocks[i] = arena_alloc(&a, size);
		assert_int_equal((uintptr_t)blocks[i] % alignof(max_align_t), 0);
		for (size_t k = 0; k < size; k++)
			assert_int_equal(blocks[i][k], 0);
		memset(blocks[i], (int)(i + 1), size);
	}
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		for (size_t k = 0; k < i * 37 % 1500; k++)
			assert_int_equal(blocks[i][k], (i + 1) & 0xff);
	}
	arena_release(&a);
}

static void large_blocks_leave_the_current_chunk_in_use(void **state)
{
	struct arena a = { NULL, 0 };
	char *first = arena_alloc(&a, 16), *large, *second;

	(void)state;
	large = arena_alloc(&a, 1024 * 1024);
	large[1024 * 1024 - 1] = 'x';
	second = arena_alloc(&a, 16);
	assert_int_equal(second - first, 16);
	assert_true(a.used_bytes >= 1024 * 1024 + 32);
	arena_release(&a);
	assert_int_equal(a.used_bytes, 0);
	assert_null(a.chunks);
	assert_non_null(arena_alloc(&a, 0)); /* it can be used again */
	arena_release(&a);
}

static void copies_text(void **state)
{
	struct arena a = { NULL, 0 };
	struct str copy = arena_str(&a, STR("name"));

	(void)state;
	assert_str(copy, "name");
	assert_int_equal(copy.p[4], '\0');
	assert_string_equal(arena_text(&a, (struct str){ NULL, 0 }), "");
	assert_string_equal(arena_fmt(&a, "%d-%s", 7, "x"), "7-x");
	assert_non_null(arena_array(&a, 0, 8));
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_zeroed_aligned_and_apart),
		cmocka_unit_test(large_blocks_leave_the_current_chunk_in_use),
		cmocka_unit_test(copies_text),
	};

	return RUN(tests);
}
