/* From rows and marks to pairs; see records.h. */
#include "sync/records.h"

#include "base/log.h"
#include "sync/match.h"
#include "sync/merged.h"
#include "sync/roster.h"

/* Does the record differ from what was agreed on with it? Where nothing was, its version tells. */
static bool records_has_news(const struct step *s, const struct link *link, const struct record *r)
{
	const struct mapping *m = s->mapping;
	bool has_agreed = false;

	for (size_t i = 0; i < m->count; i++) {
		const struct value *v = &r->values[i];
		uint64_t agreed = link_fingerprint(link, SIDE_DYNAMICS, m->fields[i].slot);

		if (!agreed || v->kind == VALUE_UNSEEN || !mapping_active(m, i, r->table))
			continue;
		has_agreed = true;
		if (fingerprint_of(&s->engine->identity.key, v) != agreed)
			return true;
	}
	return !has_agreed && r->version != link->version;
}

/* Neither the filter nor a lost merge keeps the row's link paused. */
static bool records_may_travel(const struct step *s, const struct record *r)
{
	return !r->is_merged &&
	       filter_verdict(&s->mapping->filter_rule, r->filter) == FILTER_TRAVELS;
}

enum records_fate { FATE_PAIR, FATE_RESUMED, FATE_MATCH, FATE_CLAIMED, FATE_NOTHING };

/* What a row's link says about the way it takes. */
static enum records_fate records_fate(const struct step *s, const struct link *link,
				      const struct record *r)
{
	if (!link)
		return FATE_MATCH;
	switch (link->state) {
	case LINK_LIVE:
		return FATE_PAIR;
	case LINK_PAUSED:
		return records_may_travel(s, r) ? FATE_RESUMED : FATE_NOTHING;
	case LINK_CLAIMED:
		/* With a person: a real-time call may be making this very record. Without: our own,
		 * interrupted. */
		return link->person_id ? FATE_CLAIMED : FATE_MATCH;
	case LINK_DELETED_IN_MARKETO:
		return !s->engine->settings.set->leaves_deleted && records_has_news(s, link, r)
			       ? FATE_MATCH
			       : FATE_NOTHING;
	case LINK_DELETED_IN_DYNAMICS:
		return FATE_MATCH; /* restored */
	case LINK_STATE_COUNT:
		break;
	}
	return FATE_NOTHING;
}

/* Attaches the person to every pair whose person has changes of its own waiting, whose link was
 * paused until now, or whose table is read from the start; and takes those marks. */
static enum err_kind records_add_persons(struct step *s, struct pair *pairs, size_t count,
					 bool is_full_scan, struct err *err)
{
	const struct store *store = &s->engine->store;
	const struct remote *marketo = &s->engine->remote[SIDE_MARKETO];
	int64_t *ids = arena_array(s->arena, count, sizeof(*ids));
	int64_t *seqs = arena_array(s->arena, count, sizeof(*seqs));
	struct pair **chosen = arena_array(s->arena, count, sizeof(struct pair *));
	struct record **found = arena_array(s->arena, count, sizeof(struct record *));
	enum err_kind kind;
	size_t n = 0;

	/* 0: no person yet, or seen already */
	for (size_t i = 0; i < count; i++)
		ids[i] = pairs[i].seen[SIDE_MARKETO] ? 0 : pairs[i].link->person_id;
	if (!count)
		return ERR_NONE;
	kind = store->ops->dirty_among(store->self, ids, count, seqs, err);
	if (kind != ERR_NONE)
		return kind;
	for (size_t i = 0; i < count; i++) {
		if (!ids[i] || (!seqs[i] && !pairs[i].is_resumed && !is_full_scan))
			continue;
		if (seqs[i])
			ledger_clean(s->ledger, &(struct dirty){ .table = TABLE_PERSON,
								 .person_id = ids[i],
								 .seq = seqs[i] });
		ids[n] = ids[i];
		chosen[n++] = &pairs[i];
	}
	if (!n)
		return ERR_NONE;
	kind = marketo->ops->read(marketo->self, s->call, s->mapping, TABLE_PERSON, ids, NULL, n,
				  s->arena, found, err);
	for (size_t i = 0; kind == ERR_NONE && i < n; i++) {
		s->report->read[TABLE_PERSON]++;
		chosen[i]->seen[SIDE_MARKETO] = found[i];
		if (found[i])
			continue;
		chosen[i]->is_over = true;
		pairs_end_link(s, chosen[i]->link, LINK_DELETED_IN_MARKETO);
	}
	return kind;
}

