/* What Marketo still has to be told: stamps of links, and lines for Activity Logs. Kept in the
 * store until they are told. */
#ifndef SYNC_OUTBOX_H
#define SYNC_OUTBOX_H

#include "sync/engine_p.h"

/* Writes the stamps that are due. report may be NULL. */
enum err_kind outbox_stamps(struct engine *e, const struct call *call, struct cycle_report *report,
			    struct err *err);
/* Does nothing where another thread is at it, or another service leads. */
enum err_kind outbox_activities(struct engine *e, const struct call *call, struct err *err);

/* What the person of a link is to carry, as of now. */
struct stamp outbox_stamp(const struct link *link);

#endif
