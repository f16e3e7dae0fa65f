/* Stamps in great number travel in a file that Marketo takes in ("Adobe: Bulk Lead Import"): a call
 * for thousands instead of one for 300. The worker's only. */
#ifndef SYNC_STAMPS_H
#define SYNC_STAMPS_H

#include "sync/engine_p.h"

/* Goes on with the file that is under way, or sends one when that pays. *ret_is_busy: the stamps
 * that are due are on their way, and nobody else sends them. A file that cannot be had is done
 * without. */
enum err_kind stamps_import(struct engine *e, const struct call *call, struct cycle_report *report,
			    bool *ret_is_busy, struct err *err);

/* May stamps be left until there are many? */
bool stamps_may_wait(const struct engine *e);

#endif
