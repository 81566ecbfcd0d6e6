"""What generates the load, and the clock beside it.

It runs in processes of its own, each with one thread that waits for all its sockets at once. On a machine with two
cores the daemon, whose Python code cannot use more than one, has one of them, and what sends the load and reads the
replies has the other: stock and ours alike. `Stopwatch` therefore also tells how busy the generator was; where that is
far below 100 % of a core, the generator was not what limited the rate. The one row for which three processes are busy
at a time is the wait of others during a big reply: the third then reads that reply and throws it away, and what waits
on a machine of two cores is a little overstated.
"""

import collections
import contextlib
import gc
import json
import multiprocessing
import selectors
import statistics
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import (
    Any,
    Callable,
    NamedTuple,
    Optional,
)

from tests.bench import graphs
from tests.bench.daemons import PING, Daemon
from tests.bench.wire import CHUNK, Connection, connect, reply_size, request

#: A client as a coroutine: yields a request, is sent the reply.
Script = Generator[bytes, bytes, None]

#: A call is repeated at least so often, and for so long in seconds, but no more often than that.
LEAST_CALLS, CALL_SECONDS, MOST_CALLS = 5, 0.2, 200

#: Seconds between two pings of the process that measures how long they wait.
PING_PAUSE = 0.002


class Stopwatch(NamedTuple):
    """What some requests took."""

    seconds: float  #: from the first request to the last reply
    cpu: float  #: seconds of CPU time of the daemon
    generator: float  #: seconds of CPU time of this process


def timed(daemon: Daemon, work: Callable[[], Any]) -> Stopwatch:
    """Do some work with a daemon, and return what it took."""
    with undisturbed():
        cpu, generator, began = daemon.cpu_seconds(), time.process_time(), time.perf_counter()
        work()
        seconds = time.perf_counter() - began
        return Stopwatch(seconds, daemon.cpu_seconds() - cpu, time.process_time() - generator)


def no_undoing(reply: bytes) -> None:
    """The `after` of calls that change nothing."""


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Keep this process's garbage collection out of what is measured."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def latency(connection: Connection, call: bytes, after: Callable[[bytes], Optional[bytes]] = no_undoing) -> float:
    """Repeat a call; the median of its times in seconds.

    `after` turns a reply into the request, not timed, that undoes what the call did, or into None.
    """
    times: list[float] = []
    with undisturbed():
        while len(times) < LEAST_CALLS or (sum(times) < CALL_SECONDS and len(times) < MOST_CALLS):
            began = time.perf_counter()
            reply = connection.exchange(call)
            times.append(time.perf_counter() - began)
            undo = after(reply)
            if undo:
                connection.exchange(undo)
    return statistics.median(times)


# -- closed loops: a client waits for its reply before it sends again --------------------------------------------------


def play(address: Any, scripts: Iterable[Script]) -> None:
    """Play scripts at the same time, each on its own keep-alive connection."""
    with selectors.DefaultSelector() as selector:
        for script in scripts:
            sock = connect(address)
            sock.sendall(next(script))
            selector.register(sock, selectors.EVENT_READ, [script, b""])
        while selector.get_map():
            for key, _ in selector.select():
                if not proceed(key.fileobj, key.data):
                    selector.unregister(key.fileobj)
                    key.fileobj.close()


def proceed(sock: Any, state: list[Any]) -> bool:
    """Read what came for a script, and send its next request if that was a whole reply; False if it has none."""
    script, data = state
    data += sock.recv(CHUNK)
    size = reply_size(data)
    if size is None or len(data) < size:
        if not data:
            raise ConnectionError("the daemon hung up")
        state[1] = data
        return True
    state[1] = b""
    try:
        sock.sendall(script.send(data))
    except StopIteration:
        return False
    return True


def share(requests: Iterator[bytes]) -> Script:
    """A script that takes the next of some requests, which it shares with others."""
    while True:
        sent = next(requests, None)
        if sent is None:
            return
        yield sent


def hammer(address: Any, requests: Iterable[bytes], connections: int) -> None:
    """Send requests, so many at a time."""
    shared = iter(requests)
    play(address, [share(shared) for _ in range(connections)])


