"""Seeded histories of scheduler calls that aim at the hard parts of scheduling.

An `Author` pretends to be everybody around a scheduler: worker processes (`Client`), people at the page (`Operator`)
and clients that report what is none of their business (`Stranger`). Each is a generator of calls that is resumed with
the reply to its previous one, so that workers finish what they were given. Replies come from stock; authors also look
into stock's state, to aim (re-enable a task that *is* disabled) and to leave out the few calls that stock answers with
a trace.

Dependencies always point to tasks earlier in `World.specs`: in a cycle, the upstream status stock finds depends on
where its walk happens to begin.

All times are multiples of a quarter second, exact in binary, so that 'exactly when the delay ends' is reached and means
the same however a comparison is written.
"""

import random
import types
from collections.abc import Iterator
from typing import Any, NamedTuple, Optional

PENDING, RUNNING, BATCH_RUNNING, DONE = "PENDING", "RUNNING", "BATCH_RUNNING", "DONE"
FAILED, DISABLED, UNKNOWN, SUSPENDED = "FAILED", "DISABLED", "UNKNOWN", "SUSPENDED"
STATUSES = (PENDING, RUNNING, BATCH_RUNNING, DONE, FAILED, DISABLED, UNKNOWN)
UPSTREAM_STATUSES = ("UPSTREAM_RUNNING", "UPSTREAM_MISSING_INPUT", "UPSTREAM_FAILED", "UPSTREAM_DISABLED")
ABSENT = ("Absent_99_nowhere", "nofamily", "_underscored_first", "Odd(x=1)")

Step = tuple[str, dict[str, Any]]  # a method and its arguments


class Call(NamedTuple):
    """One call of a history."""

    after: float  #: seconds that pass before it
    method: str
    arguments: dict[str, Any]


#: What makes one history unlike another; a theme changes some of them.
KNOBS = {
    "tasks": (8, 32),  # how many the world knows, from and to
    "workers": (5, 8),
    "assistants": 0.2,  # share of the workers
    "dependencies": 0.6,  # share of the tasks that have any
    "priorities": (0, 0, 0, 1, 1, 2, 5, -1, 0.5),
    "resources": 0.5,  # share of the tasks that need any
    "batchable": 0.4,
    "families": ("Load", "Load", "Clean", "Report", "Join"),
    "batched": (["date"], ["date"], ["date"], ["date", "shard"], ["date", "missing"], []),  # parameters
    "batch_sizes": (None, None, 2, 3, 5, 1),
    "alike": 0.7,  # share of the tasks that differ by date only from others of their family
    "kinds": ("disk", "gate", "licence", "unlisted"),  # of resources
    "amounts": (1, 1, 1, 1, 2, 3, 0, 0.5),
    "totals": (0, 1, 1, 2, 3),
    "failing": 0.25,  # share of the runs
    "dynamic": 0.08,  # share of the runs that end in new dependencies
    "lost": 0.06,  # share of the get_work replies that never arrive
    "still": 0.6,  # share of the calls in the same instant as the one before
    "jump": 0.02,  # chance before each call that one of the delays runs out
    "flat": 0.0,  # chance that a worker schedules one task alone, without those it depends on
    "fans": 0,  # each so manieth task depends on all before it
    "roots": 1,  # how many tasks a worker sets out to schedule at a time
    "roles": {"client": 10, "operator": 2, "stranger": 0.5},
    "client": {"schedule": 8, "ask": 7, "finish": 5, "beat": 2, "report": 2, "amend": 2, "leave": 0.15, "rebatch": 0.2},
    "operator": {"look": 6, "steer": 3, "retotal": 2, "message": 3, "toggle": 0.7, "disable_worker": 0.15},
    "crowd": 0,  # tasks added before anything else happens
}

