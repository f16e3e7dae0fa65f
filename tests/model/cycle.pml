/* The leader: cycle after cycle, until nothing is left to do. */
/* ---- cycle.c: cycle_run, again and again, in a service of its own ---- */

#define RECORD_WAITS(r) \
	(look[r] || change[r] || IS_STAMP_DUE(r) || \
	 (state[r] == CLAIMED && !(told[r] && !owner[r])))
#define PERSON_WAITS(p) (gone[p] || again[p] || request[p] == OPEN)
#define SOMETHING_WAITS \
	(RECORD_WAITS(1) || RECORD_WAITS(2) || RECORD_WAITS(3) || RECORD_WAITS(4) || \
	 RECORD_WAITS(5) || PERSON_WAITS(1) || PERSON_WAITS(2) || PERSON_WAITS(3))
#define NOBODY_ELSE_MOVES (is_env_over && !callers && ON(now.followers == WORKERS - 1))

/* INV-INTERRUPT and the life of a link: what holds when all is done, whatever happened before. */
inline check_end()
{
	d_step {
		for (i : 1 .. RECORDS - 1) {
			/* Both halves of a link are there, and the person carries its stamp. */
			assert(state[i] != LIVE || (row[i] && person[owner[i]]));
			assert(state[i] != LIVE || (stamp[owner[i]] == i &&
				!stamp_deleted[owner[i]]));
			/* No record is forgotten. */
			assert(!row[i] || state[i] == LIVE || told[i] ||
				state[i] == DELETED_IN_MARKETO)
		}
		for (i : 1 .. PERSONS - 1) {
			/* Nobody was told of a record that is not there. */
			n = 0;
			for (j : 1 .. RECORDS - 1) { n = n + (state[j] == LIVE && owner[j] == i) }
			assert(was_deleted || request[i] != FINAL || outcome[i] >= AMBIGUOUS ||
				n == 1);
			assert(was_deleted || !person[i] || !stamp[i] || n == 1);
			assert(!answered[i] || !ON(CHECK_ANSWERS))
		}
		i = 0; j = 0; n = 0
	}
}

/* A marked record: its link is loaded before it is read, and again when it is there. */
inline cycle_look_again(r)
{
	STEP
		look[r] = (ON(BUG_CURSOR_BEFORE_DATA) -> 0 : TAKEN);
		TELL_ONE("cycle: looks at record %d\n", r);
		links_by_record(r)
	END_STEP;
	STEP /* Dynamics: read */
		w_is_there = row[r];
		told[r] = false;
		TELL_OF("cycle: record %d is there: %d\n", r, w_is_there)
	END_STEP;
	if
	:: w_is_there || !ON(KEEP_LINKS_BEFORE_RECORDS) -> STEP links_by_record(r) END_STEP
	:: else
	fi
}

/* A row of the feed. */
inline cycle_page(r)
{
	STEP /* Dynamics: changes */
		change[r] = (ON(BUG_CURSOR_BEFORE_DATA) -> 0 : TAKEN);
		w_is_there = row[r];
		told[r] = false;
		TELL_OF("cycle: feed tells of record %d, there: %d\n", r, w_is_there)
	END_STEP;
	STEP links_by_record(r) END_STEP
}

/* records_deleted, records_run, and the commit. */
inline cycle_rows(r)
{
	records_fate();
	if
	:: w_fate == FATE_CLAIMED -> records_claimed(r)
	:: w_fate == FATE_FORGET -> records_forget_claims()
	:: w_fate == FATE_MATCH -> match_record(r)
	:: else
	fi;
	if
	:: w_fate == FATE_PAIR -> pairs_run(r)
	:: else
	fi;
	commit(r)
}

#define QUIET_CYCLES 4 /* without any event; then everything must be done */

