/* The table of metrics as Prometheus text. */
#include "base/metric.h"

#include <stdio.h>

#include "tests/unit/unit.h"

static void counts_and_sets(void **state)
{
	(void)state;
	metric_add(METRIC_COLLISIONS, 2);
	metric_add(METRIC_COLLISIONS, 3);
	metric_set(METRIC_HALTED, 1);
	metric_set(METRIC_HALTED, 0);
	assert_int_equal(metric_get(METRIC_COLLISIONS), 5);
	assert_int_equal(metric_get(METRIC_HALTED), 0);
	assert_int_equal(metric_get(METRIC_REFUSALS), 0);
}

static size_t occurrences(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
		n++;
	return n;
}

static void names_every_metric_once(void **state)
{
	CLEANUP(buf_release) struct buf out = { .max = 0 };
	struct str rest;
	size_t samples = 0;

	(void)state;
	metric_set(METRIC_READ_LEADS, 12);
	metric_print(&out);
	assert_non_null(strstr(buf_cstr(&out), "tandem_records_read_total{table=\"lead\"} 12\n"));
	rest = buf_str(&out);
	while (rest.n) {
		struct str line = str_cut(&rest, '\n');
		char type[200];

		if (!str_starts(line, STR("# HELP "))) {
			samples += line.n && line.p[0] != '#';
			continue;
		}
		line = (struct str){ line.p + 7, line.n - 7 };
		line = str_cut(&line, ' ');
		(void)snprintf(type, sizeof(type), "# TYPE " STR_FMT " ", STR_ARG(line));
		assert_int_equal(occurrences(buf_cstr(&out), type), 1);
	}
	assert_int_equal(samples, METRIC_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_and_sets),
		cmocka_unit_test(names_every_metric_once),
	};

	return RUN(tests);
}
