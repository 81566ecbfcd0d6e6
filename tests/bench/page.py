"""`make bench-page`: the page in a real browser, beside stock's where stock can do the same.

Prints a table and writes bench-page.json. Like `make bench` it never fails a build. A scene is a function that is given
a browser and yields figures; those of the graph are in page_graph.py, those of the rest of the page in page_table.py.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator
from typing import Any, Callable

from playwright.sync_api import sync_playwright

from tests.bench import page_graph, page_table
from tests.bench.__main__ import machine, report
from tests.bench.table import Figure, aligned, as_json, markdown
from tests.e2e.daemon import ROOT
from tests.e2e.page import CHROMIUM, CHROMIUM_FLAGS

#: Stock's fonts and charts come from elsewhere. Here nobody is asked, which is quicker than it is in life.
NOBODY_ELSE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"

#: Yields figures; the flag asks for stock's slow ones too.
Scene = Callable[[Any, bool], Iterator[Figure]]

SCENES: dict[str, Scene] = {**page_table.SCENES, **page_graph.SCENES}


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="tests.bench.page", description="Compare the page with stock luigi's.")
    parser.add_argument("--patient", action="store_true", help="let stock draw what it takes minutes for, too")
    parser.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    parser.add_argument("--only", nargs="+", choices=sorted(SCENES), help="measure these scenes only")
    return parser.parse_args()


def main() -> None:
    """Measure, print, and write bench-page.json."""
    chosen = arguments()
    figures: list[Figure] = []
    failures: list[str] = []
    facts = machine()
    with sync_playwright() as playwright:
        executable = next(filter(None, map(shutil.which, CHROMIUM)))
        browser = playwright.chromium.launch(executable_path=executable, args=[*CHROMIUM_FLAGS, NOBODY_ELSE])
        for name in chosen.only or SCENES:
            began = time.perf_counter()
            try:
                figures.extend(SCENES[name](browser, chosen.patient))
            except Exception as error:  # the others are worth having
                failures.append(f"scene {name} failed: {type(error).__name__}: {error}")
            print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
        browser.close()
    report(facts, figures, failures, markdown if chosen.markdown else aligned)
    content = {**facts, "failures": failures, "figures": [as_json(figure) for figure in figures]}
    (ROOT / "bench-page.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
