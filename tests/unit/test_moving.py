"""Moving over from stock luigi and back, checks, and repairs: everything arrives, nothing is run, nothing is lost."""

import collections
import contextlib
import errno
import functools
import io
import itertools
import json
import logging
import os
import pickle
import random
import subprocess
import sys
import tempfile
import threading
import types
import unittest
from pathlib import Path
from unittest import mock

import luigid
from luigid import (
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
from tests.unit.stock_files import STOCK_FILES, disagreements, take_over, unpacked

NOW = 1600000000.0

#: where files are made, synced and removed fastest
FAST = "/dev/shm" if os.path.isdir("/dev/shm") else None

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
        directory = tempfile.TemporaryDirectory(dir=FAST)
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.path = self.directory / "state.pickle"
        logging.getLogger("luigid").setLevel(logging.CRITICAL)
        self.addCleanup(logging.getLogger("luigid").setLevel, logging.NOTSET)

    def restart(self, **settings):
        scheduler = restart(self.path, **settings)
        self.addCleanup(scheduler.close)
        return scheduler

    def files(self, but=(".lock", ".tmp")):
        """Name -> bytes of all files that are of use."""
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
        """Yield the name of each file, with the file in place; its answers are `told`."""
        for name, (state, told) in STOCK_FILES.items():
            for file in self.directory.iterdir():
                file.unlink()
            self.path.write_bytes(unpacked(state))
            self.told = json.loads(unpacked(told))
            yield name

    def take_over(self):
        return take_over(self.path, self.told)

    def test_all_answers_are_stocks(self):
        for name in self.each():
            with self.subTest(name), contextlib.closing(self.take_over()) as scheduler:
                scheduler.validate()
                self.assertEqual([], disagreements(scheduler, self.told))

    def test_all_answers_are_stocks_after_an_export_and_another_import(self):
        for name in self.each():
            self.take_over().close()
            exported = self.directory / "exported"
            export_stock(str(self.path), str(exported))
            with self.subTest(name), contextlib.closing(take_over(exported, self.told)) as scheduler:
                self.assertEqual([], disagreements(scheduler, self.told))

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
        for name in self.each():
            tasks, workers, _ = stock_unpickle(self.path.read_bytes())
            with contextlib.closing(self.take_over()) as scheduler:
                agenda = scheduler._agenda
            self.assertEqual(list(tasks), list(agenda.tasks))
            self.assertEqual(list(workers), list(agenda.workers))
            for field, task_id in itertools.product(set(TASK_FIELDS).difference(RENEWED), tasks):
                theirs = vars(tasks[task_id])
                if isinstance(theirs["failures"], STOCK.Failures):
                    theirs = {**theirs, **vars(theirs["failures"])}
                shape = shapes.get(field, lambda value: value)
                with self.subTest(name, task=task_id, field=field):
                    ours = getattr(agenda.tasks[task_id], field)
                    self.assertEqual(shape(theirs.get(renamed.get(field, field))), shape(ours))

    def test_the_files_have_something_in_every_field(self):
        """Else the test above proves little."""
        for name in self.each():
            with self.subTest(name), contextlib.closing(self.take_over()) as scheduler:
                tasks = scheduler._agenda.tasks.values()
                self.assertEqual(set(), {field for field in TASK_FIELDS if not any(getattr(t, field) for t in tasks)})

    def test_the_original_is_kept(self):
        for name in self.each():
            original = self.path.read_bytes()
            self.take_over().close()
            with self.subTest(name):
                self.assertEqual(original, self.files()["state.pickle.stock"])
                self.assertNotEqual(original, self.path.read_bytes())

    def test_a_check_says_what_it_is_and_changes_nothing(self):
        for name in self.each():
            before, tasks = self.files(), len(self.told["said"][0][2])
            with self.subTest(name):
                lines, usable = check_state(str(self.path))
                self.assertTrue(usable)
                self.assertEqual(f"{self.path}: a state of stock luigi, {tasks} tasks and 4 workers", lines[0])
                self.assertEqual(before, self.files(but="nothing"))

    def test_a_repair_leaves_it_to_the_next_start(self):
        for name in self.each():
            before = self.files()
            with self.subTest(name):
                self.assertEqual("nothing to repair", repair_state(str(self.path))[0][-1])
                self.assertEqual(before, self.files())

    def test_a_cut_file_is_refused(self):
        for name in self.each():
            whole = self.path.read_bytes()
            for size in (*range(0, len(whole), 97), len(whole) - 1):
                with self.subTest(name, size=size):
                    self.refuse(whole[:size])

    def test_a_damaged_file_is_refused_or_read(self):
        """It has no checksum; but nothing else may happen."""
        rng = random.Random(4)
        for name in self.each():
            whole = self.path.read_bytes()
            for position in rng.sample(range(len(whole)), 150):
                damaged = bytearray(whole)
                damaged[position] ^= 1 << rng.randrange(8)
                self.path.write_bytes(damaged)
                with self.subTest(name, position=position), contextlib.suppress(StateError):
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

    def test_what_stock_showed_stays_visible(self):
        """It looks at visibilities when parameters are set; those that come later it keeps, but they hide nothing."""
        later = {"params": {"x": "1", "y": "2"}, "param_visibilities": {"x": 1}, "public_params": {"x": "1", "y": "2"}}
        task = self.take_over({"id": "a", **later})._agenda.tasks["a"]
        self.assertEqual({"x": "1", "y": "2"}, task.public_params())

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
        lines, usable = repair_state(str(self.path))
        self.assertFalse(usable)
        self.assertEqual("which of these is wanted, no repair can tell", lines[-1])
        self.assertEqual(before, self.files())

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
        return functools.partial(self._step, function) if name in self.STEPS else function

    def _step(self, function, *arguments, **options):
        self.left -= 1
        if self.left < 0:
            raise Killed
        return function(*arguments, **options)


class KilledTest(DirectoryTest):
    def kill_at_each_step(self, prepare, work, check):
        """Do some work again and again, killed one step later each time, and look at what is left after each kill."""
        for step in itertools.count():
            for file in self.directory.iterdir():
                file.unlink()
            prepare()
            try:
                with mock.patch.object(luigid, "os", Killer(step)):
                    work()
            except Killed:
                with self.subTest(killed_before_step=step):
                    check()
            else:
                self.assertGreater(step, 5)
                return


class TestKilledImport(KilledTest):
    def test_nothing_is_lost_and_the_original_is_kept_once(self):
        original = stock_pickle([{"id": "a", "expl": "x"}], [{"id": "w"}])

        def check():
            self.assertIn(original, (self.path.read_bytes(), self.files().get("state.pickle.stock")))
            with contextlib.closing(restart(self.path)) as scheduler:
                self.assertEqual(["a"], list(scheduler._agenda.tasks))
            kept = {name: data for name, data in self.files().items() if ".stock" in name}
            self.assertEqual({"state.pickle.stock": original}, kept)

        self.kill_at_each_step(
            lambda: self.path.write_bytes(original), lambda: luigid.adopt_stock(str(self.path)), check
        )

    def test_the_second_name_is_on_disk_before_the_first_is_given_away(self):
        """A power cut may keep a later change of a directory and lose an earlier one that was not synced."""
        done = []
        self.path.write_bytes(stock_pickle([{"id": "a"}]))
        noted = {name: mock.Mock(side_effect=lambda *_, name=name: done.append(name)) for name in ("link", "replace")}
        with (
            mock.patch.multiple(os, **noted),
            mock.patch.object(luigid, "sync_directory", lambda path: done.append("sync")),
        ):
            luigid.adopt_stock(str(self.path))
        self.assertEqual(["link", "sync", "replace", "sync"], done)

    def test_a_disk_that_is_full_leaves_it_as_it_was(self):
        self.path.write_bytes(stock_pickle([{"id": "a"}]))
        for name in ("open", "write", "fsync", "replace"):
            full = mock.Mock(side_effect=OSError(errno.ENOSPC, "No space left on device"))
            with self.subTest(name), mock.patch.object(os, name, full), self.assertRaises(OSError):
                luigid.adopt_stock(str(self.path))
            self.assertEqual(stock_pickle([{"id": "a"}]), self.path.read_bytes())
        self.assertEqual(["a"], list(self.restart()._agenda.tasks))


class TestAttacks(unittest.TestCase):
    """See tests/unit/attacks.py; it takes a process of its own to limit the memory."""

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as directory:
            command = [sys.executable, "-m", "tests.unit.attacks", directory]
            root = Path(__file__).parents[2]
            done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=100, check=False)
        cls.said, cls.errors = dict(map(json.loads, done.stdout.splitlines())), done.stderr

    def test_all_are_refused_and_nothing_is_run_or_changed(self):
        self.assertEqual("", self.errors)
        self.assertGreater(len(self.said), 80)
        for name, said in self.said.items():
            with self.subTest(name):
                self.assertRegex(
                    said, "^.* is no state of luigid, and none of stock luigi either: .*[.] Nothing of it was run"
                )

    def test_what_was_found_is_named(self):
        found = {
            "REDUCE in protocol 0": "it refers to posix.system.",
            "REDUCE in a field": "it refers to posix.system.",
            "NEWOBJ": "it refers to subprocess.Popen.",
            "getattr chain": "it refers to builtins.getattr.",
            "dotted STACK_GLOBAL": "it refers to luigi.scheduler.os.system.",
            "BUILD with __setstate__": "it refers to os.system.",
            "BUILD of a dictionary": "it sets the state of {}.",
            "call of a text": "it calls 'os.system'.",
            "INST": "it uses INST.",
            "EXT4": "it uses EXT4.",
            "BINPERSID": "it uses BINPERSID.",
            "an opcode that is none": "it uses the byte 0xff as an opcode.",
            "a memo index of 2 ** 31": "it has 'x' in place of tasks and workers.",
            "a number of a million digits": "it has a number of 1000000 digits.",
            "lists that double": "it has values that hold one another without end.",
        }
        for name, words in found.items():
            with self.subTest(name):
                self.assertIn(words, self.said[name])


