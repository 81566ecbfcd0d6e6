"""Settings: where they are read from, what is allowed, what is said about what is not, and the example file."""

import contextlib
import math
import os
import re
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import luigid
from luigid import OPTIONS, SECTIONS, Settings, SettingsError, default_state_path, example_config, scheduler_settings

EXAMPLE = Path(__file__).resolve().parents[2] / "luigid.cfg.example"
needs_toml = unittest.skipIf(sys.version_info < (3, 11), "tomllib comes with Python 3.11")


class SettingsCase(unittest.TestCase):
    """A working directory of its own, with etc/ in the place of /etc/luigi."""

    def setUp(self):
        self.directory = Path(os.path.realpath(self.enterContext(tempfile.TemporaryDirectory())))
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.directory)
        paths = {
            syntax: tuple(path.replace("/etc/luigi", str(self.directory / "etc")) for path in paths)
            for syntax, paths in luigid.CONFIG_PATHS.items()
        }
        self.enterContext(mock.patch.object(luigid, "CONFIG_PATHS", paths))

    def enterContext(self, manager):  # unittest has it from Python 3.11
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        return stack.enter_context(manager)

    def write(self, text, name="luigi.cfg"):
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def load(self, text=None, overrides=None, name="luigi.cfg", **environ):
        if text is not None:
            self.write(text, name)
        return Settings.load(overrides, environ)

    def toml(self, text, **environ):
        return self.load(text, name="luigi.toml", LUIGI_CONFIG_PARSER="toml", **environ)

    def error(self, *args, **kwargs):
        """The message of the SettingsError that loading raises: one line, without a trace of what led to it."""
        with self.assertRaises(SettingsError) as caught:
            self.load(*args, **kwargs)
        self.assertNotIn("\n", str(caught.exception))
        self.assertTrue(caught.exception.__suppress_context__ or caught.exception.__context__ is None)
        return str(caught.exception)


class TestSources(SettingsCase):
    PLACES = ("etc/client.cfg", "etc/luigi.cfg", "client.cfg", "luigi.cfg")

    def test_defaults_without_any_file(self):
        settings = self.load()
        self.assertEqual(settings.get("scheduler", "retry_delay"), 900.0)
        self.assertEqual(settings.get("luigid", "port"), 8082)
        self.assertEqual(settings.origin("luigid", "port"), "default")
        self.assertEqual((settings.files, settings.warnings, settings.resources), ([], [], {}))
        self.assertIsNone(settings.logging)

    def test_every_place_is_read_and_the_later_one_wins(self):
        for port, place in enumerate(self.PLACES, 1000):
            self.write(f"[luigid]\nport = {port}\n", place)
            settings = self.load()
            self.assertEqual(settings.get("luigid", "port"), port)
            self.assertEqual(settings.origin("luigid", "port"), f"{self.directory / place}:2")
        self.assertEqual(settings.files, [str(self.directory / place) for place in self.PLACES])

    def test_files_are_merged_option_by_option(self):
        self.write("[luigid]\nport = 1\naddress = a\n[resources]\nx = 1\n", "etc/luigi.cfg")
        settings = self.load("[luigid]\nport = 2\n[resources]\ny = 2\n")
        self.assertEqual((settings.get("luigid", "port"), settings.get("luigid", "address")), (2, "a"))
        self.assertEqual(settings.resources, {"x": 1, "y": 2})

    def test_the_file_named_by_the_environment_wins(self):
        self.write("[luigid]\nport = 1\n")
        for name in ("other.cfg", "other.conf", "other.ini", "other", "other.cfg.bak"):
            path = self.write("[luigid]\nport = 2\n", name)
            settings = self.load(LUIGI_CONFIG_PATH=path)
            self.assertEqual((settings.get("luigid", "port"), settings.warnings), (2, []), name)
            self.assertEqual(settings.origin("luigid", "port"), f"{path}:2")

    def test_the_same_file_named_again_is_the_last_one(self):
        path = self.write("[luigid]\nport = 1\n", "etc/luigi.cfg")
        self.write("[luigid]\nport = 2\n")
        self.assertEqual(self.load(LUIGI_CONFIG_PATH=path).get("luigid", "port"), 1)

    def test_a_missing_file_named_by_the_environment_is_a_warning(self):
        settings = self.load(LUIGI_CONFIG_PATH="/nowhere/luigi.cfg")
        self.assertEqual(settings.warnings, ["LUIGI_CONFIG_PATH=/nowhere/luigi.cfg does not exist"])

    def test_an_empty_environment_variable_names_nothing(self):
        self.assertEqual(self.load(LUIGI_CONFIG_PATH="").warnings, [])

    def test_a_file_for_the_other_parser_is_not_read(self):
        path = self.write("[luigid]\nport = 1\n", "other.toml")
        settings = self.load(LUIGI_CONFIG_PATH=path)
        self.assertEqual(settings.get("luigid", "port"), 8082)
        self.assertEqual(settings.warnings, [f"LUIGI_CONFIG_PATH={path} is read with LUIGI_CONFIG_PARSER=toml only"])

    def test_an_unknown_parser_is_a_warning_and_means_cfg(self):
        settings = self.load("[luigid]\nport = 1\n", LUIGI_CONFIG_PARSER="yaml")
        self.assertEqual(settings.get("luigid", "port"), 1)
        self.assertEqual(
            settings.warnings, ["LUIGI_CONFIG_PARSER=yaml is not one of cfg, conf, ini, toml: cfg files are read"]
        )

    def test_flags_win_and_none_is_a_flag_not_given(self):
        flags = {("luigid", "port"): 0, ("scheduler", "state_path"): "here", ("luigid", "address"): None}
        settings = self.load("[luigid]\nport = wrong\naddress = ::1\n", flags)
        self.assertEqual((settings.get("luigid", "port"), settings.origin("luigid", "port")), (0, "--port"))
        self.assertEqual(settings.get("scheduler", "state_path"), "here")
        self.assertEqual(settings.origin("scheduler", "state_path"), "--state-path")
        self.assertEqual(settings.get("luigid", "address"), "::1")

    def test_a_byte_order_mark_does_no_harm(self):
        self.assertEqual(self.load(b"\xef\xbb\xbf[luigid]\nport = 1\n").get("luigid", "port"), 1)

    def test_a_section_as_a_dict(self):
        section = self.load("[luigid]\nport = 1\n").section("luigid")
        self.assertEqual(section["port"], 1)
        self.assertEqual(section.keys(), {option.name for option in OPTIONS if option.section == "luigid"})
        self.assertEqual(self.load().section("core"), {"logging_conf_file": None, "no_configure_logging": False})

    def test_an_option_there_is_not(self):
        with self.assertRaises(KeyError):
            self.load().get("scheduler", "retry_dely")


