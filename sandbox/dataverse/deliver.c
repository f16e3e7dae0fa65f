/* Deliveries run on threads of their own, a few at a time and in no order. What fails stays to be
 * seen in asyncoperations; nothing is delivered again but once after 502, 503 or 504. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/post.h"
#include "dataverse/hook.h"

#define THREADS 4

static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct delivery *first, **last;
	int threads;
} line = { .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };

void delivery_free(struct delivery *d)
{
	text_free(&d->path);
	text_free(&d->headers);
	text_free(&d->body);
	free(d);
}

/* Webhook errors (Microsoft Learn: Web service error codes). */
struct outcome {
	int code;
	char text[256];
};

static enum post_result post(const struct delivery *d, int *ret_status)
{
	struct text headers = { 0 };
	struct post_answer answer;
	enum post_result result;

	text_puts(&headers, "Content-Type: application/json\r\n");
	text_add(&headers, d->headers.data, d->headers.len);
	result = post_send(&(struct post_request){ .method = "POST",
						   .host = d->host,
						   .port = d->port,
						   .path = d->path.data,
						   .headers = headers.data,
						   .body = d->body.data,
						   .body_len = d->body.len,
						   .timeout_ms = d->timeout_ms },
			   &answer);
	*ret_status = answer.status;
	post_answer_free(&answer);
	text_free(&headers);
	return result;
}

static bool succeeded(const struct delivery *d, struct outcome *ret)
{
	int status = 0;
	enum post_result result = post(d, &status);

	if (result == POST_ANSWERED && status >= 502 && status <= 504)
		result = post(d, &status);
	*ret = (struct outcome){ 0 };
	switch (result) {
	case POST_ANSWERED:
		if (status >= 200 && status < 300)
			return true;
		ret->code = -2147155455; /* 0x80050201 */
		snprintf(ret->text, sizeof(ret->text),
			 "The webhook call failed because of invalid http response: %d.", status);
		return false;
	case POST_TIMED_OUT:
		ret->code = -2147155454; /* 0x80050202 */
		snprintf(
			ret->text, sizeof(ret->text),
			"The webhook call failed because the http request timed out at client side.");
		return false;
	case POST_FAILED:
		ret->code = -2147155451; /* 0x80050205 */
		snprintf(
			ret->text, sizeof(ret->text),
			"The webhook call failed during http post: the address cannot be reached.");
		return false;
	}
	return false;
}

static struct row *with(const struct table *t, struct row *row, const char *column,
			const char *value)
{
	return row_set(row, table_column(t, column, strlen(column)), value, strlen(value));
}

/* The system job of the step, completed. */
static void note_outcome(const struct delivery *d, bool good, const struct outcome *outcome)
{
	struct store *s = &d->dataverse->store;
	struct table *t = &s->tables[TABLE_ASYNCOPERATION];
	struct record job = { .id = guid_random(), .state = 3, .status = good ? 30 : 31 };
	char step[GUID_TEXT + 1] = "0", code[16];

	job.created_on = job.modified_on = sandbox_now_s();
	guid_print(&d->step, step + 1);
	job.row = with(t, NULL, "name", d->step_name);
	job.row = with(t, job.row, "operationtype", "1");
	job.row = with(t, job.row, "owningextensionid", step);
	if (!good) {
		snprintf(code, sizeof(code), "%d", outcome->code);
		job.row = with(t, job.row, "errorcode", code);
		job.row = with(t, job.row, "message", outcome->text);
	}
	table_put(s, t, job);
}

static void run(struct delivery *d)
{
	struct outcome outcome;
	bool good = succeeded(d, &outcome);

	pthread_mutex_lock(&d->dataverse->lock);
	if (d->generation == d->dataverse->generation && (!good || d->keep_success))
		note_outcome(d, good, &outcome);
	pthread_mutex_unlock(&d->dataverse->lock);
	delivery_free(d);
}

static void *work(void *nothing)
{
	struct delivery *d;

	(void)nothing;
	for (;;) {
		pthread_mutex_lock(&line.lock);
		while (!line.first)
			pthread_cond_wait(&line.more, &line.lock);
		d = line.first;
		line.first = d->next;
		pthread_mutex_unlock(&line.lock);
		run(d);
	}
	return NULL;
}

static void start_threads(void)
{
	pthread_t thread;

	for (; line.threads < THREADS; line.threads++) {
		if (pthread_create(&thread, NULL, work, NULL) != 0) {
			fputs("tandem-sandbox: cannot start a thread\n", stderr);
			abort();
		}
		pthread_detach(thread);
	}
}

void deliver(struct delivery *d)
{
	pthread_mutex_lock(&line.lock);
	start_threads();
	d->next = NULL;
	if (line.first)
		*line.last = d;
	else
		line.first = d;
	line.last = &d->next;
	pthread_cond_signal(&line.more);
	pthread_mutex_unlock(&line.lock);
}
