"""One YAML text as plain values, with the position of every key and value.

The text is read event by event (ruamel.yaml, YAML 1.2) and built here, so that nothing is guessed: `NO`, `on`, `012`,
`1_000`, `0o12`, `12:30:00`, `1e3` and bare dates stay text; only true/false, null, plain integers and plain decimals
with a point are anything else. A key is always text, as written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from onevoice.errors import Fault

Path = tuple[str | int, ...]
Position = tuple[int, int]
"""Line and column, both from 1."""

TOP: Position = (1, 1)

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_PLAIN = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}


def plain_scalar(text: str) -> Any:
    """The value of an unquoted scalar: null, a boolean, an integer, a decimal number, else the text itself."""
    if text in _PLAIN:
        return _PLAIN[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    return text


def shown_path(path: Sequence[str | int]) -> str:
    """A path as admins read it: `pull.consent[0].fields.effect`; the whole file is `(file)`."""
    text = ""
    for segment in path:
        text += f"[{segment}]" if isinstance(segment, int) else f".{segment}" if text else segment
    return text or "(file)"


@dataclass(frozen=True, slots=True)
class Document:
    """The values of one file and where each of them stands."""

    file: str
    value: Any
    _values: dict[Path, Position] = field(default_factory=dict, repr=False)
    _keys: dict[Path, Position] = field(default_factory=dict, repr=False)

    def has(self, path: Sequence[str | int]) -> bool:
        """Whether something is written at this path."""
        return tuple(path) in self._values

    def position(self, path: Sequence[str | int]) -> Position:
        """Where the value at this path stands, or the nearest thing around it that is written."""
        rest = tuple(path)
        while rest not in self._values and rest:
            rest = rest[:-1]
        return self._values.get(rest, TOP)

    def key_position(self, path: Sequence[str | int]) -> Position:
        """Where the key of this path stands, or the nearest thing around it."""
        return self._keys.get(tuple(path)) or self.position(path)

    def fault(self, path: Sequence[str | int], kind: str, message: str, *, at_key: bool = False) -> Fault:
        """A fault of this file at the position of `path`."""
        line, column = self.key_position(path) if at_key else self.position(path)
        return Fault(self.file, line, column, kind, shown_path(path), message)
