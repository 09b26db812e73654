"""Proof of a contradiction: what it stands on, and the match without which it would not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from identity import Cluster, Clustering, Constraint, Degree, Edge, NormalisedRecord, ReviewItem
from onevoice.model import Item, Ref
from onevoice.pipeline.proofs.audit import Evidenced, evidenced
from onevoice.pipeline.proofs.proof import ABSENT, Basis
from onevoice.pipeline.proofs.witnesses import PROVEN_BY_ITEMS, witnesses
from onevoice.policy import FACTS, Ground

ANN = {"firstname": "Ann", "lastname": "Ash", "email": "ann.ash@posteo.net"}
CONTACT = {"FirstName": "Ann", "LastName": "Ash", "Email": "ann.ash@posteo.net", "Birthdate": "1980-05-01"}
COMPLAINT = {"Type": "Complaint", "IsClosed": False, "CreatedDate": "2026-11-20T08:00:00Z"}
CONTACTS = {name: f"salesforce/Contact/{name}" for name in ("c1", "c2")} | {"1": "hubspot/contacts/1"}


@dataclass
class Linked:
    """Identities as edges that the test writes down: (left, right) -> how sure; what they connect is one person."""

    links: Mapping[tuple[str, str], float]
    kind: str = "score"
    review: Sequence[tuple[str, str, str]] = ()
    """(left, right, why) that a steward is asked about."""

    def edges(
        self,
        pairs: Iterable[tuple[NormalisedRecord, NormalisedRecord]],
        degrees: Callable[[Collection[str]], Mapping[str, Degree]],
    ) -> list[Edge]:
        ends = {pair: sorted(map(Ref.parse, pair)) for pair in self.links}
        return [Edge(*ends[pair], 10.0 * sure, sure, self.kind) for pair, sure in self.links.items()]

    def cluster(
        self, records: Mapping[Ref, NormalisedRecord], edges: Sequence[Edge], constraints: Sequence[Constraint]
    ) -> Clustering:
        group = {ref: {ref} for ref in records}
        for edge in edges:
            for ref in (joined := group[edge.left] | group[edge.right]):
                group[ref] = joined
        clusters = {min(refs): Cluster(frozenset(refs)) for refs in group.values()}
        asked = [ReviewItem("grey", Ref.parse(one), Ref.parse(other), 0.0, why) for one, other, why in self.review]
        return Clustering(tuple(clusters.values()), tuple(asked))


def audited(bench: Any, people: Linked) -> Callable[..., Evidenced]:
    """Read everything, write nothing; then look for one finding by its record and family."""
    bench.people, bench.edited = people, True
    cycle = bench.cycle(skip=("push", "verify"))
    assert cycle.exit_code == 0, [report.failed for report in cycle.stages["pull"].values()]
    assert bench.written() == []
    found = {(one.ref, one.finding.family): one for one in evidenced(bench.hubs[-1])}
    return lambda ref, family: found[ref, family]


def about(bench: Any, *, complaint: str = "c1") -> None:
    """Ann in two systems, with an open complaint on one of her contacts at the service."""
    bench.crm.put("Contact", "c1", **CONTACT)
    bench.crm.put("Contact", "c2", **CONTACT)
    bench.shop.put("contacts", "1", **ANN)
    bench.crm.put("Case", f"k-{complaint}", ContactId=complaint, **COMPLAINT)


def test_it_rests_on_the_match_that_ties_the_proof_to_the_messaged_record(bench: Any) -> None:
    about(bench)
    proof = audited(bench, Linked({(CONTACTS["1"], CONTACTS["c1"]): 0.8}))("hubspot/contacts/1", "first_order").proof
    assert proof.because == "A complaint is open."
    assert proof.basis is Basis.MATCH
    [case] = proof.records
    assert (case.ref, case.customer, case.facts) == ("salesforce/Case/k-c1", CONTACTS["c1"], ("open_complaint",))
    assert case.values["kind"] == "complaint"
    assert proof.weakest is not None
    assert proof.weakest.probability == 0.8
    assert proof.doubts == ("The match is only 80% sure.",)


def test_a_surer_way_round_is_the_one_that_counts(bench: Any) -> None:
    about(bench)
    one, direct, between = CONTACTS["1"], CONTACTS["c1"], CONTACTS["c2"]
    proof = audited(bench, Linked({(one, direct): 0.8, (one, between): 0.999, (direct, between): 0.995}))(
        one, "first_order"
    ).proof
    assert proof.weakest is not None
    assert proof.weakest.probability == 0.995
    assert [link.probability for link in proof.records[0].chain.links] == [0.999, 0.995]
    assert proof.doubts == ()


def test_what_is_proved_twice_stands_on_the_surer_proof(bench: Any) -> None:
    about(bench)
    bench.crm.put("Case", "k-c2", ContactId="c2", **COMPLAINT)
    one = CONTACTS["1"]
    proof = audited(bench, Linked({(one, CONTACTS["c1"]): 0.8, (one, CONTACTS["c2"]): 0.9999}))(
        one, "first_order"
    ).proof
    assert [record.ref for record in proof.records] == ["salesforce/Case/k-c2"]
    assert proof.doubts == ()


def test_what_the_messaged_record_itself_shows_needs_no_match(bench: Any) -> None:
    about(bench)
    proof = audited(bench, Linked({(CONTACTS["1"], CONTACTS["c1"]): 0.8}))(CONTACTS["c1"], "discount").proof
    assert (proof.basis, proof.weakest, proof.doubts) == (Basis.RECORD, None, ())


def test_an_address_that_opted_out_needs_no_match(bench: Any) -> None:
    bench.shop.put("contacts", "1", **ANN)
    bench.crm.put("Contact", "c1", HasOptedOutOfEmail=True, SystemModstamp="2026-11-20T10:00:00Z", **CONTACT)
    found = audited(bench, Linked({}))("hubspot/contacts/1", "newsletter")
    assert (found.proof.basis, found.proof.weakest, found.proof.doubts) == (Basis.ADDRESS, None, ())
    [said] = found.proof.records
    assert (said.ref, said.values["contact_point"]) == (CONTACTS["c1"], "ann.ash@posteo.net")
    assert found.proof.because.startswith("Somebody opted out on this very address or number on ")
    assert said.ref in found.read


def test_a_campaign_that_picks_is_told_from_one_that_sends_to_all(bench: Any) -> None:
    about(bench)
    look = audited(bench, Linked({(CONTACTS["1"], CONTACTS["c1"]): 0.999}))
    assert look("hubspot/contacts/1", "discount").finding.picked
    assert not look("hubspot/contacts/1", "first_order").finding.picked


def test_what_stands_on_nothing_known_says_so(bench: Any) -> None:
    bench.shop.put("contacts", "1", loyalty_tier="gold", **ANN)
    proof = audited(bench, Linked({}))("hubspot/contacts/1", "tier_perk").proof
    assert (proof.basis, proof.records, proof.doubts) == (Basis.ABSENCE, (), (ABSENT,))


def test_somebody_who_may_be_the_same_and_would_make_it_right_is_a_doubt(bench: Any) -> None:
    bench.shop.put("contacts", "1", loyalty_tier="gold", **ANN)
    bench.crm.put("Contact", "c1", **CONTACT)
    bench.crm.put("LoyaltyProgramMember", "m1", ContactId="c1", MemberStatus="Active", EnrollmentDate="2020-01-01")
    bench.crm.put("LoyaltyMemberTier", "t1", LoyaltyMemberId="m1", Name="Gold", EffectiveDate="2020-01-01")
    asked = [(CONTACTS["1"], CONTACTS["c1"], "the evidence is neither clear nor weak")]
    proof = audited(bench, Linked({}, review=asked))("hubspot/contacts/1", "tier_perk").proof
    first, second = proof.doubts
    assert first.endswith("would make the message right (the evidence is neither clear nor weak).")
    assert second == ABSENT


def test_who_has_no_membership_of_their_own_is_seen_to_be_invited(bench: Any) -> None:
    bench.crm.put("Contact", "c1", **CONTACT)
    bench.crm.put("Contact", "c2", **CONTACT)
    bench.crm.put("LoyaltyProgramMember", "m1", ContactId="c1", MemberStatus="Active", EnrollmentDate="2020-01-01")
    found = audited(bench, Linked({(CONTACTS["c1"], CONTACTS["c2"]): 0.999}))(CONTACTS["c2"], "join")
    assert found.finding.ground is Ground.RULE
    assert [record.ref for record in found.proof.records] == ["salesforce/LoyaltyProgramMember/m1"]


@pytest.mark.parametrize(("elsewhere", "doubted"), [(None, False), ("40", True)])
def test_a_wrong_sum_is_doubtful_when_somebody_alike_has_what_is_missing(
    wide: Any, elsewhere: str | None, doubted: bool
) -> None:
    tills = wide.others["square"]
    wide.shop.put("contacts", "1", loyalty_points="100", **ANN)
    wide.crm.put("Contact", "c1", **CONTACT)
    wide.crm.put("LoyaltyProgramMember", "m1", ContactId="c1", MemberStatus="Active", EnrollmentDate="2020-01-01")
    wide.crm.put("LoyaltyMemberCurrency", "b1", Name="Points", LoyaltyMemberId="m1", PointsBalance=7)
    for key, balance in {"s1": "60", "s2": elsewhere}.items():
        tills.put("customers", key, given_name="Ann", family_name="Ash")
        if balance:
            account = {"customer_id": key, "balance": int(balance), "program_id": "p", "id": f"a-{key}"}
            tills.put("loyalty_accounts", f"a-{key}", **account)
    same = {("hubspot/contacts/1", "square/customers/s1"): 0.999, ("hubspot/contacts/1", CONTACTS["c1"]): 0.999}
    proof = audited(wide, Linked(same, kind="link:email"))("hubspot/contacts/1", "points_balance").proof
    assert proof.because == "The message says 100, and 60 is right."
    assert {record.ref for record in proof.records} == {"square/loyalty_accounts/a-s1"}, "a copy proves nothing"
    assert bool(proof.doubts) is doubted


def test_every_fact_has_its_witnesses() -> None:
    """Golden fields and consent are proved in another way."""
    otherwise = {"as_of", "age", "birth_date", "country", "email_denied", "sms_denied"}
    assert FACTS.keys() - otherwise == PROVEN_BY_ITEMS
    assert all(witnesses(fact, [], {}) == [] for fact in FACTS)


def test_a_cart_that_the_shop_closed_proves_that_it_was_bought() -> None:
    closed = Item(
        Ref("shop", "carts", "1"), "cart", {"abandoned_at": "2026-11-21T08:00:00Z", "closed_at": "2026-11-21T09:00:00Z"}
    )
    assert witnesses("bought_cart_on", [closed], {"bought_cart_on": "2026-11-21"}) == [closed]
    assert witnesses("open_cart_on", [closed], {}) == []
