/* The three-way merge of one field (INV-THREE-WAY, INV-WINNER, INV-CONSENT). Knows values and
 * fingerprints of two sides, not where a field lives nor what becomes of the answer. */
#include "core/merge.h"

#define MERGE_RULE_NAME(id, name, text) [RULE_##id] = name,
static const char *const merge_rule_names[RULE_COUNT] = { MERGE_RULES(MERGE_RULE_NAME) };
#undef MERGE_RULE_NAME

#define MERGE_RULE_TEXT(id, name, text) [RULE_##id] = text,
static const char *const merge_rule_texts[RULE_COUNT] = { MERGE_RULES(MERGE_RULE_TEXT) };
#undef MERGE_RULE_TEXT

const char *merge_rule_name(enum merge_rule r)
{
	return r < RULE_COUNT ? merge_rule_names[r] : "unknown";
}

const char *merge_rule_text(enum merge_rule r)
{
	return r < RULE_COUNT ? merge_rule_texts[r] : "unknown rule";
}

static const struct merge_result merge_nothing = { .action = MERGE_NOTHING };

static bool merge_is_seen(const struct merge_side *s)
{
	return s->value && s->value->kind != VALUE_UNSEEN;
}

static bool merge_is_changed(const struct merge_side *s)
{
	return merge_is_seen(s) && s->seen != s->fingerprint;
}

static struct merge_result merge_adopt(enum merge_rule rule)
{
	return (struct merge_result){ .action = MERGE_ADOPT, .rule = rule };
}

static bool merge_is_empty(const struct merge_side *s)
{
	return s->value->kind == VALUE_EMPTY;
}

static bool merge_leads_to(const struct field *f, enum side target)
{
	return f->direction == DIRECTION_BOTH ||
	       (f->direction == DIRECTION_TO_MARKETO) == (target == SIDE_MARKETO);
}

/* The value of a side goes to the other. In the direction a field does not travel it is remembered,
 * so as not to be looked at again; where only the right is missing it stays a change, for the day
 * the right comes (INV-SELECTED). */
static struct merge_result merge_send(const struct field *f,
				      const struct merge_side side[SIDE_COUNT], enum side from,
				      enum merge_rule rule, bool is_collision)
{
	if (!merge_leads_to(f, side_other(from)))
		return merge_adopt(RULE_ONE_WAY);
	if (!side[side_other(from)].can_write)
		return (struct merge_result){ .action = MERGE_WAIT, .from = from };
	if (f->empty == EMPTY_STAYS && merge_is_empty(&side[from]))
		return merge_adopt(RULE_EMPTY_STAYS);
	return (struct merge_result){
		.action = MERGE_WRITE, .from = from, .rule = rule, .is_collision = is_collision
	};
}

static bool merge_is_opt_out_value(const struct field *f, const struct value *v)
{
	return f->is_consent && v->kind == VALUE_BOOLEAN && v->boolean;
}

static bool merge_is_opt_out(const struct field *f, const struct merge_side *s)
{
	return merge_is_opt_out_value(f, s->value);
}

static enum side merge_winner(enum table link_table, const struct field *f,
			      enum merge_rule *ret_rule)
{
	switch (f->winner) {
	case WINNER_MARKETO:
		*ret_rule = RULE_FIELD_MARKETO_WINS;
		return SIDE_MARKETO;
	case WINNER_DYNAMICS:
		*ret_rule = RULE_FIELD_DYNAMICS_WINS;
		return SIDE_DYNAMICS;
	case WINNER_BY_LINK:
		break;
	}
	*ret_rule = link_table == TABLE_CONTACT ? RULE_CONTACT_DYNAMICS_WINS
						: RULE_LEAD_MARKETO_WINS;
	return link_table == TABLE_CONTACT ? SIDE_DYNAMICS : SIDE_MARKETO;
}

/* Both sides are seen and hold different values that nobody has agreed on. */
static struct merge_result merge_resolve(enum table link_table, const struct field *f,
					 const struct merge_side side[SIDE_COUNT], bool had_agreed)
{
	enum merge_rule rule;
	enum side winner;

	for (int s = 0; s < SIDE_COUNT; s++) {
		enum side from = (enum side)s;

		if (merge_is_opt_out(f, &side[from]) &&
		    !merge_is_opt_out(f, &side[side_other(from)]))
			return merge_send(f, side, from, RULE_OPT_OUT_SPREADS, had_agreed);
	}
	if (f->direction == DIRECTION_TO_MARKETO)
		return merge_send(f, side, SIDE_DYNAMICS, RULE_ONE_WAY, true);
	if (f->direction == DIRECTION_TO_DYNAMICS)
		return merge_send(f, side, SIDE_MARKETO, RULE_ONE_WAY, true);
	winner = merge_winner(link_table, f, &rule);
	if (f->empty == EMPTY_STAYS && merge_is_empty(&side[winner])) {
		winner = side_other(winner);
		rule = RULE_EMPTY_STAYS;
	}
	if (side[side_other(winner)].can_write)
		return merge_send(f, side, winner, rule, true);
	/* The winner's value cannot travel for want of a right. What it loses to is still worth a
	 * row. */
	return merge_send(f, side, side[winner].can_write ? side_other(winner) : winner,
			  RULE_ONE_WAY, true);
}

