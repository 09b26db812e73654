"""Rows of a file, in the order of the file: what can be read, and a sentence for what cannot.

CSV values stay text as they are written (012 is 012). JSON lines and Parquet keep their types; dates, times, decimals
and bytes, which JSON does not have, become text.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from onevoice.errors import ContractBroken

DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its place in the file, counted from 1 as an editor does, and its values or what is wrong with it."""

    line: int
    values: Mapping[str, Any]
    fault: str = ""


Rows = Iterator[Row]


def columns(path: Path) -> frozenset[str] | None:
    """The columns a file announces; None for JSON lines, where every line names its own."""
    match path.suffix.lower():
        case ".csv":
            with _text(path) as file:
                return frozenset(_header(path, file)[0])
        case ".parquet":
            return frozenset(_parquet(path).schema_arrow.names)
    return None


def read_rows(path: Path) -> Rows:
    """Every row of the file; ContractBroken when the file as a whole cannot be read."""
    return FORMATS[path.suffix.lower()](path)


def _csv_rows(path: Path) -> Rows:
    with _text(path) as file:
        names, reader = _header(path, file)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as exc:
                yield Row(line, {}, f"the quoting is broken, up to line {reader.line_num} ({exc})")
                continue
            except UnicodeDecodeError as exc:
                raise _not_utf8(path, reader.line_num + 1) from exc
            if not cells:
                continue
            if len(cells) != len(names):
                yield Row(line, {}, f"{len(cells)} columns where the header has {len(names)}")
            else:
                yield Row(line, dict(zip(names, cells, strict=True)))


def _header(path: Path, file: TextIO) -> tuple[list[str], Any]:
    """The column names, and the reader that stands after them. The delimiter is the one the header uses most."""
    try:
        first = file.readline()
    except UnicodeDecodeError as exc:
        raise _not_utf8(path, 1) from exc
    if not first.strip():
        raise ContractBroken(f"{path.name}: the file has no header line (export it with column names)")
    file.seek(0)
    reader = csv.reader(file, delimiter=max(DELIMITERS, key=first.count), strict=True)
    try:
        names = [name.strip() for name in next(reader)]
    except csv.Error as exc:
        raise ContractBroken(f"{path.name}: line 1: the header's quoting is broken") from exc
    if len(set(names)) != len(names) or "" in names:
        raise ContractBroken(f"{path.name}: line 1: a column has no name or the name of another one (rename it)")
    return names, reader


def _json_rows(path: Path) -> Rows:
    with path.open("rb") as file:
        for line, raw in enumerate(file, start=1):
            try:
                text = raw.decode("utf-8-sig" if line == 1 else "utf-8").strip()
            except UnicodeDecodeError as exc:
                raise _not_utf8(path, line) from exc
            if text:
                yield _json_row(line, text)


def _json_row(line: int, text: str) -> Row:
    try:
        values = json.loads(text, parse_constant=_no_constant)
    except ValueError:
        return Row(line, {}, "the line is not JSON")
    if not isinstance(values, dict):
        return Row(line, {}, "the line is not a JSON object")
    return Row(line, values)


def _parquet_rows(path: Path) -> Rows:
    line = 0
    for batch in _parquet(path).iter_batches():
        for values in batch.to_pylist():
            line += 1
            yield Row(line, {name: _plain(value) for name, value in values.items()})


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as exc:
        raise ContractBroken(f"{path.name}: the file is not Parquet (export it again)") from exc


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, Decimal) else value


def _text(path: Path) -> TextIO:
    return path.open(encoding="utf-8-sig", newline="")


def _not_utf8(path: Path, line: int) -> ContractBroken:
    return ContractBroken(f"{path.name}: line {line} or soon after is not UTF-8 (export the file as UTF-8)")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


FORMATS: Mapping[str, Callable[[Path], Rows]] = {
    ".csv": _csv_rows,
    ".jsonl": _json_rows,
    ".ndjson": _json_rows,
    ".parquet": _parquet_rows,
}
