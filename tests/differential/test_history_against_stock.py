"""What is recorded of random histories: all that stock's own DbTaskHistory records, and what it leaves out."""

import collections
import logging
import unittest
from unittest import mock

import luigid
from tests.differential.comparison import Duel
from tests.differential.histories import Author
from tests.missing import skip_without

try:
    from luigi import configuration
    from luigi.db_task_history import DbTaskHistory
except ImportError:
    DbTaskHistory = object

DISABLED, DONE, FAILED, PENDING, RUNNING = (
    getattr(luigid, name) for name in ("DISABLED", "DONE", "FAILED", "PENDING", "RUNNING")
)

SEEDS = range(20)

#: calls that say what becomes of the task they name; what becomes of others by them, stock does not record
SAYING = ("add_task", "forgive_failures", "mark_as_done")

EVENTS = "SELECT t.task_id, e.event_name FROM task_events e JOIN tasks t ON t.id = e.task_id ORDER BY e.id"
PARAMETERS = (
    "SELECT t.task_id, t.name, p.name, p.value FROM tasks t JOIN task_parameters p ON p.task_id = t.id "
    "WHERE t.id IN (SELECT min(id) FROM tasks GROUP BY task_id) ORDER BY 1, 3"
)


class StockHistory(DbTaskHistory):
    """Stock's, but it knows what becomes of a task: a failure of one that stays disabled changes nothing."""

    def task_finished(self, task, successful):
        if successful or task.status != DISABLED or task.scheduler_disable_time is None:
            super().task_finished(task, successful)


class Ear(luigid.Attendant):
    """Keeps what it hears, and which call made it happen."""

    name = "ear"

    def __init__(self):
        self.fresh, self.heard = [], []

    def hear(self, event, task, ticket):
        self.fresh.append(event)

    def told(self, call):
        """Take note of the call by which the last events came."""
        self.heard += [(call, event) for event in self.fresh]
        self.fresh.clear()


def is_stocks(call, event):
    """Whether stock records an event, too: it fails at parameters that are no text, as those of a batch."""
    if any(isinstance(value, (list, dict)) for value in event.params.values()):
        return False
    if event.kind in (PENDING, RUNNING):
        return event.reason != "returned"
    named = call.method in SAYING and call.arguments.get("task_id") == event.task_id
    return named and (event.kind in (DONE, FAILED) or (event.kind == DISABLED and event.failures > 0))


def written(event):
    """The names under which an event is in the database."""
    if event.reason == "re-enabled":
        return ()
    if event.kind == DISABLED and event.failures:
        return (FAILED, DISABLED)
    return (RUNNING if event.kind == luigid.BATCH_RUNNING else event.kind,)


class HistoryTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        if DbTaskHistory is object:
            skip_without("SQLAlchemy 1.4")
        logging.disable(logging.WARNING)
        self.addCleanup(logging.disable, logging.NOTSET)

    def play(self, seed):
        """Play a history; what stock recorded, what ours heard of, and what it recorded."""
        ear = Ear()

        def make(clock, resources, settings):
            given = {**settings, "record_task_history": True, "db_connection": "sqlite://"}
            self.scheduler = luigid.Scheduler(clock=clock, resources=resources, **given)
            self.scheduler.attend(ear)
            return self.scheduler

        author = Author(seed, calls=150)
        duel = Duel(author.world.settings, author.world.resources, make)
        with mock.patch.object(configuration.get_config(), "get", return_value="sqlite://"):
            history = duel.stock._task_history = StockHistory()
        # One object serves all of stock's schedulers that were made with the same settings.
        recording = mock.patch.object(duel.stock._config, "record_task_history", True)
        recording.start()
        self.addCleanup(recording.stop)

        def hear(call, reply):
            author.hear(reply)
            ear.told(call)

        self.assertIsNone(duel.play(author(duel.stock), hear))
        self.scheduler.flush()
        with history.engine.connect() as stock, self.scheduler.history.database.open(reading=True) as ours:
            self.compare_parameters(ear.heard, stock, ours)
            return [tuple(row) for row in stock.execute(EVENTS)], ear.heard, ours.rows(EVENTS)

    def compare_parameters(self, heard, stock, ours):
        """Those of the first run are the only ones that stock records, if it hears of the run from the beginning."""
        first = {event.task_id: is_stocks(call, event) for call, event in reversed(heard)}
        rows = (
            [tuple(row) for row in database.execute(PARAMETERS).fetchall() if first[row[0]]]
            for database in (stock, ours)
        )
        self.assertEqual(*rows)

    def test_the_same_and_more(self):
        counts = collections.Counter()
        for seed in SEEDS:
            with self.subTest(seed=seed):
                stock, heard, ours = self.play(seed)
                same = [(event.task_id, written(event)[0]) for call, event in heard if is_stocks(call, event)]
                self.assertEqual(stock, same)
                recorded = [event for _, event in heard if event.kind in luigid.RECORDED]
                self.assertEqual(ours, [(event.task_id, name) for event in recorded for name in written(event)])
                counts.update(name for _, name in stock)
                counts["more"] += len(ours) - len(stock)
        for name in (PENDING, RUNNING, DONE, FAILED, "more"):
            self.assertGreater(counts[name], 20, f"the histories show too little: {counts}")


if __name__ == "__main__":
    unittest.main()
