/* Lines in a person's Activity Log: records of our custom activity type ("Adobe: Custom
 * Activities"). A record can neither be changed nor taken back, so none is sent twice while it may
 * have arrived; what has arrived is told by its attribute `reference`. Must not know what is
 * reported or when. */
#include "base/clock.h"
#include "remote/marketo_parts.h"

enum {
	ACTIVITY_STRING_BYTES = 255,
	ACTIVITY_TEXT_BYTES = 2000,
	ACTIVITY_CALL_BYTES =
		900 * 1000,        /* Marketo takes 1 MB; one record is far below the difference */
	ACTIVITY_PERSONS_MAX = 30, /* one call can be limited to so many ("Adobe: Activities") */
};

const char marketo_activity_api_name[] = "microsoftSync";

const struct marketo_attribute marketo_attributes[MARKETO_ATTRIBUTE_COUNT] = {
	{ "direction", "Direction", "string" },
	{ "entity", "Microsoft Entity", "string" },
	{ "recordId", "Microsoft Record Id", "string" },
	{ "field", "Field", "string" },
	{ "code", "Code", "string" },
	{ "message", "Message", "text" },
	{ "reference", "Reference", "string" },
};

/* ---- the type ---- */

static enum err_kind activity_type_element(void *context, struct json_object *element,
					   struct err *err)
{
	struct marketo_activity_state *state = context;
	struct str name = { NULL, 0 }, status = { NULL, 0 };

	(void)err;
	if (!json_get_string(element, "apiName", &name) ||
	    !str_equal(name, str_of(marketo_activity_api_name)))
		return ERR_NONE;
	state->is_there = true;
	(void)json_get_int64(element, "id", &state->id);
	(void)json_get_string(element, "status", &status);
	/* "approved" and "approved with draft" */
	state->is_approved = status.n >= 8 &&
			     str_equal_fold((struct str){ status.p, 8 }, STR("approved"));
	return ERR_NONE;
}

static void activity_type_restart(void *context)
{
	*(struct marketo_activity_state *)context = (struct marketo_activity_state){ 0 };
}

enum err_kind marketo_activity_look(struct marketo *m, const struct call *call,
				    struct marketo_activity_state *ret, struct err *err)
{
	struct marketo_sink sink = { activity_type_element, activity_type_restart, ret };
	struct marketo_request r = { .path = "/rest/v1/activities/external/types.json",
				     .timeout_ms = MARKETO_OTHER_MS,
				     .permission = "Read-Only Activity Metadata",
				     .sink = &sink };
	enum err_kind kind = marketo_ask(m, call, &r, err);

	marketo_request_release(&r);
	return kind;
}

static enum err_kind activity_type(struct marketo *m, const struct call *call, int64_t *ret_id,
				   struct err *err)
{
	struct marketo_activity_state state = { 0 };
	enum err_kind kind = ERR_NONE;

	(void)pthread_mutex_lock(&m->activity_lock);
	if (!m->activity_type) {
		kind = marketo_activity_look(m, call, &state, err);
		if (kind == ERR_NONE && (!state.id || !state.is_approved))
			kind = err_set(
				err, ERR_RIGHTS,
				"the activity type %s is missing or not approved: run tandem setup",
				marketo_activity_api_name);
		if (kind == ERR_NONE)
			m->activity_type = state.id;
	}
	*ret_id = m->activity_type;
	(void)pthread_mutex_unlock(&m->activity_lock);
	return kind;
}

/* ---- one record ---- */

/* Lines for people: what is too long ends in dots, on the border of a character. */
static void activity_text(struct buf *out, const char *text, size_t max)
{
	struct str s = str_of(text);
	struct buf cut = { 0 };

	if (s.n > max) {
		s.n = max - 3;
		while (s.n && ((unsigned char)s.p[s.n] & 0xc0) == 0x80)
			s.n--;
		buf_add(&cut, s);
		buf_text(&cut, "...");
		s = buf_str(&cut);
	}
	buf_json(out, s);
	buf_release(&cut);
}

