/* `tandem check` for Dynamics: each line asks one thing and says what to do when it is not so.
 * Changes nothing there. */
#include "remote/dynamics_check.h"

#include "base/clock.h"
#include "remote/dynamics_schema.h"
#include "remote/json.h"

struct checking {
	struct dynamics *d;
	const struct call *call;
	struct check_list *list;
	struct arena arena;
	struct guid user;
};

/* "Microsoft Learn: Security roles and privileges". What a right is needed for is told where it is
 * missing or narrow, so that nobody has to guess what to give. */
enum need {
	NEED_GLOBAL,  /* for all rows of the organisation */
	NEED_ANY,     /* own rows are enough */
	NEED_NOTHING, /* only something goes without it */
};

#define OTHERS_ROWS "rows of other owners are refused"
#define NAMING_OWNERS "sync-person can name no owner"
#define AMOUNTS "amounts of money are refused"

static const struct {
	const char *name, *privilege;
	enum need need;
	const char *without; /* what goes wrong then */
} privilege_rows[] = {
	{ "lead: read", "prvReadLead", NEED_GLOBAL, "its changes are not told" },
	{ "lead: create", "prvCreateLead", NEED_ANY, NAMING_OWNERS },
	{ "lead: write", "prvWriteLead", NEED_GLOBAL, OTHERS_ROWS },
	{ "lead: append", "prvAppendLead", NEED_GLOBAL, OTHERS_ROWS },
	{ "lead: append to", "prvAppendToLead", NEED_ANY, OTHERS_ROWS },
	{ "lead: assign", "prvAssignLead", NEED_NOTHING, NAMING_OWNERS },
	{ "contact: read", "prvReadContact", NEED_GLOBAL, "its changes are not told" },
	{ "contact: create", "prvCreateContact", NEED_ANY, NAMING_OWNERS },
	{ "contact: write", "prvWriteContact", NEED_GLOBAL, OTHERS_ROWS },
	{ "contact: append", "prvAppendContact", NEED_GLOBAL, OTHERS_ROWS },
	{ "contact: append to", "prvAppendToContact", NEED_ANY, OTHERS_ROWS },
	{ "contact: assign", "prvAssignContact", NEED_NOTHING, NAMING_OWNERS },
	{ "user: read", "prvReadUser", NEED_NOTHING, NAMING_OWNERS },
	{ "user: append to", "prvAppendToUser", NEED_NOTHING, NAMING_OWNERS },
	{ "currency: read", "prvReadTransactionCurrency", NEED_ANY, AMOUNTS },
	{ "currency: append to", "prvAppendToTransactionCurrency", NEED_ANY, AMOUNTS },
	{ "organization: read", "prvReadOrganization", NEED_NOTHING,
	  "labels of choices may come in another language" },
};

/* "Microsoft Learn: systemuser table, accessmode". Those that are not here may read and write. */
static const struct {
	int64_t mode;
	const char *name;
} access_rows[] = {
	{ 1, "Administrative" },
	{ 2, "Read" },
	{ 3, "Support User" },
	{ 5, "Delegated Admin" },
};

static const struct {
	const char *tracking, *columns;
	enum table table;
} table_rows[] = {
	{ "lead: change tracking", "lead: columns", TABLE_LEAD },
	{ "contact: change tracking", "contact: columns", TABLE_CONTACT },
};

static void check_certificate(struct checking *c)
{
	int64_t now_s = clock_wall_ms() / 1000,
		end_s = dynamics_certificate_end_s(c->d->certificate);
	struct err err = { .retry_after_ms = -1 };
	enum err_kind kind = dynamics_certificate_holds(c->d->certificate, now_s, &err);
	bool is_soon = end_s - now_s < DYNAMICS_CERTIFICATE_WARN_S;
	char end[CLOCK_TEXT], text[128];

	clock_print(end_s, end);
	snprintf(text, sizeof(text), "expires at %s%s", end,
		 is_soon ? ": make a new one in time" : "");
	check_add(c->list, "certificate", kind == ERR_NONE ? NULL : &err,
		  kind == ERR_NONE ? text : NULL);
}

