/* What there is: the settings of a run, both remotes, the store's rows, and the notes that only the
 * claims read. Knows no process. */
c_decl {
	\#include <stdlib.h>

	/* CALLERS_1, CALLERS_2: calls for person 1 and 2, each from a service of its own.
	 * ONE_SERVICE: all in the worker's, so that one thread serves them one after the other.
	 * WORKERS: 2: another service takes the lead while the first believes it leads.
	 * LOST: writes that take effect, or do not, and are never answered. REFUSALS: creates that
	 * Dynamics refuses for good. NEW_RECORD: an editor creates record X. NEW_PERSONS: a form
	 * creates the next person. FIRST_PERSON: person 1 is there at the start; FIRST_LINK: and
	 * linked to its record of generation 1. EMAIL: all have the same address, or none
	 * has one. The rest: how often it may happen, or a rule that is changed. */
#define SETTINGS(ONE) \
	ONE(CALLERS_1) ONE(CALLERS_2) ONE(WORKERS) ONE(ONE_SERVICE) ONE(CRASHES) ONE(LOST) \
	ONE(REFUSALS) ONE(NEW_RECORD) ONE(NEW_PERSONS) ONE(DELETED_RECORDS) ONE(DELETED_PERSONS) \
	ONE(RESTORED_RECORDS) ONE(FIRST_PERSON) ONE(FIRST_LINK) ONE(EMAIL) ONE(CHECK_ANSWERS) \
	ONE(KEEP_TOMBSTONE_TAKEN_UP) ONE(KEEP_PERSONLESS_TAKEN_UP) \
	ONE(KEEP_PERSONLESS_IS_THE_CYCLES) ONE(KEEP_AGAIN_IS_CLAIMED) ONE(KEEP_CLAIM_SAYS_LINK) \
	ONE(KEEP_CLAIM_WITHOUT_RECORD) ONE(KEEP_CLAIM_SEEN_AGAIN) ONE(KEEP_FORGOTTEN_SEEN_AGAIN) \
	ONE(KEEP_FORGOTTEN_AS_LOADED) ONE(KEEP_LINKS_BEFORE_RECORDS) ONE(KEEP_RESTAMPED) \
	ONE(KEEP_STAMP_COMPARED) ONE(KEEP_OLD_STAMP_LEFT_OUT) ONE(KEEP_CLAIM_IS_STAMPED) \
	ONE(KEEP_CLAIM_LOADED_AGAIN) ONE(KEEP_CLAIM_NOT_STORED_AGAIN) \
	ONE(BUG_CREATE_WITHOUT_CLAIM) ONE(BUG_CLAIM_WITHOUT_PERSON_INDEX) \
	ONE(BUG_ANOTHER_ID_EACH_TRY) ONE(BUG_CLAIM_NOT_TAKEN_UP) ONE(BUG_STAMP_BEFORE_CREATE) \
	ONE(BUG_OUTCOME_BEFORE_CREATE) ONE(BUG_LINKED_CANDIDATE) \
	ONE(BUG_CURSOR_BEFORE_DATA) ONE(BUG_STALE_CLAIMS_STAY) ONE(BUG_NO_FENCE)
#define DECLARE(name) static int name;
#define READ(name) name = getenv(#name) ? atoi(getenv(#name)) : 0;
	SETTINGS(DECLARE)
	static void read_settings(void) { SETTINGS(READ) }
}
#define ON(name) c_expr { name }
/* Read with `pan -r`: the story of a trail. The number is the process: 1 the environment, then the
 * calls, then the workers. */
#define TELL(text) printf("%d: ", _pid); printf(text)
#define TELL_ONE(text, a) printf("%d: ", _pid); printf(text, a)
#define TELL_OF(text, a, b) printf("%d: ", _pid); printf(text, a, b)

/* Records by GUID: X is a person's in Dynamics, the others are derived from person and generation
 * (fingerprint_record_id). */
#define NO_RECORD 0
#define X 1
#define RECORD_OF(person, generation) (((person) - 1) * GENERATIONS + (generation) + 1)
#define GENERATIONS 2
#define IS_DERIVED(record, person, generation) \
	((generation) && (generation) <= GENERATIONS && (record) == RECORD_OF(person, generation))
#define RECORDS 6 /* 0 is none */
#define PERSONS 4 /* 0 is none; 3 is made by nobody but the cycle */

