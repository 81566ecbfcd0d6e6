"""The journal: what a call acknowledged survives cuts, kills, a failing disk and power failures, whenever they come.

Nothing is simulated but the accident: files are real ones. `WatchedOs` stands between luigid and the module `os` and is
told of each step that concerns a file before it is made, to look at the files at that moment, or to let it fail.
"""

import contextlib
import errno
import functools
import gc
import logging
import os
import random
import shutil
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

import luigid
from luigid import (
    BATCH_RUNNING,
    DISABLED,
    DONE,
    FAILED,
    PENDING,
    RPC_METHODS,
    RUNNING,
    Scheduler,
    StateError,
    Unavailable,
)

PATIENCE = 20  # seconds until a test gives up; none of them lasts that long unless it fails

#: where files are made and removed fastest; every sync that matters is counted, none is waited for
FAST = "/dev/shm" if os.path.isdir("/dev/shm") else None

#: the fields of tasks and workers that are theirs, rather than derived by the agenda
TASK_FIELDS = luigid.Task.__slots__[: luigid.Task.__slots__.index("unmet")]
WORKER_FIELDS = luigid.Worker.__slots__[: luigid.Worker.__slots__.index("tasks")]

#: what a restart renews: numbers of which only the order matters, and when workers were last heard of
ORDERS = ("seq", "order")
PRESENCE = ("last_active", "last_get_work", "host")

#: delays short enough to run out within a history
DELAYS = {
    "retry_delay": 10,
    "remove_delay": 25,
    "worker_disconnect_delay": 30,
    "disable_window": 100,
    "retry_count": 3,
    "disable_persist": 40,
}


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def wait_until(condition, what):
    give_up = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > give_up:
            raise AssertionError(f"waited in vain until {what}")
        time.sleep(0.001)


def state_of(scheduler):
    """All that must survive, in a form that can be compared."""
    agenda = scheduler._agenda
    tasks, workers = agenda.tasks.values(), agenda.workers.values()
    return {
        "tasks": [{name: getattr(task, name) for name in TASK_FIELDS if name not in ORDERS} for task in tasks],
        "order": [task.id for task in sorted(tasks, key=lambda task: task.order)],
        "workers": [{name: getattr(one, name) for name in WORKER_FIELDS if name not in PRESENCE} for one in workers],
        "batchers": dict(agenda.batchers),
        "totals": dict(agenda.totals),
        "paused": agenda.paused,
    }


def play(scheduler, method, arguments):
    return getattr(scheduler, method)(**arguments)


def tend(scheduler):
    """Let the upkeep have a turn, late enough for what it has put off."""
    with contextlib.suppress(Unavailable):
        scheduler.keep_up(time.monotonic() + 60)


# -- a history in which everything happens -----------------------------------------------------------------------------


def task(number, **arguments):
    params = {"date": f"day {number}", "more": [number, {"deep": None}]}
    return {"task_id": f"Load_{number}", "family": "Load", "params": params, **arguments}


#: (seconds that pass before, method, arguments)
SCRIPT = (
    (0, "add_worker", {"worker": "a", "info": {"workers": 2, "first_task": "Load_1"}}),
    (0, "add_task_batcher", {"worker": "a", "task_family": "Load", "batched_args": ["date"], "max_batch_size": 2}),
    (0, "update_resources", {"disk": 3, "tape": 1}),
    (1, "add_task", {"worker": "a", **task(1), "deps": ["Load_2", "Load_3"], "priority": 5, "module": "loads"}),
    (1, "add_task", {"worker": "a", **task(2), "batchable": True, "accepts_messages": True}),
    (0, "add_task", {"worker": "a", **task(2), "task_id": "Load_3", "batchable": True, "resources": {"disk": 2}}),
    (0, "add_task", {"worker": "b", **task(4), "retry_policy_dict": {"retry_count": 1}, "owners": ["o@example.com"]}),
    (1, "get_work", {"worker": "a", "host": "h", "current_tasks": []}),
    (0, "get_work", {"worker": "b", "current_tasks": []}),
    (0, "send_scheduler_message", {"worker": "b", "task": "Load_4", "content": {"x": [1]}}),
    (0, "set_worker_processes", {"worker": "a", "n": 3}),
    (1, "add_scheduler_message_response", {"task_id": "Load_4", "message_id": "message", "response": "heard"}),
    (0, "set_task_status_message", {"task_id": "Load_4", "status_message": "half way"}),
    (0, "ping", {"worker": "a"}),
    (1, "add_task", {"worker": "b", "task_id": "Load_4", "status": "FAILED", "expl": "no"}),
    (0, "pause", {}),
    (0, "disable_worker", {"worker": "c"}),
    (40, "prune", {}),
    (1, "unpause", {}),
    (0, "add_task", {"worker": "d", **task(2), "status": "DONE"}),
    (30, "prune", {}),
)


# -- a company of workers and operators, who make calls that fit the moment --------------------------------------------


