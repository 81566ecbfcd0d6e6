"""Tasks that fail, workers that die, data that is late: what stock workers and the daemon make of it together."""

from tests.e2e.daemon import wait_until
from tests.e2e.workers import ALREADY_RUNNING, MISSING_DATA, NOT_RUN, SUCCESS_WITH_RETRY, TASK_FAILED, EndToEndTest

#: Seconds that no test waits for: a delay that must not pass by itself.
NEVER = 3600

#: What makes a failed task ready again at once. A worker that asks for work is what brings it about.
RETRY_SOON = {"retry_delay": "0.2", "prune_on_get_work": "true"}


class FailuresTest(EndToEndTest):
    def test_failing_task_is_retried_until_it_succeeds(self):
        self.start_daemon(RETRY_SOON)
        worker = self.run_worker("AfterFlaky", "--failures", 2, keep_alive="true")
        self.assertEqual(["Flaky()"] * 3 + ["AfterFlaky()"], self.started())
        self.assertEqual(SUCCESS_WITH_RETRY, worker.summary()[-1])

    def test_failed_task_waits_for_the_retry_delay(self):
        self.start_daemon({"retry_delay": NEVER, "prune_on_get_work": "true"})
        worker = self.start_worker("AfterFlaky", "--failures", 1, keep_alive="true")
        self.wait_for_status("Flaky", "FAILED")
        wait_until(worker.was_refused, "the worker is told to wait")
        self.assertIn("failed as told", "".join(self.errors("Flaky")))
        self.assertEqual(["Flaky()"], self.started())
        self.daemon.call("forgive_failures", task_id=self.task("Flaky")[0])
        self.assert_ends(worker)
        self.assertEqual(["Flaky()", "Flaky()", "AfterFlaky()"], self.started())
        self.assertEqual({"DONE": 2}, self.statuses())

    def disable_flaky(self, disable_persist):
        """Have a task fail as often as it may. Its worker, told to stay while there is hope, ends; it is returned."""
        self.start_daemon({**RETRY_SOON, "disable_persist": disable_persist})
        return self.run_worker("AfterFlaky", "--failures", 2, "--retry-count", 2, keep_alive="true", status=TASK_FAILED)

    def test_failing_task_is_disabled_after_retry_count(self):
        worker = self.disable_flaky(NEVER)
        self.assertEqual(["Flaky()"] * 2, self.started())
        task_id, task = self.task("Flaky")
        self.assertEqual(("DISABLED", True), (task["status"], task["re_enable_able"]))
        held_up = self.daemon.call("task_list", status="PENDING", upstream_status="UPSTREAM_DISABLED")
        self.assertEqual(["AfterFlaky"], [task["name"] for task in held_up.values()])
        self.assertIn("* 1 had failed dependencies:", worker.summary())
        # Another worker is not given it either, until an operator says so.
        self.run_worker("AfterFlaky", "--failures", 2, "--retry-count", 2, status=NOT_RUN)
        self.assertEqual(2, len(self.started()))
        self.daemon.call("re_enable_task", task_id=task_id)
        self.wait_for_status("Flaky", "PENDING")
        self.run_worker("AfterFlaky", "--failures", 2, "--retry-count", 2)
        self.assertEqual({"DONE": 2}, self.statuses())

    def test_disabled_task_comes_back_after_disable_persist(self):
        self.disable_flaky(2)
        self.wait_for_status("Flaky", "PENDING")
        self.run_worker("AfterFlaky", "--failures", 2, "--retry-count", 2)
        self.assertEqual(["Flaky()"] * 3 + ["AfterFlaky()"], self.started())

    def start_and_kill(self, **scheduler):
        """Have two workers want the same pipeline and kill the one that runs its first task. Returns the other.

        The survivor has been told that the task is run by another, which its summary and exit status keep.
        """
        # Long enough that the survivor, which speaks up ten times a second, is not taken for dead on a busy machine.
        self.start_daemon({"worker_disconnect_delay": "3", "prune_on_get_work": "true", **scheduler})
        victim = self.start_worker("AfterLong", "--gate", "go", name="victim")
        self.wait_for_start(worker="victim")
        survivor = self.start_worker("AfterLong", "--gate", "go", keep_alive="true", name="survivor")
        wait_until(survivor.was_refused, "the survivor finds the task running")
        self.assertEqual("RUNNING", self.task("Long")[1]["status"])
        victim.kill()
        return survivor

    def test_task_of_a_killed_worker_is_failed(self):
        survivor = self.start_and_kill(retry_delay=NEVER)
        self.wait_for_status("Long", "FAILED")
        self.assertEqual([survivor.pid], [worker["pid"] for worker in self.daemon.call("worker_list")])
        self.daemon.call("forgive_failures", task_id=self.task("Long")[0])
        self.open_gate("go")
        self.assert_ends(survivor, ALREADY_RUNNING)

    def test_task_of_a_killed_worker_is_finished_by_another(self):
        survivor = self.start_and_kill(retry_delay="0.2")
        self.wait_for_start(family="Long", worker="survivor")
        self.open_gate("go")
        self.assert_ends(survivor, ALREADY_RUNNING)
        ended = [(entry["task"], entry["worker"]) for entry in self.records(event="end")]
        self.assertEqual([("Long()", "survivor"), ("AfterLong()", "survivor")], ended)
        self.assertEqual({"DONE": 2}, self.statuses())

    def create_data(self):
        (self.directory / "data").touch()

    def test_external_data_that_appears_later_is_found_by_a_retry(self):
        self.start_daemon(RETRY_SOON)
        worker = self.start_worker("AfterData", keep_alive="true", retry_external_tasks="true")
        wait_until(lambda: "external data dependency" in "".join(self.errors("Data")), "the data has been looked for")
        self.assertEqual([], self.started())
        self.create_data()
        self.assert_ends(worker)
        self.assertEqual(["AfterData()"], self.started())
        self.assertEqual({"DONE": 2}, self.statuses())

    def test_external_data_that_another_worker_reports(self):
        self.start_daemon()
        patient = self.start_worker("AfterData", keep_alive="true")
        wait_until(patient.was_refused, "the worker waits for the data")
        self.create_data()
        self.run_worker("Data")
        # What this worker missed when it came has gone into its exit status for good.
        self.assert_ends(patient, MISSING_DATA)
        self.assertEqual(["AfterData()"], self.started())


class FailuresOverUnixSocketTest(FailuresTest):
    transport = "unix"
