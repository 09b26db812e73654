"""Every folder of connectors/ is complete: manifest, settings, limits with their reason, README, public names."""

from __future__ import annotations

import importlib
import re
import time
from pathlib import Path
from typing import Any

import pytest

import connectors
from connectors import catalogue, open_budget, open_connector
from connectors._manifest import Manifest
from onevoice.errors import ConfigError
from onevoice.protocols import Budget, Destination, Fetches, Provisions, Source

KINDS = sorted(catalogue())
CREDENTIALS = {
    "salesforce": {"url": "https://example.my.salesforce.com", "client_id": "a", "client_secret": "b"},
    "hubspot": {"access_token": "a"},
    "files": {"folder": "nowhere", "cards.key": "card_no"},
    "square": {"access_token": "a"},
    "klaviyo": {"api_key": "a"},
    "shopify": {"url": "https://example.myshopify.com", "access_token": "a"},
}


def readme(checkout: Path, kind: str) -> str:
    return (checkout / "connectors" / kind / "README.md").read_text("utf-8")


def test_every_folder_has_a_manifest(checkout: Path) -> None:
    folders = {path.parent.name for path in (checkout / "connectors").glob("*/__init__.py")}
    assert folders == set(KINDS) == set(CREDENTIALS)


@pytest.mark.parametrize("kind", KINDS)
def test_connector_implements_what_its_manifest_says(kind: str, budget: Any) -> None:
    made = open_connector(kind, "acme", CREDENTIALS[kind], budget)
    directions = catalogue()[kind].directions
    assert isinstance(made, Source) == ("source" in directions)
    assert isinstance(made, Destination) == ("destination" in directions)
    if "destination" in directions:
        assert isinstance(made, Fetches)
        assert isinstance(made, Provisions)
    assert made.system == "acme"


@pytest.mark.parametrize("kind", KINDS)
def test_folder_has_one_public_name(kind: str) -> None:
    assert importlib.import_module(f"connectors.{kind}").__all__ == ["open_system"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_proof_of_quality_exists(checkout: Path, kind: str) -> None:
    entries = [entry for tier in catalogue()[kind].quality.values() for entry in tier.values()]
    assert all((checkout / entry.proof).is_file() for entry in entries if entry.proof)


@pytest.mark.parametrize("kind", KINDS)
def test_tier_is_at_least_silver(kind: str) -> None:
    assert catalogue()[kind].tier in {"silver", "gold"}


@pytest.mark.parametrize("kind", KINDS)
def test_readme_tells_what_an_admin_needs(checkout: Path, kind: str) -> None:
    text = readme(checkout, kind)
    for heading in ("Credentials", "Permissions", "Streams", "Limits", "How to remove"):
        assert f"## {heading}" in text, heading
    manifest = catalogue()[kind]
    assert [name for name in (*manifest.settings, *manifest.streams) if f"`{name}`" not in text] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_test_that_a_readme_names_exists(checkout: Path, kind: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", readme(checkout, kind)))
    written = "\n".join(path.read_text("utf-8") for path in (checkout / "tests" / "connectors").glob("*.py"))
    assert {name for name in named if f"def {name}(" not in written and not name.startswith("test_contract")} == set()
    if catalogue()[kind].sdk.split()[0] != "none":
        assert len(named) >= 10


@pytest.mark.parametrize("kind", KINDS)
def test_budget_of_every_kind_can_be_made(kind: str) -> None:
    budget: Budget = open_budget(kind, "acme")
    began = time.monotonic()
    for call in ("read", "search", "query", "write"):
        budget.acquire(call, urgent=True)
    assert time.monotonic() - began < 5, "the first calls of an account have to wait"


def test_budget_without_a_pace_never_waits() -> None:
    budget = open_budget("hubspot", "acme", paced=False)
    budget.throttled("search", 60.0)
    began = time.monotonic()
    for _ in range(500):
        budget.acquire("search")
    assert time.monotonic() - began < 30, "an account without a pace was held for a minute"


def test_missing_and_unknown_settings_are_named_together(budget: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        open_connector("salesforce", "acme", {"url": "https://x", "client_idd": "a", "client_secret": ""}, budget)
    said = str(caught.value)
    assert "client_id is missing" in said
    assert "client_secret is missing" in said
    assert "client_idd is not a setting of Salesforce (did you mean client_id)" in said


def test_unknown_kind_and_bad_system_name(budget: Any) -> None:
    with pytest.raises(ConfigError, match=f"known: {', '.join(KINDS)}"):
        open_connector("sailforce", "acme", {}, budget)
    with pytest.raises(ConfigError, match="lower-case"):
        open_connector("files", "../x", {"folder": "x"}, budget)


def entry(**changes: object) -> dict[str, object]:
    done = {"state": "done", "proof": "x"}
    rules = connectors._manifest.QUALITY_RULES
    quality = {tier: dict.fromkeys(names, done) for tier, names in rules.items()}
    return {"label": "X", "sdk": "none", "directions": ["source"], "settings": {}, "quality": quality} | changes


def test_manifest_is_strict() -> None:
    assert Manifest.model_validate(entry()).tier == "gold"
    bare = {"name": "n", "kinds": ["read"], "calls": 1, "seconds": 1}
    for changes in ({"colour": "red"}, {"directions": []}, {"quality": {}}, {"limits": [bare]}):
        with pytest.raises(ValueError, match="validation error"):
            Manifest.model_validate(entry(**changes))
