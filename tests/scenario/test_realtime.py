"""Sync Person to Microsoft through the REST door."""

import concurrent.futures
import unittest

from harness import Scenario, until


class Realtime(Scenario):
    def start(self, **settings):
        world = self.world(**settings)
        world.setup()
        world.start(TANDEM_SYNC_INTERVAL="1")
        world.run_cycles(1)
        return world, world.marketo(), world.dynamics(), world.tandem("campaign")

    def test_created_then_exists_also_twenty_times_at_once(self):  # P9, P10, P11
        world, marketo, dynamics, tandem = self.start()
        person = marketo.create(email="now@example.org", firstName="Nora", lastName="Now", leadSource="Web")
        answer = tandem.sync_person(person)
        self.assertEqual(answer.status, 200, answer)
        body = answer.json
        self.assertEqual((body["outcome"], body["personId"], body["entity"]), ("created", person, "lead"))
        row = dynamics.get("lead", body["recordId"], "firstname", "lastname", "leadsourcecode", "versionnumber")
        self.assertEqual((row["firstname"], row["lastname"]), ("Nora", "Now"))
        until(lambda: marketo.person(person, "microsoftId")["microsoftId"] == body["recordId"], 20, "the stamp")
        again = tandem.sync_person(person, syncAs="contact").json
        self.assertEqual((again["outcome"], again["recordId"]), ("exists", body["recordId"]))
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = [f.json for f in pool.map(lambda _: tandem.sync_person(person), range(20))]
        self.assertEqual({a["outcome"] for a in answers}, {"exists"})
        self.assertEqual(len(dynamics.query("lead", "emailaddress1 eq 'now@example.org'", ("leadid",))), 1)
        self.assertEqual(dynamics.get("lead", body["recordId"], "versionnumber")["versionnumber"], row["versionnumber"])

    def test_twenty_first_calls_at_once_make_one_record(self):
        world, marketo, dynamics, tandem = self.start()
        person = marketo.create(email="once@example.org", lastName="Once")
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = [f.json for f in pool.map(lambda _: tandem.sync_person(person), range(20))]
        self.assertEqual(sorted({a["outcome"] for a in answers}), ["created", "exists"])
        self.assertEqual(sum(a["outcome"] == "created" for a in answers), 1)
        self.assertEqual(len({a["recordId"] for a in answers}), 1)
        self.assertEqual(len(dynamics.query("lead", "emailaddress1 eq 'once@example.org'", ("leadid",))), 1)

    def test_contact_with_owner_and_without_account(self):  # P12, P13
        world, marketo, dynamics, tandem = self.start()
        person = marketo.create(email="own@example.org", lastName="Owned")
        seller = dynamics.call("GET", "WhoAmI").json["UserId"]
        body = tandem.sync_person(person, syncAs="contact", owner=seller).json
        self.assertEqual((body["outcome"], body["entity"]), ("created", "contact"))
        row = dynamics.get("contact", body["recordId"], "_ownerid_value", "_parentcustomerid_value")
        self.assertEqual((row["_ownerid_value"], row["_parentcustomerid_value"]), (seller, None))
        other = marketo.create(email="own2@example.org", lastName="Unowned")
        refused = tandem.sync_person(other, owner="nobody@example.org").json
        self.assertEqual(refused["outcome"], "rejected")
        self.assertEqual(dynamics.query("lead", "emailaddress1 eq 'own2@example.org'", ("leadid",)), [])

    def test_linked_by_email_without_touching_the_record(self):
        world, marketo, dynamics, tandem = self.start(TANDEM_SYNC_INTERVAL="3600")
        person = marketo.create(email="known@example.org", lastName="Known", title="New title")
        # made after the first cycle, so only the call can find it
        row = dynamics.create("contact", lastname="Known", emailaddress1="Known@example.org", jobtitle="Old title")
        self.assertIn(tandem.sync_person(person).json["outcome"], ("linked", "exists"))
        self.assertEqual(len(dynamics.query("contact", "emailaddress1 eq 'known@example.org'", ("contactid",))), 1)
        self.assertEqual(dynamics.query("lead", "emailaddress1 eq 'known@example.org'", ("leadid",)), [])
        world.run_cycles(2)
        self.assertEqual(marketo.person(person, "microsoftId")["microsoftId"], row)

    def test_several_candidates_are_ambiguous(self):
        world = self.world()
        world.setup()
        world.start(TANDEM_SYNC_INTERVAL="3600")
        until(lambda: world.tandem("read").status()["sync"]["finishedAt"], 60, "the end of cycle 1")
        marketo, dynamics, tandem = world.marketo(), world.dynamics(), world.tandem("campaign")
        person = marketo.create(email="many@example.org", lastName="Many")
        for table in ("lead", "contact"):
            dynamics.create(table, lastname="Many", emailaddress1="many@example.org")
        body = tandem.sync_person(person).json
        self.assertEqual(body["outcome"], "ambiguous")
        self.assertIsNone(body["recordId"])
        self.assertEqual(len(dynamics.query("lead", "emailaddress1 eq 'many@example.org'", ("leadid",))), 1)

    def test_a_field_dynamics_cannot_hold_is_left_out_and_told(self):
        world, marketo, dynamics, tandem = self.start()
        person = marketo.create(email="long@example.org", lastName="Long", mobilePhone="+49 170 1234567 ext 12345")
        body = tandem.sync_person(person).json
        self.assertEqual(body["outcome"], "created")
        self.assertIn("mobilePhone", body["reason"])
        row = dynamics.get("lead", body["recordId"], "mobilephone", "lastname")
        self.assertEqual((row["mobilephone"], row["lastname"]), (None, "Long"))
        self.assertEqual([e["field"] for e in world.tandem("read").errors(personId=person)], ["mobilePhone"])

    def test_refused_by_dynamics_is_rejected_and_in_the_activity_log(self):
        world, marketo, dynamics, tandem = self.start()
        world.sandbox.limits(dynamics={"plugin": {"reject": {"table": "lead", "column": "lastname", "equals": "Forbidden",
                                                             "message": "Not this name."}}})
        person = marketo.create(email="no@example.org", lastName="Forbidden")
        since = marketo.person(person, "createdAt")["createdAt"]
        body = tandem.sync_person(person).json
        self.assertEqual(body["outcome"], "rejected")
        self.assertIn("Not this name.", body["reason"])
        type_id = marketo.activity_types()["Microsoft Sync"]["id"]
        until(lambda: marketo.activities([type_id], since, [person]), 20, "the line in the Activity Log")
        self.assertEqual(dynamics.query("lead", "emailaddress1 eq 'no@example.org'", ("leadid",)), [])
        world.sandbox.limits(dynamics={"plugin": {}})
        self.assertEqual(tandem.sync_person(person).json["outcome"], "created")

    def test_queued_while_paused_and_for_batch_campaigns_done_by_the_cycle(self):
        world, marketo, dynamics, tandem = self.start()
        batch = marketo.create(email="batch@example.org", lastName="Batch")
        answer = tandem.sync_person(batch, campaign={"id": 7, "name": "Nightly", "type": "batch"})
        self.assertEqual((answer.status, answer.json["outcome"]), (202, "queued"))
        world.run_cycles(2)
        self.assertEqual(tandem.sync_person(batch).json["outcome"], "exists")
        self.assertEqual(world.tandem("admin").pause().status, 200)
        world.wait_state("paused")
        person = marketo.create(email="later@example.org", lastName="Later")
        answer = tandem.sync_person(person)
        self.assertEqual((answer.status, answer.json["outcome"]), (202, "queued"))
        world.kill9()
        world.start(TANDEM_SYNC_INTERVAL="1")
        world.wait_state("paused")
        self.assertEqual(dynamics.query("lead", "emailaddress1 eq 'later@example.org'", ("leadid",)), [])
        self.assertEqual(world.tandem("admin").resume().status, 200)
        until(lambda: dynamics.query("lead", "emailaddress1 eq 'later@example.org'", ("leadid",)), 30, "the record")
        until(lambda: world.tandem("campaign").sync_person(person).json["outcome"] == "exists", 30, "exists")

    def test_answer_lost_after_the_create_is_recognised(self):
        world, marketo, dynamics, tandem = self.start()
        person = marketo.create(email="lost@example.org", lastName="Lost")
        world.sandbox.faults({"side": "dynamics", "path": "/api/data/v9.2/$batch", "contains": "POST /api/data/v9.2/leads",
                              "nth": 1, "effect": {"drop": "after"}})
        body = tandem.sync_person(person).json
        self.assertIn(body["outcome"], ("created", "queued"))
        self.assertEqual(world.sandbox.faults_fired()[0]["fired"], 1)
        until(lambda: tandem.sync_person(person).json["outcome"] == "exists", 30, "exists")
        self.assertEqual(len(dynamics.query("lead", "emailaddress1 eq 'lost@example.org'", ("leadid",))), 1)

    def test_edit_after_a_lost_answer_is_not_lost(self):
        world = self.world()
        world.setup()
        world.start(TANDEM_SYNC_INTERVAL="3600")
        until(lambda: world.tandem("read").status()["sync"]["finishedAt"], 60, "the end of cycle 1")
        marketo, dynamics = world.marketo(), world.dynamics()
        person = marketo.create(email="twice@example.org", lastName="Twice", title="First title")
        # every answer to the create is lost, so the caller hears `queued`; the record is there nevertheless
        world.sandbox.faults({"side": "dynamics", "path": "/api/data/v9.2/$batch", "contains": "POST /api/data/v9.2/leads",
                              "from": 1, "count": 20, "effect": {"drop": "after"}})
        answer = world.tandem("campaign").sync_person(person)
        self.assertEqual((answer.status, answer.json["outcome"]), (202, "queued"))
        record = dynamics.query("lead", "emailaddress1 eq 'twice@example.org'", ("leadid",))[0]["leadid"]
        marketo.update(person, title="Second title")
        world.sandbox.faults()
        answer = world.tandem("campaign").sync_person(person).json
        self.assertEqual((answer["outcome"], answer["recordId"]), ("created", record))
        world.restart(TANDEM_SYNC_INTERVAL="0.2")
        world.run_cycles(2)
        self.assertEqual(dynamics.get("lead", record, "jobtitle")["jobtitle"], "Second title")
        self.assertEqual(marketo.person(person, "title")["title"], "Second title")

    def test_unknown_person(self):
        world, marketo, dynamics, tandem = self.start()
        answer = tandem.sync_person(99999999)
        self.assertEqual(answer.status, 404)
        self.assertIn("personId", answer.text)

    def test_many_persons_at_once_travel_together(self):
        world, marketo, dynamics, tandem = self.start()
        people = marketo.create_many([{"email": f"m{i}@example.org", "lastName": f"Many {i}"} for i in range(300)])
        world.sandbox.calls_reset()
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            answers = [f.json for f in pool.map(tandem.sync_person, people)]
        self.assertEqual({a["outcome"] for a in answers}, {"created"})
        self.assertEqual(len({a["recordId"] for a in answers}), 300)
        self.assertLess(world.sandbox.call_count("dynamics"), 100)


if __name__ == "__main__":
    unittest.main()
