"""Every class of error that Marketo has ("Adobe: Error Codes"), answered to the running service: what it makes of it, what it
tells, that nobody else is harmed, and that both sides agree as soon as Marketo is well again."""

import unittest

from harness import until
from sides import stamped
from trouble import CREATES, PERSON_WRITES, POISON, Row, Trouble, always, once

FEED = {"side": "marketo", "user": "tandem", "path": "/rest/v1/activities/leadchanges.json"}
READS = {"side": "marketo", "user": "tandem", "method": "GET", "path": "/rest/v1/leads.json"}
TOKEN = {"side": "marketo", "path": "/identity/oauth/token"}
DESCRIBE = {"side": "marketo", "user": "tandem", "path": "/rest/v1/leads/describe"}
UPDATES = {**PERSON_WRITES, "contains": "updateOnly"}
THE_ONE = {**PERSON_WRITES, "contains": POISON}
ONE_RECORD = {**THE_ONE, "part": True}
PLACES = (("feed", FEED), ("read", READS), ("write", UPDATES))
HTML = "<html><body>Sorry</body></html>"


def everywhere(code, **expected):
    """Once in the feed, once in a reading, once in a write."""
    return [Row(f"{code} in a {name}", once(where, code=code), **expected) for name, where in PLACES]


def somewhere(code, **expected):
    """The same once, in one of them."""
    return everywhere(code, **expected)[int(code) % len(PLACES)]


def answer(*results):
    return '{"requestId":"a#1","success":true,"result":[%s]}' % ",".join(results)


OVER_BY_ITSELF = [
    *(row for code in ("600", "601", "602", "611", "713") for row in everywhere(code)),
    *(Row(f"{code} in a write", once(UPDATES, code=code)) for code in ("500", "502", "604", "719")),
    *(Row(f"HTTP {status} in a {name}", once(where, status=status, body=HTML))
      for status, (name, where) in zip((401, 408, 500, 502, 503, 504, 401, 504, 500), (*PLACES, *PLACES, *PLACES[1:], PLACES[0]))),
    Row("HTTP 429 in a write", once(UPDATES, status=429, body=HTML)),
    Row("606 in a write", once(UPDATES, code="606")),
    Row("615 in a feed", once(FEED, code="615")),
    Row("615 in a write", {**UPDATES, "count": 2, "effect": {"code": "615"}}),
    Row("HTTP 413 in a write", once(UPDATES, status=413, body=HTML)),
    Row("702 in a feed", once(FEED, code="702"), harmed="all"),  # nothing was told, so nothing can be known
    # what does not say whose fault it is may be one record's: it is sent again in halves
    *(Row(f"{code} in a write", once(UPDATES, code=code)) for code in ("609", "701", "704", "714", "1003", "1016", "1029", "1035", "799")),
]

WAITS = {"result": "failed", "harmed": "all"}
HALTS = {**WAITS, "state": "halted"}

THE_SIDE_WAITS = [
    *everywhere("603", reason="give the role of the API user the permission \"Read-", **HALTS),
    somewhere("610", reason="check the address of the instance", **HALTS),
    somewhere("616", reason="wrong type of subscription", **HALTS),
    somewhere("703", reason="the feature is not enabled", **HALTS),
    somewhere("1006", reason="a field was not found", **HALTS),
    somewhere("1011", reason="a field cannot be searched by", **HALTS),
    somewhere("1018", reason="a native CRM sync is active", **HALTS),
    somewhere("605", reason="wrong HTTP method", **WAITS),
    *everywhere("608", reason="temporarily unavailable", **WAITS),
    somewhere("612", reason="invalid content type", **WAITS),
    somewhere("613", reason="invalid multipart request", **WAITS),
    somewhere("614", reason="the subscription cannot be reached", **WAITS),
    *(Row(f"{code} in a feed", once(FEED, code=code), reason=reason, **WAITS)
      for code, reason in (("609", "invalid JSON"), ("701", "a parameter is blank"), ("704", "invalid date"), ("1003", "more records match"),
                           ("1016", "(code 1016)"), ("1029", "(code 1029)"), ("1035", "(code 1035)"), ("799", "(code 799)"))),
    Row("601 for good", always(FEED, code="601"), reason="the access token is invalid", fired=2, **HALTS),
    Row("HTTP 403", once(FEED, status=403, body=HTML), reason="access denied", **HALTS),
    Row("HTTP 404", once(READS, status=404, body=HTML), reason="check the address of the instance", **HALTS),
    Row("HTTP 414", once(UPDATES, status=414, body=HTML), reason="HTTP 414", **WAITS),
    Row("HTTP 302", once(FEED, status=302, body=HTML), reason="a redirect", **HALTS),
    Row("HTML instead of JSON in a feed", once(FEED, body=HTML), **WAITS),
    Row("HTML instead of JSON in a reading", once(READS, body=HTML), **WAITS),
    Row("HTML instead of JSON after a write", once(UPDATES, body=HTML, afterEffect=True), **WAITS),
    Row("credentials refused", [always(TOKEN, status=401, body='{"error":"unauthorized"}'), always(FEED, code="602")],
        reason="check client id and secret", **HALTS),
    Row("no token but HTML", [always(TOKEN, body=HTML), always(FEED, code="602")], **WAITS),
]

