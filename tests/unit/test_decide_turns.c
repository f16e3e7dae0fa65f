/* What decide remembers of a field besides its fingerprints: the last event, turns of a value that
 * bounces, edits that were covered and are put back, and empty values that stay. */
#include "tests/unit/scene.h"

static const uint16_t name_slot = 3; /* fixture_slots[FIXTURE_NAME] */

static void begin_in_cycle(struct scene *s, enum table table, uint32_t cycle)
{
	begin(s, table);
	s->in.cycle = cycle;
	s->in.now_s = 1000 + cycle;
}

static void expect_event(const struct scene *s, size_t i, enum fixture_field f, enum side target,
			 enum merge_rule rule, unsigned turns)
{
	const struct field_event *e = &s->plan.event[i];

	assert_true(i < s->plan.event_count);
	assert_int_equal(e->slot, fixture_slots[f]);
	assert_int_equal(e->target, target);
	assert_int_equal(e->rule, rule);
	assert_int_equal(e->turns, turns);
	assert_int_equal(e->is_given_up, s->plan.write_count[target] == 0);
	assert_int_equal(e->cycle, s->in.cycle);
	assert_int_equal(e->at_s, s->in.now_s);
}

/* ---- events ---- */

static void every_write_leaves_an_event(void **state)
{
	struct scene s;

	(void)state;
	begin_in_cycle(&s, TABLE_LEAD, 7);
	set(&s, SIDE_MARKETO, FIXTURE_NAME, "Eva");
	set(&s, SIDE_DYNAMICS, FIXTURE_NAME, "Ida");
	set(&s, SIDE_DYNAMICS, FIXTURE_FLAG, "+");
	set(&s, SIDE_MARKETO, FIXTURE_PHONES, "+");
	decide(&s.in, &s.arena, &s.plan);
	assert_int_equal(s.plan.event_count, 3);
	expect_event(&s, 0, FIXTURE_NAME, SIDE_DYNAMICS, RULE_LEAD_MARKETO_WINS, 0);
	expect_event(&s, 1, FIXTURE_PHONES, SIDE_DYNAMICS, RULE_ONLY_CHANGE, 0);
	expect_event(&s, 2, FIXTURE_FLAG, SIDE_MARKETO, RULE_ONLY_CHANGE, 0);
	end(&s);
}

static void a_change_that_is_given_up_leaves_an_event(void **state)
{
	struct scene s;

	(void)state;
	begin_in_cycle(&s, TABLE_CONTACT, 7);
	set(&s, SIDE_MARKETO, FIXTURE_STATUS, "Mine");  /* to Marketo only */
	set(&s, SIDE_DYNAMICS, FIXTURE_TOPIC, "Yours"); /* to Dynamics only */
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 0, 0, 0);
	assert_int_equal(s.plan.event_count, 2);
	expect_event(&s, 0, FIXTURE_STATUS, SIDE_DYNAMICS, RULE_ONE_WAY, 0);
	expect_event(&s, 1, FIXTURE_TOPIC, SIDE_MARKETO, RULE_ONE_WAY, 0);
	assert_true(s.plan.is_changed);
	carry_out(&s);
	decide(&s.in, &s.arena, &s.plan);
	assert_int_equal(s.plan.event_count, 0);
	assert_false(s.plan.is_changed);
	end(&s);
}

static void what_is_no_news_leaves_no_event(void **state)
{
	struct scene s;

	(void)state;
	begin_in_cycle(&s, TABLE_LEAD, 7);
	set(&s, SIDE_MARKETO, FIXTURE_NAME, "Eva"); /* both the same */
	set(&s, SIDE_DYNAMICS, FIXTURE_NAME, "Eva");
	agree(&s, SIDE_MARKETO, FIXTURE_STATUS, NULL); /* first contact, may not travel */
	agree(&s, SIDE_DYNAMICS, FIXTURE_STATUS, NULL);
	set(&s, SIDE_MARKETO, FIXTURE_STATUS, "Known");
	set(&s, SIDE_MARKETO, FIXTURE_SOURCE, "Pigeon"); /* refused: the error tells it */
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 0, 0, 1);
	assert_int_equal(s.plan.event_count, 0);
	end(&s);
}

