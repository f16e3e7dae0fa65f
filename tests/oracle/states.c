/* Says what the core makes of a field's state: one state a line on stdin, one answer a line on
 * stdout. A state is 25 letters, laid out as in states.py. Must not know what is right. */
#include <stdio.h>

#include "core/decide.h"

enum state_place {
	AT_KIND,
	AT_PRESENCE,
	AT_DIRECTION,
	AT_WINNER,
	AT_EMPTY,
	AT_CONSENT,
	AT_READABLE,
	AT_UPDATABLE = AT_READABLE + SIDE_COUNT,
	AT_CREATABLE = AT_UPDATABLE + SIDE_COUNT,
	AT_TABLE = AT_CREATABLE + SIDE_COUNT,
	AT_MODE,
	AT_SHOWN,
	AT_BASE = AT_SHOWN + SIDE_COUNT,
	AT_PARKED = AT_BASE + SIDE_COUNT,
	AT_EVENT = AT_PARKED + 2,
	AT_RESTORE = AT_EVENT + 4,
	STATE_LENGTH
};

/* The field in question has a quiet neighbour, so that a mixed-up place or slot is noticed
 * (INV-THREE-WAY: different fields never disturb each other). */
enum { NEIGHBOUR, FIELD, FIELD_COUNT };
enum { NEIGHBOUR_SLOT = 2, FIELD_SLOT = 5, SLOT_COUNT = 6, CYCLE = 10, NOW = 1750000000 };

static const struct fingerprint_key states_key = { { 7, 42 } };
static const char states_letters[] = "EABCTF";
static const char side_letters[] = "md";

struct states_world {
	struct field fields[FIELD_COUNT];
	struct mapping *mapping;
	char config[AT_TABLE]; /* the letters the mapping was made for */
	struct arena arena;    /* of one state */
};

static struct option states_options[] = { { 1, { "Web", 3 } }, { 2, { "Word of mouth", 13 } } };

/* ---- letters to values and back ---- */

static struct value states_value(char kind, char letter)
{
	static const char *const texts[] = { "Ann", "B\xc3\xa4rbel Example", "Cid" };
	static const char *const labels[] = { "Web", "Fair", "Word of mouth" };
	static const int64_t numbers[] = { 4, 4000, 0 };

	switch (letter) {
	case '-':
	case '?':
		return (struct value){ .kind = VALUE_UNSEEN };
	case 'E':
		return (struct value){ .kind = VALUE_EMPTY };
	case 'T':
	case 'F':
		return value_boolean(letter == 'T');
	default:
		break;
	}
	if (kind == 'r' || kind == 's')
		return value_integer(numbers[letter - 'A']);
	return (struct value){ .kind = VALUE_TEXT,
			       .text = str_of(kind == 'c' ? labels[letter - 'A']
							  : texts[letter - 'A']) };
}

static uint64_t states_fingerprint(char kind, char letter)
{
	struct value v;

	if (letter == '0')
		return 0;
	v = states_value(kind, letter);
	return fingerprint_of(&states_key, &v);
}

static char states_letter(char kind, const struct value *v)
{
	for (const char *c = states_letters; *c; c++) {
		struct value known = states_value(kind, *c);

		if (value_equal(v, &known))
			return *c;
	}
	return '!';
}

static char states_base_letter(char kind, uint64_t fingerprint)
{
	if (!fingerprint)
		return '0';
	for (const char *c = states_letters; *c; c++) {
		if (states_fingerprint(kind, *c) == fingerprint)
			return *c;
	}
	return '!';
}

/* ---- the world of a state ---- */

static struct column states_column(const char *s, enum side side, const char *name)
{
	char kind = s[AT_KIND];
	struct column c = {
		.name = str_of(name),
		.scale = -1,
		.can_read = s[AT_READABLE + side] == 'y',
		.can_update = s[AT_UPDATABLE + side] == 'y',
		.can_create = s[AT_CREATABLE + side] == 'y',
	};

	if (kind == 'b')
		c.type = COLUMN_BOOLEAN;
	if (kind == 'r' || kind == 's')
		c.type = COLUMN_INTEGER;
	c.is_ascii = kind == 'a' && side == SIDE_MARKETO;
	if ((kind == 'd' && side == SIDE_DYNAMICS) || (kind == 'm' && side == SIDE_MARKETO))
		c.length_max = 10;
	if ((kind == 'r' && side == SIDE_DYNAMICS) || (kind == 's' && side == SIDE_MARKETO)) {
		c.has_range = true;
		c.max = 100;
	}
	if (kind == 'c' && side == SIDE_DYNAMICS) {
		c.type = COLUMN_CHOICE;
		c.options = states_options;
		c.option_count = ARRAY_LEN(states_options);
	}
	return c;
}

