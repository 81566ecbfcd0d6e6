"""The state on disk: what was acknowledged comes back as it was, and what cannot be read is refused, not guessed at."""

import contextlib
import errno
import functools
import logging
import os
import pickle
import random
import stat
import tempfile
import unittest
import zlib
from pathlib import Path
from unittest import mock

import luigid
from luigid import SEAL, TASK_FIELDS, TRAILER, WORKER_FIELDS, Scheduler, StateError, Unavailable, dump_plain

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


#: fields that start anew (of `seq` and `order`, the order they tell is compared)
RENEWED = {"seq", "order", "last_active"}

#: fields that are true again with a worker's next get_work, and not worth a record in the journal each time
PASSING = {"host", "last_get_work"}


def state_of(scheduler, without=RENEWED):
    """All that is to survive, in a form that can be compared."""
    agenda = scheduler._agenda
    return {
        "tasks": [{f: getattr(task, f) for f in TASK_FIELDS if f not in without} for task in agenda.tasks.values()],
        "workers": [{f: getattr(w, f) for f in WORKER_FIELDS if f not in without} for w in agenda.workers.values()],
        "order": [task.id for task in sorted(agenda.tasks.values(), key=lambda task: task.order)],
        "batchers": dict(agenda.batchers),
        "totals": dict(agenda.totals),
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
        self.stack.enter_context(mock.patch("os.fsync"))  # nobody cuts the power here
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)

    def make(self, path=None, **settings):
        """A scheduler in memory whose state is to be in `path`."""
        scheduler = Scheduler(clock=self.clock, state_path=str(path or self.path), **settings)
        self.stack.callback(end, scheduler)
        return scheduler

    def load(self, path=None, **settings):
        """A scheduler with the state in `path`."""
        scheduler = self.make(path, **settings)
        scheduler.load()
        scheduler.validate()
        return scheduler

    def files(self):
        """Name and content of all that is kept."""
        found = self.path.parent.glob("state.pickle*")
        return {file.name: file.read_bytes() for file in found if file.is_file() and file.suffix != ".lock"}

    def back(self, changed=None, **settings):
        """The scheduler that comes back after `kill -9`; the content of some files may have `changed` meanwhile."""
        with tempfile.TemporaryDirectory() as directory:
            for name, content in {**self.files(), **(changed or {})}.items():
                Path(directory, name).write_bytes(content)
            scheduler = Scheduler(clock=self.clock, state_path=os.path.join(directory, self.path.name), **settings)
            try:
                scheduler.load()
            finally:
                scheduler.close()
            scheduler.validate()
            return scheduler

    def check_refusal(self, *words):
        """The state is refused with these words; nothing on disk or in memory is lost by it."""
        files, scheduler = self.files(), self.make()
        scheduler.add_task(worker="w", task_id="here")
        with self.assertRaises(StateError) as caught:
            scheduler.load()
        for word in (str(self.path), *words):
            self.assertIn(word, str(caught.exception))
        self.assertEqual(list(scheduler.task_list()), ["here"])
        self.assertEqual(self.files(), files)


def end(scheduler):
    """Close a scheduler, whatever a test has done to it."""
    with contextlib.suppress(Unavailable):
        scheduler.close()


def grant_grace(scheduler):
    """Let all workers have spoken just now, as a restart does."""
    for worker in scheduler._agenda.workers.values():
        worker.last_active = scheduler._clock.now


def take_over_what_passes(scheduler, other):
    """Know of the workers what they will tell again with their next get_work."""
    for worker_id, worker in scheduler._agenda.workers.items():
        for name in PASSING:
            setattr(worker, name, getattr(other._agenda.workers[worker_id], name))


def sealed(*values):
    """A snapshot that checks, of any values."""
    data = b"".join(value if isinstance(value, bytes) else dump_plain(value) for value in values)
    return data + TRAILER.pack(SEAL, zlib.crc32(data))


