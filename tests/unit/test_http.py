"""The HTTP server: what it answers to what, byte for byte over real sockets, and how connections begin and end."""

import contextlib
import errno
import gzip
import json
import logging
import math
import os
import random
import select
import socket
import stat
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
from typing import NamedTuple
from unittest import mock

import luigid

PATIENCE = 20  # seconds until a test gives up; none of them lasts that long unless it fails


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Client:
    """A raw connection to a server."""

    def __init__(self, address):
        family = (
            socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        )
        self.socket = socket.socket(family)
        self.socket.settimeout(PATIENCE)
        try:
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise
        self.stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.socket.close()

    def send(self, *raw):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before all was sent; the reply tells
            self.socket.sendall(b"".join(raw))
        return self

    def reply(self, to="GET"):
        status_line = self.stream.readline()
        if not status_line:
            raise EOFError("no reply")
        headers = {}
        for line in iter(self.stream.readline, b"\r\n"):
            name, _, value = line.decode("latin-1").partition(":")
            assert name.lower() not in headers or name.lower() == "vary", f"{name} twice"
            headers[name.lower()] = ", ".join(filter(None, (headers.get(name.lower()), value.strip())))
        status = int(status_line.split()[1])
        size = 0 if to == "HEAD" or status in (100, 204, 304) else int(headers["content-length"])
        return Reply(status, headers, self.stream.read(size))

    def has_news(self):
        return bool(select.select([self.socket], [], [], 0)[0])

    def at_end(self):
        """Wait for the server to close the connection; whether it said nothing more."""
        try:
            return self.stream.read() == b""
        except ConnectionResetError:
            return True


def request(target, verb="GET", body=b"", version="1.1", **headers):
    """A request as bytes; header names with underscores, a value of None leaves the header out."""
    fields = {"Host": "localhost", "Content_Length": str(len(body)) if body else None, **headers}
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items() if value is not None]
    return f"{verb} {target} HTTP/{version}\r\n{''.join(lines)}\r\n".encode("latin-1") + body


def form(**fields):
    return urllib.parse.urlencode(fields).encode()


def post(method, body, content_type="application/x-www-form-urlencoded", **headers):
    return request(f"/api/{method}", "POST", body, Content_Type=content_type, **headers)


def call(method, **arguments):
    return post(method, form(data=json.dumps(arguments)))


def chunked(*chunks):
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain")
        time.sleep(0.001)


@contextlib.contextmanager
def serving(**options):
    """A server that serves, around a scheduler of its own."""
    server = luigid.make_server(luigid.Scheduler(), **options)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def connection_threads():
    return [thread for thread in threading.enumerate() if thread.name == "connection"]


class Logged(logging.Handler):
    """Collects what is logged while it is in use."""

    def __enter__(self):
        self.records = []
        luigid.logger.addHandler(self)
        luigid.logger.propagate = False
        return self.records

    def __exit__(self, *_):
        luigid.logger.removeHandler(self)
        luigid.logger.propagate = True

    def emit(self, record):
        self.records.append(record)


class ServerTest(unittest.TestCase):
    """Tests against one server; whatever they send, it logs nothing, unless a test says otherwise."""

    options: dict[str, object] = {}

    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.logged = cls.stack.enter_context(Logged())
        cls.server = cls.stack.enter_context(serving(**cls.options))

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def setUp(self):
        self.logged.clear()

    def tearDown(self):
        self.assertEqual([], [record.getMessage() for record in self.logged])

    def connect(self):
        client = Client(self.server.server_address)
        self.addCleanup(client.__exit__)
        return client

    def ask(self, raw):
        verb = raw.split(b" ", 1)[0].decode("latin-1")
        with Client(self.server.server_address) as client:
            reply = client.send(raw).reply(to=verb)
            client.socket.shutdown(socket.SHUT_WR)
            self.assertTrue(client.at_end(), "no more than a reply to a request")
            return reply


