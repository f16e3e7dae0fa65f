/* From a link and what the sides show to a plan: the book-keeping around merge_field. */
#include "tests/unit/scene.h"

static void nothing_changed_means_nothing_written(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, TABLE_LEAD);
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 0, 0, 0);
	assert_false(s.plan.is_changed);
	s.in.seen[SIDE_DYNAMICS] = NULL;
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 0, 0, 0);
	assert_false(s.plan.must_read[SIDE_DYNAMICS] || s.plan.is_changed);
	end(&s);
}

static void different_fields_of_one_record_both_travel(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, TABLE_CONTACT);
	set(&s, SIDE_MARKETO, FIXTURE_NAME, "Eva");
	set(&s, SIDE_DYNAMICS, FIXTURE_FLAG, "+");
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 1, 1, 0, 0);
	expect_write(&s, SIDE_DYNAMICS, 0, FIXTURE_NAME, "Eva");
	expect_write(&s, SIDE_MARKETO, 0, FIXTURE_FLAG, "+");
	assert_true(planned(&s, SIDE_MARKETO, FIXTURE_NAME) == fixture_fingerprint("Eva"));
	assert_true(planned(&s, SIDE_DYNAMICS, FIXTURE_NAME) == fixture_fingerprint("Eva"));
	assert_true(s.plan.is_changed);
	end(&s);
}

static void a_collision_keeps_both_values(void **state)
{
	struct scene s;

	(void)state;
	for (int t = TABLE_LEAD; t <= TABLE_CONTACT; t++) {
		enum side winner = t == TABLE_LEAD ? SIDE_MARKETO : SIDE_DYNAMICS;

		begin(&s, (enum table)t);
		set(&s, SIDE_MARKETO, FIXTURE_NAME, "Eva");
		set(&s, SIDE_DYNAMICS, FIXTURE_NAME, "Ida");
		decide(&s.in, &s.arena, &s.plan);
		expect_counts(&s, winner != SIDE_MARKETO, winner != SIDE_DYNAMICS, 1, 0);
		expect_write(&s, side_other(winner), 0, FIXTURE_NAME,
			     winner == SIDE_MARKETO ? "Eva" : "Ida");
		assert_int_equal(s.plan.collision[0].winner, winner);
		assert_int_equal(s.plan.collision[0].index, FIXTURE_NAME);
		assert_str(s.plan.collision[0].value[SIDE_MARKETO].text, "Eva");
		assert_str(s.plan.collision[0].value[SIDE_DYNAMICS].text, "Ida");
		end(&s);
	}
}

static void without_history_the_other_side_is_read_first(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, TABLE_LEAD);
	agree(&s, SIDE_DYNAMICS, FIXTURE_NAME, NULL);
	set(&s, SIDE_MARKETO, FIXTURE_FLAG, "+");
	s.in.seen[SIDE_DYNAMICS] = NULL;
	decide(&s.in, &s.arena, &s.plan);
	assert_true(s.plan.must_read[SIDE_DYNAMICS]);
	assert_false(s.plan.must_read[SIDE_MARKETO]);
	expect_counts(&s, 0, 0, 0, 0); /* nothing at all was decided, the flag included */
	assert_false(s.plan.is_changed);
	assert_true(planned(&s, SIDE_MARKETO, FIXTURE_FLAG) == fixture_fingerprint("-"));
	s.in.seen[SIDE_DYNAMICS] = &s.record[SIDE_DYNAMICS];
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 1, 0, 0);
	assert_true(planned(&s, SIDE_DYNAMICS, FIXTURE_NAME) == fixture_fingerprint("Ada"));
	end(&s);
}

static void a_value_a_side_does_not_show_is_left_alone(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, TABLE_LEAD);
	set(&s, SIDE_MARKETO, FIXTURE_NAME, "Eva");
	set(&s, SIDE_DYNAMICS, FIXTURE_NAME, NULL);
	agree(&s, SIDE_DYNAMICS, FIXTURE_FLAG, NULL);
	set(&s, SIDE_DYNAMICS, FIXTURE_FLAG, NULL);
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 0, 0, 0);
	assert_false(s.plan.is_changed || s.plan.must_read[SIDE_DYNAMICS]);
	end(&s);
}

