/* The way of a call: control or side; counted; delayed, refused or spoilt where a fault rule says
 * so. */
#include "control/front.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/late.h"
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

static int64_t serve(const struct side *side, const struct fault_effect *fault,
		     const struct web_request *request, struct web_response *response)
{
	int64_t records = 0;

	wait_ms(fault->delay_ms);
	if (fault->drop == FAULT_DROP_BEFORE) {
		response->cut = WEB_CUT_CONNECTION;
		return 0;
	}
	if (fault_answers(fault)) {
		fault_answer(fault, side->ops->name, response);
	} else {
		late_commit_set(fault->late_commit_s);
		side->ops->handle(side->self, request, response);
		late_commit_set(0);
		records = side->ops->records_of(request, response);
	}
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
	const char *user, *endpoint;
	struct fault_effect fault;
	struct call_note note;
	char method[16];
	int64_t records;

	if (strncmp(request->path, "/_sandbox/", 10) == 0) {
		control_handle(front->sides, FRONT_SIDES, request, response);
		return;
	}
	user = side->ops->user_of(side->self, request);
	endpoint = side->ops->endpoint_of(request);
	calls_begin(&note, front->side, user, endpoint);
	fault_find(side->ops->name, method_of(endpoint, method, sizeof(method)), user, request,
		   &fault);
	records = serve(side, &fault, request, response);
	fault_effect_free(&fault);
	calls_end(&note, request, response, records);
}
