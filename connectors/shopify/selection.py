"""What is asked of every record: dotted field names of mappings become a GraphQL selection, and answers become data.

    firstName                       a field
    defaultEmailAddress.marketingState   a field of an object
    lineItems.nodes.quantity        a field of every element of a list (Shopify: a connection)
    metafields.onevoice.tier        the value of a metafield, by namespace and key
    tagged.vip                      whether the record has a tag

Only names of the forms above become part of a document, so that no mapping can bring GraphQL of its own along.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from onevoice.errors import ConfigError

OWN_FIELDS = ("id", "updatedAt")
LIST_PAGE = 10
"""Elements of a list that come with their record; most orders have fewer lines. The rest is asked for apart."""
METAFIELDS = "metafields"
TAGGED = "tagged"

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_NAMESPACE = re.compile(r"[A-Za-z0-9_-]{2,255}")
_KEY = re.compile(r"[A-Za-z0-9_-]{2,64}")
_ARGUMENTS = {"discountedTotalSet": "(withCodeDiscounts: true)"}
"""Left alone, a line's discounted total leaves out what a discount code took off."""

Tree = dict[str, Any]
"""Field name -> Tree of its fields, empty for a plain value."""


def metafield_name(field: str) -> tuple[str, str] | None:
    """(namespace, key) of `metafields.<namespace>.<key>`, or None when it is none."""
    first, *rest = field.split(".")
    if first == METAFIELDS and len(rest) == 2 and _NAMESPACE.fullmatch(rest[0]) and _KEY.fullmatch(rest[1]):
        return rest[0], rest[1]
    return None


def tag_name(field: str) -> str | None:
    """The tag of `tagged.<tag>`, or None when it is none. Shopify splits tags at commas and takes 40 signs at most."""
    tag = field.removeprefix(f"{TAGGED}.")
    return tag if tag != field and 0 < len(tag) <= 40 and tag == tag.strip() and "," not in tag else None


class Selection:
    """The fields asked of one type; `text` goes between the braces of a document."""

    def __init__(self, where: str, type_name: str, fields: Sequence[str]) -> None:
        """ConfigError names every field that is none."""
        self.type_name = type_name
        self._tree: Tree = {name: {} for name in OWN_FIELDS}
        self._metafields: list[tuple[str, str]] = []
        self._tags: list[str] = []
        wrong = [field for field in sorted(set(fields)) if not self._take(field)]
        if wrong:
            raise ConfigError(
                f"{where}: {', '.join(map(repr, wrong))}: a field is written as its path in Shopify's {type_name} with "
                "dots, as metafields.<namespace>.<key> or as tagged.<tag>; lists only of the record itself, and with "
                ".nodes (correct the mapping or config/offers.yaml)"
            )
        self._asked_tags = "tags" in self._tree
        if self._tags:
            self._tree.setdefault("tags", {})
        self.lists = tuple(name for name, below in self._tree.items() if "nodes" in below)
        self.text = " ".join([*_rendered(self._tree), *self._metafield_texts()])
        self.points = _points(self._tree) + len(self._metafields)
        """What one record costs by the documented prices: an object 1, a plain value nothing."""

    def _take(self, field: str) -> bool:
        """Put one field into the selection; False when it is not written as one."""
        if (metafield := metafield_name(field)) is not None:
            self._metafields.append(metafield)
            return True
        if (tag := tag_name(field)) is not None:
            self._tags.append(tag)
            return True
        steps = field.split(".")
        if (
            steps[0] in {METAFIELDS, TAGGED}
            or not all(map(_NAME.fullmatch, steps))
            or "nodes" in [steps[0], *steps[2:]]
        ):
            return False
        at = self._tree
        for step in steps:
            at = at.setdefault(step, {})
        if steps[-1] == "nodes":
            at.setdefault("id", {})
        return True

    def _metafield_texts(self) -> Iterator[str]:
        for place, (namespace, key) in enumerate(self._metafields):
            yield f'mf{place}: metafield(namespace: "{namespace}", key: "{key}") {{ type value }}'

    def list_text(self, name: str) -> str:
        """The selection of one list's further elements, for a document with a variable `$after`."""
        return f"{name}(first: {LIST_PAGE}, after: $after) {{ {_list_body(self._tree[name])} }}"

    def data(self, node: Mapping[str, Any]) -> dict[str, Any]:
        """An answered record as the data of a `Record`."""
        data = {name: value for name, value in node.items() if not re.fullmatch(r"mf\d+", name)}
        for name in self.lists:
            data[name] = {part: value for part, value in node[name].items() if part != "pageInfo"}
        for place, (namespace, key) in enumerate(self._metafields):
            held = node[f"mf{place}"]
            if held is not None:
                data.setdefault(METAFIELDS, {}).setdefault(namespace, {})[key] = _value(held["type"], held["value"])
        if self._tags:
            held_tags = {tag.casefold() for tag in node["tags"]}
            data[TAGGED] = {tag: tag.casefold() in held_tags for tag in self._tags}
            if not self._asked_tags:
                del data["tags"]
        return data


def _rendered(tree: Tree) -> Iterator[str]:
    for name, below in tree.items():
        if "nodes" in below:
            yield f"{name}(first: {LIST_PAGE}) {{ {_list_body(below)} }}"
        else:
            call = f"{name}{_ARGUMENTS.get(name, '')}"
            yield f"{call} {{ {' '.join(_rendered(below))} }}" if below else call


def _list_body(below: Tree) -> str:
    return f"nodes {{ {' '.join(_rendered(below['nodes']))} }} pageInfo {{ hasNextPage endCursor }}"


def _points(tree: Tree) -> int:
    total = 1
    for below in tree.values():
        if "nodes" in below:
            total += 2 + LIST_PAGE * _points(below["nodes"])
        elif below:
            total += _points(below)
    return total


def _value(type_name: str, text: str) -> Any:
    """A metafield's value, which Shopify keeps as text."""
    if type_name == "boolean":
        return text == "true"
    return int(text) if type_name == "number_integer" and re.fullmatch(r"-?[0-9]{1,18}", text) else text
