/* Rights on columns: see dynamics_rights.h. Must not know how tables are described otherwise. */
#include "remote/dynamics_rights.h"

#include "base/mem.h"
#include "remote/dynamics_write.h"
#include "remote/json.h"

enum { RIGHT_GRANTED = 4 };

/* ---- what the table alone allows ---- */

static int compare_plain(const void *a, const void *b)
{
	return guid_compare(&((const struct dynamics_column *)a)->metadata_id,
			    &((const struct dynamics_column *)b)->metadata_id);
}

static struct dynamics_column plain_of(const struct column *c)
{
	return (struct dynamics_column){ c->metadata_id, c->can_read, c->can_create,
					 c->can_update };
}

void dynamics_rights_remember(struct dynamics *d, const struct schema *s)
{
	struct dynamics_column *all = mem_array(s->column_count, sizeof(*all));
	bool has_origin = schema_find(s, STR("originatingleadid")) != NULL;

	for (size_t i = 0; i < s->column_count; i++)
		all[i] = plain_of(&s->columns[i]);
	qsort(all, s->column_count, sizeof(*all), compare_plain);
	(void)pthread_mutex_lock(&d->lock);
	free(d->columns[s->table]);
	d->columns[s->table] = all;
	d->column_count[s->table] = s->column_count;
	d->has_origin[s->table] = has_origin;
	d->bulk[s->table].state = BULK_UNKNOWN;
	(void)pthread_mutex_unlock(&d->lock);
}

/* A column that was not described by this object keeps what it has: then the schema is not ours to
 * widen. */
static struct dynamics_column find_plain(struct dynamics *d, enum table t, const struct column *c)
{
	struct dynamics_column wanted = plain_of(c);
	const struct dynamics_column *found = NULL;

	(void)pthread_mutex_lock(&d->lock);
	if (d->column_count[t])
		found = bsearch(&wanted, d->columns[t], d->column_count[t], sizeof(*found),
				compare_plain);
	if (found)
		wanted = *found;
	(void)pthread_mutex_unlock(&d->lock);
	return wanted;
}

/* ---- what the sync user may do ---- */

enum err_kind dynamics_rights_check(struct json_object *rights, struct err *err)
{
	if (!json_get_array(rights, "AttributePrivileges"))
		return err_set(err, ERR_RUBBISH, "the rights on columns came incomplete");
	return ERR_NONE;
}

static bool is_granted(struct json_object *row, const char *name)
{
	int64_t right;

	return json_get_int64(row, name, &right) && right == RIGHT_GRANTED;
}

static struct json_object *find_right(struct json_object *rights, const struct guid *metadata_id)
{
	struct json_object *rows = json_get_array(rights, "AttributePrivileges");

	for (size_t i = 0; rows && i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		struct str text;
		struct guid id;

		if (json_get_string(row, "AttributeId", &text) && guid_parse(text, &id) &&
		    guid_equal(&id, metadata_id))
			return row;
	}
	return NULL;
}

/* Rights appear only for secured columns, so a column that has some is secured even when its
 * definition does not know it yet. A secured column without any has no row: then nothing is
 * allowed. */
static void apply_right(const struct dynamics_column *plain, struct json_object *rights,
			struct column *c)
{
	struct json_object *row = find_right(rights, &c->metadata_id);

	if (row)
		c->is_secured = true;
	c->can_read = plain->can_read && (!c->is_secured || is_granted(row, "CanRead"));
	c->can_create = plain->can_create && (!c->is_secured || is_granted(row, "CanCreate"));
	c->can_update = plain->can_update && (!c->is_secured || is_granted(row, "CanUpdate"));
}

void dynamics_rights_apply(struct dynamics *d, struct json_object *rights, struct schema *s)
{
	for (size_t i = 0; i < s->column_count; i++) {
		struct dynamics_column plain = find_plain(d, s->table, &s->columns[i]);

		apply_right(&plain, rights, &s->columns[i]);
	}
}

/* ---- which columns are secured ---- */

/* A list that says less than it should would leave a secured column looking open: not one row of it
 * may be odd. */
static enum err_kind check_secured(struct json_object *answer, struct err *err)
{
	struct json_object *rows = json_get_array(answer, "value");
	struct str name;
	bool is_secured;

	if (!rows || json_object_object_get_ex(answer, "@odata.nextLink", NULL))
		return err_set(err, ERR_RUBBISH, "the list of secured columns came incomplete");
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		if (!json_get_string(row, "LogicalName", &name) || !name.n ||
		    !json_get_bool(row, "IsSecured", &is_secured))
			return err_set(err, ERR_RUBBISH,
				       "the list of secured columns has a row without name or "
				       "security");
	}
	return ERR_NONE;
}

static bool is_listed(struct json_object *answer, struct str column)
{
	struct json_object *rows = json_get_array(answer, "value");

	for (size_t i = 0; rows && i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		bool is_secured = false;
		struct str name;

		if (json_get_string(row, "LogicalName", &name) && str_equal(name, column) &&
		    json_get_bool(row, "IsSecured", &is_secured) && is_secured)
			return true;
	}
	return false;
}

/* Answers whether anything is different now. */
static bool apply_all(struct dynamics *d, struct json_object *rights, struct json_object *secured,
		      struct schema *s)
{
	bool has_changed = false;

	for (size_t i = 0; i < s->column_count; i++) {
		struct column *c = &s->columns[i], before = *c;
		struct dynamics_column plain = find_plain(d, s->table, c);

		c->is_secured = is_listed(secured, c->name);
		apply_right(&plain, rights, c);
		has_changed = has_changed || before.is_secured != c->is_secured ||
			      before.can_read != c->can_read ||
			      before.can_create != c->can_create ||
			      before.can_update != c->can_update;
	}
	return has_changed;
}

