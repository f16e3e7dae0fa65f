"""The Marketo side of the sandbox, through its public API: tokens, fields, people."""

import unittest
import urllib.parse

from marketo_case import MarketoCase


class Identity(MarketoCase):
    def ask(self, method="GET", secret="tandem-secret", client="tandem-client", as_form=False):
        query = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": client, "client_secret": secret})
        if as_form:
            return self.sandbox.marketo.call(method, "/identity/oauth/token", query,
                                             {"Content-Type": "application/x-www-form-urlencoded"})
        return self.sandbox.marketo.call(method, "/identity/oauth/token?" + query)

    def test_the_same_token_until_it_expires_with_the_seconds_left(self):
        first = self.ask().json
        self.assertEqual((first["token_type"], first["expires_in"]), ("bearer", 3599))
        self.sandbox.control("clock", {"advanceSeconds": 1000})
        for answer in (self.ask(), self.ask("POST"), self.ask("POST", as_form=True)):
            self.assertEqual(answer.json["access_token"], first["access_token"])
            self.assertIn(answer.json["expires_in"], (2598, 2599))
        self.sandbox.control("clock", {"advanceSeconds": 2601})
        self.assertNotEqual(self.ask().json["access_token"], first["access_token"])

    def test_bad_credentials_are_401_without_envelope(self):
        for answer, error in ((self.ask(secret="x"), "unauthorized"), (self.ask(client="x"), "invalid_client")):
            self.assertEqual(answer.status, 401)
            self.assertEqual(answer.json["error"], error)
            self.assertIn("error_description", answer.json)

    def test_an_expired_token_is_602_once_and_601_after(self):
        self.marketo.sign_in()
        self.sandbox.control("clock", {"advanceSeconds": 3601})
        self.assertFails(self.marketo.get("leads/describe.json"), 602)
        self.assertFails(self.marketo.get("leads/describe.json"), 601)
        self.marketo.sign_in()
        self.assertTrue(self.marketo.get("leads/describe.json")["success"])

    def test_a_shorter_life_holds_for_living_tokens_too(self):
        self.marketo.sign_in()
        self.limits(tokenSeconds=10)
        self.assertLess(self.marketo.sign_in()["expires_in"], 10)

    def test_the_token_comes_in_the_header_only(self):
        token = self.marketo.sign_in()["access_token"]
        path = "/rest/v1/leads/describe.json"
        self.assertFails(self.sandbox.marketo.call("GET", path).json, 603)
        self.assertFails(self.sandbox.marketo.call("GET", path + "?access_token=" + token).json, 603)
        self.assertFails(self.sandbox.marketo.call("GET", path, headers={"Authorization": "Bearer x"}).json, 601)
        self.limits(queryToken=True)
        self.assertTrue(self.sandbox.marketo.call("GET", path + "?access_token=" + token).json["success"])

    def test_rights(self):
        lead = self.create(email="right@example.org")
        reader = self.user("reader")
        self.assertTrue(reader.get("lead/%d.json" % lead)["success"])
        self.assertTrue(reader.get("activities.json", activityTypeIds=12, nextPageToken=self.since())["success"])
        for path in ("leads.json", "leads/delete.json", "leads/schema/fields.json", "activities/external.json",
                     "activities/external/type.json"):
            self.assertFails(reader.post(path, {"input": [{"id": lead}]}), 603)
        plain = self.user("noschema")
        self.assertTrue(plain.post("leads.json", {"input": [{"email": "x@example.org"}]})["success"])
        self.assertFails(plain.post("leads/schema/fields.json", {"input": [{}]}), 603)
        self.assertFails(plain.post("activities/external/type.json", {}), 603)
        self.assertTrue(reader.get("stats/usage.json")["success"])

    def test_users(self):
        users = self.sandbox.users("marketo")
        self.assertEqual(list(users), ["tandem", "marketer", "other", "reader", "noschema"])
        self.assertIn("Read-Write Lead", users["tandem"]["rights"])
        self.assertNotIn("Read-Write Lead", users["reader"]["rights"])


