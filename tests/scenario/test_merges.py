"""Two become one (P20): leads qualified into contacts, records merged in Dynamics, persons merged in Marketo, each with and
without the sync filter."""

import unittest

from sides import stamped
from test_filter import FILTER, Filtered
from test_links import Settled

KIND = "Microsoft.Dynamics.CRM."


def merge_records(dynamics, table, winner, loser, **content):
    """As a seller does it: the loser stays, inactive, and names the winner."""
    body = {"Target": {"@odata.type": KIND + table, table + "id": winner},
            "Subordinate": {"@odata.type": KIND + table, table + "id": loser}, "PerformParentingChecks": False}
    if content:
        body["UpdateContent"] = {"@odata.type": KIND + table, **content}
    dynamics.call("POST", "Merge", body)


def contact_of(dynamics, lead):
    return dynamics.query("contact", f"_originatingleadid_value eq {lead}", ("contactid",))[0]["contactid"]


class Qualified(Settled):
    def test_p20_a_qualified_lead_hands_its_person_to_the_contact(self):
        world, marketo, dynamics = self.start()
        dynamics.qualify(self.lead)
        contact = contact_of(dynamics, self.lead)
        # changed on both sides in the same pass: it is a contact already, so Dynamics wins
        dynamics.update("contact", contact, jobtitle="Dynamics title")
        marketo.update(self.lead_person, title="Marketo title", phone="from Marketo")
        world.serve_cycles(2)
        stamp = stamped(world, self.lead_person)
        self.assertEqual((stamp["microsoftId"], stamp["microsoftType"]), (contact, "Contact"))
        self.assertEqual(len(marketo.find("email", ["leo@example.org"])), 1)
        self.assertEqual(self.link_of(world, self.lead_person), ["1", "2", contact])
        self.assertEqual(marketo.person(self.lead_person, "title")["title"], "Dynamics title")
        self.assertEqual(dynamics.get("contact", contact, "telephone1")["telephone1"], "from Marketo")
        self.assertEqual(world.sql("SELECT field, rule FROM collision"), [["title", "contact_dynamics_wins"]])
        self.nothing_is_written(world)


class QualifiedWithFilter(Filtered):
    def qualified(self, lead_mark, contact_mark):
        """A linked lead that is qualified: (world, lead, contact, person of the lead or None)."""
        world = self.start()
        lead = self.row("lead", "Opportunity", lead_mark)
        world.serve_cycles(2)
        person = self.person_of(lead)
        self.dynamics.qualify(lead)
        contact = contact_of(self.dynamics, lead)
        self.dynamics.update("contact", contact, **{FILTER: contact_mark})
        world.serve_cycles(2)
        return world, lead, contact, person and person[0]

    def test_p20_qualified_yes_and_yes_the_contact_is_synced(self):
        world, lead, contact, person = self.qualified(True, True)
        self.assertEqual(self.person_of(contact), (person, "Old"))
        self.assertIsNone(self.person_of(lead))
        self.edit_both("contact", contact, "New")
        world.serve_cycles(1)
        self.assertEqual(self.arrived("contact", contact), ("New", "New"))

    def test_p20_qualified_no_and_no_nothing_happens(self):
        world, lead, contact, person = self.qualified(False, False)
        self.assertIsNone(person)
        self.assertEqual((self.person_of(lead), self.person_of(contact)), (None, None))
        self.assertEqual(world.sql("SELECT count(*) FROM link"), [["0"]])

    def test_p20_qualified_no_and_yes_a_new_person_is_made(self):
        _, lead, contact, _ = self.qualified(False, True)
        self.assertIsNone(self.person_of(lead))
        self.assertEqual(self.person_of(contact)[1], "Old")

    def test_p20_qualified_yes_and_no_the_lead_goes_on_and_the_contact_is_left_out(self):
        world, lead, contact, person = self.qualified(True, False)
        self.assertIsNone(self.person_of(contact))
        self.assertEqual(self.person_of(lead)[0], person)
        self.assertEqual(self.marketo.person(person, "leadStatus")["leadStatus"], "Qualified")
        self.assertEqual(stamped(world, person)["microsoftType"], "Lead")


