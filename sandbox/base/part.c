/* Who judges the parts of the running call. A call has its thread for itself (web.h). */
#include "base/part.h"

static _Thread_local struct {
	part_judge *judge;
	void *context;
} asked;

void part_judge_set(part_judge *judge, void *context)
{
	asked.judge = judge;
	asked.context = context;
}

bool part_judged(const struct web_request *request, struct web_response *response)
{
	return asked.judge && asked.judge(asked.context, request, response);
}
