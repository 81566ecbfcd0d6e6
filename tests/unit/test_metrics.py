"""Metrics: the text that /metrics answers with, what is counted and by whom, collectors, and health."""

import collections
import contextlib
import http.client
import json
import logging
import math
import os
import re
import socket
import sys
import tempfile
import threading
import time
import types
import unittest
from unittest import mock

import luigid
from luigid import DONE, FAILED, OTHERS, RUNNING, Scheduler, Settings, SettingsError, Timing, exposition, metric
from tests.unit.test_security import Logged

PATIENCE = 20  # seconds until a test gives up; none of them lasts that long unless it fails

COMMENT = re.compile(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)").fullmatch
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)").fullmatch


def parse(text):
    """Read the text format strictly: (metric types, {line without its number: number}). AssertionError for nonsense."""
    kinds, docs, found = {}, set(), {}
    if not text.endswith("\n"):
        raise AssertionError("the last line has no end")
    for line in text[:-1].split("\n"):
        comment, sample = COMMENT(line), SAMPLE(line)
        if comment:
            what, name, said = comment.groups()
            if name in (docs if what == "HELP" else kinds):
                raise AssertionError(f"a second {line}")
            docs.add(name) if what == "HELP" else kinds.update({name: said})
            continue
        if not sample:
            raise AssertionError(f"no line of the format: {line!r}")
        base = re.sub(r"_(bucket|sum|count)$", "", sample[1])
        if sample[1] not in kinds and kinds.get(base) != "histogram":
            raise AssertionError(f"nothing says what {line} is")
        series = line[: -len(sample[3]) - 1]
        if series in found:
            raise AssertionError(f"{series} is there twice")
        found[series] = float(sample[3])
    return kinds, found


def settings(**options):
    """Settings as flags would make them: section__name=value; no file of this machine is read."""
    given = {tuple(name.split("__")): value for name, value in options.items()}
    return Settings.load(given, {"LUIGI_CONFIG_PATH": os.devnull})


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


class FormatTest(unittest.TestCase):
    def value_of(self, said):
        text = exposition([metric("m", "gauge", "Doc.", {(said,): 1}, "label")])
        parse(text)
        return re.search(r'label="(.*)"', text)[1]

    def test_nothing_in_a_label_ends_it(self):
        self.assertEqual(self.value_of('a"b\\c\nd'), r"a\"b\\c\nd")
        self.assertEqual(self.value_of("schlüssel"), "schlüssel")

    def test_what_utf_8_cannot_say_is_said_otherwise(self):
        self.assertEqual(self.value_of("\ud800"), r"\\ud800")

    def test_numbers(self):
        for number, text in ((True, "1"), (10**30, str(10**30)), (0.1, "0.1"), (math.inf, "+Inf"), (1e300, "1e+300")):
            self.assertEqual(exposition([metric("m", "gauge", "Doc.", number)]).splitlines()[-1], f"m {text}")

    def test_a_histogram_counts_what_took_at_most_so_long(self):
        timing = Timing()
        for seconds in (0.0, luigid.DURATIONS[0], 0.003, 1e9):
            timing.add(seconds)
        kinds, found = parse(exposition([luigid.histogram("h", "Doc.", {("ping",): timing}, "method")]))
        self.assertEqual(kinds, {"h": "histogram"})
        self.assertEqual(found['h_bucket{method="ping",le="5e-05"}'], 2)
        self.assertEqual(found['h_bucket{method="ping",le="0.0025"}'], 2)
        self.assertEqual(found['h_bucket{method="ping",le="0.005"}'], 3)
        self.assertEqual(found['h_bucket{method="ping",le="30.0"}'], 3)
        self.assertEqual(found['h_bucket{method="ping",le="+Inf"}'], 4)
        self.assertEqual(found['h_count{method="ping"}'], 4)
        self.assertEqual(found['h_sum{method="ping"}'], 1e9 + 0.003 + luigid.DURATIONS[0])

    def test_timings_add_up(self):
        one, other = Timing(), Timing()
        one.add(0.25)
        other.add(0.25)
        other.add(9.0)
        both = one + other
        self.assertEqual((sum(both.counts), both.seconds), (3, 9.5))
        self.assertEqual((sum(one.counts), sum(other.counts)), (1, 2))