class Company:
    """Random calls, mostly such as change something: it looks into the scheduler to see what can happen next."""

    WORKERS = ("w0", "w1", "w2", "w3")

    def __init__(self, seed, clock):
        self.random, self.clock = random.Random(seed), clock
        self.messages, self.ways = [], {}
        for name in dir(self):
            if name.startswith("call_"):
                self.ways[getattr(self, name)] = {"call_task": 6, "call_work": 6, "call_end": 6}.get(name, 1)

    def next_call(self, scheduler):
        """Let time pass; return a method and arguments."""
        self.clock.now += self.random.choice((0, 0, 0, 1, 1, 5))
        self.agenda = scheduler._agenda
        return self.random.choices(list(self.ways), self.ways.values())[0]()

    def pick(self, *choices):
        return self.random.choice(choices)

    def worker(self):
        return self.pick(*self.WORKERS)

    def task(self, *statuses):
        """The id of a task that has one of the statuses, if there is one."""
        found = [task_id for status in statuses for task_id in self.agenda.by_status[status]]
        return self.pick(*found) if found else f"{self.pick('Load', 'Clean')}_{self.random.randrange(14)}"

    def some(self, **choices):
        """Some of the arguments, each with one of its choices."""
        return {name: self.pick(*values) for name, values in choices.items() if self.random.random() < 0.3}

    def call_task(self):
        task_id = self.task()
        return "add_task", {
            "worker": self.worker(),
            "task_id": task_id,
            "family": task_id.split("_")[0],
            "params": {"date": task_id, "shard": self.pick("0", "1", None)},
            "batchable": self.pick(True, None),
            **self.some(
                deps=([], [self.task()], [self.task(), self.task()]),
                resources=({}, {"disk": 1}, {"disk": 0.5, "tape": 1}),
                priority=(1, 2.5, 7),
                module=("loads",),
                param_visibilities=({"shard": 1},),
                accepts_messages=(True, False),
                assistant=(True,),
                runnable=(False,),
                status=(PENDING, DONE, DISABLED, "UNKNOWN", "SUSPENDED"),
                retry_policy_dict=({"retry_count": 1}, {"retry_count": 2, "disable_window": 20}),
                tracking_url=("http://tracker",),
            ),
        }

    def call_work(self):
        given = self.agenda.running_on
        worker = self.worker()
        running = [task.id for task in given.get(worker, ()) if task.status == RUNNING]
        return "get_work", {
            "worker": worker,
            "host": self.pick("here", "there"),
            "current_tasks": self.pick(None, sorted(running), sorted(running)[1:]),
            **self.some(assistant=(True,)),
        }

    def call_end(self):
        task_id = self.task(RUNNING)
        runner = self.agenda.tasks[task_id].worker_running if task_id in self.agenda.tasks else None
        return "add_task", {
            "worker": runner or self.worker(),
            "task_id": task_id,
            "status": self.pick(DONE, DONE, FAILED, FAILED, FAILED),
            "runnable": None,
            "expl": "why",
            **self.some(new_deps=([self.task()],)),
        }

    def call_batch(self):
        batches = sorted(self.agenda.batches)
        if not batches:
            return self.call_work()
        batch_id = self.pick(*batches)
        worker = next(iter(self.agenda.batches[batch_id])).worker_running
        return "add_task", {"worker": worker, "task_id": "all_" + batch_id, "status": RUNNING, "batch_id": batch_id}

    def call_worker(self):
        info = {"workers": self.pick(1, 2), "assistant": self.pick(True, False), "first_task": self.task()}
        return "add_worker", {"worker": self.worker(), "info": info}

    def call_batcher(self):
        how = self.pick({"batched_args": ["date"], "max_batch_size": 2}, {"batched_args": ["date", "shard"]})
        return "add_task_batcher", {"worker": self.worker(), "task_family": "Load", **how}

    def call_message(self):
        self.messages.append({"task_id": self.task(RUNNING), "message_id": f"message {self.clock.now}"})
        about = self.messages[-1]
        return self.pick(
            ("send_scheduler_message", {"worker": self.worker(), "task": about["task_id"], "content": ["?"]}),
            ("set_worker_processes", {"worker": self.worker(), "n": 2}),
            ("add_scheduler_message_response", {**about, "response": {"heard": True}}),
            ("get_scheduler_message_response", self.pick(*self.messages[-3:])),
        )

    def call_report(self):
        task_id = self.task(RUNNING, BATCH_RUNNING)
        return self.pick(
            ("set_task_status_message", {"task_id": task_id, "status_message": self.pick("begun", "half way")}),
            ("set_task_progress_percentage", {"task_id": task_id, "progress_percentage": self.pick(10, 50)}),
            ("decrease_running_task_resources", {"task_id": task_id, "decrease_resources": {"disk": 0.5}}),
            ("update_metrics_task_started", {"task": task_id}),
            ("report_task_statistics", {"task_id": task_id, "statistics": {}}),
        )

    def call_operator(self):
        return self.pick(
            ("forgive_failures", {"task_id": self.task(FAILED)}),
            ("mark_as_done", {"task_id": self.task(FAILED, DISABLED)}),
            ("re_enable_task", {"task_id": self.task(DISABLED)}),
            ("pause", {}),
            ("unpause", {}),
            ("unpause", {}),
            ("update_resources", {"disk": self.pick(1, 2), "extra": 0.5}),
            ("update_resource", {"resource": "tape", "amount": self.pick(1, 2)}),
            ("disable_worker", {"worker": self.pick("w2", "w3")}),
        )

    def call_sign_of_life(self):
        about = {"task_name": "Load", "family": "Load", "params": {}, "expl": "no", "owners": []}
        return self.pick(
            ("ping", {"worker": self.worker()}),
            ("count_pending", {"worker": self.worker()}),
            ("announce_scheduling_failure", {"worker": self.worker(), **about}),
        )

    def call_silence(self):
        self.clock.now += self.pick(15, 31)
        return "prune", {}

    def questions(self):
        """One call of each kind that reads."""
        yield from ((name, {}) for name in ("graph", "worker_list", "resource_list", "is_paused", "is_pause_enabled"))
        yield "task_list", {"status": PENDING, "upstream_status": "UPSTREAM_FAILED"}
        yield "task_search", {"task_str": ""}
        yield "has_task_history", {}
        about = ("dep_graph", "inverse_dep_graph", "fetch_error", "get_task_status_message")
        for name in (*about, "get_task_progress_percentage", "get_running_task_resources"):
            yield name, {"task_id": self.task(RUNNING, FAILED)}


