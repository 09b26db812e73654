"""A sandbox seller with customers; every request and every answer is held against Square's API description."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest

from descriptions import square_judge
from loopback import Stage
from onevoice.protocols import Field, Write
from onevoice.sandbox.square import create_app, put_attribute
from onevoice.sandbox.square.tables import square_state
from onevoice.sandbox.state import Clock, ServerConfig
from openapi_judge import Asked, Judged
from rigs.common import AS_OF, LONG_AGO, VendorRig

TOKEN = "EAAA-s3cr3t-of-the-seller"  # the tests look for it in error texts
TIER, UNTIL, GROUP = (
    "custom_attributes.onevoice_tier",
    "custom_attributes.onevoice_tier_until",
    "in_group.onevoice_no_join",
)
FIELDS = (
    Field("customers", TIER, "text", "Tier (Onevoice)"),
    Field("customers", UNTIL, "date", "Tier until (Onevoice)"),
    Field("customers", GROUP, "boolean", "No join (Onevoice)"),
)


@dataclass
class SquareRig(VendorRig):
    """The seller, with the calls that it got. `provision` has made `FIELDS`."""

    kind: ClassVar = "square"
    stream: ClassVar = "customers"
    fields: ClassVar = ("family_name", "email_address", TIER, UNTIL, GROUP)
    private: ClassVar = (TOKEN, "jane.moss", "0-no-date")
    credential: ClassVar = "access_token"

    asked: list[Asked]

    def edit(self, key: str) -> None:
        self.people.update(key, {"family_name": "Edited"}, actor="hand")

    def good(self, key: str, serial: int) -> Write:
        return Write(key, {TIER: f"tier {serial}", UNTIL: f"2027-01-{serial:02d}", GROUP: True})

    def bad(self, key: str) -> Write:
        return Write(key, {UNTIL: "0-no-date", TIER: "jane.moss"})

    def cleared(self, key: str) -> Write:
        return Write(key, {TIER: None, GROUP: False})

    def holds(self, write: Write) -> bool:
        return all(self.held(write.key, name) == value for name, value in write.fields.items())

    def held(self, key: str, name: str) -> Any:
        """What the seller holds of a field."""
        row = self.people.rows[key]
        kind, _, inner = name.partition(".")
        if kind == "in_group":
            ids = {group["name"]: group_id for group_id, group in self.state.tables["groups"].rows.items()}
            return ids[inner] in (row.get("group_ids") or ())
        return (row.get("custom_attributes") or {}).get(inner, {}).get("value")

    def put(self, key: str, name: str, value: object) -> None:
        """Set an attribute by hand."""
        put_attribute(self.state, key, name, value, actor="hand")

    def new_field(self) -> Field:
        return Field("customers", "custom_attributes.onevoice_profile_id", "text", "Profile (Onevoice)")

    def contacts(self, count: int, stamp: datetime | None = None, **fields: object) -> list[str]:
        """Customers who have long been there."""
        return [
            self.people.insert(
                {"family_name": "Moss", "email_address": f"jane.moss.{serial}@example.org", **fields},
                stamp=stamp or LONG_AGO + timedelta(seconds=serial),
                actor="seed",
            )
            for serial in range(count)
        ]

    def sent(self, path: str, method: str = "POST") -> list[Any]:
        """Bodies of the calls to this path."""
        return [call.body for call in self.asked if call.method == method and call.path == path]

    def paths(self, part: str) -> list[str]:
        """`METHOD /path` of the calls whose path holds this."""
        return [f"{call.method} {call.path}" for call in self.asked if part in call.path]

    def read(self, stream: str, cursor: Any = None) -> tuple[dict[str, Any], Any]:
        """(records by key, last cursor) of a read that sees everything that is settled by now."""
        pages = list(self.open().read(stream, cursor, self.fields, self.state.clock.now()))
        return {record.key: record for page in pages for record in page.records}, pages[-1].cursor


@contextmanager
def seller(stage: Stage) -> Iterator[SquareRig]:
    """A seller without customers, limits off; at the end, everything that was said must fit the description."""
    state, judge = square_state(Clock(AS_OF)), square_judge()
    state.faults.limits_on = False
    state.tables["locations"].insert(
        {"name": "High Street", "merchant_id": "M1", "status": "ACTIVE"}, LONG_AGO, "L01", "seed"
    )
    judge.violations.clear()
    stage.app = judged = Judged(create_app(state, ServerConfig(stage.url, "the-application", TOKEN)), judge)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("connectors.square.customers.PAGE", 20)  # judging large pages takes its time
        rig = SquareRig(state, {"url": stage.url, "access_token": TOKEN}, judged.calls)
        rig.open().provision(FIELDS, dry_run=False)
        rig.asked.clear()
        yield rig
    assert judge.violations == []
