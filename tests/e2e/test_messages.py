"""What a running task and its worker hear from the daemon, and what they tell it."""

from tests.e2e.daemon import wait_until
from tests.e2e.workers import NOT_RUN, EndToEndTest


class MessagesTest(EndToEndTest):
    def only_worker(self):
        """What the daemon knows of its only worker."""
        [worker] = self.daemon.call("worker_list")
        return worker

    def check_answers(self, processes):
        self.start_daemon()
        worker = self.start_worker("Answering", "--workers", processes)
        self.wait_for_start()
        self.assertIs(True, self.task("Answering")[1]["accepts_messages"])
        for content in ("how are you", "où es-tu ☃", "stop"):
            self.assertEqual("heard " + content, self.ask("Answering", content))
        self.assert_ends(worker)
        self.assertEqual({"DONE": 1}, self.statuses())

    def test_running_task_answers_messages(self):
        self.check_answers(processes=1)

    def test_running_task_answers_messages_from_a_process_of_its_own(self):
        self.check_answers(processes=2)

    def test_progress_and_status_message_of_a_running_task(self):
        self.start_daemon()
        worker = self.start_worker("Reporting", "--gate", "go")
        wait_until(lambda: self.records(event="reported"), "the task has reported")
        task_id, task = self.task("Reporting")
        message = self.daemon.call("get_task_status_message", task_id=task_id)
        self.assertEqual({"taskId": task_id, "statusMessage": "half of it is done"}, message)
        progress = self.daemon.call("get_task_progress_percentage", task_id=task_id)
        self.assertEqual({"taskId": task_id, "progressPercentage": 50}, progress)
        self.assertEqual(
            ("RUNNING", "half of it is done", 50, "http://tracker.invalid/42"),
            (task["status"], task["status_message"], task["progress_percentage"], task["tracking_url"]),
        )
        self.open_gate("go")
        self.assert_ends(worker)

    def test_set_worker_processes_takes_effect(self):
        self.start_daemon()
        # Four tasks that end when all four run, and a worker that runs two.
        worker = self.start_worker("Crew", "--size", 4, "--workers", 2)
        self.wait_for_start(2)
        self.assertEqual(2, self.only_worker()["workers"])
        self.daemon.call("set_worker_processes", worker=self.only_worker()["name"], n=4)
        self.wait_for_start(4)
        self.assert_ends(worker)
        self.assertEqual(4, self.only_worker()["workers"])
        self.assertEqual(4, self.overlap())

    def test_disabled_worker_finishes_its_task_and_leaves(self):
        self.start_daemon()
        worker = self.start_worker("AfterLong", "--gate", "go", keep_alive="true")
        self.wait_for_start(family="Long")
        self.daemon.call("disable_worker", worker=self.only_worker()["name"])
        self.assertEqual("disabled", self.only_worker()["state"])
        self.open_gate("go")
        self.assert_ends(worker, NOT_RUN)
        self.assertEqual(["Long()"], self.started())
        self.assertEqual("DONE", self.task("Long")[1]["status"])


class MessagesOverUnixSocketTest(MessagesTest):
    transport = "unix"

    # Stock's client cannot do this one: a message to a task in the worker's own process is pickled on its way, with the
    # connection for the answer in it, and that of requests-unixsocket does not survive. A new process makes a new one.
    test_running_task_answers_messages = None
