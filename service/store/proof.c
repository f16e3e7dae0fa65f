/* Which links were proven equal when, which events of Marketo's feed were taken in, and whom a
 * first load may look for. */
#include "store/parts.h"

enum err_kind postgres_proofs(void *self, size_t limit, struct arena *a, struct proof **ret,
			      size_t *ret_count, struct err *err)
{
	struct postgres *p = self;
	struct params params = { 0 };
	struct answer answer = { 0 };
	enum err_kind kind;

	params_int64(&params, (int64_t)limit);
	kind = db_ask(p->db, STATEMENT_PROOFS, &params, &answer, err);
	if (kind)
		return kind;
	*ret_count = answer_rows(&answer);
	*ret = arena_array(a, *ret_count, sizeof(**ret));
	for (size_t i = 0; i < *ret_count; i++)
		(*ret)[i] = (struct proof){
			.table = answer_int(&answer, i, 0) == TABLE_CONTACT ? TABLE_CONTACT
									    : TABLE_LEAD,
			.slice = (unsigned)answer_int(&answer, i, 1) % PROOF_SLICES,
			.place = answer_guid(&answer, i, 2),
			.since_s = answer_ms(&answer, i, 3) / 1000,
		};
	answer_release(&answer);
	return ERR_NONE;
}

/* PostgreSQL orders ids by their bytes as they are written, so a slice is a range. */
enum err_kind postgres_proof_links(void *self, const struct proof *proof, size_t limit,
				   struct arena *a, struct guid **ret, size_t *ret_count,
				   struct err *err)
{
	struct postgres *p = self;
	struct params params = { 0 };
	struct answer answer = { 0 };
	struct guid behind = proof->place, last;
	enum err_kind kind;

	memset(last.byte, 0xff, sizeof(last.byte));
	if (guid_is_zero(&behind) && proof->slice) {
		behind = last;
		behind.byte[0] = (uint8_t)(proof->slice - 1);
	}
	last.byte[0] = (uint8_t)proof->slice;
	params_int64(&params, proof->table);
	params_guid(&params, &behind);
	params_guid(&params, &last);
	params_int64(&params, (int64_t)limit);
	kind = db_ask(p->db, STATEMENT_PROOF_LINKS, &params, &answer, err);
	if (kind)
		return kind;
	*ret_count = answer_rows(&answer);
	*ret = arena_array(a, *ret_count, sizeof(**ret));
	for (size_t i = 0; i < *ret_count; i++)
		(*ret)[i] = answer_guid(&answer, i, 0);
	answer_release(&answer);
	return ERR_NONE;
}

static void hash_params(struct params *p, const uint64_t *hashes, size_t count)
{
	struct buf *array = params_array(p, ELEMENT_INT64, count);

	for (size_t i = 0; i < count; i++)
		array_int64(array, (int64_t)hashes[i]);
}

/* The statement answers with the numbers, from 1, of those that are there. */
static enum err_kind hashes_among(struct postgres *p, enum statement id, const uint64_t *hashes,
				  size_t count, bool *ret, struct err *err)
{
	struct params params = { 0 };
	struct answer answer = { 0 };
	enum err_kind kind;

	if (!count)
		return ERR_NONE;
	memset(ret, 0, count * sizeof(*ret));
	hash_params(&params, hashes, count);
	kind = db_ask(p->db, id, &params, &answer, err);
	if (kind)
		return kind;
	for (size_t i = 0; i < answer_rows(&answer); i++) {
		int64_t n = answer_int(&answer, i, 0);

		if (n >= 1 && (uint64_t)n <= count)
			ret[n - 1] = true;
	}
	answer_release(&answer);
	return ERR_NONE;
}

enum err_kind postgres_events_among(void *self, const uint64_t *events, size_t count, bool *ret,
				    struct err *err)
{
	return hashes_among(self, STATEMENT_EVENTS_AMONG, events, count, ret, err);
}

enum err_kind postgres_roster_among(void *self, const uint64_t *hashes, size_t count, bool *ret,
				    struct err *err)
{
	return hashes_among(self, STATEMENT_ROSTER_AMONG, hashes, count, ret, err);
}

static enum err_kind proof_put(struct session *s, const struct proof *proof, struct err *err)
{
	struct params p = { 0 };
	enum err_kind kind;

	params_int64(&p, proof->table);
	params_int64(&p, proof->slice);
	params_guid(&p, &proof->place);
	params_bool(&p, proof->is_end);
	kind = session_run(s, STATEMENT_PROOF_PUT, &p, NULL, err);
	params_release(&p);
	return kind;
}

static enum err_kind hashes_put(struct session *s, enum statement id, const uint64_t *hashes,
				size_t count, struct err *err)
{
	struct params p = { 0 };
	enum err_kind kind;

	if (!count)
		return ERR_NONE;
	hash_params(&p, hashes, count);
	kind = session_run(s, id, &p, NULL, err);
	params_release(&p);
	return kind;
}

enum err_kind proof_write(struct session *s, const struct unit *unit, struct err *err)
{
	enum err_kind kind = ERR_NONE;

	if (unit->is_doubtful)
		kind = session_run(s, STATEMENT_PROOF_DOUBT, NULL, NULL, err);
	if (!kind && unit->proof)
		kind = proof_put(s, unit->proof, err);
	if (!kind)
		kind = hashes_put(s, STATEMENT_EVENTS_ADD, unit->events, unit->event_count, err);
	if (!kind)
		kind = hashes_put(s, STATEMENT_ROSTER_ADD, unit->roster, unit->roster_count, err);
	if (!kind && unit->is_roster_over)
		kind = session_run(s, STATEMENT_ROSTER_CLEAR, NULL, NULL, err);
	return kind;
}