class TestRoundTrip(StateCase):
    def test_all_fields_of_a_task_are_restored(self):
        task = luigid.Task("task", 1, "PENDING", 0.0, ())
        values = tuple(range(len(luigid.TASK_FIELDS)))
        task.restore(values)
        self.assertEqual(values, luigid.task_fields(task))

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

    def test_one_restart_after_the_other_changes_nothing(self):
        for seed in range(10):
            with self.subTest(seed=seed):
                self.path = self.directory / f"{seed}" / "state.pickle"
                history, steady = History(seed), self.make(self.directory / "unused", **DELAYS)
                for _ in range(6):
                    restarted = self.load(**DELAYS)
                    grant_grace(steady)
                    take_over_what_passes(restarted, steady)
                    play(history, 40, steady, restarted)
                    restarted.close()
                    self.assertEqual(state_of(restarted), state_of(steady))

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

    def test_each_call_comes_back(self):
        for seed in range(6):
            self.path = self.directory / f"{seed}" / "state.pickle"
            history, scheduler = History(seed), self.load(**DELAYS)
            with self.subTest(seed=seed):
                for step in range(60):
                    play(history, 1, scheduler)
                    kept = state_of(self.back(**DELAYS), RENEWED | PASSING)
                    self.assertEqual(kept, state_of(scheduler, RENEWED | PASSING), f"step {step}")

    def test_calls_while_snapshots_are_made_come_back(self):
        history, scheduler = History(1), self.load(**DELAYS)
        for _ in range(20):
            play(history, 10, scheduler)
            scheduler.dump()
            play(history, 10, scheduler)
            kept = state_of(self.back(**DELAYS), RENEWED | PASSING)
            self.assertEqual(kept, state_of(scheduler, RENEWED | PASSING))

    def states_after_calls(self, calls):
        """Make calls, each of which is acknowledged; return the states that clients could have seen on the way."""
        history, scheduler = History(3), self.load()
        states = [state_of(scheduler, RENEWED | PASSING)]
        for _ in range(calls):
            play(history, 1, scheduler)
            states.append(state_of(scheduler, RENEWED | PASSING))
        return states

    def journal(self):
        """Name and content of the journal."""
        ((name, content),) = ((name, content) for name, content in self.files().items() if "journal" in name)
        return name, content

    def test_cut_journal_comes_back_as_some_client_saw_it(self):
        states = self.states_after_calls(20)
        name, content = self.journal()
        for end in range(0, len(content), 29):
            with self.subTest(bytes=end):
                self.assertIn(state_of(self.back({name: content[:end]}), RENEWED | PASSING), states)

    def test_journal_with_a_wrong_byte_is_refused_or_comes_back_as_some_client_saw_it(self):
        states, refused = self.states_after_calls(20), 0
        name, content = self.journal()
        for place in range(0, len(content), 29):
            wrong = content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :]
            with self.subTest(place=place):
                try:
                    self.assertIn(state_of(self.back({name: wrong}), RENEWED | PASSING), states)
                except StateError as error:
                    self.assertIn(name, str(error))
                    refused += 1
        self.assertGreater(refused, 10)

    def test_missing_journal_is_missed(self):
        first = self.load()
        first.dump()
        first.close()
        for _ in range(2):
            self.load().close()
        *_, middle, last = sorted(self.files())
        (self.directory / middle).unlink()
        self.check_refusal(middle, "is missing", last)

    def test_changes_are_refused_while_they_cannot_be_kept_and_reads_go_on(self):
        scheduler = self.load()
        scheduler.add_task(worker="w", task_id="before")
        with mock.patch("os.write", side_effect=OSError(errno.ENOSPC, "No space left on device")):
            for task_id in ("first", "second"):
                with self.assertRaisesRegex(Unavailable, "No space left on device"):
                    scheduler.add_task(worker="w", task_id=task_id)
            self.assertIn("before", scheduler.task_list())
        scheduler.dump()
        scheduler.add_task(worker="w", task_id="after")
        self.assertEqual(state_of(self.back()), state_of(scheduler))

    def test_changes_are_refused_after_the_end(self):
        scheduler = self.load()
        scheduler.close()
        with self.assertRaises(Unavailable):
            scheduler.add_task(worker="w", task_id="task")


