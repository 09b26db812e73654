"""What a careful reader accepts as proof that two records tell of one person; records completed until it is there.

A population without this would be hard for the wrong reason: with nothing left to decide from, only luck could tell.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from onevoice.sandbox.population import noise
from onevoice.sandbox.truth import same_mailbox

if TYPE_CHECKING:
    from onevoice.sandbox.population.drafts import Draft

ENOUGH = 5.0
_LEFT_APART = 0.01
"""Share of torn persons that stay torn: real data has some that nobody could join."""


def strength(one: Draft, other: Draft) -> float:
    """Points of evidence between two records of one person; ENOUGH or more convinces."""
    person = one.person
    initials = min(len(one.given), len(other.given)) <= 1
    renamed = bool(person.former_family) and one.old != other.old
    own = 0.5 * bool(one.given and other.given) if initials else 2.0
    if one.family and other.family:
        own += -1.0 if renamed else 1.0
    if one.birth and one.birth == other.birth and one.birth not in noise.JUNK_BIRTHS:
        own += 3.0
    if one.mobile and _digits(one.mobile) == _digits(other.mobile) and _own(one.mobile):
        own += 3.0
    elif one.mobile and other.mobile:
        own -= 0.5
    if one.card and one.card == other.card:
        own += 3.0
    shared = 0.0
    if _same_mailbox(one, other):
        family = one.email.casefold() == person.family_email
        # A record without any name says nothing against its box.
        own += 0.0 if family else 4.0 if one.given and other.given else 5.0
        shared += 1.0 if family else 0.0
    elif one.email and other.email:
        own -= 0.5
    if one.landline and _digits(one.landline) == _digits(other.landline):
        shared += 1.0
    if one.address and other.address and (one.old == other.old or len(person.addresses) == 1):
        shared += 2.0
    # An initial fits others of the household as well, so what they share proves little beside it.
    return own + (min(shared, 1.0) if initials else shared)


def join_up(rng: random.Random, drafts: list[Draft]) -> None:
    """Complete drafts of one person until each is joined to the first, directly or through others."""
    joined, loose = drafts[:1], drafts[1:]
    while loose:
        best = max((strength(a, b), -place) for place, b in enumerate(loose) for a in joined)
        draft = loose.pop(-best[1])
        if best[0] < ENOUGH and rng.random() >= _LEFT_APART:
            _complete(rng, draft, joined)
        joined.append(draft)


def attach(rng: random.Random, draft: Draft, known: list[Draft]) -> None:
    """Complete `draft` alone until it is joined to one of the `known` records of its person, which stay as they are."""
    if not known or max(strength(draft, other) for other in known) >= ENOUGH or rng.random() < _LEFT_APART:
        return
    person = draft.person
    ways = [(way, other) for other in known for way in _WAYS]
    rng.shuffle(ways)
    for way, other in ways:
        if person.plain or len(draft.given) == 1:
            draft.given = person.given
        way(draft, other)
        if max(strength(draft, other) for other in known) >= ENOUGH:
            return


def _take_email(draft: Draft, other: Draft) -> None:
    if draft.system == "square" and _personal(other):
        draft.email = other.email


def _take_phone(draft: Draft, other: Draft) -> None:
    own = [digits for digits in draft.person.mobiles if digits[-9:] == _digits(other.mobile)]
    if own:
        draft.mobile = noise.e164(own[0], draft.person.country)


def _take_birth(draft: Draft, other: Draft) -> None:
    if draft.system != "shopify" and other.birth and other.birth not in noise.JUNK_BIRTHS:
        draft.birth = other.birth


def _take_name(draft: Draft, other: Draft) -> None:
    draft.given, draft.family = draft.person.given, other.family or draft.person.family


def _take_home(draft: Draft, other: Draft) -> None:
    if draft.system != "klaviyo" and other.address:
        draft.address, draft.old = other.address, other.old


_WAYS = (_take_email, _take_phone, _take_birth, _take_name, _take_home)


def _complete(rng: random.Random, draft: Draft, joined: list[Draft]) -> None:
    """Let `draft` and one of the joined agree on one thing that is the person's own."""
    person = draft.person
    partner = rng.choice(joined)
    if len(draft.given) < 2 or len(partner.given) < 2:
        draft.given = partner.given = person.given
    luck = rng.random()
    if luck < 0.45:
        _share_mailbox(draft, partner)
    elif luck < 0.6 and person.mobiles:
        digits = person.mobiles[-1]
        draft.mobile = noise.written_phone(rng, digits, person.country)
        partner.mobile = noise.written_phone(rng, digits, person.country)
    else:
        draft.birth = partner.birth = person.birth.isoformat()
    if strength(draft, partner) < ENOUGH:
        draft.birth = partner.birth = person.birth.isoformat()
        draft.family = partner.family


def _share_mailbox(one: Draft, other: Draft) -> None:
    """Let one of the two have the other's personal address; HubSpot keeps its own, where an address stands once."""
    for keeper, taker in ((one, other), (other, one)):
        if _personal(keeper) and taker.system != "hubspot":
            taker.email = keeper.email
            return


def _same_mailbox(one: Draft, other: Draft) -> bool:
    return (
        bool(one.email) and same_mailbox(one.email) == same_mailbox(other.email) and one.email not in noise.JUNK_EMAILS
    )


def _personal(draft: Draft) -> bool:
    return draft.email.lower() in draft.person.emails


def _digits(text: str) -> str:
    return "".join(c for c in text.replace("(0)", "") if c.isdigit())[-9:]


def _own(phone: str) -> bool:
    return phone not in noise.SHOP_PHONES and phone not in noise.JUNK_PHONES
