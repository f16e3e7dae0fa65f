/* Rows that lost a merge in Dynamics. They stay, inactive, and tell who won; what becomes of their
 * links is decided here, before the rows are looked at like others. */
#ifndef SYNC_MERGED_H
#define SYNC_MERGED_H

#include "sync/pairs.h"

/* records are of one table. The link of a row that lost goes to the winner when that has no person
 * of its own; else it is paused and reported, since persons are never merged from here. Commits
 * what it changed. */
enum err_kind merged_run(struct step *s, struct record *const *records, size_t count,
			 struct err *err);

#endif
