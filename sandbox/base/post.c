/* HTTP as a client, over a plain socket that is closed after the answer. Knows neither side. */
#include "base/post.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define HEAD_MAX ((size_t)64 * 1024)
#define BODY_MAX ((size_t)16 * 1024 * 1024)

struct post {
	int socket;
	int64_t deadline_us;
	struct text in; /* what came and was not taken yet */
	size_t taken;
	bool ended; /* the other side closed */
};

bool post_address_read(const char *url, struct post_address *ret)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost" };

	*ret = (struct post_address){ 0 };
	if (strncasecmp(url, "http://", 7) != 0)
		return false;
	url += 7;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		size_t len = strlen(hosts[i]);
		const char *rest = url + len;
		size_t digits = 0;

		if (strncasecmp(url, hosts[i], len) != 0)
			continue;
		if (*rest == ':')
			digits = strspn(++rest, "0123456789");
		if (digits > 5 || (rest[digits] && rest[digits] != '/' && rest[digits] != '?') ||
		    strpbrk(rest, " \t\r\n#"))
			return false;
		snprintf(ret->host, sizeof(ret->host), "%s", hosts[i]);
		snprintf(ret->port, sizeof(ret->port), "%.*s", digits ? (int)digits : 2,
			 digits ? rest : "80");
		text_printf(&ret->path, "%s%s", rest[digits] == '/' ? "" : "/", rest + digits);
		return true;
	}
	return false;
}

void post_address_free(struct post_address *address)
{
	text_free(&address->path);
}

/* Waits until the socket is ready; false when the time is over. */
static bool ready(const struct post *p, short events)
{
	struct pollfd fd = { .fd = p->socket, .events = events };
	int64_t left = p->deadline_us - clock_steady_us();
	int count;

	if (left <= 0)
		return false;
	count = poll(&fd, 1, (int)(left / 1000) + 1);
	return count > 0 || (count < 0 && errno == EINTR);
}

static enum post_result connect_to(struct post *p, const struct post_request *request)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	struct addrinfo *address;
	int error = 0;
	socklen_t len = sizeof(error);

	if (getaddrinfo(request->host, request->port, &hints, &address) != 0)
		return POST_FAILED;
	p->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->socket < 0 || (connect(p->socket, address->ai_addr, address->ai_addrlen) != 0 &&
			      errno != EINPROGRESS))
		error = 1;
	freeaddrinfo(address);
	if (error)
		return POST_FAILED;
	if (!ready(p, POLLOUT))
		return POST_TIMED_OUT;
	if (getsockopt(p->socket, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error)
		return POST_FAILED;
	return POST_ANSWERED;
}

static enum post_result send_all(const struct post *p, const struct text *t)
{
	size_t sent = 0;

	while (sent < t->len) {
		ssize_t n = send(p->socket, t->data + sent, t->len - sent, MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		else if (n < 0 && errno != EAGAIN && errno != EINTR)
			return POST_FAILED;
		else if (!ready(p, POLLOUT))
			return POST_TIMED_OUT;
	}
	return POST_ANSWERED;
}

/* ---- the answer ---- */

/* Waits for more bytes, or notes that there are none to come. */
static enum post_result receive(struct post *p)
{
	char buffer[16 * 1024];

	for (;;) {
		ssize_t n = recv(p->socket, buffer, sizeof(buffer), 0);

		if (n > 0) {
			text_add(&p->in, buffer, (size_t)n);
			return POST_ANSWERED;
		}
		if (n == 0) {
			p->ended = true;
			return POST_ANSWERED;
		}
		if (errno != EAGAIN && errno != EINTR)
			return POST_FAILED;
		if (!ready(p, POLLIN))
			return POST_TIMED_OUT;
	}
}

/* Waits until so many bytes are there to be taken. */
static enum post_result receive_bytes(struct post *p, size_t count)
{
	enum post_result result = POST_ANSWERED;

	if (count > BODY_MAX)
		return POST_FAILED;
	while (result == POST_ANSWERED && p->in.len - p->taken < count) {
		if (p->ended)
			return POST_FAILED;
		result = receive(p);
	}
	return result;
}

/* Takes a line without its end. */
static enum post_result receive_line(struct post *p, struct text *ret)
{
	enum post_result result = POST_ANSWERED;

	text_clear(ret);
	while (result == POST_ANSWERED) {
		const char *start = p->in.data ? p->in.data + p->taken : "";
		const char *end = memchr(start, '\n', p->in.len - p->taken);

		if (end) {
			size_t len = (size_t)(end - start);

			p->taken += len + 1;
			text_add(ret, start, len && start[len - 1] == '\r' ? len - 1 : len);
			return POST_ANSWERED;
		}
		if (p->ended || p->in.len - p->taken > HEAD_MAX)
			return POST_FAILED;
		result = receive(p);
	}
	return result;
}

static enum post_result receive_head(struct post *p, struct post_answer *ret)
{
	enum post_result result;
	struct text line = { 0 };

