"""What happens to a person and a record that belong together, from the first contact to the end: who is created where, what
deletions leave behind, what is nobody's change. Names with p and q tell the statement of the native connector they hold."""

import json
import unittest

from harness import until
from sides import stamped
from test_fields import Linked


def marks(world):
    """What every write changes: calls that wrote to Marketo since the last reset, versions of the records in Dynamics."""
    calls = world.sandbox.calls("marketo").get("POST /rest/v1/leads.json", {"count": 0})["count"]
    return calls, {(table, row[table + "id"]): row["versionnumber"] for table in ("contact", "lead")
                   for row in world.dynamics().query(table, columns=("versionnumber",))}


class Settled(Linked):
    def nothing_is_written(self, world, cycles=3):
        world.sandbox.calls_reset()
        before = marks(world)
        world.serve_cycles(cycles)
        self.assertEqual(marks(world), before)

    def link_of(self, world, person_id):
        """(state, entity, record) of the person's link in the store."""
        rows = world.sql("SELECT state, entity, record_id FROM link WHERE state <> 2 AND state <> 3 "
                         f"AND person_id = {person_id}")
        return rows[0] if rows else None


class Creation(Settled):
    def test_p8_a_new_person_is_nobody_in_dynamics_until_the_flow_action(self):
        world, marketo, dynamics = self.start()
        person = marketo.create(email="quiet@example.org", lastName="Quiet", company="Silence Ltd")
        world.serve_cycles(2)
        marketo.update(person, title="Still quiet")
        world.serve_cycles(1)
        for table in ("lead", "contact"):
            self.assertEqual(dynamics.query(table, "emailaddress1 eq 'quiet@example.org'", (table + "id",)), [])
        self.assertEqual(world.sql(f"SELECT * FROM link WHERE person_id = {person}"), [])
        world.start()
        world.run_cycles(1)
        answer = world.tandem("campaign").sync_person(person).json
        self.assertEqual((answer["outcome"], answer["entity"]), ("created", "lead"))
        row = dynamics.get("lead", answer["recordId"], "jobtitle", "companyname", "lastname")
        self.assertEqual((row["jobtitle"], row["companyname"], row["lastname"]), ("Still quiet", "Silence Ltd", "Quiet"))

    def test_p21_two_rows_with_one_address_are_two_persons(self):
        world, marketo, dynamics = self.start()
        rows = [dynamics.create("lead", lastname=f"Twin {i}", subject="t", emailaddress1="twin@example.org")
                for i in range(2)]
        rows.append(dynamics.create("contact", lastname="Twin 2", emailaddress1="Twin@Example.org"))
        world.serve_cycles(2)
        people = {p["microsoftId"].lower(): p
                  for p in marketo.find("email", ["twin@example.org"], ("microsoftId", "lastName"))}
        self.assertEqual(sorted(people), sorted(rows))
        self.assertEqual([people[row]["lastName"] for row in rows], ["Twin 0", "Twin 1", "Twin 2"])
        dynamics.update("lead", rows[1], jobtitle="Only mine")
        marketo.update(people[rows[2]]["id"], phone="7")
        marketo.update(people[rows[0]]["id"], microsoftId=rows[0].upper())   # letters do not matter
        world.serve_cycles(2)
        self.assertEqual([marketo.person(people[row]["id"], "title")["title"] for row in rows], [None, "Only mine", None])
        self.assertEqual(dynamics.get("contact", rows[2], "telephone1")["telephone1"], "7")
        self.assertEqual(len(marketo.find("email", ["twin@example.org"])), 3)

    def test_q27_an_address_that_somebody_else_has_is_a_value_like_any_other(self):
        world, marketo, dynamics = self.start()
        dynamics.update("contact", self.contact, emailaddress1="leo@example.org")
        world.serve_cycles(2)
        self.assertEqual(marketo.person(self.contact_person, "email")["email"], "leo@example.org")
        self.assertEqual(stamped(world, self.contact_person)["microsoftId"], self.contact)
        self.assertEqual(stamped(world, self.lead_person)["microsoftId"], self.lead)
        dynamics.update("lead", self.lead, jobtitle="Mine")
        world.serve_cycles(1)
        self.assertEqual(marketo.person(self.lead_person, "title")["title"], "Mine")
        self.assertNotEqual(marketo.person(self.contact_person, "title")["title"], "Mine")