#: Theme -> the knobs it turns. A seed picks its theme by its number.
THEMES: dict[str, dict[str, Any]] = {
    "everyday": {},
    "ties": {"roots": 3, "still": 0.97, "priorities": (0, 0, 0, 1), "dependencies": 0.3, "failing": 0.4},
    "pended again": {
        "failing": 0.6,
        "jump": 0.05,
        "dependencies": 0.3,
        "operator": {"look": 2, "steer": 8, "retotal": 1},
    },
    "raised priorities": {
        "dependencies": 0.9,
        "priorities": (0, 1, 2, 3, 5, 8, 13),
        "flat": 0.4,
        "client": {"schedule": 8, "ask": 5, "finish": 4, "amend": 8, "beat": 1},
    },
    "resources": {
        "resources": 0.95,
        "dependencies": 0.3,
        "amounts": (1, 1, 1, 2, 2, 3, 4, 0.5),
        "totals": (2, 3, 4, 5),
        "client": {"schedule": 8, "ask": 10, "finish": 3, "report": 3, "amend": 2},
        "operator": {"look": 2, "retotal": 3},
    },
    "reserved resources": {
        "resources": 0.8,
        "kinds": ("disk", "gate"),
        "amounts": (1, 1, 2, 3),
        "totals": (2, 3, 4),
        "alike": 0.1,
        "priorities": (0, 1, 2, 3, 4, 5, 6),
        "flat": 0.8,
        "dependencies": 0.1,
        "client": {"schedule": 10, "ask": 10, "finish": 3, "beat": 1},
        "operator": {"look": 4, "steer": 1, "retotal": 1},
    },
    "disabled workers": {"operator": {"look": 3, "steer": 1, "disable_worker": 4}, "jump": 0.04},
    "changing workers": {
        "flat": 0.7,
        "dependencies": 0.4,
        "client": {"schedule": 9, "ask": 6, "finish": 5, "leave": 1.5},
        "jump": 0.04,
    },
    "disabled upstream": {
        "dependencies": 0.95,
        "failing": 0.7,
        "jump": 0.05,
        "operator": {"look": 3, "steer": 8},
        "client": {"schedule": 7, "ask": 8, "finish": 8, "amend": 4},
    },
    "pruning": {"jump": 0.07, "client": {"schedule": 6, "ask": 6, "finish": 5, "leave": 1.2, "beat": 2}},
    "batches": {
        "batchable": 0.95,
        "alike": 0.8,
        "families": ("Load", "Load", "Clean"),
        "tasks": (20, 40),
        "dependencies": 0.15,
        "resources": 0.2,
        "batched": (["date"], ["date"], ["date", "shard"]),
        "batch_sizes": (None, None, 2, 3, 5),
        "lost": 0.15,
        "roots": 5,
        "client": {"schedule": 9, "ask": 8, "finish": 6, "beat": 1, "report": 3, "amend": 2, "rebatch": 1},
    },
    "lost replies": {"lost": 0.5, "still": 0.8},
    "churn": {
        "fans": 6,
        "tasks": (25, 40),
        "dependencies": 0.0,
        "resources": 0.05,
        "priorities": (0, 1, 2),
        "flat": 0.9,
        "client": {"schedule": 6, "ask": 4, "finish": 3, "amend": 12},
    },
    "strangers": {"roles": {"client": 8, "operator": 2, "stranger": 6}},
}
CROWD = {
    "crowd": 2200,
    "tasks": (2200, 2200),
    "dependencies": 0.02,
    "still": 0.9,
    "batchable": 0.0,
    "resources": 1.0,
    "flat": 1.0,
}


def theme_of(seed: int) -> str:
    """The theme of a seed; one seed in 60 is a crowd of tasks before one resource."""
    return "crowd" if seed % 60 == 59 else list(THEMES)[seed % len(THEMES)]


def random_settings(rng: random.Random) -> dict[str, Any]:
    """Settings of the scheduler: delays short enough to run out within a history."""
    return {
        "retry_delay": rng.choice((5.0, 10.0, 10.0, 40.0, 0.0, -1.0, 900.0)),
        "remove_delay": rng.choice((10.0, 25.0, 25.0, 60.0, 0.0, 600.0)),
        "worker_disconnect_delay": rng.choice((15.0, 20.0, 20.0, 60.0)),
        "disable_window": rng.choice((10, 40, 3600)),
        "retry_count": rng.choice((1, 2, 2, 3, 999999999)),
        "disable_hard_timeout": rng.choice((15, 60, 999999999, 999999999)),
        "disable_persist": rng.choice((10, 30, 86400)),
        "max_shown_tasks": rng.choice((2, 8, 100000, 100000)),
        "max_graph_nodes": rng.choice((1, 4, 9, 100000, 100000)),
        "prune_on_get_work": rng.random() < 0.5,
        "pause_enabled": rng.random() < 0.9,
        "send_messages": rng.random() < 0.8,
        "stable_done_cooldown_secs": rng.choice((0, 5, 10, 10, 30)),
        "record_task_history": False,
        "batch_emails": False,
    }


