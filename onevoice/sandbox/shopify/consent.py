"""Marketing consent of a customer's e-mail address and phone number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from onevoice.sandbox.shopify.customers import known_customer
from onevoice.sandbox.shopify.errors import not_done
from onevoice.sandbox.shopify.shop import Shop
from onevoice.sandbox.shopify.tables import shopify_stamp

SETTABLE = ("SUBSCRIBED", "UNSUBSCRIBED", "PENDING")
"""The other states are set by Shopify alone (Admin GraphQL 2026-07, customerEmailMarketingConsentUpdate)."""


@dataclass(frozen=True, slots=True)
class _Channel:
    contact: str
    """The row's field that must be there."""
    column: str
    argument: str
    named: str


_EMAIL = _Channel("email", "emailMarketing", "emailMarketingConsent", "an email address")
_SMS = _Channel("phone", "phoneMarketing", "smsMarketingConsent", "a phone number")


def update_email_consent(shop: Shop, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """customerEmailMarketingConsentUpdate."""
    return _update(shop, arguments["input"], _EMAIL)


def update_sms_consent(shop: Shop, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """customerSmsMarketingConsentUpdate."""
    return _update(shop, arguments["input"], _SMS)


def _update(shop: Shop, given: Mapping[str, Any], channel: _Channel) -> tuple[dict[str, Any], int]:
    place = ("input", channel.argument)
    row = known_customer(shop, given["customerId"], ("input", "customerId"))
    wanted = given[channel.argument]
    state = wanted["marketingState"]
    if state not in SETTABLE:
        message = f"Cannot specify {state} as a marketing state input"
        raise not_done((*place, "marketingState"), message, "INVALID")
    before = row.get(channel.column) or {}
    if not row.get(channel.contact) or before.get("state") == "REDACTED":
        raise not_done(("input", "customerId"), f"The customer must have {channel.named}", "INVALID")
    level = wanted.get("marketingOptInLevel")
    if state == "PENDING" and level == "SINGLE_OPT_IN":
        message = "PENDING is the first half of a confirmed opt-in"
        raise not_done((*place, "marketingOptInLevel"), message, "INVALID")
    now = shop.state.clock.now()
    moment = _moment(wanted.get("consentUpdatedAt"), now)
    if moment > now:
        raise not_done((*place, "consentUpdatedAt"), "Consent updated at must not be in the future", "INVALID")
    said = {
        "state": state,
        "optInLevel": level or before.get("optInLevel") or "SINGLE_OPT_IN",
        "updatedAt": shopify_stamp(moment),
    }
    changed = before.get("state") != state
    return {"customer": shop.customers.update(row["id"], {channel.column: said})}, int(changed)


def _moment(text: str | None, now: datetime) -> datetime:
    if text is None:
        return now
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
