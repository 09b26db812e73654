"""The API as a process: one listening socket, an orderly end, and logs that name nobody."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from datetime import datetime

import uvicorn

from onevoice.api.app import create_app
from onevoice.api.serving import now
from onevoice.errors import ConfigError
from onevoice.pipeline.hub import Hub

LONGEST_HEAD = 32_768
"""Bytes of a request's line and headers; the query string alone may hold 8 KiB."""
PATIENCE = 10
"""Seconds that running requests get to end when the server is stopped."""


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn would raise them again after an orderly end, which looks like a crash."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run_server(
    hub: Hub,
    host: str,
    port: int,
    as_of: datetime | None,
    *,
    announce: Callable[[str], None],
    log_requests: bool,
) -> None:
    """Serve until SIGTERM or SIGINT. `announce` is told the address once it takes connections; `as_of` stops the clock.

    Raises ConfigError when the address cannot be had.
    """
    _log(requests=log_requests)
    app = create_app(hub, (lambda: as_of) if as_of else now)
    config = uvicorn.Config(
        app,
        access_log=False,  # it would print query strings, and with them addresses of customers
        log_config=None,
        log_level="warning",
        lifespan="on",
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=PATIENCE,
        h11_max_incomplete_event_size=LONGEST_HEAD,
    )
    with listen(host, port) as listening:
        at = listening.getsockname()
        announce(f"http://{f'[{at[0]}]' if ':' in at[0] else at[0]}:{at[1]}")
        asyncio.run(_serve(_Server(config), listening))
    hub.store.close()


async def _serve(server: _Server, listening: socket.socket) -> None:
    def stop() -> None:
        server.should_exit = True

    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop)
    await server.serve(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ConfigError when the address cannot be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # asyncio spares only sockets that name their protocol the 40 ms that Nagle's algorithm adds to an answer.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError as exc:
        raise ConfigError(
            f"serve: cannot listen on {host}:{port}: {exc.strerror} (name another --host or --port)"
        ) from exc
    listening.listen(512)
    return listening


def _log(*, requests: bool) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name, level in (("onevoice.api", logging.INFO if requests else logging.WARNING), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.addHandler(handler)
        logger.propagate = False