class World:
    """What exists before the first call: settings, resources, tasks that may be wanted, processes that may run them."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = random.Random(seed)
        self.theme = theme_of(seed)
        self.knobs = types.SimpleNamespace(**{**KNOBS, **(CROWD if self.theme == "crowd" else THEMES[self.theme])})
        self.settings = random_settings(rng)
        self.resources = {
            name: rng.choice(self.knobs.totals) for name in ("disk", "gate", "licence") if rng.random() < 0.7
        }
        self.batchers = {family: self.batcher() for family in ("Load", "Clean", "Report")}
        self.workers = [f"worker-{number}" for number in range(rng.randint(*self.knobs.workers))]
        self.usual_needs: dict[str, dict[str, int]] = {}  # by family, of tasks that are alike
        self.specs: list[dict[str, Any]] = []
        for number in range(rng.randint(*self.knobs.tasks)):
            self.specs.append(self._spec(number))
        self.index = {spec["task_id"]: number for number, spec in enumerate(self.specs)}

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def weighted(self, weights: dict[str, float]) -> str:
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def batcher(self) -> dict[str, Any]:
        names, size = self.rng.choice(self.knobs.batched), self.rng.choice(self.knobs.batch_sizes)
        return {"batched_args": names, **({} if size is None else {"max_batch_size": size})}

    def _spec(self, number: int) -> dict[str, Any]:
        rng, knobs = self.rng, self.knobs
        family = rng.choice(knobs.families)
        params = {"date": f"2024-01-{number:02d}", "shard": "0", "mode": "a"}
        alike = self.chance(knobs.alike)
        if not alike:
            params.update(shard=rng.choice(("0", "1", None)), mode=rng.choice("ab"))
            del params[rng.choice(("shard", "mode", "mode", "date"))]
        return {
            "task_id": f"{family}_{rng.randrange(65536):04x}_{number}",
            "family": family,
            "module": "pipelines." + family.lower(),
            "params": params,
            "deps": self.dependencies(number),
            "resources": dict(self.usual_needs.setdefault(family, self.needs())) if alike else self.needs(),
            "priority": rng.choice(knobs.priorities),
            "batchable": family != "Join" and self.chance(knobs.batchable),
            "accepts_messages": self.chance(0.5),
            "retry_policy_dict": self.retry_policy(),
            "param_visibilities": {"mode": rng.choice((0, 1, 2))} if self.chance(0.15) else {},
        }

    def dependencies(self, number: int) -> list[str]:
        """Some tasks before the given one; the nearest most often, so that chains and diamonds come about."""
        rng, earlier = self.rng, [spec["task_id"] for spec in self.specs[:number]]
        if self.knobs.fans and number % self.knobs.fans == self.knobs.fans - 1:
            return earlier
        if not earlier or not self.chance(self.knobs.dependencies):
            return []
        pool = rng.choice((earlier, earlier[-3:], earlier[-3:], earlier[:2]))
        found = rng.sample(pool, min(len(pool), rng.choice((1, 1, 2, 2, 3))))
        return found + ([rng.choice(ABSENT)] if self.chance(0.04) else [])

    def needs(self) -> dict[str, int]:
        if self.theme == "crowd":
            return {"gate": 1}
        if not self.chance(self.knobs.resources):
            return {}
        names = self.rng.sample(self.knobs.kinds, min(len(self.knobs.kinds), self.rng.choice((1, 1, 1, 2))))
        return {name: self.rng.choice(self.knobs.amounts) for name in names}

    def retry_policy(self) -> dict[str, Optional[int]]:
        if self.chance(0.6):
            return {}
        return {
            "retry_count": self.rng.choice((None, 1, 2, 3)),
            "disable_hard_timeout": self.rng.choice((None, None, 5, 20)),
            "disable_window": self.rng.choice((None, 5, 50)),
        }

    def delays(self) -> list[float]:
        """Every delay that can run out, and the instants just before and after."""
        names = ("retry_delay", "remove_delay", "worker_disconnect_delay", "disable_window", "disable_persist")
        given = [float(self.settings[name]) for name in (*names, "stable_done_cooldown_secs", "disable_hard_timeout")]
        return [delay + nudge for delay in given if 0 < delay < 5000 for nudge in (-0.25, 0.0, 0.25, 1.0)]


class Actor:
    """Somebody who calls. `life()` is the endless generator of calls, resumed with the replies."""

    def __init__(self, world: World, stock: Any) -> None:
        self.world, self.stock, self.rng = world, stock, world.rng
        self.calls = self.life()
        self.reply: Any = None  # to the last call

    def next_step(self) -> Step:
        reply, self.reply = self.reply, None
        return self.calls.send(reply)

    def life(self) -> Iterator[Step]:
        raise NotImplementedError

    def task(self, *statuses: str) -> Any:
        """A task of stock's with one of the statuses (any without), or None."""
        found = list(self.stock._state.get_active_tasks_by_status(*(statuses or STATUSES)))
        return self.rng.choice(found) if found else None

    def task_id(self, *statuses: str) -> str:
        """Mostly the id of such a task, sometimes of any, known or not."""
        if self.world.chance(0.05):
            return self.rng.choice(ABSENT)
        task = self.task(*statuses) if self.world.chance(0.8) else self.task()
        return task.id if task else self.rng.choice(self.world.specs)["task_id"]


