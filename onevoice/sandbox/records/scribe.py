"""Writes a world down: ids in order of creation, every vendor's records, and the facts that stand on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from onevoice.sandbox.population.drafts import HUBSPOT, KLAVIYO, SALESFORCE, SHOPIFY, SQUARE, STREAMS, TILL, Draft
from onevoice.sandbox.population.james import james_key
from onevoice.sandbox.population.lives import Lives
from onevoice.sandbox.population.points import PointsCopy
from onevoice.sandbox.population.shopping import Basket, Bought, priced
from onevoice.sandbox.population.trade import Trade
from onevoice.sandbox.records.hubspot import HubSpotRecords
from onevoice.sandbox.records.klaviyo import KlaviyoRecords
from onevoice.sandbox.records.salesforce import SalesforceRecords
from onevoice.sandbox.records.shopify import ShopifyRecords
from onevoice.sandbox.records.square import SquareRecords
from onevoice.sandbox.state import VendorState
from onevoice.sandbox.truth import Truth


@dataclass(slots=True)
class Written:
    """What the till holds: it has files, and no server."""

    cards: list[Draft]
    receipts: list[Bought]


def write_down(lives: Lives, vendors: Mapping[str, VendorState], truth: Truth) -> Written:
    """Fill the vendors' empty tables and the truth."""
    _key(lives, vendors, truth)
    _write_contacts(lives, vendors, truth)
    _write_accounts(lives, vendors, truth)
    receipts = _price(lives)
    _state_facts(lives, truth)
    truth.hard_cases = {case: [draft.ref for draft in told] for case, told in lives.cases.items()}
    return Written([draft for draft in lives.drafts if draft.system == TILL], receipts)


def _key(lives: Lives, vendors: Mapping[str, VendorState], truth: Truth) -> None:
    """Ids in order of creation, so that they tell nothing of who is who."""
    lives.drafts.sort(key=lambda draft: (draft.created, draft.person.number, draft.system))
    serial = dict.fromkeys(vendors, 0)
    for draft in lives.drafts:
        if draft.system == TILL:
            draft.key = draft.card
        else:
            new_id = vendors[draft.system].tables[STREAMS[draft.system]].spec.new_id
            serial[draft.system] += 1
            chosen = draft.person is lives.james.person
            draft.key = james_key(draft, new_id) if chosen else new_id(serial[draft.system])
        truth.add_record(draft.ref, draft.person.number)


def _write_contacts(lives: Lives, vendors: Mapping[str, VendorState], truth: Truth) -> None:
    salesforce = SalesforceRecords(lives.seed, vendors[SALESFORCE], truth, lives.as_of)
    hubspot = HubSpotRecords(lives.seed, vendors[HUBSPOT], lives.objections)
    opted_out = {id(said.draft) for said in lives.objections.opt_outs}
    for draft in lives.drafts:
        had = lives.rewards.of(draft)
        if draft.system == SALESFORCE:
            seen = lives.baskets[draft.person.number].last_seen.get(id(draft))
            salesforce.contact(draft, seen, had, opted_out=id(draft) in opted_out)
        elif draft.system == HUBSPOT:
            points = lives.points.copies.get(id(draft), PointsCopy())
            hubspot.contact(draft, lives.ledger.copies[id(draft)], lives.baskets[draft.person.number], points, had)
    for enrolment in lives.ledger.enrolments:
        salesforce.membership(enrolment)
    for case in lives.objections.cases:
        salesforce.case(case)


def _write_accounts(lives: Lives, vendors: Mapping[str, VendorState], truth: Truth) -> None:
    shopify = ShopifyRecords(lives.seed, vendors[SHOPIFY], lives.permissions)
    square = SquareRecords(lives.seed, vendors[SQUARE], truth, lives.permissions, lives.as_of)
    klaviyo = KlaviyoRecords(lives.seed, vendors[KLAVIYO], lives.permissions)
    for draft in lives.drafts:
        if draft.system == SHOPIFY:
            shopify.customer(draft)
        elif draft.system == SQUARE:
            square.customer(draft)
        elif draft.system == KLAVIYO:
            points = lives.points.copies.get(id(draft), PointsCopy())
            bought, left = _told_to_sender(lives, draft)
            klaviyo.profile(draft, points, lives.rewards.of(draft), bought, left)
    for holding in lives.points.holdings:
        square.account(holding)
    for trade in lives.trades.values():
        for sale in trade.sales:
            (shopify if sale.draft.system == SHOPIFY else square).order(sale)
        for cart in trade.carts:
            shopify.checkout(cart)


def _told_to_sender(lives: Lives, draft: Draft) -> tuple[list[datetime], list[datetime]]:
    """Orders and carts that reached the sender: those of the web shop, never those of the stores."""
    basket = lives.baskets.get(draft.person.number, Basket())
    trade = lives.trades.get(draft.person.number, Trade())
    bought = [sale.at for sale in trade.sales if sale.draft.system == SHOPIFY and not sale.cancelled]
    bought += [order.at for order in basket.orders if order.draft.system == HUBSPOT]
    carts = [cart.at for cart in trade.carts if not cart.completed]
    if basket.cart:
        carts.append(basket.cart.at)
    return bought, carts


def _price(lives: Lives) -> list[Bought]:
    """The till's receipts with their prices, which go back into the baskets."""
    sold = [order for basket in lives.baskets.values() for order in basket.orders if order.draft.system == TILL]
    receipts = priced(lives.seed, sorted(sold, key=lambda order: (order.at, order.draft.key)))
    for basket in lives.baskets.values():
        basket.orders = [order for order in basket.orders if order.draft.system != TILL]
    for order in receipts:
        lives.baskets[order.draft.person.number].orders.append(order)
    return receipts


def _state_facts(lives: Lives, truth: Truth) -> None:
    _state_refusals(lives, truth)
    for basket in lives.baskets.values():
        for order in basket.orders:
            # What service saw somebody buy has a day and no category.
            category = "" if order.draft.system == SALESFORCE else order.category
            truth.buy(order.draft.ref, order.at, category, full_price=0 < order.listed == order.paid)
        for cart in (*([basket.cart] if basket.cart else []), *basket.old_carts):
            truth.leave_cart(cart.draft.ref, cart.at, cart.category)
    for trade in lives.trades.values():
        for sale in trade.sales:
            if not sale.cancelled:
                truth.buy(sale.draft.ref, sale.at, sale.category, full_price=sale.listed == sale.paid)
        for left in trade.carts:
            truth.leave_cart(left.draft.ref, left.at, left.category)
    for draft in lives.drafts:
        had = lives.rewards.of(draft)
        for kind, on in (("birthday", had.birthday), ("welcome", had.welcome)):
            if on:
                truth.reward(draft.ref, kind, on)


def _state_refusals(lives: Lives, truth: Truth) -> None:
    for said in lives.objections.opt_outs:
        truth.opt_out(said.draft.ref, said.draft.email, said.on)
    for refusal in lives.permissions.refusals.values():
        if refusal.word == "UNSUBSCRIBED":
            truth.opt_out(refusal.draft.ref, refusal.point, refusal.on, refusal.channel)
        else:
            truth.refuse(refusal.point, refusal.channel)
    for bounce in lives.permissions.bounces.values():
        truth.die(bounce.draft.email)
