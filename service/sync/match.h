/* Which person belongs to a record that has no link yet: by stamp, else by e-mail (exactly one
 * unlinked), else a new one. Claims are in the store before anything is created or linked
 * (INV-ONE-ROW). */
#ifndef SYNC_MATCH_H
#define SYNC_MATCH_H

#include "sync/pairs.h"

/* records[i] has no live link; links[i] is its claim or tombstone, or NULL. Fills pairs with those
 * that can go on (linking or creating); ambiguous ones are noted as errors, lost races marked for
 * another look, in the step's ledger. */
enum err_kind match_records(struct step *s, struct record *const *records,
			    struct link *const *links, size_t count, struct pair *pairs,
			    size_t *ret_count, struct err *err);

/* May this person be linked by e-mail: it has no link that lives or is being made, and no stamp of
 * somebody else's link. */
bool match_person_is_free(const struct record *person, const struct link *link);

#endif
