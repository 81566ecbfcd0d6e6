"""The task history in real databases: shared with stock luigi, through outages and kills, in nobody's way."""

import collections
import contextlib
import itertools
import json
import logging
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

import luigid
from tests.e2e import databases, workers
from tests.e2e.daemon import DEADLINE, ROOT, clean_environment, wait_until
from tests.missing import skip_without

DONE, FAILED, PENDING, RUNNING = luigid.DONE, luigid.FAILED, luigid.PENDING, luigid.RUNNING

#: A scheduler's day: what becomes of some tasks, in every way that stock records.
CALLS = [
    ("add_task", {"task_id": "Load_1", "family": "Load", "params": {"x": "1", "y": "é'\"%"}, "deps": ["Fetch_1"]}),
    ("add_task", {"task_id": "Fetch_1", "family": "Fetch", "params": {"x": "1"}}),
    ("add_task", {"task_id": "Fetch_2", "family": "Fetch", "params": {"x": "2"}, "status": DONE}),
    ("get_work", {"host": "etl-1"}),
    ("get_work", {"host": "etl-1", "current_tasks": []}),  # the reply was lost
    ("add_task", {"task_id": "Fetch_1", "status": FAILED, "expl": '"no"'}),
    ("forgive_failures", {"task_id": "Fetch_1"}),
    ("get_work", {"host": "etl-2"}),
    ("add_task", {"task_id": "Fetch_1", "status": PENDING, "new_deps": ["Fetch_3"]}),
    ("add_task", {"task_id": "Fetch_3", "family": "Fetch", "params": {"x": "1", "secret": "s"}}),
    ("get_work", {"host": "etl-2"}),
    ("add_task", {"task_id": "Fetch_3", "status": DONE}),
    ("get_work", {"host": "etl-2"}),
    ("add_task", {"task_id": "Fetch_1", "status": DONE}),
    ("get_work", {"host": "etl-1"}),
    ("add_task", {"task_id": "Load_1", "status": FAILED, "expl": '"no"'}),
    ("mark_as_done", {"task_id": "Load_1"}),
]

FETCH = [("add_task", {"task_id": "Fetch_9", "family": "Fetch", "params": {"x": "1"}}), ("get_work", {"host": "etl-9"})]


def with_worker(calls):
    """The calls, with the argument that they all have."""
    no_worker = ("forgive_failures", "mark_as_done")
    return [(name, arguments if name in no_worker else {"worker": "w", **arguments}) for name, arguments in calls]


def setUpModule():
    logging.disable(logging.CRITICAL)  # of schedulers here; the daemons' logs are their own
    unittest.addModuleCleanup(logging.disable, logging.NOTSET)


