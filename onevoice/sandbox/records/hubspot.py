"""The HubSpot portal of a world. Nothing here is drawn that a verdict depends on."""

from __future__ import annotations

import random
from datetime import date, datetime
from typing import Any

from onevoice.sandbox.chance import stream
from onevoice.sandbox.population.drafts import Draft
from onevoice.sandbox.population.ledger import Copy
from onevoice.sandbox.population.objections import Objections, Said
from onevoice.sandbox.population.points import PointsCopy
from onevoice.sandbox.population.rewards import Had
from onevoice.sandbox.population.shopping import Basket
from onevoice.sandbox.records.writing import COUNTRIES, TITLES, moment
from onevoice.sandbox.state import VendorState, hubspot_stamp
from onevoice.sandbox.tables import MARKETING, OPTOUT_PROPERTY


class HubSpotRecords:
    """Writes the HubSpot portal."""

    def __init__(self, seed: int, state: VendorState, objections: Objections) -> None:
        self._rng = stream(seed, "hubspot records")
        self._state = state
        self._said = {id(said.draft): said for said in objections.opt_outs}
        self._silent = {said.draft.person.number for said in objections.opt_outs}
        self._silent_boxes = {said.draft.email.strip().lower() for said in objections.opt_outs}

    def contact(self, draft: Draft, copy: Copy, basket: Basket, points: PointsCopy, had: Had) -> None:
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
            "country": COUNTRIES[home.country] if home else "",
            "date_of_birth": draft.birth,
            "jobtitle": rng.choice(TITLES),
            "createdate": hubspot_stamp(moment(draft.created, rng)),
            "hs_email_optout": "true" if said and rng.random() < 0.2 else "false",
            OPTOUT_PROPERTY: "true" if said else "false",
            "loyalty_number": copy.number,
            "loyalty_member": copy.member,
            "loyalty_tier": copy.tier,
            "loyalty_points": "" if points.points is None else str(points.points),
            "birthday_reward_on": had.birthday.isoformat() if had.birthday else "",
            "welcome_reward_on": had.welcome.isoformat() if had.welcome else "",
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
