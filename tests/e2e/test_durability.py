"""Nothing acknowledged is ever lost: daemons killed under load, in an import, before a standby, and on a full disk."""

import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
from pathlib import Path
from unittest import mock

from luigi.scheduler import Scheduler as StockScheduler

import luigid
from tests.e2e import workers
from tests.e2e.daemon import DEADLINE, Daemon, daemon_command, free_port, wait_until
from tests.e2e.torture import Life, Torture
from tests.missing import skip_without


def health(daemon, path="/healthz"):
    """Status of the reply, and what it says."""
    connection = daemon.connection()
    with contextlib.closing(connection):
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())


def try_call(daemon, method, **arguments):
    """(status, headers, body) of one RPC, refused or not."""
    with contextlib.closing(daemon.connection()) as connection:
        body = urllib.parse.urlencode({"data": json.dumps(arguments)})
        connection.request("POST", f"/api/{method}", body, {"Content-Type": "application/x-www-form-urlencoded"})
        reply = connection.getresponse()
        return reply.status, reply.headers, json.loads(reply.read())


class DurabilityTest(unittest.TestCase):
    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="e2e-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def daemon(self, **config):
        """A daemon that is not started yet and ends with the test."""
        daemon = Daemon(self.directory, config)
        self.addCleanup(daemon.stop)
        return daemon


class KillTest(DurabilityTest):
    def setUp(self):
        super().setUp()
        logging.disable(logging.CRITICAL)  # of schedulers here; the daemons' logs are their own
        self.addCleanup(logging.disable, logging.NOTSET)

    def test_a_hundred_kills_under_load(self):
        seed = int(os.environ.get("LUIGID_SEED", time.time_ns() % 10**6))
        torture = Torture(self.directory, seed)
        torture.run(100)
        print(f"100 kills with LUIGID_SEED={seed}: {dict(torture.events)}", file=sys.stderr)

    def test_at_each_step_of_an_import(self):
        stock = StockScheduler(state_path=str(self.directory / "stock"), record_task_history=False)
        for number in range(30):
            deps = [f"Task_{number + 1}"]
            stock.add_task(worker="w", task_id=f"Task_{number}", family="Task", params={"n": str(number)}, deps=deps)
        stock.get_work(worker="w")
        stock.dump()
        tasks = set(stock.task_list())
        ends = 0
        for fuse in range(1, 200):
            directory = self.directory / str(fuse)
            (directory / "state").mkdir(parents=True)
            kept = directory / "state" / "kept"
            shutil.copy(self.directory / "stock", kept)
            life = Life(directory, 0, free_port(), fuse)
            self.addCleanup(life.kill)
            if life.comes_up():
                break
            ends += 1
            self.assertEqual(-signal.SIGKILL, life.process.returncode, life.log())
            with self.subTest(fuse=fuse):
                originals = [file.read_bytes() for file in (kept, *kept.parent.glob("kept.stock"))]
                self.assertIn((self.directory / "stock").read_bytes(), originals)
                scheduler = luigid.Scheduler(state_path=str(kept))
                scheduler.load()
                scheduler.validate()
                scheduler.close()
                self.assertEqual(tasks, set(scheduler.task_list()))
                self.assertEqual((self.directory / "stock").read_bytes(), kept.with_name("kept.stock").read_bytes())
        self.assertGreater(ends, 8)