class Deletion(Settled):
    def test_p17_a_row_deleted_in_dynamics_leaves_its_person_flagged(self):
        world, marketo, dynamics = self.start()
        for table, record in (("contact", self.contact), ("lead", self.lead)):
            dynamics.delete(table, record)
        world.serve_cycles(2)
        for person, record, name in ((self.contact_person, self.contact, "Contact"), (self.lead_person, self.lead, "Lead")):
            stamp = stamped(world, person)
            self.assertTrue(stamp["microsoftIsDeleted"])
            self.assertEqual(stamp["microsoftId"], record)   # of the record there was
            self.assertEqual(marketo.person(person, "lastName")["lastName"], name)
            marketo.update(person, title="Alone now")
        self.nothing_is_written(world)

    def test_p14_the_flow_action_after_a_deletion_makes_a_new_record(self):
        world, marketo, dynamics = self.start()
        dynamics.delete("contact", self.contact)
        world.serve_cycles(2)
        world.start()
        world.run_cycles(1)
        campaign = world.tandem("campaign")
        answer = campaign.sync_person(self.contact_person).json
        self.assertEqual((answer["outcome"], answer["entity"]), ("created", "lead"))
        self.assertNotEqual(answer["recordId"], self.contact)
        until(lambda: not stamped(world, self.contact_person)["microsoftIsDeleted"], 20, "the flag to go")
        stamp = stamped(world, self.contact_person)
        self.assertEqual((stamp["microsoftId"], stamp["microsoftType"]), (answer["recordId"], "Lead"))
        self.assertEqual(campaign.sync_person(self.contact_person).json["outcome"], "exists")
        dynamics.update("lead", answer["recordId"], jobtitle="Second life")
        world.run_cycles(1)
        self.assertEqual(marketo.person(self.contact_person, "title")["title"], "Second life")
        self.assertEqual(world.tandem("read").person(self.contact_person)["link"]["generation"], 2)
        world.stop()
        self.nothing_is_written(world)

    def test_a_row_that_vanished_without_a_notice_is_noticed_when_it_is_written(self):
        world, marketo, dynamics = self.start()
        # one that stays: a table that is empty is another story
        dynamics.create("contact", lastname="Other", emailaddress1="other@example.org")
        world.serve_cycles(1)
        dynamics.delete("contact", self.contact)
        world.sandbox.advance(8 * 86400)   # the notice is gone, the feed begins anew
        world.serve_cycles(2)
        marketo.update(self.contact_person, title="Anybody there?")
        marketo.update(self.lead_person, title="Here")
        world.serve_cycles(2)
        self.assertTrue(stamped(world, self.contact_person)["microsoftIsDeleted"])
        self.assertEqual(dynamics.get("lead", self.lead, "jobtitle")["jobtitle"], "Here")
        self.assertIsNone(dynamics.get("contact", self.contact))
        self.assertEqual(self.link_of(world, self.contact_person), None)

    def test_p18_a_person_deleted_in_marketo_comes_back_when_its_record_changes(self):
        world, marketo, dynamics = self.start()
        marketo.delete(self.contact_person)
        world.serve_cycles(2)
        self.nothing_is_written(world)
        dynamics.update("contact", self.contact, jobtitle="Back")
        world.serve_cycles(2)
        again = marketo.find("microsoftId", [self.contact], ("title", "lastName", "microsoftType"))
        self.assertEqual([(p["title"], p["lastName"], p["microsoftType"]) for p in again], [("Back", "Contact", "Contact")])
        self.assertNotEqual(again[0]["id"], self.contact_person)
        marketo.update(again[0]["id"], phone="99")
        world.serve_cycles(1)
        self.assertEqual(dynamics.get("contact", self.contact, "telephone1")["telephone1"], "99")

    def test_a_person_deleted_in_marketo_stays_away_where_the_field_file_says_so(self):
        world, marketo, dynamics = self.start()
        fields = {**json.loads(world.must("help", "fields")), "deletedInMarketo": "leave"}
        path = world.folder / "fields.json"
        path.write_text(json.dumps(fields))
        world.environment["TANDEM_FIELDS"] = str(path)
        marketo.delete(self.contact_person)
        world.serve_cycles(1)
        dynamics.update("contact", self.contact, jobtitle="Back")
        dynamics.update("lead", self.lead, jobtitle="As ever")
        world.serve_cycles(2)
        self.assertEqual(marketo.find("microsoftId", [self.contact]), [])
        self.assertEqual(marketo.person(self.lead_person, "title")["title"], "As ever")
        # The flow action cannot bring it back either: there is no such person. A new one with the same address is another.
        person = marketo.create(email="ada@example.org", lastName="Contact")
        dynamics.update("contact", self.contact, jobtitle="Back again")
        world.serve_cycles(2)
        self.assertIsNone(stamped(world, person).get("microsoftId"))


