/* Drawing histories from seeds. Must not know what happens in them. */
#include "tests/sim/history.h"

#include <stdlib.h>

#define EVENT_NAME(id, name, inside, weight) [EVENT_##id] = name,
static const char *const event_names[EVENT_KIND_COUNT] = { EVENTS(EVENT_NAME) };
#undef EVENT_NAME

#define EVENT_INSIDE(id, name, inside, weight) [EVENT_##id] = inside,
static const bool event_inside[EVENT_KIND_COUNT] = { EVENTS(EVENT_INSIDE) };
#undef EVENT_INSIDE

#define EVENT_WEIGHT(id, name, inside, weight) [EVENT_##id] = weight,
static const unsigned event_weights[EVENT_KIND_COUNT] = { EVENTS(EVENT_WEIGHT) };
#undef EVENT_WEIGHT

/* Everything that is no person's doing. */
static const bool event_is_fault[EVENT_KIND_COUNT] = {
	[EVENT_LOST] = true,       [EVENT_THROTTLE] = true, [EVENT_CRASH] = true,
	[EVENT_LATE] = true,       [EVENT_REPEAT] = true,   [EVENT_EXPIRE] = true,
	[EVENT_LOSE_STORE] = true, [EVENT_SECOND] = true,   [EVENT_STRANGE] = true,
	[EVENT_PAUSE] = true,      [EVENT_RULES] = true,    [EVENT_RETRY] = true,
};

const char *event_name(enum event_kind k)
{
	return event_names[k];
}

/* SplitMix64. */
uint64_t sim_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static unsigned chance(uint64_t *state, unsigned n)
{
	return (unsigned)(sim_random(state) % n);
}

static void draw_setup(uint64_t *state, enum flavour flavour, struct setup *ret)
{
	unsigned fields = (unsigned)sim_random(state) | (unsigned)sim_random(state);

	/* Who of several alike finds whom depends on who comes first: where ends are compared,
	 * e-mail addresses tell nothing, and neither does what an earlier life left. */
	bool is_compared = flavour == FLAVOUR_CALM || flavour == FLAVOUR_CRASH;

	*ret = (struct setup){
		.fields = (fields & ((1U << FIELD_COUNT) - 1)) | 1U << FIELD_EMAIL |
			  1U << FIELD_LAST,
		.match_by_email = chance(state, 4) != 0 && !is_compared,
		.has_memory = !is_compared,
		.leaves_deleted = chance(state, 6) == 0,
		.is_set_on_create = chance(state, 2),
		.filter_null = (enum filter_null)chance(state, 3),
		.row_page = 1 + chance(state, 4),
		.feed_page = 1 + chance(state, 6),
		.shuffle = chance(state, 3) ? 0 : 1 + chance(state, 6),
		.deletes_max = is_compared || chance(state, 8) ? 0 : 1 + chance(state, 2),
	};
	if (flavour == FLAVOUR_PAIR) {
		ret->fields &= ~(1U << FIELD_STATUS | 1U << FIELD_TOPIC);
		ret->is_plain = true;
	}
	ret->filter_default = chance(state, 3) ? FILTER_NULL : FILTER_YES;
	for (int t = TABLE_LEAD; t < TABLE_COUNT; t++)
		ret->has_filter[t] = flavour != FLAVOUR_PAIR && chance(state, 4) == 0;
	/* What a crash delays may be rewritten by then: the two ends would differ rightly. */
	if (flavour != FLAVOUR_PAIR && flavour != FLAVOUR_CRASH && chance(state, 6) == 0)
		ret->rewrite[SIDE_DYNAMICS] = REWRITE_UPPER;
	if (flavour != FLAVOUR_PAIR && !is_compared && chance(state, 16) == 0)
		ret->rewrite[SIDE_MARKETO] = REWRITE_LOWER;
	ret->is_bulk = chance(state, 2);
}

static bool draw_allows(enum flavour flavour, enum event_kind k)
{
	switch (flavour) {
	case FLAVOUR_ANY:
		return true;
	case FLAVOUR_CALM:
		return !event_is_fault[k];
	case FLAVOUR_CRASH:
		return !event_is_fault[k] || k == EVENT_CRASH;
	case FLAVOUR_PAIR:
		return k == EVENT_EDIT || k == EVENT_EMPTY || k == EVENT_OPT_OUT ||
		       k == EVENT_OPT_IN;
	case FLAVOUR_COUNT:
		break;
	}
	return false;
}

