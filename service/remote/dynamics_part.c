/* One write as a part of a batch, and what its part of the answer means; the pure half of
 * dynamics_write.h. */
#include "remote/dynamics_write.h"

#include "remote/json.h"

/* ---- the request ---- */

static enum err_kind add_field(const struct mapping *m, const struct write *w,
			       const struct field_write *f, struct arena *a, struct buf *body,
			       struct err *err)
{
	const struct column *c = f->index < m->count ? m->fields[f->index].column[w->table] : NULL;

	if (!c)
		return err_set(err, ERR_OURS, "a field without a column was to be written");
	if (body->len && body->data[body->len - 1] != '{')
		buf_char(body, ',');
	buf_json(body, c->name);
	buf_char(body, ':');
	return dynamics_value_write(a, c, &f->value, body, err);
}

/* What a write sets, behind the brace that opens the object. */
static enum err_kind write_body(const struct mapping *m, const struct write *w, struct buf *body,
				struct err *err)
{
	CLEANUP(arena_release) struct arena a = { 0 };
	char id[GUID_TEXT], owner[GUID_TEXT];
	enum err_kind kind = ERR_NONE;

	if (w->operation == WRITE_CREATE) {
		guid_print(&w->record_id, id);
		buf_fmt(body, "\"%s\":\"%s\"", dynamics_id_column(w->table), id);
		if (w->owner) {
			guid_print(w->owner, owner);
			buf_fmt(body, ",\"ownerid@odata.bind\":\"/systemusers(%s)\"", owner);
		}
	}
	for (size_t i = 0; kind == ERR_NONE && i < w->field_count; i++)
		kind = add_field(m, w, &w->fields[i], &a, body, err);
	if (w->operation == WRITE_CREATE && m->filter_rule.is_set_on_create &&
	    m->filter[w->table] && m->filter[w->table]->can_create) {
		buf_char(body, ',');
		buf_json(body, m->filter[w->table]->name);
		buf_text(body, ":true");
	}
	buf_char(body, '}');
	return kind;
}

/* An update names the version it was decided on, or at least that the record must exist: without
 * If-Match a PATCH would create it again ("Microsoft Learn: Perform conditional operations using
 * the Web API"). A create is a POST with our own id, which never updates (INV-ONE-ROW). */
enum err_kind dynamics_part_write(const struct mapping *m, const struct write *w, bool obeys_rules,
				  struct buf *out, struct err *err)
{
	CLEANUP(buf_release) struct buf body = { 0 };
	char id[GUID_TEXT];
	enum err_kind kind;

	buf_char(&body, '{');
	kind = write_body(m, w, &body, err);
	if (kind != ERR_NONE)
		return kind;
	guid_print(&w->record_id, id);
	buf_text(out, DYNAMICS_PART_START);
	if (w->operation == WRITE_CREATE)
		buf_fmt(out, "POST " DYNAMICS_ROOT "%s?$select=versionnumber HTTP/1.1\r\n",
			dynamics_set_name(w->table));
	else
		buf_fmt(out, "PATCH " DYNAMICS_ROOT "%s(%s)?$select=versionnumber HTTP/1.1\r\n",
			dynamics_set_name(w->table), id);
	if (w->operation == WRITE_UPDATE && w->version)
		buf_fmt(out, "If-Match: W/\"%lld\"\r\n", (long long)w->version);
	else if (w->operation == WRITE_UPDATE)
		buf_text(out, "If-Match: *\r\n");
	if (obeys_rules)
		buf_text(out, "MSCRM.SuppressDuplicateDetection: false\r\n");
	buf_text(
		out,
		"Prefer: return=representation\r\nAccept: application/json\r\nContent-Type: application/json\r\n\r\n");
	buf_add(out, buf_str(&body));
	buf_text(out, "\r\n");
	return ERR_NONE;
}

enum err_kind dynamics_part_target(const struct mapping *m, const struct write *w, struct buf *out,
				   struct err *err)
{
	buf_fmt(out, "{\"@odata.type\":\"Microsoft.Dynamics.CRM.%s\",", table_name(w->table));
	return write_body(m, w, out, err);
}

