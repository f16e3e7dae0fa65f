/* What other people do in the two remotes: a marketer in Marketo, a seller in Dynamics, and the
 * remotes' administrators. Must not know Tandem. */
#include "tests/sim/history.h"

static const char *const workers[SIDE_COUNT] = { "a marketer", "a seller" };

static const char *worker_of(const struct thing *t)
{
	return workers[table_side(t->table)];
}

static const struct thing *maker_of(struct sim *s, const struct thing *row)
{
	for (size_t i = 0; i < s->count[TABLE_PERSON]; i++) {
		if (s->things[TABLE_PERSON][i].person_id == row->made_for_person)
			return &s->things[TABLE_PERSON][i];
	}
	return row;
}

/* Does a come before b? What people made in the order it was made, then what Tandem made in the
 * order of what it made it for: the order in which Tandem works must not tell. */
static bool is_before(struct sim *s, const struct thing *a, const struct thing *b)
{
	int order;

	if (a->is_made_by_tandem != b->is_made_by_tandem)
		return b->is_made_by_tandem;
	if (!a->is_made_by_tandem)
		return a->number < b->number;
	if (a->table != TABLE_PERSON && a->made_for_person != b->made_for_person)
		return is_before(s, maker_of(s, a), maker_of(s, b));
	order = guid_compare(&a->made_for, &b->made_for);
	return order ? order < 0 : a->number < b->number;
}

struct thing *people_pick(struct sim *s, enum table table, unsigned n)
{
	struct thing *there[SIM_THINGS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < s->count[table]; i++) {
		struct thing *t = &s->things[table][i];
		size_t at = count;

		if (!t->exists || t->is_merged)
			continue;
		for (; at && is_before(s, t, there[at - 1]); at--)
			there[at] = there[at - 1];
		there[at] = t;
		count++;
	}
	return count ? there[n % count] : NULL;
}

static enum word_field pick_field(const struct sim *s, enum table table, unsigned n)
{
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		enum word_field f = (enum word_field)((n + i) % FIELD_COUNT);

		if (word_fields[f].column[table] && s->setup.fields & 1U << f)
			return f;
	}
	return FIELD_EMAIL;
}

static bool put(struct sim *s, struct thing *t, enum word_field f, const char *value)
{
	char name[24];

	if (!t || (t->table == TABLE_LEAD && t->state))
		return false; /* a lead that was closed is read-only */
	sim_say(s, "%s changes %s of %s to '%s'", worker_of(t), word_fields[f].name,
		world_name(t, name), value ? value : "");
	world_put(s, t, f, value, BY_PEOPLE);
	if (t->table != TABLE_PERSON)
		world_touch(s, t);
	return true;
}

static bool edit(struct sim *s, const struct event *e)
{
	enum table table = (enum table)(e->a % TABLE_COUNT);
	enum word_field f = pick_field(s, table, e->c);
	enum side side;

	side = s->setup.is_plain ? SIDE_DYNAMICS : table_side(table);
	return put(s, people_pick(s, table, e->b), f, word_typed(f, side, e->d));
}

static bool empty(struct sim *s, const struct event *e)
{
	enum table table = (enum table)(e->a % TABLE_COUNT);

	return put(s, people_pick(s, table, e->b), pick_field(s, table, e->c), NULL);
}

static bool opt(struct sim *s, const struct event *e, const char *value)
{
	return put(s, people_pick(s, (enum table)(e->a % TABLE_COUNT), e->b), FIELD_UNSUB,
		   word(value));
}

static bool create(struct sim *s, const struct event *e)
{
	enum table table = (enum table)(e->a % TABLE_COUNT);
	enum side side = table_side(table);
	struct thing *t = s->count[table] < 8 ? world_new(s, table) : NULL;
	char name[24];

	if (!t)
		return false;
	sim_say(s, "%s makes %s, e-mail '%s', lastName '%s'%s", workers[side], world_name(t, name),
		word_typed(FIELD_EMAIL, side, e->b) ?: "", word_typed(FIELD_LAST, side, e->c) ?: "",
		e->d % 4 == 1 ? ", opted out" : "");
	world_put(s, t, FIELD_EMAIL, word_typed(FIELD_EMAIL, side, e->b), BY_PEOPLE);
	world_put(s, t, FIELD_LAST, word_typed(FIELD_LAST, side, e->c), BY_PEOPLE);
	if (e->d % 4 == 1)
		world_put(s, t, FIELD_UNSUB, word("true"), BY_PEOPLE);
	for (int f = FIELD_AMOUNT; e->d % 4 == 2 && f < FIELD_COUNT; f++) {
		if (word_fields[f].column[table])
			world_put(s, t, (enum word_field)f,
				  word_typed((enum word_field)f, side, e->d / 4), BY_PEOPLE);
	}
	if (table == TABLE_PERSON)
		world_made_person(s, t);
	else
		world_touch(s, t);
	return true;
}

static bool delete (struct sim *s, const struct event *e)
{
	struct thing *t = people_pick(s, (enum table)(e->a % TABLE_COUNT), e->b);
	char name[24];

	if (!t)
		return false;
	sim_say(s, "%s deletes %s", worker_of(t), world_name(t, name));
	world_delete(s, t);
	return true;
}

/* The winner's empty fields are filled from the loser. */
static void fill(struct sim *s, struct thing *winner, const struct thing *loser)
{
	for (int f = 0; f < FIELD_COUNT; f++) {
		if (!winner->cells[f].now && loser->cells[f].now)
			world_put(s, winner, (enum word_field)f, loser->cells[f].now, BY_REMOTE);
	}
}

