"""Some customers first, and a plan that is carried out exactly or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from onevoice.errors import ConfigError, GuardStopped
from onevoice.pipeline.delivery.pilot import PARTS, part_of, pilot_of_names, pilot_of_share
from onevoice.pipeline.delivery.planfile import Fingerprint, hashed, insist, read_plan, write_plan

PLANNED = ("push", "verify")


def some_customers(bench: Any, count: int) -> None:
    for number in range(count):
        bench.shop.put("contacts", str(number), lastname=f"Ash{number}", email=f"a{number}@x.org")


def written_to(bench: Any) -> set[str]:
    return {key for stream, key, _ in bench.written() if stream == "contacts"}


def test_a_share_is_the_same_customers_each_time_and_a_larger_one_keeps_them(bench: Any) -> None:
    some_customers(bench, 40)
    bench.cycle(skip=PLANNED)
    found = list[set[str]]()
    for share in ("20%", "20%", "60%", "100%"):
        pilot = pilot_of_share(share)
        found.append({ref for system in ("hubspot", "salesforce") for ref in pilot.destinations(bench.hub(), system)})
    assert found[0] == found[1] < found[2] < found[3]
    assert len({ref for ref in found[3] if ref.startswith("hubspot/contacts/")}) == 40
    bench.cycle(pilot=pilot_of_share("20%"))
    assert written_to(bench) == {ref.rpartition("/")[2] for ref in found[0] if ref.startswith("hubspot/contacts/")}
    bench.cycle(pilot=pilot_of_share("20%"))
    assert written_to(bench) == set()
    bench.cycle()
    assert len(written_to(bench)) == 40 - len({ref for ref in found[0] if ref.startswith("hubspot/contacts/")})


def test_parts_are_dealt_evenly() -> None:
    tenth = sum(part_of(f"profile{number}") < PARTS // 10 for number in range(5000))
    assert 400 < tenth < 600


def test_named_customers_are_found_by_record_address_and_id_with_all_their_records(bench: Any) -> None:
    some_customers(bench, 4)
    bench.crm.put("Contact", "c0", LastName="Ash", Email="other@x.org")
    bench.shop.put("contacts", "3", email="ann.ash@gmail.com")
    bench.people.person = {"hubspot/contacts/0": "ann", "salesforce/Contact/c0": "ann"}
    bench.cycle(skip=PLANNED)
    named = pilot_of_names(["# who we are", "", "salesforce/Contact/c0", " A1@X.org ", "AnnAsh@gmail.com"])
    hub = bench.hub()
    assert named.destinations(hub, "salesforce") == {"salesforce/Contact/c0"}
    contacts = {ref for ref in named.destinations(hub, "hubspot") if "/contacts/" in ref}
    assert contacts == {f"hubspot/contacts/{key}" for key in "013"}


@pytest.mark.parametrize("text", ["5", "0%", "101%", "nan%", "-1%", "five%", "5%%"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no share"):
        pilot_of_share(text)


def test_keys_of_records_are_taken_to_the_letter() -> None:
    assert pilot_of_names(["till/cards/Ann@Home"]).names == {"till/cards/Ann@Home"}


def test_a_plan_is_readable_by_its_owner_only_also_in_a_file_that_was_there(bench: Any, tmp_path: Path) -> None:
    some_customers(bench, 2)
    bench.cycle(skip=PLANNED)
    path = tmp_path / "plan.json"
    path.write_text("what was there before, and longer than nothing")
    path.chmod(0o644)
    write_plan(bench.hub(), path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(json.loads(path.read_text())["writes"]) >= 2


def test_a_plan_holds_while_the_same_is_planned_and_no_longer(bench: Any, tmp_path: Path) -> None:
    some_customers(bench, 3)
    bench.cycle(skip=PLANNED)
    path = tmp_path / "plan.json"
    digest = write_plan(bench.hub(), path)
    agreed = read_plan(path)
    bench.cycle(skip=PLANNED)  # another hour, another stamp: the same plan
    insist(bench.hub(), agreed)
    bench.shop.put("contacts", "1", hs_email_optout="true")
    bench.shop.put("contacts", "9", email="new@x.org")
    bench.cycle(skip=PLANNED)
    with pytest.raises(GuardStopped, match=f"{digest}.*nothing was written") as caught:
        insist(bench.hub(), agreed)
    assert "x.org" not in str(caught.value)
    assert bench.written() == []


@pytest.mark.parametrize("edit", ["value", "record", "text", "list", "version", "missing"])
def test_a_plan_that_somebody_edited_is_refused(bench: Any, tmp_path: Path, edit: str) -> None:
    path = tmp_path / "plan.json"
    plan: dict[str, Any] = {"version": 1, "writes": {"hubspot/contacts/1": {"onevoice_tier": "gold"}}}
    some_customers(bench, 1)
    if edit == "value":
        bench.cycle(skip=PLANNED)
        write_plan(bench.hub(), path)
        plan = json.loads(path.read_text())
        next(iter(plan["writes"].values()))["onevoice_tier"] = "gold"
    changed = {"text": "{", "list": "[1]", "version": json.dumps({**plan, "version": 3, "hash": "x"})}
    if edit != "missing":
        path.write_text(changed.get(edit, json.dumps(plan)))
    refusal = GuardStopped if edit == "value" else ConfigError
    with pytest.raises(refusal, match=r"onevoice plan --out"):
        read_plan(path)


def shown(bench: Any, path: Path) -> Any:
    """A plan that was written to a file and read from it."""
    bench.cycle(skip=PLANNED)
    write_plan(bench.hub(), path)
    return read_plan(path)


def told(report: Any) -> str:
    assert report.exit_code == 4
    return str(report.stages["push"]["guard"].stopped)


def test_a_plan_of_another_store_is_refused(bench: Any, tmp_path: Path) -> None:
    some_customers(bench, 2)
    agreed = shown(bench, tmp_path / "plan.json")
    bench.database = f"sqlite:///{tmp_path / 'other.sqlite'}"
    bench.edited = True
    assert "made on another store" in told(bench.cycle(plan=agreed))
    assert bench.written() == []


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("config/hub.yaml", "irreversible_writes: true", "irreversible_writes: false"),
        (
            "config/hub.yaml",
            "    env_prefix: ONEVOICE_SALESFORCE\n    write: true",
            "    env_prefix: ONEVOICE_SALESFORCE",
        ),
        ("mappings/hubspot/contacts.yaml", "    onevoice_tier: {", "    onevoice_rank: {"),
    ],
)
def test_a_plan_made_under_another_configuration_is_refused(
    bench: Any, tmp_path: Path, file: str, old: str, new: str
) -> None:
    some_customers(bench, 2)
    agreed = shown(bench, tmp_path / "plan.json")
    bench.edit(file, old, new)
    assert "are others than when it was made" in told(bench.cycle(plan=agreed))
    assert bench.written() == []


def test_a_plan_of_which_something_was_delivered_meanwhile_is_refused(bench: Any, tmp_path: Path) -> None:
    some_customers(bench, 3)
    agreed = shown(bench, tmp_path / "plan.json")
    bench.cycle(records=1)
    bench.written()
    assert "1 fewer" in told(bench.cycle(plan=agreed))
    assert bench.written() == []


def test_an_edited_plan_with_a_hash_to_match_is_refused_where_something_else_is_planned(
    bench: Any, tmp_path: Path
) -> None:
    some_customers(bench, 1)
    path = tmp_path / "plan.json"
    shown(bench, path)
    plan = json.loads(path.read_text())
    plan["writes"]["hubspot/contacts/0"]["onevoice_tier"] = "gold"
    plan["hash"] = Fingerprint(plan["configuration"], hashed(plan["writes"])).plan
    path.write_text(json.dumps(plan))
    assert "1 with other values" in told(bench.cycle(plan=read_plan(path)))
    assert bench.written() == []


def test_another_stamp_alone_is_the_same_plan(bench: Any, tmp_path: Path) -> None:
    some_customers(bench, 2)
    path = tmp_path / "plan.json"
    agreed = shown(bench, path)
    assert "onevoice_decided_at" not in agreed["writes"]["hubspot/contacts/0"]
    assert bench.cycle(minutes=200, plan=agreed).exit_code == 0
    assert written_to(bench) == {"0", "1"}
    assert bench.cycle(plan=agreed).exit_code == 4  # once, not twice
