/* POST /v1/sync-person: reads the body, hands the request over, waits without a thread, tells the
 * outcome. Knows nothing of how a record comes about. */
#include "api/exchange.h"
#include "api/print.h"
#include "api/request.h"
#include "base/clock.h"
#include "base/mem.h"
#include "sync/realtime.h"

/* Marketo's webhooks give up after 30 s ("Adobe: Webhooks"); the answer must be on its way before. */
enum { SYNC_PERSON_DEADLINE_MS = 25 * 1000 };

/* 0: not an answer. */
static const unsigned outcome_status[OUTCOME_COUNT] = {
	[OUTCOME_CREATED] = 200, [OUTCOME_LINKED] = 200,    [OUTCOME_EXISTS] = 200,
	[OUTCOME_QUEUED] = 202,  [OUTCOME_AMBIGUOUS] = 200, [OUTCOME_REJECTED] = 200,
	[OUTCOME_FAILED] = 202,
};

/* Runs on another thread, maybe before realtime_submit has returned: touches the outcome and
 * nothing else. */
static void sync_person_done(void *context, const struct request *request, const struct err *err)
{
	struct exchange *x = context;
	struct exchange_outcome *o = x->outcome;

	if (err) {
		o->is_error = true;
		o->err = *err;
	} else {
		(void)snprintf(o->reason, sizeof(o->reason), STR_FMT, STR_ARG(request->reason));
		o->request = *request;
		o->request.reason = str_of(o->reason);
		o->request.owner = o->request.campaign_id = o->request.campaign_name =
			(struct str){ NULL, 0 };
	}
	exchange_wait_end(x);
}

static void sync_person_begin(struct exchange *x)
{
	struct problem problem;
	struct request request;

	if (!request_sync_person(exchange_header(x, "Content-Type"), buf_str(&x->body), &x->memory,
				 &request, &problem)) {
		exchange_problem(x, &problem);
		return;
	}
	request.id = x->made_id;
	request.created_ms = clock_wall_ms();
	x->outcome = mem_alloc(sizeof(*x->outcome));
	x->outcome->request.person_id = request.person_id;
	if (!exchange_wait_begin(x)) {
		(void)problem_set(&problem, PROBLEM_UNAVAILABLE, NULL,
				  "the service is stopping; nothing was accepted");
		exchange_problem(x, &problem);
		return;
	}
	realtime_submit(x->engine, &request, clock_mono_ms() + SYNC_PERSON_DEADLINE_MS,
			sync_person_done, x);
}

static void sync_person_failed(struct exchange *x, const struct exchange_outcome *o)
{
	struct problem problem;

	if (o->err.kind != ERR_GONE) {
		exchange_fail(x, &o->err);
		return;
	}
	(void)problem_set(&problem, PROBLEM_UNKNOWN_PERSON, "/personId",
			  "Marketo has no person with this personId");
	exchange_problem(x, &problem);
}

static void sync_person_tell(struct exchange *x, const struct request *r)
{
	struct buf *out = exchange_json(x, outcome_status[r->outcome]);
	char id[GUID_TEXT];

	print_open(out, NULL, '{');
	print_text(out, "outcome", str_of(outcome_name(r->outcome)));
	print_number(out, "personId", r->person_id);
	print_text(out, "entity", str_of(r->entity == TABLE_PERSON ? NULL : table_name(r->entity)));
	guid_print(&r->record_id, id);
	print_text(out, "recordId", str_of(guid_is_zero(&r->record_id) ? NULL : id));
	print_text_or_null(out, "reason", r->reason);
	guid_print(&r->id, id);
	print_text(out, "requestId", str_of(id));
	print_close(out, '}');
}

void handle_sync_person(struct exchange *x)
{
	const struct exchange_outcome *o = x->outcome;

	if (x->state != EXCHANGE_RESUMED) {
		sync_person_begin(x);
	} else if (o->is_error) {
		sync_person_failed(x, o);
	} else if (o->request.outcome < OUTCOME_COUNT && outcome_status[o->request.outcome]) {
		sync_person_tell(x, &o->request);
	} else {
		struct problem problem;

		(void)problem_set(&problem, PROBLEM_OURS, NULL,
				  "the request came back without an outcome");
		exchange_problem(x, &problem);
	}
}
