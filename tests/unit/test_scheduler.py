"""The scheduler's rules, one small example each, through the calls of the wire and with a clock that stands still."""

import copy
import logging
import multiprocessing
import os
import sys
import tempfile
import threading
import unittest
from unittest import mock

import luigid
from luigid import Scheduler

DISCONNECT = 60  # worker_disconnect_delay
RETRY = 900  # retry_delay
REMOVE = 600  # remove_delay


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class SchedulerCase(unittest.TestCase):
    """A scheduler whose indexes are proved at the end."""

    def setUp(self):
        self.clock = Clock()
        self.make()
        self.addCleanup(lambda: self.scheduler.validate())
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)

    def make(self, **settings):
        self.scheduler = Scheduler(clock=self.clock, **settings)

    def add(self, *task_ids, worker="w", **arguments):
        for task_id in task_ids:
            self.scheduler.add_task(worker=worker, task_id=task_id, **{"family": "Load", **arguments})

    def work(self, worker="w", **arguments):
        """The id of the task that a worker gets, or None."""
        return self.scheduler.get_work(worker=worker, **arguments)["task_id"]

    def work_all(self, worker="w"):
        """The ids of all tasks that a worker gets, one after the other."""
        return list(iter(lambda: self.work(worker), None))

    def run_and_fail(self, task_id, worker="w", times=1, **arguments):
        for _ in range(times):
            self.add(task_id, worker=worker, status="RUNNING", **arguments)
            self.add(task_id, worker=worker, status="FAILED", expl="boom", **arguments)

    def run_and_finish(self, *task_ids, worker="w"):
        for task_id in task_ids:
            self.add(task_id, worker=worker, status="RUNNING")
            self.add(task_id, worker=worker, status="DONE")

    def task(self, task_id):
        return self.scheduler.task_list()[task_id]

    def status(self, task_id):
        return self.scheduler.graph()[task_id]["status"]

    def statuses(self):
        return {task_id: task["status"] for task_id, task in self.scheduler.task_list().items()}

    def later(self, seconds, alive=()):
        """Let time pass and what is due happen, while some workers stay in touch."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.clock.now = min(end, self.clock.now + DISCONNECT / 2)
            for worker in alive:
                self.scheduler.ping(worker=worker)
            self.scheduler.prune()


class TestPriorities(SchedulerCase):
    def test_higher_priority_goes_first(self):
        self.add("low", priority=1)
        self.add("high", priority=9)
        self.add("fraction", priority=1.5)
        self.assertEqual(self.work_all(), ["high", "fraction", "low"])

    def test_older_task_goes_first_among_equals(self):
        self.clock.now += 1
        self.add("young")
        self.clock.now -= 1
        self.add("old")
        self.assertEqual(self.work_all(), ["old", "young"])

    def test_tasks_of_the_same_moment_keep_their_order_of_arrival(self):
        self.add("b", "c", "a")
        self.assertEqual(self.work_all(), ["b", "c", "a"])

    def test_priority_is_passed_on_to_what_a_task_waits_for(self):
        self.add("other", priority=5)
        self.add("grandparent")
        self.add("parent", deps=["grandparent"])
        self.add("child", deps=["parent"], priority=9)
        self.assertEqual([self.task(t)["priority"] for t in ("grandparent", "parent", "child")], [9, 9, 9])
        self.assertEqual(self.work(), "grandparent")

    def test_priority_is_not_passed_on_to_what_waits_for_a_task(self):
        self.add("parent", priority=9)
        self.add("child", deps=["parent"])
        self.assertEqual(self.task("child")["priority"], 0)

    def test_priority_never_falls(self):
        self.add("task", priority=9)
        self.add("task", priority=1)
        self.assertEqual(self.task("task")["priority"], 9)

    def test_placeholder_has_the_priority_of_what_waits_for_it(self):
        self.add("child", deps=["Parent_1"], priority=9)
        self.add("Parent_1")
        self.assertEqual(self.task("Parent_1")["priority"], 9)


class TestDependencies(SchedulerCase):
    def test_task_waits_until_all_it_needs_is_done(self):
        self.add("a", "b", worker="other")
        self.add("child", deps=["a", "b"])
        self.assertIsNone(self.work())
        self.run_and_finish("a", worker="other")
        self.assertIsNone(self.work())
        self.run_and_finish("b", worker="other")
        self.assertEqual(self.work(), "child")

    def test_new_claim_replaces_the_dependencies(self):
        self.add("task", deps=["Missing_1"])
        self.add("task", deps=[])
        self.assertEqual(self.work(), "task")

    def test_claim_that_names_no_dependencies_leaves_them(self):
        self.add("task", deps=["Missing_1"])
        self.add("task")
        self.assertIsNone(self.work())

    def test_dynamic_dependencies_send_a_running_task_back_to_wait(self):
        self.add("task")
        self.assertEqual(self.work(), "task")
        self.add("found")
        self.add("task", status="PENDING", new_deps=["found"], runnable=False)
        self.assertEqual(self.statuses(), {"task": "PENDING", "found": "PENDING"})
        self.assertEqual(self.work_all(), ["found"])
        self.add("found", status="DONE")
        self.assertEqual(self.work(), "task")

    def test_dynamic_dependencies_are_added_to_those_there_are(self):
        self.add("task", deps=["a"])
        self.add("task", new_deps=["b"])
        self.assertEqual(self.scheduler.dep_graph(task_id="task")["task"]["deps"], ["a", "b"])

    def test_running_task_is_not_made_pending_by_others(self):
        self.add("task")
        self.work()
        self.add("task", worker="other")
        self.assertEqual(self.status("task"), "RUNNING")

    def test_task_done_elsewhere_is_done(self):
        self.add("task")
        self.add("task", worker="other", status="DONE", runnable=False)
        self.assertIsNone(self.work())
        self.assertEqual(self.status("task"), "DONE")

    def test_suspended_means_pending(self):
        self.add("task", status="SUSPENDED")
        self.assertEqual(self.work(), "task")


class TestPlaceholders(SchedulerCase):
    def test_unknown_dependency_gets_a_place(self):
        self.add("child", deps=["Parent_1_abc"])
        node = self.scheduler.dep_graph(task_id="child")["Parent_1_abc"]
        self.assertEqual((node["status"], node["name"]), ("UNKNOWN", "Parent"))
        self.assertEqual(self.scheduler.task_list()["Parent_1_abc"]["status"], "UNKNOWN")

    def test_unknown_dependency_is_not_given_out(self):
        self.add("child", deps=["Parent_1_abc"])
        self.assertIsNone(self.work())
        self.assertIsNone(self.work(assistant=True))

    def test_unknown_dependency_is_given_out_once_it_is_added(self):
        self.add("child", deps=["Parent_1_abc"])
        self.add("Parent_1_abc")
        self.assertEqual(self.work(), "Parent_1_abc")

    def test_assistants_leave_no_place(self):
        self.add("child", deps=["Parent_1_abc"], assistant=True)
        self.assertNotIn("Parent_1_abc", self.scheduler.task_list())


class TestResources(SchedulerCase):
    def setUp(self):
        super().setUp()
        self.make(resources={"disk": 2})

    def test_total_is_not_exceeded(self):
        self.add("a", "b", "c", resources={"disk": 1})
        self.assertEqual(self.work_all(), ["a", "b"])
        self.add("a", status="DONE")
        self.assertEqual(self.work_all(), ["c"])

    def test_resource_without_a_total_is_there_once(self):
        self.add("a", "b", resources={"licence": 1})
        self.assertEqual(self.work_all(), ["a"])

    def test_task_that_asks_for_more_than_there_is_never_runs(self):
        self.add("greedy", resources={"disk": 3})
        self.assertIsNone(self.work())
        self.scheduler.update_resource(resource="disk", amount=3)
        self.assertEqual(self.work(), "greedy")

    def test_totals_can_be_changed(self):
        self.scheduler.update_resources(disk=0, tape=5)
        totals = {resource["name"]: resource["num_total"] for resource in self.scheduler.resource_list()}
        self.assertEqual(totals, {"disk": 0, "tape": 5})

    def test_total_that_is_no_whole_number_is_refused(self):
        for amount in (-1, 1.5, "3", None, [1]):
            with self.subTest(amount=amount):
                self.assertIs(self.scheduler.update_resource(resource="disk", amount=amount), False)
        self.assertIs(self.scheduler.update_resource(resource="disk", amount=7), True)

    def test_running_task_may_give_back_what_it_holds(self):
        self.add("a", "b", resources={"disk": 2})
        self.assertEqual(self.work_all(), ["a"])
        self.scheduler.decrease_running_task_resources(task_id="a", decrease_resources={"disk": 5, "tape": 1})
        self.assertEqual(self.scheduler.get_running_task_resources(task_id="a")["resources"], {"disk": 0})
        self.assertEqual(self.work_all(), ["b"])

    def test_amounts_that_are_not_positive_give_nothing_back(self):
        self.add("a", resources={"disk": 1})
        self.work()
        self.scheduler.decrease_running_task_resources(task_id="a", decrease_resources={"disk": -1})
        self.assertEqual(self.scheduler.get_running_task_resources(task_id="a")["resources"], {"disk": 1})

    def test_resource_list_tells_what_is_used_by_whom(self):
        self.add("a", resources={"disk": 1.5, "tape": 1})
        self.work()
        (disk,) = self.scheduler.resource_list()
        self.assertEqual((disk["name"], disk["num_total"], disk["num_used"]), ("disk", 2, 1.5))
        self.assertEqual((disk["num_consumer"], list(disk["running"])), (1, ["a"]))


class TestGreedyReservation(SchedulerCase):
    """What ranks above is served first, in thought, by the workers that are there to do it."""

    def setUp(self):
        super().setUp()
        self.make(resources={"disk": 2})
        self.add("running", worker="a", resources={"disk": 1})
        self.work("a")
        self.add("wide", worker="b", resources={"disk": 2}, priority=9)
        self.add("narrow", worker="c", resources={"disk": 1})

    def test_resources_are_kept_for_what_ranks_above(self):
        self.work("b")
        self.assertIsNone(self.work("c"))

    def test_nothing_is_kept_for_a_worker_that_has_not_asked(self):
        self.assertEqual(self.work("c"), "narrow")

    def test_nothing_is_kept_for_a_worker_that_asked_long_ago(self):
        self.work("b")
        self.clock.now += DISCONNECT
        self.assertEqual(self.work("c"), "narrow")

    def test_nothing_is_kept_for_a_worker_that_is_busy(self):
        self.add("other", worker="b", priority=10)
        self.work("b")
        self.assertEqual(self.work("c"), "narrow")

    def test_a_worker_with_processes_left_is_not_busy(self):
        self.scheduler.add_worker(worker="b", info={"workers": 2})
        self.add("other", worker="b", priority=10)
        self.work("b")
        self.assertIsNone(self.work("c"))

    def test_tasks_without_resources_need_not_wait(self):
        self.work("b")
        self.add("free", worker="c", priority=-1)
        self.assertEqual(self.work("c"), "free")


class TestBatching(SchedulerCase):
    def setUp(self):
        super().setUp()
        self.scheduler.add_task_batcher(worker="w", task_family="Load", batched_args=["date"], max_batch_size=3)

    def add_dates(self, *dates, **arguments):
        for date in dates:
            params = {"date": date, "mode": "x"}
            self.add(f"Load_{date}", **{"params": params, "batchable": True, **arguments})

    def start_batch(self):
        """Have a batch given out, and report the run of it, as a worker does; return the reply."""
        reply = self.scheduler.get_work(worker="w")
        self.add("Load_all", status="RUNNING", batch_id=reply["batch_id"], batchable=False)
        return reply

    def test_tasks_that_differ_in_the_batched_parameter_run_as_one(self):
        self.add_dates("1", "2")
        reply = self.scheduler.get_work(worker="w")
        self.assertIsNone(reply["task_id"])
        self.assertEqual(reply["batch_task_ids"], ["Load_1", "Load_2"])
        self.assertEqual(reply["task_params"], {"date": ["1", "2"], "mode": "x"})
        self.assertEqual(reply["task_family"], "Load")
        self.assertEqual(set(self.statuses().values()), {"BATCH_RUNNING"})

    def test_batch_is_no_larger_than_its_worker_wants(self):
        self.add_dates("1", "2", "3", "4")
        self.assertEqual(self.scheduler.get_work(worker="w")["batch_task_ids"], ["Load_1", "Load_2", "Load_3"])
        self.assertEqual(self.work(), "Load_4")

    def test_batch_takes_what_ranks_first(self):
        self.add_dates("1", "2", "3")
        self.add_dates("4", "5", priority=1)
        self.assertEqual(self.scheduler.get_work(worker="w")["batch_task_ids"], ["Load_4", "Load_5", "Load_1"])

    def test_single_task_is_no_batch(self):
        self.add_dates("1")
        reply = self.scheduler.get_work(worker="w")
        self.assertEqual((reply["task_id"], reply["task_params"]), ("Load_1", {"date": "1", "mode": "x"}))
        self.assertNotIn("batch_id", reply)

    def test_tasks_that_differ_otherwise_run_apart(self):
        unlike = {
            "another parameter": {"params": {"date": "2", "mode": "y"}},
            "not batchable": {"batchable": False},
            "family": {"family": "Save"},
            "resources": {"resources": {"disk": 1}},
            "dependency": {"deps": ["Missing_1"]},
        }
        for difference, arguments in unlike.items():
            with self.subTest(difference):
                self.setUp()
                self.add_dates("1")
                self.add_dates("2", **arguments)
                self.assertEqual(self.work(), "Load_1")

    def test_worker_that_announced_no_batching_gets_one_task(self):
        self.add_dates("1", "2", worker="other")
        self.assertEqual(self.work("other"), "Load_1")

    def test_tasks_of_a_batch_share_the_fate_of_its_run(self):
        for status in ("DONE", "FAILED"):
            with self.subTest(status):
                self.setUp()
                self.add_dates("1", "2")
                self.start_batch()
                self.add("Load_all", status=status, expl="report")
                statuses = self.statuses()
                self.assertEqual((statuses["Load_1"], statuses["Load_2"]), (status, status))
                self.assertEqual(self.scheduler.fetch_error(task_id="Load_2")["error"], "report")

    def test_failed_run_of_a_batch_is_forgotten(self):
        self.add_dates("1", "2")
        self.start_batch()
        self.add("Load_all", status="FAILED")
        self.scheduler.prune()
        self.assertEqual(self.statuses(), {"Load_1": "FAILED", "Load_2": "FAILED"})

    def test_failed_batch_is_tried_again(self):
        self.add_dates("1", "2")
        first = self.start_batch()
        self.add("Load_all", status="FAILED")
        self.later(RETRY + 1, alive=["w"])
        self.assertEqual(self.scheduler.get_work(worker="w")["batch_task_ids"], first["batch_task_ids"])

    def test_run_of_a_batch_speaks_for_its_tasks(self):
        self.add_dates("1", "2")
        self.start_batch()
        self.scheduler.set_task_status_message(task_id="Load_all", status_message="half")
        self.scheduler.set_task_progress_percentage(task_id="Load_all", progress_percentage=50)
        self.add("Load_all", status="RUNNING", tracking_url="http://tracker")
        task = self.task("Load_2")
        found = (task["status_message"], task["progress_percentage"], task["tracking_url"])
        self.assertEqual(found, ("half", 50, "http://tracker"))

    def test_run_of_a_batch_holds_the_resources_of_one_task(self):
        self.make(resources={"disk": 5})
        self.scheduler.add_task_batcher(worker="w", task_family="Load", batched_args=["date"])
        self.add_dates("1", "2", resources={"disk": 2})
        self.start_batch()
        self.assertEqual(self.scheduler.resource_list()[0]["num_used"], 2)

    def test_batch_that_was_never_started_goes_back(self):
        self.add_dates("1", "2")
        first = self.scheduler.get_work(worker="w")
        again = self.scheduler.get_work(worker="w", current_tasks=[])
        self.assertEqual(again["batch_task_ids"], first["batch_task_ids"])

    def test_batch_that_runs_stays(self):
        self.add_dates("1", "2")
        self.start_batch()
        self.assertIsNone(self.work(current_tasks=["Load_all"]))
        self.assertEqual(self.status("Load_1"), "BATCH_RUNNING")


class TestRetries(SchedulerCase):
    def setUp(self):
        super().setUp()
        self.make(retry_count=3, disable_window=100, disable_hard_timeout=5000, disable_persist=2000)
        self.add("task")

    def test_failed_task_is_retried_after_the_delay(self):
        self.run_and_fail("task")
        self.later(RETRY, alive=["w"])
        self.assertIsNone(self.work())
        self.later(1, alive=["w"])
        self.assertEqual(self.work(), "task")

    def test_failed_task_is_not_retried_where_that_is_off(self):
        self.make(retry_delay=-1)
        self.run_and_fail("task")
        self.later(10 * RETRY, alive=["w"])
        self.assertEqual(self.status("task"), "FAILED")

    def test_failed_task_is_given_to_who_added_it(self):
        self.run_and_fail("task", worker="other")
        self.later(RETRY + 1, alive=["w", "other"])
        self.assertEqual(self.work(), "task")

    def test_who_reports_a_failure_is_not_given_the_task_for_it(self):
        self.add("task", worker="other", status="FAILED")
        self.assertEqual(self.task("task")["workers"], ["w"])

    def test_too_many_failures_disable(self):
        self.run_and_fail("task", times=2)
        self.assertEqual(self.status("task"), "FAILED")
        self.run_and_fail("task")
        self.assertEqual(self.status("task"), "DISABLED")
        self.assertTrue(self.task("task")["re_enable_able"])

    def test_failures_before_the_window_do_not_count(self):
        self.run_and_fail("task", times=2)
        self.clock.now += 101
        self.run_and_fail("task", times=2)
        self.assertEqual(self.status("task"), "FAILED")
        self.run_and_fail("task")
        self.assertEqual(self.status("task"), "DISABLED")

    def test_failing_for_too_long_disables(self):
        self.run_and_fail("task")
        self.clock.now += 5000
        self.run_and_fail("task")
        self.assertEqual(self.status("task"), "DISABLED")

    def test_task_may_have_a_policy_of_its_own(self):
        self.run_and_fail("strict", retry_policy_dict={"retry_count": 1})
        self.assertEqual(self.status("strict"), "DISABLED")

    def test_disabled_task_is_enabled_after_a_while(self):
        self.run_and_fail("task", times=3)
        self.later(2000, alive=["w"])
        self.assertEqual(self.status("task"), "DISABLED")
        self.later(1, alive=["w"])
        self.assertEqual(self.status("task"), "FAILED")
        self.run_and_fail("task", times=2)
        self.assertEqual(self.status("task"), "FAILED", "failures before do not count any more")

    def test_workers_do_not_overrule_that_a_task_is_disabled(self):
        self.run_and_fail("task", times=3)
        for status in ("PENDING", "RUNNING", "FAILED", "UNKNOWN"):
            self.add("task", status=status)
            self.assertEqual(self.status("task"), "DISABLED", status)

    def test_done_is_done_also_when_disabled(self):
        self.run_and_fail("task", times=3)
        self.add("task", status="DONE")
        self.assertEqual(self.status("task"), "DONE")
        self.later(60, alive=["w"])
        self.run_and_fail("task", times=2)
        self.assertEqual(self.status("task"), "FAILED", "failures before do not count any more")

    def test_task_can_be_enabled_by_hand(self):
        self.run_and_fail("task", times=3)
        self.assertEqual(self.scheduler.re_enable_task(task_id="task")["status"], "FAILED")
        self.later(RETRY + 1, alive=["w"])
        self.assertEqual(self.work(), "task")

    def test_task_that_a_worker_disabled_is_the_workers_affair(self):
        self.add("task", status="DISABLED")
        self.assertFalse(self.task("task")["re_enable_able"])
        self.assertEqual(self.scheduler.re_enable_task(task_id="task"), {})
        self.later(3000, alive=["w"])
        self.assertEqual(self.status("task"), "DISABLED")
        self.add("task", status="PENDING")
        self.assertEqual(self.status("task"), "PENDING")

    def test_run_is_not_interrupted_by_disabling(self):
        self.work()
        self.add("task", worker="other", status="DISABLED")
        self.add("task", status="DISABLED", new_deps=["Found_1"])
        self.assertEqual(self.status("task"), "RUNNING")

    def test_forgiven_task_is_pending_but_its_failures_count(self):
        self.run_and_fail("task", times=2)
        reply = self.scheduler.forgive_failures(task_id="task")
        self.assertEqual(reply, {"task_id": "task", "status": "PENDING"})
        self.run_and_fail("task")
        self.assertEqual(self.status("task"), "DISABLED")

    def test_only_failed_tasks_are_forgiven(self):
        self.assertEqual(self.scheduler.forgive_failures(task_id="task")["status"], "PENDING")
        self.run_and_finish("task")
        self.assertEqual(self.scheduler.forgive_failures(task_id="task")["status"], "DONE")
        self.assertIsNone(self.scheduler.forgive_failures(task_id="nobody")["status"])

    def test_what_runs_or_failed_can_be_marked_as_done(self):
        self.assertEqual(self.scheduler.mark_as_done(task_id="task")["status"], "PENDING")
        self.work()
        self.assertEqual(self.scheduler.mark_as_done(task_id="task")["status"], "DONE")
        self.run_and_fail("other", times=3)
        self.assertEqual(self.scheduler.mark_as_done(task_id="other")["status"], "DONE")

    def test_report_of_the_last_failure_is_kept(self):
        self.add("task", module="pipeline", params={"date": "1"})
        self.run_and_fail("task")
        expected = {
            "taskId": "task",
            "displayName": "Load(date=1)",
            "error": "boom",
            "taskFamily": "Load",
            "taskModule": "pipeline",
            "taskParams": {"date": "1"},
        }
        self.assertEqual(self.scheduler.fetch_error(task_id="task"), expected)
        self.assertEqual(self.scheduler.fetch_error(task_id="nobody"), {"taskId": "nobody", "error": ""})


class TestDoneCooldown(SchedulerCase):
    def setUp(self):
        super().setUp()
        self.make(stable_done_cooldown_secs=10)
        self.add("task")
        self.run_and_finish("task")

    def test_claim_just_after_the_end_is_ignored(self):
        self.clock.now += 9.9
        self.add("task")
        self.assertEqual(self.status("task"), "DONE")

    def test_later_claim_counts(self):
        self.clock.now += 10
        self.add("task")
        self.assertEqual(self.status("task"), "PENDING")

    def test_failure_counts_at_once(self):
        self.add("task", status="FAILED")
        self.assertEqual(self.status("task"), "FAILED")


class TestDisconnects(SchedulerCase):
    def setUp(self):
        super().setUp()
        self.add("task")
        self.add("task", worker="other")

    def test_run_of_a_silent_worker_has_failed_and_goes_to_another(self):
        self.work()
        self.later(DISCONNECT + 1, alive=["other"])
        self.assertEqual(self.status("task"), "FAILED")
        self.later(RETRY + 1, alive=["other"])
        self.assertEqual(self.work("other"), "task")

    def test_worker_that_pings_is_not_silent(self):
        self.work()
        self.later(10 * DISCONNECT, alive=["w"])
        self.assertEqual(self.status("task"), "RUNNING")

    def test_silent_worker_is_forgotten(self):
        self.later(DISCONNECT + 1, alive=["other"])
        self.assertEqual([worker["name"] for worker in self.scheduler.worker_list()], ["other"])
        self.assertEqual(self.task("task")["workers"], ["other"])

    def test_reads_and_administration_are_no_sign_of_life(self):
        self.later(DISCONNECT, alive=["other"])
        self.scheduler.count_pending(worker="w")
        self.scheduler.add_worker(worker="w", info={})
        self.scheduler.set_worker_processes(worker="w", n=1)
        self.later(1, alive=["other"])
        self.assertEqual([worker["name"] for worker in self.scheduler.worker_list()], ["other"])

    def test_get_work_does_not_prune_where_that_is_off(self):
        self.make(retry_delay=0)
        self.run_and_fail("task")
        self.clock.now += 1
        self.assertIsNone(self.work())
        self.scheduler.prune()
        self.assertEqual(self.work(), "task")

    def test_get_work_prunes_where_that_is_on(self):
        self.make(prune_on_get_work=True, retry_delay=0)
        self.add("task")
        self.work()
        self.clock.now += DISCONNECT + 1
        self.add("task", worker="other")
        self.work("other")
        self.clock.now += 1
        self.assertEqual(self.work("other"), "task")


class TestAssistants(SchedulerCase):
    def test_assistant_runs_what_others_scheduled(self):
        self.add("task")
        self.assertIsNone(self.work("assistant"))
        self.assertEqual(self.work("assistant", assistant=True), "task")

    def test_assistant_does_not_run_what_nobody_may_run(self):
        self.add("task", runnable=False)
        self.assertIsNone(self.work("assistant", assistant=True))

    def test_what_an_assistant_runs_goes_on_when_its_scheduling_worker_leaves(self):
        self.add("task")
        self.scheduler.add_worker(worker="assistant", info={"assistant": True})
        self.work("assistant", assistant=True)
        self.later(DISCONNECT + 1, alive=["assistant"])
        self.assertEqual(self.status("task"), "RUNNING")

    def test_what_an_assistant_ran_has_failed_when_it_leaves(self):
        self.add("task")
        self.scheduler.add_worker(worker="assistant", info={"assistant": True})
        self.work("assistant", assistant=True)
        self.later(DISCONNECT + 1, alive=["w"])
        self.assertEqual(self.status("task"), "FAILED")

    def test_assistant_keeps_no_task_from_being_forgotten(self):
        self.add("task", worker="assistant", assistant=True)
        self.later(2 * REMOVE, alive=["assistant"])
        self.assertEqual(self.statuses(), {})


class TestDisabledWorkers(SchedulerCase):
    def setUp(self):
        super().setUp()
        self.add("first", "second")
        self.work()
        self.scheduler.disable_worker(worker="w")

    def test_disabled_worker_gets_no_work(self):
        reply = self.scheduler.get_work(worker="w")
        self.assertEqual((reply["task_id"], reply["worker_state"]), (None, "disabled"))

    def test_disabled_worker_adds_nothing(self):
        self.add("third")
        self.assertEqual(sorted(self.statuses()), ["first", "second"])

    def test_disabled_worker_may_end_what_it_runs(self):
        self.add("first", status="DONE")
        self.assertEqual(self.status("first"), "DONE")

    def test_disabled_worker_says_nothing_of_other_tasks(self):
        self.add("second", status="DONE")
        self.assertEqual(self.status("second"), "PENDING")

    def test_disabled_worker_gets_no_work_as_an_assistant_either(self):
        self.add("third", worker="other")
        self.assertIsNone(self.work(assistant=True))

    def test_its_tasks_are_open_to_others(self):
        self.add("second", worker="other")
        self.assertEqual(self.task("second")["workers"], ["other"])
        self.assertEqual(self.work("other"), "second")


class TestMessages(SchedulerCase):
    def test_worker_is_told_once_how_many_processes_to_use(self):
        self.scheduler.set_worker_processes(worker="w", n=7)
        self.assertEqual(self.scheduler.worker_list()[0]["num_unread_rpc_messages"], 1)
        expected = [{"name": "set_worker_processes", "kwargs": {"n": 7}}]
        self.assertEqual(self.scheduler.ping(worker="w")["rpc_messages"], expected)
        self.assertEqual(self.scheduler.ping(worker="w")["rpc_messages"], [])

    def test_message_reaches_the_worker_of_a_task(self):
        sent = self.scheduler.send_scheduler_message(worker="w", task="task", content={"a": 1})
        (message,) = self.scheduler.ping(worker="w")["rpc_messages"]
        self.assertEqual(message["name"], "dispatch_scheduler_message")
        self.assertEqual(message["kwargs"], {"task_id": "task", "content": {"a": 1}, **sent})

    def test_answer_is_fetched_once(self):
        self.add("task")
        message = {"task_id": "task", "message_id": "m"}
        self.assertEqual(self.scheduler.get_scheduler_message_response(**message), {"response": None})
        self.scheduler.add_scheduler_message_response(**message, response="fine")
        self.assertEqual(self.scheduler.get_scheduler_message_response(**message), {"response": "fine"})
        self.assertEqual(self.scheduler.get_scheduler_message_response(**message), {"response": None})

    def test_messages_can_be_off(self):
        self.make(send_messages=False)
        reply = self.scheduler.send_scheduler_message(worker="w", task="task", content="x")
        self.assertEqual(reply, {"message_id": None})
        self.assertEqual(self.scheduler.ping(worker="w")["rpc_messages"], [])

    def test_running_tasks_tell_whether_they_read_messages(self):
        self.add("task", accepts_messages=True)
        self.assertNotIn("accepts_messages", self.task("task"))
        self.work()
        self.assertIs(self.task("task")["accepts_messages"], True)


class TestLostReplies(SchedulerCase):
    def test_lost_task_is_given_again(self):
        self.add("task", "other")
        self.assertEqual(self.work(), "task")
        self.assertEqual(self.work(current_tasks=[]), "task")

    def test_known_task_is_not_given_again(self):
        self.add("task", "other")
        self.work()
        self.assertEqual(self.work(current_tasks=["task"]), "other")

    def test_worker_that_does_not_say_what_it_runs_gets_new_work(self):
        self.add("task", "other")
        self.work()
        self.assertEqual(self.work(current_tasks=None), "other")


class TestPause(SchedulerCase):
    def test_nothing_is_given_out_while_paused(self):
        self.add("task")
        self.scheduler.pause()
        self.assertEqual((self.work(), self.scheduler.is_paused()), (None, {"paused": True}))
        self.scheduler.unpause()
        self.assertEqual((self.work(), self.scheduler.is_paused()), ("task", {"paused": False}))

    def test_pausing_can_be_off(self):
        self.make(pause_enabled=False)
        self.scheduler.pause()
        self.assertEqual(self.scheduler.is_pause_enabled(), {"enabled": False})
        self.assertEqual(self.scheduler.is_paused(), {"paused": False})

    def test_switching_it_off_ends_a_pause_that_nobody_could_end(self):
        self.add("task")
        self.scheduler.pause()
        self.scheduler.change_settings(pause_enabled=False)
        self.assertEqual((self.work(), self.scheduler.is_paused()), ("task", {"paused": False}))


class TestPruning(SchedulerCase):
    def test_task_is_kept_as_long_as_somebody_wants_it(self):
        self.add("task")
        self.run_and_finish("task")
        self.later(10 * REMOVE, alive=["w"])
        self.assertEqual(self.statuses(), {"task": "DONE"})

    def test_task_is_forgotten_some_time_after_the_last_that_wanted_it(self):
        self.add("task")
        self.later(DISCONNECT + 1)
        self.later(REMOVE - 60)
        self.assertEqual(self.statuses(), {"task": "PENDING"})
        self.later(60)
        self.assertEqual(self.statuses(), {})

    def test_task_that_is_wanted_again_is_kept(self):
        self.add("task")
        self.later(DISCONNECT + 1)
        self.add("task", worker="other")
        self.later(2 * REMOVE, alive=["other"])
        self.assertEqual(self.statuses(), {"task": "PENDING"})

    def test_dependencies_are_kept_with_what_needs_them(self):
        self.add("parent", worker="other")
        self.add("child", deps=["parent"])
        self.later(2 * REMOVE, alive=["w"])
        self.assertEqual(sorted(self.statuses()), ["child", "parent"])

    def test_forgotten_dependency_is_waited_for_again(self):
        self.add("parent", worker="other", status="DONE")
        self.later(DISCONNECT + 1, alive=["w"])
        self.clock.now += REMOVE
        self.add("child", deps=["parent"], assistant=True)
        self.scheduler.prune()
        self.assertNotIn("parent", self.statuses())
        self.assertIsNone(self.work("assistant", assistant=True))


class TestUpstreamStatuses(SchedulerCase):
    """`task_list` tells for a PENDING task what it is that it waits for."""

    def waiting(self, upstream_status):
        tasks = self.scheduler.task_list(status="PENDING", upstream_status=upstream_status)
        return sorted(tasks)

    def test_status_of_what_a_task_waits_for(self):
        self.add("runs", status="RUNNING")
        self.add("fails", status="FAILED")
        self.add("off", status="DISABLED")
        self.add("waits")
        for dep in ("runs", "fails", "off", "waits", "Nobody_1"):
            self.add(f"after {dep}", deps=[dep])
        self.assertEqual(self.waiting("UPSTREAM_RUNNING"), ["after runs"])
        self.assertEqual(self.waiting("UPSTREAM_FAILED"), ["after fails"])
        self.assertEqual(self.waiting("UPSTREAM_DISABLED"), ["after off"])
        self.assertEqual(self.waiting("UPSTREAM_MISSING_INPUT"), ["after waits", "waits"])

    def test_gravest_counts(self):
        self.add("runs", status="RUNNING")
        self.add("fails", status="FAILED")
        self.add("off", status="DISABLED")
        self.add("mild", deps=["runs"])
        self.add("graver", deps=["fails", "runs"])
        self.add("gravest", deps=["runs", "off", "fails"])
        self.assertEqual(self.waiting("UPSTREAM_RUNNING"), ["mild"])
        self.assertEqual(self.waiting("UPSTREAM_FAILED"), ["graver"])
        self.assertEqual(self.waiting("UPSTREAM_DISABLED"), ["gravest"])

    def test_it_is_passed_down(self):
        self.add("fails", status="FAILED")
        self.add("child", deps=["fails"])
        self.add("grandchild", deps=["child"])
        self.assertEqual(self.waiting("UPSTREAM_FAILED"), ["child", "grandchild"])

    def test_cycle_has_an_end(self):
        self.add("a", deps=["b"])
        self.add("b", deps=["a"])
        self.assertEqual(self.waiting("UPSTREAM_FAILED"), [])


class TestCounters(SchedulerCase):
    """What a worker is told about the work there is."""

    def counters(self, worker="w"):
        reply = self.scheduler.count_pending(worker=worker)
        return reply["n_pending_tasks"], reply["n_unique_pending"], reply["n_pending_last_scheduled"]

    def test_pending_and_failed_tasks_count(self):
        self.add("a", "b", "c")
        self.run_and_fail("b")
        self.run_and_finish("c")
        self.assertEqual(self.counters(), (2, 2, 2))

    def test_shared_tasks_are_not_unique_and_the_last_to_claim_has_them(self):
        self.add("a", "b")
        self.add("b", worker="other")
        self.assertEqual(self.counters(), (2, 1, 1))
        self.assertEqual(self.counters("other"), (1, 0, 1))

    def test_tasks_below_a_disabled_one_do_not_count(self):
        self.add("off", status="DISABLED")
        self.add("child", deps=["off"])
        self.add("grandchild", deps=["child"])
        self.add("free")
        self.assertEqual(self.counters(), (1, 1, 1))
        self.add("off", status="PENDING")
        self.assertEqual(self.counters(), (4, 4, 4))

    def test_get_work_counts_what_was_there_before_it_gave(self):
        self.add("a", "b")
        self.assertEqual(self.scheduler.get_work(worker="w")["n_pending_tasks"], 2)
        self.assertEqual(self.scheduler.get_work(worker="w")["n_pending_tasks"], 1)

    def test_running_tasks_and_their_workers_are_told(self):
        self.scheduler.add_worker(worker="other", info={"host": "somewhere"})
        self.add("task")
        self.add("task", worker="other")
        self.work("other")
        running = self.scheduler.get_work(worker="w")["running_tasks"]
        self.assertEqual(running, [{"task_id": "task", "worker": "other", "host": "somewhere"}])


def deps_in(graph):
    return {task_id: node["deps"] for task_id, node in graph.items()}


class TestGraphs(SchedulerCase):
    def setUp(self):
        super().setUp()
        self.add("a", "b")
        self.run_and_finish("a")
        self.add("c", deps=["b", "a"])
        self.add("d", deps=["c"])

    def test_dep_graph_is_what_a_task_needs(self):
        graph = self.scheduler.dep_graph(task_id="c")
        self.assertEqual(deps_in(graph), {"a": [], "b": [], "c": ["a", "b"]})

    def test_dep_graph_leaves_out_what_is_done_where_asked(self):
        graph = self.scheduler.dep_graph(task_id="c", include_done=False)
        self.assertEqual(deps_in(graph), {"b": [], "c": ["b"]})

    def test_inverse_dep_graph_is_what_needs_a_task(self):
        graph = self.scheduler.inverse_dep_graph(task_id="b")
        self.assertEqual(deps_in(graph), {"b": ["c"], "c": ["d"], "d": []})

    def test_graph_is_everything(self):
        self.assertEqual(sorted(self.scheduler.graph()), ["a", "b", "c", "d"])

    def test_unknown_task_has_no_graph(self):
        self.assertEqual(self.scheduler.dep_graph(task_id="nobody"), {})
        self.assertEqual(self.scheduler.inverse_dep_graph(task_id="nobody"), {})

    def test_graph_of_a_cycle_has_an_end(self):
        self.add("b", deps=["d"])
        self.assertEqual(sorted(self.scheduler.dep_graph(task_id="b")), ["a", "b", "c", "d"])

    def test_graphs_are_limited(self):
        self.make(max_graph_nodes=2)
        self.add("x")
        self.add("y", deps=["x"])
        self.add("z", deps=["y"])
        self.assertEqual(sorted(self.scheduler.dep_graph(task_id="z")), ["y", "z"])


class TestLists(SchedulerCase):
    def setUp(self):
        super().setUp()
        self.add("a", params={"date": "2026-01-01", "password": "x"}, param_visibilities={"password": 1})
        self.add("b", family="Save", status="FAILED")
        self.add("c", status="RUNNING")

    def test_task_list_by_status(self):
        self.assertEqual(list(self.scheduler.task_list(status="FAILED")), ["b"])
        self.assertEqual(list(self.scheduler.task_list()), ["a", "b", "c"])
        self.assertEqual(self.scheduler.task_list(status="NONSENSE"), {})

    def test_search_wants_all_words_in_any_case(self):
        self.assertEqual(list(self.scheduler.task_list(search="LOAD 2026")), ["a"])
        self.assertEqual(list(self.scheduler.task_list(search="load save")), [])

    def test_too_many_tasks_are_counted_only(self):
        self.assertEqual(self.scheduler.task_list(max_shown_tasks=2), {"num_tasks": 3})
        self.assertEqual(self.scheduler.task_list(max_shown_tasks=1, search="load"), {"num_tasks": 2})
        self.assertEqual(len(self.scheduler.task_list(max_shown_tasks=2, limit=False)), 3)
        self.assertEqual(len(self.scheduler.task_list(max_shown_tasks=3)), 3)

    def test_too_many_tasks_are_not_counted_by_upstream_status(self):
        reply = self.scheduler.task_list(max_shown_tasks=2, upstream_status="UPSTREAM_FAILED")
        self.assertEqual(reply, {"num_tasks": -1})

    def test_limit_is_a_setting(self):
        self.make(max_shown_tasks=1)
        self.add("a", "b")
        self.assertEqual(self.scheduler.task_list(), {"num_tasks": 2})

    def test_hidden_parameters_are_not_shown(self):
        task = self.task("a")
        self.assertEqual(task["params"], {"date": "2026-01-01"})
        self.assertEqual(task["display_name"], "Load(date=2026-01-01)")
        self.assertEqual(self.scheduler.get_work(worker="w")["task_params"]["password"], "x")

    def test_task_search_sorts_by_status(self):
        self.add("ab", status="FAILED")
        found = self.scheduler.task_search(task_str="b")
        self.assertEqual({status: list(tasks) for status, tasks in found.items()}, {"FAILED": ["b", "ab"]})

    def test_worker_list_begins_with_the_latest(self):
        self.clock.now += 1
        self.scheduler.add_worker(worker="young", info={"workers": 3, "first_task": "a"})
        young, old = self.scheduler.worker_list()
        self.assertEqual((young["name"], young["workers"], young["started"]), ("young", 3, self.clock.now))
        self.assertEqual(young["first_task_display_name"], "Load(date=2026-01-01)")
        self.assertEqual((old["name"], list(old["running"]), old["num_pending"]), ("w", ["c"], 1))
        self.assertNotIn("running", self.scheduler.worker_list(include_running=False)[0])

    def test_link_to_the_run_is_kept_until_the_next_one(self):
        self.add("c", status="RUNNING", tracking_url="http://tracker")
        self.add("c", status="DONE")
        self.assertEqual(self.task("c")["tracking_url"], "http://tracker")
        self.add("c", status="FAILED")
        self.assertIsNone(self.task("c")["tracking_url"])

    def test_run_tells_of_itself(self):
        self.scheduler.set_task_status_message(task_id="c", status_message="half way")
        self.scheduler.set_task_progress_percentage(task_id="c", progress_percentage=50)
        message = {"taskId": "c", "statusMessage": "half way"}
        self.assertEqual(self.scheduler.get_task_status_message(task_id="c"), message)
        progress = {"taskId": "c", "progressPercentage": 50}
        self.assertEqual(self.scheduler.get_task_progress_percentage(task_id="c"), progress)


class TestLongChains(SchedulerCase):
    """A chain has any length; Python's stack has not."""

    def add_chain(self, length):
        self.make(max_graph_nodes=length)
        ids = [f"Load_{number}" for number in range(length)]
        for task_id, dep in zip(ids, [None, *ids]):
            self.scheduler.add_task(worker="w", task_id=task_id, family="Load", deps=dep and [dep])
        return ids

    def test_chain_of_100000_is_added_read_and_finished(self):
        ids = self.add_chain(100_000)
        self.assertEqual(len(self.scheduler.dep_graph(task_id=ids[-1])), len(ids))
        for task_id in ids:
            self.scheduler.add_task(worker="w", task_id=task_id, status="DONE")
        self.assertEqual(self.scheduler.task_list(status="DONE", max_shown_tasks=1), {"num_tasks": len(ids)})

    def test_what_is_passed_along_a_chain_reaches_its_end(self):
        ids = self.add_chain(10_000)
        self.add(ids[-1], priority=3)
        self.assertEqual(self.task(ids[0])["priority"], 3)
        self.add(ids[0], status="DISABLED")
        self.assertEqual(self.scheduler.count_pending(worker="w")["n_pending_tasks"], 0)
        self.assertIn(ids[-1], self.scheduler.task_list(upstream_status="UPSTREAM_DISABLED"))
        self.assertEqual(len(self.scheduler.inverse_dep_graph(task_id=ids[0])), len(ids))
        self.add(ids[0], status="PENDING")
        self.assertEqual(self.scheduler.count_pending(worker="w")["n_pending_tasks"], len(ids))


