"""A push that changes much stops before anything is written anywhere, until somebody approves its very writes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from onevoice.errors import GuardStopped
from onevoice.pipeline.delivery.guard import approve, excesses
from onevoice.pipeline.delivery.planfile import fingerprint
from onevoice.store import acts, approvals

PLANNED = ("push", "verify")


@pytest.fixture
def many(bench: Any) -> Any:
    """Six contacts and six of the CRM, where two records a stream are always allowed."""
    bench.edit("config/hub.yaml", "always_allowed: 100", "always_allowed: 2")
    for number in range(6):
        bench.shop.put("contacts", str(number), lastname=f"Ash{number}", email=f"a{number}@x.org")
        bench.crm.put("Contact", f"c{number}", LastName=f"Elm{number}", Email=f"e{number}@x.org")
    return bench


def stopped(report: Any) -> str:
    """What the guard said; a push that was not stopped fails here."""
    assert report.exit_code == 4
    [(name, said)] = [(name, job.stopped) for name, job in report.stages["push"].items()]
    assert name == "guard"
    return str(said)


def test_no_system_is_written_where_one_is_over_its_share(many: Any) -> None:
    many.cycle(first=True)
    many.written()
    many.shop.put("contacts", "1", hs_email_optout="true")  # HubSpot alone: nearly nothing; Salesforce: nearly all
    for number in range(6):
        many.crm.put("Contact", f"c{number}", onevoice_profile_id__c="scribbled")
    said = stopped(many.cycle(first=False))
    assert "salesforce.Contact: 6 of 6 records would change" in said
    assert "hubspot.contacts" not in said
    assert "No system was written to" in said
    assert many.written() == []


def test_every_stream_over_its_share_is_named_at_once(many: Any) -> None:
    said = stopped(many.cycle(first=False))
    assert "salesforce.Contact: 6 of 6" in said
    assert "hubspot.contacts: 6 of 6" in said
    assert "x.org" not in said
    assert many.written() == []
    assert many.cycle(first=True).exit_code == 0
    assert {stream for stream, _, _ in many.written()} >= {"contacts", "Contact"}


def test_only_systems_of_the_run_count(many: Any) -> None:
    many.cycle(first=True, systems=frozenset({"hubspot"}))
    assert {stream for stream, _, _ in many.written()} == {"contacts"}
    many.shop.put("contacts", "1", onevoice_profile_id="scribbled")
    report = many.cycle(first=False, systems=frozenset({"hubspot"}))
    assert report.exit_code == 0
    assert [key for _, key, _ in many.written()] == ["1"]
    assert "salesforce.Contact" in stopped(many.cycle(first=False))


def hash_in(said: str) -> str:
    return str(re.findall(r"onevoice approve ([0-9a-f]{16})", said)[0])


def test_an_approved_plan_is_written_and_the_approval_ends_with_it(many: Any) -> None:
    plan = hash_in(stopped(many.cycle(first=False)))
    assert approve(many.hub(), plan, "ann", "seen") == 12
    assert many.cycle(first=False).exit_code == 0
    assert len(many.written()) == 12
    assert many.cycle(first=False).exit_code == 0  # quiet: nothing needs the approval any more
    with many.hubs[-1].store.read() as connection:
        assert approvals.standing(connection) == []
        [given] = acts.of(connection, plan)
    assert (given.act, given.actor, given.reason, given.detail) == ("approve", "ann", "seen", {"writes": 12})


def test_an_approval_outlives_a_vendor_that_is_down(many: Any) -> None:
    approve(many.hub(), hash_in(stopped(many.cycle(first=False))), "ann")
    many.crm.refuse = lambda _stream, _write: True
    many.cycle(first=False)
    assert {stream for stream, _, _ in many.written()} == {"contacts"}
    many.crm.refuse = lambda _stream, _write: False
    assert many.cycle(minutes=60, first=False).exit_code == 0
    assert {stream for stream, _, _ in many.written()} == {"Contact"}


def test_what_is_planned_beside_an_approved_plan_still_counts(many: Any) -> None:
    approve(many.hub(), hash_in(stopped(many.cycle(first=False))), "ann")
    many.shop.put("contacts", "7", lastname="Oak", email="new@x.org")  # one more: the guard allows so few
    assert many.cycle(first=False).exit_code == 0
    assert len(many.written()) == 13
    for number in range(6):
        many.crm.put("Contact", f"c{number}", onevoice_profile_id__c="scribbled")
    assert "6 of 6" in stopped(many.cycle(first=False))  # the same records: what was approved is done
    assert many.written() == []


def test_an_approved_write_whose_values_have_changed_is_not_approved(many: Any) -> None:
    approve(many.hub(), hash_in(stopped(many.cycle(first=False))), "ann")
    for number in range(6):
        many.shop.put("contacts", str(number), hs_email_optout_10001="true")
    said = stopped(many.cycle(first=False))
    assert "hubspot.contacts: 6 of 6" in said
    assert "salesforce" not in said.partition(":")[0]
    assert many.written() == []


@pytest.mark.parametrize("change", ["plan", "configuration"])
def test_an_approval_is_of_one_plan_under_one_configuration(many: Any, change: str) -> None:
    plan = hash_in(stopped(many.cycle(first=False)))
    if change == "plan":
        many.shop.put("contacts", "9", lastname="Oak", email="new@x.org")
        many.cycle(skip=PLANNED)
        with pytest.raises(
            GuardStopped, match=f"approve {plan}: this is not what is planned now.*nothing was approved"
        ):
            approve(many.hub(), plan, "ann")
    else:
        approve(many.hub(), plan, "ann")
        many.edit("config/hub.yaml", "irreversible_writes: true", "irreversible_writes: false")
        assert "6 of 6" in stopped(many.cycle(first=False))
    assert many.written() == []


def test_the_hash_of_a_plan_is_that_of_what_it_says_and_not_of_when(many: Any) -> None:
    many.cycle(skip=PLANNED)
    before = fingerprint(many.hub()).plan
    many.now += timedelta(hours=3)
    many.cycle(skip=PLANNED)
    assert fingerprint(many.hub()).plan == before
    assert [(one.system, one.stream, one.planned, one.total) for one in excesses(many.hub())] == [
        ("hubspot", "contacts", 6, 6),
        ("salesforce", "Contact", 6, 6),
    ]
