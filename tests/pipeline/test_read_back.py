"""Read back: a vendor's own spelling is left alone; whatever else stands there is told and put right."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from onevoice.pipeline.delivery import verify
from onevoice.protocols import Record, Write
from onevoice.store import contradictions

TIER, POINTS = "onevoice_tier__c", "onevoice_points__c"


def member(bench, tier: str = "Gold") -> None:
    bench.crm.put("Contact", "c1", FirstName="Ana", Email="ana@example.org", SystemModstamp="2026-11-22T09:00:00Z")
    bench.crm.put("LoyaltyProgramMember", "m1", ContactId="c1", MembershipNumber="1", MemberStatus="Active")
    bench.crm.put("LoyaltyMemberTier", "t1", LoyaltyMemberId="m1", Name=tier, EffectiveDate="2026-01-01")


@pytest.mark.parametrize(
    ("sent", "seen", "same"),
    [
        ("GOLD", "gold", True),
        ("gold", " Gold ", True),
        ("99.6", "100", True),
        ("99.6", "99", True),
        ("1234.567", "1234.57", True),
        ("100", "101", False),
        ("100", "99.5", False),
        ("gold", "silver", False),
        ("2026-01-01", "2026-01-02", False),
        ("0", None, False),
        (None, "0", False),
        (None, None, True),
    ],
)
def test_a_vendors_own_spelling_says_the_same(sent, seen, same):
    assert verify._says(sent, seen) is same


def test_a_vendor_that_rewrites_values_is_not_written_to_again_when_its_form_was_read_before_the_answer(bench):
    """The process died between the vendor's answer and the read-back: the pull meets the vendor's form first."""
    member(bench)

    def in_capitals(stream: str, writes: Sequence[Write]) -> None:
        for write in writes:
            if TIER in write.fields:
                bench.crm.put(stream, write.key, **{TIER: str(write.fields[TIER]).upper()})

    bench.crm.after_write = in_capitals
    bench.cycle(skip=("verify",))
    bench.cycle()
    bench.cycle()
    assert bench.crm.held("Contact", "c1")[TIER] == "GOLD"
    assert bench.quiet()


@pytest.mark.parametrize(("field", "edit"), [(TIER, "blue"), (POINTS, 7)])
def test_an_edit_between_the_write_and_its_read_back_is_put_right(bench, field, edit):
    """Of a field that was written, and of one that was not."""
    member(bench)
    bench.crm.after_write = lambda stream, writes: bench.crm.put(stream, "c1", **{field: edit})
    bench.cycle()
    bench.crm.after_write = lambda _stream, _writes: None
    bench.now += timedelta(days=1)  # fields that go back and forth within a day are left alone
    bench.cycle()
    assert bench.crm.held("Contact", "c1").get(field) == {TIER: "gold"}.get(field)
    assert bench.quiet()


def test_an_opt_out_that_was_made_once_is_looked_for_before_it_is_made_again(bench):
    """An old copy of the contact does not show it yet; the address itself does."""
    contact = {"firstname": "Ana", "email": "ana@example.org", "lastmodifieddate": "2026-11-22T09:00:00Z"}
    bench.shop.put("contacts", "1", **contact)
    bench.crm.put("Contact", "c1", FirstName="Ana", Email="ana@example.org", HasOptedOutOfEmail=True)
    flag = "hs_email_optout_10001"

    def hide(stream: str, writes: Sequence[Write]) -> None:
        if stream == "subscriptions":
            bench.shop.records[stream][writes[0].key] = (bench.shop.number, {"10001": "UNSUBSCRIBED"}, False)
            bench.shop.put("contacts", "1", **{flag: None})

    bench.shop.after_write = hide
    bench.cycle()
    assert [stream for stream, _, _ in bench.written()].count("subscriptions") == 1
    bench.cycle()
    assert [stream for stream, _, _ in bench.written()].count("subscriptions") == 0


def test_what_the_hub_wrote_itself_is_no_drift_after_an_old_copy_had_hidden_it(bench, monkeypatch):
    member(bench)
    bench.cycle()
    bench.cycle()
    old = copy.deepcopy(bench.crm.records["Contact"])
    bench.crm.put("LoyaltyMemberTier", "t1", Name="Silver")
    fetch = bench.crm.fetch

    def fetch_old(stream: str, keys: Sequence[str], fields: Sequence[str]) -> Iterator[Record]:
        with pytest.MonkeyPatch.context() as patched:
            patched.setitem(bench.crm.records, "Contact", old)
            yield from list(fetch(stream, keys, fields))

    with monkeypatch.context() as patched:
        patched.setattr(bench.crm, "fetch", fetch_old)
        bench.cycle()
    assert bench.crm.held("Contact", "c1")[TIER] == "silver"
    bench.cycle()
    assert _drift(bench) == []
    bench.crm.put("Contact", "c1", **{TIER: "gold"})
    bench.cycle()
    assert [(found["field"], found["held"]) for found in _drift(bench)] == [(TIER, "gold")], "it was once the hub's"


def _drift(bench) -> list[dict[str, Any]]:
    with bench.hubs[-1].store.read() as connection:
        return contradictions.drift_at(connection, bench.now)
