/* What somebody at a terminal sees while cycles run: one line that changes, or plain lines in a
 * pipe. */
#ifndef APP_PROGRESS_H
#define APP_PROGRESS_H

#include "sync/operator.h"

struct progress {
	bool is_terminal;
	int64_t shown_ms;    /* clock_mono_ms() of the last line */
	int64_t last_number; /* cycle whose end was shown */
	char last[640];
};

void progress_begin(struct progress *p);
/* Shows the state when there is something new. Prints to standard output. */
void progress_show(struct progress *p, const struct operator_status *status);

#endif
