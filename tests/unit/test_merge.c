/* Every state one field can be in, against an oracle that thinks in voices instead of cases, and
 * the laws of the merge (INV-THREE-WAY, INV-WINNER, INV-CONSENT). */
#include "core/merge.h"

#include "tests/unit/unit.h"

enum { NOT = -1 }; /* not shown; nothing agreed */
enum { VALUES = 3 };

/* What a side can show. Number 0 is EMPTY in all of them. */
static const struct domain {
	struct value value[VALUES];
	bool is_consent;
} domains[] = {
	{ { { .kind = VALUE_EMPTY },
	    { .kind = VALUE_TEXT, .text = { "a", 1 } },
	    { .kind = VALUE_TEXT, .text = { "b", 1 } } },
	  false },
	{ { { .kind = VALUE_EMPTY },
	    { .kind = VALUE_BOOLEAN },
	    { .kind = VALUE_BOOLEAN, .boolean = true } },
	  false },
	{ { { .kind = VALUE_EMPTY },
	    { .kind = VALUE_BOOLEAN },
	    { .kind = VALUE_BOOLEAN, .boolean = true } },
	  true },
};

struct world {
	const struct domain *domain;
	int shown[SIDE_COUNT], agreed[SIDE_COUNT]; /* NOT, or a number in the domain */
	bool can_write[SIDE_COUNT];
	enum winner winner;
	enum direction direction;
	enum table table;
};

static struct merge_result merge(const struct world *w)
{
	struct field field = { .name = "f",
			       .winner = w->winner,
			       .direction = w->direction,
			       .is_consent = w->domain->is_consent };
	struct merge_side side[SIDE_COUNT];

	for (int s = 0; s < SIDE_COUNT; s++) {
		side[s] = (struct merge_side){
			.value = w->shown[s] == NOT ? NULL : &w->domain->value[w->shown[s]],
			.fingerprint = (uint64_t)(w->agreed[s] + 1),
			.seen = (uint64_t)(w->shown[s] + 1),
			.can_write = w->can_write[s],
		};
	}
	return merge_field(w->table, &field, side);
}

/* ---- the oracle ---- */

static bool is_true(const struct world *w, int side)
{
	return w->shown[side] != NOT && w->domain->value[w->shown[side]].boolean;
}

/* How loudly each side asks for its value to be on both; the other's is at index !s. */
struct voices {
	int loud[SIDE_COUNT];
	bool both_spoke, had_agreed;
};

static enum side preferred(const struct world *w)
{
	const enum side by_winner[] = { [WINNER_BY_LINK] = w->table == TABLE_LEAD ? SIDE_MARKETO
										  : SIDE_DYNAMICS,
					[WINNER_MARKETO] = SIDE_MARKETO,
					[WINNER_DYNAMICS] = SIDE_DYNAMICS };

	return by_winner[w->winner];
}

static struct voices listen(const struct world *w)
{
	struct voices v = { .had_agreed = w->agreed[0] != NOT && w->agreed[1] != NOT };

	for (int s = 0; s < SIDE_COUNT; s++) {
		bool says_something = w->shown[s] > 0;

		/* A false that nobody ever set says nothing to an empty side, and nothing about
		 * consent. */
		if (w->domain != &domains[0] && w->shown[s] == 1)
			says_something = !w->domain->is_consent && w->shown[!s] != 0;
		v.loud[s] = w->shown[s] != NOT &&
			    (v.had_agreed ? w->shown[s] != w->agreed[s] : says_something);
	}
	if (w->shown[0] == w->shown[1])
		v.loud[0] = v.loud[1] = 0;
	v.both_spoke = v.loud[0] && v.loud[1];
	if (v.both_spoke && w->domain->is_consent && is_true(w, 0) != is_true(w, 1))
		v.loud[is_true(w, 0) ? 1 : 0] = 0;
	else if (v.both_spoke && w->direction == DIRECTION_TO_MARKETO)
		v.loud[SIDE_MARKETO] = 0;
	else if (v.both_spoke && w->direction == DIRECTION_TO_DYNAMICS)
		v.loud[SIDE_DYNAMICS] = 0;
	else if (v.both_spoke)
		v.loud[preferred(w)]++;
	for (int s = 0; s < SIDE_COUNT; s++)
		v.loud[s] *= w->can_write[!s];
	return v;
}

static enum merge_rule expected_rule(const struct world *w, const struct voices *v, int speaker)
{
	bool is_opt_out = w->domain->is_consent && speaker != NOT && is_true(w, speaker) &&
			  !is_true(w, !speaker);

