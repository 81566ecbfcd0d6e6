"""Settings against stock Luigi 3.8.1: the same files and environment, every option equal, the same ones refused.

Stock keeps its configuration in the process, so each case asks a process of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from luigid import SECTIONS, STOCK_STATE_PATH, Settings, SettingsError

STOCK = """
import json, sys, unittest.mock, warnings
warnings.simplefilter("ignore")
sys.modules["prometheus_client"] = sys.modules["datadog"] = unittest.mock.MagicMock()  # need not be installed
from luigi import batch_notifier, configuration, notifications, scheduler, server
from luigi.contrib import datadog_metric, prometheus_metric

def plain(value):
    return value.name if hasattr(value, "name") else list(value) if isinstance(value, (tuple, list, set)) else value

values = {}
for config in (
    scheduler.scheduler, server.cors, batch_notifier.batch_email, notifications.email, notifications.smtp,
    prometheus_metric.prometheus, datadog_metric.datadog,
):
    found = config()
    values[config.get_task_family()] = {name: plain(getattr(found, name)) for name, _ in config.get_params()}
parser = configuration.get_config()
values["sendgrid"] = {"apikey": parser.get("sendgrid", "apikey", parser.get("email", "SENGRID_API_KEY", None))}
values["task_history"] = {"db_connection": parser.get("task_history", "db_connection", None)}
values["core"] = {
    "logging_conf_file": parser.get("core", "logging_conf_file", None),
    "no_configure_logging": parser.getboolean("core", "no_configure_logging", False),
}
values["resources"] = parser.getintdict("resources")
print(json.dumps(values))
"""

#: name -> ({file: text}, environment)
SAME = {
    "defaults": ({}, {}),
    "every place, later ones winning": (
        {
            "client.cfg": "[scheduler]\nretry_delay = 1\nremove_delay = 1\n",
            "luigi.cfg": "[scheduler]\nretry_delay = 2\nstate_path = x\n",
            "extra.cfg": "[scheduler]\nstate_path = y\n",
        },
        {"LUIGI_CONFIG_PATH": "extra.cfg"},
    ),
    "an ini file by the environment": (
        {"luigi.cfg": "[smtp]\nport = 1\n", "extra.ini": "[smtp]\nport = 2\n"},
        {"LUIGI_CONFIG_PATH": "extra.ini"},
    ),
    "a file without an extension": ({"extra": "[smtp]\nport = 2\n"}, {"LUIGI_CONFIG_PATH": "extra"}),
    "a missing file": ({}, {"LUIGI_CONFIG_PATH": "nowhere.cfg"}),
    "an unknown parser": ({"luigi.cfg": "[smtp]\nport = 2\n"}, {"LUIGI_CONFIG_PARSER": "yaml"}),
    "dashes": (
        {"luigi.cfg": "[scheduler]\nretry-delay = 5\n[cors]\nmax-age = 7\nallow-any-origin = TRUE\n"},
        {},
    ),
    "underscores before dashes": (
        {"client.cfg": "[scheduler]\nretry_delay = 1\n", "luigi.cfg": "[scheduler]\nretry-delay = 2\n"},
        {},
    ),
    "upper and lower case": ({"luigi.cfg": "[scheduler]\nRetry_Delay = 2\n[Scheduler]\nretry_count = 3\n"}, {}),
    "[DEFAULT]": (
        {"luigi.cfg": "[DEFAULT]\nretry_delay = 5\nport = 7\nx = y\n[scheduler]\n[resources]\ngpu = 2\n"},
        {},
    ),
    "old places": (
        {
            "luigi.cfg": "[core]\nerror-email = a@x, b@x\nemail-sender = s@x\nemail-prefix = p\nemail-type = html\n"
            "smtp_host = h\nsmtp_port = 25\nsmtp_login = u\nsmtp_password = p\nsmtp_ssl = true\nsmtp_timeout = 2.5\n"
            "smtp_local_hostname = l\nsmtp_without_tls = true\nlogging-conf-file = f\nno_configure_logging = on\n"
            "[email]\ntype = ses\nSENGRID_API_KEY = k\n[batch-notifier]\nemail-interval-minutes = 9\n"
        },
        {},
    ),
    "new places before old ones": (
        {
            "client.cfg": "[email]\nreceiver = new@x\nmethod = sns\n[smtp]\nport = 1\n"
            "[batch_email]\nemail_interval = 1\n",
            "luigi.cfg": "[core]\nerror-email = old@x\nsmtp_port = 2\n[batch-notifier]\nemail-interval-minutes = 2\n"
            "[email]\ntype = ses\n",
        },
        {},
    ),
    "interpolation": (
        {
            "luigi.cfg": "[DEFAULT]\nroot = ${ROOT}\n[scheduler]\nstate_path = %(root)s/%(name)s\nname = ${NAME}\n"
            "[email]\nprefix = 5%%\n[MyTask]\nx = ${NOT_HERE}\ny = %(nor_here)s\n[resources]\ngpu = ${GPUS}\n"
        },
        {"ROOT": "/100%", "NAME": "n", "GPUS": "3"},
    ),
    "lists and choices": (
        {
            "luigi.cfg": '[cors]\nallowed_origins = ["http://a",\n  "http://b"]\n'
            "[scheduler]\nmetrics_collector = prometheus\nmetrics_custom_import =\n"
            "[batch_email]\nbatch_mode = all\nerror_lines = 0\ngroup-by-error-messages = False\n"
            '[prometheus]\nuse_task_family_in_labels = false\ntask-parameters-to-use-in-labels = ["a"]\n'
            "[datadog]\nstatsd-port = 1\napi_key = k\n"
        },
        {},
    ),
    "numbers as Python reads them": (
        {
            "luigi.cfg": "[scheduler]\nretry_delay = -1\nremove_delay = 1e3\nworker_disconnect_delay = inf\n"
            "retry_count = 1_0\n"
        },
        {},
    ),
}

#: name -> ({file: text}, environment)
REFUSED = {
    "a boolean": ({"luigi.cfg": "[scheduler]\nbatch_emails = yes\n"}, {}),
    "a number": ({"luigi.cfg": "[scheduler]\nretry_delay = soon\n"}, {}),
    "an integer": ({"luigi.cfg": "[scheduler]\nretry_count = 1.5\n"}, {}),
    "an empty integer": ({"luigi.cfg": "[scheduler]\nretry_count =\n"}, {}),
    "a collector": ({"luigi.cfg": "[scheduler]\nmetrics_collector = Prometheus\n"}, {}),
    "a mode": ({"luigi.cfg": "[batch_email]\nbatch_mode = none\n"}, {}),
    "a list": ({"luigi.cfg": "[cors]\nallowed_origins = http://a\n"}, {}),
    "a resource": ({"luigi.cfg": "[resources]\ngpu = two\n"}, {}),
    "a switch": ({"luigi.cfg": "[core]\nno_configure_logging = maybe\n"}, {}),
    "an environment variable": ({"luigi.cfg": "[smtp]\npassword = ${NOT_HERE}\n"}, {}),
    "a reference": ({"luigi.cfg": "[smtp]\npassword = %(nowhere)s\n"}, {}),
    "a percent sign": ({"luigi.cfg": "[smtp]\npassword = 5%\n"}, {}),
    "an option twice": ({"luigi.cfg": "[smtp]\nport = 1\nport = 2\n"}, {}),
    "a section twice": ({"luigi.cfg": "[smtp]\n[smtp]\n"}, {}),
    "no section": ({"luigi.cfg": "port = 1\n"}, {}),
    "no value": ({"luigi.cfg": "[smtp]\nport\n"}, {}),
}


def in_directory(files, run):
    """What ``run`` returns in a fresh working directory with ``files``."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as directory:
        for name, text in files.items():
            Path(directory, name).write_text(text, encoding="utf-8")
        os.chdir(directory)
        try:
            return run()
        finally:
            os.chdir(before)


