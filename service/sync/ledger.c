/* Gathering rows for a commit; see ledger.h. */
#include "sync/ledger.h"

#include "base/buf.h"
#include "base/clock.h"

/* Appends to one of the ledger's arrays and keeps the unit's view of it in step. */
#define LEDGER_ADD(l, array, member, count, cap, ...)                                              \
	do {                                                                                       \
		(l)->array = arena_more((l)->arena, (l)->array, (l)->unit.count, &(l)->cap,        \
					sizeof((l)->array[0]));                                    \
		(l)->array[(l)->unit.count++] = __VA_ARGS__;                                       \
		(l)->unit.member = (l)->array;                                                     \
	} while (0)

void ledger_link(struct ledger *l, struct link *link)
{
	for (size_t i = l->unit.link_count; i > 0 && i + 8 > l->unit.link_count; i--) {
		if (l->links[i - 1] == link)
			return; /* noted a moment ago; it is written whole anyway */
	}
	LEDGER_ADD(l, links, links, link_count, link_cap, link);
}

void ledger_forget(struct ledger *l, const struct link *link)
{
	LEDGER_ADD(l, forget, forget, forget_count, forget_cap, link);
}

void ledger_stamped(struct ledger *l, const struct link *link)
{
	LEDGER_ADD(l, stamped, stamped, stamped_count, stamped_cap, link);
}

void ledger_resolved(struct ledger *l, const struct link *link, enum side target, uint16_t slot)
{
	LEDGER_ADD(l, resolved, resolved, resolved_count, resolved_cap,
		   (struct resolved_row){ .table = link->table,
					  .record_id = link->record_id,
					  .target = target,
					  .slot = slot });
}

void ledger_dirty_record(struct ledger *l, enum table table, const struct guid *record_id)
{
	LEDGER_ADD(l, dirty, dirty, dirty_count, dirty_cap,
		   (struct dirty){ .table = table, .record_id = *record_id });
}

void ledger_dirty_person(struct ledger *l, int64_t person_id)
{
	LEDGER_ADD(l, dirty, dirty, dirty_count, dirty_cap,
		   (struct dirty){ .table = TABLE_PERSON, .person_id = person_id });
}

void ledger_clean(struct ledger *l, const struct dirty *mark)
{
	LEDGER_ADD(l, clean, clean, clean_count, clean_cap, *mark);
}

void ledger_cursor(struct ledger *l, enum table table, struct str text)
{
	ledger_place(l, table_name(table), text);
}

void ledger_place(struct ledger *l, const char *name, struct str text)
{
	LEDGER_ADD(l, cursors, cursors, cursor_count, cursor_cap,
		   (struct cursor_row){ .name = name, .text = text });
}

void ledger_event(struct ledger *l, uint64_t event)
{
	if (event)
		LEDGER_ADD(l, events, events, event_count, event_cap, event);
}

void ledger_roster(struct ledger *l, uint64_t hash)
{
	LEDGER_ADD(l, roster, roster, roster_count, roster_cap, hash);
}

void ledger_request(struct ledger *l, const struct request *request)
{
	LEDGER_ADD(l, requests, requests, request_count, request_cap, *request);
}

void ledger_outbox_step(struct ledger *l, int64_t outbox_id, enum outbox_stage stage)
{
	LEDGER_ADD(l, outbox_steps, outbox_steps, outbox_step_count, outbox_step_cap,
		   (struct outbox_step){ outbox_id, stage });
}

void ledger_overwrite(struct ledger *l, const struct overwrite_row *row)
{
	LEDGER_ADD(l, overwrites, overwrites, overwrite_count, overwrite_cap, *row);
}

void ledger_checked(struct ledger *l, const struct overwrite_row *row)
{
	LEDGER_ADD(l, checked, checked, checked_count, checked_cap, *row);
}

void ledger_collision(struct ledger *l, const struct mapping *m, const struct link *link,
		      const struct collision *collision)
{
	struct collision_row row = {
		.table = link->table,
		.record_id = link->record_id,
		.person_id = link->person_id,
		.field = m->fields[collision->index].field->name,
		.rule = merge_rule_name(collision->rule),
		.winner = collision->winner,
	};

	for (int side = 0; side < SIDE_COUNT; side++)
		row.value[side] = value_print(l->arena, &collision->value[side]);
	LEDGER_ADD(l, collisions, collisions, collision_count, collision_cap, row);
}

static const char *ledger_direction(enum side target)
{
	return target == SIDE_DYNAMICS ? "Marketo to Dynamics" : "Dynamics to Marketo";
}

/* What happened, and what can be done about it unless that was said already. */
static struct str ledger_words(struct ledger *l, const struct err *err)
{
	bool is_sentence = str_ends(str_of(err->text), STR("."));

