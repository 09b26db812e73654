"""The sandbox as a process: all vendors, the till's folder and the admin endpoint, in one loop, until stopped."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shlex
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from starlette.types import ASGIApp

from onevoice.sandbox import hubspot, klaviyo, salesforce, shopify, square
from onevoice.sandbox.admin import Admin
from onevoice.sandbox.certificate import Certificate, make_certificate
from onevoice.sandbox.judge import Judge
from onevoice.sandbox.keep import keep_world, open_world
from onevoice.sandbox.state import ServerConfig, VendorState
from onevoice.sandbox.world import World

_LOOPBACK = "127.0.0.1"
_PATIENCE_SECONDS = 1.0
"""How long a stopping server waits for the answers that are under way."""


def up(seed: int, people: int, limits: bool, faults: str, state_dir: Path | None, env_file: Path | None = None) -> None:
    """Print one JSON line with all addresses, then serve until SIGTERM, SIGINT or POST /stop.

    With a `state_dir` the vendors' state is kept there at the end and taken up again at the next start. An `env_file`
    is written first: what the hub needs in its environment, for a shell to read.
    ValueError when the number of people, the fault or the kept state does not fit.
    """
    with tempfile.TemporaryDirectory(prefix="onevoice-sandbox-") as temporary:
        folder = state_dir or Path(temporary)
        world = open_world(seed, people, state_dir)
        for name, vendor in world.vendors.items():
            vendor.faults.limits_on = limits
            vendor.faults.use(faults, name)
        world.export_till(folder / "till")
        sandbox = _Sandbox(world, folder)
        if env_file:
            _write_for_shell(env_file, sandbox.announcement()["environment"])
        asyncio.run(sandbox.serve())
        if state_dir:
            keep_world(world, state_dir)


_APPS: dict[str, Callable[[VendorState, ServerConfig], ASGIApp]] = {
    "salesforce": salesforce.create_app,
    "hubspot": hubspot.create_app,
    "shopify": shopify.create_app,
    "square": square.create_app,
    "klaviyo": klaviyo.create_app,
}
_TOKENS = {"shopify": "shpat_", "square": "EAAA", "klaviyo": "pk_"}
"""How the tokens begin of vendors that need no sign-in."""


class _Server(uvicorn.Server):
    """A server that leaves the signals of the process to the sandbox."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Sandbox:
    """The servers of one world."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self._folder = folder.resolve()
        self._certificate = make_certificate(self._folder / "tls")
        self._sockets = {name: _listen() for name in (*_APPS, "admin")}
        self._servers: list[_Server] = []

    def _url(self, name: str) -> str:
        scheme = "https" if name == "salesforce" else "http"
        return f"{scheme}://{_LOOPBACK}:{self._sockets[name].getsockname()[1]}"

    def _config(self, name: str) -> ServerConfig:
        def secret(what: str) -> str:
            return hashlib.sha256(f"{self._world.seed}:{name}:{what}".encode()).hexdigest()[:32]

        refresh = secret("refresh token") if name == "hubspot" else ""
        return ServerConfig(self._url(name), secret("client"), _TOKENS.get(name, "") + secret("secret"), refresh)

    async def serve(self) -> None:
        world = self._world
        apps: dict[str, ASGIApp] = {
            **{name: create(world.vendors[name], self._config(name)) for name, create in _APPS.items()},
            "admin": Admin(Judge(world), self._stop).app(),
        }
        self._servers = [
            _Server(_settings(app, self._certificate if name == "salesforce" else None)) for name, app in apps.items()
        ]
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._stop)
        sys.stdout.write(orjson.dumps(self.announcement()).decode() + "\n")
        sys.stdout.flush()
        sockets = (self._sockets[name] for name in apps)
        await asyncio.gather(*(server.serve(sockets=[s]) for server, s in zip(self._servers, sockets, strict=True)))

    def _stop(self) -> None:
        """Answer what is being asked, then go; clients that keep idle connections open are not waited for."""
        for server in self._servers:
            server.should_exit = True
        asyncio.get_running_loop().call_later(_PATIENCE_SECONDS, self._stop_waiting)

    def _stop_waiting(self) -> None:
        for server in self._servers:
            server.force_exit = True

    def announcement(self) -> dict[str, Any]:
        """Every address and credential. The sockets listen already: whoever comes early is answered a little later."""
        sales, hub = self._config("salesforce"), self._config("hubspot")
        ca, till = str(self._certificate.ca), str(self._folder / "till")
        return {
            "as_of": self._world.clock.now().replace(microsecond=0).isoformat(),
            "seed": self._world.seed,
            "people": self._world.people,
            "admin": self._url("admin"),
            "salesforce": {
                "url": sales.url,
                "ca": ca,
                "client_id": sales.client_id,
                "client_secret": sales.client_secret,
            },
            "hubspot": {
                "url": hub.url,
                "client_id": hub.client_id,
                "client_secret": hub.client_secret,
                "refresh_token": hub.refresh_token,
            },
            **{name: {"url": self._url(name), "access_token": self._config(name).client_secret} for name in _TOKENS},
            "till": {"folder": till},
            "environment": {
                "ONEVOICE_SALESFORCE_URL": sales.url,
                "ONEVOICE_SALESFORCE_CA": ca,
                "ONEVOICE_SALESFORCE_CLIENT_ID": sales.client_id,
                "ONEVOICE_SALESFORCE_CLIENT_SECRET": sales.client_secret,
                "ONEVOICE_HUBSPOT_URL": hub.url,
                "ONEVOICE_HUBSPOT_CLIENT_ID": hub.client_id,
                "ONEVOICE_HUBSPOT_CLIENT_SECRET": hub.client_secret,
                "ONEVOICE_HUBSPOT_REFRESH_TOKEN": hub.refresh_token,
                **self._opened_by_token(),
                "ONEVOICE_TILL_FOLDER": till,
                **self._pace(),
            },
        }

    def _opened_by_token(self) -> dict[str, str]:
        told = {}
        for name in _TOKENS:
            config = self._config(name)
            told[f"ONEVOICE_{name.upper()}_URL"] = config.url
            token = "API_KEY" if name == "klaviyo" else "ACCESS_TOKEN"
            told[f"ONEVOICE_{name.upper()}_{token}"] = config.client_secret
        return told

    def _pace(self) -> dict[str, str]:
        """A client of an account without limits need not hold itself back."""
        if self._world.hubspot.faults.limits_on:
            return {}
        return {f"ONEVOICE_{name.upper()}_PACED": "off" for name in _APPS}


def _write_for_shell(path: Path, environment: Mapping[str, str]) -> None:
    """Lines that export variables. The file appears whole, so whoever waits for it never reads half of it."""
    unfinished = path.with_name(f".{path.name}.part")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
    unfinished.replace(path)


def _listen() -> socket.socket:
    """A listening socket on a port that was free: whoever connects before its server runs waits in line."""
    # asyncio spares only sockets that name their protocol the 40 ms that Nagle's algorithm adds to an answer.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((_LOOPBACK, 0))
    listening.listen(128)
    return listening


def _settings(app: ASGIApp, certificate: Certificate | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        lifespan="off",
        timeout_keep_alive=60,
        ssl_certfile=certificate.chain if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )
