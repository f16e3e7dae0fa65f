/* The engine's parts, schemas and active fields, and how the sides are doing. */
#include "sync/engine_p.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "core/guard.h"

enum { ENGINE_SCHEMA_AGE_MS = 3600 * 1000 };

struct engine *engine_new(const struct engine_settings *settings,
			  const struct remote remotes[SIDE_COUNT], const struct store *store,
			  struct stop *stop)
{
	struct engine *e = mem_alloc(sizeof(*e));

	e->settings = *settings;
	for (int side = 0; side < SIDE_COUNT; side++)
		e->remote[side] = remotes[side];
	e->store = *store;
	e->stop = stop;
	(void)pthread_mutex_init(&e->lock, NULL);
	(void)pthread_mutex_init(&e->schema_lock, NULL);
	return e;
}

enum err_kind engine_start(struct engine *e, struct err *err)
{
	e->realtime = realtime_start(e, err);
	if (!e->realtime)
		return err->kind;
	e->worker = worker_start(e, err);
	return e->worker ? ERR_NONE : err->kind;
}

int64_t engine_finished_cycles(const struct engine *e)
{
	return worker_finished_cycles(e->worker);
}

void engine_stop(struct engine *e)
{
	if (e->worker)
		worker_stop(e->worker);
	if (e->realtime)
		realtime_stop(e->realtime);
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	engine_stop(e);
	worker_free(e->worker);
	realtime_free(e->realtime);
	engine_mapping_drop(e, TAKE(e->shared));
	for (int side = 0; side < SIDE_COUNT; side++)
		e->remote[side].ops->free(e->remote[side].self);
	e->store.ops->free(e->store.self);
	arena_release(&e->schema_memory);
	free(e->slots);
	(void)pthread_mutex_destroy(&e->schema_lock);
	(void)pthread_mutex_destroy(&e->lock);
	free(e);
}

struct shared_mapping *engine_mapping_take(struct engine *e)
{
	struct shared_mapping *shared;

	(void)pthread_mutex_lock(&e->lock);
	shared = e->shared;
	if (shared)
		shared->references++;
	(void)pthread_mutex_unlock(&e->lock);
	return shared;
}

void engine_mapping_drop(struct engine *e, struct shared_mapping *shared)
{
	bool is_last;

	if (!shared)
		return;
	(void)pthread_mutex_lock(&e->lock);
	is_last = --shared->references == 0;
	(void)pthread_mutex_unlock(&e->lock);
	if (!is_last)
		return;
	mapping_free(shared->mapping);
	free(shared);
}

void engine_note_side(struct engine *e, enum side side, enum err_kind kind, const struct err *err)
{
	(void)pthread_mutex_lock(&e->lock);
	e->side[side].was_used = true;
	e->side[side].is_ok = kind == ERR_NONE;
	(void)snprintf(e->side[side].reason, sizeof(e->side[side].reason), "%s",
		       kind == ERR_NONE ? "" : err->text);
	(void)pthread_mutex_unlock(&e->lock);
}

void engine_publish(struct engine *e, const struct cycle_report *report)
{
	(void)pthread_mutex_lock(&e->lock);
	e->report = *report;
	(void)pthread_mutex_unlock(&e->lock);
}

bool engine_is_open(struct engine *e)
{
	bool is_open;

	(void)pthread_mutex_lock(&e->lock);
	is_open = !e->is_paused && !e->halt_reason[0];
	(void)pthread_mutex_unlock(&e->lock);
	return is_open;
}

/* The links belong to one organisation on either side; another one under the same address is a
 * mistake. */
static enum err_kind engine_check_organisation(struct engine *e, enum side side,
					       const struct call *call, struct err *err)
{
	const struct remote *remote = &e->remote[side];
	struct guid now, *known = &e->identity.organisation[side];
	enum err_kind kind;

	kind = remote->ops->identify(remote->self, call, &now, err);
	if (kind == ERR_NONE)
		kind = guard_organisation(known, &now, err);
	if (kind != ERR_NONE || guid_equal(known, &now))
		return kind;
	kind = e->store.ops->set_organisation(e->store.self, side, &now, err);
	if (kind == ERR_NONE)
		*known = now;
	return kind;
}

