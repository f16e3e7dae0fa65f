/* Lines for Activity Logs on their way to Marketo: which are news, how far each is. Knows nothing
 * of what they say. */
#include <stdlib.h>

#include "base/mem.h"
#include "store/parts.h"

/* Which errors of the unit are open already, with the same code. */
static enum err_kind outbox_known(struct session *s, const struct unit *u, bool *ret_known,
				  struct err *err)
{
	size_t n = u->error_count;
	struct params p = { 0 };
	struct answer answer = { 0 };
	enum err_kind kind;

	struct buf *table = params_array(&p, ELEMENT_INT32, n),
		   *record = params_array(&p, ELEMENT_GUID, n);
	struct buf *person = params_array(&p, ELEMENT_INT64, n),
		   *target = params_array(&p, ELEMENT_INT32, n);
	struct buf *slot = params_array(&p, ELEMENT_INT32, n),
		   *code = params_array(&p, ELEMENT_TEXT, n);

	for (size_t i = 0; i < n; i++) {
		const struct error_row *e = &u->errors[i];

		array_int32(table, e->table);
		array_guid(record, &e->record_id);
		array_int64(person, e->person_id);
		array_int32(target, e->target);
		array_int32(slot, e->slot);
		array_text(code, str_of(e->code));
	}
	kind = session_run(s, STATEMENT_ERRORS_KNOWN, &p, &answer, err);
	params_release(&p);
	for (size_t i = 0; kind == ERR_NONE && i < answer_rows(&answer); i++)
		ret_known[answer_int(&answer, i, 0) - 1] = true;
	answer_release(&answer);
	return kind;
}

/* A line that tells of errors is news when one of them is. */
static enum err_kind outbox_news(struct session *s, const struct unit *u, bool *ret_news,
				 struct err *err)
{
	bool *known CLEANUP(mem_freep) = mem_array(u->error_count + 1, sizeof(*known));
	bool has_lines = false;
	enum err_kind kind;

	for (size_t i = 0; i < u->outbox_count; i++)
		ret_news[i] = true;
	for (size_t i = 0; i < u->error_count; i++)
		has_lines |= u->errors[i].line > 0;
	if (!has_lines)
		return ERR_NONE;
	kind = outbox_known(s, u, known, err);
	for (size_t i = 0; kind == ERR_NONE && i < u->error_count; i++) {
		if (u->errors[i].line)
			ret_news[u->errors[i].line - 1] = false;
	}
	for (size_t i = 0; kind == ERR_NONE && i < u->error_count; i++) {
		if (u->errors[i].line && !known[i])
			ret_news[u->errors[i].line - 1] = true;
	}
	return kind;
}

static enum err_kind outbox_add(struct session *s, const struct unit *u, const bool *news, size_t n,
				struct err *err)
{
	struct params p = { 0 };
	enum err_kind kind;
	struct buf *person = params_array(&p, ELEMENT_INT64, n),
		   *at = params_array(&p, ELEMENT_TIME, n);
	struct buf *outcome = params_array(&p, ELEMENT_TEXT, n),
		   *direction = params_array(&p, ELEMENT_TEXT, n);
	struct buf *entity = params_array(&p, ELEMENT_TEXT, n),
		   *record = params_array(&p, ELEMENT_TEXT, n);
	struct buf *field = params_array(&p, ELEMENT_TEXT, n),
		   *code = params_array(&p, ELEMENT_TEXT, n);
	struct buf *message = params_array(&p, ELEMENT_TEXT, n);

	for (size_t i = 0; i < u->outbox_count; i++) {
		const struct outbox_row *o = &u->outbox[i];

		if (!news[i])
			continue;
		array_int64(person, o->person_id);
		array_time(at, o->at_s * 1000);
		array_text(outcome, o->outcome);
		array_text(direction, o->direction);
		array_text(entity, o->entity);
		array_text(record, o->record_id);
		array_text(field, o->field);
		array_text(code, o->code);
		array_text(message, o->message);
	}
	kind = session_run(s, STATEMENT_OUTBOX_ADD, &p, NULL, err);
	params_release(&p);
	return kind;
}

static enum err_kind outbox_steps(struct session *s, const struct unit *u, struct err *err)
{
	struct params p = { 0 };
	struct buf *id, *stage;
	enum err_kind kind;

	if (!u->outbox_step_count)
		return ERR_NONE;
	id = params_array(&p, ELEMENT_INT64, u->outbox_step_count);
	stage = params_array(&p, ELEMENT_INT32, u->outbox_step_count);
	for (size_t i = 0; i < u->outbox_step_count; i++) {
		array_int64(id, u->outbox_steps[i].id);
		array_int32(stage, u->outbox_steps[i].stage);
	}
	kind = session_run(s, STATEMENT_OUTBOX_STEPS, &p, NULL, err);
	params_release(&p);
	return kind;
}

enum err_kind outbox_write(struct session *s, const struct unit *u, struct err *err)
{
	bool *news CLEANUP(mem_freep) = mem_array(u->outbox_count + 1, sizeof(*news));
	enum err_kind kind = ERR_NONE;
	size_t n = 0;

	if (u->outbox_count)
		kind = outbox_news(s, u, news, err);
	for (size_t i = 0; i < u->outbox_count; i++)
		n += news[i];
	if (kind == ERR_NONE && n)
		kind = outbox_add(s, u, news, n, err);
	return kind == ERR_NONE ? outbox_steps(s, u, err) : kind;
}

enum err_kind postgres_outbox(void *self, int64_t settle_ms, size_t limit, struct arena *a,
			      struct outbox_row **ret, size_t *ret_count, struct err *err)
{
	struct postgres *p = self;
	struct params params = { 0 };
	struct answer answer = { 0 };
	enum err_kind kind;

	params_int64(&params, settle_ms);
	params_int64(&params, (int64_t)limit);
	kind = db_ask(p->db, STATEMENT_OUTBOX, &params, &answer, err);
	if (kind)
		return kind;
	*ret_count = answer_rows(&answer);
	*ret = arena_array(a, *ret_count, sizeof(struct outbox_row));
	for (size_t i = 0; i < *ret_count; i++) {
		struct outbox_row *o = &(*ret)[i];
		struct str *const texts[] = { &o->outcome, &o->direction, &o->entity, &o->record_id,
					      &o->field,   &o->code,      &o->message };

		o->id = answer_int(&answer, i, 0);
		o->person_id = answer_int(&answer, i, 1);
		o->at_s = answer_ms(&answer, i, 2) / 1000;
		o->tries = (unsigned)answer_int(&answer, i, 3);
		for (size_t t = 0; t < ARRAY_LEN(texts); t++)
			*texts[t] = arena_str(a, answer_bytes(&answer, i, 4 + (int)t));
	}
	answer_release(&answer);
	return ERR_NONE;
}
