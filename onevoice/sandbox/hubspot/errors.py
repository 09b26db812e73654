"""HubSpot's error answers: {status, message, correlationId, category, ...}."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from onevoice.sandbox.calls import DONE
from onevoice.sandbox.gate import Answer, RefusalError

VALIDATION = "VALIDATION_ERROR"


class PropertyError(Exception):
    """Why one property value is not taken; HubSpot refuses the whole call for it."""

    def __init__(self, name: str, code: str, message: str) -> None:
        super().__init__(name, code, message)
        self.name = name
        self.code = code
        self.message = message


def refusal(status: int, category: str, message: str, *, outcome: str = DONE, **more: Any) -> RefusalError:
    """An error that answers the whole request; `more` are further keys of the body."""
    body = {
        "status": "error",
        "message": message,
        "correlationId": str(uuid.uuid4()),
        "category": category,
        **more,
    }
    return RefusalError(Answer(status, body, outcome=outcome))


def invalid(message: str, **more: Any) -> RefusalError:
    """A request that HubSpot does not understand."""
    return refusal(400, VALIDATION, message, **more)


def invalid_properties(errors: Sequence[PropertyError]) -> RefusalError:
    """Property values that are not taken, each named in the message and in `errors`."""
    listed = [
        {
            "isValid": False,
            "message": error.message,
            "error": error.code,
            "name": error.name,
            "localizedErrorMessage": error.message,
        }
        for error in errors
    ]
    details = [
        {"message": error.message, "code": error.code, "context": {"propertyName": [error.name]}} for error in errors
    ]
    return invalid(f"Property values were not valid: {json.dumps(listed)}", errors=details)


def missing(what: str = "resource not found") -> RefusalError:
    """No such record, property or list."""
    return refusal(404, "OBJECT_NOT_FOUND", what)


def row_error(category: str, message: str, context: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """One item of `errors` in a 207 answer."""
    return {
        "status": "error",
        "category": category,
        "message": message,
        "context": {name: list(values) for name, values in context.items()},
        "errors": [],
        "links": {},
    }
