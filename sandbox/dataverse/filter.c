/* $filter: the grammar (Microsoft Learn: Filter rows using OData). Knows no tables. */
#include "dataverse/filter.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX 100
#define CONDITIONS_MAX 500
#define PARSE_CODE "0x80060888"

struct parser {
	const char *at;
	const char *start;
	const struct filter_names *names;
	struct failure *failure;
	int depth;
	int conditions;
};

bool failure_set(struct failure *f, int status, const char *code, const char *fmt, ...)
{
	va_list args;

	f->status = status;
	snprintf(f->code, sizeof(f->code), "%s", code);
	va_start(args, fmt);
	vsnprintf(f->message, sizeof(f->message), fmt, args);
	va_end(args);
	return false;
}

static struct filter *syntax_error(struct parser *p)
{
	failure_set(p->failure, 400, PARSE_CODE, "Syntax error at position %d in '%s'.",
		    (int)(p->at - p->start), p->start);
	return NULL;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	filter_free(f->left);
	filter_free(f->right);
	for (size_t i = 0; i < f->value_count; i++)
		text_free(&f->values[i].text);
	free(f->values);
	free(f->name);
	free(f);
}

static struct filter *filter_new(enum filter_kind kind)
{
	struct filter *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->kind = kind;
	return f;
}

static struct literal *literal_new(struct filter *f)
{
	f->values = realloc(f->values, (f->value_count + 1) * sizeof(*f->values));
	if (!f->values)
		abort();
	f->values[f->value_count] = (struct literal){ .kind = LITERAL_NULL };
	return &f->values[f->value_count++];
}

static void skip_space(struct parser *p)
{
	while (*p->at == ' ' || *p->at == '\t')
		p->at++;
}

static size_t word_length(const char *s)
{
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./@:+-");
}

/* A keyword that stands alone, then space or a parenthesis. */
static bool take_word(struct parser *p, const char *word)
{
	size_t len = strlen(word);

	skip_space(p);
	if (strncmp(p->at, word, len) != 0 || (p->at[len] != ' ' && p->at[len] != '('))
		return false;
	p->at += len;
	return true;
}

static bool take(struct parser *p, char c)
{
	skip_space(p);
	if (*p->at != c)
		return false;
	p->at++;
	return true;
}

/* 'text' with quotes doubled. */
static bool take_quoted(struct parser *p, struct text *ret)
{
	if (!take(p, '\''))
		return false;
	text_add(ret, "", 0);
	for (; *p->at; p->at++) {
		if (*p->at == '\'' && *++p->at != '\'')
			return true;
		text_add(ret, p->at, 1);
	}
	return false;
}

static bool word_literal(const char *word, size_t len, struct literal *ret)
{
	struct guid id;
	int64_t seconds;
	char time[TIME_TEXT], guid[GUID_TEXT], date[DATE_TEXT];
	char number[64], *end;

	if (len == 4 && memcmp(word, "null", 4) == 0) {
		ret->kind = LITERAL_NULL;
	} else if ((len == 4 && memcmp(word, "true", 4) == 0) ||
		   (len == 5 && memcmp(word, "false", 5) == 0)) {
		ret->kind = LITERAL_BOOLEAN;
		text_puts(&ret->text, *word == 't' ? "1" : "0");
	} else if (guid_parse(word, len, &id)) {
		ret->kind = LITERAL_GUID;
		guid_print(&id, guid);
		text_puts(&ret->text, guid);
	} else if (date_parse(word, len, date)) {
		ret->kind = LITERAL_DATE;
		text_puts(&ret->text, date);
	} else if (time_parse(word, len, &seconds)) {
		ret->kind = LITERAL_TIME;
		time_print(seconds, time);
		text_puts(&ret->text, time);
	} else {
		if (!len || len >= sizeof(number))
			return false;
		memcpy(number, word, len);
		number[len] = '\0';
		ret->number = strtod(number, &end);
		ret->kind = LITERAL_NUMBER;
		text_puts(&ret->text, number);
		return *end == '\0';
	}
	return true;
}

static bool take_literal(struct parser *p, struct literal *ret, bool alias_allowed);

