"""The Marketo side of the sandbox: what of it is in a state file, and what is not."""

import datetime
import os
import pathlib
import tempfile
import unittest

from sandbox import Marketo, Sandbox

HERE = pathlib.Path.cwd()
TYPE = {"apiName": "kick", "name": "Kick", "triggerName": "Kicks", "filterName": "Kicked",
        "primaryAttribute": {"apiName": "ball", "name": "Ball", "dataType": "string"}}
EXPORT = "/bulk/v1/leads/export"


class MarketoState(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.environ["TANDEM_SANDBOX"] = str(pathlib.Path(os.environ["TANDEM_SANDBOX"]).resolve())
        os.chdir(folder.name)
        self.addCleanup(os.chdir, HERE)
        self.sandbox, self.marketo = self.start()

    def start(self, *arguments):
        sandbox = Sandbox(*arguments)
        self.addCleanup(sandbox.stop)
        marketo = Marketo(sandbox)
        self.addCleanup(marketo.close)
        return sandbox, marketo

    def again(self):
        """From here on the sandbox is the one made of the state file."""
        self.sandbox.control("save", {"file": "demo.state"})
        self.sandbox, self.marketo = self.start("--state", "demo.state")

    def pass_by(self, seconds):
        self.sandbox.control("clock", {"advanceSeconds": seconds})
        self.marketo.sign_in()

    def now(self, seconds=0):
        at = datetime.datetime.fromisoformat(self.sandbox.control("clock", {"advanceSeconds": 0})["now"].replace("Z", "+00:00"))
        return (at + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def export(self, filters):
        made = self.marketo.raw("POST", EXPORT + "/create.json", {"fields": ["id"], "filter": filters}).json["result"][0]
        path = "%s/%s/" % (EXPORT, made["exportId"])
        self.marketo.raw("POST", path + "enqueue.json")
        self.pass_by(60)
        return self.marketo.raw("GET", path + "file.json").text.splitlines()[1:]

    def log(self, since, *types):
        answer = self.marketo.get("activities.json", activityTypeIds=",".join(map(str, types)), nextPageToken=since)
        self.assertTrue(answer["success"], answer)
        return answer["result"]

    def test_origins_of_changes_and_late_entries(self):
        since = self.marketo.get("activities/pagingtoken.json", sinceDatetime="2020-01-01T00:00:00Z")["nextPageToken"]
        self.sandbox.control("limits", {"marketo": {"origins": {"tandem": {"source": "Lead update", "reason": "By hand",
                                                                           "campaign": 7}}}})
        lead = self.marketo.post("leads.json", {"input": [{"email": "a@example.org"}]})["result"][0]["id"]
        self.marketo.post("leads.json", {"input": [{"email": "a@example.org", "title": "T"}]})
        self.sandbox.control("limits", {"marketo": {"origins": {"tandem": None}, "lateCommitSeconds": 60}})
        self.marketo.post("leads.json", {"input": [{"email": "a@example.org", "title": "U"}]})
        before = self.log(since, 12, 13)
        self.assertEqual([e.get("campaignId") for e in before], [7, 7])
        self.again()
        self.assertEqual(self.log(since, 12, 13), before)
        self.pass_by(61)
        after = self.log(since, 12, 13)
        self.assertEqual((after[:2], after[2]["leadId"], after[2].get("campaignId")), (before, lead, None))

    def test_when_a_person_was_last_touched(self):
        self.marketo.post("leads/schema/fields.json", {"input": [{"displayName": "Own", "name": "own", "dataType": "string"}]})
        ids = [r["id"] for r in self.marketo.post("leads.json", {"input": [{"email": "a@example.org"},
                                                                            {"email": "b@example.org"}]})["result"]]
        self.pass_by(1000)
        self.marketo.post("leads.json", {"input": [{"email": "b@example.org", "own": "x"}]})
        self.pass_by(1000)
        span = {"updatedAt": {"startAt": self.now(-1500), "endAt": self.now(-500)}}
        self.assertEqual(self.export(span), [str(ids[1])])
        self.again()
        self.assertEqual(self.export(span), [str(ids[1])])

    def test_ids_of_custom_types_go_on(self):
        first = self.marketo.post("activities/external/type.json", TYPE)["result"][0]["id"]
        self.marketo.post("activities/external/type/kick/delete.json", {})
        self.again()
        self.assertEqual(self.marketo.post("activities/external/type.json", TYPE)["result"][0]["id"], first + 1)

    def test_links_to_companies_and_owners(self):
        self.marketo.post("salespersons.json", {"input": [{"externalSalesPersonId": "s", "lastName": "Seller"}]})
        self.marketo.post("companies.json", {"input": [{"externalCompanyId": "k", "company": "A", "externalSalesPersonId": "s"}]})
        lead = self.marketo.post("leads.json", {"input": [{"email": "a@example.org", "externalCompanyId": "k",
                                                           "externalSalesPersonId": "s"}]})["result"][0]["id"]
        self.again()
        found = self.marketo.get("lead/%d.json" % lead, fields="company,externalSalesPersonId")["result"]
        self.assertEqual(found, [{"company": "A", "externalSalesPersonId": "s", "id": lead}])
        for path, key in (("companies", {"externalCompanyId": "k"}), ("salespersons", {"externalSalesPersonId": "s"})):
            result = self.marketo.post(path + "/delete.json", {"input": [key]})["result"]
            self.assertEqual(result[0]["reasons"][0]["code"], "1022")

    def test_bulk_jobs_are_not_in_it(self):
        self.export({"createdAt": {"startAt": self.now(), "endAt": self.now(5)}})
        body = '--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nemail\na@example.org\n\r\n--B--\r\n'
        batch = self.marketo.raw("POST", "/bulk/v1/leads.json?format=csv", body,
                                 {"Content-Type": "multipart/form-data; boundary=B"}).json["result"][0]["batchId"]
        self.assertEqual(len(self.marketo.raw("GET", EXPORT + ".json").json["result"]), 1)
        self.again()
        self.assertEqual(self.marketo.raw("GET", EXPORT + ".json").json["result"], [])
        answer = self.marketo.raw("GET", "/bulk/v1/leads/batch/%d.json" % batch).json
        self.assertEqual(answer["errors"][0]["code"], "1013")


if __name__ == "__main__":
    unittest.main()
