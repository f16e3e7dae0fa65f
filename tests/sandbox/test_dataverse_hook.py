"""The Dynamics side: webhooks. A receiver on this machine notes what is posted to it."""

import json
import socket
import time

from dataverse_case import DataverseCase, change_set, request_part
from receiver import Receiver

CONTRACTS = "http://schemas.microsoft.com/xrm/2011/Contracts"


class Hooks(DataverseCase):
    def setUp(self):
        super().setUp()
        self.statuses, self.delay = [], 0
        self.receiver = Receiver(self.answer)
        self.addCleanup(self.receiver.stop)
        self.url = self.receiver.url + "/events"

    def answer(self, request):
        """With the statuses it is told, 200 afterwards."""
        time.sleep(self.delay)
        return self.statuses.pop(0) if self.statuses else 200, ""

    def next(self):
        request = self.receiver.next()
        return request.path, request.headers, request.body

    def endpoint(self, url=None, authtype=4, authvalue="k3y /&"):
        return self.create("serviceendpoints", name="hook", url=url or self.url, contract=8, messageformat=2,
                           authtype=authtype, authvalue=authvalue)

    def step(self, message, endpoint=None, table="contact", **columns):
        identifier = self.rows(f"sdkmessages?$select=sdkmessageid&$filter=name eq '{message}'")[0]["sdkmessageid"]
        found = self.rows(f"sdkmessagefilters?$select=sdkmessagefilterid&$filter=sdkmessageid/name eq '{message}' "
                          f"and primaryobjecttypecode eq '{table}'")[0]["sdkmessagefilterid"]
        body = {"name": f"tandem: {message} of {table}", "stage": 40, "mode": 1, "rank": 1, "supporteddeployment": 0,
                "asyncautodelete": True, "eventhandler_serviceendpoint__bind": f"/serviceendpoints({endpoint or self.endpoint()})",
                "sdkmessageid__bind": f"/sdkmessages({identifier})", "sdkmessagefilterid__bind": f"/sdkmessagefilters({found})"}
        return self.create("sdkmessageprocessingsteps", **{**body, **columns})

    def jobs(self, step, count=1):
        for _ in range(200):
            rows = self.rows(f"asyncoperations?$select=name,statecode,statuscode,errorcode&$filter=_owningextensionid_value eq {step}")
            if len(rows) >= count:
                return [(row["statecode"], row["statuscode"], row["errorcode"]) for row in rows]
            time.sleep(0.02)
        self.fail("no system job")

    def assertNoMore(self, step):
        """Nothing else was posted: an event made now is the next to arrive."""
        marker = self.create("leads", lastname="marker")
        _, _, body = self.next()
        self.assertEqual(json.loads(body)["PrimaryEntityId"], marker)

    def test_update(self):
        account = self.create("accounts", name="Works")
        row = self.create(lastname="a", firstname="Ann")
        step = self.step("Update")
        answer = self.tandem.call("PATCH", f"contacts({row})?tag=tandem", {
            "jobtitle": "CTO \"x\"", "preferredcontactmethodcode": 2, "firstname": None, "donotphone": True, "creditlimit": 5.5,
            "birthdate": "1990-05-17", "parentcustomerid_account@odata.bind": f"/accounts({account})"})
        self.assertEqual(answer.status, 204, answer.text)
        path, headers, body = self.next()
        self.assertEqual(path, "/events?code=k3y%20%2F%26")
        self.assertEqual({name: headers[name] for name in headers if name.startswith("x-ms-dynamics") or name == "content-type"}, {
            "content-type": "application/json", "x-ms-dynamics-organization": self.tandem.listener.host,
            "x-ms-dynamics-entity-name": "contact", "x-ms-dynamics-request-name": "Update"})
        self.assertEqual(headers["x-ms-correlation-request-id"], answer.headers["x-ms-service-request-id"])
        got = json.loads(body)
        me = self.get("WhoAmI")
        self.assertEqual((got["UserId"], got["InitiatingUserId"], got["BusinessUnitId"], got["OrganizationId"]),
                         (me["UserId"], me["UserId"], me["BusinessUnitId"], me["OrganizationId"]))
        self.assertEqual((got["MessageName"], got["PrimaryEntityName"], got["PrimaryEntityId"], got["Mode"], got["Stage"], got["Depth"]),
                         ("Update", "contact", row, 1, 40, 1))
        self.assertEqual(got["SharedVariables"], [{"key": "tag", "value": "tandem"}])
        self.assertEqual(got["OwningExtension"], {"Id": step, "KeyAttributes": [], "LogicalName": "sdkmessageprocessingstep",
                                                  "Name": "tandem: Update of contact", "RowVersion": None})
        self.assertRegex(got["OperationCreatedOn"], r"^/Date\(\d{13}\)/$")
        self.assertEqual([item["key"] for item in got["PostEntityImages"]], ["AsynchronousStepPrimaryName"])
        self.assertEqual([item["key"] for item in got["InputParameters"]], ["Target"])
        target = got["InputParameters"][0]["value"]
        self.assertEqual((target["__type"], target["Id"], target["LogicalName"], target["EntityState"]),
                         ("Entity:" + CONTRACTS, row, "contact", None))
        values = {item["key"]: item["value"] for item in target["Attributes"]}
        self.assertRegex(values.pop("modifiedon"), r"^/Date\(\d{10}000\)/$")
        self.assertEqual(values, {
            "jobtitle": 'CTO "x"', "preferredcontactmethodcode": {"__type": "OptionSetValue:" + CONTRACTS, "Value": 2},
            "firstname": None, "donotphone": True, "creditlimit": {"__type": "Money:" + CONTRACTS, "Value": 5.5},
            "birthdate": "/Date(642902400000)/", "contactid": row,
            "parentcustomerid": {"__type": "EntityReference:" + CONTRACTS, "Id": account, "KeyAttributes": [],
                                 "LogicalName": "account", "Name": None, "RowVersion": None}})
        version = self.get(f"contacts({row})?$select=versionnumber")["versionnumber"]
        self.assertEqual(target["RowVersion"], str(version))

    def test_create_and_delete(self):
        endpoint = self.endpoint()
        self.step("Create", endpoint)
        self.step("Delete", endpoint)
        row = self.create(lastname="a")
        got = json.loads(self.next()[2])
        self.assertEqual((got["MessageName"], got["OutputParameters"]), ("Create", [{"key": "id", "value": row}]))
        self.assertEqual({item["key"] for item in got["InputParameters"][0]["value"]["Attributes"]},
                         {"lastname", "createdon", "modifiedon", "contactid"})
        self.tandem.call("DELETE", f"contacts({row})")
        got = json.loads(self.next()[2])
        self.assertEqual((got["MessageName"], got["PrimaryEntityId"], got["PostEntityImages"]), ("Delete", row, []))
        self.assertEqual(got["InputParameters"], [{"key": "Target", "value": {
            "__type": "EntityReference:" + CONTRACTS, "Id": row, "KeyAttributes": [], "LogicalName": "contact", "Name": None,
            "RowVersion": None}}])

    def test_filtering_disabling_rollback(self):
        endpoint = self.endpoint()
        marker = self.step("Create", endpoint, table="lead")
        step = self.step("Update", endpoint, filteringattributes="emailaddress1, firstname")
        row = self.create(lastname="a")
        self.patch(f"contacts({row})", jobtitle="not listed")
        self.assertNoMore(marker)
        self.patch(f"contacts({row})", firstname="listed")
        self.assertEqual(json.loads(self.next()[2])["MessageName"], "Update")
        self.tandem.batch(change_set(request_part("PATCH", f"contacts({row})", {"firstname": "taken back"}, Content_ID="1"),
                                     request_part("POST", "contacts", {"nonsense": 1}, Content_ID="2")))
        self.assertNoMore(marker)
        self.tandem.batch(change_set(request_part("PATCH", f"contacts({row})", {"firstname": "stays"}, Content_ID="1")))
        self.assertEqual(json.loads(self.next()[2])["PrimaryEntityId"], row)
        self.patch(f"sdkmessageprocessingsteps({step})", statecode=1)
        self.patch(f"contacts({row})", firstname="off")
        self.assertNoMore(marker)

    def test_headers_and_query_values(self):
        settings = '<settings><setting name="X-Sync-Key" value="k3y &amp; more" /><setting name="b" value="2"/></settings>'
        self.step("Create", self.endpoint(authtype=5, authvalue=settings))
        self.create(lastname="a")
        path, headers, _ = self.next()
        self.assertEqual((path, headers["x-sync-key"], headers["b"]), ("/events", "k3y & more", "2"))
        self.step("Create", self.endpoint(self.url + "?a=1", 6, settings), table="account")
        self.create("accounts", name="a")
        self.assertEqual(self.next()[0], "/events?a=1&X-Sync-Key=k3y%20%26%20more&b=2")

    def test_a_mixed_update_runs_in_steps(self):
        self.step("Update")
        row = self.create(lastname="a")
        team = self.rows("teams?$select=teamid")[0]["teamid"]
        self.patch(f"contacts({row})", statecode=1, jobtitle="CTO", **{"ownerid@odata.bind": f"/teams({team})"})
        targets = [json.loads(self.next()[2])["InputParameters"][0]["value"] for _ in range(3)]
        found = {tuple(sorted(item["key"] for item in target["Attributes"])): int(target["RowVersion"]) for target in targets}
        self.assertEqual(sorted(found, key=found.get), [("contactid", "modifiedon", "ownerid"), ("contactid", "modifiedon", "statecode"),
                                                        ("contactid", "jobtitle", "modifiedon")])
        got = self.get(f"contacts({row})?$select=versionnumber,statecode,statuscode,jobtitle,_owningteam_value")
        self.assertEqual((max(found.values()), got["statecode"], got["statuscode"], got["jobtitle"], got["_owningteam_value"]),
                         (got["versionnumber"], 1, 2, "CTO", team))

    def test_bypassed(self):
        endpoint = self.endpoint()
        marker = self.step("Create", endpoint, table="lead")
        step = self.step("Update", endpoint)
        row = self.create(lastname="a")
        for headers in ({"MSCRM.BypassBusinessLogicExecution": "CustomAsync"},
                        {"MSCRM.BypassBusinessLogicExecution": "CustomSync, CustomAsync"},
                        {"MSCRM.BypassBusinessLogicExecutionStepIds": f"{row}, {step}"}):
            self.assertEqual(self.tandem.call("PATCH", f"contacts({row})", {"jobtitle": "x"}, **headers).status, 204)
            self.assertNoMore(marker)
        for headers in ({"MSCRM.BypassBusinessLogicExecution": "CustomSync"}, {"MSCRM.BypassBusinessLogicExecutionStepIds": row},
                        {"MSCRM.BypassCustomPluginExecution": "true"}, {"MSCRM.SuppressCallbackRegistrationExpanderJob": "true"}):
            self.assertEqual(self.tandem.call("PATCH", f"contacts({row})", {"jobtitle": "x"}, **headers).status, 204)
            self.assertEqual(json.loads(self.next()[2])["PrimaryEntityId"], row)

    def test_one_retry(self):
        step = self.step("Create")
        for statuses, posts, code in (([503], 2, None), ([502, 504], 2, -2147155455), ([500], 1, -2147155455), ([404], 1, -2147155455),
                                      ([301], 1, -2147155455), ([204], 1, None)):
            with self.subTest(statuses):
                before = len(self.rows("asyncoperations?$select=name"))
                self.statuses = list(statuses)
                row = self.create(lastname="a")
                for _ in range(posts):
                    self.assertEqual(json.loads(self.next()[2])["PrimaryEntityId"], row)
                if code:
                    self.assertEqual(self.jobs(step, before + 1)[-1], (3, 31, code))
                self.assertTrue(self.receiver.requests.empty())

    def test_success_is_kept_when_asked(self):
        step = self.step("Create", asyncautodelete=False)
        self.create(lastname="a")
        self.assertEqual(self.jobs(step), [(3, 30, None)])

    def test_too_slow_and_not_there(self):
        self.limits(webhookSeconds=0.2)
        self.delay = 1
        step = self.step("Create")
        self.create(lastname="a")
        self.assertEqual(self.jobs(step), [(3, 31, -2147155454)])
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            step = self.step("Create", self.endpoint(f"http://localhost:{free.getsockname()[1]}/"), table="account")
            self.create("accounts", name="a")
            self.assertEqual(self.jobs(step), [(3, 31, -2147155451)])
        answer = self.sandbox.marketo.call("POST", "/_sandbox/limits", {"dynamics": {"webhookSeconds": 0}})
        self.assertEqual(answer.status, 400)

    def test_too_big(self):
        self.limits(maxLength={"contact.description": 1048576})
        self.step("Create")
        self.create(lastname="a", description="x" * 250 * 1024)
        _, headers, body = self.next()
        self.assertNotIn("x-ms-dynamics-msg-size-exceeded", headers)
        self.assertLessEqual(len(body), 256 * 1024)
        row = self.create(lastname="a", description="x" * 256 * 1024)
        _, headers, body = self.next()
        self.assertEqual(headers["x-ms-dynamics-msg-size-exceeded"], "true")
        got = json.loads(body)
        self.assertEqual(got["PrimaryEntityId"], row)
        for name in ("InputParameters", "ParentContext", "PreEntityImages", "PostEntityImages"):
            self.assertNotIn(name, got)

    def test_what_is_refused(self):
        for url in ("http://example.org/", "https://127.0.0.1/", "http://127.0.0.1.example.org/", "http://127.0.0.1:80@example.org/",
                    "http://localhostess/", ""):
            answer = self.tandem.call("POST", "serviceendpoints", {"name": "x", "url": url, "contract": 8, "authtype": 4})
            self.assertRefused(answer, 501, "0x80060888", "this machine")
        answer = self.tandem.call("POST", "serviceendpoints", {"name": "x", "url": self.url, "contract": 2, "authtype": 4})
        self.assertRefused(answer, 501, "0x80060888", "contract 8")
        step = self.step("Update")
        self.assertRefused(self.tandem.call("PATCH", f"sdkmessageprocessingsteps({step})", {"mode": 0}), 501, "0x80060888", "mode 1")
        self.assertRefused(self.tandem.call("PATCH", f"sdkmessageprocessingsteps({step})", {"stage": 20}), 501, "0x80060888", "stage 40")
        self.assertRefused(self.tandem.call("POST", "sdkmessageprocessingsteps", {"name": "x", "mode": 1, "stage": 40}), 400,
                           "0x80040200", "'eventhandler'")
        kept = self.get(f"sdkmessageprocessingsteps({step})?$select=_eventhandler_value,_sdkmessageid_value")
        body = {"name": "x", "mode": 1, "stage": 40,
                "eventhandler_serviceendpoint@odata.bind": f"/serviceendpoints({kept['_eventhandler_value']})",
                "sdkmessageid@odata.bind": f"/sdkmessages({kept['_sdkmessageid_value']})"}
        self.assertRefused(self.tandem.call("POST", "sdkmessageprocessingsteps", body), 501, "0x80060888", "message filter")
        endpoint = self.endpoint()
        self.assertNotIn("authvalue", self.get(f"serviceendpoints({endpoint})"))
        self.assertRefused(self.tandem.call("GET", f"serviceendpoints({endpoint})?$select=authvalue"), 400, "0x80060888", "authvalue")
        for name in ("clerk", "reader"):
            answer = self.user(name).call("POST", "serviceendpoints", {"name": "x", "url": self.url, "contract": 8})
            self.assertRefused(answer, 403, "0x80040220", "prvCreateServiceEndpoint")
