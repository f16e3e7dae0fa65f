/* What the sync user may do with single columns ("Microsoft Learn: Column-level security"), put on
 * described tables: when they are described, and anew in every cycle. Private to the dynamics_*
 * files.
 *
 * A column that was secured without a right for the sync user is answered with null, as if it had
 * been emptied (INV-SELECTED). So both are asked for before a cycle reads anything: which columns
 * are secured, and what is allowed with them. What remains: a column that is secured between that
 * question and the last page of the same cycle is read as empty by that one cycle. */
#ifndef REMOTE_DYNAMICS_RIGHTS_H
#define REMOTE_DYNAMICS_RIGHTS_H

#include "remote/dynamics_call.h"

/* One request: asks again what describing a table asked, rights and secured columns only, and
 * applies it to the schemas. When any part of the answer fails, the schemas stay as they were. */
enum err_kind dynamics_refresh_rights(struct dynamics *d, const struct call *call,
				      struct schema *schemas, size_t count, bool *ret_changed,
				      struct err *err);

/* ---- parts, for describing and for tests ---- */

/* Keeps what the table alone allows with its columns: that is what one that is not secured any more
 * gets back. */
void dynamics_rights_remember(struct dynamics *d, const struct schema *s);

/* ERR_RUBBISH unless it is an answer of RetrievePrincipalAttributePrivileges. */
enum err_kind dynamics_rights_check(struct json_object *rights, struct err *err);

/* Puts rights on the columns of a table. is_secured is as the definition of the column says. */
void dynamics_rights_apply(struct dynamics *d, struct json_object *rights, struct schema *s);

/* Adds the batch that asks for the rights of a user and, in their order, for the secured columns of
 * the tables. */
void dynamics_rights_ask(const struct guid *user, const struct schema *schemas, size_t count,
			 struct buf *out);

/* Takes the answer to it in, all or nothing. ERR_THROTTLED: err says how long to wait. */
enum err_kind dynamics_rights_take(struct dynamics *d, struct str content_type, struct str body,
				   struct schema *schemas, size_t count, bool *ret_changed,
				   struct err *err);

#endif
