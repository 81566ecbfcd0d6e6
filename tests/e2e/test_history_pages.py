"""What is read from the task history: in a real browser after real runs, and from real database servers."""

import contextlib
import json
import unittest
import unittest.mock
from pathlib import Path
from tempfile import TemporaryDirectory

import luigid
from tests.e2e import databases, page
from tests.e2e.daemon import wait_until
from tests.e2e.page import DESKTOP, PHONE
from tests.e2e.workers import TASK_FAILED, EndToEndTest

setUpModule, tearDownModule = page.setUpModule, page.tearDownModule

ADDRESSES = (
    *("history", "history?status=FAILED", "history/by_name/Flaky", "history/by_id/1", "tasklist", "tasklist/Flaky"),
    *("history/by_params/Flaky?data=%7B%7D", "history/by_id/999", "history?since=never"),
)


class BrowserTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.start_daemon({"record_task_history": True, "retry_delay": 1})
        self.run_worker("Diamond")
        self.run_worker("Flaky", "--failures", "1", status=TASK_FAILED)
        wait_until(lambda: self.runs(family="Flaky", status="FAILED"), "the failure is in the history")

    def get(self, target):
        connection = self.daemon.connection()
        with contextlib.closing(connection):
            connection.request("GET", target)
            reply = connection.getresponse()
            return reply.status, reply.read().decode("utf-8")

    def runs(self, **filters):
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        status, text = self.get(f"/api/history/runs?{query}")
        return json.loads(text)["response"]["rows"] if status == 200 else []

    def open(self, **context):
        opened = page.browser.new_context(java_script_enabled=False, **context).new_page()
        self.addCleanup(opened.context.close)
        problems = []
        opened.on("console", lambda message: message.type == "error" and problems.append(message.text))
        opened.on("request", lambda request: request.url.startswith(self.daemon.url()) or problems.append(request.url))
        # That an answer was a 404 or 400, as it had to be, is an error to the browser.
        self.addCleanup(lambda: self.assertEqual([], [text for text in problems if "Failed to load" not in text]))
        return opened

    def test_from_the_last_failure_to_its_family_without_javascript(self):
        opened = self.open(viewport=DESKTOP)
        opened.goto(f"{self.daemon.url()}/history")
        opened.get_by_label("Status").select_option("FAILED")
        opened.get_by_role("button", name="Show").click()
        opened.get_by_role("link", name="Flaky").first.click()
        page.expect(opened.get_by_role("heading", level=1)).to_contain_text("of Flaky")
        page.expect(opened.locator("pre")).to_contain_text("Traceback")
        opened.locator("dd").get_by_role("link", name="Flaky", exact=True).click()
        page.expect(opened.locator("svg path.failed")).to_have_count(1)
        opened.locator("svg a").click()
        page.expect(opened.get_by_role("heading", level=1)).to_contain_text("of Flaky")

    def test_upstream_leads_to_what_was_needed(self):
        opened = self.open(viewport=DESKTOP)
        opened.goto(f"{self.daemon.url()}/history/by_name/Diamond")
        opened.get_by_role("link", name="Diamond", exact=True).first.click()
        opened.get_by_role("link", name="DiamondSide").first.click()
        page.expect(opened.get_by_role("heading", level=1)).to_contain_text("of DiamondSide")
        page.expect(opened.get_by_role("heading", name="Downstream")).to_be_visible()

    def test_every_page_fits_every_screen_and_is_accessible(self):
        for size, scheme in ((PHONE, "light"), (DESKTOP, "dark"), (DESKTOP, "light")):
            context = page.browser.new_context(viewport=size, color_scheme=scheme)
            self.addCleanup(context.close)
            opened = context.new_page()
            for address in ADDRESSES:
                with self.subTest(address, size=size, scheme=scheme):
                    opened.goto(f"{self.daemon.url()}/{address}")
                    wide = opened.evaluate("document.documentElement.scrollWidth > innerWidth")
                    self.assertFalse(wide, "it is wider than the screen")
                    style = opened.evaluate("getComputedStyle(document.body).backgroundColor")
                    self.assertNotIn(style, ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)"), "it has no style sheet")
                    if page.Axe is not None:
                        found = page.Axe().run(opened)
                        self.assertEqual(0, found.violations_count, found.generate_report())

    def test_what_is_exported_is_what_is_listed(self):
        status, text = self.get("/api/history/runs?format=jsonl")
        self.assertEqual((200, self.runs()), (status, [json.loads(line) for line in text.splitlines()]))
        families = {run["family"] for run in self.runs()}
        self.assertLessEqual({"Diamond", "DiamondTop", "DiamondSide", "Flaky"}, families)
        status, text = self.get("/api/history/runs?format=csv&family=Diamond")
        self.assertEqual((200, 2), (status, len(text.splitlines())))


