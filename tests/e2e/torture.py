"""Daemons that are killed again and again, under load, and what they had acknowledged compared with what comes back.

    python -m tests.e2e.torture [--rounds 1000] [--seed N]

Several clients call at the same time, each about a worker and tasks of its own. So each can hold what it was told, and
what is found on disk after each kill, against a scheduler in memory that heard its calls alone: all that were answered,
and perhaps the one that was not. Daemons die by `kill -9` at a random moment of the load, by their own hand at a random
step between two or within one (tests/e2e/fragile.py), while they start, and while they take over from another.
"""

import argparse
import collections
import contextlib
import functools
import http.client
import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

import luigid
from tests.e2e.daemon import DEADLINE, ROOT, clean_environment, free_port, wait_until, write_config

CLIENTS = 4

#: nothing falls due while this runs: what the clients know must not depend on the time
SETTINGS = {
    "stable_done_cooldown_secs": 0,
    "worker_disconnect_delay": 36000,
    "remove_delay": 36000,
    "retry_delay": 36000,
    "retry_count": 3,
}

#: fields whose value depends on the time: only whether they are set is compared, or how many there are
TIMES = ("time", "updated", "retry", "remove", "first_failure_time", "scheduler_disable_time", "time_running")


def answer(port, method, arguments, connection=None):
    """The response of one RPC. AssertionError for any status but 200; OSError or HTTPException if there is none."""
    with contextlib.ExitStack() as stack:
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
            stack.callback(connection.close)
        body = urllib.parse.urlencode({"data": json.dumps(arguments)})
        connection.request("POST", f"/api/{method}", body, {"Content-Type": "application/x-www-form-urlencoded"})
        reply = connection.getresponse()
        text = reply.read().decode("utf-8")
    if reply.status != 200:
        raise AssertionError(f"{method} {arguments}: {reply.status} {text[:500]}")
    return json.loads(text)["response"]


def without_message_ids(value):
    """A reply with all message ids alike: each scheduler makes its own."""
    if isinstance(value, dict):
        return {name: "" if name == "message_id" else without_message_ids(item) for name, item in value.items()}
    return [without_message_ids(item) for item in value] if isinstance(value, list) else value


class Client:
    """One worker: what it asks for, what it was answered, and a scheduler that has heard nobody else."""

    def __init__(self, number, seed):
        self.worker, self.prefix = f"worker{number}", f"C{number}_"
        self.family, self.resource = f"Load{number}", f"resource{number}"
        self.random = random.Random(f"{seed} {number}")
        self.reference = luigid.Scheduler(**SETTINGS)
        #: the call that was made and not answered, if there is one
        self.pending = None
        self.failure = None

    def call_until_the_end(self, port, acknowledged):
        """Call until the daemon is gone; `acknowledged()` after each reply."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        try:
            while True:
                method, arguments = self.next_call()
                self.pending = method, arguments
                reply = answer(port, method, arguments, connection)
                self.check(method, arguments, reply, self.repeat_pending())
                acknowledged()
        except (OSError, http.client.HTTPException):
            pass  # there is nobody any more
        except Exception as error:
            self.failure = error
        finally:
            connection.close()

    def repeat_pending(self):
        """Tell the reference of the last call; its reply."""
        method, arguments = self.pending
        self.pending = None
        return getattr(self.reference, method)(**arguments)

    def check(self, method, arguments, reply, expected):
        expected = json.loads(json.dumps(expected))
        if without_message_ids(reply) != without_message_ids(expected):
            raise AssertionError(f"{method} {arguments}: answered {reply}, should be {expected}")

    def part_of(self, scheduler):
        """What a scheduler knows of this client's affairs, without times."""
        agenda = scheduler._agenda
        tasks = [task for task in agenda.tasks.values() if task.id.startswith(self.prefix)]
        worker = agenda.workers.get(self.worker)
        return {
            "tasks": [self.describe(task) for task in tasks],
            "order": [task.id for task in sorted(tasks, key=lambda task: task.order)],
            "worker": worker and without_message_ids([worker.info, worker.disabled, worker.rpc_messages]),
            "batchers": agenda.batchers.get(self.worker),
            "total": agenda.totals.get(self.resource),
        }

    def describe(self, task):
        fields = {name: getattr(task, name) for name in luigid.TASK_FIELDS if name not in ("seq", "order")}
        return {**fields, **{name: fields[name] is None for name in TIMES}, "failures": len(task.failures)}

    # What it asks for.

    def next_call(self):
        calls = {self.add: 6, self.work: 6, self.end: 6, self.report: 3, self.message: 2, self.step_in: 2, self.tell: 1}
        return self.random.choices(list(calls), calls.values())[0]()

    def task(self, *statuses):
        by_status = self.reference._agenda.by_status
        found = [task_id for status in statuses for task_id in by_status[status]]
        return self.random.choice(found) if found else f"{self.prefix}{self.random.randrange(25)}"

    def add(self):
        arguments = {
            "worker": self.worker,
            "task_id": self.task(),
            "family": self.family,
            "params": {"date": str(self.random.randrange(9))},
            "batchable": self.random.random() < 0.5,
            "priority": self.random.choice((0, 0, 1, 5)),
            "deps": [self.task() for _ in range(self.random.choice((0, 0, 1, 2)))],
            "resources": self.random.choice(({}, {}, {self.resource: 1})),
            "retry_policy_dict": self.random.choice(({}, {"retry_count": 1})),
        }
        return "add_task", arguments

    def work(self):
        running = [task_id for task_id, task in self.reference._agenda.by_status[luigid.RUNNING].items()]
        return "get_work", {"worker": self.worker, "host": "h", "current_tasks": running}

    def end(self):
        batches = self.reference._agenda.batches
        if batches:
            batch_id = min(batches)
            about = {"status": luigid.RUNNING, "batch_id": batch_id, "task_id": f"{self.prefix}all_{batch_id[:6]}"}
            return "add_task", {"worker": self.worker, "family": self.family, **about}
        task_id = self.task(luigid.RUNNING)
        of_batch = "_all_" in task_id  # one that failed would be removed by the next prune, whenever that is
        status = luigid.DONE if of_batch else self.random.choice((luigid.DONE, luigid.FAILED))
        return "add_task", {"worker": self.worker, "task_id": task_id, "status": status, "expl": "how it went"}

    def report(self):
        task_id = self.task(luigid.RUNNING)
        return self.random.choice(
            (
                ("set_task_status_message", {"task_id": task_id, "status_message": self.random.random()}),
                ("set_task_progress_percentage", {"task_id": task_id, "progress_percentage": self.random.random()}),
                ("decrease_running_task_resources", {"task_id": task_id, "decrease_resources": {self.resource: 1}}),
            )
        )

    def message(self):
        task_id = self.task(luigid.RUNNING)
        number = self.random.randrange(4)
        return self.random.choice(
            (
                ("send_scheduler_message", {"worker": self.worker, "task": task_id, "content": self.random.random()}),
                ("ping", {"worker": self.worker}),
                ("add_scheduler_message_response", {"task_id": task_id, "message_id": str(number), "response": "r"}),
                ("get_scheduler_message_response", {"task_id": task_id, "message_id": str(number)}),
            )
        )

    def step_in(self):
        return self.random.choice(
            (
                ("forgive_failures", {"task_id": self.task(luigid.FAILED)}),
                ("mark_as_done", {"task_id": self.task(luigid.FAILED, luigid.DISABLED)}),
                ("update_resource", {"resource": self.resource, "amount": self.random.randrange(4)}),
            )
        )

    def tell(self):
        batcher = {"task_family": self.family, "batched_args": ["date"], "max_batch_size": self.random.choice((2, 3))}
        return self.random.choice(
            (
                ("add_worker", {"worker": self.worker, "info": {"workers": self.random.randrange(1, 4)}}),
                ("add_task_batcher", {"worker": self.worker, **batcher}),
                ("count_pending", {"worker": self.worker}),
            )
        )