class TestBrokenFiles(SettingsCase):
    def test_syntax_errors_name_file_and_line(self):
        for text, line, reason in [
            ("[scheduler]\nretry_delay\n", 2, "neither [section] nor name = value"),
            ("retry_delay = 1\n", 1, "a [section] must come first"),
            ("[smtp]\nport = 1\nport = 2\n", 3, "this option has been set before in the same section"),
            ("[scheduler]\n\n[scheduler]\n", 3, "this section has been begun before"),
        ]:
            with self.subTest(text):
                self.assertEqual(self.error(text), f"{self.directory}/luigi.cfg:{line}: {reason}")

    def test_a_syntax_error_does_not_quote_what_may_be_a_password(self):
        self.assertNotIn("hunter2", self.error("[smtp]\npassword hunter2\n"))

    def test_not_utf_8(self):
        self.assertEqual(self.error(b"[core]\nx = \xe9\n"), f"{self.directory}/luigi.cfg: not UTF-8 text (byte 11)")

    def test_a_directory(self):
        (self.directory / "luigi.cfg").mkdir()
        self.assertEqual(self.error(), f"{self.directory}/luigi.cfg: cannot be read: Is a directory")

    def test_a_directory_named_by_the_environment(self):
        expected = f"{self.directory}: cannot be read: Is a directory"
        self.assertEqual(self.error(LUIGI_CONFIG_PATH=str(self.directory)), expected)

    def test_an_unreadable_file(self):
        denied = PermissionError(13, "Permission denied")
        with mock.patch("builtins.open", side_effect=denied):  # root may read anything
            self.assertRegex(self.error(), r"^/.*client\.cfg: cannot be read: Permission denied$")


