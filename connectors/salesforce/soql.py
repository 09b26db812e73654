"""Names, ids and SOQL: nothing enters a query or a URL that was not checked here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from connectors._watermark import Span, iso

FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
RECORD_ID = re.compile(r"[a-zA-Z0-9]{15}([a-zA-Z0-9]{3})?")


def window_query(entity: str, fields: Sequence[str], stamp: str, span: Span, only: str = "") -> str:
    """Everything in the window that is not done yet, in the order of (stamp, Id), and of that `only` what is `stated`.

    `entity` and `stamp` come from the manifest, `fields` from the org's own description of the object.
    """
    conditions = [f"{stamp} <= {iso(span.through)}", *([only] if only else [])]
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


def stated(words: Mapping[str, tuple[str, Sequence[str]]]) -> str:
    """The condition that one of these fields (name -> type, words) holds one of its words.

    The names come from the org's own description of the object.
    """
    return f"({' OR '.join(_holds(name, *of) for name, of in words.items())})"


def _holds(name: str, type_: str, words: Sequence[str]) -> str:
    if type_ == "boolean":
        return f"{name} = {'true' if 'true' in words else 'false'}"
    return f"{name} IN ({', '.join(map(_quoted, words))})"


def _quoted(text: str) -> str:
    """A text as SOQL writes it (SOQL and SOSL Reference, "Quoted String Escape Sequences")."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def same_record(one: str, other: str) -> bool:
    """Whether two ids, of 15 or 18 characters, name the same record."""
    return one[:15] == other[:15]


def _checked_id(text: str) -> str:
    if not RECORD_ID.fullmatch(text):
        raise ValueError("not a record id")
    return text