class SchedulerFiguresTest(unittest.TestCase):
    def setUp(self):
        self.scheduler = Scheduler(resources={"disk": 4})

    def expose(self, more=()):
        headers, text = self.exporter.expose(more)
        return parse(text)[1]

    @property
    def exporter(self):
        return luigid.Exporter(self.scheduler)

    def test_tasks_workers_and_resources(self):
        add = self.scheduler.add_task
        add(worker="w", task_id="a", family="A", resources={"disk": 3, "gate": 1})
        add(worker="w", task_id="b", family="B", deps=["a", "unknown"])
        add(worker="v", task_id="c", family="B", status=DONE)
        self.scheduler.get_work(worker="w")
        self.scheduler.disable_worker(worker="v")
        self.scheduler.pause()
        found = self.expose()
        for series, number in {
            'luigid_tasks{status="PENDING"}': 1,
            'luigid_tasks{status="RUNNING"}': 1,
            'luigid_tasks{status="DONE"}': 1,
            'luigid_tasks{status="UNKNOWN"}': 1,
            'luigid_workers{state="active"}': 1,
            'luigid_workers{state="disabled"}': 1,
            "luigid_busy_workers": 1,
            'luigid_resource_used{resource="disk"}': 3,
            'luigid_resource_limit{resource="disk"}': 4,
            'luigid_resource_used{resource="gate"}': 1,
            'luigid_resource_limit{resource="gate"}': 1,
            "luigid_paused": 1,
            "luigid_changes_accepted": 1,
            'luigid_family_tasks{family="A",status="RUNNING"}': 1,
            'luigid_family_tasks{family="B",status="PENDING"}': 1,
            'luigid_family_tasks{family="B",status="DONE"}': 1,
            'luigid_family_tasks{family="B",status="FAILED"}': 0,
        }.items():
            self.assertEqual(found[series], number, series)

    def test_there_are_so_many_families_whoever_names_them(self):
        most = luigid.MAX_FAMILIES
        counts = {(f"F{number:03}", RUNNING): 2 + number // most for number in range(2 * most)}
        counts["Large", FAILED] = 1000
        shown = luigid.largest_families(counts)
        self.assertEqual(len({family for family, _ in shown}), most + 1)
        self.assertEqual(shown["Large", FAILED], 1000)
        self.assertEqual(shown["F100", RUNNING], 3)
        self.assertNotIn(("F000", RUNNING), shown)
        self.assertEqual(sum(shown.values()), sum(counts.values()))
        self.assertEqual(shown[OTHERS, RUNNING], 2 * most + 3)

    def test_long_names_are_cut_and_what_is_then_alike_is_counted_together(self):
        most = luigid.MAX_LABEL_VALUE
        for end in "abc":
            self.scheduler.update_resources(**{"r" * most + end: 3})
            self.scheduler.add_task(worker="w", task_id=end, family="f" * most + end)
        found = self.expose()
        self.assertEqual(found[f'luigid_family_tasks{{family="{"f" * most}",status="PENDING"}}'], 3)
        self.assertEqual(found[f'luigid_resource_limit{{resource="{"r" * most}"}}'], 3)

    def test_there_are_so_many_resources_whoever_names_them(self):
        with mock.patch.object(luigid, "MAX_RESOURCES_SHOWN", 2):
            self.scheduler.update_resources(a=1, b=2, c=3)
            shown = [series for series in self.expose() if series.startswith("luigid_resource_limit")]
        self.assertEqual(len(shown), 2)

    def test_families_are_not_counted_again_at_once(self):
        exporter, count = self.exporter, mock.Mock(return_value={("A", DONE): 1})
        with mock.patch.object(self.scheduler, "count_families", count):
            exporter.expose(())
            exporter.expose(())
            self.assertEqual(count.call_count, 1)
            exporter._recount = 0.0
            exporter.expose(())
            self.assertEqual(count.call_count, 2)

    def test_counted_families_follow_every_change(self):
        for number in range(3):
            self.scheduler.add_task(worker="w", task_id=f"t{number}", family="F")
        self.assertEqual(self.scheduler.count_families(), {("F", "PENDING"): 3})
        self.scheduler.add_task(worker="w", task_id="t2", status=DONE)
        self.assertEqual(self.scheduler.count_families(), {("F", "PENDING"): 2, ("F", DONE): 1})

    def test_only_calls_that_wait_for_the_lock_are_timed(self):
        self.scheduler.ping(worker="w")
        self.assertEqual(self.expose()["luigid_lock_wait_seconds_count"], 0)
        waiting = threading.Thread(target=self.scheduler.ping, kwargs={"worker": "w"})
        tried = threading.Event()
        real = self.scheduler._lock

        class Watched:
            """The lock, which says when somebody finds it taken."""

            def acquire(self, blocking=True):
                got = real.acquire(blocking)
                if not got:
                    tried.set()
                return got

            def release(self):
                real.release()

        with real:
            self.scheduler._lock = Watched()
            waiting.start()
            self.assertTrue(tried.wait(PATIENCE))
        waiting.join(PATIENCE)
        self.scheduler._lock = real
        found = self.expose()
        self.assertEqual(found["luigid_lock_wait_seconds_count"], 1)
        self.assertGreater(found["luigid_lock_wait_seconds_sum"], 0)

    def test_the_journal_and_the_snapshot(self):
        with tempfile.TemporaryDirectory() as directory:
            self.scheduler = Scheduler(state_path=os.path.join(directory, "state"))
            self.scheduler.load()
            self.addCleanup(self.scheduler.close)
            self.scheduler.add_task(worker="w", task_id="a")
            before = self.expose()
            self.assertGreater(before["luigid_journal_bytes"], 0)
            self.assertEqual(before["luigid_journal_waiting_calls"], 0)
            self.assertNotIn("luigid_snapshot_timestamp_seconds", before)
            self.scheduler.flush()
            self.assertEqual(self.expose()["luigid_journal_fsync_seconds_count"], 1)
            self.scheduler.dump()
            after = self.expose()
            self.assertGreater(after["luigid_snapshot_bytes"], 0)
            self.assertGreater(after["luigid_snapshot_timestamp_seconds"], 1e9)
            self.assertGreaterEqual(after["luigid_snapshot_duration_seconds"], 0)

    def test_what_the_process_uses(self):
        found = self.expose()
        self.assertGreater(found["process_cpu_seconds_total"], 0)
        self.assertGreater(found["process_open_fds"], 2)
        self.assertGreaterEqual(found["process_max_fds"], found["process_open_fds"])
        self.assertEqual(found["process_start_time_seconds"], luigid.BEGAN)
        if sys.platform == "linux":
            self.assertGreater(found["process_resident_memory_bytes"], 1e6)
        self.assertTrue(any(luigid.__version__ in series for series in found if series.startswith("luigid_build_info")))

    def test_numbers_of_those_who_attend(self):
        class Historian(luigid.Attendant):
            name = "history"

            def health(self):
                return {"waiting": 3, "failing": True, "database": "sqlite"}

        self.scheduler.attend(Historian())
        found = self.expose()
        self.assertEqual((found["luigid_history_waiting"], found["luigid_history_failing"]), (3, 1))
        self.assertNotIn("luigid_history_database", found)


class ServedTest(unittest.TestCase):
    """A server in this process, and requests to it."""

    def serve(self, scheduler, collector=None, **options):
        self.server = luigid.make_server(scheduler, collector=collector, **options)
        thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        thread.start()
        self.addCleanup(thread.join, PATIENCE)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        return self.server

    def ask(self, path, verb="GET", headers=(), body=None, connection=None):
        """Status, headers and text of a reply."""
        own = connection or http.client.HTTPConnection(*self.server.server_address, timeout=PATIENCE)
        with contextlib.nullcontext() if connection else contextlib.closing(own):
            own.request(verb, path, body, {"Content-Type": "application/json", **dict(headers)})
            reply = own.getresponse()
            return reply.status, reply.headers, reply.read().decode()

    def call(self, method, connection=None, **arguments):
        return self.ask(f"/api/{method}", "POST", body=json.dumps(arguments), connection=connection)[0]

    def figures(self):
        status, headers, text = self.ask("/metrics")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
        return parse(text)[1]


class CallsTest(ServedTest):
    def setUp(self):
        self.serve(Scheduler())

    def wait_for(self, condition):
        """Wait until `condition` holds for the connections that there are."""
        give_up = time.monotonic() + PATIENCE
        while not condition(list(self.server._connections)):
            self.assertLess(time.monotonic(), give_up)
            time.sleep(0.005)

    def test_calls_are_counted_by_method_and_outcome(self):
        self.assertEqual(self.call("ping", worker="w"), 200)
        self.assertEqual(self.call("ping", worker="w"), 200)
        self.assertEqual(self.call("ping"), 400)
        with mock.patch.object(luigid.Scheduler, "prune", side_effect=RuntimeError), Logged():
            self.assertEqual(self.call("prune"), 500)
        self.assertEqual(self.call("no_such_method"), 404)
        self.assertEqual(self.ask("/nowhere")[0], 404)
        found = self.figures()
        self.assertEqual(found['luigid_rpc_calls_total{method="ping",code="200"}'], 2)
        self.assertEqual(found['luigid_rpc_calls_total{method="ping",code="400"}'], 1)
        self.assertEqual(found['luigid_rpc_calls_total{method="prune",code="500"}'], 1)
        self.assertEqual(found['luigid_rpc_duration_seconds_count{method="ping"}'], 3)
        self.assertGreater(found['luigid_rpc_duration_seconds_sum{method="ping"}'], 0)
        self.assertEqual(found['luigid_http_replies_total{code="404"}'], 2)
        self.assertFalse([series for series in found if "no_such_method" in series or "nowhere" in series])

    def test_connections_that_last_and_those_that_ended_count_alike(self):
        lasting = http.client.HTTPConnection(*self.server.server_address, timeout=PATIENCE)
        self.addCleanup(lasting.close)
        counts = []
        for _ in range(3):
            self.assertEqual(self.call("ping", worker="w"), 200)
            self.assertEqual(self.call("ping", connection=lasting, worker="w"), 200)
            counts.append(self.figures()['luigid_rpc_calls_total{method="ping",code="200"}'])
        self.assertEqual(counts, [2, 4, 6])

    def test_calls_from_many_threads_are_all_counted(self):
        def hammer():
            with contextlib.closing(http.client.HTTPConnection(*self.server.server_address, timeout=PATIENCE)) as own:
                for _ in range(50):
                    self.call("ping", connection=own, worker="w")

        threads = [threading.Thread(target=hammer) for _ in range(8)]
        for thread in threads:
            thread.start()
        last = 0
        while any(thread.is_alive() for thread in threads):
            number = self.figures().get('luigid_rpc_calls_total{method="ping",code="200"}', 0)
            self.assertGreaterEqual(number, last)
            last = number
        self.assertEqual(self.figures()['luigid_rpc_calls_total{method="ping",code="200"}'], 400)

    def test_malformed_requests_count(self):
        with socket.create_connection(self.server.server_address) as raw:
            raw.sendall(b"nonsense\r\n\r\n")
            self.assertIn(b"400", raw.makefile("rb").readline())
        self.assertEqual(self.figures()['luigid_http_replies_total{code="400"}'], 1)

    def test_connections_and_calls_in_flight(self):
        idle = http.client.HTTPConnection(*self.server.server_address, timeout=PATIENCE)
        self.addCleanup(idle.close)
        self.call("ping", connection=idle, worker="w")
        self.wait_for(lambda connections: all(connection.idle for connection in connections))
        found = self.figures()
        self.assertEqual(found['luigid_connections{state="idle"}'], 1)
        self.assertEqual(found['luigid_connections{state="busy"}'], 1)
        self.assertEqual(found["luigid_connections_accepted_total"], 2)
        self.assertEqual(found["luigid_calls_in_flight"], 0)
        self.server.calls.get()
        self.assertEqual(self.figures()["luigid_calls_in_flight"], 1)

    def test_connections_turned_away_count(self):
        self.server.set_limits(self.server.limits._replace(per_address=1))
        with socket.create_connection(self.server.server_address) as busy:
            busy.sendall(b"GET /metrics HTTP/1.1\r\n")  # and no more, so that it is not idle
            self.wait_for(lambda connections: any(not connection.idle for connection in connections))
            with socket.create_connection(self.server.server_address) as refused:
                self.assertIn(b" 429 ", refused.makefile("rb").readline())
            busy.sendall(b"Host: x\r\nConnection: close\r\n\r\n")
            text = busy.makefile("rb").read().partition(b"\r\n\r\n")[2].decode()
        self.assertEqual(parse(text)[1]['luigid_connections_refused_total{code="429"}'], 1)

    def test_head_and_compression(self):
        self.assertEqual(self.ask("/metrics", "HEAD")[::2], (200, ""))
        connection = http.client.HTTPConnection(*self.server.server_address, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
        self.assertEqual(connection.getresponse().headers["Content-Encoding"], "gzip")
        self.assertEqual(self.ask("/metrics", "POST", body="{}")[0], 405)


#: what must be true of a daemon that is ready
CHECKS = ("state_loaded", "disk_writable", "responding", "not_stopping")


class HealthTest(ServedTest):
    def ready(self):
        status, _, text = self.ask("/readyz")
        return status, json.loads(text)

    def test_ready(self):
        self.serve(Scheduler())
        status, said = self.ready()
        self.assertEqual(status, 200)
        self.assertEqual(said["checks"], dict.fromkeys(CHECKS, True))
        self.assertEqual(self.ask("/readyz", "HEAD")[::2], (200, ""))

    def test_alive_says_more(self):
        self.serve(Scheduler())
        status, _, text = self.ask("/healthz")
        said = json.loads(text)
        self.assertEqual((status, said["status"], said["version"]), (200, "ok", luigid.__version__))
        self.assertGreater(said["uptime"], 0)

    def test_not_ready_while_the_disk_is_full(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        scheduler = Scheduler(state_path=os.path.join(directory.name, "state"))
        scheduler.load()
        self.addCleanup(scheduler.close)
        self.serve(scheduler)
        self.assertEqual(self.ready()[0], 200)
        full = mock.patch.object(luigid, "write_all", side_effect=OSError(28, "No space left on device"))
        with full, Logged():
            self.assertEqual(self.call("add_task", worker="w", task_id="t"), 503)
        status, said = self.ready()
        self.assertEqual((status, said["ready"], said["checks"]["disk_writable"]), (503, False, False))
        self.assertIn("No space left", said["reason"])
        self.assertEqual(self.figures()["luigid_changes_accepted"], 0)
        self.assertEqual(json.loads(self.ask("/healthz")[2])["status"], "degraded")
        scheduler.dump()
        self.assertEqual(self.ready()[0], 200)

    def test_not_ready_before_the_state_is_loaded(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        scheduler = Scheduler(state_path=os.path.join(directory.name, "state"))
        self.addCleanup(scheduler.close)
        scheduler.claim()
        self.assertFalse(scheduler.readiness()["state_loaded"])
        scheduler.load()
        self.assertTrue(scheduler.readiness()["state_loaded"])

    def test_not_ready_while_calls_do_not_get_their_turn(self):
        scheduler = Scheduler()
        self.serve(scheduler)
        with mock.patch.object(luigid, "READY_SECONDS", 0.01), scheduler._lock:
            status, said = self.ready()
        self.assertEqual((status, said["checks"]["responding"]), (503, False))
        self.assertEqual(self.ready()[0], 200)

    def test_not_ready_while_it_stops(self):
        self.serve(Scheduler())
        connection = http.client.HTTPConnection(*self.server.server_address, timeout=PATIENCE)
        self.addCleanup(connection.close)
        self.assertEqual(self.ask("/readyz", connection=connection)[0], 200)
        with mock.patch.object(luigid.Scheduler, "readiness", lambda _: setattr(self.server, "closing", True) or {}):
            status, _, text = self.ask("/readyz", connection=connection)
        self.server.closing = False
        self.assertEqual((status, json.loads(text)["checks"]), (503, {"not_stopping": False}))

    def test_strangers_see_no_more_than_how_it_goes(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        users = os.path.join(directory.name, "users")
        with open(users, "w", encoding="utf-8") as file:
            file.write(f"bot:viewer:{luigid.hash_token('secret')}\n")
        self.serve(Scheduler(), users_file=users)
        bot = {"Authorization": "Bearer secret"}
        self.assertEqual(json.loads(self.ask("/healthz")[2]), {"status": "ok"})
        self.assertEqual(json.loads(self.ask("/readyz")[2]), {"ready": True})
        self.assertIn("state_path", json.loads(self.ask("/healthz", headers=bot)[2]))
        self.assertIn("checks", json.loads(self.ask("/readyz", headers=bot)[2]))
        self.assertEqual(self.ask("/metrics")[0], 401)
        self.assertEqual(self.ask("/metrics", headers=bot)[0], 200)
        with Logged():
            self.assertEqual(self.ask("/healthz", headers={"Authorization": "Bearer wrong"})[0], 401)


class AttendedTest(unittest.TestCase):
    """A scheduler on a clock of the test's, with a collector."""

    def attend(self, collector, **options):
        self.clock, self.collector = Clock(), collector
        self.scheduler = Scheduler(clock=self.clock, **options)
        self.scheduler.attend(collector)
        return collector

    def run_task(self, task_id="t", status=DONE, seconds=2.5, **more):
        self.scheduler.add_task(worker="w", task_id=task_id, **{"family": "F", **more})
        self.assertEqual(self.scheduler.get_work(worker="w")["task_id"], task_id)
        self.clock.now += seconds
        self.scheduler.add_task(worker="w", task_id=task_id, status=status)


class TaskCountsTest(AttendedTest):
    def counts(self):
        return parse(exposition(self.collector.metrics()))[1]

    def make(self, family=True, parameters=()):
        return luigid.TaskCounts(use_task_family_in_labels=family, task_parameters_to_use_in_labels=parameters)

    def test_tasks_are_counted_under_the_names_of_stock(self):
        self.attend(self.make())
        self.run_task("a")
        self.run_task("b", FAILED, seconds=7.0)
        self.scheduler.add_task(worker="w", task_id="c", family="F", status="DISABLED")
        found = {series: number for series, number in self.counts().items() if "_created" not in series}
        self.assertEqual(
            found,
            {
                'luigi_task_started_total{family="F"}': 2,
                'luigi_task_done_total{family="F"}': 1,
                'luigi_task_failed_total{family="F"}': 1,
                'luigi_task_disabled_total{family="F"}': 1,
                'luigi_task_execution_time_seconds{family="F"}': 7.0,
            },
        )
        self.assertEqual(self.counts()['luigi_task_failed_created{family="F"}'], 1009.5)

    def test_only_what_is_given_out_counts_as_started(self):
        self.attend(self.make())
        self.scheduler.add_task(worker="w", task_id="t", family="F", status=RUNNING)
        self.assertEqual(self.counts(), {})
        self.scheduler.add_task(worker="w", task_id="t", family="F", status=DONE)
        self.assertNotIn('luigi_task_started_total{family="F"}', self.counts())

    def test_parameters_that_must_not_be_shown_are_as_those_that_are_not_there(self):
        self.attend(self.make(parameters=("day", "password", "none")))
        secret = {"params": {"day": "1", "password": "hunter2"}, "param_visibilities": {"password": 2}}
        self.run_task(**secret)
        self.assertIn('luigi_task_done_total{day="1",password="None",none="None",family="F"}', self.counts())
        self.assertNotIn("hunter2", exposition(self.collector.metrics()))

    def test_parameters_that_are_not_text(self):
        self.attend(self.make(parameters=("a", "b", "c", "d", "e")))
        self.run_task(params={"a": 1, "b": True, "c": ["x", "y"], "d": ["x" * 1000], "e": {"x": 1}})
        labels = f"""a="1",b="True",c="['x', 'y']",d="{OTHERS}",e="{OTHERS}",family="F\""""
        self.assertIn(f"luigi_task_done_total{{{labels}}}", self.counts())

    def test_there_are_so_many_sets_of_labels(self):
        self.attend(self.make())
        with mock.patch.object(luigid, "MAX_LABEL_SETS", 3), Logged() as lines:
            for number in range(6):
                self.run_task(f"t{number}", family=f"F{number}")
        found = self.counts()
        done = {series: number for series, number in found.items() if series.startswith("luigi_task_done_total")}
        self.assertEqual(list(done.values()), [1, 1, 1, 3])
        self.assertEqual(done[f'luigi_task_done_total{{family="{OTHERS}"}}'], 3)
        self.assertEqual(len([line for line in lines if OTHERS in line]), 1)

    def test_what_cannot_be_a_label_stops_the_start(self):
        for family, parameters in (
            (False, ()),
            (True, ("family",)),
            (False, ("a", "a")),
            (True, ("a-b",)),
            (True, ("__a",)),
            (True, ("ä",)),
            (True, ("",)),
        ):
            with self.subTest(family=family, parameters=parameters), self.assertRaises(SettingsError):
                self.make(family, parameters)

    def test_it_is_made_of_the_settings(self):
        made = luigid.make_collector(
            settings(scheduler__metrics_collector="prometheus", prometheus__task_parameters_to_use_in_labels='["day"]')
        )
        self.attend(made)
        self.run_task(params={"day": "1"})
        self.assertIn('luigi_task_done_total{day="1",family="F"}', self.counts())

    def test_nobody_is_asked_for_by_default(self):
        for choice in ("default", "none"):
            self.assertIsNone(luigid.make_collector(settings(scheduler__metrics_collector=choice)))


class DatadogTest(AttendedTest):
    def setUp(self):
        self.sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.sink.close)
        self.sink.bind(("127.0.0.1", 0))
        self.sink.settimeout(PATIENCE)

    def make(self, **options):
        host, port = self.sink.getsockname()
        given = {"scheduler__metrics_collector": "datadog", "datadog__statsd_host": host, "datadog__statsd_port": port}
        collector = self.attend(luigid.make_collector(settings(**{**given, **options})))
        collector.start()
        self.addCleanup(collector.close)
        return collector

    def packets(self, number):
        return [self.sink.recv(65536).decode() for _ in range(number)]

    def test_packets_reach_the_agent(self):
        self.make(datadog__metric_namespace="etl", datadog__environment="testing")
        self.run_task(params={"day": "1"})
        tags = "task_name:F,day:1"
        more = "environment:testing,application:luigi"
        started, event, done, seconds, last = self.packets(5)
        self.assertEqual(started, f"etl.task.started:1|c|#{tags},{more}")
        self.assertRegex(event, r"^_e\{\d+,\d+\}:")
        self.assertTrue(event.endswith(f"|p:low|t:info|#{tags},task_state:STARTED,{more}"), event)
        self.assertEqual(done, f"etl.task.done:1|c|#{tags},{more}")
        self.assertEqual(seconds, f"etl.task.execution_time:2.5|g|#{tags},{more}")
        self.assertTrue(last.endswith(f"|p:low|t:info|#{tags},task_state:DONE,{more}"), last)

    def test_no_parameter_can_forge_a_packet_nor_leak(self):
        self.make(datadog__default_tags="")
        params = {"a": "1|c\netl.forged:1|c|#x", "b,c": "ä", "password": "hunter2"}
        self.run_task(family="F|g\n|t:error", params=params, param_visibilities={"password": 1})
        packets = self.packets(5)
        self.assertEqual(
            packets[0],
            "luigi.task.started:1|c|#task_name:F_g__t:error,a:1_c_etl.forged:1_c__x,b_c:ä,environment:development",
        )
        for packet in packets:
            self.assertEqual(len(packet.splitlines()), 1)
            self.assertNotIn("hunter2", packet)

    def test_a_task_of_many_long_parameters_fits_into_a_packet(self):
        self.make()
        self.run_task(params={f"parameter{number}": "x" * 10_000 for number in range(500)})
        self.assertLess(max(map(len, self.packets(5))), 8192)

    def test_a_task_done_without_a_run_sends_nothing(self):
        collector = self.make()
        self.scheduler.add_task(worker="w", task_id="t", family="F", status=DONE)
        self.run_task("u")
        self.assertIn("started", self.packets(1)[0])
        self.assertEqual(collector.health()["dropped"], 0)

    def test_disabling_says_why(self):
        self.make(scheduler__disable_window=77)
        self.scheduler.add_task(worker="w", task_id="t", family="F", status="DISABLED")
        counter, event = self.packets(2)
        self.assertTrue(counter.startswith("luigi.task.disabled:1|c|#"))
        self.assertIn("77 s", event)
        self.assertIn("|p:normal|t:error|", event)

    def test_an_agent_that_cannot_be_found_is_one_warning(self):
        for trouble in (socket.gaierror(-2, "unknown"), UnicodeError("unknown")):
            with Logged() as lines, mock.patch.object(socket, "getaddrinfo", side_effect=trouble):
                collector = self.make(datadog__statsd_host="agent.invalid")
                for number in range(3):
                    collector._lookup = 0.0
                    self.run_task(f"t{number}")
                    collector.flush()
            self.assertEqual([line for line in lines if "agent.invalid" in line and "unknown" in line], lines)
            self.assertEqual(len(lines), 1)

    def test_an_agent_that_does_not_listen_hurts_nobody(self):
        collector = self.make()
        self.sink.close()
        with Logged() as lines:
            for number in range(3):
                self.run_task(f"t{number}")
            collector.flush()
        self.assertEqual(lines, [])

    def test_a_scheduler_waits_for_no_agent(self):
        collector, released = self.make(), threading.Event()
        self.addCleanup(released.set)
        stuck = mock.patch.object(collector, "deal", lambda event: released.wait(PATIENCE))
        with stuck, mock.patch.object(luigid, "MAX_WAITING", 2), Logged() as lines:
            for number in range(5):
                self.run_task(f"t{number}")
            health = collector.health()
            self.assertLessEqual(health["waiting"], 2)
            self.assertGreaterEqual(health["dropped"], 10 - 2 - 1)
            self.assertEqual(len([line for line in lines if "cannot keep up" in line]), 1)
            released.set()
            collector.flush()
        self.assertEqual(collector.health()["waiting"], 0)


OPERATORS = """
import threading

class Good:
    def __init__(self):
        self.told = []
        self.thread = None

    def note(self, *what):
        self.told.append(what)
        self.thread = threading.get_ident()

    def handle_task_started(self, task):
        self.note("started", task)

    def handle_task_failed(self, task):
        self.note("failed", task)

    def handle_task_done(self, task):
        self.note("done", task)

    def handle_task_disabled(self, task, config):
        self.note("disabled", task, config)


class Talking(Good):
    content_type = "text/plain; version=1.0.0; charset=utf-8"
    text = b"# TYPE process_cpu_seconds_total counter\\nprocess_cpu_seconds_total 7\\ntheirs 5"

    def handle_task_statistics(self, task, statistics):
        self.note("statistics", task, statistics)

    def generate_latest(self):
        return self.text

    def configure_http_handler(self, http_handler):
        http_handler.set_header("Content-Type", self.content_type)


class Failing(Good):
    def handle_task_started(self, task):
        raise RuntimeError("of the operator's")

    def generate_latest(self):
        raise RuntimeError("of the operator's")


class Broken(Good):
    def __init__(self):
        raise RuntimeError("no database")


class Lacking:
    def handle_task_started(self, task):
        pass

    handle_task_done = None
"""


class CustomTest(AttendedTest, ServedTest):
    @classmethod
    def setUpClass(cls):
        module = types.ModuleType("operators_collectors")
        exec(OPERATORS, vars(module))
        sys.modules["operators_collectors"] = module
        cls.addClassCleanup(sys.modules.pop, "operators_collectors")

    def make(self, name, **options):
        path = name if "." in name or not name else f"operators_collectors.{name}"
        given = {"scheduler__metrics_collector": "custom", "scheduler__metrics_custom_import": path or None}
        collector = self.attend(luigid.make_collector(settings(**given, **options)))
        collector.start()
        self.addCleanup(collector.close)
        return collector

    def told(self):
        self.collector.flush()
        return self.collector._theirs.told

    def test_it_is_told_in_a_thread_of_its_own(self):
        self.make("Good", scheduler__disable_persist=77)
        self.run_task("a")
        self.run_task("b", FAILED)
        self.scheduler.add_task(worker="w", task_id="c", family="F", status="DISABLED")
        told = self.told()
        ours = [(moment, task.id) for moment, task, *_ in told]
        self.assertEqual(ours, [("started", "a"), ("done", "a"), ("started", "b"), ("failed", "b"), ("disabled", "c")])
        self.assertEqual(told[-1][2].disable_persist, 77)
        self.assertNotEqual(self.collector._theirs.thread, threading.get_ident())

    def test_a_task_is_as_stock_has_it_and_shared_with_nobody(self):
        self.make("Good")
        hidden = {"params": {"day": "1", "key": "x", "own": "y"}, "param_visibilities": {"key": 1, "own": 2}}
        self.run_task("a", deps=[], resources={"disk": 1}, module="m", tracking_url="http://x", **hidden)
        self.assertEqual(self.told()[0][1].resources, {"disk": 1})  # a report without any takes them back
        _, task = self.told()[1]
        self.assertEqual((task.id, task.family, task.module, task.status), ("a", "F", "m", DONE))
        self.assertEqual((task.time_running, task.updated, task.worker_running), (1000.0, 1002.5, "w"))
        self.assertEqual((task.params, task.public_params), (hidden["params"], {"day": "1"}))
        self.assertEqual((task.hidden_params, task.pretty_id), ({"key": "x"}, "F(day=1)"))
        self.assertEqual((task.deps, task.stakeholders, list(task.workers)), (set(), {"w"}, ["w"]))
        self.assertEqual(task.retry_policy.disable_window, 3600)
        task.params["day"] = task.public_params["day"] = "spoilt"
        self.assertEqual(self.scheduler.fetch_error(task_id="a")["taskParams"], hidden["params"])

    def test_figures_of_runs_reach_it(self):
        self.make("Talking")
        self.run_task("a")
        self.scheduler.report_task_statistics(task_id="a", statistics={"rows": [3]})
        self.scheduler.report_task_statistics(task_id="unknown", statistics={"rows": 3})
        moment, task, statistics = self.told()[-1]
        self.assertEqual((moment, task.id, task.status, statistics), ("statistics", "a", DONE, {"rows": [3]}))

    def test_one_that_does_not_care_for_figures_is_not_asked(self):
        self.make("Good")
        with Logged() as lines:
            self.run_task("a")
            self.scheduler.report_task_statistics(task_id="a", statistics=1)
            self.assertEqual(len(self.told()), 2)
        self.assertEqual(lines, [])

    def test_what_fails_in_it_is_logged_once_and_hurts_nobody(self):
        self.make("Failing")
        self.serve(self.scheduler, self.collector)
        with Logged() as lines:
            for number in range(3):
                self.run_task(f"t{number}")
                self.figures()
            self.assertEqual([moment for moment, _ in self.told()], ["done"] * 3)
        self.assertEqual(len([line for line in lines if "handle_task_started" in line]), 1)
        self.assertEqual(len([line for line in lines if "generate_latest" in line]), 1)
        self.assertEqual(len(lines), 2)

    def test_what_it_says_is_served_with_ours_after_it(self):
        self.make("Talking")
        self.serve(self.scheduler, self.collector)
        _, headers, text = self.ask("/metrics")
        self.assertEqual(headers["Content-Type"], "text/plain; version=1.0.0; charset=utf-8")
        self.assertTrue(text.startswith(self.collector._theirs.text.decode() + "\n# HELP "), text[:200])
        self.assertIn("\nluigid_paused 0\n", text)
        self.assertEqual(text.count("# TYPE process_cpu_seconds_total"), 1)

    def test_what_it_says_in_another_format_stands_alone(self):
        self.make("Talking")
        self.collector._theirs.content_type = "application/openmetrics-text; version=1.0.0"
        self.collector._theirs.text = "theirs 5\n# EOF\n"
        self.serve(self.scheduler, self.collector)
        _, headers, text = self.ask("/metrics")
        self.assertEqual(headers["Content-Type"], "application/openmetrics-text; version=1.0.0")
        self.assertEqual(text, "theirs 5\n# EOF\n")

    def test_headers_that_would_break_the_reply_are_not_set(self):
        setter = luigid.HeaderSetter()
        setter.set_header("content-length", 3)
        setter.set_header("X-Kind", 3)
        self.assertEqual(setter.headers, {"X-Kind": "3"})
        self.assertRaises(ValueError, setter.set_header, "X", "1\r\nY: 2")
        self.assertRaises(ValueError, setter.set_header, "X: 1", "2")

    def test_one_that_is_stuck_keeps_nobody_waiting(self):
        self.make("Good")
        released, entered = threading.Event(), threading.Event()
        self.addCleanup(released.set)

        def stuck(task):
            entered.set()
            released.wait(PATIENCE)

        self.collector._theirs.handle_task_started = stuck
        self.serve(self.scheduler, self.collector)
        self.run_task("a")
        self.assertTrue(entered.wait(PATIENCE))
        with mock.patch.object(luigid, "COLLECTOR_SECONDS", 0.0):
            self.assertEqual(self.figures()["luigid_collector_waiting"], 1)

    def test_what_is_no_collector_stops_the_start(self):
        for name, why in {
            "": "must name a class",
            "no_such_module_at_all.Class": "ModuleNotFoundError",
            "NoSuchClass": "AttributeError",
            "Broken": "RuntimeError: no database",
            "Lacking": "it lacks handle_task_failed, handle_task_disabled, handle_task_done",
        }.items():
            with self.subTest(name), self.assertRaisesRegex(SettingsError, re.escape(why)):
                self.make(name)


class ThreadTest(AttendedTest):
    def test_a_fault_ends_nothing(self):
        dealt = collections.deque()

        class Faulty(luigid.Forwarder):
            def note(self, event, task):
                return event

            def deal(self, item):
                dealt.append(item.kind)
                raise LookupError

        self.attend(Faulty()).start()
        self.addCleanup(self.collector.close)
        with Logged() as lines:
            self.run_task()
            self.collector.flush()
        self.assertEqual(list(dealt), ["PENDING", RUNNING, DONE])
        self.assertEqual(len(lines), 1)

    def test_closing_deals_with_the_rest_first(self):
        dealt = collections.deque()

        class Slow(luigid.Forwarder):
            def note(self, event, task):
                return event

            def deal(self, item):
                dealt.append(item.task_id)

        self.attend(Slow())
        self.run_task("a")
        self.collector.flush()  # without a thread there is nobody to wait for
        self.collector.start()
        self.collector.close()
        self.assertFalse(self.collector._thread.is_alive())
        self.assertEqual(set(dealt), {"a"})
        self.collector.flush()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    unittest.main()
