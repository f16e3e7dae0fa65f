/* From a seed to a verdict, and from a failing history to the shortest one that fails alike. */
#include "tests/sim/run.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- the laws ---- */

static enum flavour run_flavour(uint64_t seed)
{
	static const enum flavour flavours[] = { FLAVOUR_ANY,   FLAVOUR_ANY, FLAVOUR_ANY,
						 FLAVOUR_ANY,   FLAVOUR_ANY, FLAVOUR_CALM,
						 FLAVOUR_CRASH, FLAVOUR_PAIR };

	return flavours[seed % ARRAY_LEN(flavours)];
}

static void run_compare(struct ending *ret, struct ending *other, const char *law, const char *text)
{
	if (ret->broken || other->broken || ret->is_incomparable || other->is_incomparable ||
	    !strcmp(ret->digest, other->digest))
		return;
	ret->broken = law;
	(void)snprintf(ret->how, sizeof(ret->how), "%s.\n-- here\n%s-- there\n%s", text,
		       ret->digest, other->digest);
}

/* The same history with other page sizes and another order of rows. */
static void run_order(const struct history *h, struct figures *figures, struct ending *ret)
{
	struct history other = *h;
	struct ending second;

	other.setup.row_page = 5 - other.setup.row_page;
	other.setup.feed_page = 7 - other.setup.feed_page;
	other.setup.shuffle = other.setup.shuffle ? 0 : 1 + (unsigned)(h->seed / 8 % 6);
	play(&other, PLAY_DIGEST, NULL, figures, &second);
	run_compare(ret, &second, "LAW-ORDER",
		    "other pages and another order of rows come to another end");
	free(second.digest);
	figures->laws++;
}

/* The same history without its crashes. */
static void run_interrupt(const struct history *h, struct figures *figures, struct ending *ret)
{
	struct ending second;

	play(h, PLAY_DIGEST | PLAY_NO_CRASH | PLAY_AGAIN, NULL, figures, &second);
	run_compare(ret, &second, "INV-INTERRUPT", "without the crash it comes to another end");
	free(second.digest);
	figures->laws++;
}

/* The same history with the sides in each other's place, and a contact instead of the lead. */
static void run_symmetry(const struct history *h, struct figures *figures, struct ending *ret)
{
	static const unsigned mirrored[TABLE_COUNT] = {
		[TABLE_PERSON] = TABLE_CONTACT,
		[TABLE_LEAD] = TABLE_PERSON,
		[TABLE_CONTACT] = TABLE_PERSON,
	};
	struct history other = *h;
	struct ending second;

	other.setup.is_mirrored = true;
	for (size_t i = 0; i < other.count; i++) {
		struct event *e = &other.events[i];

		e->a = e->kind == EVENT_CREATE ? TABLE_CONTACT : mirrored[e->a % TABLE_COUNT];
	}
	play(&other, PLAY_DIGEST_PAIR, NULL, figures, &second);
	run_compare(ret, &second, "LAW-SYMMETRY",
		    "with the sides in each other's place it comes to another end");
	free(second.digest);
	figures->laws++;
}

static void run_play(const struct history *h, enum flavour flavour, struct buf *story,
		     struct figures *figures, struct ending *ret)
{
	static const unsigned options[FLAVOUR_COUNT] = {
		[FLAVOUR_ANY] = PLAY_RESCAN,
		[FLAVOUR_CALM] = PLAY_RESCAN | PLAY_DIGEST,
		[FLAVOUR_CRASH] = PLAY_RESCAN | PLAY_DIGEST | PLAY_AGAIN,
		[FLAVOUR_PAIR] = PLAY_RESCAN | PLAY_DIGEST_PAIR,
	};

	play(h, options[flavour], story, figures, ret);
	if (ret->broken || !ret->digest)
		return;
	if (flavour == FLAVOUR_CALM)
		run_order(h, figures, ret);
	else if (flavour == FLAVOUR_CRASH)
		run_interrupt(h, figures, ret);
	else if (flavour == FLAVOUR_PAIR)
		run_symmetry(h, figures, ret);
}

bool run_seed(uint64_t seed, struct figures *figures, struct ending *ret)
{
	enum flavour flavour = run_flavour(seed);
	struct history h;

	history_draw(seed, flavour, &h);
	run_play(&h, flavour, NULL, figures, ret);
	free(ret->digest);
	ret->digest = NULL;
	return !ret->broken;
}

/* ---- shrinking ---- */

struct shrinking {
	struct history h;
	enum flavour flavour;
	const char *broken;
};

/* Takes the smaller history if it breaks the same invariant. */
static bool shrink_try(struct shrinking *sh, const struct history *smaller)
{
	struct figures figures = { .histories = 0 };
	struct ending outcome;

	if (!history_is_sorted(smaller))
		return false; /* what belongs before a cycle would happen inside it */
	run_play(smaller, sh->flavour, NULL, &figures, &outcome);
	free(outcome.digest);
	if (!outcome.broken || strcmp(outcome.broken, sh->broken) != 0)
		return false;
	sh->h = *smaller;
	return true;
}

static bool shrink_events(struct shrinking *sh)
{
	bool did = false;

	for (size_t n = sh->h.count; n > 0; n /= 2) {
		for (size_t i = 0; i + n <= sh->h.count;) {
			struct history smaller = sh->h;

			memmove(&smaller.events[i], &smaller.events[i + n],
				(smaller.count - i - n) * sizeof(struct event));
			smaller.count -= n;
			if (shrink_try(sh, &smaller))
				did = true;
			else
				i += 1;
		}
	}
	return did;
}

