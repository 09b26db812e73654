"""Alembic's entry: run the migrations on the connection that `onevoice.store.versions` hands over."""

from __future__ import annotations

from alembic import context

from onevoice.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, compare_type=True)
context.run_migrations()
