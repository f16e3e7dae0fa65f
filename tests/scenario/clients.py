"""Small clients for the three public interfaces a scenario speaks to: Marketo's REST API, the Dataverse Web API and
Tandem's own. They know addresses and shapes, and no expectation of any test."""

import http.client
import json
import threading
import urllib.parse

PERSONS_PER_CALL = 300
TABLE_SETS = {"contact": "contacts", "lead": "leads", "account": "accounts", "systemuser": "systemusers"}


class Answer:
    """An HTTP answer read whole."""

    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        self.headers = {name.lower(): value for name, value in headers}

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.body) if self.body else None

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Http:
    """One address. Every thread keeps a connection of its own open; a stale one is opened anew."""

    def __init__(self, url, timeout=60):
        self.url, self.timeout = url.rstrip("/"), timeout
        self.host = urllib.parse.urlsplit(url).netloc
        self.local = threading.local()

    def send(self, method, path, body=None, headers=None):
        """A body that is neither bytes nor text is sent as JSON."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode("utf-8")
        for is_last in (False, True):
            is_fresh = getattr(self.local, "connection", None) is None
            if is_fresh:
                self.local.connection = http.client.HTTPConnection(self.host, timeout=self.timeout)
            try:
                self.local.connection.request(method, path, body=body, headers=headers)
                got = self.local.connection.getresponse()
                return Answer(got.status, got.getheaders(), got.read())
            except (http.client.HTTPException, OSError) as error:
                self.close()
                gone = isinstance(error, (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError))
                if is_last or is_fresh or not gone:
                    raise
        raise AssertionError("not reached")

    def close(self):
        if getattr(self.local, "connection", None) is not None:
            self.local.connection.close()
        self.local.connection = None


class RemoteError(Exception):
    """What a remote refused: code and message as it gave them."""

    def __init__(self, status, code, message):
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message


def chunks(values, size):
    values = list(values)
    return [values[i:i + size] for i in range(0, len(values), size)]


class MarketoClient:
    """Marketo as one API user sees it."""

    def __init__(self, url, client_id, client_secret):
        self.http = Http(url)
        self.client_id, self.client_secret = client_id, client_secret
        self.bearer = None

    def token(self):
        if self.bearer is None:
            form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": self.client_id,
                                           "client_secret": self.client_secret})
            self.bearer = self.http.send("GET", f"/identity/oauth/token?{form}").json["access_token"]
        return self.bearer

    def call(self, method, path, body=None, headers=None, **params):
        """The envelope of an answer; RemoteError when its success is false. 601 and 602 renew the token once."""
        query = "?" + urllib.parse.urlencode(params) if params else ""
        for is_last in (False, True):
            answer = self.http.send(method, path + query, body,
                                    {"Authorization": f"Bearer {self.token()}", **(headers or {})})
            envelope = answer.json
            if envelope.get("success"):
                return envelope
            first = (envelope.get("errors") or [{}])[0]
            if is_last or first.get("code") not in ("601", "602"):
                raise RemoteError(answer.status, first.get("code"), first.get("message"))
            self.bearer = None
        raise AssertionError("not reached")

    def form(self, path, **params):
        """A reading call too long for an address line."""
        return self.call("POST", path + "?_method=GET", urllib.parse.urlencode(params),
                         {"Content-Type": "application/x-www-form-urlencoded"})

    # --- persons

    def find(self, field, values, fields=()):
        """Everybody whose field is one of the values."""
        found = []
        for part in chunks(values, PERSONS_PER_CALL):
            params = {"filterType": field, "filterValues": ",".join(str(v) for v in part)}
            if fields:
                params["fields"] = ",".join(fields)
            while True:
                page = self.form("/rest/v1/leads.json", **params)
                found += page["result"]
                if not page.get("nextPageToken"):
                    break
                params["nextPageToken"] = page["nextPageToken"]
        return found

    def persons(self, ids, fields=()):
        return {person["id"]: person for person in self.find("id", ids, fields)}

    def person(self, person_id, *fields):
        """None when there is none."""
        return self.persons([person_id], fields).get(person_id)

    def everybody(self, fields=(), step=PERSONS_PER_CALL, empty_max=4):
        """All persons by id, found by walking the ids until nobody was seen for a while."""
        found, first, empty = {}, 1, 0
        while empty < empty_max:
            page = self.persons(range(first, first + step), fields)
            empty = 0 if page else empty + 1
            found.update(page)
            first += step
        return found

    def sync(self, action, records, lookup="id", **more):
        """The results of POST leads.json, in order."""
        results = []
        for part in chunks(records, PERSONS_PER_CALL):
            body = {"action": action, "input": part, **more}
            if action != "createDuplicate":
                body["lookupField"] = lookup
            results += self.call("POST", "/rest/v1/leads.json", body)["result"]
        return results

    @staticmethod
    def done(result):
        if result["status"] == "skipped":
            reason = result["reasons"][0]
            raise RemoteError(200, reason["code"], reason["message"])
        return result["id"]

    def create(self, **fields):
        """The new person's id."""
        return self.done(self.sync("createDuplicate", [fields])[0])

    def create_many(self, people):
        return [self.done(result) for result in self.sync("createDuplicate", people)]

    def update(self, person_id, **fields):
        self.done(self.sync("updateOnly", [{"id": person_id, **fields}])[0])

    def update_many(self, people):
        """Each a dict with its id."""
        for result in self.sync("updateOnly", people):
            self.done(result)

    def delete(self, *ids):
        for part in chunks(ids, PERSONS_PER_CALL):
            body = {"input": [{"id": i} for i in part]}
            for result in self.call("POST", "/rest/v1/leads/delete.json", body)["result"]:
                self.done(result)

    def merge(self, winner, *losers):
        self.call("POST", f"/rest/v1/leads/{winner}/merge.json", leadIds=",".join(str(i) for i in losers))

    def fields(self):
        """Descriptions by REST name."""
        return {f["rest"]["name"]: f for f in self.call("GET", "/rest/v1/leads/describe.json")["result"]}

    # --- activities

    def activity_types(self):
        return {t.get("apiName") or t["name"]: t for t in self.call("GET", "/rest/v1/activities/types.json")["result"]}

    def activities(self, types, since, person_ids=()):
        """Everything logged of some types since an ISO time, oldest first. Attributes as a dict `values`."""
        token = self.call("GET", "/rest/v1/activities/pagingtoken.json", sinceDatetime=since)["nextPageToken"]
        params = {"activityTypeIds": ",".join(str(t) for t in types)}
        if person_ids:
            params["leadIds"] = ",".join(str(i) for i in person_ids)
        found, more = [], True
        while more:
            page = self.call("GET", "/rest/v1/activities.json", nextPageToken=token, **params)
            found += page.get("result") or []
            token, more = page["nextPageToken"], page["moreResult"]
        for activity in found:
            activity["values"] = {a["name"]: a["value"] for a in activity.get("attributes") or []}
        return found


