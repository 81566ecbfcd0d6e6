"""A locked daemon as its operator meets it: stock workers over TLS with a password, hostile pages in a real browser."""

import contextlib
import http.client
import http.server
import os
import shutil
import signal
import ssl
import threading
from base64 import b64encode
from unittest import mock

import luigid
from tests.certificates import make_certificate
from tests.e2e.daemon import DEADLINE, Daemon, wait_until
from tests.e2e.page import CHROMIUM, CHROMIUM_FLAGS, DEADLINE_MS, sync_playwright
from tests.e2e.workers import EndToEndTest
from tests.missing import skip_without

PASSWORDS = {"ann": ("admin", "4711 for ever"), "etl": ("worker", "wrk4711"), "vic": ("viewer", "see")}


def users_file(*names):
    lines = (f"{name}:{PASSWORDS[name][0]}:{luigid.hash_password(PASSWORDS[name][1])}\n" for name in names)
    return "".join(lines)


class AsAnn:
    """Mixed into a connection: ann is logged in."""

    def request(self, method, url, body=None, headers=None):
        credentials = b64encode(":".join(("ann", PASSWORDS["ann"][1])).encode()).decode()
        super().request(method, url, body, {**(headers or {}), "Authorization": f"Basic {credentials}"})


class SecureConnection(AsAnn, http.client.HTTPSConnection):
    """HTTPS."""


class PasswordConnection(AsAnn, http.client.HTTPConnection):
    """Plain HTTP."""


class SecureDaemon(Daemon):
    """A daemon that is spoken to over TLS, with passwords."""

    needs_url = True
    #: who the workers are
    user = "etl"

    def url(self):
        return f"https://{self.user}:{PASSWORDS[self.user][1]}@localhost:{self.port}"

    def connection(self):
        context = ssl.create_default_context(cafile=self.directory / "old.pem")
        context.load_verify_locations(self.directory / "new.pem")
        return SecureConnection("localhost", self.port, timeout=DEADLINE, context=context)


class PasswordDaemon(Daemon):
    """A daemon with passwords and without TLS."""

    def connection(self):
        return PasswordConnection("127.0.0.1", self.port, timeout=DEADLINE)


class SecureTest(EndToEndTest):
    def start_secure_daemon(self):
        self.old, self.new = (make_certificate(self.directory, name) for name in ("old", "new"))
        self.install(self.old)
        self.users = self.directory / "users"
        self.users.write_text(users_file(*PASSWORDS))
        options = {"users_file": "users", "tls_cert": "cert.pem", "tls_key": "key.pem"}
        self.daemon = SecureDaemon(self.directory, {"luigid": options})
        self.addCleanup(self.daemon.stop)
        self.daemon.start()

    def install(self, pair):
        for source, name in zip(pair, ("cert.pem", "key.pem")):
            shutil.copy(source, self.directory / name)


class WorkersTest(SecureTest):
    def trust(self, pair):
        """Have workers that are started from now on trust the certificate of `pair`."""
        trusted = mock.patch.dict(os.environ, REQUESTS_CA_BUNDLE=pair[0], SSL_CERT_FILE=pair[0])
        trusted.start()
        self.addCleanup(trusted.stop)

    def reload(self, says):
        self.daemon.signal(signal.SIGHUP)
        wait_until(lambda: says in self.daemon.log(), f"the log says {says!r}")

    def test_a_pipeline_runs(self):
        self.start_secure_daemon()
        self.trust(self.old)
        self.assertIn(f"listening on https://127.0.0.1:{self.daemon.port}", self.daemon.log())
        self.assertEqual(0, self.start_worker("Diamond", workers=2).wait())

    def test_files_are_read_again(self):
        self.start_secure_daemon()
        self.users.write_text("ann:admin:open\n")
        self.install((self.new[0], self.old[1]))
        self.reload("users:1: the hash must be")
        wait_until(lambda: "cert.pem with tls_key" in self.daemon.log(), "the certificate is refused too")
        self.trust(self.old)
        self.assertEqual(0, self.start_worker("Diamond").wait(), "with the old files, as the new ones are no good")
        self.users.write_text(users_file("ann"))
        self.install(self.new)
        self.reload("read again: certificate")
        self.trust(self.new)
        refused = self.start_worker("Diamond", name="refused")
        self.assertNotEqual(0, refused.wait())
        self.assertIn("401", refused.log())
        refused.log = lambda: ""  # that it met failures is what the test is about

    def test_a_viewer_runs_nothing(self):
        self.start_secure_daemon()
        self.trust(self.old)
        self.daemon.user = "vic"
        worker = self.start_worker("Diamond")
        self.assertNotEqual(0, worker.wait())
        self.assertIn("403", worker.log())
        self.assertEqual({}, self.daemon.call("task_list"))
        worker.log = lambda: ""  # as above


