"""The page's graph.

What a canvas shows is told by what can be read beside it: the SVG that can be saved (where the nodes stand, and in
which colours), the list of the nodes, and what is said to those who cannot see it.
"""

import re
import xml.etree.ElementTree as ElementTree

from tests.e2e.page import (
    DESKTOP,
    HOSTILE,
    PHONE,
    STILL,
    PageTest,
    expect,
    panel,
    setUpModule,  # noqa: F401
    tearDownModule,  # noqa: F401
)

SVG = "{http://www.w3.org/2000/svg}"

#: From here on families stand for their tasks.
MANY = 1500

BACKGROUND = """() => {
  const canvas = document.querySelector(".graph-canvas");
  return canvas.getContext("2d").getImageData(2, 2, 1, 1).data[0];
}"""

#: How many different colours there are on the canvas: one if nothing is drawn.
COLOURS = """() => {
  const canvas = document.querySelector(".graph-canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}"""


class GraphTest(PageTest):
    def setUp(self):
        super().setUp()
        self.start_daemon(STILL)

    def open_graph(self, task_id="", more="", **options):
        """Open the graph of a task, and return the page when the drawing is at rest."""
        page = self.open(f"tab=graph&taskId={task_id}{more}", **options)
        self.assert_at_rest(page)
        return page

    def assert_at_rest(self, page):
        expect(page.locator(".graph-stage")).to_have_attribute("aria-busy", "false")

    def expect_tasks(self, page, number, words=""):
        expect(page.locator(".graph-about")).to_have_text(re.compile(rf"^{number:,} tasks?\b.*{words}"))

    def add_diamond(self):
        """Report needs Left and Right, which both need Source; Left failed, Source is done, Other needs Report."""
        self.add("Source", status="DONE")
        self.add("Left", "Left_1", params={"date": "2024"}, status="FAILED", deps=["Source"])
        self.add("Right", deps=["Source"])
        self.add("Report", deps=["Left_1", "Right"])
        self.add("Other", deps=["Report"])

    def svg(self, page):
        """Save the drawing. Returns {title of a node: (where it stands, the colour of its border)}, and the edges."""
        with page.expect_download() as download:
            page.get_by_role("button", name="Save SVG").click()
        root = ElementTree.parse(download.value.path()).getroot()
        nodes = {}
        for group in root.iter(f"{SVG}g"):
            title, status = group.find(f"{SVG}title").text.rsplit(" ", 1)
            nodes[title] = (group.get("transform"), group.find(f"{SVG}rect").get("stroke"), status.strip("()"))
        return nodes, root.findall(f"{SVG}path")


