"""tagsAdd and tagsRemove of customers. Tags are told apart without regard to capitals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onevoice.sandbox.shopify.customers import known_customer
from onevoice.sandbox.shopify.errors import not_done
from onevoice.sandbox.shopify.shop import Shop
from onevoice.sandbox.state import Fields

MOST_TAGS = 250
"""Tags of one customer."""
LONGEST_TAG = 255


def add_tags(shop: Shop, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """tagsAdd: tags that are there already stay as they are written."""
    row = known_customer(shop, arguments["id"], ("id",))
    held = list(row.get("tags") or ())
    known = {tag.casefold() for tag in held}
    for tag in _split(arguments["tags"]):
        if len(tag) > LONGEST_TAG:
            raise not_done(("tags",), f"Tag is too long (maximum is {LONGEST_TAG} characters)")
        if tag.casefold() not in known:
            known.add(tag.casefold())
            held.append(tag)
    if len(held) > MOST_TAGS:
        raise not_done(("tags",), f"A customer cannot have more than {MOST_TAGS} tags")
    return _keep(shop, row, held)


def remove_tags(shop: Shop, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """tagsRemove: tags that are not there are no error."""
    row = known_customer(shop, arguments["id"], ("id",))
    gone = {tag.casefold() for tag in _split(arguments["tags"])}
    return _keep(shop, row, [tag for tag in row.get("tags") or () if tag.casefold() not in gone])


def _keep(shop: Shop, row: Fields, tags: list[str]) -> tuple[dict[str, Any], int]:
    changed = tags != list(row.get("tags") or ())
    return {"node": shop.customers.update(row["id"], {"tags": tags})}, int(changed)


def _split(given: Sequence[str]) -> list[str]:
    """A tag with commas in it is several."""
    return [tag.strip() for one in given for tag in one.split(",") if tag.strip()]
