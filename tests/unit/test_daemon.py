"""The daemon's own affairs: its logs, who runs, what a service manager is told and hands over, what a HUP changes.

What takes a process of its own, a signal or a fork is in tests/e2e.
"""

import contextlib
import fcntl
import io
import itertools
import json
import logging
import os
import signal
import socket
import sys
import time
import unittest
from unittest import mock

import luigid
from tests.unit.test_cli import InDirectory
from tests.unit.test_http import Client, call, request, serving, wait_until

DAY = 86400


def record(message, *args, created=None, **fields):
    """A log record as a logger of luigid makes it."""
    made = luigid.logger.makeRecord("luigid", logging.INFO, __file__, 1, message, args, None, extra=fields or None)
    made.created = time.time() if created is None else created
    luigid.make_unforgeable(made)
    return made


def keep_quiet(test):
    """Let nothing that is logged reach the terminal, where `test` does not look at it."""
    handler = logging.NullHandler()
    luigid.logger.addHandler(handler)
    test.addCleanup(luigid.logger.removeHandler, handler)


class LogFileTest(InDirectory):
    def setUp(self):
        super().setUp()
        self.log = self.open()

    def open(self, max_bytes=0, keep=7):
        log = luigid.LogFile("log")
        log.max_bytes, log.keep = max_bytes, keep
        self.addCleanup(log.close)
        return log

    def emit(self, message, **options):
        self.log.emit(record(message, **options))

    def contents(self):
        found = {}
        for name in os.listdir():
            with open(name) as file:
                found[name] = file.read().split()
        return found

    def today(self, days=0):
        return time.strftime("%Y-%m-%d", time.localtime(time.time() + days * DAY))

    def test_begins_anew_each_day(self):
        self.emit("old")
        self.emit("new", created=self.log._midnight)
        self.assertEqual({"log": ["new"], f"log.{self.today()}": ["old"]}, self.contents())

    def test_the_day_of_a_file_that_was_there_is_that_of_its_last_line(self):
        self.write("log", "old\n")
        os.utime("log", (time.time() - 3 * DAY,) * 2)
        self.log = self.open()
        self.emit("new")
        self.assertEqual({"log": ["new"], f"log.{self.today(-3)}": ["old"]}, self.contents())

    def test_an_empty_file_is_not_put_aside(self):
        self.emit("new", created=self.log._midnight)
        self.assertEqual({"log": ["new"]}, self.contents())

    def test_begins_anew_by_size_and_keeps_so_many(self):
        self.log.max_bytes, self.log.keep = 4, 12
        for number in range(20):
            self.emit(f"{number:03}")
        day = self.today()
        old = {f"log.{day}.{number}": [f"{number:03}"] for number in range(7, 19)}
        self.assertEqual({"log": ["019"], **old}, self.contents())

    def test_what_is_kept_longest_is_what_was_written_last(self):
        yesterday, others = f"log.{self.today(-1)}", {"log", "log.txt", "log.1"}
        for name in (f"{yesterday}.2", f"{yesterday}.10", f"log.{self.today(-2)}", *others):
            self.write(name, "")
        self.log.max_bytes, self.log.keep = 4, 2
        self.emit("one")
        self.emit("two")
        self.assertEqual({*others, f"log.{self.today()}", f"{yesterday}.10"}, {*os.listdir()})

    def test_an_old_file_that_cannot_be_removed_costs_no_line(self):
        self.log.max_bytes = self.log.keep = 1
        with mock.patch.object(luigid.os, "unlink", side_effect=PermissionError):
            for number in range(3):
                self.emit(f"{number}")
        self.assertEqual([["0"], ["1"], ["2"]], sorted(self.contents().values()))

    def test_a_file_that_cannot_be_put_aside_goes_on(self):
        self.log.max_bytes = 1
        self.enter(mock.patch.object(luigid.os, "rename", side_effect=PermissionError("no")))
        with contextlib.redirect_stderr(io.StringIO()) as errors:
            for number in range(3):
                self.emit(f"{number}")
        self.assertEqual({"log": ["0", "1", "2"]}, self.contents())
        self.assertEqual(1, errors.getvalue().count("\n"))

    def test_with_none_to_keep_it_goes_on_for_ever(self):
        self.log.max_bytes, self.log.keep = 1, 0
        self.emit("one")
        self.emit("two", created=self.log._midnight)
        self.assertEqual({"log": ["one", "two"]}, self.contents())

    def test_moved_by_somebody_else(self):
        self.emit("one")
        os.rename("log", "log.moved")
        self.emit("two")
        self.assertEqual({"log.moved": ["one"], "log": ["two"]}, self.contents())

    def test_moved_and_made_anew_by_somebody_else(self):
        self.emit("one")
        os.rename("log", "log.moved")
        self.write("log", "")
        self.emit("two")
        self.assertEqual({"log.moved": ["one"], "log": ["two"]}, self.contents())

    def test_copied_and_cut_by_somebody_else(self):
        self.emit("one")
        os.truncate("log", 0)
        self.emit("two")
        with open("log") as log:
            self.assertEqual("two\n", log.read())

    def test_directory_that_comes_and_goes(self):
        os.mkdir("logs")
        self.log = luigid.LogFile("logs/log")
        self.addCleanup(self.log.close)
        self.emit("one")
        os.unlink("logs/log")
        os.rmdir("logs")
        with contextlib.redirect_stderr(io.StringIO()) as errors:
            self.emit("lost")
            self.emit("lost, too")
        self.assertRegex(errors.getvalue(), r"\Aluigid: cannot log to .*/logs/log: .*No such file or directory.*\n\Z")
        os.mkdir("logs")
        self.emit("two")
        with open("logs/log") as log:
            self.assertEqual("two\n", log.read())

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full")
    def test_full_disk_is_told_once(self):
        with open("/dev/full", "w") as full, contextlib.redirect_stderr(io.StringIO()) as errors:
            self.log.setStream(full)
            with mock.patch.object(self.log, "_turn_over"):
                self.emit("one")
                self.emit("two")
            self.log.stream = None
            with contextlib.suppress(OSError):
                full.close()
        self.assertEqual(1, errors.getvalue().count("cannot log to"), errors.getvalue())

    def test_names_of_logs_are_no_patterns(self):
        self.log = luigid.LogFile("l[o]g+")
        self.addCleanup(self.log.close)
        self.log.max_bytes = self.log.keep = 1
        for number in range(4):
            self.emit(f"{number}")
        self.assertEqual({f"l[o]g+.{self.today()}.2": ["2"], "l[o]g+": ["3"], "log": []}, self.contents())