static bool take_alias(struct parser *p, struct literal *ret)
{
	size_t len = word_length(p->at);
	char *name = strndup(p->at, len);
	struct text text = { 0 };
	bool good = name && p->names->alias(p->names->context, name, &text);
	struct parser inner = {
		.at = text.data, .start = text.data, .names = p->names, .failure = p->failure
	};

	free(name);
	p->at += len;
	good = good && take_literal(&inner, ret, false) && *inner.at == '\0';
	text_free(&text);
	return good;
}

static bool take_literal(struct parser *p, struct literal *ret, bool alias_allowed)
{
	size_t len;
	struct text folded = { 0 };

	skip_space(p);
	if (*p->at == '@')
		return alias_allowed && take_alias(p, ret);
	len = word_length(p->at);
	if (p->at[len] ==
	    '\'') { /* a plain text, or an enumeration value: its type is not needed */
		p->at += len;
		ret->kind = LITERAL_TEXT;
		if (!take_quoted(p, &ret->text))
			return false;
		fold_text(&folded, ret->text.data, ret->text.len);
		text_free(&ret->text);
		ret->text = folded;
		return true;
	}
	if (!word_literal(p->at, len, ret))
		return false;
	p->at += len;
	return true;
}

static char *take_name(struct parser *p)
{
	size_t len;
	char *name;

	skip_space(p);
	len = strspn(p->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./");
	if (!len)
		return NULL;
	name = strndup(p->at, len);
	p->at += len;
	return name;
}

static const char *const class_types[] = {
	[CLASS_TEXT] = "Edm.String",         [CLASS_NUMBER] = "Edm.Int32",
	[CLASS_BOOLEAN] = "Edm.Boolean",     [CLASS_GUID] = "Edm.Guid",
	[CLASS_TIME] = "Edm.DateTimeOffset", [CLASS_DATE] = "Edm.Date",
};

static const char *const literal_types[] = {
	[LITERAL_NULL] = "Edm.Null",    [LITERAL_TEXT] = "Edm.String",
	[LITERAL_NUMBER] = "Edm.Int32", [LITERAL_BOOLEAN] = "Edm.Boolean",
	[LITERAL_GUID] = "Edm.Guid",    [LITERAL_TIME] = "Edm.DateTimeOffset",
	[LITERAL_DATE] = "Edm.Date",
};

/* Does the literal fit what the name is? A day stands for its midnight where a time is compared. */
static bool literal_fits(struct parser *p, const struct filter *f, struct literal *l)
{
	static const enum literal_kind wanted[] = {
		[CLASS_TEXT] = LITERAL_TEXT,       [CLASS_NUMBER] = LITERAL_NUMBER,
		[CLASS_BOOLEAN] = LITERAL_BOOLEAN, [CLASS_GUID] = LITERAL_GUID,
		[CLASS_TIME] = LITERAL_TIME,       [CLASS_DATE] = LITERAL_DATE,
	};

	if (l->kind == LITERAL_DATE && f->class == CLASS_TIME) {
		text_puts(&l->text, "T00:00:00Z");
		l->kind = LITERAL_TIME;
	}
	if (l->kind == LITERAL_NULL || l->kind == wanted[f->class])
		return true;
	return failure_set(
		p->failure, 400, PARSE_CODE,
		"A binary operator with incompatible types was detected. Found operand types '%s' and '%s' for operator "
		"kind 'Equal'.",
		class_types[f->class], literal_types[l->kind]);
}

static struct filter *not_offered(struct parser *p, struct filter *f, const char *what)
{
	filter_free(f);
	failure_set(p->failure, 501, PARSE_CODE, "%s is not offered here, at position %d in '%s'.",
		    what, (int)(p->at - p->start), p->start);
	return NULL;
}

/* Does the name of a property stand where a literal should? Two properties may be compared by the
 * service (Microsoft Learn: Filter rows using OData). */
static bool at_property(struct parser *p)
{
	size_t len;

	skip_space(p);
	len = strspn(p->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/");
	return len && (isalpha((unsigned char)*p->at) || *p->at == '_') &&
	       (p->at[len] == '\0' || p->at[len] == ' ' || p->at[len] == ')') &&
	       strncmp(p->at, "true", len) != 0 && strncmp(p->at, "false", len) != 0 &&
	       strncmp(p->at, "null", len) != 0;
}

/* The second one must be a property at least. */
static struct filter *two_properties(struct parser *p, struct filter *f)
{
	struct filter *other = filter_new(FILTER_COMPARE);
	bool known;

	other->name = take_name(p);
	known = other->name && p->names->bind(p->names->context, other, p->failure);
	filter_free(other);
	if (known)
		return not_offered(p, f, "A comparison of two properties");
	filter_free(f);
	return NULL;
}

/* Binds a leaf; takes it. */
static struct filter *leaf_done(struct parser *p, struct filter *f)
{
	bool good = p->names->bind(p->names->context, f, p->failure);

	for (size_t i = 0; good && i < f->value_count && f->kind != FILTER_IN; i++)
		good = literal_fits(p, f, &f->values[i]);
	if (++p->conditions > CONDITIONS_MAX)
		good = failure_set(p->failure, 400, "0x8004430c",
				   "Number of conditions in query exceeded maximum limit.");
	if (good)
		return f;
	filter_free(f);
	return NULL;
}

static struct filter *bad_leaf(struct parser *p, struct filter *f)
{
	filter_free(f);
	return syntax_error(p);
}

/* contains(name,'text') and its kin; the name of the function was taken. */
static struct filter *text_function(struct parser *p, enum filter_kind kind)
{
	struct filter *f = filter_new(kind);

	if (!take(p, '(') || !(f->name = take_name(p)) || !take(p, ',') ||
	    !take_literal(p, literal_new(f), true) || !take(p, ')'))
		return bad_leaf(p, f);
	f = leaf_done(p, f);
	if (f && (f->class != CLASS_TEXT || f->values[0].kind != LITERAL_TEXT)) {
		filter_free(f);
		failure_set(p->failure, 400, PARSE_CODE,
			    "The function takes a text property and a text.");
		return NULL;
	}
	return f;
}

/* The values of In are always given as texts; each becomes what the property is. */
static bool in_value(struct filter *f, const char *bytes, size_t len)
{
	struct literal *l = literal_new(f);

	if (f->class == CLASS_TEXT) {
		l->kind = LITERAL_TEXT;
		fold_text(&l->text, bytes, len);
		return true;
	}
	return word_literal(bytes, len, l);
}

static bool in_values(struct parser *p, struct filter *f, const char *json_text, size_t *ret_used)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *list;
	bool good;

	if (!tokener)
		abort();
	list = json_tokener_parse_ex(tokener, json_text, -1);
	*ret_used = json_tokener_get_parse_end(tokener);
	json_tokener_free(tokener);
	good = list && json_object_is_type(list, json_type_array);
	for (size_t i = 0; good && i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		good = item && in_value(f, json_object_get_string(item),
					(size_t)json_object_get_string_len(item));
		if (good)
			good = literal_fits(p, f, &f->values[f->value_count - 1]);
	}
	json_object_put(list);
	return good;
}

static bool in_property(struct parser *p, struct filter *f)
{
	struct text name = { 0 };
	struct literal alias = { 0 };
	bool good;

	skip_space(p);
	if (*p->at == '@') {
		good = take_literal(p, &alias, true);
		name = alias.text;
	} else {
		good = take_quoted(p, &name);
	}
	if (good)
		f->name = strndup(name.data, name.len);
	text_free(&name);
	return good && f->name;
}

/* Microsoft.Dynamics.CRM.In(PropertyName='…',PropertyValues=["…"]); both may be parameter aliases. */
static struct filter *in_function(struct parser *p)
{
	struct filter *f = filter_new(FILTER_IN);
	struct text list = { 0 };
	size_t used;
	bool good;

	if (!take(p, '(') || strncmp(p->at, "PropertyName=", 13) != 0)
		return bad_leaf(p, f);
	p->at += 13;
	if (!in_property(p, f) || !take(p, ','))
		return bad_leaf(p, f);
	skip_space(p);
	if (strncmp(p->at, "PropertyValues=", 15) != 0)
		return bad_leaf(p, f);
	p->at += 15;
	f = leaf_done(p, f);
	if (!f)
		return NULL;
	if (*p->at == '@') {
		size_t len = word_length(p->at);
		char *name = strndup(p->at, len);

		good = name && p->names->alias(p->names->context, name, &list) &&
		       in_values(p, f, list.data, &used);
		free(name);
		text_free(&list);
		p->at += len;
	} else {
		good = in_values(p, f, p->at, &used);
		p->at += good ? used : 0;
	}
	if (!good || !take(p, ')'))
		return bad_leaf(p, f);
	return f;
}

/* name in ('a','b'): what the function In does, written as OData 4.01 has it. The name was taken. */
static struct filter *in_operator(struct parser *p, struct filter *f)
{
	f->kind = FILTER_IN;
	if (!take(p, '('))
		return bad_leaf(p, f);
	do {
		if (!take_literal(p, literal_new(f), true))
			return bad_leaf(p, f);
	} while (take(p, ','));
	if (!take(p, ')'))
		return bad_leaf(p, f);
	f = leaf_done(p, f);
	for (size_t i = 0; f && i < f->value_count; i++) {
		if (literal_fits(p, f, &f->values[i]))
			continue;
		filter_free(f);
		f = NULL;
	}
	return f;
}

static struct filter *comparison(struct parser *p)
{
	static const char *const operators[] = { "eq", "ne", "gt", "ge", "lt", "le" };
	struct filter *f = filter_new(FILTER_COMPARE);

	f->name = take_name(p);
	if (!f->name)
		return bad_leaf(p, f);
	if (*p->at == '(' && strncmp(f->name, "Microsoft.Dynamics.CRM.", 23) == 0)
		return not_offered(p, f, "The query function");
	if (*p->at == '(' && strchr(f->name, '/'))
		return not_offered(p, f, "A condition on a collection (any, all)");
	if (take_word(p, "in"))
		return in_operator(p, f);
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		if (!take_word(p, operators[i]))
			continue;
		f->operator=(enum filter_operator) i;
		if (at_property(p))
			return two_properties(p, f);
		if (!take_literal(p, literal_new(f), true))
			return bad_leaf(p, f);
		return leaf_done(p, f);
	}
	return bad_leaf(p, f);
}

