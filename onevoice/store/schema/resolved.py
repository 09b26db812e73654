"""Who is who: records in comparable form, their matches, stewards' decisions, profiles and their lives."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Float, Index, Integer, String, Table, Text

from onevoice.store.columns import JsonText, UtcTime
from onevoice.store.schema.base import metadata, ref_column

identity_record = Table(
    "identity_record",
    metadata,
    ref_column(primary_key=True),
    Column("normalised", JsonText, nullable=False),
    Column("hash", String(32), nullable=False),
)

block = Table(
    "block",
    metadata,
    Column("value", BigInteger, primary_key=True, autoincrement=False, comment="code of a blocking key"),
    ref_column(primary_key=True),
    Column("surname", String(20), nullable=False, comment="how many names share a value tells whether to believe it"),
    comment="which records are found under a key; the keys of a record follow from its normalised form",
    sqlite_with_rowid=False,
)

edge = Table(
    "edge",
    metadata,
    Column("left", String(400), primary_key=True),
    Column("right", String(400), primary_key=True, index=True),
    Column("kind", String(40), nullable=False),
    Column("weight", Float, nullable=False),
    Column("probability", Float, nullable=False),
)

steward_constraint = Table(
    "steward_constraint",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("left", String(400), nullable=False, index=True),
    Column("right", String(400), nullable=False, index=True),
    Column("same", Boolean, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("withdrawn_at", UtcTime, comment="empty while the decision is in force"),
    Column("withdrawn_by", String(200)),
    Column("withdrawn_reason", Text),
    sqlite_autoincrement=True,
    comment="what stewards decided on two records: rows are only ever added, and withdrawn once",
)

review = Table(
    "review",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("left", String(400), nullable=False),
    Column("right", String(400), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("weight", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime, comment="empty while the question is open"),
    Column("answer", Integer, index=True, comment="the decision that closed it; empty: the evidence is another now"),
    # Most questions are open: an index on that alone would be chosen, and read from end to end.
    Index(None, "closed_at", "left"),
    Index(None, "closed_at", "right"),
    sqlite_autoincrement=True,
    comment="pairs of records that a steward is asked about",
)

source_link = Table(
    "source_link",
    metadata,
    ref_column(primary_key=True),
    Column("profile_id", String(40), nullable=False, index=True),
    Column("since", UtcTime, nullable=False),
)

former_link = Table(
    "former_link",
    metadata,
    ref_column(primary_key=True),
    Column("profile_id", String(40), primary_key=True, index=True),
    Column("until", Date, comment="first day on which its noes hold no longer; empty: the record is gone, they stay"),
    comment="records that left a profile, and whose opt-outs stay with it",
)

profile = Table(
    "profile",
    metadata,
    Column("profile_id", String(40), primary_key=True),
    Column("redirect", String(40), comment="the surviving profile, once this one is retired"),
    Column("created_at", UtcTime, nullable=False),
    Column("golden", JsonText, nullable=False),
    Column("provenance", JsonText, nullable=False),
    Column("status", JsonText, nullable=False, comment="programme -> merged loyalty status"),
    Column("consent", JsonText, nullable=False),
    Column("facts", JsonText, nullable=False),
    Column("hash", String(32), nullable=False, comment="of golden, status, consent and facts"),
    Column("provenance_hash", String(32), nullable=False, default="", comment="of provenance, which may change alone"),
    Column("due_on", Date, comment="first day on which the passing of time may change status or facts"),
    Column("annual_spend", Float, index=True, comment="the fact of that name, to rank customers by"),
    Column("changed_at", UtcTime, nullable=False),
    # Nearly every profile has no redirect: an index on that alone would be chosen, and read from end to end.
    Index(None, "redirect", "profile_id"),
    Index(None, "redirect", "due_on"),
)

lineage = Table(
    "lineage",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("profile_id", String(40), nullable=False, index=True),
    Column("other_id", String(40), index=True),
    Column("kind", String(20), nullable=False),
    Column("cause", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
)
