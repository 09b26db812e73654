"""What changed records may do to who is who: their candidates, their edges, and the components those touch.

A component is a set of records that edges and decisions connect. Those that a change touches, by what holds now or by
what held before, are clustered anew as a whole; nothing else is even loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from identity import Clustering, Constraint, Edge, NormalisedRecord, blocking_keys, in_use, single_keys
from onevoice.configfile.identity_file import IdentityFile
from onevoice.model import Ref
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.resolution.candidates import degrees, holders, limits_of, load_forms
from onevoice.pipeline.resolution.comparing import Changes
from onevoice.pipeline.resolution.people import ResolvesPeople
from onevoice.store import Connection, identities
from onevoice.store.identities import EdgeRow


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What was found out about everything that a change reaches."""

    refs: Collection[str]
    """Every record of the components that were clustered."""
    cards: Mapping[Ref, Collection[str]]
    """Card numbers of those that have any."""
    clustering: Clustering
    constraints: Sequence[tuple[str, str, bool]]
    """Decisions in force on them, also on records that are gone."""
    edges: int
    """How many edges are new."""


def resolve_neighbourhood(hub: Hub, connection: Connection, changes: Changes) -> Neighbourhood:
    """Compare the changed records with their candidates, store their edges, and cluster what they touch."""
    config = hub.config.identity
    changed = {**changes.fresh, **load_forms(connection, changes.changed - changes.fresh.keys())}
    added, known = edges_of(hub.people, connection, changed, config)
    dropped = identities.edges_of(connection, changes.gone)
    identities.replace_edges(connection, changes.gone, [row_of(edge) for edge in added])
    ends = {end for edge in dropped for end in (edge.left, edge.right)}
    reach, edges, constraints = components(connection, ends | changes.gone)
    there = reach - changes.removed
    forms = {ref: known[ref] for ref in there & known.keys()}
    forms.update(load_forms(connection, there - known.keys()))
    return Neighbourhood(
        refs=forms.keys(),
        cards={form.ref: form.cards for form in forms.values() if form.cards},
        clustering=cluster(hub.people, forms, edges, constraints),
        constraints=constraints,
        edges=len(added),
    )


def edges_of(
    people: ResolvesPeople, connection: Connection, changed: Mapping[str, NormalisedRecord], config: IdentityFile
) -> tuple[list[Edge], Mapping[str, NormalisedRecord]]:
    """Every edge that one of the changed records has with any record of the index; and all records looked at."""
    limits = limits_of(config.guards)
    keys = {ref: blocking_keys(form, config) for ref, form in changed.items()}
    standing = degrees(connection, {key for own in keys.values() for key in own}, limits)
    under = holders(connection, {key for key, degree in standing.items() if in_use(key, degree, config.guards)})
    pairs = {
        (ref, other) if ref < other else (other, ref)
        for ref, own in keys.items()
        for key in own
        for other in under.get(key, ())
        if other != ref
    }
    forms = {**changed, **load_forms(connection, {end for pair in pairs for end in pair} - changed.keys())}
    telling = {key for form in forms.values() for key in single_keys(form, config)}
    known = degrees(connection, telling - standing.keys(), limits)
    known.update((key, standing[key]) for key in telling & standing.keys())
    return people.edges(((forms[left], forms[right]) for left, right in sorted(pairs)), known), forms


def components(
    connection: Connection, reach: Collection[str]
) -> tuple[set[str], list[EdgeRow], list[tuple[str, str, bool]]]:
    """All records that edges or decisions connect with some, with these edges and decisions."""
    seen: set[str] = set()
    edges: list[EdgeRow] = []
    constraints: list[tuple[str, str, bool]] = []
    front = set(reach)
    while front:
        seen |= front
        edges += identities.edges_of(connection, front)
        constraints += identities.load_constraints(connection, front)
        ends = {end for edge in edges for end in (edge.left, edge.right)}
        front = ends.union(end for left, right, _ in constraints for end in (left, right)) - seen
    return seen, sorted(set(edges), key=_ends), sorted(set(constraints))


def _ends(edge: EdgeRow) -> tuple[str, str]:
    return edge.left, edge.right


def cluster(
    people: ResolvesPeople,
    forms: Mapping[str, NormalisedRecord],
    edges: Sequence[EdgeRow],
    constraints: Sequence[tuple[str, str, bool]],
) -> Clustering:
    """Customers among records, from stored edges and decisions; a decision on a record that is gone says nothing."""
    return people.cluster(
        {form.ref: form for form in forms.values()},
        [_edge(row) for row in edges],
        [
            Constraint(Ref.parse(left), Ref.parse(right), "must" if same else "cannot")
            for left, right, same in constraints
            if left in forms and right in forms
        ],
    )


def row_of(edge: Edge) -> EdgeRow:
    """An edge as it is stored."""
    return EdgeRow(str(edge.left), str(edge.right), edge.kind, edge.weight, edge.probability)


def _edge(row: EdgeRow) -> Edge:
    return Edge(Ref.parse(row.left), Ref.parse(row.right), row.weight, row.probability, row.kind)
