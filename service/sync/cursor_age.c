/* See cursor_age.h. Must not know what a cursor says, nor move one. */
#include "sync/cursor_age.h"

#include "base/log.h"
#include "base/metric.h"

enum { SECONDS_A_DAY = 24 * 3600 };

static const enum metric metrics[TABLE_COUNT] = {
	[TABLE_PERSON] = METRIC_CURSOR_AGE_PERSON,
	[TABLE_LEAD] = METRIC_CURSOR_AGE_LEAD,
	[TABLE_CONTACT] = METRIC_CURSOR_AGE_CONTACT,
};

static void cursor_age_of(enum table t, int64_t age_s, uint32_t days)
{
	metric_set(metrics[t], age_s > 0 ? age_s : 0);
	if (!days || age_s <= (int64_t)days * SECONDS_A_DAY / 2)
		return;
	log_warn("cursor_grows_old", LOG_TEXT("table", table_name(t)),
		 LOG_NUMBER("ageSeconds", age_s), LOG_NUMBER("expiresAfterDays", days));
}

void cursor_age_look(struct engine *e)
{
	int64_t ages[TABLE_COUNT];
	struct err err;

	if (e->store.ops->cursor_ages(e->store.self, ages, &err) != ERR_NONE) {
		log_warn("cursor_age_unknown", LOG_ERR(&err));
		return;
	}
	for (int t = 0; t < TABLE_COUNT; t++) {
		const struct remote *remote = &e->remote[table_side((enum table)t)];

		cursor_age_of((enum table)t, ages[t],
			      remote->ops->feed_days ? remote->ops->feed_days(remote->self) : 0);
	}
}