class DynamicsClient:
    """Dataverse as one application user sees it. Tables by their logical name: contact, lead, account."""

    ROOT = "/api/data/v9.2/"

    def __init__(self, url, tenant_id, client_id, client_secret):
        self.http = Http(url)
        self.tenant_id, self.client_id, self.client_secret = tenant_id, client_id, client_secret
        self.bearer = None

    def token(self):
        if self.bearer is None:
            form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": self.client_id,
                                           "client_secret": self.client_secret, "scope": self.http.url + "/.default"})
            answer = self.http.send("POST", f"/{self.tenant_id}/oauth2/v2.0/token", form,
                                    {"Content-Type": "application/x-www-form-urlencoded"})
            self.bearer = answer.json["access_token"]
        return self.bearer

    def call(self, method, path, body=None, headers=None, allow=()):
        """RemoteError for a status of 400 and above that is not in allow; 401 renews the token once."""
        for is_last in (False, True):
            answer = self.http.send(method, path if path.startswith("/") else self.ROOT + path, body, {
                "Authorization": f"Bearer {self.token()}", "Accept": "application/json", "OData-Version": "4.0",
                "OData-MaxVersion": "4.0", **(headers or {})})
            if answer.status < 400 or answer.status in allow:
                return answer
            if is_last or answer.status != 401:
                break
            self.bearer = None
        try:
            error = answer.json["error"]
        except ValueError:
            error = {"code": None, "message": answer.text}
        raise RemoteError(answer.status, error["code"], error["message"])

    @staticmethod
    def address(table, record_id):
        return f"{TABLE_SETS[table]}({record_id})"

    @staticmethod
    def query_text(**options):
        quoted = [f"${name}={urllib.parse.quote(str(value), safe='')}" for name, value in options.items() if value]
        return "?" + "&".join(quoted) if quoted else ""

    def create(self, table, record_id=None, **columns):
        """The new record's GUID."""
        if record_id:
            columns[table + "id"] = record_id
        answer = self.call("POST", TABLE_SETS[table], columns, {"Prefer": "return=representation"})
        return answer.json[table + "id"]

    def get(self, table, record_id, *columns):
        """None when there is none."""
        answer = self.call("GET", self.address(table, record_id) + self.query_text(select=",".join(columns)), allow=(404,))
        return answer.json if answer.status == 200 else None

    def update(self, table, record_id, version=None, **columns):
        """Only an existing record is changed; version is an ETag."""
        self.call("PATCH", self.address(table, record_id), columns, {"If-Match": version or "*"})

    def delete(self, table, record_id):
        self.call("DELETE", self.address(table, record_id))

    def query(self, table, where=None, columns=(), order=None, top=None, with_labels=False):
        """All rows, following every page."""
        prefer = ["odata.maxpagesize=5000"] if not top else []
        if with_labels:
            prefer.append('odata.include-annotations="*"')
        path = TABLE_SETS[table] + self.query_text(select=",".join(columns), filter=where, orderby=order, top=top)
        rows = []
        while path:
            page = self.call("GET", path, headers={"Prefer": ",".join(prefer)} if prefer else None).json
            rows += page["value"]
            link = page.get("@odata.nextLink")
            parts = urllib.parse.urlsplit(link or "")
            path = f"{parts.path}?{parts.query}" if link else None
        return rows

    def qualify(self, lead_id, contact=True, account=False):
        return self.call("POST", self.address("lead", lead_id) + "/Microsoft.Dynamics.CRM.QualifyLead", {
            "CreateAccount": account, "CreateContact": contact, "CreateOpportunity": False, "Status": 3}).json