def stock(files, environ):
    """Every option of stock by section; None if it does not start."""
    command = [sys.executable, "-c", STOCK]
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environ}
    done = in_directory(files, lambda: subprocess.run(command, env=environment, capture_output=True, text=True))
    return json.loads(done.stdout) if done.returncode == 0 else None


#: what stock does not have
OWN_SECTIONS = {"luigid", "alerts"}
OWN_OPTIONS = {("task_history", "keep_days"), ("smtp", "verify_tls")}


def ours(files, environ):
    """The same of ours, as far as stock has it."""
    settings = in_directory(files, lambda: Settings.load(environ=environ))
    sections = {section: settings.section(section) for section in SECTIONS if section not in OWN_SECTIONS}
    for section, name in OWN_OPTIONS:
        del sections[section][name]
    return sections


class TestSettingsAgainstStock(unittest.TestCase):
    maxDiff = None

    def assert_equal_settings(self, mine, theirs):
        """Equal but for the form of a list, of an unset text, and the state's place, which ours looks for."""
        mine = json.loads(json.dumps(mine))
        mine["cors"]["allowed_origins"].sort()
        theirs["cors"]["allowed_origins"].sort()  # a set there
        theirs["scheduler"]["metrics_custom_import"] = theirs["scheduler"]["metrics_custom_import"] or None
        if theirs["scheduler"]["state_path"] == STOCK_STATE_PATH:
            mine["scheduler"]["state_path"] = STOCK_STATE_PATH
        self.assertEqual(mine, theirs)

    def test_the_same_files_mean_the_same(self):
        for name, (files, environ) in SAME.items():
            with self.subTest(name):
                theirs = stock(files, environ)
                self.assertIsNotNone(theirs, "stock refuses this")
                self.assert_equal_settings(ours(files, environ), theirs)

    def test_the_same_files_are_refused(self):
        for name, (files, environ) in REFUSED.items():
            with self.subTest(name):
                self.assertIsNone(stock(files, environ), "stock accepts this")
                with self.assertRaises(SettingsError):
                    ours(files, environ)


if __name__ == "__main__":
    unittest.main()
