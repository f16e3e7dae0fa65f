/* The state store in PostgreSQL (15 or later). */
#ifndef STORE_POSTGRES_H
#define STORE_POSTGRES_H

#include "store/store.h"

struct postgres_settings {
	const char *url;          /* postgres:// or key=value, as libpq takes it */
	unsigned connections_max; /* of the pool; the leader's lock has one more */
};

/* Connects lazily: succeeds without a reachable server. */
enum err_kind postgres_new(const struct postgres_settings *settings, struct store *ret,
			   struct err *err);

/* Embedded by the build from migrations/NNNN_name.sql, in order. */
struct migration {
	int number;
	const char *name, *sql;
};
extern const struct migration migrations[];
extern const size_t migration_count;

#endif
