"""Check-ins, and what the service desk is shown."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from onevoice.api import events as event_route
from onevoice.store.schema import event, item, work

AT = "2026-11-22T15:00:00Z"


def check_in(api: Any, event_id: str, **who: str) -> Any:
    return api.post("/v1/events", {"id": event_id, "type": "check_in", "at": AT, "store": "Leeds", **who})


def visits(api: Any) -> list[Any]:
    with api.hub.store.read() as connection:
        return list(connection.execute(select(item).where(item.c.kind == "visit")))


def test_a_check_in_becomes_a_visit_of_the_one_customer(moving_town: Any) -> None:
    _, api = moving_town
    james = api.id_of("salesforce/Contact/c1")
    answer = check_in(api, "e-1", phone="07700 900123")
    assert answer.status_code == 201
    received = answer.json()
    assert (received["assigned"], received["profile_id"], received["repeated"]) == (True, james, False)
    again = check_in(api, "e-1", phone="+447700900123")
    assert again.status_code == 200
    assert again.json() == {**received, "repeated": True}
    assert [(row.ref, row.owner, row.data["store"]) for row in visits(api)] == [
        ("onevoice/check_in/e-1", "salesforce/Contact/c1", "Leeds")
    ]
    with api.hub.store.read() as connection:
        marks = list(connection.execute(select(work.c.ref).where(work.c.step == "unify")).scalars())
    assert marks == [james]


@pytest.mark.parametrize("changed", [{"store": "York"}, {"at": "2026-11-22T15:00:01Z"}, {"phone": "07700 900456"}])
def test_an_id_used_for_another_event_is_a_409(moving_town: Any, changed: dict[str, str]) -> None:
    _, api = moving_town
    assert check_in(api, "e-1", phone="07700 900123").status_code == 201
    sent = {"id": "e-1", "type": "check_in", "at": AT, "store": "Leeds", "phone": "07700 900123", **changed}
    assert api.post("/v1/events", sent).status_code == 409
    assert len(visits(api)) == 1


def test_of_two_who_share_a_number_it_is_neithers_and_is_said_so(moving_town: Any) -> None:
    _, api = moving_town
    received = check_in(api, "e-2", phone="07700 900456").json()
    assert (received["assigned"], received["profile_id"]) == (False, None)
    assert received["note"].startswith("2 customers share this phone")
    assert visits(api) == []


def test_one_that_came_too_early_finds_its_customer_with_the_next_sync(moving_town: Any) -> None:
    bench, api = moving_town
    assert check_in(api, "e-3", email="late@arrival.example").json()["assigned"] is False
    bench.crm.put("Contact", "c9", FirstName="Lee", LastName="Late", Email="late@arrival.example")
    bench.cycle()
    bench.cycle()
    assert [row.owner for row in visits(api)] == ["salesforce/Contact/c9"]
    assert check_in(api, "e-3", email="late@arrival.example").json()["profile_id"] == api.id_of("salesforce/Contact/c9")
    view = api.get(f"/v1/profiles/{api.id_of('salesforce/Contact/c9')}/service-view").json()
    assert view["visits_today"] == [{"at": AT, "store": "Leeds"}]


@pytest.mark.parametrize(
    "wrong",
    [
        {"at": "2026-11-22T15:00:00"},
        {"at": 1795360000},
        {"at": "0001-01-01T00:00:00+05:00"},
        {"at": "9999-01-01T00:00:00Z"},
        {"type": "purchase"},
        {"store": ""},
        {"id": "a b"},
        {"id": "x" * 101},
        {"phone": "12"},
        {"phone": "07700 900123", "email": "a@b.example"},
        {"phone": None},
        {"extra": 1},
    ],
)
def test_an_event_that_does_not_fit_is_a_422_and_not_kept(town: Any, wrong: dict[str, Any]) -> None:
    sent = {"id": "w-1", "type": "check_in", "at": AT, "store": "Leeds", "phone": "07700 900123", **wrong}
    answer = town.post("/v1/events", sent)
    assert answer.status_code == 422
    with town.hub.store.read() as connection:
        assert list(connection.execute(select(event.c.event_id))) == []


def test_a_sync_that_writes_holds_up_no_read_and_an_event_only_so_long(
    moving_town: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, api = moving_town
    monkeypatch.setattr(event_route, "PATIENCE", 0.3)
    answers: list[Any] = []
    with api.hub.store.begin():  # a long step of a sync
        started = time.monotonic()
        senders = [threading.Thread(target=lambda: answers.append(check_in(api, "e-9", card="CLUB-10472")))]
        for sender in senders:
            sender.start()
        for _ in range(20):
            assert api.get("/v1/profiles", params={"card": "CLUB-10472"}).status_code == 200
        assert time.monotonic() - started < 5
        for sender in senders:
            sender.join()
    [refused] = answers
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    time.sleep(0.2)
    assert check_in(api, "e-9", card="CLUB-10472").status_code in {200, 201}
    assert len(visits(api)) == 1


def test_the_service_view_says_what_matters(moving_town: Any) -> None:
    bench, api = moving_town
    james = api.id_of("salesforce/Contact/c1")
    check_in(api, "e-1", phone="07700 900123")
    bench.shop.put("contacts", "1", web_orders="4", web_last_order_at="2026-11-22T14:20:00Z")
    bench.cycle()
    api.moment[0] += timedelta(hours=6)
    view = api.get(f"/v1/profiles/{james}/service-view").json()
    assert view["name"] == "James Hale"
    assert view["last_order"] == {
        "at": "2026-11-22T14:20:00Z",
        "categories": ["shoes"],
        "channel": "web",
        "system": "hubspot",
        "full_price": None,
        "today": True,
    }
    assert view["open_cart"] == {"at": "2026-11-22T08:00:00Z", "categories": ["jackets"], "system": "hubspot"}
    assert view["visits_today"] == [{"at": AT, "store": "Leeds"}]
    assert view["sentences"] == [
        "Member of Club since 1 March 2024, tier gold.",
        "Just bought shoes in the web shop today at 14:20.",
        "Left jackets in a cart today at 08:00 and has not bought it.",
        "Checked in at Leeds today at 15:00.",
    ]
    assert set(view["as_of"]) >= {"hubspot/contacts", "salesforce/Contact"}
    bob = api.get(f"/v1/profiles/{api.id_of('salesforce/Contact/c3')}/service-view").json()
    assert bob["complaint_open_since"]
    assert bob["sentences"][0].startswith("Has an open complaint since ")
