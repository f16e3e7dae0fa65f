/* What is wrong with a field file, collected and told in the order of its lines. Must not know what
 * a line means. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/field_parts.h"

PRINTF_LIKE(4, 0)
static void field_remark(struct field_reader *r, size_t line, const char *prefix, const char *fmt,
			 va_list arguments)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, arguments) < 0)
		abort(); /* out of memory ends the program, as everywhere */
	r->remarks = arena_more(&r->scratch, r->remarks, r->remark_count, &r->remark_cap,
				sizeof(*r->remarks));
	r->remarks[r->remark_count] =
		(struct field_remark){ line, r->remark_count,
				       arena_fmt(&r->scratch, "%s%s", prefix, text) };
	r->remark_count++;
	free(text);
}

void field_mistake(struct field_reader *r, size_t line, const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	field_remark(r, line, "", fmt, arguments);
	va_end(arguments);
	r->file->mistakes++;
}

void field_warning(struct field_reader *r, size_t line, const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	field_remark(r, line, "warning: ", fmt, arguments);
	va_end(arguments);
	r->file->warnings++;
}

static int remark_order(const void *left, const void *right)
{
	const struct field_remark *a = left, *b = right;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

void field_remarks_print(struct field_reader *r, const char *name, struct buf *out)
{
	if (r->remark_count)
		qsort(r->remarks, r->remark_count, sizeof(*r->remarks), remark_order);
	for (size_t i = 0; i < r->remark_count; i++) {
		buf_text(out, name);
		if (r->remarks[i].line)
			buf_fmt(out, ":%zu", r->remarks[i].line);
		buf_fmt(out, ": %s\n", r->remarks[i].text);
	}
}

const char *field_quote(struct field_reader *r, struct str text)
{
	const size_t most = 60;
	struct buf quoted = { 0 };
	const char *shown;

	buf_json(&quoted, text.n > most ? (struct str){ text.p, most } : text);
	shown = arena_fmt(&r->scratch, "%s%s", buf_cstr(&quoted), text.n > most ? "..." : "");
	buf_release(&quoted);
	return shown;
}
