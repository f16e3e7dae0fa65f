"""The sync filter (P19): a column by which people in Dynamics say which rows take part. Without it every row does."""

import json
import unittest

from harness import Scenario
from sides import stamped

FILTER = "new_synctomkto"


class Filtered(Scenario):
    TABLES = ("contact", "lead")

    def start(self, **file_members):
        """A world whose tables have the column; file_members: for the field file."""
        self.world_ = world = self.world()
        world.sandbox.limits(dynamics={"filterColumn": True})
        if file_members:
            path = world.folder / "fields.json"
            path.write_text(json.dumps({**json.loads(world.must("help", "fields")), **file_members}))
            world.environment["TANDEM_FIELDS"] = str(path)
        world.setup()
        self.marketo, self.dynamics = world.marketo(), world.dynamics()
        return world

    def row(self, table, name, mark, **columns):
        return self.dynamics.create(table, lastname=name, emailaddress1=f"{name.lower()}.{table}@example.org",
                                    jobtitle="Old", **{FILTER: mark}, **({"subject": "s"} if table == "lead" else {}), **columns)

    def person_of(self, record):
        """(id, title) of the persons that carry the stamp of the record."""
        found = self.marketo.find("microsoftId", [record], ("title",))
        self.assertLessEqual(len(found), 1, found)
        return (found[0]["id"], found[0]["title"]) if found else None

    def title_in_marketo(self, record):
        return self.person_of(record)[1]

    def title_in_dynamics(self, table, record):
        return self.dynamics.get(table, record, "jobtitle")["jobtitle"]

    def state_of(self, record):
        rows = self.world_.sql(f"SELECT state FROM link WHERE record_id = '{record}'")
        return {"1": "live", "4": "paused", "2": "deleted_in_dynamics"}[rows[0][0]] if rows else None

    def edit_both(self, table, record, text):
        """A seller changes the title, a marketer the phone."""
        self.dynamics.update(table, record, jobtitle=text)
        self.marketo.update(self.person_of(record)[0], phone=text)

    def arrived(self, table, record):
        """What of the two has come to the other side, as texts."""
        person = self.marketo.find("microsoftId", [record], ("title", "phone"))[0]
        return person["title"], self.dynamics.get(table, record, "telephone1")["telephone1"]


class Marks(Filtered):
    def test_p19_without_the_column_every_row_takes_part(self):
        world = self.world()
        world.setup()
        self.world_, self.marketo, self.dynamics = world, world.marketo(), world.dynamics()
        row = self.dynamics.create("contact", lastname="Free", jobtitle="Old")
        world.serve_cycles(2)
        self.edit_both("contact", row, "New")
        world.serve_cycles(1)
        self.assertEqual(self.arrived("contact", row), ("New", "New"))
        self.assertEqual(self.state_of(row), "live")

    def check_marks(self, world, null_creates, null_travels):
        rows = {(table, mark): self.row(table, f"Mark{mark}", mark) for table in self.TABLES for mark in (True, False, None)}
        world.serve_cycles(2)
        creates = {True: True, False: False, None: null_creates}
        travels = {True: True, False: False, None: null_travels}
        for (table, mark), row in rows.items():
            with self.subTest(table=table, mark=mark):
                self.assertEqual(self.person_of(row) is not None, creates[mark])
                self.assertEqual(self.dynamics.get(table, row, FILTER)[FILTER], mark)   # what people chose stays
                expected = "live" if travels[mark] else "paused" if creates[mark] else None
                self.assertEqual(self.state_of(row), expected)
                if creates[mark]:
                    self.assertEqual(self.title_in_marketo(row), "Old")
        for (table, mark), row in rows.items():
            if creates[mark]:
                self.edit_both(table, row, "New")
            else:
                self.dynamics.update(table, row, jobtitle="New")
        world.serve_cycles(2)
        for (table, mark), row in rows.items():
            with self.subTest(table=table, mark=mark, edited=True):
                if travels[mark]:
                    self.assertEqual(self.arrived(table, row), ("New", "New"))
                elif creates[mark]:
                    self.assertEqual(self.arrived(table, row), ("Old", None))
                else:
                    self.assertIsNone(self.person_of(row))
        self.assertEqual(world.sql("SELECT count(*) FROM error"), [["0"]])

    def test_p19_yes_takes_part_no_does_not_and_empty_gets_a_person_once(self):
        self.check_marks(self.start(), null_creates=True, null_travels=False)

    def test_p19_empty_takes_part_where_the_field_file_says_so(self):
        self.check_marks(self.start(filter={"column": FILTER, "empty": "sync"}), null_creates=True, null_travels=True)

    def test_p19_empty_is_skipped_where_the_field_file_says_so(self):
        self.check_marks(self.start(filter={"column": FILTER, "empty": "skip"}), null_creates=False, null_travels=False)

    def test_a_field_file_without_filter_looks_at_no_column(self):
        world = self.start(filter={"column": None})
        row = self.row("contact", "Anyway", False)
        world.serve_cycles(2)
        self.edit_both("contact", row, "New")
        world.serve_cycles(1)
        self.assertEqual(self.arrived("contact", row), ("New", "New"))


