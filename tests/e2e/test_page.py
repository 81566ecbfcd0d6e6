"""The page's table of tasks: what it counts, filters, sorts, and does with all that it shows."""

import json
import re

from tests.e2e.page import (
    BETA,
    STILL,
    PageTest,
    card,
    expect,
    expect_families,
    find,
    number,
    panel,
    row,
    rows,
    setUpModule,  # noqa: F401
    tearDownModule,  # noqa: F401
    tile,
)


class TasksTest(PageTest):
    def setUp(self):
        super().setUp()
        self.start_daemon(STILL, resources={"gpu": 2})

    def test_counts_of_every_status(self):
        self.add_pipeline()
        self.add("File", runnable=False)
        self.add("Reader", deps=["File"])
        page = self.open()
        expected = {
            "FAILED": "1",
            "DISABLED": "1",
            "UPSTREAM_FAILED": "1",
            "UPSTREAM_DISABLED": "1",
            "RUNNING": "1",
            "PENDING": "2",
            "UPSTREAM_MISSING_INPUT": "1",
            "UNKNOWN": "1",
            "DONE": "2",
        }
        for status, count in expected.items():
            expect(number(page, status)).to_have_text(count)
        expect(page.locator(".tile")).to_have_count(len(expected))
        expect(page.get_by_role("link", name="Tasks 11")).to_be_visible()
        expect(page).to_have_title("1 failed · luigid")
        expect(page.locator("#icon")).to_have_attribute("href", "icon-failed.svg")
        page.get_by_role("button", name="Forgive").click()
        expect(page).to_have_title("luigid")
        expect(page.locator("#icon")).to_have_attribute("href", "icon.svg")

    def test_every_status_has_a_word_and_a_shape_of_its_own(self):
        self.add_pipeline()
        page = self.open()
        expect(rows(page)).to_have_count(9)
        shapes = page.locator(".tile path").evaluate_all("paths => paths.map(path => path.getAttribute('d'))")
        self.assertEqual(8, len(set(shapes)))
        self.assertEqual(8, len(set(page.locator(".virtual .status .word").all_inner_texts())))

    def test_tiles_filter_the_table(self):
        self.add_pipeline()
        page = self.open()
        expect(rows(page)).to_have_count(9)
        tile(page, "FAILED").click()
        expect(rows(page)).to_have_count(1)
        tile(page, "UPSTREAM_FAILED").click()
        expect_families(page, "Broken", "Report")
        tile(page, "DONE").click()
        expect(rows(page)).to_have_count(4)
        page.reload()
        expect(rows(page)).to_have_count(4)
        expect(tile(page, "DONE")).to_have_attribute("aria-pressed", "true")
        page.get_by_role("button", name="Remove filter: Failed").click()
        expect(rows(page)).to_have_count(3)
        page.go_back()
        expect(rows(page)).to_have_count(4)
        tile(page, "DONE").click()
        tile(page, "FAILED").click()
        tile(page, "UPSTREAM_FAILED").click()
        expect(rows(page)).to_have_count(9)

    def test_words_and_family_filter_the_table(self):
        self.add_pipeline()
        page = self.open()
        find(page, "date=2024-03-01")
        expect(rows(page)).to_have_count(2)
        find(page, "ORDERS 2024-03-01")
        expect(rows(page)).to_have_count(1)
        find(page, "")
        families = page.get_by_role("navigation", name="Families")
        families.get_by_role("link", name="Extract").click()
        expect(rows(page)).to_have_count(2)
        expect(families.get_by_role("link", name="Load")).to_be_visible()
        find(page, "2024-03-02")
        expect(rows(page)).to_have_count(1)
        find(page, "nothing like it")
        expect(page.get_by_text("No task matches.")).to_be_visible()
        page.get_by_role("link", name="Show all tasks").click()
        expect(rows(page)).to_have_count(9)

    def test_families_are_grouped_by_package_and_found_by_name(self):
        for n in range(15):
            self.add(f"shop.orders.Load{n}", params={"n": str(n)})
        self.add("Train")
        page = self.open()
        families = page.get_by_role("navigation", name="Families")
        expect(families.get_by_role("heading", level=3)).to_have_text("shop.orders")
        expect(families.get_by_role("link")).to_have_count(17)
        families.get_by_label("Find a family").fill("load14")
        expect(families.get_by_role("link")).to_have_text(["All families16", "Load141"])
        families.get_by_role("link", name="Load14").click()
        expect_families(page, "shop.orders.Load14")
        families.get_by_role("link", name="All families").click()
        expect(rows(page)).to_have_count(16)

    def test_filters_for_parameter_worker_and_time_combine(self):
        self.add_pipeline()
        page = self.open()

        def fill_in(**fields):
            page.locator("summary", has_text="Filter").click()
            form = page.locator(".filter-form")
            for label, value in fields.items():
                form.get_by_label(label.replace("_", " ")).fill(value)
            form.get_by_role("button", name="Filter").click()

        fill_in(Parameter="date", contains="2024-03")
        expect(rows(page)).to_have_count(4)
        fill_in(Parameter="table", contains="ord")
        expect_families(page, "Load")
        page.get_by_role("button", name="Remove filter: table: ord").click()
        expect(rows(page)).to_have_count(4)
        page.get_by_role("button", name="Remove filter: date: 2024-03").click()
        fill_in(Worker=BETA)
        expect_families(page, "Train")
        page.get_by_role("button", name="Remove filter: on beta.example · 22").click()
        expect(rows(page)).to_have_count(9)
        page.locator("summary", has_text="Filter").click()
        page.get_by_label("Changed in").select_option("the last hour")
        page.locator(".filter-form").get_by_role("button", name="Filter").click()
        expect(rows(page)).to_have_count(9)
        expect(page.get_by_role("button", name="Remove filter: in the last hour")).to_be_visible()
        page.locator("summary", has_text="Filter").click()
        page.get_by_label("Changed in").select_option("a time of your own")
        page.get_by_label("until", exact=True).fill("2024-01-01T00:00")
        page.locator(".filter-form").get_by_role("button", name="Filter").click()
        expect(page.get_by_text("No task matches.")).to_be_visible()
        page.reload()
        page.get_by_role("button", name="Remove filter: until 2024-01-01 00:00").click()
        expect(rows(page)).to_have_count(9)

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
        for column, order in (("Status", "ascending"), ("Since", "descending"), ("Worker", "ascending")):
            page.get_by_role("button", name=column, exact=True).click()
            expect(page.get_by_role("columnheader", name=column)).to_have_attribute("aria-sort", order)
            expect(rows(page)).to_have_count(3)

    def test_many_tasks_are_paged_and_only_those_in_sight_are_in_the_document(self):
        for n in range(430):
            self.add("Part", f"Part_{n:03d}", params={"number": str(n)}, priority=-n)
        page = self.open("tab=tasks&order=priority,desc")
        expect(row(page, "Part_000")).to_be_visible()
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_text("51 to 100 of 430")).to_be_visible()
        expect(row(page, "Part_050")).to_be_visible()
        page.get_by_label("Tasks per page").select_option("500")
        expect(row(page, "Part_000")).to_be_visible()
        expect(page.get_by_role("button", name="Next")).to_be_hidden()
        self.assertLess(page.evaluate("document.querySelectorAll('*').length"), 1500)
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        expect(row(page, "Part_429")).to_be_in_viewport()
        expect(row(page, "Part_000")).to_have_count(0)
        self.assertLess(page.evaluate("document.querySelectorAll('*').length"), 1500)
        page.evaluate("scrollTo(0, 0)")
        row(page, "Part_000").get_by_role("link", name="Part").focus()
        for _ in range(60):
            page.keyboard.press("ArrowDown")
        expect(row(page, "Part_060").get_by_role("link", name="Part")).to_be_focused()

    def test_a_page_past_the_end_is_the_last(self):
        self.add_pipeline()
        expect(rows(self.open("tab=tasks&length=4&page=40"))).to_have_count(1)

    def test_links_made_by_stock_open_the_same_thing(self):
        self.add_pipeline()
        filters = 'statuses=["DONE"]&family=Extract&search__search=03-02'
        page = self.open(f"tab=tasks&length=100&filterOnServer=1&order=3,desc&{filters}")
        expect(rows(page)).to_have_count(1)
        expect(row(page, "Extract_2")).to_be_visible()
        expect(page.get_by_label("Filter tasks")).to_have_value("03-02")
        expect(page.get_by_role("columnheader", name="Priority")).to_have_attribute("aria-sort", "descending")
        for tab, title in (("workers", "alpha.example · 11"), ("resource", "gpu"), ("resources", "gpu")):
            page.evaluate("tab => (location.hash = `tab=${tab}`)", tab)
            expect(card(page, title)).to_be_visible()

    def test_malformed_links_open_the_tasks(self):
        self.add_pipeline()
        addresses = ("tab=toString&order=length,up&length=-3&page=x", "order=9", "%", 'statuses={"a":1}&page=99')
        page = self.open()
        for address in addresses:
            page.evaluate("address => (location.hash = address)", address)
            expect(rows(page)).to_have_count(9)

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
        find(page, "date")
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
        row(page, "Load").get_by_role("link", name="Load").focus()
        self.add("Load", status="FAILED")
        expect(rows(page).first).to_contain_text("Load")
        expect(row(page, "Load").get_by_role("link", name="Load")).to_be_focused()

    def test_times_are_relative_and_exact_when_pointed_at(self):
        self.add_pipeline()
        page = self.open()
        time = row(page, "Load").get_by_role("time")
        expect(time).to_have_text(re.compile(r"^(now|\d+ s ago)$"))
        time.hover()
        expect(time).to_have_attribute("title", re.compile(r"\d\d:\d\d"))

    def test_rows_have_what_helps_most(self):
        self.add_pipeline()
        page = self.open()
        row(page, "Banned").get_by_role("button", name="Re-enable").click()
        expect(row(page, "Banned")).to_contain_text("Failed")
        row(page, "Broken").get_by_role("button", name="Forgive").click()
        expect(row(page, "Broken")).to_contain_text("Pending")
        self.assertEqual(("PENDING", "FAILED"), (self.status("Broken"), self.status("Banned")))
        expect(panel(page)).to_be_hidden()
        row(page, "Load").hover()
        row(page, "Load").get_by_role("link", name="Graph").click()
        expect(page.get_by_role("link", name="Graph", exact=True)).to_have_attribute("aria-current", "page")

    def test_real_pipeline_is_followed_to_its_end(self):
        page = self.open()
        worker = self.start_worker("AfterLong", "--gate", "go")
        expect(number(page, "RUNNING")).to_have_text("1")
        expect(number(page, "PENDING")).to_have_text("1")
        self.open_gate("go")
        self.assert_ends(worker)
        expect(number(page, "DONE")).to_have_text("2")
        expect(number(page, "RUNNING")).to_have_text("0")