def hammer_anew(address: Any, requests: Iterable[bytes], connections: int) -> None:
    """Send requests, so many at a time, each on a new connection, which the daemon closes after its reply."""
    shared = iter(requests)
    with selectors.DefaultSelector() as selector:

        def send_next() -> None:
            sent = next(shared, None)
            if sent is not None:
                sock = connect(address)
                sock.sendall(sent)
                selector.register(sock, selectors.EVENT_READ, bytearray())

        for _ in range(connections):
            send_next()
        while selector.get_map():
            for key, _ in selector.select():
                part = key.fileobj.recv(CHUNK)
                key.data.extend(part)
                if not part:
                    if reply_size(key.data) != len(key.data):
                        raise ConnectionError(f"the daemon hung up after {bytes(key.data[:200])!r}")
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                    send_next()


def drain(worker: str, left: list[int]) -> Script:
    """The script of a worker that asks for tasks and reports them done, until none are `left` ([number])."""
    ask = request("get_work", {"worker": worker, "host": "etl-1", "assistant": False, "current_tasks": []})
    while left[0]:
        reply = yield ask
        task = json.loads(reply.partition(b"\r\n\r\n")[2])["response"]["task_id"]
        if task is not None:
            left[0] -= 1
            yield request("add_task", graphs.done(task, worker))


# -- an open loop: clients keep their times, however long replies take -------------------------------------------------


def connected_workers(
    address: Any, calls: Sequence[tuple[bytes, bytes]], seconds: float, look: Callable[[], None]
) -> list[float]:
    """Keep a connection for each pair of calls, sending each call once a second; the waits for replies, in seconds.

    Calls are spread evenly over time, after a first one on each connection. One is sent when it is due, also if replies
    are still owed, and its wait counts from then: a daemon that falls behind is not spared by clients that wait for it.
    `look` is called after half of the time and at its end, before the connections are closed.
    """
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        sockets = [stack.enter_context(connect(address)) for _ in calls]
        owed: list[collections.deque[float]] = [collections.deque() for _ in calls]
        for sock, (first, _), times in zip(sockets, calls, owed):
            sock.sendall(first)
            sock.recv(CHUNK)
            selector.register(sock, selectors.EVENT_READ, [times, b""])
        waits: list[float] = []
        step, began = 0.5 / len(calls), time.perf_counter()
        most, sent = int(seconds / step), 0
        while len(waits) < most:
            now = time.perf_counter()
            while sent < most and began + sent * step <= now:
                turn, number = divmod(sent, len(calls))
                owed[number].append(began + sent * step)
                sockets[number].sendall(calls[number][turn % 2])
                sent += 1
                if sent == most // 2:
                    look()
            pause = began + sent * step - time.perf_counter() if sent < most else None
            for key, _ in selector.select(pause if pause is None else max(0, pause)):
                take_replies(key.fileobj, key.data, waits)
        look()
        return waits


def take_replies(sock: Any, state: list[Any], waits: list[float]) -> None:
    """Read what came on a connection of `connected_workers`, noting how long each whole reply took."""
    owed, data = state
    data += sock.recv(CHUNK)
    if not data:
        raise ConnectionError("the daemon hung up")
    now = time.perf_counter()
    size = reply_size(data)
    while size is not None and len(data) >= size:
        waits.append(now - owed.popleft())
        data = data[size:]
        size = reply_size(data)
    state[1] = data


# -- how long others wait ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def pinging(address: Any) -> Iterator[dict[str, float]]:
    """Ping from another process during the block; the dict then has the "longest" wait in seconds."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=ping_until_told, args=(address, theirs), daemon=True)
    process.start()
    result: dict[str, float] = {}
    try:
        ours.recv()
        yield result
        ours.send(None)
        result["longest"] = ours.recv()
        process.join()
    finally:
        process.kill()


def ping_until_told(address: Any, pipe: Any) -> None:
    """What the other process of `pinging` does."""
    with Connection(address) as connection, undisturbed():
        connection.exchange(PING)
        pipe.send(None)
        longest = 0.0
        while not pipe.poll():
            began = time.perf_counter()
            connection.exchange(PING)
            longest = max(longest, time.perf_counter() - began)
            time.sleep(PING_PAUSE)
        pipe.send(longest)