/* Reads the schemas of one side; schemas[] of the other side are left alone. */
static enum err_kind engine_describe(struct engine *e, enum side side, const struct call *call,
				     struct arena *memory, struct schema schemas[TABLE_COUNT],
				     struct err *err)
{
	const struct remote *remote = &e->remote[side];
	enum err_kind kind = engine_check_organisation(e, side, call, err);

	for (int t = 0; kind == ERR_NONE && t < TABLE_COUNT; t++) {
		if (table_side((enum table)t) == side)
			kind = remote->ops->describe(remote->self, call, (enum table)t, memory,
						     &schemas[t], err);
	}
	engine_note_side(e, side, kind, err);
	return kind;
}

static void engine_log_paused(const struct mapping *m)
{
	for (size_t i = 0; i < m->paused_count; i++)
		log_info("field_paused", LOG_TEXT("field", m->paused[i].name),
			 LOG_TEXT("table", table_name(m->paused[i].table)),
			 LOG_TEXT("reason", m->paused[i].reason));
}

static void engine_use_mapping(struct engine *e)
{
	struct shared_mapping *fresh = mem_alloc(sizeof(*fresh)), *old;

	fresh->mapping =
		mapping_new(e->settings.fields, e->slots, e->settings.field_count, e->schemas);
	fresh->references = 1;
	engine_log_paused(fresh->mapping);
	(void)pthread_mutex_lock(&e->lock);
	old = e->shared;
	e->shared = fresh;
	(void)pthread_mutex_unlock(&e->lock);
	engine_mapping_drop(e, old);
}

static enum err_kind engine_read_all(struct engine *e, const struct call *call, struct err *err)
{
	struct schema schemas[TABLE_COUNT] = { { .columns = NULL } };
	struct arena memory = { .chunks = NULL };
	enum err_kind kind = ERR_NONE;

	if (!e->has_identity) {
		kind = e->store.ops->identity(e->store.self, &e->identity, err);
		e->has_identity = kind == ERR_NONE;
	}
	if (kind == ERR_NONE && !e->slots) {
		uint16_t *slots = mem_array(e->settings.field_count, sizeof(*slots));

		kind = e->store.ops->slots(e->store.self, e->settings.fields,
					   e->settings.field_count, slots, err);
		if (kind == ERR_NONE)
			e->slots = TAKE(slots);
		free(slots);
	}
	for (int side = 0; kind == ERR_NONE && side < SIDE_COUNT; side++)
		kind = engine_describe(e, (enum side)side, call, &memory, schemas, err);
	if (kind != ERR_NONE) {
		arena_release(&memory);
		return kind;
	}
	arena_release(&e->schema_memory);
	e->schema_memory = memory;
	for (int t = 0; t < TABLE_COUNT; t++)
		e->schemas[t] = schemas[t];
	e->schema_read_ms = clock_mono_ms();
	engine_use_mapping(e);
	return ERR_NONE;
}

static enum err_kind engine_read_rights(struct engine *e, const struct call *call, struct err *err)
{
	const struct remote *dynamics = &e->remote[SIDE_DYNAMICS];
	bool is_changed = false;
	enum err_kind kind;

	kind = dynamics->ops->refresh_rights(dynamics->self, call, &e->schemas[TABLE_LEAD],
					     TABLE_COUNT - TABLE_LEAD, &is_changed, err);
	engine_note_side(e, SIDE_DYNAMICS, kind, err);
	if (kind == ERR_NONE && is_changed)
		engine_use_mapping(e);
	return kind;
}

enum err_kind engine_refresh(struct engine *e, const struct call *call, bool is_forced,
			     struct err *err)
{
	enum err_kind kind;
	bool is_old;

	(void)pthread_mutex_lock(&e->schema_lock);
	is_old = !e->schema_read_ms || clock_mono_ms() - e->schema_read_ms > ENGINE_SCHEMA_AGE_MS;
	kind = is_old || is_forced ? engine_read_all(e, call, err)
				   : engine_read_rights(e, call, err);
	(void)pthread_mutex_unlock(&e->schema_lock);
	return kind;
}
