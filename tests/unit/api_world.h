/* A world for tests of the HTTP interface: the real server on a loopback port, over an engine that
 * is a few variables, and a caller with a plain socket. Include it once in a program; cmocka.h
 * comes first. */
#ifndef TESTS_UNIT_API_WORLD_H
#define TESTS_UNIT_API_WORLD_H

#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/server.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/fingerprint.h"
#include "sync/operator.h"
#include "sync/realtime.h"

/* ---- an engine made of variables ---- */

struct engine {
	enum { SUBMIT_AT_ONCE, SUBMIT_LATER, SUBMIT_HELD } mode;
	enum outcome outcome;
	enum err_kind failure; /* what everything ends with; ERR_NONE: it works */
	enum sync_state state;
	char paused_by[64];
	struct list_query query; /* the last one, texts not kept */
	char query_field[32];
	size_t rows; /* how many a list has */
	pthread_mutex_t lock;
	struct held {
		realtime_done *done;
		void *context;
		struct request request;
	} held[64];
	size_t held_count;
};

static void answer_held(struct engine *e, const struct held *h)
{
	struct request r = h->request;
	struct err err;

	if (e->failure != ERR_NONE) {
		(void)err_set(&err, e->failure, "the database is away");
		h->done(h->context, NULL, &err);
		return;
	}
	r.outcome = e->outcome;
	r.reason = STR("why");
	if (e->outcome == OUTCOME_CREATED) {
		r.entity = r.sync_as;
		memset(r.record_id.byte, 0xab, sizeof(r.record_id.byte));
		r.reason = STR("");
	}
	h->done(h->context, &r, NULL);
}

static inline void *answer_later(void *context)
{
	struct engine *e = context;
	const struct timespec pause = { 0, 20 * 1000 * 1000 };

	(void)nanosleep(&pause, NULL);
	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < e->held_count; i++)
		answer_held(e, &e->held[i]);
	e->held_count = 0;
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

void realtime_submit(struct engine *e, const struct request *request, int64_t deadline_ms,
		     realtime_done *done, void *context)
{
	struct held h = { done, context, *request };

	assert_in_range(deadline_ms - clock_mono_ms(), 20000, 29000);
	if (e->mode == SUBMIT_AT_ONCE) {
		answer_held(e, &h);
		return;
	}
	pthread_mutex_lock(&e->lock);
	assert_true(e->held_count < ARRAY_LEN(e->held));
	e->held[e->held_count++] = h;
	pthread_mutex_unlock(&e->lock);
	if (e->mode == SUBMIT_LATER) {
		pthread_t thread;

		assert_int_equal(pthread_create(&thread, NULL, answer_later, e), 0);
		(void)pthread_detach(thread);
	}
}

const char *sync_state_name(enum sync_state s)
{
	static const char *const names[] = { "idle", "running", "paused", "halted" };

	return names[s];
}

enum err_kind operator_status(struct engine *e, struct operator_status *ret, struct err *err)
{
	if (e->failure != ERR_NONE)
		return err_set(err, e->failure, "the database is away");
	*ret = (struct operator_status){ .state = e->state, .is_leader = true, .open_errors = 2 };
	ret->cycle = (struct cycle_report){
		.number = 12, .started_ms = 1000, .finished_ms = 2500, .result = CYCLE_OK
	};
	ret->cycle.read[TABLE_LEAD] = 41;
	ret->cycle.calls[SIDE_MARKETO] = 4;
	ret->links[TABLE_CONTACT] = 7;
	ret->objects[TABLE_LEAD].pending_inserts = 3;
	ret->budget[SIDE_MARKETO] = (struct remote_budget){ .now = { .day_used = 31,
								     .day_limit = 40000,
								     .shared_stop = 40000,
								     .window_used = 2,
								     .window_limit = 50,
								     .window_ms = 20000,
								     .spent_s = 7,
								     .held_until_ms = 9250 },
							    .reason = "why" };
	ret->budget[SIDE_DYNAMICS].now.has_shared = true;
	return ERR_NONE;
}

void operator_measure(struct engine *e)
{
	(void)e;
}

enum err_kind operator_pause(struct engine *e, const char *by, struct err *err)
{
	(void)err;
	e->state = SYNC_PAUSED;
	(void)snprintf(e->paused_by, sizeof(e->paused_by), "%s", by);
	return ERR_NONE;
}

enum err_kind operator_resume(struct engine *e, const char *by, struct err *err)
{
	(void)by;
	(void)err;
	e->state = SYNC_IDLE;
	return ERR_NONE;
}

enum err_kind operator_retry(struct engine *e, int64_t error_id, bool *ret_found, struct err *err)
{
	(void)e;
	(void)err;
	*ret_found = error_id == 5;
	return ERR_NONE;
}

