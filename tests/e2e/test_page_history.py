"""The page's history and its timeline: after real runs, over a history of 100,000 runs, and of hostile ones."""

import contextlib
import csv
import http.client
import json
import re
import tempfile
import time
from pathlib import Path

from tests.bench import histories
from tests.e2e.daemon import wait_until
from tests.e2e.page import (
    ALPHA,
    DESKTOP,
    HOSTILE,
    PHONE,
    STILL,
    PageTest,
    expect,
    panel,
    setUpModule,  # noqa: F401
    tab,
    tearDownModule,  # noqa: F401
)
from tests.e2e.workers import TASK_FAILED

RUNS = 100_000


class HistoryTest(PageTest):
    """A page over a daemon that records what runs."""

    settings = {**STILL, "record_task_history": True}

    def runs(self, **fields):
        """Return the rows of /api/history/runs."""
        return self.asked("runs", **fields)

    def asked(self, question, **fields):
        """Return the rows that the history answers with; none while the database is being made."""
        query = "&".join(f"{name}={value}" for name, value in fields.items())
        with contextlib.closing(self.daemon.connection()) as connection:
            connection.request("GET", f"/api/history/{question}?{query}")
            reply = connection.getresponse()
            found = json.loads(reply.read())
        return found["response"]["rows"] if reply.status == http.client.OK else []

    def runs_at_last(self, **fields):
        return wait_until(lambda: self.runs(**fields), f"the history has runs with {fields}")

    def go(self, page, address):
        page.evaluate("address => (location.hash = address)", address)


class RealRunsTest(HistoryTest):
    """What stock's workers did."""

    def setUp(self):
        super().setUp()
        self.start_daemon({**self.settings, "retry_delay": 1})

    def test_from_a_failure_to_the_command_its_family_and_its_attempts(self):
        self.run_worker("Flaky", "--failures", "1", status=TASK_FAILED)
        self.run_worker("Flaky", "--failures", "1")
        self.runs_at_last(family="Flaky", status="DONE")
        page = self.open("tab=history")
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        expect(runs(page)).to_have_count(2)
        page.get_by_role("button", name="Failed").click()
        expect(runs(page)).to_have_count(1)
        expect(runs(page)).to_contain_text("RuntimeError: failed as told")
        runs(page).get_by_role("link", name="Flaky").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("region", name="Error")).to_contain_text("Traceback")
        expect(attempts(page)).to_have_count(2)
        expect(attempts(page).first).to_contain_text("failed as told")
        expect(page.locator(".ran")).to_have_count(2)
        self.assertRegex(page.url, r"run=\d+")
        command = page.get_by_role("region", name="Command to run it again")
        expect(command).to_have_text(re.compile("^luigi --module tests.e2e.pipelines Flaky( --|$)"))
        page.get_by_role("button", name="Copy command").click()
        expect(page.get_by_text("The command is copied.")).to_be_visible()
        self.assertEqual(command.inner_text(), page.evaluate("navigator.clipboard.readText()"))
        attempts(page).last.get_by_role("link").click()
        expect(page.locator(".run-head")).to_contain_text("Done")
        page.get_by_role("link", name="Its family").click()
        expect(page.locator(".wide-figures")).to_contain_text("50 %")
        expect(marks(page, "FAILED")).to_have_count(1)
        expect(marks(page, "DONE")).to_have_count(1)
        expect(page.locator(".mark.median")).to_have_count(1)
        failures = page.get_by_role("table", name="Failures by message")
        expect(failures).to_contain_text("RuntimeError: failed as told")
        page.reload()
        expect(marks(page, "FAILED")).to_have_count(1)

    def test_what_a_worker_runs_for_too_long_is_marked(self):
        for number in range(3):
            self.add("Quick", f"quick{number}", worker=ALPHA)
            self.daemon.call("get_work", worker=ALPHA)
            self.add("Quick", f"quick{number}", worker=ALPHA, status="DONE")
        self.runs_at_last(task_id="quick2", status="DONE")
        self.add("Quick", "late", worker=ALPHA)
        self.daemon.call("get_work", worker=ALPHA)
        wait_until(lambda: [row["slow"] for row in self.asked("expectations")] == [True], "it is late")
        page = self.open("tab=workers")
        expect(page.get_by_role("listitem").filter(has_text="Quick")).to_contain_text("longer than usual")

    def test_chart_is_gone_along_by_keys(self):
        self.run_worker("Flaky", "--failures", "1", status=TASK_FAILED)
        number = self.runs_at_last(family="Flaky", status="FAILED")[0]["run_id"]
        page = self.open("tab=history&part=family&family=Flaky")
        expect(marks(page, "FAILED")).to_have_count(1)
        page.get_by_role("application", name="Durations over time").focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator(".chart-said")).to_contain_text("Failed, took")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(f"run={number}"))

    def test_along_the_graph_and_back_to_the_task(self):
        self.run_worker("Diamond")
        self.runs_at_last(family="Diamond", status="DONE")
        page = self.open("tab=tasks&search__search=Diamond_")
        page.get_by_role("link", name="Diamond", exact=False).filter(has_text="width=4").first.click()
        panel(page).get_by_role("link", name="History").click()
        panel(page).get_by_role("button", name="Close the details").click()
        upstream = card(page, "Depended on")
        expect(upstream.get_by_role("listitem")).to_have_count(4)
        upstream.get_by_role("link").first.click()
        expect(page.locator(".run-head h2")).to_have_text("DiamondSide")
        expect(card(page, "Needed by").get_by_role("listitem")).to_have_count(1)
        page.get_by_role("link", name="The task now").click()
        expect(panel(page).get_by_role("heading", name="DiamondSide")).to_be_visible()
        page.keyboard.press("Escape")
        page.locator(".run-head").get_by_role("link", name="Graph").click()
        expect(tab(page, "Graph")).to_have_attribute("aria-current", "page")
        page.go_back()
        page.locator(".run-head").get_by_role("link", name="Timeline").click()
        expect(page.locator(".timeline-summary")).to_contain_text("runs")

    def test_what_runs_is_followed(self):
        page = self.open("tab=history")
        expect(page.get_by_text("No such run.")).to_be_visible()
        line = self.open("tab=timeline&rows=1")
        worker = self.start_worker("AfterLong", "--gate", "go")
        expect(runs(page).filter(has_text="Running")).to_have_count(1)
        expect(line.locator(".timeline-summary")).to_contain_text("1 running")
        expect(bars(line).filter(has_text="so far")).to_have_count(1)
        self.open_gate("go")
        self.assert_ends(worker)
        expect(runs(page).filter(has_text="Done")).to_have_count(2)
        expect(line.locator(".timeline-summary")).to_contain_text("2 runs · 0 running")
        expect(bars(line).filter(has_text="Done")).to_have_count(2)
        bars(line).first.get_by_role("button").click()
        expect(panel(line).get_by_role("heading", name="AfterLong")).to_be_visible()


