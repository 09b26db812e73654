"""Gates of the shipped systems against their campaigns as the business describes them, and how raw values are read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onevoice.configfile.offers_file import OffersFile
from onevoice.configfile.suppression_file import SuppressionFile
from onevoice.model import FieldType
from onevoice.policy import Policy
from onevoice.policy.gates import compile_gates
from onevoice.policy.raw import read_raw

TODAY = date(2026, 11, 22)
Raw = dict[str, Any]
FAMILIES = ("join", "discount", "first_order", "win_back", "cart_reminder", "tier_perk", "birthday", "newsletter")

near = st.sampled_from([-400, -181, -180, -121, -120, -8, -7, -1, 0, 1, 6, 7]).map(lambda n: TODAY + timedelta(days=n))
absent = st.sampled_from([None, ""])
dates = near.map(str)
moments = st.tuples(near, st.sampled_from(["00:00:00Z", "12:30:00.500Z", "23:59:59+00:00"])).map(
    lambda t: f"{t[0]}T{t[1]}"
)
flags = st.sampled_from([None, "", "true", "false"])
stops = absent | st.sampled_from(["2026-11-21", "2026-11-22", "9999-12-31"])
birthdays = absent | st.sampled_from(["1980-11-22", "1992-11-28", "1992-11-29", "1980-11-21", "1984-02-29"])
statuses = st.sampled_from(["Active", "Pending", "Suspended", "Inactive", "Merged"])

contacts = st.fixed_dictionaries(
    {
        "Email": st.sampled_from([None, "", "a@x.org"]),
        "HasOptedOutOfEmail": st.booleans(),
        "Birthdate": birthdays,
        "Last_Purchase_Date__c": absent | dates,
        **{f"onevoice_no_{family}_until__c": stops for family in FAMILIES},
        "related:LoyaltyProgramMember": st.lists(st.fixed_dictionaries({"MemberStatus": statuses}), max_size=2),
        "related:LoyaltyMemberTier": st.lists(
            st.fixed_dictionaries(
                {
                    "Name": st.sampled_from(["Blue", "Silver", "Gold"]),
                    "EffectiveDate": st.sampled_from(["2025-01-01", "2026-01-01"]),
                    "LoyaltyProgramMember.MemberStatus": statuses,
                }
            ),
            max_size=2,
            unique_by=lambda tier: tier["EffectiveDate"],
        ),
    }
)
portal_contacts = st.fixed_dictionaries(
    {
        "email": st.sampled_from([None, "", "a@x.org"]),
        "hs_email_optout": flags,
        "hs_email_optout_10001": flags,
        "loyalty_member": flags,
        "loyalty_tier": st.sampled_from([None, "", "blue", "silver", "gold"]),
        "web_orders": st.sampled_from([None, "", "0", "1", "12"]),
        "web_last_order_at": absent | moments,
        "web_last_order_category": st.sampled_from([None, "", "shoes", "hats"]),
        "cart_abandoned_at": absent | moments,
        "cart_category": st.sampled_from(["shoes", "hats"]),
        "date_of_birth": birthdays,
        **{f"onevoice_no_{family}_until": stops for family in FAMILIES},
        "list:onevoice_no_newsletter": st.booleans(),
    }
)


def day(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None


def older_than(text: str | None, days: int) -> bool:
    known = day(text)
    return known is not None and (TODAY - known).days > days


def birthday_soon(text: str | None) -> bool:
    known = day(text)
    soon = {(d.month, d.day) for d in (TODAY + timedelta(days=n) for n in range(7))}
    return known is not None and (known.month, known.day) in soon


def salesforce_sends(raw: Raw) -> set[str]:
    if not raw["Email"] or raw["HasOptedOutOfEmail"]:
        return set()
    known = {member["MemberStatus"] for member in raw["related:LoyaltyProgramMember"]}
    perks = [
        tier
        for tier in raw["related:LoyaltyMemberTier"]
        if tier["Name"] in {"Silver", "Gold"} and tier["LoyaltyProgramMember.MemberStatus"] == "Active"
    ]
    campaigns = {
        "join": not known & {"Active", "Pending", "Suspended", "Inactive"},
        "discount": True,
        "win_back": older_than(raw["Last_Purchase_Date__c"], 180),
        "tier_perk": bool(perks),
        "birthday": birthday_soon(raw["Birthdate"]),
        "newsletter": True,
    }
    return {f for f, chosen in campaigns.items() if chosen and (raw[f"onevoice_no_{f}_until__c"] or "") < str(TODAY)}


def hubspot_sends(raw: Raw) -> set[str]:
    if not raw["email"] or "true" in {raw["hs_email_optout"], raw["hs_email_optout_10001"]}:
        return set()
    left, ordered = raw["cart_abandoned_at"], raw["web_last_order_at"]
    closed = (
        left
        and ordered
        and raw["web_last_order_category"] == raw["cart_category"]
        and datetime.fromisoformat(ordered) > datetime.fromisoformat(left)
    )
    left_on = day(left)
    campaigns = {
        "join": raw["loyalty_member"] != "true",
        "discount": True,
        "first_order": raw["web_orders"] in {None, "", "0"},
        "win_back": older_than(ordered, 120),
        "cart_reminder": left_on is not None and (TODAY - left_on).days <= 7 and not closed,
        "tier_perk": raw["loyalty_tier"] in {"silver", "gold"},
        "birthday": birthday_soon(raw["date_of_birth"]),
    }
    sends = {f for f, chosen in campaigns.items() if chosen and (raw[f"onevoice_no_{f}_until"] or "") < str(TODAY)}
    return sends if raw["list:onevoice_no_newsletter"] else {*sends, "newsletter"}


def open_gates(policy: Policy, system: str, stream: str, raw: Raw) -> set[str]:
    return {family for (family, _), gate in policy.gates(system, stream).items() if gate.open(raw, TODAY)}


@settings(max_examples=300, deadline=None)
@given(raw=contacts)
def test_salesforce_sends_what_its_gates_say(policy: Policy, raw: Raw) -> None:
    assert open_gates(policy, "salesforce", "Contact", raw) == salesforce_sends(raw)


@settings(max_examples=300, deadline=None)
@given(raw=portal_contacts)
def test_hubspot_sends_what_its_gates_say(policy: Policy, raw: Raw) -> None:
    assert open_gates(policy, "hubspot", "contacts", raw) == hubspot_sends(raw)


def test_both_descriptions_can_disagree(policy: Policy) -> None:
    """A guard of the two tests above: each family is sent by some record and not by another."""
    raw = {"email": "a@x.org", "web_orders": "0", "list:onevoice_no_newsletter": False}
    assert open_gates(policy, "hubspot", "contacts", raw) == {"join", "discount", "first_order", "newsletter"}
    assert open_gates(policy, "hubspot", "contacts", {}) == set()


def test_related_records_that_are_not_known_open_nothing(policy: Policy) -> None:
    raw = {"Email": "a@x.org", "HasOptedOutOfEmail": False}
    assert open_gates(policy, "salesforce", "Contact", raw) == {"discount", "newsletter"}


def test_a_perk_shows_our_tier_or_else_the_latest_of_the_system(policy: Policy) -> None:
    tiers = [
        {"Name": "Gold", "EffectiveDate": "2024-01-01", "LoyaltyProgramMember.MemberStatus": "Active"},
        {"Name": "Silver", "EffectiveDate": "2026-01-01", "LoyaltyProgramMember.MemberStatus": "Active"},
        {"Name": "Gold", "EffectiveDate": "2026-06-01", "LoyaltyProgramMember.MemberStatus": "Merged"},
    ]
    reader = policy.reader("salesforce", "Contact")
    claim = policy.gates("salesforce", "Contact")["tier_perk", "email"].claims["tier"]
    assert reader is not None
    assert claim(reader.typed({"related:LoyaltyMemberTier": tiers}, TODAY)) == "silver"
    assert claim(reader.typed({"related:LoyaltyMemberTier": tiers, "onevoice_tier__c": "Gold"}, TODAY)) == "gold"


def test_the_fields_gates_look_at_are_named_per_stream(policy: Policy) -> None:
    assert policy.gate_fields("salesforce", "LoyaltyMemberTier") == {"Name", "EffectiveDate"}
    assert policy.gate_fields("salesforce", "LoyaltyProgramMember") == {"MemberStatus"}
    assert "HasOptedOutOfEmail" in policy.gate_fields("salesforce", "Contact")
    assert not any(name.startswith("list:") for name in policy.gate_fields("hubspot", "contacts"))
    assert policy.gate_fields("till", "cards") == frozenset()
    assert policy.gates("till", "cards") == {}


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("boolean", "true", True),
        ("boolean", "False", False),
        ("boolean", True, True),
        ("boolean", "yes", None),
        ("boolean", "", None),
        ("integer", "3", 3),
        ("integer", "3.0", 3),
        ("integer", 3.0, 3),
        ("integer", "3.5", None),
        ("integer", "many", None),
        ("integer", "9" * 30, None),
        ("integer", True, None),
        ("decimal", "12.50", Decimal("12.50")),
        ("decimal", "NaN", None),
        ("date", "2026-11-22", date(2026, 11, 22)),
        ("date", "2026-11-22T23:00:00-05:00", date(2026, 11, 23)),
        ("date", "1795305600000", date(2026, 11, 22)),
        ("date", "22/11/2026", None),
        ("datetime", "2026-11-22T09:00:00.000+0000", datetime(2026, 11, 22, 9, tzinfo=UTC)),
        ("datetime", "2026-11-22T09:00:00Z", datetime(2026, 11, 22, 9, tzinfo=UTC)),
        ("datetime", "2026-11-22T09:00:00", datetime(2026, 11, 22, 9, tzinfo=UTC)),
        ("datetime", "soon", None),
        ("text", "", None),
        ("text", 7, "7"),
        ("text", ["a"], None),
        ("text", None, None),
    ],
)
def test_raw_values_are_read_as_their_type_or_not_at_all(kind: str, raw: Any, value: Any) -> None:
    found = read_raw(FieldType(kind), raw)
    assert (type(found), found) == (type(value), value)


def broken(change: Callable[[dict[str, Any]], None], offers: OffersFile, suppression: SuppressionFile) -> list[str]:
    written = offers.model_dump(by_alias=True)
    change(written)
    _, faults = compile_gates(OffersFile.model_validate(written), suppression)
    return [f"{'.'.join(map(str, fault.path))}: {fault.message}" for fault in faults]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda f: f["gates"][0].update(reaches="Emial IS NOT NULL"),
            'gates.0.reaches: "Emial" is not known here, did you',
        ),
        (lambda f: f["gates"][0]["sends"][0].update(when="now() > 1"), "gates.0.sends.0.when: the function now"),
        (lambda f: f["gates"][0]["sends"][0].update(stopped_by="Email"), "gates.0.sends.0.stopped_by: "),
        (lambda f: f["gates"][0]["sends"][0].update(shows={"teir": "Email"}), "gates.0.sends.0.shows.teir: "),
        (lambda f: f["gates"][0]["sends"][0].update(shows={"country": "Email"}), "does not say what a wrong country"),
        (lambda f: f["gates"][0]["sends"][0].update(shows={"tier": "Birthdate"}), "this is a date where a text"),
        (lambda f: f["gates"][0]["related"]["perk_tier"].update(value="Nmae"), "gates.0.related.perk_tier.value: "),
        (
            lambda f: f["gates"][0]["related"]["perk_tier"].update(newest_by="Name"),
            "gates.0.related.perk_tier.newest_by: ",
        ),
        (
            lambda f: f["gates"][0]["related"]["perk_tier"].update(where="Email = 'x'"),
            "gates.0.related.perk_tier.where: ",
        ),
        (lambda f: f["gates"][0]["related"].update(Email=f["gates"][0]["related"]["perk_tier"]), "is also a field"),
        (lambda f: f["gates"][0]["contact_point"].update(fax="Email"), "gates.0.contact_point.fax: "),
        (lambda f: f["gates"][0]["contact_point"].update(email="Mail"), "gates.0.contact_point.email: "),
        (
            lambda f: f["gates"][0]["sends"].append(f["gates"][0]["sends"][0]),
            "gates.0.sends.6.family: join by email is",
        ),
        (lambda f: f["gates"].append(f["gates"][0]), "stream: this stream has gates already"),
    ],
)
def test_a_gate_that_cannot_work_is_a_fault(
    change: Callable[[dict[str, Any]], None], says: str, offers: OffersFile, suppression: SuppressionFile
) -> None:
    faults = broken(change, offers, suppression)
    assert [fault for fault in faults if says in fault], faults
