"""The first cycle over the sample people, what it leaves behind, and what interrupts it."""

import unittest

from harness import Scenario, until
from sides import stamped, unexplained


class FirstRun(Scenario):
    def test_sample_people_agree_after_one_cycle_and_the_second_is_quiet(self):
        world = self.world(people=True)
        world.setup()
        world.start(TANDEM_SYNC_INTERVAL="4")
        until(lambda: world.tandem("read").status()["sync"]["finishedAt"], 120, "the end of cycle 1")
        world.sandbox.calls_reset()
        status = world.run_cycles(1)
        self.assertEqual(status["sync"]["result"], "ok")
        self.assertEqual(status["sync"]["cycle"], 2)
        second = world.tandem("read").cycles()[0]
        writes = sum(second[name] for name in second if name.startswith(("created", "updated")))
        self.assertEqual(writes, 0, second)
        self.assertLessEqual(world.sandbox.call_count("marketo"), 4, world.sandbox.calls("marketo"))
        self.assertLessEqual(world.sandbox.call_count("dynamics"), 3, world.sandbox.calls("dynamics"))
        linked, alone, wrong = unexplained(world)
        self.assertEqual((alone, wrong), ([], []))
        self.assertGreater(linked, 4000)
        world.stop()
        world.compare()

    def test_killed_in_the_middle_and_started_again(self):
        world = self.world(people=True)
        world.setup()
        for kill_after in (1, 3, 2):
            world.sandbox.calls_reset()
            world.start()
            until(lambda n=kill_after: writes_of(world) >= n, 60, f"{kill_after} writing calls")
            world.kill9()
        world.serve_cycles(2)
        linked, alone, wrong = unexplained(world)
        self.assertEqual((alone, wrong), ([], []))
        self.assertGreater(linked, 3900)
        world.compare()

    def test_lost_state_is_rebuilt_from_the_stamps(self):
        world = self.world(people=800)
        world.setup()
        world.serve_cycles(2)
        before = everything(world)
        world.drop_database()
        world.sandbox.calls_reset()
        world.serve_cycles(2)
        self.assertEqual(everything(world), before)
        self.assertEqual(unexplained(world)[2], [])
        world.compare()

    def test_matched_by_email_only_when_it_is_clear(self):
        world = self.world()
        world.setup()
        marketo, dynamics = world.marketo(), world.dynamics()
        one = marketo.create(email="one@example.org", firstName="Uno", lastName="Single")
        marketo.create(email="two@example.org", lastName="First")
        marketo.create(email="TWO@example.org", lastName="Second")
        contact = dynamics.create("contact", lastname="Single", emailaddress1="ONE@example.org")
        unclear = dynamics.create("contact", lastname="Double", emailaddress1="two@example.org")
        fresh = dynamics.create("lead", lastname="Nobody", subject="new", emailaddress1="new@example.org")
        twins = [dynamics.create("contact", lastname=f"Twin {i}", emailaddress1="twin@example.org") for i in range(2)]
        world.serve_cycles(1)
        self.assertEqual(stamped(world, one)["microsoftId"], contact)
        self.assertEqual(len(marketo.find("email", ["new@example.org"])), 1)
        self.assertEqual(len(marketo.find("microsoftId", [fresh])), 1)
        self.assertEqual(len(marketo.find("microsoftId", twins)), 2)  # P21: two rows, two persons
        self.assertEqual(marketo.find("microsoftId", [unclear]), [])
        self.assertEqual(world.sql("SELECT count(*) FROM error WHERE code = 'AMBIGUOUS' AND resolved_at IS NULL"), [["1"]])
        self.assertEqual(dynamics.get("contact", contact, "firstname")["firstname"], "Uno")

    def test_an_opt_out_on_either_side_is_kept_when_two_are_linked(self):
        world = self.world()
        world.setup()
        marketo, dynamics = world.marketo(), world.dynamics()
        left = marketo.create(email="left@example.org", lastName="Left", unsubscribed=True)
        right = marketo.create(email="right@example.org", lastName="Right", unsubscribed=False)
        left_row = dynamics.create("contact", lastname="Left", emailaddress1="left@example.org", donotbulkemail=False)
        dynamics.create("contact", lastname="Right", emailaddress1="right@example.org", donotbulkemail=True)
        world.serve_cycles(2)
        self.assertTrue(dynamics.get("contact", left_row, "donotbulkemail")["donotbulkemail"])
        self.assertTrue(marketo.person(left, "unsubscribed")["unsubscribed"])
        self.assertTrue(marketo.person(right, "unsubscribed")["unsubscribed"])


def writes_of(world):
    """Writing calls the service has made to Marketo since the last reset."""
    return sum(row["count"] for name, row in world.sandbox.calls("marketo").items()
                if name.startswith("POST") and name.endswith("/leads.json"))


def everything(world):
    """All values of both sides, times of change apart."""
    people = world.marketo().everybody(("email", "firstName", "lastName", "title", "phone", "mobilePhone", "address",
                                        "city", "leadSource", "unsubscribed", "doNotCall", "microsoftId"))
    rows = {row["contactid"]: row for row in world.dynamics().query("contact", columns=(
        "firstname", "lastname", "emailaddress1", "jobtitle", "telephone1", "donotbulkemail"))}
    for row in rows.values():
        del row["@odata.etag"]
    return people, rows


if __name__ == "__main__":
    unittest.main()