/* Half of the histories have a focus, a kind of event that keeps happening: what it does together
 * with itself would be too rare otherwise. */
static enum event_kind draw_kind(uint64_t *state, enum flavour flavour, enum event_kind focus)
{
	unsigned total = 0;

	for (int k = 0; k < EVENT_KIND_COUNT; k++)
		total += event_weights[k];
	for (;;) {
		unsigned at = chance(state, total);

		if (draw_allows(flavour, focus) && chance(state, 3) == 0)
			return focus;
		for (int k = 0; k < EVENT_KIND_COUNT; k++) {
			if (at < event_weights[k] && draw_allows(flavour, (enum event_kind)k))
				return (enum event_kind)k;
			if (at < event_weights[k])
				break;
			at -= event_weights[k];
		}
	}
}

static struct event draw_event(uint64_t *state, const struct history *h, enum flavour flavour,
			       enum event_kind focus)
{
	int first = flavour == FLAVOUR_PAIR ? 2 : 1; /* the pair is linked by then */
	struct event e = { .kind = draw_kind(state, flavour, focus),
			   .round = first + (int)chance(state, (unsigned)(h->rounds + 1 - first)),
			   .a = chance(state, 256),
			   .b = chance(state, 256),
			   .c = chance(state, 256),
			   .d = chance(state, 256) };
	bool is_always_inside = e.kind == EVENT_CRASH || e.kind == EVENT_SECOND;

	if (flavour == FLAVOUR_ANY && event_inside[e.kind] && chance(state, 2))
		e.call = 1 + (int)chance(state, 60);
	if (flavour == FLAVOUR_PAIR)
		e.a %= TABLE_CONTACT; /* person or lead */
	if (is_always_inside)
		e.call = 1 + (int)chance(state, 60);
	return e;
}

static int event_order(const void *left, const void *right)
{
	const struct event *a = left, *b = right;

	if (a->round != b->round)
		return a->round < b->round ? -1 : 1;
	return (a->call > b->call) - (a->call < b->call);
}

bool history_is_sorted(const struct history *h)
{
	for (size_t i = 1; i < h->count; i++) {
		if (event_order(&h->events[i - 1], &h->events[i]) > 0)
			return false;
	}
	return true;
}

/* Those a history begins with: 1 to 5 of them, made before the first cycle. */
static void draw_beginning(uint64_t *state, enum flavour flavour, struct history *h)
{
	unsigned n = flavour == FLAVOUR_PAIR ? 0 : 1 + chance(state, 5);

	if (flavour == FLAVOUR_PAIR)
		h->events[h->count++] = (struct event){
			.kind = EVENT_CREATE, .round = 1, .a = TABLE_LEAD, .b = 1, .c = 1
		};
	for (unsigned i = 0; i < n; i++)
		h->events[h->count++] = (struct event){ .kind = EVENT_CREATE,
							.round = 1,
							.a = chance(state, 256),
							.b = chance(state, 256),
							.c = chance(state, 256),
							.d = chance(state, 256) };
}

void history_draw(uint64_t seed, enum flavour flavour, struct history *ret)
{
	uint64_t state = seed * 0xd1342543de82ef95 + (uint64_t)flavour;
	enum event_kind focus = EVENT_EDIT;
	unsigned events;

	*ret = (struct history){ .seed = seed };
	ret->rounds = (flavour == FLAVOUR_PAIR) + 1 + (int)chance(&state, 7);
	if (chance(&state, 2))
		focus = (enum event_kind)chance(&state, EVENT_KIND_COUNT);
	draw_setup(&state, flavour, &ret->setup);
	draw_beginning(&state, flavour, ret);
	events = 1 + chance(&state, 24);
	for (unsigned i = 0; i < events; i++)
		ret->events[ret->count++] = draw_event(&state, ret, flavour, focus);
	/* Stable: what is drawn first happens first. */
	for (size_t i = 1; i < ret->count; i++) {
		struct event e = ret->events[i];
		size_t k = i;

		for (; k && event_order(&ret->events[k - 1], &e) > 0; k--)
			ret->events[k] = ret->events[k - 1];
		ret->events[k] = e;
	}
}
