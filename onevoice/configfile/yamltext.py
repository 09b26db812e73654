"""Strict YAML: the bytes of a file to a `Document`, or the faults that forbid it. Never raises on bad text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)
from ruamel.yaml.reader import ReaderError

from onevoice.configfile.document import TOP, Document, Path, Position, plain_scalar, shown_path
from onevoice.errors import Fault

MAX_BYTES = 500_000
"""Largest file read: about 12,000 lines, far beyond what a person edits."""
MAX_DEPTH = 40
"""Deepest nesting: twice what any file here needs; keeps every later walk of the values off the stack limit."""
MAX_VALUES = 200_000
"""Most values of one file with its aliases spelled out: a small file cannot grow to gigabytes."""

_SECOND = "\0"
"""Marks the key of a value that is written twice; YAML text cannot hold this character."""


class _Refused(Exception):
    """The text cannot be read any further."""

    def __init__(self, position: Position, kind: str, path: Path, message: str) -> None:
        super().__init__(message)
        self.position, self.kind, self.path, self.message = position, kind, path, message


@dataclass(slots=True)
class _Open:
    """A list or mapping that is not closed yet."""

    value: dict[str, Any] | list[Any]
    path: Path
    anchor: str | None
    values_before: int
    key: str | None = None
    lines: dict[str, int] = field(default_factory=dict)
    """Line on which each key stands."""

    def next_path(self) -> Path:
        return (*self.path, len(self.value) if self.key is None else self.key)

    def awaits_key(self) -> bool:
        return isinstance(self.value, dict) and self.key is None


class _Builder:
    """Builds values from events; `faults` collects what does not forbid reading on."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []
        self.values: dict[Path, Position] = {}
        self.keys: dict[Path, Position] = {}
        self.root: Any = None
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._count = 0

    def feed(self, events: Iterable[Event]) -> None:
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _Refused(_mark(event), "syntax", (), "a second document begins here (one file holds one)")
            elif isinstance(event, CollectionEndEvent):
                self._close()
            elif isinstance(event, NodeEvent):
                if self._open and self._open[-1].awaits_key():
                    self._key(self._open[-1], event)
                else:
                    self._value(event)

    def _key(self, inside: _Open, event: NodeEvent) -> None:
        position = _mark(event)
        _refuse_tag(event, position, inside.path)
        if not isinstance(event, ScalarEvent):
            raise _Refused(position, "syntax", inside.path, "a key must be a plain text, not a list, mapping or alias")
        key = str(event.value)
        path = (*inside.path, key)
        if key == "<<" and not event.style:
            raise _Refused(position, "syntax", path, "merge keys are not read (write the keys out)")
        if key in inside.lines:
            message = f"this key is already written on line {inside.lines[key]} (remove one of the two)"
            self.faults.append(Fault(self.file, *position, "duplicate key", shown_path(path), message))
            inside.key = f"{key}{_SECOND}{position[0]}"
            return
        inside.lines[key] = position[0]
        inside.key = key
        self.keys[path] = position

    def _value(self, event: NodeEvent) -> None:
        position = _mark(event)
        path = self._open[-1].next_path() if self._open else ()
        _refuse_tag(event, position, path)
        if isinstance(event, ScalarEvent) and not event.value and not event.style:
            position = self.keys.get(path, position)  # nothing is written: it stands where its key stands
        self.values[path] = position
        self._grow(1, position, path)
        if isinstance(event, AliasEvent):
            if event.anchor not in self._anchors:
                message = f"nothing above is marked &{event.anchor} (a text that begins with * needs quotes)"
                raise _Refused(position, "syntax", path, message)
            value, size = self._anchors[event.anchor]
            self._grow(size, position, path)
            self._place(value)
        elif isinstance(event, ScalarEvent):
            value = event.value if event.style else plain_scalar(event.value)
            if event.anchor:
                self._anchors[event.anchor] = (value, 1)
            self._place(value)
        elif len(self._open) >= MAX_DEPTH:
            raise _Refused(
                position, "too deep", path[:3], f"nested more than {MAX_DEPTH} levels deep (write it flatter)"
            )
        else:
            fresh: dict[str, Any] | list[Any] = {} if isinstance(event, MappingStartEvent) else []
            self._open.append(_Open(fresh, path, event.anchor, self._count))

    def _close(self) -> None:
        closed = self._open.pop()
        if closed.anchor:
            self._anchors[closed.anchor] = (closed.value, self._count - closed.values_before)
        self._place(closed.value)

    def _place(self, value: Any) -> None:
        if not self._open:
            self.root = value
            return
        inside = self._open[-1]
        if isinstance(inside.value, list):
            inside.value.append(value)
            return
        key, inside.key = inside.key, None
        if key is not None and _SECOND not in key:
            inside.value[key] = value

    def _grow(self, by: int, position: Position, path: Path) -> None:
        self._count += by
        if self._count > MAX_VALUES:
            message = f"more than {MAX_VALUES:,} values with every *alias spelled out (split the file)"
            raise _Refused(position, "too large", path[:3], message)


