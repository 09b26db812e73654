"""Reading exported files: a whole file whenever its content is another one, resumable in the middle."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from connectors.files.formats import FORMATS, Row, columns, read_rows
from onevoice.errors import ConfigError, ContractBroken, PermissionMissing, Unavailable
from onevoice.protocols import Check, Json, Page, Record, Stream

PAGE = 5_000
FAULT = "_fault"
"""Stands in the data of a record that could not be read, with a sentence: the hub puts it into quarantine."""


class FolderSource:
    """A folder of exported files; implements Source.

    A cursor is {"sha256", "rows", "done"}: the content that was read, how many of its rows, and whether that was all.
    """

    def __init__(self, system: str, settings: Mapping[str, str]) -> None:
        self.system = system
        self._folder = Path(settings["folder"])
        self._keys = _options(settings, "key")
        self._stamps = _options(settings, "stamp")
        unkeyed = sorted(self._stamps.keys() - self._keys.keys())
        if unkeyed:
            raise ConfigError(f"{system}: {', '.join(unkeyed)}: a stream needs its key column ({unkeyed[0]}.key)")

    @property
    def streams(self) -> Mapping[str, Stream]:
        """One stream for every key column that was named, whether its file is there or not yet."""
        return {name: Stream(name=name, key=key) for name, key in self._keys.items()}

    def check(self) -> Check:
        """Open the folder and read the head of every file; PermissionMissing when the folder cannot be read."""
        try:
            present = {path.stem for path in self._folder.iterdir() if path.suffix.lower() in FORMATS}
        except OSError as exc:
            raise PermissionMissing(
                f"{self.system}: the folder cannot be read ({type(exc).__name__})", system=self.system
            ) from exc
        for name in sorted(present & self._keys.keys()):
            self._checked_columns(name, self._path(name))
        notes = [f"{name}: there is no such file yet" for name in sorted(self._keys.keys() - present)]
        notes += [
            f"{name}: the file is not read, for no key column is named ({name}.key)"
            for name in sorted(present - self._keys.keys())
        ]
        return Check(account=self._folder.name, notes=tuple(notes))

    def read(self, stream: str, cursor: Json | None, fields: Sequence[str], as_of: datetime) -> Iterator[Page]:
        """Yield every row when the file's content is not the one of the cursor. All columns are passed on.

        Of rows with the same key the last one wins. A row without a key, or one that does not fit the header, comes as
        a record with the key `line:<n>` and a sentence in `_fault`. A row that vanished is no delete.
        """
        del fields, as_of  # a file is read whole, and it is settled when it is written
        path = self._path(stream)
        self._checked_columns(stream, path)
        before = _signature(path)
        digest = _digest(path)
        known = cursor if cursor is not None and cursor.get("sha256") == digest else {}
        if known.get("done"):
            return
        done = int(known.get("rows", 0))
        anew = done == 0
        rows = islice(read_rows(path), done, None)
        while True:
            group = list(islice(rows, PAGE))
            done += len(group)
            last = len(group) < PAGE
            if _signature(path) != before:
                raise Unavailable(
                    f"{self.system}.{stream}: the file was changed while it was read (run again)",
                    system=self.system,
                    stream=stream,
                )
            yield Page(self._records(stream, group), {"sha256": digest, "rows": done, "done": last}, anew)
            if last:
                return
            anew = False

    def _records(self, stream: str, rows: Sequence[Row]) -> Sequence[Record]:
        records: dict[str, Record] = {}
        for row in rows:
            record = self._record(stream, row)
            # An earlier row of the same key is overtaken; the later one must also stand later.
            records.pop(record.key, None)
            records[record.key] = record
        return list(records.values())

    def _record(self, stream: str, row: Row) -> Record:
        column = self._keys[stream]
        value = row.values.get(column)
        key = "" if value is None or isinstance(value, bool | list | dict | float) else str(value).strip()
        fault = row.fault or ("" if key else f"there is no usable value in the key column {column}")
        if fault:
            return Record(f"line:{row.line}", {**row.values, FAULT: f"line {row.line}: {fault}"})
        return Record(key, row.values, _moment(row.values.get(self._stamps.get(stream, ""))))

    def _path(self, stream: str) -> Path:
        found = sorted(
            path for path in self._folder.glob("*.*") if path.stem == stream and path.suffix.lower() in FORMATS
        )
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            raise ContractBroken(
                f"{self.system}.{stream}: several files would be this stream: {names} (keep one)",
                system=self.system,
                stream=stream,
            )
        if not found or stream not in self._keys:
            endings = ", ".join(f"{stream}{ending}" for ending in FORMATS)
            raise ContractBroken(
                f"{self.system}.{stream}: there is no such file (looked for {endings})",
                system=self.system,
                stream=stream,
            )
        return found[0]

    def _checked_columns(self, stream: str, path: Path) -> None:
        present = columns(path)
        wanted = [self._keys[stream], *([self._stamps[stream]] if stream in self._stamps else [])]
        absent = [name for name in wanted if present is not None and name not in present]
        if absent and present is not None:
            raise ContractBroken(
                f"{self.system}.{stream}: {path.name} has no column {', '.join(absent)} "
                f"(it has: {', '.join(sorted(present))})",
                system=self.system,
                stream=stream,
            )


def _options(settings: Mapping[str, str], option: str) -> Mapping[str, str]:
    ending = f".{option}"
    return {name.removesuffix(ending): value for name, value in settings.items() if name.endswith(ending)}


def _signature(path: Path) -> tuple[int, int]:
    state = path.stat()
    return state.st_size, state.st_mtime_ns


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _moment(value: Any) -> datetime | None:
    """A row's own time; without an offset it is taken as UTC, and what is no time is left to the mapping."""
    try:
        parsed = datetime.fromisoformat(value) if isinstance(value, str) and value else None
    except ValueError:
        return None
    if parsed is None:
        return None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