class CallTest(ServerTest):
    options = {"max_body": 3_000_000}

    def test_a_call_can_be_written_in_many_ways(self):
        data = json.dumps({"task_id": "ü+%& 1"})
        query = urllib.parse.urlencode({"data": data})
        zipped = gzip.compress(form(data=data))
        ways = {
            "form": post("fetch_error", form(data=data)),
            "form with a charset": post(
                "fetch_error", form(data=data), "application/x-www-form-urlencoded; charset=UTF-8"
            ),
            "form in capitals": post("fetch_error", form(data=data), "Application/X-WWW-Form-Urlencoded"),
            "query": request(f"/api/fetch_error?{query}"),
            "query, posted": request(f"/api/fetch_error?{query}", "POST"),
            "other fields around": post("fetch_error", b"a=1&" + form(data=data) + b"&mydata=2&b"),
            "json": post("fetch_error", data.encode(), "application/json"),
            "json in UTF-8": post("fetch_error", '{"task_id": "ü+%& 1"}'.encode(), "application/json; charset=utf-8"),
            "unquoted UTF-8": post("fetch_error", 'data={"task_id": "ü%2B%25%26 1"}'.encode()),
            "over several lines": post("fetch_error", b'data={\r\n"task_id":\n"%C3%BC%2B%25%26+1"\r}'),
            "the last one counts": post("fetch_error", b"data=%7B&" + form(data=data)),
            "the body before the query": request(
                "/api/fetch_error?data=%7B", "POST", form(data=data), Content_Type="application/x-www-form-urlencoded"
            ),
            "the query without one in the body": request(
                f"/api/fetch_error?{query}", "POST", b"a=1", Content_Type="application/x-www-form-urlencoded"
            ),
            "a repeated argument": post(
                "fetch_error", b'{"task_id": 1, "task_id": %s}' % json.dumps("ü+%& 1").encode(), luigid.JSON
            ),
            "an argument nobody knows": post(
                "fetch_error", form(data=json.dumps({"self": 1, "x": {}, "task_id": "ü+%& 1"}))
            ),
            "absolute target": request(f"http://localhost:8082/api/fetch_error?{query}"),
            "HTTP/1.0": request(f"/api/fetch_error?{query}", version="1.0", Host=None),
            "after an empty line": b"\r\n" + post("fetch_error", form(data=data)),
            "gzip": post("fetch_error", zipped, Content_Encoding="gzip"),
            "identity": post("fetch_error", form(data=data), Content_Encoding="identity"),
            "chunked": post("fetch_error", b"", Transfer_Encoding="chunked")
            + chunked(form(data=data)[:5], form(data=data)[5:]),
            "chunked with trimmings": post("fetch_error", b"", Transfer_Encoding="Chunked")
            + b"00%X;a=b\r\n%s\r\n0\r\nTrailer: 1\r\n\r\n" % (len(form(data=data)), form(data=data)),
        }
        for way, raw in ways.items():
            with self.subTest(way):
                reply = self.ask(raw)
                self.assertEqual({"response": {"taskId": "ü+%& 1", "error": ""}}, reply.json)
                self.assertEqual(200, reply.status)
                self.assertEqual("application/json; charset=UTF-8", reply.headers["content-type"])
                self.assertEqual("nosniff", reply.headers["x-content-type-options"])
                self.assertEqual("no-store", reply.headers["cache-control"])

    def test_without_data_all_arguments_have_their_defaults(self):
        for raw in (
            request("/api/is_paused"),
            request("/api/is_paused", "POST"),
            post("is_paused", b"x=1"),
            request("/api/is_paused?"),
        ):
            with self.subTest(raw):
                self.assertEqual({"response": {"paused": False}}, self.ask(raw).json)

    def test_odd_but_legal_texts_come_back_as_they_were(self):
        for text in (
            '"\\ud800"',
            '"\\u0000"',
            '"\\ud83d\\ude00"',
            '"</script>"',
            f'"{"x" * 1_000_000}"',
            '"%22 + %2522"',
        ):
            with self.subTest(text[:20]):
                reply = self.ask(post("fetch_error", b'{"task_id": %s}' % text.encode(), "application/json"))
                self.assertEqual(json.loads(text), reply.json["response"]["taskId"])
                self.assertTrue(reply.body.isascii())

    def test_infinities_become_the_largest_number(self):
        for number, meant in (
            ("Infinity", sys.float_info.max),
            ("-Infinity", -sys.float_info.max),
            ("1e999", sys.float_info.max),
            ("-1e999", -sys.float_info.max),
            ("1.5", 1.5),
            ("-3", -3),
            ("9" * 308, int("9" * 308)),
        ):
            with self.subTest(number[:20]):
                self.assertEqual({"n": meant}, luigid.parse_arguments(b'{"n": %s}' % number.encode()))

    def test_what_is_no_set_of_arguments_is_refused_and_says_why(self):
        for data, why in {
            b" ": "Expecting value",
            b"{": "Expecting property name",
            b"[]": "must be a JSON object",
            b"null": "must be a JSON object",
            b"{'a': 1}": "Expecting property name",
            b'{"a": 1} x': "Extra data",
            b'{"a": "\x01"}': "Invalid control character",
            b'{"a": "\xff"}': "'utf-8' codec",
            b'{"a": "\xed\xa0\x80"}': "'utf-8' codec",
            b'{"a": NaN}': "NaN",
            b'{"a": %s}' % (b"1" * 10_000): "an integer of 10000 digits",
            b'{"a": %s1%s}' % (b"[" * 100_000, b"]" * 100_000): "nested deeper than 100",
            b'{"a":' * 100_000: "nested deeper than 100",
        }.items():
            for raw in (
                post("ping", data, "application/json"),
                post("ping", b"data=" + urllib.parse.quote(data).encode()),
            ):
                with self.subTest(raw[-60:]):
                    reply = self.ask(raw)
                    self.assertEqual(400, reply.status)
                    self.assertIn(why, reply.json["error"])

    def test_nesting_is_counted_outside_of_texts(self):
        deepest = '{"a": %s%s}' % ("[" * 99, "]" * 99)
        for data, accepted in {
            deepest: True,
            deepest.replace("[]", "[[]]"): False,
            json.dumps({"a": "[" * 1000}): True,
            json.dumps({"a": '\\"' * 200 + "{" * 200, "b": "\\"}): True,
            json.dumps({"a": "\\", "b": "{" * 200, "c": '\\\\"', "d": "[" * 200}): True,
            json.dumps({"a": [[]] * 1000}): True,
        }.items():
            with self.subTest(data[:40]):
                if accepted:
                    self.assertEqual(json.loads(data), luigid.parse_arguments(data.encode()))
                else:
                    self.assertRaisesRegex(luigid.HttpError, "nested", luigid.parse_arguments, data.encode())

    def test_the_scheduler_says_what_is_wrong_with_an_argument(self):
        for raw, name in (
            (call("get_work"), "worker"),
            (call("ping", worker=[]), "worker"),
            (call("add_task", worker="w", task_id=7), "task_id"),
        ):
            with self.subTest(name):
                reply = self.ask(raw)
                self.assertEqual(400, reply.status)
                self.assertIn(name, reply.json["error"])

    def test_unknown_methods_are_not_found(self):
        for name, near in {
            "pign": "ping",
            "get-work": "get_work",
            "__init__": "",
            "load": "",
            "dump": "",
            "": "",
            "ping/": "ping",
            "x" * 60_000: "",
        }.items():
            with self.subTest(name[:20]):
                reply = self.ask(call(name, worker="w"))
                self.assertEqual(404, reply.status)
                self.assertIn(f"(did you mean {near}?)" if near else "there is no method", reply.json["error"])

    def test_other_bodies_are_not_guessed_at(self):
        for content_type in ("text/plain", "multipart/form-data; boundary=x", "application/jsonp", None):
            with self.subTest(content_type):
                reply = self.ask(request("/api/prune", "POST", b'{"a": 1}', Content_Type=content_type))
                self.assertEqual(415, reply.status)

    def test_large_replies_are_compressed_for_those_who_accept_it(self):
        long = call("fetch_error", task_id="x" * 10_000)
        plain = self.ask(long)
        self.assertNotIn("content-encoding", plain.headers)
        self.assertEqual("Accept-Encoding", plain.headers["vary"])
        for accepted, zipped in {
            "gzip": True,
            "deflate, gzip;q=1.0, *;q=0.5": True,
            "br , GZIP ; q=0.001": True,
            "gzip;q=0": False,
            "gzip; q=0.000, br": False,
            "deflate": False,
            "notgzip": False,
            "": False,
        }.items():
            with self.subTest(accepted):
                reply = self.ask(long.replace(b"Host:", f"Accept-Encoding: {accepted}\r\nHost:".encode()))
                self.assertEqual("gzip" if zipped else None, reply.headers.get("content-encoding"))
                self.assertEqual(plain.body, gzip.decompress(reply.body) if zipped else reply.body)
        small = self.ask(call("fetch_error", task_id="x").replace(b"Host:", b"Accept-Encoding: gzip\r\nHost:"))
        self.assertNotIn("content-encoding", small.headers)

    def test_bodies_over_the_limit_are_refused_unread(self):
        bomb = gzip.compress(b"x" * 3_000_001)
        for name, raw in {
            "announced": post("ping", b"", Content_Length="3000001"),
            "announced as a very long number": post("ping", b"", Content_Length="9" * 5000),
            "asked for first": post("ping", b"", Content_Length="3000001", Expect="100-continue"),
            "sent": post("ping", b"x" * 3_000_001),
            "in one chunk": post("ping", b"", Transfer_Encoding="chunked") + b"2dc6c1\r\n",
            "in a huge chunk": post("ping", b"", Transfer_Encoding="chunked") + b"fffffffffffffff\r\n",
            "in several chunks": post("ping", b"", Transfer_Encoding="chunked")
            + chunked(b"x" * 2_000_000, b"x" * 2_000_000),
            "compressed": post("ping", bomb, Content_Encoding="gzip"),
        }.items():
            with self.subTest(name), self.connect() as client:
                reply = client.send(raw).reply()
                self.assertEqual(413, reply.status)
                self.assertIn("larger than 3000000 bytes", reply.json["error"])
                self.assertTrue(client.at_end())

    def test_a_client_that_asks_first_is_told_to_go_on(self):
        body = form(data=json.dumps({"task_id": "x"}))
        client = self.connect().send(post("fetch_error", b"", Content_Length=str(len(body)), Expect="100-Continue"))
        self.assertEqual(100, client.reply().status)
        self.assertEqual("x", client.send(body).reply().json["response"]["taskId"])
        old = request("/api/fetch_error", "POST", body, "1.0", Content_Type=luigid.FORM, Expect="100-continue")
        self.assertEqual(200, self.ask(old).status)
        self.assertEqual(417, self.ask(post("fetch_error", body, Expect="miracles")).status)

    def test_damaged_or_unknown_encodings_are_refused(self):
        zipped = gzip.compress(form(data="{}"))
        for body, coding, status in (
            (zipped[:-9], "gzip", 400),
            (b"x", "gzip", 400),
            (zipped[:12] + b"\xff" + zipped[13:], "gzip", 400),
            (zipped, "br", 415),
        ):
            with self.subTest(status=status, body=body):
                self.assertEqual(status, self.ask(post("prune", body, Content_Encoding=coding)).status)

    def test_the_fast_way_to_undo_percent_encoding_agrees_with_the_library(self):
        pieces = b'% %4 %41 %25 %0A %c3%bc + = a 0 %% %zz " \xff'.split(b" ") + [b"\r", b"\n", b"%\n", b"%\r", b" "]
        one_white = bytes.maketrans(b"\r\n", b"\t\t")  # which kind of white space it is makes no difference to JSON
        chance = random.Random(4)
        for _ in range(3000):
            value = b"".join(chance.choices(pieces, k=chance.randrange(12)))
            expected = urllib.parse.unquote_to_bytes(value.replace(b"+", b" "))
            self.assertEqual(expected.translate(one_white), luigid.unquote_form(value).translate(one_white), value)


