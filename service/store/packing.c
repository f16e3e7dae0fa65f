/* Fingerprints to bytes and back; see packing.h. Knows no statement.
 * Marketo: 8 bytes a slot, most significant first, up to the last slot that has one.
 * Dynamics: null, or a tag byte and then either every slot the same way, or 10 bytes (slot,
 * fingerprint) for each slot that differs from Marketo's, whichever is shorter.
 * Events: 12 bytes each: slot 2, flags 1 (target, given up, turns), rule 1, cycle 4, seconds since
 * 1970 4. */
#include "store/packing.h"

enum {
	PACKING_WHOLE = 0,
	PACKING_DIFFERENCES = 1,
	WHOLE_BYTES = 8,
	DIFFERENCE_BYTES = 10,
	EVENT_BYTES = 12,
	EVENT_TO_DYNAMICS = 0x80,
	EVENT_GIVEN_UP = 0x40,
	TURNS_MAX = 0x3f,
	SLOTS_MAX = 65535
};

static void put(struct buf *b, uint64_t n, unsigned bytes)
{
	while (bytes--)
		buf_char(b, (char)(unsigned char)(n >> (8 * bytes)));
}

static uint64_t get(const char *p, unsigned bytes)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < bytes; i++)
		n = n << 8 | (unsigned char)p[i];
	return n;
}

static size_t used_slots(const struct link *l, enum side side)
{
	size_t n = l->fingerprint[side] ? l->slot_count : 0;

	while (n && !l->fingerprint[side][n - 1])
		n--;
	return n;
}

static uint64_t at(const struct link *l, enum side side, size_t used, size_t slot)
{
	return slot < used ? l->fingerprint[side][slot] : 0;
}

static void put_whole(struct buf *b, const struct link *l, enum side side, size_t used)
{
	for (size_t i = 0; i < used; i++)
		put(b, l->fingerprint[side][i], 8);
}

void packing_write(const struct link *l, struct buf *marketo, struct buf *dynamics, bool *ret_same)
{
	size_t m = used_slots(l, SIDE_MARKETO), d = used_slots(l, SIDE_DYNAMICS),
	       slots = m > d ? m : d, different = 0;

	for (size_t i = 0; i < slots; i++)
		different += at(l, SIDE_MARKETO, m, i) != at(l, SIDE_DYNAMICS, d, i);
	*ret_same = different == 0;
	put_whole(marketo, l, SIDE_MARKETO, m);
	if (!different)
		return;
	if (different * DIFFERENCE_BYTES >= d * WHOLE_BYTES) {
		put(dynamics, PACKING_WHOLE, 1);
		put_whole(dynamics, l, SIDE_DYNAMICS, d);
		return;
	}
	put(dynamics, PACKING_DIFFERENCES, 1);
	for (size_t i = 0; i < slots; i++) {
		if (at(l, SIDE_MARKETO, m, i) == at(l, SIDE_DYNAMICS, d, i))
			continue;
		put(dynamics, i, 2);
		put(dynamics, at(l, SIDE_DYNAMICS, d, i), 8);
	}
}

/* The number of slots the two columns speak of. */
static bool count_slots(struct str marketo, struct str dynamics, size_t *ret)
{
	size_t size = dynamics.n && *dynamics.p == PACKING_DIFFERENCES ? DIFFERENCE_BYTES
								       : WHOLE_BYTES;

	*ret = marketo.n / WHOLE_BYTES;
	if (marketo.n % WHOLE_BYTES || *ret > SLOTS_MAX)
		return false;
	if (!dynamics.n)
		return true;
	if (*dynamics.p != PACKING_WHOLE && *dynamics.p != PACKING_DIFFERENCES)
		return false;
	if ((dynamics.n - 1) % size)
		return false;
	if (*dynamics.p == PACKING_WHOLE) {
		*ret = dynamics.n / size > *ret ? dynamics.n / size : *ret;
		return *ret <= SLOTS_MAX;
	}
	for (size_t i = 1; i < dynamics.n; i += size) {
		size_t slot = get(dynamics.p + i, 2);

		*ret = slot + 1 > *ret ? slot + 1 : *ret;
	}
	return true;
}

bool packing_read(struct str marketo, struct str dynamics, bool dynamics_is_null, struct link *ret,
		  struct arena *a)
{
	size_t slots;

	if (dynamics_is_null != (dynamics.n == 0) || !count_slots(marketo, dynamics, &slots))
		return false;
	ret->slot_count = slots;
	for (int side = 0; side < SIDE_COUNT; side++) {
		ret->fingerprint[side] = arena_array(a, slots, sizeof(uint64_t));
		if (side == SIDE_DYNAMICS && dynamics.n && *dynamics.p == PACKING_WHOLE)
			break;
		for (size_t i = 0; i < marketo.n / WHOLE_BYTES; i++)
			ret->fingerprint[side][i] = get(marketo.p + i * WHOLE_BYTES, 8);
	}
	if (dynamics.n && *dynamics.p == PACKING_WHOLE) {
		for (size_t i = 0; i < dynamics.n / WHOLE_BYTES; i++)
			ret->fingerprint[SIDE_DYNAMICS][i] =
				get(dynamics.p + 1 + i * WHOLE_BYTES, 8);
		return true;
	}
	for (size_t i = 1; i < dynamics.n; i += DIFFERENCE_BYTES)
		ret->fingerprint[SIDE_DYNAMICS][get(dynamics.p + i, 2)] =
			get(dynamics.p + i + 2, 8);
	return true;
}

void packing_write_events(const struct link *l, struct buf *ret)
{
	for (size_t i = 0; i < l->event_count; i++) {
		const struct field_event *e = &l->events[i];
		unsigned turns = e->turns < TURNS_MAX ? e->turns : TURNS_MAX;

		put(ret, e->slot, 2);
		put(ret,
		    (e->target == SIDE_DYNAMICS ? (unsigned)EVENT_TO_DYNAMICS : 0) |
			    (e->is_given_up ? (unsigned)EVENT_GIVEN_UP : 0) | turns,
		    1);
		put(ret, e->rule, 1);
		put(ret, e->cycle, 4);
		put(ret, (uint64_t)e->at_s, 4);
	}
}

bool packing_read_events(struct str bytes, struct link *ret, struct arena *a)
{
	ret->event_count = bytes.n / EVENT_BYTES;
	if (bytes.n % EVENT_BYTES)
		return false;
	if (!ret->event_count)
		return true;
	ret->events = arena_array(a, ret->event_count, sizeof(*ret->events));
	for (size_t i = 0; i < ret->event_count; i++) {
		const char *p = bytes.p + i * EVENT_BYTES;
		unsigned flags = (unsigned)get(p + 2, 1);

		ret->events[i] = (struct field_event){
			.slot = (uint16_t)get(p, 2),
			.target = flags & EVENT_TO_DYNAMICS ? SIDE_DYNAMICS : SIDE_MARKETO,
			.is_given_up = flags & EVENT_GIVEN_UP,
			.turns = (uint8_t)(flags & TURNS_MAX),
			.rule = (uint8_t)get(p + 3, 1),
			.cycle = (uint32_t)get(p + 4, 4),
			.at_s = (int64_t)get(p + 8, 4),
		};
		if (i && ret->events[i - 1].slot >= ret->events[i].slot)
			return false;
	}
	return true;
}
