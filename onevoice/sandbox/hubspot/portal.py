"""One portal: its state and everything its endpoints share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import json_body
from onevoice.sandbox.hubspot.errors import invalid
from onevoice.sandbox.hubspot.limits import Limits
from onevoice.sandbox.hubspot.schema import Properties
from onevoice.sandbox.state import ServerConfig, VendorState

PORTAL_ID = 24_001_000


class Portal:
    """What the endpoints work on."""

    def __init__(self, state: VendorState, config: ServerConfig) -> None:
        self.state = state
        self.config = config
        self.properties = Properties(state)
        self.limits = Limits(state)


async def json_object(request: Request) -> Mapping[str, Any]:
    """The body, which must be a JSON object."""
    body = await json_anything(request)
    if not isinstance(body, Mapping):
        raise invalid("Invalid input JSON: an object is needed")
    return body


async def json_anything(request: Request) -> Any:
    """The body as JSON."""
    try:
        return await json_body(request)
    except ValueError as error:
        raise invalid(f"Invalid input JSON: {error}") from error


def listed(request: Request, name: str) -> list[str]:
    """A query parameter that may be repeated or comma-separated."""
    return [part for value in request.query_params.getlist(name) for part in value.split(",") if part]


def whole_number(text: object, what: str, least: int, most: int) -> int:
    """A number within its bounds, given as a number or as text."""
    if not str(text).isdigit() or not least <= int(str(text)) <= most:
        raise invalid(f"{what} must be a whole number from {least} to {most}")
    return int(str(text))
