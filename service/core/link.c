/* A link in memory. Knows neither how it is stored nor how it is decided. */
#include "core/link.h"

static const char *const link_state_names[LINK_STATE_COUNT] = {
	[LINK_CLAIMED] = "claimed",
	[LINK_LIVE] = "live",
	[LINK_DELETED_IN_DYNAMICS] = "deleted_in_dynamics",
	[LINK_DELETED_IN_MARKETO] = "deleted_in_marketo",
	[LINK_PAUSED] = "paused",
};

const char *link_state_name(enum link_state s)
{
	return s < LINK_STATE_COUNT ? link_state_names[s] : "unknown";
}

bool link_is_bound(const struct link *l)
{
	return l->state == LINK_LIVE || l->state == LINK_PAUSED;
}

bool link_is_taken(const struct link *l)
{
	return l && (link_is_bound(l) || l->state == LINK_CLAIMED);
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

void link_forget_side(struct link *l, enum side side)
{
	for (size_t i = 0; i < l->slot_count; i++)
		l->fingerprint[side][i] = 0;
}

/* The place of the slot's event, or where it would be. */
static size_t link_event_place(const struct link *l, uint16_t slot)
{
	size_t low = 0, high = l->event_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->events[middle].slot < slot)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct field_event *link_event(const struct link *l, uint16_t slot)
{
	size_t at = link_event_place(l, slot);

	return at < l->event_count && l->events[at].slot == slot ? &l->events[at] : NULL;
}

void link_note_events(struct link *l, const struct field_event *events, size_t count,
		      struct arena *a)
{
	struct field_event *wider;

	if (!count)
		return;
	wider = arena_array(a, l->event_count + count, sizeof(*wider));
	if (l->event_count)
		memcpy(wider, l->events, l->event_count * sizeof(*wider));
	l->events = wider;
	for (size_t i = 0; i < count; i++) {
		size_t at = link_event_place(l, events[i].slot);

		if (at == l->event_count || wider[at].slot != events[i].slot) {
			memmove(&wider[at + 1], &wider[at], (l->event_count - at) * sizeof(*wider));
			l->event_count++;
		}
		wider[at] = events[i];
	}
}
