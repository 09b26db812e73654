"""Stored rows as plain values."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row


def plain(row: Row[Any]) -> dict[str, Any]:
    """A row as a dict with plain text keys: SQLAlchemy marks reserved words (run, class) with a str of its own."""
    return {str(name): value for name, value in row._mapping.items()}
