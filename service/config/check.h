/* One row of the option table, and how a value is checked and put in its place. Private to this
 * folder. */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "config/config.h"

enum config_kind {
	CONFIG_TEXT,
	CONFIG_PEM,      /* text of several lines */
	CONFIG_DATABASE, /* what libpq takes: an address or key=value pairs */
	CONFIG_URL,      /* scheme, host, port; https, or http to loopback */
	CONFIG_LISTEN,
	CONFIG_KEYS,
	CONFIG_NUMBER,  /* int64_t within min and max */
	CONFIG_SECONDS, /* the same in milliseconds, written in seconds with fraction */
	CONFIG_DAYS,    /* the same, written in days with fraction */
	CONFIG_CHOICE,  /* bool: the first of two words */
	CONFIG_LEVEL
};

struct option {
	const char *name;
	enum config_kind kind;
	size_t offset; /* of the member of struct config */
	const char *fallback;
	int64_t min, max;
	const char *const *choices; /* the words allowed; NULL behind the last */
	unsigned needs;
	const char *instead; /* the option that may stand in its place; never both */
	bool is_secret;      /* may come from a file; never printed */
	const char *help;
};

enum { CONFIG_RULE = 320 };

bool config_is_text(const struct option *o);                  /* the member is an owned char * */
char **config_text(struct config *c, const struct option *o); /* that member */
void config_wipe(char *text); /* overwrites and frees; NULL is fine */

/* False: rule says what the value has to be, without quoting it. */
bool config_take_value(const struct option *o, const char *value, struct config *c,
		       char rule[CONFIG_RULE]);
/* TANDEM_API_KEYS: adds a line per mistake to problems and returns how many. */
size_t config_take_keys(const struct option *o, const char *value, struct config *c,
			struct buf *problems);

#endif
