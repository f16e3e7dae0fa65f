"""The Marketo side of the sandbox: companies and sales persons, and the people who point to them."""

import unittest

from marketo_case import MarketoCase


class ObjectCase(MarketoCase):
    def put(self, path, *records, **options):
        answer = self.marketo.post(path + ".json", {"input": list(records), **options})
        self.assertTrue(answer["success"], answer)
        return answer["result"]

    def make(self, key, **fields):
        result = self.put("companies", {"externalCompanyId": key, **fields})[0]
        self.assertEqual((result["seq"], result["status"]), (0, "created"))
        return result["id"]

    def companies(self, filter_type, *values, **more):
        return self.marketo.get("companies.json", filterType=filter_type, filterValues=",".join(map(str, values)), **more)

    def codes(self, result):
        for place, record in enumerate(result):
            self.assertEqual(record["seq"], place)
        return [x["reasons"][0]["code"] if x["status"] == "skipped" else x["status"] for x in result]


class Companies(ObjectCase):
    def test_describe(self):
        described = self.marketo.get("companies/describe.json")["result"][0]
        self.assertEqual((described["name"], described["idField"], described["dedupeFields"], described["searchableFields"]),
                         ("Company", "id", ["externalCompanyId"], [["externalCompanyId"], ["id"], ["company"]]))
        fields = {f["name"]: f for f in described["fields"]}
        self.assertEqual((fields["externalCompanyId"]["length"], fields["externalCompanyId"]["updateable"]), (100, False))
        self.assertEqual((fields["annualRevenue"]["dataType"], fields["annualRevenue"]["updateable"]), ("currency", True))
        self.assertEqual(len(fields), 19)

    def test_write_and_read(self):
        first = self.make("k1", company="Okafor & Sons", industry="Logistics", annualRevenue=1.5)
        second = self.make("k2")
        got = self.companies("externalCompanyId", "k2", "none", "k1", fields="company,annualRevenue")
        self.assertEqual(got["result"], [{"seq": 0, "company": None, "annualRevenue": None, "id": second,
                                          "externalCompanyId": "k2"},
                                         {"seq": 1, "company": "Okafor & Sons", "annualRevenue": 1.5, "id": first,
                                          "externalCompanyId": "k1"}])
        for filter_type, value in (("id", first), ("idField", first), ("dedupeFields", "k1"), ("company", "okafor & sons")):
            found = self.companies(filter_type, value)["result"]
            self.assertEqual([list(x) for x in found], [["seq", "id", "externalCompanyId", "createdAt", "updatedAt"]])
            self.assertEqual(found[0]["id"], first)
        page = self.companies("externalCompanyId", "k1", "k2", batchSize=1)
        self.assertTrue(page["moreResult"])
        page = self.companies("externalCompanyId", "k1", "k2", batchSize=1, nextPageToken=page["nextPageToken"])
        self.assertEqual([x["externalCompanyId"] for x in page["result"]], ["k2"])
        for filter_type, values, code in (("", "x", 701), ("id", "", 701), ("industry", "x", 1003), ("nothing", "x", 1006),
                                          ("id", ",".join(["1"] * 301), 1003)):
            self.assertFails(self.companies(filter_type, values), code)
        self.assertFails(self.companies("id", "1", fields="email"), 1006)

    def test_actions_and_refusals_of_records(self):
        known = self.make("k1", company="A")
        of = lambda *records, **more: self.codes(self.put("companies", *records, **more))
        key = {"externalCompanyId": "k1"}
        self.assertEqual(of({**key, "company": "B"}), ["updated"])
        self.assertEqual(of(key, {"externalCompanyId": "k2"}, action="createOnly"), ["1017", "created"])
        self.assertEqual(of(key, {"externalCompanyId": "k3"}, action="updateOnly"), ["updated", "1013"])
        self.assertEqual(of({"id": known, "company": "C"}, {"id": 9}, {"id": known}, dedupeBy="idField"),
                         ["updated", "1013", "1036"])
        self.assertEqual(of({"id": known, "externalCompanyId": "k9"}, dedupeBy="idField"), ["1003"])
        self.assertEqual(of(key, key, {}, {"externalCompanyId": "k4", "email": "x"},
                            {"externalCompanyId": "k5", "numberOfEmployees": "many"}, {"externalCompanyId": "k" * 101},
                            {"externalCompanyId": "k6", "externalSalesPersonId": "none"}, {"externalCompanyId": "k7", "id": 1}),
                         ["updated", "1036", "1002", "1006", "1003", "1003", "718", "1003"])
        self.assertEqual(self.companies("externalCompanyId", "k4", "k5", "k6", "k7")["result"], [])
        self.assertEqual(self.companies("id", known, fields="company")["result"][0]["company"], "C")
        for more in ({"action": "createOnly", "dedupeBy": "idField"}, {"action": "x"}, {"dedupeBy": "x"}, {"action": 5}):
            self.assertFails(self.marketo.post("companies.json", {"input": [key], **more}), 1003)
        self.assertFails(self.marketo.post("companies.json", {"input": [key] * 301}), 1003)
        self.assertFails(self.user("reader").post("companies.json", {"input": [key]}), 603)

    def test_delete(self):
        first, second = self.make("k1"), self.make("k2")
        gone = self.put("companies/delete", {"externalCompanyId": "k1"}, {"externalCompanyId": "k1"}, {})
        self.assertEqual(gone[0], {"seq": 0, "status": "deleted", "id": first})
        self.assertEqual(self.codes(gone), ["deleted", "1013", "1002"])
        lead = self.create(email="a@example.org", externalCompanyId="k2")
        self.assertEqual(self.codes(self.put("companies/delete", {"id": second}, deleteBy="idField")), ["1022"])
        self.marketo.post("leads/delete.json", {"input": [{"id": lead}]})
        self.assertEqual(self.codes(self.put("companies/delete", {"id": second}, deleteBy="idField")), ["deleted"])
        self.assertFails(self.marketo.post("companies/delete.json", {"input": [{}], "deleteBy": "x"}), 1003)
        self.assertNotEqual(self.make("k1"), first)