# -- between luigid and the disk ---------------------------------------------------------------------------------------

#: what luigid may do to files: all that a test should hear of
STEPS = {"close", "open", "remove", "rename", "replace", "unlink"}
STEPS |= {"fdatasync", "fsync", "ftruncate", "pwrite", "truncate", "write", "writev"}


class WatchedOs:
    """The module `os` as luigid finds it: `watch(name, arguments, make)` makes each step of STEPS, or does not."""

    def __init__(self, watch):
        self._watch = watch

    def __getattr__(self, name):
        real = getattr(os, name)
        if name not in STEPS:
            return real

        def step(*arguments, **options):
            return self._watch(name, arguments, functools.partial(real, *arguments, **options))

        return step


def without_syncs(name, arguments, make):
    """For what proves nothing by waiting for the disk."""
    return None if name == "fsync" else make()


#: what those schedulers use that only look what a kill would leave: it is not theirs that is watched
ELSEWHERE = WatchedOs(without_syncs)


class Faults:
    """A disk that fails from one step on until another (numbers, from 0): torn writes, no syncs, no space."""

    def __init__(self, first=-1, last=-1, code=errno.ENOSPC):
        self.first, self.last, self.code = first, last, code
        self.steps, self.given_up, self.tried_again = [], set(), []
        #: called when the first fault has happened, and luigid does not know yet
        self.at_once = lambda: None

    def __call__(self, name, arguments, make):
        if name == "close":
            self.given_up.discard(arguments[0])
            return make()
        if arguments[0] in self.given_up:
            self.tried_again.append(name)
        self.steps.append(name)
        if not self.first <= len(self.steps) - 1 <= self.last:
            return without_syncs(name, arguments, make)
        if name == "write":
            os.write(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
        if isinstance(arguments[0], int):
            self.given_up.add(arguments[0])
        if len(self.steps) - 1 == self.first:
            self.at_once()
        raise OSError(self.code, os.strerror(self.code))

    def happened(self):
        return 0 <= self.first < len(self.steps)

    def end(self):
        self.last = -1


class Platter:
    """What a power failure leaves: the files and names that were synced, and of the others nothing or anything before.

    A file is kept as it was when it was last synced, a directory with the names that it had when it was.
    """

    def __init__(self, directory):
        self.directory, self.ids = str(directory), iter(range(10**6))
        #: name -> file, now, and after each change since the directory was synced; the first of these is on disk
        self.names, self.history = {}, [{}]
        #: file -> its content on disk; descriptor -> file or None for the directory
        self.synced, self.files = {}, {}
        for name in os.listdir(directory):
            self.names[name] = next(self.ids)
            self.synced[self.names[name]] = Path(directory, name).read_bytes()
        self.history = [dict(self.names)]

    def __call__(self, name, arguments, make):
        name_now, result = os.path.basename(str(arguments[0])), None
        if name == "open":
            fresh = not os.path.exists(arguments[0])
            result = make()
            if fresh:
                self.names[name_now] = next(self.ids)
                self._remember()
            self.files[result] = self.names.get(name_now)
            return result
        if name == "fsync":
            self._sync(self.files[arguments[0]])
            return None
        result = make()
        if name == "replace":
            self.names[os.path.basename(arguments[1])] = self.names.pop(name_now)
            self._remember()
        elif name == "unlink":
            del self.names[name_now]
            self._remember()
        return result

    def _remember(self):
        self.history.append(dict(self.names))

    def _sync(self, file):
        if file is None:
            self.history = [dict(self.names)]
        else:
            [name] = [name for name, other in self.names.items() if other == file]
            self.synced[file] = Path(self.directory, name).read_bytes()

    def after_power_failure(self, chance):
        """{name: content}; `chance` is a random.Random, or None for the least that can be left."""
        names = chance.choice(self.history) if chance else self.history[0]
        return {name: self._content(file, chance) for name, file in names.items()}

    def _content(self, file, chance):
        synced = self.synced.get(file, b"")
        now = [name for name, other in self.names.items() if other == file]
        if not chance or not now or chance.random() < 0.3:
            return synced
        written = Path(self.directory, now[0]).read_bytes()
        if len(written) <= len(synced):
            return chance.choice((written, synced))
        return written[: chance.randint(len(synced), len(written))]


class JournalCase(unittest.TestCase):
    """A directory for states, and schedulers in it that leave nothing open."""

    def setUp(self):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self.callback = stack.callback
        self.top = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=FAST)))
        self.callback(gc.collect)
        self.callback(gc.unfreeze)  # a process is not meant to load a thousand states, and to keep them
        self.clock, self.count = Clock(), 0
        stack.enter_context(mock.patch("uuid.uuid4", lambda: f"message {self.clock.now}"))
        logging.disable(logging.CRITICAL)
        self.callback(logging.disable, logging.NOTSET)

    def new_directory(self):
        self.count += 1
        directory = self.top / str(self.count)
        directory.mkdir()
        return directory

    def make(self, directory, **settings):
        settings = {**DELAYS, **settings}
        return Scheduler(clock=self.clock, state_path=str(directory / "state"), **settings)

    def start(self, directory=None, **settings):
        """A scheduler with the state in `directory`."""
        scheduler = self.make(directory or self.new_directory(), **settings)
        scheduler.load()
        self.callback(self.end, scheduler)
        return scheduler

    def end(self, scheduler):
        with contextlib.suppress(Unavailable):
            scheduler.close()

    def files(self, scheduler):
        directory = Path(scheduler._path).parent
        return {name: (directory / name).read_bytes() for name in sorted(os.listdir(directory))}

    def put(self, files):
        """A new directory with these files."""
        directory = self.new_directory()
        for name, content in files.items():
            (directory / name).write_bytes(content)
        return directory

    def back(self, files, **settings):
        """The state in files, as a scheduler finds it that then goes on; its indexes are proved."""
        directory = self.put(files)
        scheduler = self.make(directory, **settings)
        try:
            with mock.patch.object(luigid, "os", ELSEWHERE):
                scheduler.load()
                scheduler.validate()
                scheduler.close()
        finally:
            shutil.rmtree(directory)
            gc.unfreeze()
        return scheduler

    def state_after_kill(self, scheduler):
        """What would come back if the process was killed at this moment."""
        return state_of(self.back(self.files(scheduler)))

    def play(self, scheduler, script):
        """Make the calls of a script, one by each `next`; yields the number of calls made."""
        for number, (after, method, arguments) in enumerate(script, 1):
            self.clock.now += after
            play(scheduler, method, arguments)
            yield number

    def watch(self, watch):
        return mock.patch.object(luigid, "os", WatchedOs(watch))


