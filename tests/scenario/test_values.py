"""Values that do not stay as they were written: programs on either side that rewrite them, edits that fall between our read
and our write, and what a person's page tells of it all."""

import re
import unittest

from harness import ROOT, until
from test_links import Settled

UPPER = {"plugin": {"rewrite": {"table": "lead", "column": "jobtitle", "as": "upper"}}}
RULES = re.compile(r'X\(\w+, "(\w+)"')


class Rewritten(Settled):
    def titles(self, marketo, dynamics):
        return (marketo.person(self.lead_person, "title")["title"], dynamics.get("lead", self.lead, "jobtitle")["jobtitle"])

    def test_a_value_that_dynamics_rewrites_settles_as_rewritten(self):
        world, marketo, dynamics = self.start()
        world.sandbox.limits(dynamics=UPPER)
        marketo.update(self.lead_person, title="Chief")
        world.serve_cycles(2)
        self.assertEqual(self.titles(marketo, dynamics), ("CHIEF", "CHIEF"))
        self.nothing_is_written(world)
        for table in ("error", "collision"):
            self.assertEqual(world.sql(f"SELECT count(*) FROM {table}"), [["0"]])

    def quarrel(self, world, marketo, dynamics, cycles):
        """Dynamics writes titles in capitals, and a campaign in Marketo in small letters whenever they change."""
        world.sandbox.limits(dynamics=UPPER)
        marketo.update(self.lead_person, title="chief")
        for _ in range(cycles):
            world.serve_cycles(1)
            title = marketo.person(self.lead_person, "title")["title"]
            if title != title.lower():
                marketo.update(self.lead_person, title=title.lower())

    def test_two_programs_that_rewrite_each_other_are_left_alone_after_three_turns(self):
        world, marketo, dynamics = self.start()
        self.quarrel(world, marketo, dynamics, 4)
        self.assertEqual(self.titles(marketo, dynamics), ("chief", "CHIEF"))
        self.nothing_is_written(world)
        marketo.update(self.lead_person, phone="other fields go on")
        world.start()
        world.run_cycles(1)
        self.assertEqual(dynamics.get("lead", self.lead, "telephone1")["telephone1"], "other fields go on")
        read = world.tandem("read")
        errors = read.errors()
        self.assertEqual([(e["personId"], e["field"], e["code"], e["direction"]) for e in errors],
                         [(self.lead_person, "title", "BOUNCES", "Dynamics to Marketo")])
        page = read.person(self.lead_person)
        title = next(f for f in page["fields"] if f["name"] == "title")
        self.assertEqual((title["state"], title["lastRule"]), ("parked", "bounces"))
        self.assertIn("3 times", title["why"])
        self.assertEqual([e["code"] for e in page["errors"]], ["BOUNCES"])

    def test_a_frozen_field_travels_again_when_people_change_it(self):
        for side in ("marketo", "dynamics"):
            with self.subTest(side=side):
                world, marketo, dynamics = self.start()
                self.quarrel(world, marketo, dynamics, 5)
                self.assertEqual(self.titles(marketo, dynamics), ("chief", "CHIEF"))
                world.sandbox.limits(dynamics={"plugin": {}})   # the quarrel is over
                if side == "marketo":
                    marketo.update(self.lead_person, title="Director")
                else:
                    dynamics.update("lead", self.lead, jobtitle="Director")
                world.serve_cycles(2)
                self.assertEqual(self.titles(marketo, dynamics), ("Director", "Director"))
                self.assertEqual(world.sql("SELECT count(*) FROM error WHERE resolved_at IS NULL"), [["0"]])
                self.nothing_is_written(world)


class Covered(Settled):
    """The marketer is a moment too late for our read and too early for our write; Marketo has no versions that would tell."""

    def cover(self, world, edit, write):
        """edit() happens while the write that write() causes is on its way to Marketo."""
        world.start()
        world.run_cycles(1)
        world.sandbox.faults({"side": "marketo", "method": "POST", "path": "/rest/v1/leads.json", "user": "tandem", "nth": 1,
                              "effect": {"delayMs": 1500}})
        write()
        until(lambda: world.sandbox.faults_fired()[0]["fired"] == 1, 30, "the write on its way")
        edit()
        world.sandbox.faults()
        world.run_cycles(3)
        return [(c["personId"], c["field"], c["rule"], c["winner"], c["marketoValue"], c["dynamicsValue"])
                for c in world.tandem("read").collisions()]

    def check(self, table, record, person, rule, winner, title):
        world, marketo, dynamics = self.start()
        record, person = getattr(self, record), getattr(self, person)
        rows = self.cover(world, lambda: marketo.update(person, title="Marketer insists"),
                          lambda: dynamics.update(table, record, jobtitle="From Dynamics"))
        self.assertEqual(rows, [(person, "title", rule, winner, "Marketer insists", "From Dynamics")])
        self.assertEqual(marketo.person(person, "title")["title"], title)
        self.assertEqual(dynamics.get(table, record, "jobtitle")["jobtitle"], title)
        world.stop()
        self.nothing_is_written(world)

    def test_of_a_lead_the_edit_is_put_back_and_travels(self):
        self.check("lead", "lead", "lead_person", "lead_marketo_wins", "marketo", "Marketer insists")

    def test_of_a_contact_the_edit_is_recorded(self):
        self.check("contact", "contact", "contact_person", "contact_dynamics_wins", "dynamics", "From Dynamics")

    def test_an_edit_of_another_field_is_not_covered(self):
        world, marketo, dynamics = self.start()
        rows = self.cover(world, lambda: marketo.update(self.contact_person, phone="55"),
                          lambda: dynamics.update("contact", self.contact, jobtitle="From Dynamics"))
        self.assertEqual(rows, [])
        self.assertEqual(dynamics.get("contact", self.contact, "telephone1")["telephone1"], "55")
        self.assertEqual(marketo.person(self.contact_person, "title")["title"], "From Dynamics")
        self.assertEqual(world.sql("SELECT count(*) FROM overwrite"), [["0"]])   # the log has confirmed the write


