"""What is measured: the rows of the table, grouped by the state in which the daemons must be for them.

A row is a function that is given the daemons by name and yields its figures. Rows of a scene find the daemons as the
scene and the rows before them left them. Where both daemons are measured, they take turns: stock, ours, stock, ours.
"""

import itertools
import json
import operator
import statistics
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Callable, NamedTuple, Optional

from tests.bench import graphs, histories
from tests.bench.daemons import OURS, RECORDING, SCRIPT, STOCK, STOCK_RECORDING, Daemon, running
from tests.bench.load import (
    Stopwatch,
    connected_workers,
    drain,
    hammer,
    hammer_anew,
    latency,
    pinging,
    play,
    timed,
)
from tests.bench.table import BYTES, COUNT, RATE, TIME, Figure, compared, grown, steady
from tests.bench.wire import Connection, request

Daemons = dict[str, Daemon]
BOTH = (STOCK, OURS)

#: The rows, in the order in which they are shown.
ROWS = (
    PENDING := "get_work, many pending",
    GROWTH := "a million tasks against a thousand",
    KEEP_ALIVE := "8 keep-alive connections",
    ANEW := "the same, a connection a request",
    DRAIN := "draining a graph, 4 workers",
    UPKEEP := "prune, worker_list, count_pending",
    LISTS := "lists and graphs of all tasks",
    WAITS := "longest wait of others meanwhile",
    MEMORY := "memory a task",
    START := "start to first reply",
    CONNECTED := "connected workers, 2 calls a second each",
    HISTORY := "task history in SQLite, 8 connections",
    READING := "questions to a history of ten events a task",
)


class Plan(NamedTuple):
    """How much is measured."""

    rounds: int  #: how often each daemon has its turn
    starts: int  #: how often each is started
    live: int  #: tasks that both know in most rows
    growth: tuple[int, ...]  #: tasks that ours knows, one after the other; stock follows up to `live`
    requests: int  #: requests of each kind that are sent over keep-alive connections in a turn
    new_connections: int  #: requests of each kind that are sent over a connection each in a turn
    drained: int  #: tasks in the graph that both drain
    drained_large: int  #: tasks in the graph that ours drains in comparison
    workers: int  #: workers that are connected at the same time
    connected_seconds: float  #: for which they are, in each turn


FULL = Plan(3, 9, 100_000, (1_000, 10_000, 100_000, 1_000_000), 10_000, 3_000, 10_000, 100_000, 1_000, 10.0)
QUICK = Plan(3, 5, 10_000, (1_000, 10_000, 30_000), 2_000, 800, 1_000, 3_000, 1_000, 3.0)


#: Measures something and yields figures of it.
Row = Callable[[Daemons, Plan], Iterator[Figure]]


class Scene(NamedTuple):
    """A state and the rows that are measured in it."""

    name: str
    daemons: tuple[str, ...]
    prepare: Callable[[Daemon, Plan], None]
    rows: tuple[Row, ...]


def in_turn(things: Mapping[str, Any], rounds: int, measure: Callable[[Any], Any]) -> dict[str, list[Any]]:
    """Measure each thing (a daemon, as a rule) once a round; what was measured, by its name."""
    measured: dict[str, list[Any]] = {name: [] for name in things}
    for _ in range(rounds):
        for name, thing in things.items():
            measured[name].append(measure(thing))
    return measured


def each(measured: dict[str, list[Any]], take: Callable[[Any], float]) -> dict[str, list[float]]:
    """Take one number out of each thing measured."""
    return {name: [take(value) for value in values] for name, values in measured.items()}


def if_many(ratio: float, plan: Plan) -> Optional[float]:
    """Return a ratio that must be reached where there are as many tasks as the target is about, else None."""
    return ratio if plan.live >= FULL.live else None


def thousands(number: int) -> str:
    """Return a number of tasks in short: 10k, 1M."""
    return f"{number // 1000}k" if number < 1_000_000 else f"{number // 1_000_000}M"


def nothing(daemon: Daemon, plan: Plan) -> None:
    """Leave a daemon as it is."""


# -- nearly empty ------------------------------------------------------------------------------------------------------