ONE_IS_PARKED = [
    *(Row(f"{code} for one record", always(ONE_RECORD, code=code), result="partial", harmed="one", parked=(kind, code))
      for code, kind in (("1001", "refused"), ("1002", "refused"), ("1003", "refused"), ("1005", "duplicate"), ("1007", "refused"),
                         ("1021", "refused"), ("1036", "ours"), ("1049", "refused"), ("1099", "refused"))),
    # a right is looked up once more before its record is blamed
    *(Row(f"{code} for one record", always(ONE_RECORD, code=code), cycles=2, result="partial", harmed="one", parked=("rights", code))
      for code in ("1008", "1009", "1010")),
    # a record that makes the whole call fail is found by halves
    *(Row(f"{code} for a call with one record", always(THE_ONE, code=code), result="partial", harmed="one", parked=("refused", code))
      for code in ("502", "604", "609", "611", "701", "704", "1003", "799")),
    *(Row(f"HTTP {status} for a call with one record", always(THE_ONE, status=status, body=HTML), result="partial", harmed="one",
          parked=("refused", None)) for status in (413, 500, 504)),
]

ONE_WAITS = [
    *(Row(f"{code} for one record", always(ONE_RECORD, code=code), harmed="one") for code in ("500", "502", "604", "611", "713", "719")),
    Row("1004 for one record", once(ONE_RECORD, code="1004")),  # it is there after all: linked again
    *(Row(f"{code} for one record", always(ONE_RECORD, code=code), reason=reason, **HALTS)
      for code, reason in (("1006", "the field was not found"), ("1011", "the field cannot be searched by"),
                           ("1018", "a native CRM sync is active"))),
    # the schema is read again, and has the field
    Row("1006 for a field of one record", once(ONE_RECORD, code="1006", message="Field 'phone' not found")),
    Row("1006 for a field of one record, for good", always(ONE_RECORD, code="1006", message="Field 'phone' not found"), cycles=2,
        result="partial", harmed="one", parked=("refused", "1006")),
    Row("a result that is neither", always(ONE_RECORD, body='{"status":"perhaps"}'), harmed="one"),
]

ODD_ANSWERS = [
    *(Row(f"{effect} of a {name}", once(where, **effect)) for name, where in PLACES
      for effect in ({"drop": "before"}, {"drop": "after"}, {"cutBody": True})),
    Row("too few results", once(UPDATES, body=answer('{"id":1,"status":"updated"}'), afterEffect=True), harmed="all"),
    Row("no results", once(UPDATES, body='{"requestId":"a#1","success":true}', afterEffect=True), harmed="all"),
    Row("too many results", once(UPDATES, body=answer(*['{"id":1,"status":"updated"}'] * 40), afterEffect=True), **WAITS),
    Row("too few results of a create", once(CREATES, body=answer(), afterEffect=True), harmed="all"),
    Row("too many results of a create", once(CREATES, body=answer(*['{"id":1001,"status":"updated"}'] * 2), afterEffect=True), **WAITS),
    Row("a create without an id", once(CREATES, body=answer('{"status":"created"}'), afterEffect=True), harmed="all"),
    *(Row(f"{effect} of a create", once(CREATES, **effect), harmed="all", result=None)
      for effect in ({"drop": "before"}, {"drop": "after"}, {"cutBody": True}, {"code": "611", "afterEffect": True},
                     {"code": "604", "afterEffect": True}, {"status": 502, "body": HTML, "afterEffect": True})),
]


