"""Requests as stock's clients send them, made beforehand; connections that read no more of a reply than they must.

The generator of the load must cost less than the daemon that it measures: a request is bytes that are ready before the
clock starts, a connection is a bare socket, and a reply is looked at only for its status and its length.
"""

import json
import socket
import urllib.parse
from collections.abc import Iterable
from typing import Any, Optional

#: What urlencode makes of each ASCII character, for str.translate: the same bytes at a tenth of the cost.
QUOTED = {code: urllib.parse.quote_plus(chr(code)) for code in range(128)}

#: What stock's clients send besides the form: with the package requests installed, and without.
KEEP_ALIVE_HEADERS = (
    "User-Agent: python-requests/2.32.5\r\nAccept-Encoding: {coding}\r\nAccept: */*\r\nConnection: keep-alive\r\n"
)
CLOSE_HEADERS = "Accept-Encoding: {coding}\r\nUser-Agent: Python-urllib/3.11\r\nConnection: close\r\n"

#: Requests that `Connection.pipeline` sends ahead: enough to keep a daemon busy, few enough to fit into the buffers.
WINDOW = 100

CHUNK = 1 << 20


def request(method: str, arguments: Any, *, coding: str = "identity", close: bool = False) -> bytes:
    """Return the POST of one RPC; `coding` is its Accept-Encoding, `close` asks for no further request."""
    body = "data=" + json.dumps(arguments).translate(QUOTED)
    headers = (CLOSE_HEADERS if close else KEEP_ALIVE_HEADERS).format(coding=coding)
    return (
        f"POST /api/{method} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Content-Length: {len(body)}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}"
    ).encode("ascii")


def reply_size(data: bytes) -> Optional[int]:
    """Return the bytes of the reply that `data` begins with, None if its headers are incomplete; ValueError unless 200.

    Chunked replies do not occur: both daemons know the length before they send.
    """
    if not data.startswith(b"HTTP/1.1 200 ") and len(data) >= len(b"HTTP/1.1 200 "):
        raise ValueError(f"the daemon said {bytes(data[:200])!r}")
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    mark = data.find(b"Content-Length: ", 0, end) + len(b"Content-Length: ")
    return end + 4 + int(data[mark : data.find(b"\r\n", mark)])


def connect(address: Any) -> socket.socket:
    """Return a new connection to (host, port), without Nagle's delay."""
    sock = socket.create_connection(address, timeout=600)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class Connection:
    """A keep-alive connection for one request at a time, or for many in a row."""

    def __init__(self, address: Any) -> None:
        self._socket = connect(address)
        self._rest = b""

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self._socket.close()

    def exchange(self, sent: bytes) -> bytes:
        """Send a request and return the whole reply."""
        self._socket.sendall(sent)
        return self._read()

    def call(self, method: str, arguments: Any) -> Any:
        """Call an RPC and return what it returns."""
        return json.loads(self.exchange(request(method, arguments)).partition(b"\r\n\r\n")[2])["response"]

    def skip(self, sent: bytes) -> int:
        """Send a request, throw the reply away as it comes, and return its size in bytes."""
        self._socket.sendall(sent)
        head = self._socket.recv(CHUNK)
        left = reply_size(head) - len(head)
        buffer = bytearray(CHUNK)
        size = len(head) + left
        while left > 0:
            left -= self._socket.recv_into(buffer, min(left, CHUNK))
        return size

    def pipeline(self, requests: Iterable[bytes]) -> None:
        """Send requests without waiting for each reply: how a state is loaded fast."""
        waiting, batch = 0, []
        for sent in requests:
            batch.append(sent)
            if len(batch) == WINDOW:
                waiting = self._next_window(batch, waiting)
                batch = []
        waiting = self._next_window(batch, waiting)
        self._next_window([], waiting)

    def _next_window(self, batch: list, waiting: int) -> int:
        # The next window is on its way before the replies to the last are read, so that the daemon never waits.
        self._socket.sendall(b"".join(batch))
        for _ in range(waiting):
            self._read()
        return len(batch)

    def _read(self) -> bytes:
        data = self._rest
        size = reply_size(data)
        while size is None or len(data) < size:
            more = self._socket.recv(CHUNK)
            if not more:
                raise ConnectionError(f"the daemon hung up after {data[:200]!r}")
            data += more
            size = reply_size(data)
        self._rest = data[size:]
        return data[:size]
