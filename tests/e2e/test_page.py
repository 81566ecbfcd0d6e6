"""The page in a real browser, against the real daemon.

Every test also fails when the browser's console shows an error, when a dialog opens, or when the page asks anybody but
the daemon for anything.
"""

import json
import re
import shutil

from tests.e2e.workers import EndToEndTest
from tests.missing import skip_without

try:
    from playwright.sync_api import expect, sync_playwright
except ImportError:
    sync_playwright = None

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

VIEWS = ("tasks", "workers", "resources", "changes")


def setUpModule():
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


def rows(page):
    return page.locator("tbody tr")


def row(page, task_id):
    return rows(page).filter(has=page.locator(f'a[title="{task_id}"]'))


def expect_families(page, *families):
    expect(page.locator("tbody .task-name")).to_have_text(families)


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


class TasksTest(PageTest):
    def setUp(self):
        super().setUp()
        self.start_daemon(STILL, resources={"gpu": 2})

    def test_counts_of_every_status(self):
        self.add_pipeline()
        page = self.open()
        expected = {
            "FAILED": "1",
            "DISABLED": "1",
            "UPSTREAM_FAILED": "1",
            "UPSTREAM_DISABLED": "1",
            "RUNNING": "1",
            "PENDING": "1",
            "UNKNOWN": "1",
            "DONE": "2",
        }
        for status, count in expected.items():
            expect(number(page, status)).to_have_text(count)
        expect(page.locator(".tile")).to_have_count(len(expected))
        expect(page.get_by_role("link", name="Tasks 9")).to_be_visible()
        expect(page).to_have_title("1 failed · luigid")

    def test_every_status_has_a_word_and_a_shape_of_its_own(self):
        self.add_pipeline()
        page = self.open()
        shapes = page.locator(".tile path").evaluate_all("paths => paths.map(path => path.getAttribute('d'))")
        self.assertEqual(8, len(set(shapes)))
        self.assertEqual(8, len(set(page.locator("tbody .status .word").all_inner_texts())))

    def test_tiles_filter_the_table(self):
        self.add_pipeline()
        page = self.open()
        expect(rows(page)).to_have_count(9)
        tile(page, "FAILED").click()
        expect(rows(page)).to_have_count(1)
        tile(page, "DONE").click()
        expect(rows(page)).to_have_count(3)
        page.reload()
        expect(rows(page)).to_have_count(3)
        expect(tile(page, "DONE")).to_have_attribute("aria-pressed", "true")
        page.get_by_role("button", name="Remove filter: Failed").click()
        expect_families(page, "Extract", "Extract")
        page.go_back()
        expect(rows(page)).to_have_count(3)

    def test_words_and_family_filter_the_table(self):
        self.add_pipeline()
        page = self.open()
        page.get_by_label("Filter tasks").fill("date=2024-03-01")
        expect(rows(page)).to_have_count(2)
        page.get_by_label("Filter tasks").fill("ORDERS 2024-03-01")
        expect(rows(page)).to_have_count(1)
        page.get_by_label("Filter tasks").fill("")
        families = page.get_by_role("navigation", name="Families")
        families.get_by_role("link", name="Extract").click()
        expect(rows(page)).to_have_count(2)
        expect(families.get_by_role("link", name="Load")).to_be_visible()
        page.get_by_label("Filter tasks").fill("2024-03-02")
        expect(rows(page)).to_have_count(1)
        page.get_by_label("Filter tasks").fill("nothing like it")
        expect(page.get_by_text("No task matches.")).to_be_visible()

    def test_columns_sort_the_table_both_ways(self):
        for priority, family in ((5, "Bee"), (50, "Ant"), (7, "Cat")):
            self.add(family, priority=priority)
        page = self.open()
        heading = page.get_by_role("button", name="Priority")
        heading.click()
        expect(page.get_by_role("columnheader", name="Priority")).to_have_attribute("aria-sort", "descending")
        expect_families(page, "Ant", "Cat", "Bee")
        heading.click()
        expect_families(page, "Bee", "Cat", "Ant")
        page.get_by_role("button", name="Task", exact=True).click()
        expect_families(page, "Ant", "Bee", "Cat")
        page.reload()
        expect_families(page, "Ant", "Bee", "Cat")

    def test_many_tasks_are_paged(self):
        for n in range(430):
            self.add("Part", f"Part_{n:03d}", params={"number": str(n)}, priority=-n)
        page = self.open("tab=tasks&order=priority,desc")
        expect(rows(page)).to_have_count(50)
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_text("51 to 100 of 430")).to_be_visible()
        expect(row(page, "Part_050")).to_be_visible()
        self.assertLess(page.evaluate("document.querySelectorAll('*').length"), 1500)
        page.get_by_label("Tasks per page").select_option("200")
        expect(rows(page)).to_have_count(200)
        expect(page.get_by_role("button", name="Previous")).to_be_disabled()

    def test_links_made_by_stock_open_the_same_thing(self):
        self.add_pipeline()
        filters = 'statuses=["DONE"]&family=Extract&search__search=03-02'
        page = self.open(f"tab=tasks&length=100&filterOnServer=1&order=3,desc&{filters}")
        expect(rows(page)).to_have_count(1)
        expect(row(page, "Extract_2")).to_be_visible()
        expect(page.get_by_label("Filter tasks")).to_have_value("03-02")
        expect(page.get_by_role("columnheader", name="Priority")).to_have_attribute("aria-sort", "descending")
        for tab, title in (("workers", "alpha.example · 11"), ("resource", "gpu"), ("resources", "gpu")):
            page = self.open(f"tab={tab}")
            expect(card(page, title)).to_be_visible()
        page = self.open("tab=graph&taskId=Load&hideDone=1")
        expect(panel(page).get_by_role("heading", name="Load")).to_be_visible()

    def test_malformed_links_open_the_tasks(self):
        self.add_pipeline()
        addresses = ("tab=toString&order=length,up&length=-3&page=x", "order=9", "%", 'statuses={"a":1}&page=99')
        for address in addresses:
            expect(rows(self.open(address))).to_have_count(9)

    def test_an_empty_daemon_says_how_to_begin(self):
        page = self.open()
        expect(page.get_by_text(f"luigi --scheduler-url {self.daemon.url()}/")).to_be_visible()
        page.get_by_role("link", name="Workers").click()
        expect(page.get_by_text("No worker is connected.")).to_be_visible()

    def test_page_works_under_a_prefix(self):
        self.add_pipeline()
        page = self.open(prefix="/tools/luigi")
        expect(rows(page)).to_have_count(9)

    def test_changes_appear_and_what_the_person_does_is_kept(self):
        self.add_pipeline()
        page = self.open()
        page.get_by_label("Filter tasks").fill("date")
        row(page, "Extract_2").click()
        page.get_by_label("Filter tasks").focus()
        self.add("New", params={"date": "2024-04-01"})
        self.add("Load", status="DONE", params={"date": "2024-03-01", "table": "orders"})
        expect(row(page, "New")).to_be_visible()
        expect(row(page, "Load")).to_contain_text("Done")
        expect(page.get_by_label("Filter tasks")).to_be_focused()
        expect(page.get_by_label("Filter tasks")).to_have_value("date")
        expect(panel(page)).to_contain_text("Extract_2")

    def test_focus_stays_on_a_row_that_moves(self):
        self.add_pipeline()
        page = self.open()
        row(page, "Load").get_by_role("link").focus()
        self.add("Load", status="FAILED")
        expect(rows(page).first).to_contain_text("Load")
        expect(row(page, "Load").get_by_role("link")).to_be_focused()

    def test_real_pipeline_is_followed_to_its_end(self):
        page = self.open()
        worker = self.start_worker("AfterLong", "--gate", "go")
        expect(number(page, "RUNNING")).to_have_text("1")
        expect(number(page, "PENDING")).to_have_text("1")
        self.open_gate("go")
        self.assert_ends(worker)
        expect(number(page, "DONE")).to_have_text("2")
        expect(number(page, "RUNNING")).to_have_text("0")


