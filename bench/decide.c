/* What deciding costs: nanoseconds a field, for links at rest and for links where one field changed
 * on one side, beside what hashing the same values costs, below which no decision can be had. */
#include <stdio.h>
#include <time.h>

#include "core/decide.h"

enum { FIELDS = 40, LINKS = 1000, ROUNDS = 50 };

static struct fingerprint_key key = { { 1, 2, 3 } };

static double now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Forty text fields on both tables. */
static struct mapping *make_mapping(struct arena *a, struct field_set *set)
{
	struct schema schemas[TABLE_COUNT] = { { .table = TABLE_PERSON } };
	struct field *fields = arena_array(a, FIELDS, sizeof(*fields));
	uint16_t *slots = arena_array(a, FIELDS, sizeof(*slots));

	for (int t = 0; t < TABLE_COUNT; t++) {
		schemas[t].columns = arena_array(a, FIELDS, sizeof(struct column));
		schemas[t].column_count = FIELDS;
	}
	for (int i = 0; i < FIELDS; i++) {
		const char *name = arena_fmt(a, "field%d", i);

		slots[i] = (uint16_t)i;
		fields[i].name = name;
		for (int t = 0; t < TABLE_COUNT; t++) {
			fields[i].column[t] = name;
			schemas[t].columns[i] = (struct column){ .name = str_of(name),
								 .type = COLUMN_TEXT,
								 .length_max = 255,
								 .can_read = true,
								 .can_create = true,
								 .can_update = true };
		}
	}
	*set = (struct field_set){ .fields = fields, .count = FIELDS };
	return mapping_new(set, slots, schemas);
}

struct scene {
	struct link link;
	struct record seen[SIDE_COUNT];
};

static void make_scene(struct arena *a, struct scene *s, int number)
{
	s->link = (struct link){ .table = number % 2 ? TABLE_LEAD : TABLE_CONTACT,
				 .state = LINK_LIVE };
	link_reserve(&s->link, FIELDS, a);
	for (int side = 0; side < SIDE_COUNT; side++) {
		s->seen[side].values = arena_array(a, FIELDS, sizeof(struct value));
		for (int i = 0; i < FIELDS; i++) {
			struct value *v = &s->seen[side].values[i];

			*v = value_text(a, str_of(arena_fmt(a, "value %d of %d", i, number)));
			s->link.fingerprint[side][i] = fingerprint_of(&key, v);
		}
	}
}

static double hash_cost(const struct scene *scenes)
{
	double start = now_ns();
	uint64_t sum = 0;

	for (int r = 0; r < ROUNDS; r++)
		for (int n = 0; n < LINKS; n++)
			for (int side = 0; side < SIDE_COUNT; side++)
				for (int i = 0; i < FIELDS; i++)
					sum += fingerprint_of(&key,
							      &scenes[n].seen[side].values[i]);
	if (!sum)
		(void)fputs("", stdout); /* the sum is wanted, so that nothing is left out */
	return (now_ns() - start) / ((double)ROUNDS * LINKS * FIELDS);
}

static double decide_cost(const struct mapping *m, const struct scene *scenes)
{
	double start = now_ns();
	size_t writes = 0;

	for (int r = 0; r < ROUNDS; r++) {
		struct arena a = { .chunks = NULL };

		for (int n = 0; n < LINKS; n++) {
			struct decide_input in = { .mapping = m,
						   .key = &key,
						   .link = &scenes[n].link,
						   .seen = { &scenes[n].seen[SIDE_MARKETO],
							     &scenes[n].seen[SIDE_DYNAMICS] } };
			struct plan plan;

			decide(&in, &a, &plan);
			writes += plan.write_count[SIDE_DYNAMICS];
		}
		arena_release(&a);
	}
	(void)writes;
	return (now_ns() - start) / ((double)ROUNDS * LINKS * FIELDS);
}

int main(void)
{
	struct arena a = { .chunks = NULL };
	struct scene *scenes = arena_array(&a, LINKS, sizeof(*scenes));
	struct field_set set;
	struct mapping *m;
	struct err err;
	double hash, rest, changed;

	if (fingerprint_start(&err) != ERR_NONE) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	m = make_mapping(&a, &set);
	for (int i = 0; i < LINKS; i++)
		make_scene(&a, &scenes[i], i);
	hash = hash_cost(scenes);
	rest = decide_cost(m, scenes);
	for (int i = 0; i < LINKS; i++)
		scenes[i].seen[SIDE_MARKETO].values[i % FIELDS] = value_text(&a, STR("another"));
	changed = decide_cost(m, scenes);
	(void)printf("{\"hashNs\": %.1f, \"restNs\": %.1f, \"changedNs\": %.1f}\n", hash, rest,
		     changed);
	mapping_free(m);
	arena_release(&a);
	return 0;
}