class Marketo(Trouble):
    SIDE = "marketo"

    def test_what_is_over_by_itself(self):
        self.settle()
        self.play_all(OVER_BY_ITSELF)

    def test_what_the_whole_side_waits_for(self):
        self.settle()
        self.play_all(THE_SIDE_WAITS)

    def test_one_record_is_parked(self):
        self.settle()
        self.play_all(ONE_IS_PARKED)

    def test_one_record_waits(self):
        self.settle()
        self.play_all(ONE_WAITS)

    def test_lost_and_odd_answers(self):
        self.settle()
        self.play_all(ODD_ANSWERS)

    def test_a_person_who_is_gone_is_made_once_more(self):
        self.settle()
        person, table, record = self.people[0]
        self.world.sandbox.faults({"side": "marketo", "user": "marketer", "path": "/rest/v1/leads/delete.json",
                                   "effect": {"lateCommitSeconds": 3600}})
        self.marketo.delete(person)  # and the log does not tell yet
        self.dynamics.update(table, record, telephone1="after")
        self.assertEqual(self.cycle()["result"], "ok")
        self.cycle()
        found = self.marketo.find("microsoftId", [record], ("phone", "microsoftId"))
        self.assertEqual([one["phone"] for one in found], ["after"])
        self.assertNotEqual(found[0]["id"], person)
        self.check_end(self.cycle(), [])

    def test_a_person_who_cannot_be_made_is_made_when_somebody_retries(self):
        self.settle()
        self.world.sandbox.faults(always({**CREATES, "part": True, "contains": "new1@"}, code="1007"))
        edits = self.work(1)
        self.assertEqual(self.cycle()["result"], "partial")
        errors = self.tandem.errors()
        self.assertEqual([(e["recordId"], e["operation"], e["code"]) for e in errors], [(self.made[0], "create", "1007")])
        self.assertEqual([edit for edit in edits if not self.shows(edit)], edits[-1:])
        self.cycle()
        self.assertEqual(len(self.tandem.errors()), 1)
        self.world.sandbox.faults()
        self.assertEqual(self.tandem.retry(errors[0]["id"]).status, 200)
        self.cycle()
        self.check_end(self.cycle(), edits)

    def test_a_write_that_did_not_stick_is_reported_once_and_takes_nothing_back(self):
        for table, one in (("contact", 0), ("lead", 4)):
            with self.subTest(table):
                self.settle()
                person, table, record = self.people[one]
                self.marketo.update(person, phone="before")
                self.cycle()
                self.world.sandbox.limits(marketo={"blockedFields": ["phone"]})
                self.dynamics.update(table, record, telephone1="blocked")
                self.cycle()
                self.marketo.update(person, title="touched")
                self.assertEqual(self.cycle()["result"], "partial")
                errors = self.tandem.errors()
                self.assertEqual([(e["personId"], e["field"], e["code"], e["attempts"]) for e in errors], [(person, "phone", "NOT_KEPT", 1)])
                self.assertNotIn("blocked", errors[0]["message"].split("may block")[0])
                shown = self.dynamics.get(table, record, "telephone1", "jobtitle")
                self.assertEqual((shown["telephone1"], shown["jobtitle"]), ("blocked", "touched"))
                self.world.sandbox.calls_reset()
                for _ in range(3):
                    self.cycle()
                self.assertEqual([name for name in self.world.sandbox.calls("marketo") if name == "POST /rest/v1/leads.json"], [])
                self.assertEqual(self.tandem.errors()[0]["lastTime"], errors[0]["lastTime"])
                self.world.sandbox.limits(marketo={"blockedFields": []})
                self.tandem.retry(errors[0]["id"])
                self.cycle()
                self.check_end(self.cycle(), [("person", person, "phone", "blocked")])

    def test_what_somebody_sets_back_is_an_edit(self):
        self.settle()
        person, table, record = self.people[4]
        self.marketo.update(person, phone="before")
        self.cycle()
        self.dynamics.update(table, record, telephone1="after")
        self.world.sandbox.faults({**PERSON_WRITES, "effect": {"lateCommitSeconds": 1}})
        self.cycle()
        self.world.sandbox.faults()
        self.marketo.update(person, phone="before")
        self.cycle()
        self.world.sandbox.advance(5)
        self.cycle()
        self.check_end(self.cycle(), [(table, record, "telephone1", "before")])

    def test_an_address_that_thousands_have_is_ambiguous_and_holds_up_nobody(self):
        self.settle()
        self.marketo.create_many([{"email": "none@example.org", "lastName": f"None {i}"} for i in range(1001)])
        record = self.dynamics.create("contact", lastname="One", emailaddress1="none@example.org")
        edits = self.work(1)
        self.assertEqual(self.cycle()["result"], "partial")
        self.assertEqual([edit for edit in edits if not self.shows(edit)], [])
        self.assertEqual([(e["recordId"], e["code"]) for e in self.tandem.errors()], [(record, "AMBIGUOUS")])
        self.assertEqual(self.marketo.find("microsoftId", [record]), [])

    def test_readings_that_all_fail_are_not_cut_into_pieces_without_end(self):
        self.settle()
        for i in range(60):
            self.dynamics.create("contact", lastname=f"Many {i}")
        self.cycle()
        people = self.marketo.everybody(("id",))
        self.marketo.update_many([{"id": i, "title": "all"} for i in people])
        self.world.sandbox.faults(always(READS, code="611"))
        self.world.sandbox.calls_reset()
        self.assertEqual(self.cycle()["result"], "failed")
        calls = sum(row["count"] for name, row in self.world.sandbox.calls("marketo").items() if name == "GET /rest/v1/leads.json")
        self.assertLess(calls, 30)
        self.world.sandbox.faults()
        self.cycle()
        self.made = [None] * 60
        self.check_end(self.cycle(), [])

    def test_a_day_without_calls_left_harms_nobody(self):
        self.settle()
        edits, poisoned = self.work(1), self.poison(1)
        late = self.marketo.create(email="late@example.org", lastName="Late")
        self.world.sandbox.faults(once(UPDATES, code="607"))
        sync = self.cycle()
        self.assertEqual((sync["result"], sync["state"]), ("failed", "halted"), sync)
        self.assertIn("quota", sync["reason"])
        self.assertEqual(self.tandem.errors(), [])
        self.world.sandbox.calls_reset()
        answer = self.world.tandem("campaign").sync_person(late).json
        self.assertEqual(answer["outcome"], "queued", answer)
        self.assertEqual(self.world.sandbox.call_count("marketo"), 0)
        self.world.sandbox.faults()
        self.cycle()  # an operator asks for it
        self.made.append(late)
        self.check_end(self.cycle(), [*edits, poisoned])

    def test_a_stamp_that_is_refused_is_reported_and_not_tried_for_ever(self):
        self.settle()
        person = self.marketo.create(email="stamp@example.org", lastName="Stamp")
        self.world.sandbox.faults(always({**PERSON_WRITES, "part": True, "contains": "microsoftSyncStatus"}, code="1010"))
        self.assertEqual(self.world.tandem("campaign").sync_person(person).json["outcome"], "created")
        for _ in range(3):
            self.cycle()
        self.assertEqual([(e["personId"], e["kind"], e["code"]) for e in self.tandem.errors()], [(person, "rights", "1010")])
        fired = self.world.sandbox.faults_fired()[0]["fired"]
        for _ in range(3):
            self.cycle()
        self.assertEqual(self.world.sandbox.faults_fired()[0]["fired"], fired)


