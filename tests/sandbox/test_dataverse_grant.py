"""The Dynamics side: the token endpoint with certificates, and every refusal it can give."""

import base64
import hashlib
import json
import os
import subprocess
import tempfile
import time
import uuid

from dataverse_case import ABSENT, DataverseCase, FORM
from sandbox import Sandbox

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Certificate:
    """A key and its certificate, made by openssl in a folder that goes with it."""

    def __init__(self, *kind, days=3650):
        self.folder = tempfile.TemporaryDirectory()
        self.key, pem = (os.path.join(self.folder.name, name) for name in ("key.pem", "certificate.pem"))
        self.openssl("req", "-x509", "-nodes", "-subj", "/CN=tandem", "-days", str(days), "-keyout", self.key, "-out", pem,
                     *(kind or ("-newkey", "rsa:2048")))
        with open(pem, encoding="ascii") as file:
            self.pem = file.read()
        der = self.openssl("x509", "-in", pem, "-outform", "DER")
        self.x5t, self.x5t_s256 = base64url(hashlib.sha1(der).digest()), base64url(hashlib.sha256(der).digest())

    def openssl(self, *arguments, data=None):
        return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout

    def sign(self, data, pss):
        """pss: the length of the salt; False for PKCS #1."""
        padding = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", f"rsa_pss_saltlen:{pss}") if pss else ()
        return self.openssl("dgst", "-sha256", "-sign", self.key, *padding, data=data)

    def assertion(self, header, payload, pss=32):
        parts = ".".join(base64url(json.dumps(part).encode()) for part in (header, payload))
        return parts + "." + base64url(self.sign(parts.encode(), pss))


