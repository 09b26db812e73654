"""The hub's own fields on the vendors' records, under one set of names: `onevoice_tier`, `onevoice_no_join_until`, ...

Shopify has metafields for them and one tag, Square custom attributes and one group, Klaviyo properties.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onevoice.sandbox.campaigns.shopify import NO_DISCOUNT, metafield
from onevoice.sandbox.campaigns.square import NO_JOIN, attribute
from onevoice.sandbox.square import put_attribute
from onevoice.sandbox.truth import Ref
from onevoice.sandbox.world import World

PROFILE_ID = "onevoice_profile_id"
TAG, GROUP = "onevoice_no_discount_until", "onevoice_no_join_until"
"""The names under which Shopify's tag and Square's group are known here: they say no without a date."""
_NO_DATE = "9999-12-31"


def row_of(world: World, ref: Ref) -> dict[str, Any]:
    """A record as it is now; empty when it is not there, or the system has no server."""
    system, stream, key = ref
    vendor = world.vendors.get(system)
    return (vendor.tables[stream].get(key) if vendor else None) or {}


def address_of(world: World, ref: Ref) -> str:
    """The mail address on a record, or empty text."""
    row = row_of(world, ref)
    return row.get("Email") or row.get("email") or row.get("email_address") or ""


def phone_of(world: World, ref: Ref) -> str:
    """The number on a record that texts could go to, or empty text."""
    row = row_of(world, ref)
    names = ("MobilePhone", "mobilephone", "phone_number", "phone")
    return next((str(row[name]) for name in names if row.get(name)), "")


def pushed(world: World, ref: Ref, name: str) -> Any:
    """The value of a field of the hub's on a record; None when it is empty or the record cannot hold it."""
    read = _READS.get(ref[0])
    value = read(world, row_of(world, ref), name) if read else None
    return None if value == "" else value


def put(world: World, ref: Ref, name: str, value: str | int | None) -> str:
    """Change a field of the hub's by hand, or empty it; gives the field's own name there."""
    system, stream, key = ref
    if system == "square":
        return _put_in_square(world, key, name, value)
    field, changes = _CHANGES[system](row_of(world, ref), name, value)
    world.vendors[system].tables[stream].update(key, changes, actor="hand")
    return field


def _of_shopify(_: World, row: dict[str, Any], name: str) -> Any:
    if name == TAG:
        return _NO_DATE if NO_DISCOUNT in row.get("tags", ()) else None
    return metafield(row, name.removeprefix("onevoice_"))


def _of_square(world: World, row: dict[str, Any], name: str) -> Any:
    if name == GROUP:
        return _NO_DATE if group_id(world) in row.get("group_ids", ()) else None
    return attribute(row, name)


_READS: dict[str, Callable[[World, dict[str, Any], str], Any]] = {
    "salesforce": lambda _, row, name: row.get(f"{name}__c"),
    "hubspot": lambda _, row, name: row.get(name),
    "shopify": _of_shopify,
    "square": _of_square,
    "klaviyo": lambda _, row, name: (row.get("properties") or {}).get(name),
}


def group_id(world: World) -> str | None:
    """The id of the tills' group of those who are not to be asked to join; None before the hub made it."""
    groups = world.square.tables["groups"].rows
    return next((key for key, row in groups.items() if row["name"] == NO_JOIN), None)


def _in_salesforce(_: dict[str, Any], name: str, value: str | int | None) -> tuple[str, dict[str, Any]]:
    return f"{name}__c", {f"{name}__c": value}


def _in_hubspot(_: dict[str, Any], name: str, value: str | int | None) -> tuple[str, dict[str, Any]]:
    return name, {name: value or ""}


def _in_shopify(row: dict[str, Any], name: str, value: str | int | None) -> tuple[str, dict[str, Any]]:
    if name == TAG:
        kept = [tag for tag in row["tags"] if tag != NO_DISCOUNT]
        return f"tagged.{NO_DISCOUNT}", {"tags": [*kept, NO_DISCOUNT] if value else kept}
    key = name.removeprefix("onevoice_")
    fields = dict(row["metafields"])
    held = fields.pop(f"onevoice.{key}", None)
    if value is not None:
        fields[f"onevoice.{key}"] = {"type": "single_line_text_field", **(held or {}), "value": str(value)}
    return f"metafields.onevoice.{key}", {"metafields": fields}


def _in_klaviyo(row: dict[str, Any], name: str, value: str | int | None) -> tuple[str, dict[str, Any]]:
    held = {known: kept for known, kept in row["properties"].items() if known != name}
    return f"properties.{name}", {"properties": {**held, name: value} if value is not None else held}


def _put_in_square(world: World, key: str, name: str, value: str | int | None) -> str:
    if name != GROUP:
        put_attribute(world.square, key, name, value, actor="hand")
        return f"custom_attributes.{name}"
    customers, group = world.square.tables["customers"], group_id(world)
    kept = [held for held in customers.rows[key]["group_ids"] if held != group]
    customers.update(key, {"group_ids": [*kept, group] if value else kept}, actor="hand")
    return f"in_group.{NO_JOIN}"


_CHANGES = {
    "salesforce": _in_salesforce,
    "hubspot": _in_hubspot,
    "shopify": _in_shopify,
    "klaviyo": _in_klaviyo,
}
