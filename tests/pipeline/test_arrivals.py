"""What customers refuse while a push is under way leaves before what was queued, in every system."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from onevoice.errors import Unavailable
from onevoice.store import outboxes

FOREVER = "9999-12-31"
NEWS = "onevoice_no_newsletter_until"


class Hurrying:
    """A clock on which some seconds pass with every look at it: 2.6 let every batch be one to look for arrivals."""

    def __init__(self, seconds: float) -> None:
        self.passed = timedelta()
        self.step = timedelta(seconds=seconds)

    def __call__(self) -> datetime:
        self.passed += self.step
        return datetime.now(UTC) + self.passed


def crowd(bench: Any, number: int = 350) -> None:
    """People known to both systems, and something new to say of each."""
    for n in range(number):
        bench.crm.put("Contact", f"c{n:03}", FirstName="Ann", LastName=f"N{n}", Email=f"{n}@x.org")
        bench.shop.put("contacts", f"{n:03}", firstname="Ann", lastname=f"N{n}", email=f"{n}@x.org")
        bench.people.person |= {f"salesforce/Contact/c{n:03}": f"p{n}", f"hubspot/contacts/{n:03}": f"p{n}"}


def refuse_during(bench: Any, vendor: Any, stream: str, batch: int, refuse: Any) -> None:
    """Let a customer refuse while this batch of a stream is under way."""
    seen: list[int] = []

    def before(name: str, writes: Any) -> None:
        if name == stream:
            seen.append(len(writes))
            if len(seen) == batch:
                refuse()

    vendor.before_write = before


def order(bench: Any) -> dict[str, list[str]]:
    """Keys in the order in which each vendor was written, those that refuse marked."""
    found: dict[str, list[str]] = {}
    for name, vendor in (("crm", bench.crm), ("shop", bench.shop)):
        found[name] = [
            f"{key}!" if fields.get(_news(name)) in {FOREVER, "4000-12-31"} else key for _, key, fields in vendor.writes
        ]
    return found


def _news(name: str) -> str:
    return "onevoice_no_newsletter_until__c" if name == "crm" else NEWS


def test_an_opt_out_overtakes_what_is_queued_in_every_system(bench: Any) -> None:
    crowd(bench)
    bench.clock = Hurrying(2.6)
    refuse_during(bench, bench.shop, "contacts", 1, lambda: bench.crm.put("Contact", "c349", HasOptedOutOfEmail=True))
    bench.cycle(minutes=5)
    said = order(bench)
    assert said["shop"].index("349!") < 210, "the last of the queue, were it not for the refusal"
    assert said["crm"][0] == "c349!", "this system's own push has not even begun"
    assert said["crm"].count("c349!") == 1
    assert bench.shop.held("contacts", "349")[NEWS] == FOREVER
    assert bench.quiet()


def test_it_is_taken_from_any_system_also_from_the_one_that_is_written(bench: Any) -> None:
    crowd(bench)
    bench.clock = Hurrying(2.6)
    refuse_during(
        bench, bench.shop, "contacts", 1, lambda: bench.shop.put("contacts", "340", hs_email_optout_10001="true")
    )
    bench.cycle(minutes=5)
    said = order(bench)
    assert said["shop"].index("340!") < 210
    assert said["crm"][0] == "c340!"
    assert bench.quiet()


def test_a_run_that_was_told_what_to_write_writes_nothing_else(bench: Any) -> None:
    crowd(bench, 250)
    bench.clock = Hurrying(2.6)
    refuse_during(bench, bench.shop, "contacts", 1, lambda: bench.crm.put("Contact", "c249", HasOptedOutOfEmail=True))
    bench.cycle(records=240)
    assert not [key for keys in order(bench).values() for key in keys if key.endswith("!")]
    bench.cycle()
    assert bench.shop.held("contacts", "249")[NEWS] == FOREVER


def test_a_look_that_fails_leaves_the_push_going(bench: Any) -> None:
    crowd(bench, 250)
    bench.clock = Hurrying(2.6)

    def down(*_: Any) -> Any:
        raise Unavailable("salesforce: no answer")

    bench.crm.glance = down
    assert bench.cycle().exit_code == 0
    assert bench.quiet()


def test_a_look_costs_nothing_where_nothing_arrived(bench: Any) -> None:
    """The hub's own writes come back by the look: they are no news, and nothing is resolved or planned for them."""
    crowd(bench, 350)
    bench.clock = Hurrying(2.6)
    bench.cycle()
    with bench.hubs[-1].store.read() as connection:
        assert outboxes.open_writes(connection) == []
    assert {at for _, at in _planned(bench)} == {bench.now}
    assert bench.quiet()


def _planned(bench: Any) -> list[tuple[str, datetime]]:
    from sqlalchemy import select  # noqa: PLC0415 - one test looks so deep

    from onevoice.store.schema import write_log  # noqa: PLC0415

    with bench.hubs[-1].store.read() as connection:
        return [(row.ref, row.at) for row in connection.execute(select(write_log.c.ref, write_log.c.at))]


def test_nobody_looks_more_often_than_every_few_seconds(bench: Any) -> None:
    crowd(bench, 250)
    bench.clock = Hurrying(0)
    looks: list[str] = []
    bench.crm.glance = lambda stream, *_: looks.append(stream) or iter(())
    bench.cycle()
    assert looks == []


def test_the_stream_with_the_most_urgent_write_goes_first(bench: Any) -> None:
    crowd(bench, 150)
    bench.crm.put("Contact", "c149", HasOptedOutOfEmail=True)
    bench.cycle()
    streams = [stream for stream, _, _ in bench.shop.writes]
    assert streams[0] == "subscriptions", "an opt-out at its own place before anything else"


def test_status_updates_wait_for_suppressions_of_other_streams(bench: Any) -> None:
    crowd(bench, 350)
    bench.cycle()
    bench.written()
    for n in range(350):
        bench.shop.put("contacts", f"{n:03}", onevoice_profile_id="by hand")
    bench.crm.put("Contact", "c349", HasOptedOutOfEmail=True)
    bench.cycle()
    said = [(stream, key) for stream, key, _ in bench.shop.writes]
    assert said.index(("lists", "349")) < 110
    assert said.index(("contacts", "349")) < 110
