/* Finding or claiming counterparts; see match.h. */
#include "sync/match.h"

#include "sync/roster.h"

#include <stdlib.h>

/* One record on its way to a pair. */
struct match_item {
	struct record *record;
	struct link *link;     /* claim or tombstone from the store, or NULL */
	struct record *person; /* the counterpart, NULL: none yet */
	struct str email;      /* folded; empty: none */
	struct guid wanted;    /* the stamp a person is looked for by */
	bool is_out;           /* not to be paired now */
	bool is_moved;         /* link was taken over from the lead it was qualified from */
	bool is_resumed;       /* it was paused there */
};

struct match_candidate {
	struct str email; /* folded */
	struct record *person;
	bool is_taken;
};

struct match {
	struct step *s;
	struct match_item *items;
	size_t count;
};

bool match_person_is_free(const struct record *person, const struct link *link)
{
	if (link_is_taken(link))
		return false;
	return guid_is_zero(&person->record_id) || person->stamp_is_deleted;
}

static struct str match_email(const struct step *s, const struct record *record)
{
	const struct value *v;

	if (s->mapping->email < 0)
		return (struct str){ NULL, 0 };
	v = &record->values[s->mapping->email];
	return v->kind == VALUE_TEXT ? arena_fold(s->arena, v->text) : (struct str){ NULL, 0 };
}

static bool match_is_open(const struct match_item *item)
{
	return !item->is_out && !item->person && !item->is_moved;
}

/* Rows that never become persons of their own: losers of a merge, leads that live on as a contact,
 * and what the sync filter keeps out. */
static void match_leave_out(struct match *m)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct record *r = m->items[i].record;
		const struct link *link = m->items[i].link;
		bool is_qualified = r->table == TABLE_LEAD && r->state == 1;
		bool is_kept_out = filter_verdict(&m->s->mapping->filter_rule, r->filter) ==
				   FILTER_STOPS;

		if (r->is_merged || is_qualified || is_kept_out) {
			m->items[i].is_out = true;
			m->s->report->equal[r->table]++;
			/* Our own claim of an earlier life comes to nothing. */
			if (link && link->state == LINK_CLAIMED)
				ledger_forget(m->s->ledger, link);
		}
	}
}

/* What the contact shows as it was agreed on with the lead stays agreed; of the rest nothing is
 * known. */
static void match_keep_agreed(const struct step *s, struct link *moved,
			      const struct record *contact)
{
	const struct mapping *m = s->mapping;
	const uint64_t *agreed = moved->fingerprint[SIDE_DYNAMICS];

	moved->fingerprint[SIDE_DYNAMICS] =
		arena_array(s->arena, moved->slot_count, sizeof(*agreed));
	for (size_t i = 0; i < m->count; i++) {
		const struct value *v = &contact->values[i];
		uint16_t slot = m->fields[i].slot;

		if (slot >= moved->slot_count || v->kind == VALUE_UNSEEN)
			continue;
		if (fingerprint_of(&s->engine->identity.key, v) == agreed[slot])
			moved->fingerprint[SIDE_DYNAMICS][slot] = agreed[slot];
	}
}

static void match_move(struct match *m, struct match_item *item, struct link *lead)
{
	struct link *moved = arena_alloc(m->s->arena, sizeof(*moved));

	*moved = *lead;
	/* What was refused there has been seen, but is in no fingerprint: look at both. */
	item->is_resumed = lead->state == LINK_PAUSED || lead->parked_count > 0;
	moved->state = LINK_LIVE;
	moved->table = TABLE_CONTACT;
	moved->record_id = item->record->record_id;
	moved->version = item->record->version;
	moved->is_stamp_due = true;
	moved->is_stored = false;
	match_keep_agreed(m->s, moved, item->record);
	moved->parked = NULL;
	moved->parked_count = 0;
	/* The lead keeps a tombstone: whoever lost a merge to it must not take it for free. */
	lead->state = LINK_DELETED_IN_DYNAMICS;
	lead->person_id = 0;
	lead->is_stamp_due = false;
	ledger_link(m->s->ledger, lead);
	item->link = moved;
	item->is_moved = true;
	ledger_tell(m->s->ledger, moved, LINE_QUALIFIED);
}

/* A contact that a linked lead was qualified into takes the lead's link over: same person, another
 * record. So it does with a claim: the lead was made, whether we heard of it or not. */
