/* The change log: an append-only list in the order entries became visible, packed for millions of
 * them. Knows nothing of calls or of how an entry is shown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/late.h"
#include "marketo/marketo.h"

enum { FIRST_EVENT_ID = 5000001, PEAK_STRETCH = 1024 };
#define BLOCK_SIZE ((size_t)1 << 20)

static void *grow(void *list, size_t *cap, size_t item)
{
	void *grown;

	*cap = *cap ? *cap * 2 : 256;
	grown = realloc(list, *cap * item);
	if (!grown) {
		fputs("tandem-sandbox: out of memory\n", stderr);
		abort();
	}
	return grown;
}

void log_free(struct log *log)
{
	for (size_t i = 0; i < log->block_count; i++)
		free(log->blocks[i]);
	free(log->blocks);
	free(log->events);
	free(log->date_peaks);
	free(log->late);
	for (size_t i = 0; i < log->origin_count; i++) {
		free(log->origins[i].source);
		free(log->origins[i].reason);
	}
	free(log->origins);
	*log = (struct log){ 0 };
}

/* ---- origins ---- */

const struct origin *log_origin_of(const struct log *log, const struct event *e)
{
	static const struct origin api = { (char *)(uintptr_t) "Web service API",
					   (char *)(uintptr_t) "Web service API", 0 };

	return e->origin ? &log->origins[e->origin - 1] : &api;
}

uint16_t log_origin(struct log *log, const char *source, const char *reason, uint32_t campaign)
{
	for (size_t i = 0; i < log->origin_count; i++)
		if (log->origins[i].campaign == campaign &&
		    strcmp(log->origins[i].source, source) == 0 &&
		    strcmp(log->origins[i].reason, reason) == 0)
			return (uint16_t)(i + 1);
	if (log->origin_count == UINT16_MAX)
		return 0; /* more than anybody will tell apart */
	log->origins = realloc(log->origins, (log->origin_count + 1) * sizeof(*log->origins));
	if (!log->origins)
		abort();
	log->origins[log->origin_count++] =
		(struct origin){ word_copy(source), word_copy(reason), campaign };
	return (uint16_t)log->origin_count;
}

void log_origin_set(struct log *log, const char *source, const char *reason, uint32_t campaign)
{
	log->origin = log_origin(log, source, reason, campaign);
}

/* A payload never spans blocks. One larger than a block is refused by the limit on bodies long
 * before. */
static uint64_t payload_store(struct log *log, const char *bytes, size_t len)
{
	uint64_t at;

	if (len > BLOCK_SIZE)
		abort();
	if (!log->block_count || log->block_used + len > BLOCK_SIZE) {
		char **blocks = realloc(log->blocks, (log->block_count + 1) * sizeof(*blocks));
		char *block = malloc(BLOCK_SIZE);

		if (!blocks || !block)
			abort();
		log->blocks = blocks;
		log->blocks[log->block_count++] = block;
		log->block_used = 0;
	}
	at = (log->block_count - 1) * (uint64_t)BLOCK_SIZE + log->block_used;
	if (len)
		memcpy(log->blocks[log->block_count - 1] + log->block_used, bytes, len);
	log->block_used += len;
	return at;
}

const char *log_payload(const struct log *log, const struct event *e)
{
	if (!e->payload_len)
		return "";
	return log->blocks[e->payload / BLOCK_SIZE] + e->payload % BLOCK_SIZE;
}

static void event_append(struct log *log, const struct event *e)
{
	size_t stretch = log->count / PEAK_STRETCH;

	if (log->count == log->cap)
		log->events = grow(log->events, &log->cap, sizeof(*log->events));
	if (stretch == log->peak_count) {
		if (!(stretch & (stretch - 1))) {
			size_t room = stretch ? stretch * 2 : 1;
			uint32_t *peaks = realloc(log->date_peaks, room * sizeof(*peaks));

			if (!peaks)
				abort();
			log->date_peaks = peaks;
		}
		log->date_peaks[stretch] = stretch ? log->date_peaks[stretch - 1] : 0;
		log->peak_count++;
	}
	if (e->date > log->date_peaks[stretch])
		log->date_peaks[stretch] = e->date;
	log->events[log->count++] = *e;
}

