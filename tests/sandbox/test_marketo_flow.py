"""The Marketo side calls the service of a self-service flow step: installing it, invoking it, its callbacks."""

import json
import os
import pathlib
import tempfile
import threading
import time
import unittest

from marketo_case import MarketoCase
from receiver import Receiver
from sandbox import Listener, Marketo, Sandbox

MUNCHKIN = "123-SBX-456"


def answered(media, ref=None):
    return {"responses": {"200": {"description": "", "content": {media: {"schema": {"$ref": ref} if ref else {"type": "string"}}}}}}


def document():
    """An OpenAPI document that keeps the contract."""
    schemas = "#/components/schemas/"
    return {
        "openapi": "3.0.1", "info": {"title": "Dynamics Sync", "version": "1.2.3", "x-providerName": "Example", "x-schemaVersion": "1.0.0",
                                     "x-supportContact": "help@example.org"},
        "security": [{"key": []}],
        "paths": {
            "/submitAsyncAction": {"post": {"requestBody": {}, "callbacks": {}, "responses": {"201": {}}}},
            "/getServiceDefinition": {"get": answered("application/json", schemas + "serviceDefinition")},
            "/status": {"get": answered("application/json", schemas + "serviceStatus")},
            "/getPicklist": {"post": answered("application/json", schemas + "picklistObject")},
            "/brandIcon": {"get": answered("image/*")}, "/serviceIcon": {"get": answered("image/*")},
            "/providerInstructions": {"get": answered("text/html")}},
        "components": {"schemas": {}, "securitySchemes": {"key": {"type": "apiKey", "name": "x-sync-key", "in": "header"}}}}


def english(name):
    return {"en_US": {"name": name}}


def definition():
    """A service definition that keeps the contract."""
    def attribute(name, kind="string", **more):
        return {"apiName": name, "dataType": kind, "i18n": english("The " + name), **more}

    def field(name, suggested, kind="string", **more):
        return {"serviceAttribute": name, "suggestedMarketoAttribute": suggested, "dataType": kind, "description": {"en_US": name}, **more}
    return {
        "apiName": "syncPerson", "primaryAttribute": "syncAs",
        "i18n": {"en_US": {"name": "Sync Person", "triggerName": "Syncs Person", "filterName": "Synced Person", "description": "Creates it"},
                 "fr_CA": {"name": "Synchroniser"}},
        "invocationPayloadDef": {
            "globalAttributes": [attribute("region", hasPicklist=True, enforcePicklistSelect=True)],
            "flowAttributes": [attribute("syncAs", hasPicklist=True, enforcePicklistSelect=True), attribute("assignTo"),
                               attribute("times", "integer")],
            "fields": [field("personEmail", "email", "email", required=True), field("points", "leadScore", "score"),
                       field("phone", "phone"), field("nothing", "noSuchField")],
            "headers": [], "userDrivenMapping": False, "campaignContext": True, "triggerContext": True, "subscriptionContext": True,
            "programContext": False, "programMemberContext": False, "myTokenContext": []},
        "callbackPayloadDef": {
            "userDrivenMapping": False,
            "attributes": [attribute("recordId"), attribute("action", "text"), attribute("count", "integer"), attribute("when", "datetime"),
                           attribute("day", "date"), attribute("yes", "boolean"), attribute("share", "float"), attribute("mail", "email"),
                           attribute("points2", "score"), attribute("page", "url")],
            "fields": [field("guid", "dynamicsId"), field("score", "leadScore", "score"), field("born", "dateOfBirth", "date"),
                       field("seen", "emailSuspendedAt", "datetime"), field("blocked", "doNotCall", "boolean"),
                       field("unmapped", "noSuchField"), field("street", "address", "text")]}}


class Provider(Receiver):
    """A service of a flow step that behaves well, but for what a test makes of its members."""

    def __init__(self):
        self.document, self.definition = document(), definition()
        self.status = {"info": ["healthy"], "warnings": [], "errors": []}
        self.picklists = {"syncAs": ["lead", "contact"], "region": ["EU", "US"]}
        self.pages = {"/brandIcon": ("image/svg+xml", "<svg/>"), "/serviceIcon": ("image/png", "x"), "/providerInstructions": ("text/html", "<p>")}
        self.key, self.special = "k3y", {}
        self.submitted = 201   # a status, or a function of the request
        self.callback = self.good_callback
        self.chunks, self.replies = [], []
        super().__init__(self.serve)

    def credentials_are_good(self, request):
        return request.headers.get("x-sync-key") == self.key

    def serve(self, request):
        path = request.path.partition("?")[0].rpartition("/")[2]
        if path in self.special:
            told = self.special[path]
            return told(request) if callable(told) else told
        if path == "openapi.json":
            return 200, json.dumps(self.document)
        if "/" + path in self.pages:
            return 200, self.pages["/" + path][1], {"Content-Type": self.pages["/" + path][0]}
        if not self.credentials_are_good(request):
            return 401, "who are you?"
        if path == "getPicklist":
            name = json.loads(request.body)["name"]
            return 200, json.dumps({"choices": [{"submittedValue": v, "displayValue": {"en_US": str(v)}} for v in self.picklists.get(name, [])]})
        if path == "submitAsyncAction":
            return self.submit(request)
        return 200, json.dumps({"getServiceDefinition": self.definition, "status": self.status}[path])

    def submit(self, request):
        chunk = json.loads(request.body)
        self.chunks.append(chunk)
        status = self.submitted(chunk) if callable(self.submitted) else self.submitted
        if status == 201 and self.callback:
            threading.Thread(target=self.call_back, args=(chunk,), daemon=True).start()
        return status, ""

    def call_back(self, chunk):
        self.replies.append(send_back(chunk, self.callback(chunk)))

    @staticmethod
    def good_callback(chunk):
        return {"munchkinId": chunk["context"]["subscription"]["munchkinId"], "objectData": [
            {"leadData": {"id": o["objectContext"]["id"], "guid": "g-%d" % o["objectContext"]["id"]},
             "activityData": {"success": True, "recordId": "r1", "action": "created"}} for o in chunk["objectData"]]}