/* Claims of a person and a record: one that an open request is working on is left to it, and looked
 * at later; any other is this cycle's own of an earlier life, interrupted before it was committed,
 * and taken up again. Moves those on to pairs. The links are loaded once more: a request that has
 * just ended made a live one of its claim. */
static enum err_kind records_claimed(struct step *s, struct record *const *records,
				     struct link *const *links, size_t count, struct pair *pairs,
				     size_t *paired, struct err *err)
{
	const struct store *store = &s->engine->store;
	int64_t *persons = arena_array(s->arena, count, sizeof(*persons));
	bool *is_requested = arena_array(s->arena, count, sizeof(*is_requested));
	struct guid *ids = arena_array(s->arena, count, sizeof(*ids));
	struct link **now = arena_array(s->arena, count, sizeof(struct link *));
	enum err_kind kind;

	for (size_t i = 0; i < count; i++)
		persons[i] = links[i]->person_id;
	if (!count)
		return ERR_NONE;
	kind = store->ops->requests_among(store->self, persons, count, is_requested, err);
	for (size_t i = 0; i < count; i++)
		ids[i] = records[i]->record_id;
	if (kind == ERR_NONE)
		kind = store->ops->links_by_record(store->self, records[0]->table, ids, count,
						   s->arena, now, err);
	for (size_t i = 0; kind == ERR_NONE && i < count; i++) {
		if (now[i] && now[i]->state == LINK_CLAIMED)
			now[i]->is_stamp_due = true; /* a request's claim brings none along */
		if (is_requested[i] || !now[i])
			ledger_dirty_record(s->ledger, records[i]->table, &records[i]->record_id);
		else if (now[i]->state == LINK_CLAIMED || now[i]->state == LINK_LIVE)
			pairs[(*paired)++] =
				(struct pair){ .link = now[i], .seen = { NULL, records[i] } };
		/* Nothing of a claim has been written: what was refused was making a person, before
		 * this one was found. */
		if (now[i] && now[i]->state == LINK_CLAIMED && !is_requested[i])
			ledger_unpark(s->ledger, now[i]);
	}
	return kind;
}

/* Somebody made a new option and used it before the schema was read again: the row is looked at
 * once more with a fresh one. An option that is unknown even then is reported. */
static void records_unknown_options(struct step *s, struct record *const *records,
				    struct link *const *links, size_t count)
{
	struct engine *e = s->engine;

	for (size_t i = 0; i < count; i++) {
		struct err why;

		if (!records[i]->has_unknown_option || !links[i])
			continue;
		if (!e->is_schema_fresh) {
			e->is_schema_stale = true;
			ledger_dirty_record(s->ledger, records[i]->table, &records[i]->record_id);
			continue;
		}
		(void)err_set(
			&why, ERR_REFUSED,
			"the record shows an option that the schema of Dynamics does not tell; "
			"the field is left as it is");
		(void)snprintf(why.code, sizeof(why.code), "UNKNOWN_OPTION");
		ledger_error(s->ledger, links[i], SIDE_MARKETO, "read", &why);
	}
}

/* Links that were to be proven equal, and were not: no feed had told. */
static void records_count_drift(struct step *s, const struct pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct plan *plan = &pairs[i].plan;
		size_t writes = plan->write_count[SIDE_MARKETO] + plan->write_count[SIDE_DYNAMICS];

		if (!writes && !pairs[i].is_over)
			continue;
		s->report->drifted++;
		log_warn("drift", LOG_NUMBER("person", pairs[i].link->person_id),
			 LOG_TEXT("table", table_name(pairs[i].link->table)),
			 LOG_NUMBER("fields", writes));
	}
}