class TestSpellings(SettingsCase):
    def test_dashes_are_underscores(self):
        settings = self.load("[scheduler]\nretry-delay = 5\nworker-disconnect-delay = 6\n")
        self.assertEqual(settings.get("scheduler", "retry_delay"), 5.0)
        self.assertEqual(settings.get("scheduler", "worker_disconnect_delay"), 6.0)
        self.assertEqual(settings.warnings, [])

    def test_underscores_win_over_dashes_whichever_file_they_stand_in(self):
        self.write("[scheduler]\nretry_delay = 1\n", "etc/luigi.cfg")
        self.assertEqual(self.load("[scheduler]\nretry-delay = 2\n").get("scheduler", "retry_delay"), 1.0)

    def test_names_are_case_sensitive(self):
        settings = self.load("[scheduler]\nRetry_Delay = 5\n")
        self.assertEqual(settings.get("scheduler", "retry_delay"), 900.0)
        self.assertEqual(len(settings.warnings), 1)

    def test_every_alias_is_read_in_both_spellings_and_the_new_place_wins(self):
        for option in OPTIONS:
            own = [(option.section, option.name), (option.section, option.name.replace("_", "-"))]
            for alias in [spelling for spelling in option.spellings() if spelling not in own]:
                with self.subTest(own=own[0], alias=alias):
                    self.check_alias(option, *alias)

    def check_alias(self, option, section, name):
        key, text, where = (option.section, option.name), other_value(option), f"{self.directory}/luigi.cfg:2"
        settings = self.load(f"[{section}]\n{name} = {text}\n")
        self.assertEqual(settings.get(*key), option.parse(text, ""))
        self.assertEqual(settings.origin(*key), where)
        better = f"{where}: [{section}] {name} is better written [{option.section}] {option.name}"
        self.assertEqual(settings.warnings, [better])
        both = Settings.load(environ={"LUIGI_CONFIG_PATH": self.write(f"[{key[0]}]\n{key[1]} = {text}\n", "own.cfg")})
        self.assertEqual((both.origin(*key), both.warnings), (f"{self.directory}/own.cfg:2", []))
        self.write(f"[{key[0]}]\n{key[1]} = {text}\n", "etc/luigi.cfg")
        self.assertEqual(self.load().origin(*key), f"{self.directory}/etc/luigi.cfg:2", "though read before")
        os.remove("etc/luigi.cfg")

    def test_the_places_that_stock_names_in_its_configuration_paths(self):
        settings = self.load(
            "[core]\nerror-email = a@example.org,\n  b@example.org\nemail-type = html\nsmtp_port = 25\n"
            "smtp_without_tls = True\n[email]\ntype = sns\nSENGRID_API_KEY = k\n"
            "[batch-notifier]\nemail-interval-minutes = 7\nbatch_mode = family\n"
        )
        self.assertEqual(settings.get("email", "receiver"), "a@example.org,\nb@example.org")
        self.assertEqual((settings.get("email", "format"), settings.get("email", "method")), ("html", "sns"))
        self.assertEqual((settings.get("smtp", "port"), settings.get("smtp", "no_tls")), (25, True))
        self.assertEqual(settings.get("sendgrid", "apikey"), "k")
        self.assertEqual(settings.get("batch_email", "email_interval"), 7)
        self.assertEqual(settings.get("batch_email", "batch_mode"), "family")


def other_value(option):
    """A text that is allowed for ``option`` and is not its default."""
    for text in ("true", "false", "family", "html", "sns", "77"):
        with contextlib.suppress(SettingsError):
            if option.parse(text, "") != option.default:
                return text
    raise AssertionError(option)


class TestInterpolation(SettingsCase):
    def test_references_to_the_section_and_to_default(self):
        settings = self.load(
            "[DEFAULT]\nroot = /srv\n[scheduler]\nname = s\nstate_path = %(root)s/%(name)s.pickle\n"
            "[email]\nprefix = 5%%\n"
        )
        self.assertEqual(settings.get("scheduler", "state_path"), "/srv/s.pickle")
        self.assertEqual(settings.get("email", "prefix"), "5%")

    def test_an_option_in_default_counts_where_its_section_exists(self):
        settings = self.load("[DEFAULT]\nport = 1\n[luigid]\n")
        self.assertEqual((settings.get("luigid", "port"), settings.get("smtp", "port")), (1, 0))
        self.assertEqual(settings.origin("luigid", "port"), f"{self.directory}/luigi.cfg:2")

    def test_environment_variables_come_after_references(self):
        text = "[DEFAULT]\nroot = ${ROOT}\n[scheduler]\nstate_path = %(root)s/${NAME}/${NAME}\n"
        settings = self.load(text, ROOT="/100%", NAME="n")
        self.assertEqual(settings.get("scheduler", "state_path"), "/100%/n/n")

    def test_a_missing_environment_variable(self):
        self.assertEqual(
            self.error("[smtp]\n\npassword = ${SECRET}\n"),
            f"{self.directory}/luigi.cfg:3: [smtp] password: the environment variable SECRET is not set",
        )

    def test_a_bad_reference_says_how_to_write_it_without_quoting_the_value(self):
        for value in ("hunter2%", "hunter2%(nowhere)s", "%(password)s", "%(unclosed"):
            with self.subTest(value):
                message = self.error(f"[smtp]\npassword = {value}\n")
                self.assertTrue(message.startswith(f"{self.directory}/luigi.cfg:2: [smtp] password: its % must be %% "))
                self.assertNotIn("hunter2", message)

    def test_what_the_daemon_does_not_use_is_not_resolved(self):
        settings = self.load("[MyTask]\npath = ${NOT_HERE}/%(nor)s/%\n[core]\nfoo = ${NOT_HERE}\n")
        self.assertEqual(settings.warnings, [])

    def test_resources_may_use_them_too(self):
        self.assertEqual(self.load("[resources]\ngpu = ${GPUS}\n", GPUS="4").resources, {"gpu": 4})


