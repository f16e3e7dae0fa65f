/* Connections to PostgreSQL: a bounded pool, statements prepared once a connection, errors with
 * SQLSTATE. A session that broke is thrown away; what may be repeated without harm is repeated
 * here, nothing else. Visible in this folder only. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/err.h"
#include "store/params.h"
#include "store/stmt.h"

struct db;
struct session; /* one connection; used by one thread at a time */

struct db *db_new(const char *url, unsigned connections_max,
		  struct err *err); /* NULL: the URL is not one */
void db_free(struct db *db);        /* no session may be out */

/* A session of the pool: waits for a free one, connects when there is none. NULL when that fails. */
struct session *db_take(struct db *db, struct err *err);
void db_give(struct db *db, struct session *s); /* NULL is fine */

/* A session of its own, for locks that live as long as the connection. */
struct session *session_open(struct db *db, struct err *err);
void session_close(struct session *s); /* NULL is fine */

/* ret may be NULL; on success it is to be released. */
enum err_kind session_run(struct session *s, enum statement id, const struct params *p,
			  struct answer *ret, struct err *err);
/* Several commands without parameters: a migration. */
enum err_kind session_script(struct session *s, const char *sql, struct err *err);

/* One statement outside a transaction. A read is repeated once on a fresh connection when the
 * connection broke; anything is repeated when it lost against another transaction, since then
 * nothing was written. */
enum err_kind db_run(struct db *db, enum statement id, const struct params *p, struct answer *ret,
		     struct err *err);
/* The same, releasing p, which is built for one use. */
enum err_kind db_ask(struct db *db, enum statement id, struct params *p, struct answer *ret,
		     struct err *err);

/* A transaction: body runs between BEGIN and COMMIT, again from the start when the server
 * sent it back. Any error undoes everything. */
typedef enum err_kind db_body(struct session *s, void *context, struct err *err);
enum err_kind db_transaction(struct db *db, db_body *body, void *context, struct err *err);

#endif