class SlowLogTest(unittest.TestCase):
    """A log that nobody reads, or on a slow disk, holds up whoever has something to log, and nobody else."""

    def test_no_line_is_written_while_the_schedulers_lock_is_held(self):
        now, written = 1000.0, []
        scheduler = luigid.Scheduler(clock=lambda: now, retry_count=1)

        def emit(entry):
            free = scheduler._lock.acquire(False)
            if free:
                scheduler._lock.release()
            written.append((entry.getMessage().partition(" ")[0], free))

        handler = logging.Handler()
        handler.emit = emit
        luigid.logger.addHandler(handler)
        self.addCleanup(luigid.logger.removeHandler, handler)
        self.addCleanup(luigid.logger.setLevel, luigid.logger.level)
        luigid.logger.setLevel(logging.DEBUG)
        for task_id in ("t", "u"):
            scheduler.add_task(worker="w", task_id=task_id)
            scheduler.get_work(worker="w", host="h")
        scheduler.add_task(worker="w", task_id="t", status="FAILED")
        scheduler.announce_scheduling_failure(worker="w", task_name="t", family="F", params={}, expl="", owners=[])
        now += 1000
        scheduler.prune()
        self.assertLessEqual({("task", True), ("worker", True)}, set(written))
        self.assertNotIn(False, [free for _, free in written])


