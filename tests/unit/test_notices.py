"""E-mails and alerts, without a server: what is said when to whom, and what happens when nobody takes it."""

import email
import email.header
import email.policy
import json
import logging
import math
import random
import tempfile
import threading
import unittest
import unittest.mock

import luigid
from luigid import DISABLED, FAILED, FAILURE_REPORTED, SCHEDULING_FAILED, Event, Message, Settings, Undelivered
from tests.certificates import make_certificate
from tests.sinks import web_sink


def setUpModule():
    logging.getLogger("luigid").setLevel(logging.CRITICAL)  # what is to be logged, assertLogs() sees nevertheless


def tearDownModule():
    logging.getLogger("luigid").setLevel(logging.NOTSET)


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def settings(*changes, **email_options):
    """Settings with these options: ((section, name), value), and those of [email]."""
    return Settings.load({**dict(changes), **{("email", name): value for name, value in email_options.items()}}, {})


def event(kind=FAILED, task_id="Load_1", family="Load", params=None, **fields):
    params = {"day": "1"} if params is None else params
    known = {"number": 1, "time": 1000.0, "hidden": (), "worker": "w", "host": "h", "started": 900.0, "failures": 1}
    return Event(**{**known, "kind": kind, "task_id": task_id, "family": family, "params": params, **fields})


def reported(*owners, report="no", **fields):
    params = fields.setdefault("params", {"day": "1"})
    return event(FAILURE_REPORTED, report=report, owners=owners, unbatched=fields.pop("unbatched", params), **fields)


def disabled(**fields):
    return event(DISABLED, policy=(3, 3600, 60), failures=3, **fields)


class Recorder(luigid.Notices):
    """Notices of one message for each event, whose deliveries fail as told."""

    name = "recorder"
    kinds = frozenset((FAILED,))

    def __init__(self, clock, failures=()):
        super().__init__(clock)
        self.failures = list(failures)
        self.delivered = []
        self.tried = 0

    def collect(self, event, now):
        return [Message(event.task_id, event.task_id, now)]

    def deliver(self, content):
        self.tried += 1
        failure = self.failures.pop(0) if self.failures else None
        if failure:
            raise failure
        self.delivered.append(content)


def catch_up(notices):
    """Let notices do all that is due; return the seconds for which there is nothing more."""
    while not (wait := notices.keep_up()):
        pass
    return wait


def hear(notices, *events):
    for heard in events:
        notices.hear(heard, None, 0)


