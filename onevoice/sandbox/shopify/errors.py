"""Shopify's errors in a 200: `errors` at the top of the answer, and `userErrors` in the payload of a mutation."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLError

from onevoice.sandbox.calls import REFUSED

DOCUMENTATION = "https://shopify.dev/docs/api/usage/limits"


def top_error(message: str, code: str, **more: Any) -> GraphQLError:
    """An error at the top of an answer; `more` are further keys of its extensions."""
    return GraphQLError(message, extensions={"code": code, **more})


def internal_error() -> GraphQLError:
    """Shopify itself went wrong."""
    request = str(uuid.uuid4())
    return top_error(
        "Internal error. Looks like something went wrong on our end.\n"
        f"Request ID: {request} (include this in support requests).",
        "INTERNAL_SERVER_ERROR",
        requestId=request,
    )


@dataclass(frozen=True, slots=True)
class UserError:
    """Why a mutation was not carried out. `index` = position in a list of inputs."""

    place: tuple[str, ...] | None
    message: str
    code: str = ""
    index: int | None = None

    def shown(self) -> dict[str, Any]:
        """As a payload gives it; what its type lacks is not asked for."""
        place = None if self.place is None else list(self.place)
        return {"field": place, "message": self.message, "code": self.code or None, "elementIndex": self.index}


@dataclass(frozen=True, slots=True)
class UserRefusalError(Exception):
    """The mutation changes nothing, and says why. `outcome` is how the call is counted."""

    errors: Sequence[UserError]
    outcome: str = field(default=REFUSED)


def not_done(place: Sequence[str] | None, message: str, code: str = "INVALID") -> UserRefusalError:
    """A refusal for one reason."""
    return UserRefusalError([UserError(None if place is None else tuple(place), message, code)])
