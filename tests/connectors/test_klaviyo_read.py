"""Reading an account: nothing lost, no opt-out missed, and no more of a profile kept than was asked for."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from connectors.klaviyo.profiles import Shape
from onevoice.errors import ContractBroken
from onevoice.protocols import Page, Record, Write

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
LONG_AGO = AS_OF - timedelta(days=30)
BOUNCED = {"suppression": [{"reason": "HARD_BOUNCE", "timestamp": "2026-11-22T08:30:00+00:00"}]}


def pages(rig: Any, cursor: Any = None, fields: tuple[str, ...] = ("email",)) -> list[Page]:
    return list(rig.open().read("profiles", cursor, fields, rig.settled()))


def keys(read: list[Page]) -> list[str]:
    return [record.key for page in read for record in page.records]


def one(rig: Any, key: str, *fields: str) -> Record:
    return next(iter(rig.open().fetch("profiles", [key], fields)))


def test_profile_that_is_edited_while_we_read_hides_no_other(klaviyo: Any) -> None:
    ordered = klaviyo.contacts(350)
    reading = klaviyo.open().read("profiles", None, (), klaviyo.settled())
    met = [next(reading)]
    for key in ordered[:50]:
        klaviyo.edit(key)
    klaviyo.settle_index()
    met += list(reading)
    assert set(ordered[50:]) <= set(keys(met))
    assert set(ordered[:50]) <= set(keys(pages(klaviyo, met[-1].cursor)))


def test_bounds_that_klaviyo_leaves_out_are_read(klaviyo: Any) -> None:
    """`greater-than` and `less-than` leave their bound out; a profile of the very second must not fall between."""
    first = pages(klaviyo)[-1].cursor
    begin = datetime.fromisoformat(first["through"]) - timedelta(hours=1)
    as_of = klaviyo.settled()
    stamps = (begin + timedelta(seconds=1), as_of - timedelta(seconds=10))
    both = [key for stamp in stamps for key in klaviyo.contacts(1, stamp=stamp.replace(microsecond=0))]
    assert set(both) == set(keys(list(klaviyo.open().read("profiles", first, (), as_of))))


def test_unsettled_profile_waits_for_the_next_read(klaviyo: Any) -> None:
    klaviyo.contacts(3)
    as_of = klaviyo.settled()
    [fresh] = klaviyo.contacts(1, stamp=as_of - timedelta(seconds=5))
    first = list(klaviyo.open().read("profiles", None, (), as_of))
    assert fresh not in keys(first)
    assert fresh in keys(pages(klaviyo, first[-1].cursor))


def test_profile_that_is_found_late_is_read_by_the_lookback(klaviyo: Any) -> None:
    klaviyo.contacts(10)
    cursor = pages(klaviyo)[-1].cursor
    through = datetime.fromisoformat(cursor["through"])
    [late] = klaviyo.contacts(1, stamp=through - timedelta(minutes=30))
    assert late in keys(pages(klaviyo, cursor))


def test_crash_within_many_profiles_of_one_second_loses_none(klaviyo: Any) -> None:
    klaviyo.contacts(250, stamp=LONG_AGO)
    klaviyo.contacts(150, stamp=LONG_AGO + timedelta(days=1))
    first = list(itertools.islice(klaviyo.open().read("profiles", None, (), klaviyo.settled()), 2))
    rest = pages(klaviyo, first[-1].cursor)
    assert set(keys(first)) | set(keys(rest)) == klaviyo.keys()


def test_suppression_that_moves_no_time_of_change_is_read_all_the_same(klaviyo: Any) -> None:
    """Nobody promises that a bounce touches `updated`."""
    [key] = klaviyo.contacts(1)
    fields = ("email", "email_suppressed")
    cursor = pages(klaviyo, fields=fields)[-1].cursor
    row = klaviyo.state.tables["profiles"].update(key, {"email_marketing": {}}, actor="vendor")
    at = f"{klaviyo.state.clock.now():%Y-%m-%dT%H:%M:%S}+00:00"
    row["email_marketing"] = {"suppression": [{"reason": "SPAM_COMPLAINT", "timestamp": at}]}
    row["updated"] = "2026-10-23T09:00:00+00:00"
    assert keys(pages(klaviyo, cursor)) == []
    [record] = [record for page in pages(klaviyo, cursor, fields) for record in page.records]
    assert record.data["email_suppressed"] is True


def test_crash_within_the_suppressed_begins_with_them_again(klaviyo: Any) -> None:
    klaviyo.contacts(1)
    cursor = pages(klaviyo)[-1].cursor
    at = klaviyo.settled()
    said = {"suppression": [{"reason": "UNSUBSCRIBE", "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}+00:00"}]}
    suppressed = klaviyo.contacts(150, stamp=LONG_AGO, email_marketing=said)
    reading = klaviyo.open().read("profiles", cursor, ("email_suppressed",), klaviyo.settled())
    first = list(itertools.islice(reading, 2))
    assert 0 < len(keys(first)) < 150
    rest = pages(klaviyo, first[-1].cursor, ("email_suppressed",))
    assert set(keys(rest)) == set(suppressed)
    assert keys(pages(klaviyo, rest[-1].cursor, ("email_suppressed",))) == []


def test_only_what_was_asked_for_is_kept(klaviyo: Any) -> None:
    """Custom properties are whatever anybody stored there."""
    [key] = klaviyo.contacts(1, properties={"city": "Leeds", "diagnosis": "private"}, phone_number="+447700900123")
    assert dict(one(klaviyo, key, "email", "properties.city", "properties.none", "each.reason").data) == {
        "id": key,
        "email": "jane.moss.0@example.org",
        "properties": {"city": "Leeds"},
        "updated": one(klaviyo, key).data["updated"],
    }
    assert one(klaviyo, key, "properties").data["properties"] == {"city": "Leeds", "diagnosis": "private"}
    asked = klaviyo.asked("/api/profiles")[0].params
    assert asked["fields[profile]"] == "email,properties,updated"
    assert "additional-fields[profile]" not in asked


@pytest.mark.parametrize(("said", "suppressed"), [(BOUNCED, True), ({"consent": "UNSUBSCRIBED"}, False), ({}, False)])
def test_any_suppression_counts_and_consent_does_not(klaviyo: Any, said: dict[str, Any], suppressed: bool) -> None:
    [key] = klaviyo.contacts(1, email_marketing=said, sms_marketing={"consent": "SUBSCRIBED", "method": "TEXT"})
    data = one(klaviyo, key, "email_suppressed").data
    assert data["email_suppressed"] is suppressed
    assert data["subscriptions"]["email"]["marketing"]["suppression"] == said.get("suppression", [])
    assert data["subscriptions"]["sms"]["marketing"]["method"] == "TEXT"
    assert set(data["subscriptions"]) == {"email", "sms"}


def test_point_read_keeps_the_order_in_few_calls(klaviyo: Any) -> None:
    wanted = [*reversed(klaviyo.contacts(230)), "01JDNOBODY", 'no","id']
    before = klaviyo.calls()
    found = list(klaviyo.open().fetch("profiles", wanted, ["email"]))
    assert [record.key for record in found] == wanted
    assert [record.key for record in found if record.deleted] == wanted[-2:]
    assert klaviyo.calls() - before == 3


def test_long_addresses_are_asked_for_in_several_calls(klaviyo: Any) -> None:
    addresses = [f"{place}.{'ü' * 20}.{'x' * 150}@example.org" for place in range(60)]
    found = list(klaviyo.open().fetch("suppressions", addresses, ["email_suppressed"]))
    assert [record.key for record in found] == addresses
    filters = [call.params["filter"] for call in klaviyo.asked("/api/profiles")]
    assert len(filters) > 1
    assert max(len(quote(text)) for text in filters) < 6100
    assert sum(text.count("@") for text in filters) == 60


def test_point_read_of_suppressions_is_by_address(klaviyo: Any) -> None:
    klaviyo.contacts(1, email="ana@example.org", email_marketing=BOUNCED)
    klaviyo.contacts(1, email="Ben@Example.org")
    keys_asked = ["ben@example.org", "nobody@example.org", "ana@example.org"]
    found = list(klaviyo.open().fetch("suppressions", keys_asked, ["email_suppressed"]))
    assert [(record.key, record.data.get("email_suppressed"), record.deleted) for record in found] == [
        ("ben@example.org", False, False),
        ("nobody@example.org", None, True),
        ("ana@example.org", True, False),
    ]


def test_point_read_after_a_write_waits_for_the_new_version(klaviyo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists show a write some seconds late; who reads back must not take that for a lost one."""
    written, other = klaviyo.contacts(2)
    monkeypatch.setattr("connectors._retry.nap.sleep", klaviyo.state.clock.advance)
    connector = klaviyo.open()
    connector.write("profiles", [klaviyo.good(written, 1)])
    connector.write("suppressions", [Write(klaviyo.row(other)["email"], {"email_suppressed": True})])
    asked = ["properties.onevoice_tier", "email_suppressed"]
    first, second = connector.fetch("profiles", [written, other], asked)
    assert first.data["properties"] == {"onevoice_tier": "tier 1"}
    assert second.data["email_suppressed"] is True
    before = klaviyo.calls()
    list(connector.fetch("profiles", [written, other], asked))
    assert klaviyo.calls() - before == 1


