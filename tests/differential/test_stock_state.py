"""States go from stock to luigid and from luigid to stock, and nothing that either answers tells where they were.

LUIGID_SEEDS    how many histories are interrupted by a move (60)
LUIGID_SEED     play this one alone
"""

import contextlib
import copyreg
import json
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
from tests.e2e.old_clients import NoSuitablePython, client_python
from tests.missing import skip_without
from tests.unit.stock_files import comparable, disagreements, take_over
from tests.unit.test_moving import HOSTILE

from .comparison import Clock, Duel, StockFailed
from .histories import Author, theme_of
from .stock import ArrivalSet, luigi_scheduler, stock_scheduler

FILL = Path(__file__).with_name("fill_state.py")
SEEDS = range(int(os.environ.get("LUIGID_SEEDS", "60")))
if "LUIGID_SEED" in os.environ:
    SEEDS = [int(os.environ["LUIGID_SEED"])]

#: calls before and after a move
CALLS = 150

# The reference keeps orders of arrival where stock has sets; in its files are sets, as in all of stock's.
copyreg.pickle(ArrivalSet, lambda items: (set, (list(items),)))


class ArrivalUnpickler(pickle.Unpickler):
    """Makes them orders of arrival again."""

    def find_class(self, module, name):
        return ArrivalSet if (module, name) == ("builtins", "set") else super().find_class(module, name)


def load_in_order(file):
    return ArrivalUnpickler(file).load()


def make_ours(clock, resources, settings):
    return luigid.Scheduler(clock=clock, resources=dict(resources), **settings)


