/* The engine's parts: made, started, stopped, freed. */
#include "sync/engine_p.h"

#include <stdlib.h>

#include "base/mem.h"
#include "sync/fields.h"

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
	(void)pthread_mutex_init(&e->outbox_lock, NULL);
	(void)pthread_mutex_init(&e->pause_lock, NULL);
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
	fields_drop(e, TAKE(e->shared));
	for (int side = 0; side < SIDE_COUNT; side++)
		e->remote[side].ops->free(e->remote[side].self);
	e->store.ops->free(e->store.self);
	arena_release(&e->schema_memory);
	arena_release(&e->import.memory);
	free(e->slots);
	(void)pthread_mutex_destroy(&e->pause_lock);
	(void)pthread_mutex_destroy(&e->outbox_lock);
	(void)pthread_mutex_destroy(&e->schema_lock);
	(void)pthread_mutex_destroy(&e->lock);
	free(e);
}
