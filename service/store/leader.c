/* One service runs the cycle: an advisory lock that lives as long as its connection says who, and a
 * fencing number that every fenced commit checks keeps out one that only believes it leads. */
#include "store/parts.h"

static const int64_t leader_key = INT64_C(0x74616e64656d01); /* "tandem", 1 */

static void leader_drop(struct postgres *p)
{
	atomic_store(&p->fence, 0);
	session_close(TAKE(p->leader));
}

/* Does the connection that holds the lock still live? */
static enum err_kind leader_verify(struct postgres *p, struct err *err)
{
	return session_run(p->leader, STATEMENT_LEADER_ALIVE, NULL, NULL, err);
}

static enum err_kind leader_try(struct postgres *p, struct err *err)
{
	struct params key = { 0 };
	struct answer answer = { 0 };
	bool is_mine;
	enum err_kind kind;

	params_int64(&key, leader_key);
	kind = session_run(p->leader, STATEMENT_LEADER_LOCK, &key, &answer, err);
	params_release(&key);
	if (kind)
		return kind;
	is_mine = answer_bool(&answer, 0, 0);
	answer_release(&answer);
	if (!is_mine)
		return ERR_NONE;
	kind = session_run(p->leader, STATEMENT_LEADER_BEGIN, NULL, &answer, err);
	if (kind)
		return kind;
	if (answer_rows(&answer) == 1)
		atomic_store(&p->fence, answer_int(&answer, 0, 0));
	else
		kind = err_set(err, ERR_STORE, "the fencing number is missing from the database");
	answer_release(&answer);
	return kind;
}

enum err_kind postgres_lead(void *self, bool *ret_leading, struct err *err)
{
	struct postgres *p = self;
	enum err_kind kind = ERR_NONE;

	(void)pthread_mutex_lock(&p->leader_lock);
	/* A connection that died took the lock with it: try for it anew at once. */
	if (p->leader && leader_verify(p, NULL))
		leader_drop(p);
	if (!p->leader) {
		p->leader = session_open(p->db, err);
		kind = p->leader ? ERR_NONE : ERR_STORE;
	}
	if (!kind && !atomic_load(&p->fence))
		kind = leader_try(p, err);
	if (kind)
		leader_drop(p);
	else
		*ret_leading = atomic_load(&p->fence) != 0;
	(void)pthread_mutex_unlock(&p->leader_lock);
	return kind;
}

void postgres_resign(void *self)
{
	struct postgres *p = self;

	(void)pthread_mutex_lock(&p->leader_lock);
	leader_drop(p);
	(void)pthread_mutex_unlock(&p->leader_lock);
}
