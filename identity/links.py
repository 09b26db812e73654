"""Deterministic links: pairs that share a strong identifier, while names and dates do not speak against it.

They come before any score. An identifier seen with too many surnames links nobody (identity/blocking.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from identity.blocking import in_use, part_values
from identity.records import Degree, Edge, NormalisedRecord
from identity.score import probability
from identity.vetoes import given_agrees, names_agree, veto
from onevoice.configfile.identity_file import IdentityFile, Link
from onevoice.model import Ref

LINK_WEIGHT = 20.0
"""Bits given to a link, if the score is lower: one in a million that it is wrong."""


def link_pairs(
    records: Sequence[NormalisedRecord],
    changed: Collection[Ref] | None,
    config: IdentityFile,
    degrees: Mapping[str, Degree],
) -> dict[tuple[Ref, Ref], str]:
    """(left, right) -> field that links them; the first configured field wins."""
    found: dict[tuple[Ref, Ref], str] = {}
    for link in config.links:
        holders: defaultdict[str, list[NormalisedRecord]] = defaultdict(list)
        for record in records:
            for value in part_values(record, link.field):
                key = f"{link.field}={value}"
                if value and key in degrees and in_use(key, degrees[key], config.guards):
                    holders[key].append(record)
        for group in holders.values():
            for a, b in combinations(sorted(group, key=lambda record: record.ref), 2):
                if (changed is None or a.ref in changed or b.ref in changed) and link_holds(a, b, link, config):
                    found.setdefault((a.ref, b.ref), link.field)
    return found


def link_holds(a: NormalisedRecord, b: NormalisedRecord, link: Link, config: IdentityFile) -> bool:
    """Whether what the link requires of two holders of one value is there, and nothing vetoes."""
    if veto(a, b, config):
        return False
    if link.requires == "full_name":
        return names_agree(a, b)
    return link.requires == "nothing" or given_agrees(a, b)


def with_links(edges: Sequence[Edge], links: Mapping[tuple[Ref, Ref], str]) -> list[Edge]:
    """One edge per pair, sorted: a link lifts a score to at least its own weight."""
    joined = {(edge.left, edge.right): edge for edge in edges}
    for (left, right), field in links.items():
        scored = joined.get((left, right), Edge(left, right, LINK_WEIGHT, probability(LINK_WEIGHT)))
        weight = max(scored.weight, LINK_WEIGHT)
        joined[left, right] = replace(scored, weight=weight, probability=probability(weight), kind=f"link:{field}")
    return [joined[pair] for pair in sorted(joined)]
