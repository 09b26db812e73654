"""Who refused mail or SMS in the three newer systems, whose mail bounced, and who ever said yes there.

Shares are quotas over shuffled lists, so that each is there for every seed. What somebody says yes to is older than
anything that anybody refused on the same person, mail box or number: a hub that lets the latest word of a customer
decide finds the refusal the latest.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from onevoice.sandbox.chance import stream
from onevoice.sandbox.population.drafts import KLAVIYO, SHOPIFY, SQUARE, TILL, Draft
from onevoice.sandbox.population.noise import JUNK_EMAILS
from onevoice.sandbox.population.objections import Objections
from onevoice.sandbox.truth import EMAIL, SMS, same_mailbox, same_number

_ANCIENT = (620, 900)
"""Days ago of a yes where somebody has refused since; refusals are at most 600 days old."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A no on the address or number of one record.

    `word` is UNSUBSCRIBED (the person's own, in Shopify or Klaviyo), or one of USER_SUPPRESSED (Klaviyo) and
    email_unsubscribed (Square), which say no for the address alone.
    """

    draft: Draft
    channel: str
    word: str
    on: date

    @property
    def point(self) -> str:
        """The address or number that is refused."""
        return self.draft.email if self.channel == EMAIL else self.draft.mobile


@dataclass(frozen=True, slots=True)
class Bounce:
    """Mail to the address of a profile is dead: HARD_BOUNCE, INVALID_EMAIL or SPAM_COMPLAINT."""

    draft: Draft
    reason: str
    on: date


@dataclass(slots=True)
class Permissions:
    """By `id` of the draft and channel: refusals, and the day of a yes; bounces by `id`."""

    refusals: dict[tuple[int, str], Refusal] = field(default_factory=dict)
    bounces: dict[int, Bounce] = field(default_factory=dict)
    granted: dict[tuple[int, str], date] = field(default_factory=dict)


def draw_permissions(
    seed: int,
    accounts: dict[int, list[Draft]],
    contacts: dict[int, list[Draft]],
    objections: Objections,
    as_of: date,
) -> Permissions:
    """`accounts` are the drafts of the three newer systems, `contacts` those of the older, by person."""
    return _Draw(seed, accounts, contacts, objections, as_of).all()


class _Draw:
    """One pass through the shuffled people; nobody refuses twice."""

    def __init__(
        self,
        seed: int,
        accounts: dict[int, list[Draft]],
        contacts: dict[int, list[Draft]],
        objections: Objections,
        as_of: date,
    ) -> None:
        self._rng: random.Random = stream(seed, "permissions")
        self._accounts = accounts
        self._contacts = contacts
        self._as_of = as_of
        self._people = {*accounts, *contacts}
        self._found = Permissions()
        self._spoke = {said.draft.person.number for said in objections.opt_outs}
        self._boxes = {same_mailbox(said.draft.email) for said in objections.opt_outs}
        self._numbers: set[str] = set()
        planted = objections.cart_bought | objections.cart_lapsed
        fixed = {person for person, drafts in accounts.items() if any(draft.fixed for draft in drafts)}
        self._order = sorted(set(accounts) - planted - fixed - self._spoke)
        self._rng.shuffle(self._order)

    def all(self) -> Permissions:
        for share, system, channel, word in (
            (0.016, SHOPIFY, EMAIL, "UNSUBSCRIBED"),
            (0.018, KLAVIYO, EMAIL, "UNSUBSCRIBED"),
            (0.005, KLAVIYO, EMAIL, "USER_SUPPRESSED"),
            (0.006, SQUARE, EMAIL, "email_unsubscribed"),
            (0.016, SHOPIFY, SMS, "UNSUBSCRIBED"),
            (0.010, KLAVIYO, SMS, "UNSUBSCRIBED"),
        ):
            self._give(share, self._refusing(system, channel, word))
        self._give(0.024, self._bounce)
        for drafts in self._accounts.values():
            for draft in drafts:
                self._grant(draft)
        return self._found

    def _give(self, share: float, act: Callable[[int], bool]) -> None:
        """Let `act` take persons in order until the share is reached; it says whether it took one."""
        left = int(-(-len(self._people) * share // 1))
        for person in list(self._order):
            if left <= 0:
                return
            if person not in self._spoke and act(person):
                self._spoke.add(person)
                left -= 1

    def _refusing(self, system: str, channel: str, word: str) -> Callable[[int], bool]:
        def act(person: int) -> bool:
            drafts = self._accounts[person]
            fits = [draft for draft in drafts if draft.system == system and _point(draft, channel)]
            if channel == SMS and system == SHOPIFY and not any(d.system == KLAVIYO and d.mobile for d in drafts):
                return False
            if not fits:
                return False
            said = Refusal(self._rng.choice(fits), channel, word, self._days(8, 50))
            _older(said.draft, said.on)
            self._found.refusals[id(said.draft), channel] = said
            if channel == EMAIL:
                self._boxes.add(same_mailbox(said.point))
            else:
                self._numbers.add(same_number(said.point))
            return True

        return act

    def _bounce(self, person: int) -> bool:
        """Somebody whose dead address stands in another system as well."""
        elsewhere = [*self._contacts.get(person, ()), *self._accounts[person]]
        boxes = {
            same_mailbox(draft.email)
            for draft in elsewhere
            if draft.email and draft.email not in JUNK_EMAILS and draft.system not in {KLAVIYO, TILL, SQUARE}
        }
        for draft in self._accounts[person]:
            if draft.system == KLAVIYO and draft.email and same_mailbox(draft.email) in boxes - self._boxes:
                reason = self._rng.choice(("HARD_BOUNCE", "HARD_BOUNCE", "INVALID_EMAIL", "SPAM_COMPLAINT"))
                self._found.bounces[id(draft)] = Bounce(draft, reason, self._days(8, 50))
                _older(draft, self._found.bounces[id(draft)].on)
                return True
        return False

    def _grant(self, draft: Draft) -> None:
        rng = self._rng
        mail = 0.62 if draft.system == KLAVIYO else 0.45 if draft.system == SHOPIFY else 0.0
        texts = 0.8 if draft.system == KLAVIYO else 0.25 if draft.system == SHOPIFY else 0.0
        quiet = draft.person.number in self._spoke
        for channel, share, refused in (
            (EMAIL, mail, quiet or (draft.email and same_mailbox(draft.email) in self._boxes)),
            (SMS, texts, quiet or (draft.mobile and same_number(draft.mobile) in self._numbers)),
        ):
            if not _point(draft, channel) or (id(draft), channel) in self._found.refusals or rng.random() > share:
                continue
            on = self._days(*_ANCIENT) if refused else draft.created
            draft.created = min(draft.created, on)
            self._found.granted[id(draft), channel] = on

    def _days(self, low: int, high: int) -> date:
        return self._as_of - timedelta(days=self._rng.randint(low, high))


def _point(draft: Draft, channel: str) -> str:
    return draft.email if channel == EMAIL else draft.mobile


def _older(draft: Draft, on: date) -> None:
    """A record is older than what was said on it."""
    draft.created = min(draft.created, on - timedelta(days=20))
    draft.changed = max(draft.changed, on)
