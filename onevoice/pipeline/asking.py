"""What a steward is asked after a run. Pure.

What clustering left open, profiles that hold two loyalty accounts, and published profile ids that were split. What a
decision in force has answered is not asked again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from identity import Cluster, LineageEvent, NormalisedRecord, ReviewItem
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


def questions(
    outcome: Outcome,
    records: Mapping[Ref, NormalisedRecord],
    constraints: Iterable[tuple[str, str, bool]],
    standing: Iterable[Question],
) -> list[Question]:
    """Everything that is to be asked about the records of an outcome, sorted.

    `constraints`: decisions in force on them (left, right, same person?). `standing`: what is asked already of records
    that are still there; of that a split stays until somebody answers it, or its records are together again.
    """
    home = {str(ref): at for at, one in enumerate(outcome.clusters) for ref in one.members}
    said = _Said(home, constraints)
    found = [
        Question(item.kind, str(item.left), str(item.right), item.weight, item.reason)
        for item in outcome.review
        if item.kind == CONTRADICTION or not said.apart(str(item.left), str(item.right))
    ]
    found += [question for one in outcome.clusters for question in _accounts(one, records, said)]
    splits = [*(one for one in standing if one.kind == SPLIT), *_splits(outcome)]
    found += [q for q in splits if _apart(home, q) and not said.apart(q.left, q.right)]
    return [one for _, one in sorted({q.key: q for q in found}.items())]


class _Said:
    """What decisions say of the clusters that there are now."""

    def __init__(self, home: Mapping[str, int], constraints: Iterable[tuple[str, str, bool]]) -> None:
        self._home = home
        self._apart: set[frozenset[int]] = set()
        self._beside: defaultdict[str, set[str]] = defaultdict(set)
        for left, right, same in constraints:
            if same:
                self._beside[left].add(right)
                self._beside[right].add(left)
            elif left in home and right in home:
                self._apart.add(frozenset((home[left], home[right])))

    def apart(self, left: str, right: str) -> bool:
        """Whether a decision keeps the clusters of two records apart."""
        return frozenset((self._home.get(left, -1), self._home.get(right, -2))) in self._apart

    def joined(self, here: Iterable[Ref], there: Iterable[Ref]) -> bool:
        """Whether decisions join one of these records with one of those, in however many steps."""
        reached = set(map(str, here))
        front = list(reached)
        while front:
            new = self._beside.get(front.pop(), set()) - reached
            reached |= new
            front.extend(new)
        return not reached.isdisjoint(map(str, there))


def _accounts(one: Cluster, records: Mapping[Ref, NormalisedRecord], said: _Said) -> list[Question]:
    """One question for every two neighbours among the loyalty accounts of a cluster that nobody has joined yet.

    Cards that stand on one record are one account here: that record's own system joined them.
    """
    accounts: list[_Account] = []
    for ref in sorted(one.members):
        cards = set(records[ref].cards) if ref in records else set()
        mine = [account for account in accounts if not account.cards.isdisjoint(cards)]
        holders = sorted({ref, *(holder for account in mine for holder in account.holders)})
        if cards:
            joined = _Account(cards.union(*(account.cards for account in mine)), holders)
            accounts = [*(account for account in accounts if account not in mine), joined]
    weight = {(edge.left, edge.right): edge.weight for edge in one.edges}
    ordered = sorted(accounts, key=lambda account: account.holders[0])
    pairs = [(here, there) for here, there in pairwise(ordered) if not said.joined(here.holders, there.holders)]
    firsts = [(here.holders[0], there.holders[0]) for here, there in pairs]
    return [Question(ACCOUNTS, str(left), str(right), weight.get((left, right), 0.0), _TWO) for left, right in firsts]


@dataclass(frozen=True, slots=True)
class _Account:
    cards: set[str]
    holders: list[Ref]
    """Records that hold one of the cards, sorted."""


_TWO = "one customer holds two loyalty accounts"


def _splits(outcome: Outcome) -> list[Question]:
    """One question for every profile that was split off another one that still has records."""
    rest: dict[str, Ref] = {}
    for ref in sorted(outcome.assigned, reverse=True):
        rest[outcome.assigned[ref]] = ref
    found = []
    for event in outcome.events:
        if event.kind in ("split", "restored") and event.other_id in rest and event.profile_id in rest:
            left, right = sorted(map(str, (rest[event.profile_id], rest[event.other_id])))
            found.append(Question(SPLIT, left, right, 0.0, "they were one profile and are two now"))
    return found


def _apart(home: Mapping[str, int], question: Question) -> bool:
    """Whether both records are still there, in two clusters. One that this run did not look at is where it was."""
    left, right = home.get(question.left), home.get(question.right)
    return left is None or right is None or left != right
