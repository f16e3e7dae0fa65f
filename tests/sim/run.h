/* One seed: its history, and the laws that hold of it. */
#ifndef TESTS_SIM_RUN_H
#define TESTS_SIM_RUN_H

#include "tests/sim/play.h"

enum { RUN_COMPLETE = 10000 }; /* histories in which everything must happen at least once */

/* False: the history of this seed breaks an invariant or a law. */
bool run_seed(uint64_t seed, struct figures *figures, struct ending *ret);
/* The story of this seed, shrunk as far as it still fails the same way; whole when it holds. */
void run_tell(uint64_t seed, struct buf *story);

#endif
