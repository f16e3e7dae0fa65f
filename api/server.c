/* The listener: libmicrohttpd's life cycle, the steps of an exchange, waiting without a thread. The
 * only file that knows libmicrohttpd; it knows nothing of what is served.
 *
 * An exchange, step by step: request line read (on_target) -> headers read: route, key and size are
 * judged, the problem is kept (exchange_begin) -> body taken, or thrown away when there is a
 * problem already -> handler -> answer queued. No answer is queued while body data is being
 * delivered ("libmicrohttpd manual: Handling requests"); the one exception is before its first
 * byte, which closes the connection. */
#include "api/server.h"

#include <microhttpd.h>
#include <pthread.h>

#include "api/auth.h"
#include "api/exchange.h"
#include "api/listen.h"
#include "api/query.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/fingerprint.h"

enum {
	SERVER_THREADS = 2,
	SERVER_CONNECTIONS = 2000,
	SERVER_IDLE_S = 60,
	SERVER_MEMORY = 16 * 1024, /* per connection: bounds what headers may take */
	SERVER_DISCARD =
		1024 * 1024, /* read and thrown away, so that the sender gets to hear why */
	SERVER_TARGET = 8 * 1024
};

struct api_server {
	struct MHD_Daemon *daemon;
	struct engine *engine;
	struct auth_keys keys;
	struct listener *listener;
	pthread_mutex_t lock;
	pthread_cond_t nobody_waits;
	size_t waiting;   /* suspended exchanges; under lock */
	bool is_stopping; /* nobody may start to wait any more; under lock */
};

/* ---- the exchange ---- */

const char *exchange_header(const struct exchange *x, const char *name)
{
	return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

struct buf *exchange_text(struct exchange *x, unsigned status, const char *content_type)
{
	buf_clear(&x->answer.body);
	x->answer.body.max = EXCHANGE_BODY_OUT_MAX;
	x->answer.status = status;
	x->answer.content_type = content_type;
	x->answer.header_count = 0;
	return &x->answer.body;
}

struct buf *exchange_json(struct exchange *x, unsigned status)
{
	return exchange_text(x, status, "application/json");
}

void exchange_add_header(struct exchange *x, const char *name, const char *value)
{
	if (x->answer.header_count < EXCHANGE_HEADERS_MAX)
		x->answer.headers[x->answer.header_count++] = (struct answer_header){ name, value };
}

void exchange_problem(struct exchange *x, const struct problem *p)
{
	unsigned status = problem_status(p->kind);
	struct buf *out = exchange_text(x, status, "application/problem+json");

	problem_print(p, x->request_id, out);
	if (p->kind == PROBLEM_UNAUTHORIZED)
		exchange_add_header(x, "WWW-Authenticate", "Bearer");
	if (p->retry_after_s)
		exchange_add_header(x, "Retry-After",
				    arena_fmt(&x->memory, "%d", (int)p->retry_after_s));
	if (status >= 500)
		log_warn("http_problem", LOG_TEXT("route", x->route ? x->route->path : "none"),
			 LOG_NUMBER("status", status), LOG_TEXT("requestId", x->request_id),
			 LOG_TEXT("detail", p->detail));
}

void exchange_fail(struct exchange *x, const struct err *err)
{
	struct problem p;

	(void)problem_of_err(&p, err);
	exchange_problem(x, &p);
}

/* Suspending comes before the work is handed over. So the end may come at any time, even before the
 * handler returns: libmicrohttpd notes it and its own thread, which runs the handler right now,
 * takes the exchange up again afterwards. */
bool exchange_wait_begin(struct exchange *x)
{
	struct api_server *s = x->server;
	bool may_wait;

	pthread_mutex_lock(&s->lock);
	may_wait = !s->is_stopping;
	if (may_wait)
		s->waiting++;
	pthread_mutex_unlock(&s->lock);
	if (!may_wait)
		return false;
	x->state = EXCHANGE_WAITING;
	MHD_suspend_connection(x->connection);
	return true;
}

void exchange_wait_end(struct exchange *x)
{
	struct api_server *s = x->server; /* x may be gone as soon as it is resumed */

	MHD_resume_connection(x->connection);
	pthread_mutex_lock(&s->lock);
	if (--s->waiting == 0)
		pthread_cond_broadcast(&s->nobody_waits);
	pthread_mutex_unlock(&s->lock);
}

static void exchange_free(struct exchange *x)
{
	if (!x)
		return;
	buf_release(&x->body);
	buf_release(&x->answer.body);
	arena_release(&x->memory);
	free(x->outcome);
	free(x->target);
	free(x);
}

/* A caller's id is taken over when it can do no harm in logs and headers. */
static bool exchange_id_is_sane(struct str id)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";

	return id.n && id.n < EXCHANGE_ID && strspn(id.p, allowed) == id.n;
}