def start(daemons: Daemons, plan: Plan) -> Iterator[Figure]:
    """From the start of the process to its first reply."""
    forms = (STOCK, OURS, SCRIPT)
    turns = in_turn(dict(zip(forms, forms)), plan.starts, start_new)
    seconds, cpu = each(turns, operator.itemgetter(0)), each(turns, operator.itemgetter(1))
    yield compared(START, "python3 -m luigid", TIME, pair(seconds, OURS), at_least=3)
    yield compared(START, "python3 -m luigid: CPU time", TIME, pair(cpu, OURS))
    yield compared(START, "python3 luigid.py", TIME, pair(seconds, SCRIPT))
    yield compared(START, "python3 luigid.py: CPU time", TIME, pair(cpu, SCRIPT))


def start_new(name: str) -> tuple[float, float]:
    """Start a daemon; the seconds, and those of CPU time, to its first reply."""
    with running(name) as started:
        return started[name].start_seconds, started[name].start_cpu


def pair(samples: dict[str, list[float]], name: str) -> dict[str, list[float]]:
    """Return the samples of stock and, as ours, those of one of several forms."""
    return {STOCK: samples[STOCK], OURS: samples[name]}


BUSY = [f"Worker(salt={number}, workers=1, host=etl-{number}, username=luigi, pid={number})" for number in range(8)]


def keep_busy(daemon: Daemon, plan: Plan) -> None:
    """Let eight workers each run a task."""
    with Connection(daemon.address) as connection:
        for number, worker in enumerate(BUSY):
            introduce(connection, worker, number)


def introduce(connection: Connection, worker: str, number: int) -> str:
    """Add a worker with one task, which it runs from then on; the id of the task."""
    info = {"workers": 1, "host": "etl-1", "username": "luigi", "pid": number, "first_task": graphs.task_id(number)}
    connection.call("add_worker", {"worker": worker, "info": list(info.items())})
    connection.call("add_task", graphs.described(number, worker))
    return connection.call("get_work", {"worker": worker, "host": "etl-1"})["task_id"]


def ask_for_work(worker: str, number: int) -> dict[str, Any]:
    """Return the arguments by which a worker that runs a task asks for another."""
    return {"worker": worker, "host": "etl-1", "assistant": False, "current_tasks": [graphs.task_id(number)]}


#: By what it is called, how the n-th call of a kind is made. add_task comes last: each adds a task to the state.
CALLS: dict[str, Callable[[int], dict[str, Any]]] = {
    "ping": lambda n: {"worker": BUSY[n % 8]},
    "get_work": lambda n: ask_for_work(BUSY[n % 8], n % 8),
    "add_task": lambda n: graphs.described(len(BUSY) + n, BUSY[n % 8]),
}


def keep_alive(daemons: Daemons, plan: Plan) -> Iterator[Figure]:
    """Requests a second and CPU time a request, over connections that stay."""
    for name, turns in requests_in_turn(daemons, plan, hammer, plan.requests, close=False):
        yield compared(KEEP_ALIVE, name, RATE, each(turns, lambda turn: plan.requests / turn.seconds), at_least=6)
        cpu = each(turns, lambda turn: turn.cpu / plan.requests)
        yield compared(KEEP_ALIVE, f"{name}: CPU a request", TIME, cpu, at_least=6)
        busy = each(turns, lambda turn: 100 * turn.generator / turn.seconds)
        yield compared(KEEP_ALIVE, f"{name}: generator's share of a core, %", COUNT, busy)._replace(ratio=None)


def anew(daemons: Daemons, plan: Plan) -> Iterator[Figure]:
    """Requests a second, over a new connection each."""
    size = plan.new_connections
    for name, turns in requests_in_turn(daemons, plan, hammer_anew, size, close=True):
        yield compared(ANEW, name, RATE, each(turns, lambda turn: size / turn.seconds), at_least=2)
        yield compared(ANEW, f"{name}: CPU a request", TIME, each(turns, lambda turn: turn.cpu / size))


def requests_in_turn(
    daemons: Daemons, plan: Plan, send: Callable[..., None], size: int, close: bool
) -> Iterator[tuple[str, dict[str, list[Stopwatch]]]]:
    """Yield each kind of call with what it took to send `size` of them, eight at a time, turn by turn."""
    turns = {name: itertools.count() for name in daemons}

    def measure(daemon: Daemon) -> Stopwatch:
        first = size * next(turns[daemon.name])
        sent = [request(call, CALLS[call](n), close=close) for n in range(first, first + size)]
        return timed(daemon, lambda: send(daemon.address, sent, 8))

    for call in CALLS:
        yield call, in_turn(daemons, 3 * plan.rounds, measure)  # a turn takes seconds, in which rates vary by a tenth


