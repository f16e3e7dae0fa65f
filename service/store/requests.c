/* What waits to be done: real-time requests and Activity Log lines. */
#include <stdlib.h>

#include "base/mem.h"
#include "store/parts.h"

static int request_order(const void *left, const void *right)
{
	const struct request *const *a = left, *const *b = right;
	int order = ((*a)->person_id > (*b)->person_id) - ((*a)->person_id < (*b)->person_id);

	return order ? order : (*a > *b) - (*a < *b);
}

static void request_params(struct params *p, struct request *const *requests, size_t n)
{
	struct buf *id = params_array(p, ELEMENT_GUID, n),
		   *person = params_array(p, ELEMENT_INT64, n);
	struct buf *sync_as = params_array(p, ELEMENT_INT32, n),
		   *owner = params_array(p, ELEMENT_TEXT, n);
	struct buf *campaign = params_array(p, ELEMENT_TEXT, n),
		   *campaign_name = params_array(p, ELEMENT_TEXT, n);
	struct buf *is_trigger = params_array(p, ELEMENT_BOOL, n),
		   *door = params_array(p, ELEMENT_INT32, n);
	struct buf *outcome = params_array(p, ELEMENT_INT32, n),
		   *entity = params_array(p, ELEMENT_INT32, n);
	struct buf *record = params_array(p, ELEMENT_GUID, n),
		   *reason = params_array(p, ELEMENT_TEXT, n);
	struct buf *attempts = params_array(p, ELEMENT_INT32, n),
		   *created = params_array(p, ELEMENT_TIME, n);

	for (size_t i = 0; i < n; i++) {
		const struct request *r = requests[i];

		array_guid(id, &r->id);
		array_int64(person, r->person_id);
		array_int32(sync_as, r->sync_as);
		array_text(owner, r->owner);
		array_text(campaign, r->campaign_id);
		array_text(campaign_name, r->campaign_name);
		array_bool(is_trigger, r->is_trigger);
		array_int32(door, r->door);
		array_int32(outcome, r->outcome);
		array_int32(entity, r->entity);
		array_guid(record, &r->record_id);
		array_text(reason, r->reason);
		array_int32(attempts, r->attempts);
		array_time(created, r->created_ms);
	}
}

/* The nine columns REQUESTS_ADD and REQUESTS_OPEN begin with. */
static void request_read(const struct answer *answer, size_t row, struct request *ret)
{
	ret->person_id = answer_int(answer, row, 0);
	ret->id = answer_guid(answer, row, 1);
	ret->sync_as = (enum table)answer_int(answer, row, 2);
	ret->is_trigger = answer_bool(answer, row, 3);
	ret->outcome = (enum outcome)answer_int(answer, row, 4);
	ret->entity = (enum table)answer_int(answer, row, 5);
	ret->record_id = answer_guid(answer, row, 6);
	ret->attempts = (unsigned)answer_int(answer, row, 7);
	ret->created_ms = answer_ms(answer, row, 8);
	ret->finished_ms = 0;
}

/* Gives every request, sorted by person, the state of the stored one of its person. */
static enum err_kind requests_match(const struct answer *answer, struct request *const *sorted,
				    size_t count, struct err *err)
{
	size_t rows = answer_rows(answer);

	for (size_t i = 0; i < rows; i++) {
		struct request key = { .person_id = answer_int(answer, i, 0) };
		size_t low = 0, high = count;

		while (low < high) {
			size_t middle = low + (high - low) / 2;

			if (sorted[middle]->person_id < key.person_id)
				low = middle + 1;
			else
				high = middle;
		}
		if (low == count || sorted[low]->person_id != key.person_id)
			return err_set(err, ERR_STORE,
				       "the database answered for a request that was not made");
		for (; low < count && sorted[low]->person_id == key.person_id; low++)
			request_read(answer, i, sorted[low]);
	}
	return ERR_NONE;
}

enum err_kind postgres_request_add(void *self, struct request *requests, size_t count,
				   struct err *err)
{
	struct postgres *p = self;
	struct request **sorted CLEANUP(mem_freep) = NULL, **first CLEANUP(mem_freep) = NULL;
	struct params params = { 0 };
	struct answer answer = { 0 };
	size_t first_count = 0;
	enum err_kind kind;

	if (!count)
		return ERR_NONE;
	sorted = mem_array(count, sizeof(struct request *));
	first = mem_array(count, sizeof(struct request *));
	for (size_t i = 0; i < count; i++)
		sorted[i] = &requests[i];
	qsort(sorted, count, sizeof(struct request *), request_order);
	/* The same person twice in one call is a repeat; the greater hurry is kept. */
	for (size_t i = 0; i < count; i++) {
		if (!first_count || first[first_count - 1]->person_id != sorted[i]->person_id)
			first[first_count++] = sorted[i];
		else if (sorted[i]->is_trigger)
			first[first_count - 1]->is_trigger = true;
	}
	request_params(&params, first, first_count);
	kind = db_ask(p->db, STATEMENT_REQUESTS_ADD, &params, &answer, err);
	if (kind)
		return kind;
	if (answer_rows(&answer) == first_count)
		kind = requests_match(&answer, sorted, count, err);
	else
		kind = err_set(err, ERR_STORE, "the database did not answer for every request");
	answer_release(&answer);
	return kind;
}

enum err_kind postgres_requests_open(void *self, size_t limit, struct arena *a,
				     struct request **ret, size_t *ret_count, struct err *err)
{
	struct postgres *p = self;
	struct params params = { 0 };
	struct answer answer = { 0 };
	enum err_kind kind;

	params_int64(&params, (int64_t)limit);
	kind = db_ask(p->db, STATEMENT_REQUESTS_OPEN, &params, &answer, err);
	if (kind)
		return kind;
	*ret_count = answer_rows(&answer);
	*ret = arena_array(a, *ret_count, sizeof(struct request));
	for (size_t i = 0; i < *ret_count; i++) {
		struct request *r = &(*ret)[i];

		request_read(&answer, i, r);
		r->door = (enum door)answer_int(&answer, i, 9);
		r->owner = arena_str(a, answer_bytes(&answer, i, 10));
		r->campaign_id = arena_str(a, answer_bytes(&answer, i, 11));
		r->campaign_name = arena_str(a, answer_bytes(&answer, i, 12));
		r->reason = arena_str(a, answer_bytes(&answer, i, 13));
	}
	answer_release(&answer);
	return ERR_NONE;
}
