"""The shipped contract suite over every folder with a manifest."""

from __future__ import annotations

import pytest

from connectors import catalogue
from onevoice.testing import RULES

ROWS = {"salesforce": 2300, "hubspot": 450, "files": 12_000, "klaviyo": 230, "shopify": 520, "square": 70}
"""Enough for more than one page."""

WAIVERS = {
    ("files", "check_refuses_a_bad_credential"): "a folder is protected by the operating system, not by a credential",
    (
        "files",
        "deleted_records_surface",
    ): "a row that is missing from an export is not a delete: exports are often partial",
    (
        "klaviyo",
        "deleted_records_surface",
    ): "Klaviyo lists no deleted profiles: a point read or a write finds them gone",
    (
        "klaviyo",
        "provision_is_idempotent",
    ): "custom properties come into being with their first value: nothing is provisioned, as a test of its own shows",
    ("shopify", "deleted_records_surface"): "Shopify lists no deleted customers: a point read finds them gone",
    ("files", "errors_keep_secrets"): "a folder has no secret; tests of its own show that faults name no values",
}
"""(kind, rule) -> why the rule does not apply."""


def cases() -> list[tuple[str, str]]:
    return [
        (kind, rule.__name__)
        for kind, manifest in catalogue().items()
        for direction in manifest.directions
        for rule in RULES[direction]
    ]


def test_every_waiver_is_of_a_rule_and_says_why() -> None:
    assert set(WAIVERS) <= set(cases())
    assert all(len(reason) > 20 for reason in WAIVERS.values())


@pytest.mark.parametrize(("kind", "name"), cases())
def test_contract(kind: str, name: str, request: pytest.FixtureRequest) -> None:
    if (kind, name) in WAIVERS:
        pytest.skip(WAIVERS[kind, name])
    rig = request.getfixturevalue(kind)
    rig.contacts(ROWS[kind])
    rule = {rule.__name__: rule for rules in RULES.values() for rule in rules}[name]
    rule(rig)
