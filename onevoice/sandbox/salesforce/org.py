"""One org: its state and everything its endpoints share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import json_body
from onevoice.sandbox.salesforce.errors import not_found, refusal
from onevoice.sandbox.salesforce.limits import Limits
from onevoice.sandbox.salesforce.schema import Schema
from onevoice.sandbox.salesforce.soql_run import Runner
from onevoice.sandbox.state import ServerConfig, VendorState

USER_ID = "005Qy00000000001AAC"
"""The org's one user, as whom every client works."""
_VERSION = re.compile(r"\d\d\.0")


class Org:
    """What the endpoints work on."""

    def __init__(self, state: VendorState, config: ServerConfig) -> None:
        self.state = state
        self.config = config
        self.schema = Schema(state)
        self.limits = Limits(state)
        self.runner = Runner(self.schema, state)

    @property
    def id(self) -> str:
        """The org's own id."""
        return next(iter(self.state.tables["Organization"].rows))


def api_version(request: Request) -> str:
    """The version in the path, such as 67.0; answers 404 for anything else."""
    version = str(request.path_params["version"])
    if not _VERSION.fullmatch(version):
        raise not_found()
    return version


async def json_object(request: Request) -> Mapping[str, Any]:
    """The body, which must be a JSON object."""
    try:
        body = await json_body(request)
    except ValueError as error:
        raise refusal(400, "JSON_PARSER_ERROR", f"The HTTP entity body is not readable: {error}") from error
    if not isinstance(body, Mapping):
        raise refusal(400, "JSON_PARSER_ERROR", "The HTTP entity body must be a JSON object")
    return body
