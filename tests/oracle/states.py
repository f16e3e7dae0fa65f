"""Every state a field can be in, as lines for the program and as states for the oracle.

A line is 25 letters (see LAYOUT); one line, one state. Must not know what becomes of a state.

Left out, because it cannot be:
  - a boolean that is empty: the canonical form of a missing one is false (round_trip.py holds the decoders to it);
  - consent on texts or on fields that travel one way, and an empty-rule on booleans: the field file refuses the first,
    the second has nothing to act on;
  - a record that was read although its side was not (a side is read as a whole);
  - a value shown by a side whose column cannot be read, save in the group on rights, where the right has just gone;
  - a refused value that the target is remembered to show: such a value is not sent;
  - a last write (event) on a field nothing was ever agreed on: a write that works makes an agreement;
  - a covered value to put back that Marketo shows, or on a field that may not be written to Marketo: there is a covered
    value only where a write of ours stands now, and a field into Marketo;
  - several of parked, event, put back together, save where a value to put back is refused by Dynamics.
"""

from itertools import product

from oracle import NOT_READ, NOT_SHOWN, State

LAYOUT = ("kind", "presence", "direction", "winner", "empty", "consent", "readable", "readable", "updatable",
          "updatable", "creatable", "creatable", "table", "mode", "shown", "shown", "base", "base", "parked target",
          "parked value", "event target", "event", "turns", "age", "restore")

KIND = {"text": "t", "boolean": "b", "short in Dynamics": "d", "short in Marketo": "m", "ASCII in Marketo": "a",
        "choice": "c", "range in Dynamics": "r", "range in Marketo": "s"}
PRESENCE = {"selected": "s", "unselected": "u", "absent": "a"}
DIRECTION = {"both": "b", "to_marketo": "m", "to_dynamics": "d"}
WINNER = {"by_link": "l", "marketo": "m", "dynamics": "d"}
EMPTY = {"travels": "t", "stays": "s"}
MODE = {"look": "l", "create": "c", "drop": "d", "drop all": "D", "covered": "v", "filter": "f"}
EVENT = {"sent": "s", "given up": "g"}
YES = {False: "n", True: "y"}
TABLES = ("lead", "contact")
BOTH_RIGHTS = (True, True)
RIGHTS = tuple(product((True, False), repeat=2))
TEXT_SHOWN = (NOT_READ, "E", "A", "B")
TEXT_BASE = (None, "E", "A", "B", "C")
BOOLEAN_SHOWN = (NOT_READ, "F", "T")
BOOLEAN_BASE = (None, "F", "T")
MARKS = {"absent": "a", "yes": "y", "no": "n", "null": "0"}
NULL_POLICIES = {"create_only": "c", "sync": "s", "skip": "k"}


def line(s):
    parked = "--" if s.parked is None else "md"[s.parked[0]] + ("*" if s.parked[1] == "all" else s.parked[1])
    event = "----"
    if s.event is not None:
        target, what, turns, age = s.event
        event = f"{'md'[target]}{EVENT[what]}{turns}{age}"
    return "".join((
        KIND[s.kind], PRESENCE[s.presence], DIRECTION[s.direction], WINNER[s.winner], EMPTY[s.empty],
        YES[s.consent], YES[s.readable[0]], YES[s.readable[1]], YES[s.updatable[0]], YES[s.updatable[1]],
        YES[s.creatable[0]], YES[s.creatable[1]], s.table[0], MODE[s.mode], s.shown[0], s.shown[1],
        s.base[0] or "0", s.base[1] or "0", parked, event, s.restore or "-"))


def state(**parts):
    usual = {"mode": "look", "table": "lead", "kind": "text", "shown": ("A", "A"), "base": ("A", "A"),
             "readable": BOTH_RIGHTS, "updatable": BOTH_RIGHTS, "creatable": BOTH_RIGHTS, "presence": "selected",
             "direction": "both", "winner": "by_link", "empty": "travels", "consent": False, "parked": None,
             "event": None, "restore": None}
    return State(**{**usual, **parts})


def values(kind):
    """(shown, base) of both sides, every combination."""
    shown, base = (BOOLEAN_SHOWN, BOOLEAN_BASE) if kind == "boolean" else (TEXT_SHOWN, TEXT_BASE)
    return [(s, b) for b in product(base, repeat=2) for s in product(shown, repeat=2)]


def fields():
    """Policies a field can have: (kind, direction, winner, empty, consent)."""
    for kind in KIND:
        is_boolean = kind == "boolean"
        for direction, winner, empty, consent in product(DIRECTION, WINNER, EMPTY, (False, True)):
            if consent and (not is_boolean or direction != "both"):
                continue
            if is_boolean and empty == "stays":
                continue
            yield kind, direction, winner, empty, consent


def policy_group():
    for kind, direction, winner, empty, consent in fields():
        if kind not in ("text", "boolean"):
            continue
        for updatable, table in product(RIGHTS, TABLES):
            for shown, base in values(kind):
                yield state(kind=kind, direction=direction, winner=winner, empty=empty, consent=consent, table=table,
                            updatable=updatable, shown=shown, base=base)


