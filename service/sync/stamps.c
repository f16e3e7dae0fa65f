/* Stamps by bulk import; see stamps.h. Sending a stamp twice does no harm, so nothing of a file is
 * kept: after a restart what is still due is sent again. */
#include "sync/stamps.h"

#include "base/clock.h"
#include "base/log.h"
#include "sync/ledger.h"
#include "sync/outbox.h"

enum {
	STAMPS_ROWS = 20 * 1000, /* of one file: memory stays small */
	STAMPS_COMMIT = 1200,
	STAMPS_POLL_MS = 15 * 1000,
};

static void stamps_forget(struct engine *e)
{
	arena_release(&e->import.memory);
	e->import.job = (struct str){ NULL, 0 };
	e->import.links = NULL;
	e->import.count = 0;
}

/* This life does without files: every stamp goes the usual way. */
static void stamps_give_up(struct engine *e, const struct err *why)
{
	log_warn("import_given_up", LOG_ERR(why));
	stamps_forget(e);
	e->import.is_off = true;
}

static enum err_kind stamps_send(struct engine *e, const struct call *call, struct err *err)
{
	const struct remote *marketo = &e->remote[SIDE_MARKETO];
	struct arena *a = &e->import.memory;
	struct stamp *stamps = arena_array(a, e->import.count, sizeof(*stamps));
	struct write *writes = arena_array(a, e->import.count, sizeof(*writes));

	for (size_t i = 0; i < e->import.count; i++) {
		stamps[i] = outbox_stamp(e->import.links[i]);
		writes[i] = (struct write){ .operation = WRITE_UPDATE,
					    .table = TABLE_PERSON,
					    .person_id = e->import.links[i]->person_id,
					    .stamp = &stamps[i] };
	}
	return marketo->ops->import_start(marketo->self, call, writes, e->import.count, a,
					  &e->import.job, err);
}

/* A file when as many stamps are due as make one. */
static enum err_kind stamps_begin(struct engine *e, const struct call *call, struct err *err)
{
	size_t rows = e->settings.bulk_rows < STAMPS_ROWS ? e->settings.bulk_rows : STAMPS_ROWS;
	struct err why = { .retry_after_ms = -1 };
	enum err_kind kind;

	kind = e->store.ops->links_due(e->store.self, rows, &e->import.memory, &e->import.links,
				       &e->import.count, err);
	if (kind != ERR_NONE || e->import.count < rows) {
		stamps_forget(e);
		return kind;
	}
	kind = stamps_send(e, call, &why);
	e->import.next_ms = clock_mono_ms() + (e->settings.interval_ms < STAMPS_POLL_MS
						       ? e->settings.interval_ms
						       : STAMPS_POLL_MS);
	if (kind == ERR_STOPPED) {
		stamps_forget(e);
		*err = why;
		return kind;
	}
	if (kind == ERR_THROTTLED) /* no free place: people import lists, too */
		stamps_forget(e);
	else if (kind != ERR_NONE)
		stamps_give_up(e, &why);
	return ERR_NONE;
}

static bool stamps_has_failed(const struct import_failure_list *failures, int64_t person_id)
{
	for (size_t i = 0; i < failures->count; i++) {
		if (failures->failures[i].person_id == person_id)
			return true;
	}
	return false;
}

/* What arrived is noted; the rest stays due, and the usual way tells what is wrong with it. */
static enum err_kind stamps_note(struct engine *e, const struct import_failure_list *failures,
				 struct cycle_report *report, struct err *err)
{
	enum err_kind kind = ERR_NONE;

	for (size_t i = 0; kind == ERR_NONE && i < e->import.count;) {
		struct arena arena = { .chunks = NULL };
		struct ledger ledger = { .arena = &arena };

		for (size_t n = 0; n < STAMPS_COMMIT && i < e->import.count; n++, i++) {
			if (stamps_has_failed(failures, e->import.links[i]->person_id))
				continue;
			ledger_stamped(&ledger, e->import.links[i]);
			report->updated[TABLE_PERSON]++;
		}
		kind = ledger_commit(&ledger, e, true, err);
		arena_release(&arena);
	}
	return kind;
}

static enum err_kind stamps_poll(struct engine *e, const struct call *call,
				 struct cycle_report *report, struct err *err)
{
	const struct remote *marketo = &e->remote[SIDE_MARKETO];
	struct import_status status = { .state = IMPORT_WAITING };
	struct import_failure_list failures = { .count = 0 };
	struct err why = { .retry_after_ms = -1 };
	enum err_kind kind;

	kind = marketo->ops->import_poll(marketo->self, call, e->import.job, &status, &why);
	e->import.next_ms = clock_mono_ms() + STAMPS_POLL_MS;
	if (kind == ERR_NONE && status.state == IMPORT_WAITING)
		return ERR_NONE;
	if (kind == ERR_NONE && status.state == IMPORT_DONE && status.failed + status.warnings)
		kind = marketo->ops->import_failures(marketo->self, call, e->import.job, &status,
						     &e->import.memory, &failures, &why);
	if (kind == ERR_STOPPED) {
		*err = why;
		return kind;
	}
	if (kind == ERR_NONE && status.state != IMPORT_DONE) {
		why = status.err;
		kind = why.kind ? why.kind : err_set(&why, ERR_EXPIRED, "the import is gone");
	}
	if (kind != ERR_NONE) {
		stamps_give_up(e, &why);
		return ERR_NONE;
	}
	/* Most of a file failing is not the persons' fault. */
	if (failures.count * 2 > e->import.count) {
		(void)err_set(&why, ERR_REFUSED, "most rows of an import failed");
		stamps_give_up(e, &why);
		return ERR_NONE;
	}
	kind = stamps_note(e, &failures, report, err);
	stamps_forget(e);
	return kind;
}

bool stamps_may_wait(const struct engine *e)
{
	return e->settings.bulk_rows && !e->import.is_off &&
	       e->remote[SIDE_MARKETO].ops->import_start;
}

enum err_kind stamps_import(struct engine *e, const struct call *call, struct cycle_report *report,
			    bool *ret_is_busy, struct err *err)
{
	enum err_kind kind = ERR_NONE;

	*ret_is_busy = false;
	if (!stamps_may_wait(e))
		return ERR_NONE;
	if (e->import.job.n && clock_mono_ms() >= e->import.next_ms)
		kind = stamps_poll(e, call, report, err);
	if (kind == ERR_NONE && !e->import.job.n && !e->import.is_off &&
	    clock_mono_ms() >= e->import.next_ms)
		kind = stamps_begin(e, call, err);
	*ret_is_busy = e->import.job.n > 0;
	return kind;
}
