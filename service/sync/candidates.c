/* Which record belongs to a person who has none: the one an earlier try claimed, the one the stamp
 * names, or the one unlinked with the same e-mail address. */
#include "sync/requests_p.h"

static struct str work_email(const struct batch *b, const struct work *w)
{
	int at = b->s.mapping->email;

	if (at < 0 || !w->person || w->person->values[at].kind != VALUE_TEXT)
		return (struct str){ NULL, 0 };
	return w->person->values[at].text;
}

/* Still without a record, and without a create under way: a claim taken up again may have been
 * created already. */
static bool work_is_unmade(const struct work *w)
{
	return !w->is_done && w->person && !(w->link && w->link->state == LINK_CLAIMED);
}

static bool work_wants_email(const struct batch *b, const struct work *w)
{
	return work_is_unmade(w) && !w->candidates && work_email(b, w).n > 0;
}

/* Was the claim made for a record that was found, not for one to be created? Its id tells. */
static bool work_claims_found(const struct batch *b, const struct work *w)
{
	struct guid made;

	if (w->is_done || !w->link || w->link->state != LINK_CLAIMED)
		return false;
	made = fingerprint_record_id(str_of(b->s.engine->settings.instance), w->link->person_id,
				     w->link->generation);
	return !guid_equal(&made, &w->link->record_id);
}

/* Claims of an earlier try that were to link a record: it is linked now, and never made anew when
 * it has gone. */
static enum err_kind candidates_claimed(struct batch *b, struct err *err)
{
	const struct remote *dynamics = &b->s.engine->remote[SIDE_DYNAMICS];
	struct err gone;

	(void)err_set(&gone, ERR_RETRY_LATER, "the record that was to be linked has gone");
	for (size_t i = 0; i < b->count; i++) {
		struct work *w = &b->works[i];
		enum err_kind kind;

		if (!work_claims_found(b, w))
			continue;
		kind = dynamics->ops->read(dynamics->self, b->s.call, b->s.mapping, w->link->table,
					   NULL, &w->link->record_id, 1, b->s.arena, &w->found,
					   err);
		if (kind != ERR_NONE)
			return kind;
		w->candidates = 1;
		if (w->found)
			continue;
		work_drop_claim(b, w);
		work_postpone(b, w, &gone);
	}
	return ERR_NONE;
}

/* Claims of an earlier try that were to create a record: it may be there, whatever was answered. To
 * find that out by creating it again could be refused for what the person shows by now. */
static enum err_kind candidates_made(struct batch *b, enum table table, struct err *err)
{
	const struct remote *dynamics = &b->s.engine->remote[SIDE_DYNAMICS];
	struct guid *ids = arena_array(b->s.arena, b->count, sizeof(*ids));
	struct work **open = arena_array(b->s.arena, b->count, sizeof(struct work *));
	struct record **found = arena_array(b->s.arena, b->count, sizeof(struct record *));
	enum err_kind kind;
	size_t n = 0;

	for (size_t i = 0; i < b->count; i++) {
		struct work *w = &b->works[i];

		if (w->is_done || w->found || !w->person || !w->link || w->link->table != table ||
		    w->link->state != LINK_CLAIMED)
			continue;
		ids[n] = w->link->record_id;
		open[n++] = w;
	}
	if (!n)
		return ERR_NONE;
	kind = dynamics->ops->read(dynamics->self, b->s.call, b->s.mapping, table, NULL, ids, n,
				   b->s.arena, found, err);
	for (size_t i = 0; kind == ERR_NONE && i < n; i++) {
		open[i]->found = found[i];
		open[i]->is_made = found[i] != NULL;
		open[i]->candidates = found[i] != NULL;
	}
	return kind;
}

/* A claim without a person is the cycle's, which is making this very person of the record. */
static bool work_is_others(const struct work *w, const struct link *link)
{
	return link_is_taken(link) && link->person_id && link->person_id != w->request->person_id;
}

/* A stamp counts unless its record belongs to somebody else. */
static enum err_kind candidates_take_stamped(struct batch *b, enum table table, struct work **open,
					     struct record **found, size_t count, struct err *err)
{
	const struct store *store = &b->s.engine->store;
	struct guid *ids = arena_array(b->s.arena, count, sizeof(*ids));
	struct link **links = arena_array(b->s.arena, count, sizeof(struct link *));
	enum err_kind kind;

	for (size_t i = 0; i < count; i++)
		ids[i] = open[i]->person->record_id;
	kind = store->ops->links_by_record(store->self, table, ids, count, b->s.arena, links, err);
	for (size_t i = 0; kind == ERR_NONE && i < count; i++) {
		if (!found[i] || open[i]->found || work_is_others(open[i], links[i]))
			continue;
		open[i]->found = found[i];
		open[i]->candidates = 1;
	}
	return kind;
}

/* Persons that carry a stamp although the store knows no link: a store that was lost. Their record
 * is looked up by its id. */
static enum err_kind candidates_stamped(struct batch *b, struct err *err)
{
	const struct remote *dynamics = &b->s.engine->remote[SIDE_DYNAMICS];
	struct guid *ids = arena_array(b->s.arena, b->count, sizeof(*ids));
	struct work **open = arena_array(b->s.arena, b->count, sizeof(struct work *));
	struct record **found = arena_array(b->s.arena, b->count, sizeof(struct record *));