class JsonLogTest(unittest.TestCase):
    def format(self, *args, **fields):
        return luigid.JsonFormatter().format(record(*args, **fields))

    def test_a_line_is_an_object(self):
        entry = json.loads(self.format("hello %s", "world", created=0.5))
        self.assertEqual("1970-01-01T00:00:00.500Z", entry["time"][:20] + "500Z")
        expected = {"level": "INFO", "logger": "luigid", "pid": os.getpid(), "message": "hello world"}
        self.assertEqual(expected, {name: entry[name] for name in expected})

    def test_no_text_can_begin_a_line_or_end_its_value(self):
        for trick in ("\n", '"', '", "level": "ERROR', "\x1b[2K", "\u2028", "\x85", "\\", "\ud800"):
            with self.subTest(ascii(trick)):
                line = self.format("task %s failed", f"a{trick}b", facts={"path": trick})
                self.assertTrue(line.isascii() and line.isprintable(), ascii(line))
                self.assertEqual("INFO", json.loads(line)["level"])

    def test_a_stack_trace_is_a_list_of_lines(self):
        try:
            raise ValueError("bad\ntask")
        except ValueError:
            made = record("it failed")
            made.exc_info, made.exc_text = sys.exc_info(), None
            luigid.make_unforgeable(made)
        entry = json.loads(luigid.JsonFormatter().format(made))
        self.assertIn("  ValueError: bad", entry["traceback"])
        self.assertIn("  task", entry["traceback"])


class AccessLogTest(InDirectory):
    def lines(self, *requests, **options):
        """What is logged of requests, as (line, facts)."""
        self.addCleanup(luigid.access_logger.setLevel, luigid.access_logger.level)
        luigid.access_logger.setLevel(logging.INFO)
        with self.assertLogs(luigid.access_logger, "INFO") as logged, serving(**options) as server:
            with Client(server.server_address) as client:
                for raw in requests:
                    client.send(raw).reply()
            wait_until(lambda: len(logged.records) == len(requests))
        return [(entry.getMessage(), entry.facts) for entry in logged.records]

    def test_one_line_for_each_request(self):
        (ping, facts), (nowhere, _) = self.lines(call("ping", worker="w"), request("/nowhere?password=secret"))
        self.assertRegex(ping, r'\A127.0.0.1 - "POST /api/ping" 200 \d+ \d\.\d{6}\Z')
        self.assertEqual(("POST", "/api/ping", 200), (facts["method"], facts["path"], facts["status"]))
        self.assertRegex(nowhere, r'\A127.0.0.1 - "GET /nowhere" 404 ')

    def test_no_path_ends_its_field_or_fills_the_disk(self):
        [(line, _)] = self.lines(request('/x"_200_0_"GET/' + "y" * 5000))
        self.assertEqual(2, line.count('"'))
        self.assertLess(len(line), 600)

    def test_a_request_that_makes_no_sense_has_its_line_too(self):
        [(line, _)] = self.lines(b"nonsense\r\n\r\n")
        self.assertIn('"- " 400 ', line)

    def test_off_by_default(self):
        self.addCleanup(luigid.access_logger.setLevel, luigid.access_logger.level)
        luigid.adjust_logging(None, luigid.Settings.load())
        with self.assertLogs(luigid.logger, "INFO") as logged:
            with serving() as server, Client(server.server_address) as client:
                client.send(call("ping", worker="w")).reply()
            luigid.logger.info("the end")
        self.assertEqual(["the end"], [entry.getMessage() for entry in logged.records])


