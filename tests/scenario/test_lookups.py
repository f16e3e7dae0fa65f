"""Records looked up in Dynamics, many at a time: what that costs, and what becomes of a look-up that fails."""

import concurrent.futures
import json
import unittest

from harness import Scenario, until

ROOT = "/api/data/v9.2/"


class Lookups(Scenario):
    """Calls for many persons wait for a cycle, which looks for their records in both tables."""

    def start(self, count):
        world = self.world()
        world.setup()
        world.start(TANDEM_SYNC_INTERVAL="3600")
        until(lambda: world.tandem("read").status()["sync"]["finishedAt"], 60, "the end of cycle 1")
        self.people = world.marketo().create_many([{"email": f"p{i}@example.org", "lastName": f"P {i}"} for i in range(count)])
        tandem = world.tandem("campaign")
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda person: tandem.sync_person(person, campaign={"type": "batch"}), self.people))
        self.assertEqual({answer.json["outcome"] for answer in answers}, {"queued"})
        world.stop()
        return world

    def make_known(self, world, *numbers):
        """Contacts of some of the persons, which the next answer of the feed does not tell of."""
        self.known = {self.people[i]: world.dynamics().create("contact", lastname=f"P {i}", emailaddress1=f"P{i}@example.org")
                      for i in numbers}
        place = world.sql("SELECT place FROM cursor WHERE name = 'contact'")[0][0]
        return {"side": "dynamics", "method": "GET", "path": ROOT + "contacts", "user": "tandem", "nth": 1, "effect": {
            "status": 200, "contentType": "application/json",
            "body": json.dumps({"value": [], "@odata.deltaLink": place.split(" ", 1)[1]})}}

    def known_are_found(self, world):
        persons = world.marketo().persons(self.people, ("microsoftId",))
        self.assertEqual({person: persons[person]["microsoftId"] for person in self.known}, self.known)
        self.assertEqual(len({person["microsoftId"] for person in persons.values()}), len(self.people))
        self.assertEqual(len(world.dynamics().query("lead", columns=("leadid",))), len(self.people) - len(self.known))
        world.compare()

    def test_a_thousand_addresses_in_two_tables_cost_two_requests(self):
        world = self.start(1000)
        world.sandbox.calls_reset()
        world.serve_cycles(1)
        calls = {name.rsplit("/", 1)[-1]: row["count"] for name, row in world.sandbox.calls("dynamics").items()}
        self.assertEqual((calls["contacts"], calls["leads"]), (1, 1), calls)  # the feeds
        self.assertEqual(calls["$batch"], 2, calls)  # the records are made by another request
        self.assertEqual(len(world.dynamics().query("lead", columns=("leadid",))), 1000)

    def test_a_part_that_fails_is_asked_again(self):
        part = {"side": "dynamics", "part": True, "method": "GET", "path": ROOT + "contacts", "nth": 2}
        batch = {"side": "dynamics", "method": "POST", "path": ROOT + "$batch", "contains": "emailaddress1", "nth": 1}
        for name, rule in (
                ("passing", {**part, "effect": {"status": 503}}),
                ("throttled", {**part, "effect": {"status": 429, "code": "0x80072322", "retryAfter": 1}}),
                ("the batch refused", {**batch, "effect": {"status": 400, "code": "0x80048d19"}}),
                ("the batch too large", {**batch, "effect": {"status": 413}})):
            with self.subTest(name):
                world = self.start(250)
                world.sandbox.faults(self.make_known(world, 20, 120, 220), rule)
                world.serve_cycles(1)
                self.assertEqual([row["fired"] for row in world.sandbox.faults_fired()], [1, 1])
                self.known_are_found(world)

    def test_a_part_that_keeps_failing_fails_the_look_up(self):
        world = self.start(250)
        refused = {"status": 403, "code": "0x80040220", "message": "no"}
        world.sandbox.faults(
            self.make_known(world, 120),
            {"side": "dynamics", "part": True, "method": "GET", "path": ROOT + "contacts", "nth": 2, "effect": refused},
            {"side": "dynamics", "method": "GET", "path": ROOT + "contacts", "user": "tandem", "nth": 2, "effect": refused})
        world.serve_cycles(1)
        self.assertEqual([row["fired"] for row in world.sandbox.faults_fired()], [1, 1, 1])
        self.assertEqual(world.dynamics().query("lead", columns=("leadid",)), [])  # nothing is made on half an answer
        world.serve_cycles(1)
        self.known_are_found(world)


if __name__ == "__main__":
    unittest.main()
