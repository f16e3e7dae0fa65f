/* The HTTP listener: collects a request whole, lets the handler answer, sends the answer or spoils
 * it on purpose. The only file that sees libmicrohttpd; knows nothing of what addresses mean. */
#include "base/web.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/gzip.h"

#define CONNECTION_MEMORY                                                                          \
	(256 * 1024) /* the longest head: addresses over the imitated limits must reach the sides */
#define CONNECTIONS_MAX 4000u
#define IDLE_SECONDS 120u

struct web_server {
	struct MHD_Daemon *daemon;
	size_t body_max;
	web_handler *handler;
	void *context;
	uint16_t port;
	char host[32]; /* what a request without a Host header is taken to mean */
};

/* One request on its way in. */
struct exchange {
	char *target; /* path and query as sent */
	struct text body;
	bool seen; /* the head was handled */
	bool too_big;
};

void web_header(struct web_response *r, const char *name, const char *fmt, ...)
{
	char value[1024];
	char *big = NULL;
	va_list args, again;
	int need;

	va_start(args, fmt);
	va_copy(again, args);
	need = vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	if (need >= (int)sizeof(value) && vasprintf(&big, fmt, again) < 0)
		abort();
	va_end(again);
	text_puts(&r->headers, name);
	text_puts(&r->headers, ": ");
	text_puts(&r->headers, big ? big : value);
	text_puts(&r->headers, "\r\n");
	free(big);
}

void web_response_free(struct web_response *r)
{
	text_free(&r->headers);
	text_free(&r->body);
}

bool web_param(const char *form, const char *name, int nth, struct text *ret)
{
	text_clear(ret);
	while (*form) {
		size_t len = strcspn(form, "&");
		size_t key = strcspn(form, "=&");
		size_t skip = key < len ? key + 1 : len;

		text_clear(ret);
		text_url_decode(ret, form, key, true);
		if (key && strcmp(ret->data, name) == 0 && nth-- == 0) {
			text_clear(ret);
			text_url_decode(ret, form + skip, len - skip, true);
			return true;
		}
		form += len;
		form += *form == '&';
	}
	text_clear(ret);
	return false;
}

static const char *header_of(const struct web_request *request, const char *name)
{
	return MHD_lookup_connection_value((struct MHD_Connection *)(uintptr_t)request->header_data,
					   MHD_HEADER_KIND, name);
}

/* libmicrohttpd tells the target as sent only here; what it passes later is already decoded. */
static void *note_target(void *context, const char *target, struct MHD_Connection *connection)
{
	struct exchange *x = calloc(1, sizeof(*x));

	(void)context;
	(void)connection;
	if (!x)
		return NULL;
	x->target = strdup(target);
	if (!x->target) {
		free(x);
		return NULL;
	}
	return x;
}

static void exchange_done(void *context, struct MHD_Connection *connection, void **state,
			  enum MHD_RequestTerminationCode code)
{
	struct exchange *x = *state;

	(void)context;
	(void)connection;
	(void)code;
	if (!x)
		return;
	text_free(&x->body);
	free(x->target);
	free(x);
	*state = NULL;
}

static ssize_t send_half(void *context, uint64_t at, char *buffer, size_t max)
{
	const struct text *body = context;
	size_t half = body->len / 2;
	size_t take;

	if (at >= half)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	take = half - (size_t)at < max ? half - (size_t)at : max;
	memcpy(buffer, body->data + at, take);
	return (ssize_t)take;
}

static void body_free(void *context)
{
	struct text *body = context;

	text_free(body);
	free(body);
}

/* Takes the body out of the answer. */
static struct MHD_Response *response_make(struct web_response *r)
{
	struct MHD_Response *made;
	struct text *cut;

