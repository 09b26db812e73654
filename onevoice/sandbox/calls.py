"""The count of what was asked of a vendor, and the fewest calls that would have done the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

READ, WRITE, SETUP = "read", "write", "setup"
"""Kinds of operation. SETUP is signing in, describing and provisioning: never counted among the writes."""

DONE, THROTTLED, TOKEN_EXPIRED, PARTIAL_FAILURE, REFUSED = (
    "done",
    "throttled",
    "token_expired",
    "partial_failure",
    "refused",
)
"""Outcomes. A throttled or expired call was not carried out and does not count as a write call."""


@dataclass(slots=True)
class Operation:
    """The calls of one named operation."""

    kind: str
    batch_limit: int
    """Most records that one call carries by the vendor's documentation."""
    calls: int = 0
    carried_out: int = 0
    units: int = 0
    """Records changed, sent with an accepted result."""

    @property
    def minimum_calls(self) -> int:
        """The fewest calls that carry these units."""
        return -(-self.units // self.batch_limit)


@dataclass(slots=True)
class CallLog:
    """Every API call of one vendor."""

    operations: dict[str, Operation] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)

    def record(self, operation: str, kind: str, *, units: int = 0, batch_limit: int = 1, outcome: str = DONE) -> None:
        """Note one call: `units` = records it changed."""
        known = self.operations.setdefault(operation, Operation(kind, batch_limit))
        known.calls += 1
        known.units += units
        known.carried_out += outcome not in {THROTTLED, TOKEN_EXPIRED}
        self.outcomes[outcome] += 1

    def reset(self) -> None:
        """Begin again from nothing."""
        self.operations.clear()
        self.outcomes.clear()

    def summary(self) -> dict[str, Any]:
        """The counts as GET /calls gives them for one system."""
        writes = [operation for operation in self.operations.values() if operation.kind == WRITE]
        return {
            "calls": sum(operation.calls for operation in self.operations.values()),
            "write_calls": sum(operation.carried_out for operation in writes),
            "records_written": sum(operation.units for operation in writes),
            "minimum_calls": sum(operation.minimum_calls for operation in writes),
            "throttled": self.outcomes[THROTTLED],
            "token_expired": self.outcomes[TOKEN_EXPIRED],
            "partial_failures": self.outcomes[PARTIAL_FAILURE],
            "by_operation": {
                name: {
                    "kind": operation.kind,
                    "calls": operation.calls,
                    "units": operation.units,
                    "batch_limit": operation.batch_limit,
                    "minimum_calls": operation.minimum_calls if operation.kind == WRITE else 0,
                }
                for name, operation in sorted(self.operations.items())
            },
        }
