/* Commit: everything a step found out and did, and the cursor that covers it, in one transaction
 * (INV-CURSOR-BEHIND). The steps run in one fixed order and their rows are sorted, so that two
 * commits rarely wait for each other; when they do, the server undoes one and it runs again. */
#include <stdlib.h>

#include "base/mem.h"
#include "store/parts.h"

struct unit_job {
	const struct unit *unit;
	int64_t fence;
	/* In writing order, each record once. Tombstones go first: the person of one may have a new
	 * link further down. */
	const struct link **tombstones, **links;
	size_t tombstone_count, link_count;
};

static enum err_kind run(struct session *s, enum statement id, struct params *p, struct err *err)
{
	enum err_kind kind = session_run(s, id, p, NULL, err);

	params_release(p);
	return kind;
}

static enum err_kind unit_fence(struct session *s, const struct unit_job *job, struct err *err)
{
	struct params p = { 0 };
	struct answer answer = { 0 };
	enum err_kind kind;
	bool is_mine;

	if (!job->unit->is_fenced)
		return ERR_NONE;
	params_int64(&p, job->fence);
	kind = session_run(s, STATEMENT_FENCE, &p, &answer, err);
	params_release(&p);
	if (kind)
		return kind;
	is_mine = answer_rows(&answer) == 1;
	answer_release(&answer);
	return is_mine ? ERR_NONE
		       : err_set(err, ERR_NOT_LEADER,
				 "another service runs the cycle now; nothing was committed");
}

static enum err_kind unit_forget(struct session *s, const struct unit_job *job, struct err *err)
{
	const struct unit *u = job->unit;
	struct params p = { 0 };
	struct buf *table, *record, *state;

	if (!u->forget_count)
		return ERR_NONE;
	table = params_array(&p, ELEMENT_INT32, u->forget_count);
	record = params_array(&p, ELEMENT_GUID, u->forget_count);
	state = params_array(&p, ELEMENT_INT32, u->forget_count);
	for (size_t i = 0; i < u->forget_count; i++) {
		array_int32(table, u->forget[i]->table);
		array_guid(record, &u->forget[i]->record_id);
		array_int32(state, u->forget[i]->state);
	}
	return run(s, STATEMENT_LINKS_FORGET, &p, err);
}

static enum err_kind put_links(struct session *s, const struct link *const *links, size_t count,
			       struct err *err)
{
	struct params p = { 0 };

	if (!count)
		return ERR_NONE;
	link_params(&p, links, count);
	return run(s, STATEMENT_LINKS_PUT, &p, err);
}

static enum err_kind unit_links(struct session *s, const struct unit_job *job, struct err *err)
{
	enum err_kind kind = put_links(s, job->tombstones, job->tombstone_count, err);

	return kind ? kind : put_links(s, job->links, job->link_count, err);
}

static enum err_kind unit_stamped(struct session *s, const struct unit_job *job, struct err *err)
{
	const struct unit *u = job->unit;
	struct params p = { 0 };
	struct buf *table, *record, *person, *state;

	if (!u->stamped_count)
		return ERR_NONE;
	table = params_array(&p, ELEMENT_INT32, u->stamped_count);
	record = params_array(&p, ELEMENT_GUID, u->stamped_count);
	person = params_array(&p, ELEMENT_INT64, u->stamped_count);
	state = params_array(&p, ELEMENT_INT32, u->stamped_count);
	for (size_t i = 0; i < u->stamped_count; i++) {
		array_int32(table, u->stamped[i]->table);
		array_guid(record, &u->stamped[i]->record_id);
		array_int64(person, u->stamped[i]->person_id);
		array_int32(state, u->stamped[i]->state);
	}
	return run(s, STATEMENT_LINKS_STAMPED, &p, err);
}

/* Before the errors: a field that is refused again in the same step ends up open. */
static enum err_kind unit_resolved(struct session *s, const struct unit_job *job, struct err *err)
{
	const struct unit *u = job->unit;
	struct params p = { 0 };
	struct buf *table, *record, *target, *slot;

