"""An HTTP proxy in front of an object store that fails on request, as networks and services do with S3."""

import contextlib
import dataclasses
import random
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

TIMEOUT = 30.0  # Seconds for any one read or write.
CHUNK = 1 << 16
UNAVAILABLE = (b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>injected</Message></Error>")

Handler = Callable[["Exchange"], None]


@dataclasses.dataclass
class Exchange:
    """One request, read completely, and the connections to both sides."""
    method: str
    target: str
    head: bytes
    body: bytes
    client: socket.socket
    upstream: tuple[str, int]

    @property
    def conditional(self) -> bool:
        return re.search(rb"^if-none-match:", self.head, re.IGNORECASE | re.MULTILINE) is not None

    def ask(self) -> bytes:
        """The store's answer, byte for byte."""
        with socket.create_connection(self.upstream, TIMEOUT) as server:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # It may refuse before reading everything.
                server.sendall(re.sub(rb"\r\n\r\n$", b"\r\nConnection: close\r\n\r\n", self.head) + self.body)
            return b"".join(iter(lambda: server.recv(CHUNK), b""))


    def answer(self, status: int) -> None:
        """Answers without asking the store."""
        self.client.sendall(f"HTTP/1.1 {status} As The Test Says\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode())


class Broken(Exception):
    """The client's connection must be closed without an answer."""


# The possible fates of a request.

def passes(exchange: Exchange) -> None:
    exchange.client.sendall(exchange.ask())


def unavailable(exchange: Exchange) -> None:
    exchange.client.sendall(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: "
                            + str(len(UNAVAILABLE)).encode() + b"\r\n\r\n" + UNAVAILABLE)


def internal_error(exchange: Exchange) -> None:
    exchange.client.sendall(b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")


def slow(exchange: Exchange) -> None:
    time.sleep(0.3)
    passes(exchange)


def resets(exchange: Exchange) -> None:
    """The store never sees it; the client gets an RST."""
    exchange.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    raise Broken


def truncates(exchange: Exchange) -> None:
    answer = exchange.ask()
    exchange.client.sendall(answer[:len(answer) * 2 // 3])
    raise Broken


def loses_reply(exchange: Exchange) -> None:
    """The store does the work; the client gets no reply."""
    exchange.ask()
    raise Broken


FAULTS: tuple[Handler, ...] = (unavailable, internal_error, slow, resets, truncates, loses_reply)


@dataclasses.dataclass
class Rule:
    method: str
    target: re.Pattern[str]
    handler: Handler
    left: int


class FaultProxy:
    """Set `share` for random faults, or `on(...)` for a particular one. `seen` counts what was done."""

    def __init__(self, upstream: tuple[str, int], seed: int = 7):
        self.upstream = upstream
        self.share = 0.0  # Of all requests that match no rule.
        self.faults = FAULTS
        self.seen: Counter[str] = Counter()
        self.before: Callable[[Exchange], None] = lambda _: None  # Sees every request first.
        self._rules: list[Rule] = []
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="fault proxy", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return "http://{}:{}".format(*self._listener.getsockname())

    def on(self, method: str, target: str, handler: Handler, times: int = 1) -> None:
        """`target`: a regular expression, searched for in path and query."""
        with self._lock:
            self._rules.append(Rule(method, re.compile(target), handler, times))

    def close(self) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(TIMEOUT)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.settimeout(TIMEOUT)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """One request per connection: the answer says so, or is truncated."""
        with client, contextlib.suppress(Broken, OSError):
            exchange = self._read(client)
            if exchange is None:
                return
            self.before(exchange)
            handler = self._choose(exchange)
            with self._lock:
                self.seen[handler.__name__] += 1
            handler(exchange)

    def _choose(self, exchange: Exchange) -> Handler:
        with self._lock:
            for rule in self._rules:
                if rule.left > 0 and rule.method == exchange.method and rule.target.search(exchange.target):
                    rule.left -= 1
                    return rule.handler
            return self._random.choice(self.faults) if self._random.random() < self.share else passes

    def _read(self, client: socket.socket) -> Exchange | None:
        received = b""
        while b"\r\n\r\n" not in received:
            if not (more := client.recv(CHUNK)):
                return None
            received += more
        head, _, body = received.partition(b"\r\n\r\n")
        head += b"\r\n\r\n"
        method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        if re.search(rb"^expect: *100-continue", head, re.IGNORECASE | re.MULTILINE):
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            head = re.sub(rb"\r\nexpect:[^\r]*", b"", head, flags=re.IGNORECASE)
        more = _More(client, body)
        if re.search(rb"^transfer-encoding: *chunked", head, re.IGNORECASE | re.MULTILINE):
            body = more.chunks()
        else:
            length = re.search(rb"^content-length: *(\d+)", head, re.IGNORECASE | re.MULTILINE)
            body = more.exactly(int(length.group(1)) if length else 0)
        return Exchange(method, target, head, body, client, self.upstream)


class _More:
    """Reads the body of a request; raises Broken if the client disconnects."""

    def __init__(self, client: socket.socket, begun: bytes):
        self._client = client
        self._held = bytearray(begun)

    def exactly(self, size: int) -> bytes:
        while len(self._held) < size:
            self._receive()
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    def chunks(self) -> bytes:
        """As they are on the wire, with sizes and trailers."""
        whole = bytearray()
        while True:
            line = self._line()
            size = int(line.split(b";")[0], 16)
            whole += line
            if size == 0:
                break
            whole += self.exactly(size + 2)
        while line != b"\r\n":
            line = self._line()
            whole += line
        return bytes(whole)

    def _line(self) -> bytes:
        while (end := self._held.find(b"\r\n")) < 0:
            self._receive()
        return self.exactly(end + 2)

    def _receive(self) -> None:
        if not (more := self._client.recv(CHUNK)):
            raise Broken
        self._held += more


@contextlib.contextmanager
def fault_proxy(upstream: tuple[str, int]) -> Iterator[FaultProxy]:
    proxy = FaultProxy(upstream)
    try:
        yield proxy
    finally:
        proxy.close()