class TestDamage(JournalCase):
    def play_all(self, dumps_after):
        """(files, states): the files in the end, and the state after each call: the first ones are in a snapshot."""
        scheduler = self.start()
        states = [state_of(scheduler)]
        for number in self.play(scheduler, SCRIPT):
            states.append(state_of(scheduler))
            if number == dumps_after:
                scheduler.dump()
                self.ends = [self.size_of_journal(scheduler)]
            elif number > dumps_after:
                self.ends.append(self.size_of_journal(scheduler))
        scheduler.close()
        return self.files(scheduler), states

    def size_of_journal(self, scheduler):
        return len(self.files(scheduler)["state.journal.1"])

    def test_journal_cut_anywhere_keeps_every_whole_record_and_tells_how_many_bytes_are_dropped(self):
        kept = len(SCRIPT) // 2
        files, states = self.play_all(dumps_after=kept)
        whole = files["state.journal.1"]
        logging.disable(logging.NOTSET)
        for length in range(len(whole)):
            sound = max([end for end in self.ends if end <= length], default=0)
            with self.subTest(length=length), self.assertLogs("luigid", "WARNING") as logs:
                luigid.logger.warning("so that there is one")
                directory = self.put({**files, "state.journal.1": whole[:length]})
                with self.watch(without_syncs):
                    scheduler = self.start(directory)
                scheduler.validate()
                expected = states[kept + max(sum(end <= length for end in self.ends) - 1, 0)]
                self.assertEqual(expected, state_of(scheduler))
                [*said] = logs.output[1:]
                self.assertEqual(length > sound, bool(said))
                if said:
                    self.assertIn(f" {length - sound} bytes ", said[0])
                    self.assertIn(str(directory / "state.journal.1"), said[0])
                if length - sound < 2:
                    scheduler.add_task(worker="late", task_id="later")
                    self.assertEqual(state_of(scheduler), self.state_after_kill(scheduler))
                scheduler.close()
                shutil.rmtree(directory)
                gc.unfreeze()

    def test_flipped_byte_is_refused_or_costs_the_last_record(self):
        files, states = self.play_all(dumps_after=len(SCRIPT) // 2)
        rng = random.Random(4)
        for name in ("state", "state.journal.1"):
            last = self.ends[-2] if name == "state.journal.1" else len(files[name])
            for position in range(len(files[name])):
                with self.subTest(name=name, position=position):
                    damaged = bytearray(files[name])
                    damaged[position] ^= rng.randrange(1, 256)
                    found = {**files, name: bytes(damaged)}
                    if position >= last:
                        self.assertEqual(states[-2], state_of(self.back(found)))
                    else:
                        self.assert_refused(found, name)

    def assert_refused(self, files, name):
        directory = self.put(files)
        scheduler = self.make(directory)
        with self.assertRaises(StateError) as caught:
            scheduler.load()
        self.assertIn(str(directory / name), str(caught.exception))
        self.assertEqual({}, scheduler.task_list())
        self.assertEqual({**files, "state.lock": mock.ANY}, self.files(scheduler))
        shutil.rmtree(directory)

    def test_missing_file_is_refused(self):
        scheduler = self.start()
        for number in self.play(scheduler, SCRIPT):
            if number % 5 == 0:
                with self.watch(self.replace_fails if number > 5 else Faults()), contextlib.suppress(OSError):
                    scheduler.dump()
        files = self.files(scheduler)
        needed = ["state", "state.journal.1", "state.journal.2", "state.journal.3"]
        self.assertEqual([*needed, "state.journal.4", "state.lock"], sorted(files))
        self.assertEqual(state_of(scheduler), state_of(self.back(files)))
        for missing in needed:
            with self.subTest(missing=missing):
                self.assert_refused({name: content for name, content in files.items() if name != missing}, missing)

    def replace_fails(self, name, arguments, make):
        if name == "replace":
            raise OSError(errno.EIO, "as the test wants it")
        return make()


class TestEverythingIsKept(JournalCase):
    """Not by reading what is written, but by what a scheduler does that reads it."""

    def test_after_every_call_of_a_random_history(self):
        self.called, self.seen = set(), {name: [] for name in (*TASK_FIELDS, *WORKER_FIELDS)}
        for seed in range(6):
            with self.subTest(seed=seed):
                self.follow(seed, calls=250)
        self.assertEqual(set(RPC_METHODS), self.called)
        renewed = ("id", "time", "seq", "started")  # of a task or a worker that came back
        unchanged = [name for name, values in self.seen.items() if len(values) < 2 and name not in renewed]
        self.assertEqual([], unchanged, "the histories do not reach these fields")

    def follow(self, seed, calls):
        company = Company(seed, self.clock)
        settings = {"prune_on_get_work": bool(seed % 2)}
        with self.watch(without_syncs):
            scheduler = self.start(**settings)
            twin = None
            for number in range(calls):
                if number % 20 == 0:
                    twin = self.twin_of(scheduler, twin, settings)
                method, arguments = company.next_call(scheduler)
                self.call_both(scheduler, twin, method, arguments)
                if number % 10 == 0:
                    for question in company.questions():
                        self.call_both(scheduler, twin, *question)
                if number == calls // 2:
                    scheduler.dump()
                self.note_fields(scheduler)
                self.assertEqual(state_of(scheduler), self.state_after_kill(scheduler), (number, method, arguments))

    def twin_of(self, scheduler, former, settings):
        """A scheduler that found the files of another one, and takes the workers to be as present as they are there."""
        if former is not None:
            former.validate()
            former.close()
        twin = self.start(self.put(self.files(scheduler)), **settings)
        for worker in twin._agenda.workers.values():
            for name in PRESENCE:
                setattr(worker, name, getattr(scheduler._agenda.workers[worker.id], name))
        twin._agenda.farewells = list(scheduler._agenda.farewells)
        return twin

    def call_both(self, scheduler, twin, method, arguments):
        self.called.add(method)
        self.assertEqual(play(scheduler, method, arguments), play(twin, method, arguments), (method, arguments))

    def note_fields(self, scheduler):
        for names, items in ((TASK_FIELDS, scheduler._agenda.tasks), (WORKER_FIELDS, scheduler._agenda.workers)):
            for item in items.values():
                for name in names:
                    value = getattr(item, name)
                    if len(self.seen[name]) < 2 and value not in self.seen[name]:
                        self.seen[name].append(value)

    def test_short_writes_are_continued(self):
        rng = random.Random(7)

        def watch(name, arguments, make):
            if name == "write":
                return os.write(arguments[0], bytes(arguments[1])[: rng.randint(1, 50)])
            return without_syncs(name, arguments, make)

        with self.watch(watch):
            scheduler = self.start()
            for number in self.play(scheduler, SCRIPT):
                if number == 12:
                    scheduler.dump()
                self.assertEqual(state_of(scheduler), self.state_after_kill(scheduler))


class TestSnapshotWhileCallsGoOn(JournalCase):
    def test_killed_before_any_step_of_a_snapshot(self):
        for seed in range(10):
            with self.subTest(seed=seed), mock.patch.object(luigid, "SLICE", 2):
                looked = self.call_and_kill_while_a_snapshot_is_made(Company(seed, self.clock), self.start())
                self.assertGreater(looked.count("write"), 5)
                self.assertTrue({"open", "fsync", "replace", "unlink"} <= set(looked), looked)

    def call_and_kill_while_a_snapshot_is_made(self, company, scheduler):
        """Before each step there is a call, and a look at what a kill would leave; return the names of the steps."""
        looked, calling = [], threading.Lock()

        def watch(name, arguments, make):
            if not calling.locked():
                with calling:
                    looked.append(name)
                    if not scheduler._journal._lock.locked():  # else the call would wait for this very step
                        play(scheduler, *company.next_call(scheduler))
                    self.assertEqual(state_of(scheduler), self.state_after_kill(scheduler), (name, arguments))
            return without_syncs(name, arguments, make)

        for _ in range(40):
            play(scheduler, *company.next_call(scheduler))
        with self.watch(watch):
            scheduler.dump()
        self.assertEqual(state_of(scheduler), self.state_after_kill(scheduler))
        return looked

    def test_several_threads_call_while_snapshots_are_made(self):
        scheduler, acknowledged, looked = self.start(), [0] * 4, []
        turns, stop = [threading.Semaphore(1) for _ in acknowledged], threading.Event()

        def call(number):
            while turns[number].acquire(timeout=PATIENCE) and not stop.is_set():
                count = acknowledged[number] + 1
                scheduler.add_task(worker=f"w{number}", task_id=f"{number}_{count % 20}", family="F")
                scheduler.set_task_status_message(task_id=f"{number}_1", status_message=count)
                acknowledged[number] = count

        def watch(name, arguments, make):
            if threading.current_thread() is threading.main_thread():
                before = list(acknowledged)
                back = self.back(self.files(scheduler))
                for number, count in enumerate(before):
                    found = back.get_task_status_message(task_id=f"{number}_1")["statusMessage"]
                    self.assertGreaterEqual(found, count)
                looked.append(name)
                go_on()  # while this step is made
            return without_syncs(name, arguments, make)

        def go_on():
            for turn in turns:
                turn.release(2)

        threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: all(acknowledged), "all of them have begun")
            with mock.patch.object(luigid, "SLICE", 10), self.watch(watch):
                for _ in range(3):
                    scheduler.dump()
        finally:
            stop.set()
            go_on()
            for thread in threads:
                thread.join()
        self.assertGreater(len(looked), 40)
        self.assertGreater(sum(acknowledged), len(looked))
        self.assertEqual(state_of(scheduler), self.state_after_kill(scheduler))


