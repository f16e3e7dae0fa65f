/* Plays a history; see play.h. What the service's threads do around a cycle and around a request is
 * done here in turn: worker.c and realtime.c stand for it. */
#include "tests/sim/play_p.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sync/cycle.h"
#include "sync/requests.h"
#include "sync/state.h"
#include "tests/sim/check.h"
#include "tests/sim/twin_store.h"

enum {
	PLAY_SHORT_PAUSE_MS = 10 * 1000,
	PLAY_CALL_MS = 40, /* what a call takes */
	PLAY_SETTLE_CYCLES = 2,
	PLAY_BOUNCE_CYCLES = 10, /* more when the two sides rewrite each other's values */
};

static struct player *playing; /* for the functions the linker puts in place of the real ones */

/* ---- in place of the clock and the real-time thread ---- */

int64_t __wrap_clock_wall_ms(void);
int64_t __wrap_clock_mono_ms(void);
enum err_kind __wrap_realtime_work_open(struct engine *e, const struct call *call,
					struct cycle_report *report, struct err *err);

int64_t __wrap_clock_wall_ms(void)
{
	return playing ? playing->s.now_ms : 1;
}

int64_t __wrap_clock_mono_ms(void)
{
	return playing ? playing->s.now_ms - INT64_C(1767225000000) : 1;
}

enum err_kind __wrap_realtime_work_open(struct engine *e, const struct call *call,
					struct cycle_report *report, struct err *err)
{
	struct arena a = { .chunks = NULL };
	struct request *requests = NULL;
	size_t count = 0;
	enum err_kind kind;

	kind = e->store.ops->requests_open(e->store.self, 3000, &a, &requests, &count, err);
	playing->s.is_in_requests = true;
	if (kind == ERR_NONE && count)
		requests_run(e, call, true, requests, count, arena_array(&a, count, sizeof(bool)),
			     &a, report);
	playing->s.is_in_requests = false;
	arena_release(&a);
	return kind;
}

/* ---- what the twins call ---- */

void sim_broken(struct sim *s, const char *invariant, const char *fmt, ...)
{
	va_list args;

	if (s->broken)
		return;
	s->broken = invariant;
	va_start(args, fmt);
	(void)vsnprintf(s->how, sizeof(s->how), fmt, args);
	va_end(args);
	sim_tell(s, "*** %s: %s", invariant, s->how);
}

void sim_say(struct sim *s, const char *fmt, ...)
{
	char text[300];
	va_list args;

	if (!s->story)
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	buf_fmt(s->story, "%3d. %s%s\n", ++s->line, text,
		s->is_in_cycle ? ", in the middle of it" : "");
}

void sim_tell(struct sim *s, const char *fmt, ...)
{
	char text[500];
	va_list args;

	if (!s->story)
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	buf_fmt(s->story, "        %s\n", text);
}

enum err_kind sim_crash(struct port *p, struct err *err)
{
	struct sim *s = p->sim;

	sim_say(s, "Tandem crashes");
	s->is_crashed[p->service] = true;
	s->crash_in = -1;
	return err_set(err, ERR_STOPPED, "crashed");
}

enum err_kind sim_call(struct port *p, enum call_kind what, struct err *err)
{
	struct sim *s = p->sim;
	bool is_remote = what == CALL_READ || what == CALL_WRITE;

	p->calls++;
	s->now_ms += PLAY_CALL_MS;
	if (s->is_crashed[p->service])
		return err_set(err, is_remote ? ERR_RETRY_LATER : ERR_STORE, "crashed");
	if (!p->service && s->is_in_cycle && !s->nested) {
		s->call_no++;
		s->on_call(s, s->context);
		if (s->is_crashed[p->service])
			return err_set(err, is_remote ? ERR_RETRY_LATER : ERR_STORE, "crashed");
	}
	if (s->crash_in >= 0 && !p->service &&
	    (what == CALL_READ || what == CALL_STORE || (what == CALL_COMMIT && !s->crash_in)))
		return sim_crash(p, err);
	if (is_remote && s->throttle[p->side] > 0) {
		s->throttle[p->side]--;
		return err_set(err, ERR_THROTTLED, "too many calls");
	}
	return ERR_NONE;
}

/* ---- services ---- */