class DetailsTest(PageTest):
    def setUp(self):
        super().setUp()
        self.start_daemon(STILL, resources={"gpu": 2})
        self.add_pipeline()

    def open_task(self, task_id, **options):
        page = self.open(**options)
        row(page, task_id).click()
        expect(panel(page).locator(".task-id code")).to_have_text(task_id)
        return page

    def test_details_of_a_waiting_task(self):
        page = self.open_task("Load")
        for fact in ("orders", "Depends on 1 of 2 done", "alpha.example · 11", "Priority7"):
            expect(panel(page)).to_contain_text(fact)
        lines = panel(page).locator(".lines li")
        expect(lines).to_have_text([re.compile("Unknown.*Late"), re.compile("Done.*Extract.*2024-03-01")])
        lines.filter(has_text="Extract").get_by_role("link").click()
        expect(panel(page).locator(".task-id code")).to_have_text("Extract_1")
        panel(page).get_by_text("Needed by").click()
        expect(panel(page).locator("details .lines li")).to_have_text(re.compile("Pending.*Load"))

    def test_details_of_a_running_task(self):
        link = "https://jobs.example/42"
        self.add("Train", worker=BETA, status="RUNNING", tracking_url=link, resources={"gpu": 1})
        page = self.open_task("Train")
        for fact in ("42 %", "epoch 3 of 7", "gpu 1", "beta.example · 22"):
            expect(panel(page)).to_contain_text(fact)
        expect(panel(page).get_by_role("meter")).to_have_attribute("aria-valuenow", "42")
        expect(panel(page).get_by_role("link", name="Tracking page")).to_have_attribute("href", link)

    def test_error_and_how_to_run_it_again(self):
        page = self.open_task("Broken")
        expect(panel(page).get_by_label("Error", exact=True)).to_have_text(TRACEBACK.rstrip())
        command = "luigi --module warehouse Broken --date=2024-03-03"
        expect(panel(page).get_by_label("Command to run it again")).to_have_text(command)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        panel(page).get_by_role("button", name="Copy command").click()
        expect(page.get_by_text("The command is copied.")).to_be_visible()
        self.assertEqual(command, page.evaluate("navigator.clipboard.readText()"))

    def test_parameters_are_quoted_for_the_shell(self):
        self.add("Odd", status="FAILED", params={"a_b": "it's; rm -rf *"})
        page = self.open_task("Odd")
        expect(panel(page).get_by_label("Command to run it again")).to_have_text("luigi Odd '--a-b=it'\\''s; rm -rf *'")

    def test_a_task_nobody_knows(self):
        page = self.open("task=Nowhere_1")
        expect(panel(page)).to_contain_text("does not know this task")

    def test_forgive(self):
        page = self.open_task("Broken")
        panel(page).get_by_role("button", name="Forgive failure").click()
        expect(row(page, "Broken")).to_contain_text("Pending")
        expect(number(page, "FAILED")).to_have_text("0")
        expect(panel(page).get_by_role("button", name="Forgive failure")).to_be_hidden()
        self.assertEqual("PENDING", self.status("Broken"))

    def test_re_enable(self):
        page = self.open_task("Banned")
        panel(page).get_by_role("button", name="Re-enable").click()
        expect(row(page, "Banned")).to_contain_text("Failed")
        expect(number(page, "DISABLED")).to_have_text("0")
        self.assertEqual("FAILED", self.status("Banned"))

    def test_mark_as_done_asks_first(self):
        page = self.open_task("Broken")
        panel(page).get_by_role("button", name="Mark as done").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        self.assertEqual("FAILED", self.status("Broken"))
        panel(page).get_by_role("button", name="Mark as done").click()
        page.get_by_role("dialog").get_by_role("button", name="Mark as done").click()
        expect(row(page, "Broken")).to_contain_text("Done")
        self.assertEqual("DONE", self.status("Broken"))

    def test_an_action_that_comes_too_late_says_so(self):
        page = self.open_task("Broken")
        self.daemon.call("mark_as_done", task_id="Broken")
        panel(page).get_by_role("button", name="Forgive failure").click()
        expect(page.get_by_role("alert")).to_contain_text("it is DONE by now")

    def test_a_failed_call_is_told(self):
        page = self.open_task("Broken")
        refusal = {"error": "task_id: no such thing"}
        page.route("**/api/forgive_failures", lambda route: route.fulfill(status=400, json=refusal))
        panel(page).get_by_role("button", name="Forgive failure").click()
        expect(page.get_by_role("alert")).to_contain_text("Could not forgive Broken: task_id: no such thing.")
        page.route("**/api/dep_graph", lambda route: route.fulfill(status=500, body="oops"))
        row(page, "Load").click()
        expect(panel(page)).to_contain_text("Could not be read: the daemon answered 500")
        page.unroute("**/api/dep_graph")
        panel(page).get_by_role("button", name="Try again").click()
        expect(panel(page)).to_contain_text("1 of 2 done")
        self.expect_problems("Failed to load resource: the server responded with a status of (400|500)")

    def test_keyboard_only(self):
        page = self.open()
        page.keyboard.press("/")
        expect(page.get_by_label("Filter tasks")).to_be_focused()
        page.keyboard.type("Extract")
        expect(rows(page)).to_have_count(2)
        rows(page).first.get_by_role("link").focus()
        page.keyboard.press("ArrowDown")
        expect(rows(page).nth(1).get_by_role("link")).to_be_focused()
        page.keyboard.press("Enter")
        expect(panel(page)).to_be_visible()
        page.keyboard.press("Escape")
        expect(panel(page)).to_be_hidden()
        expect(rows(page).nth(1).get_by_role("link")).to_be_focused()