class Delivery(unittest.TestCase):
    def setUp(self):
        self.clock = Clock()

    def recorder(self, *failures):
        return Recorder(self.clock, failures)

    def test_other_events_are_not_heard(self):
        notices = self.recorder()
        hear(notices, event(luigid.DONE), event(task_id="a"))
        self.assertEqual(math.inf, catch_up(notices))
        self.assertEqual(["a"], notices.delivered)

    def test_what_fails_is_tried_again_ever_more_rarely(self):
        notices, waits = self.recorder(*[Undelivered("down")] * 9), []
        hear(notices, event(task_id="a"))
        with self.assertLogs("luigid", "INFO") as log:
            while not notices.delivered:
                waits.append(catch_up(notices))
                self.clock.now += min(waits[-1], 1e6)
        self.assertEqual([5, 10, 20, 40, 80, 160, 300, 300, 300, math.inf], waits)
        self.assertEqual(2, len(log.output), log.output)  # that it waits, and that it was sent
        figures = {"heard": 0, "waiting": 0, "sent": 1, "failed": 0, "missed": 0, "last_error": "down"}
        self.assertEqual(figures, notices.health())

    def test_what_is_refused_for_good_is_not_tried_again(self):
        notices = self.recorder(Undelivered("SMTP 550", "no such user", final=True))
        hear(notices, event(task_id="a"), event(task_id="b"))
        with self.assertLogs("luigid", "ERROR") as log:
            self.assertEqual(math.inf, catch_up(notices))
        self.assertEqual(["b"], notices.delivered)
        self.assertEqual(["ERROR:luigid:not sent: a: SMTP 550: no such user"], log.output)
        self.assertEqual((1, "SMTP 550"), (notices.health()["failed"], notices.health()["last_error"]))

    def test_after_its_patience_one_line_says_what_was_not_sent(self):
        notices = self.recorder(*[Undelivered("down")] * 1000)
        hear(notices, event(task_id="a"))
        with self.assertLogs("luigid", "ERROR") as log:
            while catch_up(notices) < math.inf:
                self.clock.now += 300
        self.assertEqual(["ERROR:luigid:not sent: a: down"], log.output)
        self.assertEqual(1000.0 + notices.patience, self.clock.now)

    def test_one_that_fails_does_not_hold_up_the_others(self):
        notices = self.recorder(Undelivered("come back later"))
        hear(notices, event(task_id="a"), event(task_id="b"))
        self.clock.now += catch_up(notices)
        catch_up(notices)
        self.assertEqual(["b", "a"], notices.delivered)

    def test_a_server_that_wants_to_be_left_alone_is(self):
        notices = self.recorder(Undelivered("HTTP 429", wait=77))
        hear(notices, event())
        self.assertEqual(77, catch_up(notices))

    def test_the_outbox_is_bounded(self):
        notices = self.recorder(Undelivered("down"))
        hear(notices, event(task_id="first"))
        catch_up(notices)
        with unittest.mock.patch.object(luigid, "MAX_OUTBOX", 2), self.assertLogs("luigid", "ERROR") as log:
            hear(notices, *(event(task_id=name) for name in "abc"))
            catch_up(notices)
        self.assertEqual(["first", "a"], [line.split(":")[3].strip() for line in log.output])
        self.assertEqual(2, notices.health()["waiting"])

    def test_the_queue_is_bounded_and_so_are_the_reports_in_it(self):
        notices = self.recorder()
        with unittest.mock.patch.multiple(luigid, MAX_HEARD=3, MAX_HEARD_REPORTS=2):
            hear(notices, *(event(report="why") for _ in range(5)))
        self.assertEqual(["why", "why", None], [heard.report for heard in notices._heard])
        self.assertEqual(2, notices.health()["missed"])

    def test_a_server_that_hangs_holds_up_nobody(self):
        notices, entered, leave = self.recorder(), threading.Event(), threading.Event()
        notices.deliver = lambda content: entered.set() or leave.wait(60)
        self.addCleanup(leave.set)
        notices.start()
        hear(notices, event(task_id="a"))
        self.assertTrue(entered.wait(60))
        hear(notices, event(task_id="b"))  # returns
        with unittest.mock.patch.object(luigid, "CLOSE_WITHIN", 0.01), self.assertLogs("luigid", "ERROR") as log:
            notices.close()
        self.assertIn("recorder ends with 1 messages not sent and 1 events not told of, first a", log.output[0])

    def test_at_the_end_all_is_tried_once(self):
        notices = self.recorder(Undelivered("no such user", final=True))
        notices.start()
        hear(notices, event(task_id="a"), event(task_id="b"))
        notices.close()
        self.assertEqual(["b"], notices.delivered)
        self.assertFalse(notices._thread.is_alive())

    def test_at_the_end_a_server_that_is_down_is_tried_once(self):
        notices = self.recorder(*[Undelivered("down")] * 9)
        hear(notices, event(task_id="a"), event(task_id="b"))
        notices._closing = True
        with self.assertLogs("luigid", "WARNING"):
            notices._run()
        self.assertEqual((1, 2), (notices.tried, notices.health()["waiting"]))

    def test_a_message_that_cannot_even_be_tried_is_given_up(self):
        notices = self.recorder(ZeroDivisionError())
        hear(notices, event(task_id="a"), event(task_id="b"))
        with self.assertLogs("luigid", "ERROR"):
            catch_up(notices)
        self.assertEqual((["b"], 1), (notices.delivered, notices.health()["failed"]))

    def test_a_fault_does_not_end_the_thread(self):
        notices, again = self.recorder(), threading.Event()
        notices.collect = unittest.mock.Mock(side_effect=[ZeroDivisionError, []])
        notices.deliver = lambda content: again.set()
        with unittest.mock.patch.object(luigid, "FIRST_RETRY", 0), self.assertLogs("luigid", "ERROR"):
            notices.start()
            hear(notices, event())
            notices._outbox.append(Message("b", "b", 0.0))
            hear(notices, event())
            self.assertTrue(again.wait(60))
            notices.close()

    def test_close_without_a_thread(self):
        self.recorder().close()


