/* Schemas and rights of both sides, and the active fields made of them. */
#include "sync/fields.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/guard.h"
#include "sync/state.h"

enum { FIELDS_SCHEMA_AGE_MS = 3600 * 1000 };

struct shared_mapping *fields_take(struct engine *e)
{
	struct shared_mapping *shared;

	(void)pthread_mutex_lock(&e->lock);
	shared = e->shared;
	if (shared)
		shared->references++;
	(void)pthread_mutex_unlock(&e->lock);
	return shared;
}

void fields_drop(struct engine *e, struct shared_mapping *shared)
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

/* The links belong to one organisation on either side; another one under the same address is a
 * mistake. */
static enum err_kind fields_check_organisation(struct engine *e, enum side side,
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

/* Without its own fields in Marketo nothing can be linked. */
static enum err_kind fields_check_stamp(const struct schema *person, struct err *err)
{
	for (size_t i = 0; i < STAMP_FIELD_COUNT; i++) {
		if (!schema_find(person, str_of(stamp_fields[i].name)))
			return err_set(err, ERR_BROKEN,
				       "Marketo has no field %s: run `tandem setup`",
				       stamp_fields[i].name);
	}
	return ERR_NONE;
}

/* Reads the schemas of one side; schemas[] of the other side are left alone. */
static enum err_kind fields_describe(struct engine *e, enum side side, const struct call *call,
				     struct arena *memory, struct schema schemas[TABLE_COUNT],
				     struct err *err)
{
	const struct remote *remote = &e->remote[side];
	enum err_kind kind = fields_check_organisation(e, side, call, err);

	for (int t = 0; kind == ERR_NONE && t < TABLE_COUNT; t++) {
		if (table_side((enum table)t) == side)
			kind = remote->ops->describe(remote->self, call, (enum table)t, memory,
						     &schemas[t], err);
	}
	if (kind == ERR_NONE && side == SIDE_MARKETO)
		kind = fields_check_stamp(&schemas[TABLE_PERSON], err);
	state_note_side(e, side, kind, err);
	return kind;
}

static void fields_log_paused(const struct mapping *m)
{
	for (size_t i = 0; i < m->paused_count; i++)
		log_info("field_paused", LOG_TEXT("field", m->paused[i].name),
			 LOG_TEXT("table", table_name(m->paused[i].table)),
			 LOG_TEXT("reason", m->paused[i].reason));
}

static void fields_use(struct engine *e)
{
	struct shared_mapping *fresh = mem_alloc(sizeof(*fresh)), *old;

	fresh->mapping = mapping_new(e->settings.set, e->slots, e->schemas);
	fresh->references = 1;
	fields_log_paused(fresh->mapping);
	(void)pthread_mutex_lock(&e->lock);
	old = e->shared;
	e->shared = fresh;
	(void)pthread_mutex_unlock(&e->lock);
	fields_drop(e, old);
}

static enum err_kind fields_read_all(struct engine *e, const struct call *call, struct err *err)
{
	struct schema schemas[TABLE_COUNT] = { { .columns = NULL } };
	struct arena memory = { .chunks = NULL };
	enum err_kind kind = ERR_NONE;

	if (!e->has_identity) {
		kind = e->store.ops->identity(e->store.self, &e->identity, err);
		e->has_identity = kind == ERR_NONE;
	}
	if (kind == ERR_NONE && !e->slots) {
		uint16_t *slots = mem_array(e->settings.set->count, sizeof(*slots));

		kind = e->store.ops->slots(e->store.self, e->settings.set->fields,
					   e->settings.set->count, slots, err);
		if (kind == ERR_NONE)
			e->slots = TAKE(slots);
		free(slots);
	}
	for (int side = 0; kind == ERR_NONE && side < SIDE_COUNT; side++)
		kind = fields_describe(e, (enum side)side, call, &memory, schemas, err);
	if (kind != ERR_NONE) {
		arena_release(&memory);
		return kind;
	}
	arena_release(&e->schema_memory);
	e->schema_memory = memory;
	for (int t = 0; t < TABLE_COUNT; t++)
		e->schemas[t] = schemas[t];
	e->schema_read_ms = clock_mono_ms();
	fields_use(e);
	return ERR_NONE;
}

static enum err_kind fields_read_rights(struct engine *e, const struct call *call, struct err *err)
{
	const struct remote *dynamics = &e->remote[SIDE_DYNAMICS];
	bool is_changed = false;
	enum err_kind kind;

	kind = dynamics->ops->refresh_rights(dynamics->self, call, &e->schemas[TABLE_LEAD],
					     TABLE_COUNT - TABLE_LEAD, &is_changed, err);
	state_note_side(e, SIDE_DYNAMICS, kind, err);
	if (kind == ERR_NONE && is_changed)
		fields_use(e);
	return kind;
}

enum err_kind fields_refresh(struct engine *e, const struct call *call, bool is_forced,
			     struct err *err)
{
	enum err_kind kind;
	bool is_old;

	(void)pthread_mutex_lock(&e->schema_lock);
	is_old = !e->schema_read_ms || clock_mono_ms() - e->schema_read_ms > FIELDS_SCHEMA_AGE_MS;
	kind = is_old || is_forced ? fields_read_all(e, call, err)
				   : fields_read_rights(e, call, err);
	(void)pthread_mutex_unlock(&e->schema_lock);
	return kind;
}