enum err_kind records_run(struct step *s, struct record *const *records, size_t count,
			  bool is_full_scan, struct err *err)
{
	const struct store *store = &s->engine->store;
	struct guid *ids = arena_array(s->arena, count, sizeof(*ids));
	struct link **links = arena_array(s->arena, count, sizeof(struct link *));
	struct record **fresh = arena_array(s->arena, count, sizeof(struct record *));
	struct link **fresh_links = arena_array(s->arena, count, sizeof(struct link *));
	struct record **claimed = arena_array(s->arena, count, sizeof(struct record *));
	struct link **claims = arena_array(s->arena, count, sizeof(struct link *));
	struct pair *pairs = arena_array(s->arena, count, sizeof(*pairs));
	size_t paired = 0, fresh_count = 0, claim_count = 0, matched = 0;
	enum err_kind kind;

	if (!count)
		return ERR_NONE;
	for (size_t i = 0; i < count; i++)
		ids[i] = records[i]->record_id;
	kind = merged_run(s, records, count, err);
	if (kind == ERR_NONE)
		kind = store->ops->links_by_record(store->self, records[0]->table, ids, count,
						   s->arena, links, err);
	if (kind != ERR_NONE)
		return kind;
	records_unknown_options(s, records, links, count);
	for (size_t i = 0; i < count; i++) {
		switch (records_fate(s, links[i], records[i])) {
		case FATE_RESUMED:
			links[i]->state = LINK_LIVE;
			pairs[paired++] = (struct pair){ .link = links[i],
							 .seen = { NULL, records[i] },
							 .is_resumed = true };
			break;
		case FATE_PAIR:
			pairs[paired++] =
				(struct pair){ .link = links[i], .seen = { NULL, records[i] } };
			break;
		case FATE_MATCH:
			fresh[fresh_count] = records[i];
			fresh_links[fresh_count++] = links[i];
			break;
		case FATE_CLAIMED:
			claimed[claim_count] = records[i];
			claims[claim_count++] = links[i];
			break;
		case FATE_NOTHING:
			s->report->equal[records[i]->table]++;
			break;
		}
	}
	kind = records_claimed(s, claimed, claims, claim_count, pairs, &paired, err);
	if (kind != ERR_NONE)
		return kind;
	if (fresh_count) {
		kind = match_records(s, fresh, fresh_links, fresh_count, pairs + paired, &matched,
				     err);
		if (kind != ERR_NONE)
			return kind;
	}
	kind = records_add_persons(s, pairs, paired + matched, is_full_scan, err);
	if (kind == ERR_NONE)
		kind = pairs_run(s, pairs, paired + matched, err);
	if (kind == ERR_NONE && s->is_proof)
		records_count_drift(s, pairs, paired);
	return kind;
}

/* Claims whose record is not there, and that no request works on: nothing was made of them, and
 * nothing can be. */
static enum err_kind records_forget_claims(struct step *s, struct link *const *links, size_t count,
					   struct err *err)
{
	const struct store *store = &s->engine->store;
	int64_t *persons = arena_array(s->arena, count, sizeof(*persons));
	struct link **claims = arena_array(s->arena, count, sizeof(struct link *));
	bool *is_requested = arena_array(s->arena, count, sizeof(*is_requested));
	enum err_kind kind;
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (links[i] && links[i]->state == LINK_CLAIMED) {
			persons[n] = links[i]->person_id;
			claims[n++] = links[i];
		}
	}
	if (!n)
		return ERR_NONE;
	kind = store->ops->requests_among(store->self, persons, n, is_requested, err);
	for (size_t i = 0; kind == ERR_NONE && i < n; i++) {
		if (!is_requested[i])
			ledger_forget(s->ledger, claims[i]);
		/* It may have become a live link just now, or be made and deleted while the request
		 * ends: one more look, which finds nothing when it was forgotten. */
		ledger_dirty_record(s->ledger, claims[i]->table, &claims[i]->record_id);
	}
	return kind;
}

