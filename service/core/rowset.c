/* Filling a rowset by hand; see rowset.h. */
#include "core/rowset.h"

void rowset_begin(struct rowset *r, const char *const *names, size_t columns, size_t rows_max)
{
	r->memory = (struct arena){ .chunks = NULL };
	r->columns = columns;
	r->rows = 0;
	r->next = (struct str){ NULL, 0 };
	r->names = arena_array(&r->memory, columns, sizeof(char *));
	r->types = arena_array(&r->memory, columns, sizeof(*r->types));
	for (size_t i = 0; i < columns; i++)
		r->names[i] = names[i];
	r->cells = arena_array(&r->memory, columns * rows_max, sizeof(*r->cells));
}

void rowset_set(struct rowset *r, size_t column, const char *text)
{
	if (text)
		r->cells[r->rows * r->columns + column] = arena_str(&r->memory, str_of(text));
}