/* ---- the answer ---- */

static int64_t version_of(const struct multipart_part *part)
{
	struct json_object *row = NULL;
	int64_t version = dynamics_version(part->etag);
	struct str etag;

	if (version || !part->body.n || dynamics_tree(part->body, &row, NULL) != ERR_NONE)
		return version;
	if (!json_get_int64(row, "versionnumber", &version) &&
	    json_get_string(row, "@odata.etag", &etag))
		version = dynamics_version(etag);
	json_object_put(row);
	return version;
}

/* Does the message name another row than the one written? Then that one is missing, not ours. */
static bool names_another_row(struct str message, const struct guid *own)
{
	bool has_other = false;

	for (size_t i = 0; i + GUID_TEXT - 1 <= message.n; i++) {
		struct guid id;

		if (!guid_parse((struct str){ message.p + i, GUID_TEXT - 1 }, &id))
			continue;
		if (guid_equal(&id, own))
			return false;
		has_other = true;
		i += GUID_TEXT - 2;
	}
	return has_other;
}

static void blame(struct err *err, const char *field)
{
	snprintf(err->field, sizeof(err->field), "%s", field);
}

/* A code means what it says about the record only when it is about the record: a missing owner is
 * not a missing record. */
static void look_closer(const struct write *w, struct str message, struct err *err)
{
	bool is_lookup = err->kind == ERR_GONE && (w->operation == WRITE_CREATE ||
						   names_another_row(message, &w->record_id));
	bool is_owner = w->owner && (is_lookup || strcmp(err->code, "0x80042f09") == 0 ||
				     strcmp(err->code, "0x8004022b") == 0 ||
				     strcmp(err->code, "0x80040231") == 0);

	if (is_lookup || is_owner)
		err->kind = ERR_REFUSED;
	if (!is_owner)
		return;
	blame(err, "ownerid");
	err->advice = "The owner cannot have this record: choose another, or give him a role.";
}

static void blame_column(const struct mapping *m, const struct write *w, struct str message,
			 struct arena *a, struct err *err)
{
	struct str *names = arena_array(a, w->field_count + 1, sizeof(*names));
	int at;

	for (size_t i = 0; i < w->field_count; i++)
		names[i] = m->fields[w->fields[i].index].column[w->table]->name;
	at = dynamics_err_blames(message, names, w->field_count);
	if (at >= 0)
		snprintf(err->field, sizeof(err->field), STR_FMT, STR_ARG(names[at]));
}

static void scrub(const struct write *w, struct arena *a, struct err *err)
{
	struct str *values = arena_array(a, w->field_count + 1, sizeof(*values));

	for (size_t i = 0; i < w->field_count; i++)
		if (w->fields[i].value.kind == VALUE_TEXT)
			values[i] = w->fields[i].value.text;
	dynamics_err_scrub(err, values, w->field_count);
}

enum err_kind dynamics_part_read(const struct mapping *m, const struct write *w,
				 const struct multipart_part *part,
				 enum dynamics_repeat *ret_repeat, struct write_result *ret)
{
	CLEANUP(arena_release) struct arena a = { 0 };
	struct dynamics_answer answer = { .status = part->status,
					  .retry_after_ms = part->retry_after_ms,
					  .body = part->body };
	struct str code = STR(""), message = STR("");
	struct json_object *body;

	*ret = (struct write_result){ .err = { .retry_after_ms = -1 } };
	*ret_repeat = REPEAT_NEVER;
	if (part->status >= 200 && part->status < 300) {
		ret->version = version_of(part);
		return ERR_NONE;
	}
	(void)dynamics_err_judge(&answer, ret_repeat, &ret->err);
	body = dynamics_err_body(part->body, &code, &message);
	look_closer(w, message, &ret->err);
	if (!ret->err.field[0])
		blame_column(m, w, message, &a, &ret->err);
	json_object_put(body);
	scrub(w, &a, &ret->err);
	ret->kind = ret->err.kind;
	return ret->kind;
}