class TestNothingIsShared(SchedulerCase):
    """No reply holds a part of the state, and no argument becomes one."""

    def rich(self):
        return {"a": [1, {"b": [2]}], "c": {"d": ["e"]}}

    def scribble(self, value):
        """Spoil a value in place, all the way down."""
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            self.scribble(item)
        if isinstance(value, dict):
            value["scribble"] = "scribble"
        elif isinstance(value, list):
            value.append("scribble")

    def state(self):
        return copy.deepcopy(luigid.capture(self.scheduler._agenda))

    def call(self, method, **arguments):
        """Call, and check that neither what went in nor what came out leads to the state."""
        reply = getattr(self.scheduler, method)(**arguments)
        before = self.state()
        self.scribble(list(arguments.values()))
        self.scribble(reply)
        self.assertEqual(self.state(), before, method)

    def fill(self):
        rich = self.rich
        self.call("add_worker", worker="w", info={**rich(), "first_task": rich()})
        self.call("add_task_batcher", worker="w", task_family="Load", batched_args=["date"])
        for number in range(3):
            self.call(
                "add_task",
                worker="w",
                task_id=f"t{number}",
                deps=[],
                family="Load",
                params={**rich(), "date": [number]},
                param_visibilities={"a": rich()},
                batchable=True,
                resources={"disk": 1},
                retry_policy_dict={"retry_count": 2},
                owners=["me"],
            )
        self.call("add_task", worker="w", task_id="t3", deps=["t2"], new_deps=["t1"], expl=rich())
        self.call("set_task_status_message", task_id="t1", status_message=rich())
        self.call("set_task_progress_percentage", task_id="t1", progress_percentage=rich())
        self.call("send_scheduler_message", worker="w", task="t1", content=rich())
        self.call("add_scheduler_message_response", task_id="t1", message_id="m", response=rich())

    def test_calls_share_nothing_with_the_state(self):
        self.make(resources={"disk": 5})
        self.fill()
        self.read_all()
        self.call("get_work", worker="w", current_tasks=[])
        self.read_all()
        self.call("get_work", worker="w", assistant=True)
        self.call("get_scheduler_message_response", task_id="t1", message_id="m")
        self.call("ping", worker="w")

    def read(self, method, **arguments):
        """Read, and check that the same is read again whatever is done to the reply."""
        reply = copy.deepcopy(getattr(self.scheduler, method)(**arguments))
        self.call(method, **arguments)
        self.assertEqual(getattr(self.scheduler, method)(**arguments), reply)

    def read_all(self):
        for method in ("graph", "task_list", "worker_list", "resource_list"):
            self.read(method)
        for method in ("dep_graph", "fetch_error"):
            self.read(method, task_id="t3")
        for method in ("inverse_dep_graph", "get_running_task_resources"):
            self.read(method, task_id="t1")
        for method in ("get_task_status_message", "get_task_progress_percentage"):
            self.read(method, task_id="t1")
        self.read("task_search", task_str="t")
        self.read("count_pending", worker="w")

    def test_what_was_captured_before_is_not_changed_by_calls(self):
        self.fill()
        captured = luigid.capture(self.scheduler._agenda)
        before = copy.deepcopy(captured)
        for reply in (
            self.scheduler.ping(worker="w"),
            self.scheduler.get_scheduler_message_response(task_id="t1", message_id="m"),
            self.scheduler.get_work(worker="w"),
        ):
            self.scribble(reply)
        self.scheduler.add_worker(worker="w", info={"more": 1})
        self.scheduler.add_task_batcher(worker="w", task_family="Save", batched_args=["date"])
        self.assertEqual(captured, before)