# -- and back ----------------------------------------------------------------------------------------------------------


class TestExport(DirectoryTest):
    def setUp(self):
        super().setUp()
        self.exported = self.directory / "exported"

    def export(self):
        self.exported.unlink(missing_ok=True)
        return export_stock(str(self.path), str(self.exported))

    def fill(self, tasks=200, seed=1):
        """A scheduler with a state of many shapes, some of it in the journal."""
        rng = random.Random(seed)
        scheduler = self.restart(retry_count=3, resources={"disk": 50})
        texts = [text for text in HOSTILE if text]
        for number in range(tasks):
            worker, task_id = rng.choice(["w1", "w2", rng.choice(texts)]), f"{rng.choice(texts)}_{number}"
            names = rng.sample(HOSTILE, 3)
            scheduler.add_task(
                worker=worker,
                task_id=task_id,
                status=rng.choice(["PENDING", "PENDING", "DONE", "FAILED", "DISABLED"]),
                family=rng.choice(HOSTILE),
                module=rng.choice([None, *HOSTILE]),
                params={name: rng.choice(HOSTILE) for name in names},
                param_visibilities={names[0]: rng.randrange(3)},
                deps=rng.sample(list(scheduler._agenda.tasks), min(number, rng.randrange(4))),
                priority=rng.choice([0, 1, -0.5, 1 << 62]),
                resources=rng.choice([{}, {"disk": 1}, {"tape": 0.5, "disk": 0}]),
                expl=rng.choice([None, *HOSTILE, {"x": [1, None, True]}]),
                batchable=rng.choice([None, True]),
                retry_policy_dict=rng.choice([{}, {"retry_count": 1}]),
            )
            if number % 5 == 0:
                given = scheduler.get_work(worker=worker, host=rng.choice(HOSTILE), current_tasks=[])
                scheduler.set_task_status_message(task_id=given["task_id"] or "", status_message=rng.choice(HOSTILE))
            if number == tasks // 2:
                scheduler.dump()
        scheduler.add_worker(worker="w1", info={"workers": 2, "x": {"y": [*HOSTILE]}})
        scheduler.add_task_batcher(worker="w1", task_family="F", batched_args=["x"])
        scheduler.set_worker_processes(worker="w2", n=3)
        scheduler.disable_worker(worker="w3")
        return scheduler

    def test_what_is_exported_and_imported_is_what_it_was(self):
        scheduler = self.fill()
        scheduler.dump()  # who asked from where, and when, is in snapshots alone
        before = state_of(scheduler)
        self.export()
        again = restart(self.exported, retry_count=3)
        self.assertEqual(before, state_of(again))
        again.close()

    def test_it_is_what_stock_would_have_saved(self):
        scheduler = self.fill(tasks=60)
        scheduler.dump()
        agenda = scheduler._agenda
        self.export()
        tasks, workers, batchers = stock_unpickle(self.exported.read_bytes())
        self.assertEqual(list(agenda.tasks), list(tasks))
        self.assertEqual(list(agenda.workers), list(workers))
        self.assertEqual({"w1": {"F": (["x"], luigid.LARGEST)}}, batchers)
        for task in agenda.tasks.values():
            theirs = vars(tasks[task.id])
            self.assertEqual(set, type(theirs["deps"]))
            self.assertEqual(collections.deque, type(theirs["failures"]))
            self.assertEqual(STOCK.RetryPolicy, type(theirs["retry_policy"]))
            self.assertEqual(task.workers, tuple(theirs["workers"]))
            self.assertEqual(task.resources_running is not None, "resources_running" in theirs)
            for visibility, name in ((0, "public_params"), (1, "hidden_params")):
                seen = {key for key in task.params if task.param_visibilities.get(key, 0) == visibility}
                self.assertEqual(seen, set(theirs[name]))
        for worker in agenda.workers.values():
            theirs = vars(workers[worker.id])
            self.assertEqual(
                {task.id for task in worker.tasks if worker.id in task.workers}, {t.id for t in theirs["tasks"]}
            )
            self.assertTrue(all(task is tasks[task.id] for task in theirs["tasks"]))
            self.assertEqual(worker.host, (theirs["reference"] or {}).get("host"))

    def test_it_tells_what_it_did(self):
        told = self.restart_with("a", "b")
        does = "stock luigid starts unpaused, with the resources of its configuration"
        self.assertEqual(f"2 tasks and 1 workers are in {self.exported}; {does}", told)

    def restart_with(self, *task_ids):
        scheduler = self.restart()
        for task_id in task_ids:
            scheduler.add_task(worker="w", task_id=task_id)
        return self.export()

    def test_workers_are_given_time_to_come_back(self):
        scheduler = self.restart()
        scheduler.add_task(worker="w", task_id="a")
        with mock.patch.object(luigid.time, "time", lambda: NOW + 999):
            self.export()
        _, workers, _ = stock_unpickle(self.exported.read_bytes())
        self.assertEqual(NOW + 999, workers["w"].last_active)

    def test_the_state_is_left_alone(self):
        self.fill(tasks=20)
        before = self.files(but="nothing")
        self.export()
        after = self.files(but="nothing")
        del after["exported"]
        self.assertEqual(before, after)

    def test_what_is_there_is_not_overwritten(self):
        self.restart_with("a")
        before = self.files()
        for target in (self.exported, self.path):
            with self.assertRaisesRegex(StateError, "is taken"):
                export_stock(str(self.path), str(target))
        self.assertEqual(before, self.files())

    def test_no_state_is_exported_from_nothing(self):
        with self.assertRaisesRegex(StateError, "there is no state in"):
            self.export()
        self.path.write_bytes(stock_pickle())
        with self.assertRaisesRegex(StateError, "is a state of stock luigi as it is"):
            self.export()
        self.assertFalse(self.exported.exists())

    def test_a_damaged_state_is_not_exported(self):
        self.restart_with("a")
        journal = self.directory / "state.pickle.journal.0"
        journal.write_bytes(journal.read_bytes() * 2)
        with self.assertRaises(StateError):
            self.export()

    def test_it_is_one_moment_of_a_state_that_is_being_written(self):
        """Each call adds a task, and folds happen meanwhile: tasks 0 to n, or something was read out of time."""
        scheduler = self.restart()

        def write():
            for number in range(300):
                scheduler.add_task(worker="w", task_id=str(number))
                if number % 60 == 0:
                    scheduler.dump()

        scheduler.add_task(worker="w", task_id="first")
        writer = threading.Thread(target=write)
        writer.start()
        while writer.is_alive():
            with mock.patch.object(luigid, "STEADY_ATTEMPTS", 1000):
                self.export()
            tasks, _, _ = stock_unpickle(self.exported.read_bytes())
            self.assertEqual(["first", *map(str, range(len(tasks) - 1))], list(tasks))
        writer.join()