class GrantCase(DataverseCase):
    def assertTokenError(self, answer, status, error, code, text=""):
        self.assertEqual((answer.status, answer.json["error"]), (status, error), answer.text)
        self.assertEqual(answer.json["error_codes"], [code])
        self.assertRegex(answer.json["error_description"],
                         rf"^AADSTS{code}: .* Trace ID: {answer.json['trace_id']} Correlation ID: {answer.json['correlation_id']} "
                         rf"Timestamp: {answer.json['timestamp']}$")
        self.assertIn(text, answer.json["error_description"])
        self.assertRegex(answer.json["timestamp"], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$")
        self.assertEqual(answer.json["error_uri"], f"https://login.microsoftonline.com/error?code={code}")


class Certificates(GrantCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = Certificate()
        cls.addClassCleanup(cls.certificate.folder.cleanup)

    def setUp(self):
        super().setUp()
        self.register(self.certificate)

    def register(self, certificate, user="tandem"):
        self.assertEqual(self.sandbox.control("certificates", {"user": user, "pem": certificate.pem}), {"ok": True})

    def header(self, **members):
        return {"alg": "PS256", "typ": "JWT", "x5t#S256": self.certificate.x5t_s256, **members}

    def payload(self, **members):
        client, now = self.tandem.user["clientId"], int(time.time())
        claims = {"aud": f"{self.tandem.origin}/{self.tandem.user['tenantId']}/oauth2/v2.0/token", "iss": client, "sub": client,
                  "jti": str(uuid.uuid4()), "nbf": now, "iat": now, "exp": now + 300, **members}
        return {name: value for name, value in claims.items() if value is not None}

    def ask(self, header=None, payload=None, certificate=None, pss=32, **form):
        assertion = (certificate or self.certificate).assertion(header or self.header(), payload or self.payload(), pss)
        return self.tandem.ask_token(**{"client_secret": None, "client_assertion_type": JWT_BEARER, "client_assertion": assertion, **form})

    def test_both_algorithms_and_thumbprints(self):
        sha1 = {"x5t#S256": None, "x5t": self.certificate.x5t}
        for header, pss in ((self.header(), 32), (self.header(alg="RS256", **sha1), False), (self.header(**sha1), 32),
                            (self.header(alg="RS256"), False)):
            answer = self.ask(header, pss=pss)
            self.assertEqual((answer.status, answer.json.get("token_type")), (200, "Bearer"), answer.text)
            self.tandem.token = answer.json["access_token"]
            self.get("WhoAmI")

    def test_listed_with_its_user(self):
        self.register(self.certificate)   # a second time changes nothing
        users = self.sandbox.users("dynamics")
        self.assertEqual(users["tandem"]["certificates"], [{"x5t": self.certificate.x5t, "x5t#S256": self.certificate.x5t_s256}])
        self.assertEqual(users["seller"]["certificates"], [])
        self.sandbox.reset()
        self.assertEqual(self.sandbox.users("dynamics")["tandem"]["certificates"], [])
        self.assertTokenError(self.ask(), 401, "invalid_client", 700027, "key was not found")

    def test_wrong_signatures(self):
        other = Certificate()
        self.addCleanup(other.folder.cleanup)
        self.assertTokenError(self.ask(certificate=other), 401, "invalid_client", 700027,
                              f"Thumbprint of key used by client: '{self.certificate.x5t}'")
        self.assertTokenError(self.ask(self.header(**{"x5t#S256": other.x5t_s256}), certificate=other), 401, "invalid_client", 700027,
                              "not registered on application")
        self.assertTokenError(self.ask(pss=False), 401, "invalid_client", 700027)
        self.assertTokenError(self.ask(pss=20), 401, "invalid_client", 700027)
        self.assertTokenError(self.ask(self.header(alg="RS256")), 401, "invalid_client", 700027)
        self.assertTokenError(self.ask(self.header(**{"x5t#S256": None})), 401, "invalid_client", 700027)
        good = self.certificate.assertion(self.header(), self.payload())
        head, body, signature = good.split(".")
        forged = base64url(json.dumps(self.payload(jti="other")).encode())
        self.assertTokenError(self.ask(client_assertion=f"{head}.{forged}.{signature}"), 401, "invalid_client", 700027)
        self.register(other, "seller")   # another user's certificate does not help
        self.assertTokenError(self.ask(self.header(**{"x5t#S256": other.x5t_s256}), certificate=other), 401, "invalid_client", 700027)

    def test_wrong_claims(self):
        for claims, code in (({"aud": self.tandem.origin}, 700023), ({"iss": ABSENT}, 700021), ({"sub": ABSENT}, 700021),
                             ({"iss": ABSENT, "sub": ABSENT}, 700021), ({"jti": None}, 50027), ({"exp": None}, 50027), ({"aud": None}, 50027)):
            with self.subTest(claims):
                self.assertTokenError(self.ask(payload=self.payload(**claims)), 401, "invalid_client", code)
        now = int(time.time())
        for claims in ({"exp": now - 301}, {"nbf": now + 400, "exp": now + 900}):
            self.assertTokenError(self.ask(payload=self.payload(**claims)), 401, "invalid_client", 700024,
                                  "Client assertion is not within its valid time range. Current time: ")
        late = self.certificate.assertion(self.header(), self.payload())
        self.sandbox.control("clock", {"advanceSeconds": 700})
        self.assertTokenError(self.ask(client_assertion=late), 401, "invalid_client", 700024)
        short = Certificate(days=1)
        self.addCleanup(short.folder.cleanup)
        self.register(short)
        self.sandbox.control("clock", {"advanceSeconds": 2 * 86400})
        payload = self.payload(exp=now + 3 * 86400)
        self.assertTokenError(self.ask(self.header(**{"x5t#S256": short.x5t_s256}), payload, short), 401, "invalid_client", 700027,
                              "The key used is expired")

    def test_malformed(self):
        for assertion in ("nonsense", "a.b", "a.b.c", "e30.e30.", "e30.e30.AA", ".e30.AA", "e30.e30.AA.AA"):
            with self.subTest(assertion):
                self.assertTokenError(self.ask(client_assertion=assertion), 401, "invalid_client", 50027)
        self.assertTokenError(self.ask(self.header(alg="HS256")), 401, "invalid_client", 50027, "neither PS256 nor RS256")
        self.assertTokenError(self.ask(self.header(alg="none")), 401, "invalid_client", 50027)
        self.assertTokenError(self.ask(client_assertion_type=None), 400, "invalid_request", 900144, "'client_assertion_type'")
        self.assertTokenError(self.ask(client_assertion=None), 401, "invalid_client", 7000218)
        self.assertTokenError(self.ask(scope=self.tandem.origin), 400, "invalid_scope", 70011)

    def test_wrong_registrations(self):
        elliptic = Certificate("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
        self.addCleanup(elliptic.folder.cleanup)
        for body, text in (({"user": "tandem", "pem": "nonsense"}, "PEM"), ({"user": "nobody", "pem": self.certificate.pem}, "user"),
                           ({"user": "tandem"}, "pem"), ([], "user"), ({"user": "tandem", "pem": elliptic.pem}, "RSA")):
            answer = self.sandbox.dynamics.call("POST", "/_sandbox/certificates", body)
            self.assertEqual(answer.status, 400, body)
            self.assertIn(text, answer.json["error"])

    def test_saved_with_the_state(self):
        with tempfile.TemporaryDirectory(dir=".") as folder:
            path = os.path.relpath(os.path.join(folder, "certificates.state"))
            self.sandbox.control("save", {"file": path})
            with Sandbox("--state", path) as sandbox:
                self.assertEqual(sandbox.users("dynamics"), self.sandbox.users("dynamics"))


class Refusals(GrantCase):
    def test_tenant_by_name(self):
        self.assertEqual(self.tandem.ask_token(tenant="sales.example.org").status, 200)
        self.assertTokenError(self.tandem.ask_token(tenant="other.example.org"), 400, "invalid_request", 90002)

    def test_grants_that_are_not_offered(self):
        for kind in ("password", "refresh_token", "authorization_code"):
            answer = self.tandem.ask_token(grant_type=kind)
            self.assertEqual((answer.status, answer.json["error"]), (501, "unsupported_grant_type"))
            self.assertIn(kind, answer.json["error_description"])

    def test_wrong_verb_and_form(self):
        path = f"/{self.tandem.user['tenantId']}/oauth2/v2.0/token"
        self.assertTokenError(self.tandem.listener.call("GET", path), 400, "invalid_request", 900144)
        self.assertTokenError(self.tandem.listener.call("POST", path, {}), 400, "invalid_request", 900144)
        self.assertTokenError(self.tandem.listener.call("POST", path, "", FORM), 400, "invalid_request", 900144)

    def test_on_order(self):
        """What the endpoint does not come to by itself."""
        for status, error, codes in (
                (401, "invalid_client", (7000215, 7000222, 7000218, 700027, 50012, 700024, 50027, 700021, 700023)),
                (400, "unauthorized_client", (700016, 700025, 7000112)), (400, "invalid_request", (90002, 900144, 50034)),
                (400, "invalid_grant", (50126, 50055, 50053, 50057, 65001, 53003)), (400, "interaction_required", (50076, 50079)),
                (400, "invalid_scope", (70011,)), (400, "invalid_resource", (500011, 50001)), (400, "unsupported_grant_type", (70003,)),
                (503, "temporarily_unavailable", (90033, 50087)), (429, "temporarily_unavailable", (50196, 90055))):
            for code in codes:
                with self.subTest(code):
                    self.limits(tokenErrors={"tandem": code})
                    answer = self.tandem.ask_token()
                    self.assertTokenError(answer, status, error, code)
                    self.assertEqual(answer.headers.get("retry-after"), "10" if status in (429, 503) else None)
        self.assertEqual(self.user("seller").ask_token().status, 200)
        self.limits(tokenErrors={})
        self.assertEqual(self.tandem.ask_token().status, 200)
        for wrong in ({"nobody": 50053}, {"tandem": 1}, {"tandem": "x"}, 7):
            self.assertEqual(self.sandbox.marketo.call("POST", "/_sandbox/limits", {"dynamics": {"tokenErrors": wrong}}).status, 400)