def holds_group():
    for kind, direction, winner, empty, consent in fields():
        if kind in ("text", "boolean") or winner != "by_link":
            continue
        for table, (shown, base) in product(TABLES, values(kind)):
            yield state(kind=kind, direction=direction, empty=empty, table=table, shown=shown, base=base)


def rights_group():
    for kind, readable, updatable, presence, table in product(("text", "boolean"), RIGHTS, RIGHTS, PRESENCE, TABLES):
        for (shown, base), consent in product(values(kind), (False, True) if kind == "boolean" else (False,)):
            yield state(kind=kind, readable=readable, updatable=updatable, presence=presence, consent=consent,
                        table=table, shown=shown, base=base)


def hidden_group():
    """A side that was read and does not show the field."""
    for kind, table in product(("text", "boolean"), TABLES):
        for shown, base in values(kind):
            for hidden in ((NOT_SHOWN, shown[1]), (shown[0], NOT_SHOWN), (NOT_SHOWN, NOT_SHOWN)):
                yield state(kind=kind, table=table, shown=hidden, base=base)


def parked_group():
    for kind, target, direction, empty, table in product(
            ("text", "short in Dynamics", "short in Marketo", "boolean"), (0, 1), DIRECTION, EMPTY, TABLES):
        if empty == "stays" and (kind == "boolean" or direction != "both"):
            continue
        for value in ("F", "T", "all") if kind == "boolean" else ("E", "A", "B", "C", "all"):
            for shown, base in values(kind):
                if base[target] == value:
                    continue
                yield state(kind=kind, direction=direction, empty=empty, table=table, shown=shown, base=base,
                            parked=(target, value))


def event_group():
    for kind, target, what, turns, age, table in product(("text", "boolean"), (0, 1), EVENT, range(5), range(5),
                                                         TABLES):
        for (shown, base), consent in product(values(kind), (False, True) if kind == "boolean" else (False,)):
            if None in base or (what == "given up" and turns):
                continue
            yield state(kind=kind, table=table, consent=consent, shown=shown, base=base,
                        event=(target, what, turns, age))


def drop_group():
    for kind, mode, direction, updatable, table in product(("text", "boolean"), ("drop", "drop all"), DIRECTION, RIGHTS,
                                                           TABLES):
        for (shown, base), consent in product(values(kind), (False, True) if kind == "boolean" else (False,)):
            if not consent or direction == "both":
                yield state(kind=kind, mode=mode, direction=direction, updatable=updatable, table=table, shown=shown,
                            base=base, consent=consent)


def restore_group():
    """Marketo shows what we wrote; people had put something else there."""
    for kind, direction, winner, empty, consent in fields():
        if direction == "to_dynamics" or kind not in ("text", "boolean", "short in Dynamics", "choice"):
            continue
        for table, updatable, (shown, base) in product(TABLES, (BOTH_RIGHTS, (True, False)), values(kind)):
            if shown[0] in (NOT_READ, None) or shown[0] != base[0] or None in base:
                continue
            for covered in ("F", "T") if kind == "boolean" else ("E", "A", "B"):
                if covered == shown[0]:
                    continue
                yield state(kind=kind, direction=direction, winner=winner, empty=empty, consent=consent, table=table,
                            updatable=updatable, shown=shown, base=base, restore=covered)
                if kind == "short in Dynamics" and base[1] != covered:
                    yield state(kind=kind, direction=direction, winner=winner, empty=empty, consent=consent,
                                table=table, updatable=updatable, shown=shown, base=base, restore=covered,
                                parked=(1, covered))


def create_group():
    for kind, direction, winner, empty, consent in fields():
        for creatable, updatable, presence, table in product(RIGHTS, (BOTH_RIGHTS, (False, False)), PRESENCE, TABLES):
            for value in (NOT_SHOWN, "F", "T") if kind == "boolean" else (NOT_SHOWN, "E", "A", "B"):
                for shown in ((value, NOT_READ), (NOT_READ, value)):
                    yield state(mode="create", kind=kind, direction=direction, winner=winner, empty=empty,
                                consent=consent, creatable=creatable, updatable=updatable, presence=presence,
                                table=table, shown=shown, base=(None, None))


GROUPS = {
    "a change, a collision, a new link, under every policy": policy_group,
    "values the other side cannot hold": holds_group,
    "unselected fields and lost rights": rights_group,
    "a side that hides the field": hidden_group,
    "parked values and records": parked_group,
    "values that come back": event_group,
    "writes that are refused": drop_group,
    "covered edits to put back": restore_group,
    "a counterpart to create": create_group,
}


def covered_states():
    """For the question whose value was right: (state, what people had put, what we left)."""
    for kind, direction, winner, empty, consent in fields():
        if direction == "to_dynamics":   # nothing of ours goes into Marketo
            continue
        for table in TABLES:
            for was, now in product(("F", "T") if kind == "boolean" else ("E", "A", "B"), repeat=2):
                if was != now:
                    yield state(kind=kind, direction=direction, winner=winner, empty=empty, consent=consent,
                                table=table), was, now
