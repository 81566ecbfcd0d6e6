"""What happened in a history: so that one can see that the hard parts were reached."""

import collections
from typing import Any, Dict, Set

from .histories import BATCH_RUNNING, DISABLED, DONE, FAILED, PENDING, RUNNING, UNKNOWN, Call


class Observer:
    """Counts, after each call, what stock answered and what changed in it."""

    def __init__(self, stock: Any) -> None:
        self.stock, self.state = stock, stock._state
        self.counts: Dict[str, int] = collections.Counter()
        self.before = self._snapshot()
        self.workers: Set[str] = set()

    def _snapshot(self) -> Dict[str, tuple]:
        return {
            task.id: (task.status, task.priority, task.worker_running, task.scheduler_disable_time)
            for task in self.state.get_active_tasks()
        }

    def __call__(self, call: Call, reply: Any) -> None:
        self.call, self.reply, self.now = call, reply, self._snapshot()
        self.counts["call " + call.method] += 1
        self._statuses()
        self._workers()
        special = getattr(self, "_" + call.method, None)
        if special:
            special(**call.arguments)
        self.before = self.now

    def happened(self, event: str, times: int = 1) -> None:
        if times:
            self.counts[event] += times

    def _statuses(self) -> None:
        for task_id, (status, priority, *_) in self.now.items():
            old = self.before.get(task_id)
            if old is None:
                self.happened("status new -> " + status)
                self.happened("placeholder made", status == UNKNOWN and self.call.arguments.get("task_id") != task_id)
            elif old[0] != status:
                self.happened("status %s -> %s" % (old[0], status))
                self._status_change(task_id, old, self.now[task_id])
            if old and priority > old[1] and self.call.arguments.get("task_id") != task_id:
                self.happened("priority raised upstream while " + status)
        for task_id in self.before.keys() - self.now.keys():
            self.happened("task pruned while " + self.before[task_id][0])

    def _status_change(self, task_id: str, old: tuple, new: tuple) -> None:
        method = self.call.method
        self.happened("disabled after failures", new[0] == DISABLED and new[3] is not None)
        self.happened("re-enabled by time", old[3] is not None and new[0] == FAILED and method != "re_enable_task")
        self.happened("re-enabled by hand", old[3] is not None and new[0] == FAILED and method == "re_enable_task")
        self.happened("disabled by its worker", new[0] == DISABLED and new[3] is None)
        self.happened("retried after its delay", old[0] == FAILED and new[0] == PENDING and method not in ("add_task", "forgive_failures"))
        died = method != "add_task" and old[0] in (RUNNING, BATCH_RUNNING) and new[2] is None and old[2] is not None
        self.happened("dead worker's task failed", died)
        self.happened("batch task settled with its batch", old[0] == BATCH_RUNNING and self.call.arguments.get("task_id") != task_id)

    def _workers(self) -> None:
        workers = set(self.state._active_workers)
        self.happened("worker pruned", len(self.workers - workers))
        self.workers = workers

    def _get_work(self, worker: str, assistant: bool = False, **others: Any) -> None:
        reply = self.reply
        if reply["worker_state"] == "disabled":
            self.happened("disabled worker asked")
        elif reply.get("batch_task_ids"):
            self.happened("batch given")
        elif reply["task_id"] is None:
            self._nothing_given(worker)
        elif self.before.get(reply["task_id"], (None,))[0] == RUNNING:
            self.happened("lost reply given again")
        else:
            self.happened("task given")
            self.happened("assistant given a task of others", worker not in self.state.get_task(reply["task_id"]).workers)
        unclaimed = sum(old[0] == BATCH_RUNNING and self.now.get(task_id, old)[0] == PENDING for task_id, old in self.before.items())
        self.happened("unclaimed batch task back in the pool", unclaimed)
        self.happened("work asked for while paused", self.stock._paused)
        self._below_disabled(worker)

    def _nothing_given(self, worker: str) -> None:
        used = self.stock._used_resources()
        mine = [task for task in self.state.get_active_tasks_by_status(PENDING) if worker in task.workers]
        ready = [task for task in mine if self.stock._schedulable(task)]
        free = [task for task in ready if self.stock._has_resources(task.resources, used)]
        self.happened("nothing given: none ready", not ready)
        self.happened("nothing given: resources in use", bool(ready) and not free)
        self.happened("nothing given: resources kept for a task ranked above", bool(free) and not self.stock._paused)

    def _count_pending(self, worker: str) -> None:
        self._below_disabled(worker)

    def _below_disabled(self, worker: str) -> None:
        mine = sum(worker in task.workers for task in self.state.get_active_tasks_by_status(PENDING, FAILED))
        given = 1 if self.reply.get("task_id") else len(self.reply.get("batch_task_ids", ()))
        self.happened("blocked below a disabled task", self.reply["worker_state"] == "active" and self.reply["n_pending_tasks"] < mine - given)

    def _add_task(self, task_id: str, worker: str, status: str = PENDING, **others: Any) -> None:
        old = self.before.get(task_id, (None,))[0]
        new = self.now.get(task_id, (None,))[0]
        self.happened("claim ignored in the cool-down", old == DONE and new == DONE and status == PENDING)
        self.happened("claim by a disabled worker", self.state.get_worker(worker).disabled)
        self.happened("report by another than the running worker ignored", old == RUNNING and new == RUNNING and status in (DONE, FAILED))
        self.happened("dependencies found while running", bool(others.get("new_deps")) and old == RUNNING)
        self.happened("batch claimed", others.get("batch_id") is not None)

    def _task_list(self, **arguments: Any) -> None:
        self.happened("list too long", "num_tasks" in self.reply)
        self.happened("list with tasks", "num_tasks" not in self.reply and len(self.reply) > 0)

    def _cut_graph(self, **arguments: Any) -> None:
        self.happened("graph cut", len(self.reply) == self.stock._config.max_graph_nodes)
        self.happened("graph with a missing task", any("resources" not in node for node in self.reply.values()))

    _dep_graph = _inverse_dep_graph = _cut_graph

    def _ping(self, worker: str) -> None:
        self.happened("message delivered", len(self.reply["rpc_messages"]))

    def _get_scheduler_message_response(self, **arguments: Any) -> None:
        self.happened("message answered", self.reply["response"] is not None)
