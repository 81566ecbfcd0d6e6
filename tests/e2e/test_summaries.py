"""The execution summaries that stock workers print: they are made of what the daemon replied to them."""

from tests.e2e.workers import ALREADY_RUNNING, MISSING_DATA, NOT_RUN, SUCCESS, TASK_FAILED, EndToEndTest


class SummariesTest(EndToEndTest):
    def assert_summary(self, worker, expected):
        """The summary is, line by line and but for indentation, the one in `expected`."""
        self.assertEqual([line.strip() for line in expected.strip().splitlines()], worker.summary())

    def test_success_and_nothing_left_to_do(self):
        self.start_daemon()
        first = """
            Scheduled 2 tasks of which:
            * 2 ran successfully:
            - 1 AfterLong()
            - 1 Long()
            This progress looks :) because there were no failed tasks or missing dependencies
        """
        self.assert_summary(self.run_worker("AfterLong"), first)
        second = """
            Scheduled 1 tasks of which:
            * 1 complete ones were encountered:
            - 1 AfterLong()
            Did not run any tasks
            This progress looks :) because there were no failed tasks or missing dependencies
        """
        self.assert_summary(self.run_worker("AfterLong"), second)

    def test_failure(self):
        self.start_daemon()
        expected = """
            Scheduled 2 tasks of which:
            * 1 failed:
            - 1 Flaky()
            * 1 were left pending, among these:
            * 1 had failed dependencies:
            - 1 AfterFlaky()
            This progress looks :( because there were failed tasks
        """
        self.assert_summary(self.run_worker("AfterFlaky", "--failures", 1, status=TASK_FAILED), expected)

    def test_task_that_another_worker_runs(self):
        self.start_daemon()
        first = self.start_worker("AfterLong", "--gate", "go")
        self.wait_for_start(family="Long")
        [busy] = self.daemon.call("worker_list")
        expected = f"""
            Scheduled 2 tasks of which:
            * 2 were left pending, among these:
            * 1 were being run by another worker:
            - 1 Long()
            * 1 had dependencies that were being run by other worker:
            - 1 AfterLong()
            The other workers were:
            - {busy["name"]} ran 1 tasks
            Did not run any tasks
            This progress looks :) because there were no failed tasks or missing dependencies
        """
        self.assert_summary(self.run_worker("AfterLong", status=ALREADY_RUNNING), expected)
        self.open_gate("go")
        self.assert_ends(first)

    def test_missing_external_data(self):
        self.start_daemon()
        expected = """
            Scheduled 2 tasks of which:
            * 2 were left pending, among these:
            * 1 were missing external dependencies:
            - 1 Data()
            * 1 had missing dependencies:
            - 1 AfterData()
            Did not run any tasks
            This progress looks :| because there were missing external dependencies
        """
        self.assert_summary(self.run_worker("AfterData", status=MISSING_DATA), expected)

    def test_no_permission_from_a_paused_scheduler(self):
        self.start_daemon()
        self.daemon.call("pause")
        expected = """
            Scheduled 2 tasks of which:
            * 2 were left pending, among these:
            * 2 was not granted run permission by the scheduler:
            - 1 AfterLong()
            - 1 Long()
            Did not run any tasks
            This progress looks :| because there were tasks that were not granted run permission by the scheduler
        """
        self.assert_summary(self.run_worker("AfterLong", status=NOT_RUN), expected)
        self.daemon.call("unpause")
        self.assertEqual(SUCCESS, self.run_worker("AfterLong").summary()[-1])


class SummariesOverUnixSocketTest(SummariesTest):
    transport = "unix"
