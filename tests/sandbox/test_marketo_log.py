"""The change log of the Marketo side: entries, paging, lateness, retention, custom activities."""

import unittest

from marketo_case import EPOCH, MarketoCase

DAY = 86400


class LogCase(MarketoCase):
    def update(self, lead, **fields):
        result = self.sync({"id": lead, **fields}, action="updateOnly", lookupField="id")
        self.assertEqual(result[0]["status"], "updated", result)

    def pages(self, path, token, **params):
        """All entries and the token after the last page."""
        entries = []
        while True:
            page = self.marketo.get_by_post(path, nextPageToken=token, **params)
            self.assertTrue(page["success"], page)
            self.assertLessEqual(len(page["result"]), 300)
            entries += page["result"]
            token = page["nextPageToken"]
            if not page["moreResult"]:
                return entries, token

    def changes(self, *fields, token=None):
        return self.pages("activities/leadchanges.json", token or self.since(), fields=",".join(fields))[0]

    def activities(self, *types, token=None, **params):
        return self.pages("activities.json", token or self.since(), activityTypeIds=",".join(map(str, types)), **params)[0]

    @staticmethod
    def attributes(entry):
        return {a["name"]: a["value"] for a in entry["attributes"]}


class Entries(LogCase):
    def test_new_lead(self):
        lead = self.create(email="n@example.org", firstName="Nadia", lastName="Okafor")
        entry, = self.activities(12, 13)
        self.assertEqual((entry["leadId"], entry["activityTypeId"], entry["primaryAttributeValueId"],
                          entry["primaryAttributeValue"]), (lead, 12, lead, "Nadia Okafor"))
        self.assertEqual(entry["marketoGUID"], str(entry["id"]))
        self.assertRegex(entry["activityDate"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(self.attributes(entry)["Modifying User"], "tandem@api.example.org")
        entry, = self.changes("email")
        self.assertEqual((entry["activityTypeId"], entry["fields"]), (12, []))

    def test_a_changed_value(self):
        lead = self.create(email="c@example.org", title="Buyer")
        token = self.pages("activities.json", self.since(), activityTypeIds="12")[1]
        self.update(lead, title="Head", firstName="A", lastName=None)
        first, second = self.changes("title", "firstName", "lastName", token=token)
        field = first["fields"][0]
        self.assertEqual((field["name"], field["oldValue"], field["newValue"]), ("title", "Buyer", "Head"))
        described = {f["rest"]["name"]: f for f in self.marketo.get("leads/describe.json")["result"]}
        self.assertEqual(field["id"], described["title"]["id"])
        self.assertNotIn("primaryAttributeValue", first)
        self.assertEqual(self.attributes(first), {"Source": "Web service API", "Reason": "Web service API", "Lead ID": lead})
        self.assertEqual(second["fields"][0]["name"], "firstName")
        self.assertNotIn("oldValue", second["fields"][0])
        entry = self.activities(13, token=token)[0]
        self.assertEqual((entry["primaryAttributeValueId"], entry["primaryAttributeValue"]), (field["id"], "Job Title"))
        self.assertEqual(self.attributes(entry)["Old Value"], "Buyer")
        self.update(lead, firstName=None)
        self.assertNotIn("newValue", self.changes("firstName", token=token)[-1]["fields"][0])

    def test_what_leaves_no_entry(self):
        self.field("own")
        lead = self.create(email="q@example.org", leadScore=3, doNotCall=False, dateOfBirth="2001-02-03")
        self.update(lead, email="q@example.org", leadScore="3", doNotCall=None, dateOfBirth="2001-02-03", own="")
        self.assertEqual(self.activities(13, 22), [])
        self.update(lead, own="x")
        self.assertEqual(len(self.activities(13)), 1)
        self.assertEqual(self.changes("email")[1:], [])

    def test_display_of_values(self):
        lead = self.create(email="v@example.org", emailSuspendedAt="2026-08-30T14:05:00Z")
        self.update(lead, doNotCall=True, emailSuspendedAt="2026-08-30T15:05:00Z", annualRevenue=12.5)
        shown = {e["fields"][0]["name"]: e["fields"][0] for e in
                 self.changes("doNotCall", "emailSuspendedAt", "annualRevenue") if e["fields"]}
        self.assertEqual((shown["doNotCall"]["oldValue"], shown["doNotCall"]["newValue"]), ("False", "True"))
        self.assertEqual(shown["emailSuspendedAt"]["oldValue"], "2026-08-30 08:05:00")
        self.assertEqual(shown["annualRevenue"]["newValue"], "12.5")

    def test_a_score_is_told_twice(self):
        lead = self.create(email="s@example.org", leadScore=10)
        self.update(lead, leadScore=4)
        score, value = self.activities(13, 22)
        self.assertEqual((score["activityTypeId"], value["activityTypeId"]), (22, 13))
        self.assertEqual(self.attributes(score), {"Change Value": "-6", "New Value": "4", "Old Value": "10",
                                                  "Reason": "Web service API"})
        self.assertEqual(score["activityDate"], value["activityDate"])
        self.assertEqual(len(self.changes("leadScore")), 2)

    def test_merge_delete_and_partition(self):
        one, two, three = (self.create(email="m%d@example.org" % i) for i in range(3))
        self.marketo.raw("POST", "/rest/v1/leads/%d/merge.json?leadId=%d" % (one, two))
        self.marketo.post("leads/delete.json", {"input": [{"id": three}]})
        self.marketo.post("leads/partitions.json", {"input": [{"id": one, "partitionName": "EMEA"}]})
        merge, partition = self.activities(32, 100)
        self.assertEqual((merge["leadId"], merge["primaryAttributeValueId"]), (one, one))
        self.assertEqual(self.attributes(merge)["Merge IDs"], "[%d]" % two)
        self.assertEqual((partition["primaryAttributeValueId"], self.attributes(partition)["Old Partition ID"]), (2, 1))
        deleted, _ = self.pages("activities/deletedleads.json", self.since())
        self.assertEqual([(d["leadId"], d["activityTypeId"], d["attributes"]) for d in deleted], [(three, 37, [])])

    def test_spread_unsubscribes_are_logged(self):
        leads = [self.create(email="u@example.org") for _ in range(3)]
        self.update(leads[0], unsubscribed=True)
        changed = [e["leadId"] for e in self.changes("unsubscribed") if e["activityTypeId"] == 13]
        self.assertEqual(sorted(changed), leads)

    def test_loaded_people_leave_no_entry(self):
        self.sandbox.control("seed", {"persons": 10, "seed": 3})
        self.assertEqual(self.activities(12), [])
        created = self.find("leadPartitionId", 1)["result"][0]["createdAt"]
        self.assertLess(created, self.sandbox.control("clock", {"advanceSeconds": 0})["now"])

    def test_types(self):
        types = {t["id"]: t for t in self.marketo.get("activities/types.json")["result"]}
        self.assertLessEqual({12, 13, 22, 32, 37, 100}, set(types))
        self.assertEqual(types[13]["primaryAttribute"], {"name": "Attribute Name", "dataType": "string"})
        self.assertIn({"name": "Old Value", "dataType": "string"}, types[13]["attributes"])


class Paging(LogCase):
    def test_pages_in_order_and_a_token_is_good_for_ever(self):
        for start in range(0, 700, 100):
            self.sync(*[{"email": "p%d@example.org" % i} for i in range(start, start + 100)])
        first = self.since()
        page = self.marketo.get("activities.json", activityTypeIds=12, nextPageToken=first)
        self.assertEqual((len(page["result"]), page["moreResult"]), (300, True))
        entries, last = self.pages("activities.json", first, activityTypeIds="12")
        self.assertEqual([e["id"] for e in entries], sorted(e["id"] for e in entries))
        self.assertEqual(len(entries), 700)
        again, _ = self.pages("activities.json", first, activityTypeIds="12")
        self.assertEqual(again, entries)
        self.assertEqual(self.pages("activities.json", last, activityTypeIds="12")[0], [])
        lead = self.create(email="later@example.org")
        self.assertEqual([e["leadId"] for e in self.pages("activities.json", last, activityTypeIds="12")[0]], [lead])
        small = self.marketo.get("activities.json", activityTypeIds=12, nextPageToken=first, batchSize=3)
        self.assertEqual(len(small["result"]), 3)

    def test_a_page_may_be_empty_and_not_the_last(self):
        self.limits(scanEvents=50)
        self.sync(*[{"email": "e%d@example.org" % i} for i in range(120)])
        lead = self.create(email="last@example.org")
        self.update(lead, title="T")
        page = self.marketo.get("activities.json", activityTypeIds=13, nextPageToken=self.since())
        self.assertEqual((page["result"], page["moreResult"]), ([], True))
        self.assertEqual(len(self.activities(13)), 1)

    def test_a_token_from_an_instant(self):
        self.create(email="before@example.org")
        self.sandbox.control("clock", {"advanceSeconds": 1000})
        instant = self.sandbox.control("clock", {"advanceSeconds": 10})["now"]
        lead = self.create(email="after@example.org")
        self.assertEqual([e["leadId"] for e in self.activities(12, token=self.since(instant))], [lead])
        self.assertEqual(len(self.activities(12, token=self.since(instant.replace("Z", "+00:05")))), 1)
        self.assertEqual(len(self.activities(12, token=self.since(instant.replace("Z", "+01:00")))), 2)
        self.assertEqual(self.activities(12, token=self.since("2099-01-01T00:00:00Z")), [])

    def test_refusals(self):
        token = self.since()
        get = self.marketo.get
        self.assertFails(get("activities/pagingtoken.json"), 701)
        self.assertFails(get("activities/pagingtoken.json", sinceDatetime="yesterday"), 704)
        self.assertFails(get("activities.json", activityTypeIds=12), 701)
        self.assertFails(get("activities.json", nextPageToken=token), 701)
        self.assertFails(get("activities.json", nextPageToken=token, activityTypeIds=",".join(map(str, range(11)))), 1003)
        self.assertFails(get("activities.json", nextPageToken=token, activityTypeIds="x"), 1003)
        self.assertFails(get("activities.json", nextPageToken=token[::-1], activityTypeIds=12), 1003)
        self.assertFails(get("activities/leadchanges.json", nextPageToken=token), 701)
        self.assertFails(get("activities/leadchanges.json", nextPageToken=token, fields="email,nowhere"), 1006)
        self.assertFails(get("activities.json", nextPageToken=token, activityTypeIds=12,
                             leadIds=",".join(map(str, range(31)))), 1003)
        self.sandbox.reset()
        self.marketo = self.user("tandem")
        self.assertFails(self.marketo.get("activities.json", nextPageToken=token, activityTypeIds=12), 1003)

    def test_of_some_leads_only(self):
        leads = [self.create(email="l%d@example.org" % i) for i in range(4)]
        entries = self.activities(12, leadIds="%d,%d" % (leads[1], leads[3]))
        self.assertEqual([e["leadId"] for e in entries], [leads[1], leads[3]])


class Time(LogCase):
    def test_retention(self):
        lead, gone = self.create(email="r@example.org", leadScore=1), self.create(email="r2@example.org")
        self.update(lead, leadScore=2)
        self.marketo.post("leads/delete.json", {"input": [{"id": gone}]})
        for days, expected in ((13, {12, 13, 22, 37}), (2, {12, 13, 22}), (70, {12, 13, 22}), (6, {12})):
            self.sandbox.control("clock", {"advanceSeconds": days * DAY})
            self.marketo.token = None
            kept = self.activities(12, 13, 22) + self.pages("activities/deletedleads.json", self.since())[0]
            self.assertEqual({e["activityTypeId"] for e in kept}, expected, days)

    def test_late_entries_by_limits(self):
        early = self.create(email="early@example.org")
        start = self.pages("activities.json", self.since(), activityTypeIds="12")[1]
        self.limits(lateCommitSeconds=60)
        late = self.create(email="late@example.org")
        self.limits(lateCommitSeconds=0)
        self.sandbox.control("clock", {"advanceSeconds": 30})
        instant = self.sandbox.control("clock", {"advanceSeconds": 0})["now"]
        prompt = self.create(email="prompt@example.org")
        self.assertEqual([e["leadId"] for e in self.activities(12)], [early, prompt])
        self.sandbox.control("clock", {"advanceSeconds": 31})
        entries = self.activities(12)
        self.assertEqual([e["leadId"] for e in entries], [early, prompt, late])
        self.assertLess(entries[2]["activityDate"], entries[1]["activityDate"])
        self.assertEqual([e["leadId"] for e in self.activities(12, token=start)], [prompt, late])
        self.assertEqual([e["leadId"] for e in self.activities(12, token=self.since(instant))], [prompt])

    def test_late_entries_of_one_call_by_fault(self):
        self.sandbox.control("faults", [{"path": "/rest/v1/leads.json", "nth": 1, "effect": {"lateCommitSeconds": 60}}])
        late, prompt = self.create(email="a@example.org"), self.create(email="b@example.org")
        self.assertEqual([e["leadId"] for e in self.activities(12)], [prompt])
        self.sandbox.control("clock", {"advanceSeconds": 61})
        self.assertEqual([e["leadId"] for e in self.activities(12)], [prompt, late])


class CustomActivities(LogCase):
    TYPE = {"apiName": "syncResult", "name": "Sync Result", "description": "d", "triggerName": "Gets Sync Result",
            "filterName": "Got Sync Result", "primaryAttribute": {"apiName": "outcome", "name": "Outcome", "dataType": "string"}}
    ATTRIBUTES = [{"apiName": "errorCode", "name": "Error Code", "dataType": "string"},
                  {"apiName": "tries", "name": "Tries", "dataType": "integer"},
                  {"apiName": "message", "name": "Error Message", "dataType": "text"}]

    def make(self):
        path = "activities/external/type"
        draft = self.marketo.post(path + ".json", self.TYPE)["result"][0]
        self.assertEqual((draft["status"], draft["id"]), ("draft", 100001))
        added = self.marketo.post(path + "/syncResult/attributes/create.json", {"attributes": self.ATTRIBUTES})
        self.assertEqual([a["apiName"] for a in added["result"][0]["attributes"]], ["errorCode", "tries", "message"])
        approved = self.marketo.raw("POST", "/rest/v1/" + path + "/syncResult/approve.json").json
        self.assertEqual(approved["result"][0]["status"], "approved")
        return draft["id"]

    def record(self, lead, **changes):
        return {"leadId": lead, "activityDate": "2026-08-30T14:05:30Z", "activityTypeId": 100001,
                "primaryAttributeValue": "Failed", "attributes": [], **changes}

    def test_life_of_a_type(self):
        self.assertEqual(self.marketo.get("activities/external/types.json")["result"], [])
        self.make()
        described = self.marketo.get("activities/external/type/syncResult/describe.json")["result"][0]
        self.assertEqual((described["status"], described["primaryAttribute"]["apiName"], len(described["attributes"])),
                         ("approved", "outcome", 3))
        listed, = self.marketo.get("activities/external/types.json")["result"]
        self.assertEqual((listed["id"], listed["apiName"]), (100001, "syncResult"))
        known = {t["id"]: t for t in self.marketo.get("activities/types.json")["result"]}
        self.assertEqual(known[100001]["primaryAttribute"], {"name": "Outcome", "dataType": "string"})
        self.assertFails(self.marketo.post("activities/external/type.json", self.TYPE), 1017)
        path = "activities/external/type/syncResult/attributes/create.json"
        more = {"attributes": [{"apiName": "extra", "name": "Extra", "dataType": "string"}]}
        self.assertEqual(self.marketo.post(path, more)["result"][0]["status"], "approved with draft")
        self.assertFails(self.marketo.post(path, more), 1017)
        draft = self.marketo.get("activities/external/type/syncResult/describe.json", draft="true")["result"][0]
        self.assertEqual(len(draft["attributes"]), 4)

    def test_refusals_of_types(self):
        post = self.marketo.post
        self.assertFails(post("activities/external/type.json", {}), 701)
        self.assertFails(post("activities/external/type.json", {**self.TYPE, "apiName": "a b"}), 1003)
        self.assertFails(post("activities/external/type/none/attributes/create.json", {"attributes": self.ATTRIBUTES}), 1013)
        self.assertFails(post("activities/external/type/none/approve.json", {}), 1013)
        for i in range(10):
            self.assertTrue(post("activities/external/type.json", {**self.TYPE, "apiName": "t%d" % i, "name": "T %d" % i})["success"])
        self.assertFails(post("activities/external/type.json", self.TYPE), 1027)
        many = [{"apiName": "a%d" % i, "name": "A %d" % i, "dataType": "string"} for i in range(21)]
        self.assertFails(post("activities/external/type/t0/attributes/create.json", {"attributes": many}), 1028)

    def test_activities(self):
        lead = self.create(email="act@example.org")
        self.assertEqual(self.marketo.post("activities/external.json", {"input": [self.record(lead)]})
                         ["result"][0]["errors"][0]["code"], "1013")
        self.make()
        good = self.record(lead, attributes=[{"apiName": "errorCode", "value": "0x1"}, {"name": "Tries", "value": 3},
                                             {"apiName": "message", "value": ""}])
        bad = [(self.record(5), "1004"), (self.record(lead, activityTypeId=100009), "1013"),
               ({k: v for k, v in good.items() if k != "activityDate"}, "1002"),
               (self.record(lead, attributes=[{"apiName": "nowhere", "value": 1}]), "1006"),
               (self.record(lead, attributes=[{"apiName": "tries", "value": "many"}]), "1001"),
               (self.record(lead, attributes=[{"apiName": "message", "value": "x" * 30000},
                                              {"apiName": "message", "value": "x" * 30000},
                                              {"apiName": "message", "value": "x" * 6000}]), "1049")]
        result = self.marketo.post("activities/external.json", {"input": [good] + [b for b, _ in bad]})["result"]
        self.assertEqual((result[0]["status"], result[0]["marketoGUID"]), ("added", str(result[0]["id"])))
        for (_, code), record in zip(bad, result[1:]):
            self.assertEqual((record["status"], record["errors"][0]["code"]), ("skipped", code))
            self.assertNotIn("reasons", record)
        entry, = self.activities(100001)
        self.assertEqual((entry["id"], entry["leadId"], entry["activityDate"], entry["primaryAttributeValue"]),
                         (result[0]["id"], lead, "2026-08-30T14:05:30Z", "Failed"))
        self.assertEqual(self.attributes(entry), {"Error Code": "0x1", "Tries": 3})


if __name__ == "__main__":
    unittest.main()