class TestThreads(SchedulerCase):
    def setUp(self):
        super().setUp()
        interval = sys.getswitchinterval()
        self.addCleanup(sys.setswitchinterval, interval)
        sys.setswitchinterval(1e-6)

    def in_threads(self, *targets):
        """Run functions side by side to their end; what one of them raises is raised here."""
        errors = []

        def guarded(target):
            try:
                target()
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=guarded, args=(target,)) for target in targets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def test_each_task_is_given_out_once(self):
        self.make(resources={"disk": 1000})
        for number in range(300):
            for worker in "abcd":
                self.add(f"t{number}", worker=worker, resources={"disk": 1})
        given = {worker: [] for worker in "abcd"}
        self.in_threads(*(lambda w=w: given[w].extend(self.work_all(w)) for w in given))
        self.assertEqual(sorted(sum(given.values(), [])), sorted(f"t{number}" for number in range(300)))

    def test_calls_of_all_kinds_keep_the_indexes_true(self):
        self.make(retry_count=2)

        def worker(name):
            for number in range(60):
                self.add(f"t{number}", worker=name, deps=[f"t{number - 7}"], priority=number % 3)
                self.add(f"t{number}", worker=name, status="DONE" if number % 2 else "FAILED")
                self.work(name, current_tasks=[])

        def reader():
            for number in range(60):
                self.scheduler.dep_graph(task_id=f"t{number}")
                self.scheduler.task_list()
                self.scheduler.worker_list()

        self.in_threads(*(lambda name=name: worker(name) for name in "abc"), reader)
        self.scheduler.validate()
        self.assertEqual(len(self.scheduler.task_list()), 67)


