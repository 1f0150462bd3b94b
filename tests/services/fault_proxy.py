"""Stands before a server and spoils chosen requests, as networks and overloaded servers do.

with FaultProxy(server.endpoint) as proxy:
    proxy.spoil(broken_off(after=500), query="list-type=2")
"""

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

_RESET = struct.pack("ii", 1, 0)
_OF_THE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "expect"})


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def query(self) -> str:
        return urlsplit(self.target).query


@dataclass(frozen=True)
class Answer:
    """What goes back. Of the body `sent` bytes go out, then the connection ends or is reset."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    sent: int | None = None
    reset: bool = False


# What becomes of a request; calling the second argument lets the server do what was asked.
Fault = Callable[[Request, Callable[[], Answer]], Answer]


def answered(status: int, code: str = "", *, body: bytes | None = None, **headers: str) -> Fault:
    """Not passed on: this answer instead, by default the error of that code."""
    xml = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>"
    content = body if body is not None else xml.encode() if code else b""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request, _forward: Answer(status, named, content)


def truncated(*, after: int) -> Fault:
    """The body ends too early, though its length was told."""

    def spoil(_request: Request, forward: Callable[[], Answer]) -> Answer:
        answer = forward()
        return Answer(answer.status, answer.headers, answer.body, sent=after)

    return spoil


def broken_off(*, after: int | None = None) -> Fault:
    """It is done, but the connection is reset: amid the answer, or before any."""

    def spoil(_request: Request, forward: Callable[[], Answer]) -> Answer:
        answer = forward()
        status = 0 if after is None else answer.status
        return Answer(status, answer.headers, answer.body, sent=after, reset=True)

    return spoil


def rewritten(change: Callable[[bytes], bytes]) -> Fault:
    """The answer comes with another body."""

    def spoil(_request: Request, forward: Callable[[], Answer]) -> Answer:
        answer = forward()
        headers = {name: text for name, text in answer.headers.items() if name != "Content-Length"}
        return Answer(answer.status, headers, change(answer.body))

    return spoil


@dataclass
class _Rule:
    fault: Fault
    method: str
    query: str
    skip: int
    times: int

    def takes(self, request: Request) -> bool:
        if self.method not in ("", request.method) or self.query not in request.query:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return self.times >= 0


class FaultProxy:
    """`endpoint` is its address, `requests` is what came. Without a server, all is spoiled."""

    def __init__(self, upstream: str = "") -> None:
        self.requests: list[Request] = []
        self._upstream = urlsplit(upstream).netloc
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._server.shutdown()
        self._server.server_close()

    def spoil(
        self, fault: Fault, *, method: str = "", query: str = "", skip: int = 0, times: int = 1
    ) -> None:
        """The next `times` requests of that kind, but for the first `skip` ones.

        What is said last is done first.
        """
        with self._lock:
            self._rules.insert(0, _Rule(fault, method, query, skip, times))

    def silence(self, seconds: float) -> Fault:
        """No answer for so long, or until the test ends; then the connection is closed."""

        def spoil(_request: Request, _forward: Callable[[], Answer]) -> Answer:
            self._ends.wait(seconds)
            return Answer(0)

        return spoil

    def asked(self, *, method: str = "", query: str = "") -> int:
        """How many such requests came."""
        return sum(
            method in ("", request.method) and query in request.query for request in self.requests
        )

    def answer(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            rule = next((rule for rule in self._rules if rule.takes(request)), None)

        def forward() -> Answer:
            return self._forward(request)

        return rule.fault(request, forward) if rule else forward()

    def _forward(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection(self._upstream, timeout=60)
        connection.putrequest(
            request.method, request.target, skip_host=True, skip_accept_encoding=True
        )
        for name, value in request.headers.items():
            if name.lower() not in _OF_THE_CONNECTION:
                connection.putheader(name, value)
        connection.endheaders(request.body)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        headers = {
            name: value
            for name, value in answer.getheaders()
            if name.lower() not in _OF_THE_CONNECTION
        }
        return Answer(answer.status, headers, body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def shutdown_request(self, request: socket.socket) -> None:
        # An orderly end first would hide the reset.
        request.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that give up are part of the play."""


def _handler(proxy: FaultProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65_537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Request(self.command, self.path, dict(self.headers.items()), body)
            self._send(proxy.answer(request))

        def _send(self, answer: Answer) -> None:
            if answer.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.close_connection |= answer.reset or answer.sent is not None or not answer.status
            if not answer.status:
                return
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if "Content-Length" not in answer.headers:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body[: answer.sent])

    return Handler