class Client(Actor):
    """A worker process that does what stock's worker does, with accidents."""

    def __init__(self, world: World, stock: Any, name: str) -> None:
        self.name = name
        self.assistant = world.chance(world.knobs.assistants)
        self.awake = True
        super().__init__(world, stock)
        self.forget()

    def forget(self) -> None:
        """Begin as a new process of the old name."""
        self.running: dict[str, dict[str, Any]] = {}  # task id -> what it reports of itself
        self.messages: list[dict[str, Any]] = []

    def life(self) -> Iterator[Step]:
        yield from self.introduce()
        while True:
            yield from getattr(self, self.world.weighted(self.world.knobs.client))()

    def introduce(self) -> Iterator[Step]:
        if self.world.chance(0.85):
            info = {"username": "u", "workers": self.rng.choice((1, 1, 2, 3, 0)), "first_task": self.task_id()}
            if self.world.chance(0.7 if self.assistant else 0.05):
                info["assistant"] = self.world.chance(0.9)
            pairs = list(map(list, info.items()))
            yield "add_worker", {"worker": self.name, "info": info if self.world.chance(0.5) else pairs}
        for family, batcher in self.world.batchers.items():
            if self.world.chance(0.8):
                yield "add_task_batcher", {"worker": self.name, "task_family": family, **batcher}

    def rebatch(self) -> Iterator[Step]:
        """Batch a family in another way than before."""
        family = self.rng.choice(list(self.world.batchers))
        self.world.batchers[family] = self.world.batcher()
        yield "add_task_batcher", {"worker": self.name, "task_family": family, **self.world.batchers[family]}

    def schedule(self) -> Iterator[Step]:
        """A task and those it depends on, from the root down, as `luigi.build` does."""
        if self.assistant and self.world.chance(0.9):
            return
        waiting = list(dict.fromkeys(self.wanted() for _ in range(self.world.knobs.roots)))
        for task_id in waiting:
            yield self.claim_of(task_id)
            if self.world.chance(self.world.knobs.flat):
                return
            number = self.world.index.get(task_id)
            below = [] if number is None else self.world.specs[number]["deps"]
            waiting += [dep for dep in below if dep not in waiting and len(waiting) < 10 and dep in self.world.index]

    def wanted(self) -> str:
        """Mostly the last of a few tasks which the scheduler does not know, or has not seen done."""
        done = self.stock._state._status_tasks[DONE]
        picked = [self.rng.randrange(len(self.world.specs)) for _ in range(3)]
        ids = [self.world.specs[number]["task_id"] for number in sorted(picked, reverse=True)]
        return next((task_id for task_id in ids if task_id not in done), ids[0])

    def claim_of(self, task_id: str) -> Step:
        """The add_task that schedules a task, with what its complete() and requires() may come to."""
        spec = dict(self.world.specs[self.world.index[task_id]])
        status = self.world.weighted({PENDING: 16, DONE: 2, UNKNOWN: 0.7, DISABLED: 0.3, SUSPENDED: 0.3})
        if status == UNKNOWN or status == DONE and self.world.chance(0.7):
            del spec["deps"]
        runnable = status == PENDING and not self.world.chance(0.04)
        return "add_task", {"worker": self.name, "status": status, "runnable": runnable, **self.worn(spec)}

    def worn(self, spec: dict[str, Any]) -> dict[str, Any]:
        """The spec as clients of other versions might send it: something missing, something unknown."""
        if self.world.chance(0.05):
            del spec[self.rng.choice([name for name in spec if name != "task_id"])]
        if self.world.chance(0.05):
            spec.update(owners=["o@example.com"], invented_later=True)
        return spec

    def ask(self) -> Iterator[Step]:
        """Mostly when there is something to be had."""
        if not self.ready() and self.world.chance(0.8):
            yield from self.schedule()
        arguments = {"worker": self.name, "host": self.name + ".example", "current_tasks": list(self.running)}
        if self.assistant or self.world.chance(0.01):
            arguments["assistant"] = True
        if self.world.chance(0.06):
            self.distort(arguments)
        reply = yield "get_work", arguments
        if self.world.chance(self.world.knobs.lost):
            return
        if reply.get("batch_id") is not None:
            yield from self.claim_batch(reply)
        elif reply["task_id"] is not None:
            self.running[reply["task_id"]] = {"family": reply["task_family"], "params": reply["task_params"]}

    def ready(self) -> bool:
        """Whether a task waits for nothing but this worker, or for resources."""
        pending = self.stock._state.get_active_tasks_by_status(PENDING)
        return any((self.assistant or self.name in task.workers) and self.stock._schedulable(task) for task in pending)

    def distort(self, arguments: dict[str, Any]) -> None:
        arguments["current_tasks"] = self.rng.choice((None, [], [self.task_id()], list(self.running)[1:]))
        if self.world.chance(0.3):
            del arguments["current_tasks"]

    def claim_batch(self, reply: dict[str, Any]) -> Iterator[Step]:
        claim = {"worker": self.name, "family": reply["task_family"], "module": reply["task_module"], "status": RUNNING}
        claim.update(params=dict(reply["task_params"]), batch_id=reply["batch_id"])
        claim["task_id"] = f"{reply['task_family']}_all_{reply['batch_id'][:6]}"
        if self.world.chance(0.2):
            claim["task_id"] = reply["batch_task_ids"][-1]  # params of a single task can be what all combine to
        if self.stock_can_claim(claim) and not self.world.chance(0.1):
            yield "add_task", claim
            self.running[claim["task_id"]] = {"family": claim["family"], "params": claim["params"]}

    def stock_can_claim(self, claim: dict[str, Any]) -> bool:
        """Stock fails on a claim of a batch that has no batch-running tasks (any more)."""
        task = self.stock._state.get_task(claim["task_id"])
        has_run = task is not None and bool(task.worker_running)
        return has_run or bool(self.stock._state.get_batch_running_tasks(claim["batch_id"]))

    def finish(self) -> Iterator[Step]:
        if not self.running:
            yield from self.ask()
            return
        task_id = self.rng.choice(list(self.running))
        about = self.running.pop(task_id)
        number = self.world.index.get(task_id)
        spec = {} if number is None else self.world.specs[number]
        report = {"worker": self.name, "task_id": task_id, "runnable": None, "assistant": self.assistant, **about}
        report.update(resources=spec.get("resources", {}), retry_policy_dict=spec.get("retry_policy_dict", {}))
        report.update(self.outcome(task_id, number))
        if report.get("new_deps"):
            for dep in report["new_deps"]:
                yield self.claim_of(dep)
        yield "add_task", report

    def outcome(self, task_id: str, number: Optional[int]) -> dict[str, Any]:
        if number and self.world.chance(self.world.knobs.dynamic):
            earlier = [spec["task_id"] for spec in self.world.specs[:number]]
            return {"status": PENDING, "new_deps": self.rng.sample(earlier, min(len(earlier), self.rng.choice((1, 2))))}
        if self.world.chance(self.world.knobs.failing):
            return {"status": FAILED, "expl": f'"trace of {task_id}"', "new_deps": []}
        if self.world.chance(0.03):
            return {"status": SUSPENDED, "new_deps": None}
        return {"status": DONE, "expl": '""', "new_deps": []}

    def beat(self) -> Iterator[Step]:
        reply = yield "ping", {"worker": self.name}
        for message in reply["rpc_messages"]:
            if message["name"] == "dispatch_scheduler_message" and self.world.chance(0.9):
                about = {name: message["kwargs"][name] for name in ("task_id", "message_id")}
                yield "add_scheduler_message_response", {**about, "response": "heard " + message["kwargs"]["content"]}

    def report(self) -> Iterator[Step]:
        """What a running task tells of itself."""
        task_id = self.rng.choice(list(self.running)) if self.running else self.task_id(RUNNING)
        task = self.stock._state.get_task(task_id)
        told = self.rng.choice(("status_message", "progress", "tracking_url", "decrease", "decrease", "statistics"))
        if told == "status_message":
            yield "set_task_status_message", {"task_id": task_id, "status_message": f"at {self.rng.randint(0, 99)}"}
        elif told == "progress":
            yield "set_task_progress_percentage", {"task_id": task_id, "progress_percentage": self.rng.randint(0, 100)}
        elif told == "tracking_url":
            url = self.rng.choice((f"http://tracker/{task_id}", "http://elsewhere/"))
            yield "add_task", {"worker": self.name, "task_id": task_id, "status": RUNNING, "tracking_url": url}
        elif told == "statistics":
            yield "report_task_statistics", {"task_id": task_id, "statistics": {"rows": 3}}
        elif task is None or task.status != RUNNING or hasattr(task, "resources_running"):  # else stock fails
            less = {name: self.rng.choice((1, 1, 2, 0)) for name in ("disk", "gate") if self.world.chance(0.7)}
            yield "decrease_running_task_resources", {"task_id": task_id, "decrease_resources": less}

    def amend(self) -> Iterator[Step]:
        """Schedule a known task again, other than it was."""
        number = self.rng.randrange(len(self.world.specs))
        spec = dict(self.world.specs[number])
        what = self.rng.choice(("priority", "priority", "deps", "resources", "policy"))
        if what == "priority":
            spec["priority"] += self.rng.choice((1, 1, 2, -1))
        elif what == "deps":
            spec["deps"] = self.world.dependencies(number)
        elif what == "resources":
            spec["resources"] = self.world.needs()
        else:
            spec.update(retry_policy_dict=self.world.retry_policy(), batchable=self.world.chance(0.5))
        if self.world.chance(0.5):
            self.world.specs[number] = spec
        yield "add_task", {"worker": self.name, "runnable": self.world.chance(0.9), **spec}

    def leave(self) -> Iterator[Step]:
        """Fall silent; `Author.jump` may wake it, as the process it was or as a new one."""
        self.awake = False
        yield "count_pending", {"worker": self.name}
        if self.world.chance(0.5):
            self.forget()
            yield from self.introduce()