class WhatIsShownTest(GraphTest):
    def test_links_made_by_stock_open_the_same_thing(self):
        self.add_diamond()
        page = self.open_graph("Report")
        nodes, edges = self.svg(page)
        self.assertEqual({"Report", "Left_1", "Right", "Source"}, set(nodes))
        self.assertEqual(4, len(edges))
        nodes, edges = self.svg(self.open_graph("Report", "&hideDone=1"))
        self.assertEqual(({"Report", "Left_1", "Right"}, 2), (set(nodes), len(edges)))
        nodes, _ = self.svg(self.open_graph("Source", "&invert=1&visType=d3"))
        self.assertEqual({"Report", "Left_1", "Right", "Source", "Other"}, set(nodes))
        expect(panel(page)).to_be_hidden()

    def test_statuses_are_told_by_colour_shape_and_word(self):
        self.add_diamond()
        page = self.open_graph("Report")
        nodes, _ = self.svg(page)
        statuses = {title: status for title, (_, _, status) in nodes.items()}
        expected = {"Report": "UPSTREAM_FAILED", "Left_1": "FAILED", "Right": "PENDING", "Source": "DONE"}
        self.assertEqual(expected, statuses)
        self.assertEqual(4, len({colour for _, colour, _ in nodes.values()}))
        legend = page.locator(".graph-legend button")
        expect(legend).to_have_text(["Failed 1", "Upstream failed 1", "Pending 1", "Done 1"])

    def test_every_control(self):
        self.add_diamond()
        page = self.open_graph("Report")
        self.expect_tasks(page, 4)
        page.get_by_label("Direction").select_option("What needs it")
        self.expect_tasks(page, 2)
        page.get_by_label("Direction").select_option("Both ways")
        self.expect_tasks(page, 5)
        page.get_by_label("Steps").select_option("1 step")
        self.expect_tasks(page, 4)
        page.get_by_label("Steps").select_option("All the way")
        page.get_by_label("Hide done").check()
        self.expect_tasks(page, 4)
        page.reload()
        self.expect_tasks(page, 4)
        expect(page.get_by_label("Hide done")).to_be_checked()
        page.get_by_label("Hide done").uncheck()
        self.expect_tasks(page, 5)
        page.go_back()
        self.expect_tasks(page, 4)
        page.get_by_role("button", name="All tasks").click()
        expect(page.get_by_role("heading", name="All tasks")).to_be_visible()
        page.get_by_label("Hide done").uncheck()
        self.expect_tasks(page, 5)
        page.get_by_label("Longest chain: 3").uncheck()
        expect(page).to_have_url(re.compile("path=0"))
        self.assert_at_rest(page)

    def test_longest_unfinished_chain(self):
        for number, status in enumerate(("DONE", "PENDING", "PENDING")):
            self.add("Step", f"Step_{number}", status=status, deps=[f"Step_{number - 1}"] if number else [])
        self.add("Short")
        self.add("Root", deps=["Step_2", "Short"])
        page = self.open_graph("Root")
        expect(page.get_by_label("Longest chain: 3")).to_be_checked()
        _, edges = self.svg(page)
        self.assertEqual(2, len([edge for edge in edges if edge.get("stroke-width") == "3"]))

    def test_search(self):
        self.add_diamond()
        page = self.open_graph("Report")
        page.get_by_label("Find in the graph").fill("r")
        expect(page.locator(".graph-find [role=status]")).to_have_text("3 tasks")
        said = page.locator(".graph [aria-live]")
        before = said.inner_text()
        page.keyboard.press("Enter")
        expect(said).not_to_have_text(before)
        page.get_by_label("Find in the graph").fill("left 1")
        expect(said).to_have_text("Left 1, Failed, needs 1, needed by 1")
        page.get_by_label("Find in the graph").fill("nowhere")
        expect(page.locator(".graph-find [role=status]")).to_have_text("0 tasks")

    def test_legend_leads_to_the_next_task_of_a_status(self):
        self.add_diamond()
        page = self.open_graph("Report")
        page.get_by_role("button", name="Failed 1", exact=True).click()
        expect(page.locator(".graph [aria-live]")).to_have_text("Left 1, Failed, needs 1, needed by 1")

    def test_list_has_the_same_nodes(self):
        self.add_diamond()
        page = self.open_graph("Report")
        page.get_by_label("List").check()
        nodes = page.locator(".graph-table tbody tr")
        expect(nodes).to_have_text(
            [
                re.compile("Failed.*Left 1.*1.*1"),
                re.compile("Upstream failed.*Report.*2.*0"),
                re.compile("Pending.*Right.*1.*1"),
                re.compile("Done.*Source.*0.*2"),
            ]
        )
        page.get_by_label("Find in the graph").fill("left")
        expect(nodes).to_have_count(1)
        nodes.get_by_role("button", name="Focus").click()
        expect(page.get_by_role("heading", name="Left")).to_be_visible()
        expect(page.get_by_label("Steps")).to_have_value("2")
        page.get_by_label("Find in the graph").fill("")
        expect(nodes).to_have_count(4)
        nodes.filter(has_text="Source").get_by_role("button", name="Source").click()
        expect(panel(page).get_by_role("heading", name="Source")).to_be_visible()

    def test_cycles_loops_and_unknown_tasks_are_drawn_and_marked(self):
        self.add("One", deps=["Two"])
        self.add("Two", deps=["Three", "Two"])
        self.add("Three", deps=["One", "Ghost"])
        page = self.open_graph("One")
        self.expect_tasks(page, 4, "2 edges close a cycle")
        nodes, edges = self.svg(page)
        self.assertEqual("UNKNOWN", nodes["Ghost"][2])
        self.assertEqual((5, 2), (len(edges), len([edge for edge in edges if edge.get("stroke-dasharray")])))

    def test_many_tasks_open_as_families(self):
        for number in range(MANY):
            self.add("Part", f"Part_{number}", status="FAILED" if number == 7 else "DONE")
        self.add("Alone", deps=["Part_7"])
        self.add("Root", deps=["Alone", *(f"Part_{number}" for number in range(MANY))])
        page = self.open_graph("Root")
        self.expect_tasks(page, MANY + 2, "shown as 3 nodes")
        expect(page.get_by_label("Group by family")).to_be_checked()
        nodes, _ = self.svg(page)
        self.assertEqual("FAILED", nodes["Part"][2])
        page.get_by_label("List").check()
        page.get_by_role("button", name="Part 1,500 tasks").click()
        expect(page.locator(".graph-table tbody tr")).to_have_count(50)
        expect(page.get_by_text("1 to 50 of 1,502")).to_be_visible()
        page.get_by_role("button", name="Close family Part").click()
        expect(page.locator(".graph-table tbody tr")).to_have_count(3)
        page.get_by_label("List").uncheck()
        page.get_by_label("Group by family").uncheck()
        self.expect_tasks(page, MANY + 2, "edges$")
        self.assert_at_rest(page)
        self.assertGreater(page.evaluate(COLOURS), 1)

    def test_what_is_cut_off_is_told(self):
        self.add_diamond()
        page = self.open()
        cut = {**self.daemon.call("graph_view", task_id="Report"), "complete": False, "total": 50_000}
        page.route("**/api/graph_view", lambda route: route.fulfill(json={"response": cut}))
        page.goto(f"{page.url.split('#')[0]}#tab=graph&taskId=Report")
        self.expect_tasks(page, 4, "only the nearest of 50,000")

    def test_hostile_text_is_only_text(self):
        self.add(HOSTILE, f"{HOSTILE}_1", deps=[f"{HOSTILE}_2", "__proto__"])
        self.add("__proto__", "__proto__", status="FAILED")
        page = self.open("tab=graph")
        self.assert_at_rest(page)
        self.expect_tasks(page, 3)
        nodes, _ = self.svg(page)
        self.assertEqual({f"{HOSTILE}_1", f"{HOSTILE}_2", "__proto__"}, set(nodes))
        page.get_by_label("List").check()
        expect(page.locator(".graph-table tbody tr").filter(has_text=HOSTILE)).to_have_count(2)
        page.get_by_label("Find in the graph").fill(HOSTILE)
        expect(page.locator(".graph-table tbody tr")).to_have_count(2)
        page.locator(".graph-table tbody tr").first.get_by_role("button", name="Focus").click()
        expect(page.get_by_role("heading", name=HOSTILE)).to_be_visible()


