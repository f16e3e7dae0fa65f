"""Marketo's files in use: a first load that knows whom to look for, a sweep that reads what changed lately, stamps in great
number."""

import unittest

from harness import Scenario, until
from test_fields import Linked
from test_proof import hidden


class Roster(Scenario):
    SETTINGS = {"TANDEM_BULK_ROWS": "1000"}

    def filled(self):
        """2,100 contacts; of their addresses three are somebody's in Marketo, one in other letters."""
        world = self.world(**self.SETTINGS)
        world.sandbox.seed(contacts=2100)
        world.sandbox.limits(marketo={"exportSeconds": 0})
        rows = world.dynamics().query("contact", "emailaddress1 ne null", ("emailaddress1",), top=3)
        people = world.marketo().create_many([{"email": row["emailaddress1"].upper(), "lastName": "Known"} for row in rows])
        world.setup()
        world.sandbox.calls_reset()
        return world, rows, people

    def lookups(self, world):
        return world.sandbox.calls("marketo")["GET /rest/v1/leads.json"]["count"]

    def test_a_first_load_asks_for_those_who_may_be_there(self):
        world, rows, people = self.filled()
        world.serve_cycles(1)
        calls = world.sandbox.calls("marketo")
        self.assertIn("POST /bulk/v1/leads/export/create.json", calls)
        # 7 to read the new persons once; looking for everybody would take 14 more
        self.assertLessEqual(self.lookups(world), 7 + 8)
        linked = dict(world.sql("SELECT record_id, person_id FROM link WHERE state = 1"))
        self.assertEqual([int(linked[row["contactid"]]) for row in rows], people)
        world.serve_cycles(1)
        self.assertEqual(world.sql("SELECT count(*) FROM roster"), [["0"]])
        world.compare()

    def test_it_can_be_done_without(self):
        world, rows, people = self.filled()
        world.sandbox.faults({"side": "marketo", "path": "/bulk/v1/leads/export", "effect": {"code": "1035"}})
        world.serve_cycles(1)
        self.assertGreater(self.lookups(world), 7 + 12)
        linked = dict(world.sql("SELECT record_id, person_id FROM link WHERE state = 1"))
        self.assertEqual([int(linked[row["contactid"]]) for row in rows], people)
        world.compare()

    def test_killed_while_the_files_are_made_it_takes_them_up(self):
        world, rows, people = self.filled()
        world.sandbox.limits(marketo={"exportSeconds": 3})
        world.start()
        until(lambda: ":" in (world.sql("SELECT place FROM cursor WHERE name = 'roster'") or [[""]])[0][0], 60, "a job")
        sync = world.tandem().status()["sync"]
        self.assertTrue(sync["state"] in ("running", "idle"), sync)
        world.kill9()
        world.serve_cycles(1)
        self.assertEqual(world.sandbox.calls("marketo")["POST /bulk/v1/leads/export/create.json"]["count"], 1)
        linked = dict(world.sql("SELECT record_id, person_id FROM link WHERE state = 1"))
        self.assertEqual([int(linked[row["contactid"]]) for row in rows], people)
        world.compare()

    def test_somebody_who_turns_up_after_the_files_is_linked_too(self):
        world, rows, people = self.filled()
        late = world.dynamics().query("contact", "emailaddress1 ne null", ("emailaddress1",), order="contactid desc", top=1)[0]
        world.sandbox.limits(dynamics={"pageRows": 500})
        world.start(TANDEM_BACKFILL_SLICE="0.02", TANDEM_SYNC_INTERVAL="0.5")
        until(lambda: world.sql("SELECT shown FROM scan WHERE shown > 0"), 60, "the load")
        known = int(world.sql("SELECT count(*) FROM roster")[0][0])
        person = world.marketo().create(email=late["emailaddress1"], lastName="Just came")
        # in one question: is the person known by now, and the record still without one?
        state = until(lambda: next((row for row in world.sql(
            f"SELECT (SELECT count(*) FROM link WHERE record_id = '{late['contactid']}'), (SELECT count(*) FROM roster)")
            if row[0] != "0" or int(row[1]) > known or not world.tandem().status()["backfill"]), None), 60, "the person")
        free = state[0] == "0" and int(state[1]) > known
        until(lambda: not world.tandem().status()["backfill"] and
              world.tandem().status()["links"]["contact"] == 2100, 120, "the end")
        world.stop()
        linked = dict(world.sql("SELECT record_id, person_id FROM link WHERE state = 1"))
        if free:
            self.assertEqual(int(linked[late["contactid"]]), person)
        world.compare()


