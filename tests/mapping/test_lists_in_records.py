"""`each:` makes one item per element of a list in the record."""

from __future__ import annotations

from typing import Any

from onevoice.configfile.mapping_file import MappingFile
from onevoice.mapping import CompiledMapping, compile_mapping
from onevoice.model import Ref

REF = Ref("shop", "orders", "o1")
LINES: dict[str, Any] = {
    "each": "lines.nodes",
    "fields": {
        "category": {"from": "each.product.type"},
        "total": {"from": "each.paid", "transform": "decimal"},
        "ordered_at": {"from": "at", "transform": "datetime"},
    },
}


def compiled(order: dict[str, Any]) -> CompiledMapping:
    return compile_mapping(MappingFile.model_validate({"stream": "orders", "pull": {"order": order}}), {})


def order(*lines: Any) -> dict[str, Any]:
    return {"at": "2026-11-22T09:00:00Z", "lines": {"nodes": list(lines)}}


def test_one_item_per_line_with_the_fields_of_the_whole_record() -> None:
    lines = {"paid": "10.00", "product": {"type": "shoes"}}, {"paid": "5", "product": None}
    items = compiled(LINES).pull(REF, order(*lines), None).items
    assert [dict(item.data) for item in items] == [
        {"category": "shoes", "total": "10", "ordered_at": "2026-11-22T09:00:00+00:00"},
        {"total": "5", "ordered_at": "2026-11-22T09:00:00+00:00"},
    ]
    assert {item.source for item in items} == {REF}


def test_an_empty_list_a_missing_one_and_what_is_no_list_make_no_item() -> None:
    mapping = compiled(LINES)
    assert mapping.pull(REF, order(), None).items == ()
    assert mapping.pull(REF, {"at": "2026-11-22T09:00:00Z"}, None).items == ()
    assert mapping.pull(REF, {"at": "2026-11-22T09:00:00Z", "lines": {"nodes": "none"}}, None).items == ()


def test_a_fault_in_one_element_sets_the_record_aside() -> None:
    mapping = compiled({**LINES, "required": ["category"]})
    result = mapping.pull(REF, order({"paid": "1", "product": {"type": "shoes"}}, {"paid": "2"}), None)
    assert result.faults == ("each.product.type is blank or unusable, but every order needs its category",)


def test_elements_may_be_plain_values() -> None:
    mapping = compiled({"each": "categories", "fields": {"category": {"from": "each"}}})
    items = mapping.pull(REF, {"categories": ["shoes", "books", ""]}, None).items
    assert [item.data["category"] for item in items] == ["shoes", "books"]


def test_what_is_read_from_elements_is_asked_of_the_vendor_by_its_whole_path() -> None:
    assert compiled(LINES).pull_fields == ("at", "lines.nodes", "lines.nodes.paid", "lines.nodes.product.type")