class ChangesTest(GraphTest):
    def test_statuses_change_colours_and_move_nothing(self):
        self.add_diamond()
        page = self.open_graph("Report")
        before, _ = self.svg(page)
        self.add("Left", "Left_1", params={"date": "2024"}, status="DONE", deps=["Source"])
        expect(page.locator(".graph-legend button")).to_have_text(["Pending 2", "Done 2"])
        after, _ = self.svg(page)
        self.assertEqual({title: place for title, (place, _, _) in before.items()},
                         {title: place for title, (place, _, _) in after.items()})  # fmt: skip
        self.assertNotEqual(before["Left_1"], after["Left_1"])

    def test_new_tasks_appear(self):
        self.add_diamond()
        page = self.open_graph("Report")
        self.add("Report", deps=["Left_1", "Right", "New"])
        self.expect_tasks(page, 5)
        self.assert_at_rest(page)

    def test_a_task_nobody_knows(self):
        page = self.open("tab=graph&taskId=Nowhere_1")
        expect(page.get_by_text("The daemon does not know Nowhere_1, or no longer does.")).to_be_visible()
        self.add("Nowhere", "Nowhere_1")
        self.expect_tasks(page, 1)
        expect(page.get_by_text("does not know")).to_be_hidden()

    def test_a_failed_call_is_told(self):
        self.add_diamond()
        page = self.open()
        page.route("**/api/graph_view", lambda route: route.fulfill(status=503, json={"error": "the disk is full"}))
        page.goto(f"{page.url.split('#')[0]}#tab=graph&taskId=Report")
        expect(page.get_by_text("The graph could not be read: the disk is full.")).to_be_visible()
        page.unroute("**/api/graph_view")
        page.locator(".graph").get_by_role("button", name="Try again").click()
        self.expect_tasks(page, 4)
        self.expect_problems("Failed to load resource: the server responded with a status of 503")

    def test_a_lost_daemon_leaves_the_drawing_and_is_found_again(self):
        self.add_diamond()
        page = self.open_graph("Report")
        self.daemon.stop()
        expect(page.locator("#freshness")).to_have_text("No answer")
        self.expect_tasks(page, 4)
        page.get_by_label("Direction").select_option("What needs it")
        expect(page.get_by_text("The graph could not be read: the daemon cannot be reached.")).to_be_visible()
        self.daemon.start()
        self.expect_tasks(page, 2)
        expect(page.get_by_text("could not be read")).to_be_hidden()
        self.expect_problems("Failed to load resource: net::ERR_")


