/* What both sides share: the lines of the set-up validation. */
#include "remote/remote.h"

#include <stdio.h>

#include "base/clock.h"

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

void remote_explain_budget(struct remote_budget *b, const char *side)
{
	static const char *const texts[] = {
		[HOLD_TOLD] = "it asked for a pause; calls to it wait",
		[HOLD_DAY] = "what cycles may call today is used up; they wait",
		[HOLD_SHARED] =
			"all programs together have used so much of its daily quota that cycles wait",
		[HOLD_SHUT] = "its daily quota is used up; nothing is sent to it",
	};
	const char *text = b->now.hold < ARRAY_LEN(texts) ? texts[b->now.hold] : NULL;
	char until[CLOCK_TEXT];

	b->reason[0] = '\0';
	if (!text)
		return;
	if (b->now.hold == HOLD_DAY && b->now.is_realtime_held)
		text = "what we may call today is used up; nothing is sent to it";
	clock_print(b->now.held_until_ms / 1000, until);
	(void)snprintf(b->reason, sizeof(b->reason), "%s: %s until %s", side, text, until);
}