class Calls(MarketoCase):
    def test_unknown_paths_and_methods(self):
        for path in ("nothing.json", "leads", "/leads.json", "lead/1/2.json", "leads/describe.json/"):
            self.assertFails(self.marketo.get(path), 610)
        self.assertFails(self.marketo.post("leads/describe.json", {}), 605)
        self.assertFails(self.marketo.raw("DELETE", "/rest/v1/leads/describe.json").json, 605)

    def test_content_type_and_json(self):
        self.assertFails(self.marketo.raw("POST", "/rest/v1/leads.json", "{}").json, 612)
        self.assertFails(self.marketo.raw("POST", "/rest/v1/leads.json?_method=GET", "filterType=id").json, 612)
        for body in ("", "{", "[]", "null", '{"input":[]} x', '{"a":"\xff"}'.encode("latin-1")):
            answer = self.marketo.raw("POST", "/rest/v1/leads.json", body, {"Content-Type": "application/json"}).json
            self.assertFails(answer, 609)

    def test_sizes(self):
        path = "/rest/v1/leads.json?filterType=email&filterValues="
        self.assertEqual(self.marketo.raw("GET", path + "x" * (8192 - len(path))).status, 200)
        self.assertEqual(self.marketo.raw("GET", path + "x" * (8193 - len(path))).status, 414)
        self.assertEqual(self.marketo.raw("POST", "/rest/v1/leads.json", "x" * (1024 * 1024 + 1)).status, 413)
        self.assertFails(self.marketo.post("leads.json", {"input": [{"email": "a@example.org"}] * 301}), 1003)
        self.assertFails(self.marketo.post("leads.json", {"input": []}), 701)
        self.assertFails(self.marketo.post("leads.json", {}), 701)

    def test_request_ids_differ(self):
        ids = {self.marketo.get("leads/partitions.json")["requestId"] for _ in range(50)}
        self.assertEqual(len(ids), 50)


