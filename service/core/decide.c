/* From what a link remembers and what the sides show to what is to be written where. Applies
 * merge_field to every active field and keeps the book on fingerprints. Knows no clock, network,
 * SQL or JSON. */
#include "core/decide.h"

#include "core/parcel.h"

struct deciding {
	const struct decide_input *in;
	struct arena *arena;
	struct plan *plan;
	bool is_changed[SIDE_COUNT]; /* some field of the side differs from what was agreed */
	bool is_open[SIDE_COUNT];    /* on some field of the side nothing was agreed yet */
};

/* ---- the book on what was agreed ---- */

static void decide_add_event(const struct decide_input *in, struct plan *p,
			     struct field_event event, struct arena *a)
{
	event.cycle = in->cycle;
	event.at_s = in->now_s;
	plan_event(p, &event, a);
}

static void decide_add_sent(const struct decide_input *in, struct plan *p, uint16_t slot,
			    enum side target, enum merge_rule rule, unsigned turns, struct arena *a)
{
	decide_add_event(in, p,
			 (struct field_event){ .slot = slot,
					       .target = target,
					       .rule = (uint8_t)rule,
					       .turns = (uint8_t)turns },
			 a);
}

static void decide_add_given_up(const struct decide_input *in, struct plan *p, uint16_t slot,
				enum side target, enum merge_rule rule, struct arena *a)
{
	decide_add_event(in, p,
			 (struct field_event){ .slot = slot,
					       .target = target,
					       .rule = (uint8_t)rule,
					       .is_given_up = true },
			 a);
}

static void decide_refuse(struct plan *p, enum side target, uint16_t index, uint64_t fingerprint,
			  const struct err *err, struct arena *a)
{
	plan_refuse(
		p,
		&(struct refusal){
			.index = index, .target = target, .fingerprint = fingerprint, .err = *err },
		a);
}

static void decide_restore(const struct decide_input *in, struct plan *p, uint16_t index)
{
	uint16_t slot = in->mapping->fields[index].slot;

	for (int s = 0; s < SIDE_COUNT; s++)
		p->fingerprint[s][slot] = link_fingerprint(in->link, (enum side)s, slot);
	plan_drop_collision(p, index);
	plan_drop_event(p, slot);
}

/* Takes the i-th write into a side out as if it had never been decided. */
static void decide_remove_write(const struct decide_input *in, struct plan *p, enum side target,
				size_t i)
{
	decide_restore(in, p, p->write[target][i].index);
	plan_drop_write(p, target, i);
}

static void decide_begin(const struct decide_input *in, struct arena *a, struct plan *p)
{
	size_t slots = in->mapping->slot_count > in->link->slot_count ? in->mapping->slot_count
								      : in->link->slot_count;

	*p = (struct plan){ .slot_count = slots };
	for (int s = 0; s < SIDE_COUNT; s++) {
		p->fingerprint[s] = arena_array(a, slots, sizeof(*p->fingerprint[s]));
		if (in->link->slot_count)
			memcpy(p->fingerprint[s], in->link->fingerprint[s],
			       in->link->slot_count * sizeof(*p->fingerprint[s]));
	}
}

static void decide_note_changed(const struct decide_input *in, struct plan *p)
{
	p->is_changed = p->event_count > 0;
	for (int s = 0; s < SIDE_COUNT; s++) {
		for (size_t slot = 0; slot < p->slot_count; slot++) {
			if (p->fingerprint[s][slot] !=
			    link_fingerprint(in->link, (enum side)s, (uint16_t)slot))
				p->is_changed = true;
		}
	}
}

/* ---- values on their way ---- */

static void decide_pack(const struct decide_input *in, size_t index, enum side target,
			const struct value *v, uint64_t fingerprint, struct arena *a,
			struct parcel *ret)
{
	enum table table = target == SIDE_MARKETO ? TABLE_PERSON : in->link->table;

	parcel_pack(in->mapping->fields[index].column[table], in->key, v, fingerprint, a, ret);
}

/* ---- parked writes ---- */

