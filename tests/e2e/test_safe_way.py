"""The way the README leads real accounts: check, provision, plan, one field to ten records, everything."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onevoice.pipeline.views import partition

pytestmark = pytest.mark.long

SYSTEMS = ("hubspot", "klaviyo", "salesforce", "shopify", "square")
NOTHING = dict.fromkeys(SYSTEMS, 0)


def written(here: Any) -> dict[str, int]:
    """Records written at each system since this was last asked."""
    counts = {name: said["records_written"] for name, said in here.get("/calls").items()}
    here.post("/calls/reset")
    return counts


def test_the_safe_way(world: Callable[..., Any], checkout: Path) -> None:
    here = world(300, limits=False)  # more records than the guard always lets through
    onevoice, as_of = here.onevoice, ("--as-of", here.now())
    assert {row["failed"] for row in json.loads(onevoice("check", "--json"))} == {""}
    would = json.loads(onevoice("provision", "--dry-run", "--json"))
    assert len(would) >= 40
    assert all("would create" in sentence for sentence in would)
    assert len(json.loads(onevoice("provision", "--json"))) == len(would)
    assert json.loads(onevoice("provision", "--json")) == []
    here.post("/calls/reset")

    planned = json.loads(onevoice("plan", *as_of, "--json"))["planned"]
    irreversible = {(row["system"], row["field"]) for row in planned if row["irreversible"]}
    assert irreversible == {
        ("salesforce", "HasOptedOutOfEmail"),
        ("hubspot", "10001"),
        ("shopify", "defaultEmailAddress.marketingState"),
        ("klaviyo", "email_suppressed"),
    }
    assert written(here) == NOTHING

    [pilot] = re.findall(r"`onevoice (sync --system [^`]+)`", (checkout / "README.md").read_text("utf-8"))
    onevoice(*pilot.split(), *as_of)
    assert written(here) == {**NOTHING, "hubspot": 10}
    held = [
        {name for name in row if name.startswith("onevoice_")} for row in here.state()["hubspot"]["contacts"].values()
    ]
    assert sorted(map(len, held))[-11:] == [0] + [1] * 10
    assert set().union(*held) == {"onevoice_profile_id"}

    onevoice("sync", *as_of, code=4)
    assert written(here) == NOTHING
    onevoice("sync", "--first", *as_of)
    everybody = {row["system"]: row["records"] for row in planned if "profile_id" in row["field"]}
    assert set(everybody) == set(SYSTEMS)
    counts = written(here)
    assert counts["salesforce"] == everybody["salesforce"]
    assert all(counts[system] >= everybody[system] for system in SYSTEMS)
    assert json.loads(onevoice("contradictions", "--json"))["rows"] == []


Record = tuple[str, str, str]
"""(system, table, record id)."""
OWN = {
    ("salesforce", "Contact"): ("onevoice_profile_id__c",),
    ("hubspot", "contacts"): ("onevoice_profile_id",),
    ("shopify", "customers"): ("metafields", "onevoice.profile_id", "value"),
    ("square", "customers"): ("custom_attributes", "onevoice_profile_id", "value"),
    ("klaviyo", "profiles"): ("properties", "onevoice_profile_id"),
}
"""Where a customer record of each system carries the profile's id."""


def customers(state: dict[str, Any]) -> dict[Record, dict[str, Any]]:
    """Every customer record. Who is on a list of HubSpot's stands on the contact."""
    listed = {row["name"]: set(row.get("members", ())) for row in state["hubspot"]["lists"].values()}
    return {
        (system, table, key): {**row, **{name: True for name, members in listed.items() if key in members}}
        for system, table in OWN
        for key, row in state[system][table].items()
    }


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[Record]:
    """Customer records that differ."""
    old, new = customers(before), customers(after)
    return {record for record, row in new.items() if row != old[record]}


def owners(state: dict[str, Any]) -> dict[Record, str]:
    """The profile ids that stand on the records."""
    found = {}
    for record, row in customers(state).items():
        value: Any = row
        for name in OWN[record[:2]]:
            value = value.get(name, {}) if isinstance(value, dict) else {}
        if value:
            found[record] = str(value)
    return found


def named_in_three_ways(here: Any, file: Path) -> set[str]:
    """Name three customers in a file: by profile id, by a record, by an address nobody else has."""
    state = here.state()
    of = {(system, stream, key): profile for system, stream, key, profile in partition(here.hub())}
    one, *others = sorted(set(of.values()))
    by_record = next(record for record, profile in sorted(of.items()) if profile == others[0])
    at: dict[str, set[str]] = {}
    for record, row in customers(state).items():
        address = next((row[name] for name in ("Email", "email", "email_address") if row.get(name)), "")
        at.setdefault(address.lower(), set()).add(of[record])
    address, alone = next(
        (a, ids) for a, ids in sorted(at.items()) if a and len(ids) == 1 and not ids & {one, others[0]}
    )
    file.write_text(f"# staff\n{one}\n\n{'/'.join(by_record)}\n{address.upper()}\n", "utf-8")
    return {one, others[0], *alone}


