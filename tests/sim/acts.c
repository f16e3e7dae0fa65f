/* The events of a history as they happen: people's in the remotes (people.c), and here the callers
 * of Tandem, its operators, its other services, and everything that fails. */
#include "sync/outbox.h"
#include "sync/requests.h"
#include "sync/state.h"
#include "tests/sim/play_p.h"
#include "tests/sim/twin_store.h"

/* One caller asks for one person; what the real-time thread does with it. */
static bool play_call(struct player *p, const struct event *ev)
{
	struct sim *s = &p->s;
	struct engine *e = p->engine[0];
	struct thing *person = people_pick(s, TABLE_PERSON, ev->b);
	struct arena a = { .chunks = NULL };
	struct call call = { .lane = LANE_REALTIME };
	struct cycle_report report = { .number = 0 };
	struct request r = { .sync_as = ev->c % 3 ? TABLE_LEAD : TABLE_CONTACT,
			     .is_trigger = ev->d % 3 != 0,
			     .created_ms = s->now_ms };
	bool is_gone = false;
	struct err err;

	if (s->is_in_requests || s->is_crashed[0] || !person)
		return false;
	r.person_id = person->person_id;
	r.id.byte[0] = 0x52;
	r.id.byte[15] = (uint8_t)++p->requests;
	r.owner = ev->d % 5 == 0 ? STR("seller") : (struct str){ NULL, 0 };
	sim_say(s, "a %s campaign asks for person %lld as a %s", r.is_trigger ? "trigger" : "batch",
		(long long)r.person_id, table_name(r.sync_as));
	s->nested++;
	s->is_in_requests = true;
	if (e->store.ops->request_add(e->store.self, &r, 1, &err) == ERR_NONE) {
		requests_run(e, &call, false, &r, 1, &is_gone, &a, &report);
		sim_tell(s, "the answer is %s", outcome_name(r.outcome));
		p->figures->requests[r.outcome]++;
		if (r.outcome == OUTCOME_CREATED && !s->is_crashed[0] &&
		    !world_row(s, r.entity, &r.record_id))
			sim_broken(s, "INV-ONE-ROW",
				   "person %lld was told 'created', but no row is there",
				   (long long)r.person_id);
	}
	s->is_in_requests = false;
	if (state_is_open(e)) {
		(void)outbox_stamps(e, &call, NULL, &err);
		(void)outbox_activities(e, &call, &err);
	}
	s->nested--;
	arena_release(&a);
	return true;
}

/* Another service takes the lead, runs a whole cycle, and is gone again. */
static bool play_second(struct player *p, const struct event *e)
{
	struct sim *s = &p->s;
	struct err err;

	(void)e;
	if (s->is_in_requests || s->crash_in >= 0)
		return false;
	sim_say(s, "another service takes the lead and runs a cycle");
	s->has_two_leaders |= s->is_in_cycle;
	s->nested++;
	play_start(p, 1);
	(void)play_cycle(p, 1, &err);
	play_end(p, 1);
	s->nested--;
	sim_tell(s, "the other service is gone");
	return true;
}

static bool play_lose_store(struct player *p, const struct event *e)
{
	struct sim *s = &p->s;
	int64_t fence = s->store->fence;

	(void)e;
	if (s->is_other_organisation)
		return false; /* a new store would take that one for its own */
	sim_say(s, "the state store is lost and begun anew");
	s->store = twin_store_new(s);
	s->store->fence = fence + 1;
	s->agreed = NULL;
	s->has_lost_store = true;
	play_end(p, 0);
	play_start(p, 0);
	return true;
}

static bool play_retry(struct player *p, const struct event *e)
{
	struct sim *s = &p->s;
	size_t count = s->store->error_count;
	bool did = count && twin_retry(s, &s->store->errors[e->b % count]);

	if (did)
		sim_say(s, "an operator retries error %zu", e->b % count + 1);
	return did;
}

static bool play_lost(struct player *p, const struct event *e)
{
	static const char *const hows[] = { "this one only", "nothing after it is done",
					    "so are all after it in the same call" };
	enum side side = (enum side)(e->a % SIDE_COUNT);

	sim_say(&p->s, "the answer to write %u of the next call to %s will be lost, %s",
		e->d % 3 + 1, side_name(side), hows[e->c % 3]);
	p->s.lost[side] = (struct lost_answer){ true, e->c % 3, e->d % 3 };
	return true;
}

