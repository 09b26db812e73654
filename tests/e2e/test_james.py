"""James' afternoon, hour by hour: what each system would send him before and after the hub has seen what he did, and
what the person who answers his call is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest

from onevoice.pipeline import run_cycle

pytestmark = pytest.mark.slow

DAY = date(2026, 11, 22)
JACKET = {"category": "jackets"}
PRICE = "189.00"
CART_REMINDERS = {("shopify", "email", "cart_reminder"), ("klaviyo", "sms", "cart_reminder")}
DISCOUNTS = {
    ("salesforce", "email", "discount"),
    ("hubspot", "email", "discount"),
    ("shopify", "email", "discount"),
    ("klaviyo", "email", "discount"),
    ("klaviyo", "sms", "discount"),
}
ON_THE_RECEIPT = {("square", "receipt", "discount")}
"""Printed for whoever bought in the last thirty days."""
STATEMENTS = {("hubspot", "email", "points_balance"), ("klaviyo", "email", "points_balance")}
OTHERS = {
    ("salesforce", "email", "tier_perk"),
    ("hubspot", "email", "tier_perk"),
    ("salesforce", "email", "newsletter"),
    ("hubspot", "email", "newsletter"),
    ("klaviyo", "email", "newsletter"),
}


class Afternoon:
    """A small world with James in it, its clock, and the hub beside it."""

    def __init__(self, here: Any) -> None:
        self.here = here
        self.james: dict[str, str] = here.get("/james")

    def until(self, clock: str) -> None:
        """Let the time pass until then, today."""
        then = datetime.fromisoformat(f"{DAY}T{clock}:00+00:00")
        left = (then - datetime.fromisoformat(self.here.now())).total_seconds()
        assert left > 0, f"it is past {clock}"
        self.here.post("/clock", {"advance_seconds": left})

    def sync(self, clock: str) -> None:
        """One cycle of the hub."""
        self.until(clock)
        assert run_cycle(self.here.hub()).exit_code == 0

    def happens(self, what: str, **said: Any) -> None:
        """Something happens at a vendor."""
        self.here.post("/happen", {"what": what, **said})

    def messages(self) -> dict[tuple[str, str, str], Any]:
        """What would go out to him now: (system, channel, family) -> the message."""
        keys = {self.james[system] for system in ("salesforce", "hubspot", "shopify", "square", "klaviyo")}
        rows = [row for row in self.here.get("/messages")["messages"] if row["record"] in keys]
        assert {row["person"] for row in rows} == {self.james["person"]}
        return {(row["system"], row["channel"], row["family"]): row for row in rows}

    def wrong(self) -> set[tuple[str, str, str]]:
        """What of it contradicts what he did."""
        return {place for place, row in self.messages().items() if row["contradictory"]}


@contextmanager
def desk(here: Any, as_of: str) -> Iterator[httpx.Client]:
    """The API as a process, for a caller who may see persons and tell of events; its clock stands."""
    scopes = [word for scope in ("profiles:read", "pii:read", "events:write") for word in ("--scope", scope)]
    key = here.onevoice("api-key", "create", *scopes).strip()
    process = here.start("serve", "--port", "0", "--as-of", as_of, "--quiet")
    try:
        url = process.stdout.readline().strip()
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
            yield client
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_james_afternoon(world: Callable[..., Any]) -> None:
    here = world(120, seed=5, limits=False)
    afternoon = Afternoon(here)
    james = afternoon.james
    usual = DISCOUNTS | STATEMENTS | OTHERS

    first_order = {("hubspot", "email", "first_order")}  # there he never bought anything
    assert set(afternoon.messages()) == usual | first_order
    assert afternoon.wrong() == first_order
    here.provision()
    afternoon.sync("09:30")
    assert set(afternoon.messages()) == usual  # he is silenced by nothing, and asked to join by nobody
    assert afternoon.wrong() == set()

    with desk(here, f"{DAY}T15:40:00+00:00") as api:
        found = api.post("/v1/profiles:lookup", json={"phone": james["phone"]}).json()
        assert found["total"] == 1
        profile = found["candidates"][0]["profile"]["profile_id"]
        by_card = api.get("/v1/profiles", params={"card": james["card"]}).json()
        assert [candidate["profile"]["profile_id"] for candidate in by_card["candidates"]] == [profile]

        def view() -> dict[str, Any]:
            answer: dict[str, Any] = api.get(f"/v1/profiles/{profile}/service-view").raise_for_status().json()
            return answer

        afternoon.until("10:00")
        afternoon.happens("shop_cart", customer=james["shopify"], **JACKET)
        assert set(afternoon.messages()) == usual | CART_REMINDERS
        afternoon.sync("10:15")
        assert set(afternoon.messages()) == usual | CART_REMINDERS  # a reminder is right as long as he has not bought
        assert afternoon.wrong() == set()
        assert view()["open_cart"]["categories"] == ["jackets"]

        afternoon.until("15:00")
        told = {"id": "check-in-1", "type": "check_in", "at": f"{DAY}T15:00:00Z", "store": "High Street"}
        assert api.post("/v1/events", json={**told, "phone": james["phone"]}).json()["profile_id"] == profile
        again = api.post("/v1/events", json={**told, "phone": james["phone"]})
        assert (again.status_code, again.json()["repeated"]) == (200, True)
        afternoon.sync("15:10")
        assert set(afternoon.messages()) == usual | CART_REMINDERS
        assert [visit["store"] for visit in view()["visits_today"]] == ["High Street"]

        afternoon.until("15:20")
        afternoon.happens("store_order", customer=james["square"], total=PRICE, list_total=PRICE, **JACKET)
        assert set(afternoon.messages()) == usual | CART_REMINDERS | ON_THE_RECEIPT
        assert afternoon.wrong() == CART_REMINDERS | DISCOUNTS | ON_THE_RECEIPT  # nobody knows but the till
        afternoon.sync("15:25")
        assert set(afternoon.messages()) == STATEMENTS | OTHERS
        assert afternoon.wrong() == set()

        points = _points(view())
        afternoon.until("15:30")
        afternoon.happens("accumulate_points", account=james["loyalty_account"], points=189)
        assert afternoon.wrong() == STATEMENTS  # they say what he had before
        afternoon.sync("15:35")
        said = afternoon.messages()
        assert {place: float(said[place]["shown"]) for place in STATEMENTS} == dict.fromkeys(STATEMENTS, points + 189)
        assert set(said) == STATEMENTS | OTHERS
        assert afternoon.wrong() == set()

        afternoon.happens("open_case", contact=james["salesforce"], type="Question")
        afternoon.sync("15:39")
        assert set(afternoon.messages()) == STATEMENTS | OTHERS  # he asks something: that is no complaint
        shown = view()
        assert shown["sentences"] == [
            f"Member of Club since 22 January 2023, tier gold until 5 July 2027, {points + 189:,} points.",
            "Just bought jackets in the store today at 15:20, at full price.",
            "Among the top 20% of customers by spend in the last twelve months.",
            "Checked in at High Street today at 15:00.",
        ]
        assert shown["top_20_percent"] is True
        assert shown["open_cart"] is None
        assert shown["complaint_open_since"] is None

    # The offers come back on their day by themselves, also while the hub rests. Shopify's tag has no day: it waits for
    # the hub.
    afternoon.here.post("/clock", {"advance_seconds": timedelta(days=13).total_seconds()})
    assert not set(afternoon.messages()) & (DISCOUNTS | CART_REMINDERS)
    afternoon.here.post("/clock", {"advance_seconds": timedelta(days=1).total_seconds()})
    assert set(afternoon.messages()) & (DISCOUNTS | CART_REMINDERS) == DISCOUNTS - {("shopify", "email", "discount")}
    assert afternoon.wrong() == set()


def _points(view: dict[str, Any]) -> int:
    [membership] = view["memberships"]
    return int(membership["points"])