class AllTest(PageTest):
    """What is done with all tasks that the filters let through."""

    def setUp(self):
        super().setUp()
        self.start_daemon(STILL)
        for n in range(4):
            self.add("Broken", f"Broken_{n}", params={"n": str(n)}, status="FAILED")
        self.add("Fine", status="DONE")

    def choose(self, page, words):
        page.locator("summary", has_text="Do with all").click()
        page.get_by_role("button", name=words).click()

    def test_forgive_those_that_the_filters_let_through(self):
        page = self.open("search__search=Broken_&order=task,asc")
        find(page, "n=2")
        expect(rows(page)).to_have_count(1)
        self.choose(page, "Forgive failures")
        expect(page.get_by_role("dialog")).to_contain_text("Forgive the failures of 1 task?")
        page.get_by_role("dialog").get_by_role("button", name="Forgive").click()
        expect(page.get_by_text("1 task is forgiven.")).to_be_visible()
        expect(row(page, "Broken_2")).to_contain_text("Pending")
        self.assertEqual("FAILED", self.status("Broken_1"))

    def test_nothing_happens_without_a_yes(self):
        page = self.open()
        expect(rows(page)).to_have_count(5)
        self.choose(page, "Mark as done")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("Mark 4 tasks as done?")
        expect(dialog).to_contain_text("Of 5 tasks shown, this changes 4:")
        dialog.get_by_role("button", name="Cancel").click()
        expect(dialog).to_have_count(0)
        self.assertEqual("FAILED", self.status("Broken_0"))
        self.choose(page, "Re-enable")
        expect(page.get_by_role("alert")).to_contain_text("none can be re-enabled")

    def test_copy_as_json_and_csv(self):
        page = self.open("statuses=FAILED&order=task,asc")
        expect(rows(page)).to_have_count(4)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.choose(page, "Copy as JSON")
        expect(page.get_by_text("4 tasks copied as JSON.")).to_be_visible()
        copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
        self.assertEqual([f"Broken_{n}" for n in range(4)], [task["id"] for task in copied])
        self.choose(page, "Copy as CSV")
        expect(page.get_by_text("4 tasks copied as CSV.")).to_be_visible()
        head, first, *_ = page.evaluate("navigator.clipboard.readText()").splitlines()
        self.assertTrue(head.startswith("id,family,status,") and head.endswith(",param.n"), head)
        self.assertTrue(first.startswith("Broken_0,Broken,FAILED,") and first.endswith(",0"), first)