class Operator(Actor):
    """People, and the page they look at."""

    def __init__(self, world: World, stock: Any) -> None:
        super().__init__(world, stock)
        self.asked: list[dict[str, Any]] = []  # messages whose answer may be looked for

    def life(self) -> Iterator[Step]:
        while True:
            yield from getattr(self, self.world.weighted(self.world.knobs.operator))()

    def look(self) -> Iterator[Step]:
        yield getattr(self, "_" + self.world.weighted({"list": 4, "graph": 3, "one": 3, "whole": 4}))()

    def _list(self) -> Step:
        if self.world.chance(0.25):
            return "task_search", {"task_str": self.rng.choice(("Load", "_1", "", "nothing", self.task_id()))}
        arguments = {"status": self.rng.choice(("", PENDING, PENDING, PENDING, *STATUSES))}
        arguments["upstream_status"] = self.rng.choice(("", "", *UPSTREAM_STATUSES))
        if self.world.chance(0.5):
            arguments["limit"] = self.world.chance(0.4)
        if self.world.chance(0.4):
            arguments["search"] = self.rng.choice(("load", "MODE=A clean", "01-0", "", "no such words"))
        if self.world.chance(0.3):
            arguments["max_shown_tasks"] = self.rng.choice((0, 1, 5, 50, None))
        return "task_list", arguments

    def _graph(self) -> Step:
        if self.world.chance(0.3):
            return "graph", {}
        arguments = {"task_id": self.task_id()}
        if self.world.chance(0.5):
            arguments["include_done"] = self.world.chance(0.5)
        return self.rng.choice(("dep_graph", "inverse_dep_graph")), arguments

    def _one(self) -> Step:
        names = ("fetch_error", "get_task_status_message", "get_task_progress_percentage", "get_running_task_resources")
        return self.rng.choice(names), {"task_id": self.task_id(FAILED, DISABLED, RUNNING, BATCH_RUNNING)}

    def _whole(self) -> Step:
        settled = ("is_paused", "is_pause_enabled", "has_task_history")
        name = self.rng.choice(("worker_list", "worker_list", "resource_list", "count_pending", *settled))
        if name == "worker_list":
            return name, {} if self.world.chance(0.7) else {"include_running": self.world.chance(0.5)}
        return name, {"worker": self.worker()} if name == "count_pending" else {}

    def worker(self) -> str:
        return self.rng.choice(self.world.workers) if self.world.chance(0.97) else "worker-from-nowhere"

    def steer(self) -> Iterator[Step]:
        name = self.rng.choice(("prune", "prune", "re_enable_task", "forgive_failures", "mark_as_done", "rare"))
        if name == "prune":
            yield name, {}
        elif name == "re_enable_task":
            yield name, {"task_id": self.task_id(DISABLED)}
        elif name == "forgive_failures":
            yield name, {"task_id": self.task_id(FAILED, DISABLED)}
        elif name == "mark_as_done":
            yield name, {"task_id": self.task_id(RUNNING, FAILED, DISABLED)}
        elif self.world.chance(0.5):
            yield "update_metrics_task_started", {"task": self.task_id()}
        else:
            about = {"task_name": "Load", "family": "Load", "params": {}, "expl": "no", "owners": []}
            yield "announce_scheduling_failure", {"worker": self.worker(), **about}

    def retotal(self) -> Iterator[Step]:
        name, amount = self.rng.choice(("disk", "gate", "licence")), self.rng.choice((0, 1, 1, 2, 3, 5))
        if self.world.chance(0.5):
            yield "update_resource", {"resource": name, "amount": -1 if self.world.chance(0.05) else amount}
        else:
            yield "update_resources", {name: amount, **({"extra": 1} if self.world.chance(0.1) else {})}

    def message(self) -> Iterator[Step]:
        """A question to a task, a look for the answer to an earlier one, or a new number of processes."""
        kind = self.world.weighted({"ask": 3, "look": 6, "processes": 1})
        if kind == "processes":
            yield "set_worker_processes", {"worker": self.worker(), "n": self.rng.randint(1, 4)}
        elif kind == "look" and self.asked:
            yield "get_scheduler_message_response", self.rng.choice(self.asked[-6:])
        else:
            task = self.task(RUNNING)
            task_id, worker = (task.id, task.worker_running) if task else (self.task_id(), self.worker())
            about = {"task": task_id, "worker": worker, "content": f"question {self.rng.randrange(10**6)}"}
            reply = yield "send_scheduler_message", about
            if reply["message_id"] is not None:
                self.asked.append({"task_id": task_id, "message_id": reply["message_id"]})

    def toggle(self) -> Iterator[Step]:
        yield "pause", {}
        for _ in range(self.rng.choice((0, 0, 1))):
            yield from self.look()
        yield "unpause", {}

    def disable_worker(self) -> Iterator[Step]:
        yield "disable_worker", {"worker": self.worker()}


