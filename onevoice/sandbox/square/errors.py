"""Square's error answers: {"errors": [{category, code, detail, field}]}, whole or for one key of a bulk call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onevoice.sandbox.calls import DONE
from onevoice.sandbox.gate import Answer, RefusalError

_INVALID = "INVALID_REQUEST_ERROR"
_OTHERS: dict[str, tuple[int, str]] = {
    "UNAUTHORIZED": (401, "AUTHENTICATION_ERROR"),
    "NOT_FOUND": (404, _INVALID),
    "CONFLICT": (409, _INVALID),
    "RATE_LIMITED": (429, "RATE_LIMIT_ERROR"),
    "INTERNAL_SERVER_ERROR": (500, "API_ERROR"),
    "SERVICE_UNAVAILABLE": (503, "API_ERROR"),
}
"""Code -> (status, category), where they are not 400 and INVALID_REQUEST_ERROR."""


def refusal(
    code: str, detail: str, field: str = "", *, outcome: str = DONE, headers: Mapping[str, str] | None = None
) -> RefusalError:
    """An error with one of the codes of Square's ErrorCode; `field` names the field of the request it is about."""
    status, category = _OTHERS.get(code, (400, _INVALID))
    error: dict[str, Any] = {"category": category, "code": code, "detail": detail}
    if field:
        error["field"] = field
    return RefusalError(Answer(status, {"errors": [error]}, headers or {}, outcome=outcome))


def missing(what: str, key: str) -> RefusalError:
    """There is no such record."""
    return refusal("NOT_FOUND", f"{what} with ID `{key}` not found.")


def refuse_stale(sent: int | None, current: int) -> None:
    """Refuse a write that was made for another version than the current one; None is no version at all."""
    if sent is not None and sent != current:
        raise refusal("CONFLICT", f"The version {sent} was sent, but the current version is {current}.", "version")
