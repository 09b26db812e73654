"""What stewards are asked besides doubtful pairs, in which order, and what the history of a profile id tells."""

from __future__ import annotations

from typing import Any

import pytest

from onevoice.pipeline.resolution import steward
from onevoice.pipeline.resolution.history import history
from onevoice.pipeline.resolution.review import Impact, compare, queue

ANN = {"FirstName": "Ann", "LastName": "Ash", "Email": "ann.ash@posteo.net", "Birthdate": "1980-05-01"}
TOM = {"FirstName": "Tom", "LastName": "Reed", "Email": "tom.reed@posteo.net", "Birthdate": "1962-01-31"}
EVA = {"FirstName": "Eva", "LastName": "Lind", "Email": "eva.lind@posteo.net", "Birthdate": "1971-09-09"}
SIGNED = {"actor": "dana", "reason": "asked the customer"}
C1, C2, C3, C4, C5, C6 = (f"salesforce/Contact/c{number}" for number in range(1, 7))


def member(desk: Any, contact: str, number: str, tier: str = "Blue", points: int = 0) -> None:
    """Give a contact a card of the club, with a tier."""
    key = f"m-{contact}"
    enrolled = {"MemberStatus": "Active", "EnrollmentDate": "2020-01-01"}
    desk.bench.crm.put("LoyaltyProgramMember", key, ContactId=contact, MembershipNumber=number, **enrolled)
    desk.bench.crm.put("LoyaltyMemberTier", f"t-{contact}", LoyaltyMemberId=key, Name=tier, EffectiveDate="2020-01-01")


def twin(person: dict[str, Any], given: str) -> dict[str, Any]:
    return {**person, "FirstName": given}


def test_a_published_id_that_was_split_is_asked_about_until_somebody_answers(desk: Any) -> None:
    desk.contacts(c1=ANN, c2=ANN, c3=TOM)
    desk.run()
    assert desk.asked == set()
    desk.contacts(c2={**EVA, "Email": "new@posteo.net"})
    desk.run()
    assert desk.asked == {("split", C1, C2)}
    desk.contacts(c2={"MobilePhone": "07700 900123"}, c1={"MobilePhone": "07700 900456"})
    desk.run()
    [asked] = queue(desk.hub)
    assert asked.item.kind == "split"
    assert asked.profiles == tuple(sorted({desk.homes[C1], desk.homes[C2]}))
    steward.not_a_match(desk.hub, asked.item.id, **SIGNED)
    desk.run()
    assert desk.asked == set()


def test_a_split_that_mends_itself_is_asked_about_no_more(desk: Any) -> None:
    desk.contacts(c1=ANN, c2=ANN)
    desk.run()
    desk.contacts(c2=EVA)
    desk.run()
    assert desk.asked == {("split", C1, C2)}
    desk.contacts(c2=ANN)
    desk.run()
    assert desk.asked == set()


def test_a_split_that_a_steward_wanted_is_not_asked_about(desk: Any) -> None:
    desk.contacts(c1=ANN, c2=ANN)
    steward.split(desk.run(), C1, C2, **SIGNED)
    desk.run()
    assert desk.asked == set()


def test_two_loyalty_accounts_that_were_joined_are_asked_about(desk: Any) -> None:
    desk.contacts(c1=ANN, c2=ANN, c3=ANN)
    member(desk, "c1", "70000001")
    member(desk, "c2", "70000001")
    member(desk, "c3", "70000099")
    desk.run()
    assert desk.people == {frozenset((C1, C2, C3))}
    assert desk.asked == {("accounts", C1, C3)}
    confirmed = steward.merge(desk.hub, C1, C3, **SIGNED)
    desk.run()
    assert desk.asked == set()
    desk.contacts(c4=ANN)
    desk.run()
    assert desk.asked == set()
    steward.undo(desk.hub, confirmed.id, **SIGNED)
    desk.run()
    assert desk.asked == {("accounts", C1, C3)}
    steward.split(desk.hub, C1, C3, **SIGNED)
    desk.run()
    assert desk.homes[C1] != desk.homes[C3]
    assert not {kind for kind, _, _ in desk.asked} & {"accounts", "split"}


def test_two_loyalty_accounts_may_be_asked_about_before_they_are_joined(desk: Any) -> None:
    desk.bench.edit("config/identity.yaml", "max_given_names: 6", "max_given_names: 6\n  two_accounts: ask")
    desk.contacts(c1=ANN, c2=ANN, c3=ANN)
    member(desk, "c1", "70000001")
    member(desk, "c3", "70000099")
    desk.run()
    assert desk.homes[C1] != desk.homes[C3]
    [asked] = queue(desk.hub)
    assert (asked.item.kind, asked.item.reason) == ("guard", "one customer would hold two loyalty accounts")
    steward.merge(desk.hub, C1, C3, **SIGNED)
    desk.run()
    assert desk.people == {frozenset((C1, C2, C3))}
    assert desk.asked == set()