class HistoryTest(unittest.TestCase):
    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="e2e-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.path = self.directory / "history.db"
        self.url = f"sqlite:///{self.path}"

    def stock(self, calls=()):
        """Let stock make calls, and tell what its history finds then."""
        ran = subprocess.run(
            [sys.executable, "-m", "tests.e2e.stock_history", self.url],
            input=json.dumps(with_worker(calls)),
            cwd=ROOT,
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
        if "No module named 'sqlalchemy'" in ran.stderr:
            skip_without("SQLAlchemy 1.4")
        self.assertEqual(0, ran.returncode, ran.stderr)
        return json.loads(ran.stdout)

    def ours(self, calls=()):
        """Let a scheduler of ours make calls, and record them."""
        scheduler = luigid.Scheduler(record_task_history=True, db_connection=self.url, retry_delay=0)
        for name, arguments in with_worker(calls):
            getattr(scheduler, name)(**arguments)
        scheduler.flush()
        scheduler.close()

    def rows(self, query):
        with contextlib.closing(sqlite3.connect(self.path)) as database:
            return database.execute(query).fetchall()


def events_of(found):
    """{task: its events in order} in what stock found."""
    names = {run["id"]: run["task_id"] for run in found["runs"]}
    events = collections.defaultdict(list)
    for run_id, name, _ in found["events"]:
        events[names[run_id]].append(name)
    return events


class StockTest(HistoryTest):
    """One database, stock's DbTaskHistory and ours."""

    def test_the_same_calls_leave_the_same_rows(self):
        stock = self.stock(CALLS)
        self.url, self.path = f"sqlite:///{self.directory}/ours.db", self.directory / "ours.db"
        self.ours(CALLS)
        ours = self.stock()
        self.assertEqual(events_of(stock), events_of(ours))
        last = {run["task_id"]: run for run in ours["runs"]}
        for run in stock["runs"]:
            of_ours = last[run["task_id"]]
            self.assertEqual((run["name"], run["parameters"]), (of_ours["name"], of_ours["parameters"]))
        hosts = [run["host"] for run in ours["runs"] if run["task_id"] == "Fetch_1"]
        self.assertEqual(["etl-1", "etl-2"], hosts, "stock has the last host only")

    def test_ours_continues_what_stock_began_and_stock_what_ours_did(self):
        first = self.stock(CALLS)
        self.ours(FETCH)
        both = self.stock(FETCH)
        self.assertEqual(first["runs"], both["runs"][: len(first["runs"])])
        ours, stocks = both["runs"][len(first["runs"]) :]
        self.assertEqual({**ours, "id": None}, {**stocks, "id": None})
        self.assertEqual((ours["host"], ours["events"]), ("etl-9", [RUNNING, PENDING]))
        for run in both["runs"]:
            self.assertEqual(run, both["by_id"][str(run["id"])])
            self.assertIn(run["id"], both["latest"])
            self.assertIn(run["id"], both["by_name"][run["name"]])
            self.assertEqual(run["parameters"]["x"] == "1", run["id"] in both["by_x"][run["name"]])
        self.assertEqual(stocks["id"], both["by_task_id"]["Fetch_9"])
        self.ours()
        described = self.rows("SELECT run_id, task_id, family, host, status FROM luigid_runs ORDER BY run_id")
        self.assertEqual([run["id"] for run in both["runs"]], [run_id for run_id, *_ in described])
        for run, (_, task_id, family, host, status) in zip(both["runs"], described):
            last = run["events"][0]
            self.assertEqual((run["task_id"], run["name"], run["host"], last), (task_id, family, host, status))

    def test_what_only_ours_records_does_not_disturb_stock(self):
        scheduler = luigid.Scheduler(record_task_history=True, db_connection=self.url, retry_count=1)
        scheduler.add_task(worker="w", task_id="A_1", family="A", params={"x": "1"})
        scheduler.get_work(worker="w", host="h")
        scheduler.add_task(worker="w", task_id="A_1", status=FAILED, expl="no")
        scheduler.close()
        found = self.stock(FETCH)
        self.assertEqual(["DISABLED", FAILED, RUNNING, PENDING], found["runs"][0]["events"])
        self.assertEqual(2, len(found["runs"]))

    def test_an_old_database_of_stocks_becomes_a_new_one(self):
        self.stock(FETCH)
        with contextlib.closing(sqlite3.connect(self.path)) as database, database:
            for statement in ("DROP INDEX ix_tasks_task_id", "ALTER TABLE tasks DROP COLUMN task_id"):
                database.execute(statement)
        self.ours(FETCH)
        found = self.stock()
        self.assertEqual([None, "Fetch_9"], [run["task_id"] for run in found["runs"]])
        self.assertEqual(found["runs"][0]["events"], found["runs"][1]["events"])


class DaemonCase(workers.EndToEndTest):
    """A daemon that records, looked at through its database."""

    def record(self, url):
        """Start the daemon with a database."""
        self.start_daemon({"record_task_history": "true"}, task_history={"db_connection": url.replace("%", "%%")})

    def rows(self, query):
        """What a query finds, past the daemon."""
        raise NotImplementedError

    def health(self):
        """What the daemon says of its history."""
        with contextlib.closing(self.daemon.connection()) as connection:
            connection.request("GET", "/healthz")
            return json.loads(connection.getresponse().read())["history"]

    def wait_until_recorded(self):
        def is_recorded():
            health = self.health()
            return not (health["waiting"] or health["spooled_bytes"] or health["error"])

        wait_until(is_recorded, "all is in the database")

    def wait_for_error(self):
        return wait_until(lambda: self.health()["error"], "the daemon notices that it cannot write")

    def events(self):
        """{task: its events in order}."""
        query = "SELECT t.task_id, e.event_name FROM task_events e JOIN tasks t ON t.id = e.task_id ORDER BY e.id"
        events = collections.defaultdict(list)
        for task_id, name in self.rows(query):
            events[task_id].append(name)
        return events


class SQLiteTest(DaemonCase):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "history.db"

    def connect(self):
        return contextlib.closing(sqlite3.connect(self.path, isolation_level=None))

    def rows(self, query):
        with self.connect() as database:
            return database.execute(query).fetchall()

    def client(self, name, said, in_flight):
        """Add tasks and report them done, until the daemon dies: `said` gets what was acknowledged."""
        try:
            for number in itertools.count():
                task_id = f"{name}_{number}"
                for status in (PENDING, DONE):
                    in_flight[name] = (task_id, status)
                    self.daemon.call("add_task", worker=name, task_id=task_id, family="A", params={}, status=status)
                    said[task_id].append(status)
        except OSError:
            pass

    def test_kills_under_load(self):
        """Nothing that a client was told of is lost or recorded twice; also if the database was away when it died."""
        self.record(f"sqlite:///{self.path}")
        self.wait_until_recorded()
        chance = random.Random(7)
        said, possible = collections.defaultdict(list), set()
        for life in range(8):
            in_flight, before = {}, len(said)
            threads = [threading.Thread(target=self.client, args=(f"{life}{name}", said, in_flight)) for name in "abc"]
            with self.connect() as other:
                if life % 2:
                    other.execute("BEGIN IMMEDIATE")
                for thread in threads:
                    thread.start()
                enough = before + chance.randrange(5, 60)
                wait_until(lambda: len(said) > enough, "clients are served")  # noqa: B023
                self.daemon.kill()
                for thread in threads:
                    thread.join()
            possible.update(in_flight.values())
            self.daemon.start()
        self.wait_until_recorded()
        for task_id, recorded in self.events().items():
            missing = [status for status in recorded if status not in said[task_id]]
            self.assertLessEqual({(task_id, status) for status in missing}, possible)
            self.assertEqual(said[task_id] + missing, recorded)
        self.assertEqual([], [task_id for task_id in said if said[task_id] and task_id not in self.events()])

    def test_a_full_disk(self):
        disk = self.directory / "disk"
        disk.mkdir()
        try:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            skip_without("disk that may be filled (mount -t tmpfs, as root)")
        self.addCleanup(subprocess.run, ["umount", "--lazy", disk], check=True)
        self.path = disk / "history.db"
        self.record(f"sqlite:///{self.path}")
        self.call("before")
        self.wait_until_recorded()
        with open(disk / "ballast", "wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(1024))
        added = ["before"]
        while not self.health()["error"]:
            added.append(self.call(f"meanwhile_{len(added)}"))
        added.append(self.call("when it is known"))
        (disk / "ballast").unlink()
        self.wait_until_recorded()
        self.assertEqual(added, [task_id for (task_id,) in self.rows("SELECT task_id FROM tasks ORDER BY id")])
        self.assertEqual({(PENDING,)}, set(map(tuple, self.events().values())))

    def call(self, task_id):
        params = {"filler": "x" * 10_000}
        self.daemon.call("add_task", worker="w", task_id=task_id, family="A", params=params)
        return task_id


class ServerCase:
    """What must hold for a database behind a server of its own; with stock's workers, or calls that are counted."""

    server_class = None

    def setUp(self):
        super().setUp()
        self.server = self.server_class(self.directory)
        self.addCleanup(self.server.stop)
        self.server.start()

    def rows(self, query):
        return list(map(tuple, self.server.rows(query)))

    def test_the_server_stops_and_starts_while_a_pipeline_runs(self):
        self.record(self.server.url())
        worker = self.start_worker("Diamond", "--width", "30", "--gate", "half", workers=2)
        self.wait_for_start(family="DiamondTop")
        wait_until(lambda: len(self.events()) == 32, "all that is scheduled is in the database")
        self.server.stop()
        self.open_gate("half")
        self.assert_ends(worker)
        self.wait_for_error()
        self.assertTrue(self.health()["waiting"])
        self.server.start()
        self.wait_until_recorded()
        events = self.events()
        self.assertEqual(32, len(events))
        self.assertEqual({(PENDING, RUNNING, DONE)}, set(map(tuple, events.values())))
        described = self.rows("SELECT status, count(*) FROM luigid_runs WHERE duration >= 0 GROUP BY status")
        self.assertEqual([(DONE, 32)], described)
        self.assertEqual(2, self.daemon.log().count("the task history can"), self.daemon.log())

    def test_kills_of_either(self):
        """The server and the daemon die again and again, while tasks come and are done."""
        self.record(self.server.url())
        chance, acknowledged = random.Random(5), 0
        for _ in range(3):
            for number in range(acknowledged, acknowledged + 30):
                self.daemon.call("add_task", worker="w", task_id=f"A_{number}", family="A", params={"n": str(number)})
                self.daemon.call("add_task", worker="w", task_id=f"A_{number}", status=DONE)
                acknowledged = number + 1
                if chance.random() < 0.04:
                    self.server.stop()
                    self.server.start()
            self.daemon.kill()
            self.daemon.start()
        self.wait_until_recorded()
        self.assertEqual({f"A_{number}": [PENDING, DONE] for number in range(acknowledged)}, self.events())
        for table in ("tasks", "task_parameters", "luigid_runs"):
            self.assertEqual([(acknowledged,)], self.rows(f"SELECT count(*) FROM {table}"))


class PostgreSQLTest(ServerCase, DaemonCase):
    server_class = databases.PostgreSQL

    def test_texts_that_it_would_refuse(self):
        strange = "n\0l \ud83d " + "é" * 300
        for driver in ("", "+psycopg2"):
            url = self.server.url(driver)
            with self.subTest(driver):
                scheduler = luigid.Scheduler(record_task_history=True, db_connection=url)
                scheduler.add_task(worker=strange, task_id=strange, family=strange, params={strange: strange})
                scheduler.get_work(worker=strange, host=strange)
                scheduler.add_task(worker=strange, task_id=strange, status=FAILED, expl=strange)
                scheduler.close()
                self.assertEqual(0, scheduler.health()["history"]["refused"])
                key = scheduler.history.database.key(strange, 200)
                with scheduler.history.database.open(reading=True) as session:
                    rows = session.rows("SELECT DISTINCT status, error FROM luigid_runs WHERE task_id = ?", (key,))
                self.assertEqual([(FAILED, "n\ufffdl \ufffd " + "é" * 300)], rows)
        self.assertEqual([(2,)], self.rows("SELECT count(*) FROM task_parameters"))

    def test_a_server_that_does_not_answer(self):
        """It is given up, and what happens meanwhile goes into the database when it does answer, once."""
        with mock.patch.object(luigid, "ANSWER_PATIENCE", 1):
            for driver in ("", "+psycopg2"):
                with self.subTest(driver):
                    scheduler = luigid.Scheduler(record_task_history=True, db_connection=self.server.url(driver))
                    scheduler.flush()
                    [(backend,)] = self.rows("SELECT pid FROM pg_stat_activity WHERE application_name = 'luigid'")
                    os.kill(backend, signal.SIGSTOP)
                    try:
                        scheduler.add_task(worker="w", task_id=f"A{driver}")
                        self.assertRaises(luigid.Unavailable, scheduler.flush)
                    finally:
                        os.kill(backend, signal.SIGCONT)
                    scheduler.close()
                    self.assertEqual([PENDING], self.events()[f"A{driver}"])


class MariaDBTest(ServerCase, DaemonCase):
    server_class = databases.MariaDB


if __name__ == "__main__":
    unittest.main()
