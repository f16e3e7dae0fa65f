/* The statements of service/store/stmt.c that touch a link. */
/* LINKS_BY_PERSON: the bound link, else the tombstone of the highest generation. */
inline links_by_person(p, ret_record, ret_state, ret_generation, ret_due)
{
	d_step {
		best = 0;
		for (i : 1 .. RECORDS - 1) {
			if
			:: state[i] && owner[i] == p &&
				(!best || IS_BOUND(state[i]) ||
				 (!IS_BOUND(state[best]) && generation[i] > generation[best])) ->
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

/* link_person: is there a bound link of this person, other than of the record r? */
inline look_for_other(p, r)
{
	is_free = true;
	for (i : 1 .. RECORDS - 1) {
		is_free = is_free && !(i != r && IS_BOUND(state[i]) && owner[i] == p && p)
	}
	i = 0
}

/* Mended: whose claim it is, is in the store; nobody else goes on with it while he lives. */
#define IS_HELD(r) (holder[r] && holder[r] != _pid)

inline hold_claim(r)
{
	if
	:: ON(MEND_CLAIM_HAS_HOLDER) -> holder[r] = _pid
	:: else
	fi
}

inline release_claims()
{
	d_step {
		for (i : 1 .. RECORDS - 1) {
			if
			:: holder[i] == _pid -> holder[i] = 0
			:: else
			fi
		}
		i = 0
	}
}

/* LINKS_CLAIM: an insert that gives way to the row and to the person's other link. */
inline links_claim(r, p, g, with_stamp, is_found, ret)
{
	d_step {
		look_for_other(p, r);
		ret = (is_free || ON(BUG_CLAIM_WITHOUT_PERSON_INDEX)) &&
		      (state[r] == NONE || (ON(MEND_TOMBSTONE_TAKEN_UP) && IS_TOMBSTONE(state[r])));
		if
		:: ret ->
			state[r] = CLAIMED;
			owner[r] = p;
			generation[r] = g;
			due[r] = with_stamp;
			agreed[r] = false;
			to_link[r] = is_found && ON(MEND_CLAIM_SAYS_LINK);
			hold_claim(r)
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
		ret = is_free || !IS_BOUND(s) || ON(BUG_CLAIM_WITHOUT_PERSON_INDEX);
		is_free = ret;
		if
		:: is_free ->
			state[r] = s;
			to_link[r] = s == CLAIMED && to_link[r];
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

/* LINKS_FORGET */
inline links_forget(r)
{
	d_step {
		TELL_OF("forgets link record %d state %d\n", r, state[r]);
		state[r] = NONE;
		owner[r] = 0;
		generation[r] = 0;
		to_link[r] = false;
		due[r] = false;
		agreed[r] = false
	}
}

