"""The marketing side of the two senders: who gets which message today, chosen by that system's own fields alone.

A campaign knows nothing of the other system, of the truth, or of who is who. What a hub wrote it honours:
`onevoice_no_<family>_until` on the record (HubSpot's newsletter looks at a static list instead), `onevoice_tier`,
and the vendor's native opt-outs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zlib import crc32

from onevoice.sandbox.state import VendorState
from onevoice.sandbox.tables import OPTOUT_PROPERTY
from onevoice.sandbox.truth import Ref

Row = Mapping[str, Any]
NEWSLETTER_LIST = "onevoice_no_newsletter"
_MEMBER_STATUSES = frozenset({"Active", "Pending", "Suspended", "Inactive"})


@dataclass(frozen=True, slots=True)
class Message:
    """One e-mail that would go out today."""

    ref: Ref
    family: str
    address: str
    shown_tier: str | None = None


def salesforce_messages(state: VendorState, day: date) -> Iterator[Message]:
    """All messages of Salesforce's campaigns, by contact."""
    campaigns = _Salesforce(state, day)
    for row in state.tables["Contact"].rows.values():
        if row.get("Email") and not row.get("HasOptedOutOfEmail") and not row.get("IsDeleted"):
            yield from campaigns.to(row)


def hubspot_messages(state: VendorState, day: date) -> Iterator[Message]:
    """All messages of HubSpot's campaigns, by contact."""
    campaigns = _HubSpot(state, day)
    for key, row in state.tables["contacts"].rows.items():
        if row.get("email") and row.get("hs_email_optout") != "true" and row.get(OPTOUT_PROPERTY) != "true":
            yield from campaigns.to(key, row)


class _Salesforce:
    def __init__(self, state: VendorState, day: date) -> None:
        self._day = day
        self._tier: dict[str, Row] = {}
        self._statuses: dict[str, set[str]] = defaultdict(set)
        contact_of: dict[str, str] = {}
        for key, member in state.tables["LoyaltyProgramMember"].rows.items():
            if member.get("IsDeleted"):
                continue
            self._statuses[member["ContactId"]].add(member["MemberStatus"])
            if member["MemberStatus"] == "Active":
                contact_of[key] = member["ContactId"]
        for tier in state.tables["LoyaltyMemberTier"].rows.values():
            contact = contact_of.get(tier["LoyaltyMemberId"])
            if contact and tier["Name"] in {"Silver", "Gold"} and not tier.get("IsDeleted"):
                known = self._tier.get(contact)
                if known is None or known["EffectiveDate"] < tier["EffectiveDate"]:
                    self._tier[contact] = tier
        self._campaigns: dict[str, Callable[[Row], bool]] = {
            "join": lambda row: not self._statuses.get(row["Id"], set()) & _MEMBER_STATUSES,
            "tier_perk": lambda row: row["Id"] in self._tier,
            "win_back": lambda row: _days_since(row.get("Last_Purchase_Date__c"), self._day) > 180,
            "birthday": lambda row: _birthday(row.get("Birthdate"), self._day),
            "discount": lambda row: _share("discount", row["Id"], 3),
            "newsletter": lambda row: _share("newsletter", row["Id"], 2),
        }

    def to(self, row: Row) -> Iterator[Message]:
        for family, selects in self._campaigns.items():
            if selects(row) and not _suppressed(row.get(f"onevoice_no_{family}_until__c"), self._day):
                shown = None
                if family == "tier_perk":
                    shown = row.get("onevoice_tier__c") or self._tier[row["Id"]]["Name"]
                yield Message(("salesforce", "Contact", row["Id"]), family, row["Email"], shown)


class _HubSpot:
    def __init__(self, state: VendorState, day: date) -> None:
        self._day = day
        self._not_newsletter: set[str] = set()
        for row in state.tables["lists"].rows.values():
            if row["name"] == NEWSLETTER_LIST:
                self._not_newsletter |= row["members"]
        self._campaigns: dict[str, Callable[[Row], bool]] = {
            "join": lambda row: row.get("loyalty_member") != "true",
            "first_order": lambda row: row.get("web_orders") in {None, "", "0"},
            "win_back": lambda row: _days_since(row.get("web_last_order_at"), day) > 120,
            "cart_reminder": self._has_open_cart,
            "tier_perk": lambda row: row.get("loyalty_tier") in {"silver", "gold"},
            "birthday": lambda row: _birthday(row.get("date_of_birth"), day),
            "discount": lambda row: _share("discount", row["hs_object_id"], 3),
        }

    def to(self, key: str, row: Row) -> Iterator[Message]:
        ref = ("hubspot", "contacts", key)
        for family, selects in self._campaigns.items():
            if selects(row) and not _suppressed(row.get(f"onevoice_no_{family}_until"), self._day):
                shown = (row.get("onevoice_tier") or row["loyalty_tier"]) if family == "tier_perk" else None
                yield Message(ref, family, row["email"], shown)
        if key not in self._not_newsletter:
            yield Message(ref, "newsletter", row["email"])

    def _has_open_cart(self, row: Row) -> bool:
        left = row.get("cart_abandoned_at")
        if not left or _days_since(left, self._day) > 7:
            return False
        ordered = row.get("web_last_order_at")
        same = row.get("web_last_order_category") == row.get("cart_category")
        return not (ordered and same and _instant(ordered) > _instant(left))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _days_since(text: str | None, day: date) -> int:
    """Whole days since a date or datetime in ISO text; -1 when there is none."""
    return (day - date.fromisoformat(text[:10])).days if text else -1


def _birthday(text: str | None, day: date) -> bool:
    """Whether a birthday falls on this day or one of the six that follow."""
    return bool(text) and any((day + timedelta(days=n)).strftime("%m-%d") == text[5:10] for n in range(7) if text)


def _share(campaign: str, key: str, parts: int) -> bool:
    """One record in so many, always the same ones."""
    return crc32(f"{campaign}:{key}".encode()) % parts == 0


def _suppressed(until: str | None, day: date) -> bool:
    return bool(until) and str(until)[:10] >= day.isoformat()
