"""The Dynamics side: links of collections, related rows created along, calls on behalf of another user."""

from dataverse_case import ABSENT, API, DataverseCase, change_set, request_part


class Links(DataverseCase):
    def setUp(self):
        super().setUp()
        self.account = self.create("accounts", name="Works")
        self.other = self.create("accounts", name="Other")
        self.row = self.create(lastname="a")
        self.link = f"accounts({self.account})/contact_customer_accounts"

    def parent(self):
        return self.get(f"contacts({self.row})?$select=_parentcustomerid_value")["_parentcustomerid_value"]

    def add(self, link=None, address=None):
        return self.tandem.call("POST", (link or self.link) + "/$ref",
                                {"@odata.id": address or f"{self.tandem.origin}{API}contacts({self.row})"})

    def test_add_and_take_off(self):
        for take_off in (f"{self.link}({self.row})/$ref", f"{self.link}/$ref?$id={self.tandem.origin}{API}contacts({self.row})"):
            self.assertEqual(self.add().status, 204)
            self.assertEqual(self.parent(), self.account)
            answer = self.tandem.call("DELETE", take_off)
            self.assertEqual((answer.status, answer.body), (204, b""))
            self.assertIsNone(self.parent())
        self.assertEqual(self.add(f"accounts({self.account})/lead_parent_account",
                                  f"leads({self.create('leads', lastname='l')})").status, 204)
        self.assertEqual(self.rows("leads?$filter=parentaccountid/name eq 'Works'&$select=lastname")[0]["lastname"], "l")

    def test_refused(self):
        self.assertRefused(self.add(address=f"contacts({ABSENT})"), 404, "0x80040217", "contact With Id")
        self.assertRefused(self.add(address=f"accounts({self.other})"), 400, "0x80048d19", "cannot hold")
        self.assertRefused(self.add(f"accounts({ABSENT})/contact_customer_accounts"), 404, "0x80040217", "account With Id")
        self.assertRefused(self.add(f"accounts({self.account})/nothing"), 405, "0x80060888", "not offered for a link")
        self.assertRefused(self.tandem.call("POST", self.link + "/$ref", {}), 400, "0x80048d19", "@odata.id")
        self.assertRefused(self.tandem.call("DELETE", self.link + "/$ref"), 400, "0x80060888", "$id")
        self.assertRefused(self.tandem.call("GET", self.link + "/$ref"), 501, "0x80060888", "of the collection")
        self.assertEqual(self.add(f"accounts({self.other})/contact_customer_accounts").status, 204)
        self.assertRefused(self.tandem.call("DELETE", f"{self.link}({self.row})/$ref"), 404, "0x80040217")
        self.assertEqual(self.parent(), self.other)
        reader = self.user("reader")
        self.assertRefused(reader.call("POST", self.link + "/$ref", {"@odata.id": f"contacts({self.row})"}), 403, "0x80040220")


class Collections(DataverseCase):
    def setUp(self):
        super().setUp()
        self.account = self.create("accounts", name="Works")
        for n in range(5):
            self.create(lastname=f"n{n}", parentcustomerid_account__bind=f"/accounts({self.account})")
        self.create(lastname="elsewhere", parentcustomerid_account__bind=f"/accounts({self.create('accounts', name='Other')})")
        self.create(lastname="nowhere")
        self.path = f"accounts({self.account})/contact_customer_accounts"

    def names(self, query, **headers):
        return [row["lastname"] for row in self.rows(f"{self.path}?$select=lastname{query}", **headers)]

    def test_reading(self):
        got = self.get(self.path + "?$select=lastname&$count=true&$top=1")
        self.assertEqual((got["@odata.count"], len(got["value"])), (5, 1))
        self.assertTrue(got["@odata.context"].endswith("$metadata#contacts(lastname)"))
        self.assertEqual(self.names("&$orderby=lastname desc"), ["n4", "n3", "n2", "n1", "n0"])
        self.assertEqual(self.names("&$filter=lastname ge 'n3' or lastname eq 'elsewhere'"), ["n3", "n4"])
        self.assertEqual(self.names("&$filter=emailaddress1 eq 'x'"), [])
        self.assertEqual(self.tandem.call("GET", self.path + "/$count").body, b"\xef\xbb\xbf5")
        self.assertEqual(self.tandem.call("GET", self.path + "/$count?$filter=lastname eq 'n1'").body, b"\xef\xbb\xbf1")
        _, parts = self.tandem.batch(request_part("GET", self.path + "?$select=lastname"))
        self.assertEqual(len(parts[0].json["value"]), 5)
        row = self.get(self.path + "?$select=lastname&$top=1")["value"][0]["contactid"]
        self.assertEqual(self.get(f"contacts({row})/contact_customer_contacts")["value"], [])

    def test_pages(self):
        for query in ("", "&$orderby=lastname", "&$orderby=versionnumber"):
            seen, link = [], f"{self.path}?$select=lastname{query}"
            while link:
                page = self.get(link, Prefer="odata.maxpagesize=2")
                seen += [row["lastname"] for row in page["value"]]
                link = page.get("@odata.nextLink")
                self.assertTrue(link is None or self.path in link, link)
            self.assertEqual(seen, ["n0", "n1", "n2", "n3", "n4"])

    def test_rights(self):
        self.assertRefused(self.user("clerk").call("GET", self.path), 403, "0x80040220", "prvReadAccount")
        self.assertRefused(self.tandem.call("GET", self.path.replace(self.account, ABSENT)), 404, "0x80040217")
        self.assertRefused(self.tandem.call("GET", self.path + "?$select=nothing"), 400, "0x80060888", "'nothing'")
        self.assertRefused(self.tandem.call("GET", f"accounts({self.account})/nothing"), 404, "0x80060888")