class FullDiskTest(DurabilityTest):
    """A small disk of its own, which the test fills."""

    def setUp(self):
        super().setUp()
        self.disk = self.directory / "disk"
        self.disk.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(self.disk)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            skip_without("disk that may be filled (mount -t tmpfs, as root)")
        self.addCleanup(subprocess.run, ["umount", "--lazy", str(self.disk)], check=True)

    def test_changes_are_refused_until_there_is_room_again(self):
        self.check_full_disk("everysec")

    def test_changes_are_refused_until_there_is_room_again_with_each_synced(self):
        self.check_full_disk("always")

    def check_full_disk(self, journal_sync):
        daemon = self.daemon(luigid={"journal_sync": journal_sync})
        daemon.state_path = self.disk / "state" / "kept"
        daemon.start()
        daemon.call("add_task", worker="w", task_id="first")
        daemon.call("send_scheduler_message", worker="w", task="first", content="hello")
        self.assertEqual("ok", health(daemon)[1]["status"])
        self.fill()
        kept, refused = self.add_until_refused(daemon)
        self.assert_degraded(daemon, kept, refused)
        (self.disk / "ballast").unlink()
        wait_until(lambda: try_call(daemon, "add_task", worker="w", task_id="later")[0] == 200, "changes are accepted")
        self.assertEqual("ok", health(daemon)[1]["status"])
        before = daemon.call("task_list")
        self.assertLessEqual({*kept, "first", "later"}, set(before))
        daemon.kill()
        daemon.start()
        self.assertEqual(before, daemon.call("task_list"))

    def fill(self):
        with open(self.disk / "ballast", "wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(4096))

    def add_until_refused(self, daemon):
        """The ids of tasks that were acknowledged, and the refusal of the one that was not."""
        kept = []
        while True:
            task_id = f"Task_{len(kept)}"
            status, headers, body = try_call(daemon, "add_task", worker="w", task_id=task_id)
            if status != 200:
                return kept, (status, headers, body)
            kept.append(task_id)
            self.assertLess(len(kept), 10000, "the disk is not full")

    def assert_degraded(self, daemon, kept, refused):
        status, headers, body = refused
        self.assertEqual(503, status)
        self.assertIn("No space left", body["error"])
        self.assertTrue(headers["Retry-After"])
        self.assertEqual(503, health(daemon, "/readyz")[0])
        status, found = health(daemon)
        self.assertEqual((200, "degraded"), (status, found["status"]))
        self.assertIn("No space left", found["reason"])
        # What is only asked is answered, and a worker that says that it lives is believed.
        self.assertLessEqual({*kept, "first"}, set(daemon.call("task_list")))
        self.assertEqual(["w"], [worker["name"] for worker in daemon.call("worker_list")])
        self.assertEqual(1, len(daemon.call("ping", worker="w")["rpc_messages"]))
        for method, arguments in (("get_work", {"worker": "w"}), ("pause", {}), ("mark_as_done", {"task_id": "first"})):
            with self.subTest(method=method):
                self.assertEqual(503, try_call(daemon, method, **arguments)[0])
        self.assertEqual({"paused": False}, daemon.call("is_paused"))
        self.assertEqual("PENDING", daemon.call("task_list")["first"]["status"])


class OwnershipTest(DurabilityTest):
    """Two daemons never share a state."""

    def start_second(self, state_path):
        """A second daemon for a state, run until it ends."""
        command = [*daemon_command(), "--address", "127.0.0.1", "--port", "0", "--state-path", str(state_path)]
        options = {"cwd": self.directory, "capture_output": True, "text": True, "timeout": DEADLINE}
        return subprocess.run(command, check=False, **options)

    def test_second_daemon_says_who_has_the_state(self):
        daemon = self.daemon()
        daemon.start()
        alias = self.directory / "alias"
        alias.symlink_to(self.directory, target_is_directory=True)
        for state_path in (daemon.state_path, "state.pickle", alias / "state.pickle"):
            with self.subTest(state_path=state_path):
                second = self.start_second(state_path)
                self.assertEqual((1, ""), (second.returncode, second.stdout))
                self.assertEqual(1, second.stderr.count("\n"), second.stderr)
                self.assertIn(f"pid {daemon.pid()} on {os.uname().nodename}", second.stderr)
                self.assertIn("--standby", second.stderr)
        daemon.call("add_task", worker="w", task_id="goes on")
        daemon.kill()
        daemon.start()
        self.assertEqual(["goes on"], list(daemon.call("task_list")))


class StandbyTest(workers.EndToEndTest):
    """A second daemon at the same place, which waits for the end of the first one."""

    def _end_worker(self, worker):
        worker.kill()  # that calls fail is what these tests are about

    def start_both(self):
        """Start a daemon, and one that stands by for it."""
        self.start_daemon()
        self.standby = self.start_standby("standby")

    def start_standby(self, name):
        (self.directory / name).mkdir()
        standby = Daemon(self.directory / name)
        standby.state_path, standby.port = self.daemon.state_path, self.daemon.port
        self.addCleanup(standby.stop)
        standby.start("--standby")
        wait_until(lambda: "standing by" in standby.log(), "it stands by")
        self.assertIn(f"pid {self.daemon.pid()} on", standby.log())
        return standby

    def fail_over(self, end):
        """End the first daemon; return when the second one answers."""
        end()
        began = time.monotonic()
        wait_until(lambda: "listening" in self.standby.log(), "the standby has taken over")
        self.standby.call("is_paused")
        print(f"the standby answered {time.monotonic() - began:.2f} s after the end of the first", file=sys.stderr)

    def test_takes_over_after_a_kill_with_everything_acknowledged(self):
        self.check_take_over(lambda: self.daemon.kill())

    def test_takes_over_after_a_clean_stop(self):
        self.check_take_over(lambda: self.daemon.stop())

    def check_take_over(self, end):
        self.start_both()
        for number in range(50):
            self.daemon.call("add_task", worker="w", task_id=f"Task_{number}")
        self.daemon.call("pause")
        before = self.daemon.call("task_list")
        self.fail_over(end)
        self.assertEqual(before, self.standby.call("task_list"))
        self.assertEqual({"paused": True}, self.standby.call("is_paused"))

    def test_one_of_two_takes_over_and_the_other_stands_by_for_it(self):
        self.start_both()
        other = self.start_standby("other")
        self.daemon.call("add_task", worker="w", task_id="kept")
        self.daemon.kill()
        first, second = self.standby, other
        wait_until(lambda: "listening" in first.log() + second.log(), "one has taken over")
        if "listening" in second.log():
            first, second = second, first
        self.assertEqual(["kept"], list(first.call("task_list")))
        self.assertNotIn("listening", second.log())
        first.kill()
        wait_until(lambda: "listening" in second.log(), "the other has taken over")
        self.assertEqual(["kept"], list(second.call("task_list")))

    def test_pipeline_survives_while_its_tasks_run(self):
        self.start_both()
        worker = self.start_patient_worker("Diamond", "--width", 6, "--gate", "go", "--workers", 3)
        self.wait_for_start(family="DiamondTop")
        self.fail_over(self.daemon.kill)
        self.open_gate("go")
        self.assert_all_ran_once(worker, sides=6)

    def test_pipeline_survives_in_the_middle_of_its_calls(self):
        self.start_both()
        worker = self.start_patient_worker("Diamond", "--width", 40, "--workers", 4)
        self.wait_for_start(count=7)
        self.fail_over(self.daemon.kill)
        self.assert_all_ran_once(worker, sides=40)

    def start_patient_worker(self, *arguments):
        """A stock worker that tries each call again until the gap is over."""
        patience = {"rpc-retry-attempts": str(DEADLINE), "rpc-retry-wait": "1"}
        with mock.patch.dict(workers.WORKER_CONFIG["core"], patience):
            return self.start_worker(*arguments)

    def assert_all_ran_once(self, worker, sides):
        self.assert_ends(worker)
        self.daemon = self.standby
        expected = ["DiamondTop()", *(f"DiamondSide(number={n})" for n in range(sides)), f"Diamond(width={sides})"]
        self.assertEqual(sorted(expected), sorted(self.started()))
        self.assertEqual({"DONE": sides + 2}, self.statuses())
        self.assertIn(f"* {sides + 2} ran successfully:", worker.summary())


if __name__ == "__main__":
    unittest.main()