static void a_failed_write_takes_its_event_along(void **state)
{
	struct err err = { .kind = ERR_REFUSED, .text = "no" };
	struct scene s;

	(void)state;
	begin_in_cycle(&s, TABLE_LEAD, 7);
	set(&s, SIDE_MARKETO, FIXTURE_NAME, "Eva");
	set(&s, SIDE_MARKETO, FIXTURE_FLAG, "+");
	decide(&s.in, &s.arena, &s.plan);
	assert_int_equal(s.plan.event_count, 2);
	decide_drop(&s.in, &s.plan, SIDE_DYNAMICS, FIXTURE_NAME, &err, &s.arena);
	assert_int_equal(s.plan.event_count, 1);
	expect_event(&s, 0, FIXTURE_FLAG, SIDE_DYNAMICS, RULE_ONLY_CHANGE, 0);
	decide_drop(&s.in, &s.plan, SIDE_DYNAMICS, PARKED_WHOLE_RECORD, &err, &s.arena);
	assert_int_equal(s.plan.event_count, 0);
	assert_false(s.plan.is_changed);
	end(&s);
}

/* ---- turns ---- */

/* Whatever one side is sent, something there changes at once. Ends in the cycle that has frozen the
 * field: Dynamics shows "D2", which does not go to Marketo any more. */
static void bounce(struct scene *s)
{
	static const struct {
		enum side from;
		const char *text;
	} turns[] = {
		{ SIDE_MARKETO, "M1" },
		{ SIDE_DYNAMICS, "D1" },
		{ SIDE_MARKETO, "M2" },
	};

	begin_in_cycle(s, TABLE_LEAD, 40);
	for (unsigned i = 0; i < ARRAY_LEN(turns); i++) {
		enum side target = side_other(turns[i].from);

		set(s, turns[i].from, FIXTURE_NAME, turns[i].text);
		decide(&s->in, &s->arena, &s->plan);
		assert_int_equal(s->plan.refusal_count, 0);
		assert_int_equal(s->plan.write_count[target], 1);
		expect_write(s, target, 0, FIXTURE_NAME, turns[i].text);
		expect_event(s, 0, FIXTURE_NAME, target, RULE_ONLY_CHANGE, i);
		carry_out(s);
	}
	set(s, SIDE_DYNAMICS, FIXTURE_NAME, "D2");
	decide(&s->in, &s->arena, &s->plan);
}

static void a_value_that_keeps_coming_back_is_frozen(void **state)
{
	struct scene s;

	(void)state;
	bounce(&s);
	expect_counts(&s, 0, 0, 0, 1);
	assert_int_equal(s.plan.refusal[0].index, FIXTURE_NAME);
	assert_int_equal(s.plan.refusal[0].target, SIDE_MARKETO);
	assert_true(s.plan.refusal[0].fingerprint == fixture_fingerprint("D2"));
	assert_string_equal(s.plan.refusal[0].err.code, "BOUNCES");
	assert_int_equal(s.plan.refusal[0].err.kind, ERR_REFUSED);
	assert_int_equal(s.plan.event_count, 1);
	expect_event(&s, 0, FIXTURE_NAME, SIDE_MARKETO, RULE_BOUNCES, 0);
	assert_true(s.plan.is_changed);
	carry_out(&s);
	for (int i = 0; i < 5; i++) { /* and stays so, reported once */
		decide(&s.in, &s.arena, &s.plan);
		expect_counts(&s, 0, 0, 0, 0);
		assert_int_equal(s.plan.event_count, 0);
		assert_false(s.plan.is_changed);
		carry_out(&s);
	}
	set(&s, SIDE_MARKETO, FIXTURE_FLAG, "+"); /* other fields go on */
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 1, 0, 0);
	end(&s);
}