static struct filter *either(struct parser *p);

static struct filter *primary(struct parser *p)
{
	static const struct {
		const char *name;
		enum filter_kind kind;
	} functions[] = { { "contains", FILTER_CONTAINS },
			  { "startswith", FILTER_STARTS },
			  { "endswith", FILTER_ENDS } };
	struct filter *f;

	if (p->depth++ > DEPTH_MAX)
		return syntax_error(p);
	if (take_word(p, "not")) {
		f = filter_new(FILTER_NOT);
		f->left = primary(p);
		p->depth--;
		if (f->left)
			return f;
		filter_free(f);
		return NULL;
	}
	if (take(p, '(')) {
		f = either(p);
		p->depth--;
		if (f && !take(p, ')'))
			return bad_leaf(p, f);
		return f;
	}
	p->depth--;
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (take_word(p, functions[i].name))
			return text_function(p, functions[i].kind);
	if (take_word(p, "Microsoft.Dynamics.CRM.In"))
		return in_function(p);
	return comparison(p);
}

static struct filter *joined(struct parser *p, const char *word, enum filter_kind kind,
			     struct filter *(*part)(struct parser *))
{
	struct filter *f = part(p);

	while (f && take_word(p, word)) {
		struct filter *both = filter_new(kind);

		both->left = f;
		both->right = part(p);
		if (!both->right) {
			filter_free(both);
			return NULL;
		}
		f = both;
	}
	return f;
}

static struct filter *both(struct parser *p)
{
	return joined(p, "and", FILTER_AND, primary);
}

static struct filter *either(struct parser *p)
{
	return joined(p, "or", FILTER_OR, both);
}

struct filter *filter_parse(const char *text, const struct filter_names *names,
			    struct failure *failure)
{
	struct parser p = { .at = text, .start = text, .names = names, .failure = failure };
	struct filter *f = either(&p);

	skip_space(&p);
	if (f && *p.at)
		return bad_leaf(&p, f);
	return f;
}