class WhoRunsTest(InDirectory):
    def settings(self, **flags):
        flags = {"state_path": "state", **flags}
        places = {name: (section, name) for section, name in luigid.FLAGS}
        return luigid.Settings.load({places[name]: value for name, value in flags.items()})

    @contextlib.contextmanager
    def state_held(self, **facts):
        scheduler = luigid.Scheduler(state_path="state")
        self.assertIsNone(scheduler.claim())
        if facts:
            scheduler.note(facts)
        yield scheduler
        scheduler.close()

    def test_nobody(self):
        for flags in ({}, {"pidfile": "luigid.pid"}):
            self.assertEqual((3, {"running": False}), luigid.describe_daemon(self.settings(**flags)))
            self.assertEqual((3, "not running"), luigid.stop_daemon(self.settings(**flags), 0))

    def test_files_that_a_killed_daemon_left_behind(self):
        self.write("state.lock", "pid 1 on here\n")
        self.write("luigid.pid", "1\n")
        self.test_nobody()

    def test_whoever_has_the_state_and_does_not_answer_yet(self):
        with self.state_held():
            status, found = luigid.describe_daemon(self.settings())
        self.assertEqual((0, True, os.getpid()), (status, found["running"], found["pid"]))
        self.assertIn("about to start", luigid.status_line(found))

    def test_whoever_has_the_state_and_should_answer_but_does_not(self):
        with socket.create_server(("127.0.0.1", 0)) as deaf, mock.patch.object(luigid, "ANSWER_SECONDS", 0.01):
            url = "http://127.0.0.1:%d" % deaf.getsockname()[1]
            with self.state_held(since=1, version="1", url=url):
                status, found = luigid.describe_daemon(self.settings())
        self.assertEqual((4, False), (status, found["answers"]))
        self.assertIn("NO ANSWER", luigid.status_line(found))

    def test_whoever_answers_is_asked(self):
        for options in ({}, {"unix_socket": "socket"}):
            with self.subTest(**options), serving(**options) as server:
                url = luigid.server_url(server.server_address)
                with self.state_held(since=1, version="1", url=url):
                    server.scheduler.add_task(worker="w", task_id="t")
                    status, found = luigid.describe_daemon(self.settings())
                self.assertEqual((0, True, 1), (status, found["answers"], found["tasks"]))
                for part in (f"pid {os.getpid()}", f"version {luigid.__version__}", url, "1 tasks"):
                    self.assertIn(part, luigid.status_line(found))

    def test_what_is_noted_later_replaces_what_was_noted_before(self):
        with self.state_held(since=1, url="http://localhost:1", version="x" * 100) as scheduler:
            scheduler.note({"since": 2})
            self.assertEqual({"since": 2}, luigid.find_by_state("state").facts)
            other = luigid.Scheduler(state_path="state")
            self.assertEqual(f"pid {os.getpid()} on {socket.gethostname()}", other.claim())

    def test_a_pid_file_decides_where_there_is_one(self):
        with self.state_held(since=1):
            self.assertIsNone(luigid.find_daemon(self.settings(pidfile="luigid.pid")))
            with luigid.pid_file("luigid.pid"):
                found = luigid.find_daemon(self.settings(pidfile="luigid.pid"))
                self.assertEqual(({"since": 1}, "luigid.pid"), (found.facts, found.lock))

    def test_a_pid_file_of_somebody_who_does_not_have_the_state(self):
        with luigid.pid_file("luigid.pid"):
            found = luigid.find_daemon(self.settings(pidfile="luigid.pid"))
        self.assertEqual((os.getpid(), {}), (found.pid, found.facts))

    def test_to_look_at_a_lock_is_not_to_take_it(self):
        self.write("lock", "")
        looking = os.open("lock", os.O_RDONLY)
        self.addCleanup(os.close, looking)
        luigid.fcntl.flock(looking, luigid.fcntl.LOCK_SH)
        descriptor = os.open("lock", os.O_RDWR)
        self.addCleanup(os.close, descriptor)
        with mock.patch.object(luigid.time, "sleep", lambda _: luigid.fcntl.flock(looking, luigid.fcntl.LOCK_UN)):
            self.assertTrue(luigid.try_lock(descriptor))

    def test_a_file_that_somebody_else_has_locked(self):
        self.write("luigid.pid", "nonsense")
        with open("luigid.pid") as file:
            luigid.fcntl.flock(file, luigid.fcntl.LOCK_EX)
            with mock.patch.object(luigid, "STOP_POLL", 0), self.assertRaises(luigid.NotStarted) as caught:
                luigid.find_daemon(self.settings(pidfile="luigid.pid"))
        self.assertEqual((4, "luigid.pid is locked, but not by luigid"), caught.exception.args)

    def test_one_that_runs_on_another_machine_is_not_stopped_here(self):
        kill = self.enter(mock.patch.object(luigid.os, "kill"))
        with self.state_held(), mock.patch.object(luigid.socket, "gethostname", return_value="elsewhere"):
            status, line = luigid.stop_daemon(self.settings(), 0)
        self.assertEqual(1, status)
        self.assertRegex(line, rf"it runs on \S+ \(pid {os.getpid()}\); stop it there")
        kill.assert_not_called()

    def test_one_that_does_not_stop(self):
        with self.state_held(), mock.patch.object(luigid.os, "kill") as kill:
            status, line = luigid.stop_daemon(self.settings(), 0)
        kill.assert_called_once_with(os.getpid(), signal.SIGTERM)
        self.assertEqual((1, True), (status, line.startswith(f"pid {os.getpid()} has not ended within 0 s")))

    @unittest.skipUnless(os.path.exists("/proc/self") and os.geteuid() == 0, "takes /proc, and the superuser")
    def test_a_file_that_names_another_users_process(self):
        with self.state_held(), mock.patch.object(luigid.os, "kill") as kill:
            os.chown("state.lock", 65534, -1)
            status, line = luigid.stop_daemon(self.settings(), 0)
        self.assertEqual((1, True), (status, "left alone" in line))
        kill.assert_not_called()
        with self.state_held():
            self.assertEqual(0, os.stat("state.lock").st_uid, "whoever takes it owns it")

    def test_one_that_may_not_be_stopped(self):
        with self.state_held(), mock.patch.object(luigid.os, "kill", side_effect=PermissionError):
            status, line = luigid.stop_daemon(self.settings(), 0)
        self.assertEqual(1, status)
        self.assertIn("not permitted", line)

    def test_one_that_makes_room_for_another(self):
        """The lock is never free, but its holder changes: a standby was waiting."""
        with self.state_held():

            def hand_over(*_):
                self.write("state.lock", "pid 1 on elsewhere\n")

            with mock.patch.object(luigid.os, "kill", side_effect=hand_over), mock.patch.object(luigid, "is_process"):
                self.assertEqual(0, luigid.stop_daemon(self.settings(), 5)[0])

    def test_state_that_has_its_daemon_already(self):
        other = luigid.Scheduler(state_path="state")
        with self.state_held():
            for background, status, part in ((True, 0, "already running"), (False, 1, "--standby")):
                with self.subTest(background=background), self.assertRaises(luigid.NotStarted) as caught:
                    luigid.claim_state(other, self.settings(), background, standby=False)
                self.assertEqual(status, caught.exception.args[0])
                self.assertIn(part, caught.exception.args[1])
            self.assertIn(f"pid {os.getpid()}", luigid.claim_state(other, self.settings(), False, standby=True))
        self.assertIsNone(luigid.claim_state(other, self.settings(), False, standby=False))
        other.close()


