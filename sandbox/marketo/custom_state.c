/* Custom activity types in a state file. */
#include <stdlib.h>

#include "base/state.h"
#include "marketo/marketo.h"

static void attribute_save(const struct custom_attribute *a, struct state_writer *w)
{
	state_put_text(w, a->api_name);
	state_put_text(w, a->name);
	state_put_text(w, a->description);
	state_put_text(w, a->type);
}

/* A text that is never absent. */
static char *take_word(struct state_reader *r)
{
	char *word = state_take_text(r);

	if (!word)
		state_broken(r);
	return word ? word : word_copy("");
}

static void attribute_restore(struct custom_attribute *a, struct state_reader *r)
{
	a->api_name = take_word(r);
	a->name = take_word(r);
	a->description = take_word(r);
	a->type = take_word(r);
}

static void version_save(const struct custom_version *v, struct state_writer *w)
{
	state_put_text(w, v->name);
	state_put_text(w, v->description);
	state_put_text(w, v->trigger);
	state_put_text(w, v->filter);
	attribute_save(&v->primary, w);
	state_put_number(w, (uint64_t)v->count);
	for (int i = 0; i < v->count; i++)
		attribute_save(&v->attributes[i], w);
}

static void version_restore(struct custom_version *v, struct state_reader *r)
{
	int count;

	v->name = take_word(r);
	v->description = take_word(r);
	v->trigger = take_word(r);
	v->filter = take_word(r);
	attribute_restore(&v->primary, r);
	count = (int)state_take_number(r, CUSTOM_ATTRIBUTES_MAX);
	while (v->count < count)
		attribute_restore(&v->attributes[v->count++], r);
}

void custom_save(const struct marketo *m, struct state_writer *w)
{
	state_put_number(w, (uint64_t)m->custom.count);
	state_put_number(w, m->custom.made);
	for (int i = 0; i < m->custom.count; i++) {
		const struct custom_type *t = &m->custom.list[i];

		state_put_text(w, t->api_name);
		state_put_number(w, t->id);
		state_put_signed(w, t->created);
		state_put_signed(w, t->updated);
		state_put_number(w, t->has_draft);
		if (t->has_draft)
			version_save(&t->draft, w);
		state_put_number(w, t->has_approved);
		if (t->has_approved)
			version_save(&t->approved, w);
	}
}

void custom_restore(struct marketo *m, struct state_reader *r)
{
	int count = (int)state_take_number(r, CUSTOM_TYPES_MAX);

	m->custom.made = (uint32_t)state_take_number(r, UINT32_MAX);
	while (m->custom.count < count && !r->broken) {
		struct custom_type *t = &m->custom.list[m->custom.count++];

		*t = (struct custom_type){ .api_name = take_word(r) };
		t->id = (uint32_t)state_take_number(r, UINT32_MAX);
		t->created = state_take_signed(r);
		t->updated = state_take_signed(r);
		t->has_draft = state_take_number(r, 1);
		if (t->has_draft)
			version_restore(&t->draft, r);
		t->has_approved = state_take_number(r, 1);
		if (t->has_approved)
			version_restore(&t->approved, r);
	}
}