static void fields_not_on_the_table_are_left_alone(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, TABLE_CONTACT);
	set(&s, SIDE_MARKETO, FIXTURE_SOURCE, "Web");
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 0, 0, 0);
	assert_false(s.plan.is_changed);
	end(&s);
}

static void one_way_fields_keep_to_it(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, TABLE_LEAD);
	set(&s, SIDE_MARKETO, FIXTURE_STATUS, "mine");
	set(&s, SIDE_DYNAMICS, FIXTURE_TOPIC, "theirs");
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 0, 0, 0);
	assert_true(planned(&s, SIDE_MARKETO, FIXTURE_STATUS) == fixture_fingerprint("mine"));
	assert_true(planned(&s, SIDE_DYNAMICS, FIXTURE_STATUS) == fixture_fingerprint(""));
	assert_true(s.plan.is_changed);
	end(&s);
}

static void what_does_not_fit_is_refused_before_sending(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, TABLE_LEAD);
	set(&s, SIDE_MARKETO, FIXTURE_NAME, "elevenchars");
	set(&s, SIDE_DYNAMICS, FIXTURE_NAME, "Ida"); /* a collision, had it been written */
	set(&s, SIDE_MARKETO, FIXTURE_FLAG, "+");
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 1, 0, 1);
	expect_write(&s, SIDE_DYNAMICS, 0, FIXTURE_FLAG, "+");
	assert_int_equal(s.plan.refusal[0].index, FIXTURE_NAME);
	assert_int_equal(s.plan.refusal[0].target, SIDE_DYNAMICS);
	assert_true(s.plan.refusal[0].fingerprint == fixture_fingerprint("elevenchars"));
	assert_string_equal(s.plan.refusal[0].err.text,
			    "lastname holds at most 10 characters, the value has 11");
	assert_true(planned(&s, SIDE_MARKETO, FIXTURE_NAME) == fixture_fingerprint("Ada"));
	end(&s);
}

static void choices_are_written_in_their_own_spelling(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, TABLE_LEAD);
	set(&s, SIDE_MARKETO, FIXTURE_SOURCE, "word of mouth");
	decide(&s.in, &s.arena, &s.plan);
	expect_write(&s, SIDE_DYNAMICS, 0, FIXTURE_SOURCE, "Word of Mouth");
	assert_true(planned(&s, SIDE_MARKETO, FIXTURE_SOURCE) ==
		    fixture_fingerprint("word of mouth"));
	assert_true(planned(&s, SIDE_DYNAMICS, FIXTURE_SOURCE) ==
		    fixture_fingerprint("Word of Mouth"));
	set(&s, SIDE_DYNAMICS, FIXTURE_SOURCE, "Word of Mouth");
	decide(&s.in, &s.arena, &s.plan); /* it is there already, and this is no collision */
	expect_counts(&s, 0, 0, 0, 0);
	assert_true(planned(&s, SIDE_MARKETO, FIXTURE_SOURCE) ==
		    fixture_fingerprint("word of mouth"));
	end(&s);
}

static void several_options_are_sorted_and_come_once(void **state)
{
	struct scene s;

	(void)state;
	fixture_lead[FIXTURE_SOURCE].type = COLUMN_MULTI_CHOICE;
	begin(&s, TABLE_LEAD);
	set(&s, SIDE_MARKETO, FIXTURE_SOURCE, "word of mouth;;WEB; Web");
	decide(&s.in, &s.arena, &s.plan);
	expect_write(&s, SIDE_DYNAMICS, 0, FIXTURE_SOURCE, "Web;Word of Mouth");
	set(&s, SIDE_MARKETO, FIXTURE_SOURCE, ";");
	decide(&s.in, &s.arena, &s.plan); /* no option at all is nothing to write */
	expect_counts(&s, 0, 0, 0, 0);
	end(&s);
	fixture_lead[FIXTURE_SOURCE].type = COLUMN_CHOICE;
}

