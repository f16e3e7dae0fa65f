/* What happens in the two remotes, whoever does it: things come and go, values are put, versions
 * rise, logs grow. Must not know Tandem's rules. */
#include "tests/sim/sim.h"

#include <stdio.h>

void world_init(struct sim *s)
{
	for (int t = 0; t < TABLE_COUNT; t++)
		s->things[t] = arena_array(&s->memory, SIM_THINGS_MAX, sizeof(struct thing));
	s->now_ms = INT64_C(1767225600000); /* 2026-01-01 */
	s->crash_in = -1;
}

const char *world_name(const struct thing *t, char ret[24])
{
	(void)snprintf(ret, 24, "%s %d", table_name(t->table), t->number);
	return ret;
}

struct thing *world_person(struct sim *s, int64_t person_id)
{
	for (size_t i = 0; i < s->count[TABLE_PERSON]; i++) {
		struct thing *t = &s->things[TABLE_PERSON][i];

		if (t->exists && t->person_id == person_id)
			return t;
	}
	return NULL;
}

struct thing *world_row(struct sim *s, enum table table, const struct guid *id)
{
	for (size_t i = 0; i < s->count[table]; i++) {
		struct thing *t = &s->things[table][i];

		if (t->exists && guid_equal(&t->record_id, id))
			return t;
	}
	return NULL;
}

struct thing *world_new(struct sim *s, enum table table)
{
	size_t n = s->count[table];
	struct thing *t = &s->things[table][n];

	if (n == SIM_THINGS_MAX)
		return NULL;
	s->count[table]++;
	*t = (struct thing){ .table = table, .number = (int)n + 1, .exists = true };
	if (table == TABLE_PERSON) {
		t->person_id = 100 + (int64_t)n;
		t->stamp_table = TABLE_PERSON;
		return t;
	}
	t->record_id.byte[0] = (uint8_t)table;
	t->record_id.byte[15] = (uint8_t)(n + 1);
	t->filter = s->setup.has_filter[table] ? s->setup.filter_default : FILTER_ABSENT;
	return t;
}

void world_log(struct sim *s, const struct feed_entry *e)
{
	struct feed *f = &s->feed;

	if (f->delay) {
		f->late = arena_more(&s->memory, f->late, f->late_count, &f->late_cap, sizeof(*e));
		f->late[f->late_count] = *e;
		f->late[f->late_count++].due_round = s->round + f->delay;
		return;
	}
	f->entries = arena_more(&s->memory, f->entries, f->count, &f->cap, sizeof(*e));
	f->entries[f->count++] = *e;
}

void world_show_late(struct sim *s, bool all)
{
	struct feed *f = &s->feed;
	size_t kept = 0, count = f->late_count;

	f->delay = 0;
	f->late_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (all || f->late[i].due_round <= s->round)
			world_log(s, &f->late[i]);
		else
			f->late[kept++] = f->late[i];
	}
	f->late_count = kept;
}

static const char *world_rewritten(const struct sim *s, enum side side, enum word_field f,
				   const char *value)
{
	if (f != FIELD_LAST)
		return value;
	switch (s->setup.rewrite[side]) {
	case REWRITE_UPPER:
		return word_upper(value);
	case REWRITE_LOWER:
		return word_lower(value);
	case REWRITE_NONE:
		break;
	}
	return value;
}

static void world_log_change(struct sim *s, const struct thing *t, enum word_field f,
			     const char *was, const char *now)
{
	if (was != now)
		world_log(s, &(struct feed_entry){ .kind = CHANGE_EDITED,
						   .person_id = t->person_id,
						   .field = (int)f,
						   .was = was,
						   .now = now });
}

void world_put(struct sim *s, struct thing *t, enum word_field f, const char *value,
	       enum author author)
{
	struct cell *c = &t->cells[f];
	const char *was = c->now, *now = world_rewritten(s, table_side(t->table), f, value);

	s->step++;
	if (value == was && now == was)
		return; /* nothing changes */
	c->log = arena_more(&s->memory, c->log, c->count, &c->cap, sizeof(*c->log));
	c->log[c->count++] =
		(struct entry){ .value = now, .asked = value, .author = author, .step = s->step };
	c->now = now;
	if (t->table != TABLE_PERSON)
		return;
	if (f == FIELD_UNSUB && word_email_number(t->cells[FIELD_EMAIL].now))
		s->is_durable[word_email_number(t->cells[FIELD_EMAIL].now)] = now == word("true");
	world_log_change(s, t, f, was, value);
	world_log_change(s, t, f, value, now); /* rewritten at once */
}

void world_made_person(struct sim *s, struct thing *t)
{
	unsigned email = word_email_number(t->cells[FIELD_EMAIL].now);

	world_log(s, &(struct feed_entry){
			     .kind = CHANGE_EDITED, .person_id = t->person_id, .field = -1 });
	if (s->setup.has_memory && email && s->is_durable[email] &&
	    t->cells[FIELD_UNSUB].now != word("true"))
		world_put(s, t, FIELD_UNSUB, word("true"), BY_REMOTE);
}

void world_touch(struct sim *s, struct thing *row)
{
	row->version = ++s->row_version;
	s->step++;
}

void world_delete(struct sim *s, struct thing *t)
{
	enum table table = t->table;

	t->exists = false;
	s->step++;
	if (table == TABLE_PERSON) {
		world_log(s, &(struct feed_entry){ .kind = CHANGE_DELETED,
						   .person_id = t->person_id,
						   .field = -1 });
		return;
	}
	s->gone[table] = arena_more(&s->memory, s->gone[table], s->gone_count[table],
				    &s->gone_cap[table], sizeof(struct tombstone));
	s->gone[table][s->gone_count[table]++] =
		(struct tombstone){ t->record_id, ++s->row_version };
}
