/* What operators see and do. */
#include "sync/operator.h"

#include "base/clock.h"
#include "base/metric.h"
#include "sync/engine_p.h"
#include "sync/explain.h"
#include "sync/fields.h"
#include "sync/state.h"
#include "sync/usage.h"

static const char *const sync_state_names[SYNC_STATE_COUNT] = { "idle", "running", "paused",
								"halted" };

const char *sync_state_name(enum sync_state s)
{
	return sync_state_names[s];
}

/* With the lock held. */
static void operator_backfill(const struct engine *e, const struct store_status *stored,
			      enum table t, struct backfill_status *ret)
{
	const struct scan_status *scan = &stored->scans[t];
	int64_t taken_ms = clock_mono_ms() - e->backfill[t].since_ms;

	*ret = (struct backfill_status){ .is_open = scan->is_open,
					 .began_s = scan->began_s,
					 .done = scan->done,
					 .total = scan->total,
					 .left_s = -1 };
	if (!scan->is_open || !e->backfill[t].is_open || taken_ms <= 0)
		return;
	ret->per_second = (double)e->backfill[t].rows * 1000 / (double)taken_ms;
	/* The total is a snapshot of some age: more rows than that can turn up. */
	if (ret->per_second > 0 && scan->total > scan->done)
		ret->left_s = (int64_t)((double)(scan->total - scan->done) / ret->per_second) + 1;
}

/* What a side waits for explains a cycle that fails or takes long. */
static void operator_budgets(struct engine *e, struct operator_status *ret)
{
	for (int side = 0; side < SIDE_COUNT; side++) {
		usage_look(e, (enum side)side, &ret->budget[side]);
		if (!ret->reason[0])
			(void)snprintf(ret->reason, sizeof(ret->reason), "%s",
				       ret->budget[side].reason);
	}
}

enum err_kind operator_status(struct engine *e, struct operator_status *ret, struct err *err)
{
	struct store_status stored;
	enum err_kind kind = e->store.ops->status(e->store.self, &stored, err);

	if (kind != ERR_NONE)
		return kind;
	*ret = (struct operator_status){ .cycle = stored.last,
					 .open_errors = stored.open_errors,
					 .verify_ms = e->settings.verify_ms,
					 .oldest_proof_s = stored.oldest_proof_s };
	for (int t = 0; t < TABLE_COUNT; t++) {
		ret->objects[t] = stored.objects[t];
		ret->links[t] = stored.links[t];
	}
	(void)pthread_mutex_lock(&e->lock);
	for (int t = 0; t < TABLE_COUNT; t++)
		operator_backfill(e, &stored, (enum table)t, &ret->backfill[t]);
	ret->is_leader = e->is_leader;
	if (e->is_leader && e->report.number >= ret->cycle.number)
		ret->cycle = e->report;
	ret->next_ms = e->next_ms;
	if (e->is_running) {
		ret->state = SYNC_RUNNING;
		ret->next_ms = 0;
	}
	if (e->halt_reason[0]) {
		ret->state = SYNC_HALTED;
		(void)snprintf(ret->reason, sizeof(ret->reason), "%s", e->halt_reason);
	}
	(void)pthread_mutex_unlock(&e->lock);
	if (stored.is_paused) {
		ret->state = SYNC_PAUSED;
		ret->next_ms = 0;
		(void)snprintf(ret->reason, sizeof(ret->reason), "paused by %s", stored.paused_by);
	}
	operator_budgets(e, ret);
	return ERR_NONE;
}

void operator_measure(struct engine *e)
{
	static const struct {
		enum metric used, limit, spent, closed;
	} metrics[SIDE_COUNT] = {
		[SIDE_MARKETO] = { METRIC_QUOTA_USED_MARKETO, METRIC_QUOTA_LIMIT_MARKETO,
				   METRIC_QUOTA_END_MARKETO, METRIC_CLOSED_MARKETO },
		[SIDE_DYNAMICS] = { METRIC_QUOTA_USED_DYNAMICS, METRIC_QUOTA_LIMIT_DYNAMICS,
				    METRIC_QUOTA_END_DYNAMICS, METRIC_CLOSED_DYNAMICS },
	};
	int64_t now_ms = clock_wall_ms();

	for (int side = 0; side < SIDE_COUNT; side++) {
		struct remote_budget budget;
		int64_t left_ms;

		usage_look(e, (enum side)side, &budget);
		left_ms = budget.now.held_until_ms - now_ms;
		metric_set(metrics[side].used, (int64_t)budget.now.day_used);
		metric_set(metrics[side].limit, (int64_t)budget.now.day_limit);
		metric_set(metrics[side].spent, budget.now.spent_s);
		metric_set(metrics[side].closed, left_ms > 0 ? (left_ms + 999) / 1000 : 0);
	}
}

