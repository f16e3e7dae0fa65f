/* $filter: parsed once, bound to what its names mean, then asked row by row. It serves rows and
 * metadata alike: what a name means and what its value is come from the caller. */
#ifndef SANDBOX_DATAVERSE_FILTER_H
#define SANDBOX_DATAVERSE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataverse/failure.h"
#include "dataverse/text.h"

enum filter_kind {
	FILTER_AND,
	FILTER_OR,
	FILTER_NOT,
	FILTER_COMPARE,
	FILTER_CONTAINS,
	FILTER_STARTS,
	FILTER_ENDS,
	FILTER_IN,
};

enum filter_operator { FILTER_EQ, FILTER_NE, FILTER_GT, FILTER_GE, FILTER_LT, FILTER_LE };

enum literal_kind {
	LITERAL_NULL,
	LITERAL_TEXT,
	LITERAL_NUMBER,
	LITERAL_BOOLEAN, /* text "1" or "0" */
	LITERAL_GUID,
	LITERAL_TIME, /* text YYYY-MM-DDTHH:MM:SSZ */
	LITERAL_DATE,
};

/* What a name stands for; the value of each is text in the form of the literal of the same name. */
enum filter_class { CLASS_TEXT, CLASS_NUMBER, CLASS_BOOLEAN, CLASS_GUID, CLASS_TIME, CLASS_DATE };

struct literal {
	enum literal_kind kind;
	struct text text; /* text literals also folded */
	double number;
};

struct filter {
	enum filter_kind kind;
	enum filter_operator operator;
	char *name;
	enum filter_class class;
	uint32_t number; /* the binder's own */
	struct literal *values;
	size_t value_count;
	struct filter *left, *right;
};

struct filter_value {
	const char *bytes; /* NULL: empty */
	size_t len;
};

struct filter_names {
	/* The text of a parameter alias (@p1); false when there is none. */
	bool (*alias)(void *context, const char *name, struct text *ret);
	/* Says what f->name means (class, number), or refuses. */
	bool (*bind)(void *context, struct filter *f, struct failure *failure);
	void *context;
};

/* NULL with the failure filled when the text is no filter, or a name or a literal does not fit. */
struct filter *filter_parse(const char *text, const struct filter_names *names,
			    struct failure *failure);
void filter_free(struct filter *f);

bool filter_matches(const struct filter *f,
		    struct filter_value (*get)(void *context, const struct filter *leaf),
		    void *context);

#endif
