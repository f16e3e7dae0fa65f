/* Asking for a table's definition and putting the sync user's rights on it; see dynamics_schema.h.
 * How definitions look is in dynamics_metadata.c. */
#include "remote/dynamics_schema.h"

#include "base/mem.h"
#include "remote/dynamics_rights.h"
#include "remote/json.h"

static const char *const entity_names[TABLE_COUNT] = {
	[TABLE_LEAD] = "Lead", [TABLE_CONTACT] = "Contact"
};

/* ---- privileges on the table ---- */

void dynamics_privilege_name(const char *verb, enum table t, char *ret, size_t size)
{
	snprintf(ret, size, "prv%s%s", verb, entity_names[t]);
}

/* Narrow to wide ("Microsoft Learn: Security concepts, access levels"). */
static const char *const depths[] = { "Basic", "Local", "Deep", "Global" };

const char *dynamics_privilege_depth(struct json_object *privileges, const char *wanted)
{
	struct json_object *rows = json_get_array(privileges, "RolePrivileges");
	size_t widest = 0; /* rank + 1 */

	for (size_t i = 0; rows && i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		struct str name, depth;

		if (!json_get_string(row, "PrivilegeName", &name) ||
		    !str_equal_fold(name, str_of(wanted)) || !json_get_string(row, "Depth", &depth))
			continue;
		for (size_t rank = widest; rank < ARRAY_LEN(depths); rank++)
			if (str_equal(depth, str_of(depths[rank])))
				widest = rank + 1;
	}
	return widest ? depths[widest - 1] : NULL;
}

const char *dynamics_privilege(struct json_object *privileges, const char *verb, enum table t)
{
	char name[64];

	dynamics_privilege_name(verb, t, name, sizeof(name));
	return dynamics_privilege_depth(privileges, name);
}

/* ---- describing ---- */

enum {
	ASK_BASE,
	ASK_ORGANISATION,
	ASK_PRIVILEGES,
	ASK_RIGHTS,
	ASK_CASTS,
	ASK_MAX = ASK_CASTS + 16
};

struct describing {
	struct dynamics_request requests[ASK_MAX];
	struct json_object *answers[ASK_MAX];
	size_t count;
};

static void ask_all(const struct guid *user, enum table t, struct arena *a, struct describing *ret)
{
	const char *root = arena_fmt(
		a, DYNAMICS_ROOT "EntityDefinitions(LogicalName='%s')/Attributes", table_name(t));

	ret->requests[ASK_BASE].path =
		arena_fmt(a,
			  "%s?$select=LogicalName,AttributeType,IsValidForRead,"
			  "IsValidForCreate,IsValidForUpdate,IsSecured,AttributeOf",
			  root);
	ret->requests[ASK_ORGANISATION].path = DYNAMICS_ROOT
		"organizations?$select=languagecode,expirechangetrackingindays";
	ret->requests[ASK_PRIVILEGES].path = dynamics_user_path(a, user, "RetrieveUserPrivileges");
	ret->requests[ASK_RIGHTS].path =
		dynamics_user_path(a, user, "RetrievePrincipalAttributePrivileges");
	for (size_t i = 0; i < dynamics_cast_count; i++) {
		const struct dynamics_cast *cast = dynamics_cast_at(i);

		ret->requests[ASK_CASTS + i].path =
			arena_fmt(a, "%s/Microsoft.Dynamics.CRM.%sAttributeMetadata?%s", root,
				  dynamics_cast_name(cast), dynamics_cast_query(cast));
	}
	ret->count = ASK_CASTS + dynamics_cast_count;
	for (size_t i = 0; i < ret->count; i++)
		ret->requests[i].is_strong = true;
}

/* 0 when the sync user may not read the organisation: labels then fall back to the first language
 * there is, and how long a cursor stays good is not known ("Microsoft Learn: Organization table
 * reference"). */