static void activity_print(const struct activity *a, int64_t type_id, struct buf *out)
{
	const char *const values[MARKETO_ATTRIBUTE_COUNT] = { a->direction, a->entity, a->record_id,
							      a->field,     a->code,   a->message,
							      a->reference };
	const char *comma = "";
	char at[CLOCK_TEXT];

	clock_print(a->at_s, at);
	buf_fmt(out,
		"{\"leadId\":%lld,\"activityDate\":\"%s\",\"activityTypeId\":%lld,\"primaryAttributeValue\":",
		(long long)a->person_id, at, (long long)type_id);
	activity_text(out, a->outcome, ACTIVITY_STRING_BYTES);
	buf_text(out, ",\"attributes\":[");
	for (size_t i = 0; i < MARKETO_ATTRIBUTE_COUNT; i++) {
		bool is_text = strcmp(marketo_attributes[i].type, "text") == 0;

		if (!values[i] || !values[i][0])
			continue; /* an empty attribute is left out, as Marketo does itself */
		buf_fmt(out, "%s{\"apiName\":\"%s\",\"value\":", comma,
			marketo_attributes[i].api_name);
		activity_text(out, values[i],
			      is_text ? ACTIVITY_TEXT_BYTES : ACTIVITY_STRING_BYTES);
		buf_char(out, '}');
		comma = ",";
	}
	buf_text(out, "]}");
}

/* ---- calls ---- */

struct activity_batch {
	struct write_result *results;
	size_t count, next;
};

static enum err_kind activity_element(void *context, struct json_object *element, struct err *err)
{
	struct activity_batch *b = context;
	struct write_result *result;
	int64_t id = 0;

	if (b->next >= b->count)
		return err_set(err, ERR_RUBBISH,
			       "Marketo answered for more activities than were sent");
	result = &b->results[b->next++];
	*result = (struct write_result){ .kind = ERR_NONE };
	result->kind = marketo_record_read(element, &id, &result->was_created, &result->err);
	result->is_unknown = result->kind == ERR_RUBBISH;
	return ERR_NONE;
}

static void activity_fill(struct activity_batch *b, enum err_kind kind, bool is_unknown,
			  const struct err *err)
{
	for (size_t i = 0; i < b->count; i++) {
		b->results[i] = (struct write_result){ .kind = kind,
						       .err = *err,
						       .is_unknown = is_unknown };
		b->results[i].err.kind = kind;
	}
}

static void activity_restart(void *context)
{
	struct activity_batch *b = context;
	struct err err;

	b->next = 0;
	activity_fill(b, err_set(&err, ERR_RUBBISH, "Marketo did not answer for this activity"),
		      true, &err);
}

/* As many of the activities as one call takes; b->count becomes their number. */
static enum err_kind activity_send(struct marketo *m, const struct call *call, int64_t type_id,
				   const struct activity *activities, struct activity_batch *b,
				   struct err *err)
{
	size_t most = b->count < MARKETO_BATCH ? b->count : MARKETO_BATCH;
	struct marketo_sink sink = { activity_element, activity_restart, b };
	struct marketo_request r = { .path = "/rest/v1/activities/external.json",
				     .content_type = marketo_json,
				     .timeout_ms = MARKETO_WRITE_MS,
				     .is_once = true,
				     .permission = "Read-Write Activity",
				     .sink = &sink };
	struct buf body = { 0 };
	enum err_kind kind;

	buf_text(&body, "{\"input\":[");
	for (b->count = 0; b->count < most && body.len < ACTIVITY_CALL_BYTES; b->count++) {
		buf_text(&body, b->count ? "," : "");
		activity_print(&activities[b->count], type_id, &body);
	}
	buf_text(&body, "]}");
	r.body = buf_str(&body);
	kind = marketo_ask(m, call, &r, err);
	/* An answer that cannot be read leaves it open whether they arrived, like no answer at all;
	 * and when a call is refused whole, one of its records is at fault. Both are to be tried
	 * again, in smaller calls. */
	if ((kind == ERR_RUBBISH && r.is_unknown) || (kind == ERR_REFUSED && b->count > 1)) {
		kind = ERR_RETRY_LATER;
		r.is_unknown = true;
	}
	if (kind != ERR_NONE) {
		r.err.kind = kind;
		activity_fill(b, kind, r.is_unknown, &r.err);
	}
	marketo_request_release(&r);
	buf_release(&body);
	return kind;
}

enum err_kind marketo_add_activities(void *self, const struct call *call,
				     const struct activity *activities, size_t count,
				     struct write_result *results, struct err *err)
{
	struct activity_batch all = { results, count, 0 };
	struct err failed = { .kind = ERR_NONE };
	int64_t type_id = 0;
	enum err_kind kind = activity_type(self, call, &type_id, &failed);
	size_t done = 0;

