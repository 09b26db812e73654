"""What a plan costs at each vendor: API calls, the least time that documented limits allow, the share of quotas.

Only the writes are counted. Reading them back takes calls as well; how many depends on what the vendor shows where.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors import catalogue
from onevoice.pipeline.hub import Hub
from onevoice.protocols import TellsQuotas


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota of which the vendor itself tells the size."""

    name: str
    needed: int
    left: int | None
    """None: the vendor has not told."""
    of: int | None


@dataclass(frozen=True, slots=True)
class SystemCost:
    """What the planned writes of one system cost."""

    system: str
    records: int
    calls: int
    seconds: float
    """The least time that the documented limits allow."""
    limit: str
    """The limit that decides on the seconds; "" where none is documented."""
    quotas: tuple[Quota, ...]


@dataclass
class Meter:
    """Counts the calls that the writes of one system take."""

    hub: Hub
    system: str
    records: int = 0
    _carried: dict[tuple[str, int], Counter[tuple[str, bool]]] = field(default_factory=lambda: defaultdict(Counter))
    """(stream, place of the price) -> field and direction -> what goes into calls; ("", True) where all go together."""

    def __post_init__(self) -> None:
        self._manifest = catalogue()[self.hub.config.hub.systems[self.system].connector]

    def count(self, stream: str, fields: Mapping[str, Any]) -> None:
        """Add one write, vendor values by field."""
        self.records += 1
        entry = self._manifest.streams[stream]
        for place, price in enumerate(entry.prices):
            carried = self._carried[stream, place]
            matching = {
                (name, set_there)
                for name, value in fields.items()
                if name.startswith(price.fields)
                for set_there in (is_set(entry.memberships, name, value),)
                if price.values == "any" or set_there is (price.values == "set")
            }
            if price.counts == "fields":
                carried.update(matching)
            elif matching:
                carried[("", True)] += 1 if price.counts == "records" else len(matching)

    def cost(self) -> SystemCost:
        """What all that was counted costs."""
        calls: Counter[str] = Counter()
        points: Counter[str] = Counter()
        for (stream, place), carried in self._carried.items():
            price = self._manifest.streams[stream].prices[place]
            made = price.calls * sum(-(-units // price.many) for units in carried.values())
            calls[price.kind] += made
            points[price.kind] += made * price.points
        slowest, limit = 0.0, ""
        quotas = []
        told = self._told()
        for known in self._manifest.limits:
            needed = sum((points if known.points else calls)[kind] for kind in known.kinds)
            if known.calls is None:
                quotas.append(Quota(known.name, needed, *told.get(known.name, (None, None))))
            elif needed * known.seconds / known.calls > slowest:
                slowest, limit = needed * known.seconds / known.calls, known.name
        return SystemCost(self.system, self.records, calls.total(), slowest, limit, tuple(quotas))

    def _told(self) -> Mapping[str, tuple[int, int]]:
        budget = self.hub.budgets.get(self.system)
        return budget.quotas() if isinstance(budget, TellsQuotas) else {}


def is_set(memberships: str | None, name: str, value: Any) -> bool:
    """Whether a vendor value sets a field, or puts a record in where the field is a membership; else it clears it."""
    if memberships is not None and name.startswith(memberships):
        return bool(value)
    return value is not None
