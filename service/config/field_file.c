/* Reads and writes the field file; see field_file.h. Knows its members and words; rules over several
 * of them are in field_check.c, JSON in json_tree.c. Must not know what becomes of the set. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "config/field_parts.h"
#include "config/json_tree.h"

/* ---- an object's members ---- */

static int shape_find(const struct field_shape *shape, struct str name)
{
	for (size_t i = 0; i < shape->count; i++) {
		if (str_equal(name, str_of(shape->members[i].name)))
			return (int)i;
	}
	return -1;
}

static char letter_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

/* How many letters have to be added, taken away or changed to make b of a (Levenshtein). Texts that
 * are too long to be a slip are as far apart as can be. */
static size_t letters_apart(struct str a, struct str b)
{
	size_t row[32] = { 0 };

	if (a.n >= ARRAY_LEN(row) || b.n >= ARRAY_LEN(row))
		return SIZE_MAX;
	for (size_t k = 0; k <= b.n; k++)
		row[k] = k;
	for (size_t i = 1; i <= a.n; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t k = 1; k <= b.n; k++) {
			bool is_same = letter_lower(a.p[i - 1]) == letter_lower(b.p[k - 1]);
			size_t least = corner + !is_same;

			corner = row[k];
			if (row[k] + 1 < least)
				least = row[k] + 1;
			if (row[k - 1] + 1 < least)
				least = row[k - 1] + 1;
			row[k] = least;
		}
	}
	return row[b.n];
}

static void member_unknown(struct field_reader *r, const struct field_shape *shape,
			   const struct json_node *item)
{
	size_t nearest = 0, least = SIZE_MAX;
	struct buf all = { 0 };

	for (size_t i = 0; i < shape->count; i++) {
		size_t apart = letters_apart(item->key, str_of(shape->members[i].name));

		buf_fmt(&all, "%s%s", i ? ", " : "", shape->members[i].name);
		if (apart >= least)
			continue;
		nearest = i;
		least = apart;
	}
	if (least <= 1 + item->key.n / 4)
		field_mistake(r, item->key_line, "%s is no member of %s, did you mean \"%s\"?",
			      field_quote(r, item->key), shape->what, shape->members[nearest].name);
	else
		field_mistake(r, item->key_line, "%s is no member of %s, which has %s",
			      field_quote(r, item->key), shape->what, buf_cstr(&all));
	buf_release(&all);
}

/* The values in the order of the shape; NULL where there is none. False: no object at all. */
static bool take_members(struct field_reader *r, const struct json_node *object,
			 const struct field_shape *shape, const struct json_node **ret)
{
	if (object->kind != JSON_OBJECT) {
		field_mistake(r, object->line, "%s must be an object", shape->what);
		return false;
	}
	for (size_t i = 0; i < object->count; i++) {
		const struct json_node *item = &object->items[i];
		int place = shape_find(shape, item->key);

		if (place < 0)
			member_unknown(r, shape, item);
		else if (ret[place])
			field_mistake(r, item->key_line,
				      "\"%s\" stands here twice, first on line %zu",
				      shape->members[place].name, ret[place]->key_line);
		else
			ret[place] = item;
	}
	for (size_t i = 0; i < shape->count; i++) {
		if (shape->members[i].is_required && !ret[i])
			field_mistake(r, object->line, "%s must have \"%s\"", shape->what,
				      shape->members[i].name);
	}
	return true;
}

/* ---- values; a node that is NULL was not given ---- */

static size_t line_of(const struct json_node *node)
{
	return node ? node->line : 0;
}

static void word_unknown(struct field_reader *r, const struct json_node *node,
			 const char *const *words)
{
	struct buf all = { 0 };

	for (size_t i = 0; words[i]; i++)
		buf_fmt(&all, "%s\"%s\"", !i ? "" : words[i + 1] ? ", " : " or ", words[i]);
	field_mistake(r, node->line, STR_FMT " must be %s", STR_ARG(node->key), buf_cstr(&all));
	buf_release(&all);
}

/* The first word is the default. */
static size_t take_word(struct field_reader *r, const struct json_node *node,
			const char *const *words)
{
	if (!node)
		return 0;
	for (size_t i = 0; words[i]; i++) {
		if (node->kind == JSON_STRING && str_equal(node->text, str_of(words[i])))
			return i;
	}
	word_unknown(r, node, words);
	return 0;
}

static bool take_flag(struct field_reader *r, const struct json_node *node, bool fallback)
{
	if (!node)
		return fallback;
	if (node->kind != JSON_BOOLEAN)
		field_mistake(r, node->line, STR_FMT " must be true or false", STR_ARG(node->key));
	return node->kind == JSON_BOOLEAN && str_equal(node->text, STR("true"));
}

