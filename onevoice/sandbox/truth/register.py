"""Who is who, and what is true of each; what comes true while the sandbox runs is kept in a journal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from onevoice.sandbox.truth.contact_points import same_mailbox, same_number
from onevoice.sandbox.truth.facts import EMAIL, SMS, Account, Cart, Complaint, Facts, OptOut, Order, Ref, Reward


class Register:
    """The persons' facts, and the contact points that somebody refused or that are dead."""

    def __init__(self, people: int) -> None:
        self.facts = [Facts() for _ in range(people)]
        self.person_of: dict[Ref, int] = {}
        self.records_of: dict[int, list[Ref]] = defaultdict(list)
        self.hard_cases: dict[str, list[Ref]] = {}
        self.journal: list[list[Any]] = []
        """What `learn` was told, in order, as JSON values."""
        self._refused: dict[str, set[str]] = {EMAIL: set(), SMS: set()}
        """By channel: mail boxes and numbers on which anybody opted out."""
        self._dead: set[str] = set()
        """Mail boxes that bounced or complained."""

    def add_record(self, ref: Ref, person: int) -> None:
        """State whose record it is."""
        self.person_of[ref] = person
        self.records_of[person].append(ref)

    def of(self, ref: Ref) -> Facts:
        """The facts of a record's owner."""
        return self.facts[self.person_of[ref]]

    def opt_out(self, ref: Ref, address: str, on: date, channel: str = EMAIL) -> None:
        """The owner of the record opts out with its address (or number, by SMS)."""
        self.of(ref).opt_outs.append(OptOut(ref, address, on, channel))
        self.refuse(address, channel)

    def refuse(self, address: str, channel: str = EMAIL) -> None:
        """Somebody said no on this address or number; it says nothing of anybody's other ones."""
        if address:
            self._refused[channel].add(_point(address, channel))

    def die(self, address: str) -> None:
        """Mail to this address bounced, or was called spam."""
        self._dead.add(same_mailbox(address))

    def opted_out(self, address: str, channel: str = EMAIL) -> bool:
        """Whether anybody opted out on this mail box or number."""
        return _point(address, channel) in self._refused[channel]

    def is_dead(self, address: str) -> bool:
        """Whether this mail box bounced or complained."""
        return same_mailbox(address) in self._dead

    def change_tier(self, person: int, key: str, name: str, until: date | None) -> None:
        """The tier record `key` of the person says otherwise from now on."""
        for membership in self.facts[person].memberships:
            for tier in membership.tiers:
                if tier.key == key:
                    tier.name, tier.until = name, until

    def complain(self, ref: Ref, key: str, opened: date) -> None:
        """The owner of the record complains, in the case `key`."""
        self.of(ref).complaints.append(Complaint(ref, key, opened, None))

    def reward(self, ref: Ref, kind: str, on: date) -> None:
        """The owner of the record has had a birthday or welcome reward."""
        self.of(ref).rewards.append(Reward(ref, kind, on))

    def credit(self, ref: Ref, key: str, points: int, expires: date) -> None:
        """The account `key` of the record's owner gets points, which expire on a day; below nought it loses them."""
        for account in self.of(ref).accounts:
            if account.key == key:
                account.balance += points
                account.deadlines.append((points, expires))

    def open_account(self, account: Account) -> None:
        """The owner of the account's record holds it."""
        self.of(account.ref).accounts.append(account)

    def buy(self, ref: Ref, at: datetime, category: str, *, full_price: bool) -> None:
        """The owner of the record orders."""
        self.of(ref).orders.append(Order(ref, at, category, full_price))

    def leave_cart(self, ref: Ref, at: datetime, category: str) -> None:
        """The owner of the record leaves a cart in the web shop."""
        self.of(ref).carts.append(Cart(ref, at, category))

    def learn(self, what: str, *said: Any) -> None:
        """Let something come true after the world began, so that it is remembered over a restart.

        `what` is a key of _LEARNED; `said` are JSON values: refs as lists, days and times as ISO text.
        """
        _LEARNED[what](self, *said)
        self.journal.append([what, *said])


def _point(address: str, channel: str) -> str:
    return same_number(address) if channel == SMS else same_mailbox(address)


def _ref(told: list[str] | Ref) -> Ref:
    system, stream, key = told
    return (system, stream, key)


def _day(told: str | None) -> date | None:
    return date.fromisoformat(told) if told else None


_LEARNED: dict[str, Callable[..., None]] = {
    "opt_out": lambda truth, ref, address, on, channel: truth.opt_out(
        _ref(ref), address, date.fromisoformat(on), channel
    ),
    "complain": lambda truth, ref, key, on: truth.complain(_ref(ref), key, date.fromisoformat(on)),
    "tier": lambda truth, person, key, name, until: truth.change_tier(person, key, name, _day(until)),
    "credit": lambda truth, ref, key, points, expires: truth.credit(
        _ref(ref), key, points, date.fromisoformat(expires)
    ),
    "buy": lambda truth, ref, at, category, full: truth.buy(
        _ref(ref), datetime.fromisoformat(at), category, full_price=full
    ),
    "cart": lambda truth, ref, at, category: truth.leave_cart(_ref(ref), datetime.fromisoformat(at), category),
}
"""What `learn` takes, and what it does then."""
