/* Lines for Activity Logs: as the store keeps them (service/store/outbox.c), and as Marketo takes
 * and shows them. No line may ever stand in a log twice. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/twin.h"
#include "tests/sim/twin_store.h"

enum { LINE_LATE_MS = 100 * 1000 }; /* a line is found so long after it was added */

/* ---- the store ---- */

static int outbox_order(const void *left, const void *right)
{
	const struct stored_outbox *const *a = left, *const *b = right;

	if ((*a)->tried_at_ms != (*b)->tried_at_ms)
		return (*a)->tried_at_ms < (*b)->tried_at_ms ? -1 : 1;
	return ((*a)->row.id > (*b)->row.id) - ((*a)->row.id < (*b)->row.id);
}

enum err_kind twin_outbox(void *self, int64_t settle_ms, size_t limit, struct arena *a,
			  struct outbox_row **ret, size_t *ret_count, struct err *err)
{
	struct port *p = self;
	enum err_kind kind = sim_call(p, CALL_STORE, err);
	const struct twin_store *t = p->sim->store;
	struct stored_outbox **due = arena_array(a, t->outbox_count + 1, sizeof(*due));
	size_t n = 0;

	for (size_t i = 0; kind == ERR_NONE && i < t->outbox_count; i++) {
		struct stored_outbox *row = &t->outbox[i];

		if (!row->is_sent &&
		    (!row->tried_at_ms || row->tried_at_ms <= p->sim->now_ms - settle_ms))
			due[n++] = row;
	}
	if (n)
		qsort(due, n, sizeof(*due), outbox_order);
	*ret_count = n < limit ? n : limit;
	*ret = arena_array(a, *ret_count + 1, sizeof(**ret));
	for (size_t i = 0; i < *ret_count; i++)
		(*ret)[i] = due[i]->row;
	return kind;
}

static bool outbox_is_known(struct twin_store *t, const struct error_row *e)
{
	const struct stored_error *row = stored_open_error(t, e);

	return row && row->code == word(e->code);
}

/* A line that tells of errors is news when one of them is. */
static bool outbox_is_news(struct twin_store *t, const struct unit *u, size_t line)
{
	bool has_errors = false;

	for (size_t i = 0; i < u->error_count; i++) {
		if (u->errors[i].line != line + 1)
			continue;
		if (!outbox_is_known(t, &u->errors[i]))
			return true;
		has_errors = true;
	}
	return !has_errors;
}

static void outbox_step(struct sim *s, struct stored_outbox *row, enum outbox_stage stage)
{
	if (row->is_sent)
		return;
	row->is_sent = stage == OUTBOX_SENT;
	if (stage == OUTBOX_SENT)
		return;
	row->tried_at_ms = stage == OUTBOX_TRIED ? s->now_ms : 0;
	row->row.tries = stage == OUTBOX_TRIED ? row->row.tries + 1 : 0;
}

void twin_outbox_commit(struct sim *s, const struct unit *u)
{
	struct twin_store *t = s->store;

	for (size_t i = 0; i < u->outbox_count; i++) {
		struct outbox_row row = u->outbox[i];
		struct str *texts[] = { &row.outcome, &row.direction, &row.entity, &row.record_id,
					&row.field,   &row.code,      &row.message };

		if (!outbox_is_news(t, u, i))
			continue;
		row.id = ++t->numbers;
		for (size_t k = 0; k < ARRAY_LEN(texts); k++)
			*texts[k] = arena_str(&s->memory, *texts[k]);
		t->outbox = arena_more(&s->memory, t->outbox, t->outbox_count, &t->outbox_cap,
				       sizeof(*t->outbox));
		t->outbox[t->outbox_count++] = (struct stored_outbox){ .row = row };
	}
	for (size_t i = 0; i < u->outbox_step_count; i++) {
		for (size_t k = 0; k < t->outbox_count; k++) {
			if (t->outbox[k].row.id == u->outbox_steps[i].id)
				outbox_step(s, &t->outbox[k], u->outbox_steps[i].stage);
		}
	}
}

/* ---- Marketo ---- */

static const struct log_line *line_find(const struct sim *s, const char *reference, bool is_shown)
{
	for (size_t i = 0; i < s->line_count; i++) {
		const struct log_line *line = &s->lines[i];

		if (line->store == s->store && !strcmp(line->reference, reference) &&
		    (!is_shown || line->at_ms + LINE_LATE_MS <= s->now_ms))
			return line;
	}
	return NULL;
}

static void line_add(struct port *p, const struct activity *a, struct write_result *ret)
{
	struct sim *s = p->sim;
	struct log_line *line;

	if (!world_person(s, a->person_id)) {
		(void)twin_refuse(ret, ERR_GONE, "", "there is no such person");
		return;
	}
	if (line_find(s, a->reference, false))
		sim_broken(s, "INV-ONE-LINE", "the line %s stands twice in the log of person %lld",
			   a->reference, (long long)a->person_id);
	s->lines = arena_more(&s->memory, s->lines, s->line_count, &s->line_cap, sizeof(*s->lines));
	line = &s->lines[s->line_count++];
	*line = (struct log_line){ .person_id = a->person_id,
				   .at_ms = s->now_ms,
				   .store = s->store };
	(void)snprintf(line->reference, sizeof(line->reference), "%s", a->reference);
	sim_tell(s, "the log of person %lld gets a line: %s", (long long)a->person_id, a->outcome);
}

enum err_kind twin_add_activities(void *self, const struct call *call,
				  const struct activity *activities, size_t count,
				  struct write_result *results, struct err *err)
{
	struct port *p = self;
	struct sim *s = p->sim;
	enum err_kind kind = sim_call(p, CALL_WRITE, err), lost = ERR_NONE;
	bool is_stopped = false;

	(void)call;
	for (size_t i = 0; i < count; i++)
		results[i] = (struct write_result){ .kind = ERR_RETRY_LATER };
	if (kind != ERR_NONE)
		return kind;
	for (size_t i = 0; i < count && !is_stopped; i++) {
		enum err_kind told;

		if (s->crash_in == 0 && !p->service)
			return sim_crash(p, err);
		s->crash_in -= s->crash_in > 0 && !p->service;
		results[i] = (struct write_result){ .kind = ERR_NONE };
		line_add(p, &activities[i], &results[i]);
		told = twin_lose(p, i, count, results, &is_stopped, err);
		lost = told != ERR_NONE ? told : lost;
	}
	if (s->crash_in >= 0 && !p->service)
		return sim_crash(p, err);
	return lost;
}

enum err_kind twin_find_activities(void *self, const struct call *call, int64_t since_s,
				   const struct activity *activities, size_t count, bool *ret_found,
				   struct err *err)
{
	struct port *p = self;
	enum err_kind kind = sim_call(p, CALL_READ, err);

	(void)call;
	for (size_t i = 0; kind == ERR_NONE && i < count; i++) {
		const struct log_line *line = line_find(p->sim, activities[i].reference, true);

		ret_found[i] = line && line->at_ms / 1000 >= since_s;
	}
	return kind;
}
