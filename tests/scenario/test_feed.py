"""The change feed of Dynamics read in several pages, while rows change behind the reader's back."""

import json
import unittest

from harness import Scenario, until

ROWS = 12
PAGE = 5
CONTACTS = "/api/data/v9.2/contacts"


class Pages(Scenario):
    """A few contacts on several pages, and a link that goes on from the last of them."""

    def start(self, rows=ROWS, token="last"):
        world = self.world()
        world.must("migrate")
        world.setup()
        world.sandbox.limits(dynamics={"pageRows": PAGE, "deltaToken": token})
        self.dynamics = world.dynamics()
        self.contacts = [self.dynamics.create("contact", lastname=f"Row {i:02}", emailaddress1=f"row{i}@example.org",
                                              jobtitle="before") for i in range(rows)]
        return world

    def title_of(self, world, contact):
        return world.marketo().find("microsoftId", [contact], ("title",))[0]["title"]

    def place(self, world):
        rows = world.sql("SELECT place FROM cursor WHERE name = 'contact'")
        return rows[0][0] if rows else ""

    def stop_behind(self, world, questions, place):
        """Served until so many questions for contacts are answered and the place is committed; then killed."""
        world.sandbox.faults({"side": "dynamics", "method": "GET", "path": CONTACTS, "user": "tandem",
                              "from": questions + 1, "count": 1000, "effect": {"status": 503}})
        world.start()
        until(lambda: place in self.place(world), 60, f"a place with {place}")
        world.kill9()
        world.sandbox.faults()

    def stop_behind_first_page(self, world):
        is_delta = "deltatoken" in self.place(world)  # a baseline asks for the highest version before its first page
        self.stop_behind(world, 1 if is_delta else 2, "skiptoken")


class Guard(Pages):
    def changed_between_pages(self, world):
        """An edit of a row that was read, a new row, and the reading goes on in another life."""
        self.stop_behind_first_page(world)
        self.dynamics.update("contact", self.contacts[0], jobtitle="between the pages")
        self.contacts.append(self.dynamics.create("contact", lastname="Late", emailaddress1="late@example.org",
                                                  jobtitle="new"))
        world.serve_cycles(2)

    def everything_is_quiet(self, world):
        """One more cycle asks for one page, and writes nothing."""
        self.assertNotIn("!", self.place(world))
        world.sandbox.calls_reset()
        world.serve_cycles(1)
        calls = world.sandbox.calls("dynamics")
        self.assertEqual(calls[f"GET {CONTACTS}"]["count"], 1, calls)
        self.assertEqual([name for name in calls if name.startswith("PATCH")], [])
        self.assertEqual(world.sql("SELECT updated_contacts + updated_persons + created_persons FROM cycle"
                                   " ORDER BY number DESC LIMIT 1"), [["0"]])
        world.compare()

    def everything_arrived(self, world):
        self.assertEqual(self.title_of(world, self.contacts[0]), "between the pages")
        self.assertEqual(self.title_of(world, self.contacts[-1]), "new")
        self.assertEqual(len(world.marketo().find("microsoftId", self.contacts)), len(self.contacts))
        self.everything_is_quiet(world)

    def test_a_row_changed_behind_a_page_of_a_baseline_is_kept(self):
        for token in ("last", "first"):
            with self.subTest(token=token):
                world = self.start(token=token)
                self.changed_between_pages(world)
                self.everything_arrived(world)

    def test_a_row_changed_behind_a_page_of_a_delta_is_kept(self):
        for token in ("last", "first"):
            with self.subTest(token=token):
                world = self.start(token=token)
                world.serve_cycles(1)
                for contact in self.contacts:
                    self.dynamics.update("contact", contact, jobtitle="once more")
                self.changed_between_pages(world)
                self.everything_arrived(world)

    def test_killed_again_while_the_changed_rows_are_read(self):
        world = self.start()
        self.stop_behind_first_page(world)
        for contact in self.contacts[:PAGE]:
            self.dynamics.update("contact", contact, jobtitle="between the pages")
        self.contacts += [self.dynamics.create("contact", lastname=f"Late {i}", jobtitle="new") for i in range(PAGE)]
        # pages 2 to 4 (the new rows are at the end), the highest version, one of the two pages of changed rows
        self.stop_behind(world, 5, "!")
        self.dynamics.update("contact", self.contacts[1], jobtitle="after all pages")
        world.serve_cycles(2)
        titles = [self.title_of(world, contact) for contact in self.contacts]
        self.assertEqual(titles, ["between the pages", "after all pages"] + ["between the pages"] * 3 +
                         ["before"] * (ROWS - PAGE) + ["new"] * PAGE)
        self.everything_is_quiet(world)

    def test_own_writes_between_the_pages_are_echoes(self):
        world = self.start()
        for i in range(ROWS):
            world.marketo().create(email=f"row{i}@example.org", lastName=f"Row {i:02}", phone=f"+49 30 {i}")
        world.serve_cycles(1)
        first = world.sql("SELECT updated_contacts, read_contacts FROM cycle ORDER BY number")[0]
        self.assertEqual(first[0], str(ROWS))
        self.assertGreater(int(first[1]), ROWS)  # some came twice: once with what was written into them
        world.serve_cycles(1)
        self.everything_is_quiet(world)

    def test_an_empty_table_and_one_page_are_not_guarded(self):
        for rows in (0, 1, PAGE):
            with self.subTest(rows=rows):
                world = self.start(rows=rows)
                world.serve_cycles(1)
                log = [call for call in world.sandbox.log() if call["user"] == "tandem" and CONTACTS in call["path"]]
                self.assertEqual(len(log), 2, log)


