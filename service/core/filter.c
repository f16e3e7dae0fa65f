/* The sync filter as a table; see filter.h. */
#include "core/filter.h"

enum filter_verdict filter_verdict(const struct filter_rule *rule, enum filter_mark mark)
{
	static const enum filter_verdict of_null[] = {
		[FILTER_NULL_CREATE_ONLY] = FILTER_CREATES,
		[FILTER_NULL_SYNC] = FILTER_TRAVELS,
		[FILTER_NULL_SKIP] = FILTER_STOPS,
	};

	switch (mark) {
	case FILTER_ABSENT:
	case FILTER_YES:
		break;
	case FILTER_NO:
		return FILTER_STOPS;
	case FILTER_NULL:
		return of_null[rule->null];
	}
	return FILTER_TRAVELS;
}
