/* The listening socket: reading an address, binding it, telling the port. */
#ifndef API_LISTEN_H
#define API_LISTEN_H

#include "base/err.h"

/* "127.0.0.1:8080", "[::1]:0", ":8080" (all addresses); port 0 picks a free one. Returns ERR_CONFIG
 * with a text that names the mistake, or what the system said. */
enum err_kind listen_open(const char *where, int *ret_socket, uint16_t *ret_port, struct err *err);

#endif
