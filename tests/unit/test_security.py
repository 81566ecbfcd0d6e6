"""Who may do what: users, roles, log-ins, what browsers may be made to do, and TLS."""

import base64
import contextlib
import http.client
import io
import itertools
import json
import logging
import os
import re
import socket
import ssl
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

import luigid
from luigid import LEAST_ROLES, RPC_METHODS, Access, HttpError, SettingsError
from tests.certificates import make_certificate

README = Path(luigid.__file__).with_name("README.md")
PATIENCE = 20  # seconds until a test gives up; none of them lasts that long unless it fails

PASSWORDS = {"ann": "a:b c", "wil": "schlüssel", "vic": "v"}
ROLES = {"ann": "admin", "wil": "worker", "vic": "viewer"}
TOKEN = "a-token-of-some-length"

#: Cheap ones: what scrypt costs is not the question here.
with mock.patch.object(luigid, "SCRYPT_COST", 2):
    HASHES = {name: luigid.hash_password(password) for name, password in PASSWORDS.items()}

USERS = "".join(f"{name}:{role}:{HASHES[name]}\n" for name, role in ROLES.items())
USERS += f"\n# for the dashboard\nbot:viewer:{luigid.hash_token(TOKEN)}\n"

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
PROGRAMS = (None, "python-requests/2.32.3", "Python-urllib/3.11", "curl/8.5.0")


def basic(name, password, encoding="utf-8"):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode(encoding)).decode("ascii")


ANN, WIL, VIC = (basic(name, password) for name, password in PASSWORDS.items())


class Logged(logging.Handler):
    """The lines that are logged while it is in use."""

    def __enter__(self):
        self.lines = []
        luigid.logger.addHandler(self)
        self.propagate, luigid.logger.propagate = luigid.logger.propagate, False
        return self.lines

    def __exit__(self, *_):
        luigid.logger.removeHandler(self)
        luigid.logger.propagate = self.propagate

    def emit(self, record):
        self.lines.append(record.getMessage())


class SecurityTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        logged = Logged()
        self.lines = logged.__enter__()
        self.addCleanup(logged.__exit__)

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def serve(self, **options):
        """Start a server with these options of make_server()."""
        self.server = luigid.make_server(luigid.Scheduler(), **options)
        thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def connect(self, tls=None):
        """A new connection to the server, by `tls` (a client's SSLContext) or plain."""
        port = self.server.server_address[1]
        plain = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection = http.client.HTTPSConnection("localhost", port, timeout=PATIENCE, context=tls) if tls else plain
        self.addCleanup(connection.close)
        return connection

    def ask(self, target, verb="GET", body=None, tls=None, **headers):
        """The reply to one request; header names with underscores, a value of None leaves the header out."""
        connection = self.connect(tls)
        fields = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
        connection.request(verb, target, body, fields)
        reply = connection.getresponse()
        reply.text = reply.read().decode("utf-8")
        connection.close()
        return reply


class RolesTest(SecurityTest):
    def test_every_call_has_one_role(self):
        calls = [*luigid.CALLS, *luigid.OWN_CALLS, "history"]
        self.assertEqual(sorted(calls), sorted(itertools.chain(*luigid.ROLES.values())))

    def test_readme_has_the_same_table(self):
        rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", README.read_text(encoding="utf-8"), re.MULTILINE)
        table = {role: sorted(re.findall(r"`(\w+)`", calls)) for role, calls in rows if role in luigid.ROLES}
        self.assertEqual({role: sorted(calls) for role, calls in luigid.ROLES.items()}, table)

    def test_no_viewer_changes_anything(self):
        changing = {name for name, spec in luigid.CALLS.items() if spec.changes}
        self.assertEqual(set(), changing & set(luigid.ROLES["viewer"]))

    def test_roles_decide_over_the_wire(self):
        self.serve(users_file=self.write("users", USERS))
        rising = ("viewer", "worker", "admin")
        for authorization, role in ((ANN, "admin"), (WIL, "worker"), (VIC, "viewer")):
            for method, least in LEAST_ROLES.items():
                for verb in ("GET", "POST"):
                    with self.subTest(role=role, method=method, verb=verb):
                        reply = self.ask(f"/api/{method}", verb, Authorization=authorization)
                        refused = rising.index(role) < rising.index(least)
                        self.assertEqual(refused, reply.status == 403, reply.text)
                        if refused:
                            self.assertEqual({"error": f"a {role} may not call {method}"}, json.loads(reply.text))

    def test_a_call_without_a_role_is_the_admins(self):
        self.assertFalse(luigid.may_call(luigid.User("wil", "worker"), "new_call"))
        self.assertTrue(luigid.may_call(luigid.User("ann", "admin"), "new_call"))
        self.assertTrue(luigid.makes_changes("new_call"))


