/* Describing a Dataverse table: its columns by kind, the choices, and what the sync user may do
 * with them ("Microsoft Learn: Query table definitions using the Web API"). Private to the
 * dynamics_* files. */
#ifndef REMOTE_DYNAMICS_SCHEMA_H
#define REMOTE_DYNAMICS_SCHEMA_H

#include "remote/dynamics_call.h"

enum err_kind dynamics_describe(struct dynamics *d, const struct call *call, enum table t,
				struct arena *a, struct schema *ret, struct err *err);

/* ---- parts, for the set-up validation and for tests ---- */

/* Takes the answer of one metadata query into the columns; base is the query without a cast. */
enum err_kind dynamics_schema_base(struct json_object *answer, struct arena *a, struct schema *ret,
				   struct err *err);
struct dynamics_cast;
const struct dynamics_cast *dynamics_cast_at(size_t index);
extern const size_t dynamics_cast_count;
const char *dynamics_cast_name(const struct dynamics_cast *cast); /* "String" */
/* Behind "...AttributeMetadata?" */
const char *dynamics_cast_query(const struct dynamics_cast *cast);
enum err_kind dynamics_schema_cast(const struct dynamics_cast *cast, struct json_object *answer,
				   int base_language, struct arena *a, struct schema *schema,
				   struct err *err);

/* Depth of a privilege in an answer of RetrieveUserPrivileges: "Global", ...; NULL when the user
 * lacks it. */
const char *dynamics_privilege(struct json_object *privileges, const char *verb, enum table t);
/* The same for a privilege by its name. */
const char *dynamics_privilege_depth(struct json_object *privileges, const char *name);
/* "prvReadContact" */
void dynamics_privilege_name(const char *verb, enum table t, char *ret, size_t size);

#endif