static void a_parked_write_waits_for_a_change(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, TABLE_LEAD);
	set(&s, SIDE_MARKETO, FIXTURE_NAME, "Eva");
	park(&s, fixture_slots[FIXTURE_NAME], SIDE_DYNAMICS, fixture_fingerprint("Eva"));
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 0, 0, 0);
	assert_false(s.plan.is_changed);
	s.in.seen[SIDE_DYNAMICS] = NULL;
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 0, 0, 0);
	assert_false(s.plan.must_read[SIDE_DYNAMICS]);
	set(&s, SIDE_MARKETO, FIXTURE_NAME,
	    "Eve"); /* another value: worth another try, but not blindly */
	decide(&s.in, &s.arena, &s.plan);
	assert_true(s.plan.must_read[SIDE_DYNAMICS]);
	s.in.seen[SIDE_DYNAMICS] = &s.record[SIDE_DYNAMICS];
	decide(&s.in, &s.arena, &s.plan);
	expect_write(&s, SIDE_DYNAMICS, 0, FIXTURE_NAME, "Eve");
	set(&s, SIDE_MARKETO, FIXTURE_NAME, "Eva");
	set(&s, SIDE_DYNAMICS, FIXTURE_NAME, "Ida"); /* the other side has changed: the same */
	decide(&s.in, &s.arena, &s.plan);
	expect_write(&s, SIDE_DYNAMICS, 0, FIXTURE_NAME, "Eva");
	end(&s);
}

static void an_edit_behind_a_parked_value_is_not_overwritten(void **state)
{
	struct scene s;

	(void)state;
	/* Marketo refused "Eva"; so Dynamics still shows it, in no fingerprint. Then Marketo is
	 * edited, Dynamics not seen. */
	begin(&s, TABLE_CONTACT);
	set(&s, SIDE_DYNAMICS, FIXTURE_NAME, "Eva");
	set(&s, SIDE_MARKETO, FIXTURE_NAME, "Ida");
	park(&s, fixture_slots[FIXTURE_NAME], SIDE_MARKETO, fixture_fingerprint("Eva"));
	s.in.seen[SIDE_DYNAMICS] = NULL;
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 0, 0, 0);
	assert_true(s.plan.must_read[SIDE_DYNAMICS]);
	end(&s);
}

static void a_side_is_read_for_a_parked_write_only_if_that_helps(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, TABLE_LEAD);
	park(&s, fixture_slots[FIXTURE_NAME], SIDE_MARKETO, fixture_fingerprint("Eva"));
	s.in.seen[SIDE_DYNAMICS] = NULL; /* it showed "Eva", and Marketo is as it was */
	decide(&s.in, &s.arena, &s.plan);
	assert_false(s.plan.must_read[SIDE_DYNAMICS]);
	set(&s, SIDE_MARKETO, FIXTURE_NAME, "Eve");
	park(&s, fixture_slots[FIXTURE_NAME], SIDE_DYNAMICS, fixture_fingerprint("Eve"));
	decide(&s.in, &s.arena, &s.plan); /* both ways are parked */
	assert_false(s.plan.must_read[SIDE_DYNAMICS]);
	agree(&s, SIDE_MARKETO, FIXTURE_NAME, NULL);
	agree(&s, SIDE_DYNAMICS, FIXTURE_NAME, NULL);
	park(&s, PARKED_WHOLE_RECORD, SIDE_MARKETO, 123);
	decide(&s.in, &s.arena, &s.plan); /* other fields may be waiting for Marketo */
	assert_true(s.plan.must_read[SIDE_DYNAMICS]);
	end(&s);
}

