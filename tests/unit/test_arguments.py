"""Arguments of the calls: whatever comes in is refused by name, with nothing changed, or handled to the end."""

import enum
import json
import logging
import math
import unittest
from unittest import mock

import luigid
from luigid import RPC_METHODS, BadRequest, Scheduler

MEGABYTE = "x" * 1_000_000


def nested(levels, wrap):
    """A value inside many lists or objects."""
    value = "x"
    for _ in range(levels):
        value = wrap(value)
    return value


def in_list(value):
    return [value]


def in_object(value):
    return {"x": value}


class Whole(int, enum.Enum):
    """A number that is more than a number, as callers in the same process may have them."""

    ONE = 1


class Word(str, enum.Enum):
    """A string that is more than a string."""

    X = "x"


#: name -> what an argument may or may not be
ODD = {
    "null": None,
    "true": True,
    "false": False,
    "zero": 0,
    "one": 1,
    "minus one": -1,
    "fraction": 0.5,
    "not a number": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "401 digits": 10**400,
    "minus 401 digits": -(10**400),
    "10,001 digits": 10**10_000,
    "empty string": "",
    "string": "x",
    "lone surrogate": "\ud800",
    "zero byte": "\0",
    "megabyte": MEGABYTE,
    "empty list": [],
    "list of strings": ["x", "y"],
    "list of empty strings": [""],
    "list of numbers": [1, 2],
    "list of nulls": [None],
    "list of pairs": [["x", 1], ["workers", 2]],
    "list of lone surrogates": ["\ud800"],
    "list of megabytes": [MEGABYTE],
    "list of 10,001 digits": [10**10_000],
    "empty object": {},
    "object": {"x": "y"},
    "object of amounts": {"x": 1, "y": 0.5},
    "object of negatives": {"x": -1},
    "object of infinities": {"x": math.inf, "y": -math.inf},
    "object of not a number": {"x": math.nan},
    "object of 401 digits": {"x": 10**400},
    "object of 10,001 digits": {"x": 10**10_000},
    "object of nulls": {"x": None},
    "object of lone surrogates": {"\ud800": "\udfff"},
    "object of megabytes": {MEGABYTE: MEGABYTE},
    "object named by numbers": {1: 2},
    "object named by nothing": {"": 1},
    "infinitely many processes": {"workers": math.inf},
    "processes in words": {"workers": "many"},
    "retries in words": {"retry_count": "many"},
    "90 levels of lists": nested(90, in_list),
    "90 levels of objects": nested(90, in_object),
    "1,000 levels of lists": nested(1000, in_list),
    "100,000 levels of lists": nested(100_000, in_list),
    "100,000 levels of objects": nested(100_000, in_object),
    "enumerated number": Whole.ONE,
    "enumerated string": Word.X,
    "bytes": b"x",
    "set": {"x"},
    "object()": object(),
}

