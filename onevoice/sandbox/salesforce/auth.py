"""Signing in (OAuth client credentials and password, SOAP login) and the sessions it opens.

The org's one user: the client id is also his user name, and the client secret his password with security token.
Sessions last two hours; with limits on, calls now and then find theirs ended (see `limits`).
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.sax.saxutils import escape, unescape

from starlette.requests import Request
from starlette.responses import Response

from onevoice.sandbox.calls import REFUSED, SETUP, TOKEN_EXPIRED
from onevoice.sandbox.gate import Answer, Operation, form_body
from onevoice.sandbox.salesforce.errors import refusal
from onevoice.sandbox.salesforce.org import USER_ID, Org

SESSION_LIFE = timedelta(hours=2)
TOKEN = Operation("token", SETUP)
_USERNAME = re.compile(r"<(?:\w+:)?username>(.*?)</", re.DOTALL)
_PASSWORD = re.compile(r"<(?:\w+:)?password>(.*?)</", re.DOTALL)
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body>{}</soapenv:Body></soapenv:Envelope>'
)


@dataclass(slots=True)
class _Session:
    ends: datetime
    calls: int = 0


class Auth:
    """The org's sessions."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._sessions: dict[str, _Session] = {}
        self._ended: set[str] = set()

    def admit(self, request: Request, _operation: Operation) -> None:
        """Let a data call pass, or refuse it: vendor down, no session, too many calls."""
        self.refuse_when_down()
        token = _bearer(request)
        session = self._sessions.get(token)
        if session is None:
            outcome = TOKEN_EXPIRED if token in self._ended else REFUSED
            raise refusal(401, "INVALID_SESSION_ID", "Session expired or invalid", outcome=outcome)
        if self._org.state.clock.now() >= session.ends or self._org.limits.session_ends(session.calls):
            self._org.limits.calls += 1
            self._ended.add(token)
            del self._sessions[token]
            raise refusal(401, "INVALID_SESSION_ID", "Session expired or invalid", outcome=TOKEN_EXPIRED)
        session.calls += 1
        self._org.limits.admit()

    def refuse_when_down(self) -> None:
        """Every endpoint answers 503 during an outage."""
        if self._org.state.faults.down:
            raise refusal(503, "SERVER_UNAVAILABLE", "We are down for maintenance.")

    async def token(self, request: Request) -> Answer:
        """POST /services/oauth2/token."""
        if self._org.state.faults.down:
            return _oauth_error(503, "temporarily_unavailable", "We are down for maintenance.")
        form = await form_body(request)
        grant = form.get("grant_type")
        if grant not in {"client_credentials", "password"}:
            return _oauth_error(400, "unsupported_grant_type", "grant type not supported")
        client = _basic(request) or (form.get("client_id", ""), form.get("client_secret", ""))
        if client != (self._org.config.client_id, self._org.config.client_secret):
            return _oauth_error(400, "invalid_client", "invalid client credentials")
        if grant == "password" and not self._known_user(form.get("username", ""), form.get("password", "")):
            return _oauth_error(400, "invalid_grant", "authentication failure")
        token = self._open()
        issued = f"{self._org.state.clock.now().timestamp() * 1000:.0f}"
        body = {
            "access_token": token,
            "instance_url": self._org.config.url,
            "id": f"{self._org.config.url}/id/{self._org.id}/{USER_ID}",
            "token_type": "Bearer",
            "scope": "api",
            "issued_at": issued,
            "signature": base64.b64encode(issued.encode()).decode(),
        }
        return Answer(200, body)

    async def userinfo(self, _request: Request) -> Answer:
        """GET /services/oauth2/userinfo."""
        body = {
            "user_id": USER_ID,
            "organization_id": self._org.id,
            "preferred_username": self._org.config.client_id,
            "active": True,
        }
        return Answer(200, body)

    async def soap_login(self, request: Request) -> Response:
        """POST /services/Soap/u/NN.0: the login call of the partner API."""
        self._org.state.calls.record("soap login", SETUP)
        if self._org.state.faults.down:
            return Response("We are down for maintenance.", 503, media_type="text/plain")
        text = (await request.body()).decode()
        username, password = (
            unescape(found.group(1)) if (found := pattern.search(text)) else "" for pattern in (_USERNAME, _PASSWORD)
        )
        if not self._known_user(username, password):
            fault = (
                "<soapenv:Fault><faultcode>INVALID_LOGIN</faultcode><faultstring>INVALID_LOGIN</faultstring><detail>"
                "<sf:LoginFault><sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode><sf:exceptionMessage>Invalid "
                "username, password, security token; or user locked out.</sf:exceptionMessage></sf:LoginFault>"
                "</detail></soapenv:Fault>"
            )
            return Response(_ENVELOPE.format(fault), 500, media_type="text/xml")
        version = request.path_params["version"]
        url = escape(f"{self._org.config.url}/services/Soap/u/{version}/{self._org.id}")
        result = (
            f"<loginResponse><result><serverUrl>{url}</serverUrl><sessionId>{self._open()}</sessionId>"
            f"<userId>{USER_ID}</userId></result></loginResponse>"
        )
        return Response(_ENVELOPE.format(result), media_type="text/xml")

    def _known_user(self, username: str, password: str) -> bool:
        return (username, password) == (self._org.config.client_id, self._org.config.client_secret)

    def _open(self) -> str:
        token = f"{self._org.id[:15]}!{secrets.token_urlsafe(48)}"
        self._sessions[token] = _Session(self._org.state.clock.now() + SESSION_LIFE)
        return token


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme in {"Bearer", "OAuth"} else ""


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme != "Basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return client_id, secret


def _oauth_error(status: int, error: str, description: str) -> Answer:
    return Answer(status, {"error": error, "error_description": description}, outcome=REFUSED)
