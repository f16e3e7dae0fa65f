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


def answer(*results):
    return '{"requestId":"a#1","success":true,"result":[%s]}' % ",".join(results)


OVER_BY_ITSELF = [row for code in ("600", "601", "602", "500", "502", "604", "611", "713", "719") for row in everywhere(code)] + [
    *(Row(f"HTTP {status} in a {name}", once(where, status=status, body=HTML))
      for status in (401, 408, 500, 502, 503, 504) for name, where in PLACES),
    Row("HTTP 429 in a write", once(UPDATES, status=429, body=HTML)),
    Row("606 in a write", once(UPDATES, code="606")),
    Row("615 in a feed", once(FEED, code="615")),
    Row("615 in a write", {**UPDATES, "count": 2, "effect": {"code": "615"}}),
    Row("HTTP 413 in a write", once(UPDATES, status=413, body=HTML)),
    Row("702 in a feed", once(FEED, code="702"), harmed="all"),  # nothing was told, so nothing can be known
    # what does not say whose fault it is may be one record's: it is sent again in halves
    *(Row(f"{code} in a write", once(UPDATES, code=code)) for code in ("609", "701", "704", "714", "1003", "1035", "799")),
]

WAITS = {"result": "failed", "harmed": "all"}
HALTS = {**WAITS, "state": "halted"}

THE_SIDE_WAITS = [
    *everywhere("603", reason="give the role of the API user the permission \"Read-", **HALTS),
    *everywhere("607", reason="the daily quota is used up", **HALTS),
    *everywhere("610", reason="check the address of the instance", **HALTS),
    *everywhere("616", reason="wrong type of subscription", **HALTS),
    *everywhere("703", reason="the feature is not enabled", **HALTS),
    *everywhere("1006", reason="a field was not found", **HALTS),
    *everywhere("1011", reason="a field cannot be searched by", **HALTS),
    *everywhere("1018", reason="a native CRM sync is active", **HALTS),
    *everywhere("605", reason="wrong HTTP method", **WAITS),
    *everywhere("608", reason="temporarily unavailable", **WAITS),
    *everywhere("612", reason="invalid content type", **WAITS),
    *everywhere("613", reason="invalid multipart request", **WAITS),
    *everywhere("614", reason="the subscription cannot be reached", **WAITS),
    *everywhere("1016", reason="too many imports", **WAITS),
    *everywhere("1029", reason="too many jobs", **WAITS),
    *(Row(f"{code} in a feed", once(FEED, code=code), reason=reason, **WAITS)
      for code, reason in (("609", "invalid JSON"), ("701", "a parameter is blank"), ("704", "invalid date"), ("1003", "more records match"),
                           ("1035", "(code 1035)"), ("799", "(code 799)"))),
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
                         ("1008", "rights"), ("1009", "rights"), ("1010", "rights"), ("1021", "refused"), ("1036", "ours"),
                         ("1049", "refused"), ("1099", "refused"))),
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
    Row("1006 for a field of one record", once(ONE_RECORD, code="1006", message="Field 'phone' not found"), harmed="one"),
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


if __name__ == "__main__":
    unittest.main()
