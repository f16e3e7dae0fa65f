/* The time that requests take, and how many may run at once because of it (INV-BUDGET). */
#include "core/load.h"

#include "tests/unit/unit.h"

enum { GRANTED_MS = 1200 * 1000 };

static void time_leaves_the_window(void **state)
{
	struct load l = { .granted_ms = GRANTED_MS };

	(void)state;
	assert_int_equal(load_percent(&l, 0, 4), 0);
	load_add(&l, 0, 120 * 1000);
	load_add(&l, 0, 240 * 1000);
	assert_int_equal(load_percent(&l, 240 * 1000, 0), 30);
	/* and what those that run may take */
	assert_int_equal(load_percent(&l, 240 * 1000, 2), 70);
	assert_int_equal(load_percent(&l, 419 * 1000, 0), 30);
	assert_int_equal(load_percent(&l, 426 * 1000, 0), 20);
	assert_int_equal(load_percent(&l, 546 * 1000, 0), 0);
	load_add(&l, 0, 1000); /* told much too late */
	assert_int_equal(load_percent(&l, 546 * 1000, 0), 0);
}

static void no_limit_is_no_limit(void **state)
{
	struct load l = { .granted_ms = 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		load_add(&l, 0, 100 * 1000);
	assert_int_equal(load_percent(&l, 100 * 1000, 50), 0);
	assert_int_equal(load_concurrency(&l, 100 * 1000, 50), 50);
}

static void down_at_once_and_up_slowly(void **state)
{
	struct load l = { .granted_ms = GRANTED_MS };
	int64_t now = 300 * 1000;

	(void)state;
	load_add(&l, now, 0);
	assert_int_equal(load_concurrency(&l, now, 4), 4);
	for (int i = 0; i < 1000; i++)
		load_add(&l, now - 900, 900);
	assert_int_equal(load_concurrency(&l, now, 4), 3);
	assert_int_equal(load_concurrency(&l, now, 4), 2);
	assert_int_equal(load_concurrency(&l, now, 4), 1);
	assert_int_equal(load_concurrency(&l, now, 4), 1);
	assert_int_equal(load_concurrency(&l, now, 1), 1); /* the hint fell */
	assert_int_equal(load_concurrency(&l, now, 0), 0);
	assert_int_equal(load_concurrency(&l, now, 4), 3); /* and rose: as if new */
	assert_int_equal(load_concurrency(&l, now, 4), 2);
	now += 306 * 1000;
	assert_int_equal(load_concurrency(&l, now, 4), 3);
	assert_int_equal(load_concurrency(&l, now + 4999, 4), 3);
	assert_int_equal(load_concurrency(&l, now + 5000, 4), 4);
	assert_int_equal(load_concurrency(&l, now + 90 * 1000, 4), 4);
}

/* Between the two marks nothing changes. */
static void the_middle_is_left_alone(void **state)
{
	struct load l = { .granted_ms = GRANTED_MS, .fewer = 2 };

	(void)state;
	for (int i = 0; i < 720; i++)
		load_add(&l, 0, 1000);
	for (int64_t now = 1000; now < 290 * 1000; now += 1000)
		assert_int_equal(load_concurrency(&l, now, 4), 2);
}

/* ---- a service that counts, and a client that always has something to send ---- */

enum { THREADS_MAX = 52, ENDS_MAX = 400000 };

struct client {
	struct load load;
	uint64_t seed;
	bool is_watching;
	uint32_t allowed, permitted, running;
	int64_t shortest_ms, longest_ms;
	int64_t ends[THREADS_MAX]; /* 0: idle */
	int64_t starts[THREADS_MAX];
};

struct ended {
	int64_t at_ms, took_ms;
};

static void client_start(struct client *c, int64_t now)
{
	int64_t span = c->longest_ms - c->shortest_ms + 1;

	for (size_t i = 0; i < THREADS_MAX && c->running < c->permitted; i++) {
		if (c->ends[i])
			continue;
		c->starts[i] = now;
		c->ends[i] =
			now + c->shortest_ms + (int64_t)(unit_random(&c->seed) % (uint64_t)span);
		c->running++;
	}
}

/* The next one to end. */
static size_t client_next(const struct client *c)
{
	size_t next = THREADS_MAX;

	for (size_t i = 0; i < THREADS_MAX; i++)
		if (c->ends[i] && (next == THREADS_MAX || c->ends[i] < c->ends[next]))
			next = i;
	return next;
}

/* The most execution time that any window of the service held; the threads busy on average. */
static int64_t client_run(struct client *c, int64_t until, double *ret_busy)
{
	static struct ended log[ENDS_MAX];
	size_t n = 0, first = 0;
	int64_t now = 1, sum = 0, most = 0, all = 0;

	c->permitted = c->allowed;
	while (now < until && n < ENDS_MAX) {
		size_t i;

		client_start(c, now);
		i = client_next(c);
		now = c->ends[i];
		log[n] = (struct ended){ now, now - c->starts[i] };
		c->ends[i] = 0;
		c->running--;
		load_add(&c->load, c->starts[i], log[n].took_ms);
		if (c->is_watching)
			c->permitted = load_concurrency(&c->load, now, c->allowed);
		sum += log[n].took_ms;
		all += log[n++].took_ms;
		while (log[first].at_ms <= now - LOAD_WINDOW_MS)
			sum -= log[first++].took_ms;
		most = sum > most ? sum : most;
	}
	*ret_busy = (double)all / (double)now;
	return most;
}

static const struct {
	uint32_t allowed;
	int64_t shortest_ms, longest_ms;
} clients[] = {
	{ 5, 50, 200 },     { 8, 50, 5000 },     { 16, 200, 8000 },
	{ 52, 100, 12000 }, { 52, 9000, 12000 }, { 40, 30, 60 },
};

static void what_is_granted_is_never_exceeded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
		for (int is_watching = 0; is_watching < 2; is_watching++) {
			struct client c = { .load = { .granted_ms = GRANTED_MS },
					    .seed = i + 1,
					    .is_watching = is_watching,
					    .allowed = clients[i].allowed,
					    .shortest_ms = clients[i].shortest_ms,
					    .longest_ms = clients[i].longest_ms };
			double busy;
			int64_t most = client_run(&c, 7200 * 1000, &busy);

			assert_int_equal(most <= GRANTED_MS, is_watching);
			/* and what is granted is used: 4 threads busy would be all of it */
			assert_true(busy > 1.9);
		}
	}
}

static void rows_follow_the_time_they_take(void **state)
{
	static const struct {
		size_t now, sent;
		int64_t took_ms;
		size_t next;
	} rows[] = {
		{ 100, 100, 9999, 200 }, { 100, 99, 10, 100 },     { 200, 200, 10000, 200 },
		{ 400, 400, 20, 500 },   { 500, 500, 20, 500 },    { 500, 500, 30000, 250 },
		{ 500, 120, 90000, 60 }, { 16, 16, 120000, 10 },   { 10, 10, 120000, 10 },
		{ 10, 10, 100, 20 },     { 100, 100, 29999, 100 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(load_rows(rows[i].now, rows[i].sent, rows[i].took_ms),
				 rows[i].next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_leaves_the_window),
		cmocka_unit_test(no_limit_is_no_limit),
		cmocka_unit_test(down_at_once_and_up_slowly),
		cmocka_unit_test(the_middle_is_left_alone),
		cmocka_unit_test(what_is_granted_is_never_exceeded),
		cmocka_unit_test(rows_follow_the_time_they_take),
	};

	return RUN(tests);
}
