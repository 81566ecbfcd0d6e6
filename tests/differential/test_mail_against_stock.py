"""E-mails: the same history, played to stock's scheduler and to ours, sends the same texts to the same people.

What hands an e-mail over is replaced in both: all before it, the settings included, is real.
"""

import contextlib
import html.parser
import itertools
import json
import os
import random
import tempfile
import types
import unittest
import unittest.mock
from collections.abc import Iterator
from typing import Any, NamedTuple

from luigi import batch_notifier, configuration, notifications
from luigi import scheduler as luigi_scheduler

import luigid

from .comparison import Clock
from .stock import stock_scheduler

FAMILIES = ("Load", "Sum", "Report")
RECEIVERS = "chief@example.com, deputy@example.com"
OWNERS = ("ann@example.com", "bob@example.com", "chief@example.com", "cy@example.com,dee@example.com")
REPORTS = (
    "Runtime error:\nTraceback (most recent call last):\n  File x\nValueError: no such table",
    "Runtime error:\nTraceback (most recent call last):\n  File y\nValueError: no such table",
    "one line",
    "trailing lines\n\n\n",
    "\n".join(f"line {number}" for number in range(30)),
    "a & b \"c\" 'd' é",
    "",
)


class Sent(NamedTuple):
    """An e-mail as it is handed over."""

    sender: str
    receivers: tuple[str, ...]
    subject: str
    body: str