class LogInTest(SecurityTest):
    def setUp(self):
        super().setUp()
        self.serve(users_file=self.write("users", USERS))

    def test_what_logs_in_and_what_does_not(self):
        for authorization, status in (
            (None, 401),
            (ANN, 200),
            (ANN.replace("Basic", "basic"), 200),
            (WIL, 200),
            (basic("wil", PASSWORDS["wil"], "latin-1"), 200),  # as `requests` sends it
            (VIC, 200),
            (f"Bearer {TOKEN}", 200),
            (f"bearer {TOKEN}", 200),
            (basic("ann", "v"), 401),
            (basic("ann", ""), 401),
            (basic("ANN", PASSWORDS["ann"]), 401),
            (basic("nobody", "v"), 401),
            (basic("", ""), 401),
            (basic("bot", TOKEN), 401),
            (basic("ann", HASHES["ann"]), 401),
            (f"Bearer {TOKEN}x", 401),
            (f"Bearer {luigid.hash_token(TOKEN)}", 401),
            ("Bearer", 401),
            ("Basic", 401),
            ("Basic !", 401),
            ("Digest username=ann", 401),
            (ANN.partition(" ")[2], 401),
            ("", 401),
        ):
            with self.subTest(authorization=authorization):
                self.server.access._attempts.clear()
                reply = self.ask("/api/task_list", Authorization=authorization)
                self.assertEqual(status, reply.status)
                challenge = 'Basic realm="luigid", charset="UTF-8"' if status == 401 else None
                self.assertEqual(challenge, reply.headers["WWW-Authenticate"])

    def test_what_needs_a_log_in(self):
        for verb, target, status in (
            ("HEAD", "/", 204),
            ("GET", "/healthz", 200),
            ("HEAD", "/healthz", 200),
            ("OPTIONS", "/api/task_list", 204),
            ("GET", "/", 401),
            ("GET", "/static/visualiser/index.html", 401),
            ("HEAD", "/static/visualiser/index.html", 401),
            ("GET", "/api/task_list", 401),
            ("POST", "/api/task_list", 401),
            ("GET", "/nowhere", 401),
            ("DELETE", "/api/task_list", 401),
        ):
            with self.subTest(verb=verb, target=target):
                self.assertEqual(status, self.ask(target, verb).status)

    def test_refused_before_the_body_is_sent(self):
        connection = self.connect()
        connection.putrequest("POST", "/api/add_task")
        connection.putheader("Content-Length", "1000000")
        connection.endheaders()
        self.assertEqual(401, connection.getresponse().status)

    def test_scrypt_runs_once_for_many_calls(self):
        with mock.patch.object(luigid, "scrypt", wraps=luigid.scrypt) as scrypt:
            for _ in range(5):
                self.assertEqual(200, self.ask("/api/task_list", Authorization=ANN).status)
            self.assertEqual(1, scrypt.call_count)
            self.server.access.reload()
            self.ask("/api/task_list", Authorization=ANN)
            self.assertEqual(2, scrypt.call_count)

    def test_scrypt_runs_once_for_many_workers_that_come_at_once(self):
        inside, go_on = threading.Event(), threading.Event()

        def scrypt(*_):
            inside.set()
            go_on.wait(PATIENCE)
            return bytes(32)

        results, access = [], self.server.access
        nobody = luigid.NOBODY._replace(salt=b"x")
        access.users._passwords["ann"] = luigid.User("ann", "admin"), nobody
        log_in = lambda: results.append(access.identify(ANN, "10.0.0.1").name)  # noqa: E731
        threads = [threading.Thread(target=log_in) for _ in range(3 * luigid.LOGIN_FAILURES)]
        with mock.patch.object(luigid, "scrypt", side_effect=scrypt) as made:
            for thread in threads:
                thread.start()
            self.assertTrue(inside.wait(PATIENCE))
            go_on.set()
            for thread in threads:
                thread.join()
        self.assertEqual(["ann"] * len(threads), results)
        self.assertEqual(1, made.call_count)

    def test_unknown_users_cost_what_known_ones_do(self):
        with mock.patch.object(luigid, "scrypt", return_value=bytes(32)) as scrypt:
            for name in ("nobody", "bot", ""):
                with self.assertRaises(HttpError):
                    self.server.access.identify(basic(name, "x"), "10.0.0.1")
            usual = mock.call("x", luigid.SCRYPT_COST, luigid.SCRYPT_BLOCK, luigid.SCRYPT_LANES, mock.ANY)
            self.assertEqual([usual] * 3, scrypt.mock_calls)

    def test_failures_are_logged_with_the_address_and_without_the_password(self):
        self.ask("/api/pause", Authorization=basic("ann", "geheim"))
        self.ask("/api/pause", Authorization="Bearer geheim")
        start = "failed log-in from 127.0.0.1 as "
        self.assertEqual([start + "ann", start + "the bearer of a token"], self.lines)

    def test_guessing_is_slowed_down_where_it_comes_from_and_nowhere_else(self):
        access = self.server.access

        def status(authorization, address):
            try:
                access.identify(authorization, address)
            except HttpError as error:
                return error.status
            return 200

        self.assertEqual(200, status(VIC, "10.0.0.1"))
        wrong = [status(basic("ann", str(guess)), "10.0.0.1") for guess in range(luigid.LOGIN_FAILURES)]
        self.assertEqual([401] * luigid.LOGIN_FAILURES, wrong)
        with mock.patch.object(luigid, "scrypt", side_effect=AssertionError("no guess is looked at")):
            self.assertEqual(429, status(basic("ann", "x"), "10.0.0.1"))
            self.assertEqual(429, status("Bearer x", "10.0.0.1"))
            self.assertEqual(429, status(ANN, "10.0.0.1"))
            self.assertEqual(200, status(VIC, "10.0.0.1"), "one who has logged in before goes on")
        self.assertEqual(luigid.LOGIN_FAILURES, len(self.lines), "nor is it logged")
        self.assertEqual(200, status(ANN, "10.0.0.2"))
        access._attempts["10.0.0.1"].forgiven -= luigid.LOGIN_SECONDS
        self.assertEqual(401, status(basic("ann", "x"), "10.0.0.1"), "one more a while later")
        self.assertEqual(429, status(basic("ann", "x"), "10.0.0.1"))

    def test_who_is_logged_in_does_not_wait_for_guesses(self):
        access = self.server.access
        access.identify(ANN, "10.0.0.1")
        with access._attempts["10.0.0.1"].lock:  # as while a guess is looked at
            found = []
            thread = threading.Thread(target=lambda: found.append(access.identify(ANN, "10.0.0.1")), daemon=True)
            thread.start()
            thread.join(PATIENCE)
        self.assertEqual([luigid.User("ann", "admin")], found)

    def test_refusal_says_when_to_come_again(self):
        self.server.access._attempts["127.0.0.1"] = attempts = luigid.Attempts()
        for _ in range(luigid.LOGIN_FAILURES):
            attempts.fail()
        reply = self.ask("/api/task_list", Authorization=ANN)
        self.assertEqual(429, reply.status)
        self.assertIn(int(reply.headers["Retry-After"]), range(1, int(luigid.LOGIN_SECONDS) + 1))

    def test_what_is_remembered_is_bounded(self):
        with mock.patch.object(luigid, "MAX_ADDRESSES", 3), mock.patch.object(luigid, "MAX_REMEMBERED", 1):
            for number, authorization in enumerate((ANN, WIL, VIC, f"Bearer {TOKEN}", ANN)):
                self.server.access.identify(authorization, f"10.0.0.{number}")
        self.assertEqual(["10.0.0.2", "10.0.0.3", "10.0.0.4"], list(self.server.access._attempts))
        self.assertEqual(1, len(self.server.access.users._remembered))

    def test_addresses_that_one_has_at_will_count_as_one(self):
        for address, counted in (
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
            ("2001:db8:1:2::1", "2001:0db8:0001:0002"),
            ("fe80::1%eth0", "fe80:0000:0000:0000"),
            ("", ""),
        ):
            with self.subTest(address):
                self.assertEqual(counted, luigid.neighbourhood(address))


