"""Every table of the hub, drawn once. Migrations are generated from these definitions and a test holds them equal.

A `ref` is `system/stream/key` (`onevoice.model.Ref` as text), so that a record anywhere is one value. JSON columns hold
what `orjson` reads and writes. Times are UTC and aware.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from onevoice.store.columns import JsonText, UtcTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _ref(name: str = "ref", **options: Any) -> Column[Any]:
    return Column(name, String(400), nullable=False, **options)


# ---- pulled ------------------------------------------------------------------------------------------------------

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
    _ref(primary_key=True),
    Column("system", String(100), nullable=False),
    Column("stream", String(100), nullable=False),
    Column("raw", JsonText, nullable=False),
    Column("raw_hash", String(32), nullable=False),
    Column("updated_at", UtcTime),
    Column("deleted", Boolean, nullable=False),
    Column("mapping", String(32), nullable=False, comment="version of the mapping that made its items"),
    Column("pulled_at", UtcTime, nullable=False),
    Index(None, "system", "stream"),
)

item = Table(
    "item",
    metadata,
    _ref(primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("data", JsonText, nullable=False),
    Column("owner", String(400), index=True),
)

contact_point = Table(
    "contact_point",
    metadata,
    _ref(primary_key=True),
    Column("channel", String(20), primary_key=True),
    Column("value", String(320), nullable=False, index=True),
)

consent_event = Table(
    "consent_event",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _ref(index=True),
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
    _ref(primary_key=True),
    Column("stage", String(20), primary_key=True, comment="mapping or delivery"),
    Column("code", String(120), nullable=False),
    Column("reason", Text, nullable=False),
    Column("payload", JsonText, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("first_at", UtcTime, nullable=False),
    Column("last_at", UtcTime, nullable=False),
    Column("next_at", UtcTime),
)

work = Table(
    "work",
    metadata,
    Column("step", String(20), primary_key=True),
    _ref(primary_key=True),
    comment="what the next steps still have to look at: written with the change, removed with the outcome",
)

# ---- resolved ----------------------------------------------------------------------------------------------------

identity_record = Table(
    "identity_record",
    metadata,
    _ref(primary_key=True),
    Column("normalised", JsonText, nullable=False),
    Column("hash", String(32), nullable=False),
)

block = Table(
    "block",
    metadata,
    Column("value", BigInteger, primary_key=True, autoincrement=False, comment="code of a blocking key"),
    _ref(primary_key=True),
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
    _ref(primary_key=True),
    Column("profile_id", String(40), nullable=False, index=True),
    Column("since", UtcTime, nullable=False),
)

former_link = Table(
    "former_link",
    metadata,
    _ref(primary_key=True),
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

# ---- decided -----------------------------------------------------------------------------------------------------

decision = Table(
    "decision",
    metadata,
    Column("profile_id", String(40), primary_key=True),
    Column("denials", JsonText, nullable=False),
    Column("valid_until", Date, index=True),
    Column("policy", String(64), nullable=False),
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
    _ref(primary_key=True),
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
    _ref(primary_key=True),
    Column("family", String(60), primary_key=True),
    comment="families that a customer gets once, and that another record of the customer carries",
)

drift = Table(
    "drift",
    metadata,
    _ref(primary_key=True),
    Column("field", String(120), primary_key=True),
    Column("noted_at", UtcTime, primary_key=True),
    Column("held", JsonText, comment="what the vendor's record held instead"),
    comment="values that the hub had written and somebody changed at the vendor",
)

# ---- pushed ------------------------------------------------------------------------------------------------------

PENDING, IN_FLIGHT, AMBIGUOUS = "pending", "in_flight", "ambiguous"
"""States of an open write: not sent; sent by somebody who is at it, or died over it; sent, and the answer was lost."""

destination = Table(
    "destination",
    metadata,
    _ref(primary_key=True),
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
    Index(None, "system", "stream"),
)

outbox = Table(
    "outbox",
    metadata,
    _ref(primary_key=True, comment="one open row per destination record: a newer plan replaces it"),
    Column("system", String(100), nullable=False),
    Column("stream", String(100), nullable=False),
    Column("fields", JsonText, nullable=False),
    Column("urgency", Integer, nullable=False, comment="0 opt-outs, 1 suppressions, 2 status"),
    Column("irreversible", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("state", String(20), nullable=False, comment="pending, in_flight or ambiguous"),
    Column("owner", String(80), comment="who has it in flight"),
    Column("planned_at", UtcTime, nullable=False),
    Index(None, "system", "stream", "state", "urgency"),
)

write_log = Table(
    "write_log",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run", String(40), nullable=False, index=True),
    _ref(index=True),
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

# ---- running -----------------------------------------------------------------------------------------------------

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

# ---- served ------------------------------------------------------------------------------------------------------

card = Table(
    "card",
    metadata,
    Column("number", String(200), primary_key=True, comment="in the form in which identity compares cards"),
    _ref(primary_key=True, index=True),
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