class WorkersAndResourcesTest(PageTest):
    def setUp(self):
        super().setUp()
        self.start_daemon(STILL, resources={"gpu": 2, "disk.io": 5})
        self.add_pipeline()

    def test_worker_with_what_it_runs_and_what_waits_for_it(self):
        page = self.open("tab=workers")
        busy, idle = card(page, "beta.example · 22"), card(page, "alpha.example · 11")
        expect(busy).to_contain_text("1 of 1 processes busy")
        expect(busy.get_by_role("link", name="Train model=tree")).to_be_visible()
        expect(idle).to_contain_text("0 of 2 processes busy")
        expect(idle.locator(".figures dd").first).to_have_text("3")
        busy.get_by_role("link", name="Train model=tree").click()
        expect(panel(page)).to_contain_text("epoch 3 of 7")

    def test_set_processes(self):
        page = self.open("tab=workers")
        worker = card(page, "alpha.example · 11")
        worker.get_by_role("button", name="More").click()
        worker.get_by_role("button", name="Set").click()
        expect(worker.locator(".figures dd").nth(2)).to_have_text("1")
        messages = self.daemon.call("ping", worker=ALPHA)["rpc_messages"]
        self.assertEqual([{"name": "set_worker_processes", "kwargs": {"n": 3}}], messages)
        expect(worker.locator(".figures dd").nth(2)).to_have_text("0")

    def test_disable_worker_asks_first(self):
        page = self.open("tab=workers")
        worker = card(page, "alpha.example · 11")
        worker.get_by_role("button", name="Disable").click()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        self.assertEqual({"active"}, {worker["state"] for worker in self.daemon.call("worker_list")})
        worker.get_by_role("button", name="Disable").click()
        page.get_by_role("dialog").get_by_role("button", name="Disable worker").click()
        expect(worker).to_contain_text("disabled")
        expect(worker.get_by_role("button", name="Disable")).to_be_hidden()
        states = {worker["name"]: worker["state"] for worker in self.daemon.call("worker_list")}
        self.assertEqual({ALPHA: "disabled", BETA: "active"}, states)

    def test_change_the_total_of_a_resource(self):
        page = self.open("tab=resources")
        gpu, disk = card(page, "gpu"), card(page, "disk.io")
        expect(gpu).to_contain_text("1 of 2 in use")
        expect(gpu.get_by_role("meter")).to_have_attribute("aria-valuenow", "1")
        expect(gpu.locator(".lines li")).to_have_text(re.compile("Train.*takes 1"))
        disk.get_by_role("spinbutton").fill("12")
        disk.get_by_role("button", name="Set").click()
        expect(disk).to_contain_text("0 of 12 in use")
        totals = {resource["name"]: resource["num_total"] for resource in self.daemon.call("resource_list")}
        self.assertEqual({"gpu": 2, "disk.io": 12}, totals)

    def test_a_number_being_typed_is_left_alone(self):
        page = self.open("tab=resources")
        card(page, "disk.io").get_by_role("spinbutton").fill("7")
        self.daemon.call("update_resource", resource="gpu", amount=9)
        expect(card(page, "gpu")).to_contain_text("1 of 9 in use")
        expect(card(page, "disk.io").get_by_role("spinbutton")).to_have_value("7")

    def test_pause_and_resume(self):
        page = self.open()
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_text("no worker is given a new one")).to_be_visible()
        self.assertTrue(self.daemon.call("is_paused")["paused"])
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        self.assertFalse(self.daemon.call("is_paused")["paused"])


