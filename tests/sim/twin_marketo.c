/* Marketo in memory: persons, a change log that tells late and twice, an upsert keyed on the stamp,
 * an opt-out that outlives its person. Must not know Dynamics or the store. */
#include <stdio.h>

#include "tests/sim/twin.h"

static enum err_kind marketo_identify(void *self, const struct call *call,
				      struct guid *ret_organisation, struct err *err)
{
	enum err_kind kind = sim_call(self, CALL_READ, err);

	(void)call;
	*ret_organisation = (struct guid){ { 0x4d } };
	return kind;
}

static enum err_kind marketo_describe(void *self, const struct call *call, enum table table,
				      struct arena *a, struct schema *ret, struct err *err)
{
	struct port *p = self;
	enum err_kind kind = sim_call(p, CALL_READ, err);

	(void)call;
	if (kind == ERR_NONE)
		twin_describe(p->sim, table, a, ret);
	return kind;
}

static enum err_kind marketo_refresh_rights(void *self, const struct call *call,
					    struct schema *schemas, size_t count, bool *ret_changed,
					    struct err *err)
{
	(void)self, (void)call, (void)schemas, (void)count, (void)ret_changed, (void)err;
	twin_unexpected("Marketo's rights");
}

/* ---- the change log ---- */

static struct str marketo_cursor(struct arena *a, size_t place)
{
	return str_of(arena_fmt(a, "M%zu", place));
}

static enum err_kind marketo_start_cursor(void *self, const struct call *call, int64_t since_s,
					  struct arena *a, struct str *ret_cursor, struct err *err)
{
	struct port *p = self;
	enum err_kind kind = sim_call(p, CALL_READ, err);

	(void)call, (void)since_s;
	if (kind == ERR_NONE)
		*ret_cursor = marketo_cursor(a, p->sim->feed.count);
	return kind;
}

/* False: the entry is about a field that is not asked for. */
static bool marketo_change(const struct mapping *m, const struct feed_entry *e, struct arena *a,
			   struct change *ret)
{
	*ret = (struct change){ .kind = e->kind,
				.person_id = e->person_id,
				.winner_id = e->winner_id };
	if (e->kind != CHANGE_EDITED || e->field < 0)
		return true;
	for (size_t i = 0; i < m->count; i++) {
		const struct mapped_field *mf = &m->fields[i];

		if (!mf->column[TABLE_PERSON] || twin_field(m, i) != (enum word_field)e->field)
			continue;
		ret->index = (uint16_t)i;
		ret->was = twin_value(a, mf, e->was);
		ret->now = twin_value(a, mf, e->now);
		return true;
	}
	return false;
}

static enum err_kind marketo_changes(void *self, const struct call *call, const struct mapping *m,
				     enum table table, struct str cursor, struct arena *a,
				     struct change_page *ret, struct err *err)
{
	struct port *p = self;
	struct sim *s = p->sim;
	enum err_kind kind = sim_call(p, CALL_READ, err);
	size_t place = 0, end;

	(void)call;
	if (kind != ERR_NONE)
		return kind;
	if (table != TABLE_PERSON || sscanf(arena_text(a, cursor), "M%zu", &place) != 1)
		twin_unexpected("a cursor of Marketo's feed");
	end = place + s->setup.feed_page;
	if (end > s->feed.count)
		end = s->feed.count;
	*ret = (struct change_page){ .changes = arena_array(a, end - place + 1,
							    sizeof(*ret->changes)) };
	for (size_t i = place; i < end; i++)
		ret->count += marketo_change(m, &s->feed.entries[i], a, &ret->changes[ret->count]);
	ret->is_last = end == s->feed.count;
	ret->cursor = marketo_cursor(a, end);
	return ERR_NONE;
}

/* ---- reading ---- */

static enum err_kind marketo_read(void *self, const struct call *call, const struct mapping *m,
				  enum table table, const int64_t *person_ids,
				  const struct guid *record_ids, size_t count, struct arena *a,
				  struct record **ret, struct err *err)
{
	struct port *p = self;
	enum err_kind kind = sim_call(p, CALL_READ, err);

	(void)call, (void)table, (void)record_ids;
	for (size_t i = 0; kind == ERR_NONE && i < count; i++) {
		struct thing *t = world_person(p->sim, person_ids[i]);

		ret[i] = t ? twin_record(p->sim, m, t, a) : NULL;
	}
	return kind;
}

static bool marketo_is_wanted(const struct thing *t, enum lookup lookup, struct str value)
{
	struct guid id;

	if (lookup == LOOKUP_EMAIL)
		return t->cells[FIELD_EMAIL].now &&
		       str_equal_fold(str_of(t->cells[FIELD_EMAIL].now), value);
	return guid_parse(value, &id) && guid_equal(&t->stamp_id, &id);
}

static enum err_kind marketo_find(void *self, const struct call *call, const struct mapping *m,
				  enum table table, enum lookup lookup, const struct str *values,
				  size_t count, struct arena *a, struct record_list *ret,
				  struct err *err)
{
	struct port *p = self;
	struct sim *s = p->sim;
	enum err_kind kind = sim_call(p, CALL_READ, err);