	if (!err->advice || strstr(err->text, err->advice))
		return str_of(err->text);
	return str_of(
		arena_fmt(l->arena, "%s%s %s", err->text, is_sentence ? "" : ".", err->advice));
}

/* 1 + the place of the line in the outbox; 0 when there is nobody to tell. */
static size_t ledger_line(struct ledger *l, const struct link *link, const struct line *line)
{
	char id[GUID_TEXT] = "";
	bool is_mixed = line->kept[SIDE_MARKETO].n && line->kept[SIDE_DYNAMICS].n;

	if (!link->person_id)
		return 0;
	if (!guid_is_zero(&link->record_id))
		guid_print(&link->record_id, id);
	LEDGER_ADD(l, outbox, outbox, outbox_count, outbox_cap,
		   (struct outbox_row){
			   .person_id = link->person_id,
			   .at_s = clock_wall_ms() / 1000,
			   .outcome = str_of(line_outcome(line)),
			   .direction = str_of(is_mixed ? "" : ledger_direction(line->target)),
			   .entity = link->table == TABLE_PERSON ? str_of("")
								 : str_of(table_name(link->table)),
			   .record_id = arena_str(l->arena, str_of(id)),
			   .field = arena_str(l->arena, line->fields),
			   .code = arena_str(l->arena, line->code),
			   .message = line_text(line, l->arena),
		   });
	return l->unit.outbox_count;
}

static struct str ledger_field_name(const struct mapping *m, uint16_t index)
{
	const struct column *c = m->fields[index].column[TABLE_PERSON];

	return c && c->display_name.n ? c->display_name : str_of(m->fields[index].field->name);
}

void ledger_tell(struct ledger *l, const struct link *link, enum line_kind kind)
{
	bool is_to_dynamics = kind == LINE_CREATED || kind == LINE_PERSONS_MERGED;
	const struct line line = { .kind = kind,
				   .target = is_to_dynamics ? SIDE_DYNAMICS : SIDE_MARKETO,
				   .table = link->table };

	(void)ledger_line(l, link, &line);
}

/* The names of the fields of some of the collisions: those a side won, or all. */
static struct str ledger_collided(struct ledger *l, const struct mapping *m,
				  const struct collision *collisions, size_t count, int winner)
{
	struct buf names = { .data = NULL };
	struct str copy;
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (winner == SIDE_COUNT || (int)collisions[i].winner == winner)
			line_add_field(&names, n++, ledger_field_name(m, collisions[i].index));
	}
	line_end_fields(&names, n);
	copy = arena_str(l->arena, buf_str(&names));
	buf_release(&names);
	return copy;
}

void ledger_tell_collisions(struct ledger *l, const struct mapping *m, const struct link *link,
			    const struct collision *collisions, size_t count)
{
	struct line line = { .kind = LINE_COLLISION, .table = link->table };

	if (!count)
		return;
	line.target = side_other(collisions[0].winner);
	line.fields = ledger_collided(l, m, collisions, count, SIDE_COUNT);
	for (int side = 0; side < SIDE_COUNT; side++)
		line.kept[side] = ledger_collided(l, m, collisions, count, side);
	(void)ledger_line(l, link, &line);
}

static bool ledger_is_same_reason(const struct refusal *a, const struct refusal *b)
{
	return a->target == b->target && !strcmp(a->err.code, b->err.code) &&
	       !strcmp(a->err.text, b->err.text);
}

/* The line of the i-th refusal and of those behind it with the same reason. */
static size_t ledger_refusal_line(struct ledger *l, const struct mapping *m,
				  const struct link *link, const struct plan *plan, size_t i,
				  bool is_create)
{
	const struct refusal *first = &plan->refusal[i];
	bool is_whole = first->index == PARKED_WHOLE_RECORD;
	bool is_rejected = is_create && is_whole && first->target == SIDE_DYNAMICS;
	struct line line = { .kind = is_rejected ? LINE_REJECTED : LINE_REFUSED,
			     .target = first->target,
			     .table = link->table,
			     .code = str_of(first->err.code),
			     .why = ledger_words(l, &first->err) };
	struct buf names = { .data = NULL };
	size_t n = 0, place;

	for (size_t k = i; !is_whole && k < plan->refusal_count; k++) {
		const struct refusal *r = &plan->refusal[k];

		if (r->index != PARKED_WHOLE_RECORD && ledger_is_same_reason(first, r))
			line_add_field(&names, n++, ledger_field_name(m, r->index));
	}
	line_end_fields(&names, n);
	line.fields = buf_str(&names);
	place = ledger_line(l, link, &line);
	buf_release(&names);
	return place;
}

