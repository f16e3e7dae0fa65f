"""A state file: what is saved is there after a restart, and a file that is not one is refused."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from dataverse_case import Dynamics
from sandbox import Marketo, Sandbox

HERE = pathlib.Path.cwd()


class State(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        os.environ["TANDEM_SANDBOX"] = str(pathlib.Path(os.environ["TANDEM_SANDBOX"]).resolve())
        os.chdir(self.folder)
        self.addCleanup(os.chdir, HERE)

    def start(self, *arguments):
        sandbox = Sandbox(*arguments)
        self.addCleanup(sandbox.stop)
        marketo, dynamics = Marketo(sandbox), Dynamics(sandbox)
        self.addCleanup(marketo.close)
        self.addCleanup(dynamics.close)
        return sandbox, marketo, dynamics

    def again(self, sandbox):
        """What the state file makes of a sandbox."""
        self.assertEqual(sandbox.control("save", {"file": "demo.state"}), {"ok": True})
        return self.start("--state", "demo.state")

    def test_marketo_survives(self):
        sandbox, marketo, _ = self.start()
        since = marketo.get("activities/pagingtoken.json", sinceDatetime="2020-01-01T00:00:00Z")["nextPageToken"]
        marketo.post("leads/schema/fields.json",
                     {"input": [{"displayName": "Shoe Size", "name": "shoeSize", "dataType": "integer"}]})
        marketo.post("leads/schema/fields/title.json", {"input": [{"displayName": "Function"}]})
        people = [{"email": f"ada{n}@example.org", "shoeSize": 30 + n, "unsubscribed": n == 1} for n in range(4)]
        ids = [r["id"] for r in marketo.post("leads.json", {"input": people})["result"]]
        marketo.post("leads.json", {"input": [{"id": ids[0], "shoeSize": 45, "leadScore": 3}], "action": "updateOnly"})
        marketo.post("leads/delete.json", {"input": [{"id": ids[2]}]})
        marketo.post("activities/external/type.json", {
            "apiName": "kick", "name": "Kick", "triggerName": "Kicks", "filterName": "Kicked",
            "primaryAttribute": {"apiName": "ball", "name": "Ball", "dataType": "string"}})
        marketo.post("activities/external/type/kick/approve.json", {})
        kind = [t["id"] for t in marketo.get("activities/types.json")["result"] if t["name"] == "Kick"][0]
        marketo.post("activities/external.json", {"input": [{
            "leadId": ids[0], "activityDate": "2026-01-02T03:04:05Z", "activityTypeId": kind,
            "primaryAttributeValue": "round"}]})

        for key in ("c1", "c2", "c3"):
            answer = marketo.post("companies.json", {"action": "createOnly", "dedupeBy": "dedupeFields",
                                                     "input": [{"externalCompanyId": key, "company": "The " + key}]})
            self.assertEqual(answer["result"][0]["status"], "created", answer)
        marketo.post("companies/delete.json", {"input": [{"externalCompanyId": "c2"}]})
        marketo.post("leads.json", {"input": [{"email": "ada3@example.org", "externalCompanyId": "c3"}]})
        sandbox.control("campaigns", {"name": "Welcome", "type": "trigger", "programName": "Spring"})
        sandbox.control("campaigns", {"name": "Weekly", "type": "batch", "active": False})
        made = sandbox.control("lists", {"name": "Runners", "programName": "Spring", "workspaceName": "Default"})["id"]
        marketo.post(f"lists/{made}/leads.json", {"input": [{"id": ids[0]}, {"id": ids[3]}]})

        def seen(m):
            fields = "id,email,shoeSize,unsubscribed,createdAt,updatedAt"
            ask = [("leads.json", {"filterType": "id", "filterValues": ",".join(map(str, ids)), "fields": fields}),
                   ("leads.json", {"filterType": "shoeSize", "filterValues": "33", "fields": fields}),
                   ("activities.json", {"nextPageToken": since, "activityTypeIds": f"12,13,22,{kind}"}),
                   ("activities/leadchanges.json", {"nextPageToken": since, "fields": "shoeSize,leadScore"}),
                   ("activities/deletedleads.json", {"nextPageToken": since}),
                   ("activities/types.json", {}), ("leads/describe.json", {}),
                   ("lists.json", {}), ("campaigns.json", {}), ("lead/%d.json" % ids[3], {"fields": "company,externalCompanyId"}),
                   ("companies.json", {"filterType": "externalCompanyId", "filterValues": "c1,c2,c3"}),
                   (f"list/{made}/leads.json", {"fields": "id"}), ("leads/schema/fields.json", {})]
            answers = [m.get(path, **params) for path, params in ask]
            for answer in answers:
                self.assertTrue(answer["success"], answer)
                # No two answers agree on these; a paging token tells when it was given. One from before is used above.
                for name in ("requestId", "warnings", "nextPageToken"):
                    answer.pop(name, None)
            return answers

        before = seen(marketo)
        self.assertEqual(len(before[0]["result"]), 3)
        _, after, _ = self.again(sandbox)
        self.assertEqual(seen(after), before)
        new = after.post("leads.json", {"input": [{"email": "ada1@example.org", "shoeSize": 1},
                                                  {"email": "ada9@example.org", "shoeSize": 2}]})["result"]
        self.assertEqual([(r["id"], r["status"]) for r in new], [(ids[1], "updated"), (ids[3] + 1, "created")])
        twin = after.post("leads.json", {"input": [{"email": "ADA1@example.org"}], "action": "createDuplicate"})
        found = after.get("lead/%d.json" % twin["result"][0]["id"], fields="unsubscribed")["result"][0]
        self.assertIs(found["unsubscribed"], True)   # the durable unsubscribe was kept

    def test_dynamics_survives(self):
        sandbox, _, dynamics = self.start()
        link = dynamics.call("GET", "contacts?$select=lastname", Prefer="odata.track-changes").json["@odata.deltaLink"]
        keys = []
        for n in range(3):
            answer = dynamics.call("POST", "contacts", {"lastname": f"Vale{n}", "new_marketoid": str(n),
                                                        "emailaddress1": f"vale{n}@example.org"})
            keys.append(answer.headers["odata-entityid"][-37:-1])
        dynamics.call("PATCH", f"contacts({keys[0]})", {"telephone1": "1"})
        dynamics.call("DELETE", f"contacts({keys[1]})")
        sandbox.control("limits", {"dynamics": {"trackingDays": 3}})

        def seen(d, origin):
            asked = ["contacts?$orderby=createdon,lastname", f"contacts({keys[0]})", "contacts(new_marketoid='2')",
                     "systemusers?$select=fullname", "organizations", "WhoAmI"]
            bodies = [d.call("GET", path).text for path in asked]
            bodies.append(d.call("GET", origin + link.split("/", 3)[3]).text)
            return [body.replace(d.origin, "") for body in bodies]

        before = seen(dynamics, "/")
        self.assertIn("$deletedEntity", before[-1])
        _, _, after = self.again(sandbox)
        self.assertEqual(seen(after, "/"), before)
        version = after.call("GET", f"contacts({keys[0]})").json["@odata.etag"]
        answer = after.call("PATCH", f"contacts({keys[0]})", {"lastname": "Berg"}, If_Match=version)
        self.assertEqual(answer.status, 204)
        self.assertGreater(after.call("GET", f"contacts({keys[0]})").json["@odata.etag"], version)

    def test_clock_goes_on(self):
        sandbox, _, _ = self.start()
        before = sandbox.control("clock", {"advanceSeconds": 86400 * 30})["now"]
        after, _, _ = self.again(sandbox)
        now = after.control("clock", {"advanceSeconds": 0})["now"]
        self.assertGreaterEqual(now, before)
        self.assertEqual(now[:7], before[:7])

    def test_saved_twice_is_the_same(self):
        sandbox, _, _ = self.start()
        sandbox.control("seed", {"persons": 200, "contacts": 200, "leads": 100})
        again, _, _ = self.again(sandbox)
        again.control("save", {"file": "second.state"})
        self.assertEqual((self.folder / "second.state").read_bytes(), (self.folder / "demo.state").read_bytes())
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["demo.state", "second.state"])

    def test_only_below_the_current_directory(self):
        sandbox, _, _ = self.start()
        (self.folder / "below").mkdir()
        (self.folder / "link").symlink_to("/tmp")
        sandbox.control("save", {"file": "below/demo.state"})
        for path in ("/tmp/x.state", "../x.state", "below/../../x.state", "", ".", "below/", "link/x.state",
                     "absent/x.state", "below//x.state", "n" * 300):
            answer = sandbox.marketo.call("POST", "/_sandbox/save", {"file": path})
            self.assertEqual(answer.status, 400, path)
            self.assertTrue(answer.json["error"])
        for body in ({}, {"file": 1}, []):
            self.assertEqual(sandbox.marketo.call("POST", "/_sandbox/save", body).status, 400)

    def refused(self, *arguments):
        done = subprocess.run([os.environ["TANDEM_SANDBOX"], *arguments], capture_output=True, text=True, timeout=30)
        return done.returncode, done.stderr

    def test_broken_and_foreign_files(self):
        sandbox, marketo, _ = self.start()
        marketo.post("leads.json", {"input": [{"email": "ada@example.org"}]})
        sandbox.control("save", {"file": "good"})
        good = (self.folder / "good").read_bytes()
        older = good.replace(b"state 2\n", b"state 1\n", 1)
        newer = good.replace(b"state 2\n", b"state 9\n", 1)
        flipped = bytearray(good)
        flipped[len(good) // 2] ^= 1
        for content, text in ((b"", "not a state file"), (b"email,where\n", "not a state file"),
                              (older, "another version"), (newer, "another version"), (good[:-1], "checksum"), (bytes(flipped), "checksum"),
                              (good[:25], "ends early"), (good + b"x", "checksum")):
            (self.folder / "bad").write_bytes(content)
            code, said = self.refused("--state", "bad")
            self.assertEqual(code, 1, said)
            self.assertIn("bad: ", said)
            self.assertIn(text, said)
        self.assertEqual(self.refused("--state", "absent")[0], 1)
        self.assertEqual(self.refused("--state", ".")[0], 1)
        self.assertEqual(self.refused("--state", "good", "--people", "people.csv")[0], 2)


if __name__ == "__main__":
    unittest.main()
