"""The page's panel of one task: facts, why it is not running, its error, its dependencies, and what one can do."""

import re

from tests.e2e.page import (
    ALPHA,
    BETA,
    STILL,
    TRACEBACK,
    PageTest,
    expect,
    number,
    panel,
    row,
    rows,
    setUpModule,  # noqa: F401
    tearDownModule,  # noqa: F401
)


def explanation(page):
    return panel(page).get_by_role("region", name="Explanation")


class DetailsTest(PageTest):
    def setUp(self):
        super().setUp()
        self.start_daemon(STILL, resources={"gpu": 2})
        self.add_pipeline()

    def test_details_of_a_waiting_task(self):
        page = self.open_task("Load")
        for fact in ("orders", "Depends on 1 of 2 done", "alpha.example · 11", "Priority7"):
            expect(panel(page)).to_contain_text(fact)
        lines = panel(page).locator("section", has_text="Depends on").locator(".lines li")
        expect(lines).to_have_text([re.compile("Unknown.*Late"), re.compile("Done.*Extract.*2024-03-01")])
        lines.filter(has_text="Extract").get_by_role("link").click()
        expect(panel(page).locator(".task-id code")).to_have_text("Extract_1")
        lines = panel(page).locator("section", has_text="Needed by").locator(".lines li")
        expect(lines).to_have_text(re.compile("Pending.*Load"))

    def test_details_of_a_running_task(self):
        link = "https://jobs.example/42"
        self.add("Train", worker=BETA, status="RUNNING", tracking_url=link, resources={"gpu": 1})
        page = self.open_task("Train")
        for fact in ("42 %", "epoch 3 of 7", "gpu 1", "beta.example · 22"):
            expect(panel(page)).to_contain_text(fact)
        expect(panel(page).get_by_role("meter")).to_have_attribute("aria-valuenow", "42")
        expect(panel(page).get_by_role("link", name="Tracking page")).to_have_attribute("href", link)

    def test_details_follow_the_task(self):
        page = self.open_task("Train")
        self.daemon.call("set_task_progress_percentage", task_id="Train", progress_percentage=77)
        expect(panel(page).get_by_role("meter")).to_have_attribute("aria-valuenow", "77")
        self.add("Train", worker=BETA, status="DONE", resources={"gpu": 1})
        expect(panel(page).locator("header .status")).to_have_text("Done")
        expect(panel(page).get_by_role("button", name="Mark as done")).to_be_hidden()

    def test_error_and_how_to_run_it_again(self):
        page = self.open_task("Broken")
        expect(panel(page).get_by_label("Error", exact=True)).to_have_text(TRACEBACK.rstrip())
        command = "luigi --module warehouse Broken --date=2024-03-03"
        expect(panel(page).get_by_label("Command to run it again")).to_have_text(command)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        panel(page).get_by_role("button", name="Copy command").click()
        expect(page.get_by_text("The command is copied.")).to_be_visible()
        self.assertEqual(command, page.evaluate("navigator.clipboard.readText()"))
        panel(page).get_by_role("button", name="Copy error").click()
        expect(page.get_by_text("The error is copied.")).to_be_visible()
        self.assertEqual(TRACEBACK.rstrip(), page.evaluate("navigator.clipboard.readText()"))
        panel(page).get_by_role("button", name="Copy the task id").click()
        expect(page.get_by_text("The task id is copied.")).to_be_visible()
        self.assertEqual("Broken", page.evaluate("navigator.clipboard.readText()"))

    def test_error_in_a_window_of_its_own(self):
        page = self.open_task("Broken")
        panel(page).get_by_role("button", name="Enlarge").click()
        window = page.get_by_role("dialog", name="Error of Broken")
        expect(window).to_contain_text('ValueError: no column "segment"')
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        window.get_by_role("button", name="Copy command to run it again").click()
        expect(page.get_by_text("The command is copied.")).to_be_attached()
        window.get_by_role("button", name="Close").click()
        expect(window).to_have_count(0)

    def test_parameters_are_quoted_for_the_shell(self):
        self.add("Odd", status="FAILED", params={"a_b": "it's; rm -rf *"})
        page = self.open_task("Odd")
        expect(panel(page).get_by_label("Command to run it again")).to_have_text("luigi Odd '--a-b=it'\\''s; rm -rf *'")

    def test_a_task_nobody_knows(self):
        page = self.open("task=Nowhere_1")
        expect(panel(page)).to_contain_text("does not know this task")
        self.add("Nowhere", "Nowhere_1")
        expect(panel(page).get_by_role("heading", name="Nowhere")).to_be_visible()

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
        forgive = panel(page).get_by_role("button", name="Forgive failure")
        expect(forgive).to_be_enabled()
        told = self.daemon.call("changes")
        page.route("**/api/changes", lambda route: route.fulfill(json={"response": told}))
        self.daemon.call("mark_as_done", task_id="Broken")
        forgive.click()
        expect(page.get_by_role("alert")).to_contain_text("it is DONE by now")

    def test_a_failed_call_is_told(self):
        page = self.open_task("Broken")
        refusal = {"error": "task_id: no such thing"}
        page.route("**/api/forgive_failures", lambda route: route.fulfill(status=400, json=refusal))
        panel(page).get_by_role("button", name="Forgive failure").click()
        expect(page.get_by_role("alert")).to_contain_text("Could not forgive Broken: task_id: no such thing.")
        page.route("**/api/task", lambda route: route.fulfill(status=500, body="oops"))
        row(page, "Load").click()
        expect(panel(page).get_by_role("alert")).to_contain_text("Could not be read: the daemon answered 500")
        page.unroute("**/api/task")
        panel(page).get_by_role("button", name="Try again").click()
        expect(panel(page)).to_contain_text("1 of 2 done")
        self.expect_problems("Failed to load resource: the server responded with a status of (400|500)")

    def test_the_way_to_the_graph(self):
        page = self.open_task("Load")
        panel(page).get_by_role("link", name="Graph").click()
        expect(page).to_have_url(re.compile("tab=graph.*taskId=Load"))
        expect(page.get_by_role("heading", name="Load").first).to_be_visible()


