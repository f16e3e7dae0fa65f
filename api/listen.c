/* Binding and accepting; see listen.h. Names are not resolved: a service listens on addresses. */
#include "api/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

enum { LISTEN_BACKLOG = 1024, LISTEN_HOST = 64, LISTEN_REST_MS = 50 };

struct listener {
	int fd;   /* -1 when closed */
	int wake; /* eventfd: readable when the thread shall end */
	uint16_t port;
	bool is_started;
	pthread_t thread;
	listener_take *take;
	void *context;
};

struct listen_address {
	char host[LISTEN_HOST]; /* "" all */
	char port[8];
};

static bool listen_parse(struct str where, struct listen_address *ret)
{
	struct str host = { NULL, 0 }, port = where;
	int64_t number;

	if (where.n && where.p[0] == '[') {
		port = (struct str){ where.p + 1, where.n - 1 };
		host = str_cut(&port, ']');
		if (!host.n || !port.n || port.p[0] != ':')
			return false;
		port = (struct str){ port.p + 1, port.n - 1 };
	} else {
		host = str_cut(&port, ':');
	}
	if (host.n >= LISTEN_HOST || !str_int64(port, 0, 65535, &number))
		return false;
	(void)snprintf(ret->host, sizeof(ret->host), STR_FMT, STR_ARG(host));
	(void)snprintf(ret->port, sizeof(ret->port), "%d", (int)number);
	return true;
}

static int listen_bind(const struct addrinfo *a)
{
	const int on = 1, off = 0;
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int reason;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a->ai_family == AF_INET6) /* all addresses means those of IPv4 too */
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, LISTEN_BACKLOG) == 0)
		return fd;
	reason = errno;
	(void)close(fd);
	errno = reason;
	return -1;
}

static uint16_t listen_port(int fd)
{
	struct sockaddr_storage address = { 0 };
	socklen_t n = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &n) != 0)
		return 0;
	if (address.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&address)->sin6_port);
	return ntohs(((const struct sockaddr_in *)&address)->sin_port);
}

/* Without a host: IPv6 first, which takes IPv4 along; where there is no IPv6, IPv4. */
static int listen_first(const struct addrinfo *list)
{
	static const int families[] = { AF_INET6, AF_INET };
	int fd = -1;

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
			if (a->ai_family == families[i])
				fd = listen_bind(a);
		}
	}
	return fd;
}

struct listener *listener_new(const char *where, struct err *err)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
					.ai_socktype = SOCK_STREAM };
	struct listen_address address;
	struct addrinfo *list = NULL;
	struct listener *l;
	int fd;

	if (!listen_parse(str_of(where), &address) ||
	    getaddrinfo(address.host[0] ? address.host : NULL, address.port, &hints, &list) != 0) {
		(void)err_set(
			err, ERR_CONFIG,
			"TANDEM_LISTEN: must be ADDRESS:PORT, such as 127.0.0.1:8080, [::1]:0 or :8080");
		return NULL;
	}
	fd = listen_first(list);
	freeaddrinfo(list);
	if (fd < 0) {
		(void)err_set(err, ERR_CONFIG, "TANDEM_LISTEN: cannot listen on %s: %s", where,
			      strerrordesc_np(errno));
		return NULL;
	}
	l = mem_alloc(sizeof(*l));
	l->fd = fd;
	l->wake = -1;
	l->port = listen_port(fd);
	return l;
}

uint16_t listener_port(const struct listener *l)
{
	return l->port;
}

/* Takes whoever waits; false when the system has no room for more right now. */
static bool listener_accept_all(struct listener *l)
{
	for (;;) {
		struct sockaddr_storage from = { 0 };
		socklen_t size = sizeof(from);
		int fd = accept4(l->fd, (struct sockaddr *)&from, &size,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			l->take(l->context, fd, (struct sockaddr *)&from, size);
		else if (errno == EAGAIN)
			return true;
		else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			return false;
		/* Anything else concerns the one connection that went away meanwhile (accept(2)). */
	}
}

static void *listener_main(void *context)
{
	struct listener *l = context;
	struct pollfd watched[] = { { .fd = l->wake, .events = POLLIN },
				    { .fd = l->fd, .events = POLLIN } };
	bool has_room = true;

	while (!watched[0].revents) {
		bool had_room = has_room;

		/* Without room only the end is waited for, and a moment for connections to close. */
		(void)poll(watched, has_room ? 2 : 1, has_room ? -1 : LISTEN_REST_MS);
		has_room = listener_accept_all(l);
		if (had_room && !has_room)
			log_warn("connections_not_accepted",
				 LOG_TEXT("reason", strerrordesc_np(errno)));
	}
	return NULL;
}

enum err_kind listener_start(struct listener *l, listener_take *take, void *context,
			     struct err *err)
{
	l->take = take;
	l->context = context;
	l->wake = eventfd(0, EFD_CLOEXEC);
	if (l->wake < 0)
		return err_set(err, ERR_OURS, "no event descriptor: %s", strerrordesc_np(errno));
	if (pthread_create(&l->thread, NULL, listener_main, l) != 0)
		return err_set(err, ERR_OURS, "no thread to accept connections");
	l->is_started = true;
	return ERR_NONE;
}

void listener_close(struct listener *l)
{
	if (l->is_started) {
		(void)eventfd_write(l->wake, 1);
		(void)pthread_join(l->thread, NULL);
		l->is_started = false;
	}
	if (l->wake >= 0)
		(void)close(l->wake);
	if (l->fd >= 0)
		(void)close(l->fd);
	l->wake = l->fd = -1;
}

void listener_free(struct listener *l)
{
	if (!l)
		return;
	listener_close(l);
	free(l);
}
