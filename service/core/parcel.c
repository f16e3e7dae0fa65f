/* Values made ready for a column; see parcel.h. */
#include "core/parcel.h"

/* The labels of several options as canonical text: sorted, each once. */
static struct value parcel_labels(const struct column *c, struct str text, struct arena *a)
{
	struct str *labels = arena_array(a, c->option_count, sizeof(*labels)), rest = text;
	struct value v = { .kind = VALUE_TEXT };
	size_t count = 0, length = 0;
	char *joined;

	while (rest.n) {
		const struct option *o = column_option_by_label(c, str_trim(str_cut(&rest, ';')));
		size_t at = count;

		if (!o)
			continue; /* an empty part: everything else was found to be an option */
		while (at && str_compare(labels[at - 1], o->label) > 0)
			at--;
		if (at && str_equal(labels[at - 1], o->label))
			continue;
		memmove(&labels[at + 1], &labels[at], (count - at) * sizeof(*labels));
		labels[at] = o->label;
		count++;
		length += o->label.n + 1;
	}
	if (!count)
		return (struct value){ .kind = VALUE_EMPTY };
	joined = arena_alloc(a, length);
	for (size_t i = 0; i < count; i++) {
		if (i)
			joined[v.text.n++] = ';';
		memcpy(joined + v.text.n, labels[i].p, labels[i].n);
		v.text.n += labels[i].n;
	}
	v.text.p = joined;
	return v;
}

/* The value as the column will show it: options come back in their own spelling. Without this our
 * own write would look like somebody's change (INV-NO-ECHO). */
static struct value parcel_stored(const struct column *c, const struct value *v, struct arena *a)
{
	if (v->kind != VALUE_TEXT)
		return *v;
	if (c->type == COLUMN_CHOICE)
		return (struct value){ .kind = VALUE_TEXT,
				       .text = column_option_by_label(c, v->text)->label };
	if (c->type == COLUMN_MULTI_CHOICE)
		return parcel_labels(c, v->text, a);
	return *v;
}

void parcel_pack(const struct column *c, const struct fingerprint_key *key, const struct value *v,
		 uint64_t fingerprint, struct arena *a, struct parcel *ret)
{
	ret->value = *v;
	ret->fingerprint = fingerprint;
	ret->is_held = column_holds(c, v, &ret->err) == ERR_NONE;
	if (!ret->is_held)
		return;
	ret->value = parcel_stored(c, v, a);
	if (!value_equal(&ret->value, v))
		ret->fingerprint = fingerprint_of(key, &ret->value);
}