class TestValues(SettingsCase):
    def value(self, section, name, text):
        return self.load(f"[{section}]\n{name} = {text}\n").get(section, name)

    def test_booleans(self):
        for text, value in {"true": True, "TRUE": True, "False": False, "false": False}.items():
            self.assertIs(self.value("scheduler", "batch_emails", text), value)

    def test_no_configure_logging_takes_all_that_configparser_takes(self):
        for text in ("1", "YES", "on", "true"):
            self.assertIs(self.value("core", "no_configure_logging", text), True)
        for text in ("0", "No", "off", "false"):
            self.assertIs(self.value("core", "no_configure_logging", text), False)

    def test_numbers(self):
        self.assertEqual(self.value("scheduler", "retry_delay", "-1"), -1.0)
        self.assertEqual(self.value("scheduler", "remove_delay", "0.5"), 0.5)
        self.assertEqual(self.value("scheduler", "worker_disconnect_delay", "inf"), math.inf)
        self.assertEqual(self.value("scheduler", "retry_count", "0"), 0)
        self.assertEqual(self.value("luigid", "port", "65535"), 65535)

    def test_lists_are_json(self):
        self.assertEqual(self.value("cors", "allowed_origins", '["http://a", "http://b"]'), ("http://a", "http://b"))
        self.assertEqual(self.value("cors", "allowed_origins", '[\n  "http://a",\n  "http://b"]'), ("http://a", "http://b"))
        self.assertEqual(self.value("cors", "allowed_origins", "[]"), ())

    def test_choices_are_names(self):
        self.assertEqual(self.value("scheduler", "metrics_collector", "prometheus"), "prometheus")
        self.assertEqual(self.value("batch_email", "batch_mode", "all"), "all")

    def test_a_path_is_kept_as_it_is(self):
        self.assertEqual(self.value("scheduler", "state_path", "~/some where/ü.pickle"), "~/some where/ü.pickle")

    def test_an_empty_value_unsets_what_has_no_default(self):
        for section, name in [("luigid", "address"), ("scheduler", "metrics_custom_import"), ("smtp", "password")]:
            self.assertIsNone(self.value(section, name, ""))
        self.assertEqual(self.value("cors", "exposed_headers", ""), "")

    def test_what_is_not_allowed(self):
        for section, name, text, allowed in [
            ("scheduler", "batch_emails", "yes", "true or false"),
            ("scheduler", "batch_emails", "", "true or false"),
            ("core", "no_configure_logging", "maybe", "true or false, yes or no, on or off, 1 or 0"),
            ("scheduler", "retry_delay", "soon", "a number of seconds"),
            ("scheduler", "retry_delay", "nan", "a number of seconds"),
            ("scheduler", "remove_delay", "-1", "a number of seconds, at least 0"),
            ("scheduler", "disable_window", "1.5", "a whole number of seconds, at least 0"),
            ("scheduler", "retry_count", "-1", "an integer, at least 0"),
            ("scheduler", "retry_count", "", "an integer, at least 0"),
            ("scheduler", "max_shown_tasks", "1e5", "an integer, at least 0"),
            ("scheduler", "state_path", "", "a path"),
            ("scheduler", "state_path", "a\x00b", "a path"),
            ("scheduler", "metrics_collector", "graphite", "one of default, none, datadog, prometheus, custom"),
            ("scheduler", "metrics_collector", "Prometheus", "one of default, none, datadog, prometheus, custom"),
            ("luigid", "port", "65536", "an integer from 0 to 65535"),
            ("luigid", "max_body", "0", "a number of bytes, at least 1"),
            ("smtp", "timeout", "inf", "a number of seconds from 0 to 86400"),
            ("cors", "max_age", "-2", "a whole number of seconds, at least -1"),
            ("cors", "allowed_origins", "http://a", 'a JSON list of texts, such as ["a", "b"]'),
            ("cors", "allowed_origins", "[1]", 'a JSON list of texts, such as ["a", "b"]'),
            ("cors", "allowed_origins", '{"a": 1}', 'a JSON list of texts, such as ["a", "b"]'),
            ("cors", "allowed_headers", "A,\n  B", "text on one line"),
            ("email", "receiver", "a\x07", "text"),
            ("batch_email", "batch_mode", "none", "one of family, all, unbatched_params"),
        ]:
            with self.subTest(name, text=text):
                text_in_memory = text.replace("\n  ", "\n")
                self.assertEqual(
                    self.error(f"[{section}]\n{name} = {text}\n"),
                    f"{self.directory}/luigi.cfg:2: [{section}] {name} = {text_in_memory!r}: must be {allowed}",
                )

    def test_absurd_values_are_cut_and_do_no_harm(self):
        for text in ("9" * 10_000, "1" + "0" * 400):
            self.assertLess(len(self.error(f"[scheduler]\nretry_count = {text}\n")), 400)
        self.assertLess(len(self.error(f"[cors]\nallowed_origins = {'[' * 100_000}\n")), 400)

    def test_an_error_names_what_is_written_there(self):
        message = self.error("[core]\nx = 1\nsmtp_port = x\n")
        expected = f"{self.directory}/luigi.cfg:3: [core] smtp_port = 'x': must be an integer from 0 to 65535"
        self.assertEqual(message, expected)

    def test_an_error_names_a_flag(self):
        message = self.error(overrides={("luigid", "port"): "x"})
        self.assertEqual(message, "--port = 'x': must be an integer from 0 to 65535")

    def test_an_error_does_not_quote_secrets(self):
        self.assertIn("password = '********'", self.error("[smtp]\npassword = hunter2\n  again\n"))
        message = self.error("[task_history]\ndb_connection = mysql://u:hunter2@host/db\n  x\n")
        self.assertIn("'mysql://u:********@host/db", message)

    def test_every_default_is_allowed_and_stays_what_it_is(self):
        for option in OPTIONS:
            value = option.parse(option.default, "")
            self.assertEqual((value, type(value)), (option.default, type(option.default)), option.name)

    def test_the_sender_is_of_this_host(self):
        with mock.patch("socket.gethostname", return_value="box"):
            self.assertEqual(self.load().get("email", "sender"), "luigi-client@box")