static enum err_kind match_qualified(struct match *m, struct err *err)
{
	struct arena *a = m->s->arena;
	struct guid *origins = arena_array(a, m->count, sizeof(*origins));
	size_t *which = arena_array(a, m->count, sizeof(*which));
	struct link **leads = arena_array(a, m->count, sizeof(struct link *));
	const struct store *store = &m->s->engine->store;
	enum err_kind kind;
	size_t n = 0;

	for (size_t i = 0; i < m->count; i++) {
		const struct record *r = m->items[i].record;

		if (r->table == TABLE_CONTACT && !guid_is_zero(&r->origin_id)) {
			origins[n] = r->origin_id;
			which[n++] = i;
		}
	}
	if (!n)
		return ERR_NONE;
	kind = store->ops->links_by_record(store->self, TABLE_LEAD, origins, n, a, leads, err);
	for (size_t i = 0; kind == ERR_NONE && i < n; i++) {
		if (!link_is_taken(leads[i]) || !leads[i]->person_id)
			continue;
		/* Kept out by now, it may have left its stamp on the lead's person before. */
		if (m->items[which[i]].is_out)
			ledger_dirty_person(m->s->ledger, leads[i]->person_id);
		else
			match_move(m, &m->items[which[i]], leads[i]);
	}
	return kind;
}

static void match_report(struct match *m, struct match_item *item, const char *text)
{
	struct link link = { .table = item->record->table, .record_id = item->record->record_id };
	struct err why;

	(void)err_set(&why, ERR_REFUSED, "%s", text);
	(void)snprintf(why.code, sizeof(why.code), "AMBIGUOUS");
	ledger_error(m->s->ledger, &link, SIDE_MARKETO, "link", &why);
	item->is_out = true;
	m->s->report->failed[TABLE_PERSON]++;
}

/* Links of the persons found, in their order. */
static enum err_kind match_person_links(struct match *m, const struct record_list *found,
					struct link ***ret, struct err *err)
{
	const struct store *store = &m->s->engine->store;
	int64_t *ids = arena_array(m->s->arena, found->count, sizeof(*ids));

	*ret = arena_array(m->s->arena, found->count, sizeof(struct link *));
	for (size_t i = 0; i < found->count; i++)
		ids[i] = found->records[i].person_id;
	if (!found->count)
		return ERR_NONE;
	return store->ops->links_by_person(store->self, ids, found->count, m->s->arena, *ret, err);
}

static int match_by_wanted(const void *a, const void *b)
{
	return guid_compare(&(*(struct match_item *const *)a)->wanted,
			    &(*(struct match_item *const *)b)->wanted);
}

static struct match_item *match_item_of(struct match_item **sorted, size_t count,
					const struct guid *id)
{
	struct match_item key = { .wanted = *id }, *key_pointer = &key;
	struct match_item **at =
		bsearch(&key_pointer, sorted, count, sizeof(*sorted), match_by_wanted);

	return at ? *at : NULL;
}

/* The person belongs to another record, although it carries this one's stamp: somebody copied it,
 * or an older one was not replaced yet. It gets its own stamp back, and the record is looked at
 * again then; created now, it would be written over that person. */
static void match_restamp(struct match *m, struct match_item *item, struct link *owner)
{
	owner->is_stamp_due = true;
	ledger_link(m->s->ledger, owner);
	ledger_dirty_record(m->s->ledger, item->record->table, &item->record->record_id);
	item->is_out = true;
}

/* Persons that carry the stamp of one of the records, or of the lead it was qualified from: links
 * of a store that was lost, or of a run that was interrupted. */
static enum err_kind match_by_stamp(struct match *m, bool is_of_origin, struct err *err)
{
	const struct remote *marketo = &m->s->engine->remote[SIDE_MARKETO];
	struct match_item **sorted =
		arena_array(m->s->arena, m->count, sizeof(struct match_item *));
	struct str *values = arena_array(m->s->arena, m->count, sizeof(*values));
	struct record_list found = { .count = 0 };
	struct link **links;
	enum err_kind kind;
	size_t n = 0, value_count;

