"""The verdict on a message. Written from the business's own statement, in plain code.

The statement, for a person P on day D, in the order in which a wrong message is named. A line on a till receipt is no
mail: K4 and K25 do not touch it.

- K4  P opted out of marketing on this channel on any of P's records: nothing to P. Somebody opted out on the very
  address or number: nothing to that one. Mail and SMS are refused apart.
- K25 mail to the address bounced or was called spam: no marketing mail to that address.
- K8  P has a complaint that is open, or was closed less than 7 days ago: nothing promotional.
- K1  P has a membership that is Active, Pending or Suspended, or a loyalty account at the tills: no invitation to join.
- K9  P holds no Silver or Gold in force on an Active membership: no perk of a tier.
- K5  the perk names another tier than the highest that P holds in force.
- K6  the message names another number of points than P's accounts hold together, or P has no account.
- K18 no points of P expire from D to D+30, or the message names another day than the next at which some do.
- K19 P holds Gold in force: nothing about how far it is to Gold.
- K10 P had a birthday reward less than 300 days ago, on any record: no birthday mail. P had a welcome reward ever:
  no welcome. (Of several birthday mails on one day one is right: that is seen where the messages come together.)
- K16 P has ordered before, in any channel: no first-order offer and no welcome.
- K2  P bought something at full price less than 14 days ago, in any channel: no discount.
- K13 P ordered in the cart's category after the cart was left, in any channel: no reminder of the cart.
- K3  P ordered less than 90 days ago in any channel, or holds Silver or Gold in force: no win-back.
- K7  P left a cart in the last 7 days that no later order in its category closed: no win-back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from onevoice.sandbox.truth.facts import EMAIL, RECEIPT, Cart, Complaint, Facts, Ref
from onevoice.sandbox.truth.register import Register

FAMILIES = (
    "join",
    "discount",
    "first_order",
    "win_back",
    "cart_reminder",
    "tier_perk",
    "birthday",
    "newsletter",
    "welcome",
    "points_balance",
    "points_expiry",
    "tier_nudge",
)
NOT_PROMOTIONAL = frozenset({"newsletter", "points_balance", "points_expiry"})
CLASSES = ("K4", "K25", "K8", "K1", "K9", "K5", "K6", "K18", "K19", "K10", "K16", "K2", "K13", "K3", "K7")
COUNTS_AS_MEMBER = frozenset({"Active", "Pending", "Suspended"})


@dataclass(frozen=True, slots=True)
class Offer:
    """A message as the verdict needs it: to whom, what, where to, and what it states."""

    person: int
    family: str
    address: str = ""
    """Mail address or number; empty on a receipt."""
    shown: str | None = None
    """The tier, the points or the day (ISO text) that the message names."""
    channel: str = EMAIL


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a message contradicts. Any one of `carried_by` is a record that carries enough to know better.

    Empty when nobody's identity is needed: the address itself was refused, or there is nothing to know.
    """

    kind: str
    carried_by: tuple[Ref, ...]
    together: bool = False
    """Only all records of `carried_by` together carry it: a sum, the first of several days."""


class Truth(Register):
    """Who is who, what is true of each, and what follows for a message."""

    def verdict(self, offer: Offer, day: date) -> Wrong | None:
        """What is wrong with sending this on that day; None when it is right."""
        facts = self.facts[offer.person]
        if offer.channel != RECEIPT:
            refused = self._refused_or_dead(offer, facts)
            if refused:
                return refused
        complaints = tuple(c.ref for c in facts.complaints if _weighs(c, day))
        if complaints and offer.family not in NOT_PROMOTIONAL:
            return Wrong("K8", complaints)
        judge = _JUDGES.get(offer.family)
        return judge(facts, offer, day) if judge else None

    def _refused_or_dead(self, offer: Offer, facts: Facts) -> Wrong | None:
        if self.opted_out(offer.address, offer.channel):
            return Wrong("K4", ())
        said = tuple(opt_out.ref for opt_out in facts.opt_outs if opt_out.channel == offer.channel)
        if said:
            return Wrong("K4", said)
        return Wrong("K25", ()) if offer.channel == EMAIL and self.is_dead(offer.address) else None


