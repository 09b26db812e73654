"""Stewards' decisions on a real store, with the shipped resolver: applied, kept over re-runs, taken back, refused."""

from __future__ import annotations

from typing import Any

import pytest

from onevoice.errors import DecisionRefused
from onevoice.pipeline.resolution import steward
from onevoice.pipeline.resolution.review import question, queue
from onevoice.store import steward as steward_store
from onevoice.store.steward import Question

ANN = {"FirstName": "Ann", "LastName": "Ash", "Email": "ann.ash@posteo.net", "Birthdate": "1980-05-01"}
TOM = {"FirstName": "Tom", "LastName": "Reed", "Email": "tom.reed@posteo.net", "Birthdate": "1962-01-31"}
EVA = {"FirstName": "Eva", "LastName": "Lind", "Email": "eva.lind@posteo.net", "Birthdate": "1971-09-09"}
TWIN = {**ANN, "FirstName": "Zoe", "MobilePhone": "07700 900123"}
SIGNED = {"actor": "dana", "reason": "asked the customer"}
C1, C2, C3, C4 = (f"salesforce/Contact/c{number}" for number in (1, 2, 3, 4))


def alone(*refs: str) -> set[frozenset[str]]:
    return {frozenset((ref,)) for ref in refs}


def test_a_merge_is_applied_kept_and_taken_back(desk: Any) -> None:
    desk.contacts(c1=ANN, c2=TOM)
    desk.run()
    before = desk.homes
    assert desk.people == alone(C1, C2)
    said = steward.merge(desk.hub, C2, C1, **SIGNED)
    assert (said.left, said.right, said.same, said.actor, said.in_force) == (C1, C2, True, "dana", True)
    desk.run()
    assert desk.people == {frozenset((C1, C2))}
    assert {desk.current(profile_id) for profile_id in before.values()} == set(desk.homes.values())
    desk.contacts(c2={"LastName": "Read"})
    desk.run()
    assert desk.people == {frozenset((C1, C2))}
    withdrawn = steward.undo(desk.hub, said.id, actor="eli", reason="wrong person")
    assert (withdrawn.withdrawn_by, withdrawn.withdrawn_reason) == ("eli", "wrong person")
    assert (withdrawn.actor, withdrawn.reason, withdrawn.at) == (said.actor, said.reason, said.at)
    desk.run()
    assert desk.homes == before


def test_a_split_is_applied_kept_and_taken_back(desk: Any) -> None:
    desk.contacts(c1=ANN, c2=ANN)
    desk.run()
    assert desk.people == {frozenset((C1, C2))}
    published = desk.homes[C1]
    said = steward.split(desk.hub, C1, C2, **SIGNED)
    desk.run()
    assert desk.people == alone(C1, C2)
    assert desk.homes[C1] == published
    second = desk.homes[C2]
    desk.contacts(c2={"MobilePhone": "07700 900123"})
    desk.run()
    assert desk.people == alone(C1, C2)
    assert desk.asked == set()
    steward.undo(desk.hub, said.id, **SIGNED)
    desk.run()
    assert set(desk.homes.values()) == {published}
    assert desk.current(second) == published


def test_a_merge_against_a_veto_takes_along_what_either_was_joined_with(desk: Any) -> None:
    ben = {**ANN, "FirstName": "Benjamin"}
    desk.contacts(c1={**ANN, "FirstName": "Ben"}, c2=ben, c3=TWIN)
    desk.run()
    assert desk.people == {frozenset((C1, C2)), frozenset((C3,))}
    said = steward.merge(desk.hub, C1, C3, **SIGNED)
    desk.contacts(c4={**TWIN, "MailingPostalCode": "LS1 4AB"})
    desk.run()
    assert desk.people == {frozenset((C1, C2, C3, C4))}
    assert desk.asked == set()
    steward.undo(desk.hub, said.id, **SIGNED)
    desk.run()
    assert desk.people == {frozenset((C1, C2)), frozenset((C3, C4))}


