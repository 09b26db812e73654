"""The audit's report: its published shape, what it masks, and how its page is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from onevoice.cli.audit.page import ordered, page_of
from onevoice.cli.audit.report import Evidence, Finding, Match, Report, System, schema
from onevoice.cli.masks import Masks
from onevoice.configfile import load_project
from onevoice.configfile.project_config import ProjectConfig

AT = "2026-11-22T09:00:00+00:00"


def finding(**differing: Any) -> Finding:
    """A finding, sure and certain unless told otherwise."""
    values: Mapping[str, Any] = {
        "system": "hubspot",
        "stream": "contacts",
        "record": "1",
        "profile": "p1",
        "customer": "A. K.",
        "family": "cart_reminder",
        "offer": "cart reminder",
        "channel": "email",
        "sends": "surely",
        "code": "K13",
        "contradiction": "cart reminder after buying",
        "because": "What was left in the cart has been bought since.",
        "facts": {},
        "fields": {"cart_category": "coats"},
        "read_at": AT,
        "stands_on": "record",
        "weakest_match": None,
        "doubts": [],
        "evidence": [],
    }
    return Finding(**{**values, **differing})


def report(*found: Finding, failed: str | None = None) -> Report:
    """A report of these findings."""
    counts = {"findings": len(found), "if_picked": 0, "doubtful": 0}
    system = System(system="hubspot", records_read=2, read_at=AT, campaigns=True, failed=failed, **counts)
    return Report(
        as_of=AT,
        personal_data=False,
        customer_records=2,
        customers=1,
        by_contradiction=[],
        by_system=[system],
        worst_customers=[],
        found=list(found),
        **counts,
    )


@pytest.fixture(scope="module")
def config(checkout: Path) -> ProjectConfig:
    """The shipped configuration."""
    return load_project(checkout)


def test_schema_of_the_report_is_fresh(checkout: Path) -> None:
    """Written anew by: python -c "from onevoice.cli.audit.report import schema; …" (see the failure's right side)."""
    published = json.loads((checkout / "docs/audit-report.schema.json").read_text("utf-8"))
    assert published == schema()


def test_personal_data_is_masked_by_what_the_mapping_makes_of_a_field(config: ProjectConfig) -> None:
    masks = Masks(config.mappings, whole=False)
    raw = {"Birthdate": "1990-05-17", "MailingStreet": "12 Harbour Road", "Last_Purchase_Date__c": "2026-11-01"}
    assert masks.raw("salesforce", "Contact", raw) == {
        "Birthdate": "1990",
        "Last_Purchase_Date__c": "2026-11-01",
        "MailingStreet": "***",
    }
    assert masks.raw("klaviyo", "profiles", {"properties.birth_date": "1990-05-17"}) == {
        "properties.birth_date": "1990"
    }
    assert masks.name("Anna Maria Kowalska") == "A. M. K."
    assert masks.text("hubspot/subscriptions/anna@example.org") == "hubspot/subscriptions/a***@e***.org"
    said = {"contact_point": "+447700900123", "number": "ST22767132", "category": "coats", "total": "12.50"}
    assert masks.item("consent", said) == {
        "category": "coats",
        "contact_point": "***23",
        "number": "***32",
        "total": "12.50",
    }
    assert masks.item("customer", {"birth_date": "1990-05-17"}) == {"birth_date": "1990"}
    assert masks.facts({"birth_date": "1990-05-17", "tier": "gold"}) == {"birth_date": "1990", "tier": "gold"}


def test_personal_data_is_whole_where_that_was_asked_for(config: ProjectConfig) -> None:
    masks = Masks(config.mappings, whole=True)
    assert masks.raw("salesforce", "Contact", {"Birthdate": "1990-05-17"}) == {"Birthdate": "1990-05-17"}
    assert masks.name("Anna Kowalska") == "Anna Kowalska"
    assert masks.item("consent", {"contact_point": "anna@example.org"}) == {"contact_point": "anna@example.org"}


def test_every_kind_is_shown_in_turn_and_the_sure_ones_first() -> None:
    doubtful = finding(record="1", doubts=["Who knows."])
    picked = finding(record="2", sends="if_picked")
    sure, other = finding(record="3"), finding(record="4", contradiction="invitation to join sent to a member")
    assert [one.record for one in ordered([doubtful, picked, sure, other])] == ["3", "4", "2", "1"]


def test_the_page_shows_no_more_than_asked_for_and_escapes_everything() -> None:
    nasty = "<script>alert('x')</script>"
    match = Match(left="hubspot/contacts/1", right="square/customers/2", how=nasty, probability=0.9, doubt=nasty)
    proof = Evidence(
        system="square",
        stream="orders",
        record=nasty,
        kind="order",
        says={nasty: nasty, "empty": None, "yes": True},
        proves=[],
        read_at=None,
        changed_at=None,
        customer_record=None,
        matched_by=[match],
    )
    bad = finding(customer=nasty, because=nasty, doubts=[nasty], weakest_match=match, evidence=[proof])
    text = page_of(report(bad, finding(record="another"), failed=nasty), 1)
    assert "<script" not in text
    assert text.count("<article") == 1
    assert "contacts/another" in text  # the sure one goes first
    assert text.count("&lt;script&gt;") == 1  # of the system that failed
    assert page_of(report(bad), 1).count("&lt;script&gt;") == 8
    assert "empty" not in page_of(report(bad), 1)


def test_the_page_says_so_when_there_is_nothing() -> None:
    text = page_of(report(), 50)
    assert text.startswith("<!doctype html>")
    assert "0 messages would go out today" in text
    assert "None." in text