class TestLineNumbers(SettingsCase):
    def test_continued_values_and_comments_are_not_taken_for_options(self):
        settings = self.load(
            "# port = 1\n[other]\nlong = x\n  [luigid]\n  port = 2\n\n[luigid]\n; port = 3\n  port: 4\n  address=a\n"
            "  note = x\n    port = 5\n    [other]\n  pidfile = p\n"
        )
        self.assertEqual((settings.get("luigid", "port"), settings.get("luigid", "address")), (4, "a"))
        self.assertEqual(settings.origin("luigid", "port"), f"{self.directory}/luigi.cfg:9")
        self.assertEqual(settings.origin("luigid", "address"), f"{self.directory}/luigi.cfg:10")
        self.assertEqual(settings.origin("luigid", "pidfile"), f"{self.directory}/luigi.cfg:14")

    def test_the_file_is_named_where_the_line_cannot_be_told(self):
        with mock.patch.object(luigid, "_line_numbers", return_value={}):
            settings = self.load("[luigid]\nport = 1\n")
        self.assertEqual(settings.origin("luigid", "port"), f"{self.directory}/luigi.cfg")


class TestResources(SettingsCase):
    def test_any_name_and_any_count(self):
        settings = self.load("[resources]\ngpu = 2\nDb.Main-1 = 0\n")
        self.assertEqual(settings.resources, {"gpu": 2, "Db.Main-1": 0})
        self.assertEqual(settings.origin("resources", "gpu"), f"{self.directory}/luigi.cfg:2")
        self.assertEqual(settings.warnings, [])

    def test_options_of_default_are_not_resources(self):
        self.assertEqual(self.load("[DEFAULT]\nroot = /srv\nx = 1\n[resources]\ngpu = 2\n").resources, {"gpu": 2})

    def test_wrong_counts(self):
        for text in ("-1", "two", "1.5", ""):
            self.assertEqual(
                self.error(f"[resources]\ngpu = {text}\n"),
                f"{self.directory}/luigi.cfg:2: [resources] gpu = {text!r}: must be an integer, at least 0",
            )

    def test_the_answer_is_a_copy(self):
        settings = self.load("[resources]\ngpu = 2\n")
        settings.resources["gpu"] = 99
        self.assertEqual(settings.resources, {"gpu": 2})


class TestWarnings(SettingsCase):
    def warnings(self, text, **environ):
        return [line.replace(f"{self.directory}/luigi.cfg:", "") for line in self.load(text, **environ).warnings]

    def test_an_unknown_option_with_the_nearest_known_one(self):
        for section, name, nearest in [
            ("scheduler", "retry_dely", "retry_delay"),
            ("scheduler", "RETRY-DELAY", "retry_delay"),
            ("scheduler", "disable-window-seconds", "disable_window"),
            ("luigid", "prot", "port"),
            ("cors", "allow_origins", "allowed_origins"),
            ("task_history", "db_conection", "db_connection"),
            ("batch-notifier", "email_interval_minute", "email_interval_minutes"),
            ("batch_email", "batchmode", "batch_mode"),
            ("email", "sendr", "sender"),
            ("smtp", "hostt", "host"),
            ("prometheus", "use_task_family_in_label", "use_task_family_in_labels"),
            ("datadog", "statsd_prt", "statsd_port"),
        ]:
            with self.subTest(section, name=name):
                self.assertEqual(
                    self.warnings(f"[{section}]\n{name} = 1\n"),
                    [f"2: [{section}] {name} is not an option (did you mean {nearest}?)"],
                )

    def test_an_unknown_option_without_any_like_it(self):
        self.assertEqual(self.warnings("[scheduler]\nzzz = 1\n"), ["2: [scheduler] zzz is not an option"])

    def test_sections_of_the_clients_are_theirs(self):
        text = "[core]\ndefault-scheduler-host = x\n[MyTask]\nretry_dely = 1\n[worker]\nkeep_alive = true\n"
        self.assertEqual(self.warnings(text), [])

    def test_options_of_default_are_not_unknown(self):
        self.assertEqual(self.warnings("[DEFAULT]\nroot = /\n[scheduler]\nretry_delay = 1\n"), [])

    def test_a_section_spelt_with_a_dash(self):
        self.assertEqual(
            self.warnings("\n[task-history]\ndb_connection = x\n"),
            ["2: [task-history] is not read (did you mean [task_history]?)"],
        )

    def test_logging_in_a_cfg_file(self):
        self.assertEqual(
            self.warnings("[logging]\nversion = 1\n"),
            ["1: [logging] is read from TOML files only; see [core] logging_conf_file"],
        )
        self.assertIsNone(self.load().logging)