	if (speaker == NOT) {
		const struct value *a = &w->domain->value[w->shown[0] == NOT ? 0 : w->shown[0]];
		const struct value *b = &w->domain->value[w->shown[1] == NOT ? 0 : w->shown[1]];

		if (w->shown[0] == w->shown[1] ||
		    (!v->had_agreed && value_is_blank(a) && value_is_blank(b)))
			return RULE_NONE;
		return RULE_ONE_WAY;
	}
	if (!v->both_spoke && v->had_agreed)
		return RULE_ONLY_CHANGE;
	if (is_opt_out)
		return RULE_OPT_OUT_SPREADS;
	if (!v->both_spoke)
		return RULE_FILL_EMPTY;
	if (w->direction != DIRECTION_BOTH || speaker != (int)preferred(w))
		return RULE_ONE_WAY;
	if (w->winner != WINNER_BY_LINK)
		return speaker == SIDE_MARKETO ? RULE_FIELD_MARKETO_WINS : RULE_FIELD_DYNAMICS_WINS;
	return speaker == SIDE_MARKETO ? RULE_LEAD_MARKETO_WINS : RULE_CONTACT_DYNAMICS_WINS;
}

static void check_against_oracle(const struct world *w)
{
	struct merge_result r = merge(w);
	struct voices v = listen(w);
	int unseen = w->shown[0] == NOT ? 0 : 1;
	int speaker = v.loud[0] > v.loud[1] ? 0 : v.loud[1] > v.loud[0] ? 1 : NOT;
	bool is_opt_out, is_new = false;

	if (!v.had_agreed && (w->shown[0] == NOT) != (w->shown[1] == NOT)) {
		assert_int_equal(r.action, MERGE_READ);
		assert_int_equal(r.from, unseen);
		return;
	}
	for (int s = 0; s < SIDE_COUNT; s++)
		is_new = is_new || (w->shown[s] != NOT && w->shown[s] != w->agreed[s]);
	if (!is_new) {
		assert_int_equal(r.action, MERGE_NOTHING);
		assert_int_equal(r.rule, RULE_NONE);
		return;
	}
	assert_int_equal(r.rule, expected_rule(w, &v, speaker));
	assert_int_equal(r.action, speaker == NOT ? MERGE_ADOPT : MERGE_WRITE);
	if (speaker == NOT)
		return;
	assert_int_equal(r.from, speaker);
	is_opt_out = w->domain->is_consent && is_true(w, 0) != is_true(w, 1);
	assert_int_equal(r.is_collision,
			 v.both_spoke &&
				 (is_opt_out ? v.had_agreed : w->direction == DIRECTION_BOTH));
}

/* ---- the laws ---- */

static bool apply(struct world *w, struct merge_result r)
{
	for (int s = 0; s < SIDE_COUNT; s++) {
		if (r.action == MERGE_WRITE)
			w->shown[s] = w->agreed[s] = w->shown[r.from];
		else if (r.action == MERGE_ADOPT && w->shown[s] != NOT)
			w->agreed[s] = w->shown[s];
	}
	return r.action != MERGE_READ;
}

static void check_that_once_is_enough(const struct world *w)
{
	struct world after = *w;

	if (apply(&after, merge(w)))
		assert_int_equal(merge(&after).action, MERGE_NOTHING);
}

static struct world mirror(const struct world *w)
{
	static const enum winner winners[] = { WINNER_BY_LINK, WINNER_DYNAMICS, WINNER_MARKETO };
	static const enum direction directions[] = { DIRECTION_BOTH, DIRECTION_TO_DYNAMICS,
						     DIRECTION_TO_MARKETO };

	return (struct world){
		.domain = w->domain,
		.shown = { w->shown[1], w->shown[0] },
		.agreed = { w->agreed[1], w->agreed[0] },
		.can_write = { w->can_write[1], w->can_write[0] },
		.winner = winners[w->winner],
		.direction = directions[w->direction],
		.table = w->table == TABLE_LEAD ? TABLE_CONTACT : TABLE_LEAD,
	};
}

