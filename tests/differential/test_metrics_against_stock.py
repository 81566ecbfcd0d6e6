"""The metrics of tasks equal those of stock luigi with the same collector, in random histories.

What stock sends and prints is taken from where it leaves luigi: the text of its registry, read by Prometheus' own
parser, and the packets of Datadog's own client, caught by a socket. Where ours is different on purpose (see the
README), stock's collector is made so here: hidden parameters are nobody's business, and failures without a run count.
"""

import contextlib
import itertools
import json
import re
import socket
import types
import unittest
import unittest.mock

import datadog
import prometheus_client.metrics
from luigi.contrib.datadog_metric import DatadogMetricsCollector
from luigi.contrib.prometheus_metric import PrometheusMetricsCollector
from prometheus_client.parser import text_string_to_metric_families

import luigid
from tests.differential.comparison import Duel
from tests.differential.histories import Author

SEEDS = range(16)

#: as a client of Prometheus prints it; a parameter that no task has is a label, too
LABELS = {"use_task_family_in_labels": True, "task_parameters_to_use_in_labels": ("date", "mode", "none_has_it")}


class Forgiving:
    """Stock's collectors, which fail at a task that has failed without ever having run: what it ran for is left out.

    And at a call of update_metrics_task_started, which over the wire cannot bring a task of stock's.
    """

    def handle_task_started(self, task):
        if not isinstance(task, str):
            super().handle_task_started(task)

    def handle_task_failed(self, task):
        self._count(task, super().handle_task_failed)

    def handle_task_disabled(self, task, config):
        self._count(task, lambda task: super(Forgiving, self).handle_task_disabled(task, config))

    def _count(self, task, handle):
        if task.time_running is not None or not hasattr(self, "task_execution_time"):
            handle(task)
            return
        gauge, self.task_execution_time = self.task_execution_time, unittest.mock.Mock()
        with contextlib.suppress(TypeError):  # the time it did not begin at, taken from the time it ended
            handle(task)
        self.task_execution_time = gauge


def without_hidden_parameters(task):
    return types.SimpleNamespace(family=task.family, params=task.public_params)


class StockPrometheus(Forgiving, PrometheusMetricsCollector):
    def _generate_task_labels(self, task):
        return super()._generate_task_labels(without_hidden_parameters(task))


class HistoryTest(unittest.TestCase):
    maxDiff = None

    def play(self, seed, stock, ours):
        """Play a history into both schedulers, each with its collector; the replies must agree all along."""

        def make(clock, resources, settings):
            scheduler = luigid.Scheduler(clock=clock, resources=resources, **settings)
            scheduler.attend(ours)
            return scheduler

        author = Author(seed, calls=150)
        duel = Duel(author.world.settings, author.world.resources, make)
        duel.stock._state._metrics_collector = stock
        with unittest.mock.patch.object(prometheus_client.metrics, "time", types.SimpleNamespace(time=duel.clock)):
            self.assertIsNone(duel.play(author(duel.stock), lambda call, reply: author.hear(reply)))


def samples(text):
    """What a text says: (name, labels) -> number."""
    read = itertools.chain.from_iterable(family.samples for family in text_string_to_metric_families(text))
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in read}


def types_of(text):
    """The types that a text gives to what it has samples of."""
    return {family.name: family.type for family in text_string_to_metric_families(text) if family.samples}


class PrometheusTest(HistoryTest):
    def test_the_text_says_the_same(self):
        seen = set()
        for seed in SEEDS:
            with self.subTest(seed=seed):
                stock, ours = StockPrometheus(**LABELS), luigid.TaskCounts(**LABELS)
                self.play(seed, stock, ours)
                text = luigid.exposition(ours.metrics())
                theirs = stock.generate_latest().decode()
                self.assertEqual(samples(text), samples(theirs))
                self.assertEqual(types_of(text), types_of(theirs))
                seen.update(name for name, _ in samples(text))
        self.assertEqual(len(seen), 9, f"the histories do not show everything, only {seen}")

    def test_labels_are_chosen_alike(self):
        for labels in ({"use_task_family_in_labels": True}, LABELS, {"task_parameters_to_use_in_labels": ("mode",)}):
            given = {"use_task_family_in_labels": False, "task_parameters_to_use_in_labels": (), **labels}
            with self.subTest(labels):
                stock, ours = StockPrometheus(**given), luigid.TaskCounts(**given)
                self.play(1, stock, ours)
                self.assertEqual(samples(luigid.exposition(ours.metrics())), samples(stock.generate_latest().decode()))

    def test_no_label_at_all_is_refused_by_both(self):
        none = {"use_task_family_in_labels": False, "task_parameters_to_use_in_labels": ()}
        self.assertRaises(ValueError, PrometheusMetricsCollector, **none)
        self.assertRaises(luigid.SettingsError, luigid.TaskCounts, **none)


class StockDatadog(Forgiving, DatadogMetricsCollector):
    def _format_task_params_to_tags(self, task):
        return super()._format_task_params_to_tags(without_hidden_parameters(task))


