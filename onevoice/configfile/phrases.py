"""What pydantic found, said to people who do not program: where, what is written, what is allowed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from onevoice.configfile.base import DAY, NAME, VARIABLE
from onevoice.configfile.document import Document, Path
from onevoice.configfile.known_keys import VALUE, allowed_keys, tag_name
from onevoice.configfile.words import described, one_of
from onevoice.errors import Fault

Model = TypeVar("Model", bound=BaseModel)


def validate(document: Document, model: type[Model]) -> tuple[Model | None, list[Fault]]:
    """The model made from a document, or None with one fault for each thing wrong."""
    try:
        return model.model_validate(document.value), []
    except ValidationError as error:
        details = error.errors(include_url=False)
        return None, [_fault(document, detail, model) for detail in details if not _follows(detail)]


def _follows(detail: ErrorDetails) -> bool:
    """Whether it only follows from another fault: a list is too short once its faulty entries are taken out."""
    return detail["type"] == "too_short" and bool(detail["input"])


def _written_path(document: Document, loc: Sequence[str | int], *, missing: bool) -> tuple[Path, bool]:
    """The path of a pydantic location in the document, and whether its key is meant rather than its value.

    Left out are segments that nobody wrote: union tags, function validators, indexes of one name given for a list.
    """
    path: Path = ()
    for place, segment in enumerate(loc):
        if segment == "[key]":
            return path, True
        if document.has((*path, segment)) or (missing and place == len(loc) - 1):
            path = (*path, segment)
    return path, False


def _fault(document: Document, detail: ErrorDetails, model: type[BaseModel]) -> Fault:
    kind = detail["type"]
    path, at_key = _written_path(document, detail["loc"], missing=kind == "missing")
    if kind == "missing":
        return document.fault(path, "missing", f'the key "{path[-1]}" is missing here (write it)')
    if kind == "extra_forbidden":
        word, allowed = str(path[-1]) if path else "", allowed_keys(model, detail["loc"][:-1])
        return document.fault(path, "unknown key", f'"{word}" is not a key here{one_of(word, allowed)}', at_key=True)
    name, message = _phrase(detail, kind)
    if kind == "union_tag_invalid":
        path = (*path, *_key_of(detail["input"], tag_name(str(detail["ctx"]["tag"]))))
    return document.fault(path, name, message, at_key=at_key)


def _key_of(written: object, word: str) -> Path:
    """The key under which a misspelt choice stands."""
    return next(((key,) for key, value in written.items() if value == word), ()) if isinstance(written, dict) else ()


def _phrase(detail: ErrorDetails, kind: str) -> tuple[str, str]:
    """Kind and message of every fault but a missing or an unknown key."""
    context: Mapping[str, Any] = detail.get("ctx") or {}
    found = detail["input"]
    if kind in _WORD_LISTS:
        word = tag_name(str(context["tag"])) if "tag" in context else str(found)
        allowed = [each for each in _quoted(str(context[_WORD_LISTS[kind]])) if each != VALUE]
        return "not allowed", f'"{word}" is not known here{one_of(word, allowed)}'
    if kind == "union_tag_not_found":
        return "missing", f"the key {context.get('discriminator', '')} is missing here (it says what this is)"
    if kind in _WANTED:
        hint = " (put it in quotes)" if _WANTED[kind] == "a text" and isinstance(found, int | float) else ""
        return "wrong type", f"{described(found)} stands where {_WANTED[kind]} is expected{hint}"
    if kind == "value_error":
        return "not allowed", str(context.get("error", detail["msg"]))
    return "not allowed", _beyond(kind, found, context, detail["msg"])


def _beyond(kind: str, found: object, context: Mapping[str, Any], otherwise: str) -> str:
    """What is said of a value of the right type that is not allowed."""
    if kind in {"too_short", "string_too_short"} and not found:
        return "nothing is written here, and at least one entry is needed"
    if kind == "string_pattern_mismatch":
        pattern = str(context["pattern"])
        allowed = f"write {_PATTERNS.get(pattern, pattern)}"
    elif kind in _LIMITS:
        allowed = _LIMITS[kind].format_map(context)
    else:
        allowed = f"{otherwise[:1].lower()}{otherwise[1:]}"
    return f"{described(found)} is not allowed here: {allowed}"


def _quoted(text: str) -> list[str]:
    """The words of pydantic's list `'a', 'b' or 'c'`."""
    return [tag_name(each) for each in re.findall(r"'([^']*)'", text)]


_WORD_LISTS = {"union_tag_invalid": "expected_tags", "literal_error": "expected", "enum": "expected"}
"""Errors about a word that is not in a list, and where pydantic keeps the list."""

_WANTED = {
    "string_type": "a text",
    "string_sub_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "sequence_str": "a list",
    "iterable_type": "a list",
    "dict_type": "a mapping (`key: value` lines)",
    "mapping_type": "a mapping (`key: value` lines)",
    "model_type": "a mapping (`key: value` lines)",
    "model_attributes_type": "a mapping (`key: value` lines)",
    "date_type": "a date like 2026-11-22",
    "date_parsing": "a date like 2026-11-22",
    "date_from_datetime_parsing": "a date like 2026-11-22",
    "none_required": "nothing",
    "is_instance_of": "a list",
}

_PATTERNS = {
    NAME: "small letters, digits and _, beginning with a letter",
    VARIABLE: "capital letters, digits and _, beginning with a letter",
    DAY: "a day like 2026-11-22",
}
"""Patterns in words."""

_LIMITS = {
    "greater_than": "it must be more than {gt}",
    "greater_than_equal": "it must be at least {ge}",
    "less_than": "it must be less than {lt}",
    "less_than_equal": "it must be at most {le}",
    "too_long": "at most {max_length} entries are allowed",
    "string_too_long": "at most {max_length} characters are allowed",
}
