"""The budget of calls: what is used up, who stops then, and what operators see of it."""

import re
import unittest

from harness import Scenario, until

RESET = re.compile(r"\d{4}-\d\d-\d\dT06:(00|15):00Z")  # 06:15 only where the test runs just after a reset


class Quota(Scenario):
    def sync(self, world):
        return world.tandem("read").status()["sync"]

    def quota(self, world, side):
        return next(q for q in world.tandem("read").status()["quota"] if q["side"] == side)

    def metric(self, world, name):
        text = world.tandem(None).send("GET", "/metrics").text
        return int(re.search(rf"^{re.escape(name)} (\d+)$", text, re.M).group(1))

    def heard(self, world):
        """Every call Marketo heard from Tandem, tokens included."""
        return sum(row["count"] for row in world.sandbox.get("/calls")["marketo"] if row["user"] == "tandem")


class UsedUp(Quota):
    def start(self, **settings):
        world = self.world(people=40)
        world.setup()
        world.start(**settings)
        world.run_cycles(1)
        return world

    def restart_and_rest(self, world):
        """A new life that has run one cycle and waits for long."""
        world.stop()
        number = int(world.sql("SELECT max(number) FROM cycle")[0][0])
        world.start(TANDEM_SYNC_INTERVAL="3600")
        until(lambda: self.sync(world)["cycle"] > number and self.sync(world)["state"] == "idle", 60, "the end of the cycle")

    def test_nothing_is_sent_until_the_reset_unless_an_operator_asks(self):
        world = self.start()
        world.sandbox.faults({"side": "marketo", "path": "/rest/v1/", "user": "tandem", "effect": {"code": "607"}})
        world.wait_state("halted")
        sync, quota = self.sync(world), self.quota(world, "marketo")
        reset = RESET.search(sync["reason"])
        self.assertTrue(reset, sync)
        self.assertIn("daily quota is used up", sync["reason"])
        self.assertEqual((sync["result"], sync["resultReason"]), ("failed", sync["reason"]))
        self.assertEqual(quota["reason"], sync["reason"])
        self.assertEqual(quota["closedUntil"], reset.group().replace("Z", ".000Z"))
        self.assertGreater(self.metric(world, 'tandem_side_closed_seconds{side="marketo"}'), 0)
        self.assertEqual(self.metric(world, 'tandem_side_closed_seconds{side="dynamics"}'), 0)
        self.assertGreaterEqual(sync["nextAt"], reset.group().replace("Z", ".000Z"))
        world.sandbox.calls_reset()
        person = world.marketo().create(email="later@example.org", lastName="Later")
        answer = world.tandem("campaign").sync_person(person)
        self.assertEqual((answer.status, answer.json["outcome"]), (202, "queued"))
        self.assertEqual(self.heard(world), 0)
        cycle = sync["cycle"]
        self.assertEqual(world.tandem("admin").resume().status, 200)  # one probe, and shut again
        until(lambda: self.sync(world)["cycle"] > cycle and self.sync(world)["state"] == "halted", 30, "the probe's end")
        self.assertEqual(self.heard(world), 1)
        world.sandbox.faults()
        self.assertEqual(world.tandem("admin").resume().status, 200)
        until(lambda: self.sync(world)["result"] == "ok", 60, "a good cycle")
        self.assertIsNone(self.quota(world, "marketo")["closedUntil"])
        until(lambda: world.dynamics().query("lead", "emailaddress1 eq 'later@example.org'", ("leadid",)), 30, "the record")

    def test_a_real_time_call_that_meets_it_is_queued_and_so_are_the_next(self):
        world = self.start()
        self.restart_and_rest(world)
        first, second = (world.marketo().create(email=f"{n}@example.org", lastName="Met") for n in ("one", "two"))
        world.sandbox.faults({"side": "marketo", "path": "/rest/v1/", "user": "tandem", "effect": {"code": "607"}})
        world.sandbox.calls_reset()
        answers = [world.tandem("campaign").sync_person(person) for person in (first, second)]
        self.assertEqual([a.json["outcome"] for a in answers], ["queued"] * 2)
        self.assertEqual(self.heard(world), 1)
        self.assertRegex(answers[1].json["reason"], RESET)
        self.assertRegex(self.sync(world)["reason"], RESET)

    def test_everybodys_calls_stop_cycles_but_not_real_time_calls(self):
        world = self.start(TANDEM_MARKETO_QUOTA="5000", TANDEM_MARKETO_QUOTA_STOP_PERCENT="60", TANDEM_SYNC_INTERVAL="0.01")
        self.assertEqual(self.quota(world, "marketo")["stopAt"], 3000)
        self.assertLess(self.quota(world, "marketo")["instanceToday"], 3000)
        world.sandbox.limits(marketo={"otherCalls": 3100})
        until(lambda: self.quota(world, "marketo")["closedUntil"], 120, "Marketo's own count")
        until(lambda: self.sync(world)["state"] == "idle" and self.sync(world)["result"] == "failed", 30, "a cycle to end")
        quota, sync = self.quota(world, "marketo"), self.sync(world)
        self.assertGreaterEqual(quota["instanceToday"], 3100)
        self.assertRegex(sync["reason"], "all programs together.*cycles wait until")
        self.assertEqual(sync["resultReason"], sync["reason"])
        person = world.marketo().create(email="now@example.org", lastName="Now")
        self.assertEqual(world.tandem("campaign").sync_person(person).json["outcome"], "created")
        until(lambda: world.marketo().person(person, "microsoftId")["microsoftId"], 20, "the stamp")

    def test_our_own_share_is_kept_by_the_next_life_too(self):
        world = self.start()
        used = self.quota(world, "marketo")["usedToday"]
        self.restart_and_rest(world)
        self.assertGreater(self.quota(world, "marketo")["usedToday"], used)
        world.restart(TANDEM_MARKETO_CALLS_PER_DAY=used + 5)  # reached at once, by what the lives before have called
        until(lambda: self.quota(world, "marketo")["closedUntil"], 60, "the end of our share")
        self.assertIn("today is used up", self.quota(world, "marketo")["reason"])
        self.assertEqual(self.quota(world, "marketo")["limitPerDay"], used + 5)


