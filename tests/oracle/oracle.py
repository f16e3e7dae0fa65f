"""What shall become of one field? Written from the pages that describe the sync, not from the program.

Sources, in plain words:
  [contact] Adobe: Microsoft Dynamics Sync, Contact Sync: on a conflict Dynamics wins; a field travels only when it is
            selected and the sync user may see it.
  [lead]    Adobe: Microsoft Dynamics Sync, Lead Sync: on a conflict Marketo wins.
  [fields]  Adobe knowledge base, conflict resolution: conflicts are settled field by field, not record by record.
  [oneway]  Adobe: Microsoft Dynamics Sync, Field Sync: what travels one way is decided by the side it comes from.
  [durable] Adobe: Durable Unsubscribe: Marketo may turn an opt-out on again by itself.
  [design]  Tandem's own invariants, by name.

Must not know: how the program decides. It sees a state as people would describe it and says what they may expect.
A value is a word: "A", "B", "C" (texts, numbers or labels), "T", "F" (booleans), "E" (empty).
"""

from typing import NamedTuple

MARKETO, DYNAMICS = 0, 1
SIDES = (MARKETO, DYNAMICS)
TURNS = 3          # a value that came back so often is not sent again
TURN_CYCLES = 2    # "came back" means: within so many cycles of being sent
NOT_READ, NOT_SHOWN = "-", "?"   # the side was not read at all; it was read and did not show this field


class State(NamedTuple):
    mode: str              # look: both exist; create: only the shown side exists; drop, drop-all: the write was refused
    table: str             # lead, contact
    kind: str              # what stands on the two sides, see HOLDS
    shown: tuple           # by side: what it shows now
    base: tuple            # by side: what the link remembers of it; None: never agreed on this field
    readable: tuple
    updatable: tuple
    creatable: tuple
    presence: str          # selected, unselected, absent (this table has no such column)
    direction: str         # both, to_marketo, to_dynamics
    winner: str            # by_link, marketo, dynamics
    empty: str             # travels, stays
    consent: bool
    parked: tuple          # (target side, refused value or "all" for this very write of the whole record), or None
    event: tuple           # the field's last: (target, "sent" or "given up", times it came back, cycles ago), or None
    restore: str           # the Marketo value a write of ours covered and that is to be put back, or None


class Verdict(NamedTuple):
    write: tuple = (None, None)      # by target side
    base: tuple = (None, None)       # what the link remembers afterwards
    collision: tuple = None          # (rule, winning side)
    refused: tuple = (None, None)    # by target side: cannot hold, bounces, remote
    must_read: tuple = (False, False)
    event: tuple = None              # (target, rule, times it came back now; "-": it was given up)


# What a side cannot hold, by what stands on the two sides: for Marketo, for Dynamics.
HOLDS = {
    "text": ("", ""), "boolean": ("", ""),
    "short in Dynamics": ("", "B"), "short in Marketo": ("B", ""), "ASCII in Marketo": ("B", ""),
    "choice": ("", "B"), "range in Dynamics": ("", "B"), "range in Marketo": ("B", ""),
}


def other(side):
    return 1 - side


def only(side, value):
    return (value, None) if side == MARKETO else (None, value)


def decide(s):
    """[contact] selected and accessible on both sides; [design] INV-SELECTED: a lost right pauses the field."""
    if s.presence != "selected" or not all(s.readable):
        return Verdict(base=s.base)
    if s.mode == "create":
        return create(s)
    v = look(s) if s.restore is None else put_back(s)
    if s.mode == "look" or v.write == (None, None):
        return v
    target = MARKETO if v.write[MARKETO] is not None else DYNAMICS   # drop: INV-NOTHING-SILENT
    return Verdict(base=s.base, refused=only(target, "remote"))