class TestConstructor(unittest.TestCase):
    def test_it_starts_no_thread(self):
        before = threading.enumerate()
        Scheduler().add_task(worker="w", task_id="t")
        self.assertEqual(threading.enumerate(), before)

    def test_it_touches_no_file(self):
        opening = AssertionError("a file is opened")
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "state")
            with mock.patch("builtins.open", side_effect=opening), mock.patch("os.open", side_effect=opening):
                Scheduler(state_path=path, resources={"disk": 1}).add_task(worker="w", task_id="t")
            self.assertEqual(os.listdir(directory), [])

    def test_it_reads_no_configuration(self):
        with tempfile.NamedTemporaryFile("w", suffix=".cfg") as file:
            file.write("[scheduler]\npause_enabled = false\n")
            file.flush()
            with mock.patch.dict(os.environ, LUIGI_CONFIG_PATH=file.name):
                self.assertEqual(Scheduler().is_pause_enabled(), {"enabled": True})

    def test_unknown_setting_is_refused(self):
        with self.assertRaisesRegex(TypeError, "retry_dely"):
            Scheduler(retry_dely=3)


class TestFork(SchedulerCase):
    def test_scheduler_goes_on_in_a_forked_process(self):
        self.add("a", "b")
        child = multiprocessing.get_context("fork").Process(target=self.drain)
        child.start()
        child.join()
        self.assertEqual(child.exitcode, 0)
        self.drain()  # what the child did is the child's

    def drain(self):
        self.assertEqual(self.work_all(), ["a", "b"])
        self.run_and_finish("a", "b")
        self.scheduler.validate()


if __name__ == "__main__":
    unittest.main()
