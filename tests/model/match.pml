/* One record through the cycle: its link, its person, what is written, the commit. */
/* ---- records.c, match.c, pairs.c: a record through records_run or records_deleted ---- */

#define FATE_NOTHING 0
#define FATE_MATCH 1
#define FATE_PAIR 2
#define FATE_CLAIMED 3
#define FATE_FORGET 4
#define FATE_COMMIT 5

inline links_by_record(r)
{
	w_state = state[r]; w_owner = owner[r]; w_generation = generation[r]; w_due = due[r];
	w_is_agreed = agreed[r];
	TELL_OF("cycle: its link has state %d person %d\n", w_state, w_owner)
}

/* records_deleted when the record is not there. */
inline records_fate()
{
	if
	:: !w_is_there && w_state == LIVE -> end_link(DELETED_IN_DYNAMICS)
	:: !w_is_there && w_state == CLAIMED -> w_fate = FATE_FORGET
	:: !w_is_there && !IS_TAKEN(w_state) -> w_fate = FATE_COMMIT
	:: w_is_there && w_state == LIVE -> w_fate = FATE_PAIR
	:: w_is_there && w_state == CLAIMED && w_owner -> w_fate = FATE_CLAIMED
	/* records_has_news: of a record on which nothing was agreed its version tells. */
	:: w_is_there && w_state == DELETED_IN_MARKETO -> w_fate = FATE_COMMIT
	:: w_is_there && (w_state == NONE || (w_state == CLAIMED && !w_owner) ||
			  w_state == DELETED_IN_DYNAMICS ||
			  (w_state == DELETED_IN_MARKETO && !w_is_agreed)) ->
		w_fate = FATE_MATCH
	fi
}

/* A claim of a person and a record that is there. */
inline records_claimed(r)
{
	STEP /* requests_among */
		w_mark = request[w_owner] == OPEN;
		w_fate = (w_mark -> FATE_COMMIT : FATE_PAIR)
	END_STEP;
	if
	:: ON(KEEP_CLAIM_LOADED_AGAIN) && !w_mark ->
		STEP
			links_by_record(r);
			w_mark = w_state == NONE;
			w_fate = (IS_TAKEN(w_state) -> FATE_PAIR : FATE_COMMIT)
		END_STEP
	:: else
	fi;
	w_due = w_due || (ON(KEEP_CLAIM_IS_STAMPED) && w_state == CLAIMED)
}

/* records_forget_claims: a claim of a record that is not there. */
inline records_forget_claims()
{
	STEP /* requests_among */
		w_forget = (ON(KEEP_CLAIM_WITHOUT_RECORD) || !w_owner) && request[w_owner] != OPEN;
		w_mark = (w_forget -> ON(KEEP_FORGOTTEN_SEEN_AGAIN) : ON(KEEP_CLAIM_SEEN_AGAIN));
		w_fate = FATE_COMMIT
	END_STEP
}

/* The persons of w_bits, less those whose link forbids it; one, none, or too many. */
inline match_choose(r, is_by_stamp)
{
	d_step {
		for (j : 1 .. PERSONS - 1) {
			is_free = true;
			best = 0;
			for (i : 1 .. RECORDS - 1) {
				if
				:: owner[i] == j && is_by_stamp && state[i] == LIVE && i != r ->
					is_free = false; best = i
				:: owner[i] == j && !is_by_stamp && IS_TAKEN(state[i]) ->
					is_free = false
				:: else
				fi
			}
			if
			:: (w_bits & (1 << j)) && is_free -> n++; w_person = j
			:: (w_bits & (1 << j)) && best && ON(KEEP_RESTAMPED) ->
				/* match_restamp */
				TELL_OF("cycle: person %d belongs to record %d\n", j, best);
				w_other = best; w_mark = true; w_fate = FATE_COMMIT
			:: else
			fi
		}
		if
		:: n > 1 -> told[r] = true; TELL_OF("cycle: record %d is ambiguous %d\n", r, n);
			w_fate = FATE_COMMIT
		:: else
		fi;
		TELL_OF("cycle: record %d belongs to person %d", r, w_person);
		printf(" (by stamp %d)\n", is_by_stamp);
		if
		:: w_fate == FATE_COMMIT -> w_person = 0
		:: else
		fi;
		w_bits = 0; best = 0; i = 0; j = 0; n = 0; is_free = false
	}
}

inline match_record(r)
{
	STEP /* match_by_stamp: find */
		d_step {
			for (i : 1 .. PERSONS - 1) { w_bits = w_bits | ((person[i] &&
				stamp[i] == r) << i) }
			i = 0
		}
	END_STEP;
	if
	:: w_bits -> STEP match_choose(r, true) END_STEP
	:: else
	fi;
	if
	:: ON(EMAIL) && w_fate == FATE_MATCH && !w_person ->
		STEP /* match_by_email: find */
			d_step {
				for (i : 1 .. PERSONS - 1) {
					w_bits = w_bits |
						((person[i] && (!stamp[i] ||
							stamp_deleted[i])) << i)
				}
				i = 0
			}
		END_STEP;
		if
		:: w_bits -> STEP match_choose(r, false) END_STEP
		:: else
		fi
	:: else
	fi;
	if
	:: w_fate == FATE_MATCH && (w_state == NONE || ON(KEEP_AGAIN_IS_CLAIMED)) ->
		w_generation = (w_state -> w_generation + 1 : 1);
		STEP /* match_claim */
			links_claim(r, w_person, w_generation, true, w_ok);
			w_mark = !w_ok;
			w_fate = (w_ok -> FATE_PAIR : FATE_COMMIT)
		END_STEP
	:: w_fate == FATE_MATCH && w_state && !ON(KEEP_AGAIN_IS_CLAIMED) ->
		w_generation++; w_fate = FATE_PAIR
	:: else
	fi;
	if
	:: w_fate == FATE_PAIR ->
		w_state = CLAIMED; w_owner = w_person; w_due = true; w_is_agreed = false;
		w_is_create = w_person == 0
	:: else
	fi
}