class LinkedPeople(ObjectCase):
    def test_they_show_the_values_of_their_company(self):
        self.make("k1", company="First", industry="Logistics")
        self.make("k2", company="Second")
        lead = self.create(email="a@example.org", company="Own", website="https://own.example.org")
        fields = ("company", "industry", "website", "externalCompanyId")
        self.sync({"id": lead, "externalCompanyId": "k1"}, action="updateOnly", lookupField="id")
        self.assertEqual(self.lead(lead, *fields), {"company": "First", "industry": "Logistics", "website": None,
                                                    "externalCompanyId": "k1", "id": lead})
        self.put("companies", {"externalCompanyId": "k1", "company": "Renamed"})
        self.assertEqual(self.lead(lead, "company")["company"], "Renamed")
        self.sync({"id": lead, "externalCompanyId": "k2"}, action="updateOnly", lookupField="id")
        self.assertEqual(self.lead(lead, "company", "industry"), {"company": "Second", "industry": None, "id": lead})

    def test_what_they_refuse(self):
        self.make("k1", company="First")
        lead = self.create(email="a@example.org", externalCompanyId="k1")
        by_id = {"action": "updateOnly", "lookupField": "id"}
        self.assertSkipped(self.sync({"id": lead, "company": "x"}, **by_id)[0], 1021)
        self.assertSkipped(self.sync({"id": lead, "externalCompanyId": None}, **by_id)[0], 1003)
        self.assertSkipped(self.sync({"id": lead, "externalCompanyId": "none"}, **by_id)[0], 1013)
        self.assertSkipped(self.sync({"email": "b@example.org", "externalCompanyId": "k1", "industry": "x"})[0], 1021)
        self.assertEqual(self.find("email", "b@example.org")["result"], [])
        self.assertEqual(self.sync({"id": lead, "firstName": "A", "externalCompanyId": "k1"}, **by_id)[0]["status"], "updated")
        self.assertEqual(self.lead(lead, "company", "firstName"), {"company": "First", "firstName": "A", "id": lead})

    def test_a_winner_inherits_the_link(self):
        self.make("k1", company="First")
        winner, loser = self.create(email="a@example.org"), self.create(email="b@example.org", externalCompanyId="k1")
        self.marketo.raw("POST", "/rest/v1/leads/%d/merge.json?leadId=%d" % (winner, loser))
        self.assertEqual(self.lead(winner, "company")["company"], "First")


class SalesPersons(ObjectCase):
    def test_life(self):
        key = {"externalSalesPersonId": "s1"}
        described = self.marketo.get("salespersons/describe.json")["result"][0]
        self.assertEqual((described["name"], described["dedupeFields"]), ("SalesPerson", ["externalSalesPersonId"]))
        self.assertEqual([f["name"] for f in described["fields"]],
                         ["externalSalesPersonId", "id", "createdAt", "updatedAt", "email", "firstName", "lastName", "phone",
                          "mobilePhone", "fax", "title"])
        made = self.put("salespersons", {**key, "email": "s@example.org", "lastName": "Seller"})[0]["id"]
        got = self.marketo.get("salespersons.json", filterType="email", filterValues="S@example.org", fields="lastName")
        self.assertEqual(got["result"], [{"seq": 0, "lastName": "Seller", "id": made, "externalSalesPersonId": "s1"}])
        self.assertEqual(self.codes(self.put("salespersons", {**key, "company": "x"})), ["1006"])
        lead = self.create(email="a@example.org", externalSalesPersonId="s1")
        self.assertSkipped(self.sync({"email": "b@example.org", "externalSalesPersonId": "s2"})[0], 718)
        self.assertEqual(self.codes(self.put("salespersons/delete", key)), ["1022"])
        self.sync({"id": lead, "externalSalesPersonId": None}, action="updateOnly", lookupField="id")
        self.make("k1", externalSalesPersonId="s1")
        self.assertEqual(self.codes(self.put("salespersons/delete", key)), ["1022"])
        self.put("companies", {"externalCompanyId": "k1", "externalSalesPersonId": None})
        self.assertEqual(self.codes(self.put("salespersons/delete", key)), ["deleted"])
        self.assertFails(self.user("reader").post("salespersons.json", {"input": [key]}), 603)


if __name__ == "__main__":
    unittest.main()
