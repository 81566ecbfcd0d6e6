"""The daemon at home on a server: asked and stopped from outside, its logs moved away, under a service manager."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path

from tests.certificates import make_certificate
from tests.e2e.daemon import DEADLINE, ROOT, clean_environment, free_port, wait_until
from tests.e2e.test_daemon import NOBODY, DaemonTest, call, get, is_alive, python_for
from tests.missing import skip_without

#: Starts a program with a socket that listens as its descriptor 3, as a service manager does: SOCKET PROGRAM FLAGS...
HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3, inheritable=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="web")
os.execv(sys.argv[2], sys.argv[2:])
"""


def handing_over(listener, command):
    """(command, options of Popen) that start `command` with the socket `listener` handed over."""
    return [sys.executable, "-c", HAND_OVER, str(listener.fileno()), *command], {"pass_fds": [listener.fileno()]}


class BackgroundServiceTest(DaemonTest):
    """A daemon in the background without a pid file: its state says who it is."""

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.flags = ["--state-path", "state.pickle", "--address", "127.0.0.1", "--port", str(self.port)]
        self.addCleanup(self.end_daemon)

    def end_daemon(self):
        self.assertIn(self.run_command("--stop", *self.flags).returncode, (0, 3))

    def start_in_background(self, *flags):
        started = self.run_command("--background", "--logdir", "logs", *self.flags, *flags)
        self.assertEqual((0, ""), (started.returncode, started.stderr))
        return self.status()["pid"]

    def status(self):
        """What --status --json says."""
        return json.loads(self.run_command("--status", "--json", *self.flags).stdout)

    def log(self, name="luigi-server.log"):
        return Path(self.path("logs"), name).read_text(encoding="utf-8")

    def wait_for_log(self, text, name="luigi-server.log"):
        wait_until(lambda: text in self.log(name), f"{name} says {text!r}")

    def write_config(self, text):
        Path(self.path("luigi.cfg")).write_text(text)


