"""The Marketo side of the sandbox: static lists and their members."""

import unittest

from marketo_case import MarketoCase


class Lists(MarketoCase):
    def setUp(self):
        super().setUp()
        self.list = self.sandbox.control("lists", {"name": "Fair"})["id"]
        self.people = [self.create(email="m%d@example.org" % i) for i in range(3)]

    def members(self, **more):
        return self.marketo.get("lists/%d/leads.json" % self.list, **more)

    def remove(self, query, body=None, method="DELETE"):
        headers = {"Content-Type": "application/json"} if body else {}
        path = "/rest/v1/lists/%d/leads.json%s" % (self.list, query)
        return self.marketo.raw(method, path, body, headers).json

    def test_lists(self):
        other = self.sandbox.control("lists", {"name": "Webinar", "programName": "Autumn", "workspaceName": "EMEA"})["id"]
        found = self.marketo.get("lists.json")["result"]
        self.assertEqual([(x["id"], x["name"], x["workspaceName"]) for x in found],
                         [(self.list, "Fair", "Default"), (other, "Webinar", "EMEA")])
        self.assertEqual(found[1]["programName"], "Autumn")
        self.assertNotIn("programName", found[0])
        for name, value in (("id", other), ("name", "Webinar"), ("programName", "Autumn"), ("workspaceName", "EMEA")):
            self.assertEqual([x["id"] for x in self.marketo.get("lists.json", **{name: value})["result"]], [other])
        self.assertEqual(self.marketo.get("lists.json", name="None")["result"], [])
        page = self.marketo.get("lists.json", batchSize=1)
        self.assertTrue(page["moreResult"])
        page = self.marketo.get("lists.json", batchSize=1, nextPageToken=page["nextPageToken"])
        self.assertEqual([x["id"] for x in page["result"]], [other])
        self.assertNotIn("nextPageToken", page)
        self.assertEqual(self.marketo.get("lists/%d.json" % other)["result"][0]["name"], "Webinar")
        self.assertFails(self.marketo.get("lists/9.json"), 1013)
        self.assertFails(self.marketo.get("lists/x.json"), 1001)
        self.assertFails(self.marketo.get("lists.json", nextPageToken="x"), 1003)
        self.assertFails(self.marketo.get("lists.json", batchSize="x"), 1003)

    def test_a_list_is_made_once(self):
        for body in ({"name": "Fair"}, {}, {"name": 5}):
            self.assertEqual(self.sandbox.marketo.call("POST", "/_sandbox/lists", body).status, 400)

    def test_add_ask_remove(self):
        first, second, third = self.people
        path = "lists/%d/leads.json" % self.list
        self.assertEqual(self.marketo.post(path, {"input": [{"id": second}, {"id": 7}]})["result"],
                         [{"id": second, "status": "added"},
                          {"id": 7, "status": "skipped", "reasons": [{"code": "1004", "message": "Lead not found"}]}])
        added = self.marketo.raw("POST", "/rest/v1/%s?id=%d&id=%d" % (path, first, second)).json
        self.assertEqual([x["status"] for x in added["result"]], ["added", "added"])
        asked = self.marketo.get("lists/%d/leads/ismember.json" % self.list, id="%d,%d,7" % (first, third))["result"]
        self.assertEqual([x["status"] for x in asked], ["memberof", "notmemberof", "skipped"])
        self.assertEqual([x["id"] for x in self.members()["result"]], [first, second])
        gone = self.remove("", '{"input":[{"id":%d},{"id":%d}]}' % (first, third))["result"]
        self.assertEqual(gone, [{"id": first, "status": "removed"},
                                {"id": third, "status": "skipped",
                                 "reasons": [{"code": "1015", "message": "Lead not in list"}]}])
        self.assertEqual(self.remove("?_method=DELETE&id=%d" % second, None, "POST")["result"],
                         [{"id": second, "status": "removed"}])
        self.assertEqual(self.members()["result"], [])

    def test_refusals(self):
        path = "lists/%d/leads.json" % self.list
        self.assertFails(self.marketo.post("lists/9/leads.json", {"input": [{"id": 1}]}), 1013)
        self.assertFails(self.marketo.raw("POST", "/rest/v1/" + path).json, 701)
        self.assertFails(self.marketo.post(path, {"input": []}), 701)
        self.assertFails(self.marketo.post(path, {"input": [{"id": 1}] * 301}), 1003)
        self.assertFails(self.remove("?id=" + ",".join(["1"] * 301)), 1003)
        self.assertFails(self.user("reader").post(path, {"input": [{"id": 1}]}), 603)

    def test_leads_of_a_list_in_pages(self):
        self.marketo.post("lists/%d/leads.json" % self.list, {"input": [{"id": x} for x in self.people]})
        page = self.members(batchSize=2, fields="email")
        self.assertEqual(page["result"], [{"email": "m0@example.org", "id": self.people[0]},
                                          {"email": "m1@example.org", "id": self.people[1]}])
        self.remove("?id=%d" % self.people[0])
        page = self.members(batchSize=2, fields="email", nextPageToken=page["nextPageToken"])
        self.assertEqual([x["id"] for x in page["result"]], [self.people[2]])
        self.assertNotIn("nextPageToken", page)
        twin = self.marketo.get("list/%d/leads.json" % self.list)["result"]
        self.assertEqual([x["id"] for x in twin], self.people[1:])
        self.assertFails(self.members(fields="nothing"), 1006)

    def test_membership_of_a_lead(self):
        self.marketo.post("lists/%d/leads.json" % self.list, {"input": [{"id": self.people[0]}]})
        of = lambda lead: self.marketo.get("leads/%d/listMembership.json" % lead)
        self.assertEqual([x["id"] for x in of(self.people[0])["result"]], [self.list])
        self.assertEqual(of(self.people[1])["result"], [])
        self.assertFails(of(7), 1004)

    def test_a_winner_inherits_and_the_deleted_are_off(self):
        first, second, third = self.people
        self.marketo.post("lists/%d/leads.json" % self.list, {"input": [{"id": second}, {"id": third}]})
        self.marketo.raw("POST", "/rest/v1/leads/%d/merge.json?leadId=%d" % (first, second))
        self.marketo.post("leads/delete.json", {"input": [{"id": third}]})
        self.assertEqual([x["id"] for x in self.members()["result"]], [first])

    def test_a_path_is_folded_before_it_is_looked_up(self):
        answer = self.marketo.raw("GET", "/rest/../rest/v1/lists.json").json
        self.assertEqual(answer["result"][0]["id"], self.list)


if __name__ == "__main__":
    unittest.main()
