/* A link in memory. Knows neither how it is stored nor how it is decided. */
#include "core/link.h"

static const char *const link_state_names[LINK_STATE_COUNT] = {
	[LINK_CLAIMED] = "claimed",
	[LINK_LIVE] = "live",
	[LINK_DELETED_IN_DYNAMICS] = "deleted_in_dynamics",
	[LINK_DELETED_IN_MARKETO] = "deleted_in_marketo",
};

const char *link_state_name(enum link_state s)
{
	return s < LINK_STATE_COUNT ? link_state_names[s] : "unknown";
}

uint64_t link_fingerprint(const struct link *l, enum side side, uint16_t slot)
{
	return slot < l->slot_count ? l->fingerprint[side][slot] : 0;
}

void link_reserve(struct link *l, size_t slot_count, struct arena *a)
{
	if (slot_count <= l->slot_count)
		return;
	for (int s = 0; s < SIDE_COUNT; s++) {
		uint64_t *wider = arena_array(a, slot_count, sizeof(*wider));

		if (l->slot_count)
			memcpy(wider, l->fingerprint[s], l->slot_count * sizeof(*wider));
		l->fingerprint[s] = wider;
	}
	l->slot_count = slot_count;
}
