/* Seeded random histories of one pair: people edit both sides, cycles see all or part of it,
 * remotes refuse values, and after every step the invariants are looked at. A failing history names
 * its seed. */
#include "tests/unit/fixture.h"
#include "tests/unit/unit.h"

enum { HISTORIES = 20000, STEPS = 25 };

/* What people type; by field. "poison" and "bad" are refused by the remote, the long name by the
 * column. */
static const char *const vocabulary[FIXTURE_COUNT][6] = {
	{ "", "Ada", "Eva", "elevenchars", "bad", "poison" },
	{ "", "Web", "web", "Word of Mouth", "Radio", "Web" },
	{ "-", "+", "-", "+", "-", "+" },
	{ "-", "+", "-", "+", "-", "+" },
	{ "", "Open", "Won", "Open", "bad", "Lost" },
	{ "", "t1", "t2", "t3", "bad", "t1" },
};

struct pair {
	uint64_t seed;
	struct arena arena;
	struct mapping *mapping;
	struct link link;
	struct parked_write parked[64];
	struct record record[SIDE_COUNT];
	bool is_dirty[SIDE_COUNT]; /* the next cycle's feed shows this side */
	bool is_late[SIDE_COUNT];  /* has changed, but this cycle's feed does not show it yet */
	/* Edited by a person since the cycle last took this value into its book. */
	bool is_edited[SIDE_COUNT][FIXTURE_COUNT];
	size_t writes; /* made in the last cycle */
};

static uint64_t chance(struct pair *p, uint64_t n)
{
	return unit_random(&p->seed) % n;
}

static struct value *shown(struct pair *p, int side, size_t f)
{
	return &p->record[side].values[f];
}

static bool has_text(const struct value *v, const char *text)
{
	return v->kind == VALUE_TEXT && str_equal(v->text, str_of(text));
}

static void edit(struct pair *p)
{
	int side = (int)chance(p, SIDE_COUNT);
	size_t f = chance(p, FIXTURE_COUNT);
	const char *text = vocabulary[f][chance(p, 6)];

	/* Dynamics holds no value its own columns could not. */
	if (side == SIDE_DYNAMICS &&
	    (!strcmp(text, "elevenchars") || !strcmp(text, "Radio") || !strcmp(text, "web")))
		return;
	if (!mapping_active(p->mapping, f, p->link.table))
		return;
	*shown(p, side, f) = fixture_value(text);
	/* Back to what the book says is no edit. */
	p->is_edited[side][f] = fixture_fingerprint(text) !=
				p->link.fingerprint[side][fixture_slots[f]];
	p->is_dirty[side] = true;
}

/* ---- the caller's part, as the cycle does it ---- */

static void unpark(struct pair *p, uint16_t slot, enum side target)
{
	for (size_t i = 0; i < p->link.parked_count; i++) {
		if (p->parked[i].slot == slot && p->parked[i].target == target)
			p->parked[i--] = p->parked[--p->link.parked_count];
	}
}

static void park(struct pair *p, const struct refusal *r)
{
	uint16_t slot = r->index == PARKED_WHOLE_RECORD ? (uint16_t)PARKED_WHOLE_RECORD
							: fixture_slots[r->index];

	unpark(p, slot, r->target);
	assert_true(p->link.parked_count < ARRAY_LEN(p->parked));
	p->parked[p->link.parked_count++] =
		(struct parked_write){ slot, r->target, r->fingerprint };
}

/* The remote: a bad value is refused by name, a poisonous one takes the whole record with it. */
static void send(struct pair *p, const struct decide_input *in, struct plan *plan, enum side target)
{
	const struct err err = { .kind = ERR_REFUSED, .text = "refused" };

	for (size_t i = 0; i < plan->write_count[target]; i++) {
		if (has_text(&plan->write[target][i].value, "bad")) {
			decide_drop(in, plan, target, plan->write[target][i].index, &err,
				    &p->arena);
			i = (size_t)-1;
		}
	}
	for (size_t i = 0; i < plan->write_count[target]; i++) {
		if (has_text(&plan->write[target][i].value, "poison")) {
			decide_drop(in, plan, target, PARKED_WHOLE_RECORD, &err, &p->arena);
			return;
		}
	}
}

/* ---- what must hold for every write ---- */

static bool is_recorded(const struct plan *plan, size_t f)
{
	for (size_t i = 0; i < plan->collision_count; i++) {
		if (plan->collision[i].index == f)
			return true;
	}
	return false;
}