static bool is_name(struct str text, const char *first, const char *rest)
{
	for (size_t i = 0; i < text.n; i++) {
		if (!text.p[i] || !strchr(i ? rest : first, text.p[i]))
			return false;
	}
	return text.n && text.n <= FIELD_NAME_MAX;
}

#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define LARGE "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

/* "Adobe: Leads, Create Lead Fields": a letter, then letters, digits and underscores. */
static const char *take_field_name(struct field_reader *r, const struct json_node *node)
{
	if (!node)
		return NULL;
	if (node->kind == JSON_STRING && is_name(node->text, SMALL LARGE, SMALL LARGE DIGIT "_"))
		return arena_text(&r->file->memory, node->text);
	field_mistake(r, node->line,
		      STR_FMT " must be the REST name of a field: a letter, then letters, digits "
			      "and _, at most %d characters",
		      STR_ARG(node->key), FIELD_NAME_MAX);
	return NULL;
}

/* "Microsoft Learn: Table definitions": logical names are in small letters. */
static const char *take_column_name(struct field_reader *r, const struct json_node *node)
{
	if (!node || node->kind == JSON_NULL)
		return NULL;
	if (node->kind == JSON_STRING && is_name(node->text, SMALL, SMALL DIGIT "_"))
		return arena_text(&r->file->memory, node->text);
	field_mistake(r, node->line,
		      STR_FMT " must be null or the logical name of a column: a small letter, then "
			      "small letters, digits and _, at most %d characters",
		      STR_ARG(node->key), FIELD_NAME_MAX);
	return NULL;
}

static const char *take_label(struct field_reader *r, const struct json_node *node)
{
	struct str text = node->text;
	bool is_good = node->kind == JSON_STRING && text.n && text.n <= FIELD_LABEL_MAX &&
		       str_trim(text).n == text.n;

	for (size_t i = 0; is_good && i < text.n; i++)
		is_good = (unsigned char)text.p[i] >= ' ' && text.p[i] != 0x7f;
	if (is_good)
		return arena_text(&r->file->memory, text);
	field_mistake(r, node->line,
		      STR_FMT
		      " must be 1 to %d bytes of text without control characters, nor white "
		      "space at its ends",
		      STR_ARG(node->key), FIELD_LABEL_MAX);
	return NULL;
}

/* ---- the file ---- */

static void take_filter(struct field_reader *r, const struct json_node *node)
{
	const struct json_node *value[FILTER_MEMBERS] = { NULL };
	struct filter_rule *filter = &r->file->set.filter;

	*filter = field_set_default.filter;
	if (!node || !take_members(r, node, &field_filter_shape, value))
		return;
	if (value[FILTER_COLUMN])
		filter->column = take_column_name(r, value[FILTER_COLUMN]);
	filter->null = (enum filter_null)take_word(r, value[FILTER_EMPTY], field_null_words);
	filter->is_set_on_create =
		take_flag(r, value[FILTER_SET], filter->column && filter->is_set_on_create);
	/* A column that is wrong has been told; without one there is nothing to set. */
	if (value[FILTER_COLUMN] && value[FILTER_COLUMN]->kind == JSON_NULL) {
		r->filter_empty = line_of(value[FILTER_EMPTY]);
		r->filter_set = line_of(value[FILTER_SET]);
	}
}

static void take_create(struct field_reader *r, const struct json_node *node, struct field *f,
			struct field_place *at)
{
	const struct json_node *value[CREATE_MEMBERS] = { NULL };

	if (!node || !take_members(r, node, &field_create_shape, value))
		return;
	at->type = line_of(value[CREATE_TYPE]);
	at->label = line_of(value[CREATE_LABEL]);
	if (value[CREATE_TYPE])
		f->create_type =
			field_type_words[take_word(r, value[CREATE_TYPE], field_type_words)];
	if (value[CREATE_LABEL])
		f->display_name = take_label(r, value[CREATE_LABEL]);
}

static void take_field(struct field_reader *r, const struct json_node *node, struct field *f,
		       struct field_place *at)
{
	const struct json_node *value[FIELD_MEMBERS] = { NULL };

