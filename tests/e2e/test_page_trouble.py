"""The page in trouble: hostile text, a slow and a lost daemon; and on a phone, by keyboard, light and dark, for axe."""

import json
import re

from tests.e2e.page import (
    ALPHA,
    DESKTOP,
    HOSTILE,
    PHONE,
    STILL,
    VIEWS,
    PageTest,
    expect,
    expect_families,
    find,
    panel,
    row,
    rows,
    setUpModule,  # noqa: F401
    sources,
    tab,
    tearDownModule,  # noqa: F401
)

#: All that axe-core has to look at, by what is to be opened for it.
SHOWN = ("tab=tasks", "tab=tasks&task=Broken", "tab=tasks&task=Train", *(f"tab={view}" for view in VIEWS[1:]))


def expect_read(page):
    """Wait until nothing on the page is still to come."""
    waiting = page.get_by_role("status").filter(has_text=re.compile("Reading|Loading"), visible=True)
    expect(waiting).to_have_count(0)


class HostileTest(PageTest):
    def test_hostile_text_is_only_text(self):
        self.start_daemon(STILL)
        about = {"host": HOSTILE, "username": HOSTILE, "first_task": HOSTILE}
        self.daemon.call("add_worker", worker=HOSTILE, info=about)
        self.daemon.call("update_resource", resource=HOSTILE, amount=3)
        given = {"params": {HOSTILE: HOSTILE}, "resources": {HOSTILE: 1}, "worker": HOSTILE, "module": HOSTILE}
        self.add(HOSTILE, "busy", **given)
        self.daemon.call("get_work", worker=HOSTILE)
        self.add(HOSTILE, "busy", status="RUNNING", tracking_url="javascript:alert(3)", **given)
        self.daemon.call("set_task_status_message", task_id="busy", status_message=HOSTILE)
        self.add(HOSTILE, HOSTILE, status="FAILED", expl=HOSTILE, deps=["busy"], **given)
        self.add("__proto__", "__proto__", params={"__proto__": "constructor"}, worker=HOSTILE)
        page = self.open()
        for view in VIEWS:
            if view in ("graph", "timeline", "history"):
                continue  # canvases, and what is in test_page_history.py
            page.evaluate("view => (location.hash = `tab=${view}`)", view)
            shown = json.dumps(HOSTILE)[1:-1] if view == "server" else HOSTILE
            expect(page.locator("#main")).to_contain_text(shown)
            self.assert_inert(page)
        tab(page, "Tasks").click()
        rows(page).filter(has_text="Failed").click()
        expect(panel(page).get_by_label("Error", exact=True)).to_have_text(HOSTILE)
        expect(panel(page).get_by_role("heading", name=HOSTILE)).to_be_visible()
        self.assert_inert(page)
        panel(page).get_by_role("button", name="Enlarge").click()
        expect(page.get_by_role("dialog")).to_contain_text(HOSTILE)
        self.assert_inert(page)
        page.keyboard.press("Escape")
        panel(page).get_by_role("button", name="Mark as done…").click()
        expect(page.get_by_role("dialog")).to_contain_text(HOSTILE)
        self.assert_inert(page)
        page.get_by_role("button", name="Cancel").click()
        rows(page).filter(has_text="Running").click()
        expect(panel(page).locator(".message")).to_have_text(HOSTILE)
        expect(panel(page)).to_contain_text("javascript:alert(3)")
        self.assert_inert(page)

    def test_hostile_addresses_are_only_text(self):
        self.start_daemon(STILL)
        self.add("Fine")
        page = self.open()
        page.evaluate(
            "text => (location.hash = new URLSearchParams(text))",
            {
                "tab": "tasks",
                **dict.fromkeys(("family", "worker", "search__search", "task"), HOSTILE),
                "param": f"{HOSTILE}={HOSTILE}",
                "statuses": json.dumps([HOSTILE]),
            },
        )
        expect(page.get_by_text("No task matches.").or_(page.get_by_role("alert")).first).to_be_visible()
        self.assert_inert(page)
        self.expect_problems("Failed to load resource: the server responded with a status of 400")

    def assert_inert(self, page):
        """Nothing but the page's own pictures and scripts are there, and no link leads into a script."""
        self.assertEqual(([], ["early.js", "app.js"]), (sources(page, "img"), sources(page, "script")))
        self.assertEqual(0, page.locator("a[href^='javascript:' i]").count())


