/* Fingerprints to bytes and back: every shape of a link comes back as it was, and damaged bytes are
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/packing.h"

static uint64_t random_state = 88172645463325252u;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void check_round_trip(const struct link *l, size_t bytes_max)
{
	struct buf bytes[SIDE_COUNT] = { 0 };
	struct arena memory = { 0 };
	struct link back = { 0 };
	bool is_same;

	packing_write(l, &bytes[SIDE_MARKETO], &bytes[SIDE_DYNAMICS], &is_same);
	assert_true(bytes[SIDE_MARKETO].len + bytes[SIDE_DYNAMICS].len <= bytes_max);
	assert_true(packing_read(buf_str(&bytes[SIDE_MARKETO]), buf_str(&bytes[SIDE_DYNAMICS]),
				 is_same, &back, &memory));
	for (int side = 0; side < SIDE_COUNT; side++) {
		for (size_t i = 0; i < l->slot_count + 3; i++)
			assert_int_equal(i < l->slot_count ? l->fingerprint[side][i] : 0,
					 i < back.slot_count ? back.fingerprint[side][i] : 0);
	}
	buf_release(&bytes[SIDE_MARKETO]);
	buf_release(&bytes[SIDE_DYNAMICS]);
	arena_release(&memory);
}

static void test_random_links(void **state)
{
	uint64_t marketo[60], dynamics[60];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct link l = { .fingerprint = { marketo, dynamics },
				  .slot_count = next_random() % 60 };
		unsigned differing = (unsigned)(next_random() % 101),
			 empty = (unsigned)(next_random() % 101);

		for (size_t i = 0; i < l.slot_count; i++) {
			marketo[i] = next_random() % 100 < empty ? 0 : next_random();
			dynamics[i] = next_random() % 100 < differing
					      ? (next_random() & 1 ? next_random() : 0)
					      : marketo[i];
		}
		check_round_trip(&l, l.slot_count * 16 + 1);
	}
}

static void test_few_differences_stay_small(void **state)
{
	uint64_t marketo[40], dynamics[40];
	struct link l = { .fingerprint = { marketo, dynamics }, .slot_count = 40 };

	(void)state;
	for (size_t i = 0; i < 40; i++)
		marketo[i] = dynamics[i] = next_random();
	check_round_trip(&l, 320);
	dynamics[7] = 0;
	dynamics[39] = 5;
	check_round_trip(&l, 320 + 1 + 20);
}

static void test_link_without_fingerprints(void **state)
{
	struct link l = { 0 };

	(void)state;
	check_round_trip(&l, 0);
}

static void test_damaged_bytes_are_refused(void **state)
{
	static const struct {
		struct str marketo, dynamics;
		bool is_null;
	} cases[] = {
		{ { "1234567", 7 }, { NULL, 0 }, true },
		{ { "12345678", 8 }, { NULL, 0 }, false },
		{ { "12345678", 8 }, { "\0", 1 }, true },
		{ { "12345678", 8 },
		  { "\2"
		    "12345678",
		    9 },
		  false },
		{ { "12345678", 8 },
		  { "\0"
		    "1234567",
		    8 },
		  false },
		{ { "12345678", 8 },
		  { "\1"
		    "123456789",
		    10 },
		  false },
	};
	struct arena memory = { 0 };
	struct link back = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_false(packing_read(cases[i].marketo, cases[i].dynamics, cases[i].is_null,
					  &back, &memory));
	arena_release(&memory);
}

static void test_random_events(void **state)
{
	struct field_event events[70];

	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct link l = { .events = events, .event_count = next_random() % 70 },
			    back = { 0 };
		struct arena memory = { 0 };
		struct buf bytes = { 0 };
		uint16_t slot = (uint16_t)(next_random() % 60000);

		for (size_t i = 0; i < l.event_count; i++) {
			events[i] = (struct field_event){
				.slot = slot,
				.target = next_random() & 1 ? SIDE_DYNAMICS : SIDE_MARKETO,
				.rule = (uint8_t)next_random(),
				.is_given_up = next_random() & 1,
				.turns = (uint8_t)(next_random() & 0x3f),
				.cycle = (uint32_t)next_random(),
				.at_s = (int64_t)(next_random() & UINT32_MAX),
			};
			slot = (uint16_t)(slot + 1 + next_random() % 50);
		}
		packing_write_events(&l, &bytes);
		assert_int_equal(bytes.len, l.event_count * 12);
		assert_true(packing_read_events(buf_str(&bytes), &back, &memory));
		assert_int_equal(back.event_count, l.event_count);
		for (size_t i = 0; i < l.event_count; i++) {
			assert_int_equal(back.events[i].slot, events[i].slot);
			assert_int_equal(back.events[i].target, events[i].target);
			assert_int_equal(back.events[i].rule, events[i].rule);
			assert_int_equal(back.events[i].is_given_up, events[i].is_given_up);
			assert_int_equal(back.events[i].turns, events[i].turns);
			assert_int_equal(back.events[i].cycle, events[i].cycle);
			assert_int_equal(back.events[i].at_s, events[i].at_s);
		}
		buf_release(&bytes);
		arena_release(&memory);
	}
}

static void test_turns_stop_at_what_fits(void **state)
{
	struct field_event event = { .slot = 1, .turns = 200 };
	struct link l = { .events = &event, .event_count = 1 }, back = { 0 };
	struct arena memory = { 0 };
	struct buf bytes = { 0 };

	(void)state;
	packing_write_events(&l, &bytes);
	assert_true(packing_read_events(buf_str(&bytes), &back, &memory));
	assert_int_equal(back.events[0].turns, 63);
	assert_int_equal(back.events[0].target, SIDE_MARKETO);
	assert_false(back.events[0].is_given_up);
	buf_release(&bytes);
	arena_release(&memory);
}

static void test_damaged_events_are_refused(void **state)
{
	static const struct str cases[] = {
		{ "12345678901", 11 },
		{ "1234567890123", 13 },
		{ "\0\2aaaaaaaaaa\0\1aaaaaaaaaa", 24 }, /* not in the order of slots */
		{ "\0\2aaaaaaaaaa\0\2aaaaaaaaaa", 24 }, /* a slot twice */
	};
	struct arena memory = { 0 };
	struct link back = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_false(packing_read_events(cases[i], &back, &memory));
	arena_release(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_links),
		cmocka_unit_test(test_few_differences_stay_small),
		cmocka_unit_test(test_link_without_fingerprints),
		cmocka_unit_test(test_damaged_bytes_are_refused),
		cmocka_unit_test(test_random_events),
		cmocka_unit_test(test_turns_stop_at_what_fits),
		cmocka_unit_test(test_damaged_events_are_refused),
	};

	return cmocka_run_group_tests_name("store/packing", tests, NULL, NULL);
}