	if (r->cut == WEB_CUT_BODY && r->body.len) {
		cut = malloc(sizeof(*cut));
		if (!cut)
			return NULL;
		*cut = r->body;
		r->body = (struct text){ 0 };
		made = MHD_create_response_from_callback(cut->len, 16 * 1024, send_half, cut,
							 body_free);
		if (!made)
			body_free(cut);
		return made;
	}
	made = MHD_create_response_from_buffer(
		r->body.len, r->body.data ? r->body.data : (char *)(uintptr_t) "",
		r->body.data ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (made)
		r->body = (struct text){ 0 };
	return made;
}

static void response_headers(struct MHD_Response *made, char *lines)
{
	while (lines && *lines) {
		char *end = strstr(lines, "\r\n");
		char *colon = strstr(lines, ": ");

		if (!end || !colon || colon > end)
			return;
		*end = '\0';
		*colon = '\0';
		MHD_add_response_header(made, lines, colon + 2);
		lines = end + 2;
	}
}

/* Whether Accept-Encoding names gzip, and not with the weight 0. */
static bool wants_gzip(const char *accepted)
{
	while (accepted && *accepted) {
		size_t len = strcspn(accepted, ",");
		size_t name = strcspn(accepted, ",; ");
		const char *weight = memmem(accepted, len, "q=", 2);

		if (name == 4 && strncasecmp(accepted, "gzip", 4) == 0)
			return !weight || strtod(weight + 2, NULL) > 0;
		accepted += len;
		accepted += strspn(accepted, ", ");
	}
	return false;
}

/* Adobe: REST API, Performance: answers of less than 1,024 bytes are not packed. */
static void response_pack(const struct web_request *request, struct web_response *r)
{
	enum { PACKED_FROM = 1024 };
	struct text packed = { 0 };

	if (r->unpacked || r->body.len < PACKED_FROM ||
	    !wants_gzip(request->header(request, "Accept-Encoding")))
		return;
	gzip_add(&packed, r->body.data, r->body.len);
	text_free(&r->body);
	r->body = packed;
	web_header(r, "Content-Encoding", "gzip");
	web_header(r, "Vary", "Accept-Encoding");
}

static enum MHD_Result response_send(struct MHD_Connection *connection, struct web_response *r)
{
	struct MHD_Response *made;
	enum MHD_Result result;

	if (r->cut == WEB_CUT_CONNECTION)
		return MHD_NO;
	made = response_make(r);
	if (!made)
		return MHD_NO;
	response_headers(made, r->headers.data);
	result = MHD_queue_response(connection, (unsigned int)r->status, made);
	MHD_destroy_response(made);
	return result;
}

static void answer_too_big(struct web_response *r)
{
	r->status = 413;
	web_header(r, "Content-Type", "text/plain");
	text_puts(&r->body, "Request Entity Too Large");
}

static enum MHD_Result answer(struct web_server *s, struct MHD_Connection *connection,
			      const char *method, struct exchange *x)
{
	struct web_response response = { .status = 200 };
	struct web_request request = { .method = method,
				       .header = header_of,
				       .header_data = connection };
	char *query = strchr(x->target, '?');
	enum MHD_Result result;

	if (query)
		*query++ = '\0';
	request.path = x->target;
	request.query = query ? query : "";
	request.body = x->body.data ? x->body.data : "";
	request.body_len = x->body.len;
	request.host = header_of(&request, "Host");
	if (!request.host)
		request.host = s->host;
	if (x->too_big)
		answer_too_big(&response);
	else
		s->handler(s->context, &request, &response);
	response_pack(&request, &response);
	result = response_send(connection, &response);
	web_response_free(&response);
	return result;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **state)
{
	struct web_server *s = context;
	struct exchange *x = *state;

	(void)url;
	(void)version;
	if (!x)
		return MHD_NO;
	if (!x->seen) {
		x->seen = true;
		return MHD_YES;
	}
	if (!*upload_size)
		return answer(s, connection, method, x);
	if (x->body.len + *upload_size > s->body_max)
		x->too_big = true; /* read on, so that the sender gets to hear it */
	if (!x->too_big)
		text_add(&x->body, upload, *upload_size);
	*upload_size = 0;
	return MHD_YES;
}

struct web_server *web_start(uint16_t port, size_t body_max, web_handler *handler, void *context)
{
	struct web_server *s = calloc(1, sizeof(*s));
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	const union MHD_DaemonInfo *info;

	if (!s)
		return NULL;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->body_max = body_max;
	s->handler = handler;
	s->context = context;
	s->daemon = MHD_start_daemon(
		MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION,
		port, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR, &address,
		MHD_OPTION_NOTIFY_COMPLETED, exchange_done, NULL, MHD_OPTION_URI_LOG_CALLBACK,
		note_target, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		IDLE_SECONDS, MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024u, MHD_OPTION_END);
	if (!s->daemon) {
		fprintf(stderr, "tandem-sandbox: cannot listen on 127.0.0.1:%u\n",
			(unsigned int)port);
		free(s);
		return NULL;
	}
	info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
	s->port = info ? info->port : port;
	snprintf(s->host, sizeof(s->host), "127.0.0.1:%u", (unsigned int)s->port);
	return s;
}

uint16_t web_port(const struct web_server *s)
{
	return s->port;
}

void web_stop(struct web_server *s)
{
	if (!s)
		return;
	MHD_stop_daemon(s->daemon);
	free(s);
}
