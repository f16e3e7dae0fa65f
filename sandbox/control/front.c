/* The way of a call: control or side; counted; delayed, refused or spoilt where a fault rule says
 * so. */
#include "control/front.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/late.h"
#include "base/part.h"
#include "control/calls.h"
#include "control/control.h"
#include "control/fault.h"

static atomic_bool stopping;

void front_stop(void)
{
	atomic_store(&stopping, true);
}

static void wait_ms(int64_t ms)
{
	const int64_t slice = 20;

	while (ms > 0 && !atomic_load(&stopping)) {
		int64_t now = ms < slice ? ms : slice;

		nanosleep(&(struct timespec){ .tv_nsec = (long)now * 1000000 }, NULL);
		ms -= now;
	}
}

/* The first word of the endpoint: a GET sent as POST is told apart from a write by it. */
static const char *method_of(const char *endpoint, char *buffer, size_t size)
{
	size_t len = strcspn(endpoint, " ");

	if (len >= size)
		len = size - 1;
	memcpy(buffer, endpoint, len);
	buffer[len] = '\0';
	return buffer;
}

/* A request inside a batch; rules see its own method and address. */
static bool judge_part(void *context, const struct web_request *request,
		       struct web_response *response)
{
	struct fault_call part = *(const struct fault_call *)context;
	struct fault_effect fault;
	bool ordered;

	part.part = true;
	part.method = request->method;
	part.request = request;
	ordered = fault_find(&part, &fault);
	if (ordered)
		fault_answer(&fault, part.side, response);
	fault_effect_free(&fault);
	return ordered;
}

/* Lets the side do what is asked; the records the call carried. */
static int64_t take_effect(const struct side *side, const struct fault_effect *fault,
			   struct fault_call *call, struct web_response *response)
{
	late_commit_set(fault->late_commit_s);
	part_judge_set(judge_part, call);
	side->ops->handle(side->self, call->request, response);
	part_judge_set(NULL, NULL);
	late_commit_set(0);
	return side->ops->records_of(call->request, response);
}

static void answer_as_ordered(const struct side *side, const struct fault_effect *fault,
			      const struct web_request *request, struct web_response *response)
{
	web_response_free(response);
	fault_answer(fault, side->ops->name, response);
	if (fault->code && side->ops->refused)
		side->ops->refused(side->self, request, fault->code, fault->after_effect);
}

static int64_t serve(const struct side *side, const struct fault_effect *fault,
		     struct fault_call *call, struct web_response *response)
{
	bool ordered = fault_answers(fault);
	int64_t records = 0;

	wait_ms(fault->delay_ms);
	if (fault->drop == FAULT_DROP_BEFORE) {
		response->cut = WEB_CUT_CONNECTION;
		return 0;
	}
	if (!ordered || fault->after_effect)
		records = take_effect(side, fault, call, response);
	if (ordered)
		answer_as_ordered(side, fault, call->request, response);
	wait_ms(fault->delay_after_ms);
	if (fault->drop == FAULT_DROP_AFTER)
		response->cut = WEB_CUT_CONNECTION;
	else if (fault->cut_body)
		response->cut = WEB_CUT_BODY;
	return records;
}

void front_handle(void *context, const struct web_request *request, struct web_response *response)
{
	struct front *front = context;
	const struct side *side = &front->sides[front->side];
	struct fault_call call = { .side = side->ops->name, .request = request };
	struct fault_effect fault;
	struct call_note note;
	const char *endpoint;
	char method[16];
	int64_t records;

	if (strncmp(request->path, "/_sandbox/", 10) == 0) {
		control_handle(front->sides, FRONT_SIDES, request, response);
		return;
	}
	call.user = side->ops->user_of(side->self, request);
	endpoint = side->ops->endpoint_of(request);
	calls_begin(&note, front->side, call.user, endpoint);
	call.method = method_of(endpoint, method, sizeof(method));
	fault_find(&call, &fault);
	records = serve(side, &fault, &call, response);
	fault_effect_free(&fault);
	calls_end(&note, request, response, records);
}
