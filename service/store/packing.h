/* A link's fingerprints as the bytes of two columns, its events as those of a third. Most fields
 * show the same on both sides, so the Dynamics side is stored by what differs. Pure. */
#ifndef STORE_PACKING_H
#define STORE_PACKING_H

#include "base/buf.h"
#include "core/link.h"

/* *ret_same: the Dynamics side equals Marketo's and is stored as null; dynamics stays empty then.
 * Appends to both. */
void packing_write(const struct link *l, struct buf *marketo, struct buf *dynamics, bool *ret_same);

/* dynamics_is_null: as above. False when the bytes are not what packing_write writes. */
MUST_CHECK bool packing_read(struct str marketo, struct str dynamics, bool dynamics_is_null,
			     struct link *ret, struct arena *a);

/* Appends nothing when there are none. */
void packing_write_events(const struct link *l, struct buf *ret);
MUST_CHECK bool packing_read_events(struct str bytes, struct link *ret, struct arena *a);

#endif
