/* Texts of the Activity Log; see line.h. Knows neither who reads them nor how they get there. */
#include "core/line.h"

#include "base/arena.h"
#include "base/buf.h"

enum { LINE_FIELDS_MAX = 10 }; /* named in one line */

/* code: how the refusal's code begins; the first row that fits is taken. {field}, {side}, {record},
 * {why} and {kept} stand for what the line is about. */
struct line_row {
	enum line_kind kind;
	const char *code, *outcome, *text;
};

static const struct line_row line_rows[] = {
	{ LINE_REFUSED, "AMBIGUOUS", "ambiguous",
	  "{why}. Merge them in Dynamics, then sync this person again." },
	{ LINE_REFUSED, "MERGED", "conflict", "{why}." },
	{ LINE_REFUSED, "OWNER", "rejected",
	  "{why}. Name another owner, then sync this person again." },
	{ LINE_REFUSED, "UNKNOWN_OPTION", "refused", "{why}." },
	{ LINE_REFUSED, "BOUNCES", "refused", "{field} was not written to {side}: {why}." },
	{ LINE_REFUSED, "1021", "refused",
	  "Not written to Marketo: {field}. This person belongs to a company in Marketo, whose "
	  "fields only the company itself can change; everything else was written." },
	/* The texts for the codes of the two remotes tell what to do. */
	{ LINE_REFUSED, "1", "refused", "{field} was not written to {side}: {why}." },
	{ LINE_REFUSED, "0x", "refused", "{field} was not written to {side}: {why}." },
	{ LINE_REFUSED, "", "refused",
	  "{field} was not written to {side}: {why}. Correct it on either side; it is tried again when "
	  "it changes." },
	{ LINE_REJECTED, "0x", "rejected", "The {record} was not created in Dynamics: {why}." },
	{ LINE_REJECTED, "", "rejected",
	  "The {record} was not created in Dynamics: {why}. Correct it, then sync this person again." },
	{ LINE_COLLISION, "", "collision",
	  "Different on both sides: {kept}. The values that lost are kept in the list of collisions "
	  "for a while." },
	{ LINE_CREATED, "", "created",
	  "A {record} was created in Dynamics for this person. From now on changes travel both ways." },
	{ LINE_LINKED, "", "linked",
	  "A {record} that was in Dynamics already has this person's e-mail address and belongs to "
	  "this person now. From now on changes travel both ways." },
	{ LINE_DELETED, "", "deleted",
	  "This person's {record} was deleted in Dynamics; the person stays as it is. Sync the person "
	  "again to get a new one." },
	{ LINE_PERSONS_MERGED, "", "moved",
	  "A person with a {record} in Dynamics was merged into this one. The {record} belongs to this "
	  "person now." },
	{ LINE_RECORDS_MERGED, "", "moved",
	  "This person's {record} was merged into another one in Dynamics. That one belongs to this "
	  "person now." },
	{ LINE_QUALIFIED, "", "moved",
	  "This person's lead was qualified in Dynamics. The contact it became belongs to this person "
	  "now." },
};

static const struct line_row *line_row(const struct line *line)
{
	for (size_t i = 0; i < ARRAY_LEN(line_rows); i++) {
		if (line_rows[i].kind == line->kind &&
		    str_starts(line->code, str_of(line_rows[i].code)))
			return &line_rows[i];
	}
	return NULL; /* every kind ends with a row for any code */
}

void line_add_field(struct buf *list, size_t n, struct str name)
{
	if (n >= LINE_FIELDS_MAX)
		return;
	buf_text(list, n ? ", " : "");
	buf_add(list, name);
}

void line_end_fields(struct buf *list, size_t count)
{
	if (count > LINE_FIELDS_MAX)
		buf_fmt(list, " and %zu more", count - LINE_FIELDS_MAX);
}

static const char *line_side(enum side side)
{
	return side == SIDE_MARKETO ? "Marketo" : "Dynamics";
}

static void line_add_kept(const struct line *line, struct buf *out)
{
	const char *gap = "";

	for (int s = 0; s < SIDE_COUNT; s++) {
		if (!line->kept[s].n)
			continue;
		buf_fmt(out, "%s" STR_FMT " (the value from %s was kept)", gap,
			STR_ARG(line->kept[s]), line_side((enum side)s));
		gap = ", ";
	}
}

/* A reason in the middle of a sentence: without its dot. */
static struct str line_why(const struct line *line)
{
	struct str why = str_trim(line->why);

	while (why.n && why.p[why.n - 1] == '.')
		why.n--;
	return why;
}

static void line_fill(const struct line *line, struct str name, struct buf *out)
{
	bool is_whole = !line->fields.n;

	if (str_equal(name, STR("side")))
		buf_text(out, line_side(line->target));
	else if (str_equal(name, STR("record")))
		buf_text(out, table_name(line->table));
	else if (str_equal(name, STR("why")))
		buf_add(out, line_why(line));
	else if (str_equal(name, STR("kept")))
		line_add_kept(line, out);
	else if (!is_whole)
		buf_add(out, line->fields);
	else
		buf_fmt(out, "The %s",
			table_name(line->target == SIDE_MARKETO ? TABLE_PERSON : line->table));
}

const char *line_outcome(const struct line *line)
{
	return line_row(line)->outcome;
}

struct str line_text(const struct line *line, struct arena *a)
{
	struct str rest = str_of(line_row(line)->text), copy;
	struct buf out = { .data = NULL };

	while (rest.n) {
		buf_add(&out, str_cut(&rest, '{'));
		if (rest.n)
			line_fill(line, str_cut(&rest, '}'), &out);
	}
	/* A reason may come first, and begins small. */
	if (out.len && out.data[0] >= 'a' && out.data[0] <= 'z')
		out.data[0] = (char)(out.data[0] - 'a' + 'A');
	copy = arena_str(a, buf_str(&out));
	buf_release(&out);
	return copy;
}
