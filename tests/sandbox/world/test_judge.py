"""The judge: messages and causes, and that a hub that knows who is who can reach nought."""

from __future__ import annotations

from onevoice.sandbox.judge import Judge
from onevoice.sandbox.square import put_attribute
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


def test_before_any_push_nothing_is_blamed_on_identity(messages_of) -> None:
    assert {row["cause"] for row in messages_of(1, 5000)["summary"]["left"]} == {"not_identity"}


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
        and all(order.ref[0] == "till" for order in fresh.truth.of(("hubspot", "contacts", row["hs_object_id"])).orders)
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


def test_native_opt_outs_of_the_shop_and_the_sender_are_judged_by_their_addresses(fresh: World) -> None:
    profiles, customers = fresh.klaviyo.tables["profiles"], fresh.shopify.tables["customers"]

    def suppress(key: str) -> None:
        entry = {"reason": "USER_SUPPRESSED", "timestamp": "2026-11-22T09:00:00+00:00"}
        profiles.update(key, {"email_marketing": {**profiles.rows[key]["email_marketing"], "suppression": [entry]}})

    bounced = next(key for key, row in profiles.rows.items() if row["email"] and fresh.truth.is_dead(row["email"]))
    refused = next(key for key, row in profiles.rows.items() if row["email"] and fresh.truth.opted_out(row["email"]))
    suppress(refused)
    assert Judge(fresh).native_opt_outs() == {"wrong": 0, "set_by_api": 1}
    suppress(bounced)
    assert Judge(fresh).native_opt_outs() == {"wrong": 1, "set_by_api": 2}
    innocent = next(k for k, row in customers.rows.items() if row["email"] and not fresh.truth.opted_out(row["email"]))
    customers.update(innocent, {"emailMarketing": {"state": "UNSUBSCRIBED"}})
    assert Judge(fresh).native_opt_outs() == {"wrong": 2, "set_by_api": 3}
    customers.update(innocent, {"tags": ["vip"]})
    assert Judge(fresh).native_opt_outs() == {"wrong": 2, "set_by_api": 3}


def test_every_system_and_channel_sends(messages_of) -> None:
    rows = messages_of(1, 5000)["messages"]
    sent = {(row["system"], row["channel"], row["family"]) for row in rows}
    assert {(s, c) for s, c, _ in sent} == {
        ("salesforce", "email"),
        ("hubspot", "email"),
        ("shopify", "email"),
        ("square", "receipt"),
        ("klaviyo", "email"),
        ("klaviyo", "sms"),
    }
    assert {family for system, _, family in sent if system == "shopify"} == {"cart_reminder", "discount", "welcome"}
    assert {family for _, channel, family in sent if channel == "sms"} == {"discount", "cart_reminder"}
    assert {family for _, channel, family in sent if channel == "receipt"} == {"discount", "join"}
    assert {row["address_hash"] is None for row in rows if row["channel"] == "receipt"} == {True}
    named = {"points_balance", "points_expiry", "tier_perk"}
    assert all((row["shown"] is not None) == (row["family"] in named) for row in rows)


def test_of_two_birthday_mails_on_one_day_one_is_right(world_of) -> None:
    judge = Judge(world_of(1, 5000))
    mails: dict[int, list] = {}
    for entry in judge.today():
        if entry.message.family == "birthday":
            mails.setdefault(entry.person, []).append(entry)
    several = [own for own in mails.values() if len([e for e in own if e.wrong is None]) == 1 and len(own) > 1]
    assert several
    for own in mails.values():
        right = [entry.message.ref for entry in own if entry.wrong is None]
        assert len(right) <= 1
        doubled = [e.message.ref for e in own if e.wrong and right and e.wrong.carried_by == tuple(right)]
        assert all(right[0] < ref for ref in doubled)


def test_a_number_of_points_of_one_account_of_two_is_an_identity_miss(fresh: World, oracle_for) -> None:
    judge, oracle = Judge(fresh), oracle_for(fresh)
    oracle.push()
    person, facts = next(
        (person, facts)
        for person, facts in enumerate(fresh.truth.facts)
        if len(facts.accounts) == 2
        and facts.accounts[0].balance > 0
        and facts.accounts[1].balance != 0
        and any(_sends_points(judge, ref) for ref in fresh.truth.records_of[person])
    )
    ref = next(ref for ref in fresh.truth.records_of[person] if _sends_points(judge, ref))
    table = fresh.vendors[ref[0]].tables[ref[1]]
    shown = str(facts.accounts[0].balance)
    if ref[0] == "hubspot":
        table.update(ref[2], {"onevoice_points": shown}, actor="hand")
    else:
        table.update(ref[2], {"properties": {**table.rows[ref[2]]["properties"], "onevoice_points": shown}}, "hand")
    assert left(judge) == {("K6", "not_identity"): 1}
    put_attribute(fresh.square, facts.accounts[1].ref[2], "onevoice_profile_id", "another", actor="hand")
    assert left(judge) == {("K6", "identity_miss"): 1}


def _sends_points(judge: Judge, ref: tuple[str, str, str]) -> bool:
    return any(e.message.ref == ref and e.message.family == "points_balance" for e in judge.today())


def test_a_vendors_own_opt_out_stops_its_messages(fresh: World) -> None:
    judge = Judge(fresh)
    contacts = fresh.salesforce.tables["Contact"]
    record = next(entry.message.ref for entry in judge.today() if entry.message.ref[0] == "salesforce")
    contacts.update(record[2], {"HasOptedOutOfEmail": True}, actor="hand")
    assert record not in {entry.message.ref for entry in judge.today()}
