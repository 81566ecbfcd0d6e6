"""Hostile input to a real daemon: after all of it, it is as it was.

FUZZ_SEED repeats a run (each failure names its seed), FUZZ_REQUESTS makes a longer one; `make torture` sets it.
"""

import http.client
import json
import logging
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import threading
import unittest
from pathlib import Path

import luigid
from tests.e2e import fuzzing
from tests.e2e.daemon import wait_until
from tests.e2e.workers import EndToEndTest

SEED = int(os.environ.get("FUZZ_SEED") or random.SystemRandom().randrange(10**6))
REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "5000"))

#: bytes by which the process may grow from the first half of a run to the second: what is remembered of tasks not
#: forgotten yet, and the allocator's slack
GROWTH = 48 * 1024 * 1024

PROC = Path("/proc")


#: In a query all is text, and what is left out of it says nothing, so what was made up to be wrong may be right there.
TEXT_IN_QUERIES = """
[[operations]]
include-method = "GET"
checks.negative_data_rejection.enabled = false
"""


class FuzzTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.start_daemon({"worker_disconnect_delay": 1, "remove_delay": 1}, luigid={"max_body": 1_000_000})
        self.address = ("127.0.0.1", self.daemon.port)
        self.seed = f"repeat with FUZZ_SEED={SEED}"

    def process_dir(self):
        return PROC / str(self.daemon._process.pid)

    def descriptors(self):
        return len(list((self.process_dir() / "fd").iterdir()))

    def threads(self):
        return len(list((self.process_dir() / "task").iterdir()))

    def resident_bytes(self):
        return 1024 * int(re.search(r"VmRSS:\s+(\d+) kB", (self.process_dir() / "status").read_text())[1])

    def assert_unharmed(self, descriptors):
        """The daemon has leaked nothing and logged no fault; it runs a pipeline, and its state is sound."""
        if PROC.is_dir():
            # The listener, the files, and perhaps a connection that the daemon has not seen end yet.
            wait_until(lambda: self.descriptors() <= descriptors, "all connections are closed")
            self.assertLessEqual(self.threads(), luigid.SPARE_THREADS + 4, self.seed)
        faults = [line for line in self.daemon.log().splitlines() if re.search("Traceback| (ERROR|CRITICAL): ", line)]
        self.assertEqual([], faults[:5], self.seed)
        self.daemon.call("unpause")
        self.run_worker("Diamond")
        self.daemon.stop()
        for file in self.directory.glob("state.pickle*"):
            shutil.copy(file, file.with_name(file.name.replace("state", "copy", 1)))
        scheduler = luigid.Scheduler(state_path=str(self.directory / "copy.pickle"))
        scheduler.load()
        scheduler.validate()
        scheduler.close()

    def test_bent_requests(self):
        rng = random.Random(SEED)
        cut_short = list(fuzzing.truncations(rng))
        descriptors = self.descriptors() if PROC.is_dir() else 0
        resident = []
        for number in range(REQUESTS):
            raw = cut_short[number] if number < min(len(cut_short), REQUESTS // 2) else fuzzing.bent_request(rng)
            context = f"{self.seed}: request {number} was {raw!r}"
            try:
                found = fuzzing.statuses(fuzzing.exchange(self.address, raw), raw)
            except (OSError, ValueError, AssertionError) as error:
                raise AssertionError(f"{context}: {error!r}") from error
            self.assertFalse({500, 503}.intersection(found), context)
            if PROC.is_dir() and number in (REQUESTS // 2, REQUESTS - 1):
                self.daemon.call("prune")
                resident.append(self.resident_bytes())
        if resident:
            self.assertLess(resident[1] - resident[0], GROWTH, f"{self.seed}: resident {resident}")
        self.assert_unharmed(descriptors)

    def test_wrong_types_for_every_argument_of_every_call(self):
        descriptors = self.descriptors() if PROC.is_dir() else 0
        rng, counts = random.Random(SEED), {200: 0, 400: 0}
        connection = self.daemon.connection()
        for name, arguments in fuzzing.wrong_types():
            raw = fuzzing.encode(name, arguments, rng)
            connection.connect() if connection.sock is None else None
            connection.sock.sendall(raw)
            reply = http.client.HTTPResponse(connection.sock)
            reply.begin()
            body = json.loads(reply.read())
            context = f"{self.seed}: {name} {arguments!r:.300} -> {body!r:.300}"
            self.assertIn(reply.status, counts, context)
            self.assertEqual({"error"} if reply.status == 400 else {"response"}, set(body), context)
            counts[reply.status] += 1
        connection.close()
        self.assertTrue(all(count > 500 for count in counts.values()), counts)
        self.assert_unharmed(descriptors)

    def test_bent_requests_over_connections_that_stay(self):
        rng = random.Random(SEED + 1)
        descriptors = self.descriptors() if PROC.is_dir() else 0
        for number in range(REQUESTS // 20):
            raw = b"".join(fuzzing.real_request(rng) for _ in range(5)) + fuzzing.bent_request(rng)
            with socket.create_connection(self.address, timeout=60) as connection:
                connection.sendall(raw[: rng.randrange(len(raw))])
                if number % 2:  # close by a reset
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.assert_unharmed(descriptors)

    def test_calls_made_up_from_the_description_of_the_api(self):
        descriptors = self.descriptors() if PROC.is_dir() else 0
        connection = self.daemon.connection()
        connection.request("GET", "/api/openapi.json")
        document = json.loads(connection.getresponse().read())
        connection.close()
        # Without a history, questions to it are all answered alike; test_history_reading has what there is to ask.
        document["paths"] = {at: path for at, path in document["paths"].items() if not at.startswith("/api/history/")}
        for path in document["paths"].values():
            # Schemathesis does not encode the field of a form as the description says; the tests above send forms.
            del path["post"]["requestBody"]["content"][luigid.FORM]
        description = self.directory / "openapi.json"
        description.write_text(json.dumps(document))
        config = self.directory / "schemathesis.toml"
        config.write_text(TEXT_IN_QUERIES)
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", config]
        command += ["run", description, "--url", self.daemon.url()]
        options = ["--phases", "examples,coverage,fuzzing", "--max-examples", "8", "--seed", str(SEED), "--no-color"]
        found = subprocess.run(
            [*map(str, command), *options],
            cwd=self.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.assertEqual(0, found.returncode, f"{self.seed}:\n{found.stdout[-5000:]}")
        self.assertIn(f"Tested: {sum(map(len, document['paths'].values()))}", found.stdout)
        self.assert_unharmed(descriptors)


class IndexesTest(unittest.TestCase):
    def test_every_index_is_what_could_be_counted_all_along(self):
        rng, clock = random.Random(SEED), iter(range(10**9))
        scheduler = luigid.Scheduler(clock=lambda: next(clock) / 10, worker_disconnect_delay=5, remove_delay=5)
        server = luigid.make_server(scheduler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            with self.assertLogs(luigid.logger) as logged:
                for number in range(REQUESTS):
                    raw = fuzzing.real_request(rng) if number % 4 else fuzzing.bent_request(rng)
                    fuzzing.exchange(server.server_address, raw)
                    try:
                        scheduler.validate()
                    except AssertionError as error:
                        raise AssertionError(f"FUZZ_SEED={SEED}: after request {number}, {raw!r}: {error}") from error
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
        self.assertFalse([record for record in logged.records if record.levelno > logging.WARNING], f"FUZZ_SEED={SEED}")


if __name__ == "__main__":
    unittest.main()
