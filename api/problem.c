/* The table of problems, and how errors of the layers below become one. */
#include "api/problem.h"

#include <stdarg.h>

#include "api/print.h"

enum { RETRY_AFTER_DEFAULT_S = 5 };

struct problem_row {
	unsigned status;
	const char *type, *title;
};

#define PROBLEM_ROW(kind, status, type, title) [PROBLEM_##kind] = { status, type, title },
static const struct problem_row problem_rows[PROBLEM_KIND_COUNT] = { PROBLEMS(PROBLEM_ROW) };
#undef PROBLEM_ROW

/* Only ERR_INPUT blames the caller; what cannot come from below is ours. */
static const enum problem_kind problem_by_err[ERR_KIND_COUNT] = {
	[ERR_NONE] = PROBLEM_OURS,
	[ERR_RETRY_NOW] = PROBLEM_UNAVAILABLE,
	[ERR_RETRY_LATER] = PROBLEM_UNAVAILABLE,
	[ERR_THROTTLED] = PROBLEM_UNAVAILABLE,
	[ERR_QUOTA] = PROBLEM_UNAVAILABLE,
	[ERR_REFUSED] = PROBLEM_REMOTE,
	[ERR_GONE] = PROBLEM_NOT_FOUND,
	[ERR_CONFLICT] = PROBLEM_UNAVAILABLE,
	[ERR_DUPLICATE] = PROBLEM_OURS,
	[ERR_RIGHTS] = PROBLEM_REMOTE,
	[ERR_EXPIRED] = PROBLEM_UNAVAILABLE,
	[ERR_BROKEN] = PROBLEM_UNAVAILABLE,
	[ERR_RUBBISH] = PROBLEM_REMOTE,
	[ERR_STORE] = PROBLEM_UNAVAILABLE,
	[ERR_NOT_LEADER] = PROBLEM_UNAVAILABLE,
	[ERR_CONFIG] = PROBLEM_UNAVAILABLE,
	[ERR_INPUT] = PROBLEM_BAD_REQUEST,
	[ERR_STOPPED] = PROBLEM_UNAVAILABLE,
	[ERR_OURS] = PROBLEM_OURS,
};

unsigned problem_status(enum problem_kind kind)
{
	return problem_rows[kind].status;
}

bool problem_set(struct problem *p, enum problem_kind kind, const char *field, const char *fmt, ...)
{
	va_list args;

	*p = (struct problem){ .kind = kind };
	if (field)
		(void)snprintf(p->field, sizeof(p->field), "%s", field);
	va_start(args, fmt);
	(void)vsnprintf(p->detail, sizeof(p->detail), fmt, args);
	va_end(args);
	if (kind == PROBLEM_UNAVAILABLE)
		p->retry_after_s = RETRY_AFTER_DEFAULT_S;
	return false;
}

bool problem_of_err(struct problem *p, const struct err *err)
{
	enum problem_kind kind = err->kind < ERR_KIND_COUNT ? problem_by_err[err->kind]
							    : PROBLEM_OURS;

	(void)problem_set(p, kind, err->field, "%s", err->text);
	if (p->retry_after_s && err->retry_after_ms > 0)
		p->retry_after_s = (err->retry_after_ms + 999) / 1000;
	return false;
}

void problem_print(const struct problem *p, const char *request_id, struct buf *out)
{
	const struct problem_row *row = &problem_rows[p->kind];

	print_open(out, NULL, '{');
	print_text(out, "type", str_of(row->type));
	print_text(out, "title", str_of(row->title));
	print_number(out, "status", row->status);
	print_text(out, "detail", str_of(p->detail));
	if (p->field[0])
		print_text(out, "field", str_of(p->field));
	print_text(out, "requestId", str_of(request_id));
	print_close(out, '}');
}
