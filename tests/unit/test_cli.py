"""The command line and the daemon around the scheduler: flags, exit statuses, one-line errors, logs, pid files.

What takes a process of its own, a signal or a fork is in tests/e2e/test_daemon.py.
"""

import contextlib
import errno
import functools
import io
import logging
import os
import socket
import stat
import sys
import tempfile
import threading
import unittest
from unittest import mock

import luigid

FLAGS = [
    *("--address", "--port", "--unix-socket", "--tls-cert", "--tls-key", "--state-path", "--logdir", "--pidfile"),
    *("--log-level", "--log-json", "--access-log", "--background", "--standby", "--stop", "--timeout"),
    *("--status", "--json", "--check-config", "--test-notices", "--check-state", "--repair-state", "--export-stock"),
    *("--hash-password", "--new-token", "--print-unit", "--version", "--help"),
]


def run(*argv):
    """Call main(); (exit status, standard output, standard error)."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = luigid.main(list(argv))
    return status, out.getvalue(), err.getvalue()


class InDirectory(unittest.TestCase):
    """A test in an empty working directory, with an environment that names no configuration."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(directory.name)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LUIGI_")}
        self.enter(mock.patch.dict(os.environ, kept, clear=True))
        self.enter(mock.patch.dict(luigid.CONFIG_PATHS, ini=("luigi.cfg",), toml=("luigi.toml",)))

    def enter(self, context):  # unittest has enterContext() since Python 3.11
        self.addCleanup(context.__exit__, None, None, None)
        return context.__enter__()

    def write(self, path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


class CommandLineTest(InDirectory):
    def assert_one_line_error(self, result, status, *parts):
        found, out, err = result
        self.assertEqual((status, "", 1), (found, out, err.count("\n")), err)
        self.assertTrue(err.startswith("luigid: ") and err.endswith("\n"), err)
        for part in parts:
            self.assertIn(part, err)

    def test_help_names_every_flag_exit_status_and_signal(self):
        status, out, err = run("--help")
        self.assertEqual((0, ""), (status, err))
        statuses = [f"\n  {status}  " for status in (0, 1, 2, 3, 4, "128+N")]
        for part in (*FLAGS, *statuses, "TERM, INT, QUIT", "HUP ", "USR1 "):
            self.assertIn(part, out)

    def test_help_names_every_flag_that_there_is(self):
        flags = {flag for action in luigid.command_line()._actions for flag in action.option_strings}
        self.assertEqual({*FLAGS, "-h"}, flags)

    def test_help_fits_a_terminal(self):
        self.assertLessEqual(max(map(len, run("--help")[1].splitlines())), 120)

    def test_version(self):
        self.assertEqual((0, f"luigid {luigid.__version__}\n", ""), run("--version"))

    def test_unknown_flag(self):
        self.assert_one_line_error(run("--prot", "80"), 2, "--prot", "--help")

    def test_flag_without_its_value(self):
        self.assert_one_line_error(run("--port"), 2, "--port", "--help")

    def test_stray_word(self):
        self.assert_one_line_error(run("start"), 2, "start")

    def test_line_ends_in_a_flag_do_not_make_two_lines(self):
        self.assert_one_line_error(run("--no\nluigid: all is well\x1b[2J"), 2, r"\nluigid: all is well\x1b[2J")

    def test_impossible_ports(self):
        for port in ("65536", "-1", "eighty", "80.5", "", "1e3"):
            with self.subTest(port=port):
                self.assert_one_line_error(run(f"--port={port}"), 2, "--port", "65535")

    def test_wrong_value_in_a_file(self):
        self.write("luigi.cfg", "[scheduler]\nretry_count = many\n")
        self.assert_one_line_error(run("--check-config"), 2, "luigi.cfg:2", "[scheduler] retry_count", "many")

    def test_configuration_that_is_a_directory(self):
        os.mkdir("luigi.cfg")
        self.assert_one_line_error(run("--check-config"), 2, "luigi.cfg", os.strerror(errno.EISDIR))

    def test_logging_configuration_that_does_not_exist(self):
        self.write("luigi.cfg", "[core]\nlogging_conf_file = nowhere.conf\n")
        with mock.patch.object(luigid.signal, "signal"):
            result = run("--port", "0", "--state-path", "state")
        self.assert_one_line_error(result, 2, "logging_conf_file", "nowhere.conf")

    def test_check_config_shows_each_option_and_its_origin(self):
        self.write(
            "luigi.cfg", "[scheduler]\nretry_count = 7\n[smtp]\npassword = open sesame\n[resources]\nprinter = 3\n"
        )
        status, out, err = run("--check-config", "--port", "8083", "--state-path", "here.pickle")
        self.assertEqual((0, ""), (status, err))
        lines = out.splitlines()
        for name, value, origin in (
            ("port", "8083", "--port"),
            ("state_path", "here.pickle", "--state-path"),
            ("retry_count", "7", "luigi.cfg:2"),
            ("retry_delay", "900.0", "default"),
            ("printer", "3", "luigi.cfg:6"),
        ):
            [line] = [line for line in lines if line.startswith(f"{name} = {value} ") and line.endswith(origin)]
        self.assertNotIn("sesame", out)
        for option in luigid.OPTIONS:
            self.assertTrue(any(line.startswith(f"{option.name} = ") for line in lines), option)

    def test_each_flag_overrides_its_option(self):
        values = {"log_level": "debug", "log_json": "true", "access_log": "true"}
        self.enter(mock.patch.object(luigid, "Access"))  # which would look for the files
        for section, name in luigid.FLAGS:
            with self.subTest(flag=name):
                flag, value = "--" + name.replace("_", "-"), values.get(name, "8083")
                self.assertEqual(flag, luigid.Settings.load({(section, name): value}).origin(section, name))
                shown = run("--check-config", flag, *([] if value == "true" else [value]))[1]
                self.assertRegex(shown, rf"(?m)^{name} = {value} .*{flag}$")

    def test_check_config_looks_into_the_files_that_are_named(self):
        self.write("users", "ann:admin:her password\n")
        self.write("luigi.cfg", "[luigid]\nusers_file = users\n")
        self.assert_one_line_error(run("--check-config"), 2, "users_file users:1", "--hash-password")
        self.assert_one_line_error(run("--check-config", "--tls-cert", "cert.pem"), 2, "users_file users:1")
        self.write("luigi.cfg", "")
        self.assert_one_line_error(run("--check-config", "--tls-cert", "cert.pem"), 2, "tls_cert cert.pem")

    def test_json_is_a_form_of_status(self):
        self.assert_one_line_error(run("--json"), 2, "--status")
        self.assertEqual((3, '{"running": false}\n', ""), run("--status", "--json", "--state-path", "state"))

    def test_units(self):
        for kind, part in (("service", "\nExecStart="), ("socket", "\nListenStream=8082\n")):
            status, out, err = run("--print-unit", kind)
            self.assertEqual((0, ""), (status, err))
            self.assertIn(part, out)
        self.assert_one_line_error(run("--print-unit", "timer"), 2, "--print-unit", "timer")

    def test_a_time_out_must_be_one(self):
        for text in ("soon", "-1", "nan", "inf", ""):
            with self.subTest(text):
                self.assert_one_line_error(run("--stop", "--timeout", text), 2, "--timeout")

    def test_reason_for_not_starting_goes_where_it_is_awaited(self):
        announce = mock.Mock()
        for refusal, expected in (
            (luigid.NotStarted(1, "no"), (1, "no")),
            (luigid.NotStarted(0, "already running"), (0, "already running")),
            (luigid.SettingsError("bad"), (2, "bad")),
        ):
            self.assertEqual(expected[0], luigid.attempt(mock.Mock(side_effect=refusal), announce))
            announce.assert_called_with(*expected)

    def test_greeting_that_nobody_reads_is_no_error(self):
        closed = mock.Mock()
        closed.write.side_effect = BrokenPipeError
        with contextlib.redirect_stdout(closed):
            luigid.tell(0, "listening")
        closed.write.assert_called()


class PlacesTest(InDirectory):
    """Where the daemon listens and keeps what it writes: what it says of that, and how it fails there."""

    def settings(self, **flags):
        places = {name: (section, name) for section, name in luigid.FLAGS}
        return luigid.Settings.load({places[name]: value for name, value in flags.items()})

    def refusal(self, function, *arguments):
        with self.assertRaises(luigid.NotStarted) as caught:
            function(*arguments)
        return caught.exception.args

    def test_urls(self):
        for address, url in (
            (("127.0.0.1", 8082), "http://127.0.0.1:8082"),
            (("0.0.0.0", 1), "http://localhost:1"),
            (("::", 8082, 0, 0), "http://localhost:8082"),
            (("::1", 8082, 0, 0), "http://[::1]:8082"),
            ("/run/a b.sock", "http+unix://%2Frun%2Fa%20b.sock"),
        ):
            self.assertEqual(url, luigid.server_url(address))

    def test_line_says_when_the_state_is_not_where_stock_has_it(self):
        server = mock.Mock(server_address=("::", 8082, 0, 0))
        os.environ["XDG_STATE_HOME"] = "/x"
        with mock.patch.object(luigid, "_is_writable", return_value=False):
            line = luigid.whereabouts(server, self.settings())
        self.assertIn("http://localhost:8082/static/visualiser/index.html", line)
        self.assertIn("/x/luigid/state.pickle, as /var/lib/luigi-server cannot be written", line)
        self.assertTrue(line.isprintable())

    def test_line_says_nothing_of_stock_when_the_state_is_where_it_was_asked_for(self):
        server = mock.Mock(server_address=("::", 8082, 0, 0))
        line = luigid.whereabouts(server, self.settings(state_path="mine.pickle"))
        self.assertTrue(line.endswith(os.path.abspath("mine.pickle")), line)

    def test_busy_port(self):
        with socket.create_server(("127.0.0.1", 0)) as busy:
            port = busy.getsockname()[1]
            status, line = self.refusal(luigid.listen, mock.Mock(), self.settings(address="127.0.0.1", port=port))
        self.assertEqual(1, status)
        self.assertRegex(line, f"port {port} of 127.0.0.1: something listens there .*--port")

    def test_address_of_another_machine(self):
        status, line = self.refusal(luigid.listen, mock.Mock(), self.settings(address="192.0.2.1"))
        self.assertEqual(1, status)
        self.assertRegex(line, "192.0.2.1: this machine has no such address; .*--address")

    def test_impossible_host_names(self):
        for name in ("a..b", "x" * 300, "no such host"):
            with self.subTest(name=name):
                status, line = self.refusal(luigid.listen, mock.Mock(), self.settings(address=name))
                self.assertEqual(1, status)
                self.assertIn("--address", line)

    def test_file_in_the_way_of_the_unix_socket(self):
        self.write("precious", "data")
        status, line = self.refusal(luigid.listen, mock.Mock(), self.settings(unix_socket="precious"))
        self.assertEqual(1, status)
        self.assertRegex(line, "cannot listen on precious: .*--unix-socket")
        with open("precious") as file:
            self.assertEqual("data", file.read())

    def test_state_path_that_is_a_directory(self):
        os.mkdir("state")
        status, line = self.refusal(luigid.load_state, mock.Mock(), self.settings(state_path="state"))
        self.assertEqual(1, status)
        self.assertRegex(line, "the state in state: Is a directory; .*--state-path")

    def test_state_path_below_a_file(self):
        self.write("file", "")
        status, line = self.refusal(luigid.load_state, mock.Mock(), self.settings(state_path="file/state.pickle"))
        self.assertEqual(1, status)
        self.assertIn("--state-path", line)

    def test_state_directory_is_made_and_left_empty(self):
        scheduler = mock.Mock()
        luigid.load_state(scheduler, self.settings(state_path="a/b/state.pickle"))
        scheduler.load.assert_called_once_with()
        self.assertEqual([], os.listdir("a/b"))
        self.assertEqual(0o700, stat.S_IMODE(os.stat("a/b").st_mode))

    def test_state_that_cannot_be_saved_is_a_failure(self):
        full = "disk full"
        for failure in (OSError(errno.ENOSPC, full), luigid.StateError(full), luigid.Unavailable(full)):
            scheduler = mock.Mock()
            scheduler.close.side_effect = failure
            with self.subTest(failure), self.assertLogs(luigid.logger, "ERROR") as logged:
                self.assertEqual(1, luigid.save_state(scheduler))
            self.assertIn(full, logged.output[0])


class PidFileTest(InDirectory):
    def test_holds_our_number_while_held_and_is_gone_afterwards(self):
        with luigid.pid_file("run/luigid.pid"):
            with open("run/luigid.pid") as file:
                self.assertEqual(f"{os.getpid()}\n", file.read())
            self.assertEqual(0o640, stat.S_IMODE(os.stat("run/luigid.pid").st_mode))
        self.assertEqual([], os.listdir("run"))

    def test_second_one_is_told_that_all_is_well(self):
        with luigid.pid_file("luigid.pid"):
            with self.assertRaises(luigid.NotStarted) as caught, luigid.pid_file("luigid.pid"):
                self.fail("held twice")
            self.assertEqual((0, f"already running (pid {os.getpid()}, pid file luigid.pid)"), caught.exception.args)
            self.assertTrue(os.path.exists("luigid.pid"))
        with luigid.pid_file("luigid.pid"):
            pass

    def test_number_of_a_living_process_without_its_lock_is_stale(self):
        for left_behind in (f"{os.getppid()}\n", "123456789012\n", "", "not a number"):
            with self.subTest(left_behind=left_behind):
                self.write("luigid.pid", left_behind)
                with luigid.pid_file("luigid.pid"), open("luigid.pid") as file:
                    self.assertEqual(f"{os.getpid()}\n", file.read())

    def test_file_that_another_daemon_has_taken_meanwhile_is_left_alone(self):
        with luigid.pid_file("luigid.pid"):
            os.unlink("luigid.pid")
            self.write("luigid.pid", "4711\n")
        with open("luigid.pid") as file:
            self.assertEqual("4711\n", file.read())

    def test_file_removed_between_opening_and_locking_is_not_taken_for_held(self):
        self.write("luigid.pid", "")
        lock = luigid.fcntl.flock

        def remove_once_then_lock(descriptor, operation):
            patched.side_effect = lock
            os.unlink("luigid.pid")
            lock(descriptor, operation)

        patched = self.enter(mock.patch.object(luigid.fcntl, "flock", side_effect=remove_once_then_lock))
        with luigid.pid_file("luigid.pid"), open("luigid.pid") as file:
            self.assertEqual(f"{os.getpid()}\n", file.read())

    def test_symbolic_link_is_not_followed(self):
        self.write("precious", "data")
        os.symlink("precious", "luigid.pid")
        with self.assertRaises(luigid.NotStarted) as caught, luigid.pid_file("luigid.pid"):
            self.fail("followed the link")
        self.assertEqual(1, caught.exception.args[0])
        with open("precious") as file:
            self.assertEqual("data", file.read())

    def test_directory_in_its_place(self):
        os.mkdir("luigid.pid")
        with self.assertRaises(luigid.NotStarted) as caught, luigid.pid_file("luigid.pid"):
            self.fail("held a directory")
        self.assertRegex(caught.exception.args[1], "cannot write the pid file luigid.pid: Is a directory; .*--pidfile")


class LogTest(InDirectory):
    """What reaches the log, whatever formatter writes it."""

    def setUp(self):
        super().setUp()
        root = logging.getLogger()
        self.enter(mock.patch.multiple(root, handlers=[], level=logging.WARNING))
        for source in luigid.LOGGERS:
            self.enter(mock.patch.multiple(source, filters=[], handlers=[], disabled=False))
            self.addCleanup(source.setLevel, source.level)
        self.enter(mock.patch.object(threading, "excepthook"))
        self.addCleanup(logging.Logger.setLevel, root, root.level)

    def configure(self, config="", path="luigi.cfg", background=False, **flags):
        self.write(path, config)
        settings = luigid.Settings.load({("luigid", name): value for name, value in flags.items()})
        luigid.configure_logging(settings, background)
        for handler in logging.getLogger().handlers + luigid.logger.handlers:
            self.addCleanup(handler.close)

    def logged(self, log):
        """What the default log has of `log()`."""
        err = io.StringIO()
        with contextlib.redirect_stderr(err):
            self.configure()
            log()
        return err.getvalue()

    def test_lines_look_like_stocks(self):
        line = self.logged(lambda: luigid.logger.info("hello %s", "world"))
        self.assertRegex(line, rf"\A[-0-9]{{10}} [:0-9]{{8}},\d{{3}} \S+\[{os.getpid()}\] INFO: hello world\n\Z")

    def test_text_of_users_cannot_begin_a_line(self):
        for trick in ("\n", "\r", "\r\n", "\x0b", "\x85", "\u2028", "\x1b[2K", "\u202e", "\ud800", "\0"):
            with self.subTest(trick=ascii(trick)):
                logging.getLogger().handlers.clear()
                line = self.logged(functools.partial(luigid.logger.warning, "task %s failed", f"a{trick}b"))
                self.assertTrue(line.endswith("\n") and line[:-1].isprintable(), ascii(line))
                self.assertRegex(line, r"task a\\.*b failed")

    def test_text_without_tricks_is_left_as_it_is(self):
        self.assertIn("tâche_été 完了 C:\\n %s", self.logged(lambda: luigid.logger.info("tâche_été 完了 C:\\n %s")))

    def test_text_of_an_exception_cannot_begin_a_line(self):
        def fail():
            try:
                raise ValueError("bad task\n2026-01-01 00:00:00,000 luigid[1] INFO: all is well\u2028and so on")
            except ValueError:
                luigid.logger.exception("a call failed")

        first, *rest = self.logged(fail).splitlines()
        self.assertTrue(first.endswith("ERROR: a call failed"), first)
        self.assertTrue(rest and all(line.startswith("  ") for line in rest), rest)
        self.assertIn("all is well", "".join(rest))

    def test_logdir_is_made_and_written_to(self):
        self.configure(logdir="logs/here")
        luigid.logger.info("good day")
        self.assertEqual(["luigi-server.log"], os.listdir("logs/here"))
        with open("logs/here/luigi-server.log", encoding="utf-8") as log:
            self.assertRegex(log.read(), r"INFO: good day\n\Z")

    def test_logdir_that_is_a_file(self):
        self.write("logs", "")
        with self.assertRaises(luigid.NotStarted) as caught:
            self.configure(logdir="logs")
        self.assertEqual(1, caught.exception.args[0])
        self.assertRegex(caught.exception.args[1], "cannot log to logs: .*--logdir")

    def test_no_configure_logging_leaves_logging_alone(self):
        self.configure("[core]\nno_configure_logging = true\n", logdir="logs")
        self.assertEqual([], logging.getLogger().handlers)

    def configure_by_conf_file(self):
        self.write(
            "logging.conf",
            "[loggers]\nkeys=root\n[handlers]\nkeys=file\n[formatters]\nkeys=short\n"
            "[logger_root]\nlevel=INFO\nhandlers=file\n"
            "[handler_file]\nclass=FileHandler\nformatter=short\nargs=('mine.log',)\n"
            "[formatter_short]\nformat=%(levelname)s %(message)s\n",
        )
        self.configure("[core]\nlogging_conf_file = logging.conf\n")

    def test_the_operators_own_files_are_opened_again_too(self):
        self.configure_by_conf_file()
        luigid.logger.info("one")
        os.rename("mine.log", "moved.log")
        luigid.reopen_logs()
        luigid.logger.info("two")
        for name, line in (("moved.log", "INFO one\n"), ("mine.log", "INFO two\n")):
            with open(name) as log:
                self.assertEqual(line, log.read())

    def test_a_failing_thread_cannot_forge_a_line(self):
        def fail():
            raise ValueError("bad\n2026-01-01 00:00:00,000 luigid[1] INFO: all is well")

        self.configure_by_conf_file()
        failing = threading.Thread(target=fail)
        failing.start()
        failing.join()
        with open("mine.log") as log:
            first, *rest = log.read().splitlines()
        self.assertEqual("ERROR a thread failed", first)
        self.assertTrue(rest and all(line.startswith("  ") for line in rest), rest)

    def test_logging_conf_file(self):
        self.configure_by_conf_file()
        luigid.logger.info("forged\nline")
        with open("mine.log") as log:
            self.assertEqual("INFO forged\\nline\n", log.read())

    def test_logging_conf_file_that_is_nonsense(self):
        no_class = "[loggers]\nkeys=root\n[handlers]\nkeys=x\n[formatters]\nkeys=\n[handler_x]\nclass=nothing.Here\n"
        for nonsense in ("", "nonsense", "[loggers]\nkeys=root\n", no_class):
            self.write("logging.conf", nonsense)
            with self.subTest(nonsense=nonsense), self.assertRaises(luigid.NotStarted) as caught:
                self.configure("[core]\nlogging_conf_file = logging.conf\n")
            self.assertEqual(2, caught.exception.args[0])
            self.assertIn("[core] logging_conf_file = logging.conf cannot be used", caught.exception.args[1])

    @unittest.skipIf(sys.version_info < (3, 11), "TOML takes Python 3.11")
    def test_logging_section_in_toml(self):
        os.environ["LUIGI_CONFIG_PARSER"] = "toml"
        self.configure(
            "[logging.handlers.file]\nclass = 'logging.FileHandler'\nfilename = 'mine.log'\n"
            "[logging.root]\nlevel = 'INFO'\nhandlers = ['file']\n",
            path="luigi.toml",
        )
        luigid.logger.info("forged\nline")
        with open("mine.log") as log:
            self.assertEqual("forged\\nline\n", log.read())


if __name__ == "__main__":
    unittest.main()
