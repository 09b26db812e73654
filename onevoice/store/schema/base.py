"""What all tables share: the registry that migrations read, and the column that names a record."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, MetaData, String

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def ref_column(name: str = "ref", **options: Any) -> Column[Any]:
    """A column that names a record: `system/stream/key`."""
    return Column(name, String(400), nullable=False, **options)
