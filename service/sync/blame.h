/* Whose fault a write is that failed: its record's, or that of everything. Must not know what was
 * written. */
#ifndef SYNC_BLAME_H
#define SYNC_BLAME_H

#include "sync/engine_p.h"

/* Takes the outcome of a write and sorts its results. What kept a call from being executed says
 * nothing of its records, so none of them is refused for it: those results become ERR_RETRY_LATER.
 * A record may be the first to hear what holds for the whole side, such as a full storage: then
 * that is what is returned. And a field the side does not know, or a right that is missing, is
 * looked up in a fresh schema first, which makes the field or the table pause; when that does not
 * tell of it, the record is refused. is_cycle: the worker waits for this write. */
enum err_kind blame_call(struct engine *e, bool is_cycle, enum err_kind kind,
			 struct write_result *results, size_t count, struct err *err);

#endif
