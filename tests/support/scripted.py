"""A server that answers as a test says: for what no sandbox does."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from requests.structures import CaseInsensitiveDict

from onevoice.sandbox.certificate import Certificate


@dataclass
class Exchange:
    """One request that a scripted server got."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Scripted:
    """A loopback server that answers as the test says and keeps every request."""

    url: str = ""
    requests: list[Exchange] = field(default_factory=list)
    connections: set[tuple[str, int]] = field(default_factory=set)
    answer: Callable[[Exchange], tuple[int, Any] | tuple[int, Any, Mapping[str, str]]] = lambda _: (404, [])

    def paths(self, part: str) -> list[Exchange]:
        return [request for request in self.requests if part in request.path]


@contextmanager
def scripted_server(certificate: Certificate | None) -> Iterator[Scripted]:
    """A server for the length of the block; with a certificate it speaks TLS."""
    script = Scripted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet
        disable_nagle_algorithm = True  # nor does what comes after it wait 40 ms to be sent

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            exchange = Exchange(self.command, self.path, CaseInsensitiveDict(self.headers.items()), body)
            script.requests.append(exchange)
            script.connections.add(self.client_address)
            status, answer, *more = script.answer(exchange)
            if status == 0:
                self.close_connection = True
                return
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **(more[0] if more else {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that hangs up is part of the script."""

    server = Server(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    script.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
