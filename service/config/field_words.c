/* The members and words of the field file, and a set written with them. Just data and its printing;
 * must not know how a file is read. */
#include "config/field_parts.h"

static const struct field_member file_members[FILE_MEMBERS] = {
	[FILE_SCHEMA] = { "$schema", false }, /* for editors */
	[FILE_VERSION] = { "version", true },           [FILE_FILTER] = { "filter", false },
	[FILE_DELETED] = { "deletedInMarketo", false }, [FILE_FIELDS] = { "fields", true },
};
static const struct field_member filter_members[FILTER_MEMBERS] = {
	[FILTER_COLUMN] = { "column", false },
	[FILTER_EMPTY] = { "empty", false },
	[FILTER_SET] = { "setOnCreate", false },
};
static const struct field_member field_members[FIELD_MEMBERS] = {
	[FIELD_MARKETO] = { "marketo", true },  [FIELD_LEAD] = { "lead", false },
	[FIELD_CONTACT] = { "contact", false }, [FIELD_DIRECTION] = { "direction", false },
	[FIELD_WINNER] = { "winner", false },   [FIELD_EMPTY] = { "empty", false },
	[FIELD_CONSENT] = { "consent", false }, [FIELD_CREATE] = { "create", false },
};
static const struct field_member create_members[CREATE_MEMBERS] = {
	[CREATE_TYPE] = { "type", true },
	[CREATE_LABEL] = { "displayName", true },
};

const struct field_shape field_file_shape = { "the file", file_members, FILE_MEMBERS };
const struct field_shape field_filter_shape = { "filter", filter_members, FILTER_MEMBERS };
const struct field_shape field_shape = { "a field", field_members, FIELD_MEMBERS };
const struct field_shape field_create_shape = { "create", create_members, CREATE_MEMBERS };

/* Each in the order of its enum; NULL behind the last. */
const char *const field_direction_words[] = {
	[DIRECTION_BOTH] = "both",
	[DIRECTION_TO_MARKETO] = "to-marketo",
	[DIRECTION_TO_DYNAMICS] = "to-dynamics",
	NULL,
};
const char *const field_winner_words[] = {
	[WINNER_BY_LINK] = "by-link",
	[WINNER_MARKETO] = "marketo",
	[WINNER_DYNAMICS] = "dynamics",
	NULL,
};
const char *const field_empty_words[] = {
	[EMPTY_TRAVELS] = "travels",
	[EMPTY_STAYS] = "stays",
	NULL,
};
const char *const field_null_words[] = {
	[FILTER_NULL_CREATE_ONLY] = "create-only",
	[FILTER_NULL_SYNC] = "sync",
	[FILTER_NULL_SKIP] = "skip",
	NULL,
};
const char *const field_deleted_words[] = { [false] = "recreate", [true] = "leave", NULL };

/* What Marketo creates by REST; there is no text area among them ("Adobe: Leads, Create Lead
 * Fields"). */
const char *const field_type_words[] = { "boolean", "currency", "date",    "datetime", "email",
					 "float",   "integer",  "percent", "phone",    "score",
					 "string",  "url",      NULL };

static void print_text(struct buf *out, const char *name, const char *value)
{
	buf_fmt(out, ", \"%s\": ", name);
	if (value)
		buf_json(out, str_of(value));
	else
		buf_text(out, "null");
}

/* What is as it would be anyway is left out. */
static void print_field(const struct field *f, struct buf *out)
{
	buf_fmt(out, "    { \"%s\": ", field_members[FIELD_MARKETO].name);
	buf_json(out, str_of(f->name));
	if (f->column[TABLE_LEAD])
		print_text(out, field_members[FIELD_LEAD].name, f->column[TABLE_LEAD]);
	if (f->column[TABLE_CONTACT])
		print_text(out, field_members[FIELD_CONTACT].name, f->column[TABLE_CONTACT]);
	if (f->direction)
		print_text(out, field_members[FIELD_DIRECTION].name,
			   field_direction_words[f->direction]);
	if (f->winner)
		print_text(out, field_members[FIELD_WINNER].name, field_winner_words[f->winner]);
	if (f->empty)
		print_text(out, field_members[FIELD_EMPTY].name, field_empty_words[f->empty]);
	if (f->is_consent)
		buf_fmt(out, ", \"%s\": true", field_members[FIELD_CONSENT].name);
	if (f->create_type) {
		buf_fmt(out, ",\n      \"%s\": { \"%s\": \"%s\"", field_members[FIELD_CREATE].name,
			create_members[CREATE_TYPE].name, f->create_type);
		print_text(out, create_members[CREATE_LABEL].name, f->display_name);
		buf_text(out, " }");
	}
	buf_text(out, " }");
}

void field_file_print(const struct field_set *set, struct buf *out)
{
	buf_fmt(out, "{\n  \"%s\": 1,\n  \"%s\": { \"%s\": ", file_members[FILE_VERSION].name,
		file_members[FILE_FILTER].name, filter_members[FILTER_COLUMN].name);
	if (set->filter.column) {
		buf_json(out, str_of(set->filter.column));
		print_text(out, filter_members[FILTER_EMPTY].name,
			   field_null_words[set->filter.null]);
		buf_fmt(out, ", \"%s\": %s", filter_members[FILTER_SET].name,
			set->filter.is_set_on_create ? "true" : "false");
	} else {
		buf_text(out, "null");
	}
	buf_fmt(out, " },\n  \"%s\": \"%s\",\n  \"%s\": [\n", file_members[FILE_DELETED].name,
		field_deleted_words[set->leaves_deleted], file_members[FILE_FIELDS].name);
	for (size_t i = 0; i < set->count; i++) {
		print_field(&set->fields[i], out);
		buf_text(out, i + 1 < set->count ? ",\n" : "\n");
	}
	buf_text(out, "  ]\n}\n");
}
