"""The task history: each event once, in order, whatever happens to the process, the journal and the database."""

import contextlib
import datetime
import importlib
import json
import logging
import math
import os
import shutil
import sqlite3
import tempfile
import threading
import types
import unittest
from pathlib import Path
from unittest import mock

import luigid
from luigid import BATCH_RUNNING, DISABLED, DONE, FAILED, PENDING, RUNNING, Event, SettingsError, Unavailable

#: where files are made and removed fastest
FAST = "/dev/shm" if os.path.isdir("/dev/shm") else None

PATIENCE = 20  # seconds until a test gives up; none of them lasts that long unless it fails


class Directory(unittest.TestCase):
    """A test with a directory of its own, the clock, and luigid's log."""

    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(dir=FAST))
        self.addCleanup(shutil.rmtree, self.directory)
        self.path = self.directory / "history.db"
        self.now = 1_700_000_000.0
        self.schedulers = []
        self.addCleanup(luigid.logger.setLevel, luigid.logger.level)
        luigid.logger.setLevel(logging.CRITICAL + 1)
        self.addCleanup(self.end)

    def end(self):
        for scheduler in self.schedulers:
            with contextlib.suppress(Unavailable):
                scheduler.close()

    def make(self, **settings):
        """A scheduler that records into `path`."""
        given = {"db_connection": f"sqlite:///{self.path}", "state_path": str(self.directory / "state"), **settings}
        self.scheduler = luigid.Scheduler(clock=lambda: self.now, record_task_history=True, **given)
        self.schedulers.append(self.scheduler)
        return self.scheduler

    def load(self, **settings):
        """A scheduler that takes over the state of the one before, which has died."""
        for scheduler in self.schedulers:
            scheduler._state_lock.release()
        self.make(**settings).load()
        return self.scheduler

    def add(self, task_id="A_1", worker="w", **arguments):
        self.now += 1
        self.scheduler.add_task(worker=worker, task_id=task_id, family=task_id.partition("_")[0], **arguments)

    def run_task(self, worker="w", host="h"):
        self.now += 1
        return self.scheduler.get_work(worker=worker, host=host)["task_id"]

    def rows(self, query, *values):
        with contextlib.closing(sqlite3.connect(self.path)) as database:
            return database.execute(query, values).fetchall()

    def runs(self, columns="task_id, status"):
        self.scheduler.flush()
        return self.rows(f"SELECT {columns} FROM luigid_runs ORDER BY run_id")

    def events(self):
        """[(number of the run, task, event)] in the order in which they were written."""
        query = "SELECT e.task_id, t.task_id, event_name FROM task_events e JOIN tasks t ON t.id = e.task_id"
        return self.rows(f"{query} ORDER BY e.id") if self.path.exists() else []

    def recorded(self):
        self.scheduler.flush()
        return self.events()

    @property
    def history(self):
        return self.scheduler.history


