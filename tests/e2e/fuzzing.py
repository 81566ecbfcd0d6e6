"""Hostile input, reproducible from a seed: requests bent out of shape, and calls with arguments of every wrong type."""

import contextlib
import json
import random
import socket
import string
import urllib.parse

import luigid

HOSTILE_TEXTS = (
    *("", "x", "\0", "\r\n", "'", '"', "<script>alert(1)</script>", "../../etc/passwd", "%00", "${jndi:x}", "{{7*7}}"),
    *("\u202e", "\U0001f4a5", "\ud800", "a" * 5000, "t0", "t1", "w0", "F", "r0", "None", "NaN", "1e999", "[object]"),
)

#: values of every JSON type, and of every range that code treats differently
HOSTILE_VALUES = (
    *(None, True, False, 0, 1, -1, 2**31, -(2**63), 2**64, 10**300, 0.5, -0.0, 1e-320, 1e308, float("inf")),
    *([], [[]], [None], ["x", "x"], [1], [["workers", 2]], {}, {"": 1}, {"x": None}, {"r0": 1}, {"r0": -1}, {"x": {}}),
    *({"workers": "many"}, {"retry_count": 1e300}, {"t0": ["t1"]}, [{}] * 50, "RUNNING", "DONE", "DISABLED", "PENDING"),
    *HOSTILE_TEXTS,
)

