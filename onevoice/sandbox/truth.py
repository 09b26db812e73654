"""What is true of each person, and the verdict on a message. Written from the business's own statement, in plain code.

The facts lie apart from the vendors' records, but every fact stands on one of them (`ref`), so that somebody who knew
who is who could find it there. Days are UTC calendar days.

The statement, for a person P on day D, in the order in which a wrong message is named:

- K4  P opted out of marketing e-mail on any address of P: nothing to P. Somebody opted out on the very
  address: nothing to that address.
- K8  P has a complaint that is open, or was closed less than 7 days ago: nothing promotional.
- K1  P has a membership that is Active, Pending or Suspended: no invitation to join.
- K9  P holds no Silver or Gold in force on an Active membership: no perk of a tier.
- K5  the perk names another tier than the highest that P holds in force.
- K16 P has ordered before, in any channel: no first-order offer.
- K13 P ordered in the cart's category after the cart was left, in any channel: no reminder of the cart.
- K3  P ordered less than 90 days ago in any channel, or holds Silver or Gold in force: no win-back.
- K7  P left a cart in the last 7 days that no later order in its category closed: no win-back.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

Ref = tuple[str, str, str]
"""(system, stream, key) of a customer record: a Salesforce Contact, a HubSpot contact or a till card."""

FAMILIES = ("join", "discount", "first_order", "win_back", "cart_reminder", "tier_perk", "birthday", "newsletter")
CLASSES = ("K4", "K8", "K1", "K9", "K5", "K16", "K13", "K3", "K7")
TIER_RANK = {"blue": 0, "silver": 1, "gold": 2}
COUNTS_AS_MEMBER = frozenset({"Active", "Pending", "Suspended"})


@dataclass(frozen=True, slots=True)
class OptOut:
    """One person's opt-out from marketing e-mail, made on one record and its address."""

    ref: Ref
    address: str
    on: date


@dataclass(slots=True)
class Tier:
    """A tier of one membership; `until` is its last day, None when it has no end."""

    key: str
    name: str
    since: date
    until: date | None


@dataclass(slots=True)
class Membership:
    """A membership of the Club. It lives in Salesforce, on the contact `ref`."""

    ref: Ref
    key: str
    number: str
    status: str
    enrolled: date
    ended: date | None
    tiers: list[Tier]
    points: int

    def tier_in_force(self, day: date) -> Tier | None:
        """The highest tier that the membership gives on that day."""
        if self.status != "Active":
            return None
        held = [tier for tier in self.tiers if tier.until is None or tier.until >= day]
        return max(held, key=lambda tier: TIER_RANK[tier.name.lower()], default=None)


@dataclass(frozen=True, slots=True)
class Order:
    """One order, as the record `ref` shows it."""

    ref: Ref
    at: datetime
    category: str


@dataclass(frozen=True, slots=True)
class Cart:
    """A cart left in the web shop."""

    ref: Ref
    at: datetime
    category: str


@dataclass(slots=True)
class Complaint:
    """A complaint case; `closed` is None while it is open."""

    ref: Ref
    key: str
    opened: date
    closed: date | None


