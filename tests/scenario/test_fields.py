"""Edits of every kind of field, both ways; both sides at once; refusals."""

import unittest

from harness import Scenario, until
from sides import linked_person

LABEL = "@OData.Community.Display.V1.FormattedValue"


class Linked(Scenario):
    """One contact and one lead, linked and at rest."""

    def start(self):
        world = self.world()
        world.setup()
        dynamics = world.dynamics()
        self.contact = dynamics.create("contact", firstname="Ada", lastname="Contact", emailaddress1="ada@example.org",
                                       jobtitle="Engineer", telephone1="1")
        self.lead = dynamics.create("lead", firstname="Leo", lastname="Lead", subject="s", emailaddress1="leo@example.org",
                                    jobtitle="Buyer", telephone1="2")
        world.serve_cycles(2)
        marketo = world.marketo()
        self.contact_person = marketo.find("microsoftId", [self.contact])[0]["id"]
        self.lead_person = marketo.find("microsoftId", [self.lead])[0]["id"]
        return world, marketo, dynamics


class EveryType(Linked):
    # field, column, two values as Marketo writes them, the same as Dynamics shows them
    CASES = (
        ("title", "jobtitle", "Häuptling Über", "Häuptling Über"),
        ("mktoPersonNotes", "description", "line one\nline two, with “quotes”", "line one\nline two, with “quotes”"),
        ("email", "emailaddress1", "leo.new+tag@example.org", "leo.new+tag@example.org"),
        ("phone", "telephone1", "+49 30 1234567", "+49 30 1234567"),
        ("leadSource", "leadsourcecode", "Trade Show", 7),
        ("rating", "leadqualitycode", "Hot", 1),
        ("doNotCall", "donotphone", True, True),
        ("unsubscribed", "donotbulkemail", True, True),
        ("annualRevenue", "revenue", 125000.5, 125000.5),
        ("leadScore", "mkt_leadscore", 42, 42),
        ("company", "companyname", "Okoro & Söhne", "Okoro & Söhne"),
        ("microsoftPreferredMethodOfContact", "preferredcontactmethodcode", "Phone", 3),
        ("msiLastInterestingMomentDate", "mkt_lastinterestingmomentdate", "2026-03-02T09:14:07Z",
         "2026-03-02T09:14:07Z"),
    )

    def test_marketo_to_dynamics_and_back_to_empty(self):
        world, marketo, dynamics = self.start()
        marketo.update(self.lead_person, **{field: value for field, _, value, _ in self.CASES})
        world.serve_cycles(1)
        row = dynamics.get("lead", self.lead, *[column for _, column, _, _ in self.CASES])
        for field, column, _, shown in self.CASES:
            with self.subTest(field=field):
                self.assertEqual(row[column], shown)
        marketo.update(self.lead_person, **{field: None for field, _, value, _ in self.CASES if value is not True})
        world.serve_cycles(1)
        row = dynamics.get("lead", self.lead, *[column for _, column, _, _ in self.CASES])
        for field, column, value, _ in self.CASES:
            with self.subTest(field=field, emptied=True):
                self.assertEqual(row[column], True if value is True else None)

    def test_dynamics_to_marketo_and_back_to_empty(self):
        world, marketo, dynamics = self.start()
        dynamics.update("lead", self.lead, **{column: shown for _, column, _, shown in self.CASES})
        world.serve_cycles(1)
        person = marketo.person(self.lead_person, *[field for field, _, _, _ in self.CASES])
        for field, _, value, _ in self.CASES:
            with self.subTest(field=field):
                got = person[field]
                self.assertEqual(float(got) if field == "annualRevenue" else got, value)
        dynamics.update("lead", self.lead, **{column: None for _, column, value, _ in self.CASES if value is not True})
        world.serve_cycles(1)
        person = marketo.person(self.lead_person, *[field for field, _, _, _ in self.CASES])
        for field, _, value, _ in self.CASES:
            with self.subTest(field=field, emptied=True):
                self.assertEqual(person[field], True if value is True else None)

    def test_status_travels_to_marketo_only(self):
        world, marketo, dynamics = self.start()
        person = marketo.person(self.lead_person, "leadStatus", "microsoftStatusReason", "microsoftCreatedDate")
        self.assertEqual((person["leadStatus"], person["microsoftStatusReason"]), ("Open", "New"))
        self.assertTrue(person["microsoftCreatedDate"])
        dynamics.update("lead", self.lead, statecode=2, statuscode=5)
        marketo.update(self.lead_person, leadStatus="Nonsense")
        world.serve_cycles(2)
        self.assertEqual(dynamics.get("lead", self.lead, "statecode")["statecode"], 2)
        person = marketo.person(self.lead_person, "leadStatus", "microsoftStatusReason")
        self.assertEqual((person["leadStatus"], person["microsoftStatusReason"]), ("Disqualified", "Cannot Contact"))

    def test_an_opt_out_taken_back_by_a_person_travels(self):
        world, marketo, dynamics = self.start()
        dynamics.update("contact", self.contact, donotphone=True)
        world.serve_cycles(1)
        self.assertTrue(marketo.person(self.contact_person, "doNotCall")["doNotCall"])
        marketo.update(self.contact_person, doNotCall=False)
        world.serve_cycles(1)
        self.assertFalse(dynamics.get("contact", self.contact, "donotphone")["donotphone"])


