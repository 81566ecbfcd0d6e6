"""The agenda: every index against what a plain walk over all tasks finds, in random histories and in small examples."""

import collections
import random
import unittest

from luigid import (
    BATCH_RUNNING,
    DISABLED,
    DONE,
    FAILED,
    PENDING,
    RUNNING,
    STATUSES,
    UNKNOWN,
    Agenda,
    Queue,
    RetryPolicy,
)

POLICY = RetryPolicy(999, 999, 999)
FAMILIES = ("Extract", "Load", "Load")
DELAY = 10  # seconds of silence after which a worker is gone
FAR = 1e9  # a moment after all others


def demand(**amounts):
    return tuple(sorted(amounts.items()))


def add(agenda, task_id, status=PENDING, deps=(), workers=(), now=0, **fields):
    """A settled task that some workers may run."""
    task = agenda.create(task_id, PENDING, now, POLICY)
    for name, value in fields.items():
        setattr(task, name, value)
    agenda.set_deps(task, deps)
    for worker in workers:
        agenda.add_claim(task, worker)
        agenda.add_stake(task, worker)
    become(agenda, task, status)
    return task


def become(agenda, task, status):
    agenda.set_status(task, status)
    agenda.settle(task)


def hire(agenda, worker_id, processes=1, last_get_work=None):
    worker = agenda.add_worker(worker_id, 0, DELAY)
    worker.info = {"workers": processes}
    worker.last_get_work = last_get_work
    return worker


def dismiss(agenda, *workers):
    """Let workers fall silent, and forget them."""
    for worker in agenda.workers.values():
        worker.last_active = 0 if worker in workers else FAR
    list(agenda.pop_silent_workers(FAR, DELAY))


# -- the rules, as a plain walk ----------------------------------------------------------------------------------------


def is_ready(agenda, task):
    tasks = agenda.tasks
    return task.status == PENDING and all(dep in tasks and tasks[dep].status == DONE for dep in task.deps)


def rank(task):
    return (-task.priority, task.time, task.status == RUNNING, task.order)


def use_of(agenda):
    use = collections.Counter()
    for task in agenda.tasks.values():
        if task.status == RUNNING:
            use.update(dict(task.held()))
    return use


def fits(agenda, task, use):
    return all(use[name] + amount <= agenda.totals.get(name, 1) for name, amount in task.resources)


def choose_by_walk(agenda, worker, assistant, alive_since):
    """What `Agenda.choose` must return: everything is given out in rank order until the worker's turn comes."""
    alive = [w for w in agenda.workers.values() if w.last_get_work is not None and w.last_get_work > alive_since]
    slots = collections.Counter({w.id: w.info.get("workers", 1) for w in alive})
    used, taken = use_of(agenda), collections.Counter()
    for task in sorted((t for t in agenda.tasks.values() if t.status in (PENDING, RUNNING)), key=rank):
        if task.status == RUNNING:
            if task.worker_running in slots:
                slots[task.worker_running] -= 1
                taken.update(dict(task.held()))
        elif is_ready(agenda, task) and fits(agenda, task, taken):
            allowed = worker.id in task.workers or (assistant and task.runnable)
            if allowed and fits(agenda, task, used):
                return task
            claims = [*task.workers, worker.id] if assistant else task.workers
            taker = next((claim for claim in claims if slots[claim] > 0), None)
            if taker is not None:
                slots[taker] -= 1
                taken.update(dict(task.resources))
    return None


def batch_by_walk(agenda, worker, first):
    """What `Agenda.batch_with` must return."""
    names, max_size = agenda.batchers.get(worker.id, {}).get(first.family, ((), 1))
    if not first.batchable or not names or not set(names) <= set(first.params):
        return [first]
    others = {name: value for name, value in first.params.items() if name not in names}
    trivial = not worker.assistant and not any(
        task.resources for task in agenda.tasks.values() if task.status == PENDING and worker.id in task.workers
    )
    followers = [
        task
        for task in sorted(agenda.tasks.values(), key=rank)
        if rank(task) > rank(first)
        and is_ready(agenda, task)
        and (task.family, task.resources, task.batchable) == (first.family, first.resources, True)
        and all(task.params.get(name) == value for name, value in others.items())
        and (not trivial or worker.id in task.workers)
    ]
    return [first, *followers][: max(1, int(max_size))]