def test_what_costs_most_comes_first(desk: Any) -> None:
    desk.contacts(c1=EVA, c2=twin(EVA, "Mia"), c3=ANN, c4=twin(ANN, "Zoe"), c5=TOM, c6=twin(TOM, "Ian"))
    member(desk, "c3", "70000003", tier="Gold")
    member(desk, "c5", "70000005")
    desk.run()
    asked = queue(desk.hub)
    assert [(one.item.left, one.item.right) for one in asked] == [(C3, C4), (C5, C6), (C1, C2)]
    gold, blue, plain = (one.impact for one in asked)
    assert (gold.members, blue.members, plain.members) == (1, 1, 0)
    assert gold.tiers > blue.tiers >= plain.tiers == 0
    assert {one.channels for one in (gold, blue, plain)} == {1}
    assert blue.score == 5 * blue.members + 5 * blue.tiers + 2
    desk.bench.shop.put("contacts", "1", firstname="Eva", lastname="Lind", email=EVA["Email"])
    desk.contacts(c1={"HasOptedOutOfEmail": True, "SystemModstamp": "2026-11-20T10:00:00Z"})
    desk.run()
    first = queue(desk.hub)[0]
    assert (first.item.left, first.impact.contradictions > 0, first.impact.channels) == (C1, True, 2)


def test_impact_is_the_sum_that_the_help_tells() -> None:
    impact = Impact(contradictions=1, members=2, tiers=3, points=4000.0, spend=550.0, channels=6)
    assert impact.score == 10 * 1 + 5 * 2 + 5 * 3 + 4 + 5.5 + 2 * 6


def test_both_records_stand_side_by_side_with_what_speaks_for_and_against(desk: Any) -> None:
    desk.contacts(c1=ANN, c2=twin(ANN, "Zoe"))
    pair = compare(desk.run(), C1, C2)
    assert (pair.left.ref, pair.right.ref) == (C1, C2)
    assert (pair.left.customer["given_name"], pair.right.customer["given_name"]) == ("Ann", "Zoe")
    weights = {reason.field: reason.weight for reason in pair.reasons}
    assert weights["birth_date"] > 0 > weights["given_name"]
    assert [reason.sentence for reason in pair.reasons if reason.field == "veto"] == [
        "kept apart: the given names are clearly different"
    ]


def test_the_history_tells_what_happened_to_an_id_and_why(desk: Any) -> None:
    desk.contacts(c1=ANN, c2=TOM)
    desk.run()
    kept, lost = desk.homes[C1], desk.homes[C2]
    said = steward.merge(desk.hub, C1, C2, **SIGNED)
    desk.run()
    kept, lost = (kept, lost) if desk.homes[C1] == kept else (lost, kept)
    told = history(desk.hub, lost)
    assert told is not None
    assert (told.current, [(event.kind, event.other_id) for event in told.events]) == (
        kept,
        [("created", None), ("merged", kept)],
    )
    assert told.events[-1].cause == f"{C1} = {C2} by a steward's decision"
    assert [one.id for one in told.decisions] == [said.id]
    assert {(one.ref, one.name, one.profile_id) for one in told.records} == {
        (C1, "Ann Ash", kept),
        (C2, "Tom Reed", kept),
    }
    steward.undo(desk.hub, said.id, **SIGNED)
    desk.run()
    again = history(desk.hub, lost)
    assert again is not None
    assert again.current == lost
    assert [event.kind for event in again.events] == ["created", "merged", "restored"]
    assert again.events[-1].cause == f"a steward's decision on {C1} was withdrawn"


@pytest.mark.parametrize(
    ("change", "kind", "cause"),
    [
        ("match", "merged", f"{C1} = {C2}"),
        ("edit", "split", f"the evidence about {C2} changed"),
        ("delete", "split", f"{C2} was deleted"),
        ("decision", "split", f"{C1} is not {C2} by a steward's decision"),
    ],
)
def test_every_event_names_its_cause(desk: Any, change: str, kind: str, cause: str) -> None:
    if change == "match":
        desk.contacts(c1=ANN, c2=EVA)
        desk.run()
        desk.contacts(c2=ANN)
    elif change == "delete":  # c2 is all that ties the other two to each other
        phone, email = {"MobilePhone": "07700 900123"}, {"Email": ANN["Email"]}
        name = {"FirstName": "Ann", "LastName": "Ash"}
        desk.contacts(c1={**name, **email, "MailingPostalCode": "LS1 4AB"}, c2={**ANN, **phone}, c3={**name, **phone})
        desk.run()
        assert len(desk.people) == 1
        desk.bench.crm.delete("Contact", "c2")
    else:
        desk.contacts(c1=ANN, c2=ANN)
        desk.run()
        if change == "edit":
            desk.contacts(c2={**EVA, "Email": "new@posteo.net"})
        else:
            steward.split(desk.hub, C1, C2, **SIGNED)
    desk.run()
    told = history(desk.hub, desk.homes[C1])
    assert told is not None
    assert [(event.kind, event.cause) for event in told.events if event.kind == kind] == [(kind, cause)]


def test_nobody_ever_had_an_unknown_id(desk: Any) -> None:
    desk.contacts(c1=ANN)
    assert history(desk.run(), "0123456789abcdef0123") is None
