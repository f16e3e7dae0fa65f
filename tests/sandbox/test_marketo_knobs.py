"""The Marketo side of the sandbox: what a test may choose where the real service is vague, slow or odd."""

import datetime
import threading
import unittest

from marketo_case import MarketoCase

BY_ID = {"action": "updateOnly", "lookupField": "id"}


class KnobCase(MarketoCase):
    def activities(self, *types, **params):
        params.setdefault("nextPageToken", self.since())
        return self.marketo.get("activities.json", activityTypeIds=",".join(map(str, types)), **params)

    @staticmethod
    def attributes(entry):
        return {a["name"]: a["value"] for a in entry["attributes"]}

    def pass_by(self, seconds):
        self.sandbox.control("clock", {"advanceSeconds": seconds})
        self.marketo.sign_in()


class Shapes(KnobCase):
    def test_unknown_members_in_every_object(self):
        lead = self.create(email="a@example.org", firstName='A "{" \\', lastName="{}")
        before = self.marketo.get("leads.json", filterType="id", filterValues=lead)
        self.limits(unknownMembers=True)
        answer = self.marketo.get("leads.json", filterType="id", filterValues=lead)
        self.assertIn("addedLater", answer)
        record = dict(answer["result"][0])
        self.assertIn("addedLater", record)
        record.pop("addedLater")
        self.assertEqual(record, before["result"][0])
        self.assertEqual(self.lead(lead, "firstName", "lastName")["firstName"], 'A "{" \\')
        described = self.marketo.get("leads/describe.json")["result"][0]
        self.assertIn("addedLater", described["rest"])
        self.assertIn("addedLater", self.marketo.get("lead/7.json")["errors"][0])

    def test_some_envelopes_always_have_a_member_of_their_own(self):
        known = {"requestId", "success", "result", "warnings", "moreResult", "nextPageToken", "errors"}
        paths = ["leads/describe.json", "leads/describe2.json", "leads/partitions.json", "lists.json", "stats/usage.json",
                 "activities/types.json", "lead/%d.json" % self.create(email="a@example.org"), "campaigns.json"]
        extra = [set(self.marketo.get(path)) - known for path in paths for _ in range(3)]
        self.assertTrue(any(extra))
        self.assertFalse(all(extra))
        self.assertTrue(any("warnings" in self.marketo.get("lists.json") for _ in range(4)))

    def test_fields_without_a_value_may_be_left_out(self):
        lead = self.create(email="a@example.org", title="T")
        fields = ("email", "title", "firstName", "doNotCall", "leadScore", "mktoName", "createdAt")
        self.assertEqual(set(self.lead(lead, *fields)), {*fields, "id"})
        self.limits(leaveOutEmpty=True)
        self.assertEqual(list(self.lead(lead, *fields)), ["email", "title", "doNotCall", "mktoName", "createdAt", "id"])
        self.assertEqual(self.lead(self.create(leadScore=1), "email", "mktoName", "leadScore"),
                         {"leadScore": 1, "id": lead + 1})

    def test_a_wrong_type_may_be_1001(self):
        self.limits(wrongTypeIs1001=True)
        record = self.sync({"email": "a@example.org", "leadScore": "many"})[0]
        self.assertSkipped(record, 1001, "Invalid value 'many'. Required of type 'integer'")

    def test_a_field_the_api_cannot_reach(self):
        fields = lambda: [f for f in self.marketo.get("leads/describe.json")["result"] if "rest" not in f]
        self.assertEqual(fields(), [])
        self.limits(soapOnlyField=True)
        field, = fields()
        self.assertEqual((field["displayName"], field["soap"]["name"]), ("Acquisition Date", "AcquisitionDate"))
        self.assertFails(self.marketo.get("leads.json", filterType="id", filterValues=1, fields="acquisitionDate"), 1006)

    def test_a_native_crm_sync(self):
        key = {"externalCompanyId": "k1"}
        self.marketo.post("companies.json", {"input": [key]})
        self.marketo.post("salespersons.json", {"input": [{"externalSalesPersonId": "s1"}]})
        flags = lambda: {f["name"]: f["crmManaged"] for f in self.marketo.get("leads/describe2.json")["result"][0]["fields"]}
        self.field("own")
        self.assertFalse(any(flags().values()))
        self.limits(crmManaged=True)
        self.assertEqual((flags()["email"], flags()["own"]), (True, False))
        for path, record in (("companies", key), ("companies/delete", key), ("salespersons", {"externalSalesPersonId": "s1"}),
                             ("salespersons/delete", {"externalSalesPersonId": "s1"})):
            result = self.marketo.post(path + ".json", {"input": [record]})["result"][0]
            self.assertEqual(result["reasons"][0]["code"], "1018", path)
        fields = self.marketo.get("companies/describe.json")["result"][0]["fields"]
        self.assertTrue(all(f["crmManaged"] and not f["updateable"] for f in fields))
        found = self.marketo.get("companies.json", filterType="externalCompanyId", filterValues="k1")["result"]
        self.assertEqual(len(found), 1)


