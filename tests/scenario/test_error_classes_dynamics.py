"""Every class of error that Dataverse has ("Microsoft Learn: Web service error codes", "Compose HTTP requests and handle
errors"), answered to the running service: for a whole request, a batch and a part of one. The codes of a class are in
tests/unit/test_dynamics_err.c."""

import unittest

from harness import until
from sides import stamped
from trouble import POISON, Row, Trouble, always, once

ROOT = "/api/data/v9.2/"
OURS = {"side": "dynamics", "user": "tandem"}
DELTA = {**OURS, "method": "GET", "path": ROOT + "contacts"}
RIGHTS = {**OURS, "path": ROOT + "$batch", "contains": "IsSecured"}
BATCH = {**OURS, "path": ROOT + "$batch", "contains": "PATCH "}
THE_ONE = {**BATCH, "contains": POISON}
PART = {**OURS, "part": True, "method": "PATCH", "contains": POISON}
PLACES = (("reading changes", DELTA), ("reading rights", RIGHTS), ("a batch", BATCH))
HTML = "<html><body>Sorry</body></html>"
SENTENCE = "Sorry."

WAITS = {"result": "failed", "harmed": "all"}
HALTS = {**WAITS, "state": "halted"}
PARKED = {"result": "partial", "harmed": "one"}


def everywhere(status, code, **expected):
    return [Row(f"{status} {code} to {name}", once(where, status=status, code=code, message=SENTENCE), **expected)
            for name, where in PLACES]


def somewhere(status, code, **expected):
    return everywhere(status, code, **expected)[int(code or "0", 16) % len(PLACES)]


def multipart(*parts):
    text = "".join(f"--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{part}\r\n" for part in parts)
    return {"status": 200, "contentType": "multipart/mixed; boundary=b", "body": text}


def whole(*parts):
    answer = multipart(*parts)
    return {**answer, "body": answer["body"] + "--b--\r\n"}


def as_json(text):
    return {"status": 200, "contentType": "application/json; odata.metadata=minimal", "body": text}


DONE = "HTTP/1.1 204 No Content\r\nOData-Version: 4.0\r\n\r\n"

OVER_BY_ITSELF = [
    *(Row(f"{effect} to {name}", once(where, **effect)) for (name, where), effect in zip(PLACES * 3, (
        {"status": 500, "code": "0x80044150"}, {"status": 502, "body": HTML}, {"status": 504, "body": HTML},
        {"status": 503, "body": HTML}, {"status": 503, "code": "0x80044339"}, {"status": 500, "code": ""},
        {"status": 500, "code": "0x80040216"}, {"status": 503, "code": "0x8004a001"}, {"status": 500, "code": "0x8004c001"}))),
    *(Row(f"401 as HTML to {name}", once(where, status=401, body=HTML)) for name, where in PLACES),
    Row("an expired ticket", once(DELTA, status=401, code="0x8004a101", message=SENTENCE)),
    *(Row(f"throttled by {code}", once(where, status=429, code=code, message=SENTENCE, retryAfter=1))
      for code, where in (("0x80072321", DELTA), ("0x80072322", BATCH), ("0x80072326", RIGHTS))),
    *(Row(f"a database that took too long for {name}", once(where, status=500, code="0x80044151")) for name, where in PLACES if where != RIGHTS),
    Row("429 without a code or a hint", once(BATCH, status=429, body=HTML)),
    Row("503 with a hint", once(DELTA, status=503, body=HTML, retryAfter=1)),
    *(Row(f"{effect} of {name}", once(where, **effect)) for name, where in PLACES
      for effect in ({"drop": "before"}, {"drop": "after"}, {"cutBody": True})),
    Row("the write is done, the answer is not", once(BATCH, status=504, body=HTML, afterEffect=True)),
    # a batch refused as a whole says nothing of its records: they are sent again, in smaller batches where that may help
    *(Row(f"{status} {code} to a batch", once(BATCH, status=status, code=code, message=SENTENCE))
      for status, code in ((413, ""), (413, "0x8004418a"), (400, ""), (400, "0x80040203"), (404, "0x80040217"), (412, "0x80060882"),
                           (412, "0x80040333"), (405, ""))),
    Row("too many parts", once(BATCH, status=400, code="0x0", message="The current batch message contains too many parts.")),
    Row("fewer parts than requests", once(BATCH, **whole(DONE), afterEffect=True)),
    Row("no parts", once(BATCH, **whole(), afterEffect=True)),
    Row("a multipart cut short", once(BATCH, **multipart(DONE, "HTTP/1.1 204"), afterEffect=True)),
    Row("JSON instead of parts", once(BATCH, **as_json('{"value":[]}'), afterEffect=True), harmed="all"),
    Row("parts that are none", once(BATCH, **whole("hello", "HTTP/1.1"), afterEffect=True), harmed="all"),
    Row("the cursor is too old", once(DELTA, status=400, code="0x80044352", message="Version stamp associated with the client has expired.")),
]

