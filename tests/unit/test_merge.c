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
	enum empty_rule empty;
	enum table table;
};

static struct merge_result merge(const struct world *w)
{
	struct field field = { .name = "f",
			       .winner = w->winner,
			       .direction = w->direction,
			       .empty = w->empty,
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

/* Who asks for its value to be on both sides, and who is heard. */
struct voices {
	int speaker; /* NOT: nobody */
	bool both_spoke, had_agreed, is_opt_out;
	bool is_newcomer; /* the speaker's half of the link is new, the other's is unchanged */
};

static enum side preferred(const struct world *w)
{
	const enum side by_winner[] = { [WINNER_BY_LINK] = w->table == TABLE_LEAD ? SIDE_MARKETO
										  : SIDE_DYNAMICS,
					[WINNER_MARKETO] = SIDE_MARKETO,
					[WINNER_DYNAMICS] = SIDE_DYNAMICS };

	return by_winner[w->winner];
}

static bool speaks(const struct world *w, int s, bool had_agreed)
{
	if (w->shown[s] == NOT || w->shown[0] == w->shown[1])
		return false;
	if (had_agreed)
		return w->shown[s] != w->agreed[s] &&
		       !(w->shown[!s] == NOT && w->shown[s] == w->agreed[!s]);
	/* A false that nobody ever set says nothing to an empty side, and nothing about consent. */
	if (w->domain != &domains[0] && w->shown[s] == 1)
		return !w->domain->is_consent && w->shown[!s] != 0;
	return w->shown[s] > 0;
}

static bool is_empty_that_stays(const struct world *w, int s)
{
	return w->empty == EMPTY_STAYS && w->shown[s] == 0;
}

static bool may_travel(const struct world *w, int from)
{
	return w->direction == DIRECTION_BOTH ||
	       (from == SIDE_DYNAMICS) == (w->direction == DIRECTION_TO_MARKETO);
}

/* Who takes a link over was chosen for what it shows, as long as nobody changed the half that
 * stayed. A field that does not lead away from it has no say. */
static bool is_newcomer(const struct world *w, int s)
{
	return w->agreed[s] == NOT && w->agreed[!s] != NOT && w->shown[!s] == w->agreed[!s] &&
	       may_travel(w, s) && speaks(w, s, false);
}

static struct voices listen(const struct world *w)
{
	struct voices v = { .had_agreed = w->agreed[0] != NOT && w->agreed[1] != NOT };
	bool is_speaking[SIDE_COUNT];
	int loud[SIDE_COUNT];