class Echo(Settled):
    def test_p7_what_we_write_never_comes_back(self):
        world, marketo, dynamics = self.start()
        marketo.update(self.lead_person, title="One", doNotCall=True, leadSource="Web")
        dynamics.update("contact", self.contact, jobtitle="Two", donotemail=True)
        world.serve_cycles(1)
        self.nothing_is_written(world, cycles=4)

    def test_p15_a_field_that_is_not_selected_never_travels(self):
        world, marketo, dynamics = self.start()
        dynamics.update("contact", self.contact, websiteurl="https://ada.example.org", nickname="Countess")
        marketo.update(self.lead_person, website="https://leo.example.org")
        self.nothing_is_written(world, cycles=2)
        self.assertIsNone(dynamics.get("lead", self.lead, "websiteurl")["websiteurl"])
        self.assertIsNone(marketo.person(self.contact_person, "website")["website"])

    def test_another_owner_is_no_change(self):
        world, marketo, dynamics = self.start()
        me = dynamics.call("GET", "WhoAmI").json["UserId"]
        other = next(u["systemuserid"] for u in dynamics.call("GET", "systemusers").json["value"]
                     if u["systemuserid"] != me and not u.get("isdisabled"))
        for table, record in (("contact", self.contact), ("lead", self.lead)):
            dynamics.update(table, record, **{"ownerid@odata.bind": f"/systemusers({other})"})
            self.assertEqual(dynamics.get(table, record, "_ownerid_value")["_ownerid_value"], other)
        self.nothing_is_written(world)
        marketo.update(self.contact_person, title="Whoever owns me")
        world.serve_cycles(1)
        row = dynamics.get("contact", self.contact, "jobtitle", "_ownerid_value")
        self.assertEqual((row["jobtitle"], row["_ownerid_value"]), ("Whoever owns me", other))

    def test_a_durable_unsubscribe_spreads_once(self):
        world, marketo, dynamics = self.start()
        rows = [dynamics.create("lead", lastname=f"Share {i}", subject="s", emailaddress1="share@example.org")
                for i in range(3)]
        world.serve_cycles(2)
        dynamics.update("lead", rows[0], donotbulkemail=True)
        world.serve_cycles(3)   # to Marketo, from there to everybody with the address, and on to their records
        self.assertEqual([dynamics.get("lead", row, "donotbulkemail")["donotbulkemail"] for row in rows], [True] * 3)
        people = marketo.find("email", ["share@example.org"], ("unsubscribed",))
        self.assertEqual([p["unsubscribed"] for p in people], [True] * 3)
        self.assertFalse(dynamics.get("lead", self.lead, "donotbulkemail")["donotbulkemail"])
        self.nothing_is_written(world)
        # and a new row with the address is opted out too, whatever its default says
        late = dynamics.create("lead", lastname="Late", subject="s", emailaddress1="share@example.org", donotbulkemail=False)
        world.serve_cycles(3)
        self.assertTrue(dynamics.get("lead", late, "donotbulkemail")["donotbulkemail"])
        self.nothing_is_written(world)