static void a_parked_record_waits_for_a_change(void **state)
{
	struct err err = { .kind = ERR_REFUSED, .text = "no" };
	struct scene s;

	(void)state;
	begin(&s, TABLE_LEAD);
	set(&s, SIDE_MARKETO, FIXTURE_NAME, "Eva");
	set(&s, SIDE_MARKETO, FIXTURE_FLAG, "+");
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 2, 0, 0);
	decide_drop(&s.in, &s.plan, SIDE_DYNAMICS, PARKED_WHOLE_RECORD, &err, &s.arena);
	expect_counts(&s, 0, 0, 0, 1);
	assert_false(s.plan.is_changed);
	assert_int_equal(s.plan.refusal[0].index, PARKED_WHOLE_RECORD);
	park(&s, PARKED_WHOLE_RECORD, SIDE_DYNAMICS, s.plan.refusal[0].fingerprint);
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 0, 0, 0);
	assert_false(s.plan.is_changed);
	set(&s, SIDE_MARKETO, FIXTURE_FLAG, "-"); /* less to write: another try */
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 1, 0, 0);
	set(&s, SIDE_MARKETO, FIXTURE_FLAG, "+");
	set(&s, SIDE_DYNAMICS, FIXTURE_STATUS, "Open"); /* the refusing side has changed */
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 1, 2, 0, 0);
	end(&s);
}

static void a_failed_write_is_taken_back(void **state)
{
	struct err err = { .kind = ERR_REFUSED, .text = "no" };
	struct scene s;

	(void)state;
	begin(&s, TABLE_LEAD);
	set(&s, SIDE_MARKETO, FIXTURE_NAME, "Eva");
	set(&s, SIDE_DYNAMICS, FIXTURE_NAME, "Ida");
	set(&s, SIDE_MARKETO, FIXTURE_FLAG, "+");
	set(&s, SIDE_MARKETO, FIXTURE_TOPIC, "t");
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 3, 1, 0);
	decide_drop(&s.in, &s.plan, SIDE_DYNAMICS, FIXTURE_NAME, &err, &s.arena);
	expect_counts(&s, 0, 2, 0, 1);
	expect_write(&s, SIDE_DYNAMICS, 0, FIXTURE_FLAG, "+");
	expect_write(&s, SIDE_DYNAMICS, 1, FIXTURE_TOPIC, "t");
	assert_true(s.plan.refusal[0].fingerprint == fixture_fingerprint("Eva"));
	assert_string_equal(s.plan.refusal[0].err.text, "no");
	for (int side = 0; side < SIDE_COUNT; side++) {
		assert_true(planned(&s, (enum side)side, FIXTURE_NAME) ==
			    fixture_fingerprint("Ada"));
		assert_true(planned(&s, (enum side)side, FIXTURE_FLAG) == fixture_fingerprint("+"));
	}
	assert_true(s.plan.is_changed);
	decide_drop(&s.in, &s.plan, SIDE_MARKETO, FIXTURE_FLAG, &err,
		    &s.arena); /* not written there: noted only */
	expect_counts(&s, 0, 2, 0, 2);
	assert_true(s.plan.refusal[1].fingerprint == 0);
	end(&s);
}

/* Marketo takes none of a company's fields through a person: all go out at once, the others stay. */
static void fields_of_a_company_are_taken_back_together(void **state)
{
	static const enum fixture_field companys[] = { FIXTURE_NAME, FIXTURE_STATUS };
	struct err err = { .kind = ERR_REFUSED, .text = "no" };
	struct column own[ARRAY_LEN(companys)];
	struct scene s;

	(void)state;
	begin(&s, TABLE_LEAD);
	set(&s, SIDE_DYNAMICS, FIXTURE_NAME, "Eva");
	set(&s, SIDE_DYNAMICS, FIXTURE_FLAG, "+");
	set(&s, SIDE_DYNAMICS, FIXTURE_STATUS, "Open");
	decide(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 3, 0, 0, 0);
	assert_false(decide_drop_company(&s.in, &s.plan, &err, &s.arena));
	for (size_t i = 0; i < ARRAY_LEN(companys); i++) {
		struct mapped_field *mf = &s.mapping->fields[companys[i]];

		own[i] = *mf->column[TABLE_PERSON];
		own[i].is_company = true;
		mf->column[TABLE_PERSON] = &own[i];
	}
	assert_true(decide_drop_company(&s.in, &s.plan, &err, &s.arena));
	expect_counts(&s, 1, 0, 0, 2);
	expect_write(&s, SIDE_MARKETO, 0, FIXTURE_FLAG, "+");
	for (size_t i = 0; i < ARRAY_LEN(companys); i++) {
		assert_int_equal(s.plan.refusal[i].index, companys[i]);
		park(&s, fixture_slots[companys[i]], SIDE_MARKETO, s.plan.refusal[i].fingerprint);
	}
	decide(&s.in, &s.arena, &s.plan); /* parked, each by itself */
	expect_counts(&s, 1, 0, 0, 0);
	end(&s);
}