#: pieces of HTTP that parsers disagree about
FRAGMENTS = (
    *(b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\0", b" ", b"\t", b":", b"%", b"%00", b"&data=", b"{", b"[" * 200, b"\xff"),
    *(
        b"Content-Length: 5\r\n",
        b"Content-Length: -1\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Expect: 100-continue\r\n",
    ),
    *(b"HTTP/1.0", b"HTTP/2.0", b"GET ", b"POST ", b"HEAD ", b"OPTIONS ", b"/", b"//", b"..", b"http://x/", b"?", b"#"),
    *(
        b"0\r\n\r\n",
        b"ffffffff\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Connection: close\r\n",
        b"Host: x\r\n",
        b"1" * 400,
    ),
    *(b"Content-Type: application/json\r\n", b"Origin: null\r\n", b"Authorization: Basic x\r\n", b" \r\n x: y\r\n"),
)

#: what well-meant calls say, argument by argument: few names, so that calls meet
TYPICAL = {
    "worker": ("w0", "w1", "w2"),
    "task_id": ("t0", "t1", "t2", "t3", "t4"),
    "status": ("PENDING", "PENDING", "PENDING", "RUNNING", "DONE", "FAILED", "DISABLED", "UNKNOWN"),
    "deps": ([], [], ["t1"], ["t2", "t3"]),
    "new_deps": (["t4"], []),
    "family": ("F", "G"),
    "task_family": ("F",),
    "batched_args": (["p"],),
    "batchable": (True, False),
    "assistant": (True, False, False),
    "runnable": (True, True, False),
    "priority": (0, 1, 5),
    "current_tasks": ([], ["t0"]),
    "params": ({"p": "1"}, {"p": "2"}, {"p": "1", "q": "1"}),
    "resources": ({"r0": 1}, {}, {"r0": 0.5, "r1": 1}),
    "info": ({"workers": 2}, {"workers": 1, "assistant": True}),
    "owners": (["a@example.com"],),
    "n": (2,),
    "task": ("t0",),
    "resource": ("r0", "r1"),
    "amount": (0, 1, 3),
    "decrease_resources": ({"r0": 1},),
    "message_id": ("m",),
}


def typical(spec, rng):
    """Arguments of a call as a worker might send them."""
    names = [name for name in spec.params if name in spec.required or (name in TYPICAL and rng.random() < 0.5)]
    return {name: rng.choice(TYPICAL.get(name, ("x",))) for name in names}


def wrong_types():
    """Every call with every value in place of each of its arguments, the others being typical: (name, arguments)."""
    for name, spec in luigid.RPC_METHODS.items():
        for victim in (*spec.params, "unknown"):
            for value in HOSTILE_VALUES:
                yield name, {**typical(spec, random.Random(0)), victim: value}


def encode(name, arguments, rng):
    """A call in one of the ways in which it may be sent."""
    text = json.dumps(arguments)
    quoted = urllib.parse.urlencode({"data": text})
    if rng.random() < 0.2:
        return f"GET /api/{name}?{quoted} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    kind, body = rng.choice(((luigid.FORM, quoted), (luigid.JSON, text)))
    head = f"POST /api/{name} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
    data = body.encode()
    if rng.random() < 0.15:
        half = len(data) // 2
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (data[:half], data[half:]) if part)
        return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks + b"0\r\n\r\n"
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


def real_request(rng):
    """A request that somebody might send: mostly calls, some of them with a hostile value, and some pages."""
    if rng.random() < 0.15:
        machines = ("/healthz", "/readyz", "/metrics")
        path = rng.choice(
            ("/", *machines, "/static/visualiser/index.html", "/api/audit", "/api/openapi.json", "/nowhere")
        )
        verb = rng.choice(("GET", "HEAD", "OPTIONS", "POST"))
        return f"{verb} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    name, spec = rng.choice(list(luigid.RPC_METHODS.items()))
    arguments = typical(spec, rng)
    if spec.params and rng.random() < 0.5:
        arguments[rng.choice(list(spec.params))] = rng.choice(HOSTILE_VALUES)
    return encode(name, arguments, rng)


def flip(raw, rng):
    """Some bytes become others."""
    raw = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        raw[rng.randrange(len(raw))] = rng.randrange(256)
    return bytes(raw)


def insert(raw, rng):
    """A fragment in the wrong place."""
    at = rng.randrange(len(raw))
    return raw[:at] + rng.choice(FRAGMENTS) + raw[at:]


def delete(raw, rng):
    """A piece is missing."""
    at = rng.randrange(len(raw))
    return raw[:at] + raw[at + rng.randint(1, 20) :]


def double(raw, rng):
    """A piece comes twice."""
    at = rng.randrange(len(raw))
    return raw[: at + rng.randint(1, 40)] + raw[at:]


def truncate(raw, rng):
    """The end is missing."""
    return raw[: rng.randrange(len(raw))]


def splice(raw, rng):
    """The beginning of one request and the end of another."""
    other = real_request(rng)
    return raw[: rng.randrange(len(raw))] + other[rng.randrange(len(other)) :]


def noise(_, rng):
    """Bytes that never were a request."""
    return rng.choice((rng.randbytes(rng.randint(1, 300)), "".join(rng.choices(string.printable, k=200)).encode()))


def untouched(raw, _):
    """The request as it is."""
    return raw


MUTATIONS = (flip, insert, delete, double, truncate, splice, noise, untouched, untouched)


def bent_request(rng):
    """A request bent out of shape in one or two ways."""
    raw = real_request(rng)
    for mutation in rng.choices(MUTATIONS, k=rng.randint(1, 2)):
        raw = mutation(raw, rng) or b"\0"
    return raw


def truncations(rng):
    """A few real requests, cut short at every byte."""
    for _ in range(3):
        raw = real_request(rng)
        yield from (raw[:size] for size in range(1, len(raw)))


def exchange(address, raw):
    """Send `raw` over a connection of its own, say that this is all, and return all that comes back."""
    with socket.create_connection(address, timeout=60) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before all was sent; the reply tells
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
        received = bytearray()
        with contextlib.suppress(ConnectionResetError):
            while block := connection.recv(1 << 16):
                received += block
        return bytes(received)


def statuses(received, raw):
    """The status of each reply in what came back; AssertionError for what is no sequence of replies.

    Which verb a reply answers cannot be told when `raw` is bent, so bodies are skipped by looking for the next one.
    """
    found = []
    while received:
        line, _, rest = received.partition(b"\r\n")
        version, status, _ = line.split(b" ", 2)
        assert version == b"HTTP/1.1", line
        found.append(int(status))
        head, _, rest = rest.partition(b"\r\n\r\n") if not rest.startswith(b"\r\n") else (b"", b"", rest[2:])
        fields = dict(field.lower().split(b": ", 1) for field in head.split(b"\r\n") if field)
        size = int(fields.get(b"content-length", 0))
        received = rest if rest.startswith(b"HTTP/1.1 ") else rest[size:]
    return found