static void make_rows(struct rowset *ret, size_t rows)
{
	static const char *names[] = { "id", "field", "isBig", "value" };
	static enum cell_type types[] = { CELL_NUMBER, CELL_TEXT, CELL_BOOLEAN, CELL_TEXT };
	static const struct str row[] = { { "7", 1 }, { "=1+1", 4 }, { "t", 1 }, { "a\"b,c", 5 } };

	*ret = (struct rowset){ .names = names, .types = types, .columns = 4, .rows = rows };
	ret->cells = arena_array(&ret->memory, rows * 4, sizeof(*ret->cells));
	for (size_t i = 0; i < rows * 4; i++)
		ret->cells[i] = i == 7 ? (struct str){ NULL, 0 } : row[i % 4];
}

enum err_kind operator_list(struct engine *e, const struct list_query *query, struct rowset *ret,
			    struct err *err)
{
	if (e->failure != ERR_NONE)
		return err_set(err, e->failure, "that is not a cursor");
	e->query = *query;
	(void)snprintf(e->query_field, sizeof(e->query_field), STR_FMT, STR_ARG(query->field));
	make_rows(ret, e->rows);
	ret->next = e->rows > 1 ? arena_str(&ret->memory, STR("more")) : STR("");
	return ERR_NONE;
}

enum err_kind operator_person(struct engine *e, int64_t person_id, struct operator_person *ret,
			      struct err *err)
{
	(void)e;
	(void)err;
	*ret = (struct operator_person){ .is_known = person_id == 9 };
	make_rows(&ret->fields, 1);
	return ERR_NONE;
}

void operator_person_release(struct operator_person *p)
{
	arena_release(&p->fields.memory);
}

void operator_ready(struct engine *e, struct operator_ready *ret)
{
	*ret = (struct operator_ready){ .is_ready = e->failure == ERR_NONE, .count = 1 };
	ret->lines[0] = (struct ready_line){ .name = "database", .is_ok = ret->is_ready };
}

/* ---- a world: engine, server, a caller with a plain socket ---- */

struct world {
	struct engine engine;
	struct api_server *server;
};

#define KEY_CAMPAIGN "X-Api-Key: campaign-key\r\n"
#define KEY_READ "Authorization: Bearer read-key\r\n"
#define KEY_ADMIN "Authorization: bearer admin-key\r\n"
#define JSON "Content-Type: application/json\r\n"

static const struct api_key world_keys[] = {
	{ "flows", ROLE_CAMPAIGN, "campaign-key" },
	{ "board", ROLE_READ, "read-key" },
	{ "chief", ROLE_ADMIN, "admin-key" },
};

static inline void world_start(struct world *w, size_t key_count)
{
	const struct api_settings settings = { "127.0.0.1:0", world_keys, key_count, "0" };
	struct err err = { 0 };

	*w = (struct world){ .engine = { .outcome = OUTCOME_CREATED, .rows = 2 } };
	pthread_mutex_init(&w->engine.lock, NULL);
	w->server = api_server_new(&settings, &w->engine, &err);
	if (!w->server)
		fail_msg("%s", err.text);
}

static inline int set_up(void **state)
{
	static struct world w;

	assert_int_equal(fingerprint_start(NULL), ERR_NONE);
	log_set_level(LOG_ERROR);
	world_start(&w, ARRAY_LEN(world_keys));
	*state = &w;
	return 0;
}

static inline int tear_down(void **state)
{
	struct world *w = *state;

	api_server_free(w->server);
	return 0;
}

static inline int dial(const struct world *w)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(api_server_port(w->server)) };
	const struct timeval limit = { 20, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static inline void say(int fd, const char *text, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return; /* the server may have closed: the answer tells */
		text += sent;
		n -= (size_t)sent;
	}
}

static inline void hear(int fd, struct buf *answer)
{
	char part[4096];
	ssize_t n;

	while ((n = recv(fd, part, sizeof(part), 0)) > 0)
		buf_add(answer, (struct str){ part, (size_t)n });
	(void)close(fd);
}

static inline void send_request(int fd, const char *line, const char *headers, const char *body)
{
	struct buf out = { 0 };

	buf_fmt(&out, "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s", line, headers);
	if (body)
		buf_fmt(&out, "Content-Length: %zu\r\n", strlen(body));
	buf_fmt(&out, "\r\n%s", body ? body : "");
	say(fd, out.data, out.len);
	buf_release(&out);
}

/* The whole answer; good until the next ask. */
static inline const char *ask(const struct world *w, const char *line, const char *headers,
			      const char *body)
{
	static struct buf answer;
	int fd = dial(w);

	assert_true(fd >= 0);
	buf_clear(&answer);
	send_request(fd, line, headers, body);
	hear(fd, &answer);
	return buf_cstr(&answer);
}

static inline unsigned status_of(const char *answer)
{
	unsigned status = 0;

	(void)sscanf(answer, "HTTP/1.1 %u", &status);
	return status;
}

static inline void expect(const char *answer, unsigned status, const char *text)
{
	if (status_of(answer) != status || !strstr(answer, text))
		fail_msg("wanted %u and \"%s\", got: %s", status, text, answer);
	assert_non_null(strstr(answer, "X-Request-Id: "));
	if (status >= 400 && status != 503)
		assert_non_null(strstr(answer, "application/problem+json"));
}

#endif
