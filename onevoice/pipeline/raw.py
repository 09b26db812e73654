"""What a vendor sent, in a form that both databases keep. Nothing is dropped: what cannot be kept as it is is told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import orjson

from onevoice.model import Item, Ref
from onevoice.protocols import Record

FAULT = "_fault"
"""In a record's data: a sentence that says why it could not be read. Its raw form is kept, and nothing is mapped."""
LONGEST_REF = 400
LONGEST_POINT = 320
_LONGEST = {"contact_point": LONGEST_POINT, "email": LONGEST_POINT, "phone": LONGEST_POINT, "brand": 100, "purpose": 40}


def storable(system: str, stream: str, record: Record) -> tuple[Record, str]:
    """A record that can be stored, and the hash of its data.

    Signs that are no text (half an emoji, a zero byte) are replaced, numbers beyond 64 bits become text. A key that
    cannot be kept is replaced by its hash, and the record is set aside.
    """
    key = record.key
    if len(str(Ref(system, stream, key))) > LONGEST_REF or _clean(key) != key:
        digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        sentence = "its key is too long, or holds signs that are no text"
        record = replace(record, key=f"unusable:{digest}", data={**record.data, FAULT: sentence})
    try:
        text = orjson.dumps(record.data, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        text = b""
    if not text or b"\\u0000" in text:
        record = replace(record, data=_clean(record.data))
        text = orjson.dumps(record.data, option=orjson.OPT_SORT_KEYS)
    return record, hashlib.blake2b(text, digest_size=16).hexdigest()


def too_long(items: Iterable[Item]) -> str:
    """What of some items is too long to be kept, as a sentence; empty when nothing is."""
    for item in items:
        if item.owner and len(str(item.owner)) > LONGEST_REF:
            return f"the key of the record that the {item.kind} belongs to is too long"
        for name, most in _LONGEST.items():
            if len(str(item.data.get(name) or "")) > most:
                return f"{item.kind}.{name} is longer than {most} characters"
    return ""


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")
    if isinstance(value, Mapping):
        return {_clean(str(name)): _clean(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    if value is None or isinstance(value, bool | float):
        return value
    return value if isinstance(value, int) and -(2**63) <= value < 2**64 else str(value)
