"""What is read from the task history: lists of runs, statistics, expectations, exports, pages, and what they cost."""

import base64
import contextlib
import csv
import datetime
import io
import itertools
import json
import re
import sqlite3
import tempfile
import threading
import unittest
import urllib.parse
from pathlib import Path
from unittest import mock

import luigid
from tests.unit.test_http import Client, request, wait_until

#: a Monday noon, local time, so that no bucket begins in the midst of a test's runs
NOON = datetime.datetime(2026, 3, 2, 12).timestamp()

HOSTILE = "<script>alert(1)</script>\"'&"


class HistoryTest(unittest.TestCase):
    """A scheduler with a clock of the test's, which records into a file and flushes when it is told to."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.now = NOON
        self.scheduler = luigid.Scheduler(
            clock=lambda: self.now,
            record_task_history=True,
            state_path=str(self.directory / "state"),
            retry_delay=1e6,
            remove_delay=1e6,
            worker_disconnect_delay=1e6,
        )
        self.scheduler.load()
        self.addCleanup(self.scheduler.close)
        self.reader = luigid.history_reader(self.scheduler)
        self.addCleanup(self.reader.close)
        self.numbers = itertools.count()

    def add(self, task_id, **arguments):
        worker = arguments.pop("worker", "w1")
        self.scheduler.add_task(worker=worker, task_id=task_id, family=task_id.partition("_")[0], **arguments)

    def begin(self, task_id, worker="w1", host="h1", **arguments):
        """Let a worker run a task, of which it is the only one."""
        self.add(task_id, worker=worker, **arguments)
        self.assertEqual(task_id, self.scheduler.get_work(worker=worker, host=host)["task_id"])

    def play(self, task_id, seconds=10.0, status="DONE", worker="w1", expl=None, **arguments):
        """Let a task run for so long and end, and a second go by."""
        self.begin(task_id, worker=worker, **arguments)
        self.now += seconds
        self.add(task_id, worker=worker, status=status, expl=expl)
        self.now += 1

    def listed(self, **arguments):
        """The task ids of a list of runs."""
        self.scheduler.flush()
        return [run["task_id"] for run in self.reader.runs(**arguments)["rows"]]

    def refused(self, call, **arguments):
        """The message with which a call is refused."""
        with self.assertRaises(luigid.BadRequest) as caught:
            getattr(self.reader, call)(**arguments)
        return str(caught.exception)


class RunsTest(HistoryTest):
    def test_a_run_is_told_with_its_times_and_public_parameters(self):
        self.add("A_1", params={"date": "today", "password": "secret"}, param_visibilities={"password": 1})
        self.now += 5
        self.scheduler.get_work(worker="w1", host="h1")
        self.now += 7
        self.add("A_1", status="FAILED", expl="Traceback\nValueError: no column\n")
        self.scheduler.flush()
        (run,) = self.reader.runs()["rows"]
        self.assertEqual(
            {
                "run_id": 1,
                "task_id": "A_1",
                "family": "A",
                "host": "h1",
                "worker": "w1",
                "status": "FAILED",
                "scheduled": NOON,
                "started": NOON + 5,
                "finished": NOON + 12,
                "duration": 7.0,
                "message": "ValueError: no column",
                "reason": None,
                "params": {"date": "today"},
            },
            run,
        )

    def test_each_filter_alone_and_two_together(self):
        self.play("A_1", worker="w1", host="h1", params={"x": "1", "y": "1"})
        self.play("A_2", worker="w2", host="h2", params={"x": "2", "y": "1"}, status="FAILED")
        self.play("B_1", worker="w2", host="h1", params={"x": "1"})
        self.add("B_2")
        for expected, filters in (
            ("B_2 B_1 A_2 A_1", {}),
            ("A_2 A_1", {"family": "A"}),
            ("B_1 A_1", {"host": "h1"}),
            ("B_1 A_2", {"worker": "w2"}),
            ("A_2", {"status": "FAILED"}),
            ("B_2 A_2", {"status": ["FAILED", "PENDING"]}),
            ("A_1", {"task_id": "A_1"}),
            ("B_1 A_1", {"param": "x=1"}),
            ("A_1", {"param": ["x=1", "y=1"]}),
            ("A_1", {"param": "x=1", "family": "A"}),
            ("", {"param": "x=3"}),
            ("B_1", {"host": "h1", "worker": "w2"}),
            ("", {"family": "A", "host": "nowhere"}),
            ("B_1 A_2", {"since": NOON + 11, "until": NOON + 22}),
            ("B_1", {"since": str(NOON + 11), "host": "h1"}),
            ("B_1", {"since": NOON + 11, "param": "x=1"}),
        ):
            with self.subTest(filters):
                self.assertEqual(expected.split(), self.listed(**filters))

    def test_every_order_gives_every_run_once_however_it_is_paged(self):
        for number in range(30):
            family = "ABC"[number % 3]
            self.play(f"{family}_{number}", seconds=number % 5, host=f"h{number % 2}", params={"even": str(number % 2)})
        self.scheduler.flush()
        keys = {"scheduled": ["scheduled"], "started": ["started"], "finished": ["finished"], "duration": ["duration"]}
        keys["family"] = ["family", "scheduled"]
        for sort, filters in itertools.product(luigid.RUN_SORTS, ({}, {"family": "B"}, {"host": "h1"})):
            with self.subTest(sort=sort, **filters):
                everything = self.reader.runs(sort=sort, **filters)
                self.assertIsNone(everything["next"])
                ordered = [[run[key] for key in keys[sort.lstrip("-")]] for run in everything["rows"]]
                self.assertEqual(sorted(ordered, reverse=sort.startswith("-")), ordered)
                self.assertEqual(everything["rows"], list(self.paged(sort=sort, limit=7, **filters)))
        for filters in ({"param": "even=1"}, {"param": "even=1", "family": "A"}, {"task_id": "A_0"}):
            everything = self.reader.runs(**filters)["rows"]
            self.assertTrue(everything)
            self.assertEqual(everything, list(self.paged(limit=2, **filters)))

    def paged(self, **arguments):
        after = {}
        while after is not None:
            reply = self.reader.runs(**arguments, **after)
            self.assertLessEqual(len(reply["rows"]), arguments["limit"])
            yield from reply["rows"]
            after = {"after": reply["next"]} if reply["next"] else None

    def test_what_matches_seldom_is_found_in_pieces(self):
        for number in range(40):
            self.play(f"A_{number}", host="rare" if number == 3 else "h1")
        self.scheduler.flush()
        with mock.patch.object(luigid, "SEARCH_STEP", 5), mock.patch.object(luigid, "SEARCH_SECONDS", 0):
            first = self.reader.runs(family="A", host="rare", sort="-duration", limit=2)
            self.assertEqual([], first["rows"])
            self.assertTrue(first["next"])
            found = list(self.paged(family="A", host="rare", sort="-duration", limit=2))
        self.assertEqual(["A_3"], [run["task_id"] for run in found])

    def test_a_hidden_parameter_cannot_be_guessed_by_filtering(self):
        self.play("A_1", params={"password": "secret"}, param_visibilities={"password": 2})
        self.assertEqual([], self.listed(param="password=secret"))
        self.assertEqual([], self.listed(param="password=secret", family="A"))

    def test_a_long_value_is_found_whole_and_shown_cut(self):
        long = "x" * 3000
        self.play("A_1", params={"q": long + "1"})
        self.play("A_2", params={"q": long + "2"})
        self.assertEqual(["A_2"], self.listed(param=f"q={long}2"))
        (run,) = self.reader.runs(param=f"q={long}2")["rows"]
        self.assertEqual("x" * luigid.MAX_LISTED_VALUE, run["params"]["q"])
        self.assertEqual(long + "2", self.reader.run(task_id="A_2")["params"]["q"])

    def test_what_is_wrong_is_named(self):
        self.play("A_1")
        self.scheduler.flush()
        for says, arguments in (
            ("did you mean family", {"famly": "A"}),
            ("'sort' of runs must be one of scheduled, started", {"sort": "size"}),
            ("'status' of runs must be one or more of PENDING", {"status": "OK"}),
            ("'limit' of runs must be a whole number from 1 to 1000", {"limit": "0"}),
            ("'limit' of runs must be a whole number from 1 to 1000", {"limit": "many"}),
            ("'since' of runs must be epoch seconds, or local time", {"since": "yesterday"}),
            ("'since' of runs must be epoch seconds, or local time", {"since": "nan"}),
            ("'since' of runs must be epoch seconds, or local time", {"since": "0001-01-01"}),
            ("'param' of runs must be NAME=VALUE", {"param": "date"}),
            ("'param' of runs", {"param": ["a=b"] * 6}),
            ("'after' of runs must be `next` of the page before", {"after": "?"}),
            ("'after' of runs must be `next` of the page before", {"after": luigid.encode_place([[]])}),
            ("'after' of runs must be `next` of the page before", {"after": nested(100_000)}),
            ("belongs to a list that is sorted otherwise", {"after": luigid.encode_place(["A", 1])}),
            ("belongs to a list that is sorted otherwise", {"after": luigid.encode_place([1.0, 1]), "sort": "family"}),
            ("with param runs can be sorted by scheduled", {"param": "a=b", "sort": "duration"}),
            ("with task_id runs can be sorted by scheduled", {"task_id": "A_1", "sort": "-started"}),
        ):
            with self.subTest(arguments):
                self.assertIn(says, self.refused("runs", **arguments))

    def test_a_day_may_be_written_as_one(self):
        self.play("A_1")
        day = datetime.date.fromtimestamp(NOON)
        self.assertEqual(["A_1"], self.listed(since=str(day), until=f"{day} 23:59"))
        self.assertEqual([], self.listed(since=f"{day} 12:00:01"))


class RunTest(HistoryTest):
    def test_a_run_with_its_attempts_and_its_neighbours(self):
        self.add("Load_1", deps=["Extract_1"])
        self.play("Extract_1", params={"date": "2026-03-02"})
        self.begin("Load_1", deps=["Extract_1"])
        self.now += 3
        self.add("Load_1", status="FAILED", expl="Traceback\nOSError: disk")
        self.now += 1
        self.play("Load_1", deps=["Extract_1"])
        self.scheduler.flush()

        load = self.reader.run(task_id="Load_1")
        self.assertEqual("DONE", load["status"])
        self.assertEqual(["DONE", "FAILED"], [run["status"] for run in load["attempts"]])
        failed = self.reader.run(run_id=load["attempts"][1]["run_id"])
        self.assertEqual(("Traceback\nOSError: disk", "OSError: disk"), (failed["error"], failed["message"]))
        events = [(event["event"], event["time"] - NOON) for event in failed["events"]]
        self.assertEqual([("PENDING", 0), ("PENDING", 11), ("RUNNING", 11), ("FAILED", 14)], events)
        ((dep, before),) = [(dep["task_id"], dep["run"]["status"]) for dep in failed["upstream"]]
        self.assertEqual(("Extract_1", "DONE"), (dep, before))
        extract = self.reader.run(task_id="Extract_1")
        self.assertEqual({"FAILED", "DONE"}, {run["status"] for run in extract["downstream"]})
        self.assertEqual("luigi --module MODULE Extract --date=2026-03-02", extract["command"])

    def test_downstream_are_the_runs_before_the_next_attempt(self):
        self.play("Extract_1")
        self.play("Load_1", deps=["Extract_1"])
        self.now += 1e5
        self.play("Extract_1")
        self.play("Load_2", deps=["Extract_1"])
        self.scheduler.flush()
        last, first = self.reader.run(task_id="Extract_1")["attempts"]
        downstream = [
            [run["task_id"] for run in self.reader.run(run_id=attempt["run_id"])["downstream"]]
            for attempt in (first, last)
        ]
        self.assertEqual([["Load_1"], ["Load_2"]], downstream)

    def test_a_dependency_that_never_ran(self):
        self.add("Gone_1", runnable=False, status="DONE")
        self.play("Load_1", deps=["Gone_1"])
        self.scheduler.flush()
        (dep,) = self.reader.run(task_id="Load_1")["upstream"]
        self.assertEqual(("Gone_1", None), (dep["task_id"], dep["run"]["started"]))

    def test_unknown_runs(self):
        self.play("A_1")
        self.scheduler.flush()
        for arguments in ({"run_id": 99}, {"task_id": "A_2"}):
            with self.assertRaises(luigid.NotFound):
                self.reader.run(**arguments)
        self.assertIn("needs the argument", self.refused("run"))
        self.assertIn("whole number", self.refused("run", run_id="x"))

    def test_hidden_parameters_are_in_no_command(self):
        hidden = {"params": {"a_b": "it's", "pw": "secret"}, "param_visibilities": {"pw": 1}}
        self.play("A_1", **hidden)
        self.scheduler.flush()
        run = self.reader.run(task_id="A_1")
        self.assertEqual({"a_b": "it's"}, run["params"])
        self.assertEqual("luigi --module MODULE A '--a-b=it'\"'\"'s'", run["command"])
        self.assertNotIn("secret", json.dumps(run))


class FamiliesTest(HistoryTest):
    def test_families_are_listed_with_what_became_of_their_runs(self):
        for number in range(4):
            self.play(f"Load_{number}", seconds=10 * (number + 1))
        self.play("Load_9", status="FAILED")
        self.add("Load_8", status="DONE")  # found complete: it is a run, but none that began
        self.add("Extract_1")
        self.scheduler.flush()
        extract, load = self.reader.families()["rows"]
        self.assertEqual(("Extract", 1, None), (extract["family"], extract["runs"], extract["success_rate"]))
        expected = {
            "family": "Load",
            "runs": 6,
            "began": 5,
            "done": 5,
            "failed": 1,
            "success_rate": 0.8,
            "median": 25.0,
        }
        self.assertEqual(expected, {name: load[name] for name in expected})
        self.assertEqual("Load_8", load["last"]["task_id"])

    def test_families_are_searched_and_paged(self):
        for name in ("Beta", "Alpha", "Alphabet", "Gamma"):
            self.play(f"{name}_1")
        self.scheduler.flush()
        names, after = [], {}
        while after is not None:
            reply = self.reader.families(search="alpha", limit=1, **after)
            names += [row["family"] for row in reply["rows"]]
            after = {"after": reply["next"]} if reply["next"] else None
        self.assertEqual(["Alpha", "Alphabet"], names)
        self.assertEqual(["Alpha", "Alphabet", "Beta", "Gamma"], [r["family"] for r in self.reader.families()["rows"]])
        self.assertIn("belongs to another list", self.refused("families", after=luigid.encode_place([1])))

    def test_the_durations_of_a_family(self):
        for number in range(100):
            self.play(f"Load_{number}", seconds=number + 1)
        self.play("Load_100", seconds=1000, status="FAILED")
        self.scheduler.flush()
        found = self.reader.family(family="Load", last=3)
        durations = {name: round(value, 6) for name, value in found["durations"].items()}
        expected = {"of": 100, "min": 1, "median": 50.5, "p90": 90.1, "p99": 99.01, "max": 100, "mean": 50.5}
        self.assertEqual(expected, durations)
        self.assertEqual([1000, 100, 99], [run["duration"] for run in found["last"]])
        middle = found["last"][2]["started"]
        self.assertEqual(2, self.reader.family(family="Load", since=middle)["durations"]["of"])
        with self.assertRaises(luigid.NotFound):
            self.reader.family(family="Nobody")

    def test_failures_are_grouped_by_what_they_say(self):
        for number in range(3):
            self.play(
                f"Load_{number}", status="FAILED", expl=f"Traceback\nValueError: no row {number} at 0x7fa{number}"
            )
        self.play("Load_7", status="FAILED", expl="OSError: disk full", host="h2")
        self.play("Copy_1", status="FAILED", expl="OSError: disk full")
        self.scheduler.flush()
        rows = self.reader.failures()["rows"]
        said = [(row["message"], row["count"], row["families"]) for row in rows]
        self.assertEqual(
            [("ValueError: no row # at #", 3, ["Load"]), ("OSError: disk full", 2, ["Copy", "Load"])], said
        )
        self.assertEqual("Load_2", self.reader.run(run_id=rows[0]["run_id"])["task_id"])
        (load,) = self.reader.failures(family="Load", limit=1)["rows"]
        self.assertEqual(3, load["count"])
        self.assertEqual(["h2"], self.reader.failures(family="Load")["rows"][1]["hosts"])

    def test_runs_over_time(self):
        for day in range(3):
            self.now = NOON + day * 86400
            self.play("Load_1", seconds=10 * (day + 1))
            self.play("Load_2", status="FAILED")
        self.scheduler.flush()
        for family in ("Load", ""):
            reply = self.reader.buckets(family=family, since=NOON, until=self.now)
            self.assertEqual("hour", reply["bucket"])
            rows = self.reader.buckets(family=family, bucket="day", since=NOON, until=self.now)["rows"]
            self.assertEqual([(1, 1)] * 3, [(row["done"], row["failed"]) for row in rows])
            self.assertEqual([row["end"] for row in rows[:-1]], [row["start"] for row in rows[1:]])
            self.assertEqual([10.0, 20.0, 30.0] if family else [None] * 3, [row["mean"] for row in rows])
        (week,) = self.reader.buckets(bucket="week", since=NOON, until=self.now)["rows"]
        self.assertEqual(0, datetime.datetime.fromtimestamp(week["start"]).weekday())
        self.assertEqual((3, 3), (week["done"], week["failed"]))
        self.assertIn("more than 400 buckets", self.refused("buckets", bucket="hour", since=0))
        self.assertIn("far from any", self.refused("buckets", until=-1e15))

    def test_buckets_cover_any_time_without_gaps(self):
        for size, length in (("hour", 3600), ("day", 86400), ("week", 7 * 86400)):
            for offset in range(0, 370 * 86400, 3_000_017):
                since, until = NOON + offset, NOON + offset + 30 * length
                edges = luigid.bucket_edges(size, since, until)
                self.assertEqual(sorted(set(edges)), edges)
                self.assertTrue(edges[0] <= since < edges[1] and edges[-2] < until <= edges[-1], (size, offset))


class ExpectationsTest(HistoryTest):
    def test_a_run_is_slow_over_p95_and_twice_the_median(self):
        for number in range(20):
            self.play(f"Load_{number}", seconds=10)
        for number in range(20, 24):
            self.play(f"Load_{number}", seconds=50)
        self.begin("Load_99", host="h7")
        self.begin("New_1", worker="w2")
        self.scheduler.flush()
        began = self.now
        for seconds, slow in ((5, False), (21, False), (49, False), (51, True)):
            self.now = began + seconds
            self.assertEqual(slow, self.expected("Load_99")["slow"], seconds)
        row = self.expected("Load_99")
        self.assertEqual((10.0, 50.0, 24), (row["expected"], row["p95"], row["of"]))
        self.assertEqual((51.0, 0.0), (row["running_for"], row["remaining"]))
        self.assertEqual(("Load", "w1", "h7"), (row["family"], row["worker"], row["host"]))
        new = self.expected("New_1")
        self.assertEqual((None, None, 0, None), (new["expected"], new["p95"], new["of"], new["remaining"]))
        self.assertFalse(new["slow"])

    def test_a_run_is_not_slow_below_twice_the_median(self):
        for number in range(20):
            self.play(f"Load_{number}", seconds=10)
        self.begin("Load_99")
        self.scheduler.flush()
        began = self.now
        for seconds, slow in ((11, False), (20, False), (21, True)):
            self.now = began + seconds
            self.assertEqual(slow, self.expected("Load_99")["slow"], seconds)

    def expected(self, task_id):
        return next(row for row in self.reader.expectations()["rows"] if row["task_id"] == task_id)

    def test_the_expectation_is_of_the_last_20(self):
        for number in range(30):
            self.play(f"Load_{number}", seconds=100 if number < 10 else 10)
        self.begin("Load_99")
        self.scheduler.flush()
        self.assertEqual(10.0, self.expected("Load_99")["expected"])

    def test_it_is_looked_up_again_after_a_minute(self):
        self.play("Load_1", seconds=10)
        self.scheduler.flush()
        with mock.patch.object(luigid.time, "monotonic", return_value=1000.0) as monotonic:
            self.assertEqual(10.0, self.reader.family_seconds(["Load"])["Load"].median)
            self.play("Load_2", seconds=20)
            self.scheduler.flush()
            self.assertEqual(10.0, self.reader.family_seconds(["Load"])["Load"].median)
            monotonic.return_value += luigid.EXPECTED_KEPT + 1
            self.assertEqual(15.0, self.reader.family_seconds(["Load"])["Load"].median)

    def test_no_more_families_are_remembered_than_there_may_be(self):
        self.play("A_1")
        self.scheduler.flush()
        with mock.patch.object(luigid, "MAX_ESTIMATES", 3):
            for number in range(10):
                self.reader.family_seconds([f"F{number}"])
            self.assertEqual(3, len(self.reader._estimates))

    def test_the_finish_of_a_root_is_along_the_critical_path(self):
        for family, seconds in (("Short", 10), ("Long", 100), ("Join", 7)):
            self.play(f"{family}_0", seconds=seconds)
        self.begin("Long_1")
        self.add("Short_1", worker="w2")
        self.add("Join_1", worker="w2", deps=["Short_1", "Long_1"])
        self.now += 30
        self.scheduler.flush()
        (row,) = self.reader.expected_finish()["rows"]
        self.assertEqual(("Join_1", 77.0, self.now + 77, ["Long_1", "Join_1"]), self.told(row))
        self.assertEqual((None, []), (row["why"], row["guessed_families"]))
        (alone,) = self.reader.expected_finish(task_id="Join_1")["rows"]
        self.assertEqual({**row, "remaining_tasks": 3}, alone)
        self.now += 100  # it runs longer than expected: what follows it is all that is left
        self.assertEqual(10 + 7, self.reader.expected_finish(task_id="Join_1")["rows"][0]["seconds"])

    def told(self, row):
        return row["task_id"], row["seconds"], row["finish"], row["path"]

    def test_a_family_without_a_success_is_guessed(self):
        self.play("Known_0", seconds=10)
        self.play("Other_0", seconds=30)
        self.add("Known_1")
        self.add("Other_1", deps=["Known_1"])
        self.add("New_1", deps=["Other_1"])
        self.scheduler.flush()
        (row,) = self.reader.expected_finish(task_id="New_1")["rows"]
        self.assertEqual((10 + 30 + 20, ["New"]), (row["seconds"], row["guessed_families"]))

    def test_why_there_is_no_finish(self):
        self.play("Load_0")
        self.add("New_1")
        self.add("Load_1", deps=["Off_1"])
        self.add("Off_1", status="DISABLED")
        self.add("Load_2", deps=["Missing_1"])
        self.add("Load_3", deps=["Load_4"])
        self.add("Load_4", deps=["Load_3"])
        self.begin("Unseen_1", worker="w2")
        self.scheduler.flush()
        why = {
            task_id: self.reader.expected_finish(task_id=task_id)["rows"][0]
            for task_id in ("New_1", "Load_1", "Load_2", "Load_3", "Unseen_1")
        }
        self.assertIn("none of the families", why["New_1"]["why"])
        self.assertIn("none of the families", why["Unseen_1"]["why"])
        self.assertEqual((["Off_1"], None), (why["Load_1"]["blocked_by"], why["Load_1"]["finish"]))
        self.assertIn("Off_1 is DISABLED", why["Load_1"]["why"])
        self.assertIn("Missing_1 is UNKNOWN", why["Load_2"]["why"])
        self.assertIn("depends on itself", why["Load_3"]["why"])
        with self.assertRaises(luigid.NotFound):
            self.reader.expected_finish(task_id="Nobody_1")

    def test_a_failed_task_waits_for_its_retry(self):
        self.play("Load_1", seconds=10)
        self.play("Load_2", status="FAILED")
        self.scheduler.flush()
        (row,) = self.reader.expected_finish()["rows"]
        self.assertEqual(1e6 - 1 + 10, row["seconds"])

    def test_long_chains_and_graphs_that_are_too_large(self):
        self.play("Load_0", seconds=2)
        self.scheduler.flush()
        ids = [f"Load_{number}" for number in range(1, 3001)]
        for task_id, dep in zip(ids, [None, *ids]):
            self.add(task_id, deps=[dep] if dep else [])
        (row,) = self.reader.expected_finish()["rows"]
        self.assertEqual((6000.0, luigid.MAX_RELATIVES, ids[0]), (row["seconds"], len(row["path"]), row["path"][0]))
        with mock.patch.object(luigid, "MAX_LEFT", 1000):
            self.assertEqual([], self.reader.expected_finish()["rows"])
            self.assertTrue(self.reader.expected_finish()["truncated"])


class CostsTest(HistoryTest):
    """Nothing that is asked walks over a whole table, or sorts what it finds."""

    CALLS = (
        *(("runs", {"sort": sort}) for sort in luigid.RUN_SORTS),
        *(("runs", {"sort": sort, "family": "A"}) for sort in luigid.RUN_SORTS),
        *(("runs", {"sort": sort, "host": "h1", "status": ["DONE", "FAILED"]}) for sort in luigid.RUN_SORTS),
        *(("runs", {name: value}) for name, value in (("host", "h1"), ("worker", "w1"), ("task_id", "A_1"))),
        ("runs", {"status": "DONE", "since": NOON - 1, "until": NOON + 1e6}),
        ("runs", {"param": "x=1", "since": NOON}),
        ("runs", {"param": ["x=1", "y=2"], "family": "A", "worker": "w1"}),
        ("run", {"run_id": 1}),
        ("run", {"task_id": "A_2"}),
        ("families", {}),
        ("family", {"family": "A"}),
        ("family", {"family": "A", "since": NOON}),
        ("failures", {}),
        ("failures", {"family": "A"}),
        ("buckets", {"since": NOON, "until": NOON + 1e5}),
        ("buckets", {"family": "A", "since": NOON, "until": NOON + 1e5}),
        ("expectations", {}),
    )

    def test_every_query_uses_an_index(self):
        for number in range(20):
            self.play(f"A_{number}", params={"x": "1", "y": str(number)}, deps=["A_1"] if number > 1 else [])
        self.play("A_99", status="FAILED")
        self.begin("A_100")
        self.scheduler.flush()
        asked = {}
        execute = luigid.Session.execute

        def note(session, sql, values=()):
            asked[sql] = values
            return execute(session, sql, values)

        with mock.patch.object(luigid.Session, "execute", note):
            for call, arguments in self.CALLS:
                reply = getattr(self.reader, call)(**arguments)
                if reply.get("next"):
                    getattr(self.reader, call)(after=reply["next"], **arguments)
            for sort in luigid.RUN_SORTS:
                after = self.reader.runs(sort=sort, limit=2)["next"]
                self.reader.runs(sort=sort, limit=2, after=after, family="A")
        self.assertGreater(len(asked), 40)
        with contextlib.closing(sqlite3.connect(self.directory / "state.history.db")) as database:
            for sql, values in asked.items():
                plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
                with self.subTest(sql, plan=plan):
                    for step in plan:
                        self.assertNotRegex(step, r"SCAN (TABLE )?(luigid|task|r\b|q\b|d\b)")
                        self.assertNotRegex(step, "TEMP B-TREE FOR ORDER BY|AUTOMATIC")
                    # With two limits at one end, a later page may be looked for from the beginning of the first.
                    self.assertNotRegex(sql, r"\(r\.(\w+), .*\) ([<>]) \(.* r\.\1 \2= \?")

    def test_reading_waits_for_no_writer(self):
        self.play("A_1")
        self.scheduler.flush()
        with contextlib.closing(sqlite3.connect(self.directory / "state.history.db", isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("DELETE FROM luigid_runs")
            self.assertEqual(["A_1"], [run["task_id"] for run in self.reader.runs()["rows"]])
            writer.execute("ROLLBACK")

    def test_nothing_can_be_written(self):
        self.play("A_1")
        self.scheduler.flush()
        with self.assertRaises(luigid.Unavailable):
            self.reader._ask(lambda session: session.execute("DELETE FROM luigid_runs"))
        self.assertEqual(["A_1"], self.listed())

    def test_what_takes_too_long_is_given_up(self):
        self.play("A_1")
        self.scheduler.flush()
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
        impatient = mock.patch.object(luigid, "READ_SECONDS", 0.01)
        with impatient, self.assertRaisesRegex(luigid.Unavailable, "takes more than"):
            self.reader._ask(lambda session: session.rows(endless))
        self.assertEqual(["A_1"], self.listed())

    def test_so_many_questions_at_a_time_and_no_more(self):
        self.play("A_1")
        self.scheduler.flush()
        inside, go_on = threading.Semaphore(0), threading.Event()

        def wait(session):
            inside.release()
            go_on.wait()

        threads = [threading.Thread(target=self.reader._ask, args=(wait,)) for _ in range(luigid.READERS)]
        for thread in threads:
            thread.start()
            inside.acquire()
        with mock.patch.object(luigid, "WAIT_SECONDS", 0):
            self.assertRaisesRegex(luigid.Unavailable, "too many questions", self.reader.runs)
        go_on.set()
        for thread in threads:
            thread.join()
        self.assertEqual(["A_1"], self.listed())
        self.assertLessEqual(len(self.reader._idle), luigid.READERS)

    def test_a_database_that_is_away(self):
        with self.assertRaises(luigid.Unavailable):
            self.reader.runs()
        self.play("A_1")
        self.assertEqual(["A_1"], self.listed())

    def test_a_connection_that_broke_is_made_again(self):
        self.play("A_1")
        self.assertEqual(["A_1"], self.listed())
        (session,) = self.reader._idle
        session.close()
        self.assertEqual(["A_1"], self.listed())

    def test_the_scheduler_is_not_held_up(self):
        self.play("A_1")
        self.begin("A_2")
        self.scheduler.flush()
        execute = luigid.Session.execute

        def check(session, sql, values=()):
            self.assertFalse(self.scheduler._lock.locked())
            return execute(session, sql, values)

        with mock.patch.object(luigid.Session, "execute", check):
            self.assertEqual(1, len(self.reader.expectations()["rows"]))
            self.assertEqual(1, len(self.reader.expected_finish()["rows"]))


class ExportTest(HistoryTest):
    def export(self, name, form, **arguments):
        self.scheduler.flush()
        return b"".join(luigid.exported(self.reader, name, form, arguments)).decode("utf-8")

    def test_every_list_as_csv_and_json_lines(self):
        for number in range(7):
            self.play(f"A_{number}", params={"x": str(number)}, status="DONE" if number else "FAILED")
        self.begin("B_1")
        with mock.patch.object(luigid, "MAX_PAGE_ROWS", 3):
            for name in luigid.EXPORTED:
                with self.subTest(name):
                    arguments = {"since": NOON, "until": self.now} if name == "buckets" else {}
                    reply = getattr(self.reader, name)(**arguments)["rows"] if self.export(name, "csv") else None
                    lines = self.export(name, "jsonl", **arguments).splitlines()
                    self.assertEqual(reply, [json.loads(line) for line in lines])
                    table = list(csv.DictReader(io.StringIO(self.export(name, "csv", **arguments))))
                    self.assertEqual(len(reply), len(table))
                    self.assertEqual(list(reply[0]), list(table[0]))
        self.assertEqual(8, len(self.export("runs", "jsonl").splitlines()))
        with mock.patch.object(luigid, "MAX_PAGE_ROWS", 3):
            self.assertEqual(2, len(self.export("runs", "jsonl", limit="2", family="A").splitlines()))
            self.assertEqual(5, len(self.export("runs", "jsonl", limit="5").splitlines()))
        for arguments in ({"limit": "0"}, {"limit": "some"}, {"famly": "A"}):
            with self.assertRaises(luigid.BadRequest):
                self.export("runs", "jsonl", **arguments)
        with self.assertRaises(luigid.BadRequest):
            self.export("buckets", "jsonl", limit="2")

    def test_nothing_in_csv_is_a_formula(self):
        for start in "=+-@\t\r":
            self.play(f"{start}cmd()_1", seconds=1)
        for row in csv.DictReader(io.StringIO(self.export("runs", "csv"))):
            self.assertRegex(row["task_id"], r"\A'[=+@\t\r-]cmd")
            self.assertEqual("1.0", row["duration"])

    def test_a_stalled_export_holds_nothing(self):
        for number in range(4):
            self.play(f"A_{number}")
        self.scheduler.flush()
        with mock.patch.object(luigid, "MAX_PAGE_ROWS", 2):
            blocks = luigid.exported(self.reader, "runs", "jsonl", {})
            next(blocks)
            with contextlib.closing(sqlite3.connect(self.directory / "state.history.db")) as writer:
                writer.execute("DELETE FROM luigid_deps")
                writer.commit()
                busy = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            self.assertEqual(0, busy)
            self.assertEqual(2, next(blocks).count(b"\n"))


class WebTest(HistoryTest):
    """What the server makes of it."""

    options = {}

    def setUp(self):
        super().setUp()
        self.server = luigid.make_server(self.scheduler, **self.options)
        thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def ask(self, target, verb="GET", **headers):
        with Client(self.server.server_address) as client:
            return client.send(request(target, verb, **headers)).reply(verb)

    def page(self, target, status=200):
        reply = self.ask(target)
        text = reply.body.decode("utf-8")
        self.assertEqual(status, reply.status, text)
        self.assertEqual("text/html; charset=UTF-8", reply.headers["content-type"])
        self.assertIn("default-src 'self'", reply.headers["content-security-policy"])
        self.assertNotRegex(text, r"<script|<style|\sstyle=|\son\w+=")
        return text


class ApiTest(WebTest):
    def get(self, target, status=200):
        reply = self.ask(f"/api/history/{target}")
        self.assertEqual((status, "application/json; charset=UTF-8"), (reply.status, reply.headers["content-type"]))
        return reply.json["response" if status == 200 else "error"]

    def test_every_question_by_http(self):
        self.play("A_1", params={"x": "1"})
        self.play("A_2", status="FAILED")
        self.scheduler.flush()
        self.assertEqual(["A_2", "A_1"], [run["task_id"] for run in self.get("runs")["rows"]])
        self.assertEqual(2, len(self.get("runs?status=FAILED&status=DONE&family=A&sort=-duration")["rows"]))
        self.assertEqual(1, len(self.get("runs?param=x%3D1&family=")["rows"]))
        self.assertEqual("A_1", self.get("run?task_id=A_1")["task_id"])
        self.assertEqual("A_1", self.get("run?run_id=1")["task_id"])
        for target in ("families", "family?family=A", "failures", "buckets", "expectations", "expected_finish"):
            self.get(target)

    def test_what_is_refused(self):
        self.play("A_1")
        self.scheduler.flush()
        self.assertIn("did you mean family", self.get("runs?famly=A", 400))
        self.assertIn("once only", self.get("runs?family=A&family=B", 400))
        self.assertIn("format must be one of json, csv, jsonl", self.get("runs?format=xml", 400))
        self.assertIn("format must be one of json, not 'csv'", self.get("run?run_id=1&format=csv", 400))
        self.assertIn("no run 7", self.get("run?run_id=7", 404))
        self.assertIn("family", self.get("family", 400))
        self.assertEqual(404, self.ask("/api/history/nothing").status)
        self.assertEqual(405, self.ask("/api/history/runs", "POST").status)

    def test_files_are_streamed(self):
        for number in range(5):
            self.play(f"A_{number}", params={"x": "\u00e9"})
        self.scheduler.flush()
        with mock.patch.object(luigid, "MAX_PAGE_ROWS", 2):
            for form, kind in (("csv", "text/csv"), ("jsonl", "application/jsonl")):
                for version in ("1.1", "1.0"):
                    with Client(self.server.server_address) as client:
                        client.send(request(f"/api/history/runs?format={form}", version=version, Connection="close"))
                        head, _, body = client.stream.read().partition(b"\r\n\r\n")
                    self.assertTrue(head.startswith(b"HTTP/1.1 200 "), head)
                    self.assertIn(f"Content-Type: {kind}; charset=UTF-8\r\n".encode(), head)
                    self.assertIn(f'filename="history-runs.{form}"'.encode(), head)
                    body = unchunked(body) if b"Transfer-Encoding: chunked" in head else body
                    self.assertEqual(version == "1.1", b"Transfer-Encoding" in head)
                    self.assertEqual(5 + (form == "csv"), body.count(b"\n"))
            with Client(self.server.server_address) as client:  # and the connection is fit for what comes next
                client.send(request("/api/history/runs?format=jsonl"), request("/api/history/run?run_id=1"))
                while client.stream.readline() != b"0\r\n":
                    pass
                client.stream.readline()
                self.assertEqual("A_0", client.reply().json["response"]["task_id"])

    def test_a_file_that_fails_has_no_end(self):
        for number in range(5):
            self.play(f"A_{number}")
        self.scheduler.flush()
        runs, calls = luigid.HistoryReader.runs, itertools.count()

        def fail(reader, **arguments):
            if next(calls):
                raise luigid.Unavailable("gone")
            return runs(reader, **arguments)

        small = mock.patch.object(luigid, "MAX_PAGE_ROWS", 2)
        failing, logged = mock.patch.object(luigid.HistoryReader, "runs", fail), self.assertLogs(luigid.logger)
        with small, failing, logged, Client(self.server.server_address) as client:
            sent = client.send(request("/api/history/runs?format=jsonl")).stream.read()
        self.assertEqual(2, sent.count(b"run_id"))
        self.assertFalse(sent.endswith(b"0\r\n\r\n"))

    def test_a_client_that_stalls_is_hung_up_on(self):
        endless = {"rows": [{"text": "x" * 10_000}] * 100, "next": "more"}
        hasty = mock.patch.multiple(
            luigid, TRANSFER_SECONDS=0.01, TRANSFER_RATE=1e9, LINGER_SECONDS=0.01, SWEEP_SECONDS=0.01
        )
        endlessly = mock.patch.object(luigid.HistoryReader, "runs", lambda reader, **arguments: endless)
        with hasty, endlessly, Client(self.server.server_address) as client:
            client.send(request("/api/history/runs?format=jsonl"))
            self.assertTrue(client.stream.readline().startswith(b"HTTP/1.1 200 "))
            wait_until(lambda: not self.server._connections)

    def test_it_is_in_the_description(self):
        paths = self.ask("/api/openapi.json").json["paths"]
        for name, spec in luigid.HISTORY_CALLS.items():
            path = paths[f"/api/history/{name}"]
            self.assertEqual({"get"}, set(path))
            fields = {field["name"] for field in path["get"]["parameters"]}
            self.assertEqual(set(spec.params) | ({"format"} if name in luigid.EXPORTED else set()), fields)
            self.assertIn("404", path["get"]["responses"])
        ids = [verb["operationId"] for path in paths.values() for verb in path.values()]
        self.assertEqual(len(ids), len(set(ids)))

    def test_a_viewer_may_read(self):
        self.assertEqual("viewer", luigid.LEAST_ROLES["history"])
        self.assertFalse(luigid.makes_changes("history"))


def nested(levels):
    return base64.b64encode(b"[" * levels).decode()


def unchunked(body):
    stream, content = io.BytesIO(body), b""
    while size := int(stream.readline(), 16):
        content += stream.read(size)
        stream.readline()
    return content


class PagesTest(WebTest):
    def test_stocks_addresses(self):
        self.play("A_1", params={"date": "2026-03-02", "n": "1"}, host="h1")
        self.play("A_2", params={"date": "2026-03-03"}, status="FAILED", expl="ValueError: no <column>")
        self.scheduler.flush()
        data = urllib.parse.quote('{"date": "2026-03-02", "n": 1}')
        for target, shown in (
            ("/history", "date=2026-03-03"),
            ("/history?status=FAILED", "FAILED"),
            ("/history/by_name/A", "Runs of A"),
            (f"/history/by_params/A?data={data}", "date=2026-03-02"),
            ("/history/by_params/A", "date=2026-03-02"),
            ("/history/by_id/2", "ValueError: no &lt;column&gt;"),
            ("/history/by_task_id/A_1", "2026-03-02"),
            ("/tasklist", ">A</a>"),
            ("/tasklist/A", "<svg"),
        ):
            with self.subTest(target):
                self.assertIn(shown, self.page(target))
        self.assertNotIn("2026-03-03", self.page(f"/history/by_params/A?data={data}"))

    def test_what_cannot_be_found_or_asked(self):
        self.play("A_1")
        self.scheduler.flush()
        for target, status in (
            ("/history/by_id/77", 404),
            ("/history/by_id/x", 404),
            ("/history/by_id/-1", 404),
            ("/history/by_id/%D9%A1" + "0" * 5000, 404),
            ("/history/by_task_id/B", 404),
            ("/history/by_name/B", 404),
            ("/history/by_name/", 404),
            ("/tasklist/B", 404),
            ("/history/elsewhere", 404),
            ("/history/by_params/A?data={", 400),
            ("/history/by_params/A?data=[]", 400),
            ("/history/by_params/A?data=" + "[" * 50000, 400),
            ("/history?status=GREAT", 400),
            ("/history?since=never", 400),
            ("/history?after=x", 400),
        ):
            with self.subTest(target[:80]):
                self.page(target, status)

    def test_everything_typed_by_somebody_is_text(self):
        self.scheduler.add_task(
            worker=HOSTILE, task_id=HOSTILE, family=HOSTILE, params={HOSTILE: HOSTILE}, deps=["x" + HOSTILE]
        )
        self.scheduler.add_task(worker=HOSTILE, task_id="x" + HOSTILE, family="x")
        for expected in ("x" + HOSTILE, HOSTILE):
            self.assertEqual(expected, self.scheduler.get_work(worker=HOSTILE, host=HOSTILE)["task_id"])
            self.now += 1
            failed = {"status": "FAILED", "expl": HOSTILE} if expected == HOSTILE else {"status": "DONE"}
            self.scheduler.add_task(worker=HOSTILE, task_id=expected, **failed)
        self.scheduler.flush()
        name = urllib.parse.quote(HOSTILE, safe="")
        pages = [self.page(f"/{path}") for path in ("history", "tasklist", f"tasklist/{name}", "history/by_id/1")]
        pages.append(self.page(f"/history/by_task_id/{name}"))
        pages.append(self.page(f"/history/by_name/{name}"))
        pages.append(self.page(f"/history/by_params/{name}?data=" + urllib.parse.quote(json.dumps({HOSTILE: HOSTILE}))))
        pages.append(self.page("/history?family=" + name))
        for text in pages:
            self.assertIn("&lt;script&gt;", text)
            self.assertNotIn("<script", text)
            links = re.findall(r'href="([^"]*)"', text)
            self.assertFalse([link for link in links if re.match(r"\w+:|//", link)], links)
        self.page(f"/history/by_task_id/{name}x", 404)

    def test_links_lead_somewhere_from_every_depth(self):
        for number in range(60):
            self.play(f"A_{number}", params={"x": "1"}, status="DONE" if number % 3 else "FAILED")
        self.scheduler.flush()
        seen, waiting = set(), ["/history", "/tasklist"]
        while waiting:
            target = waiting.pop()
            if target in seen or len(seen) > 40:
                continue
            seen.add(target)
            for link in re.findall(r'(?:href|action)="([^"#]*)', self.page(target)):
                found = urllib.parse.urljoin(target, link.replace("&amp;", "&"))
                if found.startswith(("/history", "/tasklist")):
                    waiting.append(found)
                else:
                    self.assertTrue(found.startswith(("/static/visualiser/", "/api/history/")), found)
        self.assertTrue(any("after=" in target for target in seen))

    def test_success_and_failure_have_different_shapes(self):
        self.play("A_1", seconds=5)
        self.play("A_2", seconds=9, status="FAILED")
        self.scheduler.flush()
        text = self.page("/tasklist/A")
        self.assertEqual((1, 1), (text.count("<circle"), text.count("<path")))
        self.assertIn("<title>FAILED, 9 s,", text)

    def test_head_has_no_body(self):
        self.play("A_1")
        self.scheduler.flush()
        self.assertEqual((200, b""), self.ask("/history", "HEAD")[::2])

    def test_a_database_that_is_away(self):
        self.assertIn("cannot", self.page("/history", 503) + "cannot")
        self.assertEqual(503, self.ask("/api/history/runs").status)


class OffTest(unittest.TestCase):
    def test_without_a_history_the_pages_say_how_to_get_one(self):
        scheduler = luigid.Scheduler()
        self.assertIsNone(luigid.history_reader(scheduler))
        server = luigid.make_server(scheduler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            for target in ("/history", "/history/by_id/1", "/tasklist", "/api/history/runs"):
                with Client(server.server_address) as client:
                    reply = client.send(request(target)).reply()
                self.assertEqual(404, reply.status)
                self.assertIn(b"record_task_history", reply.body)
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class WordsTest(unittest.TestCase):
    def test_durations(self):
        for seconds, text in (
            (None, ""),
            (0, "0 s"),
            (0.256, "0.26 s"),
            (9.7, "9.7 s"),
            (59, "59 s"),
            (59.7, "1 min"),
            (200, "3 min 20 s"),
            (7500, "2 h 5 min"),
            (90000, "1 d 1 h"),
            (86400 * 400, "400 d"),
        ):
            self.assertEqual(text, luigid.duration_text(seconds))

    def test_quantiles(self):
        self.assertEqual(3.0, luigid.quantile([3.0], 0.9))
        self.assertEqual(1.5, luigid.quantile([1.0, 2.0], 0.5))
        self.assertEqual(2.0, luigid.quantile([1.0, 2.0], 1))

    def test_hardly_all_is_not_all(self):
        self.assertEqual(["100 %", "99.9 %", "0 %", ""], [luigid.percentage(s) for s in (1.0, 0.99999, 0.0, None)])


if __name__ == "__main__":
    unittest.main()