class TroubleTest(PageTest):
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
        for view in VIEWS:
            page = self.open(f"tab={view}")
            shown = json.dumps(HOSTILE)[1:-1] if view == "changes" else HOSTILE
            expect(page.locator("#main")).to_contain_text(shown)
            self.assert_inert(page)
        page = self.open()
        rows(page).filter(has_text="Failed").click()
        expect(panel(page).get_by_label("Error", exact=True)).to_have_text(HOSTILE)
        expect(panel(page).get_by_role("heading", name=HOSTILE)).to_be_visible()
        self.assert_inert(page)
        panel(page).get_by_role("button", name="Mark as done").click()
        expect(page.get_by_role("dialog")).to_contain_text(HOSTILE)
        self.assert_inert(page)
        page.get_by_role("button", name="Cancel").click()
        rows(page).filter(has_text="Running").click()
        expect(panel(page).locator(".message")).to_have_text(HOSTILE)
        expect(panel(page)).to_contain_text("javascript:alert(3)")
        self.assert_inert(page)

    def assert_inert(self, page):
        """Nothing but the page's own picture and script is there, and no link leads into a script."""
        self.assertEqual((["icon.svg"], ["app.js"]), (sources(page, "img"), sources(page, "script")))
        self.assertEqual(0, page.locator("a[href^='javascript:' i]").count())

    def test_too_many_tasks_to_list(self):
        self.start_daemon({**STILL, "max_shown_tasks": 3})
        for n in range(5):
            self.add("Part", f"Part_{n}", params={"number": str(n)})
        self.add("Done", status="DONE", deps=["Ghost_1", "Ghost_2", "Ghost_3", "Ghost_4"])
        page = self.open()
        expect(page.get_by_text("Too many tasks to list them all: 5 pending, 4 unknown.")).to_be_visible()
        expect(number(page, "PENDING")).to_have_text("5")
        expect(page.get_by_role("link", name="Tasks 10")).to_be_visible()
        expect_families(page, "Done")
        page.get_by_label("Filter tasks").fill("number=3")
        expect(row(page, "Part_3")).to_be_visible()
        expect(number(page, "PENDING")).to_have_text("5")
        row(page, "Part_3").click()
        expect(panel(page).locator(".task-id code")).to_have_text("Part_3")
        page = self.open("task=Ghost_2")
        expect(panel(page)).to_contain_text("Unknown")

    def test_lost_daemon_is_told_and_found_again(self):
        self.start_daemon(STILL)
        self.add_pipeline()
        page = self.open()
        self.daemon.stop()
        expect(page.get_by_role("alert")).to_contain_text("the daemon cannot be reached")
        expect(page.locator("#freshness")).to_have_text("No answer")
        expect(rows(page)).to_have_count(9)
        self.daemon.start()
        expect(page.get_by_text("The daemon answers again.")).to_be_visible()
        expect(page.get_by_role("alert")).to_be_hidden()
        expect(rows(page)).to_have_count(9)
        self.expect_problems("Failed to load resource: net::ERR_")

    def test_an_answer_that_makes_no_sense_is_told(self):
        self.start_daemon(STILL)
        self.add_pipeline()
        page = self.open()
        page.route("**/api/task_list", lambda route: route.fulfill(body="<h1>Welcome to the hotel</h1>"))
        expect(page.get_by_role("alert")).to_contain_text("something other than the daemon answered")
        page.unroute("**/api/task_list")
        expect(page.get_by_role("alert")).to_be_hidden()
        expect(rows(page)).to_have_count(9)

    def test_phone_shows_everything_without_scrolling_sideways(self):
        self.start_daemon(STILL, resources={"gpu": 2})
        self.add_pipeline()
        self.add("Long" * 60, "x" * 300, params={"p" * 100: "v" * 1000})
        self.daemon.call("add_worker", worker="w" * 300, info={})
        self.daemon.call("update_resource", resource="r" * 300, amount=1)
        page = self.open(size=PHONE)
        for view in VIEWS:
            page.get_by_role("link", name=view.capitalize()).click()
            expect(page.get_by_role("link", name=view.capitalize())).to_have_attribute("aria-current", "page")
            self.assert_fits(page)
        page.get_by_role("link", name="Tasks").click()
        row(page, "x" * 300).click()
        expect(panel(page)).to_be_visible()
        self.assert_fits(page)
        self.assertLessEqual(panel(page).bounding_box()["width"], PHONE["width"])
        panel(page).get_by_role("button", name="Close the details").click()
        expect(panel(page)).to_be_hidden()

    def assert_fits(self, page):
        self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), PHONE["width"])

    def test_light_and_dark_follow_the_system(self):
        self.start_daemon(STILL)
        brightness = "Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"
        self.assertGreater(self.open(color_scheme="light").evaluate(brightness), 200)
        self.assertLess(self.open(color_scheme="dark").evaluate(brightness), 50)
