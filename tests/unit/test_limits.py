"""What clients may make the scheduler's state grow by: each cap, the refusal beyond it, and what gives way to what."""

import inspect
import json
import pathlib
import re
import tempfile
import unittest
from unittest import mock

import luigid


def capped(**caps):
    """Caps within a test's reach."""
    return mock.patch.multiple(luigid, **caps)


class LimitsTest(unittest.TestCase):
    def setUp(self):
        self.now = 0.0
        self.scheduler = luigid.Scheduler(clock=lambda: self.now)

    def tearDown(self):
        self.scheduler.validate()

    def refused(self, call, **arguments):
        """Make a call that must be refused and change nothing; the reason."""
        before = luigid.capture(self.scheduler._agenda)
        with self.assertRaises(luigid.TooMuch) as caught:
            getattr(self.scheduler, call)(**arguments)
        self.assertEqual(before, luigid.capture(self.scheduler._agenda))
        return str(caught.exception)

    def test_texts_and_values(self):
        text, value = "x" * luigid.MAX_TEXT, "x" * luigid.MAX_VALUE
        task = {"worker": "w", "task_id": "t"}
        self.scheduler.add_task(worker=text, task_id=text, family=text, params={"p": value[:-1]}, expl=value)
        for name, arguments in {
            "task_id": {"worker": "w", "task_id": text + "x"},
            "family": {**task, "family": text + "x"},
            "deps": {**task, "deps": [text + "x"]},
            "params": {**task, "params": {"p": value}},
            "param_visibilities": {**task, "param_visibilities": {"p": [[0] * (luigid.MAX_VALUE // 8)]}},
            "expl": {**task, "expl": ["x", value]},
            "resources": {**task, "resources": {text + "x": 1}},
        }.items():
            with self.subTest(name):
                reason = self.refused("add_task", **arguments)
                self.assertRegex(reason, f"argument '{name}' of add_task: a (text|value) may have [0-9]+ characters")

    def test_lists_of_ids_also_when_they_come_bit_by_bit(self):
        with capped(MAX_IDS=3):
            self.assertIn("3", self.refused("add_task", worker="w", task_id="t", deps=list("abcd")))
            self.scheduler.add_task(worker="w", task_id="t", new_deps=["a", "b"])
            self.refused("add_task", worker="w", task_id="t", new_deps=["c", "d"])
            self.scheduler.add_task(worker="w", task_id="t", new_deps=["c"])

    def test_resources_of_a_task(self):
        with capped(MAX_DEMANDS=2):
            self.refused("add_task", worker="w", task_id="t", resources=dict.fromkeys("abc", 1))
            self.refused("decrease_running_task_resources", task_id="t", decrease_resources=dict.fromkeys("abc", 1))

    def test_tasks_but_what_is_there_goes_on(self):
        with capped(MAX_TASKS=3):
            self.scheduler.add_task(worker="w", task_id="a", deps=["b", "c"])
            self.refused("add_task", worker="w", task_id="d")
            self.refused("add_task", worker="w", task_id="a", new_deps=["d"])
            self.scheduler.add_task(worker="w", task_id="a", deps=["b", "c"], status="DONE")
            self.assertEqual({"a"}, set(self.scheduler.task_list(status="DONE")))

    def test_workers_until_the_silent_ones_are_gone(self):
        with capped(MAX_WORKERS=2):
            self.scheduler.ping(worker="a")
            self.scheduler.ping(worker="b")
            for call in ("ping", "get_work", "count_pending", "disable_worker"):
                self.refused(call, worker="c")
            self.scheduler.ping(worker="a")
            self.now = 61
            self.scheduler.prune()
            self.scheduler.ping(worker="c")

    def test_what_a_worker_says_of_itself(self):
        with capped(MAX_VALUE=30):
            self.scheduler.add_worker(worker="w", info={"a": "x" * 20})
            self.refused("add_worker", worker="w", info={"b": "x" * 20})
            self.scheduler.add_worker(worker="w", info={"a": "y" * 20})

    def test_resources_all_or_none(self):
        with capped(MAX_RESOURCES=2):
            self.scheduler.update_resources(a=1)
            self.refused("update_resources", a=2, b=2, c=2)
            self.scheduler.update_resource(resource="b", amount=1)
            self.refused("update_resource", resource="c", amount=1)
            self.scheduler.update_resources(a=3, b=3)

    def test_messages_to_a_worker_that_does_not_come_for_them(self):
        with capped(MAX_UNREAD=2):
            self.scheduler.set_worker_processes(worker="w", n=1)
            self.scheduler.send_scheduler_message(worker="w", task="t", content="x")
            self.refused("send_scheduler_message", worker="w", task="t", content="x")
            self.refused("set_worker_processes", worker="w", n=1)
            self.assertEqual(2, len(self.scheduler.ping(worker="w")["rpc_messages"]))
            self.scheduler.set_worker_processes(worker="w", n=1)

    def test_the_oldest_answer_gives_way(self):
        self.scheduler.add_task(worker="w", task_id="t")
        with capped(MAX_ANSWERS=2):
            for number in range(3):
                self.scheduler.add_scheduler_message_response(task_id="t", message_id=str(number), response=number)
        found = [self.scheduler.get_scheduler_message_response(task_id="t", message_id=name) for name in "012"]
        self.assertEqual([None, 1, 2], [answer["response"] for answer in found])

    def test_failures_do_not_pile_up(self):
        with capped(MAX_FAILURES=3):
            for _ in range(5):
                self.scheduler.add_task(worker="w", task_id="t", status="FAILED")
        self.assertEqual(3, len(self.scheduler._agenda.tasks["t"].failures))

    def batch(self, worker="w", family="F", names=("p",)):
        return {"worker": worker, "task_family": family, "batched_args": names}

    def test_batchers(self):
        with capped(MAX_BATCHERS=1, MAX_BATCHINGS=1):
            self.scheduler.add_task_batcher(**self.batch())
            self.scheduler.add_task_batcher(**self.batch())
            self.assertIn("batchers of a worker", self.refused("add_task_batcher", **self.batch(family="G")))
            self.assertIn("ways", self.refused("add_task_batcher", **self.batch(names=("q",))))
        with capped(MAX_BATCHED=1):
            self.scheduler.add_task_batcher(**self.batch(worker="v"))
            self.assertIn("families to batch", self.refused("add_task_batcher", **self.batch(family="G")))

    def test_batchers_of_workers_long_gone_give_way_to_new_ones(self):
        self.scheduler.ping(worker="present")
        with capped(MAX_BATCHING_WORKERS=3):
            for worker in ("present", "first gone", "second gone", "first gone", "new", "newer"):
                self.scheduler.add_task_batcher(**self.batch(worker))
        self.assertEqual(["present", "new", "newer"], list(self.scheduler._agenda.batchers))

    def test_batchers_given_up_stay_so_after_a_restart(self):
        with tempfile.TemporaryDirectory() as directory, capped(MAX_BATCHING_WORKERS=1):
            settings = {"state_path": f"{directory}/state"}
            for worker in ("first", "second", "none"):
                scheduler = luigid.Scheduler(**settings)
                scheduler.load()
                self.assertEqual(
                    {"none": ["second"], "second": ["first"]}.get(worker, []), [*scheduler._agenda.batchers]
                )
                if worker != "none":
                    scheduler.add_task_batcher(**self.batch(worker))
                scheduler.close()

    def test_a_silent_worker_keeps_its_batchers(self):
        self.scheduler.ping(worker="w")
        self.scheduler.add_task_batcher(**self.batch())
        self.now = 1000.0
        self.scheduler.prune()
        self.assertEqual({}, self.scheduler._agenda.workers)
        for number in range(2):
            params = {"p": str(number)}
            self.scheduler.add_task(worker="w", task_id=str(number), family="F", params=params, batchable=True)
        self.assertEqual(["0", "1"], self.scheduler.get_work(worker="w")["batch_task_ids"])

    def test_a_refusal_does_not_repeat_what_was_too_long(self):
        with self.assertRaises(luigid.BadRequest) as caught:
            self.scheduler.update_resources(**{"x" * 1_000_000: "no"})
        self.assertLess(len(json.dumps(str(caught.exception))), 1000)

    def test_the_table_in_the_readme_has_them_all(self):
        readme = (pathlib.Path(luigid.__file__).parent / "README.md").read_text(encoding="utf-8")
        table = readme.partition("\n## Limits\n")[2].partition("\n## ")[0]
        numbers = set(re.findall("[0-9]+", table))
        section = inspect.getsource(luigid).partition("# What clients may make the state grow by")[2]
        names = re.findall("^(MAX_[A-Z]+) = ", section.partition("class TooMuch")[0], re.MULTILINE)
        self.assertGreater(len(names), 12)
        network = (
            "MAX_CONNECTIONS",
            "MAX_PER_ADDRESS",
            "MAX_CALLS",
            "MAX_LINE",
            "MAX_HEADERS",
            "MAX_PARTS",
            "MAX_NESTING",
        )
        for name in {*names, *network, "AUDIT_ENTRIES"}:
            self.assertIn(str(getattr(luigid, name)), numbers, name)

    def test_options_and_server_have_the_same_defaults(self):
        options = {option.name: option.default for option in luigid.OPTIONS if option.section == "luigid"}
        defaults = inspect.signature(luigid.make_server).parameters
        for name in ("max_body", "max_connections", "max_connections_per_address", "max_calls"):
            self.assertEqual(defaults[name].default, options[name])


if __name__ == "__main__":
    unittest.main()