enum err_kind records_deleted(struct step *s, struct link *const *links, size_t count,
			      struct err *err)
{
	enum err_kind kind = records_forget_claims(s, links, count, err);

	for (size_t i = 0; kind == ERR_NONE && i < count; i++) {
		if (!links[i] || !link_is_bound(links[i]))
			continue;
		pairs_end_link(s, links[i], LINK_DELETED_IN_DYNAMICS);
		s->report->drifted += s->is_proof;
	}
	return kind;
}

/* Chooses the marks whose persons have a live link; the others are taken off, or left for later
 * when a link is being made. */
static size_t records_choose(struct step *s, const struct dirty *marks, struct link *const *links,
			     size_t count, struct pair *pairs)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (links[i] && links[i]->state == LINK_CLAIMED)
			continue;
		ledger_clean(s->ledger, &marks[i]);
		if (links[i] && links[i]->state == LINK_LIVE)
			pairs[n++] = (struct pair){ .link = links[i] };
	}
	return n;
}

/* While a roster is used: persons without a link may be new, or have another address. */
static enum err_kind records_note_strangers(struct step *s, const struct dirty *marks,
					    struct link *const *links, size_t count,
					    struct err *err)
{
	const struct remote *marketo = &s->engine->remote[SIDE_MARKETO];
	int64_t *ids = arena_array(s->arena, count, sizeof(*ids));
	struct record **found = arena_array(s->arena, count, sizeof(struct record *));
	enum err_kind kind;
	size_t n = 0;

	for (size_t i = 0; s->engine->has_roster && i < count; i++) {
		if (!links[i])
			ids[n++] = marks[i].person_id;
	}
	if (!n)
		return ERR_NONE;
	kind = marketo->ops->read(marketo->self, s->call, s->mapping, TABLE_PERSON, ids, NULL, n,
				  s->arena, found, err);
	for (size_t i = 0; kind == ERR_NONE && i < n; i++) {
		if (found[i])
			roster_add(s, found[i]);
	}
	return kind;
}

enum err_kind records_persons(struct step *s, const struct dirty *marks, size_t count,
			      struct err *err)
{
	const struct store *store = &s->engine->store;
	const struct remote *marketo = &s->engine->remote[SIDE_MARKETO];
	int64_t *ids = arena_array(s->arena, count, sizeof(*ids));
	struct link **links = arena_array(s->arena, count, sizeof(struct link *));
	struct record **found = arena_array(s->arena, count, sizeof(struct record *));
	struct pair *pairs = arena_array(s->arena, count, sizeof(*pairs));
	enum err_kind kind;
	size_t n;

	for (size_t i = 0; i < count; i++)
		ids[i] = marks[i].person_id;
	kind = store->ops->links_by_person(store->self, ids, count, s->arena, links, err);
	if (kind != ERR_NONE)
		return kind;
	kind = records_note_strangers(s, marks, links, count, err);
	if (kind != ERR_NONE)
		return kind;
	n = records_choose(s, marks, links, count, pairs);
	for (size_t i = 0; i < n; i++)
		ids[i] = pairs[i].link->person_id;
	if (!n)
		return ERR_NONE;
	kind = marketo->ops->read(marketo->self, s->call, s->mapping, TABLE_PERSON, ids, NULL, n,
				  s->arena, found, err);
	if (kind != ERR_NONE)
		return kind;
	s->report->read[TABLE_PERSON] += n;
	for (size_t i = 0; i < n; i++) {
		pairs[i].seen[SIDE_MARKETO] = found[i];
		if (found[i])
			continue;
		pairs[i].is_over = true;
		pairs_end_link(s, pairs[i].link, LINK_DELETED_IN_MARKETO);
	}
	return pairs_run(s, pairs, n, err);
}
