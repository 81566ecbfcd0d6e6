"""The page's other views: workers, resources, bottlenecks, the server; and what somebody may not do."""

import re

from tests.e2e.page import (
    ALPHA,
    BETA,
    STILL,
    PageTest,
    card,
    expect,
    panel,
    row,
    rows,
    setUpModule,  # noqa: F401
    tearDownModule,  # noqa: F401
)
from tests.e2e.test_security import PASSWORDS, PasswordDaemon, users_file


class WorkersTest(PageTest):
    def setUp(self):
        super().setUp()
        self.start_daemon(STILL, resources={"gpu": 2})
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
        page.keyboard.press("Escape")
        busy.get_by_role("link", name="Tasks of beta.example · 22").click()
        expect(rows(page)).to_have_count(1)
        expect(row(page, "Train")).to_be_visible()

    def test_workers_come_and_go_by_themselves(self):
        page = self.open("tab=workers")
        expect(page.get_by_role("article")).to_have_count(2)
        self.daemon.call("add_worker", worker="Gamma", info={"workers": 1})
        expect(card(page, "Gamma")).to_be_visible()
        expect(page.get_by_role("link", name="Workers 3")).to_be_visible()

    def test_set_processes_and_take_it_back(self):
        page = self.open("tab=workers")
        worker = card(page, "alpha.example · 11")
        worker.get_by_role("button", name="More").click()
        worker.get_by_role("button", name="Set").click()
        expect(worker.locator(".figures dd").nth(2)).to_have_text("1")
        messages = self.daemon.call("ping", worker=ALPHA)["rpc_messages"]
        self.assertEqual([{"name": "set_worker_processes", "kwargs": {"n": 3}}], messages)
        expect(worker.locator(".figures dd").nth(2)).to_have_text("0")
        page.get_by_role("button", name="Undo").click()
        expect(worker.locator(".figures dd").nth(2)).to_have_text("1")
        messages = self.daemon.call("ping", worker=ALPHA)["rpc_messages"]
        self.assertEqual([{"name": "set_worker_processes", "kwargs": {"n": 2}}], messages)

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


class ResourcesTest(PageTest):
    def setUp(self):
        super().setUp()
        self.start_daemon(STILL, resources={"gpu": 2, "disk.io": 5})
        self.add_pipeline()

    def totals(self):
        return {resource["name"]: resource["num_total"] for resource in self.daemon.call("resource_list")}

    def test_change_the_total_of_a_resource_and_take_it_back(self):
        page = self.open("tab=resources")
        gpu, disk = card(page, "gpu"), card(page, "disk.io")
        expect(gpu).to_contain_text("1 of 2 in use")
        expect(gpu.get_by_role("meter")).to_have_attribute("aria-valuenow", "1")
        expect(gpu.locator(".lines li")).to_have_text(re.compile("Train.*takes 1"))
        disk.get_by_role("spinbutton").fill("12")
        disk.get_by_role("button", name="Set").click()
        expect(disk).to_contain_text("0 of 12 in use")
        self.assertEqual({"gpu": 2, "disk.io": 12}, self.totals())
        page.get_by_role("button", name="Undo").click()
        expect(disk).to_contain_text("0 of 5 in use")
        gpu.get_by_role("button", name="Less").click()
        gpu.get_by_role("button", name="Set").click()
        expect(gpu).to_contain_text("none free")
        self.assertEqual({"gpu": 1, "disk.io": 5}, self.totals())

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
        page.get_by_role("button", name="Undo").last.click()
        expect(page.get_by_role("button", name="Resume")).to_be_visible()


class BottlenecksTest(PageTest):
    def setUp(self):
        super().setUp()
        self.start_daemon(STILL, resources={"gpu": 1})
        self.add_pipeline()
        self.add("Tune", resources={"gpu": 1})
        self.add("Publish", deps=["Tune", "Train"])

    def part(self, page, title):
        return page.locator(".block").filter(has=page.get_by_role("heading", name=title))

    def test_pipelines_tell_how_far_they_are(self):
        page = self.open("tab=bottlenecks")
        line = self.part(page, "Pipelines").locator("li", has_text="Publish")
        expect(line).to_contain_text("0 % of 3 tasks: 1 running, 1 ready, 1 waiting")
        expect(line.get_by_role("img")).to_have_attribute("aria-label", "1 running, 1 ready, 1 waiting")
        self.add("Train", worker=BETA, status="DONE", resources={"gpu": 1})
        expect(line).to_contain_text("33 % of 3 tasks")
        line.get_by_role("link", name="Publish").click()
        expect(panel(page).get_by_role("heading", name="Publish")).to_be_visible()

    def test_finished_pipelines_are_shown_on_demand(self):
        self.add("Extract", "Extract_3", deps=["Extract_1"], status="DONE")
        page = self.open("tab=bottlenecks")
        lines = self.part(page, "Pipelines").locator("li")
        expect(lines.first).to_be_visible()
        expect(lines.filter(has_text="Extract")).to_have_count(0)
        page.get_by_label("finished ones, too").check()
        expect(lines.filter(has_text="Extract")).to_contain_text("100 % of 2 tasks")

    def test_resources_tell_what_waits_for_them(self):
        page = self.open("tab=bottlenecks")
        line = self.part(page, "Resources").get_by_role("row").filter(has_text="gpu")
        expect(line.get_by_role("cell")).to_have_text(["1 of 1", "1", "0", "1"])

    def test_families_tell_what_there_is_to_do(self):
        page = self.open("tab=bottlenecks")
        line = self.part(page, "Families").get_by_role("row").filter(has_text="Broken")
        expect(line.get_by_role("cell").nth(3)).to_have_text("1")
        line.get_by_role("cell").nth(3).get_by_role("link").click()
        expect(row(page, "Broken")).to_be_visible()
        expect(rows(page)).to_have_count(1)


