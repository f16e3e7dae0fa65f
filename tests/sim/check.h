/* The invariants of the design, each a function of its own with its name. The first that breaks is
 * noted in the sim, with how. */
#ifndef TESTS_SIM_CHECK_H
#define TESTS_SIM_CHECK_H

#include "tests/sim/sim.h"

/* After every commit: INV-ONE-ROW, and INV-CURSOR-BEHIND when a cursor moved. */
void check_step(struct sim *s);
void check_cursor(struct sim *s, enum table table, const char *was, const char *now);

/* Around a cycle in which nobody else did anything and nothing failed: INV-WINNER, INV-THREE-WAY. */
struct round_model;
struct round_model *check_begin_round(struct sim *s);
void check_end_round(struct sim *s, const struct round_model *m);

/* At the end, when everything had its time. */
void check_end(struct sim *s);

/* Where everything stands, ids apart: two histories that must come to the same are compared by
 * it. */
char *check_digest(struct sim *s);
/* The same of one pair, seen from the other side when the history is mirrored. */
char *check_digest_pair(struct sim *s);

#endif
