"""Klaviyo's error answers: JSON:API error objects {id, status, code, title, detail, source}."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from onevoice.sandbox.calls import DONE
from onevoice.sandbox.gate import Answer, RefusalError

JSON_API = {"content-type": "application/vnd.api+json"}

INVALID = "Invalid input."


class ProfileError(Exception):
    """Why one profile is not taken; refuses a call for that profile alone, or becomes one error of an import job."""

    def __init__(self, status: int, code: str, detail: str, pointer: str, **meta: str) -> None:
        super().__init__(code, detail, pointer)
        self.status = status
        self.code = code
        self.title = _TITLES.get(code, INVALID)
        self.detail = detail
        self.pointer = pointer
        """Within the profile's resource object: /attributes/email."""
        self.meta = meta

    def refusal(self) -> RefusalError:
        """The whole call is refused."""
        source = {"pointer": f"/data{self.pointer}"}
        return refusal(self.status, self.code, self.title, self.detail, source=source, meta=self.meta)


def refusal(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    source: Mapping[str, str] | None = None,
    outcome: str = DONE,
    **more: Any,
) -> RefusalError:
    """An error that answers the whole request; `headers` and `meta` may be among `more`."""
    error = {
        "id": str(uuid.uuid4()),
        "status": status,
        "code": code,
        "title": title,
        "detail": detail,
        "source": dict(source or {"pointer": "/data"}),
        "links": {},
        "meta": dict(more.get("meta") or {}),
    }
    headers = {**JSON_API, **more.get("headers", {})}
    return RefusalError(Answer(status, {"errors": [error]}, headers, outcome=outcome))


def invalid(detail: str, pointer: str = "/data") -> RefusalError:
    """A body that is not taken."""
    return refusal(400, "invalid", INVALID, detail, source={"pointer": pointer})


def invalid_parameter(detail: str, parameter: str) -> RefusalError:
    """A query parameter that is not taken."""
    return refusal(400, "invalid", INVALID, detail, source={"parameter": parameter})


def missing(kind: str, key: str) -> RefusalError:
    """No such record."""
    return refusal(404, "not_found", "Not found.", f"A {kind} with id {key} does not exist.")


_TITLES = {
    "duplicate_profile": "Conflict.",
    "internal_error": "Internal error.",
    "not_found": "Not found.",
    "under_review": "Profile locked.",
}