static void merge_persons(struct sim *s, struct thing *winner, struct thing *loser)
{
	fill(s, winner, loser);
	if (guid_is_zero(&winner->stamp_id)) {
		winner->stamp_id = loser->stamp_id;
		winner->stamp_table = loser->stamp_table;
		winner->stamp_is_deleted = loser->stamp_is_deleted;
	}
	loser->exists = false;
	winner->has_won_merge = true;
	world_log(s, &(struct feed_entry){ .kind = CHANGE_MERGED,
					   .person_id = loser->person_id,
					   .winner_id = winner->person_id,
					   .field = -1 });
	world_log(s, &(struct feed_entry){
			     .kind = CHANGE_EDITED, .person_id = winner->person_id, .field = -1 });
}

static void merge_rows(struct sim *s, struct thing *winner, struct thing *loser, bool is_filled)
{
	if (is_filled)
		fill(s, winner, loser);
	s->has_chained_merge |=
		loser->has_won_merge; /* then the order in which they are told counts */
	winner->has_won_merge = true;
	loser->is_merged = true;
	loser->master_id = winner->record_id;
	loser->state = 1;
	world_touch(s, loser);
	world_touch(s, winner);
}

static bool merge(struct sim *s, const struct event *e)
{
	enum table table = (enum table)(e->a % TABLE_COUNT);
	struct thing *winner = people_pick(s, table, e->b), *loser = people_pick(s, table, e->c);
	char name[24], other[24];

	if (!winner || winner == loser || (table == TABLE_LEAD && (winner->state || loser->state)))
		return false;
	sim_say(s, "%s merges %s into %s", worker_of(winner), world_name(loser, other),
		world_name(winner, name));
	if (table == TABLE_PERSON)
		merge_persons(s, winner, loser);
	else
		merge_rows(s, winner, loser, e->d % 2);
	return true;
}

static bool qualify(struct sim *s, const struct event *e)
{
	struct thing *lead = people_pick(s, TABLE_LEAD, e->b), *contact;
	char name[24], other[24];

	if (!lead || lead->state || s->count[TABLE_CONTACT] >= 8)
		return false;
	lead->state = 1;
	if (e->d % 4 == 0) {
		sim_say(s, "a seller qualifies %s and makes no contact of it",
			world_name(lead, name));
		world_touch(s, lead);
		return true;
	}
	contact = world_new(s, TABLE_CONTACT);
	contact->origin_id = lead->record_id;
	if (s->setup.has_filter[TABLE_CONTACT] && lead->filter != FILTER_ABSENT)
		contact->filter = lead->filter;
	sim_say(s, "a seller qualifies %s, which becomes %s", world_name(lead, name),
		world_name(contact, other));
	for (int f = 0; f < FIELD_COUNT; f++) {
		if (word_fields[f].column[TABLE_CONTACT] && lead->cells[f].now)
			world_put(s, contact, (enum word_field)f, lead->cells[f].now, BY_REMOTE);
	}
	world_touch(s, e->d % 4 == 1 ? lead : contact);
	world_touch(s, e->d % 4 == 1 ? contact : lead);
	return true;
}

static bool filter(struct sim *s, const struct event *e)
{
	static const enum filter_mark marks[] = { FILTER_NO, FILTER_YES, FILTER_NULL };
	static const char *const words[] = { "No", "Yes", "nothing" };
	enum table table = e->a % 2 ? TABLE_LEAD : TABLE_CONTACT;
	struct thing *t = people_pick(s, table, e->b);
	char name[24];

	if (!s->setup.has_filter[table] || !t || (table == TABLE_LEAD && t->state))
		return false;
	sim_say(s, "a seller sets the sync filter of %s to %s", world_name(t, name),
		words[e->c % 3]);
	t->filter = marks[e->c % 3];
	world_touch(s, t);
	return true;
}

static bool deactivate(struct sim *s, const struct event *e)
{
	struct thing *t = people_pick(s, e->a % 2 ? TABLE_LEAD : TABLE_CONTACT, e->b);
	char name[24];

	if (!t || (t->table == TABLE_LEAD && t->state == 1))
		return false;
	t->state = t->state ? 0 : t->table == TABLE_LEAD ? 2 : 1;
	sim_say(s, "a seller %s %s", t->state ? "deactivates" : "activates", world_name(t, name));
	world_touch(s, t);
	return true;
}

static bool right(struct sim *s, const struct event *e)
{
	static const char *const words[] = { "may read and write", "may only read",
					     "may not even read" };

	if (!(s->setup.fields & 1U << FIELD_SECRET))
		return false;
	s->right = (enum right)(e->a % 3);
	s->has_lost_right |= s->right != RIGHT_ALL;
	sim_say(s, "an administrator decides that the sync user %s the column new_secret",
		words[s->right]);
	return true;
}

bool people_act(struct sim *s, const struct event *e)
{
	static bool (*const acts[EVENT_KIND_COUNT])(struct sim *, const struct event *) = {
		[EVENT_EDIT] = edit,     [EVENT_EMPTY] = empty,           [EVENT_CREATE] = create,
		[EVENT_DELETE] = delete, [EVENT_MERGE] = merge,           [EVENT_QUALIFY] = qualify,
		[EVENT_FILTER] = filter, [EVENT_DEACTIVATE] = deactivate, [EVENT_RIGHT] = right,
	};

	s->step++;
	if (e->kind == EVENT_OPT_OUT || e->kind == EVENT_OPT_IN)
		return opt(s, e, e->kind == EVENT_OPT_OUT ? "true" : "false");
	return acts[e->kind] ? acts[e->kind](s, e) : false;
}