static bool decide_is_parked(const struct link *l, uint16_t slot, enum side target,
			     uint64_t fingerprint)
{
	for (size_t i = 0; i < l->parked_count; i++) {
		const struct parked_write *p = &l->parked[i];

		if (p->slot == slot && p->target == target && p->fingerprint == fingerprint)
			return true;
	}
	return false;
}

/* Differs from what was agreed; with nothing agreed there is nothing to differ from. */
static bool decide_is_changed(const struct merge_side *s)
{
	return s->value && s->fingerprint && s->seen != s->fingerprint;
}

/* Is some write of the field, or of the whole record, into the target parked? */
static bool decide_has_parked(const struct link *l, uint16_t slot, enum side target)
{
	for (size_t i = 0; i < l->parked_count; i++) {
		const struct parked_write *p = &l->parked[i];

		if (p->target == target && (p->slot == slot || p->slot == PARKED_WHOLE_RECORD))
			return true;
	}
	return false;
}

/* Of all writes into a side together, for parking a whole record. */
static uint64_t decide_whole_fingerprint(const struct decide_input *in, const struct plan *p,
					 enum side target, struct arena *a)
{
	struct {
		uint64_t slot, fingerprint;
	} *all = arena_array(a, p->write_count[target], sizeof(*all));

	for (size_t i = 0; i < p->write_count[target]; i++) {
		uint16_t slot = in->mapping->fields[p->write[target][i].index].slot;

		all[i].slot = slot;
		all[i].fingerprint = p->fingerprint[target][slot];
	}
	return fingerprint_text(in->key, (struct str){ (const char *)all,
						       p->write_count[target] * sizeof(*all) });
}

/* What was refused as a whole waits while it is the same and the target is as it was. When the
 * target is not, another try may be worth it, for which the values that were refused have to be
 * seen. */
static void decide_leave_parked_record(struct deciding *d, enum side target)
{
	enum side source = side_other(target);
	struct plan *p = d->plan;
	uint64_t fingerprint;

	if (!d->in->seen[target] || !decide_has_parked(d->in->link, PARKED_WHOLE_RECORD, target))
		return;
	if (!d->in->seen[source] && (d->is_changed[target] || d->is_open[target]))
		p->must_read[source] = true;
	if (d->is_changed[target] || !p->write_count[target])
		return;
	fingerprint = decide_whole_fingerprint(d->in, p, target, d->arena);
	if (!decide_is_parked(d->in->link, PARKED_WHOLE_RECORD, target, fingerprint))
		return;
	while (p->write_count[target])
		decide_remove_write(d->in, p, target, p->write_count[target] - 1);
}

/* ---- one field ---- */

static const struct value *decide_restored(const struct decide_input *in, size_t index)
{
	for (size_t i = 0; i < in->restore_count; i++) {
		if (in->restore[i].index == index)
			return &in->restore[i].value;
	}
	return NULL;
}

/* What the sides show of a field; false when it does not travel, or a side that was read does not
 * show it. */
static bool decide_look(struct deciding *d, size_t index, struct merge_side side[SIDE_COUNT])
{
	const struct decide_input *in = d->in;
	uint16_t slot = in->mapping->fields[index].slot;

	if (!mapping_active(in->mapping, index, in->link->table))
		return false;
	for (int i = 0; i < SIDE_COUNT; i++) {
		enum side s = (enum side)i;
		const struct value *v = in->seen[s] ? &in->seen[s]->values[index] : NULL;

		if (s == SIDE_MARKETO && v && decide_restored(in, index))
			v = decide_restored(in, index);
		if (v && v->kind == VALUE_UNSEEN)
			return false;
		side[s] = (struct merge_side){
			.value = v,
			.fingerprint = link_fingerprint(in->link, s, slot),
			.seen = v ? fingerprint_of(in->key, v) : 0,
			.can_write =
				mapping_writable(in->mapping, index, in->link->table, s, false),
		};
	}
	for (int s = 0; s < SIDE_COUNT; s++) {
		d->is_changed[s] = d->is_changed[s] || decide_is_changed(&side[s]);
		d->is_open[s] = d->is_open[s] || !side[s].fingerprint;
	}
	return true;
}

