"""What a system shows of a version from before one that is known says nothing: an index lags behind our own writes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from onevoice.model import Ref
from onevoice.protocols import Outcome, WriteResult
from onevoice.store import pages

REF = str(Ref("hubspot", "contacts", "1"))
FIELD = "onevoice_profile_id"


def version(bench: Any) -> Any:
    with bench.hubs[-1].store.read() as connection:
        return pages.load_destinations(connection, [REF])[REF].version


def telling(bench: Any) -> None:
    """HubSpot's answer to a write tells the record's new stamp."""
    vendor, real = bench.shop, bench.shop.write

    def write(stream: str, writes: Any) -> Any:
        found = real(stream, writes)
        stamps = {key: next(iter(vendor.fetch(stream, [key], []))).updated_at for key in vendor.records[stream]}
        return [replace(r, version=stamps.get(r.key)) if r.outcome is Outcome.ACCEPTED else r for r in found]

    vendor.write = write


def test_the_stamp_of_our_own_write_is_known_from_its_answer(bench: Any) -> None:
    telling(bench)
    bench.shop.put("contacts", "1", lastname="Ash", email="a@x.org")
    bench.cycle(skip=("verify",))
    assert version(bench) == next(iter(bench.shop.fetch("contacts", ["1"], []))).updated_at


def test_the_stamp_is_known_from_reading_back_where_the_answer_says_nothing(bench: Any) -> None:
    bench.shop.put("contacts", "1", lastname="Ash", email="a@x.org")
    bench.cycle()
    assert version(bench) == next(iter(bench.shop.fetch("contacts", ["1"], []))).updated_at


def test_a_version_from_before_our_write_is_no_edit_by_hand(bench: Any) -> None:
    """Read between two writes of ours, one of which nobody has read back: its value is new to us, and out of date."""
    telling(bench)
    bench.shop.put("contacts", "1", lastname="Ash", email="a@x.org")
    bench.cycle(skip=("verify",))
    number, data, deleted = bench.shop.records["contacts"]["1"]
    before = (number - 1, {**data, FIELD: "from before", "_changed": number - 1}, deleted)
    now = (number, data, deleted)
    bench.shop.records["contacts"]["1"] = before
    real_read = bench.shop.read
    bench.shop.read = lambda stream, _cursor, fields, as_of: real_read(stream, None, fields, as_of)
    bench.written()
    report = bench.cycle(only=("pull", "resolve", "unify", "decide", "plan"))
    assert report.stages["plan"]["plan"].counts["writes"] == 0
    bench.shop.records["contacts"]["1"] = now
    bench.cycle()
    assert [key for _, key, _ in bench.written()] == []


def test_an_equal_stamp_is_looked_at_by_its_values(bench: Any) -> None:
    """Stamps of whole seconds: somebody's edit may carry the very stamp of our write."""
    telling(bench)
    bench.shop.put("contacts", "1", lastname="Ash", email="a@x.org")
    bench.cycle()
    number, data, deleted = bench.shop.records["contacts"]["1"]
    bench.shop.records["contacts"]["1"] = (number, {**data, FIELD: "by hand"}, deleted)
    real_read = bench.shop.read
    bench.shop.read = lambda stream, _cursor, fields, as_of: real_read(stream, None, fields, as_of)
    bench.written()
    bench.cycle()
    assert [FIELD in fields for _, key, fields in bench.written() if key == "1"] == [True]


def test_reading_back_an_older_version_judges_nothing(bench: Any) -> None:
    telling(bench)
    bench.shop.put("contacts", "1", lastname="Ash", email="a@x.org")
    before = bench.shop.records["contacts"]["1"]
    bench.cycle(skip=("verify",))
    after = bench.shop.records["contacts"]["1"]
    bench.shop.records["contacts"]["1"] = before
    bench.written()
    report = bench.cycle(only=("verify",))
    assert report.stages["verify"]["verify hubspot"].counts["not_kept"] == 0
    bench.shop.records["contacts"]["1"] = after
    bench.cycle(only=("verify",))
    with bench.hubs[-1].store.read() as connection:
        assert pages.load_work(connection, "verify") == []


def test_a_result_without_a_stamp_keeps_the_one_that_is_known() -> None:
    state = pages.DestinationState(version=None)
    assert state.newest(None) is None
    assert not state.is_older(None)
    assert WriteResult("1", Outcome.ACCEPTED).version is None