static enum err_kind operator_set_paused(struct engine *e, bool is_paused, const char *by,
					 struct err *err)
{
	enum err_kind kind;

	(void)pthread_mutex_lock(&e->pause_lock);
	kind = e->store.ops->set_paused(e->store.self, is_paused, by, err);
	if (kind == ERR_NONE)
		state_set_paused(e, is_paused);
	(void)pthread_mutex_unlock(&e->pause_lock);
	return kind;
}

enum err_kind operator_pause(struct engine *e, const char *by, struct err *err)
{
	return operator_set_paused(e, true, by, err);
}

/* Wakes the worker only when there was something to end: this is not a way to force a cycle.
 * Whoever resumes a sync whose quota was used up has not been shown any deletes to accept. */
enum err_kind operator_resume(struct engine *e, const char *by, struct err *err)
{
	bool was_held, is_over = usage_is_over(e);
	enum err_kind kind;

	(void)pthread_mutex_lock(&e->lock);
	was_held = e->is_paused || e->halt_reason[0] || is_over;
	e->is_accepting = e->halt_reason[0] && !is_over;
	(void)pthread_mutex_unlock(&e->lock);
	usage_reopen(e);
	kind = operator_set_paused(e, false, by, err);
	if (kind == ERR_NONE && was_held && e->worker)
		worker_wake(e->worker);
	return kind;
}

enum err_kind operator_retry(struct engine *e, int64_t error_id, bool *ret_found, struct err *err)
{
	return e->store.ops->retry_error(e->store.self, error_id, ret_found, err);
}

static const char *operator_direction(enum direction d)
{
	static const char *const names[] = { [DIRECTION_BOTH] = "both",
					     [DIRECTION_TO_MARKETO] = "to Marketo",
					     [DIRECTION_TO_DYNAMICS] = "to Dynamics" };

	return names[d];
}

static const char *operator_winner(enum winner w)
{
	static const char *const names[] = { [WINNER_BY_LINK] = "lead: Marketo, contact: Dynamics",
					     [WINNER_MARKETO] = "Marketo",
					     [WINNER_DYNAMICS] = "Dynamics" };

	return names[w];
}

/* Why it is paused, or what a field that travels loses on the way. */
static const char *operator_field_reason(struct rowset *r, const struct mapping *m,
					 const char *name)
{
	int at = mapping_find(m, str_of(name));

	for (size_t i = 0; i < m->paused_count; i++) {
		if (strcmp(m->paused[i].name, name) == 0)
			return m->paused[i].reason;
	}
	if (at < 0 || m->fields[at].scale < 0)
		return NULL;
	return arena_fmt(&r->memory, "numbers are rounded to %d digits behind the point",
			 m->fields[at].scale);
}

/* Active where every record table that has the column takes part, partial where only one of two
 * does. */
static const char *operator_mapping_state(const struct field *f, const struct mapping *m)
{
	int at = m ? mapping_find(m, str_of(f->name)) : -1;
	unsigned wanted = 0, active = 0;

	if (!m)
		return "unknown";
	for (int t = TABLE_LEAD; t < TABLE_COUNT; t++) {
		wanted += f->column[t] != NULL;
		active += at >= 0 && mapping_active(m, (size_t)at, (enum table)t);
	}
	return !active ? "paused" : active < wanted ? "partial" : "active";
}

static void operator_field_row(struct rowset *r, const struct field *f, const struct mapping *m)
{
	rowset_set(r, 0, f->name);
	rowset_set(r, 1, f->column[TABLE_PERSON]);
	rowset_set(r, 2, f->column[TABLE_LEAD]);
	rowset_set(r, 3, f->column[TABLE_CONTACT]);
	rowset_set(r, 4, operator_direction(f->direction));
	rowset_set(r, 5, operator_winner(f->winner));
	rowset_set(r, 6, operator_mapping_state(f, m));
	rowset_set(r, 7,
		   m ? operator_field_reason(r, m, f->name) : "the schemas have not been read yet");
	r->rows++;
}

