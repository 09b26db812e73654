"""Salesforce's campaigns, by its contacts' own fields and their memberships."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date

from onevoice.sandbox.campaigns.selecting import Message, Row, birthday, days_since, rewarded, share, suppressed
from onevoice.sandbox.state import VendorState

_MEMBER_STATUSES = frozenset({"Active", "Pending", "Suspended", "Inactive"})


def salesforce_messages(state: VendorState, day: date) -> Iterator[Message]:
    """All messages of Salesforce's campaigns, by contact."""
    campaigns = _Salesforce(state, day)
    for row in state.tables["Contact"].rows.values():
        if row.get("Email") and not row.get("HasOptedOutOfEmail") and not row.get("IsDeleted"):
            yield from campaigns.to(row)


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
            "win_back": lambda row: days_since(row.get("Last_Purchase_Date__c"), self._day) > 180,
            "birthday": lambda row: (
                birthday(row.get("Birthdate"), self._day) and not rewarded(row.get("Birthday_Reward_On__c"), self._day)
            ),
            "discount": lambda row: share("discount", row["Id"], 3),
            "newsletter": lambda row: share("newsletter", row["Id"], 2),
        }

    def to(self, row: Row) -> Iterator[Message]:
        for family, selects in self._campaigns.items():
            if selects(row) and not suppressed(row.get(f"onevoice_no_{family}_until__c"), self._day):
                shown = None
                if family == "tier_perk":
                    shown = row.get("onevoice_tier__c") or self._tier[row["Id"]]["Name"]
                yield Message(("salesforce", "Contact", row["Id"]), family, row["Email"], shown)
