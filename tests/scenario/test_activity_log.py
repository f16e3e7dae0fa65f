"""What people find in the Activity Log of a person in Marketo: every line once, whatever happens on the way."""

import unittest

from harness import Scenario, until
from test_merges import contact_of, merge_records

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

    known = 0   # lines there were before what the test is about

    def written(self):
        return int(self.w.sql("SELECT count(*) FROM outbox")[0][0])

    def refuse(self, *ids):
        self.known = self.written()
        self.w.marketo().update_many([{"id": i, "lastName": TOO_LONG} for i in ids])

    def waiting(self):
        return int(self.w.sql("SELECT count(*) FROM outbox WHERE sent_at IS NULL")[0][0])

    def all_sent(self, seconds=60):
        until(lambda: not self.waiting() and self.written() > self.known, seconds, "every line settled")

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
        until(self.fired, 60, "the fault")
        self.all_sent()
        self.assertEqual((self.fired(), self.sends()), (1, 1))
        self.must_be_once(self.ids)

    def test_a_call_that_never_arrived_is_sent_again(self):
        world, marketo, dynamics = self.people(5)
        self.fault(drop="before")
        self.refuse(*self.ids)
        world.start()
        until(self.fired, 60, "the fault")
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
        until(self.fired, 60, "the fault")
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


