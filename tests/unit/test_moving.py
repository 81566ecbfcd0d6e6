"""Moving over from stock luigi and back, checks, and repairs: everything arrives, nothing is run, nothing is lost."""

import collections
import contextlib
import errno
import itertools
import json
import logging
import os
import pickle
import random
import subprocess
import sys
import tempfile
import types
import unittest
from pathlib import Path
from unittest import mock

import luigid
from luigid import (
    DISABLED,
    FAILED,
    MARK,
    PENDING,
    RUNNING,
    TASK_FIELDS,
    WORKER_FIELDS,
    Scheduler,
    StateError,
    check_state,
    export_stock,
    read_stock,
    repair_state,
)

from . import attacks
from .stock_files import STOCK_FILES, disagreements, take_over, unpacked

NOW = 1600000000.0

#: what a round trip through stock's format renews: orders of which it has one only, and when workers were heard of
RENEWED = ("seq", "order", "last_active")

#: text that has broken things elsewhere
HOSTILE = (
    *("", "\0", "\n", "'\"\\", "\x80\x04\x95", "\ud800", "\U0001f600", "\u2028", "{}%s", "a" * 70000, "é" * 300),
    *("posix\nsystem", "cos\nsystem\n(S'x'\ntR.", "\nluigid\n", "\xf1LGD"),
)


def restart(path, **settings):
    scheduler = Scheduler(state_path=str(path), clock=lambda: NOW, **settings)
    scheduler.load()
    scheduler.validate()
    return scheduler


def state_of(scheduler):
    """All that must arrive, in a form that can be compared."""
    agenda = scheduler._agenda
    return {
        "tasks": [fields_of(task, TASK_FIELDS) for task in agenda.tasks.values()],
        "workers": [fields_of(worker, WORKER_FIELDS) for worker in agenda.workers.values()],
        "batchers": agenda.batchers,
    }


def fields_of(thing, names):
    return {name: getattr(thing, name) for name in names if name not in RENEWED}


class DirectoryTest(unittest.TestCase):
    """Has a directory of its own, with a state in it."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.path = self.directory / "state.pickle"
        logging.getLogger("luigid").setLevel(logging.CRITICAL)
        self.addCleanup(logging.getLogger("luigid").setLevel, logging.NOTSET)

    def restart(self, **settings):
        scheduler = restart(self.path, **settings)
        self.addCleanup(scheduler.close)
        return scheduler

    def files(self, but=".lock"):
        """Name -> bytes of all files there are."""
        return {file.name: file.read_bytes() for file in self.directory.iterdir() if not file.name.endswith(but)}

    def refuse(self, data):
        """Have these bytes refused as a state, and left alone; return the message."""
        self.path.write_bytes(data)
        with self.assertRaises(StateError) as caught:
            self.restart()
        self.assertEqual({self.path.name: data}, self.files())
        return str(caught.exception)


# -- stock's classes, as far as a pickle of stock's has them -----------------------------------------------------------


class OrderedSet:
    """What stock's has in a pickle: a ring of [key, previous, next]."""

    def __init__(self, keys=()):
        self.end = end = []
        end += [None, end, end]
        self.map = {}
        for key in keys:
            last = end[1]
            last[2] = end[1] = self.map[key] = [key, last, end]

    def __iter__(self):
        node = self.end[2]
        while node is not self.end:
            yield node[0]
            node = node[2]


class Plain:
    def __init__(self, **fields):
        vars(self).update(fields)


STOCK = types.ModuleType("luigi.scheduler")
STOCK.OrderedSet = OrderedSet
STOCK.RetryPolicy = collections.namedtuple("RetryPolicy", "retry_count disable_hard_timeout disable_window")
for kind in ("Task", "Worker", "Failures"):
    setattr(STOCK, kind, type(kind, (Plain,), {}))
for kind in ("Task", "Worker", "Failures", "OrderedSet", "RetryPolicy"):
    getattr(STOCK, kind).__module__ = "luigi.scheduler"
with_stock = mock.patch.dict(sys.modules, {"luigi": types.ModuleType("luigi"), "luigi.scheduler": STOCK})


@with_stock
def stock_pickle(tasks=(), workers=(), batchers=None, protocol=4):
    """What stock would have saved: of each task or worker given (by its fields) what it has in any case, and these."""
    return pickle.dumps(
        (
            {fields["id"]: STOCK.Task(**{"status": "PENDING", "time": NOW, **fields}) for fields in tasks},
            {fields["id"]: STOCK.Worker(**{"last_active": NOW, **fields}) for fields in workers},
            {} if batchers is None else batchers,
        ),
        protocol,
    )