class Deep(DataverseCase):
    def test_lookup_and_collections(self):
        answer = self.tandem.call("POST", "accounts", {
            "name": "Works", "primarycontactid": {"lastname": "Head", "parentcustomerid_account": {"name": "Mother"}},
            "contact_customer_accounts": [{"lastname": "a"}, {"lastname": "b"}]})
        self.assertEqual(answer.status, 204, answer.text)
        row = self.get(answer.headers["odata-entityid"] + "?$select=name&$expand=primarycontactid($select=lastname;"
                       "$expand=parentcustomerid_account($select=name))")
        self.assertEqual((row["name"], row["primarycontactid"]["lastname"], row["primarycontactid"]["parentcustomerid_account"]["name"]),
                         ("Works", "Head", "Mother"))
        below = self.rows("contacts?$select=lastname&$orderby=lastname&$filter=parentcustomerid_account/name eq 'Works'")
        self.assertEqual([item["lastname"] for item in below], ["a", "b"])

    def test_all_or_nothing(self):
        for body in ({"name": "x", "primarycontactid": {"lastname": "y", "nonsense": 1}},
                     {"name": "x", "primarycontactid": {"lastname": "y"}, "contact_customer_accounts": [{"lastname": "z"}, {"nonsense": 1}]},
                     {"name": "x", "primarycontactid": {"lastname": "y"}, "contact_customer_accounts": [7]},
                     {"primarycontactid": {"lastname": "y"}, "nonsense": 1}):
            self.assertRefused(self.tandem.call("POST", "accounts", body), 400, "0x80048d19")
            self.assertRefused(self.tandem.call("PATCH", f"accounts({ABSENT})", body), 400, "0x80048d19")
            _, parts = self.tandem.batch(change_set(request_part("POST", "accounts", body, Content_ID="1")))
            self.assertEqual(parts[0][0].status, 400)
        self.assertEqual((self.rows("accounts?$select=name"), self.rows("contacts?$select=lastname")), ([], []))

    def test_content_id_is_the_row_asked_for(self):
        _, parts = self.tandem.batch(change_set(
            request_part("POST", "accounts", {"name": "x", "primarycontactid": {"lastname": "y"}}, Content_ID="1"),
            request_part("PATCH", "$1", {"name": "z"}, Content_ID="2")))
        self.assertEqual([part.status for part in parts[0]], [204, 204])
        self.assertEqual(self.rows("accounts?$select=name")[0]["name"], "z")

    def test_no_deep_update(self):
        row = self.create("accounts", name="x")
        for body in ({"primarycontactid": {"lastname": "y"}}, {"contact_customer_accounts": [{"lastname": "y"}]}):
            self.assertRefused(self.tandem.call("PATCH", f"accounts({row})", body), 400, "0x80060888", "Deep update")


class Impersonation(DataverseCase):
    def people(self):
        rows = self.rows("systemusers?$select=domainname,azureactivedirectoryobjectid,systemuserid")
        return {row["domainname"].partition("@")[0]: row for row in rows}

    def test_on_behalf(self):
        people = self.people()
        erin = people["erin.vale"]
        for headers in ({"CallerObjectId": erin["azureactivedirectoryobjectid"]}, {"MSCRMCallerID": erin["systemuserid"]}):
            self.assertEqual(self.get("WhoAmI", **headers)["UserId"], erin["systemuserid"])
            answer = self.tandem.call("POST", "contacts", {"lastname": "a"}, Prefer="return=representation", **headers)
            self.assertEqual(answer.status, 201, answer.text)
            row = answer.json
            self.assertEqual((row["_modifiedby_value"], row["_createdby_value"], row["_ownerid_value"]), (erin["systemuserid"],) * 3)
            me = people["tandem"]["systemuserid"]
            self.assertEqual((row["_modifiedonbehalfby_value"], row["_createdonbehalfby_value"]), (me, me))
            self.patch(f"contacts({row['contactid']})", jobtitle="x")
            row = self.get(f"contacts({row['contactid']})?$select=_modifiedby_value,_modifiedonbehalfby_value")
            self.assertEqual((row["_modifiedby_value"], row["_modifiedonbehalfby_value"]), (me, None))

    def test_rights_of_both(self):
        reader = self.people()["reader"]["systemuserid"]
        row = self.create(lastname="a")
        self.get(f"contacts({row})?$select=lastname", MSCRMCallerID=reader)
        answer = self.tandem.call("PATCH", f"contacts({row})", {"lastname": "b"}, MSCRMCallerID=reader)
        self.assertRefused(answer, 403, "0x80040220", "prvWriteContact")
        _, parts = self.tandem.batch(request_part("GET", "WhoAmI", MSCRMCallerID=reader), request_part("GET", "WhoAmI"))
        self.assertEqual([part.json["UserId"] for part in parts], [reader, self.people()["tandem"]["systemuserid"]])

    def test_refused(self):
        erin = self.people()["erin.vale"]["systemuserid"]
        for name in ("reader", "clerk", "narrow"):
            self.assertRefused(self.user(name).call("GET", "WhoAmI", MSCRMCallerID=erin), 403, "0x8004a110", "on behalf")
        gone = self.people()["gone.away"]
        self.assertRefused(self.tandem.call("GET", "WhoAmI", CallerObjectId=gone["azureactivedirectoryobjectid"]), 403, "0x80040225")
        for headers in ({"MSCRMCallerID": ABSENT}, {"CallerObjectId": ABSENT}, {"MSCRMCallerID": "zz"}):
            self.assertRefused(self.tandem.call("GET", "WhoAmI", **headers), 403, "0x80072560")