static void check_write(struct pair *p, const struct plan *plan, enum side target,
			const struct field_write *w)
{
	const struct value *old = shown(p, target, w->index),
			   *source = shown(p, side_other(target), w->index);
	const struct field *field = &fixture_fields[w->index];
	uint16_t slot = fixture_slots[w->index];
	bool had_agreed = p->link.fingerprint[0][slot] && p->link.fingerprint[1][slot];
	bool is_opt_out_lost = field->is_consent && old->boolean && !w->value.boolean;

	assert_true(mapping_writable(p->mapping, w->index, p->link.table, target, false));
	assert_false(value_equal(old, &w->value));
	/* INV-NOTHING-SILENT: an edit nobody has taken note of is overwritten with a row only. What
	 * a new link shows blank is nobody's edit. */
	if (p->is_edited[target][w->index] && (had_agreed || !value_is_blank(old)))
		assert_true(is_recorded(plan, w->index));
	/* INV-CONSENT: only a person takes an opt-out back, and not against another person's. */
	if (is_opt_out_lost)
		assert_true(p->is_edited[side_other(target)][w->index] &&
			    !p->is_edited[target][w->index]);
	assert_true(value_equal(source, &w->value) || w->index == FIXTURE_SOURCE);
}

static void check_collisions(struct pair *p, const struct plan *plan)
{
	for (size_t i = 0; i < plan->collision_count; i++) {
		const struct collision *c = &plan->collision[i];
		enum side winner = p->link.table == TABLE_LEAD ? SIDE_MARKETO : SIDE_DYNAMICS;

		for (int s = 0; s < SIDE_COUNT; s++) {
			assert_true(value_equal(&c->value[s], shown(p, s, c->index)));
			assert_true(p->is_edited[s][c->index]);
		}
		if (c->index == FIXTURE_PHONES)
			assert_true(c->value[c->winner].boolean);
		else if (fixture_fields[c->index].direction != DIRECTION_BOTH)
			assert_int_equal(c->winner,
					 fixture_fields[c->index].direction == DIRECTION_TO_MARKETO
						 ? SIDE_DYNAMICS
						 : SIDE_MARKETO);
		else
			assert_int_equal(c->winner, winner); /* INV-WINNER */
	}
}

static bool is_taken(const struct pair *p, const struct plan *plan, int side, size_t f)
{
	const struct value *v = &p->record[side].values[f];

	return plan->fingerprint[side][fixture_slots[f]] == fingerprint_of(&fixture_key, v);
}

static void commit(struct pair *p, const struct plan *plan)
{
	for (int t = 0; t < SIDE_COUNT; t++) {
		for (size_t i = 0; i < plan->write_count[t]; i++) {
			check_write(p, plan, (enum side)t, &plan->write[t][i]);
			*shown(p, t, plan->write[t][i].index) = plan->write[t][i].value;
			p->is_dirty[t] = true; /* the feed shows our own write in the next cycle */
		}
		p->writes += plan->write_count[t];
		if (plan->write_count[t])
			unpark(p, PARKED_WHOLE_RECORD, (enum side)t);
	}
	for (size_t i = 0; i < plan->refusal_count; i++)
		park(p, &plan->refusal[i]);
	for (size_t f = 0; f < FIXTURE_COUNT; f++) {
		uint16_t slot = fixture_slots[f];

		for (int s = 0; s < SIDE_COUNT; s++) {
			if (plan->fingerprint[s][slot] != p->link.fingerprint[s][slot]) {
				unpark(p, slot, SIDE_MARKETO);
				unpark(p, slot, SIDE_DYNAMICS);
			}
			if (is_taken(p, plan, s, f))
				p->is_edited[s][f] = false;
		}
	}
	for (int s = 0; s < SIDE_COUNT; s++)
		memcpy(p->link.fingerprint[s], plan->fingerprint[s],
		       plan->slot_count * sizeof(uint64_t));
}

/* A write meets a version it was not decided on: read again, decide again. */
static bool meets_a_conflict(const struct pair *p, const struct decide_input *in,
			     const struct plan *plan)
{
	for (int s = 0; s < SIDE_COUNT; s++) {
		if (plan->write_count[s] && !in->seen[s] && p->is_late[s])
			return true;
	}
	return false;
}

