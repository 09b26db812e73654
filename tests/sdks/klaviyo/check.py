"""Klaviyo's official Python SDK works against our sandbox: python tests/sdks/klaviyo/check.py

The SDK lives in an environment of its own, made once and kept under .onevoice/sdks/klaviyo. Status 0 when all is well.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from onevoice.sandbox.klaviyo import create_app
from onevoice.sandbox.klaviyo.tables import klaviyo_state
from onevoice.sandbox.state import Clock, VendorState

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "support"))
from descriptions import klaviyo_judge  # noqa: E402 - it lies beside the tests, not in a package
from sdk_check import drive  # noqa: E402 - as above

EMAILS = [f"person{number}@shop.example" for number in range(5)]
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def account() -> VendorState:
    """An account with five profiles, limits on."""
    state = klaviyo_state(Clock(NOW))
    for place, email in enumerate(EMAILS):
        state.tables["profiles"].insert({"email": email}, stamp=NOW - timedelta(hours=place + 1), actor="seed")
    return state


if __name__ == "__main__":
    sys.exit(drive(HERE, create_app, account(), klaviyo_judge(), "pk_sandbox", EMAILS))