def look(s):
    seen = [value != NOT_READ for value in s.shown]
    if not any(seen) or NOT_SHOWN in s.shown:    # a side that was read and hides the field: INV-SELECTED
        return Verdict(base=s.base)
    if s.parked and not all(seen):
        return look_at_half(s, DYNAMICS if seen[MARKETO] else MARKETO)
    if None in s.base:
        if not all(seen):    # nothing can be said before the other side is read; nothing need be of a closed field
            is_open = may_enter(s, MARKETO) or may_enter(s, DYNAMICS)
            return Verdict(base=s.base, must_read=(is_open and not seen[MARKETO], is_open and not seen[DYNAMICS]))
        return newly_linked(s)
    # [fields] INV-THREE-WAY: each side against its own past; a side that was not read shows what it showed last.
    now = tuple(value if ok else old for value, ok, old in zip(s.shown, seen, s.base))
    changed = [side for side in SIDES if now[side] != s.base[side]]
    if not changed:
        return Verdict(base=s.base)
    if now[MARKETO] == now[DYNAMICS]:
        return Verdict(base=now)
    return one_changed(s, changed[0], now) if len(changed) == 1 else both_changed(s, now)


def look_at_half(s, unread):
    """While a value is refused, the link does not remember what a side shows: that side must be read, unless what is
    seen is as it was: the refused value still, or a target nobody touched. [design] Words, parked."""
    target, value = s.parked
    if unread == target:
        waits = s.shown[other(unread)] == value
    else:
        waits = s.shown[target] == s.base[target]
    return Verdict(base=s.base, must_read=(False, False) if waits else (unread == MARKETO, unread == DYNAMICS))


def newly_linked(s):
    """[design] The cycle: equal values are adopted, an empty one takes the other's, two different ones collide."""
    now = s.shown
    if now[MARKETO] == now[DYNAMICS]:
        return Verdict(base=now)
    for side in SIDES:
        if is_newcomer(s, side):
            return send(s, side, "only_change", now)
    if "T" in now and s.consent:      # INV-CONSENT: never by a new link
        return send(s, now.index("T"), "opt_out_spreads", now)
    if "E" in now:                    # nobody emptied it, so it overwrites nothing
        return send(s, other(now.index("E")), "fill_empty", now)
    return collide(s, now)


def is_newcomer(s, side):
    """After a merge or a qualification the link has another person or record than before: what that one shows was
    chosen by people, unless it shows nothing of its own; the half that stayed is as it was agreed."""
    nothing = ("E", "F") if s.consent else ("E",)
    stayed = other(side)
    return (leads_to(s, stayed) and s.base[side] is None and s.base[stayed] is not None
            and s.shown[stayed] == s.base[stayed] and s.shown[side] not in nothing)


def one_changed(s, source, now):
    if now[source] == "E" and s.empty == "stays" and may_enter(s, other(source)):
        return stays(s, now, source, "empty_stays")
    return send(s, source, "only_change", now)


def both_changed(s, now):
    if s.consent:                     # INV-CONSENT: never by a collision
        return send(s, now.index("T"), "opt_out_spreads", now, is_collision=True)
    return collide(s, now)


def collide(s, now):
    """One value goes to the other side; the other is kept in a row. INV-WINNER, INV-NOTHING-SILENT."""
    source, rule = winner(s)
    if now[source] == "E" and s.empty == "stays":   # an empty value overwrites nothing, even if it would win
        source, rule = other(source), "empty_stays"
    if s.direction != "both":                       # [oneway]
        source, rule = (DYNAMICS if s.direction == "to_marketo" else MARKETO), "one_way"
    elif may_enter(s, source) and not may_enter(s, other(source)):   # while a right is missing, one way as well
        source, rule = other(source), "one_way"
    if now[source] == "E" and s.empty == "stays" and may_enter(s, other(source)):
        return stays(s, now, MARKETO, "empty_stays")
    return send(s, source, rule, now, is_collision=True)


def winner(s):
    """[lead] [contact], or the winner chosen for the field. INV-WINNER: total, no matter what came first."""
    if s.winner != "by_link":
        return (MARKETO if s.winner == "marketo" else DYNAMICS), f"field_{s.winner}_wins"
    return (MARKETO, "lead_marketo_wins") if s.table == "lead" else (DYNAMICS, "contact_dynamics_wins")


def leads_to(s, target):
    return s.direction in ("both", ("to_marketo", "to_dynamics")[target])


def may_enter(s, target):
    return leads_to(s, target) and (s.creatable if s.mode == "create" else s.updatable)[target]