class Report(unittest.TestCase):
    def test_reports_are_decoded_as_the_workers_encode_them(self):
        for sent, shown in (
            ('"a\\nb"', "a\nb"),
            ("a\nb", "a\nb"),
            ('{"a": 1}', '{"a": 1}'),
            ("12", "12"),
            ("null", None),
            ("[" * 100000, "[" * 100000),
            (None, None),
            ("", ""),
        ):
            self.assertEqual(shown, luigid.readable_report(event(report=sent)), sent)

    def test_reports_of_scheduling_failures_are_plain(self):
        self.assertEqual('"a"', luigid.readable_report(event(SCHEDULING_FAILED, report='"a"')))

    def test_the_end_of_a_long_report_is_decoded_wherever_it_was_cut(self):
        sent = json.dumps("begin\n" + 'a "quoted"\n\u00e9\\' * 8000 + "\nend")
        for lost in range(1, 60):
            with unittest.mock.patch.object(luigid, "MAX_REPORT", len(sent) - lost):
                report = luigid.readable_report(event(report=sent[lost:]))
            self.assertEqual((len(sent.splitlines()), "\nend"), (1, report[-4:]), sent[lost : lost + 20])


class Mails(unittest.TestCase):
    def setUp(self):
        self.clock = Clock()
        self.sent = []

    def mails(self, *changes, batches=True, **options):
        chosen = settings((("scheduler", "batch_emails"), batches), *changes, **{"receiver": "ops@x", **options})
        mails = luigid.Mails(chosen, self.clock)
        mails.deliver = self.sent.append
        return mails

    def batch(self, *events, **options):
        """The e-mail to ops@x about these events."""
        mails = self.mails(**options)
        hear(mails, *events)
        catch_up(mails)
        self.clock.now += 3600
        catch_up(mails)
        return next(mail for mail in self.sent if mail.receivers == ("ops@x",))

    def test_a_batch_goes_when_the_interval_is_over(self):
        mails = self.mails((("batch_email", "email_interval"), 2))
        self.assertEqual(120, catch_up(mails))
        self.clock.now += 60
        hear(mails, reported("ann@x"))
        self.assertEqual(60, catch_up(mails))
        self.clock.now += 60
        self.assertEqual(120, catch_up(mails))
        self.assertEqual([("ops@x",), ("ann@x",)], [mail.receivers for mail in self.sent])
        self.assertEqual(
            ["Luigi: 1 failure in the last 2 minutes", "Luigi: Your tasks have 1 failure in the last 2 minutes"],
            [mail.subject for mail in self.sent],
        )
        self.assertEqual("- Load(day=1) (1 failure)\n\n      no", self.sent[0].body)

    def test_the_first_failure_after_a_quiet_time_waits_for_others(self):
        mails = self.mails()
        self.clock.now += catch_up(mails)
        self.assertEqual(3600, catch_up(mails))
        hear(mails, reported())
        self.assertEqual(3600, catch_up(mails))
        self.assertEqual([], self.sent)

    def test_a_pending_batch_goes_at_the_end(self):
        mails = self.mails()
        hear(mails, reported())
        mails.start()
        mails.close()
        self.assertEqual(1, len(self.sent))

    def test_an_interval_of_nothing_does_not_spin(self):
        mails = self.mails((("batch_email", "email_interval"), 0))
        self.assertEqual(math.inf, catch_up(mails))
        hear(mails, reported())
        self.assertEqual(math.inf, catch_up(mails))
        self.assertEqual(1, len(self.sent))

    def test_hidden_parameters_are_not_shown(self):
        params = {"day": "1", "token": "geheim"}
        for mode in ("unbatched_params", "all", "family"):
            options = {"receiver": "ops@x"}
            mails = self.mails((("batch_email", "batch_mode"), mode), **options)
            hear(mails, reported(params=params, hidden=("token",), report="x"))
            mails._end()
        self.assertEqual(3, len(self.sent))
        self.assertNotIn("geheim", str(self.sent))

    def test_html_is_made_of_tags_that_are_ours(self):
        task = {"params": {"day": "<img src=x>"}, "report": "<b>&amp;"}
        body = self.batch(reported(**task), format="html").body
        self.assertIn("<li>Load(day=&lt;img src=x&gt;) (1 failure)\n<pre>&lt;b&gt;&amp;amp;</pre></li>", body)
        disable = luigid.disable_mail(disabled(task_id="<script>"), settings(format="html", receiver="a@x"))
        self.assertIn("&lt;script&gt;", disable.body)
        self.assertNotIn("<script>", disable.body)

    def test_a_failure_without_a_report(self):
        self.assertEqual("- Load(day=1) (1 failure)", self.batch(reported(report=None)).body)

    def test_control_characters_stay_out(self):
        body = self.batch(reported(report="a\x1b[31mb\x00\r\n\u202ec\ud800", params={"day": "1\n- Sum()"})).body
        self.assertEqual("- Load(day=1 - Sum()) (1 failure)\n\n      a [31mb  \n       c", body)

    def test_much_of_everything_ends_up_in_an_email_of_sane_size(self):
        with unittest.mock.patch.object(luigid, "MAX_DIGEST", 50_000):
            events = [reported(params={"day": f"{n}" * 100}, report=f"{n} " + "y" * 5000) for n in range(1000)]
            mail = self.batch(*events, reported(f"{'z' * 60_000}@x"))
        self.assertEqual("Luigi: 1001 failures in the last 60 minutes", mail.subject)
        self.assertIn(f"{luigid.UNNAMED} (", mail.body)
        self.assertLess(len(mail.body), 60_000)
        self.assertEqual(1, len(self.sent))

    def test_a_task_that_the_scheduler_disabled(self):
        mails = self.mails(batches=False, receiver="a@x, b@x")
        hear(mails, disabled(), event(DISABLED, failures=0), reported())
        catch_up(mails)
        [mail] = self.sent
        self.assertEqual(("a@x", "b@x"), mail.receivers)
        self.assertEqual("Luigi Scheduler: DISABLED Load_1 due to excessive failures", mail.subject)
        text = "Load_1 failed 3 times in the last 60 seconds, so it is being disabled for 86400 seconds"
        self.assertEqual(text, mail.body)

    def test_the_event_tells_the_policy_that_a_task_was_disabled_under(self):
        scheduler = luigid.Scheduler(clock=self.clock, retry_count=1, disable_window=60)
        mails = self.mails(batches=False)
        scheduler.attend(mails)
        scheduler.add_task(worker="w", task_id="T", status=FAILED, expl='"no"', retry_policy_dict={"retry_count": 9})
        catch_up(mails)
        self.assertIn("T failed 1 times in the last 60 seconds", self.sent[0].body)

    def test_no_task_adds_a_header(self):
        task_id = "T\r\nBcc: eve@x\r\n\r\nbody" + "x" * 3000
        mails = self.mails(batches=False, prefix="[p]")
        hear(mails, disabled(task_id=task_id))
        catch_up(mails)
        sent = luigid.compose(settings(sender="luigi@x"), self.sent[0]).as_bytes()
        message = email.message_from_bytes(sent, policy=email.policy.default)
        self.assertIn("[p] Luigi Scheduler: DISABLED T  Bcc: eve@x", message["Subject"])
        self.assertLessEqual(len(message["Subject"]), luigid.MAX_SUBJECT)
        self.assertEqual((None, "luigi@x", "ops@x"), (message["Bcc"], message["From"], message["To"]))
        self.assertEqual("text/plain", message.get_content_type())
        self.assertIn("Message-ID", message)

    def test_addresses(self):
        for text, found in (
            ("a@x, b@x,,", ("a@x", "b@x")),
            ("root", ("root",)),
            ("Ann <ann@x>", ("ann@x",)),
            ("Zoë <zoe@example.com>", ("zoe@example.com",)),
            ("zoë@example.com", ()),
            ("a@x\r\nBcc: eve@x", ()),
            ("a b", ()),
            ("", ()),
        ):
            self.assertEqual(found, luigid.split_addresses(text), text)

    def test_whatever_passes_for_an_address_can_be_written_into_a_header(self):
        chance, found, chosen = random.Random(1), 0, settings(sender="Lüigi, the 2nd <luigi@x>")
        for _ in range(3000):
            text = "".join(chance.choice("ab@<>\".,;:()[]\\ é=?_-%!'中") for _ in range(chance.randrange(1, 12)))
            receivers = luigid.split_addresses(text)
            found += len(receivers)
            sent = luigid.compose(chosen, luigid.Mail(receivers or ("ann@x",), text, text)).as_bytes()
            message = email.message_from_bytes(sent)
            read = email.header.make_header(email.header.decode_header(message["Subject"]))
            self.assertEqual(text.strip(), str(read).strip())
            self.assertEqual(text, message.get_payload(decode=True).decode("utf-8").replace("\r\n", "\n"))
        self.assertGreater(found, 300)

    def test_long_lines_are_folded(self):
        for text in ("é" * luigid.MAX_SUBJECT, "x" * luigid.MAX_SUBJECT, "x y" * 100):
            sent = luigid.compose(settings(), luigid.Mail(("ann@x",), text, text * 50)).as_bytes()
            self.assertLess(max(map(len, sent.splitlines())), 998)
            subject = email.header.decode_header(email.message_from_bytes(sent)["Subject"])
            self.assertEqual(text, str(email.header.make_header(subject)).replace("\n", ""))

    def test_an_owner_who_is_no_address_gets_nothing(self):
        mails = luigid.Mails(settings((("scheduler", "batch_emails"), True)), self.clock)
        hear(mails, reported("not an address"))
        with self.assertLogs("luigid", "ERROR") as log:
            mails._end()
        self.assertIn("nobody to send it to", log.output[0])