class UsersFileTest(SecurityTest):
    BAD = (
        ("", "nobody could log in"),
        ("# ann:admin:" + HASHES["ann"], "nobody could log in"),
        ("ann", ":1: must be name:role:hash"),
        ("ann:root:" + HASHES["ann"], ":1: must be name:role:hash with one of the roles viewer, worker, admin"),
        (":admin:" + HASHES["ann"], ":1: must be name:role:hash"),
        ("\n\nann:admin:geheim", ":3: the hash must be what --hash-password or --new-token printed"),
        ("ann:admin:", ":1: the hash must be"),
        ("ann:admin:$scrypt$ln=30,r=8,p=1$YWJj$" + "A" * 43, ":1: the hash must be"),
        ("ann:admin:$scrypt$ln=0,r=8,p=1$YWJj$" + "A" * 43, ":1: the hash must be"),
        ("ann:admin:$scrypt$ln=2,r=8,p=1$YWJj$AAAA", ":1: the hash must be"),
        ("ann:admin:$scrypt$ln=2,r=8,p=1$A$" + "A" * 43, ":1: the hash must be"),
        ("ann:admin:$sha256$abc", ":1: the hash must be"),
        (USERS + "ann:viewer:" + HASHES["vic"], ":7: ann has a password already"),
    )

    def test_bad_files_stop_the_start(self):
        for text, complaint in self.BAD:
            with self.subTest(text=text), self.assertRaises(SettingsError) as caught:
                luigid.make_server(luigid.Scheduler(), users_file=self.write("users", text))
            self.assertIn(complaint, str(caught.exception))
            self.assertNotIn("geheim", str(caught.exception))
        with self.assertRaisesRegex(SettingsError, "/nowhere: there is no such file"):
            Access(users_file="/nowhere")

    def test_bad_files_leave_the_old_one_in_force(self):
        access = Access(users_file=self.write("users", USERS))
        for text, complaint in self.BAD:
            with self.subTest(text=text):
                self.write("users", text)
                del self.lines[:]
                access.reload()
                self.assertIn(complaint, self.lines[0])
                self.assertIn("what was read before stays in force", self.lines[0])
                self.assertEqual("ann", access.identify(ANN, "10.0.0.1").name)

    def test_good_files_are_taken_over(self):
        access = Access(users_file=self.write("users", USERS))
        access.identify(ANN, "10.0.0.1")
        self.write("users", USERS.replace("ann", "eve"))
        access.reload()
        self.assertEqual("eve", access.identify(basic("eve", PASSWORDS["ann"]), "10.0.0.1").name)
        with self.assertRaises(HttpError):
            access.identify(ANN, "10.0.0.1")

    def test_hashes_of_one_password_differ_and_fit(self):
        hashes = {luigid.hash_password("p\udcff") for _ in range(2)}
        self.assertEqual(2, len(hashes))
        for text in hashes:
            self.assertTrue(luigid.parse_password_hash(text).fits("p\udcff"))
            self.assertFalse(luigid.parse_password_hash(text).fits("p"))