class TestSteadyReads(DirectoryTest):
    def setUp(self):
        super().setUp()
        self.scheduler = self.restart()
        self.add("a")

    def add(self, task_id):
        self.scheduler.add_task(worker="w", task_id=task_id)

    def read(self, *disturbances):
        """What is read when each of these comes between the two looks at it, and how often it was read."""
        left = list(disturbances)

        def read(path):
            agenda = luigid.read_agenda(path)
            if left:
                left.pop(0)()
            return list(agenda.tasks)

        return luigid.read_steady(str(self.path), read), len(disturbances) - len(left)

    def test_what_is_added_meanwhile_does_not_matter(self):
        self.assertEqual((["a"], 1), self.read(lambda: self.add("b")))

    def test_after_a_fold_it_is_read_again(self):
        self.assertEqual((["a", "b"], 2), self.read(lambda: (self.add("b"), self.scheduler.dump()), lambda: None))

    def test_after_a_change_of_journals_it_is_read_again(self):
        """Between two looks a journal grows, after it was read, and the next one takes over: b must not be missing."""
        second, header = Path(f"{self.path}.journal.1"), luigid.frame(luigid.dump_plain(luigid.make_header(1)))
        second.write_bytes(header)

        def go_on():
            self.add("b")
            second.write_bytes(header + self.record("c"))

        self.assertEqual((["a", "b", "c"], 2), self.read(go_on, lambda: None))

    def record(self, task_id):
        task = luigid.Task(task_id, 9, PENDING, NOW, (1, 1, 1))
        return luigid.frame(luigid.dump_plain([("task", luigid.task_fields(task))]))

    def test_a_file_that_vanishes_is_no_failure(self):
        self.scheduler.dump()
        self.add("b")

        def vanish(path):
            if len(luigid.journals(path)) == 1 and not self.folded:
                self.folded = True
                self.scheduler.dump()
                raise FileNotFoundError(errno.ENOENT, "gone", path)
            return list(luigid.read_agenda(path).tasks)

        self.folded = False
        self.assertEqual(["a", "b"], luigid.read_steady(str(self.path), vanish))

    def test_damage_that_stays_is_told(self):
        def read(path):
            raise StateError("damaged")

        with self.assertRaisesRegex(StateError, "damaged"):
            luigid.read_steady(str(self.path), read)

    def test_it_gives_up(self):
        with self.assertRaisesRegex(StateError, "is being changed faster than it can be read"):
            self.read(*[self.scheduler.dump] * luigid.STEADY_ATTEMPTS)

    def test_a_directory_that_is_not_there(self):
        with self.assertRaises(FileNotFoundError):
            check_state(str(self.directory / "none" / "state"))


