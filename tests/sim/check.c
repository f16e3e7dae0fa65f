/* What must hold at every step and around every undisturbed cycle; see check.h. The model of a
 * field is written from the reference pages, not from the service. */
#include "tests/sim/check.h"

#include <stdio.h>

#include "tests/sim/twin_store.h"

/* ---- INV-ONE-ROW ---- */

static void check_one_link(struct sim *s)
{
	const struct twin_store *t = s->store;

	for (size_t i = 0; i < t->link_count; i++) {
		for (size_t k = i + 1; k < t->link_count; k++) {
			if (link_holds_person(&t->links[i].link) &&
			    link_holds_person(&t->links[k].link) &&
			    t->links[i].link.person_id == t->links[k].link.person_id)
				sim_broken(s, "INV-ONE-ROW", "person %lld has two links",
					   (long long)t->links[i].link.person_id);
		}
	}
}

static bool check_is_twin_row(const struct thing *a, const struct thing *b)
{
	return a->exists && b->exists && a->is_made_by_tandem && b->is_made_by_tandem &&
	       !a->is_merged && !b->is_merged && a->state != 1 && b->state != 1 &&
	       a->made_for_person == b->made_for_person;
}

static void check_one_row(struct sim *s)
{
	for (int t = TABLE_LEAD; t < TABLE_COUNT; t++) {
		for (size_t i = 0; i < s->count[t]; i++) {
			for (int u = t; u < TABLE_COUNT; u++) {
				for (size_t k = u == t ? i + 1 : 0; k < s->count[u]; k++) {
					if (check_is_twin_row(&s->things[t][i], &s->things[u][k]))
						sim_broken(
							s, "INV-ONE-ROW",
							"Tandem made two rows for person %lld",
							(long long)s->things[t][i].made_for_person);
				}
			}
		}
	}
}

static void check_one_person(struct sim *s)
{
	for (size_t i = 0; i < s->count[TABLE_PERSON]; i++) {
		const struct thing *a = &s->things[TABLE_PERSON][i];

		for (size_t k = i + 1; k < s->count[TABLE_PERSON]; k++) {
			const struct thing *b = &s->things[TABLE_PERSON][k];

			/* Who won a merge may be another record's person since. */
			if (a->exists && b->exists && !a->has_won_merge && !b->has_won_merge &&
			    a->is_made_by_tandem && b->is_made_by_tandem &&
			    guid_equal(&a->made_for, &b->made_for))
				sim_broken(s, "INV-ONE-ROW",
					   "Tandem made persons %lld and %lld for one row",
					   (long long)a->person_id, (long long)b->person_id);
		}
	}
}

void check_step(struct sim *s)
{
	check_one_link(s);
	check_one_row(s);
	check_one_person(s);
}

/* ---- INV-CURSOR-BEHIND ---- */

static bool check_is_selected(const struct sim *s, int field)
{
	if (field == FIELD_SECRET && s->right_told == RIGHT_NONE)
		return false;
	return field < 0 || s->setup.fields & 1U << field;
}

/* Does the entry tell just what the link was agreed on? Then it is Tandem's own write coming back.
 * What the value means depends on the columns: any reading of it will do. */
static bool check_is_echo(struct sim *s, const struct stored_link *row, const struct feed_entry *e)
{
	static const enum value_kind kinds[] = { VALUE_TEXT, VALUE_BOOLEAN, VALUE_DECIMAL };
	const struct fingerprint_key key = { { 42 } }; /* the twin's */

	if (!row || row->link.state != LINK_LIVE || e->field < 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		for (int scale = -1; scale < 3; scale++) {
			struct value v;

			if (value_parse(&s->memory, kinds[i], str_of(e->now), scale, &v, NULL) ==
				    ERR_NONE &&
			    fingerprint_of(&key, &v) ==
				    link_fingerprint(&row->link, SIDE_MARKETO,
						     (uint16_t)(FIELD_COUNT - e->field)))
				return true;
		}
	}
	return false;
}

