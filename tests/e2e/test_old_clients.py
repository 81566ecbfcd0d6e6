"""Workers of older luigi releases as clients of the daemon.

A release that no Python of this machine can run is a printed skip. One that could be run but does not install is a
printed skip as well, and a failure where CI is set.
"""

import os
import sys
import unittest

from tests.e2e.old_clients import NoSuitablePython, client_python
from tests.e2e.workers import SUCCESS, EndToEndTest


def skip(reason):
    print("skipped:", reason, file=sys.stderr)
    raise unittest.SkipTest(reason)


class OldClientTest:
    """The tests, for each release in `version`."""

    version: str

    @classmethod
    def setUpClass(cls):
        try:
            cls.python = client_python(cls.version)
        except NoSuitablePython as why:
            skip(f"luigi {cls.version} as a client: {why}")
        except RuntimeError as why:
            if os.environ.get("CI"):
                raise
            skip(f"luigi {cls.version} as a client: {why}")

    def run_old(self, *arguments, **options):
        return self.run_worker(*arguments, python=self.python, **options)

    def check_diamond(self):
        self.start_daemon()
        worker = self.run_old("Diamond", "--width", 3, "--sides-meet", 2, "--workers", 2)
        self.assertEqual(5, len(self.started()))
        self.assertEqual({"DONE": 5}, self.statuses())
        self.assertIn("* 5 ran successfully:", worker.summary())
        self.assertEqual(SUCCESS, worker.summary()[-1])

    def test_diamond(self):
        self.check_diamond()

    def test_diamond_over_unix_socket(self):
        self.transport = "unix"
        self.check_diamond()

    def test_pipeline_shared_with_a_worker_of_today(self):
        self.start_daemon()
        # Four sides have to meet, and each of the workers has two processes.
        arguments = ["Diamond", "--width", 4, "--sides-meet", 4, "--gate", "go", "--workers", 2]
        old = self.start_worker(*arguments, python=self.python, keep_alive="true", name="old")
        new = self.start_worker(*arguments, keep_alive="true", name="new")
        self.wait_for_workers(2)
        self.open_gate("go")
        for worker in (old, new):
            worker.wait()
        self.assertEqual(6, len(self.started()))
        self.assertEqual({"old", "new"}, {entry["worker"] for entry in self.records()})

    def test_retries_until_success(self):
        self.start_daemon({"retry_delay": "0.2", "prune_on_get_work": "true"})
        self.run_old("AfterFlaky", "--failures", 1, keep_alive="true")
        self.assertEqual(["Flaky()", "Flaky()", "AfterFlaky()"], self.started())

    def test_dynamic_dependencies_and_batches(self):
        self.start_daemon()
        self.run_old("Dynamic")
        self.assertEqual(7, len(self.started()))
        self.run_old("LoadDays")
        loaded = sorted(self.started(family="LoadDay"))
        self.assertEqual(["LoadDay(table=orders, day=2)", "LoadDay(table=visits, day=2)"], loaded)
        self.assertEqual({"DONE": 12}, self.statuses())

    def test_running_task_answers_messages(self):
        self.start_daemon()
        worker = self.start_worker("Answering", python=self.python)
        self.wait_for_start()
        self.assertEqual("heard stop", self.ask("Answering", "stop"))
        self.assert_ends(worker)


class Luigi2Test(OldClientTest, EndToEndTest):
    version = "2.8.13"


class Luigi3Test(OldClientTest, EndToEndTest):
    version = "3.0.3"
