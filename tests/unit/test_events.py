"""What history, notices and metrics are told: each change of a task once, in order, with what they need."""

import logging
import os
import tempfile
import unittest

import luigid
from luigid import (
    BATCH_RUNNING,
    DISABLED,
    DONE,
    FAILED,
    FAILURE_REPORTED,
    PENDING,
    RUNNING,
    SCHEDULING_FAILED,
    WORKER_LOST,
)


class Ear(luigid.Attendant):
    """Keeps what it hears."""

    name = "ear"

    def __init__(self):
        self.heard, self.restored, self.carried = [], [], []

    def hear(self, event, task, ticket):
        self.heard.append(event)

    def restore(self, events):
        self.restored = events

    def carry(self):
        return self.carried


class EventsTest(unittest.TestCase):
    """A scheduler with somebody who listens."""

    def setUp(self):
        self.now = 1000.0
        self.make()
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)

    def make(self, **settings):
        self.scheduler = luigid.Scheduler(clock=lambda: self.now, **settings)
        self.ear = Ear()
        self.scheduler.attend(self.ear)

    def add(self, task_id="a", **arguments):
        self.scheduler.add_task(**{"worker": "w", "task_id": task_id, "family": "F", **arguments})

    def heard(self):
        """Kind, task and reason of each event since the last look."""
        events, self.ear.heard[:] = list(self.ear.heard), []
        return [(event.kind, event.task_id, event.reason) for event in events]


class TestTasks(EventsTest):
    def test_a_run_from_beginning_to_end(self):
        self.add(params={"x": "1", "secret": "s"}, param_visibilities={"secret": 1}, deps=["b"])
        self.add("b")
        self.add("b", status=DONE)
        self.scheduler.get_work(worker="w", host="h")
        self.now += 5
        self.add(status=DONE)
        events = [event for event in self.ear.heard if event.task_id == "a"]
        self.assertEqual([PENDING, RUNNING, DONE], [event.kind for event in events])
        scheduled, started, done = events
        self.assertEqual(({"x": "1", "secret": "s"}, ("secret",)), (scheduled.params, scheduled.hidden))
        self.assertEqual(("w", "h", 1000.0, ("b",)), (started.worker, started.host, started.started, started.deps))
        self.assertEqual((1005.0, 1000.0, "w"), (done.time, done.started, done.worker))
        self.assertEqual(list(range(1, 6)), [event.number for event in self.ear.heard])

    def test_each_scheduling_is_told_and_what_is_ignored_is_not(self):
        self.add()
        self.add()
        self.scheduler.get_work(worker="w")
        self.add(worker="other")
        self.assertEqual([(PENDING, "a", None), (PENDING, "a", None), (RUNNING, "a", None)], self.heard())
        self.add(status=DONE)
        self.add()  # within the cool-down
        self.assertEqual([(DONE, "a", None)], self.heard())

    def test_a_lost_reply_is_a_start_anew(self):
        self.add()
        for _ in range(2):
            self.scheduler.get_work(worker="w", current_tasks=[])
        self.assertEqual([(PENDING, "a", None), (RUNNING, "a", None), (RUNNING, "a", None)], self.heard())

    def test_a_failure_that_disables_is_one_event(self):
        self.make(retry_count=2, retry_delay=0)
        for _ in range(2):
            self.add()
            self.scheduler.get_work(worker="w")
            self.add(status=FAILED, expl="why")
        failed, disabled = [event for event in self.ear.heard if event.kind in (FAILED, DISABLED)]
        self.assertEqual((FAILED, 1, "why"), (failed.kind, failed.failures, failed.report))
        self.assertEqual((DISABLED, 2, "why"), (disabled.kind, disabled.failures, disabled.report))
        self.heard()
        self.scheduler.re_enable_task(task_id="a")
        self.assertEqual([(FAILED, "a", "re-enabled")], self.heard())

    def test_disabled_by_a_worker_counts_no_failure(self):
        self.add(status=FAILED)
        self.add(status=DISABLED)
        self.assertEqual([(FAILED, 1), (DISABLED, 0)], [(event.kind, event.failures) for event in self.ear.heard])

    def test_people_step_in(self):
        self.add(status=FAILED)
        self.scheduler.forgive_failures(task_id="a")
        self.scheduler.mark_as_done(task_id="a")  # of a pending task: nothing
        self.add(status=FAILED)
        self.scheduler.mark_as_done(task_id="a")
        expected = [(FAILED, None), (PENDING, "by hand"), (FAILED, None), (DONE, "by hand")]
        self.assertEqual(expected, [(kind, reason) for kind, _, reason in self.heard()])

    def test_reports_are_cut_to_their_end(self):
        self.add(status=FAILED, expl="x" * luigid.MAX_REPORT + "end")
        self.assertEqual((luigid.MAX_REPORT, "xend"), (len(self.ear.heard[0].report), self.ear.heard[0].report[-4:]))

    def test_a_report_that_is_no_text(self):
        self.add(status=FAILED, expl={"a": [1]})
        self.assertEqual('{"a":[1]}', self.ear.heard[0].report)

    def test_nobody_listens_nothing_is_numbered(self):
        scheduler = luigid.Scheduler()
        scheduler.add_task(worker="w", task_id="a")
        self.assertEqual(0, scheduler._agenda.told)


