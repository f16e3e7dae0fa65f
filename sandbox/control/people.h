/* Where loaded people come from: a CSV file, or a generator of invented ones. */
#ifndef SANDBOX_CONTROL_PEOPLE_H
#define SANDBOX_CONTROL_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/side.h"

typedef void people_taker(void *context, const struct person_row *);

/* False with a reason on stderr when the file cannot be read or its first line names an unknown
 * column. */
bool people_read_file(const char *path, people_taker *take, void *context);

/* The same numbers give the same people; no two of them share an e-mail address unless their seeds
 * and places agree. */
void people_invent(const char *where, int64_t count, uint64_t seed, people_taker *take,
		   void *context);

#endif
