"""The differential test can fail: wrong decisions, put into luigid one by one, show in some replies."""

import itertools
import unittest
from unittest import mock

import luigid
from luigid import Agenda, Scheduler

from .comparison import play_seed

SEEDS = 150  # histories within which every mutant must be caught


class Unproved(Scheduler):
    """Has no validate(): a mutant must be caught by what it answers."""

    def validate(self):
        pass


def mutant_scheduler(clock, resources, settings):
    return Unproved(clock=clock, resources=resources, **settings)


def changed(owner, name, change):
    """Replace a method by what `change` makes of the original."""
    return mock.patch.object(owner, name, change(getattr(owner, name)))


def _backwards(init):
    def wrapper(agenda):
        init(agenda)
        agenda._orders = itertools.count(-1, -1)

    return wrapper


def _raise_one(raise_priority):
    def wrapper(agenda, task, priority):
        task.priority = max(task.priority, priority)
        agenda.settle(task)

    return wrapper


#: What is decided wrongly -> how.
MUTANTS = {
    "of equal ranks the newest goes first": changed(Agenda, "__init__", _backwards),
    "running tasks rank above equal waiting ones": mock.patch.object(luigid, "AFTER_PENDING", -(1 << 62)),
    "nothing is kept for tasks ranked above": changed(
        Agenda,
        "_choose_fairly",
        lambda original: lambda agenda, worker, assistant, slots: next(
            entry[-1]
            for entry in (agenda.line if assistant else worker.line).ranked()
            if agenda._may_run(worker, assistant, entry[-1])
        ),
    ),
    "what runs takes part in no ranking": changed(
        Agenda, "_ranked_running", lambda original: lambda agenda, slots: iter(())
    ),
    "resources are kept for workers that no longer ask": changed(
        Agenda, "_free_slots", lambda original: lambda agenda, alive_since: original(agenda, float("-inf"))
    ),
    "priorities do not rise upstream": changed(Agenda, "raise_priority", _raise_one),
    "a disabled task bars only those right below it": changed(
        Agenda,
        "_has_bar",
        lambda original: (
            lambda agenda, task: (
                original(agenda, task)
                and (task.status == "DISABLED" or any(dep in agenda.by_status["DISABLED"] for dep in task.deps))
            )
        ),
    ),
    "batches end at two": changed(
        Agenda, "batch_with", lambda original: lambda agenda, worker, first: original(agenda, worker, first)[:2]
    ),
    "workers are gone a moment early": changed(
        Agenda, "pop_silent_workers", lambda original: lambda agenda, now, delay: original(agenda, now, delay - 0.25)
    ),
    "what is due is done youngest first": changed(
        Agenda, "pop_due", lambda original: lambda agenda, now: reversed(list(original(agenda, now)))
    ),
    "a task just done is run again": changed(Scheduler, "_just_done", lambda original: lambda scheduler, task: False),
    "lost replies are not given again": changed(
        Scheduler, "_lost_run", lambda original: lambda scheduler, asker, current_tasks: None
    ),
    "unclaimed batches stay with their worker": changed(
        Scheduler, "_return_unclaimed", lambda original: lambda scheduler, asker: None
    ),
    "assistants are taken for dead": changed(
        Scheduler,
        "_is_abandoned",
        lambda original: (
            lambda scheduler, task: (
                task.status in ("RUNNING", "BATCH_RUNNING")
                and task.worker_running
                and task.worker_running not in task.stakeholders
            )
        ),
    ),
    "old failures are forgotten with the new": changed(
        Scheduler, "_re_enable", lambda original: lambda scheduler, task: scheduler._set_status(task, "FAILED")
    ),
}


def caught(seeds):
    return any(play_seed(seed, mutant_scheduler).disagreement for seed in seeds)


class MutantTest(unittest.TestCase):
    def test_every_mutant_is_caught(self):
        for name, mutant in MUTANTS.items():
            with self.subTest(name), mutant:
                self.assertTrue(caught(range(SEEDS)), f"no history of the first {SEEDS} shows it")

    def test_there_is_nothing_to_catch_without_a_mutant(self):
        self.assertFalse(caught(range(20)))


if __name__ == "__main__":
    unittest.main()
