/* Marketo's feed cursor: looking back without reporting twice, and never over an event that was not
 * seen. */
#include "remote/marketo_cursor.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

enum { OVERLAP_S = 120, NOW_S = 1788000000 };

static struct marketo_cursor fresh(void)
{
	struct marketo_cursor c;

	marketo_cursor_start(&c, STR("WQV=="), NOW_S - OVERLAP_S, NOW_S);
	return c;
}

/* A page that ends the poll. */
static void read_to_end(struct marketo_cursor *c, const struct marketo_event *events, size_t count,
			int64_t now_s, struct arena *a)
{
	for (size_t i = 0; i < STREAM_COUNT; i++)
		c->more[i] = false;
	marketo_cursor_add(c, events, count, now_s, a);
	marketo_cursor_settle(c, OVERLAP_S);
}

static void survives_as_text(void **state)
{
	struct marketo_event events[] = { { NOW_S - 3, 0xfedcba9876543210u }, { NOW_S - 9, 1 } };
	struct arena a = { NULL, 0 };
	struct marketo_cursor c = fresh(), again;
	struct str text;

	(void)state;
	c.tokens[STREAM_DELETIONS] = STR("quote\"back\\slash");
	read_to_end(&c, events, 2, NOW_S, &a);
	c.more[STREAM_MERGES] = true;
	text = marketo_cursor_print(&c, &a);
	assert_true(marketo_cursor_read(text, &a, &again));
	assert_true(str_equal(marketo_cursor_print(&again, &a), text));
	assert_true(str_equal(again.tokens[STREAM_DELETIONS], c.tokens[STREAM_DELETIONS]));
	assert_true(again.more[STREAM_MERGES] && !again.more[STREAM_CHANGES] && again.has_lag);
	assert_true(marketo_cursor_knows(&again, 0xfedcba9876543210u) &&
		    marketo_cursor_knows(&again, 1));
	assert_false(marketo_cursor_knows(&again, 2));
	arena_release(&a);
}

static void foreign_text_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"WQV==",
		"null",
		"[]",
		"{\"v\":2}",
		"{\"v\":1,\"tokens\":[\"a\",\"b\"],\"more\":[true,true,true],\"since\":1,\"started\":1,"
		"\"watermark\":1,\"covered\":1,\"recent\":[]}",
		"{\"v\":1,\"tokens\":[\"a\",\"b\",\"c\"],\"more\":[true,true,1],\"since\":1,\"started\":1,"
		"\"watermark\":1,\"covered\":1,\"recent\":[]}",
		"{\"v\":1,\"tokens\":[\"a\",\"b\",\"c\"],\"more\":[true,true,true],\"since\":1,\"started\":1,"
		"\"watermark\":1,\"covered\":1,\"recent\":[\"12 5\"]}",
		"{\"v\":1,\"tokens\":[\"a\",\"b\",\"c\"],\"more\":[true,true,true],\"since\":1,\"started\":1,"
		"\"watermark\":1,\"covered\":1}"
	};
	struct arena a = { NULL, 0 };
	struct marketo_cursor c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(marketo_cursor_read(str_of(bad[i]), &a, &c));
	arena_release(&a);
}

static void looks_back_by_the_overlap(void **state)
{
	struct marketo_event event = { NOW_S + 600, 7 };
	struct arena a = { NULL, 0 };
	struct marketo_cursor c = fresh();
	int64_t since_s = 0;

	(void)state;
	assert_true(marketo_cursor_is_polling(&c));
	read_to_end(&c, &event, 1, NOW_S + 600, &a);
	assert_false(marketo_cursor_is_polling(&c));
	assert_true(marketo_cursor_begin(&c, OVERLAP_S, NOW_S + 900, &since_s));
	assert_int_equal(since_s, NOW_S + 600 - OVERLAP_S);
	marketo_cursor_begin_from(&c, STR("new"), since_s);
	assert_true(marketo_cursor_is_polling(&c) && marketo_cursor_knows(&c, 7));
	arena_release(&a);
}