#: descriptors that nothing else which runs here comes near, with room for some in a row
FREE_DESCRIPTORS = itertools.count(200, 10)


class ServiceManagerTest(InDirectory):
    def manager(self, address="notify"):
        """A socket where a service manager would listen."""
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(channel.close)
        channel.bind(address)
        channel.settimeout(10)
        self.enter(mock.patch.dict(os.environ, NOTIFY_SOCKET=address.replace("\0", "@")))
        return channel

    def test_is_told(self):
        channel = self.manager()
        luigid.notify("READY=1", "STATUS=two\nlines\x1b[2J")
        self.assertEqual(b"READY=1\nSTATUS=two\\nlines\\x1b[2J", channel.recv(1000))

    @unittest.skipUnless(sys.platform == "linux", "sockets without a file are Linux's")
    def test_is_told_through_a_socket_without_a_file(self):
        channel = self.manager(f"\0luigid-{os.getpid()}")
        luigid.notify("READY=1")
        self.assertEqual(b"READY=1", channel.recv(1000))

    def test_that_is_gone_or_not_there_changes_nothing(self):
        luigid.notify("READY=1")
        for address in ("", "/nowhere/notify", "@nobody-listens", "x" * 500):
            with mock.patch.dict(os.environ, NOTIFY_SOCKET=address):
                luigid.notify("READY=1")

    def test_hears_of_the_watchdog_only_while_the_scheduler_responds(self):
        scheduler, told = mock.Mock(), []
        scheduler.responds.side_effect = [True, False, False, True]
        self.enter(mock.patch.dict(os.environ, WATCHDOG_USEC="300000", WATCHDOG_PID=str(os.getpid())))
        with mock.patch.object(luigid.threading, "Thread") as thread:
            luigid.feed_watchdog(scheduler, lambda: True)
        feed = thread.call_args[1]["target"]
        self.enter(mock.patch.object(luigid.signal, "pthread_sigmask"))
        with mock.patch.object(luigid, "notify", told.append), mock.patch.object(luigid.time, "sleep") as sleep:
            sleep.side_effect = [None, None, None, InterruptedError]
            with self.assertRaises(InterruptedError):
                feed()
        self.assertEqual(["WATCHDOG=1"] * 2, told)
        self.assertLess(sleep.call_args[0][0] + scheduler.responds.call_args[0][0], 0.3)

    def test_has_no_watchdog_or_that_of_another_process(self):
        for environ in ({}, {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "often"}):
            with mock.patch.dict(os.environ, environ), mock.patch.object(luigid.threading, "Thread") as thread:
                luigid.feed_watchdog(mock.Mock(), lambda: True)
            thread.assert_not_called()

    def test_a_scheduler_responds_unless_its_lock_is_held(self):
        scheduler = luigid.Scheduler()
        self.assertTrue(scheduler.responds(0))
        with scheduler._lock:
            self.assertFalse(scheduler.responds(0))

    def hand_over(self, *sockets, names="web"):
        """Hand sockets over as a service manager does, from some descriptor on."""
        first = next(FREE_DESCRIPTORS)
        copies = [fcntl.fcntl(handed, fcntl.F_DUPFD, first + index) for index, handed in enumerate(sockets)]
        self.assertEqual(list(range(first, first + len(copies))), copies, "the descriptors are in a row")
        self.enter(mock.patch.object(luigid, "FIRST_SOCKET", first))
        given = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(copies)), "LISTEN_FDNAMES": names}
        self.enter(mock.patch.dict(os.environ, given))
        return luigid.inherited_sockets()

    def test_hands_sockets_over_which_are_served(self):
        with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
            unix.bind("socket")
            unix.listen()
            sockets = self.hand_over(tcp, unix, names="web:local")
            self.assertNotIn("LISTEN_FDS", os.environ)
            self.assertFalse(any(handed.get_inheritable() for handed in sockets))
            with serving(sockets=sockets) as server:
                self.assertEqual(tcp.getsockname(), server.server_address)
                for _ in range(3):
                    for address in (tcp.getsockname(), "socket"):
                        with Client(address) as client:
                            self.assertEqual(200, client.send(call("ping", worker="w")).reply().status)
            self.assertTrue(os.path.exists("socket"), "it is the manager's")
            with Client(tcp.getsockname()):  # which still listens for the next daemon
                pass

    def test_hands_over_what_is_no_listening_socket(self):
        with socket.socket() as silent, open("file", "w") as file:
            for handed in (silent, file):
                with self.subTest(type(handed)), self.assertRaises(luigid.NotStarted) as caught:
                    self.hand_over(handed)
                self.assertEqual(1, caught.exception.args[0])
                self.assertRegex(caught.exception.args[1], "as web is no socket that listens; .*ListenStream=")

    def test_hands_nothing_over_to_another_process(self):
        for pid, number in (("1", "1"), (str(os.getpid()), "some"), (str(os.getpid()), "")):
            with mock.patch.dict(os.environ, LISTEN_PID=pid, LISTEN_FDS=number):
                self.assertEqual([], luigid.inherited_sockets())

    def test_unit_runs_this_program_wherever_it_is(self):
        with mock.patch.object(sys, "argv", ["my $dir/100%/luigid.py"]), mock.patch.object(sys, "executable", "/py"):
            text = luigid.unit("service")
        path = os.path.realpath("my $dir/100%/luigid.py").replace("$", "$$").replace("%", "%%")
        self.assertIn(f'\nExecStart=/py "{path}"\n', text.replace(os.getcwd(), os.path.realpath(".")))