@needs_toml
class TestToml(SettingsCase):
    def test_native_values(self):
        settings = self.toml(
            "[scheduler]\nretry_delay = 5\nretry-count = 6\nbatch_emails = true\n"
            '[cors]\nallowed_origins = ["http://a"]\n[resources]\ngpu = 2\n[luigid]\naddress = "::1"\n'
        )
        self.assertEqual(settings.get("scheduler", "retry_delay"), 5.0)
        self.assertEqual(settings.get("scheduler", "retry_count"), 6)
        self.assertIs(settings.get("scheduler", "batch_emails"), True)
        self.assertEqual(settings.get("cors", "allowed_origins"), ("http://a",))
        self.assertEqual(settings.get("luigid", "address"), "::1")
        self.assertEqual((settings.resources, settings.warnings), ({"gpu": 2}, []))
        self.assertEqual(settings.origin("scheduler", "retry_count"), f"{self.directory}/luigi.toml:3")

    def test_values_as_text_as_stock_reads_them(self):
        settings = self.toml(
            "[scheduler]\nretry_delay = '5'\nbatch_emails = 'True'\n[cors]\nallowed_origins = '[\"a\"]'\n"
        )
        self.assertEqual(settings.get("scheduler", "retry_delay"), 5.0)
        self.assertIs(settings.get("scheduler", "batch_emails"), True)
        self.assertEqual(settings.get("cors", "allowed_origins"), ("a",))

    def test_places_and_their_order(self):
        self.write("[luigid]\nport = 1\naddress = 'a'\n", "etc/luigi.toml")
        self.write("[luigid]\nport = 9\n", "luigi.cfg")
        path = self.write("[luigid]\npidfile = 'p'\n", "other.toml")
        settings = self.toml("[luigid]\nport = 2\n", LUIGI_CONFIG_PATH=path)
        got = [settings.get("luigid", name) for name in ("port", "address", "pidfile")]
        self.assertEqual(got, [2, "a", "p"])
        names = ("etc/luigi.toml", "luigi.toml", "other.toml")
        self.assertEqual(settings.files, [str(self.directory / name) for name in names])

    def test_a_cfg_file_named_by_the_environment_is_not_read(self):
        path = self.write("[luigid]\nport = 1\n", "other.cfg")
        settings = self.toml("", LUIGI_CONFIG_PATH=path)
        self.assertEqual(settings.warnings, [f"LUIGI_CONFIG_PATH={path} is read with LUIGI_CONFIG_PARSER=cfg only"])

    def test_logging_is_left_as_it_is(self):
        settings = self.toml(
            "[logging]\nversion = 1\n[logging.formatters.f]\nformat = '${message} %(x)s'\nstyle = '$'\n"
        )
        formatter = {"format": "${message} %(x)s", "style": "$"}
        self.assertEqual(settings.logging, {"version": 1, "formatters": {"f": formatter}})
        self.assertEqual(settings.warnings, [])
        self.assertIn("[logging]", settings.describe())

    def test_environment_variables_but_no_references(self):
        settings = self.toml("[scheduler]\nstate_path = '${ROOT}/%(x)s'\n", ROOT="/srv")
        self.assertEqual(settings.get("scheduler", "state_path"), "/srv/%(x)s")

    def test_what_is_not_allowed(self):
        for text, expected in [
            ("[scheduler]\nretry_count = 1.5\n", ":2: [scheduler] retry_count = '1.5': must be an integer, at least 0"),
            ("[smtp]\nport = true\n", ":2: [smtp] port = 'true': must be an integer from 0 to 65535"),
            ("[scheduler]\nretry_delay = []\n", ":2: [scheduler] retry_delay = '[]': must be a number of seconds"),
            ("[scheduler]\nbatch_emails = 1\n", ":2: [scheduler] batch_emails = '1': must be true or false"),
            ("[scheduler]\nstate_path = 1\n", ":2: [scheduler] state_path = '1': must be a path"),
            ("[smtp]\nhost = 1979-05-27\n", ":2: [smtp] host = '\"1979-05-27\"': must be text on one line"),
            ("[smtp]\nhost = {a = 1}\n", ":2: [smtp] host = '{\"a\": 1}': must be text on one line"),
            ("[smtp]\npassword = 1234\n", ":2: [smtp] password = '********': must be text on one line"),
            ("[resources]\ngpu = 1.5\n", ":2: [resources] gpu = '1.5': must be an integer, at least 0"),
            ("retry_delay = 5\n", ": retry_delay is not a [section]"),
            ("[[scheduler]]\nretry_delay = 5\n", ": scheduler is not a [section]"),
        ]:
            with self.subTest(text):
                message = self.error(text, name="luigi.toml", LUIGI_CONFIG_PARSER="toml")
                self.assertEqual(message, f"{self.directory}/luigi.toml{expected}")

    def test_syntax_errors_name_the_file(self):
        for text in ("[scheduler\n", "x = " + "[" * 100_000, "a = 1\na = 2\n"):
            message = self.error(text, name="luigi.toml", LUIGI_CONFIG_PARSER="toml")
            self.assertTrue(message.startswith(f"{self.directory}/luigi.toml: "), message)

    def test_unknown_options_are_warnings_here_too(self):
        settings = self.toml("[scheduler]\nretry_dely = 5\n")
        expected = f"{self.directory}/luigi.toml:2: [scheduler] retry_dely is not an option (did you mean retry_delay?)"
        self.assertEqual(settings.warnings, [expected])


