"""The Marketo side of the sandbox: bulk extract of people and of activities, on the sandbox's clock."""

import csv
import datetime
import hashlib
import io
import json
import re
import unittest

from marketo_case import MarketoCase


def instant(days=0):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class ExportCase(MarketoCase):
    kind = "leads"

    def bulk(self, method, path, body=None, user=None, headers=None):
        return (user or self.marketo).raw(method, "/bulk/v1/%s/export%s" % (self.kind, path), body, headers)

    def range(self, first=-1, last=1):
        return {"startAt": instant(first), "endAt": instant(last)}

    def ask(self, filters=None, **body):
        filters = {"createdAt": self.range()} if filters is None else filters
        if self.kind == "leads":
            body.setdefault("fields", ["id", "email"])
        return self.bulk("POST", "/create.json", {"filter": filters, **body}).json

    def make(self, *args, **body):
        answer = self.ask(*args, **body)
        self.assertTrue(answer["success"], answer)
        self.assertEqual(answer["result"][0]["status"], "Created")
        return answer["result"][0]["exportId"]

    def enqueue(self, job):
        return self.bulk("POST", "/%s/enqueue.json" % job).json

    def status(self, job):
        return self.bulk("GET", "/%s/status.json" % job).json["result"][0]

    def pass_by(self, seconds):
        self.sandbox.control("clock", {"advanceSeconds": seconds})
        self.marketo.sign_in()

    def file(self, job, **headers):
        return self.bulk("GET", "/%s/file.json" % job, headers=headers)

    def run_job(self, *args, **body):
        job = self.make(*args, **body)
        self.assertEqual(self.enqueue(job)["result"][0]["status"], "Queued")
        self.pass_by(60)
        state = self.status(job)
        self.assertEqual(state["status"], "Completed", state)
        self.assertEqual(state["fileChecksum"], "sha256:" + hashlib.sha256(self.file(job).body).hexdigest())
        self.assertEqual(state["fileSize"], len(self.file(job).body))
        return self.file(job).text