class Page(Settled):
    """GET /v1/persons/{id}: what happened last to every field, and why."""

    @staticmethod
    def described():
        """Of the manual: (members of a field, its states, its directions)."""
        text = (ROOT / "openapi.yaml").read_text(encoding="utf-8")
        part = re.search(r"^    Person:\n(.*?)^    \w", text, re.M | re.S).group(1)
        part = part[part.index("        fields:"):]
        required, states, directions = (re.search(pattern, part).group(1).split(", ") for pattern in (
            r"required: \[(.*?)\]", r"state:\n\s+enum: \[(.*?)\]", r"lastDirection: \{enum: \[(.*?)\]"))
        return set(required), set(states), {None if d == "null" else d for d in directions}

    def test_every_field_is_explained(self):
        world, marketo, dynamics = self.start()
        world.start()
        world.run_cycles(1)
        marketo.update(self.lead_person, title="M", phone="m", lastName="x" * 60, leadStatus="Nonsense")
        dynamics.update("lead", self.lead, telephone1="d", address1_city="Ghent")
        world.run_cycles(2)
        page = world.tandem("read").person(self.lead_person)
        members, states, directions = self.described()
        rules = set(RULES.findall((ROOT / "service/core/merge.h").read_text(encoding="utf-8")))
        for field in page["fields"]:
            with self.subTest(field=field["name"]):
                self.assertEqual(set(field), members)
                self.assertIn(field["state"], states)
                self.assertIn(field["lastDirection"], directions)
                self.assertTrue(field["why"])
                self.assertIn(field["lastRule"], rules | {None})
                self.assertEqual(field["lastRule"] is None, field["lastTime"] is None)
                self.assertEqual(field["lastRule"] is None, field["lastDirection"] is None)
                if field["lastTime"]:
                    self.assertRegex(field["lastTime"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        shown = {f["name"]: (f["state"], f["lastRule"], f["lastDirection"]) for f in page["fields"]}
        self.assertEqual(len(shown), len(page["fields"]))
        self.assertEqual(shown["title"], ("agreed", "only_change", "to_dynamics"))
        self.assertEqual(shown["phone"], ("agreed", "lead_marketo_wins", "to_dynamics"))
        self.assertEqual(shown["city"], ("agreed", "only_change", "to_marketo"))
        self.assertEqual(shown["firstName"], ("agreed", None, None))
        self.assertEqual(shown["leadStatus"][1:], ("one_way", "to_dynamics"))
        self.assertEqual(shown["lastName"][0], "parked")
        self.assertNotIn("xxxx", str(page["fields"]))
        self.assertEqual([c["field"] for c in page["collisions"]], ["phone"])
        self.assertEqual([e["field"] for e in page["errors"]], ["lastName"])
        self.assertEqual((page["link"]["state"], page["link"]["recordId"]), ("live", self.lead))

    def test_a_field_that_may_not_be_read_says_so(self):
        world, marketo, dynamics = self.start()
        world.sandbox.limits(dynamics={"secured": {"lead": ["jobtitle"]}, "denied": {"tandem": {"lead": ["jobtitle"]}}})
        world.start()
        world.run_cycles(2)
        fields = {f["name"]: f for f in world.tandem("read").person(self.lead_person)["fields"]}
        self.assertEqual(fields["title"]["state"], "paused")
        self.assertIn("jobtitle", fields["title"]["why"])
        self.assertEqual(fields["phone"]["state"], "agreed")

    def test_nobody_and_a_person_without_a_record(self):
        world, marketo, dynamics = self.start()
        world.start()
        world.run_cycles(1)
        alone = marketo.create(email="alone@example.org", lastName="Alone")
        world.run_cycles(1)
        self.assertIsNone(world.tandem("read").person(alone))
        self.assertIsNone(world.tandem("read").person(999999))


if __name__ == "__main__":
    unittest.main()
