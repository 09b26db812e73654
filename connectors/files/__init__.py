"""Files: exports of systems that have no API, as a source."""

from __future__ import annotations

from collections.abc import Mapping

from connectors._manifest import Manifest
from connectors.files.source import FolderSource
from onevoice.protocols import Budget

__all__ = ["open_system"]


def open_system(system: str, settings: Mapping[str, str], budget: Budget, manifest: Manifest) -> FolderSource:
    """The folder behind `settings`. It needs no budget, and its streams are not those of the manifest."""
    del budget, manifest
    return FolderSource(system, settings)