# -- draining ----------------------------------------------------------------------------------------------------------

DRAINERS = [f"Worker(salt={number}, workers=1, host=etl-1, username=luigi, pid={number})" for number in range(4)]


def drained(daemons: Daemons, plan: Plan) -> Iterator[Figure]:
    """Tasks a second, each asked for and reported done, by workers that all know the whole graph."""
    turns = in_turn(dict(zip(BOTH, BOTH)), plan.rounds, lambda name: drain_new(name, plan.drained))
    rates = each(turns, lambda turn: plan.drained / turn.seconds)
    yield compared(DRAIN, f"{plan.drained:,} tasks", RATE, rates, at_least=12)
    cpu = each(turns, lambda turn: turn.cpu / plan.drained)
    yield compared(DRAIN, f"{plan.drained:,} tasks: CPU a task", TIME, cpu)
    large = [plan.drained_large / drain_new(OURS, plan.drained_large).seconds for _ in range(plan.rounds)]
    yield compared(DRAIN, f"{plan.drained_large:,} tasks", RATE, {OURS: large})
    small, large = statistics.median(rates[OURS]), statistics.median(large)
    yield steady(DRAIN, "the rate of the larger against the smaller", small, large, within=0.25)


def drain_new(name: str, size: int) -> Stopwatch:
    """Load a graph into a new daemon, and drain it; what the draining took."""
    with running(name) as started:
        daemon = started[name]
        daemon.load(graphs.layered(size, DRAINERS))
        left = [size - 1]
        taken = timed(daemon, lambda: play(daemon.address, [drain(worker, left) for worker in DRAINERS]))
        with Connection(daemon.address) as connection:
            pending = connection.call("count_pending", {"worker": DRAINERS[0]})["n_pending_tasks"]
        if pending:
            raise RuntimeError(f"{name} has {pending} tasks left")
        return taken


# -- many tasks --------------------------------------------------------------------------------------------------------

GET_WORK = request("get_work", {"worker": graphs.LOADER, "host": "etl-1", "assistant": False, "current_tasks": []})


def report_done(reply: bytes) -> Any:
    """Return the request that ends the run which a get_work has begun; None if it gave out nothing."""
    task = json.loads(reply.partition(b"\r\n\r\n")[2])["response"]["task_id"]
    return None if task is None else request("add_task", graphs.done(task, graphs.LOADER))


def call_seconds(call: bytes) -> Callable[[Daemon], float]:
    """Return what measures how long a call takes, which changes nothing."""

    def measure(daemon: Daemon) -> float:
        with Connection(daemon.address) as connection:
            return latency(connection, call)

    return measure


def get_work_seconds(daemon: Daemon) -> float:
    """Return how long it takes to be given a task; each is reported done before the next is asked for."""
    with Connection(daemon.address) as connection:
        return latency(connection, GET_WORK, report_done)


def add_task_seconds(first: int) -> Callable[[Daemon], float]:
    """Return what measures how long it takes to add a task, new ones from number `first` on."""
    numbers = itertools.count(first)

    def measure(daemon: Daemon) -> float:
        requests = [request("add_task", graphs.described(next(numbers))) for _ in range(100)]
        with Connection(daemon.address) as connection:
            return statistics.median(exchange_seconds(connection, sent) for sent in requests)

    return measure


def exchange_seconds(connection: Connection, sent: bytes) -> float:
    """Return how long one call takes."""
    began = time.perf_counter()
    connection.exchange(sent)
    return time.perf_counter() - began


def load_plain(daemon: Daemon, plan: Plan) -> None:
    """Add tasks without dependencies and resources."""
    daemon.load(graphs.plain(range(plan.live)))


def load_exhausted(daemon: Daemon, plan: Plan) -> None:
    """Add tasks that need one resource, and have one of them take it."""
    daemon.load(graphs.exhausted(plan.live))
    with Connection(daemon.address) as connection:
        connection.exchange(GET_WORK)


def load_layered(daemon: Daemon, plan: Plan) -> None:
    """Add a layered graph."""
    daemon.load(graphs.layered(plan.live))


