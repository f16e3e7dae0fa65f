/* What both sides share: the lines of the set-up validation. */
#include "remote/remote.h"

#include <stdio.h>

void check_add(struct check_list *list, const char *name, const struct err *err_or_null,
	       const char *advice)
{
	struct check_line *line;

	if (list->count == ARRAY_LEN(list->lines))
		return;
	line = &list->lines[list->count++];
	line->name = name;
	line->is_ok = !err_or_null || err_or_null->kind == ERR_NONE;
	if (line->is_ok)
		(void)snprintf(line->advice, sizeof(line->advice), "%s", advice ? advice : "");
	else if (advice && advice[0])
		(void)snprintf(line->advice, sizeof(line->advice), "%s (%.200s)", advice,
			       err_or_null->text);
	else
		(void)snprintf(line->advice, sizeof(line->advice), "%s", err_or_null->text);
}
