"""What was pulled: vendors' records, what mappings made of them, what customers said, and work that is left to do."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from onevoice.store.columns import JsonText, UtcTime
from onevoice.store.schema.base import metadata, ref_column

cursor = Table(
    "cursor",
    metadata,
    Column("system", String(100), primary_key=True),
    Column("stream", String(100), primary_key=True),
    Column("value", JsonText, nullable=False),
    Column("fields", JsonText, nullable=False, comment="vendor fields that were asked for: one more begins anew"),
    Column("moved_at", UtcTime, nullable=False),
)

record = Table(
    "record",
    metadata,
    ref_column(primary_key=True),
    Column("system", String(100), nullable=False),
    Column("stream", String(100), nullable=False),
    Column("raw", JsonText, nullable=False),
    Column("raw_hash", String(32), nullable=False),
    Column("updated_at", UtcTime),
    Column("deleted", Boolean, nullable=False),
    Column("mapping", String(32), nullable=False, comment="version of the mapping that made its items"),
    Column("pulled_at", UtcTime, nullable=False),
    Index(None, "system", "stream", "ref"),
)

reread = Table(
    "reread",
    metadata,
    Column("system", String(100), primary_key=True),
    Column("stream", String(100), primary_key=True),
    Column("reached", String(400), nullable=False, comment="ref up to which records were read again, in turn"),
)

item = Table(
    "item",
    metadata,
    ref_column(primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("data", JsonText, nullable=False),
    Column("owner", String(400), index=True),
)

contact_point = Table(
    "contact_point",
    metadata,
    ref_column(primary_key=True),
    Column("channel", String(20), primary_key=True),
    Column("value", String(320), nullable=False, index=True),
)

consent_event = Table(
    "consent_event",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    ref_column(index=True),
    Column("owner", String(400), nullable=False, index=True, comment="the customer record that it speaks of"),
    Column("contact_point", String(320), nullable=False, index=True),
    Column("channel", String(20), nullable=False),
    Column("purpose", String(40), nullable=False),
    Column("brand", String(100), nullable=False),
    Column("effect", String(10), nullable=False),
    Column("event_time", UtcTime, nullable=False),
    Column("origin", String(20), nullable=False),
    Column("evidence", Text, nullable=False),
    Column("noted_at", UtcTime, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    ref_column(primary_key=True),
    Column("stage", String(20), primary_key=True, comment="mapping, planning, delivery or loop"),
    Column("code", String(120), nullable=False),
    Column("reason", Text, nullable=False),
    Column("payload", JsonText, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("first_at", UtcTime, nullable=False),
    Column("last_at", UtcTime, nullable=False),
    Column("next_at", UtcTime, comment="tried again by itself from then on; null: not by itself"),
)

work = Table(
    "work",
    metadata,
    Column("step", String(20), primary_key=True),
    ref_column(primary_key=True),
    comment="what the next steps still have to look at: written with the change, removed with the outcome",
)
