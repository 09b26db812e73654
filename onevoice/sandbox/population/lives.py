"""Everything about everybody of one seed, before any vendor's record is written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from onevoice.sandbox.population.accounts import draft_accounts
from onevoice.sandbox.population.channelcases import PERSONS, tell_channel_cases
from onevoice.sandbox.population.drafts import HUBSPOT, KLAVIYO, SALESFORCE, SHOPIFY, TILL, Draft, draft_records
from onevoice.sandbox.population.hardcases import tell_hard_cases
from onevoice.sandbox.population.james import James, tell_james
from onevoice.sandbox.population.ledger import Copy, Ledger
from onevoice.sandbox.population.objections import Objections, raise_objections
from onevoice.sandbox.population.people import Town
from onevoice.sandbox.population.permissions import Permissions, draw_permissions
from onevoice.sandbox.population.points import Points, PointsCopy, share_out_points
from onevoice.sandbox.population.rewards import Rewards, draw_rewards
from onevoice.sandbox.population.shopping import Basket, Shopping
from onevoice.sandbox.population.trade import Trade, Trading
from onevoice.sandbox.truth import EMAIL, SMS

ByPerson = dict[int, list[Draft]]


@dataclass(slots=True)
class Lives:
    """The outcome. Baskets and trades are by person."""

    seed: int
    as_of: date
    drafts: list[Draft]
    cases: dict[str, list[Draft]]
    james: James
    ledger: Ledger
    objections: Objections
    baskets: dict[int, Basket]
    trades: dict[int, Trade]
    points: Points
    permissions: Permissions
    rewards: Rewards


def live(seed: int, people: int, as_of: date) -> Lives:
    """Draw it all. Each part has random numbers of its own, so that one can change without the others."""
    town = Town(seed, people, as_of)
    cases = tell_hard_cases(seed, town)
    town.settle()
    town.make_room(PERSONS + 1)
    settled = list(town.people)
    channel_cases = tell_channel_cases(seed, town, as_of)
    james = tell_james(town, as_of)
    older = draft_records(seed, settled, _all(cases), as_of)
    newer = draft_accounts(seed, settled, _by_person(older), _all(channel_cases), as_of)
    older += [draft for draft in _all(channel_cases) if draft.system in {SALESFORCE, HUBSPOT, TILL}]
    contacts, accounts = _by_person(older), _by_person(newer)
    ledger = Ledger(seed, contacts, as_of)
    objections = raise_objections(seed, contacts, as_of)
    shopping = Shopping(seed, as_of, objections.cart_bought, objections.cart_lapsed)
    trading = Trading(seed, as_of)
    baskets = {person: shopping.basket(person, own) for person, own in contacts.items()}
    trades = {person: trading.trade(own, baskets.get(person, Basket())) for person, own in accounts.items()}
    lives = Lives(
        seed,
        as_of,
        [*older, *newer],
        {**cases, **channel_cases, "james": james.drafts},
        james,
        ledger,
        objections,
        baskets,
        trades,
        share_out_points(seed, accounts, contacts, ledger.enrolments, as_of),
        draw_permissions(seed, accounts, contacts, objections, as_of),
        draw_rewards(seed, _by_person([*older, *newer]), as_of),
    )
    _let_in(lives, james)
    return lives


def _all(cases: dict[str, list[Draft]]) -> list[Draft]:
    return [draft for told in cases.values() for draft in told]


def _by_person(drafts: list[Draft]) -> ByPerson:
    found: ByPerson = defaultdict(list)
    for draft in drafts:
        found[draft.person.number].append(draft)
    return found


def _let_in(lives: Lives, james: James) -> None:
    """James beside the others, as he was told."""
    lives.drafts.extend(james.drafts)
    lives.ledger.enrolments.append(james.enrolment)
    lives.points.holdings.append(james.holding)
    lives.baskets[james.person.number] = Basket()
    lives.trades[james.person.number] = Trade(sales=james.sales)
    for draft in james.drafts:
        if draft.system == HUBSPOT:
            lives.ledger.copies[id(draft)] = Copy(draft.card, "true", "gold")
        if draft.system in {HUBSPOT, KLAVIYO}:
            lives.points.copies[id(draft)] = PointsCopy(points=james.holding.balance, tier="gold")
        if draft.system in {SHOPIFY, KLAVIYO}:
            for channel in (EMAIL, SMS):
                lives.permissions.granted[id(draft), channel] = draft.created
