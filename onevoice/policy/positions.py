"""Where a fault inside an expression stands in the YAML file: line and column of the very character."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from onevoice.configfile.document import Document, Position, shown_path
from onevoice.errors import Fault
from onevoice.policy.rules import RuleFault


def placed(fault: RuleFault, document: Document, text: str) -> Fault:
    """The fault at its line and column; `text` is the whole file that `document` was read from."""
    if fault.offset is None:
        return document.fault(fault.path, fault.kind, fault.message)
    value = _value_at(document.value, fault.path)
    line, column = document.position(fault.path)
    if isinstance(value, str):
        line, column = position_in(text, (line, column), value, fault.offset)
    return Fault(document.file, line, column, fault.kind, shown_path(fault.path), fault.message)


def unplaced(fault: RuleFault) -> Fault:
    """The fault with its line and column counted inside the expression, where the file is not at hand."""
    return Fault(fault.file, 1, (fault.offset or 0) + 1, fault.kind, shown_path(fault.path), fault.message)


def position_in(text: str, begin: Position, value: str, offset: int) -> Position:
    """Line and column of character `offset` of a YAML text value that begins at `begin`.

    YAML folds lines and cuts indentation, but it keeps every other character in order, so characters that are not
    blank are counted off: first those of the value before the offset, then as many in the file.
    """
    wanted = sum(not character.isspace() for character in value[:offset])
    if offset < len(value) and value[offset].isspace():
        wanted = max(wanted - 1, 0)
    lines = text.splitlines()
    row, column = begin[0] - 1, begin[1] - 1
    first = lines[row][column : column + 1]
    if first in "|>":
        row, column = row + 1, 0
    elif first in "\"'":
        column += 1
    quote = first if first in "\"'" else ""
    return _counted(lines, row, column, wanted, quote) or begin


def _counted(lines: Sequence[str], row: int, column: int, wanted: int, quote: str) -> Position | None:
    """The position of the non-blank character number `wanted` (from 0) from `row` and `column` on."""
    for number in range(row, len(lines)):
        line = lines[number]
        place = column if number == row else 0
        while place < len(line):
            if not line[place].isspace():
                if wanted == 0:
                    return number + 1, place + 1
                wanted -= 1
            doubled = quote == "'" and line.startswith("''", place)
            escaped = quote == '"' and line[place] == "\\"
            place += 2 if doubled or escaped else 1
    return None


def _value_at(value: Any, path: Sequence[str | int]) -> Any:
    try:
        for segment in path:
            value = value[segment]
    except (KeyError, IndexError, TypeError):
        return None
    return value
