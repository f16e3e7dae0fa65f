/* From fingerprints, events and errors to words; see explain.h. */
#include "sync/explain.h"

#include "base/clock.h"
#include "sync/fields.h"

enum explain_column {
	EXPLAIN_NAME,
	EXPLAIN_STATE,
	EXPLAIN_RULE,
	EXPLAIN_TIME,
	EXPLAIN_DIRECTION,
	EXPLAIN_WHY,
	EXPLAIN_COLUMNS
};

static bool explain_is_parked(const struct link *link, uint16_t slot)
{
	for (size_t i = 0; i < link->parked_count; i++) {
		if (link->parked[i].slot == slot || link->parked[i].slot == PARKED_WHOLE_RECORD)
			return true;
	}
	return false;
}

static int explain_column(const struct rowset *r, const char *name)
{
	for (size_t i = 0; i < r->columns; i++) {
		if (strcmp(r->names[i], name) == 0)
			return (int)i;
	}
	return -1;
}

/* What the remote said when it refused the field, or the whole record: the newest open row. */
static struct str explain_refusal(const struct rowset *errors, const char *field)
{
	int name = explain_column(errors, "field"), state = explain_column(errors, "state"),
	    message = explain_column(errors, "message");

	for (size_t i = 0; name >= 0 && state >= 0 && message >= 0 && i < errors->rows; i++) {
		const struct str *row = &errors->cells[i * errors->columns];
		bool is_meant = !row[name].n || str_equal(row[name], str_of(field));

		if (is_meant && str_equal(row[state], STR("open")))
			return row[message];
	}
	return STR("a side refused the value");
}

static const char *explain_pause(const struct mapping *m, const char *field, enum table table)
{
	for (size_t i = 0; i < m->paused_count; i++) {
		bool is_here = m->paused[i].table == table || m->paused[i].table == TABLE_PERSON;

		if (is_here && strcmp(m->paused[i].name, field) == 0)
			return m->paused[i].reason;
	}
	return "the field does not travel at present";
}

static void explain_event(struct rowset *r, const struct field_event *event)
{
	char time[CLOCK_TEXT];

	if (!event)
		return;
	clock_print_ms(event->at_s * 1000, time);
	rowset_set(r, EXPLAIN_RULE, merge_rule_name((enum merge_rule)event->rule));
	rowset_set(r, EXPLAIN_TIME, time);
	rowset_set(r, EXPLAIN_DIRECTION,
		   event->target == SIDE_MARKETO ? "to_marketo" : "to_dynamics");
	rowset_set(r, EXPLAIN_WHY, merge_rule_text((enum merge_rule)event->rule));
}

static void explain_active(struct rowset *r, const struct link *link,
			   const struct mapped_field *field, const struct rowset *errors)
{
	uint64_t marketo = link_fingerprint(link, SIDE_MARKETO, field->slot);
	uint64_t dynamics = link_fingerprint(link, SIDE_DYNAMICS, field->slot);
	const struct field_event *event = link_event(link, field->slot);

	explain_event(r, event);
	if (explain_is_parked(link, field->slot)) {
		rowset_set(r, EXPLAIN_STATE, "parked");
		rowset_set(r, EXPLAIN_WHY,
			   arena_text(&r->memory, explain_refusal(errors, field->field->name)));
	} else if (!marketo || !dynamics) {
		rowset_set(r, EXPLAIN_STATE, "never");
		rowset_set(r, EXPLAIN_WHY, "the two sides have not been compared yet");
	} else {
		rowset_set(r, EXPLAIN_STATE, marketo == dynamics ? "agreed" : "differs");
		if (!event)
			rowset_set(r, EXPLAIN_WHY,
				   "nobody has changed it since the person and the record were "
				   "linked");
	}
}

void explain_fields(struct engine *e, const struct link *link, const struct rowset *errors,
		    struct rowset *ret)
{
	static const char *const names[EXPLAIN_COLUMNS] = { "name",     "state",         "lastRule",
							    "lastTime", "lastDirection", "why" };
	const struct field_set *set = e->settings.set;
	struct shared_mapping *shared = fields_take(e);

	rowset_begin(ret, names, ARRAY_LEN(names), set->count);
	ret->types[EXPLAIN_TIME] = CELL_TIME;
	for (size_t i = 0; shared && link && i < set->count; i++) {
		const struct field *f = &set->fields[i];
		int at = mapping_find(shared->mapping, str_of(f->name));

		if (!f->column[link->table])
			continue;
		rowset_set(ret, EXPLAIN_NAME, f->name);
		if (at >= 0 && mapping_active(shared->mapping, (size_t)at, link->table)) {
			explain_active(ret, link, &shared->mapping->fields[at], errors);
		} else {
			rowset_set(ret, EXPLAIN_STATE, "paused");
			rowset_set(ret, EXPLAIN_WHY,
				   explain_pause(shared->mapping, f->name, link->table));
		}
		ret->rows++;
	}
	fields_drop(e, shared);
}