class Story:
    """Runs of every kind, told to a scheduler with a clock of its own."""

    def __init__(self, directory, address):
        self.now = 1_790_000_000.0
        settings = {"record_task_history": True, "db_connection": address, "retry_delay": 1e6, "remove_delay": 1e6}
        state = {"state_path": str(Path(directory, "state")), "worker_disconnect_delay": 1e6}
        self.scheduler = luigid.Scheduler(clock=lambda: self.now, **settings, **state)
        self.scheduler.load()
        self.reader = luigid.history_reader(self.scheduler)

    def tell(self):
        for number in range(40):
            family, worker = ("Load", "Copy \u20ac", "Extract")[number % 3], f"w{number % 2}"
            about = {"params": {"n": str(number % 4), "pw": "s"}, "param_visibilities": {"pw": 1}}
            self.scheduler.add_task(
                worker=worker, task_id=f"{family}_{number}", family=family, deps=["Load_0"] * bool(number), **about
            )
            given = self.scheduler.get_work(worker=worker, host=f"h{number % 3}")["task_id"]
            assert given == f"{family}_{number}", given
            self.now += 2 + number % 7  # whole seconds, which is what MySQL keeps of stock's timestamps
            failed = {"status": "FAILED", "expl": f"Traceback\nValueError: row {number}"}
            outcome = failed if number % 9 == 8 else {"status": "DONE"}
            self.scheduler.add_task(worker=worker, task_id=given, **outcome)
        self.scheduler.add_task(worker="w0", task_id="Load_99", family="Load")
        self.scheduler.get_work(worker="w0", host="h0")
        self.now += 3600
        self.scheduler.flush()

    def close(self):
        self.reader.close()
        self.scheduler.close()


def questions():
    """All calls with arguments of every kind, by name."""
    for sort in luigid.RUN_SORTS:
        yield "runs", {"sort": sort, "limit": 7}
        yield "runs", {"sort": sort, "family": "Load", "status": ["DONE", "FAILED"], "limit": 5}
    yield from (("runs", {"param": value}) for value in ("n=2", "N=2", "pw=s", "PW=S", ["n=1", "pw=s"]))
    yield "runs", {"param": "n=2", "family": "Load", "host": "h2", "limit": 2}
    yield from (("runs", {name: value}) for name, value in (("host", "h1"), ("worker", "w1"), ("task_id", "Load_3")))
    yield "runs", {"status": "FAILED", "since": 1_790_000_050}
    yield from (("run", {"task_id": task_id}) for task_id in ("Load_0", "Copy \u20ac_1", "Extract_8"))
    yield from (("families", {}), ("families", {"search": "o", "limit": 1}), ("failures", {}))
    yield from (("family", {"family": "Load"}), ("family", {"family": "Copy \u20ac", "since": 1_790_000_060}))
    yield "failures", {"family": "Extract"}
    yield from (("buckets", {"family": family, "bucket": "hour", "since": 1_789_990_000}) for family in ("", "Load"))
    yield from (("expectations", {}), ("expected_finish", {}))


class ServerTest:
    """A database server answers each question as SQLite does."""

    def setUp(self):
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.server = self.make(directory.name)
        self.addCleanup(self.server.stop)
        self.server.start()
        self.ours = self.story(Path(directory.name, "sqlite"), "sqlite://")
        self.theirs = self.story(Path(directory.name, "theirs"), self.server.url())

    def story(self, directory, address):
        directory.mkdir()
        story = Story(directory, address)
        self.addCleanup(story.close)
        story.tell()
        return story

    def test_every_question(self):
        for call, arguments in questions():
            with self.subTest(call, **arguments):
                pages = [list(self.pages(story.reader, call, arguments)) for story in (self.ours, self.theirs)]
                self.assertTrue(pages[0])
                self.assertEqual(*[json.loads(json.dumps(found)) for found in pages])

    def pages(self, reader, call, arguments):
        while True:
            reply = getattr(reader, call)(**arguments)
            yield {name: value for name, value in reply.items() if name != "next"}
            if not reply.get("next"):
                return
            arguments = {**arguments, "after": reply["next"]}

    def test_what_takes_too_long_is_given_up(self):
        with unittest.mock.patch.object(luigid, "READ_SECONDS", 0.2), self.assertRaises(luigid.Unavailable):
            self.theirs.reader._ask(lambda session: session.rows(self.ENDLESS))
        self.assertTrue(self.theirs.reader.runs()["rows"])

    def test_a_server_that_was_restarted(self):
        self.assertTrue(self.theirs.reader.runs()["rows"])
        self.server.stop()
        with self.assertRaises(luigid.Unavailable):
            self.theirs.reader.runs()
        self.server.start()
        self.assertTrue(self.theirs.reader.runs()["rows"])


class PostgreSQLTest(ServerTest, unittest.TestCase):
    make = databases.PostgreSQL
    ENDLESS = "SELECT pg_sleep(3600)"


class MariaDBTest(ServerTest, unittest.TestCase):
    make = databases.MariaDB
    ENDLESS = "SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, seq_1_to_1000000000"


if __name__ == "__main__":
    unittest.main()
