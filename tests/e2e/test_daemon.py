"""The daemon as an operator meets it: real processes, real signals, real files, seen from outside."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
from pathlib import Path

from tests.e2e.daemon import DEADLINE, ROOT, UnixConnection, clean_environment, daemon_command, free_port, wait_until
from tests.e2e.old_clients import interpreters
from tests.missing import skip_without

#: The one line that the daemon greets with.
GREETING = re.compile(
    r"luigid: listening on (?P<url>\S+) \(pid (?P<pid>\d+)\); page (?P<page>\S+); state in (?P<state>.+)\n"
)

#: Nobody's user and group id, on Linux and by sign on macOS.
NOBODY = 65534


def connect(url):
    """A new connection to the daemon at `url`."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "http+unix":
        return UnixConnection(urllib.parse.unquote(parts.netloc))
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=DEADLINE)


def get(url, path):
    """(status, body) of one GET at the daemon at `url`."""
    with contextlib.closing(connect(url)) as connection:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.read().decode("utf-8")


def call(url, method, **arguments):
    """The response of one RPC at the daemon at `url`."""
    status, body = get(url, f"/api/{method}?{urllib.parse.urlencode({'data': json.dumps(arguments)})}")
    if status != 200:
        raise AssertionError(f"{method}: {status} {body}")
    return json.loads(body)["response"]


def is_alive(pid):
    """Whether a process runs: one that has ended and that nobody waits for any more does not."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip() not in ("", "Z")


def python_for(**identity):
    """An interpreter that this user can run."""
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        with contextlib.suppress(OSError):
            if subprocess.run([python, "-V"], capture_output=True, check=False, **identity).returncode == 0:
                return python
    return skip_without("Python that another user can run")


class DaemonTest(unittest.TestCase):
    """A test that starts daemons in a directory that goes away afterwards, with all of them."""

    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="e2e-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.environment = clean_environment(HOME=self.directory)
        self.environment.pop("XDG_STATE_HOME", None)
        self.command = daemon_command()

    def path(self, name):
        return str(self.directory / name)

    def run_command(self, *flags, **options):
        """Run luigid to the end of that process: what --background and failures do by themselves."""
        options = {"cwd": self.directory, "env": self.environment, "capture_output": True, "text": True, **options}
        return subprocess.run([*self.command, *flags], timeout=DEADLINE, check=False, **options)

    def start(self, *flags, **options):
        """Start luigid in the foreground; (process, what its greeting says by name) as soon as it greets."""
        errors = open(self.path("stderr"), "a")  # noqa: SIM115  # the process has it for as long as it lives
        self.addCleanup(errors.close)
        options = {"cwd": self.directory, "env": self.environment, "stderr": errors, **options}
        process = subprocess.Popen([*self.command, *flags], stdout=subprocess.PIPE, text=True, **options)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, DEADLINE)
        self.addCleanup(process.kill)
        line = process.stdout.readline()
        greeting = GREETING.fullmatch(line)
        self.assertTrue(greeting, f"greeted with {line!r}, and on standard error:\n{self.errors()}")
        return process, greeting.groupdict()

    def start_here(self, **options):
        """start() on any free port of 127.0.0.1, with the state in this test's directory."""
        return self.start("--address", "127.0.0.1", "--port", "0", "--state-path", "state.pickle", **options)

    def tasks(self, greeting):
        """The ids of the tasks that the daemon knows."""
        return call(greeting["url"], "task_list", status="", upstream_status="").keys()

    def errors(self):
        """What daemons in the foreground have written to standard error."""
        return Path(self.path("stderr")).read_text(encoding="utf-8", errors="replace")

    def assert_stops(self, process, number=signal.SIGTERM):
        """Send a signal and wait: it must end with status 0, without a stack trace and without having said any more."""
        process.send_signal(number)
        self.assertEqual(0, process.wait(DEADLINE), self.errors())
        self.assertEqual("", process.stdout.read())
        self.assertNotIn("Traceback", self.errors())

    def assert_refused(self, finished, status, *parts):
        """It must have ended with `status` and one line that has all of `parts`, on standard error."""
        found = (finished.returncode, finished.stdout, finished.stderr.count("\n"))
        self.assertEqual((status, "", 1), found, finished.stderr)
        for part in ("luigid: ", *parts):
            self.assertIn(part, finished.stderr)


