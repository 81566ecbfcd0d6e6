"""Stock luigi workers in processes of their own, and the test case that has them talk to a real daemon."""

import collections
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from tests.e2e.daemon import DEADLINE, ROOT, Daemon, clean_environment, wait_until, write_config

#: The module of the tasks that are run.
PIPELINES = "tests.e2e.pipelines"

#: Exit statuses of a run, in luigi's words, as WORKER_CONFIG has the workers use them.
ALREADY_RUNNING, MISSING_DATA, NOT_RUN, TASK_FAILED = 10, 20, 25, 30

#: What a worker asks for often, so that no test waits for an idle one; and an exit status that tells how a run went.
WORKER_CONFIG = {
    "core": {"no_lock": "true", "rpc-retry-wait": "1"},
    "worker": {"ping_interval": "0.1", "wait_interval": "0.1", "wait_jitter": "0"},
    "retcode": {
        "already_running": ALREADY_RUNNING,
        "missing_data": MISSING_DATA,
        "not_run": NOT_RUN,
        "task_failed": TASK_FAILED,
        "scheduling_error": 35,
        "unhandled_exception": 40,
    },
}

#: What stock's workers log when a call failed, whether or not they got over it.
CALL_FAILURES = ("Failed pinging scheduler", "Failed connecting to remote scheduler", "RPCError")

#: What an idle worker logs: the scheduler has been asked, and has given it nothing.
REFUSED = "There are no more tasks to run at this time"

#: How the summary of a run ends.
SUCCESS = "This progress looks :) because there were no failed tasks or missing dependencies"
SUCCESS_WITH_RETRY = "This progress looks :) because there were failed tasks but they all succeeded in a retry"

SUMMARY_MARK = "===== Luigi Execution Summary ====="


class WorkerProcess:
    """One `luigi` command line: its own process, session, configuration and log, inside `directory`."""

    def __init__(self, daemon, directory, name, arguments, *, python=sys.executable, settings=None):
        """`arguments`: those of `luigi`; `settings`: options of [worker] over those of WORKER_CONFIG."""
        self.name = name
        self.log_path = Path(directory, f"worker-{name}.log")
        config_path = Path(directory, f"worker-{name}.cfg")
        config = {**WORKER_CONFIG, "worker": {**WORKER_CONFIG["worker"], **(settings or {})}}
        if daemon.needs_url:
            scheduler = []
            config["core"] = {**WORKER_CONFIG["core"], "default-scheduler-url": daemon.url().replace("%", "%%")}
        else:
            scheduler = ["--scheduler-host", "127.0.0.1", "--scheduler-port", str(daemon.port)]
        write_config(config_path, config)
        environment = {"LUIGI_CONFIG_PATH": config_path, "PYTHONPATH": ROOT, "no_proxy": "*"}
        with open(self.log_path, "ab") as log:
            self._process = subprocess.Popen(
                [str(python), "-m", "luigi", *map(str, arguments), *scheduler],
                cwd=directory,
                env=clean_environment(**environment, E2E_DIRECTORY=directory, E2E_WORKER=name),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def wait(self):
        """Wait for the end of the run and return its exit status: 0 when all went well."""
        try:
            return self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"worker {self.name} did not end within {DEADLINE} s:\n{self.log()[-3000:]}") from None

    def kill(self):
        """kill -9 the worker and whatever it has started, unless its end has been waited for."""
        # Until then its id is its own, even if it has ended; afterwards it may be anybody's.
        if self._process.returncode is None:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait(DEADLINE)

    def was_refused(self):
        """Whether it has asked for work and been given none."""
        return REFUSED in self.log()

    def summary(self):
        """The lines of the execution summary it has printed, without indentation and empty lines."""
        parts = self.log().split(SUMMARY_MARK)
        if len(parts) != 3:
            raise AssertionError(f"worker {self.name} printed {len(parts) // 2} summaries:\n{self.log()[-3000:]}")
        return [line.strip() for line in parts[1].splitlines() if line.strip()]


