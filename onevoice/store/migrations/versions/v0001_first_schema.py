"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "act",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("act", sa.String(length=20), nullable=False, comment="edit, retry, drop, lift, approve or backfill"),
        sa.Column("subject", sa.String(length=400), nullable=False, comment="a ref, the hash of a plan, or a stream"),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act")),
        comment="what people changed by hand, never removed",
    )
    op.create_index(op.f("ix_act_subject"), "act", ["subject"], unique=False)
    op.create_table(
        "amendment",
        sa.Column("ref", sa.String(length=400), nullable=False),
        sa.Column(
            "stage",
            sa.String(length=20),
            nullable=False,
            comment="mapping: a value that was pulled; delivery: one to write",
        ),
        sa.Column("field", sa.String(length=200), nullable=False),
        sa.Column(
            "instead_of", sa.Text(), nullable=True, comment="the value for which it holds: for another one it is void"
        ),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("dropped", sa.Boolean(), nullable=False, comment="the field is not written at all"),
        sa.PrimaryKeyConstraint("ref", "stage", "field", name=op.f("pk_amendment")),
        comment="values that a person put in place of refused ones",
    )
    op.create_table(
        "api_key",
        sa.Column("key_id", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column(
            "hash", sa.String(length=64), nullable=False, comment="SHA-256 of the secret part, which is kept nowhere"
        ),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_key")),
    )
    op.create_table(
        "approval",
        sa.Column("plan", sa.String(length=32), nullable=False, comment="hash of the plan that was approved"),
        sa.Column(
            "configuration", sa.String(length=32), nullable=False, comment="the configuration under which it was made"
        ),
        sa.Column("writes", sa.Text(), nullable=False, comment="a hash of each write that the plan held, sorted"),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_by", sa.String(length=40), nullable=True, comment="the first run that it let through"),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True, comment="no longer needed"),
        sa.PrimaryKeyConstraint("plan", name=op.f("pk_approval")),
    )
    op.create_table(
        "block",
        sa.Column("value", sa.BigInteger(), autoincrement=False, nullable=False, comment="code of a blocking key"),
        sa.Column("ref", sa.String(length=400), nullable=False),
        sa.Column(
            "surname",
            sa.String(length=20),
            nullable=False,
            comment="how many names share a value tells whether to believe it",
        ),
        sa.PrimaryKeyConstraint("value", "ref", name=op.f("pk_block")),
        comment="which records are found under a key; the keys of a record follow from its normalised form",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "card",
        sa.Column(
            "number", sa.String(length=200), nullable=False, comment="in the form in which identity compares cards"
        ),
        sa.Column("ref", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("number", "ref", name=op.f("pk_card")),
    )
    op.create_index(op.f("ix_card_ref"), "card", ["ref"], unique=False)
    op.create_table(
        "carried_elsewhere",
        sa.Column("ref", sa.String(length=400), nullable=False),
        sa.Column("family", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("ref", "family", name=op.f("pk_carried_elsewhere")),
        comment="families that a customer gets once, and that another record of the customer carries",
    )
    op.create_table(
        "consent_event",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("ref", sa.String(length=400), nullable=False),
        sa.Column("owner", sa.String(length=400), nullable=False, comment="the customer record that it speaks of"),
        sa.Column("contact_point", sa.String(length=320), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("brand", sa.String(length=100), nullable=False),
        sa.Column("effect", sa.String(length=10), nullable=False),
        sa.Column("event_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_event")),
    )
    op.create_index(op.f("ix_consent_event_contact_point"), "consent_event", ["contact_point"], unique=False)
    op.create_index(op.f("ix_consent_event_owner"), "consent_event", ["owner"], unique=False)
    op.create_index(op.f("ix_consent_event_ref"), "consent_event", ["ref"], unique=False)
    op.create_table(
        "contact_point",
        sa.Column("ref", sa.String(length=400), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=320), nullable=False),
        sa.PrimaryKeyConstraint("ref", "channel", name=op.f("pk_contact_point")),
    )
    op.create_index(op.f("ix_contact_point_value"), "contact_point", ["value"], unique=False)
    op.create_table(
        "contradiction",
        sa.Column("ref", sa.String(length=400), nullable=False),
        sa.Column("family", sa.String(length=60), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("class", sa.String(length=10), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "closed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="empty while a system would still send what was decided against",
        ),
        sa.PrimaryKeyConstraint("ref", "family", "channel", "class", "opened_at", name=op.f("pk_contradiction")),
    )
    op.create_table(
        "cursor",
        sa.Column("system", sa.String(length=100), nullable=False),
        sa.Column("stream", sa.String(length=100), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column(
            "fields", sa.Text(), nullable=False, comment="vendor fields that were asked for: one more begins anew"
        ),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("system", "stream", name=op.f("pk_cursor")),
    )
    op.create_table(
        "decision",
        sa.Column("profile_id", sa.String(length=40), nullable=False),
        sa.Column("denials", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("profile_id", name=op.f("pk_decision")),
    )
    op.create_index(op.f("ix_decision_policy"), "decision", ["policy"], unique=False)
    op.create_index(op.f("ix_decision_valid_until"), "decision", ["valid_until"], unique=False)
    op.create_table(
        "decision_log",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("profile_id", sa.String(length=40), nullable=False),
        sa.Column("denials", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision_log")),
        comment="every change of a decision with the facts it stood on, for the question that comes months later",
    )
    op.create_index(op.f("ix_decision_log_profile_id"), "decision_log", ["profile_id"], unique=False)
    op.create_table(
        "destination",
        sa.Column("ref", sa.String(length=400), nullable=False),
        sa.Column("system", sa.String(length=100), nullable=False),
        sa.Column("stream", sa.String(length=100), nullable=False),
        sa.Column(
            "sent", sa.Text(), nullable=False, comment="field -> value last sent and acknowledged, or seen there"
        ),
        sa.Column("observed", sa.Text(), nullable=False, comment="field -> value the vendor last reported"),
        sa.Column("ours", sa.Text(), nullable=False, comment="irreversible fields that the hub itself has set"),
        sa.Column(
            "adopted",
            sa.Text(),
            nullable=False,
            comment="adopted fields -> the hub's own value when the vendor's was let stand; null: the hub writes it",
        ),
        sa.Column(
            "version",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="the vendor's own stamp of the newest version that is known",
        ),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_destination")),
    )
    op.create_index(op.f("ix_destination_system_stream"), "destination", ["system", "stream"], unique=False)
    op.create_table(
        "drift",
        sa.Column("ref", sa.String(length=400), nullable=False),
        sa.Column("field", sa.String(length=120), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held", sa.Text(), nullable=True, comment="what the vendor's record held instead"),
        sa.PrimaryKeyConstraint("ref", "field", "noted_at", name=op.f("pk_drift")),
        comment="values that the hub had written and somebody changed at the vendor",
    )
    op.create_table(
        "edge",
        sa.Column("left", sa.String(length=400), nullable=False),
        sa.Column("right", sa.String(length=400), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("left", "right", name=op.f("pk_edge")),
    )
    op.create_index(op.f("ix_edge_right"), "edge", ["right"], unique=False)
    op.create_table(
        "event",
        sa.Column(
            "event_id",
            sa.String(length=100),
            nullable=False,
            comment="given by the sender: sending twice is sending once",
        ),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("store", sa.String(length=100), nullable=False),
        sa.Column("identifier", sa.String(length=20), nullable=False, comment="email, phone or card"),
        sa.Column("value", sa.String(length=320), nullable=False, comment="in the hub's own form"),
        sa.Column(
            "digest",
            sa.String(length=32),
            nullable=False,
            comment="of what was sent: the same id with other content is refused",
        ),
        sa.Column(
            "owner",
            sa.String(length=400),
            nullable=True,
            comment="the customer record of the one person it surely belongs to",
        ),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event")),
    )
    op.create_index(op.f("ix_event_owner"), "event", ["owner"], unique=False)
    op.create_index(op.f("ix_event_received_at"), "event", ["received_at"], unique=False)
    op.create_table(
        "former_link",
        sa.Column("ref", sa.String(length=400), nullable=False),
        sa.Column("profile_id", sa.String(length=40), nullable=False),
        sa.Column(
            "until",
            sa.Date(),
            nullable=True,
            comment="first day on which its noes hold no longer; empty: the record is gone, they stay",
        ),
        sa.PrimaryKeyConstraint("ref", "profile_id", name=op.f("pk_former_link")),
        comment="records that left a profile, and whose opt-outs stay with it",
    )
    op.create_index(op.f("ix_former_link_profile_id"), "former_link", ["profile_id"], unique=False)
    op.create_table(
        "hold",
        sa.Column("system", sa.String(length=100), nullable=False, comment="* for all of them"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("system", name=op.f("pk_hold")),
        comment="systems that nothing may be written to for now",
    )
    op.create_table(
        "identity_record",
        sa.Column("ref", sa.String(length=400), nullable=False),
        sa.Column("normalised", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_identity_record")),
    )
    op.create_table(
        "item",
        sa.Column("ref", sa.String(length=400), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=400), nullable=True),
        sa.PrimaryKeyConstraint("ref", "ordinal", name=op.f("pk_item")),
    )
    op.create_index(op.f("ix_item_owner"), "item", ["owner"], unique=False)
    op.create_table(
        "lineage",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("profile_id", sa.String(length=40), nullable=False),
        sa.Column("other_id", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lineage")),
    )
    op.create_index(op.f("ix_lineage_other_id"), "lineage", ["other_id"], unique=False)
    op.create_index(op.f("ix_lineage_profile_id"), "lineage", ["profile_id"], unique=False)
    op.create_table(
        "lock",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lock")),
    )
    op.create_table(
        "outbox",
        sa.Column(
            "ref",
            sa.String(length=400),
            nullable=False,
            comment="one open row per destination record: a newer plan replaces it",
        ),
        sa.Column("system", sa.String(length=100), nullable=False),
        sa.Column("stream", sa.String(length=100), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=False, comment="0 opt-outs, 1 suppressions, 2 status"),
        sa.Column("irreversible", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="how often it was put off in a row"),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True, comment="not before; null: at once"),
        sa.Column("state", sa.String(length=20), nullable=False, comment="pending, in_flight or ambiguous"),
        sa.Column(
            "owner", sa.String(length=120), nullable=True, comment="who has it in flight: run:host:process:start"
        ),
        sa.Column(
            "lease_until", sa.DateTime(timezone=True), nullable=True, comment="so long its owner alone may settle it"
        ),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_outbox")),
    )
    op.create_index(
        op.f("ix_outbox_system_stream_urgency_ref"), "outbox", ["system", "stream", "urgency", "ref"], unique=False
    )
    op.create_table(
        "profile",
        sa.Column("profile_id", sa.String(length=40), nullable=False),
        sa.Column(
            "redirect", sa.String(length=40), nullable=True, comment="the surviving profile, once this one is retired"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("golden", sa.Text(), nullable=False),
        sa.Column("provenance", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False, comment="programme -> merged loyalty status"),
        sa.Column("consent", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=32), nullable=False, comment="of golden, status, consent and facts"),
        sa.Column(
            "provenance_hash", sa.String(length=32), nullable=False, comment="of provenance, which may change alone"
        ),
        sa.Column(
            "due_on",
            sa.Date(),
            nullable=True,
            comment="first day on which the passing of time may change status or facts",
        ),
        sa.Column("annual_spend", sa.Float(), nullable=True, comment="the fact of that name, to rank customers by"),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("profile_id", name=op.f("pk_profile")),
    )
    op.create_index(op.f("ix_profile_annual_spend"), "profile", ["annual_spend"], unique=False)
    op.create_index(op.f("ix_profile_redirect_due_on"), "profile", ["redirect", "due_on"], unique=False)
    op.create_index(op.f("ix_profile_redirect_profile_id"), "profile", ["redirect", "profile_id"], unique=False)
    op.create_table(
        "profile_change",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("profile_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("other_id", sa.String(length=40), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="as_of of the run that changed it"),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_profile_change")),
        comment="the change feed: rows are only ever added, in the order in which transactions ended",
        sqlite_autoincrement=True,
    )
    op.create_table(
        "quarantine",
        sa.Column("ref", sa.String(length=400), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False, comment="mapping, planning, delivery or loop"),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "next_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="tried again by itself from then on; null: not by itself",
        ),
        sa.PrimaryKeyConstraint("ref", "stage", name=op.f("pk_quarantine")),
    )
    op.create_table(
        "read_audit",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("key_id", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column(
            "route", sa.String(length=100), nullable=False, comment="as declared, without anybody's address in it"
        ),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("profiles", sa.Text(), nullable=False, comment="ids of the profiles that were answered"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_read_audit")),
    )
    op.create_index(op.f("ix_read_audit_at"), "read_audit", ["at"], unique=False)
    op.create_index(op.f("ix_read_audit_key_id"), "read_audit", ["key_id"], unique=False)
    op.create_table(
        "record",
        sa.Column("ref", sa.String(length=400), nullable=False),
        sa.Column("system", sa.String(length=100), nullable=False),
        sa.Column("stream", sa.String(length=100), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("raw_hash", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column(
            "mapping", sa.String(length=32), nullable=False, comment="version of the mapping that made its items"
        ),
        sa.Column("pulled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_record")),
    )
    op.create_index(op.f("ix_record_system_stream_ref"), "record", ["system", "stream", "ref"], unique=False)
    op.create_table(
        "reread",
        sa.Column("system", sa.String(length=100), nullable=False),
        sa.Column("stream", sa.String(length=100), nullable=False),
        sa.Column(
            "reached", sa.String(length=400), nullable=False, comment="ref up to which records were read again, in turn"
        ),
        sa.PrimaryKeyConstraint("system", "stream", name=op.f("pk_reread")),
    )
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("left", sa.String(length=400), nullable=False),
        sa.Column("right", sa.String(length=400), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True, comment="empty while the question is open"),
        sa.Column(
            "answer",
            sa.Integer(),
            nullable=True,
            comment="the decision that closed it; empty: the evidence is another now",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        comment="pairs of records that a steward is asked about",
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_review_answer"), "review", ["answer"], unique=False)
    op.create_index(op.f("ix_review_closed_at_left"), "review", ["closed_at", "left"], unique=False)
    op.create_index(op.f("ix_review_closed_at_right"), "review", ["closed_at", "right"], unique=False)
    op.create_table(
        "run",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_run")),
    )
    op.create_table(
        "source_link",
        sa.Column("ref", sa.String(length=400), nullable=False),
        sa.Column("profile_id", sa.String(length=40), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_source_link")),
    )
    op.create_index(op.f("ix_source_link_profile_id"), "source_link", ["profile_id"], unique=False)
    op.create_table(
        "step",
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column(
            "version",
            sa.String(length=32),
            nullable=False,
            comment="hash of the configuration under which it last worked",
        ),
        sa.PrimaryKeyConstraint("step", name=op.f("pk_step")),
    )
    op.create_table(
        "steward_constraint",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("left", sa.String(length=400), nullable=False),
        sa.Column("right", sa.String(length=400), nullable=False),
        sa.Column("same", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "withdrawn_at", sa.DateTime(timezone=True), nullable=True, comment="empty while the decision is in force"
        ),
        sa.Column("withdrawn_by", sa.String(length=200), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_steward_constraint")),
        comment="what stewards decided on two records: rows are only ever added, and withdrawn once",
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_steward_constraint_left"), "steward_constraint", ["left"], unique=False)
    op.create_index(op.f("ix_steward_constraint_right"), "steward_constraint", ["right"], unique=False)
    op.create_table(
        "work",
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("ref", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("step", "ref", name=op.f("pk_work")),
        comment="what the next steps still have to look at: written with the change, removed with the outcome",
    )
    op.create_table(
        "write_log",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("ref", sa.String(length=400), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_write_log")),
        comment="every value overwritten is kept",
    )
    op.create_index(op.f("ix_write_log_ref"), "write_log", ["ref"], unique=False)
    op.create_index(op.f("ix_write_log_run"), "write_log", ["run"], unique=False)
