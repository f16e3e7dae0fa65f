"""The Dynamics side: $expand of lookups, names that go through lookups in $filter and $orderby, counts."""

from dataverse_case import DataverseCase


class Joins(DataverseCase):
    def setUp(self):
        super().setUp()
        self.head = self.create("contacts", firstname="Hella", lastname="Head")
        self.mother = self.create("accounts", name="Mother", **{"primarycontactid__bind": f"/contacts({self.head})"})
        self.works = self.create("accounts", name="Works", **{"parentaccountid__bind": f"/accounts({self.mother})"})
        for name, account in (("a", self.works), ("b", self.mother), ("c", None)):
            bind = {"parentcustomerid_account__bind": f"/accounts({account})"} if account else {}
            self.create("contacts", lastname=name, **bind)

    def names(self, query):
        return [row["lastname"] for row in self.rows("contacts?$select=lastname&" + query)]

    def test_expand_query(self):
        got = self.get("contacts?$select=lastname&$expand=parentcustomerid_account($select=name)&$orderby=lastname&$filter=lastname ne 'Head'")
        self.assertTrue(got["@odata.context"].endswith("$metadata#contacts(lastname,parentcustomerid_account(name))"), got)
        inner = [row["parentcustomerid_account"] for row in got["value"]]
        for row in inner[:2]:
            self.assertRegex(row.pop("@odata.etag"), r'^W/"\d+"$')
        self.assertEqual(inner, [{"name": "Works", "accountid": self.works}, {"name": "Mother", "accountid": self.mother}, None])
        self.assertEqual(list(got["value"][0]), ["@odata.etag", "lastname", "contactid", "parentcustomerid_account"])

    def test_expand_row(self):
        row = self.get(f"accounts({self.works})?$select=name&$expand=parentaccountid($select=name;$expand=primarycontactid"
                       "($select=fullname,emailaddress1)),createdby($select=fullname),owninguser($select=fullname)")
        self.assertTrue(row["@odata.context"].endswith("#accounts(name,parentaccountid(name,primarycontactid(fullname,emailaddress1)),"
                                                       "createdby(fullname),owninguser(fullname))/$entity"), row["@odata.context"])
        head = row["parentaccountid"]["primarycontactid"]
        self.assertEqual((head["fullname"], head["emailaddress1"], head["contactid"]), ("Hella Head", None, self.head))
        self.assertEqual(row["createdby"]["fullname"], "Tandem Service")
        self.assertEqual(row["owninguser"]["fullname"], "Tandem Service")
        whole = self.get(f"accounts({self.mother})?$expand=primarycontactid")["primarycontactid"]
        self.assertIn("telephone1", whole)

    def test_expand_in_representation_and_counts(self):
        self.sandbox.control("calls/reset", {})
        answer = self.tandem.call("POST", "contacts?$select=lastname&$expand=parentcustomerid_account($select=name)",
                                  {"lastname": "d", "parentcustomerid_account@odata.bind": f"/accounts({self.works})"},
                                  Prefer="return=representation")
        self.assertEqual((answer.status, answer.json["parentcustomerid_account"]["name"]), (201, "Works"))
        self.get("contacts?$select=lastname&$expand=parentcustomerid_account($select=name)")
        calls = {call["endpoint"]: call for call in self.sandbox.control("calls")["dynamics"] if "contacts" in call["endpoint"]}
        self.assertEqual([call["records"] for _, call in sorted(calls.items())], [5, 1])

    def test_wrong_expands(self):
        for expand, status, code, text in (
                ("nobody", 400, "0x80060888", "Could not find a property named 'nobody' on type 'Microsoft.Dynamics.CRM.contact'."),
                ("parentcustomerid", 400, "0x80060888", "'parentcustomerid'"),
                ("parentcustomerid_account($select=nothing)", 400, "0x80060888", "'nothing' on type 'Microsoft.Dynamics.CRM.account'"),
                ("parentcustomerid_account($top=1)", 400, "0x80060888", "$top=1"),
                ("parentcustomerid_account($select=name", 400, "0x80060888", "Syntax error"),
                ("contact_customer_contacts($select=fullname)", 501, "0x80060888", "collection"),
                ("ownerid($select=ownerid)", 501, "0x80060888", "several tables"),
                (",".join(["createdby"] * 16), 400, "0x8004430d", "link entities")):
            with self.subTest(expand):
                self.assertRefused(self.tandem.call("GET", "contacts?$expand=" + expand), status, code, text)
        self.assertRefused(self.user("clerk").call("GET", "contacts?$expand=parentcustomerid_account"), 403, "0x80040220",
                           "prvReadAccount")
        self.limits(secured={"contact": ["parentcustomerid"]})
        self.assertRefused(self.user("narrow").call("GET", "contacts?$expand=parentcustomerid_account"), 403, "0x8004f506")

    def test_filter_through_lookups(self):
        for wanted, expected in (("parentcustomerid_account/name eq 'works'", ["a"]),
                                 ("parentcustomerid_account/name ne null", ["a", "b"]),
                                 ("parentcustomerid_account/name eq null", ["c", "Head"]),
                                 ("startswith(parentcustomerid_account/name,'mo')", ["b"]),
                                 ("parentcustomerid_account/primarycontactid/lastname eq 'Head'", ["b"]),
                                 (f"parentcustomerid_account/_parentaccountid_value eq {self.mother}", ["a"]),
                                 ("owninguser/fullname eq 'Tandem Service' and lastname eq 'c'", ["c"]),
                                 ("Microsoft.Dynamics.CRM.In(PropertyName='parentcustomerid_account/name',"
                                  "PropertyValues=[\"Works\",\"Mother\"])", ["a", "b"])):
            with self.subTest(wanted):
                self.assertEqual(self.names(f"$orderby=lastname&$filter={wanted}"), expected)
        self.assertEqual(self.names("$orderby=parentcustomerid_account/name desc,lastname"), ["a", "b", "c", "Head"])
        self.assertEqual(self.tandem.call("GET", "contacts/$count?$filter=parentcustomerid_account/name eq 'Works'").body,
                         b"\xef\xbb\xbf1")
        self.assertEqual(self.get("contacts?$top=1&$count=true&$filter=parentcustomerid_account/name ne null")["@odata.count"], 2)

    def test_wrong_filters(self):
        for wanted, code, text in (("parentcustomerid_account/nothing eq 1", "0x80060888", "'nothing' on type 'Microsoft.Dynamics.CRM.account'"),
                                   ("nobody/name eq 'x'", "0x80060888", "'nobody'"),
                                   (" or ".join(["createdby/fullname eq 'x'"] * 16), "0x8004430d", "link entities")):
            with self.subTest(wanted):
                self.assertRefused(self.tandem.call("GET", "contacts?$filter=" + wanted), 400, code, text)

    def test_total_record_count(self):
        got = self.get("RetrieveTotalRecordCount(EntityNames=['contact','account'])")
        self.assertTrue(got["@odata.context"].endswith("$metadata#Microsoft.Dynamics.CRM.RetrieveTotalRecordCountResponse"))
        self.assertEqual(got["EntityRecordCountCollection"],
                         {"Count": 2, "IsReadOnly": False, "Keys": ["contact", "account"], "Values": [4, 2]})