class Changes(Filtered):
    def test_p19_no_to_yes_brings_the_row_in(self):
        world = self.start()
        alone, known = self.row("lead", "Alone", False), self.row("contact", "Known", False)
        person = self.marketo.create(email="known.contact@example.org", lastName="Known", phone="5")
        world.serve_cycles(2)
        self.assertIsNone(self.person_of(alone))
        self.dynamics.update("lead", alone, **{FILTER: True})
        self.dynamics.update("contact", known, **{FILTER: True})
        world.serve_cycles(2)
        self.assertEqual(self.title_in_marketo(alone), "Old")
        self.assertEqual(self.person_of(known), (person, "Old"))   # somebody with the address was there already
        self.assertEqual(self.dynamics.get("contact", known, "telephone1")["telephone1"], "5")

    def pause_all(self, world):
        rows = {table: self.row(table, "Patient", True) for table in self.TABLES}
        world.serve_cycles(2)
        for table, row in rows.items():
            # the title changes together with the mark: it is one of the changes that wait
            self.dynamics.update(table, row, jobtitle="With the No", **{FILTER: False})
        world.serve_cycles(1)
        return rows

    def test_p19_yes_to_no_stops_both_ways_and_deletes_nothing(self):
        world = self.start()
        rows = self.pause_all(world)
        for table, row in rows.items():
            with self.subTest(table=table):
                self.assertEqual(self.state_of(row), "paused")
                self.assertEqual(self.title_in_marketo(row), "Old")
                stamp = stamped(world, self.person_of(row)[0])
                self.assertEqual((stamp["microsoftId"], bool(stamp["microsoftIsDeleted"])), (row, False))
                self.edit_both(table, row, "Waiting")
        world.sandbox.calls_reset()
        world.serve_cycles(3)
        self.assertNotIn("POST /rest/v1/leads.json", world.sandbox.calls("marketo"))
        for table, row in rows.items():
            with self.subTest(table=table, waiting=True):
                self.assertEqual(self.arrived(table, row), ("Old", None))
        world.start()
        world.run_cycles(1)
        answer = world.tandem("campaign").sync_person(self.person_of(rows["lead"])[0]).json
        self.assertEqual((answer["outcome"], answer["recordId"]), ("exists", rows["lead"]))
        world.run_cycles(1)
        page = world.tandem("read").person(self.person_of(rows["lead"])[0])
        self.assertEqual(page["link"]["state"], "paused")

    def test_p19_back_to_yes_brings_what_both_sides_did_meanwhile(self):
        world = self.start()
        rows = self.pause_all(world)
        people = {table: self.person_of(row)[0] for table, row in rows.items()}
        for table, row in rows.items():
            self.edit_both(table, row, "Meanwhile")
            self.dynamics.update(table, row, mobilephone="d", donotphone=True)
            self.marketo.update(people[table], mobilePhone="m")   # the same field on both sides
        world.serve_cycles(2)
        for table, row in rows.items():
            self.dynamics.update(table, row, **{FILTER: True})
        world.serve_cycles(2)
        for (table, row), winner in zip(rows.items(), ("d", "m")):
            with self.subTest(table=table):
                self.assertEqual(self.arrived(table, row), ("Meanwhile", "Meanwhile"))
                person = self.marketo.person(people[table], "mobilePhone", "doNotCall")
                self.assertEqual((person["mobilePhone"], person["doNotCall"]), (winner, True))
                self.assertEqual(self.dynamics.get(table, row, "mobilephone")["mobilephone"], winner)
                self.assertEqual(self.state_of(row), "live")
                self.assertEqual(self.person_of(row)[0], people[table])
        kept = world.sql("SELECT field, marketo_value, dynamics_value FROM collision")
        self.assertEqual(kept, [["mobilePhone", "m", "d"]] * 2)
        self.edit_both("contact", rows["contact"], "As before")
        world.serve_cycles(1)
        self.assertEqual(self.arrived("contact", rows["contact"]), ("As before", "As before"))

    def test_a_row_deleted_while_it_is_kept_out_flags_its_person(self):
        world = self.start()
        rows = self.pause_all(world)
        person = self.person_of(rows["lead"])[0]
        self.dynamics.delete("lead", rows["lead"])
        world.serve_cycles(2)
        self.assertTrue(stamped(world, person)["microsoftIsDeleted"])
        self.assertEqual(self.state_of(rows["lead"]), "deleted_in_dynamics")


class Created(Filtered):
    def create(self, world, name):
        person = self.marketo.create(email=f"{name}@example.org", lastName=name)
        world.start()
        world.run_cycles(1)
        answer = world.tandem("campaign").sync_person(person).json
        self.assertEqual(answer["outcome"], "created")
        world.stop()
        return person, answer["recordId"]

    def test_records_made_for_persons_are_marked_yes(self):
        world = self.start()
        person, record = self.create(world, "made")
        self.assertTrue(self.dynamics.get("lead", record, FILTER)[FILTER])
        self.edit_both("lead", record, "New")
        world.serve_cycles(2)
        self.assertEqual(self.arrived("lead", record), ("New", "New"))
        self.dynamics.update("lead", record, **{FILTER: False})   # ours to begin with, theirs from then on
        world.serve_cycles(2)
        self.marketo.update(person, phone="Later")
        world.serve_cycles(2)
        self.assertEqual(self.arrived("lead", record), ("New", "New"))
        self.assertIs(self.dynamics.get("lead", record, FILTER)[FILTER], False)

    def test_records_are_not_marked_where_the_field_file_says_so(self):
        world = self.start(filter={"column": FILTER, "setOnCreate": False})
        _, record = self.create(world, "unmarked")
        self.assertIsNot(self.dynamics.get("lead", record, FILTER)[FILTER], True)


if __name__ == "__main__":
    unittest.main()