class ForegroundTest(DaemonTest):
    def test_greeting_is_true(self):
        process, greeting = self.start_here()
        self.assertEqual(process.pid, int(greeting["pid"]))
        self.assertEqual(os.path.realpath(self.path("state.pickle")), os.path.realpath(greeting["state"]))
        self.assertEqual([], call(greeting["url"], "worker_list"))
        self.assertTrue(greeting["page"].startswith(greeting["url"] + "/"))
        status, page = get(greeting["url"], greeting["page"][len(greeting["url"]) :])
        self.assertEqual(200, status)
        self.assertIn("<html", page)
        self.assertNotIn("missing", page)

    def test_listens_everywhere_by_default(self):
        _, greeting = self.start("--port", "0", "--state-path", "state.pickle")
        port = urllib.parse.urlsplit(greeting["url"]).port
        for host in ("localhost", "127.0.0.1", *(["[::1]"] if socket.has_dualstack_ipv6() else [])):
            self.assertEqual([], call(f"http://{host}:{port}", "worker_list"))

    def test_listens_on_the_port_asked_for(self):
        port = free_port()
        _, greeting = self.start("--address", "127.0.0.1", "--port", str(port), "--state-path", "state.pickle")
        self.assertEqual(f"http://127.0.0.1:{port}", greeting["url"])

    def test_each_stop_signal_saves_the_state(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            with self.subTest(signal=number.name):
                process, greeting = self.start_here()
                call(greeting["url"], "add_task", worker="w", task_id=f"Kept_{number.name}", status="PENDING")
                self.assert_stops(process, number)
                process, greeting = self.start_here()
                self.assertIn(f"Kept_{number.name}", self.tasks(greeting))
                self.assert_stops(process)

    def test_idle_connections_do_not_delay_the_stop_and_requests_in_flight_are_finished(self):
        process, greeting = self.start_here()
        with contextlib.closing(connect(greeting["url"])) as idle, contextlib.closing(connect(greeting["url"])) as busy:
            idle.request("GET", "/api/worker_list")
            idle.getresponse().read()
            data = urllib.parse.urlencode({"data": json.dumps({"worker": "w", "task_id": "Late", "status": "PENDING"})})
            busy.putrequest("POST", "/api/add_task")
            busy.putheader("Content-Type", "application/x-www-form-urlencoded")
            busy.putheader("Content-Length", str(len(data)))
            busy.putheader("Expect", "100-continue")
            busy.endheaders()
            self.assertIn(b" 100 ", busy.sock.recv(100))  # so the request is in a thread's hands, not in the kernel's
            process.send_signal(signal.SIGTERM)
            self.assertEqual(b"", idle.sock.recv(100))  # it is hung up on, so the stop has begun
            busy.send(data.encode())
            self.assertEqual(200, busy.getresponse().status)
        self.assertEqual(0, process.wait(DEADLINE))
        _, greeting = self.start_here()
        self.assertIn("Late", self.tasks(greeting))

    def test_second_signal_ends_it_at_once(self):
        process, greeting = self.start_here()
        with contextlib.closing(connect(greeting["url"])) as busy:
            busy.putrequest("POST", "/api/add_task")
            busy.putheader("Content-Length", "100")
            busy.endheaders()  # a stop would have to wait for the body
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGINT)
            self.assertIn(process.wait(DEADLINE), (-signal.SIGTERM, -signal.SIGINT))
        _, greeting = self.start_here()
        self.assertEqual([], call(greeting["url"], "worker_list"))

    def test_interrupted_start_leaves_no_stack_trace(self):
        # A state that is being read for ever: a pipe that nobody writes to.
        os.mkfifo(self.path("state.pickle"))
        command = [*self.command, "--address", "127.0.0.1", "--port", "0", "--state-path", "state.pickle"]
        command += ["--pidfile", "luigid.pid"]
        process = subprocess.Popen(command, cwd=self.directory, env=self.environment, stderr=subprocess.PIPE, text=True)
        wait_until(lambda: os.path.exists(self.path("luigid.pid")), "the daemon has begun")
        process.send_signal(signal.SIGINT)
        self.assertEqual("", process.communicate(timeout=DEADLINE)[1])
        self.assertEqual(-signal.SIGINT, process.returncode)

    def test_module_and_script_are_the_same(self):
        answers = set()
        for command in ([sys.executable, "luigid.py"], [sys.executable, "-m", "luigid"]):
            self.command = command
            for flag in ("--version", "--help", "--check-config"):
                answers.add((flag, self.run_command(flag, cwd=ROOT).stdout))
            process, _ = self.start("--port", "0", "--state-path", self.path("state.pickle"), cwd=ROOT)
            self.assert_stops(process)
        self.assertEqual(3, len(answers))

    def test_every_python_of_this_machine(self):
        found = {minor: self.first_that_runs(interpreters(f"3.{minor}")) for minor in range(9, 15)}
        pythons = {minor: python for minor, python in found.items() if python}
        self.assertTrue(pythons, "not even the one that runs this test was found")
        for minor, python in pythons.items():
            with self.subTest(python=python):
                self.command = [python, str(ROOT / "luigid.py")]
                process, greeting = self.start_here()
                call(greeting["url"], "add_task", worker="w", task_id=f"Task_{minor}", status="PENDING")
                # What the oldest has written, every later one has read.
                self.assertIn(f"Task_{min(pythons)}", self.tasks(greeting))
                self.assert_stops(process)

    @staticmethod
    def first_that_runs(candidates):
        for python in candidates:
            if subprocess.run([python, "-V"], capture_output=True, check=False).returncode == 0:
                return python
        return None

    def test_module_alone_serves_workers_and_says_what_is_missing(self):
        alone = self.directory / "alone"
        alone.mkdir()
        shutil.copy(ROOT / "luigid.py", alone)
        self.command = [sys.executable, str(alone / "luigid.py")]
        process, greeting = self.start_here()
        call(greeting["url"], "add_task", worker="w", task_id="Task", status="PENDING")
        self.assertEqual("Task", call(greeting["url"], "get_work", worker="w", host="h")["task_id"])
        status, page = get(greeting["url"], "/static/visualiser/index.html")
        self.assertEqual(200, status)
        self.assertIn(str(alone / "visualiser"), page)
        self.assertIn("missing", page)
        self.assert_stops(process)

    def test_suspicious_settings_are_logged_at_the_start(self):
        Path(self.path("luigi.cfg")).write_text("[scheduler]\nretry_dealy = 5\n")
        self.start_here()
        self.assertRegex(self.errors(), r"WARNING: .*luigi.cfg:2.*retry_delay")

    def test_state_that_cannot_be_saved_in_the_end(self):
        process, greeting = self.start("--address", "127.0.0.1", "--port", "0", "--state-path", "state/kept.pickle")
        call(greeting["url"], "add_task", worker="w", task_id="Lost", status="PENDING")
        shutil.rmtree(self.path("state"))
        Path(self.path("state")).touch()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(1, process.wait(DEADLINE))
        self.assertIn("ERROR: the state could not be saved", self.errors())
        self.assertNotIn("Traceback", self.errors())