/* Kept by the time of becoming visible; equal times in the order they came. */
static void event_delay(struct log *log, const struct event *e, int64_t visible_ms)
{
	size_t at = log->late_count;

	if (log->late_count == log->late_cap)
		log->late = grow(log->late, &log->late_cap, sizeof(*log->late));
	for (; at && log->late[at - 1].visible_ms > visible_ms; at--)
		log->late[at] = log->late[at - 1];
	log->late[at] = (struct late_event){ visible_ms, *e };
	log->late_count++;
}

void log_restore(struct log *log, struct event e, const char *payload, size_t len,
		 int64_t visible_ms)
{
	e.payload = payload_store(log, payload, len);
	e.payload_len = (uint32_t)len;
	if (visible_ms)
		event_delay(log, &e, visible_ms);
	else
		event_append(log, &e);
}

void log_merge(struct log *log, uint32_t winner, uint32_t loser)
{
	for (size_t i = 0; i < log->count; i++)
		if (log->events[i].lead == loser)
			log->events[i].lead = winner;
	for (size_t i = 0; i < log->late_count; i++)
		if (log->late[i].event.lead == loser)
			log->late[i].event.lead = winner;
}

void log_settle(struct marketo *m)
{
	struct log *log = &m->log;
	int64_t now;
	size_t due = 0;

	if (!log->late_count)
		return;
	now = sandbox_now_ms();
	while (due < log->late_count && log->late[due].visible_ms <= now)
		event_append(log, &log->late[due++].event);
	log->late_count -= due;
	if (due)
		memmove(log->late, log->late + due, log->late_count * sizeof(*log->late));
}

static uint32_t event_add(struct marketo *m, struct event e)
{
	int64_t late_s = m->limits.late_commit_s + late_commit_seconds();

	e.id = FIRST_EVENT_ID + m->log.last_id++;
	e.origin = m->log.origin;
	log_settle(m);
	if (late_s)
		event_delay(&m->log, &e, sandbox_now_ms() + late_s * 1000);
	else
		event_append(&m->log, &e);
	return e.id;
}

void log_value_change(struct marketo *m, uint32_t lead, int column, int user,
		      const struct text *before, const struct text *after)
{
	const struct field *field = &m->fields.list[column];
	uint32_t before_len = (uint32_t)before->len;
	struct event e = { .lead = lead,
			   .date = (uint32_t)sandbox_now_s(),
			   .type = ACTIVITY_CHANGE_VALUE,
			   .column = (uint8_t)column,
			   .user = (int8_t)user };
	struct text payload = { 0 };

	text_add(&payload, (const char *)&before_len, sizeof(before_len));
	text_add(&payload, before->data, before->len);
	text_add(&payload, after->data, after->len);
	e.payload = payload_store(&m->log, payload.data, payload.len);
	e.payload_len = (uint32_t)payload.len;
	text_free(&payload);
	if (field->flags & FIELD_SCORE) {
		e.type = ACTIVITY_CHANGE_SCORE;
		event_add(m, e);
		e.type = ACTIVITY_CHANGE_VALUE;
	}
	event_add(m, e);
}

void log_split_values(const struct log *log, const struct event *e, struct text *before,
		      struct text *after)
{
	const char *payload = log_payload(log, e);
	uint32_t before_len;

	memcpy(&before_len, payload, sizeof(before_len));
	payload += sizeof(before_len);
	text_clear(before);
	text_clear(after);
	text_add(before, payload, before_len);
	text_add(after, payload + before_len, e->payload_len - sizeof(before_len) - before_len);
}

uint32_t log_other(struct marketo *m, uint32_t lead, uint32_t type, int64_t date, int user,
		   const struct text *payload)
{
	struct event e = {
		.lead = lead, .date = (uint32_t)date, .type = type, .user = (int8_t)user
	};

	e.payload = payload_store(&m->log, payload->data, payload->len);
	e.payload_len = (uint32_t)payload->len;
	return event_add(m, e);
}

size_t log_first_since(const struct log *log, int64_t instant)
{
	size_t low = 0, high = log->peak_count;
	size_t at;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (log->date_peaks[middle] >= instant)
			high = middle;
		else
			low = middle + 1;
	}
	for (at = low * PEAK_STRETCH; at < log->count; at++)
		if (log->events[at].date >= instant)
			return at;
	return log->count;
}
