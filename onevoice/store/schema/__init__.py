"""Every table of the hub, drawn once. Migrations are generated from these definitions and a test holds them equal.

A `ref` is `system/stream/key` (`onevoice.model.Ref` as text), so that a record anywhere is one value. JSON columns hold
what `orjson` reads and writes. Times are UTC and aware.
"""

from onevoice.store.schema.base import metadata
from onevoice.store.schema.decided import carried_elsewhere, contradiction, decision, decision_log, drift
from onevoice.store.schema.operated import act, amendment, approval
from onevoice.store.schema.pulled import (
    consent_event,
    contact_point,
    cursor,
    item,
    quarantine,
    record,
    reread,
    work,
)
from onevoice.store.schema.pushed import AMBIGUOUS, IN_FLIGHT, PENDING, destination, hold, outbox, step, write_log
from onevoice.store.schema.resolved import (
    block,
    edge,
    former_link,
    identity_record,
    lineage,
    profile,
    review,
    source_link,
    steward_constraint,
)
from onevoice.store.schema.running import lock, run
from onevoice.store.schema.served import api_key, card, event, profile_change, read_audit

__all__ = [
    "AMBIGUOUS",
    "IN_FLIGHT",
    "PENDING",
    "act",
    "amendment",
    "api_key",
    "approval",
    "block",
    "card",
    "carried_elsewhere",
    "consent_event",
    "contact_point",
    "contradiction",
    "cursor",
    "decision",
    "decision_log",
    "destination",
    "drift",
    "edge",
    "event",
    "former_link",
    "hold",
    "identity_record",
    "item",
    "lineage",
    "lock",
    "metadata",
    "outbox",
    "profile",
    "profile_change",
    "quarantine",
    "read_audit",
    "record",
    "reread",
    "review",
    "run",
    "source_link",
    "step",
    "steward_constraint",
    "work",
    "write_log",
]
