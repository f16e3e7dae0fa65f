"""The Dynamics side: the codes of errors, those that come by themselves and those that are ordered."""

from dataverse_case import ABSENT, DataverseCase, change_set, request_part

TRACK = "odata.track-changes"
CONTACT = "Microsoft.Dynamics.CRM.contact"

# Microsoft Learn: Web service error codes; what nothing in the sandbox comes to by itself.
ON_ORDER = (
    (401, ("0x80040204", "0x80040277", "0x80044300", "0x80044302", "0x8004a100", "0x8004a101", "0x8004a102", "0x8004a103", "0x8004a105",
           "0x80072559")),
    (403, ("0x80040231", "0x80040256", "0x80040276", "0x80048405", "0x8004a104", "0x8004a112", "0x8004a113", "0x8004d24b", "0x8004f504",
           "0x80072325", "0x80072561")),
    (400, ("0x80040216", "0x80040224", "0x8004022e", "0x80040230", "0x80040233", "0x80040317", "0x80040353", "0x80041103", "0x80041a01",
           "0x80041a02", "0x8004418a", "0x80044354", "0x80045301", "0x80045302", "0x80045303", "0x80045304", "0x80045305", "0x80045316",
           "0x80045317", "0x80048cfb", "0x80060883", "0x8006088a", "0x8006088f", "0x8006089d")),
    (405, ("0x80040227",)), (412, ("0x80073002",)),
    (500, ("0x80044150", "0x80044151", "0x80044171", "0x80044172", "0x80044173", "0x8004418d", "0x8004418e", "0x8004c001")),
    (503, ("0x80044339", "0x8004a001", "0x8004ed47", "0x80072323", "0x80072324")),
)


