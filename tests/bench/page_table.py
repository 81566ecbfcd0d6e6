"""The table of tasks, which is what the page opens with: how soon it is there, what it costs, how soon it follows."""

import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench import graphs
from tests.bench.daemons import OURS, PAGE_SIZE, STOCK, Daemon, running
from tests.bench.rows import get_work_seconds
from tests.bench.table import BYTES, COUNT, TIME, Figure, compared, grown
from tests.bench.window import new_window
from tests.bench.wire import Connection, request

FILLED, COST, WIRE, FOLLOWING = (
    "task table filled",
    "page with 100,000 tasks",
    "first load over the wire",
    "following",
)
ROUNDS = 3

#: Seconds that stock may take.
PATIENCE = 120

#: Seconds of CPU time are counted over so many seconds.
IDLE_SECONDS = 10

FILTERS = {STOCK: "#taskTable_filter input", OURS: "#filter"}

#: Notes when the table has its first rows, and how long the main thread was blocked at most. The row by which stock's
#: says that there is nothing has one cell.
WATCH = """
globalThis.longest = 0;
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) longest = Math.max(longest, duration / 1000);
}).observe({ type: "longtask", buffered: true });
globalThis.rows = () => [...document.querySelectorAll("#taskTable tbody tr, .virtual tbody:not(.spacer) tr")]
  .filter((row) => row.cells.length > 1);
globalThis.until = (condition) => new Promise((resolve) => {
  const look = () => (condition() ? resolve(performance.now() / 1000) : requestAnimationFrame(look));
  look();
});
globalThis.filledAt = until(() => rows().length);
"""

#: From the first key, pressed in the next task, to rows that hold what was typed and no others. Stock's wait for more
#: keys is part of it.
PRESS = """
async ([selector, words]) => {
  const input = document.querySelector(selector);
  const began = performance.now() / 1000;
  input.focus();
  input.value = words;
  for (const name of ["keydown", "input", "keyup"]) input.dispatchEvent(new KeyboardEvent(name, { bubbles: true }));
  const ended = await until(() => rows().length && rows().every((row) => row.textContent.includes(words)));
  return ended - began;
}
"""


class Visit:
    """A page opened by a browser that knows nothing, and all that went over the wire for it."""

    def __init__(self, browser: Any, daemon: Daemon) -> None:
        self.page = new_window(browser, PATIENCE)
        root = "http://%s:%d/" % daemon.address
        self.page.add_init_script(WATCH)
        self._session = self.page.context.new_cdp_session(self.page)
        self._session.send("Network.enable")
        self._paths: dict[str, str] = {}
        #: path -> bytes received, for each reply
        self.received: list[Any] = []
        self._session.on("Network.responseReceived", self._note_reply)
        self._session.on("Network.loadingFinished", self._note_end)
        self.page.goto(f"{root}static/visualiser/index.html", wait_until="commit")
        #: seconds from the start of the navigation to the first rows
        self.filled = self.page.evaluate("filledAt")

    def _note_reply(self, event: Any) -> None:
        self._paths[event["requestId"]] = event["response"]["url"]

    def _note_end(self, event: Any) -> None:
        self.received.append((self._paths.get(event["requestId"], ""), event["encodedDataLength"]))

    def measure(self, script: str) -> Any:
        """Return what a script returns."""
        return self.page.evaluate(script)

    def heap(self) -> float:
        """Return the bytes that the page's objects take after a garbage collection."""
        self._session.send("HeapProfiler.collectGarbage")
        return float(self._session.send("Runtime.getHeapUsage")["usedSize"])

    def close(self) -> None:
        self.page.context.close()


