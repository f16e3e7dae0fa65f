"""The Marketo side of the sandbox: packed answers, addresses and options it does not have, the ends of tokens, and how
custom activity types change."""

import gzip
import http.client
import json
import unittest

from marketo_case import MarketoCase

BY_ID = {"action": "updateOnly", "lookupField": "id"}


class Packing(MarketoCase):
    def get(self, path, accepted="gzip", **headers):
        return self.marketo.raw("GET", path, None, {"Accept-Encoding": accepted, **headers})

    def test_long_answers_in_gzip_form(self):
        plain = self.marketo.raw("GET", "/rest/v1/leads/describe2.json")
        self.assertNotIn("content-encoding", plain.headers)
        for accepted in ("gzip", "deflate, gzip;q=0.5, br", "GZIP", "identity,gzip"):
            packed = self.get("/rest/v1/leads/describe2.json", accepted)
            self.assertEqual((packed.headers["content-encoding"], packed.headers["vary"]), ("gzip", "Accept-Encoding"))
            self.assertEqual(int(packed.headers["content-length"]), len(packed.body))
            self.assertLess(len(packed.body) * 3, len(plain.body))
            self.assertEqual(json.loads(gzip.decompress(packed.body))["result"], plain.json["result"])
        for accepted in ("identity", "deflate", "gzip;q=0", "gzipped", ""):
            self.assertNotIn("content-encoding", self.get("/rest/v1/leads/describe2.json", accepted).headers, accepted)

    def test_short_answers_are_not_packed(self):
        lead = self.create(email="a@example.org")
        path = "/rest/v1/lead/%d.json?fields=address" % lead
        limit = 1024
        body = len(self.get(path).body)
        for length, packed in ((limit - body - 40, False), (limit, True)):
            self.sync({"id": lead, "address": "x" * length}, **BY_ID)
            self.assertEqual("content-encoding" in self.get(path).headers, packed, length)

    def test_every_byte_comes_back(self):
        text = "".join(chr(0x4e00 + i * 7919 % 20000) for i in range(9000)) + "abc" * 800
        lead = self.create(email="a@example.org", address=text)
        packed = self.get("/rest/v1/lead/%d.json?fields=address" % lead)
        self.assertEqual(json.loads(gzip.decompress(packed.body))["result"][0]["address"], text)

    def test_what_is_repeated_from_far_away(self):
        far = ["".join(chr(0x4e00 + (i * i * step) % 20000) for i in range(9900)) for step in (7919, 104729)]
        leads = [self.create(address=text) for text in (far[0], far[1], far[0])]
        packed = self.get("/rest/v1/leads.json?filterType=id&fields=address&filterValues=" + ",".join(map(str, leads)))
        found = {r["id"]: r["address"] for r in json.loads(gzip.decompress(packed.body))["result"]}
        self.assertEqual([found[lead] for lead in leads], [far[0], far[1], far[0]])

    def test_bulk_answers_are_not_packed(self):
        self.sandbox.control("seed", {"persons": 200})
        when = self.find("leadPartitionId", 1)["result"]
        span = {"startAt": min(p["createdAt"] for p in when), "endAt": max(p["createdAt"] for p in when)}
        made = self.marketo.raw("POST", "/bulk/v1/leads/export/create.json", {"fields": ["id", "email"],
                                                                             "filter": {"createdAt": span}}).json
        path = "/bulk/v1/leads/export/%s/" % made["result"][0]["exportId"]
        self.marketo.raw("POST", path + "enqueue.json")
        self.sandbox.control("clock", {"advanceSeconds": 60})
        self.marketo.sign_in()
        for folded in ("", "/rest/.."):
            answer = self.get(folded + path + "file.json")
            self.assertGreater(len(answer.body), 1024)
            self.assertNotIn("content-encoding", answer.headers)
        self.assertNotIn("content-encoding", self.get("/bulk/v1/leads/export.json").headers)
        part = self.get(path + "file.json", Range="bytes=0-2000")
        self.assertEqual((part.status, len(part.body), "content-encoding" in part.headers), (206, 2001, False))

    def test_an_answer_cut_in_half_is_cut_packed(self):
        self.sandbox.control("faults", [{"path": "/rest/v1/leads/describe.json", "effect": {"cutBody": True}}])
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.get("/rest/v1/leads/describe.json")
        self.assertEqual(caught.exception.partial[:2], b"\x1f\x8b")

    def test_the_other_side_packs_too(self):
        answer = self.sandbox.dynamics.call("GET", "/_sandbox/users", None, {"Accept-Encoding": "gzip"})
        self.assertEqual(answer.headers["content-encoding"], "gzip")
        self.assertIn("marketo", json.loads(gzip.decompress(answer.body)))