class Writes(KnobCase):
    def test_two_upserts_of_one_new_key_at_once_make_two_people(self):
        self.limits(upsertRaceMs=400)
        users = [self.user("tandem") for _ in range(2)]
        for user in users:
            user.sign_in()
        answers = []
        post = lambda user: answers.append(user.post("leads.json", {"input": [{"email": "race@example.org"}]}))
        threads = [threading.Thread(target=post, args=(user,)) for user in users]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([a["result"][0]["status"] for a in answers], ["created", "created"])
        self.limits(upsertRaceMs=0)
        self.assertSkipped(self.sync({"email": "race@example.org"})[0], 1007)

    def test_a_person_deleted_in_the_race_is_made_anew(self):
        lead = self.create(email="a@example.org")
        self.limits(upsertRaceMs=500)
        other = self.user("other")
        other.sign_in()
        done = []
        thread = threading.Thread(target=lambda: done.extend(self.sync({"email": "a@example.org"})))
        self.sandbox.control("calls/reset", {})
        thread.start()
        while not self.sandbox.control("calls")["marketo"]:
            pass
        other.post("leads/delete.json", {"input": [{"id": lead}]})
        thread.join()
        self.assertEqual(done, [{"id": lead + 1, "status": "created"}])

    def test_a_look_up_may_lag(self):
        self.limits(lookupLagSeconds=30)
        lead = self.create(email="a@example.org")
        self.assertEqual(self.find("email", "a@example.org")["result"], [])
        self.assertEqual(len(self.find("id", lead)["result"]), 1)
        self.assertEqual(self.sync({"email": "a@example.org"})[0]["status"], "created")
        self.assertSkipped(self.sync({"email": "a@example.org"}, action="updateOnly")[0], 1004)
        self.pass_by(31)
        self.assertEqual(len(self.find("email", "a@example.org")["result"]), 2)
        self.assertSkipped(self.sync({"email": "a@example.org"})[0], 1007)

    def test_blocked_fields_report_success_and_do_not_stick(self):
        lead = self.create(email="a@example.org", title="Old")
        self.limits(blockedFields=["title"])
        self.assertEqual(self.sync({"id": lead, "title": "New", "firstName": "A"}, **BY_ID)[0]["status"], "updated")
        self.assertEqual(self.lead(lead, "title", "firstName"), {"title": "Old", "firstName": "A", "id": lead})
        self.assertEqual(len(self.activities(13)["result"]), 1)
        for bad in (["nowhere"], "title", [5], [None]):
            answer = self.sandbox.marketo.call("POST", "/_sandbox/limits", {"marketo": {"blockedFields": bad}})
            self.assertEqual(answer.status, 400, bad)
        self.limits(blockedFields=[])
        self.sync({"id": lead, "title": "New"}, **BY_ID)
        self.assertEqual(self.lead(lead, "title")["title"], "New")

    def test_a_companys_change_may_be_one_of_its_people(self):
        put = lambda **fields: self.marketo.post("companies.json", {"input": [{"externalCompanyId": "k", **fields}]})
        put(company="A")
        leads = [self.create(email="m%d@example.org" % i, externalCompanyId="k") for i in range(2)]
        put(company="B")
        self.assertEqual(self.activities(13)["result"], [])
        self.limits(companyChangesLogged=True)
        put(company="B", industry=None)
        self.assertEqual(self.activities(13)["result"], [])
        put(company="C")
        entries = self.activities(13)["result"]
        self.assertEqual(sorted(e["leadId"] for e in entries), leads)
        self.assertEqual((entries[0]["primaryAttributeValue"], self.attributes(entries[0])["Old Value"],
                          self.attributes(entries[0])["New Value"]), ("Company Name", "B", "C"))


