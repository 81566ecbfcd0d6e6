"""E-mails through a real mail server, and alerts to a real web server, about what real workers do."""

import contextlib
import email
import email.policy
import json
import logging
import os
import socket
import ssl
import subprocess
import unittest
import unittest.mock

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.certificates import make_certificate
from tests.e2e.daemon import DEADLINE, clean_environment, daemon_command, free_port, wait_until, write_config
from tests.e2e.workers import TASK_FAILED, EndToEndTest
from tests.sinks import web_sink

logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd's: what it refuses, it is meant to


class MailHandler:
    """Keeps e-mails; refuses those to nobody@..., and is busy at first for those to later@..."""

    def __init__(self):
        self.received = []
        self.busy = 1

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 no such user"
        if address.startswith("later@") and self.busy:
            self.busy -= 1
            return "450 busy"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.received.append((envelope, message, session))
        return "250 OK"


@contextlib.contextmanager
def mail_sink(port=None, **options):
    """Yields (received, port): a list of (envelope, message, session), and where the server listens."""
    controller = Controller(MailHandler(), "127.0.0.1", port or free_port(), ready_timeout=DEADLINE, **options)
    controller.start()
    try:
        yield controller.handler.received, controller.port
    finally:
        controller.stop()


def server_context(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


class NoticesTest(EndToEndTest):
    def run_failing(self, *arguments):
        """Run a worker whose task fails. It finds the daemon's luigi.cfg, and would send e-mails of its own."""
        self.run_worker(*arguments, status=TASK_FAILED, send_failure_email="false")

    def config(self, **sections):
        """Sections of a luigi.cfg for e-mails to ops@example.com, changed by `sections`."""
        sections.setdefault("email", {})
        sections["email"] = {"receiver": "ops@example.com", "sender": "luigi@example.com", **sections["email"]}
        sections.setdefault("smtp", {})
        sections["smtp"] = {"host": "127.0.0.1", **sections["smtp"]}
        return sections


class Mail(NoticesTest):
    def test_a_batch_about_failed_tasks_goes_to_their_owners_when_the_daemon_ends(self):
        with mail_sink() as (received, port):
            self.start_daemon({"batch_emails": "true"}, **self.config(smtp={"port": port}))
            self.run_failing("OwnedAll")
            self.assertEqual([], received)
            self.daemon.stop()
        by_receiver = {tuple(envelope.rcpt_tos): message for envelope, message, _ in received}
        self.assertEqual({("ops@example.com",), ("ann@example.com",), ("bob@example.com",)}, set(by_receiver))
        message = by_receiver[("ann@example.com",)]
        self.assertEqual("Luigi: Your tasks have 3 failures in the last 60 minutes", message["Subject"])
        self.assertEqual("Luigi: 3 failures in the last 60 minutes", by_receiver[("ops@example.com",)]["Subject"])
        self.assertEqual(("luigi@example.com", "ann@example.com"), (message["From"], message["To"]))
        lines = message.get_content().splitlines()
        self.assertRegex(lines[0], r"^- Owned\(.*day=0.*\) \(1 failure\)$")
        self.assertRegex(lines[2], r"^  Owned\(.*day=2.*\) \(1 failure\)$")
        self.assertIn("      RuntimeError: failed as told", lines)
        self.assertEqual(1, message.get_content().count("RuntimeError: "))

    def test_a_mail_server_that_is_away_gets_the_mail_when_it_is_back(self):
        port = free_port()
        self.start_daemon({"retry_count": "1"}, **self.config(smtp={"port": port}))
        self.run_failing("Flaky", "--failures", 1, "--retry-count", 1)
        [(task_id, _)] = self.tasks(name="Flaky").items()
        wait_until(lambda: "cannot send e-mail to ops@example.com" in self.daemon.log(), "a failed delivery")
        with mail_sink(port) as (received, _):
            wait_until(lambda: received, "the e-mail")
        [(envelope, message, _)] = received
        self.assertEqual(["ops@example.com"], envelope.rcpt_tos)
        self.assertEqual(f"Luigi Scheduler: DISABLED {task_id} due to excessive failures", message["Subject"])
        self.assertIn("failed 1 times in the last 3600 seconds", message.get_content())
        health = self.health()["mail"]
        self.assertEqual((0, 1, 0), (health["waiting"], health["sent"], health["failed"]))

    def test_servers_that_never_answer_delay_neither_replies_nor_the_end(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            alerts = {"webhook_url": f"http://127.0.0.1:{port}/", "delay": "0"}
            self.start_daemon(**self.config(smtp={"port": port, "timeout": "0"}, alerts=alerts))
            for day in range(2):
                self.run_failing("Owned", "--failures", 1, "--day", day, "--retry-count", 1)
            wait_until(lambda: self.health()["mail"]["heard"] == 1, "an e-mail and an event wait")
            self.daemon.stop()
        left = "mail ends with 1 messages not sent and 1 events not told of, first e-mail to ops@example.com"
        self.assertIn(left, self.daemon.log())

    def health(self):
        connection = self.daemon.connection()
        self.addCleanup(connection.close)
        connection.request("GET", "/healthz")
        return json.loads(connection.getresponse().read())

    def try_out(self, config, **environment):
        """What `--test-notices` prints, and its exit status."""
        write_config(self.directory / "try.cfg", config)
        environment = clean_environment(LUIGI_CONFIG_PATH=self.directory / "try.cfg", no_proxy="*", **environment)
        ran = subprocess.run(
            [*daemon_command(), "--test-notices"],
            capture_output=True, text=True, timeout=DEADLINE, cwd=self.directory, env=environment,
        )
        return ran.stdout + ran.stderr, ran.returncode

    def test_tls_and_login(self):
        certificate = make_certificate(self.directory, "mail")

        def authenticate(server, session, envelope, mechanism, login):
            return AuthResult(success=(login.login, login.password) == (b"luigi", b"secret"), handled=False)

        secure = {"tls_context": server_context(certificate), "require_starttls": True}
        login = {"authenticator": authenticate, "auth_required": True}
        smtp = {"username": "luigi", "password": "secret"}
        with mail_sink(**secure, **login) as (received, port):
            smtp["port"] = port
            said, status = self.try_out(self.config(smtp=smtp))
            self.assertEqual((0, 1), (status, len(received)), said)
            self.assertIsNotNone(received[0][2].ssl)
            said, status = self.try_out(self.config(smtp={**smtp, "verify_tls": "true"}))
            self.assertEqual((1, True), (status, "TLS: " in said), said)
            said, status = self.try_out(self.config(smtp={**smtp, "verify_tls": "true"}), SSL_CERT_FILE=certificate[0])
            self.assertEqual((0, 2), (status, len(received)), said)
            said, status = self.try_out(self.config(smtp={**smtp, "password": "wrong"}))
            self.assertEqual((1, True), (status, "SMTP 535" in said), said)
            said, status = self.try_out(self.config(smtp={**smtp, "no_tls": "true"}))
            self.assertEqual((1, 2), (status, len(received)), said)
            self.assertNotIn("secret", said)
        with mail_sink() as (received, port):
            said, status = self.try_out(self.config(smtp={**smtp, "port": port, "verify_tls": "true"}))
            self.assertEqual((1, []), (status, received), said)
            self.assertIn("the server offers none", said)

    def test_tls_from_the_first_byte(self):
        certificate = make_certificate(self.directory, "mail")
        port = free_port()
        with mail_sink(port, ssl_context=server_context(certificate), server_hostname="localhost") as (received, _):
            options = {"port": port, "ssl": "true", "local_hostname": "scheduler.example.com"}
            said, status = self.try_out(self.config(smtp=options, email={"format": "html", "prefix": "[x]"}))
        self.assertEqual((0, 1), (status, len(received)), said)
        [(_, message, session)] = received
        self.assertEqual("scheduler.example.com", session.host_name)
        self.assertEqual(("[x] Luigi: a test", "text/html"), (message["Subject"], message.get_content_type()))

    def test_refused_receivers(self):
        with mail_sink() as (received, port):
            smtp = {"port": port}
            said, status = self.try_out(self.config(smtp=smtp, email={"receiver": "nobody@x, ann@x"}))
            self.assertEqual((0, ["ann@x"]), (status, received[0][0].rcpt_tos), said)
            self.assertIn("e-mail to nobody@x: SMTP 550", said)
            said, status = self.try_out(self.config(smtp=smtp, email={"receiver": "nobody@x"}))
            self.assertEqual((1, True), (status, "SMTP 550" in said), said)
            said, status = self.try_out(self.config(smtp=smtp, email={"receiver": "later@x"}))
            self.assertEqual((1, True), (status, "SMTP 450" in said), said)


class Webhook(NoticesTest):
    def start(self, url, **scheduler):
        alerts = {"webhook_url": url, "delay": "0", "interval": "0"}
        with unittest.mock.patch.dict(os.environ, no_proxy="*"):
            self.start_daemon(scheduler, alerts=alerts)

    def alerts(self, received, kind):
        return [alert for _, _, document in received for alert in document["events"] if alert["kind"] == kind]

    def test_failures_and_disables(self):
        with web_sink() as (received, url):
            self.start(f"{url}/200/hook")
            self.run_failing("Flaky", "--failures", 1)
            self.run_failing("Owned", "--failures", 1, "--day", 1, "--retry-count", 1)
            wait_until(lambda: self.alerts(received, "disabled"), "the alert about the disabled task")
        [failed] = self.alerts(received, "failed")
        self.assertEqual(("Flaky", "RuntimeError: failed as told"), (failed["family"], failed["error"]))
        [disabled] = self.alerts(received, "disabled")
        self.assertEqual("1", disabled["params"]["day"])
        path, headers, document = received[0]
        self.assertEqual(("/200/hook", "application/json"), (path, headers["Content-Type"]))
        self.assertIn("- failed: Flaky(", document["text"])

    def test_a_worker_that_dies_with_its_task(self):
        with web_sink() as (received, url):
            self.start(f"{url}/200", worker_disconnect_delay="2")
            worker = self.start_worker("Long", "--gate", "never")
            self.wait_for_start(family="Long")
            worker.kill()
            wait_until(lambda: self.alerts(received, "worker_lost"), "the alert about the lost worker")
        [lost] = self.alerts(received, "worker_lost")
        self.assertEqual("Long", lost["family"])
        self.assertIn(f"pid={worker.pid}", lost["worker"])

    def test_a_web_server_that_is_away_gets_the_alert_when_it_is_back(self):
        port = free_port()
        self.start(f"http://127.0.0.1:{port}/200/geheim")
        self.run_failing("Flaky", "--failures", 1)
        wait_until(lambda: "cannot send alert" in self.daemon.log(), "a failed delivery")
        with web_sink(port) as (received, _):
            wait_until(lambda: received, "the alert")
        self.assertNotIn("geheim", self.daemon.log())


if __name__ == "__main__":
    unittest.main()