THE_SIDE_WAITS = [
    *everywhere(403, "0x80072560", reason="The application has no user in this environment", **HALTS),
    somewhere(403, "0x80040225", reason="The sync user is disabled", **HALTS),
    somewhere(403, "0x80042f09", reason="The sync user has no security role", **HALTS),
    somewhere(403, "0x8004a104", reason="The Dynamics environment is disabled", **HALTS),
    somewhere(503, "0x8004a113", reason="Dynamics is in administration mode", **HALTS),
    *everywhere(403, "0x80040220", reason="A privilege is missing", **HALTS),
    somewhere(403, "0x8004a110", reason="may not act for another user", **HALTS),
    somewhere(403, "0x80072561", reason="A conditional access policy", **HALTS),
    somewhere(400, "0x80060888", reason="A table or column is not known", **HALTS),
    Row("a database that took too long for the rights", once(RIGHTS, status=500, code="0x80044151"), reason="took too long", **WAITS),
    Row("the sync user is disabled by an administrator", None, limits={"dynamics": {"users": {"tandem": "disabled"}}},
        after={"dynamics": {"users": {"tandem": "enabled"}}}, reason="The sync user is disabled", **HALTS),
    Row("the sync user loses its roles", None, limits={"dynamics": {"users": {"tandem": "roleless"}}},
        after={"dynamics": {"users": {"tandem": "enabled"}}}, reason="The sync user has no security role", **HALTS),
    Row("the secret has expired", once(DELTA, status=401, body=HTML), limits={"dynamics": {"tokenErrors": {"tandem": 7000222}}},
        after={"dynamics": {"tokenErrors": {"tandem": 0}}}, reason="the client secret has expired", **HALTS),
    somewhere(501, "", reason=SENTENCE, **WAITS),
    somewhere(400, "0x80060883", reason=SENTENCE, **WAITS),
    Row("401 for good", always(DELTA, status=401, body=HTML), reason="does not accept the sign-in", fired=2, **HALTS),
    Row("404 of the front door", once(DELTA, status=404, body=HTML), reason="check DYNAMICS_URL", **HALTS),
    Row("a redirect", once(DELTA, status=302, body=HTML), reason="check DYNAMICS_URL", **HALTS),
    Row("404 of a table", once(DELTA, status=404, code="", message=SENTENCE), reason=SENTENCE, **WAITS),
    Row("change tracking is off", once(DELTA, status=400, code="0x80072491", message=SENTENCE), reason="switch on \"Track changes\"", **HALTS),
    Row("the storage is full", once(BATCH, status=403, code="0x80072325", message=SENTENCE), reason="The storage of Dynamics is full", **HALTS),
    Row("a secured column", once(DELTA, status=403, code="0x8004f504", message=SENTENCE), reason="A secured column may not be read", **HALTS),
    *(Row(f"{name} while reading changes", once(DELTA, **effect), reason=reason, **WAITS) for name, effect, reason in (
        ("HTML", {"status": 200, "body": HTML}, "not valid JSON"),
        ("no link to go on from", as_json('{"value":[]}'), "without a link"),
        ("a row without an id", as_json('{"value":[{}],"@odata.deltaLink":"x"}'), "without its id"),
        ("a link to another place", as_json('{"value":[],"@odata.nextLink":"http://elsewhere.example.org/x"}'), "leads to another address"),
        ("a cut answer that looks whole", as_json('{"value":['), "not valid JSON"),
        ("400 without a code", {"status": 400, "code": "", "message": SENTENCE}, SENTENCE))),
]