static void cycle(struct pair *p)
{
	struct decide_input in = { .mapping = p->mapping, .key = &fixture_key, .link = &p->link };
	struct plan plan;

	p->writes = 0;
	for (int s = 0; s < SIDE_COUNT; s++) {
		if (p->is_dirty[s] && !p->is_late[s])
			in.seen[s] = &p->record[s];
		p->is_dirty[s] = p->is_dirty[s] && p->is_late[s];
	}
	decide(&in, &p->arena, &plan);
	if (meets_a_conflict(p, &in, &plan)) {
		in.seen[0] = &p->record[0];
		in.seen[1] = &p->record[1];
		decide(&in, &p->arena, &plan);
	}
	if (plan.must_read[0] || plan.must_read[1]) {
		assert_true(plan.write_count[0] + plan.write_count[1] == 0 && !plan.is_changed);
		for (int s = 0; s < SIDE_COUNT; s++) {
			assert_false(plan.must_read[s] &&
				     in.seen[s]); /* or it would ask for ever */
			if (plan.must_read[s])
				in.seen[s] = &p->record[s];
		}
		decide(&in, &p->arena, &plan);
		assert_false(plan.must_read[0] || plan.must_read[1]);
	}
	check_collisions(p, &plan);
	for (int s = 0; s < SIDE_COUNT; s++)
		send(p, &in, &plan, (enum side)s);
	commit(p, &plan);
}

static bool is_parked(const struct pair *p, size_t f)
{
	for (size_t i = 0; i < p->link.parked_count; i++) {
		if (p->parked[i].slot == fixture_slots[f] ||
		    p->parked[i].slot == PARKED_WHOLE_RECORD)
			return true;
	}
	return false;
}

/* INV-NO-ECHO and INV-SETTLES: after the last edit, one cycle brings agreement, the next writes
 * nothing. */
static void check_quiet(struct pair *p)
{
	cycle(p);
	cycle(p);
	assert_int_equal(p->writes, 0);
	p->is_dirty[0] = p->is_dirty[1] = true;
	cycle(p);
	assert_int_equal(p->writes, 0);
	p->is_dirty[0] = p->is_dirty[1] = false;
	for (size_t f = 0; f < FIXTURE_COUNT; f++) {
		const struct value *a = shown(p, 0, f), *b = shown(p, 1, f);

		if (fixture_fields[f].direction != DIRECTION_BOTH || is_parked(p, f) ||
		    !mapping_active(p->mapping, f, p->link.table))
			continue;
		assert_true(value_equal(a, b) ||
			    (f == FIXTURE_SOURCE && str_equal_fold(a->text, b->text)));
	}
}

static void begin(struct pair *p, uint64_t seed, struct mapping *m)
{
	*p = (struct pair){ .seed = seed, .mapping = m };
	p->link = (struct link){ .table = chance(p, 2) ? TABLE_LEAD : TABLE_CONTACT,
				 .state = LINK_LIVE,
				 .parked = p->parked };
	link_reserve(&p->link, m->slot_count, &p->arena);
	for (int s = 0; s < SIDE_COUNT; s++) {
		p->record[s].values = arena_array(&p->arena, FIXTURE_COUNT, sizeof(struct value));
		for (size_t f = 0; f < FIXTURE_COUNT; f++) {
			*shown(p, s, f) = fixture_value(vocabulary[f][0]);
			/* Newly linked: whatever a side shows may be somebody's. */
			p->is_edited[s][f] = true;
		}
	}
	p->is_dirty[0] = true;
}

static uint64_t current_seed;

static void live(uint64_t seed, struct mapping *m)
{
	struct pair p;

	begin(&p, seed, m);
	for (int step = 0; step < STEPS; step++) {
		for (uint64_t edits = chance(&p, 5); edits; edits--)
			edit(&p);
		p.is_late[chance(&p, SIDE_COUNT)] = !chance(&p, 3);
		cycle(&p);
		p.is_late[0] = p.is_late[1] = false;
		if (!chance(&p, 5))
			check_quiet(&p);
	}
	check_quiet(&p);
	arena_release(&p.arena);
}

static void every_history_keeps_the_invariants(void **state)
{
	struct mapping *m = fixture_mapping();

	(void)state;
	for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
		current_seed = seed;
		live(seed, m);
	}
	current_seed = 0;
	mapping_free(m);
}

static int name_the_seed(void **state)
{
	(void)state;
	if (current_seed)
		print_error("the history of seed %llu\n", (unsigned long long)current_seed);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(every_history_keeps_the_invariants, name_the_seed),
	};

	return RUN(tests);
}