def barred_by_walk(agenda):
    """Tasks from which a path upstream through PENDING tasks reaches a DISABLED one; they themselves included."""
    barred = {task.id for task in agenda.tasks.values() if task.status == DISABLED}
    grown = True
    while grown:
        more = {t.id for t in agenda.tasks.values() if t.status == PENDING and barred.intersection(t.deps)} - barred
        barred |= more
        grown = bool(more)
    return barred


def counters_by_walk(agenda, worker):
    mine = [task for task in agenda.tasks.values() if worker.id in task.workers]
    barred = barred_by_walk(agenda)
    pending = [task for task in mine if task.status == PENDING]
    open_ = [task for task in mine if task.status == FAILED or (task.status == PENDING and task.id not in barred)]
    return {
        "pending": len(pending),
        "pending_alone": sum(task.workers == (worker.id,) for task in pending),
        "pending_demanding": sum(task.resources != () for task in pending),
        "open": len(open_),
        "open_alone": sum(task.workers == (worker.id,) for task in open_),
        "open_last": sum(task.workers[-1] == worker.id for task in open_),
    }


def is_due(agenda, task, now):
    """Whether `prune` must look at a task."""
    running = task.status in (RUNNING, BATCH_RUNNING)
    return (
        (task.remove is not None and task.remove <= now)
        or (running and task.worker_running not in task.stakeholders)
        or (not task.stakeholders and task.remove is None and task.status != RUNNING)
        or (
            task.status == DISABLED
            and task.scheduler_disable_time is not None
            and task.scheduler_disable_time + agenda.disable_persist <= now
        )
        or (task.status == FAILED and agenda.retry_delay >= 0 and task.retry <= now)
    )


def due_between(agenda, first, last, now):
    """The tasks created after one and before another that are due."""
    return [task for task in agenda.tasks.values() if first < task.seq < last and is_due(agenda, task, now)]


# -- random histories --------------------------------------------------------------------------------------------------


DEMANDS = ((), demand(cpu=1), demand(cpu=2), demand(cpu=0.5, disk=1), demand(disk=2))


