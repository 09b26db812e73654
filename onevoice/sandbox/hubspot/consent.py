"""/communication-preferences/v3: the one subscription type of the portal, by e-mail address.

v3 knows two states. An address that never said anything may be mailed, so it shows as SUBSCRIBED. An opt-out given by
or for a person cannot be taken back through the API.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import Answer
from onevoice.sandbox.hubspot.contacts_store import Contacts
from onevoice.sandbox.hubspot.errors import invalid
from onevoice.sandbox.hubspot.portal import Portal, json_object
from onevoice.sandbox.state import Fields, hubspot_stamp
from onevoice.sandbox.tables import MARKETING

LEGAL_BASES = frozenset(
    {
        "LEGITIMATE_INTEREST_PQL",
        "LEGITIMATE_INTEREST_CLIENT",
        "PERFORMANCE_OF_CONTRACT",
        "CONSENT_WITH_NOTICE",
        "NON_GDPR",
        "PROCESS_AND_STORE",
        "LEGITIMATE_INTEREST_OTHER",
    }
)
SUBSCRIBED, NOT_SUBSCRIBED = "SUBSCRIBED", "NOT_SUBSCRIBED"
_NAME, _DESCRIPTION = "Marketing", "Offers, rewards and news"


class Consent:
    """Endpoints on subscription statuses."""

    def __init__(self, portal: Portal, contacts: Contacts) -> None:
        self._state = portal.state
        self._table = portal.state.tables["subscriptions"]
        self._contacts = contacts
        self._defined = hubspot_stamp(portal.state.clock.now())

    async def definitions(self, _request: Request) -> Answer:
        """GET /communication-preferences/v3/definitions."""
        one = {
            "id": MARKETING,
            "name": _NAME,
            "description": _DESCRIPTION,
            "purpose": "Marketing",
            "communicationMethod": "Email",
            "isActive": True,
            "isDefault": False,
            "isInternal": False,
            "createdAt": self._defined,
            "updatedAt": self._defined,
        }
        return Answer(200, {"subscriptionDefinitions": [one]})

    async def status(self, request: Request) -> Answer:
        """GET /communication-preferences/v3/status/email/{address}."""
        address = _address(request.path_params["address"])
        return Answer(200, {"recipient": address, "subscriptionStatuses": [self._shown(address)]})

    async def subscribe(self, request: Request) -> Answer:
        """POST /communication-preferences/v3/subscribe: refused for an address that opted out."""
        address, basis = await self._asked(request)
        row = self._table.get(address)
        if row is not None and row["status"] == NOT_SUBSCRIBED:
            raise invalid(f"{address} has opted out of subscription {MARKETING} and cannot be resubscribed by the API")
        changed = row is None or row["status"] != SUBSCRIBED
        if changed:
            self._set(address, SUBSCRIBED, basis)
        return Answer(200, self._shown(address), units=int(changed))

    async def unsubscribe(self, request: Request) -> Answer:
        """POST /communication-preferences/v3/unsubscribe: a second time it answers the same and nothing happens."""
        address, basis = await self._asked(request)
        row = self._table.get(address)
        changed = row is None or row["status"] != NOT_SUBSCRIBED
        if changed:
            self._set(address, NOT_SUBSCRIBED, basis)
        return Answer(200, self._shown(address), units=int(changed))

    async def _asked(self, request: Request) -> tuple[str, Fields]:
        body = await json_object(request)
        if not body.get("emailAddress") or not body.get("subscriptionId"):
            raise invalid("Invalid input JSON: some of required attributes are not set [emailAddress, subscriptionId]")
        if str(body["subscriptionId"]) != MARKETING:
            raise invalid(f"Subscription {body['subscriptionId']} does not exist")
        basis = body.get("legalBasis")
        if basis is not None and basis not in LEGAL_BASES:
            raise invalid(f"legalBasis must be one of {sorted(LEGAL_BASES)}")
        stated = {name: body[name] for name in ("legalBasis", "legalBasisExplanation") if body.get(name)}
        return _address(body["emailAddress"]), stated

    def _set(self, address: str, status: str, basis: Fields) -> None:
        if address not in self._table:
            self._table.insert({"status": "", "source": "", "events": []}, key=address, actor="vendor")
        before = self._table.rows[address].get("events") or []
        event = {"at": hubspot_stamp(self._state.clock.now()), "status": status, "source": "API"}
        self._table.update(address, {"status": status, "source": "API", "events": [*before, event], **basis})
        self._contacts.follow_status(address, opted_out=status == NOT_SUBSCRIBED)

    def _shown(self, address: str) -> dict[str, Any]:
        row = self._table.get(address) or {}
        shown = {
            "id": MARKETING,
            "name": _NAME,
            "description": _DESCRIPTION,
            "status": row.get("status") or SUBSCRIBED,
            "sourceOfStatus": "SUBSCRIPTION_STATUS",
            "preferenceGroupName": "Marketing",
        }
        return {**shown, **{name: row[name] for name in ("legalBasis", "legalBasisExplanation") if row.get(name)}}


def _address(text: object) -> str:
    address = str(text).strip().lower()
    if "@" not in address:
        raise invalid("Email address is invalid")
    return address
