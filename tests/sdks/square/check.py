"""Square's official Python SDK works against our sandbox: python tests/sdks/square/check.py

The SDK lives in an environment of its own, made once and kept under .onevoice/sdks/square. Status 0 when all is well.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from onevoice.sandbox.square import create_app
from onevoice.sandbox.square.tables import square_stamp, square_state
from onevoice.sandbox.state import Clock, VendorState

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "support"))
from descriptions import square_judge  # noqa: E402 - it lies beside the tests, not in a package
from sdk_check import drive  # noqa: E402 - as above

NAMES = [f"Person {number}" for number in range(5)]
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
LOCATION = "LEEDS00000001"


def seller() -> VendorState:
    """A seller with five customers, each with an order and all but the last with a loyalty account; limits on."""
    state = square_state(Clock(NOW))
    tables = state.tables
    spend = {"amount_money": {"amount": 100, "currency": "GBP"}, "tax_mode": "AFTER_TAX"}
    program = {
        "status": "ACTIVE",
        "terminology": {"one": "Point", "other": "Points"},
        "accrual_rules": [{"accrual_type": "SPEND", "points": 1, "spend_data": spend}],
        "expiration_policy": {"expiration_duration": "P12M"},
        "location_ids": [LOCATION],
        "reward_tiers": [],
    }
    place = {"name": "Leeds", "status": "ACTIVE", "country": "GB", "currency": "GBP", "type": "PHYSICAL"}
    tables["locations"].insert(place, stamp=NOW - timedelta(days=900), key=LOCATION, actor="seed")
    programme = tables["loyalty_programs"].insert(program, stamp=NOW - timedelta(days=800), actor="seed")
    for number, name in enumerate(NAMES):
        at = NOW - timedelta(days=10, hours=-number)
        phone = f"+44770090{number:04}"
        profile = {"given_name": name, "phone_number": phone, "address": {"locality": "Leeds", "country": "GB"}}
        customer = tables["customers"].insert(profile, stamp=at, actor="seed")
        order = {**_order(customer), "created_at": square_stamp(at), "closed_at": square_stamp(at)}
        tables["orders"].insert(order, stamp=at, actor="seed")
        if name != NAMES[-1]:
            account = {
                "program_id": programme,
                "customer_id": customer,
                "mapping": {"id": f"mapping-{number}", "phone_number": phone, "created_at": square_stamp(at)},
                "balance": 40,
                "lifetime_points": 90,
                "enrolled_at": square_stamp(at),
                "expiring_point_deadlines": [{"points": 40, "expires_at": "2027-02-01T00:00:00Z"}],
            }
            tables["loyalty_accounts"].insert(account, stamp=at, actor="seed")
    return state


def _order(customer: str) -> dict[str, object]:
    money, nothing = ({"amount": amount, "currency": "GBP"} for amount in (4_999, 0))
    line = {
        "uid": "1",
        "name": "Boots",
        "quantity": "1",
        "metadata": {"category": "shoes"},
        **dict.fromkeys(("base_price_money", "gross_sales_money", "total_money"), money),
        "total_discount_money": nothing,
    }
    named = {"location_id": LOCATION, "customer_id": customer, "state": "COMPLETED", "version": 1}
    return {**named, "line_items": [line], "total_money": money}


if __name__ == "__main__":
    sys.exit(drive(HERE, create_app, seller(), square_judge(), "sandbox-token", NAMES))