proctype worker()
{
	byte w_record, w_state, w_owner, w_generation, w_person, w_bits, w_fate, w_clean, w_fence;
	byte w_other;
	bool w_due, w_is_agreed, w_is_there, w_is_feed, w_is_create, w_put, w_forget, w_mark, w_ok;
	FLIGHT_LOCALS;
	OUTBOX_LOCALS;

died:
	atomic { /* postgres_lead */
		clear_work(); clear_flight(); clear_stamps(); stop_serving(); w_is_feed = false;
		fence++; w_fence = fence; w_record = 0; TELL_ONE("leads with fence %d\n", fence)
	};
cycle:
	atomic {
		if
		:: fence != w_fence -> goto follower
		:: fence == w_fence && !is_calm && SOMETHING_WAITS
		:: fence == w_fence && !is_calm && NOBODY_ELSE_MOVES ->
			is_calm = true; crashes = 0; lost = 0; refusals = 0; goto cycle
		:: is_calm && !SOMETHING_WAITS -> check_end(); goto end
		:: is_calm && SOMETHING_WAITS ->
			quiet_cycles++; TELL_ONE("quiet cycle %d\n", quiet_cycles);
			assert(quiet_cycles <= QUIET_CYCLES) /* something is never done */
		fi
	};
	STEP /* cycle_stale_claims. A call ends, by its deadline, before its claim looks stale. */
		if
		:: !is_calm
		:: ON(BUG_STALE_CLAIMS_STAY)
		:: !ON(BUG_STALE_CLAIMS_STAY) ->
			d_step {
				for (i : 1 .. RECORDS - 1) {
					if
					:: state[i] == CLAIMED && !at_work[i] -> look[i] = MARKED
					:: else
					fi
				}
				i = 0
			}
		fi
	END_STEP;
	/* cycle_feed: deleted persons. w_record stands for the person here. */
	for (w_record : 1 .. PERSONS - 1) {
		if
		:: gone[w_record] ->
			STEP
				gone[w_record] = TAKEN;
				links_by_person(w_record, w_person, w_state, w_generation, w_due);
				w_owner = w_record
			END_STEP;
			STEP
				if
				:: fence != w_fence -> goto follower
				:: else
				fi;
				if
				:: w_state == LIVE ->
					links_put(w_person, DELETED_IN_MARKETO, w_owner,
						w_generation, false,
						  agreed[w_person], w_ok);
					look[w_person] = MARKED
				:: else
				fi;
				gone[w_record] = (gone[w_record] == TAKEN -> 0 : gone[w_record]);
				clear_work()
			END_STEP
		:: else
		fi
	};
	/* cycle_marks of Dynamics */
	w_is_feed = false;
	for (w_record : 1 .. RECORDS - 1) {
		if
		:: look[w_record] -> cycle_look_again(w_record); cycle_rows(w_record)
		:: else
		fi
	};
	/* cycle_table */
	w_is_feed = true;
	for (w_record : 1 .. RECORDS - 1) {
		if
		:: change[w_record] -> cycle_page(w_record); cycle_rows(w_record)
		:: else
		fi
	};
	w_is_feed = false;
	/* cycle_marks of Marketo: records_persons. w_person is the record here. */
	for (w_record : 1 .. PERSONS - 1) {
		if
		:: again[w_record] ->
			STEP
				again[w_record] = TAKEN;
				links_by_person(w_record, w_person, w_state, w_generation, w_due)
			END_STEP;
			STEP /* Marketo: read */
				w_is_there = person[w_record];
				w_due = w_due || compare_stamp(w_record, w_person)
			END_STEP;
			if
			:: w_state == LIVE && w_is_there && w_due ->
				STEP /* Marketo: update with the stamp */
					w_put = true;
					if
					:: lost > 0 -> lost--; w_mark = true
					:: person[w_record] ->
						TELL_OF("cycle: stamps person %d with record %d\n",
							w_record, w_person);
						stamp[w_record] = w_person;
						stamp_deleted[w_record] = false;
						w_due = false
					:: !person[w_record] -> w_is_there = false
					fi
				END_STEP
			:: else
			fi;
			STEP
				w_ok = true;
				if
				:: fence != w_fence -> goto follower
				:: else
				fi;
				if
				:: w_state == LIVE && !w_is_there ->
					links_put(w_person, DELETED_IN_MARKETO, w_record,
						w_generation, false, agreed[w_person], w_ok);
					look[w_person] = MARKED
				:: w_state == LIVE && w_is_there && w_put ->
					links_put(w_person, LIVE, w_record, w_generation, w_due,
						agreed[w_person], w_ok)
				:: else
				fi;
				if
				:: !w_ok -> TELL("cycle: commit fails\n"); clear_work(); goto cycle
				:: else
				fi;
				if
				:: w_mark -> again[w_record] = MARKED; look[w_person] = MARKED
				:: else
				fi;
				again[w_record] =
					(again[w_record] == TAKEN && w_state != CLAIMED ->
						0 : again[w_record]);
				clear_work()
			END_STEP
		:: else
		fi
	};
	/* realtime_work_open */
	for (w_record : 1 .. PERSONS - 1) {
		if
		:: request[w_record] == OPEN ->
			if
			:: !ON(ONE_SERVICE)
			:: ON(ONE_SERVICE) -> atomic { !serving -> serving = _pid }
			fi;
			f_id = request_id[w_record];
			flight(w_record);
			stop_serving()
		:: else
		fi
	};
	w_record = 0;
	outbox_stamps(w_fence, true);
	goto cycle;
follower: /* another service leads; it does the rest */
	atomic { clear_work(); w_fence = 0; w_record = 0; w_is_feed = false; followers++ }
end:
	skip
}