class HandsTest(GraphTest):
    """One task alone stands in the middle of the stage: pointers know where to find it."""

    def setUp(self):
        super().setUp()
        self.add("Lone", params={"date": "2024"})

    def middle(self, page):
        box = page.locator(".graph-canvas").bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def zoom(self, page):
        return float(page.get_by_label("Zoom in percent").inner_text().split()[0])

    def test_a_click_opens_the_details_and_two_put_the_task_in_the_middle(self):
        page = self.open_graph()
        page.mouse.click(*self.middle(page))
        expect(panel(page).get_by_role("heading", name="Lone")).to_be_visible()
        page.keyboard.press("Escape")
        expect(panel(page)).to_be_hidden()
        self.assert_at_rest(page)
        page.mouse.dblclick(*self.middle(page))
        expect(page).to_have_url(re.compile("taskId=Lone"))

    def test_dragging_moves_the_drawing_and_clicks_nothing(self):
        page = self.open_graph()
        x, y = self.middle(page)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 100, y + 150, steps=4)
        page.mouse.move(x + 200, y + 200, steps=4)
        page.mouse.up()
        expect(panel(page)).to_be_hidden()
        page.mouse.click(x, y)
        expect(panel(page)).to_be_hidden()
        page.mouse.click(x + 200, y + 200)
        expect(panel(page)).to_be_visible()

    def test_wheel_buttons_and_keys_zoom(self):
        page = self.open_graph(reduced_motion="reduce")
        percent = page.get_by_label("Zoom in percent")
        expect(percent).to_have_text("100 %")
        page.mouse.move(*self.middle(page))
        page.mouse.wheel(0, -120)
        expect(percent).to_have_text("130 %")
        page.get_by_role("button", name="Zoom in").click()
        expect(percent).to_have_text("180 %")
        page.get_by_role("button", name="Zoom out").click()
        expect(percent).to_have_text("130 %")
        page.get_by_role("button", name="Show all of it").click()
        expect(percent).to_have_text("100 %")
        page.locator(".graph-canvas").focus()
        page.keyboard.press("+")
        expect(percent).to_have_text("140 %")
        page.keyboard.press("-")
        expect(percent).to_have_text("100 %")
        page.keyboard.press("-")
        page.keyboard.press("0")
        expect(percent).to_have_text("100 %")
        self.assert_at_rest(page)

    def test_two_fingers_zoom(self):
        page = self.open_graph(size=PHONE, has_touch=True)
        x, y = self.middle(page)
        session = page.context.new_cdp_session(page)
        for kind, apart in (("touchStart", 40), ("touchMove", 60), ("touchMove", 80), ("touchEnd", None)):
            fingers = [] if apart is None else [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
        expect(page.get_by_label("Zoom in percent")).to_have_text("200 %")
        expect(panel(page)).to_be_hidden()

    def test_the_map_shows_where_one_is_and_leads_elsewhere(self):
        self.add("Needed", deps=["Lone"])
        page = self.open_graph(reduced_motion="reduce")
        small = page.locator(".graph-map")
        expect(small).to_be_hidden()
        for _ in range(3):
            page.get_by_role("button", name="Zoom in").click()
        expect(small).to_be_visible()
        self.assert_at_rest(page)
        x, y = self.middle(page)
        box = small.bounding_box()
        page.mouse.click(box["x"] + box["width"] * 0.2, box["y"] + box["height"] / 2)
        self.assert_at_rest(page)
        page.mouse.click(x, y)
        expect(panel(page).get_by_role("heading", name="Lone")).to_be_visible()

    def test_keyboard_only(self):
        self.add("Needed", deps=["Lone", "Twin"])
        page = self.open()
        page.keyboard.press("g")
        page.keyboard.press("g")
        self.assert_at_rest(page)
        page.locator(".graph-canvas").focus()
        said = page.locator(".graph [aria-live]")
        page.keyboard.press("Home")
        expect(said).to_have_text("Lone, Pending, needs 0, needed by 1")
        page.keyboard.press("ArrowRight")
        expect(said).to_have_text(re.compile("^Needed, .*needs 2, needed by 0"))
        page.keyboard.press("ArrowLeft")
        one = re.compile("^(Lone|Twin), ")
        expect(said).to_have_text(one)
        first = said.inner_text()
        page.keyboard.press("ArrowDown" if "ArrowDown" in self.way(page) else "ArrowUp")
        expect(said).to_have_text(one)
        self.assertNotEqual(first, said.inner_text())
        page.keyboard.press("Enter")
        expect(panel(page)).to_be_visible()
        page.keyboard.press("Escape")
        expect(panel(page)).to_be_hidden()
        expect(page.locator(".graph-canvas")).to_be_focused()
        page.keyboard.press("f")
        expect(page).to_have_url(re.compile("taskId=(Lone|Twin)"))

    def way(self, page):
        """Which of the two keys leads from the chosen node to the other of its rank: the one that is not refused."""
        said = page.locator(".graph [aria-live]")
        first = said.inner_text()
        page.keyboard.press("ArrowDown")
        expect(said).not_to_have_text(first)
        if said.inner_text() == "Nothing there":
            return ("ArrowUp",)
        page.keyboard.press("ArrowUp")
        expect(said).to_have_text(first)
        return ("ArrowDown",)


class LooksTest(GraphTest):
    def test_light_and_dark(self):
        self.add_diamond()
        light, dark = (self.open_graph("Report", color_scheme=scheme) for scheme in ("light", "dark"))
        self.assertGreater(light.evaluate(BACKGROUND), 200)
        self.assertLess(dark.evaluate(BACKGROUND), 60)
        light.get_by_role("button", name=re.compile("^Colours")).click()
        light.get_by_role("button", name=re.compile("^Colours")).click()
        light.wait_for_function(f"({BACKGROUND})() < 60")
        self.assert_at_rest(light)

    def test_nothing_is_wrong_for_people_with_disabilities(self):
        self.add_diamond()
        for scheme in ("light", "dark"):
            page = self.open_graph("Report", color_scheme=scheme)
            self.assert_accessible(page, f"the graph, {scheme}")
            page.get_by_label("List").check()
            expect(page.locator(".graph-table tbody tr")).to_have_count(4)
            self.assert_accessible(page, f"its list, {scheme}")

    def test_sizes(self):
        self.add_diamond()
        self.add("Long" * 60, "x" * 300, deps=["Report"])
        for size in (DESKTOP, PHONE):
            page = self.open_graph("x" * 300, size=size)
            self.assertGreater(page.evaluate(COLOURS), 20)
            self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), size["width"])
            page.get_by_label("List").check()
            expect(page.locator(".graph-table tbody tr")).to_have_count(5)
            self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), size["width"])

    def test_its_code_is_fetched_only_when_it_is_opened(self):
        page = self.open()
        fetched = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name).join(' ')")
        self.assertIn("/app.js", fetched)
        self.assertNotIn("/graph/", fetched)
        with page.expect_request("**/graph/worker.js"):
            page.get_by_role("link", name="Graph").click()
        expect(page.get_by_text("No tasks yet.")).to_be_visible()

    def test_a_worker_that_cannot_start_is_told(self):
        page = self.open()
        page.route("**/graph/order.js", lambda route: route.abort())
        page.get_by_role("link", name="Graph").click()
        expect(page.get_by_text("The graph could not be read")).to_be_visible()
        self.expect_problems("Failed to load resource: net::ERR_")

    def test_works_under_a_prefix(self):
        self.add_diamond()
        page = self.open("tab=graph&taskId=Report", prefix="/tools/luigi")
        self.expect_tasks(page, 4)
        self.assert_at_rest(page)
