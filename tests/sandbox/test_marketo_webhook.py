"""The Marketo side calls webhooks: what a campaign sends, and what the answer does to the person."""

import http.client
import json
import threading
import time
import unittest

from marketo_case import MarketoCase
from receiver import Receiver
from sandbox import Listener, Sandbox


class WebhookCase(MarketoCase):
    def setUp(self):
        super().setUp()
        self.receiver = Receiver()
        self.addCleanup(self.receiver.stop)

    def campaign(self, kind="trigger", tokens=None, url=None, **webhook):
        return self.sandbox.control("campaigns", {
            "name": "Fast track", "type": kind, "programName": "Ops", **({"tokens": tokens} if tokens else {}),
            "webhook": {"url": url or self.receiver.url + "/hook", **webhook}})["id"]

    def run_over(self, campaign, *people, **more):
        return self.sandbox.control(f"campaigns/{campaign}/run", {"people": list(people), **more})

    def one(self, campaign, person, **more):
        """The report of a run over one person."""
        return self.run_over(campaign, person, **more)["people"][0]

    def refused(self, **webhook):
        body = {"name": "A", "type": "trigger", "webhook": {"url": self.receiver.url, **webhook}}
        answer = self.sandbox.marketo.call("POST", "/_sandbox/campaigns", body)
        self.assertEqual(answer.status, 400, answer.text)
        return answer.json["error"]

    def activities(self, kind):
        return self.marketo.get("activities.json", nextPageToken=self.since(), activityTypeIds=kind)["result"]

    def answers(self, status=200, body="{}", **headers):
        self.receiver.answer = lambda request: (status, body, {name.replace("_", "-"): value for name, value in headers.items()})


class Requested(WebhookCase):
    """A campaign that is requested through the API sends what its step sends, and nobody waits for it."""

    def request(self, campaign, people, tokens=()):
        return self.marketo.post(f"campaigns/{campaign}/trigger.json", {"input": {
            "leads": [{"id": person} for person in people], "tokens": [{"name": n, "value": v} for n, v in tokens]}})

    def ended(self, campaign):
        """The report of the campaign's first run, when it is over."""
        for _ in range(500):
            runs = next(c["runs"] for c in self.sandbox.control("campaigns") if c["id"] == campaign)
            got = self.sandbox.control(f"campaigns/{campaign}/run/{runs[0]}") if runs else None
            if got and all(person["status"] != "waiting" for person in got["people"]):
                return got
            time.sleep(0.01)
        self.fail("the run does not end")

    def test_it_runs_in_the_background(self):
        people = [self.create(email=f"p{n}@example.org") for n in range(3)]
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.receiver.answer = lambda request: (200, '{"t": "Countess"}') if gate.wait(10) else None
        campaign = self.campaign(encoding="json", responseType="json", mappings={"t": "title"}, tokens={"reason": "spring", "kept": "own"},
                                 template="[{{lead.Id}}, {{my.reason}}, {{my.kept}}, {{trigger.Name}}, {{trigger.Trigger Name}}]")
        got = self.request(campaign, people[:2], (("{{my.reason}}", "asked"),))
        self.assertEqual(got["result"], [{"id": campaign}])
        sent = [json.loads(self.receiver.next().body) for _ in range(2)]   # and none has been answered yet
        gate.set()
        self.assertEqual(sorted(sent), [[person, "asked", "own", "Fast track", "Campaign is Requested"] for person in people[:2]])
        self.assertEqual([(p["id"], p["status"]) for p in self.ended(campaign)["people"]], [(person, "succeeded") for person in people[:2]])
        self.assertEqual([self.lead(person, "title")["title"] for person in people], ["Countess", "Countess", None])
        self.run_over(campaign, people[2])   # the tokens were of that request alone
        self.assertEqual(json.loads(self.receiver.next().body)[1], "spring")

    def test_a_campaign_without_a_step_sends_nothing(self):
        person = self.create(email="a@example.org")
        campaign = self.sandbox.control("campaigns", {"name": "A", "type": "trigger"})["id"]
        self.assertTrue(self.request(campaign, [person])["success"])
        self.assertEqual(next(c for c in self.sandbox.control("campaigns") if c["id"] == campaign)["runs"], [])

    def test_a_refused_request_sends_nothing(self):
        campaign = self.campaign(template="x")
        self.assertFails(self.request(campaign, [999999]), 1004)
        self.assertFails(self.request(self.campaign(kind="batch", template="x"), [self.create(email="a@example.org")]), 1003)
        self.assertEqual([c["runs"] for c in self.sandbox.control("campaigns")], [[], []])
        self.assertEqual(self.receiver.taken(), [])