THROUGH_A_PART = [  # what a record is the first to hear holds for all
    *(Row(f"{status} {code} to a part", always(PART, status=status, code=code, message=SENTENCE), reason=reason, **HALTS)
      for status, code, reason in (
          (403, "0x80072325", "The storage of Dynamics is full"), (403, "0x8004a104", "The Dynamics environment is disabled"),
          (503, "0x8004a113", "Dynamics is in administration mode"), (403, "0x80072560", "The application has no user"),
          (403, "0x80040225", "The sync user is disabled"), (401, "0x80040277", "does not accept the sign-in"),
          (400, "0x80041103", "A column is not known"))),
]

ONE_IS_PARKED = [
    *(Row(f"{status} {code} to a part", always(PART, status=status, code=code, message=SENTENCE), parked=(kind, code or None), **PARKED)
      for status, code, kind in (
          (400, "0x80040265", "refused"), (400, "0x80040203", "refused"), (412, "0x80040333", "refused"), (412, "0x80060892", "refused"),
          (412, "0x80073002", "refused"), (412, "0x80040237", "duplicate"), (403, "0x80048306", "refused"), (400, "0x80044331", "refused"),
          (405, "0x80040227", "refused"), (400, "0x80048d19", "refused"), (400, "0x80099999", "refused"), (400, "", "refused"),
          (403, "", "refused"), (501, "", "ours"), (400, "0x80060883", "ours"))),
    *(Row(f"{status} {code} to a part, every time", always(PART, status=status, code=code, message=SENTENCE), parked=("refused", code), **PARKED)
      for status, code in ((500, "0x80040224"), (500, "0x80044171"), (413, "0x8004418a"))),
    *(Row(f"{status} {code} to a batch with one record", always(THE_ONE, status=status, code=code, message=SENTENCE),
          parked=("refused", code or None), **PARKED) for status, code in ((413, ""), (400, "0x80040203"))),
    Row("a look-up that is missing", always(PART, status=404, code="0x80040217",
                                            message="systemuser With Id = 5e8f1f3a-1111-4c2e-9a77-2d6f0b7f9c01 Does Not Exist"),
        parked=("refused", "0x80040217"), **PARKED),
    # a right or a column is looked up once more before its record is blamed
    *(Row(f"{code} to a part", always(PART, status=status, code=code, message=message), cycles=2, parked=(kind, code), **PARKED)
      for status, code, kind, message in (
          (403, "0x80040220", "rights", SENTENCE),
          (403, "0x8004f507", "rights", "Caller does not have update permissions to a Telephone1 secured field"),
          (400, "0x80060888", "refused", "Could not find a property named 'telephone1' on type 'Microsoft.Dynamics.CRM.contact'."))),
]

ONE_WAITS = [
    *(Row(f"{status} {code} to a part, once", once(PART, status=status, code=code, message=SENTENCE)) for status, code in (
        (500, "0x80044150"), (500, "0x80044151"), (500, "0x80040216"), (503, ""), (412, "0x80060882"), (412, ""), (413, ""))),
    *(Row(f"throttled by {code} in a part", once(PART, status=429, code=code, message=SENTENCE, retryAfter=1))
      for code in ("0x80072321", "0x80072322", "0x80072326")),
    Row("a database that is busy for one record", always(PART, status=500, code="0x80044150", message=SENTENCE), harmed="one"),
    Row("a version that is never right", always(PART, status=412, code="0x80060882", message=SENTENCE), harmed="one"),
]