	(void)call, (void)table;
	*ret = (struct record_list){ .records = arena_array(a, SIM_THINGS_MAX,
							    sizeof(*ret->records)) };
	for (size_t i = 0; kind == ERR_NONE && i < s->count[TABLE_PERSON]; i++) {
		const struct thing *t = &s->things[TABLE_PERSON][i];

		for (size_t k = 0; t->exists && k < count; k++) {
			if (!marketo_is_wanted(t, lookup, values[k]))
				continue;
			ret->records[ret->count++] = *twin_record(s, m, t, a);
			break;
		}
	}
	return kind;
}

/* ---- writing ---- */

static struct thing *marketo_stamped(struct sim *s, const struct guid *id)
{
	for (size_t i = 0; i < s->count[TABLE_PERSON]; i++) {
		struct thing *t = &s->things[TABLE_PERSON][i];

		if (t->exists && guid_equal(&t->stamp_id, id))
			return t;
	}
	return NULL;
}

static bool marketo_takes(struct port *p, const struct mapping *m, const struct write *w,
			  struct write_result *ret)
{
	struct arena scratch = { .chunks = NULL };

	for (size_t i = 0; i < w->field_count && ret->kind == ERR_NONE; i++) {
		enum word_field f = twin_field(m, w->fields[i].index);
		const char *value = twin_word(&scratch, &w->fields[i].value);

		if (p->sim->is_lenient)
			break;
		if (f == FIELD_NICK && value == word("Nope"))
			(void)twin_refuse(ret, ERR_REFUSED, "nick", "not this nickname");
		else if (f == FIELD_LAST && value == word("Zoe"))
			(void)twin_refuse(ret, ERR_REFUSED, "", "not this person");
	}
	arena_release(&scratch);
	return ret->kind == ERR_NONE;
}

static void marketo_stamp(struct sim *s, struct thing *t, const struct stamp *stamp)
{
	if (!stamp)
		return;
	if (stamp->fields & 1U << STAMP_ID)
		t->stamp_id = stamp->record_id;
	if (stamp->fields & 1U << STAMP_TYPE)
		t->stamp_table = stamp->table;
	if (stamp->fields & 1U << STAMP_IS_DELETED)
		t->stamp_is_deleted = stamp->is_deleted;
	s->stamps++;
}

static struct thing *marketo_create(struct port *p, const struct write *w, struct write_result *ret)
{
	struct sim *s = p->sim;
	struct thing *t = marketo_stamped(s, &w->record_id);

	if (t)
		return t;
	t = world_new(s, TABLE_PERSON);
	if (!t) {
		sim_broken(s, "INV-ONE-ROW", "Tandem makes persons without end");
		(void)twin_refuse(ret, ERR_REFUSED, "", "the world is full");
		return NULL;
	}
	t->is_made_by_tandem = true;
	t->made_for = w->record_id;
	ret->was_created = true;
	return t;
}

static void marketo_write_one(struct port *p, const struct mapping *m, const struct write *w,
			      struct write_result *ret)
{
	struct sim *s = p->sim;
	struct thing *t = world_person(s, w->person_id);
	char name[24];

	if (s->is_in_requests && (w->operation == WRITE_CREATE || w->field_count))
		sim_broken(s, "INV-NO-FORCE", "a request writes into a person");
	if (!marketo_takes(p, m, w, ret)) {
		sim_tell(s, "Marketo refuses what Tandem writes into person %lld",
			 (long long)w->person_id);
		return;
	}
	if (w->operation == WRITE_CREATE)
		t = marketo_create(p, w, ret);
	else if (!t)
		(void)twin_refuse(ret, ERR_GONE, "", "there is no such person");
	if (ret->kind != ERR_NONE || !t)
		return;
	twin_put_fields(p, m, w, t);
	if (w->stamp)
		sim_tell(s, "Tandem stamps %s", world_name(t, name));
	marketo_stamp(s, t, w->stamp);
	if (w->operation == WRITE_CREATE && !w->stamp)
		t->stamp_id = w->record_id;
	if (ret->was_created)
		world_made_person(s, t);
	ret->person_id = t->person_id;
}

static enum err_kind marketo_write(void *self, const struct call *call, const struct mapping *m,
				   const struct write *writes, size_t count,
				   struct write_result *results, struct err *err)
{
	(void)call;
	return twin_write_all(self, m, writes, count, results, marketo_write_one, err);
}

static uint64_t marketo_calls(void *self)
{
	return ((struct port *)self)->calls;
}

static void marketo_free(void *self)
{
	(void)self; /* the world goes on when a service ends */
}

const struct remote_ops twin_marketo_ops = {
	.identify = marketo_identify,
	.describe = marketo_describe,
	.refresh_rights = marketo_refresh_rights,
	.start_cursor = marketo_start_cursor,
	.changes = marketo_changes,
	.read = marketo_read,
	.find = marketo_find,
	.write = marketo_write,
	.add_activities = twin_add_activities,
	.find_activities = twin_find_activities,
	.calls = marketo_calls,
	.free = marketo_free,
};