def test_a_new_record_does_not_join_what_a_steward_parted(desk: Any) -> None:
    desk.contacts(c1=ANN, c2=ANN)
    steward.split(desk.run(), C1, C2, **SIGNED)
    desk.contacts(c3=ANN)
    desk.run()
    assert {C1, C2, C3} not in desk.people
    assert desk.homes[C1] != desk.homes[C2]


def test_a_full_run_ends_where_the_small_ones_did(desk: Any) -> None:
    desk.contacts(c1=ANN, c2=ANN, c3=TOM, c4=TWIN)
    desk.run()
    steward.split(desk.hub, C1, C2, **SIGNED)
    steward.merge(desk.hub, C2, C3, **SIGNED)
    desk.run()
    small = (desk.people, desk.asked, desk.homes)
    assert frozenset((C2, C3)) in small[0]
    assert [kind for kind, _, _ in small[1]] == ["veto"] * len(small[1])
    desk.bench.edit("config/identity.yaml", "max_records: 60", "max_records: 61")
    desk.run()
    assert (desk.people, desk.asked, desk.homes) == small


def test_a_decision_outlives_its_record_and_holds_again_when_it_comes_back(desk: Any) -> None:
    desk.contacts(c1=ANN, c2=TOM, c3=EVA)
    desk.run()
    before = desk.homes
    steward.merge(desk.hub, C1, C2, **SIGNED)
    steward.merge(desk.hub, C1, C3, **SIGNED)
    desk.run()
    assert desk.people == {frozenset((C1, C2, C3))}
    desk.bench.crm.delete("Contact", "c1")
    desk.run()
    assert desk.people == alone(C2, C3)  # nothing else had tied them to each other
    assert desk.current(before[C1]) in desk.homes.values()
    desk.contacts(c1=ANN)
    desk.run()
    assert desk.people == {frozenset((C1, C2, C3))}
    assert [said.in_force for said in steward.decisions(desk.hub)] == [True, True]


def test_decisions_that_contradict_are_refused_and_named(desk: Any) -> None:
    desk.contacts(c1=ANN, c2=TOM, c3=EVA)
    desk.run()
    first = steward.merge(desk.hub, C1, C2, **SIGNED)
    second = steward.merge(desk.hub, C2, C3, **SIGNED)
    for left, right, against in ((C1, C2, [first.id]), (C3, C1, [first.id, second.id])):
        with pytest.raises(DecisionRefused, match="belong together") as refused:
            steward.split(desk.hub, left, right, **SIGNED)
        assert sorted(refused.value.against) == against
    steward.undo(desk.hub, second.id, **SIGNED)
    apart = steward.split(desk.hub, C3, C1, **SIGNED)
    with pytest.raises(DecisionRefused, match=f"decision {apart.id} says that they belong apart") as refused:
        steward.merge(desk.hub, C2, C3, **SIGNED)
    assert refused.value.against == (apart.id,)
    with pytest.raises(DecisionRefused, match=f"decision {first.id} says so already"):
        steward.merge(desk.hub, C2, C1, **SIGNED)
    desk.run()
    assert desk.people == {frozenset((C1, C2)), frozenset((C3,))}


def test_decisions_that_contradict_all_the_same_are_asked_about(desk: Any) -> None:
    desk.contacts(c1=ANN, c2=TOM, c3=EVA)
    desk.run()
    steward.merge(desk.hub, C1, C2, **SIGNED)
    steward.merge(desk.hub, C2, C3, **SIGNED)
    with desk.hub.store.begin() as connection:  # as two stewards do at one moment on a database of many writers
        last = steward_store.add_decision(connection, (C1, C3), same=False, at=desk.hub.as_of, **SIGNED)
    desk.run()
    assert desk.people == {frozenset((C1, C2, C3))}
    assert desk.asked == {("contradiction", C1, C3)}
    steward.undo(desk.hub, last.id, **SIGNED)
    desk.run()
    assert desk.asked == set()


