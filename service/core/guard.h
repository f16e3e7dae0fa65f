/* Refusals that protect a whole database (INV-NO-WIPE): they stop the cycle and ask. */
#ifndef CORE_GUARD_H
#define CORE_GUARD_H

#include "base/err.h"
#include "base/guid.h"

/* More deletes in one cycle than allowed: ERR_BROKEN with a text that says how to go on. max 0: no
 * limit. */
enum err_kind guard_deletes(uint64_t deletes, uint64_t max, struct err *err);
/* The organisation is not the one the links belong to. known zero: first contact, fine. */
enum err_kind guard_organisation(const struct guid *known, const struct guid *now, struct err *err);
/* A full scan shows nothing although links exist. */
enum err_kind guard_empty(uint64_t rows_seen, uint64_t links_known, const char *what,
			  struct err *err);

#endif