@dataclass(slots=True)
class Facts:
    """Everything that is true of one person."""

    opt_outs: list[OptOut] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    carts: list[Cart] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Offer:
    """A message as the verdict needs it: to whom, where, what, and the tier it names (tier perks only)."""

    person: int
    family: str
    address: str
    shown_tier: str | None = None


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a message contradicts. Any one of `carried_by` is a record that carries enough to know better.

    Empty when nobody's identity is needed: the address itself was opted out.
    """

    kind: str
    carried_by: tuple[Ref, ...]


def same_mailbox(address: str) -> str:
    """The mail box behind an address: trimmed, small letters, at Google without dots, tags and the longer domain."""
    local, _, domain = address.strip().lower().partition("@")
    if domain in {"gmail.com", "googlemail.com"}:
        return local.partition("+")[0].replace(".", "") + "@gmail.com"
    return f"{local}@{domain}"


class Truth:
    """Who is who, and what is true of each."""

    def __init__(self, people: int) -> None:
        self.facts = [Facts() for _ in range(people)]
        self.person_of: dict[Ref, int] = {}
        self.records_of: dict[int, list[Ref]] = defaultdict(list)
        self.hard_cases: dict[str, list[Ref]] = {}
        self._opted_out: dict[str, set[int]] = defaultdict(set)

    def add_record(self, ref: Ref, person: int) -> None:
        """State whose record it is."""
        self.person_of[ref] = person
        self.records_of[person].append(ref)

    def opt_out(self, ref: Ref, address: str, on: date) -> None:
        """The owner of the record opts out with its address."""
        person = self.person_of[ref]
        self.facts[person].opt_outs.append(OptOut(ref, address, on))
        self._opted_out[same_mailbox(address)].add(person)

    def change_tier(self, person: int, key: str, name: str, until: date | None) -> None:
        """The tier record `key` of the person says otherwise from now on."""
        for membership in self.facts[person].memberships:
            for tier in membership.tiers:
                if tier.key == key:
                    tier.name, tier.until = name, until

    def complain(self, ref: Ref, key: str, opened: date) -> None:
        """The owner of the record complains, in the case `key`."""
        self.facts[self.person_of[ref]].complaints.append(Complaint(ref, key, opened, None))

    def opted_out(self, address: str) -> bool:
        """Whether anybody opted out on this mail box."""
        return same_mailbox(address) in self._opted_out

    def highest_tier(self, person: int, day: date) -> tuple[Tier | None, tuple[Ref, ...]]:
        """The highest tier in force over all memberships, and the records that carry it."""
        held = [(tier, m.ref) for m in self.facts[person].memberships if (tier := m.tier_in_force(day))]
        if not held:
            return None, ()
        best = max((tier for tier, _ in held), key=lambda tier: TIER_RANK[tier.name.lower()])
        return best, tuple(ref for tier, ref in held if tier.name == best.name)

    def verdict(self, offer: Offer, day: date) -> Wrong | None:
        """What is wrong with sending this on that day; None when it is right."""
        facts = self.facts[offer.person]
        if self.opted_out(offer.address):
            return Wrong("K4", ())
        if facts.opt_outs:
            return Wrong("K4", tuple(opt_out.ref for opt_out in facts.opt_outs))
        complaints = tuple(c.ref for c in facts.complaints if _weighs(c, day))
        if complaints and offer.family != "newsletter":
            return Wrong("K8", complaints)
        judge = {
            "join": self._join,
            "tier_perk": self._tier_perk,
            "first_order": self._first_order,
            "cart_reminder": self._cart_reminder,
            "win_back": self._win_back,
        }.get(offer.family)
        return judge(offer, day) if judge else None

    def _join(self, offer: Offer, _: date) -> Wrong | None:
        members = tuple(m.ref for m in self.facts[offer.person].memberships if m.status in COUNTS_AS_MEMBER)
        return Wrong("K1", members) if members else None

    def _tier_perk(self, offer: Offer, day: date) -> Wrong | None:
        tier, refs = self.highest_tier(offer.person, day)
        if tier is None or tier.name == "Blue":
            return Wrong("K9", tuple(m.ref for m in self.facts[offer.person].memberships))
        return Wrong("K5", refs) if (offer.shown_tier or "").lower() != tier.name.lower() else None

    def _first_order(self, offer: Offer, _: date) -> Wrong | None:
        orders = tuple(order.ref for order in self.facts[offer.person].orders)
        return Wrong("K16", orders) if orders else None

    def _cart_reminder(self, offer: Offer, day: date) -> Wrong | None:
        facts = self.facts[offer.person]
        bought = tuple(ref for cart in facts.carts if _fresh(cart, day) for ref in _buyers(facts, cart))
        return Wrong("K13", bought) if bought else None

    def _win_back(self, offer: Offer, day: date) -> Wrong | None:
        facts = self.facts[offer.person]
        recent = [order.ref for order in facts.orders if (day - order.at.date()).days < 90]
        tier, refs = self.highest_tier(offer.person, day)
        if tier and tier.name != "Blue":
            recent.extend(refs)
        if recent:
            return Wrong("K3", tuple(recent))
        waiting = tuple(cart.ref for cart in facts.carts if _fresh(cart, day) and not _buyers(facts, cart))
        return Wrong("K7", waiting) if waiting else None


def _weighs(complaint: Complaint, day: date) -> bool:
    return complaint.closed is None or day < complaint.closed + timedelta(days=7)


def _fresh(cart: Cart, day: date) -> bool:
    return (day - cart.at.date()).days <= 7


def _buyers(facts: Facts, cart: Cart) -> list[Ref]:
    return [order.ref for order in facts.orders if order.at > cart.at and order.category == cart.category]