#: what an argument is said to be -> examples of what is accepted, and of what is refused
KINDS = {
    "a string": (
        ["", "x", "\ud800", "\0", MEGABYTE],
        [1, True, 0.5, ["x"], {"x": "y"}, b"x"],
    ),
    "a string that is not empty": (
        ["x", "\ud800", MEGABYTE],
        ["", 0, 1, True, ["x"], {"x": "y"}, b"x"],
    ),
    "a list of strings that are not empty": (
        [[], ["x", "y", "x"], ("x",), {"x"}],
        ["x", "", 0, True, {"x": 1}, [""], [1], [None], [["x"]], nested(100_000, in_list)],
    ),
    "true or false": (
        [True, False, 0, 1, None],
        ["true", "", 2, -1, 0.5, math.nan, [], {}],
    ),
    "true, false or null": (
        [True, False, 0, 1, None],
        ["true", "", 2, -1, 0.5, math.nan, [], {}],
    ),
    "one of PENDING, RUNNING, BATCH_RUNNING, DONE, FAILED, DISABLED, SUSPENDED, UNKNOWN": (
        ["PENDING", "RUNNING", "BATCH_RUNNING", "DONE", "FAILED", "DISABLED", "SUSPENDED", "UNKNOWN"],
        ["", "done", "DONE ", 1, True, ["DONE"], {"DONE": 1}],
    ),
    "a number": (
        [0, 1, -1, 0.5, 10**400, -(10**10_000), math.inf, -math.inf],
        [True, "1", "", [1], {"x": 1}, math.nan],
    ),
    "a number of at least 0": (
        [0, 1, 0.5, 10**400, math.inf],
        [True, "1", [1], {"x": 1}, math.nan, -1, -0.5, -math.inf, -(10**400)],
    ),
    "a whole number of at least 0": (
        [0, 1, 7],
        [True, "1", [1], {"x": 1}, math.nan, math.inf, -1, 0.5, 10**400],
    ),
    "an object of resource names and numbers of at least 0": (
        [{}, {"x": 1, "y": 0.5, "z": 0}, {"x": math.inf}, {"x": 10**10_000}],
        ["x", 1, True, ["x"], {"x": -1}, {"x": "1"}, {"x": None}, {"x": True}, {"x": math.nan}, {"": 1}, {1: 1}],
    ),
    "an object of numbers": (
        [{}, {"x": 1, "y": -0.5}, {"x": math.inf}, {"x": 10**10_000}],
        ["x", 1, True, ["x"], {"x": "1"}, {"x": None}, {"x": True}, {"x": math.nan}],
    ),
    "an object": (
        [{}, {"x": "y"}, {"x": [1, None, {"y": True}]}, {"x": math.inf}, nested(90, in_object)],
        ["x", 1, True, [], [["x", 1]], {1: 2}, {"x": math.nan}, {"x": b"y"}, nested(200, in_object)],
    ),
    'an object or a list of pairs, with a number of at least 0 for "workers"': (
        [{}, [], {"workers": 3}, [["workers", 3]], {"x": "y", "z": [None]}, {"workers": math.inf}],
        ["x", 1, True, ["x"], {"workers": -1}, {"workers": "3"}, {"workers": None}, {1: 2}, [[["x"], 1]]],
    ),
    "an object with numbers for retry_count, disable_hard_timeout, disable_window": (
        [{}, {"retry_count": 1, "disable_window": 0.5, "x": "y"}, {"retry_count": None}, {"retry_count": math.inf}],
        ["x", 1, True, ["x"], {"retry_count": "1"}, {"disable_hard_timeout": True}, {"disable_window": math.nan}],
    ),
    "any JSON value": (
        [None, True, 1, 0.5, math.inf, 10**10_000, "", "x", [], [1, ["x"]], {}, {"x": {"y": None}}],
        [math.nan, b"x", {"x"}, object(), {1: 2}, [math.nan], nested(200, in_list), nested(100_000, in_object)],
    ),
}

#: arguments with which every call does something
SANE = {
    "amount": 3,
    "batched_args": ["date"],
    "content": "hello",
    "decrease_resources": {"disk": 1},
    "expl": "report",
    "family": "Load",
    "info": {"workers": 2},
    "message_id": "m",
    "n": 2,
    "owners": ["me"],
    "params": {"date": "1"},
    "progress_percentage": 50,
    "resource": "disk",
    "response": "fine",
    "statistics": {},
    "status_message": "half way",
    "task": "running",
    "task_family": "Load",
    "task_id": "running",
    "task_name": "Load",
    "task_str": "n",
    "worker": "w",
}