CALLS = [  # name, fault, outcome, a part of the reason
    ("a system error", once(READS, code="611"), "created", None),
    ("an expired token", once(READS, code="602"), "created", None),
    ("too many calls", once(READS, code="606"), "created", None),
    ("too many at once", once(READS, code="615"), "created", None),
    ("a bad gateway", once(READS, status=502, body=HTML), "created", None),
    ("lost before", once(READS, drop="before"), "created", None),
    ("lost after", once(READS, drop="after"), "created", None),
    ("cut", once(READS, cutBody=True), "created", None),
    ("no permission", always(READS, code="603"), "queued", "Read-Only Lead"),
    ("unavailable", always(READS, code="608"), "queued", "temporarily unavailable"),
    ("a native CRM sync", always(READS, code="1018"), "queued", "a native CRM sync"),
    ("a code of tomorrow", always(READS, code="799"), "queued", "(code 799)"),
    ("HTML", always(READS, body=HTML), "queued", "not valid JSON"),
    ("no stamps for now", always(UPDATES, code="603"), "created", None),
]


class RealTime(Trouble):
    def test_every_outcome_and_one_record_each(self):
        self.settle()
        for number, (name, fault, outcome, reason) in enumerate(CALLS):
            with self.subTest(name):
                email = f"now{number}@example.org"
                person = self.marketo.create(email=email, lastName=f"Now {number}")
                self.world.sandbox.faults(fault)
                answer = self.world.tandem("campaign").sync_person(person)
                self.assertEqual((answer.status, answer.json["outcome"]), (202 if outcome == "queued" else 200, outcome), answer)
                self.assertIn(reason or "", answer.json["reason"] or "")
                until(lambda: self.world.sandbox.faults_fired()[0]["fired"], 20, "the fault")
                self.world.sandbox.faults()
                self.cycle()
                again = self.world.tandem("campaign").sync_person(person).json
                self.assertEqual(again["outcome"], "exists")
                self.assertEqual([row["leadid"] for row in self.dynamics.query("lead", f"emailaddress1 eq '{email}'", ("leadid",))],
                                 [again["recordId"]])
                self.assertEqual(stamped(self.world, person)["microsoftId"], again["recordId"])
        self.made = [None] * len(CALLS)
        self.check_end(self.cycle(), [])


if __name__ == "__main__":
    unittest.main()
