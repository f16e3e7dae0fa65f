/* What the lines of an Activity Log say. */
#include "base/arena.h"
#include "base/buf.h"
#include "core/line.h"
#include "tests/unit/unit.h"

static struct arena arena;

static void says(const struct line *line, const char *outcome, const char *text)
{
	assert_string_equal(line_outcome(line), outcome);
	assert_str(line_text(line, &arena), text);
	arena_release(&arena);
}

static void a_refused_field_is_named_with_reason_and_advice(void **state)
{
	(void)state;
	says(&(struct line){ .kind = LINE_REFUSED,
			     .target = SIDE_DYNAMICS,
			     .table = TABLE_CONTACT,
			     .fields = STR("Last Name"),
			     .why = STR("lastname holds at most 50 characters, the value has 60") },
	     "refused",
	     "Last Name was not written to Dynamics: lastname holds at most 50 characters, the "
	     "value has 60. Correct it on either side; it is tried again when it changes.");
	says(&(struct line){ .kind = LINE_REFUSED,
			     .target = SIDE_DYNAMICS,
			     .fields = STR("Industry"),
			     .code = STR("0x8004431a"),
			     .why = STR("The value is no choice: choose one of them.") },
	     "refused",
	     "Industry was not written to Dynamics: The value is no choice: choose one of them.");
	says(&(struct line){ .kind = LINE_REFUSED,
			     .target = SIDE_MARKETO,
			     .fields = STR("Email"),
			     .code = STR("1003"),
			     .why = STR("Marketo does not accept the value. Correct it.") },
	     "refused",
	     "Email was not written to Marketo: Marketo does not accept the value. Correct it.");
	says(&(struct line){ .kind = LINE_REFUSED,
			     .target = SIDE_MARKETO,
			     .fields = STR("Company Name, Industry"),
			     .code = STR("1021"),
			     .why = STR("it belongs to a company") },
	     "refused",
	     "Not written to Marketo: Company Name, Industry. This person belongs to a company in "
	     "Marketo, whose fields only the company itself can change; everything else was "
	     "written.");
}

static void a_whole_record_is_called_what_it_is(void **state)
{
	struct line line = { .kind = LINE_REFUSED,
			     .target = SIDE_DYNAMICS,
			     .table = TABLE_LEAD,
			     .code = STR("0x80040265"),
			     .why = STR("Not this one.") };

	(void)state;
	says(&line, "refused", "The lead was not written to Dynamics: Not this one.");
	line.target = SIDE_MARKETO;
	says(&line, "refused", "The person was not written to Marketo: Not this one.");
	line.kind = LINE_REJECTED;
	says(&line, "rejected", "The lead was not created in Dynamics: Not this one.");
	line.code = STR("");
	says(&line, "rejected",
	     "The lead was not created in Dynamics: Not this one. Correct it, then sync this person "
	     "again.");
}

static void reasons_that_are_sentences_stand_alone(void **state)
{
	struct line line = { .kind = LINE_REFUSED,
			     .code = STR("MERGED"),
			     .why = STR("this person's record lost a merge") };

	(void)state;
	says(&line, "conflict", "This person's record lost a merge.");
	line.code = STR("AMBIGUOUS");
	line.why = STR("several records have this address");
	says(&line, "ambiguous",
	     "Several records have this address. Merge them in Dynamics, then sync this person again.");
	line.code = STR("OWNER");
	line.why = STR("there is no such user");
	says(&line, "rejected",
	     "There is no such user. Name another owner, then sync this person again.");
}

static void a_collision_says_which_side_was_kept(void **state)
{
	struct line line = { .kind = LINE_COLLISION,
			     .kept = { [SIDE_DYNAMICS] = STR("Job Title, Phone") } };

	(void)state;
	says(&line, "collision",
	     "Different on both sides: Job Title, Phone (the value from Dynamics was kept). The "
	     "values that lost are kept in the list of collisions for a while.");
	line.kept[SIDE_MARKETO] = STR("Unsubscribed");
	says(&line, "collision",
	     "Different on both sides: Unsubscribed (the value from Marketo was kept), Job Title, "
	     "Phone (the value from Dynamics was kept). The values that lost are kept in the list of "
	     "collisions for a while.");
}

static void every_kind_has_words_for_any_code(void **state)
{
	(void)state;
	for (int kind = 0; kind < LINE_KIND_COUNT; kind++) {
		struct line line = { .kind = (enum line_kind)kind,
				     .table = TABLE_CONTACT,
				     .code = STR("something new") };
		struct str text = line_text(&line, &arena);

		assert_true(strlen(line_outcome(&line)) > 0);
		assert_true(text.n > 0);
		assert_null(memchr(text.p, '{', text.n));
		assert_null(memchr(text.p, '}', text.n));
	}
	arena_release(&arena);
}

static void many_fields_are_counted(void **state)
{
	struct buf list = { .data = NULL };

	(void)state;
	for (size_t i = 0; i < 12; i++)
		line_add_field(&list, i, STR("F"));
	line_end_fields(&list, 12);
	assert_str(buf_str(&list), "F, F, F, F, F, F, F, F, F, F and 2 more");
	buf_clear(&list);
	line_add_field(&list, 0, STR("Only"));
	line_end_fields(&list, 1);
	assert_str(buf_str(&list), "Only");
	buf_release(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refused_field_is_named_with_reason_and_advice),
		cmocka_unit_test(a_whole_record_is_called_what_it_is),
		cmocka_unit_test(reasons_that_are_sentences_stand_alone),
		cmocka_unit_test(a_collision_says_which_side_was_kept),
		cmocka_unit_test(every_kind_has_words_for_any_code),
		cmocka_unit_test(many_fields_are_counted),
	};

	return RUN(tests);
}
