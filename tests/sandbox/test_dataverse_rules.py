"""The Dynamics side: duplicate rules, messages on offer, plug-ins that rewrite and edit, modes of the delta token."""

from dataverse_case import ABSENT, DataverseCase, change_set, request_part

TRACK = "odata.track-changes"


def detecting(value):
    return {"MSCRM.SuppressDuplicateDetection": value}


class Duplicates(DataverseCase):
    def write(self, method, path, body, value="false"):
        return self.tandem.call(method, path, body, **detecting(value))

    def test_header(self):
        first = self.create(lastname="a", emailaddress1="ann@example.org")
        refused = self.write("POST", "contacts", {"lastname": "b", "emailaddress1": "ANN@example.org"})
        self.assertEqual(refused.body, b'{"error":{"code":"0x80040333","message":"A record was not created or updated because a '
                         b'duplicate of the current record already exists."}}')
        self.assertEqual(refused.status, 412)
        self.assertEqual(self.write("POST", "contacts", {"lastname": "b", "emailaddress1": "ann@example.org"}, "true").status, 204)
        self.assertEqual(self.write("POST", "leads", {"lastname": "b", "emailaddress1": "ann@example.org"}).status, 204)
        self.assertEqual(self.write("POST", "contacts", {"lastname": "no address"}).status, 204)
        other = self.create(lastname="c", emailaddress1="cyd@example.org")
        self.assertRefused(self.write("PATCH", f"contacts({other})", {"emailaddress1": "ann@example.org"}), 412, "0x80040333")
        self.assertEqual(self.write("PATCH", f"contacts({other})", {"emailaddress1": "cyd@example.org"}).status, 204)
        self.assertEqual(self.write("PATCH", f"contacts({first})", {"jobtitle": "x"}).status, 204)
        self.assertRefused(self.write("PATCH", f"contacts({ABSENT})", {"lastname": "d", "emailaddress1": "cyd@example.org"}),
                           412, "0x80040333")

    def test_in_batch(self):
        self.create(lastname="a", emailaddress1="ann@example.org")
        part = request_part("POST", "contacts", {"lastname": "b", "emailaddress1": "ann@example.org"}, Content_ID="1",
                            **detecting("false"))
        _, parts = self.tandem.batch(change_set(part))
        self.assertEqual((parts[0][0].status, parts[0][0].json["error"]["code"]), (412, "0x80040333"))

    def test_published_rules(self):
        self.create(lastname="a", emailaddress1="ann@example.org")
        self.create("leads", lastname="a", emailaddress1="ann@example.org")
        self.limits(duplicateRules=["lead"])
        self.assertEqual(self.write("POST", "contacts", {"lastname": "b", "emailaddress1": "ann@example.org"}).status, 204)
        self.assertRefused(self.write("POST", "leads", {"lastname": "b", "emailaddress1": "ann@example.org"}), 412, "0x80040333")
        for wrong in ("lead", ["nobody"], ["team"]):
            self.assertEqual(self.sandbox.marketo.call("POST", "/_sandbox/limits", {"dynamics": {"duplicateRules": wrong}}).status, 400)

    def retrieve(self, row, matching="'contact'", paging="{'PageNumber':1,'Count':50}"):
        return self.tandem.call("GET", "RetrieveDuplicates(BusinessEntity=@p1,MatchingEntityName=@p2,PagingInfo=@p3)"
                                f"?@p1={row}&@p2={matching}&@p3={paging}")

    def test_retrieve_duplicates(self):
        made = [self.create(lastname=name, emailaddress1="ann@example.org") for name in "abc"]
        row = "{'@odata.type':'Microsoft.Dynamics.CRM.contact','emailaddress1':'Ann@example.org'}"
        got = self.retrieve(row)
        self.assertEqual(got.status, 200, got.text)
        self.assertEqual([item["contactid"] for item in got.json["value"]], made)
        self.assertEqual(list(got.json["value"][0])[:2], ["@odata.type", "@odata.etag"])
        self.assertEqual(got.json["value"][0]["@odata.type"], "#Microsoft.Dynamics.CRM.contact")
        second = self.retrieve(row, paging="{'PageNumber':2,'Count':2}").json["value"]
        self.assertEqual([item["contactid"] for item in second], made[2:])
        stored = "{'@odata.type':'Microsoft.Dynamics.CRM.contact','contactid':'%s'}" % made[0]
        self.assertEqual([item["contactid"] for item in self.retrieve(stored).json["value"]], made[1:])
        self.assertEqual(self.retrieve(row, "'lead'").json["value"], [])
        self.assertRefused(self.retrieve(row, "'nobody'"), 400, "0x80041102")
        self.assertRefused(self.retrieve("{'emailaddress1':'x'}"), 400, "0x80048d19", "@odata.type")
        self.assertRefused(self.retrieve("7"), 400, "0x80048d19", "BusinessEntity")
        self.assertRefused(self.tandem.call("GET", "RetrieveDuplicates(BusinessEntity=@p1)"), 400, "0x80060888", "@p1")
        self.assertRefused(self.tandem.call("GET", "RetrieveDuplicates(BusinessEntity={'a':1})"), 400, "0x80060888", "PagingInfo")
        plain = self.tandem.call("GET", f"RetrieveDuplicates(BusinessEntity={row},MatchingEntityName='contact',"
                                 "PagingInfo={'PageNumber':1,'Count':2})")
        self.assertEqual([item["contactid"] for item in plain.json["value"]], made[:2])
        self.limits(duplicateRules=[])
        self.assertEqual(self.retrieve(row).json["value"], [])