/* The first lines share one call: which of them failed is told by what came back. */
static bool check_access(struct checking *c)
{
	struct err err = { .retry_after_ms = -1 };
	struct buf header = { 0 };
	struct guid organisation;
	uint64_t serial;
	enum err_kind kind = dynamics_token_get(c->d->token, c->call, &header, &serial, &err);

	if (header.data)
		explicit_bzero(header.data, header.cap);
	buf_release(&header);
	check_add(c->list, "token", kind == ERR_NONE ? NULL : &err, NULL);
	if (kind != ERR_NONE)
		return false;
	kind = dynamics_identify(c->d, c->call, &organisation, &err);
	check_add(c->list, "address", kind == ERR_RETRY_LATER || kind == ERR_RUBBISH ? &err : NULL,
		  NULL);
	if (kind == ERR_RETRY_LATER || kind == ERR_RUBBISH)
		return false;
	check_add(c->list, "application user", kind == ERR_NONE ? NULL : &err, NULL);
	return kind == ERR_NONE && dynamics_user(c->d, c->call, &c->user, &err) == ERR_NONE;
}

static const char *access_name(int64_t mode)
{
	for (size_t i = 0; i < ARRAY_LEN(access_rows); i++)
		if (access_rows[i].mode == mode)
			return access_rows[i].name;
	return NULL;
}

/* A user without the right to read users has no line here: that it is enabled is known by now. */
static void check_user(struct checking *c)
{
	struct json_object *answer = NULL;
	struct err err = { .retry_after_ms = -1 };
	char id[GUID_TEXT];
	bool is_disabled = true;
	int64_t mode = 0;
	enum err_kind kind;

	guid_print(&c->user, id);
	kind = dynamics_get(c->d, c->call,
			    arena_fmt(&c->arena,
				      DYNAMICS_ROOT "systemusers(%s)?$select=isdisabled,accessmode",
				      id),
			    &answer, &err);
	if (kind == ERR_RIGHTS)
		return;
	if (kind == ERR_NONE && (!json_get_bool(answer, "isdisabled", &is_disabled) ||
				 !json_get_int64(answer, "accessmode", &mode)))
		kind = err_set(&err, ERR_RUBBISH, "the sync user came incomplete");
	if (kind == ERR_NONE && is_disabled)
		kind = err_set(&err, ERR_BROKEN,
			       "the sync user is disabled: enable it in Dynamics");
	check_add(c->list, "user enabled", kind == ERR_NONE ? NULL : &err, NULL);
	if (kind == ERR_NONE && access_name(mode)) {
		(void)err_set(&err, ERR_BROKEN,
			      "the sync user's access mode is %s: make it Non-interactive in "
			      "Dynamics",
			      access_name(mode));
		check_add(c->list, "user access mode", &err, NULL);
	} else if (kind == ERR_NONE) {
		check_add(c->list, "user access mode", NULL, NULL);
	}
	json_object_put(answer);
}

static void check_privilege(struct checking *c, struct json_object *answer, size_t row)
{
	const char *name = privilege_rows[row].privilege;
	const char *depth = dynamics_privilege_depth(answer, name);
	const char *without = privilege_rows[row].without;
	enum need need = privilege_rows[row].need;
	enum err_kind kind = ERR_NONE;
	struct err err = { .retry_after_ms = -1 };
	char text[200] = "";

	if (!depth && need != NEED_NOTHING)
		kind = err_set(&err, ERR_RIGHTS,
			       "add the privilege %s to the security role of the sync user", name);
	else if (!depth)
		snprintf(text, sizeof(text), "%s is missing: %s", name, without);
	else if (strcmp(depth, "Global") != 0 && need == NEED_GLOBAL)
		kind = err_set(&err, ERR_RIGHTS,
			       "widen the privilege %s from %s to the whole organisation: %s", name,
			       depth, without);
	else if (strcmp(depth, "Global") != 0)
		snprintf(text, sizeof(text), "%s reaches %s only: %s", name, depth, without);
	check_add(c->list, privilege_rows[row].name, kind == ERR_NONE ? NULL : &err,
		  kind == ERR_NONE ? text : NULL);
}

