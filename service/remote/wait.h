/* Pauses of the remote layer: they end as soon as the requests of the program are cancelled. */
#ifndef REMOTE_WAIT_H
#define REMOTE_WAIT_H

#include "remote/http.h"

/* True when the time has passed; false, at once, when http_cancel_all was or is called. */
MUST_CHECK bool http_origin_wait_ms(struct http_origin *o, int64_t ms);

#endif
