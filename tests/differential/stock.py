"""Stock luigi's scheduler, made comparable.

The reference has to answer the same history the same way every time. What stands in the way is taken out here, and
nothing else: the time and e-mails come from outside, and what depends on string hashes or on object addresses (the
order of a `set`) becomes the order of arrival. Where that, or a plain fault of stock, changes what a call answers, the
change is an entry of DIFFERENCES, and the README lists it under the same name.
"""

import inspect
import logging
import textwrap
import types
from collections.abc import Iterable
from typing import Any, Callable

from luigi import scheduler as luigi_scheduler

#: Where the reference is not stock as it is: name (as in the README's 'Differences from stock') -> what changes, why.
DIFFERENCES = {
    "orders are orders of arrival": (
        "Stock keeps dependencies and stakeholders in sets, so that the order in which it creates placeholders for "
        "unknown dependencies depends on string hashes. The order in which the call names them counts here."
    ),
    "pruned tasks are not counted or handed out": (
        "Stock's workers hold on to the tasks they added after these were pruned, and count them, and give them out, "
        "whenever the worker has fewer tasks than the scheduler. The status tables alone count here."
    ),
    "decrease_running_task_resources on a batch does not alter what its tasks ask for later": (
        "A batch-running task of stock shares its dict of running resources with the resources it asks for, so that a "
        "decrease lasts beyond the run. The run has its own copy here."
    ),
    "an UNKNOWN task hides what is upstream of it": (
        "Stock looks through an UNKNOWN task to its dependencies only if its walk happens to meet the task a second "
        "time. It never does here."
    ),
}


class ArrivalSet(dict):
    """What stock does with a set, in order of arrival."""

    def __init__(self, items: Iterable = ()) -> None:
        super().__init__(dict.fromkeys(items))

    def add(self, item: Any) -> None:
        self[item] = None

    def update(self, items: Iterable) -> None:
        super().update(dict.fromkeys(items))

    def difference_update(self, items: Iterable) -> None:
        for item in items:
            self.pop(item, None)

    def __or__(self, other: Iterable) -> "ArrivalSet":
        return ArrivalSet([*self, *other])


def _tasks_of_worker(worker, state, *statuses):
    return [task for task in state.get_active_tasks_by_status(*statuses) if worker.id in task.workers]


def _running_resources_of_its_own(set_batch_running):
    def wrapper(state, task, batch_id, worker_id):
        set_batch_running(state, task, batch_id, worker_id)
        task.resources_running = dict(task.resources)

    return wrapper


def _opaque_unknown(upstream_status):
    """Recompile stock's method with its second look at a task restricted to PENDING ones."""
    source = textwrap.dedent(inspect.getsource(upstream_status))
    second_look = '== "" and dep.deps:'
    if source.count(second_look) != 1:
        raise AssertionError("this is not the luigi whose upstream status is known here")
    names = {}
    exec(source.replace(second_look, '== "" and dep.deps and dep.status == PENDING:'), vars(luigi_scheduler), names)
    return names[upstream_status.__name__]


def _patch() -> None:
    luigi_scheduler.set = ArrivalSet
    luigi_scheduler.notifications = types.SimpleNamespace(send_error_email=lambda subject, message: None)
    luigi_scheduler.Worker.get_tasks = _tasks_of_worker
    state = luigi_scheduler.SimpleTaskState
    state.set_batch_running = _running_resources_of_its_own(state.set_batch_running)
    luigi_scheduler.Scheduler._upstream_status = _opaque_unknown(luigi_scheduler.Scheduler._upstream_status)
    logging.getLogger("luigi.scheduler").setLevel(logging.CRITICAL)


_patch()

RPC_METHODS = frozenset(luigi_scheduler.RPC_METHODS)


def argument_names(method: str) -> set[str]:
    """The named arguments of one of stock's methods."""
    return set(inspect.getfullargspec(getattr(luigi_scheduler.Scheduler, method)).args) - {"self"}


def stock_scheduler(clock: Callable[[], float], resources: dict[str, int], settings: dict[str, Any]):
    """A fresh stock scheduler. Stock takes the time from its module: the newest scheduler's clock holds for all."""
    luigi_scheduler.time = types.SimpleNamespace(time=clock)
    scheduler = luigi_scheduler.Scheduler(resources=dict(resources), **settings)
    scheduler._resources = dict(resources)  # stock reads a configuration file when there are none
    return scheduler
