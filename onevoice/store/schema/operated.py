"""What people decided about single writes and records: corrections, approvals, and the trail of who did what."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, String, Table, Text

from onevoice.store.columns import JsonText, UtcTime
from onevoice.store.schema.base import metadata, ref_column

amendment = Table(
    "amendment",
    metadata,
    ref_column(primary_key=True),
    Column("stage", String(20), primary_key=True, comment="mapping: a value that was pulled; delivery: one to write"),
    Column("field", String(200), primary_key=True),
    Column("instead_of", JsonText, comment="the value for which it holds: for another one it is void"),
    Column("value", JsonText),
    Column("dropped", Boolean, nullable=False, comment="the field is not written at all"),
    comment="values that a person put in place of refused ones",
)

approval = Table(
    "approval",
    metadata,
    Column("plan", String(32), primary_key=True, comment="hash of the plan that was approved"),
    Column("configuration", String(32), nullable=False, comment="the configuration under which it was made"),
    Column("writes", JsonText, nullable=False, comment="a hash of each write that the plan held, sorted"),
    Column("actor", String(200), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("used_by", String(40), comment="the first run that it let through"),
    Column("closed_at", UtcTime, comment="no longer needed"),
)

act = Table(
    "act",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("act", String(20), nullable=False, comment="edit, retry, drop, lift, approve or backfill"),
    Column("subject", String(400), nullable=False, index=True, comment="a ref, the hash of a plan, or a stream"),
    Column("actor", String(200), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", JsonText, nullable=False),
    comment="what people changed by hand, never removed",
)
