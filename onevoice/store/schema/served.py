"""What the API reads and writes: identifiers, changes, events, keys, and who read what."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table

from onevoice.store.columns import JsonText, UtcTime
from onevoice.store.schema.base import metadata, ref_column

card = Table(
    "card",
    metadata,
    Column("number", String(200), primary_key=True, comment="in the form in which identity compares cards"),
    ref_column(primary_key=True, index=True),
)

profile_change = Table(
    "profile_change",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("profile_id", String(40), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("other_id", String(40)),
    Column("at", UtcTime, nullable=False, comment="as_of of the run that changed it"),
    sqlite_autoincrement=True,
    comment="the change feed: rows are only ever added, in the order in which transactions ended",
)

event = Table(
    "event",
    metadata,
    Column("event_id", String(100), primary_key=True, comment="given by the sender: sending twice is sending once"),
    Column("type", String(40), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("store", String(100), nullable=False),
    Column("identifier", String(20), nullable=False, comment="email, phone or card"),
    Column("value", String(320), nullable=False, comment="in the hub's own form"),
    Column("digest", String(32), nullable=False, comment="of what was sent: the same id with other content is refused"),
    Column("owner", String(400), index=True, comment="the customer record of the one person it surely belongs to"),
    Column("received_at", UtcTime, nullable=False, index=True),
)

api_key = Table(
    "api_key",
    metadata,
    Column("key_id", String(20), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("hash", String(64), nullable=False, comment="SHA-256 of the secret part, which is kept nowhere"),
    Column("scopes", JsonText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("revoked_at", UtcTime),
)

read_audit = Table(
    "read_audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key_id", String(20), nullable=False, index=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("method", String(10), nullable=False),
    Column("route", String(100), nullable=False, comment="as declared, without anybody's address in it"),
    Column("status", Integer, nullable=False),
    Column("profiles", JsonText, nullable=False, comment="ids of the profiles that were answered"),
)
