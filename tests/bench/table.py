"""Figures, and how they are shown: aligned for people, in Markdown for the README, in JSON for programs."""

import statistics
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Optional

#: Units and how a number of them is written; those of time are in seconds.
TIME, RATE, BYTES, COUNT, TIMES = "s", "/s", "bytes", "", "times"

HEADERS = ("work", "", "stock", "ours", "ratio", "must reach", "")


class Figure(NamedTuple):
    """One line of the table: medians over the rounds."""

    row: str  #: the row of ROWS that it belongs to
    case: str  #: what exactly was measured
    unit: str
    stock: Optional[float]
    ours: float
    ratio: Optional[float]  #: how many times better ours is than stock
    target: str  #: what must be reached, in words; "" if nothing must
    reached: Optional[bool]  #: None if nothing must
    samples: dict[str, list[float]]  #: "stock" and "ours": all that was measured


def compared(
    row: str,
    case: str,
    unit: str,
    samples: dict[str, list[float]],
    *,
    at_least: Optional[float] = None,
    at_most: Optional[float] = None,
    reach: Optional[float] = None,
) -> Figure:
    """Make a figure of what was measured: `at_least` limits the ratio to stock, `at_most` and `reach` ours itself."""
    median = {name: statistics.median(values) for name, values in samples.items()}
    stock, ours = median.get("stock"), median["ours"]
    ratio = None
    if stock is not None and stock > 0 and ours > 0:
        ratio = ours / stock if unit == RATE else stock / ours
    target, reached = "", None
    if at_least is not None:
        target, reached = f"{at_least:,g} x", ratio is not None and ratio >= at_least
    elif at_most is not None:
        target, reached = f"at most {written(at_most, unit)}", ours <= at_most
    elif reach is not None:
        target, reached = f"at least {written(reach, unit)}", ours >= reach
    return Figure(row, case, unit, stock, ours, ratio, target, reached, samples)


def grown(row: str, case: str, small: float, large: float, at_most: float) -> Figure:
    """Make a figure of how much more ours takes in a larger case than in a smaller one."""
    growth = large / small
    reached = growth <= at_most
    return Figure(row, case, TIMES, None, growth, None, f"at most {at_most:g} x", reached, {"ours": [small, large]})


def steady(row: str, case: str, small: float, large: float, within: float) -> Figure:
    """Make a figure of how the rate of ours in a larger case compares with that in a smaller one."""
    growth = large / small
    reached = 1 - within <= growth <= 1 + within
    return Figure(row, case, TIMES, None, growth, None, f"± {within:.0%}", reached, {"ours": [small, large]})


def written(value: Optional[float], unit: str) -> str:
    """Return a number as people read it."""
    if value is None:
        return "-"
    if unit == TIME:
        scale, name = (1e6, "µs") if value < 1e-3 else (1e3, "ms") if value < 1 else (1, "s")
        return f"{digits(value * scale)} {name}"
    if unit == BYTES:
        scale, name = (1 << 20, "MiB") if abs(value) >= 1 << 20 else (1 << 10, "KiB")
        return f"{digits(value / scale)} {name}"
    if unit == TIMES:
        return f"{value:.2f} x"
    return digits(value) + unit


def digits(value: float) -> str:
    """Return a number with three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def cells(figure: Figure) -> list[str]:
    """Return what a figure's line says, column by column."""
    verdict = {None: "", True: "yes", False: "NO"}[figure.reached]
    ratio = "" if figure.ratio is None else f"{digits(figure.ratio)} x"
    values = [written(value, figure.unit) for value in (figure.stock, figure.ours)]
    return [figure.row, figure.case, *values, ratio, figure.target, verdict]


def lines(figures: Iterable[Figure]) -> list[list[str]]:
    """Return the lines of the table, a row's name only on its first."""
    shown, last = [], None
    for figure in figures:
        line = cells(figure)
        shown.append(line if figure.row != last else ["", *line[1:]])
        last = figure.row
    return shown


def aligned(table: Sequence[Sequence[str]], headers: Sequence[str]) -> str:
    """Return a table as text; numbers, all from the third column on, to the right."""
    widths = [max(map(len, column)) for column in zip(headers, *table)]
    sides = ["<", "<", *">" * (len(headers) - 2)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(line, sides, widths)).rstrip()
        for line in (headers, rule, *table)
    )


def markdown(table: Sequence[Sequence[str]], headers: Sequence[str]) -> str:
    """Return a table in Markdown."""
    rule = ["---" if n < 2 else "---:" for n in range(len(headers))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (headers, rule, *table))


def as_json(figure: Figure) -> dict[str, Any]:
    """Return a figure as bench.json has it."""
    return figure._asdict()