class TestFiles(StateCase):
    def dump(self):
        """A state with one task, on disk."""
        scheduler = self.make()
        scheduler.add_task(worker="w", task_id="task", family="Load")
        scheduler.dump()
        return scheduler

    def test_no_state_is_an_empty_state(self):
        self.assertEqual(self.load().task_list(), {})

    def test_directories_are_made(self):
        self.path = self.directory / "not" / "there" / "yet" / "state.pickle"
        self.dump()
        self.assertEqual(list(self.load().task_list()), ["task"])

    def test_only_its_owner_can_read_the_state(self):
        self.addCleanup(os.umask, os.umask(0))
        self.dump()
        self.load()
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in self.directory.iterdir()}
        self.assertEqual(modes, dict.fromkeys(modes, 0o600))

    def test_directory_in_the_place_of_the_state_is_refused(self):
        self.path.mkdir()
        for use in (self.load, self.dump):
            with self.assertRaisesRegex((OSError, StateError), str(self.path)):
                use()
        self.assertTrue(self.path.is_dir())

    def test_old_state_stays_when_writing_fails(self):
        for function in ("write", "fsync", "replace", "open"):
            with self.subTest(function):
                self.path = self.directory / function / "state.pickle"
                scheduler = self.dump()
                files = self.files()
                scheduler.add_task(worker="w", task_id="more")
                failure = OSError(errno.EIO, "Input/output error")
                with mock.patch(f"os.{function}", side_effect=failure), self.assertRaises(OSError):
                    scheduler.dump()
                self.assertEqual({**self.files(), **files}, self.files())
                self.assertEqual(list(self.back().task_list()), ["task"])
                scheduler.dump()
                self.assertEqual(list(self.back().task_list()), ["task", "more"])

    def test_state_belongs_to_one_scheduler_at_a_time(self):
        first = self.load()
        first.add_task(worker="w", task_id="task")
        self.check_refusal("in use", str(os.getpid()))
        with self.assertRaisesRegex(StateError, "in use"):
            self.make().dump()
        first.close()
        self.assertEqual(list(self.load().task_list()), ["task"])

    def test_refused_state_is_given_back(self):
        self.path.write_bytes(b"nonsense")
        self.check_refusal()
        self.path.unlink()
        self.load()

    def test_closing_twice_is_harmless(self):
        scheduler = self.load()
        scheduler.close()
        scheduler.close()

    def test_flush_without_a_state_is_harmless(self):
        self.make().flush()
        self.assertEqual(list(self.directory.iterdir()), [])


class TestFormat(StateCase):
    """What a snapshot says is taken over as far as it is understood; what makes no sense is refused."""

    def setUp(self):
        super().setUp()
        scheduler = self.make()
        scheduler.add_task(worker="w", task_id="task", family="Load", priority=3, tracking_url="http://tracker")
        self.state, self.changes = state_of(scheduler), luigid.capture(scheduler._agenda)
        (task,) = scheduler._agenda.tasks.values()
        self.fields = {name: getattr(task, name) for name in TASK_FIELDS}

    def write(self, *values, **header):
        """A snapshot that checks, of a header and whatever follows."""
        self.path.write_bytes(sealed({**luigid.make_header(0), **header}, *values))

    def write_task(self, fields):
        """A snapshot that holds one task, with these fields."""
        self.write([("task", tuple(fields.values()))], None, task_fields=tuple(fields))

    def test_what_it_says_is_taken_over(self):
        self.write(self.changes, None)
        self.assertEqual(state_of(self.load()), self.state)

    def test_fields_that_are_not_known_are_passed_over(self):
        self.write_task({"colour": "blue", **self.fields, "size": 7})
        self.assertEqual(self.load().task_list()["task"]["priority"], 3)

    def test_fields_that_are_missing_have_their_initial_value(self):
        del self.fields["priority"], self.fields["tracking_url"]
        self.write_task(self.fields)
        task = self.load().task_list()["task"]
        self.assertEqual((task["name"], task["priority"], task["tracking_url"]), ("Load", 0, None))

    def test_newer_versions_are_refused_by_name(self):
        for version in ((1, 7), (2, 0)):
            self.write(self.changes, None, version=version)
            self.check_refusal("version {}.{}".format(*version))

    def test_other_formats_are_refused(self):
        for header in ({"format": "something else"}, {"format": None}, {"version": None}, {"task_fields": None}):
            with self.subTest(header):
                self.write(self.changes, None, **header)
                self.check_refusal()

    def test_changes_that_make_no_sense_are_refused(self):
        for change in (("unheard of", 1), ("task",), ("task", ()), ("worker", None), ("strip",), "task", None, 7):
            with self.subTest(change=change):
                self.write([change], None)
                self.check_refusal()

    def test_snapshot_without_an_end_is_refused(self):
        self.write(self.changes)
        self.check_refusal()

    def test_damaged_snapshots_are_refused(self):
        self.write(self.changes, None)
        whole = self.path.read_bytes()
        for place in range(0, len(whole), 13):
            with self.subTest(place=place):
                self.path.write_bytes(whole[:place])
                self.check_refusal()
                self.path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
                self.check_refusal()

    def test_files_of_others_are_refused(self):
        for content in (b"hello", b"\0" * 1000, b"{}", pickle.dumps([1, 2]), pickle.dumps({"format": "luigid state"})):
            with self.subTest(content[:20]):
                self.path.write_bytes(content)
                self.check_refusal()


