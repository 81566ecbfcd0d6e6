"""Fill a scheduler of the luigi at hand, let it save its state, and print what it says when it has loaded that again.

    python fill_state.py STATE_PATH         fill, save, load, ask
    python fill_state.py STATE_PATH NOW     load, ask, at another time (epoch seconds)

The answers are printed as JSON: {"now": epoch seconds, "settings": {...}, "resources": {...}, "said": [[method,
arguments, reply], ...]}. This file runs with any luigi from 2.8 on, and with any Python that runs it, 2.7 among them.
"""

import json
import sys

from luigi import scheduler as stock

SETTINGS = {"retry_count": 3, "disable_window": 500, "remove_delay": 1000.0, "worker_disconnect_delay": 100.0}


RESOURCES = {"disk": 3}

#: text of the kind that goes over the wire, under Python 2 as well
TEXT = json.loads(r'''"\u00e9 <b> ' \" \\ \u2028 \ud83d\ude00 \u0000\n"''')

WORKERS = ("w1", "w2", "helper", "off")


class Clock:
    """Stands in for the module `time`."""

    now = 1600000000.5

    def time(self):
        return self.now


def fill(scheduler, clock):
    """Call what there is to call, so that every field of tasks and workers is in use, in most of their states."""

    def add(worker, task_id, **arguments):
        family = task_id.partition("_")[0]
        arguments.setdefault("params", {"date": task_id[-1], "text": TEXT})
        scheduler.add_task(worker=worker, task_id=task_id, family=family, module="pipeline", **arguments)
        clock.now += 0.25

    scheduler.add_worker(worker="w1", info={"workers": 3, "host": TEXT, "first_task": "Top_1"})
    scheduler.add_worker(worker="helper", info={"workers": 1})
    scheduler.add_task_batcher(worker="w1", task_family="Batch", batched_args=["date"], max_batch_size=3)
    scheduler.add_task_batcher(worker="w1", task_family="Other", batched_args=["date", "text"])
    add("w1", "Top_1", deps=["Low_1", "Low_2", "Nobody_1"], priority=2.5, resources={"disk": 1, "tape": 0.5})
    add("w1", "Low_1", resources={"disk": 2}, priority=7)
    add("w2", "Low_1", resources={"disk": 2})
    add("w1", "Low_2", status="DONE")
    add("w2", "Hidden_1", params={"a": "1", "b": "2", "c": "3"}, param_visibilities={"a": 0, "b": 1, "c": 2})
    add("w2", "Fails_1", status="FAILED", expl=TEXT, retry_policy_dict={"retry_count": 2})
    add("w2", "Fails_2", status="FAILED", expl="once")
    for _ in range(3):
        add("w2", "Fails_3", status="FAILED", expl="thrice")
    add("w2", "Off_1", status="DISABLED")
    add("w2", "Below_1", deps=["Fails_3"])
    add("w2", "Odd_1", params={}, runnable=False)
    scheduler.get_work(worker="w1", host="there", current_tasks=[])  # Low_1
    add("w1", "Low_1", resources={"disk": 2}, status="RUNNING", accepts_messages=True, tracking_url="http://tracker")
    scheduler.set_task_status_message(task_id="Low_1", status_message=TEXT)
    scheduler.set_task_progress_percentage(task_id="Low_1", progress_percentage=50)
    scheduler.decrease_running_task_resources(task_id="Low_1", decrease_resources={"disk": 1})
    scheduler.add_scheduler_message_response(task_id="Low_1", message_id="m1", response="yes")
    for number in range(5):
        add("w1", "Batch_%d" % number, batchable=True, params={"date": str(number)}, priority=9)
    batch = scheduler.get_work(worker="w1", host="there", current_tasks=["Low_1"])
    add("w1", "Batch_all", status="RUNNING", batch_id=batch["batch_id"], params={"date": "many"})
    scheduler.get_work(worker="helper", host="yonder", assistant=True)
    scheduler.disable_worker(worker="off")
    scheduler.set_worker_processes(worker="w2", n=4)
    scheduler.send_scheduler_message(worker="w1", task="Low_1", content="hurry")
    add("silent", "Orphan_1")
    add("silent", "Orphan_2", status="DONE")
    clock.now += SETTINGS["worker_disconnect_delay"] / 2
    for worker in WORKERS:
        scheduler._state.get_worker(worker).last_active = clock.now
    clock.now += SETTINGS["worker_disconnect_delay"] / 2 + 2
    scheduler.prune()  # "silent" is gone, and what it wanted will be removed


def ask(scheduler):
    """Return what the scheduler answers about all of it: [method, arguments, reply]."""
    calls = [("task_list", {"status": "", "upstream_status": ""}), ("worker_list", {})]
    calls += [("dep_graph", {"task_id": "Top_1"}), ("inverse_dep_graph", {"task_id": "Fails_3"})]
    task_ids = sorted(scheduler._state._tasks)
    calls += [("fetch_error", {"task_id": task_id}) for task_id in task_ids]
    for aspect in ("status_message", "progress_percentage"):
        calls += [("get_task_" + aspect, {"task_id": task_id}) for task_id in task_ids]
    calls += [("get_running_task_resources", {"task_id": task_id}) for task_id in task_ids]
    calls += [("count_pending", {"worker": worker}) for worker in WORKERS]
    # what follows changes the state
    calls += [("get_scheduler_message_response", {"task_id": "Low_1", "message_id": "m1"})]
    calls += [("ping", {"worker": worker}) for worker in WORKERS]
    calls += [("get_work", {"worker": worker, "host": "there"}) for worker in WORKERS]
    return [[method, arguments, getattr(scheduler, method)(**arguments)] for method, arguments in calls]


def make(path):
    """Return a scheduler that keeps its state in `path`."""
    return stock.Scheduler(resources=dict(RESOURCES), state_path=path, **SETTINGS)


def main(path, now=None):
    """Do all of it."""
    stock.time = clock = Clock()
    if now is None:
        scheduler = make(path)
        fill(scheduler, clock)
        scheduler.dump()
    else:
        clock.now = float(now)
    again = make(path)
    again.load()
    told = {"now": clock.now, "settings": SETTINGS, "resources": RESOURCES, "said": ask(again)}
    json.dump(told, sys.stdout, sort_keys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
