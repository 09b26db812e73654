"""Mutations of customers: each kind with its arguments and its proof, several of them as one document.

All values travel as variables; the text of a document holds none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors._words import vendor_code, without_personal_data
from connectors.shopify.client import TRANSIENT, Answer, Problem, denied
from onevoice.protocols import DeferReason, Outcome, WriteResult

PACK = 25
"""Metafields of one metafieldsSet at most (its documentation)."""
PACK_OF_DELETES = 250
"""Of one metafieldsDelete, as of any array of input (shopify.dev, API limits)."""
NO_CODE = "USER_ERROR"
"""Stands for the code of a user error that has none."""
_TOLD = {
    "metafieldsSet": "code message elementIndex",
    "customerEmailMarketingConsentUpdate": "code message",
}
"""What a user error tells; those of tags and deletions have no code, and asking for one would void the document."""


@dataclass(frozen=True, slots=True)
class Metafield:
    """One value of one customer; None deletes it."""

    key: str
    """Of the customer."""
    namespace: str
    name: str
    type_name: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Mutation:
    """One mutation and the customers it concerns."""

    field: str
    keys: tuple[str, ...]
    arguments: Mapping[str, tuple[str, Any]]
    """Name -> (GraphQL type, value)."""
    proof: str
    """The part of the payload that shows that it was done."""
    parts: int
    """How many elements that part has when all was done."""
    metafields: tuple[Metafield, ...] = ()
    resent: bool = False
    """Whether it failed once already for no fault of its own."""


def unsubscribe(key: str) -> Mutation:
    """Nobody is ever subscribed from here."""
    consent = {"customerId": key, "emailMarketingConsent": {"marketingState": "UNSUBSCRIBED"}}
    arguments = {"input": ("CustomerEmailMarketingConsentUpdateInput!", consent)}
    return Mutation("customerEmailMarketingConsentUpdate", (key,), arguments, "customer { id }", 1)


def tag(key: str, names: Sequence[str], *, there: bool) -> Mutation:
    """Add or remove tags; the customer's other tags stay."""
    arguments = {"id": ("ID!", key), "tags": ("[String!]!", list(names))}
    return Mutation("tagsAdd" if there else "tagsRemove", (key,), arguments, "node { id }", 1)


def packed(metafields: Sequence[Metafield]) -> list[Mutation]:
    """As few mutations as carry these metafields, over the borders of customers."""
    kept = [each for each in metafields if each.value is not None]
    gone = [each for each in metafields if each.value is None]
    return [
        *(_set(tuple(kept[start : start + PACK])) for start in range(0, len(kept), PACK)),
        *(_delete(tuple(gone[start : start + PACK_OF_DELETES])) for start in range(0, len(gone), PACK_OF_DELETES)),
    ]


def _set(metafields: tuple[Metafield, ...]) -> Mutation:
    inputs = [{**_identifier(each), "type": each.type_name, "value": each.value} for each in metafields]
    arguments = {"metafields": ("[MetafieldsSetInput!]!", inputs)}
    return _of_metafields("metafieldsSet", metafields, arguments, "metafields { key }")


def _delete(metafields: tuple[Metafield, ...]) -> Mutation:
    arguments = {"metafields": ("[MetafieldIdentifierInput!]!", [_identifier(each) for each in metafields])}
    return _of_metafields("metafieldsDelete", metafields, arguments, "deletedMetafields { key }")


def _of_metafields(
    field: str, metafields: tuple[Metafield, ...], arguments: Mapping[str, tuple[str, Any]], proof: str
) -> Mutation:
    keys = tuple(dict.fromkeys(each.key for each in metafields))
    return Mutation(field, keys, arguments, proof, len(metafields), metafields)


def _identifier(metafield: Metafield) -> dict[str, str | None]:
    return {"ownerId": metafield.key, "namespace": metafield.namespace, "key": metafield.name}


def document(mutations: Sequence[Mutation]) -> tuple[str, Mapping[str, Any]]:
    """The text and the variables of a document that runs them all, the first as `m0`."""
    declared, bodies, variables = [], [], {}
    for place, mutation in enumerate(mutations):
        given = []
        for name, (type_name, value) in mutation.arguments.items():
            variable = f"{name}{place}"
            declared.append(f"${variable}: {type_name}")
            given.append(f"{name}: ${variable}")
            variables[variable] = value
        told = _TOLD.get(mutation.field, "message")
        bodies.append(f"m{place}: {mutation.field}({', '.join(given)}) {{ {mutation.proof} userErrors {{ {told} }} }}")
    return f"mutation Write({', '.join(declared)}) {{ {' '.join(bodies)} }}", variables


def fault(mutation: Mutation, place: int, answer: Answer, where: str) -> WriteResult | None:
    """What went wrong with the mutation at this place of a document, said of its first customer; None: it was done."""
    key = mutation.keys[0]
    problem = next((each for each in answer.problems if each.path[:1] == (f"m{place}",)), None)
    if problem is not None:
        return _problem(key, problem, where)
    payload = answer.data.get(f"m{place}") or {}
    if payload.get("userErrors"):
        error = payload["userErrors"][0]
        code = vendor_code(error.get("code") or NO_CODE)
        words = without_personal_data(str(error.get("message", "")), _sent(mutation))
        if code in TRANSIENT:
            return WriteResult(key, Outcome.DEFERRED, code, words, DeferReason.RETRYABLE)
        return WriteResult(key, Outcome.REJECTED, code, words)
    shown = payload.get(mutation.proof.partition(" ")[0])
    if (len(shown) if isinstance(shown, list) else int(bool(shown))) != mutation.parts:
        words = "the answer does not show that it was done"
        return WriteResult(key, Outcome.DEFERRED, "NOT_MENTIONED", words, DeferReason.AMBIGUOUS)
    return None


def again(mutation: Mutation, place: int, answer: Answer, found: WriteResult) -> list[Mutation]:
    """What to send in place of a mutation that failed; nothing when that is settled. What is sent twice is absolute.

    A failure that may pass is sent again as it was, once; errors without a code do not tell whether they pass. Of a
    pack that was refused, and so did nothing, the customers whose metafields were named go alone, the others
    together; where none was named, everybody goes alone.
    """
    if found.code == "ACCESS_DENIED":
        return []
    if not mutation.resent and (found.outcome is Outcome.DEFERRED or found.code == NO_CODE):
        return [replace(mutation, resent=True)]
    if len(mutation.keys) == 1:
        return []
    errors = (answer.data.get(f"m{place}") or {}).get("userErrors") or ()
    named = [error.get("elementIndex") for error in errors]
    blamed = {mutation.metafields[index].key for index in named if isinstance(index, int) and index < mutation.parts}
    alone = [key for key in mutation.keys if key in blamed or not blamed]
    rest = packed([each for each in mutation.metafields if each.key not in alone])
    return [one for key in alone for one in packed([each for each in mutation.metafields if each.key == key])] + rest


def _problem(key: str, problem: Problem, where: str) -> WriteResult:
    if problem.code == "ACCESS_DENIED":
        return WriteResult(key, Outcome.REJECTED, problem.code, str(denied(problem, where)))
    words = "the mutation failed at Shopify"
    return WriteResult(key, Outcome.DEFERRED, problem.code, words, DeferReason.AMBIGUOUS)


def _sent(mutation: Mutation) -> list[object]:
    """Every value that was sent: none of them may stand in a message."""
    values: list[object] = [*mutation.keys, *(each.value for each in mutation.metafields)]
    names = mutation.arguments.get("tags")
    return [*values, *(names[1] if names else ())]