class Origins(KnobCase):
    def change(self, user, lead, **fields):
        answer = user.post("leads.json", {"input": [{"id": lead, **fields}], **BY_ID})
        self.assertEqual(answer["result"][0]["status"], "updated", answer)

    def test_source_and_reason_by_who_writes(self):
        marketer, other = self.user("marketer"), self.user("other")
        self.limits(origins={"marketer": {"source": "Lead update", "reason": "Manual person edit"},
                             "other": {"source": "Web form fillout", "reason": "Contact us", "campaign": 2417}})
        lead = self.create(email="a@example.org")
        self.change(self.marketo, lead, title="1")
        self.change(marketer, lead, title="2", leadScore=5)
        self.change(other, lead, title="3")
        made = other.post("leads.json", {"input": [{"email": "b@example.org"}]})["result"][0]["id"]
        entries = self.activities(12, 13, 22)["result"]
        self.assertEqual([(e["activityTypeId"], self.attributes(e).get("Source"), self.attributes(e).get("Reason"))
                          for e in entries],
                         [(12, None, None), (13, "Web service API", "Web service API"),
                          (13, "Lead update", "Manual person edit"), (22, None, "Manual person edit"),
                          (13, "Lead update", "Manual person edit"), (13, "Web form fillout", "Contact us"),
                          (12, None, None)])
        self.assertEqual([self.attributes(e)["Source Type"] for e in entries if e["activityTypeId"] == 12],
                         ["Web service API", "Web form fillout"])
        self.assertEqual([e.get("campaignId") for e in entries], [None] * 5 + [2417] * 2)
        self.assertEqual(["Modifying User" in self.attributes(e) for e in entries], [True] * 2 + [False] * 5)
        self.assertEqual(entries[-1]["leadId"], made)
        changes = self.marketo.get("activities/leadchanges.json", nextPageToken=self.since(), fields="title")["result"]
        self.assertEqual([self.attributes(e)["Reason"] for e in changes if e["activityTypeId"] == 13],
                         ["Web service API", "Manual person edit", "Contact us"])
        marketer.post("leads/partitions.json", {"input": [{"id": lead, "partitionName": "EMEA"}]})
        self.assertEqual(self.attributes(self.activities(100)["result"][0])["Reason"], "Manual person edit")
        self.limits(origins={"marketer": {"source": "Lead update", "reason": "Manual person edit", "campaign": 5}})
        self.change(marketer, lead, title="by 5")
        self.assertEqual(self.activities(13)["result"][-1]["campaignId"], 5)
        self.limits(origins={"marketer": None})
        self.change(marketer, lead, title="4")
        self.assertEqual(self.attributes(self.activities(13)["result"][-1])["Source"], "Web service API")

    def test_an_import_is_told_as_one(self):
        body = ('--B\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nemail,title\na@example.org,N\n'
                "b@example.org,N\n\r\n--B--\r\n")
        self.create(email="a@example.org")
        self.marketo.raw("POST", "/bulk/v1/leads.json?format=csv", body, {"Content-Type": "multipart/form-data; boundary=B"})
        self.pass_by(30)
        self.create(email="c@example.org")
        entries = self.activities(12, 13)["result"]
        self.assertEqual([self.attributes(e).get("Source") or self.attributes(e)["Source Type"] for e in entries],
                         ["Web service API", "List import", "List import", "Web service API"])

    def test_what_is_no_origin(self):
        for bad in (5, {"nobody": {"source": "a", "reason": "b"}}, {"other": {"source": "a"}}, {"other": 5}):
            answer = self.sandbox.marketo.call("POST", "/_sandbox/limits", {"marketo": {"origins": bad}})
            self.assertEqual(answer.status, 400, bad)


