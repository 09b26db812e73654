"""What a query costs, and the bucket that pays for it.

Objects cost 1, scalars and enums 0, a mutation 10, a connection is sized by `first` or `last`
(shopify.dev, "GraphQL Admin API rate limits"). How it is sized is not published. A query of 250 nodes of two objects
each was measured at 25 points with its root object (community.shopify.dev, thread 23101, 2025), so the size grows with
the logarithm: twice the natural one meets that figure. A client must go by what the answers say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_list_type,
)
from graphql.execution.values import VariableValues, get_argument_values
from graphql.pyutils import Undefined
from graphql.type import GraphQLObjectType, GraphQLOutputType, get_nullable_type

from onevoice.sandbox.shopify.errors import DOCUMENTATION, top_error

MOST_FIRST = 250
MOST_INPUTS = 250
"""Entries of any list given as an argument."""
MOST_COST = 1_000
"""Points of a single query."""
MUTATION_COST = 10
CONNECTION_COST = 2

_PAGED = ("nodes", "edges")
Argument = Callable[[str], Any]


def size(count: int) -> int:
    """How many times a connection of so many nodes pays for one node."""
    return min(count, max(1, round(2 * math.log(count)))) if count else 0


@dataclass(frozen=True, slots=True)
class Meter:
    """Walks one operation. Refuses pages and lists that are too long on the way."""

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: VariableValues

    @property
    def root(self) -> GraphQLObjectType:
        """QueryRoot or Mutation."""
        root = self.schema.get_root_type(self.operation.operation)
        if root is None:
            raise top_error(f"The schema has no {self.operation.operation.value}", "INVALID")
        return root

    def requested(self) -> int:
        """Points at most; known before anything is run."""
        return self._selected(self.root, self.operation.selection_set, Undefined)

    def actual(self, data: Mapping[str, Any] | None) -> int:
        """Points of what was found."""
        return 0 if data is None else self._selected(self.root, self.operation.selection_set, data)

    def root_fields(self) -> list[str]:
        """Names of the fields asked for at the top, one entry for each alias."""
        return [node.name.value for _, node in self._fields(self.root, self.operation.selection_set, Undefined)]

    def _fields(
        self, parent: GraphQLCompositeType, selection: SelectionSetNode, data: Any
    ) -> Iterator[tuple[GraphQLCompositeType, FieldNode]]:
        """The fields selected on a type; fragments on other types are passed over where the type is known."""
        for one in selection.selections:
            if isinstance(one, FieldNode):
                yield parent, one
                continue
            if isinstance(one, FragmentSpreadNode):
                fragment = self.fragments[one.name.value]
                named, inner = fragment.type_condition.name.value, fragment.selection_set
            elif isinstance(one, InlineFragmentNode):
                named = one.type_condition.name.value if one.type_condition else parent.name
                inner = one.selection_set
            else:
                continue
            condition = self.schema.get_type(named)
            if not is_composite_type(condition) or not _may_be(data, named):
                continue
            yield from self._fields(condition if is_abstract_type(parent) else parent, inner, data)

    def _selected(self, parent: GraphQLCompositeType, selection: SelectionSetNode | None, data: Any) -> int:
        if selection is None:
            return 0
        by_type: dict[str, int] = {}
        for owner, node in self._fields(parent, selection, data):
            by_type[owner.name] = by_type.get(owner.name, 0) + self._field(owner, node, data)
        own = by_type.pop(parent.name, 0)
        return own + max(by_type.values(), default=0)

    def _field(self, owner: GraphQLCompositeType, node: FieldNode, data: Any) -> int:
        known = getattr(owner, "fields", {}).get(node.name.value)
        if known is None:
            return 0
        arguments = get_argument_values(known, node, self.variables)
        _refuse_long_lists(arguments)
        named = get_named_type(known.type)
        if not is_composite_type(named):
            return 0
        value = Undefined if data is Undefined else data.get((node.alias or node.name).value)
        if named.name.endswith("Connection"):
            return CONNECTION_COST + self._connection(known, named, node, arguments, value)
        if owner is self.schema.mutation_type:
            return max(MUTATION_COST, self._selected(named, node.selection_set, value or Undefined))
        return self._objects(known.type, named, node, arguments, value)

    def _objects(
        self,
        declared: GraphQLOutputType,
        named: GraphQLCompositeType,
        node: FieldNode,
        arguments: Mapping[str, Any],
        value: Any,
    ) -> int:
        """An object costs one though it is not there; objects fetched by a list of ids are sized as a connection is."""
        one = self._selected(named, node.selection_set, Undefined)
        if not is_list_type(get_nullable_type(declared)):
            return 1 + (one if value is Undefined else self._value(named, node, value))
        if value is Undefined:
            return size(len(arguments.get("ids", (None,)))) * (1 + one)
        return _sized([1 + self._value(named, node, entry) for entry in value or ()])

    def _value(self, named: GraphQLCompositeType, node: FieldNode, value: Any) -> int:
        return 0 if value is None else self._selected(named, node.selection_set, value)

    def _connection(
        self,
        known: GraphQLField,
        named: GraphQLCompositeType,
        node: FieldNode,
        arguments: Mapping[str, Any],
        value: Any,
    ) -> int:
        first = _page_size(known, node, arguments)
        points = 0
        for owner, inner in self._fields(named, node.selection_set or _NOTHING, Undefined):
            if inner.name.value not in _PAGED:
                continue
            kind = get_named_type(getattr(owner, "fields")[inner.name.value].type)  # noqa: B009  (a union has no fields)
            shown = Undefined if value is Undefined else (value or {}).get((inner.alias or inner.name).value, ())
            points += self._paged(kind, inner, first, shown)
        return points

    def _paged(self, kind: Any, inner: FieldNode, first: int, shown: Any) -> int:
        """Nodes cost 1 and what they hold; an edge is part of its connection."""
        own = 1 if inner.name.value == "nodes" else 0
        if shown is Undefined:
            return size(first) * (own + self._selected(kind, inner.selection_set, Undefined))
        return _sized([own + self._value(kind, inner, one) for one in shown])


_NOTHING = SelectionSetNode(selections=())


def _sized(costs: Sequence[int]) -> int:
    return math.ceil(size(len(costs)) * sum(costs) / len(costs)) if costs else 0


def _may_be(data: Any, named: str) -> bool:
    """Whether an answered object can be of the type; the type is read off its id where it shows one."""
    if data is Undefined or not isinstance(data.get("id"), str):
        return True
    return f"/{named}/" in data["id"] or named in {"Node", "HasMetafields"}


def _page_size(known: GraphQLField, node: FieldNode, arguments: Mapping[str, Any]) -> int:
    if "first" not in known.args:
        return MOST_FIRST
    first, last = arguments.get("first"), arguments.get("last")
    if first is None and last is None:
        raise top_error("you must provide one of first or last", "BAD_REQUEST")
    if first is not None and last is not None:
        raise top_error("providing both first and last is not supported", "BAD_REQUEST")
    asked = int(first if first is not None else last or 0)
    if not 0 < asked <= MOST_FIRST:
        name = "first" if first is not None else "last"
        raise top_error(
            f"{name} of {node.name.value} must be 1 to {MOST_FIRST}, and is {asked}", "BAD_REQUEST", argument=name
        )
    return asked


def _refuse_long_lists(arguments: Mapping[str, Any]) -> None:
    for value in arguments.values():
        if isinstance(value, list) and len(value) > MOST_INPUTS:
            message = f"The input array size of {len(value)} is greater than the maximum allowed of {MOST_INPUTS}."
            raise top_error(message, "MAX_INPUT_SIZE_EXCEEDED", documentation=DOCUMENTATION)


class Bucket:
    """A leaky bucket of points: holds `capacity`, fills with `rate` points a second."""

    def __init__(self, capacity: int, rate: int, now: datetime) -> None:
        self.capacity = capacity
        self.rate = rate
        self._level = float(capacity)
        self._at = now

    def left(self, now: datetime) -> int:
        """Points there at the moment `now`."""
        passed = max(0.0, (now - self._at).total_seconds())
        self._level = min(float(self.capacity), self._level + passed * self.rate)
        self._at = now
        return int(self._level)

    def pay(self, points: int, now: datetime) -> None:
        """Take points out; they must be there."""
        self._level = self.left(now) - points

    def drain(self, now: datetime) -> None:
        """Somebody else took everything."""
        self.pay(self.left(now), now)
