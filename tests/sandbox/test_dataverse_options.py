"""The Dynamics side: nothing asked for is passed over. Options, headers, functions and paths that are not imitated; those that are."""

import urllib.parse

from dataverse_case import ABSENT, API, FORM, DataverseCase, change_set, multipart, request_part

TRACK = "odata.track-changes"


class NotOffered(DataverseCase):
    def setUp(self):
        super().setUp()
        self.account = self.create("accounts", name="Works")
        self.row = self.create(lastname="a", parentcustomerid_account__bind=f"/accounts({self.account})")

    def assertEach(self, status, code, *calls):
        """Calls: method, path, part of the text, and perhaps a body and headers."""
        for method, path, text, *rest in calls:
            with self.subTest(f"{method} {path}"):
                body, headers = (rest + [None, {}])[:2] if len(rest) < 2 else rest
                self.assertRefused(self.tandem.call(method, path, body, **(headers or {})), status, code, text)

    def test_options_of_the_service(self):
        one = f"contacts({self.row})"
        for option in ("$skip=1", "$search=x", "$apply=aggregate($count as c)", "$format=json", "$compute=x", "fetchXml=<fetch/>",
                       f"savedQuery={ABSENT}", f"userQuery={ABSENT}", "partitionId=x", "$schemaversion=1"):
            name = option.partition("=")[0]
            self.assertEach(501, "0x80060888", *((method, f"{path}{option}", f"The query option {name} is not offered here.", body, {})
                            for method, path, body in (
                                ("GET", "contacts?", None), ("GET", "contacts/$count?", None), ("GET", one + "?", None),
                                ("POST", "contacts?", {"lastname": "b"}), ("PATCH", one + "?", {"lastname": "b"}),
                                ("DELETE", one + "?", None), ("GET", one + "/lastname?", None), ("PUT", one + "/lastname?", {"value": "b"}),
                                ("GET", one + "/parentcustomerid_account?", None), ("GET", "WhoAmI?", None), ("GET", "?", None),
                                ("GET", "$metadata?", None), ("GET", "EntityDefinitions?", None),
                                ("GET", "EntityDefinitions(LogicalName='contact')/Attributes?", None),
                                ("POST", "Merge?", {}), ("POST", "contacts/Microsoft.Dynamics.CRM.CreateMultiple?", {"Targets": []}),
                                ("GET", "RetrieveTotalRecordCount(EntityNames=['contact'])?", None))))
        self.assertEqual(self.get(one + "?$select=lastname")["lastname"], "a")

    def test_options_that_do_not_belong(self):
        one = f"contacts({self.row})"
        for option in ("$filter=lastname eq 'x'", "$orderby=lastname", "$top=1", "$count=true", "$skiptoken=x", "$deltatoken=x"):
            self.assertEach(501, "0x80060888", ("GET", f"{one}?{option}", "is not offered here"),
                            ("PATCH", f"{one}?{option}", "is not offered here", {"lastname": "b"}, {}),
                            ("DELETE", f"{one}?{option}", "is not offered here"))
        self.assertEach(501, "0x80060888", ("GET", "contacts/$count?$select=lastname", "$select"),
                        ("GET", "EntityDefinitions?$top=1", "$top"), ("GET", "EntityDefinitions?$orderby=LogicalName", "$orderby"),
                        ("GET", "EntityDefinitions?LabelLanguages=1033", "LabelLanguages"),
                        ("GET", "contacts?$select=lastname&$count=true", "$count", None, {"Prefer": TRACK}),
                        ("GET", "contacts?$select=lastname&$apply=x", "$apply", None, {"Prefer": TRACK}))

    def test_options_nobody_knows(self):
        for path in ("contacts", f"contacts({self.row})", "WhoAmI", "EntityDefinitions"):
            self.assertEach(400, "0x0", ("GET", path + "?utm_source=x", "The query parameter utm_source is not supported"))
        self.assertEqual(self.tandem.call("GET", "contacts?tag=mine&@p=1").status, 200)

    def test_filters(self):
        for condition, text in (("firstname eq lastname", "A comparison of two properties"),
                                ("Microsoft.Dynamics.CRM.LastXHours(PropertyName='createdon',PropertyValue=1)", "The query function"),
                                ("Microsoft.Dynamics.CRM.EqualUserId(PropertyName='ownerid')", "The query function"),
                                ("contact_customer_contacts/any(c:c/lastname eq 'x')", "any, all"),
                                ("contact_customer_contacts/all(c:c/lastname eq 'x')", "any, all")):
            self.assertEach(501, "0x80060888", ("GET", "contacts?$filter=" + condition, text))
            self.assertEach(501, "0x80060888", ("GET", f"contacts?$filter=lastname eq 'a' and ({condition})", text))
        self.assertEach(400, "0x80060888", ("GET", "contacts?$filter=lastname eq", "Syntax error"),
                        ("GET", "contacts?$filter=lastname eq Vale", "Could not find a property named 'Vale'"),
                        ("GET", "contacts?$filter=tolower(lastname) eq 'a'", "Syntax error"),
                        ("GET", "contacts?$filter=lastname eq 'a' xor true", "Syntax error"))

    def test_orders_tops_and_counts(self):
        self.assertEach(400, "0x80060888", ("GET", "contacts?$orderby=lastname sideways", "$orderby"),
                        ("GET", "contacts?$orderby=lastname desc x", "$orderby"), ("GET", "contacts?$top=-1", "$top"),
                        ("GET", "contacts?$top=", "$top"), ("GET", "contacts?$count=yes", "$count"))
        self.assertEqual(self.rows("contacts?$top=0"), [])
        self.assertEach(501, "0x80060888", ("GET", "contacts?$top=5001", "A $top of more than 5000 is not offered here."))
        self.assertEqual(len(self.rows("contacts?$top=5000")), 1)
        self.assertEqual(len(self.rows("contacts?$top=5001", Prefer="odata.maxpagesize=10")), 1)   # which goes before it
        self.assertEqual(len(self.rows("contacts?$orderby=lastname  desc , firstname asc&$count=false")), 1)
        self.assertGreater(len(self.rows("contacts?$select=*")[0]), 150)

    def test_conditions_where_they_have_no_meaning(self):
        one, match = f"contacts({self.row})", {"If-Match": 'W/"1"'}
        self.assertEach(501, "0x80060888", *((method, path, f"The header If-Match is not offered here for {method}.", body, match)
                                             for method, path, body in (("GET", one, None), ("GET", "contacts", None),
                                                                        ("GET", one + "/lastname", None), ("GET", "WhoAmI", None),
                                                                        ("POST", "contacts", {"lastname": "b"}))))
        _, parts = self.tandem.batch(request_part("GET", one, If_Match="*"))
        self.assertEqual((parts[0].status, parts[0].json["error"]["code"]), (501, "0x80060888"))
        self.assertEqual(self.tandem.call("GET", one, If_Match="null").status, 200)
        self.assertEqual(len(self.rows("contacts?$select=lastname")), 1)

    def test_operations(self):
        one = f"contacts({self.row})"
        self.assertEach(501, "0x80060888", ("POST", "BulkDelete", "'BulkDelete'", {}, {}), ("POST", "SetState", "'SetState'", {}, {}),
                        ("GET", "RetrieveMetadataChanges(Query=@p)", "'RetrieveMetadataChanges'"),
                        ("GET", "GlobalOptionSetDefinitions", "'GlobalOptionSetDefinitions'"),
                        ("GET", "RelationshipDefinitions", "'RelationshipDefinitions'"),
                        ("GET", f"accounts({self.account})/contact_customer_accounts/$ref", "collection"),
                        ("GET", f"accounts({self.account})/contact_customer_accounts({self.row})", "collection"),
                        ("GET", f"accounts({self.account})/contact_customer_accounts", "Change tracking", None, {"Prefer": TRACK}),
                        ("GET", f"accounts({self.account})/contact_customer_accounts?$skip=1", "$skip"),
                        ("GET", f"accounts({self.account})?$expand=contact_customer_accounts", "Expanding the collection"),
                        ("GET", one + "/parentcustomerid_account/$ref", "Reading the link"),
                        ("GET", "EntityDefinitions(LogicalName='contact')?$expand=OneToManyRelationships", "OneToManyRelationships"),
                        ("GET", "EntityDefinitions(LogicalName='contact')/Privileges", "Privileges"),
                        ("GET", "EntityDefinitions?$expand=Attributes", "Attributes"),
                        ("GET", "EntityDefinitions(LogicalName='contact')/Attributes?$expand=Nothing", "Nothing"))
        for name in ("roles", "campaigns", "opportunities"):
            self.assertEach(501, "0x80060888", ("GET", name, f"The table of '{name}'"), ("GET", f"{name}({ABSENT})", f"The table of '{name}'"),
                            ("POST", "leads", f"The table of '{name}'", {"campaignid@odata.bind": f"/{name}({ABSENT})"}, {}))
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            self.assertEach(501, "0x80060888", (method, "EntityDefinitions(LogicalName='contact')/Attributes", "Changing definitions", {}, {}))
        self.assertEach(404, "0x80060888", ("POST", "Nonsense", "'Nonsense'", {}, {}),
                        ("POST", one + "/Microsoft.Dynamics.CRM.Nonsense", "Nonsense", {}, {}))

    def test_parameters_of_actions(self):
        lead = f"leads({self.create('leads', lastname='l')})/Microsoft.Dynamics.CRM.QualifyLead"
        body = {"CreateAccount": False, "CreateContact": True, "CreateOpportunity": False, "Status": 3}
        campaign = {"@odata.type": "Microsoft.Dynamics.CRM.campaign", "campaignid": ABSENT}
        self.assertEach(501, "0x80060888", ("POST", lead, "Opportunities", {**body, "CreateOpportunity": True}, {}),
                        ("POST", lead, "SourceCampaignId", {**body, "SourceCampaignId": campaign}, {}),
                        ("POST", lead, "ProcessInstanceId", {**body, "ProcessInstanceId": {"x": 1}}, {}))
        self.assertEach(400, "0x80048d19", ("POST", lead, "'Nothing' in the request payload", {**body, "Nothing": 1}, {}),
                        ("POST", "Merge", "'Nothing' in the request payload", {"Nothing": 1}, {}),
                        ("POST", "contacts/Microsoft.Dynamics.CRM.CreateMultiple", "'Nothing' in the", {"Targets": [], "Nothing": 1}, {}))
        currency = {"@odata.type": "Microsoft.Dynamics.CRM.transactioncurrency", "transactioncurrencyid": ABSENT}
        answer = self.tandem.call("POST", lead, {**body, "OpportunityCurrencyId": currency, "SourceCampaignId": None})
        self.assertEqual(answer.status, 200, answer.text)

    def test_merge_of_rows_with_different_parents(self):
        other = self.create(lastname="b", parentcustomerid_account__bind=f"/accounts({self.create('accounts', name='Other')})")
        kind = "Microsoft.Dynamics.CRM.contact"
        body = {"Target": {"@odata.type": kind, "contactid": self.row}, "Subordinate": {"@odata.type": kind, "contactid": other}}
        self.assertEach(400, "0x80045300", ("POST", "Merge", "parented", {**body, "PerformParentingChecks": True}, {}))
        self.assertEqual(self.tandem.call("POST", "Merge", {**body, "PerformParentingChecks": False}).status, 204)