/* The cursor of this list is the number of the field to go on with. */
static void operator_fields(struct engine *e, const struct list_query *query, struct rowset *ret)
{
	static const char *const names[] = { "name",      "person", "lead",  "contact",
					     "direction", "winner", "state", "reason" };
	struct shared_mapping *shared = fields_take(e);
	size_t count = e->settings.set->count;
	int64_t at = 0;

	rowset_begin(ret, names, ARRAY_LEN(names), count);
	if (query->cursor.n && !str_int64(query->cursor, 0, (int64_t)count, &at))
		at = (int64_t)count;
	for (; (size_t)at < count && ret->rows < query->limit; at++) {
		const struct field *f = &e->settings.set->fields[at];

		if (!query->field.n || str_equal(query->field, str_of(f->name)))
			operator_field_row(ret, f, shared ? shared->mapping : NULL);
	}
	if ((size_t)at < count)
		ret->next = str_of(arena_fmt(&ret->memory, "%lld", (long long)at));
	fields_drop(e, shared);
}

enum err_kind operator_list(struct engine *e, const struct list_query *query, struct rowset *ret,
			    struct err *err)
{
	if (query->kind == LIST_FIELDS) {
		operator_fields(e, query, ret);
		return ERR_NONE;
	}
	return e->store.ops->list(e->store.self, query, ret, err);
}

static void operator_link_row(struct rowset *r, const struct link *link)
{
	static const char *const names[] = { "personId", "entity",     "recordId",
					     "state",    "generation", "stampDue" };
	char id[GUID_TEXT];

	rowset_begin(r, names, ARRAY_LEN(names), 1);
	r->types[0] = r->types[4] = CELL_NUMBER;
	r->types[5] = CELL_BOOLEAN;
	if (!link)
		return;
	guid_print(&link->record_id, id);
	rowset_set(r, 0, arena_fmt(&r->memory, "%lld", (long long)link->person_id));
	rowset_set(r, 1, table_name(link->table));
	rowset_set(r, 2, id);
	rowset_set(r, 3, link_state_name(link->state));
	rowset_set(r, 4, arena_fmt(&r->memory, "%u", link->generation));
	rowset_set(r, 5, link->is_stamp_due ? "true" : "false");
	r->rows = 1;
}

enum err_kind operator_person(struct engine *e, int64_t person_id, struct operator_person *ret,
			      struct err *err)
{
	static const enum list_kind kinds[] = { LIST_COLLISIONS, LIST_ERRORS, LIST_REQUESTS };
	struct rowset *lists[] = { &ret->collisions, &ret->errors, &ret->requests };
	struct arena arena = { .chunks = NULL };
	struct link *link = NULL;
	enum err_kind kind;

	*ret = (struct operator_person){ .is_known = false };
	kind = e->store.ops->links_by_person(e->store.self, &person_id, 1, &arena, &link, err);
	for (size_t i = 0; kind == ERR_NONE && i < ARRAY_LEN(lists); i++) {
		struct list_query query = {
			.kind = kinds[i], .limit = 100, .person_id = person_id, .state = STR("all")
		};

		kind = e->store.ops->list(e->store.self, &query, lists[i], err);
	}
	if (kind == ERR_NONE) {
		operator_link_row(&ret->link, link);
		explain_fields(e, link, &ret->errors, &ret->fields);
		ret->is_known = link || ret->collisions.rows || ret->errors.rows ||
				ret->requests.rows;
	} else {
		operator_person_release(ret);
	}
	arena_release(&arena);
	return kind;
}

void operator_person_release(struct operator_person *p)
{
	struct rowset *all[] = { &p->link, &p->fields, &p->collisions, &p->errors, &p->requests };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		arena_release(&all[i]->memory);
}

void operator_ready(struct engine *e, struct operator_ready *ret)
{
	struct ready_line *line = ret->lines;
	struct err err;

	line[0] = (struct ready_line){ .name = "database" };
	line[0].is_ok = e->store.ops->schema_ready(e->store.self, &err) == ERR_NONE;
	if (!line[0].is_ok)
		(void)snprintf(line[0].reason, sizeof(line[0].reason), "%s", err.text);
	(void)pthread_mutex_lock(&e->lock);
	line[1] = (struct ready_line){ .name = "fields", .is_ok = e->shared != NULL };
	if (!line[1].is_ok)
		(void)snprintf(line[1].reason, sizeof(line[1].reason),
			       "the schemas have not been read yet");
	for (int side = 0; side < SIDE_COUNT; side++) {
		struct ready_line *l = &line[2 + side];

		*l = (struct ready_line){ .name = side_name((enum side)side),
					  .is_ok = e->side[side].is_ok };
		if (!l->is_ok)
			(void)snprintf(l->reason, sizeof(l->reason), "%s",
				       e->side[side].was_used ? e->side[side].reason
							      : "not used yet");
	}
	(void)pthread_mutex_unlock(&e->lock);
	ret->count = 4;
	ret->is_ready = true;
	for (size_t i = 0; i < ret->count; i++)
		ret->is_ready &= line[i].is_ok;
}
