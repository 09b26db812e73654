"""Metafield definitions of customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onevoice.sandbox.shopify.errors import not_done
from onevoice.sandbox.shopify.metafields import TYPES, name_fault, show_definition
from onevoice.sandbox.shopify.search import by_id, ordered, page
from onevoice.sandbox.shopify.shop import Info, Shop
from onevoice.sandbox.shopify.tables import gid

LONGEST_NAME = 255
MOST_PINNED = 20


def create_definition(shop: Shop, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """metafieldDefinitionCreate, for customers. Values that stand there already must be of its type."""
    given = arguments["definition"]
    namespace, key, kind = given.get("namespace") or "", given["key"], given["type"]
    place = f"{namespace}.{key}"
    if given["ownerType"] != "CUSTOMER":
        raise _refused("ownerType", "This shop has definitions of customers only.", "INCLUSION")
    for what, value in (("namespace", namespace), ("key", key)):
        if fault := name_fault(what, value):
            code, message = fault
            raise _refused(what, message, "INVALID_CHARACTER" if code == "INVALID" else code)
    if not 0 < len(given["name"]) <= LONGEST_NAME:
        code = "TOO_LONG" if given["name"] else "BLANK"
        raise _refused("name", f"Name must have 1 to {LONGEST_NAME} characters", code)
    if kind not in TYPES:
        raise _refused("type", f"Type name {kind} is not a valid type", "INCLUSION")
    _refuse_taken(shop, place, kind)
    pinned = [one for one in shop.definitions.values() if one["pinnedPosition"] is not None]
    if given.get("pin") and len(pinned) >= MOST_PINNED:
        raise _refused("pin", f"Limit of {MOST_PINNED} pinned definitions.", "PINNED_LIMIT_REACHED")
    made = {
        "id": gid("MetafieldDefinition", 1_000_000 + len(shop.definitions) + 1),
        "name": given["name"],
        "namespace": namespace,
        "key": key,
        "type": kind,
        "description": given.get("description"),
        "pinnedPosition": len(pinned) + 1 if given.get("pin") else None,
    }
    shop.definitions[place] = made
    return {"createdDefinition": show_definition(made)}, 1


def _refuse_taken(shop: Shop, place: str, kind: str) -> None:
    if place in shop.definitions:
        raise _refused("key", "Key is in use for Customer metafields on the namespace.", "TAKEN")
    held = ((row.get("metafields") or {}).get(place) for row in shop.customers.rows.values())
    if any(one["type"] != kind for one in held if one):
        raise _refused("type", "Values of another type stand there already.", "UNSTRUCTURED_ALREADY_EXISTS")


def _refused(name: str, message: str, code: str) -> Exception:
    return not_done(("definition", name), message, code)


def definitions(_root: object, info: Info, **args: Any) -> dict[str, Any]:
    """QueryRoot.metafieldDefinitions: of one owner type, perhaps of one namespace or key. They do not lag."""
    call = info.context
    call.need("read_customers", "metafieldDefinitions")
    chosen = [
        held
        for held in call.shop.definitions.values()
        if args["ownerType"] == "CUSTOMER"
        and args.get("namespace") in {None, held["namespace"]}
        and args.get("key") in {None, held["key"]}
        and _pinned(held, args.get("pinnedStatus", "ANY"))
    ]
    return page(ordered(chosen, by_id), args, show_definition)


def _pinned(held: Mapping[str, Any], status: str) -> bool:
    return status == "ANY" or (held["pinnedPosition"] is not None) == (status == "PINNED")