static struct field states_field(const char *s)
{
	struct field f = { .name = "field", .column = { "field", "field", "field" } };

	if (s[AT_PRESENCE] == 'a')
		f.column[s[AT_TABLE] == 'l' ? TABLE_LEAD : TABLE_CONTACT] = NULL;
	f.direction = s[AT_DIRECTION] == 'b'   ? DIRECTION_BOTH
		      : s[AT_DIRECTION] == 'm' ? DIRECTION_TO_MARKETO
					       : DIRECTION_TO_DYNAMICS;
	f.winner = s[AT_WINNER] == 'l'   ? WINNER_BY_LINK
		   : s[AT_WINNER] == 'm' ? WINNER_MARKETO
					 : WINNER_DYNAMICS;
	f.empty = s[AT_EMPTY] == 's' ? EMPTY_STAYS : EMPTY_TRAVELS;
	f.is_consent = s[AT_CONSENT] == 'y';
	return f;
}

static void states_map(struct states_world *w, const char *s)
{
	static const uint16_t slots[] = { NEIGHBOUR_SLOT, FIELD_SLOT };
	const struct column quiet = { .name = str_of("quiet"),
				      .scale = -1,
				      .can_read = true,
				      .can_create = true,
				      .can_update = true };
	struct column columns[SIDE_COUNT][FIELD_COUNT] = {
		{ quiet, states_column(s, SIDE_MARKETO, "field") },
		{ quiet, states_column(s, SIDE_DYNAMICS, "field") },
	};
	struct schema schemas[TABLE_COUNT];
	struct field_set set = { .fields = w->fields,
				 .count = s[AT_PRESENCE] == 'u' ? FIELD : FIELD_COUNT };

	for (int t = 0; t < TABLE_COUNT; t++)
		schemas[t] = (struct schema){ .table = (enum table)t,
					      .columns = columns[table_side((enum table)t)],
					      .column_count = FIELD_COUNT };
	w->fields[NEIGHBOUR] =
		(struct field){ .name = "quiet", .column = { "quiet", "quiet", "quiet" } };
	w->fields[FIELD] = states_field(s);
	mapping_free(w->mapping);
	w->mapping = mapping_new(&set, slots, schemas);
	memcpy(w->config, s, sizeof(w->config));
}

/* A link with its fingerprints, and two records. */
struct states_scene {
	struct link link;
	uint64_t fingerprints[SIDE_COUNT][SLOT_COUNT];
	struct parked_write parked;
	struct field_event event;
	struct value values[SIDE_COUNT][FIELD_COUNT];
	struct record records[SIDE_COUNT];
	struct field_write restore;
	struct decide_input in;
};

static void states_show(struct states_scene *sc, const char *s, enum side side)
{
	sc->fingerprints[side][NEIGHBOUR_SLOT] = s[AT_MODE] == 'c' ? 0
								   : states_fingerprint('t', 'E');
	sc->fingerprints[side][FIELD_SLOT] = states_fingerprint(s[AT_KIND], s[AT_BASE + side]);
	sc->values[side][NEIGHBOUR] = states_value('t', 'E');
	sc->values[side][FIELD] = states_value(s[AT_KIND], s[AT_SHOWN + side]);
	sc->records[side] = (struct record){
		.table = side == SIDE_MARKETO ? TABLE_PERSON : sc->link.table,
		.values = sc->values[side],
	};
	sc->link.fingerprint[side] = sc->fingerprints[side];
	sc->in.seen[side] = s[AT_SHOWN + side] == '-' ? NULL : &sc->records[side];
}

static void states_note(struct states_scene *sc, const char *s)
{
	const char *e = s + AT_EVENT;

	if (e[0] == '-')
		return;
	sc->event = (struct field_event){
		.slot = FIELD_SLOT,
		.target = e[0] == 'm' ? SIDE_MARKETO : SIDE_DYNAMICS,
		.rule = e[1] == 's' ? RULE_ONLY_CHANGE : RULE_ONE_WAY,
		.is_given_up = e[1] == 'g',
		.turns = (uint8_t)(e[2] - '0'),
		.cycle = (uint32_t)(CYCLE - (e[3] - '0')),
		.at_s = NOW,
	};
	sc->link.events = &sc->event;
	sc->link.event_count = 1;
}