class Alerts(unittest.TestCase):
    def setUp(self):
        self.clock = Clock()
        self.sent = []

    def alerts(self, runs=None, **options):
        chosen = [(("alerts", name), value) for name, value in options.items()]
        alerts = luigid.Alerts(settings((("alerts", "webhook_url"), "http://x"), *chosen), runs, self.clock)
        alerts.deliver = self.sent.append
        return alerts

    def after_all(self, *events, **options):
        """The message about these events."""
        alerts = self.alerts(**options)
        hear(alerts, *events)
        catch_up(alerts)
        self.clock.now += 10
        catch_up(alerts)
        [message] = self.sent
        return message

    def test_events_are_grouped_and_messages_keep_their_distance(self):
        alerts = self.alerts()
        hear(alerts, event(task_id="a"))
        self.assertEqual(10, catch_up(alerts))
        self.clock.now += 5
        hear(alerts, event(task_id="b"))
        self.assertEqual(5, catch_up(alerts))
        self.clock.now += 5
        self.assertEqual(math.inf, catch_up(alerts))
        hear(alerts, event(task_id="c"))
        self.assertEqual(300, catch_up(alerts))
        self.clock.now += 300
        catch_up(alerts)
        self.assertEqual([["a", "b"], ["c"]], [[e["task_id"] for e in sent["events"]] for sent in self.sent])

    def test_what_is_pending_goes_at_the_end(self):
        alerts = self.alerts()
        hear(alerts, event())
        alerts._end()
        self.assertEqual(1, len(self.sent))

    def test_a_message_in_full(self):
        params = {"day": "1", "token": "geheim"}
        with unittest.mock.patch.object(luigid.socket, "gethostname", lambda: "here"):
            message = self.after_all(event(params=params, hidden=("token",), report='"Trace\\nValueError: no\\n"'))
        self.assertEqual(
            {
                "text": "luigid on here: 1 failed\n- failed: Load(day=1) on h: ValueError: no",
                "mrkdwn": False,
                "source": "luigid",
                "host": "here",
                "counts": {"failed": 1},
                "events": [
                    {
                        "kind": "failed",
                        "task_id": "Load_1",
                        "name": "Load(day=1)",
                        "family": "Load",
                        "params": {"day": "1"},
                        "worker": "w",
                        "host": "h",
                        "time": 1000.0,
                        "started": 900.0,
                        "times": 1,
                        "failures": 1,
                        "error": "ValueError: no",
                    }
                ],
            },
            message,
        )

    def test_kinds(self):
        for fields, kind in (
            ({}, "failed"),
            ({"reason": "worker lost"}, "worker_lost"),
            ({"reason": "re-enabled"}, None),
            ({"kind": DISABLED}, "disabled"),
            ({"kind": DISABLED, "reason": "worker lost"}, "disabled"),
            ({"kind": DISABLED, "failures": 0}, None),
            ({"kind": SCHEDULING_FAILED}, "scheduling_failed"),
        ):
            self.assertEqual(kind, self.alerts()._kind(event(**fields)), fields)
        self.assertIsNone(self.alerts(kinds=["slow"])._kind(event()))
        self.assertEqual("failed", self.alerts(kinds=["failed"])._kind(event(reason="worker lost")))

    def test_every_kind_has_words(self):
        self.assertEqual(set(luigid.ALERT_KINDS), set(luigid.ALERT_WORDS))

    def test_the_first_tasks_are_named_and_the_others_counted(self):
        failures = [event(task_id=name, params={"n": name}) for name in "abcab"]
        text = self.after_all(*failures, disabled(), max_named=2)["text"]
        self.assertIn("5 failed, 1 disabled after too many failures\n", text)
        self.assertIn("Load(n=a) on h, 2 times\n", text)
        self.assertIn("- failed: 1 more\n", text)
        self.assertNotIn("n=c", text)

    def test_a_message_has_a_sane_size(self):
        huge = {"params": {str(n): "x" * 10_000 for n in range(1000)}, "report": "y" * 60_000, "worker": "w" * 10_000}
        failures = [event(task_id=f"{n}" + "t" * 10_000, **huge) for n in range(20)]
        self.assertLess(len(json.dumps(self.after_all(*failures))), 200_000)

    def test_what_users_typed_is_no_markup(self):
        text = self.after_all(event(params={"a": "<!channel> @here &lt;"}, host="<x>"))["text"]
        self.assertIn("&lt;!channel&gt; @\u200bhere &amp;lt;) on &lt;x&gt;", text)
        self.assertNotIn("@here", text)

    def test_slow_runs_are_told_of_once(self):
        scheduler = luigid.Scheduler(clock=self.clock, worker_disconnect_delay=1e6)
        params = {"params": {"day": "1", "token": "geheim"}, "param_visibilities": {"token": 1}}
        scheduler.add_task(worker="w", task_id="Load_1", family="Load", **params)
        run = {"task_id": "Load_1", "family": "Load", "worker": "w", "host": None, "started": 1000.0, "expected": 400.0}

        def runs():
            seconds = self.clock.now - 1000
            rows = [{**run, "running_for": seconds, "slow": seconds > 500}]
            return {"rows": [*rows, {**rows[0], "task_id": "Load_2", "expected": None, "slow": False}]}

        alerts = self.alerts(runs)
        scheduler.attend(alerts)
        for seconds, found in ((599, 0), (31, 1), (400, 0), (400, 0)):
            self.clock.now += seconds
            catch_up(alerts)
            self.assertEqual(found, sum(alerts._counts.values()))
        [message] = self.sent
        line = "- running much longer than usual: Load(day=1) on w: 10 min 30 s, usually 6 min 40 s"
        self.assertIn(line, message["text"])
        self.assertEqual((630, 400), tuple(message["events"][0][name] for name in ("running_for", "expected")))

    def test_a_history_out_of_reach_is_looked_at_again(self):
        kept = {"record_task_history": True, "db_connection": "sqlite:////dev/null/history.db"}
        scheduler = luigid.Scheduler(clock=self.clock, **kept)
        scheduler.add_task(worker="w", task_id="Load_1", family="Load")
        scheduler.get_work(worker="w", host="h")
        alerts = self.alerts(luigid.history_reader(scheduler).expectations)
        self.clock.now += luigid.LOOK_INTERVAL
        self.assertEqual(luigid.LOOK_INTERVAL, catch_up(alerts))

    def test_without_slow_nobody_looks(self):
        self.assertEqual(math.inf, self.alerts(dict, kinds=["failed"]).due())
        self.assertEqual(math.inf, self.alerts(None).due())

    def test_slow_runs_are_found_in_the_history(self):
        with tempfile.TemporaryDirectory() as directory:
            kept = {"record_task_history": True, "db_connection": f"sqlite:///{directory}/history.db"}
            scheduler = luigid.Scheduler(clock=self.clock, worker_disconnect_delay=1e6, **kept)
            alerts = self.alerts(luigid.history_reader(scheduler).expectations)
            scheduler.attend(alerts)
            scheduler.start()
            self.addCleanup(scheduler.close)
            for number in range(4):
                scheduler.add_task(worker="w", task_id=f"Load_{number}", family="Load", params={"day": f"{number}"})
                scheduler.get_work(worker="w", host="h")
                if number < 3:
                    self.clock.now += 300
                    scheduler.add_task(worker="w", task_id=f"Load_{number}", status="DONE")
            scheduler.flush()
            self.clock.now += 700
            alerts._look(alerts._runs, self.clock.now)
        [slow] = alerts._named["slow"].values()
        self.assertEqual(("Load(day=3)", "h"), (slow["name"], slow["host"]))
        self.assertEqual((700, 300), (slow["running_for"], slow["expected"]))

    def test_a_lost_worker_left_no_report(self):
        message = self.after_all(event(reason="worker lost", report="of an earlier run"))
        self.assertNotIn("earlier", json.dumps(message))


