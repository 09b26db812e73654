"""Runs of the hub, and the lock of those that must not meet."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table

from onevoice.store.columns import JsonText, UtcTime
from onevoice.store.schema.base import metadata

run = Table(
    "run",
    metadata,
    Column("run", String(40), primary_key=True),
    Column("as_of", UtcTime, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("exit_code", Integer),
    Column("report", JsonText),
)

lock = Table(
    "lock",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("owner", String(120), nullable=False),
    Column("until", UtcTime, nullable=False),
)