class Activities(KnobCase):
    def setUp(self):
        super().setUp()
        self.leads = [r["id"] for r in self.sync(*[{"email": "p%d@example.org" % i} for i in range(10)])]

    def test_ids_may_be_missing_or_shared(self):
        plain = self.activities(12)["result"]
        self.assertEqual([e["marketoGUID"] for e in plain], [str(e["id"]) for e in plain])
        self.limits(activityIdsMissing=True)
        entries = self.activities(12)["result"]
        self.assertFalse(any("id" in e for e in entries))
        self.assertEqual([e["marketoGUID"] for e in entries], [e["marketoGUID"] for e in plain])
        self.limits(activityIdsMissing=False, activityIdsRepeat=True)
        entries = self.activities(12)["result"]
        self.assertLess(len({e["id"] for e in entries}), len(entries))
        self.assertEqual(len({e["marketoGUID"] for e in entries}), len(entries))
        self.limits(activityIdsRepeat=False, longGuids=True)
        entries = self.activities(12)["result"]
        self.assertEqual({len(e["marketoGUID"]) for e in entries}, {128})
        self.assertEqual(len({e["marketoGUID"] for e in entries}), len(entries))

    def test_ties_in_another_order(self):
        self.sandbox.control("clock", {"advanceSeconds": 10})
        later = [r["id"] for r in self.sync(*[{"email": "q%d@example.org" % i} for i in range(3)])]
        order = lambda **more: [(e["activityDate"], e["leadId"]) for e in self.activities(12, **more)["result"]]
        self.assertEqual([lead for _, lead in order()], self.leads + later)
        self.limits(tiesReversed=True)
        found = order()
        self.assertEqual([date for date, _ in found], sorted(date for date, _ in found))
        self.assertEqual(sorted(lead for _, lead in found), self.leads + later)
        self.assertNotEqual([lead for _, lead in found], self.leads + later)
        self.assertEqual(sorted(lead for _, lead in order(batchSize=4)), self.leads[:4])

    def test_the_last_of_a_page_may_come_again(self):
        self.limits(repeatsLast=True)
        token, seen = self.since(), []
        while True:
            page = self.activities(12, nextPageToken=token, batchSize=4)
            seen.append([e["leadId"] for e in page["result"]])
            token = page["nextPageToken"]
            if not page["moreResult"]:
                break
        self.assertEqual(seen, [self.leads[0:4], self.leads[3:7], self.leads[6:10]])
        self.assertEqual([e["leadId"] for e in self.activities(12, nextPageToken=token)["result"]], self.leads[9:])

    def test_paging_tokens_may_die(self):
        token = self.since()
        self.pass_by(1000)
        self.assertTrue(self.activities(12, nextPageToken=token)["success"])
        self.limits(pageTokenSeconds=600)
        self.assertFails(self.activities(12, nextPageToken=token), 1003)
        token = self.since()
        self.assertTrue(self.activities(12, nextPageToken=token)["success"])

    def test_of_a_list_only(self):
        made = self.sandbox.control("lists", {"name": "Fair"})["id"]
        self.marketo.post("lists/%d/leads.json" % made, {"input": [{"id": x} for x in self.leads[2:5]]})
        self.assertEqual([e["leadId"] for e in self.activities(12, listId=made)["result"]], self.leads[2:5])
        changes = self.marketo.get("activities/leadchanges.json", nextPageToken=self.since(), fields="email", listId=made)
        self.assertEqual([e["leadId"] for e in changes["result"]], self.leads[2:5])
        self.assertFails(self.activities(12, listId=7), 1013)

    def test_a_list_too_large(self):
        made = self.sandbox.control("lists", {"name": "All"})["id"]
        self.sandbox.control("seed", {"persons": 10000})
        ids = range(self.leads[-1] + 1, self.leads[-1] + 10001)
        for start in range(0, 10000, 300):
            self.marketo.post("lists/%d/leads.json" % made, {"input": [{"id": x} for x in ids[start:start + 300]][:300]})
            if start == 9600:
                self.assertTrue(self.activities(12, listId=made)["success"])
        self.assertFails(self.activities(12, listId=made), 1003)

    def test_entries_of_a_loser_become_the_winners(self):
        winner, loser = self.leads[:2]
        self.marketo.raw("POST", "/rest/v1/leads/%d/merge.json?leadId=%d" % (winner, loser))
        self.assertEqual([e["leadId"] for e in self.activities(12)["result"]], [winner, winner, *self.leads[2:]])
        self.assertEqual(len(self.activities(12, leadIds=winner)["result"]), 2)

    def test_retention_to_the_day(self):
        gone, lead = self.leads[:2]
        self.sync({"id": lead, "title": "T"}, **BY_ID)
        self.marketo.post("leads/delete.json", {"input": [{"id": gone}]})
        deleted = lambda: len(self.marketo.get("activities/deletedleads.json", nextPageToken=self.since())["result"])
        self.pass_by(14 * 86400 - 60)
        self.assertEqual(deleted(), 1)
        self.pass_by(120)
        self.assertEqual(deleted(), 0)
        self.pass_by(76 * 86400 - 180)
        self.assertEqual(len(self.activities(13)["result"]), 1)
        self.pass_by(180)
        self.assertEqual((self.activities(13)["result"], len(self.activities(12)["result"])), ([], 10))


