"""The Marketo side of the sandbox: every error code, where it stands, its text and the status it comes with."""

import contextlib
import json
import re
import threading
import time
import unittest

from marketo_case import MarketoCase

JSON = {"Content-Type": "application/json"}
TYPE = {"apiName": "kick", "name": "Kick", "triggerName": "Kicks", "filterName": "Kicked",
        "primaryAttribute": {"apiName": "ball", "name": "Ball", "dataType": "string"}}
BY_ID = {"action": "updateOnly", "lookupField": "id"}


class Errors(MarketoCase):
    """Each method named code_… provokes one code by itself and gives the answer or the refused record."""

    def call(self, method, path, body=None, headers=None):
        return self.marketo.raw(method, path, body, headers)

    def get(self, path, **params):
        return self.call("GET", "/rest/v1/%s?%s" % (path, "&".join("%s=%s" % x for x in params.items())))

    def post(self, path, body):
        return self.call("POST", "/rest/v1/" + path, body)

    def record(self, path, record, **more):
        return self.post(path, {"input": [record], **more}).json["result"][0]

    def upload(self, csv, query="format=csv", boundary="B", declared="B"):
        body = ('--%s\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n%s\r\n--%s--\r\n'
                % (boundary, csv, boundary))
        return self.call("POST", "/bulk/v1/leads.json?" + query, body,
                         {"Content-Type": "multipart/form-data; boundary=" + declared})

    def export(self, filters):
        return self.call("POST", "/bulk/v1/leads/export/create.json", {"fields": ["id"], "filter": filters})

    @contextlib.contextmanager
    def in_thread(self, work):
        """Yields the list that takes what the work gives, and waits for it at the end."""
        done = []
        thread = threading.Thread(target=lambda: done.append(work()))
        thread.start()
        yield done
        thread.join()

    def approved(self, **changes):
        self.post("activities/external/type.json", {**TYPE, **changes})
        return self.post("activities/external/type/kick/approve.json", {}).json["result"][0]["id"]

    def activity(self, type_id, **changes):
        return self.record("activities/external.json", {
            "leadId": self.create(email="act@example.org"), "activityDate": "2026-08-30T14:05:30Z",
            "activityTypeId": type_id, "primaryAttributeValue": "x", "attributes": [], **changes})

    # --- of the whole call ---

    def code_601(self):
        return self.call("GET", "/rest/v1/leads/describe.json", None, {"Authorization": "Bearer nothing"})

    def code_602(self):
        self.marketo.sign_in()
        self.sandbox.control("clock", {"advanceSeconds": 3601})
        return self.get("leads/describe.json")

    def code_603(self):
        self.marketo = self.user("reader")
        return self.post("leads.json", {"input": [{"email": "a@example.org"}]})

    def code_605(self):
        return self.post("leads/describe.json", {})

    def code_606(self):
        self.limits(enforce=True, perWindow=1)
        self.get("leads/partitions.json")
        return self.get("leads/partitions.json")

    def code_607(self):
        self.limits(enforce=True, perDay=0)
        return self.get("leads/partitions.json")

    def code_609(self):
        return self.call("POST", "/rest/v1/leads.json", "{", JSON)

    def code_610(self):
        return self.get("nothing.json")

    def code_611(self):
        """A reset in the middle of a call."""
        self.marketo.sign_in()
        self.limits(upsertRaceMs=1000)
        with self.in_thread(lambda: self.post("leads.json", {"input": [{"email": "a@example.org"}]})) as answers:
            while not any(x["endpoint"] == "POST /rest/v1/leads.json" for x in self.sandbox.control("calls")["marketo"]):
                time.sleep(0.01)
            time.sleep(0.1)
            self.sandbox.reset()
        return answers[0]

    def code_612(self):
        return self.call("POST", "/rest/v1/leads.json", "{}")

    def code_613(self):
        return self.upload("email\n", declared="other")

    def code_615(self):
        other = self.user("other")
        other.sign_in()
        self.marketo.sign_in()
        self.limits(enforce=True, concurrent=1, latencyMs=500)
        call = lambda user: user.raw("GET", "/rest/v1/leads/partitions.json")
        with self.in_thread(lambda: call(other)) as answers:
            answers.append(call(self.marketo))
        self.limits(latencyMs=0)
        return next(x for x in answers if not x.json["success"])

    def code_701(self):
        return self.post("leads.json", {})

    def code_704(self):
        return self.get("activities/pagingtoken.json", sinceDatetime="yesterday")

    def code_1001(self):
        return self.get("lead/x.json")

    def code_1003(self):
        self.field("same")
        for _ in range(4):
            self.sync(*[{"same": "x"}] * 300, action="createDuplicate")
        return self.get("leads.json", filterType="same", filterValues="x")

    def code_1004(self):
        return self.get("lead/7.json")

    def code_1006(self):
        return self.get("leads.json", filterType="nowhere", filterValues="x")

    def code_1011(self):
        return self.get("leads.json", filterType="firstName", filterValues="x")

    def code_1013(self):
        return self.get("lists/7.json")

    def code_1016(self):
        for _ in range(10):
            self.upload("email\na@example.org\n")
        return self.upload("email\na@example.org\n")

    def code_1017(self):
        self.post("activities/external/type.json", TYPE)
        return self.post("activities/external/type.json", TYPE)

    def code_1022(self):
        self.activity(self.approved())
        return self.post("activities/external/type/kick/delete.json", {})

    def code_1027(self):
        for i in range(10):
            self.post("activities/external/type.json", {**TYPE, "apiName": "k%d" % i, "name": "K %d" % i})
        return self.post("activities/external/type.json", TYPE)

    def code_1028(self):
        self.post("activities/external/type.json", TYPE)
        return self.post("activities/external/type/kick/attributes/create.json", {
            "attributes": [{"apiName": "a%d" % i, "name": "A %d" % i, "dataType": "string"} for i in range(21)]})

    def code_1029(self):
        when = {"createdAt": {"startAt": "2026-01-01T00:00:00Z", "endAt": "2026-01-02T00:00:00Z"}}
        jobs = [self.export(when).json["result"][0]["exportId"] for _ in range(11)]
        return [self.call("POST", "/bulk/v1/leads/export/%s/enqueue.json" % job) for job in jobs][-1]

    def code_1035(self):
        self.limits(exportUpdatedAt=False)
        return self.export({"updatedAt": {"startAt": "2026-01-01T00:00:00Z", "endAt": "2026-01-01T00:00:01Z"}})

    def code_1080(self):
        winner = self.create(email="w@example.org")
        losers = ",".join(str(self.create(title="L")) for _ in range(26))
        return self.call("POST", "/rest/v1/leads/%d/merge.json?leadIds=%s" % (winner, losers))

    CALLS = {
        601: "Access token invalid", 602: "Access token expired", 603: "Access denied", 605: "HTTP Method not supported",
        606: "Max rate limit '1' exceeded with in '20' secs", 607: "Daily quota reached", 609: "Invalid JSON",
        610: "Requested resource not found", 611: "System error", 612: "Invalid Content Type", 613: "Invalid multipart request",
        615: "Concurrent access limit '1' reached", 701: "input cannot be blank", 704: "Invalid date format 'yesterday'",
        1001: "Invalid value 'x'. Required of type 'Integer'", 1003: "Too many results match the filter",
        1004: "Lead '7' not found", 1006: "Field 'nowhere' not found",
        1011: "Field 'firstName' is not supported as filterType", 1013: "List '7' not found", 1016: "Too many imports queued",
        1017: "Custom activity type 'kick' already exists", 1022: "Custom activity type 'kick' is in use",
        1027: "At most 10 custom activity types are allowed", 1028: "At most 20 attributes are allowed",
        1029: "Too many jobs in queue", 1035: "Unsupported filter type for target subscription: updatedAt",
        1080: "At most 25 leads can be merged at once",
    }

    def test_codes_of_calls(self):
        for code, text in self.CALLS.items():
            with self.subTest(code=code):
                self.setUp()
                answer = getattr(self, "code_%d" % code)()
                self.assertEqual(answer.status, 200)
                self.assertRegex(answer.headers["content-type"], "^application/json")
                self.assertFails(answer.json, code)
                self.assertEqual(answer.json["errors"], [{"code": str(code), "message": text}])

    # --- of a record ---

    def record_718(self):
        return self.record("leads.json", {"email": "a@example.org", "externalSalesPersonId": "none"})

    def record_1001(self):
        self.limits(wrongTypeIs1001=True)
        return self.record("leads.json", {"email": "a@example.org", "leadScore": "many"})

    def record_1002(self):
        return self.record("companies.json", {"company": "A"})

    def record_1003(self):
        return self.record("leads.json", {"email": "a@example.org", "leadScore": 14.1})

    def record_1004(self):
        return self.record("leads.json", {"id": 7, "title": "A"}, **BY_ID)

    def record_1005(self):
        self.create(email="a@example.org")
        return self.record("leads.json", {"email": "a@example.org"}, action="createOnly")

    def record_1006(self):
        return self.record("leads.json", {"email": "a@example.org", "nowhere": 1})

    def record_1007(self):
        self.create(email="a@example.org")
        self.create(email="a@example.org")
        return self.record("leads.json", {"email": "a@example.org"})

    def record_1010(self):
        self.create(email="a@example.org")
        return self.record("leads.json", {"email": "a@example.org"}, partitionName="EMEA")

    def record_1013(self):
        return self.record("leads.json", {"email": "a@example.org", "externalCompanyId": "none"})

    def record_1014(self):
        fields = [{"displayName": "M %d" % i, "name": "m%d" % i, "dataType": "string"} for i in range(101)]
        return self.post("leads/schema/fields.json", {"input": fields}).json["result"][100]

    def record_1015(self):
        made = self.sandbox.control("lists", {"name": "Fair"})["id"]
        lead = self.create(email="a@example.org")
        answer = self.call("DELETE", "/rest/v1/lists/%d/leads.json?id=%d" % (made, lead)).json["result"][0]
        self.assertEqual(answer.pop("id"), lead)
        return answer

    def record_1017(self):
        self.record("companies.json", {"externalCompanyId": "k"})
        return self.record("companies.json", {"externalCompanyId": "k"}, action="createOnly")

    def record_1018(self):
        self.limits(crmManaged=True)
        return self.record("companies.json", {"externalCompanyId": "k"})

    def record_1021(self):
        self.record("companies.json", {"externalCompanyId": "k"})
        return self.record("leads.json", {"email": "a@example.org", "externalCompanyId": "k", "industry": "x"})

    def record_1022(self):
        self.record("companies.json", {"externalCompanyId": "k"})
        self.create(email="a@example.org", externalCompanyId="k")
        return self.record("companies/delete.json", {"externalCompanyId": "k"})

    def record_1036(self):
        return self.post("companies.json", {"input": [{"externalCompanyId": "k"}] * 2}).json["result"][1]

    def record_1049(self):
        made = self.approved(primaryAttribute={**TYPE["primaryAttribute"], "dataType": "text"})
        self.assertEqual(self.activity(made, primaryAttributeValue="x" * 65536)["status"], "added")
        return self.activity(made, primaryAttributeValue="x" * 65537)

    RECORDS = {
        718: "ExternalSalesPersonID not found", 1001: "Invalid value 'many'. Required of type 'integer'",
        1002: "Value for required field 'externalCompanyId' not found",
        1003: "Invalid value for field 'leadScore' and value '14.1'", 1004: "Lead not found", 1005: "Lead already exists",
        1006: "Field 'nowhere' not found", 1007: "Multiple lead match lookup criteria", 1010: "Lead is in another partition",
        1013: "Company not found", 1014: "At most 100 custom fields can be created", 1015: "Lead not in list",
        1017: "Object already exists", 1018: "CRM enabled: the native sync owns these records",
        1021: "Company update not allowed: field 'industry'", 1022: "Object in use", 1036: "Duplicate object found in input",
        1049: "Activity attributes exceed 65536 bytes: 'ball'",
    }

    def test_codes_of_records(self):
        for code, text in self.RECORDS.items():
            with self.subTest(code=code):
                self.setUp()
                record = getattr(self, "record_%d" % code)()
                where = "errors" if code == 1049 else "reasons"
                record.pop("seq", None)
                self.assertEqual(record, {"status": "skipped", where: [{"code": str(code), "message": text}]})

    # --- of HTTP ---

    def test_statuses(self):
        self.assertEqual(self.get("leads.json", x="y" * 9000).status, 414)
        self.assertEqual(self.call("POST", "/rest/v1/leads.json", "x" * (1 << 20) + "x", JSON).status, 413)
        missing = self.call("GET", "/bulk/v1/leads/export/none/file.json")
        self.assertEqual((missing.status, missing.headers["content-type"]), (404, "text/plain"))
        answer = self.sandbox.marketo.call("GET", "/identity/oauth/token?grant_type=client_credentials&client_id=x&client_secret=y")
        self.assertEqual((answer.status, answer.json["error"]), (401, "invalid_client"))

    # --- on order ---

    ORDERED = (500, 502, 601, 602, 603, 604, 605, 606, 607, 608, 609, 610, 611, 612, 613, 614, 615, 616, 701, 702, 703, 704,
               709, 710, 711, 712, 713, 714, 718, 719, 1003, 1016, 1029, 1035)
    ORDERED_OF_RECORDS = (*range(1001, 1023), 1025, 1027, 1028, 1036, 1037, 1042, 1049, 1076, 1077, 1078, 1079, 1080)

    def test_any_code_can_be_ordered(self):
        path = "/rest/v1/leads/partitions.json"
        self.sandbox.control("faults", [{"side": "marketo", "path": path, "nth": n + 1,
                                         "effect": {"code": str(code), "message": "text of %d" % code}}
                                        for n, code in enumerate(self.ORDERED)])
        for code in self.ORDERED:
            answer = self.call("GET", path)
            self.assertEqual(answer.status, 200)
            self.assertFails(answer.json, code)
            self.assertEqual(answer.json["errors"][0]["message"], "text of %d" % code)

    def test_any_code_of_a_record_can_be_ordered(self):
        path = "/rest/v1/leads.json"
        bodies = [json.dumps({"requestId": "fa17#0", "success": True, "result": [
            {"status": "skipped", "reasons": [{"code": str(code), "message": "text"}]}]}) for code in self.ORDERED_OF_RECORDS]
        self.sandbox.control("faults", [{"side": "marketo", "path": path, "nth": n + 1,
                                         "effect": {"body": body, "contentType": "application/json"}}
                                        for n, body in enumerate(bodies)])
        for code in self.ORDERED_OF_RECORDS:
            self.assertSkipped(self.sync({"email": "a@example.org"})[0], code, "text")

    def test_the_tables_leave_nothing_out(self):
        """Every method above is in a table, and every code in a table has its method."""
        for prefix, table in (("code_", self.CALLS), ("record_", self.RECORDS)):
            methods = {int(re.sub(r"\D", "", name)) for name in dir(self) if re.fullmatch(prefix + r"\d+", name)}
            self.assertEqual(methods, set(table))


if __name__ == "__main__":
    unittest.main()
