"""The files that luigid writes: who may read them, which links are followed, and what never gets into any of them."""

import contextlib
import logging
import os
import stat
import tempfile
import unittest
from unittest import mock

import luigid
from tests.unit.test_http import Client, Logged, call, request, serving


class FilesTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.addCleanup(os.umask, os.umask(0o022))

    def path(self, name):
        return os.path.join(self.directory, name)

    def modes(self):
        return {name: stat.S_IMODE(os.stat(self.path(name)).st_mode) for name in os.listdir(self.directory)}

    def write_all_files(self):
        """Have each kind of file written."""
        scheduler = luigid.Scheduler(state_path=self.path("state"))
        scheduler.load()
        scheduler.add_task(worker="w", task_id="t")
        scheduler.dump()
        with luigid.pid_file(self.path("pid")), self.log_handler():
            modes = self.modes()
        scheduler.close()
        return modes

    @contextlib.contextmanager
    def log_handler(self):
        with contextlib.closing(luigid.LogFile(self.path("log"))) as handler:
            handler.emit(logging.makeLogRecord({"msg": "a line"}))
            yield handler

    def test_no_file_is_open_to_strangers(self):
        for umask, own, group in ((0, 0o600, 0o640), (0o022, 0o600, 0o640), (0o077, 0o600, 0o600)):
            os.umask(umask)
            with self.subTest(oct(umask)):
                modes = self.write_all_files()
                self.assertEqual({"state", "state.journal.1", "state.lock", "log", "pid"}, set(modes))
                for name, mode in modes.items():
                    self.assertEqual(group if name in ("log", "pid") else own, mode, name)
                for name in os.listdir(self.directory):
                    os.unlink(self.path(name))

    def test_a_rotated_log_is_as_private_as_the_first(self):
        os.umask(0)
        with self.log_handler() as handler:
            handler.max_bytes = handler.keep = 1
            handler.emit(logging.makeLogRecord({"msg": "another"}))
        self.assertEqual({0o640}, set(self.modes().values()))
        self.assertEqual(2, len(self.modes()))

    def link(self, name, to="victim"):
        with open(self.path(to), "w") as file:
            file.write("precious")
        os.symlink(self.path(to), self.path(name))

    def test_in_a_shared_directory_no_link_is_followed(self):
        os.chmod(self.directory, 0o1777)
        for name in ("log", "pid", "state.lock", "state.journal.0", "state.journal.1", "state"):
            with self.subTest(name), contextlib.suppress(OSError, luigid.StateError, luigid.NotStarted):
                self.link(name)
                self.write_all_files()
            with open(self.path("victim")) as file:
                self.assertEqual("precious", file.read(), name)
            for left in os.listdir(self.directory):
                os.unlink(self.path(left))

    def test_a_planted_journal_is_neither_read_nor_cut(self):
        os.chmod(self.directory, 0o1777)
        self.link("state.journal.0")
        with self.assertRaises(OSError):
            luigid.read_journal(self.path("state.journal.0"), luigid.Restorer(luigid.Agenda(), 0, 60), may_be_torn=True)
        with self.assertRaises(OSError):
            luigid.cut_off(self.path("state.journal.0"), 0)

    def test_in_a_directory_of_ones_own_a_link_is_meant(self):
        self.link("log", to="elsewhere")
        with self.log_handler():
            pass
        with open(self.path("elsewhere")) as file:
            self.assertEqual("preciousa line\n", file.read())


class SecretsTest(unittest.TestCase):
    SECRET = "c2VjcmV0OnNlY3JldA"

    def test_what_a_request_carries_is_not_logged_when_it_fails(self):
        raw = request(
            f"/api/ping?data=%7B%22worker%22%3A%22w%22%7D&password={self.SECRET}",
            Authorization=f"Basic {self.SECRET}",
            Cookie=self.SECRET,
        )
        with Logged() as logged, serving() as server, Client(server.server_address) as client:
            server.scheduler.ping = mock.Mock(side_effect=RuntimeError("broken"))
            reply = client.send(raw).reply()
        self.assertEqual(500, reply.status)
        text = "".join(map(logging.Formatter().format, logged))
        self.assertIn("broken", text)
        self.assertNotIn(self.SECRET, text)
        self.assertNotIn(self.SECRET, repr(reply))

    def test_secret_settings_are_masked_wherever_they_are_shown(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "luigi.cfg")
            secrets = [option for option in luigid.OPTIONS if option.secret]
            self.assertTrue(secrets)
            lines = {
                option.section: [f"{o.name} = {self.SECRET}" for o in secrets if o.section == option.section]
                for option in secrets
            }
            lines["alerts"] = [f"webhook_url = https://hooks.example.org/{self.SECRET}"]
            lines["task_history"] = [f"db_connection = postgresql://luigi:{self.SECRET}@host/db"]
            with open(path, "w") as file:
                file.writelines("\n".join([f"[{section}]", *options, ""]) for section, options in lines.items())
            described = luigid.Settings.load(environ={"LUIGI_CONFIG_PATH": path}).describe()
        self.assertIn("postgresql://luigi:", described)
        self.assertNotIn(self.SECRET, described)

    def test_no_flag_takes_a_secret_that_ps_would_show(self):
        names = {action.dest for action in luigid.command_line()._actions}
        self.assertEqual(set(), {option.name for option in luigid.OPTIONS if option.secret} & names)

    def test_health_and_audit_carry_no_credentials(self):
        with serving() as server, Client(server.server_address) as client:
            client.send(call("pause"), request("/healthz", Authorization=f"Basic {self.SECRET}"), request("/api/audit"))
            replies = [client.reply() for _ in range(3)]
        self.assertEqual([200] * 3, [reply.status for reply in replies])
        self.assertNotIn(self.SECRET, repr(replies))


if __name__ == "__main__":
    unittest.main()