class Messages(DataverseCase):
    def test_bulk_messages(self):
        for message, tables in (("CreateMultiple", ["account", "contact", "lead"]), ("UpsertMultiple", ["account", "contact", "lead"]),
                                ("QualifyLead", ["lead"]), ("DeleteMultiple", [])):
            got = self.rows(f"sdkmessagefilters?$select=primaryobjecttypecode&$filter=sdkmessageid/name eq '{message}'"
                            "&$expand=sdkmessageid($select=name)&$orderby=primaryobjecttypecode")
            self.assertEqual([row["primaryobjecttypecode"] for row in got], tables)
            self.assertEqual({row["sdkmessageid"]["name"] for row in got}, {message} if tables else set())
        self.assertEqual(len(self.rows("sdkmessagefilters?$select=sdkmessagefilterid&$filter=sdkmessageid/name eq 'UpdateMultiple' "
                                       "and primaryobjecttypecode eq 'contact'")), 1)
        self.assertEqual(len(self.rows("sdkmessages?$select=sdkmessageid&$filter=name eq 'Update'")), 1)
        self.assertRefused(self.tandem.call("POST", "sdkmessages", {"name": "x"}), 403, "0x80040220")


class Plugins(DataverseCase):
    def test_rewrite(self):
        for change, given, stored in (("trim", "  Ann ", "Ann"), ("upper", "Ann x", "ANN X"), ("lower", "ANN", "ann"), ("trim", "  ", None)):
            self.limits(plugin={"rewrite": {"table": "contact", "column": "firstname", "as": change}})
            answer = self.tandem.call("POST", "contacts?$select=firstname", {"lastname": " L ", "firstname": given},
                                      Prefer="return=representation")
            self.assertEqual(answer.json["firstname"], stored)
            row = answer.json["contactid"]
            self.patch(f"contacts({row})", firstname=given)
            self.assertEqual(self.get(f"contacts({row})?$select=firstname,lastname")["firstname"], stored)
        self.limits(plugin=None)
        row = self.create(lastname=" L ", firstname=" x ")
        self.assertEqual(self.get(f"contacts({row})?$select=firstname")["firstname"], " x ")

    def test_edit_in_the_background(self):
        self.limits(plugin={"edit": {"table": "contact", "column": "description", "value": "checked"}})
        answer = self.tandem.call("POST", "contacts?$select=description,versionnumber", {"lastname": "a"}, Prefer="return=representation")
        row, written = answer.json["contactid"], answer.json["versionnumber"]
        self.assertIsNone(answer.json["description"])
        me = self.get("WhoAmI")["UserId"]
        after = self.get(f"contacts({row})?$select=description,versionnumber,_modifiedby_value")
        self.assertEqual((after["description"], after["_modifiedby_value"]), ("checked", me))
        self.assertGreater(after["versionnumber"], written)
        again = self.get(f"contacts({row})?$select=versionnumber")["versionnumber"]
        self.assertEqual(again, after["versionnumber"])
        self.create("leads", lastname="other table")
        self.assertEqual(self.rows("leads?$select=description")[0]["description"], None)

    def test_edit_later(self):
        self.limits(plugin={"edit": {"table": "contact", "column": "description", "value": "checked", "afterSeconds": 60}})
        row = self.create(lastname="a")
        self.assertIsNone(self.get(f"contacts({row})?$select=description")["description"])
        self.sandbox.control("clock", {"advanceSeconds": 61})
        self.assertEqual(self.get(f"contacts({row})?$select=description")["description"], "checked")

    def test_nothing_after_a_rollback(self):
        row = self.create(lastname="a")
        self.limits(plugin={"edit": {"table": "contact", "column": "description", "value": "checked"}})
        self.tandem.batch(change_set(request_part("PATCH", f"contacts({row})", {"jobtitle": "x"}, Content_ID="1"),
                                     request_part("POST", "contacts", {"nonsense": 1}, Content_ID="2")))
        got = self.get(f"contacts({row})?$select=description,jobtitle")
        self.assertEqual((got["description"], got["jobtitle"]), (None, None))

    def test_wrong_settings(self):
        for wrong in ({"rewrite": {"table": "contact", "column": "firstname", "as": "sideways"}},
                      {"rewrite": {"table": "contact", "column": "birthdate", "as": "trim"}},
                      {"edit": {"table": "contact", "column": "nothing", "value": "x"}}, {"edit": {"table": "contact"}}, 7):
            answer = self.sandbox.marketo.call("POST", "/_sandbox/limits", {"dynamics": {"plugin": wrong}})
            self.assertEqual(answer.status, 400, wrong)


