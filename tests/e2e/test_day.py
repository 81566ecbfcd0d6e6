"""A day in the life of the daemon: cron starts it, pipelines run, logs are rotated, settings change, a newer release
takes its place under load. No call fails, and nothing that was acknowledged is lost."""

import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import unittest
import urllib.parse
from pathlib import Path

from tests.e2e.daemon import DEADLINE, ROOT, Daemon, clean_environment, wait_until, write_config
from tests.e2e.test_service import handing_over
from tests.e2e.workers import EndToEndTest
from tests.missing import skip_without

#: Runs cron with a crontab of its own, and shows it nothing of the machine's: TABLE CRON.
PRIVATE_CRON = """
set -e
mount -t tmpfs none /run
mount -t tmpfs none /var/spool
mkdir -p /var/spool/cron/crontabs /run/empty
for directory in /etc/cron.d; do [ ! -d $directory ] || mount --bind /run/empty $directory; done
[ ! -e /etc/crontab ] || mount --bind /dev/null /etc/crontab
chmod 1730 /var/spool/cron/crontabs
install -m 600 "$1" /var/spool/cron/crontabs/root
exec "$2" -f
"""


def find_cron():
    """Debian's cron, as installed or as prepare.sh has unpacked it."""
    unpacked = Path(sys.prefix, "cron/usr/sbin/cron")
    found = shutil.which("cron") or (str(unpacked) if unpacked.exists() else None)
    return found or skip_without("cron")


def wait_for_minute(condition, what):
    """As wait_until(), for what happens when cron's clock strikes: that may be as long away as others have in all."""
    try:
        return wait_until(condition, what)
    except AssertionError:
        return wait_until(condition, what)


class Load:
    """Clients that call all the time, some with a connection for each call and some that keep theirs."""

    def __init__(self, port, name, clients=4):
        self.failures = []
        self.acknowledged = set()
        self.calls = 0
        self._counting = threading.Lock()
        self._port, self._name = port, name
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number, number % 2)) for number in range(clients)]
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, client, keeps):
        connection = None
        for number in itertools.count():
            if self._over.is_set():
                break
            task_id = f"{self._name}_{client}_{number}"
            for status in ("PENDING", "RUNNING", "DONE"):
                try:
                    connection = self._call(connection, worker=f"{self._name}{client}", task_id=task_id, status=status)
                except (OSError, http.client.HTTPException, AssertionError) as error:
                    self.failures.append(f"{task_id} {status}: {error!r}")
                    connection = None
                if connection and not keeps:
                    connection = connection.close()
            self.acknowledged.add(task_id)

    def _call(self, kept, **arguments):
        """Call add_task; the connection. One that the server has hung up on between two calls is no failure."""
        connection = kept or http.client.HTTPConnection("127.0.0.1", self._port, timeout=DEADLINE)
        body = urllib.parse.urlencode({"data": json.dumps(arguments)})
        try:
            connection.request("POST", "/api/add_task", body, {"Content-Type": "application/x-www-form-urlencoded"})
            reply = connection.getresponse()
            text = reply.read()
        except (ConnectionError, http.client.RemoteDisconnected):
            connection.close()
            if kept is None:
                raise
            return self._call(None, **arguments)
        with self._counting:
            self.calls += 1
        if reply.status != 200:
            raise AssertionError(f"{reply.status} {text[:200]}")
        return connection


class DayTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.daemon = Daemon(self.directory)
        self.directory.chmod(0o755)
        self.flags = ["--state-path", "state.pickle", "--pidfile", "luigid.pid", "--address", "127.0.0.1"]
        self.flags += ["--port", str(self.daemon.port), "--logdir", "logs"]
        self.environment = clean_environment(LUIGI_CONFIG_PATH=self.directory / "luigi.cfg")
        self.addCleanup(self.luigid, "--stop")

    def luigid(self, *flags):
        """Run luigid to its end; (status, what it printed)."""
        command = [sys.executable, str(ROOT / "luigid.py"), *self.flags, *flags]
        options = {"cwd": self.directory, "env": self.environment, "timeout": DEADLINE, "check": False}
        done = subprocess.run(command, capture_output=True, text=True, **options)
        return done.returncode, done.stdout + done.stderr

    def configure(self, **options):
        """Change options of [luigid], and have the daemon read them."""
        write_config(self.directory / "luigi.cfg", {"luigid": {"access_log": "true", **options}})

    def pid(self):
        return int((self.directory / "luigid.pid").read_text())

    def told(self):
        """What cron has been told by what it started."""
        path = self.directory / "cron.out"
        return path.read_text() if path.exists() else ""

    def logs(self):
        """All that the daemon has logged, in all files."""
        return "".join(path.read_text() for path in (self.directory / "logs").glob("luigi-server.log*"))

    def archive(self, version):
        """Build a release with this version; its path."""
        sources = self.directory / "sources"
        shutil.rmtree(sources, ignore_errors=True)
        sources.mkdir()
        shutil.copytree(ROOT / "visualiser", sources / "visualiser")
        shutil.copy(ROOT / "Makefile", sources)
        text = (ROOT / "luigid.py").read_text(encoding="utf-8")
        changed = text.replace('\n__version__ = "', f'\n__version__ = "{version}+')
        self.assertNotEqual(text, changed)
        (sources / "luigid.py").write_text(changed, encoding="utf-8")
        command = ["make", "-s", "-C", str(sources), f"PYTHON={sys.executable}", "dist/luigid.pyz"]
        subprocess.run(command, env=clean_environment(), check=True, capture_output=True, timeout=DEADLINE)
        return shutil.copy(sources / "dist/luigid.pyz", self.directory / f"luigid-{version}.pyz")

    def start_cron(self):
        """Have cron see to it that a daemon runs; the process of cron."""
        unshare = shutil.which("unshare") or skip_without("unshare")
        if os.geteuid() != 0 or subprocess.run([unshare, "--mount", "true"], capture_output=True).returncode:
            skip_without("right to run cron")
        command = f"{sys.executable} {ROOT / 'luigid.py'} --background {' '.join(self.flags)}"
        line = f"cd {self.directory} && {command} >> cron.out 2>&1\n"
        table = self.directory / "crontab"
        table.write_text(
            f"LUIGI_CONFIG_PATH={self.directory / 'luigi.cfg'}\n"
            f"@reboot {line}"  # which is when cron starts
            f"* * * * * {line}"
        )
        cron = subprocess.Popen([unshare, "--mount", "sh", "-c", PRIVATE_CRON, "sh", table, find_cron()])
        self.addCleanup(cron.wait)
        self.addCleanup(cron.kill)
        return cron

    def start_with_socket(self, listener, archive):
        """Start a release as a service manager does, with its socket; the process."""
        command, options = handing_over(listener, [sys.executable, archive, *self.flags])
        process = subprocess.Popen(
            command, cwd=self.directory, env=self.environment, stdout=subprocess.DEVNULL, **options
        )
        self.addCleanup(process.wait, DEADLINE)
        self.addCleanup(process.kill)
        return process

    def load(self, name):
        """Call all the time, until the test ends this."""
        load = Load(self.daemon.port, name)
        self.addCleanup(load.stop)
        self.wait_for_calls(load)
        return load

    def wait_for_calls(self, load, more=100):
        """Wait for so many calls more."""
        enough = load.calls + more
        wait_until(lambda: load.failures or load.calls > enough, "calls go on")

    def assert_kept(self, *loads):
        """No call has failed, and all that was acknowledged is known."""
        known = self.daemon.call("task_list", status="DONE", upstream_status="", limit=False).keys()
        for load in loads:
            self.assertEqual([], load.failures)
            self.assertTrue(load.acknowledged)
            self.assertLessEqual(load.acknowledged, known)

    def test_day(self):
        self.configure()
        cron = self.start_cron()
        releases = [self.archive("1"), self.archive("2")]
        wait_until(lambda: "listening on" in self.told(), "cron has started the daemon")

        # The morning: pipelines.
        worker = self.start_worker("Diamond", "--gate", "noon", "--workers", "2")
        self.wait_for_start()
        morning = self.load("Morning")

        # Logs are rotated, by logrotate and by the daemon itself; settings change.
        os.rename(self.directory / "logs/luigi-server.log", self.directory / "logs/luigi-server.log.moved")
        os.kill(self.pid(), signal.SIGUSR1)
        self.wait_for_calls(morning)
        self.configure(log_max_bytes="20000", log_keep="10000")
        os.kill(self.pid(), signal.SIGHUP)
        wait_until(lambda: len(os.listdir(self.directory / "logs")) > 4, "the log has begun anew")
        self.wait_for_calls(morning)

        # Whoever starts it again, as cron does each minute, changes nothing.
        status, said = self.luigid("--background")
        self.assertEqual(0, status)
        self.assertIn(f"already running (pid {self.pid()}", said)

        self.open_gate("noon")
        self.assert_ends(worker)
        morning.stop()
        self.assert_kept(morning)

        # Somebody kills it; cron brings it back.
        killed = self.pid()
        os.kill(killed, signal.SIGKILL)
        wait_for_minute(lambda: self.pid() != killed, "cron has started it again")
        wait_until(lambda: f"(pid {self.pid()})" in self.told(), "it answers")
        self.assert_kept(morning)
        cron.terminate()
        cron.wait(DEADLINE)
        self.assertEqual(0, self.luigid("--stop")[0])
        self.assertGreaterEqual(self.logs().count('"POST /api/add_task" 200 '), 3 * len(morning.acknowledged))

        # The afternoon: a service manager has the socket, and a newer release takes over while pipelines run.
        with socket.create_server(("127.0.0.1", self.daemon.port), backlog=1024) as listener:
            old = self.start_with_socket(listener, releases[0])
            afternoon = self.load("Afternoon")
            worker = self.start_worker("Crew", "--size", "2", "--workers", "2")
            late = self.start_worker("Long", "--gate", "night")
            self.wait_for_start(family="Long")
            self.assert_version("1+")
            for release in (releases[1], releases[0], releases[1]):
                old.send_signal(signal.SIGTERM)
                self.assertEqual(0, old.wait(DEADLINE))
                old = self.start_with_socket(listener, release)
                self.wait_for_calls(afternoon)
            self.assert_version("2+")
            self.open_gate("night")
            self.assert_ends(worker)
            self.assert_ends(late)
            afternoon.stop()
            self.assert_kept(morning, afternoon)
            status, said = self.luigid("--stop")
            self.assertEqual((0, 0), (status, old.wait(DEADLINE)), said)
        self.assertNotIn("Traceback", self.logs())
        self.assertNotIn("ERROR", self.logs())
        self.assertEqual(0, (self.directory / "logs/luigi-server.err").stat().st_size)

    def assert_version(self, version):
        """A release with this version must be the one that runs."""
        found = json.loads(self.luigid("--status", "--json")[1])
        self.assertTrue(found["version"].startswith(version), found)


if __name__ == "__main__":
    unittest.main()