inline end_link(s)
{
	w_state = s; w_due = s == DELETED_IN_DYNAMICS; w_mark = w_mark || s == DELETED_IN_MARKETO;
	w_put = true; w_fate = FATE_COMMIT
}

/* Marketo: a person for record r, an upsert keyed on the stamp. */
inline marketo_create(r)
{
	d_step {
		for (i : 1 .. PERSONS - 1) {
			if
			:: person[i] && stamp[i] == r && !n -> n = i
			:: else
			fi
		}
		if
		:: !n ->
			assert(next_person < PERSONS); /* the bounds of the model are too small */
			n = next_person; next_person++;
			TELL_OF("cycle: creates person %d of record %d\n", n, r);
			person[n] = true;
			made_of[n] = r
		:: else
		fi;
		TELL_OF("cycle: person %d carries stamp %d\n", n, r);
		stamp[n] = r; stamp_deleted[n] = false;
		best = n; i = 0; n = 0
	};
	check_one_row()
}

/* pairs_check_stamps */
#define compare_stamp(p, r) \
	(ON(KEEP_STAMP_COMPARED) && (stamp[p] != r || stamp_deleted[p]))

/* pairs_run for one pair: reads what is missing, writes Dynamics, then Marketo. */
inline pairs_run(r)
{
	if
	:: !w_person && !w_is_create && (w_state == CLAIMED || !w_is_agreed || again[w_owner]) ->
		STEP /* Marketo: read */
			if
			:: again[w_owner] -> again[w_owner] = TAKEN; w_clean = w_owner
			:: else
			fi;
			if
			:: person[w_owner] ->
				w_due = w_due || (w_state == LIVE && compare_stamp(w_owner, r))
			:: else -> end_link(DELETED_IN_MARKETO)
			fi;
			TELL_OF("cycle: reads person %d: %d\n", w_owner, person[w_owner])
		END_STEP
	:: else
	fi;
	if
	:: w_fate == FATE_PAIR && !w_is_create && !w_is_agreed ->
		STEP /* Dynamics: write, if the person has something to give */
			if
			:: true
			:: !row[r] -> end_link(DELETED_IN_DYNAMICS)
			fi
		END_STEP
	:: else
	fi;
	if
	:: w_fate == FATE_PAIR && w_is_create ->
		STEP /* Marketo: create */
			if
			:: lost > 0 -> lost--; w_mark = true
			:: lost > 0 -> lost--; marketo_create(r); best = 0; w_mark = true
			:: true ->
				marketo_create(r);
				w_owner = best; best = 0;
				w_state = LIVE; w_due = false; w_is_agreed = true
			fi;
			w_put = w_state == LIVE || !ON(KEEP_CLAIM_NOT_STORED_AGAIN)
		END_STEP
	:: w_fate == FATE_PAIR && !w_is_create && w_due ->
		STEP /* Marketo: update with the stamp */
			w_put = true;
			if
			:: lost > 0 -> lost--; w_mark = true; w_state = LIVE
			:: person[w_owner] ->
				TELL_OF("cycle: stamps person %d with record %d\n", w_owner, r);
				stamp[w_owner] = r; stamp_deleted[w_owner] = false;
				w_state = LIVE; w_due = false; w_is_agreed = true
			:: !person[w_owner] -> end_link(DELETED_IN_MARKETO)
			fi
		END_STEP
	:: w_fate == FATE_PAIR && !w_is_create && !w_due ->
		w_state = LIVE; w_is_agreed = true; w_put = true
	:: else
	fi
}

inline clear_work()
{
	w_state = 0; w_owner = 0; w_generation = 0; w_due = false; w_is_agreed = false;
	w_person = 0;
	w_bits = 0; w_fate = 0; w_is_there = false; w_is_create = false; w_put = false;
	w_forget = false; w_mark = false; w_clean = 0; w_other = 0; w_ok = false
}

/* cycle_step_end: one fenced transaction. A row of the feed is covered by the cursor. */
inline commit(r)
{
	STEP
		w_ok = true;
		if
		:: fence != w_fence && !ON(BUG_NO_FENCE) -> goto follower
		:: else
		fi;
		if
		:: w_forget -> links_forget(r, CLAIMED)
		:: else
		fi;
		if
		:: w_put ->
			links_put(r, w_state, w_owner, w_generation, w_due, w_is_agreed, w_ok)
		:: w_other ->
			links_put(w_other, LIVE, owner[w_other], generation[w_other], true,
				agreed[w_other], w_ok)
		:: else
		fi;
		if
		:: !w_ok -> TELL("cycle: commit fails\n"); clear_work();
			goto cycle
		:: else
		fi;
		if
		:: w_is_feed && change[r] == TAKEN -> change[r] = 0
		:: !w_is_feed && look[r] == TAKEN -> look[r] = 0
		:: else
		fi;
		if
		:: w_mark -> look[r] = MARKED
		:: else
		fi;
		if
		:: w_clean && again[w_clean] == TAKEN -> again[w_clean] = 0
		:: else
		fi;
		check_one_row();
		clear_work()
	END_STEP
}