class HashFlagsTest(SecurityTest):
    def run_main(self, flag, typed, terminal=False):
        out, err = io.StringIO(), io.StringIO()
        stdin = io.StringIO("".join(typed))
        stdin.isatty = lambda: terminal
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), mock.patch("sys.stdin", stdin):
            status = luigid.main([flag])
        return status, out.getvalue(), err.getvalue()

    def test_password_from_a_pipe(self):
        status, out, err = self.run_main("--hash-password", "p w\r\nnot this")
        self.assertEqual((0, ""), (status, err))
        self.assertTrue(luigid.parse_password_hash(out.rstrip("\n")).fits("p w"), out)

    def test_password_from_a_terminal_without_echo(self):
        with mock.patch("getpass.getpass", side_effect=["p", "p"]):
            status, out, _ = self.run_main("--hash-password", "", terminal=True)
        self.assertEqual(0, status)
        self.assertTrue(luigid.parse_password_hash(out.rstrip("\n")).fits("p"))
        with mock.patch("getpass.getpass", side_effect=["p", "q"]):
            self.assertEqual(
                (2, "", "luigid: these were two different passwords\n"), self.run_main("--hash-password", "", True)
            )

    def test_empty_password(self):
        self.assertEqual((2, "", "luigid: an empty password is none\n"), self.run_main("--hash-password", "\n"))

    def test_new_token(self):
        _, out, _ = self.run_main("--new-token", "")
        token, text = (line.rpartition(": ")[2] for line in out.splitlines())
        self.assertGreaterEqual(len(token), 43)
        access = Access(users_file=self.write("users", f"bot:viewer:{text}\n"))
        self.assertEqual("bot", access.identify(f"Bearer {token}", "10.0.0.1").name)