class Addresses(MarketoCase):
    LACKING = ["/rest/v1/leads/push.json", "/rest/v1/leads/submitForm.json", "/rest/v1/leads/5/associate.json",
               "/rest/v1/leads/programs/7.json", "/rest/v1/leads/5/programMembership.json",
               "/rest/v1/leads/5/smartCampaignMembership.json", "/rest/v1/opportunities.json",
               "/rest/v1/opportunities/describe.json", "/rest/v1/opportunities/roles.json",
               "/rest/v1/customobjects.json", "/rest/v1/customobjects/car_c/describe.json", "/rest/v1/namedaccounts.json",
               "/rest/v1/namedAccountLists.json", "/rest/v1/namedAccountList/x/namedAccounts.json",
               "/rest/v1/programs/7/members.json", "/rest/v1/program/7/members/status.json", "/rest/asset/v1/programs.json",
               "/rest/asset/v1/smartCampaign/5.json", "/bulk/v1/customobjects/car_c/export/create.json",
               "/bulk/v1/program/members/export.json", "/userservice/management/v1/users/allusers.json"]

    def test_what_the_real_service_has_and_the_sandbox_has_not(self):
        for path in self.LACKING:
            for method in ("GET", "POST"):
                answer = self.marketo.raw(method, path)
                self.assertEqual((answer.status, answer.headers["content-type"]), (501, "text/plain"), path)
                self.assertIn("sandbox", answer.text)
        self.marketo.token = "nothing"
        self.assertFails(self.marketo.raw("GET", self.LACKING[0]).json, 601)

    def test_what_neither_has(self):
        for path in ("/rest/v1/leads/pushed.json", "/rest/v1/leads/5/somethingLonger.json", "/rest/v1/opportunitie.json",
                     "/rest/v2/leads.json", "/bulk/v1/nothing.json", "/rest/assets", "/",
                     "/rest/v1/leads/associate.json", "/rest/v1/customobjects", "/rest//v1/leads.json",
                     "/bulk/v1//leads/export.json"):
            for method in ("GET", "POST", "DELETE", "PUT", "PATCH"):
                self.assertFails(self.marketo.raw(method, path).json, 610)

    def test_verbs(self):
        for path in ("leads.json", "leads/describe.json", "lists.json", "lead/5.json", "companies.json"):
            for method in ("PUT", "PATCH"):
                self.assertFails(self.marketo.raw(method, "/rest/v1/" + path, {}).json, 605)
        self.assertFails(self.marketo.raw("DELETE", "/rest/v1/companies.json").json, 605)

    def test_a_long_address_of_the_asset_api(self):
        for length, status in ((9000, 501), (66000, 501), (67000, 414)):
            self.assertEqual(self.marketo.raw("GET", "/rest/asset/v1/programs.json?x=" + "y" * length).status, status)


class Options(MarketoCase):
    def refused(self, answer):
        self.assertEqual((answer.status, answer.headers["content-type"]), (501, "text/plain"), answer.text)
        self.assertIn("sandbox", answer.text)

    def test_asynchronous_writes(self):
        body = {"input": [{"email": "a@example.org"}], "asyncProcessing": True}
        self.refused(self.marketo.raw("POST", "/rest/v1/leads.json", body))
        self.assertEqual(self.find("email", "a@example.org")["result"], [])
        self.assertEqual(self.sync({"email": "a@example.org"}, asyncProcessing=False)[0]["status"], "created")

    def test_merge_in_a_crm(self):
        winner, loser = self.create(email="a@example.org"), self.create(email="b@example.org")
        path = "/rest/v1/leads/%d/merge.json?leadId=%d&mergeInCRM=" % (winner, loser)
        self.refused(self.marketo.raw("POST", path + "true"))
        self.assertEqual(self.lead(loser, "email")["email"], "b@example.org")
        self.assertTrue(self.marketo.raw("POST", path + "false").json["success"])

    def test_filters_and_fields_of_the_web(self):
        for name in ("cookies", "sfdcAccountId", "sfdcLeadId", "facebookId", "linkedinId", "twitterId"):
            self.refused(self.marketo.raw("GET", "/rest/v1/leads.json?filterValues=1&filterType=" + name))
        lead = self.create(email="a@example.org")
        for name in ("cookies", "ecids"):
            self.refused(self.marketo.raw("GET", "/rest/v1/lead/%d.json?fields=email,%s,nowhere" % (lead, name)))

    def test_assets_of_activities(self):
        path = "/rest/v1/activities.json?assetIds=5&nextPageToken=%s&activityTypeIds=" % self.since().replace("=", "%3D")
        self.refused(self.marketo.raw("GET", path + "1"))
        self.assertFails(self.marketo.raw("GET", path + "1,2").json, 1003)

    def test_ids_of_a_deletion(self):
        self.assertFails(self.marketo.raw("POST", "/rest/v1/leads/delete.json?id=" + ",".join(["7"] * 301)).json, 1003)
        self.assertEqual(len(self.marketo.raw("POST", "/rest/v1/leads/delete.json?id=" + ",".join(["7"] * 300)).json["result"]),
                         300)


