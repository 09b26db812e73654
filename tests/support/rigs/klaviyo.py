"""A sandbox account with profiles; every request and every answer is held against Klaviyo's API description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from descriptions import klaviyo_judge
from loopback import Stage
from onevoice.protocols import Field, Write
from onevoice.sandbox.klaviyo import create_app
from onevoice.sandbox.klaviyo.tables import klaviyo_state
from onevoice.sandbox.state import Clock, ServerConfig
from openapi_judge import Asked, Judged
from rigs.common import AS_OF, LONG_AGO, VendorRig

KEY = "pk_s3cr3t-of-the-klaviyo-account"  # the tests look for it in error texts


@dataclass
class KlaviyoRig(VendorRig):
    """The account, on its stage."""

    kind: ClassVar = "klaviyo"
    stream: ClassVar = "profiles"
    fields: ClassVar = ("email", "last_name", "properties.city", "subscriptions.email.marketing.consent")
    private: ClassVar = (KEY, "jane.moss", "0-no-date")
    credential: ClassVar = "api_key"

    stage: Stage
    judge: Judged

    def edit(self, key: str) -> None:
        self.change(key, properties={"city": "Edited by hand"})

    def delete(self, key: str) -> None:
        super().delete(key)
        self.settle_index()

    def good(self, key: str, serial: int) -> Write:
        return Write(key, {"properties.onevoice_tier": f"tier {serial}", "properties.onevoice_points": serial})

    def bad(self, key: str) -> Write:
        return Write(key, {"properties.onevoice_tier": "0-no-date jane.moss " + 110_000 * "x"})

    def cleared(self, key: str) -> Write:
        return Write(key, {"properties.onevoice_tier": None})

    def holds(self, write: Write) -> bool:
        properties = self.row(write.key)["properties"]
        return all(properties.get(name.removeprefix("properties.")) == value for name, value in write.fields.items())

    def new_field(self) -> Field:
        return Field("profiles", "properties.onevoice_tier", "text", "Tier (Onevoice)")

    def contacts(self, count: int, stamp: datetime | None = None, **fields: object) -> list[str]:
        return [
            self.people.insert(
                {
                    "email": f"jane.moss.{len(self.people)}@example.org",
                    "last_name": "Moss",
                    "properties": {"city": "Leeds"},
                    **fields,
                },
                stamp=stamp or LONG_AGO + timedelta(seconds=serial),
                actor="seed",
            )
            for serial in range(count)
        ]

    def row(self, key: str) -> Mapping[str, Any]:
        """The profile as it is now."""
        return self.people.rows[key]

    def change(self, key: str, **fields: object) -> None:
        """Edit a profile at the vendor; lists show it after their lag."""
        self.people.update(key, fields, actor="hand")

    def settle_index(self) -> None:
        """Let lists of profiles catch up."""
        self.state.clock.advance(self.state.lag.total_seconds() + 1)

    def asked(self, part: str) -> list[Asked]:
        """Calls whose path holds `part`, in order."""
        return [call for call in self.judge.calls if part in call.path]


@contextmanager
def account(stage: Stage) -> Iterator[KlaviyoRig]:
    """An account without profiles, limits off; at the end no call may have been against the description."""
    state, judge = klaviyo_state(Clock(AS_OF)), klaviyo_judge()
    state.faults.limits_on = False
    judge.violations.clear()
    # Also what the account turns down must be a request by the description: a connector never asks wrongly on purpose.
    stage.app = judged = Judged(create_app(state, ServerConfig(stage.url, "the-client", KEY)), judge, pardoned=())
    yield KlaviyoRig(state, {"url": stage.url, "api_key": KEY}, stage, judged)
    assert judge.violations == []