class TestRuns(Directory):
    """What becomes of what happens."""

    def setUp(self):
        super().setUp()
        self.make(retry_delay=0)

    def test_a_run_from_beginning_to_end(self):
        self.add(params={"x": "1"})
        self.run_task()
        self.add(status=DONE)
        self.assertEqual(self.recorded(), [(1, "A_1", PENDING), (1, "A_1", RUNNING), (1, "A_1", DONE)])
        self.assertEqual(self.rows("SELECT * FROM tasks"), [(1, "A_1", "A", "h")])
        self.assertEqual(self.rows("SELECT * FROM task_parameters"), [(1, "x", "1")])
        columns = "task_id, family, host, worker, status, started - scheduled, finished - started, duration, error"
        self.assertEqual(self.runs(columns), [("A_1", "A", "h", "w", DONE, 1, 1, 1, None)])

    def test_times_are_local_with_microseconds(self):
        self.now = 1_699_999_999.0
        self.add()
        self.scheduler.flush()
        [(written,)] = self.rows("SELECT ts FROM task_events")
        self.assertEqual(written, datetime.datetime.fromtimestamp(self.now).strftime("%Y-%m-%d %H:%M:%S.000000"))

    def test_each_attempt_is_a_run_with_its_own_host(self):
        self.add()
        self.run_task(host="first")
        self.add(status=FAILED, expl="no")
        self.now += 10
        self.scheduler.prune()
        self.run_task(host="second")
        self.add(status=DONE)
        self.assertEqual(self.runs("status, host"), [(FAILED, "first"), (DONE, "second")])
        self.assertEqual([event[:1] + event[2:] for event in self.events()[2:]], [(1, FAILED), (2, RUNNING), (2, DONE)])

    def test_a_lost_reply_does_not_begin_another_run(self):
        self.add()
        self.run_task()
        self.now += 10
        self.scheduler.get_work(worker="w", current_tasks=[])
        self.assertEqual(self.runs("status, finished, started - scheduled"), [(RUNNING, None, 11)])
        self.assertEqual([name for _, _, name in self.events()], [PENDING, RUNNING, RUNNING])

    def test_wishes_for_the_same_run(self):
        for worker in "wxy":
            self.add(worker=worker)
        self.assertEqual(self.recorded(), [(1, "A_1", PENDING)] * 3)
        self.assertEqual(self.runs(), [("A_1", PENDING)])

    def test_an_open_run_is_looked_up_by_its_task(self):
        self.scheduler.flush()
        self.add()
        execute, plans = luigid.Session.execute, []

        def explain(session, sql, values=()):
            if "FROM luigid_runs" in sql:
                plans.extend(row[3] for row in execute(session, f"EXPLAIN QUERY PLAN {sql}", values))
            return execute(session, sql, values)

        with mock.patch.object(luigid.Session, "execute", explain):
            self.scheduler.flush()
        self.assertIn("luigid_runs_task", plans[0])  # not by all that are open

    def test_dependencies_found_on_the_way(self):
        self.add()
        self.run_task()
        self.add(status=PENDING, new_deps=["B_1"])
        self.add("B_1", status=DONE)
        self.run_task()
        self.add(status=DONE)
        self.assertEqual(self.runs("task_id, status, duration"), [("A_1", DONE, 1), ("B_1", DONE, None)])

    def test_what_was_complete_before_has_not_run(self):
        self.add(status=DONE)
        self.assertEqual(self.runs("status, started, finished"), [(DONE, None, self.now)])
        self.assertEqual(self.rows("SELECT host FROM tasks"), [(None,)])

    def test_the_report_and_its_last_line(self):
        self.add()
        self.run_task()
        self.add(status=FAILED, expl=json.dumps("Traceback:\n  somewhere\nValueError: no\n\n"))
        report = "Traceback:\n  somewhere\nValueError: no\n\n"
        self.assertEqual(self.runs("status, error, message, reason"), [(FAILED, report, "ValueError: no", None)])

    def test_the_end_of_a_long_report(self):
        self.add(status=FAILED, expl=json.dumps("\n" * 100_000 + "ValueError: " + "n" * 1000))
        [(message, error)] = self.runs("message, error")
        self.assertEqual(message, "ValueError: " + "n" * 288)
        self.assertTrue(error.endswith("\n" * 1000 + "ValueError: " + "n" * 1000), error[-2000:])

    def test_a_lost_worker(self):
        self.make(worker_disconnect_delay=30)
        self.add()
        self.add(status=FAILED, expl="something else, before")
        self.scheduler.forgive_failures(task_id="A_1")
        self.run_task()
        self.now += 31
        self.scheduler.prune()
        expected = [(FAILED, "worker lost", "worker lost", None)]
        self.assertEqual(self.runs("status, message, reason, error")[1:], expected)
        self.assertEqual(self.events()[-1], (2, "A_1", FAILED))

    def test_a_failure_that_disables(self):
        self.make(retry_count=1)
        self.add()
        self.run_task()
        self.add(status=FAILED, expl="no")
        self.assertEqual(self.runs("status, message"), [(DISABLED, "no")])
        self.assertEqual([name for _, _, name in self.events()], [PENDING, RUNNING, FAILED, DISABLED])
        self.scheduler.re_enable_task(task_id="A_1")
        self.scheduler.flush()
        self.assertEqual(len(self.events()), 4, "that a task may run again is no run")

    def test_what_its_worker_disables(self):
        self.add(status=DISABLED)
        self.assertEqual(self.recorded(), [(1, "A_1", DISABLED)])

    def test_what_is_done_by_hand(self):
        self.add(status=FAILED, expl="no")
        self.scheduler.mark_as_done(task_id="A_1")
        self.assertEqual(self.runs("status, reason"), [(FAILED, None), (DONE, "by hand")])

    def test_a_batch(self):
        self.scheduler.add_task_batcher(worker="w", task_family="A", batched_args=["n"])
        for number in range(3):
            self.add(f"A_{number}", params={"n": str(number)}, batchable=True)
        batch = self.scheduler.get_work(worker="w", host="h")["batch_id"]
        self.add("A_batch", status=RUNNING, batch_id=batch)
        self.add("A_batch", status=DONE)
        self.assertEqual(set(self.runs("status, host, worker")), {(DONE, "h", "w")})
        self.assertEqual(len(self.runs()), 4)

    def test_a_batch_that_does_not_run(self):
        self.scheduler.add_task_batcher(worker="w", task_family="A", batched_args=["n"])
        for number in range(2):
            self.add(f"A_{number}", params={"n": str(number)}, batchable=True)
        self.run_task()
        self.assertEqual(self.runs("status, started, host, worker"), [(RUNNING, self.now, "h", "w")] * 2)
        self.scheduler.pause()
        self.scheduler.get_work(worker="w", host="h", current_tasks=[])
        self.assertEqual(self.runs("status, started, host, worker"), [(PENDING, None, None, None)] * 2)
        self.assertEqual(self.rows("SELECT DISTINCT host FROM tasks"), [(None,)])

    def test_dependencies_both_ways(self):
        deps = [f"B_{number}" for number in range(150)]
        self.add(deps=deps)
        for dep in deps:
            self.add(dep, status=DONE)
        self.run_task()
        self.scheduler.flush()
        [(listed,)] = self.rows("SELECT deps FROM luigid_runs WHERE task_id = 'A_1'")
        self.assertEqual(json.loads(listed), deps[:100])
        self.assertEqual(self.rows("SELECT run_id, count(*) FROM luigid_deps GROUP BY run_id"), [(1, 100)])
        self.add(status=DONE)
        self.scheduler.flush()
        self.assertEqual(self.rows("SELECT deps FROM luigid_runs WHERE task_id = 'A_1'"), [(listed,)])

    def test_hidden_parameters_are_named(self):
        self.add(params={"x": "1", "password": "2"}, param_visibilities={"password": 1})
        self.assertEqual(self.runs("hidden"), [('["password"]',)])
        self.assertEqual(len(self.rows("SELECT * FROM task_parameters")), 2)

    def test_values_that_are_no_text(self):
        self.add(params={"a": 1, "b": [None, "é"], "c": "half \ud83d", "d": "\ud83d\ude00", "e": "x" * 100_000})
        self.scheduler.flush()
        values = dict(self.rows("SELECT name, value FROM task_parameters"))
        whole = {"a": "1", "b": '[null,"\\u00e9"]', "c": "half \ufffd", "d": "\U0001f600", "e": "x" * 100_000}
        self.assertEqual(values, whole)

    def test_names_that_are_no_text(self):
        self.add("A_\ud83d", worker="w\ud83d", params={"\ud83d": "1"})
        self.run_task(worker="w\ud83d", host="\ud83d")
        self.add("A_\ud83d", worker="w\ud83d", status=DONE)
        self.assertEqual(self.runs("task_id, status, worker, host"), [("A_\ufffd", DONE, "w\ufffd", "\ufffd")])

    def test_open_runs_beyond_what_is_remembered(self):
        with mock.patch.object(luigid, "OPEN_RUNS", 2):
            for number in range(9):
                self.add(f"A_{number}")
                self.scheduler.flush()
            self.assertEqual(len(self.history._recorder._open), 2)
            for number in range(9):
                self.add(f"A_{number}", status=DONE)
        self.assertEqual(self.runs(), [(f"A_{number}", DONE) for number in range(9)])

    def test_runs_that_somebody_deleted(self):
        self.add()
        self.scheduler.flush()
        with contextlib.closing(sqlite3.connect(self.path)) as database, database:
            for table in ("tasks", "task_events", "task_parameters"):
                database.execute(f"DELETE FROM {table}")
        self.history._recorder.forget()
        self.add(status=DONE)
        self.assertEqual([event[1:] for event in self.recorded()], [("A_1", DONE)])

    def test_many_in_one_transaction(self):
        for number in range(1200):
            self.add(f"A_{number}", params={"n": str(number), "m": "1"})
            self.add(f"A_{number}", status=DONE)
        self.assertEqual(self.runs(), [(f"A_{number}", DONE) for number in range(1200)])
        self.assertEqual(self.rows("SELECT count(*) FROM task_parameters"), [(2400,)])
        self.assertEqual(self.rows("SELECT * FROM luigid_progress")[0][1], 2400)


