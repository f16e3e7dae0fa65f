"""Rows of trouble: what a remote answers, what the sync makes of it, and that it is all over when the remote is well again.

A world is settled once; then every row of a table is played in it: faults are set, people on both sides go on working, a
cycle runs, its outcome is looked at, the faults end, and two cycles later both sides must agree, with nobody made twice."""

import dataclasses

from harness import Scenario, until
from sides import differences

PERSON_WRITES = {"side": "marketo", "user": "tandem", "method": "POST", "path": "/rest/v1/leads.json"}
CREATES = {**PERSON_WRITES, "contains": "createOrUpdate"}
POISON = "poison"


def once(where, **effect):
    return {**where, "count": 1, "effect": effect}


def always(where, **effect):
    return {**where, "effect": effect}


@dataclasses.dataclass
class Row:
    """harmed: after the cycle with the trouble `nobody` waits, `one` does (whose value has the word poison), or `all` may.
    parked: what /v1/errors says of the one, (kind, code); None: no row. quiet: cycles after the trouble until all agree."""

    name: str
    faults: object  # one rule or a list of them
    result: str = "ok"  # None: either way
    state: str = "idle"
    reason: str = None  # a part of the reason in /v1/status, of the halt or of the last cycle
    harmed: str = "nobody"
    parked: tuple = None
    fired: int = None  # how often the faults fired in all
    limits: dict = None  # of the sandbox, while it lasts
    after: dict = None  # what takes them back
    cycles: int = 1  # while it lasts


class Trouble(Scenario):
    """people[side][i]: a pair whose value somebody on that side edits in every row."""

    SIDE = None  # the one that has the trouble: its writes are what can be poisoned

    def settle(self, **settings):
        self.world = world = Scenario.world(self, TANDEM_SYNC_INTERVAL=3600, **settings)
        world.setup()
        self.marketo, self.dynamics = world.marketo(), world.dynamics()
        for i in range(4):
            self.dynamics.create("contact", firstname="Con", lastname=f"Tact {i}", emailaddress1=f"c{i}@example.org")
            self.dynamics.create("lead", firstname="Le", lastname=f"Ad {i}", subject="s", emailaddress1=f"l{i}@example.org")
        world.start()
        self.tandem = world.tandem()
        until(lambda: self.ended_after(0), 60, "the end of the first cycle")
        self.cycle()
        self.people = [(person["id"], person["microsoftType"].lower(), person["microsoftId"].lower())
                       for person in self.marketo.everybody(("microsoftId", "microsoftType")).values()]
        self.assertEqual(len(self.people), 8)
        self.people.sort(key=lambda one: (one[1], one[0]))  # contacts, then leads
        self.made = []

    def ended_after(self, number):
        """The status when a later cycle has ended and the next one is set, which is when a pause can end the waiting."""
        sync = self.tandem.status()["sync"]
        return sync if (sync["cycle"] or 0) > number and sync["result"] and sync["nextAt"] else None

    def cycle(self, seconds=90):
        """Ending a pause starts a cycle at once."""
        number = self.tandem.status()["sync"]["cycle"]
        self.assertEqual(self.tandem.pause().status, 200)
        self.assertEqual(self.tandem.resume().status, 200)
        return until(lambda: self.ended_after(number), seconds, f"a cycle after cycle {number}")

    # --- people go on working

    def work(self, number):
        """Edits on both sides, a new contact, and one value that is poison where it is to be written. What is expected, as
        (where, id, field, value)."""
        self.number = number
        contacts, leads = self.people[:4], self.people[4:]
        edits = []
        for person_id, table, record in (contacts[0], leads[0]):
            self.marketo.update(person_id, title=f"title {number}")
            edits.append((table, record, "jobtitle", f"title {number}"))
        for person_id, table, record in (contacts[1], leads[1]):
            self.dynamics.update(table, record, address1_city=f"city {number}")
            edits.append(("person", person_id, "city", f"city {number}"))
        email = f"new{number}@example.org"
        self.made.append(self.dynamics.create("contact", lastname=f"New {number}", emailaddress1=email))
        edits.append(("person of", self.made[-1], "email", email))
        return edits

    def poison(self, number):
        """The one whose value cannot be written."""
        person_id, table, record = self.people[2]
        if self.SIDE == "marketo":
            self.dynamics.update(table, record, telephone1=f"{POISON} {number}")
            return "person", person_id, "phone", f"{POISON} {number}"
        self.marketo.update(person_id, phone=f"{POISON} {number}")
        return table, record, "telephone1", f"{POISON} {number}"

    def shows(self, edit):
        where, key, field, value = edit
        if where == "person":
            return self.marketo.person(key, field)[field] == value
        if where == "person of":
            return [p[field] for p in self.marketo.find("microsoftId", [key], (field,))] == [value]
        return self.dynamics.get(where, key, field)[field] == value

    # --- one row

    def play(self, number, row):
        sandbox = self.world.sandbox
        faults = row.faults if isinstance(row.faults, list) else [row.faults] if row.faults else []
        edits, poisoned = self.work(number), self.poison(number)
        try:
            sandbox.limits(**(row.limits or {}))
            sandbox.faults(*faults)
            for _ in range(row.cycles):
                sync = self.cycle()
            fired = sum(fault["fired"] for fault in sandbox.faults_fired())
        finally:
            sandbox.faults()
            sandbox.limits(**(row.after or {}))
        errors = self.tandem.errors()
        self.look(row, sync, fired, [edit for edit in edits if not self.shows(edit)], not self.shows(poisoned), errors)
        for error in errors:
            self.assertEqual(self.tandem.retry(error["id"]).status, 200)
        self.cycle()
        self.check_end(self.cycle(), [*edits, poisoned])

    def look(self, row, sync, fired, missing, is_poisoned, errors):
        """What is seen after the cycle with the trouble."""
        if row.faults:
            self.assertGreater(fired, 0, "the fault never fired")
        if row.fired is not None:
            self.assertEqual(fired, row.fired)
        self.assertEqual((sync["result"], sync["state"]), (row.result or sync["result"], row.state), sync)
        self.assertEqual(sync["reason"] is not None, row.state == "halted", sync)
        if row.reason:
            self.assertIn(row.reason, sync["resultReason"], sync)
        if sync["result"] == "failed":
            self.assertTrue(sync["resultReason"], sync)
        if row.harmed != "all":
            self.assertEqual(missing, [])
            self.assertEqual(is_poisoned, row.harmed == "one")
        if row.harmed == "one" and not row.parked:  # nobody waits unseen
            self.assertGreater(sum(of["pendingUpdates"] for of in self.tandem.status()["objects"]), 0)
        self.assertEqual([(e["personId"], e["kind"], e["code"]) for e in errors],
                         [(self.people[2][0], *row.parked)] if row.parked else [])
        self.assertNotIn(POISON, str(errors) + str(sync))

    def check_end(self, sync, edits):
        self.assertEqual((sync["result"], sync["state"], sync["reason"]), ("ok", "idle", None))
        self.assertEqual([edit for edit in edits if not self.shows(edit)], [])
        self.assertEqual(self.tandem.errors(), [])
        linked, alone, wrong = differences(self.world)
        self.assertEqual((alone, wrong), ([], []))
        self.assertEqual(linked, 8 + len(self.made))
        self.assertEqual(len(self.marketo.everybody(("id",))), linked)

    def play_all(self, rows):
        for number, row in enumerate(rows, 1):
            with self.subTest(row.name):
                self.play(number, row)