class DeltaTokens(DataverseCase):
    """Rows that change while the pages of a delta are read."""

    def read(self, link, between):
        """Names of a two-page answer with something done between the pages, and its delta link."""
        first = self.get(link, Prefer=f"{TRACK},odata.maxpagesize=2")
        between()
        second = self.get(first["@odata.nextLink"], Prefer="odata.maxpagesize=2")
        return [row["lastname"] for row in first["value"] + second["value"]], second["@odata.deltaLink"]

    def baseline(self):
        rows = [self.create(lastname=name) for name in "abc"]
        return self.read("contacts?$select=lastname", lambda: self.patch(f"contacts({rows[0]})", lastname="a2"))

    def delta(self):
        link = self.get("contacts?$select=lastname", Prefer=TRACK)["@odata.deltaLink"]
        rows = [self.create(lastname=name) for name in "abc"]
        return self.read(link, lambda: self.patch(f"contacts({rows[0]})", lastname="a2"))

    def test_first_page(self):
        for read in (self.baseline, self.delta):
            self.sandbox.reset()
            self.tandem = self.user("tandem")
            names, link = read()
            self.assertEqual(names, ["a", "b", "c"])
            self.assertEqual([row["lastname"] for row in self.rows(link)], ["a2"])

    def test_last_page_loses_a_change(self):
        for read in (self.baseline, self.delta):
            self.sandbox.reset()
            self.tandem = self.user("tandem")
            self.limits(deltaToken="last")
            names, link = read()
            self.assertEqual(names, ["a", "b", "c"])
            self.assertEqual(self.rows(link), [])

    def test_last_page_keeps_what_was_not_handed_out(self):
        self.limits(deltaToken="last")
        link = self.get("contacts?$select=lastname", Prefer=TRACK)["@odata.deltaLink"]
        rows = [self.create(lastname=name) for name in "abc"]
        names, link = self.read(link, lambda: self.patch(f"contacts({rows[2]})", lastname="c2"))
        self.assertEqual(names, ["a", "b", "c2"])
        self.assertEqual(self.rows(link), [])

    def test_pages_can_be_smaller_than_what_is_asked_for(self):
        self.limits(pageRows=2)
        for name in "abc":
            self.create(lastname=name)
        for path, headers in (("contacts?$select=lastname", {}), ("contacts?$select=lastname", {"Prefer": TRACK}),
                              ("contacts?$select=lastname", {"Prefer": "odata.maxpagesize=5000"})):
            page = self.get(path, **headers)
            self.assertEqual(len(page["value"]), 2)
            self.assertEqual(len(self.get(page["@odata.nextLink"])["value"]), 1)
        self.limits(pageRows=5000)
        self.assertEqual(len(self.rows("contacts?$select=lastname")), 3)
        for rows in (0, 5001, "many"):
            answer = self.sandbox.marketo.call("POST", "/_sandbox/limits", {"dynamics": {"pageRows": rows}})
            self.assertEqual(answer.status, 400)

    def test_expiry_and_wrong_setting(self):
        self.limits(deltaToken="last", trackingDays=7)
        self.create(lastname="a")
        link = self.get("contacts?$select=lastname", Prefer=TRACK)["@odata.deltaLink"]
        self.sandbox.control("clock", {"advanceSeconds": 8 * 86400})
        self.tandem.token = None
        self.assertRefused(self.tandem.call("GET", link), 400, "0x80044352")
        answer = self.sandbox.marketo.call("POST", "/_sandbox/limits", {"dynamics": {"deltaToken": "middle"}})
        self.assertEqual(answer.status, 400)