/* The link moved to another person or record, which shows a value of its own; nobody changed what
 * the half that stayed had agreed on. People chose the newcomer's value when they merged or
 * qualified. */
static bool merge_is_newcomer(const struct field *f, const struct merge_side side[SIDE_COUNT],
			      enum side newcomer)
{
	const struct merge_side *stayed = &side[side_other(newcomer)];
	const struct value *v = side[newcomer].value;
	bool shows_nothing = f->is_consent ? value_is_blank(v) : v->kind == VALUE_EMPTY;

	return merge_leads_to(f, side_other(newcomer)) && stayed->fingerprint &&
	       !side[newcomer].fingerprint && stayed->seen == stayed->fingerprint && !shows_nothing;
}

/* At least one side has no fingerprint: newly linked, rebuilt, or newly selected. */
static struct merge_result merge_first(enum table link_table, const struct field *f,
				       const struct merge_side side[SIDE_COUNT])
{
	const struct value *value[SIDE_COUNT];

	for (int s = 0; s < SIDE_COUNT; s++) {
		/* What may go nowhere is not worth a read. */
		if (!merge_is_seen(&side[s]))
			return side[SIDE_MARKETO].can_write || side[SIDE_DYNAMICS].can_write
				       ? (struct merge_result){ .action = MERGE_READ,
								.from = (enum side)s }
				       : merge_nothing;
		value[s] = side[s].value;
	}
	if (value_equal(value[SIDE_MARKETO], value[SIDE_DYNAMICS]))
		return merge_adopt(RULE_NONE);
	if (value_is_blank(value[SIDE_MARKETO]) && value_is_blank(value[SIDE_DYNAMICS]))
		return merge_adopt(RULE_NONE);
	for (int s = 0; s < SIDE_COUNT; s++) {
		if (merge_is_newcomer(f, side, (enum side)s))
			return merge_send(f, side, (enum side)s, RULE_ONLY_CHANGE, false);
	}
	for (int s = 0; s < SIDE_COUNT; s++) {
		enum side from = (enum side)s;

		if (value[side_other(from)]->kind == VALUE_EMPTY)
			return merge_send(f, side, from,
					  merge_is_opt_out(f, &side[from]) ? RULE_OPT_OUT_SPREADS
									   : RULE_FILL_EMPTY,
					  false);
	}
	return merge_resolve(link_table, f, side, false);
}

struct merge_result merge_field(enum table link_table, const struct field *field,
				const struct merge_side side[SIDE_COUNT])
{
	const struct merge_side *marketo = &side[SIDE_MARKETO], *dynamics = &side[SIDE_DYNAMICS];
	bool is_marketo, is_dynamics;

	if (!merge_is_seen(marketo) && !merge_is_seen(dynamics))
		return merge_nothing;
	if (!marketo->fingerprint || !dynamics->fingerprint)
		return merge_first(link_table, field, side);
	is_marketo = merge_is_changed(marketo);
	is_dynamics = merge_is_changed(dynamics);
	if (!is_marketo && !is_dynamics)
		return merge_nothing;
	if (merge_is_seen(marketo) && merge_is_seen(dynamics) &&
	    value_equal(marketo->value, dynamics->value))
		return merge_adopt(RULE_NONE);
	if (is_marketo && is_dynamics)
		return merge_resolve(link_table, field, side, true);
	/* What the unseen side was left with is just this value. */
	if (is_marketo && !merge_is_seen(dynamics) && marketo->seen == dynamics->fingerprint)
		return merge_adopt(RULE_NONE);
	if (is_dynamics && !merge_is_seen(marketo) && dynamics->seen == marketo->fingerprint)
		return merge_adopt(RULE_NONE);
	return merge_send(field, side, is_marketo ? SIDE_MARKETO : SIDE_DYNAMICS, RULE_ONLY_CHANGE,
			  false);
}

enum side merge_covered(enum table link_table, const struct field *field, const struct value *was,
			const struct value *now, enum merge_rule *ret_rule)
{
	bool is_opt_out[] = { merge_is_opt_out_value(field, was),
			      merge_is_opt_out_value(field, now) };

	if (is_opt_out[0] != is_opt_out[1]) {
		*ret_rule = RULE_OPT_OUT_SPREADS;
		return is_opt_out[0] ? SIDE_MARKETO : SIDE_DYNAMICS;
	}
	if (field->direction != DIRECTION_BOTH) {
		*ret_rule = RULE_ONE_WAY;
		return SIDE_DYNAMICS;
	}
	if (field->empty == EMPTY_STAYS &&
	    (was->kind == VALUE_EMPTY) != (now->kind == VALUE_EMPTY)) {
		*ret_rule = RULE_EMPTY_STAYS;
		return was->kind == VALUE_EMPTY ? SIDE_DYNAMICS : SIDE_MARKETO;
	}
	return merge_winner(link_table, field, ret_rule);
}