	if (!u->resolved_count)
		return ERR_NONE;
	table = params_array(&p, ELEMENT_INT32, u->resolved_count);
	record = params_array(&p, ELEMENT_GUID, u->resolved_count);
	target = params_array(&p, ELEMENT_INT32, u->resolved_count);
	slot = params_array(&p, ELEMENT_INT32, u->resolved_count);
	for (size_t i = 0; i < u->resolved_count; i++) {
		array_int32(table, u->resolved[i].table);
		array_guid(record, &u->resolved[i].record_id);
		array_int32(target, u->resolved[i].target);
		array_int32(slot, u->resolved[i].slot);
	}
	return run(s, STATEMENT_ERRORS_RESOLVE, &p, err);
}

static enum err_kind unit_errors(struct session *s, const struct unit_job *job, struct err *err)
{
	const struct unit *u = job->unit;
	size_t n = u->error_count;
	struct params p = { 0 };

	if (!n)
		return ERR_NONE;
	struct buf *table = params_array(&p, ELEMENT_INT32, n),
		   *record = params_array(&p, ELEMENT_GUID, n);
	struct buf *person = params_array(&p, ELEMENT_INT64, n),
		   *target = params_array(&p, ELEMENT_INT32, n);
	struct buf *operation = params_array(&p, ELEMENT_TEXT, n),
		   *field = params_array(&p, ELEMENT_TEXT, n);
	struct buf *slot = params_array(&p, ELEMENT_INT32, n),
		   *fingerprint = params_array(&p, ELEMENT_INT64, n);
	struct buf *kind = params_array(&p, ELEMENT_TEXT, n),
		   *code = params_array(&p, ELEMENT_TEXT, n);
	struct buf *message = params_array(&p, ELEMENT_TEXT, n),
		   *advice = params_array(&p, ELEMENT_TEXT, n);

	for (size_t i = 0; i < n; i++) {
		const struct error_row *e = &u->errors[i];

		array_int32(table, e->table);
		array_guid(record, &e->record_id);
		array_int64(person, e->person_id);
		array_int32(target, e->target);
		array_text(operation, str_of(e->operation));
		array_text(field, str_of(e->field));
		array_int32(slot, e->slot);
		array_int64(fingerprint, (int64_t)e->fingerprint);
		array_text(kind, str_of(e->kind));
		array_text(code, str_of(e->code));
		array_text(message, e->message);
		array_text(advice, str_of(e->advice));
	}
	return run(s, STATEMENT_ERRORS_PUT, &p, err);
}

static enum err_kind unit_collisions(struct session *s, const struct unit_job *job, struct err *err)
{
	const struct unit *u = job->unit;
	size_t n = u->collision_count;
	struct params p = { 0 };

	if (!n)
		return ERR_NONE;
	struct buf *table = params_array(&p, ELEMENT_INT32, n),
		   *record = params_array(&p, ELEMENT_GUID, n);
	struct buf *person = params_array(&p, ELEMENT_INT64, n),
		   *field = params_array(&p, ELEMENT_TEXT, n);
	struct buf *rule = params_array(&p, ELEMENT_TEXT, n),
		   *winner = params_array(&p, ELEMENT_INT32, n);
	struct buf *marketo = params_array(&p, ELEMENT_TEXT, n),
		   *dynamics = params_array(&p, ELEMENT_TEXT, n);

	for (size_t i = 0; i < n; i++) {
		const struct collision_row *c = &u->collisions[i];

		array_int32(table, c->table);
		array_guid(record, &c->record_id);
		array_int64(person, c->person_id);
		array_text(field, str_of(c->field));
		array_text(rule, str_of(c->rule));
		array_int32(winner, c->winner);
		array_text(marketo, c->value[SIDE_MARKETO]);
		array_text(dynamics, c->value[SIDE_DYNAMICS]);
	}
	return run(s, STATEMENT_COLLISIONS_ADD, &p, err);
}

static enum err_kind overwrites_write(struct session *s, enum statement id,
				      const struct overwrite_row *rows, size_t n, struct err *err)
{
	struct params p = { 0 };
	struct buf *person, *slot, *seen, *written;

	if (!n)
		return ERR_NONE;
	person = params_array(&p, ELEMENT_INT64, n);
	slot = params_array(&p, ELEMENT_INT32, n);
	seen = id == STATEMENT_OVERWRITES_ADD ? params_array(&p, ELEMENT_INT64, n) : NULL;
	written = params_array(&p, ELEMENT_INT64, n);
	for (size_t i = 0; i < n; i++) {
		array_int64(person, rows[i].person_id);
		array_int32(slot, rows[i].slot);
		if (seen)
			array_int64(seen, (int64_t)rows[i].seen);
		array_int64(written, (int64_t)rows[i].written);
	}
	return run(s, id, &p, err);
}

