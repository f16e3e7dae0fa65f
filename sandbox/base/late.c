/* The delay of the running call. A call has its thread for itself (web.h). */
#include "base/late.h"

static _Thread_local int64_t delay_s;

void late_commit_set(int64_t seconds)
{
	delay_s = seconds;
}

int64_t late_commit_seconds(void)
{
	return delay_s;
}
