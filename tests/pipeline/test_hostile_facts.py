"""Values that a vendor really holds and nobody means: they are one customer's matter, never everybody's."""

from __future__ import annotations

from typing import Any

import pytest

ODD = {
    "the first moment": {"web_orders": "1", "web_last_order_at": "0001-01-01T00:00:00Z"},
    "the last moment": {"web_orders": "1", "web_last_order_at": "9999-12-31T23:59:59Z"},
    "a cart at the end of time": {"cart_abandoned_at": "9999-12-31T23:59:59Z", "cart_category": "coats"},
    "a cart at its beginning": {"cart_abandoned_at": "0001-01-01T00:00:00Z", "cart_category": "coats"},
    "an opt-out at the end of time": {"hs_email_optout": "true", "lastmodifieddate": "9999-12-31T23:59:59Z"},
    "an opt-out at its beginning": {"hs_email_optout": "true", "lastmodifieddate": "0001-01-01T00:00:00Z"},
    "many orders": {"web_orders": "9" * 40, "web_last_order_at": "2026-01-01T00:00:00Z"},
    "born at the end of time": {"date_of_birth": "9999-12-31"},
    "born on a leap day": {"date_of_birth": "2024-02-29"},
}


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_odd_values_stop_nobody(bench: Any, zone: str) -> None:
    bench.edit("config/hub.yaml", "timezone: UTC", f"timezone: {zone}")
    for case, values in ODD.items():
        bench.shop.put("contacts", case, lastname="Ash", email=f"{len(case)}@x.org", **values)
    bench.cycle()
    assert [case for case in ODD if "onevoice_profile_id" not in bench.shop.held("contacts", case)] == []
    assert bench.quiet()


def test_odd_points_stop_nobody(bench: Any) -> None:
    for n, points in enumerate(["1E400", "9" * 40, "NaN", "-Infinity", 1e300]):
        bench.crm.put("Contact", f"c{n}", LastName="Ash", Email=f"{n}@x.org")
        bench.crm.put(
            "LoyaltyProgramMember", f"m{n}", ContactId=f"c{n}", MembershipNumber=str(n), MemberStatus="Active"
        )
        bench.crm.put("LoyaltyMemberCurrency", f"w{n}", LoyaltyMemberId=f"m{n}", Name="Points", PointsBalance=points)
    bench.cycle()
    assert all("onevoice_profile_id__c" in bench.crm.held("Contact", f"c{n}") for n in range(5))
    assert bench.quiet()
