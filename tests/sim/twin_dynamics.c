/* Dynamics in memory: leads and contacts with versions, change tracking with cursors that expire,
 * rights to a column that come and go. Must not know Marketo or the store. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/twin.h"

static enum err_kind dynamics_identify(void *self, const struct call *call,
				       struct guid *ret_organisation, struct err *err)
{
	struct port *p = self;
	enum err_kind kind = sim_call(p, CALL_READ, err);

	(void)call;
	*ret_organisation = (struct guid){ { 0x44, p->sim->is_other_organisation } };
	return kind;
}

static enum err_kind dynamics_describe(void *self, const struct call *call, enum table table,
				       struct arena *a, struct schema *ret, struct err *err)
{
	struct port *p = self;
	enum err_kind kind = sim_call(p, CALL_READ, err);

	(void)call;
	if (kind != ERR_NONE)
		return kind;
	twin_describe(p->sim, table, a, ret);
	p->sim->right_told = p->sim->right;
	return kind;
}

static enum err_kind dynamics_refresh_rights(void *self, const struct call *call,
					     struct schema *schemas, size_t count,
					     bool *ret_changed, struct err *err)
{
	struct port *p = self;
	enum err_kind kind = sim_call(p, CALL_READ, err);
	enum right right = p->sim->right;

	(void)call;
	if (kind != ERR_NONE)
		return kind;
	*ret_changed = false;
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < schemas[i].column_count; k++) {
			struct column *c = &schemas[i].columns[k];

			if (!c->is_secured)
				continue;
			*ret_changed |= c->can_read != (right != RIGHT_NONE) ||
					c->can_update != (right == RIGHT_ALL);
			c->can_read = right != RIGHT_NONE;
			c->can_create = c->can_update = right == RIGHT_ALL;
		}
	}
	p->sim->right_told = right;
	return ERR_NONE;
}

static enum err_kind dynamics_start_cursor(void *self, const struct call *call, int64_t since_s,
					   struct arena *a, struct str *ret_cursor, struct err *err)
{
	(void)self, (void)call, (void)since_s, (void)a, (void)ret_cursor, (void)err;
	twin_unexpected("a fresh cursor of Dynamics");
}

/* ---- change tracking ---- */

/* A place in the feed: what changed after since, up to high, of which everything up to after has
 * been told. Between scans high is what the next one begins behind. */
struct place {
	unsigned long long selection;
	int64_t age, since, after, high;
	bool is_full, is_reading;
};

static struct str place_print(struct arena *a, const struct place *at)
{
	return str_of(arena_fmt(a, "D%llx %lld %lld %lld %lld %d %d", at->selection,
				(long long)at->age, (long long)at->since, (long long)at->after,
				(long long)at->high, at->is_full, at->is_reading));
}

static struct place place_read(struct arena *a, struct str text)
{
	struct place at;
	long long age, since, after, high;
	int is_full, is_reading;

	if (sscanf(arena_text(a, text), "D%llx %lld %lld %lld %lld %d %d", &at.selection, &age,
		   &since, &after, &high, &is_full, &is_reading) != 7)
		twin_unexpected("a cursor of Dynamics' feed");
	at.age = age;
	at.since = since;
	at.after = after;
	at.high = high;
	at.is_full = is_full;
	at.is_reading = is_reading;
	return at;
}

/* A row or a deletion, by version. */
struct told {
	int64_t version;
	const struct thing *row;
	const struct tombstone *gone;
};

static int told_order(const void *left, const void *right)
{
	const struct told *a = left, *b = right;

	return (a->version > b->version) - (a->version < b->version);
}

static size_t place_gather(struct sim *s, enum table table, const struct place *at,
			   struct told *all)
{
	size_t n = 0;

	if (s->is_empty_table && at->is_full)
		return 0;
	for (size_t i = 0; i < s->count[table]; i++) {
		const struct thing *t = &s->things[table][i];

		if (t->exists && t->version > at->after && t->version <= at->high)
			all[n++] = (struct told){ t->version, t, NULL };
	}
	for (size_t i = 0; !at->is_full && i < s->gone_count[table]; i++) {
		const struct tombstone *g = &s->gone[table][i];

		/* What is there again is no deletion any more. */
		if (!world_row(s, table, &g->record_id) && g->version > at->after &&
		    g->version <= at->high)
			all[n++] = (struct told){ g->version, NULL, g };
	}
	qsort(all, n, sizeof(*all), told_order);
	return n;
}

static void place_begin(struct sim *s, enum table table, struct place *at)
{
	if (at->is_reading)
		return;
	at->since = at->high - s->look_back[table];
	if (at->since < 0)
		at->since = 0;
	s->look_back[table] = 0;
	at->after = at->since;
	at->high = s->row_version;
	at->is_reading = true;
}