class LeadExport(ExportCase):
    def test_the_life_of_a_job(self):
        lead = self.create(email="a@example.org")
        job = self.make()
        self.assertRegex(job, "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
        self.assertEqual((self.file(job).status, self.file(job).headers["content-type"]), (404, "text/plain"))
        self.enqueue(job)
        self.assertEqual(self.status(job)["status"], "Queued")
        self.limits(exportSeconds=90)
        self.pass_by(60)
        state = self.status(job)
        self.assertEqual(state["status"], "Processing")
        self.assertNotIn("finishedAt", state)
        self.pass_by(35)
        self.assertEqual(self.status(job)["status"], "Processing", "the status is renewed once a minute")
        self.pass_by(25)
        state = self.status(job)
        self.assertEqual((state["status"], state["numberOfRecords"], state["format"]), ("Completed", 1, "CSV"))
        for name in ("createdAt", "queuedAt", "startedAt", "finishedAt"):
            self.assertRegex(state[name], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        answer = self.file(job)
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "text/csv"))
        self.assertEqual(answer.text, "id,email\n%d,a@example.org\n" % lead)

    def test_values_in_the_file(self):
        self.field("grade")
        lead = self.create(email="a@example.org", firstName='A "b", c', lastName="two\nlines", unsubscribed=True,
                           grade="x;y", leadScore=5)
        other = self.create(email="b@example.org")
        fields = ["id", "email", "firstName", "lastName", "unsubscribed", "leadScore", "grade", "mktoName", "createdAt",
                  "leadPartitionId"]
        text = self.run_job(fields=fields, columnHeaderNames={"email": "Email Address", "grade": "A, B"})
        self.assertEqual(text.splitlines()[0], "id,Email Address,firstName,lastName,unsubscribed,leadScore,\"A, B\","
                                               "mktoName,createdAt,leadPartitionId")
        self.assertIn('%d,a@example.org,"A ""b"", c","two\nlines",true,5,x;y,' % lead, text)
        self.assertIn("%d,b@example.org,null,null,false,null,null,b@example.org,20" % other, text)
        self.assertEqual(len(list(csv.reader(io.StringIO(text)))), 3)
        self.assertEqual(self.run_job(fields=["id", "grade"], format="SSV").splitlines()[1], '%d;"x;y"' % lead)
        self.assertEqual(self.run_job(fields=["id", "email"], format="tsv").splitlines()[1], "%d\ta@example.org" % lead)

    def test_filters(self):
        self.field("grade")
        first, second = self.create(email="a@example.org"), self.create(email="b@example.org")
        self.pass_by(10 * 86400)
        self.sync({"id": first, "grade": "x"}, action="updateOnly", lookupField="id")
        ids = lambda text: [int(line.split(",")[0]) for line in text.splitlines()[1:]]
        self.assertEqual(ids(self.run_job({"createdAt": self.range()})), [first, second])
        self.assertEqual(ids(self.run_job({"updatedAt": self.range(9, 11)})), [first], "any field counts, custom ones too")
        made = self.sandbox.control("lists", {"name": "Fair"})["id"]
        self.marketo.post("lists/%d/leads.json" % made, {"input": [{"id": second}]})
        self.assertEqual(ids(self.run_job({"staticListId": made})), [second])
        self.assertEqual(ids(self.run_job({"staticListName": "Fair"})), [second])

    def test_what_cannot_be_asked(self):
        for filters, code in (({}, 701), ({"createdAt": {"startAt": instant()}}, 701),
                              ({"createdAt": {"startAt": "x", "endAt": instant()}}, 704),
                              ({"createdAt": {"startAt": "2026-01-01T00:00:00.000Z", "endAt": instant()}}, 704),
                              ({"createdAt": self.range(1, 0)}, 1003), ({"createdAt": self.range(0, 32)}, 1003),
                              ({"createdAt": self.range(), "staticListId": 1}, 1003), ({"what": 1}, 1003),
                              ({"staticListId": 9}, 1013), ({"staticListName": "None"}, 1013)):
            self.assertFails(self.ask(filters), code)
        self.assertTrue(self.ask({"createdAt": self.range(0, 31)})["success"])
        self.assertFails(self.ask(fields=[]), 701)
        self.assertFails(self.ask(fields=None), 701)
        self.assertFails(self.ask(fields=["nothing"]), 1006)
        self.assertFails(self.ask(format="XML"), 1003)
        self.assertFails(self.ask(columnHeaderNames={"lastName": "x"}), 1003)

    def test_filters_a_small_subscription_lacks(self):
        answer = self.bulk("POST", "/create.json", {"fields": ["id"], "filter": {"smartListId": 1}})
        self.assertEqual((answer.status, answer.text), (501, "the sandbox has no smart lists to extract"))
        self.limits(exportUpdatedAt=False)
        for filters in ({"updatedAt": self.range()}, {"smartListId": 1}, {"smartListName": "x"}):
            self.assertFails(self.ask(filters), 1035)

    def test_slots(self):
        self.limits(exportSeconds=25)
        jobs = [self.make() for _ in range(11)]
        for job in jobs[:10]:
            self.assertTrue(self.enqueue(job)["success"])
        refused = self.enqueue(jobs[10])
        self.assertFails(refused, 1029)
        self.assertEqual(refused["errors"][0]["message"], "Too many jobs in queue")
        self.pass_by(60)
        states = [self.status(job)["status"] for job in jobs]
        self.assertEqual(states, ["Completed"] * 4 + ["Processing"] * 2 + ["Queued"] * 4 + ["Created"])
        self.assertFails(self.enqueue(jobs[0]), 1029)
        self.assertTrue(self.enqueue(jobs[10])["success"])

    def test_cancel(self):
        jobs = [self.make() for _ in range(3)]
        for job in jobs:
            self.enqueue(job)
        cancel = lambda job: self.bulk("POST", "/%s/cancel.json" % job).json
        self.assertEqual(cancel(jobs[0])["result"][0]["status"], "Cancelled")
        self.pass_by(60)
        self.assertEqual([self.status(x)["status"] for x in jobs], ["Cancelled", "Completed", "Completed"])
        self.assertEqual(self.file(jobs[0]).status, 404)
        self.assertFails(cancel(jobs[1]), 1003)
        self.assertFails(self.enqueue(jobs[0]), 1029)

    def test_quota_of_bytes(self):
        self.create(email="a@example.org")
        self.limits(exportBytesPerDay=10)
        waiting = self.make()
        self.run_job()
        for answer in (self.ask(), self.enqueue(waiting)):
            self.assertFails(answer, 1029)
            self.assertEqual(answer["errors"][0]["message"], "Export daily quota exceeded")
        self.pass_by(86400)
        self.assertTrue(self.enqueue(waiting)["success"])

    def test_ranges_of_bytes(self):
        self.create(email="a@example.org")
        job = self.make()
        self.enqueue(job)
        self.pass_by(60)
        whole = self.file(job).body
        for asked, first, last in (("bytes=0-3", 0, 3), ("bytes=5-", 5, len(whole) - 1),
                                   ("bytes=-4", len(whole) - 4, len(whole) - 1), ("bytes=2-9999", 2, len(whole) - 1)):
            part = self.file(job, Range=asked)
            self.assertEqual((part.status, part.headers["content-range"]),
                             (206, "bytes %d-%d/%d" % (first, last, len(whole))))
            self.assertEqual(part.body, whole[first:last + 1])
        for asked in ("bytes=9999-", "bytes=3-1", "lines=1-2", "bytes=-0", "bytes=1-x"):
            refused = self.file(job, Range=asked)
            self.assertEqual((refused.status, refused.headers["content-range"]), (416, "bytes */%d" % len(whole)))

    def test_only_its_maker_sees_a_job(self):
        job = self.make()
        other = self.user("other")
        for method, call in (("GET", "status"), ("POST", "enqueue"), ("POST", "cancel")):
            self.assertFails(self.bulk(method, "/%s/%s.json" % (job, call), user=other).json, 1013)
        self.assertEqual(self.bulk("GET", "/%s/file.json" % job, user=other).status, 404)
        self.assertEqual(self.bulk("GET", ".json", user=other).json["result"], [])
        self.assertEqual([x["exportId"] for x in self.bulk("GET", ".json").json["result"]], [job])

    def test_the_list_of_jobs(self):
        jobs = [self.make() for _ in range(3)]
        self.bulk("POST", "/%s/cancel.json" % jobs[0])
        listed = lambda query: [x["exportId"] for x in self.bulk("GET", ".json" + query).json["result"]]
        self.assertEqual(listed("?status=Created,Failed"), jobs[1:])
        self.assertEqual(listed("?status=Canceled"), jobs[:1])
        page = self.bulk("GET", ".json?batchSize=2").json
        self.assertTrue(page["moreResult"])
        self.assertEqual(listed("?batchSize=2&nextPageToken=" + page["nextPageToken"]), jobs[2:])
        self.pass_by(7 * 86400 + 1)
        self.assertEqual(listed(""), [])
        self.assertEqual(self.status(jobs[1])["status"], "Created")

    def test_retention(self):
        job = self.make()
        self.enqueue(job)
        self.pass_by(60)
        self.assertEqual((self.status(job)["numberOfRecords"], self.file(job).text), (0, "id,email\n"))
        self.pass_by(7 * 86400)
        self.assertEqual((self.status(job)["status"], self.file(job).status), ("Completed", 404))
        self.pass_by(23 * 86400)
        self.assertFails(self.bulk("GET", "/%s/status.json" % job).json, 1013)

    def test_faults_of_jobs(self):
        self.limits(exportFails=True)
        job = self.make()
        self.enqueue(job)
        self.pass_by(60)
        state = self.status(job)
        self.assertEqual(state["status"], "Failed")
        self.assertIn("errorMsg", state)
        self.limits(exportFails=False, exportLosesFile=True)
        job = self.make()
        self.enqueue(job)
        self.pass_by(60)
        self.assertEqual((self.status(job)["status"], self.file(job).status), ("Completed", 404))

    def test_checksums_of_every_length_of_the_last_block(self):
        sizes = set()
        for length in [*range(1, 66), 119, 120, 128, 5000]:
            sizes.add(len(self.run_job(fields=["id"], columnHeaderNames={"id": "a" * length})))
        self.assertEqual(sizes, {length + 1 for length in [*range(1, 66), 119, 120, 128, 5000]})

    def test_a_known_checksum(self):
        job = self.make(fields=["id"])
        self.enqueue(job)
        self.pass_by(60)
        self.assertEqual(self.file(job).text, "id\n")
        self.assertEqual(self.status(job)["fileChecksum"], "sha256:" + "984a644ec3b56d32b0404777e1eb73390c4b0742a6a0e183f07861056b6746de")


