"""The hub's memory: SQLite (embedded) or PostgreSQL, through SQLAlchemy Core. The only room that knows SQL tables."""

from onevoice.store.engine import Connection, Store, open_store

__all__ = ["Connection", "Store", "open_store"]
