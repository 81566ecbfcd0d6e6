"""The HTTP server on a hostile network: what is refused and how, who gives way when places are short, who did what."""

import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

import luigid
from tests.unit import test_http
from tests.unit.test_http import Client, Logged, ServerTest, call, chunked, form, post, request, serving, wait_until

SMUGGLED = call("ping", worker="smuggled")
PING = form(data='{"worker": "outer"}')


def chunks(raw, **headers):
    """A ping with a body in chunks, as given."""
    return post("ping", b"", Transfer_Encoding="chunked", **headers) + raw


#: what two servers in a row might understand in two ways -> (bytes, status)
SMUGGLING = {
    "two lengths": (post("ping", PING, Host=f"x\r\nContent-Length: {len(PING) + len(SMUGGLED)}"), 400),
    "the same length twice": (post("ping", PING, Host=f"x\r\nContent-Length: {len(PING)}"), 400),
    "a list of lengths": (post("ping", PING, Content_Length=f"{len(PING)},{len(PING)}"), 400),
    "length and chunks": (chunks(chunked(PING), Content_Length="5"), 400),
    "chunks and length": (post("ping", chunked(PING), Transfer_Encoding="chunked"), 400),
    "+5": (post("ping", PING, Content_Length="+5"), 400),
    "-0": (post("ping", PING, Content_Length="-0"), 400),
    "0x5": (post("ping", PING, Content_Length="0x5"), 400),
    "1_0": (post("ping", PING, Content_Length="1_0"), 400),
    "5.0": (post("ping", PING, Content_Length="5.0"), 400),
    "5 5": (post("ping", PING, Content_Length="5 5"), 400),
    "no length": (post("ping", PING, Content_Length=""), 400),
    "a length without end": (post("ping", PING, Content_Length="9" * 5000), 413),
    "a space before the colon": (post("ping", PING, Host="x\r\nTransfer-Encoding : chunked"), 400),
    "a tab before the colon": (post("ping", PING, Host="x\r\nTransfer-Encoding\t: chunked"), 400),
    "a space before the name": (post("ping", PING, Host="x\r\n Transfer-Encoding: chunked"), 400),
    "obs-fold": (post("ping", PING, Host="x\r\nTransfer-Encoding:\r\n chunked"), 400),
    "obs-fold with a tab": (post("ping", PING, Host="x\r\nA: b\r\n\tTransfer-Encoding: chunked"), 400),
    "bare LF between headers": (post("ping", PING, Host="x\nTransfer-Encoding: chunked"), 400),
    "bare CR between headers": (post("ping", PING, Host="x\rTransfer-Encoding: chunked"), 400),
    "bare LF at the end": (b"POST /api/ping HTTP/1.1\r\nHost: x\r\n\n", 400),
    "CR CR LF": (b"POST /api/ping HTTP/1.1\r\nHost: x\r\r\n\r\n", 400),
    "NUL in a value": (post("ping", PING, A="a\0Transfer-Encoding: chunked"), 400),
    "NUL in a name": (post("ping", PING, Host="x\r\nTransfer\0-Encoding: chunked"), 400),
    "vertical tab": (post("ping", PING, Transfer_Encoding="\x0bchunked"), 400),
    "no-break space": (post("ping", PING, Content_Length=None, Transfer_Encoding="chunked\xa0"), 501),
    "xchunked": (post("ping", PING, Content_Length=None, Transfer_Encoding="xchunked"), 501),
    "chunked, identity": (post("ping", PING, Content_Length=None, Transfer_Encoding="chunked, identity"), 501),
    "identity, chunked": (post("ping", PING, Content_Length=None, Transfer_Encoding="identity, chunked"), 501),
    "chunked; q=1": (post("ping", PING, Content_Length=None, Transfer_Encoding="chunked; q=1"), 501),
    "quoted": (post("ping", PING, Content_Length=None, Transfer_Encoding='"chunked"'), 501),
    "an empty coding": (post("ping", PING, Content_Length=None, Transfer_Encoding=""), 501),
    "chunks in HTTP/1.0": (request("/api/ping", "POST", version="1.0", Transfer_Encoding="chunked"), 400),
    "size with a space before": (chunks(b" 5\r\nabcde\r\n0\r\n\r\n"), 400),
    "size with a space behind": (chunks(b"5 \r\nabcde\r\n0\r\n\r\n"), 400),
    "size 0x5": (chunks(b"0x5\r\nabcde\r\n0\r\n\r\n"), 400),
    "size +5": (chunks(b"+5\r\nabcde\r\n0\r\n\r\n"), 400),
    "size -5": (chunks(b"-5\r\nabcde\r\n0\r\n\r\n"), 400),
    "size 5_0": (chunks(b"5_0\r\nabcde\r\n0\r\n\r\n"), 400),
    "size beyond 64 bits": (chunks(b"10000000000000005\r\nabcde\r\n0\r\n\r\n"), 400),
    "no size": (chunks(b"\r\nabcde\r\n0\r\n\r\n"), 400),
    "size with bare LF": (chunks(b"5\nabcde\r\n0\r\n\r\n"), 400),
    "size with bare CR": (chunks(b"5\rabcde\r\n0\r\n\r\n"), 400),
    "bare LF in an extension": (chunks(b"5;a\nb\r\nabcde\r\n0\r\n\r\n"), 400),
    "NUL in an extension": (chunks(b"5;a\0\r\nabcde\r\n0\r\n\r\n"), 400),
    "bare LF behind a chunk": (chunks(b"5\r\nabcde\n0\r\n\r\n"), 400),
    "nothing behind a chunk": (chunks(b"5\r\nabcde0\r\n\r\n"), 400),
    "malformed trailer": (chunks(b"0\r\nA : b\r\n\r\n"), 400),
    "folded trailer": (chunks(b"0\r\nA: b\r\n c\r\n\r\n"), 400),
    "endless trailer": (chunks(b"0\r\n" + b"A: b\r\n" * 101), 431),
    "endless extension": (chunks(b"5;" + b"a" * 70_000), 400),
    "two hosts": (post("ping", PING, Host="a\r\nHost: b"), 400),
    "hosts in a list": (post("ping", PING, Host="a, b"), 400),
    "another verb's body": (request("/", "GET", Content_Length="5x"), 400),
    "an expectation nobody has": (post("ping", PING, Expect="200-ok"), 417),
    "a tab for a space": (b"POST\t/api/ping HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /\r\n", 400),
    "HTTP/1.10": (b"GET / HTTP/1.10\r\nHost: x\r\n\r\n", 505),
    "HTTP/2 prior knowledge": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "CR in the target": (b"GET /\rx HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a fragment of a request before": (b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
}


class SmugglingTest(ServerTest):
    def test_nothing_follows_what_could_be_understood_in_two_ways(self):
        for name, (raw, status) in SMUGGLING.items():
            with self.subTest(name), self.connect() as client:
                reply = client.send(raw, SMUGGLED).reply()
                self.assertEqual((status, "close"), (reply.status, reply.headers["connection"]))
                self.assertTrue(client.at_end())
        workers = self.ask(call("worker_list")).json["response"]
        self.assertNotIn("smuggled", [worker["name"] for worker in workers])

    def test_a_body_is_as_long_as_it_says_and_what_follows_is_the_next_request(self):
        for name, raw in {
            "length": post("ping", PING),
            "leading zeros": post("ping", PING, Content_Length=f"000{len(PING)}"),
            "a body nobody reads": request("/", "GET", body=SMUGGLED),
            "chunks": chunks(chunked(PING[:3], PING[3:])),
            "chunks with extensions": chunks(b'%X;a="b c";d\r\n%s\r\n0;e\r\nA: b\r\n\r\n' % (len(PING), PING)),
            "CHUNKED": post("ping", b"", Transfer_Encoding="CHUNKED") + chunked(PING),
            "no chunks": chunks(b"0\r\n\r\n", Host="x"),
        }.items():
            with self.subTest(name), self.connect() as client:
                client.send(raw, call("is_paused", Connection="close")).reply()
                self.assertEqual({"response": {"paused": False}}, client.reply().json)
        workers = self.ask(call("worker_list")).json["response"]
        self.assertEqual(["outer"], [worker["name"] for worker in workers])

    def test_pipelined_requests_are_answered_in_order_up_to_the_first_malformed_one(self):
        good, bad = call("fetch_error", task_id="good"), post("ping", PING, Content_Length="+5")
        client = self.connect().send(good, request("/nowhere"), good, bad, SMUGGLED)
        self.assertEqual([200, 404, 200, 400], [client.reply().status for _ in range(4)])
        self.assertTrue(client.at_end())

    def test_a_client_that_half_closes_gets_all_its_replies(self):
        client = self.connect().send(*[call("is_paused")] * 3)
        client.socket.shutdown(socket.SHUT_WR)
        self.assertEqual([200] * 3, [client.reply().status for _ in range(3)])
        self.assertTrue(client.at_end())

    def test_who_expects_to_be_told_to_go_on_is_told_so_or_refused_before_the_body(self):
        asking = {"Content_Length": str(len(PING)), "Expect": "100-Continue"}
        client = self.connect().send(post("ping", b"", **asking))
        self.assertEqual(100, client.reply().status)
        self.assertEqual(200, client.send(PING).reply().status)
        client = self.connect().send(post("ping", b"", Expect="100-continue", Content_Length=str(luigid.MAX_BODY + 1)))
        self.assertEqual(413, client.reply().status)
        self.assertTrue(client.at_end())


class TargetTest(ServerTest):
    def test_an_absolute_target_means_its_path_whatever_the_host(self):
        for target, status in {
            "http://localhost/api/is_paused": 200,
            "HTTP://localhost:8082/api/is_paused": 200,
            "https://localhost/api/is_paused?x": 200,
            "http://localhost": 302,
            "http://localhost?x": 302,
            "http:///api/is_paused": 200,
            "ftp://localhost/api/is_paused": 404,
            "//localhost/api/is_paused": 404,
            "http:/api/is_paused": 404,
            "localhost:80": 404,
            "*": 404,
        }.items():
            with self.subTest(target):
                self.assertEqual(status, self.ask(request(target)).status)

    def test_no_redirect_leads_elsewhere(self):
        for target in ("//evil.example", "//evil.example/", "/\\evil.example", "///evil.example", "/%2f/evil.example"):
            with self.subTest(target):
                reply = self.ask(request(target))
                self.assertEqual(404, reply.status)
                self.assertNotIn("location", reply.headers)
        for host in ("evil.example", "evil.example:80", "[::1]"):
            location = self.ask(request("/", Host=host)).headers.get("location")
            self.assertIn(location, (None, "static/visualiser/index.html"))

    def test_no_escape_leads_out_of_the_pages(self):
        for name in (
            *("../luigid.py", "..%2fluigid.py", "%2e%2e/luigid.py", "%2E%2E%2Fluigid.py", ".%2e/luigid.py"),
            *("%252e%252e/luigid.py", "..\\luigid.py", "..%5cluigid.py", "%c0%ae%c0%ae/luigid.py", "..;/luigid.py"),
            *("....//luigid.py", "x/../../luigid.py", "index.html%00", "index.html\\0", "index.html%20", "index.html."),
            *(
                "/etc/passwd",
                "//etc/passwd",
                "C:/luigid.py",
                "~root/x",
                "index.html::$DATA",
                "CON",
                "index.html/..",
                ".",
            ),
        ):
            with self.subTest(name):
                self.assertEqual(404, self.ask(request(f"/static/visualiser/{name}")).status)
        self.assertEqual(404, self.ask(request("/static/visualiser/../../luigid.py")).status)
        self.assertEqual(404, self.ask(request("/static/../luigid.py")).status)

    def test_small_parts_do_not_make_a_large_whole(self):
        with mock.patch.object(luigid, "MAX_PARTS", 10):
            for parts, status in ((10, 200), (11, 413)):
                raw = post("ping", b'{"worker": "w", "x": [%s0]}' % (b"0," * (parts - 1)), luigid.JSON)
                self.assertEqual(status, self.ask(raw).status)

    def test_a_long_unknown_method_costs_nothing_and_is_not_repeated(self):
        self.assertLess(len(self.ask(request("/api/" + "p" * 60_000)).body), 300)


@contextlib.contextmanager
def at_work(server, count):
    """`count` clients whose calls are being worked on."""
    leave, entered = threading.Event(), threading.Semaphore(0)

    def work(**_):
        entered.release()
        return leave.wait(test_http.PATIENCE)

    with contextlib.ExitStack() as stack, mock.patch.object(server.scheduler, "ping", work):
        clients = [stack.enter_context(Client(server.server_address)) for _ in range(count)]
        for client in clients:
            client.send(call("ping", worker="w"))
            entered.acquire(timeout=test_http.PATIENCE)
        try:
            yield clients
        finally:
            leave.set()
            for client in clients:
                client.reply()


class PlacesTest(unittest.TestCase):
    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)

    def connect(self, server):
        return self.stack.enter_context(Client(server.server_address))

    def is_served(self, client):
        return client.send(request("/api/is_paused")).reply().status == 200

    def test_the_one_kept_alive_longest_gives_way_to_a_new_one(self):
        with serving(max_connections=3) as server:
            silent, first, second = (self.connect(server) for _ in range(3))
            for client in (first, second):
                self.assertTrue(self.is_served(client))
                wait_until(lambda: all(connection.idle for connection in server._connections))
            wait_until(lambda: len(server._connections) == 3)
            newcomer = self.connect(server)
            self.assertTrue(self.is_served(newcomer))
            self.assertTrue(first.at_end())
            self.assertTrue(self.is_served(second))
            self.assertTrue(self.is_served(silent))

    def test_one_more_is_told_so_at_once_when_all_are_busy(self):
        for limits, status in (({"max_connections": 2}, 503), ({"max_connections_per_address": 2}, 429)):
            with self.subTest(status), serving(**limits) as server:
                with at_work(server, 2) as busy:
                    for _ in range(3):
                        client = self.connect(server)
                        reply = client.reply()
                        self.assertEqual((status, "close"), (reply.status, reply.headers["connection"]))
                        self.assertIn("retry-after", reply.headers)
                        self.assertTrue(client.at_end())
                        client.send(request("/"))
                wait_until(lambda server=server: all(connection.idle for connection in server._connections))
                for client in (busy[0], self.connect(server)) if status == 429 else ():
                    client.__exit__()
                wait_until(lambda server=server: sum(server._places.values()) <= 2)

    def test_places_are_given_back(self):
        with serving(max_connections=2) as server:
            for _ in range(10):
                with Client(server.server_address) as client:
                    self.assertTrue(self.is_served(client))
                wait_until(lambda: not server._places)
            self.assertEqual(0, len(server._turned_away))

    def test_a_place_that_no_thread_could_be_started_for_is_free(self):
        with Logged(), serving(max_connections=1) as server:
            with mock.patch.object(server, "start_thread", side_effect=RuntimeError("no thread")):
                self.assertTrue(self.connect(server).at_end())
            self.assertTrue(self.is_served(self.connect(server)))

    def test_only_so_many_of_those_turned_away_are_kept(self):
        limited = mock.patch.object(luigid, "MAX_TURNED_AWAY", 3)
        with limited, serving(max_connections=1) as server, at_work(server, 1):
            for _ in range(6):
                self.assertEqual(503, self.connect(server).reply().status)
                self.assertLessEqual(len(server._turned_away), 3)
        self.assertEqual(0, len(server._turned_away))

    def test_those_turned_away_are_forgotten_in_time(self):
        hasty = mock.patch.multiple(luigid, SWEEP_SECONDS=0, LINGER_SECONDS=0)
        with hasty, serving(max_connections=1) as server, at_work(server, 1):
            self.assertEqual(503, self.connect(server).reply().status)
            wait_until(lambda: not server._turned_away)

    def test_a_unix_socket_has_no_address_to_count(self):
        path = os.path.join(self.stack.enter_context(tempfile.TemporaryDirectory()), "socket")
        with serving(unix_socket=path, max_connections_per_address=1) as server:
            clients = [self.connect(server) for _ in range(3)]
            self.assertTrue(all(map(self.is_served, clients)))
            self.assertTrue(all(map(self.is_served, clients)))

    def test_no_limit_for_an_address(self):
        with serving(max_connections_per_address=0) as server:
            clients = [self.connect(server) for _ in range(50)]
            self.assertTrue(all(map(self.is_served, clients)))
            self.assertTrue(all(map(self.is_served, clients)))

    def test_calls_beyond_the_limit_are_refused_and_the_rest_is_served(self):
        with serving(max_calls=1) as server:
            client = self.connect(server)
            with at_work(server, 1):
                reply = client.send(request("/api/is_paused")).reply()
                self.assertEqual((503, "1"), (reply.status, reply.headers["retry-after"]))
                self.assertEqual(200, client.send(request("/healthz")).reply().status)
            with mock.patch.object(server.scheduler, "ping", side_effect=luigid.BadRequest("no")):
                self.assertEqual(400, client.send(call("ping", worker="w")).reply().status)
            wait_until(lambda: server.calls.qsize() == 1)
            self.assertTrue(self.is_served(client))

    def test_a_thousand_workers_on_one_host(self):
        with serving() as server:
            clients = [self.connect(server) for _ in range(1000)]
            for client in clients:
                client.send(request("/api/is_paused"))
            self.assertEqual({200}, {client.reply().status for client in clients})
            self.assertTrue(self.is_served(clients[0]))


#: a change made by hand -> its arguments
CHANGES = {
    "re_enable_task": {"task_id": "t"},
    "forgive_failures": {"task_id": "t"},
    "mark_as_done": {"task_id": "t"},
    "pause": {},
    "unpause": {},
    "update_resource": {"resource": "r", "amount": 3},
    "update_resources": {"r": 4, "s": 5},
    "disable_worker": {"worker": "w"},
    "set_worker_processes": {"worker": "w", "n": 3},
    "send_scheduler_message": {"worker": "w", "task": "t", "content": "hi"},
}


class AuditTest(ServerTest):
    def setUp(self):
        super().setUp()
        self.server.audit_trail.clear()

    def trail(self):
        return self.ask(request("/api/audit")).json["response"]

    def lines(self):
        return [record.getMessage() for record in self.logged if record.name == "luigid.audit"]

    def tearDown(self):
        self.logged[:] = [record for record in self.logged if record.name != "luigid.audit"]
        super().tearDown()

    def test_each_change_made_by_hand_is_one_line_and_one_entry(self):
        luigid.audit_logger.setLevel(logging.INFO)
        self.addCleanup(luigid.audit_logger.setLevel, logging.NOTSET)
        before = time.time()
        for name, arguments in CHANGES.items():
            self.assertEqual(200, self.ask(call(name, **arguments)).status)
        said = [luigid.encode_json(arguments) for arguments in CHANGES.values()]
        lines = self.lines()
        self.assertEqual(len(CHANGES), len(lines))
        for line, name, text in zip(lines, CHANGES, said):
            self.assertTrue(line.startswith(f"somebody from 127.0.0.1: {name} {text} -> "), line)
        self.assertTrue(lines[2].endswith(' -> {"task_id":"t","status":null}'), lines[2])
        trail = self.trail()[::-1]
        self.assertEqual(list(zip(CHANGES, said)), [(entry["call"], entry["arguments"]) for entry in trail])
        for entry in trail:
            self.assertTrue(before <= entry["time"] <= time.time())
            self.assertEqual((None, "127.0.0.1"), (entry["user"], entry["address"]))

    def test_what_workers_do_on_their_own_is_not(self):
        for name in set(luigid.RPC_METHODS) - set(CHANGES):
            needed = {"worker": "w", "task_id": "t", "info": {}, "task_family": "F", "batched_args": ["p"]}
            self.ask(call(name, **needed))
        self.assertEqual(([], []), (self.trail(), self.lines()))

    def test_what_was_refused_is_not(self):
        self.ask(call("mark_as_done", task_id=7))
        self.ask(call("update_resources", r=-1))
        self.assertEqual([], self.trail())

    def test_neither_is_forged_nor_without_end(self):
        hostile = "x\r\n2026-01-01 luigid.audit: root from 1.1.1.1: pause {}\x1b[2J\u2028" + "y" * 100_000
        self.ask(call("mark_as_done", task_id=hostile, unknown="not kept"))
        (entry,) = self.trail()
        self.assertLessEqual(len(entry["arguments"]), luigid.AUDIT_CHARACTERS)
        self.assertTrue(entry["arguments"].isprintable())
        self.assertNotIn("not kept", entry["arguments"])

    def test_the_last_ones_are_kept(self):
        for number in range(luigid.AUDIT_ENTRIES + 5):
            self.server.audit_trail.append({"call": number})
        trail = self.trail()
        self.assertEqual((luigid.AUDIT_ENTRIES, luigid.AUDIT_ENTRIES + 4), (len(trail), trail[0]["call"]))


class DescriptionTest(ServerTest):
    def test_every_call_is_described_with_its_arguments(self):
        document = self.ask(request("/api/openapi.json")).json
        self.assertEqual("3.1.0", document["openapi"])
        own = [*luigid.CALLS, *luigid.OWN_CALLS, *(f"history/{name}" for name in luigid.HISTORY_CALLS)]
        self.assertEqual({f"/api/{name}" for name in own}, set(document["paths"]))
        for name, spec in luigid.RPC_METHODS.items():
            path = document["paths"][f"/api/{name}"]
            schema = path["post"]["requestBody"]["content"]["application/json"]["schema"]
            self.assertEqual(set(spec.params), set(schema["properties"]))
            self.assertEqual(sorted(spec.required), schema["required"])
            self.assertEqual(bool(spec.required), path["get"]["parameters"][0]["required"])
            self.assertTrue(path["get"]["summary"])

    def test_what_it_refers_to_is_there(self):
        document = luigid.describe_api()

        def references(value):
            if isinstance(value, dict):
                yield from [value["$ref"]] if "$ref" in value else []
                value = list(value.values())
            for item in value if isinstance(value, (list, tuple)) else ():
                yield from references(item)

        found = set(references(json.loads(json.dumps(document))))
        self.assertTrue(found)
        for reference in found:
            place = document
            for step in reference.removeprefix("#/").split("/"):
                place = place[step]

    def test_python_may_leave_docstrings_out(self):
        command = [sys.executable, "-B", "-OO", "-c", "import luigid; luigid.describe_api()"]
        done = subprocess.run(command, cwd=os.path.dirname(luigid.__file__), stderr=subprocess.PIPE, timeout=60)
        self.assertEqual((0, b""), (done.returncode, done.stderr))


if __name__ == "__main__":
    unittest.main()
