/* Serves the answers of one scene on a loopback socket, one request after the other, byte for byte
 * but for the headers of the transport itself. */
#ifndef TESTS_REPLAY_SERVER_H
#define TESTS_REPLAY_SERVER_H

#include "scene.h"

struct server;

struct server *server_start(const struct scene *s);
const char *server_url(const struct server *v);
/* How many requests the scene's own answers served; the server has ended. */
unsigned server_stop(struct server *v);

#endif
