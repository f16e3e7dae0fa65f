/* The statements of service/store/stmt.c that touch a link. */
/* LINKS_BY_PERSON: the bound link, else the tombstone of the highest generation. */
inline links_by_person(p, ret_record, ret_state, ret_generation, ret_due)
{
	d_step {
		best = 0;
		for (i : 1 .. RECORDS - 1) {
			if
			:: state[i] && owner[i] == p &&
				(!best || IS_TAKEN(state[i]) ||
				 (!IS_TAKEN(state[best]) && generation[i] > generation[best])) ->
				best = i
			:: else
			fi
		}
		ret_record = best;
		ret_state = state[best];
		ret_generation = generation[best];
		ret_due = due[best];
		i = 0; best = 0
	}
}

/* link_person: is there a claim or a live link of this person, other than of the record r? */
inline look_for_other(p, r)
{
	is_free = true;
	for (i : 1 .. RECORDS - 1) {
		is_free = is_free && !(i != r && IS_TAKEN(state[i]) && owner[i] == p && p)
	}
	i = 0
}

/* LINKS_CLAIM: takes over a tombstone, or the cycle's claim without a person, which only the cycle
 * may, else inserts; gives way to any other row of the record and to the person's other link. A
 * stamp that is due stays due. */
inline links_claim(r, p, g, with_stamp, ret)
{
	d_step {
		look_for_other(p, r);
		ret = (is_free || ON(BUG_CLAIM_WITHOUT_PERSON_INDEX)) &&
		      (state[r] == NONE ||
		       (ON(KEEP_TOMBSTONE_TAKEN_UP) && IS_TOMBSTONE(state[r])) ||
		       (ON(KEEP_PERSONLESS_TAKEN_UP) && state[r] == CLAIMED && !owner[r] &&
			(with_stamp || !ON(KEEP_PERSONLESS_IS_THE_CYCLES))));
		if
		:: ret ->
			state[r] = CLAIMED;
			owner[r] = p;
			generation[r] = g;
			due[r] = due[r] || with_stamp;
			agreed[r] = false
		:: else
		fi;
		TELL_OF("claims record %d for person %d", r, p); printf(": %d\n", ret);
		is_free = false
	}
}

/* LINKS_PUT: whatever the row says by now, it is overwritten with the copy; ret is false when
 * link_person refuses. */
inline links_put(r, s, p, g, with_stamp, is_agreed, ret)
{
	d_step {
		look_for_other(p, r);
		ret = is_free || !IS_TAKEN(s) || ON(BUG_CLAIM_WITHOUT_PERSON_INDEX);
		is_free = ret;
		if
		:: is_free ->
			state[r] = s;
			owner[r] = p;
			generation[r] = g;
			due[r] = with_stamp;
			agreed[r] = is_agreed
		:: else
		fi;
		TELL_OF("stores link record %d person %d", r, p);
		printf(" state %d stamp due %d: %d\n", s, with_stamp, is_free);
		is_free = false
	}
}

/* LINKS_FORGET: only in the state it was loaded in. */
inline links_forget(r, s)
{
	d_step {
		TELL_OF("forgets link record %d state %d\n", r, state[r]);
		if
		:: state[r] == s || !ON(KEEP_FORGOTTEN_AS_LOADED) ->
			state[r] = NONE;
			owner[r] = 0;
			generation[r] = 0;
			due[r] = false;
			agreed[r] = false
		:: else
		fi
	}
}

/* LINKS_DUE of one record: its link, when the person is to carry its stamp. */
inline links_due(r, ret_state, ret_person)
{
	d_step {
		look_for_other(owner[r], r);
		ret_state = state[r];
		ret_person = owner[r];
		if
		:: state[r] == LIVE
		:: state[r] == DELETED_IN_DYNAMICS &&
			(is_free || !ON(KEEP_OLD_STAMP_LEFT_OUT))
		:: else -> ret_person = 0
		fi;
		is_free = false
	}
}

/* LINKS_STAMPED: the link as it was read is not due any more; a person that has another one is
 * looked at again, since its stamp was just written over. */
inline links_stamped(r, s, p)
{
	d_step {
		for (i : 1 .. RECORDS - 1) {
			if
			:: ON(KEEP_STAMP_COMPARED) && IS_TAKEN(state[i]) && owner[i] == p &&
			   !(i == r && state[i] == s) ->
				again[p] = MARKED
			:: else
			fi
		}
		due[r] = due[r] && !(state[r] == s && owner[r] == p);
		TELL_OF("stamp of record %d person %d is done\n", r, p);
		i = 0
	}
}