static enum err_kind unit_overwrites(struct session *s, const struct unit_job *job, struct err *err)
{
	const struct unit *u = job->unit;
	enum err_kind kind =
		overwrites_write(s, STATEMENT_OVERWRITES_DONE, u->checked, u->checked_count, err);

	return kind ? kind
		    : overwrites_write(s, STATEMENT_OVERWRITES_ADD, u->overwrites,
				       u->overwrite_count, err);
}

static enum err_kind scan_step(struct session *s, enum statement id, enum table table,
			       struct err *err)
{
	struct params p = { 0 };

	params_int64(&p, table);
	return run(s, id, &p, err);
}

static enum err_kind scan_count(struct session *s, enum statement id, enum table table,
				uint64_t rows, struct err *err)
{
	struct params p = { 0 };

	params_int64(&p, table);
	params_int64(&p, (int64_t)rows);
	return run(s, id, &p, err);
}

static enum err_kind scan_shown(struct session *s, const struct scan_part *scan, struct err *err)
{
	struct params p = { 0 };
	struct buf *ids;

	if (!scan->shown_count)
		return ERR_NONE;
	params_int64(&p, scan->table);
	ids = params_array(&p, ELEMENT_GUID, scan->shown_count);
	for (size_t i = 0; i < scan->shown_count; i++)
		array_guid(ids, &scan->shown[i]);
	return run(s, STATEMENT_SCAN_SHOWN, &p, err);
}

static enum err_kind unit_scan(struct session *s, const struct unit_job *job, struct err *err)
{
	const struct scan_part *scan = job->unit->scan;
	enum err_kind kind = ERR_NONE;

	if (!scan)
		return ERR_NONE;
	if (scan->is_begin)
		kind = scan_step(s, STATEMENT_SCAN_CLEAR, scan->table, err);
	if (!kind && scan->is_begin)
		kind = scan_count(s, STATEMENT_SCAN_BEGIN, scan->table, scan->total, err);
	if (!kind)
		kind = scan_shown(s, scan, err);
	if (!kind && scan->rows)
		kind = scan_count(s, STATEMENT_SCAN_ROWS, scan->table, scan->rows, err);
	if (!kind && scan->is_end)
		kind = scan_step(s, STATEMENT_SCAN_MARK, scan->table, err);
	if (!kind && scan->is_end)
		kind = scan_step(s, STATEMENT_SCAN_PROVEN, scan->table, err);
	if (!kind && scan->is_end)
		kind = scan_step(s, STATEMENT_SCAN_CLEAR, scan->table, err);
	return kind;
}

static enum err_kind unit_marks(struct session *s, const struct unit_job *job, struct err *err)
{
	return marks_write(s, job->unit, err);
}

static enum err_kind unit_proof(struct session *s, const struct unit_job *job, struct err *err)
{
	return proof_write(s, job->unit, err);
}

static enum err_kind unit_requests(struct session *s, const struct unit_job *job, struct err *err)
{
	const struct unit *u = job->unit;
	size_t n = u->request_count;
	struct params p = { 0 };

	if (!n)
		return ERR_NONE;
	struct buf *id = params_array(&p, ELEMENT_GUID, n),
		   *outcome = params_array(&p, ELEMENT_INT32, n);
	struct buf *entity = params_array(&p, ELEMENT_INT32, n),
		   *record = params_array(&p, ELEMENT_GUID, n);
	struct buf *reason = params_array(&p, ELEMENT_TEXT, n),
		   *attempts = params_array(&p, ELEMENT_INT32, n);
	struct buf *finished = params_array(&p, ELEMENT_TIME, n);