class MergedInDynamics(Settled):
    def test_p20_the_link_moves_to_a_winner_without_a_person(self):
        for table, loser, person in (("contact", "contact", "contact_person"), ("lead", "lead", "lead_person")):
            with self.subTest(table=table):
                world, marketo, dynamics = self.start()
                person, loser = getattr(self, person), getattr(self, loser)
                winner = dynamics.create(table, lastname="Winner", jobtitle="Of the winner",
                                         **({"subject": "w"} if table == "lead" else {}))
                merge_records(dynamics, table, winner, loser, telephone1="chosen")
                marketo.update(person, mobilePhone="while merging")
                world.serve_cycles(2)
                self.assertEqual(stamped(world, person)["microsoftId"], winner)
                self.assertFalse(stamped(world, person)["microsoftIsDeleted"])
                self.assertEqual(len(marketo.find("microsoftId", [winner])), 1)
                shown = marketo.person(person, "title", "phone", "lastName")
                self.assertEqual((shown["title"], shown["phone"], shown["lastName"]), ("Of the winner", "chosen", "Winner"))
                row = dynamics.get(table, winner, "mobilephone")
                self.assertEqual(row["mobilephone"], "while merging")
                self.assertIsNone(dynamics.get(table, loser, "mobilephone")["mobilephone"])
                self.assertEqual(world.sql("SELECT count(*) FROM error WHERE resolved_at IS NULL"), [["0"]])
                self.nothing_is_written(world)

    def test_a_winner_that_knows_less_takes_nothing_away(self):
        world, marketo, dynamics = self.start()
        marketo.update(self.contact_person, unsubscribed=True, doNotCall=True, mobilePhone="kept")
        world.serve_cycles(2)
        winner = dynamics.create("contact", lastname="Winner", donotbulkemail=False, donotphone=False)
        merge_records(dynamics, "contact", winner, self.contact)
        world.serve_cycles(2)
        person = marketo.person(self.contact_person, "unsubscribed", "doNotCall", "email", "mobilePhone", "lastName")
        self.assertEqual((person["unsubscribed"], person["doNotCall"]), (True, True))
        self.assertEqual((person["email"], person["mobilePhone"], person["lastName"]), ("ada@example.org", "kept", "Winner"))
        row = dynamics.get("contact", winner, "donotbulkemail", "donotphone", "emailaddress1", "mobilephone")
        self.assertEqual((row["donotbulkemail"], row["donotphone"]), (True, True))
        self.assertEqual((row["emailaddress1"], row["mobilephone"]), ("ada@example.org", "kept"))
        self.nothing_is_written(world)

    def test_p20_a_winner_with_a_person_keeps_it_and_the_losers_is_reported(self):
        world, marketo, dynamics = self.start()
        winner = dynamics.create("contact", lastname="Winner", emailaddress1="winner@example.org", jobtitle="W")
        world.serve_cycles(2)
        winner_person = marketo.find("microsoftId", [winner])[0]["id"]
        merge_records(dynamics, "contact", winner, self.contact, jobtitle="Merged")
        world.start()
        world.run_cycles(2)
        self.assertEqual(marketo.person(winner_person, "title")["title"], "Merged")
        self.assertEqual(stamped(world, self.contact_person)["microsoftId"], self.contact)
        errors = world.tandem("read").errors()
        self.assertEqual([(e["personId"], e["code"], e["operation"]) for e in errors],
                         [(self.contact_person, "MERGED", "link")])
        self.assertIn(f"person {winner_person}", errors[0]["message"])
        self.assertEqual(world.tandem("read").person(self.contact_person)["link"]["state"], "paused")
        marketo.update(self.contact_person, title="Into nothing")
        dynamics.update("contact", winner, telephone1="5")
        world.run_cycles(2)
        self.assertNotEqual(dynamics.get("contact", self.contact, "jobtitle")["jobtitle"], "Into nothing")
        self.assertEqual(marketo.person(winner_person, "phone")["phone"], "5")
        # what the report asks for
        marketo.merge(winner_person, self.contact_person)
        world.run_cycles(2)
        self.assertEqual(stamped(world, winner_person)["microsoftId"], winner)
        marketo.update(winner_person, title="One again")
        world.run_cycles(1)
        self.assertEqual(dynamics.get("contact", winner, "jobtitle")["jobtitle"], "One again")

    def test_two_that_lost_to_one_row_without_a_person(self):
        world, marketo, dynamics = self.start()
        second = dynamics.create("contact", lastname="Second", emailaddress1="second@example.org")
        world.serve_cycles(2)
        people = [self.contact_person, marketo.find("microsoftId", [second])[0]["id"]]
        winner = dynamics.create("contact", lastname="Winner")
        for loser in (self.contact, second):
            merge_records(dynamics, "contact", winner, loser)
        world.serve_cycles(2)
        self.assertEqual(len(marketo.find("microsoftId", [winner])), 1)
        states = sorted(self.link_of(world, person)[0] for person in people)
        self.assertEqual(states, ["1", "4"])   # one lives on with the winner, the other is paused
        self.assertEqual(world.sql("SELECT code FROM error WHERE resolved_at IS NULL"), [["MERGED"]])