class Schema(MarketoCase):
    def test_describe(self):
        fields = {f["rest"]["name"]: f for f in self.marketo.get("leads/describe.json")["result"]}
        self.assertEqual(fields["email"]["dataType"], "email")
        self.assertEqual(fields["email"]["length"], 255)
        self.assertEqual(fields["email"]["soap"], {"name": "Email", "readOnly": False})
        self.assertEqual(fields["address"]["dataType"], "text")
        self.assertFalse(fields["id"]["rest"]["readOnly"])
        self.assertTrue(fields["createdAt"]["rest"]["readOnly"])
        types = {"leadScore": "integer", "annualRevenue": "currency", "dateOfBirth": "date", "doNotCall": "boolean",
                 "numberOfEmployees": "integer", "website": "url", "phone": "phone", "emailSuspendedAt": "datetime",
                 "mktoPersonNotes": "text", "leadPartitionId": "reference", "inferredCity": "string"}
        self.assertEqual({name: fields[name]["dataType"] for name in types}, types)
        self.assertEqual(len({f["id"] for f in fields.values()}), len(fields))
        self.assertEqual(len({f["displayName"] for f in fields.values()}), len(fields))

    def test_describe2(self):
        self.field("link_id")
        self.field("flag", "boolean")
        result = self.marketo.get("leads/describe2.json")["result"]
        self.assertEqual(result[0]["name"], "API Lead")
        self.assertEqual(result[0]["searchableFields"], [["id"], ["email"], ["leadPartitionId"], ["link_id"]])
        fields = {f["name"]: f for f in result[0]["fields"]}
        self.assertTrue(fields["link_id"]["updateable"])
        self.assertFalse(fields["updatedAt"]["updateable"])
        self.assertFalse(any(f["crmManaged"] for f in fields.values()))

    def test_fields_are_created_renamed_and_hidden(self):
        wanted = [{"displayName": "Kind %s" % t, "name": "kind_" + t, "dataType": t, "description": "for a test"} for t in
                  ("boolean", "currency", "date", "datetime", "email", "float", "integer", "percent", "phone", "score",
                   "string", "url")]
        result = self.marketo.post("leads/schema/fields.json", {"input": wanted})["result"]
        self.assertEqual([r["status"] for r in result], ["created"] * 12)
        one = self.marketo.get("leads/schema/fields/kind_url.json")["result"][0]
        self.assertEqual(one, {"displayName": "Kind url", "name": "kind_url", "description": "for a test",
                               "dataType": "url", "length": 255, "isHidden": False, "isHtmlEncodingInEmail": True,
                               "isSensitive": False, "isCustom": True, "isApiCreated": True})
        path = "leads/schema/fields/kind_url.json"
        self.assertEqual(self.marketo.post(path, {"input": [{"displayName": "Renamed", "isHidden": True}]})["result"],
                         [{"name": "kind_url", "status": "updated"}])
        one = self.marketo.get(path)["result"][0]
        self.assertEqual((one["displayName"], one["isHidden"]), ("Renamed", True))
        names = [f["rest"]["name"] for f in self.marketo.get("leads/describe.json")["result"]]
        self.assertNotIn("kind_url", names)
        self.assertSkipped(self.sync({"email": "h@example.org", "kind_url": "x"})[0], 1006, "Field 'kind_url' not found")

    def test_what_cannot_be_created(self):
        self.field("taken")
        cases = [({"displayName": "A", "name": "a", "dataType": "text"}, 1003),
                 ({"displayName": "A", "name": "1a", "dataType": "string"}, 1003),
                 ({"displayName": "A", "name": "a-b", "dataType": "string"}, 1003),
                 ({"displayName": "A", "name": "a"}, 1002),
                 ({"displayName": "A", "name": "Taken", "dataType": "string"}, 1017),
                 ({"displayName": "Email Address", "name": "a", "dataType": "string"}, 1017)]
        result = self.marketo.post("leads/schema/fields.json", {"input": [c[0] for c in cases]})["result"]
        for (_, code), record in zip(cases, result):
            self.assertSkipped(record, code)
        path = "leads/schema/fields/%s.json"
        self.assertSkipped(self.marketo.post(path % "taken", {"input": [{"dataType": "integer"}]})["result"][0], 1003)
        self.assertSkipped(self.marketo.post(path % "email", {"input": [{"isHidden": True}]})["result"][0], 1003)
        self.assertFails(self.marketo.get(path % "nowhere"), 1006)

    def test_a_hundred_fields_and_pages_of_them(self):
        names = ["many%d" % i for i in range(101)]
        result = self.marketo.post("leads/schema/fields.json", {"input": [
            {"displayName": name, "name": name, "dataType": "string"} for name in names]})["result"]
        self.assertEqual([r["status"] for r in result], ["created"] * 100 + ["skipped"])
        seen, token = [], {}
        while True:
            page = self.marketo.get("leads/schema/fields.json", batchSize=50, **token)
            self.assertLessEqual(len(page["result"]), 50)
            seen += [f["name"] for f in page["result"]]
            if not page.get("moreResult"):
                break
            token = {"nextPageToken": page["nextPageToken"]}
        self.assertEqual(len(seen), len(set(seen)))
        self.assertTrue({"email", "many0", "many99"} <= set(seen))


