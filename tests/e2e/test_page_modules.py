"""The tests of the page's modules, which `make page` runs under Node, in a real browser."""

import mimetypes
import re
import unittest

from tests.e2e import page as e2e
from tests.e2e.daemon import ROOT
from tests.e2e.page import setUpModule, tearDownModule  # noqa: F401

#: Nobody is asked: what lies there is read from this directory.
ORIGIN = "http://modules.test"

#: An import of what has no stand-in in tests/page/browser: such tests run under Node only.
NEEDS_NODE = re.compile(r'from "node:(?!test"|assert/strict")')


class ModulesTest(unittest.TestCase):
    def test_every_module_does_in_a_browser_what_it_does_under_node(self):
        every = sorted((ROOT / "tests/page").glob("*.test.mjs"))
        files = [file for file in every if not NEEDS_NODE.search(file.read_text(encoding="utf-8"))]
        self.assertLessEqual({"layout", "store", "router", "filters"}, {file.name.split(".")[0] for file in files})
        page = e2e.browser.new_page()
        self.addCleanup(page.close)
        page.route(f"{ORIGIN}/**", serve)
        page.goto(f"{ORIGIN}/tests/page/browser/index.html")
        for file in files:
            run = "async (address) => (await import('node:test')).run(address)"
            outcomes = page.evaluate(run, f"/tests/page/{file.name}")
            self.assertTrue(outcomes, f"{file.name} has no test")
            for outcome in outcomes:
                with self.subTest(file.name, name=outcome["name"]):
                    self.assertEqual("", outcome["error"])


def serve(route):
    path = ROOT / route.request.url[len(ORIGIN) + 1 :]
    content_type = "text/javascript" if path.suffix in (".js", ".mjs") else mimetypes.guess_type(path.name)[0]
    route.fulfill(body=path.read_bytes(), content_type=content_type)