static void decide_adopt(struct plan *p, uint16_t slot, const struct merge_side side[SIDE_COUNT])
{
	for (int s = 0; s < SIDE_COUNT; s++) {
		if (side[s].value)
			p->fingerprint[s][slot] = side[s].seen;
	}
}

/* How often in a row the value has come back now: what goes out of `from` arrived there a moment
 * ago from here. */
static unsigned decide_turns(const struct decide_input *in, uint16_t slot, enum side from)
{
	const struct field_event *last = link_event(in->link, slot);

	if (!last || last->is_given_up || last->target != from || !last->cycle || !in->cycle ||
	    in->cycle > last->cycle + DECIDE_TURN_CYCLES)
		return 0;
	return last->turns + 1U;
}

/* Each side keeps rewriting what the other sent: nothing is sent any more. The event begins to
 * count anew, so that a later change, or a retry, gets its chance. */
static void decide_freeze(struct deciding *d, size_t index, enum side target, uint64_t fingerprint)
{
	uint16_t slot = d->in->mapping->fields[index].slot;
	struct err why;

	(void)err_set(&why, ERR_REFUSED,
		      "the value was changed back %d times in a row right after it had been "
		      "written; something on one side keeps rewriting it. The field is left as it "
		      "is until somebody changes it",
		      DECIDE_TURNS_MAX);
	(void)snprintf(why.code, sizeof(why.code), "BOUNCES");
	decide_refuse(d->plan, target, (uint16_t)index, fingerprint, &why, d->arena);
	decide_add_given_up(d->in, d->plan, slot, target, RULE_BOUNCES, d->arena);
}

/* A change that does not travel is worth a line on the person's page; first contact is not. */
static void decide_note_given_up(struct deciding *d, uint16_t slot,
				 const struct merge_result *merged,
				 const struct merge_side side[SIDE_COUNT])
{
	enum side target = decide_is_changed(&side[SIDE_MARKETO]) ? SIDE_DYNAMICS : SIDE_MARKETO;

	if (merged->rule != RULE_NONE && side[SIDE_MARKETO].fingerprint &&
	    side[SIDE_DYNAMICS].fingerprint)
		decide_add_given_up(d->in, d->plan, slot, target, merged->rule, d->arena);
}

/* A change that waits for a right stays one. On first contact with a target that shows nothing of
 * its own that means: agreed on nothing, and changed on the other side since. Two values stay a
 * first contact: whichever loses deserves its row. */
static void decide_wait(struct plan *p, const struct mapped_field *mf, enum side from,
			const struct merge_side side[SIDE_COUNT])
{
	const struct merge_side *target = &side[side_other(from)];
	bool had_agreed = side[from].fingerprint && target->fingerprint;
	uint16_t slot = mf->slot;

	if (had_agreed || !target->value ||
	    !(mf->field->is_consent ? value_is_blank(target->value)
				    : target->value->kind == VALUE_EMPTY))
		return;
	for (int s = 0; s < SIDE_COUNT; s++)
		p->fingerprint[s][slot] = target->seen;
}

static void decide_send(struct deciding *d, size_t index, const struct merge_result *merged,
			const struct merge_side side[SIDE_COUNT])
{
	enum side from = merged->from, target = side_other(from);
	uint16_t slot = d->in->mapping->fields[index].slot;
	struct parcel parcel;
	unsigned turns;

	decide_pack(d->in, index, target, side[from].value, side[from].seen, d->arena, &parcel);
	if (parcel.is_held && side[target].value &&
	    value_equal(&parcel.value, side[target].value)) {
		decide_adopt(d->plan, slot,
			     side); /* the target shows it already, in its own spelling */
		return;
	}
	if (decide_is_parked(d->in->link, slot, target, parcel.fingerprint) &&
	    !decide_is_changed(&side[target]))
		return;
	if (!side[target].value && side[target].fingerprint == parcel.fingerprint) {
		decide_adopt(d->plan, slot,
			     side); /* what the target was left with is just this value */
		return;
	}
	if (!parcel.is_held) {
		decide_refuse(d->plan, target, (uint16_t)index, parcel.fingerprint, &parcel.err,
			      d->arena);
		return;
	}
	turns = decide_turns(d->in, slot, from);
	if (turns >= DECIDE_TURNS_MAX) {
		decide_freeze(d, index, target, parcel.fingerprint);
		return;
	}
	plan_write(d->plan, target, index, &parcel.value, d->arena);
	decide_add_sent(d->in, d->plan, slot, target, merged->rule, turns, d->arena);
	if (merged->is_collision)
		plan_collide(d->plan,
			     &(struct collision){ .index = (uint16_t)index,
						  .rule = merged->rule,
						  .winner = merged->from,
						  .value = { *side[SIDE_MARKETO].value,
							     *side[SIDE_DYNAMICS].value } },
			     d->arena);
	d->plan->fingerprint[from][slot] = side[from].seen;
	d->plan->fingerprint[target][slot] = parcel.fingerprint;
}