class UnixSocketTest(DaemonTest):
    FLAGS = ("--unix-socket", "luigid.sock", "--state-path", "state.pickle")

    def test_serves_its_owner_only_and_leaves_nothing_behind(self):
        process, greeting = self.start(*self.FLAGS)
        self.assertEqual([], call(greeting["url"], "worker_list"))
        self.assertEqual(0o600, stat.S_IMODE(os.stat(self.path("luigid.sock")).st_mode))
        self.assert_stops(process)
        self.assertFalse(os.path.exists(self.path("luigid.sock")))

    def test_socket_of_a_killed_daemon_is_replaced(self):
        process, _ = self.start(*self.FLAGS)
        process.kill()
        process.wait(DEADLINE)
        self.assertTrue(os.path.exists(self.path("luigid.sock")))
        _, greeting = self.start(*self.FLAGS)
        self.assertEqual([], call(greeting["url"], "worker_list"))

    def test_socket_of_a_live_daemon_is_not(self):
        _, greeting = self.start(*self.FLAGS)
        self.assert_refused(self.run_command(*self.FLAGS[:3], "other.pickle"), 1, "luigid.sock", "--unix-socket")
        self.assertEqual([], call(greeting["url"], "worker_list"))


class BackgroundTest(DaemonTest):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.end_daemon, self.pid)
        self.flags = ["--address", "127.0.0.1", "--port", str(free_port()), "--state-path", "state.pickle"]
        self.flags += ["--background", "--pidfile", "run/luigid.pid", "--logdir", "logs"]

    def end_daemon(self, pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.kill(pid(), signal.SIGKILL)

    def pid(self):
        return int(Path(self.path("run/luigid.pid")).read_text())

    def start_in_background(self):
        """What the greeting says by name. No connection is tried twice: it returns only when the daemon answers."""
        started = self.run_command(*self.flags)
        self.assertEqual((0, ""), (started.returncode, started.stderr))
        greeting = GREETING.fullmatch(started.stdout).groupdict()
        self.assertEqual(self.pid(), int(greeting["pid"]))
        self.assertEqual([], call(greeting["url"], "worker_list"))
        return greeting

    def log(self, name="luigi-server.log"):
        return Path(self.path("logs"), name).read_text(encoding="utf-8")

    def test_returns_when_it_answers_and_stops_on_a_signal(self):
        greeting = self.start_in_background()
        pid = self.pid()
        self.assertEqual(0o640, stat.S_IMODE(os.stat(self.path("run/luigid.pid")).st_mode))
        self.assertIn(greeting["url"], self.log())
        call(greeting["url"], "add_task", worker="w", task_id="Kept", status="PENDING")
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not is_alive(pid), "the daemon has ended")
        self.assertEqual([], os.listdir(self.path("run")))
        self.assertIn("state saved", self.log())
        self.assertEqual("", self.log("luigi-server.err"))
        self.start_in_background_again_and_find("Kept")

    def start_in_background_again_and_find(self, task_id):
        started = GREETING.fullmatch(self.run_command(*self.flags).stdout)
        self.assertIn(task_id, self.tasks(started))

    def test_is_cut_off_from_the_terminal(self):
        self.start_in_background()
        pid = self.pid()
        self.assertNotEqual(os.getsid(0), os.getsid(pid))
        self.assertNotEqual(pid, os.getsid(pid), "it leads its session, so that it could come by a terminal again")
        shown = subprocess.run(["ps", "-o", "ppid=,tty=", "-p", str(pid)], capture_output=True, text=True, check=True)
        parent, terminal = shown.stdout.split()
        self.assertNotEqual(os.getpid(), int(parent))
        self.assertIn(terminal, ("?", "??"))

    def test_inherits_no_descriptor(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        started = self.run_command(*self.flags, pass_fds=[writer])
        os.close(writer)
        self.assertEqual(0, started.returncode, started.stderr)
        os.set_blocking(reader, False)
        self.assertEqual(b"", os.read(reader, 1), "the daemon holds the other end")

    def test_started_again_while_alive(self):
        self.start_in_background()
        pid = self.pid()
        again = self.run_command(*self.flags)
        self.assertEqual((0, ""), (again.returncode, again.stderr))
        self.assertEqual(f"luigid: already running (pid {pid}, pid file run/luigid.pid)\n", again.stdout)
        self.assertEqual(pid, self.pid())
        self.assertTrue(is_alive(pid))

    def test_started_five_times_at_once(self):
        command = [*self.command, *self.flags]
        options = {"cwd": self.directory, "env": self.environment, "stdout": subprocess.PIPE, "text": True}
        starters = [subprocess.Popen(command, **options) for _ in range(5)]
        said = [starter.communicate(timeout=DEADLINE)[0] for starter in starters]
        running = [int(found["pid"]) for found in map(GREETING.fullmatch, said) if found]
        for pid in running:
            self.addCleanup(self.end_daemon, lambda pid=pid: pid)
        self.assertEqual([0] * 5, [starter.returncode for starter in starters])
        self.assertEqual([self.pid()], running, said)

    def test_interrupted_starter_leaves_no_stack_trace(self):
        os.mkfifo(self.path("state.pickle"))  # a state that is being read for ever
        command = [*self.command, *self.flags]
        starter = subprocess.Popen(
            command,
            cwd=self.directory,
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # in the background shells ignore it
        )
        pid_file = Path(self.path("run/luigid.pid"))
        wait_until(lambda: pid_file.exists() and pid_file.read_text(), "the daemon has begun")
        starter.send_signal(signal.SIGINT)
        self.assertEqual("", starter.communicate(timeout=DEADLINE)[1])
        self.assertEqual(128 + signal.SIGINT, starter.returncode)

    def test_pid_file_of_a_killed_daemon_is_stale(self):
        self.start_in_background()
        killed = self.pid()
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: not is_alive(killed), "the daemon is dead")
        self.assertEqual(killed, self.pid())
        self.start_in_background()
        self.assertNotEqual(killed, self.pid())

    def test_pid_file_whose_number_is_another_programs_is_stale(self):
        os.mkdir(self.path("run"))
        Path(self.path("run/luigid.pid")).write_text(f"{os.getpid()}\n")
        self.start_in_background()

    def test_busy_port_is_told_to_the_starter(self):
        greeting = self.start_in_background()
        port = str(urllib.parse.urlsplit(greeting["url"]).port)
        flags = ["--pidfile", "run/other.pid", "--state-path", "other.pickle"]
        self.assert_refused(self.run_command(*self.flags, *flags), 1, port, "--port")
        self.assertEqual(["luigid.pid"], os.listdir(self.path("run")))