	for (size_t i = 0; i < m->count; i++) {
		struct match_item *item = &m->items[i];

		item->wanted = is_of_origin ? item->record->origin_id : item->record->record_id;
		if (match_is_open(item) && !guid_is_zero(&item->wanted))
			sorted[n++] = item;
	}
	if (!n)
		return ERR_NONE;
	qsort(sorted, n, sizeof(*sorted), match_by_wanted);
	for (size_t i = 0; i < n; i++) {
		char *text = arena_alloc(m->s->arena, GUID_TEXT);

		guid_print(&sorted[i]->wanted, text);
		values[i] = str_of(text);
	}
	value_count = n;
	kind = roster_choose(m->s, values, &value_count, err);
	if (kind == ERR_NONE)
		kind = marketo->ops->find(marketo->self, m->s->call, m->s->mapping, TABLE_PERSON,
					  LOOKUP_STAMP, values, value_count, m->s->arena, &found,
					  err);
	if (kind == ERR_NONE)
		kind = match_person_links(m, &found, &links, err);
	if (kind != ERR_NONE)
		return kind;
	m->s->report->read[TABLE_PERSON] += found.count;
	for (size_t i = 0; i < found.count; i++) {
		struct match_item *item = match_item_of(sorted, n, &found.records[i].record_id);
		bool is_other = links[i] && link_is_bound(links[i]) && item &&
				!guid_equal(&links[i]->record_id, &item->record->record_id);

		if (!item || item->is_out)
			continue;
		if (is_other && is_of_origin)
			continue;
		if (is_other) {
			match_restamp(m, item, links[i]);
			continue;
		}
		if (item->person)
			match_report(m, item,
				     "several persons carry the Microsoft Id of this record");
		else
			item->person = &found.records[i];
	}
	return ERR_NONE;
}

static int match_by_email_order(const void *a, const void *b)
{
	const struct match_candidate *x = a, *y = b;
	int order = str_compare(x->email, y->email);

	if (order)
		return order;
	return (x->person->person_id > y->person->person_id) -
	       (x->person->person_id < y->person->person_id);
}

/* More persons have the address than Marketo lists: none of them is chosen, and nobody is made. */
static void match_crowded(struct match *m, const struct record_list *found)
{
	for (size_t i = 0; i < m->count; i++) {
		struct match_item *item = &m->items[i];

		for (size_t k = 0; match_is_open(item) && k < found->crowded_count; k++) {
			if (str_equal(item->email, found->crowded[k]))
				match_report(m, item,
					     "more than a thousand persons have the e-mail address "
					     "of this record; change it, or merge them in Marketo, "
					     "then retry");
		}
	}
}