static void a_later_change_sets_a_frozen_field_free(void **state)
{
	static const struct {
		enum side by;
		size_t collisions; /* with the value that was left standing */
	} rows[] = { { SIDE_DYNAMICS, 0 }, { SIDE_MARKETO, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s;

		bounce(&s);
		carry_out(&s);
		set(&s, rows[i].by, FIXTURE_NAME, "Eva");
		decide(&s.in, &s.arena, &s.plan);
		assert_int_equal(s.plan.write_count[side_other(rows[i].by)], 1);
		expect_write(&s, side_other(rows[i].by), 0, FIXTURE_NAME, "Eva");
		assert_int_equal(s.plan.collision_count, rows[i].collisions);
		assert_int_equal(s.plan.refusal_count, 0);
		assert_true(s.plan.event[0].turns < 2); /* it counts anew */
		end(&s);
	}
}

static void turns_are_counted_between_cycles_that_are_near(void **state)
{
	static const struct {
		struct field_event last;
		uint32_t cycle;
		unsigned turns; /* of the next event; DECIDE_TURNS_MAX: frozen */
	} rows[] = {
		{ { .target = SIDE_MARKETO, .turns = 0, .cycle = 10 }, 10, 0 + 1 },
		{ { .target = SIDE_MARKETO, .turns = 1, .cycle = 10 }, 11, 2 },
		{ { .target = SIDE_MARKETO, .turns = 1, .cycle = 10 }, 12, 2 },
		{ { .target = SIDE_MARKETO, .turns = 1, .cycle = 10 }, 13, 0 },
		{ { .target = SIDE_MARKETO, .turns = 2, .cycle = 10 }, 12, DECIDE_TURNS_MAX },
		{ { .target = SIDE_MARKETO, .turns = 2, .cycle = 10 }, 13, 0 },
		{ { .target = SIDE_MARKETO, .turns = 127, .cycle = 10 }, 11, DECIDE_TURNS_MAX },
		/* the same side changes again: nothing came back */
		{ { .target = SIDE_DYNAMICS, .turns = 2, .cycle = 10 }, 11, 0 },
		/* written by a real-time call, outside of any cycle */
		{ { .target = SIDE_MARKETO, .turns = 2, .cycle = 0 }, 1, 0 },
		{ { .target = SIDE_MARKETO, .turns = 2, .cycle = 1 }, 0, 0 },
		/* nothing was written, so nothing can have come back */
		{ { .target = SIDE_MARKETO, .is_given_up = true, .turns = 2, .cycle = 10 }, 11, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct field_event last = rows[i].last;
		bool is_frozen = rows[i].turns == DECIDE_TURNS_MAX;
		struct scene s;

		last.slot = name_slot;
		begin_in_cycle(&s, TABLE_CONTACT, rows[i].cycle);
		link_note_events(&s.link, &last, 1, &s.arena);
		set(&s, SIDE_MARKETO, FIXTURE_NAME, "Eva");
		decide(&s.in, &s.arena, &s.plan);
		expect_counts(&s, 0, is_frozen ? 0 : 1, 0, is_frozen ? 1 : 0);
		if (is_frozen)
			expect_event(&s, 0, FIXTURE_NAME, SIDE_DYNAMICS, RULE_BOUNCES, 0);
		else
			expect_event(&s, 0, FIXTURE_NAME, SIDE_DYNAMICS, RULE_ONLY_CHANGE,
				     rows[i].turns);
		end(&s);
	}
}

/* ---- covered edits ---- */

static const struct field_write covered = { FIXTURE_NAME,
					    { .kind = VALUE_TEXT, .text = { "Eva", 3 } } };

/* A lead: we wrote "Ada" into Marketo and covered "Eva" by that. */
static void begin_covered(struct scene *s)
{
	begin_in_cycle(s, TABLE_LEAD, 7);
	s->in.restore = &covered;
	s->in.restore_count = 1;
}

static void a_covered_edit_is_put_back_and_travels(void **state)
{
	struct scene s;

	(void)state;
	begin_covered(&s);
	s.in.seen[SIDE_DYNAMICS] = NULL;
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 1, 1, 0, 0);
	expect_write(&s, SIDE_MARKETO, 0, FIXTURE_NAME, "Eva");
	expect_write(&s, SIDE_DYNAMICS, 0, FIXTURE_NAME, "Eva");
	for (int side = 0; side < SIDE_COUNT; side++)
		assert_true(planned(&s, (enum side)side, FIXTURE_NAME) ==
			    fixture_fingerprint("Eva"));
	carry_out(&s);
	s.in.restore_count = 0;
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 0, 0, 0);
	end(&s);
}

static void a_covered_edit_against_what_dynamics_says_now(void **state)
{
	static const struct {
		enum table table;
		const char *dynamics;
		size_t to_marketo, to_dynamics, collisions;
		const char *marketo; /* what is written there */
	} rows[] = {
		{ TABLE_LEAD, "Ida", 1, 1, 1, "Eva" },    /* Marketo wins this too */
		{ TABLE_CONTACT, "Ida", 1, 0, 1, "Ida" }, /* lost: one write, not two */
		{ TABLE_LEAD, "Eva", 1, 0, 0, "Eva" },    /* there already */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s;

		begin_covered(&s);
		s.link.table = rows[i].table;
		set(&s, SIDE_DYNAMICS, FIXTURE_NAME, rows[i].dynamics);
		decide(&s.in, &s.arena, &s.plan);
		expect_counts(&s, rows[i].to_marketo, rows[i].to_dynamics, rows[i].collisions, 0);
		expect_write(&s, SIDE_MARKETO, 0, FIXTURE_NAME, rows[i].marketo);
		end(&s);
	}
}

