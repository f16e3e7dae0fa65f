/* The lists (cycles, errors, collisions, fields), as JSON or CSV, and everything about one person. */
#include <inttypes.h>

#include "api/exchange.h"
#include "api/print.h"
#include "api/query.h"
#include "sync/operator.h"

static const char *const list_names[LIST_KIND_COUNT] = {
	[LIST_CYCLES] = "cycles", [LIST_ERRORS] = "errors",     [LIST_COLLISIONS] = "collisions",
	[LIST_FIELDS] = "fields", [LIST_REQUESTS] = "requests",
};

static void rowset_release(struct rowset *rows)
{
	arena_release(&rows->memory);
}

static void list_json(struct exchange *x, const struct rowset *rows)
{
	struct buf *out = exchange_json(x, 200);

	print_open(out, NULL, '{');
	print_rows(out, "items", rows);
	print_text_or_null(out, "next", rows->next);
	print_close(out, '}');
}

/* CSV has no place for the cursor: it travels in a header. */
static void list_csv(struct exchange *x, const struct rowset *rows)
{
	print_csv(exchange_text(x, 200, "text/csv; charset=utf-8; header=present"), rows);
	exchange_add_header(x, "Content-Disposition",
			    arena_fmt(&x->memory, "attachment; filename=\"%s.csv\"",
				      list_names[x->route->list]));
	if (rows->next.n)
		exchange_add_header(x, "X-Next-Cursor", arena_text(&x->memory, rows->next));
}

void handle_list(struct exchange *x)
{
	CLEANUP(rowset_release) struct rowset rows = { 0 };
	struct list_query query;
	struct problem problem;
	struct err err;

	if (!query_list(x->query, x->route->params, &x->memory, &query, &problem)) {
		exchange_problem(x, &problem);
		return;
	}
	query.kind = x->route->list;
	if (operator_list(x->engine, &query, &rows, &err) != ERR_NONE) {
		/* Everything else was checked above. */
		if (err.kind == ERR_INPUT && !err.field[0])
			(void)snprintf(err.field, sizeof(err.field), "cursor");
		exchange_fail(x, &err);
		return;
	}
	if (query_prefers_csv(exchange_header(x, "Accept")))
		list_csv(x, &rows);
	else
		list_json(x, &rows);
	exchange_add_header(x, "Vary", "Accept");
	if (!x->answer.body.full)
		return;
	(void)problem_set(&problem, PROBLEM_BAD_REQUEST, "limit",
			  "so many rows make too large an answer: ask with a smaller limit");
	exchange_problem(x, &problem);
}

static void person_print(struct exchange *x, const struct operator_person *p)
{
	struct buf *out = exchange_json(x, 200);

	print_open(out, NULL, '{');
	print_number(out, "personId", x->id);
	if (p->link.rows)
		print_row(out, "link", &p->link, 0);
	else
		print_null(out, "link");
	print_rows(out, "fields", &p->fields);
	print_rows(out, "collisions", &p->collisions);
	print_rows(out, "errors", &p->errors);
	print_rows(out, "requests", &p->requests);
	print_close(out, '}');
}

void handle_person(struct exchange *x)
{
	CLEANUP(operator_person_release) struct operator_person person = { 0 };
	struct problem problem;
	struct err err;

	if (operator_person(x->engine, x->id, &person, &err) != ERR_NONE) {
		exchange_fail(x, &err);
		return;
	}
	if (person.is_known) {
		person_print(x, &person);
		return;
	}
	(void)problem_set(&problem, PROBLEM_UNKNOWN_PERSON, "personId",
			  "there is no link, request or error for person %" PRId64, x->id);
	exchange_problem(x, &problem);
}
