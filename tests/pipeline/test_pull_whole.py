"""Whatever a vendor holds is stored or set aside, and one hostile record never stops the others."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from onevoice.store import open_store, quarantines
from onevoice.store.schema import contact_point, record, work

OPTED_OUT = "hs_email_optout_10001"
FOREVER = "9999-12-31"


@pytest.fixture(params=["sqlite", "postgresql"])
def everywhere(request: pytest.FixtureRequest, bench: Any) -> Any:
    """The bench on both databases."""
    if request.param == "postgresql":
        bench.database = request.getfixturevalue("postgres_url")
    return bench


def hostile() -> dict[str, dict[str, Any]]:
    return {
        "half an emoji": {"firstname": "Ann \ud83d"},
        "a zero byte": {"firstname": "A\0nn", "email": "a\0nn@x.org", "city": "\0"},
        "a huge number": {"web_orders": 10**40},
        "a long address": {"email": "a" * 5000 + "@x.org"},
        "a long name": {"firstname": "Anna " * 500, "lastname": "L" * 5000},
    }


def test_hostile_values_stop_nobody(everywhere: Any) -> None:
    for case, values in hostile().items():
        everywhere.shop.put("contacts", case, **{"lastname": "Ash", "email": f"{len(case)}@x.org", **values})
    everywhere.shop.put("contacts", "2", lastname="Bay", email="b@x.org")
    everywhere.cycle()
    assert "onevoice_profile_id" in everywhere.shop.held("contacts", "2")
    with everywhere.hubs[-1].store.read() as connection:
        stored = connection.execute(select(record.c.ref).where(record.c.stream == "contacts")).scalars().all()
    assert len(stored) == len(hostile()) + 1


def test_hostile_keys_stop_nobody_and_their_records_are_kept(everywhere: Any) -> None:
    keys = ["k" * 5000, "a\0b", "\ud83d", "a/b/../c", "two\nlines", "", "ü" * 300]
    for key in keys:
        everywhere.crm.put("Contact", key, LastName="Ash", Email="a@x.org")
    everywhere.crm.put("Contact", "good", LastName="Bay", Email="b@x.org")
    everywhere.cycle()
    assert "onevoice_profile_id__c" in everywhere.crm.held("Contact", "good")
    with everywhere.hubs[-1].store.read() as connection:
        kept = connection.execute(select(record.c.raw).where(record.c.stream == "Contact")).scalars().all()
    assert sorted(raw["LastName"] for raw in kept) == ["Ash"] * len(keys) + ["Bay"]


def test_an_owner_nobody_can_be_is_set_aside(everywhere: Any) -> None:
    everywhere.crm.put("Case", "k1", ContactId="c" * 5000, Type="Complaint", IsClosed=False)
    everywhere.crm.put("Contact", "good", LastName="Bay", Email="b@x.org")
    everywhere.cycle()
    assert "onevoice_profile_id__c" in everywhere.crm.held("Contact", "good")
    with everywhere.hubs[-1].store.read() as connection:
        assert [row["ref"] for row in quarantines.everything(connection)] == ["salesforce/Case/k1"]


def test_an_error_of_the_database_quotes_nobody(everywhere: Any) -> None:
    store = open_store(everywhere.database)
    rows = [{"ref": "r", "channel": "email", "value": "ann@x.org"}] * 2
    with pytest.raises(DBAPIError) as caught, store.begin() as connection:
        connection.execute(contact_point.insert(), rows)
    store.close()
    assert "ann@x.org" not in str(caught.value)


def test_a_contact_put_back_on_a_list_by_hand_is_seen(bench: Any) -> None:
    name = "onevoice_no_newsletter"
    bench.shop.put("contacts", "1", lastname="Ash", email="a@x.org")
    bench.cycle()
    for _ in range(2):
        bench.shop.put("lists", "1", **{name: True})
        bench.cycle()
        assert "1" not in bench.shop.records["lists"], "the newsletter is not suppressed"
        bench.cycle()
    assert bench.quiet()


def test_a_field_that_the_mapping_begins_to_read_is_read_of_everybody(bench: Any) -> None:
    bench.shop.put("contacts", "1", lastname="Ash", email="a@x.org", no_mail="true")
    bench.cycle()
    bench.cycle()
    flag = "effect: {from: hs_email_optout, transform: opt_out}"
    bench.edit("mappings/hubspot/contacts.yaml", flag, flag.replace("hs_email_optout", "no_mail"))
    bench.cycle()
    assert bench.shop.held("contacts", "1")["onevoice_no_newsletter_until"] == FOREVER
    assert bench.quiet()


def test_another_consent_regime_reaches_everybody(bench: Any) -> None:
    bench.shop.put("contacts", "1", lastname="Ash", email="a@x.org")
    bench.cycle()
    bench.cycle()
    assert "onevoice_no_newsletter_until" not in bench.shop.held("contacts", "1")
    bench.edit("config/consent.yaml", "default_regime: opt_out", "default_regime: opt_in")
    bench.cycle()
    assert bench.shop.held("contacts", "1")["onevoice_no_newsletter_until"] == FOREVER
    assert bench.quiet()


def test_records_that_a_mapping_edit_cannot_map_any_more_are_reported(bench: Any) -> None:
    bench.crm.put("Contact", "c1", LastName="Ash", Email="a@x.org")
    bench.crm.put("Case", "k1", ContactId="c1", Type="Complaint", IsClosed=False)
    bench.cycle()
    bench.edit("mappings/salesforce/Case.yaml", "only_with: [owner]", "only_with: [owner]\n    required: [closed_at]")
    report = bench.cycle()
    assert report.exit_code == 3
    assert report.stages["pull"]["pull salesforce"].rejected == 1


def test_nothing_is_left_to_do_after_a_quiet_cycle(bench: Any) -> None:
    bench.crm.put("Contact", "c1", LastName="Ash", Email="a@x.org", HasOptedOutOfEmail=True)
    bench.shop.put("contacts", "1", lastname="Ash", email="a@x.org")
    bench.cycle()
    assert bench.quiet()
    with bench.hubs[-1].store.read() as connection:
        assert connection.execute(select(work)).all() == []
