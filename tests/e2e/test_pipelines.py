"""Pipelines of several shapes, run by stock workers against the daemon."""

from tests.e2e.daemon import wait_until
from tests.e2e.workers import NOT_RUN, EndToEndTest


class PipelinesTest(EndToEndTest):
    def test_diamond_with_four_processes(self):
        self.start_daemon()
        # No side ends before all four run, so this cannot end with fewer than four at work.
        worker = self.run_worker("Diamond", "--width", 4, "--sides-meet", 4, "--workers", 4)
        started = self.started()
        self.assertEqual("DiamondTop()", started[0])
        self.assertEqual([f"DiamondSide(number={number})" for number in range(4)], sorted(started[1:-1]))
        self.assertEqual("Diamond(width=4)", started[-1])
        self.assertEqual({"DONE": 6}, self.statuses())
        self.assertIn("* 6 ran successfully:", worker.summary())

    def test_dependencies_end_before_dependents_start(self):
        self.start_daemon()
        self.run_worker("Diamond", "--workers", 4)
        events = [(entry["event"], entry["family"]) for entry in self.records()]
        self.assertEqual([("start", "DiamondTop"), ("end", "DiamondTop")], events[:2])
        self.assertEqual([("start", "Diamond"), ("end", "Diamond")], events[-2:])

    def test_same_pipeline_started_twice_at_once(self):
        self.start_daemon()
        # Six sides of which four have to meet, two processes each: neither worker can do it alone.
        arguments = ["Diamond", "--width", 6, "--sides-meet", 4, "--gate", "go", "--workers", 2]
        workers = [self.start_worker(*arguments, keep_alive="true") for _ in range(2)]
        self.wait_for_workers(2)
        self.open_gate("go")
        for worker in workers:
            worker.wait()
        sides = [f"DiamondSide(number={number})" for number in range(6)]
        self.assertEqual(sorted(["Diamond(width=6)", "DiamondTop()", *sides]), sorted(self.started()))
        self.assertEqual({worker.name for worker in workers}, {entry["worker"] for entry in self.records()})
        self.assertEqual({"DONE": 8}, self.statuses())

    def test_late_claim_does_not_run_a_task_again(self):
        self.start_daemon({"stable_done_cooldown_secs": 3600})
        late = self.start_worker("LateClaim", name="late")
        wait_until(lambda: self.records(event="found incomplete"), "the late worker has looked")
        self.run_worker("LateClaim", name="early")
        self.open_gate("claim")
        self.assert_ends(late, NOT_RUN)
        self.assertEqual(["early"], [entry["worker"] for entry in self.records(event="start")])
        self.assertEqual({"DONE": 1}, self.statuses())

    def test_pipeline_run_again_runs_nothing(self):
        self.start_daemon()
        self.run_worker("Diamond")
        self.run_worker("Diamond")
        self.assertEqual(6, len(self.started()))

    def test_dynamic_dependencies(self):
        self.check_dynamic_dependencies(processes=1)

    def test_dynamic_dependencies_with_two_processes(self):
        self.check_dynamic_dependencies(processes=2)

    def check_dynamic_dependencies(self, processes):
        self.start_daemon()
        self.run_worker("Dynamic", "--workers", processes)
        ran = self.started()
        self.assertEqual("Dynamic()", ran[0])
        self.assertEqual({"Part(number=0)", "Part(number=1)", "Part(number=2)"}, set(ran[1:4]))
        # It starts anew after each of its discoveries, once they are there.
        self.assertEqual(["Dynamic()", "Part(number=103)", "Dynamic()"], ran[4:])
        self.assertEqual({"DONE": 5}, self.statuses())
        self.assertEqual(4, len(self.dependencies("Dynamic")))

    def dependencies(self, family):
        """The ids of the tasks that the only task of this family needs."""
        task_id, _ = self.task(family)
        return self.daemon.call("dep_graph", task_id=task_id)[task_id]["deps"]

    def test_priorities_order_the_runs_of_one_worker(self):
        self.start_daemon()
        self.run_worker("RankedAll")
        ranked = [f"Ranked(priority={priority})" for priority in (30, 20, 10)]
        grounded = [f"Grounded(priority={priority})" for priority in (100, 2, 1)]
        # What the most urgent task needs is as urgent, whatever it says itself.
        self.assertEqual(["Groundwork()", grounded[0], *ranked, *grounded[1:]], self.started())

    def test_assistant_runs_what_others_scheduled(self):
        self.start_daemon()
        # Two sides have to meet, and their owner has but one process.
        arguments = ["Diamond", "--width", 2, "--sides-meet", 2, "--gate", "go"]
        owner = self.start_worker(*arguments, name="owner", keep_alive="true")
        self.wait_for_start(family="DiamondTop")
        # The assistant has not even imported the pipeline: the scheduler tells it the module.
        assistant = self.start_worker("WrapperTask", "--assistant", module="luigi", keep_alive="true", name="assistant")
        wait_until(assistant.was_refused, "the assistant has asked for work")
        self.open_gate("go")
        owner.wait()
        self.assertIn("DiamondSide", {entry["family"] for entry in self.records(worker="assistant")})
        self.assertEqual({"DONE": 5}, self.statuses())


class PipelinesOverUnixSocketTest(PipelinesTest):
    transport = "unix"
