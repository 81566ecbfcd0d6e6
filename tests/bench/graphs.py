"""The tasks that the daemons are loaded with: what stock's worker sends for them, argument by argument.

They look like a nightly job's: some families in some modules, three parameters, five levels of priority, ids as luigi
makes them. A graph is an iterable of the arguments of `add_task`, in the order in which stock's worker sends them: a
task before what it depends on.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

FAMILIES = ("ExtractTable", "CleanTable", "JoinTables", "AggregateByDay", "LoadWarehouse", "CheckQuality", "SendReport")
PRIORITIES = (0, 0, 0, 5, 0, 10, 0, 0, 20, 0, 50)

#: Who speaks for the tasks of a graph, unless several workers do.
LOADER = "Worker(salt=4711, workers=1, host=etl-1, username=luigi, pid=100)"

#: How many layers a layered graph has.
LAYERS = 100


def params(number: int) -> dict[str, str]:
    """Return the parameters of a task."""
    return {
        "date": f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}",
        "table": f"table_{number:07}",
        "shard": str(number % 16),
    }


def task_id(number: int) -> str:
    """Return the id of a task, in luigi's form: family, start of the parameters, hash."""
    values = params(number)
    digest = hashlib.md5(str(number).encode("ascii"), usedforsecurity=False).hexdigest()[:10]
    return f"{FAMILIES[number % len(FAMILIES)]}_{values['date'].replace('-', '_')}_{values['table']}_{digest}"


def described(number: int, worker: str = LOADER, **changes: Any) -> dict[str, Any]:
    """Return the arguments of an `add_task`, all those that stock's client sends, with `changes`."""
    family = FAMILIES[number % len(FAMILIES)]
    arguments = {
        "task_id": task_id(number),
        "status": "PENDING",
        "runnable": True,
        "deps": [],
        "new_deps": None,
        "expl": None,
        "resources": {},
        "priority": PRIORITIES[number % len(PRIORITIES)],
        "family": family,
        "module": f"warehouse.{family.lower()}",
        "params": params(number),
        "param_visibilities": {"date": 0, "table": 0, "shard": 0},
        "accepts_messages": False,
        "assistant": False,
        "tracking_url": None,
        "worker": worker,
        "batchable": False,
        "batch_id": None,
        "retry_policy_dict": {"retry_count": None, "disable_hard_timeout": None, "disable_window": None},
        "owners": [],
    }
    return {**arguments, **changes}


def done(task: str, worker: str) -> dict[str, Any]:
    """Return the arguments by which a worker reports that a task it ran is DONE."""
    return described(int(task.split("_table_")[1][:7]), worker, status="DONE", runnable=None, expl='""', deps=None)


def plain(numbers: Iterable[int]) -> Iterator[dict[str, Any]]:
    """Yield tasks without dependencies and resources."""
    return map(described, numbers)


def exhausted(size: int) -> Iterator[dict[str, Any]]:
    """Yield tasks that all need the resource "database", of which there is one."""
    return (described(number, resources={"database": 1}) for number in range(size))


def layered(size: int, workers: Sequence[str] = (LOADER,)) -> Iterator[dict[str, Any]]:
    """Yield a graph: one root, LAYERS layers whose tasks each need two of the layer below, one source that is DONE.

    Each worker speaks for all of it, as when each runs the whole pipeline.
    """
    for number in reversed(range(1, size)):
        deps = [task_id(dep) for dep in dependencies(number, size)]
        for worker in workers:
            yield described(number, worker, deps=deps)
    for worker in workers:
        yield described(0, worker, status="DONE")


def dependencies(number: int, size: int) -> Sequence[int]:
    """Return the numbers of the tasks that a task of a layered graph needs; 0 is the source, size - 1 the root."""
    width = layer_width(size)
    if number == size - 1:
        return range(size - 1 - width, size - 1)
    if number <= width:
        return (0,)
    neighbour = number - width + 1 if number % width else number - 2 * width + 1
    return (number - width, neighbour)


def layer_width(size: int) -> int:
    """Return the number of tasks in a layer of a layered graph."""
    return max(2, (size - 2) // LAYERS)
