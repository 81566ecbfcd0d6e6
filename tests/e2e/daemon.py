"""A real daemon process for the end-to-end tests: started, spoken to and stopped as an operator would.

Two environment variables choose what is started; both are for people, the tests never set them:

LUIGID_COMMAND   a whole command line in place of this repository's daemon. With stock's `luigid` in it, every test here
                 can be run against stock: that is how a test is shown to test the contract and not the implementation.
LUIGID_PYTHON    the interpreter that runs luigid.py; by default the one that runs the tests.
"""

import configparser
import http.client
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: Seconds after which a condition is given up. Reached only where something is broken, so it can afford to be long.
DEADLINE = 60


def wait_until(condition, what):
    """Call `condition()` until it returns something true, and return that. AssertionError after DEADLINE seconds."""
    give_up = time.monotonic() + DEADLINE
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > give_up:
            raise AssertionError(f"waited {DEADLINE} s in vain: {what}")
        time.sleep(0.02)


def clean_environment(**changes):
    """This process's environment without any luigi configuration of the machine, changed by `changes`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LUIGI_")}
    return {**kept, **{name: str(value) for name, value in changes.items()}}


def write_config(path, sections):
    """Write `sections` ({section: {option: value}}) to `path` as a luigi.cfg."""
    config = configparser.ConfigParser(interpolation=None)
    config.read_dict(sections)
    with open(path, "w", encoding="utf-8") as file:
        config.write(file)


def free_port():
    """A TCP port of 127.0.0.1 that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def daemon_command():
    """The command line, without flags, that starts the daemon under test."""
    given = os.environ.get("LUIGID_COMMAND")
    return shlex.split(given) if given else [os.environ.get("LUIGID_PYTHON", sys.executable), str(ROOT / "luigid.py")]


class UnixConnection(http.client.HTTPConnection):
    """HTTP through a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=DEADLINE)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Daemon:
    """One daemon with its own configuration, state file and log, all inside `directory`.

    `config` is {section: {option: value}}; `transport` is "tcp" (a free port of 127.0.0.1) or "unix" (a socket in
    `directory`).
    """

    def __init__(self, directory, config=None, transport="tcp"):
        self.directory = Path(directory)
        self.log_path = self.directory / "daemon.log"
        self.state_path = self.directory / "state.pickle"
        self.socket_path = self.directory / "luigid.sock" if transport == "unix" else None
        self.port = free_port() if transport == "tcp" else None
        write_config(self.directory / "luigi.cfg", config or {})
        self._process = None

    def start(self, *flags):
        """Start the process, with more flags than it needs, and return when it (or what listens there) answers."""
        self.launch(*flags)
        wait_until(self._answers, "the daemon answers")

    def launch(self, *flags):
        """Start the process and return at once."""
        tcp, unix = ["--address", "127.0.0.1", "--port", str(self.port)], ["--unix-socket", str(self.socket_path)]
        with open(self.log_path, "ab") as log:
            self._process = subprocess.Popen(
                [*daemon_command(), *(unix if self.socket_path else tcp), "--state-path", str(self.state_path), *flags],
                cwd=self.directory,
                env=clean_environment(LUIGI_CONFIG_PATH=self.directory / "luigi.cfg"),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _answers(self):
        status = self._process.poll()
        if status is not None:
            self._process = None
            raise AssertionError(f"the daemon did not start but ended with status {status}:\n{self.log()}")
        try:
            return self.call("is_pause_enabled")
        except OSError:
            return None

    def signal(self, number):
        """Send the process a signal."""
        self._process.send_signal(number)

    def stop(self):
        """Ask it to end, as a service manager does. AssertionError unless it ends well, no stack trace logged."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = f"{self._process.wait()}, killed after it ignored SIGTERM for {DEADLINE} s"
        self._process = None
        if status != 0 or "Traceback" in self.log():
            raise AssertionError(f"the daemon ended with status {status} and this log:\n{self.log()}")

    def pid(self):
        return self._process.pid

    def kill(self):
        """Let it end without any warning."""
        self._process.kill()
        self._process.wait()
        self._process = None

    def log(self):
        """All that the daemon has printed, over every start."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    @property
    def needs_url(self):
        """Whether a host and a port do not tell a stock client all that it needs."""
        return self.socket_path is not None

    def url(self):
        """What a stock client is given as `scheduler_url`."""
        if self.socket_path:
            return "http+unix://" + urllib.parse.quote(str(self.socket_path), safe="")
        return f"http://127.0.0.1:{self.port}"

    def connection(self):
        """A new http.client connection to the daemon."""
        if self.socket_path:
            return UnixConnection(self.socket_path)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)

    def call(self, method, **arguments):
        """The `response` of one RPC, sent as stock's clients send it. AssertionError for any status but 200."""
        connection = self.connection()
        try:
            body = urllib.parse.urlencode({"data": json.dumps(arguments)})
            connection.request("POST", f"/api/{method}", body, {"Content-Type": "application/x-www-form-urlencoded"})
            reply = connection.getresponse()
            text = reply.read().decode("utf-8")
        finally:
            connection.close()
        if reply.status != 200:
            raise AssertionError(f"{method} {arguments}: {reply.status} {text[:500]}")
        return json.loads(text)["response"]