@with_stock
def stock_unpickle(data):
    return pickle.loads(data, encoding="utf-8")


# -- moving over -------------------------------------------------------------------------------------------------------


class TestRealFiles(DirectoryTest):
    """Files of real stock schedulers, made by real Pythons."""

    def each(self):
        for name, (state, told) in STOCK_FILES.items():
            with self.subTest(name):
                self.path.write_bytes(unpacked(state))
                yield json.loads(unpacked(told))
            for file in self.directory.iterdir():
                file.unlink()

    def test_all_answers_are_stocks(self):
        for told in self.each():
            scheduler = take_over(self.path, told)
            scheduler.validate()
            self.assertEqual([], disagreements(scheduler, told))
            scheduler.close()

    def test_all_answers_are_stocks_after_an_export_and_another_import(self):
        for told in self.each():
            take_over(self.path, told).close()
            exported = self.directory / "exported"
            export_stock(str(self.path), str(exported))
            scheduler = take_over(exported, told)
            self.assertEqual([], disagreements(scheduler, told))
            scheduler.close()

    def test_every_field_of_every_task_arrives(self):
        renamed = {"responses": "scheduler_message_responses"}
        shapes = {
            "deps": set,
            "failures": list,
            "resources": dict,
            "resources_running": lambda held: None if held is None else dict(held),
            "stakeholders": set,
            "workers": list,
        }
        for told in self.each():
            tasks, workers, _ = stock_unpickle(self.path.read_bytes())
            agenda = take_over(self.path, told)._agenda
            self.assertEqual(list(tasks), list(agenda.tasks))
            self.assertEqual(list(workers), list(agenda.workers))
            for name in (name for name in TASK_FIELDS if name not in RENEWED):
                for task_id, task in agenda.tasks.items():
                    theirs = vars(tasks[task_id])
                    if isinstance(theirs["failures"], STOCK.Failures):
                        theirs = {**theirs, **vars(theirs["failures"])}
                    shape = shapes.get(name, lambda value: value)
                    with self.subTest(task_id, field=name):
                        self.assertEqual(shape(theirs.get(renamed.get(name, name))), shape(getattr(task, name)))

    def test_the_files_have_something_in_every_field(self):
        """Else the test above proves little."""
        for told in self.each():
            agenda = take_over(self.path, told)._agenda
            used = {name for name in TASK_FIELDS for task in agenda.tasks.values() if getattr(task, name)}
            self.assertEqual(set(TASK_FIELDS), used)

    def test_the_original_is_kept(self):
        for told in self.each():
            original = self.path.read_bytes()
            take_over(self.path, told).close()
            self.assertEqual(original, self.files()["state.pickle.stock"])
            self.assertNotEqual(original, self.path.read_bytes())

    def test_a_check_says_what_it_is_and_changes_nothing(self):
        for told in self.each():
            before, tasks = self.files(), len(told["said"][0][2])
            lines, usable = check_state(str(self.path))
            self.assertTrue(usable)
            self.assertEqual(f"{self.path}: a state of stock luigi, {tasks} tasks and 4 workers", lines[0])
            self.assertEqual(before, self.files(but="nothing"))

    def test_a_repair_leaves_it_to_the_next_start(self):
        for _ in self.each():
            before = self.files()
            self.assertEqual("nothing to repair", repair_state(str(self.path))[-1])
            self.assertEqual(before, self.files())

    def test_a_cut_file_is_refused(self):
        for _ in self.each():
            whole = self.path.read_bytes()
            for size in (*range(0, len(whole), 97), len(whole) - 1):
                self.refuse(whole[:size])

    def test_a_damaged_file_is_refused_or_read(self):
        """It has no checksum; but nothing else may happen."""
        random.seed(4)
        for _ in self.each():
            whole = self.path.read_bytes()
            for position in random.sample(range(len(whole)), 150):
                damaged = bytearray(whole)
                damaged[position] ^= 1 << random.randrange(8)
                self.path.write_bytes(damaged)
                with contextlib.suppress(StateError):
                    luigid.restored(read_stock(str(self.path)) or ()).validate()