class TestSettings(Directory):
    def test_off_by_default(self):
        self.assertIsNone(luigid.Scheduler().history)

    def test_beside_the_state_by_default(self):
        self.make(db_connection=None)
        self.assertEqual(os.listdir(self.directory), [])
        self.add()
        self.assertEqual(os.listdir(self.directory), [], "a scheduler in memory touches no file until it must")
        self.scheduler.flush()
        self.path = self.directory / "state.history.db"
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.events(), [(1, "A_1", PENDING)])

    def test_closing_records_too(self):
        self.make()
        self.add()
        self.scheduler.close()
        self.assertEqual(self.events(), [(1, "A_1", PENDING)])

    def test_addresses_of_files(self):
        for address, path in [
            ("sqlite:///{}", self.directory / "a.db"),
            ("sqlite+pysqlite:///{}", self.directory / "b%20ü.db"),
            ("sqlite:///{}?timeout=5", self.directory / "c.db"),
        ]:
            with self.subTest(address):
                luigid.Database(address.format(path)).open().close()
                self.assertTrue(path.exists())

    def test_a_relative_path(self):
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.directory)
        database = luigid.Database("sqlite:///relative.db")
        os.chdir("/")
        database.open().close()
        self.assertTrue((self.directory / "relative.db").exists())

    def test_memory(self):
        for address in ("sqlite://", "sqlite:///", "sqlite:///:memory:"):
            with self.subTest(address):
                self.make(db_connection=address)
                self.add()
                self.scheduler.flush()
                with self.history.database.open(reading=True) as session:
                    self.assertEqual(session.rows("SELECT task_id FROM tasks"), [("A_1",)])
        self.assertEqual(os.listdir(self.directory), [])

    def test_reading_changes_nothing(self):
        self.make()
        self.add()
        self.scheduler.flush()
        with self.history.database.open(reading=True) as session, self.assertRaises(sqlite3.OperationalError):
            session.execute("DELETE FROM tasks")

    def test_addresses_that_cannot_be_used(self):
        for address, message in [
            ("history.db", "must be sqlite:////PATH"),
            ("oracle://u:secret@host/db", "must be sqlite:////PATH"),
            ("sqlite://history.db", "sqlite:////absolute or sqlite:///relative"),
            ("sqlite:///file:x?uri=true", "sqlite:////absolute or sqlite:///relative"),
            ("postgresql+pg8000://u:secret@host/db", "psycopg or psycopg2"),
            ("mysql+mysqlconnector://u:secret@host/db", "pymysql or MySQLdb"),
        ]:
            with self.subTest(address), self.assertRaises(SettingsError) as caught:
                self.make(db_connection=address)
            self.assertIn(message, str(caught.exception))
            self.assertNotIn("secret", str(caught.exception))

    def test_a_driver_that_is_not_installed(self):
        with mock.patch.object(importlib, "import_module", side_effect=ImportError):
            for address, names in [
                ("postgresql://h/db", "psycopg or psycopg2"),
                ("postgres://h/db", "psycopg or psycopg2"),
                ("postgresql+psycopg2://h/db", "psycopg2;"),
                ("mariadb://h/db", "pymysql or MySQLdb"),
                ("mysql+mysqldb://h/db", "MySQLdb;"),
            ]:
                with self.subTest(address), self.assertRaises(SettingsError) as caught:
                    luigid.Database(address)
                self.assertIn(names, str(caught.exception))


