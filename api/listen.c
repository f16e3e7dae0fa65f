/* Binding; see listen.h. Names are not resolved: a service listens on addresses. */
#include "api/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"

enum { LISTEN_BACKLOG = 1024, LISTEN_HOST = 64 };

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

enum err_kind listen_open(const char *where, int *ret_socket, uint16_t *ret_port, struct err *err)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
					.ai_socktype = SOCK_STREAM };
	struct listen_address address;
	struct addrinfo *list = NULL;
	int fd;

	if (!listen_parse(str_of(where), &address) ||
	    getaddrinfo(address.host[0] ? address.host : NULL, address.port, &hints, &list) != 0)
		return err_set(
			err, ERR_CONFIG,
			"TANDEM_LISTEN: must be ADDRESS:PORT, such as 127.0.0.1:8080, [::1]:0 or :8080");
	fd = listen_first(list);
	freeaddrinfo(list);
	if (fd < 0)
		return err_set(err, ERR_CONFIG, "TANDEM_LISTEN: cannot listen on %s: %s", where,
			       strerrordesc_np(errno));
	*ret_socket = fd;
	*ret_port = listen_port(fd);
	return ERR_NONE;
}