/* While a write of the field is parked, what was refused has been seen but is in no fingerprint. A
 * side that is not shown then cannot be taken as unchanged: its edit would be overwritten
 * unnoticed, or forgotten. True when that settles what is to be done: nothing as long as things are
 * as they were, else reading that side first. */
static bool decide_is_held_up(struct deciding *d, size_t index, enum side unseen,
			      const struct merge_side *shown)
{
	const struct link *l = d->in->link;
	uint16_t slot = d->in->mapping->fields[index].slot;
	bool is_refused_there = decide_has_parked(l, slot, unseen);
	struct parcel parcel;

	if (!is_refused_there && !decide_has_parked(l, slot, side_other(unseen)))
		return false;
	if (!is_refused_there && shown->fingerprint && !decide_is_changed(shown))
		return true;
	decide_pack(d->in, index, unseen, shown->value, shown->seen, d->arena, &parcel);
	if (!decide_is_parked(l, slot, unseen, parcel.fingerprint))
		d->plan->must_read[unseen] = true;
	return true;
}

static void decide_field(struct deciding *d, size_t index)
{
	const struct mapped_field *mf = &d->in->mapping->fields[index];
	struct merge_side side[SIDE_COUNT];
	struct merge_result merged;

	if (!decide_look(d, index, side))
		return;
	for (int s = 0; s < SIDE_COUNT; s++) {
		enum side unseen = (enum side)s, shown = side_other(unseen);

		if (!side[unseen].value && side[shown].value &&
		    decide_is_held_up(d, index, unseen, &side[shown]))
			return;
	}
	merged = merge_field(d->in->link->table, mf->field, side);
	switch (merged.action) {
	case MERGE_NOTHING:
		break;
	case MERGE_ADOPT:
		decide_adopt(d->plan, mf->slot, side);
		decide_note_given_up(d, mf->slot, &merged, side);
		break;
	case MERGE_WRITE:
		decide_send(d, index, &merged, side);
		break;
	case MERGE_READ:
		d->plan->must_read[merged.from] = true;
		break;
	case MERGE_WAIT:
		decide_wait(d->plan, mf, merged.from, side);
		break;
	}
}

/* Covered values go back to Marketo, unless Dynamics' value goes there anyway. */
static void decide_put_back(struct deciding *d)
{
	const struct decide_input *in = d->in;
	struct plan *p = d->plan;

	for (size_t i = 0; i < in->restore_count; i++) {
		const struct field_write *w = &in->restore[i];
		bool is_written = false;

		for (size_t k = 0; k < p->write_count[SIDE_MARKETO]; k++)
			is_written |= p->write[SIDE_MARKETO][k].index == w->index;
		if (is_written || !in->seen[SIDE_MARKETO] ||
		    !mapping_writable(in->mapping, w->index, in->link->table, SIDE_MARKETO, false))
			continue;
		/* Its fingerprint is what the decision made of it: a value that Dynamics refuses
		 * stays a change. */
		plan_write(p, SIDE_MARKETO, w->index, &w->value, d->arena);
	}
}

