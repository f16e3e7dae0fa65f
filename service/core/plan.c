/* A plan as a container; see plan.h. Knows nothing of how it is decided. */
#include "core/plan.h"

/* Room for one more element. Lists grow whenever their count is a power of two, so that no capacity
 * needs keeping; most plans are empty and cost nothing. */
static void *plan_room(struct arena *a, void *list, size_t count, size_t size)
{
	bool is_full = count == 0 || (count >= 4 && (count & (count - 1)) == 0);
	void *wider;

	if (!is_full)
		return list;
	wider = arena_array(a, count ? count * 2 : 4, size);
	if (count)
		memcpy(wider, list, count * size);
	return wider;
}

void plan_write(struct plan *p, enum side target, size_t index, const struct value *v,
		struct arena *a)
{
	size_t n = p->write_count[target]++;

	p->write[target] = plan_room(a, p->write[target], n, sizeof(*p->write[target]));
	p->write[target][n] = (struct field_write){ .index = (uint16_t)index, .value = *v };
}

void plan_refuse(struct plan *p, const struct refusal *refusal, struct arena *a)
{
	size_t n = p->refusal_count++;

	p->refusal = plan_room(a, p->refusal, n, sizeof(*p->refusal));
	p->refusal[n] = *refusal;
}

void plan_collide(struct plan *p, const struct collision *collision, struct arena *a)
{
	size_t n = p->collision_count++;

	p->collision = plan_room(a, p->collision, n, sizeof(*p->collision));
	p->collision[n] = *collision;
}

void plan_event(struct plan *p, const struct field_event *event, struct arena *a)
{
	size_t n = p->event_count++;

	p->event = plan_room(a, p->event, n, sizeof(*p->event));
	p->event[n] = *event;
}

void plan_drop_collision(struct plan *p, uint16_t index)
{
	for (size_t i = 0; i < p->collision_count; i++) {
		if (p->collision[i].index != index)
			continue;
		p->collision_count--;
		memmove(&p->collision[i], &p->collision[i + 1],
			(p->collision_count - i) * sizeof(*p->collision));
		return;
	}
}

void plan_drop_event(struct plan *p, uint16_t slot)
{
	for (size_t i = 0; i < p->event_count; i++) {
		if (p->event[i].slot != slot)
			continue;
		p->event_count--;
		memmove(&p->event[i], &p->event[i + 1], (p->event_count - i) * sizeof(*p->event));
		return;
	}
}

void plan_drop_write(struct plan *p, enum side target, size_t i)
{
	p->write_count[target]--;
	memmove(&p->write[target][i], &p->write[target][i + 1],
		(p->write_count[target] - i) * sizeof(*p->write[target]));
}