class Text(html.parser.HTMLParser):
    """The text of an HTML document, and how often it goes to a new place in it."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in ("li", "pre", "br"):
            self.words.append(f"<{tag}>")

    def handle_data(self, data: str) -> None:
        self.words += data.split()


class Scene:
    """Both schedulers with the same settings and clock, and what they sent."""

    def __init__(self, settings: luigid.Settings, clock: Clock) -> None:
        self.clock = clock
        self.stock_sent: list[Sent] = []
        self.ours_sent: list[Sent] = []
        chosen = settings.section("scheduler")
        of_stock = {name: chosen[name] for name in ("retry_count", "disable_window", "disable_persist", "batch_emails")}
        self.stock = stock_scheduler(self.clock, {}, of_stock)
        self.ours = luigid.Scheduler(clock=self.clock, **chosen)
        self.notices = list(luigid.make_notices(settings, clock=self.clock))
        for notices in self.notices:
            self.ours.attend(notices)

    def send_stock(self, sender, subject, message, recipients, image_png):
        self.stock_sent.append(Sent(sender, tuple(recipients), subject, message))

    def send_ours(self, settings, mail):
        self.ours_sent.append(Sent(settings.get("email", "sender"), mail.receivers, mail.subject, mail.body))

    def call(self, method, **arguments):
        getattr(self.stock, method)(**arguments)
        getattr(self.ours, method)(**arguments)
        if method == "prune":
            self.catch_up()

    def catch_up(self):
        for notices in self.notices:
            while not notices.keep_up():
                pass

    def end(self):
        if self.stock._config.batch_emails:
            self.stock._email_batcher.send_email()
        for notices in self.notices:
            notices._end()


@contextlib.contextmanager
def scene(sections: dict[str, dict[str, str]]) -> Iterator[Scene]:
    """A Scene whose settings both sides read from the same file."""
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        path = os.path.join(directory, "luigi.cfg")
        parser = configuration.LuigiConfigParser()
        parser.read_dict(sections)
        with open(path, "w", encoding="utf-8") as file:
            parser.write(file)
        stack.enter_context(unittest.mock.patch.object(configuration.LuigiConfigParser, "_instance", parser))
        settings = luigid.Settings.load(environ={"LUIGI_CONFIG_PATH": path})
        clock = Clock()
        stock_time = types.SimpleNamespace(time=clock)
        stack.enter_context(unittest.mock.patch.object(batch_notifier, "time", stock_time))
        stack.enter_context(unittest.mock.patch.object(luigi_scheduler, "notifications", notifications))
        played = Scene(settings, clock)
        stack.enter_context(unittest.mock.patch.object(notifications, "send_email_smtp", played.send_stock))
        stack.enter_context(unittest.mock.patch.dict(luigid.SENDERS, smtp=played.send_ours))
        yield played


def play(played: Scene, chance: random.Random, batching: bool, markup: str) -> None:
    """A history of failures, some of which disable, with time going by and pauses for e-mails."""
    if batching:
        played.call("add_task_batcher", worker="w0", task_family="Load", batched_args=["day"], max_batch_size=10)
    for _ in range(chance.randrange(1, 40)):
        worker, family = chance.choice(["w0", "w1"]), chance.choice(FAMILIES)
        params = {"table": chance.choice(["a", "b" + markup, "c & d"]), "day": str(chance.randrange(3))}
        name = f"{family}({', '.join(f'{key}={value}' for key, value in sorted(params.items()))})"
        report, owners = chance.choice(REPORTS) + markup, chance.sample(OWNERS, chance.randrange(3))
        about = {"worker": worker, "family": family, "params": params, "owners": owners}
        action = chance.choice(["fail", "fail", "fail", "fail with plain text", "schedule", "wait", "prune"])
        if action == "wait":
            played.clock.now += chance.randrange(1, 5000)
        elif action == "prune":
            played.call("prune")
        elif action == "schedule":
            played.call("announce_scheduling_failure", **about, task_name=name, expl=report)
        else:
            expl = json.dumps(report) if action == "fail" else report
            task = {**about, "task_id": f"{family}_{params['table']}_{params['day']}", "expl": expl}
            policy = {"retry_count": chance.choice([2, 3])} if chance.random() < 0.5 else {}
            played.call("add_task", **task, status="FAILED", retry_policy_dict=policy)


def comparable(sent: list[Sent], is_html: bool) -> list[Any]:
    """What was sent in any order, and of HTML what a reader sees."""
    return sorted(mail._replace(body=Text(mail.body).words) if is_html else mail for mail in sent)


class MailAgainstStock(unittest.TestCase):
    def compare(self, batches, count, **options):
        subjects = set()
        for seed in range(count):
            sections = {
                "scheduler": {"batch_emails": batches, "retry_count": "3", "disable_window": "7200"},
                "batch_email": {name: str(value) for name, value in options.get("batch_email", {}).items()},
                "email": {"receiver": RECEIVERS, "force_send": "true", **options["email"]},
            }
            with self.subTest(seed=seed, **options), scene(sections) as played:
                is_html = options["email"].get("format") == "html"
                # Stock sends what users typed as HTML, and we do not.
                play(played, random.Random(seed), batching=seed % 2 == 0, markup="" if is_html else " <i> ")
                played.end()
                stock, ours = comparable(played.stock_sent, is_html), comparable(played.ours_sent, is_html)
                self.assertEqual(stock, ours)
                subjects.update(mail.subject for mail in ours)
        return subjects

    def test_batches_in_every_mode(self):
        modes, groupings = ("unbatched_params", "family", "all"), ("true", "false")
        for form, mode, grouped, messages in itertools.product(("plain", "html"), modes, groupings, (0, 1, 3)):
            batch = {"batch_mode": mode, "group_by_error_messages": grouped, "error_messages": messages}
            subjects = self.compare("true", 8, batch_email=batch, email={"format": form})
            self.assertTrue(any("disable" in subject for subject in subjects), subjects)
            self.assertTrue(any("Your tasks have" in subject for subject in subjects), subjects)

    def test_lines_and_interval(self):
        for lines, minutes in ((0, 0), (1, 1), (5, 90)):
            self.compare("true", 15, batch_email={"error_lines": lines, "email_interval": minutes}, email={})

    def test_an_interval_begins_when_the_one_before_is_seen_to_be_over(self):
        sections = {"scheduler": {"batch_emails": "true"}, "email": {"receiver": "ann@x", "force_send": "true"}}
        with scene(sections) as played:
            for seconds, sent in ((3700, 1), (3550, 1), (60, 2), (7300, 3), (3599, 3)):
                played.call("add_task", worker="w", task_id="T", status="FAILED", expl="no", owners=[])
                played.clock.now += seconds
                played.call("prune")
                self.assertEqual((sent, sent), (len(played.stock_sent), len(played.ours_sent)))

    def test_prefix_and_sender(self):
        for batches in ("true", "false"):
            subjects = self.compare(batches, 15, email={"prefix": "[test]", "sender": "Luigi <luigi@example.com>"})
            self.assertTrue(subjects)
            self.assertTrue(all(subject.startswith("[test] ") for subject in subjects), subjects)

    def test_disable_mails(self):
        for form in ("plain", "html"):
            subjects = self.compare("false", 30, email={"format": form})
            self.assertTrue(any("DISABLED" in subject for subject in subjects), subjects)

    def test_format_none(self):
        self.assertEqual(set(), self.compare("false", 5, email={"format": "none"}))
        self.assertEqual(set(), self.compare("true", 5, email={"format": "none"}))

    def test_nobody_to_send_to(self):
        self.assertEqual(set(), self.compare("false", 5, email={"receiver": ""}))