static void exchange_identify(struct exchange *x)
{
	struct str sent = str_of(exchange_header(x, "X-Request-Id"));
	char made[GUID_TEXT];

	x->made_id = fingerprint_random_guid();
	guid_print(&x->made_id, made);
	(void)snprintf(x->request_id, sizeof(x->request_id), "%s",
		       exchange_id_is_sane(sent) ? sent.p : made);
}

static bool exchange_check_size(struct exchange *x, size_t size, struct problem *problem)
{
	if (size <= x->route->body_max)
		return true;
	if (!x->route->body_max)
		return problem_set(problem, PROBLEM_TOO_LARGE, NULL, "this address takes no body");
	return problem_set(problem, PROBLEM_TOO_LARGE, NULL,
			   "the body must not be larger than %zu bytes", x->route->body_max);
}

/* What the sender says about the length of the body; 0 when nothing. */
static size_t exchange_length(const struct exchange *x)
{
	struct str sent = str_of(exchange_header(x, "Content-Length"));
	int64_t length = 0;

	if (sent.n && !str_int64(sent, 0, INT64_MAX, &length))
		return SIZE_MAX;
	return (size_t)length;
}

/* Everything that can be judged from the request line and the headers. */
static bool exchange_judge(struct exchange *x, const char *method, struct problem *problem)
{
	struct str query = str_of(x->target);
	struct str path = str_cut(&query, '?');
	struct list_query none;
	struct route_match match;

	x->query = query;
	if (strlen(x->target) > SERVER_TARGET || !query_decode(path, &x->memory, &x->path))
		return problem_set(problem, PROBLEM_BAD_REQUEST, NULL,
				   "the address is too long or not properly percent-encoded");
	if (!route_find(str_of(method), x->path, &match, problem)) {
		if (match.allow[0])
			exchange_add_header(x, "Allow",
					    arena_text(&x->memory, str_of(match.allow)));
		return false;
	}
	x->route = match.route;
	x->id = match.id;
	if (!auth_check(&x->server->keys, match.route->role, exchange_header(x, "Authorization"),
			exchange_header(x, "X-Api-Key"), &x->caller, problem))
		return false;
	/* Lists read their parameters themselves; elsewhere there are none. */
	if (!x->route->params && !query_list(x->query, 0, &x->memory, &none, problem))
		return false;
	return exchange_check_size(x, exchange_length(x), problem);
}

/* True: answer at once. */
static bool exchange_begin(struct exchange *x, struct MHD_Connection *connection,
			   const char *method)
{
	struct problem problem;
	struct answer_header allow = { 0 };

	x->connection = connection;
	x->method = method;
	x->state = EXCHANGE_READING;
	exchange_identify(x);
	if (exchange_judge(x, method, &problem))
		return false;
	if (x->answer.header_count)
		allow = x->answer.headers[0];
	exchange_problem(x, &problem);
	if (allow.name)
		exchange_add_header(x, allow.name, allow.value);
	x->state = EXCHANGE_REFUSED;
	return exchange_header(x, "Expect") || exchange_length(x) > SERVER_DISCARD;
}

/* False: far too much of what nobody wants; the connection is cut. */
static bool exchange_take_body(struct exchange *x, struct str part)
{
	struct problem problem;

	if (x->state == EXCHANGE_REFUSED) {
		x->discarded += part.n;
		return x->discarded <= SERVER_DISCARD;
	}
	if (exchange_check_size(x, x->body.len + part.n, &problem)) {
		buf_add(&x->body, part);
		return true;
	}
	buf_release(&x->body);
	exchange_problem(x, &problem);
	x->state = EXCHANGE_REFUSED;
	x->discarded = part.n;
	return true;
}

/* ---- libmicrohttpd ---- */

static struct MHD_Response *server_response(struct exchange *x)
{
	struct buf *body = &x->answer.body;
	struct MHD_Response *response;

	if (!body->len)
		return MHD_create_response_from_buffer(0, (char *)(uintptr_t) "",
						       MHD_RESPMEM_PERSISTENT);
	response = MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_MUST_FREE);
	if (response)
		*body = (struct buf){ 0 };
	return response;
}

static bool server_add_headers(struct MHD_Response *response, const struct exchange *x)
{
	bool is_good = MHD_add_response_header(response, "Content-Type", x->answer.content_type) &&
		       MHD_add_response_header(response, "X-Request-Id", x->request_id) &&
		       MHD_add_response_header(response, "Cache-Control", "no-store") &&
		       MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");

	for (size_t i = 0; i < x->answer.header_count && is_good; i++)
		is_good = MHD_add_response_header(response, x->answer.headers[i].name,
						  x->answer.headers[i].value) == MHD_YES;
	return is_good;
}

