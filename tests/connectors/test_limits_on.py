"""A whole working day in small: with the vendor's limits on, everything is read and written all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connectors import open_budget
from onevoice.protocols import DeferReason, Outcome, Write

OPT_OUT = {"10001": "UNSUBSCRIBED"}


def written(connector: Any, rig: Any, size: int) -> None:
    """Write to every contact in batches; what is deferred goes again with the next round."""
    open_writes = [rig.good(key, 1) for key in sorted(rig.keys())]
    for _ in range(3):
        results = [
            result
            for start in range(0, len(open_writes), size)
            for result in connector.write(rig.stream, open_writes[start : start + size])
        ]
        assert {result.outcome for result in results} <= {Outcome.ACCEPTED, Outcome.DEFERRED}
        assert {result.reason for result in results} <= {None, DeferReason.RETRYABLE}
        deferred = {result.key for result in results if result.outcome is Outcome.DEFERRED}
        open_writes = [write for write in open_writes if write.key in deferred]
    assert open_writes == []


@pytest.mark.parametrize(("kind", "rows", "size"), [("salesforce", 2300, 200), ("hubspot", 1200, 100)])
def test_misfortunes_are_met_and_handled(
    kind: str, rows: int, size: int, request: pytest.FixtureRequest, at_work: Callable[..., Any]
) -> None:
    rig = request.getfixturevalue(kind)
    rig.contacts(rows)
    connector = at_work(rig)
    read = {r.key for page in connector.read(rig.stream, None, rig.fields, rig.settled()) for r in page.records}
    assert read == rig.keys()
    written(connector, rig, size)
    assert all(rig.holds(rig.good(key, 1)) for key in read)
    told = rig.state.calls.summary()
    assert told["throttled"] >= 1
    assert told["token_expired"] >= 1
    assert told["partial_failures"] >= 1
    assert told["write_calls"] <= 1.1 * told["minimum_calls"] + 2


def test_unsubscribes_leave_one_event_each(hubspot: Any, at_work: Callable[..., Any]) -> None:
    connector = at_work(hubspot)
    writes = [Write(f"person.{serial}@example.org", OPT_OUT) for serial in range(60)]
    results = connector.write("subscriptions", writes)
    assert {result.outcome for result in results} == {Outcome.ACCEPTED}
    rows = hubspot.state.tables["subscriptions"].rows
    assert {len(row["events"]) for row in rows.values()} == {1}
    assert len(rows) == 60


@pytest.mark.parametrize("fault", ["throttle", "expire_tokens"])
@pytest.mark.parametrize("kind", ["salesforce", "hubspot"])
def test_a_bad_day_is_survived(
    kind: str, fault: str, request: pytest.FixtureRequest, at_work: Callable[..., Any]
) -> None:
    rig = request.getfixturevalue(kind)
    rig.contacts(450)
    connector = at_work(rig, open_budget(kind, kind, paced=False))
    rig.state.faults.use(fault, kind)
    read = {r.key for page in connector.read(rig.stream, None, rig.fields, rig.settled()) for r in page.records}
    assert read == rig.keys()
    written(connector, rig, 100)