static void check_privileges(struct checking *c)
{
	struct json_object *answer = NULL;
	struct err err = { .retry_after_ms = -1 };
	enum err_kind kind = dynamics_get(
		c->d, c->call, dynamics_user_path(&c->arena, &c->user, "RetrieveUserPrivileges"),
		&answer, &err);

	if (kind == ERR_NONE && !json_get_array(answer, "RolePrivileges"))
		kind = err_set(&err, ERR_RUBBISH,
			       "the privileges of the sync user came incomplete");
	if (kind != ERR_NONE)
		check_add(c->list, "privileges", &err, NULL);
	for (size_t i = 0; kind == ERR_NONE && i < ARRAY_LEN(privilege_rows); i++)
		check_privilege(c, answer, i);
	json_object_put(answer);
}

static void check_tracking(struct checking *c, size_t row)
{
	const char *table = table_name(table_rows[row].table);
	struct json_object *answer = NULL;
	struct err err = { .retry_after_ms = -1 };
	bool is_on = false;
	enum err_kind kind =
		dynamics_get(c->d, c->call,
			     arena_fmt(&c->arena,
				       DYNAMICS_ROOT "EntityDefinitions(LogicalName='%s')"
						     "?$select=LogicalName,ChangeTrackingEnabled",
				       table),
			     &answer, &err);

	if (kind == ERR_NONE && !json_get_bool(answer, "ChangeTrackingEnabled", &is_on))
		kind = err_set(&err, ERR_RUBBISH, "the definition of the table came incomplete");
	if (kind == ERR_NONE && !is_on)
		kind = err_set(&err, ERR_BROKEN,
			       "switch on \"Track changes\" for the table %s in Dynamics", table);
	check_add(c->list, table_rows[row].tracking, kind == ERR_NONE ? NULL : &err, NULL);
	json_object_put(answer);
}

/* A secured column out of reach is no mistake: it only does not travel. The line is good and names
 * them. */
static void check_columns(struct checking *c, size_t row)
{
	CLEANUP(buf_release) struct buf names = { .max = 200 };
	struct err err = { .retry_after_ms = -1 };
	struct schema schema;
	char text[320] = "";
	enum err_kind kind =
		dynamics_describe(c->d, c->call, table_rows[row].table, &c->arena, &schema, &err);

	for (size_t i = 0; kind == ERR_NONE && i < schema.column_count; i++) {
		const struct column *column = &schema.columns[i];

		if (!column->is_secured || (column->can_read && column->can_update))
			continue;
		buf_fmt(&names, "%s" STR_FMT, names.len ? ", " : "", STR_ARG(column->name));
	}
	if (names.len)
		snprintf(text, sizeof(text), "secured, without all rights for the sync user: %s%s",
			 buf_cstr(&names), names.full ? " ..." : "");
	check_add(c->list, table_rows[row].columns, kind == ERR_NONE ? NULL : &err, text);
}

static void check_expiry(struct checking *c)
{
	struct json_object *answer = NULL, *rows = NULL;
	struct err err = { .retry_after_ms = -1 };
	int64_t days = 0;
	char text[128] = "";
	enum err_kind kind = dynamics_get(c->d, c->call,
					  DYNAMICS_ROOT
					  "organizations?$select=expirechangetrackingindays",
					  &answer, &err);

	if (kind == ERR_RIGHTS) {
		check_add(c->list, "change tracking kept", NULL,
			  "not known: the sync user may not read the organisation");
		return;
	}
	if (kind == ERR_NONE)
		rows = json_get_array(answer, "value");
	if (kind == ERR_NONE && (!rows || !json_object_array_length(rows) ||
				 !json_get_int64(json_object_array_get_idx(rows, 0),
						 "expirechangetrackingindays", &days)))
		kind = err_set(&err, ERR_RUBBISH, "the organisation came incomplete");
	if (kind == ERR_NONE)
		snprintf(text, sizeof(text),
			 "%lld days; after a longer pause the sync reads everything again",
			 (long long)days);
	check_add(c->list, "change tracking kept", kind == ERR_NONE ? NULL : &err, text);
	json_object_put(answer);
}

void dynamics_check(struct dynamics *d, const struct call *call, struct check_list *ret)
{
	struct checking c = { .d = d, .call = call, .list = ret };

	if (d->certificate)
		check_certificate(&c);
	if (check_access(&c)) {
		check_user(&c);
		check_privileges(&c);
		for (size_t i = 0; i < ARRAY_LEN(table_rows); i++) {
			check_tracking(&c, i);
			check_columns(&c, i);
		}
		check_expiry(&c);
	}
	arena_release(&c.arena);
}