def test_decisions_about_nobody_or_about_nothing_are_refused(desk: Any) -> None:
    desk.contacts(c1=ANN, c2=ANN)
    hub = desk.run()
    for decide in (steward.merge, steward.split):
        with pytest.raises(DecisionRefused, match="salesforce/Contact/c9: no customer record"):
            decide(hub, C1, "salesforce/Contact/c9", **SIGNED)
        with pytest.raises(DecisionRefused, match="one person with itself"):
            decide(hub, C1, C1, **SIGNED)
    with pytest.raises(DecisionRefused, match=f"both are in profile {desk.homes[C1]} already"):
        steward.merge(hub, C1, C2, **SIGNED)
    with pytest.raises(DecisionRefused, match="needs an actor and a reason"):
        steward.split(hub, C1, C2, actor="dana", reason="  ")
    with pytest.raises(DecisionRefused, match="review item 7: there is none"):
        steward.not_a_match(hub, 7, **SIGNED)
    with pytest.raises(DecisionRefused, match="decision 7: there is none"):
        steward.undo(hub, 7, **SIGNED)
    said = steward.split(hub, C1, C2, **SIGNED)
    steward.undo(hub, said.id, **SIGNED)
    with pytest.raises(DecisionRefused, match="dana has withdrawn it already"):
        steward.undo(hub, said.id, **SIGNED)
    assert [one.id for one in steward.decisions(hub)] == [said.id]


def test_labels_are_the_decisions_in_force(desk: Any) -> None:
    desk.contacts(c1=ANN, c2=ANN, c3=TOM, c4=EVA)
    hub = desk.run()
    steward.split(hub, C2, C1, **SIGNED)
    steward.merge(hub, C4, C3, **SIGNED)
    steward.undo(hub, steward.merge(hub, C1, C3, **SIGNED).id, **SIGNED)
    with hub.store.read() as connection:
        assert steward.labels(connection) == [(C1, C2, False), (C3, C4, True)]


def test_a_question_keeps_its_number_and_time_until_it_is_answered(desk: Any) -> None:
    desk.contacts(c1=ANN, c2=TWIN)
    desk.run()
    [first] = queue(desk.hub)
    assert (first.item.kind, first.item.left, first.item.right) == ("veto", C1, C2)
    desk.contacts(c2={"MobilePhone": "07700 900456"}, c3=EVA)
    desk.run()
    [again] = queue(desk.hub)
    assert (again.item.id, again.item.opened_at) == (first.item.id, first.item.opened_at)
    said = steward.not_a_match(desk.hub, again.item.id, **SIGNED)
    answered, pair = question(desk.hub, again.item.id)
    assert (answered.answer, answered.closed_at) == (said.id, said.at)
    assert [one.id for one in pair.decisions] == [said.id]
    assert queue(desk.hub) == []
    with pytest.raises(DecisionRefused, match=f"it is closed already, by decision {said.id}"):
        steward.not_a_match(desk.hub, again.item.id, **SIGNED)
    desk.contacts(c2={"MobilePhone": "07700 900789"})
    desk.run()
    assert queue(desk.hub) == []
    steward.undo(desk.hub, said.id, **SIGNED)
    desk.run()
    [reopened] = queue(desk.hub)
    assert (reopened.item.id, reopened.item.opened_at) == (first.item.id, first.item.opened_at)


def test_a_question_is_answered_whichever_record_it_names_first(desk: Any) -> None:
    """Records sort by system, stream and key; their texts may sort the other way round (crm-eu before crm)."""
    desk.contacts(c1=ANN, c2=ANN)
    hub = desk.run()
    with hub.store.begin() as connection:
        asked = Question("accounts", C2, C1, 0.0, "one customer holds two loyalty accounts")
        steward_store.replace_questions(connection, [], [asked], hub.as_of)
    said = steward.merge(hub, C1, C2, **SIGNED)
    assert queue(hub) == []
    assert question(hub, 1)[0].answer == said.id


def test_a_question_is_closed_when_the_evidence_is_gone(desk: Any) -> None:
    desk.contacts(c1=ANN, c2=TWIN)
    [asked] = queue(desk.run())
    desk.bench.crm.delete("Contact", "c2")
    desk.run()
    assert queue(desk.hub) == []
    with pytest.raises(DecisionRefused, match="because the evidence is another now"):
        steward.not_a_match(desk.hub, asked.item.id, **SIGNED)