class Tokens(MarketoCase):
    def test_the_last_second(self):
        first = self.marketo.sign_in()["access_token"]
        left = self.marketo.sign_in()["expires_in"]
        self.sandbox.control("clock", {"advanceSeconds": left})
        last = self.marketo.sign_in()
        self.assertEqual((last["access_token"], last["expires_in"]), (first, 0))
        self.assertTrue(self.marketo.get("leads/partitions.json")["success"])
        self.sandbox.control("clock", {"advanceSeconds": 1})
        self.assertNotEqual(self.marketo.sign_in()["access_token"], first)

    def test_users_have_tokens_of_their_own(self):
        other = self.user("other")
        self.assertNotEqual(self.marketo.sign_in()["access_token"], other.sign_in()["access_token"])
        self.assertEqual(other.sign_in()["scope"], "other@api.example.org")

    def test_nothing_was_done_when_a_token_has_expired(self):
        self.marketo.sign_in()
        self.sandbox.control("clock", {"advanceSeconds": 3601})
        self.assertFails(self.marketo.post("leads.json", {"input": [{"email": "a@example.org"}]}), 602)
        self.marketo.sign_in()
        self.assertEqual(self.find("email", "a@example.org")["result"], [])


class Schema(MarketoCase):
    def test_scores_are_described_as_integers(self):
        self.field("grade", "score")
        described = {f["rest"]["name"]: f["dataType"] for f in self.marketo.get("leads/describe.json")["result"]}
        described2 = {f["name"]: f["dataType"] for f in self.marketo.get("leads/describe2.json")["result"][0]["fields"]}
        self.assertEqual((described["grade"], described2["grade"]), ("integer", "integer"))
        self.assertEqual(self.marketo.get("leads/schema/fields/grade.json")["result"][0]["dataType"], "score")

    def test_every_creatable_type_and_no_other(self):
        good = ("boolean", "currency", "date", "datetime", "email", "float", "integer", "percent", "phone", "score", "string",
                "url")
        for name in good:
            self.field("of_" + name, name)
        for name in ("text", "textarea", "reference", "lead_function", "array", ""):
            result = self.marketo.post("leads/schema/fields.json",
                                       {"input": [{"displayName": "N", "name": "n", "dataType": name}]})["result"]
            self.assertSkipped(result[0], 1003)

    def test_schema_of_companies(self):
        fields = self.marketo.get("companies/schema/fields.json")["result"]
        self.assertIn("industry", [f["name"] for f in fields])
        self.assertNotIn("email", [f["name"] for f in fields])
        self.assertEqual(self.marketo.get("companies/schema/fields/industry.json")["result"],
                         [f for f in fields if f["name"] == "industry"])
        self.assertFails(self.marketo.get("companies/schema/fields/email.json"), 1006)
        seen, token = [], {}
        while True:
            page = self.marketo.get("companies/schema/fields.json", batchSize=4, **token)
            seen += page["result"]
            if not page.get("moreResult"):
                break
            token = {"nextPageToken": page["nextPageToken"]}
        self.assertEqual(seen, fields)

    def test_membership_needs_the_right_to_assets(self):
        self.assertIn("Read-Only Assets", self.sandbox.users("marketo")["tandem"]["rights"])


