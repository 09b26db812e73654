"""A sandbox portal with contacts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import ClassVar

from loopback import Stage
from onevoice.protocols import Field, Write
from onevoice.sandbox.hubspot.app import create_app
from onevoice.sandbox.state import Clock, ServerConfig, hubspot_stamp
from onevoice.sandbox.tables import hubspot_state
from rigs.common import AS_OF, LONG_AGO, VendorRig

SECRET = "s3cr3t-of-the-private-app"  # the tests look for it in error texts


class HubSpotRig(VendorRig):
    """The portal. Archived contacts lie in a table of their own."""

    kind: ClassVar = "hubspot"
    stream: ClassVar = "contacts"
    fields: ClassVar = ("email", "lastname", "city")
    private: ClassVar = (SECRET, "jane.moss", "0-no-date", "the-refresh-token")
    credential: ClassVar = "client_secret"

    def edit(self, key: str) -> None:
        self.people.update(key, {"city": "Edited by hand"}, actor="hand")

    def delete(self, key: str) -> None:
        row = self.people.rows[key]
        super().delete(key)
        stamp = hubspot_stamp(self.state.clock.now())
        self.state.tables["archived_contacts"].insert({**row, "archived_at": stamp}, key=key, actor="hand")

    def good(self, key: str, serial: int) -> Write:
        return Write(key, {"city": f"City {serial}", "state": "Here"})

    def bad(self, key: str) -> Write:
        return Write(key, {"web_orders": "0-no-date", "lastname": "jane.moss"})

    def cleared(self, key: str) -> Write:
        return Write(key, {"city": None})

    def holds(self, write: Write) -> bool:
        row = self.people.rows[write.key]
        return all((row.get(name) or None) == value for name, value in write.fields.items())

    def new_field(self) -> Field:
        return Field("contacts", "onevoice_tier", "text", "Tier (Onevoice)")

    def contacts(self, count: int, stamp: datetime | None = None, **fields: object) -> list[str]:
        return [
            self.people.insert(
                {"lastname": "Moss", "email": f"jane.moss.{len(self.people)}@example.org", **fields},
                stamp=stamp or LONG_AGO + timedelta(seconds=serial),
                actor="seed",
            )
            for serial in range(count)
        ]


@contextmanager
def portal(stage: Stage) -> Iterator[HubSpotRig]:
    """A portal without contacts, limits off."""
    state = hubspot_state(Clock(AS_OF))
    state.faults.limits_on = False
    credentials = {"client_id": "the-client", "client_secret": SECRET, "refresh_token": "the-refresh-token"}
    stage.app = create_app(state, ServerConfig(stage.url, **credentials))
    yield HubSpotRig(state, {"url": stage.url, **credentials})