static bool play_throttle(struct player *p, const struct event *e)
{
	enum side side = (enum side)(e->a % SIDE_COUNT);

	p->s.throttle[side] = 1 + (int)(e->d % 30);
	sim_say(&p->s, "%s takes no calls for a while", side_name(side));
	return true;
}

static bool play_crash(struct player *p, const struct event *e)
{
	if (p->options & PLAY_NO_CRASH)
		return false;
	p->s.crash_in = (int)(e->d % 4);
	return true;
}

static bool play_late(struct player *p, const struct event *e)
{
	p->s.feed.delay = 1 + (int)(e->d % 2);
	sim_say(&p->s, "Marketo's change log falls behind");
	return true;
}

static bool play_repeat(struct player *p, const struct event *e)
{
	struct sim *s = &p->s;
	enum table table = e->b % 2 ? TABLE_LEAD : TABLE_CONTACT;

	if (e->a % 2) {
		s->look_back[table] = 1 + (int64_t)(e->d % 5);
		sim_say(s, "Dynamics will tell old changes of its %ss again", table_name(table));
		return true;
	}
	sim_say(s, "Marketo's change log tells its last entries again");
	for (size_t i = 0, n = s->feed.count; i < n && i < 3; i++) {
		struct feed_entry again = s->feed.entries[n - 1 - i];

		world_log(s, &again);
	}
	return true;
}

static bool play_expire(struct player *p, const struct event *e)
{
	enum table table = e->b % 2 ? TABLE_LEAD : TABLE_CONTACT;

	p->s.cursor_age[table]++;
	sim_say(&p->s, "the cursor of the %s table expires", table_name(table));
	return true;
}

static bool play_strange(struct player *p, const struct event *e)
{
	struct sim *s = &p->s;

	if (guid_is_zero(&s->store->organisation[SIDE_DYNAMICS]))
		return false; /* nobody could know it is strange */
	if (e->a % 2) {
		s->is_other_organisation = true;
		sim_say(s, "the address of Dynamics leads to another organisation for a while");
		return true;
	}
	s->is_empty_table = true;
	for (int t = 0; t < TABLE_COUNT; t++)
		s->cursor_age[t]++;
	sim_say(s, "the tables of Dynamics look empty for a while, their cursors expire");
	return true;
}

static bool play_rules(struct player *p, const struct event *e)
{
	(void)e;
	p->s.is_lenient = !p->s.is_lenient;
	sim_say(&p->s, "the remotes' own validation is switched %s",
		p->s.is_lenient ? "off" : "on");
	return true;
}

static bool play_long(struct player *p, const struct event *e)
{
	(void)e;
	p->s.now_ms += PLAY_LONG_PAUSE_MS;
	sim_say(&p->s, "two hours pass");
	return true;
}

static bool play_pause(struct player *p, const struct event *e)
{
	struct sim *s = &p->s;

	(void)e;
	s->store->is_paused = !s->store->is_paused;
	state_set_paused(p->engine[0], s->store->is_paused);
	sim_say(s, "an operator %s the sync", s->store->is_paused ? "pauses" : "resumes");
	return true;
}

/* What does not happen to the remotes by people's hands. */
static bool (*const play_acts[EVENT_KIND_COUNT])(struct player *, const struct event *) = {
	[EVENT_CALL] = play_call,
	[EVENT_SECOND] = play_second,
	[EVENT_LOSE_STORE] = play_lose_store,
	[EVENT_RETRY] = play_retry,
	[EVENT_LOST] = play_lost,
	[EVENT_THROTTLE] = play_throttle,
	[EVENT_CRASH] = play_crash,
	[EVENT_LATE] = play_late,
	[EVENT_REPEAT] = play_repeat,
	[EVENT_EXPIRE] = play_expire,
	[EVENT_STRANGE] = play_strange,
	[EVENT_RULES] = play_rules,
	[EVENT_LONG] = play_long,
	[EVENT_PAUSE] = play_pause,
};

void play_event(struct player *p, const struct event *e)
{
	bool did = play_acts[e->kind] ? play_acts[e->kind](p, e) : people_act(&p->s, e);

	p->figures->events[e->kind] += did;
	p->settled *= !did;
	p->has_acted |= did && (p->s.is_in_cycle || e->kind == EVENT_THROTTLE ||
				e->kind == EVENT_LOST || e->kind == EVENT_LATE);
}
