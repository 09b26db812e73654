"""Names, ids and SOQL: nothing enters a query or a URL that was not checked here."""

from __future__ import annotations

import re
from collections.abc import Sequence

from connectors._watermark import Span, iso

FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
RECORD_ID = re.compile(r"[a-zA-Z0-9]{15}([a-zA-Z0-9]{3})?")


def window_query(entity: str, fields: Sequence[str], stamp: str, span: Span) -> str:
    """Everything in the window that is not done yet, in the order of (stamp, Id).

    `entity` and `stamp` come from the manifest, `fields` from the org's own description of the object.
    """
    conditions = [f"{stamp} <= {iso(span.through)}"]
    if span.stamp is not None:
        begin = iso(span.stamp)
        conditions.append(
            f"({stamp} > {begin} OR ({stamp} = {begin} AND Id > '{_checked_id(span.id)}'))"
            if span.id
            else f"{stamp} >= {begin}"
        )
    return " ".join(
        ["SELECT", ", ".join(fields), "FROM", entity, "WHERE", " AND ".join(conditions), "ORDER BY", f"{stamp}, Id"]
    )


def same_record(one: str, other: str) -> bool:
    """Whether two ids, of 15 or 18 characters, name the same record."""
    return one[:15] == other[:15]


def _checked_id(text: str) -> str:
    if not RECORD_ID.fullmatch(text):
        raise ValueError("not a record id")
    return text