class FakeDriver(types.ModuleType):
    """A DB-API module that takes what it is given, and finds nothing."""

    def __init__(self, name):
        super().__init__(name)
        self.Error, self.DataError, self.IntegrityError = OSError, KeyError, LookupError
        self.statements, self.options = [], None

    def connect(self, **options):
        self.options = options
        return self

    def cursor(self):
        return self

    def execute(self, *statement):
        self.statements.append(statement)

    def fetchall(self):
        return []


class TestDrivers(unittest.TestCase):
    def database(self, address, name):
        self.driver = FakeDriver(name)
        with mock.patch.object(importlib, "import_module", self.import_module):
            return luigid.Database(address)

    def import_module(self, name):
        if name != self.driver.__name__:
            raise ImportError(name)
        return self.driver

    def test_options_of_postgresql(self):
        address = "postgres://us%40er:p%3Aw%2F@host:5433/name?sslmode=require&connect_timeout=3"
        self.database(address, "psycopg").open()
        expected = {
            "host": "host",
            "port": 5433,
            "user": "us@er",
            "password": "p:w/",
            "dbname": "name",
            "sslmode": "require",
            "connect_timeout": 3,
            "tcp_user_timeout": 10000,
            "application_name": "luigid",
            "prepare_threshold": None,
        }
        self.assertEqual(self.driver.options, expected)

    def test_options_of_mysql(self):
        self.database("mysql://user@[::1]/12?unix_socket=/run/x&charset=latin1", "pymysql").open()
        timeouts = {"connect_timeout": 10, "read_timeout": 30, "write_timeout": 30}
        place = {"host": "::1", "user": "user", "database": "12", "unix_socket": "/run/x", "charset": "latin1"}
        self.assertEqual(self.driver.options, {**place, **timeouts})

    def test_values_go_into_the_statement_as_the_driver_likes(self):
        session = self.database("mysql://h/db", "pymysql").open()
        session.execute("SELECT '100%' LIKE ?", ["a%"])
        session.execute("SELECT '100%'")
        self.assertEqual(self.driver.statements, [("SELECT '100%%' LIKE %s", ("a%",)), ("SELECT '100%'",)])

    def test_rows_in_place_of_others(self):
        for address, name, expected in [
            ("postgresql://h/db", "psycopg2", "ON CONFLICT (id) DO UPDATE SET b = COALESCE(excluded.b, t.b)"),
            ("mysql://h/db", "MySQLdb", "ON DUPLICATE KEY UPDATE b = COALESCE(VALUES(b), t.b)"),
        ]:
            with self.subTest(name):
                self.database(address, name).open().upsert("t", ("id", "b"), [(1, 2), (3, 4)], keys=1, lasting="b")
                values = "INSERT INTO t (id, b) VALUES (%s, %s), (%s, %s)"
                self.assertEqual(self.driver.statements, [(f"{values} {expected}", (1, 2, 3, 4))])

    def test_texts_for_columns_that_end(self):
        database = self.database("postgresql://h/db", "psycopg")
        self.assertEqual(database.key("é" * 200, 200), "é" * 200)
        first, second = database.key("é" * 201, 200), database.key("é" * 202, 200)
        self.assertEqual((len(first), len(second)), (200, 200))
        self.assertNotEqual(first, second)
        self.assertEqual(database.key("a\0b\ud83d", 200), "a\ufffdb\ufffd")

    def test_a_server_that_is_away(self):
        database = self.database("postgresql://h/db", "psycopg")
        self.driver.connect = mock.Mock(side_effect=OSError("no\nroute"))
        with self.assertRaisesRegex(luigid.HistoryUnavailable, "^no$"):
            database.open()