class Expired(Scenario):
    def start(self):
        world = self.world(people=60)
        world.setup()
        world.serve_cycles(2)
        return world

    def test_rows_deleted_while_the_link_expired_are_found(self):
        world = self.start()
        dynamics = world.dynamics()
        gone = {table: [row[table + "id"] for row in dynamics.query(table, columns=(table + "id",))[:3]]
                for table in ("contact", "lead")}
        for table, records in gone.items():
            for record in records:
                dynamics.delete(table, record)
        kept = dynamics.query("contact", columns=("contactid",))[0]["contactid"]
        dynamics.update("contact", kept, jobtitle="changed meanwhile")
        world.sandbox.advance(8 * 86400)
        world.serve_cycles(2)
        people = world.marketo().everybody(("microsoftId", "microsoftIsDeleted"))
        flagged = {person["microsoftId"] for person in people.values() if person["microsoftIsDeleted"]}
        self.assertEqual(flagged, {record for records in gone.values() for record in records})
        self.assertEqual(world.marketo().find("microsoftId", [kept], ("title",))[0]["title"], "changed meanwhile")
        self.assertEqual(world.sql("SELECT is_full_scan FROM cycle ORDER BY number DESC LIMIT 2"), [["f"], ["t"]])

    def test_a_link_that_grows_old_is_told(self):
        world = self.start()
        world.sql("UPDATE cursor SET moved_at = now() - interval '85 hours' WHERE name IN ('contact', 'lead')")
        world.sandbox.faults({"side": "dynamics", "method": "GET", "path": CONTACTS, "user": "tandem", "from": 1,
                              "count": 1000, "effect": {"status": 403, "code": "0x80040220"}})
        world.start()
        world.wait_state("halted")  # a cycle has failed
        age = 'tandem_cursor_age_seconds{table="contact"}'
        self.assertGreaterEqual(until(lambda: world.tandem(None).metrics()[age], 30, "the age"), 85 * 3600)
        world.sandbox.faults()
        until(lambda: world.tandem(None).metrics()[age] < 3600, 60, "the contacts to be read")
        world.stop()
        told = [json.loads(line) for line in world.log_tail(100000).splitlines() if "cursor_grows_old" in line]
        cycles = int(world.sql("SELECT count(*) FROM cycle WHERE result = 3")[0][0])
        for table in ("contact", "lead"):  # contacts come first: both stood still
            of_table = [line for line in told if line["table"] == table]
            self.assertTrue(1 <= len(of_table) <= cycles, told)
            self.assertEqual((of_table[0]["level"], of_table[0]["expiresAfterDays"]), ("warn", 7))

    def test_a_young_link_is_not_told(self):
        world = self.start()
        world.sql("UPDATE cursor SET moved_at = now() - interval '83 hours'")
        world.start()
        world.run_cycles(1)
        self.assertLess(world.tandem(None).metrics()['tandem_cursor_age_seconds{table="lead"}'], 3600)
        world.stop()
        self.assertNotIn("cursor_grows_old", world.log_tail(100000))


if __name__ == "__main__":
    unittest.main()
