/* GET /v1/status: what the sync is doing, what waits, what the running (else the last) cycle
 * counted. */
#include "api/exchange.h"
#include "api/print.h"
#include "base/clock.h"
#include "sync/operator.h"

static void status_sync(struct buf *out, const struct operator_status *s)
{
	const struct cycle_report *c = &s->cycle;
	bool is_known = c->number != 0;
	bool has_ended = is_known && c->result != CYCLE_RUNNING;

	print_open(out, "sync", '{');
	print_text(out, "state", str_of(sync_state_name(s->state)));
	print_text_or_null(out, "reason", str_of(s->reason));
	if (is_known)
		print_number(out, "cycle", c->number);
	else
		print_null(out, "cycle");
	print_time_ms(out, "startedAt", c->started_ms);
	print_time_ms(out, "finishedAt", has_ended ? c->finished_ms : 0);
	print_text(out, "result", str_of(has_ended ? cycle_result_name(c->result) : NULL));
	print_text_or_null(out, "resultReason", str_of(has_ended ? c->reason : ""));
	print_time_ms(out, "nextAt", s->next_ms);
	print_close(out, '}');
}

static void status_objects(struct buf *out, const struct operator_status *s)
{
	print_open(out, "objects", '[');
	for (int t = 0; t < TABLE_COUNT; t++) {
		const struct object_status *o = &s->objects[t];

		print_open(out, NULL, '{');
		print_text(out, "object", str_of(table_name((enum table)t)));
		print_count(out, "pendingInserts", o->pending_inserts);
		print_count(out, "pendingUpdates", o->pending_updates);
		print_time_ms(out, "oldestPending", o->oldest_pending_s * 1000);
		print_open(out, "lastHour", '{');
		print_count(out, "created", o->last_hour_created);
		print_count(out, "updated", o->last_hour_updated);
		print_count(out, "failed", o->last_hour_failed);
		print_close(out, '}');
		print_close(out, '}');
	}
	print_close(out, ']');
}

static void status_by_table(struct buf *out, const char *name, const uint64_t counts[TABLE_COUNT])
{
	print_open(out, name, '{');
	for (int t = 0; t < TABLE_COUNT; t++)
		print_count(out, table_name((enum table)t), counts[t]);
	print_close(out, '}');
}

static void status_progress(struct buf *out, const struct cycle_report *c)
{
	if (!c->number) {
		print_null(out, "progress");
		return;
	}
	print_open(out, "progress", '{');
	print_boolean(out, "fullScan", c->is_full_scan);
	status_by_table(out, "read", c->read);
	status_by_table(out, "created", c->created);
	status_by_table(out, "updated", c->updated);
	status_by_table(out, "equal", c->equal);
	status_by_table(out, "failed", c->failed);
	print_count(out, "linked", c->linked);
	print_count(out, "collided", c->collided);
	print_count(out, "refused", c->refused);
	print_count(out, "deleted", c->deleted);
	print_count(out, "verified", c->verified);
	print_count(out, "drifted", c->drifted);
	print_count(out, "late", c->late);
	print_open(out, "calls", '{');
	for (int side = 0; side < SIDE_COUNT; side++)
		print_count(out, side_name((enum side)side), c->calls[side]);
	print_close(out, '}');
	print_close(out, '}');
}

static void status_backfill(struct buf *out, const struct operator_status *s)
{
	print_open(out, "backfill", '[');
	for (int t = 0; t < TABLE_COUNT; t++) {
		const struct backfill_status *b = &s->backfill[t];

		if (!b->is_open)
			continue;
		print_open(out, NULL, '{');
		print_text(out, "object", str_of(table_name((enum table)t)));
		print_time_ms(out, "startedAt", b->began_s * 1000);
		print_count(out, "done", b->done);
		if (b->total)
			print_count(out, "total", b->total);
		else
			print_null(out, "total");
		print_count(out, "perSecond", (uint64_t)b->per_second);
		if (b->left_s >= 0)
			print_number(out, "secondsLeft", b->left_s);
		else
			print_null(out, "secondsLeft");
		print_close(out, '}');
	}
	print_close(out, ']');
}

static void status_count_or_null(struct buf *out, const char *name, bool is_known, uint64_t count)
{
	if (is_known)
		print_count(out, name, count);
	else
		print_null(out, name);
}

static void status_quota(struct buf *out, const struct operator_status *s)
{
	print_open(out, "quota", '[');
	for (int side = 0; side < SIDE_COUNT; side++) {
		const struct budget *b = &s->budget[side].now;

		print_open(out, NULL, '{');
		print_text(out, "side", str_of(side_name((enum side)side)));
		print_count(out, "usedToday", b->day_used);
		status_count_or_null(out, "instanceToday", b->has_shared, b->shared_used);
		status_count_or_null(out, "limitPerDay", b->day_limit, b->day_limit);
		status_count_or_null(out, "stopAt", b->shared_stop, b->shared_stop);
		print_count(out, "inWindow", b->window_used);
		status_count_or_null(out, "limitPerWindow", b->window_limit, b->window_limit);
		print_number(out, "windowSeconds", b->window_ms / 1000);
		print_time_ms(out, "exhaustedAt", b->spent_s * 1000);
		print_time_ms(out, "closedUntil", b->held_until_ms);
		print_text_or_null(out, "reason", str_of(s->budget[side].reason));
		print_close(out, '}');
	}
	print_close(out, ']');
}

static void status_verification(struct buf *out, const struct operator_status *s)
{
	print_open(out, "verification", '{');
	print_number(out, "periodSeconds", s->verify_ms / 1000);
	print_time_ms(out, "provenSince", s->oldest_proof_s * 1000);
	print_boolean(out, "inTime",
		      s->oldest_proof_s > 0 &&
			      clock_wall_ms() - s->oldest_proof_s * 1000 <= s->verify_ms);
	print_close(out, '}');
}

void handle_status(struct exchange *x)
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
	status_sync(out, &status);
	print_boolean(out, "leader", status.is_leader);
	status_objects(out, &status);
	print_open(out, "links", '{');
	print_count(out, "lead", status.links[TABLE_LEAD]);
	print_count(out, "contact", status.links[TABLE_CONTACT]);
	print_close(out, '}');
	print_count(out, "openErrors", status.open_errors);
	status_quota(out, &status);
	status_progress(out, &status.cycle);
	status_backfill(out, &status);
	status_verification(out, &status);
	print_close(out, '}');
}