/* The n-th of a page, in an order of its own. */
static size_t place_turn(const struct sim *s, size_t n, size_t count)
{
	if (!s->setup.shuffle)
		return n;
	return s->setup.shuffle % 2 ? count - 1 - n : (n + s->setup.shuffle / 2) % count;
}

static void place_page(struct sim *s, const struct mapping *m, const struct told *page,
		       size_t count, struct arena *a, struct change_page *ret)
{
	ret->changes = arena_array(a, count + 1, sizeof(*ret->changes));
	for (size_t i = 0; i < count; i++) {
		const struct told *told = &page[place_turn(s, i, count)];
		struct change *c = &ret->changes[ret->count++];

		if (told->gone)
			*c = (struct change){ .kind = CHANGE_DELETED,
					      .record_id = told->gone->record_id };
		else
			*c = (struct change){ .kind = CHANGE_EDITED,
					      .record_id = told->row->record_id,
					      .record = twin_record(s, m, told->row, a) };
	}
}

static enum err_kind dynamics_changes(void *self, const struct call *call, const struct mapping *m,
				      enum table table, struct str cursor, struct arena *a,
				      struct change_page *ret, struct err *err)
{
	struct port *p = self;
	struct sim *s = p->sim;
	struct told all[SIM_THINGS_MAX * 2];
	struct place at = { .selection = m->selection[table],
			    .age = s->cursor_age[table],
			    .is_full = true };
	enum err_kind kind = sim_call(p, CALL_READ, err);
	size_t n, taken;
	bool is_start;

	(void)call;
	if (kind != ERR_NONE)
		return kind;
	if (cursor.n) {
		struct place from = place_read(a, cursor);

		if (from.age < s->cursor_age[table])
			return err_set(err, ERR_EXPIRED, "the cursor has expired");
		if (from.selection == at.selection)
			at = from;
	}
	is_start = at.is_full && !at.is_reading;
	place_begin(s, table, &at);
	n = place_gather(s, table, &at, all);
	taken = n < s->setup.row_page ? n : s->setup.row_page;
	*ret = (struct change_page){ .is_last = taken == n,
				     .is_scan_start = is_start,
				     .is_full_scan = at.is_full };
	place_page(s, m, all, taken, a, ret);
	if (taken)
		at.after = all[taken - 1].version;
	if (ret->is_last)
		at.is_reading = at.is_full = false;
	ret->cursor = place_print(a, &at);
	return ERR_NONE;
}

/* ---- reading ---- */

static enum err_kind dynamics_read(void *self, const struct call *call, const struct mapping *m,
				   enum table table, const int64_t *person_ids,
				   const struct guid *record_ids, size_t count, struct arena *a,
				   struct record **ret, struct err *err)
{
	struct port *p = self;
	enum err_kind kind = sim_call(p, CALL_READ, err);

	(void)call, (void)person_ids;
	for (size_t i = 0; kind == ERR_NONE && i < count; i++) {
		struct thing *t = world_row(p->sim, table, &record_ids[i]);

		ret[i] = t ? twin_record(p->sim, m, t, a) : NULL;
	}
	return kind;
}

static bool dynamics_is_wanted(const struct thing *t, const struct str *values, size_t count)
{
	if (!t->exists || t->state || t->is_merged || !t->cells[FIELD_EMAIL].now)
		return false;
	for (size_t k = 0; k < count; k++) {
		if (str_equal_fold(str_of(t->cells[FIELD_EMAIL].now), values[k]))
			return true;
	}
	return false;
}

static enum err_kind dynamics_find(void *self, const struct call *call, const struct mapping *m,
				   enum table table, enum lookup lookup, const struct str *values,
				   size_t count, struct arena *a, struct record_list *ret,
				   struct err *err)
{
	struct port *p = self;
	struct sim *s = p->sim;
	enum err_kind kind = sim_call(p, CALL_READ, err);

	(void)call;
	if (lookup != LOOKUP_EMAIL)
		twin_unexpected("a look-up in Dynamics");
	*ret = (struct record_list){ .records = arena_array(a, SIM_THINGS_MAX,
							    sizeof(*ret->records)) };
	for (size_t i = 0; kind == ERR_NONE && i < s->count[table]; i++) {
		if (dynamics_is_wanted(&s->things[table][i], values, count))
			ret->records[ret->count++] = *twin_record(s, m, &s->things[table][i], a);
	}
	return kind;
}

static enum err_kind dynamics_find_owner(void *self, const struct call *call, struct str name,
					 struct guid *ret, struct err *err)
{
	enum err_kind kind = sim_call(self, CALL_READ, err);