	do {
		text_clear(&ret->head);
		do {
			result = receive_line(p, &line);
			text_add(&ret->head, line.data, line.len);
			text_puts(&ret->head, "\r\n");
		} while (result == POST_ANSWERED && line.len && ret->head.len < HEAD_MAX);
		if (result == POST_ANSWERED &&
		    (line.len || sscanf(ret->head.data, "HTTP/1.%*1[01] %3d", &ret->status) != 1))
			result = POST_FAILED;
	} while (result == POST_ANSWERED && ret->status / 100 == 1);
	text_free(&line);
	return result;
}

static enum post_result take_bytes(struct post *p, size_t count, struct text *ret)
{
	enum post_result result = receive_bytes(p, count);

	if (result == POST_ANSWERED && count) {
		text_add(ret, p->in.data + p->taken, count);
		p->taken += count;
	}
	return ret->len > BODY_MAX ? POST_FAILED : result;
}

static enum post_result receive_chunks(struct post *p, struct post_answer *ret)
{
	enum post_result result;
	struct text line = { 0 };
	unsigned long size = 1;

	do {
		char *end;

		result = receive_line(p, &line);
		if (result != POST_ANSWERED)
			break;
		size = strtoul(line.data, &end, 16);
		if (end == line.data || (*end && *end != ';' && *end != ' '))
			result = POST_FAILED;
		else
			result = take_bytes(p, size, &ret->body);
		if (result == POST_ANSWERED && size)
			result = receive_line(p, &line);
	} while (result == POST_ANSWERED && size);
	text_free(&line);
	return result;
}

static enum post_result receive_body(struct post *p, struct post_answer *ret)
{
	enum post_result result = POST_ANSWERED;
	struct text value = { 0 };

	if (ret->status == 204 || ret->status == 304)
		return POST_ANSWERED;
	if (post_answer_header(ret, "Transfer-Encoding", &value) &&
	    strcasecmp(value.data, "chunked") == 0) {
		result = receive_chunks(p, ret);
	} else if (post_answer_header(ret, "Content-Length", &value)) {
		result = take_bytes(p, strtoul(value.data, NULL, 10), &ret->body);
	} else {
		while (result == POST_ANSWERED && !p->ended && p->in.len < BODY_MAX)
			result = receive(p);
		if (result == POST_ANSWERED && p->ended)
			text_add(&ret->body, p->in.data + p->taken, p->in.len - p->taken);
		else if (result == POST_ANSWERED)
			result = POST_FAILED;
	}
	text_free(&value);
	return result;
}

enum post_result post_send(const struct post_request *request, struct post_answer *ret)
{
	struct post p = { .socket = -1,
			  .deadline_us = clock_steady_us() + request->timeout_ms * 1000 };
	struct text out = { 0 };
	enum post_result result;

	*ret = (struct post_answer){ 0 };
	text_printf(&out, "%s %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n%s",
		    request->method, request->path, request->host, request->port,
		    request->headers ? request->headers : "");
	if (request->body)
		text_printf(&out, "Content-Length: %zu\r\n", request->body_len);
	text_puts(&out, "\r\n");
	if (request->body)
		text_add(&out, request->body, request->body_len);
	result = connect_to(&p, request);
	if (result == POST_ANSWERED)
		result = send_all(&p, &out);
	if (result == POST_ANSWERED)
		result = receive_head(&p, ret);
	if (result == POST_ANSWERED)
		result = receive_body(&p, ret);
	if (p.socket >= 0)
		close(p.socket);
	text_free(&out);
	text_free(&p.in);
	return result;
}

void post_answer_free(struct post_answer *answer)
{
	text_free(&answer->head);
	text_free(&answer->body);
}

bool post_answer_header(const struct post_answer *answer, const char *name, struct text *ret)
{
	size_t len = strlen(name);

	text_clear(ret);
	for (const char *at = answer->head.data; at && *at;
	     at = strchr(at, '\n'), at += at != NULL) {
		if (strncasecmp(at, name, len) != 0 || at[len] != ':')
			continue;
		at += len + 1;
		at += strspn(at, " \t");
		text_add(ret, at, strcspn(at, "\r\n"));
		while (ret->len && ret->data[ret->len - 1] == ' ')
			ret->data[--ret->len] = '\0';
		return true;
	}
	return false;
}

void post_answer_reason(const struct post_answer *answer, struct text *ret)
{
	const char *at = answer->head.data ? strchr(answer->head.data, ' ') : NULL;

	text_clear(ret);
	at = at ? strpbrk(at + 1, " \r\n") : NULL;
	if (at && *at == ' ')
		text_add(ret, at + 1, strcspn(at + 1, "\r\n"));
}