void decide(const struct decide_input *in, struct arena *a, struct plan *ret)
{
	struct deciding d = { .in = in, .arena = a, .plan = ret };

	decide_begin(in, a, ret);
	for (size_t i = 0; i < in->mapping->count; i++)
		decide_field(&d, i);
	decide_put_back(&d);
	for (int s = 0; s < SIDE_COUNT; s++)
		decide_leave_parked_record(&d, (enum side)s);
	if (ret->must_read[SIDE_MARKETO] || ret->must_read[SIDE_DYNAMICS]) {
		bool must_read[SIDE_COUNT] = { ret->must_read[SIDE_MARKETO],
					       ret->must_read[SIDE_DYNAMICS] };

		decide_begin(in, a, ret);
		memcpy(ret->must_read, must_read, sizeof(must_read));
		return;
	}
	decide_note_changed(in, ret);
}

/* ---- a new counterpart ---- */

static void decide_create_field(struct deciding *d, size_t index, enum side from)
{
	const struct decide_input *in = d->in;
	const struct mapped_field *mf = &in->mapping->fields[index];
	const struct value *v = &in->seen[from]->values[index];
	const struct value fresh = mf->kind == VALUE_BOOLEAN
					   ? value_boolean(false)
					   : (struct value){ .kind = VALUE_EMPTY };
	enum side target = side_other(from);
	bool is_opt_out = v->kind == VALUE_BOOLEAN && v->boolean;
	bool is_wanted = v->kind != VALUE_EMPTY &&
			 (!mf->field->is_consent || is_opt_out); /* INV-CONSENT */
	struct parcel parcel;
	uint64_t seen;

	if (v->kind == VALUE_UNSEEN || !mapping_active(in->mapping, index, in->link->table))
		return;
	seen = fingerprint_of(in->key, v);
	if (!is_wanted || !mapping_writable(in->mapping, index, in->link->table, target, true)) {
		/* A value that stays behind is looked at again once both sides are there; nothing
		 * needs no second look. */
		if (!value_is_blank(v))
			return;
		d->plan->fingerprint[from][mf->slot] = seen;
		d->plan->fingerprint[target][mf->slot] = fingerprint_of(in->key, &fresh);
		return;
	}
	decide_pack(in, index, target, v, seen, d->arena, &parcel);
	if (!parcel.is_held) {
		decide_refuse(d->plan, target, (uint16_t)index, parcel.fingerprint, &parcel.err,
			      d->arena);
		return;
	}
	plan_write(d->plan, target, index, &parcel.value, d->arena);
	d->plan->fingerprint[from][mf->slot] = seen;
	d->plan->fingerprint[target][mf->slot] = parcel.fingerprint;
}

void decide_create(const struct decide_input *in, struct arena *a, struct plan *ret)
{
	struct deciding d = { .in = in, .arena = a, .plan = ret };
	enum side from = in->seen[SIDE_MARKETO] ? SIDE_MARKETO : SIDE_DYNAMICS;

	decide_begin(in, a, ret);
	for (size_t i = 0; in->seen[from] && i < in->mapping->count; i++)
		decide_create_field(&d, i, from);
	decide_note_changed(in, ret);
}

/* ---- a write that failed ---- */

void decide_drop(const struct decide_input *in, struct plan *p, enum side target, uint16_t index,
		 const struct err *err, struct arena *a)
{
	uint64_t fingerprint = 0;

	if (index == PARKED_WHOLE_RECORD) {
		fingerprint = decide_whole_fingerprint(in, p, target, a);
		while (p->write_count[target])
			decide_remove_write(in, p, target, p->write_count[target] - 1);
	}
	for (size_t i = 0; i < p->write_count[target]; i++) {
		if (p->write[target][i].index != index)
			continue;
		fingerprint = p->fingerprint[target][in->mapping->fields[index].slot];
		decide_remove_write(in, p, target, i);
		break;
	}
	decide_refuse(p, target, index, fingerprint, err, a);
	decide_note_changed(in, p);
}

bool decide_drop_company(const struct decide_input *in, struct plan *p, const struct err *err,
			 struct arena *a)
{
	bool has_dropped = false;

	for (size_t i = 0; i < p->write_count[SIDE_MARKETO];) {
		uint16_t index = p->write[SIDE_MARKETO][i].index;

		if (in->mapping->fields[index].column[TABLE_PERSON]->is_company) {
			decide_drop(in, p, SIDE_MARKETO, index, err, a);
			has_dropped = true;
		} else {
			i++;
		}
	}
	return has_dropped;
}
