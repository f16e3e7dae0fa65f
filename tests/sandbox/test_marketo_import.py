"""The Marketo side of the sandbox: bulk lead import, on the sandbox's clock."""

import unittest

from marketo_case import MarketoCase


class Import(MarketoCase):
    def upload(self, text, query="format=csv", part="file", boundary="XbK7", declared=None, content_type=None):
        if isinstance(text, str):
            text = text.encode()
        body = (b'--%s\r\nContent-Disposition: form-data; name="%s"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n'
                % (boundary.encode(), part.encode())) + text + b"\r\n--%s--\r\n" % boundary.encode()
        content_type = content_type or "multipart/form-data; boundary=" + (declared or boundary)
        return self.marketo.raw("POST", "/bulk/v1/leads.json?" + query, body, {"Content-Type": content_type})

    def bulk(self, path):
        return self.marketo.raw("GET", "/bulk/v1/leads/batch/" + path)

    def pass_by(self, seconds):
        self.sandbox.control("clock", {"advanceSeconds": seconds})
        self.marketo.sign_in()

    def run_import(self, text, query="format=csv"):
        made = self.upload(text, query).json
        self.assertTrue(made["success"], made)
        batch = made["result"][0]["batchId"]
        self.assertEqual(made["result"], [{"batchId": batch, "importId": str(batch), "status": "Queued"}])
        self.pass_by(10)
        state = self.bulk("%d.json" % batch).json["result"][0]
        self.assertEqual(state["status"], "Complete")
        return batch, state

    def counts(self, state):
        return state["numOfLeadsProcessed"], state["numOfRowsFailed"], state["numOfRowsWithWarning"]

    def test_the_life_of_an_import(self):
        batch = self.upload("email,firstName\na@example.org,A\n").json["result"][0]["batchId"]
        state = self.bulk("%d.json" % batch).json["result"][0]
        self.assertEqual(state, {"batchId": batch, "importId": str(batch), "status": "Importing"})
        self.assertFails(self.bulk("%d/failures.json" % batch).json, 1003)
        self.assertEqual(self.find("email", "a@example.org")["result"], [])
        self.pass_by(10)
        self.assertEqual(self.find("email", "a@example.org", fields="firstName")["result"][0]["firstName"], "A")
        self.assertEqual(self.counts(self.bulk("%d.json" % batch).json["result"][0]), (1, 0, 0))
        for name in ("failures", "warnings"):
            answer = self.bulk("%d/%s.json" % (batch, name))
            self.assertEqual((answer.status, answer.headers["content-type"], answer.body), (200, "text/csv", b""))
        self.pass_by(7 * 86400)
        self.assertFails(self.bulk("%d.json" % batch).json, 1013)
        self.assertFails(self.bulk("%d/warnings.json" % batch).json, 1013)

    def test_it_updates_and_creates(self):
        known = self.create(email="a@example.org", firstName="Old", title="Kept")
        _, state = self.run_import('\ufeffemail,firstName,title\r\nA@example.org,"New, ""er""",\r\nb@example.org,"two\nlines",x\r\n')
        self.assertEqual(self.counts(state), (2, 0, 0))
        self.assertEqual(self.lead(known, "firstName", "title"), {"firstName": 'New, "er"', "title": "Kept", "id": known})
        self.assertEqual(self.find("email", "b@example.org", fields="firstName")["result"][0]["firstName"], "two\nlines")
        log = self.marketo.get("activities.json", activityTypeIds="12,13", nextPageToken=self.since())["result"]
        self.assertEqual([x["activityTypeId"] for x in log], [12, 13, 13, 12])

    def test_failures_and_warnings(self):
        self.create(email="twin@example.org")
        self.create(email="twin@example.org")
        batch, state = self.run_import('email,firstName,leadScore\ntwin@example.org,"A, B",1\n,C,2\nwrong,D,3\n'
                                       "ok@example.org,E,many\nfine@example.org,F,4\n")
        self.assertEqual(self.counts(state), (2, 3, 1))
        self.assertEqual(state["message"], "Import completed with errors, 2 records imported (2 members), 3 failed")
        self.assertEqual(self.bulk("%d/failures.json" % batch).text,
                         "email,firstName,leadScore,Import Failure Reason\n"
                         'twin@example.org,"A, B",1,Multiple lead match lookup criteria\n'
                         ",C,2,Value for lookup field 'email' not found\n"
                         "wrong,D,3,Invalid value for lookup field 'email'\n")
        self.assertEqual(self.bulk("%d/warnings.json" % batch).text,
                         "email,firstName,leadScore,Import Warning Reason\n"
                         "ok@example.org,E,many,Invalid value for field 'leadScore'\n")
        self.assertIsNone(self.find("email", "ok@example.org", fields="leadScore")["result"][0]["leadScore"])

    def test_lookup_by_other_fields(self):
        self.field("key")
        lead = self.create(email="a@example.org", key="k1")
        self.run_import("key;email\nk1;b@example.org\nk2;c@example.org\n", "format=ssv&lookupField=key")
        self.assertEqual(self.lead(lead, "email")["email"], "b@example.org")
        self.assertEqual(len(self.find("email", "c@example.org")["result"]), 1)
        batch, state = self.run_import("id\ttitle\n%d\tx\n7\ty\n" % lead, "format=tsv&lookupField=id")
        self.assertEqual(self.counts(state), (1, 1, 0))
        self.assertEqual(self.bulk("%d/failures.json" % batch).text, "id\ttitle\tImport Failure Reason\n7\ty\tLead not found\n")

    def test_links_to_a_company(self):
        self.marketo.post("companies.json", {"input": [{"externalCompanyId": "k", "company": "Acme"}]})
        batch, state = self.run_import("email,externalCompanyId,industry\na@example.org,k,\nb@example.org,none,\n"
                                       "c@example.org,k,Logistics\n")
        self.assertEqual(self.counts(state), (1, 2, 0))
        self.assertEqual(self.find("email", "a@example.org", fields="company")["result"][0]["company"], "Acme")
        self.assertEqual([line.rpartition(",")[2] for line in self.bulk("%d/failures.json" % batch).text.splitlines()],
                         ["Import Failure Reason", "Company not found", "Company update not allowed: field 'industry'"])

    def test_two_at_once_in_the_order_of_upload(self):
        batches = [self.upload("email,title\na@example.org,%d\n" % i).json["result"][0]["batchId"] for i in range(4)]
        self.pass_by(11)
        self.assertEqual([self.bulk("%d.json" % x).json["result"][0]["status"] for x in batches],
                         ["Complete", "Complete", "Importing", "Importing"])
        self.pass_by(10)
        self.assertEqual(self.find("email", "a@example.org", fields="title")["result"][0]["title"], "3")

    def test_list_and_partition(self):
        made = self.sandbox.control("lists", {"name": "Fair"})["id"]
        self.run_import("email\na@example.org\n", "format=csv&listId=%d&partitionName=EMEA" % made)
        found = self.marketo.get("lists/%d/leads.json" % made, fields="leadPartitionId")["result"]
        self.assertEqual([x["leadPartitionId"] for x in found], [2])

    def test_what_cannot_be_uploaded(self):
        good = "email\na@example.org\n"
        for query, code in (("", 701), ("format=xml", 1003), ("format=csv&lookupField=none", 1006),
                            ("format=csv&lookupField=title", 1011), ("format=csv&listId=9", 1013),
                            ("format=csv&partitionName=x", 1013), ("format=csv&lookupField=id", 1003)):
            self.assertFails(self.upload(good, query).json, code)
        self.assertFails(self.upload("email,nothing\n").json, 1006)
        self.assertFails(self.upload("").json, 1003)
        self.assertFails(self.upload(b"email,firstName\nb@example.org,B\xe9la\n").json, 1003)
        self.assertFails(self.upload(b"email,n\xffme\n").json, 1003)
        self.assertFails(self.upload(good, part="other").json, 613)
        self.assertFails(self.upload(good, declared="elsewhere").json, 613)
        self.assertFails(self.upload(good, content_type="multipart/form-data").json, 613)
        self.assertFails(self.upload(good, content_type="text/csv").json, 612)
        self.marketo = self.user("reader")
        self.assertFails(self.upload(good).json, 603)

    def test_size(self):
        row = "x%07d@example.org,%s\n"
        text = "email,title\n" + "".join(row % (i, "t" * 200) for i in range(10))
        self.assertTrue(self.upload(text + "\n" * (2 << 20)).json["success"])
        self.assertEqual(self.upload(text + "\n" * (10 << 20)).status, 413)

    def test_slots(self):
        made = [self.upload("email\nq%d@example.org\n" % i).json["result"][0]["batchId"] for i in range(10)]
        self.assertFails(self.upload("email\nq@example.org\n").json, 1016)
        self.limits(importSeconds=60)
        self.pass_by(65)
        states = [self.bulk("%d.json" % x).json["result"][0]["status"] for x in made]
        self.assertEqual(states, ["Complete"] * 2 + ["Importing"] * 2 + ["Queued"] * 6)
        self.assertTrue(self.upload("email\nq@example.org\n").json["success"])


if __name__ == "__main__":
    unittest.main()
