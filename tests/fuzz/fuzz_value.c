/* Any text as a date, a time, a number or a text of either side: what can be read is its own
 * canonical form, and what is written of it is JSON. The first byte chooses kind and scale. */
#include <stdlib.h>

#include "base/clock.h"
#include "remote/dynamics_wire.h"
#include "remote/json.h"
#include "remote/marketo_value.h"
#include "tests/replay/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_json(struct buf *text)
{
	struct json_object *tree = json_tree(buf_str(text));

	if (!tree)
		abort();
	json_object_put(tree);
	buf_clear(text);
}

/* Into every column of both sides. */
static void write_everywhere(struct arena *a, const struct mapping *m, const struct value *v)
{
	CLEANUP(buf_release) struct buf out = { 0 };

	for (size_t i = 0; i < m->count; i++) {
		struct field_write field = { (uint16_t)i, *v };
		struct write w = { .operation = WRITE_UPDATE,
				   .person_id = 1,
				   .fields = &field,
				   .field_count = 1 };
		const struct column *c = m->fields[i].column[TABLE_LEAD];

		marketo_person_print(&w, m, &out);
		must_be_json(&out);
		buf_text(&out, "{\"v\":");
		if (!c || dynamics_value_write(a, c, v, &out, NULL) != ERR_NONE) {
			buf_clear(&out);
			continue;
		}
		buf_char(&out, '}');
		must_be_json(&out);
	}
}

static void must_come_back(struct arena *a, enum value_kind kind, int scale, const struct value *v)
{
	struct value again;

	if (v->kind != kind && v->kind != VALUE_EMPTY)
		abort();
	if (value_parse(a, kind, value_print(a, v), scale, &again, NULL) != ERR_NONE ||
	    !value_equal(&again, v))
		abort();
}

static void as_time(struct str text)
{
	char printed[CLOCK_TEXT];
	int64_t n, again;

	if (clock_parse(text, &n)) {
		clock_print(n, printed);
		if (!clock_parse(str_of(printed), &again) || again != n)
			abort();
	}
	if (clock_parse_date(text, &n)) {
		clock_print_date(n, printed);
		if (!str_equal(str_of(printed), text))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum value_kind kinds[] = { VALUE_BOOLEAN, VALUE_INTEGER, VALUE_DECIMAL,
						 VALUE_DATE,    VALUE_TIME,    VALUE_TEXT };
	static struct mapping *mapping;
	CLEANUP(arena_release) struct arena a = { 0 };
	struct str text = { (const char *)data + 1, size ? size - 1 : 0 };
	enum value_kind kind;
	struct value v;
	int scale;

	if (!size)
		return 0;
	if (!mapping)
		mapping = world_mapping();
	kind = kinds[data[0] % ARRAY_LEN(kinds)];
	scale = (int)(data[0] / ARRAY_LEN(kinds) % 12) - 1;
	as_time(text);
	if (value_parse(&a, kind, text, scale, &v, NULL) != ERR_NONE)
		return 0;
	must_come_back(&a, kind, scale, &v);
	write_everywhere(&a, mapping, &v);
	return 0;
}
