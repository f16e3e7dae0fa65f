/* The leader: cycle after cycle, until nothing is left to do. */
/* ---- cycle.c: cycle_run, again and again, in a service of its own ---- */

#define RECORD_WAITS(r) \
	(look[r] || due[r] || (state[r] == CLAIMED && !(told[r] && !owner[r])))
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

#define QUIET_CYCLES 4 /* without any event; then everything must be done */

proctype worker()
{
	byte w_record, w_state, w_owner, w_generation, w_person, w_bits, w_fate, w_clean, w_fence;
	bool w_due, w_is_agreed, w_is_there, w_was_live, w_is_create, w_put, w_forget, w_mark, w_ok;
	FLIGHT_LOCALS;
	OUTBOX_LOCALS;

died:
	atomic { /* postgres_lead */
		release_claims(); clear_work(); clear_flight(); clear_stamps();
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
	STEP /* cycle_stale_claims */
		if
		:: !is_calm
		:: ON(BUG_STALE_CLAIMS_STAY)
		:: !ON(BUG_STALE_CLAIMS_STAY) ->
			d_step {
				for (i : 1 .. RECORDS - 1) {
					if
					:: state[i] == CLAIMED -> look[i] = MARKED
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
	/* cycle_marks of Dynamics, cycle_table */
	for (w_record : 1 .. RECORDS - 1) {
		if
		:: look[w_record] ->
			STEP /* Dynamics: changes, read */
				look[w_record] = (ON(BUG_CURSOR_BEFORE_DATA) -> 0 : TAKEN);
				/* Mended: a record is missing only when its link was live
				 * before it was looked for. */
				w_was_live = state[w_record] == LIVE ||
					!ON(MEND_LIVE_BEFORE_MISSING);
				w_is_there = row[w_record];
				told[w_record] = false;
				TELL_OF("cycle: looks at record %d, there: %d\n", w_record,
					w_is_there)
			END_STEP;
			STEP /* links_by_record */
				w_state = state[w_record]; w_owner = owner[w_record];
				w_generation = generation[w_record]; w_due = due[w_record];
				w_is_agreed = agreed[w_record];
				if
				:: state[w_record] == CLAIMED && IS_HELD(w_record) ->
					w_mark = true; w_fate = FATE_COMMIT
				:: else ->
					records_fate();
					if
					:: w_fate == FATE_CLAIMED || w_fate == FATE_MATCH &&
						w_state == CLAIMED ->
						hold_claim(w_record)
					:: else
					fi
				fi;
				TELL_OF("cycle: its link has state %d person %d\n",
					state[w_record], w_owner)
			END_STEP;
			if
			:: w_fate == FATE_CLAIMED ->
				STEP /* requests_among */
					w_mark = request[w_owner] == OPEN;
					w_fate = (w_mark -> FATE_COMMIT : FATE_PAIR)
				END_STEP
			:: w_fate == FATE_MATCH -> match_record(w_record)
			:: else
			fi;
			if
			:: w_fate == FATE_PAIR -> pairs_run(w_record)
			:: else
			fi;
			commit(w_record)
		:: else
		fi
	};
	/* cycle_marks of Marketo: records_persons. w_person is the record here. */
	for (w_record : 1 .. PERSONS - 1) {
		if
		:: again[w_record] ->
			STEP
				again[w_record] = TAKEN;
				links_by_person(w_record, w_person, w_state, w_generation, w_due)
			END_STEP;
			STEP /* Marketo: read */
				w_is_there = person[w_record]
			END_STEP;
			STEP
				if
				:: fence != w_fence -> goto follower
				:: else
				fi;
				if
				:: w_state == LIVE && !w_is_there ->
					links_put(w_person, DELETED_IN_MARKETO, w_record,
						w_generation, false,
						  agreed[w_person], w_ok);
					look[w_person] = MARKED
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
			f_id = request_id[w_record];
			flight(w_record)
		:: else
		fi
	};
	w_record = 0;
	outbox_stamps(w_fence, true);
	goto cycle;
follower: /* another service leads; it does the rest */
	atomic { release_claims(); clear_work(); w_fence = 0; w_record = 0; followers++ }
end:
	skip
}

