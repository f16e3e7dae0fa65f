/* Creating many records of one table with one request each hundred ("Microsoft Learn: Use bulk
 * operation messages"). All or nothing: whatever does not go through as a whole is left to the
 * batches of dynamics_write.c, where a bad row stands alone (INV-NO-HOSTAGE) and one that is there
 * already is recognised by its id (INV-ONE-ROW). Updates never come here: no row of such a request
 * can name the version it was decided on, so it would cover what somebody else has written since. */
#include "remote/dynamics_write.h"

#include "base/mem.h"
#include "remote/json.h"

enum {
	BULK_ROWS_MIN = 10, /* of one call: fewer are not worth the risk of a second request */
	BULK_BYTES_MAX = 4 * 1024 * 1024,
};

struct bulk {
	struct dynamics *d;
	const struct call *call;
	const struct mapping *mapping;
	const struct write *writes;
	bool *is_done;
	size_t count;
	enum table table;
	char path[128];
};

struct chunk {
	struct buf body; /* owned */
	size_t *index;   /* of the writes in it; owned */
	size_t count;
};

/* ---- is it offered? ---- */

static enum err_kind bulk_ask(struct bulk *b, bool *ret, struct err *err)
{
	struct json_object *answer = NULL;
	struct json_object *rows;
	char path[320];
	enum err_kind kind;

	(void)snprintf(path, sizeof(path),
		       DYNAMICS_ROOT
		       "sdkmessagefilters?$select=sdkmessagefilterid&$filter=sdkmessageid/"
		       "name%%20eq%%20'CreateMultiple'%%20and%%20"
		       "primaryobjecttypecode%%20eq%%20'%s'",
		       table_name(b->table));
	kind = dynamics_get(b->d, b->call, path, &answer, err);
	if (kind != ERR_NONE)
		return kind;
	rows = json_get_array(answer, "value");
	*ret = rows && json_object_array_length(rows);
	json_object_put(answer);
	return ERR_NONE;
}

static void bulk_remember(struct bulk *b, bool is_offered)
{
	(void)pthread_mutex_lock(&b->d->lock);
	b->d->bulk[b->table].state = is_offered ? BULK_OFFERED : BULK_NOT_OFFERED;
	(void)pthread_mutex_unlock(&b->d->lock);
}

/* Asked once in the life of a schema. Somebody who may not ask does without. */
static bool bulk_is_offered(struct bulk *b)
{
	bool is_known, is_offered;
	enum err_kind kind;

	(void)pthread_mutex_lock(&b->d->lock);
	is_known = b->d->bulk[b->table].state != BULK_UNKNOWN;
	is_offered = b->d->bulk[b->table].state == BULK_OFFERED;
	(void)pthread_mutex_unlock(&b->d->lock);
	if (is_known)
		return is_offered;
	kind = bulk_ask(b, &is_offered, NULL);
	if (kind == ERR_RETRY_LATER || kind == ERR_THROTTLED || kind == ERR_STOPPED)
		return false;
	is_offered = kind == ERR_NONE && is_offered;
	bulk_remember(b, is_offered);
	return is_offered;
}

/* ---- one request ---- */

static size_t bulk_rows(struct bulk *b)
{
	size_t rows;

	(void)pthread_mutex_lock(&b->d->lock);
	rows = b->d->bulk[b->table].rows;
	(void)pthread_mutex_unlock(&b->d->lock);
	return rows ? rows : LOAD_ROWS_FIRST;
}

/* Takes creates from *at on. What cannot be put into words is for the batches to tell. */
static void chunk_build(const struct bulk *b, size_t *at, size_t rows, struct chunk *c)
{
	*c = (struct chunk){ .index = mem_array(rows, sizeof(*c->index)) };
	buf_text(&c->body, "{\"Targets\":[");
	for (; *at < b->count && c->count < rows && c->body.len < BULK_BYTES_MAX; ++*at) {
		CLEANUP(buf_release) struct buf target = { 0 };
		const struct write *w = &b->writes[*at];

		if (w->operation != WRITE_CREATE ||
		    dynamics_part_target(b->mapping, w, &target, NULL) != ERR_NONE)
			continue;
		if (c->count)
			buf_char(&c->body, ',');
		buf_add(&c->body, buf_str(&target));
		c->index[c->count++] = *at;
	}
	buf_text(&c->body, "]}");
}

static void chunk_release(struct chunk *c)
{
	buf_release(&c->body);
	free(c->index);
}

