"""The control addresses, the program's own behaviour, and the limits and faults as Marketo's callers see them."""

import http.client
import os
import subprocess
import tempfile
import threading
import time
import unittest

from marketo_case import MarketoCase
from sandbox import Listener, Marketo, Sandbox


class Faults(MarketoCase):
    PATH = "/rest/v1/leads/partitions.json"

    def faults(self, *rules):
        self.sandbox.control("faults", [{"side": "marketo", **rule} for rule in rules])

    def fired(self):
        return [(f["matched"], f["fired"]) for f in self.sandbox.control("faults")]

    def outcomes(self, count):
        answers = [self.marketo.raw("GET", self.PATH) for _ in range(count)]
        return [a.json["errors"][0]["code"] if a.status == 200 and not a.json["success"] else a.status for a in answers]

    def test_a_code_answers_200_and_a_status_that_status(self):
        self.faults({"path": self.PATH, "nth": 1, "effect": {"code": "606"}},
                    {"path": self.PATH, "nth": 2, "effect": {"status": 503, "retryAfter": 5}},
                    {"path": self.PATH, "nth": 3, "effect": {"status": 502, "body": "<html>", "contentType": "text/html"}},
                    {"path": self.PATH, "nth": 4, "effect": {"body": "{\"cut", "contentType": "application/json"}})
        answers = [self.marketo.raw("GET", self.PATH) for _ in range(5)]
        self.assertEqual([a.status for a in answers], [200, 503, 502, 200, 200])
        self.assertEqual(answers[0].json["errors"], [{"code": "606", "message": "Max rate limit '100' exceeded with in '20' secs"}])
        self.assertEqual(answers[1].headers["retry-after"], "5")
        self.assertEqual((answers[2].text, answers[2].headers["content-type"]), ("<html>", "text/html"))
        self.assertEqual(answers[3].text, "{\"cut")
        self.assertTrue(answers[4].json["success"])
        self.assertEqual(self.fired(), [(5, 1)] * 4)

    def test_which_calls(self):
        self.faults({"path": self.PATH, "from": 2, "count": 2, "effect": {"status": 500}})
        self.assertEqual(self.outcomes(5), [200, 500, 500, 200, 200])
        self.faults({"path": self.PATH, "from": 3, "effect": {"status": 500}})
        self.assertEqual(self.outcomes(4), [200, 200, 500, 500])
        self.faults({"path": self.PATH, "count": 1, "effect": {"status": 500}})
        self.assertEqual(self.outcomes(3), [500, 200, 200])
        marketer = self.user("marketer")
        marketer.sign_in()
        self.faults({"user": "marketer", "effect": {"status": 500}}, {"method": "POST", "effect": {"status": 501}},
                    {"path": "/other", "effect": {"status": 502}})
        self.assertEqual(self.outcomes(1), [200])
        self.assertEqual(marketer.raw("GET", self.PATH).status, 500)
        self.sandbox.control("faults", [{"side": "dynamics", "effect": {"status": 500}}])
        self.assertEqual(self.outcomes(1), [200])
        self.sandbox.control("faults", [])
        self.assertEqual(self.outcomes(2), [200, 200])

    def test_a_read_by_post_counts_as_a_read(self):
        self.faults({"method": "POST", "path": "/rest/v1/leads.json", "effect": {"status": 500}})
        self.assertEqual(self.find("id", 1)["result"], [])
        self.assertEqual(self.marketo.raw("POST", "/rest/v1/leads.json", {"input": []}).status, 500)

    def test_probability_is_the_same_each_time(self):
        rule = {"path": self.PATH, "probability": 0.3, "effect": {"status": 500}}
        self.faults(rule)
        first = self.outcomes(100)
        self.faults(rule)
        self.assertEqual(self.outcomes(100), first)
        self.assertTrue(15 < first.count(500) < 45, first.count(500))
        self.faults({**rule, "seed": 7})
        seventh = self.outcomes(100)
        self.assertNotEqual(seventh, first)
        self.faults({**rule, "seed": 7})
        self.assertEqual(self.outcomes(100), seventh)

    def test_dropped_before_and_after_the_effect(self):
        self.faults({"path": "/rest/v1/leads.json", "nth": 1, "effect": {"drop": "before"}},
                    {"path": "/rest/v1/leads.json", "nth": 2, "effect": {"drop": "after"}})
        self.marketo.sign_in()
        for email in ("before@example.org", "after@example.org"):
            with self.assertRaises((http.client.HTTPException, OSError)):
                self.marketo.post("leads.json", {"input": [{"email": email}]})
        found = self.find("email", "before@example.org", "after@example.org")["result"]
        self.assertEqual([lead["email"] for lead in found], ["after@example.org"])

    def test_cut_body_and_delay(self):
        self.faults({"path": self.PATH, "nth": 1, "effect": {"cutBody": True}},
                    {"path": self.PATH, "nth": 2, "effect": {"delayMs": 120}},
                    {"path": self.PATH, "nth": 3, "effect": {"delayAfterMs": 120}})
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.marketo.raw("GET", self.PATH)
        self.assertGreater(len(caught.exception.partial), 10)
        for _ in range(2):
            start = time.monotonic()
            self.assertEqual(self.marketo.raw("GET", self.PATH).status, 200)
            self.assertGreaterEqual(time.monotonic() - start, 0.12)

    def test_every_code_has_its_text(self):
        codes = [500, 502, *range(601, 617), 701, 702, 703, 704, 709, 710, 711, 712, 713, 714, 718, 719, 1003, 1016, 1029, 1035]
        texts = set()
        for code in codes:
            self.faults({"path": self.PATH, "effect": {"code": str(code)}})
            answer = self.marketo.raw("GET", self.PATH)
            self.assertFails(answer.json, code)
            self.assertEqual(answer.headers["content-type"], "application/json;charset=UTF-8")
            texts.add(answer.json["errors"][0]["message"])
        self.assertEqual(len(texts), len(codes))
        self.assertNotIn("Error on order", texts)

    def test_ordered_errors_are_in_the_usage(self):
        for code in ("606", "606", "615", "611", "601", "602", "604", "605", "608"):   # the last five count nowhere
            self.faults({"path": self.PATH, "effect": {"code": code}})
            self.marketo.get("leads/partitions.json")
        self.faults({"path": self.PATH, "effect": {"status": 503}})   # not from Marketo itself
        self.marketo.raw("GET", self.PATH)
        self.faults()
        self.assertEqual(self.marketo.get("stats/usage.json")["result"][0]["total"], 5)
        errors = self.marketo.get("stats/errors.json")["result"][0]
        self.assertEqual((errors["total"], errors["errors"]), (4, [{"errorCode": "606", "count": 2}, {"errorCode": "615", "count": 1},
                                                                   {"errorCode": "611", "count": 1}]))

    def test_an_error_after_the_effect(self):
        for n, effect in enumerate(({"code": "604"}, {"code": "611"}, {"code": "713"}, {"status": 502, "body": "<html>"})):
            self.faults({"path": "/rest/v1/leads.json", "method": "POST", "effect": {"afterEffect": True, **effect}})
            answer = self.marketo.raw("POST", "/rest/v1/leads.json", {"input": [{"email": f"p{n}@example.org"}]})
            if "code" in effect:
                self.assertFails(answer.json, effect["code"])
            else:
                self.assertEqual((answer.status, answer.text), (502, "<html>"))
            self.assertEqual(len(self.find("email", f"p{n}@example.org")["result"]), 1)
        calls = {c["endpoint"]: c for c in self.sandbox.control("calls")["marketo"]}
        self.assertEqual(calls["POST /rest/v1/leads.json"]["records"], 4)
        # Four searches, this call, and of the writes all but the one that timed out.
        self.assertEqual(self.marketo.get("stats/usage.json")["result"][0]["total"], 8)
        errors = self.marketo.get("stats/errors.json")["result"][0]["errors"]
        self.assertEqual(errors, [{"errorCode": "611", "count": 1}, {"errorCode": "713", "count": 1}])

    def test_single_records_of_a_call(self):
        path = "/rest/v1/leads.json"
        self.faults({"path": path, "part": True, "method": "POST", "contains": "two@", "effect": {"code": "1010", "message": "Elsewhere"}},
                    {"path": path, "part": True, "contains": "three@", "effect": {"body": '{"status":"updated","id":7}'}})
        answer = self.marketo.post("leads.json", {"input": [{"email": f"{n}@example.org"} for n in ("one", "two", "three", "four")]})
        self.assertEqual([r["status"] for r in answer["result"]], ["created", "skipped", "updated", "created"])
        self.assertEqual(answer["result"][1], {"status": "skipped", "reasons": [{"code": "1010", "message": "Elsewhere"}]})
        self.assertEqual(answer["result"][2], {"status": "updated", "id": 7})
        self.assertEqual(len(self.find("email", "one@example.org,two@example.org,three@example.org,four@example.org")["result"]), 2)
        self.faults({"path": "/rest/v1/activities/external.json", "part": True, "effect": {"code": "1049"}})
        answer = self.marketo.post("activities/external.json", {"input": [{"leadId": 1}]})
        self.assertEqual(answer["result"][0]["errors"][0]["code"], "1049")

    def test_bad_rules_change_nothing(self):
        self.faults({"path": self.PATH, "effect": {"status": 500}})
        for body in ({}, [1], [{}], [{"effect": {"x": 1}}], [{"y": 1, "effect": {}}], [{"nth": "1", "effect": {}}],
                     [{"effect": {"drop": "sometimes"}}], [{"effect": {"status": "500"}}], "[", [{"effect": 1}],
                     [{"effect": {"afterEffect": True}}], [{"effect": {"afterEffect": 1, "status": 500}}],
                     [{"part": True, "effect": {"drop": "after"}}], [{"part": True, "effect": {"status": 500, "delayMs": 1}}],
                     [{"part": True, "effect": {"status": 500, "afterEffect": True}}]):
            answer = self.sandbox.marketo.call("POST", "/_sandbox/faults", body)
            self.assertEqual(answer.status, 400, body)
            self.assertTrue(answer.json["error"])
        self.assertEqual(len(self.fired()), 1)