	for (int t = TABLE_LEAD; t < TABLE_COUNT; t++) {
		enum err_kind kind;
		size_t n = 0;

		for (size_t i = 0; i < b->count; i++) {
			struct work *w = &b->works[i];
			bool is_mine = w->person && !w->person->stamp_is_deleted &&
				       !guid_is_zero(&w->person->record_id) &&
				       (w->person->stamp_table == (enum table)t ||
					w->person->stamp_table == TABLE_PERSON);

			if (work_is_unmade(w) && !w->found && is_mine) {
				ids[n] = w->person->record_id;
				open[n++] = w;
			}
		}
		if (!n)
			continue;
		kind = dynamics->ops->read(dynamics->self, b->s.call, b->s.mapping, (enum table)t,
					   NULL, ids, n, b->s.arena, found, err);
		if (kind == ERR_NONE)
			kind = candidates_take_stamped(b, (enum table)t, open, found, n, err);
		if (kind != ERR_NONE)
			return kind;
	}
	return ERR_NONE;
}

/* Records of one table with one of the e-mails, less those that have a link: candidates of the
 * persons that wait. */
static enum err_kind candidates_add(struct batch *b, enum table table, const struct str *values,
				    size_t count, struct err *err)
{
	const struct remote *dynamics = &b->s.engine->remote[SIDE_DYNAMICS];
	const struct store *store = &b->s.engine->store;
	struct record_list found = { .count = 0 };
	struct link **links, **origins;
	struct guid *ids;
	enum err_kind kind;

	kind = dynamics->ops->find(dynamics->self, b->s.call, b->s.mapping, table, LOOKUP_EMAIL,
				   values, count, b->s.arena, &found, err);
	if (kind != ERR_NONE || !found.count)
		return kind;
	ids = arena_array(b->s.arena, found.count, sizeof(*ids));
	links = arena_array(b->s.arena, found.count, sizeof(struct link *));
	origins = arena_array(b->s.arena, found.count, sizeof(struct link *));
	for (size_t i = 0; i < found.count; i++)
		ids[i] = found.records[i].record_id;
	kind = store->ops->links_by_record(store->self, table, ids, found.count, b->s.arena, links,
					   err);
	/* The contact of a qualified lead belongs to the lead's person, although the cycle has not
	 * moved the link yet. */
	for (size_t i = 0; i < found.count; i++)
		ids[i] = found.records[i].origin_id;
	if (kind == ERR_NONE && table == TABLE_CONTACT)
		kind = store->ops->links_by_record(store->self, TABLE_LEAD, ids, found.count,
						   b->s.arena, origins, err);
	for (size_t i = 0; kind == ERR_NONE && i < found.count; i++) {
		const struct value *email = &found.records[i].values[b->s.mapping->email];

		if (link_is_taken(links[i]) || link_is_taken(origins[i]))
			continue;
		for (size_t k = 0; email->kind == VALUE_TEXT && k < b->count; k++) {
			struct work *w = &b->works[k];

			if (!work_is_unmade(w) || !str_equal_fold(work_email(b, w), email->text))
				continue;
			w->candidates++;
			w->found = &found.records[i];
		}
	}
	return kind;
}

static enum err_kind candidates_by_email(struct batch *b, struct err *err)
{
	struct str *values = arena_array(b->s.arena, b->count, sizeof(*values));
	enum err_kind kind = ERR_NONE;
	size_t n = 0;

	for (size_t i = 0; i < b->count; i++) {
		if (work_wants_email(b, &b->works[i]))
			values[n++] = work_email(b, &b->works[i]);
	}
	if (!n || !b->s.engine->settings.match_by_email)
		return ERR_NONE;
	for (int t = TABLE_LEAD; kind == ERR_NONE && t < TABLE_COUNT; t++)
		kind = candidates_add(b, (enum table)t, values, n, err);
	return kind;
}

static void candidates_refuse(struct batch *b)
{
	static const char text[] =
		"several unlinked records in Dynamics have this person's e-mail address; "
		"nothing was written";

	for (size_t i = 0; i < b->count; i++) {
		struct work *w = &b->works[i];
		struct link none = { .table = w->request->sync_as,
				     .person_id = w->request->person_id };
		struct err why;

		if (w->is_done || w->candidates < 2)
			continue;
		(void)err_set(&why, ERR_REFUSED, "%s", text);
		(void)snprintf(why.code, sizeof(why.code), "AMBIGUOUS");
		ledger_error(&b->ledger, &none, SIDE_DYNAMICS, "link", &why);
		work_finish(b, w, OUTCOME_AMBIGUOUS, text);
	}
}

enum err_kind candidates_find(struct batch *b, struct err *err)
{
	enum err_kind kind = candidates_claimed(b, err);

	for (int t = TABLE_LEAD; kind == ERR_NONE && t < TABLE_COUNT; t++)
		kind = candidates_made(b, (enum table)t, err);
	if (kind == ERR_NONE)
		kind = candidates_stamped(b, err);
	if (kind == ERR_NONE)
		kind = candidates_by_email(b, err);
	if (kind == ERR_NONE)
		candidates_refuse(b);
	return kind;
}