/* Of a link; the tombstones last. */
#define NONE 0
#define CLAIMED 1
#define LIVE 2
#define DELETED_IN_DYNAMICS 3
#define DELETED_IN_MARKETO 4
#define IS_TAKEN(state) ((state) == CLAIMED || (state) == LIVE)
#define IS_TOMBSTONE(state) ((state) >= DELETED_IN_DYNAMICS)

/* Is there something for links_due? */
#define IS_LINKED_TO(r, p) (IS_TAKEN(state[r]) && owner[r] == (p))
#define IS_STAMP_DUE(r) \
	(due[r] && owner[r] && (state[r] == LIVE || (state[r] == DELETED_IN_DYNAMICS && \
	 !(ON(KEEP_OLD_STAMP_LEFT_OUT) && (IS_LINKED_TO(1, owner[r]) || \
	   IS_LINKED_TO(2, owner[r]) || IS_LINKED_TO(3, owner[r]) || \
	   IS_LINKED_TO(4, owner[r]) || IS_LINKED_TO(5, owner[r]))))))

/* Of a request. */
#define OPEN 1
#define FINAL 2
#define QUEUED 0
#define CREATED 1
#define LINKED 2
#define EXISTS 3
#define AMBIGUOUS 4
#define REJECTED 5

/* Of a mark: one that was set again, or taken by another leader, after it was taken stays
 * (dirty.seq; a cursor covers what its own page showed). */
#define MARKED 1
#define TAKEN (w_fence + 1)

/* Dynamics */
bool row[RECORDS];
/* Marketo */
bool person[PERSONS];
byte stamp[PERSONS];
bool stamp_deleted[PERSONS];
byte next_person = 1;
/* The store: link, stamp_due, request; change: Dynamics' feed; look: dirty_record; gone: Marketo's
 * feed of deleted persons; again: dirty_person */
byte state[RECORDS];
byte owner[RECORDS];
byte generation[RECORDS];
bool due[RECORDS];
bool agreed[RECORDS]; /* the link has fingerprints */
byte at_work[RECORDS]; /* calls that are under way with the record's claim */
byte serving; /* ONE_SERVICE: the process that the real-time thread works for */
byte change[RECORDS];
byte look[RECORDS];
byte gone[PERSONS];
byte again[PERSONS];
byte request[PERSONS];
byte request_id[PERSONS];
byte outcome[PERSONS];
byte fence;

/* What the claims need, and nobody in the service knows. */
byte made_for[RECORDS]; /* the person Tandem created the record for */
byte made_of[PERSONS];  /* the record Tandem created the person for */
bool told[RECORDS];     /* reported as ambiguous */
bool answered[PERSONS]; /* `created` was told of a record that somebody else made */
bool was_deleted;       /* somebody deleted something */
byte crashes;
byte lost;
byte refusals;
byte callers;
byte followers; /* workers that lost the lead */
byte new_records;
byte new_persons;
byte deleted_records;
byte deleted_persons;
byte restored_records;
byte quiet_cycles;
bool is_env_over;
bool is_calm;

hidden byte i;
hidden byte j;
hidden byte n;
hidden byte best;
hidden byte is_free;

/* One step; the process may die before it. */
#define STEP                                                                                \
	atomic {                                                                                   \
		if                                                                                 \
		:: crashes > 0 -> crashes--; TELL("dies\n"); goto died           \
		:: true                                                                            \
		fi;
#define END_STEP }

/* INV-ONE-ROW: of the records that are there, one belongs to a person at most: bound to or created
 * for; and the reverse. */
inline check_one_row()
{
	d_step {
		for (i : 1 .. PERSONS - 1) {
			n = 0;
			for (j : 1 .. RECORDS - 1) {
				n = n + (row[j] && (made_for[j] == i || (state[j] == LIVE &&
					owner[j] == i)))
			}
			assert(n <= 1) /* INV-ONE-ROW: two records for one person */
		}
		for (j : 1 .. RECORDS - 1) {
			n = 0;
			for (i : 1 .. PERSONS - 1) {
				n = n + (person[i] && (made_of[i] == j || (state[j] == LIVE &&
					owner[j] == i)))
			}
			assert(n <= 1) /* INV-ONE-ROW: two persons for one record */
		}
		i = 0; j = 0; n = 0
	}
}