class Limits(MarketoCase):
    def codes(self, count, user=None):
        answers = [(user or self.marketo).get("leads/partitions.json") for _ in range(count)]
        return ["ok" if a["success"] else a["errors"][0]["code"] for a in answers]

    def test_not_enforced_unless_told(self):
        self.limits(perDay=1, perWindow=1, concurrent=1)
        self.assertEqual(self.codes(5), ["ok"] * 5)

    def test_window(self):
        self.limits(enforce=True, perWindow=5, windowSeconds=20)
        self.assertEqual(self.codes(7), ["ok"] * 5 + ["606"] * 2)
        self.sandbox.control("clock", {"advanceSeconds": 21})
        self.assertEqual(self.codes(6), ["ok"] * 5 + ["606"])
        answer = self.marketo.get("leads/partitions.json")
        self.assertEqual(answer["errors"][0]["message"], "Max rate limit '5' exceeded with in '20' secs")

    def test_day_and_usage(self):
        other = self.user("other")
        self.limits(enforce=True, perDay=10, otherCalls=3)
        self.assertEqual(self.codes(4) + self.codes(2, other), ["ok"] * 6)
        usage, = self.marketo.get("stats/usage.json")["result"]
        self.assertEqual(usage["total"], 10)
        self.assertEqual(usage["users"], [{"userId": "tandem@api.example.org", "count": 5},
                                          {"userId": "other@api.example.org", "count": 2}])
        self.assertEqual(self.codes(2), ["607"] * 2)
        self.limits(enforce=False)
        errors, = self.marketo.get("stats/errors.json")["result"]
        self.assertEqual(errors["errors"], [{"errorCode": "607", "count": 2}])
        self.assertRegex(errors["date"], r"^\d{4}-\d\d-\d\d$")
        self.limits(enforce=True)
        self.sandbox.control("clock", {"advanceSeconds": 86400})
        self.marketo.token = None
        self.assertEqual(self.codes(1), ["ok"])

    def test_the_starred_codes_and_identity_do_not_count(self):
        for _ in range(3):
            self.marketo.sign_in()
            self.marketo.post("leads/describe.json", {})
            self.marketo.raw("GET", "/rest/v1/leads/describe.json", headers={"Authorization": "Bearer x"})
        self.marketo.get("nowhere.json")
        self.assertEqual(self.marketo.get("stats/usage.json")["result"][0]["total"], 2)

    def test_concurrency(self):
        self.limits(enforce=True, concurrent=3, latencyMs=150)
        users = [self.user("tandem") for _ in range(6)]
        for user in users:
            user.sign_in()
        outcomes = []
        threads = [threading.Thread(target=lambda u=user: outcomes.extend(self.codes(1, u))) for user in users]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(outcomes), ["615"] * 3 + ["ok"] * 3)
        self.assertEqual(self.codes(1), ["ok"])
        sums = {c["endpoint"]: c for c in self.sandbox.control("calls")["marketo"]}
        self.assertGreaterEqual(sums["GET /rest/v1/leads/partitions.json"]["mostAtOnce"], 4)

    def test_bad_limits(self):
        for body in ({"marketo": {"perDay": "x"}}, {"marketo": {"nothing": 1}}, {"marketo": {"perWindow": 0}},
                     {"marketo": 1}, {"mars": {}}, [], {"marketo": {"enforce": 1}}):
            self.assertEqual(self.sandbox.marketo.call("POST", "/_sandbox/limits", body).status, 400, body)


