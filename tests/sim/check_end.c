/* What must hold in the end, when everything had its time; see check.h. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/check.h"
#include "tests/sim/twin_store.h"

/* A live link with its two halves. */
struct couple {
	const struct link *link;
	struct thing *half[SIDE_COUNT];
};

static bool end_is_travelling(const struct sim *s, const struct couple *c, enum word_field f)
{
	return s->setup.fields & 1U << f && word_fields[f].column[c->link->table] &&
	       (f != FIELD_SECRET || s->right == RIGHT_ALL);
}

static bool end_is_parked(const struct sim *s, const struct couple *c, enum word_field f)
{
	return stored_is_parked(s->store, c->link, (uint16_t)(FIELD_COUNT - f));
}

static const char *end_meaning(const struct couple *c, enum side side, enum word_field f)
{
	return word_meaning(f, c->half[side]->cells[f].now);
}

static const struct entry *end_last(const struct thing *t, enum word_field f)
{
	const struct cell *c = &t->cells[f];

	return c->count ? &c->log[c->count - 1] : NULL;
}

/* What people put into Marketo's half of a one-way field stays until Dynamics changes. */
static bool end_may_differ(const struct couple *c, enum word_field f)
{
	const struct entry *m = end_last(c->half[SIDE_MARKETO], f);

	if (f == FIELD_NICK)
		return !end_meaning(c, SIDE_MARKETO, f) || !end_meaning(c, SIDE_DYNAMICS, f);
	/* A record made anew begins empty, and a first contact overwrites nothing with that. */
	return f == FIELD_STATUS &&
	       (!m || m->author != BY_TANDEM || !end_meaning(c, SIDE_DYNAMICS, f));
}

/* INV-SETTLES */
static void end_settles(struct sim *s, const struct couple *c)
{
	char name[24];

	for (int k = 0; k < FIELD_COUNT; k++) {
		enum word_field f = (enum word_field)k;
		const char *m = end_meaning(c, SIDE_MARKETO, f),
			   *d = end_meaning(c, SIDE_DYNAMICS, f);

		if (!end_is_travelling(s, c, f) || end_is_parked(s, c, f) || m == d ||
		    end_may_differ(c, f))
			continue;
		sim_broken(s, "INV-SETTLES", "%s of person %lld is '%s', of %s it is '%s'",
			   word_fields[f].name, (long long)c->link->person_id, m ?: "",
			   world_name(c->half[SIDE_DYNAMICS], name), d ?: "");
	}
}

/* ---- where a value can have come from ---- */

/* Do the values of this thing belong to the couple: is it a half, or has it become one of them? */
static bool end_is_kin(const struct couple *c, const struct thing *t)
{
	const struct thing *row = c->half[SIDE_DYNAMICS];

	if (t == c->half[SIDE_MARKETO] || t == row || !t->exists)
		return true;
	if (t->table == TABLE_PERSON)
		return false;
	if (t->made_for_person == c->link->person_id ||
	    guid_equal(&t->record_id, &c->half[SIDE_MARKETO]->made_for))
		return true; /* the person, or the row, was made of the other */
	return guid_equal(&t->record_id, &row->origin_id) ||
	       (t->is_merged && guid_equal(&t->master_id, &row->record_id)) ||
	       (t->is_merged && !guid_is_zero(&row->origin_id));
}

/* Did the side hold this at any time from the step on? */
static bool end_was_there(struct sim *s, const struct couple *c, enum side side, enum word_field f,
			  const char *meaning, int since)
{
	for (int t = 0; t < TABLE_COUNT; t++) {
		for (size_t i = 0; table_side((enum table)t) == side && i < s->count[t]; i++) {
			const struct cell *cell = &s->things[t][i].cells[f];

			for (size_t k = 0; end_is_kin(c, &s->things[t][i]) && k < cell->count;
			     k++) {
				bool is_over = k + 1 < cell->count && cell->log[k + 1].step < since;

				if (!is_over && (word_meaning(f, cell->log[k].value) == meaning ||
						 word_meaning(f, cell->log[k].asked) == meaning))
					return true;
			}
		}
	}
	return false;
}

