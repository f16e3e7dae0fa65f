/* For tests of decide: one pair of records, what was agreed about them, and what came out. */
#ifndef TESTS_UNIT_SCENE_H
#define TESTS_UNIT_SCENE_H

#include "tests/unit/fixture.h"
#include "tests/unit/unit.h"

/* One pair and what is known about it; a test sets texts as fixture_value reads them. */
struct scene {
	struct arena arena;
	struct mapping *mapping;
	struct link link;
	struct record record[SIDE_COUNT];
	struct parked_write parked[4];
	struct decide_input in;
	struct plan plan;
};

static inline void set(struct scene *s, enum side side, enum fixture_field f, const char *shown)
{
	s->record[side].values[f] = fixture_value(shown);
}

static inline void agree(struct scene *s, enum side side, enum fixture_field f, const char *text)
{
	s->link.fingerprint[side][fixture_slots[f]] = text ? fixture_fingerprint(text) : 0;
}

/* A live lead or contact, agreed on and showing: everything blank, except for the name "Ada". */
static inline void begin(struct scene *s, enum table table)
{
	static const char *const blank[FIXTURE_COUNT] = { "Ada", "", "-", "-", "", "" };

	*s = (struct scene){ .mapping = fixture_mapping() };
	s->link = (struct link){ .table = table, .state = LINK_LIVE, .parked = s->parked };
	link_reserve(&s->link, s->mapping->slot_count, &s->arena);
	s->in = (struct decide_input){
		.mapping = s->mapping,
		.key = &fixture_key,
		.link = &s->link,
		.seen = { &s->record[0], &s->record[1] },
	};
	for (int side = 0; side < SIDE_COUNT; side++) {
		s->record[side].values =
			arena_array(&s->arena, FIXTURE_COUNT, sizeof(struct value));
		for (int f = 0; f < FIXTURE_COUNT; f++) {
			set(s, (enum side)side, (enum fixture_field)f, blank[f]);
			agree(s, (enum side)side, (enum fixture_field)f, blank[f]);
		}
	}
}

static inline void end(struct scene *s)
{
	mapping_free(s->mapping);
	arena_release(&s->arena);
}

static inline uint64_t planned(const struct scene *s, enum side side, enum fixture_field f)
{
	return s->plan.fingerprint[side][fixture_slots[f]];
}

static inline void expect_write(const struct scene *s, enum side target, size_t i,
				enum fixture_field f, const char *text)
{
	struct value v = fixture_value(text);

	assert_true(i < s->plan.write_count[target]);
	assert_int_equal(s->plan.write[target][i].index, f);
	assert_true(value_equal(&s->plan.write[target][i].value, &v));
}

static inline void expect_counts(const struct scene *s, size_t to_marketo, size_t to_dynamics,
				 size_t collisions, size_t refusals)
{
	assert_int_equal(s->plan.write_count[SIDE_MARKETO], to_marketo);
	assert_int_equal(s->plan.write_count[SIDE_DYNAMICS], to_dynamics);
	assert_int_equal(s->plan.collision_count, collisions);
	assert_int_equal(s->plan.refusal_count, refusals);
}

static inline void park(struct scene *s, uint16_t slot, enum side target, uint64_t fingerprint)
{
	s->parked[s->link.parked_count++] = (struct parked_write){ slot, target, fingerprint };
}

/* From now on the sync user may, or may not, update a field's columns. */
static inline void scene_rights(struct scene *s, enum fixture_field f, bool in_marketo,
				bool in_dynamics)
{
	static struct column person[ARRAY_LEN(fixture_person)], lead[ARRAY_LEN(fixture_lead)];
	struct schema schemas[TABLE_COUNT];

	memcpy(person, fixture_person, sizeof(person));
	memcpy(lead, fixture_lead, sizeof(lead));
	memcpy(schemas, fixture_schemas, sizeof(schemas));
	person[f].can_update = in_marketo;
	lead[f].can_update = in_dynamics;
	schemas[TABLE_PERSON].columns = person;
	schemas[TABLE_LEAD].columns = lead;
	mapping_free(s->mapping);
	s->mapping =
		mapping_new(&(struct field_set){ .fields = fixture_fields, .count = FIXTURE_COUNT },
			    fixture_slots, schemas);
	s->in.mapping = s->mapping;
}

/* What the sync does once the plan is carried out. */
static inline void carry_out(struct scene *s)
{
	const struct plan *p = &s->plan;

	for (int i = 0; i < SIDE_COUNT; i++) {
		s->link.fingerprint[i] = p->fingerprint[i];
		for (size_t k = 0; k < p->write_count[i]; k++)
			s->record[i].values[p->write[i][k].index] = p->write[i][k].value;
	}
	for (size_t i = 0; i < p->refusal_count; i++)
		park(s, fixture_slots[p->refusal[i].index], p->refusal[i].target,
		     p->refusal[i].fingerprint);
	link_note_events(&s->link, p->event, p->event_count, &s->arena);
	s->in.cycle++;
	s->in.now_s++;
}

#endif