class Counting(MarketoCase):
    def test_calls_and_log(self):
        self.marketo.sign_in()
        self.sandbox.control("calls/reset", {})
        self.sync({"email": "a@example.org"}, {"email": "b@example.org"})
        self.find("email", "a@example.org", "b@example.org")
        self.marketo.get("lead/1001.json")
        self.marketo.get("lead/1002.json")
        self.marketo.get("nowhere.json")
        self.marketo.sign_in()
        calls = self.sandbox.control("calls")
        self.assertEqual(calls["dynamics"], [])
        sums = {(c["user"], c["endpoint"]): c for c in calls["marketo"]}
        self.assertEqual({key: (c["count"], c["records"]) for key, c in sums.items()},
                         {("tandem", "POST /rest/v1/leads.json"): (1, 2), ("tandem", "GET /rest/v1/leads.json"): (1, 2),
                          ("tandem", "GET /rest/v1/lead/{id}.json"): (2, 2), ("tandem", "GET (unknown)"): (1, 0),
                          ("tandem", "GET /identity/oauth/token"): (1, 0)})
        one = sums["tandem", "POST /rest/v1/leads.json"]
        self.assertEqual((one["statuses"], one["mostAtOnce"]), ({"200": 1}, 1))
        self.assertGreater(one["bytesIn"], 40)
        self.assertGreater(one["bytesOut"], 40)
        log = self.sandbox.control("log")["calls"]
        self.assertEqual([c["n"] for c in log], [1, 2, 3, 4, 5, 6])
        self.assertEqual([c["path"] for c in log[:3]], ["/rest/v1/leads.json", "/rest/v1/leads.json", "/rest/v1/lead/1001.json"])
        self.assertEqual((log[1]["method"], log[1]["query"], log[1]["side"], log[1]["status"], log[1]["records"]),
                         ("POST", "_method=GET", "marketo", 200, 2))
        self.assertEqual([c["n"] for c in self.sandbox.control("log?limit=2")["calls"]], [5, 6])
        self.assertNotIn("secret", str(log))
        self.sandbox.control("calls/reset", {})
        self.assertEqual(self.sandbox.control("calls"), {"marketo": [], "dynamics": []})

    def test_control_answers_on_both_listeners_and_is_not_counted(self):
        self.assertEqual(self.sandbox.dynamics.call("GET", "/_sandbox/calls").json, {"marketo": [], "dynamics": []})
        self.assertEqual(self.sandbox.marketo.call("GET", "/_sandbox/nothing").status, 404)
        self.assertEqual(self.sandbox.marketo.call("GET", "/_sandbox/reset").status, 405)
        for name in ("seed", "clock", "limits"):
            self.assertEqual(self.sandbox.marketo.call("POST", "/_sandbox/" + name, "{").status, 400)
        self.assertEqual(self.sandbox.marketo.call("POST", "/_sandbox/clock", {"advanceSeconds": -1}).status, 400)
        self.assertEqual(self.sandbox.marketo.call("POST", "/_sandbox/seed", {"persons": "x"}).status, 400)

    def test_seed_is_the_same_for_the_same_numbers(self):
        fields = "id,email,firstName,lastName,company,address,mktoPersonNotes,unsubscribed,doNotCall"
        seen = []
        for seed in (7, 7, 8):
            self.sandbox.reset()
            self.sandbox.control("seed", {"persons": 300, "seed": seed})
            seen.append(self.user("tandem").get("leads.json", filterType="leadPartitionId", filterValues=1, fields=fields)["result"])
        self.assertEqual(len(seen[0]), 300)
        self.assertEqual(seen[0], seen[1])
        self.assertNotEqual(seen[0], seen[2])
        self.assertEqual(len({p["email"] for p in seen[0]}), 300)
        self.assertIn(True, {p["unsubscribed"] for p in seen[0]})


