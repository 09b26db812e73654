"""A value that cannot be written is shown with its payload, and stops neither its record nor anybody else's."""

from __future__ import annotations

from typing import Any

from onevoice.pipeline.delivery.desired import HubView
from onevoice.store import quarantines

REF = "hubspot/contacts/1"
LINE = "    onevoice_profile_id: {from: profile.id}\n"
TABLE = "transform: table, table: {Oak: twelve, Elm: seven}"
NUMBER = f"{LINE}    onevoice_country: {{from: golden.family_name, {TABLE}}}\n"


def shown(bench: Any, ref: str = REF) -> Any:
    with bench.hubs[-1].store.read() as connection:
        return quarantines.load(connection, quarantines.PLANNING, [ref]).get(ref)


def test_a_value_for_which_the_vendor_has_no_word_is_shown_until_it_is_mended(bench: Any) -> None:
    bench.shop.put("contacts", "1", firstname="Ann", lastname="Ash", email="b@x.org")
    bench.shop.put("contacts", "2", firstname="Bob", lastname="Oak", email="c@x.org")
    bench.edit("mappings/hubspot/contacts.yaml", LINE, NUMBER)
    bench.cycle()
    assert shown(bench).payload == {"onevoice_country": "Ash"}
    assert "Ash" not in shown(bench).reason
    assert shown(bench, "hubspot/contacts/2") is None
    assert bench.shop.held("contacts", "2")["onevoice_country"] == "twelve"
    assert "onevoice_profile_id" in bench.shop.held("contacts", "1"), "its other fields are written"
    bench.shop.put("contacts", "1", lastname="Elm")
    bench.cycle()
    assert shown(bench) is None
    assert bench.shop.held("contacts", "1")["onevoice_country"] == "seven"
    assert bench.quiet()


def test_a_value_that_cannot_be_worked_out_leaves_its_field_alone(bench: Any, monkeypatch: Any) -> None:
    bench.shop.put("contacts", "1", firstname="Ann", lastname="Ash", email="b@x.org")
    bench.shop.put("contacts", "2", firstname="Bob", lastname="Oak", email="c@x.org")
    real = HubView.value

    def broken(view: HubView, source: str) -> Any:
        if source == "suppress.newsletter" and view.profile.golden.get("family_name") == "Ash":
            raise ValueError("Ash")
        return real(view, source)

    monkeypatch.setattr(HubView, "value", broken)
    bench.cycle()
    assert set(shown(bench).payload) == {"onevoice_no_newsletter_until"}
    assert "Ash" not in shown(bench).reason
    assert "onevoice_profile_id" in bench.shop.held("contacts", "1")
    assert "onevoice_profile_id" in bench.shop.held("contacts", "2")
    monkeypatch.setattr(HubView, "value", real)
    bench.cycle(minutes=60)
    assert shown(bench) is None, "it is tried again by itself"
