/* The instance in a state file: fields, people, durable unsubscribes, change log, custom activity
 * types, static lists, campaigns, companies, sales persons. Usage, limits, tokens and bulk jobs
 * start anew. */
#include <stdlib.h>
#include <string.h>

#include "base/state.h"
#include "marketo/caller.h"

/* A text that is never absent. */
static char *take_word(struct state_reader *r)
{
	char *word = state_take_text(r);

	if (!word)
		state_broken(r);
	return word ? word : word_copy("");
}

/* ---- fields ---- */

static void fields_save(const struct marketo *m, struct state_writer *w)
{
	state_put_number(w, m->fields.count);
	for (size_t i = 0; i < m->fields.count; i++) {
		const struct field *field = &m->fields.list[i];

		state_put_text(w, field->name);
		state_put_text(w, field->display);
		state_put_text(w, field->description);
		state_put_number(w, field->type);
		state_put_number(w, field->flags);
		state_put_number(w, field->id);
	}
}

/* A standard field keeps all but what a call may change; a custom one is made. No column for it:
 * -1. Takes the name. */
static int field_restore(struct marketo *m, struct state_reader *r, char *name)
{
	char *display = state_take_text(r), *description = state_take_text(r);
	enum field_type type = (enum field_type)state_take_number(r, TYPE_COUNT - 1);
	unsigned int flags = (unsigned int)state_take_number(r, UINT16_MAX);
	uint32_t id = (uint32_t)state_take_number(r, UINT32_MAX);
	int column = name ? field_find(m, name, strlen(name)) : -1;
	bool custom = flags & FIELD_CUSTOM;
	struct field *field;

	if (r->broken || !name || !display || (column >= 0) == custom ||
	    (custom && m->fields.count == FIELDS_MAX)) {
		free(name);
		free(display);
		free(description);
		return -1;
	}
	if (custom) {
		column = (int)m->fields.count;
		field = field_add(&m->fields, name);
		field->soap = word_copy(name);
		field->display = display;
		field->type = type;
		field->flags = flags;
		field->id = id;
		m->fields.custom++;
	} else {
		field = &m->fields.list[column];
		free(name);
		if (strcmp(field->display, display) != 0)
			field->display = display;
		else
			free(display);
	}
	field->description = description;
	return column;
}

static size_t fields_restore(struct marketo *m, struct state_reader *r,
			     uint16_t columns[FIELDS_MAX])
{
	size_t count = state_take_number(r, FIELDS_MAX);

	for (size_t i = 0; i < count; i++) {
		int column = field_restore(m, r, state_take_text(r));

		if (column < 0) {
			state_broken(r);
			return 0;
		}
		columns[i] = (uint16_t)column;
	}
	return count;
}

/* ---- people ---- */

static void people_save(const struct marketo *m, struct state_writer *w)
{
	const struct people *p = &m->people;
	uint64_t out = 0;

	state_put_number(w, p->count);
	for (size_t i = 0; i < p->count; i++) {
		state_put_number(w, p->list[i].gone ? 0 : p->list[i].partition);
		state_put_number(w, p->list[i].created);
		state_put_number(w, p->list[i].updated);
		state_put_number(w, p->list[i].touched);
		state_put_row(w, p->list[i].row);
	}
	for (size_t i = 0; i < p->opted_out_count; i++)
		out += opted_out(m, p->opted_out_list[i], strlen(p->opted_out_list[i]));
	state_put_number(w, out);
	for (size_t i = 0; i < p->opted_out_count; i++)
		if (opted_out(m, p->opted_out_list[i], strlen(p->opted_out_list[i])))
			state_put_text(w, p->opted_out_list[i]);
}

static void people_restore(struct marketo *m, struct state_reader *r, const uint16_t *columns,
			   size_t column_count)
{
	uint64_t count = state_take_number(r, UINT32_MAX - FIRST_PERSON_ID);
	uint64_t out;

	for (; count && !r->broken; count--) {
		uint32_t position = person_add(m);
		struct person *p = &m->people.list[position];

		p->partition = (uint8_t)state_take_number(r, PARTITION_COUNT);
		p->gone = !p->partition;
		p->created = (uint32_t)state_take_number(r, UINT32_MAX);
		p->updated = (uint32_t)state_take_number(r, UINT32_MAX);
		p->touched = (uint32_t)state_take_number(r, UINT32_MAX);
		p->row = state_take_row(r, columns, column_count);
	}
	for (out = state_take_number(r, UINT32_MAX); out && !r->broken; out--) {
		char *email = state_take_text(r);

		if (email)
			opted_out_set(m, email, strlen(email), true);
		free(email);
	}
}

/* ---- change log ---- */

static void event_save(const struct log *log, const struct event *e, struct state_writer *w)
{
	state_put_number(w, e->id);
	state_put_number(w, e->lead);
	state_put_number(w, e->date);
	state_put_number(w, e->type);
	state_put_number(w, e->column);
	state_put_signed(w, e->user);
	state_put_number(w, e->origin);
	state_put_bytes(w, log_payload(log, e), e->payload_len);
}

