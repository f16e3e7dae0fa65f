/* Set-up validation of the Dynamics side, line by line. Private to the dynamics_* files. */
#ifndef REMOTE_DYNAMICS_CHECK_H
#define REMOTE_DYNAMICS_CHECK_H

#include "remote/dynamics_call.h"

void dynamics_check(struct dynamics *d, const struct call *call, struct check_list *ret);

#endif