class Stranger(Actor):
    """A client that reports on tasks which are not its own, or are nobody's."""

    def life(self) -> Iterator[Step]:
        while True:
            name = self.rng.choice((*self.world.workers, "stranger"))
            yield self.rng.choice((self.claim, self.claim, self.claim, self.work, self.answer))(name)

    def claim(self, name: str) -> Step:
        status = self.rng.choice((PENDING, DONE, FAILED, RUNNING, UNKNOWN, SUSPENDED, DISABLED))
        arguments: dict[str, Any] = {"worker": name, "task_id": self.task_id(), "status": status}
        options = {"runnable": False, "assistant": True, "batchable": True, "accepts_messages": None, "new_deps": []}
        options.update(expl="why", tracking_url="http://x/", family="Load", priority=self.rng.choice((0, 3, 7)))
        options.update(resources=self.world.needs(), params={"date": "never", "shard": "0", "mode": "a"})
        number = self.world.index.get(arguments["task_id"])
        if number:
            options["new_deps"] = [self.world.specs[self.rng.randrange(number)]["task_id"]]
        arguments.update((option, value) for option, value in options.items() if self.world.chance(0.25))
        return "add_task", arguments

    def work(self, name: str) -> Step:
        arguments: dict[str, Any] = {"worker": name}
        if self.world.chance(0.6):
            arguments["current_tasks"] = [self.task_id(RUNNING)]
        if self.world.chance(0.2):
            arguments["assistant"] = True
        return "get_work", arguments

    def answer(self, name: str) -> Step:
        return "add_scheduler_message_response", {"task_id": self.task_id(), "message_id": name, "response": "unasked"}