#: What a page from elsewhere may try: each changes something at a scheduler that lets it.
ATTACKS = """<!doctype html><title>attacking</title>
<img src="{target}/api/pause" referrerpolicy="no-referrer"><img src="{target}/api/pause">
<form id="form" method="post" action="{target}/api/pause" target="frame"></form><iframe name="frame"></iframe>
<iframe src="{target}/api/pause"></iframe><iframe src="{target}/static/visualiser/index.html"></iframe>
<script>
form.submit();
const tries = [["POST", "no-cors"], ["GET", "no-cors"], ["POST", "cors"], ["GET", "cors"]].map(([method, mode]) =>
  fetch("{target}/api/pause", {{ method, mode, credentials: "include" }}).catch(() => 0));
const loaded = new Promise((resolve) => addEventListener("load", resolve));
Promise.all([...tries, loaded]).then(() => {{ document.title = "done"; }});
</script>"""


class Attacker(http.server.BaseHTTPRequestHandler):
    """A web site with nothing good in mind."""

    def do_GET(self):
        body = ATTACKS.format(target=self.server.target).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class BrowserTest(SecureTest):
    """To the browser, the names used here are those of other machines: it trusts their http less than localhost's."""

    @classmethod
    def setUpClass(cls):
        if sync_playwright is None:
            skip_without("Playwright for Python")
        executable = next(filter(None, map(shutil.which, CHROMIUM)), None) or skip_without("Chromium")
        playwright = sync_playwright().start()
        cls.addClassCleanup(playwright.stop)
        names = "--host-resolver-rules=MAP *.example 127.0.0.1, MAP luigi 127.0.0.1"
        cls.browser = playwright.chromium.launch(executable_path=executable, args=[*CHROMIUM_FLAGS, names])
        cls.addClassCleanup(cls.browser.close)

    def page(self, **context):
        page = self.browser.new_context(**context).new_page()
        self.addCleanup(page.context.close)
        page.set_default_timeout(DEADLINE_MS)
        return page

    def attack(self, target):
        """Have a page at attacker.example try to pause `target`; whether it could."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Attacker)
        server.target = target
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            page = self.page()
            page.goto(f"http://attacker.example:{server.server_address[1]}/")
            page.wait_for_function("document.title === 'done'")
        finally:
            server.shutdown()
            server.server_close()
        return self.daemon.call("is_paused")["paused"]

    def test_pages_from_elsewhere_change_nothing(self):
        self.start_daemon()
        for host in ("127.0.0.1", "luigi"):
            self.assertFalse(self.attack(f"http://{host}:{self.daemon.port}"), host)

    def test_the_attack_is_one(self):
        self.start_daemon(cors={"enabled": "true", "allow_any_origin": "true"})
        self.assertTrue(self.attack(f"http://luigi:{self.daemon.port}"))

    def test_a_rebound_name_shows_nothing(self):
        self.start_daemon()
        reply = self.page().goto(f"http://attacker.example:{self.daemon.port}/static/visualiser/index.html")
        self.assertEqual(403, reply.status)
        self.assertIn("allowed_hosts", reply.text())

    def test_the_own_page_works_over_plain_http_from_another_machine(self):
        self.start_daemon()
        page = self.page()
        page.goto(f"http://luigi:{self.daemon.port}/static/visualiser/index.html")
        self.pause(page)

    def test_same_origin_gets_of_scripts_in_use_work(self):
        self.start_daemon()
        page = self.page()
        page.goto(f"http://luigi:{self.daemon.port}/static/visualiser/index.html")
        headers = "{ 'X-Requested-With': 'XMLHttpRequest' }"  # as jQuery has it in stock's page
        page.evaluate(f"fetch('/api/pause', {{ headers: {headers} }}).then((reply) => reply.json())")
        self.assertTrue(self.daemon.call("is_paused")["paused"])

    def pause(self, page):
        """Pause the scheduler from its page."""
        page.get_by_role("button", name="Pause").first.click()
        wait_until(lambda: self.daemon.call("is_paused")["paused"], "the page has paused the scheduler")

    def test_the_page_behind_a_log_in(self):
        users = self.directory / "users"
        users.write_text(users_file(*PASSWORDS))
        self.daemon = PasswordDaemon(self.directory, {"luigid": {"users_file": str(users)}})
        self.addCleanup(self.daemon.stop)
        self.daemon.start()
        address = f"http://luigi:{self.daemon.port}/static/visualiser/index.html"
        with contextlib.suppress(Exception):  # the browser would ask for a password, if there were somebody
            self.assertEqual(401, self.page().goto(address).status)
        viewer = self.page(http_credentials={"username": "vic", "password": PASSWORDS["vic"][1]})
        viewer.goto(address)
        pause = viewer.get_by_role("button", name="Pause").first
        pause.wait_for()
        wait_until(pause.is_disabled, "the page shows that a viewer may not pause")
        refused = viewer.evaluate("fetch('/api/pause', { method: 'POST' }).then((reply) => reply.status)")
        self.assertEqual(403, refused)
        self.assertFalse(self.daemon.call("is_paused")["paused"])
        admin = self.page(http_credentials={"username": "ann", "password": PASSWORDS["ann"][1]})
        admin.goto(address)
        self.pause(admin)

    def test_the_page_over_tls(self):
        self.start_secure_daemon()
        ann = {"username": "ann", "password": PASSWORDS["ann"][1]}
        page = self.page(http_credentials=ann, ignore_https_errors=True)
        page.goto(f"https://luigi:{self.daemon.port}/static/visualiser/index.html")
        self.pause(page)
