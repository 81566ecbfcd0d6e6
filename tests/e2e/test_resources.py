"""Tasks that share resources, in one process and in several."""

from tests.e2e.daemon import wait_until
from tests.e2e.workers import EndToEndTest


class ResourcesTest(EndToEndTest):
    def resource(self, name):
        """(used, total) of a resource."""
        [found] = [entry for entry in self.daemon.call("resource_list") if entry["name"] == name]
        return found["num_used"], found["num_total"]

    def start_pages(self, owner, count, processes):
        """Start a worker that prints `count` pages of its own with as many `processes`, once the gate is open."""
        arguments = ["Pages", "--owner", owner, "--count", count, "--gate", "print", "--workers", processes]
        return self.start_worker(*arguments, name=owner, keep_alive="true")

    def test_resource_of_one_serialises_two_processes(self):
        self.start_daemon(resources={"printer": 1})
        workers = {owner: self.start_pages(owner, count=2, processes=2) for owner in ("ann", "bob")}
        self.wait_for_start()
        # All of the four could run, and both have been told that they may not.
        for worker in workers.values():
            wait_until(worker.was_refused, f"{worker.name} is refused the printer")
        self.assertEqual(1, len(self.started()))
        self.assertEqual((1, 1), self.resource("printer"))
        self.open_gate("print")
        for worker in workers.values():
            self.assert_ends(worker)
        self.assertEqual(4, len(self.records(event="end")))
        self.assertEqual(1, self.overlap())
        self.assertEqual((0, 1), self.resource("printer"))

    def test_resource_of_two_lets_two_run(self):
        self.start_daemon(resources={"printer": 2})
        worker = self.start_pages("ann", count=4, processes=4)
        self.wait_for_start(2)
        wait_until(worker.was_refused, "the worker is refused the printer")
        self.assertEqual((2, 2), self.resource("printer"))
        self.open_gate("print")
        self.assert_ends(worker)
        self.assertEqual(4, len(self.records(event="end")))
        self.assertEqual(2, self.overlap())

    def test_resource_made_larger_while_workers_wait(self):
        self.start_daemon(resources={"printer": 1})
        worker = self.start_pages("ann", count=2, processes=2)
        self.wait_for_start()
        wait_until(worker.was_refused, "the worker is refused the printer")
        self.assertTrue(self.daemon.call("update_resource", resource="printer", amount=2))
        self.wait_for_start(2)
        self.open_gate("print")
        self.assert_ends(worker)

    def test_running_task_gives_back_what_it_no_longer_needs(self):
        self.start_daemon(resources={"memory": 2})
        worker = self.start_worker("ShrinkingAndSmall", "--workers", 2)
        self.wait_for_start()
        wait_until(worker.was_refused, "there is no memory for the second task")
        self.assertEqual(["Shrinking()"], self.started())
        self.open_gate("shrink")
        self.wait_for_start(family="Small")
        self.open_gate("finish")
        self.assert_ends(worker)
        self.assertEqual(2, self.overlap())


class ResourcesOverUnixSocketTest(ResourcesTest):
    transport = "unix"
