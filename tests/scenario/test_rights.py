"""Columns that are secured, and opened again, while the service runs (INV-SELECTED): Dataverse shows null for what may not
be read, and that must never pass for an emptied value."""

import unittest

from harness import Scenario, until

PAUSED = "the sync user may not read the column jobtitle"


class Rights:
    """One contact and one lead, linked and at rest; the service runs, but a cycle only when a test asks for one."""

    USER = "tandem"
    LOST = {}  # limits with which the sync user may not read contact.jobtitle
    KEPT = {"secured": {}, "denied": {}}

    def start_world(self):
        self.world = world = self.world()
        user = world.sandbox.user("dynamics", self.USER)
        world.environment.update(DYNAMICS_CLIENT_ID=user["clientId"], DYNAMICS_CLIENT_SECRET=user["clientSecret"],
                                 TANDEM_SYNC_INTERVAL="3600")
        world.setup()
        self.marketo, self.dynamics = world.marketo(), world.dynamics()
        self.contact = self.dynamics.create("contact", firstname="Ada", lastname="Contact", jobtitle="Engineer",
                                            emailaddress1="ada@example.org", telephone1="1")
        self.lead = self.dynamics.create("lead", firstname="Leo", lastname="Lead", subject="s", jobtitle="Buyer",
                                         emailaddress1="leo@example.org", telephone1="2")
        world.start()
        self.tandem = world.tandem("admin")
        until(lambda: self.ended_after(0), 60, "the end of the first cycle")
        self.cycles(1)
        self.person = self.marketo.find("microsoftId", [self.contact])[0]["id"]
        self.lead_person = self.marketo.find("microsoftId", [self.lead])[0]["id"]
        return world

    def sync(self):
        return self.tandem.status()["sync"]

    def cycles(self, count=1):
        """Ending a pause starts a cycle at once."""
        for _ in range(count):
            number = self.sync()["cycle"]
            self.assertEqual(self.tandem.pause().status, 200)
            self.assertEqual(self.tandem.resume().status, 200)
            sync = until(lambda n=number: self.ended_after(n), 60, f"a cycle after cycle {number}")
            self.assertEqual(sync["result"], "ok", sync)

    def ended_after(self, number):
        """The status when a later cycle has ended and the next one is set, which is when a pause can end the waiting."""
        sync = self.sync()
        return sync if (sync["cycle"] or 0) > number and sync["result"] and sync["nextAt"] else None

    def titles(self):
        """(in Marketo, in Dynamics) of the contact."""
        return (self.marketo.person(self.person, "title")["title"],
                self.dynamics.get("contact", self.contact, "jobtitle")["jobtitle"])

    def title_field(self):
        return next(field for field in self.tandem.fields() if field["person"] == "title")

    def agreed_fields(self, person_id):
        return [field["name"] for field in self.tandem.person(person_id)["fields"] if field["state"] == "agreed"]


class DeniedByTheProfile(Rights, Scenario):
    """The sync user has a profile, which does not allow the column."""

    LOST = {"secured": {"contact": ["jobtitle"]}, "denied": {"tandem": {"contact": ["jobtitle"]}}}

    def test_a_lost_right_pauses_the_field_and_empties_nothing(self):
        world = self.start_world()
        self.assertIsNone(self.title_field()["reason"])
        world.sandbox.limits(dynamics=self.LOST)
        self.dynamics.update("contact", self.contact, telephone1="77")
        self.dynamics.update("lead", self.lead, jobtitle="Head of Buying")
        self.cycles(1)
        person = self.marketo.person(self.person, "title", "phone")
        self.assertEqual((person["title"], person["phone"]), ("Engineer", "77"))
        self.assertEqual(self.marketo.person(self.lead_person, "title")["title"], "Head of Buying")
        self.assertEqual(self.title_field()["reason"], PAUSED)
        self.assertNotIn("title", self.agreed_fields(self.person))
        self.assertIn("title", self.agreed_fields(self.lead_person))
        self.marketo.update(self.person, title="Captain", phone="78")
        self.cycles(2)
        self.assertEqual(self.titles(), ("Captain", "Engineer"))
        self.assertEqual(self.dynamics.get("contact", self.contact, "telephone1")["telephone1"], "78")
        self.assertEqual(self.tandem.errors(), [])

    def test_a_right_that_comes_back_brings_the_field_back(self):
        world = self.start_world()
        world.sandbox.limits(dynamics=self.LOST)
        self.dynamics.update("contact", self.contact, jobtitle="Seen later")
        self.cycles(1)
        self.assertEqual(self.titles(), ("Engineer", "Seen later"))
        world.sandbox.limits(dynamics=self.KEPT)
        self.cycles(1)
        self.assertIsNone(self.title_field()["reason"])
        self.assertEqual(self.titles(), ("Seen later", "Seen later"))
        self.dynamics.update("contact", self.contact, jobtitle="Director")
        self.cycles(1)
        self.assertEqual(self.titles(), ("Director", "Director"))
        self.marketo.update(self.person, title="Captain")
        self.cycles(1)
        self.assertEqual(self.titles(), ("Captain", "Captain"))
        self.assertIn("title", self.agreed_fields(self.person))
        self.assertEqual(self.tandem.errors(), [])

    def test_a_quiet_cycle_asks_once(self):
        world = self.start_world()
        for limits in (self.KEPT, self.LOST):
            world.sandbox.limits(dynamics=limits)
            self.cycles(2)
            world.sandbox.calls_reset()
            self.cycles(1)
            self.assertLessEqual(world.sandbox.call_count("dynamics", self.USER), 3,
                                 world.sandbox.calls("dynamics", self.USER))


class NoProfileAtAll(DeniedByTheProfile):
    """Nobody gave the sync user a profile: its rights do not mention the column."""

    USER = "narrow"
    LOST = {"secured": {"contact": ["jobtitle"]}}


class Otherwise(Rights, Scenario):
    LOST = DeniedByTheProfile.LOST

    def test_a_secured_column_with_all_rights_goes_on(self):
        world = self.start_world()
        world.sandbox.limits(dynamics={"secured": self.LOST["secured"]})
        self.dynamics.update("contact", self.contact, jobtitle="Director")
        self.cycles(1)
        self.assertEqual(self.titles(), ("Director", "Director"))
        self.marketo.update(self.person, title="Captain")
        self.cycles(1)
        self.assertEqual(self.titles(), ("Captain", "Captain"))
        self.assertIsNone(self.title_field()["reason"])

    def test_without_an_answer_about_rights_nothing_is_read(self):
        world = self.start_world()
        world.sandbox.limits(dynamics=self.LOST)
        world.sandbox.faults({"side": "dynamics", "path": "/api/data/v9.2/$batch", "contains": "IsSecured",
                              "count": 1, "effect": {"status": 403, "code": "0x80040220", "message": "no"}})
        self.dynamics.update("contact", self.contact, telephone1="77")
        number = self.sync()["cycle"]
        self.tandem.pause()
        self.tandem.resume()
        sync = until(lambda: self.ended_after(number), 60, "the failed cycle")
        self.assertEqual(sync["result"], "failed")
        person = self.marketo.person(self.person, "title", "phone")
        self.assertEqual((person["title"], person["phone"]), ("Engineer", "1"))
        world.sandbox.faults()
        until(lambda: self.marketo.person(self.person, "phone")["phone"] == "77", 60, "the other field")
        self.assertEqual(self.marketo.person(self.person, "title")["title"], "Engineer")


if __name__ == "__main__":
    unittest.main()
