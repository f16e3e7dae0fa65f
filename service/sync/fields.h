/* The active fields in use: read from both sides' schemas and rights, shared by the threads. */
#ifndef SYNC_FIELDS_H
#define SYNC_FIELDS_H

#include "sync/engine_p.h"

/* Reads the schemas when they are older than an hour (or is_forced), the changing rights otherwise,
 * checks who the sides are, and makes the active fields anew when anything differs. */
enum err_kind fields_refresh(struct engine *e, const struct call *call, bool is_forced,
			     struct err *err);

/* The active fields; NULL before the first refresh. Every take is given back with a drop. */
struct shared_mapping *fields_take(struct engine *e);
void fields_drop(struct engine *e, struct shared_mapping *m);

#endif