class TestImport(DirectoryTest):
    def take_over(self, *tasks, workers=(), batchers=None, protocol=4, **settings):
        self.path.write_bytes(stock_pickle(tasks, workers, batchers, protocol))
        return self.restart(**settings)

    def test_all_protocols(self):
        task = {
            "id": "a",
            "workers": OrderedSet(["w2", "w1", "w3"]),
            "stakeholders": {"w1", "w2"},
            "deps": {"b"},
            "failures": collections.deque([1.5, 2.5]),
            "retry_policy": STOCK.RetryPolicy(1, 2, 3),
            "priority": 1 << 70,
            "runnable": True,
            "params": {"x": "é\n"},
        }
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with self.subTest(protocol=protocol):
                for file in self.directory.iterdir():
                    file.unlink()
                scheduler = self.take_over(task, workers=[{"id": f"w{n}"} for n in (1, 2, 3)], protocol=protocol)
                taken = scheduler._agenda.tasks["a"]
                self.assertEqual(("w2", "w1", "w3"), taken.workers)
                self.assertEqual({"w1", "w2"}, taken.stakeholders)
                self.assertEqual(("b",), taken.deps)
                self.assertEqual((1.5, 2.5), taken.failures)
                self.assertEqual((1, 2, 3), taken.retry_policy)
                self.assertEqual(1 << 70, taken.priority)
                self.assertIs(True, taken.runnable)
                self.assertEqual({"x": "é\n"}, taken.params)

    def test_what_a_file_does_not_say_has_its_default(self):
        taken = self.take_over({"id": "a", "status": FAILED})._agenda.tasks["a"]
        self.assertEqual((NOW, NOW), (taken.updated, taken.retry))
        self.assertEqual((999999999, 999999999, 3600), taken.retry_policy)
        for name in ("resources_running", "module", "tracking_url", "scheduler_disable_time", "accepts_messages"):
            self.assertIsNone(getattr(taken, name))

    def test_nulls_mean_the_default(self):
        given = dict.fromkeys(("priority", "params", "deps", "workers", "resources", "batchable", "failures", "family"))
        taken = self.take_over({"id": "a", **given})._agenda.tasks["a"]
        self.assertEqual((0, {}, (), (), (), False, (), ""), tuple(map(taken.__getattribute__, given)))

    def test_the_failures_of_old_luigis_arrive(self):
        failures = STOCK.Failures(window=5, failures=collections.deque([1.0, 2.0]), first_failure_time=0.5)
        taken = self.take_over({"id": "a", "failures": failures})._agenda.tasks["a"]
        self.assertEqual(((1.0, 2.0), 0.5), (taken.failures, taken.first_failure_time))

    def test_a_file_without_batchers(self):
        with with_stock:
            self.path.write_bytes(pickle.dumps(({}, {"w": STOCK.Worker(id="w")})))
        self.assertEqual(["w"], list(self.restart()._agenda.workers))

    def test_workers_that_are_gone_are_left_out(self):
        task = {"id": "a", "workers": OrderedSet(["gone", "w"]), "stakeholders": {"gone", "w"}}
        agenda = self.take_over(task, workers=[{"id": "w"}])._agenda
        self.assertEqual((("w",), {"w"}), (agenda.tasks["a"].workers, agenda.tasks["a"].stakeholders))
        self.assertEqual(["w"], list(agenda.workers))

    def test_the_run_of_a_worker_that_is_gone_fails(self):
        scheduler = self.take_over({"id": "a", "status": RUNNING, "worker_running": "gone", "resources": {"x": 1}})
        scheduler.prune()
        self.assertEqual(FAILED, scheduler._agenda.tasks["a"].status)

    def test_a_disabled_worker_runs_nothing(self):
        task = {"id": "a", "workers": OrderedSet(["w"]), "stakeholders": {"w"}}
        agenda = self.take_over(task, workers=[{"id": "w", "disabled": True}])._agenda
        self.assertEqual(((), {"w"}), (agenda.tasks["a"].workers, agenda.tasks["a"].stakeholders))

    def test_what_runs_nowhere_is_pending(self):
        scheduler = self.take_over({"id": "a", "status": RUNNING}, {"id": "b", "status": "SUSPENDED"})
        self.assertEqual({"a", "b"}, set(scheduler._agenda.by_status[PENDING]))

    def test_infinite_batches_arrive(self):
        agenda = self.take_over(workers=[{"id": "w"}], batchers={"w": {"F": (["x"], float("inf"))}})._agenda
        self.assertEqual({"w": {"F": (("x",), luigid.LARGEST)}}, agenda.batchers)

    def test_resources_are_those_of_the_configuration(self):
        self.assertEqual({"disk": 3}, self.take_over({"id": "a"}, resources={"disk": 3})._agenda.totals)

    def test_it_is_imported_once(self):
        self.take_over({"id": "a"}).add_task(worker="w", task_id="b")
        self.assertEqual(["a", "b"], list(self.restart_another()._agenda.tasks))
        self.assertNotIn("state.pickle.stock.1", self.files())

    def restart_another(self):
        """As after a kill: the first one is not closed, its lock alone is given up."""
        with mock.patch.object(luigid.StateLock, "take", lambda lock: None):
            return self.restart()

    def test_an_older_original_is_not_overwritten(self):
        for name in ("state.pickle.stock", "state.pickle.stock.1"):
            (self.directory / name).write_bytes(b"older")
        self.take_over({"id": "a"})
        files = self.files()
        self.assertEqual([b"older"] * 2, [files["state.pickle.stock"], files["state.pickle.stock.1"]])
        self.assertEqual(stock_pickle([{"id": "a"}]), files["state.pickle.stock.2"])

    def test_a_file_system_without_links(self):
        with mock.patch.object(os, "link", side_effect=OSError(errno.EPERM, "no links")):
            self.take_over({"id": "a"})
        self.assertEqual(stock_pickle([{"id": "a"}]), self.files()["state.pickle.stock"])

    def test_a_state_path_that_is_a_symbolic_link(self):
        target = self.directory / "elsewhere"
        target.write_bytes(stock_pickle([{"id": "a"}]))
        self.path.symlink_to(target)
        self.assertEqual(["a"], list(self.restart()._agenda.tasks))
        self.assertEqual(stock_pickle([{"id": "a"}]), self.files()["state.pickle.stock"])

    def test_journals_of_another_state_are_not_guessed_at(self):
        scheduler = self.restart()
        scheduler.add_task(worker="w", task_id="ours")
        scheduler.close()
        data = stock_pickle([{"id": "theirs"}])
        self.path.write_bytes(data)
        before = self.files()
        with self.assertRaisesRegex(StateError, r"state\.pickle\.journal\.0 beside it belongs to another state"):
            self.restart()
        self.assertEqual(before, self.files())
        lines, usable = check_state(str(self.path))
        self.assertFalse(usable)
        self.assertIn(f"{self.path}.journal.0 beside it is of another state", lines)

    def test_empty_journals_do_not_matter(self):
        for _ in range(2):
            self.restart().close()
        self.assertEqual(["theirs"], list(self.take_over({"id": "theirs"})._agenda.tasks))

    def test_what_makes_no_sense_is_refused_by_name(self):
        cases = {
            "the task 'a' has 'high' as its priority": {"priority": "high"},
            "the task 'a' has {'x': -1} as its resources": {"resources": {"x": -1}},
            "the task 'a' has 'BROKEN' as its status": {"status": "BROKEN"},
            "the task 'a' has nan as its time": {"time": float("nan")},
            "the task 'a' has (1, 2) as its retry_policy": {"retry_policy": (1, 2)},
            "the task 'a' has ['x'] as its params": {"params": ["x"]},
            "the task 'a' has [1] as its deps": {"deps": {1}},
            "the task 'a' has '1' as its failures": {"failures": "1"},
            "it has 'f' in place of a Failures": None,
        }
        for said, fields in cases.items():
            if fields is not None:
                with self.subTest(said):
                    self.assertIn(said, self.refuse(stock_pickle([{"id": "a", **fields}])))
        self.assertIn("the worker 'w' has", self.refuse(stock_pickle(workers=[{"id": "w", "info": ["x"]}])))
        self.assertIn("the task '' has '' as its id", self.refuse(stock_pickle([{"id": ""}])))

    def test_other_pickles_are_refused(self):
        for value in (None, 1, "x", [], {}, (), ({}, {}, {}, {}), ([], []), ({"a": {}}, {}), ({}, {"w": 1}, {})):
            with self.subTest(value=value):
                self.assertIn("is no state of luigid, and none of stock luigi", self.refuse(pickle.dumps(value)))

    def test_other_files_are_refused(self):
        for data in (b"", b"\0" * 100, b"hello\n", b"{}", b"\x80", b".", b"\x80\x04", os.urandom(500)):
            with self.subTest(data=data):
                self.assertIn("is no state of luigid, and none of stock luigi", self.refuse(data))


class Killed(BaseException):
    """Nothing in the program may catch it."""


class Killer:
    """Stands in for the module `os`: dies at the step with a number, and at all after it, as a killed process does."""

    STEPS = ("link", "open", "write", "fsync", "replace", "unlink", "ftruncate")

    def __init__(self, step):
        self.left = step

    def __getattr__(self, name):
        function = getattr(os, name)
        return functools_partial(self._step, function) if name in self.STEPS else function

    def _step(self, function, *arguments, **options):
        self.left -= 1
        if self.left < 0:
            raise Killed
        return function(*arguments, **options)


def functools_partial(function, *arguments):
    return lambda *more, **options: function(*arguments, *more, **options)