static void check_symmetry(const struct world *w)
{
	static const enum merge_rule rules[RULE_COUNT] = {
		[RULE_ONLY_CHANGE] = RULE_ONLY_CHANGE,
		[RULE_LEAD_MARKETO_WINS] = RULE_CONTACT_DYNAMICS_WINS,
		[RULE_CONTACT_DYNAMICS_WINS] = RULE_LEAD_MARKETO_WINS,
		[RULE_FIELD_MARKETO_WINS] = RULE_FIELD_DYNAMICS_WINS,
		[RULE_FIELD_DYNAMICS_WINS] = RULE_FIELD_MARKETO_WINS,
		[RULE_ONE_WAY] = RULE_ONE_WAY,
		[RULE_FILL_EMPTY] = RULE_FILL_EMPTY,
		[RULE_OPT_OUT_SPREADS] = RULE_OPT_OUT_SPREADS,
	};
	struct world turned = mirror(w);
	struct merge_result a = merge(w), b = merge(&turned);

	assert_int_equal(a.action, b.action);
	assert_int_equal(a.is_collision, b.is_collision);
	assert_int_equal(rules[a.rule], b.rule);
	if (a.action == MERGE_WRITE || a.action == MERGE_READ)
		assert_int_equal(a.from, side_other(b.from));
}

/* INV-CONSENT: true is overwritten only by a side that had true itself and was changed since. */
static void check_consent(const struct world *w)
{
	struct merge_result r = merge(w);
	int target = !r.from;

	if (r.action != MERGE_WRITE || !w->domain->is_consent || is_true(w, r.from) ||
	    !is_true(w, target))
		return;
	assert_true(w->shown[target] == w->agreed[target]);
	assert_true(w->agreed[r.from] != NOT && w->agreed[r.from] != w->shown[r.from]);
}

static void check_what_always_holds(const struct world *w)
{
	struct merge_result r = merge(w);

	assert_true(r.rule >= 0 && r.rule < RULE_COUNT);
	if (r.action == MERGE_WRITE) {
		assert_true(w->can_write[!r.from]);
		assert_true(w->shown[r.from] != NOT);
		assert_true(r.rule != RULE_NONE);
	} else {
		assert_false(r.is_collision);
	}
	if (r.is_collision)
		assert_true(w->shown[0] != NOT && w->shown[1] != NOT && w->shown[0] != w->shown[1]);
}

static bool may_be_written(const struct world *w)
{
	return !(w->can_write[SIDE_MARKETO] && w->direction == DIRECTION_TO_DYNAMICS) &&
	       !(w->can_write[SIDE_DYNAMICS] && w->direction == DIRECTION_TO_MARKETO);
}

/* All combinations; those whose rights contradict the direction are left to the one check that
 * takes them. */
static void for_every_world(void (*check)(const struct world *), bool is_any)
{
	size_t n = 0;

	for (int i = 0; i < 3 * 3 * 3 * 2 * 4 * 256; i++) {
		int rest = i;
		struct world w = { .domain = &domains[rest % 3] };

		rest /= 3;
		w.winner = (enum winner)(rest % 3);
		rest /= 3;
		w.direction = (enum direction)(rest % 3);
		rest /= 3;
		w.table = rest % 2 ? TABLE_LEAD : TABLE_CONTACT;
		rest /= 2;
		for (int s = 0; s < SIDE_COUNT; s++) {
			w.can_write[s] = rest % 2;
			w.shown[s] = rest / 2 % 4 - 1;
			w.agreed[s] = rest / 8 % 4 - 1;
			rest /= 32;
		}
		if (!is_any && !may_be_written(&w))
			continue;
		check(&w);
		n++;
	}
	assert_int_equal(n, is_any ? 55296 : 36864);
}

static void every_state_is_as_the_oracle_says(void **state)
{
	(void)state;
	for_every_world(check_against_oracle, false);
}

static void applied_once_nothing_is_left(void **state)
{
	(void)state;
	for_every_world(check_that_once_is_enough, true);
}

static void sides_are_treated_alike(void **state)
{
	(void)state;
	for_every_world(check_symmetry, true);
}

static void an_opt_out_is_never_lost(void **state)
{
	(void)state;
	for_every_world(check_consent, true);
}

static void every_answer_makes_sense(void **state)
{
	(void)state;
	for_every_world(check_what_always_holds, true);
}

static void rules_have_names_and_texts(void **state)
{
	(void)state;
	assert_string_equal(merge_rule_name(RULE_CONTACT_DYNAMICS_WINS), "contact_dynamics_wins");
	for (int r = 0; r < RULE_COUNT; r++) {
		assert_true(strlen(merge_rule_text((enum merge_rule)r)) > 0);
		for (int k = 0; k < r; k++)
			assert_string_not_equal(merge_rule_name((enum merge_rule)r),
						merge_rule_name((enum merge_rule)k));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_is_as_the_oracle_says),
		cmocka_unit_test(applied_once_nothing_is_left),
		cmocka_unit_test(sides_are_treated_alike),
		cmocka_unit_test(an_opt_out_is_never_lost),
		cmocka_unit_test(every_answer_makes_sense),
		cmocka_unit_test(rules_have_names_and_texts),
	};

	return RUN(tests);
}
