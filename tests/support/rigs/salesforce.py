"""A sandbox org with contacts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import ClassVar

from loopback import Stage
from onevoice.protocols import Field, Write
from onevoice.sandbox.certificate import Certificate
from onevoice.sandbox.salesforce import create_app
from onevoice.sandbox.state import Clock, ServerConfig
from onevoice.sandbox.tables import salesforce_state
from rigs.common import AS_OF, LONG_AGO, VendorRig

SECRET = "s3cr3t-of-the-connected-app"  # the tests look for it in error texts


class SalesforceRig(VendorRig):
    """The org. Deleted contacts lie in the bin."""

    kind: ClassVar = "salesforce"
    stream: ClassVar = "Contact"
    fields: ClassVar = ("LastName", "Email", "Title")
    private: ClassVar = (SECRET, "jane.moss@example.org", "0-no-date")
    credential: ClassVar = "client_secret"

    def keys(self) -> set[str]:
        return {key for key, row in self.people.rows.items() if not row.get("IsDeleted")}

    def edit(self, key: str) -> None:
        self.people.update(key, {"Title": "Edited by hand"}, actor="hand")

    def delete(self, key: str) -> None:
        self.people.update(key, {"IsDeleted": True}, actor="hand")

    def good(self, key: str, serial: int) -> Write:
        return Write(key, {"Title": f"Title {serial}", "HasOptedOutOfEmail": True})

    def bad(self, key: str) -> Write:
        return Write(key, {"Birthdate": "0-no-date", "Email": "jane.moss@example.org"})

    def cleared(self, key: str) -> Write:
        return Write(key, {"Title": None})

    def holds(self, write: Write) -> bool:
        row = self.people.rows[write.key]
        return all(row.get(name) == value for name, value in write.fields.items())

    def new_field(self) -> Field:
        return Field("Contact", "onevoice_tier__c", "text", "Tier (Onevoice)")

    def contacts(self, count: int, stamp: datetime | None = None, **fields: object) -> list[str]:
        return [
            self.people.insert(
                {"LastName": "Moss", "Email": "jane.moss@example.org", "IsDeleted": False, **fields},
                stamp=stamp or LONG_AGO + timedelta(seconds=serial),
                actor="seed",
            )
            for serial in range(count)
        ]


@contextmanager
def org(stage: Stage, certificate: Certificate) -> Iterator[SalesforceRig]:
    """An org without contacts, limits off."""
    state = salesforce_state(Clock(AS_OF))
    state.faults.limits_on = False
    stage.app = create_app(state, ServerConfig(stage.url, "the-client", SECRET))
    settings = {"url": stage.url, "ca": str(certificate.ca), "client_id": "the-client", "client_secret": SECRET}
    yield SalesforceRig(state, settings)