/* INV-THREE-WAY, the weak form: nothing stands in a field that nobody put into this couple. */
static void end_has_origin(struct sim *s, const struct couple *c)
{
	for (int k = 0; k < FIELD_COUNT; k++) {
		enum word_field f = (enum word_field)k;

		for (int side = 0; side < SIDE_COUNT; side++) {
			const char *value = c->half[side]->cells[f].now;
			bool is_rewritten = f == FIELD_LAST &&
					    (s->setup.rewrite[0] || s->setup.rewrite[1]);
			bool is_known = word_is_blank(f, value) || is_rewritten ||
					s->has_lost_store;

			for (int t = 0; t < TABLE_COUNT && !is_known; t++) {
				for (size_t i = 0; i < s->count[t] && !is_known; i++) {
					const struct cell *cell = &s->things[t][i].cells[f];

					for (size_t n = 0;
					     n < cell->count && end_is_kin(c, &s->things[t][i]);
					     n++)
						is_known |= cell->log[n].author != BY_TANDEM &&
							    word_meaning(f, cell->log[n].value) ==
								    word_meaning(f, value);
				}
			}
			if (!is_known)
				sim_broken(s, "INV-THREE-WAY",
					   "%s of person %lld or its row is '%s', which nobody put "
					   "there",
					   word_fields[f].name, (long long)c->link->person_id,
					   value);
		}
	}
}

/* ---- INV-NOTHING-SILENT ---- */

static bool end_is_about(const struct couple *c, enum table table, const struct guid *record_id,
			 int64_t person_id)
{
	return person_id == c->link->person_id ||
	       (table == c->link->table && guid_equal(record_id, &c->link->record_id));
}

static bool end_is_reported(struct sim *s, const struct couple *c, enum side side,
			    enum word_field f, const char *meaning)
{
	const struct twin_store *t = s->store;
	const char *name = word(word_fields[f].name);

	for (size_t i = 0; i < t->collision_count; i++) {
		const struct stored_collision *row = &t->collisions[i];

		if (row->field == name && word_meaning(f, row->value[side]) == meaning)
			return true;
	}
	for (size_t i = 0; i < t->error_count; i++) {
		const struct stored_error *row = &t->errors[i];

		if (end_is_about(c, row->table, &row->record_id, row->person_id) &&
		    (!row->field || row->field == name))
			return true;
	}
	return false;
}

/* When people put this value there for the first time: what has been agreed once, changed, and
 * changed back is no change. */
static int end_first_put(const struct thing *t, enum word_field f, const char *meaning)
{
	const struct cell *c = &t->cells[f];

	for (size_t i = 0; i < c->count; i++) {
		if (word_meaning(f, c->log[i].value) == meaning)
			return c->log[i].step;
	}
	return 0;
}

static const struct entry *end_last_of_people(const struct thing *t, enum word_field f)
{
	for (size_t i = t->cells[f].count; i > 0; i--) {
		if (t->cells[f].log[i - 1].author == BY_PEOPLE)
			return &t->cells[f].log[i - 1];
	}
	return NULL;
}

/* People typed the value that our write was about to bring, then another, which the write covered:
 * the log shows two entries with the same new value, perhaps on two pages, and which of them is
 * ours cannot be told (overwrite.c). */
static bool end_is_twice_the_same(const struct couple *c, enum side side, enum word_field f,
				  const struct entry *e)
{
	const struct cell *cell = &c->half[side]->cells[f];
	size_t at = (size_t)(e - cell->log);

	return side == SIDE_MARKETO && at > 0 && at + 1 < cell->count &&
	       cell->log[at - 1].author != BY_TANDEM && cell->log[at + 1].author == BY_TANDEM &&
	       word_meaning(f, cell->log[at - 1].value) == word_meaning(f, cell->log[at + 1].value);
}

/* What people put last into a half, and is not there any more, has travelled or stands in a row. */
static void end_nothing_silent(struct sim *s, const struct couple *c)
{
	char name[24];

	for (int k = 0; k < FIELD_COUNT; k++) {
		enum word_field f = (enum word_field)k;
		bool is_rewritten = f == FIELD_LAST && (s->setup.rewrite[0] || s->setup.rewrite[1]);

		for (int i = 0; i < SIDE_COUNT; i++) {
			enum side side = (enum side)i;
			const struct entry *e = end_last_of_people(c->half[side], f);
			const char *meaning = e ? word_meaning(f, e->value) : NULL;

			if (!end_is_travelling(s, c, f) || word_fields[f].direction ||
			    is_rewritten || s->has_lost_right || s->has_lost_store || !e ||
			    word_is_blank(f, e->value) || meaning == end_meaning(c, side, f) ||
			    end_was_there(s, c, side_other(side), f, meaning,
					  end_first_put(c->half[side], f, meaning)) ||
			    end_is_twice_the_same(c, side, f, e) ||
			    end_is_reported(s, c, side, f, meaning))
				continue;
			sim_broken(s, "INV-NOTHING-SILENT",
				   "'%s', which people put into %s of %s, is nowhere and was "
				   "never reported",
				   meaning, word_fields[f].name, world_name(c->half[side], name));
		}
	}
}

