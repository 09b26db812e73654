"""Writing customers: metafields packed over customers, tags, and the opt-out; every customer with its own result.

Tags and consent never go through customerUpdate or customerSet: these replace the merchant's own tags.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from connectors._outcomes import deferred
from connectors.shopify.client import Client, TooCostly, denied
from connectors.shopify.definitions import MARKETING_STATE, MUTATION_POINTS, STREAM, Definitions
from connectors.shopify.mutations import Metafield, Mutation, again, document, fault, packed, tag, unsubscribe
from connectors.shopify.selection import metafield_name, tag_name
from connectors.shopify.source import is_gid
from connectors.shopify.walk import Price
from onevoice.errors import ConnectorError
from onevoice.protocols import Outcome, Write, WriteResult

ALIASES = 40
"""Mutations of one document at most: what a lost answer leaves unknown should stay small."""
UNSUBSCRIBED = "UNSUBSCRIBED"
_WEIGHT = {Outcome.UNCHANGED: 0, Outcome.ACCEPTED: 1, Outcome.DEFERRED: 2, Outcome.REJECTED: 3}


class Customers:
    """Absolute values for existing customers."""

    def __init__(self, client: Client, definitions: Definitions) -> None:
        self._client = client
        self._definitions = definitions
        self._price = Price(MUTATION_POINTS, ALIASES)

    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """Send one batch of at most 100 customers; None deletes a metafield or takes a tag off."""
        names = {name for write in writes for field in write.fields if (name := metafield_name(field)) is not None}
        missing = self._definitions.missing(names)
        results = {write.key: _unsendable(write, missing) for write in writes}
        sendable = [write for write in writes if results[write.key].outcome is not Outcome.REJECTED]
        batch = _Batch(self._client, self._price, results)
        batch.run([*self._opt_outs_and_tags(sendable), *packed(list(self._metafields(sendable)))])
        return list(results.values())

    def _opt_outs_and_tags(self, writes: Sequence[Write]) -> Iterator[Mutation]:
        """Opt-outs first: of all that is written they matter most."""
        for write in writes:
            if MARKETING_STATE in write.fields:
                yield unsubscribe(write.key)
        for write in writes:
            tags = {name: bool(value) for field, value in write.fields.items() if (name := tag_name(field)) is not None}
            for there in (True, False):
                names = [name for name, wanted in tags.items() if wanted is there]
                if names:
                    yield tag(write.key, names, there=there)

    def _metafields(self, writes: Sequence[Write]) -> Iterator[Metafield]:
        for write in writes:
            for field, value in write.fields.items():
                name = metafield_name(field)
                if name is not None:
                    yield Metafield(write.key, *name, self._definitions.type_of(name), _as_text(value))


class _Batch:
    """The mutations of one batch on their way; `results` takes the worst that is known of each customer."""

    def __init__(self, client: Client, price: Price, results: dict[str, WriteResult]) -> None:
        self._client = client
        self._price = price
        self._results = results
        self._answered = False

    def run(self, mutations: Sequence[Mutation]) -> None:
        """Send them; what a pack of several customers was refused for is sought by sending each customer's part alone.

        Raises only while nothing is known of anybody; later, what could not be sent is deferred.
        """
        waiting = list(mutations)
        while waiting:
            size = min(self._price.size, len(waiting))
            try:
                more = self._send(waiting[:size])
            except TooCostly as exc:
                if size == 1:
                    self._defer(waiting, exc)
                    return
                self._price.was_too_much(size)
                continue
            except ConnectorError as exc:
                self._defer(waiting, exc)
                return
            self._answered = True
            waiting = [*waiting[size:], *more]

    def _send(self, mutations: Sequence[Mutation]) -> list[Mutation]:
        """One document; returns what has to be sent in place of what failed."""
        text, variables = document(mutations)
        where = f"{self._client.system}.{STREAM}"
        answer = self._client.mutate(text, variables, stream=STREAM, cost=self._price.of(len(mutations)))
        self._price.learn(len(mutations), answer.cost)
        refused = [problem for problem in answer.problems if problem.code == "ACCESS_DENIED"]
        if len(refused) == len(mutations):
            raise denied(refused[0], where)
        waiting: list[Mutation] = []
        for place, mutation in enumerate(mutations):
            found = fault(mutation, place, answer, where)
            instead = again(mutation, place, answer, found) if found else []
            waiting += instead
            if not instead:
                settled = found or WriteResult("", Outcome.ACCEPTED)
                for key in mutation.keys:
                    self._note(replace(settled, key=key))
        return waiting

    def _defer(self, mutations: Sequence[Mutation], error: ConnectorError) -> None:
        if not self._answered:
            raise error
        for key in dict.fromkeys(key for mutation in mutations for key in mutation.keys):
            # Absolute values may be sent again, so what was never sent may stand beside what was lost.
            self._note(deferred(key, error))

    def _note(self, result: WriteResult) -> None:
        known = self._results[result.key]
        if _WEIGHT[result.outcome] > _WEIGHT[known.outcome]:
            self._results[result.key] = result


def _unsendable(write: Write, missing: frozenset[tuple[str, str]]) -> WriteResult:
    """The rejection of a write that must not leave, else UNCHANGED until more is known."""
    if not is_gid("Customer", write.key):
        return _rejected(write, "MALFORMED_ID", "the key is not the id of a Shopify customer")
    undefined = sorted(field for field in write.fields if metafield_name(field) in missing)
    if undefined:
        return _rejected(write, "UNDEFINED", f"no such metafield in this shop: {', '.join(undefined)} (provision)")
    foreign = [field for field in write.fields if not _writable(field)]
    if foreign:
        return _rejected(write, "NOT_ALLOWED", f"not written from here: {', '.join(sorted(foreign))}")
    if write.fields.get(MARKETING_STATE, UNSUBSCRIBED) != UNSUBSCRIBED:
        return _rejected(write, "NOT_ALLOWED", "a customer can only be unsubscribed")
    return WriteResult(write.key, Outcome.UNCHANGED)


def _writable(field: str) -> bool:
    return field == MARKETING_STATE or metafield_name(field) is not None or tag_name(field) is not None


def _rejected(write: Write, code: str, message: str) -> WriteResult:
    return WriteResult(write.key, Outcome.REJECTED, code, message)


def _as_text(value: Any) -> str | None:
    """A value as Shopify keeps it; an empty text cannot be kept and means none."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
