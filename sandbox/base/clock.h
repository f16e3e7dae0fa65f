/* The sandbox's wall clock can be put forward; side.h tells how to read it. */
#ifndef SANDBOX_BASE_CLOCK_H
#define SANDBOX_BASE_CLOCK_H

#include <stdint.h>

#include "base/text.h"

void clock_advance(int64_t seconds);
void clock_reset(void);
int64_t clock_advanced_s(void);

/* Time of the machine that no advance moves, for measuring. */
int64_t clock_steady_us(void);

/* "2026-08-30T14:05:09Z" */
void clock_print(struct text *t, int64_t seconds);

#endif