class BothAtOnce(Linked):
    def test_different_fields_of_one_record_both_survive(self):  # P3
        world, marketo, dynamics = self.start()
        for table, record, person in (("contact", self.contact, self.contact_person), ("lead", self.lead, self.lead_person)):
            marketo.update(person, title="From Marketo")
            dynamics.update(table, record, telephone1="from Dynamics")
        world.serve_cycles(1)
        for table, record, person in (("contact", self.contact, self.contact_person), ("lead", self.lead, self.lead_person)):
            with self.subTest(table=table):
                row = dynamics.get(table, record, "jobtitle", "telephone1")
                self.assertEqual((row["jobtitle"], row["telephone1"]), ("From Marketo", "from Dynamics"))
                shown = marketo.person(person, "title", "phone")
                self.assertEqual((shown["title"], shown["phone"]), ("From Marketo", "from Dynamics"))
        self.assertEqual(world.sql("SELECT count(*) FROM collision"), [["0"]])

    def test_the_same_field_marketo_wins_for_leads_dynamics_for_contacts(self):  # P4, P5
        world, marketo, dynamics = self.start()
        for table, record, person in (("contact", self.contact, self.contact_person), ("lead", self.lead, self.lead_person)):
            marketo.update(person, title="From Marketo")
            dynamics.update(table, record, jobtitle="From Dynamics")
        world.start()
        world.run_cycles(1)
        for table, record, person, winner in (("contact", self.contact, self.contact_person, "From Dynamics"),
                                              ("lead", self.lead, self.lead_person, "From Marketo")):
            with self.subTest(table=table):
                self.assertEqual(dynamics.get(table, record, "jobtitle")["jobtitle"], winner)
                self.assertEqual(marketo.person(person, "title")["title"], winner)
        rows = {row["object"]: row for row in world.tandem("read").collisions()}
        self.assertEqual(len(rows), 2)
        for table, winner in (("contact", "dynamics"), ("lead", "marketo")):
            row = rows[table]
            self.assertEqual((row["field"], row["winner"]), ("title", winner))
            self.assertEqual((row["marketoValue"], row["dynamicsValue"]), ("From Marketo", "From Dynamics"))
        world.run_cycles(2)
        self.assertEqual(len(world.tandem("read").collisions()), 2)

    def test_both_to_the_same_value_is_no_collision_and_no_write(self):  # P6
        world, marketo, dynamics = self.start()
        marketo.update(self.contact_person, title="Same")
        dynamics.update("contact", self.contact, jobtitle="Same")
        version = dynamics.get("contact", self.contact, "versionnumber")["versionnumber"]
        world.serve_cycles(2)
        self.assertEqual(dynamics.get("contact", self.contact, "versionnumber")["versionnumber"], version)
        self.assertEqual(world.sql("SELECT count(*) FROM collision"), [["0"]])


    def test_an_edit_between_our_read_and_our_write_is_seen(self):
        world, marketo, dynamics = self.start()
        world.start()
        world.run_cycles(1)
        world.sandbox.faults({"side": "dynamics", "path": "/api/data/v9.2/$batch", "contains": "PATCH ", "nth": 1,
                              "user": "tandem", "effect": {"delayMs": 1500}})
        marketo.update(self.contact_person, title="From Marketo")
        until(lambda: world.sandbox.faults_fired()[0]["fired"] == 1, 30, "the write on its way")
        dynamics.update("contact", self.contact, telephone1="just now", jobtitle="Sales insists")
        world.sandbox.faults()
        world.run_cycles(2)
        row = dynamics.get("contact", self.contact, "jobtitle", "telephone1")
        self.assertEqual((row["jobtitle"], row["telephone1"]), ("Sales insists", "just now"))
        person = marketo.person(self.contact_person, "title", "phone")
        self.assertEqual((person["title"], person["phone"]), ("Sales insists", "just now"))
        kept = [(c["field"], c["marketoValue"], c["winner"]) for c in world.tandem("read").collisions()]
        self.assertEqual(kept, [("title", "From Marketo", "dynamics")])