class StopAndStatusTest(BackgroundServiceTest):
    def test_from_the_first_start_to_the_last_stop(self):
        self.assertEqual({"running": False}, self.status())
        for flag in ("--status", "--stop"):
            self.assertEqual(3, self.run_command(flag, *self.flags).returncode)
        pid = self.start_in_background()
        call(self.url, "add_task", worker="w", task_id="Kept")

        again = self.run_command("--background", "--logdir", "logs", *self.flags)
        self.assertEqual((0, ""), (again.returncode, again.stderr))
        self.assertRegex(again.stdout, rf"\Aluigid: already running \(pid {pid} on .*, state state.pickle\)\n\Z")
        self.assertNotIn("already", self.log() + self.log("luigi-server.err"))

        status = self.status()
        expected = {"running": True, "answers": True, "pid": pid, "url": self.url, "tasks": 1, "status": "ok"}
        self.assertEqual(expected, {name: status[name] for name in expected})
        self.assertLessEqual(status["since"], time.time())
        shown = self.run_command("--status", *self.flags)
        self.assertEqual((0, "", 1), (shown.returncode, shown.stderr, shown.stdout.count("\n")))
        self.assertRegex(shown.stdout, rf"\Aluigid: running \(pid {pid} on .*listening on {self.url}, 1 tasks\n\Z")

        stopped = self.run_command("--stop", *self.flags)
        said = (stopped.returncode, stopped.stdout, stopped.stderr)
        self.assertEqual((0, f"luigid: stopped (pid {pid})\n", ""), said)
        self.assertFalse(is_alive(pid))
        self.assertIn("stopped, state saved", self.log())
        self.assertEqual(3, self.run_command("--status", *self.flags).returncode)
        self.start_in_background()
        self.assertEqual(1, self.status()["tasks"])

    def test_in_the_foreground_a_second_one_is_an_error(self):
        self.start_in_background()
        other = ["--port", str(free_port())]
        self.assert_refused(self.run_command(*self.flags, *other), 1, "in use", "--stop", "--standby")

    def test_started_five_times_at_once_without_a_pid_file(self):
        command = [*self.command, "--background", "--logdir", "logs", *self.flags]
        options = {"cwd": self.directory, "env": self.environment, "stdout": subprocess.PIPE, "text": True}
        starters = [subprocess.Popen(command, **options) for _ in range(5)]
        said = [starter.communicate(timeout=DEADLINE)[0] for starter in starters]
        self.assertEqual([0] * 5, [starter.returncode for starter in starters], said)
        self.assertEqual(1, sum("listening on" in line for line in said), said)
        self.assertEqual(4, sum("already running" in line for line in said), said)

    def test_one_that_does_not_answer_or_stop(self):
        pid = self.start_in_background()
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(os.kill, pid, signal.SIGCONT)
        self.assert_refused(self.run_command("--stop", "--timeout", "0.1", *self.flags), 1, str(pid), "0.1 s")
        asked = self.run_command("--status", *self.flags)
        self.assertEqual(4, asked.returncode)
        self.assertIn("NO ANSWER", asked.stdout)

    def test_one_that_speaks_tls(self):
        cert, key = make_certificate(self.directory, "own")
        self.start_in_background("--tls-cert", cert, "--tls-key", key)
        status = self.status()
        self.assertEqual((True, 0), (status["answers"], status["tasks"]))

    def test_one_of_another_user(self):
        if os.geteuid() != 0:
            skip_without("superuser to run the tests")
        self.start_in_background("--pidfile", "luigid.pid")
        self.directory.chmod(0o755)
        copy = shutil.copy(ROOT / "luigid.py", self.directory)
        identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        command = [python_for(**identity), copy, *self.flags]
        options = {"cwd": self.directory, "env": self.environment, "capture_output": True, "text": True, **identity}
        options.update(timeout=DEADLINE, check=False)
        for flag in ("--status", "--stop"):
            refused = subprocess.run([*command, flag], **options)
            self.assert_refused(refused, 4, "state.pickle.lock", "Permission denied")
        os.chmod(self.path("luigid.pid"), 0o644)
        command += ["--pidfile", "luigid.pid"]
        self.assertEqual(0, subprocess.run([*command, "--status"], **options).returncode)
        self.assert_refused(subprocess.run([*command, "--stop"], **options), 1, "not permitted")


