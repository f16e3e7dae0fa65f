/* One HTTP POST to an address of this machine, over a plain socket. Only the status of the answer
 * matters. Knows no tables. */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "dataverse/hook.h"

struct post {
	int socket;
	int64_t deadline_us;
};

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

static enum post_result connect_to(struct post *p, const struct delivery *d)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	struct addrinfo *address;
	int error = 0;
	socklen_t len = sizeof(error);

	if (getaddrinfo(d->host, d->port, &hints, &address) != 0)
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

static enum post_result receive_status(const struct post *p, int *ret_status)
{
	char head[8192] = "";
	size_t len = 0;

	while (len < sizeof(head) - 1 && !strstr(head, "\r\n\r\n")) {
		ssize_t n = recv(p->socket, head + len, sizeof(head) - 1 - len, 0);

		if (n == 0)
			break;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return POST_FAILED;
		if (n < 0 && !ready(p, POLLIN))
			return POST_TIMED_OUT;
		len += n > 0 ? (size_t)n : 0;
		head[len] = '\0';
	}
	return sscanf(head, "HTTP/1.%*1[01] %3d", ret_status) == 1 ? POST_ANSWERED : POST_FAILED;
}

enum post_result post_send(const struct delivery *d, int *ret_status)
{
	struct post p = { .socket = -1,
			  .deadline_us = clock_steady_us() + (int64_t)d->timeout_ms * 1000 };
	struct text request = { 0 };
	enum post_result result;

	text_printf(&request,
		    "POST %s HTTP/1.1\r\nHost: %s:%s\r\nContent-Type: application/json\r\n"
		    "Content-Length: %zu\r\nConnection: close\r\n",
		    d->path.data, d->host, d->port, d->body.len);
	text_add(&request, d->headers.data, d->headers.len);
	text_puts(&request, "\r\n");
	text_add(&request, d->body.data, d->body.len);
	result = connect_to(&p, d);
	if (result == POST_ANSWERED)
		result = send_all(&p, &request);
	if (result == POST_ANSWERED)
		result = receive_status(&p, ret_status);
	if (p.socket >= 0)
		close(p.socket);
	text_free(&request);
	return result;
}
