"""Salesforce's error answers: a JSON array of {message, errorCode, fields}."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from onevoice.sandbox.calls import DONE
from onevoice.sandbox.gate import Answer, RefusalError


class RowError(Exception):
    """Why one record was not written."""

    def __init__(self, code: str, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.fields = fields

    def as_result(self) -> dict[str, Any]:
        """As an item of `errors` in a collections result."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}


def refusal(status: int, code: str, message: str, fields: Sequence[str] = (), outcome: str = DONE) -> RefusalError:
    """An error that answers the whole request."""
    error: dict[str, Any] = {"message": message, "errorCode": code}
    if fields:
        error["fields"] = list(fields)
    return RefusalError(Answer(status, [error], outcome=outcome))


def row_refusal(error: RowError) -> RefusalError:
    """The error of a request that writes one record."""
    status = 404 if error.code in {"NOT_FOUND", "ENTITY_IS_DELETED"} else 400
    return refusal(status, error.code, error.message, error.fields)


def not_found() -> RefusalError:
    """No such resource or record."""
    return refusal(404, "NOT_FOUND", "The requested resource does not exist")
