"""What strict YAML makes of scalars, and where it says things stand."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onevoice.configfile.yamltext import MAX_BYTES, read_yaml


def value_of(text: str) -> object:
    document, faults = read_yaml("f.yaml", f"key: {text}\n".encode())
    assert faults == []
    assert document is not None
    return document.value["key"]


@pytest.mark.parametrize(
    "text",
    ["NO", "no", "on", "off", "yes", "y", "012", "00", "1_000", "0o12", "0x1F", "0b11", "12:30:00", "12:30", "1e3",
     ".5", "5.", ".inf", "-.inf", ".nan", "2026-11-22", "2026-11-22T09:00:00Z", "1,5", "99999999999999999999", "="],
)  # fmt: skip
def test_stays_text(text: str) -> None:
    assert value_of(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("False", False), ("null", None), ("~", None), ("", None), ("0", 0), ("12", 12), ("-7", -7),
     ("+5", 5), ("0.5", 0.5), ("-12.25", -12.25), ("'12'", "12"), ('"true"', "true"), ("''", "")],
)  # fmt: skip
def test_is_a_value(text: str, value: object) -> None:
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


def test_keys_are_text() -> None:
    document, _ = read_yaml("f.yaml", b"10001: a\ntrue: b\nNO: c\n")
    assert document is not None
    assert document.value == {"10001": "a", "true": "b", "NO": "c"}


def test_positions_of_keys_values_and_items() -> None:
    document, _ = read_yaml("f.yaml", b"a:\n  - x\n  - {b: 1, c: [2, 3]}\n")
    assert document is not None
    assert document.position(("a", 1, "c", 1)) == (3, 19)
    assert document.key_position(("a", 1, "c")) == (3, 12)
    assert document.position(("a", 1, "missing", "deeper")) == (3, 5)


def test_an_alias_is_the_value_it_refers_to() -> None:
    document, faults = read_yaml("f.yaml", b"a: &x {b: 1}\nc: *x\n")
    assert document is not None
    assert faults == []
    assert document.value == {"a": {"b": 1}, "c": {"b": 1}}


def test_a_byte_order_mark_and_windows_lines_are_fine() -> None:
    document, faults = read_yaml("f.yaml", b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert document is not None
    assert (document.value, faults) == ({"a": 1, "b": 2}, [])


@pytest.mark.parametrize(
    "hostile",
    ["[" * 400_000, "- " * 200_000, "? " * 200_000, "{a: " * 100_000, "a: " + "x" * 490_000, "&a " * 100_000,
     "'" + "''" * 240_000, "#" * 490_000, "\n" * 490_000, "%" * 400_000, "a: &a [" + "*a," * 100_000,
     "a: |\n" + "  x\n" * 100_000, "*" * 490_000, ": " * 200_000],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_hostile_text_ends_soon(hostile: str) -> None:
    begin = time.monotonic()
    read_yaml("f.yaml", hostile.encode()[:MAX_BYTES])
    assert time.monotonic() - begin < 20


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_document_or_a_fault(data: bytes) -> None:
    document, faults = read_yaml("f.yaml", data)
    assert document is not None or faults


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab:-{}[]&*!|>'\"%@`#,? \n\t\\<~0", max_size=60))
def test_any_punctuation_gives_a_document_or_a_fault(text: str) -> None:
    document, faults = read_yaml("f.yaml", text.encode())
    assert document is not None or faults