static enum err_kind take_organisation(struct dynamics *d, const struct describing *all,
				       int *ret_language, struct err *err)
{
	struct json_object *rows, *row;
	int64_t language = 0, days = 0;

	*ret_language = 0;
	if (all->requests[ASK_ORGANISATION].kind == ERR_RIGHTS)
		return ERR_NONE;
	rows = json_get_array(all->answers[ASK_ORGANISATION], "value");
	if (!rows || !json_object_array_length(rows))
		return err_set(err, ERR_RUBBISH, "the organisation came without its language");
	row = json_object_array_get_idx(rows, 0);
	if (json_get_int64(row, "languagecode", &language) && language > 0 && language < 0x10000)
		*ret_language = (int)language;
	if (!json_get_int64(row, "expirechangetrackingindays", &days) || days < 0 || days > 10000)
		days = 0;
	(void)pthread_mutex_lock(&d->lock);
	d->feed_days = (uint32_t)days;
	(void)pthread_mutex_unlock(&d->lock);
	return ERR_NONE;
}

static enum err_kind parse_all(struct describing *all, struct err *err)
{
	for (size_t i = 0; i < all->count; i++) {
		struct dynamics_request *r = &all->requests[i];
		enum err_kind kind = r->kind;

		if (kind == ERR_RIGHTS && i == ASK_ORGANISATION)
			continue;
		if (kind != ERR_NONE && err)
			*err = r->err;
		if (kind == ERR_NONE)
			kind = dynamics_tree(buf_str(&r->answer.body_in), &all->answers[i], err);
		if (kind != ERR_NONE)
			return kind;
	}
	return dynamics_rights_check(all->answers[ASK_RIGHTS], err);
}

static enum err_kind apply_privileges(struct json_object *privileges, struct schema *s,
				      struct err *err)
{
	bool may_create = dynamics_privilege(privileges, "Create", s->table) != NULL;
	bool may_update = dynamics_privilege(privileges, "Write", s->table) != NULL;
	char name[64];

	if (!json_get_array(privileges, "RolePrivileges"))
		return err_set(err, ERR_RUBBISH, "the privileges of the sync user came incomplete");
	dynamics_privilege_name("Read", s->table, name, sizeof(name));
	if (!dynamics_privilege(privileges, "Read", s->table))
		return err_set(
			err, ERR_RIGHTS,
			"the privilege %s is missing: add it, organisation-wide, to the security "
			"role of the sync user in Dynamics",
			name);
	for (size_t i = 0; i < s->column_count; i++) {
		s->columns[i].can_create &= may_create;
		s->columns[i].can_update &= may_update;
	}
	return ERR_NONE;
}

static enum err_kind build(struct dynamics *d, struct describing *all, enum table t,
			   struct arena *a, struct schema *ret, struct err *err)
{
	struct schema s = { .table = t };
	int language;
	enum err_kind kind = parse_all(all, err);

	if (kind == ERR_NONE)
		kind = take_organisation(d, all, &language, err);
	if (kind == ERR_NONE)
		kind = dynamics_schema_base(all->answers[ASK_BASE], a, &s, err);
	for (size_t i = 0; kind == ERR_NONE && i < dynamics_cast_count; i++)
		kind = dynamics_schema_cast(dynamics_cast_at(i), all->answers[ASK_CASTS + i],
					    language, a, &s, err);
	if (kind == ERR_NONE)
		kind = apply_privileges(all->answers[ASK_PRIVILEGES], &s, err);
	if (kind != ERR_NONE)
		return kind;
	dynamics_rights_remember(d, &s);
	dynamics_rights_apply(d, all->answers[ASK_RIGHTS], &s);
	*ret = s;
	return ERR_NONE;
}

enum err_kind dynamics_describe(struct dynamics *d, const struct call *call, enum table t,
				struct arena *a, struct schema *ret, struct err *err)
{
	CLEANUP(arena_release) struct arena paths = { 0 };
	CLEANUP(mem_freep) struct describing *all = mem_alloc(sizeof(*all));
	struct guid user;
	enum err_kind kind;

	if (table_side(t) != SIDE_DYNAMICS)
		return err_set(err, ERR_OURS, "Dynamics has no table for persons");
	kind = dynamics_user(d, call, &user, err);
	if (kind != ERR_NONE)
		return kind;
	ask_all(&user, t, &paths, all);
	/* Each request's own outcome is looked at: one of them may lack a right that only dims a
	 * label. */
	(void)dynamics_send(d, call, all->requests, all->count, NULL);
	kind = build(d, all, t, a, ret, err);
	for (size_t i = 0; i < all->count; i++) {
		json_object_put(all->answers[i]);
		dynamics_request_release(&all->requests[i]);
	}
	return kind;
}