static void a_new_record_gets_what_it_can_hold(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, TABLE_LEAD);
	s.link.slot_count = 0; /* claimed: nothing agreed */
	s.in.seen[SIDE_DYNAMICS] = NULL;
	set(&s, SIDE_MARKETO, FIXTURE_NAME, "elevenchars");
	set(&s, SIDE_MARKETO, FIXTURE_SOURCE, "web");
	set(&s, SIDE_MARKETO, FIXTURE_PHONES, "-");
	set(&s, SIDE_MARKETO, FIXTURE_FLAG, "-");
	set(&s, SIDE_MARKETO, FIXTURE_STATUS, "Known");
	set(&s, SIDE_MARKETO, FIXTURE_TOPIC, "");
	decide_create(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 0, 2, 0, 1);
	expect_write(&s, SIDE_DYNAMICS, 0, FIXTURE_SOURCE, "Web");
	expect_write(&s, SIDE_DYNAMICS, 1, FIXTURE_FLAG,
		     "-"); /* not left to the column's default */
	assert_true(s.plan.is_changed);
	for (int side = 0; side < SIDE_COUNT; side++) {
		enum side one = (enum side)side;

		assert_true(planned(&s, one, FIXTURE_NAME) == 0);   /* refused: looked at again */
		assert_true(planned(&s, one, FIXTURE_STATUS) == 0); /* may not travel: the same */
		assert_true(planned(&s, one, FIXTURE_PHONES) == fixture_fingerprint("-"));
		assert_true(planned(&s, one, FIXTURE_TOPIC) == fixture_fingerprint(""));
	}
	assert_true(planned(&s, SIDE_MARKETO, FIXTURE_SOURCE) == fixture_fingerprint("web"));
	assert_true(planned(&s, SIDE_DYNAMICS, FIXTURE_SOURCE) == fixture_fingerprint("Web"));
	end(&s);
}

static void a_new_person_inherits_opt_outs_only(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, TABLE_CONTACT);
	s.link.slot_count = 0;
	s.in.seen[SIDE_MARKETO] = NULL;
	set(&s, SIDE_DYNAMICS, FIXTURE_PHONES, "+");
	set(&s, SIDE_DYNAMICS, FIXTURE_FLAG, NULL);
	set(&s, SIDE_DYNAMICS, FIXTURE_STATUS, "Active");
	decide_create(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 3, 0, 0, 0);
	expect_write(&s, SIDE_MARKETO, 0, FIXTURE_NAME, "Ada");
	expect_write(&s, SIDE_MARKETO, 1, FIXTURE_PHONES, "+");
	expect_write(&s, SIDE_MARKETO, 2, FIXTURE_STATUS, "Active");
	assert_true(planned(&s, SIDE_DYNAMICS, FIXTURE_FLAG) == 0);
	set(&s, SIDE_DYNAMICS, FIXTURE_PHONES, "-");
	decide_create(&s.in, &s.arena, &s.plan);
	expect_counts(&s, 2, 0, 0, 0);
	end(&s);
}

static void slots_of_former_fields_are_kept(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, TABLE_LEAD);
	link_reserve(&s.link, 20, &s.arena);
	s.link.fingerprint[SIDE_MARKETO][15] = 99;
	set(&s, SIDE_MARKETO, FIXTURE_NAME, "Eva");
	decide(&s.in, &s.arena, &s.plan);
	assert_int_equal(s.plan.slot_count, 20);
	assert_true(s.plan.fingerprint[SIDE_MARKETO][15] == 99);
	end(&s);
}

