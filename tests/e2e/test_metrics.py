"""Metrics of real pipelines: read as Prometheus reads them, caught from the network, made by stock's own classes."""

import contextlib
import itertools
import json
import re
import socket
import unittest

from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.daemon import DEADLINE, Daemon, wait_until
from tests.e2e.workers import EndToEndTest

#: The types that a metric's name promises.
PROMISED = {"_total": "counter", "_bytes": "gauge", "_info": "gauge"}


def read(daemon, path="/metrics"):
    """(status, content type, text) of a page."""
    with contextlib.closing(daemon.connection()) as connection:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.headers["Content-Type"], reply.read().decode()


def scrape(daemon):
    """What /metrics says, by Prometheus' own parser: (name, labels) -> number."""
    status, _, text = read(daemon)
    if status != 200:
        raise AssertionError(f"{status}: {text}")
    samples = itertools.chain.from_iterable(family.samples for family in text_string_to_metric_families(text))
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}


def of_families(found, name):
    """family -> number of one of stock's metrics."""
    return {dict(labels)["family"]: value for (metric, labels), value in found.items() if metric == name}


class PrometheusTest(EndToEndTest):
    def run_pipelines(self, **scheduler):
        self.start_daemon({"retry_delay": 0, **scheduler})
        self.run_worker("AfterFlaky", "--failures", 1, keep_alive="true")
        self.run_worker("Diamond")

    def assert_counts(self, found):
        """Stock's metrics must tell what the tasks themselves have written down."""
        started, done, failed = (
            of_families(found, f"luigi_task_{moment}_total") for moment in ("started", "done", "failed")
        )
        families = {record["family"] for record in self.records()}
        self.assertEqual(started, {family: len(self.records(event="start", family=family)) for family in families})
        self.assertEqual(failed, {"Flaky": 1})
        self.assertEqual(done, {**started, "Flaky": 1})
        seconds = of_families(found, "luigi_task_execution_time_seconds")
        self.assertEqual(set(seconds), families)
        self.assertGreater(seconds["Flaky"], 0)

    def test_tasks_under_the_names_of_stock(self):
        self.run_pipelines(metrics_collector="prometheus")
        self.assert_counts(scrape(self.daemon))
        self.assert_is_well_formed(read(self.daemon)[2])

    def test_stocks_own_class_as_the_operators(self):
        name = "luigi.contrib.prometheus_metric.PrometheusMetricsCollector"
        self.run_pipelines(metrics_collector="custom", metrics_custom_import=name)
        # It is told in a thread of its own, so the last of it may come after the worker has ended.
        wait_until(lambda: of_families(scrape(self.daemon), "luigi_task_done_total").get("Diamond"), "it was told")
        found = scrape(self.daemon)
        self.assert_counts(found)
        self.assertEqual(found["luigid_tasks", (("status", "DONE"),)], len(self.tasks()))
        self.assertIn("version=1.0.0", read(self.daemon)[1])

    def test_everything_else(self):
        self.run_pipelines()
        self.daemon.call("update_resources", **{'odd "name"\\\n': 3})
        status, content_type, text = read(self.daemon)
        self.assertEqual((status, content_type), (200, "text/plain; version=0.0.4; charset=utf-8"))
        self.assertNotIn("luigi_task_", text)
        found = scrape(self.daemon)
        self.assertEqual(found["luigid_tasks", (("status", "DONE"),)], len(self.tasks()))
        for family in {task["name"] for task in self.tasks().values()}:
            labels = (("family", family), ("status", "DONE"))
            self.assertEqual(found["luigid_family_tasks", labels], len(self.tasks(name=family)))
        self.assertEqual(found["luigid_resource_limit", (("resource", 'odd "name"\\\n'),)], 3)
        calls = found["luigid_rpc_calls_total", (("code", "200"), ("method", "get_work"))]
        self.assertGreaterEqual(calls, len(self.records(event="start")))
        self.assertEqual(found["luigid_rpc_duration_seconds_count", (("method", "get_work"),)], calls)
        self.assertGreater(found["luigid_journal_bytes", ()], 0)
        self.assertGreater(found["luigid_connections_accepted_total", ()], 2)
        wait_until(lambda: scrape(self.daemon)["luigid_journal_fsync_seconds_count", ()], "the journal is synced")

    def assert_is_well_formed(self, text):
        """As a checker of such texts would have it."""
        families = list(text_string_to_metric_families(text))
        names = [family.name for family in families]
        self.assertEqual(len(names), len(set(names)), "a metric is there twice")
        for family in families:
            with self.subTest(family.name):
                self.assertRegex(family.name, r"^(luigid|luigi_task|process|python_gc)_")
                self.assertTrue(family.documentation)
                self.assertIn(family.type, ("counter", "gauge", "histogram"))
                for ending, kind in PROMISED.items():
                    if family.name.endswith(ending):
                        self.assertEqual(family.type, kind)
                if family.type == "histogram":
                    self.assert_is_histogram(family)

    def assert_is_histogram(self, family):
        """Of each series the buckets must rise to the count, as a server expects of them."""
        series = {}
        for sample in family.samples:
            about = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
            series.setdefault(about, []).append(sample)
        for samples in series.values():
            buckets = [(float(sample.labels["le"]), sample.value) for sample in samples if "le" in sample.labels]
            self.assertEqual(buckets, sorted(buckets))
            self.assertEqual([value for _, value in buckets], sorted(value for _, value in buckets))
            [count] = [sample.value for sample in samples if sample.name.endswith("_count")]
            self.assertEqual(buckets[-1], (float("inf"), count))


class DatadogTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.agent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.agent.close)
        self.agent.bind(("127.0.0.1", 0))
        self.agent.settimeout(DEADLINE)

    def receive_until(self, wanted):
        """The packets up to one that begins with `wanted`."""
        packets = []
        while not packets or not packets[-1].startswith(wanted):
            packets.append(self.agent.recv(65536).decode())
        return packets

    def test_packets_for_what_ran(self):
        host, port = self.agent.getsockname()
        agent = {"statsd_host": host, "statsd_port": port, "environment": "testing"}
        self.start_daemon({"retry_delay": 0, "metrics_collector": "datadog"}, datadog=agent)
        self.run_worker("AfterFlaky", "--failures", 1, keep_alive="true")
        packets = self.receive_until("luigi.task.execution_time")
        packets += self.receive_until("luigi.task.execution_time")
        counted = [re.match(r"luigi\.task\.(\w+):1\|c\|#task_name:(\w+),", packet) for packet in packets]
        self.assertEqual(
            [match.groups() for match in counted if match],
            [
                ("started", "Flaky"),
                ("failed", "Flaky"),
                ("started", "Flaky"),
                ("done", "Flaky"),
                ("started", "AfterFlaky"),
                ("done", "AfterFlaky"),
            ],
        )
        for packet in packets:
            self.assertIn(",environment:testing,application:luigi", packet)
        [failed] = [packet for packet in packets if "task_state:FAILED" in packet]
        self.assertIn("|p:normal|t:error|#task_name:Flaky,", failed)

    def test_no_agent_at_all(self):
        self.agent.close()
        agent = {"statsd_host": "agent.invalid"}
        self.start_daemon({"metrics_collector": "datadog"}, datadog=agent)
        self.run_worker("Diamond")
        wait_until(lambda: "agent.invalid" in self.daemon.log(), "the log says that there is none")
        self.daemon.stop()
        self.assertEqual(self.daemon.log().count("agent.invalid"), 1)


class HealthTest(EndToEndTest):
    def test_ready_and_alive(self):
        self.start_daemon()
        status, _, text = read(self.daemon, "/readyz")
        self.assertEqual((status, json.loads(text)["ready"]), (200, True))
        status, _, text = read(self.daemon, "/healthz")
        self.assertEqual((status, json.loads(text)["status"]), (200, "ok"))

    def test_a_standby_is_not_ready_before_it_takes_over(self):
        self.start_daemon()
        (self.directory / "standby").mkdir()
        standby = Daemon(self.directory / "standby")
        standby.state_path = self.daemon.state_path
        self.addCleanup(standby.stop)
        standby.launch("--standby")
        wait_until(lambda: "standing by" in standby.log(), "it stands by")
        self.assertRaises(ConnectionRefusedError, read, standby, "/readyz")
        self.daemon.kill()
        wait_until(lambda: "listening" in standby.log(), "it has taken over")
        self.assertEqual(read(standby, "/readyz")[0], 200)


if __name__ == "__main__":
    unittest.main()
