/* The sync filter: may a row take part? Pure. */
#ifndef CORE_FILTER_H
#define CORE_FILTER_H

#include "core/field.h"

/* What a row shows in the filter column. */
enum filter_mark { FILTER_ABSENT, FILTER_YES, FILTER_NO, FILTER_NULL };

enum filter_verdict {
	FILTER_TRAVELS, /* takes part */
	FILTER_CREATES, /* gets a person when it has none; a link it has is paused */
	FILTER_STOPS    /* gets no person; a link it has is paused, both ways */
};

enum filter_verdict filter_verdict(const struct filter_rule *rule, enum filter_mark mark);

#endif
