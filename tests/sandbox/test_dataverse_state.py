"""The Dynamics side: what an administrator did to the environment is in a saved state; what a test ordered is not."""

import os
import tempfile

from dataverse_case import DataverseCase, Dynamics
from sandbox import Sandbox

TRACK = "odata.track-changes"


class Saved(DataverseCase):
    def saved(self):
        """A second sandbox that begins with the state of the first, and its user."""
        folder = tempfile.TemporaryDirectory(dir=".")
        self.addCleanup(folder.cleanup)
        path = os.path.relpath(os.path.join(folder.name, "environment.state"))
        self.sandbox.control("save", {"file": path})
        sandbox = Sandbox("--state", path)
        self.addCleanup(sandbox.stop)
        user = Dynamics(sandbox)
        self.addCleanup(user.close)
        return sandbox, user

    def test_plug_ins(self):
        self.limits(plugin={"reject": {"table": "contact", "column": "lastname", "equals": "no", "message": "x", "status": 500,
                                       "code": "0x80044150"},
                            "rewrite": {"table": "contact", "column": "firstname", "as": "upper"},
                            "edit": {"table": "contact", "column": "description", "value": "checked", "afterSeconds": 60}})
        row = f"contacts({self.create(lastname='a')})"
        sandbox, user = self.saved()
        self.assertRefused(user.call("POST", "contacts", {"lastname": "no"}), 500, "0x80044150", "x")
        answer = user.call("POST", "contacts?$select=firstname", {"firstname": "ann"}, Prefer="return=representation")
        self.assertEqual(answer.json["firstname"], "ANN")
        self.assertIsNone(self.get(row + "?$select=description", by=user)["description"])
        sandbox.control("clock", {"advanceSeconds": 61})
        got = self.get(row + "?$select=description,_modifiedby_value", by=user)
        self.assertEqual((got["description"], got["_modifiedby_value"]), ("checked", self.get("WhoAmI")["UserId"]))

    def test_rules_users_and_columns(self):
        self.create(lastname="a", emailaddress1="ann@example.org")
        self.limits(duplicateRules=["lead"], users={"seller": "disabled", "reader": "roleless"}, deltaToken="last", secured={
            "contact": ["jobtitle"]}, readOnly={"tandem": {"contact": ["jobtitle"]}})
        sandbox, user = self.saved()
        detecting = {"MSCRM.SuppressDuplicateDetection": "false"}
        self.assertEqual(user.call("POST", "contacts", {"emailaddress1": "ann@example.org"}, **detecting).status, 204)
        self.assertRefused(user.call("POST", "contacts", {"jobtitle": "x"}), 403, "0x8004f502")
        for name, code in (("seller", "0x80040225"), ("reader", "0x80042f09")):
            other = Dynamics(sandbox, name)
            self.addCleanup(other.close)
            self.assertRefused(other.call("GET", "WhoAmI"), 403, code)
        first = self.get("contacts?$select=lastname", by=user, Prefer=f"{TRACK},odata.maxpagesize=1")
        user.call("PATCH", f"contacts({first['value'][0]['contactid']})", {"lastname": "late"})
        last = self.get(first["@odata.nextLink"], by=user)
        self.assertEqual(self.get(last["@odata.deltaLink"], by=user)["value"], [])   # lost, as set

    def test_what_is_ordered_is_not_kept(self):
        self.limits(tokenErrors={"tandem": 50053}, tokenSeconds=1, dopHint=9, webhookSeconds=1, enforce=True, requests=0)
        _, user = self.saved()
        self.assertEqual(user.ask_token().json["expires_in"], 3599)
        self.assertEqual(user.call("GET", "WhoAmI").headers["x-ms-dop-hint"], "4")
