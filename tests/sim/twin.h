/* What the twins share among themselves: columns, words to values and back, and writing one by one
 * with everything that can go wrong on the way. */
#ifndef TESTS_SIM_TWIN_H
#define TESTS_SIM_TWIN_H

#include "tests/sim/sim.h"

/* Writes one; fills the result and returns nothing else. */
typedef void twin_write_one(struct port *p, const struct mapping *m, const struct write *w,
			    struct write_result *ret);

enum err_kind twin_write_all(struct port *p, const struct mapping *m, const struct write *writes,
			     size_t count, struct write_result *results, twin_write_one *one,
			     struct err *err);
/* Did the answer to the i-th of so many get lost, and is nothing done after it? */
enum err_kind twin_lose(struct port *p, size_t i, size_t count, struct write_result *results,
			bool *ret_stop, struct err *err);
enum err_kind twin_refuse(struct write_result *r, enum err_kind kind, const char *column,
			  const char *text);
/* Puts the fields of a write into a thing; stories and counts hear of it. */
void twin_put_fields(struct port *p, const struct mapping *m, const struct write *w,
		     struct thing *t);
/* twin_outbox.c */
enum err_kind twin_add_activities(void *self, const struct call *call,
				  const struct activity *activities, size_t count,
				  struct write_result *results, struct err *err);
enum err_kind twin_find_activities(void *self, const struct call *call, int64_t since_s,
				   const struct activity *activities, size_t count, bool *ret_found,
				   struct err *err);
struct record *twin_record(struct sim *s, const struct mapping *m, const struct thing *t,
			   struct arena *a);

#endif
