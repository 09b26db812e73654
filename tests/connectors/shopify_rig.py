"""A sandbox shop with customers, for the contract suite and for tests of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors import open_connector
from onevoice.protocols import Budget, Field, Write
from onevoice.sandbox.shopify import create_app, shopify_state
from onevoice.sandbox.state import Clock, ServerConfig, VendorState

Serve = Callable[..., AbstractContextManager[str]]
"""conftest's `served`."""
AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
LONG_AGO = AS_OF - timedelta(days=30)
TOKEN = "shpat_s3cr3t-of-the-app"  # the tests look for it in error texts
TIER, UNTIL = "metafields.onevoice.tier", "metafields.onevoice.no_welcome_until"
DISCOUNT = "tagged.onevoice-no-discount"
CONSENT = "defaultEmailAddress.marketingState"


@dataclass
class ShopifyRig:
    """Customers hold metafields of the fields that `provision` made."""

    state: VendorState
    settings: Mapping[str, str]
    budget: Callable[[], Budget]
    kind: str = "shopify"
    stream: str = "customers"
    fields: tuple[str, ...] = ("lastName", "defaultEmailAddress.emailAddress", TIER, DISCOUNT)
    private: tuple[str, ...] = (TOKEN, "jane.moss", "0-no-date")

    def open(self, *, bad_credential: bool = False) -> Any:
        settings = {**self.settings, "access_token": f"{TOKEN}-but-wrong"} if bad_credential else self.settings
        return open_connector("shopify", "shopify", settings, self.budget())

    def settled(self) -> datetime:
        self.state.clock.advance(7200)
        return self.state.clock.now()

    def keys(self) -> set[str]:
        return set(self.state.tables["customers"].rows)

    def edit(self, key: str) -> None:
        self.state.tables["customers"].update(key, {"lastName": "Edited"}, actor="hand")

    def delete(self, key: str) -> None:
        self.state.tables["customers"].delete(key, actor="hand")

    def throttle(self, *, on: bool) -> None:
        self.state.faults.throttle = on

    def calls(self) -> int:
        return int(self.state.calls.summary()["calls"])

    def good(self, key: str, serial: int) -> Write:
        return Write(key, {TIER: f"tier {serial}", UNTIL: f"2027-01-{serial:02d}", DISCOUNT: True})

    def bad(self, key: str) -> Write:
        return Write(key, {UNTIL: "0-no-date", TIER: "jane.moss"})

    def cleared(self, key: str) -> Write:
        return Write(key, {TIER: None, DISCOUNT: False})

    def holds(self, write: Write) -> bool:
        return all(self._held(write.key, name) == value for name, value in write.fields.items())

    def new_field(self) -> Field:
        return Field("customers", "metafields.onevoice.points", "integer", "Points (Onevoice)")

    def contacts(self, count: int, stamp: datetime | None = None, **fields: object) -> list[str]:
        """Customers who have long been there; their ids begin at 1."""
        return [
            self._customer(serial + 1, stamp or LONG_AGO + timedelta(seconds=serial), fields) for serial in range(count)
        ]

    def add(self, table: str, kind: str, serial: int, stamp: datetime, **fields: object) -> str:
        """An order or checkout that has long been there."""
        key = f"gid://shopify/{kind}/{serial}"
        told = f"{stamp:%Y-%m-%dT%H:%M:%SZ}"
        row = {"id": key, "createdAt": told, "updatedAt": told, "customer": None, "lines": [], **fields}
        return self.state.tables[table].insert(row, stamp=stamp, key=key, actor="seed")

    def _customer(self, serial: int, stamp: datetime, fields: Mapping[str, object]) -> str:
        key = f"gid://shopify/Customer/{serial}"
        row = {
            "id": key,
            "firstName": "Jane",
            "lastName": "Moss",
            "email": f"jane.moss.{serial}@example.org",
            "emailMarketing": {"state": "SUBSCRIBED", "optInLevel": "SINGLE_OPT_IN", "updatedAt": None},
            "phone": None,
            "phoneMarketing": {"state": "NOT_SUBSCRIBED", "optInLevel": "UNKNOWN", "updatedAt": None},
            "address": None,
            "tags": ["vip"],
            "metafields": {},
            **fields,
        }
        return self.state.tables["customers"].insert(row, stamp=stamp, key=key, actor="seed")

    def _held(self, key: str, name: str) -> object:
        row = self.state.tables["customers"].rows[key]
        if name == CONSENT:
            return row["emailMarketing"]["state"]
        if name.startswith("tagged."):
            return name.removeprefix("tagged.") in row["tags"]
        return row["metafields"].get(name.removeprefix("metafields."), {}).get("value")


@contextmanager
def shop(served: Serve, budget: Callable[[], Budget]) -> Iterator[ShopifyRig]:
    """A shop without customers, limits off, with the metafields that the tests write."""
    state = shopify_state(Clock(AS_OF))
    state.faults.limits_on = False
    with served(lambda url: create_app(state, ServerConfig(url, "", TOKEN)), None) as url:
        rig = ShopifyRig(state, {"url": url, "access_token": TOKEN}, budget)
        made = [Field("customers", TIER, "text", "Tier"), Field("customers", UNTIL, "date", "No welcome until")]
        rig.open().provision(made, dry_run=False)
        yield rig