void play_start(struct player *p, int service)
{
	struct engine_settings settings = {
		.interval_ms = PLAY_PAUSE_MS,
		.match_by_email = p->s.setup.match_by_email,
		.retention_days = 30,
		.max_deletes = p->s.setup.deletes_max,
		.activity_settle_ms = 120 * 1000,
		.instance = "sim",
		.set = &p->set,
	};
	struct port *ports = p->ports[service];
	struct remote remotes[SIDE_COUNT] = {
		{ &twin_marketo_ops, &ports[SIDE_MARKETO] },
		{ &twin_dynamics_ops, &ports[SIDE_DYNAMICS] },
	};
	struct store store = { &twin_store_ops, &ports[SIDE_COUNT] };

	for (int i = 0; i <= SIDE_COUNT; i++)
		ports[i] = (struct port){ .sim = &p->s,
					  .service = service,
					  .side = (enum side)(i % SIDE_COUNT) };
	p->s.is_crashed[service] = false;
	p->engine[service] = engine_new(&settings, remotes, &store, p->stop);
}

void play_end(struct player *p, int service)
{
	engine_free(p->engine[service]);
	p->engine[service] = NULL;
}

static bool play_is_halt(enum err_kind kind)
{
	return kind == ERR_BROKEN || kind == ERR_RIGHTS || kind == ERR_CONFIG || kind == ERR_QUOTA;
}

/* What the worker does with a cycle. */
enum err_kind play_cycle(struct player *p, int service, struct err *err)
{
	struct engine *e = p->engine[service];
	const struct store *store = &e->store;
	struct cycle_report report = { .started_ms = p->s.now_ms };
	struct unit unit = { .is_fenced = true, .report = &report };
	bool is_leading = false, is_paused = false;
	enum err_kind kind;

	kind = store->ops->is_paused(store->self, &is_paused, err);
	state_set_paused(e, is_paused);
	if (kind == ERR_NONE && is_paused)
		return ERR_STOPPED;
	if (kind == ERR_NONE)
		kind = store->ops->lead(store->self, &is_leading, err);
	if (kind == ERR_NONE)
		kind = store->ops->next_cycle_number(store->self, &report.number, err);
	if (kind == ERR_NONE)
		kind = store->ops->commit(store->self, &unit, err);
	if (kind != ERR_NONE)
		return kind;
	e->is_leader = true;
	e->halt_reason[0] = '\0';
	kind = cycle_run(e, &report, err);
	report.finished_ms = p->s.now_ms;
	(void)store->ops->commit(store->self, &unit, NULL);
	if (kind == ERR_NOT_LEADER)
		store->ops->resign(store->self);
	if (play_is_halt(kind))
		(void)snprintf(e->halt_reason, sizeof(e->halt_reason), "%s", err->text);
	if (kind == ERR_BROKEN)
		e->schema_read_ms = 0;
	p->figures->cycles++;
	p->figures->failed_cycles += kind != ERR_NONE;
	return kind;
}

/* Before every call of a cycle. */
static void play_on_call(struct sim *s, void *context)
{
	struct player *p = context;

	while (!p->is_final && p->next < p->h->count && p->h->events[p->next].round == s->round &&
	       p->h->events[p->next].call <= s->call_no && !s->is_crashed[0])
		play_event(p, &p->h->events[p->next++]);
}

/* ---- rounds ---- */

/* Links that live, of every table that has rows: none of them would be by chance without. */
static bool play_has_links(struct sim *s)
{
	for (size_t i = 0; i < s->store->link_count; i++) {
		const struct link *l = &s->store->links[i].link;
		const struct thing *row = world_row(s, l->table, &l->record_id);

		if (l->state == LINK_LIVE && row && !row->state && !row->is_merged &&
		    row->filter != FILTER_NO && row->filter != FILTER_NULL &&
		    world_person(s, l->person_id))
			return true;
	}
	return false;
}

/* Links that ended because a half is gone. */
static size_t play_tombstones(struct sim *s)
{
	size_t count = 0;

	for (size_t i = 0; i < s->store->link_count; i++) {
		const struct link *l = &s->store->links[i].link;

		count += l->state == LINK_DELETED_IN_MARKETO ||
			 (l->state == LINK_DELETED_IN_DYNAMICS &&
			  !world_row(s, l->table, &l->record_id));
	}
	return count;
}

/* Nothing is left for later: no marks, claims or requests. */
static bool play_is_idle(const struct sim *s)
{
	for (size_t i = 0; i < s->store->link_count; i++) {
		if (s->store->links[i].link.state == LINK_CLAIMED)
			return false;
	}
	for (size_t i = 0; i < s->store->request_count; i++) {
		if (s->store->requests[i].is_open)
			return false;
	}
	return !s->store->dirty_count && !s->is_empty_table;
}

/* A cycle of ours; after a crash another service process takes its place. */
static enum err_kind play_our_cycle(struct player *p)
{
	struct sim *s = &p->s;
	struct round_model *model = NULL;
	struct err err = { .kind = ERR_NONE };
	unsigned writes = s->writes[0] + s->writes[1];
	size_t tombstones;
	bool is_limited;
	enum err_kind kind;