def read_yaml(file: str, data: bytes) -> tuple[Document | None, list[Fault]]:
    """The document in `data`, or None with the faults that forbid it; duplicate keys come with the document."""
    if len(data) > MAX_BYTES:
        return None, [_whole(file, TOP, "too large", f"at most {MAX_BYTES:,} bytes are read (split the file)")]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        position = (before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1)
        return None, [_whole(file, position, "not UTF-8", "a character is not UTF-8 (save the file as UTF-8)")]
    builder = _Builder(file)
    try:
        builder.feed(YAML(typ="safe", pure=True).parse(text))
    except _Refused as refused:
        fault = Fault(file, *refused.position, refused.kind, shown_path(refused.path), refused.message)
        return None, [*builder.faults, fault]
    except YAMLError as error:
        return None, [*builder.faults, _syntax_fault(file, text, error)]
    if builder.root is None:
        return None, [_whole(file, TOP, "empty file", "nothing is written in this file")]
    return Document(file, builder.root, builder.values, builder.keys), builder.faults


def _mark(event: Event) -> Position:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _refuse_tag(event: NodeEvent, position: Position, path: Path) -> None:
    tag = getattr(event, "tag", None)
    if tag is not None:
        raise _Refused(
            position, "syntax", path, "a tag (!) is not read (write the value alone, in quotes if it is text)"
        )


def _whole(file: str, position: Position, kind: str, message: str) -> Fault:
    return Fault(file, *position, kind, "(file)", message)


_PLAIN_WORDS = (
    ("\\t", "a tab stands where YAML wants spaces (replace it by spaces)"),
    (
        "mapping values are not allowed",
        "a second colon on this line (put the text in quotes, or check the indentation)",
    ),
    ("unexpected end of stream", "a quote is opened and never closed"),
    ("could not find expected ':'", "a line without a colon (write `key: value`)"),
    ("expected ',' or", "a bracket is opened and not closed, or a comma is missing"),
    ("<stream end>", "a bracket is opened and never closed"),
    ("expected <block end>", "this line is indented differently from the lines it belongs to"),
    ("<document start>", "this line is indented differently from the lines it belongs to"),
    ("that cannot start any token", "a text that begins with this character needs quotes"),
    ("found undefined tag", "a tag (!) is not read (write the value alone, in quotes if it is text)"),
    ("duplicate anchor", "this &anchor is already used above"),
)


def _syntax_fault(file: str, text: str, error: YAMLError) -> Fault:
    if isinstance(error, ReaderError):
        before = text[: error.position] if isinstance(error.position, int) else ""
        position = (before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        return _whole(file, position, "syntax", "a control character, which YAML does not allow (remove it)")
    if not isinstance(error, MarkedYAMLError):
        return _whole(file, TOP, "syntax", "this is not YAML")
    problem = f"{error.problem or ''} {error.context or ''}"
    never_closed = "end of stream" in problem or "<stream end>" in problem
    mark = error.context_mark if never_closed and error.context_mark else error.problem_mark
    position = (mark.line + 1, mark.column + 1) if mark else TOP
    words = next((plain for sign, plain in _PLAIN_WORDS if sign in problem), "this is not YAML")
    return _whole(file, position, "syntax", words)