	while (kind == ERR_NONE && done < count) {
		struct activity_batch b = { results + done, count - done, 0 };

		kind = activity_send(self, call, type_id, activities + done, &b, &failed);
		done += b.count;
	}
	if (kind == ERR_NONE)
		return ERR_NONE;
	failed.kind = kind;
	all.results += done;
	all.count -= done;
	activity_fill(&all, kind, false, &failed);
	if (err)
		*err = failed;
	return kind;
}

/* ---- what has arrived ---- */

struct activity_search {
	const struct activity *activities;
	size_t count, left;
	bool *found;
};

static void activity_seen(struct activity_search *s, struct str reference)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->found[i] || !str_equal(str_of(s->activities[i].reference), reference))
			continue;
		s->found[i] = true;
		s->left--;
		return;
	}
}

/* The log calls attributes by the names people see. */
static enum err_kind activity_logged(void *context, struct json_object *element, struct err *err)
{
	struct json_object *attributes = json_get_array(element, "attributes");
	size_t count = attributes ? json_object_array_length(attributes) : 0;
	const struct marketo_attribute *wanted = &marketo_attributes[MARKETO_REFERENCE];

	(void)err;
	for (size_t i = 0; i < count; i++) {
		struct json_object *attribute = json_object_array_get_idx(attributes, i);
		struct str name = { NULL, 0 }, value = { NULL, 0 };

		if (json_get_string(attribute, "name", &name) &&
		    (str_equal(name, str_of(wanted->name)) ||
		     str_equal(name, str_of(wanted->api_name))) &&
		    json_get_string(attribute, "value", &value))
			activity_seen(context, value);
	}
	return ERR_NONE;
}

/* The persons the lines are about, with commas; nothing when they are too many to name. */
static void activity_persons(const struct activity *activities, size_t count, struct buf *out)
{
	int64_t ids[ACTIVITY_PERSONS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		size_t at = 0;

		while (at < n && ids[at] != activities[i].person_id)
			at++;
		if (at == ACTIVITY_PERSONS_MAX)
			return;
		ids[at] = activities[i].person_id;
		n = at == n ? n + 1 : n;
	}
	buf_text(out, "&leadIds=");
	for (size_t i = 0; i < n; i++)
		buf_fmt(out, "%s%lld", i ? "," : "", (long long)ids[i]);
}

static enum err_kind activity_search_page(struct marketo *m, const struct call *call,
					  int64_t type_id, struct activity_search *s,
					  struct str *token, bool *ret_more, struct arena *a,
					  struct err *err)
{
	/* A page that is read again finds the same ones: there is nothing to forget. */
	struct marketo_sink sink = { activity_logged, NULL, s };
	struct marketo_request r = { .path = "/rest/v1/activities.json?_method=GET",
				     .content_type = marketo_form,
				     .timeout_ms = MARKETO_OTHER_MS,
				     .permission = "Read-Only Activity",
				     .sink = &sink };
	struct buf body = { 0 };
	enum err_kind kind;

	buf_text(&body, "nextPageToken=");
	buf_url(&body, *token);
	buf_fmt(&body, "&batchSize=%d&activityTypeIds=%lld", MARKETO_BATCH, (long long)type_id);
	activity_persons(s->activities, s->count, &body);
	r.body = buf_str(&body);
	kind = marketo_ask(m, call, &r, err);
	*ret_more = kind == ERR_NONE && marketo_has_next(&r);
	if (*ret_more)
		*token = arena_str(a, buf_str(&r.answer.next_page_token));
	marketo_request_release(&r);
	buf_release(&body);
	return kind;
}

enum err_kind marketo_find_activities(void *self, const struct call *call, int64_t since_s,
				      const struct activity *activities, size_t count,
				      bool *ret_found, struct err *err)
{
	struct activity_search s = { activities, count, count, ret_found };
	struct arena a = { NULL, 0 };
	struct str token;
	int64_t type_id = 0;
	bool more = true;
	enum err_kind kind = activity_type(self, call, &type_id, err);

	for (size_t i = 0; i < count; i++)
		ret_found[i] = false;
	if (kind == ERR_NONE)
		kind = marketo_date_token(self, call, since_s, &a, &token, err);
	while (kind == ERR_NONE && more && s.left)
		kind = activity_search_page(self, call, type_id, &s, &token, &more, &a, err);
	arena_release(&a);
	return kind;
}
