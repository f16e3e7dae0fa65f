"""Asks the program and the oracle about every state and compares; what tests/oracle/run and tests/mutants/run share.

Must not know what is right (oracle.py) nor which states there are (states.py).
"""

import inspect
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import oracle
import states

SHOWN_AT_MOST = 5    # differences of one group; each of another kind
SIDES = ("Marketo", "Dynamics")
LETTER = "md"
VALUE = {None: "-", "-": "not read", "?": "does not show it", "E": "empty", "T": "true", "F": "false"}


def ask(binary, lines):
    done = subprocess.run([binary], input="\n".join(lines) + "\n", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False)
    answers = done.stdout.split("\n")[:-1]
    if done.returncode != 0 or len(answers) != len(lines):
        raise RuntimeError(f"{binary} ended with code {done.returncode} after {len(answers)} of {len(lines)} states:"
                           f" {done.stderr.strip()[-2000:]}")
    return answers


# --- the oracle's answer in the program's words ---------------------------------------------------------------------

def answer(v):
    collision = f"{v.collision[0]}/{LETTER[v.collision[1]]}" if v.collision else "-"
    event = f"{LETTER[v.event[0]]}/{v.event[1]}/{v.event[2]}" if v.event else "-"
    return (f"{v.write[0] or '-'}{v.write[1] or '-'} {v.base[0] or '0'}{v.base[1] or '0'} {collision}"
            f" {v.refused[0] or '-'}|{v.refused[1] or '-'} {'ny'[v.must_read[0]]}{'ny'[v.must_read[1]]} {event}")


# --- in plain words -------------------------------------------------------------------------------------------------

def value(letter):
    return VALUE.get(letter, letter)


def story(s):
    """The state as sentences."""
    verb = {"look": "is looked at", "create": "gets a counterpart", "drop": "is written, the field is refused",
            "drop all": "is written, the record is refused"}[s.mode]
    kind = f"a {s.kind}" if s.kind in ("text", "boolean") else s.kind
    yield (f"a {s.table} {verb}; the field ({kind}, {s.presence}) travels {s.direction}, winner {s.winner}, "
           f"its empty value {s.empty}{', a consent' if s.consent else ''}")
    for side in oracle.SIDES:
        rights = [word for word, has in (("read", s.readable[side]), ("update", s.updatable[side]),
                                         ("create", s.creatable[side])) if not has]
        yield (f"{SIDES[side]}: shows {value(s.shown[side])}, remembered: {value(s.base[side] or 'nothing')}"
               + (f"; no right to {', '.join(rights)}" if rights else ""))
    if s.parked:
        yield f"parked: {value(s.parked[1])} into {SIDES[s.parked[0]]}"
    if s.event:
        target, what, turns, age = s.event
        yield f"last event: {what}, for {SIDES[target]}, {age} cycles ago, {turns} times it had come back"
    if s.restore:
        yield f"our write into Marketo covered {value(s.restore)}, which is to be put back"


def plain(text):
    """An answer as a sentence; both speak the same short form."""
    alone = text.split("; ")
    write, base, collision, refused_and_rest = alone[-1].split(" ", 3)
    refused, read, event = refused_and_rest.rsplit(" ", 2)
    parts = [f"{SIDES[i]} is given {value(write[i])}" for i in (0, 1) if write[i] != "-"] or ["nothing is written"]
    parts.append(f"remembered: {value(base[0])} and {value(base[1])}".replace("0", "nothing"))
    if collision != "-":
        parts.append(f"collision row {collision}")
    parts += [f"refused for {SIDES[i]}: {word}" for i, word in enumerate(refused.split("|")) if word != "-"]
    parts += [f"{SIDES[i]} is to be read first" for i in (0, 1) if read[i] == "y"]
    if event != "-":
        parts.append(f"noted {event}")
    return "; ".join(alone[:-1] + parts)