class Refusals(Linked):
    def test_a_last_name_too_long_is_refused_and_everybody_else_written(self):  # P16
        world, marketo, dynamics = self.start()
        people = marketo.create_many([{"email": f"p{i}@example.org", "lastName": f"Person {i}"} for i in range(20)])
        rows = [dynamics.create("contact", lastname=f"Person {i}", emailaddress1=f"p{i}@example.org") for i in range(20)]
        world.serve_cycles(2)
        started = marketo.person(people[0], "updatedAt")["updatedAt"]
        marketo.update_many([{"id": p, "title": "Changed", "lastName": "x" * 60 if i == 7 else f"Renamed {i}"}
                             for i, p in enumerate(people)])
        world.start()
        world.run_cycles(1)
        for i, row in enumerate(rows):
            shown = dynamics.get("contact", row, "lastname", "jobtitle")
            self.assertEqual(shown["jobtitle"], "Changed")
            self.assertEqual(shown["lastname"], "Person 7" if i == 7 else f"Renamed {i}")
        errors = world.tandem("read").errors()
        self.assertEqual([(e["personId"], e["field"], e["operation"], e["direction"]) for e in errors],
                         [(people[7], "lastName", "update", "Marketo to Dynamics")])
        self.assertNotIn("xxxx", errors[0]["message"])
        log = world.log_path.read_text()
        self.assertNotIn("Renamed", log)
        type_id = marketo.activity_types()["Microsoft Sync"]["id"]
        seen = until(lambda: marketo.activities([type_id], started, [people[7]]), 30, "the line in the Activity Log")
        self.assertEqual(len(seen), 1)
        self.assertEqual(seen[0]["primaryAttributeValue"], "refused")
        world.run_cycles(3)
        self.assertEqual(len(marketo.activities([type_id], started, [people[7]])), 1)
        marketo.update(people[7], lastName="Short again")
        world.run_cycles(1)
        self.assertEqual(dynamics.get("contact", rows[7], "lastname")["lastname"], "Short again")
        self.assertEqual(world.tandem("read").errors(), [])

    def test_a_rule_of_the_organisation_refuses_one_of_a_batch(self):
        world, marketo, dynamics = self.start()
        world.sandbox.limits(dynamics={"plugin": {"reject": {"table": "contact", "column": "jobtitle", "equals": "Forbidden",
                                                             "message": "Titles need approval."}}})
        marketo.update(self.contact_person, title="Forbidden", phone="99")
        marketo.update(self.lead_person, title="Fine")
        world.start()
        world.run_cycles(2)
        self.assertEqual(dynamics.get("lead", self.lead, "jobtitle")["jobtitle"], "Fine")
        errors = world.tandem("read").errors()
        self.assertEqual(len(errors), 1, errors)
        self.assertEqual(errors[0]["personId"], self.contact_person)
        self.assertIn("Titles need approval.", errors[0]["message"])
        world.sandbox.limits(dynamics={"plugin": {}})
        answer = world.tandem("admin").retry(errors[0]["id"])
        self.assertEqual(answer.status, 200, answer)
        world.run_cycles(2)
        self.assertEqual(dynamics.get("contact", self.contact, "jobtitle")["jobtitle"], "Forbidden")
        self.assertEqual(dynamics.get("contact", self.contact, "telephone1")["telephone1"], "99")
        self.assertEqual(world.tandem("read").errors(), [])