class TestWithoutToml(SettingsCase):
    def test_one_line_says_what_it_takes(self):
        with mock.patch.dict(sys.modules, {"tomllib": None}):
            message = self.error(LUIGI_CONFIG_PARSER="toml")
        self.assertRegex(message, r"^LUIGI_CONFIG_PARSER=toml takes Python 3\.11 or newer; this is 3\.\d+\.\d+\S*$")


class TestStatePath(SettingsCase):
    """With a stock path in the working directory; a file as its parent keeps even root from making it."""

    def stock(self, path):
        self.enterContext(mock.patch.object(luigid, "STOCK_STATE_PATH", str(self.directory / path)))
        return str(self.directory / path)

    def unusable_stock(self):
        self.write("", "var")
        self.stock("var/luigi-server/state.pickle")

    def test_stock_where_its_directory_is_writable_or_can_be_made(self):
        stock = self.stock("var/lib/luigi-server/state.pickle")
        self.assertEqual(default_state_path({}), stock)
        self.assertFalse((self.directory / "var").exists(), "deciding makes nothing")
        (self.directory / "var/lib/luigi-server").mkdir(parents=True)
        self.assertEqual(default_state_path({}), stock)

    def test_the_users_directory_otherwise(self):
        self.unusable_stock()
        environ = {"XDG_STATE_HOME": "/x", "HOME": "/h"}
        self.assertEqual(default_state_path(environ), "/x/luigid/state.pickle")
        for xdg in ("", "relative/path"):
            environ["XDG_STATE_HOME"] = xdg
            self.assertEqual(default_state_path(environ), "/h/.local/state/luigid/state.pickle")

    def test_not_where_the_directory_may_only_be_read(self):
        self.stock("var/luigi-server/state.pickle")
        with mock.patch("os.access", lambda path, mode: not mode & os.W_OK):  # root may write anywhere
            self.assertEqual(default_state_path({"HOME": "/h"}), "/h/.local/state/luigid/state.pickle")

    def test_only_when_nobody_set_it(self):
        self.unusable_stock()
        settings = self.load(HOME="/h")
        self.assertEqual(settings.get("scheduler", "state_path"), "/h/.local/state/luigid/state.pickle")
        self.assertEqual(settings.origin("scheduler", "state_path"), "default")
        explicit = str(self.directory / "var/luigi-server/state.pickle")
        settings = self.load(f"[scheduler]\nstate_path = {explicit}\n")
        self.assertEqual(settings.get("scheduler", "state_path"), explicit)


class TestDescribe(SettingsCase):
    TEXT = (
        "[smtp]\npassword = hunter2\n[sendgrid]\napikey = hunter2\n[datadog]\napi_key = hunter2\napp_key = hunter2\n"
        "[task_history]\ndb_connection = postgresql://luigi:hunter2/@x@host/db?sslmode=on&password=hunter2\n"
        "[resources]\ngpu = 2\n"
    )

    def test_every_option_and_where_it_came_from(self):
        described = self.load(self.TEXT, {("luigid", "port"): 1}).describe()
        self.assertTrue(described.startswith(f"# read: {self.directory}/luigi.cfg\n"))
        for option in OPTIONS:
            self.assertRegex(described, rf"(?m)^{option.name} = .*  # \S")
        for line in ("port = 1 +# --port", "retry_delay = 900.0 +# default", "gpu = 2 +# /.*/luigi.cfg:11"):
            self.assertRegex(described, rf"(?m)^{line}$")

    def test_secrets_are_masked(self):
        described = self.load(self.TEXT).describe()
        self.assertNotIn("hunter2", described)
        self.assertIn("postgresql://luigi:********@host/db?sslmode=on&password=********", described)
        self.assertEqual(len(re.findall(r"(?m)^(?:password|apikey|api_key|app_key) = \*{8} ", described)), 4)

    def test_an_unset_secret_is_seen_to_be_unset(self):
        self.assertRegex(self.load().describe(), r"(?m)^password =  +# default$")

    def test_a_database_without_a_password_is_shown(self):
        for url in ("sqlite:////var/lib/a@b:c.db", "postgresql://luigi@host:5432/db"):
            self.assertIn(f"{url} ", self.load(f"[task_history]\ndb_connection = {url}\n").describe())

    def test_without_files(self):
        self.assertTrue(self.load().describe().startswith("# no configuration file found\n"))


