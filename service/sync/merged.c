/* Links of rows that lost a merge; see merged.h. */
#include "sync/merged.h"

struct merged {
	struct step *s;
	struct ledger ledger;
	const struct record **losers;
	struct link **links, **winners; /* per loser; of its winner: NULL when it has none */
	size_t count;
};

static void merged_pause(struct merged *m, struct link *link, const struct link *winner)
{
	struct err why;

	if (link->state == LINK_PAUSED)
		return; /* reported when it was paused */
	if (link_is_taken(winner))
		(void)err_set(
			&why, ERR_REFUSED,
			"this person's record lost a merge to one that belongs to person %lld; "
			"merge the two persons in Marketo as well",
			(long long)winner->person_id);
	else
		(void)err_set(
			&why, ERR_REFUSED,
			"this person's record lost a merge to one that is no longer there, or "
			"lives on as a contact");
	(void)snprintf(why.code, sizeof(why.code), "MERGED");
	ledger_error(&m->ledger, link, SIDE_DYNAMICS, "link", &why);
	link->state = LINK_PAUSED;
	ledger_link(&m->ledger, link);
}

/* The winner's row is looked at next; until then nothing is known of it. */
static struct link *merged_move(struct merged *m, struct link *link, const struct guid *winner_id)
{
	struct link *moved = arena_alloc(m->s->arena, sizeof(*moved));

	*moved = *link;
	moved->record_id = *winner_id;
	moved->version = 0;
	moved->state = LINK_LIVE;
	moved->is_stamp_due = true;
	moved->is_stored = false;
	moved->parked = NULL;
	moved->parked_count = 0;
	link_forget_side(moved, SIDE_DYNAMICS);
	ledger_forget(&m->ledger, link);
	ledger_link(&m->ledger, moved);
	ledger_tell(&m->ledger, moved, LINE_RECORDS_MERGED);
	ledger_dirty_record(&m->ledger, moved->table, winner_id);
	ledger_dirty_person(&m->ledger, moved->person_id); /* both sides are looked at together */
	return moved;
}

static enum err_kind merged_find_links(struct merged *m, enum table table, struct err *err)
{
	const struct store *store = &m->s->engine->store;
	struct guid *ids = arena_array(m->s->arena, m->count, sizeof(*ids));
	enum err_kind kind;

	m->links = arena_array(m->s->arena, m->count, sizeof(struct link *));
	m->winners = arena_array(m->s->arena, m->count, sizeof(struct link *));
	for (size_t i = 0; i < m->count; i++)
		ids[i] = m->losers[i]->record_id;
	kind = store->ops->links_by_record(store->self, table, ids, m->count, m->s->arena, m->links,
					   err);
	for (size_t i = 0; i < m->count; i++)
		ids[i] = m->losers[i]->master_id;
	if (kind == ERR_NONE)
		kind = store->ops->links_by_record(store->self, table, ids, m->count, m->s->arena,
						   m->winners, err);
	return kind;
}

/* Several may have lost to the same row: the first takes it. */
static void merged_note_winner(struct merged *m, struct link *moved)
{
	for (size_t i = 0; i < m->count; i++) {
		if (guid_equal(&m->losers[i]->master_id, &moved->record_id))
			m->winners[i] = moved;
	}
}

/* The winner's row: of the same page, else read; NULL when it has gone. */
static enum err_kind merged_row(struct merged *m, struct record *const *records, size_t count,
				const struct record *loser, struct record **ret, struct err *err)
{
	const struct remote *dynamics = &m->s->engine->remote[SIDE_DYNAMICS];

	for (size_t i = 0; i < count; i++) {
		*ret = records[i];
		if (guid_equal(&records[i]->record_id, &loser->master_id))
			return ERR_NONE;
	}
	*ret = NULL;
	return dynamics->ops->read(dynamics->self, m->s->call, m->s->mapping, loser->table, NULL,
				   &loser->master_id, 1, m->s->arena, ret, err);
}

/* A winner without a link may be about to get one: that of the lead it was qualified from. */
static enum err_kind merged_find_origin(struct merged *m, const struct record *winner,
					struct link **ret, struct err *err)
{
	const struct store *store = &m->s->engine->store;

	*ret = NULL;
	if (winner->table != TABLE_CONTACT || guid_is_zero(&winner->origin_id))
		return ERR_NONE;
	return store->ops->links_by_record(store->self, TABLE_LEAD, &winner->origin_id, 1,
					   m->s->arena, ret, err);
}

/* What becomes of the i-th loser's link. */
static enum err_kind merged_settle(struct merged *m, size_t i, struct record *const *records,
				   size_t count, struct err *err)
{
	struct record *winner = NULL;
	struct link *origin = NULL;
	enum err_kind kind = ERR_NONE;
	bool is_heired;

	if (!m->winners[i])
		kind = merged_row(m, records, count, m->losers[i], &winner, err);
	if (kind == ERR_NONE && winner)
		kind = merged_find_origin(m, winner, &origin, err);
	if (kind != ERR_NONE)
		return kind;
	/* Reported when the winner had a person, who has moved on with the winner's own merge
	 * since. */
	if (m->links[i]->state == LINK_PAUSED && winner && winner->is_merged)
		return ERR_NONE;
	/* Even a tombstone of the winner is a history of its own; and a lead that was qualified has
	 * an heir, who was seen before it. */
	is_heired = winner && winner->table == TABLE_LEAD && winner->state == 1;
	if (m->winners[i] || !winner || is_heired)
		merged_pause(m, m->links[i], m->winners[i]);
	else if (link_is_taken(origin))
		ledger_dirty_record(&m->ledger, m->links[i]->table, &m->links[i]->record_id);
	else
		merged_note_winner(m, merged_move(m, m->links[i], &m->losers[i]->master_id));
	return ERR_NONE;
}

enum err_kind merged_run(struct step *s, struct record *const *records, size_t count,
			 struct err *err)
{
	struct merged m = { .s = s, .ledger = { .arena = s->arena } };
	enum err_kind kind;

	m.losers = arena_array(s->arena, count, sizeof(struct record *));
	for (size_t i = 0; i < count; i++) {
		if (records[i]->is_merged && !guid_is_zero(&records[i]->master_id))
			m.losers[m.count++] = records[i];
	}
	if (!m.count)
		return ERR_NONE;
	kind = merged_find_links(&m, records[0]->table, err);
	for (size_t i = 0; kind == ERR_NONE && i < m.count; i++) {
		if (m.links[i] && link_is_bound(m.links[i]))
			kind = merged_settle(&m, i, records, count, err);
	}
	return kind == ERR_NONE ? ledger_commit(&m.ledger, s->engine, true, err) : kind;
}