class Headers(DataverseCase):
    def test_not_offered(self):
        for name in ("MSCRM.SolutionUniqueName", "MSCRM.MergeLabels", "MSCRM.SessionToken"):
            self.assertRefused(self.tandem.call("GET", "WhoAmI", **{name: "x"}), 501, "0x80060888", name)
        row = f"contacts({self.create(lastname='a')})"
        for method, path, body in (("PATCH", row, {"lastname": "b"}), ("DELETE", row, None), ("PUT", row + "/lastname", {"value": "b"})):
            self.assertRefused(self.tandem.call(method, path, body, If_None_Match='W/"1"'), 501, "0x80060888", "If-None-Match")

    def test_formats(self):
        for kind in ("odata.metadata=full", "odata.metadata=none", "IEEE754Compatible=true"):
            self.assertRefused(self.tandem.call("GET", "WhoAmI", Accept="application/json;" + kind), 501, "0x80060888", kind)
        for kind in ("*/*", "application/json", "application/json;odata.metadata=minimal"):
            self.assertEqual(self.tandem.call("GET", "WhoAmI", Accept=kind).status, 200)

    def test_a_body_too_large(self):
        most = 128 * 1024 * 1024
        for size, status in ((most, 400), (most + 1, 413)):   # no JSON, but taken
            answer = self.tandem.call("POST", "contacts", b" " * size, Content_Type="application/json")
            self.assertEqual(answer.status, status)
        self.assertEqual(self.rows("contacts?$select=lastname"), [])

    def test_bypass_needs_a_privilege(self):
        for name, value, privilege in (("MSCRM.BypassBusinessLogicExecution", "CustomSync", "prvBypassCustomBusinessLogic"),
                                       ("MSCRM.BypassBusinessLogicExecutionStepIds", ABSENT, "prvBypassCustomBusinessLogic"),
                                       ("MSCRM.BypassCustomPluginExecution", "true", "prvBypassCustomPlugins"),
                                       ("MSCRM.SuppressCallbackRegistrationExpanderJob", "true", "prvBypassCustomBusinessLogic")):
            body = {"lastname": "a"}
            self.assertRefused(self.user("narrow").call("POST", "contacts", body, **{name: value}), 403, "0x80040220", privilege)
            self.assertEqual(self.tandem.call("POST", "contacts", body, **{name: value}).status, 204)
            reader = self.rows("systemusers?$select=systemuserid&$filter=startswith(domainname,'reader')")[0]["systemuserid"]
            answer = self.tandem.call("GET", "WhoAmI", MSCRMCallerID=reader, **{name: value})
            self.assertRefused(answer, 403, "0x80040220", privilege)
        for name, value in (("MSCRM.BypassBusinessLogicExecution", "Everything"), ("MSCRM.BypassCustomPluginExecution", "yes"),
                            ("MSCRM.BypassBusinessLogicExecutionStepIds", "x"), ("MSCRM.SuppressDuplicateDetection", "x"),
                            ("MSCRM.BypassBusinessLogicExecutionStepIds", ",".join([ABSENT] * 4))):
            self.assertRefused(self.tandem.call("POST", "contacts", {}, **{name: value}), 400, "0x80040203", name)

    def test_bypassed_plug_ins(self):
        self.limits(plugin={"reject": {"table": "contact", "column": "lastname", "equals": "no", "message": "x"},
                            "rewrite": {"table": "contact", "column": "firstname", "as": "upper"},
                            "edit": {"table": "contact", "column": "description", "value": "checked"}})
        shown = {"Prefer": "return=representation"}
        for headers, expected in (({"MSCRM.BypassBusinessLogicExecution": "CustomSync"}, ("ann", "checked")),
                                  ({"MSCRM.BypassCustomPluginExecution": "true"}, ("ann", "checked")),
                                  ({"MSCRM.BypassBusinessLogicExecution": "CustomSync,CustomAsync"}, ("ann", None))):
            answer = self.tandem.call("POST", "contacts?$select=contactid", {"lastname": "no", "firstname": "ann"}, **headers, **shown)
            self.assertEqual(answer.status, 201, answer.text)
            got = self.get(f"contacts({answer.json['contactid']})?$select=firstname,description")
            self.assertEqual((got["firstname"], got["description"]), expected)
        answer = self.tandem.call("POST", "contacts?$select=contactid", {"lastname": "a", "firstname": "ann"},
                                  **{"MSCRM.BypassBusinessLogicExecution": "CustomAsync"}, **shown)
        got = self.get(f"contacts({answer.json['contactid']})?$select=firstname,description")
        self.assertEqual((got["firstname"], got["description"]), ("ANN", None))

    def test_answers(self):
        answer = self.tandem.call("GET", "WhoAmI")
        self.assertRegex(answer.headers["set-cookie"], r"^ARRAffinity=[0-9a-f]+; ")
        self.assertEqual(answer.headers["odata-version"], "4.0")
        answer = self.tandem.call("GET", f"contacts({self.create(lastname='a')})?$select=lastname",
                                  Prefer=f"{TRACK},odata.maxpagesize=5,return=representation", If_None_Match="null", Consistency="Strong")
        self.assertNotIn("preference-applied", answer.headers)
        answer = self.tandem.call("POST", "contacts?$select=lastname", {"lastname": "a"}, Prefer="return=representation, odata.maxpagesize=5")
        self.assertEqual(answer.headers["preference-applied"], "return=representation")
        answer = self.tandem.call("GET", "contacts?$select=lastname", Prefer='odata.include-annotations="*",odata.maxpagesize=5')
        self.assertEqual(answer.headers["preference-applied"], 'odata.maxpagesize=5, odata.include-annotations="*"')


