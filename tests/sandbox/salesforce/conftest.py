"""A Salesforce org served over TLS on loopback, and clients that know its certificate authority."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce

from loopback import Stage
from onevoice.sandbox.certificate import Certificate
from onevoice.sandbox.salesforce import create_app
from onevoice.sandbox.state import Clock, ServerConfig, VendorState
from onevoice.sandbox.tables import salesforce_state

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
CLIENT = ("client", "secret")


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


@pytest.fixture
def stage(stage_of: Callable[..., Stage], certificate: Certificate) -> Stage:
    """The one server of all tests; it speaks TLS."""
    return stage_of("salesforce", certificate)


@pytest.fixture
def org(stage: Stage, certificate: Certificate) -> Iterator[Org]:
    """An empty org, limits off."""
    state = salesforce_state(Clock(AS_OF))
    state.faults.limits_on = False
    stage.app = create_app(state, ServerConfig(url=stage.url, client_id=CLIENT[0], client_secret=CLIENT[1]))
    served = Org(state, stage.url, certificate.ca)
    yield served
    served.close()