class TestBatches(EventsTest):
    def test_members_start_and_end_with_the_runner(self):
        self.batch()
        self.assertEqual([(BATCH_RUNNING, "a", None), (BATCH_RUNNING, "b", None)], self.heard())
        self.add("both", status=RUNNING, batch_id=self.batch_id)
        self.add("both", status=DONE, batch_id=self.batch_id)
        self.assertEqual(
            [(RUNNING, "both", "batch"), (DONE, "a", None), (DONE, "b", None), (DONE, "both", None)],
            self.heard(),
        )

    def batch(self):
        """Have two tasks given out as one."""
        self.scheduler.add_task_batcher(worker="w", task_family="F", batched_args=["x"])
        for name in "ab":
            self.add(name, params={"x": name}, batchable=True)
        self.ear.heard.clear()
        self.batch_id = self.scheduler.get_work(worker="w", current_tasks=[])["batch_id"]

    def test_members_that_nobody_ran_return(self):
        self.batch()
        self.heard()
        self.scheduler.get_work(worker="w", current_tasks=[])
        kinds = [(PENDING, "returned")] * 2 + [(BATCH_RUNNING, None)] * 2
        self.assertEqual(kinds, [(kind, reason) for kind, _, reason in self.heard()])


class TestMailAndWorkers(EventsTest):
    def test_reported_failures_for_batches_of_mail(self):
        self.make(batch_emails=True, retry_count=1)
        self.scheduler.add_task_batcher(worker="w", task_family="F", batched_args=["x"])
        self.add(status=FAILED, expl="why", owners=["o@example.org"], params={"x": "1", "y": "2"})
        disabled, reported = self.ear.heard
        self.assertEqual((DISABLED, FAILURE_REPORTED, "disabled"), (disabled.kind, reported.kind, reported.reason))
        self.assertEqual((("o@example.org",), {"y": "2"}), (reported.owners, reported.unbatched))
        self.assertEqual("why", reported.report)

    def test_a_task_that_could_not_be_scheduled(self):
        self.scheduler.announce_scheduling_failure(
            task_name="F(x=1)", family="F", params={"x": "1"}, expl="why", owners=["o"], worker="w"
        )
        [event] = self.ear.heard
        self.assertEqual((SCHEDULING_FAILED, "F(x=1)", "why"), (event.kind, event.task_id, event.report))
        self.assertEqual({"x": "1"}, event.params)

    def test_a_lost_worker_and_what_it_ran(self):
        self.add()
        self.scheduler.get_work(worker="w", host="h")
        self.heard()
        self.now += 61
        self.scheduler.prune()
        lost, failed = self.ear.heard
        self.assertEqual((WORKER_LOST, "w"), (lost.kind, lost.worker))
        self.assertEqual((FAILED, "a", "w", "worker lost"), (failed.kind, failed.task_id, failed.worker, failed.reason))
        self.assertIsNone(self.scheduler._agenda.tasks["a"].worker_running)
        self.scheduler.validate()


class TestKept(EventsTest):
    """With a journal, what the history needs survives."""

    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, "state")
        self.reload()

    def reload(self):
        self.make(state_path=self.path)
        self.scheduler._settings.record_task_history = True
        self.scheduler.load()
        self.addCleanup(self.scheduler.close)

    def test_events_come_back_from_the_journal_and_numbers_go_on(self):
        self.add()
        self.scheduler.get_work(worker="w")
        events, state_id = list(self.ear.heard), self.scheduler._agenda.state_id
        self.scheduler.close()
        self.reload()
        self.assertEqual(events, self.ear.restored)
        self.assertEqual(state_id, self.scheduler._agenda.state_id)
        self.add("b")
        self.assertEqual([3], [event.number for event in self.ear.heard])

    def test_a_snapshot_keeps_what_is_carried_and_the_number(self):
        self.add()
        self.add("b")
        self.ear.carried = self.ear.heard[1:]
        self.scheduler.dump()
        self.scheduler.close()
        self.reload()
        self.assertEqual(["b"], [event.task_id for event in self.ear.restored])
        self.scheduler.dump()
        self.scheduler.close()
        self.reload()
        self.add("c")
        self.assertEqual(([], [3]), (self.ear.restored, [event.number for event in self.ear.heard]))


if __name__ == "__main__":
    unittest.main()