class History:
    """Random operations on an agenda: few tasks, few workers, few moments, so that everything meets everything."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.agenda = Agenda()
        self.agenda.retry_delay = self.random.choice((-1, 0, 3))
        self.agenda.disable_persist = 5
        self.demands = self.random.choice((((),), DEMANDS, DEMANDS[1:]))
        self.most_deps = self.random.choice((0, 1, 2, 3))
        self.now = 0.0
        self.task_ids = [f"t{number}" for number in range(12)]
        self.worker_ids = [f"w{number}" for number in range(4)]
        self.operations = [getattr(self, name) for name in dir(self) if name.startswith("do_")]
        for _ in range(8):
            self.do_set_batcher()

    def step(self):
        self.now += self.random.choice((0, 0, 0, 1))
        self.random.choice(self.operations)()

    def some_task(self):
        return self.agenda.tasks.get(self.random.choice(self.task_ids))

    def some_worker(self):
        worker_id = self.random.choice(self.worker_ids)
        return self.agenda.workers.get(worker_id) or self.agenda.add_worker(worker_id, self.now, DELAY)

    def some_demand(self):
        return self.random.choice(self.demands)

    def some_deps(self):
        return self.random.sample(self.task_ids, self.random.randint(0, self.most_deps))

    def do_create(self):
        missing = [task_id for task_id in self.task_ids if task_id not in self.agenda.tasks]
        for task_id in missing[:6]:
            task = self.agenda.create(task_id, self.random.choice((PENDING, PENDING, UNKNOWN)), self.now, POLICY)
            task.family = self.random.choice(FAMILIES)
            task.params = self.random.choice(
                ({"date": "1", "mode": "a"}, {"date": "2", "mode": "a"}, {"date": "3", "mode": None}, {"date": "4"})
            )
            task.batchable = self.random.random() < 0.9
            task.runnable = self.random.random() < 0.7
            task.resources = self.some_demand()
            task.priority = self.random.randrange(3)
            self.agenda.set_deps(task, self.some_deps())
            for _ in range(2):
                self.agenda.add_claim(task, self.some_worker())
                self.agenda.add_stake(task, self.some_worker())
            self.agenda.settle(task)

    def do_remove(self):
        task = self.some_task()
        if task and self.random.random() < 0.2:
            self.agenda.remove(task)

    def do_set_status(self):
        task = self.some_task()
        if task:
            task.retry = self.now + 3
            become(self.agenda, task, self.random.choice((*[PENDING] * 6, DISABLED, DONE, *STATUSES)))

    def do_run(self):
        task = self.some_task()
        if task:
            task.worker_running = self.random.choice((None, *self.worker_ids))
            task.batch_id = self.random.choice((None, "b1", "b2"))
            task.resources_running = self.random.choice((None, task.resources))
            become(self.agenda, task, self.random.choice((RUNNING, RUNNING, BATCH_RUNNING)))

    def do_hold_less(self):
        task = self.some_task()
        if task:
            task.resources_running = tuple((name, amount / 2) for name, amount in task.held())
            self.agenda.settle(task)

    def do_set_deps(self):
        task = self.some_task()
        if task:
            self.agenda.set_deps(task, self.some_deps())
            self.agenda.settle(task)

    def do_claim(self):
        task = self.some_task()
        if task:
            self.agenda.add_claim(task, self.some_worker())
            self.agenda.settle(task)

    def do_stake(self):
        task = self.some_task()
        if task:
            self.agenda.add_stake(task, self.some_worker())
            self.agenda.settle(task)

    def do_strip_worker(self):
        if self.random.random() < 0.2:
            self.agenda.strip_worker(self.some_worker(), stakes=self.random.random() < 0.5)

    def do_raise_priority(self):
        task = self.some_task()
        if task:
            self.agenda.raise_priority(task, self.random.randrange(4))

    def do_change_demand(self):
        task = self.some_task()
        if task:
            task.resources = self.some_demand()
            self.agenda.settle(task)

    def do_set_batcher(self):
        names = self.random.choice((("date",), ("date",), ("date", "mode"), ("date", "nobody"), ()))
        worker_id, family = self.random.choice(self.worker_ids), self.random.choice(FAMILIES)
        self.agenda.set_batcher(worker_id, family, names, self.random.choice((0, 2, 3, 1e308, 1e308)))

    def do_set_total(self):
        self.agenda.totals[self.random.choice(("cpu", "disk"))] = self.random.choice((0, 1, 2, 3, 5))

    def do_ask_for_work(self):
        worker = self.some_worker()
        worker.last_active = worker.last_get_work = self.now
        worker.info = self.random.choice(({}, {"workers": 1}, {"workers": 3}, {"assistant": True}))

    def do_schedule_removal(self):
        task = self.some_task()
        if task:
            task.remove = self.random.choice((None, self.now, self.now + 2))
            task.scheduler_disable_time = self.random.choice((None, self.now))
            self.agenda.settle(task)

    def do_part_with_silent_workers(self):
        list(self.agenda.pop_silent_workers(self.now, DELAY))

    def do_look_at_what_is_due(self):
        list(self.agenda.pop_due(self.now))


class TestAgainstBruteForce(unittest.TestCase):
    def replay(self, check, seeds, steps):
        """Call `check` with the history after each step of many."""
        for seed in range(seeds):
            history = History(seed)
            for step in range(steps):
                try:
                    history.step()
                    check(history)
                except Exception as error:
                    raise AssertionError(f"seed {seed}, step {step}: {error!r}") from error

    def test_indexes_and_counters(self):
        self.replay(self.check_indexes, seeds=40, steps=100)

    def check_indexes(self, history):
        agenda = history.agenda
        agenda.validate()
        self.assertEqual({task.id for task in agenda.tasks.values() if task.barred}, barred_by_walk(agenda))
        self.assertEqual(agenda.used, {name: use_of(agenda)[name] for name in agenda.holders})
        for worker in agenda.workers.values():
            counters = counters_by_walk(agenda, worker)
            self.assertEqual({name: getattr(worker, name) for name in counters}, counters)

    def test_what_is_chosen(self):
        self.replay(self.check_choices, seeds=50, steps=100)

    def check_choices(self, history):
        agenda, alive_since = history.agenda, history.now - 4
        for worker in agenda.workers.values():
            for assistant in (False, True):
                task = agenda.choose(worker, assistant, alive_since)
                self.assertIs(task, choose_by_walk(agenda, worker, assistant, alive_since))
                if task:
                    self.assertEqual(agenda.batch_with(worker, task), batch_by_walk(agenda, worker, task))

    def test_what_is_due_is_looked_at_in_order_of_creation(self):
        self.replay(self.check_due, seeds=40, steps=50)

    def check_due(self, history):
        agenda, last = history.agenda, -1
        for task in agenda.pop_due(history.now):
            self.assertGreater(task.seq, last)
            self.assertEqual(due_between(agenda, last, task.seq, history.now), [])
            last = task.seq
            self.look_at(task, history)
        self.assertEqual(due_between(agenda, last, float("inf"), history.now), [])
        agenda.validate()

    def look_at(self, task, history):
        """Change a due task, and another by it, as `prune` does."""
        task.remove = history.random.choice((None, history.now + 1, history.now + 2))
        task.retry = history.now + 1
        become(history.agenda, task, history.random.choice((PENDING, FAILED, DISABLED, task.status)))
        other = history.some_task()
        if other:
            other.remove = history.random.choice((history.now, history.now + 1))
            history.agenda.settle(other)

    def test_silent_workers_are_forgotten(self):
        self.replay(self.check_silent_workers, seeds=20, steps=100)

    def check_silent_workers(self, history):
        agenda = history.agenda
        silent = {worker.id for worker in agenda.workers.values() if worker.last_active + DELAY < history.now}
        self.assertEqual({worker.id for worker in agenda.pop_silent_workers(history.now, DELAY)}, silent)
        self.assertTrue(silent.isdisjoint(agenda.workers))
        for task in agenda.tasks.values():
            self.assertTrue(silent.isdisjoint(task.workers) and silent.isdisjoint(task.stakeholders))

    def test_nothing_is_left_of_what_is_removed(self):
        self.replay(self.check_removal, seeds=40, steps=1)

    def check_removal(self, history):
        agenda = history.agenda
        for _ in range(60):
            history.step()
        for task in history.random.sample(list(agenda.tasks.values()), len(agenda.tasks)):
            agenda.remove(task)
            agenda.validate()
        dismiss(agenda, *agenda.workers.values())
        pools = [pool for sizes in agenda.pools.values() for home in sizes.values() for pool in home]
        indexes = (agenda.tasks, agenda.workers, agenda.queues, pools, agenda.dependents, agenda.farewells)
        indexes += (agenda.holders, agenda.used, agenda.running_on, agenda.batches, *agenda.by_status.values())
        self.assertFalse(any(indexes), indexes)


# -- small examples ----------------------------------------------------------------------------------------------------


class TestQueue(unittest.TestCase):
    def setUp(self):
        self.agenda = Agenda()
        self.addCleanup(self.agenda.validate)

    def only_queue(self):
        (queue,) = self.agenda.queues.values()
        return queue

    def ranked(self):
        return [entry[-1].id for entry in self.only_queue().ranked()]

    def test_ranks_by_priority_then_age_then_arrival(self):
        add(self.agenda, "young", now=2)
        add(self.agenda, "old", now=1)
        add(self.agenda, "twin of old", now=1)
        add(self.agenda, "urgent", now=3, priority=1)
        expected = ["urgent", "old", "twin of old", "young"]
        self.assertEqual(self.ranked(), expected)
        self.assertEqual(self.ranked(), expected)  # reading it has disturbed nothing
        self.assertEqual(self.only_queue().head()[-1].id, "urgent")

    def test_shows_nothing_that_left(self):
        tasks = [add(self.agenda, str(number)) for number in range(8)]
        for task in tasks[::2]:
            become(self.agenda, task, DONE)
        self.assertEqual(self.ranked(), ["1", "3", "5", "7"])
        self.assertEqual(self.only_queue().head()[-1].id, "1")

    def test_who_comes_back_is_the_last_among_equals(self):
        first = add(self.agenda, "first")
        add(self.agenda, "second")
        become(self.agenda, first, DONE)
        become(self.agenda, first, PENDING)
        self.assertEqual(self.ranked(), ["second", "first"])

    def test_does_not_grow_with_coming_and_going(self):
        tasks = [add(self.agenda, str(number)) for number in range(10)]
        for _ in range(200):
            for task in tasks[1:]:
                become(self.agenda, task, DONE)
                become(self.agenda, task, PENDING)
        self.assertLess(len(self.only_queue().heap), 100)

    def test_forgets_itself_with_its_last_task(self):
        worker = hire(self.agenda, "w")
        self.agenda.set_batcher("w", "Load", ("date",), 2)
        task = add(self.agenda, "t", workers=[worker], family="Load", params={"date": "1"}, batchable=True)
        self.assertEqual(list(self.agenda.queues), [((), ("w",), False)])
        self.assertEqual(list(worker.line.ranked()), [task.entry])
        self.assertEqual(len(task.seats), 2)
        homes = [queue.home for queue in task.seats]
        become(self.agenda, task, DONE)
        self.assertEqual(homes, [{}, {}])
        self.assertEqual([*worker.line.ranked(), *self.agenda.line.ranked()], [])

    def test_line_does_not_grow_with_coming_and_going(self):
        tasks = [add(self.agenda, str(number), resources=((str(number), 1),)) for number in range(10)]
        for _ in range(200):
            for task in tasks:
                become(self.agenda, task, DONE)
                become(self.agenda, task, PENDING)
        self.assertLess(len(self.agenda.line.heap), 200)


class TestGraph(unittest.TestCase):
    def setUp(self):
        self.agenda = Agenda()
        self.addCleanup(self.agenda.validate)

    def barred(self):
        return {task.id for task in self.agenda.tasks.values() if task.barred}

    def test_waits_for_what_is_not_there_yet(self):
        waiting = add(self.agenda, "waiting", deps=["later"])
        later = add(self.agenda, "later")
        self.assertEqual((waiting.unmet, waiting.entry), (1, None))
        become(self.agenda, later, DONE)
        self.assertEqual(waiting.unmet, 0)
        self.assertIsNotNone(waiting.entry)

    def test_waits_again_for_what_is_forgotten(self):
        done = add(self.agenda, "done", DONE)
        waiting = add(self.agenda, "waiting", deps=["done"])
        self.assertIsNotNone(waiting.entry)
        self.agenda.remove(done)
        self.assertIsNone(waiting.entry)

    def test_names_a_dependency_once(self):
        task = add(self.agenda, "task", deps=["a", "b", "a"])
        self.assertEqual((task.deps, task.unmet), (("a", "b"), 2))

    def test_is_barred_through_pending_tasks_only(self):
        add(self.agenda, "bad", DISABLED)
        middle = add(self.agenda, "middle", deps=["bad"])
        add(self.agenda, "end", deps=["middle"])
        self.assertEqual(self.barred(), {"bad", "middle", "end"})
        become(self.agenda, middle, UNKNOWN)
        self.assertEqual(self.barred(), {"bad"})

    def test_a_cycle_does_not_bar_itself_for_ever(self):
        bad = add(self.agenda, "bad", DISABLED)
        add(self.agenda, "a", deps=["bad", "b"])
        add(self.agenda, "b", deps=["a", "b"])
        add(self.agenda, "below", deps=["b"])
        self.assertEqual(self.barred(), {"bad", "a", "b", "below"})
        become(self.agenda, bad, PENDING)
        self.assertEqual(self.barred(), set())

    def test_stays_barred_for_another_reason(self):
        bad = add(self.agenda, "bad", DISABLED)
        worse = add(self.agenda, "worse", DISABLED)
        add(self.agenda, "a", deps=["bad", "b"])
        add(self.agenda, "b", deps=["worse", "a"])
        self.agenda.remove(bad)
        self.assertEqual(self.barred(), {"worse", "a", "b"})
        self.agenda.remove(worse)
        self.assertEqual(self.barred(), set())

    def test_priority_rises_upstream_only_and_never_falls(self):
        add(self.agenda, "grandparent")
        add(self.agenda, "parent", deps=["grandparent", "nobody"], priority=7)
        child = add(self.agenda, "child", deps=["parent"])
        add(self.agenda, "grandchild", deps=["child"])
        self.agenda.raise_priority(child, 5)
        priorities = {task.id: task.priority for task in self.agenda.tasks.values()}
        self.assertEqual(priorities, {"grandparent": 0, "parent": 7, "child": 5, "grandchild": 0})
        self.agenda.raise_priority(child, 9)
        self.agenda.raise_priority(child, 1)
        priorities = {task.id: task.priority for task in self.agenda.tasks.values()}
        self.assertEqual(priorities, {"grandparent": 9, "parent": 9, "child": 9, "grandchild": 0})

    def test_priority_goes_round_a_cycle_once(self):
        for task_id, dep in (("a", "b"), ("b", "c"), ("c", "a")):
            task = add(self.agenda, task_id, deps=[dep])
        self.agenda.raise_priority(task, 4)
        self.assertEqual({task.priority for task in self.agenda.tasks.values()}, {4})


class TestResources(unittest.TestCase):
    def setUp(self):
        self.agenda = Agenda()
        self.worker = hire(self.agenda, "w", processes=10, last_get_work=0)
        self.addCleanup(self.agenda.validate)

    def run_all(self, *amounts):
        demands = [demand(disk=amount) for amount in amounts]
        return [add(self.agenda, f"t{n}", RUNNING, resources=need, retry=0) for n, need in enumerate(demands)]

    def test_sums_of_fractions_leave_nothing_behind(self):
        numbers = random.Random(3)
        tasks = self.run_all(*(numbers.choice((0.1, 0.2, 0.3, 1e-9, 7, 1e9)) for _ in range(30)))
        for task in numbers.sample(tasks, 30):
            task.resources_running = demand(disk=task.resources[0][1] / 3)
            self.agenda.settle(task)
            self.agenda.validate()
        for task in numbers.sample(tasks, 30):
            become(self.agenda, task, FAILED)
            self.agenda.validate()
        self.assertEqual((self.agenda.used, self.agenda.holders), ({}, {}))

    def test_ten_tenths_are_one_again_and_again(self):
        for _ in range(3):
            tasks = self.run_all(*[0.1] * 9)
            add(self.agenda, "tenth", workers=[self.worker], resources=demand(disk=0.1))
            self.assertEqual(self.agenda.choose(self.worker, False, -1).id, "tenth")
            for task in [*tasks, self.agenda.tasks["tenth"]]:
                self.agenda.remove(task)

    def test_whole_numbers_stay_whole(self):
        first, second = self.run_all(2, 0.5)
        become(self.agenda, second, FAILED)
        self.assertIs(type(self.agenda.used["disk"]), int)
        become(self.agenda, first, FAILED)
        self.assertEqual(self.agenda.used, {})

    def test_an_amount_of_nothing_is_held_all_the_same(self):
        (task,) = self.run_all(0)
        self.assertEqual(self.agenda.holders, {"disk": {task: 0}})

    def test_a_resource_without_a_total_has_one(self):
        self.assertTrue(self.agenda.fits(demand(disk=1), {}))
        self.assertFalse(self.agenda.fits(demand(disk=1.5), {}))
        self.agenda.totals["disk"] = 3
        self.assertTrue(self.agenda.fits(demand(disk=1), {"disk": 2}))
        self.assertFalse(self.agenda.fits(demand(disk=1), {"disk": 2.5}))


class TestDeadlines(unittest.TestCase):
    def setUp(self):
        self.agenda = Agenda()
        self.worker = hire(self.agenda, "w")
        self.tasks = [add(self.agenda, f"t{number}", workers=[self.worker]) for number in range(5)]
        self.addCleanup(self.agenda.validate)

    def schedule_removal(self, task, moment):
        task.remove = moment
        self.agenda.settle(task)

    def due(self, now):
        return [task.id for task in self.agenda.pop_due(now)]

    def test_what_is_due_comes_in_order_of_creation_and_stays_due(self):
        for task, moment in zip(self.tasks, (4, 1, 9, 3, 2)):
            self.schedule_removal(task, moment)
        self.assertEqual(self.due(0), [])
        self.assertEqual(self.due(4), ["t0", "t1", "t3", "t4"])
        self.assertEqual(self.due(4), ["t0", "t1", "t3", "t4"])

    def test_who_falls_due_meanwhile_is_looked_at_in_turn_or_next_time(self):
        first, looked_at, second, third, last = self.tasks
        for task in (looked_at, third):
            self.schedule_removal(task, 1)
        seen = []
        for task in self.agenda.pop_due(1):
            seen.append(task.id)
            self.schedule_removal(task, 5)
            self.schedule_removal(first, 1)
            self.schedule_removal(second, 1)
        self.assertEqual(seen, ["t1", "t2", "t3"])
        self.assertEqual(self.due(1), ["t0", "t2"])

    def test_who_is_settled_before_its_turn_is_looked_at_once(self):
        for task in self.tasks:
            self.schedule_removal(task, 1)
        seen = []
        for task in self.agenda.pop_due(3):
            seen.append(task.id)
            self.schedule_removal(self.tasks[-1], 2)
        self.assertEqual(seen, ["t0", "t1", "t2", "t3", "t4"])

    def test_deadlines_that_move_do_not_pile_up(self):
        for moment in range(1000):
            for task in self.tasks:
                self.schedule_removal(task, 10 + moment)
        self.assertLess(len(self.agenda.deadlines), 100)

    def test_a_deadline_that_comes_and_goes_does_not_pile_up(self):
        for _ in range(1000):
            self.schedule_removal(self.tasks[0], 10)
            self.schedule_removal(self.tasks[0], None)
        self.assertLess(len(self.agenda.deadlines), 100)

    def test_deadlines_of_removed_tasks_do_not_pile_up(self):
        for number in range(1000):
            task = add(self.agenda, f"short-lived {number}", remove=10 + number)
            self.agenda.remove(task)
        self.assertLess(len(self.agenda.deadlines), 100)


class TestWorkers(unittest.TestCase):
    def setUp(self):
        self.agenda = Agenda()
        self.addCleanup(self.agenda.validate)

    def test_one_that_speaks_in_time_stays(self):
        silent, talkative = hire(self.agenda, "silent"), hire(self.agenda, "talkative")
        talkative.last_active = 5
        self.assertEqual(list(self.agenda.pop_silent_workers(DELAY, DELAY)), [])
        self.assertEqual(list(self.agenda.pop_silent_workers(DELAY + 1, DELAY)), [silent])
        self.assertEqual(list(self.agenda.pop_silent_workers(5 + DELAY, DELAY)), [])
        self.assertEqual(list(self.agenda.pop_silent_workers(6 + DELAY, DELAY)), [talkative])

    def test_one_that_leaves_takes_its_claims_and_stakes_along(self):
        leaving, staying = hire(self.agenda, "leaving"), hire(self.agenda, "staying")
        task = add(self.agenda, "task", workers=[leaving, staying])
        dismiss(self.agenda, leaving)
        self.assertEqual((task.workers, task.stakeholders), (("staying",), {"staying"}))
        self.assertEqual(staying.pending_alone, 1)

    def test_one_that_may_not_run_anything_may_keep_its_stakes(self):
        worker = hire(self.agenda, "w")
        task = add(self.agenda, "task", workers=[worker])
        self.agenda.strip_worker(worker, stakes=False)
        self.assertEqual((task.workers, task.stakeholders, worker.tasks), ((), {"w"}, {task}))

    def test_oldest_claim_comes_first(self):
        a, b = hire(self.agenda, "a"), hire(self.agenda, "b")
        task = add(self.agenda, "task", workers=[b, a, b])
        self.assertEqual(task.workers, ("b", "a"))
        self.assertEqual((b.open_last, a.open_last), (0, 1))

    def test_batching_that_is_announced_late_finds_tasks_that_are_ready(self):
        worker = hire(self.agenda, "w")
        fields = {"family": "Load", "batchable": True}
        tasks = [add(self.agenda, f"t{n}", workers=[worker], params={"n": str(n)}, **fields) for n in range(3)]
        self.assertEqual(self.agenda.batch_with(worker, tasks[0]), tasks[:1])
        self.agenda.set_batcher("w", "Load", ("n",), 2)
        self.assertEqual(self.agenda.batch_with(worker, tasks[0]), tasks[:2])


# -- validate() can fail -----------------------------------------------------------------------------------------------


def busy_agenda():
    """An agenda in which every index holds something."""
    agenda = Agenda()
    agenda.set_batcher("w", "Load", ("date",), 2)
    worker, other = hire(agenda, "w"), hire(agenda, "other")
    add(agenda, "done", DONE)
    add(agenda, "off", DISABLED)
    add(agenda, "ready", deps=["done"], workers=[worker], family="Load", params={"date": "1"}, batchable=True)
    add(agenda, "demanding", workers=[other, worker], resources=demand(cpu=1))
    add(agenda, "waiting", deps=["off", "nobody"], workers=[worker])
    add(agenda, "running", RUNNING, workers=[worker], resources=demand(cpu=1), worker_running="w")
    add(agenda, "batched", BATCH_RUNNING, worker_running="w", batch_id="b")
    add(agenda, "failed", FAILED, retry=7, workers=[worker])
    return agenda


def queue_of(agenda, task_id):
    return agenda.tasks[task_id].seats[0]


def pools_of(agenda, task_id):
    return agenda.tasks[task_id].seats[1].home


#: what validate() must name -> how to spoil that
CORRUPTIONS = {
    "tasks that are DONE": lambda agenda: agenda.by_status[DONE].clear(),
    "tasks that are PENDING": lambda agenda: agenda.by_status[PENDING].update(x=agenda.tasks["done"]),
    "tasks that are gone": lambda agenda: agenda.by_status[""].update(x=agenda.tasks["done"]),
    "task ids": lambda agenda: agenda.tasks.update(alias=agenda.tasks.pop("failed")),
    "unmet of waiting": lambda agenda: spoil(agenda, "waiting", "unmet", 1),
    "dependents": lambda agenda: agenda.dependents["off"].clear(),
    "dependents: .*'stale'": lambda agenda: agenda.dependents.update(stale=set()),
    "barred tasks": lambda agenda: spoil(agenda, "waiting", "barred", False),
    "barred tasks: .*ready": lambda agenda: spoil(agenda, "ready", "barred", True),
    "entry of ready": lambda agenda: spoil(agenda, "ready", "entry", None),
    "entry of demanding": lambda agenda: spoil(agenda, "demanding", "priority", 3),
    "entry of waiting": lambda agenda: spoil(agenda, "waiting", "entry", (0, 0, 0, agenda.tasks["waiting"])),
    "seats of ready": lambda agenda: spoil(agenda, "ready", "seats", ()),
    "seats of demanding": lambda agenda: spoil(agenda, "demanding", "resources", ()),
    "seats of failed": lambda agenda: spoil(agenda, "failed", "seats", (queue_of(agenda, "ready"),)),
    "queues in use": lambda agenda: agenda.queues.update(stale=Queue(agenda.queues, "stale")),
    "queues in use: .*Queue": lambda agenda: pools_of(agenda, "ready").update(stale=Queue({}, "stale")),
    "live entries of": lambda agenda: setattr(queue_of(agenda, "ready"), "live", 2),
    "queue ": lambda agenda: queue_of(agenda, "ready").heap.clear(),
    "farewells": lambda agenda: agenda.farewells.clear(),
    "tasks of w": lambda agenda: agenda.workers["w"].tasks.clear(),
    "running of w": lambda agenda: agenda.workers["w"].running.clear(),
    "pending of w": lambda agenda: setattr(agenda.workers["w"], "pending", 9),
    "alone of w": lambda agenda: setattr(agenda.workers["w"], "pending_alone", 9),
    "demanding of w": lambda agenda: setattr(agenda.workers["w"], "pending_demanding", 9),
    "open of w": lambda agenda: setattr(agenda.workers["w"], "open", 9),
    "open alone of w": lambda agenda: setattr(agenda.workers["w"], "open_alone", 9),
    "open last of w": lambda agenda: setattr(agenda.workers["w"], "open_last", 9),
    "line of w": lambda agenda: agenda.workers["w"].line.heap.clear(),
    "line of all queues": lambda agenda: agenda.line.heap.clear(),
    "running_on": lambda agenda: agenda.running_on.clear(),
    "running_on: .*'stale'": lambda agenda: agenda.running_on.update(stale=set()),
    "batches": lambda agenda: agenda.batches.clear(),
    "holders": lambda agenda: agenda.holders["cpu"].clear(),
    "used resources": lambda agenda: agenda.used.update(cpu=2),
    "due of failed": lambda agenda: spoil(agenda, "failed", "due", None),
    "tasks missing in deadlines": lambda agenda: agenda.deadlines.clear(),
}


def spoil(agenda, task_id, field, value):
    setattr(agenda.tasks[task_id], field, value)


class TestValidate(unittest.TestCase):
    def test_agrees_with_a_busy_agenda(self):
        busy_agenda().validate()

    def test_names_the_index_that_is_wrong(self):
        for name, corrupt in CORRUPTIONS.items():
            with self.subTest(name):
                agenda = busy_agenda()
                corrupt(agenda)
                with self.assertRaisesRegex(AssertionError, f"^{name}"):
                    agenda.validate()


if __name__ == "__main__":
    unittest.main()