def test_pilot_then_exactly_the_plan(world: Callable[..., Any], tmp_path: Path) -> None:
    here = world(300, seed=19, limits=False)
    hub_yaml = here.project / "config/hub.yaml"
    hub_yaml.write_text(hub_yaml.read_text("utf-8").replace("always_allowed: 100", "always_allowed: 10"), "utf-8")
    here.provision()
    here.post("/clock", {"advance_seconds": 1800})
    as_of = ("--as-of", here.now())
    here.onevoice("plan", *as_of)
    untouched = here.state()
    staff = tmp_path / "staff.txt"
    steps = [(named_in_three_ways(here, staff), staff), (set(), "10%"), (set(), "30%")]
    shares, before = [], untouched
    for names, pilot in steps:
        here.onevoice("sync", "--pilot", str(pilot), *as_of)
        after = here.state()
        shares.append((before, after, set(owners(after).values())))
        assert names <= shares[-1][2]
        before = after
    here.post("/calls/reset")

    here.onevoice("sync", *as_of, code=4)  # most customers are still to be written: that waits for a person
    assert written(here) == NOTHING
    file = tmp_path / "plan.json"
    here.onevoice("plan", "--out", str(file), *as_of)
    text = file.read_text("utf-8")
    file.write_text(text.replace('"silver"', '"gold"', 1), "utf-8")
    here.onevoice("sync", "--plan", str(file), *as_of, code=4)
    file.write_text(text, "utf-8")
    here.post("/edits", {"count": 3, "seed": 19})
    here.post("/clock", {"advance_seconds": 900})
    as_of = ("--as-of", here.now())
    here.onevoice("sync", "--plan", str(file), *as_of, code=4)
    assert written(here) == NOTHING

    here.onevoice("plan", "--out", str(file), *as_of)
    plan = json.loads(file.read_text("utf-8"))["writes"]
    before = here.state()
    here.onevoice("sync", "--plan", str(file), *as_of)
    whole = here.state()
    assert faults(plan, before, whole) == []
    assert json.loads(here.onevoice("plan", "--json", *as_of))["planned"] == []

    of = owners(whole)
    everybody = set(of.values())
    assert len(of) == len(customers(whole))
    for (before, after, inside), least, most in zip(shares, (0, 0.05, 0.22), (0.02, 0.16, 0.38), strict=True):
        assert least * len(everybody) <= len(inside) <= most * len(everybody)
        assert {of[record] for record in changed(before, after)} == inside - set(owners(before).values())
    assert shares[0][2] < shares[1][2] < shares[2][2] < everybody


def faults(plan: dict[str, dict[str, Any]], before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Where what was done is not what was planned."""
    rows = customers(after)
    of_address = {row.get("email", "").lower(): record for record, row in rows.items() if record[0] == "klaviyo"}
    found, touched = [], set()
    for ref, fields in plan.items():
        system, stream, key = ref.split("/", 2)
        record = {
            "lists": (system, "contacts", key),
            "suppressions": of_address.get(key.lower(), (system, stream, key)),
        }.get(stream, (system, stream, key))
        touched.add(record)
        for name, value in fields.items():
            if record in rows and not holds(rows[record], name, value):
                found.append(f"{ref}: {name} is not {value}")
    contacts = {r for r in rows if r[:2] == ("hubspot", "contacts")}
    told = {key.lower() for system, table, key in touched if (system, table) == ("hubspot", "subscriptions")}
    touched |= {record for record in contacts if rows[record].get("email", "").lower() in told}
    return found + [f"{record}: changed" for record in changed(before, after) - touched]


def holds(row: dict[str, Any], name: str, value: Any) -> bool:
    """Whether a record holds what was planned for a field."""
    head, _, rest = name.partition(".")
    there = {
        "metafields": lambda: row.get(head, {}).get(rest, {}).get("value"),
        "custom_attributes": lambda: row.get(head, {}).get(rest, {}).get("value"),
        "properties": lambda: row.get(head, {}).get(rest),
        "tagged": lambda: rest in row.get("tags", ()),
        "in_group": lambda: bool(row.get("group_ids")),
        "defaultEmailAddress": lambda: row["emailMarketing"]["state"],
        "email_suppressed": lambda: bool(row["email_marketing"].get("suppression")),
    }.get(head, lambda: row.get(name))()
    return _said(there) == _said(value)


def _said(value: Any) -> str:
    nothing = value is None or value is False or value == ""
    return "" if nothing else str(value).lower().removesuffix(".0")