class Rows(DataverseCase):
    def setUp(self):
        super().setUp()
        self.account = self.create("accounts", name="Works")
        self.row = f"contacts({self.create(lastname='a', parentcustomerid_account__bind=f'/accounts({self.account})')})"

    def test_the_row_of_a_lookup(self):
        got = self.get(self.row + "/parentcustomerid_account?$select=name")
        self.assertEqual((got["name"], got["accountid"]), ("Works", self.account))
        self.assertTrue(got["@odata.context"].endswith("$metadata#accounts(name)/$entity"))
        self.assertEqual(self.tandem.call("GET", self.row + "/parentcustomerid_contact").status, 204)
        self.assertRefused(self.tandem.call("GET", self.row + "/ownerid"), 501, "0x80060888", "several tables")
        self.assertRefused(self.user("clerk").call("GET", self.row + "/parentcustomerid_account"), 403, "0x80048306")

    def test_conditions_of_single_properties_and_links(self):
        tag = self.get(self.row)["@odata.etag"]
        for method, path, body in (("PUT", "/jobtitle", {"value": "x"}), ("DELETE", "/jobtitle", None),
                                   ("DELETE", "/parentcustomerid_account/$ref", None)):
            self.assertRefused(self.tandem.call(method, self.row + path, body, If_Match='W/"1"'), 412, "0x80060882")
        self.assertEqual(self.tandem.call("PUT", self.row + "/jobtitle", {"value": "x"}, If_Match=tag).status, 204)
        self.assertRefused(self.tandem.call("PUT", self.row + "/jobtitle", {"value": "y"}, If_Match=tag), 412, "0x80060882")

    def test_expand_with_conditions_and_patch(self):
        tag = self.get(self.row)["@odata.etag"]
        path = self.row + "?$select=lastname&$expand=parentcustomerid_account($select=name)"
        self.assertEqual(self.tandem.call("GET", path, If_None_Match=tag).status, 200)
        answer = self.tandem.call("PATCH", path, {"lastname": "b"}, Prefer="return=representation")
        self.assertEqual((answer.status, answer.json["lastname"]), (200, "b"))
        self.assertNotIn("parentcustomerid_account", answer.json)

    def test_keys_of_several_columns(self):
        self.assertRefused(self.tandem.call("GET", "contacts(new_marketoid='1',new_instance='emea')"), 400, "0x80060890")
        self.create(new_marketoid="a,b")
        self.assertEqual(self.tandem.call("GET", "contacts(new_marketoid='a,b')").status, 200)

    def test_mixed_update_is_all_or_nothing(self):
        team = self.rows("teams?$select=teamid")[0]["teamid"]
        before = self.get(self.row + "?$select=versionnumber,_owningteam_value,jobtitle")
        for body in ({"jobtitle": "x" * 101}, {"statuscode": 9}, {"statecode": 0, "statuscode": 2}):
            answer = self.tandem.call("PATCH", self.row, {"ownerid@odata.bind": f"/teams({team})", "jobtitle": "x", **body})
            self.assertEqual(answer.status, 400, answer.text)
        self.assertEqual(self.get(self.row + "?$select=versionnumber,_owningteam_value,jobtitle"), before)


