"""Whatever is sent, within its description or against it: no 5xx, no answer that is not documented.

`make api-fuzz` sends much more of it (ONEVOICE_API_EXAMPLES).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from onevoice.api import openapi_document
from onevoice.api.access import Scope

EXAMPLES = int(os.environ.get("ONEVOICE_API_EXAMPLES", "5"))
load_all_checks()
JUDGED = [
    CHECKS.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "response_headers_conformance",
        "unsupported_method",
    )
]


SCHEMA = schemathesis.openapi.from_dict(openapi_document())
OPERATIONS = [(m, p) for p, methods in openapi_document()["paths"].items() for m in methods]


def fuzz(path: str, method: str, mode: GenerationMode, url: str, key: str) -> set[int]:
    """Send generated requests of one kind to one operation; returns the statuses that came back."""
    statuses: set[int] = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize="ONEVOICE_API_EXAMPLES" not in os.environ,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=SCHEMA[path][method].as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = case.call_and_validate(base_url=url, headers=headers, checks=JUDGED)
        statuses.add(answer.status_code)

    run()
    return statuses


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_with_a_key(town: Any, method: str, path: str, mode: GenerationMode) -> None:
    if mode is GenerationMode.NEGATIVE and path == "/v1/health":
        return  # it takes nothing that could be wrong
    statuses = fuzz(path, method, mode, town.url, town.key(*(scope.value for scope in Scope)))
    assert statuses
    assert max(statuses) < 500


@pytest.mark.parametrize(("method", "path"), [place for place in OPERATIONS if place[1] != "/v1/health"])
def test_without_a_key(town: Any, method: str, path: str) -> None:
    for key in ("", "ovk_000000000000_x"):
        assert fuzz(path, method, GenerationMode.POSITIVE, town.url, key) <= {401, 413}


def test_the_published_description_is_the_one_served(town: Any, checkout: Path) -> None:
    """Written anew by: make api-docs."""
    published = json.loads((checkout / "docs/openapi.json").read_text("utf-8"))
    assert published == openapi_document()
    assert town.get("/v1/openapi.json", key="").json() == published
