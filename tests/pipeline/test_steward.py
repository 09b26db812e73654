"""Stewards' decisions on a real store, with the shipped resolver: applied, kept over re-runs, taken back, reported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from onevoice.errors import DecisionRefused
from onevoice.pipeline import steward
from onevoice.store import identities, pages
from onevoice.store import steward as steward_store

ANN = {"FirstName": "Ann", "LastName": "Ash", "Email": "ann.ash@posteo.net", "Birthdate": "1980-05-01"}
SIGNED = {"actor": "dana", "reason": "asked the customer"}
C1, C2, C3 = (f"salesforce/Contact/c{number}" for number in (1, 2, 3))
LOCAL = ("pull", "resolve", "unify", "decide", "plan")


@pytest.fixture
def hub(bench: Any) -> Any:
    """A bench with the resolver that is shipped."""
    bench.people = None
    return bench


def run(hub: Any, **options: Any) -> Any:
    """One cycle without writing; the hub as it is then."""
    hub.cycle(skip=("push", "verify"), **options)
    return hub.hubs[-1]


def profile_of(hub: Any) -> Callable[[str], str | None]:
    with hub.hubs[-1].store.read() as connection:
        links = dict(identities.all_links(connection))
    return links.get


def people(hub: Any) -> set[frozenset[str]]:
    """The partition: who is one person."""
    with hub.hubs[-1].store.read() as connection:
        links = identities.all_links(connection)
    found: dict[str, set[str]] = {}
    for ref, profile_id in links:
        found.setdefault(profile_id, set()).add(ref)
    return {frozenset(refs) for refs in found.values()}


def asked(hub: Any) -> list[tuple[str, str, str]]:
    with hub.hubs[-1].store.read() as connection:
        return [(item.kind, item.left, item.right) for item in steward_store.open_items(connection)]


def contacts(hub: Any, **fields: dict[str, Any]) -> None:
    for key, held in fields.items():
        hub.crm.put("Contact", key, **held)


def test_a_merge_is_applied_kept_and_taken_back(hub: Any) -> None:
    contacts(hub, c1=ANN, c2={"FirstName": "Tom", "LastName": "Reed", "Birthdate": "1962-01-31"})
    opened = run(hub)
    before = {ref: profile_of(hub)(ref) for ref in (C1, C2)}
    assert before[C1] != before[C2]
    said = steward.merge(opened, C2, C1, **SIGNED)
    assert (said.left, said.right, said.same, said.actor, said.in_force) == (C1, C2, True, "dana", True)
    run(hub)
    assert people(hub) == {frozenset((C1, C2))}
    contacts(hub, c2={"LastName": "Read"})
    run(hub)
    assert people(hub) == {frozenset((C1, C2))}
    withdrawn = steward.undo(run(hub), said.id, actor="eli", reason="wrong person")
    assert (withdrawn.withdrawn_by, withdrawn.withdrawn_reason) == ("eli", "wrong person")
    assert (withdrawn.actor, withdrawn.reason) == ("dana", "asked the customer")
    run(hub)
    assert {ref: profile_of(hub)(ref) for ref in (C1, C2)} == before
