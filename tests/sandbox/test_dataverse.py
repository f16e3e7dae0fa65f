"""The Dynamics side: tokens, rows, values, queries, limits and rights."""

import json
import threading
import unittest

from dataverse_case import ABSENT, API, DataverseCase, FORM, request_part


class Tokens(DataverseCase):
    def assertTokenError(self, answer, status, error, code):
        self.assertEqual((answer.status, answer.json["error"]), (status, error), answer.text)
        self.assertEqual(answer.json["error_codes"], [code])
        self.assertRegex(answer.json["error_description"],
                         rf"^AADSTS{code}: .* Trace ID: \S+ Correlation ID: \S+ Timestamp: \d{{4}}-")
        self.assertIn("trace_id", answer.json)

    def test_a_token_by_body_and_by_header(self):
        for answer in (self.tandem.ask_token(), self.tandem.ask_token(basic=True)):
            self.assertEqual(answer.status, 200, answer.text)
            self.assertEqual(answer.json["token_type"], "Bearer")
            self.assertEqual(answer.json["expires_in"], 3599)
            self.assertEqual(answer.json["ext_expires_in"], 3599)
            self.assertGreater(len(answer.json["access_token"]), 1000)

    def test_every_refusal(self):
        ask = self.tandem.ask_token
        self.assertTokenError(ask(tenant=ABSENT), 400, "invalid_request", 90002)
        self.assertTokenError(ask(grant_type=None), 400, "invalid_request", 900144)
        self.assertTokenError(ask(grant_type="nonsense"), 400, "unsupported_grant_type", 70003)
        self.assertTokenError(ask(client_id=None), 400, "invalid_request", 900144)
        self.assertTokenError(ask(client_id=ABSENT), 400, "unauthorized_client", 700016)
        self.assertTokenError(ask(client_secret=None), 401, "invalid_client", 7000218)
        self.assertTokenError(ask(client_secret="wrong"), 401, "invalid_client", 7000215)
        self.assertTokenError(ask(scope=None), 400, "invalid_request", 900144)
        self.assertTokenError(ask(scope=self.tandem.origin), 400, "invalid_scope", 70011)
        self.assertTokenError(ask(scope="https://other.example.org/.default"), 400, "invalid_resource", 500011)

    def test_a_secret_must_be_encoded(self):
        user = self.tandem.user
        body = (f"grant_type=client_credentials&client_id={user['clientId']}&client_secret={user['clientSecret']}"
                f"&scope={self.tandem.origin}/.default")
        answer = self.tandem.listener.call("POST", f"/{user['tenantId']}/oauth2/v2.0/token", body, FORM)
        self.assertTokenError(answer, 401, "invalid_client", 7000215)

    def test_no_token_or_a_bad_one(self):
        for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Bearer a.b.c"}):
            answer = self.tandem.listener.call("GET", API + "WhoAmI", headers=headers)
            self.assertEqual(answer.status, 401)
            self.assertTrue(answer.headers["content-type"].startswith("text/plain"))
            self.assertIn(f"resource_id={self.tandem.origin}/", answer.headers["www-authenticate"])
            self.assertIn("/oauth2/authorize", answer.headers["www-authenticate"])

    def test_a_token_expires_on_the_sandbox_clock(self):
        self.limits(tokenSeconds=60)
        self.assertEqual(self.tandem.ask_token().json["expires_in"], 60)
        self.get("WhoAmI")
        self.sandbox.control("clock", {"advanceSeconds": 61})
        self.assertEqual(self.tandem.call("GET", "WhoAmI").status, 401)

    def test_a_token_without_an_application_user(self):
        answer = self.user("stranger").call("GET", "WhoAmI")
        self.assertRefused(answer, 403, "0x80072560", "not a member of the organization")


