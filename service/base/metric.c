/* The table of metrics. */
#include "base/metric.h"

#include <inttypes.h>
#include <stdatomic.h>

struct metric_row {
	const char *kind, *name, *labels, *help;
};

#define METRIC_ROW(id, kind, name, labels, help) [METRIC_##id] = { kind, name, labels, help },
static const struct metric_row metric_rows[METRIC_COUNT] = { METRICS(METRIC_ROW) };
#undef METRIC_ROW

static _Atomic int64_t metric_values[METRIC_COUNT];

void metric_add(enum metric m, int64_t n)
{
	if (m < METRIC_COUNT)
		atomic_fetch_add(&metric_values[m], n);
}

void metric_set(enum metric m, int64_t value)
{
	atomic_store(&metric_values[m], value);
}

int64_t metric_get(enum metric m)
{
	return atomic_load(&metric_values[m]);
}

void metric_print(struct buf *out)
{
	const char *last = "";

	for (int i = 0; i < METRIC_COUNT; i++) {
		const struct metric_row *row = &metric_rows[i];

		if (strcmp(last, row->name) != 0) {
			buf_fmt(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help,
				row->name, row->kind);
			last = row->name;
		}
		buf_text(out, row->name);
		if (row->labels[0])
			buf_fmt(out, "{%s}", row->labels);
		buf_fmt(out, " %" PRId64 "\n", metric_get((enum metric)i));
	}
}
