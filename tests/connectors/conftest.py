"""Vendors to talk to: the sandbox's servers with a rig for the contract suite, and scripted servers for SDK traps."""

from __future__ import annotations

import gc
import importlib.util
import ipaddress
import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from requests.structures import CaseInsensitiveDict

from connectors import open_connector
from onevoice.protocols import Field, Write
from onevoice.sandbox.hubspot.app import create_app as hubspot_app
from onevoice.sandbox.salesforce import create_app as salesforce_app
from onevoice.sandbox.state import Clock, ServerConfig, VendorState, hubspot_stamp
from onevoice.sandbox.tables import hubspot_state, salesforce_state

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
LONG_AGO = AS_OF - timedelta(days=30)
SECRET = "s3cr3t-of-the-connected-app"  # the tests look for it in error texts


def beside(name: str) -> Any:
    """A module that stands beside this file: test folders are no packages."""
    known = sys.modules.get(f"beside_{name}")
    if known is not None:
        return known
    spec = importlib.util.spec_from_file_location(f"beside_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[f"beside_{name}"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Freely:
    """A budget that never waits and remembers what it was told."""

    def __init__(self) -> None:
        self.acquired: list[tuple[str, bool]] = []
        self.costs: list[int] = []
        self.observed: list[tuple[str, int | None, int | None]] = []
        self.refusals: list[tuple[str, float | None]] = []

    def acquire(self, kind: str, *, urgent: bool = False, cost: int = 1) -> None:
        self.acquired.append((kind, urgent))
        self.costs.append(cost)

    def observe(self, kind: str, *, remaining: int | None = None, limit: int | None = None) -> None:
        self.observed.append((kind, remaining, limit))

    def throttled(self, kind: str, retry_after: float | None) -> None:
        self.refusals.append((kind, retry_after))


@pytest.fixture
def budget() -> Freely:
    return Freely()


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries as many as ever, with pauses a hundred times shorter."""
    monkeypatch.setattr("connectors._retry.nap.sleep", lambda seconds: time.sleep(seconds / 100))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(certificate, key) for 127.0.0.1; the certificate is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "ca.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(*pem))
    return folder / "ca.pem", folder / "key.pem"


@contextmanager
def served(build: Callable[[str], Any], certificate: tuple[Path, Path] | None) -> Iterator[str]:
    """Run the ASGI app that `build` makes for its base URL; yield that URL."""
    scheme, tls = "http", {}
    if certificate:
        scheme, tls = "https", {"ssl_certfile": str(certificate[0]), "ssl_keyfile": str(certificate[1])}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(build(url), log_level="error", ws="none", lifespan="off", **tls)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield url
        finally:
            # Connectors keep their connections while they live; over TLS the server would wait for them to hang up.
            gc.collect()
            server.should_exit = True
            thread.join(timeout=5)


@dataclass
class SalesforceRig:
    """A sandbox org with contacts, for the contract suite and for tests of its own."""

    state: VendorState
    settings: Mapping[str, str]
    kind: str = "salesforce"
    stream: str = "Contact"
    fields: tuple[str, ...] = ("LastName", "Email", "Title")
    private: tuple[str, ...] = (SECRET, "jane.moss@example.org", "0-no-date")

    def open(self, *, bad_credential: bool = False) -> Any:
        settings = {**self.settings, "client_secret": f"{SECRET}-but-wrong"} if bad_credential else self.settings
        return open_connector("salesforce", "salesforce", settings, Freely())

    def settled(self) -> datetime:
        self.state.clock.advance(7200)
        return self.state.clock.now()

    def keys(self) -> set[str]:
        return {key for key, row in self.state.tables["Contact"].rows.items() if not row.get("IsDeleted")}

    def edit(self, key: str) -> None:
        self.state.tables["Contact"].update(key, {"Title": "Edited by hand"}, actor="hand")

    def delete(self, key: str) -> None:
        self.state.tables["Contact"].update(key, {"IsDeleted": True}, actor="hand")

    def throttle(self, *, on: bool) -> None:
        self.state.faults.throttle = on

    def calls(self) -> int:
        return int(self.state.calls.summary()["calls"])

    def good(self, key: str, serial: int) -> Write:
        return Write(key, {"Title": f"Title {serial}", "HasOptedOutOfEmail": True})

    def bad(self, key: str) -> Write:
        return Write(key, {"Birthdate": "0-no-date", "Email": "jane.moss@example.org"})

    def cleared(self, key: str) -> Write:
        return Write(key, {"Title": None})

    def holds(self, write: Write) -> bool:
        row = self.state.tables["Contact"].rows[write.key]
        return all(row.get(name) == value for name, value in write.fields.items())

    def new_field(self) -> Field:
        return Field("Contact", "onevoice_tier__c", "text", "Tier (Onevoice)")

    def contacts(self, count: int, stamp: datetime | None = None, **fields: object) -> list[str]:
        table = self.state.tables["Contact"]
        return [
            table.insert(
                {"LastName": "Moss", "Email": "jane.moss@example.org", "IsDeleted": False, **fields},
                stamp=stamp or LONG_AGO + timedelta(seconds=serial),
                actor="seed",
            )
            for serial in range(count)
        ]


@pytest.fixture
def salesforce(certificate: tuple[Path, Path]) -> Iterator[SalesforceRig]:
    """An org without contacts, limits off."""
    state = salesforce_state(Clock(AS_OF))
    state.faults.limits_on = False
    with served(lambda url: salesforce_app(state, ServerConfig(url, "the-client", SECRET)), certificate) as url:
        settings = {"url": url, "ca": str(certificate[0]), "client_id": "the-client", "client_secret": SECRET}
        yield SalesforceRig(state, settings)


@dataclass
class HubSpotRig:
    """A sandbox portal with contacts, for the contract suite and for tests of its own."""

    state: VendorState
    settings: Mapping[str, str]
    kind: str = "hubspot"
    stream: str = "contacts"
    fields: tuple[str, ...] = ("email", "lastname", "city")
    private: tuple[str, ...] = (SECRET, "jane.moss", "0-no-date", "the-refresh-token")

    def open(self, *, bad_credential: bool = False) -> Any:
        settings = {**self.settings, "client_secret": f"{SECRET}-but-wrong"} if bad_credential else self.settings
        return open_connector("hubspot", "hubspot", settings, Freely())

    def settled(self) -> datetime:
        self.state.clock.advance(7200)
        return self.state.clock.now()

    def keys(self) -> set[str]:
        return set(self.state.tables["contacts"].rows)

    def edit(self, key: str) -> None:
        self.state.tables["contacts"].update(key, {"city": "Edited by hand"}, actor="hand")

    def delete(self, key: str) -> None:
        row = self.state.tables["contacts"].rows[key]
        self.state.tables["contacts"].delete(key, actor="hand")
        stamp = hubspot_stamp(self.state.clock.now())
        self.state.tables["archived_contacts"].insert({**row, "archived_at": stamp}, key=key, actor="hand")

    def throttle(self, *, on: bool) -> None:
        self.state.faults.throttle = on

    def calls(self) -> int:
        return int(self.state.calls.summary()["calls"])

    def good(self, key: str, serial: int) -> Write:
        return Write(key, {"city": f"City {serial}", "state": "Here"})

    def bad(self, key: str) -> Write:
        return Write(key, {"web_orders": "0-no-date", "lastname": "jane.moss"})

    def cleared(self, key: str) -> Write:
        return Write(key, {"city": None})

    def holds(self, write: Write) -> bool:
        row = self.state.tables["contacts"].rows[write.key]
        return all((row.get(name) or None) == value for name, value in write.fields.items())

    def new_field(self) -> Field:
        return Field("contacts", "onevoice_tier", "text", "Tier (Onevoice)")

    def contacts(self, count: int, stamp: datetime | None = None, **fields: object) -> list[str]:
        table = self.state.tables["contacts"]
        return [
            table.insert(
                {"lastname": "Moss", "email": f"jane.moss.{len(table)}@example.org", **fields},
                stamp=stamp or LONG_AGO + timedelta(seconds=serial),
                actor="seed",
            )
            for serial in range(count)
        ]


@pytest.fixture
def hubspot() -> Iterator[HubSpotRig]:
    """A portal without contacts, limits off."""
    state = hubspot_state(Clock(AS_OF))
    state.faults.limits_on = False
    config = {"client_id": "the-client", "client_secret": SECRET, "refresh_token": "the-refresh-token"}
    with served(lambda url: hubspot_app(state, ServerConfig(url, **config)), None) as url:
        yield HubSpotRig(state, {"url": url, **config})


@pytest.fixture
def klaviyo() -> Iterator[Any]:
    """A Klaviyo account without profiles, limits off."""
    with beside("klaviyo_rig").account(served, Freely) as rig:
        yield rig


@pytest.fixture
def shopify() -> Iterator[Any]:
    """A shop without customers, limits off."""
    with beside("shopify_rig").shop(served, Freely) as rig:
        yield rig


@pytest.fixture
def square(openapi_judging: Any) -> Iterator[Any]:
    """A Square seller without customers, limits off."""
    with beside("square_rig").seller(served, Freely, openapi_judging) as rig:
        yield rig


@dataclass
class FilesRig:
    """A folder with one export, for the contract suite."""

    folder: Path
    kind: str = "files"
    stream: str = "cards"
    fields: tuple[str, ...] = ("first_name",)
    private: tuple[str, ...] = ("jane.moss@example.org",)

    def open(self, *, bad_credential: bool = False) -> Any:
        del bad_credential  # a folder has none
        settings = {"folder": str(self.folder), "cards.key": "card_no", "cards.stamp": "changed_at"}
        return open_connector("files", "till", settings, Freely())

    def settled(self) -> datetime:
        return AS_OF

    def keys(self) -> set[str]:
        return {line.partition(",")[0] for line in self._lines()}

    def edit(self, key: str) -> None:
        self._write([line.replace("Jane", "Joan") if line.startswith(f"{key},") else line for line in self._lines()])

    def throttle(self, *, on: bool) -> None:
        """A folder does not throttle."""

    def calls(self) -> int:
        return 0

    def contacts(self, count: int) -> None:
        stamp = LONG_AGO.isoformat()
        self._write([f"{serial:07d},Jane,jane.moss@example.org,{stamp}" for serial in range(count)])

    def _path(self) -> Path:
        return self.folder / "cards.csv"

    def _lines(self) -> list[str]:
        return self._path().read_text("utf-8").splitlines()[1:]

    def _write(self, lines: list[str]) -> None:
        self._path().write_text("\n".join(["card_no,first_name,email,changed_at", *lines]) + "\n", "utf-8")


@pytest.fixture
def files(tmp_path: Path) -> FilesRig:
    """An empty folder."""
    return FilesRig(tmp_path)


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
def scripted_server(certificate: tuple[Path, Path] | None) -> Iterator[Scripted]:
    script = Scripted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet

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
        context.load_cert_chain(*certificate)
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


@pytest.fixture
def scripted(certificate: tuple[Path, Path]) -> Iterator[Callable[..., Scripted]]:
    """Make a scripted server; `scripted(tls=True)` speaks TLS with the test's certificate."""
    with ExitStack() as stack:
        yield lambda *, tls=False: stack.enter_context(scripted_server(certificate if tls else None))