class Call:
    """Pickles as the call of a function, which is made when it is unpickled."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def attacks(trace):
    """Name -> pickle that makes a file, `trace`, when it is read as pickles usually are."""
    command = f"touch {trace}"
    shell = command.encode()
    return {
        "a call": pickle.dumps(Call(os.system, command)),
        "a call in the oldest protocol": pickle.dumps(Call(os.system, command), protocol=0),
        "an expression": pickle.dumps(Call(eval, f"open('{trace}', 'w').close()")),
        "a call inside plain data": pickle.dumps([("task", (Call(os.system, command),))]),
        "an instance": b"(S'%b'\nios\nsystem\n." % shell,
        "an object": b"(cos\nsystem\nS'%b'\no." % shell,
        "a chain of getattr": (
            b"cbuiltins\ngetattr\n(cbuiltins\n__import__\n(S'os'\ntRS'system'\ntR(S'%b'\ntR." % shell
        ),
        "a state to be built": b"ctypes\nSimpleNamespace\n)R}S'__setstate__'\ncos\nsystem\nsbS'%b'\nb." % shell,
    }


class TestAttacks(StateCase):
    """Nothing that a state says is ever run."""

    def setUp(self):
        super().setUp()
        self.trace = self.directory / "trace"
        self.header = dump_plain(luigid.make_header(0))

    def test_attacks_are_real(self):
        for name, attack in attacks(self.trace).items():
            with self.subTest(name):
                pickle.loads(attack)
                self.assertTrue(self.trace.exists())
                self.trace.unlink()

    def check(self, disguise, *words):
        for name, attack in attacks(self.trace).items():
            with self.subTest(name):
                self.path.write_bytes(disguise(attack))
                self.check_refusal(*words)
                self.assertFalse(self.trace.exists())

    def test_attack_alone(self):
        self.check(lambda attack: attack)

    def test_attack_as_the_header_of_a_snapshot(self):
        self.check(sealed, "it refers to ")

    def test_attack_as_the_changes_in_a_snapshot(self):
        self.check(lambda attack: sealed(self.header, attack), "it refers to ")

    def test_attack_in_a_journal(self):
        self.path = Path(f"{self.path}.journal.0")
        self.make = functools.partial(self.make, self.directory / "state.pickle")
        self.check(lambda attack: luigid.frame(self.header) + luigid.frame(attack), "it refers to ")

    def test_state_of_other_classes_is_refused(self):
        self.path.write_bytes(sealed(pickle.dumps(luigid.Task("task", 0, "PENDING", 0, ()))))
        self.check_refusal("luigid.Task")


if __name__ == "__main__":
    unittest.main()