/* What a refusal of the whole record is remembered by is the core's own business: it is asked. */
static void states_park(struct states_scene *sc, const char *s, struct arena *a)
{
	const struct err why = { .kind = ERR_REFUSED };
	enum side target = s[AT_PARKED] == 'm' ? SIDE_MARKETO : SIDE_DYNAMICS;
	char value = s[AT_PARKED + 1];
	struct plan p;

	if (s[AT_PARKED] == '-')
		return;
	sc->parked = (struct parked_write){ .slot = FIELD_SLOT, .target = target };
	if (value == '*') {
		decide(&sc->in, a, &p);
		decide_drop(&sc->in, &p, target, PARKED_WHOLE_RECORD, &why, a);
		sc->parked.slot = PARKED_WHOLE_RECORD;
		sc->parked.fingerprint = p.refusal[p.refusal_count - 1].fingerprint;
	} else {
		sc->parked.fingerprint = states_fingerprint(s[AT_KIND], value);
	}
	sc->link.parked = &sc->parked;
	sc->link.parked_count = 1;
}

static void states_set(struct states_world *w, const char *s, struct states_scene *sc)
{
	*sc = (struct states_scene){
		.link = { .table = s[AT_TABLE] == 'l' ? TABLE_LEAD : TABLE_CONTACT,
			  .state = s[AT_MODE] == 'c' ? LINK_CLAIMED : LINK_LIVE,
			  .slot_count = SLOT_COUNT },
		.in = { .mapping = w->mapping,
			.key = &states_key,
			.link = &sc->link,
			.cycle = CYCLE,
			.now_s = NOW },
	};
	for (int side = 0; side < SIDE_COUNT; side++)
		states_show(sc, s, (enum side)side);
	states_note(sc, s);
	if (s[AT_RESTORE] != '-') {
		sc->restore =
			(struct field_write){ .index = FIELD,
					      .value = states_value(s[AT_KIND], s[AT_RESTORE]) };
		sc->in.restore = &sc->restore;
		sc->in.restore_count = 1;
	}
	states_park(sc, s, &w->arena);
}

/* ---- answers ---- */

static char states_written(char kind, const struct plan *p, enum side target)
{
	char letter = '-';

	for (size_t i = 0; i < p->write_count[target]; i++) {
		if (p->write[target][i].index != FIELD || letter != '-')
			return '!'; /* the neighbour, or the field twice */
		letter = states_letter(kind, &p->write[target][i].value);
	}
	return letter;
}

static const char *states_refused(const struct plan *p, enum side target)
{
	const char *answer = "-";

	for (size_t i = 0; i < p->refusal_count; i++) {
		const struct refusal *r = &p->refusal[i];

		if (r->target != target)
			continue;
		if (r->index != FIELD && r->index != PARKED_WHOLE_RECORD)
			return "!";
		if (r->err.kind != ERR_REFUSED || answer[0] != '-')
			return "!";
		answer = !strcmp(r->err.code, "BOUNCES")    ? "bounces"
			 : !strcmp(r->err.code, "TEST-400") ? "remote"
			 : r->err.field[0]                  ? "cannot hold"
							    : "!";
	}
	return answer;
}

static bool states_is_neighbour_left(const struct states_scene *sc, const struct plan *p)
{
	uint64_t quiet = states_fingerprint('t', 'E');

	for (int side = 0; side < SIDE_COUNT; side++) {
		if (p->fingerprint[side][NEIGHBOUR_SLOT] != quiet)
			return false;
		for (size_t slot = 0; slot < p->slot_count; slot++) {
			if (slot != NEIGHBOUR_SLOT && slot != FIELD_SLOT &&
			    p->fingerprint[side][slot] != sc->fingerprints[side][slot])
				return false;
		}
	}
	return true;
}

static void states_print_event(const struct plan *p)
{
	const struct field_event *e = p->event;

	if (!p->event_count)
		(void)fputs("-", stdout);
	else if (p->event_count > 1 || e->slot != FIELD_SLOT || e->cycle != CYCLE || e->at_s != NOW)
		(void)fputs("!", stdout);
	else if (e->is_given_up && !e->turns)
		(void)printf("%c/%s/-", side_letters[e->target], merge_rule_name(e->rule));
	else
		(void)printf("%c/%s/%d", side_letters[e->target], merge_rule_name(e->rule),
			     e->turns);
}