class Principals(DataverseCase):
    def ask(self, function, by=None, of=None, query=""):
        of = of or self.get("WhoAmI", by=by)["UserId"]
        return (by or self.tandem).call("GET", f"systemusers({of})/Microsoft.Dynamics.CRM.{function}{query}")

    def test_narrower_privileges(self):
        every = {p["PrivilegeName"]: p for p in self.ask("RetrieveUserPrivileges()").json["RolePrivileges"]}
        self.assertLessEqual({"prvReadContact", "prvActOnBehalfOfAnotherUser", "prvBypassCustomBusinessLogic", "prvBypassCustomPlugins"},
                             set(every))
        one, other = every["prvReadContact"], every["prvWriteLead"]
        for function, query, expected in (
                ("RetrieveUserPrivilegeByPrivilegeName(PrivilegeName=@n)", "?@n='prvReadContact'", [one]),
                ("RetrieveUserPrivilegeByPrivilegeName(PrivilegeName='prvReadContact')", "", [one]),
                ("RetrieveUserPrivilegeByPrivilegeName(PrivilegeName='prvNothing')", "", []),
                (f"RetrieveUserPrivilegeByPrivilegeId(PrivilegeId={one['PrivilegeId']})", "", [one]),
                ("RetrieveUserSetOfPrivilegesByNames(PrivilegeNames=@n)", "?@n=[\"prvReadContact\",\"prvWriteLead\"]", [one, other]),
                ("RetrieveUserSetOfPrivilegesByIds(PrivilegeIds=@p)", f"?@p=[\"{other['PrivilegeId']}\"]", [other])):
            with self.subTest(function):
                answer = self.ask(function, query=query)
                self.assertEqual(answer.status, 200, answer.text)
                self.assertEqual(answer.json["RolePrivileges"], expected)
                name = function.partition("(")[0]
                self.assertTrue(answer.json["@odata.context"].endswith(f"$metadata#Microsoft.Dynamics.CRM.{name}Response"))
        names = [p["PrivilegeName"] for p in self.ask("RetrieveUserPrivileges()", by=self.user("clerk")).json["RolePrivileges"]]
        self.assertFalse({"prvActOnBehalfOfAnotherUser", "prvBypassCustomPlugins", "prvDeleteContact"} & set(names))
        self.assertRefused(self.ask("RetrieveUserPrivilegeByPrivilegeName()"), 400, "0x80060888", "PrivilegeName is missing")
        self.assertRefused(self.ask("RetrieveUserSetOfPrivilegesByNames(PrivilegeNames='x')"), 400, "0x80048d19", "not a list")
        self.assertRefused(self.ask("RetrieveNothing()"), 404, "0x80060888")

    def test_access_to_a_row(self):
        clerk = self.user("clerk")
        target = "?@t={\"@odata.id\":\"contacts(%s)\"}"
        theirs, own = self.create(lastname="a"), self.create(by=clerk, lastname="b")
        self.assertEqual(self.ask("RetrievePrincipalAccess(Target=@t)", query=target % theirs).json["AccessRights"],
                         "ReadAccess, WriteAccess, AppendAccess, AppendToAccess, CreateAccess, DeleteAccess, ShareAccess, AssignAccess")
        for row, rights in ((own, "ReadAccess, WriteAccess, AppendAccess, AppendToAccess, CreateAccess"), (theirs, "None")):
            self.assertEqual(self.ask("RetrievePrincipalAccess(Target=@t)", by=clerk, query=target % row).json["AccessRights"], rights)
        self.assertRefused(self.ask("RetrievePrincipalAccess(Target=@t)", query=target % ABSENT), 404, "0x80040217")
        self.assertRefused(self.ask("RetrievePrincipalAccess(Target=@t)", query="?@t={}"), 400, "0x80048d19", "@odata.id")

    def test_columns_to_be_read_only(self):
        row = self.create(jobtitle="CTO")
        self.limits(secured={"contact": ["jobtitle"]}, readOnly={"seller": {"contact": ["jobtitle"]}})
        seller = self.user("seller")
        found = self.ask("RetrievePrincipalAttributePrivileges()", by=seller).json["AttributePrivileges"]
        self.assertEqual([(p["CanRead"], p["CanCreate"], p["CanUpdate"]) for p in found], [(4, 0, 0)])
        self.assertEqual(self.get(f"contacts({row})?$select=jobtitle", by=seller)["jobtitle"], "CTO")
        self.assertRefused(seller.call("PATCH", f"contacts({row})", {"jobtitle": "x"}), 403, "0x8004f507")
        self.assertRefused(seller.call("POST", "contacts", {"jobtitle": "x"}), 403, "0x8004f502")
        self.patch(f"contacts({row})", jobtitle="y")

    def test_states_of_users(self):
        seller = self.user("seller")
        me = self.get("WhoAmI", by=seller)["UserId"]
        self.limits(users={"seller": "disabled"})
        answer, _ = seller.batch(request_part("GET", "WhoAmI"))
        self.assertRefused(answer, 403, "0x80040225")
        self.assertTrue(self.get(f"systemusers({me})?$select=isdisabled")["isdisabled"])
        self.limits(users={"seller": "enabled"})
        self.assertFalse(self.get(f"systemusers({me})?$select=isdisabled")["isdisabled"])
        self.get("WhoAmI", by=seller)
        for wrong in ({"seller": "asleep"}, {"nobody": "disabled"}, {"seller": 7}, 7):
            self.assertEqual(self.sandbox.marketo.call("POST", "/_sandbox/limits", {"dynamics": {"users": wrong}}).status, 400)