class LogsTest(BackgroundServiceTest):
    def test_moved_away_by_logrotate(self):
        pid = self.start_in_background()
        for name in ("luigi-server.log", "luigi-server.err"):
            os.rename(self.path(f"logs/{name}"), self.path(f"logs/{name}.1"))
        os.kill(pid, signal.SIGUSR1)
        wait_until(lambda: len(os.listdir(self.path("logs"))) == 4, "both logs are there again")
        self.wait_for_log("the logs are open again")
        self.assertEqual(pid, self.status()["pid"])
        for name in ("luigi-server.log", "luigi-server.err"):
            self.assertEqual(0o640, os.stat(self.path(f"logs/{name}")).st_mode & 0o777)

    def test_a_signal_too_early_ends_nothing(self):
        os.mkfifo(self.path("state.pickle"))  # a state that is being read for ever
        command = [*self.command, *self.flags, "--pidfile", "luigid.pid"]
        starting = subprocess.Popen(command, cwd=self.directory, env=self.environment, stderr=subprocess.PIPE)
        self.addCleanup(starting.stderr.close)
        self.addCleanup(starting.wait, DEADLINE)
        self.addCleanup(starting.kill)
        wait_until(lambda: os.path.exists(self.path("luigid.pid")), "the daemon has begun")
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM):
            starting.send_signal(number)
        self.assertEqual(-signal.SIGTERM, starting.wait(DEADLINE))

    def test_reload(self):
        self.write_config("[luigid]\nlog_max_bytes = 0\n[scheduler]\nremove_delay = 5\n")
        pid = self.start_in_background("--access-log")
        self.write_config("[luigid]\nlog_max_bytes = 400\nlog_keep = 3\n[scheduler]\nretry_count = 1\nstate_path = x\n")
        os.kill(pid, signal.SIGHUP)
        self.wait_for_log("[scheduler] remove_delay = 600.0 is in force (it was 5.0)")
        self.wait_for_log("the logs are open again")
        self.assertNotIn("state_path", self.log())  # which a flag decides
        call(self.url, "add_task", worker="w", task_id="T", status="RUNNING")
        call(self.url, "add_task", worker="w", task_id="T", status="FAILED")
        self.assertEqual(["T"], list(call(self.url, "task_list", status="DISABLED", upstream_status="")))
        for _ in range(20):
            call(self.url, "ping", worker="w")
        wait_until(lambda: len(os.listdir(self.path("logs"))) == 5, "the log has begun anew three times")
        self.assertLess(max(os.path.getsize(self.path(f"logs/{name}")) for name in os.listdir(self.path("logs"))), 4000)

    def test_a_bad_file_at_reload(self):
        self.write_config("[scheduler]\nretry_count = 1\n")
        pid = self.start_in_background("--log-json")
        self.write_config("[scheduler]\nretry_count = few\n")
        os.kill(pid, signal.SIGHUP)
        self.wait_for_log("all settings stay as they are")
        self.assert_refused(self.run_command("--status", *self.flags), 2, "luigi.cfg:2", "few")
        self.write_config("")  # by which it will be stopped
        self.assertEqual([], call(self.url, "worker_list"))
        lines = list(map(json.loads, self.log().splitlines()))
        self.assertIn("ERROR", {line["level"] for line in lines})

    def test_no_line_can_be_forged(self):
        self.start_in_background("--access-log")
        forged = "\n2026-01-01 00:00:00,000 luigid[1] INFO: forged"
        call(self.url, "mark_as_done", task_id=forged)
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            for path in (b"/%0a\xc2\x85forged", b"/\x85\x1b[2J"):
                client.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            client.recv(1000)
        self.wait_for_log("mark_as_done")
        for line in self.log().splitlines():
            self.assertTrue(line.isprintable(), ascii(line))
            self.assertRegex(line, r"\A20\d\d-\d\d-\d\d [\d:,]+ luigid[.a-z]*\[\d+\] [A-Z]+: ")
            self.assertNotRegex(line, r"\A2026-01-01")


