"""`make bench`: luigid beside stock's daemon, on the same machine, by the same calls.

Prints a table, and writes all that was measured to bench.json. It never fails a build: what is not reached says "NO",
and what cannot be measured is named under the table.
"""

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import resource
import signal
import sys
import time
from typing import Any, Callable

from tests.bench.rows import FULL, QUICK, SCENES, Plan, Scene, in_order, play_scene
from tests.bench.table import HEADERS, Figure, aligned, as_json, lines, markdown
from tests.e2e.daemon import ROOT


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="tests.bench", description="Compare luigid with stock luigi's daemon.")
    parser.add_argument("--quick", action="store_true", help="fewer and smaller: two minutes instead of an hour")
    parser.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    parser.add_argument("--only", nargs="+", choices=[scene.name for scene in SCENES], help="measure these scenes only")
    return parser.parse_args()


def allow_many_connections(wanted: int = 4096) -> None:
    """Raise this process's limit of open files, and that of the daemons it starts, if that may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "date": datetime.date.today().isoformat(),
        "system": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "luigi": importlib.metadata.version("luigi"),
    }


def processor() -> str:
    """Return the name of the processor, as well as it can be told."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
        return names[0]
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


def measure(scenes: list[Scene], plan: Plan) -> tuple[list[Figure], list[str]]:
    """Play scenes one after the other; their figures, and what failed."""
    figures: list[Figure] = []
    failures: list[str] = []
    for scene in scenes:
        began = time.perf_counter()
        try:
            figures.extend(play_scene(scene, plan, failures.append))
        except Exception as error:  # the daemons did not start, or could not be loaded
            failures.append(f"scene {scene.name} failed: {type(error).__name__}: {error}")
        except KeyboardInterrupt:  # what was measured before is worth seeing
            failures.append(f"scene {scene.name} and those after it: interrupted")
            break
        print(f"{scene.name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return in_order(figures), failures


def report(facts: dict[str, Any], figures: list[Figure], failures: list[str], form: Callable[..., str]) -> None:
    """Print the table, what failed, and how much was reached."""
    print(f"luigid against luigi {facts['luigi']}: {facts['date']}, Python {facts['python']}, {facts['system']},")
    print(f"{facts['cores']} cores ({facts['processor']}), load average when it began: {facts['load']}\n")
    print(form(lines(figures), HEADERS))
    for failure in failures:
        print(f"\nNOT MEASURED: {failure}")
    judged = [figure.reached for figure in figures if figure.reached is not None]
    print(f"\n{sum(judged)} of {len(judged)} targets reached")


def main() -> None:
    """Measure, print, and write bench.json."""
    chosen = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no daemon is left behind
    allow_many_connections()
    facts, plan = machine(), QUICK if chosen.quick else FULL
    scenes = [scene for scene in SCENES if not chosen.only or scene.name in chosen.only]
    figures, failures = measure(scenes, plan)
    report(facts, figures, failures, markdown if chosen.markdown else aligned)
    if chosen.quick:
        print(f"(quick: with {plan.live:,} tasks only, so that the targets about {FULL.live:,} are not judged)")
    content = {
        **facts,
        "plan": plan._asdict(),
        "failures": failures,
        "figures": [as_json(figure) for figure in figures],
    }
    (ROOT / "bench.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