static void states_print(const char *s, const struct states_scene *sc, const struct plan *p)
{
	char kind = s[AT_KIND];

	if (!states_is_neighbour_left(sc, p))
		(void)fputs("another field was touched; ", stdout);
	(void)printf("%c%c %c%c ", states_written(kind, p, SIDE_MARKETO),
		     states_written(kind, p, SIDE_DYNAMICS),
		     states_base_letter(kind, p->fingerprint[SIDE_MARKETO][FIELD_SLOT]),
		     states_base_letter(kind, p->fingerprint[SIDE_DYNAMICS][FIELD_SLOT]));
	if (!p->collision_count)
		(void)fputs("-", stdout);
	else if (p->collision_count > 1 || p->collision[0].index != FIELD)
		(void)fputs("!", stdout);
	else
		(void)printf("%s/%c", merge_rule_name(p->collision[0].rule),
			     side_letters[p->collision[0].winner]);
	(void)printf(" %s|%s %c%c ", states_refused(p, SIDE_MARKETO),
		     states_refused(p, SIDE_DYNAMICS), p->must_read[SIDE_MARKETO] ? 'y' : 'n',
		     p->must_read[SIDE_DYNAMICS] ? 'y' : 'n');
	states_print_event(p);
	(void)putchar('\n');
}

static void states_answer_drop(const struct states_scene *sc, struct plan *p, bool is_all,
			       struct arena *a)
{
	static const struct err why = { .kind = ERR_REFUSED, .code = "TEST-400" };

	for (int side = 0; side < SIDE_COUNT; side++) {
		if (p->write_count[side])
			decide_drop(&sc->in, p, (enum side)side,
				    is_all ? PARKED_WHOLE_RECORD : FIELD, &why, a);
	}
}

static void states_answer_covered(const char *s)
{
	struct field f = states_field(s);
	struct value was = states_value(s[AT_KIND], s[AT_SHOWN]);
	struct value now = states_value(s[AT_KIND], s[AT_SHOWN + 1]);
	enum merge_rule rule = RULE_NONE;
	enum side right = merge_covered(s[AT_TABLE] == 'l' ? TABLE_LEAD : TABLE_CONTACT, &f, &was,
					&now, &rule);

	(void)printf("%s/%c\n", merge_rule_name(rule), side_letters[right]);
}

static void states_answer_filter(const char *s)
{
	static const char *const verdicts[] = { "travels", "creates", "stops" };
	char mark = s[AT_SHOWN], null = s[AT_SHOWN + 1];
	struct filter_rule rule = { .column = "new_synctomkto",
				    .null = null == 'c'   ? FILTER_NULL_CREATE_ONLY
					    : null == 's' ? FILTER_NULL_SYNC
							  : FILTER_NULL_SKIP };

	(void)puts(verdicts[filter_verdict(&rule, mark == 'a'   ? FILTER_ABSENT
						  : mark == 'y' ? FILTER_YES
						  : mark == 'n' ? FILTER_NO
								: FILTER_NULL)]);
}

static void states_answer(struct states_world *w, const char *s)
{
	struct states_scene scene;
	struct plan plan;

	if (s[AT_MODE] == 'f') {
		states_answer_filter(s);
		return;
	}
	if (s[AT_MODE] == 'v') {
		states_answer_covered(s);
		return;
	}
	/* An absent column depends on the table, which is none of the mapping's letters. */
	if (!w->mapping || s[AT_PRESENCE] == 'a' || memcmp(w->config, s, sizeof(w->config)) != 0)
		states_map(w, s);
	states_set(w, s, &scene);
	if (s[AT_MODE] == 'c')
		decide_create(&scene.in, &w->arena, &plan);
	else
		decide(&scene.in, &w->arena, &plan);
	if (s[AT_MODE] == 'd' || s[AT_MODE] == 'D')
		states_answer_drop(&scene, &plan, s[AT_MODE] == 'D', &w->arena);
	states_print(s, &scene, &plan);
	arena_release(&w->arena);
}

int main(void)
{
	struct states_world world = { .mapping = NULL };
	struct err err;
	char line[64];

	if (fingerprint_start(&err) != ERR_NONE) {
		(void)fprintf(stderr, "states: %s\n", err.text);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		if (strcspn(line, "\n") != STATE_LENGTH) {
			(void)fprintf(stderr, "states: not a state: %s\n", line);
			return 2;
		}
		states_answer(&world, line);
	}
	mapping_free(world.mapping);
	return 0;
}
