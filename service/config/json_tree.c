/* Two libraries read the text: json-c is strict and says whether it is JSON at all, but not on
 * which line a value stands; libyaml, to which JSON is a way of writing YAML, knows the lines, but
 * would take comments, bare words and much else. So json-c judges, and what it has let through is
 * taken from libyaml. */
#include "config/json_tree.h"

#include <json-c/json_tokener.h>
#include <limits.h>
#include <stdio.h>
#include <yaml.h>

enum { JSON_DEPTH_MAX = 16 };

static bool tree_bad(struct json_fault *fault, size_t line, const char *rule, const char *detail)
{
	fault->line = line;
	(void)snprintf(fault->rule, sizeof(fault->rule), "%s%s", rule, detail);
	return false;
}

/* As editors count: line feed, carriage return, or both together. */
static size_t tree_line_at(struct str text, size_t offset)
{
	size_t line = 1;

	for (size_t i = 0; i < offset && i < text.n; i++) {
		bool is_half = text.p[i] == '\r' && i + 1 < text.n && text.p[i + 1] == '\n';

		line += (text.p[i] == '\n' || text.p[i] == '\r') && !is_half;
	}
	return line;
}

/* What json-c lets through although no text has it, and what can be told in plainer words. */
static bool tree_check_bytes(struct str text, struct json_fault *fault)
{
	if (str_starts(text, STR("\xef\xbb\xbf")))
		return tree_bad(fault, 1, "begins with a byte order mark",
				": save it as UTF-8 without one");
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c < ' ' && c != '\t' && c != '\n' && c != '\r')
			return tree_bad(fault, tree_line_at(text, i), "holds a control character",
					": save it as UTF-8");
	}
	if (!str_trim(text).n)
		return tree_bad(fault, 1, "is empty", "");
	return true;
}

static bool tree_check_syntax(struct str text, struct json_fault *fault)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	enum json_tokener_error error = json_tokener_error_size;
	size_t end = 0;

	if (tokener && text.n < INT_MAX) {
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
		/* The NUL is shown as well: a number ends only where something else begins. */
		json_object_put(json_tokener_parse_ex(tokener, text.p, (int)text.n + 1));
		error = json_tokener_get_error(tokener);
		end = json_tokener_get_parse_end(tokener);
	}
	if (tokener)
		json_tokener_free(tokener);
	if (error == json_tokener_success)
		return true;
	if (error == json_tokener_error_parse_utf8_string)
		return tree_bad(fault, tree_line_at(text, end), "is not JSON",
				": a character that is not UTF-8, or not in quotes");
	return tree_bad(fault, tree_line_at(text, end),
			"is not JSON: ", json_tokener_error_desc(error));
}

struct tree_reader {
	yaml_document_t *document;
	struct arena *arena;
	struct json_fault *fault;
	size_t lines_before; /* lines of the file that libyaml was not shown */
};

static enum json_kind tree_scalar_kind(const yaml_node_t *y, struct str text)
{
	if (y->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return JSON_STRING;
	if (str_equal(text, STR("null")))
		return JSON_NULL;
	if (str_equal(text, STR("true")) || str_equal(text, STR("false")))
		return JSON_BOOLEAN;
	return JSON_NUMBER;
}

static bool tree_scalar(struct tree_reader *t, const yaml_node_t *y, struct json_node *ret)
{
	struct str text = { (const char *)y->data.scalar.value, y->data.scalar.length };

	ret->kind = tree_scalar_kind(y, text);
	ret->text = arena_str(t->arena, text);
	/* json-c takes such names even when it is strict. */
	if (y->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE)
		return tree_bad(t->fault, ret->line, "is not JSON",
				": strings stand in double quotes");
	return y->start_mark.line == y->end_mark.line ||
	       tree_bad(t->fault, ret->line, "is not JSON",
			": a string ends on the line it begins on");
}

static bool tree_fill(struct tree_reader *t, int index, struct json_node *ret);

static bool tree_object(struct tree_reader *t, const yaml_node_t *y, struct json_node *ret)
{
	const yaml_node_pair_t *pairs = y->data.mapping.pairs.start;
	struct json_node key = { 0 };

	ret->kind = JSON_OBJECT;
	ret->count = (size_t)(y->data.mapping.pairs.top - pairs);
	ret->items = arena_array(t->arena, ret->count, sizeof(*ret->items));
	for (size_t i = 0; i < ret->count; i++) {
		if (!tree_fill(t, pairs[i].key, &key) ||
		    !tree_fill(t, pairs[i].value, &ret->items[i]))
			return false;
		ret->items[i].key = key.text;
		ret->items[i].key_line = key.line;
	}
	return true;
}

static bool tree_list(struct tree_reader *t, const yaml_node_t *y, struct json_node *ret)
{
	const yaml_node_item_t *items = y->data.sequence.items.start;

	ret->kind = JSON_LIST;
	ret->count = (size_t)(y->data.sequence.items.top - items);
	ret->items = arena_array(t->arena, ret->count, sizeof(*ret->items));
	for (size_t i = 0; i < ret->count; i++) {
		if (!tree_fill(t, items[i], &ret->items[i]))
			return false;
	}
	return true;
}

/* As deep as json-c has allowed. */
static bool tree_fill(struct tree_reader *t, int index, struct json_node *ret)
{
	const yaml_node_t *y = yaml_document_get_node(t->document, index);

	ret->line = t->lines_before + y->start_mark.line + 1;
	switch (y->type) {
	case YAML_SCALAR_NODE:
		return tree_scalar(t, y, ret);
	case YAML_MAPPING_NODE:
		return tree_object(t, y, ret);
	case YAML_SEQUENCE_NODE:
		return tree_list(t, y, ret);
	case YAML_NO_NODE:
		break;
	}
	return tree_bad(t->fault, ret->line, "is not JSON", "");
}

/* The few ways of writing JSON that libyaml cannot read are told as they are: a name away from its
 * colon, and a character given as two \u escapes. */
static bool tree_unread(const yaml_parser_t *parser, struct tree_reader *t)
{
	const char *why = parser->problem ? parser->problem : "out of memory";

	return tree_bad(t->fault, t->lines_before + parser->problem_mark.line + 1,
			"is JSON that cannot be read here: ", why);
}

bool json_tree_read(struct str text, struct arena *a, struct json_node *ret,
		    struct json_fault *ret_fault)
{
	struct tree_reader t = { .arena = a, .fault = ret_fault };
	yaml_document_t document;
	yaml_parser_t parser;
	struct str shown;
	bool is_good;

	if (!tree_check_bytes(text, ret_fault) || !tree_check_syntax(text, ret_fault))
		return false;
	/* Outside of brackets libyaml takes white space for indentation. */
	shown = str_trim(text);
	t.lines_before = tree_line_at(text, (size_t)(shown.p - text.p)) - 1;
	t.document = &document;
	if (!yaml_parser_initialize(&parser))
		return tree_bad(ret_fault, 1, "cannot be read", ": out of memory");
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)shown.p, shown.n);
	is_good = yaml_parser_load(&parser, &document) || tree_unread(&parser, &t);
	if (is_good) {
		is_good = tree_fill(&t, 1, ret);
		yaml_document_delete(&document);
	}
	yaml_parser_delete(&parser);
	return is_good;
}
