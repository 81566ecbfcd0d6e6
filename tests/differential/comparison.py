"""One history played into two schedulers, every reply compared, and the shortest history that still disagrees.

`python -m tests.differential.comparison SEED` prints what stock answers in the history of a seed, as one digest.
"""

import difflib
import hashlib
import json
import logging
import pprint
import sys
import traceback
import unittest.mock
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, Callable, NamedTuple, Optional

from .events import Observer
from .histories import Author, Call, theme_of
from .stock import stock_scheduler

Maker = Callable[[Callable[[], float], dict[str, int], dict[str, Any]], Any]  # clock, resources, settings -> scheduler

logging.getLogger("luigid").setLevel(logging.CRITICAL)

#: Tasks from which on validate(), which looks at all of them, runs after one call in VALIDATE_EACH only.
CROWD, VALIDATE_EACH = 300, 50


class Clock:
    """Seconds since the epoch, as both schedulers see them."""

    def __init__(self) -> None:
        self.now = 1700000000.0

    def __call__(self) -> float:
        return self.now


class StockFailed(Exception):
    """Stock answered with a trace, so that there is nothing to compare with."""


class Disagreement(NamedTuple):
    """Where the replies part."""

    step: int  #: index of the call
    call: Call
    stock: str  #: reply, as text
    ours: str  #: reply or what was raised, as text


class History(NamedTuple):
    """All that is needed to play a history again."""

    settings: dict[str, Any]
    resources: dict[str, int]
    calls: list[Call]


class Outcome(NamedTuple):
    """What came of the history of a seed."""

    seed: int
    counts: dict[str, int]  #: event -> times it happened
    disagreement: Optional[Disagreement]
    history: History  #: up to the disagreement


def as_text(reply: Any) -> str:
    """A reply as it goes over the wire, except that what stock keeps in a set, a task's dependencies, is sorted."""
    if isinstance(reply, dict) and "deps" in reply:
        reply = _sorted_dependencies(reply)
    elif isinstance(reply, dict):
        reply = {key: _sorted_dependencies(value) for key, value in reply.items()}
    return json.dumps(reply, sort_keys=True)


def _sorted_dependencies(node: Any) -> Any:
    return {**node, "deps": sorted(node["deps"])} if isinstance(node, dict) and "deps" in node else node


def scribble(value: Any) -> None:
    """Spoil a reply, or arguments, after use: nothing that a scheduler keeps may be in them."""
    if isinstance(value, dict):
        for part in value.values():
            scribble(part)
        value["scribbled"] = "on"
    elif isinstance(value, list):
        for part in value:
            scribble(part)
        value.append("scribbled on")


class Duel:
    """Two fresh schedulers of the same settings, and one clock."""

    def __init__(self, settings: dict[str, Any], resources: dict[str, int], make: Maker) -> None:
        self.clock = Clock()
        self.ours = make(self.clock, dict(resources), settings)
        self.stock = stock_scheduler(self.clock, resources, settings)
        self.content = ""  # of the message being sent

    def play(self, calls: Iterable[Call], hear: Callable[[Call, Any], None]) -> Optional[Disagreement]:
        """Play the calls until the replies part. `hear` is told of each call and stock's reply."""
        with unittest.mock.patch.object(uuid, "uuid4", lambda: "about " + self.content):
            for step, call in enumerate(calls):
                self.clock.now += call.after
                self.content = str(call.arguments.get("content"))
                reply = self._ask_stock(call)
                text = as_text(reply)
                ours = self._ask_ours(call)
                if ours == text:
                    ours += self._complaint(step)
                if ours != text:
                    return Disagreement(step, call, text, ours)
                hear(call, reply)
        return None

    def _ask_stock(self, call: Call) -> Any:
        try:
            return getattr(self.stock, call.method)(**call.arguments)
        except Exception as failure:
            raise StockFailed(call) from failure

    def _ask_ours(self, call: Call) -> str:
        arguments = json.loads(json.dumps(call.arguments))
        try:
            reply = getattr(self.ours, call.method)(**arguments)
            text = as_text(reply)
        except Exception:
            return "raised " + traceback.format_exc()
        scribble(reply)
        scribble(arguments)
        return text

    def _complaint(self, step: int) -> str:
        """What validate() finds wrong, if anything."""
        if len(self.stock._state._tasks) > CROWD and step % VALIDATE_EACH:
            return ""
        try:
            self.ours.validate()
        except Exception:
            return " but validate() raised " + traceback.format_exc()
        return ""


def play_seed(seed: int, make: Maker, calls: int = 300) -> Outcome:
    """Write the history of a seed while playing it into stock and into what `make` makes."""
    author = Author(seed, calls)
    duel = Duel(author.world.settings, author.world.resources, make)
    observer = Observer(duel.stock)
    written: list[Call] = []

    def recorded() -> Iterator[Call]:
        for call in author(duel.stock):
            written.append(call)
            yield call

    def hear(call: Call, reply: Any) -> None:
        observer(call, reply)
        author.hear(reply)

    disagreement = duel.play(recorded(), hear)
    return Outcome(seed, observer.counts, disagreement, History(author.world.settings, author.world.resources, written))