# -- check and repair --------------------------------------------------------------------------------------------------


class StateTest(DirectoryTest):
    """Has a state of a snapshot and several journals, in a directory, and says what each of them is for."""

    def make(self, journals=2, calls=6, snapshot=True):
        """Tasks s0, s1 ... in the snapshot, 1.0, 1.1 ... in the first journal behind it, and so on."""
        if snapshot:
            scheduler = restart(self.path)
            for number in range(calls):
                scheduler.add_task(worker="w", task_id=f"s{number}", expl="x" * 50, resources={"r": 1})
            scheduler.add_task_batcher(worker="w", task_family="F", batched_args=["x"])
            scheduler.update_resource(resource="r", amount=3)
            scheduler.dump()
            scheduler.close()
            for file in luigid.journals(str(self.path)).values():
                os.unlink(file)
        for journal in range(1, journals + 1):
            scheduler = restart(self.path)
            for number in range(calls):
                scheduler.add_task(worker="w", task_id=f"{journal}.{number}", expl="y" * 50)
            scheduler.close()

    def journal(self, number):
        """The file of the first, second ... journal with calls in it."""
        files = luigid.journals(str(self.path)).values()
        return Path([file for file in files if luigid.has_records(file)][number - 1])

    def damage(self, path, position, byte=None):
        data = bytearray(path.read_bytes())
        data[position] = data[position] ^ 0x10 if byte is None else byte
        path.write_bytes(data)

    def check(self):
        """What a check tells, without the directory; it must not change anything, not even the time of a file."""

        def everything():
            return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in self.directory.iterdir()}

        before = everything()
        lines, usable = check_state(str(self.path))
        self.assertEqual(before, everything())
        return [line.replace(f"{self.path}", "*") for line in lines], usable

    def repair(self):
        """Repair; all that was there must still be there. Return the ids of the tasks of the state that is made."""
        before = self.files()
        lines, usable = repair_state(str(self.path))
        self.assertTrue(usable)
        self.told = [line.replace(f"{self.path}", "*") for line in lines]
        after = self.files()
        for name, data in before.items():
            kept = [other for other in after if other == name or other.startswith(f"{name}.damaged-")]
            self.assertTrue(any(after[other] == data for other in kept), name)
        self.assertTrue(self.check()[1])
        with contextlib.closing(restart(self.path)) as scheduler:
            return list(scheduler._agenda.tasks)

    def refused(self):
        with self.assertRaises(StateError) as caught:
            restart(self.path)
        return str(caught.exception)