class Others(KnobCase):
    def test_the_day_ends_at_midnight_us_central(self):
        self.marketo.sign_in()
        now = datetime.datetime.fromisoformat(self.sandbox.control("clock", {"advanceSeconds": 0})["now"].replace("Z", "+00:00"))
        midnight = now.replace(hour=6, minute=0, second=0) + datetime.timedelta(days=2)
        self.pass_by(int((midnight - now).total_seconds()) - 30)
        date = self.marketo.get("stats/usage.json")["result"][0]["date"]
        self.assertEqual(date, (midnight - datetime.timedelta(days=1)).date().isoformat())
        self.limits(enforce=True, perDay=1)
        self.assertFails(self.marketo.get("stats/usage.json"), 607)
        self.pass_by(60)
        usage = self.marketo.get("stats/usage.json")["result"][0]
        self.assertEqual((usage["date"], usage["total"]), (midnight.date().isoformat(), 1))

    def test_places_of_the_queues_taken_by_others(self):
        self.limits(otherExports=9, otherImports=9)
        span = {"createdAt": {"startAt": "2026-01-01T00:00:00Z", "endAt": "2026-01-02T00:00:00Z"}}
        answers = []
        for _ in range(2):
            job = self.marketo.raw("POST", "/bulk/v1/leads/export/create.json", {"fields": ["id"], "filter": span}).json
            answers.append(self.marketo.raw("POST", "/bulk/v1/leads/export/%s/enqueue.json" % job["result"][0]["exportId"]).json)
        self.assertTrue(answers[0]["success"])
        self.assertFails(answers[1], 1029)
        body = '--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nemail\na@example.org\n\r\n--B--\r\n'
        upload = lambda: self.marketo.raw("POST", "/bulk/v1/leads.json?format=csv", body,
                                          {"Content-Type": "multipart/form-data; boundary=B"}).json
        self.assertTrue(upload()["success"])
        self.assertFails(upload(), 1016)

    def test_usage_of_others_for_a_day(self):
        self.limits(otherCalls=123)
        usage = self.marketo.get("stats/usage.json")["result"][0]
        self.assertEqual((usage["total"], [u["count"] for u in usage["users"]]), (124, [1]))
        self.assertEqual(datetime.date.fromisoformat(usage["date"]).isoformat(), usage["date"])
        self.limits(enforce=True, perDay=125)
        self.assertTrue(self.marketo.get("stats/usage.json")["success"])
        self.assertFails(self.marketo.get("stats/usage.json"), 607)


if __name__ == "__main__":
    unittest.main()
