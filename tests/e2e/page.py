"""What the tests of the page have in common: a real browser, and a daemon with tasks of every status to look at.

Every test of the page also fails when the browser's console shows an error, when a dialog opens, or when the page asks
anybody but the daemon for anything.
"""

import json
import re
import shutil

from tests.e2e.workers import EndToEndTest
from tests.missing import skip_without

try:
    from playwright.sync_api import expect, sync_playwright
except ImportError:
    expect = sync_playwright = None

try:
    from axe_playwright_python.sync_playwright import Axe
except ImportError:
    Axe = None

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")

#: No sandbox, because tests may run as root; nothing that a browser does by itself on the network.
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

#: Milliseconds after which a condition is given up.
DEADLINE_MS = 30_000

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

#: Seconds that no test waits for.
NEVER = 86400

#: Nothing fails, is retried or goes away by itself while a test looks at it.
STILL = {"worker_disconnect_delay": NEVER, "retry_delay": NEVER, "remove_delay": NEVER}

ALPHA = "Worker(salt=000000001, workers=2, host=alpha.example, username=ann, pid=11)"
BETA = "Worker(salt=000000002, workers=1, host=beta.example, username=bob, pid=22)"

TRACEBACK = 'Traceback (most recent call last):\n  File "load.py", line 8, in run\nValueError: no column "segment"\n'

#: What would become an element, a script or a link if anything took it for more than text.
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'&lt;"

VIEWS = ("tasks", "graph", "timeline", "workers", "resources", "bottlenecks", "history", "server")


def setUpModule():
    """Start the browser. The modules of tests import this, and what ends it."""
    global playwright, browser
    if sync_playwright is None:
        skip_without("Playwright for Python")
    executable = next(filter(None, map(shutil.which, CHROMIUM)), None) or skip_without("Chromium")
    expect.set_options(timeout=DEADLINE_MS)
    playwright = sync_playwright().start()
    browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)


def tearDownModule():
    browser.close()
    playwright.stop()


class PageTest(EndToEndTest):
    """A test with a daemon and a page that shows it."""

    def setUp(self):
        super().setUp()
        self.problems = []
        self.addCleanup(lambda: self.assertEqual([], self.problems))

    def add(self, family, task_id=None, worker=ALPHA, **arguments):
        """Announce a task as a worker does. Returns its id, which is `task_id` or else the family."""
        self.daemon.call("add_task", worker=worker, task_id=task_id or family, family=family, **arguments)
        return task_id or family

    def add_workers(self):
        for name, workers, host, pid in ((ALPHA, 2, "alpha.example", 11), (BETA, 1, "beta.example", 22)):
            self.daemon.call("add_worker", worker=name, info={"workers": workers, "host": host, "pid": pid})

    def add_pipeline(self):
        """One small pipeline with tasks of every status."""
        self.add_workers()
        self.add("Extract", "Extract_1", params={"date": "2024-03-01"}, status="DONE")
        self.add("Extract", "Extract_2", params={"date": "2024-03-02"}, status="DONE")
        self.add("Load", params={"date": "2024-03-01", "table": "orders"}, deps=["Extract_1", "Late"], priority=7)
        failure = {"status": "FAILED", "expl": json.dumps(TRACEBACK)}
        self.add("Broken", params={"date": "2024-03-03"}, module="warehouse", **failure)
        self.add("Report", deps=["Broken"])
        self.add("Banned", retry_policy_dict={"retry_count": 1})
        self.add("Banned", status="FAILED", expl=json.dumps("no permission"), retry_policy_dict={"retry_count": 1})
        self.add("Audit", deps=["Banned"])
        self.add("Train", worker=BETA, priority=100, resources={"gpu": 1}, params={"model": "tree"})
        self.assertEqual("Train", self.daemon.call("get_work", worker=BETA, host="beta")["task_id"])
        self.daemon.call("set_task_progress_percentage", task_id="Train", progress_percentage=42)
        self.daemon.call("set_task_status_message", task_id="Train", status_message="epoch 3 of 7")

    def open(self, address="", size=DESKTOP, prefix="", **context):
        """Open the page, with `address` after its '#', and return it once it shows what the daemon said."""
        page = browser.new_context(viewport=size, **context).new_page()
        self.addCleanup(page.context.close)
        page.set_default_timeout(DEADLINE_MS)
        page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("dialog", lambda dialog: self.problems.append(dialog.message) or dialog.dismiss())
        root = f"{self.daemon.url()}{prefix}/"
        page.on("request", lambda request: request.url.startswith(root) or self.problems.append(request.url))
        if prefix:
            page.route(f"{root}**", lambda route: self.forward(route, prefix))
            self.addCleanup(page.unroute_all, behavior="ignoreErrors")  # of what is on its way when the test is over
        page.goto(f"{root}static/visualiser/index.html#{address}")
        expect(page.locator("#freshness")).to_have_text("Live")
        return page

    def forward(self, route, prefix):
        """What a proxy does that mounts the daemon under `prefix`."""
        route.fulfill(response=route.fetch(url=route.request.url.replace(prefix, "", 1)))

    def expect_problems(self, pattern):
        """What the browser says by itself about calls that the test made fail."""
        self.problems[:] = [problem for problem in self.problems if not re.match(pattern, problem)]

    def status(self, task_id):
        return self.daemon.call("task_list")[task_id]["status"]

    def open_task(self, task_id, **options):
        """Open the page, and a task's details as a person does."""
        page = self.open(**options)
        row(page, task_id).click()
        expect(panel(page).locator(".task-id code")).to_have_text(task_id)
        return page

    def assert_accessible(self, page, what):
        """axe-core finds nothing wrong with what is shown."""
        if Axe is None:
            skip_without("axe-playwright-python")
        found = Axe().run(page)
        self.assertEqual(0, found.violations_count, f"{what}:\n{found.generate_report()}")


def rows(page):
    return page.locator(".virtual tbody:not(.spacer) tr")


def row(page, task_id):
    return rows(page).filter(has=page.locator(f'a[title="{task_id}"]'))


def expect_families(page, *families):
    expect(page.locator(".virtual .task-name")).to_have_text(families)


def find(page, words):
    """Type into the box above the table."""
    page.get_by_label("Filter tasks").fill(words)


def sources(page, tag):
    return page.locator(tag).evaluate_all("all => all.map(each => each.getAttribute('src'))")


def tile(page, status):
    return page.locator(f'.tile[data-status="{status}"]')


def number(page, status):
    return tile(page, status).locator(".number")


def panel(page):
    return page.get_by_role("complementary", name="Task details")


def card(page, title):
    return page.get_by_role("article").filter(has=page.get_by_role("heading", name=title))


def tab(page, title):
    """The link in the bar that opens a view."""
    return page.get_by_role("navigation", name="Views").get_by_role("link", name=title)