def tasks_of(*journals, calls=6):
    return [f"{journal}{number}" for journal in journals for number in range(calls)]


class TestSoundStates(StateTest):
    def test_nothing(self):
        self.assertEqual((["there is no state in *"], True), self.check())
        self.assertEqual([], self.repair())
        self.assertEqual(["there is no state in *", "nothing to repair"], self.told)

    def test_a_snapshot_and_journals(self):
        self.make()
        lines, usable = self.check()
        self.assertTrue(usable)
        snapshot, *journals, total = lines
        self.assertRegex(snapshot, r"^\*: snapshot, \d+ bytes, 11 changes$")
        self.assertRegex(journals[0], r"^\*\.journal\.1: journal, \d+ bytes, 6 records$")
        self.assertRegex(journals[1], r"^\*\.journal\.2: journal, \d+ bytes, 6 records$")
        self.assertEqual("in all 18 tasks and 1 workers", total)
        before = self.files()
        self.assertEqual("nothing to repair", repair_state(str(self.path))[0][-1])
        self.assertEqual(before, self.files())

    def test_a_snapshot_without_its_journals(self):
        """As from a backup: what is added to it must not be taken for older than it."""
        self.make()
        with contextlib.closing(restart(self.path)) as scheduler:
            self.assertEqual(tasks_of("s", "1.", "2."), list(scheduler._agenda.tasks))

    def test_journals_alone(self):
        self.make(snapshot=False)
        lines, usable = self.check()
        self.assertEqual(("*: not written yet", "in all 12 tasks and 1 workers", True), (lines[0], lines[-1], usable))

    def test_one_that_is_in_use(self):
        with contextlib.closing(restart(self.path)) as scheduler:
            scheduler.add_task(worker="w", task_id="a")
            self.assertEqual("in all 1 tasks and 1 workers", self.check()[0][-1])
            with self.assertRaisesRegex(StateError, "in use: pid .* stop that one before a repair"):
                repair_state(str(self.path))
            scheduler.add_task(worker="w", task_id="b")
        self.assertEqual("in all 2 tasks and 1 workers", self.check()[0][-1])

    def test_a_journal_that_a_snapshot_has_superseded(self):
        self.make(journals=1)
        path, data = self.journal(1), self.journal(1).read_bytes()
        with contextlib.closing(restart(self.path)) as scheduler:
            scheduler.dump()
        path.write_bytes(data)
        lines, usable = self.check()
        self.assertIn("*.journal.1: superseded by the snapshot", lines)
        self.assertEqual(("in all 12 tasks and 1 workers", True), (lines[-1], usable))

    def test_a_torn_end(self):
        self.make()
        size = self.journal(2).stat().st_size - 7
        os.truncate(self.journal(2), size)
        lines, usable = self.check()
        self.assertTrue(usable)
        self.assertRegex(
            lines[2],
            r"5 records, and at byte \d+ \d+ bytes of one that was never finished, which the next start drops$",
        )
        self.assertEqual("in all 17 tasks and 1 workers", lines[-1])
        self.assertEqual("nothing to repair", repair_state(str(self.path))[0][-1])
        self.assertEqual(size, self.journal(2).stat().st_size)


