"""Resolve: changed customer records find their candidates, their person, and a profile id that lasts.

Only what changed and the components it touches are looked at. The outcome is the one a full run would have: the score
of a pair depends on its two records, on which of their values are shared by many, and on the shipped model; a value
that begins or ceases to be shared makes every record that holds it count as changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from identity import IdChanges, assign_ids, profile_id
from identity.uncollected import uncollected
from onevoice.model import Ref
from onevoice.pipeline.events import settle_events
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.report import Report
from onevoice.pipeline.resolution import whole_base
from onevoice.pipeline.resolution.asking import Outcome, questions
from onevoice.pipeline.resolution.causes import Causes, News
from onevoice.pipeline.resolution.comparing import Changes, note_changes, with_decided
from onevoice.pipeline.resolution.former import former_links
from onevoice.pipeline.resolution.neighbourhood import Neighbourhood, resolve_neighbourhood
from onevoice.store import Connection, contradictions, identities, outboxes, pages, runs, steward
from onevoice.store import former_links as former_store
from onevoice.store.identities import LineageRow
from onevoice.store.steward import Question


def resolve(hub: Hub) -> Report:
    """Give every touched customer record its profile, in one transaction."""
    with uncollected(), hub.store.begin() as connection:
        marked = pages.load_work(connection, "resolve")
        decided = pages.load_work(connection, steward.DECIDED)
        touched = identities.customers_touched(connection, {*marked, *decided})
        anew = runs.configured_anew(connection, "resolve", hub.versions["resolve"])
        if anew:
            touched.update(identities.all_customer_refs(connection))
        before = identities.load_links(connection, touched)
        if whole_base.pays(connection, len(touched)):
            changes, near = whole_base.resolve_everybody(hub, connection)
            changes = replace(changes, decided=frozenset(decided))
        else:
            changes = with_decided(connection, note_changes(hub, connection, touched, anew=anew), decided)
            near = resolve_neighbourhood(hub, connection, changes)
        counts = {"records": len(touched), "changed": len(changes.changed), "removed": len(changes.removed)}
        moved: set[str] = set()
        if near.refs or changes.removed:
            found = _store_outcome(hub, connection, changes, near)
            counts.update(found.counts)
            moved = found.profiles
            pages.mark_work(connection, {("plan", pid) for pid in moved})  # each record carries its profile's id
        settle_events(hub, connection)
        marks = {("unify", pid) for pid in {*before.values(), *moved}}
        pages.mark_work(connection, marks)
        pages.finish_work(connection, "resolve", marked)
        pages.finish_work(connection, steward.DECIDED, decided)
    return Report(counts)


@dataclass(frozen=True, slots=True)
class _Found:
    counts: Mapping[str, int]
    profiles: set[str]
    changes: IdChanges


def _store_outcome(hub: Hub, connection: Connection, changes: Changes, near: Neighbourhood) -> _Found:
    """Store who is who, and what is left to ask."""
    found = _store_people(hub, connection, near, changes)
    reached = {*near.refs, *changes.removed}
    asked_before = steward.open_items_on(connection, reached)
    standing = [
        Question(one.kind, one.left, one.right, one.weight, one.reason)
        for one in asked_before
        if one.left not in changes.removed and one.right not in changes.removed
    ]
    outcome = Outcome(near.clustering.clusters, near.clustering.review, found.changes.events, found.changes.assigned)
    asked = questions(outcome, near.cards, near.constraints, standing)
    steward.replace_questions(connection, asked_before, asked, hub.as_of)
    return replace(found, counts={**found.counts, "review": len(asked)})


def _store_people(
    hub: Hub,
    connection: Connection,
    near: Neighbourhood,
    news: Changes,
) -> _Found:
    """Assign profile ids, retire those that lost every record, and log what happened to each and why."""
    clustered = set(near.refs)
    removed = news.removed
    previous = identities.load_links(connection, {*clustered, *removed})
    members = identities.load_members(connection, set(previous.values()))
    lives = identities.load_lives(connection, {*previous.values(), *(profile_id(Ref.parse(ref)) for ref in clustered)})
    changes = assign_ids(
        {Ref.parse(ref): pid for ref, pid in previous.items()},
        near.clustering.clusters,
        age=lambda pid: lives[pid].created_at if pid in lives else hub.as_of,
        standing=lambda pid: "free" if pid not in lives else "retired" if lives[pid].redirect else "living",
    )
    assigned = {str(ref): pid for ref, pid in changes.assigned.items() if previous.get(str(ref)) != pid}
    now = {ref: pid for ref, pid in previous.items() if ref not in removed}
    now.update({str(ref): pid for ref, pid in changes.assigned.items()})
    causes = Causes(previous, now, near.constraints, News(news.changed, removed, news.decided))
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
        "edges": near.edges,
        "people": len(near.clustering.clusters),
        "moved": sum(ref in previous for ref in assigned),
    }
    return _Found(counts, {*assigned.values(), *(lost - emptied)}, changes)
