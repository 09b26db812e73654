"""The hub's memory: SQLite (embedded) or PostgreSQL, through SQLAlchemy Core. The only room that knows SQL tables."""

from sqlalchemy import Connection

from onevoice.store.engine import Store, open_store

__all__ = ["Connection", "Store", "open_store"]
