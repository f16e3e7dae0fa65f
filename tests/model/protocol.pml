/* The life of a link, as service/sync and service/store make it: real-time calls, the cycle and
 * people on both sides, at once, with crashes and lost answers. README.md says what stands for
 * what. One atomic step is one call to a remote or one statement or transaction of the store; a
 * process may die before each. Knows no fields, values or versions. */
#include "world.pml"
#include "store.pml"
#include "call.pml"
#include "match.pml"
#include "cycle.pml"

/* ---- people on both sides ---- */

proctype environment()
{
	byte which;

	do
	:: atomic { new_records > 0 && !row[X] && !state[X] ->
		TELL("editor creates record 1\n"); new_records--; row[X] = true;
		change[X] = MARKED }
	:: atomic { new_persons > 0 && next_person < 3 ->
		TELL_ONE("form creates person %d\n", next_person); new_persons--;
		person[next_person] = true; next_person++  }
	:: atomic { deleted_records > 0 ->
		select(which : 1 .. RECORDS - 1);
		if
		:: row[which] ->
			TELL_ONE("editor deletes record %d\n", which); deleted_records--;
			row[which] = false; change[which] = MARKED; was_deleted = true 
		:: else
		fi;
		which = 0 }
	:: atomic { deleted_persons > 0 && person[1] ->
		TELL("person 1 is deleted\n"); deleted_persons--;
		person[1] = false; gone[1] = MARKED; stamp[1] = 0; was_deleted = true  }
	:: atomic { restored_records > 0 && was_deleted ->
		select(which : 1 .. RECORDS - 1);
		if
		:: !row[which] && IS_TOMBSTONE(state[which]) ->
			TELL_ONE("editor restores record %d\n", which); restored_records--;
			row[which] = true; change[which] = MARKED; made_for[which] = 0 
		:: else
		fi;
		which = 0 }
	:: break
	od;
	atomic { new_records = 0; new_persons = 0; deleted_records = 0; deleted_persons = 0;
	restored_records = 0;
		is_env_over = true }
}

init {
	byte k;

	atomic {
		c_code {
			read_settings();
			now.crashes = CRASHES; now.lost = LOST; now.refusals = REFUSALS;
			now.callers = CALLERS_1 + CALLERS_2; now.new_records = NEW_RECORD;
			now.new_persons = NEW_PERSONS; now.deleted_records = DELETED_RECORDS;
			now.deleted_persons = DELETED_PERSONS;
			now.restored_records = RESTORED_RECORDS;
		};
		if
		:: ON(FIRST_PERSON) -> person[1] = true; next_person = 2
		:: else
		fi;
		if
		:: ON(FIRST_LINK) ->
			k = RECORD_OF(1, 1);
			row[k] = true; made_for[k] = 1; state[k] = LIVE; owner[k] = 1;
			generation[k] = 1;
			agreed[k] = true; stamp[1] = k
		:: else
		fi;
		run environment();
		k = 1;
		do
		:: ON(Pinit->k <= CALLERS_1) -> run caller(1); k++
		:: ON(Pinit->k > CALLERS_1 && Pinit->k <= CALLERS_1 + CALLERS_2) -> run caller(2);
			k++
		:: ON(Pinit->k > CALLERS_1 + CALLERS_2 &&
			Pinit->k <= CALLERS_1 + CALLERS_2 + WORKERS) ->
			run worker(); k++
		:: else -> break
		od;
		k = 0
	}
}