/* ---- asking anew ---- */

static void ask(const char *path, struct buf *out)
{
	buf_fmt(out,
		DYNAMICS_PART_START "GET %s HTTP/1.1\r\nAccept: application/json\r\n"
				    "Consistency: Strong\r\n\r\n\r\n",
		path);
}

/* Rights first: parts are answered in order, and a column that becomes secured between the two
 * is then a secured one without rights, never an open one. */
void dynamics_rights_ask(const struct guid *user, const struct schema *schemas, size_t count,
			 struct buf *out)
{
	CLEANUP(arena_release) struct arena a = { 0 };

	ask(dynamics_user_path(&a, user, "RetrievePrincipalAttributePrivileges"), out);
	for (size_t i = 0; i < count; i++)
		ask(arena_fmt(&a,
			      DYNAMICS_ROOT
			      "EntityDefinitions(LogicalName='%s')/Attributes?$select=LogicalName,"
			      "IsSecured&$filter=IsSecured%%20eq%%20true",
			      table_name(schemas[i].table)),
		    out);
	buf_text(out, DYNAMICS_PARTS_END);
}

static enum err_kind take_part(const struct multipart_part *part, struct json_object **ret,
			       struct err *err)
{
	struct dynamics_answer answer = { .status = part->status,
					  .retry_after_ms = part->retry_after_ms,
					  .body = part->body };
	struct err own = { .retry_after_ms = -1 };
	enum dynamics_repeat ignored;

	if (!part->status)
		return err_set(err, ERR_RUBBISH, "a part of an answer about rights is none");
	if (part->status >= 200 && part->status < 300)
		return dynamics_tree(part->body, ret, err);
	own.kind =
		dynamics_err_of_reading(dynamics_err_judge(&answer, &ignored, &own), part->status);
	if (err)
		*err = own;
	return own.kind;
}

static enum err_kind take_parts(struct str content_type, struct str body,
				struct json_object **answers, size_t count, struct err *err)
{
	struct multipart m;
	struct multipart_part part;
	size_t n = 0;

	if (!multipart_start(&m, content_type, body))
		return err_set(err, ERR_RUBBISH,
			       "a question about rights was answered with something else than "
			       "parts");
	while (n < count && multipart_next(&m, &part)) {
		enum err_kind kind = take_part(&part, &answers[n++], err);

		if (kind != ERR_NONE)
			return kind;
	}
	if (n < count)
		return err_set(err, ERR_RUBBISH, "an answer about rights came with parts missing");
	return ERR_NONE;
}

enum err_kind dynamics_rights_take(struct dynamics *d, struct str content_type, struct str body,
				   struct schema *schemas, size_t count, bool *ret_changed,
				   struct err *err)
{
	/* the rights, then the secured columns of each table */
	struct json_object **answers = mem_array(count + 1, sizeof(*answers));
	enum err_kind kind = take_parts(content_type, body, answers, count + 1, err);
	bool has_changed = false;

	if (kind == ERR_NONE)
		kind = dynamics_rights_check(answers[0], err);
	for (size_t i = 0; kind == ERR_NONE && i < count; i++)
		kind = check_secured(answers[i + 1], err);
	for (size_t i = 0; kind == ERR_NONE && i < count; i++)
		has_changed = apply_all(d, answers[0], answers[i + 1], &schemas[i]) || has_changed;
	if (kind == ERR_NONE)
		*ret_changed = has_changed;
	for (size_t i = 0; i <= count; i++)
		json_object_put(answers[i]);
	free(answers);
	return kind;
}

static enum err_kind send_batch(struct dynamics *d, const struct call *call, struct buf *body,
				struct schema *schemas, size_t count, bool *ret_changed,
				struct err *err)
{
	struct dynamics_request r = { .method = "POST",
				      .path = DYNAMICS_ROOT "$batch",
				      .content_type = DYNAMICS_BATCH_TYPE,
				      .body = buf_str(body),
				      .is_batch = true };
	enum err_kind kind = dynamics_send(d, call, &r, 1, err);

	if (kind == ERR_NONE) {
		kind = dynamics_rights_take(d, str_of(r.answer.content_type),
					    buf_str(&r.answer.body_in), schemas, count, ret_changed,
					    err);
		if (kind == ERR_THROTTLED)
			dynamics_throttled(d, err->code, err->retry_after_ms);
	} else {
		kind = err->kind = dynamics_err_of_reading(kind, err->http_status);
	}
	dynamics_request_release(&r);
	return kind;
}

enum err_kind dynamics_refresh_rights(struct dynamics *d, const struct call *call,
				      struct schema *schemas, size_t count, bool *ret_changed,
				      struct err *err)
{
	CLEANUP(buf_release) struct buf body = { 0 };
	struct err own = { .retry_after_ms = -1 };
	struct guid user;
	enum err_kind kind;

	for (size_t i = 0; i < count; i++)
		if (table_side(schemas[i].table) != SIDE_DYNAMICS)
			return err_set(err, ERR_OURS, "Dynamics has no table for persons");
	kind = dynamics_user(d, call, &user, &own);
	if (kind == ERR_NONE) {
		dynamics_rights_ask(&user, schemas, count, &body);
		kind = send_batch(d, call, &body, schemas, count, ret_changed, &own);
	}
	if (kind != ERR_NONE && err)
		*err = own;
	return kind;
}