def memory(case: str) -> Row:
    """Return the row that tells how much of a daemon's memory each task takes."""

    def memory_a_task(daemons: Daemons, plan: Plan) -> Iterator[Figure]:
        sizes = {name: [(daemon.rss() - daemon.empty_rss) / plan.live] for name, daemon in daemons.items()}
        yield compared(MEMORY, f"{plan.live:,} {case}", BYTES, sizes, at_least=2)

    return memory_a_task


def pending_plain(daemons: Daemons, plan: Plan) -> Iterator[Figure]:
    """Being given one of many tasks that are all ready."""
    seconds = in_turn(daemons, plan.rounds, get_work_seconds)
    yield compared(PENDING, f"{plan.live:,} plain", TIME, seconds, at_least=if_many(1000, plan))


def pending_exhausted(daemons: Daemons, plan: Plan) -> Iterator[Figure]:
    """Being refused all of many tasks."""
    seconds = in_turn(daemons, plan.rounds, call_seconds(request("get_work", ask_with_current(daemons))))
    name = f"{plan.live:,} that need one exhausted resource"
    yield compared(PENDING, name, TIME, seconds, at_least=if_many(1000, plan))


def ask_with_current(daemons: Daemons) -> dict[str, Any]:
    """Return the arguments by which a worker asks that runs the same task in each daemon."""
    running_ids = set()
    for daemon in daemons.values():
        with Connection(daemon.address) as connection:
            counted = connection.call("count_pending", {"worker": graphs.LOADER})
        running_ids.update(task["task_id"] for task in counted["running_tasks"])
    if len(running_ids) != 1:
        raise RuntimeError(f"not one and the same task is running, but {running_ids}")
    return {"worker": graphs.LOADER, "host": "etl-1", "assistant": False, "current_tasks": list(running_ids)}


def pending_layered(daemons: Daemons, plan: Plan) -> Iterator[Figure]:
    """Being given a task of a large graph."""
    seconds = in_turn(daemons, plan.rounds, get_work_seconds)
    yield compared(PENDING, f"{plan.live:,} in {graphs.LAYERS} layers", TIME, seconds, at_least=if_many(1000, plan))


def upkeep(daemons: Daemons, plan: Plan) -> Iterator[Figure]:
    """What is called now and then, and must not look at every task."""
    for method, arguments in (
        ("prune", {}),
        ("worker_list", {"include_running": True}),
        ("count_pending", {"worker": graphs.LOADER}),
    ):
        seconds = in_turn(daemons, plan.rounds, call_seconds(request(method, arguments)))
        yield compared(UPKEEP, f"{method} at {plan.live:,}", TIME, seconds, at_least=if_many(200, plan))


def lists(daemons: Daemons, plan: Plan) -> Iterator[Figure]:
    """The list of all tasks, as a program reads it and as a browser does."""
    arguments = {"status": "", "upstream_status": "", "limit": True}
    yield from big_replies(daemons, plan, "task_list", arguments, "identity")
    yield from big_replies(daemons, plan, "task_list", arguments, "gzip")


def graphs_of_all(daemons: Daemons, plan: Plan) -> Iterator[Figure]:
    """The graph up and down, from the one end to the other."""
    up, down = graphs.task_id(plan.live - 1), graphs.task_id(0)
    yield from big_replies(daemons, plan, "dep_graph", {"task_id": up}, "identity")
    yield from big_replies(daemons, plan, "inverse_dep_graph", {"task_id": down}, "identity")


def big_replies(daemons: Daemons, plan: Plan, method: str, arguments: dict[str, Any], coding: str) -> Iterator[Figure]:
    """Yield how long a big reply takes, and how long others wait for theirs meanwhile."""
    sent = request(method, arguments, coding=coding)

    def measure(daemon: Daemon) -> tuple[float, float]:
        with Connection(daemon.address) as connection, pinging(daemon.address) as result:
            began = time.perf_counter()
            size = connection.skip(sent)
            seconds = time.perf_counter() - began
        if size < plan.live:
            raise RuntimeError(f"{daemon.name} answered {method} with {size} bytes only")
        return seconds, result["longest"]

    name = f"{method}, {plan.live:,} tasks" + (", gzip" if coding == "gzip" else "")
    turns = in_turn(daemons, plan.rounds, measure)
    yield compared(LISTS, name, TIME, each(turns, operator.itemgetter(0)), at_least=4)
    yield compared(WAITS, name, TIME, each(turns, operator.itemgetter(1)), at_most=0.05)


