/* Records by id and by e-mail, 100 a query ("Microsoft Learn: In query function"), the queries
 * several a request; and users by name. */
#include "remote/dynamics_read.h"

#include "base/mem.h"
#include "remote/dynamics_query.h"
#include "remote/json.h"

enum {
	VALUES_MAX = 100,            /* of one In */
	VALUE_BYTES_MAX = 24 * 1024, /* percent-encoded; an address ends at 32,768 characters */
	PAGES_MAX = 1000,
};

struct asking {
	struct dynamics *d;
	const struct call *call;
	struct dynamics_projection projection;
	const char *column;    /* what the values are of */
	const char *condition; /* percent-encoded, behind the In; "" none */
	const struct str *values;
	size_t count;
	struct arena *arena; /* of the records */
	/* Called for every record; values are those its query asked for. */
	enum err_kind (*take)(struct asking *asking, const struct str *values, size_t count,
			      struct record *record, struct err *err);
	void *context;
};

void dynamics_projection_of(struct dynamics *d, const struct mapping *m, enum table t,
			    struct arena *a, struct dynamics_projection *ret)
{
	bool has_origin;

	(void)pthread_mutex_lock(&d->lock);
	has_origin = d->has_origin[t];
	(void)pthread_mutex_unlock(&d->lock);
	dynamics_project(m, t, has_origin, a, ret);
}

/* ---- queries ---- */

/* How many of the values fit in one query. */
static size_t fitting(const struct str *values, size_t count)
{
	size_t bytes = 0, n = 0;

	while (n < count && n < VALUES_MAX) {
		bytes += values[n].n * 3 + 9;
		if (n && bytes > VALUE_BYTES_MAX)
			break;
		n++;
	}
	return n;
}

static char *query_path(const struct asking *q, const struct str *values, size_t count,
			struct arena *paths)
{
	CLEANUP(buf_release) struct buf path = { 0 };

	buf_fmt(&path,
		DYNAMICS_ROOT "%s?$select=%s&$filter=", dynamics_set_name(q->projection.table),
		q->projection.select);
	dynamics_filter_in(&path, q->column, values, count);
	buf_text(&path, q->condition);
	return arena_text(paths, buf_str(&path));
}

/* ---- answers ---- */

struct rows {
	struct asking *asking;
	const struct str *values;
	size_t count;
	struct arena *paths;
	struct str next;
};

static enum err_kind visit(void *context, const char *array, const char *member,
			   struct json_object *value, struct err *err)
{
	struct rows *rows = context;
	struct asking *q = rows->asking;
	struct record *record;
	enum err_kind kind;

	if (!array && strcmp(member, "@odata.nextLink") == 0 &&
	    json_object_is_type(value, json_type_string))
		rows->next = arena_str(rows->paths, str_of(json_object_get_string(value)));
	if (!array || strcmp(array, "value") != 0)
		return ERR_NONE;
	record = arena_alloc(q->arena, sizeof(*record));
	kind = dynamics_row_read(&q->projection, value, q->arena, record, err);
	if (kind == ERR_NONE)
		kind = q->take(q, rows->values, rows->count, record, err);
	return kind;
}

/* The answer of one query, and the pages that follow it. */
static enum err_kind take_answer(void *context, size_t query, struct str body, struct err *err)
{
	struct rows *rows = (struct rows *)context + query;
	struct dynamics *d = rows->asking->d;
	enum err_kind kind = json_walk(body, visit, rows, err);

	for (unsigned page = 0; kind == ERR_NONE && rows->next.n; page++) {
		struct dynamics_request r = { .path = rows->next.p,
					      .wants_labels = rows->asking->projection.has_labels };

		if (page == PAGES_MAX || !http_origin_owns(d->origin, rows->next))
			return err_set(err, ERR_RUBBISH,
				       "a next link leads to another address or never ends");
		rows->next = (struct str){ NULL, 0 };
		kind = dynamics_send(d, rows->asking->call, &r, 1, err);
		if (kind == ERR_NONE)
			kind = json_walk(buf_str(&r.answer.body_in), visit, rows, err);
		dynamics_request_release(&r);
	}
	return kind;
}

static enum err_kind ask_all(struct asking *q, struct err *err)
{
	CLEANUP(arena_release) struct arena paths = { 0 };
	struct dynamics_query *queries = arena_array(&paths, q->count + 1, sizeof(*queries));
	struct rows *rows = arena_array(&paths, q->count + 1, sizeof(*rows));
	size_t n = 0;

	for (size_t at = 0; at < q->count; n++) {
		size_t fit = fitting(q->values + at, q->count - at);

		rows[n] = (struct rows){
			.asking = q, .values = q->values + at, .count = fit, .paths = &paths
		};
		queries[n].path = query_path(q, q->values + at, fit, &paths);
		queries[n].wants_labels = q->projection.has_labels;
		at += fit;
	}
	return dynamics_ask(q->d, q->call, queries, n, take_answer, rows, err);
}

/* ---- by id ---- */

struct id_place {
	struct guid id;
	size_t index;
};