/* One refusal as an error row, parked when it has a fingerprint. */
static void ledger_refusal(struct ledger *l, const struct mapping *m, const struct link *link,
			   const struct refusal *r, const char *operation, size_t line)
{
	bool is_whole = r->index == PARKED_WHOLE_RECORD;

	LEDGER_ADD(l, errors, errors, error_count, error_cap,
		   (struct error_row){
			   .table = link->table,
			   .record_id = link->record_id,
			   .person_id = link->person_id,
			   .target = r->target,
			   .operation = operation,
			   .field = is_whole ? "" : m->fields[r->index].field->name,
			   .slot = is_whole ? PARKED_WHOLE_RECORD : m->fields[r->index].slot,
			   .fingerprint = r->fingerprint,
			   .kind = err_kind_name(r->err.kind),
			   .code = r->err.code,
			   .message = str_of(r->err.text),
			   .advice = r->err.advice,
			   .line = line,
		   });
}

void ledger_refusals(struct ledger *l, const struct mapping *m, const struct link *link,
		     const struct plan *plan, const char *operation)
{
	bool is_create = strcmp(operation, "create") == 0;
	size_t *lines = arena_array(l->arena, plan->refusal_count, sizeof(*lines));

	for (size_t i = 0; i < plan->refusal_count; i++) {
		const struct refusal *r = &plan->refusal[i];

		for (size_t k = 0; k < i && !lines[i]; k++) {
			bool is_both = (plan->refusal[k].index == PARKED_WHOLE_RECORD) ==
				       (r->index == PARKED_WHOLE_RECORD);

			if (is_both && ledger_is_same_reason(&plan->refusal[k], r))
				lines[i] = lines[k];
		}
		if (!lines[i])
			lines[i] = ledger_refusal_line(l, m, link, plan, i, is_create);
		ledger_refusal(l, m, link, r, operation, lines[i]);
	}
}

/* A parked field keeps its fingerprints until it was written or the sides agree by themselves. */
static bool ledger_has_moved(const struct link *link, const struct plan *plan, uint16_t slot)
{
	for (int side = 0; side < SIDE_COUNT; side++) {
		if (slot < plan->slot_count &&
		    plan->fingerprint[side][slot] != link_fingerprint(link, (enum side)side, slot))
			return true;
	}
	return false;
}

void ledger_resolve(struct ledger *l, const struct link *link, const struct plan *plan,
		    const bool is_whole_over[SIDE_COUNT])
{
	for (size_t i = 0; i < link->parked_count; i++) {
		const struct parked_write *parked = &link->parked[i];
		bool is_over = parked->slot == PARKED_WHOLE_RECORD
				       ? is_whole_over[parked->target]
				       : ledger_has_moved(link, plan, parked->slot);

		if (is_over)
			ledger_resolved(l, link, parked->target, parked->slot);
	}
}

void ledger_unpark(struct ledger *l, struct link *link)
{
	for (size_t i = 0; i < link->parked_count; i++)
		ledger_resolved(l, link, link->parked[i].target, link->parked[i].slot);
	link->parked = NULL;
	link->parked_count = 0;
}

void ledger_error(struct ledger *l, const struct link *link, enum side target,
		  const char *operation, const struct err *err)
{
	const struct line line = { .kind = LINE_REFUSED,
				   .target = target,
				   .table = link->table,
				   .fields = str_of(err->field),
				   .code = str_of(err->code),
				   .why = ledger_words(l, err) };
	size_t place = ledger_line(l, link, &line);

	LEDGER_ADD(l, errors, errors, error_count, error_cap,
		   (struct error_row){
			   .table = link->table,
			   .record_id = link->record_id,
			   .person_id = link->person_id,
			   .target = target,
			   .operation = operation,
			   .field = arena_text(l->arena, str_of(err->field)),
			   .slot = PARKED_WHOLE_RECORD,
			   .kind = err_kind_name(err->kind),
			   .code = arena_text(l->arena, str_of(err->code)),
			   .message = arena_str(l->arena, str_of(err->text)),
			   .advice = err->advice,
			   .line = place,
		   });
}

static bool ledger_is_empty(const struct unit *u)
{
	return !u->link_count && !u->forget_count && !u->stamped_count && !u->collision_count &&
	       !u->error_count && !u->resolved_count && !u->dirty_count && !u->clean_count &&
	       !u->cursor_count && !u->request_count && !u->outbox_count && !u->outbox_step_count &&
	       !u->overwrite_count && !u->checked_count && !u->scan && !u->proof &&
	       !u->is_doubtful && !u->event_count && !u->roster_count && !u->is_roster_over &&
	       !u->report;
}

enum err_kind ledger_commit(struct ledger *l, struct engine *e, bool is_fenced, struct err *err)
{
	struct unit unit = l->unit;

	*l = (struct ledger){ .arena = l->arena };
	if (ledger_is_empty(&unit))
		return ERR_NONE;
	unit.is_fenced = is_fenced;
	return e->store.ops->commit(e->store.self, &unit, err);
}