def replay(history: History, make: Maker) -> Optional[Disagreement]:
    """Play a finished history. None also if stock cannot play it to the point of disagreement."""
    try:
        return Duel(history.settings, history.resources, make).play(history.calls, lambda call, reply: None)
    except StockFailed:
        return None


# Shrinking. Calls keep their instants while others are dropped: the time that passed before a dropped call is added to
# the next one.


def shrink(history: History, make: Maker) -> History:
    """A history as short as simple means make it, in which the schedulers still disagree in the same way."""
    found = _kind(replay(history, make))

    def fails(candidate: History) -> bool:
        return _kind(replay(candidate, make)) == found

    history = _fewer_calls(history, fails)
    for attempts in (_without_arguments, _without_waits, _with_default_settings, _without_resources):
        history = _simplified(history, attempts, fails)
    return _fewer_calls(history, fails)


def _kind(found: Optional[Disagreement]) -> Optional[str]:
    """What shrinking must not change about a disagreement: the exception that was raised, if any; None for none."""
    if found is None:
        return None
    return found.ours.strip().splitlines()[-1].partition(":")[0] if "raised" in found.ours else "reply"


def _fewer_calls(history: History, fails: Callable[[History], bool]) -> History:
    size = max(1, len(history.calls) // 2)
    while True:
        start = 0
        while start < len(history.calls):
            shorter = history._replace(calls=_dropped(history.calls, start, start + size))
            if fails(shorter):
                history = shorter
            else:
                start += size
        if size == 1:
            return history
        size //= 2


def _dropped(calls: list[Call], start: int, end: int) -> list[Call]:
    rest = calls[end:]
    if rest:
        rest = [rest[0]._replace(after=rest[0].after + sum(call.after for call in calls[start:end])), *rest[1:]]
    return calls[:start] + rest


def _simplified(
    history: History, attempts: Callable[[History], Iterator[History]], fails: Callable[[History], bool]
) -> History:
    """Take each simplification that still fails, until none does."""
    progress = True
    while progress:
        progress = False
        for simpler in attempts(history):
            if fails(simpler):
                history, progress = simpler, True
                break
    return history


def _with_call(history: History, index: int, call: Call) -> History:
    return history._replace(calls=[*history.calls[:index], call, *history.calls[index + 1 :]])


def _without_arguments(history: History) -> Iterator[History]:
    for index, call in enumerate(history.calls):
        for name in call.arguments:
            fewer = {key: value for key, value in call.arguments.items() if key != name}
            if name not in ("worker", "task_id"):  # these are never missing
                yield _with_call(history, index, call._replace(arguments=fewer))


def _without_waits(history: History) -> Iterator[History]:
    for index, call in enumerate(history.calls):
        if call.after:
            yield _with_call(history, index, call._replace(after=0.0))


def _with_default_settings(history: History) -> Iterator[History]:
    for name in history.settings:
        yield history._replace(settings={key: value for key, value in history.settings.items() if key != name})


def _without_resources(history: History) -> Iterator[History]:
    for name in history.resources:
        yield history._replace(resources={key: value for key, value in history.resources.items() if key != name})


def describe(outcome: Outcome, make: Maker) -> str:
    """A disagreement for people: where, what differs, and a short history to paste into a session or a test."""
    seed, found = outcome.seed, outcome.disagreement
    told = [f"seed {seed} ({theme_of(seed)}) disagrees at call {found.step}: {tuple(found.call)}", _difference(found)]
    if replay(outcome.history, make) is None:
        return "\n".join([*told, "but not when it is played again: something hangs on chance"])
    short = shrink(outcome.history, make)
    again = replay(short, make)
    told.append(f"replay it with LUIGID_SEED={seed}, or shrunk to {len(short.calls)} calls:")
    told.append(
        pprint.pformat((short.settings, short.resources, [*map(tuple, short.calls)]), sort_dicts=False, width=120)
    )
    return "\n".join([*told, f"which disagree at call {again.step}:", _difference(again)])


def _difference(found: Disagreement) -> str:
    if "raised" in found.ours:
        return f"stock: {found.stock}\nours:  {found.ours}"
    stock, ours = (json.dumps(json.loads(text), indent=1).splitlines() for text in (found.stock, found.ours))
    return "\n".join(difflib.unified_diff(stock, ours, "stock", "ours", lineterm=""))


class _Silent:
    """Stands in for a scheduler when only stock's replies are wanted."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda **arguments: None


def digest(seed: int) -> str:
    """Of all calls of the history of a seed and stock's replies to them."""
    author, total = Author(seed), hashlib.sha256()
    duel = Duel(author.world.settings, author.world.resources, lambda *made_with: _Silent())
    with unittest.mock.patch.object(uuid, "uuid4", lambda: "about it"):
        for call in author(duel.stock):
            duel.clock.now += call.after
            reply = duel._ask_stock(call)
            total.update(repr((call, as_text(reply))).encode())
            author.hear(reply)
    return total.hexdigest()


if __name__ == "__main__":
    print(digest(int(sys.argv[1])))
