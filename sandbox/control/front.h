/* What every call goes through before it reaches its side: control addresses, counting, faults. */
#ifndef SANDBOX_CONTROL_FRONT_H
#define SANDBOX_CONTROL_FRONT_H

#include "base/side.h"
#include "base/web.h"

enum { FRONT_SIDES = 2 };

struct front {
	struct side sides[FRONT_SIDES];
	int side; /* which one answers on this listener */
};

/* context is a struct front */
void front_handle(void *context, const struct web_request *, struct web_response *);

/* Lets delays end early, so that the program can stop. */
void front_stop(void);

#endif
