/* The operator's verbs: pause, resume, retry. */
#include <inttypes.h>

#include "api/exchange.h"
#include "api/print.h"
#include "api/request.h"
#include "sync/operator.h"

/* No verb takes a body. */
static bool verb_is_bare(struct exchange *x)
{
	struct problem problem;

	if (request_empty(buf_str(&x->body), &problem))
		return true;
	exchange_problem(x, &problem);
	return false;
}

static void verb_tell_state(struct exchange *x)
{
	struct operator_status status;
	struct err err;
	struct buf *out;

	if (operator_status(x->engine, &status, &err) != ERR_NONE) {
		exchange_fail(x, &err);
		return;
	}
	out = exchange_json(x, 200);
	print_open(out, NULL, '{');
	print_text(out, "state", str_of(sync_state_name(status.state)));
	print_close(out, '}');
}

static void verb_run(struct exchange *x,
		     enum err_kind (*verb)(struct engine *e, const char *by, struct err *err))
{
	struct err err;

	if (!verb_is_bare(x))
		return;
	if (verb(x->engine, x->caller, &err) != ERR_NONE)
		exchange_fail(x, &err);
	else
		verb_tell_state(x);
}

void handle_pause(struct exchange *x)
{
	verb_run(x, operator_pause);
}

void handle_resume(struct exchange *x)
{
	verb_run(x, operator_resume);
}

void handle_retry(struct exchange *x)
{
	struct problem problem;
	struct err err;
	struct buf *out;
	bool was_found;

	if (!verb_is_bare(x))
		return;
	if (operator_retry(x->engine, x->id, &was_found, &err) != ERR_NONE) {
		exchange_fail(x, &err);
		return;
	}
	if (!was_found) {
		(void)problem_set(&problem, PROBLEM_UNKNOWN_ERROR, "id",
				  "there is no open error %" PRId64, x->id);
		exchange_problem(x, &problem);
		return;
	}
	out = exchange_json(x, 200);
	print_open(out, NULL, '{');
	print_number(out, "id", x->id);
	print_boolean(out, "retried", true);
	print_close(out, '}');
}
