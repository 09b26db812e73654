"""A whole world of one seed: the vendors' records, the till's orders, and the truth behind them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from onevoice.sandbox.population.drafts import HUBSPOT, SALESFORCE, TILL, Draft, draft_records
from onevoice.sandbox.population.hardcases import FEWEST_PEOPLE, tell_hard_cases
from onevoice.sandbox.population.ledger import Ledger
from onevoice.sandbox.population.objections import raise_objections
from onevoice.sandbox.population.people import Town
from onevoice.sandbox.population.shopping import Basket, Bought, Shopping
from onevoice.sandbox.records import till
from onevoice.sandbox.records.crm import HubSpotRecords, SalesforceRecords, state_orders
from onevoice.sandbox.state import Clock, VendorState
from onevoice.sandbox.tables import hubspot_state, salesforce_state
from onevoice.sandbox.truth import Truth

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
"""When the sandbox's clock starts, unless a kept state says later."""


@dataclass(slots=True)
class World:
    """Everything a sandbox serves and judges by."""

    seed: int
    people: int
    clock: Clock
    salesforce: VendorState
    hubspot: VendorState
    truth: Truth
    cards: list[Draft]
    receipts: list[Bought]

    def export_till(self, folder: Path) -> None:
        """Write the till's files."""
        till.export(self.seed, folder, self.cards, self.receipts)


def build_world(seed: int, people: int, as_of: datetime = AS_OF) -> World:
    """The world of a seed: the same seed, number of people and start give the same world, byte for byte."""
    if people < FEWEST_PEOPLE:
        raise ValueError(f"sandbox: {people} people are too few (the hard cases alone need {FEWEST_PEOPLE})")
    day = as_of.date()
    town = Town(seed, people, day)
    cases = tell_hard_cases(seed, town)
    town.settle()
    drafts = draft_records(seed, town.people, [draft for told in cases.values() for draft in told], day)
    clock = Clock(as_of)
    return _Builder(
        World(seed, people, clock, salesforce_state(clock), hubspot_state(clock), Truth(people), [], [])
    ).build(drafts, cases, day)


class _Builder:
    """Gives drafts their keys and facts, and writes them down."""

    def __init__(self, world: World) -> None:
        self.world = world

    def build(self, drafts: list[Draft], cases: dict[str, list[Draft]], day: date) -> World:
        world, seed = self.world, self.world.seed
        by_person: dict[int, list[Draft]] = defaultdict(list)
        for draft in drafts:
            by_person[draft.person.number].append(draft)
        ledger = Ledger(seed, by_person, day)
        objections = raise_objections(seed, by_person, day)
        self._key(drafts)
        shopping = Shopping(seed, day, objections.cart_bought, objections.cart_lapsed)
        baskets = {person: shopping.basket(person, own) for person, own in by_person.items()}
        opted_out = {id(said.draft) for said in objections.opt_outs}
        salesforce = SalesforceRecords(seed, world.salesforce, world.truth, day)
        hubspot = HubSpotRecords(seed, world.hubspot, objections)
        for draft in drafts:
            basket = baskets[draft.person.number]
            if draft.system == SALESFORCE:
                salesforce.contact(draft, basket.last_seen.get(id(draft)), opted_out=id(draft) in opted_out)
            elif draft.system == HUBSPOT:
                hubspot.contact(draft, ledger.copies[id(draft)], basket)
        for enrolment in ledger.enrolments:
            salesforce.membership(enrolment)
        for case in objections.cases:
            salesforce.case(case)
        for said in objections.opt_outs:
            world.truth.opt_out(said.draft.ref, said.draft.email, said.on)
        for person, basket in baskets.items():
            state_orders(world.truth, person, basket)
        self._till(drafts, baskets)
        world.truth.hard_cases = {case: [draft.ref for draft in told] for case, told in cases.items()}
        return world

    def _key(self, drafts: list[Draft]) -> None:
        """Ids in order of creation, so that they tell nothing of who is who."""
        drafts.sort(key=lambda draft: (draft.created, draft.person.number, draft.system))
        serial = {SALESFORCE: 0, HUBSPOT: 0}
        spec = {
            SALESFORCE: self.world.salesforce.tables["Contact"].spec,
            HUBSPOT: self.world.hubspot.tables["contacts"].spec,
        }
        for draft in drafts:
            if draft.system == TILL:
                draft.key = draft.card
            else:
                serial[draft.system] += 1
                draft.key = spec[draft.system].new_id(serial[draft.system])
            self.world.truth.add_record(draft.ref, draft.person.number)

    def _till(self, drafts: list[Draft], baskets: dict[int, Basket]) -> None:
        self.world.cards = [draft for draft in drafts if draft.system == TILL]
        sold = [order for basket in baskets.values() for order in basket.orders if order.draft.system == TILL]
        self.world.receipts = sorted(sold, key=lambda order: (order.at, order.draft.key))
