"""What destination records hold, what is to be written there, what was written, and what is held."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from onevoice.store.columns import JsonText, UtcTime
from onevoice.store.schema.base import metadata, ref_column

PENDING, IN_FLIGHT, AMBIGUOUS = "pending", "in_flight", "ambiguous"
"""States of an open write: not sent; sent by somebody who is at it, or died over it; sent, and the answer was lost."""

destination = Table(
    "destination",
    metadata,
    ref_column(primary_key=True),
    Column("system", String(100), nullable=False),
    Column("stream", String(100), nullable=False),
    Column("sent", JsonText, nullable=False, comment="field -> value last sent and acknowledged, or seen there"),
    Column("observed", JsonText, nullable=False, comment="field -> value the vendor last reported"),
    Column("ours", JsonText, nullable=False, comment="irreversible fields that the hub itself has set"),
    Column(
        "adopted",
        JsonText,
        nullable=False,
        comment="adopted fields -> the hub's own value when the vendor's was let stand; null: the hub writes it",
    ),
    Column("version", UtcTime, comment="the vendor's own stamp of the newest version that is known"),
    Index(None, "system", "stream"),
)

outbox = Table(
    "outbox",
    metadata,
    ref_column(primary_key=True, comment="one open row per destination record: a newer plan replaces it"),
    Column("system", String(100), nullable=False),
    Column("stream", String(100), nullable=False),
    Column("fields", JsonText, nullable=False),
    Column("urgency", Integer, nullable=False, comment="0 opt-outs, 1 suppressions, 2 status"),
    Column("irreversible", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False, comment="how often it was put off in a row"),
    Column("next_at", UtcTime, comment="not before; null: at once"),
    Column("state", String(20), nullable=False, comment="pending, in_flight or ambiguous"),
    Column("owner", String(120), comment="who has it in flight: run:host:process:start"),
    Column("lease_until", UtcTime, comment="so long its owner alone may settle it"),
    Column("planned_at", UtcTime, nullable=False),
    Index(None, "system", "stream", "urgency", "ref"),
)

write_log = Table(
    "write_log",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run", String(40), nullable=False, index=True),
    ref_column(index=True),
    Column("before", JsonText, nullable=False),
    Column("after", JsonText, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("at", UtcTime, nullable=False),
    comment="every value overwritten is kept",
)

hold = Table(
    "hold",
    metadata,
    Column("system", String(100), primary_key=True, comment="* for all of them"),
    Column("reason", Text, nullable=False),
    Column("since", UtcTime, nullable=False),
    comment="systems that nothing may be written to for now",
)

step = Table(
    "step",
    metadata,
    Column("step", String(20), primary_key=True),
    Column("version", String(32), nullable=False, comment="hash of the configuration under which it last worked"),
)
