"""Resolve: changed customer records find their candidates, their person, and a profile id that lasts.

Only what changed and the components it touches are looked at. The outcome is the one a full run would have: the score
of a pair depends on its two records, on which of their values are shared by many, and on the shipped model; a value
that begins or ceases to be shared makes every record that holds it count as changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import orjson

from identity import (
    Constraint,
    Degree,
    Edge,
    IdChanges,
    NormalisedRecord,
    Resolution,
    assign_ids,
    blocking_keys,
    crossed,
    in_use,
    normalise,
    profile_id,
    surname_key,
)
from onevoice.model import Ref
from onevoice.pipeline.asking import Outcome, questions
from onevoice.pipeline.causes import Causes, News
from onevoice.pipeline.events import settle_events
from onevoice.pipeline.former import former_links
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.report import Report
from onevoice.pipeline.unify import identity_record
from onevoice.store import Connection, contradictions, identities, outboxes, pages, runs, steward
from onevoice.store import former_links as former_store
from onevoice.store.identities import EdgeRow, LineageRow, NormalisedRow
from onevoice.store.steward import Question

EVERYTHING = 0.2
"""Above this share of changed records the whole base is loaded at once instead of neighbourhood by neighbourhood."""


def resolve(hub: Hub) -> Report:
    """Give every touched customer record its profile, in one transaction."""
    with hub.store.begin() as connection:
        marked = pages.load_work(connection, "resolve")
        decided = pages.load_work(connection, steward.DECIDED)
        touched = identities.customers_touched(connection, {*marked, *decided})
        anew = runs.configured_anew(connection, "resolve", hub.versions["resolve"])
        if anew:
            touched.update(identities.all_customer_refs(connection))
        changes = _with_decided(connection, _normalise_changes(hub, connection, touched, anew=anew), decided)
        before = identities.load_links(connection, touched)
        counts = {"records": len(touched), "changed": len(changes.changed), "removed": len(changes.removed)}
        moved: set[str] = set()
        if changes.changed or changes.removed:
            found = _resolve_neighbourhood(hub, connection, changes)
            counts.update(found.counts)
            moved = found.profiles
            pages.mark_work(connection, {("plan", pid) for pid in moved})  # each record carries its profile's id
        after = identities.load_links(connection, touched)
        settle_events(hub, connection)
        marks = {("unify", pid) for pid in {*before.values(), *after.values(), *moved}}
        pages.mark_work(connection, marks)
        pages.finish_work(connection, "resolve", marked)
        pages.finish_work(connection, steward.DECIDED, decided)
    return Report(counts)


@dataclass(frozen=True, slots=True)
class _Changes:
    """Records whose normalised form is new or gone, and those whose shared values changed their standing."""

    changed: frozenset[str]
    removed: frozenset[str]
    decided: frozenset[str] = frozenset()
    """Records on which a steward decided; they count as changed too."""


def _normalise_changes(hub: Hub, connection: Connection, touched: set[str], *, anew: bool) -> _Changes:
    """Bring the comparable forms and the blocking index up to date; `anew`: every record counts as changed."""
    customers = identities.load_customers(connection, touched)
    hashes = identities.load_hashes(connection, touched)
    rows = []
    for ref in sorted(customers):
        record = normalise(identity_record(customers[ref]), hub.config.identity)
        form = record.as_dict()
        digest = hashlib.blake2b(orjson.dumps(form, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()
        if anew or hashes.get(ref) != digest:
            keys = blocking_keys(record, hub.config.identity)
            rows.append(NormalisedRow(ref, form, digest, surname_key(record), keys))
    changed = {row.ref for row in rows}
    removed = hashes.keys() - customers.keys()
    affected = identities.keys_of(connection, changed | removed) | {key for row in rows for key in row.keys}
    standing = _degrees(connection, affected)
    identities.save_normalised(connection, rows, removed)
    flipped = crossed(standing, _degrees(connection, affected), hub.config.identity.guards)
    changed |= identities.refs_under(connection, flipped)
    return _Changes(frozenset(changed), frozenset(removed))


def _with_decided(connection: Connection, changes: _Changes, decided: Iterable[str]) -> _Changes:
    """Records on which somebody decided count as changed, and so do those that a decision ties to a deleted record.

    Nothing else may connect them with what the change reaches.
    """
    tied = {end for left, right, _ in identities.load_constraints(connection, changes.removed) for end in (left, right)}
    there = identities.load_hashes(connection, {*decided, *tied}).keys()
    return _Changes(changes.changed | there, changes.removed, frozenset(decided))


@dataclass(frozen=True, slots=True)
class _Found:
    counts: Mapping[str, int]
    profiles: set[str]
    changes: IdChanges


def _resolve_neighbourhood(hub: Hub, connection: Connection, changes: _Changes) -> _Found:
    """Resolve the changed records with everything that they can touch, and store who is who."""
    gone = changes.changed | changes.removed
    refs, edges, constraints = _neighbourhood(hub, connection, changes)
    forms = identities.load_normalised(connection, refs - changes.removed)
    records = [NormalisedRecord.from_dict(forms[ref]) for ref in sorted(forms)]
    resolution = hub.people.resolve(
        records,
        {Ref.parse(ref) for ref in gone},
        [_edge(edge) for edge in edges],
        [
            Constraint(Ref.parse(left), Ref.parse(right), "must" if same else "cannot")
            for left, right, same in constraints
            if left in forms and right in forms
        ],
        _degrees(connection, identities.keys_of(connection, forms)),
    )
    added = [EdgeRow(str(e.left), str(e.right), e.kind, e.weight, e.probability) for e in resolution.edges_added]
    identities.replace_edges(connection, gone, added)
    clustered = {str(ref) for cluster in resolution.clusters for ref in cluster.members}
    found = _store_people(hub, connection, resolution, changes, constraints)
    reached = clustered | changes.removed
    standing = [
        Question(one.kind, one.left, one.right, one.weight, one.reason)
        for one in steward.open_items_on(connection, reached)
        if one.left not in changes.removed and one.right not in changes.removed
    ]
    outcome = Outcome(resolution.clusters, resolution.review, found.changes.events, found.changes.assigned)
    asked = questions(outcome, {record.ref: record for record in records}, constraints, standing)
    steward.replace_questions(connection, reached, asked, hub.as_of)
    return replace(found, counts={**found.counts, "review": len(asked)})


def _neighbourhood(
    hub: Hub, connection: Connection, changes: _Changes
) -> tuple[set[str], list[EdgeRow], list[tuple[str, str, bool]]]:
    """Changed records, their candidates, and whole components: everything that the change can reach."""
    if len(changes.changed) > EVERYTHING * identities.count_normalised(connection):
        everybody = {*identities.all_customer_refs(connection), *changes.removed}
        return everybody, identities.all_edges(connection), identities.load_constraints(connection)
    keys = identities.keys_of(connection, changes.changed)
    standing = _degrees(connection, keys)
    usable = {key for key in keys if in_use(key, standing[key], hub.config.identity.guards)}
    reach = {*changes.changed, *changes.removed, *identities.refs_under(connection, usable)}
    while True:
        edges = identities.edges_of_components(connection, reach)
        constraints = identities.load_constraints(connection, reach)
        wider = reach | {ref for edge in edges for ref in (edge.left, edge.right)}
        wider |= {ref for left, right, _ in constraints for ref in (left, right)}
        if wider == reach:
            return reach, edges, constraints
        reach = wider


def _store_people(
    hub: Hub,
    connection: Connection,
    resolution: Resolution,
    news: _Changes,
    constraints: Iterable[tuple[str, str, bool]],
) -> _Found:
    """Assign profile ids, retire those that lost every record, and log what happened to each and why."""
    clustered = {str(ref) for cluster in resolution.clusters for ref in cluster.members}
    removed = news.removed
    previous = identities.load_links(connection, {*clustered, *removed})
    members = identities.load_members(connection, set(previous.values()))
    lives = identities.load_lives(connection, {*previous.values(), *(profile_id(Ref.parse(ref)) for ref in clustered)})
    changes = assign_ids(
        {Ref.parse(ref): pid for ref, pid in previous.items()},
        resolution.clusters,
        age=lambda pid: lives[pid].created_at if pid in lives else hub.as_of,
        standing=lambda pid: "free" if pid not in lives else "retired" if lives[pid].redirect else "living",
    )
    assigned = {str(ref): pid for ref, pid in changes.assigned.items() if previous.get(str(ref)) != pid}
    now = {ref: pid for ref, pid in previous.items() if ref not in removed}
    now.update({str(ref): pid for ref, pid in changes.assigned.items()})
    causes = Causes(previous, now, constraints, News(news.changed, removed, news.decided))
    events = [LineageRow(e.profile_id, e.other_id or None, e.kind, causes.of(e)) for e in changes.events]
    identities.save_links(connection, assigned, removed, events, hub.as_of)
    lost = {previous[ref] for ref in (*assigned, *removed) if ref in previous}
    emptied = lost - identities.load_members(connection, lost).keys()
    survivors: dict[str, str | None] = dict.fromkeys(emptied)
    survivors.update({e.profile_id: e.other_id for e in changes.events if e.kind == "merged"})
    survivors = {pid: survivors[pid] for pid in emptied}
    identities.retire_empty(connection, survivors, hub.as_of)
    known = former_store.load_former(connection, {*previous.values(), *now.values()})
    links = former_links(previous, now, members, survivors, known, hub.today)
    former_store.save_former(connection, links, [pid for pid in survivors if survivors[pid]])
    contradictions.close_all(connection, removed, hub.as_of)
    outboxes.forget(connection, hub.destinations_of(removed))
    counts = {
        "edges": len(resolution.edges_added),
        "people": len(resolution.clusters),
        "moved": sum(ref in previous for ref in assigned),
    }
    return _Found(counts, {*assigned.values(), *(lost - emptied)}, changes)


def _degrees(connection: Connection, keys: Iterable[str]) -> dict[str, Degree]:
    return {key: Degree(records, names) for key, (records, names) in identities.degrees(connection, keys).items()}


def _edge(row: EdgeRow) -> Edge:
    return Edge(Ref.parse(row.left), Ref.parse(row.right), row.weight, row.probability, row.kind)
