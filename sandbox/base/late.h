/* How late what the call on this thread writes appears in a change log: set by a fault, obeyed by
 * the log. */
#ifndef SANDBOX_BASE_LATE_H
#define SANDBOX_BASE_LATE_H

#include <stdint.h>

void late_commit_set(int64_t seconds);
int64_t late_commit_seconds(void);

#endif
