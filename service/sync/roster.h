/* Whom Marketo may have. Before large tables are read for the first time, files of all persons tell
 * every e-mail address and stamp there is; kept as hashes (INV-PRIVATE). What is not among them
 * need not be asked for: a first load then looks for those who may be there, not for everybody. */
#ifndef SYNC_ROSTER_H
#define SYNC_ROSTER_H

#include "sync/cycle_p.h"

/* What is to be done about it before the tables are read in this cycle. *ret_is_waiting: Marketo is
 * still making its files, so the tables wait. A roster that cannot be had is done without. */
enum err_kind roster_prepare(struct cycle *c, bool *ret_is_waiting, struct err *err);

/* Moves the values that somebody in Marketo may carry to the front, in their order, and sets *count
 * to their number. Without a roster: all of them. */
enum err_kind roster_choose(struct step *s, struct str *values, size_t *count, struct err *err);

/* Persons who turned up after the files were made. Nothing to do without a roster. */
void roster_add(struct step *s, const struct record *person);

#endif
