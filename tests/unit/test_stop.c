/* Stop tokens. */
#include "base/stop.h"

#include <pthread.h>

#include "base/clock.h"
#include "tests/unit/unit.h"

static void waits_its_time(void **state)
{
	struct stop *s = stop_new();
	int64_t start = clock_mono_ms();

	(void)state;
	assert_false(stop_wait_ms(s, 30));
	assert_true(clock_mono_ms() - start >= 29);
	assert_false(stop_wait_ms(s, -5));
	assert_false(stop_requested(s));
	stop_free(s);
	stop_free(NULL);
}

static void a_wake_before_the_wait_is_not_lost(void **state)
{
	struct stop *s = stop_new();
	int64_t start = clock_mono_ms();

	(void)state;
	stop_wake(s);
	assert_false(stop_wait_ms(s, 60000));
	assert_true(clock_mono_ms() - start < 30000);
	start = clock_mono_ms();
	assert_false(stop_wait_ms(s, 20)); /* it counts once */
	assert_true(clock_mono_ms() - start >= 19);
	stop_free(s);
}

static void *ask(void *s)
{
	(void)stop_wait_ms(s, 0);
	stop_request(s);
	return NULL;
}

static void a_request_ends_the_wait_for_good(void **state)
{
	struct stop *s = stop_new();
	int64_t start = clock_mono_ms();
	pthread_t other;

	(void)state;
	assert_int_equal(pthread_create(&other, NULL, ask, s), 0);
	assert_true(stop_wait_ms(s, 60000));
	assert_true(stop_wait_ms(s, 60000));
	assert_true(clock_mono_ms() - start < 30000);
	assert_true(stop_requested(s));
	assert_int_equal(pthread_join(other, NULL), 0);
	stop_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_its_time),
		cmocka_unit_test(a_wake_before_the_wait_is_not_lost),
		cmocka_unit_test(a_request_ends_the_wait_for_good),
	};

	return RUN(tests);
}
