"""The state on disk: what was acknowledged comes back as it was, and what cannot be read is refused, not guessed at."""

import contextlib
import logging
import os
import pickle
import random
import shutil
import stat
import tempfile
import unittest
import zlib
from pathlib import Path
from unittest import mock

import luigid
from luigid import SEAL, TASK_FIELDS, TRAILER, WORKER_FIELDS, BadRequest, Scheduler, StateError, capture, dump_plain

FAMILIES = ("Extract", "Load")
STATUSES = ("PENDING", "PENDING", "RUNNING", "DONE", "FAILED", "FAILED", "DISABLED", "UNKNOWN")


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class History:
    """Random calls about few tasks and few workers: `next()` returns the name and the arguments of another one."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.choices = [getattr(self, name) for name in dir(self) if name.startswith("some_")]

    def next(self):
        return self.random.choice(self.choices)()

    def pick(self, *choices):
        return self.random.choice(choices)

    def worker(self):
        return f"w{self.random.randrange(4)}"

    def task(self):
        return f"Load_{self.random.randrange(12)}"

    def tasks(self):
        return [self.task() for _ in range(self.random.randrange(3))]

    def some_task(self):
        return "add_task", {
            "worker": self.worker(),
            "task_id": self.task(),
            "family": self.pick(*FAMILIES),
            "params": {"date": self.pick("1", "2", "3"), "more": [self.pick(None, 1, {"x": [2.5]})]},
            "param_visibilities": self.pick({}, {"more": 1}),
            "deps": self.pick(None, [], self.tasks()),
            "priority": self.pick(0, 0, 1, 2.5),
            "resources": self.pick({}, {}, {"disk": 1}, {"disk": 0.5, "tape": 1}),
            "retry_policy_dict": self.pick({}, {}, {"retry_count": 2, "disable_window": 50}),
            "batchable": self.pick(None, True, True),
            "runnable": self.pick(True, True, False),
            "assistant": self.pick(False, False, True),
            "accepts_messages": self.pick(None, True),
            "module": self.pick(None, "pipeline"),
        }

    some_other_task = some_more_tasks = some_task

    def some_report(self):
        return "add_task", {
            "worker": self.worker(),
            "task_id": self.task(),
            "status": self.pick(*STATUSES),
            "expl": self.pick(None, "report"),
            "tracking_url": self.pick(None, "http://tracker"),
            "new_deps": self.pick(None, None, self.tasks()),
            "batch_id": self.pick(None, None, "b"),
            "runnable": self.pick(None, True),
        }

    some_other_report = some_report

    def some_demand_for_work(self):
        current = self.pick(None, None, self.tasks())
        assistant = self.pick(False, False, True)
        return "get_work", {"worker": self.worker(), "host": "here", "current_tasks": current, "assistant": assistant}

    some_other_demand_for_work = some_demand_for_work

    def some_batcher(self):
        batched = self.pick(["date"], ["date", "more"])
        return "add_task_batcher", {
            "worker": self.worker(),
            "task_family": self.pick(*FAMILIES),
            "batched_args": batched,
            "max_batch_size": self.pick(2, 3),
        }

    def some_worker(self):
        info = {"workers": self.pick(1, 3), "first_task": self.task(), "assistant": self.pick(False, True)}
        return "add_worker", {"worker": self.worker(), "info": info}

    def some_sign_of_life(self):
        return "ping", {"worker": self.worker()}

    def some_disabling(self):
        return self.pick(("disable_worker", {"worker": self.worker()}), ("is_paused", {}), ("prune", {}))

    def some_message(self):
        return self.pick(
            ("set_worker_processes", {"worker": self.worker(), "n": 2}),
            ("send_scheduler_message", {"worker": self.worker(), "task": self.task(), "content": {"x": [1]}}),
            ("add_scheduler_message_response", {"task_id": self.task(), "message_id": "m", "response": {"y": 2}}),
            ("get_scheduler_message_response", {"task_id": self.task(), "message_id": "m"}),
        )

    def some_word_of_a_run(self):
        return self.pick(
            ("set_task_status_message", {"task_id": self.task(), "status_message": "half way"}),
            ("set_task_progress_percentage", {"task_id": self.task(), "progress_percentage": 50}),
            ("decrease_running_task_resources", {"task_id": self.task(), "decrease_resources": {"disk": 0.5}}),
        )

    def some_administration(self):
        return self.pick(
            ("forgive_failures", {"task_id": self.task()}),
            ("mark_as_done", {"task_id": self.task()}),
            ("re_enable_task", {"task_id": self.task()}),
            ("pause", {}),
            ("unpause", {}),
            ("unpause", {}),
            ("update_resource", {"resource": "disk", "amount": self.pick(1, 2, 3)}),
        )

    def some_read(self):
        return self.pick(
            ("graph", {}),
            ("task_list", {"upstream_status": self.pick("", "UPSTREAM_FAILED")}),
            ("task_search", {"task_str": "1"}),
            ("worker_list", {}),
            ("resource_list", {}),
            ("dep_graph", {"task_id": self.task()}),
            ("inverse_dep_graph", {"task_id": self.task()}),
            ("fetch_error", {"task_id": self.task()}),
            ("get_running_task_resources", {"task_id": self.task()}),
        )


#: delays short enough for random histories to pass them
DELAYS = {
    "retry_delay": 30,
    "remove_delay": 40,
    "worker_disconnect_delay": 20,
    "disable_persist": 50,
    "retry_count": 3,
    "prune_on_get_work": True,
}


def call(scheduler, method, arguments):
    with mock.patch("uuid.uuid4", return_value="some id"):
        return getattr(scheduler, method)(**arguments)


def play(history, calls, *schedulers):
    """Make the same random calls to some schedulers with one clock; AssertionError if their replies differ."""
    for _ in range(calls):
        schedulers[0]._clock.now += history.random.choice((0, 0, 1, 5))
        method, arguments = history.next()
        replies = [call(scheduler, method, arguments) for scheduler in schedulers]
        assert all(reply == replies[0] for reply in replies), (method, arguments, replies)


def state_of(scheduler):
    """All that is to survive, in a form that can be compared: what rises with every change is told by its order."""
    agenda = scheduler._agenda
    told = {"seq", "order", "last_active"}
    return {
        "tasks": [{f: getattr(task, f) for f in TASK_FIELDS if f not in told} for task in agenda.tasks.values()],
        "workers": [{f: getattr(w, f) for f in WORKER_FIELDS if f not in told} for w in agenda.workers.values()],
        "order": [task.id for task in sorted(agenda.tasks.values(), key=lambda task: task.order)],
        "batchers": agenda.batchers,
        "totals": agenda.totals,
        "paused": agenda.paused,
    }


class StateCase(unittest.TestCase):
    """A directory for the state, in which nothing is left open."""

    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.directory = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.path = self.directory / "state.pickle"
        self.clock = Clock()
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)

    def make(self, path=None, **settings):
        """A scheduler in memory whose state is to be in `path`."""
        scheduler = Scheduler(clock=self.clock, state_path=str(path or self.path), **settings)
        self.stack.callback(scheduler.close)
        return scheduler

    def load(self, path=None, **settings):
        """A scheduler with the state in `path`."""
        scheduler = self.make(path, **settings)
        scheduler.load()
        scheduler.validate()
        return scheduler

    def files(self):
        """Name and content of all that is kept."""
        found = self.directory.glob("state.pickle*")
        return {file.name: file.read_bytes() for file in found if file.is_file() and file.suffix != ".lock"}

    def copy(self, **changed):
        """The path of a copy of the state as it is on disk now, with the content of some files changed."""
        directory = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        for name, content in {**self.files(), **changed}.items():
            (directory / name).write_bytes(content)
        return directory / self.path.name

    def load_copy(self, changed=None, **settings):
        """A scheduler as it comes back after `kill -9`; it is not closed, but its lock is given back."""
        scheduler = Scheduler(clock=self.clock, state_path=str(self.copy(**(changed or {}))), **settings)
        scheduler.load()
        scheduler.close()
        return scheduler

    def refuse(self, *words):
        """The state is refused with these words; nothing on disk or in memory is lost by it."""
        files, scheduler = self.files(), self.make()
        scheduler.add_task(worker="w", task_id="here")
        with self.assertRaises(StateError) as caught:
            scheduler.load()
        for word in (str(self.path), *words):
            self.assertIn(word, str(caught.exception))
        self.assertEqual(list(scheduler.task_list()), ["here"])
        self.assertEqual(self.files(), files)


def grant_grace(scheduler):
    """Let all workers have spoken just now, as a restart does."""
    for worker in scheduler._agenda.workers.values():
        worker.last_active = scheduler._clock.now


def sealed(*values):
    """A snapshot that checks, of any values."""
    data = b"".join(value if isinstance(value, bytes) else dump_plain(value) for value in values)
    return data + TRAILER.pack(SEAL, zlib.crc32(data))


class TestRoundTrip(StateCase):
    def test_everything_comes_back_and_goes_on_as_if_nothing_had_happened(self):
        statuses = set()
        for seed in range(20):
            with self.subTest(seed=seed):
                history, before = History(seed), self.make(self.directory / str(seed), **DELAYS)
                play(history, 150, before)
                before.dump()
                after = self.load(self.directory / str(seed), **DELAYS)
                self.assertEqual(state_of(after), state_of(before))
                statuses.update(task.status for task in after._agenda.tasks.values())
                grant_grace(before)
                play(history, 100, before, after)
                after.validate()
        self.assertEqual(statuses, {*luigid.STATUSES} - {"SUSPENDED"})

    def test_odd_values_come_back(self):
        scheduler = self.make()
        odd = {"\ud800": "\0", "big": 10**200, "small": -0.0, "deep": [[[{}]]], "": ""}
        scheduler.add_task(worker="\ud800", task_id="\udfff", family="F", params=odd)
        scheduler.dump()
        self.assertEqual(self.load().fetch_error(task_id="\udfff")["taskParams"], odd)

    def test_configured_totals_win_over_kept_ones(self):
        before = self.make()
        before.update_resources(disk=5, tape=6)
        before.dump()
        after = self.load(resources={"disk": 1})
        totals = {resource["name"]: resource["num_total"] for resource in after.resource_list()}
        self.assertEqual(totals, {"disk": 1, "tape": 6})

    def test_workers_get_a_fresh_grace_period(self):
        before = self.make()
        before.add_task(worker="w", task_id="task")
        before.get_work(worker="w")
        before.dump()
        self.clock.now += 3600
        after = self.load(worker_disconnect_delay=60)
        self.clock.now += 60
        self.assertEqual(after.task_list()["task"]["status"], "RUNNING")
        self.clock.now += 1
        self.assertEqual(after.task_list()["task"]["status"], "FAILED")

    def test_dump_replaces_what_was_there(self):
        scheduler = self.make()
        scheduler.add_task(worker="w", task_id="first")
        scheduler.dump()
        scheduler.add_task(worker="w", task_id="second")
        scheduler.dump()
        self.assertEqual(list(self.load().task_list()), ["first", "second"])


class TestJournal(StateCase):
    """What a call acknowledged is there after `kill -9`."""

    def test_after_each_call(self):
        for seed in range(8):
            self.path = self.directory / f"{seed}" / "state.pickle"
            history, scheduler = History(seed), self.load(**DELAYS)
            for step in range(60):
                with self.subTest(seed=seed, step=step):
                    play(history, 1, scheduler)
                    self.assertEqual(state_of(self.load_copy(**DELAYS)), state_of(scheduler))