	at->field = node->line;
	if (!take_members(r, node, &field_shape, value))
		return;
	at->column[TABLE_PERSON] = line_of(value[FIELD_MARKETO]);
	at->column[TABLE_LEAD] = line_of(value[FIELD_LEAD]);
	at->column[TABLE_CONTACT] = line_of(value[FIELD_CONTACT]);
	at->winner = line_of(value[FIELD_WINNER]);
	at->consent = line_of(value[FIELD_CONSENT]);
	f->name = take_field_name(r, value[FIELD_MARKETO]);
	f->column[TABLE_PERSON] = f->name;
	f->column[TABLE_LEAD] = take_column_name(r, value[FIELD_LEAD]);
	f->column[TABLE_CONTACT] = take_column_name(r, value[FIELD_CONTACT]);
	f->direction = (enum direction)take_word(r, value[FIELD_DIRECTION], field_direction_words);
	f->winner = (enum winner)take_word(r, value[FIELD_WINNER], field_winner_words);
	f->empty = (enum empty_rule)take_word(r, value[FIELD_EMPTY], field_empty_words);
	f->is_consent = take_flag(r, value[FIELD_CONSENT], false);
	take_create(r, value[FIELD_CREATE], f, at);
	if ((!value[FIELD_LEAD] || value[FIELD_LEAD]->kind == JSON_NULL) &&
	    (!value[FIELD_CONTACT] || value[FIELD_CONTACT]->kind == JSON_NULL))
		field_mistake(r, node->line, "a field must have \"lead\", \"contact\" or both");
}

static void take_fields(struct field_reader *r, const struct json_node *node)
{
	if (!node)
		return;
	if (node->kind != JSON_LIST) {
		field_mistake(r, node->line, "fields must be a list of fields");
		return;
	}
	r->list = node->line;
	r->count = node->count;
	r->fields = arena_array(&r->file->memory, r->count, sizeof(*r->fields));
	r->places = arena_array(&r->scratch, r->count, sizeof(*r->places));
	for (size_t i = 0; i < r->count; i++)
		take_field(r, &node->items[i], &r->fields[i], &r->places[i]);
	r->file->set.fields = r->fields;
	r->file->set.count = r->count;
}

static void take_file(struct field_reader *r, struct str text)
{
	const struct json_node *value[FILE_MEMBERS] = { NULL };
	struct json_node root = { 0 };
	struct json_fault fault;

	if (!json_tree_read(text, &r->scratch, &root, &fault)) {
		field_mistake(r, fault.line, "%s", fault.rule);
		return;
	}
	if (!take_members(r, &root, &field_file_shape, value))
		return;
	if (value[FILE_SCHEMA] && value[FILE_SCHEMA]->kind != JSON_STRING)
		field_mistake(r, value[FILE_SCHEMA]->line, "$schema must be a string");
	if (value[FILE_VERSION] && (value[FILE_VERSION]->kind != JSON_NUMBER ||
				    !str_equal(value[FILE_VERSION]->text, STR("1"))))
		field_mistake(r, value[FILE_VERSION]->line, "version must be 1");
	take_filter(r, value[FILE_FILTER]);
	r->file->set.leaves_deleted = take_word(r, value[FILE_DELETED], field_deleted_words) ==
				      true;
	take_fields(r, value[FILE_FIELDS]);
	field_check(r);
}

enum err_kind field_file_read(const char *name, struct str text, struct field_file *ret,
			      struct buf *problems)
{
	struct field_reader r = { .file = ret };

	*ret = (struct field_file){ .mistakes = 0 };
	if (text.n > FIELD_FILE_MAX)
		field_mistake(&r, 0, "is larger than %d KiB", FIELD_FILE_MAX / 1024);
	else
		take_file(&r, text);
	field_remarks_print(&r, name, problems);
	arena_release(&r.scratch);
	return ret->mistakes ? ERR_CONFIG : ERR_NONE;
}

enum err_kind field_file_load(const char *path, struct field_file *ret, struct buf *problems)
{
	/* One byte more than may be there, and the NUL behind it. */
	char *text = mem_alloc(FIELD_FILE_MAX + 2);
	FILE *file = fopen(path, "re");
	size_t n = file ? fread(text, 1, FIELD_FILE_MAX + 1, file) : 0;
	int reason = errno;
	bool is_unread = !file || ferror(file);
	enum err_kind kind = ERR_CONFIG;

	if (is_unread) {
		*ret = (struct field_file){ .mistakes = 1 };
		buf_fmt(problems, "%s: cannot be read: %s\n", path, strerrordesc_np(reason));
	} else {
		kind = field_file_read(path, (struct str){ text, n }, ret, problems);
	}
	if (file)
		(void)fclose(file);
	free(text);
	return kind;
}

void field_file_release(struct field_file *f)
{
	arena_release(&f->memory);
	*f = (struct field_file){ .mistakes = 0 };
}
