"""What the rigs of all vendors have in common: a vendor's state, and a connector that opens onto it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from connectors import open_connector
from onevoice.sandbox.state import Table, VendorState

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
LONG_AGO = AS_OF - timedelta(days=30)


class Freely:
    """A budget that never waits and remembers what it was told."""

    def __init__(self) -> None:
        self.acquired: list[tuple[str, bool]] = []
        self.costs: list[int] = []
        self.observed: list[tuple[str, int | None, int | None]] = []
        self.refusals: list[tuple[str, float | None]] = []

    def acquire(self, kind: str, *, urgent: bool = False, cost: int = 1) -> None:
        self.acquired.append((kind, urgent))
        self.costs.append(cost)

    def observe(self, kind: str, *, remaining: int | None = None, limit: int | None = None) -> None:
        self.observed.append((kind, remaining, limit))

    def throttled(self, kind: str, retry_after: float | None) -> None:
        self.refusals.append((kind, retry_after))


@dataclass
class VendorRig:
    """A sandbox account with people, for the contract suite and for tests of its own: ways to touch it behind the
    connector's back."""

    kind: ClassVar[str]
    stream: ClassVar[str]
    fields: ClassVar[tuple[str, ...]]
    private: ClassVar[tuple[str, ...]]
    """What must stand in no error text."""
    credential: ClassVar[str]
    """The setting that holds the secret."""

    state: VendorState
    settings: Mapping[str, str]

    def open(self, *, bad_credential: bool = False) -> Any:
        wrong = {self.credential: f"{self.settings[self.credential]}-but-wrong"} if bad_credential else {}
        return open_connector(self.kind, self.kind, {**self.settings, **wrong}, Freely())

    @property
    def people(self) -> Table:
        """The table of the stream that is written."""
        return self.state.tables[self.stream]

    def settled(self) -> datetime:
        return self.later(hours=2)

    def later(self, **time: float) -> datetime:
        """Let time pass at the vendor."""
        self.state.clock.advance(timedelta(**time).total_seconds())
        return self.state.clock.now()

    def keys(self) -> set[str]:
        return set(self.people.rows)

    def delete(self, key: str) -> None:
        self.people.delete(key, actor="hand")

    def throttle(self, *, on: bool) -> None:
        self.state.faults.throttle = on

    def calls(self) -> int:
        return int(self.state.calls.summary()["calls"])
