"""What people ask: each answer compared with what a walk over everything finds, along random histories."""

import http.client
import itertools
import json
import logging
import random
import sys
import threading
import unittest
from functools import partial
from unittest import mock
from urllib.parse import urlencode

import luigid
from luigid import QUESTIONS, BadRequest, Scheduler

DISCONNECT = 60  # worker_disconnect_delay
RETRY = 900  # retry_delay
STATUSES = ("PENDING", "RUNNING", "BATCH_RUNNING", "DONE", "FAILED", "DISABLED", "UNKNOWN")
UPSTREAM = ("UPSTREAM_DISABLED", "UPSTREAM_FAILED", "UPSTREAM_MISSING_INPUT")

#: causes that keep a PENDING task from being given out
OBSTACLES = {"paused", "dependencies", "external", "no_worker", "resource", "reserved", "queue"}


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class InspectionCase(unittest.TestCase):
    """A scheduler that looks at tasks two at a time, so that every walk takes several turns."""

    def setUp(self):
        self.clock = Clock()
        for name, value in {
            "TURN": 2,
            "SLICE": 2,
            "BREATH": 0,
            "NEWS_INTERVAL": 0.01,
            "REST": 0,
            "PATIENCE": 0,
        }.items():
            patch = mock.patch.object(luigid, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        self.make()
        self.addCleanup(lambda: self.scheduler.validate())

    def make(self, **settings):
        self.scheduler = Scheduler(clock=self.clock, worker_disconnect_delay=DISCONNECT, retry_delay=RETRY, **settings)

    def add(self, *task_ids, worker="w", **arguments):
        for task_id in task_ids:
            self.scheduler.add_task(worker=worker, task_id=task_id, **{"family": "Load", **arguments})

    def work(self, worker="w", **arguments):
        return self.scheduler.get_work(worker=worker, **arguments)["task_id"]

    def run_and_fail(self, task_id, worker="w", **arguments):
        for status in ("RUNNING", "FAILED"):
            self.add(task_id, worker=worker, status=status, **arguments)

    def explain(self, task_id):
        return self.scheduler.explain(task_id=task_id)

    def cause(self, task_id, kind):
        causes = {cause["kind"]: cause for cause in self.explain(task_id)["causes"]}
        self.assertIn(kind, causes)
        return causes[kind]

    def ids(self, **arguments):
        return [row["id"] for row in self.scheduler.tasks(**arguments)["rows"]]


# -- a model: what can be found out by looking at everything -----------------------------------------------------------


def shown_statuses(tasks):
    """Task id -> status as shown, from all tasks as (id, status, deps, whether anybody can run it, unfinished deps)."""
    shown = {task_id: status for task_id, (status, *_) in tasks.items()}
    sources = (
        ("UPSTREAM_DISABLED", [t for t, (status, *_) in tasks.items() if status == "DISABLED"]),
        ("UPSTREAM_FAILED", [t for t, (status, *_) in tasks.items() if status == "FAILED"]),
        (
            "UPSTREAM_MISSING_INPUT",
            [
                t
                for t, (status, _, runnable, unmet) in tasks.items()
                if status == "PENDING" and not runnable and not unmet
            ],
        ),
    )
    for upstream, behind in sources:
        while behind:
            behind = [
                task_id
                for task_id, (_, deps, *_) in tasks.items()
                if shown[task_id] == "PENDING" and not set(behind).isdisjoint(deps)
            ]
            shown.update(dict.fromkeys(behind, upstream))
    return shown


def facts(scheduler):
    """Task id -> (status, deps, whether anybody can run it, number of unfinished deps)."""
    tasks = scheduler._agenda.tasks
    return {
        task_id: (
            task.status,
            task.deps,
            bool(task.workers or task.runnable),
            sum(dep not in tasks or tasks[dep].status != "DONE" for dep in task.deps),
        )
        for task_id, task in tasks.items()
    }


def clone(scheduler, clock):
    """A scheduler in the same state."""
    other = Scheduler(clock=clock, worker_disconnect_delay=DISCONNECT, retry_delay=RETRY)
    restorer = luigid.Restorer(other._agenda, clock(), DISCONNECT)
    restorer.begin(luigid.make_header(0))
    restorer.apply(luigid.capture(scheduler._agenda))
    restorer.finish()
    return other


class History:
    """A random sequence of calls, of some workers with a few tasks that have much to do with each other."""

    WORKERS = ("w1", "w2", "w3")
    TASKS = tuple(f"{family}_{n}" for family in ("Load", "Join", "Send") for n in range(4))

    def __init__(self, seed, scheduler, clock):
        self.random = random.Random(seed)
        self.scheduler, self.clock = scheduler, clock

    def step(self):
        often = [self.schedule] * 6 + [self.ask] * 4 + [self.report] * 4
        self.random.choice([*often, self.by_hand, self.tell, self.tell, self.wait])()

    def pick(self):
        return self.random.choice(self.WORKERS), self.random.choice(self.TASKS)

    def schedule(self):
        (worker, task_id), chance = self.pick(), self.random.random
        deps = [dep for dep in self.TASKS if dep != task_id and chance() < 0.07]
        if chance() < 0.9:  # mostly without cycles
            deps = [dep for dep in deps if dep < task_id]
        self.scheduler.add_task(
            worker=worker,
            task_id=task_id,
            family=task_id.partition("_")[0],
            module="pipelines." + task_id[0].lower(),
            params={"n": task_id[-1], "secret": "hush"},
            param_visibilities={"secret": 1},
            deps=deps,
            priority=self.random.randrange(3),
            runnable=chance() < 0.85,
            batchable=chance() < 0.7,
            resources={name: self.random.choice((1, 1, 2, 4)) for name in ("cpu", "db") if chance() < 0.25},
            retry_policy_dict={"retry_count": self.random.choice((1, 3))},
            status="UNKNOWN" if chance() < 0.05 else "PENDING",
        )

    def ask(self):
        worker, _ = self.pick()
        self.scheduler.get_work(worker=worker, assistant=worker == "w3" and self.random.random() < 0.7)

    def report(self):
        worker, task_id = self.pick()
        status = self.random.choice(("DONE", "DONE", "FAILED", "FAILED", "DISABLED", "RUNNING"))
        self.scheduler.add_task(worker=worker, task_id=task_id, status=status, expl="boom")

    def by_hand(self):
        worker, task_id = self.pick()
        calls = [
            (self.scheduler.pause, {}),
            (self.scheduler.unpause, {}),
            (self.scheduler.unpause, {}),
            (self.scheduler.update_resource, {"resource": "cpu", "amount": self.random.choice((1, 2, 2, 3))}),
            (self.scheduler.disable_worker, {"worker": worker}),
            (self.scheduler.forgive_failures, {"task_id": task_id}),
            (self.scheduler.re_enable_task, {"task_id": task_id}),
            (self.scheduler.mark_as_done, {"task_id": task_id}),
        ]
        call, arguments = self.random.choice(calls)
        call(**arguments)

    def tell(self):
        worker, _ = self.pick()
        if self.random.random() < 0.4:
            self.scheduler.add_worker(worker=worker, info={"workers": self.random.randrange(1, 4)})
        else:
            self.scheduler.add_task_batcher(worker=worker, task_family="Load", batched_args=["n"], max_batch_size=3)

    def wait(self):
        self.clock.now += self.random.choice((1, 5, 30, 400, 1000))
        for worker in self.WORKERS:
            if self.random.random() < 0.8:
                self.scheduler.ping(worker=worker)
        self.scheduler.prune()


class TestAlongHistories(InspectionCase):
    def along(self, check, histories, every):
        """Check something of a number of histories of 60 calls each, about every so many calls."""
        for seed in range(histories):
            self.clock.now = 1000.0
            self.make()
            history = History(seed, self.scheduler, self.clock)
            for step in range(60):
                history.step()
                if not history.random.randrange(every):
                    with self.subTest(seed=seed, step=step):
                        check(history)

    def test_who_would_be_given_a_task(self):
        """`ready` and `next_for` say exactly which workers' next get_work gives a task out."""
        self.kinds = set()
        self.along(self.check_who_is_given_what, 60, every=5)
        others = {"done", "running", "batch", "failed", "disabled", "described", "busy", "idle", "batchable"}
        self.assertEqual(set(), (OBSTACLES | others) - self.kinds)

    def check_who_is_given_what(self, history):
        self.scheduler.prune()
        given = {}
        for worker in self.scheduler._agenda.workers.values():
            reply = clone(self.scheduler, self.clock).get_work(worker=worker.id, assistant=bool(worker.assistant))
            given[worker.id] = reply.get("batch_task_ids") or [reply["task_id"]]
        for task_id, task in list(self.scheduler._agenda.tasks.items()):
            said = self.explain(task_id)
            expected = sorted(worker for worker, ids in given.items() if task_id in ids)
            self.assertEqual(expected, sorted(said["next_for"]))
            self.assertEqual(bool(expected), said["ready"])
            kinds = [cause["kind"] for cause in said["causes"]]
            self.kinds.update(kinds)
            self.assertEqual(said["headline"], said["causes"][0]["text"])
            if task.status == "PENDING" and not expected:
                self.assertIn(kinds[0], OBSTACLES)
            elif task.status == "PENDING":
                self.assertEqual([], [kind for kind in kinds if kind in OBSTACLES])
            json.dumps(said, allow_nan=False)

    def test_each_obstacle(self):
        """The obstacles that are named are those that a look at everything finds."""
        self.along(self.check_obstacles, 40, every=1)

    def check_obstacles(self, history):
        agenda = self.scheduler._agenda
        self.scheduler.prune()
        task = agenda.tasks.get(history.pick()[1])
        if task is None or task.status not in ("PENDING", "FAILED", "DISABLED"):
            return
        causes, said = {}, self.explain(task.id)
        for cause in said["causes"]:
            causes.setdefault(cause["kind"], []).append(cause)
        known = facts(self.scheduler)
        self.assertEqual(self.scheduler.is_paused()["paused"], "paused" in causes)
        lacking = [
            name
            for name, amount in task.resources
            if amount + sum(agenda.holders.get(name, {}).values()) > agenda.totals.get(name, 1)
        ]
        self.assertEqual(lacking, [cause["resource"] for cause in causes.get("resource", ())])
        self.assertEqual(known[task.id][3] > 0, "dependencies" in causes)
        if "dependencies" in causes:
            self.check_leaves(task.id, known, causes["dependencies"][0])
        helpers = [w for w in agenda.workers.values() if w.assistant and not w.disabled and task.runnable]
        takers = task.workers or helpers or said["ready"]  # some take along in a batch what they may not run alone
        self.assertEqual(not takers, not {"no_worker", "external"}.isdisjoint(causes))

    def check_leaves(self, task_id, known, cause):
        unfinished = lambda deps: [dep for dep in deps if known.get(dep, ("UNKNOWN",))[0] != "DONE"]  # noqa: E731
        seen, stack, leaves = {task_id}, unfinished(known[task_id][1]), set()
        while stack:
            dep = stack.pop()
            if dep in seen:
                continue
            seen.add(dep)
            if dep in known and known[dep][0] == "PENDING" and known[dep][3]:
                stack += unfinished(known[dep][1])
            else:
                leaves.add(dep)
        self.assertEqual(leaves, {task["id"] for task in cause["tasks"]})
        self.assertEqual(len(leaves), cause["tasks_total"])
        self.assertEqual(len(seen) - 1 - len(leaves), cause["waiting"])
        self.assertTrue(cause["complete"])

    def test_counts_and_rows(self):
        self.along(self.check_counts_and_rows, 40, every=3)

    def check_counts_and_rows(self, history):
        expected = shown_statuses(facts(self.scheduler))
        found = list(expected.values())
        counts = self.scheduler.overview()["counts"]
        self.assertEqual({status: found.count(status) for status in (*STATUSES, *UPSTREAM)}, counts)
        rows = self.scheduler.tasks(limit=1000)["rows"]
        self.assertEqual(expected, {row["id"]: row["shown"] for row in rows})
        for family in self.scheduler.families()["families"]:
            mine = [task for task in self.scheduler._agenda.tasks.values() if task.family == family["family"]]
            self.assertEqual(len(mine), family["total"])
            self.assertEqual(sum(task.entry is not None and task.runnable for task in mine), family["ready"])
            waiting = [expected[task.id] for task in mine if expected[task.id] in UPSTREAM]
            self.assertEqual({status: waiting.count(status) for status in waiting}, family["upstream"])

    def test_what_changed(self):
        """What the feed does not name has not changed, and what it calls gone is gone."""
        self.seen = dict.fromkeys(("told", "gone", "resets"), 0)
        self.since = {}
        self.along(self.check_changes, 40, every=2)
        self.assertNotIn(0, self.seen.values())

    def check_changes(self, history):
        revision, before = self.since.get(history, (0, {}))
        reply, now = self.scheduler.changes(since=revision), self.look()
        self.since[history] = reply["revision"], now
        self.assertGreaterEqual(reply["revision"], revision)
        self.assertGreaterEqual(reply["changed"], len(reply["tasks"]) + len(reply["gone"]))
        if reply["reset"]:
            self.seen["resets"] += revision > 0
            return
        differ = {task_id for task_id in {**before, **now} if before.get(task_id) != now.get(task_id)}
        self.assertEqual(set(), differ - {*reply["tasks"], *reply["gone"]})
        self.assertEqual(set(), set(reply["gone"]) & set(now))
        self.seen["told"] += len(differ)
        self.seen["gone"] += len(reply["gone"])

    def look(self):
        tasks = self.scheduler._agenda.tasks.items()
        return {task_id: json.dumps(self.scheduler._serialize(task)) for task_id, task in tasks}

    def test_filters_and_sorts(self):
        self.along(self.check_filters_and_sorts, 60, every=5)

    def check_filters_and_sorts(self, history):
        arguments = self.random_question(history.random)
        shown = shown_statuses(facts(self.scheduler))
        wanted = [t for t in self.scheduler._agenda.tasks.values() if self.passes(t, shown, **arguments)]
        wanted.sort(key=lambda task: -task.order)
        sort = history.random.choice([sign + name for sign in ("", "-") for name in luigid.SORTS])
        value = partial(self.value, shown, sort.lstrip("-"))
        valued = [task for task in wanted if value(task) is not None]
        valued.sort(key=value, reverse=sort.startswith("-"))
        expected = [task.id for task in valued + [task for task in wanted if value(task) is None]]
        offset, limit = history.random.randrange(4), history.random.randrange(1, 6)
        page = {"sort": sort, "offset": offset, "limit": limit, **arguments}
        reply = self.scheduler.tasks(**page)
        self.assertEqual(expected[offset : offset + limit], [row["id"] for row in reply["rows"]], page)
        self.assertEqual(len(expected), reply["total"])
        quick = self.scheduler.tasks(count=False, **page)
        self.assertEqual(reply["rows"], quick["rows"])
        self.assertIn(quick["total"], (None, len(expected)))

    def random_question(self, chance):
        every = {
            "status": chance.sample((*STATUSES, *UPSTREAM), 5),
            "family": chance.sample(("Load", "Join", "Send"), 2),
            "worker": chance.choice(History.WORKERS),
            "search": chance.choice(("load", "1", "N=2 join", "hush", "w1")),
            "params": chance.choice(({"n": "1"}, {"secret": "hush"}, {"none": ""})),
            "since": self.clock.now - 100,
            "until": self.clock.now - 10,
            "time": chance.choice(("updated", "started")),
            "ids": chance.sample(History.TASKS, 6),
        }
        return {name: every[name] for name in chance.sample(list(every), chance.choice((0, 1, 1, 2, 3)))}

    def passes(self, task, shown, **wanted):
        moment = task.time_running if wanted.get("time") == "started" else task.updated
        public = {} if not task.params else {"n": task.params["n"]}
        text = f"{task.id} {task.display_name()} {task.worker_running or ''}".lower()
        return all(
            (
                shown[task.id] in wanted.get("status", shown.values()),
                task.family in wanted.get("family", (task.family,)),
                wanted.get("worker") in (None, task.worker_running, *task.workers),
                all(word in text for word in wanted.get("search", "").lower().split()),
                all(name in public and value in public[name] for name, value in wanted.get("params", {}).items()),
                "since" not in wanted or (moment is not None and wanted["since"] <= moment),
                "until" not in wanted or (moment is not None and moment <= wanted["until"]),
                task.id in wanted.get("ids", (task.id,)),
            )
        )

    def value(self, shown, sort, task):
        runs = task.status in ("RUNNING", "BATCH_RUNNING")
        return {
            "updated": task.order,
            "status": luigid.SHOWN_STATUSES.index(shown[task.id]),
            "started": task.time_running,
            "running": task.time_running and (self.clock.now if runs else task.updated) - task.time_running,
            "priority": task.priority,
            "family": (task.family, task.id),
            "name": task.id,
            "worker": task.worker_running,
        }[sort]

    def test_graphs(self):
        self.along(self.check_graph, 40, every=4)

    def check_graph(self, history):
        """Nodes are those within reach, nearest first; edges are all between them, and none else."""
        all_facts = facts(self.scheduler)
        statuses = shown_statuses(all_facts)
        known = {task_id: (status, deps) for task_id, (status, deps, *_) in all_facts.items()}
        chance, root = history.random, history.pick()[1]
        up, down, hide = chance.choice((-1, 0, 1, 2)), chance.choice((-1, 0, 1, 2)), chance.random() < 0.5
        limit = chance.choice((3, 1000))
        shown = {t for t in {*known, *(d for _, deps in known.values() for d in deps)} if t not in known or not hide}
        shown |= {t for t, (status, _) in known.items() if status != "DONE"}
        steps = {root: 0} if root in known else {}
        for hops, neighbours in ((up, lambda t: known[t][1] if t in known else ()), (down, partial(below, known))):
            front = set(steps) & {root}
            for step in itertools.count(1) if hops < 0 else range(1, hops + 1):
                front = {n for t in front for n in neighbours(t)} & shown - set(steps)
                if not front:
                    break
                steps.update(dict.fromkeys(front, step))
        view = self.scheduler.graph_view(task_id=root, up=up, down=down, hide_done=hide, limit=limit)
        ids = view["ids"]
        self.assertEqual(len(steps), view["total"])
        self.assertEqual(len(ids) == len(steps), view["complete"])
        self.assertEqual(min(len(steps), limit), len(set(ids)))
        self.assertEqual(sorted(steps[task_id] for task_id in ids), sorted(steps.values())[:limit])
        pairs = list(zip(view["edges"][::2], view["edges"][1::2]))
        expected = {(dep, t) for t in ids if t in known for dep in known[t][1] if dep in ids}
        self.assertEqual(sorted(expected), sorted((ids[dep], ids[t]) for dep, t in pairs))
        for number, task_id in enumerate(ids):
            _, deps = known.get(task_id, ("UNKNOWN", ()))
            described = task_id in known and self.scheduler._agenda.tasks[task_id].family
            status = statuses[task_id] if described else "UNKNOWN"
            self.assertEqual(status, view["statuses"][view["status"][number]])
            self.assertEqual(task_id.partition("_")[0], view["families"][view["family"][number]])
            hidden = {t for t, (status, _) in known.items() if hide and status == "DONE"}
            self.assertEqual(len(set(deps) - set(ids) - hidden), view["more_up"][number])
            self.assertEqual(len(set(below(known, task_id)) - set(ids) - hidden), view["more_down"][number])

    def test_pipelines(self):
        self.along(self.check_pipelines, 40, every=4)

    def check_pipelines(self, history):
        known = facts(self.scheduler)
        shown = shown_statuses(known)
        leading = {dep for _, deps, *_ in known.values() for dep in deps}
        roots = {t for t, (status, deps, *_) in known.items() if deps and t not in leading and status != "DONE"}
        found = self.scheduler.pipelines()["pipelines"]
        self.assertEqual(roots, {pipeline["id"] for pipeline in found})
        ranks = [luigid.SHOWN_STATUSES.index(pipeline["shown"]) for pipeline in found]
        self.assertEqual(sorted(ranks), ranks)
        for pipeline in found:
            upstream, front = set(), {pipeline["id"]}
            while front:
                upstream |= front
                front = {dep for t in front for dep in known.get(t, ((), ()))[1]} - upstream
            stands = [shown.get(t, "UNKNOWN") for t in upstream if shown.get(t) != "PENDING"]
            stands += ["waiting" if known[t][3] else "ready" for t in upstream if shown.get(t) == "PENDING"]
            self.assertEqual({stand: stands.count(stand) for stand in stands}, pipeline["counts"])

    def test_bottlenecks(self):
        self.along(self.check_bottlenecks, 40, every=4)

    def check_bottlenecks(self, history):
        tasks, totals = self.scheduler._agenda.tasks.values(), self.scheduler._agenda.totals
        for resource in self.scheduler.bottlenecks()["resources"]:
            name, total = resource["name"], totals.get(resource["name"], 1)
            used = sum(dict(task.held()).get(name, 0) for task in tasks if task.status == "RUNNING")
            self.assertEqual((used, total), (resource["used"], resource["total"]))
            ready = [task for task in tasks if task.entry and name in dict(task.resources)]
            short = [task for task in ready if dict(task.resources)[name] + used > total]
            self.assertEqual(len(ready), resource["wanted_by"])
            self.assertEqual(len(short), resource["waiting"])
            self.assertEqual(sum(dict(t.resources)[name] > total for t in short), resource["impossible"])
            behind, front = set(), {task.id for task in short}
            while front:
                front = {t.id for t in tasks if t.status == "PENDING" and not front.isdisjoint(t.deps)} - behind
                behind |= front
            self.assertEqual(len(behind), resource["behind"])

    def test_runs(self):
        self.along(self.check_runs, 30, every=4)

    def check_runs(self, history):
        since, until = sorted(self.clock.now - history.random.randrange(1500) for _ in range(2))
        found = self.scheduler.runs(since=since, until=until, by="family")
        expected = {}
        for task in self.scheduler._agenda.tasks.values():
            goes_on = task.status in ("RUNNING", "BATCH_RUNNING")
            end = None if goes_on else task.updated
            ended = task.status in ("DONE", "FAILED", "DISABLED") and task.updated >= since
            if task.time_running is not None and task.time_running <= until and (goes_on or ended):
                expected[task.id] = (task.family, task.family, task.status, task.time_running, end)
        told = {
            task_id: (found["lanes"][lane], found["families"][family], found["statuses"][status], start, end)
            for lane, family, status, start, end, task_id in found["runs"]
        }
        self.assertEqual(expected, told)

    def test_bulk(self):
        """It changes exactly what it counted, each as the call for one does."""
        self.changed = 0
        self.along(self.check_bulk, 60, every=6)
        self.assertTrue(self.changed)

    def check_bulk(self, history):
        self.scheduler.prune()
        action = history.random.choice(list(luigid.HAND_ACTIONS))
        wanted = self.random_question(history.random)
        counted = self.scheduler.bulk(action=action, **wanted)
        twin = clone(self.scheduler, self.clock)
        ids = [row["id"] for row in self.scheduler.tasks(limit=1000, sort="updated", **wanted)["rows"]]
        self.assertEqual(len(ids), counted["matched"])
        for task_id in ids:
            getattr(twin, action)(task_id=task_id)
        self.assertEqual(0, counted["changed"])
        done = self.scheduler.bulk(action=action, dry_run=False, expected=counted["eligible"], **wanted)
        self.assertLessEqual(done["changed"], counted["eligible"])
        self.assertEqual(twin.task_list(), self.scheduler.task_list())
        self.changed += done["changed"]


class TestMeanwhile(InspectionCase):
    def test_anything_may_happen_between_two_turns(self):
        for seed in range(40):
            self.clock.now = 1000.0
            self.make()
            history = History(seed, self.scheduler, self.clock)
            for _ in range(30):
                history.step()
            meanwhile = mock.Mock(side_effect=lambda _, history=history: history.step())
            with mock.patch.object(luigid.time, "sleep", meanwhile):
                for name, arguments in self.questions(history.random):
                    with self.subTest(seed=seed, question=name, arguments=arguments):
                        json.dumps(getattr(self.scheduler, name)(**arguments), allow_nan=False)
            self.assertGreater(meanwhile.call_count, len(QUESTIONS))
            self.scheduler.validate()

    def questions(self, chance):
        task_id = chance.choice(History.TASKS)
        for name in QUESTIONS:
            if name == "tasks":
                for sort in luigid.SORTS:
                    yield name, {"sort": sort, "limit": 5, "search": chance.choice(("", "load"))}
            elif name == "bulk":
                yield name, {"action": chance.choice(list(luigid.HAND_ACTIONS)), "dry_run": False, "expected": 99}
            elif name in ("explain", "task", "graph_view"):
                yield name, {"task_id": task_id, **({"down": -1} if name == "graph_view" else {})}
            else:
                yield name, {}


def below(known, task_id):
    """The tasks that depend on one."""
    return [other for other, (_, deps, *_) in known.items() if task_id in deps]


class TestChanges(InspectionCase):
    def since(self, revision, **arguments):
        return self.scheduler.changes(since=revision, **arguments)

    def test_nothing(self):
        self.add("a")
        first = self.since(0)
        self.assertTrue(first["reset"])
        self.scheduler.ping(worker="w")
        again = self.since(first["revision"])
        self.assertEqual((first["revision"], False, 0), (again["revision"], again["reset"], again["changed"]))
        self.assertFalse(again["workers"] or again["resources"] or again["paused"])

    def test_kinds(self):
        revision = self.since(0)["revision"]
        self.scheduler.update_resource(resource="db", amount=3)
        self.scheduler.pause()
        self.scheduler.add_worker(worker="v", info={"workers": 2})
        reply = self.since(revision)
        self.assertTrue(reply["workers"] and reply["resources"] and reply["paused"])
        self.assertEqual((0, False), (reply["changed"], reply["reset"]))

    def test_latest_first_and_no_more_than_asked_for(self):
        revision = self.since(0)["revision"]
        self.add("a", "b", "c", "a")
        reply = self.since(revision, limit=2)
        self.assertEqual((["a", "c"], True, 3), (reply["tasks"], reply["more"], reply["changed"]))
        reply = self.since(revision, ids=["b", "x"])
        self.assertEqual((["b"], False, 3), (reply["tasks"], reply["more"], reply["changed"]))

    def test_more_than_is_remembered(self):
        revision = self.since(0)["revision"]
        with mock.patch.object(luigid, "FEED_SIZE", 3):
            self.add("a", "b", "c")
            self.assertFalse(self.since(revision)["reset"])
            self.add("d")
        reply = self.since(revision)
        self.assertEqual((True, []), (reply["reset"], reply["tasks"]))

    def test_worker_that_is_stripped(self):
        self.add("a")
        revision = self.since(0)["revision"]
        self.scheduler.disable_worker(worker="w")
        self.assertTrue(self.since(revision)["reset"])

    def test_revisions_of_other_runs_of_the_daemon(self):
        self.add("a")
        before = self.since(0)["revision"]
        self.clock.now += 5
        self.make()
        self.assertTrue(self.since(before)["reset"])
        now = self.since(0)["revision"]
        self.assertGreater(now, before)
        self.assertTrue(self.since(now + 1)["reset"])

    def test_counts_follow_at_once(self):
        self.add("a", "b")
        self.assertEqual(2, self.since(0)["counts"]["PENDING"])
        self.work()
        counts = self.since(0)["counts"]
        self.assertEqual((1, 1), (counts["PENDING"], counts["RUNNING"]))

    def test_waiting_ends_with_a_change(self):
        revision = self.since(0)["revision"]
        replies = []
        waiting = threading.Thread(target=lambda: replies.append(self.since(revision, wait=30)))
        waiting.start()
        self.add("a")
        waiting.join()
        self.assertEqual(["a"], replies[0]["tasks"])

    def test_waiting_ends_when_dismissed(self):
        revision = self.since(0)["revision"]
        waiting = [threading.Thread(target=self.since, args=(revision,), kwargs={"wait": 30}) for _ in range(3)]
        for thread in waiting:
            thread.start()
        while self.scheduler._waiting < 3:
            pass
        self.scheduler.dismiss()
        for thread in waiting:
            thread.join()
        self.assertEqual(0, self.scheduler._waiting)

    def test_too_many_that_wait_are_answered_at_once(self):
        revision = self.since(0)["revision"]
        with mock.patch.object(luigid, "MAX_POLLS", 0):
            self.assertEqual(revision, self.since(revision, wait=30)["revision"])

    def test_a_walk_serves_all_until_something_changes(self):
        self.run_and_fail("a")
        self.add("b", deps=["a"])
        with mock.patch.object(luigid, "PATIENCE", 60):
            self.assertEqual(["b"], self.ids(status=["UPSTREAM_FAILED"]))
            self.add("c", deps=["a"])
            self.assertEqual(["b"], self.ids(status=["UPSTREAM_FAILED"]))
            self.assertEqual(2, self.since(0)["counts"]["UPSTREAM_FAILED"])  # who follows changes has it counted anew
            self.assertEqual(["c", "b"], self.ids(status=["UPSTREAM_FAILED"]))


class TestRows(InspectionCase):
    def test_hidden_parameters(self):
        self.add("a", params={"day": "1", "key": "hush"}, param_visibilities={"key": 2})
        for question, arguments in (
            ("tasks", {}),
            ("task", {"task_id": "a"}),
            ("explain", {"task_id": "a"}),
            ("graph_view", {}),
            ("pipelines", {"unfinished": False}),
        ):
            self.assertNotIn("hush", json.dumps(getattr(self.scheduler, question)(**arguments)))
        self.assertEqual([], self.ids(search="hush"))
        self.assertEqual([], self.ids(params={"key": "hush"}))
        self.assertEqual(["a"], self.ids(search="load day=1"))

    def test_order_of_trouble(self):
        self.add("ready")
        self.run_and_fail("failed")
        self.add("behind", deps=["failed"])
        self.add("outside", runnable=False)
        self.add("missing", deps=["outside"])
        self.add("off", status="DISABLED")
        self.add("below", deps=["off"])
        self.add("done", status="DONE")
        expected = ["failed", "off", "behind", "below", "missing", "outside", "ready", "done"]
        self.assertEqual(expected, self.ids())
        self.assertEqual(expected[::-1], [*self.ids(sort="-status")[:1], *expected[-2:0:-1], "failed"])

    def test_no_page_is_too_far_away(self):
        self.add("a", "b")
        for sort, count in itertools.product(("name", "updated"), (True, False)):
            page = self.scheduler.tasks(sort=sort, offset=sys.maxsize, count=count)
            self.assertEqual([], page["rows"], (sort, count))

    def test_pages(self):
        self.add(*(f"t{n}" for n in range(7)))
        pages = [self.scheduler.tasks(sort="name", offset=offset, limit=3) for offset in (0, 3, 6, 9)]
        self.assertEqual([f"t{n}" for n in range(7)], [row["id"] for page in pages for row in page["rows"]])
        self.assertEqual([7] * 4, [page["total"] for page in pages])

    def test_values_that_are_no_text(self):
        self.add("a", params={"n": 7, "list": [1, "Zwei"], "none": None})
        self.assertEqual(["a"], self.ids(search="zwei"))
        self.assertEqual(["a"], self.ids(params={"n": "7"}))

    def test_neighbours_in_trouble_come_first(self):
        self.add("a", "b", "d")
        self.run_and_fail("c")
        self.add("x", deps=["a", "b", "c", "d", "nobody"])
        task = self.scheduler.task(task_id="x")
        self.assertEqual("c", task["deps"][0]["id"])
        self.assertEqual((5, 0), (task["deps_total"], task["deps_done"]))
        self.assertEqual(["x"], [other["id"] for other in self.scheduler.task(task_id="c")["dependents"]])
        self.assertIsNone(self.scheduler.task(task_id="nowhere"))

    def test_what_is_not_allowed(self):
        for question, arguments in (
            ("tasks", {"sort": "colour"}),
            ("tasks", {"status": ["LATE"]}),
            ("tasks", {"limit": -1}),
            ("tasks", {"search": "a " * 101}),
            ("tasks", {"ids": [str(n) for n in range(10_001)]}),
            ("graph_view", {"up": -2}),
            ("bulk", {}),
            ("bulk", {"action": "pause"}),
        ):
            with self.subTest(question=question, arguments=arguments), self.assertRaises(BadRequest):
                getattr(self.scheduler, question)(**arguments)

    def test_bulk_refuses_when_there_are_more_by_now(self):
        self.run_and_fail("a")
        counted = self.scheduler.bulk(action="forgive_failures")
        self.run_and_fail("b")
        for expected in ({"expected": counted["eligible"]}, {}):
            with self.assertRaises(luigid.Outdated):
                self.scheduler.bulk(action="forgive_failures", dry_run=False, **expected)
        self.assertEqual(0, self.scheduler.bulk(action="forgive_failures", dry_run=None, expected=9)["changed"])
        self.assertEqual(["FAILED"] * 2, [row["status"] for row in self.scheduler.tasks()["rows"]])

    def test_durations_and_rates(self):
        for n, seconds in enumerate((10, 20, 30, 40, 400)):
            self.add(f"t{n}")
            self.work()
            self.clock.now += seconds
            self.add(f"t{n}", status="DONE")
        (family,) = self.scheduler.families()["families"]
        self.assertEqual({"n": 5, "p50": 30, "p90": 400, "max": 400}, family["seconds"])
        self.assertEqual(0.5, family["per_minute"])  # 5 in the last 10 minutes

    def test_a_restart_counts_families_anew(self):
        self.add("a", "b")
        other = Scheduler(clock=self.clock, state_path="/nonexistent")
        other._agenda = clone(self.scheduler, self.clock)._agenda
        other._begin_feed()
        other.validate()
        self.assertEqual({"PENDING": 2}, other.families()["families"][0]["counts"])


class TestExplanations(InspectionCase):
    def test_times(self):
        self.make(retry_count=2, disable_persist=500)
        self.run_and_fail("a")
        self.assertEqual(self.clock.now + RETRY, self.cause("a", "failed")["retry_at"])
        self.clock.now += RETRY + 1
        self.run_and_fail("a")
        cause = self.cause("a", "disabled")
        self.assertEqual(("scheduler", self.clock.now + 500, 2), (cause["by"], cause["until"], cause["failures"]))
        self.assertEqual({"re_enable_task", "mark_as_done"}, {action["call"] for action in cause["actions"]})

    def test_cool_down(self):
        self.make(stable_done_cooldown_secs=100)
        self.add("a", status="DONE")
        self.assertEqual(self.clock.now + 100, self.cause("a", "done")["cooldown_until"])

    def test_actions_help(self):
        """Each call that an explanation offers is one, and takes away what it is offered for."""
        self.add("a", resources={"db": 2})
        (action,) = self.cause("a", "resource")["actions"]
        getattr(self.scheduler, action["call"])(**action["arguments"])
        self.assertTrue(self.explain("a")["ready"])
        self.run_and_fail("b")
        self.add("c", deps=["b"])
        forgive, done = self.cause("c", "dependencies")["actions"]
        getattr(self.scheduler, done["call"])(**done["arguments"])
        self.assertEqual([], [c for c in self.explain("c")["causes"] if c["kind"] == "dependencies"])

    def test_circle(self):
        self.add("a", deps=["b"])
        self.add("b", deps=["a"])
        cause = self.cause("a", "dependencies")
        self.assertEqual((True, 0), (cause["cycle"], cause["tasks_total"]))

    def test_long_chain(self):
        self.run_and_fail("t0")
        for n in range(1, 300):
            self.add(f"t{n}", deps=[f"t{n - 1}"])
        cause = self.cause("t299", "dependencies")
        self.assertEqual((["t0"], 298), ([task["id"] for task in cause["tasks"]], cause["waiting"]))

    def test_walk_that_is_too_long_finds_trouble_first(self):
        self.run_and_fail("bad")
        self.add(*(f"fine{n}" for n in range(50)))
        self.add(*(f"mid{n}" for n in range(50)), deps=["fine1", "fine2"])
        self.add("way", deps=["bad"])
        self.add("top", deps=[*(f"mid{n}" for n in range(50)), "way"])
        self.assertEqual("UPSTREAM_FAILED", self.explain("top")["shown"])
        with mock.patch.object(luigid, "MAX_WALKED", 53):
            cause = self.cause("top", "dependencies")
        self.assertEqual((False, "bad"), (cause["complete"], cause["tasks"][0]["id"]))

    def test_batch_of_which_only_the_status_is_known(self):
        self.add("a", status="BATCH_RUNNING")
        cause = self.cause("a", "batch")
        text = "It runs as part of a batch, with 0 others, on a worker that is not known."
        self.assertEqual((text, None, 0), (cause["text"], cause["worker"], cause["members"]))

    def test_unknown(self):
        self.assertEqual((False, None), (self.explain("x")["known"], self.explain("x")["status"]))

    def test_busy_workers(self):
        self.scheduler.add_worker(worker="w", info={"workers": 1})
        self.add("a", "b")
        self.work()
        cause = self.cause("b", "busy")
        self.assertEqual([("w", 1, 1)], [(w["id"], w["processes"], w["running"]) for w in cause["workers"]])


class TestOverHttp(InspectionCase):
    def setUp(self):
        super().setUp()
        self.server = luigid.make_server(self.scheduler, max_calls=1)
        serving = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        serving.start()
        self.addCleanup(serving.join)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def ask(self, name, method="GET", body=None, headers=None, **fields):
        connection = http.client.HTTPConnection(*self.server.server_address[:2], timeout=20)
        self.addCleanup(connection.close)
        query = f"?{urlencode(fields, doseq=True)}" if fields else ""
        connection.request(method, f"/api/{name}{query}", body, headers or {})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())

    def test_plain_fields(self):
        self.add("a", params={"day": "2026-01-02"})
        self.add("b", family="Join", params={"day": "2026-01-03"})
        self.run_and_fail("c")
        for expected, fields in (
            (["c", "b", "a"], {}),
            (["c"], {"status": "FAILED"}),
            (["c", "b"], {"status": "FAILED,PENDING", "limit": 2}),
            (["b", "a"], {"ids": ["a", "b"], "sort": "-updated", "count": "false"}),
            (["b"], {"params[day]": "01-03"}),
            (["b"], {"family": "Join", "search": "", "since": "0.5"}),
            (["a"], {"search": "2026-01-02", "unheard": "of"}),
            (["b"], {"data": '{"family": ["Join"]}'}),
        ):
            with self.subTest(fields=fields):
                status, reply = self.ask("tasks", **fields)
                self.assertEqual((200, expected), (status, [row["id"] for row in reply["response"]["rows"]]))
        self.assertEqual(400, self.ask("tasks", limit="many")[0])
        self.assertEqual(400, self.ask("tasks", sort="colour")[0])
        self.assertEqual(400, self.ask("tasks", limit=[1, 2])[0])

    def test_posted(self):
        self.add("a")
        body = json.dumps({"task_id": "a"})
        status, reply = self.ask("explain", "POST", body, {"Content-Type": "application/json"})
        self.assertEqual((200, True), (status, reply["response"]["ready"]))

    def test_stock_calls_take_no_plain_fields(self):
        self.add("a")
        self.assertEqual({}, self.ask("task_search", data='{"task_str": "x"}')[1]["response"])
        self.assertEqual(400, self.ask("task_search", task_str="x")[0])

    def test_each_question_is_described(self):
        _, document = self.ask("openapi.json")
        for name, spec in QUESTIONS.items():
            described = document["paths"][f"/api/{name}"]
            self.assertEqual(list(spec.params), [field["name"] for field in described["get"]["parameters"]])
            self.assertTrue(described["post"]["summary"])

    def test_those_that_wait_leave_room_for_calls(self):
        """With room for one call at a time, a page that waits for changes keeps no worker from calling."""
        revision = self.scheduler.changes()["revision"]
        replies = []
        waiting = threading.Thread(target=lambda: replies.append(self.ask("changes", since=revision, wait=30)))
        waiting.start()
        while not self.scheduler._waiting:
            pass
        self.assertEqual(200, self.ask("add_task", data='{"worker": "w", "task_id": "a"}')[0])
        waiting.join()
        self.assertEqual(["a"], replies[0][1]["response"]["tasks"])

    def test_closing_answers_those_that_wait(self):
        revision = self.scheduler.changes()["revision"]
        replies = []
        waiting = threading.Thread(target=lambda: replies.append(self.ask("changes", since=revision, wait=30)))
        waiting.start()
        while not self.scheduler._waiting:
            pass
        self.server.shutdown()
        self.server.server_close()
        waiting.join()
        self.assertEqual((200, revision), (replies[0][0], replies[0][1]["response"]["revision"]))

    def test_bulk_is_on_record(self):
        self.run_and_fail("a")
        self.ask("bulk", action="forgive_failures", dry_run="false", expected=1)
        (entry,) = [entry for entry in self.ask("audit")[1]["response"] if entry["call"] == "bulk"]
        self.assertEqual(1, json.loads(entry["reply"])["changed"])

    def test_who_asks_and_how_the_server_does(self):
        _, reply = self.ask("whoami")
        self.assertEqual((None, False), (reply["response"]["name"], reply["response"]["passwords"]))
        self.assertLessEqual({*luigid.RPC_METHODS, *QUESTIONS}, set(reply["response"]["may"]))
        _, reply = self.ask("server")
        self.assertEqual("ok", reply["response"]["health"]["status"])
        self.assertIn("whoami", [call["call"] for call in reply["response"]["calls"]] + ["whoami"])


if __name__ == "__main__":
    unittest.main()