def reasons(function, *arguments):
    """The oracle's way to its verdict: the rules it went through, with what they say of themselves."""
    way = []

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_filename == oracle.__file__:
            rule = getattr(oracle, frame.f_code.co_name, None)
            text = " ".join((inspect.getdoc(rule) or "").split()) if rule else ""
            if text and (frame.f_code.co_name, text) not in way:
                way.append((frame.f_code.co_name, text))

    sys.setprofile(note)
    try:
        function(*arguments)
    finally:
        sys.setprofile(None)
    return [f"{name}: {text}" for name, text in way]


# --- the questions: (line for the program, what the oracle expects, what it is about) -------------------------------

def states_of(make):
    return [(states.line(s), answer(oracle.decide(s)), s) for s in make()]


def explain_state(line, should, does, s):
    yield from (f"state {line}", *story(s), f"oracle:  {plain(should)}", f"program: {plain(does)}")
    yield from (f"because {reason}" for reason in reasons(oracle.decide, s))


def covered_edits():
    questions = []
    for s, was, now in states.covered_states():
        side, rule = oracle.covered(s, was, now)
        line = states.line(s._replace(mode="covered", shown=(was, now)))
        questions.append((line, f"{rule}/{LETTER[side]}", (s, was, now)))
    return questions


def explain_covered(line, should, does, about):
    s, was, now = about
    yield f"state {line}: people put {value(was)} into Marketo, our write left {value(now)}; {next(story(s))}"
    yield f"oracle: {should}, program: {does}"


def filter_marks():
    return [(states.line(states.state(mode="filter", shown=(states.MARKS[mark], states.NULL_POLICIES[policy]))),
             oracle.travels(policy, mark), (policy, mark)) for policy in states.NULL_POLICIES for mark in states.MARKS]


def explain_filter(line, should, does, about):
    yield f"state {line}: the filter column says {about[1]}, no value means {about[0]}"
    yield f"oracle: {should}, program: {does}"


def groups():
    """(name, its questions, how to explain a difference)"""
    for name, make in states.GROUPS.items():
        yield name, states_of(make), explain_state
    yield "whose value was right, after a covered edit", covered_edits(), explain_covered
    yield "the sync filter", filter_marks(), explain_filter


def difference(should, does):
    """What the two answers differ in, without the values."""
    names = ("writes", "remembers", "collision", "refusal", "reading", "note")
    parts = [re.split(r" (?!hold)", text) for text in (should, does)]
    return "; ".join(f"{name}: {left} or {right}" if name not in ("writes", "remembers") else f"what it {name}"
                     for name, left, right in zip(names, *parts) if left != right)


def report(number, name, questions, answers, explain):
    wrong = [(q, does) for q, does in zip(questions, answers) if q[1] != does]
    good = bool(questions) and not wrong
    print(f"{'ok' if good else 'not ok'} {number} - {name}: {len(questions)} states"
          + (f", {len(wrong)} differ" if wrong else ""), flush=True)
    kinds = {}
    for (line, should, about), does in wrong:
        kinds.setdefault(difference(should, does), []).append((line, should, does, about))
    for kind, alike in list(kinds.items())[:SHOWN_AT_MOST]:
        print(f"#   {len(alike)} times: {kind}; one of them:")
        for text in explain(*alike[0]):
            print(f"#       {text}")
        print("#")
    return good


def compare(binary):
    """Every group; prints TAP and says whether all is well. The program answers one group while the oracle thinks about
    the next."""
    good, number, waiting = True, 0, []
    with ThreadPoolExecutor(max_workers=1) as pool:
        for name, questions, explain in groups():
            told = pool.submit(ask, binary, [line for line, _, _ in questions])
            waiting.append((name, questions, told, explain))
            if len(waiting) > 1:
                number += 1
                name, questions, told, explain = waiting.pop(0)
                good = report(number, name, questions, told.result(), explain) and good
        for name, questions, told, explain in waiting:
            number += 1
            good = report(number, name, questions, told.result(), explain) and good
    print(f"1..{number}")
    return good


def everything():
    """(lines, expected answers) of all groups, to be asked more than one program."""
    questions = [q for _, group, _ in groups() for q in group]
    return [q[0] for q in questions], [q[1] for q in questions]