/* The first candidate with this e-mail in the sorted list, or count. */
static size_t match_first(const struct match_candidate *c, size_t count, struct str email)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (str_compare(c[middle].email, email) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void match_choose(struct match *m, struct match_item *item, struct match_candidate *c,
			 size_t count)
{
	struct match_candidate *only = NULL;

	for (size_t i = match_first(c, count, item->email);
	     i < count && str_equal(c[i].email, item->email); i++) {
		if (c[i].is_taken)
			continue;
		if (only) {
			match_report(
				m, item,
				"several unlinked persons have the e-mail address of this record; "
				"merge them in Marketo, then retry");
			return;
		}
		only = &c[i];
	}
	if (!only)
		return;
	only->is_taken = true;
	item->person = only->person;
}

static enum err_kind match_by_email(struct match *m, struct err *err)
{
	const struct remote *marketo = &m->s->engine->remote[SIDE_MARKETO];
	struct str *values = arena_array(m->s->arena, m->count, sizeof(*values));
	struct match_candidate *candidates;
	struct record_list found = { .count = 0 };
	size_t n = 0, candidate_count = 0;
	struct link **links;
	enum err_kind kind;

	for (size_t i = 0; i < m->count; i++) {
		m->items[i].email = match_email(m->s, m->items[i].record);
		if (match_is_open(&m->items[i]) && m->items[i].email.n)
			values[n++] = m->items[i].email;
	}
	if (!n || !m->s->engine->settings.match_by_email)
		return ERR_NONE;
	kind = roster_choose(m->s, values, &n, err);
	if (kind == ERR_NONE)
		kind = marketo->ops->find(marketo->self, m->s->call, m->s->mapping, TABLE_PERSON,
					  LOOKUP_EMAIL, values, n, m->s->arena, &found, err);
	if (kind == ERR_NONE)
		kind = match_person_links(m, &found, &links, err);
	if (kind != ERR_NONE)
		return kind;
	match_crowded(m, &found);
	m->s->report->read[TABLE_PERSON] += found.count;
	candidates = arena_array(m->s->arena, found.count, sizeof(*candidates));
	for (size_t i = 0; i < found.count; i++) {
		if (match_person_is_free(&found.records[i], links[i]))
			candidates[candidate_count++] = (struct match_candidate){
				.email = match_email(m->s, &found.records[i]),
				.person = &found.records[i],
			};
	}
	if (candidate_count)
		qsort(candidates, candidate_count, sizeof(*candidates), match_by_email_order);
	for (size_t i = 0; i < m->count; i++) {
		if (match_is_open(&m->items[i]) && m->items[i].email.n)
			match_choose(m, &m->items[i], candidates, candidate_count);
	}
	return ERR_NONE;
}

/* A link for an item that has none of its own: to be claimed. A tombstone of the same record is
 * taken up again. */
static struct link *match_new_link(struct match *m, const struct match_item *item)
{
	struct link *link = arena_alloc(m->s->arena, sizeof(*link));

	link->table = item->record->table;
	link->record_id = item->record->record_id;
	link->person_id = item->person ? item->person->person_id : 0;
	link->state = LINK_CLAIMED;
	link->version = item->record->version;
	link->generation = item->link ? item->link->generation + 1 : 1;
	link->is_stamp_due = true;
	if (item->link)
		link->is_stored = true;
	if (item->link) {
		link->parked = item->link->parked;
		link->parked_count = item->link->parked_count;
	}
	/* What was refused was the making of a person; one that was found is another matter. */
	if (item->person)
		ledger_unpark(m->s->ledger, link);
	return link;
}

static enum err_kind match_claim(struct match *m, struct err *err)
{
	const struct store *store = &m->s->engine->store;
	const struct link **wanted = arena_array(m->s->arena, m->count, sizeof(struct link *));
	struct match_item **owner = arena_array(m->s->arena, m->count, sizeof(struct match_item *));
	bool *is_claimed = arena_array(m->s->arena, m->count, sizeof(*is_claimed));
	enum err_kind kind;
	size_t n = 0;

	for (size_t i = 0; i < m->count; i++) {
		struct match_item *item = &m->items[i];
		if (item->is_out || item->is_moved)
			continue;
		item->link = match_new_link(m, item);
		wanted[n] = item->link;
		owner[n++] = item;
	}
	if (!n)
		return ERR_NONE;
	kind = store->ops->claim(store->self, wanted, n, is_claimed, err);
	for (size_t i = 0; kind == ERR_NONE && i < n; i++) {
		owner[i]->link->is_stored = true;
		if (is_claimed[i])
			continue;
		/* A real-time call was faster, with this record or this person. */
		owner[i]->is_out = true;
		ledger_dirty_record(m->s->ledger, owner[i]->record->table,
				    &owner[i]->record->record_id);
	}
	return kind;
}

enum err_kind match_records(struct step *s, struct record *const *records,
			    struct link *const *links, size_t count, struct pair *pairs,
			    size_t *ret_count, struct err *err)
{
	struct match m = { .s = s, .count = count };
	enum err_kind kind;
	size_t n = 0;

	m.items = arena_array(s->arena, count, sizeof(*m.items));
	for (size_t i = 0; i < count; i++)
		m.items[i] = (struct match_item){ .record = records[i], .link = links[i] };
	match_leave_out(&m);
	kind = match_qualified(&m, err);
	if (kind == ERR_NONE)
		kind = match_by_stamp(&m, false, err);
	if (kind == ERR_NONE)
		kind = match_by_stamp(&m, true, err);
	if (kind == ERR_NONE)
		kind = match_by_email(&m, err);
	if (kind == ERR_NONE)
		kind = match_claim(&m, err);
	if (kind != ERR_NONE)
		return kind;
	for (size_t i = 0; i < count; i++) {
		const struct match_item *item = &m.items[i];

		if (item->is_out)
			continue;
		pairs[n++] = (struct pair){
			.link = item->link,
			.seen = { item->person, item->record },
			.is_create = !item->person && !item->is_moved,
			.is_resumed = item->is_resumed,
		};
	}
	*ret_count = n;
	return ERR_NONE;
}
