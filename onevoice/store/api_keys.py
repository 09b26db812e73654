"""Keys of the API. What opens the door is shown once and kept nowhere: the store knows its hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, bindparam, select

from onevoice.store.schema import api_key

PREFIX = "ovk_"
"""Begins every key, so that scanners for leaked secrets can know it."""
_LONGEST = 200
_BY_ID = select(api_key).where(api_key.c.key_id == bindparam("id"))


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key."""

    key_id: str
    name: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def is_open(self, now: datetime) -> bool:
        """Neither revoked nor past its end."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def create_key(
    connection: Connection, name: str, scopes: Collection[str], created_at: datetime, expires_at: datetime | None
) -> str:
    """Make a key; returns the text that its holder sends, which cannot be had a second time."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    row = {
        "key_id": key_id,
        "name": name,
        "hash": _hash(secret),
        "scopes": sorted(scopes),
        "created_at": created_at,
        "expires_at": expires_at,
        "revoked_at": None,
    }
    connection.execute(api_key.insert(), [row])
    return f"{PREFIX}{key_id}_{secret}"


def find_key(connection: Connection, text: str) -> ApiKey | None:
    """The key that this text opens with, whether or not it still may; None when it is nobody's."""
    key_id, _, secret = text.removeprefix(PREFIX).partition("_")
    if not text.startswith(PREFIX) or len(text) > _LONGEST or not text.isascii() or "\0" in text:
        return None
    row = connection.execute(_BY_ID, {"id": key_id}).first()
    # 256 random bits need no slow hash; the comparison takes equally long whatever is wrong.
    if row is None or not hmac.compare_digest(row.hash, _hash(secret)):
        return None
    return _key(row)


def all_keys(connection: Connection) -> list[ApiKey]:
    """Every key, oldest first."""
    return [_key(row) for row in connection.execute(select(api_key).order_by(api_key.c.created_at, api_key.c.key_id))]


def revoke_key(connection: Connection, key_id: str, at: datetime) -> bool:
    """Close a key for good; whether there is such a key. Closing twice keeps the first time."""
    known = connection.execute(select(api_key.c.key_id).where(api_key.c.key_id == key_id)).first()
    open_still = (api_key.c.key_id == key_id) & api_key.c.revoked_at.is_(None)
    connection.execute(api_key.update().where(open_still).values(revoked_at=at))
    return known is not None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: Row[tuple[object, ...]]) -> ApiKey:
    return ApiKey(row.key_id, row.name, frozenset(row.scopes), row.created_at, row.expires_at, row.revoked_at)
