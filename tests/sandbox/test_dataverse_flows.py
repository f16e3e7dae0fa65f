"""The Dynamics side: change tracking, batches, bulk actions, metadata, qualify, merge, loading people."""

import concurrent.futures
import os
import tempfile
import unittest
import xml.etree.ElementTree

from dataverse_case import ABSENT, API, DataverseCase, Dynamics, change_set, multipart, request_part
from sandbox import Sandbox

TRACK = "odata.track-changes"


class Tracking(DataverseCase):
    def follow(self, link, size=5000, **headers):
        """All entries from a link on, and the delta link at the end. Only the last page may carry one."""
        entries, pages = [], 0
        while True:
            got = self.get(link, Prefer=f"{TRACK},odata.maxpagesize={size}" if not pages else f"odata.maxpagesize={size}", **headers)
            entries += got["value"]
            pages += 1
            self.assertNotEqual("@odata.nextLink" in got, "@odata.deltaLink" in got)
            self.assertLessEqual(len(got["value"]), size)
            if "@odata.deltaLink" in got:
                self.pages = pages
                return entries, got["@odata.deltaLink"]
            link = got["@odata.nextLink"]

    def test_baseline(self):
        for n in range(5):
            self.create(lastname=f"n{n}")
        inactive = self.create(lastname="inactive")
        self.patch(f"contacts({inactive})", statecode=1)
        gone = self.create(lastname="gone")
        self.tandem.call("DELETE", f"contacts({gone})")
        answer = self.tandem.call("GET", "contacts?$select=lastname", Prefer=f"{TRACK}, odata.maxpagesize=2")
        self.assertEqual(answer.headers["preference-applied"], "odata.track-changes, odata.maxpagesize=2")
        self.assertTrue(answer.json["@odata.context"].endswith("$metadata#contacts(lastname)"))
        self.assertIn("istracking=%22True%22", answer.json["@odata.nextLink"])
        entries, link = self.follow("contacts?$select=lastname", size=2)
        self.assertEqual([entry["lastname"] for entry in entries], ["n0", "n1", "n2", "n3", "n4", "inactive"])
        self.assertEqual(self.pages, 3)
        self.assertRegex(link, r"^http://[^/]+/api/data/v9.2/contacts\?\$select=lastname&\$deltatoken=\d+%21\d\d%2f\d\d%2f\d{4}%20"
                         r"\d\d%3a\d\d%3a\d\d$")

    def test_delta(self):
        rows = [self.create(lastname=f"n{n}") for n in range(4)]
        _, link = self.follow("contacts?$select=lastname,versionnumber")
        got = self.get(link)
        self.assertEqual((got["value"], got["@odata.context"].endswith("#contacts(lastname,versionnumber)/$delta")), ([], True))
        seller = self.user("seller")
        self.patch(f"contacts({rows[2]})", by=seller, lastname="by seller")
        self.tandem.call("DELETE", f"contacts({rows[1]})")
        self.patch(f"contacts({rows[0]})", lastname="own")
        self.patch(f"contacts({rows[2]})", by=seller, jobtitle="not selected")
        made = self.create(lastname="made")
        short = self.create(lastname="short")
        self.tandem.call("DELETE", f"contacts({short})")
        entries, after = self.follow(link)
        self.assertEqual([e.get("lastname") for e in entries], ["own", "by seller", "made", None, None])
        versions = [e["versionnumber"] for e in entries[:3]]
        self.assertEqual(versions, sorted(versions))
        self.assertEqual(entries[0]["@odata.etag"], 'W/"%d"' % versions[0])
        self.assertEqual(entries[3], {"@odata.context": self.tandem.origin + API + "$metadata#contacts/$deletedEntity",
                                      "id": rows[1], "reason": "deleted"})
        self.assertEqual(entries[4]["id"], short)
        self.assertEqual(entries[2]["contactid"], made)
        self.assertEqual(self.follow(link)[0], entries)  # a token can be asked again
        self.assertEqual(self.get(after)["value"], [])
        self.assertEqual(self.tandem.call("GET", link.replace("/contacts?", "/contacts/$count?")).body, b"\xef\xbb\xbf5")
        for size in (1, 2, 3, 4):
            self.assertEqual(self.follow(link, size)[0], entries)

    def test_nothing_is_lost_between_pages(self):
        rows = [self.create(lastname=f"n{n}") for n in range(4)]
        page = self.get("contacts?$select=lastname", Prefer=f"{TRACK},odata.maxpagesize=2")
        self.patch(f"contacts({rows[0]})", lastname="late")  # already handed out
        self.patch(f"contacts({rows[3]})", lastname="soon")
        entries, link = self.follow(page["@odata.nextLink"], size=2)
        self.assertEqual([e["lastname"] for e in entries], ["n2", "soon"])
        self.assertEqual([e["lastname"] for e in self.get(link)["value"]], ["late", "soon"])
        link = self.get(link)["@odata.deltaLink"]
        for row in rows:
            self.patch(f"contacts({row})", lastname="again")
        page = self.get(link, Prefer="odata.maxpagesize=1")
        self.patch(f"contacts({rows[0]})", lastname="late again")
        self.patch(f"contacts({rows[2]})", lastname="moved on")
        entries, link = self.follow(page["@odata.nextLink"], size=1)
        self.assertEqual([e["contactid"] for e in entries], [rows[1], rows[3]])
        self.assertEqual([e["lastname"] for e in self.get(link)["value"]], ["late again", "moved on"])

    def test_a_row_made_again_is_a_change(self):
        self.create(contactid=ABSENT, lastname="first")
        _, link = self.follow("contacts?$select=lastname")
        self.tandem.call("DELETE", f"contacts({ABSENT})")
        self.create(contactid=ABSENT, lastname="second")
        self.assertEqual([e.get("lastname") for e in self.get(link)["value"]], ["second"])

    def test_tables_have_feeds_of_their_own(self):
        _, link = self.follow("leads?$select=lastname")
        self.create(lastname="contact")
        self.assertEqual(self.get(link)["value"], [])
        self.create("leads", lastname="lead")
        self.assertEqual(len(self.get(link)["value"]), 1)

    def test_forbidden_options(self):
        for option in ("$filter=lastname eq 'x'", "$orderby=lastname", "$expand=x", "$top=5"):
            name = option.partition("=")[0]
            self.assertRefused(self.tandem.call("GET", "contacts?$select=lastname&" + option, Prefer=TRACK), 400, "0x80060888",
                               f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.')
        self.assertRefused(self.tandem.call("GET", "teams?$select=name", Prefer=TRACK), 400, "0x80072491")
        got = self.get("contacts?$select=lastname", Prefer=f'{TRACK},odata.include-annotations="*"')
        self.assertNotIn("@odata.deltaLink", got)

    def test_expiry(self):
        self.assertEqual(self.rows("organizations?$select=expirechangetrackingindays")[0]["expirechangetrackingindays"], 7)
        _, link = self.follow("contacts?$select=lastname")
        self.sandbox.control("clock", {"advanceSeconds": 7 * 86400 - 60})
        self.tandem.token = None
        self.get(link)
        self.sandbox.control("clock", {"advanceSeconds": 120})
        self.assertRefused(self.tandem.call("GET", link), 400, "0x80044352",
                           "Version stamp associated with the client has expired. Please perform a full sync.")
        self.limits(trackingDays=30)
        self.get(link)
        self.assertEqual(self.rows("organizations?$select=expirechangetrackingindays")[0]["expirechangetrackingindays"], 30)
        self.assertRefused(self.tandem.call("GET", "contacts?$deltatoken=nonsense"), 400, "0x80060888")
        ahead = link.replace("$deltatoken=7", "$deltatoken=97")
        self.assertRefused(self.tandem.call("GET", ahead), 400, "0x80044352")


class Batches(DataverseCase):
    def test_all_succeed(self):
        row = self.create(lastname="x")
        answer, parts = self.tandem.batch(
            request_part("PATCH", f"contacts({row})", {"jobtitle": "CTO"}, If_Match="*"),
            request_part("POST", "contacts?$select=lastname", {"lastname": "Iversen"}, Prefer="return=representation"),
            request_part("GET", f"contacts({row})?$select=jobtitle", Accept="application/json"),
            request_part("GET", self.tandem.origin + API + "contacts?$select=lastname&$top=1"),
            request_part("DELETE", f"contacts({row})"))
        self.assertEqual(answer.status, 200)
        self.assertEqual([part.status for part in parts], [204, 201, 200, 200, 204])
        self.assertEqual(parts[0].headers["odata-entityid"], f"{self.tandem.origin}{API}contacts({row})")
        self.assertEqual(parts[0].headers["location"], parts[0].headers["odata-entityid"])
        self.assertEqual((parts[1].json["lastname"], parts[2].json["jobtitle"]), ("Iversen", "CTO"))
        self.assertEqual(parts[2].headers["content-type"], "application/json; odata.metadata=minimal; odata.streaming=true")
        self.assertEqual(parts[1].headers["content-type"], "application/json; odata.metadata=minimal")

    def test_stops_at_the_first_failure(self):
        good, bad = request_part("POST", "contacts", {"lastname": "kept"}), request_part("POST", "contacts", {"lastname": "x" * 51})
        answer, parts = self.tandem.batch(good, bad, good)
        self.assertEqual((answer.status, [part.status for part in parts]), (400, [204, 400]))
        self.assertEqual(parts[1].json["error"]["code"], "0x80044331")
        self.assertIn("req_id", parts[1].headers)
        self.assertEqual(len(self.rows("contacts?$select=lastname")), 1)
        answer, parts = self.tandem.batch(good, bad, good, Prefer="odata.continue-on-error")
        self.assertEqual((answer.status, [part.status for part in parts]), (200, [204, 400, 204]))
        self.assertEqual(len(self.rows("contacts?$select=lastname")), 3)

    def test_conditions_belong_to_their_part(self):
        row = self.create(lastname="x")
        answer, parts = self.tandem.batch(request_part("PATCH", f"contacts({ABSENT})", {"lastname": "y"}, If_Match="*"),
                                          request_part("PATCH", f"contacts({row})", {"lastname": "y"}, If_Match='W/"1"'),
                                          request_part("PATCH", f"contacts({row})", {"lastname": "y"}, If_None_Match="*"),
                                          Prefer="odata.continue-on-error")
        self.assertEqual([part.json["error"]["code"] for part in parts], ["0x80040217", "0x80060882", "0x80040237"])
        self.assertEqual([part.status for part in parts], [404, 412, 412])

    def test_change_set(self):
        answer, parts = self.tandem.batch(change_set(
            request_part("POST", "accounts", {"name": "Fabrikam AS"}, Content_ID=1),
            request_part("POST", "contacts", {"lastname": "Iversen", "parentcustomerid_account@odata.bind": "$1"}, Content_ID=2),
            request_part("PATCH", "$2", {"jobtitle": "CTO"}, Content_ID=3)))
        self.assertEqual(answer.status, 200)
        self.assertEqual([(part.status, part.outer["Content-ID"]) for part in parts[0]], [(204, "1"), (204, "2"), (204, "3")])
        row = self.rows("contacts?$select=jobtitle,_parentcustomerid_value")[0]
        self.assertEqual((row["jobtitle"], row["_parentcustomerid_value"]), ("CTO", self.rows("accounts?$select=name")[0]["accountid"]))

    def test_a_change_set_is_all_or_nothing(self):
        row = self.create(lastname="before", emailaddress1="before@example.org", new_marketoid="1")
        other = self.create(lastname="other")
        feed = self.get("contacts?$select=lastname", Prefer=TRACK)["@odata.deltaLink"]
        broken = change_set(request_part("PATCH", f"contacts({row})", {"lastname": "after", "emailaddress1": "after@example.org",
                                                                      "new_marketoid": "2"}, Content_ID=1),
                            request_part("DELETE", f"contacts({other})", Content_ID=2),
                            request_part("POST", "contacts", {"contactid": ABSENT, "lastname": "new"}, Content_ID=3),
                            request_part("POST", "contacts", {"lastname": "x" * 51}, Content_ID=4))
        answer, parts = self.tandem.batch(broken, request_part("POST", "leads", {"lastname": "next"}), Prefer="odata.continue-on-error")
        self.assertEqual((answer.status, len(parts), parts[1].status), (200, 2, 204))
        self.assertEqual([(part.status, part.outer["Content-ID"]) for part in parts[0]], [(400, "4")])
        self.assertEqual(parts[0][0].json["error"]["code"], "0x80044331")
        self.assertEqual(sorted(r["lastname"] for r in self.rows("contacts?$select=lastname")), ["before", "other"])
        self.assertEqual(len(self.rows("contacts?$filter=emailaddress1 eq 'before@example.org'")), 1)
        self.assertEqual(len(self.rows("contacts?$filter=emailaddress1 eq 'after@example.org'")), 0)
        self.assertEqual(self.get("contacts(new_marketoid='1')?$select=lastname")["lastname"], "before")
        self.assertEqual(self.get(feed)["value"], [])
        self.create(contactid=ABSENT, lastname="now")
        answer, _ = self.tandem.batch(broken)
        self.assertEqual(answer.status, 412)
        self.assertEqual([e["lastname"] for e in self.get(feed)["value"]], ["now"])

    def test_malformed(self):
        def refused(body, text, kind="multipart/mixed; boundary=batch_1"):
            answer = self.tandem.call("POST", "$batch", body, Content_Type=kind)
            self.assertRefused(answer, 400, "0x80060888", text)

        get = request_part("GET", "contacts")
        refused(multipart("batch_1", get), "boundary", "application/json")
        refused(multipart("other", get), "delimiter")
        refused(multipart("batch_1", get).replace("\r\n", "\n"), "CRLF")
        refused(multipart("batch_1", get).removesuffix("--batch_1--\r\n"), "delimiter")
        refused("--batch_1--\r\n", "no part")
        refused(multipart("batch_1", get.removesuffix("\r\n\r\n")), "empty line")
        short, parts = self.tandem.batch(get.removesuffix("\r\n"))   # one line end for the headers and the delimiter
        self.assertEqual((short.status, parts[0].status), (200, 200))
        refused(multipart("batch_1", change_set(get.replace("binary", "binary\r\nContent-ID: 1"))), "GET")
        refused(multipart("batch_1", change_set(request_part("POST", "contacts", {}))), "Content-ID")
        refused(multipart("batch_1", *[get] * 1001), "too many parts")
        answer, parts = self.tandem.batch(request_part("POST", API + "$batch", {}))
        self.assertEqual((answer.status, parts[0].status), (400, 400))
        answer, parts = self.tandem.batch(change_set(request_part("POST", "contacts", {"parentcustomerid_contact@odata.bind": "$9"},
                                                                  Content_ID=1)))
        self.assertEqual(parts[0][0].json["error"]["message"], "Content-ID Reference: '$9' does not exist in the batch context.")

    def test_rights_and_throttling(self):
        answer, parts = self.user("stranger").batch(request_part("GET", "contacts"))
        self.assertRefused(answer, 403, "0x80072560")
        answer, parts = self.user("reader").batch(request_part("POST", "contacts", {"lastname": "x"}))
        self.assertEqual(parts[0].json["error"]["code"], "0x80040220")
        self.limits(enforce=True, executionMs=20, operationMs=15)
        get = request_part("GET", "contacts?$top=1")
        answer, parts = self.tandem.batch(*[get] * 4, Prefer="odata.continue-on-error")
        self.assertEqual([part.status for part in parts], [200, 200, 429, 429])
        self.assertEqual(parts[3].json["error"]["code"], "0x80072321")


class Bulk(DataverseCase):
    def bulk(self, name, *targets, table="contacts"):
        typed = [{"@odata.type": "Microsoft.Dynamics.CRM." + table[:-1], **target} for target in targets]
        return self.tandem.call("POST", f"{table}/Microsoft.Dynamics.CRM.{name}", {"Targets": typed})

    def test_create(self):
        answer = self.bulk("CreateMultiple", {"lastname": "Iversen"}, {"lastname": "Anand", "jobtitle": "CTO"})
        self.assertEqual(answer.status, 200, answer.text)
        self.assertTrue(answer.json["@odata.context"].endswith("#Microsoft.Dynamics.CRM.CreateMultipleResponse"))
        self.assertEqual([self.get(f"contacts({i})")["lastname"] for i in answer.json["Ids"]], ["Iversen", "Anand"])
        self.assertRefused(self.bulk("CreateMultiple", {"lastname": "good"}, {"lastname": "x" * 51}), 400, "0x80044331")
        self.assertEqual(len(self.rows("contacts?$select=lastname")), 2)

    def test_update(self):
        rows = [self.create(lastname=f"n{n}") for n in range(2)]
        self.assertEqual(self.bulk("UpdateMultiple", *({"contactid": row, "jobtitle": "CTO"} for row in rows)).status, 204)
        self.assertEqual([r["jobtitle"] for r in self.rows("contacts?$select=jobtitle")], ["CTO", "CTO"])
        self.assertRefused(self.bulk("UpdateMultiple", {"contactid": rows[0], "jobtitle": "no"}, {"contactid": ABSENT}), 404,
                           "0x80040217", f"Contact With Ids = {ABSENT} Do Not Exist")
        self.assertRefused(self.bulk("UpdateMultiple", {"contactid": rows[0]}, {"contactid": rows[0]}), 412, "0x80040237",
                           "Cannot insert duplicate key.")
        self.assertEqual([r["jobtitle"] for r in self.rows("contacts?$select=jobtitle")], ["CTO", "CTO"])

    def test_upsert(self):
        row = self.create(lastname="here", new_marketoid="1")
        answer = self.bulk("UpsertMultiple", {"@odata.id": "contacts(new_marketoid='1')", "jobtitle": "CTO"},
                           {"@odata.id": "contacts(new_marketoid='2')", "lastname": "made"}, {"contactid": ABSENT, "lastname": "own"})
        self.assertEqual((answer.status, answer.body), (204, b""))
        self.assertEqual(self.get(f"contacts({row})")["jobtitle"], "CTO")
        self.assertEqual(self.get("contacts(new_marketoid='2')")["lastname"], "made")
        self.assertEqual(self.get(f"contacts({ABSENT})")["lastname"], "own")
        self.assertRefused(self.bulk("UpsertMultiple", {"@odata.id": "contacts(new_marketoid='1')", "new_marketoid": "1"}), 400,
                           "0x80048d19")
        self.assertRefused(self.bulk("DeleteMultiple"), 400, "0x80040203", "DeleteMultiple has not yet been implemented.")
        self.assertRefused(self.bulk("Nonsense"), 404, "0x80060888")


class Metadata(DataverseCase):
    def attributes(self, table, tail):
        return self.get(f"EntityDefinitions(LogicalName='{table}')/Attributes{tail}")["value"]

    def test_attributes(self):
        rows = self.attributes("contact", "?$select=LogicalName,SchemaName,AttributeType,AttributeTypeName,IsValidForCreate,"
                               "IsValidForUpdate,IsValidForRead,RequiredLevel,IsSecured,AttributeOf,DisplayName&$filter=IsValidForRead eq true")
        by_name = {row["LogicalName"]: row for row in rows}
        email = by_name["emailaddress1"]
        self.assertEqual(email["@odata.type"], "#Microsoft.Dynamics.CRM.StringAttributeMetadata")
        self.assertEqual((email["SchemaName"], email["AttributeType"], email["AttributeTypeName"]),
                         ("EMailAddress1", "String", {"Value": "StringType"}))
        self.assertEqual(email["RequiredLevel"], {"Value": "None", "CanBeChanged": True,
                                                  "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings"})
        self.assertEqual(email["DisplayName"]["UserLocalizedLabel"]["Label"], "Email")
        self.assertEqual(email["DisplayName"]["LocalizedLabels"][0]["LanguageCode"], 1033)
        self.assertEqual(by_name["parentcustomeridname"]["AttributeOf"], "parentcustomerid")
        self.assertFalse(by_name["fullname"]["IsValidForUpdate"])
        self.assertNotIn("subscriptionid", by_name)
        self.assertIn("mkt_leadscore", by_name)
        self.assertNotIn("new_synctomkto", by_name)
        again = self.attributes("contact", "?$filter=LogicalName eq 'emailaddress1'")
        self.assertEqual((again[0]["MetadataId"], again[0]["MaxLength"]), (email["MetadataId"], 100))
        one = self.get("EntityDefinitions(LogicalName='contact')/Attributes(LogicalName='emailaddress1')")
        self.assertEqual((one["LogicalName"], one["MetadataId"]), ("emailaddress1", email["MetadataId"]))

    def test_casts(self):
        cast = "/Microsoft.Dynamics.CRM.%sAttributeMetadata?$select=LogicalName,%s"
        found = {}
        for kind, more in (("String", "MaxLength,FormatName"), ("Memo", "MaxLength"), ("Integer", "MinValue,MaxValue"), ("BigInt", "MinValue"),
                           ("Decimal", "Precision"), ("Double", "MinValue,MaxValue,Precision"), ("Money", "Precision,MaxValue"),
                           ("DateTime", "Format,DateTimeBehavior"), ("Boolean", "DefaultValue"), ("Lookup", "Targets"),
                           ("MultiSelectPicklist", "SchemaName")):
            for row in self.attributes("lead", cast % (kind, more)):
                self.assertNotIn("@odata.type", row)
                found[row["LogicalName"]] = row
        self.assertEqual((found["mobilephone"]["MaxLength"], found["emailaddress1"]["FormatName"]), (20, {"Value": "Email"}))
        self.assertEqual((found["numberofemployees"]["MinValue"], found["numberofemployees"]["MaxValue"]), (0, 1000000))
        self.assertEqual(found["estimatedclosedate"]["DateTimeBehavior"], {"Value": "DateOnly"})
        self.assertEqual((found["ownerid"]["Targets"], found["customerid"]["Targets"]), (["systemuser", "team"], ["account", "contact"]))
        self.assertRefused(self.tandem.call("GET", "EntityDefinitions(LogicalName='lead')/Attributes?$select=MaxLength"), 400, "0x80060888",
                           "Could not find a property named 'MaxLength' on type 'Microsoft.Dynamics.CRM.AttributeMetadata'.")

    def test_options(self):
        def options(kind, name, table="lead"):
            rows = self.attributes(table, f"/Microsoft.Dynamics.CRM.{kind}AttributeMetadata?$select=LogicalName&"
                                   "$expand=OptionSet($select=Options),GlobalOptionSet($select=Options)")
            return next(row for row in rows if row["LogicalName"] == name)

        row = options("Picklist", "leadsourcecode")
        self.assertIsNone(row["GlobalOptionSet"])
        self.assertIn("MetadataId", row["OptionSet"])
        labels = {o["Value"]: o["Label"]["UserLocalizedLabel"]["Label"] for o in row["OptionSet"]["Options"]}
        self.assertEqual((len(labels), labels[7]), (10, "Trade Show"))
        states = options("Status", "statuscode")["OptionSet"]["Options"]
        self.assertEqual([(o["Value"], o["State"]) for o in states], [(1, 0), (2, 0), (3, 1), (4, 2), (5, 2), (6, 2), (7, 2)])
        states = options("State", "statecode")["OptionSet"]["Options"]
        self.assertEqual([(o["Value"], o["DefaultStatus"], o["InvariantName"]) for o in states],
                         [(0, 1, "Open"), (1, 3, "Qualified"), (2, 4, "Disqualified")])
        rows = self.attributes("contact", "/Microsoft.Dynamics.CRM.BooleanAttributeMetadata?$select=LogicalName,DefaultValue&"
                               "$expand=OptionSet($select=TrueOption,FalseOption)&$filter=LogicalName eq 'donotphone'")
        self.assertEqual(rows[0]["OptionSet"]["TrueOption"]["Label"]["UserLocalizedLabel"]["Label"], "Do Not Allow")
        self.assertFalse(rows[0]["DefaultValue"])
        filtered = self.attributes("lead", "?$select=LogicalName&$filter=AttributeType eq Microsoft.Dynamics.CRM.AttributeTypeCode'State'")
        self.assertEqual([row["LogicalName"] for row in filtered], ["statecode"])
        required = self.attributes("contact", "?$select=LogicalName&$filter=RequiredLevel/Value eq "
                                   "Microsoft.Dynamics.CRM.AttributeRequiredLevel'ApplicationRequired'")
        self.assertEqual([row["LogicalName"] for row in required], ["lastname"])

    def test_entities(self):
        tracked = self.rows("EntityDefinitions?$select=LogicalName,ChangeTrackingEnabled&$filter=ChangeTrackingEnabled eq true")
        self.assertEqual(sorted(row["LogicalName"] for row in tracked), ["account", "contact", "lead"])
        got = self.get("EntityDefinitions(LogicalName='contact')?$select=LogicalName,EntitySetName,PrimaryIdAttribute,"
                       "ChangeTrackingEnabled,IsOptimisticConcurrencyEnabled&$expand=Attributes($select=LogicalName),"
                       "Keys($select=LogicalName,KeyAttributes,EntityKeyIndexStatus),ManyToOneRelationships($select=ReferencingAttribute,"
                       "ReferencedEntity,ReferencingEntityNavigationPropertyName)")
        self.assertEqual((got["EntitySetName"], got["PrimaryIdAttribute"]), ("contacts", "contactid"))
        self.assertEqual([(key["KeyAttributes"], key["EntityKeyIndexStatus"]) for key in got["Keys"]], [(["new_marketoid"], "Active")])
        self.assertGreater(len(got["Attributes"]), 150)
        self.assertIn("parentcustomerid_account",
                      [r["ReferencingEntityNavigationPropertyName"] for r in got["ManyToOneRelationships"]])
        self.assertRefused(self.tandem.call("GET", "EntityDefinitions(LogicalName='nonsense')"), 404, "0x80060888")
        self.assertRefused(self.tandem.call("GET", "EntityDefinitions?$select=Nonsense"), 400, "0x80060888")

    def test_limits_change_it(self):
        self.limits(maxLength={"contact.lastname": 20}, dropColumn=["contact.fax"])
        row = self.attributes("contact", "/Microsoft.Dynamics.CRM.StringAttributeMetadata?$select=LogicalName,MaxLength")
        lengths = {r["LogicalName"]: r["MaxLength"] for r in row}
        self.assertEqual(lengths["lastname"], 20)
        self.assertNotIn("fax", lengths)

    def test_csdl(self):
        answer = self.tandem.call("GET", "$metadata?annotations=true")
        self.assertEqual(answer.headers["content-type"], "application/xml")
        root = xml.etree.ElementTree.fromstring(answer.text)
        types = {t.get("Name"): t for t in root.iter("{http://docs.oasis-open.org/odata/ns/edm}EntityType")}
        properties = {p.get("Name"): p.get("Type") for p in types["contact"].iter("{http://docs.oasis-open.org/odata/ns/edm}Property")}
        self.assertEqual((properties["birthdate"], properties["_parentcustomerid_value"]), ("Edm.Date", "Edm.Guid"))


class Actions(DataverseCase):
    def test_qualify(self):
        lead = self.create("leads", firstname="Ann", lastname="Okoro", companyname="Fabrikam", emailaddress1="ann@fabrikam.example",
                           mobilephone="123", donotphone=True, new_marketoid="7")
        body = {"CreateAccount": True, "CreateContact": True, "CreateOpportunity": False, "Status": 3}
        answer = self.tandem.call("POST", f"leads({lead})/Microsoft.Dynamics.CRM.QualifyLead", body)
        self.assertEqual(answer.status, 200, answer.text)
        account, contact = answer.json["value"]
        self.assertEqual((account["@odata.type"], contact["@odata.type"]), ("#Microsoft.Dynamics.CRM.account", "#Microsoft.Dynamics.CRM.contact"))
        got = self.get(f"contacts({contact['contactid']})")
        self.assertEqual([got[n] for n in ("lastname", "emailaddress1", "mobilephone", "donotphone", "new_marketoid")],
                         ["Okoro", "ann@fabrikam.example", "123", True, None])
        self.assertEqual((got["_originatingleadid_value"], got["_parentcustomerid_value"]), (lead, account["accountid"]))
        self.assertEqual(self.get(f"accounts({account['accountid']})")["name"], "Fabrikam")
        got = self.get(f"leads({lead})?$select=statecode,statuscode")
        self.assertEqual((got["statecode"], got["statuscode"]), (1, 3))
        self.assertRefused(self.tandem.call("POST", f"leads({lead})/Microsoft.Dynamics.CRM.QualifyLead", body), 400, "0x80081018")

    def test_qualify_without_account(self):
        lead = self.create("leads", lastname="Solo")
        answer = self.tandem.call("POST", f"leads({lead})/Microsoft.Dynamics.CRM.QualifyLead",
                                  {"CreateAccount": False, "CreateContact": True, "CreateOpportunity": False, "Status": 3})
        self.assertEqual([list(made) for made in answer.json["value"]], [["@odata.type", "contactid"]])

    def merge(self, winner, loser, **more):
        kind = "Microsoft.Dynamics.CRM.contact"
        return self.tandem.call("POST", "Merge", {"Target": {"@odata.type": kind, "contactid": winner},
                                                  "Subordinate": {"@odata.type": kind, "contactid": loser}, **more})

    def test_merge(self):
        winner, loser = self.create(lastname="winner"), self.create(lastname="loser")
        link = self.get("contacts?$select=lastname", Prefer=TRACK)["@odata.deltaLink"]
        content = {"@odata.type": "Microsoft.Dynamics.CRM.contact", "jobtitle": "CTO"}
        self.assertEqual(self.merge(winner, loser, UpdateContent=content, PerformParentingChecks=False).status, 204)
        self.assertEqual(self.get(f"contacts({winner})")["jobtitle"], "CTO")
        got = self.get(f"contacts({loser})?$select=merged,_masterid_value,statecode,statuscode,lastname")
        self.assertEqual([got[n] for n in ("merged", "_masterid_value", "statecode", "statuscode", "lastname")],
                         [True, winner, 1, 2, "loser"])
        self.assertEqual([e["lastname"] for e in self.get(link)["value"]], ["winner", "loser"])
        self.assertRefused(self.merge(winner, loser), 400, "0x80045300")
        self.assertRefused(self.merge(winner, ABSENT), 404, "0x80040217")

    def test_total_record_count(self):
        self.create(lastname="x")
        got = self.get("RetrieveTotalRecordCount(EntityNames=['contact','lead'])")["EntityRecordCountCollection"]
        self.assertEqual((got["Keys"], got["Values"]), (["contact", "lead"], [1, 0]))


class People(unittest.TestCase):
    CSV = ("where,salutation,firstName,lastName,email,phone,mobilePhone,title,company,address,city,state,postalCode,country,website,"
           "leadSource,doNotCall,unsubscribed,notes\n"
           "dynamics-contact,Ms.,Ann,Okoro,ann@example.org,1,2,CTO,Fabrikam,\"1 Road\nHouse 2\",Oslo,Oslo,0150,Norway,"
           "https://example.org,Web,true,false,Hello\n"
           "both-lead,,Bo,Iversen,bo@example.org,1,+90-399-775-40-32,,Contoso,,,,,,,Trade Show,false,true,\n"
           "dynamics-lead,,Cy,Anand,cy@example.org,,,,,,,,,,,Nonsense,false,false,\n"
           "marketo,,No,Body,no@example.org,,,,,,,,,,,,false,false,\n")

    def test_loading(self):
        with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8", delete=False) as file:
            file.write(self.CSV)
        try:
            with Sandbox("--people", file.name) as sandbox:
                user = Dynamics(sandbox)
                contact, = user.call("GET", "contacts").json["value"]
                bo, cy = user.call("GET", "leads?$orderby=firstname").json["value"]
                user.close()
        finally:
            os.unlink(file.name)
        self.assertEqual([contact[n] for n in ("salutation", "fullname", "emailaddress1", "telephone1", "mobilephone", "jobtitle",
                                               "address1_line1", "address1_city", "address1_country", "description")],
                         ["Ms.", "Ann Okoro", "ann@example.org", "1", "2", "CTO", "1 Road\nHouse 2", "Oslo", "Norway", "Hello"])
        self.assertEqual((contact["donotphone"], contact["donotbulkemail"], contact["leadsourcecode"]), (True, False, None))
        self.assertEqual((bo["mobilephone"], bo["companyname"], bo["leadsourcecode"], bo["donotbulkemail"], bo["subject"]),
                         ("+90-399-775-40-32"[:20], "Contoso", 7, True, None))
        self.assertIsNone(cy["leadsourcecode"])
        self.assertLess(contact["createdon"], contact["modifiedon"])


class Together(DataverseCase):
    """Several clients at once: every write counts once and has a version of its own."""

    def test_writers_do_not_disturb_each_other(self):
        clients = [self.user("seller" if number % 2 else "tandem") for number in range(4)]

        def work(number):
            for n in range(20):
                parts = [request_part("POST", "contacts", {"lastname": f"{number}-{n}-{k}"}) for k in range(5)]
                answer, _ = clients[number].batch(*parts)
                self.assertEqual(answer.status, 200)

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        rows = self.rows("contacts?$select=lastname,versionnumber")
        self.assertEqual((len(rows), len({r["versionnumber"] for r in rows}), len({r["lastname"] for r in rows})), (400, 400, 400))


if __name__ == "__main__":
    unittest.main()
