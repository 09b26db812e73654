"""A sandbox shop with customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import ClassVar

from loopback import Stage
from onevoice.protocols import Field, Write
from onevoice.sandbox.shopify import create_app, shopify_state
from onevoice.sandbox.state import Clock, ServerConfig
from rigs.common import AS_OF, LONG_AGO, VendorRig

TOKEN = "shpat_s3cr3t-of-the-app"  # the tests look for it in error texts
TIER, UNTIL = "metafields.onevoice.tier", "metafields.onevoice.no_welcome_until"
DISCOUNT = "tagged.onevoice-no-discount"
CONSENT = "defaultEmailAddress.marketingState"


class ShopifyRig(VendorRig):
    """The shop. Customers hold metafields of the fields that `provision` made."""

    kind: ClassVar = "shopify"
    stream: ClassVar = "customers"
    fields: ClassVar = ("lastName", "defaultEmailAddress.emailAddress", TIER, DISCOUNT)
    private: ClassVar = (TOKEN, "jane.moss", "0-no-date")
    credential: ClassVar = "access_token"

    def edit(self, key: str) -> None:
        self.people.update(key, {"lastName": "Edited"}, actor="hand")

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
        return self.people.insert(row, stamp=stamp, key=key, actor="seed")

    def _held(self, key: str, name: str) -> object:
        row = self.people.rows[key]
        if name == CONSENT:
            return row["emailMarketing"]["state"]
        if name.startswith("tagged."):
            return name.removeprefix("tagged.") in row["tags"]
        return row["metafields"].get(name.removeprefix("metafields."), {}).get("value")


@contextmanager
def shop(stage: Stage) -> Iterator[ShopifyRig]:
    """A shop without customers, limits off, with the metafields that the tests write."""
    state = shopify_state(Clock(AS_OF))
    state.faults.limits_on = False
    stage.app = create_app(state, ServerConfig(stage.url, "", TOKEN))
    rig = ShopifyRig(state, {"url": stage.url, "access_token": TOKEN})
    made = [Field("customers", TIER, "text", "Tier"), Field("customers", UNTIL, "date", "No welcome until")]
    rig.open().provision(made, dry_run=False)
    yield rig
