"""What goes back and forth between the hub and a system is stopped, shown with both values, and let go again."""

from __future__ import annotations

from typing import Any

from onevoice.pipeline.delivery.loops import MOST
from onevoice.store import quarantines

REF = "hubspot/contacts/1"
FIELD = "onevoice_profile_id"


def one(bench: Any) -> None:
    bench.crm.put("Contact", "c1", FirstName="Ann", LastName="Ash", Email="a@x.org")
    bench.shop.put("contacts", "1", firstname="Ann", lastname="Ash", email="b@x.org")
    bench.people.person = {"salesforce/Contact/c1": "ann", REF: "ann"}


def looping(bench: Any) -> Any:
    with bench.hubs[-1].store.read() as connection:
        return quarantines.load(connection, quarantines.LOOP, [REF]).get(REF)


def rounds(bench: Any, count: int, value: str = "x") -> list[str | None]:
    """Another tool puts its value back before every cycle; what stands there after each."""
    found = []
    for _ in range(count):
        bench.shop.put("contacts", "1", **{FIELD: value})
        bench.cycle()
        found.append(bench.shop.held("contacts", "1")[FIELD])
    return found


def test_a_field_that_another_tool_writes_too_is_left_alone_after_a_while(bench: Any) -> None:
    one(bench)
    bench.cycle()
    ours = bench.shop.held("contacts", "1")[FIELD]
    assert rounds(bench, MOST + 2) == [ours] * MOST + ["x"] * 2
    assert looping(bench).payload == {FIELD: {"hub": ours, "system": "x"}}
    assert ours not in looping(bench).reason, "a reason names nobody"
    bench.crm.put("Contact", "c1", HasOptedOutOfEmail=True)
    bench.cycle()
    assert bench.shop.held("contacts", "1")["onevoice_no_newsletter_until"] == "9999-12-31", "other fields go on"
    assert bench.shop.held("contacts", "1")[FIELD] == "x"
    assert bench.quiet()


def test_it_is_released_when_the_system_changes_its_mind(bench: Any) -> None:
    one(bench)
    bench.cycle()
    ours = bench.shop.held("contacts", "1")[FIELD]
    rounds(bench, MOST + 1)
    assert looping(bench) is not None
    assert rounds(bench, 1, "y") == [ours]
    assert looping(bench) is None


def test_it_is_released_when_the_hub_wants_something_else(bench: Any) -> None:
    one(bench)
    field = "    onevoice_profile_id: {from: profile.id}\n"
    bench.edit("mappings/hubspot/contacts.yaml", field, "    onevoice_profile_id: {from: golden.family_name}\n")
    bench.cycle()
    assert rounds(bench, MOST + 1)[-1] == "x"
    bench.crm.put("Contact", "c1", LastName="Birch")
    bench.shop.put("contacts", "1", lastname="Birch")
    bench.cycle()
    assert bench.shop.held("contacts", "1")[FIELD] == "Birch"
    assert looping(bench) is None


def test_a_person_may_have_it_tried_once_more(bench: Any) -> None:
    one(bench)
    bench.cycle()
    ours = bench.shop.held("contacts", "1")[FIELD]
    rounds(bench, MOST + 1)
    stopped = looping(bench)
    with bench.hubs[-1].store.begin() as connection:
        again = quarantines.Held(stopped.code, stopped.reason, stopped.payload, stopped.attempts, bench.now)
        quarantines.note(connection, quarantines.LOOP, {REF: again}, bench.now)
    bench.cycle()
    assert bench.shop.held("contacts", "1")[FIELD] == ours
    assert rounds(bench, 1) == ["x"], "and once only"


def test_a_day_later_it_is_tried_again(bench: Any) -> None:
    one(bench)
    bench.cycle()
    ours = bench.shop.held("contacts", "1")[FIELD]
    rounds(bench, MOST + 1)
    bench.cycle(minutes=60 * 25)
    bench.shop.put("contacts", "1", onevoice_tier="brass")  # something brings the record back to the plan
    bench.cycle()
    assert bench.shop.held("contacts", "1")[FIELD] == ours


def test_a_field_that_takes_values_and_never_shows_them_is_not_written_for_ever(bench: Any) -> None:
    one(bench)
    put = bench.shop.put

    def forgetful(stream: str, key: str, /, **fields: Any) -> None:
        put(stream, key, **{name: value for name, value in fields.items() if name != FIELD})

    bench.shop.put = forgetful
    for _ in range(MOST + 3):
        bench.cycle()
    assert sum(FIELD in fields for _, key, fields in bench.written() if key == "1") == MOST
    assert looping(bench).payload[FIELD]["system"] is None
    assert bench.quiet()