/* Events happen as early as they can, and before cycles rather than inside. */
static bool shrink_times(struct shrinking *sh)
{
	bool did = false;

	for (size_t i = 0; i < sh->h.count; i++) {
		struct history smaller = sh->h;
		int floor = i ? smaller.events[i - 1].round : 1;

		if (smaller.events[i].call && smaller.events[i].kind != EVENT_CRASH &&
		    (!i || smaller.events[i - 1].round < smaller.events[i].round ||
		     !smaller.events[i - 1].call)) {
			smaller.events[i].call = 0;
			did |= shrink_try(sh, &smaller);
		}
		smaller = sh->h;
		if (smaller.events[i].round > floor) {
			for (size_t k = i; k < smaller.count; k++)
				smaller.events[k].round--;
			did |= shrink_try(sh, &smaller);
		}
	}
	while (sh->h.rounds > 1) {
		struct history smaller = sh->h;

		if (smaller.count && smaller.events[smaller.count - 1].round >= smaller.rounds)
			break;
		smaller.rounds--;
		if (!shrink_try(sh, &smaller))
			break;
		did = true;
	}
	return did;
}

static bool shrink_setup(struct shrinking *sh)
{
	static const struct setup plain = { .match_by_email = true, .row_page = 4, .feed_page = 6 };
	bool did = false;
	struct history smaller;

#define SHRINK_SETUP(member)                                                                       \
	do {                                                                                       \
		smaller = sh->h;                                                                   \
		smaller.setup.member = plain.member;                                               \
		if (memcmp(&smaller.setup, &sh->h.setup, sizeof(smaller.setup)) != 0)              \
			did |= shrink_try(sh, &smaller);                                           \
	} while (0)
	for (int f = FIELD_LAST; f < FIELD_COUNT; f++) {
		smaller = sh->h;
		smaller.setup.fields &= ~(1U << f);
		if (smaller.setup.fields != sh->h.setup.fields)
			did |= shrink_try(sh, &smaller);
	}
	SHRINK_SETUP(has_filter[TABLE_LEAD]);
	SHRINK_SETUP(has_filter[TABLE_CONTACT]);
	SHRINK_SETUP(filter_null);
	SHRINK_SETUP(is_set_on_create);
	SHRINK_SETUP(leaves_deleted);
	SHRINK_SETUP(match_by_email);
	SHRINK_SETUP(is_bulk);
	SHRINK_SETUP(rewrite[SIDE_MARKETO]);
	SHRINK_SETUP(rewrite[SIDE_DYNAMICS]);
	SHRINK_SETUP(row_page);
	SHRINK_SETUP(feed_page);
	SHRINK_SETUP(shuffle);
	SHRINK_SETUP(deletes_max);
#undef SHRINK_SETUP
	return did;
}

/* Smaller arguments: the first person, the first field, the first word. */
static bool shrink_arguments(struct shrinking *sh)
{
	bool did = false;

	for (size_t i = 0; i < sh->h.count; i++) {
		for (int k = 0; k < 4; k++) {
			struct history smaller = sh->h;
			struct event *e = &smaller.events[i];
			unsigned *arguments[] = { &e->a, &e->b, &e->c, &e->d };

			for (unsigned n = 0; n < 3 && n < *arguments[k]; n++) {
				unsigned was = *arguments[k];

				*arguments[k] = n;
				if (shrink_try(sh, &smaller)) {
					did = true;
					break;
				}
				*arguments[k] = was;
			}
		}
	}
	return did;
}

static void tell_setup(const struct setup *s, struct buf *story)
{
	static const char *const nulls[] = { "create only", "sync", "skip" };

	buf_text(story, "Fields:");
	for (int f = 0; f < FIELD_COUNT; f++)
		buf_fmt(story, "%s%s", s->fields & 1U << f ? " " : "",
			s->fields & 1U << f ? word_fields[f].name : "");
	buf_fmt(story, ". Match by e-mail: %s.", s->match_by_email ? "yes" : "no");
	for (int t = TABLE_LEAD; t < TABLE_COUNT; t++) {
		if (s->has_filter[t])
			buf_fmt(story, " %ss have a sync filter (empty: %s; new ones %s).",
				table_name((enum table)t), nulls[s->filter_null],
				s->is_set_on_create ? "get a Yes" : "get nothing");
	}
	if (s->leaves_deleted)
		buf_text(story, " Deleted persons stay away.");
	if (s->rewrite[SIDE_DYNAMICS])
		buf_text(story, " Dynamics writes last names in capitals.");
	if (s->rewrite[SIDE_MARKETO])
		buf_text(story, " Marketo writes last names in small letters.");
	if (s->deletes_max)
		buf_fmt(story, " At most %u deletes a cycle.", s->deletes_max);
	if (s->shuffle)
		buf_text(story, " Pages are out of order.");
	buf_char(story, '\n');
}

void run_tell(uint64_t seed, struct buf *story)
{
	struct shrinking sh = { .flavour = run_flavour(seed) };
	struct figures figures = { .histories = 0 };
	struct ending outcome;
	bool did;

	history_draw(seed, sh.flavour, &sh.h);
	run_play(&sh.h, sh.flavour, NULL, &figures, &outcome);
	free(outcome.digest);
	sh.broken = outcome.broken;
	for (int i = 0; sh.broken && i < 8; i++) {
		did = shrink_events(&sh);
		did |= shrink_setup(&sh);
		did |= shrink_times(&sh);
		did |= shrink_arguments(&sh);
		if (!did)
			break;
	}
	tell_setup(&sh.h.setup, story);
	run_play(&sh.h, sh.flavour, story, &figures, &outcome);
	if (outcome.broken)
		buf_fmt(story, "%s is broken: %s\nmake sim RUNS=1 SEED=%llu\n", outcome.broken,
			outcome.how, (unsigned long long)seed);
	free(outcome.digest);
}