class VolumeTest(HistoryTest):
    """A history of many runs, and a day of some workers in memory."""

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.database = Path(directory.name, "history.db")
        cls.until = time.time() - 7200
        histories.fill(cls.database, RUNS, cls.until)

    def setUp(self):
        super().setUp()
        self.start_daemon(self.settings, task_history={"db_connection": f"sqlite:///{self.database}"})

    def test_pages_filters_and_orders_are_in_the_address(self):
        page = self.open("tab=history")
        expect(page.get_by_role("table", name="Runs")).to_be_visible()
        self.assertLess(page.locator("*").count(), 1500)
        first = runs(page).first.locator("a")
        newest = first.get_attribute("title")
        page.get_by_role("button", name="Next").click()
        expect(first).not_to_have_attribute("title", newest)
        second = first.get_attribute("title")
        page.reload()
        expect(first).to_have_attribute("title", second)
        page.get_by_role("button", name="To the first page").click()
        expect(page.get_by_role("button", name="Previous")).to_be_disabled()
        page.get_by_role("button", name="Took").click()
        expect(page.get_by_role("columnheader", name="Took")).to_have_attribute("aria-sort", "descending")
        page.get_by_label("Family").fill("Family003")
        page.get_by_label("Host").fill("etl-3")
        page.get_by_label("Parameter").fill("env=prod")
        page.get_by_label("Worker").press("Enter")
        expect(runs(page).first).to_contain_text("Family003")
        expect(page.locator(".found, .history-body")).to_contain_text("etl-3")
        for part in ("family=Family003", "host=etl-3", "param=env"):
            self.assertIn(part, page.url)
        page.get_by_label("Scheduled in").select_option(label="the last 15 minutes")
        expect(page.get_by_text("No such run.")).to_be_visible()

    def test_lists_are_saved_as_files(self):
        page = self.open("tab=history&family=Family003&host=etl-3")
        expect(runs(page).first).to_contain_text("Family003")
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV").click()
        with open(download.value.path(), newline="", encoding="utf-8") as file:
            saved = list(csv.DictReader(file))
        self.assertEqual({("Family003", "etl-3")}, {(run["family"], run["host"]) for run in saved})
        with page.expect_download() as download:
            page.get_by_role("link", name="JSON lines").click()
        lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
        self.assertEqual([int(run["run_id"]) for run in saved], [json.loads(line)["run_id"] for line in lines])

    def test_families_and_their_failures(self):
        page = self.open("tab=history&part=families")
        page.get_by_label("Find a family").fill("ily01")
        families = page.get_by_role("table", name="Families that ever ran")
        expect(families.get_by_role("rowheader")).to_have_count(10)
        families.get_by_role("link", name="Family012").click()
        page.get_by_label("How many runs").select_option("1000")
        expect(marks(page)).to_have_count(1000)
        expect(page.locator(".mark-words")).to_have_text([re.compile("^90 % within"), re.compile("^median")])
        box = page.get_by_label("by orders of magnitude")
        before = box.is_checked()
        box.click()
        self.assertIn("scale=even" if before else "scale=log", page.url)
        expect(page.get_by_role("img", name="How long runs took")).to_be_visible()
        tab(page, "History").click()
        page.get_by_role("link", name="Failures").click()
        expect(page.get_by_role("rowheader", name="ValueError: no column #")).to_be_visible()

    def test_timeline_shows_5000_runs_and_more_when_zoomed(self):
        page = self.open(f"tab=timeline&from={self.until - 30000:.0f}&to={self.until:.0f}&rows=1")
        expect(page.get_by_text("More ran than can be shown at once")).to_be_visible()
        expect(page.get_by_role("group", name="Pages")).to_contain_text("1 to 50 of")
        page.get_by_label("Lanes").select_option("family")
        canvas = page.get_by_role("application", name="Timeline")
        summary = page.locator(".timeline-summary")
        shown = summary.inner_text()
        area = canvas.bounding_box()
        page.mouse.move(area["x"] + 900, area["y"] + 150)
        page.mouse.down()
        page.mouse.move(area["x"] + 1000, area["y"] + 160, steps=4)
        page.mouse.up()
        expect(summary).not_to_have_text(shown)
        expect(page.get_by_text("More ran than can be shown at once")).to_be_hidden()
        expect(page).to_have_url(re.compile(r"from=\d+&to=\d+"))
        canvas.focus()
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".timeline-about")).to_contain_text("Family")
        page.keyboard.press("Enter")
        expect(page.locator(".run-head")).to_contain_text("took")
        page.go_back()
        page.get_by_role("button", name="Follow now").click()
        expect(page.get_by_text("Nothing ran in this time.").first).to_be_visible()
        expect(page).not_to_have_url(re.compile("from="))

    def test_what_takes_longer_than_usual_stands_out(self):
        self.add("Family003", "late", worker=ALPHA)
        self.assertEqual("late", self.daemon.call("get_work", worker=ALPHA)["task_id"])
        page = self.open("tab=tasks&task=late")
        expect(panel(page)).to_contain_text("Expected to finish")
        panel(page).get_by_role("link", name="Family003 usually takes").click()
        expect(page.get_by_role("heading", name="Family003", level=2).first).to_be_visible()
        expect(page.locator(".wide-figures")).to_contain_text("Median")
        page = self.open(f"tab=timeline&from={self.until - 3600:.0f}&to={self.until:.0f}")
        slow = page.get_by_role("region", name="Longer than usual")
        expect(slow.get_by_role("listitem").first).to_contain_text("usually")
        slow.get_by_role("button").first.click()
        expect(page.locator(".run-head")).to_be_visible()