# -- growth ------------------------------------------------------------------------------------------------------------


def growth(daemons: Daemons, plan: Plan) -> Iterator[Figure]:
    """get_work and add_task at more and more tasks."""
    known, seconds = 0, {}
    for size in plan.growth:
        sharing = {name: daemon for name, daemon in daemons.items() if name == OURS or size <= plan.live}
        for daemon in sharing.values():
            daemon.load(graphs.plain(range(known, size)))
        known = size
        work = in_turn(sharing, plan.rounds, get_work_seconds)
        add = in_turn(sharing, plan.rounds, add_task_seconds(2_000_000 + size))
        sizes = {name: [(daemon.rss() - daemon.empty_rss) / size] for name, daemon in sharing.items()}
        yield compared(GROWTH, f"get_work at {thousands(size)}", TIME, work)
        yield compared(GROWTH, f"add_task at {thousands(size)}", TIME, add)
        yield compared(GROWTH, f"memory a task at {thousands(size)}", BYTES, sizes)
        seconds[size] = statistics.median(work[OURS]), statistics.median(add[OURS])
    smallest, largest = seconds[plan.growth[0]], seconds[plan.growth[-1]]
    for call, small, large in zip(("get_work", "add_task"), smallest, largest):
        yield grown(GROWTH, f"{call} at {thousands(plan.growth[-1])} / {thousands(plan.growth[0])}", small, large, 2)


# -- many workers ------------------------------------------------------------------------------------------------------


def connected(daemons: Daemons, plan: Plan) -> Iterator[Figure]:
    """Many workers at once: how long their calls wait, and what the daemon needs for them."""
    turns = in_turn(daemons, plan.rounds, lambda daemon: stay_connected(daemon, plan))
    name = f"{plan.workers:,} workers, {plan.connected_seconds:g} s"
    for key, unit, limit in (
        ("p50", TIME, {}),
        ("p99", TIME, {"at_most": 0.05}),
        ("threads before", COUNT, {}),
        ("threads meanwhile", COUNT, {}),
        ("threads afterwards", COUNT, {"at_most": 50}),
        ("memory gained in the second half", BYTES, {"at_most": 1 << 20}),
    ):
        figure = compared(CONNECTED, f"{name}: {key}", unit, each(turns, operator.itemgetter(key)), **limit)
        yield figure if unit == TIME else figure._replace(ratio=None)


def stay_connected(daemon: Daemon, plan: Plan) -> dict[str, float]:
    """Let many workers, each with a task that it runs, ping and ask for work once a second."""
    calls = []
    with Connection(daemon.address) as connection:
        for number in range(plan.workers):
            worker = f"Worker(salt={number}, workers=1, host=etl-{number % 50}, username=luigi, pid={number})"
            introduce(connection, worker, number)
            ask = ask_for_work(worker, number)
            calls.append((request("ping", {"worker": worker}), request("get_work", ask)))
    before, looks = daemon.threads(), []
    waits = connected_workers(
        daemon.address, calls, plan.connected_seconds, lambda: looks.append((daemon.rss(), daemon.threads()))
    )
    time.sleep(1)  # connections are found closed by threads that must run for it
    percentiles = statistics.quantiles(waits, n=100)
    (rss_half, _), (rss_end, threads) = looks
    return {
        "p50": percentiles[49],
        "p99": percentiles[98],
        "threads before": before,
        "threads meanwhile": threads,
        "threads afterwards": daemon.threads(),
        "memory gained in the second half": rss_end - rss_half,
    }


# -- the task history --------------------------------------------------------------------------------------------------