class Author:
    """Writes a history: iterate for the calls, and `hear` stock's reply to each before the next.

    `world` names the settings and resources both schedulers must be made with."""

    def __init__(self, seed: int, calls: int = 300) -> None:
        self.world = World(seed)
        self.calls = calls

    def __call__(self, stock: Any) -> Iterator[Call]:
        """The calls. `stock` is the scheduler that answers them."""
        world = self.world
        self.clients = [Client(world, stock, name) for name in world.workers]
        self.others = {"operator": Operator(world, stock), "stranger": Stranger(world, stock)}
        yield from self._crowd()
        written = 0
        while written < self.calls:
            for call in self._jump() if world.chance(world.knobs.jump) else self._one_step():
                yield call
                written += 1

    def hear(self, reply: Any) -> None:
        self.speaker.reply = reply

    def _crowd(self) -> Iterator[Call]:
        for spec in self.world.specs[: self.world.knobs.crowd]:
            self.speaker = self.world.rng.choice(self.clients[:3])
            yield Call(0.0, "add_task", {"worker": self.speaker.name, **spec})

    def _one_step(self) -> Iterator[Call]:
        role = self.world.weighted(self.world.knobs.roles)
        awake = [client for client in self.clients if client.awake]
        self.speaker = self.world.rng.choice(awake or self.clients) if role == "client" else self.others[role]
        yield Call(self._pause(), *self.speaker.next_step())

    def _pause(self) -> float:
        return 0.0 if self.world.chance(self.world.knobs.still) else self.world.rng.choice((0.25, 1.0, 1.0, 2.0, 4.0))

    def _jump(self) -> Iterator[Call]:
        """Let a delay run out. Those who are to survive it show themselves right after, before anything is pruned."""
        after = self.world.rng.choice(self.world.delays())
        for client in self.clients:
            client.awake = self.world.chance(0.9 if client.awake else 0.3)
        for client in filter(lambda client: client.awake, self.clients):
            self.speaker = Visitor
            yield Call(after, "ping", {"worker": client.name})
            after = 0.0
        if after:
            self.speaker = Visitor
            yield Call(after, "prune", {})


class Visitor:
    """Takes replies nobody waits for."""

    reply: Any = None