def test_a_version_stamped_in_the_second_of_the_write_is_not_taken_for_it(
    klaviyo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stamps have whole seconds: a suppression just before leaves a version that looks as new and holds nothing."""
    [key] = klaviyo.contacts(1)
    clock, connector = klaviyo.state.clock, klaviyo.open()
    monkeypatch.setattr("connectors._retry.nap.sleep", clock.advance)
    clock.advance(1 - clock.now().microsecond / 1e6)
    connector.write("suppressions", [Write(klaviyo.row(key)["email"], {"email_suppressed": True})])
    clock.advance(0.5)
    connector.write("profiles", [Write(key, {"properties.onevoice_tier": "gold"})])
    clock.advance(2.6)  # three seconds after the one, and not after the other
    [record] = connector.fetch("profiles", [key], ["properties.onevoice_tier", "email_suppressed"])
    assert record.data["properties"] == {"onevoice_tier": "gold"}


@pytest.mark.parametrize("text", ["2026-10-23T09:00:00", "2026-10-23T11:00:00.000000+02:00", "2026-10-23T09:00:00Z"])
def test_times_have_an_offset_or_are_utc(text: str) -> None:
    record = Shape(["email"]).record({"id": "A", "attributes": {"email": "a@example.org", "updated": text}})
    assert record.updated_at == datetime(2026, 10, 23, 9, tzinfo=UTC)


def test_profile_of_another_form_is_told() -> None:
    with pytest.raises(ContractBroken):
        Shape(["email"]).record({"id": "A", "attributes": {"updated": None}})


def test_only_profiles_can_be_read(klaviyo: Any) -> None:
    with pytest.raises(ContractBroken):
        list(klaviyo.open().read("suppressions", None, (), AS_OF))
    with pytest.raises(ContractBroken):
        list(klaviyo.open().read("profiles", {"page": 3}, (), AS_OF))
