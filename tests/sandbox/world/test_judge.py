"""The judge: messages and causes, and that a hub that knows who is who can reach nought."""

from __future__ import annotations

from onevoice.sandbox.judge import Judge
from onevoice.sandbox.world import World


def left(judge: Judge) -> dict[tuple[str, str], int]:
    return {(row["class"], row["cause"]): row["count"] for row in judge.messages()["summary"]["left"]}


def test_true_identities_leave_no_contradiction_and_suppress_nothing_in_vain(fresh: World, oracle_for) -> None:
    judge, oracle = Judge(fresh), oracle_for(fresh)
    allowed = set(judge.allowed())
    assert judge.messages()["summary"]["contradictory"] > 150
    assert oracle.push() > 1000
    after = judge.messages()["summary"]
    assert (after["contradictory"], after["left"]) == (0, [])
    assert set(judge.allowed()) >= allowed
    assert judge.native_opt_outs()["set_by_api"] > 10
    assert judge.native_opt_outs()["wrong"] == 0
    assert oracle.push() == 0


def test_before_any_push_nothing_is_blamed_on_identity(world_of) -> None:
    judge = Judge(world_of(1, 5000))
    assert {cause for _, cause in left(judge)} == {"not_identity"}


def test_split_identities_are_misses_and_mixed_ones_mix_ups(fresh: World, oracle_for) -> None:
    judge, oracle = Judge(fresh), oracle_for(fresh)
    oracle.push()
    victim = next(
        ref
        for ref, person in fresh.truth.person_of.items()
        if ref[0] == "hubspot"
        and any(m.status == "Active" for m in fresh.truth.facts[person].memberships)
        and not fresh.truth.facts[person].opt_outs
        and not any(c.closed is None for c in fresh.truth.facts[person].complaints)
        and fresh.hubspot.tables["contacts"].rows[ref[2]]["email"]
        and not fresh.truth.opted_out(fresh.hubspot.tables["contacts"].rows[ref[2]]["email"])
    )
    contacts = fresh.hubspot.tables["contacts"]
    told = {"loyalty_member": "false", "onevoice_no_join_until": ""}
    contacts.update(victim[2], {**told, "onevoice_profile_id": "another"}, actor="hand")
    assert left(judge) == {("K1", "identity_miss"): 1}
    own = f"p{fresh.truth.person_of[victim]}"
    contacts.update(victim[2], {"onevoice_profile_id": own}, actor="hand")
    assert left(judge) == {("K1", "not_identity"): 1}
    stranger = next(ref for ref, person in fresh.truth.person_of.items() if ref[0] == "till" and f"p{person}" != own)
    judge.assigned[stranger] = own
    assert left(judge) == {("K1", "identity_mixup"): 1}


def test_an_unknown_till_record_is_no_excuse_and_a_posted_one_is(fresh: World, oracle_for) -> None:
    judge, oracle = Judge(fresh), oracle_for(fresh)
    oracle.push()
    row = next(
        row
        for row in fresh.hubspot.tables["contacts"].rows.values()
        if row["web_orders"] in {"", "0"}
        and row.get("onevoice_no_first_order_until")
        and not row.get("onevoice_no_discount_until")
        and row["email"]
    )
    key = row["hs_object_id"]
    fresh.hubspot.tables["contacts"].update(key, {"onevoice_no_first_order_until": ""}, actor="hand")
    assert left(judge) == {("K16", "not_identity"): 1}
    person = fresh.truth.person_of["hubspot", "contacts", key]
    for order in fresh.truth.facts[person].orders:
        judge.assigned[order.ref] = "somebody else"
    assert left(judge) == {("K16", "identity_miss"): 1}


def test_an_opt_out_set_on_an_address_of_nobody_is_wrong(fresh: World) -> None:
    contacts = fresh.salesforce.tables["Contact"]
    innocent = next(
        key for key, row in contacts.rows.items() if row["Email"] and not fresh.truth.opted_out(row["Email"])
    )
    contacts.update(innocent, {"HasOptedOutOfEmail": True})
    fresh.hubspot.tables["subscriptions"].insert({"status": "NOT_SUBSCRIBED"}, key="nobody@example.org")
    assert Judge(fresh).native_opt_outs() == {"wrong": 2, "set_by_api": 2}


def test_a_vendors_own_opt_out_stops_its_messages(fresh: World) -> None:
    judge = Judge(fresh)
    contacts = fresh.salesforce.tables["Contact"]
    record = next(entry.message.ref for entry in judge.today() if entry.message.ref[0] == "salesforce")
    contacts.update(record[2], {"HasOptedOutOfEmail": True}, actor="hand")
    assert record not in {entry.message.ref for entry in judge.today()}