struct by_id {
	struct id_place *places; /* sorted by id */
	size_t count;
	struct record **ret;
};

static int compare_places(const void *a, const void *b)
{
	return guid_compare(&((const struct id_place *)a)->id, &((const struct id_place *)b)->id);
}

static enum err_kind take_by_id(struct asking *q, const struct str *values, size_t count,
				struct record *record, struct err *err)
{
	struct by_id *by = q->context;
	size_t low = 0, high = by->count;

	(void)values;
	(void)count;
	(void)err;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (guid_compare(&by->places[middle].id, &record->record_id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < by->count && guid_equal(&by->places[low].id, &record->record_id); low++)
		by->ret[by->places[low].index] = record;
	return ERR_NONE;
}

enum err_kind dynamics_read(struct dynamics *d, const struct call *call, const struct mapping *m,
			    enum table t, const struct guid *ids, size_t count, struct arena *a,
			    struct record **ret, struct err *err)
{
	CLEANUP(arena_release) struct arena own = { 0 };
	struct by_id by = { .places = arena_array(&own, count + 1, sizeof(*by.places)),
			    .count = count,
			    .ret = ret };
	struct str *values = arena_array(&own, count + 1, sizeof(*values));
	struct asking q = { .d = d,
			    .call = call,
			    .column = dynamics_id_column(t),
			    .condition = "",
			    .values = values,
			    .arena = a,
			    .take = take_by_id,
			    .context = &by };

	for (size_t i = 0; i < count; i++) {
		by.places[i] = (struct id_place){ ids[i], i };
		ret[i] = NULL;
	}
	qsort(by.places, count, sizeof(*by.places), compare_places);
	for (size_t i = 0; i < count; i++) {
		char text[GUID_TEXT];

		if (i && guid_equal(&by.places[i].id, &by.places[i - 1].id))
			continue;
		guid_print(&by.places[i].id, text);
		values[q.count++] = arena_str(&own, str_of(text));
	}
	dynamics_projection_of(d, m, t, &own, &q.projection);
	return ask_all(&q, err);
}

/* ---- by e-mail ---- */

struct by_email {
	struct record **found; /* owned */
	size_t count, cap;
};

/* Dataverse compares by its collation, which may take an accent for nothing: what differs in more
 * than case goes. */
static bool is_asked_for(const struct asking *q, const struct str *values, size_t count,
			 const struct record *record)
{
	const struct value *email = &record->values[q->projection.mapping->email];

	for (size_t i = 0; i < count; i++)
		if (email->kind == VALUE_TEXT && str_equal_fold(email->text, str_trim(values[i])))
			return true;
	return false;
}

static enum err_kind take_by_email(struct asking *q, const struct str *values, size_t count,
				   struct record *record, struct err *err)
{
	struct by_email *by = q->context;

	(void)err;
	if (record->is_merged || record->state != 0 || !is_asked_for(q, values, count, record))
		return ERR_NONE;
	if (by->count == by->cap) {
		by->cap = by->cap ? by->cap * 2 : 64;
		by->found = mem_grow(by->found, by->cap, sizeof(struct record *));
	}
	by->found[by->count++] = record;
	return ERR_NONE;
}

static int compare_records(const void *a, const void *b)
{
	return guid_compare(&(*(struct record *const *)a)->record_id,
			    &(*(struct record *const *)b)->record_id);
}

/* The same address asked for twice in different case finds the same record twice. */
static void take_distinct(struct by_email *by, struct arena *a, struct record_list *ret)
{
	*ret = (struct record_list){ .records =
					     arena_array(a, by->count + 1, sizeof(*ret->records)) };
	if (by->count)
		qsort(by->found, by->count, sizeof(struct record *), compare_records);
	for (size_t i = 0; i < by->count; i++)
		if (!i || !guid_equal(&by->found[i]->record_id, &by->found[i - 1]->record_id))
			ret->records[ret->count++] = *by->found[i];
}

enum err_kind dynamics_find(struct dynamics *d, const struct call *call, const struct mapping *m,
			    enum table t, enum lookup lookup, const struct str *values,
			    size_t count, struct arena *a, struct record_list *ret, struct err *err)
{
	CLEANUP(arena_release) struct arena own = { 0 };
	const struct column *email = m->email >= 0 ? m->fields[m->email].column[t] : NULL;
	struct by_email by = { .found = NULL };
	struct asking q = { .d = d,
			    .call = call,
			    .condition = "%20and%20statecode%20eq%200",
			    .values = values,
			    .count = count,
			    .arena = a,
			    .take = take_by_email,
			    .context = &by };
	enum err_kind kind;

	if (lookup != LOOKUP_EMAIL)
		return err_set(err, ERR_OURS, "records are looked up by e-mail only");
	if (!email)
		return err_set(err, ERR_RIGHTS, "the e-mail column of %s cannot be read",
			       dynamics_set_name(t));
	q.column = arena_text(&own, email->name);
	dynamics_projection_of(d, m, t, &own, &q.projection);
	kind = ask_all(&q, err);
	if (kind == ERR_NONE)
		take_distinct(&by, a, ret);
	free(by.found);
	return kind;
}

/* ---- how many ---- */

void dynamics_count_read(struct json_object *answer, uint64_t ret[TABLE_COUNT])
{
	struct json_object *all = json_get_object(answer, "EntityRecordCountCollection");
	struct json_object *keys = all ? json_get_array(all, "Keys") : NULL;
	struct json_object *values = all ? json_get_array(all, "Values") : NULL;

	memset(ret, 0, TABLE_COUNT * sizeof(*ret));
	for (size_t i = 0; keys && values && i < json_object_array_length(keys); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(keys, i));
		int64_t n = json_object_get_int64(json_object_array_get_idx(values, i));

		for (int t = 0; t < TABLE_COUNT; t++)
			if (table_side((enum table)t) == SIDE_DYNAMICS && n > 0 &&
			    str_equal(str_of(name), str_of(table_name((enum table)t))))
				ret[t] = (uint64_t)n;
	}
}

