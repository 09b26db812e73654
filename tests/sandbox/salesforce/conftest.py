"""A Salesforce org served over TLS on loopback, and clients that know its certificate authority."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import requests
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from starlette.types import ASGIApp, Receive, Scope, Send

from onevoice.sandbox.salesforce import create_app
from onevoice.sandbox.state import Clock, ServerConfig, VendorState
from onevoice.sandbox.tables import salesforce_state

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
CLIENT = ("client", "secret")


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


class Org:
    """A served org: its state, and clients for it."""

    def __init__(self, state: VendorState, url: str, ca: Path) -> None:
        self.state = state
        self.url = url
        self.ca = ca
        self.data = f"{url}/services/data/v67.0"
        self._sessions: list[requests.Session] = []

    def token(self) -> str:
        """A fresh session."""
        answer = httpx.post(
            f"{self.url}/services/oauth2/token",
            data={"grant_type": "client_credentials", "client_id": CLIENT[0], "client_secret": CLIENT[1]},
            verify=ssl.create_default_context(cafile=self.ca),
            trust_env=False,
        )
        return str(answer.raise_for_status().json()["access_token"])

    def http(self) -> httpx.Client:
        """A plain client with a session."""
        client = self.stranger()
        client.headers["Authorization"] = f"Bearer {self.token()}"
        return client

    def stranger(self) -> httpx.Client:
        """A plain client without a session."""
        return httpx.Client(base_url=self.data, verify=ssl.create_default_context(cafile=self.ca), trust_env=False)

    def close(self) -> None:
        """Close the connections of the SDK's sessions."""
        for session in self._sessions:
            session.close()

    def session(self) -> requests.Session:
        """For the SDK: trusts the test's authority, and sends its fixed login host to this server."""
        session = requests.Session()
        self._sessions.append(session)
        session.trust_env = False
        session.verify = str(self.ca)
        session.mount("https://sandbox.salesforce.com", _Redirected(self.url))
        session.mount("https://login.salesforce.com", _Redirected(self.url))
        return session

    def sdk(self) -> Salesforce:
        """The real SDK, signed in with client credentials; it renews its own session."""
        return Salesforce(
            consumer_key=CLIENT[0], consumer_secret=CLIENT[1], domain="sandbox", version="67.0", session=self.session()
        )

    def contact(self, **fields: object) -> str:
        """A contact that has long been there."""
        table = self.state.tables["Contact"]
        return table.insert({"LastName": "Moss", **fields}, stamp=AS_OF - timedelta(days=3), actor="seed")

    def field(self, name: str, **metadata: object) -> httpx.Response:
        """Create a custom field on Contact."""
        body = {"FullName": f"Contact.{name}", "Metadata": {"label": name, **metadata}}
        with self.http() as client:
            return client.post("/tooling/sobjects/CustomField", json=body)


class _Redirected(HTTPAdapter):
    """The SDK builds `https://<domain>.salesforce.com` for signing in, whatever it is told."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: requests.PreparedRequest, *args: object, **kwargs: object) -> requests.Response:
        assert request.url is not None
        _, _, path = request.url.removeprefix("https://").partition("/")
        request.url = f"{self._url}/{path}"
        return super().send(request, *args, **kwargs)  # type: ignore[arg-type]


class Switch:
    """The one server of the session; every test puts its own org behind it, for TLS connections are slow to end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve from the org of the moment."""
        assert self.app is not None
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def switch(certificate: tuple[Path, Path]) -> Iterator[Switch]:
    """A TLS server on loopback."""
    ca, key = certificate
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # Inherited by its connections; without it every answer waits 40 ms for the acknowledgement of its head.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        served = Switch(f"https://127.0.0.1:{listener.getsockname()[1]}")
        config = uvicorn.Config(
            served, log_level="error", ws="none", lifespan="off", ssl_certfile=str(ca), ssl_keyfile=str(key)
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield served
        server.should_exit = True
        thread.join(timeout=5)


@pytest.fixture
def org(switch: Switch, certificate: tuple[Path, Path]) -> Iterator[Org]:
    """An empty org, limits off."""
    state = salesforce_state(Clock(AS_OF))
    state.faults.limits_on = False
    switch.app = create_app(state, ServerConfig(url=switch.url, client_id=CLIENT[0], client_secret=CLIENT[1]))
    served = Org(state, switch.url, certificate[0])
    yield served
    served.close()