class TestFailingDisk(JournalCase):
    """Whatever fails: a call is kept or refused, reads go on, and in the end service resumes without a loss."""

    def test_each_step_fails_once(self):
        self.let_each_step_fail(lambda step: Faults(step, step, errno.EIO), "always")

    def test_each_step_fails_once_and_syncs_wait_for_the_upkeep(self):
        self.let_each_step_fail(lambda step: Faults(step, step), "everysec")

    def test_disk_fails_from_each_step_on(self):
        self.let_each_step_fail(lambda step: Faults(step, 10**9), "always")

    def test_disk_fails_from_each_step_on_and_syncs_wait_for_the_upkeep(self):
        self.let_each_step_fail(lambda step: Faults(step, 10**9, errno.EIO), "everysec")

    def let_each_step_fail(self, make_faults, journal_sync):
        healthy = Faults()
        self.suffer(healthy, journal_sync)
        self.assertTrue({"open", "write", "fsync", "replace", "unlink"} <= set(healthy.steps))
        for step in range(len(healthy.steps)):
            with self.subTest(step=step, name=healthy.steps[step]):
                self.suffer(make_faults(step), journal_sync)

    def suffer(self, faults, journal_sync):
        """Play the script on a disk with faults; see what a kill would leave when they begin and some calls later."""
        scheduler = self.make(self.new_directory(), journal_sync=journal_sync)
        #: the state after each call and each turn of the upkeep; from which on it may come back
        states, kept = [], 0
        left = []
        faults.at_once = lambda: left.append(self.state_after_kill(scheduler))
        with self.watch(faults):
            self.load(scheduler, faults)
            states.append(state_of(scheduler))
            for number, (after, method, arguments) in enumerate(SCRIPT):
                self.clock.now += after
                acknowledged = self.call(scheduler, method, arguments, os.strerror(faults.code))
                states.append(state_of(scheduler))
                kept = len(states) - 1 if acknowledged else kept
                if number in (6, 13):
                    with contextlib.suppress(OSError, StateError):
                        scheduler.dump()
                if faults.happened():
                    left.append(self.state_after_kill(scheduler))
                    self.assertIn(left[-1], states[kept:])
                    self.assertEqual(list(scheduler._agenda.tasks), list(scheduler.task_list()))
                if len(left) == 8:
                    break
                tend(scheduler)
                states.append(state_of(scheduler))
            self.assertEqual([], [state for state in left if state not in states])
            faults.end()
            tend(scheduler)
            self.assertEqual("ok", scheduler.health()["status"])
            scheduler.add_task(worker="late", task_id="later")
            self.assertEqual(state_of(scheduler), self.state_after_kill(scheduler))
            scheduler.validate()
            scheduler.close()
        self.assertEqual([], faults.tried_again, "on a descriptor that had failed")
        shutil.rmtree(Path(scheduler._path).parent)

    def load(self, scheduler, faults):
        try:
            scheduler.load()
        except OSError:
            faults.end()
            scheduler.load()

    def call(self, scheduler, method, arguments, reason):
        """Whether the call was acknowledged, so that nothing of it may be lost."""
        was_degraded, before = scheduler.health()["status"] == "degraded", state_of(scheduler)
        try:
            play(scheduler, method, arguments)
        except Unavailable as refusal:
            self.assertIn(reason, str(refusal))
            self.assertEqual("degraded", scheduler.health()["status"])
            if was_degraded:
                self.assertEqual(before, state_of(scheduler))
            return False
        return RPC_METHODS[method].changes or scheduler.health()["status"] == "ok"


