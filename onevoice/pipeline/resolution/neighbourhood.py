"""What changed records may do to who is who: their candidates, their edges, and the components those touch.

A component is a set of records that edges and decisions connect. Those that a change touches, by what holds now or by
what held before, are clustered anew as a whole; nothing else is even loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from identity import Clustering, Constraint, Edge, NormalisedRecord, blocking_keys
from onevoice.model import Ref
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.resolution.candidates import Standing, candidates_of, limits_of, load_forms
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
    known = {**changes.fresh, **load_forms(connection, changes.changed - changes.fresh.keys())}
    keys = {ref: changes.keys.get(ref) or blocking_keys(form, config) for ref, form in known.items()}
    standing = Standing(connection, limits_of(config.guards), changes.standing)
    beside = candidates_of(connection, keys, standing, config.guards)
    known.update(load_forms(connection, set().union(*beside.values()) - known.keys()))
    pairs = ((known[ref], known[other]) for ref, others in beside.items() for other in others)
    added = hub.people.edges(pairs, standing.of)
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


def components(
    connection: Connection, reach: Collection[str]
) -> tuple[set[str], list[EdgeRow], list[tuple[str, str, bool]]]:
    """All records that edges or decisions connect with some, with these edges and decisions."""
    seen: set[str] = set()
    edges: set[EdgeRow] = set()
    constraints: set[tuple[str, str, bool]] = set()
    front = set(reach)
    while front:
        seen |= front
        found = identities.edges_of(connection, front)
        said = identities.load_constraints(connection, front)
        edges.update(found)
        constraints.update(said)
        ends = {end for edge in found for end in (edge.left, edge.right)}
        front = ends.union(end for left, right, _ in said for end in (left, right)) - seen
    return seen, sorted(edges), sorted(constraints)


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
