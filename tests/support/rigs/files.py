"""A folder with one export."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from connectors import open_connector
from rigs.common import AS_OF, LONG_AGO, Freely


@dataclass
class FilesRig:
    """A folder with one export, for the contract suite."""

    folder: Path
    kind: ClassVar = "files"
    stream: ClassVar = "cards"
    fields: ClassVar = ("first_name",)
    private: ClassVar = ("jane.moss@example.org",)

    def open(self, *, bad_credential: bool = False) -> Any:
        del bad_credential  # a folder has none
        settings = {"folder": str(self.folder), "cards.key": "card_no", "cards.stamp": "changed_at"}
        return open_connector("files", "till", settings, Freely())

    def settled(self) -> datetime:
        return AS_OF

    def keys(self) -> set[str]:
        return {line.partition(",")[0] for line in self._lines()}

    def edit(self, key: str) -> None:
        self._write([line.replace("Jane", "Joan") if line.startswith(f"{key},") else line for line in self._lines()])

    def throttle(self, *, on: bool) -> None:
        """A folder does not throttle."""

    def calls(self) -> int:
        return 0

    def contacts(self, count: int) -> None:
        stamp = LONG_AGO.isoformat()
        self._write([f"{serial:07d},Jane,jane.moss@example.org,{stamp}" for serial in range(count)])

    def _path(self) -> Path:
        return self.folder / "cards.csv"

    def _lines(self) -> list[str]:
        return self._path().read_text("utf-8").splitlines()[1:]

    def _write(self, lines: list[str]) -> None:
        self._path().write_text("\n".join(["card_no,first_name,email,changed_at", *lines]) + "\n", "utf-8")