class Refused(Settled):
    REJECT = {"plugin": {"reject": {"table": "lead", "column": "jobtitle", "equals": "Late title",
                                    "message": "The lead is closed and read-only."}}}

    def test_a_deactivated_record_that_refuses_is_parked_and_resumes(self):
        world, marketo, dynamics = self.start()
        dynamics.update("lead", self.lead, statecode=2, statuscode=4)
        world.serve_cycles(1)
        self.assertEqual(marketo.person(self.lead_person, "leadStatus")["leadStatus"], "Disqualified")
        world.sandbox.limits(dynamics=self.REJECT)
        marketo.update(self.lead_person, title="Late title")
        marketo.update(self.contact_person, title="Somebody else")
        world.serve_cycles(2)
        self.assertEqual(dynamics.get("contact", self.contact, "jobtitle")["jobtitle"], "Somebody else")
        self.assertEqual(dynamics.get("lead", self.lead, "jobtitle")["jobtitle"], "Buyer")
        self.nothing_is_written(world)
        world.sandbox.limits(dynamics={"plugin": {}})
        dynamics.update("lead", self.lead, statecode=0, statuscode=1)   # open again: another try is worth it
        world.serve_cycles(2)
        self.assertEqual(dynamics.get("lead", self.lead, "jobtitle")["jobtitle"], "Late title")
        self.assertEqual(marketo.person(self.lead_person, "leadStatus")["leadStatus"], "Open")
        self.assertEqual(world.sql("SELECT * FROM error WHERE resolved_at IS NULL"), [])

    def test_an_inactive_contact_goes_on_travelling(self):
        world, marketo, dynamics = self.start()
        dynamics.update("contact", self.contact, statecode=1, statuscode=2)
        world.serve_cycles(1)
        marketo.update(self.contact_person, title="Retired")
        dynamics.update("contact", self.contact, telephone1="no more calls")
        world.serve_cycles(1)
        person = marketo.person(self.contact_person, "leadStatus", "phone")
        self.assertEqual((person["leadStatus"], person["phone"]), ("Inactive", "no more calls"))
        self.assertEqual(dynamics.get("contact", self.contact, "jobtitle")["jobtitle"], "Retired")


class Pause(Settled):
    def test_p25_everything_that_happens_in_a_pause_arrives_after_it(self):
        world, marketo, dynamics = self.start()
        world.start()
        world.run_cycles(1)
        admin = world.tandem("admin")
        self.assertEqual(admin.pause().status, 200)
        world.wait_state("paused")
        marketo.update(self.lead_person, title="First")
        marketo.update(self.lead_person, title="Last")
        dynamics.update("contact", self.contact, jobtitle="From the pause")
        both = (("contact", self.contact, self.contact_person), ("lead", self.lead, self.lead_person))
        for table, record, person in both:
            marketo.update(person, phone="m")
            dynamics.update(table, record, telephone1="d")
        gone = marketo.create(email="gone@example.org", lastName="Gone")
        new = dynamics.create("lead", lastname="New", subject="n", emailaddress1="new@example.org")
        queued = world.tandem("campaign").sync_person(gone)
        self.assertEqual((queued.status, queued.json["outcome"]), (202, "queued"))
        world.stop()
        world.start()   # a pause outlives the program
        world.wait_state("paused")
        self.assertEqual(dynamics.get("lead", self.lead, "jobtitle")["jobtitle"], "Buyer")
        self.assertEqual(marketo.find("microsoftId", [new]), [])
        self.assertEqual(world.tandem("admin").resume().status, 200)
        world.run_cycles(2)
        self.assertEqual(dynamics.get("lead", self.lead, "jobtitle")["jobtitle"], "Last")
        self.assertEqual(marketo.person(self.contact_person, "title")["title"], "From the pause")
        for (table, record, person), winner in zip(both, ("d", "m")):
            self.assertEqual(dynamics.get(table, record, "telephone1")["telephone1"], winner)
            self.assertEqual(marketo.person(person, "phone")["phone"], winner)
        self.assertEqual(len(marketo.find("microsoftId", [new])), 1)
        until(lambda: stamped(world, gone).get("microsoftId"), 30, "the queued record")
        self.assertEqual(len(world.tandem("read").collisions()), 2)


if __name__ == "__main__":
    unittest.main()