static void server_log(const struct exchange *x)
{
	log_debug("http_request", LOG_TEXT("method", x->method),
		  LOG_TEXT("route", x->route ? x->route->path : "none"),
		  LOG_NUMBER("status", x->answer.status),
		  LOG_NUMBER("ms", (clock_mono_ns() - x->started_ns) / 1000000),
		  LOG_TEXT("requestId", x->request_id));
}

static enum MHD_Result server_send(struct exchange *x)
{
	struct MHD_Response *response;
	enum MHD_Result result = MHD_NO;

	if (x->answer.body.full) {
		struct problem problem;

		(void)problem_set(&problem, PROBLEM_OURS, NULL,
				  "the answer is larger than this service sends");
		exchange_problem(x, &problem);
	}
	x->state = EXCHANGE_DONE;
	server_log(x);
	response = server_response(x);
	if (!response)
		return MHD_NO;
	if (server_add_headers(response, x))
		result = MHD_queue_response(x->connection, x->answer.status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result server_handle(struct exchange *x)
{
	if (x->state == EXCHANGE_WAITING)
		x->state = EXCHANGE_RESUMED;
	if (x->state != EXCHANGE_REFUSED)
		x->route->handle(x);
	if (x->state != EXCHANGE_WAITING)
		return server_send(x);
	/* While it waits it holds as little as possible; the other thread touches only x->outcome. */
	buf_release(&x->body);
	arena_release(&x->memory);
	return MHD_YES;
}

static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
	struct exchange *x = mem_alloc(sizeof(*x));

	(void)connection;
	x->server = context;
	x->engine = x->server->engine;
	x->target = mem_text(target);
	x->started_ns = clock_mono_ns();
	return x;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **state)
{
	struct exchange *x = *state;

	(void)context;
	(void)url;
	(void)version;
	if (!x)
		return MHD_NO;
	if (x->state == EXCHANGE_NEW)
		return exchange_begin(x, connection, method) ? server_send(x) : MHD_YES;
	if (*upload_size) {
		bool may_go_on = exchange_take_body(x, (struct str){ upload, *upload_size });

		*upload_size = 0;
		return may_go_on ? MHD_YES : MHD_NO;
	}
	return server_handle(x);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode code)
{
	(void)context;
	(void)connection;
	(void)code;
	exchange_free(*state);
	*state = NULL;
}

/* libmicrohttpd closes what it does not take: too many connections at once. */
static void server_take(void *context, int fd, const struct sockaddr *from, socklen_t from_size)
{
	struct api_server *s = context;

	(void)MHD_add_connection(s->daemon, fd, from, from_size);
}

static struct MHD_Daemon *server_start(struct api_server *s)
{
	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET |
					MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC,
				0, NULL, NULL, on_request, s, MHD_OPTION_THREAD_POOL_SIZE,
				(unsigned int)SERVER_THREADS, MHD_OPTION_CONNECTION_LIMIT,
				(unsigned int)SERVER_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
				(unsigned int)SERVER_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				(size_t)SERVER_MEMORY, MHD_OPTION_URI_LOG_CALLBACK, on_target, s,
				MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_END);
}

struct api_server *api_server_new(const struct api_settings *settings, struct engine *engine,
				  struct err *err)
{
	struct listener *listener = listener_new(settings->listen, err);
	struct api_server *s;

	if (!listener)
		return NULL;
	s = mem_alloc(sizeof(*s));
	s->engine = engine;
	s->listener = listener;
	auth_keys_init(&s->keys, settings->keys, settings->key_count);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->nobody_waits, NULL);
	s->daemon = server_start(s);
	if (!s->daemon)
		(void)err_set(err, ERR_OURS, "the HTTP library did not start");
	else if (listener_start(listener, server_take, s, err) == ERR_NONE)
		return s;
	api_server_free(s);
	return NULL;
}

uint16_t api_server_port(const struct api_server *s)
{
	return listener_port(s->listener);
}

void api_server_quiesce(struct api_server *s)
{
	listener_close(s->listener);
}

void api_server_free(struct api_server *s)
{
	if (!s)
		return;
	listener_close(s->listener);
	/* libmicrohttpd must not be stopped while connections are suspended. Everyone who waits has
	 * a deadline, and engine_stop completes them all, so this ends. */
	pthread_mutex_lock(&s->lock);
	s->is_stopping = true;
	while (s->waiting)
		pthread_cond_wait(&s->nobody_waits, &s->lock);
	pthread_mutex_unlock(&s->lock);
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	listener_free(s->listener);
	pthread_cond_destroy(&s->nobody_waits);
	pthread_mutex_destroy(&s->lock);
	auth_keys_release(&s->keys);
	free(s);
}