class EndToEndTest(unittest.TestCase):
    """A test with one daemon and as many workers as it likes, in a directory that goes away afterwards.

    When the test ends, the daemon must stop cleanly and no worker may have seen a failed call.
    """

    #: "tcp" or "unix": how the workers and the test reach the daemon.
    transport = "tcp"

    def setUp(self):
        # A short name: that of a Unix socket in it has to fit into 104 bytes, of which macOS's TMPDIR takes half.
        self.directory = Path(tempfile.mkdtemp(prefix="e2e-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.workers = []
        self.daemon = None

    def start_daemon(self, scheduler=None, **sections):
        """Start the daemon. `scheduler`: options of [scheduler]; `sections`: others, as in resources={"printer": 1}."""
        self.daemon = Daemon(self.directory, {"scheduler": scheduler or {}, **sections}, self.transport)
        self.addCleanup(self.daemon.stop)
        self.daemon.start()

    def start_worker(self, *arguments, name=None, module=PIPELINES, python=sys.executable, **settings):
        """Start a worker for a task of `module`, given by family and flags. `settings`: its [worker] section."""
        name = name or f"w{len(self.workers)}"
        arguments = ("--module", module, *arguments)
        worker = WorkerProcess(self.daemon, self.directory, name, arguments, python=python, settings=settings)
        self.workers.append(worker)
        self.addCleanup(self._end_worker, worker)
        return worker

    def _end_worker(self, worker):
        worker.kill()
        seen = [failure for failure in CALL_FAILURES if failure in worker.log()]
        self.assertEqual([], seen, f"calls of worker {worker.name} failed:\n{worker.log()[-3000:]}")

    def run_worker(self, *arguments, status=0, **options):
        """As start_worker(), and wait until it has ended with exit status `status`. Returns it."""
        worker = self.start_worker(*arguments, **options)
        self.assert_ends(worker, status)
        return worker

    def assert_ends(self, worker, status=0):
        found = worker.wait()
        self.assertEqual(status, found, f"exit status of worker {worker.name}:\n{worker.log()[-3000:]}")

    def open_gate(self, name):
        """Let those tasks go on that wait for the gate `name`."""
        (self.directory / f"gate-{name}").touch()

    def records(self, **wanted):
        """The run log so far, oldest first, as dicts; only those with the values `wanted`."""
        try:
            lines = (self.directory / "runs.log").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        found = [json.loads(line) for line in lines]
        return [entry for entry in found if all(entry[name] == value for name, value in wanted.items())]

    def started(self, **wanted):
        """The tasks that have started, in that order, as `Family(parameter=value)`."""
        return [entry["task"] for entry in self.records(event="start", **wanted)]

    def wait_for_start(self, count=1, **wanted):
        """Wait until `count` tasks with the values `wanted` have started."""
        wait_until(lambda: len(self.started(**wanted)) >= count, f"{count} starts of {wanted or 'any task'}")

    def tasks(self, **wanted):
        """{id: description} of the tasks that the daemon knows; only those with the values `wanted`."""
        known = self.daemon.call("task_list", status="", upstream_status="", limit=False).items()
        return {task_id: task for task_id, task in known if all(task[name] == value for name, value in wanted.items())}

    def task(self, family):
        """(id, description) of the only task of this family that the daemon knows."""
        [found] = self.tasks(name=family).items()
        return found

    def statuses(self):
        """How many tasks the daemon knows in each status."""
        return dict(collections.Counter(task["status"] for task in self.tasks().values()))

    def errors(self, family):
        """What the tasks of this family have failed with, as the daemon tells; "" for those that have not."""
        return [self.daemon.call("fetch_error", task_id=task_id)["error"] or "" for task_id in self.tasks(name=family)]

    def wait_for_status(self, family, status):
        """Wait until the daemon knows a task of this family that is `status`."""
        wait_until(lambda: self.tasks(name=family, status=status), f"{family} is {status}")

    def overlap(self):
        """The largest number of tasks that ran at the same time, by the order of their starts and ends."""
        return max(itertools.accumulate({"start": 1, "end": -1}[entry["event"]] for entry in self.records()))

    def wait_for_workers(self, count):
        """Wait until `count` workers have scheduled all they want and begun to ask for work."""

        def all_registered():
            return sum("first_task" in worker for worker in self.daemon.call("worker_list")) == count

        wait_until(all_registered, f"{count} workers have scheduled their tasks")

    def ask(self, family, content):
        """Send a message to the only task of this family, which is running, and wait for its answer."""
        task_id, task = self.task(family)
        sent = self.daemon.call("send_scheduler_message", worker=task["worker_running"], task=task_id, content=content)
        answer = {"task_id": task_id, "message_id": sent["message_id"]}

        def heard():
            return self.daemon.call("get_scheduler_message_response", **answer)["response"]

        return wait_until(heard, f"an answer to {content!r}")
