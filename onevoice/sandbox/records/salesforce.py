"""The Salesforce org of a world. Nothing here is drawn that a verdict depends on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from onevoice.sandbox.chance import stream
from onevoice.sandbox.population.drafts import Draft
from onevoice.sandbox.population.ledger import Enrolment
from onevoice.sandbox.population.objections import ServiceCase
from onevoice.sandbox.population.rewards import Had
from onevoice.sandbox.records.writing import COUNTRIES, TITLES, moment
from onevoice.sandbox.state import VendorState, salesforce_stamp
from onevoice.sandbox.truth import Complaint, Membership, Tier, Truth

TIER_IDS = {name: f"0lt000000000{place:03d}AAA" for place, name in enumerate(("Blue", "Silver", "Gold"))}
"""LoyaltyTierId of the Club's tiers."""


class SalesforceRecords:
    """Writes the Salesforce org, and into the truth what stands there."""

    def __init__(self, seed: int, state: VendorState, truth: Truth, as_of: date) -> None:
        self._rng = stream(seed, "salesforce records")
        self._state = state
        self._truth = truth
        self._as_of = as_of
        self._before = as_of - timedelta(days=1)
        self._programme = self._add(
            "LoyaltyProgram", {"Name": "Club", "Status": "Active"}, as_of - timedelta(days=2900)
        )
        self._cases = 0

    def _add(self, table: str, fields: Mapping[str, Any], on: date, key: str | None = None) -> str:
        stamp = moment(min(on, self._before), self._rng)
        return self._state.tables[table].insert({**fields, "IsDeleted": False}, stamp, key, actor="seed")

    def contact(self, draft: Draft, last_seen: date | None, had: Had, *, opted_out: bool) -> None:
        """One Contact."""
        rng, home = self._rng, draft.address
        fields = {
            "Id": draft.key,
            "FirstName": draft.given or None,
            "LastName": draft.family,
            "Email": draft.email or None,
            "Phone": draft.landline or None,
            "MobilePhone": draft.mobile or None,
            "Birthdate": draft.birth or None,
            "MailingStreet": home.street if home else None,
            "MailingCity": home.city if home else None,
            "MailingPostalCode": home.postcode if home else None,
            "MailingState": home.region or None if home else None,
            "MailingCountry": COUNTRIES[home.country] if home else None,
            "HasOptedOutOfEmail": opted_out,
            "DoNotCall": rng.random() < 0.05,
            "Title": rng.choice(TITLES) or None,
            "Description": None,
            "Last_Purchase_Date__c": last_seen.isoformat() if last_seen else None,
            "Birthday_Reward_On__c": had.birthday.isoformat() if had.birthday else None,
            "Welcome_Reward_On__c": had.welcome.isoformat() if had.welcome else None,
            "MasterRecordId": None,
            "CreatedDate": salesforce_stamp(moment(draft.created, rng)),
        }
        self._add("Contact", fields, draft.changed, draft.key)

    def membership(self, enrolment: Enrolment) -> None:
        """A LoyaltyProgramMember with its currency and tiers."""
        draft = enrolment.draft
        key = self._add(
            "LoyaltyProgramMember",
            {
                "ContactId": draft.key,
                "ProgramId": self._programme,
                "MembershipNumber": enrolment.number,
                "MemberStatus": enrolment.status,
                "MemberType": "Individual",
                "EnrollmentDate": enrolment.enrolled.isoformat(),
                "MembershipEndDate": enrolment.ended.isoformat() if enrolment.ended else None,
                "CanReceivePromotions": True,
            },
            enrolment.ended or enrolment.enrolled,
        )
        self._add(
            "LoyaltyMemberCurrency",
            {
                "LoyaltyMemberId": key,
                "Name": "Points",
                "PointsBalance": enrolment.points,
                "EscrowPointsBalance": self._rng.choice((0, 0, 0, 50)),
            },
            self._as_of - timedelta(days=self._rng.randint(1, 60)),
        )
        tiers = [self._tier(key, *tier) for tier in enrolment.tiers]
        self._truth.facts[draft.person.number].memberships.append(
            Membership(
                draft.ref,
                key,
                enrolment.number,
                enrolment.status,
                enrolment.enrolled,
                enrolment.ended,
                tiers,
                enrolment.points,
            )
        )

    def _tier(self, member: str, name: str, since: date, until: date | None) -> Tier:
        fields = {
            "LoyaltyMemberId": member,
            "Name": name,
            "LoyaltyTierId": TIER_IDS[name],
            "EffectiveDate": since.isoformat(),
            "TierExpirationDate": until.isoformat() if until else None,
        }
        return Tier(self._add("LoyaltyMemberTier", fields, since), name, since, until)

    def case(self, case: ServiceCase) -> None:
        """A Case; only complaints are facts."""
        self._cases += 1
        fields = {
            "ContactId": case.draft.key,
            "CaseNumber": f"{self._cases:08d}",
            "Type": case.kind,
            "Status": case.status,
            "IsClosed": case.closed is not None,
            "CreatedDate": salesforce_stamp(moment(case.opened, self._rng)),
            "ClosedDate": salesforce_stamp(moment(case.closed, self._rng)) if case.closed else None,
            "Subject": f"{case.kind} about an order",
        }
        key = self._add("Case", fields, case.closed or case.opened)
        if case.kind == "Complaint":
            facts = self._truth.facts[case.draft.person.number]
            facts.complaints.append(Complaint(case.draft.ref, key, case.opened, case.closed))
