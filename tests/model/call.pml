/* Sync Person to Microsoft: one request through service/sync/requests.c, the stamps of outbox.c,
 * and the caller who waits. */
/* ---- outbox.c: outbox_stamp_batch, one link at a time ---- */

inline outbox_stamps(my_fence, is_fenced)
{
	o_record = 1;
	do
	:: o_record == RECORDS -> o_record = 0; break
	:: o_record > 0 && o_record < RECORDS && !IS_STAMP_DUE(o_record) -> o_record++
	:: o_record > 0 && o_record < RECORDS && IS_STAMP_DUE(o_record) ->
		STEP
			links_due(o_record, o_state, o_person);
			TELL_OF("reads due stamp record %d person %d\n", o_record, o_person)
		END_STEP;
		STEP /* Marketo: write */
			o_settled = false; o_gone = false;
			if
			:: lost > 0 -> lost--
			:: o_person && person[o_person] ->
				TELL_OF("stamps person %d with record %d\n", o_person, o_record);
				stamp[o_person] = o_record;
				stamp_deleted[o_person] = o_state == DELETED_IN_DYNAMICS;
				o_settled = true
			:: o_person && !person[o_person] -> o_settled = true; o_gone = true
			:: !o_person
			fi
		END_STEP;
		STEP /* commit */
			if
			:: o_settled && (!is_fenced || fence == my_fence) ->
				links_stamped(o_record, o_state, o_person);
				if
				:: o_gone -> again[o_person] = MARKED
				:: else
				fi
			:: else
			fi;
			o_state = 0; o_person = 0; o_settled = false; o_gone = false
		END_STEP;
		o_record++
	od
}

/* ---- requests.c: requests_run for one person; f_id is the request's ---- */

inline dynamics_create(p, r)
{
	TELL_OF("creates record %d for person %d\n", r, p);
	row[r] = true;
	made_for[r] = p;
	told[r] = false;
	change[r] = MARKED;
	check_one_row()
}

/* pairs_run on a pair with is_create. */
inline flight_create(p)
{
	if
	:: ON(BUG_STAMP_BEFORE_CREATE) ->
		STEP
			if
			:: person[p] -> stamp[p] = f_record; stamp_deleted[p] = false
			:: else
			fi
		END_STEP
	:: ON(BUG_OUTCOME_BEFORE_CREATE) ->
		STEP request[p] = FINAL; outcome[p] = CREATED END_STEP
	:: else
	fi;
	STEP /* Dynamics: create */
		if
		:: ON(BUG_ANOTHER_ID_EACH_TRY) && row[f_record] &&
			f_record < RECORD_OF(p, GENERATIONS) ->
			f_record++
		:: else
		fi;
		f_put = true;
		if
		:: lost > 0 ->
			lost--; f_mark = true; TELL("create is not carried out nor answered\n")
		:: lost > 0 && !row[f_record] ->
			lost--; dynamics_create(p, f_record); f_mark = true;
			TELL("answer is lost\n")
		:: row[f_record] -> /* pairs_found */
			TELL_OF("finds record %d there already, for person %d\n", f_record, p);
			f_state = LIVE; f_mark = true; f_outcome = CREATED
		:: !row[f_record] ->
			dynamics_create(p, f_record);
			f_state = LIVE; f_is_agreed = true; f_outcome = CREATED
		:: refusals > 0 && !row[f_record] ->
			refusals--;
			f_put = false; f_forget = true; f_outcome = REJECTED;
			TELL_OF("create of record %d for person %d is refused\n", f_record, p)
		fi
	END_STEP;
	/* A claim that the cycle made brings its due stamp along; one record's create that is not
	 * answered does not keep it back, a whole call's does. */
	if
	:: f_due && f_put ->
		STEP /* Marketo: write */
			if
			:: f_state == CLAIMED
			:: person[p] ->
				TELL_OF("stamps person %d with record %d\n", p, f_record);
				stamp[p] = f_record; stamp_deleted[p] = false; f_state = LIVE
			:: !person[p] -> f_state = DELETED_IN_MARKETO; f_mark = true
			fi
		END_STEP
	:: else
	fi;
	f_put = f_put && !(f_state == CLAIMED && ON(KEEP_CLAIM_NOT_STORED_AGAIN));
	f_due = (f_state == LIVE && f_outcome == CREATED) || (f_state == CLAIMED && f_due)
}

inline flight_claim(p)
{
	f_generation = (f_state -> f_generation + 1 : 1);
	if
	:: f_found -> f_record = f_found
	:: else ->
		assert(f_generation <= GENERATIONS); /* the bounds of the model are too small */
		f_record = RECORD_OF(p, f_generation)
	fi;
	f_due = false;
	if
	:: ON(BUG_CREATE_WITHOUT_CLAIM) -> f_ok = true
	:: else -> links_claim(f_record, p, f_generation, false, f_ok)
	fi;
	if
	:: f_ok -> f_state = CLAIMED; f_claim = f_record; at_work[f_claim]++
	:: else -> f_is_done = true /* `queued` */
	fi
}

inline clear_flight()
{
	if
	:: f_claim -> at_work[f_claim]--; f_claim = 0
	:: else
	fi;
	f_record = 0; f_state = 0; f_generation = 0; f_due = false; f_found = 0; f_seen = 0;
	f_is_stamped = false; f_is_done = false; f_outcome = 0; f_put = false; f_forget = false;
	f_mark = false; f_is_agreed = false; f_ok = false; f_id = 0
}

inline stop_serving()
{
	serving = (serving == _pid -> 0 : serving)
}

inline clear_stamps()
{
	o_record = 0; o_state = 0; o_person = 0; o_settled = false; o_gone = false
}

