/* The state of things in a few cheap questions, and a cycle's report in and out. */
#include <stdio.h>

#include "store/parts.h"

/* The counters of a report in the order of the table's columns, from read_persons on. */
enum { COUNTERS = 5 * TABLE_COUNT + 9, FIRST_COUNTER = 6 };

static void cycle_counters(struct cycle_report *r, uint64_t *ret[COUNTERS])
{
	uint64_t *const groups[] = { r->read, r->created, r->updated, r->equal, r->failed };
	uint64_t *const singles[] = {
		&r->linked,
		&r->collided,
		&r->refused,
		&r->deleted,
		&r->calls[SIDE_MARKETO],
		&r->calls[SIDE_DYNAMICS],
		&r->verified,
		&r->drifted,
		&r->late,
	};
	size_t n = 0;

	for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
		for (size_t t = 0; t < TABLE_COUNT; t++)
			ret[n++] = &groups[g][t];
	}
	for (size_t i = 0; i < ARRAY_LEN(singles); i++)
		ret[n++] = singles[i];
}

void cycle_params(struct params *p, const struct cycle_report *report)
{
	struct cycle_report copy = *report;
	uint64_t *counters[COUNTERS];

	cycle_counters(&copy, counters);
	params_int64(p, copy.number);
	params_time(p, copy.started_ms);
	params_time(p, copy.finished_ms);
	params_int64(p, copy.result);
	params_text(p, str_of(copy.reason));
	params_bool(p, copy.is_full_scan);
	for (size_t i = 0; i < COUNTERS; i++)
		params_int64(p, (int64_t)*counters[i]);
}

static void copy_text(char *ret, size_t size, struct str text)
{
	(void)snprintf(ret, size, STR_FMT, STR_ARG(text));
}

static void cycle_read(const struct answer *answer, struct cycle_report *ret)
{
	uint64_t *counters[COUNTERS];

	cycle_counters(ret, counters);
	ret->number = answer_int(answer, 0, 0);
	ret->started_ms = answer_ms(answer, 0, 1);
	ret->finished_ms = answer_ms(answer, 0, 2);
	ret->result = (enum cycle_result)answer_int(answer, 0, 3);
	copy_text(ret->reason, sizeof(ret->reason), answer_bytes(answer, 0, 4));
	ret->is_full_scan = answer_bool(answer, 0, 5);
	for (int i = 0; i < COUNTERS; i++)
		*counters[i] = (uint64_t)answer_int(answer, 0, FIRST_COUNTER + i);
}

static void status_control(const struct answer *answer, struct store_status *ret)
{
	ret->is_paused = answer_bool(answer, 0, 0);
	copy_text(ret->paused_by, sizeof(ret->paused_by), answer_bytes(answer, 0, 1));
	ret->paused_at_s = answer_ms(answer, 0, 2) / 1000;
	ret->open_errors = (uint64_t)answer_int(answer, 0, 3);
	ret->links[TABLE_LEAD] = (uint64_t)answer_int(answer, 0, 4);
	ret->links[TABLE_CONTACT] = (uint64_t)answer_int(answer, 0, 5);
}

static void status_objects(const struct answer *answer, struct store_status *ret)
{
	for (size_t i = 0; i < answer_rows(answer); i++) {
		int64_t table = answer_int(answer, i, 0);

		if (table < 0 || table >= TABLE_COUNT)
			continue;
		ret->objects[table].pending_inserts = (uint64_t)answer_int(answer, i, 1);
		ret->objects[table].pending_updates = (uint64_t)answer_int(answer, i, 2);
		ret->objects[table].oldest_pending_s = answer_ms(answer, i, 3) / 1000;
	}
}

static void status_hour(const struct answer *answer, struct store_status *ret)
{
	for (int table = 0; table < TABLE_COUNT; table++) {
		ret->objects[table].last_hour_created = (uint64_t)answer_int(answer, 0, table * 3);
		ret->objects[table].last_hour_updated =
			(uint64_t)answer_int(answer, 0, table * 3 + 1);
		ret->objects[table].last_hour_failed =
			(uint64_t)answer_int(answer, 0, table * 3 + 2);
	}
}

static void status_scans(const struct answer *answer, struct store_status *ret)
{
	for (size_t i = 0; i < answer_rows(answer); i++) {
		int64_t table = answer_int(answer, i, 0);

		if (table < 0 || table >= TABLE_COUNT)
			continue;
		ret->scans[table] = (struct scan_status){
			.is_open = true,
			.began_s = answer_ms(answer, i, 1) / 1000,
			.done = (uint64_t)answer_int(answer, i, 2),
			.total = (uint64_t)answer_int(answer, i, 3),
		};
	}
}

static void status_proof(const struct answer *answer, struct store_status *ret)
{
	ret->oldest_proof_s = answer_ms(answer, 0, 0) / 1000;
}

static void status_last(const struct answer *answer, struct store_status *ret)
{
	if (answer_rows(answer))
		cycle_read(answer, &ret->last);
}

enum err_kind postgres_status(void *self, struct store_status *ret, struct err *err)
{
	static const struct {
		enum statement statement;
		bool is_one_row;
		void (*read)(const struct answer *, struct store_status *);
	} questions[] = {
		{ STATEMENT_STATUS, true, status_control },
		{ STATEMENT_STATUS_OBJECTS, false, status_objects },
		{ STATEMENT_STATUS_HOUR, true, status_hour },
		{ STATEMENT_STATUS_SCANS, false, status_scans },
		{ STATEMENT_STATUS_PROOF, true, status_proof },
		{ STATEMENT_CYCLE_LAST, false, status_last },
	};
	struct postgres *p = self;
	struct store_status status = { 0 };
	enum err_kind kind = ERR_NONE;

	for (size_t i = 0; i < ARRAY_LEN(questions) && !kind; i++) {
		struct answer answer = { 0 };

		kind = db_run(p->db, questions[i].statement, NULL, &answer, err);
		if (!kind && questions[i].is_one_row && answer_rows(&answer) != 1)
			kind = err_set(err, ERR_STORE,
				       "the control row is missing from the database");
		if (!kind)
			questions[i].read(&answer, &status);
		answer_release(&answer);
	}
	if (!kind)
		*ret = status;
	return kind;
}
