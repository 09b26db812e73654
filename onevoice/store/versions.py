"""The store's version: created when empty, checked when not, upgraded only when told to."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from onevoice.errors import StoreVersionError


def bring_up_to_date(engine: Engine) -> None:
    """Create the tables of an empty database; raise StoreVersionError when another version wrote it."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
        empty = not inspect(connection).get_table_names()
    if found == head:
        return
    if found is None and empty:
        upgrade(engine)
        return
    if found is None:
        raise StoreVersionError("store: the database holds tables that are not Onevoice's (name an empty database)")
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found in known:
        raise StoreVersionError(f"store: written by an older version, {found} (run: onevoice store upgrade)")
    raise StoreVersionError(f"store: written by a newer version, {found} (upgrade Onevoice, or restore a backup)")


def upgrade(engine: Engine) -> None:
    """Run every migration that this store lacks, in one transaction."""
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