class Web(unittest.TestCase):
    def setUp(self):
        direct = unittest.mock.patch.dict("os.environ", no_proxy="*")
        direct.start()
        self.addCleanup(direct.stop)

    def post(self, url):
        """What becomes of a POST: None, or the Undelivered."""
        try:
            luigid.post_json(url, {"a": "é"}, {}, 10)
        except Undelivered as error:
            return error

    def test_a_post(self):
        with web_sink() as (received, url):
            self.assertIsNone(self.post(url.replace("//", "//an%20n:pa%3Ass@") + "/200/path?query=1#fragment"))
        [(path, headers, document)] = received
        self.assertEqual(("/200/path?query=1", {"a": "é"}), (path, document))
        self.assertEqual("application/json", headers["Content-Type"])
        self.assertEqual("Basic YW4gbjpwYTpzcw==", headers["Authorization"])

    def test_refusals(self):
        with web_sink() as (received, url):
            for status, final in ((302, True), (404, True), (408, False), (429, False), (500, False)):
                error = self.post(f"{url}/{status}/geheim")
                wait = 120 if status == 429 else 0
                self.assertEqual((f"HTTP {status}", final, wait), (error.reason, error.final, error.wait))
                self.assertNotIn("geheim", str(error))
        self.assertEqual(5, len(received))  # nothing went where the redirect pointed

    def test_nobody_there(self):
        with web_sink() as (_, url):
            pass
        error = self.post(f"{url}/geheim")
        self.assertEqual(("Connection refused", False), (str(error), error.final))

    def test_no_error_has_the_url(self):
        for url in ("http://geheim.invalid/geheim", "http://127.0.0.1:1/\x00geheim", "http://127.0.0.1:x/geheim"):
            self.assertNotIn("geheim", str(self.post(url)))

    def test_a_certificate_that_nobody_vouches_for(self):
        with tempfile.TemporaryDirectory() as directory:
            certificate = make_certificate(directory, "sink")
            with web_sink(certificate=certificate) as (received, url):
                self.assertIn("TLS: ", str(self.post(f"{url}/200/geheim")))
                self.assertEqual([], received)
                with unittest.mock.patch.dict("os.environ", SSL_CERT_FILE=certificate[0]):
                    self.assertIsNone(self.post(f"{url}/200/geheim"))
        self.assertEqual(1, len(received))

    def test_sendgrid(self):
        chosen = settings((("sendgrid", "apikey"), "key"), method="sendgrid", sender="Luigi <luigi@x>", format="html")
        mail = luigid.Mail(("ann@x", "b@x"), "subject", "<p>body</p>")
        with web_sink() as (received, url), unittest.mock.patch.object(luigid, "SENDGRID_URL", url + "/202/mail"):
            luigid.Mails(chosen).deliver(mail)
        [(_, headers, document)] = received
        self.assertEqual("Bearer key", headers["Authorization"])
        self.assertEqual(
            {
                "personalizations": [{"to": [{"email": "ann@x"}, {"email": "b@x"}]}],
                "from": {"email": "luigi@x"},
                "subject": "subject",
                "content": [{"type": "text/html", "value": "<p>body</p>"}],
            },
            document,
        )


