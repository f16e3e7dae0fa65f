"""What the feeds did not tell: late events, gaps longer than Marketo remembers, and proving every link equal in time. And how
long work makes way for live changes."""

import time
import unittest

from harness import Scenario, until
from test_fields import Linked

# Everything is proven in every sweep, and every cycle has one. The look back comes 24 times as often as sweeps.
PROVING = {"TANDEM_SWEEP_INTERVAL": "0.05", "TANDEM_VERIFY_DAYS": "0.00002"}
NEVER = 10 ** 7   # seconds a change stays out of Marketo's log


def hidden(world, change):
    """Does what change does without a word of it in Marketo's change log."""
    world.sandbox.faults({"side": "marketo", "user": "marketer", "path": "/rest/v1/leads", "method": "POST",
                          "effect": {"lateCommitSeconds": NEVER}})
    change()
    world.sandbox.faults()


class Proof(Linked):
    def last_cycle(self, world, column):
        return int(world.sql(f"SELECT sum({column}) FROM cycle")[0][0])

    def test_a_change_no_feed_told_is_found_repaired_and_reported(self):
        world, marketo, dynamics = self.start()
        person, contact = self.contact_person, self.contact
        hidden(world, lambda: marketo.update(person, title="Unheard of"))
        world.serve_cycles(2)
        self.assertNotEqual(dynamics.get("contact", contact, "jobtitle")["jobtitle"], "Unheard of")
        world.serve_cycles(3, **PROVING)
        self.assertEqual(dynamics.get("contact", contact, "jobtitle")["jobtitle"], "Unheard of")
        self.assertEqual(self.last_cycle(world, "drifted"), 1)
        links = int(world.sql("SELECT count(*) FROM link WHERE state = 1")[0][0])
        self.assertGreaterEqual(self.last_cycle(world, "verified"), links)
        world.compare()

    def test_the_proof_is_told_and_nothing_is_written_for_what_is_equal(self):
        world, marketo, dynamics = self.start()
        world.start(**PROVING)
        world.run_cycles(3)
        before = world.tandem().status()
        world.sandbox.calls_reset()
        world.run_cycles(3)
        status = world.tandem().status()
        proof = status["verification"]
        self.assertTrue(proof["provenSince"])
        self.assertGreater(proof["provenSince"], before["verification"]["provenSince"])
        self.assertEqual(self.last_cycle(world, "drifted"), 0)
        self.assertNotIn("POST /rest/v1/leads.json", world.sandbox.calls("marketo"))
        metrics = world.tandem().metrics()
        self.assertEqual(metrics["tandem_links_drifted_total"], 0)
        self.assertGreater(metrics["tandem_links_proven_since_seconds"], time.time() - 60)
        self.assertGreater(metrics["tandem_links_verified_total"], 3)

    def test_a_first_load_is_a_proof(self):
        world, _, _ = self.start()
        world.start()
        world.run_cycles(1)
        proof = world.tandem().status()["verification"]
        self.assertEqual((proof["periodSeconds"], proof["inTime"]), (30 * 86400, True))
        self.assertEqual(self.last_cycle(world, "verified"), 0)

    def test_a_person_and_a_record_that_went_without_a_word_are_noticed(self):
        world, marketo, dynamics = self.start()
        other = dynamics.create("contact", lastname="Third")
        world.serve_cycles(2)
        hidden(world, lambda: marketo.delete(self.lead_person))
        dynamics.delete("contact", self.contact)
        # as if the table had been read to its end since
        fresh = dynamics.call("GET", "/api/data/v9.2/contacts?$select=contactid", headers={"Prefer": "odata.track-changes"})
        token = fresh.json["@odata.deltaLink"].split("$deltatoken=")[1]
        world.sql("UPDATE cursor SET place = regexp_replace(place, 'deltatoken=.*$', 'deltatoken=" + token + "') "
                  "WHERE name = 'contact'")
        world.serve_cycles(1)
        self.assertEqual(self.states(world), ["1", "1", "1"])
        world.serve_cycles(2, **PROVING)
        self.assertEqual(self.states(world), ["1", "2", "3"])
        self.assertEqual(self.last_cycle(world, "drifted"), 2)
        self.assertIsNotNone(dynamics.get("contact", other, "lastname"))

    def states(self, world):
        return sorted(row[0] for row in world.sql("SELECT state FROM link"))

    def test_only_a_part_is_proven_at_a_time(self):
        world, _, _ = self.start()
        world.serve_cycles(1, TANDEM_SWEEP_INTERVAL="0.05", TANDEM_VERIFY_DAYS="1")
        time.sleep(1.1)
        world.serve_cycles(1, TANDEM_SWEEP_INTERVAL="0.05", TANDEM_VERIFY_DAYS="1")
        slices = world.sql("SELECT count(*) FROM proof WHERE proven_at > now() - interval '1 second'")
        self.assertEqual(self.last_cycle(world, "drifted"), 0)
        self.assertEqual(slices, [["1"]])


