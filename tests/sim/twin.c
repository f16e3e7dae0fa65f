/* Columns, values, and writes that can go wrong; see twin.h. */
#include "tests/sim/twin.h"

#include <stdio.h>
#include <stdlib.h>

void twin_unexpected(const char *what)
{
	(void)fprintf(stderr, "the simulation does not know: %s\n", what);
	abort();
}

/* ---- schemas ---- */

static struct option twin_sources[] = {
	{ 1, { "Web", 3 } },
	{ 2, { "Word of Mouth", 13 } },
	{ 3, { "Fair", 4 } },
};

static struct column twin_column(const struct sim *s, enum table table, enum word_field f)
{
	bool is_row = table != TABLE_PERSON;
	bool is_secret = is_row && f == FIELD_SECRET;
	struct column c = {
		.name = str_of(word_fields[f].column[table]),
		.type = f == FIELD_UNSUB ? COLUMN_BOOLEAN : COLUMN_TEXT,
		.length_max = is_row && f == FIELD_LAST ? 10 : 255,
		.scale = -1,
		.can_read = !is_secret || s->right != RIGHT_NONE,
		.can_create = !is_secret || s->right == RIGHT_ALL,
		.can_update = !is_secret || s->right == RIGHT_ALL,
		.is_secured = is_secret,
	};

	if (is_row && f == FIELD_AMOUNT) {
		c.type = COLUMN_DECIMAL;
		c.scale = 2;
	} else if (is_row && f == FIELD_SOURCE) {
		c.type = COLUMN_CHOICE;
		c.options = twin_sources;
		c.option_count = ARRAY_LEN(twin_sources);
	}
	return c;
}

static struct column twin_plain_column(const char *name, enum column_type type)
{
	return (struct column){ .name = str_of(name),
				.type = type,
				.scale = -1,
				.can_read = true,
				.can_create = true,
				.can_update = true };
}

void twin_describe(const struct sim *s, enum table table, struct arena *a, struct schema *ret)
{
	struct column *columns =
		arena_array(a, FIELD_COUNT + STAMP_FIELD_COUNT + 1, sizeof(*columns));
	size_t n = 0;

	for (int f = 0; f < FIELD_COUNT; f++) {
		if (word_fields[f].column[table])
			columns[n++] = twin_column(s, table, (enum word_field)f);
	}
	for (size_t i = 0; table == TABLE_PERSON && i < STAMP_FIELD_COUNT; i++)
		columns[n++] = twin_plain_column(stamp_fields[i].name, COLUMN_TEXT);
	if (table != TABLE_PERSON && s->setup.has_filter[table])
		columns[n++] = twin_plain_column(WORD_FILTER, COLUMN_BOOLEAN);
	*ret = (struct schema){ .table = table, .columns = columns, .column_count = n };
}

/* ---- values ---- */

enum word_field twin_field(const struct mapping *m, size_t index)
{
	for (int f = 0; f < FIELD_COUNT; f++) {
		if (!strcmp(m->fields[index].field->name, word_fields[f].name))
			return (enum word_field)f;
	}
	twin_unexpected("a field");
}

struct value twin_value(struct arena *a, const struct mapped_field *mf, const char *value)
{
	struct value v;

	if (value_parse(a, mf->kind, str_of(value), mf->scale, &v, NULL) != ERR_NONE)
		return value_text(a, str_of(value)); /* shown as the text it is */
	return v;
}

const char *twin_word(struct arena *a, const struct value *v)
{
	return word(arena_text(a, value_print(a, v)));
}

struct record *twin_record(struct sim *s, const struct mapping *m, const struct thing *t,
			   struct arena *a)
{
	struct record *r = arena_alloc(a, sizeof(*r));

