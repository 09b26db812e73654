"""What may reach whom, what the systems would send against it, and what somebody changed there."""

from __future__ import annotations

from sqlalchemy import Column, Date, Integer, String, Table, Text

from onevoice.store.columns import JsonText, UtcTime
from onevoice.store.schema.base import metadata, ref_column

decision = Table(
    "decision",
    metadata,
    Column("profile_id", String(40), primary_key=True),
    Column("denials", JsonText, nullable=False),
    Column("valid_until", Date, index=True),
    Column("policy", String(64), nullable=False, index=True),
    Column("decided_at", UtcTime, nullable=False),
)

decision_log = Table(
    "decision_log",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("profile_id", String(40), nullable=False, index=True),
    Column("denials", JsonText, nullable=False),
    Column("facts", JsonText, nullable=False),
    Column("policy", String(64), nullable=False),
    Column("decided_at", UtcTime, nullable=False),
    comment="every change of a decision with the facts it stood on, for the question that comes months later",
)

contradiction = Table(
    "contradiction",
    metadata,
    ref_column(primary_key=True),
    Column("family", String(60), primary_key=True),
    Column("channel", String(20), primary_key=True),
    Column("class", String(10), primary_key=True),
    Column("sentence", Text, nullable=False),
    Column("evidence", JsonText, nullable=False),
    Column("opened_at", UtcTime, primary_key=True),
    Column("closed_at", UtcTime, comment="empty while a system would still send what was decided against"),
)

carried_elsewhere = Table(
    "carried_elsewhere",
    metadata,
    ref_column(primary_key=True),
    Column("family", String(60), primary_key=True),
    comment="families that a customer gets once, and that another record of the customer carries",
)

drift = Table(
    "drift",
    metadata,
    ref_column(primary_key=True),
    Column("field", String(120), primary_key=True),
    Column("noted_at", UtcTime, primary_key=True),
    Column("held", JsonText, comment="what the vendor's record held instead"),
    comment="values that the hub had written and somebody changed at the vendor",
)