class TestPowerFailure(JournalCase):
    """With `journal_sync = always`, nothing that was acknowledged needs more than what was synced."""

    def test_at_any_moment(self):
        for seed in range(6):
            with self.subTest(seed=seed):
                self.let_it_fail(seed)

    def let_it_fail(self, seed):
        chance, directory = random.Random(seed), self.new_directory()
        platter, states, cuts = Platter(directory), [], []
        scheduler = self.make(directory, journal_sync="always")

        def watch(name, arguments, make):
            cuts.append((len(states), platter.after_power_failure(chance if seed else None)))
            return platter(name, arguments, make)

        with self.watch(watch):
            scheduler.load()
            states.append(state_of(scheduler))
            for number in self.play(scheduler, SCRIPT):
                states.append(state_of(scheduler))
                if number in (7, 14):
                    scheduler.dump()
            scheduler.close()
        for acknowledged, files in cuts:
            found, files = self.go_on(files, chance)
            self.assertIn(found, states[max(acknowledged - 1, 0) : acknowledged + 1])
            self.assertEqual(found, state_of(self.back(files)))

    def go_on(self, files, chance):
        """Start with files, make a call, and fail again; the state it started with, and the files that are left."""
        directory = self.put(files)
        platter = Platter(directory)
        scheduler = self.make(directory, journal_sync="always")
        with self.watch(platter):
            scheduler.load()
            found = state_of(scheduler)
            scheduler.unpause() if not scheduler._agenda.paused else scheduler.pause()
            files = platter.after_power_failure(chance)
            scheduler.close()
        shutil.rmtree(directory)
        return found, files