bool dynamics_bulk_made(struct str body, const struct write *writes, const size_t *index,
			size_t count)
{
	struct json_object *answer = NULL;
	struct json_object *ids;
	bool is_ours;

	if (dynamics_tree(body, &answer, NULL) != ERR_NONE)
		return false;
	ids = json_get_array(answer, "Ids");
	is_ours = ids && json_object_array_length(ids) == count;
	for (size_t i = 0; is_ours && i < count; i++) {
		struct json_object *text = json_object_array_get_idx(ids, i);
		struct guid id;

		is_ours = json_object_is_type(text, json_type_string) &&
			  guid_parse((struct str){ json_object_get_string(text),
						   (size_t)json_object_get_string_len(text) },
				     &id) &&
			  guid_equal(&id, &writes[index[i]].record_id);
	}
	json_object_put(answer);
	return is_ours;
}

/* Half as many rows next time where a request was too much or one of its rows was refused: the
 * others had to be sent twice. */
static void chunk_learn(struct bulk *b, const struct chunk *c, const struct dynamics_request *r)
{
	bool is_too_much = r->kind == ERR_REFUSED || r->repeat == REPEAT_SMALLER;
	size_t rows = bulk_rows(b);

	if (r->kind == ERR_THROTTLED)
		return;
	rows = load_rows(rows, c->count, is_too_much ? INT64_MAX : r->answer.took_ms);
	(void)pthread_mutex_lock(&b->d->lock);
	b->d->bulk[b->table].rows = rows;
	(void)pthread_mutex_unlock(&b->d->lock);
}

static void chunk_take(struct bulk *b, const struct chunk *c, const struct dynamics_request *r)
{
	bool is_made = r->kind == ERR_NONE && dynamics_bulk_made(buf_str(&r->answer.body_in),
								 b->writes, c->index, c->count);

	chunk_learn(b, c, r);
	for (size_t i = 0; is_made && i < c->count; i++)
		b->is_done[c->index[i]] = true;
	/* No such action after all, or one that answers otherwise than it should. */
	if (r->kind == ERR_BROKEN || r->kind == ERR_OURS || r->kind == ERR_RUBBISH ||
	    (r->kind == ERR_NONE && !is_made))
		bulk_remember(b, false);
}

/* ---- all of them ---- */

/* As many requests as may run side by side. */
static enum err_kind bulk_group(struct bulk *b, size_t *at, struct err *err)
{
	size_t parallel = dynamics_parallel(b->d), n = 0;
	struct chunk *chunks = mem_array(parallel, sizeof(*chunks));
	struct dynamics_request *requests = mem_array(parallel, sizeof(*requests));
	enum err_kind kind = ERR_NONE;

	while (n < parallel && *at < b->count) {
		chunk_build(b, at, bulk_rows(b), &chunks[n]);
		requests[n] = (struct dynamics_request){
			.method = "POST",
			.path = b->path,
			.content_type = "application/json",
			.body = buf_str(&chunks[n].body),
			.is_bulk = true,
		};
		if (chunks[n].count)
			n++;
		else
			chunk_release(&chunks[n]);
	}
	(void)dynamics_send(b->d, b->call, requests, n, NULL);
	for (size_t i = 0; i < n; i++) {
		chunk_take(b, &chunks[i], &requests[i]);
		if (requests[i].kind == ERR_STOPPED || requests[i].kind == ERR_THROTTLED) {
			kind = requests[i].kind;
			*err = requests[i].err;
		}
		dynamics_request_release(&requests[i]);
		chunk_release(&chunks[i]);
	}
	free(requests);
	free(chunks);
	return kind;
}

enum err_kind dynamics_bulk_create(struct dynamics *d, const struct call *call,
				   const struct mapping *m, const struct write *writes,
				   size_t count, bool *is_done, struct err *err)
{
	struct bulk b = { .d = d,
			  .call = call,
			  .mapping = m,
			  .writes = writes,
			  .is_done = is_done,
			  .count = count };
	enum err_kind kind = ERR_NONE;
	size_t creates = 0, at = 0;

	for (size_t i = 0; i < count; i++)
		creates += writes[i].operation == WRITE_CREATE;
	/* The rules of duplicate detection are promised for single creates only ("Microsoft Learn:
	 * Detect duplicate data using the Web API"). */
	if (creates < BULK_ROWS_MIN || d->obeys_rules)
		return ERR_NONE;
	b.table = writes[0].table;
	(void)snprintf(b.path, sizeof(b.path),
		       DYNAMICS_ROOT "%s/Microsoft.Dynamics.CRM.CreateMultiple",
		       dynamics_set_name(b.table));
	while (kind == ERR_NONE && at < count && bulk_is_offered(&b))
		kind = bulk_group(&b, &at, err);
	return kind;
}