class Addresses(DataverseCase):
    def test_links_follow_the_host_that_was_asked(self):
        origin = self.tandem.origin.replace("127.0.0.1", "localhost")
        host = {"Host": origin.removeprefix("http://")}
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": self.tandem.user["clientId"],
                                       "client_secret": self.tandem.user["clientSecret"], "scope": origin + "/.default"})
        self.tandem.token = self.tandem.listener.call("POST", f"/{self.tandem.user['tenantId']}/oauth2/v2.0/token", form,
                                                      {**FORM, **host}).json["access_token"]
        row = self.tandem.call("POST", "contacts", {"lastname": "a"}, **host).headers["odata-entityid"]
        self.tandem.call("POST", "contacts", {"lastname": "b"}, **host)
        page = self.get("contacts?$select=lastname", Prefer="odata.maxpagesize=1", **host)
        delta = self.get("contacts?$select=lastname", Prefer=TRACK, **host)
        for link in (row, page["@odata.nextLink"], delta["@odata.deltaLink"], page["@odata.context"]):
            self.assertTrue(link.startswith(origin + API), link)
        self.assertEqual(len(self.get(page["@odata.nextLink"].removeprefix(origin), **host)["value"]), 1)

    def test_service_document(self):
        got = self.get("")
        self.assertTrue(got["@odata.context"].endswith(API + "$metadata"))
        entities = {(entry["name"], entry["kind"], entry["url"]) for entry in got["value"]}
        self.assertLessEqual({(name, "EntitySet", name) for name in ("contacts", "leads", "accounts", "systemusers", "teams", "organizations")},
                             entities)
        for name in (name for name, _, _ in entities):   # whatever it names is there
            self.assertEqual(self.tandem.call("GET", f"{name}?$top=1").status, 200, name)