class Rows(DataverseCase):
    def test_create_and_retrieve(self):
        row = self.create(firstname="Ann", lastname="Okoro", emailaddress1="ann@fabrikam.example", donotbulkemail=False,
                          preferredcontactmethodcode=2, birthdate="1990-05-17", annualincome=125000)
        got = self.tandem.call("GET", f"contacts({row})?$select=fullname,annualincome,birthdate,donotphone,statecode,"
                               "statuscode,createdon,modifiedon,versionnumber,_ownerid_value,_modifiedby_value,jobtitle")
        self.assertEqual(got.status, 200)
        value = got.json
        self.assertEqual(list(value)[:3], ["@odata.context", "@odata.etag", "fullname"])
        self.assertEqual(value["@odata.context"],
                         self.tandem.origin + API + "$metadata#contacts(fullname,annualincome,birthdate,donotphone,statecode,"
                         "statuscode,createdon,modifiedon,versionnumber,_ownerid_value,_modifiedby_value,jobtitle)/$entity")
        self.assertEqual(got.headers["etag"], value["@odata.etag"])
        self.assertEqual(value["@odata.etag"], 'W/"%d"' % value["versionnumber"])
        self.assertIn('"annualincome":125000.0000,', got.text)
        self.assertEqual((value["fullname"], value["birthdate"], value["donotphone"], value["jobtitle"]),
                         ("Ann Okoro", "1990-05-17", False, None))
        self.assertEqual((value["statecode"], value["statuscode"], value["contactid"]), (0, 1, row))
        self.assertRegex(value["createdon"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        me = self.get("WhoAmI")["UserId"]
        self.assertEqual((value["_ownerid_value"], value["_modifiedby_value"]), (me, me))
        self.assertIn("_transactioncurrencyid_value", value)  # comes with money, unasked

    def test_create_with_representation(self):
        answer = self.tandem.call("POST", "leads?$select=leadid,subject", {"lastname": "Iversen", "subject": "Hi"},
                                  Prefer="return=representation")
        self.assertEqual(answer.status, 201)
        self.assertEqual(answer.headers["preference-applied"], "return=representation")
        self.assertEqual(answer.headers["etag"], answer.json["@odata.etag"])
        self.assertEqual(answer.json["subject"], "Hi")
        self.assertNotIn("lastname", answer.json)

    def test_an_identifier_of_our_own(self):
        self.assertEqual(self.create(contactid=ABSENT, lastname="Own"), ABSENT)
        self.assertRefused(self.tandem.call("POST", "contacts", {"contactid": ABSENT, "lastname": "Twice"}), 412,
                           "0x80040237", "A record with matching key values already exists.")
        self.assertEqual(self.get(f"contacts({ABSENT})?$select=lastname")["lastname"], "Own")

    def test_absent_and_malformed(self):
        self.assertRefused(self.tandem.call("GET", f"contacts({ABSENT})"), 404, "0x80040217",
                           f"contact With Id = {ABSENT} Does Not Exist")
        self.assertRefused(self.tandem.call("GET", "contacts(nonsense)"), 400, "0x80060888")
        self.assertRefused(self.tandem.call("GET", "contact"), 404, "0x80060888",
                           "Resource not found for the segment 'contact'.")
        self.assertRefused(self.tandem.call("PUT", "contacts", {}), 405, "0x80060888")
        self.assertRefused(self.tandem.call("GET", f"contacts({self.create(lastname='x')})?$select=ownerid"), 400,
                           "0x80060888", "Could not find a property named 'ownerid' on type 'Microsoft.Dynamics.CRM.contact'.")
        self.assertEqual(self.tandem.listener.call("GET", "/elsewhere").status, 404)

    def test_patch_with_each_condition(self):
        body = {"lastname": "Patched"}
        here = f"contacts({self.create(lastname='Here')})"
        there = f"contacts({ABSENT})"
        self.assertRefused(self.tandem.call("PATCH", there, body, If_Match="*"), 404, "0x80040217")
        self.assertRefused(self.tandem.call("PATCH", there, body, If_Match='W/"7"'), 404, "0x80040217")
        self.assertRefused(self.tandem.call("GET", there), 404, "0x80040217")
        self.assertRefused(self.tandem.call("PATCH", here, body, If_None_Match="*"), 412, "0x80040237")
        tag = self.get(here)["@odata.etag"]
        self.assertEqual(self.tandem.call("PATCH", here, body, If_Match=tag).status, 204)
        self.assertRefused(self.tandem.call("PATCH", here, body, If_Match=tag), 412, "0x80060882",
                           "The version of the existing record doesn't match the RowVersion property provided.")
        self.assertEqual(self.tandem.call("PATCH", here, body, If_Match="*", If_None_Match="null").status, 204)
        answer = self.tandem.call("PATCH", here + "?$select=versionnumber", body, If_Match="*",
                                  Prefer="return=representation")
        self.assertEqual((answer.status, answer.json["@odata.etag"]), (200, 'W/"%d"' % answer.json["versionnumber"]))
        answer = self.tandem.call("PATCH", there, body, If_None_Match="*")
        self.assertEqual(answer.status, 204)
        self.assertTrue(answer.headers["odata-entityid"].endswith(there))
        self.assertEqual(self.tandem.call("DELETE", there).status, 204)
        answer = self.tandem.call("PATCH", there, body, Prefer="return=representation")
        self.assertEqual((answer.status, answer.json["contactid"]), (201, ABSENT))

    def test_a_write_without_a_difference_is_a_write(self):
        row = f"contacts({self.create(lastname='Same')})?$select=versionnumber,modifiedon"
        before = self.get(row)
        self.sandbox.control("clock", {"advanceSeconds": 5})
        self.tandem.token = None
        self.patch(row, lastname="Same")
        after = self.get(row)
        self.assertGreater(after["versionnumber"], before["versionnumber"])
        self.assertGreater(after["modifiedon"], before["modifiedon"])

    def test_who_wrote_last(self):
        seller = self.user("seller")
        row = f"contacts({self.create(lastname='x')})"
        self.patch(row, by=seller, lastname="y")
        got = self.get(row + "?$select=_modifiedby_value,_createdby_value,_ownerid_value")
        me, other = self.get("WhoAmI")["UserId"], self.get("WhoAmI", by=seller)["UserId"]
        self.assertEqual((got["_modifiedby_value"], got["_createdby_value"], got["_ownerid_value"]), (other, me, me))

    def test_delete(self):
        row = f"contacts({self.create(lastname='x')})"
        self.assertRefused(self.tandem.call("DELETE", row, If_Match='W/"1"'), 412, "0x80060882")
        self.assertEqual(self.tandem.call("DELETE", row).status, 204)
        self.assertRefused(self.tandem.call("DELETE", row), 404, "0x80040217")

    def test_conditional_get(self):
        row = f"contacts({self.create(lastname='x')})"
        tag = self.get(row)["@odata.etag"]
        answer = self.tandem.call("GET", row, If_None_Match=tag)
        self.assertEqual((answer.status, answer.body), (304, b""))
        self.assertEqual(self.tandem.call("GET", row, If_None_Match=tag, Prefer='odata.include-annotations="*"').status, 200)
        self.patch(row, lastname="y")
        self.assertEqual(self.tandem.call("GET", row, If_None_Match=tag).status, 200)

    def test_single_property(self):
        row = f"contacts({self.create(lastname='x')})"
        self.assertEqual(self.get(row + "/lastname")["value"], "x")
        self.assertEqual(self.tandem.call("GET", row + "/lastname/$value").text, "x")
        self.assertEqual(self.tandem.call("GET", row + "/jobtitle").status, 204)
        self.assertEqual(self.tandem.call("PUT", row + "/jobtitle", {"value": "CTO"}).status, 204)
        self.assertEqual(self.get(row + "/jobtitle")["value"], "CTO")
        self.assertEqual(self.tandem.call("DELETE", row + "/jobtitle").status, 204)
        self.assertEqual(self.tandem.call("GET", row + "/jobtitle").status, 204)
        self.assertRefused(self.tandem.call("GET", row + "/nonsense"), 404, "0x80060888")

    def test_alternate_key(self):
        key = "contacts(new_marketoid='884213')"
        self.assertRefused(self.tandem.call("PATCH", key, {"lastname": "x"}, If_Match="*"), 404, "0x80060891")
        answer = self.tandem.call("PATCH", key, {"lastname": "Made"})
        self.assertEqual(answer.status, 204)
        self.assertEqual(answer.headers["odata-entityid"], self.tandem.origin + API + key)
        answer = self.tandem.call("PATCH", key + "?$select=contactid,lastname,new_marketoid",
                                  {"lastname": "Found", "new_marketoid": "other"}, Prefer="return=representation")
        self.assertEqual((answer.status, answer.json["lastname"], answer.json["new_marketoid"]), (200, "Found", "884213"))
        self.assertRefused(self.tandem.call("POST", "contacts", {"new_marketoid": "884213"}), 412, "0x80060892",
                           "A record with the same value for Marketo Id already exists.")
        self.create("leads", new_marketoid="884213")  # a key belongs to its table
        other = self.create(lastname="Other")
        self.assertRefused(self.tandem.call("PATCH", f"contacts({other})", {"new_marketoid": "884213"}), 412, "0x80060892")
        self.assertRefused(self.tandem.call("GET", "accounts(name='x')"), 400, "0x80060890")
        self.assertRefused(self.tandem.call("GET", "contacts(new_marketoid='a%2Bb')"), 400, "0x80060888")
        self.assertEqual(self.tandem.call("DELETE", key).status, 204)
        self.patch(f"contacts({other})", new_marketoid="884213")

    def test_lookups(self):
        account = self.create("accounts", name="Fabrikam AS")
        parent = self.create(lastname="Boss", new_marketoid="5")
        row = self.create(lastname="x", parentcustomerid_account__bind=f"/accounts({account})")
        select = f"contacts({row})?$select=_parentcustomerid_value,_ownerid_value"
        wanted = 'odata.include-annotations="Microsoft.Dynamics.CRM.*,OData.Community.Display.V1.FormattedValue"'
        got = self.get(select, Prefer=wanted)
        self.assertEqual(got["_parentcustomerid_value"], account)
        self.assertEqual(got["_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"], "account")
        self.assertEqual(got["_parentcustomerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"],
                         "parentcustomerid_account")
        self.assertEqual(got["_parentcustomerid_value@OData.Community.Display.V1.FormattedValue"], "Fabrikam AS")
        self.assertEqual(got["_ownerid_value@OData.Community.Display.V1.FormattedValue"], "Tandem Service")
        for address in (f"contacts({parent})", f"{self.tandem.origin}{API}contacts({parent})", "/contacts(new_marketoid='5')"):
            answer = self.tandem.call("PATCH", f"contacts({row})", {"parentcustomerid_contact@odata.bind": address})
            self.assertEqual(answer.status, 204, answer.text)
            got = self.get(select, Prefer=wanted)
            self.assertEqual(got["_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"], "contact")
        for body in ({"parentcustomerid_contact@odata.bind": None}, {"parentcustomerid_account": None}):
            self.assertEqual(self.tandem.call("PATCH", f"contacts({row})", body).status, 204)
            self.assertIsNone(self.get(select)["_parentcustomerid_value"])
        self.assertRefused(self.tandem.call("PATCH", f"contacts({row})", {"parentcustomerid_account@odata.bind": f"/accounts({ABSENT})"}),
                           404, "0x80040217", f"account With Id = {ABSENT} Does Not Exist")
        self.assertRefused(self.tandem.call("PATCH", f"contacts({row})", {"parentcustomerid@odata.bind": f"/accounts({account})"}),
                           400, "0x80048d19", "An undeclared property 'parentcustomerid' which only has property annotations")
        self.assertRefused(self.tandem.call("PATCH", f"contacts({row})", {"parentcustomerid_account@odata.bind": f"/contacts({row})"}),
                           400, "0x80048d19")

    def test_owner(self):
        users = {user["domainname"]: user for user in self.rows("systemusers?$select=domainname,isdisabled,applicationid")}
        teams = self.rows("teams?$select=name")
        row = self.create(lastname="x", ownerid__bind=f"/systemusers({users['erin.vale@sales.example.org']['systemuserid']})")
        select = f"contacts({row})?$select=_ownerid_value,_owninguser_value,_owningteam_value"
        self.assertEqual(self.get(select)["_owninguser_value"], users["erin.vale@sales.example.org"]["systemuserid"])
        self.patch(f"contacts({row})", **{"ownerid@odata.bind": f"/teams({teams[0]['teamid']})"})
        got = self.get(select)
        self.assertEqual((got["_owninguser_value"], got["_owningteam_value"]), (None, teams[0]["teamid"]))
        gone = users["gone.away@sales.example.org"]
        self.assertTrue(gone["isdisabled"])
        self.assertRefused(self.tandem.call("PATCH", f"contacts({row})",
                                            {"ownerid@odata.bind": f"/systemusers({gone['systemuserid']})"}), 400, "0x8004022b")
        me = self.rows(f"systemusers?$select=systemuserid&$filter=applicationid eq {self.tandem.user['clientId']}")
        self.assertEqual(me[0]["systemuserid"], self.get("WhoAmI")["UserId"])

    def test_state_and_status(self):
        row = f"contacts({self.create(lastname='x')})"
        state = row + "?$select=statecode,statuscode,versionnumber"
        self.patch(row, statecode=1)
        self.assertEqual([self.get(state)[name] for name in ("statecode", "statuscode")], [1, 2])
        self.patch(row, statecode=0, statuscode=1)
        self.assertRefused(self.tandem.call("PATCH", row, {"statuscode": 2}), 400, "0x80048408",
                           "2 is not a valid status code for state code ContactState.Active on contact with Id ")
        self.assertRefused(self.tandem.call("POST", "contacts", {"lastname": "x", "statecode": 1}), 400, "0x80048408")
        lead = f"leads({self.create('leads', lastname='y', statecode=2, statuscode=5)})"
        self.assertEqual(self.get(lead + "?$select=statecode,statuscode")["statuscode"], 5)
        before = self.get(state)["versionnumber"]
        self.patch(row, statecode=1, jobtitle="CTO")
        self.assertGreater(self.get(state)["versionnumber"], before + 1)

    def test_read_only_columns_are_ignored(self):
        row = self.create(lastname="x", fullname="Somebody Else", createdon="2001-01-01T00:00:00Z", versionnumber=1,
                          overriddencreatedon="2003-04-05T06:07:08Z", merged=True)
        got = self.get(f"contacts({row})?$select=fullname,createdon,merged")
        self.assertEqual((got["fullname"], got["createdon"], got["merged"]), ("x", "2003-04-05T06:07:08Z", False))

    def test_unknown_paths_and_verbs_in_the_service_root(self):
        self.assertIn("contacts", [s["name"] for s in self.rows("")])
        self.assertEqual(self.tandem.call("GET", "/api/data/v9.0/WhoAmI").status, 200)
        self.assertRefused(self.tandem.call("GET", "Nonsense"), 404, "0x80060888")
        self.assertRefused(self.tandem.call("GET", "contacts(new_marketoid='%CA%20')"), 400, "0x80060888", "UTF-8")
        self.assertRefused(self.tandem.call("GET", "contacts?$select=lastname&@x=" + "y" * 32768), 414, "0x80060888")
        answer, parts = self.tandem.batch(request_part("GET", "contacts?$select=lastname&@x=" + "y" * 32768))
        self.assertEqual((answer.status, parts[0].status), (200, 200))


class Values(DataverseCase):
    def refused(self, code, text, table="contacts", **body):
        error = self.assertRefused(self.tandem.call("POST", table, body), 400, code)
        self.assertIn(text, error["message"])

    def kept(self, table="contacts", **body):
        row = self.create(table, **body)
        got = self.get(f"{table}({row})?$select={','.join(body)}")
        return [got[name] for name in body]

    def test_lengths_are_counted_in_utf_16_units(self):
        text = "A validation error occurred.  The length of the 'lastname' attribute of the 'contact' entity exceeded the " \
               "maximum allowed length of '50'."
        self.refused("0x80044331", text, lastname="x" * 51)
        self.refused("0x80044331", text, lastname="\U0001f600" * 26)
        self.assertEqual(self.kept(lastname="\U0001f600" * 25), ["\U0001f600" * 25])
        self.assertEqual(self.kept(lastname="ю" * 50), ["ю" * 50])
        self.refused("0x80044331", "'mobilephone' attribute of the 'lead' entity exceeded the maximum allowed length of '20'",
                     "leads", mobilephone="1" * 21)
        self.refused("0x80044331", "'description'", description="x" * 2001)

    def test_ranges_and_options(self):
        self.refused("0x8004432f", "'numberofchildren'", numberofchildren=1000000001)
        self.refused("0x80044330", "'annualincome'", annualincome=-1)
        self.refused("0x80044330", "'address1_latitude'", address1_latitude=91)
        self.refused("0x8004431a", "The value 9 of 'gendercode' on record of type 'contact' is outside the valid range. "
                     "Accepted Values: 1,2", gendercode=9)
        self.assertEqual(self.kept(gendercode=2, numberofchildren=3, address1_latitude=59.123456), [2, 3, 59.12346])

    def test_types(self):
        for body, edm in (({"numberofchildren": "abc"}, "Int32"), ({"numberofchildren": 1.5}, "Int32"), ({"lastname": 5}, "String"),
                          ({"donotphone": "true"}, "Boolean"), ({"birthdate": "1990-05-17T00:00:00Z"}, "Date"),
                          ({"lastonholdtime": "1990-05-17"}, "DateTimeOffset"), ({"annualincome": "5"}, "Decimal"),
                          ({"gendercode": "1"}, "Int32"), ({"address1_addressid": "x"}, "Guid")):
            self.refused("0x80048d19", f"to the expected type 'Edm.{edm}'.", **body)
        self.refused("0x80048d19", "Invalid property 'nickname2' was found in entity 'Microsoft.Dynamics.CRM.contact'.",
                     nickname2="x")
        answer = self.tandem.call("POST", "contacts", "{broken", Content_Type="application/json")
        self.assertRefused(answer, 400, "0x80048d19")

    def test_dates(self):
        self.refused("0x80040239", "Minimum value supported: 01/01/1753", birthdate="1752-12-31")
        self.refused("0x80040239", "Minimum", lastonholdtime="1752-12-31T23:59:59Z")
        self.assertEqual(self.kept(birthdate="1753-01-01"), ["1753-01-01"])
        self.assertEqual(self.kept(lastonholdtime="2026-03-02T10:14:07.9+01:00"), ["2026-03-02T09:14:07Z"])
        self.assertEqual(self.kept(lastonholdtime="2026-03-02T09:14:07"), ["2026-03-02T09:14:07Z"])
        self.refused("0x80048d19", "Edm.Date", birthdate="2026-02-30")

    def test_empty_is_null_and_a_flag_is_never_null(self):
        self.assertEqual(self.kept(jobtitle=""), [None])
        row = f"contacts({self.create(jobtitle='CTO', donotphone=True, numberofchildren=2, birthdate='1990-05-17')})"
        self.patch(row, jobtitle=None, numberofchildren=None, birthdate=None, donotphone=None)
        got = self.get(row + "?$select=jobtitle,numberofchildren,birthdate,donotphone,followemail")
        self.assertEqual([got[n] for n in ("jobtitle", "numberofchildren", "birthdate", "donotphone", "followemail")],
                         [None, None, None, False, True])

    def test_money_and_computed_columns(self):
        answer = self.tandem.call("POST", "leads?$select=revenue,revenue_base,exchangerate,estimatedvalue",
                                  {"revenue": 1234.567, "estimatedvalue": 2.5}, Prefer="return=representation")
        self.assertIn('"revenue":1234.5700,"revenue_base":1234.5700,"exchangerate":1.0000000000,"estimatedvalue":2.5', answer.text)
        self.assertEqual(self.kept(annualincome=100000000000000)[0], 100000000000000)
        row = f"contacts({self.create(address1_line1='1 Road', address1_city='Oslo', address1_postalcode='0150')})"
        self.assertEqual(self.get(row + "?$select=address1_city")["address1_composite"], "1 Road\r\nOslo 0150")
        got = self.get(row + "?$select=gendercode,donotphone,createdon", Prefer='odata.include-annotations="*"')
        self.assertEqual(got["donotphone@OData.Community.Display.V1.FormattedValue"], "Allow")

    def test_plug_in_metadata_and_dropped_columns(self):
        self.limits(plugin={"reject": {"table": "contact", "column": "lastname", "equals": "Forbidden", "message": "No such name"}})
        self.refused("0x80040265", "No such name", lastname="Forbidden")
        self.create(lastname="Allowed")
        self.limits(maxLength={"contact.lastname": 20}, dropColumn=["contact.fax"])
        self.refused("0x80044331", "of '20'", lastname="x" * 21)
        self.refused("0x80048d19", "Invalid property 'fax'", fax="1")
        self.assertRefused(self.tandem.call("GET", "contacts?$select=fax"), 400, "0x80060888", "'fax'")
        answer = self.sandbox.marketo.call("POST", "/_sandbox/limits", {"dynamics": {"nonsense": 1}})
        self.assertEqual(answer.status, 400)
        self.assertIn("nonsense", answer.text)


class Queries(DataverseCase):
    def setUp(self):
        super().setUp()
        self.account = self.create("accounts", name="Fabrikam")
        for n, (first, last) in enumerate((("Ann", "Okoro"), ("Bo", "Iversen"), ("Cy", "O'Neil"), ("Åse", "Ünal"), ("Éva", None))):
            self.create(firstname=first, lastname=last, emailaddress1=f"{first.lower()}@fabrikam.example", numberofchildren=n,
                        donotphone=n % 2 == 1, birthdate=f"199{n}-05-17", new_marketoid=str(100 + n),
                        **({"parentcustomerid_account__bind": f"accounts({self.account})"} if n < 2 else {}))

    def names(self, condition, **headers):
        return "".join(row["firstname"][0] for row in self.rows("contacts?$select=firstname&$filter=" + condition, **headers))

    def test_a_page_is_5000_rows_at_most(self):
        self.sandbox.control("seed", {"contacts": 5001 - 5, "seed": 3})
        for prefer in ({}, {"Prefer": "odata.maxpagesize=9000"}):
            page = self.get("contacts?$select=lastname", **prefer)
            self.assertEqual(len(page["value"]), 5000)
            rest = self.get(page["@odata.nextLink"], **prefer)
            self.assertEqual((len(rest["value"]), "@odata.nextLink" in rest), (1, False))

    def test_filters(self):
        for condition, expected in (
                ("lastname eq 'okoro'", "A"), ("lastname eq 'O''Neil'", "C"), ("lastname eq null", "É"), ("lastname ne null", "ABCÅ"),
                ("lastname ne 'Okoro'", "BCÅÉ"), ("firstname eq 'åSE'", "Å"), ("numberofchildren gt 2", "ÅÉ"),
                ("numberofchildren ge 2 and numberofchildren lt 4", "CÅ"), ("numberofchildren le 0 or firstname eq 'Bo'", "AB"),
                ("not (numberofchildren lt 3)", "ÅÉ"), ("not contains(lastname,'o')", "BÅÉ"), ("donotphone eq true", "BÅ"),
                ("contains(emailaddress1,'@FABRIKAM')", "ABCÅÉ"), ("startswith(firstname,'a')", "A"), ("endswith(lastname,'sen')", "B"),
                ("birthdate ge 1993-01-01", "ÅÉ"), ("createdon gt 2001-01-01T00:00:00Z", "ABCÅÉ"), ("createdon lt 2001-01-01", ""),
                (f"_parentcustomerid_value eq {self.account}", "AB"), ("_parentcustomerid_value eq null", "CÅÉ"),
                ("firstname in ('BO','Cy')", "BC"), ("numberofchildren in (0, 4) and not (firstname in ('Ann'))", "É"),
                ("emailaddress1 eq 'BO@fabrikam.example'", "B"), ("new_marketoid eq '102'", "C"), ("statecode eq 0", "ABCÅÉ"),
                ("emailaddress1 eq 'bo@fabrikam.example' and numberofchildren eq 7", ""),
                ("emailaddress1 eq 'bo@fabrikam.example' or new_marketoid eq '100'", "AB"),
                ("Microsoft.Dynamics.CRM.In(PropertyName='emailaddress1',PropertyValues=[\"CY@fabrikam.example\",\"ann@fabrikam.example\"])", "AC"),
                ("Microsoft.Dynamics.CRM.In(PropertyName='numberofchildren',PropertyValues=[\"1\",\"4\"])", "BÉ"),
                ("Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2)&@p1='new_marketoid'&@p2=[\"103\"]", "Å"),
                ("emailaddress1 eq @e&@e='ann@fabrikam.example'", "A")):
            with self.subTest(condition):
                self.assertEqual(self.names(condition), expected)

    def test_a_row_by_its_identifier(self):
        rows = self.rows("contacts?$select=firstname&$orderby=firstname")
        ids = [row["contactid"] for row in rows]
        self.assertEqual(self.names(f"contactid eq {ids[0]}"), rows[0]["firstname"][0])
        listed = ",".join(f'"{i}"' for i in ids[:2] + [ABSENT, ids[0]])
        self.assertEqual(len(self.names(f"Microsoft.Dynamics.CRM.In(PropertyName='contactid',PropertyValues=[{listed}])")), 2)

    def test_wrong_queries(self):
        for query, status, text in (("$select=nonsense", 400, "'nonsense'"), ("$filter=nonsense eq 1", 400, "'nonsense'"),
                                    ("$filter=lastname eq", 400, "Syntax error"), ("$filter=numberofchildren eq 'a'", 400, "incompatible"),
                                    ("$orderby=nonsense", 400, "'nonsense'"), ("$skip=1", 501, "$skip"), ("$search=x", 501, "$search"),
                                    ("$apply=x", 501, "$apply"), ("$format=json", 501, "$format"), ("fetchXml=x", 501, "fetchXml"),
                                    ("$expand=x", 400, "'x'"), ("$top=x", 400, "$top"), ("$skiptoken=zz", 400, "cookie")):
            with self.subTest(query):
                self.assertRefused(self.tandem.call("GET", "contacts?" + query), status, "0x80060888", text)
        many = " or ".join(["numberofchildren eq 1"] * 501)
        self.assertRefused(self.tandem.call("GET", "contacts?$filter=" + many), 400, "0x8004430c")

    def test_order_top_and_count(self):
        self.assertEqual([row["firstname"] for row in self.rows("contacts?$select=firstname&$orderby=numberofchildren desc&$top=2")],
                         ["Éva", "Åse"])
        self.assertEqual(self.rows("contacts?$select=lastname&$orderby=lastname asc,firstname desc")[0]["lastname"], None)
        got = self.get("contacts?$select=firstname&$top=1&$count=true&$filter=numberofchildren gt 1")
        self.assertEqual((got["@odata.count"], len(got["value"])), (3, 1))
        self.assertNotIn("@odata.nextLink", got)
        answer = self.tandem.call("GET", "contacts/$count?$filter=numberofchildren gt 1")
        self.assertEqual(answer.body, b"\xef\xbb\xbf3")
        self.assertEqual(answer.headers["content-type"], "text/plain")

    def test_order_by_version(self):
        first = self.rows("contacts?$select=firstname,versionnumber&$orderby=versionnumber desc&$top=1")[0]
        self.assertEqual(first["firstname"], "Éva")
        row = self.rows("contacts?$select=firstname&$filter=firstname eq 'Ann'")[0]["contactid"]
        self.patch(f"contacts({row})", jobtitle="CTO")
        changed = self.rows(f"contacts?$select=firstname&$filter=versionnumber gt {first['versionnumber']}&$orderby=versionnumber asc")
        self.assertEqual([row["firstname"] for row in changed], ["Ann"])
        seen, link = [], "contacts?$select=firstname&$orderby=versionnumber asc"
        while link:
            page = self.get(link, Prefer="odata.maxpagesize=2")
            seen += [row["firstname"] for row in page["value"]]
            link = page.get("@odata.nextLink")
        self.assertEqual(seen, ["Bo", "Cy", "Åse", "Éva", "Ann"])

    def test_pages(self):
        for query in ("$select=firstname", "$select=firstname&$orderby=firstname", "$select=firstname&$filter=contains(emailaddress1,'fabrikam')"):
            with self.subTest(query):
                answer = self.tandem.call("GET", "contacts?" + query + "&$top=1", Prefer="odata.maxpagesize=2")
                self.assertEqual(answer.headers["preference-applied"], "odata.maxpagesize=2")
                seen, pages = list(answer.json["value"]), 1
                while "@odata.nextLink" in answer.json:
                    self.assertIn("$skiptoken=%3Ccookie%20pagenumber=%22", answer.json["@odata.nextLink"])
                    answer = self.tandem.call("GET", answer.json["@odata.nextLink"], Prefer="odata.maxpagesize=2")
                    self.assertEqual(answer.status, 200, answer.text)
                    seen, pages = seen + answer.json["value"], pages + 1
                self.assertEqual((len(seen), len({row["contactid"] for row in seen}), pages), (5, 5, 3))

    def test_everything_when_nothing_is_selected(self):
        row = self.rows("contacts")[0]
        self.assertGreater(len(row), 150)
        self.assertIn("new_marketoid", row)
        self.assertIn("mkt_lastinterestingmomentdate", row)


class Rights(DataverseCase):
    def test_privileges(self):
        for name, depth in (("tandem", "Global"), ("clerk", "Basic"), ("reader", "Global")):
            user = self.user(name)
            me = self.get("WhoAmI", by=user)["UserId"]
            got = self.get(f"systemusers({me})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()", by=user)["RolePrivileges"]
            by_name = {privilege["PrivilegeName"]: privilege for privilege in got}
            self.assertEqual(by_name["prvReadContact"]["Depth"], depth)
            self.assertEqual("prvWriteContact" in by_name, name != "reader")
            self.assertEqual(by_name["prvReadUser"]["Depth"], "Global")

    def test_a_reader_may_not_write(self):
        reader = self.user("reader")
        row = self.create(lastname="x")
        for method, path, body in (("POST", "contacts", {"lastname": "y"}), ("PATCH", f"contacts({row})", {"lastname": "y"}),
                                   ("PATCH", f"contacts({ABSENT})", {"lastname": "y"}), ("DELETE", f"contacts({row})", None)):
            error = self.assertRefused(reader.call(method, path, body), 403, "0x80040220")
            self.assertRegex(error["message"], r"is missing prv\w+Contact privilege \(Id=.*\) on OTC=2 for entity 'contact'")
        self.assertEqual(self.get(f"contacts({row})?$select=lastname", by=reader)["lastname"], "x")

    def test_a_clerk_reaches_own_rows_only(self):
        clerk = self.user("clerk")
        theirs, own = self.create(lastname="theirs"), self.create(by=clerk, lastname="own")
        error = self.assertRefused(clerk.call("GET", f"contacts({theirs})"), 403, "0x80048306")
        self.assertIn(f"does not have ReadAccess right(s) for record with id {theirs} of entity contact", error["message"])
        self.assertRefused(clerk.call("PATCH", f"contacts({theirs})", {"lastname": "y"}), 403, "0x80048306", "WriteAccess")
        self.assertEqual([row["lastname"] for row in self.get("contacts?$select=lastname", by=clerk)["value"]], ["own"])
        self.patch(f"contacts({own})", by=clerk, lastname="changed")
        self.assertRefused(clerk.call("GET", "accounts"), 403, "0x80040220", "prvReadAccount")
        error = self.assertRefused(clerk.call("GET", "contacts?$select=lastname", Prefer="odata.track-changes"), 403, "0x80040220")
        self.assertRegex(error["message"], r"^SecLib::CheckPrivilege failed. User: .*, PrivilegeName: prvReadContact, PrivilegeId: .*, "
                         r"Required Depth: Global, BusinessUnitId: ")

    def attribute_privileges(self, user):
        me = self.get("WhoAmI", by=user)["UserId"]
        found = self.get(f"systemusers({me})/Microsoft.Dynamics.CRM.RetrievePrincipalAttributePrivileges()", by=user)
        return {p["AttributeId"]: (p["CanRead"], p["CanCreate"], p["CanUpdate"]) for p in found["AttributePrivileges"]}

    def test_secured_columns(self):
        narrow = self.user("narrow")
        row = self.create(lastname="x", jobtitle="CTO")
        self.limits(secured={"contact": ["jobtitle"]})
        column = self.rows("EntityDefinitions(LogicalName='contact')/Attributes?$select=IsSecured&$filter=LogicalName eq 'jobtitle'")[0]
        self.assertTrue(column["IsSecured"])
        self.assertEqual(self.attribute_privileges(self.tandem), {column["MetadataId"]: (4, 4, 4)})
        self.assertEqual(self.attribute_privileges(narrow), {})
        select = f"contacts({row})?$select=jobtitle,lastname"
        self.assertEqual(self.get(select)["jobtitle"], "CTO")
        self.assertIsNone(self.get(select, by=narrow)["jobtitle"])
        self.assertRefused(narrow.call("PATCH", f"contacts({row})", {"jobtitle": "y"}), 403, "0x8004f507",
                           "does not have update permissions to a Job Title secured field on entity contact.")
        self.assertRefused(narrow.call("POST", "contacts", {"jobtitle": "y"}), 403, "0x8004f502")
        self.assertRefused(narrow.call("GET", "contacts?$filter=jobtitle eq 'CTO'"), 403, "0x8004f506")
        self.assertRefused(narrow.call("GET", "contacts?$orderby=jobtitle"), 403, "0x8004f506")
        self.patch(f"contacts({row})", by=narrow, lastname="y")
        self.limits(denied={"tandem": {"contact": ["jobtitle"]}})
        self.assertIsNone(self.get(select)["jobtitle"])
        self.assertEqual(self.attribute_privileges(self.tandem), {column["MetadataId"]: (0, 0, 0)})
        self.limits(secured={})
        self.assertEqual(self.get(select)["jobtitle"], "CTO")


class Limits(DataverseCase):
    def test_headers(self):
        answer = self.tandem.call("GET", "WhoAmI")
        self.assertEqual(answer.headers["x-ms-ratelimit-burst-remaining-xrm-requests"], "5999")
        self.assertRegex(answer.headers["x-ms-ratelimit-time-remaining-xrm-requests"], r"^1,\d{3}\.\d\d$")
        self.assertRegex(answer.headers["x-ms-dop-hint"], r"^\d+$")
        self.assertRegex(answer.headers["x-ms-service-request-id"], r"^[0-9a-f-]{36}$")
        self.limits(dopHint=9)
        self.assertEqual(self.tandem.call("GET", "WhoAmI").headers["x-ms-dop-hint"], "9")

    def test_requests(self):
        self.limits(enforce=True, requests=3, windowSeconds=60)
        seller = self.user("seller")
        self.assertEqual([self.tandem.call("GET", "WhoAmI").status for _ in range(4)], [200, 200, 200, 429])
        answer = self.tandem.call("GET", "WhoAmI")
        self.assertRefused(answer, 429, "0x80072322", "Number of requests exceeded the limit of 3 over time window of 60 seconds.")
        wait = int(answer.headers["retry-after"])
        self.assertTrue(50 <= wait <= 61, wait)
        self.assertEqual(seller.call("GET", "WhoAmI").status, 200)
        self.sandbox.control("clock", {"advanceSeconds": wait})
        self.assertEqual(self.tandem.call("GET", "WhoAmI").status, 200)

    def test_execution_time(self):
        self.limits(enforce=True, executionMs=25, operationMs=20, windowSeconds=60)
        self.assertEqual([self.tandem.call("GET", "WhoAmI").status for _ in range(3)], [200, 200, 429])
        answer = self.tandem.call("GET", "WhoAmI")
        self.assertRefused(answer, 429, "0x80072321", "Combined execution time of incoming requests exceeded limit of 25 milliseconds")
        self.assertIn("retry-after", answer.headers)

    def test_concurrency(self):
        self.limits(enforce=True, concurrent=1, operationMs=300)
        other = self.user("tandem")
        other.token = self.tandem.ask_token().json["access_token"]
        statuses = []
        thread = threading.Thread(target=lambda: statuses.append(other.call("GET", "WhoAmI").status))
        thread.start()
        answer = None
        for _ in range(50):
            answer = self.tandem.call("GET", "WhoAmI")
            if answer.status == 429:
                break
            if not thread.is_alive():
                thread = threading.Thread(target=lambda: statuses.append(other.call("GET", "WhoAmI").status))
                thread.start()
        thread.join()
        self.assertRefused(answer, 429, "0x80072326", "Number of concurrent requests exceeded the limit of 1.")
        self.assertEqual(answer.headers["retry-after"], "1")

    def test_not_enforced_by_default(self):
        self.limits(requests=1)
        self.assertEqual([self.tandem.call("GET", "WhoAmI").status for _ in range(3)], [200] * 3)

    def test_calls_are_counted(self):
        row = self.create(lastname="x")
        self.sandbox.control("calls/reset", {})
        self.get(f"contacts({row})")
        self.get("contacts?$select=lastname")
        self.tandem.call("GET", f"contacts({ABSENT})")
        counted = {(c["user"], c["endpoint"]): (c["count"], c["records"]) for c in self.sandbox.control("calls")["dynamics"]}
        self.assertEqual(counted, {("tandem", "GET /api/data/v9.2/contacts({key})"): (2, 1),
                                   ("tandem", "GET /api/data/v9.2/contacts"): (1, 1)})

    def test_errors_with_annotations(self):
        answer = self.tandem.call("GET", f"contacts({ABSENT})", Prefer='odata.include-annotations="*"')
        error = self.assertRefused(answer, 404, "0x80040217")
        self.assertIn("@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus", error)
        self.assertEqual(list(self.tandem.call("GET", f"contacts({ABSENT})").json["error"]), ["code", "message"])
        self.assertEqual(json.loads(answer.text)["error"]["code"], "0x80040217")


if __name__ == "__main__":
    unittest.main()