class ArgumentsCase(unittest.TestCase):
    def setUp(self):
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        self.make()

    def make(self):
        """A scheduler in which something runs, something waits, and something is below the rest."""
        self.now = 1000.0
        self.scheduler = Scheduler(clock=lambda: self.now, resources={"disk": 3})
        self.scheduler._agenda.state_id = "the same for all"
        add = self.scheduler.add_task
        self.scheduler.add_task_batcher(worker="w", task_family="Load", batched_args=["x"])
        add(worker="w", task_id="running", family="Load", params={"date": "1"}, resources={"disk": 2})
        self.scheduler.get_work(worker="w")
        add(worker="w", task_id="waiting", family="Load", params={"date": "2", "x": "1"}, batchable=True)
        add(worker="other", task_id="below", deps=["waiting"])
        add(worker="other", task_id="off", status="DISABLED", expl="report")
        self.now += 1

    def capture(self):
        """All that is kept, by way of the form in which it is kept on disk."""
        return luigid.load_plain(luigid.dump_plain(luigid.capture(self.scheduler._agenda)))

    def call(self, method, **arguments):
        return getattr(self.scheduler, method)(**arguments)

    def sane(self, method):
        """All that a call needs, and what an argument without a name of its own is."""
        needed = {name: SANE[name] for name, param in RPC_METHODS[method].params.items() if param.required}
        return {**needed, **({"disk": 3} if RPC_METHODS[method].rest else {})}

    def is_refused(self, method, argument, value):
        """Whether a call raises BadRequest: then it must name the argument, and nothing may have changed."""
        before = self.capture()
        try:
            self.call(method, **{**self.sane(method), argument: value})
        except BadRequest as error:
            self.assertIn(repr(argument), str(error))
            self.assertLess(len(str(error)), 400)
            self.assertEqual(self.capture(), before)
            return True
        return False

    def check_that_all_is_well(self):
        """Whatever got in: the indexes are true, everything can be read and sent, given out, written and read back."""
        self.scheduler.validate()
        self.assertEqual(self.capture(), luigid.capture(self.scheduler._agenda))
        reads = ("graph", "task_list", "worker_list", "resource_list")
        replies = [self.call(method) for method in reads]
        replies += [self.call(method, task_id="running") for method in ("fetch_error", "get_task_status_message")]
        replies += [self.call("ping", worker="w"), self.call("get_work", worker="w", assistant=True)]
        json.dumps(replies, allow_nan=False)


def arguments():
    """Method and name of every argument; one of any name where names are free."""
    for method, rpc in RPC_METHODS.items():
        yield from ((method, name) for name in rpc.params)
        if rpc.rest:
            yield method, "of any name"


def kind_of(method, argument):
    rpc = RPC_METHODS[method]
    return rpc.params[argument].kind if argument in rpc.params else rpc.rest


class TestKinds(ArgumentsCase):
    def test_what_fits_is_accepted(self):
        for method, argument in arguments():
            accepted, _ = KINDS[kind_of(method, argument).says]
            for value in accepted:
                with self.subTest(method=method, argument=argument, value=luigid.shown(value)):
                    self.assertFalse(self.is_refused(method, argument, value))

    def test_what_does_not_fit_is_refused(self):
        for method, argument in arguments():
            _, refused = KINDS[kind_of(method, argument).says]
            for value in refused:
                with self.subTest(method=method, argument=argument, value=luigid.shown(value)):
                    self.assertTrue(self.is_refused(method, argument, value))

    def test_message_says_what_is_wrong(self):
        with self.assertRaises(BadRequest) as caught:
            self.scheduler.add_task(worker="w", task_id="t", priority="high")
        self.assertEqual(str(caught.exception), "argument 'priority' of add_task must be a number, not 'high'")


class TestAnythingAnywhere(ArgumentsCase):
    def test_it_is_refused_by_name_with_nothing_changed_or_all_is_well(self):
        for method, argument in arguments():
            for name, value in ODD.items():
                with self.subTest(method=method, argument=argument, value=name):
                    if not self.is_refused(method, argument, value):
                        self.check_that_all_is_well()
                        self.make()

    def test_every_depth_that_is_accepted_can_be_read(self):
        deepest = 0
        for levels in range(1, 1200, 7):
            with self.subTest(levels=levels):
                self.make()
                accepted = not self.is_refused("add_worker", "info", nested(levels, in_object))
                accepted |= not self.is_refused("set_task_status_message", "status_message", nested(levels, in_list))
                self.check_that_all_is_well()
                deepest = levels if accepted else deepest
        self.assertGreater(deepest, 50)

    def test_sums_of_infinities_can_be_sent(self):
        for task_id in ("a", "b"):
            self.scheduler.add_task(worker="w", task_id=task_id, status="RUNNING", resources={"disk": math.inf})
        self.check_that_all_is_well()

    def test_parameters_of_any_value_can_be_batched(self):
        for number, value in enumerate((None, True, 1, 1.0, "1", [1], {"x": [None]}, 10**10_000, "\ud800")):
            params = {"date": value, "x": value}
            common = {"family": "Load", "batchable": True}
            self.scheduler.add_task(worker="w", task_id=f"t{number}", params=params, **common)
        self.check_that_all_is_well()


