"""Square's official Python SDK works against our sandbox: python tests/sdks/square/check.py

The SDK lives in an environment of its own, made once and kept under .onevoice/sdks/square. Status 0 when all is well.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn

from onevoice.sandbox.square import create_app
from onevoice.sandbox.square.tables import square_stamp, square_state
from onevoice.sandbox.state import Clock, ServerConfig, VendorState

HERE = Path(__file__).parent
HOME = HERE.parents[2] / ".onevoice" / "sdks" / "square"
REQUIREMENTS = HERE / "requirements.txt"
TOKEN = "sandbox-token"
NAMES = [f"Person {number}" for number in range(5)]
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
LOCATION = "LEEDS00000001"


def environment() -> Path:
    """The Python of the SDK's environment, made anew when the requirements have changed."""
    python, stamp = HOME / "bin" / "python", HOME / "installed.txt"
    if not stamp.exists() or stamp.read_text() != REQUIREMENTS.read_text():
        venv.create(HOME, with_pip=True, clear=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        subprocess.run([python, *install, "-r", REQUIREMENTS], check=True)
        stamp.write_text(REQUIREMENTS.read_text())
    return python


def populate(state: VendorState) -> None:
    """Five customers, each with an order and all but the last with a loyalty account."""
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


@contextmanager
def sandbox() -> Iterator[str]:
    """The address of a seller, limits on."""
    state = square_state(Clock(NOW))
    populate(state)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = create_app(state, ServerConfig(url, "", TOKEN))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield url
        server.should_exit = True
        thread.join(timeout=5)


def main() -> int:
    """Drive the sandbox; the status of the process that did."""
    python = environment()
    with sandbox() as url:
        return subprocess.run([python, HERE / "drive.py", url, TOKEN, *NAMES], check=False, timeout=120).returncode


if __name__ == "__main__":
    sys.exit(main())