class Choices(unittest.TestCase):
    def made(self, *changes, **options):
        return [type(notices).__name__ for notices in luigid.make_notices(settings(*changes, **options))]

    def test_what_is_made(self):
        url = (("alerts", "webhook_url"), "https://x/y")
        with unittest.mock.patch.object(luigid, "is_terminal", lambda stream: False):
            self.assertEqual([], self.made())
            self.assertEqual(["Mails"], self.made(receiver="a@x"))
            self.assertEqual(["Mails"], self.made((("scheduler", "batch_emails"), True)))
            self.assertEqual([], self.made(receiver="a@x", format="none"))
            self.assertEqual(["Mails", "Alerts"], self.made(url, receiver="a@x"))

    def test_why_there_will_be_no_emails(self):
        def warning(**options):
            with self.assertLogs("luigid", "WARNING") as log:
                self.assertEqual([], self.made(receiver="a@x", **options))
            return log.output[0]

        with unittest.mock.patch.object(luigid, "is_terminal", lambda stream: False):
            for method in ("ses", "sns"):
                self.assertIn("[smtp] host = email-smtp", warning(method=method))
            self.assertIn("[sendgrid] apikey is not set", warning(method="sendgrid"))
        with unittest.mock.patch.object(luigid, "is_terminal", lambda stream: True):
            self.assertIn("force_send", warning())
            self.assertEqual(["Mails"], self.made(receiver="a@x", force_send=True))

    def test_try_notices(self):
        no_mail = "e-mail to nobody: not sent: [email] receiver is not set, or format = none"
        no_alert = "alert: not sent: [alerts] webhook_url is not set"
        self.assertEqual(([no_mail, no_alert], False), luigid.try_notices(settings()))
        with web_sink() as (received, url):
            well = settings((("alerts", "webhook_url"), url + "/200"))
            self.assertEqual(([no_mail, "alert: sent"], True), luigid.try_notices(well))
            self.assertIn(": this is a test", received[0][2]["text"])
            bad = settings((("alerts", "webhook_url"), url + "/500"), receiver="a@x", method="ses")
            lines, well = luigid.try_notices(bad)
        self.assertEqual(("alert: not sent: HTTP 500", False), (lines[1], well))
        self.assertIn("e-mail to a@x: not sent: [email] method = ses takes the SDK of AWS", lines[0])

    def test_webhook_urls(self):
        for url in ("ftp://x", "http://", "x", "http://x y", "http://x:0", "http://x:99999", "http://é/", "http://x\n"):
            with self.assertRaises(luigid.SettingsError) as caught:
                settings((("alerts", "webhook_url"), url))
            self.assertIn("http or https URL", str(caught.exception))
            self.assertIn("********", str(caught.exception))
        self.assertIn("webhook_url = ********", settings((("alerts", "webhook_url"), "http://x/geheim")).describe())

    def test_kinds_of_alerts(self):
        self.assertEqual(("slow",), settings((("alerts", "kinds"), '["slow"]')).get("alerts", "kinds"))
        with self.assertRaises(luigid.SettingsError):
            settings((("alerts", "kinds"), '["slow", "fast"]'))


if __name__ == "__main__":
    unittest.main()