class Metadata(DataverseCase):
    def test_tables_of_people(self):
        for table, key, columns in (("systemuser", "systemuserid", {"fullname", "isdisabled", "domainname"}), ("team", "teamid", {"name"}),
                                    ("organization", "organizationid", {"name"}), ("account", "accountid", {"name", "telephone1"})):
            got = self.get(f"EntityDefinitions(LogicalName='{table}')?$select=PrimaryIdAttribute,EntitySetName&$expand=Attributes("
                           "$select=LogicalName)")
            self.assertEqual((got["PrimaryIdAttribute"], got["EntitySetName"]), (key, table + "s"))
            self.assertLessEqual(columns | {key}, {attribute["LogicalName"] for attribute in got["Attributes"]})

    def test_version_annotation(self):
        name = "Microsoft.Dynamics.CRM.globalmetadataversion"
        row = f"contacts({self.create(lastname='a')})?$select=lastname"
        wanted = f'odata.include-annotations="{name}"'
        before = self.get(row, Prefer=wanted)["@" + name]
        self.assertEqual(self.get("contacts?$select=lastname", Prefer=wanted)["@" + name], before)
        self.limits(maxLength={"contact.lastname": 20})
        self.assertNotEqual(self.get(row, Prefer=wanted)["@" + name], before)
        self.assertNotIn("@" + name, self.get(row))

    def test_by_identifier(self):
        one = self.get("EntityDefinitions(LogicalName='contact')?$select=LogicalName")
        self.assertEqual(self.get(f"EntityDefinitions({one['MetadataId']})?$select=LogicalName"), one)
        self.assertRefused(self.tandem.call("GET", f"EntityDefinitions({ABSENT})"), 404, "0x80060888")
        found = self.rows("EntityDefinitions(LogicalName='contact')/ManyToOneRelationships?$select=ReferencedEntity,"
                          "ReferencingEntityNavigationPropertyName&$filter=ReferencingAttribute eq 'parentcustomerid'")
        self.assertEqual(sorted(row["ReferencedEntity"] for row in found), ["account", "contact"])

    def test_csdl(self):
        plain, annotated = (self.tandem.call("GET", "$metadata" + query).text for query in ("", "?annotations=true"))
        self.assertIn('<NavigationProperty Name="contact_customer_accounts" Type="Collection(mscrm.contact)" '
                      'Partner="parentcustomerid_account"/>', plain)
        self.assertNotIn("Annotation", plain)
        self.assertIn('<Property Name="fullname" Type="Edm.String"><Annotation Term="Org.OData.Core.V1.Computed" Bool="true"/>', annotated)
        self.assertIn('<Property Name="lastname" Type="Edm.String"/>', annotated)
        self.assertIn("Org.OData.Capabilities.V1.ChangeTracking", annotated)


