/* Counting and the ring of the last calls. Knows nothing of what a call means. */
#include "control/calls.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define SUMS_MAX 2048
#define STATUSES_MAX 24
#define RING_SIZE 100000
#define LOGGED_TEXT_MAX 2000 /* of a path or query */

struct status_count {
	int status;
	int64_t count;
};

struct sum {
	int side;
	const char *user, *endpoint;
	int64_t count, records, bytes_in, bytes_out;
	int at_once, most_at_once;
	struct status_count statuses[STATUSES_MAX];
};

struct logged {
	char *words; /* method, path and query, each with its NUL */
	const char *user;
	int64_t at_ms, records, took_us;
	int side, status;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *side_names[CALLS_SIDES];
static struct sum sums[SUMS_MAX];
static int sum_count;
static struct logged *ring;
static uint64_t logged_count;
static unsigned int epoch;

void calls_init(const char *first_side, const char *second_side)
{
	side_names[0] = first_side;
	side_names[1] = second_side;
	ring = calloc(RING_SIZE, sizeof(*ring));
	if (!ring)
		abort();
}

/* The last place takes whatever does not fit, so that nothing goes uncounted. */
static int sum_of(int side, const char *user, const char *endpoint)
{
	for (int i = 0; i < sum_count; i++)
		if (sums[i].side == side && strcmp(sums[i].user, user) == 0 &&
		    strcmp(sums[i].endpoint, endpoint) == 0)
			return i;
	if (sum_count == SUMS_MAX)
		return SUMS_MAX - 1;
	sums[sum_count] = (struct sum){ .side = side, .user = user, .endpoint = endpoint };
	return sum_count++;
}

void calls_begin(struct call_note *note, int side, const char *user, const char *endpoint)
{
	struct sum *sum;

	*note = (struct call_note){ .side = side, .user = user, .endpoint = endpoint };
	note->started_us = clock_steady_us();
	note->at_ms = sandbox_now_ms();
	pthread_mutex_lock(&lock);
	note->epoch = epoch;
	note->sum = sum_of(side, user, endpoint);
	sum = &sums[note->sum];
	if (++sum->at_once > sum->most_at_once)
		sum->most_at_once = sum->at_once;
	pthread_mutex_unlock(&lock);
}

static void count_status(struct sum *sum, int status)
{
	for (int i = 0; i < STATUSES_MAX; i++) {
		if (sum->statuses[i].count && sum->statuses[i].status != status)
			continue;
		sum->statuses[i].status = status;
		sum->statuses[i].count++;
		return;
	}
}

static bool tells_secret(const struct web_request *request)
{
	return strstr(request->path, "/oauth") || strstr(request->query, "access_token") ||
	       strstr(request->query, "client_secret");
}

static char *words_of(const struct web_request *request)
{
	struct text words = { 0 };
	size_t path = strlen(request->path);
	size_t query = tells_secret(request) ? 0 : strlen(request->query);

	text_add(&words, request->method, strlen(request->method) + 1);
	text_add(&words, request->path, path < LOGGED_TEXT_MAX ? path : LOGGED_TEXT_MAX);
	text_add(&words, "", 1);
	text_add(&words, request->query, query < LOGGED_TEXT_MAX ? query : LOGGED_TEXT_MAX);
	return words.data;
}

static void log_call(const struct call_note *note, char *words, int status, int64_t records)
{
	struct logged *slot = &ring[logged_count++ % RING_SIZE];

	free(slot->words);
	*slot = (struct logged){ .words = words,
				 .user = note->user,
				 .at_ms = note->at_ms,
				 .records = records,
				 .side = note->side,
				 .status = status };
	slot->took_us = clock_steady_us() - note->started_us;
}

void calls_end(struct call_note *note, const struct web_request *request,
	       const struct web_response *response, int64_t records)
{
	int status = response->cut == WEB_CUT_CONNECTION ? 0 : response->status;
	char *words = words_of(request);

	pthread_mutex_lock(&lock);
	if (note->epoch == epoch) {
		struct sum *sum = &sums[note->sum];

		sum->at_once--;
		sum->count++;
		sum->records += records;
		sum->bytes_in += (int64_t)request->body_len;
		sum->bytes_out += (int64_t)response->body.len;
		count_status(sum, status);
		log_call(note, words, status, records);
		words = NULL;
	}
	pthread_mutex_unlock(&lock);
	free(words);
}

void calls_reset(void)
{
	pthread_mutex_lock(&lock);
	epoch++;
	sum_count = 0;
	for (size_t i = 0; ring && i < RING_SIZE; i++) {
		free(ring[i].words);
		ring[i].words = NULL;
	}
	logged_count = 0;
	pthread_mutex_unlock(&lock);
}

static void sum_json(struct text *out, const struct sum *sum)
{
	text_puts(out, "{\"user\":");
	text_json_string(out, sum->user, strlen(sum->user));
	text_puts(out, ",\"endpoint\":");
	text_json_string(out, sum->endpoint, strlen(sum->endpoint));
	text_printf(out,
		    ",\"count\":%" PRId64 ",\"records\":%" PRId64 ",\"bytesIn\":%" PRId64
		    ",\"bytesOut\":%" PRId64 ",\"statuses\":{",
		    sum->count, sum->records, sum->bytes_in, sum->bytes_out);
	for (int i = 0; i < STATUSES_MAX && sum->statuses[i].count; i++)
		text_printf(out, "%s\"%d\":%" PRId64, i ? "," : "", sum->statuses[i].status,
			    sum->statuses[i].count);
	text_printf(out, "},\"mostAtOnce\":%d}", sum->most_at_once);
}

void calls_json(struct text *out)
{
	text_puts(out, "{");
	pthread_mutex_lock(&lock);
	for (int side = 0; side < CALLS_SIDES; side++) {
		const char *comma = "";

		text_puts(out, side ? "," : "");
		text_json_key(out, side_names[side]);
		text_puts(out, "[");
		for (int i = 0; i < sum_count; i++) {
			if (sums[i].side != side)
				continue;
			text_puts(out, comma);
			sum_json(out, &sums[i]);
			comma = ",";
		}
		text_puts(out, "]");
	}
	pthread_mutex_unlock(&lock);
	text_puts(out, "}");
}

static void logged_json(struct text *out, uint64_t number, const struct logged *entry)
{
	const char *path = entry->words + strlen(entry->words) + 1;
	const char *query = path + strlen(path) + 1;

	text_printf(out, "{\"n\":%" PRIu64 ",\"at\":\"", number);
	clock_print(out, entry->at_ms / 1000);
	text_printf(out, "\",\"side\":\"%s\",\"user\":\"%s\",\"method\":", side_names[entry->side],
		    entry->user);
	text_json_string(out, entry->words, strlen(entry->words));
	text_puts(out, ",\"path\":");
	text_json_string(out, path, strlen(path));
	text_puts(out, ",\"query\":");
	text_json_string(out, query, strlen(query));
	text_printf(out, ",\"status\":%d,\"records\":%" PRId64 ",\"ms\":%.3f}", entry->status,
		    entry->records, (double)entry->took_us / 1000.0);
}

void calls_log_json(struct text *out, uint64_t limit)
{
	uint64_t first;

	text_puts(out, "{\"calls\":[");
	pthread_mutex_lock(&lock);
	first = logged_count > RING_SIZE ? logged_count - RING_SIZE : 0;
	if (logged_count - first > limit)
		first = logged_count - limit;
	for (uint64_t i = first; i < logged_count; i++) {
		text_puts(out, i > first ? "," : "");
		logged_json(out, i + 1, &ring[i % RING_SIZE]);
	}
	pthread_mutex_unlock(&lock);
	text_puts(out, "]}");
}

void calls_free(void)
{
	calls_reset();
	free(ring);
	ring = NULL;
}