class ReloadTest(InDirectory):
    """What a HUP does, without the HUP."""

    def setUp(self):
        super().setUp()
        keep_quiet(self)
        self.write("luigi.cfg", "[resources]\nprinter = 2\n")
        self.server = self.enter(serving())
        self.read = lambda: luigid.Settings.load({("luigid", "port"): "8083"})
        self.daemon = luigid.Daemon(self.server.scheduler, self.read(), self.read, None, background=False)
        self.daemon.server = self.server

    def reload(self, config):
        """Reload with `config` in force; what is logged."""
        self.write("luigi.cfg", config)
        with self.assertLogs(luigid.logger, "INFO") as logged:
            self.daemon.reload()
        return [f"{entry.levelname} {entry.getMessage()}" for entry in logged.records]

    def assert_logged(self, lines, *parts):
        for part in parts:
            self.assertRegex("\n".join(lines), part)

    def test_settings_of_the_scheduler(self):
        scheduler = self.server.scheduler
        scheduler.add_task(worker="w", task_id="t", status="RUNNING")
        scheduler.add_task(worker="w", task_id="t", status="FAILED")
        before = scheduler.is_pause_enabled()
        lines = self.reload("[scheduler]\nretry_delay = -1\nretry_count = 1\npause_enabled = false\n")
        self.assert_logged(lines, r"INFO .*luigi.cfg:2: \[scheduler\] retry_delay = -1.0 is in force \(it was 900.0\)")
        self.assertEqual([{"enabled": True}, {"enabled": False}], [before, scheduler.is_pause_enabled()])
        scheduler.add_task(worker="w", task_id="u", status="RUNNING")
        scheduler.add_task(worker="w", task_id="u", status="FAILED")
        self.assertEqual({"t"}, set(scheduler.task_list(status="FAILED", upstream_status="")))
        self.assertEqual({"u"}, set(scheduler.task_list(status="DISABLED", upstream_status="")))
        scheduler.validate()

    def test_totals_of_resources(self):
        self.server.scheduler.update_resource(resource="scanner", amount=7)
        self.reload("[resources]\nprinter = 5\nplotter = 1\n")
        totals = {entry["name"]: entry["num_total"] for entry in self.server.scheduler.resource_list()}
        self.assertEqual({"printer": 5, "plotter": 1, "scanner": 7}, totals)

    def test_a_total_that_was_changed_by_hand_stays_while_the_file_does(self):
        self.server.scheduler.update_resource(resource="printer", amount=9)
        self.reload("[resources]\nprinter = 2\n")
        self.assertEqual(9, self.server.scheduler.resource_list()[0]["num_total"])

    def test_limits_and_origins(self):
        self.reload("[luigid]\nmax_body = 100\nmax_calls = 1\n[cors]\nenabled = true\nallow_any_origin = true\n")
        with Client(self.server.server_address) as client:
            reply = client.send(call("ping", worker="w" * 200)).reply()
            self.assertEqual(413, reply.status)
        with Client(self.server.server_address) as client:
            reply = client.send(request("/api/is_paused", Origin="http://elsewhere")).reply()
        self.assertEqual((200, "*"), (reply.status, reply.headers.get("access-control-allow-origin")))

    def test_what_takes_a_restart_is_said_each_time(self):
        for _ in range(2):
            lines = self.reload("[scheduler]\nstate_path = elsewhere\n[smtp]\npassword = secret\n")
            self.assert_logged(lines, r"WARNING .*luigi.cfg:2: \[scheduler\] state_path = elsewhere takes a restart")
            self.assertNotIn("secret", "".join(lines))

    def test_what_is_suspicious_is_said_too(self):
        lines = self.reload("[scheduler]\nretry_dealy = 1\n")
        self.assert_logged(lines, r"WARNING .*luigi.cfg:2: .*retry_delay")

    def test_flags_stay_in_force(self):
        lines = self.reload("[luigid]\nport = 1\n")
        self.assertNotIn("port", "".join(lines))

    def test_a_bad_file_changes_nothing(self):
        lines = self.reload("[scheduler]\nretry_delay = -1\nretry_count = many\npause_enabled = false\n")
        self.assert_logged(lines, r"ERROR .*luigi.cfg:3.*many.*; all settings stay as they are")
        self.assertEqual({"enabled": True}, self.server.scheduler.is_pause_enabled())

    def test_nobody_is_let_in_because_a_setting_is_gone(self):
        self.write("users", f"ann:admin:{luigid.hash_token('token')}\n")
        self.write("luigi.cfg", "[luigid]\nusers_file = users\n")
        self.daemon.settings = self.read()
        self.server.access.reload(users_file="users")
        lines = self.reload("")
        self.assert_logged(lines, r"WARNING .*users_file = unset takes a restart; users stays in force")
        with Client(self.server.server_address) as client:
            self.assertEqual(401, client.send(call("ping", worker="w")).reply().status)

    def test_another_file_of_users(self):
        self.write("users", f"ann:admin:{luigid.hash_token('token')}\n")
        self.write("more", f"bob:admin:{luigid.hash_token('another')}\n")
        self.write("luigi.cfg", "[luigid]\nusers_file = users\n")
        self.daemon.settings = self.read()
        self.server.access.reload(users_file="users")
        for path, token, status in (("more", "another", 200), ("nowhere", "another", 200), ("users", "another", 401)):
            self.reload(f"[luigid]\nusers_file = {path}\n")
            with self.subTest(path), Client(self.server.server_address) as client:
                reply = client.send(request("/api/is_paused", Authorization=f"Bearer {token}")).reply()
                self.assertEqual(status, reply.status)

    def test_the_service_manager_is_told(self):
        told = []
        with mock.patch.object(luigid, "notify", lambda *assignments: told.append(assignments)):
            self.reload("")
        self.assertEqual(["RELOADING=1", "READY=1"], [assignments[0] for assignments in told])
        self.assertRegex(told[0][1], r"\AMONOTONIC_USEC=\d+\Z")

    def test_logs(self):
        handler = logging.StreamHandler(io.StringIO())
        self.daemon._log = handler
        root = logging.getLogger()
        self.addCleanup(root.setLevel, root.level)
        self.addCleanup(luigid.access_logger.setLevel, luigid.access_logger.level)
        self.reload("[luigid]\nlog_level = warning\nlog_json = true\naccess_log = true\n")
        self.assertEqual((logging.WARNING, logging.INFO), (root.level, luigid.access_logger.level))
        self.assertIsInstance(handler.formatter, luigid.JsonFormatter)

    def test_each_option_that_may_change_exists(self):
        options = {(option.section, option.name) for option in luigid.OPTIONS}
        self.assertEqual(set(), luigid.CHANGEABLE - options)
        self.assertLessEqual(set(luigid.GUARDS), set(luigid.ACCESS_OPTIONS))