class MergedWithFilter(Filtered):
    def merged(self, loser_mark, winner_mark):
        world = self.start()
        loser, winner = self.row("contact", "Loser", loser_mark), self.row("contact", "Winner", winner_mark)
        world.serve_cycles(2)
        merge_records(self.dynamics, "contact", winner, loser, jobtitle="Merged")
        world.serve_cycles(2)
        return world, loser, winner

    def test_p20_merged_yes_into_yes_the_winner_keeps_syncing(self):
        _, _, winner = self.merged(True, True)
        self.assertEqual(self.title_in_marketo(winner), "Merged")
        self.assertEqual(self.state_of(winner), "live")

    def test_p20_merged_no_into_no_the_winner_stays_out(self):
        world, loser, winner = self.merged(False, False)
        self.assertEqual((self.person_of(loser), self.person_of(winner)), (None, None))
        self.assertEqual(world.sql("SELECT count(*) FROM link"), [["0"]])

    def test_p20_merged_no_into_yes_the_winner_is_synced(self):
        _, loser, winner = self.merged(False, True)
        self.assertIsNone(self.person_of(loser))
        self.assertEqual(self.title_in_marketo(winner), "Merged")

    def test_p20_merged_yes_into_no_the_winner_is_not_synced(self):
        world, loser, winner = self.merged(True, False)
        person = self.marketo.find("email", ["loser.contact@example.org"], ("title",))[0]
        self.assertEqual(person["title"], "Old")
        self.marketo.update(person["id"], phone="unheard")
        world.serve_cycles(2)
        for row in (loser, winner):
            self.assertIsNone(self.dynamics.get("contact", row, "telephone1")["telephone1"])


class MergedInMarketo(Settled):
    def test_p20_a_winner_without_a_record_takes_the_losers(self):
        world, marketo, dynamics = self.start()
        winner = marketo.create(email="ada.new@example.org", lastName="Winner", title="Kept")
        world.serve_cycles(1)
        marketo.merge(winner, self.contact_person)
        world.serve_cycles(3)
        stamp = stamped(world, winner)
        self.assertEqual((stamp["microsoftId"], stamp["microsoftType"]), (self.contact, "Contact"))
        self.assertEqual(self.link_of(world, winner), ["1", "2", self.contact])
        self.assertEqual(len(marketo.find("microsoftId", [self.contact])), 1)
        person = marketo.person(winner, "lastName", "title", "email")
        row = dynamics.get("contact", self.contact, "lastname", "jobtitle", "emailaddress1")
        self.assertEqual((person["lastName"], person["title"], person["email"]),
                         (row["lastname"], row["jobtitle"], row["emailaddress1"]))
        self.nothing_is_written(world)

    def test_p20_two_persons_with_records_stay_two_records_and_are_reported(self):
        world, marketo, dynamics = self.start()
        other = dynamics.create("contact", lastname="Other", emailaddress1="other@example.org")
        world.serve_cycles(2)
        winner = marketo.find("microsoftId", [other])[0]["id"]
        marketo.merge(winner, self.contact_person)
        world.start()
        world.run_cycles(2)
        self.assertEqual(stamped(world, winner)["microsoftId"], other)
        self.assertIsNotNone(dynamics.get("contact", self.contact))   # never merged or deleted from here
        errors = world.tandem("read").errors()
        self.assertEqual([(e["recordId"], e["personId"], e["operation"]) for e in errors], [(self.contact, winner, "link")])
        self.assertIn(f"person {self.contact_person}", errors[0]["message"])
        marketo.update(winner, title="Goes to the winner's record")
        world.run_cycles(1)
        self.assertEqual(dynamics.get("contact", other, "jobtitle")["jobtitle"], "Goes to the winner's record")
        self.assertEqual(dynamics.get("contact", self.contact, "jobtitle")["jobtitle"], "Engineer")

    def test_a_winner_whose_record_was_refused_takes_the_losers(self):
        world, marketo, dynamics = self.start()
        winner = marketo.create(email="refused@example.org", lastName="Refused", title="Forbidden")
        world.sandbox.limits(dynamics={"plugin": {"reject": {"table": "lead", "column": "jobtitle", "equals": "Forbidden",
                                                             "message": "Not like this."}}})
        world.start()
        world.run_cycles(1)
        answer = world.tandem("campaign").sync_person(winner).json
        self.assertEqual(answer["outcome"], "rejected")
        marketo.merge(winner, self.contact_person)
        world.run_cycles(3)
        self.assertEqual(self.link_of(world, winner), ["1", "2", self.contact])
        marketo.update(winner, phone="3")
        world.run_cycles(1)
        self.assertEqual(dynamics.get("contact", self.contact, "telephone1")["telephone1"], "3")


if __name__ == "__main__":
    unittest.main()
