/* How long the feeds have stood still: Dataverse forgets a place in its change feed after some days
 * ("Microsoft Learn: Use change tracking to synchronize data with external systems"), and then a
 * whole table is read again. */
#ifndef SYNC_CURSOR_AGE_H
#define SYNC_CURSOR_AGE_H

#include "sync/engine_p.h"

/* Sets the metrics, and warns of every place that has half its life behind it. */
void cursor_age_look(struct engine *e);

#endif