	for (int s = 0; s < SIDE_COUNT; s++) {
		is_speaking[s] = speaks(w, s, v.had_agreed) && !is_newcomer(w, !s);
		v.is_newcomer |= is_newcomer(w, s);
		loud[s] = (is_speaking[s] ? 100 : 0) + ((int)preferred(w) == s ? 1 : 0) -
			  (is_empty_that_stays(w, s) ? 2 : 0) - (w->can_write[!s] ? 0 : 5) +
			  (w->direction != DIRECTION_BOTH && may_travel(w, s) ? 10 : 0) +
			  (w->domain->is_consent && is_true(w, s) ? 20 : 0);
	}
	v.both_spoke = is_speaking[0] && is_speaking[1];
	v.speaker = loud[0] > loud[1] ? 0 : 1;
	if (!is_speaking[v.speaker])
		v.speaker = NOT;
	v.is_opt_out = v.speaker != NOT && w->domain->is_consent && is_true(w, v.speaker) &&
		       !is_true(w, !v.speaker);
	return v;
}

static enum merge_action expected_action(const struct world *w, const struct voices *v,
					 enum merge_rule *ret_rule)
{
	*ret_rule = RULE_NONE;
	if (v->speaker == NOT)
		return MERGE_ADOPT;
	*ret_rule = RULE_ONE_WAY;
	if (!may_travel(w, v->speaker))
		return MERGE_ADOPT;
	if (!w->can_write[!v->speaker]) {
		*ret_rule = RULE_NONE;
		return MERGE_WAIT;
	}
	*ret_rule = RULE_EMPTY_STAYS;
	return is_empty_that_stays(w, v->speaker) ? MERGE_ADOPT : MERGE_WRITE;
}

static enum merge_rule expected_rule_of_write(const struct world *w, const struct voices *v)
{
	if (v->is_newcomer || (!v->both_spoke && v->had_agreed))
		return RULE_ONLY_CHANGE;
	if (v->is_opt_out)
		return RULE_OPT_OUT_SPREADS;
	if (!v->both_spoke)
		return RULE_FILL_EMPTY;
	if (w->direction != DIRECTION_BOTH)
		return RULE_ONE_WAY;
	if (v->speaker != (int)preferred(w))
		return is_empty_that_stays(w, !v->speaker) ? RULE_EMPTY_STAYS : RULE_ONE_WAY;
	if (w->winner != WINNER_BY_LINK)
		return v->speaker == SIDE_MARKETO ? RULE_FIELD_MARKETO_WINS
						  : RULE_FIELD_DYNAMICS_WINS;
	return v->speaker == SIDE_MARKETO ? RULE_LEAD_MARKETO_WINS : RULE_CONTACT_DYNAMICS_WINS;
}

static void check_against_oracle(const struct world *w)
{
	struct merge_result r = merge(w);
	struct voices v = listen(w);
	enum merge_rule rule;
	bool is_new = false;

	if (!v.had_agreed && (w->shown[0] == NOT) != (w->shown[1] == NOT)) {
		/* What may go nowhere is not worth a read. */
		assert_int_equal(r.action,
				 w->can_write[0] || w->can_write[1] ? MERGE_READ : MERGE_NOTHING);
		if (r.action == MERGE_READ)
			assert_int_equal(r.from, w->shown[0] == NOT ? 0 : 1);
		return;
	}
	for (int s = 0; s < SIDE_COUNT; s++)
		is_new = is_new || (w->shown[s] != NOT && w->shown[s] != w->agreed[s]);
	if (!is_new) {
		assert_int_equal(r.action, MERGE_NOTHING);
		assert_int_equal(r.rule, RULE_NONE);
		return;
	}
	assert_int_equal(r.action, expected_action(w, &v, &rule));
	if (r.action == MERGE_WAIT)
		assert_int_equal(r.from, v.speaker);
	if (r.action != MERGE_WRITE) {
		assert_int_equal(r.rule, rule);
		return;
	}
	assert_int_equal(r.rule, expected_rule_of_write(w, &v));
	assert_int_equal(r.from, v.speaker);
	assert_int_equal(r.is_collision, v.both_spoke && (v.had_agreed || !v.is_opt_out));
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
	struct merge_result r = merge(w);
	struct world after = *w;

	/* What waits for a right goes on waiting. */
	if (apply(&after, r))
		assert_int_equal(merge(&after).action,
				 r.action == MERGE_WAIT ? MERGE_WAIT : MERGE_NOTHING);
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
		.empty = w->empty,
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
		[RULE_EMPTY_STAYS] = RULE_EMPTY_STAYS,
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
		assert_true(w->can_write[!r.from] && may_travel(w, r.from));
		assert_false(w->empty == EMPTY_STAYS && w->shown[r.from] == 0);
		assert_true(w->shown[r.from] != NOT);
		assert_true(r.rule != RULE_NONE);
	} else {
		assert_false(r.is_collision);
	}
	if (r.is_collision)
		assert_true(w->shown[0] != NOT && w->shown[1] != NOT && w->shown[0] != w->shown[1]);
}

/* All combinations. */
static void for_every_world(void (*check)(const struct world *))
{
	size_t n = 0;

	for (int i = 0; i < 3 * 3 * 3 * 2 * 2 * 4 * 256; i++) {
		int rest = i;
		struct world w = { .domain = &domains[rest % 3] };

		rest /= 3;
		w.winner = (enum winner)(rest % 3);
		rest /= 3;
		w.direction = (enum direction)(rest % 3);
		rest /= 3;
		w.empty = rest % 2 ? EMPTY_TRAVELS : EMPTY_STAYS;
		rest /= 2;
		w.table = rest % 2 ? TABLE_LEAD : TABLE_CONTACT;
		rest /= 2;
		for (int s = 0; s < SIDE_COUNT; s++) {
			w.can_write[s] = rest % 2;
			w.shown[s] = rest / 2 % 4 - 1;
			w.agreed[s] = rest / 8 % 4 - 1;
			rest /= 32;
		}
		check(&w);
		n++;
	}
	assert_int_equal(n, 3 * 3 * 3 * 2 * 2 * 4 * 256);
}

static void every_state_is_as_the_oracle_says(void **state)
{
	(void)state;
	for_every_world(check_against_oracle);
}

static void applied_once_nothing_is_left(void **state)
{
	(void)state;
	for_every_world(check_that_once_is_enough);
}

static void sides_are_treated_alike(void **state)
{
	(void)state;
	for_every_world(check_symmetry);
}

static void an_opt_out_is_never_lost(void **state)
{
	(void)state;
	for_every_world(check_consent);
}

static void every_answer_makes_sense(void **state)
{
	(void)state;
	for_every_world(check_what_always_holds);
}

static void one_way_fields_follow_their_source_after_a_merge(void **state)
{
	static const enum direction directions[] = { DIRECTION_TO_MARKETO, DIRECTION_TO_DYNAMICS };

	(void)state;
	for (int target = 0; target < SIDE_COUNT; target++) {
		struct world w = { .domain = &domains[0],
				   .shown = { 2, 2 },
				   .agreed = { 2, 2 },
				   .can_write = { true, true },
				   .direction = directions[target],
				   .table = TABLE_CONTACT };
		struct merge_result r;

		w.shown[target] = 1; /* another record, or person, of its own value */
		w.agreed[target] = NOT;
		r = merge(&w);
		assert_int_equal(r.action, MERGE_WRITE);
		assert_int_equal(r.from, !target);
		assert_int_equal(r.rule, RULE_ONE_WAY);
		assert_true(r.is_collision);
	}
}

/* A write of ours into Marketo covered an edit. */
static const struct covering {
	struct field field;
	enum table table;
	int domain, was, now;
	enum side right;
	enum merge_rule rule;
} coverings[] = {
	{ { .name = "f" }, TABLE_LEAD, 0, 1, 2, SIDE_MARKETO, RULE_LEAD_MARKETO_WINS },
	{ { .name = "f" }, TABLE_CONTACT, 0, 1, 2, SIDE_DYNAMICS, RULE_CONTACT_DYNAMICS_WINS },
	{ { .winner = WINNER_MARKETO },
	  TABLE_CONTACT,
	  0,
	  1,
	  2,
	  SIDE_MARKETO,
	  RULE_FIELD_MARKETO_WINS },
	{ { .winner = WINNER_DYNAMICS },
	  TABLE_LEAD,
	  0,
	  1,
	  2,
	  SIDE_DYNAMICS,
	  RULE_FIELD_DYNAMICS_WINS },
	/* emptied by somebody, or by us: a change like any other */
	{ { .name = "f" }, TABLE_LEAD, 0, 0, 2, SIDE_MARKETO, RULE_LEAD_MARKETO_WINS },
	{ { .name = "f" }, TABLE_CONTACT, 0, 1, 0, SIDE_DYNAMICS, RULE_CONTACT_DYNAMICS_WINS },
	/* unless the field says otherwise */
	{ { .empty = EMPTY_STAYS }, TABLE_LEAD, 0, 0, 2, SIDE_DYNAMICS, RULE_EMPTY_STAYS },
	{ { .empty = EMPTY_STAYS }, TABLE_CONTACT, 0, 1, 0, SIDE_MARKETO, RULE_EMPTY_STAYS },
	{ { .empty = EMPTY_STAYS },
	  TABLE_CONTACT,
	  0,
	  1,
	  2,
	  SIDE_DYNAMICS,
	  RULE_CONTACT_DYNAMICS_WINS },
	/* whoever wins otherwise, an opt-out stays */
	{ { .is_consent = true }, TABLE_CONTACT, 2, 2, 1, SIDE_MARKETO, RULE_OPT_OUT_SPREADS },
	{ { .is_consent = true }, TABLE_LEAD, 2, 1, 2, SIDE_DYNAMICS, RULE_OPT_OUT_SPREADS },
	{ { .is_consent = true, .winner = WINNER_DYNAMICS },
	  TABLE_LEAD,
	  2,
	  2,
	  0,
	  SIDE_MARKETO,
	  RULE_OPT_OUT_SPREADS },
	{ { .is_consent = true, .empty = EMPTY_STAYS },
	  TABLE_LEAD,
	  2,
	  0,
	  2,
	  SIDE_DYNAMICS,
	  RULE_OPT_OUT_SPREADS },
	{ { .is_consent = true }, TABLE_LEAD, 2, 0, 1, SIDE_MARKETO, RULE_LEAD_MARKETO_WINS },
	/* the same values without a consent field are no opt-out */
	{ { .name = "f" }, TABLE_CONTACT, 1, 2, 1, SIDE_DYNAMICS, RULE_CONTACT_DYNAMICS_WINS },
	/* nothing that people write into Marketo may go to Dynamics: what we wrote stays */
	{ { .direction = DIRECTION_TO_MARKETO }, TABLE_LEAD, 0, 1, 2, SIDE_DYNAMICS, RULE_ONE_WAY },
	{ { .direction = DIRECTION_TO_MARKETO, .winner = WINNER_MARKETO },
	  TABLE_LEAD,
	  0,
	  1,
	  2,
	  SIDE_DYNAMICS,
	  RULE_ONE_WAY },
	{ { .direction = DIRECTION_TO_MARKETO, .empty = EMPTY_STAYS },
	  TABLE_LEAD,
	  0,
	  1,
	  0,
	  SIDE_DYNAMICS,
	  RULE_ONE_WAY },
};

static void a_covered_edit_is_judged_like_a_collision(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(coverings); i++) {
		const struct covering *c = &coverings[i];
		const struct value *values = domains[c->domain].value;
		enum merge_rule rule = RULE_COUNT;

		assert_int_equal(merge_covered(c->table, &c->field, &values[c->was],
					       &values[c->now], &rule),
				 c->right);
		assert_int_equal(rule, c->rule);
	}
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
		cmocka_unit_test(one_way_fields_follow_their_source_after_a_merge),
		cmocka_unit_test(a_covered_edit_is_judged_like_a_collision),
		cmocka_unit_test(rules_have_names_and_texts),
	};

	return RUN(tests);
}
