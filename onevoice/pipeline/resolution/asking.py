"""What a steward is asked after a run. Pure.

What clustering left open, profiles that hold two loyalty accounts, and published profile ids that were split. What a
decision in force has answered is not asked again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from identity import Cluster, LineageEvent, ReviewItem
from onevoice.model import Ref
from onevoice.store.steward import Question

ACCOUNTS, SPLIT, CONTRADICTION = "accounts", "split", "contradiction"
"""Kinds of questions that are asked for another reason than a pair's score."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run made of the records it looked at."""

    clusters: Sequence[Cluster]
    review: Sequence[ReviewItem]
    """What clustering left open."""
    events: Sequence[LineageEvent]
    assigned: Mapping[Ref, str]
    """Profile id by record, of every record of the clusters."""

    def home(self, record: str) -> str | None:
        """The profile of a record; None where this run did not look: it is where it was."""
        return self.assigned.get(Ref.parse(record))

    def together(self, left: str, right: str) -> bool:
        """Whether two records are in one profile now."""
        home = self.home(left)
        return home is not None and home == self.home(right)


def questions(
    outcome: Outcome,
    cards: Mapping[Ref, Collection[str]],
    constraints: Iterable[tuple[str, str, bool]],
    standing: Iterable[Question],
) -> list[Question]:
    """Everything that is to be asked about the records of an outcome, sorted.

    `cards`: card numbers by record; one that has none may be left out. `constraints`: decisions in force on them (left,
    right, same person?). `standing`: what is asked already of records that are still there; of that a split stays until
    somebody answers it, or its records are together again.
    """
    said = _Said(outcome, constraints)
    found = [
        Question(item.kind, str(item.left), str(item.right), item.weight, item.reason)
        for item in outcome.review
        if item.kind == CONTRADICTION or not said.apart(str(item.left), str(item.right))
    ]
    found += [question for one in outcome.clusters for question in _accounts(one, cards, said)]
    splits = [*(one for one in standing if one.kind == SPLIT), *_splits(outcome)]
    found += [q for q in splits if not outcome.together(q.left, q.right) and not said.apart(q.left, q.right)]
    return [one for _, one in sorted({q.key: q for q in found}.items())]


class _Said:
    """What decisions say of the clusters that there are now."""

    def __init__(self, outcome: Outcome, constraints: Iterable[tuple[str, str, bool]]) -> None:
        self._outcome = outcome
        self._apart: set[frozenset[str | None]] = set()
        self._beside: defaultdict[str, set[str]] = defaultdict(set)
        for left, right, same in constraints:
            if same:
                self._beside[left].add(right)
                self._beside[right].add(left)
            else:
                self._apart.add(frozenset((outcome.home(left), outcome.home(right))))

    def apart(self, left: str, right: str) -> bool:
        """Whether a decision keeps the profiles of two records apart."""
        homes = frozenset((self._outcome.home(left), self._outcome.home(right)))
        return len(homes) == 2 and None not in homes and homes in self._apart

    def joined(self, here: Iterable[Ref], there: Iterable[Ref]) -> bool:
        """Whether decisions join one of these records with one of those, in however many steps."""
        reached = set(map(str, here))
        front = list(reached)
        while front:
            new = self._beside.get(front.pop(), set()) - reached
            reached |= new
            front.extend(new)
        return not reached.isdisjoint(map(str, there))


def _accounts(one: Cluster, cards: Mapping[Ref, Collection[str]], said: _Said) -> list[Question]:
    """One question for every two neighbours among the loyalty accounts of a cluster that nobody has joined yet.

    Cards that stand on one record are one account here: that record's own system joined them.
    """
    held = {ref: frozenset(cards[ref]) for ref in one.members if cards.get(ref)}
    if len(set(held.values())) < 2:
        return []
    accounts: list[_Account] = []
    for ref in sorted(held):
        mine = [account for account in accounts if not account.cards.isdisjoint(held[ref])]
        holders = sorted({ref, *(holder for account in mine for holder in account.holders)})
        joined = _Account(held[ref].union(*(account.cards for account in mine)), holders)
        accounts = [*(account for account in accounts if account not in mine), joined]
    weight = {(edge.left, edge.right): edge.weight for edge in one.edges}
    ordered = sorted(accounts, key=lambda account: account.holders[0])
    pairs = [(here, there) for here, there in pairwise(ordered) if not said.joined(here.holders, there.holders)]
    firsts = [(here.holders[0], there.holders[0]) for here, there in pairs]
    return [Question(ACCOUNTS, str(left), str(right), weight.get((left, right), 0.0), _TWO) for left, right in firsts]


@dataclass(frozen=True, slots=True)
class _Account:
    cards: frozenset[str]
    holders: list[Ref]
    """Records that hold one of the cards, sorted."""


_TWO = "one customer holds two loyalty accounts"


def _splits(outcome: Outcome) -> list[Question]:
    """One question for every profile that was split off another one that still has records."""
    parted = [event for event in outcome.events if event.kind in ("split", "restored") and event.other_id]
    ends = {end for event in parted for end in (event.profile_id, event.other_id)}
    first: dict[str, str] = {}
    for ref in sorted(ref for ref, profile_id in outcome.assigned.items() if profile_id in ends):
        first.setdefault(outcome.assigned[ref], str(ref))
    found = []
    for event in parted:
        if event.other_id in first:
            left, right = sorted((first[event.profile_id], first[event.other_id]))
            found.append(Question(SPLIT, left, right, 0.0, "they were one profile and are two now"))
    return found