static void a_change_waits_for_the_right(void **state)
{
	static const struct {
		enum fixture_field field;
		const char *was, *now;
	} rows[] = { { FIXTURE_NAME, "Ada", "Eva" }, { FIXTURE_PHONES, "-", "+" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s;

		begin(&s, TABLE_LEAD);
		scene_rights(&s, rows[i].field, true, false);
		set(&s, SIDE_MARKETO, rows[i].field, rows[i].now);
		decide(&s.in, &s.arena, &s.plan);
		expect_counts(&s, 0, 0, 0, 0);
		assert_int_equal(s.plan.event_count, 0);
		assert_false(s.plan.is_changed);
		assert_true(planned(&s, SIDE_MARKETO, rows[i].field) ==
			    fixture_fingerprint(rows[i].was));
		carry_out(&s);
		scene_rights(&s, rows[i].field, true, true);
		decide(&s.in, &s.arena, &s.plan);
		expect_counts(&s, 0, 1, 0, 0);
		expect_write(&s, SIDE_DYNAMICS, 0, rows[i].field, rows[i].now);
		end(&s);
	}
}

/* Newly linked, and the right is missing: what happens when it comes. */
static void first_contact_waits_for_the_right(void **state)
{
	static const struct {
		enum fixture_field field;
		const char *marketo, *dynamics;
		bool may_change[SIDE_COUNT]; /* until the rights come */
		size_t to_marketo, to_dynamics, collisions;
	} rows[] = {
		{ FIXTURE_NAME, "Eva", "", { true, false }, 0, 1, 0 },
		{ FIXTURE_NAME, "", "Ida", { false, true }, 1, 0, 0 },
		{ FIXTURE_PHONES, "+", "-", { true, false }, 0, 1, 0 },
		/* two values: whichever loses is kept in a row */
		{ FIXTURE_NAME, "Eva", "Ida", { false, false }, 0, 1, 1 },
		{ FIXTURE_STATUS, "Known", "Open", { false, true }, 1, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s;

		begin(&s, TABLE_LEAD);
		scene_rights(&s, rows[i].field, rows[i].may_change[0], rows[i].may_change[1]);
		for (int side = 0; side < SIDE_COUNT; side++)
			agree(&s, (enum side)side, rows[i].field, NULL);
		set(&s, SIDE_MARKETO, rows[i].field, rows[i].marketo);
		set(&s, SIDE_DYNAMICS, rows[i].field, rows[i].dynamics);
		for (int n = 0; n < 2; n++) {
			decide(&s.in, &s.arena, &s.plan);
			expect_counts(&s, 0, 0, 0, 0);
			carry_out(&s);
		}
		scene_rights(&s, rows[i].field, true, true);
		decide(&s.in, &s.arena, &s.plan);
		expect_counts(&s, rows[i].to_marketo, rows[i].to_dynamics, rows[i].collisions, 0);
		end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_changed_means_nothing_written),
		cmocka_unit_test(different_fields_of_one_record_both_travel),
		cmocka_unit_test(a_collision_keeps_both_values),
		cmocka_unit_test(without_history_the_other_side_is_read_first),
		cmocka_unit_test(a_value_a_side_does_not_show_is_left_alone),
		cmocka_unit_test(fields_not_on_the_table_are_left_alone),
		cmocka_unit_test(one_way_fields_keep_to_it),
		cmocka_unit_test(what_does_not_fit_is_refused_before_sending),
		cmocka_unit_test(choices_are_written_in_their_own_spelling),
		cmocka_unit_test(several_options_are_sorted_and_come_once),
		cmocka_unit_test(a_parked_write_waits_for_a_change),
		cmocka_unit_test(a_side_is_read_for_a_parked_write_only_if_that_helps),
		cmocka_unit_test(an_edit_behind_a_parked_value_is_not_overwritten),
		cmocka_unit_test(a_parked_record_waits_for_a_change),
		cmocka_unit_test(a_failed_write_is_taken_back),
		cmocka_unit_test(fields_of_a_company_are_taken_back_together),
		cmocka_unit_test(a_new_record_gets_what_it_can_hold),
		cmocka_unit_test(a_new_person_inherits_opt_outs_only),
		cmocka_unit_test(slots_of_former_fields_are_kept),
		cmocka_unit_test(a_change_waits_for_the_right),
		cmocka_unit_test(first_contact_waits_for_the_right),
	};

	return RUN(tests);
}
