/* The table of functions of the state store, its beginning and its end; see postgres.h. */
#include "store/postgres.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/parts.h"

static void postgres_free(void *self)
{
	struct postgres *p = self;

	if (!p)
		return;
	postgres_resign(p);
	db_free(p->db);
	(void)pthread_mutex_destroy(&p->leader_lock);
	(void)pthread_mutex_destroy(&p->due_lock);
	free(p);
}

static const struct store_ops postgres_ops = {
	.migrate = postgres_migrate,
	.schema_ready = postgres_schema_ready,
	.identity = postgres_identity,
	.set_organisation = postgres_set_organisation,
	.lead = postgres_lead,
	.resign = postgres_resign,
	.slots = postgres_slots,
	.cursor = postgres_cursor,
	.cursor_ages = postgres_cursor_ages,
	.links_by_record = postgres_links_by_record,
	.links_by_person = postgres_links_by_person,
	.claim = postgres_claim,
	.links_due = postgres_links_due,
	.claims_stale = postgres_claims_stale,
	.dirty = postgres_dirty,
	.dirty_high = postgres_dirty_high,
	.dirty_among = postgres_dirty_among,
	.requests_among = postgres_requests_among,
	.overwrites = postgres_overwrites,
	.commit = postgres_commit,
	.request_add = postgres_request_add,
	.requests_open = postgres_requests_open,
	.outbox = postgres_outbox,
	.proofs = postgres_proofs,
	.proof_links = postgres_proof_links,
	.events_among = postgres_events_among,
	.roster_among = postgres_roster_among,
	.next_cycle_number = postgres_next_cycle_number,
	.set_paused = postgres_set_paused,
	.is_paused = postgres_is_paused,
	.retry_error = postgres_retry_error,
	.status = postgres_status,
	.list = postgres_list,
	.clean_up = postgres_clean_up,
	.free = postgres_free,
};

enum err_kind postgres_new(const struct postgres_settings *settings, struct store *ret,
			   struct err *err)
{
	struct db *db = db_new(settings->url, settings->connections_max, err);
	struct postgres *p;

	if (!db)
		return ERR_CONFIG;
	p = mem_alloc(sizeof(*p));
	p->db = db;
	(void)pthread_mutex_init(&p->leader_lock, NULL);
	(void)pthread_mutex_init(&p->due_lock, NULL);
	*ret = (struct store){ .ops = &postgres_ops, .self = p };
	return ERR_NONE;
}