class Batches(DataverseCase):
    def test_too_many(self):
        write = request_part("POST", "contacts", {}, Content_ID=1)
        for parts, text in (([change_set(*[write] * 1001)], "The current change set contains too many operations."),
                            ([change_set(*[write] * 501), change_set(*[write] * 500)], "The current batch message contains too many parts.")):
            answer = self.tandem.call("POST", "$batch", multipart("batch_1", *parts), Content_Type="multipart/mixed; boundary=batch_1")
            self.assertRefused(answer, 400, "0x80060888", text)
        self.assertEqual(self.rows("contacts?$select=lastname"), [])

    def test_address_below_the_root(self):
        _, parts = self.tandem.batch(request_part("GET", "$metadata").replace("$metadata", "WhoAmI"),
                                     request_part("GET", f"{API}WhoAmI"), request_part("GET", f"{self.tandem.origin}{API}WhoAmI"))
        self.assertEqual([part.json["UserId"] for part in parts], [self.get("WhoAmI")["UserId"]] * 3)

    def test_address_in_the_query(self):
        account = self.create("accounts", name="Works")
        row = self.create(lastname="a", parentcustomerid_account__bind=f"/accounts({account})")
        whole = f"{self.tandem.origin}{API}contacts({row})"
        _, parts = self.tandem.batch(request_part("DELETE", f"accounts({account})/contact_customer_accounts/$ref?$id={whole}"))
        self.assertEqual(parts[0].status, 204, parts[0].body)
        self.assertIsNone(self.get(f"contacts({row})?$select=_parentcustomerid_value")["_parentcustomerid_value"])