class ProtocolTest(ServerTest):
    def test_every_malformed_request_is_answered_and_ends_the_connection(self):
        ping = form(data=json.dumps({"worker": "smuggled"}))
        sized = f"Content-Length: {len(ping)}"
        for name, raw, status in (
            ("no version", b"GET /\r\n\r\n", 400),
            ("another version", b"GET / HTTP/2.0\r\n\r\n", 505),
            ("not a version", b"GET / HTTP/1.x\r\n\r\n", 400),
            ("two spaces", b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("a space in the target", b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("a tab in the target", b"GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("NUL in the target", b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("a verb that is none", b"G(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\n", 400),
            ("bare LF after the request line", b"GET / HTTP/1.1\nHost: x\r\n\r\n", 400),
            ("bare LF after a header", b"GET / HTTP/1.1\r\nHost: x\n\n", 400),
            ("bare CR", b"GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n", 400),
            ("no host", b"GET / HTTP/1.1\r\n\r\n", 400),
            ("two hosts", b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400),
            ("no colon", request("/", A=None, Host="x\r\nno colon here"), 400),
            ("a space before the colon", request("/", Host="x\r\nA : b"), 400),
            ("an empty name", request("/", Host="x\r\n: b"), 400),
            ("folding", request("/", Host="x\r\nA: b\r\n c"), 400),
            ("folding of the first line", b"GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400),
            ("NUL in a header", request("/", A="a\0b"), 400),
            ("a control character in a header", request("/", A="a\x7fb"), 400),
            ("a name that is no token", request("/", Host="x\r\nA(b): c"), 400),
            ("long request line", request("/" + "x" * 65_536), 414),
            ("long header", request("/", A="x" * 65_536), 431),
            ("many headers", request("/", **{f"A{i}": "b" for i in range(100)}), 431),
            ("many long headers", request("/", **{f"A{i}": "b" * 1000 for i in range(70)}), 431),
            ("two lengths", post("ping", ping, Host=f"x\r\n{sized}"), 400),
            ("two lengths in one", post("ping", ping, Content_Length=f"{len(ping)}, {len(ping)}"), 400),
            ("length with a sign", post("ping", ping, Content_Length=f"+{len(ping)}"), 400),
            ("negative length", post("ping", ping, Content_Length="-1"), 400),
            ("hexadecimal length", post("ping", ping, Content_Length="0x5"), 400),
            ("superscript length", post("ping", ping, Content_Length="\xb2"), 400),
            ("empty length", post("ping", ping, Content_Length=""), 400),
            ("length and chunks", post("ping", chunked(ping), Transfer_Encoding="chunked"), 400),
            ("chunks in HTTP/1.0", request("/api/ping", "POST", version="1.0", Transfer_Encoding="chunked"), 400),
            ("another coding", post("ping", b"", Transfer_Encoding="gzip, chunked"), 501),
            ("chunks twice", post("ping", b"", Transfer_Encoding="chunked\r\nTransfer-Encoding: chunked"), 501),
            (
                "chunk size that is none",
                post("ping", b"", Transfer_Encoding="chunked") + b"0x5\r\nabcde\r\n0\r\n\r\n",
                400,
            ),
            (
                "chunk size with a sign",
                post("ping", b"", Transfer_Encoding="chunked") + b"+5\r\nabcde\r\n0\r\n\r\n",
                400,
            ),
            ("chunk size with bare LF", post("ping", b"", Transfer_Encoding="chunked") + b"5\nabcde\r\n0\r\n\r\n", 400),
            ("chunk without an end", post("ping", b"", Transfer_Encoding="chunked") + b"4\r\ndataXX0\r\n\r\n", 400),
            (
                "chunk longer than said",
                post("ping", b"", Transfer_Encoding="chunked") + b"4\r\nabcde\r\n0\r\n\r\n",
                400,
            ),
            ("malformed trailer", post("ping", b"", Transfer_Encoding="chunked") + b"0\r\nA : b\r\n\r\n", 400),
        ):
            with self.subTest(name), self.connect() as client:
                reply = client.send(raw, call("ping", worker="smuggled")).reply()
                self.assertEqual(status, reply.status)
                self.assertEqual("close", reply.headers["connection"])
                self.assertIn(
                    "error" if b" /api" in raw else "content-security-policy",
                    reply.json if b" /api" in raw else reply.headers,
                )
                self.assertTrue(client.at_end(), "what follows a malformed request must not be taken for another one")
        self.assertEqual([], self.ask(call("worker_list")).json["response"])

    def test_a_request_may_arrive_in_pieces(self):
        raw = (
            call("fetch_error", task_id="piecemeal")
            + post("fetch_error", b"", Transfer_Encoding="chunked")
            + chunked(form(data='{"task_id": "x"}'))
        )
        client = self.connect()
        for i in range(len(raw)):
            client.send(raw[i : i + 1])
        self.assertEqual("piecemeal", client.reply().json["response"]["taskId"])
        self.assertEqual("x", client.reply().json["response"]["taskId"])

    def test_a_bare_line_feed_is_refused_without_waiting_for_more(self):
        for raw in (b"GET / HTTP/1.1\n", b"GET / HTTP/1.1\r\nHost: x\n", b"GET / HTTP/1.1\r\nHost: x\r\n\n"):
            self.assertEqual(400, self.connect().send(raw).reply().status)

    def test_a_refusal_is_not_lost_in_a_reset(self):
        with mock.patch.object(luigid, "LINGER_SECONDS", PATIENCE):
            client = self.connect().send(post("ping", b"", Content_Length="1" * 10), b"x" * 100_000)
            self.assertEqual(413, client.reply().status)
            self.assertEqual(b"", client.stream.read())
        for _ in range(2):
            client.socket.sendall(b"still being sent")

    def test_requests_may_be_sent_ahead(self):
        client = self.connect().send(*(call("fetch_error", task_id=str(i)) for i in range(50)))
        self.assertEqual([str(i) for i in range(50)], [client.reply().json["response"]["taskId"] for _ in range(50)])

    def test_what_heads_mean_is_remembered_but_no_secret_and_not_without_end(self):
        known = mock.patch.multiple(luigid, _known_headers={}, _known_request_lines={}, MAX_KNOWN=3)
        with known:
            for line in (b"X-Number: 1", b"Authorization: Basic c2VjcmV0", b"Proxy-authorization: x", b"cOOKIE: x"):
                for target in (b"/api/graph", b"/api/graph?token=secret"):
                    self.ask(b"GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n" % (target, line))
            self.assertEqual([b"GET /api/graph HTTP/1.1\r\n"], list(luigid._known_request_lines))
            self.assertEqual([b"Host: x\r\nX-Number: 1\r\n"], list(luigid._known_headers))
            lines = [b"GET /%d HTTP/1.1\r\n" % number for number in range(8)]
            for number, line in enumerate(lines):
                self.ask(b"%sHost: x\r\nX-Number: %d\r\n\r\n" % (line, number))
            self.assertEqual(lines[-3:], list(luigid._known_request_lines))
            self.assertEqual(3, len(luigid._known_headers))

    def test_errors_that_are_understood_keep_the_connection(self):
        client = self.connect()
        for raw, status in (
            (call("nothing"), 404),
            (call("ping", worker=1), 400),
            (request("/nowhere"), 404),
            (request("/", "PUT"), 405),
            (call("is_paused"), 200),
        ):
            reply = client.send(raw).reply()
            self.assertEqual(status, reply.status)
            self.assertNotIn("connection", reply.headers)

    def test_either_side_may_say_that_it_is_the_last_request(self):
        for raw, header, closes in (
            (request("/api/is_paused"), None, False),
            (request("/api/is_paused", Connection="Keep-Alive"), None, False),
            (request("/api/is_paused", Connection="Close"), "close", True),
            (request("/api/is_paused", Connection="TE, close"), "close", True),
            (request("/api/is_paused", version="1.0"), "close", True),
            (request("/api/is_paused", version="1.0", Connection="keep-alive"), "keep-alive", False),
        ):
            with self.subTest(raw), self.connect() as client:
                self.assertEqual(header, client.send(raw).reply().headers.get("connection"))
                if closes:
                    self.assertTrue(client.at_end())
                else:
                    self.assertEqual(200, client.send(raw).reply().status)

    def test_a_client_that_sends_no_more_still_gets_its_reply(self):
        client = self.connect().send(request("/api/is_paused"))
        client.socket.shutdown(socket.SHUT_WR)
        self.assertEqual(200, client.reply().status)
        self.assertTrue(client.at_end())

    def test_clients_that_leave_in_the_middle_are_no_errors(self):
        raw = call("fetch_error", task_id="x" * 10)
        for size in (0, 3, 16, 30, raw.index(b"\r\n\r\n") + 2, len(raw) - 1, len(raw)):
            client = self.connect().send(raw[:size])
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close by a reset
            client.__exit__()
        wait_until(lambda: not self.server._connections)
        self.assertEqual(200, self.ask(raw).status)

    def test_a_failure_in_a_handler_is_logged_once_and_spares_the_others(self):
        def fail(**_):
            raise OSError(errno.ENOSPC, "disk full, secret\r\nforged")

        bystander = self.connect().send(request("/api/is_paused"))
        bystander.reply()
        with mock.patch.object(self.server.scheduler, "ping", fail), self.connect() as client:
            reply = client.send(call("ping", worker="w")).reply()
            self.assertTrue(client.at_end())
        self.assertEqual(500, reply.status)
        self.assertNotIn("secret", reply.json["error"])
        self.assertEqual(["POST '/api/ping' failed"], [record.getMessage() for record in self.logged])
        self.assertIs(OSError, self.logged.pop().exc_info[0])
        self.assertEqual(200, bystander.send(request("/api/is_paused")).reply().status)

    def test_a_reply_leaves_at_once_and_whole(self):
        sockets, setup = [], luigid.Connection.setup

        def spied_on(connection):
            setup(connection)
            self.assertTrue(connection.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            connection.connection = mock.Mock(wraps=connection.connection)
            sockets.append(connection.connection)

        with mock.patch.object(luigid.Connection, "setup", spied_on):
            for raw in (call("is_paused"), call("fetch_error", task_id="x" * 1_000_000), call("nothing"), request("/")):
                self.ask(raw)
        for spied in sockets:
            self.assertEqual(["sendall"], [name for name, _, _ in spied.method_calls if name.startswith("send")])
        self.assertEqual(4, len(sockets))

    def test_many_clients_may_stay_connected(self):
        clients = [self.connect() for _ in range(200)]
        for _ in range(2):
            for client in clients:
                client.send(request("/api/is_paused"))
            self.assertEqual({200}, {client.reply().status for client in clients})


class RouteTest(ServerTest):
    def test_the_root_leads_to_the_page_relatively(self):
        for target in ("/", "/?a=1", "http://localhost"):
            reply = self.ask(request(target))
            self.assertEqual((302, "static/visualiser/index.html"), (reply.status, reply.headers["location"]))

    def test_load_balancers_get_an_empty_yes(self):
        reply = self.ask(request("/", "HEAD"))
        self.assertEqual((204, b""), (reply.status, reply.body))
        self.assertNotIn("content-length", reply.headers)

    def test_the_wrong_verb_is_told_the_right_ones(self):
        for target, verbs, allowed in (
            ("/", ("POST", "OPTIONS", "PUT"), "GET, HEAD"),
            ("/api/ping", ("HEAD", "PUT", "DELETE", "PATCH", "get"), "GET, POST, OPTIONS"),
            ("/static/visualiser/index.html", ("POST", "OPTIONS"), "GET, HEAD"),
        ):
            for verb in verbs:
                with self.subTest(target=target, verb=verb):
                    reply = self.ask(request(target, verb))
                    self.assertEqual((405, allowed), (reply.status, reply.headers["allow"]))

    def test_there_is_nothing_elsewhere(self):
        for target in (
            "/x",
            "//",
            "//evil.example/",
            "/api",
            "/apix/ping",
            "/static",
            "/static/",
            "/static/x",
            "*",
            "x",
            "/%2e%2e/",
            "/\xff<b>",
        ):
            with self.subTest(target):
                reply = self.ask(request(target))
                self.assertEqual(404, reply.status)
                self.assertEqual("text/plain; charset=UTF-8", reply.headers["content-type"])
                self.assertNotIn(b"<", reply.body)

    def test_replies_are_dated(self):
        self.assertRegex(self.ask(request("/")).headers["date"], r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")


class PagesTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.pages = os.path.join(directory.name, "pages")
        os.makedirs(os.path.join(cls.pages, "icons", "deep"))
        for name, content in cls.files.items():
            with open(os.path.join(cls.pages, name), "wb") as file:
                file.write(content)
        with open(os.path.join(directory.name, "secret.html"), "wb") as file:
            file.write(b"secret")
        os.symlink("../secret.html", os.path.join(cls.pages, "link.html"))
        os.symlink("..", os.path.join(cls.pages, "up"))
        os.symlink("index.html", os.path.join(cls.pages, "inside.html"))
        os.mkfifo(os.path.join(cls.pages, "pipe.html"))
        cls.options = {"pages": cls.pages}
        super().setUpClass()

    files = {
        "index.html": b"<!doctype html>" + b"long " * 1000,
        "style.css": b"a {}",
        "app-1.min.js": b"export {}",
        "icons/deep/a_b.svg": b"<svg/>",
        "a.png": b"\x89PNG",
        "a.ico": b"\0",
        "a.json": b"{}",
        "a.woff2": b"wOF2",
        "a.xyz": b"?",
        ".hidden": b"secret",
    }
    types = {
        "index.html": "text/html; charset=UTF-8",
        "": "text/html; charset=UTF-8",
        "style.css": "text/css; charset=UTF-8",
        "app-1.min.js": "text/javascript; charset=UTF-8",
        "icons/deep/a_b.svg": "image/svg+xml",
        "a.png": "image/png",
        "a.ico": "image/x-icon",
        "a.json": "application/json; charset=UTF-8",
        "a.woff2": "font/woff2",
        "a.xyz": "application/octet-stream",
    }

    def test_files_are_served_with_their_types_and_headers(self):
        for name, content_type in self.types.items():
            with self.subTest(name):
                reply = self.ask(request(f"/static/visualiser/{name}?v=1"))
                self.assertEqual((200, self.files[name or "index.html"]), (reply.status, reply.body))
                self.assertEqual(content_type, reply.headers["content-type"])
                self.assertEqual("no-cache", reply.headers["cache-control"])
                self.assertEqual("nosniff", reply.headers["x-content-type-options"])
                self.assertEqual("no-referrer", reply.headers["referrer-policy"])
                policy = reply.headers["content-security-policy"].split("; ")
                self.assertIn("default-src 'self'", policy)
                self.assertIn("frame-ancestors 'none'", policy)

    def test_a_known_file_is_not_sent_again(self):
        target = "/static/visualiser/index.html"
        first = self.ask(request(target))
        tag = first.headers["etag"]
        for known, status in (
            (tag, 304),
            (f'"x", {tag}', 304),
            (tag[2:], 304),
            ("*", 304),
            ('W/"x"', 200),
            (tag[:-2] + '"', 200),
            ("", 200),
        ):
            with self.subTest(known):
                reply = self.ask(request(target, If_None_Match=known))
                self.assertEqual((status, tag), (reply.status, reply.headers["etag"]))
                self.assertEqual(b"" if status == 304 else first.body, reply.body)

    def test_a_changed_file_is_sent_at_once(self):
        path = os.path.join(self.pages, "changing.css")
        tags = set()
        for content in (b"a", b"b"):
            with open(path, "wb") as file:
                file.write(content)
            reply = self.ask(request("/static/visualiser/changing.css"))
            self.assertEqual(content, reply.body)
            tags.add(reply.headers["etag"])
        self.assertEqual(2, len(tags))

    def test_head_tells_what_get_would(self):
        for headers in ({}, {"Accept_Encoding": "gzip"}):
            got = self.ask(request("/static/visualiser/index.html", **headers))
            told = self.ask(request("/static/visualiser/index.html", "HEAD", **headers))
            self.assertEqual(b"", told.body)
            self.assertEqual(int(told.headers["content-length"]), len(got.body))
            self.assertEqual(got.headers["etag"], told.headers["etag"])

    def test_no_path_leads_out_of_the_directory(self):
        for name in (
            "../secret.html",
            "%2e%2e/secret.html",
            "%2E%2E%2fsecret.html",
            "..%2fsecret.html",
            "..%5csecret.html",
            "..\\secret.html",
            "icons/../../secret.html",
            "icons/../index.html",
            "./index.html",
            "//etc/passwd",
            "/etc/passwd",
            "index.html%00.png",
            "index.html/",
            "index.html/x",
            ".hidden",
            "icons/.hidden",
            "icons",
            "icons/",
            "link.html",
            "up/secret.html",
            "pipe.html",
            "missing.html",
            "missing.css",
            "\xe4.html",
            "a" * 5000,
        ):
            with self.subTest(name[:40]):
                reply = self.ask(request(f"/static/visualiser/{name}"))
                self.assertEqual(404, reply.status)
                self.assertNotIn(b"secret", reply.body)

    def test_links_within_the_directory_are_fine(self):
        self.assertEqual(self.files["index.html"], self.ask(request("/static/visualiser/inside.html")).body)


class PagesMissingTest(ServerTest):
    options = {"pages": "/nowhere/<b>&/visualiser"}

    def test_the_page_says_what_is_missing_where_and_that_the_api_works(self):
        reply = self.ask(request("/static/visualiser/index.html"))
        page = reply.body.decode()
        self.assertEqual((200, "text/html; charset=UTF-8"), (reply.status, reply.headers["content-type"]))
        self.assertIn("/nowhere/&lt;b&gt;&amp;/visualiser", page)
        self.assertNotIn("{directory}", page)
        self.assertNotIn("style=", page)
        for link in ("../../api/task_list", "../../api/worker_list", "../../api/resource_list", "missing.css"):
            self.assertIn(f'"{link}"', page)
            url = urllib.parse.urljoin("/static/visualiser/index.html", link)
            self.assertEqual(200, self.ask(request(url)).status)
        self.assertEqual(404, self.ask(request("/static/visualiser/app.js")).status)


class CorsTest(unittest.TestCase):
    """Stock's `[cors]` options, every combination that decides something."""

    @staticmethod
    def expected(cors, origin, preflight):
        """What stock 3.8.1 answers, spelled out."""
        if not cors["enabled"] or not origin:
            return {}
        if origin == "null":
            allowed = "null" if cors["allow_null_origin"] else None
        else:
            allowed = "*" if cors["allow_any_origin"] else origin if origin == "http://good.example" else None
        if allowed is None:
            return {}
        headers = {"access-control-allow-origin": allowed}
        if preflight:
            headers["access-control-max-age"] = "60"
            headers["access-control-allow-methods"] = "GET, OPTIONS"
            headers["access-control-allow-headers"] = "Accept"
            if cors["allow_credentials"]:
                headers["access-control-allow-credentials"] = "true"
            if cors["exposed_headers"]:
                headers["access-control-expose-headers"] = "X-A"
        elif allowed == origin == "http://good.example":
            headers["vary"] = "Origin"
        return headers

    def test_every_combination(self):
        switches = ("enabled", "allow_any_origin", "allow_null_origin", "allow_credentials")
        for bits in range(2 ** len(switches)):
            cors = {name: bool(bits >> i & 1) for i, name in enumerate(switches)}
            cors.update(max_age=60, allowed_headers="Accept", exposed_headers="X-A" if bits % 3 else "")
            cors["allowed_origins"] = ["http://good.example", "*", "null"]
            with serving(cors=cors) as server, Client(server.server_address) as client:
                for origin in ("http://good.example", "http://evil.example", "null", "*", "", None):
                    for verb, status in (("GET", 200), ("POST", 200), ("OPTIONS", 204)):
                        with self.subTest(cors=cors, origin=origin, verb=verb):
                            reply = client.send(request("/api/is_paused", verb, Origin=origin)).reply()
                            self.assertEqual(status, reply.status)
                            got = {
                                k: v for k, v in reply.headers.items() if k.startswith("access-control-") or k == "vary"
                            }
                            self.assertEqual(self.expected(cors, origin, verb == "OPTIONS"), got)

    def test_without_options_stock_defaults_apply(self):
        with serving() as server, Client(server.server_address) as client:
            reply = client.send(request("/api/anything", "OPTIONS", Origin="http://a.example")).reply()
            self.assertEqual((204, []), (reply.status, [name for name in reply.headers if name.startswith("access-")]))

    def test_a_misspelt_option_is_an_error(self):
        with self.assertRaisesRegex(TypeError, "allowed_orgins.*did you mean allowed_origins"):
            luigid.make_server(luigid.Scheduler(), cors={"allowed_orgins": []})


class ListenTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, "socket")

    def works(self, server, address=None):
        with Client(address or server.server_address) as client:
            return client.send(request("/api/is_paused")).reply().status == 200

    def test_an_address_given_is_the_only_one(self):
        with serving() as server:
            host, port = server.server_address
            self.assertEqual("127.0.0.1", host)
            self.assertTrue(self.works(server))
            with self.assertRaises(OSError):
                luigid.make_server(luigid.Scheduler(), port=port)

    def test_by_default_stock_listens_everywhere(self):
        for host in (None, ""):
            with serving(host=host) as server:
                port = server.server_address[1]
                self.assertTrue(self.works(server, ("127.0.0.1", port)))
                if server.address_family == socket.AF_INET6:
                    self.assertTrue(self.works(server, ("::1", port)))

    @unittest.skipUnless(socket.has_dualstack_ipv6(), "no IPv6 here")
    def test_an_ipv6_address_is_not_more_than_it_says(self):
        with serving(host="::1") as server:
            self.assertEqual("::1", server.server_address[0])
            self.assertTrue(self.works(server))
        with serving(host="::") as server, self.assertRaises(ConnectionRefusedError):
            self.works(server, ("127.0.0.1", server.server_address[1]))

    def test_without_ipv6_there_is_ipv4(self):
        for trouble in ({"return_value": False}, {"side_effect": OSError(errno.EAFNOSUPPORT, "switched off")}):
            with mock.patch.object(socket, "has_dualstack_ipv6", **trouble), serving(host=None) as server:
                self.assertEqual("0.0.0.0", server.server_address[0])
                self.assertTrue(self.works(server, ("127.0.0.1", server.server_address[1])))

    def test_a_name_with_two_addresses_means_the_one_every_client_tries(self):
        found = socket.getaddrinfo("127.0.0.1", 0, type=socket.SOCK_STREAM)
        other = [(socket.AF_INET6, *found[0][1:4], ("::1", 0, 0, 0))]
        for addresses in (found + other, other + found):
            with mock.patch.object(socket, "getaddrinfo", return_value=addresses), serving(host="both") as server:
                self.assertEqual("127.0.0.1", server.server_address[0])

    def test_a_crowd_may_connect_before_the_first_is_accepted(self):
        server = luigid.make_server(luigid.Scheduler())
        self.addCleanup(server.server_close)
        clients = [Client(server.server_address) for _ in range(300)]
        for client in clients:
            client.__exit__()

    def test_unknown_options_are_errors(self):
        with self.assertRaises(TypeError):
            luigid.make_server(luigid.Scheduler(), prot=1)

    def test_a_unix_socket_is_private_and_leaves_nothing_behind(self):
        usual = os.umask(0)
        self.addCleanup(os.umask, usual)
        with serving(unix_socket=self.path) as server:
            self.assertEqual(self.path, server.server_address)
            self.assertEqual(0o600, stat.S_IMODE(os.stat(self.path).st_mode))
            self.assertTrue(self.works(server))
        self.assertFalse(os.path.lexists(self.path))
        self.assertEqual(0, os.umask(0), "the umask is as it was")

    def test_a_unix_socket_is_removed_from_another_working_directory_too(self):
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(os.path.dirname(self.path))
        with serving(unix_socket="socket"):
            os.chdir("/")
        self.assertFalse(os.path.lexists(self.path))

    def test_a_stale_unix_socket_is_replaced(self):
        with socket.socket(socket.AF_UNIX) as killed:
            killed.bind(self.path)
        with serving(unix_socket=self.path) as server:
            self.assertTrue(self.works(server))

    def test_a_live_unix_socket_is_not(self):
        with serving(unix_socket=self.path) as server:
            with self.assertRaisesRegex(OSError, "another server listens") as caught:
                luigid.make_server(luigid.Scheduler(), unix_socket=self.path)
            self.assertEqual(errno.EADDRINUSE, caught.exception.errno)
            self.assertTrue(self.works(server))

    def test_what_is_not_a_socket_is_never_removed(self):
        target = self.path + "-target"
        for make in (
            lambda: open(self.path, "w").close(),
            lambda: os.mkdir(self.path),
            lambda: os.symlink(target, self.path),
        ):
            make()
            with self.subTest(os.lstat(self.path)), self.assertRaises(FileExistsError):
                luigid.make_server(luigid.Scheduler(), unix_socket=self.path)
            self.assertTrue(os.path.lexists(self.path))
            (os.rmdir if os.path.isdir(self.path) else os.unlink)(self.path)

    def test_somebody_elses_unix_socket_is_not_removed_at_the_end(self):
        with serving(unix_socket=self.path):
            os.unlink(self.path)
            other = socket.socket(socket.AF_UNIX)
            self.addCleanup(other.close)
            other.bind(self.path)
        self.assertTrue(os.path.lexists(self.path))

    def test_closing_twice_removes_nothing_of_a_successor(self):
        server = luigid.make_server(luigid.Scheduler(), unix_socket=self.path)
        server.server_close()
        with serving(unix_socket=self.path) as successor, mock.patch.object(os.path, "samestat", return_value=True):
            server.server_close()
            self.assertTrue(self.works(successor))

    def test_a_path_that_cannot_be_is_an_error_with_nothing_left_open(self):
        for path in (os.path.join(self.path, "missing", "socket"), "/" + "x" * 300):
            with self.assertRaises(OSError):
                luigid.make_server(luigid.Scheduler(), unix_socket=path)


class LifeOfAConnectionTest(unittest.TestCase):
    def limits(self, **limits):
        for name, value in limits.items():
            patch = mock.patch.object(luigid, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    @staticmethod
    def time_is_up(server):
        """Bring the deadlines of all connections forward to now; whether there are any."""
        for connection in tuple(server._connections):
            connection.deadline = min(connection.deadline, time.monotonic())
        return bool(server._connections)

    def test_what_has_a_deadline_and_when(self):
        self.limits(IDLE_SECONDS=10_000, TRANSFER_SECONDS=1000, TRANSFER_RATE=0.01)
        left = []

        def look(**_):
            left.extend(connection.deadline - time.monotonic() for connection in server._connections)

        with serving() as server, Client(server.server_address) as client:
            server.scheduler.ping = look
            wait_until(lambda: server._connections)
            look()
            client.send(call("ping", worker="w")[:-1])
            wait_until(lambda: not any(connection.idle for connection in server._connections))
            wait_until(lambda: any(connection.deadline > time.monotonic() + 1100 for connection in server._connections))
            look()
            client.send(call("ping", worker="w")[-1:]).reply()
            wait_until(lambda: all(connection.idle for connection in server._connections))
            look()
        connected, sending, answered, waiting = left
        self.assertTrue(900 < connected <= 1000, "to begin with, as long as for a request")
        self.assertTrue(3000 < sending <= 1000 + len(call("ping", worker="w")) / 0.01, "more for a body")
        self.assertEqual(math.inf, answered, "no matter how long the scheduler takes")
        self.assertTrue(9000 < waiting <= 10_000)

    def test_a_slow_request_is_told_so(self):
        self.limits(SWEEP_SECONDS=0)
        raw = call("ping", worker="w")
        for size in (raw.index(b"\r\n") + 2, raw.index(b"\r\n") + 9, raw.index(b"\r\n\r\n") + 2, len(raw) - 1):
            with self.subTest(raw[:size]), serving() as server, Client(server.server_address) as client:
                client.send(raw[:size])
                wait_until(lambda server=server: not all(connection.idle for connection in server._connections))
                wait_until(lambda server=server, client=client: (self.time_is_up(server), client.has_news())[1])
                reply = client.reply()
                self.assertEqual((408, "close"), (reply.status, reply.headers["connection"]))
                self.assertTrue(client.at_end())

    def test_a_client_that_says_nothing_is_hung_up_on_silently(self):
        self.limits(SWEEP_SECONDS=0)
        for raw in (b"", request("/api/is_paused"), b"GET / HT"):
            with self.subTest(raw), serving() as server, Client(server.server_address) as client:
                if raw.endswith(b"\n"):
                    client.send(raw).reply()
                wait_until(lambda server=server: any(connection.idle for connection in server._connections))
                wait_until(lambda server=server: not self.time_is_up(server))
                self.assertTrue(client.at_end())

    def test_a_client_that_does_not_read_is_hung_up_on(self):
        self.limits(LINGER_SECONDS=0, SWEEP_SECONDS=0)
        called = threading.Event()
        with serving() as server, Client(server.server_address) as client:
            server.scheduler.ping = lambda **_: called.set() or "x" * 20_000_000
            client.send(call("ping", worker="w"))
            called.wait(PATIENCE)
            wait_until(lambda: not self.time_is_up(server))

    def test_closing_ends_idle_connections_and_lets_busy_ones_finish(self):
        self.limits(DRAIN_SECONDS=PATIENCE)
        entered, leave = threading.Event(), threading.Event()

        def work(**_):
            entered.set()
            return leave.wait(PATIENCE)

        with serving() as server, Client(server.server_address) as idle, Client(server.server_address) as busy:
            server.scheduler.ping = work
            idle.send(request("/api/is_paused")).reply()
            busy.send(call("ping", worker="w"), call("ping", worker="too late"))
            entered.wait(PATIENCE)
            server.shutdown()
            closing = threading.Thread(target=server.server_close)
            closing.start()
            self.assertTrue(idle.at_end())
            with self.assertRaises(ConnectionRefusedError):
                Client(server.server_address)
            leave.set()
            reply = busy.reply()
            self.assertEqual(({"response": True}, "close"), (reply.json, reply.headers["connection"]))
            self.assertTrue(busy.at_end())
            closing.join(PATIENCE)
            self.assertFalse(closing.is_alive())
            self.assertFalse(server._connections)

    def test_a_request_that_comes_just_as_the_server_hangs_up_is_answered(self):
        usual = luigid.Connection.setup

        def setup(connection):
            usual(connection)
            stream = connection.rfile

            def hang_up(_):
                connection.rfile, connection.server.closing = stream, True
                return b""

            connection.rfile = mock.Mock(readline=hang_up)

        patched = mock.patch.object(luigid.Connection, "setup", setup)
        with patched, serving() as server, Client(server.server_address) as client:
            reply = client.send(call("ping", worker="w")).reply()
        self.assertEqual((200, "close"), (reply.status, reply.headers["connection"]))

    def test_closing_does_not_wait_for_ever(self):
        self.limits(DRAIN_SECONDS=0.01)
        leave = threading.Event()
        with serving() as server, Client(server.server_address) as client:
            server.scheduler.ping = lambda **_: leave.wait(PATIENCE)
            client.send(call("ping", worker="w"))
            wait_until(lambda: any(not connection.idle for connection in server._connections))
            server.shutdown()
            server.server_close()
            self.assertFalse(leave.is_set())
            self.assertTrue(client.at_end())
            leave.set()

    def test_threads_are_used_again_and_gone_in_the_end(self):
        self.limits(SPARE_THREADS=2)
        before = set(connection_threads())
        with serving() as server:
            for _ in range(20):
                clients = [Client(server.server_address) for _ in range(5)]
                for client in clients:
                    client.send(request("/api/is_paused", Connection="close"))
                for client in clients:
                    client.reply()
                    self.assertTrue(client.at_end())
                    client.__exit__()
            wait_until(lambda: len(set(connection_threads()) - before) == 2 == len(server._spare_threads))
        wait_until(lambda: not set(connection_threads()) - before)

    def test_the_stack_of_other_threads_is_as_before(self):
        usual = threading.stack_size()
        with serving() as server, Client(server.server_address) as client:
            client.send(request("/")).reply()
            self.assertEqual(usual, threading.stack_size())

    def test_when_descriptors_run_out_the_one_idle_longest_gives_way(self):
        trouble = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        with contextlib.ExitStack() as stack:
            logged = stack.enter_context(Logged())
            server = stack.enter_context(serving())
            clients = [stack.enter_context(Client(server.server_address)) for _ in range(3)]
            for client in clients:
                client.send(request("/api/is_paused")).reply()
                wait_until(lambda: all(connection.idle for connection in server._connections))
            with mock.patch.object(server, "socket", mock.Mock(**{"accept.side_effect": trouble})):
                for client in clients[:2]:
                    self.assertRaises(OSError, server.get_request)
                    self.assertTrue(client.at_end())
            newcomer = stack.enter_context(Client(server.server_address))
            for client in (clients[2], newcomer):
                self.assertEqual(200, client.send(request("/api/is_paused")).reply().status)
        self.assertEqual(1, len(logged), "said once, not for each attempt")

    def test_a_connection_that_cannot_be_set_up_leaves_the_server_alive(self):
        with Logged() as logged, serving() as server:
            for error, lines in ((OSError("reset"), 0), (MemoryError("no"), 1)):
                with (
                    mock.patch.object(luigid.Connection, "setup", side_effect=error),
                    Client(server.server_address) as client,
                ):
                    self.assertTrue(client.at_end())
                self.assertEqual(lines, len(logged))
            with Client(server.server_address) as client:
                self.assertEqual(200, client.send(request("/api/is_paused")).reply().status)


if __name__ == "__main__":
    unittest.main()