class ExpectationTest(PageTest):
    def test_pipelines_tell_when_they_are_expected_to_finish(self):
        self.start_daemon({**STILL, "record_task_history": "true"})
        self.daemon.call("add_worker", worker=ALPHA, info={"workers": 1})
        for n in range(3):
            self.add("Extract", f"Extract_{n}")
            self.assertEqual(f"Extract_{n}", self.daemon.call("get_work", worker=ALPHA, host="alpha")["task_id"])
            self.add("Extract", f"Extract_{n}", status="DONE")
        self.add("Extract", "Extract_9", params={"date": "2024-03-09"})
        self.add("Report", deps=["Extract_9"])
        page = self.open("tab=bottlenecks")
        line = page.locator(".pipelines li", has_text="Report")
        expect(line).to_contain_text("Expected to finish")
        expect(line.get_by_role("time")).to_have_attribute("datetime", re.compile("^20"))


class ServerTest(PageTest):
    def test_state_settings_and_changes_by_hand(self):
        self.start_daemon({**STILL, "retry_count": 7})
        self.add("Broken", status="FAILED")
        page = self.open("tab=server")
        expect(page.get_by_text("✓ Healthy")).to_be_visible()
        settings = page.get_by_role("table", name="Settings in force")
        expect(settings.get_by_role("row").filter(has_text="retry_count")).to_contain_text("7")
        expect(settings.get_by_role("row").filter(has_text="max_graph_nodes")).to_have_count(0)
        page.get_by_label("those left at their default, too").check()
        expect(settings.get_by_role("row").filter(has_text="max_graph_nodes")).to_have_count(1)
        expect(page.get_by_text("Nothing was changed by hand")).to_be_visible()
        self.daemon.call("forgive_failures", task_id="Broken")
        expect(page.get_by_role("region", name="Changes")).to_contain_text("forgive_failures")
        expect(page.get_by_role("region", name="Changes")).to_contain_text("Broken")


class RolesTest(PageTest):
    def setUp(self):
        super().setUp()
        (self.directory / "users").write_text(users_file("ann", "vic"))
        self.daemon = PasswordDaemon(self.directory, {"luigid": {"users_file": "users"}, "scheduler": STILL})
        self.addCleanup(self.daemon.stop)
        self.daemon.start()
        self.add_pipeline()

    def open_as(self, name, address):
        credentials = {"username": name, "password": PASSWORDS[name][1]}
        return self.open(address, http_credentials=credentials)

    def test_what_a_viewer_may_not_do_is_shown_as_such(self):
        page = self.open_as("vic", "tab=tasks&task=Broken")
        why = "As a viewer you may not do this"
        for words in ("Forgive failure", "Mark as done…"):
            expect(panel(page).get_by_role("button", name=words)).to_be_disabled()
            expect(panel(page).get_by_role("button", name=words)).to_have_attribute("title", why)
        expect(page.get_by_role("button", name="Pause")).to_be_disabled()
        expect(panel(page).get_by_label("Error", exact=True)).to_contain_text("ValueError")
        page.locator("summary", has_text="Do with all").click()
        expect(page.get_by_role("button", name="Forgive failures…")).to_be_disabled()
        expect(page.get_by_role("button", name="Copy as JSON")).to_be_enabled()
        page.keyboard.press("Escape")
        page.get_by_role("link", name="Workers").click()
        worker = card(page, "alpha.example · 11")
        expect(worker.get_by_role("button", name="More")).to_be_disabled()
        expect(worker.get_by_role("button", name="Disable")).to_be_disabled()
        expect(page.get_by_role("alert")).to_have_count(0)

    def test_an_admin_may(self):
        page = self.open_as("ann", "tab=tasks&task=Broken")
        panel(page).get_by_role("button", name="Forgive failure").click()
        expect(row(page, "Broken")).to_contain_text("Pending")
