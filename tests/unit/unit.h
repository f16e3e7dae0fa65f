/* What every unit test needs: cmocka, and the headers it expects to come before it. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

#define RUN(tests) cmocka_run_group_tests_name(__FILE__, tests, NULL, NULL)

#define assert_str(actual, expected)                                                               \
	do {                                                                                       \
		struct str actual_ = (actual), expected_ = str_of(expected);                       \
		assert_int_equal(actual_.n, expected_.n);                                          \
		if (expected_.n)                                                                   \
			assert_memory_equal(actual_.p, expected_.p, expected_.n);                  \
	} while (0)

/* Numbers that look random and are the same in every run: SplitMix64. */
static inline uint64_t unit_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

#endif
