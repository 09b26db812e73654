"""metafieldsSet and metafieldsDelete. Setting is atomic: one bad metafield and nothing is set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from onevoice.sandbox.calls import REFUSED
from onevoice.sandbox.shopify.customers import refuse_rejected
from onevoice.sandbox.shopify.errors import UserError, UserRefusalError
from onevoice.sandbox.shopify.metafields import TYPES, digest, name_fault, show_metafield
from onevoice.sandbox.shopify.shop import Shop
from onevoice.sandbox.state import Fields

MOST_METAFIELDS = 25
"""Metafields in one metafieldsSet (Admin GraphQL 2026-07)."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


def set_metafields(shop: Shop, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """metafieldsSet: every entry is checked before the first is kept."""
    given: Sequence[Mapping[str, Any]] = arguments["metafields"]
    if len(given) > MOST_METAFIELDS:
        message = f"Exceeded the maximum metafields input limit of {MOST_METAFIELDS}."
        raise UserRefusalError([UserError(("metafields",), message, "LESS_THAN_OR_EQUAL_TO")])
    errors: list[UserError] = []
    checked, outcome = [], REFUSED
    for index, one in enumerate(given):
        try:
            checked.append(_checked(shop, one, index))
        except UserRefusalError as refusal:
            errors.extend(refusal.errors)
            outcome = refusal.outcome
    if errors:
        raise UserRefusalError(errors, outcome)
    return _kept(shop, checked)


def _kept(shop: Shop, checked: Sequence[tuple[str, str, dict[str, str]]]) -> tuple[dict[str, Any], int]:
    """Each owner is changed once; metafields of other namespaces and keys stay."""
    wanted: dict[str, dict[str, dict[str, str]]] = {}
    for owner, place, held in checked:
        wanted.setdefault(owner, {})[place] = held
    units = 0
    for owner, fields in wanted.items():
        before = shop.customers.rows[owner].get("metafields") or {}
        units += sum(before.get(place) != held for place, held in fields.items())
        shop.customers.update(owner, {"metafields": {**before, **fields}})
    shown = [show_metafield(shop.customers.rows[owner], place, held) for owner, place, held in checked]
    return {"metafields": shown}, units


def _checked(shop: Shop, one: Mapping[str, Any], index: int) -> tuple[str, str, dict[str, str]]:
    """(owner, "namespace.key", what is kept)."""
    row = shop.customers.get(one["ownerId"])
    if row is None:
        raise _refused(index, "ownerId", "Owner does not exist.", "INVALID")
    refuse_rejected(shop, row["id"], ("metafields", str(index), "ownerId"), index)
    namespace, key = one.get("namespace") or "", one["key"]
    for what, value in (("namespace", namespace), ("key", key)):
        if fault := name_fault(what, value):
            code, message = fault
            raise _refused(index, what, message, code)
    place = f"{namespace}.{key}"
    before = (row.get("metafields") or {}).get(place)
    kind = _kind(shop, one, index, place, before)
    if not one["value"]:
        raise _refused(index, "value", "Value can't be blank.", "BLANK")
    if "compareDigest" in one:
        _refuse_stale(index, one["compareDigest"], before)
    try:
        return row["id"], place, {"type": kind, "value": TYPES[kind](one["value"])}
    except ValueError as error:
        raise _refused(index, "value", str(error), "INVALID_VALUE") from None


def _kind(shop: Shop, one: Mapping[str, Any], index: int, place: str, before: Mapping[str, str] | None) -> str:
    """The type: of the definition, else as given, else as it was."""
    defined = shop.definitions.get(place)
    given: str | None = one.get("type")
    if defined is not None and given not in {None, defined["type"]}:
        message = f"Type '{given}' must be consistent with the definition's type: '{defined['type']}'."
        raise _refused(index, "type", message, "INVALID_TYPE")
    kind = str(defined["type"]) if defined is not None else given or (before or {}).get("type")
    if kind is None:
        raise _refused(index, "type", "Type can't be blank.", "BLANK")
    if kind not in TYPES:
        raise _refused(index, "type", f"Type must be one of the following: {', '.join(TYPES)}.", "INCLUSION")
    return kind


def _refuse_stale(index: int, given: str | None, before: Mapping[str, str] | None) -> None:
    """Compare-and-set: null means that there must be none yet."""
    if given is not None and not _DIGEST.fullmatch(given):
        raise _refused(index, "compareDigest", "The compareDigest is invalid.", "INVALID_COMPARE_DIGEST")
    if given != (digest(before["value"]) if before else None):
        message = "The resource has been updated since it was loaded. Try again with an updated `compareDigest` value."
        raise _refused(index, "compareDigest", message, "STALE_OBJECT")


def _refused(index: int, name: str, message: str, code: str) -> UserRefusalError:
    return UserRefusalError([UserError(("metafields", str(index), name), message, code, index)])


def delete_metafields(shop: Shop, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """metafieldsDelete: what is not there is told as null and is no error."""
    deleted: list[Mapping[str, Any] | None] = []
    gone: dict[str, set[str]] = {}
    for index, one in enumerate(arguments["metafields"]):
        row = shop.customers.get(one["ownerId"])
        if row is not None:
            refuse_rejected(shop, row["id"], ("metafields", str(index), "ownerId"), index)
        place = f"{one['namespace']}.{one['key']}"
        there = row is not None and place in _held(row) and place not in gone.get(row["id"], ())
        deleted.append(one if there else None)
        if there:
            gone.setdefault(one["ownerId"], set()).add(place)
    for owner, places in gone.items():
        kept = {place: held for place, held in _held(shop.customers.rows[owner]).items() if place not in places}
        shop.customers.update(owner, {"metafields": kept})
    return {"deletedMetafields": deleted}, sum(map(len, gone.values()))


def _held(row: Fields) -> Mapping[str, Mapping[str, str]]:
    held: Mapping[str, Mapping[str, str]] = row.get("metafields") or {}
    return held