class RefusedStartTest(DaemonTest):
    """Whatever keeps the daemon from running is one line and a status, in the foreground and in the background."""

    def check(self, status, *parts, flags=()):
        common = ["--address", "127.0.0.1", "--port", "0", "--state-path", "state.pickle", "--logdir", "logs", *flags]
        self.assert_refused(self.run_command(*common), status, *parts)
        self.assert_refused(self.run_command(*common, "--background"), status, *parts)

    def test_unknown_flag(self):
        self.check(2, "--bakground", flags=["--bakground"])

    def test_wrong_setting(self):
        Path(self.path("luigi.cfg")).write_text("[scheduler]\nretry_delay = soon\n")
        self.check(2, "luigi.cfg:2", "[scheduler] retry_delay", "soon")

    def test_configuration_that_is_not_text(self):
        Path(self.path("luigi.cfg")).write_bytes(b"[scheduler]\nretry_delay = \xff\n")
        self.check(2, "luigi.cfg")

    def test_busy_port(self):
        with socket.create_server(("127.0.0.1", 0)) as busy:
            port = str(busy.getsockname()[1])
            self.check(1, port, "--port", flags=["--port", port])

    def test_state_path_that_is_a_directory(self):
        os.mkdir(self.path("state.pickle"))
        self.check(1, "state.pickle", "directory", "--state-path")

    def test_state_that_is_none(self):
        Path(self.path("state.pickle")).write_bytes(b"not a state at all")
        self.check(1, "state.pickle")
        self.assertEqual(b"not a state at all", Path(self.path("state.pickle")).read_bytes())

    def test_state_path_below_a_file(self):
        Path(self.path("file")).touch()
        self.check(1, "file/state.pickle", "--state-path", flags=["--state-path", "file/state.pickle"])

    def test_logdir_that_is_a_file(self):
        Path(self.path("logs")).touch()
        self.check(1, "logs", "--logdir")

    def test_pid_file_that_is_a_directory(self):
        os.mkdir(self.path("luigid.pid"))
        self.check(1, "luigid.pid", "directory", "--pidfile", flags=["--pidfile", "luigid.pid"])

    def test_log_that_is_a_directory(self):
        os.makedirs(self.path("logs/luigi-server.log"))
        self.check(1, "logs", "directory", "--logdir")

    def test_lock_of_the_state_that_is_a_directory(self):
        os.mkdir(self.path("state.pickle.lock"))
        self.check(1, "state.pickle", "directory", "--state-path")

    def test_socket_that_is_a_directory(self):
        os.mkdir(self.path("luigid.sock"))
        self.check(1, "luigid.sock", "in the way", "--unix-socket", flags=["--unix-socket", "luigid.sock"])

    def test_users_that_are_a_directory(self):
        os.mkdir(self.path("users"))
        Path(self.path("luigi.cfg")).write_text("[luigid]\nusers_file = users\n")
        self.check(2, "users", "directory")

    def test_address_of_another_machine(self):
        self.check(1, "192.0.2.1", "--address", flags=["--address", "192.0.2.1"])

    def test_full_disk(self):
        disk = self.mount("size=64k")
        with contextlib.suppress(OSError), open(disk / "filler", "wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 4096)
        self.check(1, str(disk), "No space left", "--state-path", flags=["--state-path", str(disk / "state.pickle")])
        self.check(1, str(disk), "No space left", "--pidfile", flags=["--pidfile", str(disk / "luigid.pid")])

    def test_disk_that_cannot_be_written(self):
        disk = self.mount("ro")
        for flag, name in (("--state-path", "state.pickle"), ("--pidfile", "luigid.pid"), ("--logdir", "logs")):
            self.check(1, str(disk), "Read-only file system", flag, flags=[flag, str(disk / name)])

    def mount(self, options):
        """A file system of its own, in memory; its path."""
        path = self.directory / "disk"
        path.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", path], capture_output=True).returncode:
            skip_without("right to mount a file system")
        self.addCleanup(subprocess.run, ["umount", path], check=True)
        return path


class OrdinaryUserTest(DaemonTest):
    """Without any right to stock's directories. A superuser who runs the tests has the daemon run as nobody."""

    def setUp(self):
        super().setUp()
        self.identity = {}
        if os.geteuid() == 0:
            self.identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            os.chown(self.directory, NOBODY, NOBODY)
        elif os.access("/var/lib", os.W_OK) or os.access("/var/lib/luigi-server", os.W_OK):
            skip_without("directory that this user may not write to")
        # Neither the interpreter of the tests nor the repository need be where another user can read them.
        shutil.copy(ROOT / "luigid.py", self.directory)
        self.command = [python_for(**self.identity), self.path("luigid.py")]

    def check_default_place(self, expected):
        process, greeting = self.start("--address", "127.0.0.1", "--port", "0", **self.identity)
        path, explanation = greeting["state"].split(", ")
        self.assertEqual(str(expected), path)
        self.assertEqual("as /var/lib/luigi-server cannot be written", explanation)
        call(greeting["url"], "add_task", worker="w", task_id="Kept", status="PENDING")
        self.assert_stops(process)
        self.assertTrue(expected.exists())
        _, greeting = self.start("--address", "127.0.0.1", "--port", "0", **self.identity)
        self.assertIn("Kept", self.tasks(greeting))

    def test_state_goes_to_the_home_directory(self):
        self.check_default_place(self.directory / ".local/state/luigid/state.pickle")

    def test_state_goes_where_xdg_says(self):
        self.environment["XDG_STATE_HOME"] = self.path("xdg")
        self.check_default_place(self.directory / "xdg/luigid/state.pickle")

    def test_stocks_place_asked_for_by_name_is_not_replaced(self):
        flags = ["--port", "0", "--state-path", "/var/lib/luigi-server/state.pickle"]
        self.assert_refused(self.run_command(*flags, **self.identity), 1, "/var/lib/luigi-server", "--state-path")

    def test_port_without_permission(self):
        with contextlib.suppress(FileNotFoundError):
            if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) < 100:
                skip_without("port that is for the superuser only")
        refused = self.run_command("--address", "127.0.0.1", "--port", "99", **self.identity)
        self.assert_refused(refused, 1, "port 99", "not permitted", "--port above 1023")

    def test_directory_without_permission(self):
        with tempfile.TemporaryDirectory() as private:
            os.chmod(private, 0o700 if self.identity else 0o500)
            for flag, name in (("--state-path", "state.pickle"), ("--pidfile", "luigid.pid"), ("--logdir", "logs")):
                refused = self.run_command("--port", "0", flag, f"{private}/{name}", **self.identity)
                self.assert_refused(refused, 1, private, "Permission denied", flag)

    def test_background_without_a_place_for_logs(self):
        finished = self.run_command("--background", "--port", "0", **self.identity)
        self.assert_refused(finished, 1, "/var/log/luigi", "--logdir")

    def test_pid_file_without_permission(self):
        flags = ["--port", "0", "--pidfile", "/var/lib/luigid-test.pid"]
        self.assert_refused(self.run_command(*flags, **self.identity), 1, "/var/lib/luigid-test.pid", "--pidfile")

    def test_configuration_without_permission(self):
        config = self.directory / "luigi.cfg"
        config.write_text("[scheduler]\n")
        config.chmod(0)
        if self.identity:
            os.chown(config, NOBODY, NOBODY)
        self.assert_refused(self.run_command("--port", "0", **self.identity), 2, "luigi.cfg", "Permission denied")


if __name__ == "__main__":
    unittest.main()