/* "Microsoft Learn: RetrieveTotalRecordCount function". Whoever asks can do without, and trouble
 * with more than this function shows in the next request anyway. */
enum err_kind dynamics_count(struct dynamics *d, const struct call *call, uint64_t ret[TABLE_COUNT],
			     struct err *err)
{
	struct dynamics_request r = { .path = DYNAMICS_ROOT "RetrieveTotalRecordCount(EntityNames="
							    "%5B'lead','contact'%5D)" };
	struct json_object *answer = NULL;
	struct err own = { .retry_after_ms = -1 };
	enum err_kind kind = dynamics_send(d, call, &r, 1, &own);

	if (kind == ERR_STOPPED && err)
		*err = own;
	if (kind == ERR_NONE)
		(void)dynamics_tree(buf_str(&r.answer.body_in), &answer, NULL);
	dynamics_count_read(answer, ret);
	json_object_put(answer);
	dynamics_request_release(&r);
	return kind == ERR_STOPPED ? kind : ERR_NONE;
}

/* ---- owners ---- */

static enum err_kind refuse_owner(const char *why, struct err *err)
{
	(void)err_set(err, ERR_REFUSED, "the owner %s", why);
	if (err)
		snprintf(err->field, sizeof(err->field), "ownerid");
	return ERR_REFUSED;
}

/* A filter by id too: an absent row is then an empty answer instead of an error. */
static char *owner_path(struct str name, struct arena *a)
{
	CLEANUP(buf_release) struct buf filter = { 0 }, path = { 0 }, quoted = { 0 };
	struct guid id;

	if (guid_parse(name, &id)) {
		char text[GUID_TEXT];

		guid_print(&id, text);
		buf_fmt(&filter, "systemuserid eq %s", text);
	} else {
		for (struct str rest = name; rest.n;) {
			bool has_quote = memchr(rest.p, '\'', rest.n) != NULL;

			buf_add(&quoted, str_cut(&rest, '\''));
			if (has_quote)
				buf_text(&quoted, "''");
		}
		buf_fmt(&filter, "domainname eq '%s' or internalemailaddress eq '%s'",
			buf_cstr(&quoted), buf_cstr(&quoted));
	}
	buf_text(&path, DYNAMICS_ROOT "systemusers?$select=systemuserid,isdisabled&$filter=");
	buf_url(&path, buf_str(&filter));
	return arena_text(a, buf_str(&path));
}

static enum err_kind choose_owner(struct json_object *answer, struct guid *ret, struct err *err)
{
	struct json_object *rows = json_get_array(answer, "value");
	size_t enabled = 0, disabled = 0;
	struct guid id;

	if (!rows)
		return err_set(err, ERR_RUBBISH, "users came incomplete");
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		struct str text;
		bool is_disabled;

		if (!json_get_string(row, "systemuserid", &text) ||
		    !json_get_bool(row, "isdisabled", &is_disabled) || !guid_parse(text, &id))
			return err_set(err, ERR_RUBBISH, "a user came incomplete");
		enabled += !is_disabled;
		disabled += is_disabled;
		if (!is_disabled)
			*ret = id;
	}
	if (enabled > 1)
		return refuse_owner("is not one but several users of Dynamics: name it by id", err);
	if (!enabled)
		return refuse_owner(disabled ? "is a disabled user of Dynamics"
					     : "is not a user of Dynamics",
				    err);
	return ERR_NONE;
}

enum err_kind dynamics_find_owner(struct dynamics *d, const struct call *call, struct str name,
				  struct guid *ret, struct err *err)
{
	CLEANUP(arena_release) struct arena own = { 0 };
	struct json_object *answer = NULL;
	struct guid found = { { 0 } };
	enum err_kind kind;

	name = str_trim(name);
	if (!name.n)
		return refuse_owner("has no name", err);
	kind = dynamics_get(d, call, owner_path(name, &own), &answer, err);
	if (kind == ERR_NONE)
		kind = choose_owner(answer, &found, err);
	if (kind == ERR_NONE)
		*ret = found;
	json_object_put(answer);
	return kind;
}