class TestPresence(ArgumentsCase):
    def test_missing_argument_is_named_and_nothing_changed(self):
        for method, rpc in RPC_METHODS.items():
            for argument in (name for name, param in rpc.params.items() if param.required):
                with self.subTest(method=method, argument=argument):
                    arguments = self.sane(method)
                    del arguments[argument]
                    before = self.capture()
                    with self.assertRaisesRegex(BadRequest, f"{method} .*'{argument}'"):
                        self.call(method, **arguments)
                    self.assertEqual(self.capture(), before)

    def test_unknown_arguments_are_ignored(self):
        for method in RPC_METHODS.keys() - {"update_resources"}:
            with self.subTest(method):
                self.assertEqual(self.outcome(method), self.outcome(method, unheard_of=ODD["100,000 levels of lists"]))

    def outcome(self, method, **arguments):
        """The reply to a call, and the state after it, in a fresh scheduler."""
        self.make()
        with mock.patch("uuid.uuid4", return_value="some id"):
            reply = self.call(method, **{**self.sane(method), **arguments})
        return reply, self.capture()


class TestNull(ArgumentsCase):
    outcome = TestPresence.outcome

    def test_null_is_the_default(self):
        for method, argument in arguments():
            kind = kind_of(method, argument)
            if argument not in self.sane(method) and not kind.nullable and argument in RPC_METHODS[method].params:
                with self.subTest(method=method, argument=argument):
                    self.assertEqual(self.outcome(method, **{argument: None}), self.outcome(method))

    def test_null_is_missing_where_there_is_no_default(self):
        for method, argument in arguments():
            if argument in self.sane(method) and not kind_of(method, argument).nullable:
                with self.subTest(method=method, argument=argument):
                    self.assertTrue(self.is_refused(method, argument, None))

    def test_null_is_false_for_flags(self):
        for method, argument in arguments():
            if kind_of(method, argument).says == "true or false":
                with self.subTest(method=method, argument=argument):
                    null, false = self.outcome(method, **{argument: None}), self.outcome(method, **{argument: False})
                    self.assertEqual(null, false)

    def test_null_leaves_what_was_said_before(self):
        for value in (True, False):
            self.scheduler.add_task(worker="w", task_id="t", batchable=value, accepts_messages=value)
            self.scheduler.add_task(worker="w", task_id="t", batchable=None, accepts_messages=None)
            task = self.scheduler._agenda.tasks["t"]
            self.assertEqual((task.batchable, task.accepts_messages), (value, value))

    def test_null_total_of_a_resource_is_left_out(self):
        self.scheduler.update_resources(disk=None, tape=1)
        totals = {resource["name"]: resource["num_total"] for resource in self.scheduler.resource_list()}
        self.assertEqual(totals, {"disk": 3, "tape": 1})


class TestSharing(ArgumentsCase):
    def kept(self, number, visibilities):
        self.scheduler.add_task(worker="w", task_id=f"t{number}", param_visibilities=visibilities)
        return self.scheduler._agenda.tasks[f"t{number}"].param_visibilities

    def test_tasks_share_equal_visibilities_of_the_usual_kind(self):
        said = {"day": 0, "password": 2}
        first, second, other = self.kept(1, said), self.kept(2, dict(said)), self.kept(3, {**said, "day": 1})
        self.assertEqual((first, other), (said, {"day": 1, "password": 2}))
        self.assertIs(first, second)
        said["day"] = 3
        self.assertEqual(self.kept(4, {"day": 0, "password": 2}), {"day": 0, "password": 2})

    def test_what_only_looks_equal_is_kept_as_it_is(self):
        for number, odd in enumerate([{"x": 1}, {"x": True}, {"x": 1.0}, {"x": [1]}, {"x": {}}, {"x" * 2000: 1}, {}]):
            with self.subTest(odd=odd):
                kept = self.kept(number, odd)
                self.assertEqual((kept, [*map(type, kept.values())]), (odd, [*map(type, odd.values())]))


if __name__ == "__main__":
    unittest.main()
