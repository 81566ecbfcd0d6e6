"""The two daemons side by side: started with a configuration and a state of their own, measured from outside, ended.

CPU time, memory and threads are read from /proc, which needs Linux; the rows that show them fail elsewhere.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.bench.wire import Connection, request
from tests.e2e.daemon import DEADLINE, ROOT, clean_environment, daemon_command, free_port, write_config

STOCK, OURS, SCRIPT = "stock", "ours", "ours, as a script"
STOCK_RECORDING, RECORDING = "stock, recording", "ours, recording"

#: The command line of each, by the same interpreter. Ours runs as a module, which Python keeps compiled, as it does all
#: of stock's; `python3 luigid.py` is compiled anew each time. LUIGID_COMMAND stands for ours in both forms.
COMMANDS = {
    STOCK: [sys.executable, str(Path(sys.executable).with_name("luigid"))],
    OURS: daemon_command() if "LUIGID_COMMAND" in os.environ else [sys.executable, "-m", "luigid"],
    SCRIPT: daemon_command(),
}
COMMANDS[STOCK_RECORDING], COMMANDS[RECORDING] = COMMANDS[STOCK], COMMANDS[OURS]

#: Both get it: nobody is parted with while the other daemon is measured, and no reply is cut.
CONFIG = {
    "scheduler": {"worker_disconnect_delay": 100000, "max_shown_tasks": 2000000, "max_graph_nodes": 2000000},
    "resources": {"database": 1},
}

PING = request("ping", {"worker": "benchmark"})

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


class Daemon:
    """A running daemon on a free port of 127.0.0.1, with all that it writes in a temporary directory."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._directory = tempfile.mkdtemp(prefix=f"luigid-bench-{name}-")
        #: the database, if it records a history
        self.history_path = Path(self._directory, "history.db")
        config = Path(self._directory, "luigi.cfg")
        write_config(config, self._config())
        self.address = ("127.0.0.1", free_port())
        flags = ["--address", self.address[0], "--port", str(self.address[1])]
        paths = {"LUIGI_CONFIG_PATH": config, "PYTHONPATH": ROOT, "PYTHONDONTWRITEBYTECODE": ""}
        self._log = Path(self._directory, "daemon.log")
        began = time.perf_counter()
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [*COMMANDS[name], *flags, "--state-path", str(Path(self._directory, "state"))],
                cwd=self._directory,
                env=clean_environment(**paths),
                stdout=log,
                stderr=log,
            )
        try:
            self._wait_for_reply(began + DEADLINE)
        except BaseException:
            self.kill()
            raise
        #: seconds from its start to its first reply
        self.start_seconds = time.perf_counter() - began
        #: seconds of CPU time for that
        self.start_cpu = self.cpu_seconds()
        #: bytes it takes before it knows any task
        self.empty_rss = self.rss()

    def _config(self) -> dict[str, dict[str, Any]]:
        if self.name not in (STOCK_RECORDING, RECORDING):
            return CONFIG
        history = {"db_connection": f"sqlite:///{self.history_path}"}
        return {**CONFIG, "scheduler": {**CONFIG["scheduler"], "record_task_history": "true"}, "task_history": history}

    def _wait_for_reply(self, give_up: float) -> None:
        while True:
            try:
                with Connection(self.address) as connection:
                    connection.exchange(PING)
                return
            except ConnectionError:
                if self._process.poll() is not None or time.perf_counter() > give_up:
                    log = self._log.read_text(errors="replace")
                    raise RuntimeError(f"{self.name} does not answer; its log: {log}") from None
                time.sleep(0.001)

    def kill(self) -> None:
        """End it, whatever it knows: writing the state of 100,000 tasks takes stock 9 s."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    def load(self, graph: Iterable[dict[str, Any]]) -> None:
        """Add tasks, over the wire."""
        with Connection(self.address) as connection:
            connection.pipeline(request("add_task", arguments) for arguments in graph)

    def cpu_seconds(self) -> float:
        """Return the CPU time that it has used, in user code and in the kernel; it counts in steps of 10 ms."""
        fields = self._stat()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def threads(self) -> int:
        """Return how many threads it has."""
        return int(self._stat()[17])

    def rss(self) -> int:
        """Return the bytes of memory that it occupies."""
        return int(self._stat()[21]) * PAGE_SIZE

    def _stat(self) -> list[str]:
        # What follows the process's name, which is in parentheses and may hold spaces.
        return Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()


@contextlib.contextmanager
def running(*names: str) -> Iterator[dict[str, Daemon]]:
    """Start the named daemons, and end them after the block."""
    with contextlib.ExitStack() as stack:
        daemons = {}
        for name in names:
            daemons[name] = Daemon(name)
            stack.callback(daemons[name].kill)
        yield daemons