	sim_tell(s, "-- cycle %d", s->round);
	s->call_no = 0;
	tombstones = play_tombstones(s);
	is_limited = s->setup.deletes_max && !p->engine[0]->is_accepting && !p->has_acted &&
		     !s->feed.late_count;
	if (p->has_acted || s->feed.late_count)
		s->agreed = NULL; /* what agreed before may be long over */
	else
		model = check_begin_round(s);
	s->is_in_cycle = true;
	kind = play_cycle(p, 0, &err);
	s->is_in_cycle = false;
	if (s->is_crashed[0] || s->crash_in >= 0) {
		s->crash_in = -1;
		play_end(p, 0);
		play_start(p, 0);
		kind = ERR_STOPPED;
	}
	if (kind != ERR_NONE)
		sim_tell(s, "-- cycle %d was not finished: %s", s->round, err.text);
	else if (model && !p->has_acted)
		check_end_round(s, model);
	/* The first may have ended a scan, behind which newer rows wait. */
	if (p->settled > 1 && s->writes[0] + s->writes[1] != writes && !s->setup.rewrite[0] &&
	    !s->setup.rewrite[1])
		sim_broken(s, "INV-NO-ECHO",
			   "nothing happened since an undisturbed cycle, and "
			   "this one writes");
	p->settled = kind == ERR_NONE && model && !p->has_acted && play_is_idle(s) ? p->settled + 1
										   : 0;
	if (is_limited && !p->has_acted && play_tombstones(s) > tombstones + s->setup.deletes_max)
		sim_broken(s, "INV-NO-WIPE", "more links ended in one cycle than are allowed");
	return kind;
}

static void play_round(struct player *p)
{
	struct sim *s = &p->s;
	bool is_strange, is_empty;
	unsigned before;
	enum err_kind kind;

	s->round++;
	p->has_acted = s->throttle[0] || s->throttle[1] || s->lost[0].is_armed ||
		       s->lost[1].is_armed;
	while (p->next < p->h->count && p->h->events[p->next].round < s->round)
		p->next++; /* its cycle had fewer calls */
	while (p->next < p->h->count && p->h->events[p->next].round == s->round &&
	       p->h->events[p->next].call == 0)
		play_event(p, &p->h->events[p->next++]);
	is_strange = s->is_other_organisation &&
		     !guid_is_zero(&s->store->organisation[SIDE_DYNAMICS]);
	is_empty = s->is_empty_table && play_has_links(s);
	before = s->writes[0] + s->writes[1];
	if (is_strange)
		p->engine[0]->schema_read_ms = 0;
	kind = play_our_cycle(p);
	for (int again = 0; p->options & PLAY_AGAIN && kind != ERR_NONE && again < 10; again++) {
		s->now_ms += PLAY_PAUSE_MS;
		kind = play_our_cycle(p);
	}
	if (is_strange && (kind == ERR_NONE || s->writes[0] + s->writes[1] != before) &&
	    s->store->link_count && !p->has_acted)
		sim_broken(s, "INV-NO-WIPE", "another organisation, and the cycle goes on");
	if (is_empty && kind == ERR_NONE && !p->has_acted)
		sim_broken(s, "INV-NO-WIPE", "tables look empty, and the cycle goes on");
	/* A cursor made while the tables looked empty would never tell what was there. */
	for (int t = 0; s->is_empty_table && t < TABLE_COUNT; t++)
		s->cursor_age[t]++;
	s->is_other_organisation = s->is_empty_table = false;
	s->now_ms += kind == ERR_NONE || s->round % 2 ? PLAY_PAUSE_MS : PLAY_SHORT_PAUSE_MS;
	world_show_late(s, false);
}

/* Faults are over, everything late shows up, an operator lets the sync go on. */
static void play_calm_down(struct player *p)
{
	struct sim *s = &p->s;

	p->is_final = true;
	for (int side = 0; side < SIDE_COUNT; side++) {
		s->throttle[side] = 0;
		s->lost[side].is_armed = false;
	}
	s->crash_in = -1;
	s->store->is_paused = false;
	state_set_paused(p->engine[0], false);
	p->settled *= !s->feed.late_count;
	world_show_late(s, true);
	sim_tell(s, "-- from here on nobody does anything");
}

