/* The fields and tables of all scenes: one field for every type of column on either side. */
#ifndef TESTS_REPLAY_WORLD_H
#define TESTS_REPLAY_WORLD_H

#include "core/mapping.h"

struct mapping *world_mapping(void);
/* The schema of a table as the sync holds it, to be changed at will; memory: arena. */
struct schema world_schema(enum table t, struct arena *a);

#endif