/* What the log told up to here is marked, or has had its effect. */
static void check_feed_cursor(struct sim *s, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < s->feed.count; i++) {
		const struct feed_entry *e = &s->feed.entries[i];
		const struct stored_link *row = stored_link_of(s->store, e->person_id);

		if (e->kind == CHANGE_EDITED && check_is_selected(s, e->field) &&
		    !stored_is_dirty(s->store, TABLE_PERSON, e->person_id, NULL) &&
		    world_person(s, e->person_id) && !check_is_echo(s, row, e))
			sim_broken(s, "INV-CURSOR-BEHIND",
				   "the cursor is past a change of person %lld that is not marked",
				   (long long)e->person_id);
		if (e->kind != CHANGE_EDITED && row && link_is_bound(&row->link) &&
		    !stored_is_dirty(s->store, TABLE_PERSON, e->person_id, NULL))
			sim_broken(s, "INV-CURSOR-BEHIND",
				   "the cursor is past the end of person %lld, whose link lives",
				   (long long)e->person_id);
	}
}

static bool check_is_kept_out(const struct sim *s, const struct thing *row)
{
	return row->is_merged || (row->table == TABLE_LEAD && row->state == 1) ||
	       row->filter == FILTER_NO ||
	       (row->filter == FILTER_NULL && s->setup.filter_null == FILTER_NULL_SKIP);
}

static void check_row_covered(struct sim *s, const struct thing *row)
{
	struct stored_link *link = stored_link(s->store, row->table, &row->record_id);
	bool is_later = stored_is_dirty(s->store, row->table, 0, &row->record_id);
	char name[24];

	if (!link && !is_later && !check_is_kept_out(s, row) && !stored_has_error(s->store, row))
		sim_broken(s, "INV-CURSOR-BEHIND", "the cursor is past %s, nothing is noted of it",
			   world_name(row, name));
	if (link && !is_later && link->link.state == LINK_LIVE &&
	    link->link.version != row->version)
		sim_broken(s, "INV-CURSOR-BEHIND",
			   "the cursor is past %s at version %lld, its link is at %lld",
			   world_name(row, name), (long long)row->version,
			   (long long)link->link.version);
}

struct check_place {
	long long age, reached;
	bool is_set;
};

static struct check_place check_place_of(const char *cursor)
{
	unsigned long long selection;
	long long age, since, after, high;
	int is_full, is_reading;

	if (!cursor || sscanf(cursor, "D%llx %lld %lld %lld %lld %d %d", &selection, &age, &since,
			      &after, &high, &is_full, &is_reading) != 7)
		return (struct check_place){ .is_set = false };
	return (struct check_place){ age, is_reading ? after : high, true };
}

static void check_table_cursor(struct sim *s, enum table table, const char *was, const char *now)
{
	struct check_place from = check_place_of(was), to = check_place_of(now);

	if (s->is_empty_table)
		return; /* what was not told cannot be covered */
	if (!from.is_set || from.age != to.age)
		from.reached = 0;
	for (size_t i = 0; i < s->count[table]; i++) {
		const struct thing *row = &s->things[table][i];

		if (row->exists && row->version > from.reached && row->version <= to.reached)
			check_row_covered(s, row);
	}
}

void check_cursor(struct sim *s, enum table table, const char *was, const char *now)
{
	size_t from = 0, to = 0;

	if (table != TABLE_PERSON) {
		check_table_cursor(s, table, was, now);
		return;
	}
	if (was && sscanf(was, "M%zu", &from) == 1 && sscanf(now, "M%zu", &to) == 1)
		check_feed_cursor(s, from, to);
}

/* ---- INV-WINNER, INV-THREE-WAY ---- */

/* What the two halves of a link showed when a cycle had run its course undisturbed. */
struct agreed {
	enum table table;
	struct guid record_id;
	int64_t person_id;
	const char *value[FIELD_COUNT];
	bool is_agreed[FIELD_COUNT];
};