def stays(s, now, source, rule):
    """A value that is not applied is remembered, so that it is looked at once, and the person's page tells of it."""
    return Verdict(base=now, event=None if None in s.base else (other(source), rule, "-"))


def waits(s, source, now):
    """[design] INV-SELECTED: a lost right pauses the field: a change stays one until the right is back. Between new
    links, what is to fill an empty side has changed since that was empty; two different values stay open, for the
    collision they are."""
    nothing = "F" if s.consent else "E"
    if None not in s.base or now[other(source)] != nothing:
        return Verdict(base=s.base)
    return Verdict(base=(nothing, nothing))


def send(s, source, rule, now, is_collision=False):
    """The value of `source` goes to the other side, unless it may not, was refused there, or keeps coming back."""
    target, value = other(source), now[source]
    if not leads_to(s, target):
        return stays(s, now, MARKETO if is_collision else source, "one_way")
    if not may_enter(s, target):
        return waits(s, source, now)
    if is_parked(s, target, value, now):
        return Verdict(base=s.base)
    if value in HOLDS[s.kind][target]:
        return Verdict(base=s.base, refused=only(target, "cannot hold"))
    turns = turns_of(s, source)
    if turns >= TURNS:                # INV-NO-ECHO: frozen like a refused value until somebody changes it
        return Verdict(base=s.base, refused=only(target, "bounces"), event=(target, "bounces", "-"))
    return Verdict(write=only(target, value), base=(value, value), event=(target, rule, turns),
                   collision=(rule, source) if is_collision else None)


def is_parked(s, target, value, now):
    """[design] Words, parked: tried again when either side changes."""
    if not s.parked or s.parked[0] != target:
        return False
    if s.parked[1] != value and (s.parked[1] != "all" or value in HOLDS[s.kind][target]):
        return False    # another value; or one that was never sent, so that it cannot have failed with the record
    return s.base[target] is None or now[target] == s.base[target]


def turns_of(s, source):
    """The last write went to `source`, and soon after that it shows something else: our value came back."""
    if not s.event:
        return 0
    target, what, turns, age = s.event
    return turns + 1 if target == source and what == "sent" and age <= TURN_CYCLES else 0


def create(s):
    """Every value that may be made there; of the consent fields only opt-outs (INV-CONSENT: never by a default)."""
    source = MARKETO if s.shown[MARKETO] != NOT_READ else DYNAMICS
    target, value = other(source), s.shown[source]
    if value == NOT_SHOWN:
        return Verdict(base=s.base)
    is_blank = value == "E" or (value == "F" and (s.consent or not may_enter(s, target)))
    if is_blank:
        return Verdict(base=(value, value))         # a fresh one shows just that
    if not may_enter(s, target):
        return Verdict(base=s.base)                 # what it will show is not known
    if value in HOLDS[s.kind][target]:
        return Verdict(base=s.base, refused=only(target, "cannot hold"))
    return Verdict(write=only(target, value), base=(value, value))


def put_back(s):
    """[design] The cycle, last paragraphs: the edit we covered counts as the collision it was: as if Marketo showed it,
    and shown there again unless it loses. What waits for the other side is not taken for agreed."""
    v = look(s._replace(shown=(s.restore, s.shown[DYNAMICS])))
    if any(v.must_read) or v.write[MARKETO] is not None:
        return v
    return v._replace(write=(s.restore, v.write[DYNAMICS]))


def covered(s, was, now):
    """A write of ours took the place of `was`, which people had put into Marketo: whose value is right?"""
    if s.consent and was != now:
        return (MARKETO if was == "T" else DYNAMICS), "opt_out_spreads"
    if s.direction == "to_marketo":
        return DYNAMICS, "one_way"
    if s.empty == "stays" and "E" in (was, now):
        return (MARKETO if now == "E" else DYNAMICS), "empty_stays"
    return winner(s)


def travels(policy, mark):
    """Adobe: Create a Custom Dynamics Sync Filter. Only a No keeps a row out; no value is a matter of policy."""
    if mark in ("absent", "yes"):
        return "travels"
    if mark == "no":
        return "stops"
    return {"sync": "travels", "create_only": "creates", "skip": "stops"}[policy]