class Words(Lines):
    """One line for what has changed, none for a repeat, and no value of anybody in it."""

    def must_say(self, person_id, *wanted):
        """The lines of a person, in order: (outcome, field, a part of the message)."""
        lines = self.lines(person_id)
        self.assertEqual([(line["primaryAttributeValue"], line["values"].get("Field")) for line in lines],
                         [(outcome, field) for outcome, field, _ in wanted])
        for line, (_, _, part) in zip(lines, wanted):
            self.assertIn(part, line["values"]["Message"])

    def test_collisions_of_a_first_contact_are_one_line_a_person(self):
        self.w = world = self.world()
        world.setup()
        marketo, dynamics = world.marketo(), world.dynamics()
        two = marketo.create(email="two@example.org", lastName="Two", title="Marketo's", phone="111", leadScore=5)
        one = marketo.create(email="one@example.org", lastName="One", title="Marketo's")
        none = marketo.create(email="none@example.org", lastName="None", title="The same")
        self.since = marketo.person(two, "createdAt")["createdAt"]
        dynamics.create("contact", lastname="Two", emailaddress1="two@example.org", jobtitle="Sales'", telephone1="222")
        dynamics.create("lead", lastname="One", emailaddress1="one@example.org", jobtitle="Sales'")
        dynamics.create("contact", lastname="None", emailaddress1="none@example.org", jobtitle="The same")
        world.serve_cycles(3)
        self.must_say(two, ("collision", "Job Title, Phone Number", "Job Title, Phone Number (the value from Dynamics was kept)"))
        self.must_say(one, ("collision", "Job Title", "Job Title (the value from Marketo was kept)"))
        self.must_say(none)
        for line in self.lines():
            self.assertNotRegex(line["values"]["Message"], "111|222|Sales|Marketo's")

    def test_a_later_collision_is_a_line_of_its_own(self):
        world, marketo, dynamics = self.people(2)
        for i in range(2):
            marketo.update(self.ids[0], title=f"Marketo {i}")
            dynamics.update("contact", self.rows[0], jobtitle=f"Sales {i}")
            world.serve_cycles(2)
        wanted = ("collision", "Job Title", "(the value from Dynamics was kept)")
        self.must_say(self.ids[0], wanted, wanted)
        self.assertEqual(len(world.sql("SELECT 1 FROM collision")), 2)

    def test_a_refusal_is_told_again_only_when_it_is_another(self):
        world, marketo, dynamics = self.people(1)
        person = self.ids[0]
        refused = ("refused", "Last Name", "Last Name was not written to Dynamics: lastname holds at most 50 characters")
        marketo.update(person, lastName=TOO_LONG)
        world.start()
        world.run_cycles(2)
        tandem = world.tandem("admin")
        self.assertEqual(tandem.retry(tandem.errors()[0]["id"]).status, 200)
        until(lambda: int(world.sql("SELECT attempts FROM error")[0][0]) > 1, 30, "another try")
        world.run_cycles(1)
        self.must_say(person, refused)
        marketo.update(person, lastName="y" * 60)   # another value, refused for the same reason
        until(lambda: int(world.sql("SELECT attempts FROM error")[0][0]) > 2, 30, "another try")
        world.run_cycles(1)
        self.must_say(person, refused)
        marketo.update(person, lastName="Short")
        until(lambda: tandem.errors() == [], 30, "the end of it")
        marketo.update(person, lastName=TOO_LONG)
        until(lambda: len(self.lines(person)) == 2, 30, "a second line")
        self.must_say(person, refused, refused)

    def test_what_real_time_calls_come_to(self):
        world, marketo, dynamics = self.people(1)
        world.sandbox.limits(dynamics={"plugin": {"reject": {"table": "lead", "column": "lastname", "equals": "Forbidden",
                                                             "message": "Not this name."}}})
        world.start(TANDEM_SYNC_INTERVAL="3600")
        world.wait_cycle(3)
        world.wait_state("idle")
        made = marketo.create(email="made@example.org", lastName="Made")
        known = marketo.create(email="known@example.org", lastName="Known")
        dynamics.create("contact", lastname="Known", emailaddress1="known@example.org")
        many = marketo.create(email="many@example.org", lastName="Many")
        for table in ("lead", "contact"):
            dynamics.create(table, lastname="Many", emailaddress1="many@example.org")
        wrong = marketo.create(email="wrong@example.org", lastName="Forbidden")
        owned = marketo.create(email="owned@example.org", lastName="Owned")
        queued = marketo.create(email="queued@example.org", lastName="Queued")
        tandem = world.tandem("campaign")
        for _ in range(2):   # the second time there is nothing new
            tandem.sync_person(made)
            tandem.sync_person(known)
            self.assertEqual(tandem.sync_person(many).json["outcome"], "ambiguous")
            self.assertEqual(tandem.sync_person(wrong).json["outcome"], "rejected")
            self.assertEqual(tandem.sync_person(owned, owner="nobody@example.org").json["outcome"], "rejected")
            tandem.sync_person(queued, campaign={"id": 7, "name": "Nightly", "type": "batch"})
        self.all_sent()
        self.must_say(made, ("created", None, "A lead was created in Dynamics"))
        self.must_say(known, ("linked", None, "A contact that was in Dynamics already"))
        self.must_say(many, ("ambiguous", None, "Merge them in Dynamics"))
        self.must_say(wrong, ("rejected", None, "Not this name."))
        self.must_say(owned, ("rejected", None, "Name another owner"))
        self.must_say(queued)
        errors = world.tandem("read").errors(personId=owned)
        self.assertEqual([(e["code"], e["operation"]) for e in errors], [("OWNER", "create")])
        self.assertEqual(tandem.sync_person(owned).json["outcome"], "created")
        self.assertEqual(world.tandem("read").errors(personId=owned), [])

    def test_a_record_deleted_in_dynamics(self):
        world, marketo, dynamics = self.people(2)
        dynamics.delete("contact", self.rows[0])
        world.serve_cycles(3)
        self.must_say(self.ids[0], ("deleted", None, "This person's contact was deleted in Dynamics"))
        self.must_say(self.ids[1])

    def test_links_that_moved(self):
        world, marketo, dynamics = self.people(4)
        lead_person = marketo.create(email="lead@example.org", lastName="Lead")
        lead = dynamics.create("lead", lastname="Lead", emailaddress1="lead@example.org")
        world.serve_cycles(1)
        dynamics.qualify(lead)
        contact_of(dynamics, lead)
        winner = marketo.create(email="winner@example.org", lastName="Winner")
        marketo.merge(winner, self.ids[0])
        other = dynamics.create("contact", lastname="Other")
        merge_records(dynamics, "contact", other, self.rows[1])
        marketo.merge(self.ids[2], self.ids[3])   # two with a record each
        world.serve_cycles(3)
        self.must_say(lead_person, ("moved", None, "This person's lead was qualified"))
        self.must_say(winner, ("moved", None, "was merged into this one"))
        self.must_say(self.ids[1], ("moved", None, "was merged into another one in Dynamics"))
        self.assertIn(("conflict", None), [(line["primaryAttributeValue"], line["values"].get("Field"))
                                           for line in self.lines(self.ids[2])])