static void play_settle(struct player *p)
{
	struct sim *s = &p->s;
	int cycles = PLAY_SETTLE_CYCLES, stopped = 0;

	if (s->setup.rewrite[SIDE_DYNAMICS])
		cycles += s->setup.rewrite[SIDE_MARKETO] ? PLAY_BOUNCE_CYCLES : 1;
	for (int i = 0; i < cycles && !s->broken; i++) {
		s->round++;
		p->has_acted = false;
		p->engine[0]->is_accepting = stopped > 0;
		if (play_our_cycle(p) != ERR_NONE && !stopped++)
			i--; /* more deletes than allowed: an operator lets them pass */
		else if (stopped > 1)
			sim_broken(s, "INV-NO-HOSTAGE",
				   "cycles fail although nothing does any more");
		s->now_ms += PLAY_PAUSE_MS;
	}
}

/* INV-NO-ECHO: a cycle with nothing to do writes nothing. */
static void play_quiet(struct player *p, const char *invariant, const char *when)
{
	struct sim *s = &p->s;
	unsigned before = s->writes[0] + s->writes[1] + s->stamps;
	enum err_kind kind;

	if (s->broken)
		return;
	s->round++;
	p->has_acted = true;
	kind = play_our_cycle(p);
	s->now_ms += PLAY_PAUSE_MS;
	if (kind != ERR_NONE)
		sim_broken(s, "INV-SETTLES", "a quiet cycle fails");
	else if (s->writes[0] + s->writes[1] + s->stamps != before)
		sim_broken(s, invariant, "%s writes", when);
}

/* Law: a full scan shows what the increments had shown. */
static void play_rescan(struct player *p)
{
	struct sim *s = &p->s;

	/* What was refused may be tried again, and may fare otherwise by now. */
	for (size_t i = 0; i < s->store->error_count; i++) {
		if (!s->store->errors[i].is_resolved)
			return;
	}
	for (int t = 0; t < TABLE_COUNT; t++)
		s->cursor_age[t]++;
	play_quiet(p, "LAW-FULL-SCAN", "a full scan after everything had settled");
	p->figures->laws++;
}

static void play_setup(struct player *p)
{
	struct sim *s = &p->s;

	world_init(s);
	s->setup = p->h->setup;
	s->is_lenient = s->setup.is_plain;
	s->store = twin_store_new(s);
	s->on_call = play_on_call;
	s->context = p;
	s->feed.late_count = 0;
	for (int f = 0; f < FIELD_COUNT; f++) {
		struct field *field = &p->fields[p->set.count];

		if (!(s->setup.fields & 1U << f))
			continue;
		*field = word_fields[f];
		if (s->setup.is_mirrored && field->winner != WINNER_BY_LINK)
			field->winner = field->winner == WINNER_MARKETO ? WINNER_DYNAMICS
									: WINNER_MARKETO;
		p->set.count++;
	}
	p->set.fields = p->fields;
	p->set.filter = (struct filter_rule){ .column = WORD_FILTER,
					      .null = s->setup.filter_null,
					      .is_set_on_create = s->setup.is_set_on_create };
	p->set.leaves_deleted = s->setup.leaves_deleted;
}

static void play_note(struct player *p, struct ending *ret)
{
	struct sim *s = &p->s;

	p->figures->histories++;
	p->figures->writes += s->writes[0] + s->writes[1];
	p->figures->stamps += s->stamps;
	p->figures->collisions += s->collisions;
	p->figures->errors += s->errors;
	p->figures->checked_fields += s->checked_fields;
	*ret = (struct ending){ .broken = s->broken };
	memcpy(ret->how, s->how, sizeof(s->how));
	/* How soon a value is frozen depends on the number of cycles. */
	ret->is_incomparable = s->has_frozen || s->has_chained_merge;
	if (p->options & PLAY_DIGEST)
		ret->digest = check_digest(s);
	else if (p->options & PLAY_DIGEST_PAIR)
		ret->digest = check_digest_pair(s);
}

void play(const struct history *h, unsigned options, struct buf *story, struct figures *figures,
	  struct ending *ret)
{
	static struct stop *stop;
	struct player p = { .h = h, .options = options, .figures = figures };

	if (!stop)
		stop = stop_new();
	p.stop = stop;
	p.s.story = story;
	playing = &p;
	play_setup(&p);
	play_start(&p, 0);
	while (p.s.round < h->rounds && !p.s.broken)
		play_round(&p);
	if (!p.s.broken) {
		play_calm_down(&p);
		play_settle(&p);
		if (!p.s.broken)
			check_end(&p.s);
		play_quiet(&p, "INV-NO-ECHO", "a quiet cycle");
		if (options & PLAY_RESCAN)
			play_rescan(&p);
	}
	play_note(&p, ret);
	play_end(&p, 0);
	playing = NULL;
	arena_release(&p.s.memory);
}
