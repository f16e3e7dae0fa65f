"""The sign-in to Dynamics with a certificate: cycles by it, and what is said of one that is wrong, unknown or too old."""

import datetime
import pathlib
import re
import subprocess
import unittest

from harness import Scenario, until

DAY = 86400


class Certificate:
    """A key and its certificate, both in one text."""

    def __init__(self, folder, days=365, key=("rsa:2048",)):
        self.key, self.certificate = pathlib.Path(folder, "key.pem"), pathlib.Path(folder, "certificate.pem")
        # OpenSSL makes no certificate that has ended, but it makes an old one of a new one
        self.openssl("req", "-x509", "-nodes", "-subj", "/CN=example", "-days", str(max(days, 1)), "-keyout", self.key,
                     "-out", self.certificate, "-newkey", *key)
        if days < 1:
            self.openssl("x509", "-in", self.certificate, "-signkey", self.key, "-days", str(days), "-out", self.certificate)
        self.public, self.private = self.certificate.read_text(), self.key.read_text()
        self.pem = self.public + self.private

    @staticmethod
    def openssl(*arguments):
        return subprocess.run(["openssl", *arguments], capture_output=True, check=True, text=True).stdout

    def encrypted(self):
        return self.public + self.openssl("pkcs8", "-topk8", "-in", self.key, "-passout", "pass:example")


class SignIn(Scenario):
    def certificate_world(self, certificate=None, **kind):
        """The sync user has the certificate, and no secret is set."""
        world = self.world(people=20)
        certificate = certificate or Certificate(world.folder, **kind)
        world.sandbox.post("/certificates", {"user": "tandem", "pem": certificate.public})
        path = world.folder / "sign-in.pem"
        path.write_text(certificate.pem)
        world.environment = world.changed_environment(
            world.environment, {"DYNAMICS_CLIENT_SECRET": None, "DYNAMICS_CLIENT_CERTIFICATE_FILE": path})
        return world, certificate

    def token_line(self, world, **settings):
        lines = [line for line in world.run("check", **settings).stdout.splitlines() if re.match(r"(ok|FAIL) +dynamics +token", line)]
        self.assertEqual(len(lines), 1, lines)
        return lines[0]

    def test_people_are_synced(self):
        world, certificate = self.certificate_world()
        world.must("migrate")
        world.setup()
        self.assertRegex(world.must("check"), r"ok +dynamics +certificate: expires at 20\d\d-")
        world.serve_cycles(1, seconds=120)
        world.compare()
        for line in certificate.private.splitlines()[1:-1]:
            self.assertNotIn(line, world.log_path.read_text())
        self.assertNotIn("certificate_expires_soon", world.log_path.read_text())

    def test_tokens_are_renewed(self):
        world, _ = self.certificate_world()
        world.setup()
        world.sandbox.limits(dynamics={"tokenSeconds": 1})
        world.start()
        world.run_cycles(1)
        until(lambda: len(self.token_calls(world)) >= 3, 60, "tokens asked for again")
        self.assertEqual({call["status"] for call in self.token_calls(world)}, {200})

    @staticmethod
    def token_calls(world):
        return [call for call in world.sandbox.log() if call["path"].endswith("/oauth2/v2.0/token") and call["user"] == "tandem"]

    def test_the_end_is_told_in_time(self):
        world, certificate = self.certificate_world(days=10)
        world.setup()
        world.start()
        self.assertRegex(world.log_path.read_text(), r'"certificate_expires_soon".*"days":(9|10)\b')
        self.assertRegex(world.must("check"), r"ok +dynamics +certificate: expires at .*: make a new one in time")
        said = certificate.openssl("x509", "-in", certificate.certificate, "-noout", "-enddate", "-dateopt", "iso_8601")
        end = datetime.datetime.fromisoformat(said.strip().removeprefix("notAfter=").replace("Z", "+00:00"))
        self.assertEqual(world.tandem(None).metrics()["tandem_dynamics_certificate_end_seconds"], end.timestamp())

    def test_clocks_that_differ_are_told(self):
        world, _ = self.certificate_world()
        world.sandbox.advance(3600)
        self.assertIn("the clocks differ", self.token_line(world))
        world, _ = self.certificate_world()
        world.sandbox.advance(600)   # forgiven: 480 seconds of the assertion and 300 between the clocks
        self.assertTrue(self.token_line(world).startswith("ok"))

    def test_wrong_texts_end_the_program_before_it_begins(self):
        world, good = self.certificate_world()
        folder = world.folder / "other"
        folder.mkdir()
        for text, words in ((good.public, "there is no private key in it"), (good.private, "there is no certificate in it"),
                            (good.public + Certificate(folder).private, "does not belong to its certificate"),
                            (good.encrypted(), "encrypted"), ("nonsense", "there is no certificate in it"),
                            (Certificate(folder, key=("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")).pem, "not of the kind RSA"),
                            (Certificate(folder, days=-1).pem, "it expired at 20")):
            with self.subTest(words):
                done = world.run("serve", DYNAMICS_CLIENT_CERTIFICATE=text, DYNAMICS_CLIENT_CERTIFICATE_FILE=None)
                self.assertEqual(done.returncode, 3, done)
                lines = done.stderr.splitlines()
                self.assertEqual(len(lines), 1, lines)
                self.assertIn("DYNAMICS_CLIENT_CERTIFICATE: ", lines[0])
                self.assertIn(words, lines[0])
        done = world.run("serve", DYNAMICS_CLIENT_SECRET="hidden")
        self.assertEqual((done.returncode, done.stderr),
                         (3, "DYNAMICS_CLIENT_SECRET: set either this or DYNAMICS_CLIENT_CERTIFICATE, not both\n"))

    def test_check_tells_an_expired_one(self):
        world, _ = self.certificate_world(days=-1)
        done = world.run("check")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"FAIL dynamics +certificate: DYNAMICS_CLIENT_CERTIFICATE: it expired at 20\d\d-")
        self.assertRegex(done.stdout, r"FAIL dynamics +token: .*the certificate is not known to the application, or has expired there")

    def test_one_that_the_tenant_does_not_know(self):
        world, _ = self.certificate_world()
        folder = world.folder / "other"
        folder.mkdir()
        other = Certificate(folder)
        line = self.token_line(world, DYNAMICS_CLIENT_CERTIFICATE=other.pem, DYNAMICS_CLIENT_CERTIFICATE_FILE=None)
        self.assertIn("the certificate is not known to the application", line)
        self.assertTrue(line.startswith("FAIL"), line)
        self.assertTrue(self.token_line(world).startswith("ok"))
        world.sandbox.post("/certificates", {"user": "seller", "pem": other.public})   # another application's
        line = self.token_line(world, DYNAMICS_CLIENT_CERTIFICATE=other.pem, DYNAMICS_CLIENT_CERTIFICATE_FILE=None)
        self.assertIn("the certificate is not known to the application", line)

    def test_one_that_expires_while_the_service_runs_halts_it(self):
        world, _ = self.certificate_world(days=1)
        world.setup()
        world.start()
        world.run_cycles(1)
        world.sandbox.advance(2 * DAY)
        world.wait_state("halted")
        answer = until(lambda: (lambda a: a if "certificate" in a.text else None)(world.tandem(None).send("GET", "/readyz")),
                       30, "the reason")
        self.assertEqual(answer.status, 503)
        self.assertIn("has expired there", answer.text)


if __name__ == "__main__":
    unittest.main()
