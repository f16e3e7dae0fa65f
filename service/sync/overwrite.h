/* What writes into Marketo covered. Marketo has no versions, so an edit between our read and our
 * write is only noticed afterwards, when its change log tells which value the write replaced. It
 * was a collision then: recorded, and put back where Marketo wins (design: the cycle). */
#ifndef SYNC_OVERWRITE_H
#define SYNC_OVERWRITE_H

#include "sync/pairs.h"

/* Keeps what the planned writes into persons will replace, in a commit of its own: before the
 * writes, like losing values. */
enum err_kind overwrite_keep(struct step *s, const struct pair *pairs, size_t count,
			     struct err *err);

/* Marketo may report a write as done that a rule of the instance kept from having an effect. A
 * person that shows again just what such a write was to replace, while the log never told of it,
 * has not been edited: the link goes back to what was agreed before, and the value is parked. To be
 * called before deciding, for pairs whose person was read. */
enum err_kind overwrite_unkept(struct step *s, struct pair *pairs, size_t count, struct err *err);

/* Changes of a page of Marketo's feed. What is found out goes into the step's ledger. */
enum err_kind overwrite_check(struct step *s, const struct change *changes, size_t count,
			      struct err *err);

#endif