	for (size_t i = 0; i < n; i++) {
		const struct request *r = &u->requests[i];

		array_guid(id, &r->id);
		array_int32(outcome, r->outcome);
		array_int32(entity, r->entity);
		array_guid(record, &r->record_id);
		array_text(reason, r->reason);
		array_int32(attempts, r->attempts);
		array_time(finished, r->finished_ms);
	}
	return run(s, STATEMENT_REQUESTS_PUT, &p, err);
}

static enum err_kind unit_outbox(struct session *s, const struct unit_job *job, struct err *err)
{
	return outbox_write(s, job->unit, err);
}

static enum err_kind unit_cursors(struct session *s, const struct unit_job *job, struct err *err)
{
	const struct unit *u = job->unit;
	struct params p = { 0 };
	struct buf *name, *place;

	if (!u->cursor_count)
		return ERR_NONE;
	name = params_array(&p, ELEMENT_TEXT, u->cursor_count);
	place = params_array(&p, ELEMENT_TEXT, u->cursor_count);
	for (size_t i = 0; i < u->cursor_count; i++) {
		array_text(name, str_of(u->cursors[i].name));
		array_text(place, u->cursors[i].text);
	}
	return run(s, STATEMENT_CURSORS_PUT, &p, err);
}

static enum err_kind unit_report(struct session *s, const struct unit_job *job, struct err *err)
{
	struct params p = { 0 };

	if (!job->unit->report)
		return ERR_NONE;
	cycle_params(&p, job->unit->report);
	return run(s, STATEMENT_CYCLE_PUT, &p, err);
}

static enum err_kind unit_write(struct session *s, void *context, struct err *err)
{
	static enum err_kind (*const steps[])(struct session *, const struct unit_job *,
					      struct err *) = {
		unit_fence,  unit_forget, unit_links,      unit_stamped,    unit_resolved,
		unit_outbox, unit_errors, unit_collisions, unit_overwrites, unit_scan,
		unit_proof,  unit_marks,  unit_requests,   unit_cursors,    unit_report,
	};
	enum err_kind kind = ERR_NONE;

	for (size_t i = 0; i < ARRAY_LEN(steps) && !kind; i++)
		kind = steps[i](s, context, err);
	return kind;
}

static bool is_tombstone(const struct link *l)
{
	return l->state == LINK_DELETED_IN_DYNAMICS || l->state == LINK_DELETED_IN_MARKETO;
}

struct placed {
	const struct link *link;
	size_t place;
};

static int placed_order(const void *left, const void *right)
{
	const struct placed *a = left, *b = right;
	int order = link_row_order(a->link, b->link);

	return order ? order : (a->place > b->place) - (a->place < b->place);
}

/* Of several links for one record the last one counts. */
static void unit_sort(struct unit_job *job)
{
	size_t count = job->unit->link_count;
	struct placed *all CLEANUP(mem_freep) = mem_array(count, sizeof(*all));

	for (size_t i = 0; i < count; i++)
		all[i] = (struct placed){ .link = job->unit->links[i], .place = i };
	qsort(all, count, sizeof(*all), placed_order);
	job->tombstones = mem_array(count, sizeof(struct link *));
	job->links = mem_array(count, sizeof(struct link *));
	for (size_t i = 0; i < count; i++) {
		if (i + 1 < count && !link_row_order(all[i].link, all[i + 1].link))
			continue;
		if (is_tombstone(all[i].link))
			job->tombstones[job->tombstone_count++] = all[i].link;
		else
			job->links[job->link_count++] = all[i].link;
	}
	qsort(job->tombstones, job->tombstone_count, sizeof(struct link *), link_write_order);
	qsort(job->links, job->link_count, sizeof(struct link *), link_write_order);
}

enum err_kind postgres_commit(void *self, const struct unit *unit, struct err *err)
{
	struct postgres *p = self;
	struct unit_job job = { .unit = unit, .fence = atomic_load(&p->fence) };
	enum err_kind kind;

	if (unit->is_fenced && !job.fence)
		return err_set(err, ERR_NOT_LEADER,
			       "this service does not run the cycle; nothing was committed");
	if (unit->link_count)
		unit_sort(&job);
	kind = db_transaction(p->db, unit_write, &job, err);
	free(job.tombstones);
	free(job.links);
	for (size_t i = 0; i < unit->link_count && !kind; i++)
		unit->links[i]->is_stored = true;
	return kind;
}