class ExplanationTest(PageTest):
    """Why is this not running?"""

    def setUp(self):
        super().setUp()
        self.start_daemon(STILL, resources={"gpu": 1})
        self.add_pipeline()

    def test_for_a_resource_that_others_hold(self):
        self.add("Tune", resources={"gpu": 1})
        page = self.open_task("Tune")
        expect(explanation(page)).to_contain_text("Why is this not running?")
        expect(explanation(page)).to_contain_text("gpu")
        expect(explanation(page).locator(".lines li")).to_have_text(re.compile("Train.*takes 1"))
        explanation(page).get_by_role("button", name="Raise gpu to 2").click()
        expect(explanation(page)).not_to_contain_text("Raise gpu")
        self.assertEqual(2, self.daemon.call("resource_list")[0]["num_total"])

    def test_for_what_failed_upstream(self):
        page = self.open_task("Report")
        expect(explanation(page).locator(".lines li")).to_have_text(re.compile("Failed.*Broken"))
        explanation(page).get_by_role("button", name=re.compile("^Try Broken.* again$")).click()
        expect(explanation(page).locator(".lines li")).to_have_text(re.compile("Pending.*Broken"))
        self.assertEqual("PENDING", self.status("Broken"))

    def test_while_paused(self):
        self.add("Idle")
        self.daemon.call("pause")
        page = self.open_task("Idle")
        explanation(page).get_by_role("button", name="Resume").click()
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        self.assertFalse(self.daemon.call("is_paused")["paused"])

    def test_a_done_task_needs_none_and_a_running_one_is_calm(self):
        page = self.open_task("Train")
        expect(explanation(page)).to_contain_text("What it is doing")
        expect(explanation(page).get_by_role("button")).to_have_count(0)


class MessagesTest(PageTest):
    def setUp(self):
        super().setUp()
        self.start_daemon({**STILL, "send_messages": "true"})
        self.add("Chat", worker=ALPHA)
        self.daemon.call("add_worker", worker=ALPHA, info={"workers": 1})
        self.daemon.call("get_work", worker=ALPHA, host="alpha")

    def test_a_message_and_its_answer(self):
        self.add("Chat", worker=ALPHA, status="RUNNING", accepts_messages=True)
        page = self.open_task("Chat")
        panel(page).get_by_label("Message to the task").fill("how <b>far</b>?")
        panel(page).get_by_role("button", name="Send").click()
        exchange = panel(page).locator(".conversation li")
        expect(exchange).to_contain_text("how <b>far</b>?")
        expect(exchange).to_contain_text("Waiting for the answer")
        [message] = self.daemon.call("ping", worker=ALPHA)["rpc_messages"]
        about = {"task_id": "Chat", "message_id": message["kwargs"]["message_id"]}
        self.assertEqual("how <b>far</b>?", message["kwargs"]["content"])
        self.daemon.call("add_scheduler_message_response", **about, response="half <i>way</i>")
        expect(exchange).to_contain_text("half <i>way</i>")
        expect(panel(page).get_by_label("Message to the task")).to_have_value("")

    def test_a_real_task_answers(self):
        self.start_worker("Answering")
        self.wait_for_start()
        page = self.open("family=Answering")
        row(page, self.task("Answering")[0]).click()
        for words in ("how are you", "stop"):
            panel(page).get_by_label("Message to the task").fill(words)
            panel(page).get_by_role("button", name="Send").click()
            expect(panel(page).locator(".conversation")).to_contain_text(f"heard {words}")
        expect(panel(page).locator("header .status")).to_have_text("Done")

    def test_a_task_that_takes_no_messages_offers_none(self):
        self.add("Chat", worker=ALPHA, status="RUNNING", accepts_messages=False)
        page = self.open_task("Chat")
        expect(panel(page).get_by_role("button", name="Mark as done")).to_be_visible()
        expect(panel(page).get_by_label("Message to the task")).to_be_hidden()
        expect(rows(page)).to_have_count(1)
