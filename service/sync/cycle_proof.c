/* Proving links equal, a part of them a sweep; see cycle_p.h. Must not know how a difference is
 * repaired: that is a change like any other. */
#include "sync/cycle_p.h"

#include "base/clock.h"
#include "core/round.h"

/* When the last sweep began, and how many slices it has still to do. */
static const char proof_place[] = "sweep";

static enum err_kind proof_read(struct cycle *c, struct arena *a, int64_t *ret_at_s,
				int64_t *ret_left, struct err *err)
{
	struct str left = { NULL, 0 };
	enum err_kind kind = cycle_place(c, proof_place, a, ret_at_s, &left, err);

	if (kind != ERR_NONE || !left.n || !str_int64(left, 0, 2 * PROOF_SLICES, ret_left))
		*ret_left = 0;
	return kind;
}

static void proof_note(struct cycle_step *s, int64_t at_s, int64_t left)
{
	ledger_place(&s->ledger, proof_place,
		     cycle_place_text(&s->arena, at_s,
				      str_of(arena_fmt(&s->arena, "%lld", (long long)left))));
}

void cycle_doubt(struct cycle_step *s)
{
	s->ledger.unit.is_doubtful = true;
	proof_note(s, clock_wall_ms() / 1000, 2 * PROOF_SLICES);
}

/* How many slices a sweep that begins now takes on. */
static enum err_kind proof_plan(struct cycle *c, struct cycle_step *s, int64_t now_s,
				int64_t *ret_left, struct err *err)
{
	const struct engine_settings *settings = &c->e->settings;
	const struct store *store = &c->e->store;
	struct proof *all = NULL;
	size_t count = 0;
	int64_t *since_s;
	enum err_kind kind;

	kind = store->ops->proofs(store->self, 2 * PROOF_SLICES, &s->arena, &all, &count, err);
	if (kind != ERR_NONE)
		return kind;
	since_s = arena_array(&s->arena, count + 1, sizeof(*since_s));
	for (size_t i = 0; i < count; i++)
		since_s[i] = all[i].since_s;
	*ret_left = (int64_t)round_parts(since_s, count, now_s, settings->verify_ms,
					 settings->sweep_ms);
	return ERR_NONE;
}

/* The links of a slice, one chunk of them. */
static enum err_kind proof_chunk(struct cycle *c, struct cycle_step *s, struct proof *proof,
				 struct err *err)
{
	const struct store *store = &c->e->store;
	struct guid *ids = NULL;
	size_t count = 0;
	enum err_kind kind;

	s->step.is_proof = true;
	kind = store->ops->proof_links(store->self, proof, CYCLE_CHUNK, &s->arena, &ids, &count,
				       err);
	if (kind == ERR_NONE && count)
		kind = cycle_read_records(c, &s->step, proof->table, ids, count, true, err);
	if (kind != ERR_NONE)
		return kind;
	c->report->verified += count;
	proof->is_end = count < CYCLE_CHUNK;
	if (count)
		proof->place = ids[count - 1];
	s->ledger.unit.proof = proof;
	return ERR_NONE;
}

/* The slice that was proven longest ago, as far as one chunk; true in *ret_is_over when the sweep
 * is through, or not due. */
static enum err_kind proof_step(struct cycle *c, struct cycle_step *s, bool *ret_is_over,
				struct err *err)
{
	const struct store *store = &c->e->store;
	int64_t now_s = clock_wall_ms() / 1000, at_s = 0, left = 0;
	struct proof *oldest = NULL;
	size_t count = 0;
	enum err_kind kind = proof_read(c, &s->arena, &at_s, &left, err);

	if (kind == ERR_NONE && !left && at_s && (now_s - at_s) * 1000 >= c->e->settings.sweep_ms) {
		at_s = now_s;
		kind = proof_plan(c, s, now_s, &left, err);
	}
	*ret_is_over = kind == ERR_NONE && !left;
	if (kind != ERR_NONE || (!left && at_s))
		return kind;
	if (!at_s) { /* the first sweep comes an interval after the first cycle */
		proof_note(s, now_s, 0);
		return ERR_NONE;
	}
	kind = store->ops->proofs(store->self, 1, &s->arena, &oldest, &count, err);
	if (kind == ERR_NONE && count)
		kind = proof_chunk(c, s, oldest, err);
	if (kind == ERR_NONE && count)
		proof_note(s, at_s, left - oldest->is_end);
	return kind;
}

enum err_kind cycle_prove(struct cycle *c, struct err *err)
{
	enum lane lane = c->call.lane;
	enum err_kind kind = ERR_NONE;
	bool is_over = !c->e->settings.sweep_ms;

	c->call.lane = LANE_BACKFILL;
	while (kind == ERR_NONE && !is_over) {
		struct cycle_step s;

		cycle_step_begin(c, &s);
		kind = proof_step(c, &s, &is_over, err);
		kind = cycle_step_end(c, &s, kind, err);
		if (kind == ERR_NONE && !is_over && cycle_makes_way(c))
			break;
	}
	c->call.lane = lane;
	return kind;
}
