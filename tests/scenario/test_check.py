"""`tandem check` for users of Dynamics who lack something: every line is ok or says what to do."""

import json
import unittest

from harness import Scenario

VERBS = ("read", "create", "write", "append", "append to", "assign")


class Check(Scenario):
    def prepared(self):
        """One world for all the checks of a test: a check changes nothing."""
        world = self.world()
        world.must("migrate")
        world.setup()
        return world

    def checks(self, world, user="tandem", code=None, **settings):
        """The lines for Dynamics by name: (ok, advice)."""
        known = world.sandbox.user("dynamics", user)
        done = world.run("check", "--json", DYNAMICS_CLIENT_ID=known["clientId"], DYNAMICS_CLIENT_SECRET=known["clientSecret"],
                         **settings)
        answer = json.loads(done.stdout)
        lines = {line["check"]: (line["ok"], line["advice"]) for line in answer["checks"] if line["side"] == "dynamics"}
        self.assertEqual(done.returncode, 0 if answer["ok"] else 1)
        self.assertEqual(answer["ok"], all(line["ok"] for line in answer["checks"]))
        return lines

    def assertFails(self, lines, name, *words):
        self.assertIn(name, lines)
        self.assertFalse(lines[name][0], (name, lines[name]))
        for word in words:
            self.assertIn(word, lines[name][1])

    def answer(self, world, path, body):
        """Dynamics answers this the first time the sync user asks; what the sandbox cannot be set to."""
        world.sandbox.faults({"side": "dynamics", "path": "/api/data/v9.2/" + path, "user": "tandem", "nth": 1,
                              "effect": {"status": 200, "body": json.dumps(body), "contentType": "application/json"}})

    def test_all_is_well(self):
        lines = self.checks(self.prepared())
        self.assertTrue(all(ok for ok, _ in lines.values()), lines)
        tables = [f"{table}: {verb}" for table in ("lead", "contact") for verb in VERBS]
        for name in ("token", "address", "application user", "user enabled", "user access mode", *tables, "user: read",
                     "user: append to", "currency: read", "currency: append to", "organization: read", "lead: change tracking",
                     "contact: change tracking", "lead: columns", "contact: columns"):
            self.assertEqual(lines.pop(name), (True, ""), name)
        self.assertRegex(lines.pop("change tracking kept")[1], r"^\d+ days;")
        self.assertEqual(lines, {})

    def test_no_application_user(self):
        world = self.prepared()
        lines = self.checks(world, "stranger")
        self.assertTrue(lines["token"][0])
        self.assertFails(lines, "application user", "Application users", "Power Platform admin cent")
        self.assertEqual(len(lines), 3, lines)

    def test_no_role_and_disabled(self):
        world = self.prepared()
        world.sandbox.limits(dynamics={"users": {"tandem": "roleless"}})
        self.assertFails(self.checks(world), "application user", "security role")
        world.sandbox.limits(dynamics={"users": {"tandem": "disabled"}})
        self.assertFails(self.checks(world), "application user", "disabled")
        world.sandbox.limits(dynamics={"users": {"tandem": "enabled"}})
        self.assertTrue(self.checks(world)["application user"][0])

    def test_a_wrong_access_mode(self):
        world = self.prepared()
        self.answer(world, "systemusers(", {"isdisabled": False, "accessmode": 2})
        self.assertFails(self.checks(world), "user access mode", "is Read", "Non-interactive")

    def test_rights_that_are_narrow(self):
        lines = self.checks(self.prepared(), "clerk")   # own rows only, and no append to, no assign
        for table, name in (("lead", "Lead"), ("contact", "Contact")):
            self.assertFails(lines, f"{table}: read", f"prvRead{name} from Basic to the whole organisation", "changes are not told")
            for verb in ("write", "append"):
                self.assertFails(lines, f"{table}: {verb}", f"{verb.title()}{name} from Basic", "rows of other owners are refused")
            self.assertEqual(lines[f"{table}: create"],
                             (True, f"prvCreate{name} reaches Basic only: sync-person can name no owner"))
            self.assertEqual(lines[f"{table}: assign"], (True, f"prvAssign{name} is missing: sync-person can name no owner"))

    def test_rights_that_are_missing(self):
        lines = self.checks(self.prepared(), "reader")
        for table, name in (("lead", "Lead"), ("contact", "Contact")):
            self.assertEqual(lines[f"{table}: read"], (True, ""))
            for verb, right in (("create", "Create"), ("write", "Write"), ("append", "Append"), ("append to", "AppendTo")):
                self.assertFails(lines, f"{table}: {verb}", f"add the privilege prv{right}{name} to the security role")

    def test_rights_on_other_tables(self):
        world = self.prepared()
        given = [{"PrivilegeName": f"prv{right}{table}", "Depth": "Global"} for table in ("Lead", "Contact")
                 for right in ("Create", "Read", "Write", "Append", "AppendTo", "Assign")]
        self.answer(world, "systemusers(" + self.user_id(world) + ")/Microsoft.Dynamics.CRM.RetrieveUserPrivileges",
                    {"RolePrivileges": given})
        lines = self.checks(world)
        self.assertFails(lines, "currency: read", "add the privilege prvReadTransactionCurrency")
        self.assertFails(lines, "currency: append to", "add the privilege prvAppendToTransactionCurrency")
        self.assertEqual(lines["user: read"], (True, "prvReadUser is missing: sync-person can name no owner"))
        self.assertEqual(lines["user: append to"], (True, "prvAppendToUser is missing: sync-person can name no owner"))
        self.assertTrue(lines["organization: read"][0])
        self.assertIn("prvReadOrganization is missing", lines["organization: read"][1])

    @staticmethod
    def user_id(world):
        return world.dynamics("tandem").call("GET", "WhoAmI").json["UserId"]

    def test_what_may_not_be_read_is_no_mistake(self):
        world = self.prepared()
        refusal = {"status": 403, "code": "0x80040220", "message": "no"}
        world.sandbox.faults({"side": "dynamics", "path": "/api/data/v9.2/organizations", "effect": refusal},
                             {"side": "dynamics", "path": "/api/data/v9.2/systemusers(", "nth": 1, "effect": refusal})
        lines = self.checks(world)
        self.assertEqual(lines["change tracking kept"], (True, "not known: the sync user may not read the organisation"))
        self.assertNotIn("user enabled", lines)
        self.assertTrue(all(ok for ok, _ in lines.values()), lines)

    def test_change_tracking_that_is_off(self):
        world = self.prepared()
        self.answer(world, "EntityDefinitions(LogicalName='lead')", {"LogicalName": "lead", "ChangeTrackingEnabled": False})
        lines = self.checks(world)
        self.assertFails(lines, "lead: change tracking", "Track changes", "lead")
        self.assertTrue(lines["contact: change tracking"][0])

    def test_secured_columns_are_named(self):
        world = self.prepared()
        world.sandbox.limits(dynamics={"secured": {"contact": ["jobtitle"]}})
        self.assertEqual(self.checks(world)["contact: columns"], (True, ""))
        self.assertEqual(self.checks(world, "narrow")["contact: columns"],
                         (True, "secured, without all rights for the sync user: jobtitle"))

    def test_how_long_change_tracking_is_kept(self):
        world = self.prepared()
        world.sandbox.limits(dynamics={"trackingDays": 7})
        self.assertRegex(self.checks(world)["change tracking kept"][1], "^7 days; after a longer pause")


if __name__ == "__main__":
    unittest.main()