struct round_model {
	struct agreed agreed[SIM_THINGS_MAX];
	const char *shown[SIM_THINGS_MAX][SIDE_COUNT][FIELD_COUNT]; /* when the cycle began */
	bool is_open[SIM_THINGS_MAX], is_stopped[SIM_THINGS_MAX];
	size_t count;
	bool is_lenient;
};

static bool check_can_compare(const struct sim *s, enum word_field f, enum table table)
{
	return s->setup.fields & 1U << f && word_fields[f].column[table] &&
	       (f != FIELD_SECRET || s->right == RIGHT_ALL);
}

/* Notes what agrees now, for the next round. */
static void check_note_agreed(struct sim *s)
{
	struct round_model *m = arena_alloc(&s->memory, sizeof(*m));

	for (size_t i = 0; i < s->store->link_count && m->count < SIM_THINGS_MAX; i++) {
		const struct link *l = &s->store->links[i].link;
		struct thing *person = world_person(s, l->person_id),
			     *row = world_row(s, l->table, &l->record_id);
		struct agreed *a = &m->agreed[m->count];

		if (l->state != LINK_LIVE || !person || !row ||
		    stored_is_dirty(s->store, TABLE_PERSON, l->person_id, NULL) ||
		    stored_is_dirty(s->store, l->table, 0, &l->record_id) ||
		    stored_is_parked(s->store, l, PARKED_WHOLE_RECORD))
			continue;
		m->count++;
		a->table = l->table;
		a->record_id = l->record_id;
		a->person_id = l->person_id;
		for (int k = 0; k < FIELD_COUNT; k++) {
			enum word_field f = (enum word_field)k;

			a->value[f] = word_meaning(f, person->cells[f].now);
			a->is_agreed[f] =
				check_can_compare(s, f, l->table) &&
				a->value[f] == word_meaning(f, row->cells[f].now) &&
				!stored_is_parked(s->store, l, (uint16_t)(FIELD_COUNT - f));
		}
	}
	s->agreed = m;
}

struct round_model *check_begin_round(struct sim *s)
{
	struct round_model *m = s->agreed;

	s->agreed = NULL;
	if (!m)
		m = arena_alloc(&s->memory, sizeof(*m));
	for (size_t i = 0; i < m->count; i++) {
		const struct agreed *a = &m->agreed[i];
		struct thing *person = world_person(s, a->person_id),
			     *row = world_row(s, a->table, &a->record_id);

		m->is_open[i] = person && row && !row->is_merged &&
				(row->table == TABLE_CONTACT || !row->state);
		m->is_stopped[i] = row && (row->filter == FILTER_NO ||
					   (row->filter == FILTER_NULL &&
					    s->setup.filter_null != FILTER_NULL_SYNC));
		for (int k = 0; m->is_open[i] && k < FIELD_COUNT; k++) {
			enum word_field f = (enum word_field)k;

			m->shown[i][SIDE_MARKETO][f] = word_meaning(f, person->cells[f].now);
			m->shown[i][SIDE_DYNAMICS][f] = word_meaning(f, row->cells[f].now);
		}
	}
	m->is_lenient = s->is_lenient;
	return m;
}

/* Values that a remote or a column refuses: those stay behind, and may hold up their record. */
static bool check_is_refused(enum word_field f, const char *v)
{
	if (!v)
		return false;
	return v == word("Poison") || v == word("Zoe") || v == word("Nope") ||
	       v == word("poison@example.org") || v == word("Radio") ||
	       v == word("Longer than ten") || word_is_unreadable(f, v);
}

static enum side check_winner(const struct sim *s, enum word_field f, enum table table)
{
	bool is_marketo = table == TABLE_LEAD;

	if (word_fields[f].winner != WINNER_BY_LINK)
		is_marketo = (word_fields[f].winner == WINNER_MARKETO) != s->setup.is_mirrored;
	return is_marketo ? SIDE_MARKETO : SIDE_DYNAMICS;
}

