/* Companies and sales persons in a state file. */
#include "base/state.h"
#include "marketo/object.h"

void objects_save(const struct marketo *m, struct state_writer *w)
{
	for (int kind = 0; kind < OBJECT_KIND_COUNT; kind++) {
		const struct objects *all = &m->objects[kind];

		state_put_number(w, all->count);
		for (size_t i = 0; i < all->count; i++) {
			state_put_number(w, all->list[i].gone);
			state_put_signed(w, all->list[i].created);
			state_put_signed(w, all->list[i].updated);
			state_put_row(w, all->list[i].row);
		}
	}
}

static void object_restore(struct marketo *m, enum object_kind kind, struct state_reader *r,
			   const uint16_t *columns, size_t column_count)
{
	bool gone = state_take_number(r, 1);
	int64_t created = state_take_signed(r), updated = state_take_signed(r);
	struct row *row = state_take_row(r, columns, column_count);
	size_t len = 0;
	const char *key = row_get(row, (uint16_t)object_infos[kind].key, &len);
	struct object *made;

	if (r->broken || gone != !key) {
		state_broken(r);
		row_free(row);
		return;
	}
	made = object_add(m, kind, key ? key : "", len);
	made->created = created;
	made->updated = updated;
	if (gone) {
		object_remove(m, kind, made);
		row_free(row);
		return;
	}
	row_free(made->row);
	made->row = row;
}

void objects_restore(struct marketo *m, struct state_reader *r, const uint16_t *columns,
		     size_t column_count)
{
	for (int kind = 0; kind < OBJECT_KIND_COUNT; kind++) {
		uint64_t count = state_take_number(r, UINT32_MAX / 2);

		for (; count && !r->broken; count--)
			object_restore(m, (enum object_kind)kind, r, columns, column_count);
	}
}