class Turnstile:
    """A lock that counts who waits for it."""

    def __init__(self):
        self._lock, self.waiting = threading.Lock(), 0
        self._count = threading.Lock()

    def __enter__(self):
        with self._count:
            self.waiting += 1
        self._lock.acquire()
        with self._count:
            self.waiting -= 1

    def __exit__(self, *_):
        self._lock.release()

    def locked(self):
        return self._lock.locked()


class TestGroupCommit(JournalCase):
    """journal_sync = always"""

    def setUp(self):
        super().setUp()
        self.scheduler = self.start(journal_sync="always")
        self.gate = self.scheduler._journal._lock = Turnstile()
        self.syncing, self.go_on, self.syncs = threading.Event(), threading.Event(), 0
        self.replies, self.threads = {}, []

    def sync(self, name, arguments, make):
        if name == "fsync":
            self.syncs += 1
            self.syncing.set()
            self.assertTrue(self.go_on.wait(PATIENCE))
        return make()

    def call(self, name, method, **arguments):
        """Make a call in a thread of its own, which keeps the reply."""

        def make():
            self.replies[name] = getattr(self.scheduler, method)(**arguments)

        thread = threading.Thread(target=make)
        self.threads.append(thread)
        thread.start()

    def wait_for_all(self):
        self.go_on.set()
        for thread in self.threads:
            thread.join(PATIENCE)

    def test_no_reply_before_its_sync_and_one_sync_for_all_that_wait(self):
        with self.watch(self.sync):
            self.call(0, "add_task", worker="w", task_id="t0")
            self.assertTrue(self.syncing.wait(PATIENCE))
            for number in range(1, 9):
                self.call(number, "add_task", worker="w", task_id=f"t{number}")
            wait_until(lambda: self.gate.waiting == 8 or self.replies, "all of them wait, or one does not")
            self.assertEqual({}, self.replies)
            self.assertEqual(9, len(self.scheduler.task_list()))  # who reads does not wait
            self.wait_for_all()
        self.assertEqual(dict.fromkeys(range(9)), self.replies)
        self.assertEqual(2, self.syncs)

    def test_reply_that_rests_on_what_is_not_kept_yet_waits_for_it(self):
        self.scheduler.add_task(worker="w", task_id="t", status=RUNNING)
        with self.watch(self.sync):
            self.call("first", "mark_as_done", task_id="t")
            self.assertTrue(self.syncing.wait(PATIENCE))
            self.call("second", "mark_as_done", task_id="t")
            wait_until(lambda: self.gate.waiting or self.replies, "it waits, or does not")
            self.assertEqual({}, self.replies)
            self.wait_for_all()
        done = {"task_id": "t", "status": DONE}
        self.assertEqual({"first": done, "second": done}, self.replies)

    def test_all_that_wait_for_a_sync_that_fails_are_refused(self):
        refused = []

        def call(number):
            try:
                self.scheduler.add_task(worker="w", task_id=f"t{number}")
            except Unavailable as error:
                refused.append(str(error))

        def sync(name, arguments, make):
            self.sync(name, arguments, lambda: None)
            if name == "fsync":
                raise OSError(errno.EIO, "as the test wants it")
            return make()

        with self.watch(sync):
            threads = [threading.Thread(target=call, args=(number,)) for number in range(5)]
            threads[0].start()
            self.assertTrue(self.syncing.wait(PATIENCE))
            for thread in threads[1:]:
                thread.start()
            wait_until(lambda: self.gate.waiting == 4, "all of them wait")
            self.go_on.set()
            for thread in threads:
                thread.join(PATIENCE)
        self.assertEqual(5, len(refused))
        self.assertEqual(1, self.syncs)
        self.assertIn("as the test wants it", refused[0])

    def test_failure_in_between_acknowledges_nothing_that_was_not_written(self):
        acknowledged, failed = [], []
        pickled = mock.Mock(wraps=luigid.dump_plain, side_effect=[MemoryError, *[mock.DEFAULT] * 3])

        def call(number):
            try:
                self.scheduler.add_task(worker="w", task_id=f"t{number}")
                acknowledged.append(f"t{number}")
            except (MemoryError, Unavailable):
                failed.append(f"t{number}")

        threads = [threading.Thread(target=call, args=(number,)) for number in range(3)]
        with mock.patch.object(luigid, "dump_plain", pickled):
            with self.gate:
                for thread in threads:
                    thread.start()
                wait_until(lambda: self.gate.waiting == 3, "all of them wait")
            for thread in threads:
                thread.join(PATIENCE)
        self.assertTrue(failed)
        kept = [task["id"] for task in self.state_after_kill(self.scheduler)["tasks"]]
        self.assertEqual([], [task_id for task_id in acknowledged if task_id not in kept])


