"""One request: parsed, judged, priced, paid for, run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    OperationType,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from onevoice.sandbox.calls import DONE, READ, REFUSED, SETUP, THROTTLED
from onevoice.sandbox.shopify.cost import MOST_COST, Meter
from onevoice.sandbox.shopify.errors import DOCUMENTATION, top_error
from onevoice.sandbox.shopify.reads import SETUP_READS
from onevoice.sandbox.shopify.schema import served_schema
from onevoice.sandbox.shopify.shop import Call
from onevoice.sandbox.shopify.writes import MUTATIONS

KEPT_DOCUMENTS = 128


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent."""

    query: str
    variables: Mapping[str, Any]
    operation: str | None


@lru_cache(maxsize=KEPT_DOCUMENTS)
def _judged(query: str) -> tuple[DocumentNode | None, tuple[GraphQLError, ...]]:
    """The parsed document, or why the schema does not allow it."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return None, (error,)
    return document, tuple(_as_shopify(error) for error in validate(served_schema(), document))


def _as_shopify(error: GraphQLError) -> GraphQLError:
    """The commonest refusal in Shopify's words; the others in those of graphql-core."""
    words = error.message.split("'")
    if error.message.startswith("Cannot query field") and len(words) > 3:
        name, owner = words[1], words[3]
        extensions = {"code": "undefinedField", "typeName": owner, "fieldName": name}
        return GraphQLError(f"Field '{name}' doesn't exist on type '{owner}'", error.nodes, extensions=extensions)
    return GraphQLError(error.message, error.nodes, extensions={"code": "graphqlValidation"})


def named(request: Request) -> tuple[str, str]:
    """The first field of a request and the kind of call that it is, as calls are counted."""
    document, errors = _judged(request.query)
    operation = get_operation_ast(document, request.operation) if document and not errors else None
    first = operation.selection_set.selections[0] if operation else None
    if operation is None or not isinstance(first, FieldNode):
        return "refused request", SETUP
    name = first.name.value
    if operation.operation is OperationType.MUTATION:
        return name, MUTATIONS[name].operation.kind
    return name, SETUP if name in SETUP_READS else READ


def answer(call: Call, request: Request) -> dict[str, Any]:
    """The body of a 200. Every mutation of the request is counted as a call, a query as one."""
    document, errors = _judged(request.query)
    operation = get_operation_ast(document, request.operation) if document else None
    if errors or document is None or operation is None:
        missing = top_error("An operation name is required", "BAD_REQUEST")
        return _refused(call, errors or (missing,))
    schema = served_schema()
    variables = get_variable_values(schema, operation.variable_definitions or (), dict(request.variables))
    if isinstance(variables, list):
        return _refused(call, [_bad_variable(error) for error in variables])
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    meter = Meter(schema, operation, fragments, variables)
    try:
        requested = meter.requested()
        _refuse_dear(requested)
    except GraphQLError as error:
        return _refused(call, (error,))
    if not call.shop.limits.admit(requested):
        return _throttled(call, meter, requested)
    result = execute_sync(
        schema, document, context_value=call, variable_values=dict(request.variables), operation_name=request.operation
    )
    actual = meter.actual(result.data)
    call.shop.limits.pay(actual)
    if operation.operation is OperationType.QUERY:
        _count_query(call, meter, REFUSED if result.errors else DONE)
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [(error if error.extensions else _unforeseen(error)).formatted for error in result.errors]
    return {**body, "extensions": _extensions(call, requested, actual)}


def _bad_variable(error: GraphQLError) -> GraphQLError:
    return GraphQLError(error.message, error.nodes, extensions={"code": "INVALID_VARIABLE"})


def _unforeseen(error: GraphQLError) -> GraphQLError:
    """A value that its type does not have, or a mistake of the sandbox: said as Shopify says its own mistakes."""
    return GraphQLError(error.message, error.nodes, path=error.path, extensions={"code": "INTERNAL_SERVER_ERROR"})


def _refuse_dear(requested: int) -> None:
    if requested > MOST_COST:
        raise top_error(
            f"Query cost is {requested}, which exceeds the single query max cost limit ({MOST_COST}).",
            "MAX_COST_EXCEEDED",
            cost=requested,
            maxCost=MOST_COST,
            documentation=DOCUMENTATION,
        )


def _refused(call: Call, errors: Sequence[GraphQLError]) -> dict[str, Any]:
    """Nothing was run, nothing is paid."""
    call.shop.state.calls.record("refused request", SETUP, outcome=REFUSED)
    return {"errors": [error.formatted for error in errors]}


def _throttled(call: Call, meter: Meter, requested: int) -> dict[str, Any]:
    if meter.operation.operation is OperationType.QUERY:
        _count_query(call, meter, THROTTLED)
    for name in meter.root_fields() if meter.operation.operation is OperationType.MUTATION else ():
        known = MUTATIONS[name].operation
        call.shop.state.calls.record(name, known.kind, batch_limit=known.batch_limit, outcome=THROTTLED)
    error = top_error("Throttled", "THROTTLED", documentation=DOCUMENTATION)
    return {"errors": [error.formatted], "extensions": _extensions(call, requested, None)}


def _count_query(call: Call, meter: Meter, outcome: str) -> None:
    """A query counts as one call, named by its first field."""
    name = next(iter(meter.root_fields()), "__schema")
    call.shop.state.calls.record(name, SETUP if name in SETUP_READS else READ, outcome=outcome)


def _extensions(call: Call, requested: int, actual: int | None) -> dict[str, Any]:
    cost = {
        "requestedQueryCost": requested,
        "actualQueryCost": actual,
        "throttleStatus": call.shop.limits.status(),
    }
    return {"cost": cost, "search": call.warnings} if call.warnings else {"cost": cost}