class TestDamagedJournals(StateTest):
    def test_what_comes_before_the_damage_is_kept(self):
        self.make()
        records = self.offsets(self.journal(1))
        for number, offset in enumerate(records[1:-1]):
            with self.subTest(record=number):
                for file in self.directory.iterdir():
                    file.unlink()
                self.make()
                self.damage(self.journal(1), offset + 20)
                self.assertIn(f"is damaged at byte {offset}", self.refused())
                lines, usable = self.check()
                self.assertFalse(usable)
                self.assertRegex(
                    lines[1],
                    rf"^\*\.journal\.1: journal, \d+ bytes, {number} records, damaged at byte {offset}: a record does "
                    rf"not match its checksum; {5 - number} sound records follow$",
                )
                self.assertRegex(
                    lines[2],
                    r"^\*\.journal\.2: journal, \d+ bytes, 6 sound records, but behind what is damaged or missing$",
                )
                self.assertEqual(f"in all {6 + number} tasks and 1 workers", lines[3])
                self.assertEqual("luigid does not start with it; --repair-state keeps what is counted here", lines[4])
                self.assertEqual([*tasks_of("s"), *tasks_of("1.")[:number]], self.repair())
                self.assertEqual(lines[:4], self.told[:4])
                kept = {"*.damaged-1", "*.journal.1.damaged-1", "*.journal.2.damaged-1"}
                self.assertLessEqual(kept, set(self.told))

    def offsets(self, path):
        data, offsets = path.read_bytes(), []
        while (offset := data.find(MARK, offsets[-1] + 1 if offsets else 0)) >= 0:
            offsets.append(offset)
        return offsets

    def test_a_torn_journal_that_others_follow(self):
        self.make()
        os.truncate(self.journal(1), self.journal(1).stat().st_size - 3)
        self.assertIn("is damaged", self.refused())
        self.assertEqual([*tasks_of("s"), *tasks_of("1.")[:5]], self.repair())

    def test_a_header_that_is_damaged(self):
        self.make()
        self.damage(self.journal(1), 30)
        self.assertEqual(tasks_of("s"), self.repair())

    def test_a_journal_that_is_missing(self):
        self.make(journals=3)
        self.journal(2).unlink()
        lines, usable = self.check()
        self.assertFalse(usable)
        self.assertEqual("*.journal.2: missing", lines[2])
        self.assertIn("6 sound records, but behind", lines[3])
        self.assertEqual([*tasks_of("s"), *tasks_of("1.")], self.repair())

    def test_resources_and_batchers_survive_a_repair(self):
        self.make()
        self.damage(self.journal(2), 700)
        self.repair()
        with contextlib.closing(restart(self.path)) as scheduler:
            self.assertEqual({"r": 3}, scheduler._agenda.totals)
            self.assertEqual({"w": {"F": (("x",), luigid.LARGEST)}}, scheduler._agenda.batchers)

    def test_a_second_repair_overwrites_nothing_of_the_first(self):
        self.make()
        for number in range(1, 4):
            self.damage(self.path, 700 + number)
            self.repair()
            self.assertIn(f"state.pickle.damaged-{number}", self.files())