class Lives(Linked):
    """Records and persons that come and go."""

    def test_record_deleted_in_dynamics_flags_the_person(self):  # P17, P14
        world, marketo, dynamics = self.start()
        dynamics.delete("contact", self.contact)
        world.start()
        world.run_cycles(1)
        person = marketo.person(self.contact_person, "microsoftIsDeleted", "lastName")
        self.assertTrue(person["microsoftIsDeleted"])
        self.assertEqual(person["lastName"], "Contact")
        answer = world.tandem("campaign").sync_person(self.contact_person).json
        self.assertEqual((answer["outcome"], answer["entity"]), ("created", "lead"))
        self.assertNotEqual(answer["recordId"], self.contact)
        until(lambda: marketo.person(self.contact_person, "microsoftId")["microsoftId"] == answer["recordId"], 20, "stamp")
        self.assertFalse(marketo.person(self.contact_person, "microsoftIsDeleted")["microsoftIsDeleted"])

    def test_person_deleted_in_marketo_comes_back_when_the_record_changes(self):  # P18
        world, marketo, dynamics = self.start()
        marketo.delete(self.contact_person)
        world.serve_cycles(2)
        self.assertEqual(marketo.find("microsoftId", [self.contact]), [])
        dynamics.update("contact", self.contact, jobtitle="Back")
        world.serve_cycles(1)
        again = marketo.find("microsoftId", [self.contact], ("title",))
        self.assertEqual([p["title"] for p in again], ["Back"])
        self.assertNotEqual(again[0]["id"], self.contact_person)

    def test_person_deleted_while_the_record_changes_comes_back(self):
        world, marketo, dynamics = self.start()
        marketo.delete(self.contact_person)
        dynamics.update("contact", self.contact, jobtitle="Still here")
        world.serve_cycles(2)
        self.assertEqual([p["title"] for p in marketo.find("microsoftId", [self.contact], ("title",))], ["Still here"])

    def test_qualified_lead_keeps_its_person(self):
        world, marketo, dynamics = self.start()
        dynamics.qualify(self.lead)
        contact = dynamics.query("contact", "emailaddress1 eq 'leo@example.org'", ("contactid",))[0]["contactid"]
        world.serve_cycles(2)
        person = marketo.person(self.lead_person, "microsoftId", "microsoftType")
        self.assertEqual((person["microsoftId"], person["microsoftType"].lower()), (contact, "contact"))
        self.assertEqual(len(marketo.find("email", ["leo@example.org"])), 1)
        dynamics.update("contact", contact, jobtitle="Dynamics title")
        marketo.update(self.lead_person, title="Marketo title")
        world.serve_cycles(1)
        self.assertEqual(marketo.person(self.lead_person, "title")["title"], "Dynamics title")

    def test_new_person_causes_nothing_in_dynamics(self):  # P8
        world, marketo, dynamics = self.start()
        marketo.create(email="quiet@example.org", lastName="Quiet")
        world.serve_cycles(2)
        self.assertEqual(dynamics.query("lead", "emailaddress1 eq 'quiet@example.org'", ("leadid",)), [])
        self.assertEqual(dynamics.query("contact", "emailaddress1 eq 'quiet@example.org'", ("contactid",)), [])


if __name__ == "__main__":
    unittest.main()