class LateEvents(Linked):
    def test_an_event_that_turns_up_behind_the_feed_is_found_by_looking_back(self):
        world, marketo, dynamics = self.start()
        person, contact = self.contact_person, self.contact
        world.start(TANDEM_SWEEP_INTERVAL="0.05")
        world.run_cycles(2)
        world.sandbox.faults({"side": "marketo", "user": "marketer", "path": "/rest/v1/leads.json", "method": "POST",
                              "effect": {"lateCommitSeconds": 1800}})
        marketo.update(person, title="Better late")
        world.sandbox.faults()
        world.run_cycles(1)
        # half an hour passes; others change things meanwhile, so that the feed has moved on
        other = self.lead_person
        world.sandbox.advance(1700)
        marketo.update(other, title="In between")
        world.run_cycles(2)
        world.sandbox.advance(200)
        world.run_cycles(3)
        until(lambda: dynamics.get("contact", contact, "jobtitle")["jobtitle"] == "Better late", 20, "the late change")
        self.assertEqual(world.sql("SELECT sum(late) > 0 FROM cycle"), [["t"]])

    def test_looking_back_at_what_is_known_reads_no_person(self):
        world, marketo, _ = self.start()
        world.start(TANDEM_SWEEP_INTERVAL="0.05", TANDEM_VERIFY_DAYS="30")
        world.run_cycles(3)
        world.sandbox.calls_reset()
        world.run_cycles(3)
        self.assertEqual(world.sql("SELECT coalesce(sum(late), 0) FROM cycle"), [["0"]])


class Horizons(Linked):
    def age(self, world, days):
        world.sql("UPDATE cursor SET place = (extract(epoch FROM now())::bigint - "
                  f"{days * 86400})::text || ' ' WHERE name = 'feed read'")

    def test_after_a_fortnight_every_link_is_looked_at(self):
        """Marketo tells deletions for 14 days."""
        world, marketo, dynamics = self.start()
        person, contact = self.contact_person, self.contact
        marketo.delete(person)
        world.sandbox.advance(15 * 86400)
        self.age(world, 15)
        world.serve_cycles(2)
        self.assertEqual(world.sql(f"SELECT state FROM link WHERE record_id = '{contact}'"), [["3"]])
        self.assertIn("feed_gap", world.log_tail(400))

    def test_after_three_months_the_feed_begins_anew_and_nothing_is_missed(self):
        """Marketo tells field changes for 90 days."""
        world, marketo, dynamics = self.start()
        person, contact = self.contact_person, self.contact
        hidden(world, lambda: marketo.update(person, title="Long ago"))
        self.age(world, 100)
        world.serve_cycles(2)
        self.assertEqual(dynamics.get("contact", contact, "jobtitle")["jobtitle"], "Long ago")
        world.compare()


class Slices(Scenario):
    def test_a_first_load_makes_way_for_live_changes(self):
        """Each part of the load ends a cycle; changes made meanwhile arrive before the load is through."""
        world = self.world()
        world.sandbox.seed(contacts=12000, leads=3000)
        world.setup()
        # every page of 5,000 takes longer than that, so each has a cycle of its own
        world.start(TANDEM_BACKFILL_SLICE="0.02", TANDEM_SYNC_INTERVAL="60")
        tandem = world.tandem()
        seen = until(lambda: next((b for b in tandem.status()["backfill"] if b["done"]), None), 60, "a load under way")
        self.assertEqual(seen["object"], "contact")
        person, contact = until(lambda: world.sql("SELECT person_id, record_id FROM link WHERE entity = 2 AND state = 1 "
                                                  "LIMIT 1"), 60, "a linked contact")[0]
        world.marketo().update(int(person), title="Cannot wait")
        until(lambda: world.dynamics().get("contact", contact, "jobtitle")["jobtitle"] == "Cannot wait", 60, "the change")
        self.assertTrue(tandem.status()["backfill"], "the load was through before the change arrived")
        until(lambda: not tandem.status()["backfill"] and tandem.status()["sync"]["state"] == "idle", 120, "the end")
        self.assertEqual(tandem.status()["links"], {"lead": 3000, "contact": 12000})
        unfinished = [c for c in tandem.cycles() if "goes on" in (c["reason"] or "")]
        self.assertGreaterEqual(len(unfinished), 2)
        world.stop()
        world.compare()

    def test_killed_between_two_parts_it_goes_on_where_it_was(self):
        world = self.world()
        world.sandbox.seed(contacts=12000)
        world.setup()
        world.start(TANDEM_BACKFILL_SLICE="0.02")
        until(lambda: world.sql("SELECT shown FROM scan WHERE shown >= 5000"), 60, "a part")
        world.kill9()
        world.sandbox.calls_reset()
        world.serve_cycles(1)
        pages = world.sandbox.calls("dynamics")
        self.assertLessEqual(sum(row["count"] for name, row in pages.items() if name.startswith("GET") and "contacts" in name),
                             3, pages)
        world.compare()


if __name__ == "__main__":
    unittest.main()