class TestMending(JournalCase):
    """What happens between the failure of a journal and the snapshot that makes up for it."""

    def refuse_one(self, scheduler, task_id, torn=True):
        faults = Faults(0, 10**9)
        with self.watch(faults), self.assertRaises(Unavailable):
            scheduler.add_task(worker="w", task_id=task_id)

    def dump_and(self, scheduler, action):
        """Make a snapshot, and do something just before it takes the place of the old one."""

        def watch(name, arguments, make):
            if name == "replace":
                action()
            return make()

        with self.watch(watch):
            scheduler.dump()

    def test_failure_of_the_new_journal_is_not_mended_by_a_snapshot_that_ends_before_it(self):
        scheduler = self.start()
        scheduler.add_task(worker="w", task_id="kept")
        self.dump_and(scheduler, lambda: self.refuse_one(scheduler, "refused"))
        self.assertEqual("degraded", scheduler.health()["status"])
        with self.assertRaises(Unavailable):
            scheduler.add_task(worker="w", task_id="too early")
        tend(scheduler)
        scheduler.add_task(worker="w", task_id="kept, too")
        self.assertEqual(state_of(scheduler), self.state_after_kill(scheduler))

    def test_what_changes_while_it_is_mended_is_kept(self):
        scheduler = self.start()
        scheduler.set_worker_processes(worker="w", n=3)
        self.refuse_one(scheduler, "refused")
        self.dump_and(scheduler, lambda: scheduler.ping(worker="w"))
        self.assertEqual("ok", scheduler.health()["status"])
        scheduler.add_task(worker="w", task_id="kept")
        self.assertEqual(state_of(scheduler), self.state_after_kill(scheduler))

    def test_service_resumes_with_the_next_turn_of_the_upkeep(self):
        for journal_sync in ("always", "everysec", "no"):
            with self.subTest(journal_sync=journal_sync):
                scheduler = self.start(journal_sync=journal_sync)
                self.refuse_one(scheduler, "refused")
                tend(scheduler)
                scheduler.add_task(worker="w", task_id="kept")
                self.assertEqual(state_of(scheduler), self.state_after_kill(scheduler))

    def test_failed_snapshot_leaves_no_file_of_its_own(self):
        scheduler = self.start()
        scheduler.add_task(worker="w", task_id="kept")

        def watch(name, arguments, make):
            if name == "fsync" and "state.tmp" in self.files(scheduler):
                raise OSError(errno.ENOSPC, "as the test wants it")
            return make()

        with self.watch(watch), self.assertRaises(OSError):
            scheduler.dump()
        self.assertNotIn("state.tmp", self.files(scheduler))
        scheduler.add_task(worker="w", task_id="kept, too")
        self.assertEqual(state_of(scheduler), self.state_after_kill(scheduler))

    def test_old_journal_that_cannot_be_closed(self):
        scheduler = self.start()
        scheduler.add_task(worker="w", task_id="kept")
        close, old = os.close, {scheduler._journal._descriptor}

        def refuse(descriptor):
            close(descriptor)  # as it is by then, and its number soon another file's
            if descriptor in old:
                old.clear()
                raise OSError(errno.EIO, "as the test wants it")

        with mock.patch.object(os, "close", refuse):
            scheduler.dump()
        scheduler.add_task(worker="w", task_id="kept, too")
        scheduler.dump()
        self.assertEqual(state_of(scheduler), self.state_after_kill(scheduler))


class TestUpkeep(JournalCase):
    def test_what_is_written_is_synced_once(self):
        disk, scheduler = Faults(), self.start(journal_sync="everysec")
        with self.watch(disk):
            for number in range(3):
                scheduler.add_task(worker="w", task_id=f"t{number}")
            self.assertNotIn("fsync", disk.steps)
            for _ in range(3):
                tend(scheduler)
            self.assertEqual(1, disk.steps.count("fsync"))
            scheduler.add_task(worker="w", task_id="another")
            tend(scheduler)
        self.assertEqual(2, disk.steps.count("fsync"))

    def test_journal_is_folded_when_it_is_large_and_larger_than_the_snapshot(self):
        scheduler = self.start()
        folds = []
        with mock.patch.object(luigid, "JOURNAL_LIMIT", 5000):
            for number in range(200):
                scheduler.add_task(worker="w", task_id=f"t{number}")
                size = sum(len(content) for name, content in self.files(scheduler).items() if "journal" in name)
                snapshot = len(self.files(scheduler).get("state", b""))
                tend(scheduler)
                if len(self.files(scheduler).get("state", b"")) != snapshot:
                    folds.append((size, snapshot))
        self.assertGreater(len(folds), 2)
        for size, snapshot in folds:
            self.assertGreater(size, max(5000, snapshot))
            self.assertLess(size, max(5000, snapshot) + 1000)

    def test_journal_is_folded_when_it_is_old(self):
        scheduler = self.start()
        scheduler.add_task(worker="w", task_id="kept")
        tend(scheduler)
        self.assertNotIn("state", self.files(scheduler))
        with mock.patch.object(luigid, "JOURNAL_AGE", 30):
            tend(scheduler)
        self.assertIn("state", self.files(scheduler))
        self.assertEqual(state_of(scheduler), self.state_after_kill(scheduler))


if __name__ == "__main__":
    unittest.main()