class HostTest(SecurityTest):
    NAMES = (
        # host, whether a browser may ask by that name where nothing is set
        ("127.0.0.1:8082", True),
        ("10.1.2.3", True),
        ("[::1]:8082", True),
        ("[fe80::1]", True),
        ("localhost:8082", True),
        ("LOCALHOST.", True),
        ("luigid", True),
        ("luigid.default.svc.cluster.local:8082", True),
        ("ip-10-0-0-3.eu-west-1.compute.internal", True),
        ("this.machine.example:8082", True),
        ("evil.example:8082", False),
        ("evil.example.", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("evil.example:80:80", False),
        ("[evil.example]", False),
        ("0x7f.1", False),
        ("", False),
    )

    def setUp(self):
        super().setUp()
        names = mock.patch.object(luigid, "own_names", return_value={"this.machine.example"})
        names.start()
        self.addCleanup(names.stop)

    def status(self, host, **headers):
        return self.ask("/api/task_list", Host=host, **headers).status

    def test_browsers_without_settings(self):
        self.serve()
        for host, allowed in self.NAMES:
            expected = 200 if allowed else 403
            for mark in ({"User_Agent": CHROME}, {"Origin": f"http://{host}"}, {"Sec_Fetch_Site": "same-origin"}):
                with self.subTest(host=host, mark=mark):
                    self.assertEqual(expected, self.status(host, **mark))

    def test_programs_use_any_name(self):
        self.serve()
        for host, _ in self.NAMES:
            for program in PROGRAMS:
                with self.subTest(host=host, program=program):
                    self.assertEqual(200, self.status(host, User_Agent=program))

    def test_pages_are_refused_like_calls_and_say_what_to_do(self):
        self.serve()
        for target in ("/", "/static/visualiser/index.html"):
            reply = self.ask(target, Host="evil.example", User_Agent=CHROME)
            self.assertEqual(403, reply.status)
            self.assertIn("evil.example; [luigid] allowed_hosts can add it", reply.text)

    def test_allowed_hosts_hold_for_everybody(self):
        self.serve(allowed_hosts=["Luigi.example.com"])
        for host, expected in (
            ("luigi.example.com:8082", 200),
            ("LUIGI.example.com", 200),
            ("localhost:8082", 200),
            ("127.0.0.1", 200),
            ("[::1]:8082", 200),
            ("evil.example", 403),
            ("other", 403),
            ("this.machine.example", 403),
        ):
            for program in (CHROME, *PROGRAMS):
                with self.subTest(host=host, program=program):
                    self.assertEqual(expected, self.status(host, User_Agent=program))

    def test_any_host(self):
        self.serve(allowed_hosts=["*"])
        self.assertEqual(200, self.status("evil.example", User_Agent=CHROME))

    def test_any_host_where_a_password_is_needed(self):
        self.serve(users_file=self.write("users", USERS))
        self.assertEqual(200, self.status("luigi.example.com", User_Agent=CHROME, Authorization=VIC))
        self.assertEqual(401, self.status("evil.example", User_Agent=CHROME))

    def test_own_names(self):
        mock.patch.stopall()
        luigid.own_names.cache_clear()
        self.addCleanup(luigid.own_names.cache_clear)
        names = {"gethostname": lambda: "Box", "getfqdn": lambda: "Box.Ex.org"}
        with mock.patch.multiple(socket, **names):
            self.assertEqual({"box", "box.ex.org"}, luigid.own_names())


class OriginTest(SecurityTest):
    HOST = "localhost:8082"
    OWN, OTHER = "http://localhost:8082", "http://evil.example"

    #: headers, whether a change may be asked for with them
    CHANGES = (
        *(({"User_Agent": program}, True) for program in PROGRAMS),
        # what browsers say over TLS, and of this machine
        ({"User_Agent": CHROME, "Sec_Fetch_Site": "same-origin"}, True),
        ({"User_Agent": CHROME, "Sec_Fetch_Site": "same-origin", "Origin": OWN}, True),
        ({"User_Agent": CHROME, "Sec_Fetch_Site": "same-origin", "Origin": "https://proxy.example"}, True),
        ({"User_Agent": CHROME, "Sec_Fetch_Site": "none"}, True),
        ({"User_Agent": CHROME, "Sec_Fetch_Site": "same-site"}, False),
        ({"User_Agent": CHROME, "Sec_Fetch_Site": "cross-site"}, False),
        ({"User_Agent": CHROME, "Sec_Fetch_Site": "cross-site", "Origin": OWN}, False),
        ({"User_Agent": CHROME, "Sec_Fetch_Site": "?"}, False),
        ({"Sec_Fetch_Site": "cross-site"}, False),
        # what they say elsewhere, with a POST
        ({"User_Agent": CHROME, "Origin": OWN}, True),
        ({"User_Agent": CHROME, "Origin": "HTTP://LOCALHOST:8082"}, True),
        ({"User_Agent": CHROME, "Origin": "https://localhost:8082"}, True),
        ({"User_Agent": CHROME, "Origin": OTHER}, False),
        ({"User_Agent": CHROME, "Origin": "http://localhost:8888"}, False),
        ({"User_Agent": CHROME, "Origin": "http://localhost"}, False),
        ({"User_Agent": CHROME, "Origin": "http://localhost:8082.evil.example"}, False),
        ({"User_Agent": CHROME, "Origin": "null"}, False),
        ({"User_Agent": CHROME, "Origin": OTHER, "Referer": OWN + "/"}, False),
        ({"User_Agent": CHROME, "Origin": OTHER, "X_Requested_With": "XMLHttpRequest"}, False),
        ({"Origin": OTHER}, False),
        # and with a GET
        ({"User_Agent": CHROME}, False),
        ({"User_Agent": CHROME, "Referer": OWN + "/static/visualiser/index.html"}, True),
        ({"User_Agent": CHROME, "X_Requested_With": "XMLHttpRequest"}, True),
        ({"User_Agent": CHROME, "Referer": OTHER + "/?" + OWN + "/"}, False),
        ({"User_Agent": CHROME, "Referer": "http://localhost:8082.evil.example/"}, False),
        ({"User_Agent": CHROME, "Referer": ""}, False),
    )

    def test_changes(self):
        self.serve()
        for (headers, allowed), verb in itertools.product(self.CHANGES, ("GET", "POST")):
            with self.subTest(verb=verb, **headers):
                reply = self.ask("/api/pause", verb, Host=self.HOST, **headers)
                self.assertEqual(200 if allowed else 403, reply.status, reply.text)
                paused = self.server.scheduler.is_paused()["paused"]
                self.assertEqual(allowed, paused, "what is refused changes nothing")
                self.server.scheduler.unpause()

    def test_refusal_says_what_to_do(self):
        self.serve()
        reply = self.ask("/api/pause", "POST", Host=self.HOST, User_Agent=CHROME, Origin=self.OTHER)
        words = f"a page of {self.OTHER} may not change anything here; [cors] allowed_origins can permit it"
        self.assertEqual({"error": words}, json.loads(reply.text))

    def test_reading_changes_nothing(self):
        self.serve()
        for headers, _ in self.CHANGES:
            with self.subTest(**headers):
                self.assertEqual(200, self.ask("/api/task_list", Host=self.HOST, **headers).status)

    def test_every_call_that_is_no_reading_is_refused(self):
        self.serve()
        for name in RPC_METHODS:
            with self.subTest(name):
                reply = self.ask(f"/api/{name}", Host=self.HOST, User_Agent=CHROME, Origin=self.OTHER)
                self.assertEqual(LEAST_ROLES[name] != "viewer", reply.status == 403)

    def test_every_combination_of_cors(self):
        switches = ("enabled", "allow_any_origin", "allow_null_origin")
        origins = ("http://good.example", self.OTHER, "null", "*")
        for values in itertools.product((False, True), repeat=len(switches)):
            cors = dict(zip(switches, values), allowed_origins=["http://good.example", "*", "null"])
            self.serve(cors=cors)
            for origin, site in itertools.product(origins, (None, "cross-site")):
                named = origin == "http://good.example"
                kind = "allow_null_origin" if origin == "null" else "allow_any_origin"
                allowed = cors["enabled"] and (cors[kind] or named)
                for verb in ("GET", "POST"):
                    with self.subTest(cors=cors, origin=origin, verb=verb, site=site):
                        headers = {"User_Agent": CHROME, "Origin": origin, "Sec_Fetch_Site": site}
                        reply = self.ask("/api/pause", verb, Host=self.HOST, **headers)
                        self.assertEqual(200 if allowed else 403, reply.status)
                        self.assertEqual(allowed, "Access-Control-Allow-Origin" in reply.headers)
            # allowed or not, what is not asked in the name of an origin has no permission from here
            self.assertEqual(403, self.ask("/api/pause", Host=self.HOST, User_Agent=CHROME).status)


class TlsTest(SecurityTest):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.old, cls.new, cls.client = (make_certificate(directory.name, name) for name in ("old", "new", "client"))

    def setUp(self):
        super().setUp()
        self.cert, self.key = (os.path.join(self.directory, name) for name in ("cert.pem", "key.pem"))
        self.install(self.old)

    def install(self, pair):
        for source, target in zip(pair, (self.cert, self.key)):
            Path(target).write_bytes(Path(source).read_bytes())

    def serve(self, **options):
        super().serve(tls_cert=self.cert, tls_key=self.key, **options)

    def trusting(self, pair):
        return ssl.create_default_context(cafile=pair[0])

    def test_calls_and_pages(self):
        self.serve()
        tls = self.trusting(self.old)
        self.assertEqual(200, self.ask("/static/visualiser/index.html", tls=tls).status)
        connection = self.connect(tls)
        value = "x" * 1_000_000
        form = {"Content-Type": "application/json"}
        task = json.dumps({"worker": "w", "task_id": "t", "family": "F", "params": {"value": value}})
        for method, body in (("add_task", task), ("task_list", "{}")):
            connection.request("POST", f"/api/{method}", body, form)
            response = json.loads(connection.getresponse().read())["response"]
        self.assertEqual({"value": value}, response["t"]["params"])

    def test_password_and_tls_together(self):
        self.serve(users_file=self.write("users", USERS))
        self.assertEqual(401, self.ask("/api/task_list", tls=self.trusting(self.old)).status)
        self.assertEqual(200, self.ask("/api/task_list", tls=self.trusting(self.old), Authorization=VIC).status)

    def test_versions(self):
        context = luigid.make_tls_context(self.cert, self.key, None)
        self.assertEqual(ssl.TLSVersion.TLSv1_2, context.minimum_version)
        self.serve()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            client = self.trusting(self.old)
            client.minimum_version = client.maximum_version = version
            self.assertEqual(200, self.ask("/api/task_list", tls=client).status)

    def test_plain_http_gets_a_readable_answer(self):
        self.serve()
        for verb in ("GET", "POST", "HEAD", "OPTIONS", "DELETE"):
            reply = self.ask("/api/task_list", verb, b"x" * 100_000)
            self.assertEqual(400, reply.status)
            if verb != "HEAD":
                self.assertIn("this port speaks TLS: the address begins with https://", reply.text)

    def test_stalled_handshakes_stop_nobody_and_are_cut_off(self):
        with mock.patch.multiple(luigid, TRANSFER_SECONDS=0.2, SWEEP_SECONDS=0.01, LINGER_SECONDS=0.1):
            self.serve()
            address = self.server.server_address
            for sent in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01"):
                with self.subTest(sent=sent), socket.create_connection(address, PATIENCE) as stalled:
                    stalled.sendall(sent)
                    self.assertEqual(204, self.ask("/", "HEAD", tls=self.trusting(self.old)).status)
                    while stalled.recv(100):  # an alert, perhaps, and then the end
                        pass

    def test_slow_requests_are_told_so_under_tls(self):
        with mock.patch.multiple(luigid, TRANSFER_SECONDS=0.2, SWEEP_SECONDS=0.01):
            self.serve()
            connection = self.connect(self.trusting(self.old))
            connection.putrequest("POST", "/api/ping")
            connection.putheader("Content-Length", "10")
            connection.endheaders(b"x")
            self.assertEqual(408, connection.getresponse().status)

    def test_garbage_is_no_fault_of_ours(self):
        self.serve()
        for garbage in (b"\x16\x03\x01\x00\x05hello", b"\0" * 100, b"\xff", b"\x80\x2e\x01\x00\x02"):
            connection = socket.create_connection(self.server.server_address, PATIENCE)
            # An end that came already is an answer too: the server may have hung up before the whole was sent.
            with connection, contextlib.suppress(OSError):
                connection.sendall(garbage)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1000):
                    pass
        self.assertEqual([], self.lines)

    def test_new_certificate_is_for_new_connections(self):
        self.serve()
        early = self.connect(self.trusting(self.old))
        early.request("GET", "/api/is_paused")
        early.getresponse().read()
        self.install(self.new)
        self.server.access.reload()
        self.assertEqual(200, self.ask("/api/is_paused", tls=self.trusting(self.new)).status)
        with self.assertRaises(ssl.SSLError):
            self.ask("/api/is_paused", tls=self.trusting(self.old))
        early.request("GET", "/api/is_paused")
        self.assertEqual(200, early.getresponse().status)

    def test_bad_certificate_leaves_the_old_one_in_force(self):
        self.serve()
        for cert, key in ((self.new[0], self.old[1]), ("/dev/null", "/dev/null"), (self.old[1], self.old[0])):
            with self.subTest(cert=cert, key=key):
                self.install((cert, key))
                del self.lines[:]
                self.server.access.reload()
                words = "^tls_cert .*cert.pem with tls_key .*: cannot be used: .+; what was read before stays in force$"
                self.assertRegex(self.lines[0], words)
                self.assertEqual(200, self.ask("/api/is_paused", tls=self.trusting(self.old)).status)

    def test_client_certificates(self):
        self.serve(tls_client_ca=self.client[0])
        tls = self.trusting(self.old)
        with self.assertRaises(OSError):
            self.ask("/api/is_paused", tls=tls)
        tls.load_cert_chain(*self.new)
        with self.assertRaises(OSError):
            self.ask("/api/is_paused", tls=tls)
        tls = self.trusting(self.old)
        tls.load_cert_chain(*self.client)
        self.assertEqual(200, self.ask("/api/is_paused", tls=tls).status)

    def test_what_cannot_be_used_stops_the_start(self):
        pair = {"tls_cert": self.cert, "tls_key": self.key}
        for options, complaint in (
            ({"tls_key": self.key}, "tls_key and tls_client_ca go with a tls_cert"),
            ({"tls_client_ca": self.cert}, "tls_key and tls_client_ca go with a tls_cert"),
            ({"tls_cert": "/nowhere", "tls_key": self.key}, "tls_cert /nowhere with tls_key .*No such file"),
            ({"tls_cert": self.cert}, "tls_cert .*cert.pem: cannot be used"),
            ({**pair, "tls_client_ca": "/nowhere"}, "tls_client_ca /nowhere: .*No such file"),
            ({**pair, "unix_socket": os.path.join(self.directory, "s")}, "tls_cert and unix_socket do not go together"),
        ):
            with self.subTest(**options), self.assertRaisesRegex(SettingsError, complaint):
                luigid.make_server(luigid.Scheduler(), **options)

    def test_idle_connections_do_not_hold_up_the_end(self):
        self.serve()
        connection = self.connect(self.trusting(self.old))
        connection.request("GET", "/api/is_paused")
        connection.getresponse().read()
        self.server.shutdown()
        self.server.server_close()
        self.assertEqual(b"", connection.sock.recv(100))