static void a_covered_edit_dynamics_cannot_hold_is_still_put_back(void **state)
{
	static const struct field_write long_one = {
		FIXTURE_NAME, { .kind = VALUE_TEXT, .text = { "elevenchars", 11 } }
	};
	struct scene s;

	(void)state;
	begin_covered(&s);
	s.in.restore = &long_one;
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 1, 0, 0, 1);
	expect_write(&s, SIDE_MARKETO, 0, FIXTURE_NAME, "elevenchars");
	carry_out(&s);
	s.in.restore_count = 0;
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 0, 0, 0); /* parked */
	s.link.parked_count = 0;       /* an operator says: try again */
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 0, 0, 1);
	end(&s);
}

static void without_the_right_nothing_is_put_back(void **state)
{
	struct scene s;

	(void)state;
	begin_covered(&s);
	scene_rights(&s, FIXTURE_NAME, false, true);
	decide(&s.in, &s.arena, &s.plan);
	assert_int_equal(s.plan.write_count[SIDE_MARKETO], 0);
	s.in.seen[SIDE_MARKETO] = NULL;
	decide(&s.in, &s.arena, &s.plan);
	assert_int_equal(s.plan.write_count[SIDE_MARKETO], 0);
	end(&s);
}

/* ---- empty values that stay ---- */

static void begin_staying(struct scene *s, enum table table, struct field fields[FIXTURE_COUNT])
{
	memcpy(fields, fixture_fields, sizeof(fixture_fields));
	fields[FIXTURE_NAME].empty = EMPTY_STAYS;
	begin_in_cycle(s, table, 7);
	mapping_free(s->mapping);
	s->mapping = mapping_new(&(struct field_set){ .fields = fields, .count = FIXTURE_COUNT },
				 fixture_slots, fixture_schemas);
	s->in.mapping = s->mapping;
}

static void an_empty_value_stays_where_it_is(void **state)
{
	struct field fields[FIXTURE_COUNT];

	(void)state;
	for (int i = 0; i < SIDE_COUNT; i++) {
		enum side side = (enum side)i, other = side_other(side);
		struct scene s;

		begin_staying(&s, TABLE_LEAD, fields);
		set(&s, side, FIXTURE_NAME, "");
		decide(&s.in, &s.arena, &s.plan);
		expect_counts(&s, 0, 0, 0, 0);
		assert_int_equal(s.plan.event_count, 1);
		expect_event(&s, 0, FIXTURE_NAME, other, RULE_EMPTY_STAYS, 0);
		carry_out(&s);
		decide(&s.in, &s.arena, &s.plan);
		expect_counts(&s, 0, 0, 0, 0);
		assert_int_equal(s.plan.event_count, 0);
		set(&s, other, FIXTURE_NAME, "Eva"); /* the next value fills the gap */
		decide(&s.in, &s.arena, &s.plan);
		assert_int_equal(s.plan.write_count[side], 1);
		expect_write(&s, side, 0, FIXTURE_NAME, "Eva");
		end(&s);
	}
}

static void an_empty_winner_loses(void **state)
{
	static const enum table tables[] = { TABLE_LEAD, TABLE_CONTACT };
	struct field fields[FIXTURE_COUNT];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		enum side winner = tables[i] == TABLE_LEAD ? SIDE_MARKETO : SIDE_DYNAMICS;
		struct scene s;

		begin_staying(&s, tables[i], fields);
		set(&s, winner, FIXTURE_NAME, "");
		set(&s, side_other(winner), FIXTURE_NAME, "Eva");
		decide(&s.in, &s.arena, &s.plan);
		assert_int_equal(s.plan.write_count[winner], 1);
		assert_int_equal(s.plan.write_count[side_other(winner)], 0);
		expect_write(&s, winner, 0, FIXTURE_NAME, "Eva");
		assert_int_equal(s.plan.collision_count, 1);
		assert_int_equal(s.plan.collision[0].rule, RULE_EMPTY_STAYS);
		end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_write_leaves_an_event),
		cmocka_unit_test(a_change_that_is_given_up_leaves_an_event),
		cmocka_unit_test(what_is_no_news_leaves_no_event),
		cmocka_unit_test(a_failed_write_takes_its_event_along),
		cmocka_unit_test(a_value_that_keeps_coming_back_is_frozen),
		cmocka_unit_test(a_later_change_sets_a_frozen_field_free),
		cmocka_unit_test(turns_are_counted_between_cycles_that_are_near),
		cmocka_unit_test(a_covered_edit_is_put_back_and_travels),
		cmocka_unit_test(a_covered_edit_against_what_dynamics_says_now),
		cmocka_unit_test(a_covered_edit_dynamics_cannot_hold_is_still_put_back),
		cmocka_unit_test(without_the_right_nothing_is_put_back),
		cmocka_unit_test(an_empty_value_stays_where_it_is),
		cmocka_unit_test(an_empty_winner_loses),
	};

	return RUN(tests);
}