class Pauses(Quota):
    def test_a_pause_that_a_side_asked_for_is_told(self):
        world = self.world(people=40)
        world.setup()
        world.start()
        world.run_cycles(1)
        world.sandbox.faults({"side": "dynamics", "path": "/api/data/", "user": "tandem", "nth": 1,
                              "effect": {"status": 429, "code": "0x80072322", "retryAfter": 4}})
        until(lambda: (self.sync(world)["reason"] or "").startswith("Dynamics: it asked for a pause"), 30, "the reason")
        self.assertTrue(self.quota(world, "dynamics")["closedUntil"])
        self.assertIsNone(self.quota(world, "marketo")["closedUntil"])
        until(lambda: self.sync(world)["reason"] is None, 30, "the end of the pause")
        world.run_cycles(1)

    def test_a_real_time_call_does_not_wait_for_a_first_run(self):
        world = self.world(people=300, TANDEM_MARKETO_CALLS_PER_20S="10")
        world.setup()
        world.sandbox.limits(marketo={"enforce": True})
        person = world.marketo().create(email="now@example.org", lastName="Now")
        world.start()
        until(lambda: self.quota(world, "marketo")["inWindow"] == 8, 60, "the cycle to wait for its turn")
        self.assertEqual(world.tandem("campaign").sync_person(person).json["outcome"], "created")
        sync = self.sync(world)
        self.assertEqual((sync["cycle"], sync["state"]), (1, "running"))
        refused = world.marketo().call("GET", "/rest/v1/stats/errors.json")["result"][0]["errors"]
        self.assertNotIn("606", [error["errorCode"] for error in refused])
        world.kill9()


if __name__ == "__main__":
    unittest.main()