/* What both sides should show after the cycle. */
static void check_expect(const struct sim *s, enum word_field f, enum table table, const char *base,
			 const char *const shown[SIDE_COUNT], const char *ret[SIDE_COUNT])
{
	const char *m = shown[SIDE_MARKETO], *d = shown[SIDE_DYNAMICS], *both;
	bool is_m = m != base, is_d = d != base;

	ret[0] = m;
	ret[1] = d;
	if (m == d || (!is_m && !is_d))
		return;
	if (f == FIELD_STATUS) { /* to Marketo only */
		ret[0] = is_d ? d : m;
		return;
	}
	if (is_m && is_d)
		both = shown[check_winner(s, f, table)];
	else
		both = is_m ? m : d;
	if (f == FIELD_NICK && !both) { /* an empty one overwrites nothing */
		if (!(is_m && is_d))
			return;
		both = m ? m : d;
	}
	ret[0] = ret[1] = both;
}

/* P19: what the sync filter keeps out stays as it is, on both sides. */
static void check_stopped(struct sim *s, const struct round_model *m, size_t i)
{
	const struct agreed *a = &m->agreed[i];
	struct thing *person = world_person(s, a->person_id),
		     *row = world_row(s, a->table, &a->record_id);
	char name[24];

	for (int k = 0; person && row && k < FIELD_COUNT; k++) {
		enum word_field f = (enum word_field)k;

		if (m->shown[i][SIDE_MARKETO][f] != word_meaning(f, person->cells[f].now) ||
		    m->shown[i][SIDE_DYNAMICS][f] != word_meaning(f, row->cells[f].now))
			sim_broken(s, "P19",
				   "%s of %s travels although its sync filter keeps it out",
				   word_fields[f].name, world_name(row, name));
	}
}

static void check_pair(struct sim *s, const struct round_model *m, size_t i)
{
	const struct agreed *a = &m->agreed[i];
	const struct stored_link *link = stored_link(s->store, a->table, &a->record_id);
	struct thing *person = world_person(s, a->person_id),
		     *row = world_row(s, a->table, &a->record_id);
	char name[24];

	if (!link || link->link.state != LINK_LIVE || link->link.person_id != a->person_id ||
	    !person || !row || stored_is_parked(s->store, &link->link, PARKED_WHOLE_RECORD))
		return;
	for (int k = 0; k < FIELD_COUNT; k++) {
		enum word_field f = (enum word_field)k;
		const char *shown[SIDE_COUNT] = { m->shown[i][0][f], m->shown[i][1][f] };
		const char *want[SIDE_COUNT], *have[SIDE_COUNT];
		bool is_rewritten = f == FIELD_LAST && (s->setup.rewrite[0] || s->setup.rewrite[1]);

		if (stored_is_parked(s->store, &link->link, (uint16_t)(FIELD_COUNT - f)) ||
		    !a->is_agreed[f] || !check_can_compare(s, f, a->table) || is_rewritten ||
		    check_is_refused(f, shown[0]) || check_is_refused(f, shown[1]))
			continue;
		check_expect(s, f, a->table, a->value[f], shown, want);
		have[0] = word_meaning(f, person->cells[f].now);
		have[1] = word_meaning(f, row->cells[f].now);
		s->checked_fields++;
		if (want[0] == have[0] && want[1] == have[1])
			continue;
		sim_broken(s,
			   shown[0] != a->value[f] && shown[1] != a->value[f] ? "INV-WINNER"
									      : "INV-THREE-WAY",
			   "%s of %s and person %lld: agreed '%s', Marketo '%s', Dynamics '%s'; "
			   "should become '%s' and '%s', is '%s' and '%s'",
			   word_fields[f].name, world_name(row, name), (long long)a->person_id,
			   a->value[f] ?: "", shown[0] ?: "", shown[1] ?: "", want[0] ?: "",
			   want[1] ?: "", have[0] ?: "", have[1] ?: "");
	}
}

void check_end_round(struct sim *s, const struct round_model *m)
{
	for (size_t i = 0; i < m->count; i++) {
		if (m->is_open[i] && m->is_stopped[i])
			check_stopped(s, m, i);
		else if (m->is_open[i] && m->is_lenient == s->is_lenient)
			check_pair(s, m, i);
	}
	check_note_agreed(s);
}