class ChangeSettingsTest(unittest.TestCase):
    """Scheduler.change_settings: from then on all is as if it had been started like this."""

    def setUp(self):
        keep_quiet(self)
        self.now = 1000.0
        self.scheduler = luigid.Scheduler(clock=lambda: self.now, retry_count=2)

    def status(self, task_id):
        return self.scheduler.task_list(status="", upstream_status="")[task_id]["status"]

    def let_fail(self, task_id, times=1):
        for _ in range(times):
            self.scheduler.add_task(worker="w", task_id=task_id, status="RUNNING")
            self.scheduler.add_task(worker="w", task_id=task_id, status="FAILED")

    def change(self, **settings):
        self.scheduler.change_settings(**settings)
        self.scheduler.validate()

    def test_failed_tasks_wait_for_ever_and_are_tried_again(self):
        self.let_fail("t")
        self.change(retry_delay=-1.0)
        self.now += 1000
        self.scheduler.ping(worker="w")
        self.scheduler.prune()
        self.assertEqual("FAILED", self.status("t"))
        self.change(retry_delay=5.0)
        self.scheduler.prune()
        self.assertEqual("PENDING", self.status("t"))

    def test_disabled_tasks_come_back_sooner(self):
        self.let_fail("t", times=2)
        self.assertEqual("DISABLED", self.status("t"))
        self.change(disable_persist=10)
        self.now += 11
        self.scheduler.prune()
        self.assertNotEqual("DISABLED", self.status("t"))

    def test_silent_workers_are_lost_sooner_or_later(self):
        self.scheduler.ping(worker="w")
        self.change(worker_disconnect_delay=5.0)
        self.now += 6
        self.scheduler.prune()
        self.assertEqual([], self.scheduler.worker_list())
        self.scheduler.ping(worker="w")
        self.change(worker_disconnect_delay=500.0)
        self.now += 100
        self.scheduler.prune()
        self.assertEqual(["w"], [worker["name"] for worker in self.scheduler.worker_list()])

    def test_the_retry_policy_is_that_of_failures_to_come(self):
        self.let_fail("t")
        self.change(retry_count=1)
        self.assertEqual("FAILED", self.status("t"))
        self.let_fail("t")
        self.assertEqual("DISABLED", self.status("t"))


if __name__ == "__main__":
    unittest.main()