class TestDamagedSnapshots(StateTest):
    def setUp(self):
        super().setUp()
        with mock.patch.object(luigid, "SLICE", 2):
            self.make(journals=1)
        self.whole = self.files()

    def restore(self, snapshot):
        for file in self.directory.iterdir():
            file.unlink()
        for name, data in self.whole.items():
            (self.directory / name).write_bytes(data)
        self.path.write_bytes(snapshot)

    def test_any_byte(self):
        """Whatever is damaged, what is made loads, and at most the tasks of one part of the snapshot are missing."""
        snapshot, everything, lost, changed = self.path.read_bytes(), set(tasks_of("s", "1.")), 0, 0
        for position in (snapshot.index(b"\x02s1") + 2, *range(0, len(snapshot), 13)):
            self.restore(snapshot)
            self.damage(self.path, position)
            with self.subTest(position=position):
                self.assertIn("is damaged at byte 0", self.refused())
                tasks = set(self.repair())
                lost += len(everything - tasks)
                changed += len(tasks - everything)
                self.assertLessEqual(len(everything - tasks), 2)
                self.assertLessEqual(set(tasks_of("1.")), tasks)
                self.assertRegex(
                    self.told[0],
                    r"^\*: snapshot, \d+ bytes, damaged: it does not match its checksum; \d tasks in it can",
                )
        self.assertGreater(lost, 10)
        self.assertGreater(changed, 0)

    def test_a_snapshot_cut_anywhere(self):
        snapshot = self.path.read_bytes()
        for size in (*range(0, len(snapshot), 150), len(snapshot) - 1):
            self.restore(snapshot[:size])
            with self.subTest(size=size):
                self.refused()
                self.assertLessEqual(set(tasks_of("1.")), set(self.repair()))

    def test_how_much_is_lost_is_told(self):
        self.damage(self.path, self.path.read_bytes().index(b"s3") + 2, 0xFF)
        line = self.check()[0][0]
        self.assertRegex(
            line,
            "; 4 tasks in it can be read, though nothing vouches for them; 0 tasks or other changes make no sense, ",
        )
        self.assertGreater(int(line.split()[-4]), 100)

    def test_a_version_that_makes_no_sense_hides_nothing(self):
        for version in (1, "1.0", None, (1,), (1, "0")):
            with self.subTest(version=version):
                header = luigid.dump_plain({"format": luigid.STATE_FORMAT, "version": version})
                self.path.write_bytes(header + b"x" * 30)
                lines, usable = self.check()
                self.assertFalse(usable)
                self.assertIn("0 tasks in it can be read", lines[0])

    def test_values_that_make_no_sense_are_left_out(self):
        self.path.write_bytes(self.path.read_bytes().replace(b"PENDING", b"PENDINH", 1))
        self.assertIn("; 2 tasks or other changes make no sense, 0 bytes are lost", self.check()[0][0])
        self.assertEqual(10, len(self.repair()))

    def test_a_missing_snapshot(self):
        self.path.unlink()
        self.journal(1).rename(self.directory / "state.pickle.journal.7")
        self.assertIn("state.pickle is missing", self.refused())
        self.assertEqual("*: missing", self.check()[0][0])
        self.assertEqual(tasks_of("1."), self.repair())

    def test_a_later_version_is_left_alone(self):
        with mock.patch.object(luigid, "STATE_VERSION", (9, 0)), contextlib.closing(restart(self.path)) as scheduler:
            scheduler.dump()
        for position in (None, 500):
            if position:
                self.damage(self.path, position)
            before = self.files()
            for examine in (check_state, repair_state):
                with (
                    self.subTest(position=position),
                    self.assertRaisesRegex(StateError, "in version 9.0 of the format"),
                ):
                    examine(str(self.path))
            self.assertEqual(before, self.files())

    def test_an_earlier_version_that_had_fewer_fields(self):
        def without_responses(generation):
            header = make_header(generation)
            return {**header, "version": (0, 9), "task_fields": header["task_fields"][:-1]}

        make_header = luigid.make_header
        for file in self.directory.iterdir():
            file.unlink()
        with mock.patch.object(luigid, "make_header", without_responses), mock.patch.object(luigid, "SLICE", 2):
            self.make(journals=2)
        self.damage(self.path, self.path.read_bytes().index(b"xxxx"))
        self.assertEqual(tasks_of("s", "1.", "2."), self.repair())