class HeadersTest(SecurityTest):
    """What keeps a page from running or loading what is not ours is on every reply that a browser may show."""

    def test_every_page_and_error_page(self):
        self.serve(users_file=self.write("users", USERS))
        pages = ["/static/visualiser/" + name for name in os.listdir(luigid.PAGES_DIRECTORY)]
        errors = ["/nowhere", "/static/", "/static/visualiser/../luigid.py", "/static/visualiser/x.html"]
        for target, credentials in itertools.product(["/", *pages, *errors], (VIC, None)):
            with self.subTest(target=target, credentials=credentials):
                reply = self.ask(target, Authorization=credentials)
                policy = reply.headers["Content-Security-Policy"]
                self.assertIn("default-src 'self'", policy)
                self.assertIn("frame-ancestors 'none'", policy)
                self.assertNotIn("unsafe", policy)
                self.assertEqual("nosniff", reply.headers["X-Content-Type-Options"])
                self.assertEqual("no-referrer", reply.headers["Referrer-Policy"])

    def test_every_reply_of_the_api(self):
        self.serve()
        for target in ("/api/task_list", "/api/nothing", "/api/", "/healthz"):
            reply = self.ask(target)
            self.assertEqual("nosniff", reply.headers["X-Content-Type-Options"])
            self.assertTrue(reply.headers["Content-Type"].startswith("application/json"))