class Sending(WebhookCase):
    def test_template_with_tokens(self):
        person = self.create(email="ada@example.org", firstName='A "b"\n', company="Vale & Co", leadScore=7, unsubscribed=True)
        campaign = self.campaign(encoding="json", tokens={"reason": "spring"}, template=(
            '{"id": {{lead.Id}}, "email": {{lead.Email Address}}, "first": {{lead.First Name}}, "last": {{lead.Last Name}},'
            ' "company": {{company.Company Name}}, "score": {{lead.Lead Score}}, "out": {{lead.Unsubscribed}},'
            ' "campaign": [{{campaign.Id}}, {{campaign.Name}}], "trigger": [{{trigger.Name}}, {{trigger.Trigger Name}}],'
            ' "program": {{program.Name}}, "my": {{my.reason}}, "now": {{system.dateTime}}, "day": {{system.date}},'
            ' "title": {{lead.Job Title:default=none}}, "full": {{lead.Full Name}}}'))
        got = self.one(campaign, person, trigger={"name": "Pricing form", "triggerName": "Filled Out Form"})
        self.assertEqual((got["id"], got["status"], got["http"], got["body"]), (person, "succeeded", 200, "{}"))
        self.assertGreater(got["milliseconds"], 0)
        request = self.receiver.next()
        self.assertEqual((request.method, request.path, request.headers["content-type"]), ("POST", "/hook", "application/json"))
        sent = json.loads(request.body)
        self.assertRegex(sent.pop("now"), r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
        self.assertRegex(sent.pop("day"), r"^\d{4}-\d\d-\d\d$")
        self.assertEqual(sent, {
            "id": person, "email": "ada@example.org", "first": 'A "b"\n', "last": "", "company": "Vale & Co", "score": 7,
            "out": True, "campaign": [campaign, "Fast track"], "trigger": ["Pricing form", "Filled Out Form"],
            "program": "Ops", "my": "spring", "title": "none", "full": 'A "b"\n'})

    def test_encodings(self):
        person = self.create(email="ada@example.org", lastName='V&a=l e "x"')
        wanted = {"none": 'V&a=l e "x"', "json": '"V&a=l e \\"x\\""', "form": "V%26a%3Dl%20e%20%22x%22"}
        kinds = {"none": None, "json": "application/json", "form": "application/x-www-form-urlencoded"}
        for encoding, last in wanted.items():
            self.run_over(self.campaign(encoding=encoding, template="{{lead.Id}} {{lead.Last Name}}"), person)
            request = self.receiver.next()
            self.assertEqual((request.text, request.headers.get("content-type")), (f"{person} {last}", kinds[encoding]))
        self.run_over(self.campaign(template="{{lead.Last Name}}"), person)   # none is the default
        self.assertEqual(self.receiver.next().text, wanted["none"])

    def test_what_an_empty_token_arrives_as(self):
        person = self.create(email="ada@example.org")
        for empty, words in ((None, '["", ""]'), ("quotes", '["", ""]'), ("nothing", "[, ]"), ("null", "[null, null]")):
            more = {"empty": empty} if empty else {}
            self.run_over(self.campaign(encoding="json", template="[{{lead.Last Name}}, {{lead.Lead Score}}]", **more), person)
            self.assertEqual(self.receiver.next().text, words)

    def test_backslashes_are_read_once(self):
        person = self.create(email="a@example.org", lastName="x\\ny")
        self.run_over(self.campaign(template=r'a\tb\\n\"\'\r\n\b\f {{lead.Last Name}}'), person)
        self.assertEqual(self.receiver.next().text, "a\tb\\n\"'\r\n\b\f x\\ny")   # those of a value stay
        for template in (r"\d", r"a\u0041", "end\\"):
            self.assertIn("backslash", self.refused(template=template))

    def test_get_and_tokens_in_the_address(self):
        person = self.create(email="ada+1@example.org", lastName="Vale")
        campaign = self.campaign(url=self.receiver.url + "/hook?id={{lead.Id}}&m={{lead.Email Address}}&x=%20",
                                 method="GET", encoding="form", template="never sent")
        self.assertEqual(self.one(campaign, person)["status"], "succeeded")
        request = self.receiver.next()
        self.assertEqual((request.method, request.path), ("GET", f"/hook?id={person}&m=ada%2B1%40example.org&x=%20"))
        self.assertEqual((request.body, "content-length" in request.headers), (b"", False))
        spaced = self.create(email="b@example.org", lastName="two words")
        campaign = self.campaign(url=self.receiver.url + "/hook?n={{lead.Last Name}}", encoding="json")
        self.assertEqual(self.one(campaign, person)["status"], "succeeded")
        self.assertEqual(self.receiver.next().path, "/hook?n=Vale")   # as it was typed: only form encodes
        self.assertEqual(self.one(campaign, spaced)["errorCode"], "unreachable")
        self.assertEqual(self.receiver.taken(), [])

    def test_custom_headers(self):
        person = self.create(email="a@example.org", lastName="two\nlines")
        self.run_over(self.campaign(encoding="json", template="{}", headers={
            "X-Sync-Secret": "s3cret", "X-Who": "{{lead.Id}} {{lead.Last Name}}", "content-type": "text/plain"}), person)
        headers = self.receiver.next().headers
        self.assertEqual((headers["x-sync-secret"], headers["x-who"], headers["content-type"]),
                         ("s3cret", f"{person} two lines", "text/plain"))

    def test_one_person_a_call_and_whom(self):
        people = [self.create(email=f"a{n}@example.org", title="Clerk" if n < 2 else "Chief") for n in range(3)]
        campaign = self.campaign(template="{{lead.Id}}")
        self.marketo.post("leads/delete.json", {"input": [{"id": people[1]}]})
        report = self.run_over(campaign, *people, 5)
        self.assertEqual([p["status"] for p in report["people"]], ["succeeded", "unknown", "succeeded", "unknown"])
        self.assertEqual({k: v for k, v in report["totals"].items() if v}, {"people": 4, "succeeded": 2, "unknown": 2})
        self.assertEqual(sorted(r.text for r in self.receiver.taken()), [str(people[0]), str(people[2])])
        for whom in ({"filter": {"title": "Clerk"}}, {"filter": {"email": "a0@example.org", "title": "Clerk"}}):
            report = self.sandbox.control(f"campaigns/{campaign}/run", whom)
            self.assertEqual([p["id"] for p in report["people"]], [people[0]])
        report = self.sandbox.control(f"campaigns/{campaign}/run", {"all": True})
        self.assertEqual([p["id"] for p in report["people"]], [people[0], people[2]])

    def test_what_is_sent_is_what_the_person_is_then(self):
        people = [self.create(email=f"a{n}@example.org", lastName="old") for n in range(25)]
        gate = threading.Event()

        def answer(request):
            gate.wait(10)
            return 200, "{}"
        self.receiver.answer = answer
        campaign = self.campaign(template="{{lead.Last Name}}")
        self.run_over(campaign, *people, wait=False)
        first = [self.receiver.next().text for _ in range(20)]
        self.sync(*[{"id": person, "lastName": "new"} for person in people], action="updateOnly", lookupField="id")
        gate.set()
        self.assertEqual((first, [self.receiver.next().text for _ in range(5)]), (["old"] * 20, ["new"] * 5))

    def test_at_most_twenty_connections(self):
        people = [self.create(email=f"a{n}@example.org") for n in range(30)]
        gate = threading.Event()

        def answer(request):
            gate.wait(10)
            return 200, "{}"
        self.receiver.answer = answer
        first, second = self.campaign(), self.campaign(url=self.receiver.url + "/other")
        runs = [(c, self.run_over(c, *people, wait=False)["run"]) for c in (first, second)]   # of all runs together
        for _ in range(20):
            self.receiver.next()
        time.sleep(0.2)
        self.assertEqual((self.receiver.open, self.receiver.requests.empty()), (20, True))
        self.assertIs(self.look(*runs[0])["finished"], False)
        gate.set()
        reports = [self.finished(*run) for run in runs]
        self.assertEqual([r["totals"]["succeeded"] for r in reports], [30, 30])   # the others waited, none failed
        self.assertEqual(self.receiver.most_open, 20)
        self.assertLessEqual(max(r["mostOpen"] for r in reports), 20)
        self.assertEqual(self.sandbox.control("campaigns")[0]["runs"], [runs[0][1]])

    def look(self, campaign, run):
        return self.sandbox.control(f"campaigns/{campaign}/run/{run}")

    def finished(self, campaign, run):
        for _ in range(1000):
            report = self.look(campaign, run)
            if report["finished"]:
                return report
            time.sleep(0.01)
        self.fail("the run does not end")

    def test_the_service_may_call_marketo_meanwhile(self):
        person = self.create(email="a@example.org", lastName="Vale")
        reader = self.user("reader")

        def answer(request):
            found = reader.get("lead/%s.json" % request.text, fields="lastName")["result"][0]
            return 200, json.dumps({"last": found["lastName"] + "s"})
        self.receiver.answer = answer
        campaign = self.campaign(template="{{lead.Id}}", responseType="json", mappings={"last": "LastName"})
        self.assertEqual(self.one(campaign, person)["fields"], {"lastName": "Vales"})


class Failing(WebhookCase):
    def test_batch_campaigns_skip_it(self):
        person = self.create(email="a@example.org")
        got = self.one(self.campaign("batch"), person)
        self.assertEqual((got["status"], got["errorCode"]), ("skipped", "1000"))
        self.assertNotIn("http", got)
        self.assertEqual(self.receiver.taken(), [])
        self.assertEqual([a["attributes"] for a in self.activities(110)], [[{"name": "Error Type", "value": "1000"}]])

    def test_timeout_without_retry(self):
        self.limits(webhookSeconds=1)
        person = self.create(email="a@example.org")
        release = threading.Event()
        self.receiver.answer = lambda request: release.wait(10) and (200, '{"a": "x"}')
        begun = time.monotonic()
        got = self.one(self.campaign(responseType="json", mappings={"a": "LastName"}), person)
        self.assertLess(time.monotonic() - begun, 8)
        self.assertEqual((got["status"], got["errorCode"]), ("failed", "timeout"))
        self.assertGreaterEqual(got["milliseconds"], 1000)
        release.set()
        self.assertEqual(len(self.receiver.taken()), 1)
        self.assertEqual(self.lead(person, "lastName")["lastName"], None)
        self.assertEqual([a["attributes"] for a in self.activities(110)], [[{"name": "Error Type", "value": "timeout"}]])

    def test_the_answer_must_be_whole_in_time(self):
        self.limits(webhookSeconds=1)
        self.answers(200, "{}", Content_Length="50")   # less comes than was promised
        self.assertEqual(self.one(self.campaign(), self.create(email="a@example.org"))["status"], "failed")

    def test_errors_are_not_tried_again(self):
        person = self.create(email="a@example.org")
        campaign = self.campaign(responseType="json", mappings={"a": "LastName"})
        for status, words in ((400, "Bad Request"), (401, "Unauthorized"), (500, "Internal Server Error"),
                              (503, "Service Unavailable"), (302, "Found")):
            self.answers(status, '{"a": "x"}')
            got = self.one(campaign, person)
            self.assertEqual((got["status"], got["http"], got["errorCode"], got["reason"], got["fields"]),
                             ("failed", status, str(status), words, {}))
            self.assertEqual(len(self.receiver.taken()), 1)
            self.assertEqual(self.activities(110)[-1]["attributes"],
                             [{"name": "Error Type", "value": words}, {"name": "Response", "value": '{"a": "x"}'}])
        self.assertEqual(self.lead(person, "lastName")["lastName"], None)

    def test_an_empty_answer_is_an_error_also_with_2xx(self):
        person = self.create(email="a@example.org")
        for status in (200, 204, 500):
            self.answers(status, "")
            got = self.one(self.campaign(), person)
            self.assertEqual((got["status"], got["http"], got["errorCode"], got["body"]), ("failed", status, "1001", ""))
        self.assertEqual(self.activities(110)[0]["attributes"], [{"name": "Error Type", "value": "1001"}])

    def test_nobody_answers(self):
        receiver = Receiver(lambda request: None)
        person = self.create(email="a@example.org")
        got = self.one(self.campaign(url=receiver.url), person)
        self.assertEqual((got["status"], got["errorCode"]), ("failed", "unreachable"))   # closed without an answer
        receiver.stop()
        self.assertEqual(self.one(self.campaign(url=receiver.url), person)["errorCode"], "unreachable")
        for raw in (b"NOISE\r\n\r\n", b""):
            self.receiver.answer = lambda request, raw=raw: (200, raw, {"Transfer-Encoding": "chunked", "Content-Length": None,
                                                                       "Connection": "close"})
            self.assertEqual(self.one(self.campaign(), person)["errorCode"], "unreachable")   # broken chunks

    def test_chunked_answers(self):
        self.receiver.answer = lambda request: (200, b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: 1\r\n\r\n",
                                                {"Transfer-Encoding": "chunked", "Content-Length": None})
        self.assertEqual(self.one(self.campaign(), self.create(email="a@example.org"))["body"], "abcde")
        self.receiver.answer = lambda request: (200, "until the end", {"Content-Length": None, "Connection": "close"})
        self.assertEqual(self.one(self.campaign(), self.create(email="b@example.org"))["body"], "until the end")


class Mapping(WebhookCase):
    def mapped(self, body, mappings, kind="json", **fields):
        self.answers(200, body)
        person = self.create(**{"email": "a@example.org", **fields})
        got = self.one(self.campaign(responseType=kind, mappings=mappings), person)
        self.assertEqual(got["status"], "succeeded")
        return got["fields"], got["problems"]

    def test_json_paths(self):
        self.field("dynamicsId")
        body = json.dumps({"a": {"b": "one"}, "items": [{"id": "first"}, {"id": "second"}], "two words": "2", "deep": [[1, [2]]],
                           "n:s-x_1": "named", "score": 5})
        fields, problems = self.mapped(body, {
            "a.b": "FirstName", "items[1].id": "LastName", "two words": "Title", "deep[0][1][0]": "NumberOfEmployees",
            "n:s-x_1": "dynamicsId", "score": "LeadScore", "absent.here": "City", "items[7].id": "State", "a.b.c": "Country"})
        self.assertEqual((fields, problems), ({"firstName": "one", "lastName": "second", "title": "2", "numberOfEmployees": 2,
                                               "dynamicsId": "named", "leadScore": 5}, []))
        self.assertEqual(self.mapped('[{"id": "x"}]', {"[0].id": "LastName"})[0], {"lastName": "x"})

    def test_rest_names_do_too(self):
        self.assertEqual(self.mapped('{"a": "x"}', {"a": "lastName"})[0], {"lastName": "x"})

    def test_only_values_that_fit(self):
        body = json.dumps({"text": "x", "number": 5, "words": "5", "yes": True, "list": [1], "object": {}, "long": "x" * 256,
                           "mail": "no address", "null": None, "day": "2026-02-03"})
        fields, problems = self.mapped(body, {
            "text": "LeadScore", "number": "NumberOfEmployees", "words": "AnnualRevenue", "yes": "DoNotCall", "list": "City",
            "object": "State", "long": "Country", "mail": "Email", "day": "DateofBirth"})
        self.assertEqual(fields, {"numberOfEmployees": 5, "annualRevenue": 5, "doNotCall": True, "dateOfBirth": "2026-02-03"})
        self.assertEqual(len(problems), 5)
        self.assertIn("leadScore", " ".join(problems))

    def test_companies_are_not_written_through_a_person(self):
        self.marketo.post("companies.json", {"action": "createOnly", "dedupeBy": "dedupeFields",
                                             "input": [{"externalCompanyId": "c1", "company": "Works"}]})
        fields, problems = self.mapped('{"a": "Other", "b": "x"}', {"a": "Company", "b": "LastName"}, externalCompanyId="c1")
        self.assertEqual((fields, len(problems)), ({"lastName": "x"}, 1))

    def test_an_answer_that_is_no_json(self):
        self.assertEqual(self.mapped("<x>", {"a": "LastName"}), ({}, ["the answer is not JSON"]))

    def test_xml_paths(self):
        body = ('<?xml version="1.0"?><!-- c --><syncResult xmlns="u:x" a=\'>\'><status>a &amp; b &#233;&#x1F600;</status>'
                '<item><id>1</id></item><other/><item><id>2</id><m:x>y</m:x></item>'
                '<note><![CDATA[<raw> & so]]></note><size> 7</size></syncResult>')
        fields, problems = self.mapped(body, {
            "syncResult.status": "FirstName", "syncResult.item[1].id": "LastName", "syncResult.item[1].m:x": "Title",
            "syncResult.note": "City", "status": "State", "syncResult.item[2].id": "Country", "syncResult.item.id": "Rating"}, "xml")
        self.assertEqual((fields, problems), ({"firstName": "a & b é😀", "lastName": "2", "title": "y",
                                               "city": "<raw> & so", "rating": "1"}, []))

    def test_an_answer_that_is_no_xml(self):
        for body in ("{}", "<a>", "<a></b>", "<a>&nbsp;</a>", "<a></a><b></b>", "<a x=1></a>", "<a", "<", "<a>&#xD800;</a>",
                     "<!--", "<a><![CDATA[</a>", "<a>" * 100 + "</a>" * 100, "text"):
            self.assertEqual(self.mapped(body, {"a": "LastName"}, "xml"), ({}, ["the answer is not XML"]), body)

    def test_the_change_log_tells_the_campaign(self):
        since = self.since()
        self.mapped('{"a": "Vale", "b": 9}', {"a": "LastName", "b": "LeadScore"})
        campaign = self.sandbox.control("campaigns")[0]["id"]
        logged = self.marketo.get("activities.json", nextPageToken=since, activityTypeIds="13,22")["result"]
        self.assertEqual([(a["activityTypeId"], a["primaryAttributeValue"], a["campaignId"]) for a in logged],
                         [(13, "Last Name", campaign), (22, "Lead Score", campaign), (13, "Lead Score", campaign)])
        attributes = {a["name"]: a["value"] for a in logged[0]["attributes"]}
        self.assertEqual(attributes, {"New Value": "Vale", "Source": "Marketo Flow Action",
                                      "Reason": "Changed by Smart Campaign Ops.Fast track action Call Webhook"})
        changed = self.marketo.get("activities/leadchanges.json", nextPageToken=since, fields="lastName")["result"][-1]
        self.assertEqual(changed["fields"][0]["newValue"], "Vale")
        self.assertIn({"name": "Source", "value": "Marketo Flow Action"}, changed["attributes"])

    def test_the_call_is_an_activity(self):
        self.answers(200, '{"a": "Välé"}')
        person = self.create(email="a@example.org")
        campaign = self.campaign(name="Sync Person")
        self.run_over(campaign, person)
        logged = self.activities(110)
        self.assertEqual([(a["leadId"], a["primaryAttributeValue"], a["campaignId"], a["attributes"]) for a in logged],
                         [(person, "Sync Person", campaign, [{"name": "Response", "value": '{"a": "Välé"}'}])])
        kind = [t for t in self.marketo.get("activities/types.json")["result"] if t["id"] == 110]
        self.assertEqual([t["name"] for t in kind], ["Call Webhook"])
        self.sandbox.control("clock", {"advanceSeconds": 761 * 86400})
        self.marketo.sign_in()
        self.assertEqual(self.activities(110), [])

    def test_long_answers_are_cut_in_the_log(self):
        self.answers(200, "é" * 100000)
        person = self.create(email="a@example.org")
        self.assertEqual(len(self.one(self.campaign(), person)["body"]), 100000)
        self.assertEqual(self.activities(110)[0]["attributes"], [{"name": "Response", "value": "é" * 32768}])


class Definitions(WebhookCase):
    def test_what_is_refused(self):
        for words, webhook in (
                ("url", {"url": ""}), ("url", {"url": "https://127.0.0.1/"}), ("url", {"url": "http://example.org/"}),
                ("method", {"method": "PUT"}), ("encoding", {"encoding": "xml"}), ("responseType", {"responseType": "csv"}),
                ("empty", {"empty": "x"}), ("token {{lead.Nothing}}", {"template": "{{lead.Nothing}}"}),
                ("token {{my.x}}", {"template": "{{my.x}}"}), ("token {{lead.Company Name}}", {"url": self.receiver.url + "/{{lead.Company Name}}"}),
                ("token {{x}}", {"headers": {"a": "{{x}}"}}), ("headers", {"headers": {"a b": "x"}}), ("headers", {"headers": {"a": 5}}),
                ("headers", {"headers": []}), ("responseType", {"mappings": {"a": "LastName"}}),
                ("'a/b' is not a path", {"responseType": "json", "mappings": {"a/b": "LastName"}}),
                ("'a..b' is not a path", {"responseType": "json", "mappings": {"a..b": "LastName"}}),
                ("'a[x]' is not a path", {"responseType": "json", "mappings": {"a[x]": "LastName"}}),
                ("no field", {"responseType": "json", "mappings": {"a": "Nothing"}}),
                ("no field", {"responseType": "json", "mappings": {"a": "Id"}}),
                ("no field", {"responseType": "json", "mappings": {"a": "createdAt"}}),
                ("mappings", {"responseType": "json", "mappings": []}), ("no member 'retries'", {"retries": 3})):
            self.assertIn(words, self.refused(**webhook), webhook)
        for body in ({"webhook": {"url": self.receiver.url}, "flowStep": {"service": 1}}, {"webhook": []}, {"tokens": {"a": 5}},
                     {"tokens": []}, {"webHook": {}}):
            answer = self.sandbox.marketo.call("POST", "/_sandbox/campaigns", {"name": "A", "type": "trigger", **body})
            self.assertEqual(answer.status, 400, body)

    def test_runs_that_are_refused(self):
        person = self.create(email="a@example.org")
        campaign = self.campaign()
        plain = self.sandbox.control("campaigns", {"name": "A", "type": "trigger"})["id"]
        idle = self.sandbox.control("campaigns", {"name": "A", "type": "trigger", "active": False,
                                                  "webhook": {"url": self.receiver.url}})["id"]
        whom = {"people": [person]}
        for target, body in ((campaign, {}), (campaign, {"people": []}), (campaign, {"people": ["x"]}), (campaign, {"people": 5}),
                             (campaign, {"all": False}), (campaign, {**whom, "all": True}), (campaign, {"filter": []}),
                             (campaign, {"filter": {"nothing": 1}}), (campaign, {"filter": {"createdAt": "x"}}),
                             (campaign, {**whom, "chunk": 0}), (campaign, {**whom, "chunk": "x"}), (campaign, {**whom, "resend": -1}),
                             (campaign, {**whom, "trigger": 5}), (campaign, {**whom, "trigger": {"x": 1}}),
                             (campaign, {**whom, "wait": "no"}), (campaign, {**whom, "twice": 1}), (campaign, {**whom, "more": 1}), (campaign, []),
                             (plain, whom), (idle, whom), (9, whom), (campaign + 99, whom)):
            answer = self.sandbox.marketo.call("POST", f"/_sandbox/campaigns/{target}/run", body)
            self.assertEqual((answer.status, "error" in answer.json), (400, True), (target, body))
        self.assertEqual(self.sandbox.marketo.call("GET", f"/_sandbox/campaigns/{campaign}/run/1").status, 400)
        self.assertEqual(self.sandbox.marketo.call("GET", f"/_sandbox/campaigns/{campaign}/runs").status, 404)
        self.assertEqual(self.receiver.taken(), [])

    def test_a_reset_voids_what_is_under_way(self):
        people = [self.create(email=f"a{n}@example.org") for n in range(40)]
        gate = threading.Event()
        self.receiver.answer = lambda request: gate.wait(10) and (200, '{"a": "x"}')
        campaign = self.campaign(responseType="json", mappings={"a": "LastName"})
        answers, listener = [], Listener(self.sandbox.urls["marketo"])
        self.addCleanup(listener.close)
        waiting = threading.Thread(target=lambda: answers.append(
            listener.call("POST", f"/_sandbox/campaigns/{campaign}/run", {"people": people})))
        waiting.start()
        for _ in range(20):
            self.receiver.next()
        self.sandbox.reset()
        waiting.join(10)
        self.assertEqual((answers[0].status, answers[0].json["error"]), (400, "the run was ended by a reset"))
        self.marketo = self.user("tandem")
        again = [self.create(email=f"b{n}@example.org") for n in range(40)]
        gate.set()
        self.assertEqual(again[0], people[0])
        time.sleep(0.3)
        self.assertEqual(self.receiver.taken(), [])   # nothing more is sent
        self.assertEqual(self.sandbox.control("campaigns"), [])
        self.assertEqual([self.lead(person, "lastName")["lastName"] for person in again[:3]], [None] * 3)
        self.assertEqual(self.activities(110), [])

    def test_the_sandbox_ends_while_a_run_waits(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.receiver.answer = lambda request: gate.wait(60) and (200, "{}")
        sandbox = Sandbox()
        listener = Listener(sandbox.urls["marketo"])
        self.addCleanup(listener.close)
        campaign = sandbox.control("campaigns", {"name": "A", "type": "trigger", "webhook": {"url": self.receiver.url}})["id"]
        sandbox.control("seed", {"persons": 5})

        def ask():
            try:
                listener.call("POST", f"/_sandbox/campaigns/{campaign}/run", {"all": True})
            except (http.client.HTTPException, OSError):
                pass  # the connection may go before the answer
        waiting = threading.Thread(target=ask)
        waiting.start()
        self.receiver.next()
        self.assertEqual(sandbox.stop(), 0)   # long before the webhook would have given up
        waiting.join(10)
        self.assertFalse(waiting.is_alive())


if __name__ == "__main__":
    unittest.main()
