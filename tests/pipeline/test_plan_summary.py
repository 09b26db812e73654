"""A plan in figures: what would be done, what it costs, what of it nobody could take back, and some of it in full."""

from __future__ import annotations

from typing import Any

import pytest

from onevoice.pipeline.delivery.costs import Meter
from onevoice.pipeline.delivery.summary import PlanSummary, summarise

PLANNED = ("push", "verify")
OPTED_OUT = "hs_email_optout_10001"


def summary(bench: Any, samples: int = 2) -> PlanSummary:
    bench.cycle(skip=PLANNED)
    return summarise(bench.hub(), samples)


def counts(found: PlanSummary) -> dict[tuple[str, str, str], int]:
    return {(p.stream, p.field, p.operation): n for p, n in found.counts.items()}


def test_operations_are_told_apart(bench: Any) -> None:
    bench.shop.put("contacts", "1", email="a@x.org", **{OPTED_OUT: "true"})
    bench.crm.put("Contact", "c1", LastName="Ash", Email="a@x.org")
    bench.people.person = {"hubspot/contacts/1": "ann", "salesforce/Contact/c1": "ann"}
    found = summary(bench)
    told = counts(found)
    assert told["contacts", "onevoice_no_newsletter_until", "set"] == 1
    assert told["lists", "onevoice_no_newsletter", "join"] == 1
    assert told["Contact", "HasOptedOutOfEmail", "opt out"] == 1
    [opt_out] = [p for p in found.counts if p.field == "HasOptedOutOfEmail"]
    assert (opt_out.irreversible, opt_out.sent) == (True, True)
    assert found.writes == 3
    bench.cycle()
    bench.crm.put("Contact", "c1", onevoice_tier__c="gold")
    bench.shop.put("lists", "2", onevoice_no_newsletter=True)
    bench.shop.put("contacts", "2", email="b@x.org")
    told = counts(summary(bench))
    assert told["Contact", "onevoice_tier__c", "clear"] == 1
    assert told["lists", "onevoice_no_newsletter", "leave"] == 1


def test_what_is_switched_off_is_shown_and_costs_nothing(bench: Any) -> None:
    bench.edit("config/hub.yaml", "irreversible_writes: true", "irreversible_writes: false")
    bench.shop.put("contacts", "1", email="a@x.org", **{OPTED_OUT: "true"})
    bench.crm.put("Contact", "c1", LastName="Ash", Email="a@x.org")
    bench.people.person = {"hubspot/contacts/1": "ann", "salesforce/Contact/c1": "ann"}
    found = summary(bench)
    assert [p.sent for p in found.counts if p.irreversible] == [False]
    assert {cost.system: cost.records for cost in found.costs} == {"hubspot": 2, "salesforce": 1}


def test_samples_hold_before_and_after_and_are_the_same_every_time(bench: Any) -> None:
    for number in range(9):
        bench.crm.put("Contact", f"c{number}", LastName="Ash", Email=f"a{number}@x.org", onevoice_tier__c="gold")
    found = summary(bench, 3)
    assert [sample.ref for sample in found.samples] == [sample.ref for sample in summary(bench, 3).samples]
    assert len(found.samples) == 3
    [change] = [c for c in found.samples[0].changes if c.field == "onevoice_tier__c"]
    assert (change.source, change.before, change.after) == ("status.club.tier", "gold", None)
    assert not any(c.field == "onevoice_decided_at__c" for c in found.samples[0].changes)
    assert summary(bench, 0).samples == []


def test_contradictions_that_writes_are_for(bench: Any) -> None:
    bench.shop.put("contacts", "1", email="a@x.org")
    bench.crm.put("Contact", "c1", LastName="Ash", Email="a@x.org", HasOptedOutOfEmail=True)
    bench.people.person = {"hubspot/contacts/1": "ann", "salesforce/Contact/c1": "ann"}
    found = summary(bench)
    assert found.contradictions
    assert all(opened == touched > 0 for opened, touched in found.contradictions.values())


def test_streams_over_the_guard_are_told_before_anybody_pushes(bench: Any) -> None:
    bench.edit("config/hub.yaml", "always_allowed: 100", "always_allowed: 0")
    bench.shop.put("contacts", "1", email="a@x.org")
    assert [(one.stream, one.planned) for one in summary(bench).over] == [("contacts", 1)]


@pytest.mark.parametrize(
    ("system", "stream", "writes", "calls", "seconds", "limit"),
    [
        ("salesforce", "Contact", [{"a__c": 1, "b__c": None}] * 201, 2, 0.1, "pace"),
        ("hubspot", "contacts", [{"a": 1}] * 1001, 11, 1.1, "ten_secondly"),
        ("hubspot", "lists", [{"x": True}, {"x": True, "y": True}, {"x": False}], 3, 0.3, "ten_secondly"),
        ("hubspot", "subscriptions", [{"10001": "UNSUBSCRIBED"}] * 7, 7, 0.7, "ten_secondly"),
        ("klaviyo", "profiles", [{"properties.a": 1}] * 6001, 4, 0.8, "write_minutely"),
        ("klaviyo", "suppressions", [{"email_suppressed": True}] * 101, 4, 0.32, "suppress_minutely"),
        ("square", "customers", [{"custom_attributes.a": 1, "custom_attributes.b": 2}] * 26, 3, 0.03, "account"),
        ("square", "customers", [{"custom_attributes.a": None, "in_group.g": False}] * 2, 4, 0.04, "account"),
        ("shopify", "customers", [{"metafields.o.a": 1, "metafields.o.b": None}] * 26, 3, 0.24, "points"),
        ("shopify", "customers", [{"tagged.a": True, "tagged.b": True, "tagged.c": None}] * 2, 4, 0.32, "points"),
    ],
)
def test_calls_and_seconds_at_documented_limits(
    wide: Any, system: str, stream: str, writes: list[dict[str, Any]], calls: int, seconds: float, limit: str
) -> None:
    if system == "shopify":
        wide.edit("config/hub.yaml", "systems:\n", "systems:\n" + SHOPIFY)
    meter = Meter(wide.hub(), system)
    for fields in writes:
        meter.count(stream, fields)
    cost = meter.cost()
    assert (cost.records, cost.calls, cost.limit) == (len(writes), calls, limit)
    assert cost.seconds == pytest.approx(seconds)


SHOPIFY = "  shopify:\n    connector: shopify\n    env_prefix: ONEVOICE_SHOPIFY\n    streams: [customers]\n"


class ToldBudget:
    def quotas(self) -> dict[str, tuple[int, int]]:
        return {"daily": (40, 100)}


def test_a_quota_is_known_once_the_vendor_has_told_it(bench: Any) -> None:
    hub = bench.hub()
    meter = Meter(hub, "salesforce")
    meter.count("Contact", {"a__c": 1})
    [quota] = meter.cost().quotas
    assert (quota.name, quota.needed, quota.left, quota.of) == ("daily", 1, None, None)
    hub.budgets["salesforce"] = ToldBudget()
    [quota] = meter.cost().quotas
    assert (quota.left, quota.of) == (40, 100)
