"""What people find in the Activity Log of a person in Marketo: every line once, whatever happens on the way."""

import unittest

from harness import Scenario, until

TO_MARKETO = "/rest/v1/activities/external.json"
TOO_LONG = "x" * 60   # for the last name of a contact


class Lines(Scenario):
    """People who are linked to a contact each."""

    def people(self, count, **settings):
        self.w = world = self.world(**{"TANDEM_ACTIVITY_SETTLE": 2, **settings})
        world.setup()
        marketo, dynamics = world.marketo(), world.dynamics()
        self.ids = marketo.create_many([{"email": f"p{i}@example.org", "lastName": f"Person {i}"} for i in range(count)])
        self.rows = [dynamics.create("contact", lastname=f"Person {i}", emailaddress1=f"p{i}@example.org")
                     for i in range(count)]
        world.serve_cycles(2)
        self.since = marketo.person(self.ids[0], "createdAt")["createdAt"]
        return world, marketo, dynamics

    def lines(self, *person_ids):
        marketo = self.w.marketo()
        type_id = marketo.activity_types()["Microsoft Sync"]["id"]
        return marketo.activities([type_id], self.since, person_ids)

    def told(self, *person_ids):
        """(person, outcome, field, message) of every line, in the order of persons."""
        return sorted((line["leadId"], line["primaryAttributeValue"], line["values"].get("Field"), line["values"]["Message"])
                      for line in self.lines(*person_ids))

    def refuse(self, *ids):
        self.w.marketo().update_many([{"id": i, "lastName": TOO_LONG} for i in ids])

    def waiting(self):
        return int(self.w.sql("SELECT count(*) FROM outbox WHERE sent_at IS NULL")[0][0])

    def all_sent(self, seconds=60):
        until(lambda: not self.waiting() and self.w.sql("SELECT 1 FROM outbox LIMIT 1"), seconds, "every line settled")

    def sends(self):
        return self.w.sandbox.calls("marketo").get("POST " + TO_MARKETO, {"count": 0})["count"]

    def must_be_once(self, ids):
        self.assertEqual(sorted(line["leadId"] for line in self.lines()), sorted(ids))
        references = [line["values"]["Reference"] for line in self.lines()]
        self.assertEqual(len(set(references)), len(references))

    def fault(self, **effect):
        self.w.sandbox.faults({"side": "marketo", "path": TO_MARKETO, "nth": 1, "effect": effect})

    def fired(self):
        return self.w.sandbox.faults_fired()[0]["fired"]


class Once(Lines):
    def test_a_lost_answer_is_looked_for(self):
        world, marketo, dynamics = self.people(5)
        self.fault(drop="after")
        world.sandbox.calls_reset()
        self.refuse(*self.ids)
        world.start()
        self.all_sent()
        self.assertEqual((self.fired(), self.sends()), (1, 1))
        self.must_be_once(self.ids)

    def test_a_call_that_never_arrived_is_sent_again(self):
        world, marketo, dynamics = self.people(5)
        self.fault(drop="before")
        self.refuse(*self.ids)
        world.start()
        self.all_sent()
        self.assertEqual(self.fired(), 1)
        self.must_be_once(self.ids)

    def test_killed_between_effect_and_commit(self):
        world, marketo, dynamics = self.people(5, TANDEM_ACTIVITY_SETTLE=5)
        self.fault(delayAfterMs=4000)
        world.sandbox.calls_reset()
        self.refuse(*self.ids)
        world.start()
        until(lambda: len(self.lines()) == 5, 30, "the effect")
        self.assertEqual(self.waiting(), 5)
        world.kill9()
        world.sandbox.faults()
        world.start()
        self.all_sent()
        until(self.sends, 10, "the end of the first call")
        self.assertEqual(self.sends(), 1)
        self.must_be_once(self.ids)

    def test_marketo_shows_lines_late(self):
        world, marketo, dynamics = self.people(5, TANDEM_ACTIVITY_SETTLE=6)
        self.fault(drop="after", lateCommitSeconds=3)
        world.sandbox.calls_reset()
        self.refuse(*self.ids)
        world.start()
        until(self.fired, 30, "the lost answer")
        self.assertEqual(self.lines(), [])
        self.all_sent()
        self.assertEqual(self.sends(), 1)
        self.must_be_once(self.ids)

    def test_some_of_a_lost_batch_are_among_many_of_others(self):
        world, marketo, dynamics = self.people(40)   # too many to ask for by person
        type_id = marketo.activity_types()["Microsoft Sync"]["id"]
        marketo.call("POST", TO_MARKETO, {"input": [
            {"leadId": self.ids[i % 40], "activityDate": self.since, "activityTypeId": type_id, "primaryAttributeValue": "foreign",
             "attributes": []} for i in range(300)]})
        marketo.call("POST", TO_MARKETO, {"input": [
            {"leadId": self.ids[i % 40], "activityDate": self.since, "activityTypeId": type_id, "primaryAttributeValue": "foreign",
             "attributes": []} for i in range(300)]})
        self.fault(drop="after")
        self.refuse(*self.ids)
        world.sandbox.calls_reset()
        world.start()
        self.all_sent()
        self.assertEqual(self.sends(), 1)
        ours = [line["leadId"] for line in self.lines() if line["primaryAttributeValue"] != "foreign"]
        self.assertEqual(sorted(ours), self.ids)

    def test_what_was_surely_not_sent_waits_for_nothing(self):
        world, marketo, dynamics = self.people(3, TANDEM_ACTIVITY_SETTLE=3600)
        self.fault(code="608")
        self.refuse(*self.ids)
        world.start()
        self.all_sent()
        self.assertEqual(self.fired(), 1)
        self.must_be_once(self.ids)

    def test_one_whose_person_is_gone_holds_up_nobody(self):
        world, marketo, dynamics = self.people(5)
        world.sandbox.faults({"side": "marketo", "path": TO_MARKETO, "effect": {"code": "608"}})
        self.refuse(*self.ids)
        world.start()
        until(self.fired, 30, "lines that wait")
        world.stop()
        marketo.delete(self.ids[2])
        world.sandbox.faults()
        world.serve_cycles(1)
        self.assertEqual(self.waiting(), 0)
        self.must_be_once([i for i in self.ids if i != self.ids[2]])

    def test_a_thousand_refusals_are_four_calls(self):
        world, marketo, dynamics = self.people(1000)
        self.refuse(*self.ids)
        world.sandbox.calls_reset()
        world.serve_cycles(1)
        self.assertEqual(self.sends(), 4)
        self.must_be_once(self.ids)
        world.serve_cycles(2)
        self.assertEqual(self.sends(), 4)

    def test_our_own_lines_are_no_changes(self):
        world, marketo, dynamics = self.people(3)
        self.refuse(*self.ids)
        world.serve_cycles(2)
        world.sandbox.calls_reset()
        world.serve_cycles(2)
        calls = world.sandbox.calls("marketo")
        self.assertEqual([name for name in calls if "/leads.json" in name or "external.json" in name], [])


if __name__ == "__main__":
    unittest.main()