/* ---- INV-CONSENT ---- */

static bool end_takes_back(const struct cell *cell, int since)
{
	for (size_t i = 1; i < cell->count; i++) {
		if (cell->log[i].author == BY_PEOPLE && cell->log[i].step > since &&
		    cell->log[i].value != word("true") && cell->log[i - 1].value == word("true"))
			return true;
	}
	return false;
}

/* Did people take an opt-out back, on either side, after the step? */
static bool end_is_taken_back(struct sim *s, const struct couple *c, int since)
{
	for (int t = 0; t < TABLE_COUNT; t++) {
		for (size_t i = 0; i < s->count[t]; i++) {
			const struct thing *thing = &s->things[t][i];

			if (end_is_kin(c, thing) &&
			    end_takes_back(&thing->cells[FIELD_UNSUB], since))
				return true;
		}
	}
	return false;
}

static void end_consent(struct sim *s, const struct couple *c)
{
	char name[24];

	if (!end_is_travelling(s, c, FIELD_UNSUB) || end_is_parked(s, c, FIELD_UNSUB))
		return;
	for (int side = 0; side < SIDE_COUNT; side++) {
		const struct entry *e = end_last_of_people(c->half[side], FIELD_UNSUB);

		if (!e || e->value != word("true") ||
		    end_is_taken_back(s, c,
				      end_first_put(c->half[side], FIELD_UNSUB, word("true"))))
			continue;
		for (int i = 0; i < SIDE_COUNT; i++) {
			if (end_meaning(c, (enum side)i, FIELD_UNSUB) != word("true"))
				sim_broken(s, "INV-CONSENT",
					   "people opted %s out, nobody took it back, and %s is "
					   "not opted out",
					   world_name(c->half[side], name),
					   i == SIDE_MARKETO ? "its person" : "its row");
		}
	}
}

/* ---- things ---- */

static bool end_is_left_out(struct sim *s, const struct thing *row)
{
	const struct stored_link *l = stored_link(s->store, row->table, &row->record_id);

	if (row->is_merged || (row->table == TABLE_LEAD && row->state == 1) ||
	    stored_has_error(s->store, row))
		return true;
	if (row->filter == FILTER_NO ||
	    (row->filter == FILTER_NULL && s->setup.filter_null == FILTER_NULL_SKIP))
		return true;
	return l && (link_is_bound(&l->link) || l->link.state == LINK_DELETED_IN_MARKETO);
}

/* INV-SETTLES: every row has its person, every request its answer. */
static void end_rows(struct sim *s)
{
	char name[24];

	for (int t = TABLE_LEAD; t < TABLE_COUNT; t++) {
		for (size_t i = 0; i < s->count[t]; i++) {
			const struct thing *row = &s->things[t][i];

			if (row->exists && !end_is_left_out(s, row))
				sim_broken(s, "INV-SETTLES", "%s has no person",
					   world_name(row, name));
		}
	}
	for (size_t i = 0; i < s->store->request_count; i++) {
		if (s->store->requests[i].is_open)
			sim_broken(s, "INV-SETTLES", "the request for person %lld is still open",
				   (long long)s->store->requests[i].request.person_id);
	}
}

static void end_link(struct sim *s, const struct link *l)
{
	struct couple c = {
		l, { world_person(s, l->person_id), world_row(s, l->table, &l->record_id) }
	};
	char id[GUID_TEXT];

	guid_print(&l->record_id, id);
	if (l->state != LINK_LIVE)
		return;
	if (!c.half[SIDE_MARKETO] || !c.half[SIDE_DYNAMICS]) {
		sim_broken(s, "INV-SETTLES",
			   "the link of person %lld and %s %s lives, its %s is gone",
			   (long long)l->person_id, table_name(l->table), id,
			   c.half[SIDE_MARKETO] ? "row" : "person");
		return;
	}
	if (!s->has_two_leaders && !guid_equal(&c.half[SIDE_MARKETO]->stamp_id, &l->record_id))
		sim_broken(s, "INV-SETTLES", "person %lld does not carry the stamp of its %s %s",
			   (long long)l->person_id, table_name(l->table), id);
	end_settles(s, &c);
	end_has_origin(s, &c);
	end_nothing_silent(s, &c);
	end_consent(s, &c);
}