	(void)call;
	if (kind != ERR_NONE)
		return kind;
	if (!str_equal(name, STR("seller")))
		return err_set(err, ERR_REFUSED, "the owner is not a user of Dynamics");
	*ret = (struct guid){ { 0x55 } };
	return ERR_NONE;
}

/* ---- writing ---- */

static bool dynamics_takes(struct port *p, const struct mapping *m, const struct write *w,
			   struct write_result *ret)
{
	struct sim *s = p->sim;
	struct arena scratch = { .chunks = NULL };

	for (size_t i = 0; i < w->field_count && ret->kind == ERR_NONE; i++) {
		enum word_field f = twin_field(m, w->fields[i].index);
		const char *value = twin_word(&scratch, &w->fields[i].value);

		if (f == FIELD_SECRET && s->right_told != RIGHT_ALL)
			sim_broken(s, "INV-SELECTED", "a column without the right is written");
		if (f == FIELD_SECRET && s->right != RIGHT_ALL)
			(void)twin_refuse(ret, ERR_RIGHTS, "new_secret", "no right to this column");
		else if (!s->is_lenient && f == FIELD_EMAIL && value == word("poison@example.org"))
			(void)twin_refuse(ret, ERR_REFUSED, "emailaddress1", "not this address");
		else if (!s->is_lenient && f == FIELD_LAST && value == word("Poison"))
			(void)twin_refuse(ret, ERR_REFUSED, "", "not this record");
	}
	arena_release(&scratch);
	return ret->kind == ERR_NONE;
}

static struct thing *dynamics_create(struct port *p, const struct mapping *m, const struct write *w,
				     struct write_result *ret)
{
	struct sim *s = p->sim;
	struct thing *t;

	if (world_row(s, w->table, &w->record_id)) {
		(void)twin_refuse(ret, ERR_DUPLICATE, "", "a row with this id is there");
		return NULL;
	}
	t = world_new(s, w->table);
	if (!t) {
		sim_broken(s, "INV-ONE-ROW", "Tandem makes rows without end");
		(void)twin_refuse(ret, ERR_REFUSED, "", "the world is full");
		return NULL;
	}
	t->record_id = w->record_id;
	t->is_made_by_tandem = true;
	t->made_for_person = w->person_id;
	if (m->filter[w->table] && m->filter_rule.is_set_on_create)
		t->filter = FILTER_YES;
	return t;
}

static struct thing *dynamics_update(struct port *p, const struct write *w,
				     struct write_result *ret)
{
	struct thing *t = world_row(p->sim, w->table, &w->record_id);

	if (!t)
		(void)twin_refuse(ret, ERR_GONE, "", "there is no such row");
	else if (w->version && w->version != t->version)
		(void)twin_refuse(ret, ERR_CONFLICT, "", "somebody else wrote first");
	else if (t->state && t->table == TABLE_LEAD)
		(void)twin_refuse(ret, ERR_REFUSED, "", "this lead is read-only");
	return ret->kind == ERR_NONE ? t : NULL;
}

static void dynamics_write_one(struct port *p, const struct mapping *m, const struct write *w,
			       struct write_result *ret)
{
	struct sim *s = p->sim;
	struct thing *t = NULL;

	if (s->is_in_requests && w->operation != WRITE_CREATE)
		sim_broken(s, "INV-NO-FORCE", "a request updates a row");
	if (dynamics_takes(p, m, w, ret))
		t = w->operation == WRITE_CREATE ? dynamics_create(p, m, w, ret)
						 : dynamics_update(p, w, ret);
	if (!t) {
		sim_tell(s, "Dynamics refuses what Tandem writes into a %s: %s",
			 table_name(w->table), ret->err.text);
		return;
	}
	twin_put_fields(p, m, w, t);
	world_touch(s, t);
	ret->version = w->operation == WRITE_CREATE && s->setup.is_bulk ? 0 : t->version;
}

static enum err_kind dynamics_write(void *self, const struct call *call, const struct mapping *m,
				    const struct write *writes, size_t count,
				    struct write_result *results, struct err *err)
{
	(void)call;
	return twin_write_all(self, m, writes, count, results, dynamics_write_one, err);
}

static uint64_t dynamics_calls(void *self)
{
	return ((struct port *)self)->calls;
}

static void dynamics_free(void *self)
{
	(void)self; /* the world goes on when a service ends */
}

const struct remote_ops twin_dynamics_ops = {
	.identify = dynamics_identify,
	.describe = dynamics_describe,
	.refresh_rights = dynamics_refresh_rights,
	.start_cursor = dynamics_start_cursor,
	.changes = dynamics_changes,
	.read = dynamics_read,
	.find = dynamics_find,
	.write = dynamics_write,
	.find_owner = dynamics_find_owner,
	.calls = dynamics_calls,
	.free = dynamics_free,
};