class TestOnce(Directory):
    """Whatever dies, each event that was acknowledged is in the database once."""

    def setUp(self):
        super().setUp()
        self.load()

    def test_a_kill_before_anything_was_written(self):
        self.add()
        self.add(status=DONE)
        self.load()
        self.assertEqual(self.recorded(), [(1, "A_1", PENDING), (1, "A_1", DONE)])

    def test_a_kill_after_everything_was_written(self):
        self.add()
        self.scheduler.flush()
        self.load()
        self.add("A_2")
        self.assertEqual(self.recorded(), [(1, "A_1", PENDING), (2, "A_2", PENDING)])

    def test_a_snapshot_while_events_wait(self):
        self.add()
        self.scheduler.dump()
        self.add("A_2")
        self.load()
        self.scheduler.dump()
        self.load()
        self.assertEqual(self.recorded(), [(1, "A_1", PENDING), (2, "A_2", PENDING)])

    def test_a_snapshot_without_events(self):
        self.add()
        self.scheduler.flush()
        self.scheduler.dump()
        self.load()
        self.add("A_2")
        self.load()
        self.assertEqual(self.recorded(), [(1, "A_1", PENDING), (2, "A_2", PENDING)])

    def test_a_snapshot_of_what_was_not_loaded(self):
        self.make(state_path=str(self.directory / "other"))
        self.add()
        self.scheduler.dump()
        self.scheduler.flush()
        self.load(state_path=str(self.directory / "other"))
        self.assertEqual(self.recorded(), [(1, "A_1", PENDING)])

    def break_within_the_commit(self):
        """Let the database have an event, and nobody know that it has."""
        self.scheduler.flush()
        self.add()
        with mock.patch.object(luigid.Session, "transaction", broken_transaction):
            self.assertRaises(Unavailable, self.scheduler.flush)
        self.assertEqual(self.events(), [(1, "A_1", PENDING)])

    def test_a_connection_that_breaks_within_the_commit(self):
        self.break_within_the_commit()
        self.add(status=DONE)
        self.assertEqual(self.recorded(), [(1, "A_1", PENDING), (1, "A_1", DONE)])

    def test_a_kill_within_the_commit(self):
        self.break_within_the_commit()
        self.load()
        self.assertEqual(self.recorded(), [(1, "A_1", PENDING)])

    def test_a_state_that_is_older_than_the_database(self):
        self.scheduler.dump()
        shutil.copy(self.directory / "state", self.directory / "copy")
        self.add()
        self.scheduler.flush()
        self.scheduler.close()
        for journal in self.directory.glob("state.journal.*"):
            journal.unlink()
        shutil.copy(self.directory / "copy", self.directory / "state")
        self.load()
        self.add("A_2")
        self.scheduler.flush()
        self.load()
        self.add("A_3")
        self.assertEqual([task for _, task, _ in self.recorded()], ["A_1", "A_2", "A_3"])

    def test_another_database(self):
        self.add()
        self.scheduler.flush()
        self.scheduler.dump()
        self.path = self.directory / "other.db"
        self.load()
        self.add("A_2")
        self.assertEqual(self.recorded(), [(1, "A_2", PENDING)])

    def test_a_database_that_is_made_anew(self):
        self.add()
        self.scheduler.flush()
        self.history._lose(sqlite3.OperationalError("gone"))
        for file in self.directory.glob("history.db*"):
            file.unlink()
        self.scheduler.flush()
        self.add("A_2")
        self.assertEqual(self.recorded(), [(1, "A_2", PENDING)])

    def test_two_states_in_a_database(self):
        self.add()
        self.scheduler.flush()
        self.load(state_path=str(self.directory / "other"))
        self.add("A_2")
        self.assertEqual(self.recorded(), [(1, "A_1", PENDING), (2, "A_2", PENDING)])

    def test_what_the_journal_does_not_have_is_not_recorded(self):
        with mock.patch.object(luigid, "write_all", side_effect=OSError("full")):
            self.assertRaises(Unavailable, self.add)
        self.assertRaises(Unavailable, self.scheduler.flush)
        with contextlib.suppress(Unavailable):
            self.history.flush()
        self.assertEqual(self.events(), [])
        self.scheduler.dump()  # which mends it: now it is in the state
        self.assertEqual(self.recorded(), [(1, "A_1", PENDING)])

    def test_a_call_that_was_refused_and_then_forgotten(self):
        with mock.patch.object(luigid, "write_all", side_effect=OSError("full")):
            self.assertRaises(Unavailable, self.add)
        with contextlib.suppress(Unavailable):
            self.history.flush()
        self.load()
        self.assertEqual(self.scheduler.task_list(), {})
        self.assertEqual(self.recorded(), [])


TRANSACTION = luigid.Session.transaction


@contextlib.contextmanager
def broken_transaction(session):
    """A transaction that is committed, but the connection breaks before the answer comes."""
    with TRANSACTION(session):
        yield
    raise sqlite3.OperationalError("the connection is lost")


