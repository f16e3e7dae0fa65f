/* Dynamics rows, as the change feed or a second look shows them, taken through links, match and
 * pairs to one commit. */
#ifndef SYNC_RECORDS_H
#define SYNC_RECORDS_H

#include "sync/pairs.h"

/* The step's ledger gets everything; the caller adds its cursor or marks and commits. records are
 * of one table. is_full_scan: they are of a reading from the start, which compares both sides. */
enum err_kind records_run(struct step *s, struct record *const *records, size_t count,
			  bool is_full_scan, struct err *err);

/* The links of rows that are gone, loaded before the rows were found missing (a NULL: it had none):
 * they become tombstones, their persons are flagged; claims that nobody works on are forgotten. */
enum err_kind records_deleted(struct step *s, struct link *const *links, size_t count,
			      struct err *err);

/* Persons that need a look, 300 and more at a time: those with a live link are read, decided and
 * written. */
enum err_kind records_persons(struct step *s, const struct dirty *marks, size_t count,
			      struct err *err);

#endif
