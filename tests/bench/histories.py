"""A task history of any size, made in seconds: written straight into a database, of which luigid makes the tables."""

import contextlib
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import luigid

FAMILIES, HOSTS = 200, 40

#: Seconds between two runs.
PACE = 3.0

#: Events of a run, and when they are.
EVENTS = {"PENDING": "scheduled", "RUNNING": "started", "DONE": "finished"}

TRACEBACK = "Traceback (most recent call last):\n" + '  File "warehouse.py", line 17, in run\n' * 30


#: What the other tables have of each row of luigid_runs.
DERIVED = (
    "tasks (id, task_id, name, host) SELECT run_id, task_id, family, host FROM luigid_runs",
    "task_parameters SELECT run_id, 'date', 'day ' || (run_id % 400) FROM luigid_runs",
    "task_parameters SELECT run_id, 'env', 'prod' FROM luigid_runs",
    *(
        "task_events (task_id, event_name, ts) "
        f"SELECT run_id, '{event}', datetime({column}, 'unixepoch', 'localtime') || '.000000' FROM luigid_runs"
        for event, column in EVENTS.items()
    ),
    "luigid_deps SELECT a.task_id, b.run_id FROM luigid_runs a JOIN luigid_runs b ON b.run_id = a.run_id + 1",
)


def fill(path: Path, runs: int, until: float) -> None:
    """Put `runs` runs, with three events and two parameters each, into the database at `path`; the last at `until`."""
    columns = ", ".join(luigid.RUN_COLUMNS)
    marks = ", ".join("?" * len(luigid.RUN_COLUMNS))
    with contextlib.closing(sqlite3.connect(path)) as database:
        with luigid.Database(f"sqlite:///{path}").open() as session:
            luigid.prepare_tables(session)
        database.executemany(f"INSERT INTO luigid_runs ({columns}) VALUES ({marks})", made_up(runs, until))
        for derived in DERIVED:
            database.execute(f"INSERT INTO {derived}")
        database.commit()


def made_up(runs: int, until: float) -> Iterator[tuple[Any, ...]]:
    """Yield rows of luigid_runs: some families run far more often than others, one in twenty fails."""
    random_numbers = random.Random(runs)
    for number in range(1, runs + 1):
        family = f"Family{min(FAMILIES - 1, int(random_numbers.expovariate(0.02))):03}"
        failed = random_numbers.random() < 0.05
        scheduled = until - PACE * (runs - number)
        started, duration = scheduled + 100 * random_numbers.random(), random_numbers.lognormvariate(4, 1)
        run = {
            "run_id": number,
            "task_id": f"{family}_{number // 3}_0123456789",
            "family": family,
            "host": f"etl-{number % HOSTS}",
            "worker": f"Worker(salt={number // 200}, host=etl-{number % HOSTS})",
            "status": "FAILED" if failed else "DONE",
            "scheduled": scheduled,
            "started": started,
            "finished": started + duration,
            "duration": duration,
            "message": f"ValueError: no column {number % 7}" if failed else None,
            "hidden": "[]",
            "deps": "[]",
            "error": f"{TRACEBACK}ValueError: no column {number % 7}" if failed else None,
        }
        yield tuple(map(run.get, luigid.RUN_COLUMNS))


def questions(runs: int, until: float) -> Iterator[tuple[str, str]]:
    """Yield what is asked of such a history: in words, and the address below /api/history/."""
    month = f"since={until - 30 * 86400}&until={until}"
    yield "the last 50 runs", "runs"
    yield "... of a family, host, status, parameter", "runs?family=Family003&host=etl-3&status=DONE&param=env%3Dprod"
    yield "... with a parameter that a few have", "runs?param=date%3Dday+7"
    yield "... that are nowhere", "runs?host=nowhere&sort=-duration"
    yield "the longest runs of a month", f"runs?sort=-duration&{month}"
    yield "a run with its neighbours", f"run?run_id={runs // 2}"
    yield "50 families", "families"
    yield "a family, durations and the last 1000 runs", "family?family=Family000&last=1000"
    yield "failures by message", "failures"
    yield "failures of a family by message", "failures?family=Family000"
    yield "all runs of a month, by day", f"buckets?bucket=day&{month}"
    yield "those of a family", f"buckets?bucket=day&family=Family000&{month}"
    yield "what running tasks are expected to take", "expectations"