class Dynamics(Trouble):
    SIDE = "dynamics"

    def test_what_is_over_by_itself(self):
        self.settle()
        self.play_all(OVER_BY_ITSELF)

    def test_what_the_whole_side_waits_for(self):
        self.settle()
        self.play_all([*THE_SIDE_WAITS, *THROUGH_A_PART])

    def test_one_record_is_parked(self):
        self.settle()
        self.play_all(ONE_IS_PARKED)

    def test_one_record_waits(self):
        self.settle()
        self.play_all(ONE_WAITS)

    def test_a_column_that_was_removed_pauses_its_field(self):
        self.settle()
        edits = self.work(1)
        self.world.sandbox.limits(dynamics={"dropColumn": ["contact.fax"]})
        sync = self.cycle()
        self.assertEqual((sync["result"], sync["state"]), ("failed", "halted"), sync)
        self.assertIn("was it removed?", sync["reason"])
        sync = self.cycle()
        self.assertEqual((sync["result"], sync["state"]), ("ok", "idle"), sync)
        self.assertEqual([edit for edit in edits if not self.shows(edit)], [])
        fax = next(field for field in self.tandem.fields() if field["person"] == "fax")
        self.assertEqual((fax["state"], self.tandem.errors()), ("partial", []))

    def test_a_record_that_is_gone_and_one_that_only_seems_to_be(self):
        self.settle()
        person, table, record = self.people[0]
        self.marketo.update(person, title=f"{POISON} 1")
        self.world.sandbox.faults(once(PART, status=404, code="0x80040217", message=f"contact With Id = {record} Does Not Exist"))
        self.cycle()
        self.world.sandbox.faults()
        self.cycle()
        self.assertEqual(self.marketo.person(person, "title")["title"], self.dynamics.get(table, record, "jobtitle")["jobtitle"])
        self.assertEqual(self.tandem.person(person)["link"]["state"], "live")
        person, table, record = self.people[1]
        # deleted after the changes were read, before the write
        self.world.sandbox.faults({**BATCH, "count": 1, "effect": {"delayMs": 800}})
        self.marketo.update(person, title=f"{POISON} 2")
        number = self.tandem.status()["sync"]["cycle"]
        self.tandem.pause()
        self.tandem.resume()
        until(lambda: any(fault["matched"] for fault in self.world.sandbox.faults_fired()), 30, "the write")
        self.dynamics.delete(table, record)
        until(lambda: self.ended_after(number), 60, "the end of the cycle")
        self.world.sandbox.faults()
        self.cycle()
        self.cycle()
        self.assertEqual(self.tandem.person(person)["link"]["state"], "deleted_in_dynamics")
        self.assertTrue(stamped(self.world, person)["microsoftIsDeleted"])
        self.assertEqual(len(self.dynamics.query("contact", columns=("contactid",))), 3)
        self.assertEqual(self.tandem.errors(), [])


CREATE = {**OURS, "path": ROOT + "$batch", "contains": "POST " + ROOT + "leads"}
CREATE_PART = {**OURS, "part": True, "method": "POST", "path": ROOT + "leads"}
LOOKUPS = {**OURS, "method": "GET", "path": ROOT + "leads"}

CALLS = [  # name, faults, outcome, a part of the reason
    ("busy", once(CREATE_PART, status=500, code="0x80044150"), "created", None),
    ("throttled", once(CREATE, status=429, code="0x80072322", retryAfter=1), "created", None),
    ("an expired token", once(CREATE, status=401, body=HTML), "created", None),
    ("a bad gateway", once(LOOKUPS, status=502, body=HTML), "created", None),
    ("fewer parts", once(CREATE, **whole(), afterEffect=True), "created", None),
    ("JSON instead of parts", once(CREATE, **as_json("{}"), afterEffect=True), "queued", None),
    ("lost before", once(CREATE, drop="before"), "created", None),
    ("lost after", once(CREATE, drop="after"), "created", None),
    ("cut", once(CREATE, cutBody=True), "created", None),
    ("done, and a bad gateway", once(CREATE, status=504, body=HTML, afterEffect=True), "created", None),
    ("busy after it was done", once(CREATE, status=500, code="0x80044150", afterEffect=True), "created", None),
    ("the storage is full", always(CREATE_PART, status=403, code="0x80072325"), "queued", "The storage of Dynamics is full"),
    ("administration mode", always(CREATE, status=503, code="0x8004a113"), "queued", "administration mode"),
    ("no privilege", always(CREATE, status=403, code="0x80040220"), "queued", "A privilege is missing"),
    ("no user", always(LOOKUPS, status=403, code="0x80072560"), "queued", "The application has no user"),
    ("a business rule", always(CREATE_PART, status=400, code="0x80040265", message=SENTENCE), "rejected", SENTENCE),
    ("a duplicate rule", always(CREATE_PART, status=412, code="0x80040333", message=SENTENCE), "rejected", SENTENCE),
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
                self.assertTrue(answer.json["reason"] or outcome == "created")
                self.assertGreater(self.world.sandbox.faults_fired()[0]["fired"], 0)
                self.world.sandbox.faults()
                self.cycle()
                again = self.world.tandem("campaign").sync_person(person).json
                self.assertEqual(again["outcome"], "created" if outcome == "rejected" else "exists", again)
                self.assertEqual([row["leadid"] for row in self.dynamics.query("lead", f"emailaddress1 eq '{email}'", ("leadid",))],
                                 [again["recordId"]])
        self.cycle()
        self.made = [None] * len(CALLS)
        self.check_end(self.cycle(), [])


if __name__ == "__main__":
    unittest.main()