def send_back(chunk, body, **headers):
    host, _, path = chunk["callbackUrl"].removeprefix("http://").partition("/")
    listener = Listener("http://" + host)
    told = {"x-api-key": chunk["apiCallBackKey"], "x-callback-token": chunk["token"], "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()}}
    answer = listener.call("POST", "/" + path, json.dumps(body) if not isinstance(body, (str, bytes)) else body,
                           {name: value for name, value in told.items() if value is not None})
    listener.close()
    return answer


class FlowCase(MarketoCase):
    def setUp(self):
        super().setUp()
        self.field("dynamicsId")
        self.limits(flowSeconds=10)   # what goes wrong shall be seen soon
        self.provider = Provider()
        self.addCleanup(self.provider.stop)

    def post(self, **more):
        return self.sandbox.marketo.call("POST", "/_sandbox/services", {
            "url": self.provider.url + "/flow/openapi.json", "credentials": {"apiKey": "k3y"}, **more})

    def install(self, **more):
        answer = self.post(**more)
        self.assertEqual(answer.status, 200, answer.text)
        self.provider.taken()
        return answer.json

    def violations(self, **more):
        answer = self.post(**more)
        self.assertEqual((answer.status, answer.json["error"]), (400, "the service is refused"), answer.text)
        self.assertEqual(self.sandbox.control("services"), [])
        return answer.json["violations"]

    def campaign(self, service=None, kind="trigger", attributes=None, **more):
        return self.sandbox.control("campaigns", {
            "name": "MQL fast-track", "type": kind, **more, "flowStep": {
                "service": service or self.install()["id"], "attributes": attributes or {"syncAs": "contact"}}})["id"]

    def run_over(self, campaign, *people, **more):
        return self.sandbox.control(f"campaigns/{campaign}/run", {"people": list(people), **more})

    def look(self, campaign, run):
        return self.sandbox.control(f"campaigns/{campaign}/run/{run}")

    def people(self, count, **fields):
        result = self.sync(*[{"email": f"p{n}@example.org", **fields} for n in range(count)])
        return [record["id"] for record in result]

    def replies(self, count):
        """What the provider was told, when so many callbacks were answered."""
        for _ in range(500):
            if len(self.provider.replies) >= count:
                break
            time.sleep(0.01)
        return self.provider.replies

    def activities(self, kind):
        return self.marketo.get("activities.json", nextPageToken=self.since(), activityTypeIds=kind)["result"]


class Installing(FlowCase):
    def test_a_good_service(self):
        answer = self.post(**{"global": {"region": "EU"}})
        got = answer.json
        self.assertEqual(answer.status, 200, answer.text)
        self.assertEqual((got["id"], got["name"], got["provider"], got["version"], got["apiName"], got["scheme"], got["violations"]),
                         (1, "Dynamics Sync", "Example", "1.2.3", "syncPerson", "apiKey", []))
        self.assertEqual((got["base"], got["definition"], got["status"], got["deprecated"]),
                         (self.provider.url + "/flow/", self.provider.definition, self.provider.status, False))
        self.assertEqual(got["picklists"], {"flow": {"syncAs": ["lead", "contact"]}, "global": {"region": ["EU", "US"]}})
        self.assertEqual((got["brandIcon"], got["serviceIcon"], got["providerInstructions"]), ("image/svg+xml", "image/png", "text/html"))
        # The suggested field is taken when its type fits, too: "phone" is of another.
        self.assertEqual(got["invocation"], {"personEmail": "email", "points": "leadScore"})
        self.assertEqual(got["callback"], {"guid": "dynamicsId", "score": "leadScore", "born": "dateOfBirth", "seen": "emailSuspendedAt",
                                           "blocked": "doNotCall", "street": "address"})
        self.assertEqual(self.sandbox.control("services"), [{"id": 1, "activityTypeId": got["activityTypeId"], "name": "Dynamics Sync",
                                                             "apiName": "syncPerson", "url": self.provider.url + "/flow/openapi.json"}])
        requests = self.provider.taken()
        self.assertEqual([(r.method, r.path) for r in requests], [
            ("GET", "/flow/openapi.json"), ("GET", "/flow/getServiceDefinition"), ("POST", "/flow/getPicklist"),
            ("POST", "/flow/getPicklist"), ("GET", "/flow/status"), ("GET", "/flow/brandIcon"), ("GET", "/flow/serviceIcon"),
            ("GET", "/flow/providerInstructions")])
        with_key = [r.path.rpartition("/")[2] for r in requests if "x-sync-key" in r.headers]
        self.assertEqual(with_key, ["getServiceDefinition", "getPicklist", "getPicklist", "status", "providerInstructions"])
        self.assertEqual(json.loads(requests[2].body), {"name": "syncAs", "type": "flow", "fieldMappingContext": {
            "invocation": [{"marketoAttribute": "email", "serviceAttribute": "personEmail"},
                           {"marketoAttribute": "leadScore", "serviceAttribute": "points"}],
            "callback": [{"marketoAttribute": field, "serviceAttribute": name} for name, field in got["callback"].items()]}})
        self.assertEqual(json.loads(requests[3].body)["type"], "global")

    def test_the_activity_type(self):
        kind = self.install()["activityTypeId"]
        found = [t for t in self.marketo.get("activities/types.json")["result"] if t["id"] == kind][0]
        self.assertEqual((found["name"], found["description"], found["primaryAttribute"]),
                         ("Syncs Person", "Creates it", {"name": "The syncAs", "dataType": "string"}))
        names = [a["name"] for a in found["attributes"]]
        self.assertEqual(names[:3] + names[-3:], ["The assignTo", "The times", "The recordId", "Success", "Reason", "Error Code"])

    def test_where_it_is(self):
        for server, base in (("/other", "/other"), ("sub", "/flow/sub"), (self.provider.url + "/deep/er", "/deep/er"), (".", "/flow/.")):
            self.sandbox.reset()
            self.field_again()
            self.provider.document["servers"] = [{"url": server}, {"url": "http://example.org"}]
            self.assertEqual(self.install()["base"], self.provider.url + base)
        self.sandbox.reset()
        self.provider.document["servers"] = [{"url": "https://example.org"}]
        self.assertIn("address of this machine", self.violations()[0])
        for url in ("https://127.0.0.1/", "http://example.org/x", 5):
            self.assertEqual(self.post(url=url).status, 400)

    def field_again(self):
        self.marketo = self.user("tandem")
        self.field("dynamicsId")

    def test_credentials_by_the_first_scheme(self):
        schemes = self.provider.document["components"]["securitySchemes"]
        schemes.update({
            "query": {"type": "apiKey", "name": "api key", "in": "query"}, "asked": {"type": "apiKey", "name": "code", "in": "query"},
            "cookie": {"type": "apiKey", "name": "x", "in": "cookie"}, "basic": {"type": "http", "scheme": "basic"},
            "digest": {"type": "http", "scheme": "digest"}, "open": {"type": "openIdConnect"},
            "oauth": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": self.provider.url + "/token", "scopes": {}}}},
            "renamed": {"type": "oauth2", "flows": {"clientCredentials": {
                "tokenUrl": self.provider.url + "/token", "scopes": {}, "x-grantTypeName": "gt", "x-clientIdName": "who", "x-clientSecretName": "pw"}}},
            "code": {"type": "oauth2", "flows": {"authorizationCode": {}}}, "far": {"type": "oauth2", "flows": {
                "clientCredentials": {"tokenUrl": "https://example.org/token"}}}})
        forms = []
        self.provider.special["token"] = lambda request: (forms.append(request.text), (200, '{"access_token": "b3arer", "expires_in": 60}'))[1]
        client = {"clientId": "me", "clientSecret": "s&"}
        good = (("asked", {"apiKey": "a&b"}, lambda r: r.path.endswith("?code=a%26b")),
                ("basic", {"username": "Al", "password": "open sesame"}, lambda r: r.headers.get("authorization") == "Basic QWw6b3BlbiBzZXNhbWU="),
                ("oauth", client, lambda r: r.headers.get("authorization") == "Bearer b3arer"),
                ("renamed", client, lambda r: r.headers.get("authorization") == "Bearer b3arer"))
        for name, credentials, check in good:
            self.sandbox.reset()
            self.field_again()
            self.provider.document["security"] = [{name: []}, {"key": []}]
            self.provider.credentials_are_good = check
            service = self.install(credentials=credentials)["id"]
            report = self.run_over(self.campaign(service), *self.people(2))
            self.assertEqual(report["totals"]["succeeded"], 2, (name, report))
        form = "grant_type=client_credentials&client_id=me&client_secret=s%26"
        self.assertEqual(forms, [form] * 2 + ["gt=client_credentials&who=me&pw=s%26"] * 2)   # at the installation, and for a run
        self.sandbox.reset()
        for name, credentials, words in (
                ("query", {"apiKey": "x"}, "name"), ("cookie", {"apiKey": "x"}, "header or in the query"), ("key", {}, "apiKey"), ("basic", {}, "username"),
                ("digest", {"username": "x"}, "basic"), ("open", {}, "security scheme"), ("code", client, "clientCredentials"),
                ("far", client, "tokenUrl"), ("oauth", {}, "clientId"), ("none", {}, "security")):
            self.provider.document["security"] = [{name: []}]
            self.assertIn(words, " ".join(self.violations(credentials=credentials)), name)
        self.provider.document["security"] = [{"oauth": []}]
        for told in ((400, "{}"), (200, "{}"), (200, "x")):
            self.provider.special["token"] = told
            self.assertIn("access_token", self.violations(credentials=client)[0])

    def test_wrong_credentials(self):
        self.assertEqual(self.violations(credentials={"apiKey": "wrong"})[:2],
                         ["/getServiceDefinition: the answer is 401, not 200", "/status: the answer is 401, not 200"])

    def test_the_document(self):
        def without(*path):
            def change(doc):
                for name in path[:-1]:
                    doc = doc[name]
                del doc[path[-1]]
            return change

        def put(value, *path):
            def change(doc):
                for name in path[:-1]:
                    doc = doc[name]
                doc[path[-1]] = value
            return change
        content = ("responses", "200", "content")
        cases = [(without("openapi"), "openapi must be 3.x"), (put("2.0", "openapi"), "openapi must be 3.x"),
                 (put({}, "paths", "/brandIcon", "get", *content), "paths./brandIcon.get.responses.200.content must have 'image/*'"),
                 (put({"image/png": {}}, "paths", "/serviceIcon", "get", *content),
                  "paths./serviceIcon.get.responses.200.content must have 'image/*'"),
                 (without("paths", "/providerInstructions", "get"), "paths./providerInstructions must have 'get'"),
                 (put({"text/plain": {}}, "paths", "/providerInstructions", "get", *content),
                  "paths./providerInstructions.get.responses.200.content must have 'text/html'"),
                 (without("paths", "/submitAsyncAction"), "paths must have '/submitAsyncAction'"),
                 (without("paths", "/submitAsyncAction", "post"), "paths./submitAsyncAction must have 'post'")]
        cases += [(without(name), f"the document must have '{name}'") for name in ("info", "security", "paths", "components")]
        for name in ("title", "version", "x-providerName", "x-schemaVersion", "x-supportContact"):
            cases += [(without("info", name), f"info.{name} must be a text"), (put(5, "info", name), f"info.{name} must be a text")]
        cases += [(without("paths", "/submitAsyncAction", "post", name), f"paths./submitAsyncAction.post must have '{name}'")
                  for name in ("requestBody", "callbacks")]
        for path, method, ref in (("/getServiceDefinition", "get", "serviceDefinition"), ("/status", "get", "serviceStatus"),
                                  ("/getPicklist", "post", "picklistObject")):
            place = f"paths.{path}.{method}.responses.200.content"
            cases += [(without("paths", path, method), f"paths.{path} must have '{method}'"),
                      (without("paths", path, method, *content, "application/json"), f"{place} must have 'application/json'"),
                      (put("#/components/schemas/other", "paths", path, method, *content, "application/json", "schema", "$ref"),
                       f"{place}.application/json.schema.$ref must be '#/components/schemas/{ref}'")]
        cases += [(without("paths", path), f"paths must have '{path}'") for path in ("/getServiceDefinition", "/status")]
        for change, words in cases:
            self.provider.document = document()
            change(self.provider.document)
            self.assertIn(words, self.violations())
        self.provider.document = document()
        for name in ("title", "version"):
            del self.provider.document["info"][name]
        del self.provider.document["paths"]["/status"]
        self.assertEqual(self.violations(), ["info.title must be a text", "info.version must be a text", "paths must have '/status'"])

    def test_what_the_schema_does_not_enforce(self):
        doc = self.provider.document
        doc["paths"]["/submitAsyncAction"]["post"].update(responses={}, callbacks={"x": 5})
        doc["components"]["schemas"] = 5
        for path in ("/brandIcon", "/serviceIcon", "/providerInstructions"):
            del doc["paths"][path]
        self.install()

    def test_a_document_that_cannot_be_had(self):
        for told, words in (((404, "x"), "the document: the answer is 404, not 200"), ((200, "openapi: 3.0.1"), "reads no YAML"),
                            ((200, "[]"), "not a JSON object"), (lambda request: None, "does not answer")):
            self.provider.special["openapi.json"] = told
            self.assertIn(words, self.violations()[0])
        self.provider.stop()
        self.assertIn("does not answer", self.violations()[0])

    def test_the_definition(self):
        def at(*path):
            def find(d):
                for name in path:
                    d = d[name]
                return d
            return find
        flow, back = at("invocationPayloadDef", "flowAttributes"), at("callbackPayloadDef", "attributes")
        fields, returned = at("invocationPayloadDef", "fields"), at("callbackPayloadDef", "fields")
        invocation = at("invocationPayloadDef")
        cases = [
            (lambda d: d.pop("apiName"), "the definition must have an apiName"),
            (lambda d: d.pop("i18n"), "i18n must have en_US with a name"),
            (lambda d: d["i18n"].update(english=5), "i18n: 'english' is not a language like fr_CA"),
            (lambda d: d["i18n"].update(fr_CA=5), "i18n.fr_CA must be an object"),
            (lambda d: d.pop("callbackPayloadDef"), "callbackPayloadDef must be an object"),
            (lambda d: d.update(primaryAttribute="nothing"), "primaryAttribute 'nothing' is not a flow attribute"),
            (lambda d: d.pop("primaryAttribute"), "primaryAttribute '' is not a flow attribute"),
            (lambda d: d.update(primaryAttribute="recordId"), "primaryAttribute 'recordId' is a callback attribute"),
            (lambda d: d.update(primaryAttribute="region"), "primaryAttribute 'region' is not a flow attribute"),
            (lambda d: flow(d)[1].update(apiName="recordId"), "'recordId' is in flowAttributes and in the callback's attributes"),
            (lambda d: at("invocationPayloadDef", "globalAttributes")(d)[0].update(apiName="count"),
             "'count' is in globalAttributes and in the callback's attributes"),
            (lambda d: flow(d)[1].update(apiName="syncAs"), "invocationPayloadDef.flowAttributes: 'syncAs' is declared twice"),
            (lambda d: flow(d)[1].pop("apiName"), "invocationPayloadDef.flowAttributes[1] must have an apiName"),
            (lambda d: flow(d)[1].update(dataType="phone"), "invocationPayloadDef.flowAttributes[1]: 'phone' is not a dataType"),
            (lambda d: flow(d)[1].update(i18n={"fr_CA": {"name": "x"}}), "invocationPayloadDef.flowAttributes[1].i18n must have en_US with a name"),
            (lambda d: fields(d)[0].update(serviceAttribute="id"), "invocationPayloadDef.fields[0]: the name 'id' is reserved"),
            (lambda d: returned(d)[0].update(serviceAttribute="id"), "callbackPayloadDef.fields[0]: the name 'id' is reserved"),
            (lambda d: returned(d)[0].pop("serviceAttribute"), "callbackPayloadDef.fields[0] must have a serviceAttribute"),
            (lambda d: returned(d)[0].pop("description"), "callbackPayloadDef.fields[0].description must have en_US"),
            (lambda d: returned(d)[0].update(dataType=5), "callbackPayloadDef.fields[0]: '' is not a dataType"),
            (lambda d: invocation(d).update(flowAttributes={}), "invocationPayloadDef.flowAttributes must be a list"),
            (lambda d: invocation(d).update(fields={}), "invocationPayloadDef.fields must be a list"),
            (lambda d: invocation(d).update(campaignContext="yes"), "invocationPayloadDef.campaignContext must be true or false"),
            (lambda d: at("callbackPayloadDef")(d).update(userDrivenMapping=1), "callbackPayloadDef.userDrivenMapping must be true or false"),
            (lambda d: invocation(d).update(myTokenContext="x"), "invocationPayloadDef.myTokenContext must be a list"),
            (lambda d: invocation(d).update(myTokenContext=[5]), "invocationPayloadDef.myTokenContext[0] must be a text"),
            (lambda d: invocation(d).update(headers=[{"name": "x"}]), "headers are not imitated by the sandbox")]
        for name in ("success", "reason", "errorCode"):
            cases += [(lambda d, name=name: flow(d)[1].update(apiName=name), f"invocationPayloadDef.flowAttributes[1]: the name '{name}' is reserved"),
                      (lambda d, name=name: back(d)[0].update(apiName=name), f"callbackPayloadDef.attributes[0]: the name '{name}' is reserved")]
        for change, words in cases:
            self.provider.definition = definition()
            change(self.provider.definition)
            self.assertIn(words, self.violations())
        self.provider.definition = definition()
        self.provider.definition.pop("apiName")
        flow(self.provider.definition)[2].update(dataType="x", i18n=5)
        self.assertEqual(self.violations(), [   # all of them
            "the definition must have an apiName", "invocationPayloadDef.flowAttributes[2]: 'x' is not a dataType",
            "invocationPayloadDef.flowAttributes[2].i18n must have en_US with a name"])

    def test_picklists(self):
        self.provider.picklists["syncAs"] = list(range(1001))
        self.assertEqual(self.violations(), ["the picklist of 'syncAs' has 1001 choices, more than 1000"])
        self.provider.picklists["syncAs"] = list(range(1000))
        self.install()
        self.sandbox.reset()
        self.field_again()
        for choices, words in ((5, "must have choices"), ([{"displayValue": {"en_US": "x"}}], "choice 0 must have a submittedValue"),
                               ([{"submittedValue": "x", "displayValue": {"fr_CA": "x"}}], "displayValue of choice 0 must have en_US"),
                               ([{"submittedValue": {}, "displayValue": {"en_US": "x"}}], "choice 0 must have a submittedValue")):
            self.provider.special["getPicklist"] = (200, json.dumps({"choices": choices}))
            self.assertIn(words, self.violations()[0])
        del self.provider.special["getPicklist"], self.provider.document["paths"]["/getPicklist"]
        self.assertEqual(self.violations(), ["invocationPayloadDef.flowAttributes[0] has a picklist, and the document no /getPicklist",
                                             "invocationPayloadDef.globalAttributes[0] has a picklist, and the document no /getPicklist"])

    def test_status(self):
        for status, words in (({"info": "x"}, "status.info must be a list"), ({"errors": [5]}, "status.errors[0] must be a text"),
                              ({"deprecationDate": "soon"}, "status.deprecationDate must be a time"),
                              ({"deprecationMessage": 5}, "status.deprecationMessage must be a text")):
            self.provider.status = status
            self.assertEqual(self.violations(), [words])
        self.provider.status = {"deprecationDate": "2020-01-01T00:00:00Z", "deprecationMessage": "old"}
        self.assertIs(self.install()["deprecated"], True)
        self.sandbox.reset()
        self.field_again()
        self.provider.status = {"deprecationDate": "2100-01-01T00:00:00Z"}
        self.assertIs(self.install()["deprecated"], False)

    def test_icons_and_instructions(self):
        self.provider.pages["/brandIcon"] = ("text/plain", "x")
        self.provider.pages["/serviceIcon"] = ("image/png", "")
        self.provider.pages["/providerInstructions"] = ("application/json", "x")
        self.assertEqual(self.violations(), ["/brandIcon: the Content-Type is 'text/plain', not image/", "/serviceIcon: the answer is empty",
                                             "/providerInstructions: the Content-Type is 'application/json', not text/html"])

    def test_mappings_of_the_administrator(self):
        got = self.install(mappings={"invocation": {"phone": "mobilePhone"}, "callback": {"unmapped": "title"}})
        self.assertEqual((got["invocation"]["phone"], got["callback"]["unmapped"]), ("mobilePhone", "title"))
        self.sandbox.reset()
        self.field_again()
        for mappings in ({"invocation": {"phone": "nothing"}}, {"callback": {"guid": "createdAt"}}, {"callback": {"guid": "id"}}):
            self.assertIn("cannot be mapped", self.violations(mappings=mappings)[0])
        self.provider.definition["invocationPayloadDef"]["fields"][3]["required"] = True
        self.assertEqual(self.violations(), ["the field 'nothing' is required and not mapped"])

    def test_global_values(self):
        for given in ({"region": "Mars"}, {"region": 5}, {"other": "x"}, []):
            self.assertIn("global", self.violations(**{"global": given})[0])

    def test_the_same_name_twice(self):
        self.install()
        answer = self.post()
        self.assertEqual((answer.status, answer.json["violations"]), (400, ["the apiName 'syncPerson' is taken: give another"]))
        self.assertEqual(self.install(apiName="syncAgain")["id"], 2)

    def test_what_a_campaign_may_give(self):
        service = self.install()["id"]
        for step in ({"service": 9}, {}, {"service": "x"}, {"service": service, "more": 1}, {"service": service, "attributes": {"syncAs": "cow"}},
                     {"service": service, "attributes": {"other": "x"}}, {"service": service, "attributes": {"times": "x"}},
                     {"service": service, "attributes": {"assignTo": "x" * 256}}, {"service": service, "attributes": []}):
            answer = self.sandbox.marketo.call("POST", "/_sandbox/campaigns", {"name": "A", "type": "batch", "flowStep": step})
            self.assertEqual(answer.status, 400, step)
        self.campaign(service, attributes={"syncAs": "lead", "assignTo": "anybody", "times": 3})

    def test_a_reset_meanwhile(self):
        other = Listener(self.sandbox.urls["marketo"])
        self.addCleanup(other.close)
        self.provider.special["status"] = lambda request: (other.call("POST", "/_sandbox/reset", {}), (200, "{}"))[1]
        self.assertEqual(self.violations(), ["the sandbox was reset meanwhile"])


class Invoking(FlowCase):
    def test_the_shape_in_a_trigger_campaign(self):
        person = self.create(email="ada@example.org", leadScore=12)
        bare = self.create(lastName="Vale")
        service = self.install(**{"global": {"region": "EU"}})["id"]
        campaign = self.campaign(service, attributes={"syncAs": "contact", "times": 3})
        report = self.run_over(campaign, person, bare, trigger={"name": "Pricing form", "triggerName": "Filled Out Form"})
        request = self.provider.next()
        self.assertEqual((request.method, request.path, request.headers["content-type"], request.headers["x-sync-key"]),
                         ("POST", "/flow/submitAsyncAction", "application/json", "k3y"))
        chunk = json.loads(request.body)
        self.assertRegex(chunk.pop("token"), r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
        self.assertEqual(chunk, {
            "apiCallBackKey": chunk["apiCallBackKey"], "batchid": report["batchId"], "campaignId": campaign,
            "callbackUrl": self.sandbox.urls["marketo"] + "/ssfs/submit",
            "context": {"subscription": {"munchkinId": MUNCHKIN, "prefix": "sandbox", "crmSyncStatus": "none"}, "admin": {"region": "EU"},
                        "campaign": {"id": campaign, "name": "MQL fast-track", "type": "trigger", "status": "Active", "workspaceName": "Default"}},
            "objectData": [{"objectType": "lead", "objectContext": {"id": lead, "personEmail": mail, "points": score},
                            "flowStepContext": {"syncAs": "contact", "assignTo": "", "times": 3},
                            "triggeringContext": {"name": "Pricing form", "triggerName": "Filled Out Form"}}
                           for lead, mail, score in ((person, "ada@example.org", 12), (bare, None, None))]})

    def test_the_shape_in_a_batch_campaign(self):
        person = self.create(email="ada@example.org")
        self.run_over(self.campaign(kind="batch", active=False), person)
        chunk = self.provider.chunks[0]
        self.assertNotIn("triggeringContext", chunk["objectData"][0])
        self.assertEqual((chunk["context"]["campaign"]["type"], chunk["context"]["campaign"]["status"]), ("batch", "Inactive"))

    def test_contexts_only_when_asked_for(self):
        invocation = self.provider.definition["invocationPayloadDef"]
        invocation.update(campaignContext=False, triggerContext=False, subscriptionContext=False)
        person = self.create(email="ada@example.org")
        self.run_over(self.campaign(), person)
        chunk = self.provider.chunks[0]
        self.assertEqual(chunk["context"], {"subscription": {"munchkinId": MUNCHKIN}, "admin": {}})
        self.assertEqual(set(chunk["objectData"][0]), {"objectType", "objectContext", "flowStepContext"})
        invocation.update(programContext=True, programMemberContext=True, myTokenContext=["reason", "other"])
        service = self.install(apiName="again")["id"]
        self.run_over(self.campaign(service, programName="Ops", tokens={"reason": "spring"}), person)
        chunk = self.provider.chunks[1]
        self.assertEqual((chunk["context"]["program"], chunk["context"]["myTokenContext"], chunk["objectData"][0]["programMemberContext"]),
                         ({"name": "Ops"}, {"reason": "spring", "other": ""}, {}))
        self.run_over(self.campaign(service), person)
        self.assertEqual(self.provider.chunks[2]["context"]["program"], {})

    def test_user_driven_mapping(self):
        for name in ("invocationPayloadDef", "callbackPayloadDef"):
            self.provider.definition[name]["userDrivenMapping"] = True
        self.provider.callback = lambda chunk: {"munchkinId": MUNCHKIN, "objectData": [
            {"leadData": {"id": o["objectContext"]["id"], "title": "Clerk", "city": "x"}, "activityData": {"success": True}}
            for o in chunk["objectData"]]}
        person = self.create(email="ada@example.org", lastName="Vale")
        got = self.install(mappings={"invocation": {"lastName": "lastName"}, "callback": {"title": "title"}})
        self.assertEqual((got["invocation"], got["callback"]), ({"lastName": "lastName"}, {"title": "title"}))
        report = self.run_over(self.campaign(got["id"]), person)
        self.assertEqual(self.provider.chunks[0]["objectData"][0]["objectContext"], {"id": person, "lastName": "Vale"})
        self.assertEqual(report["people"][0]["fields"], {"title": "Clerk"})

    def test_chunks(self):
        people = self.people(7)
        self.marketo.post("leads/delete.json", {"input": [{"id": people[3]}]})
        report = self.run_over(self.campaign(), *people, chunk=3)
        self.assertEqual([c["people"] for c in report["chunks"]], [3, 3, 1])
        self.assertEqual(sorted(len(c["objectData"]) for c in self.provider.chunks), [1, 2, 3])
        self.assertEqual(len({c["token"] for c in self.provider.chunks}), 3)   # one for each chunk
        self.assertEqual(len({c["batchid"] for c in self.provider.chunks}), 1)
        self.assertEqual((report["totals"]["succeeded"], report["totals"]["unknown"]), (6, 1))
        self.assertGreaterEqual(report["mostOpen"], 1)
        report = self.run_over(self.campaign(self.sandbox.control("services")[0]["id"]), *people, 99, chunk=1)
        self.assertEqual((report["totals"]["succeeded"], report["totals"]["unknown"]), (6, 2))   # a chunk of nobody is not sent
        self.assertEqual(len(self.provider.chunks), 9)

    def test_a_large_chunk(self):
        self.sandbox.control("seed", {"persons": 1000})
        report = self.sandbox.control(f"campaigns/{self.campaign()}/run", {"all": True, "chunk": 1000})
        self.assertEqual((report["totals"]["succeeded"], len(self.provider.chunks)), (1000, 1))

    def test_other_answers(self):
        person = self.create(email="ada@example.org")
        campaign = self.campaign()
        for status in (200, 202, 400, 401, 403, 429, 500):
            self.provider.submitted = status
            self.provider.special["submitAsyncAction"] = lambda request: (self.provider.submit(request)[0], "why not")
            report = self.run_over(campaign, person)
            got = report["people"][0]
            self.assertEqual((got["status"], got["http"], got["errorCode"]), ("refused", status, str(status)))
            self.assertEqual([(a["status"], a["body"]) for a in report["chunks"][0]["answers"]], [(status, "why not")])
            self.assertEqual((report["finished"], report["chunks"][0]["accepted"]), (True, False))
        self.provider.special["submitAsyncAction"] = lambda request: None
        report = self.run_over(campaign, person)
        self.assertEqual((report["people"][0]["errorCode"], report["chunks"][0]["answers"][0]["error"]), ("unreachable", "unreachable"))
        self.limits(webhookSeconds=1)
        self.provider.special["submitAsyncAction"] = lambda request: (time.sleep(1.5), (201, ""))[1]
        self.assertEqual(self.run_over(campaign, person)["chunks"][0]["answers"][0]["error"], "timeout")

    def test_sending_again(self):
        person = self.create(email="ada@example.org")
        campaign = self.campaign()
        statuses = [429, 500, 503, 201]
        self.provider.submitted = lambda chunk: statuses.pop(0)
        report = self.run_over(campaign, person, resend=3)
        self.assertEqual([a["status"] for a in report["chunks"][0]["answers"]], [429, 500, 503, 201])
        self.assertEqual((report["people"][0]["status"], len(self.provider.chunks)), ("succeeded", 4))
        self.assertEqual([c for c in self.provider.chunks if c != self.provider.chunks[0]], [])   # the same to the last byte
        statuses[:] = [429, 429, 429]
        self.assertEqual(self.run_over(campaign, person, resend=1)["people"][0]["status"], "refused")
        self.assertEqual(len(statuses), 1)
        statuses[:] = [400, 201]
        self.assertEqual(self.run_over(campaign, person, resend=1)["people"][0]["http"], 400)   # not after 4xx
        statuses[:] = [429, 201]
        self.assertEqual(self.run_over(campaign, person)["people"][0]["http"], 429)   # not unless asked to

    def test_the_same_chunk_twice(self):
        person = self.create(email="ada@example.org")
        report = self.run_over(self.campaign(), person, twice=True)
        self.assertEqual([a["status"] for a in report["chunks"][0]["answers"]], [201, 201])
        self.assertEqual(self.provider.chunks[0], self.provider.chunks[1])
        self.assertEqual(sorted(r.status for r in self.replies(2)), [202, 404])
        self.assertEqual(len(self.activities(self.sandbox.control("services")[0]["activityTypeId"])), 1)

    def test_the_service_may_read_marketo_meanwhile(self):
        person = self.create(email="ada@example.org", lastName="Vale")
        campaign = self.campaign()
        seen = []
        self.provider.submitted = lambda chunk: (seen.append(self.lead(person, "lastName")["lastName"]), 201)[1]
        self.assertEqual(self.run_over(campaign, person)["people"][0]["status"], "succeeded")
        self.assertEqual(seen, ["Vale"])

    def test_a_callback_before_the_201(self):
        person = self.create(email="ada@example.org")
        campaign = self.campaign()
        self.provider.callback = None
        self.provider.submitted = lambda chunk: (send_back(chunk, Provider.good_callback(chunk)), 201)[1]
        report = self.run_over(campaign, person)
        self.assertEqual((report["people"][0]["status"], report["chunks"][0]["accepted"]), ("succeeded", True))


class Requested(FlowCase):
    def test_through_the_api(self):
        people = self.people(2)
        campaign = self.campaign()
        answer = self.marketo.post(f"campaigns/{campaign}/trigger.json", {"input": {"leads": [{"id": person} for person in people]}})
        self.assertEqual(answer["result"], [{"id": campaign}])
        self.assertEqual([reply.status for reply in self.replies(1)], [202])
        chunk, = self.provider.chunks
        self.assertEqual([o["objectContext"]["id"] for o in chunk["objectData"]], people)
        self.assertEqual(chunk["objectData"][0]["triggeringContext"], {"name": "MQL fast-track", "triggerName": "Campaign is Requested"})
        self.assertEqual(self.lead(people[1], "dynamicsId")["dynamicsId"], f"g-{people[1]}")


class CallingBack(FlowCase):
    def one(self, callback, person=None, run=True, attributes=None):
        """The report of a run over one person, whose service calls back like that."""
        self.provider.callback = callback
        person = person or self.create(email="ada@example.org")
        services = self.sandbox.control("services")
        campaign = self.campaign(services[0]["id"] if services else None, attributes=attributes)
        return self.run_over(campaign, person)

    def person(self, lead=None, activity=None, **top):
        """A callback for the one person of the chunk."""
        return lambda chunk: {"munchkinId": MUNCHKIN, **top, "objectData": [{
            "leadData": {"id": chunk["objectData"][0]["objectContext"]["id"], **(lead or {})},
            "activityData": {"success": True} if activity is None else activity}]}

    def test_what_it_does(self):
        person = self.create(email="ada@example.org", leadScore=10)
        since = self.since()
        report = self.one(self.person({"guid": "g1", "born": "2000-02-29", "seen": "2026-01-02T03:04:05.678+01:00", "blocked": True, "street": None},
                                      {"success": True, "reason": "new", "recordId": "r1", "action": "created", "count": 3, "yes": False}),
                          person, attributes={"syncAs": "contact", "times": 2})
        self.assertEqual([r.status for r in self.replies(1)], [202])
        got = report["people"][0]
        self.assertEqual((got["id"], got["status"], got["http"], got["reason"], got["problems"]), (person, "succeeded", 201, "new", []))
        self.assertEqual(got["fields"], {"dynamicsId": "g1", "dateOfBirth": "2000-02-29", "emailSuspendedAt": "2026-01-02T02:04:05Z",
                                         "doNotCall": True, "address": None})
        self.assertEqual((report["finished"], report["chunks"][0]["callback"], report["chunks"][0]["problems"]), (True, True, []))
        self.assertGreater(got["milliseconds"], 0)
        service = self.sandbox.control("services")[0]
        logged = self.marketo.get("activities.json", nextPageToken=since, activityTypeIds="13,%d" % service["activityTypeId"])["result"]
        campaign = report["campaign"]
        changes = [a for a in logged if a["activityTypeId"] == 13]
        self.assertEqual({a["primaryAttributeValue"] for a in changes}, {"The dynamicsId", "Date of Birth", "Email Suspended At", "Do Not Call"})
        told = {a["name"]: a["value"] for a in changes[0]["attributes"]}
        self.assertEqual(told, {"New Value": "g1", "Source": "Dynamics Sync (1)", "Reason": f"Smart Campaign: {campaign}, Step Seq ID: 1"})
        activity = [a for a in logged if a["activityTypeId"] != 13]
        self.assertEqual([(a["leadId"], a["campaignId"], a["primaryAttributeValue"]) for a in activity], [(person, campaign, "contact")])
        self.assertEqual({a["name"]: a["value"] for a in activity[0]["attributes"]}, {
            "The times": 2, "The recordId": "r1", "The action": "created", "The count": 3, "The yes": False, "Success": True, "Reason": "new"})
        changed = self.marketo.get("activities/leadchanges.json", nextPageToken=since, fields="dynamicsId")["result"]
        self.assertIn({"name": "Source", "value": "Dynamics Sync (1)"}, changed[-1]["attributes"])

    def test_a_person_that_failed(self):
        report = self.one(self.person(activity={"success": False, "errorCode": "REQUIRED_FIELD_MISSING", "reason": "lastname"}))
        got = report["people"][0]
        self.assertEqual((got["status"], got["errorCode"], got["reason"], got["problems"]), ("failed", "REQUIRED_FIELD_MISSING", "lastname", []))
        logged = self.activities(self.sandbox.control("services")[0]["activityTypeId"])[0]["attributes"]
        self.assertEqual({a["name"]: a["value"] for a in logged},
                         {"Success": False, "Reason": "lastname", "Error Code": "REQUIRED_FIELD_MISSING"})
        got = self.one(self.person(activity={"success": False}), got["id"])["people"][0]
        self.assertEqual((got["status"], got["problems"]), ("failed", ["a failure has no errorCode"]))
        got = self.one(self.person(activity={}), got["id"])["people"][0]
        self.assertEqual(got["problems"], ["activityData.success is not a truth value"])
        got = self.one(self.person(activity={"success": False, "errorCode": 5, "reason": []}), got["id"])["people"][0]
        self.assertEqual(got["problems"][:2], ["activityData.reason is not a text", "activityData.errorCode is not a text"])

    def test_the_whole_chunk_failed(self):
        people = self.people(3)
        self.provider.callback = lambda chunk: {**Provider.good_callback(chunk), "errorCode": "CRM_DOWN", "errorMessage": "try later"}
        report = self.run_over(self.campaign(), *people)
        self.assertEqual([(p["status"], p["errorCode"], p["reason"], p["fields"]) for p in report["people"]], [("failed", "CRM_DOWN", "try later", {})] * 3)
        self.assertEqual(len(self.activities(self.sandbox.control("services")[0]["activityTypeId"])), 3)
        self.assertEqual(self.lead(people[0], "dynamicsId")["dynamicsId"], None)
        self.provider.callback = lambda chunk: {"munchkinId": MUNCHKIN, "errorCode": "CRM_DOWN"}
        self.assertEqual(self.run_over(self.campaign(1), *people)["totals"]["failed"], 3)

    def test_defaults(self):
        people = self.people(2)
        self.provider.callback = lambda chunk: {
            "munchkinId": MUNCHKIN, "defaultValues": {"activityDefaults": {"success": True, "action": "linked"}, "leadDefaults": {"guid": "same"}},
            "objectData": [{"leadData": {"id": people[0]}}, {"leadData": {"id": people[1], "guid": "own"}, "activityData": {"action": "created"}}]}
        report = self.run_over(self.campaign(), *people)
        self.assertEqual([(p["status"], p["fields"]) for p in report["people"]], [("succeeded", {"dynamicsId": "same"}), ("succeeded", {"dynamicsId": "own"})])
        logged = self.activities(self.sandbox.control("services")[0]["activityTypeId"])
        self.assertEqual([[x["value"] for x in a["attributes"] if x["name"] == "The action"] for a in logged], [["linked"], ["created"]])

    def test_scores(self):
        person = self.create(email="ada@example.org", leadScore=10)
        for given, wanted in (("+5", 15), ("-20", -5), ("7", 7), (3, 3)):
            self.assertEqual(self.one(self.person({"score": given}), person)["people"][0]["fields"], {"leadScore": wanted})
        for given in ("five", 1.5, True, "", "+ 5"):
            got = self.one(self.person({"score": given}), person)["people"][0]
            self.assertEqual((got["fields"], got["problems"]), ({}, ['the value of the field \'score\' is not a score like 5, "+5" or "-5"']))

    def test_types_of_attributes(self):
        good = {"recordId": "x", "action": "x", "count": -2147483648, "when": "2026-01-02T03:04:05Z", "day": "2026-01-02", "yes": True, "share": 1,
                "mail": "a@example.org", "points2": "+1", "page": "x"}
        person = self.create(email="ada@example.org")
        self.assertEqual(self.one(self.person(activity={"success": True, **good}), person)["people"][0]["problems"], [])
        bad = {"recordId": 5, "action": ["x"], "count": 2147483648, "when": "2026-01-02", "day": "2026-02-30", "yes": "true", "share": "1",
               "mail": "nobody", "points2": "x", "page": False}
        got = self.one(self.person(activity={"success": True, **bad, "unknown": 1}), person)["people"][0]
        self.assertEqual(len(got["problems"]), 11)
        self.assertEqual([p.split("'")[1] for p in got["problems"]], [*bad, "unknown"])
        logged = self.activities(self.sandbox.control("services")[0]["activityTypeId"])[-1]["attributes"]
        self.assertEqual([a["name"] for a in logged], ["Success"])

    def test_types_of_fields(self):
        got = self.one(self.person({"born": "yesterday", "seen": 5, "blocked": "yes", "guid": 7, "unmapped": "x", "unknown": "x"}))["people"][0]
        self.assertEqual(got["fields"], {})
        self.assertEqual([p.split("'")[1] for p in got["problems"]], ["born", "seen", "blocked", "guid", "unknown"])   # what is not mapped is dropped

    def test_long_texts_are_cut(self):
        person = self.create(email="ada@example.org")
        got = self.one(self.person({"guid": "é" * 200, "street": "x" * 2500}, {"success": True, "recordId": "x" * 300, "action": "y" * 2001}), person)
        self.assertEqual(got["people"][0]["fields"], {"dynamicsId": "é" * 127, "address": "x" * 2000})   # 255 and 2000 bytes
        self.assertEqual(len(got["people"][0]["problems"]), 4)
        logged = self.activities(self.sandbox.control("services")[0]["activityTypeId"])[0]["attributes"]
        self.assertEqual({a["name"]: len(a["value"]) for a in logged[:2]}, {"The recordId": 255, "The action": 2000})
        got = self.one(self.person(activity={"success": False, "errorCode": "E" * 300, "reason": "r" * 3000000}), person)["people"][0]
        self.assertEqual((len(got["errorCode"]), len(got["reason"])), (255, 2000))
        self.sandbox.reset()
        self.marketo = self.user("tandem")
        self.field("dynamicsId")
        self.provider.definition["callbackPayloadDef"]["fields"][6]["suggestedMarketoAttribute"] = ""
        service = self.install(mappings={"callback": {"street": "title"}})["id"]
        self.provider.callback = self.person({"street": "é" * 400})
        report = self.run_over(self.campaign(service), self.create(email="b@example.org"))
        self.assertEqual(report["people"][0]["fields"], {"title": "é" * 255})   # as long as the field

    def test_people_left_out_or_strange(self):
        people = self.people(3)
        self.provider.callback = lambda chunk: {"munchkinId": MUNCHKIN, "objectData": [
            {"leadData": {"id": people[1]}, "activityData": {"success": True}}, {"leadData": {"id": people[1]}, "activityData": {"success": False}},
            {"leadData": {"guid": "x"}}, {}, 5, {"leadData": {"id": 7}}, {"leadData": {"id": str(people[0])}}]}
        report = self.run_over(self.campaign(), *people)
        self.assertEqual([p["status"] for p in report["people"]], ["leftOut", "succeeded", "leftOut"])
        self.assertEqual(report["chunks"][0]["problems"], [
            f"objectData[1]: {people[1]} was named before", "objectData[2] has no leadData.id", "objectData[3] has no leadData.id",
            "objectData[4] has no leadData.id", "objectData[5]: 7 is not in the chunk", "objectData[6] has no leadData.id"])
        self.assertEqual(report["totals"]["leftOut"], 2)

    def test_no_callback_in_time(self):
        self.limits(flowSeconds=1)
        person = self.create(email="ada@example.org")
        self.provider.callback = None
        campaign = self.campaign()
        begun = time.monotonic()
        report = self.run_over(campaign, person)
        self.assertGreaterEqual(time.monotonic() - begun, 1)
        self.assertEqual((report["finished"], report["people"][0]["status"]), (True, "noCallback"))
        self.assertEqual(send_back(self.provider.chunks[0], Provider.good_callback(self.provider.chunks[0])).status, 202)   # late, and taken
        self.assertEqual(self.look(campaign, report["run"])["people"][0]["status"], "succeeded")

    def test_without_waiting(self):
        person = self.create(email="ada@example.org")
        self.provider.callback = None
        campaign = self.campaign()
        report = self.run_over(campaign, person, wait=False)
        self.assertEqual((report["finished"], report["people"][0]["status"]), (False, "waiting"))
        self.provider.next()
        chunk = self.provider.chunks[0]
        self.assertEqual(send_back(chunk, Provider.good_callback(chunk)).status, 202)
        for _ in range(500):
            report = self.look(campaign, report["run"])
            if report["finished"] and report["chunks"][0]["accepted"]:
                break
            time.sleep(0.01)
        self.assertEqual((report["finished"], report["people"][0]["status"], report["people"][0]["http"]), (True, "succeeded", 201))

    def test_who_may_call_back(self):
        person = self.create(email="ada@example.org")
        self.provider.callback = None
        campaign = self.campaign()
        run = self.run_over(campaign, person, wait=False)["run"]
        self.provider.next()
        chunk = self.provider.chunks[0]
        body = Provider.good_callback(chunk)
        for headers in ({"x_api_key": None}, {"x_callback_token": None}, {"x_api_key": "wrong"}, {"x_api_key": None, "x_callback_token": None}):
            self.assertEqual(send_back(chunk, body, **headers).status, 401, headers)
        for token in ("unknown", "", "00000000-0000-4000-8000-000000000000"):
            self.assertEqual(send_back(chunk, body, x_callback_token=token).status, 404)
        for given, headers in ((body, {"Content_Type": None}), (body, {"Content_Type": "text/plain"}), ("{", {}), ("[]", {}), ("", {}),
                               ({**body, "munchkinId": None}, {}), ({**body, "munchkinId": "999-QQQ-999"}, {}), ({"objectData": []}, {}),
                               ({"munchkinId": MUNCHKIN}, {}), ({"munchkinId": MUNCHKIN, "objectData": {}}, {})):
            self.assertEqual(send_back(chunk, given, **headers).status, 405, (given, headers))
        for method in ("GET", "PUT"):
            self.assertEqual(self.sandbox.marketo.call(method, "/ssfs/submit").status, 405)
        self.assertEqual(len(self.look(campaign, run)["chunks"][0]["problems"]), 10)
        self.assertIs(self.look(campaign, run)["chunks"][0]["callback"], False)
        answer = send_back(chunk, {**body, "token": chunk["token"], "time": "now"}, Content_Type="application/json; charset=utf-8")
        self.assertEqual((answer.status, answer.body), (202, b""))
        self.assertEqual(send_back(chunk, body).status, 404)   # a token is good once
        self.assertEqual(self.look(campaign, run)["people"][0]["status"], "succeeded")

    def test_it_costs_no_quota_and_is_counted(self):
        self.limits(enforce=True, perDay=50)
        person = self.create(email="ada@example.org")
        before = self.marketo.get("stats/usage.json")["result"][0]["total"]
        self.one(Provider.good_callback, person)
        self.assertEqual(self.marketo.get("stats/usage.json")["result"][0]["total"], before + 1)
        calls = self.sandbox.control("calls")
        self.assertIn("POST /ssfs/submit", json.dumps(calls))

    def test_faults_reach_it(self):
        self.sandbox.control("faults", [{"side": "marketo", "path": "/ssfs/submit", "nth": 1, "effect": {"status": 503}}])
        person = self.create(email="ada@example.org")
        self.provider.callback = None
        self.run_over(self.campaign(), person, wait=False)
        self.provider.next()
        chunk = self.provider.chunks[0]
        self.assertEqual([send_back(chunk, Provider.good_callback(chunk)).status for _ in range(3)], [503, 202, 404])

    def test_a_person_deleted_meanwhile(self):
        person = self.create(email="ada@example.org")
        self.provider.submitted = lambda chunk: (self.marketo.post("leads/delete.json", {"input": [{"id": person}]}), 201)[1]
        got = self.one(Provider.good_callback, person)["people"][0]
        self.assertEqual((got["status"], got["problems"]), ("succeeded", ["the person is gone"]))

    def test_a_refused_chunk_that_calls_back(self):
        person = self.create(email="ada@example.org")
        self.provider.submitted = 500
        campaign = self.campaign()
        run = self.run_over(campaign, person)["run"]
        chunk = self.provider.chunks[0]
        self.assertEqual(send_back(chunk, Provider.good_callback(chunk)).status, 202)
        got = self.look(campaign, run)["people"][0]
        self.assertEqual((got["status"], "errorCode" in got), ("succeeded", False))

    def test_a_reset_voids_the_tokens(self):
        person = self.create(email="ada@example.org")
        self.provider.callback = None
        gate = threading.Event()
        self.provider.submitted = lambda chunk: 201 if gate.wait(10) else 500
        self.run_over(self.campaign(), person, wait=False)
        self.provider.next()
        self.sandbox.reset()
        self.marketo = self.user("tandem")
        self.field("dynamicsId")
        self.assertEqual(self.create(email="b@example.org"), person)
        chunk = self.provider.chunks[0]
        self.assertEqual(send_back(chunk, Provider.good_callback(chunk)).status, 404)
        gate.set()
        self.assertEqual(self.lead(person, "dynamicsId")["dynamicsId"], None)
        self.assertEqual((self.sandbox.control("services"), self.sandbox.control("campaigns")), ([], []))


class Saving(unittest.TestCase):
    """Steps of campaigns and services are there after a restart; runs are not."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.environ["TANDEM_SANDBOX"] = str(pathlib.Path(os.environ["TANDEM_SANDBOX"]).resolve())
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        self.provider = Provider()
        self.addCleanup(self.provider.stop)

    def start(self, *arguments):
        sandbox = Sandbox(*arguments)
        self.addCleanup(sandbox.stop)
        return sandbox

    def test_steps_and_services_survive(self):
        first = self.start()
        first.control("seed", {"persons": 3})
        service = first.control("services", {"url": self.provider.url + "/openapi.json", "credentials": {"apiKey": "k3y"},
                                             "global": {"region": "US"}})
        flow = first.control("campaigns", {"name": "Flow", "type": "batch", "flowStep": {
            "service": service["id"], "attributes": {"syncAs": "lead", "times": 2}}})["id"]
        hook = first.control("campaigns", {"name": "Hook", "type": "trigger", "tokens": {"x": "y"}, "webhook": {
            "url": self.provider.url + "/hook", "template": "{{my.x}}", "responseType": "json", "mappings": {"a": "Title"}}})["id"]
        self.provider.special["hook"] = (200, '{"a": "Clerk"}')
        before = {c: first.control(f"campaigns/{c}/run", {"all": True}) for c in (flow, hook)}
        sent = self.provider.chunks[0]
        first.control("save", {"file": "demo.state"})
        second = self.start("--state", "demo.state")
        self.assertEqual(second.control("services"), first.control("services"))
        self.assertEqual([c["runs"] for c in second.control("campaigns")], [[], []])
        self.provider.taken()
        after = {c: second.control(f"campaigns/{c}/run", {"all": True}) for c in (flow, hook)}
        again = self.provider.chunks[1]
        for name in ("token", "batchid", "callbackUrl"):
            self.assertNotEqual(sent.pop(name), again.pop(name))
        self.assertEqual(again, sent)
        self.assertEqual([r.text for r in self.provider.taken() if r.path == "/hook"], ["y"] * 3)
        for campaign in (flow, hook):
            self.assertEqual([(p["id"], p["status"], p["fields"]) for p in after[campaign]["people"]],
                             [(p["id"], p["status"], p["fields"]) for p in before[campaign]["people"]])
        self.assertEqual(after[flow]["totals"]["succeeded"], 3)
        listener = Listener(second.urls["marketo"])
        self.addCleanup(listener.close)
        refused = listener.call("POST", "/_sandbox/services", {"url": self.provider.url + "/openapi.json", "credentials": {"apiKey": "k3y"}})
        self.assertEqual(refused.json["violations"], ["the apiName 'syncPerson' is taken: give another"])
        marketo = Marketo(second)
        self.addCleanup(marketo.close)
        names = {t["id"]: t["name"] for t in marketo.get("activities/types.json")["result"]}
        self.assertEqual(names[service["activityTypeId"]], "Syncs Person")
        since = marketo.get("activities/pagingtoken.json", sinceDatetime="2020-01-01T00:00:00Z")["nextPageToken"]
        logged = marketo.get("activities.json", nextPageToken=since, activityTypeIds="110,%d" % service["activityTypeId"])["result"]
        self.assertEqual(len(logged), 12)


if __name__ == "__main__":
    unittest.main()
