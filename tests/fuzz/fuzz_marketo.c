/* Any bytes as Marketo's answer: an outcome, never a crash; success only when the answer says so.
 * Every element is read as all that an element can be. */
#include <stdlib.h>

#include "remote/marketo_value.h"
#include "remote/marketo_wire.h"
#include "tests/replay/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reading {
	struct arena memory;
	struct mapping *mapping;
};

static void as_person(struct reading *r, struct json_object *value)
{
	struct record *person = NULL;

	if (marketo_person_read(value, r->mapping, &r->memory, &person, NULL) != ERR_NONE)
		return;
	if (person->person_id <= 0)
		abort();
	for (size_t i = 0; i < r->mapping->count; i++) {
		const struct value *v = &person->values[i];
		struct value again;

		if (v->kind != VALUE_TEXT)
			continue;
		again = value_text(&r->memory, v->text);
		if (!v->text.n || !value_equal(&again, v))
			abort(); /* canonical text is its own canonical text, and empty text is none
				  */
	}
}

static void as_change(struct reading *r, struct json_object *value)
{
	struct change change = { .kind = CHANGE_EDITED };

	if (marketo_field_change_read(value, r->mapping, &r->memory, &change) &&
	    (change.index >= r->mapping->count || change.now.kind == VALUE_UNSEEN))
		abort();
}

static void as_column(struct reading *r, struct json_object *value)
{
	struct column column;

	if (marketo_column_read(value, &r->memory, &column) && !column.name.n)
		abort();
}

static enum err_kind element(void *context, struct json_object *value, struct err *err)
{
	struct err of_record = { .kind = ERR_NONE };
	struct reading *r = context;
	bool was_created;
	int64_t id;

	(void)err;
	(void)marketo_record_read(value, &id, &was_created, &of_record);
	as_person(r, value);
	as_change(r, value);
	as_column(r, value);
	return ERR_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mapping *mapping;
	struct str text = { (const char *)data, size };
	struct reading reading = { .mapping = mapping ? mapping : (mapping = world_mapping()) };
	struct marketo_sink sink = { .element = element, .context = &reading };
	struct marketo_answer answer = { .has_success = false };
	enum marketo_reaction reaction;
	struct err err = { .kind = ERR_NONE };
	enum err_kind kind = marketo_answer_read(text, &sink, &answer, &reaction, &err);

	if (kind == ERR_NONE && reaction != MARKETO_EMPTY && !answer.is_success)
		abort();
	marketo_answer_release(&answer);
	arena_release(&reading.memory);
	return 0;
}
