"""What happened in a history: so that one can see that the hard parts were reached."""

import collections
from typing import Any, NamedTuple, Optional

from .histories import BATCH_RUNNING, DISABLED, DONE, FAILED, PENDING, RUNNING, UNKNOWN, Call


class Seen(NamedTuple):
    """A task as it was between two calls."""

    status: str
    priority: float
    runner: Optional[str]
    disabled_at: Optional[float]  #: by the scheduler


class Observer:
    """Counts, after each call, what stock answered and what changed in it."""

    def __init__(self, stock: Any) -> None:
        self.stock, self.state = stock, stock._state
        self.counts: dict[str, int] = collections.Counter()
        self.before: dict[str, Seen] = {}
        self.workers: set[str] = set()

    def __call__(self, call: Call, reply: Any) -> None:
        self.call, self.reply = call, reply
        self.now = {
            task.id: Seen(task.status, task.priority, task.worker_running, task.scheduler_disable_time)
            for task in self.state.get_active_tasks()
        }
        self.happened("call " + call.method)
        self._tasks()
        self._workers()
        special = getattr(self, "_" + call.method, None)
        if special:
            special(**call.arguments)
        self.before = self.now

    def happened(self, event: str, times: int = 1) -> None:
        """Count an event, if it did happen."""
        if times:
            self.counts[event] += times

    def _tasks(self) -> None:
        for task_id, new in self.now.items():
            old = self.before.get(task_id)
            itself = self.call.arguments.get("task_id") == task_id
            if old is None:
                self.happened("status new -> " + new.status)
                self.happened("placeholder made", new.status == UNKNOWN and not itself)
                continue
            self.happened("priority raised upstream while " + new.status, new.priority > old.priority and not itself)
            if old.status != new.status:
                self.happened(f"status {old.status} -> {new.status}")
                self._status_change(old, new, itself)
        for task_id in self.before.keys() - self.now.keys():
            self.happened("task pruned while " + self.before[task_id].status)

    def _status_change(self, old: Seen, new: Seen, itself: bool) -> None:
        method, was_running = self.call.method, old.status in (RUNNING, BATCH_RUNNING)
        enabled, by_hand = old.disabled_at is not None and new.status == FAILED, method == "re_enable_task"
        by_time = method not in ("add_task", "forgive_failures")
        self.happened("disabled after failures", new.disabled_at is not None)
        self.happened("disabled by its worker", new.status == DISABLED and new.disabled_at is None)
        self.happened("re-enabled by time", enabled and not by_hand)
        self.happened("re-enabled by hand", enabled and by_hand)
        self.happened("retried after its delay", old.status == FAILED and new.status == PENDING and by_time)
        self.happened("dead worker's task failed", was_running and by_time and old.runner and not new.runner)
        self.happened("batch task settled with its batch", old.status == BATCH_RUNNING and not itself)

    def _workers(self) -> None:
        workers = set(self.state._active_workers)
        self.happened("worker pruned", len(self.workers - workers))
        self.workers = workers

    def _get_work(self, worker: str, **others: Any) -> None:
        given = self.reply["task_id"]
        if self.reply["worker_state"] == "disabled":
            self.happened("disabled worker asked")
        elif self.reply.get("batch_task_ids"):
            self.happened("batch given")
            self.happened("batch of more than two given", len(self.reply["batch_task_ids"]) > 2)
        elif given is None:
            self._nothing_given(worker)
        elif self.before.get(given) and self.before[given].status == RUNNING:
            self.happened("lost reply given again")
        else:
            self.happened("task given")
            self.happened("assistant given a task of others", worker not in self.state.get_task(given).workers)
        returned = (task_id for task_id, old in self.before.items() if old.status == BATCH_RUNNING)
        unclaimed = sum(task_id in self.now and self.now[task_id].status == PENDING for task_id in returned)
        self.happened("unclaimed batch task back in the pool", unclaimed)
        self.happened("work asked for while paused", self.stock._paused)
        self._count_pending(worker)

    def _nothing_given(self, worker: str) -> None:
        used = self.stock._used_resources()
        mine = [task for task in self.state.get_active_tasks_by_status(PENDING) if worker in task.workers]
        ready = [task for task in mine if self.stock._schedulable(task)]
        free = [task for task in ready if self.stock._has_resources(task.resources, used)]
        self.happened("nothing given: none ready", not ready)
        self.happened("nothing given: resources in use", bool(ready) and not free)
        self.happened("nothing given: resources kept for tasks ranked above", bool(free) and not self.stock._paused)

    def _count_pending(self, worker: str) -> None:
        mine = sum(worker in task.workers for task in self.state.get_active_tasks_by_status(PENDING, FAILED))
        active = self.reply["worker_state"] == "active"
        self.happened("task not counted below a disabled one", active and self.reply["n_pending_tasks"] < mine)

    def _add_task(self, task_id: str, worker: str, status: str = PENDING, **others: Any) -> None:
        old, new = (seen[task_id].status if task_id in seen else None for seen in (self.before, self.now))
        ended = status in (DONE, FAILED)
        self.happened("claim ignored in the cool-down", old == new == DONE and status == PENDING)
        self.happened("claim by a disabled worker", self.state.get_worker(worker).disabled)
        self.happened("report by another than the running worker ignored", old == new == RUNNING and ended)
        self.happened("dependencies found while running", bool(others.get("new_deps")) and old == RUNNING)
        self.happened("batch claimed", others.get("batch_id") is not None)

    def _task_list(self, **arguments: Any) -> None:
        self.happened("list too long", "num_tasks" in self.reply)
        self.happened("list with tasks", "num_tasks" not in self.reply and len(self.reply) > 0)

    def _dep_graph(self, **arguments: Any) -> None:
        self.happened("graph cut", len(self.reply) == self.stock._config.max_graph_nodes)
        self.happened("graph with a missing task", any("resources" not in node for node in self.reply.values()))

    _inverse_dep_graph = _dep_graph

    def _ping(self, worker: str) -> None:
        self.happened("message delivered", len(self.reply["rpc_messages"]))

    def _get_scheduler_message_response(self, **arguments: Any) -> None:
        self.happened("message answered", self.reply["response"] is not None)