	r->table = t->table;
	r->person_id = t->person_id;
	r->record_id = t->table == TABLE_PERSON ? t->stamp_id : t->record_id;
	r->stamp_table = t->stamp_table;
	r->stamp_is_deleted = t->stamp_is_deleted;
	r->version = t->version;
	r->state = t->state;
	r->is_merged = t->is_merged;
	r->master_id = t->master_id;
	r->origin_id = t->origin_id;
	r->filter = t->table != TABLE_PERSON && m->filter[t->table] ? t->filter : FILTER_ABSENT;
	r->values = arena_array(a, m->count + 1, sizeof(*r->values));
	for (size_t i = 0; i < m->count; i++) {
		enum word_field f = twin_field(m, i);
		bool is_secret = f == FIELD_SECRET && t->table != TABLE_PERSON;

		if (!m->fields[i].column[t->table])
			continue;
		if (is_secret && s->right_told == RIGHT_NONE)
			sim_broken(s, "INV-SELECTED",
				   "a column the sync user may not read was asked for");
		/* Dataverse answers null for what may not be read. */
		r->values[i] =
			twin_value(a, &m->fields[i],
				   is_secret && s->right == RIGHT_NONE ? NULL : t->cells[f].now);
	}
	return r;
}

/* ---- writing ---- */

enum err_kind twin_refuse(struct write_result *r, enum err_kind kind, const char *column,
			  const char *text)
{
	r->kind = err_set(&r->err, kind, "%s", text);
	(void)snprintf(r->err.field, sizeof(r->err.field), "%s", column);
	(void)snprintf(r->err.code, sizeof(r->err.code), "SIM");
	return kind;
}

void twin_put_fields(struct port *p, const struct mapping *m, const struct write *w,
		     struct thing *t)
{
	struct sim *s = p->sim;
	struct arena scratch = { .chunks = NULL };
	char name[24];

	for (size_t i = 0; i < w->field_count; i++) {
		enum word_field f = twin_field(m, w->fields[i].index);
		const char *value = twin_word(&scratch, &w->fields[i].value);

		if (f == FIELD_SOURCE && t->table != TABLE_PERSON)
			value = word_meaning(f, value); /* an option has one spelling */
		sim_tell(s, "%s writes %s '%s' into %s%s",
			 p->service ? "the other Tandem" : "Tandem", word_fields[f].name,
			 value ? value : "", world_name(t, name),
			 w->operation == WRITE_CREATE ? ", which it creates" : "");
		world_put(s, t, f, value, BY_TANDEM);
	}
	s->writes[p->side] += w->operation == WRITE_CREATE || w->field_count;
	s->field_writes += (unsigned)w->field_count;
	arena_release(&scratch);
}

static void twin_forget_answer(struct write_result *r)
{
	r->kind = err_set(&r->err, ERR_RETRY_LATER, "the answer was lost");
	r->person_id = 0;
	r->version = 0;
	r->is_unknown = true;
}

/* A lost answer: of this write alone (0), of this one and nothing after it was done (1), of this
 * one and all that come after it (2). */
enum err_kind twin_lose(struct port *p, size_t i, size_t count, struct write_result *results,
			bool *ret_stop, struct err *err)
{
	struct lost_answer *lost = &p->sim->lost[p->side];

	*ret_stop = false;
	if (!lost->is_armed || i < lost->after)
		return ERR_NONE;
	twin_forget_answer(&results[i]);
	*ret_stop = lost->how == 1;
	if (lost->how != 2 || i + 1 == count)
		lost->is_armed = false;
	if (lost->how == 0)
		return ERR_NONE;
	return err_set(err, ERR_RETRY_LATER, "the answer was lost");
}

enum err_kind twin_write_all(struct port *p, const struct mapping *m, const struct write *writes,
			     size_t count, struct write_result *results, twin_write_one *one,
			     struct err *err)
{
	struct sim *s = p->sim;
	enum err_kind kind = sim_call(p, CALL_WRITE, err), lost = ERR_NONE;
	bool is_stopped = false;

	for (size_t i = 0; i < count; i++) {
		results[i] = (struct write_result){ .kind = ERR_RETRY_LATER };
		(void)err_set(&results[i].err, ERR_RETRY_LATER, "not sent");
	}
	if (kind != ERR_NONE)
		return kind;
	for (size_t i = 0; i < count && !is_stopped; i++) {
		enum err_kind told;

		if (s->crash_in == 0 && !p->service)
			return sim_crash(p, err);
		s->crash_in -= s->crash_in > 0 && !p->service;
		results[i] = (struct write_result){ .kind = ERR_NONE };
		one(p, m, &writes[i], &results[i]);
		told = twin_lose(p, i, count, results, &is_stopped, err);
		lost = told != ERR_NONE ? told : lost;
	}
	if (s->crash_in >= 0 && !p->service)
		return sim_crash(p, err);
	return lost;
}
