/* The listening socket and the thread that accepts: reading an address, binding it, telling the
 * port, handing every new connection over. libmicrohttpd could accept by itself, but turning that
 * off while connections are busy ends the program now and then: its threads and the caller remove
 * the socket from the same epoll set, and whoever comes second panics (MHD_quiesce_daemon of
 * 0.9.75). Knows nothing of HTTP. */
#ifndef API_LISTEN_H
#define API_LISTEN_H

#include <sys/socket.h>

#include "base/err.h"

struct listener;

/* Takes the connection over, closes it too. Called by the listener's thread. */
typedef void listener_take(void *context, int fd, const struct sockaddr *from, socklen_t from_size);

/* Binds "127.0.0.1:8080", "[::1]:0", ":8080" (all addresses); port 0 picks a free one. NULL: err is
 * ERR_CONFIG with a text that names the mistake, or what the system said. */
struct listener *listener_new(const char *where, struct err *err);
uint16_t listener_port(const struct listener *l);
enum err_kind listener_start(struct listener *l, listener_take *take, void *context,
			     struct err *err);
/* Ends the thread and closes the socket: from here on callers are refused. May be repeated. */
void listener_close(struct listener *l);
void listener_free(struct listener *l); /* closes too; NULL is fine */

#endif