def recorded(daemons: Daemons, plan: Plan) -> Iterator[Figure]:
    """What recording costs those who call, and how many events a second go into the database."""
    count = itertools.count()

    def measure(daemon: Daemon) -> dict[str, float]:
        # Stock takes long: each call waits until the disk has its event.
        size = plan.requests // 10 if daemon.name == STOCK_RECORDING else plan.requests
        first = next(count) * plan.requests
        tasks = [graphs.described(number, BUSY[number % 8]) for number in range(first, first + size)]
        requests = [request("add_task", task) for task in tasks]
        began = time.perf_counter()
        taken = timed(daemon, lambda: hammer(daemon.address, requests, 8))
        if daemon.name == RECORDING:
            wait_until_recorded(daemon)
        return {"call": taken.seconds / size, "cpu": taken.cpu / size, "event": (time.perf_counter() - began) / size}

    turns = in_turn(daemons, 3 * plan.rounds, measure)  # a difference of some percent needs more of them
    calls, cpu = each(turns, operator.itemgetter("call")), each(turns, operator.itemgetter("cpu"))
    rates = {OURS: [1 / call for call in calls[RECORDING]], STOCK: [1 / call for call in calls[STOCK_RECORDING]]}
    yield compared(HISTORY, "add_task, each recorded", RATE, rates)
    yield compared(HISTORY, "add_task, recorded: CPU a request", TIME, {OURS: cpu[RECORDING]})
    yield compared(HISTORY, "add_task, not recorded: CPU a request", TIME, {OURS: cpu[OURS]})
    without, with_history = statistics.median(calls[OURS]), statistics.median(calls[RECORDING])
    yield grown(HISTORY, "add_task, recorded / not recorded", without, with_history, at_most=1.15)
    events = [1 / turn["event"] for turn in turns[RECORDING]]
    yield compared(HISTORY, "events a second, from the first call to the last row", RATE, {OURS: events}, reach=1000)


def wait_until_recorded(daemon: Daemon) -> None:
    """Return when a daemon's database has all that it heard of."""
    with Connection(daemon.address) as connection:
        while True:
            reply = connection.exchange(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            if not json.loads(reply.partition(b"\r\n\r\n")[2])["history"]["waiting"]:
                return
            time.sleep(0.01)


#: Seconds in which each question to a history of 1,000,000 events must be answered.
SOON = 0.1


def fill_history(daemon: Daemon, plan: Plan) -> None:
    """Let a daemon have a history of ten events for each live task."""
    histories.fill(daemon.history_path, history_runs(plan), time.time())


def history_runs(plan: Plan) -> int:
    """Return the runs in the history that is read."""
    return 10 * plan.live // len(histories.EVENTS)


def read_history(daemons: Daemons, plan: Plan) -> Iterator[Figure]:
    """What each question to the history takes, over the wire."""
    daemon = daemons[RECORDING]
    with Connection(daemon.address) as connection:
        for what, address in histories.questions(history_runs(plan), time.time()):
            asked = f"GET /api/history/{address} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode("ascii")
            seconds = [latency(connection, asked) for _ in range(plan.rounds)]
            yield compared(READING, what, TIME, {OURS: seconds}, at_most=if_many(SOON, plan))


SCENES = (
    Scene("start", (), nothing, (start,)),
    Scene("requests", BOTH, keep_busy, (keep_alive,)),
    Scene("anew", BOTH, keep_busy, (anew,)),
    Scene("connected", BOTH, nothing, (connected,)),
    Scene("drain", (), nothing, (drained,)),
    Scene("plain", BOTH, load_plain, (memory("plain"), pending_plain, upkeep, lists, memory("plain, all listed"))),
    Scene("exhausted", BOTH, load_exhausted, (memory("that need a resource"), pending_exhausted)),
    Scene("layered", BOTH, load_layered, (memory("in layers"), pending_layered, graphs_of_all)),
    Scene("growth", BOTH, nothing, (growth,)),
    Scene("history", (OURS, RECORDING, STOCK_RECORDING), nothing, (recorded,)),
    Scene("history-reading", (RECORDING,), fill_history, (read_history,)),
)


def play_scene(scene: Scene, plan: Plan, say: Callable[[str], None]) -> Iterator[Figure]:
    """Yield the figures of a scene; what fails is said, and does not keep the rest from being measured."""
    with running(*scene.daemons) as daemons:
        for daemon in daemons.values():
            scene.prepare(daemon, plan)
        for row in scene.rows:
            try:
                yield from row(daemons, plan)
            except Exception as error:
                say(f"{row.__name__} in scene {scene.name} failed: {type(error).__name__}: {error}")


def in_order(figures: Iterable[Figure]) -> list[Figure]:
    """Return figures in the order of ROWS."""
    return sorted(figures, key=lambda figure: ROWS.index(figure.row))