class Reading(MarketoCase):
    def test_one_by_id(self):
        lead = self.create(email="Nadia.Okafor@example.org", firstName="Nadia", lastName="Okafor")
        found = self.lead(lead)
        self.assertEqual(list(found), ["id", "firstName", "lastName", "email", "updatedAt", "createdAt"])
        self.assertRegex(found["createdAt"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        found = self.lead(lead, "title", "doNotCall", "leadScore", "mktoName", "leadPartitionId")
        self.assertEqual(list(found.items())[:5], [("title", None), ("doNotCall", False), ("leadScore", None),
                                                   ("mktoName", "Nadia Okafor"), ("leadPartitionId", 1)])
        self.assertEqual(found["id"], lead)
        self.assertFails(self.marketo.get("lead/%d.json" % lead, fields="email,nowhere"), 1006)
        self.assertFails(self.marketo.get("lead/99999999.json"), 1004)
        self.limits(unknownLeadIsEmpty=True)
        self.assertEqual(self.marketo.get("lead/99999999.json")["result"], [])

    def test_many_by_email_and_custom_fields(self):
        self.field("link")
        self.field("number", "integer")
        self.field("other_mail", "email")
        self.field("flag", "boolean")
        first = self.create(email="A+b@example.org", link="Key-1", number=7, other_mail="x@example.org")
        second = self.create(email="a+B@example.org", link="key-1", number=8)
        for filter_type, values, wanted in (("email", ["a+b@EXAMPLE.org"], {first, second}), ("link", ["Key-1"], {first}),
                                            ("number", ["007", "8", "x"], {first, second}), ("other_mail", ["x@example.org"], {first}),
                                            ("id", [first, first, 5], {first}), ("leadPartitionId", [1], {first, second}),
                                            ("email", ["nobody@example.org"], set())):
            answer = self.find(filter_type, *values)
            self.assertTrue(answer["success"], answer)
            self.assertEqual({r["id"] for r in answer["result"]}, wanted, filter_type)
            self.assertEqual(len(answer["result"]), len(wanted))
        for filter_type, code in (("nowhere", 1006), ("flag", 1011), ("firstName", 1011)):
            self.assertFails(self.find(filter_type, "x"), code)
        self.assertFails(self.marketo.get("leads.json", filterType="id"), 701)
        self.assertFails(self.marketo.get("leads.json", filterValues="1"), 701)
        self.assertFails(self.find("id", *range(301)), 1003)
        query = "/rest/v1/leads.json?filterType=link&filterValues=Key-1&filterValues=key-1"
        self.assertEqual(len(self.marketo.raw("GET", query).json["result"]), 2)
        self.assertEqual(len(self.marketo.get("leads.json", filterType="id", filterValues=first)["result"]), 1)

    def test_an_index_follows_edits(self):
        self.field("link")
        lead = self.create(email="i@example.org", link="one")
        self.assertEqual(len(self.find("link", "one")["result"]), 1)
        self.sync({"id": lead, "link": "two", "email": "j@example.org"}, action="updateOnly", lookupField="id")
        self.assertEqual(self.find("link", "one")["result"], [])
        self.assertEqual(self.find("email", "i@example.org")["result"], [])
        self.assertEqual(self.find("link", "two")["result"][0]["id"], lead)
        self.assertEqual(self.find("email", "j@example.org")["result"][0]["id"], lead)

    def test_pages_and_too_many(self):
        self.field("same")
        for _ in range(4):
            self.sync(*[{"same": "x"}] * 250, action="createDuplicate")
        seen, token, pages = [], {}, 0
        while True:
            page = self.find("same", "x", **token)
            seen += [r["id"] for r in page["result"]]
            pages += 1
            if "nextPageToken" not in page:
                break
            self.assertTrue(page["moreResult"])
            self.assertEqual(len(page["result"]), 300)
            token = {"nextPageToken": page["nextPageToken"]}
        self.assertEqual((pages, len(seen), len(set(seen))), (4, 1000, 1000))
        self.assertEqual(len(self.find("same", "x", batchSize=7)["result"]), 7)
        self.assertFails(self.find("same", "x", batchSize=0), 1003)
        self.assertFails(self.find("same", "x", nextPageToken="QQ"), 1003)
        self.create(same="x")
        self.assertFails(self.find("same", "x"), 1003)
        for _ in range(5):
            self.sync(*[{"same": "x"}] * 300, action="createDuplicate")
        self.create(same="y")
        self.assertFails(self.find("same", "x"), 1003)
        self.assertEqual(len(self.find("same", "y")["result"]), 1)


class Writing(MarketoCase):
    def test_create_or_update(self):
        created = self.sync({"email": "one@example.org", "firstName": "A"}, {"email": "two@example.org"})
        self.assertEqual([r["status"] for r in created], ["created", "created"])
        updated = self.sync({"email": "TWO@example.org", "firstName": "B"}, {"email": "three@example.org"})
        self.assertEqual(updated[0], {"id": created[1]["id"], "status": "updated"})
        self.assertEqual(updated[1], {"id": created[1]["id"] + 1, "status": "created"})
        self.assertEqual(self.lead(created[1]["id"])["firstName"], "B")

    def test_lookup_by_a_custom_field_does_not_look_at_the_email(self):
        self.field("link")
        lead = self.create(email="key@example.org")
        made = self.sync({"link": "k1", "email": "key@example.org"}, lookupField="link")[0]
        self.assertEqual(made["status"], "created")
        self.assertNotEqual(made["id"], lead)
        self.assertEqual(self.sync({"link": "k1", "title": "T"}, lookupField="link")[0]["id"], made["id"])
        self.assertSkipped(self.sync({"email": "key@example.org", "title": "T"})[0], 1007,
                           "Multiple lead match lookup criteria")

    def test_the_same_new_key_twice_makes_two(self):
        self.assertEqual([r["status"] for r in self.sync({"email": "t@example.org"}, {"email": "t@example.org"})],
                         ["created", "created"])

    def test_the_other_actions(self):
        lead = self.create(email="here@example.org")
        self.assertSkipped(self.sync({"email": "here@example.org"}, action="createOnly")[0], 1005, "Lead already exists")
        self.assertSkipped(self.sync({"email": "n@example.org", "id": 5}, action="createOnly")[0], 1003)
        self.assertSkipped(self.sync({"email": "n@example.org"}, action="updateOnly")[0], 1004, "Lead not found")
        self.assertSkipped(self.sync({"id": 5}, action="updateOnly", lookupField="id")[0], 1004, "Lead not found")
        self.assertSkipped(self.sync({"title": "T"})[0], 1003)
        self.assertSkipped(self.sync({"email": None})[0], 1003)
        self.assertEqual(self.sync({"id": lead, "title": "T"}, action="updateOnly", lookupField="id"),
                         [{"id": lead, "status": "updated"}])
        self.assertEqual(self.sync({"email": "here@example.org"}, action="createDuplicate")[0]["status"], "created")
        for body, code in (({"action": "x"}, 1003), ({"lookupField": "id"}, 1003), ({"lookupField": "nowhere"}, 1006),
                           ({"lookupField": "firstName"}, 1011), ({"partitionName": "Mars"}, 1013),
                           ({"partitionName": "EMEA", "action": "updateOnly"}, 1003)):
            self.assertFails(self.marketo.post("leads.json", {"input": [{"email": "z@example.org"}], **body}), code)
        self.assertEqual(self.find("email", "z@example.org")["result"], [])

    def test_a_bad_record_harms_no_other_and_changes_nothing(self):
        result = self.sync({"email": "a1@example.org"}, {"email": "a2@example.org", "firstName": "X", "nowhere": 1}, "x",
                           {"email": "a3@example.org"})
        self.assertEqual([r["status"] for r in result], ["created", "skipped", "skipped", "created"])
        self.assertEqual(self.find("email", "a2@example.org")["result"], [])

    VALUES = [
        ("firstName", "Žofie \"q\" \\ \n\t", None), ("firstName", "x" * 255, None), ("firstName", "字" * 255, None),
        ("firstName", 12, "12"), ("phone", "+44 20", None), ("website", "https://example.org/?a=b", None),
        ("leadScore", 5, None), ("leadScore", "-7", -7), ("leadScore", 2147483647, None), ("annualRevenue", 1234.5, None),
        ("annualRevenue", "99.95", 99.95), ("annualRevenue", 10, None), ("doNotCall", True, None),
        ("doNotCall", "TRUE", True), ("doNotCall", 1, True), ("doNotCall", False, None), ("doNotCall", 0, False),
        ("dateOfBirth", "1988-02-29", None), ("emailSuspendedAt", "2026-08-30T14:05:09.987+02:00", "2026-08-30T12:05:09Z"),
        ("emailSuspendedAt", "2026-08-30T14:05:09", "2026-08-30T14:05:09Z"), ("address", "a\nb" * 10000, None),
        ("the_percent", 55, None), ("the_float", -0.125, None), ("the_score", 3, None), ("the_float", 1e21, None),
    ]
    BAD_VALUES = [
        ("leadScore", 14.1, "14.1"), ("leadScore", "x", "x"), ("leadScore", 2147483648, "2147483648"),
        ("leadScore", True, "true"), ("email", "nobody", "nobody"), ("email", "žofie@example.org", "žofie@example.org"),
        ("email", "a b@example.org", "a b@example.org"), ("doNotCall", "perhaps", "perhaps"), ("doNotCall", 2, "2"),
        ("dateOfBirth", "1987-02-29", "1987-02-29"), ("dateOfBirth", "30.08.1987", "30.08.1987"),
        ("emailSuspendedAt", "yesterday", "yesterday"), ("emailSuspendedAt", "2026-08-30T25:00:00Z", "2026-08-30T25:00:00Z"),
        ("annualRevenue", "much", "much"), ("firstName", ["a"], None), ("firstName", {}, None),
        ("the_percent", 1.5, "1.5"), ("the_float", "NaN", "NaN"), ("firstName", "x" * 256, None),
        ("address", "ž" * 15001, None), ("createdAt", "2026-08-30T14:05:09Z", None), ("inferredCity", "X", None),
    ]

    def test_values(self):
        for name in ("percent", "float", "score"):
            self.field("the_" + name, name)
        lead = self.create(email="values@example.org")
        for name, sent, read in self.VALUES:
            with self.subTest(field=name, value=str(sent)[:40]):
                self.assertEqual(self.sync({"id": lead, name: sent}, action="updateOnly", lookupField="id")[0]["status"],
                                 "updated")
                self.assertEqual(self.lead(lead, name)[name], sent if read is None else read)
        for name, sent, text in self.BAD_VALUES:
            with self.subTest(field=name, bad=str(sent)[:40]):
                record = self.sync({"id": lead, name: sent}, action="updateOnly", lookupField="id")[0]
                self.assertSkipped(record, 1003, text and f"Invalid value for field '{name}' and value '{text}'")
        for empty in (None, ""):
            names = ["firstName", "leadScore", "annualRevenue", "dateOfBirth", "doNotCall", "address"]
            self.sync({"id": lead, "firstName": "A", "leadScore": 1, "doNotCall": True}, action="updateOnly", lookupField="id")
            self.sync({"id": lead, **{name: empty for name in names}}, action="updateOnly", lookupField="id")
            self.assertEqual([self.lead(lead, *names)[name] for name in names], [None, None, None, None, False, None])

    def test_no_company_and_no_sales_person_to_link_to(self):
        result = self.sync({"email": "c@example.org", "externalCompanyId": "x"},
                           {"email": "c@example.org", "externalSalesPersonId": "x"})
        self.assertSkipped(result[0], 1013)
        self.assertSkipped(result[1], 718)

    def test_updated_at_follows_standard_fields_only(self):
        self.field("own")
        lead = self.create(email="u@example.org", title="A")
        before = self.lead(lead)["updatedAt"]
        self.sandbox.control("clock", {"advanceSeconds": 100})
        self.sync({"email": "u@example.org", "own": "x", "title": "A"})
        self.assertEqual(self.lead(lead)["updatedAt"], before)
        self.sync({"email": "u@example.org", "title": "B"})
        self.assertGreater(self.lead(lead)["updatedAt"], before)

    def test_delete(self):
        leads = [self.create(email="d%d@example.org" % i) for i in range(4)]
        result = self.marketo.post("leads/delete.json", {"input": [{"id": leads[0]}, {"id": 5}]})["result"]
        self.assertEqual(result[0], {"id": leads[0], "status": "deleted"})
        self.assertSkipped(result[1], 1004)
        result = self.marketo.raw("POST", "/rest/v1/leads/delete.json?id=%d,%d" % (leads[0], leads[1])).json["result"]
        self.assertEqual([r["status"] for r in result], ["skipped", "deleted"])
        result = self.marketo.raw("POST", "/rest/v1/leads.json?_method=DELETE&id=%d" % leads[2]).json["result"]
        self.assertEqual(result, [{"id": leads[2], "status": "deleted"}])
        self.assertEqual([r["id"] for r in self.find("id", *leads)["result"]], [leads[3]])
        self.assertEqual(self.find("email", "d0@example.org")["result"], [])
        self.assertGreater(self.create(email="d0@example.org"), leads[3])

    def test_merge(self):
        winner = self.create(email="w@example.org", firstName="W")
        loser = self.create(email="l@example.org", firstName="L", lastName="Lost")
        third = self.create(title="Third")
        answer = self.marketo.raw("POST", "/rest/v1/leads/%d/merge.json?leadIds=%d,%d" % (winner, loser, third)).json
        self.assertEqual((answer["success"], "result" in answer), (True, False))
        found = self.lead(winner, "email", "firstName", "lastName", "title")
        self.assertEqual(found, {"id": winner, "email": "w@example.org", "firstName": "W", "lastName": "Lost",
                                 "title": "Third"})
        self.assertFails(self.marketo.get("lead/%d.json" % loser), 1004)
        path = "/rest/v1/leads/%d/merge.json?leadIds=%s"
        self.assertFails(self.marketo.raw("POST", path % (winner, loser)).json, 1004)
        self.assertFails(self.marketo.raw("POST", path % (loser, winner)).json, 1004)
        many = ",".join(str(self.create(title="M")) for _ in range(26))
        self.assertFails(self.marketo.raw("POST", path % (winner, many)).json, 1080)

    def test_partitions(self):
        self.assertEqual([(p["id"], p["name"]) for p in self.marketo.get("leads/partitions.json")["result"]],
                         [(1, "Default"), (2, "EMEA")])
        lead = self.sync({"email": "p@example.org"}, partitionName="EMEA")[0]["id"]
        self.assertEqual(self.lead(lead, "leadPartitionId")["leadPartitionId"], 2)
        self.assertSkipped(self.sync({"email": "p@example.org"}, partitionName="Default")[0], 1010)
        moved = self.marketo.post("leads/partitions.json", {"input": [{"id": lead, "partitionName": "Default"}]})
        self.assertEqual(moved["result"], [{"id": lead, "status": "updated"}])
        self.assertEqual(self.lead(lead, "leadPartitionId")["leadPartitionId"], 1)


class DurableUnsubscribe(MarketoCase):
    def out(self, lead):
        return self.lead(lead, "unsubscribed")["unsubscribed"]

    def set(self, lead, **fields):
        self.sync({"id": lead, **fields}, action="updateOnly", lookupField="id")

    def test_it_spreads_both_ways(self):
        one, two = self.create(email="S@example.org"), self.create(email="s@example.org")
        other = self.create(email="o@example.org")
        self.set(one, unsubscribed=True)
        self.assertEqual((self.out(one), self.out(two), self.out(other)), (True, True, False))
        self.set(two, unsubscribed=False)
        self.assertEqual((self.out(one), self.out(two)), (False, False))

    def test_a_new_person_inherits_it_whatever_is_sent(self):
        self.set(self.create(email="n@example.org"), unsubscribed=True)
        self.assertTrue(self.out(self.create(email="N@example.org", unsubscribed=False)))
        one = self.create(email="m@example.org")
        self.create(email="m@example.org", unsubscribed=True)
        self.assertTrue(self.out(one))

    def test_it_survives_the_person(self):
        lead = self.create(email="g@example.org", unsubscribed=True)
        self.marketo.post("leads/delete.json", {"input": [{"id": lead}]})
        self.assertTrue(self.out(self.create(email="g@example.org")))

    def test_a_change_of_address_takes_the_new_ones_state(self):
        self.create(email="bad@example.org", unsubscribed=True)
        lead = self.create(email="good@example.org")
        self.set(lead, email="bad@example.org")
        self.assertTrue(self.out(lead))
        self.set(lead, email="fresh@example.org")
        self.assertFalse(self.out(lead))


if __name__ == "__main__":
    unittest.main()
