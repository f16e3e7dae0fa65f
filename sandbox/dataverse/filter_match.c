/* $filter: does a row match? Knows no grammar and no tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataverse/filter.h"

static int compare(const struct filter *f, struct filter_value v, const struct literal *l)
{
	char number[64];
	double n;

	if (f->class == CLASS_TEXT)
		return fold_compare(v.bytes, v.len, l->text.data, l->text.len);
	if (f->class != CLASS_NUMBER) {
		size_t least = v.len < l->text.len ? v.len : l->text.len;
		int order = memcmp(v.bytes, l->text.data, least);

		return order ? order : (v.len > l->text.len) - (v.len < l->text.len);
	}
	snprintf(number, sizeof(number), "%.*s", (int)v.len, v.bytes);
	n = strtod(number, NULL);
	return (n > l->number) - (n < l->number);
}

/* An empty value is unequal to everything but null, and neither above nor below anything. */
static bool compare_matches(const struct filter *f, struct filter_value v)
{
	const struct literal *l = &f->values[0];
	int order;

	if (!v.bytes || l->kind == LITERAL_NULL)
		return (!v.bytes && l->kind == LITERAL_NULL)
			? f->operator== FILTER_EQ : f->operator== FILTER_NE;
	order = compare(f, v, l);
	switch (f->operator) {
	case FILTER_EQ:
		return order == 0;
	case FILTER_NE:
		return order != 0;
	case FILTER_GT:
		return order > 0;
	case FILTER_GE:
		return order >= 0;
	case FILTER_LT:
		return order < 0;
	case FILTER_LE:
		return order <= 0;
	}
	return false;
}

static bool text_matches(const struct filter *f, struct filter_value v)
{
	const struct text *wanted = &f->values[0].text;
	struct text folded = { 0 };
	bool found = false;

	if (!v.bytes)
		return false;
	fold_text(&folded, v.bytes, v.len);
	if (f->kind == FILTER_CONTAINS)
		found = memmem(folded.data, folded.len, wanted->data, wanted->len) != NULL;
	else if (folded.len >= wanted->len)
		found = memcmp(f->kind == FILTER_STARTS ? folded.data
							: folded.data + folded.len - wanted->len,
			       wanted->data, wanted->len) == 0;
	text_free(&folded);
	return found;
}

static bool in_matches(const struct filter *f, struct filter_value v)
{
	for (size_t i = 0; v.bytes && i < f->value_count; i++)
		if (f->values[i].kind != LITERAL_NULL && compare(f, v, &f->values[i]) == 0)
			return true;
	return false;
}

bool filter_matches(const struct filter *f,
		    struct filter_value (*get)(void *context, const struct filter *leaf),
		    void *context)
{
	switch (f->kind) {
	case FILTER_AND:
		return filter_matches(f->left, get, context) &&
		       filter_matches(f->right, get, context);
	case FILTER_OR:
		return filter_matches(f->left, get, context) ||
		       filter_matches(f->right, get, context);
	case FILTER_NOT:
		return !filter_matches(f->left, get, context);
	case FILTER_COMPARE:
		return compare_matches(f, get(context, f));
	case FILTER_CONTAINS:
	case FILTER_STARTS:
	case FILTER_ENDS:
		return text_matches(f, get(context, f));
	case FILTER_IN:
		return in_matches(f, get(context, f));
	}
	return false;
}
