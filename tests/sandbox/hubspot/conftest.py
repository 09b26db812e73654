"""A HubSpot portal served on loopback, clients for it, and HubSpot's API description as the judge of its answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hubspot import HubSpot
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from loopback import Stage, caller
from onevoice.sandbox.hubspot import create_app
from onevoice.sandbox.state import Clock, ServerConfig, VendorState
from onevoice.sandbox.tables import hubspot_state

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
CREDENTIALS = {"client_id": "client", "client_secret": "secret", "refresh_token": "refresh"}
SPECS = Path(__file__).parents[2] / "specs" / "hubspot"


class Portal:
    """A served portal: its state, and clients for it."""

    def __init__(self, state: VendorState, url: str) -> None:
        self.state = state
        self.url = url

    def token(self) -> str:
        """A fresh access token, fetched with the real SDK."""
        oauth = HubSpot(host=self.url, retry=False).oauth.tokens_api
        return str(oauth.create(grant_type="refresh_token", **CREDENTIALS).access_token)

    def sdk(self) -> HubSpot:
        """The real SDK with a token."""
        return HubSpot(access_token=self.token(), host=self.url, retry=False)

    def http(self) -> httpx.Client:
        """A plain client with a token."""
        return caller(self.url, headers={"Authorization": f"Bearer {self.token()}"})

    def contact(self, **fields: str) -> str:
        """A contact that has long been there."""
        return self.state.tables["contacts"].insert(fields, stamp=AS_OF - timedelta(days=3), actor="seed")

    def property(self, name: str, kind: str = "string", field_type: str = "text", **more: Any) -> None:
        """Create a contact property with the real SDK."""
        self.sdk().crm.properties.core_api.create(
            "contacts",
            {
                "name": name,
                "label": name,
                "type": kind,
                "fieldType": field_type,
                "groupName": "contactinformation",
                **more,
            },
        )


Opens = Callable[[VendorState], Portal]


@pytest.fixture
def opened(stage_of: Callable[..., Stage]) -> Opens:
    """Opens a portal with this state, limits off, in place of the one before."""
    stage = stage_of("hubspot")

    def open_with(state: VendorState) -> Portal:
        state.faults.limits_on = False
        stage.app = create_app(state, ServerConfig(url=stage.url, **CREDENTIALS))
        return Portal(state, stage.url)

    return open_with


@pytest.fixture
def portal(opened: Opens) -> Portal:
    """An empty portal, limits off."""
    return opened(hubspot_state(Clock(AS_OF)))


@pytest.fixture
def restarted(portal: Portal, opened: Opens) -> Callable[[], Portal]:
    """Puts a server in the portal's place that has taken over what it kept on disk."""

    def restart() -> Portal:
        state = hubspot_state(Clock(portal.state.clock.now()))
        state.load(json.loads(json.dumps(portal.state.dump())))
        return opened(state)

    return restart


class Judge:
    """HubSpot's API description of one area: validates requests and answers.

    Two edits: its server is ours, and property values may be null, as HubSpot answers for a property without a value
    (the description was derived from the SDK, which does not say so).
    """

    def __init__(self, name: str, url: str) -> None:
        described = json.loads((SPECS / f"{name}.json").read_text())
        described["servers"] = [{"url": url}]
        for schema in described["components"]["schemas"].values():
            values = schema.get("properties", {}).get("properties", {}).get("additionalProperties")
            if values:
                values["nullable"] = True
        self.paths = set(described["paths"])
        self._api = OpenAPI.from_dict(described)
        self._url = url

    def check(self, response: httpx.Response) -> None:
        """Raise for a request or an answer that the description does not allow."""
        request = response.request
        asked = MockRequest(
            self._url,
            request.method.lower(),
            request.url.path,
            args={name: request.url.params.get_list(name) for name in request.url.params},
            headers=dict(request.headers),
            data=request.content or None,
        )
        content_type = response.headers.get("content-type", "application/json").partition(";")[0]
        answered = MockResponse(response.content, response.status_code, dict(response.headers), content_type)
        if response.status_code < 400:
            self._api.validate_request(asked)
        self._api.validate_response(asked, answered)


@pytest.fixture(scope="session")
def judges() -> dict[str, Judge]:
    """By area, for a made-up host: paths are all that matters."""
    return {name: Judge(name, "http://portal.test") for name in ("contacts", "properties", "lists", "subscriptions")}


@pytest.fixture
def judged(portal: Portal, judges: dict[str, Judge]) -> Iterator[httpx.Client]:
    """A client whose every request and answer is held against HubSpot's API description."""
    areas = {
        "/crm/v3/objects": "contacts",
        "/crm/v3/properties": "properties",
        "/crm/v3/lists": "lists",
        "/communication-preferences": "subscriptions",
    }

    def judge(response: httpx.Response) -> None:
        response.read()
        area = next(name for start, name in areas.items() if response.request.url.path.startswith(start))
        judges[area].check(response)

    with portal.http() as client:
        client.event_hooks = {"response": [judge]}
        yield client
