/* Checks that stop a cycle before it can empty a database (INV-NO-WIPE). Know only numbers and
 * identities. */
#include "core/guard.h"

#include <inttypes.h>

enum err_kind guard_deletes(uint64_t deletes, uint64_t max, struct err *err)
{
	if (!max || deletes <= max)
		return ERR_NONE;
	return err_set(err, ERR_BROKEN,
		       "%" PRIu64 " deletions in one cycle, %" PRIu64
		       " are allowed: find out who deleted them, then "
		       "raise TANDEM_MAX_DELETES or resume to accept",
		       deletes, max);
}

enum err_kind guard_organisation(const struct guid *known, const struct guid *now, struct err *err)
{
	char known_text[GUID_TEXT], now_text[GUID_TEXT];

	if (guid_is_zero(known) || guid_equal(known, now))
		return ERR_NONE;
	guid_print(known, known_text);
	guid_print(now, now_text);
	return err_set(
		err, ERR_BROKEN,
		"the address now leads to organisation %s, the links in the database belong to %s: "
		"put the former address back, or use a database of its own for the new "
		"organisation",
		now_text, known_text);
}

enum err_kind guard_empty(uint64_t rows_seen, uint64_t links_known, const char *what,
			  struct err *err)
{
	if (rows_seen || !links_known)
		return ERR_NONE;
	return err_set(err, ERR_BROKEN,
		       "reading every %s found none, although %" PRIu64
		       " are linked: check the rights of the sync user and the remote itself; "
		       "resume when they are meant to be gone",
		       what, links_known);
}