class CustomTypes(MarketoCase):
    PATH = "activities/external/type"
    TYPE = {"apiName": "kick", "name": "Kick", "description": "d", "triggerName": "Kicks", "filterName": "Kicked",
            "primaryAttribute": {"apiName": "ball", "name": "Ball", "dataType": "string"}}
    ONE = {"apiName": "force", "name": "Force", "dataType": "integer"}

    def setUp(self):
        super().setUp()
        self.type_id = self.of(".json", self.TYPE)["id"]

    def call(self, tail, body=None):
        return self.marketo.post(self.PATH + tail, body or {})

    def of(self, tail, body=None):
        answer = self.call(tail, body)
        self.assertTrue(answer["success"], answer)
        return answer["result"][0]

    def add(self, lead):
        record = {"leadId": lead, "activityDate": "2026-08-30T14:05:30Z", "activityTypeId": self.type_id,
                  "primaryAttributeValue": "x", "attributes": []}
        return self.marketo.post("activities/external.json", {"input": [record]})["result"][0]

    def test_only_an_approved_type_takes_records(self):
        lead = self.create(email="a@example.org")
        self.assertEqual(self.add(lead)["errors"][0]["code"], "1013")
        self.of("/kick/approve.json")
        self.assertEqual(self.add(lead)["status"], "added")

    def test_drafts_are_changed_and_discarded(self):
        self.assertFails(self.call("/kick/discardDraft.json"), 1003)
        self.of("/kick/approve.json")
        self.assertFails(self.call("/kick/discardDraft.json"), 1003)
        changed = self.of("/kick.json", {"name": "Big Kick", "description": "e", "primaryAttribute": {
            "apiName": "shoe", "name": "Shoe", "dataType": "string"}})
        self.assertEqual((changed["status"], changed["name"], changed["description"], changed["primaryAttribute"]["apiName"],
                          changed["triggerName"]), ("approved with draft", "Big Kick", "e", "shoe", "Kicks"))
        self.assertEqual(self.marketo.get(self.PATH + "/kick/describe.json")["result"][0]["name"], "Kick")
        self.assertEqual(self.marketo.get(self.PATH + "/kick/describe.json", draft="true")["result"][0]["name"], "Big Kick")
        kept = self.of("/kick/discardDraft.json")
        self.assertEqual((kept["status"], kept["name"]), ("approved", "Kick"))
        self.assertFails(self.call("/kick.json", {"triggerName": "no/slash"}), 1003)
        self.assertFails(self.call("/none.json", {"name": "x"}), 1013)
        self.assertEqual(self.marketo.get(self.PATH + "/kick/describe.json")["result"][0]["status"], "approved")

    def test_names_are_frozen_in_use(self):
        self.of("/kick/approve.json")
        self.add(self.create(email="a@example.org"))
        for change in ({"name": "Other"}, {"triggerName": "Others"}, {"filterName": "Othered"},
                       {"primaryAttribute": self.TYPE["primaryAttribute"]}):
            self.assertFails(self.call("/kick.json", change), 1003)
        self.assertEqual(self.of("/kick.json", {"name": "Kick", "description": "new"})["description"], "new")

    def test_attributes_are_changed_and_deleted(self):
        self.of("/kick/attributes/create.json", {"attributes": [self.ONE, {**self.ONE, "apiName": "side", "name": "Side"}]})
        changed = self.of("/kick/attributes/update.json", {"attributes": [{**self.ONE, "name": "Power", "dataType": "float"}]})
        self.assertEqual([(a["apiName"], a["name"], a["dataType"]) for a in changed["attributes"]],
                         [("force", "Power", "float"), ("side", "Side", "integer")])
        unknown = {"attributes": [{"apiName": "side"}, {"apiName": "none"}]}
        self.assertFails(self.call("/kick/attributes/delete.json", unknown), 1013)
        left = self.of("/kick/attributes/delete.json", {"attributes": [{"apiName": "force"}]})
        self.assertEqual([a["apiName"] for a in left["attributes"]], ["side"])
        for tail in ("update", "delete"):
            self.assertFails(self.call("/kick/attributes/%s.json" % tail, {}), 701)
            self.assertFails(self.call("/kick/attributes/%s.json" % tail, {"attributes": [{}]}), 701)
            self.assertFails(self.call("/kick/attributes/%s.json" % tail, {"attributes": [{**self.ONE, "apiName": "x"}]}), 1013)

    def test_deletion(self):
        other = self.of(".json", {**self.TYPE, "apiName": "push", "name": "Push"})["id"]
        gone = self.of("/kick/delete.json")
        self.assertEqual((gone["status"], gone["id"]), ("deleted", self.type_id))
        self.assertFails(self.marketo.get(self.PATH + "/kick/describe.json"), 1013)
        self.assertEqual([t["apiName"] for t in self.marketo.get("activities/external/types.json")["result"]], ["push"])
        self.assertEqual(self.of(".json", self.TYPE)["id"], other + 1, "ids are not given twice")
        self.of("/push/approve.json")
        self.type_id = other
        self.add(self.create(email="a@example.org"))
        self.assertFails(self.call("/push/delete.json"), 1022)


if __name__ == "__main__":
    unittest.main()