def run_stock(python, path, *now):
    """Let a luigi in a process of its own fill a state and tell of it, or tell of one at a time."""
    command = [python, "-W", "ignore", str(FILL), str(path), *map(str, now)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


class DirectoryTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = Path(directory.name, "state.pickle")
        self.exported = Path(directory.name, "exported")


class TestReleases(DirectoryTest):
    """Files that releases write, right now."""

    def take_over_from(self, python):
        told = run_stock(python, self.path)
        with contextlib.closing(take_over(self.path, told)) as scheduler:
            scheduler.validate()
            # the questions change the state: what comes back is what was before them
            luigid.export_stock(str(self.path), str(self.exported))
            self.assertEqual([], disagreements(scheduler, told))
            scheduler.validate()
        return told

    def take_over_from_release(self, version):
        try:
            python = client_python(version)
        except NoSuitablePython as why:
            skip_without(f"luigi {version}: {why}")
        return self.take_over_from(python)

    def test_this_one_and_back(self):
        told = self.take_over_from(sys.executable)
        for method, arguments, reply in run_stock(sys.executable, self.exported, told["now"])["said"]:
            (before,) = (r for m, a, r in told["said"] if (m, a) == (method, arguments))
            with self.subTest(method=method, arguments=arguments):
                self.assertEqual(comparable(before, before), comparable(reply, before))

    def test_2_8_13(self):
        self.take_over_from_release("2.8.13")

    def test_3_0_3(self):
        self.take_over_from_release("3.0.3")


def content(thing):
    """What is in a part of stock's state, in a form that can be compared, with the types that matter to stock."""
    if isinstance(thing, (luigi_scheduler.Task, luigi_scheduler.Worker)):
        fields = dict(vars(thing))
        if isinstance(thing, luigi_scheduler.Worker):
            fields["tasks"] = {task.id for task in thing.tasks}
            fields["last_active"] = None  # ours have been active just now: they are given time to come back
        return {name: content(value) for name, value in fields.items()}
    if isinstance(thing, luigi_scheduler.OrderedSet):
        return "OrderedSet", list(thing)
    if isinstance(thing, dict):
        return {key: content(value) for key, value in thing.items()}
    return type(thing).__name__, thing


class TestTenThousandTasks(DirectoryTest):
    def fill(self, scheduler, clock, rng):
        texts = [text for text in HOSTILE if text]
        workers = ["w1", "w2", *texts]
        for worker in workers:
            scheduler.add_worker(worker=worker, info={"workers": 3, "text": rng.choice(HOSTILE)})
            scheduler.add_task_batcher(worker=worker, task_family="F", batched_args=["b"], max_batch_size=4)
        task_ids = []
        for number in range(10000):
            clock.now += 0.25
            names = rng.sample(("a", "b", "c", *HOSTILE), 3)
            task_ids.append(f"{rng.choice(texts)[:100]}_{number}")
            scheduler.add_task(
                worker=rng.choice(workers),
                task_id=task_ids[-1],
                family=rng.choice(("F", "G", *texts)),
                module=rng.choice((None, *HOSTILE)),
                params={name: rng.choice(HOSTILE)[:1000] for name in names},
                param_visibilities={names[0]: rng.randrange(3)},
                deps=rng.sample(task_ids[:-1], min(number, rng.randrange(4))),
                status=rng.choice(("PENDING", "PENDING", "PENDING", "DONE", "FAILED", "DISABLED")),
                expl=rng.choice((None, {"x": [1]}, *HOSTILE)),
                priority=rng.choice((0, 1, -2.5)),
                resources=rng.choice(({}, {"disk": 1}, {"disk": 1, "tape": 0.5})),
                batchable=rng.choice((False, True)),
                retry_policy_dict=rng.choice(({}, {"retry_count": 1})),
                tracking_url=rng.choice((None, "http://tracker")),
            )
            if number % 200 == 0:
                worker = rng.choice(workers)
                scheduler.get_work(worker=worker, host=rng.choice(HOSTILE), current_tasks=None)
                scheduler.set_worker_processes(worker=worker, n=number)

    def test_imported_and_exported_they_are_equal(self):
        clock = Clock()
        scheduler = stock_scheduler(clock, {"disk": 9999}, {"state_path": str(self.path), "retry_count": 2})
        self.fill(scheduler, clock, random.Random(1))
        scheduler.dump()
        before = pickle.loads(self.path.read_bytes())
        luigid.adopt_stock(str(self.path))
        luigid.export_stock(str(self.path), str(self.exported))
        after = pickle.loads(self.exported.read_bytes())
        self.assertEqual(10000, len(before[0]))
        self.assertEqual([list(part) for part in before], [list(part) for part in after])
        for one, other in zip(before, after):
            for key in one:
                self.assertEqual(content(one[key]), content(other[key]))


class Movable:
    """Stands for a scheduler of stock's that is replaced by another one while authors hold on to it."""

    def __init__(self, target):
        self.target = target

    def __getattr__(self, name):
        return getattr(self.target, name)


class TestHistories(DirectoryTest):
    """Half a history, a move, the other half: both schedulers go on from one file, and every reply is equal."""

    def play(self, seed, move):
        author = Author(seed, 2 * CALLS)
        settings, resources = {**author.world.settings, "state_path": str(self.path)}, author.world.resources
        duel = Duel(settings, resources, make_ours)
        duel.stock = Movable(duel.stock)

        def calls():
            for number, call in enumerate(author(duel.stock)):
                if number == CALLS:
                    move(duel, settings, resources)
                yield call

        disagreement = duel.play(calls(), lambda call, reply: author.hear(reply))
        duel.ours.close()
        return disagreement

    def go_on_from(self, file, duel, settings, resources):
        """Let new schedulers, stock's and ours, load a file, which is a state of stock's."""
        theirs, ours = ({**settings, "state_path": str(file) + suffix} for suffix in (".theirs", ".ours"))
        for given in (theirs, ours):
            Path(given["state_path"]).write_bytes(Path(file).read_bytes())
        duel.stock.target = stock_scheduler(duel.clock, resources, theirs)
        with mock.patch.object(luigi_scheduler, "pickle", types.SimpleNamespace(load=load_in_order)):
            duel.stock.load()
        for worker in duel.stock._state.get_active_workers():
            worker.last_active = duel.clock.now  # as ours: all are given time to come back
        duel.ours = make_ours(duel.clock, resources, ours)
        duel.ours.load()
        duel.ours.validate()

    def move_over(self, duel, settings, resources):
        duel.stock.dump()
        self.go_on_from(self.path, duel, settings, resources)

    def move_back(self, duel, settings, resources):
        duel.ours.dump()
        luigid.export_stock(str(self.path), str(self.exported))
        self.go_on_from(self.exported, duel, settings, resources)

    def play_all(self, move):
        moved = 0
        for seed in SEEDS:
            self.setUp()
            with self.subTest(seed=seed, theme=theme_of(seed)), contextlib.suppress(StockFailed):
                self.assertIsNone(self.play(seed, move))
                moved += 1
        self.assertGreater(moved, len(SEEDS) // 2)

    def test_over(self):
        self.play_all(self.move_over)

    def test_back(self):
        self.play_all(self.move_back)


if __name__ == "__main__":
    unittest.main()