class Program(unittest.TestCase):
    def run_program(self, *arguments):
        return subprocess.run([os.environ["TANDEM_SANDBOX"], *arguments], capture_output=True, text=True, timeout=30)

    def write(self, content):
        file = tempfile.NamedTemporaryFile("wb", suffix=".csv", delete=False)
        self.addCleanup(os.unlink, file.name)
        file.write(content.encode("utf-8"))
        file.close()
        return file.name

    def test_usage_and_help(self):
        self.assertEqual(self.run_program("help").returncode, 0)
        self.assertIn("usage:", self.run_program("help").stdout)
        for wrong in (["--nothing"], ["--marketo-port"], ["--marketo-port", "x"], ["--dynamics-port", "70000"], ["what"]):
            result = self.run_program(*wrong)
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertIn("usage:", result.stderr)

    def test_files_that_cannot_be_loaded(self):
        for path in ("/nonexistent.csv", self.write("where,shoeSize\nmarketo,44\n"), self.write("where,email\nmarketo\n"),
                     self.write("")):
            result = self.run_program("--people", path)
            self.assertEqual(result.returncode, 1)
            self.assertIn(path, result.stderr)

    def test_a_port_in_use_is_told(self):
        with Sandbox() as sandbox:
            port = sandbox.urls["marketo"].rsplit(":", 1)[1]
            result = self.run_program("--dynamics-port", port)
            self.assertEqual(result.returncode, 1)
            self.assertIn(port, result.stderr)

    def test_people_from_a_file(self):
        path = self.write('where,salutation,firstName,lastName,email,phone,mobilePhone,title,company,address,city,state,'
                          'postalCode,country,website,leadSource,doNotCall,unsubscribed,notes\r\n'
                          'marketo,Ms.,Nadia,"O""k, afor",n@example.org,1,2,"Head",Acme,"Way 1\r\nDoor 2",Leeds,Y,LS1,UK,'
                          'https://example.org,Web,true,false,"two\nlines"\r\n'
                          'both-contact,,,Two,two@example.org,,,,,,,,,,,,false,true,\n'
                          'both-lead,,,Three,three@example.org,,,,,,,,,,,,,,\n'
                          'dynamics-lead,,,Four,four@example.org,,,,,,,,,,,,,,\n'
                          'dynamics-contact,,,Five,five@example.org,,,,,,,,,,,,,,')
        with Sandbox("--people", path) as sandbox:
            fields = ("id,salutation,firstName,lastName,email,phone,mobilePhone,title,company,address,city,state,postalCode,"
                      "country,website,leadSource,doNotCall,unsubscribed,mktoPersonNotes")
            marketo = Marketo(sandbox)
            people = marketo.get("leads.json", filterType="leadPartitionId", filterValues=1, fields=fields)["result"]
            marketo.close()
        people.sort(key=lambda p: p["id"])
        self.assertEqual([(p["lastName"], p["doNotCall"], p["unsubscribed"]) for p in people],
                         [('O"k, afor', True, False), ("Two", False, True), ("Three", False, False)])
        self.assertEqual(list(people[0].values())[1:], ["Ms.", "Nadia", 'O"k, afor', "n@example.org", "1", "2", "Head", "Acme",
                                                        "Way 1\r\nDoor 2", "Leeds", "Y", "LS1", "UK", "https://example.org",
                                                        "Web", True, False, "two\nlines"])

    def test_it_stops_with_a_call_waiting(self):
        sandbox = Sandbox()
        sandbox.control("faults", [{"effect": {"delayMs": 60000}}])
        waiting = Listener(sandbox.urls["marketo"])

        def wait():
            try:
                waiting.call("GET", "/identity/oauth/token")
            except (http.client.HTTPException, OSError):
                pass

        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.1)
        start = time.monotonic()
        self.assertEqual(sandbox.stop(), 0)
        self.assertLess(time.monotonic() - start, 5)
        thread.join()
        waiting.close()


if __name__ == "__main__":
    unittest.main()