class LostTest(PageTest):
    def setUp(self):
        super().setUp()
        self.start_daemon(STILL)
        self.add_pipeline()

    def test_lost_daemon_is_told_and_found_again(self):
        page = self.open()
        expect(rows(page)).to_have_count(9)
        self.daemon.stop()
        expect(page.get_by_role("alert")).to_contain_text("the daemon cannot be reached")
        expect(page.locator("#freshness")).to_have_text("No answer")
        expect(rows(page)).to_have_count(9)
        self.daemon.start()
        expect(page.get_by_text("The daemon answers again.")).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        self.add("New")
        expect(rows(page)).to_have_count(10)
        self.expect_problems("Failed to load resource: net::ERR_")

    def test_an_answer_that_makes_no_sense_is_told(self):
        page = self.open()
        expect(rows(page)).to_have_count(9)
        page.route("**/api/changes", lambda route: route.fulfill(body="<h1>Welcome to the hotel</h1>"))
        self.add("New")
        expect(page.get_by_role("alert")).to_contain_text("something other than the daemon answered")
        page.unroute("**/api/changes")
        expect(page.get_by_role("alert")).to_be_hidden()
        expect(rows(page)).to_have_count(10)

    def test_a_table_that_cannot_be_read_says_so(self):
        page = self.open()
        expect(rows(page)).to_have_count(9)
        page.route("**/api/tasks", lambda route: route.fulfill(status=503, json={"error": "too many calls at a time"}))
        find(page, "Load")
        expect(page.get_by_role("alert")).to_contain_text("Could not be read: too many calls at a time.")
        page.unroute("**/api/tasks")
        page.get_by_role("button", name="Try again").click()
        expect_families(page, "Load")
        self.expect_problems("Failed to load resource: the server responded with a status of 503")

    def test_a_slow_daemon_delays_nothing_but_its_answer(self):
        page = self.open()
        expect(rows(page)).to_have_count(9)
        held = []
        page.route("**/api/tasks", lambda route: held.append(route), times=1)
        find(page, "Load")
        expect(page.get_by_role("region", name="Tasks")).to_have_attribute("aria-busy", "true")
        expect(rows(page)).to_have_count(9)
        tab(page, "Workers").click()
        expect(page.get_by_role("article")).to_have_count(2)
        tab(page, "Tasks").click()
        for route in held:
            route.continue_()
        expect_families(page, "Load")
        expect(page.get_by_role("region", name="Tasks")).not_to_have_attribute("aria-busy", "true")


class TooManyTest(PageTest):
    def test_more_tasks_than_stock_would_show(self):
        self.start_daemon({**STILL, "max_shown_tasks": 3})
        for n in range(5):
            self.add("Part", f"Part_{n}", params={"number": str(n)})
        self.add("Done", status="DONE", deps=["Ghost_1"])
        page = self.open()
        expect(page.get_by_text("7 tasks, more than max_shown_tasks (3)")).to_be_visible()
        expect(rows(page)).to_have_count(7)
        expect(tab(page, "Tasks")).to_contain_text("7")
        find(page, "number=3")
        expect(rows(page)).to_have_count(1)
        row(page, "Part_3").click()
        expect(panel(page).locator(".task-id code")).to_have_text("Part_3")
        page = self.open("task=Ghost_1")
        expect(panel(page)).to_contain_text("Unknown")


