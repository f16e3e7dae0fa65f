"""The Dynamics side: the column new_synctomkto, which is there only once an administrator made it."""

import os
import tempfile

from dataverse_case import DataverseCase, Dynamics, request_part
from sandbox import Sandbox

COLUMN = "new_synctomkto"
TABLES = ("contact", "lead")
VERSION = "Microsoft.Dynamics.CRM.globalmetadataversion"


class MarkColumn(DataverseCase):
    def definition(self, table, user=None):
        return (user or self.tandem).call("GET", f"EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{COLUMN}')/"
                                          "Microsoft.Dynamics.CRM.BooleanAttributeMetadata?$expand=OptionSet")

    def assertAbsent(self, table, row):
        self.assertRefused(self.definition(table), 404, "0x80060888", COLUMN)
        names = [a["LogicalName"] for a in self.rows(f"EntityDefinitions(LogicalName='{table}')/Attributes?$select=LogicalName")]
        self.assertNotIn(COLUMN, names)
        self.assertNotIn(COLUMN, self.tandem.call("GET", "$metadata").text)
        self.assertNotIn(COLUMN, self.get(f"{table}s({row})"))
        for option in (f"$select={COLUMN}", f"$filter={COLUMN} eq true", f"$orderby={COLUMN}"):
            self.assertRefused(self.tandem.call("GET", f"{table}s?{option}"), 400, "0x80060888", COLUMN)
        self.assertRefused(self.tandem.call("PATCH", f"{table}s({row})", {COLUMN: True}), 400, "0x80048d19", COLUMN)
        self.assertRefused(self.tandem.call("POST", f"{table}s", {"lastname": "a", COLUMN: True}), 400, "0x80048d19", COLUMN)

    def test_before_and_after(self):
        for table in TABLES:
            self.assertAbsent(table, self.create(table + "s", lastname="old"))
        told = {"Prefer": f'odata.include-annotations="{VERSION}"'}
        before = self.get("contacts", **told)["@" + VERSION]
        self.limits(filterColumn=True)
        self.assertGreater(self.get("contacts", **told)["@" + VERSION], before)   # the schema is another
        for table in TABLES:
            with self.subTest(table):
                got = self.definition(table).json
                self.assertEqual((got["LogicalName"], got["SchemaName"], got["IsCustomAttribute"], got["DefaultValue"]),
                                 (COLUMN, COLUMN, True, None))
                self.assertEqual([got["DisplayName"]["UserLocalizedLabel"]["Label"], got["RequiredLevel"]["Value"]],
                                 ["Sync to Marketo", "None"])
                self.assertEqual([got["OptionSet"][name]["Label"]["UserLocalizedLabel"]["Label"] for name in ("TrueOption", "FalseOption")],
                                 ["Yes", "No"])
                self.assertIn(f'Name="{COLUMN}" Type="Edm.Boolean"', self.tandem.call("GET", "$metadata").text)
                old = self.rows(f"{table}s?$select=lastname,{COLUMN}")
                self.assertEqual([(row["lastname"], row[COLUMN]) for row in old], [("old", None)])   # no default

    def test_values(self):
        self.limits(filterColumn=True)
        for table in TABLES:
            made = {value: self.create(table + "s", lastname=str(value), **({} if value is None else {COLUMN: value}))
                    for value in (None, True, False)}
            for condition, names in (("eq true", {"True"}), ("eq false", {"False"}), ("eq null", {"None"}), ("ne null", {"True", "False"})):
                with self.subTest(f"{table} {condition}"):
                    self.assertEqual({r["lastname"] for r in self.rows(f"{table}s?$filter={COLUMN} {condition}")}, names)
            for value in (False, True, None):
                self.patch(f"{table}s({made[True]})", **{COLUMN: value})
                self.assertIs(self.get(f"{table}s({made[True]})?$select={COLUMN}")[COLUMN], value)
            self.assertEqual(self.tandem.call("PATCH", f"{table}s({made[True]})", {COLUMN: "maybe"}).status, 400)
            answer = self.tandem.call("GET", f"{table}s({made[False]})?$select={COLUMN}", Prefer='odata.include-annotations="*"')
            self.assertEqual(answer.json[COLUMN + "@OData.Community.Display.V1.FormattedValue"], "No")
        _, parts = self.tandem.batch(request_part("GET", f"contacts?$select={COLUMN}&$filter={COLUMN}%20eq%20false"))
        self.assertEqual([row[COLUMN] for row in parts[0].json["value"]], [False])

    def test_changes_are_tracked(self):
        self.limits(filterColumn=True)
        row = self.create(lastname="a")
        link = self.get(f"contacts?$select={COLUMN}", Prefer="odata.track-changes")["@odata.deltaLink"]
        self.patch(f"contacts({row})", **{COLUMN: True})
        self.assertEqual([(r["contactid"], r[COLUMN]) for r in self.get(link)["value"]], [(row, True)])

    def test_taken_away_and_wrong(self):
        row = self.create(lastname="a")
        self.limits(filterColumn=True)
        self.patch(f"contacts({row})", **{COLUMN: True})
        self.limits(dropColumn=["contact.fax"])   # others come and go beside it
        self.assertTrue(self.get(f"contacts({row})")[COLUMN])
        self.limits(dropColumn=["contact." + COLUMN])
        self.assertNotIn(COLUMN, self.get(f"contacts({row})"))
        self.limits(dropColumn=[])
        self.assertTrue(self.get(f"contacts({row})")[COLUMN])
        self.limits(filterColumn=False)
        self.assertAbsent("contact", row)
        self.limits(dropColumn=[])
        self.assertAbsent("contact", row)
        answer = self.sandbox.marketo.call("POST", "/_sandbox/limits", {"dynamics": {"filterColumn": "yes"}})
        self.assertEqual(answer.status, 400)
        self.sandbox.reset()
        self.tandem = self.user("tandem")
        self.assertAbsent("lead", self.create("leads", lastname="b"))

    def test_it_is_saved(self):
        folder = tempfile.TemporaryDirectory(dir=".")
        self.addCleanup(folder.cleanup)
        for there in (False, True):
            self.limits(filterColumn=there)
            marked = self.create(lastname="a", **({COLUMN: True} if there else {}))
            path = os.path.relpath(os.path.join(folder.name, "with.state"))
            self.sandbox.control("save", {"file": path})
            with Sandbox("--state", path) as sandbox:
                user = Dynamics(sandbox)
                answer = user.call("GET", f"contacts({marked})")
                self.assertEqual(answer.json.get(COLUMN), True if there else None)
                self.assertEqual(self.definition("contact", user).status, 200 if there else 404)
                sandbox.control("limits", {"dynamics": {"dropColumn": []}})
                self.assertEqual(self.definition("contact", user).status, 200 if there else 404)
                user.close()
