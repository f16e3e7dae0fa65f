/* The three-way merge of one field. Pure and total: the same inputs give the same answer, whatever
 * came first. A side changed when its canonical value differs from that side's own fingerprint
 * (INV-THREE-WAY). */
#ifndef CORE_MERGE_H
#define CORE_MERGE_H

#include "core/fingerprint.h"
#include "core/link.h"

/* rule, name in rows and answers, text for people */
#define MERGE_RULES(X)                                                                             \
	X(NONE, "none", "nothing to decide")                                                       \
	X(ONLY_CHANGE, "only_change", "changed on one side only")                                  \
	X(LEAD_MARKETO_WINS, "lead_marketo_wins",                                                  \
	  "changed on both sides; for a lead Marketo wins")                                        \
	X(CONTACT_DYNAMICS_WINS, "contact_dynamics_wins",                                          \
	  "changed on both sides; for a contact Dynamics wins")                                    \
	X(FIELD_MARKETO_WINS, "field_marketo_wins",                                                \
	  "changed on both sides; Marketo wins this field")                                        \
	X(FIELD_DYNAMICS_WINS, "field_dynamics_wins",                                              \
	  "changed on both sides; Dynamics wins this field")                                       \
	X(ONE_WAY, "one_way", "this field travels in one direction only")                          \
	X(FILL_EMPTY, "fill_empty", "newly linked: the empty side takes the other's value")        \
	X(OPT_OUT_SPREADS, "opt_out_spreads", "an opt-out on either side is kept and spread")      \
	X(EMPTY_STAYS, "empty_stays", "this field's empty value overwrites nothing")               \
	X(BOUNCES, "bounces", "the two sides keep rewriting each other's value")

#define MERGE_RULE_ENUM(id, name, text) RULE_##id,
enum merge_rule { MERGE_RULES(MERGE_RULE_ENUM) RULE_COUNT };
#undef MERGE_RULE_ENUM
const char *merge_rule_name(enum merge_rule r);
const char *merge_rule_text(enum merge_rule r);

enum merge_action {
	MERGE_NOTHING,
	MERGE_ADOPT, /* both show the same: remember it, write nothing */
	MERGE_WRITE, /* the value of side `from` goes to the other side */
	MERGE_READ,  /* cannot be decided before side `from` has been read */
	MERGE_WAIT   /* side `from` changed, but the right to write the other is missing: kept as a
			change */
};

struct merge_side {
	const struct value *value; /* NULL or UNSEEN: not seen this time, taken as unchanged */
	uint64_t fingerprint;      /* 0: never agreed on this field */
	uint64_t seen;             /* fingerprint of value; unused when not seen */
	bool can_write;            /* the field may travel into this side */
};

struct merge_result {
	enum merge_action action;
	enum side from;
	bool is_collision; /* both had changed to different values: the loser's value is kept in a
			      row */
	enum merge_rule rule;
};

struct merge_result merge_field(enum table link_table, const struct field *field,
				const struct merge_side side[SIDE_COUNT]);

/* A write of ours into Marketo covered an edit made after we had read: was is what people had put
 * there, now is what we left. Both sides had changed, then; which of the two values is right? */
enum side merge_covered(enum table link_table, const struct field *field, const struct value *was,
			const struct value *now, enum merge_rule *ret_rule);

#endif