class TestSchedulerSettings(SettingsCase):
    def test_complete_and_typed(self):
        settings = scheduler_settings(retry_delay=5, retry_count=3, batch_emails=True, db_connection="sqlite://")
        self.assertEqual((settings.retry_delay, type(settings.retry_delay)), (5.0, float))
        self.assertEqual((settings.retry_count, settings.batch_emails, settings.disable_persist), (3, True, 86400))
        self.assertEqual(settings.db_connection, "sqlite://")
        names = {option.name for option in OPTIONS if option.section in ("scheduler", "task_history")}
        self.assertEqual(vars(settings).keys(), names)

    def test_no_file_is_read(self):
        self.write("[scheduler]\nretry_delay = wrong\n")
        with mock.patch("builtins.open", side_effect=AssertionError):
            self.assertEqual(scheduler_settings().retry_delay, 900.0)

    def test_none_is_the_default_and_a_path_may_be_a_path(self):
        self.assertEqual(scheduler_settings(retry_delay=None, state_path=Path("x")).retry_delay, 900.0)
        self.assertEqual(scheduler_settings(state_path=Path("x")).state_path, "x")
        self.assertEqual(scheduler_settings().state_path, default_state_path())

    def test_an_unknown_name(self):
        for name, message in [
            ("retry_dely", "Scheduler() has no setting retry_dely (did you mean retry_delay?)"),
            ("port", "Scheduler() has no setting port"),
            ("zzz", "Scheduler() has no setting zzz"),
        ]:
            with self.assertRaises(TypeError) as caught:
                scheduler_settings(**{name: 1})
            self.assertEqual(str(caught.exception), message)

    def test_a_wrong_value(self):
        with self.assertRaises(SettingsError) as caught:
            scheduler_settings(remove_delay=-1)
        expected = "Scheduler(): remove_delay = '-1': must be a number of seconds, at least 0"
        self.assertEqual(str(caught.exception), expected)

    def test_wrong_types(self):
        for name, value in [("retry_delay", True), ("retry_count", 1.5), ("retry_count", object()), ("batch_emails", 1),
                            ("state_path", 1), ("state_path", b"x"), ("metrics_collector", []), ("db_connection", {})]:
            with self.subTest(name, value=value), self.assertRaises(SettingsError):
                scheduler_settings(**{name: value})

    def test_what_a_daemon_loaded_is_accepted(self):
        loaded = self.load("[scheduler]\nretry_delay = 5\nmetrics_collector = none\n").section("scheduler")
        self.assertEqual(vars(scheduler_settings(**loaded)), {**loaded, "db_connection": None, "keep_days": None})


class TestExample(SettingsCase):
    def test_the_committed_file_is_made_from_the_table(self):
        self.assertEqual(EXAMPLE.read_text(encoding="utf-8"), example_config(), "run 'make example'")

    def test_as_it_is_it_changes_nothing(self):
        defaults = self.load()
        example = self.load(example_config())
        self.assertEqual(example.warnings, [])
        for option in OPTIONS:
            self.assertEqual(example.origin(option.section, option.name), "default")
            self.assertEqual(example.get(option.section, option.name), defaults.get(option.section, option.name))

    def test_uncommented_it_says_the_defaults(self):
        example = self.load(re.sub(r"(?m)^#(?=\w)", "", example_config()))
        self.assertEqual(example.warnings, [])
        for option in OPTIONS:
            self.assertNotEqual(example.origin(option.section, option.name), "default", option.name)
            self.assertEqual(example.get(option.section, option.name), option.default)

    def test_every_option_has_its_meaning_and_what_is_allowed(self):
        example = example_config()
        for option in OPTIONS:
            allowed = option.kind.allowed[0].upper() + option.kind.allowed[1:]
            self.assertIn(f"\n# {option.doc}\n# {allowed}.", example)


class TestTable(unittest.TestCase):
    def test_no_option_twice_and_each_in_a_described_section(self):
        keys = [(option.section, option.name) for option in OPTIONS]
        self.assertEqual(len(keys), len(set(keys)))
        self.assertLessEqual({section for section, _ in keys}, SECTIONS.keys())

    def test_no_spelling_means_two_options(self):
        owners = {}
        for option in OPTIONS:
            for spelling in option.spellings():
                self.assertIs(owners.setdefault(spelling, option), option)

    def test_documentation_is_one_sentence_line(self):
        for option in OPTIONS:
            self.assertRegex(option.doc, r"^[A-Z][^\n]+\.$")
            self.assertLessEqual(len(option.doc), 118)


if __name__ == "__main__":
    unittest.main()
