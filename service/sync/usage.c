/* The budgets of both sides; see usage.h. Must not know how a side counts. */
#include "sync/usage.h"

#include "base/log.h"

void usage_look(struct engine *e, enum side side, struct remote_budget *ret)
{
	const struct remote *remote = &e->remote[side];

	*ret = (struct remote_budget){ .reason = "" };
	if (remote->ops->budget)
		remote->ops->budget(remote->self, ret);
}

void usage_refresh(struct engine *e, bool is_in_cycle)
{
	const struct call call = { .lane = LANE_CHANGES };

	for (int side = 0; side < SIDE_COUNT; side++) {
		const struct remote *remote = &e->remote[side];
		struct err err;

		if (remote->ops->refresh_budget &&
		    remote->ops->refresh_budget(remote->self, &call, is_in_cycle, &err) != ERR_NONE)
			log_warn("usage_not_told", LOG_TEXT("side", side_name((enum side)side)),
				 LOG_ERR(&err));
	}
}

bool usage_is_over(struct engine *e)
{
	bool is_over = false;

	for (int side = 0; side < SIDE_COUNT; side++) {
		struct remote_budget budget;

		usage_look(e, (enum side)side, &budget);
		is_over |= budget.now.hold >= HOLD_DAY && budget.now.is_realtime_held;
	}
	return is_over;
}

void usage_reopen(struct engine *e)
{
	for (int side = 0; side < SIDE_COUNT; side++) {
		if (e->remote[side].ops->reopen)
			e->remote[side].ops->reopen(e->remote[side].self);
	}
}