class TestOutage(Directory):
    """While the database is away, calls are answered, and memory is bounded."""

    def setUp(self):
        super().setUp()
        patches = {"DATABASE_PATIENCE": 0, "RETRY_FIRST": 0.01, "RETRY_MOST": 0.01, "LINGER": 0}
        for name, value in patches.items():
            patch = mock.patch.object(luigid, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        self.make()
        self.add("A_0")
        self.scheduler.flush()

    @contextlib.contextmanager
    def locked(self):
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    def test_all_is_there_afterwards(self):
        self.load()
        with self.locked():
            self.add("A_1")
            with self.assertRaisesRegex(Unavailable, "locked"):
                self.scheduler.flush()
            self.add("A_2")
            health = self.scheduler.health()["history"]
            self.assertEqual((health["waiting"], health["error"]), (2, "database is locked"))
            self.now += 10
            self.assertEqual(self.scheduler.health()["history"]["seconds_behind"], 11)
        self.assertEqual([task for _, task, _ in self.recorded()], ["A_0", "A_1", "A_2"])
        health = self.scheduler.health()["history"]
        self.assertEqual((health["waiting"], health["error"], health["seconds_behind"]), (0, None, 0))

    def test_it_is_said_once(self):
        with self.assertLogs(luigid.logger, "WARNING") as logged:
            with self.locked():
                self.add("A_1")
                for _ in range(3):
                    self.assertRaises(Unavailable, self.scheduler.flush)
            self.scheduler.flush()
        self.assertEqual(len(logged.output), 2, logged.output)
        self.assertIn("cannot be written (database is locked)", logged.output[0])
        self.assertIn("can be written again", logged.output[1])

    def test_closing_gives_up_and_the_next_start_goes_on(self):
        self.load()
        with self.locked():
            self.add("A_1")
            self.scheduler.close()
        self.load()
        self.assertEqual([task for _, task, _ in self.recorded()], ["A_0", "A_1"])

    def test_a_database_that_cannot_be_made(self):
        self.path = self.directory / "missing" / "history.db"
        self.load()
        self.add("A_1")
        with self.assertRaisesRegex(Unavailable, "No such file"):
            self.scheduler.flush()
        self.path.parent.mkdir()
        self.assertEqual(self.recorded(), [(1, "A_1", PENDING)])

    def test_a_file_that_is_no_database(self):
        self.path = self.directory / "notes.txt"
        self.path.write_text("this is not a database, whatever you think of it " * 100)
        self.load()
        self.add("A_1")
        with self.assertRaisesRegex(Unavailable, "not a database"):
            self.scheduler.flush()

    def test_the_writer_comes_back(self):
        self.load()
        self.scheduler.start()
        with self.locked():
            self.add("A_1")
            self.wait_until(lambda: self.scheduler.health()["history"]["error"])
            self.add("A_2")
        self.wait_until(lambda: len(self.events()) == 3)
        self.scheduler.close()
        self.assertEqual([task for _, task, _ in self.events()], ["A_0", "A_1", "A_2"])

    def wait_until(self, condition):
        patient = threading.Event()
        for _ in range(PATIENCE * 100):
            if condition():
                return
            patient.wait(0.01)
        self.fail("waited in vain")


class TestSpool(TestOutage):
    """What does not fit into memory goes into a file, and comes back in order. All of the above holds with one, too."""

    def setUp(self):
        super().setUp()
        for name, value in {"QUEUE_LIMIT": 2, "BATCH": 3}.items():
            patch = mock.patch.object(luigid, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        self.spool = self.directory / "state.history.spool"

    def test_all_is_there_afterwards(self):
        self.load()
        with self.locked():
            for number in range(1, 10):
                self.add(f"A_{number}")
                self.assertRaises(Unavailable, self.scheduler.flush)
                self.assertLess(self.scheduler.health()["history"]["waiting"], 2)
            self.assertTrue(self.spool.stat().st_size)
            self.assertEqual(self.scheduler.health()["history"]["seconds_behind"], 8)
        self.assertEqual([task for _, task, _ in self.recorded()], [f"A_{number}" for number in range(10)])
        self.assertFalse(self.spool.exists())

    def spooled(self, number=9):
        """Leave events in the spool, and some behind it in the journal."""
        self.load()
        with self.locked():
            for task in range(1, number + 1):
                self.add(f"A_{task}")
                self.assertRaises(Unavailable, self.scheduler.flush)

    def expect(self, number=9):
        self.assertEqual([task for _, task, _ in self.recorded()], [f"A_{task}" for task in range(number + 1)])

    def test_a_kill(self):
        self.spooled()
        self.load()
        self.expect()

    def test_a_kill_after_a_snapshot(self):
        self.spooled()
        self.scheduler.dump()
        self.load()
        self.expect()

    def test_a_kill_while_it_is_emptied(self):
        self.spooled()
        with mock.patch.object(luigid.Spool, "drop", side_effect=OSError("killed here")):
            self.assertRaises(Unavailable, self.scheduler.flush)
        self.load()
        self.expect()

    def test_a_torn_end(self):
        self.spooled()
        with open(self.spool, "ab") as file:
            file.write(luigid.frame(b"torn")[:-2])
        self.load()
        self.add("A_10")
        self.expect(10)

    def test_a_torn_beginning(self):
        self.spool.write_bytes(luigid.frame(b"torn")[:-2])
        self.spooled()
        self.load()
        self.expect()

    def test_damage(self):
        self.spooled()
        data = bytearray(self.spool.read_bytes())
        data[300] ^= 1
        self.spool.write_bytes(data)
        with self.assertLogs(luigid.logger, "ERROR") as logged:
            self.scheduler.flush()
        [aside] = self.directory.glob("state.history.spool.*")
        self.assertIn(f"they are in {aside}", logged.output[0])
        self.assertEqual(aside.read_bytes(), data)
        self.assertEqual(self.recorded()[-1][1], "A_9")

    def test_the_first_write_fails(self):
        self.load()
        with self.locked():
            self.add("A_1")
            self.add("A_2")
            with mock.patch.object(luigid, "write_all", side_effect=OSError("full")):
                self.assertRaises(Unavailable, self.history.flush)
            self.assertEqual(self.scheduler.health()["history"]["spooled_bytes"], 0)
            self.assertRaises(Unavailable, self.scheduler.flush)
        self.expect(2)

    def test_what_cannot_be_written_into_it(self):
        self.load()
        with self.locked(), mock.patch.object(luigid.os, "fsync", side_effect=OSError("full")):
            for task in range(1, 5):
                with contextlib.suppress(Unavailable):
                    self.add(f"A_{task}")
                with contextlib.suppress(Unavailable):
                    self.history.flush()
            self.assertEqual(self.scheduler.health()["history"]["spooled_bytes"], 0)
        self.scheduler.dump()
        self.expect(4)

    def test_what_the_journal_does_not_have_is_not_in_it(self):
        self.load()
        with self.locked(), mock.patch.object(luigid.Journal, "_write_waiting", side_effect=Unavailable("full")):
            for task in range(1, 5):
                self.assertRaises(Unavailable, self.add, f"A_{task}")
                self.assertRaises(Unavailable, self.history.flush)
        self.assertEqual(self.scheduler.health()["history"]["spooled_bytes"], 0)

    def test_the_writer_is_woken_by_too_much(self):
        with mock.patch.object(luigid, "RETRY_FIRST", 1000), mock.patch.object(luigid, "RETRY_MOST", 1000):
            self.load()
            self.scheduler.start()
            with self.locked():
                self.add("A_1")
                self.wait_until(lambda: self.scheduler.health()["history"]["error"])
                self.add("A_2")
                self.wait_until(lambda: self.scheduler.health()["history"]["spooled_bytes"])
            self.scheduler.flush()
            self.scheduler.close()
        self.assertEqual([task for _, task, _ in self.events()], ["A_0", "A_1", "A_2"])

    def test_of_another_state(self):
        self.spooled()
        self.load(state_path=str(self.directory / "other"))
        os.rename(self.spool, self.directory / "other.history.spool")
        self.load(state_path=str(self.directory / "other"))
        self.assertEqual([task for _, task, _ in self.recorded()], ["A_0"])
        self.assertEqual(len(list(self.directory.glob("other.history.spool.*"))), 1)

    def test_reports_count_by_their_length(self):
        report = "x" * 10_000
        self.add(status=FAILED, expl=report)
        self.assertEqual(self.history._weight_heard - self.history._weight_done, 1 + 9)


class TestRefused(Directory):
    """What the database does not take costs nothing else."""

    def setUp(self):
        super().setUp()
        self.make()

    def refuse(self, task_id):
        """Let the database not take a task."""
        record = luigid.Recorder.record

        def picky(recorder, session, events):
            record(recorder, session, events)
            if any(event.task_id == task_id for event in events):
                raise sqlite3.IntegrityError("I do not like it")

        patch = mock.patch.object(luigid.Recorder, "record", picky)
        patch.start()
        self.addCleanup(patch.stop)

    def test_the_others_are_recorded(self):
        self.refuse("A_3")
        for number in range(6):
            self.add(f"A_{number}")
        with self.assertLogs(luigid.logger, "ERROR") as logged:
            self.assertEqual([task for _, task, _ in self.recorded()], ["A_0", "A_1", "A_2", "A_4", "A_5"])
        self.assertIn("PENDING of A_3 is not in the task history: I do not like it", logged.output[0])
        self.assertEqual(self.scheduler.health()["history"]["refused"], 1)
        self.assertEqual(self.rows("SELECT last_event FROM luigid_progress"), [(6,)])

    def test_times_that_no_calendar_knows(self):
        self.add("A_0")
        self.now = 1e18
        self.add("A_1")
        self.now = 1_700_000_000.0
        self.add("A_2")
        self.assertEqual([task for _, task, _ in self.recorded()], ["A_0", "A_2"])


class TestChores(Directory):
    """What the writer does when nothing happens."""

    #: stock's tables as they were before tasks had ids
    OLD = """
        CREATE TABLE tasks (id INTEGER NOT NULL, name VARCHAR(128), host VARCHAR(128), PRIMARY KEY (id));
        CREATE INDEX ix_tasks_name ON tasks (name);
        CREATE TABLE task_events (id INTEGER NOT NULL, task_id INTEGER, event_name VARCHAR(20), ts TIMESTAMP NOT NULL,
            PRIMARY KEY (id), FOREIGN KEY(task_id) REFERENCES tasks (id));
        CREATE TABLE task_parameters (task_id INTEGER NOT NULL, name VARCHAR(128) NOT NULL, value VARCHAR(256),
            PRIMARY KEY (task_id, name), FOREIGN KEY(task_id) REFERENCES tasks (id));
        INSERT INTO tasks VALUES (7, 'A', 'h');
        INSERT INTO task_events VALUES (1, 7, 'PENDING', '2020-01-01 10:00:00.000000');
        INSERT INTO task_events VALUES (2, 7, 'RUNNING', '2020-01-01 10:00:01.000000');
        INSERT INTO task_events VALUES (3, 7, 'FAILED', '2020-01-01 10:00:03.500000');
        INSERT INTO task_events VALUES (4, 7, 'RUNNING', '2020-01-01 11:00:00');
        INSERT INTO task_events VALUES (5, 7, 'DONE', '2020-01-01 11:00:05.000000');
        INSERT INTO tasks VALUES (8, 'A', NULL);
    """

    def old(self):
        with contextlib.closing(sqlite3.connect(self.path)) as database:
            database.executescript(self.OLD)

    def test_an_old_database_of_stocks(self):
        self.old()
        self.make()
        self.add()
        began = datetime.datetime(2020, 1, 1, 11).timestamp()
        columns = "run_id, task_id, family, host, status, scheduled, started, finished, duration, hidden"
        expected = [
            (7, None, "A", "h", DONE, began, began, began + 5, 5, None),
            (8, None, "A", None, PENDING, 0, None, None, None, None),
            (9, "A_1", "A", None, PENDING, self.now, None, None, None, "[]"),
        ]
        self.assertEqual(self.runs(columns), expected)

    def test_it_takes_steps(self):
        self.old()
        with contextlib.closing(sqlite3.connect(self.path)) as database, database:
            database.executemany("INSERT INTO tasks VALUES (?, 'B', NULL)", [(number,) for number in range(100, 400)])
        with mock.patch.object(luigid, "FILL_STEP", 10):
            self.make()
            self.add()
            self.assertEqual(len(self.runs()), 303)
        self.make()
        with mock.patch.object(luigid, "write_runs", side_effect=AssertionError("there is nothing left to fill in")):
            self.scheduler.flush()

    def test_old_runs_are_deleted(self):
        self.make(keep_days=2)
        for number in range(250):
            self.add(f"A_{number}", params={"n": "1"}, deps=["B_1"])
        self.add("B_1", status=DONE)
        for number in range(250):
            self.run_task()
            self.add(f"A_{number}", status=DONE)
        self.add("A_old")
        self.scheduler.flush()
        self.now += 86400
        self.add("A_new", params={"n": "1"})
        self.add("A_old", status=DONE)
        self.scheduler.flush()
        self.assertEqual(len(self.runs()), 253)
        self.now += 86400 + 1
        self.history._next_sweep = 0.0
        self.add("A_newest")
        self.assertEqual(self.runs("task_id"), [("A_old",), ("A_new",), ("A_newest",)])
        ids = [run_id for (run_id,) in self.rows("SELECT run_id FROM luigid_runs ORDER BY 1")]
        for query in ("id FROM tasks", "DISTINCT task_id FROM task_events"):
            self.assertEqual([run_id for (run_id,) in self.rows(f"SELECT {query} ORDER BY 1")], ids)
        self.assertEqual(self.rows("SELECT task_id FROM task_parameters"), [(ids[1],)])
        self.assertEqual(self.rows("SELECT count(*) FROM luigid_deps"), [(0,)])

    def test_a_run_that_is_open_still_and_was_deleted(self):
        self.make(keep_days=1)
        self.add()
        self.scheduler.flush()
        self.now += 2 * 86400
        self.history._next_sweep = 0.0
        self.scheduler.flush()
        self.assertEqual(self.events(), [])
        self.add(status=DONE)
        self.assertEqual([event[1:] for event in self.recorded()], [("A_1", DONE)])

    def test_everything_is_kept_by_default(self):
        self.make()
        self.add()
        self.now += 10_000 * 86400
        self.add("A_2")
        self.assertEqual(len(self.recorded()), 2)


class TestWriter(Directory):
    """With its thread, as in the daemon."""

    def test_flush_returns_when_all_is_there(self):
        self.load()
        self.scheduler.start()
        for number in range(300):
            self.add(f"A_{number}")
        self.scheduler.flush()
        self.assertEqual(len(self.events()), 300)

    def test_flush_from_many_threads(self):
        self.load()
        self.scheduler.start()

        def work(name):
            for number in range(20):
                self.scheduler.add_task(worker=name, task_id=f"{name}_{number}", family=name)
                self.scheduler.flush()

        threads = [threading.Thread(target=work, args=(name,)) for name in "ABCD"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len({task for _, task, _ in self.events()}), 80)
        self.assertEqual(len(self.events()), 80)

    def test_closing_writes_the_rest(self):
        self.load()
        self.scheduler.start()
        for number in range(50):
            self.add(f"A_{number}")
        self.scheduler.close()
        self.assertEqual(len(self.events()), 50)
        self.assertNotIn("history", {thread.name for thread in threading.enumerate()})

    def test_calls_come_first_in_a_rush(self):
        self.make()
        self.history._rest(math.inf)  # there is nothing to do, which the loop around it must see
        self.add()
        many = int(luigid.WRITER_PACE * luigid.LINGER)

        def looks(until, *heard):
            """How often the writer looks while so much is heard between two looks, before it goes on."""
            left = iter(heard)

            def wait(seconds):
                self.history._weight_heard += next(left)

            with mock.patch.object(self.history._hurry, "wait", wait):
                self.history._rest(until)
            return len(heard) - len(list(left))

        self.assertEqual(looks(math.inf, many - 1, many), 1)
        self.assertEqual(looks(math.inf, many, many, 0, many), 3)
        self.assertEqual(looks(-math.inf, many, many), 1)
        self.assertEqual(looks(math.inf, many, luigid.QUEUE_LIMIT, many), 2)
        self.assertEqual(looks(math.inf, many), 0)

    def test_a_mistake_of_ours_is_shown(self):
        self.make()
        self.add()
        mistake = mock.patch.object(luigid.Recorder, "record", side_effect=ZeroDivisionError("oops"))
        with mistake, self.assertLogs(luigid.logger, "WARNING") as logged:
            self.assertRaises(Unavailable, self.scheduler.flush)
        self.assertIn("Traceback", logged.output[0])
        self.assertEqual(self.recorded(), [(1, "A_1", PENDING)])


class TestEvents(unittest.TestCase):
    def test_the_queue_takes_what_is_recorded(self):
        history = luigid.TaskHistory(luigid.Database("sqlite://"), "/nowhere", None)
        for number, kind in enumerate((PENDING, BATCH_RUNNING, luigid.WORKER_LOST, luigid.FAILURE_REPORTED), 1):
            history.hear(Event(number, kind, 0.0, "A_1", "A", {}, (), None, None, None), None, number)
        self.assertEqual([event.kind for event in history.carry()], [PENDING, BATCH_RUNNING])


if __name__ == "__main__":
    unittest.main()
