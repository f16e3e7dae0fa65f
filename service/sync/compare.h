/* Both sides read through their public interfaces and held against each other, field by field.
 * Writes nothing. */
#ifndef SYNC_COMPARE_H
#define SYNC_COMPARE_H

#include "sync/engine.h"

struct compare_result {
	uint64_t rows[TABLE_COUNT];      /* lead, contact: rows in Dynamics */
	uint64_t linked[TABLE_COUNT];    /* with a person */
	uint64_t left_out[TABLE_COUNT];  /* without one for a known reason: merged, qualified, or an
					    open error names them */
	uint64_t missing[TABLE_COUNT];   /* without one for no known reason */
	uint64_t equal, parked, one_way; /* fields: equal; different because a write was refused;
					    different where one side may not be written */
	uint64_t different;
};

/* say is called for the first differences, a line each: ids and field names, never values. The
 * engine is not running. */
enum err_kind compare_run(struct engine *e, struct compare_result *ret,
			  void (*say)(void *context, const char *line), void *context,
			  struct err *err);

bool compare_agrees(const struct compare_result *r);

#endif
