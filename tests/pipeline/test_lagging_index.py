"""A search index that lags shows a record as it was before the hub wrote it: that is no edit by hand, and no leak."""

from __future__ import annotations

from typing import Any

from onevoice.pipeline.views import contradictions_now
from onevoice.store import contradictions


def test_an_older_version_is_dropped_and_the_newer_one_taken(bench: Any) -> None:
    bench.crm.put("Contact", "c1", Id="c1", FirstName="Ada", LastName="Hart", Email="ada@example.com")
    bench.crm.put("Contact", "c1", HasOptedOutOfEmail=True)
    bench.shop.put("contacts", "7", hs_object_id="7", firstname="Ada", lastname="Hart", email="ada.hart@example.org")
    bench.people.person = {"salesforce/Contact/c1": "ada", "hubspot/contacts/7": "ada"}
    before = bench.shop.records["contacts"]["7"]
    assert bench.cycle().exit_code == 0
    after = bench.shop.records["contacts"]["7"]
    assert after[1]["onevoice_no_join_until"]

    # the index still shows the old version, as new to us as any change
    number, data, deleted = before
    bench.shop.records["contacts"]["7"] = (number, {**data, "jobtitle": "seen late", "_changed": 99}, deleted)
    real_read = bench.shop.read
    bench.shop.read = lambda stream, _cursor, fields, as_of: real_read(stream, None, fields, as_of)
    bench.written()
    bench.cycle()
    assert bench.written() == []
    hub = bench.hubs[-1]
    assert contradictions_now(hub)["rows"] == []
    with hub.store.read() as connection:
        assert contradictions.drift_at(connection, hub.as_of) == []

    # once the index has caught up, the next edit counts again
    bench.shop.records["contacts"]["7"] = after
    bench.shop.number = max(bench.shop.number, after[0]) + 5
    bench.shop.put("contacts", "7", onevoice_no_join_until="2026-01-01")
    bench.cycle()
    assert any("onevoice_no_join_until" in fields for _, key, fields in bench.written() if key == "7")