def renderer_rss(browser: Any) -> float:
    """Return the bytes of memory that the largest process with a page in it occupies."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pids = [process["id"] for process in processes if process["type"] == "renderer"]
    return float(max(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids) * PAGE_SIZE)


def tasks(size: int) -> Iterator[dict[str, Any]]:
    """Return that many tasks, some of them done and some failed."""
    for number in range(size):
        status = "DONE" if number % 3 else "FAILED" if number % 50 == 0 else "PENDING"
        yield graphs.described(number, status=status)


def filled(browser: Any, patient: bool) -> Iterator[Figure]:
    """From the link to the first rows, with more and more tasks."""
    for size, limit in ((1_000, 0.3), (10_000, 0.3), (100_000, 0.5)):
        with_stock = patient or size < 100_000
        with running(*((STOCK, OURS) if with_stock else (OURS,))) as daemons:
            for daemon in daemons.values():
                daemon.load(tasks(size))
            seconds: dict[str, list[float]] = {name: [] for name in daemons}
            for name, daemon in daemons.items():
                for _ in range(ROUNDS):
                    visit = Visit(browser, daemon)
                    seconds[name].append(visit.filled)
                    visit.close()
            yield compared(FILLED, f"{size:,} tasks", TIME, seconds, at_most=limit)
            if size == 100_000:
                yield from costs(browser, daemons)
                yield from following(browser, daemons)


def costs(browser: Any, daemons: dict[str, Daemon]) -> Iterator[Figure]:
    """What the page takes with 100,000 tasks."""
    found: dict[str, dict[str, list[float]]] = {}
    for name, daemon in daemons.items():
        visit = Visit(browser, daemon)
        visit.page.wait_for_load_state("load")
        own = {
            "block": visit.measure("longest"),
            "heap": visit.heap(),
            "rss": renderer_rss(browser),
            "nodes": float(visit.measure("document.querySelectorAll('*').length")),
            "paint": visit.measure("performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"),
            "static": float(sum(size for url, size in visit.received if "/static/" in url)),
            "requests": float(sum("/static/" in url for url, _ in visit.received)),
            "calls": float(sum(size for url, size in visit.received if "/api/" in url)),
        }
        visit.close()
        for fact, value in own.items():
            found.setdefault(fact, {})[name] = [value]
    yield compared(COST, "main thread's longest block", TIME, found["block"], at_most=0.05)
    yield compared(COST, "heap", BYTES, found["heap"], at_most=15 << 20)
    yield compared(COST, "memory of the browser's process", BYTES, found["rss"], at_most=200 << 20)
    yield compared(COST, "nodes in the document", COUNT, found["nodes"], at_most=1500)
    yield compared(COST, "first contentful paint", TIME, found["paint"], at_most=0.15)
    yield compared(WIRE, "static", BYTES, found["static"], at_most=120 << 10)
    yield compared(WIRE, "static: requests", COUNT, found["requests"], at_most=25)
    yield compared(WIRE, "calls, 100,000 tasks", BYTES, found["calls"], at_most=30 << 10)


def following(browser: Any, daemons: dict[str, Daemon]) -> Iterator[Figure]:
    """How soon what one types, and what happens, is seen; and what watching costs the daemon."""
    pressed: dict[str, list[float]] = {name: [] for name in daemons}
    for name, daemon in daemons.items():
        for words in ("00777", "00444", "00999")[: ROUNDS if name == OURS else 1]:
            visit = Visit(browser, daemon)
            pressed[name].append(visit.page.evaluate(PRESS, [FILTERS[name], words]))
            visit.close()
    yield compared(FOLLOWING, "first key in the filter to its rows, 100,000 tasks", TIME, pressed, at_most=0.15)

    daemon, visit = daemons[OURS], Visit(browser, daemons[OURS])
    seen = []
    for number in range(ROUNDS):
        family = f"Fresh{number}"
        expected = "[...document.querySelectorAll('.tile .number')].map((node) => node.textContent).join()"
        before = visit.measure(expected)
        began = time.time()
        daemon.load([graphs.described(1, task_id=family, family=family, status="DONE")])
        visit.page.wait_for_function(f"before => {expected} !== before", arg=before)
        seen.append(time.time() - began)
    yield compared(FOLLOWING, "a change to its being seen", TIME, {OURS: seen}, at_most=2)

    time.sleep(2)  # until the page has read the last change
    used = daemon.cpu_seconds()
    time.sleep(IDLE_SECONDS)
    share = (daemon.cpu_seconds() - used) / IDLE_SECONDS
    visit.close()
    yield compared(
        FOLLOWING, "daemon's CPU a second, one page open, nothing changes", TIME, {OURS: [share]}, at_most=0.02
    )


def crowded(browser: Any, patient: bool) -> Iterator[Figure]:
    """What 20 open pages cost those who ask for work, of whom each is news for all of them."""
    with running(OURS) as daemons:
        daemon = daemons[OURS]
        daemon.load(tasks(100_000))
        alone = [get_work_seconds(daemon) for _ in range(ROUNDS)]
        over = threading.Event()
        pages = [threading.Thread(target=watch, args=(daemon, over)) for _ in range(20)]
        for page in pages:
            page.start()
        watched = [get_work_seconds(daemon) for _ in range(ROUNDS)]
        over.set()
        for page in pages:
            page.join()
    slower = statistics.median(watched) / statistics.median(alone)
    yield grown(FOLLOWING, "get_work while 20 pages are open, as against none", 1.0, slower, 1.2)


def watch(daemon: Daemon, over: threading.Event) -> None:
    """Ask what an open page asks, as often, until it is over."""
    reads = [
        request("overview", {}, coding="gzip"),
        request("tasks", {"sort": "status", "limit": 50}, coding="gzip"),
        request("families", {"limit": 500}, coding="gzip"),
    ]
    since = 0
    with Connection(daemon.address) as connection:
        while not over.is_set():
            since = connection.call("changes", {"since": since, "wait": 1, "limit": 0})["revision"]
            for read in reads:
                connection.skip(read)
            over.wait(1)


SCENES = {"table": filled, "table-crowded": crowded}
