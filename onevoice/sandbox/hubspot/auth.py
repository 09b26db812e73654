"""OAuth: a refresh token for access tokens that live for half an hour, less when limits or faults say so."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request

from onevoice.sandbox.calls import REFUSED, SETUP, TOKEN_EXPIRED
from onevoice.sandbox.gate import Answer, Operation, form_body
from onevoice.sandbox.hubspot.errors import refusal
from onevoice.sandbox.hubspot.portal import PORTAL_ID, Portal
from onevoice.sandbox.state import hubspot_stamp

TOKEN_LIFE = timedelta(minutes=30)
TOKEN = Operation("token", SETUP)
SCOPES = (
    "crm.lists.read",
    "crm.lists.write",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
    "communication_preferences.read_write",
    "oauth",
)


@dataclass(slots=True)
class _Token:
    expires: datetime
    calls: int = 0


class Auth:
    """The access tokens in use."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._tokens: dict[str, _Token] = {}
        self._expired: dict[str, datetime] = {}

    def admit(self, request: Request, operation: Operation) -> None:
        """Let a call pass, or refuse it: vendor down, no token, too many calls."""
        self.refuse_when_down()
        scheme, _, name = request.headers.get("authorization", "").partition(" ")
        token = self._tokens.get(name) if scheme.lower() == "bearer" else None
        if token is None:
            raise self._expired_refusal(name) if name in self._expired else _unknown()
        now = self._portal.state.clock.now()
        if now >= token.expires or self._portal.limits.token_dies(token.calls):
            self._portal.limits.calls += 1
            self._expired[name] = min(now, token.expires)
            del self._tokens[name]
            raise self._expired_refusal(name)
        token.calls += 1
        self._portal.limits.admit(operation)

    def refuse_when_down(self) -> None:
        """Every endpoint answers 503 during an outage."""
        if self._portal.state.faults.down:
            raise refusal(503, "INTERNAL_ERROR", "Service temporarily unavailable")

    async def token(self, request: Request) -> Answer:
        """POST /oauth/v1/token."""
        self.refuse_when_down()
        form = await form_body(request)
        config = self._portal.config
        if form.get("grant_type") != "refresh_token":
            return _bad("BAD_GRANT_TYPE", "missing or unknown grant type")
        if (form.get("client_id"), form.get("client_secret")) != (config.client_id, config.client_secret):
            return _bad("BAD_CLIENT_ID", "missing or unknown client id")
        if form.get("refresh_token") != config.refresh_token:
            return _bad("BAD_REFRESH_TOKEN", "missing or unknown refresh token")
        name = secrets.token_urlsafe(48)
        self._tokens[name] = _Token(self._portal.state.clock.now() + TOKEN_LIFE)
        body = {
            "token_type": "bearer",
            "refresh_token": config.refresh_token,
            "access_token": name,
            "expires_in": int(TOKEN_LIFE.total_seconds()),
        }
        return Answer(200, body)

    async def about_token(self, request: Request) -> Answer:
        """GET /oauth/v1/access-tokens/{token}."""
        self.refuse_when_down()
        name = str(request.path_params["token"])
        token = self._tokens.get(name)
        if token is None:
            raise refusal(404, "OBJECT_NOT_FOUND", "access token not found or expired")
        left = int((token.expires - self._portal.state.clock.now()).total_seconds())
        body = {
            "token": name,
            "hub_id": PORTAL_ID,
            "hub_domain": "sandbox.onevoice.example",
            "app_id": 100_200,
            "user": "integration@onevoice.example",
            "user_id": 300_400,
            "scopes": list(SCOPES),
            "token_type": "access",
            "expires_in": left,
        }
        return Answer(200, body)

    async def account(self, _request: Request) -> Answer:
        """GET /account-info/v3/details."""
        body = {
            "portalId": PORTAL_ID,
            "accountType": "STANDARD",
            "timeZone": "UTC",
            "companyCurrency": "EUR",
            "additionalCurrencies": [],
            "utcOffset": "+00:00",
            "utcOffsetMilliseconds": 0,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "eu1",
        }
        return Answer(200, body)

    def _expired_refusal(self, name: str) -> Exception:
        since = self._portal.state.clock.now() - self._expired[name]
        return refusal(
            401,
            "EXPIRED_AUTHENTICATION",
            f"The OAuth token used to make this call expired {int(since.total_seconds())} second(s) ago.",
            outcome=TOKEN_EXPIRED,
            context={"expire time": [hubspot_stamp(self._expired[name])]},
        )


def _unknown() -> Exception:
    return refusal(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.", outcome=REFUSED)


def _bad(status: str, message: str) -> Answer:
    return Answer(400, {"status": status, "message": message, "correlationId": str(uuid.uuid4())}, outcome=REFUSED)