class Companies(Lines):
    """Persons of a company in Marketo have its fields, which nobody can set through them."""

    def leads(self, count, companies):
        """People linked to a lead each; those whose number is in companies belong to a company."""
        self.w = world = self.world(TANDEM_ACTIVITY_SETTLE=2)
        world.setup()
        marketo, dynamics = world.marketo(), world.dynamics()
        marketo.call("POST", "/rest/v1/companies.json", {"action": "createOrUpdate", "dedupeBy": "dedupeFields", "input": [
            {"externalCompanyId": "acme", "company": "Acme", "annualRevenue": 1000}]})
        self.ids = marketo.create_many([{"email": f"p{i}@example.org", "lastName": f"Person {i}", "title": "Clerk",
                                         **({"externalCompanyId": "acme"} if i in companies else
                                            {"company": "Acme", "annualRevenue": 1000})} for i in range(count)])
        self.rows = [dynamics.create("lead", lastname=f"Person {i}", emailaddress1=f"p{i}@example.org", companyname="Acme",
                                     revenue=1000, jobtitle="Clerk") for i in range(count)]
        self.since = marketo.person(self.ids[0], "createdAt")["createdAt"]
        world.serve_cycles(2)
        self.assertEqual(self.lines(), [])
        return world, marketo, dynamics

    def writes(self):
        return self.w.sandbox.calls("marketo").get("POST /rest/v1/leads.json", {"count": 0})["count"]

    def shown(self, i):
        person = self.w.marketo().person(self.ids[i], "company", "annualRevenue", "title")
        return person["company"], float(person["annualRevenue"]), person["title"]

    def test_the_companys_fields_are_left_out_and_the_others_written(self):
        world, marketo, dynamics = self.leads(2, {1})
        for row in self.rows:
            dynamics.update("lead", row, companyname="Zenith", revenue=2000, jobtitle="Head")
        world.sandbox.calls_reset()
        world.serve_cycles(1)
        self.assertEqual(self.writes(), 2)   # together, then the one again without its company's fields
        self.assertEqual(self.shown(0), ("Zenith", 2000, "Head"))
        self.assertEqual(self.shown(1), ("Acme", 1000, "Head"))
        told = self.told()
        self.assertEqual([line[:3] for line in told], [(self.ids[1], "refused", "Company Name, Annual Revenue")])
        self.assertIn("belongs to a company", told[0][3])
        world.sandbox.calls_reset()
        world.serve_cycles(3)
        self.assertEqual(self.writes(), 0)
        self.assertEqual(len(self.told()), 1)
        world.start()
        errors = world.tandem("read").errors()
        self.assertEqual(sorted((e["personId"], e["field"], e["code"], e["attempts"]) for e in errors),
                         [(self.ids[1], "annualRevenue", "1021", 1), (self.ids[1], "company", "1021", 1)])
        self.assertNotRegex(errors[0]["message"], "Acme|Zenith|2000")

    def test_tried_again_when_an_operator_says_so_or_the_value_changes(self):
        world, marketo, dynamics = self.leads(1, {0})
        dynamics.update("lead", self.rows[0], companyname="Zenith")
        world.start()
        tandem = world.tandem("admin")
        error = until(tandem.errors, 30, "the refusal")[0]
        tandem.retry(error["id"])
        until(lambda: tandem.errors()[0]["attempts"] == 2, 30, "another try")
        dynamics.update("lead", self.rows[0], companyname="Nadir")
        until(lambda: tandem.errors()[0]["attempts"] == 3, 30, "a third")
        marketo.call("POST", "/rest/v1/companies.json", {"action": "updateOnly", "dedupeBy": "dedupeFields", "input": [
            {"externalCompanyId": "acme", "company": "Nadir"}]})
        tandem.retry(error["id"])
        until(lambda: tandem.errors() == [], 30, "the end of it")
        self.all_sent()
        self.assertEqual(len(self.told()), 1)
        self.assertEqual(dynamics.get("lead", self.rows[0], "companyname")["companyname"], "Nadir")

    def test_three_hundred_at_once_some_of_a_company(self):
        linked = set(range(0, 300, 7))
        world, marketo, dynamics = self.leads(300, linked)
        for i, row in enumerate(self.rows):
            dynamics.update("lead", row, companyname="Zenith", jobtitle=f"Head {i}")
        world.sandbox.calls_reset()
        world.serve_cycles(1)
        self.assertEqual(self.writes(), 2)
        people = marketo.persons(self.ids, ("company", "title"))
        for i, person in enumerate(self.ids):
            self.assertEqual((people[person]["company"], people[person]["title"]),
                             ("Acme" if i in linked else "Zenith", f"Head {i}"))
        self.assertEqual([line[0] for line in self.told()], [self.ids[i] for i in sorted(linked)])

    def test_a_role_that_may_not_read_companies(self):
        world, marketo, dynamics = self.leads(1, {0})
        world.sandbox.faults({"side": "marketo", "path": "/rest/v1/companies/describe.json", "effect": {"code": "603"}})
        dynamics.update("lead", self.rows[0], companyname="Zenith", jobtitle="Head")
        world.serve_cycles(1)
        self.assertEqual(world.sandbox.faults_fired()[0]["fired"], 1)
        self.assertEqual(self.shown(0), ("Acme", 1000, "Head"))


if __name__ == "__main__":
    unittest.main()