class Manager:
    """A service manager's ear: what it is told, in order."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(DEADLINE)

    def wait_for(self, word):
        """The messages up to one that has `word`."""
        messages = []
        while not messages or word not in messages[-1]:
            messages.append(self.socket.recv(4096).decode())
        return messages


class ServiceManagerTest(DaemonTest):
    def manage(self, address, **environment):
        """Start a daemon under a service manager that listens at `address`; (manager, process, greeting)."""
        manager = Manager(address)
        self.addCleanup(manager.socket.close)
        self.environment.update(NOTIFY_SOCKET=address.replace("\0", "@"), **environment)
        return manager, *self.start_here()

    def test_is_told_everything(self):
        manager, process, greeting = self.manage(self.path("notify"), WATCHDOG_USEC="300000")
        ready = manager.wait_for("READY=1")
        self.assertIn(f"STATUS=listening on {greeting['url']}", ready[-1])
        manager.wait_for("WATCHDOG=1")
        process.send_signal(signal.SIGHUP)
        self.assertRegex(manager.wait_for("RELOADING=1")[-1], r"MONOTONIC_USEC=\d+")
        manager.wait_for("READY=1")
        self.assert_stops(process)
        manager.wait_for("STOPPING=1")

    @unittest.skipUnless(sys.platform == "linux", "sockets without a file are Linux's")
    def test_is_told_at_an_address_without_a_file(self):
        manager, _, _ = self.manage(f"\0luigid-test-{os.getpid()}")
        manager.wait_for("READY=1")

    def test_a_standby_is_ready_and_its_watchdog_is_fed(self):
        first, greeting = self.start_here()
        manager = Manager(self.path("notify"))
        self.addCleanup(manager.socket.close)
        environment = {**self.environment, "NOTIFY_SOCKET": self.path("notify"), "WATCHDOG_USEC": "300000"}
        command = [*self.command, "--standby", "--port", "0", "--state-path", greeting["state"]]
        options = {"cwd": self.directory, "env": environment, "text": True}
        second = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options)
        self.addCleanup(second.stdout.close)
        self.addCleanup(second.wait, DEADLINE)
        self.addCleanup(second.kill)
        self.assertIn("STATUS=standing by", manager.wait_for("READY=1")[-1])
        manager.wait_for("WATCHDOG=1")
        self.assert_stops(first)
        self.assertIn("STATUS=listening", manager.wait_for("READY=1")[-1])

    def test_hands_its_socket_over_from_one_daemon_to_the_next(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            command = self.command
            for expected in ([], ["Kept"]):
                self.command, options = handing_over(listener, command)
                process, greeting = self.start("--port", "1", "--state-path", "state.pickle", **options)
                self.assertEqual("http://127.0.0.1:%d" % listener.getsockname()[1], greeting["url"])
                self.assertEqual(expected, list(self.tasks(greeting)))
                call(greeting["url"], "add_task", worker="w", task_id="Kept")
                self.assert_stops(process)
            waiting = socket.create_connection(listener.getsockname())  # nobody accepts, and nobody refuses
            waiting.close()

    def test_hands_over_what_does_not_listen(self):
        with socket.socket() as silent:
            self.command, options = handing_over(silent, self.command)
            refused = self.run_command("--state-path", "state.pickle", **options)
        self.assert_refused(refused, 1, "web", "ListenStream=")

    def test_systemd_socket_activate(self):
        program = shutil.which("systemd-socket-activate") or skip_without("systemd-socket-activate")
        port, path = free_port(), self.path("luigid.sock")
        self.command = [program, "-l", f"127.0.0.1:{port}", "-l", path, "--fdname", "web:local", *self.command]
        starting = subprocess.Popen(
            [*self.command, "--state-path", "state.pickle"],
            cwd=self.directory,
            env={**self.environment, "PATH": os.environ["PATH"]},
            stdout=subprocess.PIPE,
            stderr=open(self.path("stderr"), "w"),  # noqa: SIM115
            text=True,
        )
        self.addCleanup(starting.stdout.close)
        self.addCleanup(starting.wait, DEADLINE)
        self.addCleanup(starting.kill)
        wait_until(lambda: os.path.exists(path), "the socket is there")
        for url in (f"http://127.0.0.1:{port}", "http+unix://" + path.replace("/", "%2F")):
            self.assertEqual([], call(url, "worker_list"))
        self.assertIn(f"listening on http://127.0.0.1:{port}", starting.stdout.readline())
        self.assert_stops(starting)
        self.assertTrue(os.path.exists(path), "it belongs to whoever made it")


class InstalledTest(DaemonTest):
    """What `make install` and `make dist` make. A copy of the sources, so that nothing is left in the repository."""

    def setUp(self):
        super().setUp()
        self.directory.chmod(0o755)
        self.sources = self.directory / "sources"
        self.sources.mkdir()
        for name in ("luigid.py", "luigid.cfg.example", "Makefile"):
            shutil.copy(ROOT / name, self.sources)
        shutil.copytree(ROOT / "visualiser", self.sources / "visualiser")

    def make(self, *arguments, **environment):
        command = ["make", "-C", str(self.sources), f"PYTHON={sys.executable}", *arguments]
        made = subprocess.run(command, env={**clean_environment(), **environment}, capture_output=True, text=True)
        self.assertEqual(0, made.returncode, made.stdout + made.stderr)

    def files(self):
        """All that is below the directory and not in the sources."""
        found = self.directory.rglob("*")
        return {str(path.relative_to(self.directory)) for path in found if self.sources not in (path, *path.parents)}

    def install(self):
        prefix = self.path("prefix")
        self.make("install", f"PREFIX={prefix}")
        return Path(prefix)

    def test_install_runs_and_uninstall_leaves_nothing(self):
        prefix = self.install()
        self.command = [str(prefix / "bin/luigid")]
        self.environment["PATH"] = os.path.dirname(sys.executable) + ":" + os.environ["PATH"]
        process, greeting = self.start_here()
        self.assertIn("<html", get(greeting["url"], "/static/visualiser/index.html")[1])
        self.assert_stops(process)
        self.make("uninstall", f"PREFIX={prefix}")
        left = {name for name in self.files() if name.startswith("prefix") and (self.directory / name).is_file()}
        self.assertEqual(set(), left)

    def test_destdir_is_nowhere_in_what_is_installed(self):
        self.make("install", "PREFIX=/opt/luigid", f"DESTDIR={self.path('staging')}")
        for path in (self.directory / "staging").rglob("*"):
            if path.is_file():
                self.assertNotIn(str(self.directory).encode(), path.read_bytes(), path)
                self.assertEqual(0o755 if path.name == "luigid" else 0o644, path.stat().st_mode & 0o777, path)
        unit = Path(self.path("staging/opt/luigid/lib/systemd/system/luigid.service")).read_text()
        self.assertIn("\nExecStart=/opt/luigid/bin/luigid\n", unit)

    def test_systemd_likes_the_units(self):
        program = shutil.which("systemd-analyze") or skip_without("systemd-analyze")
        units = self.install() / "lib/systemd/system"
        paths = [str(units / "luigid.service"), str(units / "luigid.socket")]
        verified = subprocess.run([program, "verify", *paths], capture_output=True, text=True, timeout=DEADLINE)
        complaints = [line for line in verified.stderr.splitlines() if "luigid" in line]
        self.assertEqual((0, []), (verified.returncode, complaints), verified.stderr)
        rated = subprocess.run(
            [program, "security", "--offline=true", paths[0]], capture_output=True, text=True, timeout=DEADLINE
        )
        level = re.search(r"Overall exposure level for luigid.service: ([\d.]+)", rated.stdout)
        self.assertTrue(level and float(level[1]) < 2, rated.stdout[-2000:] + rated.stderr)

    def test_archive_is_the_same_whoever_builds_it(self):
        archives = []
        for environment in ({"TZ": "Asia/Tokyo"}, {"TZ": "America/Lima"}):
            usual = os.umask(0o077 if archives else 0o002)
            try:
                self.make("dist/luigid.pyz", "SOURCE_DATE_EPOCH=1700000000", **environment)
            finally:
                os.umask(usual)
            archives.append((self.sources / "dist/luigid.pyz").read_bytes())
            shutil.rmtree(self.sources / "dist")
        self.assertEqual(*archives)

    def test_archive_is_all_that_another_user_needs(self):
        self.make("dist/luigid.pyz")
        home = self.directory / "home"
        home.mkdir()
        shutil.copy(self.sources / "dist/luigid.pyz", home)
        identity = {}
        if os.geteuid() == 0:
            identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            os.chown(home, NOBODY, NOBODY)
        shutil.rmtree(self.sources)
        self.directory, self.environment = home, {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home)}
        self.command = ["./luigid.pyz"]
        if self.run_command("--version", **identity).returncode != 0:
            skip_without("Python that another user can run")
        process, greeting = self.start("--address", "127.0.0.1", "--port", "0", **identity)
        os.unlink(home / "luigid.pyz")  # an upgrade is under way
        for name in ("index.html", "style.css", "graph/view.js"):
            status, page = get(greeting["url"], f"/static/visualiser/{name}")
            self.assertEqual((200, (ROOT / "visualiser" / name).read_text()), (status, page))
        for name in ("..%2fluigid.py", "graph/", "graph", "nowhere.js"):
            self.assertEqual(404, get(greeting["url"], f"/static/visualiser/{name}")[0], name)
        call(greeting["url"], "add_task", worker="w", task_id="T")
        self.assertEqual("T", call(greeting["url"], "get_work", worker="w", host="h")["task_id"])
        self.assert_stops(process)


if __name__ == "__main__":
    unittest.main()
