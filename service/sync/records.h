/* Dynamics rows, as the change feed or a second look shows them, taken through links, match and
 * pairs to one commit. */
#ifndef SYNC_RECORDS_H
#define SYNC_RECORDS_H

#include "sync/pairs.h"

/* The step's ledger gets everything; the caller adds its cursor or marks and commits. records are
 * of one table. */
enum err_kind records_run(struct step *s, struct record *const *records, size_t count,
			  struct err *err);

/* Rows that are gone: their links become tombstones, their persons are flagged. *deletes counts
 * live links that ended. */
enum err_kind records_deleted(struct step *s, enum table table, const struct guid *ids,
			      size_t count, uint64_t *deletes, struct err *err);

/* Persons that need a look, 300 and more at a time: those with a live link are read, decided and
 * written. */
enum err_kind records_persons(struct step *s, const struct dirty *marks, size_t count,
			      struct err *err);

#endif
