"""The vendors' records of a world, made of drafts and facts. Nothing here is drawn that a verdict depends on."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from onevoice.sandbox.chance import stream
from onevoice.sandbox.population.drafts import Draft
from onevoice.sandbox.population.ledger import Copy, Enrolment
from onevoice.sandbox.population.objections import Objections, Said, ServiceCase
from onevoice.sandbox.population.shopping import Basket, Bought
from onevoice.sandbox.state import VendorState, hubspot_stamp, salesforce_stamp
from onevoice.sandbox.tables import MARKETING, OPTOUT_PROPERTY
from onevoice.sandbox.truth import Cart, Complaint, Membership, Order, Tier, Truth

_COUNTRY = {"GB": "United Kingdom", "US": "United States"}
TIER_IDS = {name: f"0lt000000000{place:03d}AAA" for place, name in enumerate(("Blue", "Silver", "Gold"))}
"""LoyaltyTierId of the Club's tiers."""
_TITLES = ("", "", "", "Ms", "Mr", "Dr", "Teacher", "Nurse", "Director", "Engineer")


def moment(day: date, rng: random.Random) -> datetime:
    """Some time of a working day, UTC."""
    return datetime.combine(day, time(rng.randint(7, 19), rng.randrange(60), rng.randrange(60)), tzinfo=UTC)


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

    def contact(self, draft: Draft, last_seen: date | None, *, opted_out: bool) -> None:
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
            "MailingCountry": _COUNTRY[home.country] if home else None,
            "HasOptedOutOfEmail": opted_out,
            "DoNotCall": rng.random() < 0.05,
            "Title": rng.choice(_TITLES) or None,
            "Description": None,
            "Last_Purchase_Date__c": last_seen.isoformat() if last_seen else None,
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


class HubSpotRecords:
    """Writes the HubSpot portal."""

    def __init__(self, seed: int, state: VendorState, objections: Objections) -> None:
        self._rng = stream(seed, "hubspot records")
        self._state = state
        self._said = {id(said.draft): said for said in objections.opt_outs}
        self._silent = {said.draft.person.number for said in objections.opt_outs}
        self._silent_boxes = {said.draft.email.strip().lower() for said in objections.opt_outs}

    def contact(self, draft: Draft, copy: Copy, basket: Basket) -> None:
        """One contact, and its subscription status where it ever said anything."""
        rng, home, said = self._rng, draft.address, self._said.get(id(draft))
        fields = {
            "hs_object_id": draft.key,
            "email": draft.email,
            "firstname": draft.given,
            "lastname": draft.family,
            "phone": draft.landline,
            "mobilephone": draft.mobile,
            "address": home.street if home else "",
            "city": home.city if home else "",
            "zip": home.postcode if home else "",
            "state": home.region if home else "",
            "country": _COUNTRY[home.country] if home else "",
            "date_of_birth": draft.birth,
            "jobtitle": rng.choice(_TITLES),
            "createdate": hubspot_stamp(moment(draft.created, rng)),
            "hs_email_optout": "true" if said and rng.random() < 0.2 else "false",
            OPTOUT_PROPERTY: "true" if said else "false",
            "loyalty_number": copy.number,
            "loyalty_member": copy.member,
            "loyalty_tier": copy.tier,
            **self._shop_fields(draft, basket),
        }
        self._state.tables["contacts"].insert(fields, moment(draft.changed, rng), draft.key, actor="seed")
        if draft.email:
            self._subscription(draft, said)

    def _shop_fields(self, draft: Draft, basket: Basket) -> dict[str, str]:
        orders = [order for order in basket.orders if order.draft is draft]
        last = max(orders, key=lambda order: order.at, default=None)
        carts = [cart for cart in (basket.cart, *basket.old_carts) if cart and cart.draft is draft]
        cart = max(carts, key=lambda left: left.at, default=None)
        return {
            "web_orders": str(len(orders)) if orders else self._rng.choice(("", "0")),
            "web_last_order_at": hubspot_stamp(last.at) if last else "",
            "web_last_order_category": last.category if last else "",
            "cart_abandoned_at": hubspot_stamp(cart.at) if cart else "",
            "cart_category": cart.category if cart else "",
        }

    def _subscription(self, draft: Draft, said: Said | None) -> None:
        rng = self._rng
        events = []
        # A sign-up is older than any opt-out of its person, whichever record that stands on.
        quiet = draft.person.number in self._silent or draft.email in self._silent_boxes
        signed_up = rng.random() < 0.25
        if signed_up and (said or not quiet):
            events.append(_event("SUBSCRIBED", draft.created, rng))
        if said:
            events.append(_event("NOT_SUBSCRIBED", said.on, rng))
        if not events:
            return
        row = {
            "email": draft.email,
            "subscriptionId": MARKETING,
            "status": events[-1]["status"],
            "source": "SUBSCRIPTION_STATUS",
            "events": events,
        }
        stamp = datetime.fromisoformat(events[-1]["at"])
        self._state.tables["subscriptions"].insert(row, stamp, draft.email, actor="seed")


def _event(status: str, on: date, rng: random.Random) -> dict[str, Any]:
    return {"at": hubspot_stamp(moment(on, rng)), "status": status, "source": "CONTACT"}


def state_orders(truth: Truth, person: int, basket: Basket) -> None:
    """Write the shopping of one person into the truth."""
    facts = truth.facts[person]
    facts.orders.extend(Order(order.draft.ref, order.at, order.category) for order in basket.orders)
    carts: list[Bought] = [*([basket.cart] if basket.cart else []), *basket.old_carts]
    facts.carts.extend(Cart(cart.draft.ref, cart.at, cart.category) for cart in carts)