class Life:
    """One process with the daemon in it."""

    def __init__(self, directory, number, port, fuse, *flags):
        self.port, self.fuse = port, fuse
        self.log_path = directory / f"daemon-{number}.log"
        flags = ("--address", "127.0.0.1", "--port", str(port), "--state-path", directory / "state" / "kept", *flags)
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.fragile", str(fuse), *flags],
                cwd=ROOT,
                env=clean_environment(LUIGI_CONFIG_PATH=directory / "luigi.cfg"),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def has_ended(self):
        return self.process.poll() is not None

    def answers(self):
        try:
            return answer(self.port, "is_pause_enabled", {}) is not None
        except (OSError, http.client.HTTPException):
            return False

    def comes_up(self):
        """Wait for it; False if it died by its own hand before it could answer."""
        wait_until(lambda: self.has_ended() or self.answers(), "the daemon answers or is gone")
        return not self.has_ended()

    def stands_by(self):
        """Wait for it."""
        wait_until(lambda: "standing by" in self.log(), "the daemon stands by")

    def kill(self):
        self.process.kill()
        self.process.wait()

    @contextlib.contextmanager
    def stopped(self):
        """What a kill at this moment would leave can be looked at, though it lives on afterwards."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


class Torture:
    """Clients, and the daemons that they call, which have one state in `directory`."""

    def __init__(self, directory, seed):
        self.directory, self.seed, self.random = Path(directory), seed, random.Random(seed)
        self.port, self.lives = free_port(), []
        self.clients = [Client(number, seed) for number in range(CLIENTS)]
        #: how often the clients have called; how many calls were answered this time, and the lock for that
        self.loads, self.count, self.lock = 0, 0, threading.Lock()
        #: a scheduler with what was found when the last daemon ended
        self.found = luigid.Scheduler(**SETTINGS)
        #: what came about, and how often
        self.events = collections.Counter()

    def run(self, rounds, report=lambda text: None):
        """So many kills under load. AssertionError, with seed and round, if anything is not as it should be."""
        daemon = None
        try:
            while self.loads < rounds:
                daemon = self.one_end(daemon)
                if self.loads % 10 == 0:
                    report(f"{self.loads} of {rounds}: {dict(sorted(self.events.items()))}")
        except Exception as error:
            logs = "".join(life.log()[-2000:] for life in self.lives[-2:])
            raise AssertionError(f"seed {self.seed}, kill {self.loads}: {error}\n{logs}") from error
        finally:
            for life in self.lives[-2:]:
                life.kill()

    def one_end(self, daemon):
        """Let a daemon (None: a new one) come to its end; return the one that has taken over, or None."""
        if daemon is None:
            daemon = self.start(self.random.choice((0, 600)))
            if not daemon.comes_up():
                return self.bury(daemon, "while it started")
            if not daemon.fuse:  # else it may be gone at any moment
                self.compare_replies()
        if daemon.fuse or self.random.random() < 0.7:
            self.load(daemon)
            return self.bury(daemon, "under load")
        standby = self.start(self.random.choice((0, 20)), "--standby")
        standby.stands_by()
        self.load(daemon)
        self.note_end(daemon, "before a standby")
        if not standby.comes_up() or standby.fuse:
            standby.kill()
            return self.bury(standby, "while it took over")
        with standby.stopped():
            self.examine()
        self.compare_replies()
        return standby

    def start(self, longest_fuse, *flags):
        """A new daemon; one that has a fuse dies by its own hand within so many steps, often within the first few."""
        fuse = self.random.randrange(1, self.random.choice((20, longest_fuse))) if longest_fuse else 0
        sync = self.random.choice(("always", "everysec", "everysec", "no"))
        write_config(self.directory / "luigi.cfg", {"scheduler": SETTINGS, "luigid": {"journal_sync": sync}})
        self.lives.append(Life(self.directory, len(self.lives), self.port, fuse, *flags))
        return self.lives[-1]

    def load(self, daemon):
        """Let all clients call until the daemon is gone, which is killed at some moment if it has no fuse."""
        self.loads += 1
        self.count, most = 0, 3000 if daemon.fuse else self.random.randrange(1, 200)
        run = {"args": (self.port, self.note_reply), "daemon": True}
        threads = [threading.Thread(target=client.call_until_the_end, **run) for client in self.clients]
        for thread in threads:
            thread.start()
        wait_until(lambda: self.count >= most or not all(thread.is_alive() for thread in threads), "enough calls")
        daemon.kill()
        for thread in threads:
            thread.join()
        for client in self.clients:
            if client.failure is not None:
                raise client.failure

    def note_reply(self):
        with self.lock:
            self.count += 1
            self.events["calls answered"] += 1

    def bury(self, daemon, when):
        """Look at what a daemon left."""
        self.note_end(daemon, when)
        self.examine()

    def note_end(self, daemon, when):
        if daemon.process.wait() != -signal.SIGKILL:
            raise AssertionError(f"it ended with status {daemon.process.returncode}")
        self.events[("killed by its own hand " if "killed at" in daemon.log() else "killed ") + when] += 1

    def examine(self):
        """Load a copy of what is on disk, prove its indexes, and let each client look for what is its own."""
        state = self.directory / "state"
        with tempfile.TemporaryDirectory() as copy:
            shutil.copytree(state, copy, dirs_exist_ok=True)
            self.found = luigid.Scheduler(state_path=os.path.join(copy, "kept"), **SETTINGS)
            self.found.load()
            self.found.validate()
            self.found.close()
        if (state / "kept.tmp").exists():
            self.events["found a snapshot half done"] += 1
        if len(list(state.glob("kept.journal.*"))) > 1:
            self.events["found several journals"] += 1
        for client in self.clients:
            self.compare(client)

    def compare(self, client):
        """What a client was told must be there, and perhaps what it asked for last."""
        found, expected = client.part_of(self.found), client.part_of(client.reference)
        if client.pending is None:
            pass
        elif found == expected:
            client.pending = None
            self.events["unanswered call not kept, or without effect"] += 1
        else:
            client.repeat_pending()
            expected = client.part_of(client.reference)
            self.events["unanswered call kept"] += 1
        for what, value in expected.items():
            if found[what] != value:
                raise AssertionError(f"{what} of {client.worker}: found {found[what]}, should be {value}")

    def compare_replies(self):
        """The daemon that goes on must know what was found on disk, times and all."""
        for method, arguments in (("task_list", {"limit": False}), ("worker_list", {}), ("resource_list", {})):
            expected = json.loads(json.dumps(getattr(self.found, method)(**arguments)))
            reply = answer(self.port, method, arguments)
            if comparable(reply) != comparable(expected):
                raise AssertionError(f"{method}: answered {reply}, should be {expected}")


def comparable(reply):
    """Without when workers were last heard of, which a restart renews."""
    return [{**item, "last_active": None} for item in reply] if isinstance(reply, list) else reply


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.torture", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1000, help="kills under load (default: 1000)")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6, help="default: another one each time")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    logging.disable(logging.CRITICAL)  # of what is found in copies; the daemons' logs are their own
    with tempfile.TemporaryDirectory(prefix="e2e-") as directory:
        Torture(directory, arguments.seed).run(arguments.rounds, functools.partial(print, flush=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