class TandemClient:
    """The service with one key (None: without)."""

    def __init__(self, url, key=None, timeout=60):
        self.http = Http(url, timeout)
        self.key = key

    def send(self, method, path, body=None, headers=None):
        bearer = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return self.http.send(method, path, body, {**bearer, **(headers or {})})

    def get(self, path, **params):
        """The JSON of a 200; anything else is a failure of the test."""
        query = "?" + urllib.parse.urlencode(params) if params else ""
        answer = self.send("GET", path + query)
        if answer.status != 200:
            raise AssertionError(f"GET {path}{query}: {answer!r}")
        return answer.json

    def status(self):
        return self.get("/v1/status")

    def items(self, path, **params):
        """A whole list, page by page."""
        found, cursor = [], None
        while True:
            page = self.get(path, **params, **({"cursor": cursor} if cursor else {}))
            found += page["items"]
            cursor = page.get("next")
            if not cursor:
                return found

    def cycles(self, **params):
        return self.items("/v1/cycles", **params)

    def errors(self, **params):
        return self.items("/v1/errors", **params)

    def collisions(self, **params):
        return self.items("/v1/collisions", **params)

    def fields(self):
        return self.items("/v1/fields")

    def person(self, person_id):
        """None when Tandem knows nothing of this person."""
        answer = self.send("GET", f"/v1/persons/{person_id}")
        return answer.json if answer.status == 200 else None

    def sync_person(self, person_id, **more):
        """The whole answer, whatever its status."""
        return self.send("POST", "/v1/sync-person", {"personId": person_id, **more})

    def pause(self):
        return self.send("POST", "/v1/pause")

    def resume(self):
        return self.send("POST", "/v1/resume")

    def retry(self, error_id):
        return self.send("POST", f"/v1/errors/{error_id}/retry")

    def metrics(self):
        """Values by name with labels, as printed."""
        lines = self.send("GET", "/metrics").text.splitlines()
        return {name: float(value) for name, _, value in
                (line.rpartition(" ") for line in lines if line and not line.startswith("#"))}