class ActivityExport(ExportCase):
    kind = "activities"

    def setUp(self):
        super().setUp()
        self.lead_id = self.create(email="a@example.org", firstName="A")
        self.sync({"id": self.lead_id, "title": "Buyer, \"old\"", "leadScore": 5}, action="updateOnly", lookupField="id")

    def rows(self, *args, **body):
        return list(csv.DictReader(io.StringIO(self.run_job(*args, **body))))

    def test_the_file(self):
        text = self.run_job()
        self.assertEqual(text.splitlines()[0], "marketoGUID,leadId,activityDate,activityTypeId,campaignId,"
                                               "primaryAttributeValueId,primaryAttributeValue,attributes")
        rows = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual([x["activityTypeId"] for x in rows], ["12", "13", "22", "13"])
        title = rows[1]
        self.assertEqual((title["leadId"], title["campaignId"], title["primaryAttributeValue"]),
                         (str(self.lead_id), "null", "Job Title"))
        self.assertRegex(title["activityDate"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(json.loads(title["attributes"])["New Value"], 'Buyer, "old"')
        self.assertTrue(re.search(r'"\{""New Value"":""Buyer, \\""old\\"""",', text), text)

    def test_filters(self):
        of = self.range()
        self.assertEqual([x["activityTypeId"] for x in self.rows({"createdAt": of, "activityTypeIds": [12, 22]})], ["12", "22"])
        fields = {f["rest"]["name"]: f["id"] for f in self.marketo.get("leads/describe.json")["result"]}
        found = self.rows({"createdAt": of, "activityTypeIds": [13], "primaryAttributeValueIds": [fields["title"]]},
                          fields=["primaryAttributeValue", "actionResult"])
        self.assertEqual(found, [{"primaryAttributeValue": "Job Title", "actionResult": "null"}])
        found = self.rows({"createdAt": of, "activityTypeIds": [13], "primaryAttributeValues": ["Lead Score"]})
        self.assertEqual(len(found), 1)
        self.assertEqual(self.rows({"createdAt": self.range(-10, -5)}), [])

    def test_the_campaign_that_caused_a_change(self):
        self.limits(origins={"tandem": {"source": "Marketo Flow Action", "reason": "Nurture", "campaign": 2417}})
        self.sync({"id": self.lead_id, "title": "Head"}, action="updateOnly", lookupField="id")
        rows = self.rows({"createdAt": self.range(), "activityTypeIds": [13]}, fields=["campaignId", "attributes"])
        self.assertEqual([x["campaignId"] for x in rows], ["null", "null", "2417"])
        self.assertEqual(json.loads(rows[2]["attributes"])["Source"], "Marketo Flow Action")

    def test_deletions_are_not_exported(self):
        self.marketo.post("leads/delete.json", {"input": [{"id": self.lead_id}]})
        self.assertNotIn("37", [x["activityTypeId"] for x in self.rows()])
        self.assertFails(self.ask({"createdAt": self.range(), "activityTypeIds": [37]}), 1003)

    def test_what_cannot_be_asked(self):
        of = self.range()
        for filters, code in (({"activityTypeIds": [13]}, 701), ({"createdAt": of, "activityTypeIds": []}, 1003),
                              ({"createdAt": of, "primaryAttributeValues": ["x"]}, 1003),
                              ({"createdAt": of, "activityTypeIds": [13], "primaryAttributeValues": ["x"] * 51}, 1003),
                              ({"createdAt": of, "activityTypeIds": [13], "primaryAttributeValues": ["x"],
                                "primaryAttributeValueIds": [1]}, 1003),
                              ({"createdAt": of, "staticListId": 5}, 1003)):
            self.assertFails(self.ask(filters), code)
        self.assertFails(self.ask(fields=["email"]), 1006)

    def test_the_kinds_share_the_queue_but_not_the_paths(self):
        job = self.make()
        self.assertFails(self.marketo.raw("GET", "/bulk/v1/leads/export/%s/status.json" % job).json, 1013)
        self.assertEqual(self.marketo.raw("GET", "/rest/../bulk/v1/activities/export/%s/status.json" % job).json["result"][0]
                         ["exportId"], job)


if __name__ == "__main__":
    unittest.main()