class TimelineTest(HistoryTest):
    """Without a history: what the scheduler has in memory."""

    def setUp(self):
        super().setUp()
        self.start_daemon(STILL, resources={"gpu": 1})
        self.add_pipeline()

    def test_history_says_how_to_have_one(self):
        page = self.open("tab=history")
        expect(page.get_by_text("[scheduler] record_task_history = true")).to_be_visible()

    def test_every_control(self):
        page = self.open("tab=timeline")
        summary, canvas = page.locator(".timeline-summary"), page.get_by_role("application", name="Timeline")
        expect(summary).to_have_text("1 run · 1 running · 0 failed")
        canvas.focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator(".timeline-about")).to_contain_text("Train: Running, for")
        page.keyboard.press("Enter")
        expect(panel(page).get_by_role("heading", name="Train")).to_be_visible()
        page.keyboard.press("Escape")
        expect(panel(page)).to_be_hidden()
        page.get_by_label("Time shown").select_option("900")
        expect(page).to_have_url(re.compile("span=900"))
        page.get_by_role("button", name="Zoom in").click()
        expect(page).to_have_url(re.compile("span=600"))
        page.get_by_role("button", name="Zoom out").click()
        expect(page).to_have_url(re.compile("span=900"))
        page.get_by_role("button", name="Earlier").click()
        expect(page).to_have_url(re.compile("from="))
        page.get_by_role("button", name="Later").click()
        expect(page).to_have_url(re.compile("span="))
        canvas.focus()
        pressed = {"Shift+ArrowLeft": "from=", "0": "tab=timeline$", "+": "span=2400", "-": "tab=timeline$"}
        for keys, pattern in pressed.items():
            page.keyboard.press(keys)
            expect(page).to_have_url(re.compile(pattern))
        area = canvas.bounding_box()
        page.mouse.move(area["x"] + 400, area["y"] + 100)
        page.mouse.wheel(0, -300)
        expect(page).to_have_url(re.compile("from="))
        self.go(page, "tab=timeline&family=Nothing")
        expect(page.get_by_text("Nothing ran in this time.").first).to_be_visible()
        page.get_by_role("button", name="Remove filter: Nothing").click()
        expect(summary).to_contain_text("1 run")
        page.keyboard.press("g")
        page.keyboard.press("h")
        expect(tab(page, "History")).to_have_attribute("aria-current", "page")

    def test_malformed_addresses_open_all_the_same(self):
        page = self.open("tab=timeline&from=x&to=-&span=1e999&by=toString")
        expect(page.locator(".timeline-summary")).to_contain_text("1 run")