OPTIONS = {
    "environment": "testing",
    "default_tags": "application:luigi,team:data science",
    "metric_namespace": "etl",
    "statsd_host": "127.0.0.1",
}

#: An event as an agent reads it: lengths of title and text, these two, priority, kind of alert, tags.
EVENT = re.compile(r"_e\{(\d+),(\d+)\}:(.*)\|p:(\w+)\|t:(\w+)\|#(.*)", re.DOTALL).fullmatch


def facts_of_event(packet):
    """What of an event is to be equal: all but the words."""
    title_bytes, text_bytes, words, priority, alert, tags = EVENT(packet).groups()
    assert len(words.encode()) == int(title_bytes) + 1 + int(text_bytes), packet
    return "event", priority, alert, tuple(sorted(tags.split(",")))


class DatadogTest(HistoryTest):
    def setUp(self):
        self.sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.sink.close)
        self.sink.bind(("127.0.0.1", 0))
        self.sink.setblocking(False)
        self.addCleanup(setattr, datadog.statsd, "socket", None)
        datadog.statsd.disable_telemetry()

    def caught(self):
        """The lines of all packets that have come."""
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(self.sink.recv(65536).decode())
        return [line for packet in found for line in packet.splitlines()]

    def test_the_packets_are_the_same(self):
        options = {**OPTIONS, "statsd_port": self.sink.getsockname()[1]}
        for seed in SEEDS[:8]:
            with self.subTest(seed=seed):
                events, packets = [], []
                create = unittest.mock.patch("datadog.api.Event.create", lambda _to=events, **event: _to.append(event))
                stock, ours = StockDatadog(**options), OurDatadog(options)
                datadog.statsd.disable_buffering = True
                hear = ours.hear

                def take(*heard, hear=hear, packets=packets, ours=ours):
                    hear(*heard)
                    packets.extend(self.caught())  # stock's, as the call came to it first
                    ours.deal_with_all()

                ours.hear = take
                with create:
                    self.play(seed, stock, ours)
                packets.extend(self.caught())
                sent = [packet for packet in ours.sent if not packet.startswith("_e")]
                self.assertEqual(sorted(sent), sorted(packets))
                self.assertTrue(sent)
                ours_events = [facts_of_event(packet) for packet in ours.sent if packet.startswith("_e")]
                self.assertEqual(sorted(ours_events), sorted(map(facts_of_stocks_event, events)))


def facts_of_stocks_event(event):
    """The same of what stock gives to Datadog's API; on the way to there tags are made as those of metrics are."""
    tags = [re.sub(r"[^\w\-:/.]", "_", tag) for tag in event["tags"]]
    return "event", event["priority"], event["alert_type"], tuple(sorted(tags))


class OurDatadog(luigid.Datadog):
    """Ours, which says what it would send."""

    def __init__(self, options):
        super().__init__(luigid.Settings.load({("datadog", name): value for name, value in options.items()}, {}))
        self.sent = []

    def deal_with_all(self):
        while self._queue.qsize():
            self.sent.extend(self.packets(self._queue.get()))


class CustomTest(HistoryTest):
    """A collector of the operator's is told the same as by stock."""

    def test_it_is_called_alike(self):
        for seed in SEEDS[:8]:
            with self.subTest(seed=seed):
                theirs, ours = Diary(), OurCustom(Diary())
                self.play(seed, theirs, ours)
                self.assertEqual(ours.diary(), theirs.told)
                self.assertTrue(theirs.told)


class Diary(luigid.Collector):
    """Takes down what it is called with, as far as a task in stock's memory is like the copy that ours gives."""

    def __init__(self):
        self.told = []

    def take_down(self, moment, task):
        names = ("id", "family", "module", "params", "public_params", "expl", "tracking_url", "first_failure_time")
        said = {name: getattr(task, name) for name in (*names, "scheduler_disable_time")}
        said["failures"] = list(task.failures)
        if moment != "started":  # of which stock tells before it happens
            said.update(status=task.status, updated=task.updated, time_running=task.time_running)
        self.told.append((moment, json.loads(json.dumps(said))))

    def handle_task_started(self, task):
        if not isinstance(task, str):  # as in Forgiving
            self.take_down("started", task)

    def handle_task_failed(self, task):
        self.take_down("failed", task)

    def handle_task_done(self, task):
        self.take_down("done", task)

    def handle_task_disabled(self, task, config):
        self.take_down("disabled", task)
        self.told.append((config.retry_count, config.disable_window, config.disable_persist))

    def handle_task_statistics(self, task, statistics):
        self.take_down("statistics", task)
        self.told.append(json.loads(json.dumps(statistics)))


class OurCustom(luigid.CustomCollector):
    def __init__(self, diary):
        with unittest.mock.patch.object(luigid, "import_collector", lambda path: diary):
            super().__init__(luigid.Settings.load({}, {}))
        self._diary = diary

    def diary(self):
        self._config = self.scheduler._settings
        while self._queue.qsize():
            self.deal(self._queue.get())
        return self._diary.told


if __name__ == "__main__":
    unittest.main()