def _join(facts: Facts, _offer: Offer, _day: date) -> Wrong | None:
    members = tuple(member.ref for member in facts.memberships if member.status in COUNTS_AS_MEMBER)
    members += tuple(account.ref for account in facts.accounts)
    return Wrong("K1", members) if members else None


def _tier_perk(facts: Facts, offer: Offer, day: date) -> Wrong | None:
    tier, refs = facts.highest_tier(day)
    if tier is None or tier.name == "Blue":
        return Wrong("K9", tuple(member.ref for member in facts.memberships))
    return Wrong("K5", refs) if (offer.shown or "").lower() != tier.name.lower() else None


def _points_balance(facts: Facts, offer: Offer, _: date) -> Wrong | None:
    points = facts.points()
    if points is not None and offer.shown is not None and float(offer.shown) == points:
        return None
    return Wrong("K6", tuple(account.ref for account in facts.accounts), together=True)


def _points_expiry(facts: Facts, offer: Offer, day: date) -> Wrong | None:
    on = facts.next_expiry(day)
    if on is not None and on <= day + timedelta(days=30) and offer.shown == on.isoformat():
        return None
    return Wrong("K18", tuple(account.ref for account in facts.accounts), together=True)


def _tier_nudge(facts: Facts, _: Offer, day: date) -> Wrong | None:
    tier, refs = facts.highest_tier(day)
    return Wrong("K19", refs) if tier is not None and tier.name == "Gold" else None


def _birthday(facts: Facts, _: Offer, day: date) -> Wrong | None:
    had = tuple(r.ref for r in facts.rewards if r.kind == "birthday" and (day - r.on).days < 300)
    return Wrong("K10", had) if had else None


def _welcome(facts: Facts, offer: Offer, day: date) -> Wrong | None:
    had = tuple(reward.ref for reward in facts.rewards if reward.kind == "welcome")
    return Wrong("K10", had) if had else _first_order(facts, offer, day)


def _first_order(facts: Facts, _offer: Offer, _day: date) -> Wrong | None:
    orders = tuple(order.ref for order in facts.orders)
    return Wrong("K16", orders) if orders else None


def _discount(facts: Facts, _: Offer, day: date) -> Wrong | None:
    paid_in_full = tuple(o.ref for o in facts.orders if o.full_price and (day - o.at.date()).days < 14)
    return Wrong("K2", paid_in_full) if paid_in_full else None


def _cart_reminder(facts: Facts, _: Offer, day: date) -> Wrong | None:
    bought = tuple(ref for cart in facts.carts if _fresh(cart, day) for ref in _buyers(facts, cart))
    return Wrong("K13", bought) if bought else None


def _win_back(facts: Facts, _: Offer, day: date) -> Wrong | None:
    recent = [order.ref for order in facts.orders if (day - order.at.date()).days < 90]
    tier, refs = facts.highest_tier(day)
    if tier and tier.name != "Blue":
        recent.extend(refs)
    if recent:
        return Wrong("K3", tuple(recent))
    waiting = tuple(cart.ref for cart in facts.carts if _fresh(cart, day) and not _buyers(facts, cart))
    return Wrong("K7", waiting) if waiting else None


_JUDGES = {
    "join": _join,
    "tier_perk": _tier_perk,
    "points_balance": _points_balance,
    "points_expiry": _points_expiry,
    "tier_nudge": _tier_nudge,
    "birthday": _birthday,
    "welcome": _welcome,
    "first_order": _first_order,
    "discount": _discount,
    "cart_reminder": _cart_reminder,
    "win_back": _win_back,
}


def _weighs(complaint: Complaint, day: date) -> bool:
    return complaint.closed is None or day < complaint.closed + timedelta(days=7)


def _fresh(cart: Cart, day: date) -> bool:
    return (day - cart.at.date()).days <= 7


def _buyers(facts: Facts, cart: Cart) -> list[Ref]:
    return [order.ref for order in facts.orders if order.at > cart.at and order.category == cart.category]