class Codes(DataverseCase):
    def setUp(self):
        super().setUp()
        self.row = f"contacts({self.create(lastname='a', emailaddress1='ann@example.org', new_marketoid='7')})"
        self.me = self.get("WhoAmI")["UserId"]

    def ask(self, method, path, body=None, by="tandem", **headers):
        return (self.tandem if by == "tandem" else self.user(by)).call(method, path, body, **headers)

    def test_by_themselves(self):
        """Each line: status, code, part of the text, the call, and what is set before."""
        other = f"contacts({self.create(lastname='b')})"
        gone = next(u["systemuserid"] for u in self.rows("systemusers?$select=domainname") if u["domainname"].startswith("gone.away"))
        stale = self.get("contacts?$select=lastname", Prefer=TRACK)["@odata.deltaLink"].replace("$deltatoken=7", "$deltatoken=97")
        lead = f"leads({self.create('leads', lastname='q', statecode=1, statuscode=3)})"
        secured = {"secured": {"contact": ["jobtitle"]}}
        reject = {"plugin": {"reject": {"table": "contact", "column": "lastname", "equals": "no", "message": "Not this name"}}}
        detecting = {"MSCRM.SuppressDuplicateDetection": "false"}
        qualify = {"CreateAccount": False, "CreateContact": True, "CreateOpportunity": False, "Status": 3}
        merge = {"Target": {"@odata.type": CONTACT, "contactid": self.row[9:-1]},
                 "Subordinate": {"@odata.type": CONTACT, "contactid": self.row[9:-1]}}
        many, joins = (" or ".join([text] * count) for text, count in (("lastname eq 'a'", 501), ("createdby/fullname eq 'x'", 16)))
        for status, code, text, call, settings in (
                (400, "0x80040200", "Required field 'name' is missing", ("POST", "serviceendpoints", {"contract": 8}), {}),
                (400, "0x80040203", "DeleteMultiple has not yet been implemented.",
                 ("POST", "contacts/Microsoft.Dynamics.CRM.DeleteMultiple", {}), {}),
                (404, "0x80040217", f"contact With Id = {ABSENT} Does Not Exist", ("GET", f"contacts({ABSENT})"), {}),
                (403, "0x80040220", "is missing prvWriteContact privilege (Id=", ("PATCH", self.row, {"lastname": "b"}, "reader"), {}),
                (403, "0x80040225", "The specified user is disabled.", ("GET", "WhoAmI"), {"users": {"tandem": "disabled"}}),
                (400, "0x8004022b", "disabled", ("PATCH", self.row, {"ownerid@odata.bind": f"systemusers({gone})"}), {}),
                (412, "0x80040237", "A record with matching key values already exists.",
                 ("POST", "contacts", {"contactid": self.row[9:-1]}), {}),
                (400, "0x80040239", "DateTime is less than minumum value", ("PATCH", self.row, {"birthdate": "1752-12-31"}), {}),
                (400, "0x80040265", "Not this name", ("PATCH", self.row, {"lastname": "no"}), reject),
                (412, "0x80040333", "a duplicate of the current record already exists",
                 ("POST", "contacts", {"emailaddress1": "ann@example.org"}, "tandem", detecting), {}),
                (400, "0x80041102", "'nothing' was not found", ("GET", "RetrieveTotalRecordCount(EntityNames=['nothing'])"), {}),
                (400, "0x8004203e", "Attribute 'ownerid' cannot be set to NULL.", ("PATCH", self.row, {"ownerid@odata.bind": None}), {}),
                (403, "0x80042f09", "not been assigned any roles", ("GET", "WhoAmI"), {"users": {"tandem": "roleless"}}),
                (400, "0x80042f09", "not been assigned any roles",
                 ("PATCH", self.row, {"ownerid@odata.bind": f"systemusers({self.me})"}, "seller"), {"users": {"tandem": "roleless"}}),
                (400, "0x8004430c", "Number of conditions", ("GET", "contacts?$filter=" + many), {}),
                (400, "0x8004430d", "Number of link entities", ("GET", "contacts?$filter=" + joins), {}),
                (400, "0x8004431a", "Accepted Values: 1,2", ("PATCH", self.row, {"gendercode": 9}), {}),
                (400, "0x8004432f", "outside the valid range", ("PATCH", self.row, {"numberofchildren": 1000000001}), {}),
                (400, "0x80044330", "outside the valid range", ("PATCH", self.row, {"annualincome": -1}), {}),
                (400, "0x80044331", "exceeded the maximum allowed length of '50'", ("PATCH", self.row, {"lastname": "x" * 51}), {}),
                (400, "0x80044352", "Version stamp associated with the client has expired.", ("GET", stale), {}),
                (400, "0x80045300", "cannot be merged with itself", ("POST", "Merge", merge), {}),
                (403, "0x80048306", "does not have ReadAccess right(s) for record with id", ("GET", self.row, None, "clerk"), {}),
                (400, "0x80048408", "2 is not a valid status code for state code ContactState.Active", ("PATCH", self.row, {"statuscode": 2}), {}),
                (400, "0x80048d19", "Invalid property 'nothing'", ("PATCH", self.row, {"nothing": 1}), {}),
                (403, "0x8004a110", "on behalf", ("GET", "WhoAmI", None, "reader", {"MSCRMCallerID": self.me}), {}),
                (403, "0x8004f502", "create permissions to a Job Title", ("POST", "contacts", {"jobtitle": "x"}, "narrow"), secured),
                (403, "0x8004f506", "read permissions to a Job Title", ("GET", "contacts?$filter=jobtitle eq 'x'", None, "narrow"), secured),
                (403, "0x8004f507", "update permissions to a Job Title", ("PATCH", self.row, {"jobtitle": "x"}, "narrow"), secured),
                (412, "0x80060882", "doesn't match the RowVersion property provided.",
                 ("PATCH", self.row, {"lastname": "b"}, "tandem", {"If_Match": 'W/"1"'}), {}),
                (400, "0x80060888", "Could not find a property named 'nothing'", ("GET", "contacts?$select=nothing"), {}),
                (404, "0x80060888", "Resource not found for the segment 'contact'.", ("GET", "contact"), {}),
                (405, "0x80060888", "'PUT' is not supported", ("PUT", "contacts", {}), {}),
                (400, "0x8006088d", "Optimistic concurrency isn't enabled for entity type sdkmessageprocessingstep.",
                 ("DELETE", f"sdkmessageprocessingsteps({self.step()})", None, "tandem", {"If_Match": 'W/"1"'}), {}),
                (400, "0x80060890", "not a defined key for the account entity", ("GET", "accounts(name='x')"), {}),
                (404, "0x80060891", "specified key values does not exist in contact", ("GET", "contacts(new_marketoid='8')"), {}),
                (412, "0x80060892", "Entity Key Marketo Id violated.", ("PATCH", other, {"new_marketoid": "7"}), {}),
                (400, "0x80072491", "isn't enabled for change tracking", ("GET", "teams?$select=name", None, "tandem", {"Prefer": TRACK}), {}),
                (403, "0x80072560", "not a member of the organization", ("GET", "WhoAmI", None, "stranger"), {}),
                (400, "0x80081018", "already closed", ("POST", lead + "/Microsoft.Dynamics.CRM.QualifyLead", qualify), {}),
                (400, "0x0", "The query parameter x is not supported", ("GET", "contacts?x=1"), {})):
            with self.subTest(code, status=status):
                self.limits(secured={}, plugin=None, users={"tandem": "enabled"}, **{})
                self.limits(**settings)
                headers = call[4] if len(call) > 4 else {}
                answer = self.ask(*call[:4], **headers)
                self.assertRefused(answer, status, code, text)
                self.assertEqual(answer.headers["content-type"], "application/json; odata.metadata=minimal")
                self.assertEqual(answer.headers["odata-version"], "4.0")
        self.limits(secured={}, plugin=None, users={"tandem": "enabled"})
        self.assertEqual(self.get(self.row + "?$select=lastname")["lastname"], "a")

    def step(self):
        """A step, of a table without optimistic concurrency."""
        endpoint = self.create("serviceendpoints", name="x", url="http://127.0.0.1:9/", contract=8, messageformat=2, authtype=4, authvalue="k")
        found = self.rows("sdkmessagefilters?$select=_sdkmessageid_value&$filter=sdkmessageid/name eq 'Update' and "
                          "primaryobjecttypecode eq 'account'")[0]
        return self.create("sdkmessageprocessingsteps", name="x", mode=1, stage=40,
                           eventhandler_serviceendpoint__bind=f"serviceendpoints({endpoint})",
                           sdkmessageid__bind=f"sdkmessages({found['_sdkmessageid_value']})",
                           sdkmessagefilterid__bind=f"sdkmessagefilters({found['sdkmessagefilterid']})")

    def test_throttled(self):
        for settings, code in (({"requests": 1}, "0x80072322"), ({"executionMs": 1, "operationMs": 5}, "0x80072321"),
                               ({"concurrent": 0}, "0x80072326")):
            with self.subTest(code):
                self.sandbox.reset()
                tandem = self.user("tandem")
                self.limits(enforce=True, **settings)
                answer = [tandem.call("GET", "WhoAmI") for _ in range(3)][-1]
                self.assertRefused(answer, 429, code, "exceeded")
                self.assertRegex(answer.headers["retry-after"], r"^[1-9]\d*$")

    def test_on_order_as_a_fault(self):
        for status, codes in ON_ORDER:
            for code in codes:
                with self.subTest(code):
                    effect = {"status": status, "code": code, "message": f"Ordered \"{code}\""}
                    self.sandbox.control("faults", [{"side": "dynamics", "path": "/api/", "effect": effect}])
                    answer = self.tandem.call("GET", "WhoAmI")
                    self.assertRefused(answer, status, code)
                    self.assertEqual(answer.json, {"error": {"code": code, "message": f"Ordered \"{code}\""}})
                    self.assertTrue(answer.headers["content-type"].startswith("application/json"))

    def test_on_order_for_a_row(self):
        """A plug-in refuses a row with any code, inside batches, change sets and bulk actions too."""
        for status, codes in ON_ORDER:
            code = codes[0]
            with self.subTest(code):
                self.limits(plugin={"reject": {"table": "contact", "column": "lastname", "equals": "no", "message": "Ordered",
                                               "status": status, "code": code}})
                self.assertRefused(self.tandem.call("PATCH", self.row, {"lastname": "no"}), status, code, "Ordered")
                answer, parts = self.tandem.batch(request_part("PATCH", self.row, {"lastname": "yes"}),
                                                  request_part("PATCH", self.row, {"lastname": "no"}),
                                                  request_part("PATCH", self.row, {"jobtitle": "x"}), Prefer="odata.continue-on-error")
                self.assertEqual((answer.status, [part.status for part in parts]), (200, [204, status, 204]))
                self.assertEqual(parts[1].json, {"error": {"code": code, "message": "Ordered"}})
                bulk = {"Targets": [{"@odata.type": CONTACT, "lastname": "fine"}, {"@odata.type": CONTACT, "lastname": "no"}]}
                self.assertRefused(self.tandem.call("POST", "contacts/Microsoft.Dynamics.CRM.CreateMultiple", bulk), status, code)
        self.assertEqual(len(self.rows("contacts?$select=lastname")), 1)
        for wrong in ({"status": 200}, {"status": "x"}):
            answer = self.sandbox.marketo.call("POST", "/_sandbox/limits", {"dynamics": {"plugin": {"reject": {
                "table": "contact", "column": "lastname", "equals": "no", "message": "x", **wrong}}}})
            self.assertEqual(answer.status, 400)

    def order(self, *rules):
        self.sandbox.control("faults", [{"side": "dynamics", **rule} for rule in rules])

    def test_ordered_answers_look_like_the_others(self):
        own = self.tandem.call("GET", f"contacts({ABSENT})")
        self.order({"path": "/api/", "effect": {"status": 429, "code": "0x80072322", "message": "Too many.", "retryAfter": 7}})
        answer = self.tandem.call("GET", self.row)
        self.assertRefused(answer, 429, "0x80072322", "Too many.")
        self.assertEqual(answer.headers["retry-after"], "7")
        for name in ("odata-version", "content-type"):
            self.assertEqual(answer.headers[name], own.headers[name])

    def test_an_error_after_the_effect(self):
        for status, code in ((500, "0x80044150"), (503, "0x80044339"), (504, "")):
            self.order({"method": "PATCH", "effect": {"afterEffect": True, "status": status, "code": code, "message": "late"}})
            answer = self.tandem.call("PATCH", self.row, {"jobtitle": str(status)}, Prefer="return=representation")
            self.assertRefused(answer, status, code, "late")
            self.assertNotIn("etag", answer.headers)
            self.assertEqual(self.get(self.row + "?$select=jobtitle")["jobtitle"], str(status))

    def test_parts_of_a_batch(self):
        self.order({"part": True, "method": "GET", "path": "/api/data/v9.2/contacts", "nth": 2, "effect": {
            "status": 503, "code": "0x80044339", "message": "busy", "retryAfter": 2}},
                   {"part": True, "method": "PATCH", "contains": "taken back", "effect": {"status": 500, "code": "0x80044150"}})
        self.assertEqual(self.tandem.call("GET", self.row).status, 200)   # no part of a batch
        reads = [request_part("GET", self.row + "?$select=lastname") for _ in range(3)]
        outer, parts = self.tandem.batch(*reads, Prefer="odata.continue-on-error")
        self.assertEqual((outer.status, [part.status for part in parts]), (200, [200, 503, 200]))
        self.assertEqual((parts[1].json["error"], parts[1].headers["retry-after"]), ({"code": "0x80044339", "message": "busy"}, "2"))
        outer, parts = self.tandem.batch(change_set(
            request_part("PATCH", self.row, {"jobtitle": "one"}, Content_ID=1),
            request_part("PATCH", self.row, {"jobtitle": "taken back"}, Content_ID=2)))
        self.assertEqual((outer.status, [part.status for part in parts[0]]), (500, [500]))
        self.assertIsNone(self.get(self.row + "?$select=jobtitle")["jobtitle"])

    def test_annotations(self):
        every = {"Prefer": 'odata.include-annotations="*"'}
        error = self.tandem.call("POST", "contacts", {"new_marketoid": "7"}, **every).json["error"]
        self.assertEqual(error["@Microsoft.PowerApps.CDS.ErrorDetails.DuplicateAttributes"],
                         "<DuplicateAttributes><new_marketoid>7</new_marketoid></DuplicateAttributes>")
        self.limits(plugin={"reject": {"table": "contact", "column": "lastname", "equals": "no", "message": "Not this name"}})
        error = self.tandem.call("PATCH", self.row, {"lastname": "no"}, **every).json["error"]
        self.assertEqual(error["@Microsoft.PowerApps.CDS.TraceText"], "\r\n[Sandbox.Plugin]\r\nlastname")
        self.assertEqual(error["@Microsoft.PowerApps.CDS.InnerError.Message"], "Not this name")
        self.assertIn("@Microsoft.PowerApps.CDS.HelpLink", error)
        named = self.tandem.call("PATCH", self.row, {"lastname": "no"},
                                 Prefer='odata.include-annotations="Microsoft.PowerApps.CDS.ErrorDetails*,Microsoft.PowerApps.CDS.HelpLink"')
        self.assertEqual(sorted(named.json["error"]), ["@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus",
                                                       "@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode",
                                                       "@Microsoft.PowerApps.CDS.HelpLink", "code", "message"])