static void log_save(const struct log *log, struct state_writer *w)
{
	state_put_number(w, log->last_id);
	state_put_number(w, log->origin_count);
	for (size_t i = 0; i < log->origin_count; i++) {
		state_put_text(w, log->origins[i].source);
		state_put_text(w, log->origins[i].reason);
		state_put_number(w, log->origins[i].campaign);
	}
	state_put_number(w, log->count);
	for (size_t i = 0; i < log->count; i++)
		event_save(log, &log->events[i], w);
	state_put_number(w, log->late_count);
	for (size_t i = 0; i < log->late_count; i++) {
		state_put_signed(w, log->late[i].visible_ms);
		event_save(log, &log->late[i].event, w);
	}
}

/* The payload of a changed value begins with the length of what was there before. */
static bool payload_is_sound(const struct event *e, const char *payload, size_t len)
{
	uint32_t before;

	if (e->type != ACTIVITY_CHANGE_VALUE && e->type != ACTIVITY_CHANGE_SCORE)
		return true;
	if (len < sizeof(before))
		return false;
	memcpy(&before, payload, sizeof(before));
	return before <= len - sizeof(before);
}

/* visible_ms 0: visible already */
static void event_restore(struct marketo *m, struct state_reader *r, const uint16_t *columns,
			  size_t column_count, int64_t visible_ms)
{
	struct event e = { .id = (uint32_t)state_take_number(r, UINT32_MAX) };
	const char *payload;
	size_t len;

	e.lead = (uint32_t)state_take_number(r, UINT32_MAX);
	e.date = (uint32_t)state_take_number(r, UINT32_MAX);
	e.type = (uint32_t)state_take_number(r, UINT32_MAX);
	e.column = (uint8_t)columns[state_take_number(r, column_count ? column_count - 1 : 0)];
	e.user = (int8_t)state_take_signed(r);
	e.origin = (uint16_t)state_take_number(r, m->log.origin_count);
	payload = state_take_bytes(r, &len);
	if (r->broken || e.user < USER_NONE || e.user >= USER_COUNT || len > UINT16_MAX * 16 ||
	    !payload_is_sound(&e, payload, len))
		state_broken(r);
	else
		log_restore(&m->log, e, payload, len, visible_ms);
}

static void log_restore_all(struct marketo *m, struct state_reader *r, const uint16_t *columns,
			    size_t column_count)
{
	uint64_t count;

	m->log.last_id = (uint32_t)state_take_number(r, UINT32_MAX);
	for (count = state_take_number(r, UINT16_MAX - 1); count && !r->broken; count--) {
		char *source = take_word(r), *reason = take_word(r);

		log_origin(&m->log, source, reason, (uint32_t)state_take_number(r, UINT32_MAX));
		free(source);
		free(reason);
	}
	for (count = state_take_number(r, UINT32_MAX); count && !r->broken; count--)
		event_restore(m, r, columns, column_count, 0);
	for (count = state_take_number(r, UINT32_MAX); count && !r->broken; count--) {
		int64_t visible_ms = state_take_signed(r);

		event_restore(m, r, columns, column_count, visible_ms);
	}
}

/* ---- static lists ---- */

static void lists_save(const struct lists *lists, struct state_writer *w)
{
	state_put_number(w, lists->count);
	for (size_t i = 0; i < lists->count; i++) {
		const struct static_list *list = &lists->list[i];

		state_put_text(w, list->name);
		state_put_text(w, list->program);
		state_put_text(w, list->workspace);
		state_put_signed(w, list->created);
		state_put_number(w, list->count);
		for (size_t k = 0; k < list->count; k++)
			state_put_number(w, list->members[k]);
	}
}

static void lists_restore(struct marketo *m, struct state_reader *r)
{
	struct lists *lists = &m->lists;
	uint64_t count;

	for (count = state_take_number(r, UINT16_MAX); count && !r->broken; count--) {
		struct static_list *list =
			realloc(lists->list, (lists->count + 1) * sizeof(*lists->list));
		uint64_t members;

		if (!list)
			abort();
		lists->list = list;
		list += lists->count++;
		*list = (struct static_list){ .name = take_word(r) };
		list->program = take_word(r);
		list->workspace = take_word(r);
		list->created = state_take_signed(r);
		for (members = state_take_number(r, m->people.count); members && !r->broken;
		     members--)
			list_add(list, (uint32_t)state_take_number(r, m->people.count - 1));
	}
}

/* ---- the side ---- */

void marketo_save(void *self, struct state_writer *w)
{
	struct marketo *m = self;

	pthread_mutex_lock(&m->lock);
	state_put_number(w, m->world);
	state_put_number(w, m->requests);
	fields_save(m, w);
	people_save(m, w);
	log_save(&m->log, w);
	custom_save(m, w);
	lists_save(&m->lists, w);
	objects_save(m, w);
	campaigns_save(m, w);
	pthread_mutex_unlock(&m->lock);
}

bool marketo_restore(void *self, struct state_reader *r)
{
	struct marketo *m = self;
	uint16_t columns[FIELDS_MAX] = { 0 };
	size_t count;

	pthread_mutex_lock(&m->lock);
	m->world = (uint32_t)state_take_number(r, UINT32_MAX);
	m->requests = state_take_number(r, UINT64_MAX);
	count = fields_restore(m, r, columns);
	people_restore(m, r, columns, count);
	log_restore_all(m, r, columns, count);
	custom_restore(m, r);
	lists_restore(m, r);
	objects_restore(m, r, columns, count);
	campaigns_restore(m, r);
	pthread_mutex_unlock(&m->lock);
	return !r->broken;
}