/* P20: the person of a lead that was qualified is the contact's. */
static void end_qualified(struct sim *s)
{
	char name[24], other[24];

	for (size_t i = 0; i < s->count[TABLE_CONTACT]; i++) {
		const struct thing *contact = &s->things[TABLE_CONTACT][i];
		const struct thing *lead = world_row(s, TABLE_LEAD, &contact->origin_id);
		const struct stored_link *of_contact =
			stored_link(s->store, TABLE_CONTACT, &contact->record_id);
		const struct stored_link *of_lead =
			lead ? stored_link(s->store, TABLE_LEAD, &lead->record_id) : NULL;

		if (contact->exists && of_contact && of_lead &&
		    of_contact->link.state == LINK_LIVE && of_lead->link.state == LINK_LIVE)
			sim_broken(s, "P20", "%s became %s, and each has a person of its own",
				   world_name(lead, name), world_name(contact, other));
	}
}

/* INV-ONE-LINE: not twice, which is seen when it happens, and not never. */
static void end_lines(struct sim *s)
{
	for (size_t i = 0; i < s->store->outbox_count; i++) {
		const struct stored_outbox *o = &s->store->outbox[i];

		if (!o->is_sent)
			sim_broken(s, "INV-ONE-LINE",
				   "a line for person %lld was sent %u times and never settled",
				   (long long)o->row.person_id, o->row.tries);
	}
}

void check_end(struct sim *s)
{
	end_qualified(s);
	check_step(s);
	for (size_t i = 0; i < s->store->link_count; i++)
		end_link(s, &s->store->links[i].link);
	end_rows(s);
	end_lines(s);
}

/* ---- the digest ---- */

char *check_digest_pair(struct sim *s)
{
	struct buf out = { .data = NULL };

	for (size_t i = 0; i < s->store->link_count; i++) {
		const struct link *l = &s->store->links[i].link;
		struct couple c = {
			l, { world_person(s, l->person_id), world_row(s, l->table, &l->record_id) }
		};

		buf_text(&out, link_state_name(l->state));
		for (int k = 0; c.half[0] && c.half[1] && k < FIELD_COUNT; k++) {
			enum word_field f = (enum word_field)k;
			const char *m = end_meaning(&c, SIDE_MARKETO, f) ?: "",
				   *d = end_meaning(&c, SIDE_DYNAMICS, f) ?: "";

			buf_fmt(&out, " %s='%s'/'%s'", word_fields[f].name,
				s->setup.is_mirrored ? d : m, s->setup.is_mirrored ? m : d);
		}
		buf_char(&out, '\n');
	}
	return out.data;
}

static void digest_thing(struct sim *s, const struct thing *t, struct buf *out)
{
	if (!t) {
		buf_text(out, "nothing");
		return;
	}
	buf_text(out, table_name(t->table));
	if (t->table != TABLE_PERSON)
		buf_fmt(out, " %d%s", t->state, t->is_merged ? " merged" : "");
	for (int k = 0; k < FIELD_COUNT; k++) {
		enum word_field f = (enum word_field)k;

		if (s->setup.fields & 1U << f && word_fields[f].column[t->table])
			buf_fmt(out, " %s='%s'", word_fields[f].name,
				word_meaning(f, t->cells[f].now) ?: "");
	}
}

static int digest_order(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

char *check_digest(struct sim *s)
{
	char **lines = arena_array(&s->memory, SIM_THINGS_MAX * TABLE_COUNT + SIM_LINKS_MAX,
				   sizeof(char *));
	struct buf out = { .data = NULL };
	size_t n = 0;
	char *copy;

	for (int t = 0; t < TABLE_COUNT; t++) {
		for (size_t i = 0; i < s->count[t]; i++) {
			const struct thing *thing = &s->things[t][i];
			const struct stored_link *l =
				t == TABLE_PERSON
					? stored_link_of(s->store, thing->person_id)
					: stored_link(s->store, thing->table, &thing->record_id);

			if (!thing->exists)
				continue;
			buf_clear(&out);
			digest_thing(s, thing, &out);
			buf_fmt(&out, " | %s", l ? link_state_name(l->link.state) : "no link");
			if (l && t == TABLE_PERSON && link_is_bound(&l->link)) {
				buf_text(&out, " with ");
				digest_thing(s, world_row(s, l->link.table, &l->link.record_id),
					     &out);
			}
			lines[n++] = arena_text(&s->memory, buf_str(&out));
		}
	}
	qsort(lines, n, sizeof(char *), digest_order);
	buf_clear(&out);
	for (size_t i = 0; i < n; i++)
		buf_fmt(&out, "%s\n", lines[i]);
	copy = out.data;
	return copy;
}
