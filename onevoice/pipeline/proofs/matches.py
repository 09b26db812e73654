"""How sure it is that two records are one customer: the strongest chain of matches between them, and its weakest link.

A chain is as sure as its weakest link. A link is doubtful when its score is low, when nothing but a name or a household
speaks for it, or when a steward is asked about that very pair.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from identity import NormalisedRecord
from identity.vetoes import given_agrees
from onevoice.store import Connection, identities, proofs
from onevoice.store.identities import EdgeRow
from onevoice.store.proofs import Pending

SURE = 0.99
"""A score below this is a doubt that the reader is told of."""
STEWARD, LINK = "steward", "link:"
_BEYOND = 1_000.0
"""Weight in bits of what a steward has said: above every score."""


@dataclass(frozen=True, slots=True)
class MatchLink:
    """One pair of records that are held to be one customer."""

    left: str
    right: str
    kind: str
    """`score`, `link:<field>`, or `steward`."""
    weight: float
    """Bits."""
    probability: float
    shared: tuple[str, ...]
    """What the two records agree on: e-mail address, phone, card number, birth date, address, family and given name."""
    doubt: str
    """One sentence; empty when there is none."""

    @property
    def strength(self) -> tuple[bool, float]:
        """Links compare by it: one without a doubt goes before every doubtful one."""
        return not self.doubt, self.weight

    @property
    def words(self) -> str:
        """What holds the two records together."""
        if self.kind == STEWARD:
            return "a steward put them together"
        shared = ", ".join(self.shared) or "nothing whole"
        if self.kind.startswith(LINK):
            field = self.kind.removeprefix(LINK)
            return f"the same {_FIELD_WORDS.get(field, field)}, and the names agree"
        return f"scored {percent(self.probability)} (the same: {shared})"


_FIELD_WORDS = {"email": "e-mail address", "card_number": "card number", "phone": "phone number"}
_PROOFS = frozenset({"e-mail address", "phone number", "card number", "birth date"})
"""What more than a name and an address speaks for."""
_OWN = frozenset({"given name", "birth date"})
"""What two people of one household do not share."""
_INITIAL, _NARROW = "initial", frozenset({"e-mail address", "card number"})
"""They may have one initial, and one phone; both of that and an address for mail, or a card, are rare."""


def percent(probability: float) -> str:
    """A probability as people read it, never rounded up to certainty."""
    return f"{min(probability, 0.9999):.2%}".replace(".00%", "%")


@dataclass(frozen=True, slots=True)
class Chain:
    """The strongest way from the record a message goes to, to another record of the same customer."""

    links: tuple[MatchLink, ...] = ()
    unmatched: bool = False
    """No stored match leads there."""

    @property
    def weakest(self) -> MatchLink | None:
        """The link on which the chain rests; None when it is one record, or no chain."""
        return min(self.links, key=lambda link: link.strength, default=None)

    @property
    def strength(self) -> tuple[bool, float]:
        """As of its weakest link; a record is itself beyond doubt."""
        if self.unmatched:
            return False, -_BEYOND
        return self.weakest.strength if self.weakest else (True, 2 * _BEYOND)


ITSELF = Chain()
"""The way from a record to itself, or to what needs none."""


class Matches:
    """The matches of some records, loaded at once."""

    def __init__(self, connection: Connection, refs: Collection[str], threshold: float) -> None:
        refs = set(refs)
        edges = [edge for edge in identities.edges_of_components(connection, refs) if edge.probability >= threshold]
        kept = [edge for edge in edges if edge.left in refs and edge.right in refs]
        kept += [
            EdgeRow(left, right, STEWARD, _BEYOND, 1.0)
            for left, right, same in identities.load_constraints(connection, refs)
            if same and left in refs and right in refs
        ]
        self.pending: Sequence[Pending] = proofs.pending_pairs(connection, refs)
        asked = {(pair.left, pair.right) for pair in self.pending}
        forms = identities.load_normalised(connection, {ref for edge in kept for ref in (edge.left, edge.right)})
        self._beside: dict[str, list[MatchLink]] = {}
        for edge in kept:
            link = _link(edge, forms, asked=(edge.left, edge.right) in asked)
            self._beside.setdefault(edge.left, []).append(link)
            self._beside.setdefault(edge.right, []).append(link)

    def chains(self, start: str, members: Iterable[str]) -> dict[str, Chain]:
        """The strongest chain from one record to each of the records of its customer."""
        members = set(members)
        found = {start: ITSELF}
        while True:
            links = [
                (link.strength, -len(found[ref].links), link.left, link.right, ref)
                for ref in found
                for link in self._beside.get(ref, ())
                if _other(link, ref) in members and _other(link, ref) not in found
            ]
            if not links:
                break
            *_, left, right, ref = max(links)
            link = next(one for one in self._beside[ref] if (one.left, one.right) == (left, right))
            found[_other(link, ref)] = Chain((*found[ref].links, link))
        return {**{ref: Chain(unmatched=True) for ref in members}, **found}


def _other(link: MatchLink, ref: str) -> str:
    return link.right if link.left == ref else link.left


def _link(edge: EdgeRow, forms: Mapping[str, Mapping[str, object]], *, asked: bool) -> MatchLink:
    shared: tuple[str, ...] = ()
    if edge.left in forms and edge.right in forms:
        left, right = (NormalisedRecord.from_dict(dict(forms[ref])) for ref in (edge.left, edge.right))
        shared = tuple(name for name, agree in _AGREE.items() if agree(left, right))
    doubt = ""
    if edge.kind == "score":
        if asked:
            doubt = "A steward is asked about this very pair."
        elif edge.probability < SURE:
            doubt = f"The match is only {percent(edge.probability)} sure."
        elif not set(shared) & _OWN and not (_INITIAL in shared and set(shared) & _NARROW):
            doubt = "Only what a household shares speaks for the match."
        elif not set(shared) & _PROOFS:
            doubt = "Only the name and the address speak for the match."
    return MatchLink(edge.left, edge.right, edge.kind, edge.weight, edge.probability, shared, doubt)


def _same(name: str) -> Callable[[NormalisedRecord, NormalisedRecord], bool]:
    def agree(left: NormalisedRecord, right: NormalisedRecord) -> bool:
        return bool(getattr(left, name)) and getattr(left, name) == getattr(right, name)

    return agree


def _common(name: str) -> Callable[[NormalisedRecord, NormalisedRecord], bool]:
    return lambda left, right: not set(getattr(left, name)).isdisjoint(getattr(right, name))


def _starts(one: NormalisedRecord, other: NormalisedRecord) -> bool:
    return len(one.given) == 1 and one.given in other.starts


_AGREE: Mapping[str, Callable[[NormalisedRecord, NormalisedRecord], bool]] = {
    "e-mail address": _same("email_fixed"),
    "phone number": _common("phones"),
    "card number": _common("cards"),
    "birth date": _same("birth_date"),
    "address": lambda left, right: _same("postcode")(left, right) and _same("house")(left, right),
    "family name": _common("families"),
    "given name": given_agrees,
    _INITIAL: lambda left, right: _starts(left, right) or _starts(right, left),
}
