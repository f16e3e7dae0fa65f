/* One record through the cycle: its link, its person, what is written, the commit. */
/* ---- records.c, match.c, pairs.c: a record through records_run or records_deleted ---- */

#define FATE_NOTHING 0
#define FATE_MATCH 1
#define FATE_PAIR 2
#define FATE_CLAIMED 3
#define FATE_COMMIT 4

inline records_fate()
{
	if
	:: !w_is_there && w_state == LIVE && !w_was_live -> w_mark = true; w_fate = FATE_COMMIT
	:: !w_is_there && w_state == LIVE && w_was_live ->
		w_state = DELETED_IN_DYNAMICS; w_due = true; w_put = true; w_fate = FATE_COMMIT
	:: !w_is_there && w_state == CLAIMED && !w_owner -> w_forget = true; w_fate = FATE_COMMIT
	/* Mended: nothing was made of it, and no request is going to. */
	:: !w_is_there && w_state == CLAIMED && w_owner ->
		w_forget = ON(MEND_CLAIM_WITHOUT_RECORD) && request[w_owner] != OPEN;
		w_fate = FATE_COMMIT
	:: !w_is_there && (w_state == NONE || IS_TOMBSTONE(w_state)) -> w_fate = FATE_COMMIT
	:: w_is_there && w_state == LIVE -> w_fate = FATE_PAIR
	:: w_is_there && w_state == CLAIMED && w_owner -> w_fate = FATE_CLAIMED
	:: w_is_there && w_state == DELETED_IN_MARKETO && w_is_agreed -> w_fate = FATE_COMMIT
	:: w_is_there && (w_state == NONE || (w_state == CLAIMED && !w_owner) ||
			  w_state == DELETED_IN_DYNAMICS ||
			  (w_state == DELETED_IN_MARKETO && !w_is_agreed)) ->
		w_fate = FATE_MATCH
	fi
}

/* The persons of w_bits, less those whose link forbids it; one, none, or too many. */
inline match_choose(r, is_by_stamp)
{
	d_step {
		for (j : 1 .. PERSONS - 1) {
			is_free = true;
			for (i : 1 .. RECORDS - 1) {
				is_free = is_free && !(owner[i] == j &&
					(is_by_stamp ->
						state[i] == LIVE && i != r : IS_BOUND(state[i])))
			}
			if
			:: (w_bits & (1 << j)) && is_free -> n++; w_person = j
			:: (w_bits & (1 << j)) && !is_free && is_by_stamp &&
				ON(MEND_STAMPED_ELSEWHERE) ->
				/* Mended: the person is stamped anew before the record is looked
				 * at again; else the upsert keyed on the stamp would hit that person. */
				for (i : 1 .. RECORDS - 1) { due[i] = due[i] ||
					(state[i] == LIVE && owner[i] == j) }
				w_mark = true; w_fate = FATE_COMMIT
			:: else
			fi
		}
		if
		:: n > 1 -> told[r] = true; TELL_OF("cycle: record %d is ambiguous %d\n", r, n);
			w_person = 0; w_fate = FATE_COMMIT
		:: else
		fi;
		TELL_OF("cycle: record %d belongs to person %d", r, w_person);
		printf(" (by stamp %d)\n", is_by_stamp);
		w_bits = 0; i = 0; j = 0; n = 0; is_free = false
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
	:: w_fate == FATE_MATCH && w_state == NONE ->
		STEP /* match_claim */
			links_claim(r, w_person, 1, true, true, w_ok);
			if
			:: w_ok -> w_fate = FATE_PAIR; w_generation = 1
			:: else -> w_fate = FATE_COMMIT; w_mark = true
			fi
		END_STEP
	:: w_fate == FATE_MATCH && w_state != NONE ->
		/* The row is there already and is overwritten with the outcome; mended: it is
		 * claimed like any other. */
		STEP
			look_for_other(w_person, r);
			if
			:: !ON(MEND_AGAIN_IS_CLAIMED) -> w_fate = FATE_PAIR
			:: ON(MEND_AGAIN_IS_CLAIMED) && is_free && state[r] == w_state &&
				owner[r] == w_owner ->
				state[r] = CLAIMED; owner[r] = w_person;
				generation[r] = w_generation + 1;
				due[r] = true; agreed[r] = false;
				to_link[r] = ON(MEND_CLAIM_SAYS_LINK); hold_claim(r);
				w_fate = FATE_PAIR
			:: else -> w_fate = FATE_COMMIT; w_mark = true
			fi;
			is_free = false
		END_STEP;
		w_generation++
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
			:: person[w_owner]
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
			w_put = true
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
	w_forget = false; w_mark = false; w_clean = 0; w_was_live = false; w_ok = false
}

/* cycle_step_end: one fenced transaction. */
inline commit(r)
{
	STEP
		w_ok = true;
		if
		:: fence != w_fence && !ON(BUG_NO_FENCE) -> goto follower
		:: else
		fi;
		if
		:: w_put ->
			links_put(r, w_state, w_owner, w_generation, w_due, w_is_agreed, w_ok)
		:: w_forget -> links_forget(r)
		:: else
		fi;
		if
		:: !w_ok -> TELL("cycle: commit fails\n"); release_claims(); clear_work();
			goto cycle
		:: else
		fi;
		if
		:: w_mark -> look[r] = MARKED
		:: !w_mark && look[r] == TAKEN -> look[r] = 0
		:: else
		fi;
		if
		:: w_clean && again[w_clean] == TAKEN -> again[w_clean] = 0
		:: else
		fi;
		check_one_row();
		release_claims();
		clear_work()
	END_STEP
}

