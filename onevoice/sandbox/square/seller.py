"""One seller: its state and everything its endpoints share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.calls import DONE, PARTIAL_FAILURE
from onevoice.sandbox.gate import Answer, Operation, RefusalError
from onevoice.sandbox.square.body import Body
from onevoice.sandbox.square.errors import refusal
from onevoice.sandbox.square.limits import Limits
from onevoice.sandbox.square.paging import fingerprint
from onevoice.sandbox.state import ServerConfig, Table, VendorState

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")


class Seller:
    """What the endpoints work on, and the door to it."""

    def __init__(self, state: VendorState, config: ServerConfig) -> None:
        self.state = state
        self.limits = Limits(state)
        self._token = config.client_secret
        self._answers: dict[tuple[str, str], tuple[str, Answer]] = {}

    def table(self, name: str) -> Table:
        """One of the seller's tables."""
        return self.state.tables[name]

    def admit(self, request: Request, _operation: Operation) -> None:
        """Let a call pass, or refuse it: vendor down, no token, too many calls, a Square-Version that is none."""
        if self.state.faults.down:
            raise refusal("SERVICE_UNAVAILABLE", "The service is temporarily unavailable.")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token or token != self._token:
            raise refusal("UNAUTHORIZED", "This request could not be authorized.")
        self.limits.admit()
        version = request.headers.get("square-version", "")
        if version and not _VERSION.fullmatch(version):
            raise refusal("INVALID_SQUARE_VERSION_FORMAT", "The Square-Version header must be a date, YYYY-MM-DD.")

    def once(self, operation: str, key: str, asked: Body, carry_out: Callable[[], Answer]) -> Answer:
        """Carry a request out, or answer as before when its idempotency key is known. An empty key is none.

        A refused request leaves its key free. Keys live as long as the server runs.
        """
        if not key:
            return carry_out()
        request = fingerprint(asked.fields)
        known, answer = self._answers.get((operation, key), ("", None))
        if answer is None:
            answer = carry_out()
            self._answers[operation, key] = (request, replace(answer, units=0))
        elif known != request:
            field = asked.path("idempotency_key")
            raise refusal("IDEMPOTENCY_KEY_REUSED", "The idempotency key was used with another request.", field)
        return answer

    def each(self, name: str, entries: Mapping[str, Body], write: Callable[[str, Body], Answer]) -> Answer:
        """Carry out the entries of a bulk write one by one; each gets its own answer under `name`."""
        failing = self.limits.failing_entries(len(entries))
        answers: dict[str, Any] = {}
        units, refused = 0, False
        for place, (key, entry) in enumerate(entries.items()):
            try:
                if place in failing:
                    raise refusal("INTERNAL_SERVER_ERROR", "An internal error has occurred.")
                answer = write(key, entry)
            except RefusalError as error:
                answer, refused = error.answer, True
            answers[key] = answer.body
            units += answer.units
        return Answer(200, {name: answers}, units=units, outcome=PARTIAL_FAILURE if refused else DONE)