class AllViewsTest(HistoryTest):
    PARTS = (
        "tab=history",
        "tab=history&part=families",
        "tab=history&part=failures",
        "tab=history&part=family&family={family}",
        "tab=history&run={run}",
        "tab=timeline&rows=1",
        "tab=timeline&by=family",
    )

    def record(self, family, error):
        """Put a failed run of `family` into the history. Returns its number."""
        self.start_daemon(self.settings)
        given = {"worker": family, "params": {family: family}, "module": family}
        self.daemon.call("add_worker", worker=family, info={"host": family})
        self.add(family, "up", **given)
        self.daemon.call("get_work", worker=family, host=family)
        self.add(family, "up", status="DONE", **given)
        self.add(family, "task", deps=["up"], **given)
        self.daemon.call("get_work", worker=family, host=family)
        self.add(family, "task", status="FAILED", expl=json.dumps(error), **given)
        return self.runs_at_last(status="FAILED")[0]["run_id"]

    def test_hostile_text_is_only_text(self):
        number = self.record(HOSTILE, HOSTILE)
        page = self.open("tab=history")
        expect(runs(page).first).to_contain_text(HOSTILE)
        for part in self.PARTS:
            fields = part.format(run=number, family=page.evaluate("encodeURIComponent", HOSTILE))
            self.go(page, fields)
            expect(page.locator("#main")).to_contain_text("up" if "timeline" in part else HOSTILE)
            inserted = page.locator("main img, main script, main iframe, a[href^='javascript']")
            expect(inserted).to_have_count(0)

    def test_every_view_is_accessible_and_fits(self):
        number = self.record("Load" * 20, "ValueError: no column 7\n" + "x" * 500)
        for size, scheme in ((DESKTOP, "light"), (PHONE, "dark")):
            page = self.open("tab=history", size=size, color_scheme=scheme, reduced_motion="reduce")
            for part in self.PARTS:
                with self.subTest(part, size=size["width"], scheme=scheme):
                    self.go(page, part.format(run=number, family="Load" * 20))
                    expect(page.locator("#main")).to_contain_text(re.compile("Load|up"))
                    waiting = page.get_by_role("status").filter(has_text=re.compile("Reading|Loading"), visible=True)
                    expect(waiting).to_have_count(0)
                    self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), size["width"])
                    self.assert_accessible(page, f"{part}, {scheme}")


def runs(page):
    return page.get_by_role("table", name="Runs").locator("tbody:not(.spacer) tr")


def bars(page):
    return page.get_by_role("table", name="Runs of this time").locator("tbody tr")


def attempts(page):
    return card(page, "Attempts").get_by_role("listitem")


def marks(page, status=""):
    """The runs in the chart of a family."""
    return page.locator(f".chart-stage .run-mark{status and '.'}{status}")


def card(page, title):
    return page.locator("main .card").filter(has=page.get_by_role("heading", name=title))