class Stamps(Scenario):
    def matched(self, **settings):
        """60 contacts and 60 persons, the same to the letter, and neither the store nor Marketo knows that they belong
        together any more."""
        world = self.world(**settings)
        for i in range(60):
            world.dynamics().create("contact", firstname="Same", lastname=f"Person {i}", emailaddress1=f"same{i}@example.org")
        world.setup()
        world.serve_cycles(2)
        people = world.marketo().everybody()
        world.marketo().update_many([{"id": person, "microsoftId": None} for person in people])
        world.drop_database()
        world.sandbox.limits(marketo={"importSeconds": 0})
        world.sandbox.calls_reset()
        return world

    def all_stamped(self, world, count=60):
        self.assertEqual(world.sql("SELECT count(*) FROM stamp_due"), [["0"]])
        people = world.marketo().everybody(["microsoftId", "microsoftType"])
        self.assertEqual(len({p["microsoftId"] for p in people.values() if p["microsoftType"] == "Contact"}), count)

    def test_stamps_in_great_number_go_in_one_file(self):
        world = self.matched(TANDEM_BULK_ROWS="50")
        world.serve_cycles(6, TANDEM_SYNC_INTERVAL="0.3")
        calls = world.sandbox.calls("marketo")
        self.assertEqual(calls["POST /bulk/v1/leads.json"]["count"], 1, calls)
        self.all_stamped(world)
        world.compare()

    def test_a_person_that_went_fails_alone(self):
        world = self.matched(TANDEM_BULK_ROWS="50")
        gone = world.marketo().find("email", ["same7@example.org"])[0]["id"]
        world.sandbox.limits(marketo={"importSeconds": 1})
        world.start(TANDEM_SYNC_INTERVAL="0.5")
        until(lambda: world.sandbox.calls("marketo").get("POST /bulk/v1/leads.json"), 60, "the file")
        world.marketo().delete(gone)
        until(lambda: world.sql("SELECT count(*) FROM stamp_due") == [["0"]], 60, "the stamps")
        world.run_cycles(2)
        world.stop()
        self.all_stamped(world, 60 if world.marketo().find("email", ["same7@example.org"]) else 59)

    def test_without_files_they_go_the_usual_way(self):
        world = self.matched(TANDEM_BULK_ROWS="50")
        world.sandbox.faults({"side": "marketo", "path": "/bulk/v1/leads.json", "effect": {"code": "603"}})
        world.serve_cycles(2)
        self.all_stamped(world)


class SweepByFile(Linked):
    def test_what_the_change_log_never_told_is_in_the_file(self):
        world, marketo, dynamics = self.start()
        world.sandbox.limits(marketo={"exportSeconds": 0})
        world.sql("INSERT INTO cursor (name, place) VALUES ('extract', (extract(epoch FROM now())::bigint - 90000)::text || ' ')"
                  " ON CONFLICT (name) DO UPDATE SET place = excluded.place")
        hidden(world, lambda: marketo.update(self.contact_person, title="Only in the file"))
        world.start(TANDEM_SYNC_INTERVAL="0.2", TANDEM_SWEEP_INTERVAL="3600")
        until(lambda: dynamics.get("contact", self.contact, "jobtitle")["jobtitle"] == "Only in the file", 30, "the change")
        calls = world.sandbox.calls("marketo")
        self.assertEqual(calls["POST /bulk/v1/leads/export/create.json"]["count"], 1)
        world.run_cycles(3)
        calls = world.sandbox.calls("marketo")
        self.assertEqual(calls["POST /bulk/v1/leads/export/create.json"]["count"], 1)


if __name__ == "__main__":
    unittest.main()