inline flight(p)
{
	STEP /* batch_find_links */
		links_by_person(p, f_record, f_state, f_generation, f_due);
		f_outcome = (f_state == LIVE -> EXISTS : QUEUED);
		TELL_OF("call: finds link record %d state %d\n", f_record, f_state);
		f_is_done = f_state == LIVE || (ON(BUG_CLAIM_NOT_TAKEN_UP) && f_state == CLAIMED);
		if
		:: f_state == CLAIMED -> f_claim = f_record; at_work[f_claim]++
		:: else
		fi
	END_STEP;
	if
	:: !f_is_done ->
		STEP /* batch_read_persons */
			if
			:: person[p] ->
				f_found = (f_state != CLAIMED && !stamp_deleted[p] ->
					stamp[p] : NO_RECORD);
				f_is_stamped = f_found > 0
			:: else ->
				f_outcome = REJECTED; f_is_done = true;
				f_forget = f_state == CLAIMED && ON(KEEP_CLAIM_WITHOUT_RECORD);
				TELL_ONE("call: no person %d\n", p)
			fi
		END_STEP
	:: else
	fi;
	if
	:: !f_is_done && f_state == CLAIMED && ON(KEEP_CLAIM_SAYS_LINK) &&
	   !IS_DERIVED(f_record, p, f_generation) ->
		STEP /* batch_find_claimed */
			f_found = (row[f_record] -> f_record : NO_RECORD);
			f_is_stamped = f_found && stamp[p] == f_found;
			f_is_done = !f_found; f_forget = !f_found
		END_STEP
	:: else
	fi;
	if
	:: !f_is_done && f_state != CLAIMED && f_found ->
		STEP /* batch_find_stamped: read */
			f_found = (row[f_found] -> f_found : NO_RECORD)
		END_STEP;
		if
		:: f_found ->
			STEP /* batch_take_stamped: links_by_record */
				f_found = (IS_TAKEN(state[f_found]) && owner[f_found] &&
					owner[f_found] != p -> NO_RECORD : f_found)
			END_STEP
		:: else
		fi;
		f_is_stamped = f_found > 0
	:: else
	fi;
	if
	:: ON(EMAIL) && !f_is_done && f_state != CLAIMED && !f_found ->
		STEP /* batch_add_candidates: find */
			d_step {
				for (i : 1 .. RECORDS - 1) { f_seen = f_seen | (row[i] << i) }
				i = 0
			}
		END_STEP;
		STEP /* links_by_record */
			d_step {
				for (i : 1 .. RECORDS - 1) {
					if
					:: (f_seen & (1 << i)) &&
						(!IS_TAKEN(state[i]) || ON(BUG_LINKED_CANDIDATE)) ->
						n++; f_found = i
					:: else
					fi
				}
				f_is_done = n > 1;
				f_outcome = (n > 1 -> AMBIGUOUS : QUEUED);
				TELL_OF("call: by e-mail %d record(s), last %d\n", n, f_found);
				f_seen = 0; i = 0; n = 0
			}
		END_STEP
	:: else
	fi;
	if
	:: !f_is_done && f_state != CLAIMED ->
		STEP flight_claim(p) END_STEP
	:: else
	fi;
	if
	:: !f_is_done && f_found -> /* batch_link */
		f_state = LIVE; f_due = true; f_put = true; f_mark = true;
		f_outcome = (f_is_stamped -> EXISTS : LINKED)
	:: !f_is_done && !f_found -> flight_create(p)
	:: else
	fi;
	STEP /* ledger_commit, not fenced */
		f_ok = true;
		if
		:: f_put ->
			links_put(f_record, f_state, p, f_generation, f_due, f_is_agreed, f_ok)
		:: f_forget -> links_forget(f_record, CLAIMED)
		:: else
		fi;
		if
		:: f_ok && f_mark -> look[f_record] = MARKED
		:: else
		fi;
		if
		:: f_ok && request[p] == OPEN && request_id[p] == f_id && f_outcome != QUEUED ->
			request[p] = FINAL;
			outcome[p] = f_outcome;
			TELL_OF("request of person %d has outcome %d\n", p, f_outcome);
			answered[p] = f_outcome == CREATED && made_for[f_record] != p
		:: else
		fi;
		check_one_row();
		clear_flight()
	END_STEP
}

#define FLIGHT_LOCALS                                                                              \
	byte f_record, f_state, f_generation, f_found, f_seen, f_outcome, f_id, f_claim;           \
	bool f_due, f_is_stamped, f_is_done, f_put, f_forget, f_mark, f_is_agreed, f_ok
#define OUTBOX_LOCALS                                                                              \
	byte o_record, o_state, o_person;                                                          \
	bool o_settled, o_gone

/* ---- realtime.c: realtime_serve of one call, in a service of its own ---- */

proctype caller(byte p)
{
	FLIGHT_LOCALS;
	OUTBOX_LOCALS;

	if /* nobody calls for a person whose id was not given yet */
	:: p < next_person
	:: p >= next_person && is_env_over -> goto died
	fi;
	if
	:: !ON(ONE_SERVICE)
	:: ON(ONE_SERVICE) -> atomic { !serving -> serving = _pid }
	fi;
	STEP /* REQUESTS_ADD: a repeat takes the open one's id */
		if
		:: request[p] != OPEN ->
			request[p] = OPEN; request_id[p]++; outcome[p] = QUEUED; answered[p] = false
		:: else
		fi;
		f_id = request_id[p];
		TELL_OF("call: request %d of person %d\n", f_id, p)
	END_STEP;
	flight(p);
	outbox_stamps(0, false); /* realtime_follow_up */
died:
	atomic {
		clear_flight(); clear_stamps(); stop_serving();
		callers--
	}
}