static void never_looks_back_over_what_it_forgot(void **state)
{
	struct marketo_event events[300];
	struct arena a = { NULL, 0 };
	struct marketo_cursor c = fresh();
	int64_t since_s = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		events[i] = (struct marketo_event){ NOW_S + (int64_t)i / 10, i + 1 };
	read_to_end(&c, events, ARRAY_LEN(events), NOW_S + 30, &a);
	assert_true(c.recent_count <= MARKETO_RECENT_MAX &&
		    c.recent_count > MARKETO_RECENT_MAX - 10);
	assert_true(marketo_cursor_begin(&c, OVERLAP_S, NOW_S + 60, &since_s));
	/* Everything seen from that second on must be known. */
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		if (events[i].at_s >= since_s)
			assert_true(marketo_cursor_knows(&c, events[i].hash));
	}
	assert_true(since_s > NOW_S && since_s <= c.watermark_s);
	arena_release(&a);
}

static void one_crowded_second_goes_on_with_tokens(void **state)
{
	struct marketo_event events[300];
	struct arena a = { NULL, 0 };
	struct marketo_cursor c = fresh();
	int64_t since_s = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		events[i] = (struct marketo_event){ NOW_S, i + 1 };
	c.tokens[STREAM_CHANGES] = STR("tail");
	read_to_end(&c, events, ARRAY_LEN(events), NOW_S + 3, &a);
	assert_false(marketo_cursor_begin(&c, OVERLAP_S, NOW_S + 4, &since_s));
	assert_true(c.more[STREAM_CHANGES] && c.more[STREAM_MERGES] && c.more[STREAM_DELETIONS]);
	assert_true(str_equal(c.tokens[STREAM_CHANGES], STR("tail")));
	arena_release(&a);
}

static void moves_on_in_quiet_times_but_never_past_marketo(void **state)
{
	const int64_t ahead_s = 3600; /* our clock is an hour ahead of Marketo's */
	struct marketo_event event = { NOW_S, 1 };
	struct arena a = { NULL, 0 };
	struct marketo_cursor c;

	(void)state;
	marketo_cursor_start(&c, STR("t"), NOW_S - OVERLAP_S, NOW_S + ahead_s);
	read_to_end(&c, NULL, 0, NOW_S + ahead_s, &a);
	assert_int_equal(c.watermark_s,
			 NOW_S - OVERLAP_S); /* nothing is known of Marketo's clock yet */
	c.started_s = NOW_S + 40 + ahead_s;
	read_to_end(&c, &event, 1, NOW_S + 40 + ahead_s, &a);
	c.started_s = NOW_S + 1000 + ahead_s;
	read_to_end(&c, NULL, 0, NOW_S + 1000 + ahead_s, &a);
	assert_true(c.watermark_s > NOW_S + 900 && c.watermark_s < NOW_S + 1000);
	assert_int_equal(c.recent_count, 0); /* too old to come up again */
	arena_release(&a);
}

static void stays_while_a_stream_has_more(void **state)
{
	struct marketo_event event = { NOW_S, 1 };
	struct arena a = { NULL, 0 };
	struct marketo_cursor c = fresh();

	(void)state;
	c.started_s = NOW_S + 5000;
	c.more[STREAM_CHANGES] = c.more[STREAM_DELETIONS] = false;
	marketo_cursor_add(&c, &event, 1, NOW_S + 1, &a);
	marketo_cursor_settle(&c, OVERLAP_S);
	assert_true(marketo_cursor_is_polling(&c));
	assert_int_equal(c.watermark_s, NOW_S);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_as_text),
		cmocka_unit_test(foreign_text_is_refused),
		cmocka_unit_test(looks_back_by_the_overlap),
		cmocka_unit_test(never_looks_back_over_what_it_forgot),
		cmocka_unit_test(one_crowded_second_goes_on_with_tokens),
		cmocka_unit_test(moves_on_in_quiet_times_but_never_past_marketo),
		cmocka_unit_test(stays_while_a_stream_has_more),
	};

	return RUN(tests);
}