class EverybodyTest(PageTest):
    """A phone, a keyboard, a screen reader, and eyes that like it dark."""

    def test_phone_shows_everything_without_scrolling_sideways(self):
        self.start_daemon(STILL, resources={"gpu": 2})
        self.add_pipeline()
        self.add("Long" * 60, "x" * 300, params={"p" * 100: "v" * 1000})
        self.add("Next" * 60, deps=["x" * 300])
        self.daemon.call("add_worker", worker="w" * 300, info={})
        self.daemon.call("update_resource", resource="r" * 300, amount=1)
        page = self.open(size=PHONE)
        for view in VIEWS:
            tab(page, view.capitalize()).click()
            expect(tab(page, view.capitalize())).to_have_attribute("aria-current", "page")
            expect_read(page)
            self.assert_fits(page)
        tab(page, "Tasks").click()
        row(page, "x" * 300).click()
        expect(panel(page).get_by_role("region", name="Explanation")).to_be_visible()
        self.assert_fits(page)
        self.assertLessEqual(panel(page).bounding_box()["width"], PHONE["width"])
        panel(page).get_by_role("button", name="Close the details").click()
        expect(panel(page)).to_be_hidden()

    def assert_fits(self, page):
        self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), PHONE["width"])

    def test_light_and_dark_follow_the_system_unless_chosen(self):
        self.start_daemon(STILL)
        page = self.open(color_scheme="light")
        self.assert_theme(page, "light")
        page.emulate_media(color_scheme="dark")
        self.assert_theme(page, "dark")
        page.get_by_role("button", name="Colours follow the system").click()
        self.assert_theme(page, "light")
        page.reload()
        expect(page.get_by_role("button", name="Colours are light")).to_be_visible()
        self.assert_theme(page, "light")
        page.keyboard.press("d")
        self.assert_theme(page, "dark")
        page.keyboard.press("d")
        expect(page.get_by_role("button", name="Colours follow the system")).to_be_visible()

    def assert_theme(self, page, theme):
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        brightness = page.evaluate("Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])")
        self.assertEqual(theme, "light" if brightness > 200 else "dark" if brightness < 50 else brightness)

    def test_keyboard_only(self):
        self.start_daemon(STILL, resources={"gpu": 1})
        self.add_pipeline()
        page = self.open()
        page.keyboard.press("/")
        expect(page.get_by_label("Filter tasks")).to_be_focused()
        page.keyboard.type("Extract")
        expect(rows(page)).to_have_count(2)
        rows(page).first.get_by_role("link", name="Extract").focus()
        page.keyboard.press("ArrowDown")
        second = rows(page).nth(1).get_by_role("link", name="Extract")
        expect(second).to_be_focused()
        page.keyboard.press("k")
        page.keyboard.press("j")
        expect(second).to_be_focused()
        page.keyboard.press("Enter")
        expect(panel(page)).to_be_visible()
        page.keyboard.press("Escape")
        expect(panel(page)).to_be_hidden()
        expect(second).to_be_focused()
        current = page.get_by_role("navigation", name="Views").locator("[aria-current]")
        for key, title in zip("wrbsgt", ("Workers", "Resources", "Bottlenecks", "Server", "Graph", "Tasks")):
            page.keyboard.press("g")
            page.keyboard.press(key)
            expect(current).to_contain_text(title)
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_contain_text("go to workers")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.keyboard.press("Tab")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("Tab")
        page.get_by_role("link", name="Skip to the content").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()

    def test_keys_do_nothing_while_one_types(self):
        self.start_daemon(STILL)
        self.add("Fine")
        page = self.open()
        page.keyboard.press("/")
        page.keyboard.type("g w ? d")
        expect(page.get_by_label("Filter tasks")).to_have_value("g w ? d")
        expect(page.get_by_text("No task matches.")).to_be_visible()

    def test_axe_finds_nothing(self):
        self.start_daemon({**STILL, "send_messages": "true"}, resources={"gpu": 1})
        self.add_pipeline()
        self.add("Train", worker="Worker(host=b, pid=2)", status="PENDING")
        self.daemon.call("pause")
        for theme in ("light", "dark"):
            page = self.open(color_scheme=theme)
            for address in SHOWN:
                page.evaluate("address => (location.hash = address)", address)
                expect_read(page)
                if "task=" in address:
                    expect(panel(page).get_by_role("region", name="Explanation")).to_be_visible()
                self.assert_accessible(page, f"{address}, {theme}")
            page.keyboard.press("?")
            self.assert_accessible(page, f"the keys, {theme}")
            page.keyboard.press("Escape")

    def test_axe_finds_nothing_on_a_phone(self):
        self.start_daemon(STILL)
        self.add_pipeline()
        page = self.open("tab=tasks", size=PHONE)
        expect(rows(page).first).to_be_visible()
        self.assert_accessible(page, "tasks on a phone")
        row(page, "Broken").click()
        expect(panel(page).get_by_role("region", name="Explanation")).to_be_visible()
        self.assert_accessible(page, "details on a phone")

    def test_reduced_motion_is_honoured(self):
        self.start_daemon(STILL)
        page = self.open(reduced_motion="reduce", size=DESKTOP)
        durations = "each => parseFloat(getComputedStyle(each).transitionDuration)"
        self.assertEqual({0}, set(page.evaluate(f"[...document.querySelectorAll('*')].map({durations})")))

    def test_a_hidden_page_asks_for_nothing(self):
        self.start_daemon(STILL)
        self.add("Fine", worker=ALPHA)
        page = self.open()
        expect(rows(page)).to_have_count(1)
        hide = """state => {
            Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }"""
        page.evaluate(hide, "hidden")
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        self.add("New")
        page.evaluate("new Promise(done => setTimeout(done, 1500))")
        self.assertEqual([], asked)
        page.evaluate(hide, "visible")
        expect(rows(page)).to_have_count(2)