class TestForeignFiles(StateTest):
    def test_they_are_named_and_left_alone(self):
        for data in (b"", b"hello", pickle.dumps(({}, 1)), pickle.dumps(os.system)):
            self.path.write_bytes(data)
            for examine in (check_state, repair_state):
                with (
                    self.subTest(data=data),
                    self.assertRaisesRegex(StateError, "is no state of luigid, and none of stock"),
                ):
                    examine(str(self.path))
            self.assertEqual({"state.pickle": data}, self.files())


class TestKilledRepair(KilledTest, StateTest):
    def test_nothing_is_lost(self):
        self.make()
        self.damage(self.journal(1), 900)
        damaged = self.files()

        def prepare():
            for name, data in damaged.items():
                (self.directory / name).write_bytes(data)

        def check():
            for name, data in damaged.items():
                kept = [other for other in self.files() if other.startswith(name)]
                self.assertTrue(any(self.files()[other] == data for other in kept), name)
            self.repair()
            with contextlib.closing(restart(self.path)) as scheduler:
                self.assertLessEqual(set(tasks_of("s")), set(scheduler._agenda.tasks))
            self.assertFalse([name for name in self.files() if name.endswith(".damaged-2")])

        self.kill_at_each_step(prepare, lambda: repair_state(str(self.path)), check)


class TestCommandLine(StateTest):
    def run_luigid(self, *flags):
        """What luigid prints, with this state, and its exit status."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = luigid.main(["--state-path", str(self.path), *flags])
        return out.getvalue().replace(str(self.path), "*").splitlines(), err.getvalue(), status

    def test_check_and_repair(self):
        self.make()
        self.assertEqual(0, self.run_luigid("--check-state")[2])
        self.damage(self.journal(1), 700)
        lines, err, status = self.run_luigid("--check-state")
        self.assertEqual(("", 1), (err, status))
        self.assertEqual("luigid does not start with it; --repair-state keeps what is counted here", lines[-1])
        lines, err, status = self.run_luigid("--repair-state")
        self.assertEqual(("*.damaged-1", "", 0), (lines[-1], err, status))
        self.assertEqual(0, self.run_luigid("--check-state")[2])

    def test_export(self):
        self.make()
        exported = str(self.directory / "exported")
        (line,), err, status = self.run_luigid("--export-stock", exported)
        self.assertEqual(("", 0), (err, status))
        self.assertIn(f"18 tasks and 1 workers are in {exported}", line)
        self.assertEqual(18, len(stock_unpickle(Path(exported).read_bytes())[0]))

    def test_what_cannot_be_done_is_one_line(self):
        self.path.write_bytes(b"hello\n")
        here, nowhere = str(self.directory / "exported"), str(self.directory / "none" / "exported")
        for flags in (["--check-state"], ["--repair-state"], ["--export-stock", here]):
            lines, err, status = self.run_luigid(*flags)
            self.assertEqual(([], 1, 1), (lines, status, err.count("\n")))
            self.assertIn("is no state of luigid", err)
        self.path.unlink()
        self.make()
        lines, err, status = self.run_luigid("--export-stock", nowhere)
        self.assertEqual(([], 1), (lines, status))
        self.assertIn("none/exported.tmp: No such file or directory", err)


if __name__ == "__main__":
    unittest.main()
