"""The Marketo side of the sandbox: campaigns that are requested, and the statistics of a week."""

import unittest

from marketo_case import MarketoCase


class Campaigns(MarketoCase):
    def make(self, **body):
        return self.sandbox.control("campaigns", body)["id"]

    def trigger(self, campaign, body):
        return self.marketo.post("campaigns/%s/trigger.json" % campaign, body)

    def test_list_and_by_id(self):
        first = self.make(name="Fast track", type="trigger", programName="Ops", workspaceName="EMEA")
        batch = self.make(name="Mailing", type="batch")
        idle = self.make(name="Idle", type="trigger", active=False)
        closed = self.make(name="Closed", type="trigger", requestable=False)
        found = self.marketo.get("campaigns.json")["result"]
        self.assertEqual([(x["id"], x["type"], x["active"]) for x in found],
                         [(first, "trigger", True), (batch, "batch", True), (idle, "trigger", False),
                          (closed, "trigger", True)])
        self.assertEqual((found[0]["programName"], found[0]["workspaceName"]), ("Ops", "EMEA"))
        ids = lambda **query: [x["id"] for x in self.marketo.get("campaigns.json", **query)["result"]]
        self.assertEqual(ids(isTriggerable="true"), [first])
        self.assertEqual((ids(id=batch), ids(name="Idle"), ids(programName="Ops"), ids(workspaceName="EMEA")),
                         ([batch], [idle], [first], [first]))
        page = self.marketo.get("campaigns.json", batchSize=3)
        self.assertEqual(ids(batchSize=3, nextPageToken=page["nextPageToken"]), [closed])
        one = self.marketo.get("campaigns/%d.json" % batch)["result"]
        self.assertEqual((one[0]["name"], one[0]["type"]), ("Mailing", "batch"))
        self.assertFails(self.marketo.get("campaigns/9.json"), 1013)
        self.assertFails(self.marketo.get("campaigns/x.json"), 1001)

    def test_request(self):
        campaign, lead = self.make(name="Fast track", type="trigger"), self.create(email="a@example.org")
        wanted = {"leads": [{"id": lead}], "tokens": [{"name": "{{my.reason}}", "value": "sync"}]}
        self.assertEqual(self.trigger(campaign, {"input": wanted})["result"], [{"id": campaign}])
        self.assertEqual(self.sandbox.control("campaigns"), [{"id": campaign, "name": "Fast track", "requests": [wanted], "runs": []}])
        for given, code in (({}, 701), ({"leads": []}, 701), ({"leads": [{"id": 7}]}, 1004), ({"leads": [5]}, 1004),
                            ({"leads": [{"id": lead}] * 101}, 1003), ({**wanted, "tokens": wanted["tokens"] * 101}, 1003),
                            ({**wanted, "tokens": [{"name": "reason"}]}, 1003), ({**wanted, "tokens": 5}, 1003)):
            self.assertFails(self.trigger(campaign, {"input": given}), code)
        self.assertFails(self.trigger(campaign, {}), 701)
        self.assertFails(self.trigger(9, {"input": wanted}), 1013)
        for more in ({"type": "batch"}, {"type": "trigger", "active": False}, {"type": "trigger", "requestable": False}):
            self.assertFails(self.trigger(self.make(name="Other", **more), {"input": wanted}), 1003)
        self.assertEqual(len(self.sandbox.control("campaigns")[0]["requests"]), 1)
        self.marketo = self.user("reader")
        self.assertFails(self.trigger(campaign, {"input": wanted}), 603)

    def test_what_the_sandbox_has_not(self):
        campaign = self.make(name="Mailing", type="batch")
        answer = self.marketo.raw("POST", "/rest/v1/campaigns/%d/schedule.json" % campaign)
        self.assertEqual((answer.status, answer.text), (501, "the sandbox does not run batch campaigns"))

    def test_definition(self):
        for body in ({}, {"name": "A"}, {"name": "A", "type": "x"}, []):
            self.assertEqual(self.sandbox.marketo.call("POST", "/_sandbox/campaigns", body).status, 400)


class Statistics(MarketoCase):
    def pass_days(self, days):
        self.sandbox.control("clock", {"advanceSeconds": days * 86400})
        self.marketo.sign_in()

    def test_a_week(self):
        self.limits(otherCalls=100)
        for _ in range(3):
            self.marketo.get("leads/partitions.json")
        self.marketo.get("nothing.json")
        self.pass_days(2)
        self.marketo.get("lead/7.json")
        usage = self.marketo.get("stats/usage/last7days.json")["result"]
        self.assertEqual([x["total"] for x in usage], [2, 0, 104, 0, 0, 0, 0])
        self.assertEqual(usage[2]["users"], [{"userId": "tandem@api.example.org", "count": 4}])
        self.assertEqual(usage[0]["date"], self.marketo.get("stats/usage.json")["result"][0]["date"])
        self.assertEqual(sorted((x["date"] for x in usage), reverse=True), [x["date"] for x in usage])
        self.assertEqual(len({x["date"] for x in usage}), 7)
        errors = self.marketo.get("stats/errors/last7days.json")["result"]
        self.assertEqual([x["total"] for x in errors], [1, 0, 1, 0, 0, 0, 0])
        self.assertEqual((errors[0]["errors"], errors[2]["errors"]),
                         ([{"errorCode": "1004", "count": 1}], [{"errorCode": "610", "count": 1}]))
        self.pass_days(9)
        self.assertEqual([x["total"] for x in self.marketo.get("stats/usage/last7days.json")["result"]],
                         [1, 0, 0, 0, 0, 0, 0])


if __name__ == "__main__":
    unittest.main()
