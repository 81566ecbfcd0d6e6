"""Tasks that differ in a batched parameter only, run as one."""

from tests.e2e.workers import SUCCESS_WITH_RETRY, EndToEndTest


class BatchesTest(EndToEndTest):
    def test_largest_value_stands_for_all(self):
        self.start_daemon()
        worker = self.start_worker("LoadDays", "--gate", "load")
        self.wait_for_start()
        # One of the two tables is being loaded: the largest day is the one that runs, the others run with it.
        self.assertEqual({"BATCH_RUNNING": 2, "PENDING": 4, "RUNNING": 1}, self.statuses())
        self.open_gate("load")
        self.assert_ends(worker)
        self.assertEqual(["LoadDay(table=orders, day=2)", "LoadDay(table=visits, day=2)"], sorted(self.started()))
        self.assertEqual({"DONE": 7}, self.statuses())
        self.assertIn("* 7 ran successfully:", worker.summary())

    def test_list_of_values_no_longer_than_max_batch_size(self):
        self.start_daemon()
        self.run_worker("LoadAllNames")
        batches = [task.removeprefix("LoadNames(names=").removesuffix(")").split(",") for task in self.started()]
        self.assertEqual([1, 2, 2], sorted(map(len, batches)))
        self.assertEqual(["ann", "bob", "cid", "dee", "eve"], sorted(sum(batches, [])))
        # The five that were asked for, the two that stood for pairs, and the one that wanted them all.
        self.assertEqual({"DONE": 8}, self.statuses())

    def test_failed_batch_fails_all_its_members(self):
        self.start_daemon({"retry_delay": "0.2", "prune_on_get_work": "true"})
        worker = self.run_worker("LoadDays", "--failures", 1, keep_alive="true")
        self.assertEqual(4, len(self.started()))
        self.assertEqual({"DONE": 7}, self.statuses())
        self.assertEqual(SUCCESS_WITH_RETRY, worker.summary()[-1])


class BatchesOverUnixSocketTest(BatchesTest):
    transport = "unix"
