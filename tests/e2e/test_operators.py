"""What people do when something was stopped or refused, typed as they type it, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from onevoice.pipeline.views import partition

pytestmark = [pytest.mark.slow, pytest.mark.long]

SYSTEMS = ("hubspot", "klaviyo", "salesforce", "shopify", "square")
TIER = "onevoice_tier__c"


def written(here: Any) -> dict[str, int]:
    """Records written at each system since this was last asked, where there were any."""
    counts = {name: said["records_written"] for name, said in here.get("/calls").items()}
    here.post("/calls/reset")
    return {name: count for name, count in counts.items() if count}


def edit(here: Any, file: str, old: str, new: str) -> None:
    path = here.project / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def later(here: Any) -> tuple[str, str]:
    here.post("/clock", {"advance_seconds": 900})
    return "--as-of", here.now()


def test_one_system_over_its_share_stops_the_push_into_all(world: Callable[..., Any]) -> None:
    here = world(60, seed=31, limits=False)
    edit(here, "config/hub.yaml", "always_allowed: 100", "always_allowed: 5")
    here.provision()
    here.onevoice("sync", "--first", *later(here))
    assert set(written(here)) == set(SYSTEMS)

    ours = "onevoice_profile_id__c: {from: profile.id"
    edit(here, "mappings/salesforce/Contact.yaml", ours, f"{ours}, transform: upper")
    contact = next(iter(here.state()["hubspot"]["contacts"]))
    scribble(here, contact, "onevoice_profile_id", "scribbled")  # in HubSpot little has to be put right
    said = json.loads(here.onevoice("sync", "--json", *later(here), code=4))
    stopped = said["stages"]["push"]["guard"]["stopped"]
    assert "salesforce.Contact" in stopped
    assert "hubspot" not in stopped
    assert written(here) == {}

    plan = json.loads(here.onevoice("plan", "--json", *later(here)))
    assert [over["stream"] for over in plan["over_the_guard"]] == ["Contact"]
    assert here.onevoice("sync", "--approve", "0" * 16, *later(here), code=4) == ""
    assert written(here) == {}
    here.onevoice("approve", plan["hash"], "--reason", "ids in capitals")
    here.onevoice("sync", *later(here))
    counts = written(here)
    assert set(counts) == {"salesforce", "hubspot"}
    costs = {cost["system"]: cost["records"] for cost in plan["costs"]}
    assert counts == costs
    here.onevoice("sync", *later(here))
    assert written(here) == {}


def scribble(here: Any, contact: str, name: str, value: str) -> None:
    """Change a contact in HubSpot, as a person there would."""
    here.post("/field", {"system": "hubspot", "stream": "contacts", "key": contact, "field": name, "value": value})


def in_both(here: Any) -> tuple[str, str]:
    """A HubSpot contact and a Salesforce contact of one customer who has no other of either."""
    of: dict[str, dict[str, list[str]]] = {}
    for system, _, key, profile in partition(here.hub()):
        of.setdefault(profile, {}).setdefault(system, []).append(key)
    found = [known for _, known in sorted(of.items()) if len(known.get("hubspot", ())) == 1]
    known = next(known for known in found if len(known.get("salesforce", ())) == 1)
    return known["hubspot"][0], known["salesforce"][0]


def test_a_refused_value_is_edited_and_goes_through(world: Callable[..., Any]) -> None:
    here = world(60, seed=32, limits=False)
    edit(here, "mappings/salesforce/Contact.yaml", TIER + ": {from: status.club.tier}", TIER + ": {from: golden.city}")
    here.provision()
    here.onevoice("sync", "--first", *later(here))
    contact, crm = in_both(here)
    scribble(here, contact, "city", "Llanfair" * 40)  # more than Salesforce's field holds
    here.onevoice("sync", *later(here), code=3)
    ref = f"salesforce/Contact/{crm}"
    [entry] = json.loads(here.onevoice("quarantine", "list", "--json"))
    assert (entry["ref"], entry["stage"], entry["code"]) == (ref, "delivery", "STRING_TOO_LONG")
    [held] = json.loads(here.onevoice("quarantine", "show", ref, "--pii", "--json"))["held"]
    assert len(held["payload"][TIER]) == len("Llanfair") * 40
    written(here)

    here.onevoice("quarantine", "edit", ref, f"{TIER}=Llanfair", "--reason", "the short name")
    here.onevoice("sync", *later(here))
    assert here.state()["salesforce"]["Contact"][crm][TIER] == "Llanfair"
    assert json.loads(here.onevoice("quarantine", "list", "--json")) == []
    assert written(here) == {"salesforce": 1}
    here.onevoice("sync", *later(here))
    assert written(here) == {}


def test_what_a_missing_field_refused_is_tried_again_once_the_field_is_there(world: Callable[..., Any]) -> None:
    here = world(60, seed=33, limits=False)
    here.provision()
    here.onevoice("sync", "--first", *later(here))
    new = "    onevoice_no_welcome_until: {from: suppress.welcome, transform: date}\n"
    edit(here, "mappings/hubspot/contacts.yaml", "push:\n  fields:\n", f"push:\n  fields:\n{new}")
    here.onevoice("sync", *later(here), code=3)
    refused = json.loads(here.onevoice("quarantine", "list", "--system", "hubspot", "--json"))
    assert len(refused) > 1
    assert {(entry["stage"], entry["code"]) for entry in refused} == {("delivery", "PROPERTY_DOESNT_EXIST")}
    here.onevoice("provision")
    here.post("/calls/reset")
    here.onevoice("quarantine", "drop", refused[0]["ref"], "--reason", "a test account")
    here.onevoice("quarantine", "retry", "--code", "PROPERTY_DOESNT_EXIST")
    here.onevoice("sync", "--as-of", here.now())  # no time has passed: their back-off is not over
    assert written(here) == {"hubspot": len(refused) - 1}
    assert json.loads(here.onevoice("quarantine", "list", "--json")) == []
    dropped = refused[0]["ref"].rpartition("/")[2]
    assert "onevoice_no_welcome_until" not in here.state()["hubspot"]["contacts"][dropped]
