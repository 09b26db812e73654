"""Servers that tests start: an ASGI app on loopback, and the app of many tests on one server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import httpx
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from onevoice.sandbox.certificate import Certificate

PATIENCE_SECONDS = 2.0
"""How long a server that ends waits for its clients to hang up; over TLS they do so late."""


class Stage:
    """One server for many tests; each puts its own app on it.

    Starting a server and ending it takes longer than most tests, and so does greeting a new one over TLS.
    """

    def __init__(self) -> None:
        self.url = ""
        """Known once the stage is served; an app that must know its address is made after that."""
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the app of the moment answer."""
        assert self.app is not None, "a request came before any app"
        await self.app(scope, receive, send)


@contextmanager
def served(
    app: ASGIApp, certificate: Certificate | None = None, *, lifespan: Literal["on", "off"] = "off"
) -> Iterator[str]:
    """The address of the app, which is served for the length of the block; with a certificate over TLS."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        ws="none",
        lifespan=lifespan,
        ssl_certfile=certificate.chain if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )
    server = uvicorn.Server(config)
    with _listening() as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.005)
        try:
            yield f"{'https' if certificate else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)
            server.force_exit = True
            thread.join(PATIENCE_SECONDS)


def caller(url: str, **options: Any) -> httpx.Client:
    """A client for a served app. It reads neither the environment nor the machine's authorities, which takes longer
    than most tests do."""
    return httpx.Client(base_url=url, trust_env=False, verify=False, **options)


@contextmanager
def staged(certificate: Certificate | None = None) -> Iterator[Stage]:
    """A stage, served for the length of the block."""
    stage = Stage()
    with served(stage, certificate) as stage.url:
        yield stage


def _listening() -> socket.socket:
    """A listening socket on a free port."""
    # asyncio spares only sockets that name their protocol the 40 ms that Nagle's algorithm adds to an answer.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    return listening
